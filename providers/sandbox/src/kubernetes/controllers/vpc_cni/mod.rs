//! The VPC CNI: `aws-node` on each node, with addresses for ordinary pods and the wish for a trunk.
//!
//! Source: `aws/amazon-vpc-cni-k8s` v1.23.1, `pkg/ipamd/ipamd.go`. Addresses are simplified: a node has as many as pods need and the warm
//! targets ask for, without waiting periods.

pub(super) mod addresses;
mod interfaces;
pub(super) mod settings;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::context::{Context, meta};
use super::nodes::instance_of;
use super::queue::Item;
use super::scheduler::cache::list;
use super::workloads::pods;
use super::{Controller, Name};
use crate::ec2::instance_types;
use crate::kubernetes::objects::{Event, Kind};
use settings::Settings;

pub(super) const CONTROLLER: Controller = Controller { switches: &["vpc-cni"], observe, reconcile };

const CNI_NODES: &str = "cninodes.vpcresources.k8s.aws";
/// Addresses that a pod gave back are free after this, and interfaces without pods go.
const LATER: Duration = Duration::from_secs(30);

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        "daemonsets.apps" if change.key.name == "aws-node" && change.kind == Kind::Added => {
            ctx.enqueue(Name::VpcCni, "", "");
        }
        CNI_NODES if change.kind != Kind::Deleted => ctx.enqueue(Name::VpcCni, "", &change.key.name),
        "nodes" if change.kind != Kind::Deleted => {
            let marks = |node: &Value| (node["metadata"]["labels"].clone(), node["metadata"]["annotations"].clone());
            if change.before.as_ref().is_none_or(|before| marks(before) != marks(&change.object)) {
                ctx.enqueue(Name::VpcCni, "", &change.key.name);
            }
        }
        "pods" => {
            let Some(node) = change.object["spec"]["nodeName"].as_str() else { return };
            let is_own = change.object["metadata"]["labels"]["k8s-app"] == "aws-node";
            if is_own && change.kind != Kind::Deleted {
                ctx.enqueue(Name::VpcCni, "", node);
            } else if change.object["spec"]["hostNetwork"] != true && change.object["status"]["podIP"].is_string() {
                let is_over = change.kind == Kind::Deleted || pods::is_finished(&change.object);
                let after = if is_over { LATER } else { Duration::ZERO };
                ctx.enqueue_after(Name::VpcCni, "", node, after);
            }
        }
        _ => {}
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    if item.name.is_empty() {
        return settings::write(ctx);
    }
    let Some(node) = ctx.get("nodes", "", &item.name) else { return };
    let Some(agent) = agent(ctx, &item.name) else { return };
    let settings = Settings::of(&agent["spec"]);
    add_features(ctx, item, &node, &settings);
    addresses::keep_warm(ctx, item, &node, &settings);
}

/// The `aws-node` that works on a node.
fn agent(ctx: &Context<'_>, node: &str) -> Option<Arc<Value>> {
    let mut pods = ctx.pods_on(node).into_iter();
    pods.find(|pod| {
        pod["metadata"]["labels"]["k8s-app"] == "aws-node"
            && meta(pod, "namespace") == "kube-system"
            && pods::is_ready(pod)
    })
}

/// The ENIConfig of a node: by annotation, by label, or the one named `default`.
fn eni_config_name<'a>(node: &'a Value, settings: &Settings) -> &'a str {
    let label = settings.eni_config_label();
    let named = |kind: &str| node["metadata"][kind][label].as_str();
    named("annotations").or_else(|| named("labels")).unwrap_or("default")
}

/// Asks the VPC resource controller for what the settings want: custom networking first, then a trunk, when a slot is free for it.
fn add_features(ctx: &mut Context<'_>, item: &Item, node: &Value, settings: &Settings) {
    let Some(cni_node) = ctx.get(CNI_NODES, "", &item.name) else { return };
    let has = |name: &str| list(&cni_node["spec"]["features"]).any(|it| it["name"] == name);
    let mut features: Vec<Value> = list(&cni_node["spec"]["features"]).cloned().collect();
    if settings.has_pod_eni() && settings.has_custom_networking() && !has("CustomNetworking") {
        let name = eni_config_name(node, settings);
        if name != "default" {
            features.push(json!({ "name": "CustomNetworking", "value": name }));
        }
    }
    if settings.has_pod_eni() && !has("SecurityGroupsForPods") && has_slot(ctx, node, settings) {
        features.push(json!({ "name": "SecurityGroupsForPods" }));
    }
    let instance = instance_of(node).unwrap_or_default().to_owned();
    ctx.update(CNI_NODES, "", &item.name, |cni_node| {
        // By this tag the controller finds what a node leaves behind.
        cni_node["spec"]["tags"]["node.k8s.amazonaws.com/instance_id"] = json!(instance);
        if !features.is_empty() {
            cni_node["spec"]["features"] = json!(features);
        }
    });
}

/// Whether the instance has a trunk or a slot for one.
fn has_slot(ctx: &Context<'_>, node: &Value, settings: &Settings) -> bool {
    let Some(id) = instance_of(node) else { return false };
    let own = interfaces::of_instance(ctx.world, id);
    own.iter().any(|row| row.interface_type == "trunk") || own.len() < interfaces::most(ctx.world, id, settings)
}

/// Whether a slot is kept for a trunk that is not there yet.
fn keeps_slot(ctx: &Context<'_>, instance: &str, settings: &Settings) -> bool {
    let kind = ctx.world.ec2.instances.get(instance).and_then(|row| instance_types::find(&row.instance_type));
    let has_trunk = interfaces::of_instance(ctx.world, instance).iter().any(|row| row.interface_type == "trunk");
    settings.has_pod_eni() && kind.is_some_and(|kind| kind.is_trunk_compatible) && !has_trunk
}
