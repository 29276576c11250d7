//! SGP605: branch interfaces that nothing has.

use sgp_analysis::topology::InterfaceKind;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, finding::counted};

pub(super) static RULE: Rule = Rule {
    id: "SGP605",
    severity: Severity::Note,
    title: "Branch interfaces that nothing has",
    consequence: "They count against the quota and take addresses of their subnets. The controller deletes those that it finds twice; \
                  what a deleted cluster left behind stays.",
    fix: "Delete those that are older than an hour.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s#374",
        "github.com/aws/amazon-vpc-resource-controller-k8s#418",
        "github.com/aws/amazon-vpc-cni-k8s#3018",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
# As it is in AWS.
resource "aws_network_interface" "branch" {
  id             = "eni-0123456789abcdef0"
  description    = "aws-k8s-branch-eni"
  interface_type = "branch"
  status         = "available"
  vpc_id         = aws_vpc.this.id
  subnet_id      = aws_subnet.a.id
}
"#,
        right: r#"
resource "aws_network_interface" "branch" {
  id             = "eni-0123456789abcdef0"
  description    = "orders"
  status         = "available"
  vpc_id         = aws_vpc.this.id
  subnet_id      = aws_subnet.a.id
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let all = facts.input.topology.interfaces.iter();
    let idle: Vec<&str> =
        all.filter(|(_, it)| it.kind == InterfaceKind::Branch && !it.is_in_use).map(|(id, _)| id.as_str()).collect();
    if idle.is_empty() {
        return Vec::new();
    }
    let shown = idle.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    vec![RULE.finding(None, format!("Attached to nothing: {} ({shown}).", counted(idle.len(), "branch interface")))]
}
