//! Routes and entries that are objects of their own, what endpoints add, and what EC2 makes without being asked.
//!
//! A table of a configuration or a state tells the routes that people made; those for the VPC's own blocks are always there.

use std::collections::{BTreeMap, BTreeSet};

use sgp_model::symbol;

use super::{Builder, Item, Object, network};
use crate::{
    sets::Traffic,
    topology::{Acl, AclEntry, Destination, Direction, Fact, Id, Route, RouteTable, Target, Topology},
};

/// Parts that are gone, and may still be told by a table or an ACL that was read before.
pub(super) fn gone(builder: &mut Builder, object: &Object) {
    let item = Item::of(object);
    match object.kind.as_str() {
        "aws_route" => {
            if let (Fact::Known(table), Some(destination)) = (item.view.id("route_table_id"), destination(&item)) {
                builder.gone_routes.push((table, destination));
            }
        }
        "aws_network_acl_rule" => {
            if let (Fact::Known(acl), Some((direction, number))) = (item.view.id("network_acl_id"), place(&item)) {
                builder.gone_entries.push((acl, direction, number));
            }
        }
        _ => {}
    }
}

/// `aws_route`.
pub(super) fn route(builder: &mut Builder, item: &Item<'_>) {
    let (Fact::Known(table), Some(destination)) = (item.view.id("route_table_id"), destination(item)) else { return };
    let route = Route { destination, target: network::target(&item.view) };
    builder.routes.entry(table).or_default().push(route);
}

fn destination(item: &Item<'_>) -> Option<Destination> {
    let block = ["destination_cidr_block", "destination_ipv6_cidr_block"];
    let block = block.into_iter().find_map(|name| item.view.block_of_addresses(name)).map(Destination::Block);
    let list = || item.view.text("destination_prefix_list_id").map(|id| Destination::PrefixList(Id::from(id)));
    block.or_else(list)
}

/// `aws_route_table_association`.
pub(super) fn association(builder: &mut Builder, item: &Item<'_>) {
    if let (Fact::Known(subnet), Fact::Known(table)) = (item.view.id("subnet_id"), item.view.id("route_table_id")) {
        builder.tables.insert(subnet, table);
    }
}

/// `aws_vpc_endpoint`: a gateway is a route to its service in each of its tables.
pub(super) fn endpoint(builder: &mut Builder, item: &Item<'_>) {
    let (Some(id), Fact::Known(list)) = (item.id(), item.view.id("prefix_list_id")) else { return };
    for table in item.view.known_ids("route_table_ids") {
        let route = Route { destination: Destination::PrefixList(list.clone()), target: Target::Endpoint(id.clone()) };
        builder.routes.entry(table).or_default().push(route);
    }
}

/// `aws_network_acl_rule`.
pub(super) fn acl_rule(builder: &mut Builder, item: &Item<'_>) {
    let (Fact::Known(acl), Some((direction, _))) = (item.view.id("network_acl_id"), place(item)) else { return };
    let entry = network::entry(&item.view, direction, "rule_number", "rule_action");
    builder.entries.entry(acl).or_default().extend(entry);
}

/// The side and the number of an entry.
fn place(item: &Item<'_>) -> Option<(Direction, u32)> {
    let direction = match item.view.flag("egress") {
        Fact::Known(true) => Direction::Egress,
        _ => Direction::Ingress,
    };
    Some((direction, u32::try_from(item.view.number("rule_number")?).ok()?))
}

/// `aws_vpc_peering_connection_accepter`.
pub(super) fn accepter(builder: &mut Builder, item: &Item<'_>) {
    let Fact::Known(id) = item.view.id("vpc_peering_connection_id") else { return };
    let accepts =
        item.view.flag("auto_accept") == Fact::Known(true) || item.view.text("accept_status") == Some("active");
    if accepts && let Some(peering) = builder.topology.peerings.get_mut(&id) {
        peering.is_active = true;
    }
}

/// Tables and ACLs get the parts that are objects of their own, and what EC2 makes by itself.
pub(super) fn finish(builder: &mut Builder) {
    made_by_ec2(builder);
    for table in builder.tables.values_mut() {
        *table = named(&builder.same_tables, table);
    }
    for (table, destination) in std::mem::take(&mut builder.gone_routes) {
        if let Some(table) = builder.topology.route_tables.get_mut(&table) {
            table.routes.retain(|route| route.destination != destination);
        }
    }
    // What nobody told of a table that is somebody else's stays unknown: one of its routes does not make the others known.
    for (table, routes) in std::mem::take(&mut builder.routes) {
        let table = named(&builder.same_tables, &table);
        if let Some(table) = builder.topology.route_tables.get_mut(&table) {
            table.routes.retain(|old| !routes.iter().any(|new| new.destination == old.destination));
            table.routes.extend(routes);
        }
    }
    for (acl, direction, number) in std::mem::take(&mut builder.gone_entries) {
        if let Some(acl) = builder.topology.acls.get_mut(&acl) {
            acl.entries.retain(|entry| (entry.direction, entry.number) != (direction, number));
        }
    }
    for (acl, entries) in std::mem::take(&mut builder.entries) {
        if let Some(acl) = builder.topology.acls.get_mut(&acl) {
            let is_new =
                |old: &AclEntry| entries.iter().any(|it| (it.direction, it.number) == (old.direction, old.number));
            acl.entries.retain(|old| !is_new(old));
            acl.entries.extend(entries);
            acl.entries.sort_by_key(|entry| entry.number);
        }
    }
    own_routes(builder);
}

/// The name that a table goes by: of a new VPC the default table and the main one are the same.
fn named(same: &BTreeMap<Id, Id>, table: &Id) -> Id {
    same.get(table).unwrap_or(table).clone()
}

/// The main table and the default ACL of a VPC that does not exist yet: they will be as EC2 makes them.
fn made_by_ec2(builder: &mut Builder) {
    let Builder { topology, table_vpcs, .. } = builder;
    for (id, vpc) in &topology.vpcs {
        if let Fact::Known(main) = &vpc.main_route_table
            && symbol::is_in(main.as_str())
        {
            topology.route_tables.entry(main.clone()).or_insert_with(RouteTable::default);
            table_vpcs.entry(main.clone()).or_insert_with(|| id.clone());
        }
    }
    for acl in builder.default_acls.values().filter(|acl| symbol::is_in(acl.as_str())) {
        builder.topology.acls.entry(acl.clone()).or_insert_with(open_acl);
    }
}

/// Lets everything pass (Amazon VPC User Guide, "Default network ACL").
fn open_acl() -> Acl {
    let blocks = ["0.0.0.0/0", "::/0"].map(|text| text.parse().expect("it is a block"));
    let sides = [Direction::Ingress, Direction::Egress];
    let entry = |direction, block| AclEntry { number: 100, direction, is_allow: true, block, traffic: Traffic::all() };
    Acl { entries: sides.into_iter().flat_map(|side| blocks.map(|block| entry(side, block))).collect() }
}

/// Every table has a route for each block of its VPC. Where nobody told the blocks, nobody told the table.
fn own_routes(builder: &mut Builder) {
    let Topology { vpcs, route_tables, .. } = &mut builder.topology;
    let mut open = BTreeSet::new();
    for (id, table) in route_tables.iter_mut() {
        if table.routes.iter().any(|route| route.target == Target::Local) {
            continue;
        }
        let blocks = builder.table_vpcs.get(id).and_then(|vpc| vpcs.get(vpc)?.blocks.known());
        let Some(blocks) = blocks else {
            open.insert(id.clone());
            continue;
        };
        for block in blocks {
            let destination = Destination::Block(*block);
            if !table.routes.iter().any(|route| route.destination == destination) {
                table.routes.push(Route { destination, target: Target::Local });
            }
        }
    }
    route_tables.retain(|id, _| !open.contains(id));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value as Json, json};
    use sgp_model::{json::from_serde, symbol::symbol};

    use super::*;
    use crate::build::{Sources, build};

    fn objects(all: &[(&str, Json)]) -> Vec<Object> {
        let object = |(kind, attributes): &(&str, Json)| Object {
            kind: (*kind).to_owned(),
            addr: None,
            attributes: from_serde(attributes),
        };
        all.iter().map(object).collect()
    }

    fn topology(all: &[(&str, Json)], gone: &[(&str, Json)]) -> Topology {
        build(&Sources { objects: objects(all), gone: objects(gone), ..Sources::default() })
    }

    fn told(topology: &Topology, table: &str) -> Vec<String> {
        let table = &topology.route_tables[&Id::from(table)];
        let mut routes: Vec<String> =
            table.routes.iter().map(|route| format!("{} {}", route.destination, route.target)).collect();
        routes.sort();
        routes
    }

    /// A VPC, a table that still tells an old route, and two subnets of which one has the table.
    fn account() -> Vec<(&'static str, Json)> {
        let old = json!([{ "cidr_block": "0.0.0.0/0", "gateway_id": "igw-old" }]);
        vec![
            ("aws_vpc", json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16" })),
            ("aws_route_table", json!({ "id": "rtb-1", "vpc_id": "vpc-1", "route": old })),
            ("aws_route_table_association", json!({ "subnet_id": "subnet-1", "route_table_id": "rtb-1" })),
            ("aws_subnet", json!({ "id": "subnet-1", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24" })),
            ("aws_subnet", json!({ "id": "subnet-2", "vpc_id": "vpc-1", "cidr_block": "10.0.2.0/24" })),
        ]
    }

    #[test]
    fn routes_of_their_own_count_and_a_vpcs_own_are_always_there() {
        let mut all = account();
        all.extend([
            (
                "aws_route",
                json!({ "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1" }),
            ),
            (
                "aws_route",
                json!({ "route_table_id": "rtb-1", "destination_cidr_block": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1" }),
            ),
            (
                "aws_vpc_endpoint",
                json!({ "id": "vpce-1", "prefix_list_id": "pl-1", "route_table_ids": ["rtb-1", "rtb-unknown"] }),
            ),
            // One route of a table that nobody told does not make the others known.
            (
                "aws_route",
                json!({ "route_table_id": "rtb-2", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1" }),
            ),
        ]);
        let topology = topology(&all, &[]);
        assert_eq!(
            told(&topology, "rtb-1"),
            ["0.0.0.0/0 nat-1", "10.0.0.0/16 local", "10.9.0.0/16 pcx-1", "pl-1 vpce-1"]
        );
        assert!(!topology.route_tables.contains_key(&Id::from("rtb-2")));
        assert_eq!(topology.subnets[&Id::from("subnet-1")].route_table, Fact::Known(Id::from("rtb-1")));
        assert_eq!(topology.subnets[&Id::from("subnet-2")].route_table, Fact::Unknown);
    }

    #[test]
    fn a_route_that_is_gone_is_not_told_by_its_table() {
        let gone = json!({ "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-old" });
        assert_eq!(told(&topology(&account(), &[("aws_route", gone)]), "rtb-1"), ["10.0.0.0/16 local"]);
    }

    #[test]
    fn a_table_of_a_vpc_that_nobody_told_is_not_known() {
        let table = ("aws_route_table", json!({ "id": "rtb-1", "vpc_id": "vpc-unknown", "route": [] }));
        assert!(topology(&[table], &[]).route_tables.is_empty());
    }

    #[test]
    fn a_new_vpc_is_as_ec2_makes_it() {
        let of = |name: &str| symbol(&format!("aws_vpc.a.{name}"));
        let vpc = json!({ "id": of("id"), "cidr_block": "10.0.0.0/16", "main_route_table_id": of("main_route_table_id"),
            "default_route_table_id": of("default_route_table_id"), "default_network_acl_id": of("default_network_acl_id") });
        let topology = topology(
            &[
                ("aws_vpc", vpc),
                ("aws_subnet", json!({ "id": "subnet-1", "vpc_id": of("id"), "cidr_block": "10.0.1.0/24" })),
                (
                    "aws_route",
                    json!({ "route_table_id": of("default_route_table_id"), "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1" }),
                ),
            ],
            &[],
        );
        let subnet = &topology.subnets[&Id::from("subnet-1")];
        assert_eq!(subnet.route_table, Fact::Known(Id::from(of("main_route_table_id").as_str())));
        assert_eq!(told(&topology, &of("main_route_table_id")), ["0.0.0.0/0 igw-1", "10.0.0.0/16 local"]);
        let acl = &topology.acls[subnet.acl.known().unwrap()];
        assert!(acl.entries.len() == 4 && acl.entries.iter().all(|entry| entry.is_allow));
    }

    #[test]
    fn entries_of_their_own_take_their_place() {
        let entry = |number: u32, action: &str| json!({ "rule_no": number, "action": action, "protocol": "-1", "cidr_block": "0.0.0.0/0" });
        let rule = |number: u32, action: &str, egress: bool| {
            (
                "aws_network_acl_rule",
                json!({ "network_acl_id": "acl-1", "rule_number": number, "rule_action": action, "protocol": "-1",
                "cidr_block": "0.0.0.0/0", "egress": egress }),
            )
        };
        let acl = (
            "aws_network_acl",
            json!({ "id": "acl-1", "ingress": [entry(100, "allow"), entry(200, "allow")], "egress": [] }),
        );
        let topology = topology(
            &[acl, rule(100, "deny", false), rule(50, "allow", false), rule(100, "allow", true)],
            &[rule(200, "allow", false)],
        );
        let entries = &topology.acls[&Id::from("acl-1")].entries;
        let told: Vec<_> =
            entries.iter().map(|it| (it.number, it.direction == Direction::Egress, it.is_allow)).collect();
        assert_eq!(told, [(50, false, true), (100, false, false), (100, true, true)]);
    }

    #[test]
    fn a_connection_that_the_other_side_accepts_works() {
        let connection =
            ("aws_vpc_peering_connection", json!({ "id": "pcx-1", "vpc_id": "vpc-1", "peer_vpc_id": "vpc-2" }));
        let accepter = (
            "aws_vpc_peering_connection_accepter",
            json!({ "vpc_peering_connection_id": "pcx-1", "auto_accept": true }),
        );
        assert!(!topology(std::slice::from_ref(&connection), &[]).peerings[&Id::from("pcx-1")].is_active);
        assert!(topology(&[connection, accepter], &[]).peerings[&Id::from("pcx-1")].is_active);
    }
}
