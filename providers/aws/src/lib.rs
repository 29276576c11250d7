//! The AWS provider: EC2, EKS, IAM and STS through the AWS SDK.
//!
//! One file is one resource type, data source or ephemeral resource: its schema, calls, waits and errors. The three lists below are all that must know of a new
//! one. Reads are in bulk: a type is given every object that is wanted of it and asks AWS in pages.
//!
//! Read [`client`] first (what a `provider "aws"` block becomes), then any file in [`resources`].

use std::sync::Arc;

use async_trait::async_trait;
use sgp_contract::{Area, Client, DataSource, EphemeralType, Provider, ResourceType, Sighting};
use sgp_model::{Diagnostics, ProviderAddr, Schema, Value};

pub mod adoption;
pub mod attempts;
pub mod bulk;
pub mod client;
pub mod credentials;
pub mod data;
pub mod ec2;
pub mod eks;
pub mod eks_access;
pub mod ephemeral;
pub mod errors;
pub mod iam;
pub mod iam_listing;
pub mod limiter;
pub mod naming;
pub mod partition;
pub mod policy_document;
pub mod provider_config;
pub mod reconnect;
pub mod resources;
pub mod retries;
pub mod role_policies;
mod survey;
pub mod tags;
pub mod unsaid;
pub mod values;
pub mod wait;

pub use client::AwsClient;
pub use eks_access::AwsEks;

/// Every resource type, sorted by name.
static RESOURCE_TYPES: &[&dyn ResourceType] = &[
    &resources::aws_ec2_managed_prefix_list::AwsEc2ManagedPrefixList,
    &resources::aws_eip::AwsEip,
    &resources::aws_eks_access_entry::EksAccessEntry,
    &resources::aws_eks_access_policy_association::EksAccessPolicyAssociation,
    &resources::aws_eks_addon::EksAddon,
    &resources::aws_eks_cluster::EksCluster,
    &resources::aws_eks_fargate_profile::EksFargateProfile,
    &resources::aws_eks_node_group::EksNodeGroup,
    &resources::aws_eks_pod_identity_association::EksPodIdentityAssociation,
    &resources::aws_iam_openid_connect_provider::IamOpenIdConnectProvider,
    &resources::aws_iam_policy::IamPolicy,
    &resources::aws_iam_role::IamRole,
    &resources::aws_iam_role_policy::IamRolePolicy,
    &resources::aws_iam_role_policy_attachment::IamRolePolicyAttachment,
    &resources::aws_internet_gateway::AwsInternetGateway,
    &resources::aws_launch_template::AwsLaunchTemplate,
    &resources::aws_nat_gateway::AwsNatGateway,
    &resources::aws_network_acl::AwsNetworkAcl,
    &resources::aws_network_acl_rule::AwsNetworkAclRule,
    &resources::aws_route::AwsRoute,
    &resources::aws_route_table::AwsRouteTable,
    &resources::aws_route_table_association::AwsRouteTableAssociation,
    &resources::aws_security_group::AwsSecurityGroup,
    &resources::aws_subnet::AwsSubnet,
    &resources::aws_vpc::AwsVpc,
    &resources::aws_vpc_endpoint::AwsVpcEndpoint,
    &resources::aws_vpc_peering_connection::AwsVpcPeeringConnection,
    &resources::aws_vpc_peering_connection_accepter::AwsVpcPeeringConnectionAccepter,
    &resources::aws_vpc_peering_connection_options::AwsVpcPeeringConnectionOptions,
    &resources::aws_vpc_security_group_egress_rule::EGRESS_RULE,
    &resources::aws_vpc_security_group_ingress_rule::INGRESS_RULE,
];

/// Every data source, sorted by name.
static DATA_SOURCES: &[&dyn DataSource] = &[
    &data::aws_availability_zones::AwsAvailabilityZones,
    &data::aws_caller_identity::AwsCallerIdentity,
    &data::aws_ec2_managed_prefix_list::AwsEc2ManagedPrefixList,
    &data::aws_eks_addon_version::EksAddonVersion,
    &data::aws_eks_cluster::EksCluster,
    &data::aws_eks_cluster_auth::EksClusterAuth,
    &data::aws_iam_policy_document::IamPolicyDocument,
    &data::aws_partition::AwsPartition,
    &data::aws_region::AwsRegion,
    &data::aws_security_group::AwsSecurityGroup,
    &data::aws_security_groups::AwsSecurityGroups,
    &data::aws_subnet::AwsSubnet,
    &data::aws_subnets::AwsSubnets,
    &data::aws_vpc::AwsVpc,
];

/// Every ephemeral resource, sorted by name.
static EPHEMERAL_TYPES: &[&dyn EphemeralType] = &[&ephemeral::aws_eks_cluster_auth::EksClusterAuth];

/// The provider.
#[derive(Clone, Default)]
pub struct AwsProvider {
    eks: Arc<AwsEks>,
}

impl AwsProvider {
    /// EKS with the client of the unaliased provider block, for the Kubernetes provider.
    pub fn eks(&self) -> Arc<AwsEks> {
        self.eks.clone()
    }
}

#[async_trait]
impl Provider for AwsProvider {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn source(&self) -> &'static str {
        "registry.terraform.io/hashicorp/aws"
    }

    fn config_schema(&self) -> &'static Schema {
        provider_config::schema()
    }

    fn resource_types(&self) -> &'static [&'static dyn ResourceType] {
        RESOURCE_TYPES
    }

    fn data_sources(&self) -> &'static [&'static dyn DataSource] {
        DATA_SOURCES
    }

    fn ephemeral_types(&self) -> &'static [&'static dyn EphemeralType] {
        EPHEMERAL_TYPES
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Client>, Diagnostics> {
        Ok(Arc::new(AwsClient::configure(config).await?))
    }

    async fn survey(&self, client: &dyn Client, area: &mut Area) -> (Vec<Sighting>, Diagnostics) {
        survey::survey(AwsClient::of(client), area).await
    }

    fn configured(&self, addr: &ProviderAddr, client: &Arc<dyn Client>) {
        if addr.module.is_root() && addr.alias.is_none() {
            self.eks.use_client(client.clone());
        } else {
            self.eks.use_also(&addr.to_string(), client.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_documented() {
        let resources: Vec<&Schema> = RESOURCE_TYPES.iter().map(|r| r.schema()).collect();
        let data: Vec<&Schema> = DATA_SOURCES.iter().map(|d| d.schema()).collect();
        let ephemeral: Vec<&Schema> = EPHEMERAL_TYPES.iter().map(|e| e.schema()).collect();
        for list in [&resources, &data, &ephemeral] {
            assert!(list.is_sorted_by(|a, b| a.name < b.name), "{:?}", list.iter().map(|s| s.name).collect::<Vec<_>>());
        }
        for schema in resources.iter().chain(&data).chain(&ephemeral) {
            check(schema.name, &schema.block);
            assert!(!schema.example.is_empty(), "{} has no example", schema.name);
            for name in schema.unsupported {
                assert!(!schema.block.has(name), "{}.{name} is supported", schema.name);
            }
        }
    }

    fn check(owner: &str, block: &sgp_model::Block) {
        for (name, attribute) in &block.attributes {
            assert!(!attribute.doc.is_empty(), "{owner}.{name} has no doc");
        }
        for (name, nested) in &block.blocks {
            assert!(!nested.doc.is_empty(), "{owner}.{name} has no doc");
            check(&format!("{owner}.{name}"), &nested.block);
        }
    }
}
