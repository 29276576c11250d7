//! `sgp validate`.

use std::{collections::BTreeSet, sync::Arc};

use clap::ArgMatches;
use sgp_engine::Registry;
use sgp_lang::{Answer, Config, Configured, DepsView, Evaluator, Inputs, Schemas, World};
use sgp_model::{Diagnostic, Diagnostics, Mode, Value};

use crate::{
    args::{flag, var_args},
    render::{diagnostics, json::Json, paint::plural},
    session::Room,
};

/// Checks the configuration without asking anybody.
pub fn run(room: &Room, matches: &ArgMatches) -> u8 {
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
        return u8::from(errors > 0);
    }
    room.ui.diagnostics(&found);
    if errors == 0 {
        let but = if warnings > 0 { format!(", with {}", plural(warnings, "warning")) } else { String::new() };
        room.ui.say(&format!("{} The configuration is valid{but}.", room.ui.paint.green("Success!")));
    }
    u8::from(errors > 0)
}

fn check(room: &Room, matches: &ArgMatches) -> Diagnostics {
    let loaded = room.load();
    if let Err(nothing) = loaded.require_files() {
        return nothing.into();
    }
    let mut found = loaded.diagnostics;
    // Values are not part of what is checked, but files and flags that set them are.
    room.inputs(&loaded.config, &var_args(matches), &mut found);
    found.extend(judge(room, loaded.config));
    found
}

/// Evaluates everything with every object unknown, and asks each type what it makes of its configuration.
fn judge(room: &Room, config: Arc<Config>) -> Diagnostics {
    let inputs = Inputs { validating: true, cwd: sgp_lang::Files::cwd(&*room.files), ..Inputs::default() };
    let world = Judging { registry: room.registry.clone(), found: Diagnostics::new() };
    let mut evaluator = Evaluator::new(config, inputs, room.registry.clone(), room.files.clone(), world);
    let mut providers = BTreeSet::new();
    for resource in evaluator.resources() {
        for key in evaluator.instances(&resource).unwrap_or_default() {
            // What is wrong with it is collected by the evaluator.
            let _ = evaluator.object(&resource.instance(key));
        }
        providers.extend(evaluator.providers_of(&resource));
    }
    for provider in &providers {
        let _ = evaluator.provider_config(provider);
    }
    evaluator.check_rest();
    let mut found = evaluator.take_diagnostics();
    found.extend(std::mem::take(&mut evaluator.world_mut().found));
    found
}

/// Every object is unknown, but has the type of its schema.
struct Judging {
    registry: Arc<Registry>,
    found: Diagnostics,
}

impl World for Judging {
    fn object(&mut self, configured: Configured<'_>, _: &DepsView<'_>) -> Answer {
        let block = configured.block;
        if let Some(ty) = self.registry.resource_type(&block.type_name).filter(|_| block.mode == Mode::Managed) {
            let (config, _) = configured.config.clone().unmark_deep();
            let problems = ty.validate(&config);
            self.found.extend(problems.into_iter().map(|d| located(d, &configured)));
        }
        match self.registry.resource(block.mode, &block.type_name) {
            Some(schema) => Answer::Value(Value::unknown_not_null(schema.ty())),
            None => Answer::Failed(Diagnostics::new()),
        }
    }
}

/// A type knows attributes, not places.
fn located(mut diagnostic: Diagnostic, configured: &Configured<'_>) -> Diagnostic {
    let block = configured.block;
    diagnostic.address.get_or_insert_with(|| configured.addr.resource.without_keys().to_string());
    let span = diagnostic.attribute.as_ref().and_then(|path| block.span_of(path));
    diagnostic.span = diagnostic.span.or(span).or_else(|| Some(block.span.clone()));
    diagnostic
}
