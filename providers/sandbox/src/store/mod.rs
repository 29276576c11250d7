//! Data that outlives the process: [`table::Table`] in memory, [`disk::Disk`] beneath.

pub mod disk;
pub mod table;
