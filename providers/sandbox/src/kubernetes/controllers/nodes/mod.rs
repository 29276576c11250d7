//! Nodes: what an instance of the cluster registers when its role may, and what becomes of it when the instance goes.
//!
//! An instance belongs to a cluster by its tag `kubernetes.io/cluster/NAME=owned`. It registers as kubelet on Amazon Linux 2023 does; it
//! becomes ready when the VPC CNI on it is.

pub(super) mod capacity;
mod shape;

use serde_json::{Value, json};

use super::context::{Context, meta, set_condition};
use super::queue::Item;
use super::workloads::pods;
use super::{Controller, Name};
use crate::aws::Caller;
use crate::ec2::instances::{Instance, State};
use crate::kubernetes::objects::{Event, Kind};

pub(crate) const CONTROLLER: Controller = Controller { switches: &["nodes"], observe, reconcile };

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        "nodes" if change.kind == Kind::Deleted => {
            for pod in ctx.pods_on(&change.key.name) {
                // Nobody is left who could end them.
                ctx.delete_now("pods", meta(&pod, "namespace"), meta(&pod, "name"));
            }
            let lease = &change.key.name;
            ctx.delete_now("leases.coordination.k8s.io", "kube-node-lease", lease);
            ctx.enqueue(Name::Nodes, "", "");
        }
        "nodes" => ctx.enqueue(Name::Nodes, "", &change.key.name),
        "pods" if is_network(&change.object) => {
            if let Some(node) = change.object["spec"]["nodeName"].as_str() {
                ctx.enqueue(Name::Nodes, "", node);
            }
        }
        "configmaps" if change.key.name == "aws-auth" => ctx.enqueue(Name::Nodes, "", ""),
        _ => {}
    }
}

/// Whether a pod is the VPC CNI's on its node.
fn is_network(pod: &Value) -> bool {
    pod["metadata"]["labels"]["k8s-app"] == "aws-node" && meta(pod, "namespace") == "kube-system"
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    if item.name.is_empty() { follow_instances(ctx) } else { follow_network(ctx, &item.name) }
}

/// Registers what runs, removes what is gone.
fn follow_instances(ctx: &mut Context<'_>) {
    let tag = format!("tag:kubernetes.io/cluster/{}=owned", ctx.cluster);
    let instances: Vec<Instance> = ctx.world.ec2.instances.with(&tag).map(|(_, row)| row.clone()).collect();
    for instance in &instances {
        if !instance.state.is_here() {
            continue;
        }
        let Some(name) = shape::name(ctx.world, instance) else { continue };
        match ctx.get("nodes", "", &name) {
            None if instance.state == State::Running => register(ctx, instance, &name),
            Some(node) => follow_state(ctx, instance, &name, &node),
            None => {}
        }
    }
    for node in ctx.list("nodes", None) {
        let id = instance_of(&node).unwrap_or_default().to_owned();
        // While it shuts down the cloud still knows it, and its trunk still holds the branches of its pods.
        let is_here = ctx.world.ec2.instances.get(&id).is_some_and(|row| row.state != State::Terminated);
        if id.starts_with("i-") && !is_here {
            let message =
                format!("Deleting node {} because it does not exist in the cloud provider", meta(&node, "name"));
            ctx.normal(&node, "cloud-node-lifecycle-controller", "DeletingNode", &message);
            ctx.delete("nodes", "", meta(&node, "name"));
        }
    }
}

/// The instance of a node.
pub(super) fn instance_of(node: &Value) -> Option<&str> {
    node["spec"]["providerID"].as_str()?.rsplit('/').next()
}

/// Makes the node of an instance whose role the cluster lets in.
fn register(ctx: &mut Context<'_>, instance: &Instance, name: &str) {
    if !may_join(ctx, instance) {
        return;
    }
    let object = shape::node(ctx, instance, name);
    let node = ctx.create("nodes", "", name, object);
    let time = ctx.time();
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": name, "uid": meta(&node, "uid") }] },
        "spec": { "holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": format!("{}.000000Z", time.trim_end_matches('Z')) },
    });
    if ctx.get("leases.coordination.k8s.io", "kube-node-lease", name).is_none() {
        ctx.create("leases.coordination.k8s.io", "kube-node-lease", name, lease);
    }
    ctx.normal(&node, "kubelet", "Starting", "Starting kubelet.");
    let message = format!("Node {name} event: Registered Node {name} in Controller");
    ctx.normal(&node, "node-controller", "RegisteredNode", &message);
}

/// Whether the instance's role is let in as a node: by an access entry or `aws-auth`.
fn may_join(ctx: &Context<'_>, instance: &Instance) -> bool {
    let role = instance.profile_arn.as_deref().and_then(|arn| {
        let mut profiles = ctx.world.iam.instance_profiles.with(&format!("arn={arn}"));
        profiles.next().and_then(|(_, profile)| profile.role.clone())
    });
    let Some(role) = role else { return false };
    let Some(role_id) = ctx.world.iam.roles.get(&role).map(|row| row.id.clone()) else { return false };
    let account = &ctx.world.settings.account;
    let caller = Caller {
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{}", instance.id),
        user_id: format!("{role_id}:{}", instance.id),
        account: account.clone(),
        access_key: String::new(),
    };
    let user = crate::eks::access::user(ctx.world, ctx.cluster, &caller);
    user.is_some_and(|user| user.groups.iter().any(|group| group == "system:nodes"))
}

/// A stopped instance's node is unreachable; one that runs again is as before.
fn follow_state(ctx: &mut Context<'_>, instance: &Instance, name: &str, node: &Value) {
    let is_up = instance.state == State::Running || instance.state == State::Pending;
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    let is_marked = taints.into_iter().any(|taint| taint["key"] == "node.kubernetes.io/unreachable");
    if is_up != is_marked {
        return;
    }
    let now = ctx.time();
    ctx.update("nodes", "", name, |node| {
        if is_up {
            untaint(node, "node.kubernetes.io/unreachable");
            return;
        }
        for effect in ["NoSchedule", "NoExecute"] {
            taint(node, "node.kubernetes.io/unreachable", effect);
        }
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
            let condition = json!({
                "type": kind, "status": "Unknown", "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.", "lastHeartbeatTime": now,
            });
            set_condition(&mut node["status"]["conditions"], &now, condition);
        }
    });
    ctx.enqueue(Name::Nodes, "", name);
}

pub(super) fn taint(node: &mut Value, key: &str, effect: &str) {
    if !node["spec"]["taints"].is_array() {
        node["spec"]["taints"] = json!([]);
    }
    if let Some(taints) = node["spec"]["taints"].as_array_mut()
        && !taints.iter().any(|taint| taint["key"] == key && taint["effect"] == effect)
    {
        taints.push(json!({ "key": key, "effect": effect }));
    }
}

pub(super) fn untaint(node: &mut Value, key: &str) {
    if let Some(taints) = node.pointer_mut("/spec/taints").and_then(Value::as_array_mut) {
        taints.retain(|taint| taint["key"] != key);
        if taints.is_empty()
            && let Some(spec) = node["spec"].as_object_mut()
        {
            spec.remove("taints");
        }
    }
}

/// A node is ready when the VPC CNI on it is, and stays so: containers that run keep their network.
fn follow_network(ctx: &mut Context<'_>, name: &str) {
    let Some(node) = ctx.get("nodes", "", name) else { return };
    if instance_of(&node).is_none_or(|id| !id.starts_with("i-")) || is_unreachable(&node) {
        return;
    }
    adopt_capacity(ctx, &node);
    let is_simulated =
        ["vpc-cni", "workloads", "scheduler", "kubelet"].iter().all(|name| !ctx.world.settings.without.contains(*name));
    let has_network = !is_simulated || ctx.pods_on(name).iter().any(|pod| is_network(pod) && pods::is_ready(pod));
    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    let state = conditions.into_iter().find(|it| it["type"] == "Ready").map(|it| it["status"].clone());
    if state == Some(json!("True")) || (!has_network && state == Some(json!("False"))) {
        return;
    }
    let now = ctx.time();
    let updated = ctx.update("nodes", "", name, |node| {
        let condition = if has_network {
            untaint(node, "node.kubernetes.io/not-ready");
            json!({ "type": "Ready", "status": "True", "reason": "KubeletReady",
                "message": "kubelet is posting ready status", "lastHeartbeatTime": now })
        } else {
            json!({ "type": "Ready", "status": "False", "reason": "KubeletNotReady", "lastHeartbeatTime": now,
                "message": "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized" })
        };
        set_condition(&mut node["status"]["conditions"], &now, condition);
    });
    if has_network && let Some(node) = updated {
        let message = format!("Node {name} status is now: NodeReady");
        ctx.normal(&node, "kubelet", "NodeReady", &message);
    }
}

fn is_unreachable(node: &Value) -> bool {
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    taints.into_iter().any(|taint| taint["key"] == "node.kubernetes.io/unreachable")
}

/// What kubelet does with extended resources that others put into the capacity: they can be allocated.
fn adopt_capacity(ctx: &mut Context<'_>, node: &Value) {
    let extended = |status: &Value| -> Vec<(String, Value)> {
        let amounts = status.as_object().into_iter().flatten();
        amounts.filter(|(name, _)| name.contains('/')).map(|(name, amount)| (name.clone(), amount.clone())).collect()
    };
    let wanted = extended(&node["status"]["capacity"]);
    if wanted != extended(&node["status"]["allocatable"]) {
        ctx.update("nodes", "", meta(node, "name"), |node| {
            if let Some(allocatable) = node["status"]["allocatable"].as_object_mut() {
                allocatable.retain(|name, _| !name.contains('/'));
                allocatable.extend(wanted);
            }
        });
    }
}
