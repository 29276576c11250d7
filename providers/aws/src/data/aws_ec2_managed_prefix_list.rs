//! `data.aws_ec2_managed_prefix_list`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::ManagedPrefixList;
use futures::future::join_all;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Type, Value};

use crate::{
    client::AwsClient,
    ec2::{self, describe, filter, lookup},
    tags,
    values::{self, ObjectBuilder},
};

/// One prefix list, of one's own or of AWS.
#[derive(Debug)]
pub struct AwsEc2ManagedPrefixList;

fn entry() -> Type {
    Type::object([("cidr", Type::String), ("description", Type::String)])
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = |doc| Attribute::string().computed().doc(doc);
    Schema::new(
        "aws_ec2_managed_prefix_list",
        "One prefix list that exists: AWS's own (`com.amazonaws.REGION.s3`) too.",
    )
    .attr("address_family", text("`IPv4` or `IPv6`."))
    .attr("arn", text("The list's ARN."))
    .attr("entries", Attribute::of(Type::set(entry())).computed().doc("`cidr` and `description` of each entry."))
    .attr("id", text("The list's id.").optional())
    .attr("max_entries", Attribute::number().computed().doc("How many rules count where it is named; 0 for AWS's own."))
    .attr("name", text("The list's name.").optional())
    .attr("owner_id", text("The account that owns the list; `AWS` for its own."))
    .attr("tags", Attribute::string_map().computed().doc("Tags that the list has."))
    .attr("version", Attribute::number().computed().doc("Grows with each change of its entries."))
    .block("filter", ec2::filter_block())
    .unsupported(&["region"])
    .timeouts(&[("read", 1200)])
    .iam_actions(&["ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"])
    .example("data \"aws_ec2_managed_prefix_list\" \"s3\" {\n  name = \"com.amazonaws.eu-central-1.s3\"\n}\n")
});

/// Arguments that stand for filters of `DescribeManagedPrefixLists`.
const ARGUMENTS: [(&str, &str); 2] = [("id", "prefix-list-id"), ("name", "prefix-list-name")];

#[async_trait]
impl DataSource for AwsEc2ManagedPrefixList {
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
        let lists = lookup::each_one(
            requests,
            "prefix list",
            &["name", "filter"],
            |ids: Vec<String>| describe::prefix_lists(client, vec![filter("prefix-list-id", ids)]),
            |list| list.prefix_list_id.clone(),
            |config| describe::prefix_lists(client, ec2::filters(config, &ARGUMENTS)),
        )
        .await;
        let objects = lists.into_iter().zip(requests).map(|(list, r)| complete(client, list, r.config));
        join_all(objects.collect::<Vec<_>>()).await
    }
}

async fn complete(
    client: &AwsClient,
    list: Result<ManagedPrefixList, Diagnostics>,
    config: &Value,
) -> Result<Value, Diagnostics> {
    let list = list?;
    let entries = describe::prefix_list_entries(client, list.prefix_list_id().unwrap_or_default()).await?;
    let entries = entries.iter().map(|it| {
        Value::object([
            ("cidr", values::opt_str(it.cidr())),
            ("description", values::opt_str(Some(it.description().unwrap_or_default()))),
        ])
    });
    Ok(ObjectBuilder::carrying(&SCHEMA, config)
        .set("address_family", values::opt_str(list.address_family()))
        .set("arn", values::opt_str(list.prefix_list_arn()))
        .set("entries", Value::set(entry(), entries))
        .set("id", values::opt_str(list.prefix_list_id()))
        .set("max_entries", values::opt_int(Some(list.max_entries().unwrap_or_default())))
        .set("name", values::opt_str(list.prefix_list_name()))
        .set("owner_id", values::opt_str(list.owner_id()))
        .set("tags", tags::shown(client, &tags::from_ec2(list.tags())))
        .set("version", values::opt_int(Some(list.version().unwrap_or_default())))
        .build())
}
