//! Elastic IP addresses.
//!
//! Source: AllocateAddress, AssociateAddress, DisassociateAddress, ReleaseAddress, DescribeAddresses, DescribeAddressesAttribute.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done, invalid, listing, paging};
use super::interfaces::{self, PublicAddress};
use super::kinds::{Kind, kind};
use super::tags::{self, Tags, tag_set};
use super::{gateways, interface_links, quotas};
use crate::aws::{Answer, ApiError, Call, Operation, page};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AllocateAddress", run: allocate_address },
    Operation { name: "AssociateAddress", run: associate_address },
    Operation { name: "DisassociateAddress", run: disassociate_address },
    Operation { name: "ReleaseAddress", run: release_address },
    Operation { name: "DescribeAddresses", run: describe_addresses },
    Operation { name: "DescribeAddressesAttribute", run: describe_addresses_attribute },
];

/// What elastic IP addresses are called.
pub static KIND: Kind = kind!(
    addresses,
    "eipalloc",
    "elastic-ip",
    "allocation",
    "InvalidAllocationID.NotFound",
    "InvalidAllocationId.Malformed"
);

/// An elastic IP address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Address {
    /// `eipalloc-...`
    pub allocation_id: String,
    /// The public address.
    pub public_ip: Ipv4Addr,
    /// The private address that it stands for.
    pub association: Option<Association>,
    /// Its tags.
    pub tags: Tags,
}

/// What an elastic IP address stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Association {
    /// `eipassoc-...`
    pub id: String,
    /// The interface.
    pub interface_id: String,
    /// The interface's address.
    pub private_ip: Ipv4Addr,
    /// Whether a service of AWS (a NAT gateway) holds it, so that the account cannot take it away.
    pub is_managed: bool,
}

impl Address {
    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = vec![format!("public-ip={}", self.public_ip)];
        if let Some(association) = &self.association {
            keys.push(format!("association-id={}", association.id));
            keys.push(format!("network-interface-id={}", association.interface_id));
        }
        keys
    }

    fn instance(&self, world: &World) -> Option<String> {
        let interface = world.ec2.interfaces.get(&self.association.as_ref()?.interface_id)?;
        interface.instance_id().map(str::to_owned)
    }
}

static ADDRESSES: Describe<Address> = Describe {
    kind: &KIND,
    ids: "AllocationId",
    set: "addressesSet",
    filters: FILTERS,
    indexed: &["public-ip", "association-id", "network-interface-id"],
    limits: (1, 1000),
    tags: |address| &address.tags,
    render,
};

fn of_association(address: &Address, value: impl Fn(&Association) -> String) -> Vec<String> {
    address.association.iter().map(value).collect()
}

const FILTERS: &[Field<Address>] = &[
    ("allocation-id", |_, address| vec![address.allocation_id.clone()]),
    ("association-id", |_, address| of_association(address, |it| it.id.clone())),
    ("domain", |_, _| vec!["vpc".to_owned()]),
    ("instance-id", |world, address| address.instance(world).into_iter().collect()),
    ("network-border-group", |world, _| vec![world.settings.region.clone()]),
    ("network-interface-id", |_, address| of_association(address, |it| it.interface_id.clone())),
    ("network-interface-owner-id", |world, address| of_association(address, |_| world.settings.account.clone())),
    ("private-ip-address", |_, address| of_association(address, |it| it.private_ip.to_string())),
    ("public-ip", |_, address| vec![address.public_ip.to_string()]),
];

fn render(world: &World, address: &Address) -> Value {
    let region = &world.settings.region;
    let mut value = json!({
        "allocationId": address.allocation_id, "publicIp": address.public_ip.to_string(), "domain": "vpc",
        "publicIpv4Pool": "amazon", "networkBorderGroup": region, "tagSet": tag_set(&address.tags),
    });
    if let Some(association) = &address.association {
        value["associationId"] = json!(association.id);
        value["networkInterfaceId"] = json!(association.interface_id);
        value["networkInterfaceOwnerId"] = json!(world.settings.account);
        value["privateIpAddress"] = json!(association.private_ip.to_string());
        value["instanceId"] = json!(address.instance(world));
    }
    value
}

/// The elastic IP address of this allocation.
///
/// # Errors
/// `InvalidAllocationID.NotFound`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a Address, ApiError> {
    world.ec2.addresses.get(id).ok_or_else(|| KIND.missing(&[id]))
}

/// A public address that nobody has.
pub fn draw_public(world: &mut World) -> Ipv4Addr {
    loop {
        let bytes = world.ids.bytes();
        // 3.208.0.0/12 is one of AWS's blocks in us-east-1.
        let drawn = Ipv4Addr::new(3, 0xd0 | (bytes[0] & 0x0f), bytes[1], bytes[2]);
        if world.ec2.addresses.with(&format!("public-ip={drawn}")).next().is_none() {
            return drawn;
        }
    }
}

fn allocate_address(world: &mut World, call: &Call) -> Answer {
    if let Some(domain) = call.text("Domain").filter(|domain| domain != "vpc") {
        return Err(invalid("domain", &domain, "Only vpc is left."));
    }
    for unsupported in ["Address", "CustomerOwnedIpv4Pool", "IpamPoolId"] {
        if call.has(unsupported) {
            return Err(ApiError::new("Unsupported", format!("The sandbox has no {unsupported} in AllocateAddress.")));
        }
    }
    let region = world.settings.region.clone();
    if let Some(group) = call.text("NetworkBorderGroup").filter(|group| *group != region) {
        return Err(invalid("networkBorderGroup", &group, "There is no such network border group."));
    }
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    quotas::ADDRESSES.allow(world.ec2.addresses.len())?;
    let public_ip = draw_public(world);
    let allocation_id = world.ids.ec2(KIND.prefix);
    let address = Address { allocation_id: allocation_id.clone(), public_ip, association: None, tags };
    world.ec2.addresses.insert(allocation_id.clone(), address);
    Ok(json!({
        "allocationId": allocation_id, "publicIp": public_ip.to_string(), "domain": "vpc", "publicIpv4Pool": "amazon",
        "networkBorderGroup": region,
    }))
}

/// The allocation of a call, by its id or its public address.
fn of_call(world: &World, call: &Call) -> Result<String, ApiError> {
    match (call.text("AllocationId"), call.text("PublicIp")) {
        (Some(id), _) => find(world, &id).map(|address| address.allocation_id.clone()),
        (None, Some(public)) => by_public_ip(world, &public),
        (None, None) => Err(ApiError::missing(call.service, "AllocationId")),
    }
}

fn by_public_ip(world: &World, public: &str) -> Result<String, ApiError> {
    if public.parse::<Ipv4Addr>().is_err() {
        let message = format!("Invalid value '{public}' for publicIp: not an IPv4 address");
        return Err(ApiError::new("InvalidAddress.Malformed", message));
    }
    let found = world.ec2.addresses.with(&format!("public-ip={public}")).next().map(|(id, _)| id.to_owned());
    found.ok_or_else(|| ApiError::new("InvalidAddress.NotFound", format!("Address '{public}' not found.")))
}

fn associate_address(world: &mut World, call: &Call) -> Answer {
    let allocation_id = of_call(world, call)?;
    let interface_id = match (call.text("NetworkInterfaceId"), call.text("InstanceId")) {
        (Some(_), Some(_)) => {
            let message = "NetworkInterfaceId and InstanceId cannot be used together.";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        (Some(id), None) => id,
        (None, Some(id)) => interface_links::only_interface_of(world, &id)?,
        (None, None) => return Err(ApiError::missing(call.service, "InstanceId or NetworkInterfaceId")),
    };
    let wanted = call.parsed::<Ipv4Addr>("PrivateIpAddress", "This is not an IPv4 address.")?;
    let may_move = call.boolean("AllowReassociation")? == Some(true);
    let association_id = associate(world, &allocation_id, &interface_id, wanted, may_move, false)?;
    Ok(json!({ "return": true, "associationId": association_id }))
}

/// Lets an elastic IP address stand for an interface's address, the primary one when none is named.
///
/// # Errors
/// `InvalidAllocationID.NotFound`, `InvalidNetworkInterfaceID.NotFound`, `InvalidParameterValue` for an address that the interface
/// has not, `Gateway.NotAttached`, `Resource.AlreadyAssociated` when either has another partner and may not leave it.
pub fn associate(
    world: &mut World,
    allocation_id: &str,
    interface_id: &str,
    wanted: Option<Ipv4Addr>,
    may_move: bool,
    is_managed: bool,
) -> Result<String, ApiError> {
    let address = find(world, allocation_id)?;
    let interface = interfaces::find(world, interface_id)?;
    let private = match wanted {
        Some(wanted) => interface.addresses.iter().find(|it| it.address == wanted).cloned().ok_or_else(|| {
            let why = format!("The address is not assigned to interface {interface_id}.");
            invalid("privateIpAddress", &wanted.to_string(), &why)
        })?,
        None => interface
            .addresses
            .first()
            .cloned()
            .ok_or_else(|| invalid("networkInterfaceId", interface_id, "The interface has no IPv4 address."))?,
    };
    if gateways::of_vpc(world, &interface.vpc_id).is_none() {
        let message = format!("Network {} is not attached to any internet gateway", interface.vpc_id);
        return Err(ApiError::new("Gateway.NotAttached", message));
    }
    if let Some(association) = &address.association {
        if association.interface_id == interface_id && association.private_ip == private.address {
            return Ok(association.id.clone());
        }
        if !may_move || association.is_managed {
            let message =
                format!("resource {allocation_id} is already associated with associate-id {}", association.id);
            return Err(ApiError::new("Resource.AlreadyAssociated", message));
        }
    }
    let other = private.public.as_ref().and_then(|public| public.allocation_id.clone());
    if let Some(other) = &other
        && !may_move
    {
        let message = format!("resource {interface_id} is already associated with associate-id {other}");
        return Err(ApiError::new("Resource.AlreadyAssociated", message));
    }
    dissociate(world, allocation_id);
    other.iter().for_each(|other| dissociate(world, other));
    let id = world.ids.ec2("eipassoc");
    let public = PublicAddress {
        address: find(world, allocation_id)?.public_ip,
        allocation_id: Some(allocation_id.to_owned()),
        association_id: Some(id.clone()),
    };
    set_public(world, interface_id, private.address, Some(public));
    let association =
        Association { id: id.clone(), interface_id: interface_id.to_owned(), private_ip: private.address, is_managed };
    world.ec2.addresses.update(allocation_id, |address| address.association = Some(association));
    Ok(id)
}

/// Ends an elastic IP address's association, if it has one.
pub fn dissociate(world: &mut World, allocation_id: &str) {
    let association = world.ec2.addresses.update(allocation_id, |address| address.association.take()).flatten();
    if let Some(association) = association {
        set_public(world, &association.interface_id, association.private_ip, None);
    }
}

fn set_public(world: &mut World, interface_id: &str, private: Ipv4Addr, public: Option<PublicAddress>) {
    world.ec2.interfaces.update(interface_id, |interface| {
        if let Some(address) = interface.addresses.iter_mut().find(|it| it.address == private) {
            address.public = public;
        }
    });
}

fn disassociate_address(world: &mut World, call: &Call) -> Answer {
    let (allocation_id, association) = match call.text("AssociationId") {
        Some(id) => {
            let found = world.ec2.addresses.with(&format!("association-id={id}")).next();
            let missing =
                || ApiError::new("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"));
            let (allocation_id, address) = found.ok_or_else(missing)?;
            (allocation_id.to_owned(), address.association.clone())
        }
        None => {
            let id = by_public_ip(world, &call.required("PublicIp")?)?;
            let association = find(world, &id)?.association.clone();
            (id, association)
        }
    };
    if association.is_some_and(|association| association.is_managed) {
        let message = "You do not have permission to access the specified resource.";
        return Err(ApiError::new("AuthFailure", message));
    }
    dissociate(world, &allocation_id);
    Ok(done())
}

fn release_address(world: &mut World, call: &Call) -> Answer {
    if !call.has("AllocationId") && call.has("PublicIp") {
        let message = "You must specify an allocation id when releasing a VPC elastic IP address";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let id = of_call(world, call)?;
    let address = find(world, &id)?;
    if address.association.is_some() {
        let message = format!("Address {} is in use.", address.public_ip);
        return Err(ApiError::new("InvalidIPAddress.InUse", message));
    }
    world.ec2.addresses.remove(&id);
    Ok(done())
}

/// This Describe has no pages, and looks up by public addresses too.
fn describe_addresses(world: &mut World, call: &Call) -> Answer {
    let publics = call.texts("PublicIp");
    let wanted = publics.iter().map(|public| by_public_ip(world, public)).collect::<Result<Vec<_>, _>>()?;
    let mut answer = ADDRESSES.answer(world, &world.ec2.addresses, call)?;
    if let Some(all) = answer["addressesSet"].as_array_mut()
        && !wanted.is_empty()
    {
        all.retain(|address| wanted.iter().any(|id| address["allocationId"] == id.as_str()));
    }
    Ok(answer)
}

/// No address has a name of its own.
fn describe_addresses_attribute(world: &mut World, call: &Call) -> Answer {
    if let Some(attribute) = call.text("Attribute").filter(|attribute| attribute != "domain-name") {
        return Err(invalid("attribute", &attribute, "Must be domain-name."));
    }
    let (limit, after) = paging(call, (1, 1000))?;
    let ids = call.texts("AllocationId");
    ids.iter().try_for_each(|id| find(world, id).map(drop))?;
    let rows = world.ec2.addresses.after(after.as_deref().unwrap_or(""));
    let rows = rows.filter(|(id, _)| ids.is_empty() || ids.iter().any(|it| it == id));
    let rows = rows.map(|(id, it)| (id, json!({ "allocationId": id, "publicIp": it.public_ip.to_string() })));
    Ok(listing("addressSet", page::rest(rows, limit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, world};

    #[test]
    fn an_address_stands_for_one_interface() {
        let mut world = world();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let subnet = world.ec2.subnets.iter().next().unwrap().0.to_owned();
        let interface = |world: &mut World| {
            text(
                &ec2(world, "CreateNetworkInterface", &[("SubnetId", &subnet)])["networkInterface"]["networkInterfaceId"],
            )
        };
        let (one, two) = (interface(&mut world), interface(&mut world));
        let allocate = |world: &mut World| text(&ec2(world, "AllocateAddress", &[])["allocationId"]);
        let (a, b) = (allocate(&mut world), allocate(&mut world));
        let associate = |world: &mut World, address: &str, interface: &str, more: Option<(&str, &str)>| {
            let mut pairs = vec![("AllocationId", address), ("NetworkInterfaceId", interface)];
            pairs.extend(more);
            query(world, Service::Ec2, "AssociateAddress", &pairs).err().map(|error| error.code)
        };
        let again = Some(("AllowReassociation", "true"));
        for (address, interface, more, expected) in [
            (&a, &one, Some(("PrivateIpAddress", "10.9.9.9")), Some("InvalidParameterValue")),
            (&a, &one, None, None),
            (&a, &one, None, None),
            (&a, &two, None, Some("Resource.AlreadyAssociated")),
            (&b, &one, None, Some("Resource.AlreadyAssociated")),
            (&a, &two, again, None),
            (&b, &two, again, None),
        ] {
            assert_eq!(associate(&mut world, address, interface, more).as_deref(), expected, "{address} {interface}");
        }
        let public = |world: &World, id: &str| world.ec2.interfaces.get(id).unwrap().addresses[0].public.clone();
        assert!(public(&world, &one).is_none() && find(&world, &a).unwrap().association.is_none());
        assert_eq!(public(&world, &two).unwrap().allocation_id.as_deref(), Some(b.as_str()));
        ec2(&mut world, "DeleteNetworkInterface", &[("NetworkInterfaceId", &two)]);
        ec2(&mut world, "ReleaseAddress", &[("AllocationId", &b)]);
    }

    #[test]
    fn a_way_to_the_internet_is_needed() {
        let mut world = world();
        let vpc = ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"].clone();
        let pairs = [("VpcId", vpc.as_str().unwrap()), ("CidrBlock", "10.0.0.0/24")];
        let subnet = ec2(&mut world, "CreateSubnet", &pairs)["subnet"]["subnetId"].clone();
        let made = ec2(&mut world, "CreateNetworkInterface", &[("SubnetId", subnet.as_str().unwrap())]);
        let address = ec2(&mut world, "AllocateAddress", &[])["allocationId"].clone();
        let interface = made["networkInterface"]["networkInterfaceId"].as_str().unwrap();
        let pairs = [("AllocationId", address.as_str().unwrap()), ("NetworkInterfaceId", interface)];
        let refused = query(&mut world, Service::Ec2, "AssociateAddress", &pairs);
        assert_eq!(refused.unwrap_err().code, "Gateway.NotAttached");
    }
}
