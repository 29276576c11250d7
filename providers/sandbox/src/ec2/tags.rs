//! Tags: in the call that makes an object, and on their own for every kind of object.
//!
//! Source of the rules: Amazon EC2 User Guide, "Tag your Amazon EC2 resources", Tag restrictions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::describe::{done, listing, paging};
use super::kinds::{KINDS, Kind};
use crate::aws::filter::Filters;
use crate::aws::{Answer, ApiError, Call, Operation, Params, page};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateTags", run: create_tags },
    Operation { name: "DeleteTags", run: delete_tags },
    Operation { name: "DescribeTags", run: describe_tags },
];

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags of an object, those of AWS (`aws:`) not counted.
const PER_OBJECT: usize = 50;
/// Objects in one call.
const OBJECTS: usize = 1000;
const KEY_LENGTH: usize = 128;
const VALUE_LENGTH: usize = 256;

/// A `tagSet`.
pub fn tag_set(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// The tags that a call gives to what it makes (`TagSpecification.N`), all of one resource type.
///
/// # Errors
/// `InvalidParameterValue` for another resource type and for keys and values that break the rules, `TagLimitExceeded`.
pub fn from_specifications(call: &Params, resource_type: &str) -> Result<Tags, ApiError> {
    Ok(from_specifications_of(call, &[resource_type])?.remove(resource_type).unwrap_or_default())
}

/// The same for a call that makes objects of several types (`RunInstances`): tags by resource type.
///
/// # Errors
/// As [`from_specifications`].
pub fn from_specifications_of(call: &Params, resource_types: &[&str]) -> Result<BTreeMap<String, Tags>, ApiError> {
    let refuse = |message: String| Err(ApiError::new("InvalidParameterValue", message));
    let mut by_type = BTreeMap::new();
    for specification in call.structures("TagSpecification") {
        let Some(resource_type) = specification.text("ResourceType").filter(|text| !text.is_empty()) else {
            return refuse("Tag specification resource type must have a value".to_owned());
        };
        if !resource_types.contains(&resource_type.as_str()) {
            return refuse(format!("'{resource_type}' is not a valid taggable resource type for this operation."));
        }
        let tags = read(&specification.structures("Tag"))?;
        if tags.is_empty() {
            return refuse("Tag specification must have at least one tag".to_owned());
        }
        if by_type.contains_key(&resource_type) {
            return refuse(format!("Duplicate resource type '{resource_type}' in tag specifications"));
        }
        by_type.insert(resource_type, tags);
    }
    Ok(by_type)
}

/// Reads and checks a list of tags.
fn read(list: &[Params]) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in list {
        let key = tag.text("Key").unwrap_or_default();
        let value = tag.text("Value").unwrap_or_default();
        check_key(&key)?;
        if value.chars().count() > VALUE_LENGTH {
            let message = format!("Tag value exceeds the maximum length of {VALUE_LENGTH} characters");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(ApiError::new("InvalidParameterValue", format!("Duplicate tag key '{key}' specified.")));
        }
    }
    check_count(&tags)?;
    Ok(tags)
}

fn check_key(key: &str) -> Result<(), ApiError> {
    if key.is_empty() {
        return Err(ApiError::new("InvalidTagKey.Malformed", "Tag key cannot be null or empty"));
    }
    if key.chars().count() > KEY_LENGTH {
        let message = format!("Tag key exceeds the maximum length of {KEY_LENGTH} characters");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    if is_reserved(key) {
        let message = format!(
            "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use"
        );
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok(())
}

fn is_reserved(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

fn check_count(tags: &Tags) -> Result<(), ApiError> {
    if tags.keys().filter(|key| !is_reserved(key)).count() > PER_OBJECT {
        return Err(ApiError::new("TagLimitExceeded", "The maximum number of Tags for a resource has been reached."));
    }
    Ok(())
}

/// The objects of a call, with their kinds and tags.
fn objects(world: &World, call: &Call) -> Result<Vec<(&'static Kind, String, Tags)>, ApiError> {
    let ids = call.texts("ResourceId");
    if ids.is_empty() {
        return Err(ApiError::missing(call.service, "resourceIdSet"));
    }
    if ids.len() > OBJECTS {
        let message = format!("The number of resources exceeds the maximum of {OBJECTS}");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    ids.into_iter()
        .map(|id| {
            let unknown = || ApiError::new("InvalidID", format!("The ID '{id}' is not valid"));
            let kind = Kind::of(&id).ok_or_else(unknown)?;
            let tags = kind.found(&id, (kind.tags)(&world.ec2, &id))?.clone();
            Ok((kind, id, tags))
        })
        .collect()
}

fn create_tags(world: &mut World, call: &Call) -> Answer {
    let new = read(&call.structures("Tag"))?;
    if new.is_empty() {
        return Err(ApiError::missing(call.service, "tagSet"));
    }
    for (kind, id, mut tags) in objects(world, call)? {
        tags.extend(new.clone());
        check_count(&tags)?;
        (kind.set_tags)(&mut world.ec2, &id, tags);
    }
    Ok(done())
}

/// A tag without a value goes whatever its value is, one with a value only when it has that value; without tags, all go but
/// AWS's own.
fn delete_tags(world: &mut World, call: &Call) -> Answer {
    let asked: Vec<(String, Option<String>)> =
        call.structures("Tag").iter().map(|tag| (tag.text("Key").unwrap_or_default(), tag.text("Value"))).collect();
    asked.iter().try_for_each(|(key, _)| check_key(key))?;
    for (kind, id, mut tags) in objects(world, call)? {
        tags.retain(|key, has| {
            let is_named = |(k, value): &(String, Option<String>)| k == key && value.as_ref().is_none_or(|v| v == has);
            is_reserved(key) || !(asked.is_empty() || asked.iter().any(is_named))
        });
        (kind.set_tags)(&mut world.ec2, &id, tags);
    }
    Ok(done())
}

/// Rows are told by resource type, object and key, which is also their order in pages.
fn describe_tags(world: &mut World, call: &Call) -> Answer {
    let filters = Filters::read(call, &["key", "resource-id", "resource-type", "value"])?;
    let (limit, after) = paging(call, (5, 1000))?;
    let accept = |kind: &Kind, id: &str, key: &String, value: &String| {
        let one = Tags::from([(key.clone(), value.clone())]);
        filters.accept(&one, |filter| match filter {
            "key" => vec![key.clone()],
            "value" => vec![value.clone()],
            "resource-id" => vec![id.to_owned()],
            _ => vec![kind.resource_type.to_owned()],
        })
    };
    let objects = tagged(world, &filters, after.as_deref());
    let rows = objects.flat_map(|(kind, id, tags)| tags.iter().map(move |(key, value)| (kind, id, key, value)));
    let rows = rows.filter(|(kind, id, key, value)| accept(kind, id, key, value)).map(|(kind, id, key, value)| {
        let tag = json!({ "key": key, "value": value, "resourceId": id, "resourceType": kind.resource_type });
        (format!("{}\0{id}\0{key}", kind.resource_type), tag)
    });
    let rows = rows.filter(|(row, _)| after.as_ref().is_none_or(|after| row > after));
    Ok(listing("tagSet", page::rest(rows, limit)))
}

type Tagged<'a> = (&'static Kind, &'a str, &'a Tags);

/// The objects that a call can mean, by resource type and id, from the last one of the page before on.
fn tagged<'a>(world: &'a World, filters: &Filters, after: Option<&str>) -> Box<dyn Iterator<Item = Tagged<'a>> + 'a> {
    if let Some(ids) = filters.exact("resource-id") {
        let find = |id: &String| {
            let kind = Kind::of(id)?;
            (kind.all_from)(&world.ec2, id).next().filter(|(found, _)| found == id).map(|(id, tags)| (kind, id, tags))
        };
        let mut objects: Vec<Tagged<'a>> = ids.iter().filter_map(find).collect();
        objects.sort_unstable_by_key(|(kind, id, _)| (kind.resource_type, *id));
        objects.dedup_by_key(|(_, id, _)| *id);
        return Box::new(objects.into_iter());
    }
    let mut parts = after.unwrap_or("").split('\0');
    let from = (parts.next().unwrap_or("").to_owned(), parts.next().unwrap_or("").to_owned());
    let wanted = filters.exact("resource-type");
    let is_wanted = |kind: &&Kind| {
        kind.resource_type >= from.0.as_str()
            && wanted.is_none_or(|types| types.iter().any(|it| it == kind.resource_type))
    };
    let mut kinds: Vec<&'static Kind> = KINDS.iter().copied().filter(is_wanted).collect();
    kinds.sort_unstable_by_key(|kind| kind.resource_type);
    Box::new(kinds.into_iter().flat_map(move |kind| {
        let first = if kind.resource_type == from.0 { from.1.as_str() } else { "" };
        (kind.all_from)(&world.ec2, first).map(move |(id, tags)| (kind, id, tags))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    fn vpc(world: &World) -> String {
        world.ec2.vpcs.iter().next().unwrap().0.to_owned()
    }

    fn described(world: &mut World, filters: &[(&str, &str)]) -> Vec<(String, String)> {
        let answer = ec2(world, "DescribeTags", filters);
        let text = |tag: &Value, name: &str| tag[name].as_str().unwrap().to_owned();
        answer["tagSet"].as_array().unwrap().iter().map(|tag| (text(tag, "key"), text(tag, "value"))).collect()
    }

    #[test]
    fn the_rules_of_tags() {
        let long = "k".repeat(129);
        let long_value = "v".repeat(257);
        for (tags, code) in [
            (vec![("aws:a", "1")], "InvalidParameterValue"),
            (vec![("AWS:a", "1")], "InvalidParameterValue"),
            (vec![("", "1")], "InvalidTagKey.Malformed"),
            (vec![(long.as_str(), "1")], "InvalidParameterValue"),
            (vec![("a", long_value.as_str())], "InvalidParameterValue"),
            (vec![("a", "1"), ("a", "2")], "InvalidParameterValue"),
            (vec![], "MissingParameter"),
        ] {
            let mut world = world();
            let vpc = vpc(&world);
            let mut pairs = vec![("ResourceId.1".to_owned(), vpc)];
            for (n, (key, value)) in tags.iter().enumerate() {
                pairs.push((format!("Tag.{}.Key", n + 1), (*key).to_owned()));
                pairs.push((format!("Tag.{}.Value", n + 1), (*value).to_owned()));
            }
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(refusal(query(&mut world, Service::Ec2, "CreateTags", &pairs)), code, "{tags:?}");
        }
    }

    #[test]
    fn tags_come_and_go() {
        let mut world = world();
        let vpc = vpc(&world);
        for n in 0..50 {
            let key = format!("k{n}");
            ec2(&mut world, "CreateTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", &key), ("Tag.1.Value", "v")]);
        }
        let more = query(&mut world, Service::Ec2, "CreateTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "more")]);
        assert_eq!(refusal(more), "TagLimitExceeded");
        let id = [("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", vpc.as_str())];
        assert_eq!(described(&mut world, &id).len(), 50);
        ec2(&mut world, "DeleteTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "k1"), ("Tag.1.Value", "other")]);
        assert_eq!(described(&mut world, &id).len(), 50, "the value differs");
        ec2(&mut world, "DeleteTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "k1"), ("Tag.2.Key", "k2")]);
        assert_eq!(described(&mut world, &id).len(), 48);
        ec2(&mut world, "DeleteTags", &[("ResourceId.1", &vpc)]);
        assert_eq!(described(&mut world, &id), []);
    }

    #[test]
    fn unknown_objects_are_refused_by_their_kind() {
        let mut world = world();
        for (id, code) in [
            ("vpc-0123456789abcdef0", "InvalidVpcID.NotFound"),
            ("subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"),
            ("vpc-x", "InvalidVpcID.Malformed"),
            ("thing-0123456789abcdef0", "InvalidID"),
        ] {
            let answer = query(&mut world, Service::Ec2, "CreateTags", &[("ResourceId.1", id), ("Tag.1.Key", "a")]);
            assert_eq!(refusal(answer), code, "{id}");
        }
    }
}
