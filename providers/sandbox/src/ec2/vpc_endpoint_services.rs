//! The services that have endpoints.
//!
//! Source: DescribeVpcEndpointServices; AWS PrivateLink Guide, "AWS services that integrate with AWS PrivateLink".

use serde_json::{Value, json};

use super::describe::{listing, paging};
use super::tags::Tags;
use super::zones;
use crate::aws::filter::Filters;
use crate::aws::{Answer, ApiError, Call, Operation, page};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DescribeVpcEndpointServices", run: describe_vpc_endpoint_services }];

/// Services of AWS by the last part of their names, with the types of endpoint that they have. Those that clusters need, and
/// the usual ones besides.
const SERVICES: &[(&str, &[&str])] = &[
    ("autoscaling", &["Interface"]),
    ("dynamodb", &["Gateway", "Interface"]),
    ("ec2", &["Interface"]),
    ("ec2messages", &["Interface"]),
    ("ecr.api", &["Interface"]),
    ("ecr.dkr", &["Interface"]),
    ("ecs", &["Interface"]),
    ("eks", &["Interface"]),
    ("eks-auth", &["Interface"]),
    ("elasticache", &["Interface"]),
    ("elasticfilesystem", &["Interface"]),
    ("elasticloadbalancing", &["Interface"]),
    ("events", &["Interface"]),
    ("execute-api", &["Interface"]),
    ("kms", &["Interface"]),
    ("lambda", &["Interface"]),
    ("logs", &["Interface"]),
    ("monitoring", &["Interface"]),
    ("rds", &["Interface"]),
    ("s3", &["Gateway", "Interface"]),
    ("secretsmanager", &["Interface"]),
    ("sns", &["Interface"]),
    ("sqs", &["Interface"]),
    ("ssm", &["Interface"]),
    ("ssmmessages", &["Interface"]),
    ("states", &["Interface"]),
    ("sts", &["Interface"]),
    ("xray", &["Interface"]),
];

/// The types of endpoint of a service (`s3`); `None` for a service that is not known.
pub(super) fn types(service: &str) -> Option<&'static [&'static str]> {
    SERVICES.iter().find(|(name, _)| *name == service).map(|(_, types)| *types)
}

fn describe_vpc_endpoint_services(world: &mut World, call: &Call) -> Answer {
    let filters = Filters::read(
        call,
        &["owner", "service-name", "service-region", "service-type", "supported-ip-address-types"],
    )?;
    let (limit, after) = paging(call, (1, 1000))?;
    let region = &world.settings.region;
    let all: Vec<(String, &[&str])> =
        SERVICES.iter().map(|(name, types)| (format!("com.amazonaws.{region}.{name}"), *types)).collect();
    let asked = call.texts("ServiceName");
    if let Some(unknown) = asked.iter().find(|name| !all.iter().any(|(known, _)| known == *name)) {
        let message = format!("The Vpc Endpoint Service '{unknown}' does not exist");
        return Err(ApiError::new("InvalidServiceName", message));
    }
    let fits = |name: &String, types: &[&str]| {
        (asked.is_empty() || asked.contains(name))
            && filters.accept(&Tags::new(), |filter| match filter {
                "owner" => vec!["amazon".to_owned()],
                "service-name" => vec![name.clone()],
                "service-region" => vec![region.clone()],
                "service-type" => types.iter().map(|it| (*it).to_owned()).collect(),
                _ => vec!["ipv4".to_owned()],
            })
    };
    let chosen: Vec<&(String, &[&str])> = all.iter().filter(|(name, types)| fits(name, types)).collect();
    let rows = chosen.iter().filter(|(name, _)| after.as_ref().is_none_or(|after| name > after));
    let page = page::rest(rows.map(|(name, types)| (name.as_str(), render(region, name, types))), limit);
    let mut answer = listing("serviceDetailSet", page);
    answer["serviceNameSet"] = chosen.iter().map(|(name, _)| Value::from(name.as_str())).collect();
    Ok(answer)
}

fn render(region: &str, name: &str, types: &[&str]) -> Value {
    let short = name.rsplit('.').next().unwrap_or_default();
    let is_interface = types.contains(&"Interface");
    let types: Vec<Value> = types.iter().map(|it| json!({ "serviceType": it })).collect();
    json!({
        "serviceName": name, "serviceType": types, "serviceRegion": region, "owner": "amazon", "acceptanceRequired": false,
        "availabilityZoneSet": zones::names(region), "vpcEndpointPolicySupported": true, "managesVpcEndpoints": false,
        "baseEndpointDnsNameSet": [format!("{short}.{region}.vpce.amazonaws.com")],
        "privateDnsName": is_interface.then(|| format!("{short}.{region}.amazonaws.com")),
        "supportedIpAddressTypeSet": ["ipv4"], "tagSet": [],
    })
}
