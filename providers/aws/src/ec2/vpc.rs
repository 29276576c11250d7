//! What is told of a VPC by calls of its own: attributes, and what EC2 makes with it.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Vpc, VpcAttributeName, VpcCidrBlockStateCode, VpcIpv6CidrBlockAssociation};
use futures::try_join;

use crate::{
    bulk::FILTER_VALUES,
    client::AwsClient,
    ec2::{describe, filter, security_groups},
    errors::{ApiError, Call},
};

/// A bool attribute of a VPC (`DescribeVpcAttribute`, which asks for one at a time).
///
/// # Errors
/// What EC2 answers.
pub async fn attribute(client: &AwsClient, id: &str, name: VpcAttributeName) -> Result<bool, ApiError> {
    let answer =
        client.ec2.describe_vpc_attribute().vpc_id(id).attribute(name).send().await.call("ec2:DescribeVpcAttribute")?;
    let set = answer.enable_dns_hostnames.or(answer.enable_dns_support).or(answer.enable_network_address_usage_metrics);
    Ok(set.and_then(|v| v.value).unwrap_or_default())
}

/// The attributes of a VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Whether instances get DNS names.
    pub dns_hostnames: bool,
    /// Whether the VPC's resolver answers.
    pub dns_support: bool,
    /// Whether address usage is measured.
    pub usage_metrics: bool,
}

/// All attributes of a VPC, asked for at the same time.
///
/// # Errors
/// What EC2 answers.
pub async fn attributes(client: &AwsClient, id: &str) -> Result<Attributes, ApiError> {
    let (dns_hostnames, dns_support, usage_metrics) = try_join!(
        Box::pin(attribute(client, id, VpcAttributeName::EnableDnsHostnames)),
        Box::pin(attribute(client, id, VpcAttributeName::EnableDnsSupport)),
        Box::pin(attribute(client, id, VpcAttributeName::EnableNetworkAddressUsageMetrics)),
    )?;
    Ok(Attributes { dns_hostnames, dns_support, usage_metrics })
}

/// What EC2 makes with a VPC, as far as it may be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The network ACL of subnets that name none.
    pub network_acl: Option<String>,
    /// The group of interfaces that name none.
    pub security_group: Option<String>,
    /// The route table of subnets that name none.
    pub main_route_table: Option<String>,
}

/// What EC2 has made with VPCs, by VPC, in three listings for all of them.
///
/// # Errors
/// What EC2 answers; what may not be listed is left out.
pub async fn defaults(client: &AwsClient, vpcs: &[String]) -> Result<BTreeMap<String, Defaults>, ApiError> {
    let mut found: BTreeMap<String, Defaults> = BTreeMap::new();
    for some in vpcs.chunks(FILTER_VALUES - 1) {
        let of = |name: &str, value: &str| vec![filter("vpc-id", some), filter(name, [value])];
        let (tables, acls, groups) = tokio::join!(
            Box::pin(describe::route_tables(client, of("association.main", "true"))),
            Box::pin(describe::network_acls(client, of("default", "true"))),
            Box::pin(security_groups(client, of("group-name", "default"))),
        );
        for table in allowed(tables)? {
            let vpc = found.entry(table.vpc_id.unwrap_or_default()).or_default();
            vpc.main_route_table = table.route_table_id;
        }
        for acl in allowed(acls)? {
            found.entry(acl.vpc_id.unwrap_or_default()).or_default().network_acl = acl.network_acl_id;
        }
        for group in allowed(groups)? {
            found.entry(group.vpc_id.unwrap_or_default()).or_default().security_group = group.group_id;
        }
    }
    Ok(found)
}

/// Hardly anybody wants these ids: who may not ask gets the rest.
fn allowed<T>(listed: Result<Vec<T>, ApiError>) -> Result<Vec<T>, ApiError> {
    match listed {
        Err(error) if error.is_denied() => Ok(Vec::new()),
        other => other,
    }
}

/// The IPv6 block of a VPC, when it has one.
pub fn ipv6_block(vpc: &Vpc) -> Option<&VpcIpv6CidrBlockAssociation> {
    let state = |it: &&VpcIpv6CidrBlockAssociation| {
        it.ipv6_cidr_block_state().and_then(|s| s.state()) == Some(&VpcCidrBlockStateCode::Associated)
    };
    vpc.ipv6_cidr_block_association_set().iter().find(state)
}
