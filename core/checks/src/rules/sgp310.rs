//! SGP310: a policy that selects nothing.

use sgp_analysis::{
    matching::{Says, says},
    topology::{Fact, Labels},
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Manifest, PolicyOf},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP310",
    severity: Severity::Warning,
    title: "Policy that selects no pod",
    consequence: "Nothing gets its groups, without an error: policies look at labels of pods, not at those of what makes the pods.",
    fix: "Put the labels into the pod template (`spec.template.metadata.labels`), or mend the selector.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: docs/troubleshooting.md",
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app", labels = { app = "backend" } }
    spec = {
      selector = { matchLabels = { name = "backend" } }
      template = {
        metadata = { labels = { name = "backend" } }
        spec     = { containers = [{ name = "backend" }] }
      }
    }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app", labels = { app = "backend" } }
    spec = {
      selector = { matchLabels = { name = "backend" } }
      template = {
        metadata = { labels = { name = "backend", app = "backend" } }
        spec     = { containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.policies().iter().filter(|it| it.counts()).filter_map(|it| judge(facts, it)).collect()
}

fn judge(facts: &Facts<'_>, policy: &PolicyOf<'_>) -> Option<Finding> {
    let beside =
        |it: &&crate::facts::Pods<'_>| it.cluster_name == policy.cluster_name && it.namespace == policy.namespace;
    let may_match = |it: &crate::facts::Pods<'_>| {
        it.membership
            .opinions
            .iter()
            .any(|it| it.policy == policy.name && matches!(it.says, Says::Matches | Says::Unknown))
    };
    let runs = policy.cluster.pods.iter().any(|(key, pod)| {
        key.namespace == policy.namespace
            && matches!(says(policy.policy, &pod.template.labels, &Fact::Unknown), Says::Matches | Says::Unknown)
    });
    let pods: Vec<_> = facts.pods().iter().filter(beside).collect();
    if runs || pods.iter().any(|it| may_match(it)) {
        return None;
    }
    let labelled = pods.iter().find(|it| is_labelled(facts, it.addr, policy));
    let (what, worst) = match labelled {
        Some(it) => {
            (format!("{} has the labels of the {} itself, and its pods do not.", it.who(), policy.who()), RULE.severity)
        }
        // Policies come before their workloads.
        None if policy.cluster.is_complete => {
            (format!("The {} matches nothing that is in the cluster.", policy.who()), Severity::Note)
        }
        None => return None,
    };
    Some(RULE.finding(policy.addr(), what).at_most(worst).attribute(policy.path("pod_selector", &["podSelector"])))
}

/// Whether an object's own labels are those that the policy wants of pods.
fn is_labelled(facts: &Facts<'_>, addr: Option<&sgp_model::InstanceAddr>, policy: &PolicyOf<'_>) -> bool {
    let kinds = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
    let mut all = kinds.iter().flat_map(|kind| facts.manifests(kind));
    let Some(manifest) = all.find(|it| it.addr() == addr && addr.is_some()) else { return false };
    let selector = policy.policy.pods.as_ref().filter(|it| !it.is_everything());
    selector.is_some_and(|it| it.matches(&labels(manifest)))
}

fn labels(manifest: &Manifest<'_>) -> Labels {
    let labels = manifest.json["metadata"]["labels"].as_object().into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::live_rows;

    #[test]
    fn a_cluster_that_was_looked_into_shows_its_pods() {
        let pod = |app: &str| {
            format!(
                "resource \"kubernetes_manifest\" \"live_pod\" {{\nmanifest = {{ kind = \"Pod\", metadata = {{ name = \"b\", namespace = \
                 \"app\", labels = {{ app = \"{app}\" }} }}, spec = {{ containers = [] }}, status = {{ phase = \"Running\" }} }}\n}}"
            )
        };
        live_rows("SGP310", &[(&pod("other"), &["note sgp_security_group_policy.backend"]), (&pod("backend"), &[])]);
    }
}
