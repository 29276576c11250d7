//! SGP023: EKS Auto Mode.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::version};

pub(super) static RULE: Rule = Rule {
    id: "SGP023",
    severity: Severity::Error,
    title: "Policies in a cluster of EKS Auto Mode",
    consequence: "Nodes of Auto Mode take no part in security groups for pods before Kubernetes 1.36, and the policies have no \
                  effect there. From 1.36 on they count, and settings of the VPC CNI do not.",
    fix: "Use node groups for these pods, Kubernetes 1.36, or the pod groups of a NodeClass.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "docs.aws.amazon.com/eks/latest/userguide/auto-sgp.html",
        "github.com/aws/amazon-vpc-resource-controller-k8s#608",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
removed {
  from = aws_eks_node_group.this
}

resource "aws_eks_cluster" "this" {
  name     = "orders"
  version  = "1.34"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = [aws_subnet.a.id]
  }

  compute_config {
    enabled = true
  }
}
"#,
        right: r#"
removed {
  from = aws_eks_node_group.this
}

resource "aws_eks_cluster" "this" {
  name     = "orders"
  version  = "1.36"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = [aws_subnet.a.id]
  }

  compute_config {
    enabled = true
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(_, it)| it.is_auto == Fact::Known(true)) {
        let Some(policy) = facts.policies().iter().find(|it| it.cluster_name == name && it.is_for_nodes()) else {
            continue;
        };
        let is_old = cluster.version.known().and_then(|it| version(it)).map(|it| it < (1, 36, 0));
        if is_old == Some(false) {
            continue;
        }
        let what = format!("Cluster {name} has nodes of Auto Mode and the {}.", policy.who());
        let finding = RULE.finding(policy.addr(), what);
        // Beside Auto Mode there may be nodes that do have trunks.
        let is_sure =
            is_old == Some(true) && cluster.node_groups.is_empty() && facts.is_made(cluster.managed_by.as_ref());
        found.push(if is_sure { finding } else { finding.at_most(Severity::Warning) });
    }
    found
}
