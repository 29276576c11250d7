//! EKS: clusters, node groups, Fargate profiles, add-ons, access entries, and the updates of all of them.
//!
//! [`model`] has what is kept; each kind of thing has its operations in a file of its own. What takes time is a timer ([`Due`]).
//! Source: Amazon EKS API Reference (docs.aws.amazon.com/eks/latest/APIReference), version 2017-11-01.

pub mod access;
mod access_entries;
mod addons;
mod catalog;
pub mod cluster_changes;
mod cluster_create;
mod clusters;
mod configuration;
mod fargate;
pub mod identity_providers;
mod insights;
pub mod model;
mod nodegroup_create;
pub mod nodegroup_updates;
mod nodegroups;
mod nodes;
mod offers;
mod outside;
mod pod_identity;
mod request;
pub mod routes;
#[cfg(test)]
pub(crate) mod samples;
mod tags;
pub mod updates;
mod versions;

use serde::{Deserialize, Serialize};

use crate::aws::Operation;
use crate::store::table::{Durable, Table};
use crate::world::{Timer, World};
use identity_providers::IdentityProvider;
use model::{AccessEntry, Addon, Cluster, FargateProfile, Nodegroup, PodIdentityAssociation};
use nodegroup_updates::Step;
use updates::{Effect, Target, Update, UpdateStatus};

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[
    access_entries::OPERATIONS,
    addons::OPERATIONS,
    cluster_changes::OPERATIONS,
    cluster_create::OPERATIONS,
    clusters::OPERATIONS,
    fargate::OPERATIONS,
    identity_providers::OPERATIONS,
    insights::OPERATIONS,
    nodegroup_create::OPERATIONS,
    nodegroup_updates::OPERATIONS,
    nodegroups::OPERATIONS,
    offers::OPERATIONS,
    pod_identity::OPERATIONS,
    tags::OPERATIONS,
    updates::OPERATIONS,
    versions::OPERATIONS,
];

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
    /// By cluster and name.
    pub identity_providers: Table<IdentityProvider>,
    /// By cluster and id; found by their target too.
    pub updates: Table<Update>,
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
            identity_providers: Table::new("eks-identity-providers"),
            updates: Table::indexed("eks-updates", |update| vec![update.target.index()]),
        }
    }
}

/// What happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Due {
    /// A cluster is there.
    ClusterCreated {
        /// Its name.
        name: String,
    },
    /// A cluster is gone.
    ClusterGone {
        /// Its name.
        name: String,
    },
    /// A node group has its nodes.
    NodegroupCreated {
        /// Its row.
        id: String,
    },
    /// A node group is gone.
    NodegroupGone {
        /// Its row.
        id: String,
    },
    /// A Fargate profile is there.
    FargateCreated {
        /// Its row.
        id: String,
    },
    /// A Fargate profile is gone.
    FargateGone {
        /// Its row.
        id: String,
    },
    /// An add-on is there.
    AddonCreated {
        /// Its row.
        id: String,
    },
    /// An add-on is gone.
    AddonGone {
        /// Its row.
        id: String,
    },
    /// An update is done.
    Update {
        /// Its row.
        update: String,
    },
    /// An update replaces the next nodes.
    Roll {
        /// Its row.
        update: String,
    },
}

impl Eks {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        vec![
            &mut self.clusters,
            &mut self.nodegroups,
            &mut self.fargate_profiles,
            &mut self.addons,
            &mut self.access_entries,
            &mut self.pod_identity_associations,
            &mut self.identity_providers,
            &mut self.updates,
        ]
    }
}

/// What is due happens.
pub(crate) fn on_timer(world: &mut World, due: Due) {
    match due {
        Due::ClusterCreated { name } => clusters::created(world, &name),
        Due::ClusterGone { name } => clusters::gone(world, &name),
        Due::NodegroupCreated { id } => nodegroups::created(world, &id),
        Due::NodegroupGone { id } => nodegroups::gone(world, &id),
        Due::FargateCreated { id } => fargate::created(world, &id),
        Due::FargateGone { id } => fargate::gone(world, &id),
        Due::AddonCreated { id } => addons::created(world, &id),
        Due::AddonGone { id } => addons::gone(world, &id),
        Due::Update { update } => updates::finish(world, &update),
        Due::Roll { update } => roll(world, &update),
    }
}

/// Replaces the next nodes of a group, and comes back until all are new.
fn roll(world: &mut World, row: &str) {
    let Some(update) = world.eks.updates.get(row).filter(|it| it.status == UpdateStatus::InProgress).cloned() else {
        return;
    };
    let (Target::Nodegroup(cluster, name), Effect::Nodegroup(change)) = (&update.target, &update.effect) else {
        return;
    };
    match nodegroup_updates::roll(world, cluster, name, change) {
        Step::Done => updates::finish(world, row),
        Step::Failed(why) => updates::fail(world, row, "NodeCreationFailure", &why),
        Step::Going => {
            let after = world.settings.pace.update;
            world.schedule_in(after, Timer::Eks(Due::Roll { update: row.to_owned() }));
        }
    }
}

/// Kubernetes versions with the releases of their nodes' images: `1.36`, `1.36.3-20261105`.
pub fn releases() -> impl Iterator<Item = (&'static str, &'static str)> {
    let versions = catalog::versions().iter();
    versions.flat_map(|it| it.release_versions.iter().map(|release| (it.cluster_version.as_str(), release.as_str())))
}
