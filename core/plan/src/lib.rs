//! From what is wanted and what exists to a plan: pure functions over plain data.
//!
//! [`propose`](propose::propose) lays a configuration over an existing object as the schema says, [`judge`]
//! says what that means for the object, [`steps`] puts everything in an order, and
//! [`broken_promises`] compares what a provider answered with what was planned. Nothing here
//! evaluates expressions or calls anybody: the engine does.

pub mod diff;
pub mod ignore;
pub mod moves;
pub mod order;
pub mod promise;
pub mod propose;
pub mod semantics;

pub use diff::{Judgement, changed_attributes, judge};
pub use ignore::{IgnoreChanges, ignore_changes};
pub use moves::move_objects;
pub use order::{Dependency, Node, steps};
pub use promise::broken_promises;
pub use propose::propose;
pub use semantics::means_the_same;
