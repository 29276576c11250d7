//! What passes to pods by load balancers: from everybody, and from the addresses that a load balancer lets in.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{
    ask::{Answer, Delivery, Placement, Question, ask},
    classes::{Classes, Passages},
    end::{End, Wire},
    front::{Backing, Balancer, Door, Front, Judge, through},
    matrix::ANYWHERE,
};
use crate::{
    sets::{AddressSet, Passage, Traffic},
    topology::{Cluster, Direction, Fact, Id, Peer, Topology},
};

/// What passes by a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    /// Who begins: `any`, or a block.
    pub from: String,
    /// The pods that answer, by their workload.
    pub to: String,
    /// What it is made for: `ingress app/web`.
    pub by: String,
    /// Whether it has public addresses.
    pub is_public: Fact<bool>,
    /// What passes, by its own ports.
    pub passage: Passage,
}

/// All of it; what nothing passes by is left out.
pub(super) fn all(topology: &Topology, classes: &Classes<'_>, known: &mut Passages) -> Vec<Through> {
    let mut judge = Walked { topology, classes, known };
    let mut found = Vec::new();
    let several = topology.clusters.len() > 1;
    for (id, cluster) in &topology.clusters {
        let prefix = if several { format!("{id}:") } else { String::new() };
        for (by, front) in fronts(topology, id, cluster) {
            found.extend(of_front(topology, &mut judge, &front, &by, &prefix));
        }
    }
    found
}

/// What has a load balancer, with its name.
fn fronts(topology: &Topology, id: &Id, cluster: &Cluster) -> Vec<(String, Front)> {
    let services = cluster.services.iter().filter(|(_, it)| it.kind == "LoadBalancer");
    let services = services.filter_map(|((namespace, name), _)| {
        let front = Front::of_service(topology, id, cluster, namespace, name)?;
        Some((format!("svc {namespace}/{name}"), front))
    });
    let ingresses = cluster.ingresses.keys().filter_map(|(namespace, name)| {
        let front = Front::of_ingress(topology, id, cluster, namespace, name)?;
        Some((format!("ingress {namespace}/{name}"), front))
    });
    services.chain(ingresses).collect()
}

fn of_front(topology: &Topology, judge: &mut Walked<'_, '_>, front: &Front, by: &str, prefix: &str) -> Vec<Through> {
    let mut found: BTreeMap<(String, String), (Passage, Fact<bool>)> = BTreeMap::new();
    for door in &front.doors {
        // Of what serves another class nothing is known.
        let Some(balancer) = door.balancer().filter(|it| it.problem.is_none()) else { continue };
        for (to, pods) in by_name(door) {
            for from in clients(topology, balancer) {
                let passage = through(topology, judge, &from, door, Some(&pods)).passage;
                if passage.is_closed() {
                    continue;
                }
                // Who is among all addresses needs no line of its own.
                let is_certain = from.name == ANYWHERE && !passage.certain.is_empty();
                let key = (from.name, format!("{prefix}{to}"));
                let known = found.entry(key).or_insert_with(|| (Passage::none(), balancer.is_public));
                known.0 = known.0.or(&passage);
                if is_certain {
                    break;
                }
            }
        }
    }
    let row = |((from, to), (passage, is_public))| Through { from, to, by: by.to_owned(), is_public, passage };
    found.into_iter().map(row).collect()
}

fn by_name(door: &Door) -> BTreeMap<&str, Vec<&Backing>> {
    let mut all: BTreeMap<&str, Vec<&Backing>> = BTreeMap::new();
    for backing in &door.behind.pods {
        all.entry(backing.name.as_str()).or_default().push(backing);
    }
    all
}

/// Everybody, and the blocks that the load balancer's groups or its controller name. Everybody comes first.
fn clients(topology: &Topology, balancer: &Balancer) -> Vec<End> {
    let everybody = End { wire: Wire::Anywhere, ..End::outside(ANYWHERE, AddressSet::all()) };
    let groups = balancer.groups.known().into_iter().flatten().filter_map(|id| topology.groups.get(id));
    let rules = groups.flat_map(|group| &group.rules).filter(|rule| rule.direction == Direction::Ingress);
    let named = rules.filter_map(|rule| match &rule.peer {
        Peer::Block(block) => Some(*block),
        _ => None,
    });
    let stated = balancer.client_blocks.iter().copied();
    let blocks: BTreeSet<IpNet> = named.chain(stated).filter(|block| block.prefix_len() > 0).collect();
    let narrow = blocks.into_iter().map(|block| {
        let addresses = AddressSet::from(block);
        End { wire: Wire::Anywhere, ..End::outside(block.to_string(), addresses) }
    });
    let is_for_all = balancer.client_blocks.is_empty() || balancer.client_blocks.iter().any(|it| it.prefix_len() == 0);
    is_for_all.then_some(everybody).into_iter().chain(narrow).collect()
}

/// A judge that walks each kind of leg once.
struct Walked<'a, 'b> {
    topology: &'a Topology,
    classes: &'a Classes<'a>,
    known: &'b mut Passages,
}

impl Judge for Walked<'_, '_> {
    fn ask(&mut self, from: &End, to: &End, wanted: &Traffic, delivery: Delivery, placement: Placement) -> Answer {
        let key = (self.classes.key(self.known, from, to), wanted.clone(), delivery);
        let passage = self.known.legs.entry(key).or_insert_with(|| {
            // What pods on one node do in standard mode is not told of.
            let placement = if placement == Placement::Either { Placement::OtherNode } else { placement };
            let question = Question { wanted: wanted.clone(), delivery, placement, ..Question::new(from, to) };
            ask(self.topology, &Question { counts_unknown_rules: false, ..question }).passage
        });
        Answer { passage: passage.clone(), hops: Vec::new(), assumptions: BTreeSet::new(), fixes: Vec::new() }
    }
}
