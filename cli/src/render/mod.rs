//! What people and programs read: plans, diagnostics, progress, state, as text and as JSON.

pub mod audit;
pub mod capacity;
pub mod checks_json;
pub mod config_json;
pub mod diagnostics;
pub mod diff;
pub mod document;
pub mod explain;
pub mod graph;
pub mod json;
pub mod json_ui;
pub mod junit;
pub mod page;
pub mod paint;
pub mod plan;
pub mod plan_json;
pub mod progress;
pub mod reachability;
pub mod running;
pub mod state_json;
pub mod state_show;
pub mod test;
pub mod test_json;
pub mod trace;
pub mod tree;
pub mod value;
