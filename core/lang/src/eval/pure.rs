//! Evaluation without a configuration: defaults, values on the command line, template files.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostic, Mode, ModulePath, Schema, SourceMap, Value};

use super::{Answer, Configured, DepsView, Env, Evaluator, Halt, Inputs, Repetition, Schemas, World};
use crate::{
    config::{Config, Module},
    source::{Files, MemoryFiles},
    syntax::{self, Expr},
};

/// There are no objects.
struct Nothing;

impl World for Nothing {
    fn object(&mut self, _: Configured<'_>, _: &DepsView<'_>) -> Answer {
        Answer::Blocked
    }
}

impl Schemas for Nothing {
    fn resource(&self, _: Mode, _: &str) -> Option<&'static Schema> {
        None
    }
    fn provider_for(&self, _: &str) -> Option<&'static str> {
        None
    }
    fn provider_config(&self, _: &str) -> Option<&'static Schema> {
        None
    }
    fn resource_names(&self, _: Mode) -> Vec<&'static str> {
        Vec::new()
    }
    fn provider_names(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// Evaluates an expression in which only the given names mean something.
fn evaluate(
    expr: &Expr,
    vars: &BTreeMap<Arc<str>, Value>,
    files: Arc<dyn Files + Send + Sync>,
    inputs: Inputs,
    template_depth: u32,
) -> Result<Value, Halt> {
    let config = Config { root: Arc::new(Module::default()), sources: SourceMap::default(), digest: String::new() };
    let mut evaluator = Evaluator::new(Arc::new(config), inputs, Arc::new(Nothing), files, Nothing);
    evaluator.template_depth = template_depth;
    let root = evaluator.module(&ModulePath::root())?;
    let env = Env { only: Some(vars), ..Env::new(&root, &Repetition::None) };
    evaluator.value(expr, &env)
}

/// The value of an expression that refers to nothing and calls nothing: defaults, files of values.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn constant(expr: &Expr) -> Result<Value, Diagnostic> {
    let mut reference = None;
    expr.walk(&mut |e| {
        if let syntax::ExprKind::Call { name_span, .. } = &*e.kind {
            reference
                .get_or_insert_with(|| ("A function cannot be called here: the value is fixed.", name_span.clone()));
        }
        true
    });
    if let Some((why, span)) = reference {
        return Err(Diagnostic::error("Function calls not allowed", why).at(span));
    }
    evaluate(expr, &BTreeMap::new(), Arc::new(MemoryFiles::default()), Inputs::default(), 0).map_err(
        |halt| match halt {
            Halt::Errors(errors) => {
                let mut first = errors.into_iter().next().expect("a failure has a reason");
                if first.summary == "Unknown template variable" {
                    first.summary = "Variables not allowed".into();
                    first.detail = "References are not possible here: the value is fixed.".into();
                }
                first
            }
            Halt::Blocked | Halt::Failed => unreachable!("without references there is nothing to wait for"),
        },
    )
}

/// How many templates may be rendered inside of each other: more is a template that renders itself.
const TEMPLATE_DEPTH_MAX: u32 = 64;
const WITHOUT_END: &str = "does it render itself?";

/// Renders a template file with its variables; `depth` counts the templates that this one is rendered in, itself included.
///
/// # Errors
/// What is wrong with it, with the line in the template.
pub(crate) fn render_template(
    name: &str,
    text: &str,
    vars: &BTreeMap<Arc<str>, Value>,
    files: Arc<dyn Files + Send + Sync>,
    inputs: &Inputs,
    depth: u32,
) -> Result<Value, String> {
    if depth > TEMPLATE_DEPTH_MAX {
        return Err(format!("{name} is rendered inside of {TEMPLATE_DEPTH_MAX} other templates: {WITHOUT_END}"));
    }
    let described = |d: &Diagnostic| {
        // Which templates it was found in would be the same one again and again.
        if let Some((_, reason)) = d.detail.rsplit_once(" failed: ").filter(|(_, r)| r.ends_with(WITHOUT_END)) {
            return reason.to_owned();
        }
        let line = d.span.as_ref().map_or(1, |s| text[..s.range.start.min(text.len())].matches('\n').count() + 1);
        format!("{name}, line {line}: {}", d.detail)
    };
    let expr = syntax::parse_template(&Arc::from(name), text).map_err(|d| described(&d))?;
    let inputs = Inputs { variables: BTreeMap::new(), ..inputs.clone() };
    evaluate(&expr, vars, files, inputs, depth).map_err(|halt| match halt {
        Halt::Errors(errors) => errors.iter().map(described).collect::<Vec<_>>().join("\n"),
        Halt::Blocked | Halt::Failed => unreachable!("a template refers to its variables only"),
    })
}
