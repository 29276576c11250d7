//! Strategic merge patch: a merge patch that knows which lists are merged item by item, with the directives `$patch`,
//! `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`.
//!
//! It follows `k8s.io/apimachinery/pkg/util/strategicpatch` in what it does and in which errors it answers, so that what kubectl
//! computes there means the same here.

use serde_json::{Map, Value};

use super::PatchError;
use super::order::{self, place};
use crate::kubernetes::schema::{Schema, Strategy};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ELEMENT_ORDER: &str = "$setElementOrder/";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";

/// Merges `patch` into `document`, an object of one of Kubernetes' own kinds with the given schema.
///
/// # Errors
/// 400 for malformed directives, 422 for what can never be merged, 500 (as the API server) for items without their merge key,
/// unknown directives and lists of mixed items.
pub fn strategic(mut document: Value, patch: &Value, schema: &Schema) -> Result<Value, PatchError> {
    let Value::Object(patch) = patch else {
        return Err(PatchError::bad_request(
            "json: cannot unmarshal patch into Go value of type map[string]interface {}",
        ));
    };
    if let Value::Object(members) = &mut document {
        merge_map(members, patch, Some(schema))?;
    }
    Ok(document)
}

/// What a patch that is readable and wrong gets: the API server does not expect it and says 500.
fn internal(message: String) -> PatchError {
    PatchError { code: 500, reason: "", detail: message.clone(), message }
}

fn bad(what: &str) -> PatchError {
    PatchError::bad_request(format!("invalid patch format of {what}"))
}

fn merge_map(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    schema: Option<&Schema>,
) -> Result<(), PatchError> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(directive) if directive == "replace" => {
            target.clone_from(patch);
            target.remove(DIRECTIVE);
            return Ok(());
        }
        Some(directive) if directive == "delete" => {
            target.clear();
            return Ok(());
        }
        // `$patch: merge` is the default and may not be said.
        Some(directive) => return Err(unknown_directive(directive, patch)),
    }
    if let Some(keys) = patch.get(RETAIN_KEYS) {
        retain_keys(target, patch, keys)?;
    }
    let mut done = Vec::new();
    for (name, wanted) in patch {
        if let Some(list) = name.strip_prefix(ELEMENT_ORDER) {
            ordered(target, patch, list, wanted, schema)?;
            done.push(list);
        }
    }
    for (name, value) in patch {
        let is_directive = name == RETAIN_KEYS || name.starts_with(ELEMENT_ORDER);
        if !is_directive && !done.contains(&name.as_str()) {
            merge_member(target, name, value, schema)?;
        }
    }
    Ok(())
}

fn unknown_directive(directive: &Value, patch: &Map<String, Value>) -> PatchError {
    let directive = directive.as_str().map_or_else(|| directive.to_string(), str::to_owned);
    internal(format!("unknown patch type: {directive} in map: {}", go_map(patch)))
}

/// A map as Go prints it in messages.
fn go_map(map: &Map<String, Value>) -> String {
    let members: Vec<String> = map.iter().map(|(name, value)| format!("{name}:{}", go_value(value))).collect();
    format!("map[{}]", members.join(" "))
}

fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) => go_map(map),
        Value::Array(items) => format!("[{}]", items.iter().map(go_value).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

fn retain_keys(target: &mut Map<String, Value>, patch: &Map<String, Value>, keys: &Value) -> Result<(), PatchError> {
    let keys = keys.as_array().ok_or_else(|| bad("retainKeys"))?;
    let is_kept = |name: &str| keys.iter().any(|key| key == name);
    for (name, value) in patch {
        let is_directive = name == RETAIN_KEYS || name.starts_with(ELEMENT_ORDER) || name.starts_with(DELETE_FROM_LIST);
        if !value.is_null() && !is_directive && !is_kept(name) {
            return Err(bad("retainKeys"));
        }
    }
    target.retain(|name, _| is_kept(name));
    Ok(())
}

fn merge_member(
    target: &mut Map<String, Value>,
    name: &str,
    value: &Value,
    schema: Option<&Schema>,
) -> Result<(), PatchError> {
    if let Some(list) = name.strip_prefix(DELETE_FROM_LIST) {
        return delete_from_list(target, list, value);
    }
    if value.is_null() {
        target.remove(name);
        return Ok(());
    }
    match (target.get_mut(name), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            let member = known(schema, name)?;
            if member.is_some_and(|member| member.strategy.replaces) {
                old.clone_from(new);
                Ok(())
            } else {
                merge_map(old, new, member)
            }
        }
        (Some(Value::Array(old)), Value::Array(new)) => {
            let member = known(schema, name)?;
            let merged = merge_list(std::mem::take(old), new, member)?;
            target.insert(name.to_owned(), Value::Array(merged));
            Ok(())
        }
        _ => {
            match without_directives(value) {
                Some(value) => target.insert(name.to_owned(), value),
                None => target.remove(name),
            };
            Ok(())
        }
    }
}

/// The form of a member into which is merged. Kubernetes' types must have it.
fn known<'a>(schema: Option<&'a Schema>, name: &str) -> Result<Option<&'a Schema>, PatchError> {
    let Some(schema) = schema else { return Ok(None) };
    match schema.member(name) {
        Some(member) => Ok(Some(member)),
        None if schema.keeps_unknown() => Ok(None),
        None => Err(internal(format!("unable to find api field in struct for the json field {name:?}"))),
    }
}

/// A value as it becomes part of an object that has none yet: without nulls, and without what only directs. `None` when all of
/// it directs.
fn without_directives(value: &Value) -> Option<Value> {
    match value {
        Value::Object(members) => {
            if members.contains_key(DIRECTIVE) {
                return None;
            }
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            let kept = kept.filter_map(|(name, value)| Some((name.clone(), without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(without_directives).collect())),
        other => Some(other.clone()),
    }
}

fn delete_from_list(target: &mut Map<String, Value>, list: &str, items: &Value) -> Result<(), PatchError> {
    match (target.get_mut(list), items) {
        (Some(Value::Array(old)), Value::Array(items)) => {
            same_kind(old.iter().chain(items))?;
            old.retain(|item| !items.contains(item));
        }
        (Some(_), Value::Null) => {
            target.remove(list);
        }
        _ => {}
    }
    Ok(())
}

/// Merges the items of a patch into a list, or replaces the list.
fn merge_list(old: Vec<Value>, new: &[Value], schema: Option<&Schema>) -> Result<Vec<Value>, PatchError> {
    let Some(strategy) = schema.map(|schema| &schema.strategy).filter(|strategy| strategy.merges) else {
        return Ok(new.to_vec());
    };
    if old.is_empty() && new.is_empty() {
        return Ok(old);
    }
    let is_of_objects = same_kind(old.iter().chain(new))?;
    if !is_of_objects {
        let mut merged = old.clone();
        merged.extend(new.iter().filter(|item| !old.contains(item)).cloned());
        order::dedup(&mut merged);
        return Ok(order::arrange(merged, new, &old, None));
    }
    let key = key(strategy)?;
    let (old, new) = special_items(old, new, key)?;
    let server_order = order::keys(&old, key);
    let mut merged = old;
    let items = schema.and_then(Schema::items);
    for item in &new {
        merge_item(&mut merged, item, key, items)?;
    }
    check_keys(&merged, key)?;
    Ok(order::arrange(merged, &new, &server_order, Some(key)))
}

fn key(strategy: &Strategy) -> Result<&str, PatchError> {
    strategy.merge_key.as_deref().ok_or_else(|| internal("cannot merge lists without merge key".to_owned()))
}

/// Carries out the items that direct, and gives the list and the items that are left.
fn special_items<'a>(old: Vec<Value>, new: &'a [Value], key: &str) -> Result<(Vec<Value>, Vec<&'a Value>), PatchError> {
    let mut old = old;
    let mut left = Vec::with_capacity(new.len());
    let mut replaces = false;
    for item in new {
        let Some(members) = item.as_object() else { continue };
        match members.get(DIRECTIVE) {
            None => left.push(item),
            Some(directive) if directive == "delete" => {
                let wanted = members.get(key).ok_or_else(|| no_key(members, key))?;
                old.retain(|item| item.get(key) != Some(wanted));
            }
            Some(directive) if directive == "replace" => replaces = true,
            Some(directive) if directive == "merge" => {
                return Err(internal("merging lists cannot yet be specified in the patch".to_owned()));
            }
            Some(directive) => return Err(unknown_directive(directive, members)),
        }
    }
    if replaces {
        return Ok((left.into_iter().cloned().collect(), Vec::new()));
    }
    Ok((old, left))
}

fn no_key(item: &Map<String, Value>, key: &str) -> PatchError {
    internal(format!("map: {} does not contain declared merge key: {key}", go_map(item)))
}

fn merge_item(list: &mut Vec<Value>, item: &Value, key: &str, schema: Option<&Schema>) -> Result<(), PatchError> {
    let Some(members) = item.as_object() else { return Ok(()) };
    let wanted = members.get(key).ok_or_else(|| no_key(members, key))?;
    match list.iter_mut().find(|old| old.get(key) == Some(wanted)) {
        Some(Value::Object(old)) => merge_map(old, members, schema),
        _ => {
            list.push(item.clone());
            Ok(())
        }
    }
}

fn check_keys(list: &[Value], key: &str) -> Result<(), PatchError> {
    let keyless = list.iter().filter_map(Value::as_object).find(|item| !item.contains_key(key));
    keyless.map_or(Ok(()), |item| Err(no_key(item, key)))
}

/// Whether the items are objects. Items of one list are of one kind.
fn same_kind<'a>(items: impl Iterator<Item = &'a Value>) -> Result<bool, PatchError> {
    let mut first = None;
    for item in items {
        if item.is_array() {
            return Err(PatchError::unprocessable("lists of lists are not supported"));
        }
        let kind = std::mem::discriminant(item);
        if *first.get_or_insert((kind, item.is_object())) != (kind, item.is_object()) {
            return Err(internal("list element types are not identical".to_owned()));
        }
    }
    Ok(first.is_some_and(|(_, is_object)| is_object))
}

/// `$setElementOrder/list`: merges the list and puts its items in the given order.
fn ordered(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    list: &str,
    wanted: &Value,
    schema: Option<&Schema>,
) -> Result<(), PatchError> {
    let wanted =
        wanted.as_array().ok_or_else(|| internal("expected a []interface {}, but received another type".to_owned()))?;
    let as_list = |value: &Value| match value {
        Value::Array(items) => Ok(items.clone()),
        _ => Err(internal("expected a []interface {}, but received another type".to_owned())),
    };
    let old = target.get(list).map(as_list).transpose()?;
    let new = patch.get(list).map(as_list).transpose()?;
    let member = known(schema, list)?;
    let key = member.and_then(|member| member.strategy.merge_key.as_deref());
    check_order(new.as_deref().unwrap_or_default(), wanted, key)?;
    let server_order = match (&old, key) {
        (Some(old), Some(key)) => order::keys(old, key),
        (Some(old), None) => old.clone(),
        (None, _) => Vec::new(),
    };
    let merged = match (old, new) {
        (None, None) => return Ok(()),
        (Some(old), None) => old,
        (None, Some(new)) => new.iter().filter_map(without_directives).collect(),
        (Some(old), Some(new)) => merge_list(old, &new, member)?,
    };
    if let Some(key) = key {
        check_keys(&merged, key)?;
    }
    let wanted: Vec<&Value> = wanted.iter().collect();
    target.insert(list.to_owned(), Value::Array(order::arrange(merged, &wanted, &server_order, key)));
    Ok(())
}

/// The items of the patch must come in the order that it asks for.
fn check_order(new: &[Value], wanted: &[Value], key: Option<&str>) -> Result<(), PatchError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut left = wanted.iter();
    for item in new.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let identity = place(item, key);
        if !left.any(|wanted| place(wanted, key) == identity) {
            let list = go_value(&Value::Array(new.to_vec()));
            let wanted = go_value(&Value::Array(wanted.to_vec()));
            return Err(internal(format!(
                "The order in patch list:\n{list}\n doesn't match $setElementOrder list:\n{wanted}\n"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
