//! Plans, states and audits as pages of HTML: the terminal's words and diffs, in `sgp-report`'s form.

use sgp_analysis::{audit::Audit, build::build, reach};
use sgp_engine::foresight;
use sgp_model::{
    Mode, Plan, State,
    plan::{Action, DeferredChange, PlanMode, Preflight, ResourceChange},
    symbol::readable,
};
use sgp_report::{
    Audited, Check, Entry, Mark, Reach,
    page::{Count, Page},
    picture::{Names, scene::World, ways::Ways},
};

use super::{
    audit,
    diff::Symbol,
    paint::{Paint, plural},
    plan::{self, SchemaOf},
    running, state_show,
};
use crate::{
    commands::topology::{Looked, Recorded},
    session::VERSION,
};

/// Diffs keep their colours: they become classes of the page.
const PAINT: Paint = Paint { colour: true, width: None, ascii: false };

/// The page of a plan. `of` is the state that it was made from.
pub fn plan(plan: &Plan, of: &Recorded, schemas: SchemaOf<'_>) -> Page {
    let mut page = Page {
        title: title(plan.mode).to_owned(),
        headline: headline(plan),
        alerts: alerts(plan),
        facts: record(Some(of)),
        ..Page::default()
    };
    page.facts.push(("SHA-256 of the configuration".to_owned(), plan.config_digest.clone()));
    page.facts.push(("Planned".to_owned(), time(plan.timestamp)));
    if !plan.targets.is_empty() {
        page.facts.push(("Targets".to_owned(), plan.targets.join(", ")));
    }
    let objects: Vec<Entry> =
        plan.changes.iter().filter(|it| plan::is_shown(it)).map(|it| entry(it, schemas)).collect();
    page.counts = counts(plan);
    page.drift = plan::drifts(plan).0.into_iter().map(|it| drifted(it, schemas)).collect();
    page.objects = Some(objects);
    page.deferred = plan.deferred.iter().map(|it| later(it, schemas)).collect();
    page.counts.extend(count_deferred(plan));
    page.outputs = outputs(plan);
    if plan.mode != PlanMode::RefreshOnly {
        let checks: Vec<Check> = plan.preflight.iter().map(check).collect();
        let reach = reach_of_plan(plan);
        page.counts.extend(count_checks(&checks));
        page.counts.extend(count_reach(&reach));
        page.checks = Some(checks);
        page.reach = Some(reach);
        page.running = running::lines(plan);
        page.counts.extend(count_running(plan));
    }
    page
}

fn count_deferred(plan: &Plan) -> Option<Count> {
    let words = format!("{} deferred", plural(plan.deferred.len(), "block"));
    (!plan.deferred.is_empty()).then_some(Count { words, section: "deferred", class: "" })
}

fn count_running(plan: &Plan) -> Option<Count> {
    let pods: usize = plan.running.kept.iter().map(|it| it.pods.len()).sum();
    let words =
        format!("{} their old groups", if pods == 1 { "1 pod keeps".to_owned() } else { format!("{pods} pods keep") });
    (pods > 0).then_some(Count { words, section: "running", class: "change" })
}

/// The page of a state.
pub fn state(state: &State, of: Recorded, schemas: SchemaOf<'_>) -> Page {
    let looked = Looked::at(&foresight::of_state(state), "the state", Some(of));
    let matrix = reach::matrix(&looked.topology);
    let audit = sgp_analysis::audit::audit_with(&looked.topology, &matrix);
    let objects: Vec<Entry> = state
        .instances
        .iter()
        .map(|(key, record)| Entry {
            mark: Mark::Same,
            sign: String::new(),
            address: key.addr.to_string(),
            what: state_show::remarks(key, record).join(" "),
            remarks: Vec::new(),
            diff: state_show::recorded(key, record, schemas, PAINT),
        })
        .collect();
    let output = |(name, record)| Entry {
        mark: Mark::Same,
        sign: String::new(),
        address: String::clone(name),
        what: String::new(),
        remarks: Vec::new(),
        diff: state_show::output(name, record),
    };
    Page {
        title: "State".to_owned(),
        headline: match objects.len() {
            0 => "The state is empty: no objects are recorded.".to_owned(),
            n => format!("{} recorded.", plural(n, "object")),
        },
        objects: (!objects.is_empty()).then_some(objects),
        outputs: state.outputs.iter().map(output).collect(),
        ..audited(&audit, &looked, &matrix)
    }
}

/// The page of an audit.
pub fn audit(looked: &Looked) -> Page {
    let matrix = reach::matrix(&looked.topology);
    audited(&sgp_analysis::audit::audit_with(&looked.topology, &matrix), looked, &matrix)
}

fn audited(audit: &Audit, looked: &Looked, matrix: &reach::Matrix) -> Page {
    let world = World { now: &looked.topology, before: None, names: &looked.names };
    let mut reach = Reach::of(&world, Ways::of_state(matrix));
    let by = audit.passages.iter().filter(|row| !row.by.is_empty());
    reach.by =
        by.map(|row| ((readable(&row.from).into_owned(), readable(&row.to).into_owned()), row.by.clone())).collect();
    let parts: Vec<(String, Vec<String>)> =
        audit::remarks(audit).into_iter().map(|(title, lines)| (title.to_owned(), lines)).collect();
    let counts = [
        (0, "rule deserves a look", "rules deserve a look"),
        (1, "idle policy", "idle policies"),
        (2, "pod without its groups", "pods without their groups"),
        (3, "idle group", "idle groups"),
    ];
    let counts = counts.into_iter().filter_map(|(part, one, many)| {
        let count = parts[part].1.len();
        let words = format!("{count} {}", if count == 1 { one } else { many });
        (count > 0).then_some(Count { words, section: "rules", class: if part == 2 { "bad" } else { "change" } })
    });
    Page {
        title: "Audit".to_owned(),
        headline: format!("Who could reach what, in {}.", looked.what),
        counts: counts.collect(),
        facts: record(looked.of.as_ref()),
        reach: Some(reach),
        audit: Some(Audited { parts }),
        ..Page::default()
    }
}

fn title(mode: PlanMode) -> &'static str {
    match mode {
        PlanMode::Normal => "Plan",
        PlanMode::Destroy => "Plan to destroy",
        PlanMode::RefreshOnly => "Refresh-only plan",
    }
}

fn headline(made: &Plan) -> String {
    if made.changes.iter().any(plan::is_shown) {
        return plan::summary_line(made.summary(), Paint::plain());
    }
    if plan::changed_outputs(made).next().is_some() {
        return "Only recorded output values change; no real infrastructure does.".to_owned();
    }
    if made.drift.is_empty() || made.mode != PlanMode::RefreshOnly {
        return plan::nothing(made.mode).0.to_owned();
    }
    format!("{} changed outside of sgp.", plural(made.drift.len(), "object"))
}

/// Why it is refused, and warnings that no rule gave.
fn alerts(plan: &Plan) -> Vec<String> {
    let errors = plan.preflight.iter().filter(|it| it.severity == "error" && it.skipped.is_none()).count();
    let refused = format!("This plan is refused: the rules find {}.", plural(errors, "error"));
    let is_rules = |summary: &str| plan.preflight.iter().any(|it| summary.ends_with(&format!("({})", it.rule)));
    let told = plan.diagnostics.iter().filter(|it| !is_rules(&it.summary));
    let told =
        told.map(|it| if it.detail.is_empty() { it.summary.clone() } else { format!("{}: {}", it.summary, it.detail) });
    (errors > 0).then_some(refused).into_iter().chain(told).collect()
}

fn counts(plan: &Plan) -> Vec<Count> {
    let summary = plan.summary();
    let all = [
        (summary.import, "import", ""),
        (summary.add, "add", "add"),
        (summary.change, "change", "change"),
        (summary.destroy, "destroy", "destroy"),
    ];
    let count = |(count, word, class): (usize, &str, &'static str)| Count {
        words: format!("{count} to {word}"),
        section: "objects",
        class,
    };
    all.into_iter().filter(|it| it.0 > 0).map(count).collect()
}

fn count_checks(checks: &[Check]) -> Vec<Count> {
    let count = |severity: &str, class: &'static str| {
        let count = checks.iter().filter(|it| it.counts_as(severity)).count();
        (count > 0).then(|| Count { words: plural(count, severity), section: "checks", class })
    };
    [count("error", "bad"), count("warning", "change"), count("note", "")].into_iter().flatten().collect()
}

fn count_reach(reach: &Reach) -> Vec<Count> {
    let ((opens, closes), loud) = (reach.counts(), reach.loud());
    let all = [
        (loud, format!("{} opened to every address", plural(loud, "way")), "bad"),
        (opens, format!("{} opened", plural(opens, "way")), "add"),
        (closes, format!("{} closed", plural(closes, "way")), "destroy"),
    ];
    let count = |(_, words, class)| Count { words, section: "reachability", class };
    all.into_iter().filter(|it| it.0 > 0).map(count).collect()
}

fn reach_of_plan(plan: &Plan) -> Reach {
    let (before, after) = (foresight::before(plan), foresight::after(plan));
    let names = Names::of(before.objects.iter().chain(&after.objects));
    let (before, after) = (build(&before), build(&after));
    let world = World { now: &after, before: Some(&before), names: &names };
    Reach::of(&world, Ways::of_change(&reach::compared(&before, &after)))
}

/// For the record: the state that was looked at, and what made the page.
fn record(of: Option<&Recorded>) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut push = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(of) = of {
        push("Serial of the state", of.serial.to_string());
        push("Lineage", of.lineage.clone());
        push("SHA-256 of the state", of.digest.clone());
    }
    push("Made by", format!("sgp {VERSION}"));
    facts
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |it| it.to_string())
}

fn check(found: &Preflight) -> Check {
    // The detail ends with what to do, unless something was said after it.
    let fix = sgp_checks::rules().iter().find(|rule| rule.id == found.rule).map_or("", |rule| rule.fix);
    let text = found.detail.strip_suffix(fix).filter(|_| !fix.is_empty());
    Check {
        rule: found.rule.clone(),
        severity: found.severity.clone(),
        summary: found.summary.clone(),
        text: text.unwrap_or(&found.detail).trim_end().to_owned(),
        fix: if text.is_some() { fix.to_owned() } else { String::new() },
        address: found.addr.as_ref().map(ToString::to_string),
        attribute: found.attribute.clone(),
        skipped: found.skipped.clone(),
    }
}

fn mark(action: Action) -> Mark {
    match action {
        Action::Create => Mark::Create,
        Action::Update => Mark::Update,
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => Mark::Replace,
        Action::Delete => Mark::Delete,
        Action::Read => Mark::Read,
        Action::NoOp | Action::Forget => Mark::Other,
    }
}

fn sign(symbol: Symbol) -> String {
    symbol.show(Paint::plain()).trim().to_owned()
}

fn entry(change: &ResourceChange, schemas: SchemaOf<'_>) -> Entry {
    let mut title = plan::title(change).into_iter();
    let headline = title.next().unwrap_or_default();
    let address = change.addr.to_string();
    // What has moved is told with both addresses.
    let what = headline.strip_prefix(&address).map_or(headline.as_str(), str::trim_start).to_owned();
    let is_data = change.addr.resource.mode == Mode::Data;
    Entry {
        mark: if is_data { Mark::Read } else { mark(change.action) },
        sign: sign(plan::symbol(change.action)),
        address,
        what,
        remarks: title.collect(),
        diff: plan::difference(change, schemas, PAINT),
    }
}

/// A block whose instances are planned during the apply.
fn later(it: &DeferredChange, schemas: SchemaOf<'_>) -> Entry {
    Entry { what: plan::LATER.to_owned(), remarks: plan::why_deferred(it), ..entry(&it.change, schemas) }
}

fn drifted(change: &ResourceChange, schemas: SchemaOf<'_>) -> Entry {
    let (what, diff) = plan::drift_of(change, schemas, PAINT);
    let mark = match change.action {
        Action::Delete => Mark::Delete,
        Action::NoOp => Mark::Other,
        _ => Mark::Update,
    };
    let sign = match mark {
        Mark::Delete => "-",
        Mark::Other => "",
        _ => "~",
    };
    let (sign, address, what) = (sign.to_owned(), change.addr.to_string(), what.to_owned());
    Entry { mark, sign, address, what, remarks: Vec::new(), diff }
}

fn outputs(made: &Plan) -> Vec<Entry> {
    let entry = |(name, output): (&String, _)| {
        let (symbol, body) = plan::output_change(output, PAINT);
        let mark = match symbol {
            Symbol::Add => Mark::Create,
            Symbol::Remove => Mark::Delete,
            _ => Mark::Update,
        };
        let diff = format!("{name} = {body}");
        Entry { mark, sign: sign(symbol), address: name.clone(), what: String::new(), remarks: Vec::new(), diff }
    };
    plan::changed_outputs(made).map(entry).collect()
}
