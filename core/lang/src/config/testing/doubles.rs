//! `mock_provider` and the override blocks: what stands in for objects and modules.

use std::sync::Arc;

use sgp_model::{Diagnostic, Diagnostics, Mode, address::ParsedAddr};

use super::{
    super::{
        blocks::{only, required, text},
        reference, resource,
    },
    Mock, MockedType, Override, TestProvider, TestProviderKind,
};
use crate::syntax::{Block, Body, Expr, ExprKind};

/// Block types that override something.
pub(super) const OVERRIDES: [&str; 3] = ["override_resource", "override_data", "override_module"];

pub(super) fn provider(block: &Block, diagnostics: &mut Diagnostics) -> Option<TestProvider> {
    let [name] = resource::labels(block, ["name"], diagnostics)?;
    let alias = text(&block.body, "alias", diagnostics);
    let mut body = block.body.clone();
    body.attrs.retain(|a| !["alias", "version"].contains(&&*a.name));
    Some(TestProvider { name, alias, span: block.header(), kind: TestProviderKind::Real(body) })
}

pub(super) fn mock_provider(block: &Block, diagnostics: &mut Diagnostics) -> Option<TestProvider> {
    let [name] = resource::labels(block, ["name"], diagnostics)?;
    only(
        &block.body,
        "a mock_provider block",
        &["alias", "source", "override_during"],
        &["mock_resource", "mock_data", "override_resource", "override_data"],
        diagnostics,
    );
    let alias = text(&block.body, "alias", diagnostics);
    let source = text(&block.body, "source", diagnostics).zip(block.body.attr("source").map(|a| a.expr.span.clone()));
    let (types, overrides) = content(&block.body, diagnostics);
    let during_plan = override_during(&block.body, diagnostics).unwrap_or(false);
    let mock = Mock { types, overrides, during_plan, source };
    Some(TestProvider { name, alias, span: block.header(), kind: TestProviderKind::Mock(mock) })
}

/// A file behind the `source` of a `mock_provider` block.
pub(crate) fn mock_source(body: &Body, diagnostics: &mut Diagnostics) -> (Vec<MockedType>, Vec<Override>) {
    let blocks = ["mock_resource", "mock_data", "override_resource", "override_data"];
    only(body, "a file of mocks", &[], &blocks, diagnostics);
    content(body, diagnostics)
}

fn content(body: &Body, diagnostics: &mut Diagnostics) -> (Vec<MockedType>, Vec<Override>) {
    let mut types: Vec<MockedType> = Vec::new();
    for block in &body.blocks {
        let mode = match &*block.ty {
            "mock_resource" => Mode::Managed,
            "mock_data" => Mode::Data,
            _ => continue,
        };
        let Some(found) = mocked_type(block, mode, diagnostics) else { continue };
        if types.iter().any(|t| t.mode == mode && t.type_name == found.type_name) {
            let detail = format!("There is a {} block for {} already in this provider.", block.ty, found.type_name);
            diagnostics.push(Diagnostic::error("Duplicate mock", detail).at(block.header()));
            continue;
        }
        types.push(found);
    }
    let overrides = overrides(body, diagnostics);
    (types, overrides)
}

fn mocked_type(block: &Block, mode: Mode, diagnostics: &mut Diagnostics) -> Option<MockedType> {
    let [type_name] = resource::labels(block, ["type"], diagnostics)?;
    let what = format!("a {} block", block.ty);
    only(&block.body, &what, &["defaults", "override_during"], &[], diagnostics);
    Some(MockedType {
        mode,
        type_name,
        span: block.header(),
        defaults: block.body.attr("defaults").map(|a| a.expr.clone()),
        during_plan: override_during(&block.body, diagnostics),
    })
}

/// The override blocks in a body, in source order.
pub(super) fn overrides(body: &Body, diagnostics: &mut Diagnostics) -> Vec<Override> {
    let blocks = body.blocks.iter().filter(|b| OVERRIDES.contains(&&*b.ty));
    blocks.filter_map(|block| overridden(block, diagnostics)).collect()
}

fn overridden(block: &Block, diagnostics: &mut Diagnostics) -> Option<Override> {
    resource::labels(block, [], diagnostics)?;
    let what = format!("an {} block", block.ty);
    let values = if &*block.ty == "override_module" { "outputs" } else { "values" };
    only(&block.body, &what, &["target", values, "override_during"], &[], diagnostics);
    let target = required(&block.body, "target", &what, &block.header(), diagnostics)?;
    let during_plan = override_during(&block.body, diagnostics);
    match fitting(&block.ty, target) {
        Ok(addr) => Some(Override {
            target: addr,
            target_span: target.span.clone(),
            values: block.body.attr(values).map(|a| a.expr.clone()),
            during_plan,
            span: block.header(),
        }),
        Err(why) => {
            diagnostics.push(Diagnostic::error("Invalid override target", why).at(target.span.clone()));
            None
        }
    }
}

/// The address that an override names, when it is one of the block's kind.
fn fitting(kind: &str, target: &Expr) -> Result<ParsedAddr, String> {
    let example = match kind {
        "override_module" => "a module, such as module.network",
        "override_data" => "a data source, such as data.aws_vpc.main",
        _ => "a resource, such as aws_iam_role.node",
    };
    let wanted = || format!("The target of an {kind} block is {example}.");
    let addr = reference::address(target).ok_or_else(wanted)?;
    let mode = match &addr {
        ParsedAddr::Module(path) if kind == "override_module" => {
            // A call is replaced as a whole: its instances have one configuration.
            return if path.0.iter().all(|step| step.key.is_none()) {
                Ok(addr)
            } else {
                Err("A module is overridden as a whole, with all its instances: name it without a key.".to_owned())
            };
        }
        ParsedAddr::Module(_) => return Err(wanted()),
        ParsedAddr::Resource(r) => r.mode,
        ParsedAddr::Instance(i) => i.resource.mode,
    };
    let fits = matches!((kind, mode), ("override_resource", Mode::Managed) | ("override_data", Mode::Data));
    if fits { Ok(addr) } else { Err(wanted()) }
}

/// Whether `override_during` says `plan`; `None` where it says nothing.
fn override_during(body: &Body, diagnostics: &mut Diagnostics) -> Option<bool> {
    let attr = body.attr("override_during")?;
    match keyword(&attr.expr).as_deref() {
        Some("plan") => Some(true),
        Some("apply") => Some(false),
        _ => {
            let detail = "override_during is plan or apply: when made-up values become known.";
            diagnostics.push(Diagnostic::error("Invalid value", detail).at(attr.expr.span.clone()));
            None
        }
    }
}

/// A word without quotes; in quotes it counts, too.
pub(super) fn keyword(expr: &Expr) -> Option<Arc<str>> {
    match &*expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        _ => expr.as_literal_str().map(Into::into),
    }
}
