//! SGP402: CoreDNS does not let pods in.

use sgp_analysis::{sets::Traffic, topology::Direction};

use super::sgp401::DNS;
use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Dressed, Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP402",
    severity: Severity::Error,
    title: "CoreDNS does not let pods in",
    consequence: "Addresses work and names do not. That the pods' own group is open does not help.",
    fix: "Give the group that CoreDNS has (that of its nodes, or its own) ingress udp/53 and tcp/53 from the pods' group. \
          Pods are taken to ask CoreDNS: where all of them have dnsPolicy Default or None, say so beside the policy (# sgp:ignore SGP402 ...).",
    sources: &[
        "Amazon EKS user guide, \"Use a security group policy for an Amazon EKS Pod\"",
        "github.com/aws/amazon-vpc-cni-k8s#1695",
        "github.com/terraform-aws-modules/terraform-aws-eks#2990",
    ],
    live: Live::Both,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_vpc_security_group_ingress_rule" "dns_from_backend" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_security_group.backend.id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}
"#,
        right: r#"
resource "aws_vpc_security_group_ingress_rule" "dns_from_backend" {
  for_each                     = toset(["tcp", "udp"])
  security_group_id            = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  referenced_security_group_id = aws_security_group.backend.id
  ip_protocol                  = each.key
  from_port                    = 53
  to_port                      = 53
}
"#,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.dressed().iter().filter(|it| !facts.is_dns(it)).filter_map(|dressed| judge(facts, dressed)).collect()
}

fn judge(facts: &Facts<'_>, dressed: &Dressed<'_>) -> Option<Finding> {
    let dns = facts.dns(dressed.cluster);
    if dns.may_have_more || dns.groups.is_empty() {
        return None;
    }
    let pods = Other { groups: dressed.groups.clone(), ..dns.clone() };
    // Nodes differ in their groups. Where one set would do, CoreDNS may run there.
    let passes = |protocol| facts.passes(&dns.groups, Direction::Ingress, &Traffic::port(protocol, 53), &pods);
    let missing: Vec<String> =
        DNS.into_iter().filter(|it| passes(*it) == Sure::No).map(|it| format!("{it}/53")).collect();
    let is_sure = missing.first()?.starts_with("udp");
    let groups: Vec<String> = dns.groups.iter().map(ToString::to_string).collect();
    let what = format!(
        "CoreDNS has {}, which does not let in {} from {}.",
        groups.join(", "),
        missing.join(" and "),
        dressed.who
    );
    let finding = RULE.finding(dressed.addr, what);
    Some(if is_sure { finding } else { finding.at_most(Severity::Warning) })
}
