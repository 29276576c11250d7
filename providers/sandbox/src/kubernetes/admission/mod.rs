//! What stands between a request and the store: the API server's own admission and the webhooks that EKS installs.

pub(crate) mod pods;

use serde_json::Value;

use crate::world::World;

/// Who asks a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `kubernetes-admin`, `system:serviceaccount:ns:name`, an ARN's name.
    pub name: String,
    /// `system:masters`, `system:authenticated`, ...
    pub groups: Vec<String>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A change of any kind.
    Update,
    /// A deletion.
    Delete,
}

/// A request on its way to the store.
#[derive(Debug)]
pub struct Request<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// `pods`, `deployments.apps`.
    pub resource: &'a str,
    /// `status`, `eviction`; empty for the object itself.
    pub subresource: &'a str,
    /// Empty for objects of the whole cluster.
    pub namespace: &'a str,
    /// What is asked for.
    pub operation: Operation,
    /// By whom.
    pub user: &'a User,
    /// The object as it was.
    pub old: Option<&'a Value>,
}

/// A refusal: `403 Forbidden` with this message.
///
/// Only the API server's own plugins name the object in the status's details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// For people, as the plugin or webhook words it, with its name.
    pub message: String,
    /// Whether a webhook refuses.
    pub is_webhooks: bool,
}

/// Changes the object, or refuses the request: the API server's own plugins first, then EKS's webhooks, those that change before those
/// that only look.
///
/// # Errors
/// [`Denied`] by the first that refuses, with the whole message.
pub fn admit(world: &World, request: &Request<'_>, object: &mut Value) -> Result<(), Denied> {
    if request.resource == "pods" && request.subresource.is_empty() && request.operation == Operation::Create {
        pods::admit(world, request, object)?;
    }
    super::webhooks::change(world, request, object)?;
    super::webhooks::check(world, request, object)
}
