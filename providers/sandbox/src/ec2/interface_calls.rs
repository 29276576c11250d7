//! The operations that make, attach, change and delete network interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::{Map, Value, json};

use super::attachments::{self, Attach};
use super::describe::{self, done};
use super::interface_describe::{group_set, render, render_attachment};
use super::interfaces::{self, ConnectionTracking, GROUPS_MAX, KIND, NetworkInterface, NewInterface};
use super::{tags, tokens};
use crate::aws::{Answer, ApiError, Call, Operation, Params, Service};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateNetworkInterface", run: create_network_interface },
    Operation { name: "DeleteNetworkInterface", run: delete_network_interface },
    Operation { name: "AttachNetworkInterface", run: attach_network_interface },
    Operation { name: "DetachNetworkInterface", run: detach_network_interface },
    Operation { name: "ModifyNetworkInterfaceAttribute", run: modify_network_interface_attribute },
    Operation { name: "ResetNetworkInterfaceAttribute", run: reset_network_interface_attribute },
    Operation { name: "DescribeNetworkInterfaceAttribute", run: describe_network_interface_attribute },
];

fn wrong(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

fn combined(one: &str, other: &str) -> ApiError {
    let message = format!("The parameter {one} cannot be used with the parameter {other}");
    ApiError::new("InvalidParameterCombination", message)
}

fn create_network_interface(world: &mut World, call: &Call) -> Answer {
    let token = call.text("ClientToken");
    let known = tokens::recall(world, call)?;
    let id = match known {
        Some(id) => id,
        None => {
            let new = NewInterface {
                subnet_id: call.required("SubnetId")?,
                tags: tags::from_specifications(call, KIND.resource_type)?,
                interface_type: read_type(call)?,
                ..read_new(call)?
            };
            let id = interfaces::create(world, new)?;
            tokens::remember(world, call, &id);
            id
        }
    };
    let interface = interfaces::find(world, &id)?;
    Ok(json!({ "networkInterface": render(world, interface), "clientToken": token }))
}

/// The types that `CreateNetworkInterface` takes.
fn read_type(call: &Params) -> Result<String, ApiError> {
    const TYPES: &[&str] = &["interface", "efa", "efa-only", "branch", "trunk"];
    let kind = call.text("InterfaceType").unwrap_or_default();
    if !kind.is_empty() && !TYPES.contains(&kind.as_str()) {
        return Err(describe::invalid("interfaceType", &kind, "Expected one of: efa, efa-only, branch, trunk"));
    }
    Ok(kind)
}

/// What a call says of a new interface, of itself or in `NetworkInterface.N` of a launch.
pub(super) fn read_new(call: &Params) -> Result<NewInterface, ApiError> {
    let (private_address, secondary_addresses) = read_addresses(call)?;
    let secondary_count = read_count(call, "SecondaryPrivateIpAddressCount")?;
    if secondary_count.is_some() && !secondary_addresses.is_empty() {
        return Err(combined("secondaryPrivateIpAddressCount", "privateIpAddresses"));
    }
    let ipv4_prefixes = read_prefixes(call)?;
    let ipv4_prefix_count = read_count(call, "Ipv4PrefixCount")?;
    if ipv4_prefix_count.is_some() && !ipv4_prefixes.is_empty() {
        return Err(combined("ipv4PrefixCount", "ipv4Prefixes"));
    }
    if secondary_count.is_some_and(|count| count > 0) && ipv4_prefix_count.is_some_and(|count| count > 0) {
        return Err(combined("secondaryPrivateIpAddressCount", "ipv4PrefixCount"));
    }
    let ipv6_addresses = read_ipv6(call)?;
    let ipv6_count = read_count(call, "Ipv6AddressCount")?;
    if ipv6_count.is_some() && !ipv6_addresses.is_empty() {
        return Err(combined("ipv6AddressCount", "ipv6Addresses"));
    }
    let ipv6_prefixes = read_ipv6_prefixes(call)?;
    let ipv6_prefix_count = read_count(call, "Ipv6PrefixCount")?;
    if ipv6_prefix_count.is_some() && !ipv6_prefixes.is_empty() {
        return Err(combined("ipv6PrefixCount", "ipv6Prefixes"));
    }
    let primary_ipv6 = match call.boolean("EnablePrimaryIpv6")? {
        Some(is_wanted) => is_wanted,
        None => call.boolean("PrimaryIpv6")?.unwrap_or(false),
    };
    let description = call.text("Description").unwrap_or_default();
    if description.chars().count() > 255 {
        return Err(wrong("Value for parameter description is invalid. It must not have more than 255 characters."));
    }
    Ok(NewInterface {
        groups: call.texts("SecurityGroupId"),
        description,
        private_address,
        secondary_addresses,
        secondary_count: secondary_count.unwrap_or(0),
        ipv4_prefixes,
        ipv4_prefix_count: ipv4_prefix_count.unwrap_or(0),
        ipv6_addresses,
        ipv6_count,
        ipv6_prefixes,
        ipv6_prefix_count: ipv6_prefix_count.unwrap_or(0),
        has_primary_ipv6: primary_ipv6,
        connection_tracking: read_tracking(call)?,
        ..NewInterface::default()
    })
}

pub(super) fn read_count(call: &Params, name: &str) -> Result<Option<usize>, ApiError> {
    call.parsed(name, "Must be an integer that is not negative")
}

fn read_address<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| wrong(format!("invalid value for parameter address: {text}")))
}

/// The primary address and the others: `PrivateIpAddress`, `PrivateIpAddresses.N`.
fn read_addresses(call: &Params) -> Result<(Option<Ipv4Addr>, Vec<Ipv4Addr>), ApiError> {
    let mut primary = call.text("PrivateIpAddress").map(|text| read_address(&text)).transpose()?;
    let mut others = Vec::new();
    for one in call.structures("PrivateIpAddresses") {
        let address = read_address(&one.required("PrivateIpAddress")?)?;
        if !one.boolean("Primary")?.unwrap_or(false) {
            others.push(address);
        } else if primary.replace(address).is_some() {
            return Err(wrong("Only one primary private IP address can be specified."));
        }
    }
    Ok((primary, others))
}

fn read_ipv6(call: &Params) -> Result<Vec<Ipv6Addr>, ApiError> {
    let name = if call.has("Ipv6Addresses") { "Ipv6Addresses" } else { "Ipv6Address" };
    call.structures(name).iter().map(|one| read_address(&one.required("Ipv6Address")?)).collect()
}

/// `/28` blocks: as structures at a creation, as text at an assignment.
pub(super) fn read_prefixes(call: &Params) -> Result<Vec<Ipv4Net>, ApiError> {
    let plain = call.texts("Ipv4Prefix");
    let texts = if plain.is_empty() {
        call.structures("Ipv4Prefix").iter().map(|one| one.required("Ipv4Prefix")).collect::<Result<_, _>>()?
    } else {
        plain
    };
    let read = |text: &String| match text.parse::<Ipv4Net>() {
        Ok(block) if block.prefix_len() == 28 && block.trunc() == block => Ok(block),
        _ => Err(wrong(format!("{text} is not a /28 IPv4 prefix"))),
    };
    texts.iter().map(read).collect()
}

/// `/80` blocks: as structures at a creation, as text at an assignment.
pub(super) fn read_ipv6_prefixes(call: &Params) -> Result<Vec<Ipv6Net>, ApiError> {
    let plain = call.texts("Ipv6Prefix");
    let texts = if plain.is_empty() {
        call.structures("Ipv6Prefix").iter().map(|one| one.required("Ipv6Prefix")).collect::<Result<_, _>>()?
    } else {
        plain
    };
    let read = |text: &String| match text.parse::<Ipv6Net>() {
        Ok(block) if block.prefix_len() == 80 && block.trunc() == block => Ok(block),
        _ => Err(wrong(format!("{text} is not a /80 IPv6 prefix"))),
    };
    texts.iter().map(read).collect()
}

fn read_tracking(call: &Params) -> Result<ConnectionTracking, ApiError> {
    let Some(sent) = call.structure("ConnectionTrackingSpecification") else {
        return Ok(ConnectionTracking::default());
    };
    let read = |name: &str, range: std::ops::RangeInclusive<u32>| {
        let seconds: Option<u32> = sent.parsed(name, "Must be an integer")?;
        match seconds {
            Some(seconds) if !range.contains(&seconds) => {
                let why = format!("Must be between {} and {}", range.start(), range.end());
                Err(describe::invalid(name, &seconds.to_string(), &why))
            }
            seconds => Ok(seconds),
        }
    };
    Ok(ConnectionTracking {
        tcp_established: read("TcpEstablishedTimeout", 60..=432_000)?,
        udp_stream: read("UdpStreamTimeout", 60..=180)?,
        udp: read("UdpTimeout", 30..=60)?,
    })
}

fn delete_network_interface(world: &mut World, call: &Call) -> Answer {
    interfaces::delete(world, &call.required("NetworkInterfaceId")?)?;
    Ok(done())
}

fn attach_network_interface(world: &mut World, call: &Call) -> Answer {
    let device: Option<u32> = call.parsed("DeviceIndex", "Must be an integer that is not negative")?;
    let attach = Attach {
        interface_id: call.required("NetworkInterfaceId")?,
        instance_id: call.required("InstanceId")?,
        device_index: device.ok_or_else(|| ApiError::missing(Service::Ec2, "deviceIndex"))?,
        network_card_index: call.parsed("NetworkCardIndex", "Must be an integer that is not negative")?.unwrap_or(0),
        delete_on_termination: false,
    };
    let id = attachments::attach(world, &attach)?;
    Ok(json!({ "attachmentId": id, "networkCardIndex": attach.network_card_index }))
}

fn detach_network_interface(world: &mut World, call: &Call) -> Answer {
    call.boolean("Force")?;
    attachments::detach(world, &call.required("AttachmentId")?)?;
    Ok(done())
}

/// One attribute, to be set.
enum Change {
    Description(String),
    SourceDestCheck(bool),
    Groups(Vec<String>),
    Attachment { id: String, delete_on_termination: bool },
    Tracking(ConnectionTracking),
    PrimaryIpv6,
}

/// Reads the one attribute that a call changes. AWS takes one in a call (API reference).
fn read_change(call: &Params) -> Result<Change, ApiError> {
    let names = [
        "Description",
        "SourceDestCheck",
        "SecurityGroupId",
        "Attachment",
        "ConnectionTrackingSpecification",
        "EnablePrimaryIpv6",
    ];
    let given: Vec<&str> = names.into_iter().filter(|name| call.has(name)).collect();
    for name in ["EnaSrdSpecification", "AssociatePublicIpAddress", "AssociatedSubnetId"] {
        if call.has(name) {
            return Err(ApiError::new("UnsupportedOperation", format!("The sandbox cannot change {name}.")));
        }
    }
    match given.as_slice() {
        ["Description"] => {
            let value = call.structure("Description").and_then(|sent| sent.text("Value")).or(call.text("Description"));
            Ok(Change::Description(value.unwrap_or_default()))
        }
        ["SourceDestCheck"] => {
            let structure = call.structure("SourceDestCheck").map(|sent| sent.boolean("Value")).transpose()?.flatten();
            let value = match structure {
                Some(value) => Some(value),
                None => call.boolean("SourceDestCheck")?,
            };
            value.map(Change::SourceDestCheck).ok_or_else(|| ApiError::missing(Service::Ec2, "sourceDestCheck"))
        }
        ["SecurityGroupId"] => Ok(Change::Groups(call.texts("SecurityGroupId"))),
        ["Attachment"] => {
            let sent = call.structure("Attachment").ok_or_else(|| ApiError::missing(Service::Ec2, "attachment"))?;
            let delete = sent.boolean("DeleteOnTermination")?;
            Ok(Change::Attachment {
                id: sent.required("AttachmentId")?,
                delete_on_termination: delete
                    .ok_or_else(|| ApiError::missing(Service::Ec2, "attachment.deleteOnTermination"))?,
            })
        }
        ["ConnectionTrackingSpecification"] => Ok(Change::Tracking(read_tracking(call)?)),
        ["EnablePrimaryIpv6"] => match call.boolean("EnablePrimaryIpv6")? {
            Some(true) => Ok(Change::PrimaryIpv6),
            _ => Err(wrong("A primary IPv6 address cannot be disabled.")),
        },
        [] => Err(ApiError::new("MissingParameter", "The request must contain an attribute to modify.")),
        _ => Err(ApiError::new("InvalidParameterCombination", "Fields for multiple attribute types specified")),
    }
}

fn modify_network_interface_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfaceId")?;
    let interface = interfaces::find(world, &id)?;
    let change = read_change(call)?;
    let groups = match &change {
        Change::Groups(wanted) => set_groups(world, interface, wanted.clone())?,
        Change::Attachment { id, .. }
            if interface.attachment.as_ref().is_none_or(|attachment| attachment.id != *id) =>
        {
            let message = format!("The attachment ID '{id}' does not exist");
            return Err(ApiError::new("InvalidAttachmentID.NotFound", message));
        }
        _ => Vec::new(),
    };
    world.ec2.interfaces.update(&id, |interface| match change {
        Change::Description(text) => interface.description = text,
        Change::SourceDestCheck(check) => interface.source_dest_check = check,
        Change::Groups(_) => interface.groups = groups,
        Change::Tracking(tracking) => interface.connection_tracking = tracking,
        Change::PrimaryIpv6 => interface.has_primary_ipv6 = true,
        Change::Attachment { delete_on_termination, .. } => {
            if let Some(attachment) = &mut interface.attachment {
                attachment.delete_on_termination = delete_on_termination;
            }
        }
    });
    Ok(done())
}

/// Checks groups that are to replace those of an interface.
///
/// # Errors
/// `SecurityGroupsPerInterfaceLimitExceeded`, and what [`interfaces::groups_for`] refuses.
pub(super) fn set_groups(
    world: &World,
    interface: &NetworkInterface,
    wanted: Vec<String>,
) -> Result<Vec<String>, ApiError> {
    let groups = interfaces::groups_for(world, &interface.vpc_id, wanted)?;
    if groups.len() > GROUPS_MAX {
        let message = "The maximum number of security groups per interface has been reached.";
        return Err(ApiError::new("SecurityGroupsPerInterfaceLimitExceeded", message));
    }
    Ok(groups)
}

fn reset_network_interface_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfaceId")?;
    interfaces::find(world, &id)?;
    if !call.has("SourceDestCheck") {
        return Err(ApiError::missing(call.service, "SourceDestCheck"));
    }
    world.ec2.interfaces.update(&id, |interface| interface.source_dest_check = true);
    Ok(done())
}

fn describe_network_interface_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfaceId")?;
    let interface = interfaces::find(world, &id)?;
    let attribute = call.required("Attribute")?;
    let (name, value) = match attribute.as_str() {
        "description" => ("description", json!({ "value": interface.description })),
        "groupSet" => ("groupSet", group_set(world, &interface.groups)),
        "sourceDestCheck" => ("sourceDestCheck", json!({ "value": interface.source_dest_check })),
        "attachment" => ("attachment", interface.attachment.as_ref().map_or(Value::Null, render_attachment)),
        other => {
            let why = "Expected one of: description, groupSet, sourceDestCheck, attachment";
            return Err(describe::invalid("attribute", other, why));
        }
    };
    let mut answer = Map::new();
    answer.insert("networkInterfaceId".to_owned(), json!(id));
    answer.insert(name.to_owned(), value);
    Ok(Value::Object(answer))
}
