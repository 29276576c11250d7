//! SGP507: IPv6 with a VPC CNI that makes no branch interfaces for it.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::cni_version};

pub(super) static RULE: Rule = Rule {
    id: "SGP507",
    severity: Severity::Error,
    title: "VPC CNI too old for groups of pods with IPv6",
    consequence: "Versions before 1.16.0 give pods of IPv6 clusters no branch interface.",
    fix: "Use a version that EKS offers today.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-cni-k8s#2639",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_cluster" "this" {
  name     = "orders"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = [aws_subnet.a.id]
  }

  kubernetes_network_config {
    ip_family = "ipv6"
  }
}

resource "sgp_pod_eni" "this" {
  cluster_name  = aws_eks_cluster.this.name
  addon_version = "v1.15.5-eksbuild.1"
}
"#,
        right: r#"
resource "aws_eks_cluster" "this" {
  name     = "orders"
  role_arn = aws_iam_role.cluster.arn

  vpc_config {
    subnet_ids = [aws_subnet.a.id]
  }

  kubernetes_network_config {
    ip_family = "ipv6"
  }
}

resource "sgp_pod_eni" "this" {
  cluster_name  = aws_eks_cluster.this.name
  addon_version = "v1.20.4-eksbuild.1"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        let is_old = cni_version(cluster).is_some_and(|it| it < (1, 16, 0));
        if is_old && cluster.is_ipv6 == Fact::Known(true) {
            let addr = facts.cni_of(name).and_then(|it| it.object.addr.as_ref());
            let version = cluster.cni.version.known().map_or("", |it| it);
            found.push(RULE.finding(addr, format!("Cluster {name} has IPv6 and runs the VPC CNI {version}.")));
        }
    }
    found
}
