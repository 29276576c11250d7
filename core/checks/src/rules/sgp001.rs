//! SGP001: the cluster's role may not make interfaces.

use sgp_analysis::topology::Fact;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

/// What lets the controller make interfaces for pods.
pub(super) const POLICY: &str = "AmazonEKSVPCResourceController";

pub(super) static RULE: Rule = Rule {
    id: "SGP001",
    severity: Severity::Error,
    title: "Cluster role without AmazonEKSVPCResourceController",
    consequence: "EKS makes trunk and branch interfaces with the cluster's role. Without the policy nodes get no trunk \
                  (event TrunkENICreationFailed), and pods stay Pending: Insufficient vpc.amazonaws.com/pod-eni.",
    fix: "Attach AmazonEKSVPCResourceController to the role that `role_arn` of the cluster names.",
    sources: &[
        "Amazon EKS user guide, \"Configure the Amazon VPC CNI plugin for Kubernetes for security groups for Amazon EKS Pods\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s: docs/troubleshooting.md",
        "github.com/aws/amazon-vpc-cni-k8s#1203",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}
"#,
        right: r#"
resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let role = cluster.role.known().and_then(|it| facts.role_of(it.as_str()));
        let Some(role) = role.filter(|_| facts.wants_branches(name, cluster)) else { continue };
        let is_auto = cluster.is_auto == Fact::Known(true);
        if is_auto || role.has(POLICY) || role.allows("ec2:CreateNetworkInterface") {
            continue;
        }
        let what = format!("Pods of cluster {name} are to have security groups, and its role lacks the policy.");
        let finding = RULE.finding(role.object.addr.as_ref(), what);
        found.push(if role.may_have_more { finding.at_most(Severity::Warning) } else { finding });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::{WORKING, change, rows, told};

    const WITHOUT: &str = r#"
      resource "aws_iam_role_policy_attachment" "cluster" {
        role       = aws_iam_role.cluster.name
        policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
      }"#;

    #[test]
    fn other_policies_may_allow_it_too() {
        let with = |more: &str| format!("{WITHOUT}\n{more}");
        let inline = |action: &str| {
            with(&format!(
                r#"resource "aws_iam_role_policy" "own" {{
                  role   = aws_iam_role.cluster.id
                  policy = jsonencode({{ Statement = {{ Effect = "Allow", Action = ["{action}"], Resource = "*" }} }})
                }}"#
            ))
        };
        rows(
            "SGP001",
            &[
                (WITHOUT, &["error aws_iam_role.cluster"]),
                (&inline("ec2:*NetworkInterface*"), &[]),
                (&inline("s3:*"), &["error aws_iam_role.cluster"]),
                (&inline("s3:*").replace("Action = ", "NotAction = "), &[]),
                // A policy whose text is nowhere may allow it.
                (
                    &with(
                        "resource \"aws_iam_role_policy_attachment\" \"x\" {\nrole = aws_iam_role.cluster.name\npolicy_arn = var.arn\n}",
                    ),
                    &["warning aws_iam_role.cluster"],
                ),
            ],
        );
    }

    #[test]
    fn a_role_that_exists_may_have_been_given_it_elsewhere() {
        let found = change(&[WORKING, WITHOUT], &[WORKING, WITHOUT]);
        assert_eq!(told(&found), ["warning aws_iam_role.cluster"]);
    }

    #[test]
    fn clusters_without_pods_of_their_own_groups_need_nothing() {
        let none = "removed {\nfrom = sgp_pod_eni.this\n}\nremoved {\nfrom = sgp_security_group_policy.backend\n}";
        rows("SGP001", &[(&format!("{WITHOUT}\n{none}"), &[])]);
    }
}
