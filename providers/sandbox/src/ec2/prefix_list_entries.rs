//! Entries and versions of managed prefix lists.
//!
//! Source: ModifyManagedPrefixList, GetManagedPrefixListEntries, RestoreManagedPrefixListVersion.

use ipnet::IpNet;
use serde_json::json;

use super::cidrs;
use super::describe::{invalid, listing, paging};
use super::prefix_lists::{self, PrefixList, find, find_own};
use crate::aws::page::{self, Page};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "ModifyManagedPrefixList", run: modify_managed_prefix_list },
    Operation { name: "GetManagedPrefixListEntries", run: get_managed_prefix_list_entries },
    Operation { name: "GetManagedPrefixListAssociations", run: get_managed_prefix_list_associations },
    Operation { name: "RestoreManagedPrefixListVersion", run: restore_managed_prefix_list_version },
];

/// Blocks with their descriptions, in the order of the blocks.
pub type Entries = Vec<(IpNet, Option<String>)>;

/// In one call.
const CHANGES: usize = 100;

/// Reads the entries of a call.
pub(super) fn read(list: &[Params], is_ipv6: bool) -> Result<Entries, ApiError> {
    if list.len() > CHANGES {
        let message = format!("The request has more than {CHANGES} entries.");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let mut entries = Entries::new();
    for entry in list {
        let text = entry.required("Cidr")?;
        let cidr = cidrs::any("cidr", &text)?;
        if matches!(cidr, IpNet::V6(_)) != is_ipv6 {
            return Err(invalid("cidr", &text, "The block is not of the prefix list's address family."));
        }
        if entries.iter().any(|(known, _)| *known == cidr) {
            return Err(invalid("cidr", &text, "The block is there more than once."));
        }
        let description = entry.text("Description").filter(|text| !text.is_empty());
        if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
            return Err(invalid("description", &text, "A description has up to 255 characters."));
        }
        entries.push((cidr, description));
    }
    entries.sort_unstable_by_key(|(cidr, _)| *cidr);
    Ok(entries)
}

pub(super) fn check_count(entries: &Entries, max: u32) -> Result<(), ApiError> {
    if entries.len() <= max as usize {
        return Ok(());
    }
    let message = format!("You've reached the maximum number of entries for the prefix list: {max}.");
    Err(ApiError::new("PrefixListMaxEntriesExceeded", message))
}

/// A list whose last change still runs takes no other.
pub(super) fn check_settled(list: &PrefixList) -> Result<(), ApiError> {
    if !list.state.ends_with("in-progress") {
        return Ok(());
    }
    let message =
        format!("The prefix list '{}' is in state {} and cannot be modified.", list.prefix_list_id, list.state);
    Err(ApiError::new("IncorrectState", message))
}

fn check_version(list: &PrefixList, current: Option<i64>) -> Result<(), ApiError> {
    if current.and_then(|current| u64::try_from(current).ok()) == Some(list.version) {
        return Ok(());
    }
    let message = format!("The prefix list has the incorrect version number. The current version is {}.", list.version);
    Err(ApiError::new("PrefixListVersionMismatch", message))
}

fn modify_managed_prefix_list(world: &mut World, call: &Call) -> Answer {
    let id = call.required("PrefixListId")?;
    let mut list = find_own(world, &id)?.clone();
    check_settled(&list)?;
    let current = call.integer("CurrentVersion")?;
    let (added, removed) = (call.structures("AddEntry"), call.structures("RemoveEntry"));
    let max_entries = prefix_lists::read_max_entries(call)?;
    let with_entries = !added.is_empty() || !removed.is_empty();
    if with_entries && max_entries.is_some() {
        let message = "You cannot modify the entries and the size of a prefix list at the same time.";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    if with_entries && current.is_none() {
        return Err(ApiError::missing(call.service, "CurrentVersion"));
    }
    if current.is_some() {
        check_version(&list, current)?;
    }
    if let Some(name) = call.text("PrefixListName") {
        prefix_lists::check_name(&name)?;
        list.name = name;
    }
    let before = list.versions.get(&list.version).cloned().unwrap_or_default();
    if let Some(max) = max_entries {
        check_count(&before, max)?;
        list.max_entries = max;
    }
    if with_entries {
        let entries = changed(&list, before, &added, &removed)?;
        list.version += 1;
        list.versions.insert(list.version, entries);
    }
    "modify-in-progress".clone_into(&mut list.state);
    let answer = prefix_lists::render(world, &list);
    world.ec2.prefix_lists.insert(id.clone(), list);
    prefix_lists::settle(world, &id);
    Ok(json!({ "prefixList": answer }))
}

/// The entries after a change. What is added again gets the new description.
fn changed(list: &PrefixList, mut entries: Entries, added: &[Params], removed: &[Params]) -> Result<Entries, ApiError> {
    let (added, removed) = (read(added, list.is_ipv6)?, read(removed, list.is_ipv6)?);
    for (cidr, _) in &removed {
        if added.iter().any(|(other, _)| other == cidr) {
            return Err(invalid("cidr", &cidr.to_string(), "The block is both added and removed."));
        }
        if !entries.iter().any(|(known, _)| known == cidr) {
            return Err(invalid("cidr", &cidr.to_string(), "The prefix list has no such entry."));
        }
    }
    let is_gone = |cidr: &IpNet| removed.iter().chain(&added).any(|(other, _)| other == cidr);
    entries.retain(|(cidr, _)| !is_gone(cidr));
    entries.extend(added);
    entries.sort_unstable_by_key(|(cidr, _)| *cidr);
    check_count(&entries, list.max_entries)?;
    Ok(entries)
}

/// The entries of a version.
fn version_of<'a>(list: &'a PrefixList, version: i64, parameter: &str) -> Result<&'a Entries, ApiError> {
    let entries = u64::try_from(version).ok().and_then(|version| list.versions.get(&version));
    entries.ok_or_else(|| invalid(parameter, &version.to_string(), "The prefix list has no such version."))
}

fn get_managed_prefix_list_entries(world: &mut World, call: &Call) -> Answer {
    let list = find(world, &call.required("PrefixListId")?)?;
    let version = call.integer("TargetVersion")?.unwrap_or(i64::try_from(list.version).unwrap_or(1));
    let entries = version_of(list, version, "targetVersion")?;
    let (limit, after) = paging(call, (1, 100))?;
    let names: Vec<String> = entries.iter().map(|(cidr, _)| cidr.to_string()).collect();
    let from = after.and_then(|after| names.iter().position(|name| *name == after)).map_or(0, |at| at + 1);
    let rows = names.iter().zip(entries).skip(from);
    let Page { items, next } = page::rest(rows.map(|(name, (_, text))| (name.as_str(), (name, text))), limit);
    let items = items.into_iter().map(|(name, text)| json!({ "cidr": name, "description": text })).collect();
    Ok(listing("entrySet", Page { items, next }))
}

fn get_managed_prefix_list_associations(world: &mut World, call: &Call) -> Answer {
    let id = call.required("PrefixListId")?;
    find(world, &id)?;
    let (limit, after) = paging(call, (5, 255))?;
    let mut ids = prefix_lists::references(world, &id);
    ids.sort_unstable();
    let owner = &world.settings.account;
    let rows = ids.iter().filter(|id| after.as_ref().is_none_or(|after| *id > after));
    let rows = rows.map(|id| (id.as_str(), json!({ "resourceId": id, "resourceOwner": owner })));
    Ok(listing("prefixListAssociationSet", page::rest(rows, limit)))
}

fn restore_managed_prefix_list_version(world: &mut World, call: &Call) -> Answer {
    let id = call.required("PrefixListId")?;
    let mut list = find_own(world, &id)?.clone();
    check_settled(&list)?;
    call.required("PreviousVersion")?;
    call.required("CurrentVersion")?;
    check_version(&list, call.integer("CurrentVersion")?)?;
    let previous = call.integer("PreviousVersion")?.unwrap_or_default();
    let entries = version_of(&list, previous, "previousVersion")?.clone();
    check_count(&entries, list.max_entries)?;
    list.version += 1;
    list.versions.insert(list.version, entries);
    "restore-in-progress".clone_into(&mut list.state);
    let answer = prefix_lists::render(world, &list);
    world.ec2.prefix_lists.insert(id.clone(), list);
    prefix_lists::settle(world, &id);
    Ok(json!({ "prefixList": answer }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, pass, query, refusal, world};

    fn create(world: &mut World, more: &[(&str, &str)]) -> Answer {
        let pairs = [("PrefixListName", "l"), ("MaxEntries", "2"), ("AddressFamily", "IPv4")];
        query(world, Service::Ec2, "CreateManagedPrefixList", &[&pairs[..], more].concat())
    }

    fn cidrs(world: &mut World, id: &str, version: &str) -> Vec<String> {
        let pairs = [("PrefixListId", id), ("TargetVersion", version)];
        let answer = ec2(world, "GetManagedPrefixListEntries", &pairs[..if version.is_empty() { 1 } else { 2 }]);
        answer["entrySet"].as_array().unwrap().iter().map(|it| it["cidr"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_a_list_may_hold() {
        for (more, expected) in [
            (vec![("Entry.1.Cidr", "10.0.0.0/8")], None),
            (vec![("Entry.1.Cidr", "10.0.0.0/8"), ("Entry.2.Cidr", "10.1.2.3/8")], Some("InvalidParameterValue")),
            (vec![("Entry.1.Cidr", "fd00::/8")], Some("InvalidParameterValue")),
            (
                vec![("Entry.1.Cidr", "10.0.0.0/8"), ("Entry.2.Cidr", "11.0.0.0/8"), ("Entry.3.Cidr", "12.0.0.0/8")],
                Some("PrefixListMaxEntriesExceeded"),
            ),
        ] {
            let answer = create(&mut world(), &more);
            assert_eq!(answer.err().map(|error| error.code).as_deref(), expected, "{more:?}");
        }
    }

    #[test]
    fn versions_count_the_changes_of_entries() {
        let mut world = world();
        let made = create(&mut world, &[("Entry.1.Cidr", "10.0.0.0/8")]).unwrap();
        assert_eq!(made["prefixList"]["state"], "create-in-progress");
        let id = made["prefixList"]["prefixListId"].as_str().unwrap();
        let modify = |world: &mut World, more: &[(&str, &str)]| {
            query(world, Service::Ec2, "ModifyManagedPrefixList", &[&[("PrefixListId", id)], more].concat())
        };
        let add = |version| [("CurrentVersion", version), ("AddEntry.1.Cidr", "11.0.0.0/8")];
        assert_eq!(refusal(modify(&mut world, &add("1"))), "IncorrectState");
        pass(&mut world, 10);
        assert_eq!(refusal(modify(&mut world, &add("7"))), "PrefixListVersionMismatch");
        assert_eq!(refusal(modify(&mut world, &add("1")[1..])), "MissingParameter");
        assert_eq!(modify(&mut world, &add("1")).unwrap()["prefixList"]["version"], 2);
        assert_eq!(cidrs(&mut world, id, ""), ["10.0.0.0/8", "11.0.0.0/8"]);
        assert_eq!(cidrs(&mut world, id, "1"), ["10.0.0.0/8"]);
        pass(&mut world, 10);
        let restore = [("PrefixListId", id), ("PreviousVersion", "1"), ("CurrentVersion", "2")];
        let restored = ec2(&mut world, "RestoreManagedPrefixListVersion", &restore);
        assert_eq!(restored["prefixList"]["version"], 3);
        assert_eq!(cidrs(&mut world, id, ""), ["10.0.0.0/8"]);
        pass(&mut world, 10);
        let gone = ec2(&mut world, "DeleteManagedPrefixList", &[("PrefixListId", id)]);
        assert_eq!(gone["prefixList"]["state"], "delete-in-progress");
        pass(&mut world, 10);
        let describe = query(&mut world, Service::Ec2, "DescribeManagedPrefixLists", &[("PrefixListId.1", id)]);
        assert_eq!(refusal(describe), "InvalidPrefixListID.NotFound");
    }

    #[test]
    fn a_rule_counts_for_all_entries_of_its_list() {
        let mut world = world();
        let pairs = [("PrefixListName", "l"), ("MaxEntries", "59"), ("AddressFamily", "IPv4")];
        let made = ec2(&mut world, "CreateManagedPrefixList", &pairs);
        let id = made["prefixList"]["prefixListId"].as_str().unwrap().to_owned();
        pass(&mut world, 10);
        let vpc = world.ec2.vpcs.iter().next().unwrap().0.to_owned();
        let pairs = [("GroupName", "g"), ("GroupDescription", "g"), ("VpcId", vpc.as_str())];
        let group = ec2(&mut world, "CreateSecurityGroup", &pairs)["groupId"].as_str().unwrap().to_owned();
        let allow = |world: &mut World, port: &str, peer: (&str, &str)| {
            let name = format!("IpPermissions.1.{}", peer.0);
            let pairs = [("GroupId", group.as_str()), ("IpPermissions.1.IpProtocol", "tcp"), (&name, peer.1)];
            let ports = [("IpPermissions.1.FromPort", port), ("IpPermissions.1.ToPort", port)];
            query(world, Service::Ec2, "AuthorizeSecurityGroupIngress", &[&pairs[..], &ports].concat())
                .err()
                .map(|error| error.code)
        };
        let list = ("PrefixListIds.1.PrefixListId", id.as_str());
        let unknown = ("PrefixListIds.1.PrefixListId", "pl-0123456789abcdef0");
        let block = ("IpRanges.1.CidrIp", "10.0.0.0/8");
        assert_eq!(allow(&mut world, "1", unknown).as_deref(), Some("InvalidPrefixListID.NotFound"));
        assert_eq!(allow(&mut world, "1", list), None);
        assert_eq!(allow(&mut world, "2", block), None);
        assert_eq!(allow(&mut world, "3", block).as_deref(), Some("RulesPerSecurityGroupLimitExceeded"));
        let kept = query(&mut world, Service::Ec2, "DeleteManagedPrefixList", &[("PrefixListId", &id)]);
        assert_eq!(refusal(kept), "DependencyViolation");
        let answer = ec2(&mut world, "GetManagedPrefixListAssociations", &[("PrefixListId", &id)]);
        assert_eq!(answer["prefixListAssociationSet"][0]["resourceId"], group);
    }

    #[test]
    fn lists_of_aws_are_there_and_stay() {
        let mut world = world();
        let filter = [("Filter.1.Name", "prefix-list-name"), ("Filter.1.Value.1", "com.amazonaws.us-east-1.s3")];
        let found = ec2(&mut world, "DescribeManagedPrefixLists", &filter);
        let id = found["prefixListSet"][0]["prefixListId"].as_str().unwrap();
        assert_eq!(found["prefixListSet"][0]["ownerId"], "AWS");
        let refused = query(&mut world, Service::Ec2, "DeleteManagedPrefixList", &[("PrefixListId", id)]);
        assert_eq!(refusal(refused), "UnauthorizedOperation");
        let old = ec2(&mut world, "DescribePrefixLists", &[("PrefixListId.1", id)]);
        assert!(old["prefixListSet"][0]["cidrSet"].as_array().unwrap().len() > 1);
    }
}
