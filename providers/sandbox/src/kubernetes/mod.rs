//! The clusters' own side: an API server for each, and the controllers that work in it.
//!
//! [`objects`] keeps what is there and its history; [`api`] is what clients speak to; [`controllers`] do what nodes, schedulers and
//! AWS's controllers do on a real cluster. All of them work on the [`World`], under its lock.

pub mod admission;
pub mod api;
pub mod apply;
pub(crate) mod backing;
pub mod bootstrap;
pub(crate) mod cel;
pub mod cluster;
pub mod controllers;
pub mod life;
pub mod objects;
pub mod patch;
pub mod quantity;
#[cfg(test)]
mod recorded;
pub mod resources;
pub mod schema;
pub mod selectors;
pub(crate) mod webhooks;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::store::table::{Durable, Table};
use crate::world::World;
use cluster::Cluster;
use objects::Objects;

/// The clusters' own objects.
#[derive(Debug)]
pub struct Kubernetes {
    /// The clusters by name: where they listen, with which certificates.
    pub clusters: Table<Cluster>,
    /// Everything in all of them.
    pub objects: Objects,
    /// How far [`api::collect`] has read.
    pub(crate) collector: api::collect::Collector,
    /// The nodes' trunks; see [`controllers::pod_eni`].
    pub trunks: Table<controllers::pod_eni::Trunk>,
    /// Branch interfaces that pods have or gave back.
    pub branches: Table<controllers::pod_eni::Branch>,
    /// What works in the clusters.
    pub(crate) controllers: controllers::Controllers,
}

/// What happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Due {}

impl Default for Kubernetes {
    fn default() -> Self {
        Self {
            clusters: Table::new("kubernetes-clusters"),
            objects: Objects::default(),
            collector: api::collect::Collector::default(),
            trunks: controllers::pod_eni::trunks(),
            branches: controllers::pod_eni::branches(),
            controllers: controllers::Controllers::default(),
        }
    }
}

impl Kubernetes {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        let mut tables = self.objects.tables();
        tables.push(&mut self.clusters);
        tables.push(&mut self.trunks);
        tables.push(&mut self.branches);
        tables
    }

    pub(crate) fn loaded(&mut self) {
        self.objects.loaded();
    }

    /// Makes the transaction's changes part of the history that watches read.
    pub(crate) fn publish(&mut self) {
        self.objects.publish();
    }

    /// Forgets the transaction's changes.
    pub(crate) fn withdraw(&mut self) {
        self.objects.withdraw();
    }

    /// Forgets all history.
    pub(crate) fn forget(&mut self) {
        self.objects.forget();
        self.collector = Default::default();
        self.controllers = controllers::Controllers::default();
    }

    /// Ports by cluster.
    pub(crate) fn ports(&self) -> BTreeMap<String, u16> {
        self.clusters.iter().map(|(name, cluster)| (name.to_owned(), cluster.port)).collect()
    }
}

/// What is due happens.
pub(crate) fn on_timer(_world: &mut World, due: Due) {
    match due {}
}
