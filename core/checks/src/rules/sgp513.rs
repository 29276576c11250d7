//! SGP513: a role that EKS Pod Identity may not take.

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{statements, texts_or_one},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP513",
    severity: Severity::Error,
    title: "Trust policy that EKS Pod Identity does not fulfil",
    consequence: "Pods get no credentials.",
    fix: "Trust service pods.eks.amazonaws.com with sts:AssumeRole and sts:TagSession.",
    sources: &["Amazon EKS user guide, \"Assign an IAM role to a Kubernetes service account\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_iam_role" "jobs" {
  name = "orders-jobs"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "pods.eks.amazonaws.com" } }]
  })
}

resource "aws_eks_pod_identity_association" "jobs" {
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "jobs"
  service_account = "jobs"
  role_arn        = aws_iam_role.jobs.arn
}
"#,
        right: r#"
resource "aws_iam_role" "jobs" {
  name = "orders-jobs"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
    }]
  })
}

resource "aws_eks_pod_identity_association" "jobs" {
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "jobs"
  service_account = "jobs"
  role_arn        = aws_iam_role.jobs.arn
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (object, view) in facts.of_kind("aws_eks_pod_identity_association") {
        let role = view.text("role_arn").and_then(|it| facts.role_of(it));
        let Some((role, trust)) = role.and_then(|it| Some((it, it.trust()?))) else { continue };
        let of_pods = statements(&trust).into_iter().filter(|it| {
            it["Effect"] == "Allow" && texts_or_one(&it["Principal"]["Service"]).contains(&"pods.eks.amazonaws.com")
        });
        let actions: Vec<&str> = of_pods.flat_map(|it| texts_or_one(&it["Action"])).collect();
        let allows = |wanted: &str| actions.iter().any(|it| *it == wanted || *it == "sts:*" || *it == "*");
        let missing: Vec<&str> = ["sts:AssumeRole", "sts:TagSession"].into_iter().filter(|it| !allows(it)).collect();
        if !missing.is_empty() {
            let what =
                format!("The role of the association does not allow pods.eks.amazonaws.com {}.", missing.join(" and "));
            found.push(
                RULE.finding(role.object.addr.as_ref().or(object.addr.as_ref()), what).attr("assume_role_policy"),
            );
        }
    }
    found
}
