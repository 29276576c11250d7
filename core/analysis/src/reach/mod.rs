//! Who reaches whom.
//!
//! A [`Question`] names two [`End`]s and some traffic; the [`Answer`] says what of it passes surely and what possibly, and shows the
//! way, hop by hop, with the rule, route or policy that decided. An end may be one pod with its address, or every pod that a
//! workload will have, somewhere in its subnets: what holds for some of the cases only is possible and not certain.
//!
//! The way is that of a packet (see `walk.rs`): NetworkPolicies of the sender, the node in strict or standard mode, the security
//! groups of the interface that it leaves by, routes and network ACLs, the receiver's groups and NetworkPolicies; then back, where
//! groups remember the connection, and ACLs and routes do not.

mod acl;
mod ask;
mod back;
mod candidates;
mod cases;
mod change;
mod classes;
mod end;
pub mod ends;
mod frame;
mod front;
mod groups;
mod guards;
mod host;
mod inward;
mod matrix;
mod network_policy;
mod node;
mod oracle;
mod out;
mod relay;
mod routes;
mod sketch;
#[cfg(test)]
pub(crate) mod tests;
mod through;
mod trace;
mod trail;
mod walk;

pub use ask::{Answer, Delivery, Placement, Question, Verdict, ask};
pub use change::{Change, Comparison, Interest, Line, Succession, changes, compared};
pub use end::{End, Guest, HostSide, Public, Relay, Wire};
pub(crate) use groups::told;
pub use matrix::{ANYWHERE, Matrix, Party, PartyKind, matrix};
pub use through::Through;
pub use trace::{Trace, trace, trace_from_ports};
pub use trail::{Fix, Hop, Outcome};
