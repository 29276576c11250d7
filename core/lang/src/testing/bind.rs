//! Names with fixed values, put into expressions: what a test file says is evaluated in its own scope and then stands in the
//! configuration, which knows nothing of runs.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostics, Schema, Value};

use crate::syntax::{Attr, Block, Body, Expr, ExprKind, For, Part, json};

/// The body of something with this schema, with these names replaced by their values in every expression. What JSON leaves
/// undecided is decided before.
pub fn bind(body: &Body, schema: Option<&'static Schema>, names: &BTreeMap<Arc<str>, Value>) -> (Body, Diagnostics) {
    match schema.filter(|_| !body.json.is_empty()) {
        Some(schema) => {
            let (decided, problems) = json::decided(body, &schema.block);
            (bound(&decided, names), problems)
        }
        None => (bound(body, names), Diagnostics::new()),
    }
}

fn bound(body: &Body, names: &BTreeMap<Arc<str>, Value>) -> Body {
    let attrs = body.attrs.iter().map(|a| Attr { expr: expr(&a.expr, names), ..a.clone() }).collect();
    let blocks = body.blocks.iter().map(|b| Block { body: bound(&b.body, names), ..b.clone() }).collect();
    Body { attrs, blocks, ..body.clone() }
}

fn expr(given: &Expr, names: &BTreeMap<Arc<str>, Value>) -> Expr {
    let go = |e: &Expr| expr(e, names);
    let all = |list: &[Expr]| list.iter().map(go).collect::<Vec<_>>();
    let kind = match &*given.kind {
        ExprKind::Name(name) => match names.get(name) {
            Some(value) => ExprKind::Literal(value.clone()),
            None => return given.clone(),
        },
        ExprKind::Literal(_) | ExprKind::Item => return given.clone(),
        ExprKind::Template(found) => ExprKind::Template(parts(found, names)),
        ExprKind::Paren(e) => ExprKind::Paren(go(e)),
        ExprKind::Attr(e, name) => ExprKind::Attr(go(e), name.clone()),
        ExprKind::Index(a, b) => ExprKind::Index(go(a), go(b)),
        ExprKind::Splat(a, b) => ExprKind::Splat(go(a), go(b)),
        ExprKind::Call { name, name_span, args, expand } => {
            ExprKind::Call { name: name.clone(), name_span: name_span.clone(), args: all(args), expand: *expand }
        }
        ExprKind::Tuple(elements) => ExprKind::Tuple(all(elements)),
        // A bare word before the equals sign is a key and no reference.
        ExprKind::Object(items) => ExprKind::Object(
            items
                .iter()
                .map(|(key, value)| {
                    let key = if matches!(&*key.kind, ExprKind::Name(_)) { key.clone() } else { go(key) };
                    (key, go(value))
                })
                .collect(),
        ),
        ExprKind::For(f) => ExprKind::For(Box::new(inside(f, names))),
        ExprKind::Conditional(a, b, c) => ExprKind::Conditional(go(a), go(b), go(c)),
        ExprKind::Unary(op, e) => ExprKind::Unary(*op, go(e)),
        ExprKind::Binary(op, a, b) => ExprKind::Binary(*op, go(a), go(b)),
    };
    Expr::new(kind, given.span.clone())
}

/// The names that a `for` expression gives hide those from outside.
fn inside(f: &For, names: &BTreeMap<Arc<str>, Value>) -> For {
    let inner = without(names, f.key_name.iter().chain([&f.value_name]));
    For {
        collection: expr(&f.collection, names),
        key: f.key.as_ref().map(|e| expr(e, &inner)),
        value: expr(&f.value, &inner),
        condition: f.condition.as_ref().map(|e| expr(e, &inner)),
        ..f.clone()
    }
}

fn without<'n>(
    names: &BTreeMap<Arc<str>, Value>,
    hidden: impl Iterator<Item = &'n Arc<str>>,
) -> BTreeMap<Arc<str>, Value> {
    let mut inner = names.clone();
    hidden.for_each(|name| drop(inner.remove(name)));
    inner
}

fn parts(given: &[Part], names: &BTreeMap<Arc<str>, Value>) -> Vec<Part> {
    let bound = given.iter().map(|part| match part {
        Part::Text(text) => Part::Text(text.clone()),
        Part::Interpolation(e) => Part::Interpolation(expr(e, names)),
        Part::If { condition, then, otherwise } => {
            Part::If { condition: expr(condition, names), then: parts(then, names), otherwise: parts(otherwise, names) }
        }
        Part::For { key, value, collection, body } => Part::For {
            key: key.clone(),
            value: value.clone(),
            collection: expr(collection, names),
            body: parts(body, &without(names, key.iter().chain([value]))),
        },
    });
    bound.collect()
}
