//! `data "aws_eks_addon_version"`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::types::AddonVersionInfo;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{
    client::AwsClient,
    errors::{ApiError, Call},
    iam,
    values::{self, ObjectBuilder},
};

/// The data source.
pub struct EksAddonVersion;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_eks_addon_version",
        "The version of an add-on for a Kubernetes version: the default one, or the newest.",
    )
    .attr("addon_name", Attribute::string().required().doc("The add-on: `vpc-cni`, `coredns` ..."))
    .attr("id", Attribute::string().computed().doc("The add-on's name."))
    .attr("kubernetes_version", Attribute::string().required().doc("The cluster's version: `1.36`."))
    .attr(
        "most_recent",
        Attribute::bool().optional().doc("Whether the newest version is wanted instead of the default one."),
    )
    .attr("version", Attribute::string().computed().doc("The version: `v1.23.1-eksbuild.1`."))
    .unsupported(&["region"])
    .iam_actions(&["eks:DescribeAddonVersions"])
    .example(
        r#"data "aws_eks_addon_version" "cni" {
  addon_name         = "vpc-cni"
  kubernetes_version = aws_eks_cluster.example.version
}
"#,
    )
});

#[async_trait]
impl DataSource for EksAddonVersion {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let client = AwsClient::of(client);
        let wanted = requests.iter().map(|r| (r.addr.to_string(), r.config.clone())).collect();
        let found = iam::each(wanted, |(addr, config): (String, Value)| async move {
            let (name, kubernetes) =
                (values::string(&config, "addon_name"), values::string(&config, "kubernetes_version"));
            let versions =
                versions(client, &name, &kubernetes).await.map_err(|error| Diagnostic::from(error).on(&addr))?;
            let version = chosen(&versions, &kubernetes, values::flag(&config, "most_recent"));
            let version = version.ok_or_else(|| missing(&name, &kubernetes).on(&addr))?;
            let object = ObjectBuilder::carrying(&SCHEMA, &config).set("id", name).set("version", version);
            Ok(object.build())
        });
        found.await
    }
}

async fn versions(client: &AwsClient, name: &str, kubernetes: &str) -> Result<Vec<AddonVersionInfo>, ApiError> {
    let request = client.eks.describe_addon_versions().addon_name(name).kubernetes_version(kubernetes);
    let mut pages = request.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(addon) = pages.next().await {
        found.extend(addon.call("eks:DescribeAddonVersions")?.addon_versions.unwrap_or_default());
    }
    Ok(found)
}

/// The newest version, or the default one of the Kubernetes version.
fn chosen(versions: &[AddonVersionInfo], kubernetes: &str, newest: bool) -> Option<String> {
    let is_default = |v: &&AddonVersionInfo| {
        v.compatibilities().iter().any(|c| c.default_version() && c.cluster_version().is_none_or(|k| k == kubernetes))
    };
    let version = if newest {
        versions.iter().max_by_key(|v| numbers(v.addon_version().unwrap_or_default()))
    } else {
        versions.iter().find(is_default)
    };
    version.and_then(|v| v.addon_version().map(str::to_owned))
}

/// The numbers in a version, in order: `v1.23.1-eksbuild.2` is 1, 23, 1, 2.
fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

fn missing(name: &str, kubernetes: &str) -> Diagnostic {
    let detail = format!("EKS has no version of the add-on {name:?} for Kubernetes {kubernetes}. Check both names.");
    Diagnostic::error("Add-on version not found", detail).attribute(AttrPath::attr("addon_name"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_eks::types::Compatibility;

    use super::*;

    #[test]
    fn the_default_or_the_newest_is_chosen() {
        let version = |version: &str, kubernetes: &str, default: bool| {
            let compatible = Compatibility::builder().cluster_version(kubernetes).default_version(default).build();
            AddonVersionInfo::builder().addon_version(version).compatibilities(compatible).build()
        };
        let versions = [
            version("v1.9.3-eksbuild.10", "1.36", false),
            version("v1.23.1-eksbuild.2", "1.36", false),
            version("v1.23.1-eksbuild.10", "1.36", false),
            version("v1.20.0-eksbuild.1", "1.36", true),
        ];
        assert_eq!(chosen(&versions, "1.36", true).as_deref(), Some("v1.23.1-eksbuild.10"));
        assert_eq!(chosen(&versions, "1.36", false).as_deref(), Some("v1.20.0-eksbuild.1"));
        assert_eq!(chosen(&versions, "1.35", false), None);
        assert_eq!(chosen(&[], "1.36", true), None);
    }
}
