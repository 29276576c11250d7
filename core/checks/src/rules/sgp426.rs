//! SGP426: pods that talk to the Kubernetes API and do not reach it.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::Direction,
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Pods, Sure, list},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP426",
    severity: Severity::Warning,
    title: "Pods with RBAC bindings that do not reach the Kubernetes API",
    consequence: "Calls to the `kubernetes` Service time out. Pods on their node's interface reach the API by the group of the node; \
                  pods with groups of their own do not.",
    fix: "Give the pods' group egress tcp/443 to the cluster's group, and the cluster's group ingress tcp/443 from the pods'.",
    sources: &[
        "github.com/aws/amazon-vpc-cni-k8s#1695",
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "binding" {
  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "backend", namespace = "app" }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = "view" }
    subjects   = [{ kind = "ServiceAccount", name = "backend", namespace = "app" }]
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
        spec     = { serviceAccountName = "backend", containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}
"#,
        right: r#"
resource "kubernetes_manifest" "binding" {
  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "backend", namespace = "app" }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = "view" }
    subjects   = [{ kind = "ServiceAccount", name = "backend", namespace = "app" }]
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
        spec     = { serviceAccountName = "backend", containers = [{ name = "backend" }] }
      }
    }
  }

  depends_on = [sgp_security_group_policy.backend]
}

resource "aws_vpc_security_group_egress_rule" "api" {
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  security_group_id            = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let https = Traffic::port(Protocol::TCP, 443);
    let mut found = Vec::new();
    for pods in facts.pods() {
        let Some(groups) = pods.branch_groups().filter(|_| is_bound(facts, pods)) else { continue };
        let control_plane = facts.control_plane(pods.cluster);
        let own = Other { groups: groups.to_vec(), may_have_more: false, blocks: control_plane.blocks.clone() };
        let out = facts.passes(groups, Direction::Egress, &https, &control_plane);
        let into = facts.passes(&control_plane.groups, Direction::Ingress, &https, &own);
        let what = match (out, into) {
            (Sure::No, _) => "its groups let nothing out to the control plane on tcp/443",
            (_, Sure::No) if !control_plane.groups.is_empty() => {
                "the cluster's group does not let its pods in on tcp/443"
            }
            _ => continue,
        };
        found.push(
            RULE.finding(pods.addr, format!("The service account of {} is bound to a role, and {what}.", pods.who())),
        );
    }
    found
}

/// Whether a binding gives the pods' service account a role in the cluster.
fn is_bound(facts: &Facts<'_>, pods: &Pods<'_>) -> bool {
    let account = pods.template.service_account.known();
    let bindings = facts.manifests("RoleBinding").chain(facts.manifests("ClusterRoleBinding"));
    let mut subjects = bindings
        .filter(|it| it.is_in(pods.cluster_name))
        .flat_map(|it| list(&it.json["subjects"]).map(|subject| (subject, it.namespace())));
    subjects.any(|(subject, beside)| {
        subject["kind"] == "ServiceAccount"
            && subject["namespace"].as_str().unwrap_or(beside) == pods.namespace
            && account.is_some_and(|it| subject["name"] == it.as_str())
    })
}
