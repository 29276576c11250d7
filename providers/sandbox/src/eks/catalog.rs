//! What EKS offers: Kubernetes versions, add-ons, access policies. The files are in `data/eks`, with their sources.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A Kubernetes version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "they are named as in DescribeClusterVersions")]
pub(super) struct Version {
    /// `1.36`.
    pub cluster_version: String,
    release_date: String,
    end_of_standard_support_date: String,
    end_of_extended_support_date: String,
    /// `eks.6`.
    pub default_platform_version: String,
    /// `1.36.3`.
    pub kubernetes_patch_version: String,
    /// Of the nodes' images, oldest first: `1.36.3-20261105`.
    pub release_versions: Vec<String>,
    /// Whether a cluster gets it that asks for none.
    pub default_version: bool,
}

impl Version {
    /// When EKS began to offer it.
    pub fn released(&self) -> Timestamp {
        midnight(&self.release_date)
    }

    /// When standard support ends.
    pub fn standard_until(&self) -> Timestamp {
        midnight(&self.end_of_standard_support_date)
    }

    /// When extended support ends.
    pub fn extended_until(&self) -> Timestamp {
        midnight(&self.end_of_extended_support_date)
    }

    /// The newest release of its nodes' images.
    pub fn release(&self) -> &str {
        self.release_versions.last().map_or("", String::as_str)
    }

    /// Whether nodes have this release: one that is listed, or one of its form since EKS offers the version. Images come every few weeks.
    pub fn has_release(&self, release: &str) -> bool {
        if self.release_versions.iter().any(|listed| listed == release) {
            return true;
        }
        let Some((patch, date)) = release.split_once('-') else { return false };
        let is_of_version = patch.rsplit_once('.').is_some_and(|(minor, patch)| {
            minor == self.cluster_version && !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit())
        });
        let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
        is_of_version && is_date && date >= self.release_date.replace('-', "").as_str()
    }

    /// 36 of 1.36.
    pub fn minor(&self) -> u32 {
        minor(&self.cluster_version).unwrap_or(0)
    }
}

/// An add-on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Offer {
    /// `vpc-cni`.
    pub name: String,
    /// `networking`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where its objects are.
    pub namespace: String,
    /// The service account that needs a role.
    pub service_account: Option<String>,
    /// Policies that its role should have.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Whether it needs a role.
    #[serde(default)]
    pub requires_iam_permissions: bool,
    schema: Option<String>,
    /// Newest first.
    pub versions: Vec<OfferVersion>,
}

/// A version of an add-on.
#[derive(Debug, Deserialize)]
pub(super) struct OfferVersion {
    /// `v1.21.1-eksbuild.1`.
    pub version: String,
    /// The cluster versions that it fits.
    pub clusters: Vec<String>,
    /// The cluster versions for which it is taken when none is asked for.
    pub default: Vec<String>,
    schema: Option<String>,
}

impl Offer {
    /// The version of this name. One that is not listed is like the newest listed one of its minor version: patches and builds come every
    /// few weeks.
    pub fn version(&self, name: &str) -> Option<&OfferVersion> {
        let listed = self.versions.iter().find(|version| version.version == name);
        let minor = minor_of(name);
        listed.or_else(|| self.versions.iter().find(|version| minor.is_some() && minor_of(&version.version) == minor))
    }

    /// What a cluster of this version gets when none is asked for.
    pub fn default_for(&self, cluster_version: &str) -> Option<&OfferVersion> {
        let is_default = |version: &&OfferVersion| version.default.iter().any(|it| it == cluster_version);
        self.versions.iter().find(is_default)
    }

    /// The schema of a version's configuration values; one that takes any object where none is kept.
    pub fn schema(&self, version: &OfferVersion) -> &'static Value {
        let name = version.schema.as_ref().or(self.schema.as_ref());
        let schema = name.and_then(|name| SCHEMAS.iter().find(|(known, _)| known == name));
        schema.map_or(&ANY_OBJECT, |(_, schema)| schema)
    }
}

/// `v1.21` of `v1.21.1-eksbuild.3`; none when it has another form.
fn minor_of(version: &str) -> Option<&str> {
    let (release, build) = version.split_once("-eksbuild.")?;
    let (minor, patch) = release.rsplit_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(build) && is_number(patch)).then_some(minor)
}

static VERSIONS: LazyLock<Vec<Version>> = LazyLock::new(|| read(include_str!("../../data/eks/versions.json")));
static ADDONS: LazyLock<Vec<Offer>> = LazyLock::new(|| read(include_str!("../../data/eks/addons.json")));
static POLICIES: LazyLock<Vec<String>> = LazyLock::new(|| read(include_str!("../../data/eks/access-policies.json")));
static ANY_OBJECT: LazyLock<Value> = LazyLock::new(|| serde_json::json!({ "type": "object" }));
static SCHEMAS: LazyLock<[(&str, Value); 5]> = LazyLock::new(|| {
    [
        ("vpc-cni", read(include_str!("../../data/eks/schemas/vpc-cni.json"))),
        ("vpc-cni-1.19", read(include_str!("../../data/eks/schemas/vpc-cni-1.19.json"))),
        ("coredns", read(include_str!("../../data/eks/schemas/coredns.json"))),
        ("kube-proxy", read(include_str!("../../data/eks/schemas/kube-proxy.json"))),
        ("eks-pod-identity-agent", read(include_str!("../../data/eks/schemas/eks-pod-identity-agent.json"))),
    ]
});

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("the file is part of the program and its tests read it")
}

/// All versions, newest first. All of them are offered, whatever the world's time is.
pub(super) fn versions() -> &'static [Version] {
    &VERSIONS
}

/// The version of this name.
pub(super) fn version(name: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|version| version.cluster_version == name)
}

/// What a cluster gets that asks for no version.
pub(super) fn default_version() -> &'static Version {
    VERSIONS.iter().find(|version| version.default_version).unwrap_or(&VERSIONS[0])
}

/// All add-ons, by name.
pub(super) fn addons() -> &'static [Offer] {
    &ADDONS
}

/// The add-on of this name.
pub(super) fn addon(name: &str) -> Option<&'static Offer> {
    ADDONS.iter().find(|addon| addon.name == name)
}

/// The names of the access policies.
pub(super) fn access_policies() -> &'static [String] {
    &POLICIES
}

/// The ARN of an access policy.
pub(super) fn access_policy_arn(name: &str) -> String {
    format!("arn:aws:eks::aws:cluster-access-policy/{name}")
}

/// 36 of `1.36`.
pub(super) fn minor(version: &str) -> Option<u32> {
    let (major, minor) = version.split_once('.')?;
    minor.parse().ok().filter(|_| major == "1")
}

fn midnight(date: &str) -> Timestamp {
    format!("{date}T00:00:00Z").parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_whole() {
        assert_eq!(versions().iter().filter(|version| version.default_version).count(), 1);
        for version in versions() {
            assert!(version.released() < version.standard_until(), "{version:?}");
            assert!(version.standard_until() < version.extended_until(), "{version:?}");
            assert!(version.release().starts_with(&version.cluster_version), "{version:?}");
        }
        for offer in addons() {
            let named = offer.versions.iter().flat_map(|it| it.schema.iter()).chain(&offer.schema);
            for schema in named {
                assert!(SCHEMAS.iter().any(|(name, _)| name == schema), "{} {schema}", offer.name);
            }
            for version in versions() {
                let default = offer.default_for(&version.cluster_version);
                let fits = default.is_some_and(|it| it.clusters.contains(&version.cluster_version));
                assert!(fits, "{} has a default for {}", offer.name, version.cluster_version);
            }
        }
        let of = |version: &str| versions().iter().find(|it| it.cluster_version == version).unwrap();
        for (release, is_taken) in [
            ("1.35.0-20260901", true),
            ("1.35.99-20990101", true),
            ("1.35.0-20200101", false),
            ("1.34.0-20260901", false),
            ("1.35.0", false),
            ("1.35.0-2026", false),
            ("1.35.x-20260901", false),
        ] {
            assert_eq!(of("1.35").has_release(release), is_taken, "{release}");
        }
        let cni = addon("vpc-cni").unwrap();
        assert_eq!(cni.version("v1.21.1-eksbuild.9").map(|it| it.version.as_str()), Some("v1.21.1-eksbuild.3"));
        for unknown in ["v1.21.1", "v0.1.0-eksbuild.1", "v1.21.x-eksbuild.1", "v1.21.1-eksbuild."] {
            assert!(cni.version(unknown).is_none(), "{unknown}");
        }
        assert!(access_policies().iter().any(|name| name == "AmazonEKSClusterAdminPolicy"));
    }
}
