//! What the edges promise the core: providers, stores and clocks, as traits over plain data.
//!
//! The engine calls these traits and nothing else reaches the world. A provider is a list of [`ResourceType`]s and
//! [`DataSource`]s and a way to make a client out of an evaluated `provider` block; read [`provider`] first.

pub mod clock;
pub mod context;
pub mod eks;
pub mod provider;
pub mod store;
pub mod survey;

pub use clock::Clock;
pub use context::{Context, ContextEvents, Slot};
pub use provider::{
    Applied, Claim, ClaimRequest, Client, CommonGround, CreateRequest, DataRequest, DataSource, DeleteRequest,
    EphemeralType, Found, ImportRequest, OpenRequest, Opened, PlanRequest, PlanResponse, Provider, ReadOutcome,
    ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
pub use store::{LockHolder, StateStore, StoreError, Write};
pub use survey::{Area, Rollout, Sighting, Workload};
