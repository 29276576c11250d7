//! What works in the clusters: nodes, schedulers, workloads, the VPC CNI, AWS's VPC resource controller.

use crate::world::World;

/// Lets every controller that is on do what there is to do; called after each change and as time passes.
pub fn work(world: &mut World) {
    super::api::collect::work(world);
}

/// Forgets what the controllers know of a cluster that goes.
pub(crate) fn forget(_world: &mut World, _cluster: &str) {}
