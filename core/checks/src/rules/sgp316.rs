//! SGP316: running pods do not follow their policy.

use sgp_analysis::{
    matching::{Says, says},
    topology::Fact,
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::PolicyOf};

pub(super) static RULE: Rule = Rule {
    id: "SGP316",
    // Any change of a policy does it, and a plan has a section of its own for it.
    severity: Severity::Note,
    title: "Running pods keep the groups that they have",
    consequence: "Policies count when a pod is made: after the apply these pods still have their old groups.",
    fix: "Restart what makes them: sgp apply -rollout, or kubectl rollout restart.",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s#11",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: r#"
# A pod that runs.
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "backend-0", namespace = "app", labels = { app = "backend" } }
    spec       = { containers = [{ name = "backend" }] }
    status     = { phase = "Running" }
  }
}
"#,
        wrong: r#"
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "backend-0", namespace = "app", labels = { app = "backend" } }
    spec       = { containers = [{ name = "backend" }] }
    status     = { phase = "Running" }
  }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id, "sg-0123456789abcdef0"]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id, "sg-0123456789abcdef0"]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in facts.policies() {
        let pods = if facts.changes(policy) { running(facts, policy) } else { Vec::new() };
        if pods.is_empty() {
            continue;
        }
        let shown: Vec<&str> = pods.iter().take(5).map(String::as_str).collect();
        let more =
            if pods.len() > shown.len() { format!(" and {} more", pods.len() - shown.len()) } else { String::new() };
        let what = format!("The {} changes, and it is for pods that run: {}{more}.", policy.who(), shown.join(", "));
        found.push(RULE.finding(policy.addr(), what));
    }
    found
}

/// Pods that run before and after, and that the policy is for.
fn running(facts: &Facts<'_>, policy: &PolicyOf<'_>) -> Vec<String> {
    let Some(before) = facts.input.topology_before.clusters.get(policy.cluster_name) else { return Vec::new() };
    let mut names = Vec::new();
    for (key, pod) in before.pods.iter().filter(|(key, _)| key.namespace == policy.namespace) {
        let account = pod.template.service_account.known().and_then(|name| {
            before.service_accounts.get(&(key.namespace.clone(), name.clone())).map(|it| it.labels.clone())
        });
        let stays = policy.cluster.pods.contains_key(key) && pod.phase == "Running" && !pod.template.is_host_network;
        if stays && says(policy.policy, &pod.template.labels, &account.unwrap_or(Fact::Unknown)) == Says::Matches {
            names.push(key.name.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use crate::testing::{WORKING, change};

    #[test]
    fn labels_of_the_policy_change_nothing() {
        let pod = super::RULE.examples.before;
        let policy = WORKING
            .replace("  name               = \"backend\"", "  name = \"backend\"\n  labels = { team = \"orders\" }");
        assert_ne!(policy, WORKING);
        let found = change(&[WORKING, pod], &[&policy, pod]);
        assert!(!found.iter().any(|it| it.rule == "SGP316"), "{found:#?}");
    }
}
