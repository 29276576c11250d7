//! `lifecycle` blocks.

use sgp_model::{Diagnostic, Diagnostics, Mode, Span};

use super::{
    IgnoreChanges, Lifecycle,
    blocks::{checks, flag, only},
    reference, trigger,
};
use crate::syntax::{Block, Body, Expr, ExprKind};

pub(super) fn read(block: &Block, mode: Mode, diagnostics: &mut Diagnostics) -> Lifecycle {
    let body = &block.body;
    let attrs: &[&str] = match mode {
        Mode::Managed => &[
            "create_before_destroy",
            "prevent_destroy",
            "ignore_changes",
            "replace_triggered_by",
            "destroy",
            "enabled",
        ],
        Mode::Data | Mode::Ephemeral => &["enabled"],
    };
    let body_of_ours = refuse_actions(body, diagnostics);
    only(&body_of_ours, "a lifecycle block", attrs, &["precondition", "postcondition"], diagnostics);
    let mut lifecycle = Lifecycle {
        create_before_destroy: flag(body, "create_before_destroy", diagnostics),
        prevent_destroy: flag(body, "prevent_destroy", diagnostics).unwrap_or(false),
        skip_destroy: flag(body, "destroy", diagnostics) == Some(false),
        enabled: body.attr("enabled").map(|a| a.expr.clone()),
        preconditions: checks(body, "precondition", diagnostics),
        postconditions: checks(body, "postcondition", diagnostics),
        ..Lifecycle::default()
    };
    if let Some(attr) = body.attr("ignore_changes") {
        (lifecycle.ignore_changes, lifecycle.ignore_spans) = ignore_changes(&attr.expr, diagnostics);
    }
    if let Some(attr) = body.attr("replace_triggered_by") {
        lifecycle.replace_triggered_by = trigger::list(&attr.expr, diagnostics);
    }
    lifecycle
}

/// `action_trigger` blocks, which are not run here.
fn refuse_actions(body: &Body, diagnostics: &mut Diagnostics) -> Body {
    for block in body.blocks_of("action_trigger") {
        let detail = "sgp does not support action_trigger in lifecycle blocks yet. Do what the action does in a step before or after sgp apply.";
        diagnostics.push(Diagnostic::error("Unsupported block type", detail).at(block.ty_span.clone()));
    }
    let mut rest = body.clone();
    rest.blocks.retain(|b| &*b.ty != "action_trigger");
    rest
}

/// The `lifecycle` of a `module` block: `enabled` and nothing else.
pub(super) fn of_module(block: &Block, diagnostics: &mut Diagnostics) -> Option<Expr> {
    only(&block.body, "the lifecycle block of a module", &["enabled"], &[], diagnostics);
    block.body.attr("enabled").map(|a| a.expr.clone())
}

/// What `ignore_changes` says, with the place of each path; every entry that is none is reported.
fn ignore_changes(expr: &Expr, diagnostics: &mut Diagnostics) -> (IgnoreChanges, Vec<Span>) {
    let is_all = |e: &Expr| e.as_name().is_some_and(|n| &**n == "all") || e.as_literal_str() == Some("*");
    if is_all(expr) {
        return (IgnoreChanges::All, Vec::new());
    }
    let ExprKind::Tuple(elements) = &*expr.kind else {
        diagnostics.push(
            Diagnostic::error(
                "Invalid expression",
                "ignore_changes is a list of attributes in brackets, or the keyword all.",
            )
            .at(expr.span.clone()),
        );
        return (IgnoreChanges::Nothing, Vec::new());
    };
    if elements.iter().any(|e| e.as_literal_str() == Some("*")) {
        return (IgnoreChanges::All, Vec::new());
    }
    let (mut paths, mut spans) = (Vec::new(), Vec::new());
    for e in elements {
        match reference::attr_path(e) {
            Some(path) => {
                paths.push(path);
                spans.push(e.span.clone());
            }
            None => diagnostics.push(
                Diagnostic::error(
                    "Invalid ignore_changes entry",
                    "An entry names an attribute of this resource: tags, or tags[\"Owner\"].",
                )
                .at(e.span.clone()),
            ),
        }
    }
    (IgnoreChanges::Paths(paths), spans)
}
