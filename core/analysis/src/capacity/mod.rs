//! How many pods there is room for, and what runs out first.
//!
//! [`report`] makes a table of a cluster: a row for each group of nodes and each subnet, and the quotas. [`what_if`] asks whether
//! so many pods more fit. Both count the same things:
//!
//! - **Branch interfaces** of a node: its type's, by the table of the cluster's controller ([`crate::limits`]). Those in cool-down
//!   still count.
//! - **Pods** of a node: kubelet's `maxPods`, which counts pods with branch interfaces like all others.
//! - **Addresses** of a node for pods that share its interfaces, one of which is the trunk.
//! - **Addresses of subnets**: one for each branch interface, beside what nodes hold for themselves.
//! - **Quotas** of the account.
//!
//! Pods that run stay on their nodes. Others may go to each node that has the labels of their node selector; taints, affinity,
//! processors and memory are not looked at, so that there is never more room than this says, but there may be less.
//!
//! What is not told makes two cases, the worst and the best. What holds in both is certain, otherwise the answer says what it
//! depends on.

mod amount;
mod demand;
mod fit;
mod flow;
mod node;
mod note;
mod pools;
mod quotas;
mod report;
mod subnets;
#[cfg(test)]
mod tests;
mod usage;
mod what_if;

use std::collections::BTreeMap;

pub use amount::Amount;
pub use demand::{Maker, Needs};
pub use fit::{Resource, Room};
pub use node::{NodeShape, Setting};
pub use note::Note;
pub use pools::NodesOf;
pub use quotas::{Quota, Quotas};
pub use report::{NodesRow, Report, Update, Use, report};
pub use subnets::SubnetRow;
pub use usage::QuotaRow;
pub use what_if::{Answer, Question, Verdict, Who, what_if};

use crate::topology::{Cluster, Fact, Id};

/// What counts beside the topology.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The version of the cluster's VPC resource controller: `v1.7.15`. Without it the newest table counts.
    pub controller: Fact<String>,
    /// Seconds that a branch interface is kept after its pod (`branch-eni-cooldown` of ConfigMap `kube-system/amazon-vpc-cni`).
    pub cooldown_secs: u64,
    /// Quotas.
    pub quotas: Quotas,
    /// `maxPods` of node groups that set it themselves, by name.
    pub max_pods: BTreeMap<Id, u32>,
    /// With custom networking: the pods' subnet (an ENIConfig's) of nodes in a subnet.
    pub pod_subnets: BTreeMap<Id, Id>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            controller: Fact::Unknown,
            // amazon-vpc-resource-controller-k8s, docs/sgp/sgp_config_options.md.
            cooldown_secs: 60,
            quotas: Quotas::default(),
            max_pods: BTreeMap::new(),
            pod_subnets: BTreeMap::new(),
        }
    }
}

impl Facts {
    fn setting(&self, cluster: &Cluster) -> Setting {
        Setting::of(cluster, &self.controller, !self.pod_subnets.is_empty())
    }
}

/// Which nodes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nodes {
    /// As many as node groups want now.
    #[default]
    Wanted,
    /// As many as they may have at most.
    Most,
}
