//! What the EC2 types share: filters, listings, and security group rules in their two shapes.

use aws_sdk_ec2::types::{Filter, NetworkInterface, SecurityGroup, SecurityGroupRule};
use sgp_model::{Attribute, Block, NestedBlock, Value};

use crate::{
    bulk::FILTER_VALUES,
    client::AwsClient,
    errors::{ApiError, Call},
    values,
};

pub mod acl;
pub mod addresses;
pub mod claims;
pub mod creation;
pub mod describe;
pub mod inline_change;
pub mod inline_rules;
pub mod launch_template_data;
pub mod launch_template_options;
pub mod launch_template_schema;
pub mod lookup;
pub mod network_order;
pub mod object;
pub mod peering;
pub mod protocol;
pub mod routes;
pub mod rule;
pub mod rule_arguments;
pub mod subnet;
pub mod usage;
pub mod vpc;

/// The most that a page of these listings holds.
pub const PAGE: i32 = 1000;

/// Why EC2 does not take a description of a group or of a rule (API reference of IpRange and CreateSecurityGroup).
pub fn problem_of_description(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.chars().count() > 255 {
        return Some("A description has at most 255 characters.".to_owned());
    }
    let bad = text.chars().find(|c| !allowed(*c))?;
    Some(format!("EC2 does not take {bad:?} here: only letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*"))
}

/// A filter of a Describe call.
pub fn filter<S: Into<String>>(name: &str, wanted: impl IntoIterator<Item = S>) -> Filter {
    Filter::builder().name(name).set_values(Some(wanted.into_iter().map(Into::into).collect())).build()
}

/// The `filter { name, values }` block of data sources.
pub fn filter_block() -> NestedBlock {
    NestedBlock::set(
        Block::default()
            .attr("name", Attribute::string().required().doc("The name of the filter, as the Describe call has it."))
            .attr("values", Attribute::string_set().required().doc("Values, of which one must match.")),
    )
    .doc("Filters of the Describe call; all must match.")
}

/// Filters out of a data source's arguments: `filter` blocks, `tags`, and arguments that stand for a filter of EC2.
pub fn filters(config: &Value, arguments: &[(&str, &str)]) -> Vec<Filter> {
    let named = arguments.iter().filter_map(|(argument, name)| {
        let value = config.get(argument)?;
        let text = value.as_bool().filter(|set| *set).map(|b| b.to_string());
        Some(filter(name, [text.or_else(|| values::text(config, argument))?]))
    });
    let tags = values::str_map(config, "tags").into_iter().map(|(k, v)| filter(&format!("tag:{k}"), [v]));
    let blocks = values::blocks(config, "filter")
        .into_iter()
        .map(|b| filter(&values::string(b, "name"), values::strs(b, "values")));
    named.chain(tags).chain(blocks).collect()
}

/// Security groups that match (`DescribeSecurityGroups`, all pages).
///
/// # Errors
/// What EC2 answers.
pub async fn security_groups(client: &AwsClient, filters: Vec<Filter>) -> Result<Vec<SecurityGroup>, ApiError> {
    client
        .ec2
        .describe_security_groups()
        .set_filters(Some(filters))
        .max_results(PAGE)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .call("ec2:DescribeSecurityGroups")
}

/// Security group rules that match (`DescribeSecurityGroupRules`, all pages).
///
/// # Errors
/// What EC2 answers.
pub async fn security_group_rules(
    client: &AwsClient,
    filters: Vec<Filter>,
) -> Result<Vec<SecurityGroupRule>, ApiError> {
    client
        .ec2
        .describe_security_group_rules()
        .set_filters(Some(filters))
        .max_results(PAGE)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .call("ec2:DescribeSecurityGroupRules")
}

/// Network interfaces that match (`DescribeNetworkInterfaces`, all pages).
///
/// # Errors
/// What EC2 answers.
pub async fn network_interfaces(client: &AwsClient, filters: Vec<Filter>) -> Result<Vec<NetworkInterface>, ApiError> {
    client
        .ec2
        .describe_network_interfaces()
        .set_filters(Some(filters))
        .max_results(PAGE)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .call("ec2:DescribeNetworkInterfaces")
}

/// Security groups by id. Ids are given as a filter, so that one that is gone does not fail the call.
///
/// # Errors
/// What EC2 answers.
pub async fn security_groups_by_id(client: &AwsClient, ids: &[String]) -> Result<Vec<SecurityGroup>, ApiError> {
    debug_assert!(ids.len() <= FILTER_VALUES, "callers read in chunks");
    security_groups(client, vec![filter("group-id", ids)]).await
}

#[cfg(test)]
mod tests {
    use sgp_model::Type;

    use super::*;

    #[test]
    fn arguments_become_filters() {
        let block = Value::object([("name", "vpc-id".into()), ("values", values::string_set(["vpc-1", "vpc-2"]))]);
        let config = Value::object([
            ("cidr_block", "10.0.0.0/16".into()),
            ("default", Value::from(false)),
            ("state", Value::null(Type::String)),
            ("tags", values::string_map([("Name", "x")])),
            ("filter", Value::set(block.ty(), [block])),
        ]);
        let made = filters(&config, &[("cidr_block", "cidr"), ("default", "isDefault"), ("state", "state")]);
        let shown: Vec<_> =
            made.iter().map(|f| format!("{}={}", f.name().unwrap_or_default(), f.values().join(","))).collect();
        assert_eq!(shown, ["cidr=10.0.0.0/16", "tag:Name=x", "vpc-id=vpc-1,vpc-2"]);
    }
}
