//! The `scale` subresource: how many there are to be, whatever the kind.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::resources::Resource;
use super::status::{Cause, Status};
use super::write::{self, Write};
use super::{decode, patches, read};
use crate::world::World;

/// Answers a request to `scale`.
pub(super) fn run(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let object = read::existing(world, ask)?;
    let old = scale(ask, &object);
    let new = match ask.verb {
        "get" => return Ok(Reply::json(200, old)),
        "update" => replaced(ask)?,
        _ if ask.content_type() == "application/apply-patch+yaml" => {
            decode::yaml(ask.body).map_err(|why| Status::bad_request(format!("error decoding YAML: {why}")))?
        }
        _ => patches::patched(ask, &old)?,
    };
    if let Some(version) = new["metadata"]["resourceVersion"].as_str().filter(|it| !it.is_empty())
        && object["metadata"]["resourceVersion"] != version
    {
        return Err(Status::modified(&ask.resource, &ask.place.name));
    }
    let is_applied = ask.content_type() == "application/apply-patch+yaml";
    if is_applied {
        patches::check_manager(ask)?;
    }
    let wanted = &new["spec"]["replicas"];
    if !wanted.is_null() && !wanted.is_i64() {
        let is = super::types::named(wanted);
        let why = format!("json: cannot unmarshal {is} into Go struct field ScaleSpec.spec.replicas of type int32");
        if ask.verb == "patch" {
            return Err(super::strict::unpatched(&new, &why));
        }
        return Err(Status::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: {why}")));
    }
    let replicas = wanted.as_i64().unwrap_or(0);
    if replicas < 0 {
        let mut resource = Resource::clone(&ask.resource);
        (resource.group, resource.kind) = ("autoscaling".to_owned(), "Scale".to_owned());
        let cause = Cause::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0");
        return Err(Status::invalid(&resource, &ask.place.name, &[cause]));
    }
    if is_applied {
        return applied(world, ask, &new);
    }
    let mut changed = Value::clone(&super::reply::present(&ask.resource, &object));
    set_path(&mut changed, &paths(ask).0, json!(replicas));
    let manager = ask.manager();
    let updated = write::replace(world, &Write::of(ask, &manager), &ask.place.name, changed)?;
    Ok(Reply::json(200, scale(ask, &updated)))
}

/// The scale that is sent in the place of the old one.
fn replaced(ask: &Ask<'_>) -> Result<Value, Status> {
    let mut sent = decode::object(ask)?;
    let mut resource = Resource::clone(&ask.resource);
    (resource.group, resource.definition) = ("autoscaling".to_owned(), None);
    decode::identify(&mut sent, "autoscaling/v1", "Scale", &resource)?;
    let name = &ask.place.name;
    if sent["metadata"]["name"].as_str().unwrap_or("").is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )));
    }
    Ok(sent)
}

/// A scale that is applied is a configuration of the object with the one number in it.
fn applied(world: &mut World, ask: &Ask<'_>, sent: &Value) -> Result<Reply, Status> {
    let mut config = json!({
        "apiVersion": ask.resource.api_version(), "kind": ask.resource.kind, "metadata": { "name": ask.place.name },
    });
    if let Some(replicas) = sent["spec"].get("replicas") {
        set_path(&mut config, &paths(ask).0, replicas.clone());
    }
    let manager = ask.manager();
    let write = Write { is_applied: true, ..Write::of(ask, &manager) };
    let (_, object) = patches::merged(world, ask, &write, &config)?;
    Ok(Reply::json(200, scale(ask, &object)))
}

/// Where the numbers are: what is wanted, what is, the selector in its text form.
fn paths(ask: &Ask<'_>) -> (Vec<String>, Vec<String>, Option<Vec<String>>) {
    let split = |path: &str| path.trim_start_matches('.').split('.').map(str::to_owned).collect::<Vec<_>>();
    match ask.resource.definition_version().map(|version| &version["subresources"]["scale"]) {
        Some(scale) => {
            let path = |name: &str| scale[name].as_str().map(split);
            let or = |name: &str, default: &str| path(name).unwrap_or_else(|| split(default));
            (
                or("specReplicasPath", ".spec.replicas"),
                or("statusReplicasPath", ".status.replicas"),
                path("labelSelectorPath"),
            )
        }
        None => (split("spec.replicas"), split("status.replicas"), None),
    }
}

fn scale(ask: &Ask<'_>, object: &Arc<Value>) -> Value {
    let (wanted, is, selector) = paths(ask);
    let at = |path: &[String]| path.iter().fold(&**object, |value, member| &value[member]).clone();
    let number = |path: &[String]| at(path).as_i64().unwrap_or(0);
    let metadata = &object["metadata"];
    let mut status = json!({ "replicas": number(&is) });
    let text = match selector {
        Some(path) => at(&path).as_str().map(str::to_owned),
        None => Some(selector_text(&object["spec"]["selector"])),
    };
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        status["selector"] = json!(text);
    }
    let mut scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {}, "spec": { "replicas": number(&wanted) }, "status": status,
    });
    for member in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        scale["metadata"][member] = metadata[member].clone();
    }
    scale
}

/// A selector as text: `a=b,c in (d,e)`.
pub(super) fn selector_text(selector: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let labels = selector.get("matchLabels").unwrap_or(selector);
    let is_plain = selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_none();
    let labels = labels.as_object().filter(|_| is_plain).into_iter().flatten();
    let mut parts: Vec<String> = labels.map(|(key, value)| format!("{key}={}", text(value))).collect();
    for it in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = text(&it["key"]);
        let mut values: Vec<String> = it["values"].as_array().into_iter().flatten().map(text).collect();
        values.sort();
        parts.push(match it["operator"].as_str().unwrap_or("") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key,
            _ => format!("!{key}"),
        });
    }
    parts.join(",")
}

fn set_path(object: &mut Value, path: &[String], value: Value) {
    let mut place = object;
    for member in path {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[member];
    }
    *place = value;
}
