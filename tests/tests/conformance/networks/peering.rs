//! Peering connections, their accepters and options.

use super::ec2;
use crate::case::{Case, add, edit, id, text};

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
