//! SGP003: the cluster's role lacks the policy that every cluster needs.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP003",
    severity: Severity::Error,
    title: "Cluster role without AmazonEKSClusterPolicy",
    consequence: "AmazonEKSVPCResourceController has no Describe calls and no tagging; the controller has them from \
                  AmazonEKSClusterPolicy. Without it nodes get no trunk: UnauthorizedOperation.",
    fix: "Attach both policies to the cluster's role.",
    sources: &[
        "AWS managed policy reference, AmazonEKSVPCResourceController",
        "AWS managed policy reference, AmazonEKSClusterPolicy",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSVPCResourceController"])
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
        let is_allowed = role.allows("ec2:DescribeNetworkInterfaces") && role.allows("ec2:CreateTags");
        if role.has("AmazonEKSClusterPolicy") || is_allowed {
            continue;
        }
        let finding = RULE.finding(role.object.addr.as_ref(), format!("The role of cluster {name} lacks the policy."));
        found.push(if role.may_have_more { finding.at_most(Severity::Warning) } else { finding });
    }
    found
}
