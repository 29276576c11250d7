//! VPCs, subnets, routes, gateways, network ACLs, prefix lists.

use ipnet::IpNet;
use sgp_model::symbol;

use super::{Builder, Item, View, groups::ports};
use crate::{
    sets::{Protocol, Traffic},
    topology::{
        Acl, AclEntry, Destination, Direction, Fact, Id, InternetGateway, NatGateway, Peering, PrefixList, Route,
        RouteTable, Subnet, Target, Vpc,
    },
};

/// `aws_vpc`.
pub(super) fn vpc(builder: &mut Builder, item: &Item<'_>) {
    let Some(id) = item.id() else { return };
    let first = item.view.block_of_addresses("cidr_block");
    let more = item.view.blocks("cidr_block_associations");
    let more = more.iter().filter_map(|it| it.block_of_addresses("cidr_block"));
    let mut blocks: Vec<IpNet> = first.into_iter().collect();
    for block in more.chain(item.view.block_of_addresses("ipv6_cidr_block")) {
        if !blocks.contains(&block) {
            blocks.push(block);
        }
    }
    let blocks = if blocks.is_empty() { Fact::Unknown } else { Fact::Known(blocks) };
    let main_route_table = item.view.id("main_route_table_id");
    if let (Fact::Known(first), Fact::Known(main)) = (item.view.id("default_route_table_id"), &main_route_table)
        && symbol::is_in(first.as_str())
    {
        builder.same_tables.insert(first, main.clone());
    }
    if let Fact::Known(acl) = item.view.id("default_network_acl_id") {
        builder.default_acls.insert(id.clone(), acl);
    }
    builder.topology.vpcs.insert(id, Vpc { blocks, main_route_table, is_complete: false });
}

/// `aws_subnet`.
pub(super) fn subnet(builder: &mut Builder, item: &Item<'_>) {
    let Some(id) = item.id() else { return };
    let v4 = item.view.block_of_addresses("cidr_block");
    let v6 = item.view.block_of_addresses("ipv6_cidr_block");
    let blocks: Vec<IpNet> = v4.into_iter().chain(v6).collect();
    let free = item.view.number("available_ip_address_count").and_then(|it| u64::try_from(it).ok());
    let subnet = Subnet {
        vpc: item.view.id("vpc_id"),
        zone: item.view.text("availability_zone").map(str::to_owned).into(),
        blocks: if blocks.is_empty() { Fact::Unknown } else { Fact::Known(blocks) },
        route_table: Fact::Unknown,
        acl: Fact::Unknown,
        free_addresses: free.into(),
        gives_public_addresses: item.view.flag("map_public_ip_on_launch"),
    };
    builder.topology.subnets.insert(id, subnet);
}

/// `aws_route_table`.
pub(super) fn route_table(builder: &mut Builder, item: &Item<'_>) {
    let Some(id) = item.id() else { return };
    let routes = item.view.blocks("route").iter().filter_map(route).collect();
    builder.topology.route_tables.insert(id.clone(), RouteTable { routes });
    if let Fact::Known(vpc) = item.view.id("vpc_id") {
        builder.table_vpcs.insert(id.clone(), vpc);
    }
    for association in item.view.blocks("associations") {
        if let Some(subnet) = association.text("subnet_id") {
            builder.tables.insert(Id::from(subnet), id.clone());
        }
        if association.flag("main") == Fact::Known(true)
            && let Fact::Known(vpc) = item.view.id("vpc_id")
        {
            builder.topology.vpcs.entry(vpc).or_default().main_route_table = Fact::Known(id.clone());
        }
    }
}

/// A route of a table.
fn route(view: &View<'_>) -> Option<Route> {
    let block = ["cidr_block", "ipv6_cidr_block"]
        .into_iter()
        .find_map(|name| view.block_of_addresses(name))
        .map(Destination::Block);
    let list = || view.text("destination_prefix_list_id").map(|id| Destination::PrefixList(Id::from(id)));
    Some(Route { destination: block.or_else(list)?, target: target(view) })
}

/// Where a route leads.
pub(super) fn target(view: &View<'_>) -> Target {
    let id = |name: &str| view.text(name).map(Id::from);
    if view.text("state") == Some("blackhole") {
        let names = [
            "gateway_id",
            "egress_only_gateway_id",
            "nat_gateway_id",
            "vpc_peering_connection_id",
            "network_interface_id",
        ];
        let gone = names.into_iter().find_map(|name| view.text(name)).unwrap_or("a target");
        return Target::Blackhole(gone.to_owned());
    }
    if let Some(gateway) = id("gateway_id") {
        return match gateway.as_str() {
            "local" => Target::Local,
            text if text.starts_with("vpce-") => Target::Endpoint(gateway),
            text if text.starts_with("vgw-") => Target::Other(gateway),
            _ => Target::Internet(gateway),
        };
    }
    if let Some(id) = id("egress_only_gateway_id") {
        return Target::EgressOnly(id);
    }
    if let Some(id) = id("nat_gateway_id") {
        return Target::Nat(id);
    }
    if let Some(id) = id("vpc_peering_connection_id") {
        return Target::Peering(id);
    }
    if let Some(id) = id("vpc_endpoint_id") {
        return Target::Endpoint(id);
    }
    let others =
        ["transit_gateway_id", "network_interface_id", "carrier_gateway_id", "local_gateway_id", "core_network_arn"];
    others
        .into_iter()
        .find_map(id)
        .map_or_else(|| Target::Blackhole("a target that is not known".to_owned()), Target::Other)
}

/// `aws_internet_gateway`.
pub(super) fn internet_gateway(builder: &mut Builder, item: &Item<'_>) {
    gateway(builder, item, false);
}

/// `aws_egress_only_internet_gateway`.
pub(super) fn egress_only_gateway(builder: &mut Builder, item: &Item<'_>) {
    gateway(builder, item, true);
}

fn gateway(builder: &mut Builder, item: &Item<'_>, is_egress_only: bool) {
    let Some(id) = item.id() else { return };
    let vpc = item.view.text("vpc_id").map(Id::from);
    builder.topology.internet_gateways.insert(id, InternetGateway { vpc, is_egress_only });
}

/// `aws_nat_gateway`.
pub(super) fn nat_gateway(builder: &mut Builder, item: &Item<'_>) {
    let (Some(id), Fact::Known(subnet)) = (item.id(), item.view.id("subnet_id")) else { return };
    let gateway = NatGateway {
        subnet,
        address: item.view.text("private_ip").and_then(|text| text.parse().ok()).into(),
        is_public: item.view.text("connectivity_type") != Some("private"),
        is_available: item.view.text("state").is_none_or(|state| state == "available"),
    };
    builder.topology.nat_gateways.insert(id, gateway);
}

/// `aws_vpc_peering_connection`.
pub(super) fn peering(builder: &mut Builder, item: &Item<'_>) {
    let ends = (item.view.id("vpc_id"), item.view.id("peer_vpc_id"));
    let (Some(id), (Fact::Known(one), Fact::Known(other))) = (item.id(), ends) else { return };
    let status = item.view.text("accept_status").or_else(|| item.view.text("status"));
    let is_active = status.map_or_else(|| item.view.flag("auto_accept") == Fact::Known(true), |it| it == "active");
    builder.topology.peerings.insert(id, Peering { ends: [one, other], is_active });
}

/// `aws_network_acl`.
pub(super) fn acl(builder: &mut Builder, item: &Item<'_>) {
    let Some(id) = item.id() else { return };
    let mut entries = Vec::new();
    for (name, direction) in [("ingress", Direction::Ingress), ("egress", Direction::Egress)] {
        entries.extend(item.view.blocks(name).iter().filter_map(|view| entry(view, direction, "rule_no", "action")));
    }
    entries.sort_by_key(|entry| entry.number);
    for subnet in item.view.known_ids("subnet_ids") {
        builder.acls.insert(subnet, id.clone());
    }
    builder.topology.acls.insert(id, Acl { entries });
}

/// An entry of a network ACL; blocks and objects name the number and the action each in their way.
pub(super) fn entry(view: &View<'_>, direction: Direction, number: &str, action: &str) -> Option<AclEntry> {
    let block = ["cidr_block", "ipv6_cidr_block"].into_iter().find_map(|name| view.block_of_addresses(name))?;
    let name = view.text("protocol").unwrap_or("-1");
    let traffic = match Protocol::named(name) {
        None => Traffic::all(),
        Some(protocol @ (Protocol::ICMP | Protocol::ICMPV6)) => {
            let part = |name| view.number(name).and_then(|it| u8::try_from(it).ok());
            Traffic::icmp(protocol, part("icmp_type"), part("icmp_code"))
        }
        Some(protocol) => match (view.number("from_port"), view.number("to_port")) {
            // A protocol by number with no ports is meant as a whole.
            (None | Some(0), None | Some(0)) => Traffic::protocol(protocol),
            (from, to) => ports(protocol, from.unwrap_or(0), to.unwrap_or(65_535)),
        },
    };
    Some(AclEntry {
        number: view.number(number).and_then(|it| u32::try_from(it).ok())?,
        direction,
        is_allow: view.text(action).is_some_and(|it| it.eq_ignore_ascii_case("allow")),
        block,
        traffic,
    })
}

/// `aws_ec2_managed_prefix_list`.
pub(super) fn prefix_list(builder: &mut Builder, item: &Item<'_>) {
    let Some(id) = item.id() else { return };
    let blocks = match item.view.elements("entry") {
        Fact::Known(entries) => {
            let blocks: Option<Vec<IpNet>> =
                entries.into_iter().map(|it| View(it).block_of_addresses("cidr")).collect();
            blocks.into()
        }
        Fact::Unknown => Fact::Unknown,
    };
    let list = PrefixList {
        name: item.view.text("name").unwrap_or_default().to_owned(),
        blocks,
        max_entries: item.view.number("max_entries").and_then(|it| u32::try_from(it).ok()),
    };
    builder.topology.prefix_lists.insert(id, list);
}

/// Subnets get the table and the ACL that count for them.
pub(super) fn finish(builder: &mut Builder) {
    let topology = &mut builder.topology;
    for (id, subnet) in &mut topology.subnets {
        let main = || {
            let vpc = subnet.vpc.known().and_then(|vpc| topology.vpcs.get(vpc));
            vpc.and_then(|vpc| vpc.main_route_table.known()).cloned()
        };
        subnet.route_table = builder.tables.get(id).cloned().or_else(main).into();
        let default = || {
            let acl = builder.default_acls.get(subnet.vpc.known()?)?;
            topology.acls.contains_key(acl).then(|| acl.clone())
        };
        subnet.acl = builder.acls.get(id).cloned().or_else(default).into();
    }
}
