//! The nouns of `sgp`: addresses, types, values, schemas, state, plans and diagnostics, as plain data.
//!
//! Nothing here reads a file, opens a socket or asks for the time, and nothing here decides anything: language, planner,
//! engine, providers and stores all speak in these types. Read [`Value`] first, then [`Schema`], then [`Plan`].

pub mod address;
pub mod checks;
pub mod convert;
pub mod diag;
pub mod json;
pub mod number;
mod pairs;
pub mod path;
pub mod plan;
pub mod schema;
pub mod state;
pub mod symbol;
pub mod types;
pub mod value;

pub use address::{
    DeposedKey, InstanceAddr, InstanceKey, Mode, ModuleInstance, ModulePath, ProviderAddr, ResourceAddr,
};
pub use diag::{Diagnostic, Diagnostics, Severity, SourceMap, Span};
pub use number::Number;
pub use path::{AttrPath, PathStep};
pub use plan::Plan;
pub use schema::{Attribute, Block, NestedBlock, Schema};
pub use state::{InstanceRecord, State};
pub use types::Type;
pub use value::{Kind, Marks, Value};
