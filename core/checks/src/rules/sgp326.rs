//! SGP326: pods that run without their groups.

use std::collections::BTreeSet;

use sgp_analysis::{
    running::{Groups, Kept, kept},
    topology::{Id, PodKey},
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP326",
    severity: Severity::Warning,
    title: "Pod that runs without its groups",
    consequence: "Their traffic passes other groups than the policies say. They were made before the policy, or while the webhook was away.",
    fix: "Have them made anew: sgp apply -rollout, or delete the pods.",
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
    let (before, after) = (facts.input.topology_before, facts.input.topology);
    // A pod that is not there any more afterwards needs nothing.
    let stays = |it: &Kept| {
        let (cluster, namespace, ..) = &it.workload;
        let there = after.clusters.get(cluster);
        it.pods.iter().any(|name| {
            let key = PodKey { namespace: namespace.clone(), name: name.clone() };
            there.is_some_and(|it| it.pods.contains_key(&key))
        })
    };
    let found = kept(before, before, &BTreeSet::new());
    found.iter().filter(|it| stays(it)).filter_map(difference).map(|what| RULE.finding(None, what)).collect()
}

fn difference(kept: &Kept) -> Option<String> {
    let Groups::Own(wanted) = &kept.then else { return None };
    // A reference stands for an id that is not compared here.
    if kept.now != Groups::OfNodes && wanted.iter().any(Id::is_symbolic) {
        return None;
    }
    let list = |ids: &[Id]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (_, namespace, kind, name) = &kept.workload;
    let shown: Vec<&str> = kept.pods.iter().take(3).map(String::as_str).collect();
    let more = kept.pods.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let who = if kind == "Pod" { String::new() } else { format!(" of {kind} {namespace}/{name}") };
    let (pods, verb) = if kept.pods.len() == 1 { ("Pod", "has") } else { ("Pods", "have") };
    let now = match &kept.now {
        Groups::Own(now) => list(now),
        _ => "no interface of their own".to_owned(),
    };
    Some(format!(
        "{pods} {}{more} in {namespace}{who} {verb} {now} where policies say {}.",
        shown.join(", "),
        list(wanted)
    ))
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
