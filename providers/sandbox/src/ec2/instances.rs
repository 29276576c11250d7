//! Instances: the rows, and what runs, stops and terminates them, for calls and for EKS's node groups.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attachments::{self, Attach};
use super::interfaces::{self, AttachmentStatus, NewInterface, PublicAddress};
use super::kinds::{Kind, kind};
use super::tags::Tags;
use super::{Due, instance_types};
use crate::aws::ApiError;
use crate::store::table::Table;
use crate::world::{Timer, World};

/// Instances as a kind.
pub static KIND: Kind =
    kind!(instances, "i", "instance", "instance", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed");

/// So long is a terminated instance still described (EC2 user guide, "Terminate Amazon EC2 instances").
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Starting, until a timer.
    Pending,
    /// Running.
    Running,
    /// On its way to terminated, until a timer.
    ShuttingDown,
    /// Over; described for an hour.
    Terminated,
    /// On its way to stopped, until a timer.
    Stopping,
    /// Stopped.
    Stopped,
}

impl State {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// AWS's number for it.
    pub fn code(self) -> u16 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    /// Whether it is not on its way out.
    pub fn is_here(self) -> bool {
        !matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// An instance. What it has of addresses and groups stands at its interfaces.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    /// `i-...`.
    pub id: String,
    /// `r-...`, of all that were run by one call.
    pub reservation_id: String,
    /// Its number in the reservation.
    pub launch_index: usize,
    /// `ami-...`.
    pub image_id: String,
    /// `m5.large`.
    pub instance_type: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Its availability zone.
    pub zone: String,
    /// The subnet of its primary interface.
    pub subnet_id: String,
    /// The VPC of its primary interface.
    pub vpc_id: String,
    /// Its primary interface.
    pub interface_id: String,
    /// Its primary interface's address; it keeps it when it is stopped.
    pub private_address: Option<Ipv4Addr>,
    /// Where it is in its life.
    pub state: State,
    /// Code and message of why it left the state before: `Client.UserInitiatedShutdown`.
    pub state_reason: Option<(String, String)>,
    /// When it was run, or started last.
    pub launched_at: Timestamp,
    /// The ARN of its instance profile.
    pub profile_arn: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// What else it was run with.
    pub options: Options,
    /// Whether primary interfaces of it get a public address at each start.
    pub is_public: bool,
    /// `vol-...` of its root volume.
    pub root_volume_id: String,
}

/// What an instance is run with, besides what other objects have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "EC2's parameters, which are truth values")]
pub struct Options {
    /// The key pair.
    pub key_name: Option<String>,
    /// Base64, as it was sent.
    pub user_data: Option<String>,
    /// The token of the call that ran it.
    pub client_token: Option<String>,
    /// Whether it is monitored in detail.
    pub is_monitored: bool,
    /// Whether it is optimised for EBS.
    pub is_ebs_optimized: bool,
    /// Whether TerminateInstances is refused.
    pub is_termination_disabled: bool,
    /// Whether StopInstances is refused.
    pub is_stop_disabled: bool,
    /// What shutting it down from within does: `stop` or `terminate`.
    pub shutdown_behavior: String,
    /// `default`, `dedicated` or `host`.
    pub tenancy: String,
    /// Whether it was run as a spot instance.
    pub is_spot: bool,
    /// `optional` or `required`.
    pub http_tokens: String,
    /// How far the answers of the metadata service go.
    pub http_hop_limit: u8,
    /// Whether the metadata service is there.
    pub is_metadata_enabled: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key_name: None,
            user_data: None,
            client_token: None,
            is_monitored: false,
            is_ebs_optimized: false,
            is_termination_disabled: false,
            is_stop_disabled: false,
            shutdown_behavior: "stop".to_owned(),
            tenancy: "default".to_owned(),
            is_spot: false,
            http_tokens: "required".to_owned(),
            http_hop_limit: 2,
            is_metadata_enabled: true,
        }
    }
}

/// A table of instances, by `reservation-id=`, `vpc-id=`, `subnet-id=`, `instance-state-name=`, `private-ip-address=` and
/// `tag:KEY=`.
pub fn table() -> Table<Instance> {
    Table::indexed("ec2.instances", |row| {
        let mut keys = vec![
            format!("instance-id={}", row.id),
            format!("reservation-id={}", row.reservation_id),
            format!("vpc-id={}", row.vpc_id),
            format!("subnet-id={}", row.subnet_id),
            format!("instance-state-name={}", row.state.as_str()),
        ];
        keys.extend(row.private_address.map(|address| format!("private-ip-address={address}")));
        keys.extend(row.tags.iter().map(|(key, value)| format!("tag:{key}={value}")));
        keys
    })
}

/// What instances are run from.
#[derive(Clone, Debug, Default)]
pub struct RunInstances {
    /// `ami-...`; [`super::images`] has those there are.
    pub image_id: String,
    /// `m5.large`.
    pub instance_type: String,
    /// The subnet of the primary interfaces.
    pub subnet_id: String,
    /// The groups of the primary interfaces; empty takes the VPC's default group.
    pub groups: Vec<String>,
    /// The instances' tags.
    pub tags: Tags,
    /// The interfaces' tags.
    pub interface_tags: Tags,
    /// The ARN of an instance profile.
    pub profile_arn: Option<String>,
    /// How many.
    pub count: usize,
    /// What else the primary interface is to have; subnet, groups and tags are above.
    pub primary: NewInterface,
    /// Whether the primary interface stays when the instance is terminated.
    pub keeps_primary: bool,
    /// An interface that is there and becomes the primary one; for one instance.
    pub primary_id: Option<String>,
    /// More interfaces.
    pub others: Vec<OtherInterface>,
    /// Whether it gets a public address; `None` follows the subnet.
    pub is_public: Option<bool>,
    /// What else.
    pub options: Options,
}

/// One more interface of a launch.
#[derive(Clone, Debug)]
pub struct OtherInterface {
    /// Its place.
    pub device_index: u32,
    /// Its card.
    pub network_card_index: u32,
    /// One that is there.
    pub interface_id: Option<String>,
    /// One to be made; the subnet is the instance's when it is empty.
    pub new: NewInterface,
    /// Whether it stays when the instance is terminated.
    pub is_kept: bool,
}

/// Runs instances and answers their ids. They are pending for a while.
///
/// # Errors
/// `InvalidParameterValue` for an unknown type, `InvalidSubnetID.NotFound`, `AttachmentLimitExceeded`, and what interfaces are
/// refused with.
pub fn run(world: &mut World, run: &RunInstances) -> Result<Vec<String>, ApiError> {
    let known = instance_types::find(&run.instance_type).ok_or_else(|| {
        let message = format!("Invalid value '{}' for InstanceType.", run.instance_type);
        ApiError::new("InvalidParameterValue", message)
    })?;
    if run.others.len() + 1 > known.interfaces_max {
        let message = format!("Interface count {} exceeds the limit for {}", run.others.len() + 1, known.name);
        return Err(ApiError::new("AttachmentLimitExceeded", message));
    }
    let addresses = 1 + run.primary.secondary_addresses.len() + run.primary.secondary_count;
    if addresses + run.primary.ipv4_prefixes.len() + run.primary.ipv4_prefix_count > known.ipv4_per_interface {
        let message =
            format!("Number of private addresses will exceed limit. The limit is {}.", known.ipv4_per_interface);
        return Err(ApiError::new("PrivateIpAddressLimitExceeded", message));
    }
    let architecture = super::images::architecture(&run.image_id)
        .or_else(|| known.architectures.last().copied())
        .unwrap_or("x86_64")
        .to_owned();
    let reservation_id = world.ids.ec2("r");
    (0..run.count.max(1)).map(|index| run_one(world, run, &reservation_id, index, &architecture)).collect()
}

fn run_one(
    world: &mut World,
    run: &RunInstances,
    reservation_id: &str,
    launch_index: usize,
    architecture: &str,
) -> Result<String, ApiError> {
    let id = world.ids.ec2(KIND.prefix);
    let interface_id = match &run.primary_id {
        Some(id) => existing(world, id)?,
        None => interfaces::create(
            world,
            NewInterface {
                subnet_id: run.subnet_id.clone(),
                groups: run.groups.clone(),
                tags: run.interface_tags.clone(),
                ..run.primary.clone()
            },
        )?,
    };
    let interface = interfaces::find(world, &interface_id)?.clone();
    let maps_public = world.ec2.subnets.get(&interface.subnet_id).is_some_and(|subnet| subnet.map_public_ip);
    let instance = Instance {
        id: id.clone(),
        reservation_id: reservation_id.to_owned(),
        launch_index,
        image_id: run.image_id.clone(),
        instance_type: run.instance_type.clone(),
        architecture: architecture.to_owned(),
        zone: interface.zone.clone(),
        subnet_id: interface.subnet_id.clone(),
        vpc_id: interface.vpc_id.clone(),
        interface_id: interface_id.clone(),
        private_address: interface.primary_address(),
        state: State::Pending,
        state_reason: Some(("pending".to_owned(), "pending".to_owned())),
        launched_at: world.now,
        profile_arn: run.profile_arn.clone(),
        tags: run.tags.clone(),
        options: run.options.clone(),
        is_public: run.is_public.unwrap_or(maps_public && run.primary_id.is_none()),
        root_volume_id: world.ids.ec2("vol"),
    };
    let is_public = instance.is_public;
    world.ec2.instances.insert(&id, instance);
    attach_at_launch(world, &id, &interface_id, (0, 0), !run.keeps_primary && run.primary_id.is_none());
    for other in &run.others {
        attach_other(world, &id, run, &interface.zone, other)?;
    }
    if is_public {
        give_public_address(world, &interface_id);
    }
    later(world, &id, State::Pending, world.settings.pace.network);
    Ok(id)
}

/// An interface that is there, for a launch.
fn existing(world: &World, id: &str) -> Result<String, ApiError> {
    let interface = interfaces::find(world, id)?;
    if interface.status() != "available" {
        let message = format!("Network interface '{id}' is currently in use.");
        return Err(ApiError::new("InvalidNetworkInterface.InUse", message));
    }
    Ok(id.to_owned())
}

fn attach_other(
    world: &mut World,
    instance_id: &str,
    run: &RunInstances,
    zone: &str,
    other: &OtherInterface,
) -> Result<(), ApiError> {
    let interface_id = match &other.interface_id {
        Some(id) => existing(world, id)?,
        None => {
            let mut new = other.new.clone();
            if new.subnet_id.is_empty() {
                new.subnet_id.clone_from(&run.subnet_id);
            }
            new.tags.clone_from(&run.interface_tags);
            interfaces::create(world, new)?
        }
    };
    if interfaces::find(world, &interface_id)?.zone != zone {
        let message =
            "You may not attach a network interface to an instance if they are not in the same availability zone";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let is_gone_with_it = !other.is_kept && other.interface_id.is_none();
    let place = (other.network_card_index, other.device_index);
    attach_at_launch(world, instance_id, &interface_id, place, is_gone_with_it);
    Ok(())
}

fn attach_at_launch(
    world: &mut World,
    instance_id: &str,
    interface_id: &str,
    (network_card_index, device_index): (u32, u32),
    delete_on_termination: bool,
) {
    let attach = Attach {
        interface_id: interface_id.to_owned(),
        instance_id: instance_id.to_owned(),
        device_index,
        network_card_index,
        delete_on_termination,
    };
    attachments::put(world, &attach, AttachmentStatus::Attached);
}

/// A public address out of Amazon's, for as long as the instance runs.
fn give_public_address(world: &mut World, interface_id: &str) {
    let address = super::addresses::draw_public(world);
    let public = PublicAddress { address, allocation_id: None, association_id: None };
    world.ec2.interfaces.update(interface_id, |interface| {
        if let Some(first) = interface.addresses.first_mut() {
            first.public.get_or_insert(public);
        }
    });
}

/// Takes back the public addresses that last as long as the instance runs.
fn take_public_address(world: &mut World, interface_id: &str) {
    world.ec2.interfaces.update(interface_id, |interface| {
        for address in &mut interface.addresses {
            if address.public.as_ref().is_some_and(|public| public.allocation_id.is_none()) {
                address.public = None;
            }
        }
    });
}

fn later(world: &mut World, id: &str, from: State, after: Duration) {
    world.schedule_in(after, Timer::Ec2(Due::Instance { id: id.to_owned(), from }));
}

/// The next of a life: pending runs, stopping stops, shutting down ends, what ended is forgotten.
pub(super) fn settle(world: &mut World, id: &str, from: State) {
    if world.ec2.instances.get(id).is_none_or(|instance| instance.state != from) {
        return;
    }
    match from {
        State::Pending => set_state(world, id, State::Running, None),
        State::Stopping => set_state(world, id, State::Stopped, reason(from)),
        State::ShuttingDown => {
            release_interfaces(world, id);
            set_state(world, id, State::Terminated, reason(from));
            later(world, id, State::Terminated, REMEMBERED);
        }
        State::Terminated => drop(world.ec2.instances.remove(id)),
        State::Running | State::Stopped => {}
    }
}

fn reason(state: State) -> Option<(String, String)> {
    let code = match state {
        State::Stopping | State::ShuttingDown => "Client.UserInitiatedShutdown",
        _ => return None,
    };
    Some((code.to_owned(), format!("{code}: User initiated shutdown")))
}

fn set_state(world: &mut World, id: &str, state: State, why: Option<(String, String)>) {
    world.ec2.instances.update(id, |instance| {
        instance.state = state;
        instance.state_reason = why;
        if state == State::Terminated {
            instance.private_address = None;
        }
    });
}

/// What ends with the instance is deleted, the rest becomes available.
fn release_interfaces(world: &mut World, id: &str) {
    for interface in of(world, id) {
        take_public_address(world, &interface);
        let ends = world.ec2.interfaces.update(&interface, |interface| {
            interface.attachment.take().is_some_and(|attachment| attachment.delete_on_termination)
        });
        if ends == Some(true) {
            interfaces::remove(world, &interface);
        }
    }
}

/// The ids of an instance's interfaces.
fn of(world: &World, id: &str) -> Vec<String> {
    world.ec2.interfaces.with(&format!("attachment.instance-id={id}")).map(|(id, _)| id.to_owned()).collect()
}

/// An instance.
///
/// # Errors
/// `InvalidInstanceID.Malformed`, `InvalidInstanceID.NotFound`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a Instance, ApiError> {
    KIND.found(id, world.ec2.instances.get(id))
}

/// Terminates an instance, whether it is protected or not. It is shutting down for a while.
///
/// # Errors
/// `InvalidInstanceID.NotFound`.
pub fn terminate(world: &mut World, id: &str) -> Result<(), ApiError> {
    if find(world, id)?.state.is_here() {
        set_state(world, id, State::ShuttingDown, reason(State::ShuttingDown));
        later(world, id, State::ShuttingDown, world.settings.pace.network);
    }
    Ok(())
}

/// Stops a running instance. It is stopping for a while.
///
/// # Errors
/// `InvalidInstanceID.NotFound`, `IncorrectInstanceState`, `UnsupportedOperation` for spot instances.
pub fn stop(world: &mut World, id: &str) -> Result<(), ApiError> {
    let instance = find(world, id)?;
    match instance.state {
        State::Running if instance.options.is_spot => {
            let message = format!(
                "You can't stop the Spot Instance '{id}' because it is associated with a one-time Spot \
                                   Instance request."
            );
            Err(ApiError::new("UnsupportedOperation", message))
        }
        State::Running => {
            let interface = instance.interface_id.clone();
            take_public_address(world, &interface);
            set_state(world, id, State::Stopping, reason(State::Stopping));
            later(world, id, State::Stopping, world.settings.pace.network);
            Ok(())
        }
        State::Stopping | State::Stopped => Ok(()),
        state => Err(not_from(id, state, "stopped")),
    }
}

fn not_from(id: &str, state: State, to: &str) -> ApiError {
    let message = format!("The instance '{id}' is not in a state from which it can be {to}: it is {}.", state.as_str());
    ApiError::new("IncorrectInstanceState", message)
}

/// Starts a stopped instance. It is pending for a while.
///
/// # Errors
/// `InvalidInstanceID.NotFound`, `IncorrectInstanceState`.
pub fn start(world: &mut World, id: &str) -> Result<(), ApiError> {
    let instance = find(world, id)?;
    match instance.state {
        State::Stopped => {
            let (interface, is_public) = (instance.interface_id.clone(), instance.is_public);
            set_state(world, id, State::Pending, None);
            world.ec2.instances.update(id, |instance| instance.launched_at = world.now);
            if is_public {
                give_public_address(world, &interface);
            }
            later(world, id, State::Pending, world.settings.pace.network);
            Ok(())
        }
        State::Running | State::Pending => Ok(()),
        state => Err(not_from(id, state, "started")),
    }
}
