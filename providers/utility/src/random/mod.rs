//! `random`: values that are drawn once and then kept.

mod characters;
mod ephemeral_bytes;
mod ephemeral_password;
mod random_bytes;
mod random_id;
mod random_integer;
mod random_password;
mod random_pet;
mod random_shuffle;
mod random_string;
mod random_uuid;

use std::sync::LazyLock;

use sgp_model::{Attribute, Schema};

use crate::{in_run::InRun, in_state::InState, provider::Kit};

pub(crate) static KIT: Kit = Kit {
    name: "random",
    source: "registry.terraform.io/hashicorp/random",
    config: || &CONFIG,
    resources: &[
        &InState(random_bytes::RandomBytes),
        &InState(random_id::RandomId),
        &InState(random_integer::RandomInteger),
        &InState(random_password::RandomPassword),
        &InState(random_pet::RandomPet),
        &InState(random_shuffle::RandomShuffle),
        &InState(random_string::RandomString),
        &InState(random_uuid::UUID),
        &InState(random_uuid::UUID4),
        &InState(random_uuid::UUID7),
    ],
    data: &[],
    ephemeral: &[&InRun(ephemeral_bytes::EphemeralBytes), &InRun(ephemeral_password::EphemeralPassword)],
};

static CONFIG: LazyLock<Schema> =
    LazyLock::new(|| Schema::new("random", "Values that are drawn once and kept in the state."));

/// The argument that every type here has.
fn keepers() -> Attribute {
    Attribute::string_map().force_new().doc("Any texts under any names; a change draws anew.")
}

/// The argument of those that can be reproduced.
fn seed() -> Attribute {
    Attribute::string().force_new().doc(
        "Any text. The same one draws the same, with this tool: Terraform's provider draws something else from it.",
    )
}
