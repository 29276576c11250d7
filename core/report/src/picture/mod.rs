//! The reachability picture: VPCs, subnets, nodes, pods and groups, and what passes between them.
//!
//! [`ways`] says who takes part and what passes, of a state or of a change; [`scene`] puts that into boxes and nets, folding what is
//! alike; [`layout`] gives them places and sizes, and [`svg`] draws.

mod detail;
mod fold;
pub mod layout;
mod names;
mod place;
pub mod scene;
pub mod svg;
mod text;
pub mod ways;

pub use fold::{MOST_NETS, MOST_SPOTS};
pub use names::Names;
