//! `time`: moments that are taken once and then kept, and waiting.

mod base;
mod time_offset;
mod time_rotating;
mod time_sleep;
mod time_static;

use std::sync::LazyLock;

use sgp_model::Schema;

use crate::{in_state::InState, provider::Kit};

pub(crate) static KIT: Kit = Kit {
    name: "time",
    source: "registry.terraform.io/hashicorp/time",
    config: || &CONFIG,
    resources: &[
        &InState(time_offset::TimeOffset),
        &InState(time_rotating::TimeRotating),
        &InState(time_sleep::TimeSleep),
        &InState(time_static::TimeStatic),
    ],
    data: &[],
    ephemeral: &[],
};

static CONFIG: LazyLock<Schema> =
    LazyLock::new(|| Schema::new("time", "Moments that are taken once and kept in the state, and waiting."));
