//! Internet gateways, addresses, NAT gateways.

use super::{OPEN, applied, ec2, folder, open};
use crate::case::{Case, add, edit, id, text};

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
