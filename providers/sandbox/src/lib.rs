//! A simulated AWS region with EKS clusters, as HTTP endpoints on loopback: EC2, EKS, IAM, STS, and a Kubernetes API for each
//! cluster, with the controllers that give pods their security groups.
//!
//! It is written from AWS's and Kubernetes' references and imports nothing of `sgp`, so that what `sgp` and the sandbox agree on
//! means something. Nothing in it reaches beyond 127.0.0.1.
//!
//! Read [`world::World`] first: everything that is simulated is data under one lock. A request is one function from the world and
//! the call to an answer ([`aws::call::Call`], [`kubernetes::api`]); what it changed is on disk before it is answered
//! ([`store::disk::Disk`]). Time is the world's own ([`clock::Clock`]) and can be driven by hand.

#![allow(rustdoc::private_intra_doc_links, reason = "the docs lead people who read the source, too")]
#![allow(clippy::unnecessary_wraps, reason = "all operations have one signature, also those that never refuse")]

pub mod aws;
pub mod clock;
pub mod ec2;
pub mod eks;
pub mod faults;
pub mod iam;
mod ids;
pub mod kubernetes;
pub mod probe;
mod sandbox;
mod server;
mod settings;
pub mod store;
pub mod sts;
#[cfg(test)]
mod testing;
pub mod world;

pub use sandbox::{Error, Sandbox};
pub use settings::{Backing, Pace, Settings};
