//! SGP021: what EKS installs for pod groups is gone.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP021",
    severity: Severity::Error,
    title: "Webhook of the VPC resource controller is missing",
    consequence: "Pods are made with the groups of their nodes, and nothing says so.",
    fix: "Restore it from the repository of the controller (config/webhook), or ask AWS's support.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: docs/troubleshooting.md",
        "github.com/aws/amazon-vpc-resource-controller-k8s#167",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
# As it is in the cluster: the webhook for pods has no rules any more.
resource "kubernetes_manifest" "webhook" {
  manifest = {
    apiVersion = "admissionregistration.k8s.io/v1"
    kind       = "MutatingWebhookConfiguration"
    metadata   = { name = "vpc-resource-mutating-webhook" }
    webhooks   = []
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "webhook" {
  manifest = {
    apiVersion = "admissionregistration.k8s.io/v1"
    kind       = "MutatingWebhookConfiguration"
    metadata   = { name = "vpc-resource-mutating-webhook" }
    webhooks   = [{ name = "mpod.vpc.k8s.aws", failurePolicy = "Ignore" }]
  }
}
"#,
    },
    check,
};

const KIND: &str = "MutatingWebhookConfiguration";
const NAME: &str = "vpc-resource-mutating-webhook";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        let all: Vec<_> = facts.manifests(KIND).filter(|it| it.is_in(name)).collect();
        if !all.iter().all(|it| it.is_whole()) {
            continue;
        }
        match all.iter().find(|it| it.name() == NAME) {
            Some(it) => {
                let hooks = it.json["webhooks"].as_array();
                if !hooks.is_some_and(|hooks| hooks.iter().any(|hook| hook["name"] == "mpod.vpc.k8s.aws")) {
                    let what = format!("{KIND} {NAME} of cluster {name} has no webhook for pods.");
                    found.push(RULE.finding(it.addr(), what));
                }
            }
            // A cluster always has others, so that none at all says that nobody looked.
            None if cluster.is_complete && !all.is_empty() => {
                found.push(RULE.finding(cluster.managed_by.as_ref(), format!("Cluster {name} has no {KIND} {NAME}.")));
            }
            None => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::live_rows;

    #[test]
    fn nothing_is_missing_that_nobody_looked_for() {
        let object = |kind: &str, name: &str| {
            format!(
                "resource \"kubernetes_manifest\" \"live_x\" {{\nmanifest = {{ kind = \"{kind}\", metadata = {{ name = \"{name}\" }}, \
                 webhooks = [{{ name = \"mpod.vpc.k8s.aws\" }}] }}\n}}"
            )
        };
        live_rows(
            "SGP021",
            &[
                (&object("ConfigMap", "x"), &[]),
                (&object("MutatingWebhookConfiguration", "pod-identity-webhook"), &["error aws_eks_cluster.this"]),
                (&object("MutatingWebhookConfiguration", "vpc-resource-mutating-webhook"), &[]),
            ],
        );
    }
}
