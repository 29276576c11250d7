//! Nodes as expressions.

use std::{collections::HashSet, sync::Arc};

use sgp_model::{Diagnostic, Span, Value, json::nfc};

use super::{Kind, Node, Text};
use crate::syntax::{
    ast::{Expr, ExprKind, For, Part},
    cursor::Parsed,
    parse_expression, parse_template,
};

/// How strings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As templates.
    Full,
    /// As they are: the value is needed before anything is evaluated.
    Fixed,
    /// As expressions of the native syntax: references, types and the like, which are analysed and not evaluated.
    Static,
}

pub(super) fn of(node: &Node, mode: Mode) -> Parsed<Expr> {
    let literal = |value: Value| Ok(Expr::new(ExprKind::Literal(value), node.span.clone()));
    match &node.kind {
        Kind::Null => literal(Value::dynamic_null()),
        Kind::Bool(value) => literal((*value).into()),
        Kind::Number(number) => literal(number.clone().into()),
        Kind::String(text) => string(text, mode),
        Kind::Array(elements) => {
            let elements = elements.iter().map(|e| of(e, mode)).collect::<Parsed<_>>()?;
            Ok(Expr::new(ExprKind::Tuple(elements), node.span.clone()))
        }
        Kind::Object(properties) => {
            let mut names = HashSet::new();
            let mut items = Vec::with_capacity(properties.len());
            for property in properties {
                if !names.insert(&property.name.decoded) {
                    let detail = format!(
                        "The property {:?} is there already; each may come once in an object.",
                        &*property.name.decoded
                    );
                    return Err(Diagnostic::error("Duplicate object property", detail).at(property.name.span.clone()));
                }
                // What is analysed has names, not references, on the left.
                let name = if mode == Mode::Full { Mode::Full } else { Mode::Fixed };
                items.push((string(&property.name, name)?, of(&property.value, mode)?));
            }
            Ok(Expr::new(ExprKind::Object(items), node.span.clone()))
        }
    }
}

fn string(text: &Text, mode: Mode) -> Parsed<Expr> {
    let file = &text.span.file;
    let parsed = match mode {
        Mode::Fixed => return Ok(Expr::new(ExprKind::Literal(Value::string(nfc(&text.decoded))), text.span.clone())),
        Mode::Full => parse_template(file, &text.decoded),
        Mode::Static => parse_expression(file, &text.decoded),
    };
    match parsed {
        Ok(mut expr) => {
            move_into(&mut expr, text);
            // The whole has its quotes, as in the native syntax.
            expr.span = text.span.clone();
            Ok(expr)
        }
        Err(mut error) => {
            error.span = Some(error.span.map_or_else(|| text.span.clone(), |span| moved(&span, text)));
            Err(error)
        }
    }
}

fn moved(span: &Span, text: &Text) -> Span {
    Span::new(text.span.file.clone(), text.place(span.range.start)..text.place(span.range.end))
}

/// Puts an expression that was parsed out of the text where the text stands in its file.
fn move_into(expr: &mut Expr, text: &Text) {
    expr.span = moved(&expr.span, text);
    let each = |e: &mut Expr| stacker::maybe_grow(64 * 1024, 1024 * 1024, || move_into(e, text));
    match Arc::make_mut(&mut expr.kind) {
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Item => {}
        ExprKind::Template(parts) => move_parts(parts, text),
        ExprKind::Paren(e) | ExprKind::Attr(e, _) | ExprKind::Unary(_, e) => each(e),
        ExprKind::Index(a, b) | ExprKind::Splat(a, b) | ExprKind::Binary(_, a, b) => {
            each(a);
            each(b);
        }
        ExprKind::Call { args, name_span, .. } => {
            *name_span = moved(name_span, text);
            args.iter_mut().for_each(each);
        }
        ExprKind::Tuple(elements) => elements.iter_mut().for_each(each),
        ExprKind::Object(items) => items.iter_mut().for_each(|(key, value)| {
            each(key);
            each(value);
        }),
        ExprKind::For(f) => {
            let For { collection, key, value, condition, .. } = &mut **f;
            [collection, value].into_iter().chain(key).chain(condition).for_each(each);
        }
        ExprKind::Conditional(a, b, c) => [a, b, c].into_iter().for_each(each),
    }
}

fn move_parts(parts: &mut [Part], text: &Text) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Interpolation(e) => move_into(e, text),
            Part::If { condition, then, otherwise } => {
                move_into(condition, text);
                move_parts(then, text);
                move_parts(otherwise, text);
            }
            Part::For { collection, body, .. } => {
                move_into(collection, text);
                move_parts(body, text);
            }
        }
    }
}

/// What stands for an expression that could not be read, so that its mistake is told once.
pub(super) fn unreadable(node: &Node) -> Expr {
    let unknown = Value::unknown(sgp_model::Type::Dynamic);
    Expr::new(ExprKind::Literal(unknown), node.span.clone())
}

/// A name as text.
pub(super) fn name(text: &Text) -> Arc<str> {
    nfc(&text.decoded)
}
