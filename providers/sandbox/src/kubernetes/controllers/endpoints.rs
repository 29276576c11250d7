//! The pods behind Services: Endpoints and EndpointSlices.
//!
//! Source: `pkg/controller/endpoint`, `endpointslice` and `pkg/controlplane/reconcilers` of Kubernetes 1.36.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::context::{Context, is_going, meta};
use super::queue::Item;
use super::scheduler::cache::list;
use super::workloads::pods;
use super::{Controller, Name};
use crate::kubernetes::objects::{Event, Kind};

pub(crate) const CONTROLLER: Controller = Controller { switches: &["endpoints", "workloads"], observe, reconcile };

const SLICES: &str = "endpointslices.discovery.k8s.io";
/// So many addresses fit into a slice.
const SLICE: usize = 100;

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        "services" => ctx.enqueue(Name::Endpoints, &change.key.namespace, &change.key.name),
        "pods" => {
            let marks = |pod: &Value| {
                (
                    pod["metadata"]["labels"].clone(),
                    pod["status"]["podIP"].clone(),
                    pods::is_ready(pod),
                    is_going(pod),
                    pod["status"]["phase"].clone(),
                )
            };
            let is_news = change.kind == Kind::Deleted
                || change.before.as_ref().is_none_or(|before| marks(before) != marks(&change.object));
            let has_address = |pod: &Value| pod["status"]["podIP"].is_string();
            let had_address = change.before.as_ref().is_some_and(|before| has_address(before));
            if !is_news || !(has_address(&change.object) || had_address) {
                return;
            }
            for service in ctx.list("services", Some(&change.key.namespace)) {
                let is_behind = |pod: &Value| selects(&service, pod);
                if is_behind(&change.object) || change.before.as_ref().is_some_and(|before| is_behind(before)) {
                    ctx.enqueue(Name::Endpoints, &change.key.namespace, meta(&service, "name"));
                }
            }
        }
        _ => {}
    }
}

fn selects(service: &Value, pod: &Value) -> bool {
    let selector = service["spec"]["selector"].as_object();
    selector.is_some_and(|selector| {
        !selector.is_empty() && selector.iter().all(|(key, value)| &pod["metadata"]["labels"][key] == value)
    })
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(service) = ctx.get("services", &item.namespace, &item.name) else {
        if ctx.get("endpoints", &item.namespace, &item.name).is_some() {
            ctx.delete("endpoints", &item.namespace, &item.name);
        }
        return;
    };
    if item.namespace == "default" && item.name == "kubernetes" {
        return api_server(ctx, &service);
    }
    if service["spec"]["selector"].as_object().is_none_or(serde_json::Map::is_empty) {
        return;
    }
    let mut behind: Vec<Arc<Value>> = ctx.list("pods", Some(&item.namespace));
    behind.retain(|pod| selects(&service, pod) && pod["status"]["podIP"].is_string() && !pods::is_finished(pod));
    put_endpoints(ctx, &service, &behind);
    put_slices(ctx, &service, &behind);
}

/// The number of a Service's port on a pod, which may be a name there.
fn port_on(pod: &Value, port: &Value) -> Option<i64> {
    match &port["targetPort"] {
        Value::String(name) => {
            let ports = list(&pod["spec"]["containers"]).flat_map(|container| list(&container["ports"]));
            let found = ports.into_iter().find(|it| it["name"] == *name && it["protocol"] == port["protocol"]);
            found.and_then(|it| it["containerPort"].as_i64())
        }
        Value::Number(number) => number.as_i64(),
        _ => port["port"].as_i64(),
    }
}

fn ports_on(service: &Value, pod: &Value) -> Vec<Value> {
    let ports = list(&service["spec"]["ports"]);
    let write = |port: &Value| {
        let mut written =
            json!({ "port": port_on(pod, port)?, "protocol": port["protocol"].as_str().unwrap_or("TCP") });
        written["name"] = json!(port["name"].as_str().unwrap_or_default());
        if !port["appProtocol"].is_null() {
            written["appProtocol"] = port["appProtocol"].clone();
        }
        Some(written)
    };
    ports.filter_map(write).collect()
}

/// Whether a pod takes traffic; a Service may ask for those that are not ready too.
fn is_serving(service: &Value, pod: &Value) -> bool {
    service["spec"]["publishNotReadyAddresses"] == true || pods::is_ready(pod) && !is_going(pod)
}

fn reference(pod: &Value) -> Value {
    json!({ "kind": "Pod", "namespace": meta(pod, "namespace"), "name": meta(pod, "name"), "uid": meta(pod, "uid") })
}

fn put_endpoints(ctx: &mut Context<'_>, service: &Value, behind: &[Arc<Value>]) {
    let mut subsets: BTreeMap<String, (Vec<Value>, Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for pod in behind {
        let mut ports = ports_on(service, pod);
        for port in &mut ports {
            if port["name"] == "" {
                port.as_object_mut().map(|members| members.remove("name"));
            }
        }
        let subset = subsets.entry(json!(ports).to_string()).or_insert_with(|| (Vec::new(), Vec::new(), ports));
        let address = json!({
            "ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": reference(pod),
        });
        if is_serving(service, pod) { subset.0.push(address) } else { subset.1.push(address) }
    }
    let write = |(ready, not_ready, ports): (Vec<Value>, Vec<Value>, Vec<Value>)| {
        let mut subset = json!({ "ports": ports });
        if !ready.is_empty() {
            subset["addresses"] = json!(ready);
        }
        if !not_ready.is_empty() {
            subset["notReadyAddresses"] = json!(not_ready);
        }
        subset
    };
    let subsets: Vec<Value> = subsets.into_values().map(write).collect();
    let mut labels = service["metadata"]["labels"].clone();
    labels["endpoints.kubernetes.io/managed-by"] = json!("endpoint-controller");
    let mut object = json!({ "apiVersion": "v1", "kind": "Endpoints", "metadata": { "labels": labels } });
    if !subsets.is_empty() {
        object["subsets"] = json!(subsets);
    }
    put(ctx, "endpoints", meta(service, "namespace"), meta(service, "name"), object);
}

/// Writes an object whose content is all the controller's.
fn put(ctx: &mut Context<'_>, resource: &str, namespace: &str, name: &str, object: Value) {
    if ctx.get(resource, namespace, name).is_none() {
        ctx.create(resource, namespace, name, object);
        return;
    }
    ctx.update(resource, namespace, name, |old| {
        let Some(members) = old.as_object_mut() else { return };
        members.retain(|member, _| member == "metadata" || !object[member.as_str()].is_null());
        for (member, value) in object.as_object().into_iter().flatten() {
            if member == "metadata" {
                members["metadata"]["labels"] = value["labels"].clone();
            } else {
                members.insert(member.clone(), value.clone());
            }
        }
    });
}

fn put_slices(ctx: &mut Context<'_>, service: &Value, behind: &[Arc<Value>]) {
    let (namespace, name) = (meta(service, "namespace").to_owned(), meta(service, "name").to_owned());
    let old = ctx.owned(SLICES, meta(service, "uid"));
    let mut names: Vec<String> = old.iter().map(|slice| meta(slice, "name").to_owned()).collect();
    names.sort();
    let mut names = names.into_iter();
    let ports = behind.first().map_or_else(Vec::new, |pod| ports_on(service, pod));
    let parts: Vec<&[Arc<Value>]> = if behind.is_empty() { vec![&[]] } else { behind.chunks(SLICE).collect() };
    for part in parts {
        let endpoints: Vec<Value> = part.iter().map(|pod| endpoint(ctx, service, pod)).collect();
        let slice_name = match names.next() {
            Some(name) => name,
            None => format!("{name}-{}", pods::suffix(ctx)),
        };
        let mut object = slice(service, endpoints, &ports);
        object["metadata"]["generateName"] = json!(format!("{name}-"));
        put(ctx, SLICES, &namespace, &slice_name, object);
    }
    for rest in names {
        ctx.delete(SLICES, &namespace, &rest);
    }
}

fn endpoint(ctx: &Context<'_>, service: &Value, pod: &Value) -> Value {
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let zone = ctx.get("nodes", "", node).map(|node| node["metadata"]["labels"]["topology.kubernetes.io/zone"].clone());
    let is_ready = pods::is_ready(pod);
    let mut endpoint = json!({
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": is_serving(service, pod), "serving": is_ready, "terminating": is_going(pod),
        },
        "nodeName": node, "targetRef": reference(pod),
    });
    if let Some(Value::String(zone)) = zone {
        endpoint["zone"] = json!(zone);
    }
    if pod["spec"]["hostname"].is_string() && pod["spec"]["subdomain"] == service["metadata"]["name"] {
        endpoint["hostname"] = pod["spec"]["hostname"].clone();
    }
    endpoint
}

fn slice(service: &Value, endpoints: Vec<Value>, ports: &[Value]) -> Value {
    let mut labels = service["metadata"]["labels"].clone();
    labels["endpointslice.kubernetes.io/managed-by"] = json!("endpointslice-controller.k8s.io");
    labels["kubernetes.io/service-name"] = service["metadata"]["name"].clone();
    if service["spec"]["clusterIP"] == "None" {
        labels["service.kubernetes.io/headless"] = json!("");
    }
    let mut owner = super::context::owner_reference(service);
    owner["apiVersion"] = json!("v1");
    owner["kind"] = json!("Service");
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": { "labels": labels, "ownerReferences": [owner] },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
    })
}

/// The API server's own addresses: those of the control plane's interfaces.
fn api_server(ctx: &mut Context<'_>, service: &Value) {
    let interfaces = ctx.world.eks.clusters.get(ctx.cluster).map(|row| row.interfaces.clone()).unwrap_or_default();
    let mut addresses: Vec<String> = interfaces
        .iter()
        .filter_map(|id| ctx.world.ec2.interfaces.get(id)?.primary_address().map(|address| address.to_string()))
        .collect();
    if addresses.is_empty() {
        addresses.push("127.0.0.1".to_owned());
    }
    let ports = json!([{ "name": "https", "port": 443, "protocol": "TCP" }]);
    let ips: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
    let object = json!({
        "apiVersion": "v1", "kind": "Endpoints",
        "metadata": { "labels": { "endpointslice.kubernetes.io/skip-mirror": "true" } },
        "subsets": [{ "addresses": ips, "ports": ports }],
    });
    put(ctx, "endpoints", "default", "kubernetes", object);
    let endpoints: Vec<Value> =
        addresses.iter().map(|ip| json!({ "addresses": [ip], "conditions": { "ready": true } })).collect();
    let object = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": { "labels": { "kubernetes.io/service-name": meta(service, "name") } },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
    });
    put(ctx, SLICES, "default", "kubernetes", object);
}
