//! Availability zones: three in the region, `a` to `c`.

use serde_json::{Value, json};

use super::tags::Tags;
use crate::aws::filter::Filters;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DescribeAvailabilityZones", run: describe_availability_zones }];

const LETTERS: [char; 3] = ['a', 'b', 'c'];

/// The names of the region's zones.
pub fn names(region: &str) -> Vec<String> {
    LETTERS.iter().map(|letter| format!("{region}{letter}")).collect()
}

/// The zone's id, `use1-az1`: the region's abbreviation and a number.
pub fn id(zone: &str) -> Option<String> {
    let letter = zone.chars().last()?;
    let number = LETTERS.iter().position(|l| *l == letter)? + 1;
    let region = &zone[..zone.len() - 1];
    let mut parts = region.split('-');
    let (area, side, count) = (parts.next()?, parts.next()?, parts.next()?);
    let side = match side {
        "northeast" | "northwest" | "southeast" | "southwest" => {
            format!("{}{}", &side[..1], &side[5..6])
        }
        other => other[..1].to_owned(),
    };
    Some(format!("{area}{side}{count}-az{number}"))
}

fn describe_availability_zones(world: &mut World, call: &Call) -> Answer {
    let region = &world.settings.region;
    let known = names(region);
    let asked = call.texts("ZoneName");
    if let Some(unknown) = asked.iter().find(|name| !known.contains(name)) {
        return Err(ApiError::new("InvalidParameterValue", format!("Invalid availability zone: [{unknown}]")));
    }
    let asked_ids = call.texts("ZoneId");
    if let Some(unknown) = asked_ids.iter().find(|asked| !known.iter().any(|zone| id(zone).as_ref() == Some(asked))) {
        return Err(ApiError::new("InvalidParameterValue", format!("Invalid availability zone-id: [{unknown}]")));
    }
    let filters = Filters::read(
        call,
        &["group-name", "opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"],
    )?;
    let zones: Vec<Value> = known
        .iter()
        .filter(|name| asked.is_empty() || asked.contains(name))
        .filter(|name| asked_ids.is_empty() || id(name).is_some_and(|id| asked_ids.contains(&id)))
        .map(|name| {
            json!({
                "zoneName": name, "zoneId": id(name), "zoneState": "available", "regionName": region, "zoneType": "availability-zone",
                "groupName": format!("{region}-zg-1"), "optInStatus": "opt-in-not-required", "networkBorderGroup": region, "messageSet": [],
            })
        })
        .filter(|zone| {
            filters.accept(&Tags::new(), |filter| {
                let member = match filter {
                    "zone-name" => "zoneName",
                    "zone-id" => "zoneId",
                    "state" => "zoneState",
                    "region-name" => "regionName",
                    "zone-type" => "zoneType",
                    "group-name" => "groupName",
                    _ => "optInStatus",
                };
                zone[member].as_str().map(str::to_owned).into_iter().collect()
            })
        })
        .collect();
    Ok(json!({ "availabilityZoneInfo": zones }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn zones_have_names_and_ids() {
        for (zone, expected) in
            [("us-east-1a", "use1-az1"), ("eu-central-1c", "euc1-az3"), ("ap-southeast-2b", "apse2-az2")]
        {
            assert_eq!(id(zone).as_deref(), Some(expected));
        }
    }

    #[test]
    fn filters_and_unknown_names() {
        let mut world = world();
        let filter = [("Filter.1.Name", "zone-name"), ("Filter.1.Value.1", "us-east-1b")];
        let answer = ec2(&mut world, "DescribeAvailabilityZones", &filter);
        assert_eq!(answer["availabilityZoneInfo"][0]["zoneId"], "use1-az2");
        let unknown = query(&mut world, Service::Ec2, "DescribeAvailabilityZones", &[("ZoneName.1", "us-east-1z")]);
        assert_eq!(refusal(unknown), "InvalidParameterValue");
    }
}
