//! `sgp version`.

use crate::{render::json::Json, session::VERSION, ui::Ui};

/// Shows the version and the platform.
pub fn run(ui: &Ui, json: bool) -> u8 {
    let platform = platform();
    if json {
        let json = Json::object([
            ("terraform_version", Json::from(VERSION)),
            ("sgp_version", VERSION.into()),
            ("platform", platform.into()),
            ("provider_selections", Json::object::<&str>([])),
            ("terraform_outdated", false.into()),
        ]);
        ui.output.line(&json.pretty());
    } else {
        ui.output.line(&format!("sgp v{VERSION}\non {platform}"));
    }
    0
}

/// The platform in Go's words, as scripts know it: `linux_amd64`.
fn platform() -> String {
    let os = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}_{arch}")
}
