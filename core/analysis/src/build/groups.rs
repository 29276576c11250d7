//! Security groups and rules.

use sgp_model::{Value, symbol::symbol};

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
    let name = item.view.text("name").map(str::to_owned);
    let group = Group {
        name: name.or_else(|| item.addr.map(ToString::to_string)).unwrap_or_else(|| id.to_string()),
        managed_by: item.addr.cloned(),
        vpc: item.view.id("vpc_id"),
        also_in: item.view.known_ids("associated_vpc_ids"),
        rules,
        may_have_more_rules: is_open,
        tags: item.view.known_labels("tags"),
    };
    // What was gathered live says more than what is recorded.
    let known = builder.topology.groups.entry(id).or_insert_with(|| group.clone());
    if known.managed_by.is_none() && group.managed_by.is_some() {
        known.managed_by = group.managed_by;
        known.rules = if group.rules.is_empty() { std::mem::take(&mut known.rules) } else { group.rules };
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
    let is_same = |one: &Rule, other: &Rule| {
        (one.direction, &one.traffic, &one.peer) == (other.direction, &other.traffic, &other.peer)
    };
    for (id, gone) in std::mem::take(&mut builder.gone) {
        if let Some(group) = builder.topology.groups.get_mut(&id) {
            group.rules.retain(|rule| !gone.iter().any(|it| is_same(it, rule)));
        }
    }
    for (id, rules) in std::mem::take(&mut builder.separate) {
        let group = builder.topology.groups.entry(id.clone()).or_insert_with(|| referred_to(&id));
        for rule in rules {
            // A group that was refreshed tells the rules of their own, too; the address of the rule says more.
            group.rules.retain(|known| {
                !is_same(known, &rule)
                    || matches!(known.origin, Origin::Managed(_))
                        && known.origin != group_origin(group.managed_by.as_ref())
            });
            group.rules.push(rule);
        }
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

fn group_origin(addr: Option<&sgp_model::InstanceAddr>) -> Origin {
    addr.cloned().map_or(Origin::Default, Origin::Managed)
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
