//! SGP504: Fargate pods that CoreDNS on nodes keeps out.

use sgp_analysis::{sets::Traffic, topology::Direction};

use super::sgp401::DNS;
use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP504",
    severity: Severity::Warning,
    title: "CoreDNS on nodes keeps Fargate pods out",
    consequence: "Fargate pods have the cluster's group and ask CoreDNS on nodes with a group of their own: names are not resolved.",
    fix: "Give the nodes' group ingress udp/53 and tcp/53 from the cluster's group.",
    sources: &["github.com/terraform-aws-modules/terraform-aws-eks#2990"],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_fargate_profile" "jobs" {
  cluster_name         = aws_eks_cluster.this.name
  fargate_profile_name = "jobs"

  selector {
    namespace = "jobs"
  }
}

resource "aws_security_group" "node" {
  name   = "orders-node"
  vpc_id = aws_vpc.this.id
}

resource "aws_launch_template" "node" {
  name                   = "orders-node"
  vpc_security_group_ids = [aws_security_group.node.id]
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  launch_template {
    id = aws_launch_template.node.id
  }
}
"#,
        right: r#"
resource "aws_eks_fargate_profile" "jobs" {
  cluster_name         = aws_eks_cluster.this.name
  fargate_profile_name = "jobs"

  selector {
    namespace = "jobs"
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(_, it)| !it.fargate_profiles.is_empty()) {
        let (Some(own), dns) = (cluster.group.known(), facts.dns(cluster)) else { continue };
        if dns.may_have_more || dns.groups.is_empty() || dns.groups.contains(own) {
            continue;
        }
        let pods = Other { groups: vec![own.clone()], may_have_more: false, blocks: dns.blocks.clone() };
        let is_shut = DNS
            .into_iter()
            .any(|it| facts.passes(&dns.groups, Direction::Ingress, &Traffic::port(it, 53), &pods) == Sure::No);
        if is_shut {
            let groups: Vec<String> = dns.groups.iter().map(ToString::to_string).collect();
            let what = format!(
                "CoreDNS of cluster {name} has {}, which does not let in the cluster's group.",
                groups.join(", ")
            );
            found.push(RULE.finding(cluster.managed_by.as_ref(), what));
        }
    }
    found
}
