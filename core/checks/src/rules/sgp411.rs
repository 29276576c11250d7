//! SGP411: the endpoint of STS does not let pods in.

use sgp_analysis::{
    sets::{Protocol, Traffic},
    topology::{Direction, Fact},
};

use crate::{
    Examples, Facts, Finding, Live, Rule, Severity,
    facts::{Other, Sure},
};

pub(super) static RULE: Rule = Rule {
    id: "SGP411",
    severity: Severity::Warning,
    title: "VPC endpoint of STS that does not let pods in",
    consequence: "With private names every call to STS goes to the endpoint, so the pods get no credentials for their roles.",
    fix: "Give the endpoint's group ingress tcp/443 from the pods' group.",
    sources: &["Amazon VPC user guide, \"Control access to VPC endpoints\""],
    live: Live::Aws,
    examples: Examples {
        before: "",
        wrong: r#"
resource "aws_security_group" "endpoints" {
  name   = "orders-endpoints"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_endpoint" "sts" {
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.eu-central-1.sts"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  security_group_ids  = [aws_security_group.endpoints.id]
}

resource "aws_vpc_security_group_egress_rule" "aws" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
"#,
        right: r#"
resource "aws_security_group" "endpoints" {
  name   = "orders-endpoints"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_endpoint" "sts" {
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.eu-central-1.sts"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  security_group_ids  = [aws_security_group.endpoints.id]
}

resource "aws_vpc_security_group_egress_rule" "aws" {
  security_group_id = aws_security_group.backend.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id            = aws_security_group.endpoints.id
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
    for (object, view) in facts.of_kind("aws_vpc_endpoint") {
        let is_sts = view.text("service_name").is_some_and(|it| it.rsplit('.').next() == Some("sts"));
        let is_private = view.flag("private_dns_enabled") == Fact::Known(true);
        let (true, Fact::Known(groups)) = (is_sts && is_private, view.ids("security_group_ids")) else { continue };
        for dressed in
            facts.dressed().iter().filter(|it| it.cluster.vpc == view.id("vpc_id") && it.cluster.vpc.is_known())
        {
            let blocks = facts.nodes(dressed.cluster).blocks;
            let endpoint = Other { groups: groups.clone(), may_have_more: false, blocks: blocks.clone() };
            let pods = Other { groups: dressed.groups.clone(), may_have_more: false, blocks };
            // Pods that do not go there need no way in.
            let goes = facts.passes(&dressed.groups, Direction::Egress, &https, &endpoint) == Sure::Yes;
            if goes && !groups.is_empty() && facts.passes(&groups, Direction::Ingress, &https, &pods) == Sure::No {
                let what = format!("The groups of the endpoint do not let in {}.", dressed.who);
                found.push(RULE.finding(object.addr.as_ref(), what).attr("security_group_ids"));
            }
        }
    }
    found
}
