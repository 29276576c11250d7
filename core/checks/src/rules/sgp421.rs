//! SGP421: pods keep their load balancer out.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::{Direction, Id},
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Manifest, Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP421",
    severity: Severity::Error,
    title: "Pods keep their load balancer out",
    consequence: "With groups of its own the load balancer's controller opens nothing at the pods unless it is told to: every target \
                  is unhealthy.",
    fix: "Give the pods' group ingress from the load balancer's, or let the controller do it with \
          `alb.ingress.kubernetes.io/manage-backend-security-group-rules: \"true\"`.",
    sources: &["AWS Load Balancer Controller, \"Security groups\""],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "backend", namespace = "app" }
    spec       = { selector = { app = "backend" }, ports = [{ port = 80, targetPort = 8081 }] }
  }
}

resource "kubernetes_manifest" "ingress" {
  manifest = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "Ingress"
    metadata = {
      name      = "backend"
      namespace = "app"
      annotations = {
        "alb.ingress.kubernetes.io/target-type"     = "ip"
        "alb.ingress.kubernetes.io/security-groups" = "sg-0123456789abcdef0"
      }
    }
    spec = { defaultBackend = { service = { name = "backend", port = { number = 80 } } } }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "backend", namespace = "app" }
    spec       = { selector = { app = "backend" }, ports = [{ port = 80, targetPort = 8081 }] }
  }
}

resource "kubernetes_manifest" "ingress" {
  manifest = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "Ingress"
    metadata = {
      name      = "backend"
      namespace = "app"
      annotations = {
        "alb.ingress.kubernetes.io/target-type"     = "ip"
        "alb.ingress.kubernetes.io/security-groups" = "sg-0123456789abcdef0"
      }
    }
    spec = { defaultBackend = { service = { name = "backend", port = { number = 80 } } } }
  }
}

resource "aws_vpc_security_group_ingress_rule" "backend_from_load_balancer" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = "sg-0123456789abcdef0"
  ip_protocol                  = "tcp"
  from_port                    = 8081
  to_port                      = 8081
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let targets = facts.targets();
    for ingress in facts.manifests("Ingress") {
        let Some(groups) = own_groups(ingress) else { continue };
        let Some(targets) = targets.iter().find(|it| it.addr.is_some() && it.addr == ingress.addr()) else { continue };
        let load_balancer = Other { groups, ..facts.nodes(targets.cluster) };
        let load_balancer = Other { may_have_more: false, ..load_balancer };
        for port in &targets.ports {
            let wanted = Traffic::port(Protocol::TCP, *port);
            if facts.passes(&targets.groups, Direction::Ingress, &wanted, &load_balancer) == Sure::No {
                let what =
                    format!("No group of the pods behind {} lets the load balancer in on tcp/{port}.", targets.who);
                found.push(RULE.finding(targets.addr, what));
            }
        }
    }
    found
}

/// The groups that the load balancer has, when all are known by id and its controller leaves the pods' groups alone.
fn own_groups(ingress: &Manifest<'_>) -> Option<Vec<Id>> {
    let stated = ingress.annotation("alb.ingress.kubernetes.io/security-groups")?;
    let manages = ingress.annotation("alb.ingress.kubernetes.io/manage-backend-security-group-rules") == Some("true");
    let ids: Vec<&str> = stated.split(',').map(str::trim).collect();
    // Names may stand there, too.
    let are_ids = ids.iter().all(|it| it.starts_with("sg-") || sgp_model::symbol::is_in(it));
    (are_ids && !manages).then(|| ids.into_iter().map(Id::from).collect())
}
