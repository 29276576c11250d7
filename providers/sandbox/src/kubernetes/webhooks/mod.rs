//! The webhooks that EKS runs in its control plane, for those of their configurations that are in the cluster.
//!
//! They are called in the order of their configurations' names, as the API server does. A configuration that was deleted is not
//! called; the webhooks' failure policy is Ignore, so pods are then made without their groups (RC #167).

mod annotations;
mod fargate;
mod identity;
pub(crate) mod matching;
mod node_updates;
mod pods;

use serde_json::Value;

use super::admission::{Denied, Operation, Request};
use super::objects::Key;
use crate::world::World;

const MUTATING: &str = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const VALIDATING: &str = "validatingwebhookconfigurations.admissionregistration.k8s.io";

/// Lets the webhooks change an object.
///
/// # Errors
/// [`Denied`] by one of them.
pub(crate) fn change(world: &World, request: &Request<'_>, object: &mut Value) -> Result<(), Denied> {
    if request.resource != "pods" || !request.subresource.is_empty() || request.operation != Operation::Create {
        return Ok(());
    }
    if is_on(world, "fargate") {
        fargate::change(world, request, object);
    }
    if is_there(world, request, MUTATING, "pod-identity-webhook") && is_on(world, "pod-identity") {
        identity::change(world, request, object);
    }
    if is_there(world, request, MUTATING, "vpc-resource-mutating-webhook") && is_on(world, "pod-eni") {
        pods::change(world, request, object).map_err(|why| denied("mpod.vpc.k8s.aws", &why))?;
    }
    Ok(())
}

/// Lets the webhooks look at an object.
///
/// # Errors
/// [`Denied`] by one of them.
pub(crate) fn check(world: &World, request: &Request<'_>, object: &Value) -> Result<(), Denied> {
    let hook = match (request.resource, request.operation) {
        ("pods", Operation::Create | Operation::Update) if request.subresource.is_empty() => "vpod.vpc.k8s.aws",
        ("nodes", Operation::Update) if request.subresource.is_empty() => "vnode.vpc.k8s.aws",
        _ => return Ok(()),
    };
    if !is_there(world, request, VALIDATING, "vpc-resource-validating-webhook") || !is_on(world, "pod-eni") {
        return Ok(());
    }
    let checked = match hook {
        "vpod.vpc.k8s.aws" => annotations::check(request, object),
        _ => node_updates::check(request, object),
    };
    checked.map_err(|why| denied(hook, &why))
}

fn is_there(world: &World, request: &Request<'_>, resource: &str, name: &str) -> bool {
    world.kubernetes.objects.get(&Key::new(request.cluster, resource, "", name)).is_some()
}

fn is_on(world: &World, name: &str) -> bool {
    !world.settings.without.contains(name)
}

/// A refusal, as the API server words those of webhooks.
fn denied(hook: &str, why: &str) -> Denied {
    Denied { message: format!("admission webhook {hook:?} denied the request: {why}"), is_webhooks: true }
}
