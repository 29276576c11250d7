//! Rules of security groups: the rows, how AWS writes them, and how a call states them.

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn;
use super::kinds::{Kind, kind};
use super::tags::{Tags, tag_set};
use crate::aws::ApiError;
use crate::store::table::Table;
use crate::world::World;

/// Rules as a kind.
pub static KIND: Kind = kind!(
    rules,
    "sgr",
    "security-group-rule",
    "security group rule",
    "InvalidSecurityGroupRuleId.NotFound",
    "InvalidSecurityGroupRuleId.Malformed"
);

/// Rules of a group in one direction, for IPv4 and for IPv6 each (VPC user guide, "Amazon VPC quotas").
const RULES_MAX: usize = 60;

/// Who a rule lets in, or where it lets out to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// An IPv4 block, without host bits.
    Ipv4(Ipv4Net),
    /// An IPv6 block, without host bits.
    Ipv6(Ipv6Net),
    /// A managed prefix list, `pl-...`.
    PrefixList(String),
    /// The interfaces that have a group.
    Group {
        /// `sg-...`.
        group_id: String,
        /// The account of the group.
        user_id: String,
        /// The VPC of the group.
        vpc_id: String,
        /// The peering connection to the group's VPC, when that is another one.
        peering_id: Option<String>,
    },
}

impl Peer {
    /// `0.0.0.0/0`.
    pub fn anywhere_ipv4() -> Self {
        Self::Ipv4(Ipv4Net::default())
    }

    /// `::/0`.
    pub fn anywhere_ipv6() -> Self {
        Self::Ipv6(Ipv6Net::default())
    }

    /// As messages name it.
    fn text(&self) -> String {
        match self {
            Self::Ipv4(block) => block.to_string(),
            Self::Ipv6(block) => block.to_string(),
            Self::PrefixList(id) => id.clone(),
            Self::Group { group_id, .. } => group_id.clone(),
        }
    }
}

/// What a rule allows. No two rules of a group in one direction have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number as text, or `-1` for all.
    pub protocol: String,
    /// The first port, or the ICMP type (-1: all); `None` for protocols that have neither.
    pub from_port: Option<i32>,
    /// The last port, or the ICMP code (-1: all); `None` for protocols that have neither.
    pub to_port: Option<i32>,
    /// With whom.
    pub peer: Peer,
}

impl Spec {
    /// All protocols and ports.
    pub fn everything(peer: Peer) -> Self {
        Self { protocol: "-1".to_owned(), from_port: None, to_port: None, peer }
    }

    /// As `InvalidPermission.Duplicate` tells it: `peer: 10.0.0.0/8, TCP, from port: 22, to port: 22, ALLOW`.
    fn text(&self) -> String {
        let (from, to) = (self.from_port.unwrap_or(-1), self.to_port.unwrap_or(-1));
        let what = match self.protocol.as_str() {
            "-1" => "ALL".to_owned(),
            "tcp" | "udp" => format!("{}, from port: {from}, to port: {to}", self.protocol.to_uppercase()),
            "icmp" | "icmpv6" => format!("{}, type: {from}, code: {to}", self.protocol.to_uppercase()),
            number => format!("protocol: {number}"),
        };
        format!("peer: {}, {what}, ALLOW", self.peer.text())
    }

    /// The refusal of a rule that the group has.
    pub(super) fn duplicate(&self) -> ApiError {
        let message = format!("the specified rule \"{}\" already exists", self.text());
        ApiError::new("InvalidPermission.Duplicate", message)
    }
}

/// A rule of a security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// `sgr-...`.
    pub id: String,
    /// The group it belongs to.
    pub group_id: String,
    /// Whether it lets out; otherwise it lets in.
    pub is_egress: bool,
    /// What it allows.
    pub spec: Spec,
    /// For people.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

impl Rule {
    pub(super) fn cidr(&self) -> Option<String> {
        matches!(self.spec.peer, Peer::Ipv4(_)).then(|| self.spec.peer.text())
    }

    pub(super) fn ipv6_cidr(&self) -> Option<String> {
        matches!(self.spec.peer, Peer::Ipv6(_)).then(|| self.spec.peer.text())
    }

    pub(super) fn prefix_list(&self) -> Option<String> {
        matches!(self.spec.peer, Peer::PrefixList(_)).then(|| self.spec.peer.text())
    }

    pub(super) fn named_group(&self) -> Option<String> {
        matches!(self.spec.peer, Peer::Group { .. }).then(|| self.spec.peer.text())
    }

    pub(super) fn named_user(&self) -> Option<String> {
        match &self.spec.peer {
            Peer::Group { user_id, .. } => Some(user_id.clone()),
            _ => None,
        }
    }

    pub(super) fn first_port_text(&self) -> Option<String> {
        self.spec.from_port.map(|port| port.to_string())
    }

    pub(super) fn last_port_text(&self) -> Option<String> {
        self.spec.to_port.map(|port| port.to_string())
    }

    pub(super) fn protocol_text(&self) -> Option<String> {
        Some(self.spec.protocol.clone())
    }
}

/// A table of rules, by `security-group-rule-id=`, `group-id=`, `group-id/egress=` and `group-id/ingress=`, `referenced-group-id=`, `prefix-list-id=` and
/// `tag:KEY=`.
pub fn table() -> Table<Rule> {
    Table::indexed("ec2.security-group-rules", |rule| {
        let direction = if rule.is_egress { "egress" } else { "ingress" };
        let mut keys = vec![
            format!("security-group-rule-id={}", rule.id),
            format!("group-id={}", rule.group_id),
            format!("group-id/{direction}={}", rule.group_id),
        ];
        match &rule.spec.peer {
            Peer::Group { group_id, .. } => keys.push(format!("referenced-group-id={group_id}")),
            Peer::PrefixList(id) => keys.push(format!("prefix-list-id={id}")),
            Peer::Ipv4(_) | Peer::Ipv6(_) => {}
        }
        keys.extend(rule.tags.iter().map(|(key, value)| format!("tag:{key}={value}")));
        keys
    })
}

/// A group's rules in one direction.
pub fn of<'a>(world: &'a World, group_id: &str, is_egress: bool) -> impl Iterator<Item = &'a Rule> + use<'a> {
    let direction = if is_egress { "egress" } else { "ingress" };
    world.ec2.rules.with(&format!("group-id/{direction}={group_id}")).map(|(_, rule)| rule)
}

/// Adds a rule without any check.
pub fn insert(
    world: &mut World,
    group_id: &str,
    is_egress: bool,
    spec: Spec,
    description: Option<String>,
    tags: Tags,
) -> Rule {
    let id = world.ids.ec2(KIND.prefix);
    let rule = Rule { id: id.clone(), group_id: group_id.to_owned(), is_egress, spec, description, tags };
    world.ec2.rules.insert(id, rule.clone());
    rule
}

/// Checks that a group's rules in one direction are not too many for either family of addresses. A group counts in both, a
/// prefix list as many times as it may have entries.
///
/// # Errors
/// `RulesPerSecurityGroupLimitExceeded`.
pub(super) fn check_count<'a>(world: &World, specs: impl Iterator<Item = &'a Spec>) -> Result<(), ApiError> {
    let (mut ipv4, mut ipv6) = (0, 0);
    for spec in specs {
        let (four, six) = match &spec.peer {
            Peer::Ipv4(_) => (1, 0),
            Peer::Ipv6(_) => (0, 1),
            Peer::Group { .. } => (1, 1),
            Peer::PrefixList(id) => entries(world, id),
        };
        ipv4 += four;
        ipv6 += six;
    }
    if ipv4.max(ipv6) > RULES_MAX {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(ApiError::new("RulesPerSecurityGroupLimitExceeded", message));
    }
    Ok(())
}

/// How many rules a prefix list counts for, in IPv4 and in IPv6.
fn entries(world: &World, id: &str) -> (usize, usize) {
    let Some(list) = world.ec2.prefix_lists.get(id) else { return (1, 1) };
    let count = usize::try_from(list.max_entries).unwrap_or(usize::MAX);
    if list.is_ipv6 { (0, count) } else { (count, 0) }
}

/// Rules as `IpPermissions`: those of one protocol and port range are one permission.
pub(super) fn permissions<'a>(rules: impl Iterator<Item = &'a Rule>) -> Value {
    grouped(rules.map(|rule| (&rule.spec, rule.description.as_deref())))
}

/// The same for what has no rows.
pub(super) fn grouped<'a>(specs: impl Iterator<Item = (&'a Spec, Option<&'a str>)>) -> Value {
    type Heading<'a> = (&'a str, Option<i32>, Option<i32>);
    let mut found: Vec<(Heading<'a>, [Vec<Value>; 4])> = Vec::new();
    for (spec, description) in specs {
        let heading = (spec.protocol.as_str(), spec.from_port, spec.to_port);
        let at = found.iter().position(|(known, _)| *known == heading).unwrap_or_else(|| {
            found.push((heading, Default::default()));
            found.len() - 1
        });
        let (list, value) = range(&spec.peer, description);
        found[at].1[list].push(value);
    }
    let permission = |((protocol, from, to), [groups, ipv4, ipv6, lists]): (Heading<'a>, [Vec<Value>; 4])| {
        json!({
            "ipProtocol": protocol, "fromPort": from, "toPort": to,
            "groups": groups, "ipRanges": ipv4, "ipv6Ranges": ipv6, "prefixListIds": lists,
        })
    };
    found.into_iter().map(permission).collect()
}

/// Which of a permission's lists a peer is in, and how it stands there.
fn range(peer: &Peer, description: Option<&str>) -> (usize, Value) {
    match peer {
        Peer::Group { group_id, user_id, vpc_id, peering_id } => {
            let is_peered = peering_id.is_some();
            let value = json!({
                "groupId": group_id, "userId": user_id, "description": description,
                "vpcId": is_peered.then_some(vpc_id), "vpcPeeringConnectionId": peering_id,
                "peeringStatus": is_peered.then_some("active"),
            });
            (0, value)
        }
        Peer::Ipv4(block) => (1, json!({ "cidrIp": block, "description": description })),
        Peer::Ipv6(block) => (2, json!({ "cidrIpv6": block, "description": description })),
        Peer::PrefixList(id) => (3, json!({ "prefixListId": id, "description": description })),
    }
}

/// A rule as `SecurityGroupRule`.
pub(super) fn render(world: &World, rule: &Rule) -> Value {
    let mut value = revoked(rule);
    if let (Some(members), Peer::Group { group_id, user_id, vpc_id, peering_id }) =
        (value.as_object_mut(), &rule.spec.peer)
    {
        members.remove("referencedGroupId");
        let is_peered = peering_id.is_some();
        let group = json!({
            "groupId": group_id, "userId": user_id, "vpcId": is_peered.then_some(vpc_id),
            "vpcPeeringConnectionId": peering_id, "peeringStatus": is_peered.then_some("active"),
        });
        members.insert("referencedGroupInfo".to_owned(), group);
    }
    value["groupOwnerId"] = json!(world.settings.account);
    value["tagSet"] = tag_set(&rule.tags);
    value["securityGroupRuleArn"] = json!(arn(world, "security-group-rule", &rule.id));
    value
}

/// A rule as `RevokedSecurityGroupRule`. Where a rule has no ports, this says -1.
pub(super) fn revoked(rule: &Rule) -> Value {
    let Spec { protocol, from_port, to_port, .. } = &rule.spec;
    json!({
        "securityGroupRuleId": rule.id, "groupId": rule.group_id, "isEgress": rule.is_egress, "ipProtocol": protocol,
        "fromPort": from_port.unwrap_or(-1), "toPort": to_port.unwrap_or(-1),
        "cidrIpv4": rule.cidr(), "cidrIpv6": rule.ipv6_cidr(), "prefixListId": rule.prefix_list(),
        "referencedGroupId": rule.named_group(), "description": rule.description,
    })
}
