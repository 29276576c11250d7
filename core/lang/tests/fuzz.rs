//! Any text gives a value or diagnostics: nothing panics, nothing runs for ever, every place is in the text.
//!
//! ```sh
//! SGP_FUZZ_SECONDS=600 cargo test --release -p sgp-lang --test fuzz -- --nocapture
//! ```
//!
//! runs the five targets for ten minutes together, two at a time; by itself each takes a few thousand texts. `SGP_FUZZ_SEED` is where it starts.
//! A text that fails is printed, and while a long run lasts the last one of each target is in the target folder
//! (`tmp/fuzz-TARGET`), for what ends the process: a stack that overflows.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests may look around and tell"
)]

mod support;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use sgp_lang::{
    Answer, Configured, DepsView, Evaluator, Inputs, Schemas, World, fmt, load,
    source::MemoryFiles,
    syntax::{self, Body, Expr, json},
};
use sgp_model::{Attribute, Block, Diagnostics, Mode, ModulePath, NestedBlock, Schema, Span, Type, Value};
use support::{Random, changed, files, lines};

/// Types of every form; each name is known.
struct Any {
    resource: &'static Schema,
    provider: &'static Schema,
}

impl Any {
    fn new() -> Arc<Self> {
        let inner =
            Block::default().attr("port", Attribute::number().required()).attr("any", Attribute::of(Type::Dynamic));
        let resource = Schema::new("any", "Any.")
            .attr("name", Attribute::string())
            .attr("number", Attribute::number())
            .attr("tags", Attribute::string_map())
            .attr("ids", Attribute::string_set())
            .attr("input", Attribute::of(Type::Dynamic))
            .attr("id", Attribute::string().computed())
            .block("rule", NestedBlock::list(inner.clone()))
            .block("one", NestedBlock::single(inner.clone()))
            .block("open", NestedBlock::set(inner).computed());
        let provider = Schema::new("any", "Any.").attr("region", Attribute::string());
        Arc::new(Self { resource: Box::leak(Box::new(resource)), provider: Box::leak(Box::new(provider)) })
    }
}

impl Schemas for Any {
    fn resource(&self, _: Mode, _: &str) -> Option<&'static Schema> {
        Some(self.resource)
    }
    fn provider_for(&self, _: &str) -> Option<&'static str> {
        Some("any")
    }
    fn provider_config(&self, _: &str) -> Option<&'static Schema> {
        Some(self.provider)
    }
    fn resource_names(&self, _: Mode) -> Vec<&'static str> {
        vec!["any"]
    }
    fn provider_names(&self) -> Vec<&'static str> {
        vec!["any"]
    }
}

struct Nothing;

impl World for Nothing {
    fn object(&mut self, configured: Configured<'_>, _: &DepsView<'_>) -> Answer {
        Answer::Value(configured.config.with_attr("id", Value::unknown_not_null(Type::String)))
    }
}

/// A text that a target is given, and how long one may take.
struct Target {
    name: &'static str,
    seeds: Vec<(String, String)>,
    run: fn(&str),
}

const SLOW: Duration = Duration::from_secs(20);

impl Target {
    fn fuzz(&self) {
        let setting = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
        let seconds = setting("SGP_FUZZ_SECONDS");
        let until = seconds.map(|s| Instant::now() + Duration::from_millis(s * 400));
        let first = setting("SGP_FUZZ_SEED").unwrap_or(1);
        let last_text = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", self.name));
        let (mut failures, mut texts) = (Vec::new(), 0u64);
        for seed in first.. {
            if until.map_or(texts == 3000, |until| Instant::now() > until) || failures.len() == 5 {
                break;
            }
            let mut random = Random::new(seed);
            let base = &random.of(&self.seeds).1;
            let base = if random.below(8) == 0 { base.clone() } else { lines(base, &mut random) };
            let text = changed(&base, &self.seeds, &mut random);
            if until.is_some() {
                fs::write(&last_text, &text).unwrap();
            }
            let start = Instant::now();
            let failed = catch_unwind(AssertUnwindSafe(|| (self.run)(&text))).is_err();
            if failed || start.elapsed() > SLOW {
                failures.push(format!("seed {seed}, {} ms: {text:?}", start.elapsed().as_millis()));
            }
            texts += 1;
        }
        eprintln!("{}: {texts} texts from seed {first}", self.name);
        assert!(failures.is_empty(), "{}:\n{}", self.name, failures.join("\n\n"));
    }
}

fn seeds() -> Vec<(String, String)> {
    let mut all = files(&[".tf"]);
    all.extend(EXTRA.iter().map(|text| (String::new(), (*text).to_owned())));
    all
}

const EXTRA: &[&str] = &[
    "a = \"${b}\"\nc = <<-EOT\n  %{ for k, v in { a = 1 } ~}\n  ${k} = ${v}\n  %{ endfor ~}\nEOT\n",
    "resource \"any\" \"a\" {\n  count = 2\n  name = \"x${count.index}\"\n  rule {\n    port = 1\n  }\n  dynamic \"rule\" {\n    for_each = [1]\n    content {\n      port = rule.value\n    }\n  }\n  open = []\n}\noutput \"o\" {\n  value = any.a[*].id\n}\n",
    "variable \"v\" {\n  type = object({ a = optional(list(map(number)), []), b = tuple([string, bool]) })\n  default = { b = [\"x\", true] }\n}\n",
    "locals {\n  a = [for i in range(3) : i if i != 1]\n  b = { for k, v in { x = 1 } : upper(k) => v... }\n  c = format(\"%05.2f %-10s %q %v %#x %t\", 1.5, \"s\", \"q\", [1], 255, true)\n}\n",
    "locals {\n  a = cidrsubnet(\"10.0.0.0/16\", 8, 2)\n  b = regexall(\"(?P<x>a+)(b)?\", \"aab\")\n  c = formatdate(\"DD MMM YYYY hh:mm ZZZ\", \"2020-01-01T00:00:00Z\")\n  d = timeadd(\"2020-01-01T00:00:00Z\", \"1h30m\")\n  e = substr(\"héllo\", -3, 2)\n  f = slice([1, 2, 3], 1, 2)\n  g = chunklist([1, 2, 3], 2)\n  h = setproduct([1], [\"a\"], [true])\n}\n",
    "locals {\n  a = jsondecode(\"{\\\"a\\\": [1, null]}\")\n  b = yamldecode(\"a: &x [1, 2]\\nb: *x\\n\")\n  c = csvdecode(\"a,b\\n1,\\\"2\\\"\\n\")\n  d = base64gzip(\"x\")\n  e = templatestring(\"$${x}\", { x = 1 })\n  f = parseint(\"zz\", 36)\n  g = pow(2, 0.5) + log(8, 2) - abs(-1) % 3\n  h = try(null.a, can(x), 1)\n  i = lookup({ a = 1 }, \"b\", 2)\n  j = merge({ a = 1 }, null, { b = 2 })\n  k = flatten([[1], [[2]]])\n  l = zipmap([\"a\"], [1])\n  m = sort([\"b\", \"a\"])\n  n = trimprefix(\"abc\", \"a\")\n  o = replace(\"abc\", \"/b(.)/\", \"$1\")\n  p = indent(2, \"a\\nb\")\n  q = element([1, 2], -1)\n  r = one([1])\n  s = sum([1, 2.5])\n  t = index([1], 1)\n  u = matchkeys([1], [2], [2])\n  v = transpose({ a = [\"b\"] })\n  w = alltrue([true]) || anytrue([false])\n  x = coalesce(null, \"\", 1)\n  y = tomap({ a = 1 }) == tomap({ a = \"1\" })\n  z = sensitive(1) > nonsensitive(sensitive(0)) ? 1e400 : -1e-400\n}\n",
    "module \"m\" {\n  source = \"./m\"\n  for_each = toset([\"a\"])\n  x = each.key\n}\ncheck \"c\" {\n  assert {\n    condition = true\n    error_message = \"x\"\n  }\n}\nmoved {\n  from = any.a[0]\n  to = any.b[\"k\"]\n}\n",
];

const DOCUMENTS: &[&str] = &[
    "{\"locals\": {\"a\": \"${1 + 1}\", \"b\": [1, -2.5e3, true, null], \"c\": {\"k-${local.a}\": \"%{ if true }x%{ endif }\"}}}",
    "[{\"resource\": {\"any\": {\"a\": {\"//\": 1, \"name\": \"\\u00e9\\n\\\"\", \"rule\": [{\"port\": 1}, {\"port\": \"${2}\"}], \"dynamic\": {\"rule\": {\"for_each\": [1], \"iterator\": \"it\", \"content\": {\"port\": \"${it.value}\"}}}, \"lifecycle\": {\"ignore_changes\": [\"tags[\\\"x\\\"]\"]}, \"depends_on\": [\"any.b\"]}, \"b\": [{\"open\": {\"port\": 1}}]}}}]",
    "{\"variable\": {\"v\": {\"type\": \"list(string)\", \"default\": []}}, \"output\": {\"o\": {\"value\": \"${var.v}\"}}, \"terraform\": {\"required_providers\": {\"any\": {\"source\": \"x/any\"}}}}",
];

fn documents() -> Vec<(String, String)> {
    DOCUMENTS.iter().map(|text| (String::new(), (*text).to_owned())).collect()
}

fn in_text(span: &Span, text: &str) {
    assert!(text.get(span.range.clone()).is_some(), "{span:?} is not in the text");
}

fn places(body: &Body, diagnostics: &Diagnostics, text: &str) {
    diagnostics.iter().filter_map(|d| d.span.as_ref()).for_each(|span| in_text(span, text));
    let mut open = vec![body];
    while let Some(body) = open.pop() {
        in_text(&body.span, text);
        for attr in &body.attrs {
            in_text(&attr.name_span, text);
            attr.expr.walk(&mut |e: &Expr| {
                in_text(&e.span, text);
                true
            });
        }
        for block in &body.blocks {
            in_text(&block.header(), text);
            open.push(&block.body);
        }
    }
}

/// Evaluates all of a configuration.
fn evaluate(name: &str, text: &str) {
    let module = ("m/main.tf", "variable \"x\" {}\noutput \"y\" {\n  value = var.x\n}\n");
    let files = Arc::new(MemoryFiles::new([(name, text), module]));
    let loaded = load(".", &*files);
    let schemas = Any::new();
    let problems = sgp_lang::validate(&loaded.config, schemas.clone(), files.clone());
    let mut evaluator = Evaluator::new(loaded.config.clone(), Inputs::default(), schemas, files, Nothing);
    evaluator.variables();
    for resource in evaluator.resources() {
        for key in evaluator.instances(&resource).unwrap_or_default().into_iter().take(20) {
            let _ = evaluator.object(&resource.instance(key));
        }
    }
    for name in loaded.config.root.locals.keys() {
        let _ = evaluator.eval_text(&ModulePath::root(), &format!("local.{name}"));
    }
    evaluator.check_rest();
    let all = [loaded.diagnostics, problems, evaluator.take_diagnostics()];
    for span in all.iter().flat_map(Diagnostics::iter).filter_map(|d| d.span.as_ref()).filter(|s| &*s.file == name) {
        in_text(span, text);
    }
}

#[test]
fn formatting() {
    let run = |text: &str| {
        let (body, diagnostics) = syntax::parse_body(&"x".into(), text);
        places(&body, &diagnostics, text);
        match fmt::format(text) {
            Ok(formatted) => assert!(fmt::format(&formatted).is_ok(), "what was formatted cannot be read: {formatted}"),
            Err(error) => in_text(&error.span.unwrap(), text),
        }
    };
    Target { name: "formatting", seeds: seeds(), run }.fuzz();
}

#[test]
fn evaluation() {
    Target { name: "evaluation", seeds: seeds(), run: |text| evaluate("main.tf", text) }.fuzz();
}

#[test]
fn expressions() {
    let run =
        |text: &str| evaluate("main.tf", &format!("locals {{\n  x = (\n{}\n)\n}}\n", text.replace("locals {", "")));
    let lines = EXTRA.iter().flat_map(|text| text.lines());
    let values = lines.filter_map(|line| line.split_once(" = ")).map(|(_, value)| (String::new(), value.to_owned()));
    Target { name: "expressions", seeds: values.collect(), run }.fuzz();
}

#[test]
fn json_configuration() {
    let run = |text: &str| {
        let (body, diagnostics) = json::parse_body(&"x".into(), text);
        places(&body, &diagnostics, text);
        evaluate("main.tf.json", text);
    };
    Target { name: "json", seeds: documents(), run }.fuzz();
}

#[test]
fn files_of_values() {
    let run = |text: &str| {
        let (values, diagnostics) = json::parse_values(&"x".into(), text);
        values.iter().for_each(|(.., span)| in_text(span, text));
        diagnostics.iter().filter_map(|d| d.span.as_ref()).for_each(|span| in_text(span, text));
        let (body, _) = syntax::parse_body(&"x".into(), text);
        for attr in &body.attrs {
            let _ = sgp_lang::constant(&attr.expr);
        }
    };
    Target { name: "values", seeds: documents().into_iter().chain(seeds()).collect(), run }.fuzz();
}
