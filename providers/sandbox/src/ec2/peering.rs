//! Peering connections between VPCs.
//!
//! Source: CreateVpcPeeringConnection and its like; VPC Peering Guide, "VPC peering connection lifecycle".

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done};
use super::kinds::{Kind, kind};
use super::tags::{self, Tags, tag_set};
use super::vpcs::{self, Vpc};
use super::{Due, cidrs, quotas};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateVpcPeeringConnection", run: create_vpc_peering_connection },
    Operation { name: "AcceptVpcPeeringConnection", run: accept_vpc_peering_connection },
    Operation { name: "RejectVpcPeeringConnection", run: reject_vpc_peering_connection },
    Operation { name: "DeleteVpcPeeringConnection", run: delete_vpc_peering_connection },
    Operation { name: "ModifyVpcPeeringConnectionOptions", run: modify_vpc_peering_connection_options },
    Operation {
        name: "DescribeVpcPeeringConnections",
        run: |world, call| PEERINGS.answer(world, &world.ec2.peerings, call),
    },
];

/// What peering connections are called.
pub static KIND: Kind = kind!(
    peerings,
    "pcx",
    "vpc-peering-connection",
    "vpcPeeringConnection",
    "InvalidVpcPeeringConnectionID.NotFound",
    "InvalidVpcPeeringConnectionId.Malformed"
);

/// A request nobody answers ends after a week.
const EXPIRES_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);
/// What has ended is told for two hours.
const TOLD_FOR: Duration = Duration::from_secs(2 * 3600);

/// A peering connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peering {
    /// `pcx-...`
    pub peering_id: String,
    /// The VPC that asked.
    pub requester: Side,
    /// The VPC that was asked.
    pub accepter: Side,
    /// How far it is.
    pub status: Status,
    /// When the request ends.
    pub expires_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// One of the two VPCs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Side {
    /// Its id.
    pub vpc_id: String,
    /// Its account.
    pub owner: String,
    /// Its region.
    pub region: String,
    /// Whether its names resolve to private addresses on the other side.
    pub resolves_names: bool,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Waits for the accepter.
    PendingAcceptance,
    /// Was accepted a moment ago.
    Provisioning,
    /// Works.
    Active,
    /// Never worked: overlapping blocks, or no such VPC.
    Failed,
    /// The accepter said no.
    Rejected,
    /// Nobody answered for a week.
    Expired,
    /// Was deleted.
    Deleted,
}

impl Status {
    /// As AWS writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::PendingAcceptance => "pending-acceptance",
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
        }
    }

    fn message(self, account: &str) -> String {
        match self {
            Self::PendingAcceptance => format!("Pending Acceptance by {account}"),
            Self::Provisioning => "Provisioning".to_owned(),
            Self::Active => "Active".to_owned(),
            Self::Failed => "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range".to_owned(),
            Self::Rejected => format!("Rejected by {account}"),
            Self::Expired => "Expired".to_owned(),
            Self::Deleted => format!("Deleted by {account}"),
        }
    }

    /// Whether it keeps its VPCs from being deleted.
    pub fn is_alive(self) -> bool {
        matches!(self, Self::PendingAcceptance | Self::Provisioning | Self::Active)
    }
}

impl Peering {
    /// The ids of the two VPCs.
    pub fn sides(&self) -> [&str; 2] {
        [&self.requester.vpc_id, &self.accepter.vpc_id]
    }

    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        self.sides().map(|id| format!("vpc-id={id}")).to_vec()
    }
}

static PEERINGS: Describe<Peering> = Describe {
    kind: &KIND,
    ids: "VpcPeeringConnectionId",
    set: "vpcPeeringConnectionSet",
    filters: FILTERS,
    indexed: &[],
    limits: (5, 1000),
    tags: |peering| &peering.tags,
    render,
};

const FILTERS: &[Field<Peering>] = &[
    ("accepter-vpc-info.cidr-block", |world, peering| blocks(world, &peering.accepter)),
    ("accepter-vpc-info.owner-id", |_, peering| vec![peering.accepter.owner.clone()]),
    ("accepter-vpc-info.vpc-id", |_, peering| vec![peering.accepter.vpc_id.clone()]),
    ("expiration-time", |_, peering| vec![peering.expires_at.to_string()]),
    ("requester-vpc-info.cidr-block", |world, peering| blocks(world, &peering.requester)),
    ("requester-vpc-info.owner-id", |_, peering| vec![peering.requester.owner.clone()]),
    ("requester-vpc-info.vpc-id", |_, peering| vec![peering.requester.vpc_id.clone()]),
    ("status-code", |_, peering| vec![peering.status.code().to_owned()]),
    ("status-message", |world, peering| vec![peering.status.message(&world.settings.account)]),
    ("vpc-peering-connection-id", |_, peering| vec![peering.peering_id.clone()]),
];

fn blocks(world: &World, side: &Side) -> Vec<String> {
    let vpc = world.ec2.vpcs.get(&side.vpc_id);
    vpc.into_iter().flat_map(|vpc| vpc.blocks.iter().map(|(_, net)| net.to_string())).collect()
}

fn render(world: &World, peering: &Peering) -> Value {
    let status = peering.status;
    let expires_at = (status == Status::PendingAcceptance).then(|| peering.expires_at.to_string());
    json!({
        "vpcPeeringConnectionId": peering.peering_id, "tagSet": tag_set(&peering.tags), "expirationTime": expires_at,
        "requesterVpcInfo": render_side(world, &peering.requester, true),
        "accepterVpcInfo": render_side(world, &peering.accepter, status == Status::Active),
        "status": { "code": status.code(), "message": status.message(&world.settings.account) },
    })
}

/// The accepter's blocks are told once the connection works.
fn render_side(world: &World, side: &Side, with_blocks: bool) -> Value {
    let mut value = json!({ "vpcId": side.vpc_id, "ownerId": side.owner, "region": side.region });
    if let Some(vpc) = world.ec2.vpcs.get(&side.vpc_id)
        && with_blocks
    {
        value["cidrBlock"] = json!(vpc.cidr.to_string());
        value["cidrBlockSet"] = vpc.blocks.iter().map(|(_, net)| json!({ "cidrBlock": net.to_string() })).collect();
        value["ipv6CidrBlockSet"] =
            vpc.ipv6_blocks.iter().map(|(_, net)| json!({ "ipv6CidrBlock": net.to_string() })).collect();
        value["peeringOptions"] = render_options(side);
    }
    value
}

fn render_options(side: &Side) -> Value {
    json!({
        "allowDnsResolutionFromRemoteVpc": side.resolves_names, "allowEgressFromLocalClassicLinkToRemoteVpc": false,
        "allowEgressFromLocalVpcToRemoteClassicLink": false,
    })
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a Peering, ApiError> {
    KIND.found(id, world.ec2.peerings.get(id))
}

fn create_vpc_peering_connection(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.required("VpcId")?;
    let vpc = vpcs::find(world, &vpc_id)?;
    let peer_vpc_id = call.required("PeerVpcId")?;
    vpcs::KIND.well_formed(&peer_vpc_id)?;
    let account = world.settings.account.clone();
    let region = world.settings.region.clone();
    let peer_owner = call.text("PeerOwnerId").unwrap_or_else(|| account.clone());
    let peer_region = call.text("PeerRegion").unwrap_or_else(|| region.clone());
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    let alive = || world.ec2.peerings.with(&format!("vpc-id={vpc_id}")).filter(|(_, it)| it.status.is_alive());
    if alive().any(|(_, it)| it.sides().contains(&peer_vpc_id.as_str()) && vpc_id != peer_vpc_id) {
        let message = "A VPC peering connection between the VPCs already exists.";
        return Err(ApiError::new("VpcPeeringConnectionAlreadyExists", message));
    }
    quotas::PEERINGS.allow(alive().count())?;
    // Another account's or region's VPC is out of sight: the request waits for an answer that will not come.
    let is_here = peer_owner == account && peer_region == region;
    let is_possible = world.ec2.vpcs.get(&peer_vpc_id).map_or(!is_here, |peer| !any_overlap(vpc, peer));
    let side = |vpc_id, owner, region| Side { vpc_id, owner, region, resolves_names: false };
    let peering_id = world.ids.ec2(KIND.prefix);
    let peering = Peering {
        peering_id: peering_id.clone(),
        requester: side(vpc_id, account, region),
        accepter: side(peer_vpc_id, peer_owner, peer_region),
        status: if is_possible { Status::PendingAcceptance } else { Status::Failed },
        expires_at: world.now.checked_add(EXPIRES_AFTER).unwrap_or(world.now),
        tags,
    };
    let mut answer = render(world, &peering);
    answer["status"] =
        json!({ "code": "initiating-request", "message": format!("Initiating Request to {}", peering.accepter.owner) });
    world.ec2.peerings.insert(peering_id.clone(), peering);
    let next = if is_possible { EXPIRES_AFTER } else { TOLD_FOR };
    world.schedule_in(next, Timer::Ec2(Due::Peering(peering_id)));
    Ok(json!({ "vpcPeeringConnection": answer }))
}

fn any_overlap(one: &Vpc, other: &Vpc) -> bool {
    one.blocks.iter().any(|(_, a)| other.blocks.iter().any(|(_, b)| cidrs::overlap(*a, *b)))
}

/// Moves a connection on, from one of `from`.
fn transition(world: &mut World, call: &Call, from: &[Status], to: Status) -> Result<String, ApiError> {
    let id = call.required("VpcPeeringConnectionId")?;
    let status = find(world, &id)?.status;
    if !from.contains(&status) {
        let message = format!(
            "Invalid state transition for {id}, attempted to transition from {} to {}",
            status.code(),
            to.code()
        );
        return Err(ApiError::new("InvalidStateTransition", message));
    }
    world.ec2.peerings.update(&id, |peering| peering.status = to);
    let next = if to == Status::Provisioning { world.settings.pace.network } else { TOLD_FOR };
    world.schedule_in(next, Timer::Ec2(Due::Peering(id.clone())));
    Ok(id)
}

fn accept_vpc_peering_connection(world: &mut World, call: &Call) -> Answer {
    let id = call.required("VpcPeeringConnectionId")?;
    let peering = find(world, &id)?;
    if peering.accepter.owner != world.settings.account || peering.accepter.region != world.settings.region {
        let message = format!("User {} cannot accept peering {id}", world.settings.account);
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    transition(world, call, &[Status::PendingAcceptance], Status::Provisioning)?;
    Ok(json!({ "vpcPeeringConnection": render(world, find(world, &id)?) }))
}

fn reject_vpc_peering_connection(world: &mut World, call: &Call) -> Answer {
    transition(world, call, &[Status::PendingAcceptance], Status::Rejected)?;
    Ok(done())
}

fn delete_vpc_peering_connection(world: &mut World, call: &Call) -> Answer {
    let alive = [Status::PendingAcceptance, Status::Provisioning, Status::Active, Status::Failed];
    transition(world, call, &alive, Status::Deleted)?;
    Ok(done())
}

fn modify_vpc_peering_connection_options(world: &mut World, call: &Call) -> Answer {
    const NAME: &str = "AllowDnsResolutionFromRemoteVpc";
    let id = call.required("VpcPeeringConnectionId")?;
    let peering = find(world, &id)?;
    if peering.status != Status::Active {
        let message = format!("Peering connection {id} is not in the active state.");
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    let has_names = |side: &Side| world.ec2.vpcs.get(&side.vpc_id).is_some_and(|vpc| vpc.enable_dns_hostnames);
    let sides = [
        ("RequesterPeeringConnectionOptions", has_names(&peering.requester)),
        ("AccepterPeeringConnectionOptions", has_names(&peering.accepter)),
    ];
    let mut wanted = [None, None];
    for (slot, (name, has_names)) in wanted.iter_mut().zip(sides) {
        *slot = call.structure(name).map(|options| options.boolean(NAME)).transpose()?.flatten();
        if *slot == Some(true) && !has_names {
            let message = "DNS hostnames must be enabled for the VPC.";
            return Err(ApiError::new("InvalidVpcPeeringConnectionState.DnsHostnamesDisabled", message));
        }
    }
    let [requester, accepter] = wanted;
    world.ec2.peerings.update(&id, |peering| {
        peering.requester.resolves_names = requester.unwrap_or(peering.requester.resolves_names);
        peering.accepter.resolves_names = accepter.unwrap_or(peering.accepter.resolves_names);
    });
    let peering = find(world, &id)?;
    Ok(json!({
        "requesterPeeringConnectionOptions": requester.map(|_| render_options(&peering.requester)),
        "accepterPeeringConnectionOptions": accepter.map(|_| render_options(&peering.accepter)),
    }))
}

/// What is due happens: a connection works, a request expires, what has ended is forgotten.
pub(super) fn on_timer(world: &mut World, id: &str) {
    let Some(peering) = world.ec2.peerings.get(id) else { return };
    let next = match peering.status {
        Status::Provisioning => Status::Active,
        Status::PendingAcceptance if peering.expires_at <= world.now => Status::Expired,
        Status::PendingAcceptance | Status::Active => return,
        Status::Failed | Status::Rejected | Status::Expired | Status::Deleted => {
            // The week's timer of a request that was answered meanwhile comes here too: what ended is gone by then.
            world.ec2.peerings.remove(id);
            return;
        }
    };
    world.ec2.peerings.update(id, |peering| peering.status = next);
    if next == Status::Expired {
        world.schedule_in(TOLD_FOR, Timer::Ec2(Due::Peering(id.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, pass, query, world};

    #[test]
    fn a_connection_is_asked_for_and_accepted() {
        let mut world = world();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let vpc = |world: &mut World, cidr| text(&ec2(world, "CreateVpc", &[("CidrBlock", cidr)])["vpc"]["vpcId"]);
        let (a, b, c) =
            (vpc(&mut world, "10.0.0.0/16"), vpc(&mut world, "10.1.0.0/16"), vpc(&mut world, "10.1.0.0/20"));
        let ask = |world: &mut World, a: &str, b: &str| {
            let answer = query(world, Service::Ec2, "CreateVpcPeeringConnection", &[("VpcId", a), ("PeerVpcId", b)]);
            answer
                .map(|answer| text(&answer["vpcPeeringConnection"]["vpcPeeringConnectionId"]))
                .map_err(|error| error.code)
        };
        let status = |world: &mut World, id: &str| {
            let answer = ec2(world, "DescribeVpcPeeringConnections", &[("VpcPeeringConnectionId.1", id)]);
            text(&answer["vpcPeeringConnectionSet"][0]["status"]["code"])
        };
        let act = |world: &mut World, operation: &str, id: &str| {
            query(world, Service::Ec2, operation, &[("VpcPeeringConnectionId", id)]).err().map(|error| error.code)
        };
        let overlapping = ask(&mut world, &b, &c).unwrap();
        assert_eq!(status(&mut world, &overlapping), "failed");
        let id = ask(&mut world, &a, &b).unwrap();
        assert_eq!(ask(&mut world, &a, &b), Err("VpcPeeringConnectionAlreadyExists".to_owned()));
        assert_eq!(status(&mut world, &id), "pending-acceptance");
        assert_eq!(act(&mut world, "AcceptVpcPeeringConnection", &id), None);
        assert_eq!(status(&mut world, &id), "provisioning");
        pass(&mut world, 10);
        assert_eq!(status(&mut world, &id), "active");
        assert_eq!(act(&mut world, "RejectVpcPeeringConnection", &id).as_deref(), Some("InvalidStateTransition"));
        assert_eq!(act(&mut world, "DeleteVpcPeeringConnection", &id), None);
        assert_eq!(status(&mut world, &id), "deleted");
        assert_eq!(act(&mut world, "DeleteVpcPeeringConnection", &id).as_deref(), Some("InvalidStateTransition"));
        pass(&mut world, 7200);
        assert_eq!(
            act(&mut world, "DeleteVpcPeeringConnection", &id).as_deref(),
            Some("InvalidVpcPeeringConnectionID.NotFound")
        );
    }

    #[test]
    fn a_request_expires() {
        let mut world = world();
        let vpc = ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"].clone();
        let pairs =
            [("VpcId", vpc.as_str().unwrap()), ("PeerVpcId", "vpc-0123456789abcdef0"), ("PeerOwnerId", "210987654321")];
        ec2(&mut world, "CreateVpcPeeringConnection", &pairs);
        pass(&mut world, 7 * 24 * 3600);
        assert_eq!(world.ec2.peerings.values().next().unwrap().status, Status::Expired);
        pass(&mut world, 7200);
        assert!(world.ec2.peerings.is_empty());
    }
}
