//! EKS: clusters, node groups, Fargate profiles, add-ons, access entries, and the updates of all of them.
//!
//! Source: Amazon EKS API Reference (docs.aws.amazon.com/eks/latest/APIReference), version 2017-11-01.

pub mod routes;

use serde::{Deserialize, Serialize};

use crate::aws::Operation;
use crate::store::table::Durable;
use crate::world::World;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[];

/// EKS's objects.
#[derive(Debug, Default)]
pub struct Eks {}

/// What happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Due {}

impl Eks {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        Vec::new()
    }
}

/// What is due happens.
pub(crate) fn on_timer(_world: &mut World, due: Due) {
    match due {}
}
