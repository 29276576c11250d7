//! `cloudinit`: user data that cloud-init reads.

mod config;
mod mime;

use std::sync::LazyLock;

use sgp_model::Schema;

use crate::{in_state::InState, provider::Kit};

pub(crate) static KIT: Kit = Kit {
    name: "cloudinit",
    source: "registry.terraform.io/hashicorp/cloudinit",
    config: || &CONFIG,
    resources: &[&InState(config::CloudinitConfig)],
    data: &[&config::CloudinitConfigData],
    ephemeral: &[],
};

static CONFIG: LazyLock<Schema> = LazyLock::new(|| Schema::new("cloudinit", "User data that cloud-init reads."));
