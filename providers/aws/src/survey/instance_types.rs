//! Instance types that the table of AWS's controller lacks.

use aws_sdk_ec2::types::InstanceTypeInfo;
use sgp_contract::Sighting;
use sgp_model::Value;

use super::{Found, sighting};
use crate::{
    client::AwsClient,
    ec2::filter,
    errors::{ApiError, Call},
};

/// Pages of `DescribeInstanceTypes` have at most 100 types.
const TYPES_PER_PAGE: i32 = 100;

/// Asks what EC2 says of types. By a filter: a name that EC2 does not know is no error then, there is just nothing to tell.
pub(super) async fn survey(client: &AwsClient, types: &[String], found: &mut Found) {
    let call = client.ec2.describe_instance_types().filters(filter("instance-type", types)).max_results(TYPES_PER_PAGE);
    let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let answer: Result<Vec<InstanceTypeInfo>, ApiError> = pages.call("ec2:DescribeInstanceTypes");
    found.take(answer, shape);
}

/// In the shape of data source `aws_ec2_instance_type`.
fn shape(it: &InstanceTypeInfo) -> Sighting {
    let network = it.network_info();
    let number = |of: Option<i32>| of.map_or_else(|| Value::null(sgp_model::Type::Number), |it| Value::int(it.into()));
    sighting(
        "aws_ec2_instance_type",
        [
            ("instance_type", Value::from(it.instance_type().map_or("", |it| it.as_str()))),
            ("hypervisor", Value::from(it.hypervisor().map_or("", |it| it.as_str()))),
            ("bare_metal", Value::from(it.bare_metal().unwrap_or(false))),
            ("maximum_network_interfaces", number(network.and_then(|it| it.maximum_network_interfaces()))),
            ("maximum_ipv4_addresses_per_interface", number(network.and_then(|it| it.ipv4_addresses_per_interface()))),
        ],
    )
}
