//! DescribeClusterVersions.

use serde_json::{Value, json};

use super::catalog::{self, Version};
use super::request::{choice, invalid, listing, time};
use crate::aws::{Answer, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DescribeClusterVersions", run: describe_cluster_versions }];

/// How a version is supported: in words of `versionStatus`, and in those of the older `status`. What is in the file is offered, so
/// that nothing of it becomes unsupported as time passes.
fn support(world: &World, version: &Version) -> (&'static str, &'static str) {
    if world.now < version.standard_until() {
        ("STANDARD_SUPPORT", "standard-support")
    } else {
        ("EXTENDED_SUPPORT", "extended-support")
    }
}

fn view(world: &World, version: &Version) -> Value {
    let (version_status, status) = support(world, version);
    json!({
        "clusterVersion": version.cluster_version, "clusterType": "eks", "defaultVersion": version.default_version,
        "defaultPlatformVersion": version.default_platform_version, "kubernetesPatchVersion": version.kubernetes_patch_version,
        "releaseDate": time(version.released()), "endOfStandardSupportDate": time(version.standard_until()),
        "endOfExtendedSupportDate": time(version.extended_until()), "status": status, "versionStatus": version_status,
    })
}

fn describe_cluster_versions(world: &mut World, call: &Call) -> Answer {
    let asked = call.texts("clusterVersions");
    if let Some(unknown) = asked.iter().find(|name| catalog::version(name).is_none()) {
        return Err(invalid(format!("unsupported Kubernetes version {unknown}")));
    }
    let of_type = call.text("clusterType").is_none_or(|kind| kind == "eks");
    let default_only = call.boolean("defaultOnly")?.unwrap_or(false);
    let old = choice(call, "status", &["unsupported", "standard-support", "extended-support"])?;
    let new = choice(call, "versionStatus", &["UNSUPPORTED", "STANDARD_SUPPORT", "EXTENDED_SUPPORT"])?;
    let fits = |version: &&Version| {
        let (version_status, status) = support(world, version);
        of_type
            && (asked.is_empty() || asked.contains(&version.cluster_version))
            && (!default_only || version.default_version)
            && old.as_ref().is_none_or(|it| it == status)
            && new.as_ref().is_none_or(|it| it == version_status)
    };
    let mut rows: Vec<(String, Value)> = catalog::versions()
        .iter()
        .filter(fits)
        .map(|version| (format!("{:04}", 9999 - version.minor()), view(world, version)))
        .collect();
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    listing(call, "clusterVersions", rows.iter().map(|(id, row)| (id.as_str(), row.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{eks, refusal, world};

    #[test]
    fn versions_are_listed_newest_first_and_filtered() {
        let mut world = world();
        let mut names = |members: Value| -> Vec<String> {
            let answer = eks(&mut world, "DescribeClusterVersions", members).unwrap();
            let rows = answer["clusterVersions"].as_array().unwrap();
            rows.iter().map(|row| row["clusterVersion"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(json!({})), ["1.36", "1.35", "1.34", "1.33", "1.32", "1.31", "1.30"]);
        assert_eq!(names(json!({ "defaultOnly": "true" })), ["1.36"]);
        assert_eq!(names(json!({ "clusterVersions": ["1.31", "1.33"] })), ["1.33", "1.31"]);
        // At the beginning of 2026.
        assert_eq!(names(json!({ "versionStatus": "EXTENDED_SUPPORT" })), ["1.31", "1.30"]);
        assert_eq!(names(json!({ "status": "unsupported" })), Vec::<String>::new());
        assert_eq!(names(json!({ "maxResults": "2" })), ["1.36", "1.35"]);
        for wrong in [
            json!({ "clusterVersions": ["1.2"] }),
            json!({ "maxResults": "101" }),
            json!({ "nextToken": "?" }),
            json!({ "versionStatus": "GOOD" }),
        ] {
            let answer = eks(&mut world, "DescribeClusterVersions", wrong.clone());
            assert_eq!(refusal(answer), "InvalidParameterException", "{wrong}");
        }
    }
}
