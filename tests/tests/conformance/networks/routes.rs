//! Route tables, routes, associations.

use serde_json::Value;

use super::{applied, ec2, folder, open};
use crate::case::{Case, add, edit, id, text};

/// What routes lead to.
const TARGETS: &str = r#"
resource "aws_eip" "nat" {
  domain = "vpc"
}

resource "aws_nat_gateway" "open" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.open["1"].id
}

resource "aws_vpc" "peer" {
  cidr_block = "10.45.0.0/16"
}

resource "aws_vpc_peering_connection" "peer" {
  vpc_id      = aws_vpc.open.id
  peer_vpc_id = aws_vpc.peer.id
  auto_accept = true
}
"#;

pub fn route_table() -> Case {
    Case {
        name: "aws_route_table",
        around: open(TARGETS),
        body: "vpc_id = aws_vpc.open.id",
        updates: vec![
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
            add(
                "route.cidr_block route.gateway_id",
                "route {\n  cidr_block = \"0.0.0.0/0\"\n  gateway_id = aws_internet_gateway.open.id\n}",
            ),
            add(
                "route.cidr_block route.vpc_peering_connection_id",
                "route {\n  cidr_block                = \"10.45.0.0/16\"\n  vpc_peering_connection_id = aws_vpc_peering_connection.peer.id\n}",
            ),
            edit(
                "route.nat_gateway_id",
                "gateway_id = aws_internet_gateway.open.id",
                "nat_gateway_id = aws_nat_gateway.open.id",
            ),
            add(
                "route.ipv6_cidr_block",
                "route {\n  ipv6_cidr_block = \"2001:DB8::/32\"\n  gateway_id      = aws_internet_gateway.open.id\n}",
            ),
            add(
                "route.destination_prefix_list_id",
                "route {\n  destination_prefix_list_id = local.prefix_list\n  gateway_id = aws_internet_gateway.open.id\n}",
            )
            .beyond_emulators("moto makes no route to a prefix list"),
            edit(
                "route",
                "route {\n  ipv6_cidr_block = \"2001:DB8::/32\"\n  gateway_id      = aws_internet_gateway.open.id\n}",
                "",
            ),
            edit(
                "route",
                "route {\n  destination_prefix_list_id = local.prefix_list\n  gateway_id = aws_internet_gateway.open.id\n}",
                "",
            )
            .beyond_emulators("moto makes no route to a prefix list"),
            edit(
                "route",
                "route {\n  cidr_block = \"0.0.0.0/0\"\n  nat_gateway_id = aws_nat_gateway.open.id\n}",
                "route = []",
            )
            .and(
                "route {\n  cidr_block                = \"10.45.0.0/16\"\n  vpc_peering_connection_id = aws_vpc_peering_connection.peer.id\n}",
                "",
            ),
        ],
        replacements: vec![edit(
            "vpc_id",
            "vpc_id = aws_vpc.open.id",
            "vpc_id = aws_vpc.peer.id",
        )],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| ec2(world, "DeleteRouteTable", &[("RouteTableId", text(object, "id"))])),
        beside: OTHER_TARGETS,
    }
}

/// Targets that this world has none of; they differ from the others in nothing but the name of the parameter.
const OTHER_TARGETS: &[(&str, &str)] = &[
    ("route.carrier_gateway_id", "no Wavelength zones here"),
    ("route.core_network_arn", "no Cloud WAN here"),
    ("route.egress_only_gateway_id", "nothing here makes egress-only gateways"),
    ("route.local_gateway_id", "no Outposts here"),
    ("route.network_interface_id", "nothing here makes interfaces"),
    ("route.transit_gateway_id", "no transit gateways here"),
    ("route.vpc_endpoint_id", "no Gateway Load Balancers here"),
    ("carrier_gateway_id", "no Wavelength zones here"),
    ("core_network_arn", "no Cloud WAN here"),
    ("egress_only_gateway_id", "nothing here makes egress-only gateways"),
    ("local_gateway_id", "no Outposts here"),
    ("network_interface_id", "nothing here makes interfaces"),
    ("transit_gateway_id", "no transit gateways here"),
    ("vpc_endpoint_id", "no Gateway Load Balancers here"),
];

const TABLES: &str = r#"
resource "aws_route_table" "open" {
  for_each = toset(["one", "two"])
  vpc_id   = aws_vpc.open.id
}
"#;

pub fn route() -> Case {
    Case {
        name: "aws_route",
        around: open(Box::leak(format!("{TARGETS}{TABLES}").into_boxed_str())),
        body: r#"
route_table_id         = aws_route_table.open["one"].id
destination_cidr_block = "0.0.0.0/0"
gateway_id             = aws_internet_gateway.open.id
"#,
        updates: vec![
            edit(
                "nat_gateway_id",
                "gateway_id             = aws_internet_gateway.open.id",
                "nat_gateway_id = aws_nat_gateway.open.id",
            ),
            edit(
                "vpc_peering_connection_id",
                "nat_gateway_id = aws_nat_gateway.open.id",
                "vpc_peering_connection_id = aws_vpc_peering_connection.peer.id",
            ),
            edit(
                "gateway_id",
                "vpc_peering_connection_id = aws_vpc_peering_connection.peer.id",
                "gateway_id = aws_internet_gateway.open.id",
            ),
        ],
        replacements: vec![
            edit("destination_cidr_block", "0.0.0.0/0", "192.0.2.0/24"),
            edit("route_table_id", "open[\"one\"]", "open[\"two\"]"),
            edit(
                "destination_ipv6_cidr_block",
                r#"destination_cidr_block = "192.0.2.0/24""#,
                r#"destination_ipv6_cidr_block = "2001:DB8::/32""#,
            ),
            edit(
                "destination_prefix_list_id",
                r#"destination_ipv6_cidr_block = "2001:DB8::/32""#,
                "destination_prefix_list_id = local.prefix_list",
            )
            .beyond_emulators("moto makes no route to a prefix list"),
        ],
        import: Some(|object| {
            let names = ["destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id"];
            let destination = names.iter().find_map(|name| object[*name].as_str()).unwrap();
            format!("{}_{destination}", text(object, "route_table_id"))
        }),
        untold: &[],
        vanish: Some(|world, object| {
            let table = ("RouteTableId", text(object, "route_table_id"));
            let destination = ("DestinationCidrBlock", text(object, "destination_cidr_block"));
            ec2(world, "DeleteRoute", &[table, destination]);
        }),
        beside: OTHER_TARGETS,
    }
}

pub fn route_table_association() -> Case {
    Case {
        name: "aws_route_table_association",
        around: open(TABLES),
        body: r#"
route_table_id = aws_route_table.open["one"].id
subnet_id      = aws_subnet.open["1"].id
"#,
        updates: vec![edit("route_table_id", "table.open[\"one\"]", "table.open[\"two\"]")],
        replacements: vec![
            edit("subnet_id", "subnet.open[\"1\"]", "subnet.open[\"2\"]"),
            edit(
                "gateway_id",
                r#"subnet_id      = aws_subnet.open["2"].id"#,
                "gateway_id = aws_internet_gateway.open.id",
            ),
        ],
        import: Some(|object| {
            let end = object["subnet_id"].as_str().or_else(|| object["gateway_id"].as_str()).unwrap();
            format!("{end}/{}", text(object, "route_table_id"))
        }),
        untold: &[],
        vanish: Some(|world, object: &Value| {
            ec2(world, "DisassociateRouteTable", &[("AssociationId", text(object, "id"))]);
        }),
        beside: &[],
    }
}

/// A table has one manager of its routes, whether it exists or not.
#[test]
fn routes_are_inside_a_table_or_beside_it() {
    let both = r#"
resource "aws_vpc" "this" {
  cidr_block = "10.52.0.0/16"
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route_table" "this" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "192.0.2.0/24"
    gateway_id = aws_internet_gateway.this.id
  }
}

resource "aws_route" "this" {
  route_table_id         = aws_route_table.this.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}
"#;
    let Some((world, folder)) = folder(both) else { return };
    let refused = |when: &str| {
        let ran = folder.sgp(world, &["plan"]);
        assert_eq!(ran.code, Some(1), "{when}: {ran}");
        let said: String = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("Managed twice") && said.contains("aws_route.this"), "{when}: {ran}");
    };
    refused("before anything exists");
    let inside = both.find("  route {").unwrap()..both.find("  }\n}\n\nresource \"aws_route\" ").unwrap() + 4;
    let beside = format!("{}{}", &both[..inside.start], &both[inside.end..]);
    applied(world, &folder, &beside, "aws_route.this");
    folder.write("main.tf", both);
    refused("when both exist");
    folder.write("main.tf", &beside);
    folder.must(world, &["destroy", "-auto-approve"]);
}
