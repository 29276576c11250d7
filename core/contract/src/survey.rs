//! What exists around what is managed, for whoever judges it.

use sgp_model::Value;

/// An object that exists, in the shape of a resource type: an `aws_subnet` that nobody manages looks like one that somebody does.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The resource type: `aws_network_interface`, `kubernetes_manifest`.
    pub kind: String,
    /// Its attributes, as far as they matter. Rules say `is_egress`, because their two types look alike.
    pub attributes: Value,
}

/// Where to look. Grows while providers look: clusters lead to VPCs, and VPCs to those that they are peered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Ids of VPCs.
    pub vpc_ids: Vec<String>,
    /// Names of clusters.
    pub clusters: Vec<String>,
    /// Those of the VPCs all of whose network interfaces were seen: one that was not seen is not there.
    pub whole_vpcs: Vec<String>,
    /// Those of the clusters all of whose workloads, pods, policies, accounts and nodes were seen, likewise.
    pub whole_clusters: Vec<String>,
    /// Instance types whose limits nobody told: EC2 may know them.
    pub instance_types: Vec<String>,
}

/// A Deployment, StatefulSet or DaemonSet of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// The cluster's name.
    pub cluster: String,
    /// The namespace.
    pub namespace: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Shows `Deployment app/backend`.
impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// What is done with the pods of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// They are made anew.
    Restart,
    /// A rollout that is under way comes to its end.
    Await,
}
