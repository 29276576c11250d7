//! `data.aws_security_group`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::SecurityGroup;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use crate::{
    client::AwsClient,
    ec2::{self, lookup},
    tags,
    values::{self, ObjectBuilder},
};

/// One security group.
#[derive(Debug)]
pub struct AwsSecurityGroup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_security_group", "One security group that exists.")
        .attr("id", Attribute::string().optional_computed().doc("The group's id."))
        .attr("name", Attribute::string().optional_computed().doc("The group's name."))
        .attr("vpc_id", Attribute::string().optional_computed().doc("The VPC of the group."))
        .attr(
            "tags",
            Attribute::string_map()
                .optional_computed()
                .doc("Tags that the group has (as an argument: at least these)."),
        )
        .attr("arn", Attribute::string().computed().doc("The group's ARN."))
        .attr("description", Attribute::string().computed().doc("The group's description."))
        .block("filter", ec2::filter_block())
        .unsupported(&["region"])
        .timeouts(&[("read", 1200)])
        .iam_actions(&["ec2:DescribeSecurityGroups"])
        .example("data \"aws_security_group\" \"db\" {\n  name   = \"db\"\n  vpc_id = \"vpc-0123456789abcdef0\"\n}\n")
});

/// Arguments that stand for filters of `DescribeSecurityGroups`.
const ARGUMENTS: [(&str, &str); 3] = [("id", "group-id"), ("name", "group-name"), ("vpc_id", "vpc-id")];

#[async_trait]
impl DataSource for AwsSecurityGroup {
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
        let groups = lookup::each_one(
            requests,
            "security group",
            &["name", "vpc_id", "tags", "filter"],
            |ids: Vec<String>| async move { ec2::security_groups_by_id(client, &ids).await },
            |group| group.group_id.clone(),
            |config| ec2::security_groups(client, ec2::filters(config, &ARGUMENTS)),
        )
        .await;
        groups.into_iter().zip(requests).map(|(group, r)| Ok(object(client, &group?, r.config))).collect()
    }
}

fn object(client: &AwsClient, group: &SecurityGroup, config: &Value) -> Value {
    let id = group.group_id().unwrap_or_default();
    let owner = group.owner_id().unwrap_or_default();
    let arn = group.security_group_arn().map_or_else(
        || format!("arn:{}:ec2:{}:{owner}:security-group/{id}", client.partition().id, client.region),
        str::to_owned,
    );
    ObjectBuilder::carrying(&SCHEMA, config)
        .set("id", id)
        .set("arn", arn)
        .set("name", values::opt_str(group.group_name()))
        .set("vpc_id", values::opt_str(group.vpc_id()))
        .set("description", values::opt_str(group.description()))
        .set("tags", tags::shown(client, &tags::from_ec2(group.tags())))
        .build()
}
