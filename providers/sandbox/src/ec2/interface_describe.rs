//! DescribeNetworkInterfaces, and how an interface is written in answers.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::describe::{Describe, truth};
use super::interfaces::{Attachment, ConnectionTracking, KIND, NetworkInterface, PrivateAddress, PublicAddress};
use super::tags::tag_set;
use super::zones;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DescribeNetworkInterfaces", run: describe_network_interfaces }];

fn describe_network_interfaces(world: &mut World, call: &Call) -> Answer {
    if call.has("MaxResults") && call.has("NetworkInterfaceId") {
        let message = "The parameter networkInterfaceIds cannot be used with the parameter maxResults";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    DESCRIBE.answer(world, &world.ec2.interfaces, call)
}

type Values = Vec<String>;

fn of_attachment(interface: &NetworkInterface, value: fn(&Attachment) -> Option<String>) -> Values {
    interface.attachment.as_ref().and_then(value).into_iter().collect()
}

fn of_addresses(interface: &NetworkInterface, value: fn(&PublicAddress) -> Option<String>) -> Values {
    interface.addresses.iter().filter_map(|address| address.public.as_ref()).filter_map(value).collect()
}

static DESCRIBE: Describe<NetworkInterface> = Describe {
    kind: &KIND,
    ids: "NetworkInterfaceId",
    set: "networkInterfaceSet",
    filters: &[
        ("addresses.association.owner-id", |world, row| {
            of_addresses(row, |_| Some(String::new())).iter().map(|_| world.settings.account.clone()).collect()
        }),
        ("addresses.association.public-ip", |_, row| of_addresses(row, |public| Some(public.address.to_string()))),
        ("addresses.primary", |_, row| (0..row.addresses.len()).map(|at| (at == 0).to_string()).collect()),
        ("addresses.private-ip-address", |_, row| row.addresses.iter().map(|one| one.address.to_string()).collect()),
        ("association.allocation-id", |_, row| of_addresses(row, |public| public.allocation_id.clone())),
        ("association.association-id", |_, row| of_addresses(row, |public| public.association_id.clone())),
        ("association.ip-owner-id", |world, row| {
            row.addresses.iter().filter_map(|one| one.public.as_ref()).map(|public| owner(world, public)).collect()
        }),
        ("association.public-dns-name", |world, row| {
            let public = row.addresses.iter().filter_map(|one| one.public.as_ref());
            public.map(|public| public_dns_name(&world.settings.region, public.address)).collect()
        }),
        ("association.public-ip", |_, row| of_addresses(row, |public| Some(public.address.to_string()))),
        ("attachment.attach-time", |_, row| of_attachment(row, |one| Some(one.attached_at.to_string()))),
        ("attachment.attachment-id", |_, row| of_attachment(row, |one| Some(one.id.clone()))),
        ("attachment.delete-on-termination", |_, row| {
            of_attachment(row, |one| Some(one.delete_on_termination.to_string()))
        }),
        ("attachment.device-index", |_, row| of_attachment(row, |one| Some(one.device_index.to_string()))),
        ("attachment.instance-id", |_, row| of_attachment(row, |one| one.instance_id.clone())),
        ("attachment.instance-owner-id", |_, row| of_attachment(row, |one| Some(one.instance_owner.clone()))),
        ("attachment.status", |_, row| of_attachment(row, |one| Some(one.status.as_str().to_owned()))),
        ("availability-zone", |_, row| vec![row.zone.clone()]),
        ("availability-zone-id", |_, row| zones::id(&row.zone).into_iter().collect()),
        ("description", |_, row| vec![row.description.clone()]),
        ("group-id", |_, row| row.groups.clone()),
        ("group-name", |world, row| {
            row.groups.iter().filter_map(|id| world.ec2.security_groups.get(id)).map(|one| one.name.clone()).collect()
        }),
        ("interface-type", |_, row| vec![row.interface_type.clone()]),
        ("ipv6-addresses.ipv6-address", |_, row| row.ipv6_addresses.iter().map(ToString::to_string).collect()),
        ("mac-address", |_, row| vec![row.mac.clone()]),
        ("network-interface-id", |_, row| vec![row.id.clone()]),
        ("operator.managed", |_, _| truth(false)),
        ("operator.principal", |_, _| Vec::new()),
        ("owner-id", |world, _| vec![world.settings.account.clone()]),
        ("private-dns-name", |world, row| {
            row.addresses.iter().take(1).map(|one| private_dns_name(&world.settings.region, one.address)).collect()
        }),
        ("private-ip-address", |_, row| row.addresses.iter().map(|one| one.address.to_string()).collect()),
        ("requester-id", |_, row| row.requester_id.iter().cloned().collect()),
        ("requester-managed", |_, row| truth(row.is_requester_managed)),
        ("source-dest-check", |_, row| truth(row.source_dest_check)),
        ("status", |_, row| vec![row.status().to_owned()]),
        ("subnet-id", |_, row| vec![row.subnet_id.clone()]),
        ("vpc-id", |_, row| vec![row.vpc_id.clone()]),
    ],
    indexed: &[
        "network-interface-id",
        "private-ip-address",
        "tag-key",
        "attachment.attachment-id",
        "attachment.instance-id",
        "addresses.private-ip-address",
        "association.public-ip",
        "mac-address",
        "ipv6-addresses.ipv6-address",
        "tag",
        "group-id",
        "description",
        "requester-id",
        "subnet-id",
        "interface-type",
        "status",
        "vpc-id",
    ],
    limits: (5, 1000),
    tags: |row| &row.tags,
    render,
};

/// The name that the VPC's resolver knows an address by: `ip-10-0-0-5.ec2.internal`.
pub(crate) fn private_dns_name(region: &str, address: Ipv4Addr) -> String {
    let host = address.to_string().replace('.', "-");
    match region {
        "us-east-1" => format!("ip-{host}.ec2.internal"),
        _ => format!("ip-{host}.{region}.compute.internal"),
    }
}

/// The name that the world knows a public address by: `ec2-203-0-113-25.compute-1.amazonaws.com`.
pub(super) fn public_dns_name(region: &str, address: Ipv4Addr) -> String {
    let host = address.to_string().replace('.', "-");
    match region {
        "us-east-1" => format!("ec2-{host}.compute-1.amazonaws.com"),
        _ => format!("ec2-{host}.{region}.compute.amazonaws.com"),
    }
}

/// Addresses of an instance's launch are Amazon's; elastic IPs are the account's.
fn owner(world: &World, public: &PublicAddress) -> String {
    if public.allocation_id.is_some() { world.settings.account.clone() } else { "amazon".to_owned() }
}

fn render_public(world: &World, public: &PublicAddress) -> Value {
    json!({
        "publicIp": public.address, "publicDnsName": public_dns_name(&world.settings.region, public.address),
        "ipOwnerId": owner(world, public), "allocationId": public.allocation_id, "associationId": public.association_id,
    })
}

fn render_address(world: &World, at: usize, address: &PrivateAddress) -> Value {
    json!({
        "privateIpAddress": address.address, "privateDnsName": private_dns_name(&world.settings.region, address.address),
        "primary": at == 0, "association": address.public.as_ref().map(|public| render_public(world, public)),
    })
}

/// A `groupSet`.
pub(super) fn group_set(world: &World, ids: &[String]) -> Value {
    let name = |id: &String| world.ec2.security_groups.get(id).map(|group| group.name.clone());
    ids.iter().map(|id| json!({ "groupId": id, "groupName": name(id) })).collect()
}

/// An attachment as it stands at an interface.
pub(super) fn render_attachment(attachment: &Attachment) -> Value {
    json!({
        "attachmentId": attachment.id, "instanceId": attachment.instance_id, "instanceOwnerId": attachment.instance_owner,
        "deviceIndex": attachment.device_index, "networkCardIndex": attachment.network_card_index,
        "deleteOnTermination": attachment.delete_on_termination, "status": attachment.status.as_str(),
        "attachTime": time(attachment.attached_at),
    })
}

/// A time as EC2 writes it, to the millisecond.
pub(super) fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// An interface as `NetworkInterface`.
pub(super) fn render(world: &World, interface: &NetworkInterface) -> Value {
    let mut value = common(world, interface);
    let more = json!({
        "availabilityZone": interface.zone, "availabilityZoneId": zones::id(&interface.zone),
        "attachment": interface.attachment.as_ref().map(render_attachment),
        "requesterId": interface.requester_id, "requesterManaged": interface.is_requester_managed,
        "tagSet": tag_set(&interface.tags), "operator": { "managed": false },
    });
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value
}

/// The seconds that were set; nothing when none were.
fn tracking(interface: &NetworkInterface) -> Option<Value> {
    let seconds = interface.connection_tracking;
    (seconds != ConnectionTracking::default()).then(|| {
        json!({
            "tcpEstablishedTimeout": seconds.tcp_established, "udpStreamTimeout": seconds.udp_stream,
            "udpTimeout": seconds.udp,
        })
    })
}

/// What an interface has in answers of its own and in those of its instance.
pub(super) fn common(world: &World, interface: &NetworkInterface) -> Value {
    let primary = interface.addresses.first();
    let addresses = interface.addresses.iter().enumerate();
    let ipv6 = interface.ipv6_addresses.iter().enumerate();
    let ipv6 = ipv6
        .map(|(at, address)| json!({ "ipv6Address": address, "isPrimaryIpv6": at == 0 && interface.has_primary_ipv6 }));
    let ipv6_prefixes: Vec<Value> =
        interface.ipv6_prefixes.iter().map(|prefix| json!({ "ipv6Prefix": prefix })).collect();
    let ipv4_prefixes: Vec<Value> =
        interface.ipv4_prefixes.iter().map(|prefix| json!({ "ipv4Prefix": prefix })).collect();
    let public = primary.and_then(|address| address.public.as_ref());
    json!({
        "networkInterfaceId": interface.id, "subnetId": interface.subnet_id, "vpcId": interface.vpc_id,
        "description": interface.description, "ownerId": world.settings.account, "status": interface.status(),
        "macAddress": interface.mac, "interfaceType": interface.interface_type,
        "sourceDestCheck": interface.source_dest_check, "groupSet": group_set(world, &interface.groups),
        "privateIpAddress": primary.map(|address| address.address),
        "privateDnsName": primary.map(|address| private_dns_name(&world.settings.region, address.address)),
        "privateIpAddressesSet": addresses.map(|(at, address)| render_address(world, at, address)).collect::<Vec<_>>(),
        "connectionTrackingConfiguration": tracking(interface),
        "association": public.map(|public| render_public(world, public)),
        "ipv6AddressesSet": ipv6.collect::<Vec<_>>(), "ipv6Address": interface.ipv6_addresses.first(),
        "ipv4PrefixSet": (!ipv4_prefixes.is_empty()).then_some(ipv4_prefixes),
        "ipv6PrefixSet": (!ipv6_prefixes.is_empty()).then_some(ipv6_prefixes),
    })
}
