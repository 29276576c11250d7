//! SGP018: nodes that may join before pod ENI is on.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::CniSettings};

pub(super) static RULE: Rule = Rule {
    id: "SGP018",
    severity: Severity::Warning,
    title: "Nodes may join before pod ENI is on",
    consequence: "A node that fills its interfaces first has no slot left for the trunk: \"No slot available for a trunk ENI\". It \
                  has to be replaced then.",
    fix: "Let the node group wait for the add-on: `depends_on`. Node groups wait for `sgp_pod_eni` by themselves.",
    sources: &[
        "Amazon EKS user guide, \"Configure the Amazon VPC CNI plugin for Kubernetes for security groups for Amazon EKS Pods\"",
        "github.com/terraform-aws-modules/terraform-aws-eks: README.md, before_compute",
        "github.com/aws/amazon-vpc-cni-k8s#1202",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}
"#,
        right: r#"
removed {
  from = sgp_pod_eni.this
}

resource "aws_eks_addon" "cni" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "vpc-cni"
  configuration_values = jsonencode({
    env  = { ENABLE_POD_ENI = "true" }
    init = { env = { DISABLE_TCP_EARLY_DEMUX = "true" } }
  })
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 4
  }

  depends_on = [aws_eks_addon.cni]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let settings: Vec<_> = facts.cni().iter().filter(|it| it.cluster.is_some_and(|it| it.0 == name)).collect();
        let turns_on = |it: &&&CniSettings<'_>| {
            it.env.get("ENABLE_POD_ENI").is_some_and(|it| it == "true") && facts.is_made(it.object.addr.as_ref())
        };
        let Some(cni) = settings.iter().find(turns_on).and_then(|it| it.object.addr.as_ref()) else { continue };
        for group in cluster.node_groups.values() {
            let Some(addr) = group.managed_by.as_ref().filter(|it| facts.is_made(Some(it))) else { continue };
            if !facts.waits_for(addr, cni) {
                found.push(
                    RULE.finding(
                        Some(addr),
                        format!("The node group does not wait for {cni}, which turns pod ENI on."),
                    ),
                );
            }
        }
    }
    found
}
