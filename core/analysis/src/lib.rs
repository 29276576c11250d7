//! What pod security groups do: which groups a pod has, and who reaches whom.
//!
//! [`topology`] is the one model of networks, groups, clusters and pods. It is made from a state, from a plan (before and after)
//! or from what was gathered live, and everything else here asks it. [`sets`] are the sets of addresses and ports that nothing
//! enumerates; [`matching`] says which policies give a pod its groups; [`reach`] says what passes between two ends, with the
//! rule, route or policy that decided.
//!
//! Facts that nobody gave are unknown, and stay so: an answer names what it depends on and never guesses.

pub mod audit;
pub mod build;
pub mod capacity;
pub mod explain;
pub mod limits;
pub mod matching;
pub mod reach;
pub mod running;
pub mod selector;
pub mod sets;
pub mod topology;
