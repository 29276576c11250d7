//! SGP102: types that the controller does not know.

use sgp_analysis::limits::{self, Table};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Manifest};

pub(super) static RULE: Rule = Rule {
    id: "SGP102",
    severity: Severity::Warning,
    title: "Instance type that the controller may not know",
    consequence: "The controller that EKS runs has a table of types. A type that is not in it gets no trunk: event Unsupported on a new \
                  node, and pods that stay Pending.",
    fix: "Use a type that the controller knows, or ask AWS when the cluster gets a newer one.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/node/node.go, pkg/aws/vpc/limits.go",
        "github.com/aws/karpenter-provider-aws#8981",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "default"
  subnet_ids      = [aws_subnet.a.id]
  instance_types  = ["m99.large"]

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
        let controller = facts.manifests("Event").filter(|it| it.is_in(name)).find_map(version);
        let table = controller.and_then(Table::of_controller).or_else(Table::newest);
        for node in facts.node_types(name, cluster) {
            let types = node.types.iter().flatten().filter(|it| table.is_some_and(|table| table.of(it).is_none()));
            let unknown: Vec<&str> = types.map(String::as_str).filter(|it| !sgp_model::symbol::is_in(it)).collect();
            if !unknown.is_empty() {
                let whose = controller.unwrap_or(limits::SOURCE.version);
                let what =
                    format!("The table of controller {whose} does not have {} of {}.", unknown.join(", "), node.who);
                found.push(RULE.finding(node.addr, what));
            }
        }
    }
    found
}

/// The version that the controller of a cluster announces on nodes.
fn version<'m>(event: &'m Manifest<'_>) -> Option<&'m str> {
    let message = event.json["message"].as_str().filter(|_| event.json["reason"] == "ControllerVersionNotice")?;
    let words = message.split(|c: char| c.is_whitespace() || c == ',');
    words.map(|it| it.trim_matches(|c: char| !c.is_ascii_alphanumeric())).find(|it| {
        it.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('.'))
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{found, told};

    #[test]
    fn the_table_of_the_cluster_s_controller_counts() {
        let with = |version: &str| {
            format!(
                r#"
                resource "kubernetes_manifest" "event" {{
                  manifest = {{
                    kind     = "Event"
                    metadata = {{ name = "e", namespace = "default" }}
                    reason   = "ControllerVersionNotice"
                    message  = "The node is managed by VPC resource controller version {version}"
                  }}
                }}
                resource "aws_eks_node_group" "this" {{
                  cluster_name    = aws_eks_cluster.this.name
                  node_group_name = "default"
                  instance_types  = ["r8a.xlarge"]
                }}"#
            )
        };
        // github.com/aws/karpenter-provider-aws#8981.
        assert_eq!(told(&found("SGP102", &with("v1.7.15"))), ["warning aws_eks_node_group.this"]);
        assert_eq!(told(&found("SGP102", &with("v1.8.2"))), Vec::<String>::new());
    }
}
