//! `replace_triggered_by`: what is looked at, read before anything is evaluated.

use sgp_model::{Diagnostic, Diagnostics};

use super::{Trigger, TriggerStep};
use crate::syntax::{Expr, ExprKind};

/// The entries of the list; every one that is none is reported.
pub(super) fn list(expr: &Expr, diagnostics: &mut Diagnostics) -> Vec<Trigger> {
    let ExprKind::Tuple(elements) = &*expr.kind else {
        let detail = "replace_triggered_by is a list of references in brackets.";
        diagnostics.push(Diagnostic::error("Invalid expression", detail).at(expr.span.clone()));
        return Vec::new();
    };
    let read = elements.iter().filter_map(|e| match trigger(e) {
        Ok(found) => Some(found),
        Err(why) => {
            diagnostics.push(Diagnostic::error("Invalid replace_triggered_by entry", why).at(e.span.clone()));
            None
        }
    });
    read.collect()
}

fn trigger(expr: &Expr) -> Result<Trigger, &'static str> {
    const WANTED: &str = "An entry names a managed resource, an instance of it or an attribute of that, without quotes: aws_iam_role.node, aws_iam_role.node[each.key], aws_iam_role.node.name.";
    let mut steps = Vec::new();
    let first = unwound(expr, &mut steps).ok_or(WANTED)?;
    let mut steps = steps.into_iter().peekable();
    let type_name = match &**first {
        "data" => {
            return Err(
                "Data sources do not trigger a replacement: they are read, not changed. Keep the value in a terraform_data with input = ..., and name that.",
            );
        }
        "ephemeral" | "var" | "local" | "module" | "each" | "count" | "path" | "terraform" | "self" => {
            return Err(
                "Only managed resources trigger a replacement. Keep the value in a terraform_data with input = ..., and name that.",
            );
        }
        "resource" => match steps.next() {
            Some(TriggerStep::Attr(name)) => name,
            _ => return Err(WANTED),
        },
        _ => first.clone(),
    };
    let Some(TriggerStep::Attr(name)) = steps.next() else { return Err(WANTED) };
    let key = match steps.next_if(|step| matches!(step, TriggerStep::Index(_))) {
        Some(TriggerStep::Index(key)) => Some(key),
        _ => None,
    };
    let path: Vec<TriggerStep> = steps.collect();
    let indexes = path.iter().filter_map(|step| match step {
        TriggerStep::Index(key) => Some(key),
        TriggerStep::Attr(_) => None,
    });
    if !key.iter().chain(indexes).all(is_fixed) {
        return Err("An index in replace_triggered_by is fixed, or one of count.index and each.key.");
    }
    Ok(Trigger { type_name, name, key, path, span: expr.span.clone() })
}

/// The name that a reference begins with; its steps in order.
fn unwound<'e>(expr: &'e Expr, steps: &mut Vec<TriggerStep>) -> Option<&'e std::sync::Arc<str>> {
    match &*expr.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Attr(base, name) => {
            let first = unwound(base, steps)?;
            steps.push(TriggerStep::Attr(name.clone()));
            Some(first)
        }
        ExprKind::Index(base, key) => {
            let first = unwound(base, steps)?;
            steps.push(TriggerStep::Index(key.clone()));
            Some(first)
        }
        _ => None,
    }
}

fn is_fixed(key: &Expr) -> bool {
    match &*key.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Attr(base, name) => {
            base.as_name().is_some_and(|word| matches!((&**word, &**name), ("count", "index") | ("each", "key")))
        }
        _ => false,
    }
}
