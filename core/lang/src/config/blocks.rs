//! Helpers over bodies: which arguments and blocks may stand there, and literal values.

use std::sync::Arc;

use sgp_model::{Diagnostic, Diagnostics};

use super::Check;
use crate::{
    suggest::did_you_mean,
    syntax::{Attr, Body, Expr, ExprKind},
};

/// Reports every argument and block that is not among the allowed names.
pub(super) fn only(body: &Body, what: &str, attrs: &[&str], blocks: &[&str], diagnostics: &mut Diagnostics) {
    for attr in body.attrs.iter().filter(|a| !attrs.contains(&&*a.name)) {
        diagnostics.push(unsupported_argument(attr, what, attrs, blocks.contains(&&*attr.name)));
    }
    for block in body.blocks.iter().filter(|b| !blocks.contains(&&*b.ty)) {
        let hint = if attrs.contains(&&*block.ty) {
            format!(" Did you mean the argument {:?}? Write it with an equals sign.", &*block.ty)
        } else {
            did_you_mean(&block.ty, blocks.iter().copied())
        };
        diagnostics.push(
            Diagnostic::error(
                "Unsupported block type",
                format!("Blocks of type {:?} are not expected in {what}.{hint}", &*block.ty),
            )
            .at(block.ty_span.clone()),
        );
    }
}

fn unsupported_argument(attr: &Attr, what: &str, known: &[&str], is_block: bool) -> Diagnostic {
    let hint = if is_block {
        format!(" Did you mean to define a block of type {:?}? Write it without the equals sign.", &*attr.name)
    } else {
        did_you_mean(&attr.name, known.iter().copied())
    };
    Diagnostic::error(
        "Unsupported argument",
        format!("An argument named {:?} is not expected in {what}.{hint}", &*attr.name),
    )
    .at(attr.name_span.clone())
}

/// A fixed string; what evaluates to one without any reference counts.
pub(super) fn text(body: &Body, name: &str, diagnostics: &mut Diagnostics) -> Option<Arc<str>> {
    let attr = body.attr(name)?;
    let evaluated = || crate::eval::constant(&attr.expr).ok()?.as_str().map(Arc::from);
    let found = attr.expr.as_literal_str().map(Arc::from).or_else(evaluated);
    if found.is_none() {
        diagnostics.push(not_fixed(attr, "a string in quotes"));
    }
    found
}

/// A fixed bool; the text `"true"` counts.
pub(super) fn flag(body: &Body, name: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
    let attr = body.attr(name)?;
    let found = match &*attr.expr.kind {
        ExprKind::Literal(v) => v.as_bool().or_else(|| match v.as_str() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        }),
        _ => None,
    };
    if found.is_none() {
        diagnostics.push(not_fixed(attr, "true or false"));
    }
    found
}

fn not_fixed(attr: &Attr, what: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid value",
        format!(
            "{:?} must be {what}: it is read before anything is evaluated, so references are not possible here.",
            &*attr.name
        ),
    )
    .at(attr.expr.span.clone())
}

/// An argument that must be there.
pub(super) fn required<'b>(
    body: &'b Body,
    name: &str,
    what: &str,
    at: &sgp_model::Span,
    diagnostics: &mut Diagnostics,
) -> Option<&'b Expr> {
    let found = body.attr(name).map(|a| &a.expr);
    if found.is_none() {
        diagnostics.push(
            Diagnostic::error(
                "Missing required argument",
                format!("The argument {name:?} is required in {what}, but it is not set."),
            )
            .at(at.clone()),
        );
    }
    found
}

/// The checks in blocks of one type.
pub(super) fn checks(body: &Body, ty: &str, diagnostics: &mut Diagnostics) -> Vec<Check> {
    let mut found = Vec::new();
    for block in body.blocks_of(ty) {
        let article = if ty.starts_with('a') { "an" } else { "a" };
        let what = format!("{article} {ty} block");
        only(&block.body, &what, &["condition", "error_message"], &[], diagnostics);
        let condition = required(&block.body, "condition", &what, &block.ty_span, diagnostics);
        let message = required(&block.body, "error_message", &what, &block.ty_span, diagnostics);
        if let Some(condition) = condition.filter(|condition| !refers(condition, None)) {
            let detail = format!(
                "The condition refers to nothing, so it is the same in every run and checks nothing. In {what} it looks at something \
                 from elsewhere."
            );
            diagnostics.push(Diagnostic::error(format!("Invalid {ty} expression"), detail).at(condition.span.clone()));
        }
        if let (Some(condition), Some(message)) = (condition, message) {
            found.push(Check { condition: condition.clone(), message: message.clone() });
        }
    }
    found
}

/// Whether an expression refers to a variable of the module, or to anything at all.
pub(super) fn refers(expr: &Expr, variable: Option<&str>) -> bool {
    let mut found = false;
    expr.walk(&mut |e| {
        found |= match (&*e.kind, variable) {
            (ExprKind::Name(_), None) => true,
            (ExprKind::Attr(base, name), Some(variable)) => {
                **name == *variable && base.as_name().is_some_and(|root| &**root == "var")
            }
            (ExprKind::Index(base, key), Some(variable)) => {
                key.as_literal_str() == Some(variable) && base.as_name().is_some_and(|root| &**root == "var")
            }
            _ => false,
        };
        !found
    });
    found
}
