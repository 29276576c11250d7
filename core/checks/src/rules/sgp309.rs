//! SGP309: a policy in a namespace that does not exist.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP309",
    severity: Severity::Error,
    title: "Policy in a namespace that does not exist",
    consequence: "The API server refuses the policy, and the apply stops there.",
    fix: "Make the namespace with `kubernetes_namespace_v1`, and refer to its name.",
    sources: &["kubernetes.io/docs/concepts/overview/working-with-objects/namespaces"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "backend"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = kubernetes_namespace_v1.app.metadata[0].name
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    },
    check,
};

/// Namespaces that every cluster has.
const GIVEN: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies() {
        // A cluster that comes into being holds what the plan makes in it.
        let is_new = facts.is_made(policy.cluster.managed_by.as_ref()) && facts.is_made(policy.addr());
        // Add-ons bring namespaces of theirs.
        let is_brought = ["amazon-", "aws-", "eks-"].iter().any(|it| policy.namespace.starts_with(it));
        let is_there =
            is_brought || GIVEN.contains(&policy.namespace) || policy.cluster.namespaces.contains_key(policy.namespace);
        let is_sure = policy.cluster.is_complete || is_new;
        if is_sure && !is_there && !sgp_model::symbol::is_in(policy.namespace) && !has_unnamed(facts, policy.cluster) {
            let what = format!(
                "Cluster {} has no namespace {} for the {}.",
                policy.cluster_name,
                policy.namespace,
                policy.who()
            );
            found.push(RULE.finding(policy.addr(), what).attribute(policy.path("namespace", &[])));
        }
    }
    found
}

/// Whether a namespace has a name that is not known yet.
fn has_unnamed(facts: &Facts<'_>, cluster: &sgp_analysis::topology::Cluster) -> bool {
    // The older name of the type is not read.
    if facts.of_kind("kubernetes_namespace").next().is_some() {
        return true;
    }
    let mut typed = facts.of_kind("kubernetes_namespace_v1");
    let is_unnamed = typed.any(|(_, it)| it.block("metadata").is_none_or(|it| it.text("name").is_none()))
        || facts.manifests("Namespace").any(|it| it.name().is_empty());
    is_unnamed || cluster.namespaces.keys().any(|it| sgp_model::symbol::is_in(it))
}
