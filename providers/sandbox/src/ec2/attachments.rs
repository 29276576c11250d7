//! Interfaces on instances: attaching and detaching, within what the instance's type allows.

use std::collections::BTreeSet;
use std::time::Duration;

use super::interfaces::{self, Attachment, AttachmentStatus};
use super::{Due, instance_types, instances};
use crate::aws::ApiError;
use crate::world::{Timer, World};

/// How an interface is to be attached.
#[derive(Clone, Debug)]
pub struct Attach {
    /// The interface.
    pub interface_id: String,
    /// The instance.
    pub instance_id: String,
    /// Its place on the card; 0 is the primary interface's.
    pub device_index: u32,
    /// The card; 0 is the default one.
    pub network_card_index: u32,
    /// Whether the interface ends with the instance.
    pub delete_on_termination: bool,
}

/// So long is an attachment `attaching` or `detaching` at most.
const SETTLING_MAX: Duration = Duration::from_secs(1);

/// Attaches an interface to an instance and answers the attachment's id. It is `attaching` for a moment.
///
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`, `InvalidInstanceID.NotFound`, `IncorrectState` for an instance that is going,
/// `InvalidNetworkInterface.InUse`, `InvalidParameterValue` for another zone or VPC or a taken device index,
/// `AttachmentLimitExceeded`, `OperationNotPermitted` for a trunk on a type without trunks.
pub fn attach(world: &mut World, attach: &Attach) -> Result<String, ApiError> {
    check(world, attach)?;
    let id = put(world, attach, AttachmentStatus::Attaching);
    settle_later(world, &id);
    Ok(id)
}

/// Attaches without checks and at once, for a launch.
pub(super) fn put(world: &mut World, attach: &Attach, status: AttachmentStatus) -> String {
    let id = world.ids.ec2("eni-attach");
    let attachment = Attachment {
        id: id.clone(),
        instance_id: Some(attach.instance_id.clone()),
        instance_owner: world.settings.account.clone(),
        device_index: attach.device_index,
        network_card_index: attach.network_card_index,
        delete_on_termination: attach.delete_on_termination,
        status,
        attached_at: world.now,
    };
    world.ec2.interfaces.update(&attach.interface_id, |interface| interface.attachment = Some(attachment));
    id
}

fn settle_later(world: &mut World, attachment_id: &str) {
    let after = world.settings.pace.network.min(SETTLING_MAX);
    world.schedule_in(after, Timer::Ec2(Due::Attachment(attachment_id.to_owned())));
}

/// What was attaching is attached, what was detaching is free.
pub(super) fn settle(world: &mut World, attachment_id: &str) {
    let Some(interface_id) = holder(world, attachment_id) else { return };
    world.ec2.interfaces.update(&interface_id, |interface| {
        let status = interface.attachment.as_ref().map(|attachment| attachment.status);
        match (status, &mut interface.attachment) {
            (Some(AttachmentStatus::Detaching), attachment) => *attachment = None,
            (Some(_), Some(attachment)) => attachment.status = AttachmentStatus::Attached,
            _ => {}
        }
    });
}

fn holder(world: &World, attachment_id: &str) -> Option<String> {
    let mut found = world.ec2.interfaces.with(&format!("attachment.attachment-id={attachment_id}"));
    found.next().map(|(id, _)| id.to_owned())
}

fn check(world: &World, attach: &Attach) -> Result<(), ApiError> {
    let interface = interfaces::find(world, &attach.interface_id)?;
    let instance = instances::find(world, &attach.instance_id)?;
    if !instance.state.is_here() {
        let message = format!("Instance '{}' is not 'running' or 'stopped'.", instance.id);
        return Err(ApiError::new("IncorrectState", message));
    }
    if interface.status() != "available" {
        let message = format!("Network interface '{}' is currently in use.", interface.id);
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    if interface.zone != instance.zone {
        let message =
            "You may not attach a network interface to an instance if they are not in the same availability zone";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let has = || world.ec2.interfaces.with(&format!("attachment.instance-id={}", instance.id)).map(|(_, row)| row);
    let places: BTreeSet<(u32, u32)> = has()
        .filter_map(|row| row.attachment.as_ref())
        .map(|attachment| (attachment.network_card_index, attachment.device_index))
        .collect();
    if places.contains(&(attach.network_card_index, attach.device_index)) {
        let message = format!(
            "Instance '{}' already has an interface attached at device index '{}'.",
            instance.id, attach.device_index
        );
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let is_trunk = interface.interface_type == "trunk";
    if is_trunk && has().any(|row| row.interface_type == "trunk") {
        let message = format!("Instance '{}' already has a trunk interface attached.", instance.id);
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    fits(&instance.instance_type, &places, attach, is_trunk)
}

/// Whether an instance of this type has room at this place.
fn fits(type_name: &str, places: &BTreeSet<(u32, u32)>, attach: &Attach, is_trunk: bool) -> Result<(), ApiError> {
    // Of a type that the table does not know the limits are unknown too: EC2's general ones hold.
    let Some(known) = instance_types::find(type_name) else { return Ok(()) };
    if is_trunk && !known.is_trunk_compatible {
        let message = format!("The instance type {type_name} does not support trunk network interfaces.");
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    let Some(card) = known.cards.get(attach.network_card_index as usize) else {
        let message = format!("Network card index '{}' is invalid for {type_name}.", attach.network_card_index);
        return Err(ApiError::new("InvalidParameterValue", message));
    };
    let on_card = places.iter().filter(|(index, _)| *index == attach.network_card_index).count();
    if places.len() >= known.interfaces_max || on_card >= *card {
        let message = format!("Interface count {} exceeds the limit for {type_name}", places.len() + 1);
        return Err(ApiError::new("AttachmentLimitExceeded", message));
    }
    if attach.device_index as usize >= *card {
        let message =
            format!("Invalid device index '{}'. For {type_name} the highest is {}.", attach.device_index, card - 1);
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok(())
}

/// Detaches an interface; it is `detaching` for a moment.
///
/// # Errors
/// `InvalidAttachmentID.NotFound`, `OperationNotPermitted` for a primary interface and for those of AWS's services.
pub fn detach(world: &mut World, attachment_id: &str) -> Result<(), ApiError> {
    let Some(interface_id) = holder(world, attachment_id) else {
        let message = format!("The attachment ID '{attachment_id}' does not exist");
        return Err(ApiError::new("InvalidAttachmentID.NotFound", message));
    };
    let interface = interfaces::find(world, &interface_id)?;
    let is_primary = interface.attachment.as_ref().is_some_and(|attachment| attachment.device_index == 0);
    if is_primary && interface.instance_id().is_some() {
        let message = "The network interface at device index 0 cannot be detached.";
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    if interface.is_requester_managed {
        return Err(not_yours());
    }
    world.ec2.interfaces.update(&interface_id, |interface| {
        if let Some(attachment) = &mut interface.attachment {
            attachment.status = AttachmentStatus::Detaching;
        }
    });
    settle_later(world, attachment_id);
    Ok(())
}

/// What callers hear about interfaces that a service of AWS looks after.
pub(super) fn not_yours() -> ApiError {
    ApiError::new("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
}
