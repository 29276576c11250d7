//! `aws_vpc_security_group_ingress_rule`.

use std::sync::LazyLock;

use sgp_model::Schema;

use crate::ec2::rule::{self, RuleType};

/// One rule of a security group for what may come in.
pub static INGRESS_RULE: RuleType = RuleType { egress: false, schema };

fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        rule::attributes(Schema::new("aws_vpc_security_group_ingress_rule", "One rule of a security group for what may come in."))
            .iam_actions(&[
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateTags",
                "ec2:DeleteTags",
                "ec2:DescribeSecurityGroupRules",
                "ec2:ModifySecurityGroupRules",
                "ec2:RevokeSecurityGroupIngress",
            ])
            .example(
                "resource \"aws_vpc_security_group_ingress_rule\" \"dns\" {\n  security_group_id = \"sg-0123456789abcdef0\"\n  \
                 ip_protocol       = \"udp\"\n  from_port         = 53\n  to_port           = 53\n  cidr_ipv4         = \
                 \"10.0.0.0/16\"\n}\n",
            )
    });
    &SCHEMA
}
