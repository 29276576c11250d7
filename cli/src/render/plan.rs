//! A plan as people read it.

use std::{collections::HashSet, fmt::Write as _};

use sgp_engine::with_write_only_sent;
use sgp_model::{
    AttrPath, Block, InstanceAddr, InstanceKey, Mode, Plan, Value,
    address::quote,
    plan::{Action, DeferredChange, OutputChange, PlanMode, Reason, ResourceChange, Summary},
};

use super::{
    diff::{Differ, Symbol, Unchanged, prefix},
    paint::{Paint, plural},
    reachability, running,
};

/// How many recorded instances of a deferred block are named.
const EXISTING_MAX: usize = 10;

/// Finds the schema of a type: attributes are told from blocks by it.
pub type SchemaOf<'a> = &'a dyn Fn(Mode, &str) -> Option<&'static Block>;

/// The whole plan: what changed outside, what will be done, outputs, and the summary line.
pub fn render(plan: &Plan, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let mut out = drift(plan, schemas, paint);
    let shown: Vec<_> = plan.changes.iter().filter(|c| is_shown(c)).collect();
    let outputs = outputs(plan, paint);
    if shown.is_empty() && outputs.is_empty() {
        if plan.mode != PlanMode::RefreshOnly || out.is_empty() {
            out.push_str(&nothing_to_do(plan, paint));
        }
        out.push_str(&running::section(plan, paint));
        return out;
    }
    if !shown.is_empty() {
        out.push_str(&legend(&shown, paint));
        let _ = writeln!(out, "\nsgp will perform the following actions:");
        for change in shown {
            let _ = write!(out, "\n{}", resource(change, schemas, paint));
        }
        for it in &plan.deferred {
            let _ = write!(out, "\n{}", deferred(it, schemas, paint));
        }
        let _ = writeln!(out, "\n{}", summary_line(plan.summary(), paint));
        if !plan.deferred.is_empty() {
            let label = paint.bold("Deferred:");
            let blocks = plural(plan.deferred.len(), "block");
            let then = "planned and applied in the same run, once the keys are known";
            let _ = writeln!(out, "{label} the instances of {blocks}, {then}.");
        }
        out.push_str(&reachability::section(&reachability::of_plan(plan), paint));
    }
    out.push_str(&running::section(plan, paint));
    if !outputs.is_empty() {
        let _ = write!(out, "\nChanges to Outputs:\n{outputs}");
    }
    if plan.changes.iter().all(|c| !is_shown(c)) && plan.mode == PlanMode::Normal {
        out.push_str("\nOnly recorded output values change; no real infrastructure does.\n");
    }
    out
}

/// Whether a plan has something to say of a change.
pub fn is_shown(change: &ResourceChange) -> bool {
    change.action != Action::NoOp || change.importing.is_some() || change.previous_addr.is_some()
}

/// `Plan: 3 to add, 1 to change, 0 to destroy.`
pub fn summary_line(summary: Summary, paint: Paint) -> String {
    let imports = if summary.import > 0 { format!("{} to import, ", summary.import) } else { String::new() };
    let label = paint.bold("Plan:");
    format!("{label} {imports}{} to add, {} to change, {} to destroy.", summary.add, summary.change, summary.destroy)
}

fn nothing_to_do(plan: &Plan, paint: Paint) -> String {
    let (first, then) = nothing(plan.mode);
    let prose = paint.wrap(then, 0).join("\n");
    format!("\n{}\n\n{prose}\n", paint.bold(&paint.green(first)))
}

/// What a plan without changes says: in short, and why.
pub fn nothing(mode: PlanMode) -> (&'static str, &'static str) {
    match mode {
        PlanMode::Normal => (
            "No changes. Your infrastructure matches the configuration.",
            "sgp compared the real infrastructure with the configuration and found no differences, so there is nothing to do.",
        ),
        PlanMode::Destroy => (
            "No changes. No objects need to be destroyed.",
            "The state holds no objects, so there is nothing to destroy.",
        ),
        PlanMode::RefreshOnly => (
            "No changes. Your infrastructure still matches the recorded state.",
            "sgp compared the real infrastructure with the state and found no differences.",
        ),
    }
}

fn legend(changes: &[&ResourceChange], paint: Paint) -> String {
    const WORDS: [(Action, &str); 8] = [
        (Action::Create, "create"),
        (Action::Update, "update in-place"),
        (Action::Delete, "destroy"),
        (Action::DeleteThenCreate, "destroy and then create replacement"),
        (Action::CreateThenDelete, "create replacement and then destroy"),
        (Action::ForgetThenCreate, "forget (stays, but is no longer managed) and then create replacement"),
        (Action::Read, "read (data sources)"),
        (Action::Forget, "forget (stays, but is no longer managed)"),
    ];
    let present = |action: Action| changes.iter().any(|c| c.action == action);
    let mut out = String::new();
    if WORDS.iter().any(|(action, _)| present(*action)) {
        out.push_str("\nResource actions are indicated with the following symbols:\n");
    }
    for (action, words) in WORDS.into_iter().filter(|(action, _)| present(*action)) {
        let _ = writeln!(out, "{} {words}", symbol(action).show(paint));
    }
    out
}

/// The symbol of an action.
pub fn symbol(action: Action) -> Symbol {
    match action {
        Action::NoOp => Symbol::Same,
        Action::Create => Symbol::Add,
        Action::Read => Symbol::Read,
        Action::Update => Symbol::Change,
        Action::DeleteThenCreate => Symbol::DeleteCreate,
        Action::CreateThenDelete => Symbol::CreateDelete,
        Action::ForgetThenCreate => Symbol::ForgetCreate,
        Action::Delete => Symbol::Remove,
        Action::Forget => Symbol::Forget,
    }
}

/// One object: why, and the difference.
pub fn resource(change: &ResourceChange, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let mut out = String::new();
    for (i, line) in title(change).iter().enumerate() {
        let text = if i == 0 { paint.bold(&format!("  # {line}")) } else { format!("  # {line}") };
        let _ = writeln!(out, "{text}");
    }
    out + &difference(change, schemas, paint)
}

/// A block whose instances are planned during apply: why, and what is known of each.
fn deferred(it: &DeferredChange, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let headline = paint.bold(&format!("  # {} {LATER}", it.change.addr));
    let remarks: String = why_deferred(it).iter().map(|line| format!("  # {line}\n")).collect();
    format!("{headline}\n{remarks}{}", difference(&it.change, schemas, paint))
}

/// What happens to a block that is deferred.
pub const LATER: &str = "will be planned during apply";

/// Why a block is deferred, and what stays until then.
pub fn why_deferred(it: &DeferredChange) -> Vec<String> {
    let why = format!("(number of instances known after apply: depends on {})", it.waits_for.join(", "));
    let named: Vec<String> = it.existing.iter().take(EXISTING_MAX).map(ToString::to_string).collect();
    let more = it.existing.len().saturating_sub(EXISTING_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let verb = if it.existing.len() == 1 { "stays as it is" } else { "stay as they are" };
    let existing = format!("({}{more} {verb} until then)", named.join(", "));
    [why].into_iter().chain((!it.existing.is_empty()).then_some(existing)).collect()
}

/// What changes of one object.
pub fn difference(change: &ResourceChange, schemas: SchemaOf<'_>, paint: Paint) -> String {
    if change.action == Action::Forget {
        return format!("{}{}\n", prefix(0, Symbol::Forget, paint), header(&change.addr));
    }
    body(change, symbol(change.action), schemas, paint)
}

fn header(addr: &InstanceAddr) -> String {
    let keyword = match addr.resource.mode {
        Mode::Managed => "resource",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    };
    format!("{keyword} {} {}", quote(&addr.resource.type_name), quote(&addr.resource.name))
}

fn body(change: &ResourceChange, symbol: Symbol, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let schema = schemas(change.addr.resource.mode, &change.addr.resource.type_name);
    let differ = Differ { replace: &change.replace_paths, paint, unchanged: Unchanged::Identifying };
    let after = schema.map_or_else(
        || change.after.clone(),
        |schema| with_write_only_sent(schema, &sent_over(change), &change.after, &change.config),
    );
    let block = differ.block(1, schema, &change.before, &after, &AttrPath::root());
    let head = format!("{}{} {{\n", prefix(0, symbol, paint), header(&change.addr));
    format!("{head}{block}{}}}\n", prefix(0, Symbol::Same, paint))
}

/// The object that arguments are sent over: a replacement sends all of them to a new one.
fn sent_over(change: &ResourceChange) -> Value {
    if change.action.is_replace() { Value::dynamic_null() } else { change.before.clone() }
}

/// What happens and why; the first line is the headline.
pub fn title(change: &ResourceChange) -> Vec<String> {
    let addr = &change.addr;
    let mut lines = vec![headline(change)];
    if let Some(previous) = &change.previous_addr
        && change.action != Action::NoOp
    {
        lines.push(format!("(moved from {previous})"));
    }
    if let Some(id) = &change.importing
        && change.action != Action::NoOp
    {
        lines.push(format!("(imported from {})", quote(id)));
    }
    if matches!(change.action, Action::Forget | Action::ForgetThenCreate) {
        lines.push("(destroy = false is set in the configuration)".to_owned());
    }
    lines.extend(change.reason.as_ref().and_then(|reason| because(addr, reason)).map(|text| format!("({text})")));
    lines
}

fn headline(change: &ResourceChange) -> String {
    let object = match &change.deposed {
        Some(key) => format!("{} (deposed object {key})", change.addr),
        None => change.addr.to_string(),
    };
    match change.action {
        Action::NoOp if change.importing.is_some() => format!("{object} will be imported"),
        Action::NoOp => match &change.previous_addr {
            Some(previous) => format!("{previous} has moved to {object}"),
            None => format!("{object} does not change"),
        },
        Action::Create => format!("{object} will be created"),
        Action::Read => format!("{object} will be read during apply"),
        Action::Update => format!("{object} will be updated in-place"),
        Action::Delete => format!("{object} will be destroyed"),
        Action::Forget => format!("{object} will no longer be managed by sgp, but will not be destroyed"),
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => match change.reason {
            Some(Reason::ReplaceBecauseTainted) => format!("{object} is tainted, so it must be replaced"),
            Some(Reason::ReplaceByRequest) => format!("{object} will be replaced, as requested"),
            _ => format!("{object} must be replaced"),
        },
    }
}

fn because(addr: &InstanceAddr, reason: &Reason) -> Option<String> {
    let resource = addr.resource.without_keys();
    Some(match reason {
        Reason::ReplaceBecauseCannotUpdate | Reason::ReplaceBecauseTainted | Reason::ReplaceByRequest => return None,
        Reason::ReplaceBecauseClusterIsReplaced { cluster } => {
            format!("because the cluster that it lives in, {cluster}, is replaced")
        }
        Reason::ReplaceByTriggers { trigger } => {
            format!("because {trigger} changes, which is in replace_triggered_by")
        }
        Reason::DeleteBecauseNoResourceConfig => format!("because {resource} is not in configuration"),
        Reason::DeleteBecauseNoModule => format!("because {} is not in configuration", addr.resource.module),
        Reason::DeleteBecauseWrongRepetition => match addr.key {
            Some(InstanceKey::Int(_)) => "because resource does not use count".to_owned(),
            Some(InstanceKey::Str(_)) => "because resource does not use for_each".to_owned(),
            None | Some(InstanceKey::Any {}) => "because resource uses count or for_each".to_owned(),
        },
        Reason::DeleteBecauseCountIndex => {
            let index = addr.key.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("because index {index} is out of range for count")
        }
        Reason::DeleteBecauseEachKey => {
            let key = addr.key.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("because key {key} is not in for_each map")
        }
        Reason::DeleteBecauseEnabledFalse => "because its enabled is false".to_owned(),
        Reason::DeleteBecauseDeposed => "left over from a replacement of this instance that did not finish".to_owned(),
        Reason::ReadBecauseConfigUnknown => "config refers to values not yet known".to_owned(),
        Reason::ReadBecauseDependencyPending => "depends on an object with changes pending".to_owned(),
    })
}

/// What changed outside since the last run: what a plan shows, and the rest. A normal plan shows only what it acts upon.
pub fn drifts(plan: &Plan) -> (Vec<&ResourceChange>, Vec<&ResourceChange>) {
    let acted_upon: HashSet<&InstanceAddr> =
        plan.changes.iter().filter(|c| c.action != Action::NoOp).map(|c| &c.addr).collect();
    let matters = |d: &ResourceChange| match plan.mode {
        PlanMode::RefreshOnly => true,
        PlanMode::Normal => acted_upon.contains(&d.addr),
        PlanMode::Destroy => false,
    };
    plan.drift.iter().partition(|d| matters(d))
}

/// What changed outside, told; what a plan does not act upon is counted.
fn drift(plan: &Plan, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let (shown, rest) = drifts(plan);
    let mut out = String::new();
    if !shown.is_empty() {
        let note = paint.bold(&paint.cyan("Note:"));
        let _ = writeln!(out, "\n{note} {}\n", paint.bold("Objects have changed outside of sgp"));
        let why = "sgp detected the following changes made outside of sgp since the last apply:";
        let _ = writeln!(out, "{}", paint.wrap(why, 0).join("\n"));
        for change in shown {
            let _ = write!(out, "\n{}", drifted(change, schemas, paint));
        }
        let then = match plan.mode {
            PlanMode::RefreshOnly => {
                "This is a refresh-only plan: sgp will not undo these changes. Applying it records them in the state and changes no real object."
            }
            _ => {
                "Unless the configuration has been updated to match, the plan below undoes or responds to these changes."
            }
        };
        let _ = writeln!(out, "\n{}", paint.wrap(then, 0).join("\n"));
    }
    if !rest.is_empty() && plan.mode == PlanMode::Normal {
        let objects = plural(rest.len(), "object");
        let text = format!(
            "{objects} changed outside of sgp without effect on this plan; `sgp plan -refresh-only` shows what."
        );
        let _ = writeln!(out, "\n{}", paint.dim(&paint.wrap(&text, 0).join("\n")));
    }
    out
}

fn drifted(change: &ResourceChange, schemas: SchemaOf<'_>, paint: Paint) -> String {
    let (what, diff) = drift_of(change, schemas, paint);
    format!("{}\n{diff}", paint.bold(&format!("  # {} {what}", change.addr)))
}

/// What happened outside to one object, in words and as a difference.
pub fn drift_of(change: &ResourceChange, schemas: SchemaOf<'_>, paint: Paint) -> (&'static str, String) {
    let (what, symbol) = match change.action {
        Action::Delete => ("has been deleted", Symbol::Remove),
        Action::NoOp => ("has moved", Symbol::Same),
        _ => ("has changed", Symbol::Change),
    };
    (what, body(change, symbol, schemas, paint))
}

/// Outputs of the root module that change, one entry a line.
fn outputs(plan: &Plan, paint: Paint) -> String {
    let shown: Vec<_> = changed_outputs(plan).collect();
    let width = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, output): (&String, &OutputChange)| {
        let (symbol, body) = output_change(output, paint);
        format!("{}{name:<width$} = {body}\n", prefix(0, symbol, paint))
    };
    shown.into_iter().map(line).collect()
}

/// Outputs that change, by name.
pub fn changed_outputs(plan: &Plan) -> impl Iterator<Item = (&String, &OutputChange)> {
    plan.outputs.iter().filter(|(_, output)| output.action != Action::NoOp)
}

/// What happens to an output, redacted: its symbol, and what stands after its name.
pub fn output_change(output: &OutputChange, paint: Paint) -> (Symbol, String) {
    let redact = |v: &Value| if output.sensitive { v.clone().sensitive() } else { v.clone() };
    let differ = Differ { replace: &[], paint, unchanged: Unchanged::Hidden };
    differ.output(&redact(&output.before), &redact(&output.after))
}

#[cfg(test)]
pub mod tests;
