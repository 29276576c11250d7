//! What networks ask about interfaces and groups.

use super::{instances, interfaces};
use crate::aws::ApiError;
use crate::world::World;

/// Whether a public address stands for an interface of the VPC.
pub(super) fn has_public_addresses(world: &World, vpc_id: &str) -> bool {
    let mut all = world.ec2.interfaces.with(&format!("vpc-id={vpc_id}"));
    all.any(|(_, interface)| interface.addresses.iter().any(|address| address.public.is_some()))
}

/// Whether a route to an interface is active: it is there and attached.
pub(super) fn is_routable(world: &World, id: &str) -> bool {
    world.ec2.interfaces.get(id).is_some_and(|interface| interface.attachment.is_some())
}

/// The instance that has an interface.
pub(super) fn instance_of<'a>(world: &'a World, id: &str) -> Option<&'a str> {
    world.ec2.interfaces.get(id)?.instance_id()
}

/// An instance's only interface.
///
/// # Errors
/// `InvalidInstanceID.NotFound`; `InvalidInstanceID` when it has several, so that one of them must be named.
pub(super) fn only_interface_of(world: &World, instance_id: &str) -> Result<String, ApiError> {
    instances::find(world, instance_id)?;
    let mut all = world.ec2.interfaces.with(&format!("attachment.instance-id={instance_id}")).map(|(id, _)| id);
    match (all.next(), all.next()) {
        (Some(id), None) => Ok(id.to_owned()),
        (None, _) => {
            let message = format!("The instance '{instance_id}' has no network interface.");
            Err(ApiError::new("IncorrectInstanceState", message))
        }
        (Some(_), Some(_)) => {
            let message = format!(
                "There are multiple interfaces attached to instance '{instance_id}'. Please specify an interface ID for the operation instead."
            );
            Err(ApiError::new("InvalidInstanceID", message))
        }
    }
}

/// The VPC of an interface.
///
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`.
pub(super) fn vpc_of(world: &World, id: &str) -> Result<String, ApiError> {
    interfaces::find(world, id).map(|interface| interface.vpc_id.clone())
}
