//! `data.aws_region`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{client::AwsClient, partition::Partition, values};

/// The provider's region, or another one by name. Calls nobody.
#[derive(Debug)]
pub struct AwsRegion;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_region", "A region: the provider's, unless another one is named.")
        .attr("region", Attribute::string().optional_computed().doc("The region's name: `eu-central-1`."))
        .attr(
            "name",
            Attribute::string().optional_computed().doc("The same, by its older name.").deprecated("Use `region`."),
        )
        .attr("endpoint", Attribute::string().optional_computed().doc("The host of the region's EC2 endpoint."))
        .attr("description", Attribute::string().computed().doc("What AWS calls it: `Europe (Frankfurt)`."))
        .attr("id", Attribute::string().computed().doc("The region's name."))
        .example("data \"aws_region\" \"current\" {}\n")
});

#[async_trait]
impl DataSource for AwsRegion {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let own = &AwsClient::of(client).region;
        requests.iter().map(|r| describe(r.config, own)).collect()
    }
}

fn describe(config: &Value, own: &str) -> Result<Value, Diagnostics> {
    let by_endpoint = values::text(config, "endpoint").map(|host| match host.split('.').nth(1) {
        Some(region) if host == endpoint(region) => Ok(region.to_owned()),
        _ => Err(Diagnostics::from(Diagnostic::error(
            "Unknown endpoint",
            format!("{host:?} is not the host of an EC2 endpoint."),
        ))),
    });
    let named = ["region", "name"].into_iter().find_map(|argument| values::text(config, argument));
    let region = match (named, by_endpoint) {
        (Some(region), _) => region,
        (None, Some(region)) => region?,
        (None, None) => own.to_owned(),
    };
    Ok(Value::object([
        ("region", Value::from(region.as_str())),
        ("name", region.as_str().into()),
        ("endpoint", endpoint(&region).into()),
        ("description", description(&region).into()),
        ("id", region.as_str().into()),
    ]))
}

fn endpoint(region: &str) -> String {
    format!("ec2.{region}.{}", Partition::of(region).dns_suffix)
}

/// AWS's names of regions (AWS General Reference, "Regions, Availability Zones"); a region that is newer than this list is
/// described by its own name.
fn description(region: &str) -> &str {
    match region {
        "af-south-1" => "Africa (Cape Town)",
        "ap-east-1" => "Asia Pacific (Hong Kong)",
        "ap-east-2" => "Asia Pacific (Taipei)",
        "ap-northeast-1" => "Asia Pacific (Tokyo)",
        "ap-northeast-2" => "Asia Pacific (Seoul)",
        "ap-northeast-3" => "Asia Pacific (Osaka)",
        "ap-south-1" => "Asia Pacific (Mumbai)",
        "ap-south-2" => "Asia Pacific (Hyderabad)",
        "ap-southeast-1" => "Asia Pacific (Singapore)",
        "ap-southeast-2" => "Asia Pacific (Sydney)",
        "ap-southeast-3" => "Asia Pacific (Jakarta)",
        "ap-southeast-4" => "Asia Pacific (Melbourne)",
        "ap-southeast-5" => "Asia Pacific (Malaysia)",
        "ap-southeast-6" => "Asia Pacific (New Zealand)",
        "ap-southeast-7" => "Asia Pacific (Thailand)",
        "ca-central-1" => "Canada (Central)",
        "ca-west-1" => "Canada West (Calgary)",
        "cn-north-1" => "China (Beijing)",
        "cn-northwest-1" => "China (Ningxia)",
        "eu-central-1" => "Europe (Frankfurt)",
        "eu-central-2" => "Europe (Zurich)",
        "eu-north-1" => "Europe (Stockholm)",
        "eu-south-1" => "Europe (Milan)",
        "eu-south-2" => "Europe (Spain)",
        "eu-west-1" => "Europe (Ireland)",
        "eu-west-2" => "Europe (London)",
        "eu-west-3" => "Europe (Paris)",
        "eusc-de-east-1" => "AWS European Sovereign Cloud (Germany)",
        "il-central-1" => "Israel (Tel Aviv)",
        "me-central-1" => "Middle East (UAE)",
        "me-south-1" => "Middle East (Bahrain)",
        "mx-central-1" => "Mexico (Central)",
        "sa-east-1" => "South America (Sao Paulo)",
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-gov-east-1" => "AWS GovCloud (US-East)",
        "us-gov-west-1" => "AWS GovCloud (US-West)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn region(fields: &[(&str, &str)]) -> Result<String, String> {
        let config = fields.iter().fold(SCHEMA.block.empty(), |object, (k, v)| object.with_attr(k, (*v).into()));
        describe(&config, "eu-west-1").map(|v| values::string(&v, "id")).map_err(|d| d.0[0].summary.clone())
    }

    #[test]
    fn a_region_is_named_or_the_providers() {
        assert_eq!(region(&[]).unwrap(), "eu-west-1");
        assert_eq!(region(&[("name", "us-east-2")]).unwrap(), "us-east-2");
        assert_eq!(region(&[("endpoint", "ec2.cn-north-1.amazonaws.com.cn")]).unwrap(), "cn-north-1");
        assert_eq!(region(&[("endpoint", "example.org")]).unwrap_err(), "Unknown endpoint");
    }
}
