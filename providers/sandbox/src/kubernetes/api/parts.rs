//! Subresources: `status`, `scale`, tokens of accounts, and the verbs of pods.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::resources;
use super::status::{Cause, Status};
use super::write::{self, Write};
use super::{decode, delete, evict, patches, read, scale, tokens};
use crate::kubernetes::life;
use crate::world::World;

/// Answers a request to a subresource.
pub(super) fn run(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let stored = ask.resource.stored();
    match (stored.as_str(), ask.place.subresource.as_str(), ask.verb) {
        (_, "status", "get") | ("pods", "ephemeralcontainers" | "resize", "get") => read::get(world, ask),
        (_, "status", "update") | ("pods", "ephemeralcontainers" | "resize", "update") => {
            write::update_request(world, ask)
        }
        (_, "status", "patch") | ("pods", "ephemeralcontainers" | "resize", "patch") => patches::request(world, ask),
        (_, "scale", _) => scale::run(world, ask),
        ("namespaces", "finalize", _) => finalize(world, ask),
        ("serviceaccounts", "token", _) => token(world, ask),
        ("pods", "binding", _) => bind(world, ask),
        ("pods", "eviction", _) => evict::run(world, ask),
        ("pods", "log", _) => log(world, ask),
        ("pods", part @ ("exec" | "attach" | "portforward" | "proxy"), _) => {
            read::existing(world, ask)?;
            let name = &ask.place.name;
            Err(Status::not_simulated(&format!(
                "{part}: pod \"{name}\" has no processes and no ports, only the state that a real pod would show"
            )))
        }
        (_, part, _) => Err(Status::not_simulated(&format!("{}/{part}", ask.resource.qualified()))),
    }
}

/// Containers are simulated: they write nothing.
fn log(world: &World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let pod = read::existing(world, ask)?;
    let name = &ask.place.name;
    let containers = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|member| pod["spec"][member].as_array().into_iter().flatten());
    let names: Vec<&str> = containers.filter_map(|it| it["name"].as_str()).collect();
    if let Some(container) = ask.query.get("container")
        && !names.contains(&container)
    {
        return Err(Status::bad_request(format!("container {container} is not valid for pod {name}")));
    }
    Err(Status::not_simulated(&format!("logs: the containers of pod \"{name}\" are simulated and write none")))
}

/// Takes the namespace's own finalizers; without them a namespace that is being deleted goes.
fn finalize(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let old = read::existing(world, ask)?;
    let object = decode::object(ask)?;
    let finalizers = object["spec"]["finalizers"].clone();
    let mut new = Value::clone(&old);
    new["spec"]["finalizers"] = if finalizers.is_array() { finalizers } else { json!([]) };
    if let Some(sent) = object["metadata"]["resourceVersion"].as_str()
        && old["metadata"]["resourceVersion"] != sent
    {
        return Err(Status::modified(&ask.resource, &ask.place.name));
    }
    let key = ask.resource.key(ask.cluster, "", &ask.place.name);
    let updated =
        life::update(world, &key, |it| *it = new).ok_or_else(|| Status::not_found(&ask.resource, &ask.place.name))?;
    Ok(Reply::json(200, Value::clone(&updated)))
}

/// Answers a TokenRequest.
fn token(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let account = read::existing(world, ask)?;
    let mut object = decode::object(ask)?;
    let part = ask.resource.subresource("token").expect("the path named it");
    decode::identify(&mut object, &resources::api_version(&part.group, &part.version), &part.kind, &ask.resource)?;
    let seconds = object["spec"]["expirationSeconds"].as_i64().unwrap_or(3600);
    if !(600..=1 << 32).contains(&seconds) {
        let why = match seconds {
            ..600 => "may not specify a duration less than 10 minutes",
            _ => "may not specify a duration larger than 2^32 seconds",
        };
        let cause = Cause::invalid("spec.expirationSeconds", &json!(seconds), why);
        let mut resource = resources::Resource::clone(&ask.resource);
        (resource.group, resource.kind) = (part.group.clone(), part.kind.clone());
        return Err(Status::invalid(&resource, "", &[cause]));
    }
    let answer = tokens::request(world, ask.cluster, &account, object)?;
    Ok(Reply::json(201, answer))
}

/// Puts a pod onto a node.
fn bind(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let pod = read::existing(world, ask)?;
    let binding = decode::object(ask)?;
    bind_to(world, ask, &pod, &ask.place.name, &binding)
}

/// Answers a POST to `bindings`, the older form of `pods/binding`.
pub(super) fn bind_named(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let binding = decode::object(ask)?;
    let name = binding["metadata"]["name"].as_str().unwrap_or("").to_owned();
    let pods = resources::builtin("", "v1", "pods").expect("the core group has pods");
    let pod = world.kubernetes.objects.get(&pods.key(ask.cluster, &ask.place.namespace, &name)).cloned();
    let pod = pod.ok_or_else(|| Status::not_found(&pods, &name))?;
    bind_to(world, ask, &pod, &name, &binding)
}

fn bind_to(world: &mut World, ask: &Ask<'_>, pod: &Arc<Value>, name: &str, binding: &Value) -> Result<Reply, Status> {
    let pods = resources::builtin("", "v1", "pods").expect("the core group has pods");
    let node = binding["target"]["name"].as_str().unwrap_or("");
    let kind = binding["target"]["kind"].as_str().unwrap_or("");
    if !matches!(kind, "" | "Node") {
        let why = format!("target.kind: Unsupported value: \"{kind}\": supported values: \"Node\", \"<empty>\"");
        return Err(Status::new(500, "", why));
    }
    if node.is_empty() {
        return Err(Status::new(500, "", "target.name: Required value"));
    }
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return Err(Status::conflict(
            &pods,
            name,
            &format!("pod {name} is being deleted, cannot be assigned to a host"),
        ));
    }
    if let Some(there) = pod["spec"]["nodeName"].as_str().filter(|it| !it.is_empty()) {
        let mut part = resources::Resource::clone(&pods);
        "pods/binding".clone_into(&mut part.plural);
        return Err(Status::conflict(&part, name, &format!("pod {name} is already assigned to node \"{there}\"")));
    }
    let now = life::seconds(world);
    let key = pods.key(ask.cluster, &ask.place.namespace, name);
    life::update(world, &key, |pod| {
        pod["spec"]["nodeName"] = json!(node);
        for (name, value) in binding["metadata"]["annotations"].as_object().into_iter().flatten() {
            write::metadata(pod).entry("annotations").or_insert_with(|| json!({}))[name] = value.clone();
        }
        let scheduled =
            json!({ "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now });
        let conditions = &mut pod["status"]["conditions"];
        let mut all: Vec<Value> = conditions.as_array().cloned().unwrap_or_default();
        all.retain(|it| it["type"] != "PodScheduled");
        all.push(scheduled);
        *conditions = json!(all);
    });
    let body = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
    Ok(Reply::json(201, body))
}

/// Deletes a pod on behalf of an eviction.
pub(super) fn evicted(world: &mut World, ask: &Ask<'_>, pod: &Arc<Value>, options: &Value) -> Result<(), Status> {
    let options = delete::Options::of(options)?;
    let manager = ask.manager();
    let write = Write { subresource: "", ..Write::of(ask, &manager) };
    delete::delete(world, &write, pod, &options).map(drop)
}
