//! SGP420: two groups with the cluster's tag on one pod.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP420",
    severity: Severity::Warning,
    title: "Two groups with the cluster's tag on one pod",
    consequence: "As soon as a load balancer is to send to these pods, AWS Load Balancer Controller registers none of them: it wants \
                  exactly one group with the tag, and EKS tags the cluster's own.",
    fix: "Take the tag `kubernetes.io/cluster/<name>` off the other group.",
    sources: &[
        "github.com/kubernetes-sigs/aws-load-balancer-controller#2922",
        "github.com/kubernetes-sigs/aws-load-balancer-controller#1897",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id
  tags   = { "kubernetes.io/cluster/orders" = "owned" }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [
    aws_security_group.backend.id,
    aws_eks_cluster.this.vpc_config[0].cluster_security_group_id,
  ]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
resource "aws_security_group" "backend" {
  name   = "orders-backend"
  vpc_id = aws_vpc.this.id
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [
    aws_security_group.backend.id,
    aws_eks_cluster.this.vpc_config[0].cluster_security_group_id,
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
    for policy in facts.policies().iter().filter(|it| it.counts()) {
        let (Some(groups), Some(own)) = (policy.policy.groups.known(), policy.cluster.group.known()) else { continue };
        if !groups.contains(own) {
            continue;
        }
        let tag = format!("kubernetes.io/cluster/{}", policy.cluster_name);
        let others = groups.iter().filter(|id| *id != own).filter_map(|id| facts.input.topology.groups.get(id));
        for group in others.filter(|it| it.tags.contains_key(&tag)) {
            let what =
                format!("The {} names the cluster's group and {}, which has the tag {tag}.", policy.who(), group.name);
            found.push(RULE.finding(policy.addr(), what));
        }
    }
    found
}
