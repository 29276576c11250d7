//! `sgp apply`, `sgp destroy` and `sgp refresh`: one walk.

use std::path::Path;

use clap::ArgMatches;
use sgp_engine::{ApplyOptions, Outcome, Session};
use sgp_model::{
    Diagnostic, InstanceAddr, Plan,
    plan::{Anew, PlanMode, Summary},
};
use sgp_state::Access;

use super::{Exit, approve, plan, saved, verb};
use crate::{
    args::{PlanArgs, flag, text},
    render::{paint::plural, state_show},
    session::Room,
};

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `apply`.
    Apply,
    /// `destroy`.
    Destroy,
    /// `refresh`: refresh-only, approved.
    Refresh,
}

/// Plans, asks, applies; or applies a saved plan.
pub async fn run(room: &mut Room, matches: &ArgMatches, kind: Kind) -> Exit {
    let mut args = PlanArgs::of(matches);
    match kind {
        Kind::Apply => {}
        Kind::Destroy => args.mode = PlanMode::Destroy,
        Kind::Refresh => args.mode = PlanMode::RefreshOnly,
    }
    plan::start(room);
    room.listen();
    if let Some(path) = text(matches, "plan") {
        return apply_saved(room, &path, &args).await;
    }
    let approved = flag(matches, "auto-approve") || kind == Kind::Refresh;
    if !approved && (room.ui.json || !args.input) {
        return Err(approve::nobody());
    }
    let configured = room.configured_for(args.mode, &args.vars, args.input)?;
    let store = room.store(verb(args.mode), Access::Write, args.lock_timeout)?;
    let session = room.session(&configured, store);
    let made = plan::make(room, &session, &args).await?;
    plan::show(room, &made);
    if !approved && does_something(&made, &args) && !approve::plan(args.mode, room.interrupt()).await? {
        let word = if args.mode == PlanMode::Destroy { "Destroy" } else { "Apply" };
        room.ui.say(&format!("\n{word} cancelled."));
        return Ok(1);
    }
    execute(room, &session, &made, &args).await
}

/// Whether applying the plan changes anything outside of the state.
fn does_something(plan: &Plan, args: &PlanArgs) -> bool {
    let restarts = args.rollout && plan.running.kept.iter().any(|it| it.anew == Anew::Restart);
    !plan.is_empty() || restarts
}

async fn apply_saved(room: &Room, path: &str, args: &PlanArgs) -> Exit {
    let said = [
        (args.mode == PlanMode::Destroy, "-destroy"),
        (args.mode == PlanMode::RefreshOnly, "-refresh-only"),
        (!args.targets.is_empty(), "-target"),
        (!args.replace.is_empty(), "-replace"),
        (!args.refresh, "-refresh=false"),
    ];
    if let Some((_, flag)) = said.iter().find(|(given, _)| *given) {
        let detail = format!(
            "A saved plan is applied as it is, so {flag} has no meaning here. Give it to sgp plan -out={path}."
        );
        return Err(Diagnostic::error("Flag for planning", detail).into());
    }
    let (made, from_flags) = saved::read(Path::new(path))?;
    if args.rollout && !made.running.asked {
        let detail = format!(
            "When this plan was made nobody asked what runs, so that it does not say what -rollout would restart. Save it again with sgp \
             plan -live -out={path}."
        );
        return Err(Diagnostic::error("Plan without what runs", detail).into());
    }
    let mut configured = room.configured_for(made.mode, &args.vars, false)?;
    saved::restore(&mut configured, &made, &from_flags);
    let store = room.store(verb(made.mode), Access::Write, args.lock_timeout)?;
    let session = room.session(&configured, store);
    sgp_engine::check_saved(&session, &made).await?;
    execute(room, &session, &made, args).await
}

/// Applies and tells how it ended. A plan without changes is applied too: what refresh found is recorded.
async fn execute(room: &Room, session: &Session, made: &Plan, args: &PlanArgs) -> Exit {
    room.ui.say("");
    let options = ApplyOptions { parallelism: args.parallelism, rollout: args.rollout };
    let outcome = sgp_engine::apply(session, made, &options).await;
    let code = report(room, made.mode, &outcome);
    if code == 0 && made.mode == PlanMode::Destroy && !outcome.forgotten.is_empty() && !args.may_forget {
        return Err(left_behind(&outcome.forgotten).into());
    }
    Ok(code)
}

/// Who destroys everything must know what goes on existing.
fn left_behind(forgotten: &[InstanceAddr]) -> Diagnostic {
    let names: Vec<String> = forgotten.iter().map(ToString::to_string).collect();
    let detail = format!(
        "Everything else is destroyed, and nothing is managed here any more, but as the configuration says (destroy = false) these objects go \
         on existing, and may go on costing: {}. Give -suppress-forget-errors where that is no error.",
        names.join(", ")
    );
    Diagnostic::error("Objects left behind", detail)
}

fn report(room: &Room, mode: PlanMode, outcome: &Outcome) -> u8 {
    let failed = outcome.diagnostics.has_errors() || outcome.interrupted;
    room.ui.diagnostics(&outcome.diagnostics);
    if room.ui.json {
        let lines = room.ui.json_lines();
        if !failed {
            lines.applied(mode, outcome.done);
        }
        lines.outputs(outcome.outputs.iter());
        return u8::from(failed);
    }
    let paint = room.ui.paint;
    if failed {
        let how = if outcome.interrupted { "interrupted" } else { "incomplete" };
        let text = format!(
            "{} {how}: {}. What was done is recorded; run the command again to go on.",
            word(mode),
            done(outcome.done)
        );
        room.ui.say(&format!("\n{}", paint.red(&text)));
    } else {
        let restarted = match outcome.restarted {
            0 => String::new(),
            count => format!(" Restarted: {}.", plural(count, "workload")),
        };
        let text = format!("{} complete! Resources: {}.{restarted}", word(mode), done_in(mode, outcome.done));
        room.ui.say(&format!("\n{}", paint.bold(&paint.green(&text))));
    }
    if !outcome.outputs.is_empty() && mode != PlanMode::Destroy {
        room.ui.output.text(&format!(
            "\n{}\n\n{}",
            paint.bold("Outputs:"),
            state_show::outputs(outcome.outputs.iter())
        ));
    }
    u8::from(failed)
}

fn word(mode: PlanMode) -> &'static str {
    if mode == PlanMode::Destroy { "Destroy" } else { "Apply" }
}

fn done_in(mode: PlanMode, done: Summary) -> String {
    if mode == PlanMode::Destroy { format!("{} destroyed", done.destroy) } else { self::done(done) }
}

fn done(done: Summary) -> String {
    let imported = if done.import > 0 { format!("{} imported, ", done.import) } else { String::new() };
    format!("{imported}{} added, {} changed, {} destroyed", done.add, done.change, done.destroy)
}
