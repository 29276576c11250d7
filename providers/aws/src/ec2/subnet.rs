//! Subnets as data sources show them.

use aws_sdk_ec2::types::{Filter, Subnet};

use crate::{
    client::AwsClient,
    errors::{ApiError, Call},
};

/// Subnets that match (`DescribeSubnets`, all pages).
///
/// # Errors
/// What EC2 answers.
pub async fn subnets(client: &AwsClient, filters: Vec<Filter>) -> Result<Vec<Subnet>, ApiError> {
    client
        .ec2
        .describe_subnets()
        .set_filters((!filters.is_empty()).then_some(filters))
        .max_results(super::PAGE)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .call("ec2:DescribeSubnets")
}
