//! EKS: clusters, node groups, Fargate profiles, add-ons, access entries, and the updates of all of them.
//!
//! [`model`] has what is kept; each kind of thing has its operations in a file of its own. What takes time is a timer ([`Due`]).
//! Source: Amazon EKS API Reference (docs.aws.amazon.com/eks/latest/APIReference), version 2017-11-01.

pub mod access;
mod configuration;
pub mod model;
pub mod routes;
#[cfg(test)]
pub(crate) mod samples;

use serde::{Deserialize, Serialize};

use crate::aws::Operation;
use crate::store::table::{Durable, Table};
use crate::world::World;
use model::{AccessEntry, Addon, Cluster, FargateProfile, Nodegroup, PodIdentityAssociation};

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[];

/// EKS's objects. Those of a cluster have `CLUSTER/NAME` for an id ([`model::key`]): `starting_with("CLUSTER/")` finds them all.
#[derive(Debug)]
pub struct Eks {
    /// By name.
    pub clusters: Table<Cluster>,
    /// By cluster and name.
    pub nodegroups: Table<Nodegroup>,
    /// By cluster and name.
    pub fargate_profiles: Table<FargateProfile>,
    /// By cluster and name.
    pub addons: Table<Addon>,
    /// By cluster and principal ARN.
    pub access_entries: Table<AccessEntry>,
    /// By cluster and id; found by `account=CLUSTER/NAMESPACE/SERVICE ACCOUNT` too.
    pub pod_identity_associations: Table<PodIdentityAssociation>,
}

impl Default for Eks {
    fn default() -> Self {
        Self {
            clusters: Table::new("eks-clusters"),
            nodegroups: Table::new("eks-nodegroups"),
            fargate_profiles: Table::new("eks-fargate-profiles"),
            addons: Table::new("eks-addons"),
            access_entries: Table::indexed("eks-access-entries", |entry| {
                let principal = access::Principal::read(&entry.principal_arn);
                principal.map(|principal| principal.index(&entry.cluster)).into_iter().collect()
            }),
            pod_identity_associations: Table::indexed("eks-pod-identity-associations", |it| {
                vec![format!("account={}/{}/{}", it.cluster, it.namespace, it.service_account)]
            }),
        }
    }
}

/// What happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Due {}

impl Eks {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        vec![
            &mut self.clusters,
            &mut self.nodegroups,
            &mut self.fargate_profiles,
            &mut self.addons,
            &mut self.access_entries,
            &mut self.pod_identity_associations,
        ]
    }
}

/// What is due happens.
pub(crate) fn on_timer(_world: &mut World, due: Due) {
    match due {}
}
