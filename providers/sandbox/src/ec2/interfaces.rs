//! Network interfaces: the rows, and what makes, attaches and deletes them, for calls and for the region's own services.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::kinds::{Kind, kind};
use super::tags::Tags;
use super::{interface_takings as takings, security_groups, subnets};
use crate::aws::ApiError;
use crate::store::table::Table;
use crate::world::World;

/// Network interfaces as a kind.
pub static KIND: Kind = kind!(
    interfaces,
    "eni",
    "network-interface",
    "networkInterface",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidNetworkInterfaceId.Malformed"
);

/// Groups of one interface (VPC user guide, "Amazon VPC quotas", L-2AFB9258).
pub const GROUPS_MAX: usize = 5;

/// A network interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// `eni-...`.
    pub id: String,
    /// Its subnet.
    pub subnet_id: String,
    /// Its subnet's VPC.
    pub vpc_id: String,
    /// Its subnet's availability zone.
    pub zone: String,
    /// For people; the clusters' controllers know theirs by it.
    pub description: String,
    /// `interface`, `trunk`, `branch` (once it is associated with a trunk), `efa`, `nat_gateway`, ...
    pub interface_type: String,
    /// The ids of its groups, in the order they were given.
    pub groups: Vec<String>,
    /// `02:...`.
    pub mac: String,
    /// IPv4 addresses, the primary one first. Empty in subnets that have IPv6 only.
    pub addresses: Vec<PrivateAddress>,
    /// IPv6 addresses.
    pub ipv6_addresses: Vec<Ipv6Addr>,
    /// `/28` blocks.
    pub ipv4_prefixes: Vec<Ipv4Net>,
    /// `/80` blocks.
    pub ipv6_prefixes: Vec<Ipv6Net>,
    /// Whether its first IPv6 address stays with it as its primary one.
    pub has_primary_ipv6: bool,
    /// The instance that has it.
    pub attachment: Option<Attachment>,
    /// The trunk that it is a branch of.
    pub trunk: Option<TrunkAssociation>,
    /// Who made it, when that is not its owner.
    pub requester_id: Option<String>,
    /// Whether a service of AWS made it and looks after it.
    pub is_requester_managed: bool,
    /// Whether traffic must be its own.
    pub source_dest_check: bool,
    /// Seconds after which idle connections are forgotten, where they were set.
    pub connection_tracking: ConnectionTracking,
    /// Its tags.
    pub tags: Tags,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An IPv4 address of an interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PrivateAddress {
    /// The address.
    pub address: Ipv4Addr,
    /// The public address that stands for it.
    pub public: Option<PublicAddress>,
}

/// A public address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PublicAddress {
    /// The address.
    pub address: Ipv4Addr,
    /// `eipalloc-...`; `None` when the instance got it at its launch.
    pub allocation_id: Option<String>,
    /// `eipassoc-...`.
    pub association_id: Option<String>,
}

/// What joins an interface and an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// `eni-attach-...`.
    pub id: String,
    /// The instance; `None` for interfaces of AWS's services.
    pub instance_id: Option<String>,
    /// The account, or the service's name (`amazon-aws`).
    pub instance_owner: String,
    /// 0 is the primary interface's.
    pub device_index: u32,
    /// 0 is the default card.
    pub network_card_index: u32,
    /// Whether the interface ends with the instance.
    pub delete_on_termination: bool,
    /// `attaching`, `attached` or `detaching`.
    pub status: AttachmentStatus,
    /// When it began.
    pub attached_at: Timestamp,
}

/// How far an attachment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachmentStatus {
    /// For a moment after `AttachNetworkInterface`.
    Attaching,
    /// The rule.
    Attached,
    /// For a moment after `DetachNetworkInterface`.
    Detaching,
}

impl AttachmentStatus {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attaching => "attaching",
            Self::Attached => "attached",
            Self::Detaching => "detaching",
        }
    }
}

/// What makes an interface a branch of a trunk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrunkAssociation {
    /// `trunk-assoc-...`.
    pub id: String,
    /// The trunk interface.
    pub trunk_id: String,
    /// How the trunk tells its branches apart.
    pub protocol: TrunkProtocol,
}

/// How a trunk tells its branches apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrunkProtocol {
    /// By VLAN id.
    Vlan(u32),
    /// By GRE key.
    Gre(u32),
}

/// `ConnectionTrackingSpecification`: seconds, `None` where EC2's own apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionTracking {
    /// 60 to 432,000.
    pub tcp_established: Option<u32>,
    /// 60 to 180.
    pub udp_stream: Option<u32>,
    /// 30 to 60.
    pub udp: Option<u32>,
}

impl NetworkInterface {
    /// `available`, or `in-use` when an instance, a service or a trunk has it.
    pub fn status(&self) -> &'static str {
        if self.attachment.is_some() || self.trunk.is_some() { "in-use" } else { "available" }
    }

    /// Its primary IPv4 address.
    pub fn primary_address(&self) -> Option<Ipv4Addr> {
        self.addresses.first().map(|address| address.address)
    }

    /// The instance that has it.
    pub fn instance_id(&self) -> Option<&str> {
        self.attachment.as_ref()?.instance_id.as_deref()
    }
}

/// A table of interfaces. The keys are named as the filters of `DescribeNetworkInterfaces` (`subnet-id=`, `vpc-id=`, `group-id=`,
/// `attachment.instance-id=`, `status=`, ...); besides, `trunk-id=` and `trunk-association-id=` of branches, and `tag:KEY=`.
pub fn table() -> Table<NetworkInterface> {
    Table::indexed("ec2.network-interfaces", |interface| {
        let mut keys = vec![
            format!("network-interface-id={}", interface.id),
            format!("subnet-id={}", interface.subnet_id),
            format!("vpc-id={}", interface.vpc_id),
            format!("description={}", interface.description),
            format!("status={}", interface.status()),
            format!("interface-type={}", interface.interface_type),
            format!("mac-address={}", interface.mac),
        ];
        keys.extend(interface.groups.iter().map(|id| format!("group-id={id}")));
        keys.extend(interface.ipv6_addresses.iter().map(|address| format!("ipv6-addresses.ipv6-address={address}")));
        for address in &interface.addresses {
            keys.push(format!("addresses.private-ip-address={}", address.address));
            keys.push(format!("private-ip-address={}", address.address));
            keys.extend(address.public.iter().map(|public| format!("association.public-ip={}", public.address)));
        }
        if let Some(attachment) = &interface.attachment {
            keys.push(format!("attachment.attachment-id={}", attachment.id));
            keys.extend(attachment.instance_id.iter().map(|id| format!("attachment.instance-id={id}")));
        }
        if let Some(trunk) = &interface.trunk {
            keys.push(format!("trunk-id={}", trunk.trunk_id));
            keys.push(format!("trunk-association-id={}", trunk.id));
        }
        keys.extend(interface.requester_id.iter().map(|id| format!("requester-id={id}")));
        for (key, value) in &interface.tags {
            keys.extend([format!("tag:{key}={value}"), format!("tag-key={key}")]);
        }
        keys
    })
}

/// What a new interface is made from. What is left out follows from the subnet.
#[derive(Clone, Debug, Default)]
pub struct NewInterface {
    /// Its subnet.
    pub subnet_id: String,
    /// The ids of its groups; empty takes the VPC's default group.
    pub groups: Vec<String>,
    /// For people.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
    /// Who makes it, when that is not its owner.
    pub requester_id: Option<String>,
    /// Whether a service of AWS makes it and looks after it.
    pub is_requester_managed: bool,
    /// The service's account that has it attached from the start (`amazon-eks`); it is in use then.
    pub held_by: Option<String>,
    /// `trunk`, `branch`, `efa`, ...; empty is `interface`.
    pub interface_type: String,
    /// The primary IPv4 address; `None` takes a free one.
    pub private_address: Option<Ipv4Addr>,
    /// More IPv4 addresses, by themselves.
    pub secondary_addresses: Vec<Ipv4Addr>,
    /// More IPv4 addresses, by their number.
    pub secondary_count: usize,
    /// `/28` blocks, by themselves.
    pub ipv4_prefixes: Vec<Ipv4Net>,
    /// `/28` blocks, by their number.
    pub ipv4_prefix_count: usize,
    /// IPv6 addresses, by themselves.
    pub ipv6_addresses: Vec<Ipv6Addr>,
    /// IPv6 addresses, by their number; `None` follows the subnet's `AssignIpv6AddressOnCreation`.
    pub ipv6_count: Option<usize>,
    /// `/80` blocks, by themselves.
    pub ipv6_prefixes: Vec<Ipv6Net>,
    /// `/80` blocks, by their number.
    pub ipv6_prefix_count: usize,
    /// Whether the first IPv6 address is to be a primary one.
    pub has_primary_ipv6: bool,
    /// Seconds after which idle connections are forgotten.
    pub connection_tracking: ConnectionTracking,
}

/// Makes an interface with addresses of its subnet, and answers its id.
///
/// # Errors
/// `InvalidSubnetID.NotFound`, `InvalidSecurityGroupID.NotFound`, `InvalidParameterValue` for more groups than an interface may
/// have, `InvalidParameter` for groups of other networks, and what the subnet refuses addresses with.
pub fn create(world: &mut World, new: NewInterface) -> Result<String, ApiError> {
    let subnet = subnets::find(world, &new.subnet_id)?;
    let (vpc_id, zone) = (subnet.vpc_id.clone(), subnet.zone.clone());
    let gets_ipv6 = subnet.assign_ipv6 && new.ipv6_addresses.is_empty();
    let ipv6_count = new.ipv6_count.unwrap_or(usize::from(gets_ipv6));
    // A NAT gateway's interface is the one kind that has no groups (VPC user guide, "NAT gateways").
    let has_groups = new.interface_type != "nat_gateway";
    let groups = if has_groups { groups_for(world, &vpc_id, new.groups)? } else { Vec::new() };
    if groups.len() > GROUPS_MAX {
        let account = &world.settings.account;
        let message =
            format!("user {account} exceeded limit {GROUPS_MAX} on the number of interface security group memberships");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let attachment = new.held_by.map(|owner| service_attachment(world, owner));
    let mut interface = NetworkInterface {
        id: world.ids.ec2(KIND.prefix),
        subnet_id: new.subnet_id,
        vpc_id,
        zone,
        description: new.description,
        interface_type: if new.interface_type.is_empty() { "interface".to_owned() } else { new.interface_type },
        groups,
        mac: world.ids.mac(),
        addresses: Vec::new(),
        ipv6_addresses: Vec::new(),
        ipv4_prefixes: Vec::new(),
        ipv6_prefixes: Vec::new(),
        has_primary_ipv6: new.has_primary_ipv6,
        attachment,
        trunk: None,
        requester_id: new.requester_id,
        is_requester_managed: new.is_requester_managed,
        source_dest_check: true,
        connection_tracking: new.connection_tracking,
        tags: new.tags,
        created_at: world.now,
    };
    let wanted = takings::Wanted {
        private_address: new.private_address,
        secondary_addresses: new.secondary_addresses,
        secondary_count: new.secondary_count,
        ipv4_prefixes: new.ipv4_prefixes,
        ipv4_prefix_count: new.ipv4_prefix_count,
        ipv6_addresses: new.ipv6_addresses,
        ipv6_count,
        ipv6_prefixes: new.ipv6_prefixes,
        ipv6_prefix_count: new.ipv6_prefix_count,
    };
    if let Err(refusal) = takings::take_all(world, &mut interface, wanted) {
        // Controllers go on after a refusal in the same transaction: nothing may stay taken.
        takings::release_all(world, &interface);
        return Err(refusal);
    }
    let id = interface.id.clone();
    world.ec2.interfaces.insert(&id, interface);
    Ok(id)
}

/// What holds an interface of one of AWS's services.
fn service_attachment(world: &mut World, owner: String) -> Attachment {
    Attachment {
        id: world.ids.ec2("eni-attach"),
        instance_id: None,
        instance_owner: owner,
        device_index: 1,
        network_card_index: 0,
        delete_on_termination: false,
        status: AttachmentStatus::Attached,
        attached_at: world.now,
    }
}

/// Checks groups for an interface of a VPC; none means the default one.
///
/// # Errors
/// `InvalidSecurityGroupID.NotFound`, `InvalidGroupId.Malformed`, `InvalidParameter` for groups of other networks.
pub fn groups_for(world: &World, vpc_id: &str, wanted: Vec<String>) -> Result<Vec<String>, ApiError> {
    if wanted.is_empty() {
        return Ok(security_groups::default_of(world, vpc_id).map(|group| group.id.clone()).into_iter().collect());
    }
    let mut groups: Vec<String> = Vec::new();
    for id in wanted {
        security_groups::KIND.well_formed(&id)?;
        let Some(group) = world.ec2.security_groups.get(&id) else {
            let message = format!("The securityGroup ID '{id}' does not exist");
            return Err(ApiError::new("InvalidSecurityGroupID.NotFound", message));
        };
        if group.vpc_id != vpc_id && !super::group_associations::is_usable(world, &id, vpc_id) {
            let message = "You have specified two resources that belong to different networks.";
            return Err(ApiError::new("InvalidParameter", message));
        }
        if !groups.contains(&id) {
            groups.push(id);
        }
    }
    Ok(groups)
}

/// An interface.
///
/// # Errors
/// `InvalidNetworkInterfaceId.Malformed`, `InvalidNetworkInterfaceID.NotFound`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a NetworkInterface, ApiError> {
    KIND.found(id, world.ec2.interfaces.get(id))
}

/// Deletes an interface that nothing has; a branch leaves its trunk with it.
///
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`, `InvalidParameterValue` while it is attached.
pub fn delete(world: &mut World, id: &str) -> Result<(), ApiError> {
    if find(world, id)?.attachment.is_some() {
        let message = format!("Network interface '{id}' is currently in use.");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    remove(world, id);
    Ok(())
}

/// Deletes an interface whoever has it, and gives back its addresses. Branches of a trunk become available.
pub fn remove(world: &mut World, id: &str) {
    let Some(interface) = world.ec2.interfaces.remove(id) else { return };
    takings::release_all(world, &interface);
    for address in &interface.addresses {
        takings::release_public(world, address);
    }
    super::trunks::forget_branches(world, id);
    super::interface_permissions::forget(world, id);
}
