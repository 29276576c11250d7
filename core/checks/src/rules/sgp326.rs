//! SGP326: pods that run without their groups.

use sgp_analysis::{
    matching::{Attachment, membership},
    topology::{Cluster, Fact, Pod, PodKey},
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP326",
    severity: Severity::Warning,
    title: "Pod that runs without its groups",
    consequence: "Its traffic passes other groups than the policy says. It was made before the policy, or while the webhook was away.",
    fix: "Delete the pod, so that it is made anew.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s#167", "github.com/aws/amazon-vpc-cni-k8s#2163"],
    live: Live::Both,
    examples: Examples {
        before: r#"
# A pod that runs.
resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "backend-0", namespace = "app", labels = { app = "backend" } }
    spec       = { nodeName = "node-1", containers = [{ name = "backend" }] }
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
    spec       = { nodeName = "node-1", containers = [{ name = "backend" }] }
    status     = { phase = "Running" }
  }
}
"#,
        right: "",
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in &facts.input.topology_before.clusters {
        // A pod that is not there any more afterwards needs nothing.
        let after = facts.input.topology.clusters.get(name);
        for (key, pod) in cluster.pods.iter().filter(|(key, _)| after.is_some_and(|it| it.pods.contains_key(*key))) {
            if let Some(what) = difference(facts, cluster, key, pod) {
                found.push(RULE.finding(None, what));
            }
        }
    }
    found
}

fn difference(facts: &Facts<'_>, cluster: &Cluster, key: &PodKey, pod: &Pod) -> Option<String> {
    if pod.phase != "Running" || pod.is_fargate {
        return None;
    }
    let Attachment::Branch(wanted) = membership(cluster, &key.namespace, &pod.template).attachment else { return None };
    let who = format!("Pod {}/{}", key.namespace, key.name);
    let Some(branch) = &pod.branch else {
        return Some(format!("{who} is matched by a policy and has no interface of its own."));
    };
    let (Fact::Known(wanted), Some(interface)) = (wanted, facts.input.topology_before.interfaces.get(branch)) else {
        return None;
    };
    let is_same = wanted.len() == interface.groups.len() && wanted.iter().all(|id| interface.groups.contains(id));
    // A reference stands for an id that is not compared here.
    let is_open = wanted.iter().any(|id| id.is_symbolic());
    (!is_same && !is_open).then(|| {
        let list =
            |ids: &[sgp_analysis::topology::Id]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!("{who} has {} where policies say {}.", list(&interface.groups), list(&wanted))
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::live_rows;

    /// A pod, its annotation and the groups of its interface.
    fn pod(labels: &str, branch: bool, groups: &str) -> String {
        let annotation = r#"annotations = { "vpc.amazonaws.com/pod-eni" = "[{\"eniId\":\"eni-1\"}]" }"#;
        format!(
            r#"
            resource "kubernetes_manifest" "live_pod" {{
              manifest = {{
                kind     = "Pod"
                metadata = {{ name = "b", namespace = "app", labels = {{ {labels} }}, {} }}
                spec     = {{ nodeName = "node-1", containers = [] }}
                status   = {{ phase = "Running" }}
              }}
            }}
            resource "aws_network_interface" "live_branch" {{
              id             = "eni-1"
              interface_type = "branch"
              status         = "in-use"
              vpc_id         = aws_vpc.this.id
              subnet_id      = aws_subnet.a.id
              security_groups = [{groups}]
            }}"#,
            if branch { annotation } else { "" }
        )
    }

    #[test]
    fn running_pods_are_compared_with_their_policies() {
        let (ours, right) = ("app = \"backend\"", "aws_security_group.backend.id");
        live_rows(
            "SGP326",
            &[
                (&pod(ours, true, right), &[]),
                (&pod(ours, true, "\"sg-00000001\""), &["warning -"]),
                (&pod(ours, false, right), &["warning -"]),
                (&pod("app = \"other\"", false, right), &[]),
            ],
        );
    }
}
