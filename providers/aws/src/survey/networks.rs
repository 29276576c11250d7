//! VPCs, subnets, route tables, gateways, peering, network ACLs, prefix lists.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    EgressOnlyInternetGateway, InternetGateway, ManagedPrefixList, NatGateway, NetworkAcl, NetworkAclEntry, Route,
    RouteTable, Subnet, Vpc, VpcPeeringConnection,
};
use futures::join;
use sgp_contract::{Area, Sighting};
use sgp_model::Value;

use super::{Found, objects, sighting, texts};
use crate::{
    client::AwsClient,
    ec2::{PAGE, filter, subnet},
    errors::{ApiError, Call},
    iam, values,
};

/// Adds the VPCs that those of an area are peered with, and the connections.
pub(super) async fn peers(client: &AwsClient, area: &mut Area, found: &mut Found) {
    if area.vpc_ids.is_empty() {
        return;
    }
    let mut all: BTreeSet<String> = area.vpc_ids.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    for side in ["requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id"] {
        let call = client.ec2.describe_vpc_peering_connections().filters(filter(side, &area.vpc_ids)).max_results(PAGE);
        let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let connections = match pages.call("ec2:DescribeVpcPeeringConnections") {
            Ok(connections) => connections,
            Err(error) => return found.fails(error),
        };
        for it in connections {
            let id = it.vpc_peering_connection_id().unwrap_or_default().to_owned();
            if seen.insert(id) {
                let ends = [it.requester_vpc_info(), it.accepter_vpc_info()];
                all.extend(ends.into_iter().flatten().filter_map(|end| end.vpc_id()).map(str::to_owned));
                found.sightings.push(peering(&it));
            }
        }
    }
    area.vpc_ids = all.into_iter().collect();
}

/// Looks at the networks of VPCs.
pub(super) async fn survey(client: &AwsClient, vpcs: &[String]) -> Found {
    let mut found = Found::default();
    let by_vpc = || filter("vpc-id", vpcs);
    let (networks, subnets, tables, acls) = join!(
        client
            .ec2
            .describe_vpcs()
            .filters(by_vpc())
            .max_results(PAGE)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
        subnet::subnets(client, vec![by_vpc()]),
        client
            .ec2
            .describe_route_tables()
            .filters(by_vpc())
            .max_results(100)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
        client
            .ec2
            .describe_network_acls()
            .filters(by_vpc())
            .max_results(PAGE)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
    );
    found.take(networks.call("ec2:DescribeVpcs"), vpc);
    found.take(subnets, subnet_of);
    found.take(tables.call("ec2:DescribeRouteTables"), route_table);
    found.take(acls.call("ec2:DescribeNetworkAcls"), acl);
    gateways(client, vpcs, &mut found).await;
    // Prefix lists that routes or rules name; rules are looked at elsewhere, so all of the account's and AWS's are read.
    let lists = client.ec2.describe_managed_prefix_lists().max_results(100).into_paginator().items().send();
    let lists = lists.collect::<Result<Vec<_>, _>>().await.call("ec2:DescribeManagedPrefixLists");
    match lists {
        Ok(lists) => prefix_lists(client, &lists, &mut found).await,
        Err(error) => found.fails(error),
    }
    found
}

async fn gateways(client: &AwsClient, vpcs: &[String], found: &mut Found) {
    let attached = || filter("attachment.vpc-id", vpcs);
    let (internet, egress, nat) = join!(
        client
            .ec2
            .describe_internet_gateways()
            .filters(attached())
            .max_results(PAGE)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
        client
            .ec2
            .describe_egress_only_internet_gateways()
            .max_results(255)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
        client
            .ec2
            .describe_nat_gateways()
            .filter(filter("vpc-id", vpcs))
            .max_results(PAGE)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
    );
    found.take(internet.call("ec2:DescribeInternetGateways"), internet_gateway);
    found.take(egress.call("ec2:DescribeEgressOnlyInternetGateways"), egress_only_gateway);
    found.take(nat.call("ec2:DescribeNatGateways"), nat_gateway);
}

async fn prefix_lists(client: &AwsClient, lists: &[ManagedPrefixList], found: &mut Found) {
    let read = iam::each(lists.to_vec(), |list: ManagedPrefixList| async move { prefix_list(client, &list).await });
    for list in read.await {
        match list {
            Ok(sighting) => found.sightings.push(sighting),
            Err(error) => found.fails(error),
        }
    }
}

async fn prefix_list(client: &AwsClient, list: &ManagedPrefixList) -> Result<Sighting, ApiError> {
    let call = client.ec2.get_managed_prefix_list_entries().set_prefix_list_id(list.prefix_list_id.clone());
    let entries = call.max_results(100).into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let entries = entries.call("ec2:GetManagedPrefixListEntries")?;
    let entries = entries.iter().map(|it| Value::object([("cidr", values::opt_str(it.cidr()))]));
    Ok(sighting(
        "aws_ec2_managed_prefix_list",
        [
            ("id", values::opt_str(list.prefix_list_id())),
            ("name", values::opt_str(list.prefix_list_name())),
            ("max_entries", values::opt_int(list.max_entries())),
            ("entry", objects(entries.collect())),
        ],
    ))
}

fn vpc(vpc: &Vpc) -> Sighting {
    let blocks = vpc.cidr_block_association_set().iter();
    let blocks = blocks.map(|it| Value::object([("cidr_block", values::opt_str(it.cidr_block()))]));
    let v6 = vpc.ipv6_cidr_block_association_set().iter().find_map(|it| it.ipv6_cidr_block());
    sighting(
        "aws_vpc",
        [
            ("id", values::opt_str(vpc.vpc_id())),
            ("cidr_block", values::opt_str(vpc.cidr_block())),
            ("cidr_block_associations", objects(blocks.collect())),
            ("ipv6_cidr_block", values::opt_str(v6)),
        ],
    )
}

fn subnet_of(subnet: &Subnet) -> Sighting {
    let v6 = subnet.ipv6_cidr_block_association_set().iter().find_map(|it| it.ipv6_cidr_block());
    sighting(
        "aws_subnet",
        [
            ("id", values::opt_str(subnet.subnet_id())),
            ("vpc_id", values::opt_str(subnet.vpc_id())),
            ("availability_zone", values::opt_str(subnet.availability_zone())),
            ("cidr_block", values::opt_str(subnet.cidr_block())),
            ("ipv6_cidr_block", values::opt_str(v6)),
            ("available_ip_address_count", values::opt_int(subnet.available_ip_address_count())),
            ("map_public_ip_on_launch", values::opt_bool(subnet.map_public_ip_on_launch())),
        ],
    )
}

fn route_table(table: &RouteTable) -> Sighting {
    let associations = table.associations().iter().map(|it| {
        Value::object([("subnet_id", values::opt_str(it.subnet_id())), ("main", values::opt_bool(it.main()))])
    });
    sighting(
        "aws_route_table",
        [
            ("id", values::opt_str(table.route_table_id())),
            ("vpc_id", values::opt_str(table.vpc_id())),
            ("route", objects(table.routes().iter().map(route).collect())),
            ("associations", objects(associations.collect())),
        ],
    )
}

fn route(route: &Route) -> Value {
    Value::object([
        ("cidr_block", values::opt_str(route.destination_cidr_block())),
        ("ipv6_cidr_block", values::opt_str(route.destination_ipv6_cidr_block())),
        ("destination_prefix_list_id", values::opt_str(route.destination_prefix_list_id())),
        ("gateway_id", values::opt_str(route.gateway_id())),
        ("egress_only_gateway_id", values::opt_str(route.egress_only_internet_gateway_id())),
        ("nat_gateway_id", values::opt_str(route.nat_gateway_id())),
        ("vpc_peering_connection_id", values::opt_str(route.vpc_peering_connection_id())),
        ("transit_gateway_id", values::opt_str(route.transit_gateway_id())),
        ("network_interface_id", values::opt_str(route.network_interface_id())),
        ("local_gateway_id", values::opt_str(route.local_gateway_id())),
        ("carrier_gateway_id", values::opt_str(route.carrier_gateway_id())),
        ("state", values::word(route.state())),
    ])
}

fn acl(acl: &NetworkAcl) -> Sighting {
    let entries = |is_egress: bool| {
        let fits = |it: &&NetworkAclEntry| it.egress().unwrap_or(false) == is_egress;
        objects(acl.entries().iter().filter(fits).map(acl_entry).collect())
    };
    sighting(
        "aws_network_acl",
        [
            ("id", values::opt_str(acl.network_acl_id())),
            ("subnet_ids", texts(acl.associations().iter().filter_map(|it| it.subnet_id()))),
            ("ingress", entries(false)),
            ("egress", entries(true)),
        ],
    )
}

fn acl_entry(entry: &NetworkAclEntry) -> Value {
    let (ports, icmp) = (entry.port_range(), entry.icmp_type_code());
    Value::object([
        ("rule_no", values::opt_int(entry.rule_number())),
        ("action", values::word(entry.rule_action())),
        ("protocol", values::opt_str(entry.protocol())),
        ("cidr_block", values::opt_str(entry.cidr_block())),
        ("ipv6_cidr_block", values::opt_str(entry.ipv6_cidr_block())),
        ("from_port", values::opt_int(ports.and_then(|it| it.from()))),
        ("to_port", values::opt_int(ports.and_then(|it| it.to()))),
        ("icmp_type", values::opt_int(icmp.and_then(|it| it.r#type()))),
        ("icmp_code", values::opt_int(icmp.and_then(|it| it.code()))),
    ])
}

fn internet_gateway(gateway: &InternetGateway) -> Sighting {
    let vpc = gateway.attachments().iter().find_map(|it| it.vpc_id());
    sighting(
        "aws_internet_gateway",
        [("id", values::opt_str(gateway.internet_gateway_id())), ("vpc_id", values::opt_str(vpc))],
    )
}

fn egress_only_gateway(gateway: &EgressOnlyInternetGateway) -> Sighting {
    let vpc = gateway.attachments().iter().find_map(|it| it.vpc_id());
    sighting(
        "aws_egress_only_internet_gateway",
        [("id", values::opt_str(gateway.egress_only_internet_gateway_id())), ("vpc_id", values::opt_str(vpc))],
    )
}

fn nat_gateway(gateway: &NatGateway) -> Sighting {
    let address = gateway.nat_gateway_addresses().first().and_then(|it| it.private_ip());
    sighting(
        "aws_nat_gateway",
        [
            ("id", values::opt_str(gateway.nat_gateway_id())),
            ("subnet_id", values::opt_str(gateway.subnet_id())),
            ("private_ip", values::opt_str(address)),
            ("connectivity_type", values::word(gateway.connectivity_type())),
            ("state", values::word(gateway.state())),
        ],
    )
}

fn peering(connection: &VpcPeeringConnection) -> Sighting {
    let vpc =
        |end: Option<&aws_sdk_ec2::types::VpcPeeringConnectionVpcInfo>| values::opt_str(end.and_then(|it| it.vpc_id()));
    sighting(
        "aws_vpc_peering_connection",
        [
            ("id", values::opt_str(connection.vpc_peering_connection_id())),
            ("vpc_id", vpc(connection.requester_vpc_info())),
            ("peer_vpc_id", vpc(connection.accepter_vpc_info())),
            ("accept_status", values::word(connection.status().and_then(|it| it.code()))),
        ],
    )
}
