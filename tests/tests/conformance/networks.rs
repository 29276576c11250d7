//! Networks: VPCs and what is in them. Each case has VPCs of its own, since all share one world.

use serde_json::Value;
use sgp_tests::{
    workdir::Workdir,
    world::{Backing, World},
};

use crate::case::{Case, add, edit, id, text};

fn ec2(world: &World, action: &str, params: &[(&str, &str)]) {
    world.aws("ec2", action, params).unwrap();
}

pub fn vpc() -> Case {
    Case {
        name: "aws_vpc",
        around: "",
        body: r#"cidr_block = "10.40.0.0/16""#,
        updates: vec![
            add("enable_dns_hostnames", "enable_dns_hostnames = true"),
            edit("enable_dns_hostnames", "enable_dns_hostnames = true", "enable_dns_hostnames = false"),
            add("enable_dns_support", "enable_dns_support = false"),
            add("enable_network_address_usage_metrics", "enable_network_address_usage_metrics = true"),
            add("assign_generated_ipv6_cidr_block", "assign_generated_ipv6_cidr_block = true"),
            edit("assign_generated_ipv6_cidr_block", "assign_generated_ipv6_cidr_block = true", ""),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"a = "2", b = "3""#),
            edit("tags", r#"a = "2", "#, ""),
        ],
        replacements: vec![
            edit("cidr_block", "10.40.0.0/16", "10.41.0.0/16"),
            add("instance_tenancy", r#"instance_tenancy = "dedicated""#),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| ec2(world, "DeleteVpc", &[("VpcId", text(object, "id"))])),
        beside: &[],
    }
}

pub fn subnet() -> Case {
    Case {
        name: "aws_subnet",
        around: r#"
resource "aws_vpc" "one" {
  cidr_block                       = "10.42.0.0/16"
  assign_generated_ipv6_cidr_block = true
}

resource "aws_vpc" "two" {
  cidr_block                       = "10.42.0.0/16"
  assign_generated_ipv6_cidr_block = true
}
"#,
        body: r#"
vpc_id     = aws_vpc.one.id
cidr_block = "10.42.1.0/24"
"#,
        updates: vec![
            add("map_public_ip_on_launch", "map_public_ip_on_launch = true"),
            edit("map_public_ip_on_launch", "map_public_ip_on_launch = true", ""),
            add("ipv6_cidr_block", "ipv6_cidr_block = cidrsubnet(aws_vpc.one.ipv6_cidr_block, 8, 1)"),
            add("assign_ipv6_address_on_creation", "assign_ipv6_address_on_creation = true"),
            add("enable_dns64", "enable_dns64 = true"),
            add(
                "enable_resource_name_dns_aaaa_record_on_launch",
                "enable_resource_name_dns_aaaa_record_on_launch = true",
            ),
            edit("ipv6_cidr_block", ", 8, 1)", ", 8, 2)"),
            edit(
                "ipv6_cidr_block assign_ipv6_address_on_creation enable_dns64 enable_resource_name_dns_aaaa_record_on_launch",
                "ipv6_cidr_block = cidrsubnet(aws_vpc.one.ipv6_cidr_block, 8, 2)\nassign_ipv6_address_on_creation = true\nenable_dns64 = true\nenable_resource_name_dns_aaaa_record_on_launch = true",
                "",
            ),
            add("enable_resource_name_dns_a_record_on_launch", "enable_resource_name_dns_a_record_on_launch = true"),
            add("private_dns_hostname_type_on_launch", r#"private_dns_hostname_type_on_launch = "resource-name""#),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
        ],
        replacements: vec![
            edit("cidr_block", "10.42.1.0/24", "10.42.2.0/24"),
            edit("vpc_id", "aws_vpc.one.id", "aws_vpc.two.id"),
            add("availability_zone", r#"availability_zone = "us-east-1b""#),
            edit("availability_zone_id", r#"availability_zone = "us-east-1b""#, r#"availability_zone_id = "use1-az3""#),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| ec2(world, "DeleteSubnet", &[("SubnetId", text(object, "id"))])),
        beside: &[("ipv6_native", "neither world has subnets without IPv4")],
    }
}

pub fn internet_gateway() -> Case {
    Case {
        name: "aws_internet_gateway",
        around: r#"
resource "aws_vpc" "gateway" {
  for_each   = toset(["one", "two"])
  cidr_block = "10.43.0.0/16"
}
"#,
        body: r#"vpc_id = aws_vpc.gateway["one"].id"#,
        updates: vec![
            edit("vpc_id", "\"one\"", "\"two\""),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
        ],
        replacements: vec![],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let gateway = ("InternetGatewayId", text(object, "id"));
            ec2(world, "DetachInternetGateway", &[gateway, ("VpcId", text(object, "vpc_id"))]);
            ec2(world, "DeleteInternetGateway", &[gateway]);
        }),
        beside: &[],
    }
}

/// A VPC with a way out, and two subnets.
const OPEN: &str = r#"
resource "aws_vpc" "open" {
  cidr_block           = "10.44.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_internet_gateway" "open" {
  vpc_id = aws_vpc.open.id
}

resource "aws_subnet" "open" {
  for_each   = toset(["1", "2"])
  vpc_id     = aws_vpc.open.id
  cidr_block = "10.44.${each.key}.0/24"
}
"#;

fn open(more: &str) -> &'static str {
    Box::leak(format!("{OPEN}{more}").into_boxed_str())
}

pub fn eip() -> Case {
    Case {
        name: "aws_eip",
        around: "",
        body: r#"domain = "vpc""#,
        updates: vec![add("tags", r#"tags = { a = "1" }"#), edit("tags", r#"a = "1""#, r#"b = "2""#)],
        replacements: vec![],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| ec2(world, "ReleaseAddress", &[("AllocationId", text(object, "id"))])),
        beside: &[
            ("domain", "there is one domain"),
            ("network_border_group", "there is one group in a region without local zones"),
            ("public_ipv4_pool", "this account has no pools of its own"),
            ("instance", "nothing here makes instances; `an_address_goes_to_an_interface` moves one"),
            ("network_interface", "nothing here makes interfaces; `an_address_goes_to_an_interface` moves one"),
            ("associate_with_private_ip", "the same"),
        ],
    }
}

pub fn nat_gateway() -> Case {
    Case {
        name: "aws_nat_gateway",
        around: open(
            r#"
resource "aws_eip" "nat" {
  for_each = toset(["one", "two"])
  domain   = "vpc"
}
"#,
        ),
        body: r#"
allocation_id = aws_eip.nat["one"].id
subnet_id     = aws_subnet.open["1"].id
"#,
        updates: vec![add("tags", r#"tags = { a = "1" }"#), edit("tags", r#"a = "1""#, r#"b = "2""#)],
        replacements: vec![
            edit("allocation_id", "nat[\"one\"]", "nat[\"two\"]"),
            edit("subnet_id", "open[\"1\"]", "open[\"2\"]"),
            edit(
                "connectivity_type allocation_id",
                r#"allocation_id = aws_eip.nat["two"].id"#,
                r#"connectivity_type = "private""#,
            ),
            add("private_ip", r#"private_ip = "10.44.2.40""#).beyond_emulators("moto chooses the address itself"),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let gateway = text(object, "id");
            ec2(world, "DeleteNatGateway", &[("NatGatewayId", gateway)]);
        }),
        beside: &[],
    }
}

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

/// Two VPCs that can be peered.
const PEERS: &str = r#"
resource "aws_vpc" "near" {
  cidr_block           = "10.46.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_vpc" "far" {
  for_each             = { one = "10.47.0.0/16", two = "10.48.0.0/16" }
  cidr_block           = each.value
  enable_dns_hostnames = true
}
"#;

const PEERED: &str = r#"
resource "aws_vpc_peering_connection" "far" {
  for_each    = aws_vpc.far
  vpc_id      = aws_vpc.near.id
  peer_vpc_id = each.value.id
  auto_accept = ACCEPTED
}
"#;

fn peered(accepted: &str) -> &'static str {
    Box::leak(format!("{PEERS}{}", PEERED.replace("ACCEPTED", accepted)).into_boxed_str())
}

pub fn peering_connection() -> Case {
    Case {
        name: "aws_vpc_peering_connection",
        around: PEERS,
        body: r#"
vpc_id      = aws_vpc.near.id
peer_vpc_id = aws_vpc.far["one"].id
"#,
        updates: vec![
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
            add("auto_accept", "auto_accept = true"),
            add("accepter.allow_remote_vpc_dns_resolution", "accepter {\n  allow_remote_vpc_dns_resolution = true\n}"),
            add(
                "requester.allow_remote_vpc_dns_resolution",
                "requester {\n  allow_remote_vpc_dns_resolution = true\n}",
            ),
            edit(
                "requester.allow_remote_vpc_dns_resolution",
                "requester {\n  allow_remote_vpc_dns_resolution = true",
                "requester {\n  allow_remote_vpc_dns_resolution = false",
            ),
        ],
        replacements: vec![
            edit("peer_vpc_id", "far[\"one\"]", "far[\"two\"]"),
            edit("vpc_id", "aws_vpc.near.id", "aws_vpc.far[\"one\"].id"),
        ],
        import: Some(id),
        untold: &["auto_accept"],
        vanish: Some(|world, object| {
            ec2(world, "DeleteVpcPeeringConnection", &[("VpcPeeringConnectionId", text(object, "id"))]);
        }),
        beside: &[("peer_owner_id", "this world has one account"), ("peer_region", "this world has one region")],
    }
}

pub fn peering_connection_accepter() -> Case {
    Case {
        name: "aws_vpc_peering_connection_accepter",
        around: peered("false"),
        body: r#"vpc_peering_connection_id = aws_vpc_peering_connection.far["one"].id"#,
        updates: vec![
            add("auto_accept", "auto_accept = true"),
            add("accepter.allow_remote_vpc_dns_resolution", "accepter {\n  allow_remote_vpc_dns_resolution = true\n}"),
            add(
                "requester.allow_remote_vpc_dns_resolution",
                "requester {\n  allow_remote_vpc_dns_resolution = true\n}",
            ),
        ],
        replacements: vec![edit("vpc_peering_connection_id", "far[\"one\"]", "far[\"two\"]")],
        // The connection outlives it, so there is nothing to be gone.
        import: None,
        untold: &[],
        vanish: None,
        beside: &[(
            "tags",
            "the connection has its tags from the resource that made it; one object has one manager of them here",
        )],
    }
}

pub fn peering_connection_options() -> Case {
    Case {
        name: "aws_vpc_peering_connection_options",
        around: peered("true"),
        body: r#"vpc_peering_connection_id = aws_vpc_peering_connection.far["one"].id"#,
        updates: vec![
            add("accepter.allow_remote_vpc_dns_resolution", "accepter {\n  allow_remote_vpc_dns_resolution = true\n}"),
            add(
                "requester.allow_remote_vpc_dns_resolution",
                "requester {\n  allow_remote_vpc_dns_resolution = true\n}",
            ),
            edit(
                "requester.allow_remote_vpc_dns_resolution",
                "requester {\n  allow_remote_vpc_dns_resolution = true",
                "requester {\n  allow_remote_vpc_dns_resolution = false",
            ),
        ],
        replacements: vec![edit("vpc_peering_connection_id", "far[\"one\"]", "far[\"two\"]")],
        import: None,
        untold: &[],
        vanish: None,
        beside: &[],
    }
}

pub fn network_acl() -> Case {
    let entry = "ingress {\n  rule_no    = 100\n  action     = \"allow\"\n  protocol   = \"tcp\"\n  cidr_block = \"10.0.0.0/8\"\n  from_port  = 443\n  to_port    = 443\n}";
    Case {
        name: "aws_network_acl",
        around: open("resource \"aws_vpc\" \"other\" {\n  cidr_block = \"10.49.0.0/16\"\n}\n"),
        body: "vpc_id = aws_vpc.open.id",
        updates: vec![
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
            add(
                "ingress.rule_no ingress.action ingress.protocol ingress.cidr_block ingress.from_port ingress.to_port",
                entry,
            ),
            edit("ingress.from_port", "from_port  = 443", "from_port  = 80"),
            edit("ingress.to_port", "to_port    = 443", "to_port    = 8080"),
            edit("ingress.action", "\"allow\"", "\"deny\""),
            edit("ingress.protocol", "\"tcp\"", "\"udp\""),
            edit("ingress.cidr_block", "10.0.0.0/8", "192.168.0.0/16"),
            edit("ingress.rule_no", "rule_no    = 100", "rule_no    = 200"),
            edit("ingress.ipv6_cidr_block", "cidr_block = \"192.168.0.0/16\"", "ipv6_cidr_block = \"2001:DB8::/32\""),
            edit(
                "ingress.icmp_type ingress.icmp_code",
                "protocol   = \"udp\"\n  ipv6_cidr_block = \"2001:DB8::/32\"\n  from_port  = 80\n  to_port    = 8080",
                "protocol   = \"icmp\"\n  cidr_block = \"10.0.0.0/8\"\n  from_port  = 0\n  to_port    = 0\n  icmp_type  = 8\n  icmp_code  = -1",
            ),
            add(
                "egress.rule_no egress.action egress.protocol egress.cidr_block egress.from_port egress.to_port",
                "egress {\n  rule_no    = 100\n  action     = \"allow\"\n  protocol   = \"-1\"\n  cidr_block = \"0.0.0.0/0\"\n  from_port  = 0\n  to_port    = 0\n}",
            ),
            add("subnet_ids", "subnet_ids = [aws_subnet.open[\"1\"].id]"),
            edit("subnet_ids", "[\"1\"]", "[\"2\"]"),
        ],
        replacements: vec![
            edit("vpc_id", "vpc_id = aws_vpc.open.id", "vpc_id = aws_vpc.other.id")
                .and("subnet_ids = [aws_subnet.open[\"2\"].id]", ""),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let filters = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", text(object, "vpc_id"))];
            let found = world.aws("ec2", "DescribeNetworkAcls", &filters).unwrap();
            let acls = sgp_tests::world::texts(&found, "networkAclId");
            let default = acls.iter().find(|it| it.as_str() != text(object, "id")).unwrap();
            let associations = sgp_tests::world::texts(&found, "networkAclAssociationId");
            for association in &associations {
                let pair = [("AssociationId", association.as_str()), ("NetworkAclId", default)];
                let _ = world.aws("ec2", "ReplaceNetworkAclAssociation", &pair);
            }
            ec2(world, "DeleteNetworkAcl", &[("NetworkAclId", text(object, "id"))]);
        }),
        beside: &[("egress", "egress and ingress blocks are one code; its arguments are edited above")],
    }
}

pub fn network_acl_rule() -> Case {
    Case {
        name: "aws_network_acl_rule",
        around: open(
            "resource \"aws_network_acl\" \"open\" {\n  for_each = toset([\"one\", \"two\"])\n  vpc_id   = aws_vpc.open.id\n}\n",
        ),
        body: r#"
network_acl_id = aws_network_acl.open["one"].id
rule_number    = 100
rule_action    = "allow"
protocol       = "tcp"
cidr_block     = "10.0.0.0/8"
from_port      = 443
to_port        = 443
"#,
        updates: vec![],
        replacements: vec![
            edit("from_port", "from_port      = 443", "from_port      = 80"),
            edit("to_port", "to_port        = 443", "to_port        = 8080"),
            edit("rule_number", "rule_number    = 100", "rule_number    = 200"),
            edit("rule_action", "\"allow\"", "\"deny\""),
            edit("protocol", "\"tcp\"", "\"udp\""),
            edit("cidr_block", "10.0.0.0/8", "192.168.0.0/16"),
            add("egress", "egress = true"),
            edit("network_acl_id", "open[\"one\"]", "open[\"two\"]"),
            edit("ipv6_cidr_block", "cidr_block     = \"192.168.0.0/16\"", "ipv6_cidr_block = \"2001:DB8::/32\""),
            edit(
                "icmp_type icmp_code protocol",
                "protocol       = \"udp\"\nipv6_cidr_block = \"2001:DB8::/32\"\nfrom_port      = 80\nto_port        = 8080",
                "protocol       = \"icmp\"\ncidr_block = \"10.0.0.0/8\"\nicmp_type      = 8\nicmp_code      = -1",
            ),
            edit("icmp_code", "icmp_code      = -1", "icmp_code      = 0"),
            edit("icmp_type", "icmp_type      = 8", "icmp_type      = 3"),
        ],
        import: Some(|object| {
            let (acl, protocol) = (text(object, "network_acl_id"), text(object, "protocol"));
            format!("{acl}:{}:{protocol}:{}", object["rule_number"], object["egress"])
        }),
        untold: &[],
        vanish: Some(|world, object| {
            let number = object["rule_number"].to_string();
            let egress = object["egress"].to_string();
            let params =
                [("NetworkAclId", text(object, "network_acl_id")), ("RuleNumber", &number), ("Egress", &egress)];
            ec2(world, "DeleteNetworkAclEntry", &params);
        }),
        beside: &[],
    }
}

pub fn vpc_endpoint() -> Case {
    Case {
        name: "aws_vpc_endpoint",
        around: open(
            r#"
resource "aws_route_table" "open" {
  for_each = toset(["one", "two"])
  vpc_id   = aws_vpc.open.id
}

resource "aws_vpc" "other" {
  cidr_block           = "10.50.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "other" {
  for_each          = { a = "10.50.1.0/24", b = "10.50.2.0/24" }
  vpc_id            = aws_vpc.other.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_security_group" "other" {
  for_each = toset(["one", "two"])
  name     = "endpoint-${each.key}"
  vpc_id   = aws_vpc.other.id
}
"#,
        ),
        body: r#"
vpc_id       = aws_vpc.open.id
service_name = "com.amazonaws.us-east-1.s3"
"#,
        updates: vec![
            add("route_table_ids", r#"route_table_ids = [aws_route_table.open["one"].id]"#),
            edit("route_table_ids", "open[\"one\"]", "open[\"two\"]"),
            add(
                "policy",
                "policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Principal = \"*\", Action = \"s3:Get*\", Resource = \"*\" }] })",
            ),
            edit("policy", "s3:Get*", "s3:List*"),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
        ],
        replacements: vec![
            edit("service_name", "us-east-1.s3", "us-east-1.dynamodb"),
            edit("vpc_id", "vpc_id       = aws_vpc.open.id", "vpc_id       = aws_vpc.other.id")
                .and("route_table_ids = [aws_route_table.open[\"two\"].id]", ""),
            edit(
                "vpc_endpoint_type service_name subnet_ids security_group_ids private_dns_enabled",
                "service_name = \"com.amazonaws.us-east-1.dynamodb\"",
                "service_name = \"com.amazonaws.us-east-1.sts\"\nvpc_endpoint_type = \"Interface\"\nsubnet_ids = [aws_subnet.other[\"a\"].id]\nsecurity_group_ids = [aws_security_group.other[\"one\"].id]\nprivate_dns_enabled = true",
            ),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            ec2(world, "DeleteVpcEndpoints", &[("VpcEndpointId.1", text(object, "id"))]);
        }),
        beside: &[
            ("ip_address_type", "the sandbox has endpoints with IPv4 addresses only"),
            ("subnet_ids", "edited with the type in `an_interface_endpoint_is_changed`"),
            ("security_group_ids", "edited with the type in `an_interface_endpoint_is_changed`"),
            ("private_dns_enabled", "edited with the type in `an_interface_endpoint_is_changed`"),
        ],
    }
}

pub fn managed_prefix_list() -> Case {
    Case {
        name: "aws_ec2_managed_prefix_list",
        around: "",
        body: r#"
name           = "home"
address_family = "IPv4"
max_entries    = 2
"#,
        updates: vec![
            add("entry.cidr", "entry {\n  cidr = \"192.0.2.0/24\"\n}"),
            edit("entry.description", "192.0.2.0/24\"", "192.0.2.0/24\"\n  description = \"Berlin\""),
            edit("entry.description", "Berlin", "Bonn"),
            add("entry.cidr", "entry {\n  cidr = \"198.51.100.0/24\"\n}"),
            edit("max_entries", "max_entries    = 2", "max_entries    = 3"),
            edit("entry.cidr", "198.51.100.0/24", "203.0.113.0/24"),
            edit("entry", "entry {\n  cidr = \"203.0.113.0/24\"\n}", ""),
            edit("max_entries", "max_entries    = 3", "max_entries    = 1"),
            edit("name", "\"home\"", "\"houses\""),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
        ],
        replacements: vec![
            edit("address_family entry.cidr", "address_family = \"IPv4\"", "address_family = \"IPv6\"")
                .and("192.0.2.0/24", "2001:DB8::/32"),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            ec2(world, "DeleteManagedPrefixList", &[("PrefixListId", text(object, "id"))]);
        }),
        beside: &[],
    }
}

/// A folder of its own in the world of all cases.
fn folder(file: &str) -> Option<(&'static World, Workdir)> {
    let setting = crate::setting::setting()?;
    Some((&setting.world, Workdir::new(&[("common.tf", &setting.common), ("main.tf", file)])))
}

/// Applied, and then there is nothing more to do. Answers an object's attributes.
fn applied(world: &World, folder: &Workdir, file: &str, address: &str) -> Value {
    folder.write("main.tf", file);
    folder.must(world, &["apply", "-auto-approve"]);
    folder.must_be_settled(world, file);
    folder.attributes(world, address)
}

/// Subnets, groups and names of an interface endpoint change where it is; the gateway's case cannot say them.
#[test]
fn an_interface_endpoint_is_changed() {
    let around = r#"
resource "aws_vpc" "this" {
  cidr_block           = "10.51.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "this" {
  for_each          = { a = "10.51.1.0/24", b = "10.51.2.0/24" }
  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_security_group" "this" {
  for_each = toset(["one", "two"])
  name     = "changed-endpoint-${each.key}"
  vpc_id   = aws_vpc.this.id
}

resource "aws_vpc_endpoint" "this" {
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.us-east-1.sts"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = NAMES
  subnet_ids          = [for zone in [ZONES] : aws_subnet.this[zone].id]
  security_group_ids  = [for name in [GROUPS] : aws_security_group.this[name].id]
}
"#;
    let file = |names: &str, zones: &str, groups: &str| {
        around.replace("NAMES", names).replace("ZONES", zones).replace("GROUPS", groups)
    };
    let Some((world, folder)) = folder("") else { return };
    // As the type's own case: moto finds no endpoints by their ids.
    if world.backing() == Backing::Emulators {
        return;
    }
    let first = applied(world, &folder, &file("false", "\"a\"", "\"one\""), "aws_vpc_endpoint.this");
    let counts = |object: &Value| {
        let count = |name: &str| object[name].as_array().map_or(0, Vec::len);
        (count("subnet_ids"), count("security_group_ids"), object["private_dns_enabled"].as_bool())
    };
    assert_eq!(counts(&first), (1, 1, Some(false)));
    for (names, zones, groups, expected) in [
        ("false", "\"a\", \"b\"", "\"one\"", (2, 1, Some(false))),
        ("true", "\"b\"", "\"one\", \"two\"", (1, 2, Some(true))),
        ("true", "\"b\"", "\"two\"", (1, 1, Some(true))),
    ] {
        let object = applied(world, &folder, &file(names, zones, groups), "aws_vpc_endpoint.this");
        assert_eq!(object["id"], first["id"], "it is the same endpoint");
        assert_eq!(counts(&object), expected, "{names} {zones} {groups}");
    }
    folder.must(world, &["destroy", "-auto-approve"]);
}

/// Nothing here makes interfaces: two are made by hand.
#[test]
fn an_address_goes_to_an_interface() {
    let open = format!(
        "{OPEN}\nresource \"aws_eip\" \"this\" {{\n  domain = \"vpc\"\n\n  # Addresses need a gateway.\n  depends_on = [aws_internet_gateway.open]\n}}\n"
    );
    let Some((world, folder)) = folder("") else { return };
    let alone = applied(world, &folder, &open, "aws_eip.this");
    assert!(alone["association_id"].is_null(), "{alone}");
    let subnet = folder.attributes(world, "aws_subnet.open[\"1\"]");
    let make = || {
        let made = world.aws("ec2", "CreateNetworkInterface", &[("SubnetId", text(&subnet, "id"))]).unwrap();
        sgp_tests::world::texts(&made, "networkInterfaceId").swap_remove(0)
    };
    let interfaces = [make(), make()];
    for interface in &interfaces {
        let file = open.replace("domain = \"vpc\"", &format!("domain = \"vpc\"\n  network_interface = {interface:?}"));
        let object = applied(world, &folder, &file, "aws_eip.this");
        assert_eq!((text(&object, "network_interface"), &object["id"]), (interface.as_str(), &alone["id"]));
    }
    // Released while an interface has it, and then the interfaces are nobody's.
    let without = open[..open.find("resource \"aws_eip\"").unwrap()].to_owned();
    folder.write("main.tf", &without);
    folder.must(world, &["apply", "-auto-approve"]);
    for interface in &interfaces {
        ec2(world, "DeleteNetworkInterface", &[("NetworkInterfaceId", interface)]);
    }
    folder.must(world, &["destroy", "-auto-approve"]);
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
