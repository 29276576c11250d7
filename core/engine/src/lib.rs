//! Orchestration: refresh, plan, apply, destroy, import. Everything that waits is here, and nothing that decides.
//!
//! A [`Session`] holds what a run needs; [`plan`] makes a [`sgp_model::Plan`], [`apply`] walks one, and both tell what happens
//! as [`Event`]s. Decisions are pure functions of `sgp-plan`; values come from the one evaluator of `sgp-lang`, for which
//! planning and applying are two [`sgp_lang::World`]s. The engine reaches the world only through `sgp-contract`.

mod api;
mod apply;
mod blocks;
mod builtin;
mod claims;
mod clients;
mod conditions;
mod deferred;
mod dependencies;
mod doubles;
mod ephemeral;
mod event;
pub mod foresight;
mod generate;
mod import;
mod judge;
mod leftover;
mod let_go;
mod planner;
mod reading;
mod recover;
mod refactor;
mod refresh;
mod registry;
mod rollout;
mod rounds;
mod running;
mod settings;
mod stale;
mod survey;
mod symbolic;
pub mod testing;
mod typed;
mod unstored;
mod values;
mod world;

pub use api::{ApplyOptions, Imported, Interrupt, Outcome, PlanOptions, Planned, Session};
pub use apply::apply;
pub use event::{EphemeralOp, Event, EventSink};
pub use generate::{Generated, generate};
pub use import::{import, load_state};
pub use judge::{Judged, diagnostic};
pub use planner::plan;
pub use recover::recover;
pub use registry::Registry;
pub use settings::parse_duration;
pub use sgp_contract::Rollout;
pub use sgp_plan::propose::with_write_only_sent;
pub use stale::check_saved;
pub use survey::live;
