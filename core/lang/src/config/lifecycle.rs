//! `lifecycle` blocks.

use sgp_model::{Diagnostic, Diagnostics, Mode};

use super::{
    IgnoreChanges, Lifecycle,
    blocks::{checks, flag, only},
    reference,
};
use crate::syntax::{Block, Expr, ExprKind};

pub(super) fn read(block: &Block, mode: Mode, diagnostics: &mut Diagnostics) -> Lifecycle {
    let body = &block.body;
    let attrs: &[&str] = match mode {
        Mode::Managed => &["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"],
        Mode::Data => &[],
    };
    only(body, "a lifecycle block", attrs, &["precondition", "postcondition"], diagnostics);
    let mut lifecycle = Lifecycle {
        create_before_destroy: flag(body, "create_before_destroy", diagnostics),
        prevent_destroy: flag(body, "prevent_destroy", diagnostics).unwrap_or(false),
        preconditions: checks(body, "precondition", diagnostics),
        postconditions: checks(body, "postcondition", diagnostics),
        ..Lifecycle::default()
    };
    if let Some(attr) = body.attr("ignore_changes") {
        match ignore_changes(&attr.expr) {
            Ok(found) => lifecycle.ignore_changes = found,
            Err(d) => diagnostics.push(d),
        }
    }
    if let Some(attr) = body.attr("replace_triggered_by") {
        match &*attr.expr.kind {
            ExprKind::Tuple(elements) => lifecycle.replace_triggered_by.clone_from(elements),
            _ => diagnostics.push(
                Diagnostic::error("Invalid expression", "replace_triggered_by is a list of references in brackets.")
                    .at(attr.expr.span.clone()),
            ),
        }
    }
    lifecycle
}

fn ignore_changes(expr: &Expr) -> Result<IgnoreChanges, Diagnostic> {
    let is_all = |e: &Expr| e.as_name().is_some_and(|n| &**n == "all") || e.as_literal_str() == Some("*");
    if is_all(expr) {
        return Ok(IgnoreChanges::All);
    }
    let ExprKind::Tuple(elements) = &*expr.kind else {
        return Err(Diagnostic::error(
            "Invalid expression",
            "ignore_changes is a list of attributes in brackets, or the keyword all.",
        )
        .at(expr.span.clone()));
    };
    if elements.iter().any(|e| e.as_literal_str() == Some("*")) {
        return Ok(IgnoreChanges::All);
    }
    let paths = elements.iter().map(|e| {
        reference::attr_path(e).ok_or_else(|| {
            Diagnostic::error(
                "Invalid ignore_changes entry",
                "An entry names an attribute of this resource: tags, or tags[\"Owner\"].",
            )
            .at(e.span.clone())
        })
    });
    Ok(IgnoreChanges::Paths(paths.collect::<Result<_, _>>()?))
}
