//! Rows of the table, whole clusters.

mod objects;
mod properties;
mod rows;
mod scenes;
