//! SGP002: the policy is attached to the wrong role.

use super::sgp001::POLICY;
use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Role, statements, texts_or_one},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP002",
    severity: Severity::Error,
    title: "AmazonEKSVPCResourceController on a role that is no cluster's",
    consequence: "The controller runs with the cluster's role only; on a role of nodes or of pods the policy has no effect.",
    fix: "Attach it to the role that `role_arn` of the cluster names.",
    sources: &[
        "github.com/aws-samples/eks-workshop#1501",
        "Amazon EKS user guide, \"Configure the Amazon VPC CNI plugin for Kubernetes for security groups for Amazon EKS Pods\"",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_role" "node" {
  name               = "orders-node"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKSVPCResourceController"])
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}
"#,
        right: r#"
resource "aws_iam_role" "node" {
  name               = "orders-node"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy"])
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of_clusters = facts.clusters().filter_map(|(_, it)| facts.role_of(it.role.known()?.as_str()));
    let of_clusters: Vec<&Role<'_>> = of_clusters.collect();
    // It is in the wrong place "instead" only where a cluster lacks it.
    let is_missed = of_clusters.iter().any(|it| !it.has(POLICY));
    let severity = match (is_missed, of_clusters.is_empty()) {
        (true, _) => Severity::Error,
        (false, true) => Severity::Warning,
        (false, false) => Severity::Note,
    };
    let mut found = Vec::new();
    for role in facts.roles().iter().filter(|it| is_for_others(it)) {
        if of_clusters.iter().any(|it| std::ptr::eq(*it, role)) {
            continue;
        }
        for (_, addr) in role.policies.iter().filter(|(arn, _)| Role::policy_name(arn) == POLICY) {
            let what = "The role can be taken by no cluster.";
            found.push(RULE.finding(addr.or(role.object.addr.as_ref()), what).at_most(severity));
        }
    }
    found
}

/// Whether it is known who may take the role, and EKS's clusters may not.
fn is_for_others(role: &Role<'_>) -> bool {
    let Some(trust) = role.trust() else { return false };
    let services: Vec<&str> =
        statements(&trust).iter().flat_map(|it| texts_or_one(&it["Principal"]["Service"])).collect();
    !services.iter().any(|it| it.starts_with("eks.amazonaws.com"))
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    #[test]
    fn beside_the_right_place_it_does_no_harm() {
        let node = r#"
          resource "aws_iam_role" "node" {
            name               = "n"
            assume_role_policy = jsonencode({ Statement = [{ Principal = { Service = ["ec2.amazonaws.com"] } }] })
          }
          resource "aws_iam_role_policy_attachment" "node" {
            role       = aws_iam_role.node.name
            policy_arn = "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController"
          }"#;
        rows("SGP002", &[(node, &["note aws_iam_role_policy_attachment.node"])]);
    }
}
