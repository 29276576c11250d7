//! `sgp check`: the preflight rules over a plan.

use std::{path::Path, sync::Arc};

use clap::ArgMatches;
use serde_json::{Value as Json, json};
use sgp_engine::{PlanOptions, Planned};
use sgp_model::{Diagnostic, Diagnostics, Plan, plan::Preflight};
use sgp_state::Access;

use super::{Exit, saved};
use crate::{
    args::{PlanArgs, flag, text},
    render::paint::plural,
    session::{Room, VERSION},
};

/// Something cannot work.
const HAS_ERRORS: u8 = 1;

/// Plans, or takes a saved plan, and tells what the rules find. Exits with 1 when one of them is an error.
pub async fn run(room: &mut Room, matches: &ArgMatches) -> Exit {
    let (plan, places) = match text(matches, "plan") {
        Some(path) => (saved::read(Path::new(&path))?.0, Diagnostics::new()),
        None => planned(room, matches).await?,
    };
    let counting = || plan.preflight.iter().filter(|it| it.skipped.is_none());
    if flag(matches, "sarif") {
        room.ui.output.line(&format!("{:#}", sarif(room, &plan, &places)));
    } else if flag(matches, "json") {
        room.ui.output.line(&format!("{:#}", Json::Array(plan.preflight.iter().map(as_json).collect())));
    } else {
        tell(room, &plan, places);
    }
    Ok(if counting().any(|it| it.severity == "error") { HAS_ERRORS } else { 0 })
}

/// Makes a plan; what refuses it is what is wanted here.
async fn planned(room: &mut Room, matches: &ArgMatches) -> Result<(Plan, Diagnostics), Diagnostics> {
    let args = PlanArgs::of(matches);
    room.listen();
    let configured = room.configured_for(args.mode, &args.vars, args.input)?;
    let store = room.store("check", Access::Write, args.lock_timeout)?;
    let mut session = room.session(&configured, store);
    if flag(matches, "json") || flag(matches, "sarif") {
        // Only the document belongs on standard output.
        session.events = Arc::new(|_| {});
    }
    let options = PlanOptions {
        mode: args.mode,
        targets: args.targets.clone(),
        replace: args.replace.clone(),
        refresh: args.refresh,
        skipped_checks: args.skipped_checks.clone(),
        live: args.live,
    };
    let Planned { plan, diagnostics } = sgp_engine::plan(&session, &options).await;
    plan.map(|plan| (plan, diagnostics.clone())).ok_or(diagnostics)
}

/// For people: findings with their places, the skipped ones in a line each, and how many there are.
fn tell(room: &Room, plan: &Plan, places: Diagnostics) {
    // Places are known where the plan was made just now.
    let told = if places.0.is_empty() { plan.preflight.iter().filter_map(as_diagnostic).collect() } else { places.0 };
    room.ui.diagnostics(&Diagnostics(told));
    let paint = room.ui.paint;
    let notes: Vec<&Preflight> =
        plan.preflight.iter().filter(|it| it.severity == "note" && it.skipped.is_none()).collect();
    for note in &notes {
        let object = note.addr.as_ref().map(|it| format!("{it}: ")).unwrap_or_default();
        room.ui.say(&format!("{} {object}{} ({})", paint.cyan("Note:"), note.detail, note.rule));
    }
    for skipped in plan.preflight.iter().filter(|it| it.skipped.is_some()) {
        let object = skipped.addr.as_ref().map(|it| format!(" at {it}")).unwrap_or_default();
        let reason = skipped.skipped.as_deref().filter(|it| !it.is_empty()).unwrap_or("no reason given");
        room.ui.say(&paint.dim(&format!("Skipped: {}{object} ({reason})", skipped.rule)));
    }
    let count =
        |severity: &str| plan.preflight.iter().filter(|it| it.severity == severity && it.skipped.is_none()).count();
    let (errors, warnings) = (count("error"), count("warning"));
    let text =
        format!("{}, {}, {}.", plural(errors, "error"), plural(warnings, "warning"), plural(notes.len(), "note"));
    room.ui.say(&if errors > 0 { paint.red(&text) } else { paint.green(&text) });
    if let Some(text) = not_asked(plan) {
        room.ui.say(&text);
    }
    if errors + warnings > 0 {
        room.ui.say("sgp explain SGP000 (with a rule's number) says more about a rule.");
    }
}

/// Rules that are silent because nobody was asked what runs.
fn not_asked(plan: &Plan) -> Option<String> {
    let rules: Vec<&str> = sgp_checks::rules().iter().filter(|it| it.is_about_now()).map(|it| it.id).collect();
    let (count, all) = (plural(rules.len(), "rule"), rules.join(", "));
    match (plan.running.asked, plan.running.unseen.len()) {
        (true, 0) => None,
        // Nothing is there that could run.
        (false, _) if plan.refreshed.instances.is_empty() => None,
        (true, _) => {
            Some(format!("Not all that runs could be looked at, so that these may have missed something: {all}."))
        }
        (false, _) => Some(format!(
            "Nobody asked what runs, so that {count} had nothing to look at: {all}. sgp check -live asks AWS and the clusters."
        )),
    }
}

fn as_diagnostic(found: &Preflight) -> Option<Diagnostic> {
    let summary = format!("{} ({})", found.summary, found.rule);
    let told = match (found.severity.as_str(), &found.skipped) {
        (_, Some(_)) | ("note", _) => return None,
        ("error", _) => Diagnostic::error(summary, found.detail.clone()),
        _ => Diagnostic::warning(summary, found.detail.clone()),
    };
    Some(match &found.addr {
        Some(addr) => told.on(addr),
        None => told,
    })
}

/// For programs.
pub fn as_json(found: &Preflight) -> Json {
    json!({
        "rule": found.rule,
        "severity": found.severity,
        "address": found.addr.as_ref().map(ToString::to_string),
        "attribute": found.attribute,
        "summary": found.summary,
        "detail": found.detail,
        "skipped": found.skipped,
    })
}

/// For code scanning: SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0).
fn sarif(room: &Room, plan: &Plan, places: &Diagnostics) -> Json {
    let rules = sgp_checks::rules().iter().map(|rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.title },
            "fullDescription": { "text": rule.consequence },
            "help": { "text": rule.fix },
        })
    });
    let result = |found: &Preflight| {
        let level = found.severity.as_str();
        let mut result = json!({
            "ruleId": found.rule,
            "level": level,
            "message": { "text": found.detail },
            "locations": location(room, found, places),
        });
        if let Some(reason) = &found.skipped {
            result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
        }
        result
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "sgp", "version": VERSION, "rules": rules.collect::<Vec<_>>() } },
            "results": plan.preflight.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn location(room: &Room, found: &Preflight, places: &Diagnostics) -> Vec<Json> {
    let address = found.addr.as_ref().map(ToString::to_string);
    let is_it = |told: &&Diagnostic| told.address == address && told.detail == found.detail;
    let Some(span) = places.0.iter().find(is_it).and_then(|told| told.span.as_ref()) else { return Vec::new() };
    let start = room.ui.sources().line_column(&span.file, span.range.start);
    let region = start.map(|at| json!({ "startLine": at.line, "startColumn": at.column }));
    let physical = json!({ "artifactLocation": { "uri": span.file.as_ref() }, "region": region });
    vec![json!({ "physicalLocation": physical, "logicalLocations": [{ "fullyQualifiedName": address }] })]
}
