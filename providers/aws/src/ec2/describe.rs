//! Listings of network objects, all pages of them.

use aws_sdk_ec2::types::{
    Address, Filter, InternetGateway, ManagedPrefixList, NatGateway, NetworkAcl, PrefixListEntry, RouteTable, Vpc,
    VpcEndpoint, VpcPeeringConnection,
};

use crate::{
    client::AwsClient,
    errors::{ApiError, Call},
};

macro_rules! listings {
    ($($doc:literal $name:ident = $call:ident, $filters:ident, $page:literal, $action:literal: $item:ty;)*) => {
        $(
            #[doc = $doc]
            ///
            /// # Errors
            /// What EC2 answers.
            pub async fn $name(client: &AwsClient, filters: Vec<Filter>) -> Result<Vec<$item>, ApiError> {
                let call = client.ec2.$call().$filters(Some(filters)).max_results($page);
                call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.call($action)
            }
        )*
    };
}

listings! {
    "VPCs that match." vpcs = describe_vpcs, set_filters, 1000, "ec2:DescribeVpcs": Vpc;
    "Internet gateways that match." internet_gateways =
        describe_internet_gateways, set_filters, 1000, "ec2:DescribeInternetGateways": InternetGateway;
    "NAT gateways that match; one that was deleted is told for an hour." nat_gateways =
        describe_nat_gateways, set_filter, 1000, "ec2:DescribeNatGateways": NatGateway;
    "Network ACLs that match." network_acls =
        describe_network_acls, set_filters, 1000, "ec2:DescribeNetworkAcls": NetworkAcl;
    "Peering connections that match; one that has ended is told for hours." peerings =
        describe_vpc_peering_connections, set_filters, 1000, "ec2:DescribeVpcPeeringConnections": VpcPeeringConnection;
    "Managed prefix lists that match." prefix_lists =
        describe_managed_prefix_lists, set_filters, 100, "ec2:DescribeManagedPrefixLists": ManagedPrefixList;
    "Route tables that match." route_tables =
        describe_route_tables, set_filters, 100, "ec2:DescribeRouteTables": RouteTable;
    "VPC endpoints that match." vpc_endpoints =
        describe_vpc_endpoints, set_filters, 1000, "ec2:DescribeVpcEndpoints": VpcEndpoint;
}

/// Elastic IP addresses that match. EC2 answers them on one page.
///
/// # Errors
/// What EC2 answers.
pub async fn addresses(client: &AwsClient, filters: Vec<Filter>) -> Result<Vec<Address>, ApiError> {
    let answer = client.ec2.describe_addresses().set_filters(Some(filters)).send().await;
    Ok(answer.call("ec2:DescribeAddresses")?.addresses.unwrap_or_default())
}

/// The entries of a prefix list.
///
/// # Errors
/// What EC2 answers.
pub async fn prefix_list_entries(client: &AwsClient, id: &str) -> Result<Vec<PrefixListEntry>, ApiError> {
    let call = client.ec2.get_managed_prefix_list_entries().prefix_list_id(id).max_results(100);
    let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    pages.call("ec2:GetManagedPrefixListEntries")
}
