//! The `configuration` member of a plan's JSON: which blocks there are and what their arguments refer to.

use std::{collections::BTreeMap, sync::Arc};

use sgp_lang::{
    Config,
    config::{Module, ModuleCall, Output, Reference, ResourceBlock, Target, Variable},
    syntax::{Body, Expr, ExprKind, Part},
};
use sgp_model::{Mode, Value};

use super::{json::Json, state_json::Facts};

/// The configuration as Terraform's plan format arranges it. Fixed values stand as `constant_value`, everything else as the
/// `references` that it holds.
pub fn configuration(config: &Config, facts: Facts<'_>) -> Json {
    let mut providers = BTreeMap::new();
    collect_providers(&config.root, "", facts, &mut providers);
    // A provider without a block is there all the same.
    for block in config.root.resources.iter().filter(|r| r.provider.is_none()) {
        let name = implied_provider(block);
        let implied = || Json::object([("name", Json::from(name)), ("full_name", (facts.source)(name).into())]);
        providers.entry(name.to_owned()).or_insert_with(implied);
    }
    Json::object([("provider_config", Json::object(providers)), ("root_module", module(&config.root, facts))])
}

fn collect_providers(module: &Module, path: &str, facts: Facts<'_>, all: &mut BTreeMap<String, Json>) {
    for block in &module.providers {
        let local = block.alias.as_ref().map_or_else(|| block.name.to_string(), |a| format!("{}.{a}", block.name));
        let key = if path.is_empty() { local } else { format!("{path}:{local}") };
        let mut json =
            Json::object([("name", Json::from(&*block.name)), ("full_name", (facts.source)(&block.name).into())]);
        if let Some(alias) = &block.alias {
            json.push("alias", &**alias);
        }
        if !path.is_empty() {
            json.push("module_address", path);
        }
        push_some(&mut json, "expressions", body(&block.body));
        all.insert(key, json);
    }
    for call in module.calls.values() {
        let path =
            if path.is_empty() { format!("module.{}", call.name) } else { format!("{path}.module.{}", call.name) };
        collect_providers(&call.module, &path, facts, all);
    }
}

fn module(module: &Module, facts: Facts<'_>) -> Json {
    let mut json = Json::object::<&str>([]);
    if !module.outputs.is_empty() {
        json.push("outputs", Json::object(module.outputs.iter().map(|(name, o)| (name.to_string(), output(o)))));
    }
    if !module.resources.is_empty() {
        json.push("resources", Json::array(module.resources.iter().map(|r| resource(r, facts))));
    }
    if !module.calls.is_empty() {
        json.push(
            "module_calls",
            Json::object(module.calls.iter().map(|(name, c)| (name.to_string(), call(c, facts)))),
        );
    }
    if !module.variables.is_empty() {
        json.push("variables", Json::object(module.variables.iter().map(|(name, v)| (name.to_string(), variable(v)))));
    }
    json
}

fn output(output: &Output) -> Json {
    let mut json = Json::object([("expression", expression(&output.value))]);
    if output.sensitive {
        json.push("sensitive", true);
    }
    if let Some(text) = &output.description {
        json.push("description", &**text);
    }
    depends_on(json, &output.depends_on)
}

/// The object with what its `depends_on` names, when it names something.
fn depends_on(json: Json, references: &[Reference]) -> Json {
    if references.is_empty() {
        return json;
    }
    let named = references.iter().map(|r| match &r.target {
        Target::Resource { mode, type_name, name, key } => {
            let prefix = mode.prefix();
            let key = key.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{prefix}{type_name}.{name}{key}")
        }
        Target::Module(name) => format!("module.{name}"),
        Target::Variable(name) => format!("var.{name}"),
        Target::Local(name) => format!("local.{name}"),
    });
    json.with("depends_on", Json::array(named.map(Json::from)))
}

fn variable(variable: &Variable) -> Json {
    let mut json = Json::object::<&str>([]);
    if let Some(Json::Object(members)) = variable.default.as_ref().map(expression)
        && let Some((_, value)) = members.into_iter().find(|(name, _)| name == "constant_value")
    {
        json.push("default", value);
    }
    if let Some(text) = &variable.description {
        json.push("description", &**text);
    }
    if variable.sensitive {
        json.push("sensitive", true);
    }
    json
}

/// Adds a member unless it is an empty object, which Terraform leaves out.
fn push_some(json: &mut Json, name: &str, member: Json) {
    if !matches!(&member, Json::Object(members) if members.is_empty()) {
        json.push(name, member);
    }
}

/// The provider that the name of a type begins with.
fn implied_provider(block: &ResourceBlock) -> &str {
    block.type_name.split('_').next().unwrap_or_default()
}

fn resource(block: &ResourceBlock, facts: Facts<'_>) -> Json {
    let mode = match block.mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    };
    let prefix = block.mode.prefix();
    let provider = block.provider.as_ref().map_or_else(
        || implied_provider(block).to_owned(),
        |p| p.alias.as_ref().map_or_else(|| p.name.to_string(), |alias| format!("{}.{alias}", p.name)),
    );
    let mut json = Json::object([
        ("address", Json::from(format!("{prefix}{}.{}", block.type_name, block.name))),
        ("mode", mode.into()),
        ("type", (&*block.type_name).into()),
        ("name", (&*block.name).into()),
        ("provider_config_key", provider.into()),
    ]);
    push_some(&mut json, "expressions", body(&block.body));
    json.push("schema_version", (facts.schema_version)(block.mode, &block.type_name));
    repetition(&mut json, block.count.as_ref(), block.for_each.as_ref());
    depends_on(json, &block.depends_on)
}

fn repetition(json: &mut Json, count: Option<&Expr>, for_each: Option<&Expr>) {
    for (name, expr) in [("count_expression", count), ("for_each_expression", for_each)] {
        if let Some(expr) = expr {
            push_some(json, name, expression(expr));
        }
    }
}

fn call(call: &ModuleCall, facts: Facts<'_>) -> Json {
    let mut json = Json::object([("source", Json::from(call.source.as_str()))]);
    let args = call.args.iter().map(|(name, arg)| (name.to_string(), expression(&arg.expr)));
    push_some(&mut json, "expressions", Json::object(args));
    repetition(&mut json, call.count.as_ref(), call.for_each.as_ref());
    depends_on(json.with("module", module(&call.module, facts)), &call.depends_on)
}

/// Arguments as expressions; nested blocks as lists of the same.
fn body(body: &Body) -> Json {
    let mut members: BTreeMap<String, Json> =
        body.attrs.iter().map(|a| (a.name.to_string(), expression(&a.expr))).collect();
    for block in &body.blocks {
        let entry = members.entry(block.ty.to_string()).or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(all) = entry {
            all.push(self::body(&block.body));
        }
    }
    Json::object(members)
}

fn expression(expr: &Expr) -> Json {
    if let Some(value) = constant(expr) {
        return Json::object([("constant_value", Json::of_value(&value))]);
    }
    let mut references = References::default();
    references.expr(expr);
    let mut found = references.found;
    let mut seen = std::collections::HashSet::new();
    found.retain(|r| seen.insert(r.clone()));
    if found.is_empty() {
        return Json::object::<&str>([]);
    }
    Json::object([("references", Json::array(found.into_iter().map(Json::from)))])
}

/// The value of an expression that is written out: literals, and lists and objects of them.
fn constant(expr: &Expr) -> Option<Value> {
    match &*expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::Paren(inner) => constant(inner),
        ExprKind::Tuple(elements) => Some(Value::tuple(elements.iter().map(constant).collect::<Option<_>>()?)),
        ExprKind::Object(entries) => {
            let entry = |(key, value): &(Expr, Expr)| Some((constant_key(key)?, constant(value)?));
            Some(Value::object(entries.iter().map(entry).collect::<Option<Vec<_>>>()?))
        }
        _ => None,
    }
}

fn constant_key(key: &Expr) -> Option<String> {
    match &*key.kind {
        ExprKind::Name(name) => Some(name.to_string()),
        _ => constant(key)?.as_str().map(str::to_owned),
    }
}

/// Collects every reference, each followed by the object it is part of: `aws_vpc.a.id`, `aws_vpc.a`.
#[derive(Default)]
struct References {
    found: Vec<String>,
    /// Names that `for` binds around the expression.
    bound: Vec<String>,
}

impl References {
    fn expr(&mut self, expr: &Expr) {
        if let Some(chain) = self.chain(expr) {
            if !self.bound.contains(&chain[0]) {
                self.found.extend(with_parents(&chain));
            }
            return;
        }
        match &*expr.kind {
            ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Item => {}
            ExprKind::Template(parts) => parts.iter().for_each(|p| self.part(p)),
            ExprKind::Paren(a) | ExprKind::Attr(a, _) | ExprKind::Unary(_, a) => self.expr(a),
            ExprKind::Index(a, b) | ExprKind::Splat(a, b) | ExprKind::Binary(_, a, b) => self.all([a, b]),
            ExprKind::Call { args, .. } => self.all(args),
            ExprKind::Tuple(all) => self.all(all),
            ExprKind::Object(entries) => entries.iter().for_each(|(k, v)| {
                if !matches!(&*k.kind, ExprKind::Name(_)) {
                    self.expr(k);
                }
                self.expr(v);
            }),
            ExprKind::For(f) => {
                self.expr(&f.collection);
                self.binding(f.key_name.iter().chain([&f.value_name]), |this| {
                    this.all(f.key.iter().chain([&f.value]).chain(&f.condition));
                });
            }
            ExprKind::Conditional(a, b, c) => self.all([a, b, c]),
        }
    }

    fn all<'a>(&mut self, exprs: impl IntoIterator<Item = &'a Expr>) {
        exprs.into_iter().for_each(|e| self.expr(e));
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text(_) => {}
            Part::Interpolation(e) => self.expr(e),
            Part::If { condition, then, otherwise } => {
                self.expr(condition);
                then.iter().chain(otherwise).for_each(|p| self.part(p));
            }
            Part::For { key, value, collection, body } => {
                self.expr(collection);
                self.binding(key.iter().chain([value]), |this| body.iter().for_each(|p| this.part(p)));
            }
        }
    }

    fn binding<'a>(&mut self, names: impl Iterator<Item = &'a Arc<str>>, then: impl FnOnce(&mut Self)) {
        let depth = self.bound.len();
        self.bound.extend(names.map(ToString::to_string));
        then(self);
        self.bound.truncate(depth);
    }

    /// The parts of a reference as far as they are fixed; the references of a computed index are collected beside it.
    fn chain(&mut self, expr: &Expr) -> Option<Vec<String>> {
        match &*expr.kind {
            ExprKind::Name(name) => Some(vec![name.to_string()]),
            ExprKind::Attr(base, name) => {
                let mut parts = self.chain(base)?;
                parts.push(format!(".{name}"));
                Some(parts)
            }
            ExprKind::Index(base, key) => {
                let mut parts = self.chain(base)?;
                match constant(key) {
                    Some(value) => parts.push(format!("[{}]", Json::of_value(&value))),
                    None => self.expr(key),
                }
                Some(parts)
            }
            ExprKind::Splat(base, _) => self.chain(base),
            _ => None,
        }
    }
}

/// The reference and what it is part of, down to the object; names that are no references give nothing.
fn with_parents(chain: &[String]) -> Vec<String> {
    let least = match chain.first().map(String::as_str) {
        Some("data") => 3,
        Some("each" | "count" | "path" | "terraform" | "self") => chain.len().min(2),
        _ => 2,
    };
    if chain.len() < least || chain.len() < 2 {
        return Vec::new();
    }
    (least..=chain.len()).rev().map(|n| chain[..n].concat()).collect()
}

#[cfg(test)]
mod tests {
    use sgp_lang::{load::load, source::MemoryFiles};

    use super::*;

    #[test]
    fn blocks_with_constants_and_references() {
        let main = r#"
            provider "aws" {
              region = "eu-central-1"
            }
            variable "n" {
              default = 3
            }
            module "m" {
              source = "./m"
              x      = terraform_data.a["k"].output[0].id
            }
            resource "terraform_data" "a" {
              for_each = toset(["k"])
              depends_on = [module.m, data.aws_vpc.v]
              input    = { (var.n) = "${data.aws_vpc.v.id}-${each.key}", list = [for x in local.l : x.y if x.z] }
            }
            output "o" {
              value     = module.m.y
              sensitive = true
            }
        "#;
        let files = MemoryFiles::new([
            ("main.tf", main),
            ("m/main.tf", "variable \"x\" {}\noutput \"y\" {\n  value = var.x\n}\n"),
        ]);
        let source = |name: &str| format!("registry.terraform.io/hashicorp/{name}");
        let facts = Facts { schemas: &|_, _| None, schema_version: &|_, _| 0, source: &source, version: "0.1.0" };
        insta::assert_snapshot!(configuration(&load(".", &files).config, facts).pretty());
    }
}
