//! `local`: files of the machine that runs this.

mod disk;
mod file;
mod file_data;

use std::sync::LazyLock;

use sgp_model::Schema;

use crate::provider::Kit;

pub(crate) static KIT: Kit = Kit {
    name: "local",
    source: "registry.terraform.io/hashicorp/local",
    config: || &CONFIG,
    resources: &[&file::FILE, &file::SENSITIVE_FILE],
    data: &[&file_data::FILE, &file_data::SENSITIVE_FILE],
    ephemeral: &[],
};

static CONFIG: LazyLock<Schema> = LazyLock::new(|| Schema::new("local", "Files of the machine that runs this."));
