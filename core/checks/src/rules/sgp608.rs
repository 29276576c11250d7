//! SGP608: somebody manages the controller's interfaces.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP608",
    severity: Severity::Error,
    title: "Interface of the VPC resource controller among the configuration's objects",
    consequence: "The controller makes and deletes trunk and branch interfaces as nodes and pods come and go; a configuration that \
                  manages them takes them from running pods.",
    fix: "Take the resource out: `sgp state rm`, and its block.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: README.md"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_network_interface" "branch" {
  description = "aws-k8s-branch-eni"
  subnet_id   = aws_subnet.a.id
}
"#,
        right: r#"
resource "aws_network_interface" "own" {
  description = "orders"
  subnet_id   = aws_subnet.a.id
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (object, view) in facts.of_kind("aws_network_interface").filter(|(object, _)| object.addr.is_some()) {
        let description = view.text("description").unwrap_or_default();
        let is_tagged = view.known_labels("tags").contains_key("eks:eni:owner");
        if is_tagged || description.starts_with("aws-k8s-branch-eni") || description.starts_with("aws-k8s-trunk-eni") {
            found.push(RULE.finding(object.addr.as_ref(), "The interface is one that EKS makes for nodes and pods."));
        }
    }
    found
}
