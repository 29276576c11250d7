//! SGP505: a policy of Fargate pods changes.

use sgp_model::plan::Action;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP505",
    severity: Severity::Warning,
    title: "Policy of Fargate pods changes",
    consequence: "Fargate pods that run keep their groups.",
    fix: "Restart what makes them: kubectl rollout restart.",
    sources: &["Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\""],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
resource "aws_eks_fargate_profile" "app" {
  cluster_name         = aws_eks_cluster.this.name
  fargate_profile_name = "app"

  selector {
    namespace = "app"
  }
}
"#,
        wrong: r#"
resource "aws_eks_fargate_profile" "app" {
  cluster_name         = aws_eks_cluster.this.name
  fargate_profile_name = "app"

  selector {
    namespace = "app"
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [
    aws_eks_cluster.this.vpc_config[0].cluster_security_group_id,
    aws_security_group.backend.id,
  ]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: "",
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies().iter().filter(|it| it.is_for_fargate()) {
        let runs = facts.input.topology_before.clusters.get(policy.cluster_name).is_some_and(|it| {
            // A cluster that was looked into shows its pods; before a new policy there may be none.
            let may_run = facts.action(policy.addr()) != Action::Create;
            if it.is_complete { it.pods.keys().any(|key| key.namespace == policy.namespace) } else { may_run }
        });
        if runs && facts.changes(policy) {
            found.push(RULE.finding(policy.addr(), format!("The {} changes.", policy.who())));
        }
    }
    found
}
