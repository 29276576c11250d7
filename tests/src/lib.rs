//! Everything real that the end-to-end tests run against, and the runner's shared parts.
//!
//! [`world::World`] starts two independent AWS emulators behind a proxy of ours, a real Kubernetes API server and AWS's own VPC resource
//! controller; or, behind the same proxy, the sandbox. The crate is deliberately no simulation of AWS: what is behind the proxy answers, and
//! the proxy adds only what both emulators lack. It shares no code with the providers, so that their agreement means something. Read [`world::World`] first.
#![expect(clippy::unwrap_used, reason = "a helper of tests may stop the test where it stands")]

pub mod binary;
pub mod cluster;
pub mod inventory;
pub mod leftovers;
pub mod region;
pub mod script;
pub mod workdir;
pub mod world;
