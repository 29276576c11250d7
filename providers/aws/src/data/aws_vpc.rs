//! `data.aws_vpc`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, Vpc};
use futures::future::join_all;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Type, Value};

use crate::{
    client::AwsClient,
    ec2::{self, describe, filter, lookup, vpc},
    errors::{ApiError, Call},
    tags,
    values::{self, ObjectBuilder},
};

/// One VPC.
#[derive(Debug)]
pub struct AwsVpc;

fn association() -> Type {
    Type::object([("association_id", Type::String), ("cidr_block", Type::String), ("state", Type::String)])
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = |doc| Attribute::string().computed().doc(doc);
    let flag = |doc| Attribute::bool().computed().doc(doc);
    Schema::new("aws_vpc", "One VPC that exists.")
        .attr("id", text("The VPC's id.").optional())
        .attr("cidr_block", text("The primary IPv4 range.").optional())
        .attr("dhcp_options_id", text("The DHCP option set.").optional())
        .attr("default", flag("Whether it is the region's default VPC.").optional())
        .attr("state", text("`available` or `pending`.").optional())
        .attr(
            "tags",
            Attribute::string_map().optional_computed().doc("Tags that the VPC has (as an argument: at least these)."),
        )
        .attr("arn", text("The VPC's ARN."))
        .attr("owner_id", text("The account that owns the VPC."))
        .attr("cidr_block_associations", Attribute::of(Type::list(association())).computed().doc("All IPv4 ranges."))
        .attr("enable_dns_hostnames", flag("Whether instances get DNS names."))
        .attr("enable_dns_support", flag("Whether the VPC's resolver answers."))
        .attr("enable_network_address_usage_metrics", flag("Whether address usage is measured."))
        .attr("instance_tenancy", text("`default`, `dedicated` or `host`."))
        .attr("ipv6_association_id", text("The association of the IPv6 range."))
        .attr("ipv6_cidr_block", text("The IPv6 range."))
        .attr("main_route_table_id", text("The main route table."))
        .block("filter", ec2::filter_block())
        .unsupported(&["region"])
        .timeouts(&[("read", 1200)])
        .iam_actions(&["ec2:DescribeRouteTables", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcs"])
        .example("data \"aws_vpc\" \"main\" {\n  id = \"vpc-0123456789abcdef0\"\n}\n")
});

/// Arguments that stand for filters of `DescribeVpcs`.
const ARGUMENTS: [(&str, &str); 5] = [
    ("id", "vpc-id"),
    ("cidr_block", "cidr"),
    ("dhcp_options_id", "dhcp-options-id"),
    ("default", "is-default"),
    ("state", "state"),
];

#[async_trait]
impl DataSource for AwsVpc {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let client = AwsClient::of(client);
        let vpcs = lookup::each_one(
            requests,
            "VPC",
            &["cidr_block", "dhcp_options_id", "default", "state", "tags", "filter"],
            |ids: Vec<String>| async move { describe(client, vec![filter("vpc-id", ids)]).await },
            |vpc| vpc.vpc_id.clone(),
            |config| describe(client, ec2::filters(config, &ARGUMENTS)),
        )
        .await;
        let objects: Vec<_> = vpcs.into_iter().zip(requests).map(|(vpc, r)| complete(client, vpc, r.config)).collect();
        join_all(objects).await
    }
}

async fn complete(client: &AwsClient, vpc: Result<Vpc, Diagnostics>, config: &Value) -> Result<Value, Diagnostics> {
    Ok(object(client, &vpc?, config).await?)
}

async fn describe(client: &AwsClient, filters: Vec<Filter>) -> Result<Vec<Vpc>, ApiError> {
    if filters.is_empty() {
        let call = client.ec2.describe_vpcs().max_results(ec2::PAGE).into_paginator().items().send();
        return call.collect::<Result<Vec<_>, _>>().await.call("ec2:DescribeVpcs");
    }
    describe::vpcs(client, filters).await
}

async fn object(client: &AwsClient, vpc: &Vpc, config: &Value) -> Result<Value, ApiError> {
    let id = vpc.vpc_id().unwrap_or_default();
    let (attributes, routes) =
        tokio::try_join!(Box::pin(vpc::attributes(client, id)), Box::pin(main_route_table(client, id)))?;
    let ipv4 = vpc.cidr_block_association_set().iter().map(|a| {
        Value::object([
            ("association_id", values::opt_str(a.association_id())),
            ("cidr_block", values::opt_str(a.cidr_block())),
            ("state", values::word(a.cidr_block_state().and_then(|s| s.state()))),
        ])
    });
    let ipv6 = vpc::ipv6_block(vpc);
    let owner = vpc.owner_id().unwrap_or_default();
    Ok(ObjectBuilder::carrying(&SCHEMA, config)
        .set("id", id)
        .set("cidr_block", values::opt_str(vpc.cidr_block()))
        .set("dhcp_options_id", values::opt_str(vpc.dhcp_options_id()))
        .set("default", vpc.is_default().unwrap_or_default())
        .set("state", values::word(vpc.state()))
        .set("tags", tags::shown(client, &tags::from_ec2(vpc.tags())))
        .set("arn", format!("arn:{}:ec2:{}:{owner}:vpc/{id}", client.partition().id, client.region))
        .set("owner_id", values::opt_str(vpc.owner_id()))
        .set("cidr_block_associations", Value::list(association(), ipv4.collect()))
        .set("enable_dns_hostnames", attributes.dns_hostnames)
        .set("enable_dns_support", attributes.dns_support)
        .set("enable_network_address_usage_metrics", attributes.usage_metrics)
        .set("instance_tenancy", values::word(vpc.instance_tenancy()))
        .set("ipv6_association_id", values::opt_str(ipv6.and_then(|a| a.association_id())))
        .set("ipv6_cidr_block", values::opt_str(ipv6.and_then(|a| a.ipv6_cidr_block())))
        .set("main_route_table_id", routes)
        .build())
}

async fn main_route_table(client: &AwsClient, id: &str) -> Result<Value, ApiError> {
    let filters = vec![filter("vpc-id", [id]), filter("association.main", ["true"])];
    match client.ec2.describe_route_tables().set_filters(Some(filters)).send().await.call("ec2:DescribeRouteTables") {
        Ok(answer) => Ok(values::opt_str(answer.route_tables().first().and_then(|t| t.route_table_id()))),
        // Hardly anybody wants it: who may not ask gets the rest.
        Err(error) if error.is_denied() => Ok(values::opt_str(None)),
        Err(error) => Err(error),
    }
}
