//! SGP607: a node's CNINode does not go.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP607",
    severity: Severity::Warning,
    title: "CNINode that does not go",
    consequence: "Its finalizer networking.k8s.aws/resource-cleanup waits for the controller, which may have lost its permission \
                  (event CNINodeDeletionFailed).",
    fix: "Look at the policies of the cluster's role; see SGP001 and SGP003.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: controllers/crds/cninode_controller.go"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# As it is in the cluster.
resource "kubernetes_manifest" "node" {
  manifest = {
    apiVersion = "vpcresources.k8s.aws/v1alpha1"
    kind       = "CNINode"
    metadata   = { name = "node-1", deletionTimestamp = "2026-01-01T00:00:00Z", finalizers = ["networking.k8s.aws/resource-cleanup"] }
  }
}
"#,
        right: "",
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let going = facts.manifests("CNINode").filter(|it| it.json["metadata"]["deletionTimestamp"].is_string());
    going.map(|it| RULE.finding(it.addr(), format!("CNINode {} is being deleted.", it.name()))).collect()
}
