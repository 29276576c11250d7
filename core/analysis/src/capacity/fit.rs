//! Whether pods fit, counted as flows: from pods to the nodes that they may go to, and on to subnets.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Amount, Facts, Nodes, NodesOf, Quota, SubnetRow,
    demand::{Needs, Places, Takes, Wanted, wanted},
    flow::{Network, Place, UNLIMITED},
    pools::{Pool, pools},
    subnets, usage,
};
use crate::topology::{Cluster, Id, Topology};

/// Something that runs out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Branch interfaces of nodes.
    Branches(NodesOf),
    /// Addresses of nodes' interfaces.
    Addresses(NodesOf),
    /// Pods that nodes take.
    Pods(NodesOf),
    /// Addresses of a subnet.
    Subnet(Id),
    /// A quota.
    Quota(Quota),
    /// There are no nodes that the pods may go to.
    Nodes,
}

/// `branch interfaces of node group workers`.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branches(nodes) => write!(f, "branch interfaces of {nodes}"),
            Self::Addresses(nodes) => write!(f, "addresses of the interfaces of {nodes}"),
            Self::Pods(nodes) => write!(f, "pods (maxPods) of {nodes}"),
            Self::Subnet(id) => write!(f, "addresses of subnet {id}"),
            Self::Quota(quota) => write!(f, "the quota of {quota}"),
            Self::Nodes => f.write_str("nodes that the pods may go to"),
        }
    }
}

/// Room for pods of some kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// How many more pods fit beside all that is wanted.
    pub more: Amount,
    /// How many pods of this kind fit in all, those that are wanted among them.
    pub takes: Amount,
    /// What runs out first: at the smallest number of pods that it may be.
    pub first: Vec<Resource>,
    /// Pods that are wanted and find no place, of any kind.
    pub pending: Amount,
}

/// Everything that is counted.
pub(super) struct Scene<'a> {
    pub(super) topology: &'a Topology,
    pub(super) cluster: &'a Cluster,
    pub(super) facts: &'a Facts,
    pub(super) pools: Vec<Pool>,
    pub(super) wanted: Wanted,
    /// Interfaces of the cluster's nodes and pods.
    pub(super) ours: BTreeSet<Id>,
    pub(super) subnets: Vec<SubnetRow>,
}

/// How what is not known is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Worst,
    Best,
}

impl Case {
    /// What there is.
    fn supply(self, amount: &Amount) -> u64 {
        match self {
            Self::Worst => amount.least(),
            Self::Best => amount.most().unwrap_or(UNLIMITED),
        }
    }

    /// What is wanted.
    fn demand(self, amount: &Amount) -> u64 {
        match self {
            Self::Worst => amount.most().unwrap_or(UNLIMITED),
            Self::Best => amount.least(),
        }
    }

    fn needs(self, needs: Needs) -> Needs {
        match (needs, self) {
            (Needs::BranchOrAddress, Self::Worst) => Needs::Branch,
            (Needs::BranchOrAddress, Self::Best) => Needs::Address,
            (needs, _) => needs,
        }
    }

    fn places(self, places: &Places) -> BTreeSet<usize> {
        match self {
            Self::Worst => places.surely.clone(),
            Self::Best => places.surely.union(&places.perhaps).copied().collect(),
        }
    }
}

/// What one case says.
struct Outcome {
    more: u64,
    takes: u64,
    pending: u64,
    first: Vec<Resource>,
}

impl<'a> Scene<'a> {
    pub(super) fn of(topology: &'a Topology, cluster: &'a Cluster, facts: &'a Facts, nodes: Nodes) -> Self {
        let pools = pools(topology, cluster, facts, nodes);
        let wanted = wanted(cluster, &pools);
        let ours = subnets::interfaces_of(topology, cluster);
        let mut scene = Self { topology, cluster, facts, pools, wanted, ours, subnets: Vec::new() };
        scene.subnets = subnets::rows(&scene);
        scene
    }

    /// Pools by index.
    pub(super) fn pools_of(&self, owner: &NodesOf) -> BTreeSet<usize> {
        (0..self.pools.len()).filter(|pool| self.pools[*pool].owner == *owner).collect()
    }

    /// Room for pods that take this and may go there.
    pub(super) fn room(&self, needs: Needs, places: &Places) -> Room {
        let [worst, best] = [Case::Worst, Case::Best].map(|case| self.outcome(case, needs, places));
        let why = self.why();
        let why = why.first().map(String::as_str);
        // Each case is exact on nodes and on subnets, but not where both decide: the best one may come out below the worst.
        let amount = |worst: u64, best: u64| {
            Amount::between(worst.min(best), (worst.max(best) < UNLIMITED).then_some(best), why)
        };
        Room {
            more: amount(worst.more, best.more),
            takes: amount(worst.takes, best.takes),
            pending: amount(best.pending, worst.pending),
            first: worst.first,
        }
    }

    /// What is not known, each once.
    pub(super) fn why(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let of_pools = self.pools.iter().flat_map(|it| {
            let shape = &it.shape;
            [&it.nodes, &shape.branches, &shape.max_pods, &shape.addresses, &shape.held_for_pods]
        });
        let of_demands = self.wanted.demands.iter().flat_map(|it| [&it.pods, &it.surge]);
        let of_subnets = self.subnets.iter().map(|it| &it.available);
        for why in of_pools.chain(of_demands).chain(of_subnets).filter_map(Amount::why) {
            if !all.iter().any(|it| it == why) {
                all.push(why.to_owned());
            }
        }
        all
    }

    fn outcome(&self, case: Case, needs: Needs, places: &Places) -> Outcome {
        let outcomes =
            [Side::Nodes, Side::Subnets].map(|side| Flows::of(self, case, side).run(self, case.needs(needs), places));
        let quota = self.by_quota(case, case.needs(needs));
        let least = outcomes.into_iter().chain(quota).reduce(|one, other| {
            let pending = one.pending.max(other.pending);
            let takes = one.takes.min(other.takes);
            let first = if other.more < one.more { other } else { one };
            Outcome { takes, pending, ..first }
        });
        least.unwrap_or(Outcome { more: 0, takes: 0, pending: 0, first: vec![Resource::Nodes] })
    }

    /// Interfaces that the account may have.
    fn by_quota(&self, case: Case, needs: Needs) -> Option<Outcome> {
        if !matches!(needs, Needs::Branch | Needs::Fargate) {
            return None;
        }
        let left = case.supply(&usage::interfaces_for_pods(self));
        let all = (0..self.pools.len()).collect();
        let wanted = case.demand(&self.wanted.taken(&self.pools, &all, Takes::Branch));
        let first = vec![Resource::Quota(Quota::Interfaces)];
        Some(Outcome {
            more: left.saturating_sub(wanted),
            takes: left,
            pending: wanted.saturating_sub(left).min(UNLIMITED),
            first,
        })
    }
}

/// What is counted. Pods of a node and addresses of a subnet cross each other (one kind of pods counts for both, another for one),
/// which no single flow can count; each by itself is exact.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Nodes,
    Subnets,
}

/// The network of a side: pods go in at pools.
struct Flows {
    case: Case,
    side: Side,
    network: Network<Resource>,
    end: Place,
    /// Where pods with branch interfaces, pods that share interfaces, and other pods go in.
    doors: Vec<[Place; 3]>,
    subnets: BTreeMap<Id, Place>,
}

impl Flows {
    fn of(scene: &Scene<'_>, case: Case, side: Side) -> Self {
        let mut network = Network::new();
        let end = network.place();
        let mut flows = Self { case, side, network, end, doors: Vec::new(), subnets: BTreeMap::new() };
        if side == Side::Subnets {
            flows.open_subnets(scene);
        }
        for (pool, daemons) in scene.pools.iter().zip(&scene.wanted.daemons) {
            let left = |amount: &Amount, taken: u64| case.supply(&pool.nodes.times(&amount.minus(&taken.into())));
            let shape = &pool.shape;
            let [branch, address, place] = std::array::from_fn(|_| flows.network.place());
            let owner = || pool.owner.clone();
            let on = flows.beyond(pool, place);
            let mut join = |from, capacity, tag| flows.network.join(from, on, capacity, Some(tag));
            join(branch, left(&shape.branches, daemons.branches), Resource::Branches(owner()));
            join(address, left(&shape.addresses, daemons.addresses), Resource::Addresses(owner()));
            if side == Side::Nodes {
                let pods = left(&shape.max_pods, daemons.pods);
                flows.network.join(place, flows.end, pods, Some(Resource::Pods(owner())));
            }
            flows.doors.push([branch, address, place]);
        }
        flows
    }

    fn open_subnets(&mut self, scene: &Scene<'_>) {
        for row in &scene.subnets {
            let place = self.network.place();
            // At worst nodes hold as many addresses as they ever do, those of the pods that share their interfaces among them.
            let held = subnets::held(&scene.pools, &row.subnet, &0_u64.into());
            let free = self.case.supply(&row.available.minus(&held));
            self.network.join(place, self.end, free, Some(Resource::Subnet(row.subnet.clone())));
            self.subnets.insert(row.subnet.clone(), place);
        }
    }

    /// Where pods of a pool go on to: its place, or its subnet.
    fn beyond(&mut self, pool: &Pool, place: Place) -> Place {
        match (self.side, &pool.pod_subnet) {
            (Side::Nodes, _) => place,
            (Side::Subnets, Some(subnet)) => self.subnets.get(subnet).copied().unwrap_or(self.end),
            // Nobody told where its nodes are.
            (Side::Subnets, None) => self.end,
        }
    }

    /// Sends what is wanted, then as many more of the kind as get through.
    fn run(mut self, scene: &Scene<'_>, needs: Needs, places: &Places) -> Outcome {
        let (mut pending, mut takes) = (0_u64, 0_u64);
        let mut count = |of: Needs, wanted: u64, sent: u64| {
            pending = pending.saturating_add(wanted - sent);
            takes += if of == needs { sent } else { 0 };
        };
        for ((of, pool), pods) in &scene.wanted.bound {
            let of = self.case.needs(*of);
            self.send(scene, of, &BTreeSet::from([*pool]), *pods);
            // They run, whatever is counted.
            count(of, *pods, *pods);
        }
        for ((of, places), pods) in &scene.wanted.free {
            let (of, wanted) = (self.case.needs(*of), self.case.demand(pods));
            let (sent, _) = self.send(scene, of, &self.case.places(places), wanted);
            count(of, wanted, sent);
        }
        let (more, first) = self.send(scene, needs, &self.case.places(places), UNLIMITED);
        Outcome { more, takes: takes.saturating_add(more), pending, first }
    }

    /// Sends pods to pools: how many get through, and what keeps more from it.
    fn send(&mut self, scene: &Scene<'_>, needs: Needs, to: &BTreeSet<usize>, wanted: u64) -> (u64, Vec<Resource>) {
        if !self.counts(needs) {
            return (wanted, Vec::new());
        }
        let from = self.network.place();
        if needs == Needs::Fargate {
            for subnet in subnets::fargate(scene.cluster) {
                let place = self.subnets.get(subnet).copied().unwrap_or(self.end);
                self.network.join(from, place, UNLIMITED, None);
            }
        } else {
            for pool in to {
                let [branch, address, place] = self.doors[*pool];
                let door = match needs {
                    Needs::Branch => branch,
                    Needs::Address => address,
                    _ => place,
                };
                self.network.join(from, door, UNLIMITED, None);
            }
        }
        let sent = self.network.send(from, self.end, wanted);
        let mut first = self.network.bottleneck(from);
        if first.is_empty() {
            first.push(Resource::Nodes);
        }
        (sent, first)
    }

    /// Whether pods of a kind count on this side.
    fn counts(&self, needs: Needs) -> bool {
        match (self.side, needs) {
            (Side::Nodes, Needs::Fargate) | (Side::Subnets, Needs::Nothing) => false,
            // At worst their addresses are among those that nodes hold.
            (Side::Subnets, Needs::Address) => self.case == Case::Best,
            _ => true,
        }
    }
}

/// Places of all pools.
pub(super) fn everywhere(scene: &Scene<'_>) -> Places {
    Places { surely: (0..scene.pools.len()).collect(), perhaps: BTreeSet::new() }
}
