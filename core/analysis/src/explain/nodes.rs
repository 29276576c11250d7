//! Nodes and node groups: whether they carry branch interfaces.

use super::{Explanation, events};
use crate::{
    limits,
    topology::{Cluster, Fact, Id, Interface, InterfaceKind, Labels, Node, NodeGroup, Pod, Topology},
};

/// The label of a managed node group's nodes.
const NODE_GROUP: &str = "eks.amazonaws.com/nodegroup";

const NOBODY_ASKS: &str = "Nothing asks for a trunk.";
const NO_TRUNK: &str = "Look at its events (kubectl describe node): TrunkENICreationFailed is the cluster role's policies (sgp explain SGP001), \
                        Unsupported the type, and a node whose interfaces are all in use has no slot for the trunk.";
const NOT_ASKED: &str = "Look at aws-node on that node: it writes SecurityGroupsForPods there when pod ENI is on and a slot for an interface is \
                         free. A node that was full when pod ENI came on has to be made anew.";
const NO_CNI_NODE: &str = "AWS's controller makes one for each node: look at the node's events (CNINodeCreationFailed) and at the definition \
                           cninodes.vpcresources.k8s.aws.";

/// Why a node has no trunk.
pub(super) struct Failure {
    /// In words.
    pub(super) what: String,
    /// What to do.
    pub(super) remedy: String,
    verdict: &'static str,
}

/// Follows what makes a node carry branch interfaces. `None` when there is no such node.
pub(super) fn node(topology: &Topology, cluster: &Cluster, name: &str) -> Option<Explanation> {
    let it = cluster.nodes.get(name)?;
    let mut told = Explanation::of(format!("node {name}"));
    Some(match follow(&mut told, topology, cluster, (name, it)) {
        Ok(verdict) => told.is(verdict),
        Err(Failure { what, remedy, verdict }) => told.fails(what, remedy, verdict),
    })
}

/// Why a node cannot carry pods with groups; `None` when it can, or nobody can say.
pub(super) fn failure(topology: &Topology, cluster: &Cluster, name: &str) -> Option<Failure> {
    let it = cluster.nodes.get(name)?;
    follow(&mut Explanation::of(""), topology, cluster, (name, it)).err()
}

fn fails<T>(what: impl Into<String>, remedy: impl Into<String>, verdict: &'static str) -> Result<T, Failure> {
    Err(Failure { what: what.into(), remedy: remedy.into(), verdict })
}

/// The steps of a node, one after the other.
fn follow(
    told: &mut Explanation,
    topology: &Topology,
    cluster: &Cluster,
    (name, node): (&str, &Node),
) -> Result<String, Failure> {
    match node.instance_type.as_deref() {
        None => told.told("its instance type is not known"),
        Some(kind) => of_type(told, kind)?,
    }
    if cluster.cni.pod_eni == Fact::Known(false) {
        let remedy = "Add a sgp_pod_eni; nodes that are full by then have to be made anew.";
        return fails("ENABLE_POD_ENI is not \"true\" on the VPC CNI", remedy, NOBODY_ASKS);
    }
    asked(told, cluster, name)?;
    let is_its = |(_, it): &(&Id, &Interface)| it.kind == InterfaceKind::Trunk && it.instance == node.instance;
    if let Some((trunk, _)) = topology.interfaces.iter().find(|it| node.instance.is_some() && is_its(it)) {
        told.fine(format!("it has trunk interface {trunk}"));
    }
    let Some(offers) = node.pod_eni.filter(|it| *it > 0) else {
        let event = events::of_trunk(cluster, name);
        let why = event.as_ref().map(|it| format!(": {}", it.told)).unwrap_or_default();
        let remedy = event.map_or(NO_TRUNK, |it| it.remedy);
        return fails(format!("it offers no vpc.amazonaws.com/pod-eni{why}"), remedy, "It has no trunk.");
    };
    told.fine(format!("it offers {offers} vpc.amazonaws.com/pod-eni"));
    let is_there = |pod: &&Pod| pod.node.as_deref() == Some(name) && pod.branch.is_some();
    let used = cluster.pods.values().filter(is_there).count();
    Ok(format!("{used} of {offers} branch interfaces are in use there."))
}

/// Whether an instance type carries branch interfaces.
fn of_type(told: &mut Explanation, kind: &str) -> Result<(), Failure> {
    match limits::of(kind) {
        None => told.told(format!("{kind} is in no table of instance types that sgp has")),
        Some(it) if !it.trunk_compatible => {
            let remedy = "Take a type that does: sgp explain SGP101.";
            let verdict = "Pods with groups of their own cannot run there.";
            return fails(format!("{kind} carries no trunk interface"), remedy, verdict);
        }
        Some(it) => told.fine(format!("{kind} carries {} branch interfaces", it.branch_enis)),
    }
    Ok(())
}

/// Whether the CNI on the node asked for a trunk.
fn asked(told: &mut Explanation, cluster: &Cluster, name: &str) -> Result<(), Failure> {
    match cluster.cni_nodes.get(name) {
        Some(it) if it.wants_trunk => told.fine("its CNINode asks for a trunk (SecurityGroupsForPods)"),
        Some(_) => return fails("its CNINode does not ask for a trunk", NOT_ASKED, NOBODY_ASKS),
        None if cluster.cni_nodes.is_empty() => {}
        None => return fails("it has no CNINode", NO_CNI_NODE, NOBODY_ASKS),
    }
    Ok(())
}

/// Whether the nodes of a group can carry pods with groups, and each that runs.
pub(super) fn node_group(topology: &Topology, cluster: &Cluster, name: &Id, group: &NodeGroup) -> Explanation {
    let mut told = Explanation::of(format!("node group {name}"));
    if let Fact::Known((min, wanted, max)) = group.size {
        told.told(format!("{wanted} nodes are wanted, at least {min} and at most {max}"));
    }
    match &group.instance_types {
        Fact::Unknown => told.told("its instance types are not known"),
        Fact::Known(kinds) => {
            for kind in kinds {
                if let Err(failure) = of_type(&mut told, kind) {
                    told.failed(failure.what, failure.remedy);
                }
            }
        }
    }
    if cluster.cni.pod_eni == Fact::Known(false) {
        told.failed("ENABLE_POD_ENI is not \"true\" on the VPC CNI", "Add a sgp_pod_eni before nodes join.");
    }
    let is_its = |labels: &Labels| labels.get(NODE_GROUP).is_some_and(|it| it == name.as_str());
    for node_name in cluster.nodes.iter().filter(|(_, node)| is_its(&node.labels)).map(|(node_name, _)| node_name) {
        if let Some(part) = node(topology, cluster, node_name) {
            told.takes(&format!("node {node_name}"), &part);
        }
    }
    if told.has_failed() {
        told.is("Not all of its nodes carry pods with groups of their own.")
    } else {
        told.is("Its nodes carry pods with groups of their own.")
    }
}
