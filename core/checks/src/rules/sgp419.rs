//! SGP419: the load balancer controller does not know which group to open.

use sgp_analysis::topology::Id;

use crate::{Examples, Facts, Finding, Live, Rule, Severity, facts::Targets};

pub(super) static RULE: Rule = Rule {
    id: "SGP419",
    severity: Severity::Error,
    title: "Not exactly one tagged group on pods behind a load balancer",
    consequence: "AWS Load Balancer Controller opens the group that is tagged for the cluster. With several groups and not exactly one \
                  tag it registers no target: \"expect exactly one securityGroup tagged with kubernetes.io/cluster/...\".",
    fix: "Tag one of the pods' groups with `kubernetes.io/cluster/<name>` (`owned` or `shared`).",
    sources: &[
        "Amazon EKS best practices guide, \"Security Groups Per Pod\"",
        "github.com/kubernetes-sigs/aws-load-balancer-controller#1897",
        "github.com/kubernetes-sigs/aws-load-balancer-controller#2902",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata = {
      name        = "backend"
      namespace   = "app"
      annotations = { "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type" = "ip" }
    }
    spec = { type = "LoadBalancer", selector = { app = "backend" }, ports = [{ port = 443, targetPort = 8443 }] }
  }
}

resource "aws_security_group" "clients" {
  name   = "orders-clients"
  vpc_id = aws_vpc.this.id
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id, aws_security_group.clients.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
        right: r#"
resource "kubernetes_manifest" "service" {
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata = {
      name        = "backend"
      namespace   = "app"
      annotations = { "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type" = "ip" }
    }
    spec = { type = "LoadBalancer", selector = { app = "backend" }, ports = [{ port = 443, targetPort = 8443 }] }
  }
}

resource "aws_security_group" "clients" {
  name   = "orders-clients"
  vpc_id = aws_vpc.this.id
  tags   = { "kubernetes.io/cluster/orders" = "shared" }
}

resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id, aws_security_group.clients.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for targets in facts.targets().iter().filter(|it| it.is_opened && it.groups.len() > 1) {
        let tagged: Option<Vec<bool>> = targets.groups.iter().map(|id| is_tagged(facts, targets, id)).collect();
        // A group that nobody described may have the tag.
        let Some(count) = tagged.map(|it| it.into_iter().filter(|it| *it).count()).filter(|it| *it != 1) else {
            continue;
        };
        let what = format!(
            "{} sends to pods with {} groups, of which {count} have the tag kubernetes.io/cluster/{}.",
            targets.who,
            targets.groups.len(),
            targets.cluster_name
        );
        found.push(RULE.finding(targets.addr, what));
    }
    found
}

/// Whether a group has the cluster's tag; `None` when its tags are not known.
fn is_tagged(facts: &Facts<'_>, targets: &Targets<'_>, id: &Id) -> Option<bool> {
    // EKS tags its own.
    if targets.cluster.group.known() == Some(id) {
        return Some(true);
    }
    let group = facts.input.topology.groups.get(id).filter(|it| it.managed_by.is_some() || !it.tags.is_empty())?;
    let stated = group.managed_by.as_ref().and_then(|addr| facts.object(addr)).and_then(|it| it.attributes.get("tags"));
    if stated.is_some_and(|it| !it.is_wholly_known()) {
        return None;
    }
    Some(group.tags.contains_key(&format!("kubernetes.io/cluster/{}", targets.cluster_name)))
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    /// An Ingress in front of pods with two groups, none of them tagged.
    fn ingress(annotations: &str) -> String {
        format!(
            r#"
            resource "kubernetes_manifest" "service" {{
              manifest = {{
                apiVersion = "v1"
                kind       = "Service"
                metadata   = {{ name = "backend", namespace = "app" }}
                spec       = {{ selector = {{ app = "backend" }}, ports = [{{ port = 80, targetPort = 8443 }}] }}
              }}
            }}
            resource "kubernetes_manifest" "ingress" {{
              manifest = {{
                apiVersion = "networking.k8s.io/v1"
                kind       = "Ingress"
                metadata   = {{
                  name        = "backend"
                  namespace   = "app"
                  annotations = {{ "alb.ingress.kubernetes.io/target-type" = "ip", {annotations} }}
                }}
                spec = {{ defaultBackend = {{ service = {{ name = "backend", port = {{ number = 80 }} }} }} }}
              }}
            }}
            resource "aws_security_group" "alb" {{
              name   = "orders-alb"
              vpc_id = aws_vpc.this.id
            }}
            resource "aws_security_group" "clients" {{
              name   = "orders-clients"
              vpc_id = aws_vpc.this.id
            }}
            resource "sgp_security_group_policy" "backend" {{
              cluster_name       = aws_eks_cluster.this.name
              name               = "backend"
              namespace          = "app"
              security_group_ids = [aws_security_group.backend.id, aws_security_group.clients.id]
              pod_selector {{
                match_labels = {{ app = "backend" }}
              }}
            }}"#
        )
    }

    #[test]
    fn a_controller_that_leaves_the_pods_groups_alone_needs_no_tag() {
        let own = "\"alb.ingress.kubernetes.io/security-groups\" = aws_security_group.alb.id";
        let managed = format!("{own}, \"alb.ingress.kubernetes.io/manage-backend-security-group-rules\" = \"true\"");
        rows(
            "SGP419",
            &[
                (&ingress(""), &["error kubernetes_manifest.ingress"]),
                (&ingress(own), &[]),
                (&ingress(&managed), &["error kubernetes_manifest.ingress"]),
            ],
        );
    }
}
