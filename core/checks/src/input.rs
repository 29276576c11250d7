//! What rules are given.

use std::collections::{BTreeMap, BTreeSet};

use sgp_analysis::{build::Object, topology::Topology};
use sgp_model::{InstanceAddr, Value, plan::Action};

/// What waits for what: each instance with those that it waits for directly.
pub type Edges = BTreeMap<InstanceAddr, BTreeSet<InstanceAddr>>;

/// What rules look at. A state alone is a plan without actions in which both sides are the same. Topologies are made of objects
/// without secrets ([`hide_secrets`](crate::hide_secrets)).
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Objects as they will be: those of the configuration, with addresses, and those that were gathered, without.
    pub objects: &'a [Object],
    /// Objects as they are, likewise.
    pub before: &'a [Object],
    /// The topology as it will be.
    pub topology: &'a Topology,
    /// The topology as it is.
    pub topology_before: &'a Topology,
    /// What the configuration says of instances, null where it says nothing: an attribute that AWS fills in is unknown in
    /// `objects`. Without it rules know less.
    pub configs: &'a BTreeMap<InstanceAddr, Value>,
    /// What happens to which instance. Those that are absent stay as they are.
    pub actions: &'a BTreeMap<InstanceAddr, Action>,
    /// The order in which it happens, the edges that sgp adds by itself too.
    pub edges: &'a Edges,
    /// `aws`, `aws-cn`, ... where it is known.
    pub partition: Option<&'a str>,
    /// The region, where it is known.
    pub region: Option<&'a str>,
    /// Whether AWS and the clusters were asked, too. Whoever gathers all objects of a cluster says so in
    /// [`Sources::complete_clusters`](sgp_analysis::build::Sources): what is not among them then is not there.
    pub is_live: bool,
}
