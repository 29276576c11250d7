//! Rows of configuration in, values or diagnostics out.
#![allow(clippy::unwrap_used)]

mod demand;
mod errors;
mod expressions;
mod json;
mod modules;
mod objects;
mod operators;
mod overrides;
mod providers;

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use sgp_model::{
    Attribute, Block, Diagnostics, InstanceAddr, Kind, Marks, Mode, NestedBlock, Schema, SourceMap, Type, Value,
    address::parse_instance,
};

use super::{Answer, Configured, DepsView, Evaluator, Inputs, Schemas, World};
use crate::{load::load, source::MemoryFiles};

/// Types for tests: `test_thing` with one of everything, `terraform_data` as it really is, data source `test_look`.
pub(crate) struct TestSchemas {
    thing: &'static Schema,
    data: &'static Schema,
    look: &'static Schema,
    provider: &'static Schema,
}

fn leaked(schema: Schema) -> &'static Schema {
    Box::leak(Box::new(schema))
}

pub(crate) fn schemas() -> Arc<TestSchemas> {
    use std::sync::OnceLock;
    static ONCE: OnceLock<Arc<TestSchemas>> = OnceLock::new();
    ONCE.get_or_init(|| {
        let rule = Block::default()
            .attr("port", Attribute::number().required())
            .attr("cidrs", Attribute::strings())
            .block("note", NestedBlock::list(Block::default().attr("text", Attribute::string().required())));
        let open = Block::default().attr("port", Attribute::number().required()).attr("why", Attribute::string());
        let thing = Schema::new("test_thing", "A thing.")
            .attr("name", Attribute::string().required())
            .attr("size", Attribute::number())
            .attr("ids", Attribute::string_set())
            .attr("tags", Attribute::string_map())
            .attr("secret", Attribute::string().sensitive())
            .attr("id", Attribute::string().computed())
            .attr("arn", Attribute::string().computed())
            .block("rule", NestedBlock::list(rule))
            .block("one", NestedBlock::single(Block::default().attr("x", Attribute::bool())))
            .block("open", NestedBlock::set(open).computed())
            .unsupported(&["colour", "edge"])
            .timeouts(&[("create", 60)]);
        let data = Schema::new("terraform_data", "A value.")
            .attr("input", Attribute::of(Type::Dynamic))
            .attr("triggers_replace", Attribute::of(Type::Dynamic))
            .attr("output", Attribute::of(Type::Dynamic).computed())
            .attr("id", Attribute::string().computed());
        let look = Schema::new("test_look", "Looks.")
            .attr("name", Attribute::string().required())
            .attr("found", Attribute::string().computed());
        let provider = Schema::new("test", "Tests.")
            .attr("region", Attribute::string())
            .attr("key", Attribute::string().sensitive());
        Arc::new(TestSchemas {
            thing: leaked(thing),
            data: leaked(data),
            look: leaked(look),
            provider: leaked(provider),
        })
    })
    .clone()
}

impl Schemas for TestSchemas {
    fn resource(&self, mode: Mode, type_name: &str) -> Option<&'static Schema> {
        match (mode, type_name) {
            (Mode::Managed, "test_thing") => Some(self.thing),
            (Mode::Managed, "terraform_data") => Some(self.data),
            (Mode::Data, "test_look") | (Mode::Ephemeral, "test_token") => Some(self.look),
            _ => None,
        }
    }
    fn provider_for(&self, type_name: &str) -> Option<&'static str> {
        match type_name {
            "test_thing" | "test_look" | "test_token" => Some("test"),
            "terraform_data" => Some("terraform"),
            _ => None,
        }
    }
    fn provider_config(&self, provider: &str) -> Option<&'static Schema> {
        matches!(provider, "test" | "terraform").then_some(self.provider)
    }
    fn resource_names(&self, mode: Mode) -> Vec<&'static str> {
        match mode {
            Mode::Managed => vec!["terraform_data", "test_thing"],
            Mode::Data => vec!["test_look"],
            Mode::Ephemeral => vec!["test_token"],
        }
    }
    fn provider_names(&self) -> Vec<&'static str> {
        vec!["terraform", "test"]
    }
}

/// Computed attributes are unknown, unless an object is recorded; data sources named "later" are blocked.
#[derive(Default)]
pub(crate) struct TestWorld {
    pub(crate) recorded: BTreeMap<InstanceAddr, Value>,
    pub(crate) ready: bool,
    pub(crate) provisional: bool,
    pub(crate) asked: Vec<String>,
    pub(crate) deps: BTreeMap<String, Vec<String>>,
    pub(crate) explicit: BTreeMap<String, Vec<String>>,
}

impl World for TestWorld {
    fn object(&mut self, configured: Configured<'_>, deps: &DepsView<'_>) -> Answer {
        let addr = configured.addr.to_string();
        self.asked.push(addr.clone());
        let shown = |addrs: Vec<InstanceAddr>| addrs.iter().map(ToString::to_string).collect();
        self.deps.insert(addr.clone(), shown(deps.instances()));
        self.explicit.insert(addr, shown(deps.explicit()));
        if let Some(value) = self.recorded.get(configured.addr) {
            return Answer::Value(value.clone());
        }
        let config = configured.config;
        if configured.addr.resource.mode != Mode::Managed {
            if config.get("name").and_then(Value::as_str) == Some("later") && !self.ready {
                return Answer::Blocked;
            }
            return Answer::Value(config.with_attr("found", Value::from("found it")));
        }
        let value = match &*configured.addr.resource.type_name {
            "terraform_data" => {
                let input = config.get("input").cloned().unwrap();
                config.with_attr("output", input).with_attr("id", Value::unknown_not_null(Type::String))
            }
            _ => config
                .with_attr("id", Value::unknown_not_null(Type::String))
                .with_attr("arn", Value::unknown_not_null(Type::String)),
        };
        if self.provisional { Answer::Provisional(value) } else { Answer::Value(value) }
    }
}

pub(crate) fn evaluator_of(files: &[(&str, &str)], inputs: Inputs, world: TestWorld) -> Evaluator<TestWorld> {
    let files = Arc::new(MemoryFiles::new(files.iter().copied()));
    let loaded = load(".", &*files);
    assert!(loaded.diagnostics.is_empty(), "{}", rendered(&loaded.diagnostics, &loaded.config.sources));
    Evaluator::new(loaded.config, inputs, schemas(), files, world)
}

pub(crate) fn evaluator(main: &str) -> Evaluator<TestWorld> {
    evaluator_of(&[("main.tf", main)], Inputs::default(), TestWorld::default())
}

/// Evaluates everything, as a plan does.
pub(crate) fn force(evaluator: &mut Evaluator<TestWorld>) {
    evaluator.variables();
    for resource in evaluator.resources() {
        for key in evaluator.instances(&resource).unwrap_or_default() {
            let _ = evaluator.object(&resource.instance(key));
        }
    }
    evaluator.check_rest();
}

/// All diagnostics of a configuration, loading included.
pub(crate) fn problems(files: &[(&str, &str)]) -> String {
    let memory = Arc::new(MemoryFiles::new(files.iter().copied()));
    let loaded = load(".", &*memory);
    let mut all = loaded.diagnostics;
    let mut evaluator =
        Evaluator::new(loaded.config.clone(), Inputs::default(), schemas(), memory, TestWorld::default());
    force(&mut evaluator);
    all.extend(evaluator.take_diagnostics());
    rendered(&all, &loaded.config.sources)
}

/// Diagnostics as a person sees them: summary, place, the characters, detail, values.
pub(crate) fn rendered(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let mut out = String::new();
    for d in diagnostics.iter() {
        let place = d.span.as_ref().map_or_else(String::new, |s| {
            let at = sources.line_column(&s.file, s.range.start).unwrap();
            let text = sources.text(&s.file).unwrap();
            format!(" at {}:{}:{}: `{}`", s.file, at.line, at.column, &text[s.range.clone()])
        });
        let kind = if d.is_error() { "" } else { "warning: " };
        writeln!(out, "{kind}{}{place}", d.summary).unwrap();
        for line in d.detail.lines() {
            writeln!(out, "  {line}").unwrap();
        }
        for (name, value) in &d.values {
            writeln!(out, "  {name} {value}").unwrap();
        }
    }
    out
}

/// A value as text that shows type, marks and what is unknown.
pub(crate) fn show(value: &Value) -> String {
    let join = |parts: Vec<String>| parts.join(", ");
    let fields = |fs: &BTreeMap<Arc<str>, Value>| join(fs.iter().map(|(k, v)| format!("{k} = {}", show(v))).collect());
    let text = match value.kind() {
        Kind::Null(Type::Dynamic) => "null".into(),
        Kind::Null(t) => format!("null({t})"),
        Kind::Unknown(u) => {
            let prefix = u.prefix.as_ref().map(|p| format!(" {p:?}...")).unwrap_or_default();
            format!("unknown({}{prefix})", u.ty)
        }
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) => format!("{s:?}"),
        Kind::List(_, vs) => format!("list[{}]", join(vs.iter().map(show).collect())),
        Kind::Set(_, vs) => format!("set[{}]", join(vs.iter().map(show).collect())),
        Kind::Tuple(vs) => format!("[{}]", join(vs.iter().map(show).collect())),
        Kind::Map(_, fs) => format!("map{{{}}}", fields(fs)),
        Kind::Object(fs) => format!("{{{}}}", fields(fs)),
    };
    let text = if value.marks().contains(Marks::EPHEMERAL) { format!("ephemeral({text})") } else { text };
    if value.marks().contains(Marks::SENSITIVE) { format!("sensitive({text})") } else { text }
}

/// What an expression is in a configuration: its value, or the errors.
pub(crate) fn eval_in(main: &str, expr: &str) -> String {
    let mut evaluator = evaluator(main);
    match evaluator.eval_text(&sgp_model::ModulePath::root(), expr) {
        Ok(value) => show(&value),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(|d| format!("{}: {}", d.summary, d.detail)).collect();
            format!("error {}", lines.join(" | "))
        }
    }
}

pub(crate) fn addr(text: &str) -> InstanceAddr {
    parse_instance(text).unwrap()
}
