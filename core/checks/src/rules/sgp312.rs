//! SGP312: a policy for every pod of its namespace.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::PolicyOf};

pub(super) static RULE: Rule = Rule {
    id: "SGP312",
    severity: Severity::Warning,
    title: "Policy for every pod of its namespace",
    consequence: "Jobs, operators and tools of the namespace each take a branch interface, too, and nodes have few of them.",
    fix: "Select the pods that need the groups by a label.",
    sources: &["Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\""],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "all" {
  name               = "all"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {}
}
"#,
        right: r#"
resource "sgp_security_group_policy" "all" {
  name               = "all"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { network = "orders" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    // kube-system has a rule of its own.
    let all =
        facts.policies().iter().filter(|it| it.is_for_everything() && it.counts() && it.namespace != "kube-system");
    let finding = |it: &PolicyOf<'_>| {
        let what = format!("The {} selects every pod of namespace {}.", it.who(), it.namespace);
        RULE.finding(it.addr(), what).attribute(it.path("pod_selector", &["podSelector"]))
    };
    all.filter(|it| it.is_for_nodes()).map(finding).collect()
}
