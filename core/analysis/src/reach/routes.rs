//! Routes.
//!
//! Source: docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html.

use crate::{
    sets::{AddressSet, Family},
    topology::{Destination, Fact, Id, Route, Topology},
};

/// What a subnet does with packets to some addresses.
pub(super) enum Way<'a> {
    /// Nobody told its routes.
    Unknown,
    /// The route for these addresses; `None` where there is none.
    Routes(Vec<(AddressSet, Option<(&'a Id, &'a Route)>)>),
}

/// The routes of a subnet to addresses, the most specific ones first. Of two blocks of one length the one that is stated itself
/// counts before one of a prefix list.
pub(super) fn of<'a>(topology: &'a Topology, subnet: &Id, addresses: &AddressSet, family: Family) -> Way<'a> {
    let Some(Fact::Known(id)) = topology.subnets.get(subnet).map(|subnet| &subnet.route_table) else {
        return Way::Unknown;
    };
    let Some(table) = topology.route_tables.get(id) else { return Way::Unknown };
    let mut ranked: Vec<(u8, bool, AddressSet, &Route)> = Vec::new();
    for route in &table.routes {
        match &route.destination {
            Destination::Block(block) if Family::of_block(block) == family => {
                ranked.push((block.prefix_len(), true, AddressSet::from(*block), route));
            }
            Destination::Block(_) => {}
            Destination::PrefixList(list) => {
                let blocks = topology.prefix_lists.get(list).and_then(|list| list.blocks.known());
                for block in blocks.into_iter().flatten().filter(|block| Family::of_block(block) == family) {
                    ranked.push((block.prefix_len(), false, AddressSet::from(*block), route));
                }
            }
        }
    }
    ranked.sort_by_key(|(length, is_stated, ..)| std::cmp::Reverse((*length, *is_stated)));
    let mut rest = addresses.clone();
    let mut ways = Vec::new();
    for (_, _, block, route) in ranked {
        let part = rest.and(&block);
        if !part.is_empty() {
            rest = rest.without(&block);
            ways.push((part, Some((id, route))));
        }
        if rest.is_empty() {
            break;
        }
    }
    if !rest.is_empty() {
        ways.push((rest, None));
    }
    Way::Routes(ways)
}

/// A route in words: `rtb-1: 0.0.0.0/0 -> nat-1`.
pub(super) fn told(table: &Id, route: &Route) -> String {
    format!("{table}: {} -> {}", route.destination, route.target)
}
