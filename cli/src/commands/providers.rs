//! `sgp providers`: what is in the binary.

use sgp_contract::Provider;

use crate::{
    render::{json::Json, paint::plural},
    session::Room,
};

/// Lists providers with their types.
pub fn run(room: &Room, json: bool) -> u8 {
    let out = &room.ui.output;
    if json {
        let all = room.registry.providers().map(|p| (p.source(), provider_json(p.as_ref())));
        out.line(&Json::object([("providers", Json::object(all))]).pretty());
        return 0;
    }
    out.line("Providers are part of sgp; nothing is downloaded.");
    for provider in room.registry.providers() {
        let (resources, data) = (provider.resource_types(), provider.data_sources());
        let counts = format!("{}, {}", plural(resources.len(), "resource type"), plural(data.len(), "data source"));
        out.line(&format!("\n{} ({}): {counts}", provider.name(), provider.source()));
        for resource in resources {
            out.line(&format!("  resource {}", resource.schema().name));
        }
        for source in data {
            out.line(&format!("  data     {}", source.schema().name));
        }
    }
    0
}

fn provider_json(provider: &dyn Provider) -> Json {
    let names = |all: Vec<&str>| Json::array(all.into_iter().map(Json::from));
    Json::object([
        ("name", Json::from(provider.name())),
        ("resource_types", names(provider.resource_types().iter().map(|r| r.schema().name).collect())),
        ("data_sources", names(provider.data_sources().iter().map(|d| d.schema().name).collect())),
    ])
}
