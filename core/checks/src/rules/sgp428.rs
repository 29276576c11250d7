//! SGP428: rules inside of a group and beside it.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP428",
    severity: Severity::Error,
    title: "Rules inside of a group and beside it",
    consequence: "Blocks inside of a group say all of its rules, so each apply takes back those that stand beside it, and makes \
                  them again: names and probes come and go.",
    fix: "Write all rules of the group as resources of their own, or all of them inside.",
    sources: &["Terraform AWS provider, documentation of aws_security_group", "github.com/pulumi/pulumi-eks#1031"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id

  ingress {
    protocol    = "tcp"
    from_port   = 9090
    to_port     = 9090
    cidr_blocks = ["10.0.0.0/20"]
  }
}
"#,
        right: r#"
resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "backend_metrics" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "10.0.0.0/20"
  ip_protocol       = "tcp"
  from_port         = 9090
  to_port           = 9090
}
"#,
    },
    check,
};

const SIDES: [(&str, &str); 2] =
    [("ingress", "aws_vpc_security_group_ingress_rule"), ("egress", "aws_vpc_security_group_egress_rule")];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (side, kind) in SIDES {
        for (object, view) in facts.of_kind(kind).filter(|(object, _)| object.addr.is_some()) {
            let Some(id) = view.text("security_group_id") else { continue };
            let Some((group, group_view)) = facts.meant_by(id, "aws_security_group", &["id"]) else { continue };
            // What is recorded of a group are all of its rules. Only one that is made shows what the configuration says.
            let is_stated = facts.is_made(group.addr.as_ref()) && !group_view.blocks(side).is_empty();
            if is_stated && let (Some(rule), Some(addr)) = (&object.addr, &group.addr) {
                let what = format!("{addr} has `{side}` blocks, and {rule} is a rule of the same group.");
                found.push(RULE.finding(Some(addr), what).attr(side));
            }
        }
    }
    found
}
