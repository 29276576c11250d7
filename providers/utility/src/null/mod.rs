//! `null`: objects that are nothing but their place in the graph.

mod null_data_source;
mod null_resource;

use std::sync::LazyLock;

use sgp_model::Schema;

use crate::{in_state::InState, provider::Kit};

pub(crate) static KIT: Kit = Kit {
    name: "null",
    source: "registry.terraform.io/hashicorp/null",
    config: || &CONFIG,
    resources: &[&InState(null_resource::NullResource)],
    data: &[&null_data_source::NullDataSource],
    ephemeral: &[],
};

static CONFIG: LazyLock<Schema> = LazyLock::new(|| Schema::new("null", "Objects that are nothing by themselves."));
