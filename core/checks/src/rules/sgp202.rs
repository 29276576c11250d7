//! SGP202: more interfaces than a region takes.

use sgp_analysis::capacity::Quota;

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP202",
    severity: Severity::Warning,
    title: "More network interfaces than the quota of the region",
    consequence: "Each pod with groups of its own has an interface. At the quota nothing in the region gets a new one: nodes neither.",
    fix: "Raise the quota \"Network interfaces per Region\" (L-DF5E4CA3), which may have been done already.",
    sources: &["Amazon VPC user guide, \"Amazon VPC quotas\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      replicas = 6000
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
        right: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      replicas = 12
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        let rows = facts.capacity(name).into_iter().flat_map(|it| &it.quotas);
        for row in rows.filter(|it| it.quota == Quota::Interfaces && it.is_exceeded()) {
            let (wanted, limit) = (row.wanted.least(), row.limit);
            let what =
                format!("With cluster {name} there are {wanted} interfaces or more; {limit} is the usual quota.");
            found.push(RULE.finding(cluster.managed_by.as_ref(), what));
        }
    }
    found
}
