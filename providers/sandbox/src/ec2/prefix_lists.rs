//! Managed prefix lists, the account's and AWS's; the calls that change entries are in [`super::prefix_list_entries`].
//!
//! Source: CreateManagedPrefixList, DescribeManagedPrefixLists, DescribePrefixLists, DeleteManagedPrefixList; Amazon VPC User
//! Guide, "Prefix lists concepts and rules".

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, invalid};
use super::kinds::{Kind, kind};
use super::prefix_list_entries::{self as entries, Entries};
use super::tags::{self, Tags, tag_set};
use super::{Due, partition, quotas, routes, tokens};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateManagedPrefixList", run: create_managed_prefix_list },
    Operation {
        name: "DescribeManagedPrefixLists",
        run: |world, call| MANAGED.answer(world, &world.ec2.prefix_lists, call),
    },
    Operation { name: "DescribePrefixLists", run: |world, call| OF_AWS.answer(world, &world.ec2.prefix_lists, call) },
    Operation { name: "DeleteManagedPrefixList", run: delete_managed_prefix_list },
];

/// What prefix lists are called.
pub static KIND: Kind = kind!(
    prefix_lists,
    "pl",
    "prefix-list",
    "prefixList",
    "InvalidPrefixListID.NotFound",
    "InvalidPrefixListId.Malformed"
);

/// A prefix list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PrefixList {
    /// `pl-...`
    pub prefix_list_id: String,
    /// For people; `com.amazonaws.` is AWS's.
    pub name: String,
    /// Whether its blocks are IPv6.
    pub is_ipv6: bool,
    /// How many entries it may have: so many rules or routes does a reference to it count for.
    pub max_entries: u32,
    /// How far the last change is: `create-in-progress`, `modify-complete`, ...
    pub state: String,
    /// The version in force.
    pub version: u64,
    /// The entries of each version.
    pub versions: BTreeMap<u64, Entries>,
    /// Whether AWS made it.
    pub is_aws: bool,
    /// Its tags.
    pub tags: Tags,
}

impl PrefixList {
    /// The blocks in force.
    pub fn cidrs(&self) -> impl Iterator<Item = IpNet> {
        self.versions.get(&self.version).into_iter().flat_map(|entries| entries.iter().map(|(cidr, _)| *cidr))
    }

    fn owner(&self, world: &World) -> String {
        if self.is_aws { "AWS".to_owned() } else { world.settings.account.clone() }
    }
}

static MANAGED: Describe<PrefixList> = Describe {
    kind: &KIND,
    ids: "PrefixListId",
    set: "prefixListSet",
    filters: FILTERS,
    indexed: &[],
    limits: (1, 100),
    tags: |list| &list.tags,
    render,
};

/// The older operation, which knows AWS's lists only and tells their blocks.
static OF_AWS: Describe<PrefixList> = Describe {
    kind: &KIND,
    ids: "PrefixListId",
    set: "prefixListSet",
    filters: FILTERS,
    indexed: &[],
    limits: (1, 1000),
    tags: |list| &list.tags,
    render: |_, list| {
        let cidrs: Vec<String> = list.cidrs().map(|cidr| cidr.to_string()).collect();
        json!({ "prefixListId": list.prefix_list_id, "prefixListName": list.name, "cidrSet": cidrs })
    },
};

const FILTERS: &[Field<PrefixList>] = &[
    ("owner-id", |world, list| vec![list.owner(world)]),
    ("prefix-list-id", |_, list| vec![list.prefix_list_id.clone()]),
    ("prefix-list-name", |_, list| vec![list.name.clone()]),
];

/// The prefix list of this id.
///
/// # Errors
/// `InvalidPrefixListID.NotFound`, `InvalidPrefixListId.Malformed`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a PrefixList, ApiError> {
    KIND.found(id, world.ec2.prefix_lists.get(id))
}

/// A list of the account, which it may change.
pub(super) fn find_own<'a>(world: &'a World, id: &str) -> Result<&'a PrefixList, ApiError> {
    let list = find(world, id)?;
    if list.is_aws {
        let message = format!("The prefix list '{id}' is owned by AWS and cannot be changed.");
        return Err(ApiError::new("UnauthorizedOperation", message).with_status(403));
    }
    Ok(list)
}

pub(super) fn render(world: &World, list: &PrefixList) -> Value {
    let region = &world.settings.region;
    let owner = if list.is_aws { "aws" } else { &world.settings.account };
    let id = &list.prefix_list_id;
    json!({
        "prefixListId": id, "prefixListName": list.name, "addressFamily": if list.is_ipv6 { "IPv6" } else { "IPv4" },
        "state": list.state, "ownerId": list.owner(world), "tagSet": tag_set(&list.tags),
        "prefixListArn": format!("arn:{}:ec2:{region}:{owner}:prefix-list/{id}", partition(region)),
        "maxEntries": (!list.is_aws).then_some(list.max_entries), "version": (!list.is_aws).then_some(list.version),
    })
}

/// A list of AWS's: its name after `com.amazonaws.`, where `REGION` stands for the region; its weight, which is how many entries
/// a reference counts for; some of its blocks.
type OfAws = (&'static str, u32, &'static [&'static str]);

/// AWS's own lists. The real blocks are more and change.
///
/// Source: Amazon VPC User Guide, "Available AWS-managed prefix lists"; ip-ranges.amazonaws.com/ip-ranges.json.
const LISTS_OF_AWS: [OfAws; 4] = [
    ("REGION.s3", 1, &["3.5.0.0/19", "18.34.0.0/19", "52.216.0.0/15", "54.231.0.0/16"]),
    ("REGION.dynamodb", 1, &["3.218.180.0/22", "52.94.0.0/22", "52.119.224.0/20"]),
    ("global.cloudfront.origin-facing", 55, &["64.252.64.0/18", "130.176.0.0/18", "205.251.249.0/24"]),
    ("REGION.vpc-lattice", 10, &["169.254.171.0/24"]),
];

/// Makes AWS's own lists.
pub(super) fn furnish(world: &mut World) {
    let region = world.settings.region.clone();
    for (name, weight, blocks) in LISTS_OF_AWS {
        let id = format!("{}-{}", KIND.prefix, world.ids.hex(8));
        let entries: Entries = blocks.iter().filter_map(|text| Some((text.parse().ok()?, None))).collect();
        let list = PrefixList {
            prefix_list_id: id.clone(),
            name: format!("com.amazonaws.{}", name.replace("REGION", &region)),
            is_ipv6: false,
            max_entries: weight,
            state: "create-complete".to_owned(),
            version: 1,
            versions: BTreeMap::from([(1, entries)]),
            is_aws: true,
            tags: Tags::new(),
        };
        world.ec2.prefix_lists.insert(id, list);
    }
}

/// A name that the account may give.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    if name.starts_with("com.amazonaws") {
        return Err(invalid("prefixListName", name, "The name cannot start with com.amazonaws."));
    }
    if name.is_empty() || name.len() > 255 {
        return Err(invalid("prefixListName", name, "The name must have 1 to 255 characters."));
    }
    Ok(())
}

/// How many entries a list may have: 1 to 1,000.
pub(super) fn read_max_entries(call: &Call) -> Result<Option<u32>, ApiError> {
    let Some(number) = call.integer("MaxEntries")? else { return Ok(None) };
    let max = u32::try_from(number).ok().filter(|max| (1..=1000).contains(max));
    max.map(Some).ok_or_else(|| invalid("maxEntries", &number.to_string(), "Must be from 1 to 1000."))
}

fn create_managed_prefix_list(world: &mut World, call: &Call) -> Answer {
    if let Some(id) = tokens::recall(world, call)? {
        return Ok(json!({ "prefixList": render(world, find(world, &id)?) }));
    }
    let name = call.required("PrefixListName")?;
    check_name(&name)?;
    let max_entries = read_max_entries(call)?.ok_or_else(|| ApiError::missing(call.service, "MaxEntries"))?;
    let family = call.required("AddressFamily")?;
    let is_ipv6 = match family.as_str() {
        "IPv4" => false,
        "IPv6" => true,
        _ => return Err(invalid("addressFamily", &family, "Must be IPv4 or IPv6.")),
    };
    let list = entries::read(&call.structures("Entry"), is_ipv6)?;
    entries::check_count(&list, max_entries)?;
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    quotas::PREFIX_LISTS.allow(world.ec2.prefix_lists.values().filter(|list| !list.is_aws).count())?;
    let id = world.ids.ec2(KIND.prefix);
    let row = PrefixList {
        prefix_list_id: id.clone(),
        name,
        is_ipv6,
        max_entries,
        state: "create-in-progress".to_owned(),
        version: 1,
        versions: BTreeMap::from([(1, list)]),
        is_aws: false,
        tags,
    };
    world.ec2.prefix_lists.insert(id.clone(), row);
    tokens::remember(world, call, &id);
    settle(world, &id);
    Ok(json!({ "prefixList": render(world, find(world, &id)?) }))
}

/// Lets the change that runs complete.
pub(super) fn settle(world: &mut World, id: &str) {
    world.schedule_in(world.settings.pace.network, Timer::Ec2(Due::PrefixList(id.to_owned())));
}

/// The ids of the route tables and groups that refer to a list.
pub(super) fn references(world: &World, id: &str) -> Vec<String> {
    let to = routes::Destination::PrefixList(id.to_owned());
    let tables = world.ec2.route_tables.iter();
    let mut ids: Vec<String> = tables
        .filter(|(_, table)| table.routes.iter().any(|route| route.destination == to))
        .map(|(id, _)| id.to_owned())
        .collect();
    let rules = world.ec2.rules.with(&format!("prefix-list-id={id}"));
    ids.extend(rules.map(|(_, rule)| rule.group_id.clone()));
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn delete_managed_prefix_list(world: &mut World, call: &Call) -> Answer {
    let id = call.required("PrefixListId")?;
    let list = find_own(world, &id)?;
    entries::check_settled(list)?;
    if !references(world, &id).is_empty() {
        return Err(KIND.in_use(&id));
    }
    world.ec2.prefix_lists.update(&id, |list| "delete-in-progress".clone_into(&mut list.state));
    settle(world, &id);
    Ok(json!({ "prefixList": render(world, find(world, &id)?) }))
}

/// What is due happens: the change that runs is complete.
pub(super) fn on_timer(world: &mut World, id: &str) {
    let Some(list) = world.ec2.prefix_lists.get(id) else { return };
    if list.state == "delete-in-progress" {
        world.ec2.prefix_lists.remove(id);
        return;
    }
    let state = list.state.replace("in-progress", "complete");
    world.ec2.prefix_lists.update(id, |list| list.state = state);
}
