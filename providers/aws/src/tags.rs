//! `tags`, `tags_all` and the provider's `default_tags`.
//!
//! `tags` is what the resource says, `tags_all` what the object carries: the provider's defaults with the resource's tags over
//! them. Tags that AWS itself keeps (`aws:*`) and those of `ignore_tags` are neither shown nor touched.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use sgp_contract::{PlanRequest, PlanResponse};
use sgp_model::{Attribute, Schema, Type, Value};

use crate::{
    client::AwsClient,
    errors::{ApiError, Call},
    unsaid,
    values::{self, ObjectBuilder},
};

/// Keys and values.
pub type Tags = BTreeMap<String, String>;

/// Adds `tags` and `tags_all` to a schema.
pub fn attributes(schema: Schema) -> Schema {
    schema
        .attr("tags", Attribute::string_map().optional().doc("Tags; they win over the provider's `default_tags`."))
        .attr(
            "tags_all",
            Attribute::string_map().computed().doc("All tags of the object: the provider's `default_tags` and `tags`."),
        )
}

/// Plans `tags_all`; what is unknown in the tags stays unknown in it. For types without anything else to plan.
pub fn plan(schema: &Schema, request: &PlanRequest<'_>) -> PlanResponse {
    let planned = unsaid::keep(schema, request, with_tags_all(request.proposed, request.provider_config));
    PlanResponse { planned: Some(planned), ..PlanResponse::default() }
}

/// The proposed object with its `tags_all`.
#[must_use]
pub fn with_tags_all(proposed: &Value, provider_config: &Value) -> Value {
    let ty = Type::map(Type::String);
    let defaults = match values::block(provider_config, "default_tags") {
        Some(block) => block.get("tags").cloned().unwrap_or_else(|| Value::null(ty.clone())),
        None if is_open(provider_config, "default_tags") => Value::unknown(ty.clone()),
        None => Value::null(ty.clone()),
    };
    let own = proposed.get("tags").cloned().unwrap_or_else(|| Value::null(ty.clone()));
    if !defaults.is_known() || !own.is_known() {
        return proposed.with_attr("tags_all", Value::unknown_not_null(ty));
    }
    let mut all = BTreeMap::new();
    for source in [&defaults, &own] {
        for (key, value) in source.as_fields().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
            all.insert(key.clone(), value.clone());
        }
    }
    let marks = defaults.marks().union(own.marks());
    proposed.with_attr("tags_all", Value::map(Type::String, all).mark(marks))
}

/// Whether a part of the provider's configuration is not known yet.
fn is_open(config: &Value, name: &str) -> bool {
    !config.is_known() || config.get(name).is_some_and(|v| !v.is_known())
}

/// The tags that an object shall carry: the client's defaults with the resource's own over them.
pub fn wanted(client: &AwsClient, planned: &Value) -> Tags {
    let mut all = client.default_tags.clone();
    all.extend(values::str_map(planned, "tags"));
    all
}

/// Sets `tags` and `tags_all` from what AWS answered.
///
/// A tag belongs to `tags` unless only the provider's defaults account for it: those of now, or those of the time when
/// `prior` was recorded (so that a default that was dropped is removed, and not mistaken for someone else's change).
pub fn fill(object: ObjectBuilder, client: &AwsClient, prior: &Value, remote: &Tags) -> ObjectBuilder {
    let said = values::str_map(prior, "tags");
    let all: Tags = remote
        .iter()
        .filter(|(k, _)| client.ignore_tags.shows(k) || said.contains_key(*k))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let own = own_tags(&all, prior, &client.default_tags);
    let tags = if own.is_empty() && !values::is_set(prior, "tags") {
        Value::null(Type::map(Type::String))
    } else {
        values::string_map(own)
    };
    object.set("tags", tags).set("tags_all", values::string_map(all))
}

fn own_tags(all: &Tags, prior: &Value, defaults: &Tags) -> Tags {
    let said = values::str_map(prior, "tags");
    let recorded = values::str_map(prior, "tags_all");
    all.iter()
        .filter(|(k, v)| {
            let by_default = defaults.get(*k) == Some(v) || recorded.get(*k) == Some(v);
            said.contains_key(*k) || !by_default
        })
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// What to call to get from one set of tags to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagChange {
    /// To be added or overwritten.
    pub set: Tags,
    /// Keys to be removed.
    pub remove: Vec<String>,
}

impl TagChange {
    /// The difference.
    pub fn between(old: &Tags, new: &Tags) -> Self {
        Self {
            set: new.iter().filter(|(k, v)| old.get(*k) != Some(v)).map(|(k, v)| (k.clone(), v.clone())).collect(),
            remove: old.keys().filter(|k| !new.contains_key(*k)).cloned().collect(),
        }
    }

    /// From what an object carries to what it shall carry.
    pub fn planned(client: &AwsClient, prior: &Value, planned: &Value) -> Self {
        Self::between(&values::str_map(prior, "tags_all"), &wanted(client, planned))
    }

    /// Whether there is nothing to call.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

/// Which tags of others are left alone.
#[derive(Clone, Debug, Default)]
pub struct IgnoreTags {
    /// Whole keys.
    pub keys: BTreeSet<String>,
    /// Beginnings of keys.
    pub prefixes: Vec<String>,
}

impl IgnoreTags {
    /// Whether a tag is ours to see.
    pub fn shows(&self, key: &str) -> bool {
        !key.starts_with("aws:")
            && key != crate::ec2::creation::KEY
            && !self.keys.contains(key)
            && !self.prefixes.iter().any(|p| key.starts_with(p.as_str()))
    }
}

/// What a data source shows of an object's tags: all but those of AWS and the ignored ones.
pub fn shown(client: &AwsClient, remote: &Tags) -> Value {
    values::string_map(
        remote.iter().filter(|(k, _)| client.ignore_tags.shows(k)).map(|(k, v)| (k.as_str(), v.as_str())),
    )
}

/// EC2's list of tags as a map.
pub fn from_ec2(tags: &[Tag]) -> Tags {
    tags.iter().map(|t| (t.key().unwrap_or_default().to_owned(), t.value().unwrap_or_default().to_owned())).collect()
}

/// Tags for a create call of EC2, so that no object is ever there without them; `None` without any tag.
pub fn ec2_specification(kind: ResourceType, tags: &Tags) -> Option<TagSpecification> {
    (!tags.is_empty()).then(|| TagSpecification::builder().resource_type(kind).set_tags(Some(to_ec2(tags))).build())
}

fn to_ec2(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}

/// Brings the tags of an EC2 object to what is planned.
///
/// # Errors
/// What `CreateTags` or `DeleteTags` answers.
pub async fn update_ec2(client: &AwsClient, id: &str, prior: &Value, planned: &Value) -> Result<(), ApiError> {
    let change = TagChange::planned(client, prior, planned);
    if !change.remove.is_empty() {
        let keys = change.remove.iter().map(|k| Tag::builder().key(k).build()).collect();
        client.ec2.delete_tags().resources(id).set_tags(Some(keys)).send().await.call("ec2:DeleteTags")?;
    }
    if !change.set.is_empty() {
        client
            .ec2
            .create_tags()
            .resources(id)
            .set_tags(Some(to_ec2(&change.set)))
            .send()
            .await
            .call("ec2:CreateTags")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn object(own: &[(&str, &str)], all: &[(&str, &str)]) -> Value {
        Value::object([("tags", values::string_map(tags(own))), ("tags_all", values::string_map(tags(all)))])
    }

    fn provider(defaults: Value) -> Value {
        Value::object([("default_tags", Value::object([("tags", defaults)]))])
    }

    fn planned(own: Value, provider: &Value) -> Value {
        with_tags_all(&Value::object([("tags", own)]), provider).get("tags_all").unwrap().clone()
    }

    #[test]
    fn own_tags_win_over_defaults() {
        let provider = provider(values::string_map([("env", "prod"), ("team", "net")]));
        let all = planned(values::string_map([("team", "db")]), &provider);
        assert_eq!(all, values::string_map([("env", "prod"), ("team", "db")]));
        assert_eq!(
            planned(Value::null(Type::map(Type::String)), &provider),
            values::string_map([("env", "prod"), ("team", "net")])
        );
    }

    #[test]
    fn unknown_tags_stay_unknown_one_by_one() {
        let open = Value::map(Type::String, [("a", Value::unknown(Type::String)), ("b", "1".into())]);
        let all = planned(open, &provider(values::string_map([("env", "prod")])));
        assert!(!all.get("a").unwrap().is_known());
        assert_eq!(all.get("env").unwrap().as_str(), Some("prod"));
        assert!(
            !planned(Value::unknown(Type::map(Type::String)), &provider(values::string_map([("env", "prod")])))
                .is_known()
        );
        let none = Value::null(Type::map(Type::String));
        assert!(!planned(none, &Value::unknown(Type::Dynamic)).is_known());
    }

    #[test]
    fn without_any_tag_there_is_an_empty_map() {
        let all = planned(Value::null(Type::map(Type::String)), &Value::object::<&str>([]));
        assert_eq!(all, values::string_map::<&str, &str>([]));
    }

    #[test]
    fn what_is_read_is_told_apart() {
        let defaults = tags(&[("env", "prod")]);
        for (remote, prior, own) in [
            // A default is not the resource's own, unless the resource says it too.
            (
                tags(&[("env", "prod"), ("a", "1")]),
                object(&[("a", "1")], &[("a", "1"), ("env", "prod")]),
                tags(&[("a", "1")]),
            ),
            (tags(&[("env", "prod")]), object(&[("env", "prod")], &[("env", "prod")]), tags(&[("env", "prod")])),
            // Someone changed a default's value or added a tag: it shows.
            (tags(&[("env", "dev")]), object(&[], &[("env", "prod")]), tags(&[("env", "dev")])),
            (tags(&[("x", "y")]), object(&[], &[]), tags(&[("x", "y")])),
            // A default of yesterday is still no tag of the resource.
            (tags(&[("old", "1")]), object(&[], &[("old", "1")]), tags(&[])),
        ] {
            assert_eq!(own_tags(&remote, &prior, &defaults), own, "{remote:?}");
        }
    }

    #[test]
    fn changes_add_overwrite_and_remove() {
        let change = TagChange::between(
            &tags(&[("a", "1"), ("b", "2"), ("c", "3")]),
            &tags(&[("a", "1"), ("b", "x"), ("d", "4")]),
        );
        assert_eq!(change, TagChange { set: tags(&[("b", "x"), ("d", "4")]), remove: vec!["c".into()] });
    }

    #[test]
    fn tags_of_aws_and_ignored_ones_are_not_shown() {
        let ignore = IgnoreTags { keys: ["a".to_owned()].into(), prefixes: vec!["kubernetes.io/".into()] };
        let shown: Vec<_> =
            ["aws:eks:x", "a", "ab", "kubernetes.io/role"].into_iter().filter(|k| ignore.shows(k)).collect();
        assert_eq!(shown, ["ab"]);
    }
}
