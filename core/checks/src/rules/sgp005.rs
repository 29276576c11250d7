//! SGP005: a boundary on the cluster's role.

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::document_allows};

pub(super) static RULE: Rule = Rule {
    id: "SGP005",
    severity: Severity::Warning,
    title: "Permissions boundary without network interfaces",
    consequence: "A boundary limits what the policies of the role give, so the controller may not make interfaces in spite of them.",
    fix: "Let the boundary allow what AmazonEKSVPCResourceController allows.",
    sources: &[
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/aws/ec2/api/wrapper.go",
        "IAM user guide, \"Permissions boundaries for IAM entities\"",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_policy" "boundary" {
  name = "boundary"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:*", "logs:*"], Resource = "*" }]
  })
}

resource "aws_iam_role" "cluster" {
  name                 = "orders-cluster"
  permissions_boundary = aws_iam_policy.boundary.arn
}
"#,
        right: r#"
resource "aws_iam_policy" "boundary" {
  name = "boundary"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["ec2:*", "eks:*", "iam:*", "elasticloadbalancing:*"], Resource = "*" }]
  })
}

resource "aws_iam_role" "cluster" {
  name                 = "orders-cluster"
  permissions_boundary = aws_iam_policy.boundary.arn
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        let role = cluster.role.known().and_then(|it| facts.role_of(it.as_str()));
        let Some((role, boundary)) = role.and_then(|it| Some((it, it.view.text("permissions_boundary")?))) else {
            continue;
        };
        let policy = facts.meant_by(boundary, "aws_iam_policy", &["arn", "id"]);
        let document = policy.and_then(|(_, view)| serde_json::from_str(view.text("policy")?).ok());
        if document.is_some_and(|it| !document_allows(&it, "ec2:CreateNetworkInterface")) {
            let what = format!("The boundary of the role of cluster {name} does not allow ec2:CreateNetworkInterface.");
            found.push(RULE.finding(role.object.addr.as_ref(), what).attr("permissions_boundary"));
        }
    }
    found
}
