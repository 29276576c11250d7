//! What clients of a cluster speak to: a Kubernetes 1.36 API server.
//!
//! A request is read ([`path`]), its sender found ([`authenticate`]) and allowed ([`authorize`]), and answered by one function from
//! the world: [`read`] and [`watch`] look, [`mod@write`] changes. What a resource is, [`resources`] knows. Answers are put into the
//! form that the client accepts ([`reply`]) after the world's lock is released.
//!
//! Sources: Kubernetes API Concepts (kubernetes.io/docs/reference/using-api/api-concepts), the API reference for 1.36.

mod ask;
pub mod authenticate;
pub mod authorize;
pub mod collect;
mod decode;
pub mod definitions;
mod delete;
mod discovery;
mod documents;
mod escalation;
mod event_rules;
mod evict;
mod fields;
mod gnostic;
mod immutable;
mod jobs;
pub mod labels;
mod options;
mod parts;
mod patches;
pub mod path;
mod pod_parts;
mod prepare;
mod protobuf;
mod read;
mod reply;
pub mod resources;
mod reviews;
pub mod rules;
mod scale;
mod server;
mod services;
pub mod status;
mod strict;
mod swagger;
mod table;
mod texts;
pub mod tokens;
mod types;
pub mod versions;
mod watch;
pub mod write;

pub use server::serve;
