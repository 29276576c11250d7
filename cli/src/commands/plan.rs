//! `sgp plan`.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::ArgMatches;
use sgp_engine::{Generated, PlanOptions, Planned, Session};
use sgp_model::{Diagnostic, Diagnostics, Plan};
use sgp_state::Access;

use super::{Exit, page, saved};
use crate::{
    args::{PlanArgs, flag, text},
    render,
    session::{Configured, Room, VERSION},
};

/// Plans and shows; saves with `-out`, and writes a page with `-html`.
pub async fn run(room: &mut Room, matches: &ArgMatches) -> Exit {
    let args = PlanArgs::of(matches);
    start(room);
    let generated = text(matches, "generate-config-out").map(PathBuf::from);
    if let Some(path) = generated.as_deref().filter(|path| path.exists()) {
        let detail = format!("{} exists, and no file is written over. Name another one.", path.display());
        return Err(Diagnostic::error("File exists", detail).into());
    }
    let (out, html) = (text(matches, "out"), text(matches, "html"));
    if let Some(html) = &html {
        page::check(Path::new(html), out.as_ref().map(Path::new))?;
    }
    room.listen();
    let mut configured = room.configured_for(args.mode, &args.vars, args.input)?;
    let store = room.store("plan", Access::Write, args.lock_timeout)?;
    let mut session = room.session(&configured, store.clone());
    if let Some(path) = &generated
        && let Some(now) = generate(room, &session, &args, path).await?
    {
        session = room.session(&now, store);
        configured = now;
    }
    let made = attempt(room, &session, &args).await;
    if let (Some(html), Ok(plan) | Err((Some(plan), _))) = (&html, &made) {
        page::of_plan(room, plan, Path::new(html))?;
    }
    let plan =
        made.map_err(|(refused, diagnostics)| shown_refused(room, refused.as_deref(), html.as_deref(), diagnostics))?;
    show(room, &plan);
    if let Some(html) = &html {
        room.ui.say(&format!("\nWrote the page to: {html}"));
    }
    if let Some(path) = out {
        saved::write(Path::new(&path), &plan, &configured.from_flags)?;
        room.ui.say(&format!(
            "\nSaved the plan to: {path}\n\nTo make exactly these changes, run:\n    sgp apply {path:?}"
        ));
    } else if !plan.is_empty() {
        room.ui.say(
            "\nNote: the plan was not saved (-out), so an apply will plan anew and may find other changes by then.",
        );
    }
    Ok(if flag(matches, "detailed-exitcode") && !plan.is_empty() { 2 } else { 0 })
}

/// Writes blocks for imported objects that have none. Answers with the configuration as it is with them.
async fn generate(
    room: &Room,
    session: &Session,
    args: &PlanArgs,
    path: &Path,
) -> Result<Option<Configured>, Diagnostics> {
    let Generated { text, diagnostics } = sgp_engine::generate(session).await;
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    room.ui.diagnostics(&diagnostics);
    if text.is_empty() {
        return Ok(None);
    }
    let written =
        File::options().write(true).create_new(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| Diagnostic::error("Unwritable file", format!("{} cannot be written: {e}.", path.display())))?;
    if !room.ui.json {
        room.ui
            .say(&format!("Wrote blocks for what is imported to {}: read them before you keep them.", path.display()));
    }
    room.configured_with(path, text, &args.vars, args.input).map(Some)
}

/// The first line of the machine-readable output.
pub fn start(room: &Room) {
    if room.ui.json {
        room.ui.json_lines().version(VERSION);
    }
}

/// Asks the engine for a plan; warnings are shown.
///
/// # Errors
/// Everything that stands in the way of a plan.
pub async fn make(room: &Room, session: &Session, args: &PlanArgs) -> Result<Plan, Diagnostics> {
    let made = attempt(room, session, args).await;
    let made = made.map_err(|(refused, diagnostics)| shown_refused(room, refused.as_deref(), None, diagnostics))?;
    Ok(*made)
}

/// What would be done helps to see why the rules refuse it.
fn shown_refused(room: &Room, plan: Option<&Plan>, html: Option<&str>, why: Diagnostics) -> Diagnostics {
    if let Some(plan) = plan.filter(|_| !room.ui.json) {
        show(room, plan);
        if let Some(html) = html {
            room.ui.say(&format!("\nWrote the page to: {html}"));
        }
    }
    why
}

/// Asks the engine; a plan that preflight rules refuse comes with what they say.
async fn attempt(
    room: &Room,
    session: &Session,
    args: &PlanArgs,
) -> Result<Box<Plan>, (Option<Box<Plan>>, Diagnostics)> {
    let options = PlanOptions {
        mode: args.mode,
        targets: args.targets.clone(),
        replace: args.replace.clone(),
        refresh: args.refresh,
        skipped_checks: args.skipped_checks.clone(),
        live: args.live,
    };
    let Planned { plan, mut diagnostics } = sgp_engine::plan(session, &options).await;
    if !options.targets.is_empty() {
        diagnostics.push(Diagnostic::warning(
            "Resource targeting is in effect",
            "With -target the plan holds only what is named and what that depends on, so the result may not match the whole configuration. It is meant for mending and for mistakes: plan without it afterwards.",
        ));
    }
    match plan {
        Some(plan) if !diagnostics.has_errors() => {
            room.ui.diagnostics(&diagnostics);
            Ok(Box::new(plan))
        }
        refused => Err((refused.map(Box::new), diagnostics)),
    }
}

/// Shows a plan to people or programs.
pub fn show(room: &Room, plan: &Plan) {
    if room.ui.json {
        room.ui.json_lines().plan(plan);
        return;
    }
    let schemas = |mode, name: &str| room.schema(mode, name);
    room.ui.output.text(&render::plan::render(plan, &schemas, room.ui.paint));
}
