//! SGP502: more groups than Fargate takes.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

/// The most groups of a Fargate pod (README of the VPC resource controller).
const MOST: usize = 5;

pub(super) static RULE: Rule = Rule {
    id: "SGP502",
    severity: Severity::Error,
    title: "More groups than a Fargate pod takes",
    consequence: "The pod does not start.",
    fix: "Join groups: five is the most on Fargate.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: README.md"],
    live: Live::Nothing,
    examples: Examples {
        before: "",
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
    "sg-00000001", "sg-00000002", "sg-00000003", "sg-00000004",
  ]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
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
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies().iter().filter(|it| it.is_for_fargate()) {
        let count = policy.policy.groups.known().map_or(0, Vec::len);
        if count > MOST {
            let what = format!("The {} names {count} groups for pods on Fargate.", policy.who());
            found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()));
        }
    }
    for pods in facts.pods() {
        let count = pods.fargate_groups().map_or(0, <[_]>::len);
        if count > MOST && pods.membership.policies().count() > 1 {
            found.push(RULE.finding(pods.addr, format!("{} runs on Fargate and gets {count} groups.", pods.who())));
        }
    }
    found
}
