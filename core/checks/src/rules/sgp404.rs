//! SGP404: kubelet's probes do not come in.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::Direction,
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Pods, Sure, is_strict},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP404",
    severity: Severity::Error,
    title: "Probes that the pod's groups keep out",
    consequence: "In strict mode kubelet's probes pass the pod's groups, from the groups of the node. The pods never become Ready, \
                  or restart again and again.",
    fix: "Give one of the pod's groups ingress on the ports of its probes from the group of the nodes.",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/aws/amazon-vpc-cni-k8s#1269",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec = {
          containers = [{
            name           = "backend"
            readinessProbe = { httpGet = { path = "/healthz", port = 9090 } }
          }]
        }
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
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec = {
          containers = [{
            name           = "backend"
            readinessProbe = { httpGet = { path = "/healthz", port = 8080 } }
          }]
        }
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
    facts.pods().iter().filter(|it| is_strict(it.cluster)).flat_map(|it| judge(facts, it)).collect()
}

fn judge(facts: &Facts<'_>, pods: &Pods<'_>) -> Vec<Finding> {
    let Some(groups) = pods.branch_groups() else { return Vec::new() };
    let nodes = facts.nodes(pods.cluster);
    let mut ports: Vec<u16> = pods.template.probes.iter().filter_map(|it| it.port).collect();
    ports.sort_unstable();
    ports.dedup();
    let is_shut =
        |port: &u16| facts.passes(groups, Direction::Ingress, &Traffic::port(Protocol::TCP, *port), &nodes) == Sure::No;
    let finding = |port: u16| {
        let names: Vec<String> = nodes.groups.iter().map(ToString::to_string).collect();
        let what = format!(
            "{} has a probe on tcp/{port}, and no group of its pods lets that in from {}.",
            pods.who(),
            names.join(", ")
        );
        RULE.finding(pods.addr, what)
    };
    ports.into_iter().filter(is_shut).map(finding).collect()
}
