//! What a program makes of a stack: Terraform, OpenTofu and `sgp` have the same commands and machine-readable formats.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::stack::{Stack, Step};

/// Ids that are new in each run.
static UUID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").expect("the pattern is fixed and right")
});

/// Takes a stack through its steps in a folder of its own.
pub fn of(stack: &Stack, program: &Path) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| run(program, folder.path(), args);
    let mut steps = Vec::new();
    for step in &stack.steps {
        for (name, text) in &step.files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let _ = run(&["init", "-input=false"]);
        steps.push(if stack.is_test() { tested(&run) } else { lived(step, &run) });
    }
    let text = serde_json::to_string(&steps).unwrap();
    serde_json::from_str(&UUID.replace_all(&text, "<uuid>")).unwrap()
}

/// How a command went.
struct Ran {
    code: i32,
    output: String,
}

fn run(program: &Path, folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null());
    // What a person has set up for the program is not part of the comparison.
    command.env("TF_CLI_CONFIG_FILE", folder.join("none.tfrc")).env("CHECKPOINT_DISABLE", "1").env("NO_COLOR", "1");
    fs::write(folder.join("none.tfrc"), "").unwrap();
    let output = command.output().unwrap();
    Ran { code: output.status.code().unwrap_or(-1), output: String::from_utf8_lossy(&output.stdout).into_owned() }
}

impl Ran {
    /// The answer of `-json`.
    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or(Value::Null)
    }

    /// The messages of `-json` where each line is one.
    fn lines(&self) -> impl Iterator<Item = Value> {
        self.output.lines().filter_map(|line| serde_json::from_str(line).ok())
    }

    /// The summaries of all errors, each once, sorted.
    fn errors(&self) -> BTreeSet<String> {
        let diagnostics = self.lines().filter(|line| line["type"] == "diagnostic");
        let errors = diagnostics.filter(|line| line["diagnostic"]["severity"] == "error");
        errors.filter_map(|line| Some(line["diagnostic"]["summary"].as_str()?.to_owned())).collect()
    }
}

/// Plans, applies and looks.
fn lived(step: &Step, run: &dyn Fn(&[&str]) -> Ran) -> Value {
    let mut args = vec!["plan", "-input=false", "-json", "-out=saved.plan"];
    args.extend(step.flags.iter().map(String::as_str));
    let planned = run(&args);
    if planned.code != 0 {
        return json!({ "refused": planned.errors() });
    }
    let plan = run(&["show", "-json", "saved.plan"]).json();
    let mut told = json!({
        "changes": plan["resource_changes"].as_array().into_iter().flatten().map(change).collect::<Vec<_>>(),
        "output_changes": or_empty(&plan["output_changes"]),
        "planned_values": plan["planned_values"],
        "checks": plan["checks"],
    });
    let applied = run(&["apply", "-input=false", "-json", "saved.plan"]);
    told["failed"] = json!(applied.errors());
    told["outputs"] = run(&["output", "-json"]).json();
    told["values"] = run(&["show", "-json"]).json()["values"].clone();
    let state = run(&["state", "pull"]).json();
    told["resources"] = state["resources"].as_array().into_iter().flatten().map(resource).collect();
    told["check_results"] = sorted(state["check_results"].clone(), "config_addr");
    if applied.code == 0 && step.flags.is_empty() {
        told["again"] = run(&["plan", "-input=false", "-detailed-exitcode"]).code.into();
    }
    told
}

/// Results of conditions in the order of their addresses: OpenTofu has them in none.
fn sorted(mut results: Value, by: &str) -> Value {
    for result in results.as_array_mut().into_iter().flatten() {
        if let Some(objects) = result.get_mut("objects") {
            *objects = sorted(objects.take(), "object_addr");
        }
    }
    if let Some(results) = results.as_array_mut() {
        results.sort_by_key(|result| result[by].as_str().unwrap_or_default().to_owned());
    }
    results
}

fn or_empty(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}

/// The parts of an object that have these names.
fn parts(value: &Value, names: &[&str]) -> Map<String, Value> {
    let parts = names.iter().filter_map(|name| Some(((*name).to_owned(), value.get(name)?.clone())));
    parts.collect()
}

fn change(told: &Value) -> Value {
    let mut kept = parts(told, &["address", "previous_address", "deposed", "action_reason"]);
    let names = [
        "actions",
        "before",
        "after",
        "after_unknown",
        "before_sensitive",
        "after_sensitive",
        "replace_paths",
        "importing",
    ];
    kept.extend(parts(&told["change"], &names));
    kept.into()
}

fn resource(told: &Value) -> Value {
    let names = ["index_key", "status", "deposed", "attributes", "sensitive_attributes", "dependencies"];
    let instances = told["instances"].as_array().into_iter().flatten().map(|it| Value::Object(parts(it, &names)));
    let mut kept = parts(told, &["module", "mode", "type", "name", "provider"]);
    kept.insert("instances".into(), instances.collect());
    kept.into()
}

/// Runs the test files.
fn tested(run: &dyn Fn(&[&str]) -> Ran) -> Value {
    let ran = run(&["test", "-json"]);
    let ended = |told: &Value| told["progress"].is_null() || told["progress"] == "complete";
    let runs: Vec<Value> = ran
        .lines()
        .filter(|line| line["type"] == "test_run" && ended(&line["test_run"]) && line["test_run"]["status"].is_string())
        .map(|line| json!([line["test_run"]["run"], line["test_run"]["status"]]))
        .collect();
    let summary = ran.lines().find(|line| line["type"] == "test_summary").map(|line| line["test_summary"].clone());
    json!({ "code": ran.code, "errors": ran.errors(), "runs": runs, "summary": summary })
}
