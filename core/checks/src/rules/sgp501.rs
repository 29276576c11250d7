//! SGP501: Fargate pods that lose the cluster's group.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::{Direction, Fact},
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP501",
    severity: Severity::Error,
    title: "Fargate pods without a way to the control plane",
    consequence: "On Fargate the policy's groups replace the cluster's. Without a way to the API server and to CoreDNS the pod's \
                  node never registers, and the pod stays Pending.",
    fix: "Name the cluster's group in the policy, too.",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
        "github.com/eksctl-io/eksctl#4486",
    ],
    live: Live::Aws,
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
        let (Fact::Known(own), Some(groups)) = (&policy.cluster.group, policy.widest()) else { continue };
        if groups.contains(own) {
            continue;
        }
        let control_plane = Other { groups: vec![own.clone()], ..facts.nodes(policy.cluster) };
        let wanted = Traffic::port(Protocol::TCP, 443);
        if facts.passes(&groups, Direction::Egress, &wanted, &control_plane) == Sure::No {
            let what =
                format!("The {} names neither the cluster's group nor one that reaches it on tcp/443.", policy.who());
            found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()));
        } else {
            let what = format!("The {} does not name the cluster's group.", policy.who());
            found.push(RULE.finding(policy.addr(), what).attribute(policy.groups_path()).at_most(Severity::Note));
        }
    }
    found
}
