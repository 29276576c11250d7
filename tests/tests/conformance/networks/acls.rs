//! Network ACLs and their entries.

use super::{ec2, open};
use crate::case::{Case, add, edit, id, text};

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
