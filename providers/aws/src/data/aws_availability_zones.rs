//! `data.aws_availability_zones`.

use std::sync::LazyLock;

use async_trait::async_trait;
use futures::future::join_all;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use crate::{
    client::AwsClient,
    ec2::{self, filter},
    errors::{ApiError, Call},
    values::{self, ObjectBuilder},
};

/// The zones of the region.
#[derive(Debug)]
pub struct AwsAvailabilityZones;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_availability_zones", "The zones of the region that the account can use.")
        .attr(
            "all_availability_zones",
            Attribute::bool().optional().doc("Whether zones count that the account has not opted in to."),
        )
        .attr("exclude_names", Attribute::string_set().optional().doc("Names to leave out."))
        .attr("exclude_zone_ids", Attribute::string_set().optional().doc("Ids to leave out."))
        .attr(
            "group_names",
            Attribute::string_set().computed().doc("The zone groups: the region, and those of local zones."),
        )
        .attr("id", Attribute::string().computed().doc("The region."))
        .attr("names", Attribute::strings().computed().doc("The names, sorted: `eu-central-1a`."))
        .attr("state", Attribute::string().optional().doc("`available`, `information`, `impaired` or `unavailable`."))
        .attr("zone_ids", Attribute::strings().computed().doc("The ids, in the order of the names: `euc1-az2`."))
        .block("filter", ec2::filter_block())
        .unsupported(&["region"])
        .timeouts(&[("read", 1200)])
        .iam_actions(&["ec2:DescribeAvailabilityZones"])
        .example("data \"aws_availability_zones\" \"available\" {\n  state = \"available\"\n}\n")
});

#[async_trait]
impl DataSource for AwsAvailabilityZones {
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
    let mut filters = ec2::filters(config, &[]);
    filters.extend(values::text(config, "state").map(|state| filter("state", [state])));
    let call = client
        .ec2
        .describe_availability_zones()
        .set_filters((!filters.is_empty()).then_some(filters))
        .set_all_availability_zones(values::bool_opt(config, "all_availability_zones"));
    let zones = call.send().await.call("ec2:DescribeAvailabilityZones")?.availability_zones.unwrap_or_default();
    let (names, ids) = (values::strs(config, "exclude_names"), values::strs(config, "exclude_zone_ids"));
    let mut found: Vec<(String, String, String)> = zones
        .into_iter()
        .map(|zone| {
            (zone.zone_name.unwrap_or_default(), zone.zone_id.unwrap_or_default(), zone.group_name.unwrap_or_default())
        })
        .filter(|(name, id, _)| !names.contains(name) && !ids.contains(id))
        .collect();
    found.sort();
    Ok(ObjectBuilder::carrying(&SCHEMA, config)
        .set("id", client.region.as_str())
        .set("names", Value::strings(found.iter().map(|(name, ..)| name.clone())))
        .set("zone_ids", Value::strings(found.iter().map(|(_, id, _)| id.clone())))
        .set("group_names", values::string_set(found.into_iter().map(|(.., group)| group).filter(|it| !it.is_empty())))
        .build())
}
