//! `data.aws_security_groups`.

use std::sync::LazyLock;

use async_trait::async_trait;
use futures::future::join_all;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use crate::{
    client::AwsClient,
    ec2::{self, object},
    errors::ApiError,
    values::ObjectBuilder,
};

/// The ids of security groups.
#[derive(Debug)]
pub struct AwsSecurityGroups;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_security_groups", "The ids of the security groups that match; none is no error.")
        .attr("arns", Attribute::strings().computed().doc("The groups' ARNs, in the order of the ids."))
        .attr("id", Attribute::string().computed().doc("The region."))
        .attr("ids", Attribute::strings().computed().doc("The groups' ids, sorted."))
        .attr("tags", Attribute::string_map().optional_computed().doc("Tags that each group must have."))
        .attr("vpc_ids", Attribute::strings().computed().doc("The groups' VPCs, in the order of the ids."))
        .block("filter", ec2::filter_block())
        .unsupported(&["region"])
        .timeouts(&[("read", 1200)])
        .iam_actions(&["ec2:DescribeSecurityGroups"])
        .example("data \"aws_security_groups\" \"nodes\" {\n  tags = { role = \"node\" }\n}\n")
});

#[async_trait]
impl DataSource for AwsSecurityGroups {
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
    let mut found = ec2::security_groups(client, ec2::filters(config, &[])).await?;
    found.sort_by(|a, b| a.group_id.cmp(&b.group_id));
    let arn = |group: &aws_sdk_ec2::types::SecurityGroup| {
        let id = group.group_id().unwrap_or_default();
        let made = || object::arn(client, group.owner_id(), "security-group", id);
        group.security_group_arn().map_or_else(made, str::to_owned)
    };
    Ok(ObjectBuilder::carrying(&SCHEMA, config)
        .set("arns", Value::strings(found.iter().map(arn)))
        .set("id", client.region.as_str())
        .set("ids", Value::strings(found.iter().filter_map(|it| it.group_id.clone())))
        .set("vpc_ids", Value::strings(found.iter().map(|it| it.vpc_id.clone().unwrap_or_default())))
        .build())
}
