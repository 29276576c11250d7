//! EC2: networks, security groups, interfaces, launch templates, instances. One file a kind of object.
//!
//! Source: Amazon EC2 API Reference (docs.aws.amazon.com/AWSEC2/latest/APIReference), version 2016-11-15.

pub mod tags;
mod zones;

use serde::{Deserialize, Serialize};

use crate::aws::Operation;
use crate::store::table::Durable;
use crate::world::World;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[zones::OPERATIONS];

/// EC2's objects.
#[derive(Debug, Default)]
pub struct Ec2 {}

/// What happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Due {}

impl Ec2 {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        Vec::new()
    }
}

/// Makes what a new account has.
pub(crate) fn furnish(_world: &mut World) {}

/// What is due happens.
pub(crate) fn on_timer(_world: &mut World, due: Due) {
    match due {}
}
