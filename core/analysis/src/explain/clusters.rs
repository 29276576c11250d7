//! Clusters: whether pods can have groups of their own there.

use super::{Explanation, nodes};
use crate::topology::{Cluster, EnforcingMode, Fact, Id, Topology};

/// What pod security groups need of a cluster.
pub(super) fn cluster(topology: &Topology, name: &Id, cluster: &Cluster) -> Explanation {
    let mut told = Explanation::of(format!("cluster {name}"));
    if cluster.is_auto == Fact::Known(true) {
        told.told("EKS runs nodes of its own there (Auto Mode), for which other rules hold: sgp explain SGP023");
    }
    match &cluster.cni.pod_eni {
        Fact::Known(true) => told.fine("pod ENI is on (ENABLE_POD_ENI)"),
        Fact::Known(false) => told.failed("pod ENI is off (ENABLE_POD_ENI)", "Add a sgp_pod_eni for this cluster."),
        Fact::Unknown => told.told("whether pod ENI is on is not known here: look with -live"),
    }
    match cluster.cni.mode {
        Fact::Known(EnforcingMode::Strict) => told.told("strict mode: a pod's groups count for all of its traffic"),
        Fact::Known(EnforcingMode::Standard) => {
            told.told("standard mode: traffic on one node stays there, and translated traffic has the node's groups");
        }
        Fact::Unknown => {}
    }
    if let Fact::Known(version) = &cluster.cni.version {
        told.told(format!("VPC CNI {version}"));
    }
    for (group, it) in &cluster.node_groups {
        told.takes(&format!("node group {group}"), &nodes::node_group(topology, cluster, group, it));
    }
    let (policies, profiles) = (cluster.policies.len(), cluster.fargate_profiles.len());
    let many = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let policies = many(policies, "SecurityGroupPolicy", "SecurityGroupPolicies");
    let profiles = many(profiles, "Fargate profile", "Fargate profiles");
    told.told(format!("known here: {policies}, {profiles}"));
    match (told.has_failed(), cluster.cni.pod_eni.is_known()) {
        (true, _) => told.is("Not everything there is ready for pods with groups of their own."),
        (false, false) => told.is("Nobody can say whether pods can have groups of their own there."),
        (false, true) => told.is("Pods can have groups of their own there."),
    }
}
