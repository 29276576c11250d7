//! Where state is kept: stores, the lock, the journal, history, saved plans and Terraform's state JSON.
//!
//! [`SledStore`] is the store of the command line: one record for each instance in an embedded database under `.sgp/`,
//! one writer at a time, every answered write on disk. [`MemoryStore`] keeps nothing, [`FaultyStore`] dies on purpose.
//! [`plan_file`] saves plans, [`terraform_v4`] moves state in and out. Nothing here decides what a state means: the
//! engine does, through [`sgp_contract::StateStore`].

mod batch;
mod codec;
mod database;
mod digest;
mod draft;
pub mod faults;
mod head;
mod history;
mod key;
pub mod lock;
pub mod memory;
pub mod plan_file;
mod push;
mod quiet;
pub mod sled_store;
pub mod terraform_v4;
#[cfg(test)]
mod testing;
mod wire;

pub use faults::{AbortAt, FaultyStore};
pub use history::SerialSummary;
pub use lock::{Access, force_unlock};
pub use memory::MemoryStore;
pub use sled_store::SledStore;
pub use terraform_v4::{SchemaHints, from_v4, to_v4};

/// The stack of threads that decode records: values nest up to a fixed depth, and this is ample for it.
const STACK_BYTES: usize = 64 << 20;
