//! SGP606: the controller loses its permission.

use sgp_analysis::build::View;
use sgp_model::plan::Action;

use super::sgp001::POLICY;
use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Role};

pub(super) static RULE: Rule = Rule {
    id: "SGP606",
    severity: Severity::Error,
    title: "AmazonEKSVPCResourceController is detached from a cluster's role",
    consequence: "The controller can delete no interface any more: branch interfaces stay behind, and with them groups and subnets.",
    fix: "Remove policies and pods first and wait until the branch interfaces are gone, or keep the attachment.",
    sources: &[
        "AWS managed policy reference, AmazonEKSVPCResourceController",
        "github.com/aws/amazon-vpc-resource-controller-k8s: pkg/aws/ec2/api/wrapper.go",
    ],
    live: Live::Both,
    examples: Examples {
        before: r#"
resource "aws_iam_role_policy_attachment" "controller" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController"
}
"#,
        wrong: r#"
resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(["AmazonEKSClusterPolicy"])
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}
"#,
        right: "",
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for object in facts.input.before.iter().filter(|it| it.kind == "aws_iam_role_policy_attachment") {
        let view = View(&object.attributes);
        let is_it = view.text("policy_arn").is_some_and(|it| Role::policy_name(it) == POLICY);
        let goes = facts.action(object.addr.as_ref()) == Action::Delete;
        let Some(role) = view.text("role").filter(|_| is_it && goes).and_then(|it| facts.role_of(it)) else { continue };
        // Another attachment may take its place.
        if role.has(POLICY) || role.allows("ec2:DeleteNetworkInterface") {
            continue;
        }
        for (name, cluster) in
            facts.clusters().filter(|(_, it)| it.role.known().is_some_and(|it| role.is_meant(it.as_str())))
        {
            let before = facts.input.topology_before.clusters.get(name);
            let pods = before.map_or(0, |it| it.pods.values().filter(|it| it.branch.is_some()).count());
            let severity = match (pods > 0 || facts.wants_branches(name, cluster), before) {
                (true, _) => Severity::Error,
                (false, Some(it)) if !it.policies.is_empty() => Severity::Warning,
                _ => continue,
            };
            let what = format!("The role is that of cluster {name}, whose pods have or had branch interfaces.");
            found.push(RULE.finding(object.addr.as_ref(), what).at_most(severity));
        }
    }
    found
}
