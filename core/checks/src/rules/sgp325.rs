//! SGP325: short jobs with interfaces of their own.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP325",
    severity: Severity::Note,
    title: "Jobs with branch interfaces",
    consequence: "Every run makes an interface and holds its place for a minute after the end; starts are slower, and many runs meet \
                  the rate limits of EC2.",
    fix: "Leave jobs that do not need the groups out of the selector.",
    sources: &[
        "Amazon EKS user guide, \"Assign security groups to individual Pods\"",
        "github.com/aws/amazon-vpc-resource-controller-k8s#124",
    ],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "report" {
  manifest = {
    apiVersion = "batch/v1"
    kind       = "CronJob"
    metadata   = { name = "report", namespace = "app" }
    spec = {
      schedule = "*/5 * * * *"
      jobTemplate = { spec = { template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "report" }] }
      } } }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
        right: r#"
resource "kubernetes_manifest" "report" {
  manifest = {
    apiVersion = "batch/v1"
    kind       = "CronJob"
    metadata   = { name = "report", namespace = "app" }
    spec = {
      schedule = "*/5 * * * *"
      jobTemplate = { spec = { template = {
        metadata = { labels = { app = "report" } }
        spec     = { containers = [{ name = "report" }] }
      } } }
    }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let jobs = facts.pods().iter().filter(|it| ["CronJob", "Job"].contains(&it.kind) && it.has_branch());
    jobs.map(|it| RULE.finding(it.addr, format!("A policy matches the pods of {}.", it.who()))).collect()
}
