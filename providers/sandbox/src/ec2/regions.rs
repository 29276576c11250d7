//! Regions and the account's attributes.
//!
//! Source: DescribeRegions, DescribeAccountAttributes; Amazon EC2 User Guide, "Regions".

use serde_json::{Value, json};

use super::describe::invalid;
use super::tags::Tags;
use super::vpcs;
use crate::aws::filter::Filters;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeRegions", run: describe_regions },
    Operation { name: "DescribeAccountAttributes", run: describe_account_attributes },
];

/// The regions that every account has.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Those that an account must ask for.
const OPT_IN: [&str; 8] = [
    "af-south-1",
    "ap-east-1",
    "ap-southeast-3",
    "eu-central-2",
    "eu-south-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
];

fn describe_regions(world: &mut World, call: &Call) -> Answer {
    let filters = Filters::read(call, &["endpoint", "opt-in-status", "region-name"])?;
    let with_all = call.boolean("AllRegions")? == Some(true);
    let own = &world.settings.region;
    let mut regions: Vec<(&str, &str)> = REGIONS.iter().map(|name| (*name, "opt-in-not-required")).collect();
    regions.extend(OPT_IN.iter().map(|name| (*name, if name == own { "opted-in" } else { "not-opted-in" })));
    // The sandbox's own region may be one of another partition.
    if !regions.iter().any(|(name, _)| name == own) {
        regions.push((own, "opt-in-not-required"));
    }
    regions.sort_unstable();
    let asked = call.texts("RegionName");
    if let Some(unknown) = asked.iter().find(|name| !regions.iter().any(|(known, _)| known == name)) {
        return Err(invalid("region", unknown, "There is no such region."));
    }
    let endpoint = |name: &str| format!("ec2.{name}.amazonaws.com");
    let shown = regions.into_iter().filter(|(name, status)| {
        let is_asked =
            if asked.is_empty() { with_all || *status != "not-opted-in" } else { asked.iter().any(|it| it == name) };
        is_asked
            && filters.accept(&Tags::new(), |filter| match filter {
                "endpoint" => vec![endpoint(name)],
                "opt-in-status" => vec![(*status).to_owned()],
                _ => vec![(*name).to_owned()],
            })
    });
    let rows: Vec<Value> = shown
        .map(|(name, status)| json!({ "regionName": name, "regionEndpoint": endpoint(name), "optInStatus": status }))
        .collect();
    Ok(json!({ "regionInfo": rows }))
}

fn describe_account_attributes(world: &mut World, call: &Call) -> Answer {
    let default = vpcs::default_vpc(world).map_or_else(|| "none".to_owned(), |vpc| vpc.vpc_id.clone());
    let attributes: [(&str, &[&str]); 6] = [
        ("default-vpc", &[&default]),
        ("max-elastic-ips", &["500"]),
        ("max-instances", &["20"]),
        ("supported-platforms", &["VPC"]),
        ("vpc-max-elastic-ips", &["500"]),
        ("vpc-max-security-groups-per-interface", &["5"]),
    ];
    let asked = call.texts("AttributeName");
    if let Some(unknown) = asked.iter().find(|name| !attributes.iter().any(|(known, _)| known == name)) {
        let message = format!("Value ({unknown}) for parameter attributeName is invalid. Unknown attribute.");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let rows: Vec<Value> = attributes
        .iter()
        .filter(|(name, _)| asked.is_empty() || asked.iter().any(|it| it == name))
        .map(|(name, values)| {
            let values: Vec<Value> = values.iter().map(|value| json!({ "attributeValue": value })).collect();
            json!({ "attributeName": name, "attributeValueSet": values })
        })
        .collect();
    Ok(json!({ "accountAttributeSet": rows }))
}
