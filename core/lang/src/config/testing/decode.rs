//! A test file out of its body.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostic, Diagnostics, InstanceAddr, Span, address::ParsedAddr};

use super::{
    super::{
        blocks::{checks, flag, only, required, text},
        reference::{self, Target},
        resource,
    },
    Command, Expected, Run, RunModule, RunOptions, Subject, TestFile,
    doubles::{self, OVERRIDES, keyword},
};
use crate::{
    suggest::did_you_mean,
    syntax::{Attr, Block, Body, Expr, ExprKind},
};

const TOP_LEVEL: [&str; 8] =
    ["run", "variables", "provider", "mock_provider", "override_resource", "override_data", "override_module", "test"];

/// Reads the blocks of a test file. What is wrong with one leaves it out.
pub fn decode(path: &str, body: &Body) -> (TestFile, Diagnostics) {
    let file = TestFile {
        path: path.into(),
        variables: BTreeMap::new(),
        providers: Vec::new(),
        overrides: Vec::new(),
        runs: Vec::new(),
    };
    let mut decoder = Decoder { file, diagnostics: Diagnostics::new() };
    for attr in &body.attrs {
        let detail = "Arguments stand in blocks, not at the top level of a test file.";
        decoder.diagnostics.push(Diagnostic::error("Unsupported argument", detail).at(attr.name_span.clone()));
    }
    let mut variables = None;
    for block in &body.blocks {
        decoder.block(block, &mut variables);
    }
    decoder.file.overrides = doubles::overrides(body, &mut decoder.diagnostics);
    decoder.check_references();
    (decoder.file, decoder.diagnostics)
}

struct Decoder {
    file: TestFile,
    diagnostics: Diagnostics,
}

impl Decoder {
    fn block(&mut self, block: &Block, variables: &mut Option<Span>) {
        match &*block.ty {
            "run" => self.run(block),
            "variables" => match variables.replace(block.header()) {
                None => self.file.variables = values(block, &mut self.diagnostics),
                Some(_) => self.diagnostics.push(twice(block, "a test file")),
            },
            "provider" => {
                let provider = doubles::provider(block, &mut self.diagnostics);
                self.provider(block, provider);
            }
            "mock_provider" => {
                let provider = doubles::mock_provider(block, &mut self.diagnostics);
                self.provider(block, provider);
            }
            // Runs are one after the other here, so that nothing has to be asked for parallel ones.
            "test" => only(&block.body, "a test block", &["parallel"], &[], &mut self.diagnostics),
            other if OVERRIDES.contains(&other) => {}
            other => {
                let hint = did_you_mean(other, TOP_LEVEL);
                let detail = format!("Blocks of type {other:?} are not expected in a test file.{hint}");
                self.diagnostics.push(Diagnostic::error("Unsupported block type", detail).at(block.ty_span.clone()));
            }
        }
    }

    fn provider(&mut self, block: &Block, provider: Option<super::TestProvider>) {
        let Some(provider) = provider else { return };
        if self.file.providers.iter().any(|p| p.name == provider.name && p.alias == provider.alias) {
            let detail = "A test file has one provider or mock_provider block for each name and alias. Give this one another alias.";
            self.diagnostics.push(Diagnostic::error("Duplicate provider configuration", detail).at(block.header()));
            return;
        }
        self.file.providers.push(provider);
    }

    fn run(&mut self, block: &Block) {
        let Some(run) = run(block, &mut self.diagnostics) else { return };
        if self.file.runs.iter().any(|r| r.name == run.name) {
            let detail =
                format!("There is a run named {:?} already in this file; later runs refer to it by name.", &*run.name);
            self.diagnostics.push(Diagnostic::error("Duplicate run block", detail).at(run.span));
            return;
        }
        self.file.runs.push(run);
    }
}

impl Decoder {
    /// A run knows those before it, and the values of the whole file know none.
    fn check_references(&mut self) {
        let runs: Vec<&Arc<str>> = self.file.runs.iter().map(|r| &r.name).collect();
        let mut problems = Vec::new();
        for attr in self.file.variables.values() {
            for (name, span) in named_runs(&attr.expr) {
                let detail = format!(
                    "The variables of the file are for all runs, so that run.{name} is not known here. Put the value into the variables of the runs that need it."
                );
                problems.push(Diagnostic::error("Reference to a run", detail).at(span));
            }
        }
        for (at, run) in self.file.runs.iter().enumerate() {
            let checked = run.asserts.iter().flat_map(|check| [&check.condition, &check.message]);
            let made_up = run.overrides.iter().filter_map(|block| block.values.as_ref());
            let all = run.variables.values().map(|attr| &attr.expr).chain(checked).chain(made_up);
            for (name, span) in all.flat_map(named_runs) {
                if runs[..at].contains(&&name) {
                    continue;
                }
                let why = if name == run.name {
                    format!("This is run.{name} itself: its own outputs are output.NAME.")
                } else if runs[at..].contains(&&name) {
                    format!("run.{name} comes later in the file, and a run knows only those before it.")
                } else {
                    let hint = did_you_mean(&name, runs[..at].iter().map(|r| &***r));
                    format!("There is no run named {:?} before this one.{hint}", &*name)
                };
                problems.push(Diagnostic::error("Reference to a run", why).at(span));
            }
        }
        self.diagnostics.extend(problems);
    }
}

/// The runs that an expression refers to.
fn named_runs(expr: &Expr) -> Vec<(Arc<str>, Span)> {
    let mut found = Vec::new();
    expr.walk(&mut |e| {
        if let ExprKind::Attr(base, name) = &*e.kind
            && base.as_name().is_some_and(|word| &**word == "run")
        {
            found.push((name.clone(), e.span.clone()));
        }
        true
    });
    found
}

/// Arguments of a run that sgp does not have, with what to do.
const NOT_YET: [(&str, &str); 2] = [
    ("skip_cleanup", "What a test made is always destroyed when its file is done; remove the argument."),
    ("backend", "The state of a test is kept in memory and goes with it; remove the block."),
];

fn run(block: &Block, diagnostics: &mut Diagnostics) -> Option<Run> {
    let [name] = resource::labels(block, ["name"], diagnostics)?;
    let mut body = block.body.clone();
    for (word, why) in NOT_YET {
        let attr = body.attr(word).map(|a| a.name_span.clone());
        let place = attr.or_else(|| body.blocks_of(word).next().map(|b| b.ty_span.clone()));
        if let Some(place) = place {
            let detail = format!("sgp does not support {word} in run blocks. {why}");
            diagnostics.push(Diagnostic::error("Unsupported argument", detail).at(place));
        }
        body.attrs.retain(|a| &*a.name != word);
        body.blocks.retain(|b| &*b.ty != word);
    }
    only(
        &body,
        "a run block",
        &["command", "providers", "expect_failures", "state_key", "parallel"],
        &["variables", "module", "plan_options", "assert", "override_resource", "override_data", "override_module"],
        diagnostics,
    );
    flag(&body, "parallel", diagnostics);
    let mut single = |ty: &'static str| {
        let mut found = body.blocks_of(ty);
        let first = found.next();
        found.for_each(|again| diagnostics.push(twice(again, "a run block")));
        first
    };
    let (variables, module, options) = (single("variables"), single("module"), single("plan_options"));
    Some(Run {
        name,
        span: block.header(),
        command: command(&body, diagnostics),
        options: options.map(|b| plan_options(b, diagnostics)).unwrap_or_default(),
        variables: variables.map(|b| values(b, diagnostics)).unwrap_or_default(),
        module: module.and_then(|b| run_module(b, diagnostics)),
        providers: body.attr("providers").map(|a| resource::providers(&a.expr, diagnostics)).unwrap_or_default(),
        asserts: checks(&body, "assert", diagnostics),
        expected: body.attr("expect_failures").map(|a| expected(&a.expr, diagnostics)).unwrap_or_default(),
        state_key: text(&body, "state_key", diagnostics),
        overrides: doubles::overrides(&body, diagnostics),
    })
}

fn twice(block: &Block, what: &str) -> Diagnostic {
    let detail = format!("There is one {} block in {what}. Put everything into the first one.", block.ty);
    Diagnostic::error(format!("Duplicate {} block", block.ty), detail).at(block.ty_span.clone())
}

fn values(block: &Block, diagnostics: &mut Diagnostics) -> BTreeMap<Arc<str>, Attr> {
    for nested in &block.body.blocks {
        let detail = format!("A variables block holds values. Write {:?} with an equals sign.", &*nested.ty);
        diagnostics.push(Diagnostic::error("Unsupported block type", detail).at(nested.ty_span.clone()));
    }
    block.body.attrs.iter().map(|a| (a.name.clone(), a.clone())).collect()
}

fn command(body: &Body, diagnostics: &mut Diagnostics) -> Command {
    let Some(attr) = body.attr("command") else { return Command::default() };
    match keyword(&attr.expr).as_deref() {
        Some("plan") => Command::Plan,
        Some("apply") => Command::Apply,
        _ => {
            let detail = "The command of a run is plan or apply.";
            diagnostics.push(Diagnostic::error("Invalid value", detail).at(attr.expr.span.clone()));
            Command::default()
        }
    }
}

fn plan_options(block: &Block, diagnostics: &mut Diagnostics) -> RunOptions {
    let body = &block.body;
    only(body, "a plan_options block", &["mode", "refresh", "replace", "target"], &[], diagnostics);
    let mut options =
        RunOptions { refresh: flag(body, "refresh", diagnostics).unwrap_or(true), ..RunOptions::default() };
    if let Some(attr) = body.attr("mode") {
        match keyword(&attr.expr).as_deref() {
            Some("normal") => {}
            Some("refresh-only") => options.refresh_only = true,
            _ => {
                let detail = "The mode of a plan is normal or refresh-only.";
                diagnostics.push(Diagnostic::error("Invalid value", detail).at(attr.expr.span.clone()));
            }
        }
    }
    if let (true, false, Some(refresh)) = (options.refresh_only, options.refresh, body.attr("refresh")) {
        let detail = "A plan whose mode is refresh-only does nothing but refresh: refresh cannot be false.";
        diagnostics.push(Diagnostic::error("Incompatible plan options", detail).at(refresh.expr.span.clone()));
    }
    for addr in addresses(body, "replace", diagnostics) {
        match addr {
            (ParsedAddr::Instance(instance), _) => options.replace.push(instance),
            (ParsedAddr::Resource(r), _) => options.replace.push(InstanceAddr { resource: r, key: None }),
            (ParsedAddr::Module(_), span) => {
                let detail = "A resource or one instance of it is replaced, not a module.";
                diagnostics.push(Diagnostic::error("Invalid address", detail).at(span));
            }
        }
    }
    options.targets = addresses(body, "target", diagnostics).into_iter().map(|(addr, _)| addr).collect();
    options
}

fn addresses(body: &Body, name: &str, diagnostics: &mut Diagnostics) -> Vec<(ParsedAddr, Span)> {
    let Some(attr) = body.attr(name) else { return Vec::new() };
    let invalid = |span: &Span| {
        let detail = format!("{name} is a list of addresses without quotes: [aws_iam_role.a, module.m].");
        Diagnostic::error("Invalid address", detail).at(span.clone())
    };
    let ExprKind::Tuple(elements) = &*attr.expr.kind else {
        diagnostics.push(invalid(&attr.expr.span));
        return Vec::new();
    };
    let mut found = Vec::new();
    for element in elements {
        match reference::address(element) {
            Some(addr) => found.push((addr, element.span.clone())),
            None => diagnostics.push(invalid(&element.span)),
        }
    }
    found
}

fn run_module(block: &Block, diagnostics: &mut Diagnostics) -> Option<RunModule> {
    // A version belongs to modules of registries, which are not fetched; older files carry it along.
    only(&block.body, "the module block of a run", &["source", "version"], &[], diagnostics);
    let source = required(&block.body, "source", "the module block of a run", &block.ty_span, diagnostics)?;
    let span = source.span.clone();
    let source = text(&block.body, "source", diagnostics)?;
    Some(RunModule { source, span, config: None })
}

fn expected(expr: &Expr, diagnostics: &mut Diagnostics) -> Vec<Expected> {
    let ExprKind::Tuple(elements) = &*expr.kind else {
        diagnostics.push(not_checkable(&expr.span));
        return Vec::new();
    };
    let mut found: Vec<Expected> = Vec::new();
    for element in elements {
        match subject(element) {
            Some(subject) if found.iter().any(|e| e.subject == subject) => {
                let detail = format!("{subject} is expected to fail already.");
                diagnostics.push(Diagnostic::error("Duplicate expectation", detail).at(element.span.clone()));
            }
            Some(subject) => found.push(Expected { subject, span: element.span.clone() }),
            None => diagnostics.push(not_checkable(&element.span)),
        }
    }
    found
}

fn not_checkable(span: &Span) -> Diagnostic {
    let detail = "expect_failures is a list of what has conditions of its own in the module under test: var.name, output.name, check.name, resources and data sources, without quotes.";
    Diagnostic::error("Invalid expectation", detail).at(span.clone())
}

fn subject(expr: &Expr) -> Option<Subject> {
    let (root, path) = reference::steps(expr)?;
    let named = |make: fn(Arc<str>) -> Subject| match path.as_slice() {
        [sgp_model::PathStep::Attr(name)] => Some(make(name.clone())),
        _ => None,
    };
    match &*root {
        "var" => named(Subject::Variable),
        "output" => named(Subject::Output),
        "check" => named(Subject::Check),
        "run" | "module" | "local" => None,
        _ => match reference::target(expr)? {
            Target::Resource { .. } => reference::address(expr).map(Subject::Object),
            _ => None,
        },
    }
}
