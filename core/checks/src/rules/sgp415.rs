//! SGP415: EKS Pod Identity in strict mode.

use sgp_analysis::topology::{Cluster, Id};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::is_strict};

pub(super) static RULE: Rule = Rule {
    id: "SGP415",
    severity: Severity::Error,
    title: "EKS Pod Identity in strict mode",
    consequence: "Pods with branch interfaces do not reach the agent on their node (169.254.170.23), and get no credentials.",
    fix: "Use an IAM role for service accounts (IRSA), or standard mode.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#2797",
        "github.com/aws/amazon-vpc-cni-k8s#3557",
        "github.com/aws/amazon-vpc-resource-controller-k8s#618",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name      = "backend"
    namespace = "app"
    labels    = { network = "orders" }
  }
}

resource "aws_eks_pod_identity_association" "backend" {
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "app"
  service_account = "backend"
  role_arn        = "arn:aws:iam::123456789012:role/orders"
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  service_account_selector {
    match_labels = { network = "orders" }
  }
}
"#,
        right: r#"
resource "kubernetes_service_account_v1" "backend" {
  metadata {
    name        = "backend"
    namespace   = "app"
    labels      = { network = "orders" }
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::123456789012:role/orders" }
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  service_account_selector {
    match_labels = { network = "orders" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (object, view) in facts.of_kind("aws_eks_pod_identity_association") {
        let Some((name, cluster)) = facts.cluster_of(&view).filter(|(_, it)| is_strict(it)) else { continue };
        let (Some(namespace), Some(account)) = (view.text("namespace"), view.text("service_account")) else { continue };
        if let Some(who) = who_has_branches(facts, name, cluster, namespace, account) {
            let what = format!("Pods of service account {namespace}/{account} get branch interfaces: {who}.");
            found.push(RULE.finding(object.addr.as_ref(), what));
        }
    }
    found
}

/// Something that says that pods of a service account have branch interfaces.
fn who_has_branches(facts: &Facts<'_>, name: &Id, cluster: &Cluster, namespace: &str, account: &str) -> Option<String> {
    let mut here = facts.pods().iter().filter(|it| it.cluster_name == name && it.namespace == namespace);
    let is_of_account = |it: Option<&String>| it.is_some_and(|it| it == account);
    if let Some(pods) = here.find(|it| is_of_account(it.template.service_account.known()) && it.has_branch()) {
        return Some(pods.who());
    }
    let labels =
        cluster.service_accounts.get(&(namespace.to_owned(), account.to_owned())).and_then(|it| it.labels.known());
    let mut policies = facts.policies().iter().filter(|it| it.cluster_name == name && it.namespace == namespace);
    let is_for_account = |it: &crate::facts::PolicyOf<'_>| match (&it.policy.pods, &it.policy.service_accounts) {
        (None, Some(selector)) => labels.is_some_and(|labels| selector.matches(labels)),
        _ => it.is_for_everything(),
    };
    policies.find(|it| it.is_for_nodes() && is_for_account(it)).map(|it| it.who())
}
