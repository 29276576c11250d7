//! `sgp validate`.

use clap::ArgMatches;
use sgp_model::Diagnostics;

use super::Exit;
use crate::{
    args::{flag, var_args},
    render::{diagnostics, json::Json, paint::plural},
    session::Room,
};

/// Checks the configuration without asking anybody.
pub fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let found = check(room, matches);
    let errors = found.iter().filter(|d| d.is_error()).count();
    let warnings = found.iter().count() - errors;
    if flag(matches, "json") {
        let sources = room.ui.sources();
        let json = Json::object([
            ("format_version", Json::from("1.0")),
            ("valid", (errors == 0).into()),
            ("error_count", errors.into()),
            ("warning_count", warnings.into()),
            ("diagnostics", Json::array(found.iter().map(|d| diagnostics::to_json(d, &sources)))),
        ]);
        room.ui.output.line(&json.pretty());
        return Ok(u8::from(errors > 0));
    }
    room.ui.diagnostics(&found);
    if errors == 0 {
        let but = if warnings > 0 { format!(", with {}", plural(warnings, "warning")) } else { String::new() };
        room.ui.say(&format!("{} The configuration is valid{but}.", room.ui.paint.green("Success!")));
    }
    Ok(u8::from(errors > 0))
}

fn check(room: &Room, matches: &ArgMatches) -> Diagnostics {
    let loaded = room.load();
    let mut found = loaded.diagnostics.clone();
    if let Err(nothing) = loaded.require_files() {
        return nothing.into();
    }
    // Values are not part of what is checked, but files and flags that set them are.
    room.inputs(&loaded.config, &var_args(matches), &mut found);
    found.extend(sgp_lang::validate(&loaded.config, room.registry.clone(), room.files.clone()));
    found
}

