//! SGP427: a rule for the port of a Service.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::{Direction, Fact, Id, Origin, Peer, ServicePort},
};

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::target};

pub(super) static RULE: Rule = Rule {
    id: "SGP427",
    severity: Severity::Warning,
    title: "Rule for the port of a Service instead of the pods'",
    consequence: "kube-proxy puts the pods' port in place of the Service's before a packet leaves the node: connections by way of the \
                  Service time out.",
    fix: "Name the pods' port (`targetPort`) in the rule.",
    sources: &["github.com/awsdocs/amazon-eks-user-guide#403"],
    live: Live::Kubernetes,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "backend", namespace = "app" }
    spec       = { selector = { app = "backend" }, ports = [{ port = 80, targetPort = 9000 }] }
  }
}

resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend", ports = [{ containerPort = 9000 }] }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}

resource "aws_vpc_security_group_ingress_rule" "backend" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = "sg-0123456789abcdef0"
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}
"#,
        right: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "backend", namespace = "app" }
    spec       = { selector = { app = "backend" }, ports = [{ port = 80, targetPort = 9000 }] }
  }
}

resource "kubernetes_manifest" "backend" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "backend", namespace = "app" }
    spec = {
      selector = { matchLabels = { app = "backend" } }
      template = {
        metadata = { labels = { app = "backend" } }
        spec     = { containers = [{ name = "backend", ports = [{ containerPort = 9000 }] }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}

resource "aws_vpc_security_group_ingress_rule" "backend" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = "sg-0123456789abcdef0"
  ip_protocol                  = "tcp"
  from_port                    = 9000
  to_port                      = 9000
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, cluster) in facts.clusters() {
        for ((namespace, service_name), service) in &cluster.services {
            for pods in facts.behind(name, namespace, service) {
                let Some(groups) = pods.branch_groups() else { continue };
                for port in service.ports.iter().filter(|it| it.protocol == "tcp") {
                    let Some(target) = target(port, pods).filter(|it| *it != port.port) else { continue };
                    // The pods may listen on both.
                    if pods.template.ports.iter().any(|it| it.port == port.port) {
                        continue;
                    }
                    let what = |peer: &Peer| {
                        format!(
                            "The rule lets {peer} in on tcp/{}, the port of Service {namespace}/{service_name}; its pods have {target}.",
                            port.port
                        )
                    };
                    found.extend(
                        mistaken(facts, groups, port, target)
                            .map(|(peer, addr)| RULE.finding(addr.or(pods.addr), what(peer))),
                    );
                }
            }
        }
    }
    found
}

/// Rules that let somebody in on the port of the Service, where nothing lets the same one in on the pods'.
fn mistaken<'a>(
    facts: &Facts<'a>,
    groups: &[Id],
    port: &ServicePort,
    target: u16,
) -> impl Iterator<Item = (&'a Peer, Option<&'a sgp_model::InstanceAddr>)> {
    let (service, pods) = (Traffic::port(Protocol::TCP, port.port), Traffic::port(Protocol::TCP, target));
    let groups = groups.iter().filter_map(|id| facts.input.topology.groups.get(id));
    let rules: Vec<_> = groups.flat_map(|it| &it.rules).filter(|it| it.direction == Direction::Ingress).collect();
    let covers = |traffic: &Fact<Traffic>, wanted: &Traffic| traffic.known().is_none_or(|it| it.covers(wanted));
    let is_mistaken = |peer: &Peer| !rules.iter().any(|it| it.peer == *peer && covers(&it.traffic, &pods));
    let mistaken = rules.iter().filter(|it| it.traffic == Fact::Known(service.clone()) && is_mistaken(&it.peer));
    let found: Vec<_> =
        mistaken.map(|it| (&it.peer, if let Origin::Managed(addr) = &it.origin { Some(addr) } else { None })).collect();
    found.into_iter()
}
