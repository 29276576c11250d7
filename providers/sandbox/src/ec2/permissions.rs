//! How calls state rules: `IpPermissions`, or the flat parameters of older clients.

use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::peering::{Peering, Status};
use super::prefix_lists;
use super::rules::{Peer, Spec};
use super::security_groups::{self, SecurityGroup, is_plain};
use crate::aws::{ApiError, Call, Params};
use crate::world::World;

/// A rule that a call states.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    pub(super) spec: Spec,
    pub(super) description: Option<String>,
}

/// What must be there for a rule to be stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peers {
    /// Groups and prefix lists must exist: for rules to be made.
    MustExist,
    /// They need not: for rules to be found.
    MayBeGone,
}

/// The rules that a call states for a group.
///
/// # Errors
/// `MissingParameter` when there is none, `InvalidParameterValue` for what is no protocol, port, ICMP type or block or is stated
/// twice, and what a missing group or prefix list is refused with.
pub(super) fn read(world: &World, call: &Call, group: &SecurityGroup, peers: Peers) -> Result<Vec<Stated>, ApiError> {
    let mut stated = Vec::new();
    for permission in call.structures("IpPermissions") {
        read_permission(world, &permission, group, peers, &mut stated)?;
    }
    if stated.is_empty() {
        stated = read_flat(world, call, group)?;
    }
    if stated.is_empty() {
        return Err(ApiError::new("MissingParameter", "The request must contain the parameter ipPermissions"));
    }
    for (at, one) in stated.iter().enumerate() {
        if stated[..at].iter().any(|other| other.spec == one.spec) {
            let message = "The same permission must not appear multiple times";
            return Err(ApiError::new("InvalidParameterValue", message));
        }
    }
    Ok(stated)
}

fn read_permission(
    world: &World,
    permission: &Params,
    group: &SecurityGroup,
    peers: Peers,
    stated: &mut Vec<Stated>,
) -> Result<(), ApiError> {
    let (protocol, from_port, to_port) = read_traffic(permission)?;
    let before = stated.len();
    let mut add = |peer: Peer, of: &Params| -> Result<(), ApiError> {
        let spec = Spec { protocol: protocol.clone(), from_port, to_port, peer };
        stated.push(Stated { spec, description: read_description(of)? });
        Ok(())
    };
    for range in permission.structures("IpRanges") {
        add(Peer::Ipv4(read_ipv4(&range.required("CidrIp")?)?), &range)?;
    }
    for range in permission.structures("Ipv6Ranges") {
        add(Peer::Ipv6(read_ipv6(&range.required("CidrIpv6")?)?), &range)?;
    }
    for list in permission.structures("PrefixListIds") {
        let id = list.required("PrefixListId")?;
        if peers == Peers::MustExist {
            find_list(world, &id)?;
        }
        add(Peer::PrefixList(id), &list)?;
    }
    for pair in permission.structures("Groups") {
        add(read_pair(world, &pair, group, peers)?, &pair)?;
    }
    if stated.len() == before {
        let message = "CIDR block, a security group ID or a prefix list has to be specified";
        return Err(ApiError::new("MissingParameter", message));
    }
    Ok(())
}

/// The parameters before there were `IpPermissions`: one block, or a group by its name, which then may send everything.
fn read_flat(world: &World, call: &Call, group: &SecurityGroup) -> Result<Vec<Stated>, ApiError> {
    if let Some(name) = call.text("SourceSecurityGroupName") {
        let source = security_groups::named(world, &name)?;
        let peer = peer_group(world, source, group, None)?;
        let rows = [("tcp", 0, 65535), ("udp", 0, 65535), ("icmp", -1, -1)];
        let spec = |(protocol, from, to): (&str, i32, i32)| Spec {
            protocol: protocol.to_owned(),
            from_port: Some(from),
            to_port: Some(to),
            peer: peer.clone(),
        };
        return Ok(rows.map(spec).map(|spec| Stated { spec, description: None }).into());
    }
    if !call.has("CidrIp") && !call.has("IpProtocol") {
        return Ok(Vec::new());
    }
    let (protocol, from_port, to_port) = read_traffic(call)?;
    let peer = Peer::Ipv4(read_ipv4(&call.required("CidrIp")?)?);
    Ok(vec![Stated { spec: Spec { protocol, from_port, to_port, peer }, description: None }])
}

type Traffic = (String, Option<i32>, Option<i32>);

/// `IpProtocol`, `FromPort` and `ToPort`, the protocol by its name where it has one.
pub(super) fn read_traffic(params: &Params) -> Result<Traffic, ApiError> {
    let protocol = read_protocol(&params.required("IpProtocol")?)?;
    let from = params.parsed("FromPort", "Must be an integer")?;
    let to = params.parsed("ToPort", "Must be an integer")?;
    let (from, to) = match protocol.as_str() {
        "tcp" | "udp" => read_ports(from, to)?,
        "icmp" => read_icmp(from, to, true)?,
        "icmpv6" => read_icmp(from, to, false)?,
        // All ports, whatever was sent.
        _ => (None, None),
    };
    Ok((protocol, from, to))
}

fn wrong(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

fn read_protocol(text: &str) -> Result<String, ApiError> {
    let unknown = || wrong(format!("Invalid value '{text}' for IP protocol. Unknown protocol."));
    let name = text.to_lowercase();
    Ok(match name.as_str() {
        "tcp" | "udp" | "icmp" | "icmpv6" | "-1" => name,
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        number => number.parse::<u8>().map_err(|_| unknown())?.to_string(),
    })
}

type Ports = (Option<i32>, Option<i32>);

fn read_ports(from: Option<i32>, to: Option<i32>) -> Result<Ports, ApiError> {
    let (Some(first), Some(last)) = (from, to) else {
        return Err(wrong("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."));
    };
    for (port, which) in [(first, "from"), (last, "to")] {
        if !(0..=65535).contains(&port) {
            return Err(wrong(format!("TCP/UDP ({which}) port ({port}) out of range")));
        }
    }
    if first > last {
        return Err(wrong(format!("Invalid TCP/UDP port range ({first}, {last})")));
    }
    Ok((from, to))
}

/// Types and codes; ICMPv6 may leave them out.
fn read_icmp(from: Option<i32>, to: Option<i32>, is_needed: bool) -> Result<Ports, ApiError> {
    if is_needed && (from.is_none() || to.is_none()) {
        return Err(wrong("Invalid value 'Must specify both type and code with ICMP.' for portRange."));
    }
    let (kind, code) = (from.unwrap_or(-1), to.unwrap_or(-1));
    for (value, which) in [(kind, "type"), (code, "code")] {
        if !(-1..=255).contains(&value) {
            return Err(wrong(format!("ICMP {which} ({value}) out of range")));
        }
    }
    if kind == -1 && code != -1 {
        return Err(wrong(format!("ICMP code ({code}) must be -1 when the ICMP type is -1")));
    }
    Ok((Some(kind), Some(code)))
}

/// An IPv4 block; host bits are dropped, as AWS does (API reference, `IpRange`).
pub(super) fn read_ipv4(text: &str) -> Result<Ipv4Net, ApiError> {
    Ok(Ipv4Net::from_str(text).map_err(|_| wrong(format!("CIDR block {text} is malformed")))?.trunc())
}

/// An IPv6 block; host bits are dropped.
pub(super) fn read_ipv6(text: &str) -> Result<Ipv6Net, ApiError> {
    Ok(Ipv6Net::from_str(text).map_err(|_| wrong(format!("CIDR block {text} is malformed")))?.trunc())
}

/// A rule's description, `None` when it is empty.
pub(super) fn read_description(params: &Params) -> Result<Option<String>, ApiError> {
    let description = params.text("Description").filter(|text| !text.is_empty());
    if description.as_deref().is_some_and(|text| !is_plain(text)) {
        return Err(wrong(
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  \
             a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        ));
    }
    Ok(description)
}

/// Checks that a prefix list is there.
pub(super) fn find_list(world: &World, id: &str) -> Result<(), ApiError> {
    prefix_lists::find(world, id).map(|_| ())
}

fn read_pair(world: &World, pair: &Params, group: &SecurityGroup, peers: Peers) -> Result<Peer, ApiError> {
    let found = match (pair.text("GroupId"), pair.text("GroupName")) {
        (Some(id), _) => security_groups::find(world, &id),
        (None, Some(name)) => security_groups::named(world, &name),
        (None, None) => Err(ApiError::missing(crate::aws::Service::Ec2, "GroupId")),
    };
    let user_id = pair.text("UserId").unwrap_or_else(|| world.settings.account.clone());
    match found {
        Ok(found) if user_id == world.settings.account => {
            peer_group(world, found, group, pair.text("VpcPeeringConnectionId"))
        }
        Err(refusal) if peers == Peers::MustExist => Err(refusal),
        _ if peers == Peers::MustExist => {
            let id = pair.text("GroupId").unwrap_or_default();
            Err(security_groups::KIND.missing(&[&id]))
        }
        _ => Ok(Peer::Group {
            group_id: pair.required("GroupId")?,
            user_id,
            vpc_id: pair.text("VpcId").unwrap_or_default(),
            peering_id: pair.text("VpcPeeringConnectionId"),
        }),
    }
}

/// A group as the peer of another's rule. One of another VPC needs an active peering connection between the two.
pub(super) fn peer_group(
    world: &World,
    peer: &SecurityGroup,
    group: &SecurityGroup,
    peering_id: Option<String>,
) -> Result<Peer, ApiError> {
    let peering_id = if peer.vpc_id == group.vpc_id {
        None
    } else {
        let found = peering_between(world, &peer.vpc_id, &group.vpc_id, peering_id.as_deref());
        let message = "You have specified two resources that belong to different networks.";
        Some(found.ok_or_else(|| ApiError::new("InvalidGroup.NotFound", message))?)
    };
    let user_id = world.settings.account.clone();
    Ok(Peer::Group { group_id: peer.id.clone(), user_id, vpc_id: peer.vpc_id.clone(), peering_id })
}

fn peering_between(world: &World, one: &str, other: &str, wanted: Option<&str>) -> Option<String> {
    let fits = |(id, peering): &(&str, &Peering)| {
        peering.status == Status::Active
            && peering.sides().contains(&other)
            && wanted.is_none_or(|wanted| wanted == *id)
    };
    world.ec2.peerings.with(&format!("vpc-id={one}")).find(fits).map(|(id, _)| id.to_owned())
}

/// The specs that are compared when rules are looked for: where a group is, and by which connection, does not matter.
pub(super) fn is_same(one: &Spec, other: &Spec) -> bool {
    let is_same_peer = match (&one.peer, &other.peer) {
        (Peer::Group { group_id: a, user_id: x, .. }, Peer::Group { group_id: b, user_id: y, .. }) => a == b && x == y,
        (a, b) => a == b,
    };
    is_same_peer && one.protocol == other.protocol && one.from_port == other.from_port && one.to_port == other.to_port
}
