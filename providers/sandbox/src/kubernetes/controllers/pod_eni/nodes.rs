//! The controller's nodes: a CNINode for each, and a trunk for those that ask for one.
//!
//! Source: `pkg/node/manager/manager.go`, `controllers/core/node_controller.go`, `controllers/crds/cninode_controller.go`.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::context::{Context, is_going, meta};
use super::super::nodes::instance_of;
use super::super::queue::Item;
use super::super::scheduler::cache::list;
use super::super::{Controller, Name};
use super::{CNI_NODES, COMPONENT, POD_ENI, TrunkState, VERSION, tell_node, trunk, trunk_id};
use crate::ec2::{instance_types, interfaces};
use crate::kubernetes::objects::{Event, Kind};

pub(crate) const CONTROLLER: Controller = Controller { switches: &["pod-eni"], observe, reconcile };

const FINALIZER: &str = "networking.k8s.aws/resource-cleanup";
const CLUSTER_TAG: &str = "cluster.k8s.amazonaws.com/name";
/// A node that is gone is forgotten after this, so that its pods can be ended first.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// So often the attachment of a trunk is looked at.
const POLL: Duration = Duration::from_millis(200);

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        "nodes" if change.kind == Kind::Modified => {
            let marks =
                |node: &Value| (node["metadata"].clone(), node["spec"].clone(), node["status"]["capacity"].clone());
            let strip = |(mut metadata, spec, capacity): (Value, Value, Value)| {
                if let Some(members) = metadata.as_object_mut() {
                    members.remove("resourceVersion");
                    members.remove("managedFields");
                }
                (metadata, spec, capacity)
            };
            if change.before.as_ref().is_none_or(|before| strip(marks(before)) != strip(marks(&change.object))) {
                ctx.enqueue(Name::PodEniNodes, "", &change.key.name);
            }
        }
        "nodes" | CNI_NODES => ctx.enqueue(Name::PodEniNodes, "", &change.key.name),
        "eniconfigs.crd.k8s.amazonaws.com" => {
            for node in ctx.list(CNI_NODES, None) {
                let name = change.key.name.as_str();
                if feature(&node, "CustomNetworking").is_some_and(|value| value == name) {
                    ctx.enqueue(Name::PodEniNodes, "", meta(&node, "name"));
                }
            }
        }
        _ => {}
    }
}

/// The value of a CNINode's feature.
pub(super) fn feature<'a>(cni_node: &'a Value, name: &str) -> Option<&'a str> {
    let mut features = list(&cni_node["spec"]["features"]);
    features.find(|it| it["name"] == name).map(|it| it["value"].as_str().unwrap_or_default())
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let node = ctx.get("nodes", "", &item.name);
    keep_cni_node(ctx, item, node.as_deref());
    let Some(node) = node else { return leave(ctx, item) };
    if node["metadata"]["labels"]["eks.amazonaws.com/compute-type"] == "auto" || !is_managed(ctx, &node) {
        return;
    }
    let id = trunk_id(ctx.cluster, &item.name);
    let known = ctx.world.kubernetes.trunks.get(&id).cloned();
    match known.as_ref().map(|row| row.state) {
        Some(TrunkState::Leaving | TrunkState::Failed) | None => begin(ctx, item, &node),
        Some(TrunkState::Attaching) => attach(ctx, item, &node),
        Some(TrunkState::Ready) => {
            if let Ok(network) = trunk::network(ctx, &node) {
                ctx.world.kubernetes.trunks.update(&id, |row| (row.subnet_id, row.groups) = network);
            }
            advertise(ctx, &node);
        }
        Some(TrunkState::Unsupported) => {}
    }
}

/// Whether the node is the controller's: it has a system and an instance, and its CNI asked for a trunk.
fn is_managed(ctx: &Context<'_>, node: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let system = labels["kubernetes.io/os"].as_str().or_else(|| labels["beta.kubernetes.io/os"].as_str());
    if system.is_none_or(str::is_empty) || instance_of(node).is_none_or(str::is_empty) {
        return false;
    }
    !labels["vpc.amazonaws.com/has-trunk-attached"].is_null()
        || ctx.get(CNI_NODES, "", meta(node, "name")).is_some_and(|it| feature(&it, "SecurityGroupsForPods").is_some())
}

/// Makes the node's CNINode, keeps its tag, label and finalizer, makes it again when it was deleted, and lets it go with the node.
fn keep_cni_node(ctx: &mut Context<'_>, item: &Item, node: Option<&Value>) {
    let cluster = ctx.cluster.to_owned();
    match (ctx.get(CNI_NODES, "", &item.name), node) {
        (None, Some(node)) => {
            if node["metadata"]["labels"]["eks.amazonaws.com/compute-type"] != "auto" {
                create_cni_node(ctx, node);
            }
        }
        (Some(cni_node), node) if is_going(&cni_node) => {
            if node.is_none() {
                clean_up(ctx, &cni_node);
            }
            ctx.update(CNI_NODES, "", &item.name, |object| {
                if let Some(finalizers) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
                    finalizers.retain(|it| it != FINALIZER);
                }
            });
            if let Some(node) = node
                && ctx.get(CNI_NODES, "", &item.name).is_none()
            {
                let object = json!({
                    "apiVersion": "vpcresources.k8s.aws/v1alpha1", "kind": "CNINode",
                    "metadata": {
                        "ownerReferences": cni_node["metadata"]["ownerReferences"], "finalizers": [FINALIZER],
                        "labels": { "kubernetes.io/os": node["metadata"]["labels"]["kubernetes.io/os"] },
                    },
                    "spec": cni_node["spec"],
                });
                ctx.create(CNI_NODES, "", &item.name, object);
            }
        }
        (Some(_), node) => {
            let system = node.map(|node| node["metadata"]["labels"]["kubernetes.io/os"].clone());
            ctx.update(CNI_NODES, "", &item.name, |object| {
                object["spec"]["tags"][CLUSTER_TAG] = json!(cluster);
                if let Some(system) = system {
                    object["metadata"]["labels"]["kubernetes.io/os"] = system;
                }
                if !list(&object["metadata"]["finalizers"]).any(|it| it == FINALIZER) {
                    let mut finalizers: Vec<Value> = list(&object["metadata"]["finalizers"]).cloned().collect();
                    finalizers.push(json!(FINALIZER));
                    object["metadata"]["finalizers"] = json!(finalizers);
                }
            });
        }
        (None, None) => {}
    }
}

fn create_cni_node(ctx: &mut Context<'_>, node: &Value) {
    let mut tags = json!({});
    tags[CLUSTER_TAG] = json!(ctx.cluster);
    let object = json!({
        "apiVersion": "vpcresources.k8s.aws/v1alpha1", "kind": "CNINode",
        "metadata": {
            "finalizers": [FINALIZER],
            "labels": { "kubernetes.io/os": node["metadata"]["labels"]["kubernetes.io/os"] },
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Node", "name": meta(node, "name"), "uid": meta(node, "uid"), "controller": true,
            }],
        },
        "spec": { "tags": tags },
    });
    ctx.create(CNI_NODES, "", meta(node, "name"), object);
}

/// Deletes what an ended node left behind: available interfaces with its instance's id in their tags.
fn clean_up(ctx: &mut Context<'_>, cni_node: &Value) {
    let Some(instance) = cni_node["spec"]["tags"]["node.k8s.amazonaws.com/instance_id"].as_str() else { return };
    let key = format!("tag:node.k8s.amazonaws.com/instance_id={instance}");
    let left: Vec<String> = ctx
        .world
        .ec2
        .interfaces
        .with(&key)
        .filter(|(_, row)| row.status() == "available" && row.tags.contains_key("eks:eni:owner"))
        .map(|(id, _)| id.to_owned())
        .collect();
    for id in left {
        if let Err(error) = interfaces::delete(ctx.world, &id) {
            tracing::debug!("{id} is left: {}", error.message);
        }
    }
}

/// The node is gone: its trunk is forgotten later.
fn leave(ctx: &mut Context<'_>, item: &Item) {
    let id = trunk_id(ctx.cluster, &item.name);
    let Some(row) = ctx.world.kubernetes.trunks.get(&id) else { return };
    if row.state != TrunkState::Leaving {
        ctx.world.kubernetes.trunks.update(&id, |row| row.state = TrunkState::Leaving);
        ctx.enqueue_after(Name::PodEniQueue, "forget", &item.name, FORGET_AFTER);
    }
}

/// Takes a node on: its instance's details, then its trunk.
fn begin(ctx: &mut Context<'_>, item: &Item, node: &Value) {
    let network = match trunk::network(ctx, node) {
        Ok(network) => network,
        Err(trunk::NoNetwork::NoName(message)) => return ctx.warn(node, COMPONENT, "EniConfigNameNotFound", &message),
        Err(trunk::NoNetwork::Missing) => return,
    };
    let message = format!("The node is managed by VPC resource controller version {VERSION}");
    tell_node(ctx, node, false, "ControllerVersionNotice", &message);
    let Some(instance) = instance_of(node).and_then(|id| ctx.world.ec2.instances.get(id)).cloned() else { return };
    let kind = &instance.instance_type;
    let Some(limits) = instance_types::find(kind) else {
        let message = format!("The instance type {kind} is not supported yet by the vpc resource controller");
        tell_node(ctx, node, true, "Unsupported", &message);
        return trunk::remember(ctx, node, &instance, network, TrunkState::Failed, None);
    };
    if !limits.is_trunk_compatible {
        // The controller looks twice: when it takes the node on, and when it tells the capacity.
        for _ in 0..2 {
            let message =
                format!("The instance type {kind} is not supported for trunk interface (Security Group for Pods)");
            tell_node(ctx, node, true, "Unsupported", &message);
        }
        return trunk::remember(ctx, node, &instance, network, TrunkState::Unsupported, None);
    }
    match trunk::make(ctx, &instance, &network) {
        Ok(id) => {
            trunk::remember(ctx, node, &instance, network, TrunkState::Attaching, Some(id));
            attach(ctx, item, node);
        }
        Err(code) => {
            fail(ctx, node, code);
            trunk::remember(ctx, node, &instance, network, TrunkState::Failed, None);
        }
    }
}

/// Tells that the trunk could not be made. Only errors of EC2 have a code.
fn fail(ctx: &mut Context<'_>, node: &Value, code: Option<String>) {
    if let Some(code) = code {
        let mut message = format!("Failed to create trunk interface: Error Code: {code}");
        if code == "UnauthorizedOperation" {
            message.push_str(": Please verify the cluster IAM role has AmazonEKSVPCResourceController policy");
        }
        ctx.warn(node, COMPONENT, "TrunkENICreationFailed", &message);
    }
    tell_node(ctx, node, false, "NodeTrunkFailedInit", "The node failed initializing trunk interface");
}

/// Waits for the trunk to be attached; then the node works.
fn attach(ctx: &mut Context<'_>, item: &Item, node: &Value) {
    let id = trunk_id(ctx.cluster, &item.name);
    let Some(row) = ctx.world.kubernetes.trunks.get(&id).cloned() else { return };
    match trunk::is_attached(ctx.world, row.trunk_id.as_deref()) {
        None => {
            ctx.world.kubernetes.trunks.remove(&id);
            return fail(ctx, node, None);
        }
        Some(false) => return ctx.enqueue_after(Name::PodEniNodes, "", &item.name, POLL),
        Some(true) => {}
    }
    let now = ctx.now();
    ctx.world.kubernetes.trunks.update(&id, |row| {
        row.state = TrunkState::Ready;
        row.ready_at = Some(now);
    });
    trunk::take_over(ctx, &item.name);
    tell_node(ctx, node, false, "NodeTrunkInitiated", "The node has trunk interface initialized successfully");
    advertise(ctx, node);
    for pod in ctx.pods_on(&item.name) {
        ctx.enqueue(Name::PodEniPods, meta(&pod, "namespace"), meta(&pod, "name"));
    }
}

/// Tells how many branches the node can have.
fn advertise(ctx: &mut Context<'_>, node: &Value) {
    let kind = instance_of(node).and_then(|id| ctx.world.ec2.instances.get(id)).map(|row| row.instance_type.clone());
    let branches = kind.and_then(|kind| instance_types::find(&kind)).map_or(0, |kind| kind.branches_max);
    if branches > 0 && node["status"]["capacity"].is_object() {
        ctx.update("nodes", "", meta(node, "name"), |node| {
            node["status"]["capacity"][POD_ENI] = json!(branches.to_string());
        });
    }
}
