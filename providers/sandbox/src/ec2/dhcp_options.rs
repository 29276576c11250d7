//! DHCP options sets.
//!
//! Source: CreateDhcpOptions, DescribeDhcpOptions, AssociateDhcpOptions, DeleteDhcpOptions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done, invalid};
use super::kinds::{Kind, kind};
use super::tags::{self, Tags, tag_set};
use super::vpcs;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateDhcpOptions", run: create_dhcp_options },
    Operation { name: "DescribeDhcpOptions", run: |world, call| OPTIONS.answer(world, &world.ec2.dhcp_options, call) },
    Operation { name: "AssociateDhcpOptions", run: associate_dhcp_options },
    Operation { name: "DeleteDhcpOptions", run: delete_dhcp_options },
];

/// What DHCP options sets are called.
pub static KIND: Kind = kind!(
    dhcp_options,
    "dopt",
    "dhcp-options",
    "dhcpOptions",
    "InvalidDhcpOptionID.NotFound",
    "InvalidDhcpOptionsId.Malformed"
);

/// A DHCP options set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DhcpOptions {
    /// `dopt-...`
    pub dhcp_options_id: String,
    /// Keys with their values, in the order given.
    pub configurations: Vec<(String, Vec<String>)>,
    /// Whether it is the one that new VPCs get.
    pub is_default: bool,
    /// Its tags.
    pub tags: Tags,
}

static OPTIONS: Describe<DhcpOptions> = Describe {
    kind: &KIND,
    ids: "DhcpOptionsId",
    set: "dhcpOptionsSet",
    filters: FILTERS,
    indexed: &[],
    limits: (5, 1000),
    tags: |options| &options.tags,
    render,
};

const FILTERS: &[Field<DhcpOptions>] = &[
    ("dhcp-options-id", |_, options| vec![options.dhcp_options_id.clone()]),
    ("key", |_, options| options.configurations.iter().map(|(key, _)| key.clone()).collect()),
    ("owner-id", |world, _| vec![world.settings.account.clone()]),
    ("value", |_, options| options.configurations.iter().flat_map(|(_, values)| values.clone()).collect()),
];

const KEYS: [&str; 6] = [
    "domain-name-servers",
    "domain-name",
    "ntp-servers",
    "netbios-name-servers",
    "netbios-node-type",
    "ipv6-address-preferred-lease-time",
];

fn render(world: &World, options: &DhcpOptions) -> Value {
    let configurations: Vec<Value> = options
        .configurations
        .iter()
        .map(|(key, values)| {
            let values: Vec<Value> = values.iter().map(|value| json!({ "value": value })).collect();
            json!({ "key": key, "valueSet": values })
        })
        .collect();
    json!({
        "dhcpOptionsId": options.dhcp_options_id, "ownerId": world.settings.account,
        "dhcpConfigurationSet": configurations, "tagSet": tag_set(&options.tags),
    })
}

/// The set that new VPCs get; made when it is first asked for.
pub(super) fn default_id(world: &mut World) -> String {
    if let Some(options) = world.ec2.dhcp_options.values().find(|options| options.is_default) {
        return options.dhcp_options_id.clone();
    }
    let region = &world.settings.region;
    let name = if region == "us-east-1" { "ec2.internal".to_owned() } else { format!("{region}.compute.internal") };
    let configurations = vec![
        ("domain-name".to_owned(), vec![name]),
        ("domain-name-servers".to_owned(), vec!["AmazonProvidedDNS".to_owned()]),
    ];
    insert(world, configurations, true, Tags::new())
}

fn insert(world: &mut World, configurations: Vec<(String, Vec<String>)>, is_default: bool, tags: Tags) -> String {
    let id = world.ids.ec2(KIND.prefix);
    let options = DhcpOptions { dhcp_options_id: id.clone(), configurations, is_default, tags };
    world.ec2.dhcp_options.insert(id.clone(), options);
    id
}

fn create_dhcp_options(world: &mut World, call: &Call) -> Answer {
    let mut configurations = Vec::new();
    for configuration in call.structures("DhcpConfiguration") {
        let (key, values) = (configuration.required("Key")?, configuration.texts("Value"));
        if !KEYS.contains(&key.as_str()) {
            return Err(invalid("dhcpConfiguration", &key, "Unknown DHCP option."));
        }
        if values.is_empty() {
            return Err(ApiError::missing(call.service, "Value"));
        }
        configurations.push((key, values));
    }
    if configurations.is_empty() {
        return Err(ApiError::missing(call.service, "dhcpConfigurationSet"));
    }
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    let id = insert(world, configurations, false, tags);
    Ok(json!({ "dhcpOptions": render(world, find(world, &id)?) }))
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a DhcpOptions, ApiError> {
    KIND.found(id, world.ec2.dhcp_options.get(id))
}

fn associate_dhcp_options(world: &mut World, call: &Call) -> Answer {
    let (options, vpc) = (call.required("DhcpOptionsId")?, call.required("VpcId")?);
    // `default` stands for no options at all.
    if options != "default" {
        find(world, &options)?;
    }
    vpcs::find(world, &vpc)?;
    world.ec2.vpcs.update(&vpc, |vpc| vpc.dhcp_options_id = options);
    Ok(done())
}

fn delete_dhcp_options(world: &mut World, call: &Call) -> Answer {
    let id = call.required("DhcpOptionsId")?;
    find(world, &id)?;
    if world.ec2.vpcs.values().any(|vpc| vpc.dhcp_options_id == id) {
        return Err(KIND.in_use(&id));
    }
    world.ec2.dhcp_options.remove(&id);
    Ok(done())
}

#[cfg(test)]
mod tests {
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn a_set_in_use_stays() {
        let mut world = world();
        let pairs = [("DhcpConfiguration.1.Key", "domain-name"), ("DhcpConfiguration.1.Value.1", "example.com")];
        let made = ec2(&mut world, "CreateDhcpOptions", &pairs);
        let id = made["dhcpOptions"]["dhcpOptionsId"].as_str().unwrap();
        let vpc = world.ec2.vpcs.iter().next().unwrap().0.to_owned();
        ec2(&mut world, "AssociateDhcpOptions", &[("DhcpOptionsId", id), ("VpcId", &vpc)]);
        let kept = query(&mut world, Service::Ec2, "DeleteDhcpOptions", &[("DhcpOptionsId", id)]);
        assert_eq!(refusal(kept), "DependencyViolation");
        ec2(&mut world, "AssociateDhcpOptions", &[("DhcpOptionsId", "default"), ("VpcId", &vpc)]);
        ec2(&mut world, "DeleteDhcpOptions", &[("DhcpOptionsId", id)]);
        let gone = query(&mut world, Service::Ec2, "DescribeDhcpOptions", &[("DhcpOptionsId.1", id)]);
        assert_eq!(refusal(gone), "InvalidDhcpOptionID.NotFound");
    }
}
