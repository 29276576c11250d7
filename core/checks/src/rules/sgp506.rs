//! SGP506: what Fargate does not have.

use sgp_analysis::{matching::is_like, topology::Cluster};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP506",
    severity: Severity::Error,
    title: "Pod Identity or NetworkPolicies on Fargate",
    consequence: "Fargate has neither: pods get no credentials from Pod Identity, and NetworkPolicies keep nothing out.",
    fix: "Use an IAM role for service accounts (IRSA) and security groups there, or run the pods on nodes.",
    sources: &[
        "Amazon EKS user guide, \"Learn how EKS Pod Identity grants Pods access to AWS services\"",
        "Amazon EKS user guide, \"Limit Pod traffic with Kubernetes network policies\"",
    ],
    live: Live::Both,
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

resource "aws_eks_pod_identity_association" "jobs" {
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "jobs"
  service_account = "jobs"
  role_arn        = "arn:aws:iam::123456789012:role/jobs"
}
"#,
        right: r#"
resource "aws_eks_pod_identity_association" "jobs" {
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "jobs"
  service_account = "jobs"
  role_arn        = "arn:aws:iam::123456789012:role/jobs"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (object, view) in facts.of_kind("aws_eks_pod_identity_association") {
        let namespace = view.text("namespace").unwrap_or_default();
        if facts.cluster_of(&view).is_some_and(|(_, it)| is_all_fargate(it, namespace)) {
            let what = format!("All pods of namespace {namespace} run on Fargate.");
            found.push(RULE.finding(object.addr.as_ref(), what));
        }
    }
    for (object, view) in facts.of_kind("kubernetes_network_policy_v1") {
        let metadata = view.block("metadata");
        let namespace = metadata.as_ref().and_then(|it| it.text("namespace")).unwrap_or("default");
        if facts.cluster_of(&view).is_some_and(|(_, it)| is_all_fargate(it, namespace)) {
            let what = format!("All pods of namespace {namespace} run on Fargate.");
            found.push(RULE.finding(object.addr.as_ref(), what).at_most(Severity::Warning));
        }
    }
    found
}

/// Whether a Fargate profile takes every pod of a namespace.
fn is_all_fargate(cluster: &Cluster, namespace: &str) -> bool {
    let mut selectors = cluster.fargate_profiles.values().flat_map(|it| &it.selectors);
    selectors.any(|it| it.labels.is_empty() && is_like(&it.namespace, namespace))
}
