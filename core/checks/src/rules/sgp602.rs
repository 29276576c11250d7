//! SGP602: a group goes that rules name.

use sgp_analysis::topology::{Origin, Peer};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP602",
    severity: Severity::Error,
    title: "Group goes that rules of others name",
    consequence: "EC2 deletes no group that a rule of another group names: DependencyViolation.",
    fix: "Take the rule out in the same plan.",
    sources: &["github.com/terraform-aws-modules/terraform-aws-eks#285", "EC2 API reference, DeleteSecurityGroup"],
    live: Live::Aws,
    examples: Examples {
        before: r#"
resource "aws_security_group" "old" {
  id     = "sg-0123456789abcdef0"
  name   = "orders-old"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "backend_from_old" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = "sg-0123456789abcdef0"
  ip_protocol                  = "tcp"
  from_port                    = 9090
  to_port                      = 9090
}
"#,
        wrong: r#"
resource "aws_vpc_security_group_ingress_rule" "backend_from_old" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = "sg-0123456789abcdef0"
  ip_protocol                  = "tcp"
  from_port                    = 9090
  to_port                      = 9090
}
"#,
        right: "",
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let gone = facts.gone_groups();
    for gone_group in &gone {
        for (id, group) in facts.input.topology.groups.iter().filter(|(id, _)| !gone.iter().any(|it| it.id == **id)) {
            let Some(rule) = group.rules.iter().find(|it| it.peer == Peer::Group(gone_group.id.clone())) else {
                continue;
            };
            let addr = if let Origin::Managed(addr) = &rule.origin { Some(addr) } else { None };
            let what = format!("The plan deletes {}, and a rule of {id} names it.", gone_group.addr);
            found.push(RULE.finding(addr.or(Some(gone_group.addr)), what));
        }
    }
    found
}
