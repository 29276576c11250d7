//! The nodes of a cluster, in pools of the same: those that run, and those that node groups will have.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use super::{Amount, Facts, NodeShape, Nodes, Setting};
use crate::topology::{Cluster, Fact, Id, InterfaceKind, Labels, Node, NodeGroup, Topology};

/// Whose nodes they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodesOf {
    /// A managed node group.
    Group(Id),
    /// A NodePool of Karpenter.
    NodePool(String),
    /// Nodes that are in neither.
    Nobody,
}

/// `node group workers`.
impl fmt::Display for NodesOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "node group {name}"),
            Self::NodePool(name) => write!(f, "node pool {name}"),
            Self::Nobody => f.write_str("other nodes"),
        }
    }
}

/// Nodes that are alike: of one owner, one shape, in one subnet.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) owner: NodesOf,
    /// Where they are.
    pub(super) subnet: Option<Id>,
    /// Where their pods and branch interfaces are.
    pub(super) pod_subnet: Option<Id>,
    pub(super) nodes: Amount,
    pub(super) shape: NodeShape,
    pub(super) labels: NodeLabels,
    /// Those of them that run.
    pub(super) running: Vec<String>,
}

/// Labels of nodes, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeLabels {
    pub(super) known: Labels,
    /// Whether they have no others.
    pub(super) is_complete: bool,
}

/// Labels that kubelet, EKS and AWS's cloud provider give nodes, whoever made them.
const GIVEN: [&str; 4] = ["kubernetes.io/", "node.kubernetes.io/", "topology.kubernetes.io/", "eks.amazonaws.com/"];
const GROUP: &str = "eks.amazonaws.com/nodegroup";
const NODE_POOL: &str = "karpenter.sh/nodepool";
pub(super) const OS: &str = "kubernetes.io/os";
pub(super) const WINDOWS: &str = "windows";
const TYPE: &str = "node.kubernetes.io/instance-type";

impl NodeLabels {
    /// Whether nodes have all of these; unknown when one is of those that somebody gives them later.
    pub(super) fn have(&self, wanted: &Labels) -> Fact<bool> {
        let mut answer = Fact::Known(true);
        for (key, value) in wanted {
            match self.known.get(key) {
                Some(theirs) if theirs == value => {}
                None if !self.is_complete && GIVEN.iter().any(|it| key.starts_with(it)) => answer = Fact::Unknown,
                _ => return Fact::Known(false),
            }
        }
        answer
    }
}

/// The pools of a cluster.
pub(super) fn pools(topology: &Topology, cluster: &Cluster, facts: &Facts, nodes: Nodes) -> Vec<Pool> {
    let maker =
        Maker { topology, cluster, facts, setting: facts.setting(cluster).with_types(&topology.instance_types) };
    let mut running: BTreeMap<NodesOf, Vec<(&String, &Node)>> = BTreeMap::new();
    for (name, node) in &cluster.nodes {
        running.entry(owner(node)).or_default().push((name, node));
    }
    let mut pools = Vec::new();
    for (name, group) in &cluster.node_groups {
        let ours = running.remove(&NodesOf::Group(name.clone())).unwrap_or_default();
        pools.extend(maker.group(name, group, &ours, nodes));
    }
    for (owner, theirs) in &running {
        pools.extend(maker.running(owner, theirs));
    }
    pools
}

fn owner(node: &Node) -> NodesOf {
    match (node.labels.get(GROUP), node.labels.get(NODE_POOL)) {
        (Some(group), _) => NodesOf::Group(Id::from(group.as_str())),
        (None, Some(pool)) => NodesOf::NodePool(pool.clone()),
        (None, None) => NodesOf::Nobody,
    }
}

fn is_windows(group: &NodeGroup) -> bool {
    group.ami_type.known().is_some_and(|it| it.starts_with("WINDOWS"))
}

struct Maker<'a> {
    topology: &'a Topology,
    cluster: &'a Cluster,
    facts: &'a Facts,
    setting: Setting,
}

impl Maker<'_> {
    /// Nodes that run count as they are. A group that gets more of them has them made anew; one that gets fewer, too, because
    /// nobody knows which go.
    fn group(&self, name: &Id, group: &NodeGroup, running: &[(&String, &Node)], nodes: Nodes) -> Vec<Pool> {
        let owner = NodesOf::Group(name.clone());
        let count = group.size.known().map(|(_, desired, most)| match nodes {
            Nodes::Wanted => *desired,
            Nodes::Most => *most.max(desired),
        });
        let have = u32::try_from(running.len()).unwrap_or(u32::MAX);
        match count {
            None if running.is_empty() => {
                let nodes = Amount::unknown(format!("the size of {owner} is not known"));
                let places: Vec<Option<&Id>> = group.subnets.iter().map(Some).collect();
                let places = if places.is_empty() { vec![None] } else { places };
                places.into_iter().map(|subnet| self.planned(name, group, subnet, nodes.clone())).collect()
            }
            None => self.running(&owner, running),
            Some(count) if count >= have => {
                let mut pools = self.running(&owner, running);
                pools.extend(self.spread(name, group, count - have));
                pools
            }
            Some(count) => self.spread(name, group, count),
        }
    }

    /// New nodes, evenly over the group's subnets, as Auto Scaling balances zones; the first ones get what is left over.
    fn spread(&self, name: &Id, group: &NodeGroup, count: u32) -> Vec<Pool> {
        let places = u32::try_from(group.subnets.len()).unwrap_or(u32::MAX);
        if places == 0 {
            return vec![self.planned(name, group, None, count.into())];
        }
        let share = |place: u32| count / places + u32::from(place < count % places);
        let pool = |(place, subnet): (u32, &Id)| self.planned(name, group, Some(subnet), share(place).into());
        (0..).zip(&group.subnets).map(pool).collect()
    }

    fn planned(&self, name: &Id, group: &NodeGroup, subnet: Option<&Id>, nodes: Amount) -> Pool {
        Pool {
            owner: NodesOf::Group(name.clone()),
            subnet: subnet.cloned(),
            pod_subnet: subnet.map(|it| self.pod_subnet(it)),
            nodes,
            shape: self.shape(name, group),
            labels: self.labels(name, group, subnet),
            running: Vec::new(),
        }
    }

    /// A node of the group. Of several types, EKS tells all nodes the smallest number of pods ("Considerations",
    /// docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html).
    fn shape(&self, name: &Id, group: &NodeGroup) -> NodeShape {
        let owner = NodesOf::Group(name.clone());
        let types = group.instance_types.known().filter(|types| !types.is_empty());
        let Some(types) = types else {
            return NodeShape::unknown(&format!("the instance types of {owner} are not known"));
        };
        let mut setting = self.setting.clone();
        if is_windows(group) {
            // Not for Windows (docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html).
            setting.pod_eni = Fact::Known(false);
        }
        let shapes: Vec<NodeShape> = types.iter().map(|it| NodeShape::of(it, &setting)).collect();
        let smallest = shapes.iter().map(|it| it.max_pods.clone()).reduce(|one, other| one.min(&other));
        let hull = shapes.into_iter().reduce(|one, other| one.or(&other));
        let Some(mut shape) = hull else { return NodeShape::unknown("no type") };
        let is_custom = group.ami_type.known().is_some_and(|it| it == "CUSTOM");
        shape.max_pods = match (self.facts.max_pods.get(name), smallest) {
            (Some(stated), _) => (*stated).into(),
            (None, Some(pods)) if !is_custom => pods,
            _ => Amount::unknown(format!(
                "the image of {owner} is a custom one, and decides how many pods its nodes take"
            )),
        };
        shape
    }

    fn labels(&self, name: &Id, group: &NodeGroup, subnet: Option<&Id>) -> NodeLabels {
        let mut known = group.labels.clone();
        let mut give = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                known.insert(key.to_owned(), value.to_owned());
            }
        };
        let image = group.ami_type.known().map(String::as_str).unwrap_or_default();
        let processor =
            if image.contains("ARM_64") { Some("arm64") } else { image.contains("x86_64").then_some("amd64") };
        let zone = subnet.and_then(|it| self.topology.subnets.get(it)?.zone.known());
        give(GROUP, Some(name.as_str()));
        give(OS, Some(if is_windows(group) { WINDOWS } else { "linux" }));
        give("kubernetes.io/arch", processor);
        give("topology.kubernetes.io/zone", zone.map(String::as_str));
        if let Some([only]) = group.instance_types.known().map(Vec::as_slice) {
            give(TYPE, Some(only));
        }
        NodeLabels { known, is_complete: false }
    }

    fn running(&self, owner: &NodesOf, nodes: &[(&String, &Node)]) -> Vec<Pool> {
        let mut pools: Vec<Pool> = Vec::new();
        for (name, node) in nodes {
            let pool = self.runs(owner, name, node);
            // Notes name nodes; they are no reason for a pool of its own.
            let is_alike = |it: &&mut Pool| {
                let shape = NodeShape { notes: pool.shape.notes.clone(), ..it.shape.clone() };
                it.subnet == pool.subnet && shape == pool.shape && it.labels.known == pool.labels.known
            };
            match pools.iter_mut().find(is_alike) {
                None => pools.push(pool),
                Some(like) => {
                    like.nodes = like.nodes.plus(&pool.nodes);
                    like.running.extend(pool.running);
                    like.shape.notes.extend(pool.shape.notes);
                    like.shape.notes.dedup();
                }
            }
        }
        pools
    }

    fn runs(&self, owner: &NodesOf, name: &str, node: &Node) -> Pool {
        let shape = match &node.instance_type {
            Some(instance_type) => NodeShape::of(instance_type, &self.setting),
            None => NodeShape::unknown(&format!("the type of node {name} is not known")),
        };
        let subnet = self.subnet(node);
        let mut labels = node.labels.clone();
        // Each node's own, which would keep nodes from being alike.
        labels.remove("kubernetes.io/hostname");
        Pool {
            owner: owner.clone(),
            pod_subnet: subnet.as_ref().map(|it| self.pod_subnet(it)),
            subnet,
            nodes: 1_u64.into(),
            shape: shape.running(name, node),
            labels: NodeLabels { known: labels, is_complete: true },
            running: vec![name.to_owned()],
        }
    }

    /// The subnet of a node: its first interface's, else the one that has its address.
    fn subnet(&self, node: &Node) -> Option<Id> {
        let interfaces = self.topology.interfaces.values().filter(|it| it.kind == InterfaceKind::Node);
        let mut first = interfaces.filter(|it| it.device_index == Some(0) && it.instance.is_some());
        let by_interface = first.find(|it| it.instance == node.instance).map(|it| it.subnet.clone());
        by_interface.or_else(|| node.addresses.iter().find_map(|address| self.subnet_with(*address)))
    }

    fn subnet_with(&self, address: IpAddr) -> Option<Id> {
        let vpc = self.cluster.vpc.known()?;
        let mut subnets = self.topology.subnets.iter().filter(|(_, it)| it.vpc.known() == Some(vpc));
        let has = |blocks: &Vec<ipnet::IpNet>| blocks.iter().any(|block| block.contains(&address));
        subnets.find(|(_, it)| it.blocks.known().is_some_and(has)).map(|(id, _)| id.clone())
    }

    fn pod_subnet(&self, subnet: &Id) -> Id {
        self.facts.pod_subnets.get(subnet).unwrap_or(subnet).clone()
    }
}
