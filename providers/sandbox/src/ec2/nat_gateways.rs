//! NAT gateways.
//!
//! Source: CreateNatGateway, DescribeNatGateways, DeleteNatGateway; Amazon VPC User Guide, "Troubleshoot NAT gateways".

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, invalid};
use super::interfaces::{self, NewInterface};
use super::kinds::{Kind, kind};
use super::tags::{self, Tags, tag_set};
use super::{Due, addresses, gateways, quotas, subnets, tokens};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateNatGateway", run: create_nat_gateway },
    Operation { name: "DescribeNatGateways", run: |world, call| GATEWAYS.answer(world, &world.ec2.nat_gateways, call) },
    Operation { name: "DeleteNatGateway", run: delete_nat_gateway },
];

/// What NAT gateways are called.
pub static KIND: Kind =
    kind!(nat_gateways, "nat", "natgateway", "natGateway", "NatGatewayNotFound", "NatGatewayMalformed");

/// What has ended is told for an hour.
const TOLD_FOR: Duration = Duration::from_secs(3600);

/// A NAT gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NatGateway {
    /// `nat-...`
    pub nat_gateway_id: String,
    /// Its subnet.
    pub subnet_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// How far it is.
    pub state: State,
    /// Whether it leads to the internet, or to other private networks only.
    pub is_public: bool,
    /// Its interface.
    pub interface_id: String,
    /// Its addresses, the primary one first.
    pub addresses: Vec<NatAddress>,
    /// Code and message of why it failed.
    pub failure: Option<(String, String)>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its deletion was asked for.
    pub deleted_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

/// An address of a NAT gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NatAddress {
    /// The private address.
    pub private_ip: Ipv4Addr,
    /// The elastic IP address, its allocation and association.
    pub public: Option<(Ipv4Addr, String, String)>,
}

/// How far a NAT gateway is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Is being made.
    Pending,
    /// Works.
    Available,
    /// Could not be made.
    Failed,
    /// Is being deleted.
    Deleting,
    /// Is gone.
    Deleted,
}

impl State {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// Whether routes to it are active.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Pending | Self::Available)
    }
}

impl NatGateway {
    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        vec![format!("vpc-id={}", self.vpc_id), format!("subnet-id={}", self.subnet_id)]
    }
}

static GATEWAYS: Describe<NatGateway> = Describe {
    kind: &KIND,
    ids: "NatGatewayId",
    set: "natGatewaySet",
    filters: FILTERS,
    indexed: &["vpc-id", "subnet-id"],
    limits: (5, 1000),
    tags: |gateway| &gateway.tags,
    render: |_, gateway| render(gateway),
};

const FILTERS: &[Field<NatGateway>] = &[
    ("connectivity-type", |_, gateway| vec![connectivity(gateway.is_public).to_owned()]),
    ("nat-gateway-id", |_, gateway| vec![gateway.nat_gateway_id.clone()]),
    ("state", |_, gateway| vec![gateway.state.as_str().to_owned()]),
    ("subnet-id", |_, gateway| vec![gateway.subnet_id.clone()]),
    ("vpc-id", |_, gateway| vec![gateway.vpc_id.clone()]),
];

fn connectivity(is_public: bool) -> &'static str {
    if is_public { "public" } else { "private" }
}

fn render(gateway: &NatGateway) -> Value {
    let is_settled = gateway.state != State::Pending;
    let addresses: Vec<Value> = gateway
        .addresses
        .iter()
        .enumerate()
        .map(|(n, address)| {
            let (public, allocation, association) = address
                .public
                .clone()
                .map_or((None, None, None), |(ip, a, b)| (Some(ip.to_string()), Some(a), is_settled.then_some(b)));
            json!({
                "privateIp": address.private_ip.to_string(), "networkInterfaceId": gateway.interface_id,
                "publicIp": public, "allocationId": allocation, "associationId": association, "isPrimary": n == 0,
                "status": if is_settled { "succeeded" } else { "associating" },
            })
        })
        .collect();
    let (code, message) = gateway.failure.clone().unzip();
    json!({
        "natGatewayId": gateway.nat_gateway_id, "subnetId": gateway.subnet_id, "vpcId": gateway.vpc_id,
        "state": gateway.state.as_str(), "connectivityType": connectivity(gateway.is_public),
        "availabilityMode": "zonal", "natGatewayAddressSet": addresses, "failureCode": code, "failureMessage": message,
        "createTime": gateway.created_at.to_string(), "deleteTime": gateway.deleted_at.map(|at| at.to_string()),
        "tagSet": tag_set(&gateway.tags),
    })
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a NatGateway, ApiError> {
    KIND.well_formed(id)?;
    let missing = || ApiError::new(KIND.not_found, format!("NatGateway {id} was not found"));
    world.ec2.nat_gateways.get(id).ok_or_else(missing)
}

fn create_nat_gateway(world: &mut World, call: &Call) -> Answer {
    let id = match tokens::recall(world, call)? {
        Some(id) => id,
        None => {
            let id = create(world, call)?;
            tokens::remember(world, call, &id);
            id
        }
    };
    Ok(json!({ "natGateway": render(find(world, &id)?), "clientToken": call.text("ClientToken") }))
}

fn read_connectivity(call: &Call) -> Result<bool, ApiError> {
    match call.text("ConnectivityType").as_deref() {
        None | Some("public") => Ok(true),
        Some("private") => Ok(false),
        Some(other) => Err(invalid("connectivityType", other, "Must be public or private.")),
    }
}

fn create(world: &mut World, call: &Call) -> Result<String, ApiError> {
    for unsupported in [
        "VpcId",
        "AvailabilityZoneAddress",
        "SecondaryAllocationId",
        "SecondaryPrivateIpAddress",
        "SecondaryPrivateIpAddressCount",
    ] {
        if call.has(unsupported) {
            return Err(ApiError::new("Unsupported", format!("The sandbox has no {unsupported} in CreateNatGateway.")));
        }
    }
    if let Some(mode) = call.text("AvailabilityMode").filter(|mode| mode != "zonal") {
        return Err(ApiError::new("Unsupported", format!("The sandbox has no {mode} NAT gateways.")));
    }
    let subnet = subnets::find(world, &call.required("SubnetId")?)?.clone();
    let is_public = read_connectivity(call)?;
    let allocation = call.text("AllocationId");
    match &allocation {
        None if is_public => return Err(ApiError::missing(call.service, "AllocationId")),
        Some(_) if !is_public => {
            let message = "An AllocationId cannot be given for a private NAT gateway.";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        Some(id) if addresses::find(world, id)?.association.is_some() => {
            let message = format!("Elastic IP address [{id}] is already associated");
            return Err(ApiError::new("Resource.AlreadyAssociated", message));
        }
        _ => {}
    }
    let wanted = call.parsed::<Ipv4Addr>("PrivateIpAddress", "This is not an IPv4 address.")?;
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    let alive = |it: &NatGateway| it.state != State::Deleted && it.state != State::Failed;
    let in_zone = world.ec2.nat_gateways.values().filter(|it| alive(it) && zone(world, it) == Some(&subnet.zone));
    quotas::NAT_GATEWAYS.allow(in_zone.count())?;
    let id = world.ids.ec2(KIND.prefix);
    let (interface_id, private_ip) = make_interface(world, &id, &subnet.subnet_id, wanted)?;
    // Without a way to the internet it fails, which shows a while later.
    let public = match &allocation {
        Some(allocation) if gateways::of_vpc(world, &subnet.vpc_id).is_some() => {
            let association = addresses::associate(world, allocation, &interface_id, None, false, true)?;
            Some((addresses::find(world, allocation)?.public_ip, allocation.clone(), association))
        }
        Some(allocation) => Some((addresses::find(world, allocation)?.public_ip, allocation.clone(), String::new())),
        None => None,
    };
    let gateway = NatGateway {
        nat_gateway_id: id.clone(),
        subnet_id: subnet.subnet_id,
        vpc_id: subnet.vpc_id,
        state: State::Pending,
        is_public,
        interface_id,
        addresses: vec![NatAddress { private_ip, public }],
        failure: None,
        created_at: world.now,
        deleted_at: None,
        tags,
    };
    world.ec2.nat_gateways.insert(id.clone(), gateway);
    settle(world, &id);
    Ok(id)
}

fn zone<'a>(world: &'a World, gateway: &NatGateway) -> Option<&'a String> {
    world.ec2.subnets.get(&gateway.subnet_id).map(|subnet| &subnet.zone)
}

/// The gateway's interface: AWS's own, in no group, not checked for whose traffic it carries.
fn make_interface(
    world: &mut World,
    id: &str,
    subnet_id: &str,
    wanted: Option<Ipv4Addr>,
) -> Result<(String, Ipv4Addr), ApiError> {
    let new = NewInterface {
        subnet_id: subnet_id.to_owned(),
        description: format!("Interface for NAT Gateway {id}"),
        requester_id: Some(world.settings.account.clone()),
        is_requester_managed: true,
        held_by: Some("amazon-aws".to_owned()),
        interface_type: "nat_gateway".to_owned(),
        private_address: wanted,
        ipv6_count: Some(0),
        ..NewInterface::default()
    };
    let interface_id = interfaces::create(world, new)?;
    world.ec2.interfaces.update(&interface_id, |interface| {
        interface.groups.clear();
        interface.source_dest_check = false;
    });
    let address = interfaces::find(world, &interface_id)?.primary_address().unwrap_or(Ipv4Addr::UNSPECIFIED);
    Ok((interface_id, address))
}

fn settle(world: &mut World, id: &str) {
    world.schedule_in(world.settings.pace.network, Timer::Ec2(Due::NatGateway(id.to_owned())));
}

fn delete_nat_gateway(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NatGatewayId")?;
    match find(world, &id)?.state {
        State::Deleting => {}
        State::Deleted => return Err(ApiError::new(KIND.not_found, format!("NatGateway {id} was not found"))),
        State::Failed => forget(world, &id),
        State::Pending | State::Available => {
            let now = world.now;
            world.ec2.nat_gateways.update(&id, |gateway| {
                gateway.state = State::Deleting;
                gateway.deleted_at = Some(now);
            });
            settle(world, &id);
        }
    }
    Ok(json!({ "natGatewayId": id }))
}

fn forget(world: &mut World, id: &str) {
    let now = world.now;
    world.ec2.nat_gateways.update(id, |gateway| {
        gateway.state = State::Deleted;
        gateway.deleted_at = gateway.deleted_at.or(Some(now));
    });
    world.schedule_in(TOLD_FOR, Timer::Ec2(Due::NatGateway(id.to_owned())));
}

/// Gives back the interface and the elastic IP address.
fn let_go(world: &mut World, gateway: &NatGateway) {
    for (_, allocation, _) in gateway.addresses.iter().filter_map(|address| address.public.as_ref()) {
        let is_ours = |it: &addresses::Address| {
            it.association.as_ref().is_some_and(|association| association.interface_id == gateway.interface_id)
        };
        if world.ec2.addresses.get(allocation).is_some_and(is_ours) {
            addresses::dissociate(world, allocation);
        }
    }
    interfaces::remove(world, &gateway.interface_id);
}

/// What is due happens: it works or failed, is gone, is forgotten.
pub(super) fn on_timer(world: &mut World, id: &str) {
    let Some(gateway) = world.ec2.nat_gateways.get(id).cloned() else { return };
    match gateway.state {
        State::Pending if gateway.is_public && gateways::of_vpc(world, &gateway.vpc_id).is_none() => {
            let_go(world, &gateway);
            let message = format!("Network {} has no Internet gateway attached", gateway.vpc_id);
            world.ec2.nat_gateways.update(id, |gateway| {
                gateway.state = State::Failed;
                gateway.failure = Some(("Gateway.NotAttached".to_owned(), message));
            });
            world.schedule_in(TOLD_FOR, Timer::Ec2(Due::NatGateway(id.to_owned())));
        }
        State::Pending => {
            world.ec2.nat_gateways.update(id, |gateway| gateway.state = State::Available);
        }
        State::Deleting => {
            let_go(world, &gateway);
            forget(world, id);
        }
        State::Failed | State::Deleted => drop(world.ec2.nat_gateways.remove(id)),
        State::Available => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, pass, query, refusal, world};

    fn text(value: &Value) -> String {
        value.as_str().unwrap().to_owned()
    }

    #[test]
    fn a_gateway_lives_and_dies() {
        let mut world = world();
        let subnet = world.ec2.subnets.iter().next().unwrap().0.to_owned();
        let vpc = world.ec2.subnets.get(&subnet).unwrap().vpc_id.clone();
        let free = |world: &World| world.ec2.subnets.get(&subnet).unwrap().available;
        let before = free(&world);
        let allocation = text(&ec2(&mut world, "AllocateAddress", &[])["allocationId"]);
        let pairs = [("SubnetId", subnet.as_str()), ("AllocationId", allocation.as_str()), ("ClientToken", "t")];
        let made = ec2(&mut world, "CreateNatGateway", &pairs);
        let id = text(&made["natGateway"]["natGatewayId"]);
        assert_eq!((text(&made["natGateway"]["state"]), free(&world)), ("pending".to_owned(), before - 1));
        assert_eq!(ec2(&mut world, "CreateNatGateway", &pairs), made, "the same token");
        let second = query(&mut world, Service::Ec2, "CreateNatGateway", &pairs[..2]);
        assert_eq!(refusal(second), "Resource.AlreadyAssociated");
        let state = |world: &mut World| {
            let answer = ec2(world, "DescribeNatGateways", &[("NatGatewayId.1", &id)]);
            text(&answer["natGatewaySet"][0]["state"])
        };
        pass(&mut world, 10);
        assert_eq!(state(&mut world), "available");
        let gateway = gateways::of_vpc(&world, &vpc).unwrap().internet_gateway_id.clone();
        for (operation, pairs, code) in [
            ("ReleaseAddress", vec![("AllocationId", allocation.as_str())], "InvalidIPAddress.InUse"),
            ("DeleteSubnet", vec![("SubnetId", subnet.as_str())], "DependencyViolation"),
            (
                "DetachInternetGateway",
                vec![("InternetGatewayId", gateway.as_str()), ("VpcId", &vpc)],
                "DependencyViolation",
            ),
        ] {
            assert_eq!(refusal(query(&mut world, Service::Ec2, operation, &pairs)), code, "{operation}");
        }
        let association = world.ec2.addresses.get(&allocation).unwrap().association.clone().unwrap().id;
        let taken = query(&mut world, Service::Ec2, "DisassociateAddress", &[("AssociationId", &association)]);
        assert_eq!(refusal(taken), "AuthFailure");
        ec2(&mut world, "DeleteNatGateway", &[("NatGatewayId", &id)]);
        assert_eq!(state(&mut world), "deleting");
        pass(&mut world, 10);
        assert_eq!((state(&mut world), free(&world)), ("deleted".to_owned(), before));
        ec2(&mut world, "ReleaseAddress", &[("AllocationId", &allocation)]);
        pass(&mut world, 3600);
        let gone = query(&mut world, Service::Ec2, "DescribeNatGateways", &[("NatGatewayId.1", &id)]);
        assert_eq!(refusal(gone), "NatGatewayNotFound");
    }

    #[test]
    fn without_an_internet_gateway_it_fails() {
        let mut world = world();
        let vpc = text(&ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"]);
        let subnet = ec2(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.0.0/24")]);
        let subnet = text(&subnet["subnet"]["subnetId"]);
        let missing = query(&mut world, Service::Ec2, "CreateNatGateway", &[("SubnetId", &subnet)]);
        assert_eq!(refusal(missing), "MissingParameter");
        let allocation = text(&ec2(&mut world, "AllocateAddress", &[])["allocationId"]);
        ec2(&mut world, "CreateNatGateway", &[("SubnetId", &subnet), ("AllocationId", &allocation)]);
        let private = ec2(&mut world, "CreateNatGateway", &[("SubnetId", &subnet), ("ConnectivityType", "private")]);
        assert!(private["natGateway"]["natGatewayAddressSet"][0]["publicIp"].is_null());
        pass(&mut world, 10);
        let mut states: Vec<_> = world.ec2.nat_gateways.values().map(|it| it.state.as_str()).collect();
        states.sort_unstable();
        assert_eq!(states, ["available", "failed"]);
        ec2(&mut world, "ReleaseAddress", &[("AllocationId", &allocation)]);
    }
}
