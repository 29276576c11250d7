//! SGP401: pods that cannot ask for names.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::Direction,
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP401",
    severity: Severity::Error,
    title: "No way out to CoreDNS",
    consequence: "Pods cannot resolve names; without TCP only large answers fail.",
    fix: "Give one of their groups egress udp/53 and tcp/53 to the group that CoreDNS has: that of its nodes, or its own. \
          Pods are taken to ask CoreDNS: where all of them have dnsPolicy Default or None, say so beside the policy (# sgp:ignore SGP401 ...).",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/aws/amazon-vpc-cni-k8s#1695",
        "github.com/awsdocs/amazon-eks-user-guide#474",
    ],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "jobs" {
  name   = "orders-jobs"
  vpc_id = aws_vpc.this.id
}

resource "sgp_security_group_policy" "jobs" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "jobs"
  namespace          = "jobs"
  security_group_ids = [aws_security_group.jobs.id]

  pod_selector {
    match_labels = { app = "jobs" }
  }
}
"#,
        right: r#"
resource "aws_security_group" "jobs" {
  name   = "orders-jobs"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "jobs_dns" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.jobs.id
  referenced_security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "aws_vpc_security_group_ingress_rule" "dns_from_jobs" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  referenced_security_group_id = aws_security_group.jobs.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}

resource "kubernetes_namespace_v1" "jobs" {
  metadata {
    name = "jobs"
  }
}

resource "sgp_security_group_policy" "jobs" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "jobs"
  namespace          = kubernetes_namespace_v1.jobs.metadata[0].name
  security_group_ids = [aws_security_group.jobs.id]

  pod_selector {
    match_labels = { app = "jobs" }
  }
}
"#,
    },
    check,
};

/// DNS, over UDP and over TCP.
pub(super) const DNS: [Protocol; 2] = [Protocol::UDP, Protocol::TCP];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for dressed in facts.dressed().iter().filter(|it| !facts.is_dns(it)) {
        let dns = facts.dns(dressed.cluster);
        let anyone = Other { may_have_more: true, ..dns.clone() };
        let passes = |protocol, other: &Other| {
            facts.passes(&dressed.groups, Direction::Egress, &Traffic::port(protocol, 53), other)
        };
        let missing: Vec<String> =
            DNS.into_iter().filter(|it| passes(*it, &dns) == Sure::No).map(|it| format!("{it}/53")).collect();
        if missing.is_empty() {
            continue;
        }
        let goes_elsewhere = passes(Protocol::UDP, &anyone) != Sure::No;
        let what = format!("No group of {} lets {} out to CoreDNS.", dressed.who, missing.join(" and "));
        let finding = RULE.finding(dressed.addr, what);
        // With UDP most answers come, and a group that is asked may be one that CoreDNS has after all.
        let is_sure = missing[0].starts_with("udp") && !goes_elsewhere;
        found.push(if is_sure { finding } else { finding.at_most(Severity::Warning) });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::rows;

    fn jobs(rules: &str) -> String {
        format!(
            r#"
            resource "aws_security_group" "jobs" {{
              name   = "jobs"
              vpc_id = aws_vpc.this.id
              {rules}
            }}
            resource "sgp_security_group_policy" "jobs" {{
              name               = "jobs"
              namespace          = "jobs"
              security_group_ids = [aws_security_group.jobs.id]
              pod_selector {{
                match_labels = {{ app = "jobs" }}
              }}
            }}"#
        )
    }

    #[test]
    fn rules_to_addresses_count_too() {
        let egress = |protocol: &str, port: u16, to: &str| {
            format!("egress {{\nprotocol = \"{protocol}\"\nfrom_port = {port}\nto_port = {port}\n{to}\n}}\n")
        };
        let any = "cidr_blocks = [\"0.0.0.0/0\"]";
        let error: &[&str] = &["error sgp_security_group_policy.jobs"];
        let warning: &[&str] = &["warning sgp_security_group_policy.jobs"];
        rows(
            "SGP401",
            &[
                (&jobs(""), error),
                (&jobs(&egress("-1", 0, any)), &[]),
                (&jobs(&egress("udp", 53, any)), warning),
                (&jobs(&egress("tcp", 443, any)), error),
                // The node's subnet alone may be where CoreDNS runs.
                (&jobs(&egress("-1", 0, "cidr_blocks = [\"10.0.0.0/20\"]")), &[]),
                (&jobs(&egress("-1", 0, "cidr_blocks = [\"192.168.0.0/16\"]")), error),
                (&jobs(&egress("-1", 0, "prefix_list_ids = [\"pl-1\"]")), &[]),
                (&jobs(&egress("-1", 0, "security_groups = [\"sg-00000001\"]")), warning),
                (&jobs(&egress("unknown()", 53, any).replace('"', "").replace("[0.0.0.0/0]", "unknown()")), &[]),
            ],
        );
    }
}
