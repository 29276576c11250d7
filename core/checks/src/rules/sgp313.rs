//! SGP313: a policy for every pod of kube-system.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::PolicyOf};

pub(super) static RULE: Rule = Rule {
    id: "SGP313",
    severity: Severity::Error,
    title: "Policy for every pod of kube-system",
    consequence: "CoreDNS and the controllers of the cluster move to branch interfaces as they restart. Where one rule is missing, \
                  names are not resolved in the whole cluster.",
    fix: "Select the pods by a label; give CoreDNS a policy of its own if it needs one.",
    sources: &[
        "github.com/aws-quickstart/quickstart-eks-cdk-python#40",
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
    ],
    live: Live::Nothing,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "system" {
  name               = "system"
  namespace          = "kube-system"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {}
}
"#,
        right: r#"
resource "sgp_security_group_policy" "autoscaler" {
  name               = "autoscaler"
  namespace          = "kube-system"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { "app.kubernetes.io/name" = "cluster-autoscaler" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let all =
        facts.policies().iter().filter(|it| it.namespace == "kube-system" && it.is_for_everything() && it.counts());
    let finding = |it: &PolicyOf<'_>| {
        RULE.finding(it.addr(), format!("The {} selects every pod of kube-system.", it.who()))
            .attribute(it.path("pod_selector", &["podSelector"]))
    };
    all.map(finding).collect()
}
