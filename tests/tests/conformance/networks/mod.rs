//! Networks: VPCs and what is in them. Each case has VPCs of its own, since all share one world.

mod acls;
mod endpoints;
mod gateways;
mod peering;
mod prefix_lists;
mod routes;
mod vpcs;

pub use acls::{network_acl, network_acl_rule};
pub use endpoints::vpc_endpoint;
pub use gateways::{eip, internet_gateway, nat_gateway};
pub use peering::{peering_connection, peering_connection_accepter, peering_connection_options};
pub use prefix_lists::managed_prefix_list;
pub use routes::{route, route_table, route_table_association};
use serde_json::Value;
use sgp_tests::{workdir::Workdir, world::World};
pub use vpcs::{subnet, vpc};

fn ec2(world: &World, action: &str, params: &[(&str, &str)]) {
    world.aws("ec2", action, params).unwrap();
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
