//! Entries of network ACLs: the lowest number that fits decides.
//!
//! Source: CreateNetworkAclEntry, ReplaceNetworkAclEntry, DeleteNetworkAclEntry.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{done, invalid};
use super::{cidrs, network_acls, quotas};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateNetworkAclEntry", run: create_network_acl_entry },
    Operation { name: "ReplaceNetworkAclEntry", run: replace_network_acl_entry },
    Operation { name: "DeleteNetworkAclEntry", run: delete_network_acl_entry },
];

/// The number of the entry that denies the rest of IPv4; people's numbers end before it.
const LAST: u32 = 32767;
const LAST_IPV6: u32 = 32768;
const FIRST_ALLOWED: u32 = 100;
const FIRST_ALLOWED_IPV6: u32 = 101;

const ALL: i32 = -1;
const ICMP: i32 = 1;
const ICMPV6: i32 = 58;
const TCP: i32 = 6;
const UDP: i32 = 17;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place: the lowest that fits decides.
    pub number: u32,
    /// Whether it is for what leaves the subnet.
    pub egress: bool,
    /// The protocol's number; -1 is all.
    pub protocol: i32,
    /// Whether it lets through.
    pub is_allow: bool,
    /// The other side.
    pub cidr: IpNet,
    /// ICMP type and code; -1 is all.
    pub icmp: Option<(i32, i32)>,
    /// First and last port.
    pub ports: Option<(u16, u16)>,
}

impl Entry {
    /// The other side, in IPv4.
    pub fn v4(&self) -> Option<Ipv4Net> {
        match self.cidr {
            IpNet::V4(net) => Some(net),
            IpNet::V6(_) => None,
        }
    }

    /// The other side, in IPv6.
    pub fn v6(&self) -> Option<Ipv6Net> {
        match self.cidr {
            IpNet::V4(_) => None,
            IpNet::V6(net) => Some(net),
        }
    }

    /// `allow` or `deny`.
    pub fn action(&self) -> &'static str {
        if self.is_allow { "allow" } else { "deny" }
    }

    pub(super) fn render(&self) -> Value {
        json!({
            "ruleNumber": self.number, "egress": self.egress, "protocol": self.protocol.to_string(),
            "ruleAction": self.action(), "cidrBlock": self.v4().map(|net| net.to_string()),
            "ipv6CidrBlock": self.v6().map(|net| net.to_string()),
            "icmpTypeCode": self.icmp.map(|(kind, code)| json!({ "type": kind, "code": code })),
            "portRange": self.ports.map(|(from, to)| json!({ "from": from, "to": to })),
        })
    }
}

/// The entries that a network ACL begins with: in both directions all is denied at the end, and in a default one all is allowed
/// before.
pub(super) fn initial(is_default: bool, has_ipv6: bool) -> Vec<Entry> {
    let families = [(IpNet::V4(Ipv4Net::default()), FIRST_ALLOWED, LAST)]
        .into_iter()
        .chain(has_ipv6.then(|| (IpNet::V6(Ipv6Net::default()), FIRST_ALLOWED_IPV6, LAST_IPV6)));
    let mut entries = Vec::new();
    for (cidr, first, last) in families {
        for egress in [true, false] {
            let entry =
                |number, is_allow| Entry { number, egress, protocol: ALL, is_allow, cidr, icmp: None, ports: None };
            entries.extend(is_default.then(|| entry(first, true)));
            entries.push(entry(last, false));
        }
    }
    sort(&mut entries);
    entries
}

/// Adds what a VPC's first IPv6 block brings.
pub(super) fn add_ipv6(world: &mut World, vpc_id: &str) {
    let ids: Vec<String> =
        world.ec2.network_acls.with(&format!("vpc-id={vpc_id}")).map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        world.ec2.network_acls.update(&id, |acl| {
            let wanted = initial(acl.is_default, true).into_iter().filter(|entry| entry.v6().is_some());
            let new: Vec<Entry> = wanted
                .filter(|entry| !acl.entries.iter().any(|it| it.egress == entry.egress && it.number == entry.number))
                .collect();
            acl.entries.extend(new);
            sort(&mut acl.entries);
        });
    }
}

/// AWS tells what leaves first.
fn sort(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| (!entry.egress, entry.number));
}

fn read(call: &Call) -> Result<Entry, ApiError> {
    let (number, egress) = read_place(call)?;
    let protocol = read_protocol(&call.required("Protocol")?)?;
    let action = call.required("RuleAction")?;
    let is_allow = match action.to_lowercase().as_str() {
        "allow" => true,
        "deny" => false,
        _ => return Err(invalid("ruleAction", &action, "Must be allow or deny.")),
    };
    let cidr = match (call.text("CidrBlock"), call.text("Ipv6CidrBlock")) {
        (Some(text), None) => IpNet::V4(cidrs::v4("cidrBlock", &text)?),
        (None, Some(text)) => IpNet::V6(cidrs::v6("ipv6CidrBlock", &text)?),
        (None, None) => return Err(ApiError::missing(call.service, "cidrBlock")),
        (Some(_), Some(_)) => {
            let message = "CidrBlock and Ipv6CidrBlock cannot be used together.";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
    };
    let icmp = if matches!(protocol, ICMP | ICMPV6) { Some(read_icmp(call)?) } else { None };
    let ports = if matches!(protocol, TCP | UDP) { Some(read_ports(call)?) } else { None };
    Ok(Entry { number, egress, protocol, is_allow, cidr, icmp, ports })
}

fn read_place(call: &Call) -> Result<(u32, bool), ApiError> {
    call.required("RuleNumber")?;
    let number = call.integer("RuleNumber")?.unwrap_or_default();
    let place = u32::try_from(number).ok().filter(|number| (1..LAST).contains(number));
    let place = place.ok_or_else(|| invalid("ruleNumber", &number.to_string(), "Must be from 1 to 32766."))?;
    let egress = call.boolean("Egress")?.ok_or_else(|| ApiError::missing(call.service, "egress"))?;
    Ok((place, egress))
}

/// A protocol by number or by one of the names that EC2 knows.
fn read_protocol(text: &str) -> Result<i32, ApiError> {
    match text.to_lowercase().as_str() {
        "all" | "-1" => Ok(ALL),
        "icmp" => Ok(ICMP),
        "tcp" => Ok(TCP),
        "udp" => Ok(UDP),
        "icmpv6" => Ok(ICMPV6),
        other => {
            let number = other.parse::<i32>().ok().filter(|number| (0..=255).contains(number));
            number.ok_or_else(|| invalid("protocol", text, "Unknown protocol."))
        }
    }
}

fn read_icmp(call: &Call) -> Result<(i32, i32), ApiError> {
    let missing = || ApiError::missing(call.service, "icmpTypeCode");
    let icmp = call.structure("Icmp").or_else(|| call.structure("IcmpTypeCode")).ok_or_else(missing)?;
    let read = |name| {
        let number = icmp.integer(name)?.ok_or_else(missing)?;
        let number = i32::try_from(number).ok().filter(|number| (-1..=255).contains(number));
        number.ok_or_else(|| invalid("icmpTypeCode", &icmp.text(name).unwrap_or_default(), "Must be from -1 to 255."))
    };
    Ok((read("Type")?, read("Code")?))
}

fn read_ports(call: &Call) -> Result<(u16, u16), ApiError> {
    let missing = || ApiError::missing(call.service, "portRange");
    let range = call.structure("PortRange").ok_or_else(missing)?;
    let read = |name| {
        let port = range.integer(name)?.ok_or_else(missing)?;
        u16::try_from(port).map_err(|_| invalid("portRange", &port.to_string(), "Must be from 0 to 65535."))
    };
    let (from, to) = (read("From")?, read("To")?);
    if from > to {
        return Err(invalid("portRange", &format!("{from}-{to}"), "The first port is beyond the last."));
    }
    Ok((from, to))
}

fn create_network_acl_entry(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkAclId")?;
    let acl = network_acls::find(world, &id)?;
    let entry = read(call)?;
    let same_way = || acl.entries.iter().filter(|it| it.egress == entry.egress);
    if same_way().any(|it| it.number == entry.number) {
        let message = format!("The network acl entry identified by {} already exists.", entry.number);
        return Err(ApiError::new("NetworkAclEntryAlreadyExists", message));
    }
    quotas::NETWORK_ACL_ENTRIES.allow(same_way().filter(|it| it.number < LAST).count())?;
    put(world, &id, entry);
    Ok(done())
}

fn put(world: &mut World, id: &str, entry: Entry) {
    world.ec2.network_acls.update(id, |acl| {
        acl.entries.retain(|it| (it.egress, it.number) != (entry.egress, entry.number));
        acl.entries.push(entry);
        sort(&mut acl.entries);
    });
}

fn check_is_there(world: &World, id: &str, (number, egress): (u32, bool)) -> Result<(), ApiError> {
    if network_acls::find(world, id)?.entries.iter().any(|it| (it.number, it.egress) == (number, egress)) {
        return Ok(());
    }
    let message = format!("The network acl entry identified by {number} does not exist.");
    Err(ApiError::new("InvalidNetworkAclEntry.NotFound", message))
}

fn replace_network_acl_entry(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkAclId")?;
    network_acls::find(world, &id)?;
    let entry = read(call)?;
    check_is_there(world, &id, (entry.number, entry.egress))?;
    put(world, &id, entry);
    Ok(done())
}

fn delete_network_acl_entry(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkAclId")?;
    network_acls::find(world, &id)?;
    let place = read_place(call)?;
    check_is_there(world, &id, place)?;
    world.ec2.network_acls.update(&id, |acl| acl.entries.retain(|it| (it.number, it.egress) != place));
    Ok(done())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, world};

    #[test]
    fn entries_have_their_rules() {
        let mut world = world();
        let vpc = world.ec2.vpcs.iter().next().unwrap().0.to_owned();
        let acl = ec2(&mut world, "CreateNetworkAcl", &[("VpcId", &vpc)])["networkAcl"].clone();
        assert_eq!(acl["entrySet"].as_array().unwrap().len(), 2, "all is denied in both directions");
        let id = acl["networkAclId"].as_str().unwrap();
        let create = "CreateNetworkAclEntry";
        for (operation, number, protocol, more, expected) in [
            (create, "100", "tcp", vec![("PortRange.From", "443"), ("PortRange.To", "443")], None),
            (create, "100", "-1", vec![], Some("NetworkAclEntryAlreadyExists")),
            (create, "110", "6", vec![], Some("MissingParameter")),
            (create, "110", "6", vec![("PortRange.From", "5"), ("PortRange.To", "4")], Some("InvalidParameterValue")),
            (create, "110", "1", vec![], Some("MissingParameter")),
            (create, "110", "icmp", vec![("Icmp.Type", "-1"), ("Icmp.Code", "-1")], None),
            (create, "0", "-1", vec![], Some("InvalidParameterValue")),
            (create, "32767", "-1", vec![], Some("InvalidParameterValue")),
            (create, "120", "300", vec![], Some("InvalidParameterValue")),
            ("ReplaceNetworkAclEntry", "100", "-1", vec![], None),
            ("ReplaceNetworkAclEntry", "200", "-1", vec![], Some("InvalidNetworkAclEntry.NotFound")),
            ("DeleteNetworkAclEntry", "100", "-1", vec![], None),
            ("DeleteNetworkAclEntry", "100", "-1", vec![], Some("InvalidNetworkAclEntry.NotFound")),
        ] {
            let mut pairs = vec![("NetworkAclId", id), ("RuleNumber", number), ("Egress", "false")];
            pairs.extend([("Protocol", protocol), ("RuleAction", "allow"), ("CidrBlock", "10.0.0.0/8")]);
            pairs.extend(more);
            let answer = query(&mut world, Service::Ec2, operation, &pairs);
            assert_eq!(answer.err().map(|error| error.code).as_deref(), expected, "{operation} {number} {protocol}");
        }
    }

    #[test]
    fn twenty_entries_in_a_direction() {
        let mut world = world();
        let vpc = world.ec2.vpcs.iter().next().unwrap().0.to_owned();
        let acl = ec2(&mut world, "CreateNetworkAcl", &[("VpcId", &vpc)])["networkAcl"]["networkAclId"].clone();
        let add = |world: &mut World, number: u32| {
            let number = number.to_string();
            let pairs = [("NetworkAclId", acl.as_str().unwrap()), ("RuleNumber", &number), ("Egress", "true")];
            let pairs =
                [&pairs[..], &[("Protocol", "-1"), ("RuleAction", "deny"), ("CidrBlock", "10.0.0.0/8")]].concat();
            query(world, Service::Ec2, "CreateNetworkAclEntry", &pairs).err().map(|error| error.code)
        };
        assert!((1..=20).all(|number| add(&mut world, number).is_none()));
        assert_eq!(add(&mut world, 21).as_deref(), Some("NetworkAclEntryLimitExceeded"));
    }
}
