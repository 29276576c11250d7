//! `http`: what a server answers.

mod http_data;
#[cfg(test)]
mod server_tests;

use std::sync::LazyLock;

use sgp_model::Schema;

use crate::provider::Kit;

pub(crate) static KIT: Kit = Kit {
    name: "http",
    source: "registry.terraform.io/hashicorp/http",
    config: || &CONFIG,
    resources: &[],
    data: &[&http_data::Http],
    ephemeral: &[],
};

static CONFIG: LazyLock<Schema> = LazyLock::new(|| Schema::new("http", "What servers answer."));
