//! `mpod.vpc.k8s.aws`: asks for a branch interface for pods that a policy matches, and writes Fargate pods' groups.
//!
//! Source: `webhooks/core/pod_webhook.go` of the VPC resource controller v1.8.2.

use serde_json::{Value, json};

use super::matching;
use crate::kubernetes::admission::Request;
use crate::kubernetes::objects::Key;
use crate::world::World;

/// The resource of which a branch interface is one.
const POD_ENI: &str = "vpc.amazonaws.com/pod-eni";
/// Where a Fargate pod's groups are.
const FARGATE_GROUPS: &str = "fargate.amazonaws.com/pod-sg";

/// Changes a new pod.
///
/// # Errors
/// The pod's groups cannot be told: its service account is missing.
pub(super) fn change(world: &World, request: &Request<'_>, pod: &mut Value) -> Result<(), String> {
    if pod["spec"]["hostNetwork"] == true {
        return Ok(());
    }
    if pod["metadata"]["namespace"].as_str().is_none_or(str::is_empty) {
        pod["metadata"]["namespace"] = json!(request.namespace);
    }
    if !pod["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"].is_null() {
        return change_fargate(world, request, pod);
    }
    if has_windows_selector(pod) {
        change_windows(world, request, pod);
        return Ok(());
    }
    let groups = matching::groups(world, request.cluster, pod)
        .map_err(|error| format!("Failed to get Matching SGP for Pods, rejecting event, error {error}"))?;
    if !groups.is_empty() {
        ask_for(pod, POD_ENI);
    }
    Ok(())
}

/// Asks for one of a resource, in the first container.
fn ask_for(pod: &mut Value, resource: &str) {
    let resources = &mut pod["spec"]["containers"][0]["resources"];
    resources["limits"][resource] = json!("1");
    resources["requests"][resource] = json!("1");
}

/// A matching policy replaces the groups of a Fargate pod; where none matches, an annotation that somebody else wrote goes.
fn change_fargate(world: &World, request: &Request<'_>, pod: &mut Value) -> Result<(), String> {
    let groups = matching::groups(world, request.cluster, pod)
        .map_err(|_| "Failed to get Matching SGP for Pods, rejecting event".to_owned())?;
    if !groups.is_empty() {
        pod["metadata"]["annotations"][FARGATE_GROUPS] = json!(groups.join(","));
    } else if let Some(annotations) = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(FARGATE_GROUPS);
    }
    Ok(())
}

fn has_windows_selector(pod: &Value) -> bool {
    let selector = &pod["spec"]["nodeSelector"];
    selector["kubernetes.io/os"] == "windows" || selector["beta.kubernetes.io/os"] == "windows"
}

fn change_windows(world: &World, request: &Request<'_>, pod: &mut Value) {
    let key = Key::new(request.cluster, "configmaps", "kube-system", "amazon-vpc-cni");
    let is_enabled = world.kubernetes.objects.get(&key).is_some_and(|map| map["data"]["enable-windows-ipam"] == "true");
    if is_enabled {
        ask_for(pod, "vpc.amazonaws.com/PrivateIPv4Address");
    }
}
