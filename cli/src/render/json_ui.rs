//! The machine-readable output of `-json`: one JSON object a line, in the format of Terraform's `plan -json`.

use std::{fmt::Display, sync::Arc};

use sgp_engine::{Event, EventSink};
use sgp_model::{
    Diagnostic, InstanceAddr, Plan, SourceMap,
    plan::{Action, PlanMode, ResourceChange, Summary},
    state::OutputRecord,
};

use super::{
    diagnostics,
    json::Json,
    paint::{Paint, plural},
    plan_json,
    progress::{duration, ephemeral, line},
    running,
    state_json::implied_provider,
    tree,
};
use crate::ui::Output;

/// The version of the format, as Terraform counts it.
const FORMAT: &str = "1.2";

/// Writes messages as JSON lines.
pub struct JsonUi {
    output: Arc<Output>,
    /// For diagnostics of events.
    sources: SourceMap,
    now: fn() -> String,
}

impl JsonUi {
    /// Lines to the output, each with the time of day.
    pub fn new(output: Arc<Output>, sources: SourceMap) -> Self {
        Self { output, sources, now: || format!("{:.6}", jiff::Timestamp::now()) }
    }

    /// One line. The members stand before the type.
    pub(super) fn message(&self, level: &str, text: impl Display, kind: &str, members: Vec<(&str, Json)>) {
        let mut json = Json::object([
            ("@level", Json::from(level)),
            ("@message", text.to_string().into()),
            ("@module", "sgp.ui".into()),
            ("@timestamp", (self.now)().into()),
        ]);
        for (name, value) in members {
            json.push(name, value);
        }
        self.output.line(&json.with("type", kind).to_string());
    }

    fn info(&self, text: impl Display, kind: &str, members: Vec<(&str, Json)>) {
        self.message("info", text, kind, members);
    }

    /// The first line of every run.
    pub fn version(&self, version: &str) {
        let text = format!("sgp {version}");
        self.info(text, "version", vec![("sgp", version.into()), ("terraform", version.into()), ("ui", FORMAT.into())]);
    }

    /// A line that only tells.
    pub fn log(&self, text: &str) {
        self.info(text, "log", Vec::new());
    }

    /// An error or a warning.
    pub fn diagnostic(&self, diagnostic: &Diagnostic) {
        self.diagnostic_in(diagnostic, Vec::new());
    }

    /// The same with members that say where it was found.
    pub(super) fn diagnostic_in(&self, diagnostic: &Diagnostic, mut place: Vec<(&str, Json)>) {
        let (level, label) = if diagnostic.is_error() { ("error", "Error") } else { ("warn", "Warning") };
        let text = format!("{label}: {}", diagnostic.summary);
        place.push(("diagnostic", diagnostics::to_json(diagnostic, &self.sources)));
        self.message(level, text, "diagnostic", place);
    }

    /// Drift, changes, summary and outputs of a plan.
    pub fn plan(&self, plan: &Plan) {
        for change in &plan.drift {
            let text = format!("{}: Drift detected ({})", change.addr, action_word(change));
            self.info(text, "resource_drift", vec![("change", change_json(change))]);
        }
        let shown =
            |c: &&ResourceChange| c.action != Action::NoOp || c.importing.is_some() || c.previous_addr.is_some();
        for change in plan.changes.iter().filter(shown) {
            let text = format!("{}: Plan to {}", change.addr, action_word(change));
            self.info(text, "planned_change", vec![("change", change_json(change))]);
        }
        for it in &plan.deferred {
            let text = format!("{}: Planned during apply, once its keys are known", it.change.addr);
            let change = Json::object([
                ("resource", resource(&it.change.addr)),
                ("reason", plan_json::deferred_reason(it.reason).into()),
            ]);
            self.info(text, "deferred_change", vec![("change", change)]);
        }
        let s = plan.summary();
        let imports = if s.import > 0 { format!("{} to import, ", s.import) } else { String::new() };
        for kept in &plan.running.kept {
            let text = format!(
                "{}/{} ({}): {} keep other groups than they would get",
                kept.namespace,
                kept.name,
                kept.kind,
                plural(kept.pods.len(), "running pod")
            );
            self.info(text, "running_pods", vec![("pods", running::pods(kept))]);
        }
        let text = format!("Plan: {imports}{} to add, {} to change, {} to destroy.", s.add, s.change, s.destroy);
        self.info(text, "change_summary", vec![("changes", summary(s, "plan"))]);
        if !plan.outputs.is_empty() {
            let outputs = plan.outputs.iter().map(|(name, o)| {
                let word = match o.action {
                    Action::NoOp => "noop",
                    Action::Create => "create",
                    Action::Delete => "delete",
                    _ => "update",
                };
                (name.clone(), Json::object([("sensitive", Json::from(o.sensitive)), ("action", word.into())]))
            });
            let text = format!("Outputs: {}", plan.outputs.len());
            self.info(text, "outputs", vec![("outputs", Json::object(outputs))]);
        }
    }

    /// What was done in the end.
    pub fn applied(&self, mode: PlanMode, done: Summary) {
        let s = done;
        let (text, operation) = if mode == PlanMode::Destroy {
            (format!("Destroy complete! Resources: {} destroyed.", s.destroy), "destroy")
        } else {
            let counts = format!("{} added, {} changed, {} destroyed", s.add, s.change, s.destroy);
            (format!("Apply complete! Resources: {counts}."), "apply")
        };
        self.info(text, "change_summary", vec![("changes", summary(done, operation))]);
    }

    /// The outputs after apply; sensitive values stay out of logs.
    pub fn outputs<'a>(&self, outputs: impl ExactSizeIterator<Item = (&'a String, &'a OutputRecord)>) {
        let text = format!("Outputs: {}", outputs.len());
        let members = outputs.map(|(name, o)| {
            let json = Json::object([("sensitive", Json::from(o.sensitive)), ("type", (&o.ty.to_json()).into())]);
            (name.clone(), if o.sensitive { json } else { json.with("value", Json::of_value(&o.value)) })
        });
        self.info(text, "outputs", vec![("outputs", Json::object(members))]);
    }

    /// A restart, which Terraform's format does not know.
    fn rollout(&self, event: &Event) {
        let (kind, workload, elapsed) = match event {
            Event::RolloutStart { workload, .. } => ("rollout_start", workload, None),
            Event::RolloutProgress { workload, elapsed, .. } => ("rollout_progress", workload, Some(elapsed)),
            Event::RolloutComplete { workload, elapsed, .. } => ("rollout_complete", workload, Some(elapsed)),
            Event::RolloutErrored { workload, elapsed, .. } => ("rollout_errored", workload, Some(elapsed)),
            _ => return,
        };
        let hook = Json::object([("workload", Json::from(workload.as_str()))]);
        let hook = elapsed.map_or(hook.clone(), |it| hook.with("elapsed_seconds", it.as_secs()));
        let level = if kind == "rollout_errored" { "error" } else { "info" };
        self.message(level, line(event, Paint::plain()).unwrap_or_default(), kind, vec![("hook", hook)]);
    }

    fn hook(&self, event: &Event, kind: &str, hook: Json) {
        let text = line(event, Paint::plain()).unwrap_or_default();
        let level = if matches!(event, Event::ApplyErrored { .. }) { "error" } else { "info" };
        self.message(level, text, kind, vec![("hook", hook)]);
    }
}

impl EventSink for JsonUi {
    fn emit(&self, event: Event) {
        let applied = |addr: &InstanceAddr, action: Action| {
            Json::object([("resource", resource(addr)), ("action", hook_action(action).into())])
        };
        let with_id = |json: Json, id: &Option<String>| match id {
            Some(id) => json.with("id_key", "id").with("id_value", id.as_str()),
            None => json,
        };
        match &event {
            Event::RefreshStart { type_name, count } => self.hook(&event, "refresh_start", of_type(type_name, *count)),
            Event::RefreshComplete { type_name, count, elapsed } => {
                let text = format!(
                    "{type_name}: Refresh of {} complete after {}",
                    plural(*count, "object"),
                    duration(*elapsed)
                );
                self.info(text, "refresh_complete", vec![("hook", of_type(type_name, *count))]);
            }
            Event::ReadStart { addr } => self.hook(&event, "apply_start", applied(addr, Action::Read)),
            Event::ReadComplete { addr, id, elapsed } => {
                let hook = with_id(applied(addr, Action::Read), id).with("elapsed_seconds", elapsed.as_secs());
                self.hook(&event, "apply_complete", hook);
            }
            Event::EphemeralStart { addr, op } => {
                let hook = Json::object([("resource", resource(addr)), ("action", ephemeral(*op).1.into())]);
                self.hook(&event, "ephemeral_op_start", hook);
            }
            Event::EphemeralComplete { addr, op, elapsed } => {
                let hook = Json::object([("resource", resource(addr)), ("action", ephemeral(*op).1.into())]);
                self.hook(&event, "ephemeral_op_complete", hook.with("elapsed_seconds", elapsed.as_secs()));
            }
            Event::Recovered { .. } | Event::Expanded { .. } => {
                self.log(&line(&event, Paint::plain()).unwrap_or_default());
            }
            Event::ApplyStart { addr, action, deposed, id } => {
                let hook = with_id(applied(addr, *action), id);
                let hook = deposed.as_ref().map_or(hook.clone(), |key| hook.with("deposed", key.as_str()));
                self.hook(&event, "apply_start", hook);
            }
            Event::ApplyProgress { addr, action, status, elapsed } => {
                let hook = applied(addr, *action).with("elapsed_seconds", elapsed.as_secs());
                let hook = status.as_ref().map_or(hook.clone(), |status| hook.with("status", status.as_str()));
                self.hook(&event, "apply_progress", hook);
            }
            Event::ApplyComplete { addr, action, id, elapsed } => {
                let hook = with_id(applied(addr, *action), id).with("elapsed_seconds", elapsed.as_secs());
                self.hook(&event, "apply_complete", hook);
            }
            Event::ApplyErrored { addr, action, elapsed } => {
                self.hook(&event, "apply_errored", applied(addr, *action).with("elapsed_seconds", elapsed.as_secs()));
            }
            Event::LookStart | Event::LookComplete => {}
            Event::RolloutStart { .. }
            | Event::RolloutProgress { .. }
            | Event::RolloutComplete { .. }
            | Event::RolloutErrored { .. } => self.rollout(&event),
            Event::Skipped { addr, action } => self.hook(&event, "apply_skipped", applied(addr, *action)),
            Event::Diagnostic(diagnostic) => self.diagnostic(diagnostic),
        }
    }
}

fn summary(s: Summary, operation: &str) -> Json {
    Json::object([
        ("add", Json::from(s.add)),
        ("change", s.change.into()),
        ("import", s.import.into()),
        ("remove", s.destroy.into()),
        ("operation", operation.into()),
    ])
}

/// An object in the way of the format.
fn resource(addr: &InstanceAddr) -> Json {
    let within = InstanceAddr {
        resource: sgp_model::ResourceAddr { module: sgp_model::ModulePath::root(), ..addr.resource.clone() },
        key: addr.key.clone(),
    };
    Json::object([
        ("addr", Json::from(addr.to_string())),
        ("module", addr.resource.module.to_string().into()),
        ("resource", within.to_string().into()),
        ("implied_provider", implied_provider(addr).into()),
        ("resource_type", (&*addr.resource.type_name).into()),
        ("resource_name", (&*addr.resource.name).into()),
        ("resource_key", addr.key.as_ref().map_or(Json::Null, tree::index)),
    ])
}

/// A refresh reads all objects of a type together: the type stands in the place of an address.
fn of_type(type_name: &str, count: usize) -> Json {
    let resource = Json::object([
        ("addr", Json::from(type_name)),
        ("module", "".into()),
        ("resource", type_name.into()),
        ("implied_provider", type_name.split('_').next().unwrap_or(type_name).into()),
        ("resource_type", type_name.into()),
        ("resource_name", "".into()),
        ("resource_key", Json::Null),
    ]);
    Json::object([("resource", resource), ("count", count.into())])
}

fn hook_action(action: Action) -> &'static str {
    match action {
        Action::NoOp => "noop",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => "replace",
        Action::Delete => "delete",
        Action::Forget => "remove",
    }
}

fn action_word(change: &ResourceChange) -> &'static str {
    match change.action {
        Action::NoOp if change.importing.is_some() => "import",
        Action::NoOp if change.previous_addr.is_some() => "move",
        action => hook_action(action),
    }
}

fn change_json(change: &ResourceChange) -> Json {
    let mut json = Json::object([("resource", resource(&change.addr)), ("action", action_word(change).into())]);
    if let Some(previous) = &change.previous_addr {
        json.push("previous_resource", resource(previous));
    }
    if let Some(reason) = change.reason.as_ref().and_then(plan_json::reason_name) {
        let short = match reason {
            "replace_because_tainted" => "tainted",
            "replace_by_request" => "requested",
            "replace_because_cannot_update" => "cannot_update",
            other => other,
        };
        json.push("reason", short);
    }
    if let Some(id) = &change.importing {
        json.push("importing", Json::object([("id", Json::from(id.as_str()))]));
    }
    json
}

/// Seconds of a run, for tests that compare lines.
#[cfg(test)]
fn fixed() -> String {
    "2026-01-01T00:00:00.000000Z".to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use sgp_model::{Value, address::parse_instance, plan::Reason};

    use super::*;
    use crate::render::plan::tests::{change, plan as plan_of};

    #[test]
    fn lines_in_terraforms_format() {
        let output = Arc::new(Output::captured());
        let ui = JsonUi { output: output.clone(), sources: SourceMap::default(), now: fixed };
        ui.version("0.1.0");
        let object = || Some(Value::object([("id", Value::from("x"))]));
        let mut replaced = change("module.m.aws_example.a[\"k\"]", Action::CreateThenDelete, object(), object());
        replaced.reason = Some(Reason::ReplaceBecauseTainted);
        let plan = plan_of(vec![replaced, change("aws_example.q", Action::NoOp, object(), object())]);
        ui.plan(&plan);
        let addr = || parse_instance("aws_example.a[0]").unwrap();
        let at = Duration::from_secs(75);
        ui.emit(Event::RefreshStart { type_name: "aws_example".into(), count: 2 });
        ui.emit(Event::ApplyStart { addr: addr(), action: Action::Create, deposed: None, id: None });
        ui.emit(Event::ApplyProgress {
            addr: addr(),
            action: Action::Create,
            status: Some("CREATING".into()),
            elapsed: at,
        });
        ui.emit(Event::ApplyComplete { addr: addr(), action: Action::Create, id: Some("x".into()), elapsed: at });
        ui.emit(Event::ApplyErrored { addr: addr(), action: Action::Delete, elapsed: at });
        ui.diagnostic(&Diagnostic::error("Broken", "It is."));
        ui.applied(PlanMode::Normal, Summary { import: 0, add: 1, change: 0, destroy: 1 });
        let outputs = std::collections::BTreeMap::from([
            ("a".to_owned(), OutputRecord { value: "x".into(), ty: sgp_model::Type::String, sensitive: false }),
            ("b".to_owned(), OutputRecord { value: "y".into(), ty: sgp_model::Type::String, sensitive: true }),
        ]);
        ui.outputs(outputs.iter());
        insta::assert_snapshot!(output.taken());
    }
}
