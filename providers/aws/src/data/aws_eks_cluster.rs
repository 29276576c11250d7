//! `data "aws_eks_cluster"`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::types::Cluster;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Block, Diagnostic, Diagnostics, Schema, Value};

use crate::{
    client::AwsClient,
    eks::{
        self,
        cluster::{self, describe},
        cluster_parts,
    },
    iam,
    values::{self, ObjectBuilder},
};

/// The data source.
pub struct EksCluster;

/// Blocks of the resource, all of them read only here.
fn parts() -> Vec<(&'static str, Block, &'static str)> {
    let blocks = cluster_parts::blocks(Schema::new("aws_eks_cluster", "")).block.blocks;
    let more = cluster_parts::PARTS.iter().map(|name| (*name, blocks[name].block.clone(), blocks[name].doc));
    let usual = [
        ("access_config", cluster::access_config().block, "How people and roles are let in."),
        ("kubernetes_network_config", cluster::network_config().block, "Addresses inside the cluster."),
        ("upgrade_policy", cluster::upgrade_policy().block, "What happens when the version leaves standard support."),
        ("vpc_config", cluster::vpc_config().block, "Where the cluster lives."),
        ("zonal_shift_config", cluster::zonal_shift_config().block, "Zonal shift of the control plane."),
    ];
    usual.into_iter().chain(more).collect()
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = |doc| Attribute::string().computed().doc(doc);
    let schema = Schema::new("aws_eks_cluster", "An EKS cluster that is there.")
        .attr("arn", text("The ARN."))
        .attr(
            "certificate_authority",
            Attribute::of(cluster::certificate_type())
                .computed()
                .doc("`[0].data`: the API server's CA certificate, PEM in base64."),
        )
        .attr("cluster_id", text("The id of a cluster on an Outpost."))
        .attr("created_at", text("When it was created, RFC 3339."))
        .attr("deletion_protection", Attribute::bool().computed().doc("Whether deleting it is refused."))
        .attr("enabled_cluster_log_types", Attribute::string_set().computed().doc("Control plane logs that are on."))
        .attr("endpoint", text("The URL of the API server."))
        .attr("id", text("The name."))
        .attr(
            "identity",
            Attribute::of(cluster::identity_type())
                .computed()
                .doc("`[0].oidc[0].issuer`: the issuer of service account tokens."),
        )
        .attr("name", Attribute::string().required().doc("The name."))
        .attr("platform_version", text("EKS's own version within the Kubernetes version."))
        .attr("role_arn", text("The ARN of the role that the control plane assumes."))
        .attr("status", text("`ACTIVE`, `CREATING`, `UPDATING`, `DELETING` or `FAILED`."))
        .attr("tags", Attribute::string_map().computed().doc("All tags of the cluster."))
        .attr("version", text("The Kubernetes version: `1.36`."));
    parts()
        .into_iter()
        .fold(schema, |schema, (name, block, doc)| {
            schema.attr(name, Attribute::of(sgp_model::Type::list(block.ty())).computed().doc(doc))
        })
        .unsupported(&["kube_api_server_config", "kube_controller_manager_config", "kube_scheduler_config", "region"])
        .iam_actions(&["eks:DescribeCluster"])
        .example("data \"aws_eks_cluster\" \"example\" {\n  name = \"example\"\n}\n")
});

/// The same parts as blocks of a schema, so that one function fills the resource and the data source.
static SHAPE: LazyLock<Schema> = LazyLock::new(|| {
    let schema = cluster_parts::blocks(crate::tags::attributes(Schema::new("aws_eks_cluster", "")));
    let schema = [
        cluster::access_config(),
        cluster::network_config(),
        cluster::upgrade_policy(),
        cluster::vpc_config(),
        cluster::zonal_shift_config(),
        cluster::encryption_config(),
    ]
    .into_iter()
    .zip([
        "access_config",
        "kubernetes_network_config",
        "upgrade_policy",
        "vpc_config",
        "zonal_shift_config",
        "encryption_config",
    ])
    .fold(schema, |schema, (block, name)| schema.block(name, block));
    SCHEMA
        .block
        .attributes
        .iter()
        .filter(|(name, _)| **name != "tags" && !parts().iter().any(|(part, ..)| part == *name))
        .fold(schema, |schema, (name, attribute)| schema.attr(name, attribute.clone()))
});

#[async_trait]
impl DataSource for EksCluster {
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
        let wanted = requests.iter().map(|r| (r.addr.to_string(), values::string(r.config, "name"))).collect();
        let found = iam::each(wanted, |(addr, name): (String, String)| async move {
            match describe(client, &name).await {
                Ok(Some(found)) => Ok(object(client, &found)),
                Ok(None) => Err(missing(&client.region, &name).on(addr).into()),
                Err(error) => Err(Diagnostic::from(error).on(addr).into()),
            }
        });
        found.await
    }
}

fn object(client: &AwsClient, found: &Cluster) -> Value {
    let described = cluster::object(&SHAPE, client, &SHAPE.block.empty(), found);
    SCHEMA
        .block
        .names()
        .fold(ObjectBuilder::new(&SCHEMA), |object, name| object.set_opt(name, described.get(name).cloned()))
        .set("deletion_protection", found.deletion_protection().unwrap_or_default())
        .set("enabled_cluster_log_types", values::string_set(cluster::log_types(found)))
        .set("tags", values::string_map(eks::from_tags(found.tags())))
        .build()
}

fn missing(region: &str, name: &str) -> Diagnostic {
    let detail = format!("There is no EKS cluster {name:?} in {region}. Check the name, the region and the account.");
    Diagnostic::error("EKS cluster not found", detail).attribute(sgp_model::AttrPath::attr("name"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_eks::types::{Cluster, Identity, Oidc, VpcConfigResponse};

    use super::*;

    #[tokio::test]
    async fn every_attribute_is_known() {
        let client = crate::client::tests::offline(&[]).await;
        let oidc = Oidc::builder().issuer("https://oidc.example.com/id/1").build();
        let found = Cluster::builder()
            .name("a")
            .identity(Identity::builder().oidc(oidc).build())
            .resources_vpc_config(VpcConfigResponse::builder().vpc_id("vpc-1").subnet_ids("subnet-1").build())
            .tags("k", "v")
            .build();
        let object = object(&client, &found);
        assert_eq!(object.ty(), SCHEMA.ty());
        assert!(object.is_wholly_known());
        let issuer =
            &object.get("identity").unwrap().elements().unwrap()[0].get("oidc").unwrap().elements().unwrap()[0];
        assert_eq!(values::str_opt(issuer, "issuer"), Some("https://oidc.example.com/id/1"));
        assert_eq!(values::str_opt(values::block(&object, "vpc_config").unwrap(), "vpc_id"), Some("vpc-1"));
        assert_eq!(values::str_map(&object, "tags")["k"], "v");
    }
}
