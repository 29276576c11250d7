//! Security groups and their rules.

use aws_sdk_ec2::types::{SecurityGroup, SecurityGroupRule};
use sgp_contract::Sighting;
use sgp_model::Value;

use super::{Found, sighting};
use crate::{
    bulk::FILTER_VALUES,
    client::AwsClient,
    ec2::{self, filter},
    tags, values,
};

/// Looks at the groups of VPCs.
pub(super) async fn survey(client: &AwsClient, vpcs: &[String]) -> Found {
    let mut found = Found::default();
    let groups = ec2::security_groups(client, vec![filter("vpc-id", vpcs)]).await;
    let groups = found.take(groups, |group| shape(client, group));
    let ids: Vec<String> = groups.into_iter().filter_map(|group| group.group_id).collect();
    for chunk in ids.chunks(FILTER_VALUES) {
        let rules = ec2::security_group_rules(client, vec![filter("group-id", chunk)]).await;
        found.take(rules, rule);
    }
    found
}

fn shape(client: &AwsClient, group: &SecurityGroup) -> Sighting {
    sighting(
        "aws_security_group",
        [
            ("id", values::opt_str(group.group_id())),
            ("name", values::opt_str(group.group_name())),
            ("vpc_id", values::opt_str(group.vpc_id())),
            ("tags", tags::shown(client, &tags::from_ec2(group.tags()))),
        ],
    )
}

/// The ports are -1 where the protocol has none, as EC2 answers.
fn rule(rule: &SecurityGroupRule) -> Sighting {
    let is_egress = rule.is_egress().unwrap_or(false);
    let kind = if is_egress { "aws_vpc_security_group_egress_rule" } else { "aws_vpc_security_group_ingress_rule" };
    let other = rule.referenced_group_info().and_then(|it| it.group_id());
    sighting(
        kind,
        [
            ("security_group_rule_id", values::opt_str(rule.security_group_rule_id())),
            ("security_group_id", values::opt_str(rule.group_id())),
            ("is_egress", Value::from(is_egress)),
            ("ip_protocol", values::opt_str(rule.ip_protocol())),
            ("from_port", values::opt_int(rule.from_port())),
            ("to_port", values::opt_int(rule.to_port())),
            ("cidr_ipv4", values::opt_str(rule.cidr_ipv4())),
            ("cidr_ipv6", values::opt_str(rule.cidr_ipv6())),
            ("prefix_list_id", values::opt_str(rule.prefix_list_id())),
            ("referenced_security_group_id", values::opt_str(other)),
            ("description", values::opt_str(rule.description())),
        ],
    )
}
