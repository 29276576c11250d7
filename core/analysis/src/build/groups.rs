//! Security groups and rules.

use std::collections::btree_map::Entry;

use sgp_model::{
    Value,
    symbol::{is_in, symbol},
};

use super::{Builder, Item, View};
use crate::{
    sets::{Protocol, Traffic},
    topology::{Direction, Fact, Group, Id, Origin, Peer, Rule},
};

/// `aws_security_group`.
pub(super) fn group(builder: &mut Builder, item: &Item<'_>) {
    let Some(id) = item.id() else { return };
    let origin = item.addr.cloned().map_or_else(|| Origin::Live(id.clone()), Origin::Managed);
    let mut rules = Vec::new();
    let mut is_open = false;
    for (name, direction) in [("ingress", Direction::Ingress), ("egress", Direction::Egress)] {
        match item.view.elements(name) {
            Fact::Known(blocks) => {
                rules.extend(blocks.into_iter().flat_map(|block| inline(&View(block), direction, &id, &origin)));
            }
            // Known after apply: a new group has none but those that the configuration gives it.
            Fact::Unknown => is_open |= !id.is_symbolic(),
        }
    }
    // Where AWS makes the name out of a prefix the address says more than a symbol.
    let name = item.view.text("name").filter(|it| !is_in(it)).map(str::to_owned);
    let group = Group {
        name: name.or_else(|| item.addr.map(ToString::to_string)).unwrap_or_else(|| id.to_string()),
        managed_by: item.addr.cloned(),
        vpc: item.view.id("vpc_id"),
        also_in: item.view.known_ids("associated_vpc_ids"),
        rules,
        may_have_more_rules: is_open,
        tags: item.view.known_labels("tags"),
    };
    if item.addr.is_none() {
        builder.sighted.insert(id.clone());
    }
    match builder.topology.groups.entry(id) {
        Entry::Vacant(entry) => drop(entry.insert(group)),
        // Recorded and seen: what it is called is the same, and which of the rules count is decided at the end.
        Entry::Occupied(mut entry) => {
            let known = entry.get_mut();
            known.managed_by = known.managed_by.take().or(group.managed_by);
            known.rules.extend(group.rules);
            known.may_have_more_rules &= group.may_have_more_rules;
            if item.addr.is_none() {
                known.tags = group.tags;
            }
        }
    }
}

/// The rules of an `ingress` or `egress` block: one for each source.
fn inline(block: &View<'_>, direction: Direction, group: &Id, origin: &Origin) -> Vec<Rule> {
    let traffic = traffic(block, "protocol");
    let rule = |peer| Rule {
        direction,
        traffic: traffic.clone(),
        peer,
        origin: origin.clone(),
        description: block.text("description").unwrap_or_default().to_owned(),
    };
    let mut peers: Vec<Peer> = Vec::new();
    for name in ["cidr_blocks", "ipv6_cidr_blocks"] {
        peers.extend(each(block, name, |text| super::view::parse_block(text).map(Peer::Block)));
    }
    peers.extend(each(block, "prefix_list_ids", |text| Some(Peer::PrefixList(Id::from(text)))));
    peers.extend(each(block, "security_groups", |text| Some(Peer::Group(group_of(text)))));
    if block.flag("self") == Fact::Known(true) {
        peers.push(Peer::Group(group.clone()));
    }
    peers.into_iter().map(rule).collect()
}

fn each(block: &View<'_>, name: &str, read: impl Fn(&str) -> Option<Peer>) -> Vec<Peer> {
    match block.elements(name) {
        Fact::Unknown => vec![Peer::Unknown],
        Fact::Known(elements) => {
            let peer =
                |value: &Value| if value.is_known() { value.as_str().and_then(&read) } else { Some(Peer::Unknown) };
            elements.into_iter().filter_map(peer).collect()
        }
    }
}

/// A group by its id; one of another account comes with the account before it: `123456789012/sg-...`.
fn group_of(text: &str) -> Id {
    Id::from(text.rsplit_once('/').map_or(text, |(_, id)| id))
}

/// `aws_vpc_security_group_ingress_rule` and its sibling.
pub(super) fn rule(builder: &mut Builder, item: &Item<'_>) {
    if let Some((group, rule)) = separate_rule(item) {
        builder.separate.entry(group).or_default().push(rule);
    }
}

/// A rule of its own, with its group. The type is told by the address or, of what was gathered live, by `is_egress`.
pub(super) fn separate_rule(item: &Item<'_>) -> Option<(Id, Rule)> {
    let view = &item.view;
    let by_type = item.addr.map(|addr| addr.resource.type_name.as_ref());
    let direction = match (by_type, view.flag("is_egress")) {
        (Some("aws_vpc_security_group_ingress_rule"), _) | (None, Fact::Known(false)) => Direction::Ingress,
        (Some("aws_vpc_security_group_egress_rule"), _) | (None, Fact::Known(true)) => Direction::Egress,
        _ => return None,
    };
    let group = group_of(view.text("security_group_id")?);
    let block = ["cidr_ipv4", "cidr_ipv6"].into_iter().find_map(|name| view.block_of_addresses(name));
    let list = view.text("prefix_list_id").map(|id| Peer::PrefixList(Id::from(id)));
    let other = view.text("referenced_security_group_id").map(|id| Peer::Group(group_of(id)));
    let id = view.text("security_group_rule_id").or_else(|| view.text("id"));
    let live = || Origin::Live(Id::from(id.unwrap_or_default()));
    let rule = Rule {
        direction,
        traffic: traffic(view, "ip_protocol"),
        peer: block.map(Peer::Block).or(list).or(other).unwrap_or(Peer::Unknown),
        origin: item.addr.cloned().map_or_else(live, Origin::Managed),
        description: view.text("description").unwrap_or_default().to_owned(),
    };
    Some((group, rule))
}

/// What a rule lets pass. `protocol` is the attribute with the protocol.
fn traffic(view: &View<'_>, protocol: &str) -> Fact<Traffic> {
    let Fact::Known(name) = view.fact(protocol) else { return Fact::Unknown };
    let name = name.unwrap_or("-1");
    if name == "-1" || name.eq_ignore_ascii_case("all") {
        return Fact::Known(Traffic::all());
    }
    let Some(protocol) = Protocol::named(name) else { return Fact::Unknown };
    let is_open = |name: &str| view.get(name).is_some_and(|value| !value.is_known());
    if is_open("from_port") || is_open("to_port") {
        return Fact::Unknown;
    }
    let (from, to) = (view.number("from_port").unwrap_or(-1), view.number("to_port").unwrap_or(-1));
    Fact::Known(ports(protocol, from, to))
}

/// Ports, or ICMP types and codes; -1 is any.
pub(super) fn ports(protocol: Protocol, from: i64, to: i64) -> Traffic {
    if protocol == Protocol::ICMP || protocol == Protocol::ICMPV6 {
        return Traffic::icmp(protocol, u8::try_from(from).ok(), u8::try_from(to).ok());
    }
    match (u16::try_from(from), u16::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to => Traffic::of(protocol, from..=to),
        (Ok(from), _) => Traffic::port(protocol, from),
        (Err(_), _) => Traffic::protocol(protocol),
    }
}

/// Puts rules of their own with their groups.
pub(super) fn finish(builder: &mut Builder) {
    for (id, rules) in std::mem::take(&mut builder.separate) {
        let group = builder.topology.groups.entry(id.clone()).or_insert_with(|| referred_to(&id));
        group.rules.extend(rules);
    }
    for (id, group) in &mut builder.topology.groups {
        if let Some(gone) = builder.gone.get(id) {
            // What comes back in the same words is not gone: its new object is separate and comes last.
            let own = group.managed_by.clone().map(Origin::Managed);
            let is_old = |rule: &Rule| matches!(rule.origin, Origin::Live(_)) || Some(&rule.origin) == own.as_ref();
            group.rules.retain(|rule| !(is_old(rule) && gone.iter().any(|it| is_same(it, rule))));
        }
        let seen = builder.sighted.contains(id) && !builder.is_planned;
        group.rules = once_each(std::mem::take(&mut group.rules), seen);
    }
    for cluster in builder.topology.clusters.values() {
        if let Fact::Known(id) = &cluster.group {
            let group = builder.topology.groups.entry(id.clone()).or_insert_with(|| referred_to(id));
            if group.managed_by.is_none() && group.name == id.to_string() {
                make_cluster_group(group, id, cluster);
            }
        }
    }
}

fn is_same(one: &Rule, other: &Rule) -> bool {
    (one.direction, &one.traffic, &one.peer) == (other.direction, &other.traffic, &other.peer)
}

/// Each rule once, told by the object that makes it where there is one: the rule's own before the group's. When the group was seen
/// (`seen`), what is recorded and not there does not count.
fn once_each(rules: Vec<Rule>, seen: bool) -> Vec<Rule> {
    let is_live = |rule: &Rule| matches!(rule.origin, Origin::Live(_));
    let mut all: Vec<(Rule, bool)> = Vec::new();
    for rule in rules {
        let live = is_live(&rule);
        match all.iter_mut().find(|(known, _)| is_same(known, &rule)) {
            None => all.push((rule, live)),
            Some((known, is_seen)) => {
                *is_seen |= live;
                // Rules of their own come after those in their group.
                if !live {
                    known.origin = rule.origin;
                }
            }
        }
    }
    all.into_iter().filter(|(_, is_seen)| !seen || *is_seen).map(|(rule, _)| rule).collect()
}

/// A group that something refers to and nothing describes.
fn referred_to(id: &Id) -> Group {
    Group { name: id.to_string(), may_have_more_rules: true, ..Group::default() }
}

/// The group that EKS makes for a cluster: everything from itself, and everything out
/// (docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html).
fn make_cluster_group(group: &mut Group, id: &Id, cluster: &crate::topology::Cluster) {
    let rule = |direction, peer| Rule {
        direction,
        traffic: Fact::Known(Traffic::all()),
        peer,
        origin: Origin::Default,
        description: String::new(),
    };
    group.name =
        cluster.managed_by.as_ref().map_or_else(|| id.to_string(), |addr| format!("the cluster group of {addr}"));
    group.vpc = cluster.vpc.clone();
    group.rules.push(rule(Direction::Ingress, Peer::Group(id.clone())));
    group.rules.push(rule(Direction::Egress, Peer::Block(ipnet::Ipv4Net::default().into())));
    group.rules.push(rule(Direction::Egress, Peer::Block(ipnet::Ipv6Net::default().into())));
    // One that exists may have been given others since.
    group.may_have_more_rules = !id.is_symbolic();
}

/// The symbol for the group of a cluster that does not exist yet.
pub(super) fn cluster_group_symbol(addr: &sgp_model::InstanceAddr) -> Id {
    Id::from(symbol(&format!("{addr}.vpc_config[0].cluster_security_group_id")))
}
