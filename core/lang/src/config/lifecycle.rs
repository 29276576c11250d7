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
        Mode::Managed => &["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"],
        Mode::Data => &[],
    };
    let (others, body_of_ours) = not_yet(body);
    diagnostics.extend(others);
    only(&body_of_ours, "a lifecycle block", attrs, &["precondition", "postcondition"], diagnostics);
    let mut lifecycle = Lifecycle {
        create_before_destroy: flag(body, "create_before_destroy", diagnostics),
        prevent_destroy: flag(body, "prevent_destroy", diagnostics).unwrap_or(false),
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

/// Arguments and blocks that Terraform or OpenTofu have and that would change what happens to the object: refused, and
/// taken out of what is left to check.
fn not_yet(body: &Body) -> (Vec<Diagnostic>, Body) {
    const ARGUMENTS: [(&str, &str); 2] = [
        ("enabled", "Use count = condition ? 1 : 0."),
        ("destroy", "Use sgp state rm to let go of an object without destroying it."),
    ];
    let mut rest = body.clone();
    let mut found = Vec::new();
    for (name, instead) in ARGUMENTS {
        if let Some(attr) = body.attr(name) {
            let detail = format!("sgp does not support {name} in lifecycle blocks yet. {instead}");
            found.push(Diagnostic::error("Unsupported argument", detail).at(attr.name_span.clone()));
            rest.attrs.retain(|a| &*a.name != name);
        }
    }
    for block in body.blocks_of("action_trigger") {
        let detail = "sgp does not support action_trigger in lifecycle blocks yet. Do what the action does in a step before or after sgp apply.";
        found.push(Diagnostic::error("Unsupported block type", detail).at(block.ty_span.clone()));
    }
    rest.blocks.retain(|b| &*b.ty != "action_trigger");
    (found, rest)
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
