//! HCL text to configuration with spans, and configuration to values: the language of `sgp`.
//!
//! Text becomes a syntax tree ([`syntax`]), the trees of a folder and of the modules it calls become a [`Config`]
//! ([`load()`]), and an [`Evaluator`] computes values out of it on demand. No file is opened here (see [`Files`]) and no
//! provider is called (see [`World`]). Read [`Config`] first, then [`Evaluator`].

pub mod config;
pub mod console;
pub mod eval;
pub mod fmt;
pub mod functions;
pub mod load;
pub mod manifest;
pub mod module_source;
pub mod source;
pub mod suggest;
pub mod syntax;
pub mod testing;
pub mod validate;
pub mod write;

pub use config::Config;
pub use eval::{
    Answer, Asserted, CellGraph, CellId, CellKey, Configured, DepsView, Evaluator, Given, Impure, Inputs, Names,
    OpenKeys, Schemas, Shown, Stop, Triggered, VariableInput, World, constant,
};
pub use load::{Loaded, load};
pub use source::Files;
pub use validate::validate;
