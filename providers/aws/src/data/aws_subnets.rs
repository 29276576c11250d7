//! `data.aws_subnets`.

use std::sync::LazyLock;

use async_trait::async_trait;
use futures::future::join_all;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use crate::{
    client::AwsClient,
    ec2::{self, subnet},
    errors::ApiError,
    values::ObjectBuilder,
};

/// The ids of subnets.
#[derive(Debug)]
pub struct AwsSubnets;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_subnets", "The ids of the subnets that match; none is no error.")
        .attr("id", Attribute::string().computed().doc("The region."))
        .attr("ids", Attribute::strings().computed().doc("The subnets' ids, sorted."))
        .attr("tags", Attribute::string_map().optional().doc("Tags that each subnet must have."))
        .block("filter", ec2::filter_block())
        .unsupported(&["region"])
        .timeouts(&[("read", 1200)])
        .iam_actions(&["ec2:DescribeSubnets"])
        .example(
            "data \"aws_subnets\" \"private\" {\n  filter {\n    name   = \"vpc-id\"\n    values = [\"vpc-0123456789abcdef0\"]\n  }\n  tags \
             = { tier = \"private\" }\n}\n",
        )
});

#[async_trait]
impl DataSource for AwsSubnets {
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
        let lists: Vec<_> = requests.iter().map(|r| list(client, r.config)).collect();
        join_all(lists).await.into_iter().map(|answer| answer.map_err(Diagnostics::from)).collect()
    }
}

async fn list(client: &AwsClient, config: &Value) -> Result<Value, ApiError> {
    let found = subnet::subnets(client, ec2::filters(config, &[])).await?;
    let mut ids: Vec<String> = found.into_iter().filter_map(|s| s.subnet_id).collect();
    ids.sort();
    Ok(ObjectBuilder::carrying(&SCHEMA, config)
        .set("id", client.region.as_str())
        .set("ids", Value::strings(ids))
        .build())
}
