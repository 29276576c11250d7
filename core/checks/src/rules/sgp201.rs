//! SGP201: subnets without addresses for all pods.

use crate::{Examples, Facts, Finding, Live, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "SGP201",
    severity: Severity::Warning,
    title: "Subnet with too few addresses",
    consequence: "Each branch interface takes an address of the subnet of its node, and holds it for a minute after its pod: pods hang \
                  in creation with InsufficientFreeAddressesInSubnet.",
    fix: "Use larger subnets, spread the nodes over more of them, or lower the warm pools of the VPC CNI.",
    sources: &["github.com/aws/amazon-vpc-resource-controller-k8s: docs/troubleshooting.md"],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.0.0/28"
}

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
    for (name, cluster) in facts.clusters().filter(|(name, it)| facts.wants_branches(name, it)) {
        for row in facts.capacity(name).into_iter().flat_map(|it| &it.subnets) {
            let (wanted, held) = (row.wanted.least(), row.held.least());
            let Some(there) = row.available.most().filter(|it| wanted > 0 && wanted + held > *it) else { continue };
            let id = &row.subnet;
            let what = format!(
                "Subnet {id} has {there} addresses for cluster {name}; pods with interfaces of their own want {wanted}, nodes hold {held} \
                 or more."
            );
            let subnet =
                facts.meant_by(id.as_str(), "aws_subnet", &["id"]).and_then(|(object, _)| object.addr.as_ref());
            found.push(RULE.finding(subnet.or(cluster.managed_by.as_ref()), what));
        }
    }
    found
}
