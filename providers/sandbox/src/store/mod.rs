//! Data that outlives the process: [`table::Table`] in memory, [`disk::Disk`] beneath.

pub mod disk;
pub(crate) mod past;
pub mod table;
