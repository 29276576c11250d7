//! SGP101: no node can have a trunk.

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{NodeTypes, Trunks},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP101",
    severity: Severity::Error,
    title: "Instance types without branch interfaces",
    consequence: "Pods with groups of their own stay Pending: Insufficient vpc.amazonaws.com/pod-eni. No type of the t family can have \
                  a trunk, on Nitro or not.",
    fix: "Use a type that can, such as m5.large; without `instance_types` EKS takes t3.medium.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/aws/vpc/limits.go",
        "github.com/aws/amazon-vpc-cni-k8s#3094",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["t3.medium"]

  depends_on = [sgp_pod_eni.this]
}
"#,
        right: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m5.large"]

  depends_on = [sgp_pod_eni.this]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        let nodes = facts.node_types(name, cluster);
        // Pods go to the nodes that can; it is enough that there are some.
        let can_none = |it: &NodeTypes<'_>| it.trunks() == Some(Trunks::None);
        let runs_others = cluster.nodes.values().any(|it| it.pod_eni.is_some_and(|it| it > 0));
        if nodes.is_empty() || runs_others || !nodes.iter().all(can_none) {
            continue;
        }
        // What makes nodes by other means chooses their types; node pools that name theirs are among these.
        if facts.may_have_other_nodes(cluster) && nodes.iter().all(|it| it.group.is_some()) {
            continue;
        }
        let is_sure = facts.has_all_nodes(cluster) || nodes.iter().any(|it| it.group.is_none());
        let is_sure = is_sure && facts.has_policy_for_nodes(name);
        for node in nodes {
            let types = node.types.clone().unwrap_or_default().join(", ");
            let what = format!("Pods of cluster {name} are to have groups of their own, and {} has {types}.", node.who);
            let finding =
                RULE.finding(node.addr, what).attr(if node.group.is_some() { "instance_types" } else { "manifest" });
            found.push(if is_sure { finding } else { finding.at_most(Severity::Warning) });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn some_nodes_that_can_are_enough() {
        let group = |name: &str, types: &str| {
            format!(
                "resource \"aws_eks_node_group\" \"{name}\" {{\ncluster_name = \"orders\"\nnode_group_name = \"{name}\"\n{types}\n}}\n"
            )
        };
        let error: &[&str] = &["error aws_eks_node_group.this"];
        rows(
            "SGP101",
            &[
                // A node group of the system beside the one that works.
                (&group("system", "instance_types = [\"t3.medium\"]"), &[]),
                (&group("this", ""), error),
                (&group("this", "instance_types = [\"t3.large\", \"t3a.large\"]"), error),
                (&group("this", "instance_types = [\"t3.large\", \"m5.large\"]"), &[]),
                (&group("this", "instance_types = unknown()"), &[]),
                // The table may be older than the type.
                (&group("this", "instance_types = [\"x99.large\"]"), &[]),
                (
                    &format!(
                        "{}resource \"aws_launch_template\" \"t\" {{\nname = \"t\"\ninstance_type = \"t3.large\"\n}}",
                        group("this", "launch_template {\nid = aws_launch_template.t.id\n}")
                    ),
                    error,
                ),
                (&group("this", "launch_template {\nid = \"lt-1\"\n}"), &[]),
            ],
        );
    }
}
