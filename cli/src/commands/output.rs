//! `sgp output`.

use clap::ArgMatches;
use sgp_model::{Diagnostic, Kind, state::OutputRecord};
use sgp_state::Access;

use super::Exit;
use crate::{
    args::{flag, text},
    render::{json::Json, state_json, state_show, value},
    session::Room,
};

/// Shows all outputs, or one.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let session = room.looking("output", Access::Read, std::time::Duration::ZERO)?;
    let state = sgp_engine::load_state(&session).await?;
    let (json, raw) = (flag(matches, "json"), flag(matches, "raw"));
    let Some(name) = text(matches, "name") else {
        if raw {
            return Err(Diagnostic::error("Which output?", "-raw writes one output: sgp output -raw NAME.").into());
        }
        if json {
            room.ui.output.line(&state_json::outputs(state.outputs.iter()).pretty());
        } else if state.outputs.is_empty() {
            let text = "The state holds no outputs. Outputs are recorded by sgp apply.";
            room.ui.diagnostics(&Diagnostic::warning("No outputs found", text).into());
        } else {
            room.ui.output.text(&state_show::outputs(state.outputs.iter()));
        }
        return Ok(0);
    };
    let Some(output) = state.outputs.get(&name) else {
        let names: Vec<&str> = state.outputs.keys().map(String::as_str).collect();
        let known =
            if names.is_empty() { "There are none.".to_owned() } else { format!("There are {}.", names.join(", ")) };
        let detail =
            format!("The state holds no output {name:?}. {known} A new output is recorded by the next sgp apply.");
        return Err(Diagnostic::error("Output not found", detail).into());
    };
    if raw {
        room.ui.output.text(&raw_text(&name, output)?);
    } else if json {
        room.ui.output.line(&Json::of_value(&output.value).to_string());
    } else {
        room.ui.output.line(&value::expression_in_clear(&output.value));
    }
    Ok(0)
}

fn raw_text(name: &str, output: &OutputRecord) -> Result<String, Diagnostic> {
    match output.value.kind() {
        Kind::String(s) => Ok(s.to_string()),
        Kind::Number(n) => Ok(n.to_string()),
        Kind::Bool(b) => Ok(b.to_string()),
        _ => Err(Diagnostic::error(
            "Not a plain value",
            format!(
                "Output {name:?} is {}; -raw writes strings, numbers and bools. Use -json for it.",
                output.ty.friendly_name()
            ),
        )),
    }
}
