//! SGP203: more groups than an interface takes.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

/// The quota "security groups per network interface" (L-2AFB9258) of an account that asked for nothing.
pub(super) const USUAL: usize = 5;
/// What that quota can be raised to.
const MOST: usize = 16;

pub(super) static RULE: Rule = Rule {
    id: "SGP203",
    severity: Severity::Error,
    title: "More groups than an interface takes",
    consequence: "Groups of all policies that match a pod add up. Above the quota EC2 refuses the interface, and the pod hangs in \
                  creation.",
    fix: "Join groups, or raise the quota \"Security groups per network interface\" (L-2AFB9258): 5 by default, 16 at most.",
    sources: &[
        "Amazon VPC user guide, \"Amazon VPC quotas\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s#155",
        "github.com/aws/amazon-vpc-resource-controller-k8s#664",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "sgp_security_group_policy" "backend" {
  cluster_name = aws_eks_cluster.this.name
  name         = "backend"
  namespace    = "app"
  security_group_ids = [
    aws_security_group.backend.id,
    "sg-00000001", "sg-00000002", "sg-00000003", "sg-00000004", "sg-00000005",
  ]

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
  security_group_ids = [aws_security_group.backend.id, "sg-00000001", "sg-00000002"]

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
    for policy in facts.policies().iter().filter(|it| it.is_for_nodes()) {
        let Some(groups) = policy.policy.groups.known() else { continue };
        let what = |count| format!("The {} alone has {count} groups.", policy.who());
        found.extend(
            judge(groups.len(), what)
                .map(|it| RULE.finding(policy.addr(), it.0).at_most(it.1).attribute(policy.groups_path())),
        );
    }
    for pods in facts.pods() {
        // One policy alone was told above.
        let Some(groups) = pods.branch_groups().filter(|_| pods.membership.policies().count() > 1) else { continue };
        let policies: Vec<&str> = pods.membership.policies().collect();
        let what = |count| format!("{} gets {count} groups by the policies {}.", pods.who(), policies.join(", "));
        found.extend(judge(groups.len(), what).map(|it| RULE.finding(pods.addr, it.0).at_most(it.1)));
    }
    found
}

fn judge(count: usize, what: impl Fn(usize) -> String) -> Option<(String, Severity)> {
    // The quota may have been raised.
    let severity = if count > MOST { Severity::Error } else { Severity::Warning };
    (count > USUAL).then(|| (what(count), severity))
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    fn policy(name: &str, first: u32, count: u32) -> String {
        let ids: Vec<String> = (first..first + count).map(|n| format!("\"sg-{n:08}\"")).collect();
        format!(
            "resource \"sgp_security_group_policy\" \"{name}\" {{\nname = \"{name}\"\nnamespace = \"app\"\n\
             security_group_ids = [{}]\npod_selector {{\nmatch_labels = {{ app = \"a\" }}\n}}\n}}\n",
            ids.join(", ")
        )
    }

    #[test]
    fn groups_of_all_policies_count() {
        let deployment = r#"
          resource "kubernetes_manifest" "a" {
            manifest = {
              kind     = "Deployment"
              metadata = { name = "a", namespace = "app" }
              spec     = { template = { metadata = { labels = { app = "a" } }, spec = { containers = [] } } }
            }
          }"#;
        let both = |second| format!("{}{}{deployment}", policy("a", 0, 3), policy("b", second, 3));
        rows(
            "SGP203",
            &[
                (&policy("a", 0, 17), &["error sgp_security_group_policy.a"]),
                (&policy("a", 0, 6), &["warning sgp_security_group_policy.a"]),
                (&policy("a", 0, 5), &[]),
                (&both(3), &["warning kubernetes_manifest.a"]),
                (&both(1), &[]),
            ],
        );
    }
}
