//! Security groups and their rules.

use serde_json::Value;
use sgp_tests::world::World;

use crate::case::{Case, Edit, add, edit, id, text};

pub fn security_group() -> Case {
    Case {
        name: "aws_security_group",
        around: "",
        body: r#"
name        = "group"
description = "first"
vpc_id      = var.vpc_id
"#,
        updates: vec![
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"a = "2", b = "3""#),
            edit("tags", r#"a = "2", "#, ""),
            add(
                "ingress ingress.protocol ingress.from_port ingress.to_port ingress.cidr_blocks",
                "ingress {\n  protocol    = \"tcp\"\n  from_port   = 443\n  to_port     = 443\n  cidr_blocks = [\"10.0.0.0/8\"]\n}",
            ),
            edit("ingress.from_port", "from_port   = 443", "from_port   = 80"),
            edit("ingress.to_port", "to_port     = 443", "to_port     = 8080"),
            edit("ingress.description", "\"tcp\"", "\"tcp\"\n  description = \"web\""),
            edit("ingress.self", "\"web\"", "\"web\"\n  self        = true"),
            edit("ingress.ipv6_cidr_blocks", "\"web\"", "\"web\"\n  ipv6_cidr_blocks = [\"fd00::/8\"]"),
            edit("ingress.cidr_blocks", "[\"10.0.0.0/8\"]", "[\"10.0.0.0/8\", \"192.168.0.0/16\"]"),
            edit("ingress.protocol", "\"tcp\"", "\"udp\""),
            add(
                "egress egress.protocol egress.from_port egress.to_port egress.cidr_blocks",
                "egress {\n  protocol    = \"-1\"\n  from_port   = 0\n  to_port     = 0\n  cidr_blocks = [\"0.0.0.0/0\"]\n}",
            ),
            add("revoke_rules_on_delete", "revoke_rules_on_delete = true"),
        ],
        replacements: vec![
            edit("name", r#"name        = "group""#, r#"name        = "another""#),
            edit("description", "first", "second"),
            edit("vpc_id", "var.vpc_id", "local.other_vpc"),
            edit("name_prefix name", r#"name        = "another""#, r#"name_prefix = "made-""#),
        ],
        import: Some(id),
        untold: &["revoke_rules_on_delete"],
        vanish: Some(|world, object| {
            world.aws("ec2", "DeleteSecurityGroup", &[("GroupId", text(object, "id"))]).unwrap();
        }),
        beside: &[
            ("ingress.prefix_list_ids", "moto forgets the description of a rule for a prefix list"),
            ("ingress.security_groups", "rules that name groups are objects of their own in this table"),
            ("egress", "egress and ingress blocks are one code; its arguments are edited above"),
        ],
    }
}

const TWO_GROUPS: &str = r#"
resource "aws_security_group" "a" {
  name   = "NAME-a"
  vpc_id = var.vpc_id
}

resource "aws_security_group" "b" {
  name   = "NAME-b"
  vpc_id = var.vpc_id
}
"#;

pub fn ingress_rule() -> Case {
    Case {
        name: "aws_vpc_security_group_ingress_rule",
        around: two_groups(true),
        vanish: Some(|world, object| revoke(world, object, "RevokeSecurityGroupIngress")),
        ..rule()
    }
}

pub fn egress_rule() -> Case {
    Case {
        name: "aws_vpc_security_group_egress_rule",
        around: two_groups(false),
        vanish: Some(|world, object| revoke(world, object, "RevokeSecurityGroupEgress")),
        ..rule()
    }
}

/// Group names are unique in a VPC, and both cases run at the same time.
fn two_groups(ingress: bool) -> &'static str {
    let name = if ingress { "in" } else { "out" };
    Box::leak(TWO_GROUPS.replace("NAME", name).into_boxed_str())
}

fn revoke(world: &World, object: &Value, action: &str) {
    let params = [("GroupId", text(object, "security_group_id")), ("SecurityGroupRuleId.1", text(object, "id"))];
    world.aws("ec2", action, &params).unwrap();
}

fn rule() -> Case {
    let updates: Vec<Edit> = vec![
        add("description", r#"description = "web""#),
        edit("description", r#""web""#, r#""the web""#),
        edit("description", "description = \"the web\"", ""),
        edit("from_port", "from_port         = 443", "from_port         = 80"),
        edit("to_port", "to_port           = 443", "to_port           = 8080"),
        edit("ip_protocol", r#""tcp""#, r#""udp""#),
        edit("cidr_ipv4", "10.0.0.0/8", "10.1.0.0/16"),
        add("tags", r#"tags = { a = "1" }"#),
        edit("tags", r#"a = "1""#, r#"b = "2""#),
    ];
    Case {
        name: "",
        around: "",
        body: r#"
security_group_id = aws_security_group.a.id
ip_protocol       = "tcp"
from_port         = 443
to_port           = 443
cidr_ipv4         = "10.0.0.0/8"
"#,
        updates,
        replacements: vec![
            edit("security_group_id", "aws_security_group.a.id", "aws_security_group.b.id"),
            edit("cidr_ipv6", r#"cidr_ipv4         = "10.1.0.0/16""#, r#"cidr_ipv6 = "fd00::/8""#),
            edit(
                "referenced_security_group_id",
                r#"cidr_ipv6 = "fd00::/8""#,
                "referenced_security_group_id = aws_security_group.a.id",
            ),
            edit(
                "prefix_list_id",
                "referenced_security_group_id = aws_security_group.a.id",
                "prefix_list_id = local.prefix_list",
            ),
        ],
        import: Some(id),
        untold: &[],
        vanish: None,
        beside: &[],
    }
}
