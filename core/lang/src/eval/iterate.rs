//! `for` expressions and splats.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Diagnostic, Kind, Marks, Type, Value,
    convert::{convert, unify},
    value::{Lengths, Unknown},
};

use super::{Env, Eval, Evaluator, Gather, Scope, World, ops};
use crate::syntax::{Expr, ExprKind, For};

/// What one element of a `for` came to.
enum Step {
    Skip,
    Unknown,
    Value(Value),
    Entry(Arc<str>, Value),
}

impl<W: World> Evaluator<W> {
    pub(super) fn for_expression(&mut self, f: &For, env: &Env<'_>) -> Eval {
        let (collection, mut marks) = self.value(&f.collection, env)?.unmark();
        self.check_iterable(&collection, &f.collection, "a 'for' expression", env)?;
        let pairs = ops::pairs(&collection);
        if pairs.as_ref().is_none_or(Vec::is_empty) {
            let filter = self.for_any(f, env)?;
            marks = if pairs.is_none() { marks.union(filter) } else { marks };
        }
        let Some(pairs) = pairs else {
            let Kind::Unknown(source) = collection.kind() else { return Ok(Value::unknown(Type::Dynamic).mark(marks)) };
            return Ok(Unknown::of(Type::Dynamic).with_lengths(for_lengths(f, source)).into_value().mark(marks));
        };
        let mut gather = Gather::default();
        let mut steps = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let outer = f.key_name.as_ref().map(|name| Scope { name, value: key, outer: env.scope });
            let scope = Scope { name: &f.value_name, value, outer: outer.as_ref().or(env.scope) };
            let step = self.for_step(f, &env.with(&scope), &mut marks);
            steps.extend(gather.take(step));
        }
        let known = !steps.iter().any(|s| matches!(s, Step::Unknown));
        let result = if !known {
            Unknown::of(Type::Dynamic).not_null().into_value()
        } else if f.key.is_some() {
            match entries(steps, f.group) {
                Ok(fields) => Kind::Object(Arc::new(fields)).into(),
                Err(duplicate) => {
                    let d = Diagnostic::error(
                        "Duplicate object key",
                        format!(
                            "Two elements of this 'for' expression produced the key {:?}. To collect all values of a key, put an ellipsis (...) after the value expression.",
                            &*duplicate
                        ),
                    );
                    let at = f.key.as_ref().map_or(&f.value, |k| k).span.clone();
                    gather.push(d.at(at));
                    Value::unknown(Type::Dynamic)
                }
            }
        } else {
            let values = steps.into_iter().filter_map(|s| match s {
                Step::Value(v) => Some(v),
                _ => None,
            });
            Value::tuple(values.collect())
        };
        gather.finish(result.mark(marks))
    }

    /// A filter that is a mistake for any element is one before there are elements, too. Its marks.
    fn for_any(&mut self, f: &For, env: &Env<'_>) -> Eval<Marks> {
        let Some(condition) = &f.condition else { return Ok(Marks::NONE) };
        let any = || Value::unknown(Type::Dynamic);
        let outer = f.key_name.as_ref().map(|name| Scope { name, value: any(), outer: env.scope });
        let scope = Scope { name: &f.value_name, value: any(), outer: outer.as_ref().or(env.scope) };
        self.for_condition(condition, &env.with(&scope)).map(|v| v.marks())
    }

    pub(super) fn check_iterable(&mut self, collection: &Value, expr: &Expr, what: &str, env: &Env<'_>) -> Eval<()> {
        if collection.is_null() {
            let d = Diagnostic::error(
                "Iteration over null value",
                format!("A null value cannot be the collection of {what}."),
            );
            return Err(self.error(d, expr, env));
        }
        if !matches!(collection.kind(), Kind::Bool(_) | Kind::Number(_) | Kind::String(_)) {
            let unknown_primitive = matches!(collection.kind(), Kind::Unknown(u) if !ops::is_iterable(&u.ty));
            if !unknown_primitive {
                return Ok(());
            }
        }
        let d = Diagnostic::error(
            "Iteration over non-iterable value",
            format!(
                "A {} cannot be the collection of {what}: a list, set, map, tuple or object is needed.",
                collection.ty().friendly_name()
            ),
        );
        Err(self.error(d, expr, env))
    }

    fn for_step(&mut self, f: &For, env: &Env<'_>, marks: &mut Marks) -> Eval<Step> {
        if let Some(condition) = &f.condition {
            let (include, own) = self.for_condition(condition, env)?.unmark();
            *marks = marks.union(own);
            match include.as_bool() {
                Some(true) => {}
                Some(false) => return Ok(Step::Skip),
                None => return Ok(Step::Unknown),
            }
        }
        let Some(key_expr) = &f.key else { return self.value(&f.value, env).map(Step::Value) };
        let (key, own) = self.value(key_expr, env)?.unmark();
        *marks = marks.union(own);
        if key.is_null() {
            let d = Diagnostic::error(
                "Invalid object key",
                "The key expression of a 'for' expression must not produce a null value.",
            );
            return Err(self.error(d, key_expr, env));
        }
        let key = convert(&key, &Type::String).map_err(|e| {
            let d =
                Diagnostic::error("Invalid object key", format!("The key expression produced an invalid result: {e}."));
            self.error(d, key_expr, env)
        })?;
        let value = self.value(&f.value, env)?;
        Ok(key.as_str().map_or(Step::Unknown, |key| Step::Entry(key.into(), value)))
    }

    fn for_condition(&mut self, expr: &Expr, env: &Env<'_>) -> Eval {
        let value = self.value(expr, env)?;
        if value.is_null() {
            let d = Diagnostic::error("Invalid 'for' condition", "The value of the 'if' clause must not be null.");
            return Err(self.error(d, expr, env));
        }
        convert(&value, &Type::Bool).map_err(|e| {
            let d = Diagnostic::error("Invalid 'for' condition", format!("The 'if' clause value is invalid: {e}."));
            self.error(d, expr, env)
        })
    }

    pub(super) fn splat(&mut self, source: &Expr, each: &Expr, env: &Env<'_>) -> Eval {
        let (value, marks) = self.value(source, env)?.unmark();
        let depends_on_nothing_else = is_path(each);
        if depends_on_nothing_else && let Some(known) = self.splats.get(each, &value) {
            return Ok(known.mark(marks));
        }
        let result = self.splat_over(&value, source, each, env)?;
        if depends_on_nothing_else {
            self.splats.put(each, &value, &result);
        }
        Ok(result.mark(marks))
    }

    fn splat_over(&mut self, value: &Value, source: &Expr, each: &Expr, env: &Env<'_>) -> Eval {
        match value.kind() {
            Kind::List(_, elements) => self.splat_list(elements.iter(), value, each, env),
            Kind::Set(_, elements) => self.splat_list(elements.iter(), value, each, env),
            Kind::Tuple(elements) => {
                let mut gather = Gather::default();
                let values = elements.iter().filter_map(|e| gather.take(self.each(e, each, env))).collect();
                gather.finish(Value::tuple(values))
            }
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                let d = Diagnostic::error(
                    "Splat of null value",
                    "Splat expressions (with the * symbol) cannot be applied to null sequences.",
                );
                Err(self.error(d, source, env))
            }
            Kind::Null(_) => Ok(Value::tuple(Vec::new())),
            Kind::Unknown(unknown) => match &unknown.ty {
                Type::Dynamic => Ok(Value::unknown(Type::Dynamic)),
                Type::List(element) | Type::Set(element) => {
                    let inner = self.each(&Value::unknown((**element).clone()), each, env)?;
                    Ok(Unknown::of(Type::list(inner.ty())).with_lengths(unknown.lengths).into_value())
                }
                Type::Tuple(types) => {
                    let inner = types.iter().map(|t| self.each(&Value::unknown(t.clone()), each, env).map(|v| v.ty()));
                    let inner: Vec<Type> = inner.collect::<Eval<_>>()?;
                    Ok(Value::unknown_not_null(Type::tuple(inner)))
                }
                // One element, or none when it turns out to be null.
                _ => {
                    let inner = self.each(value, each, env)?;
                    Ok(if unknown.not_null { Value::tuple(vec![inner]) } else { Value::unknown(Type::Dynamic) })
                }
            },
            _ => Ok(Value::tuple(vec![self.each(value, each, env)?])),
        }
    }

    fn each(&mut self, item: &Value, each: &Expr, env: &Env<'_>) -> Eval {
        self.value(each, &Env { item: Some(item), ..*env })
    }

    /// A splat over a list or set of one type is a list.
    fn splat_list<'v>(
        &mut self,
        elements: impl Iterator<Item = &'v Value>,
        source: &Value,
        each: &Expr,
        env: &Env<'_>,
    ) -> Eval {
        let mut gather = Gather::default();
        let values: Vec<Value> = elements.filter_map(|e| gather.take(self.each(e, each, env))).collect();
        if values.is_empty() {
            let element = match source.kind() {
                Kind::List(ty, _) | Kind::Set(ty, _) => ty.clone(),
                _ => Type::Dynamic,
            };
            let inner = gather.take(self.each(&Value::unknown(element), each, env));
            return gather.finish(Value::list(inner.map_or(Type::Dynamic, |v| v.ty()), Vec::new()));
        }
        let types: Vec<Type> = values.iter().map(Value::ty).collect();
        let same = types.windows(2).all(|w| w[0] == w[1]);
        let value = if same {
            Value::list(types[0].clone(), values)
        } else if let Some(ty) = unify(&types).filter(Type::is_wholly_known) {
            let converted = values.iter().map(|v| convert(v, &ty)).collect::<Result<Vec<_>, _>>();
            converted.map_or_else(|_| Value::tuple(values.clone()), |vs| Value::list(ty, vs))
        } else {
            Value::tuple(values)
        };
        gather.finish(value)
    }
}

/// Whether an expression only picks something out of the element of a splat.
fn is_path(each: &Expr) -> bool {
    match &*each.kind {
        ExprKind::Item => true,
        ExprKind::Attr(base, _) => is_path(base),
        ExprKind::Index(base, key) => matches!(&*key.kind, ExprKind::Literal(_)) && is_path(base),
        _ => false,
    }
}

/// How many elements a `for` has that goes through something of which only the length is known.
fn for_lengths(f: &For, source: &Unknown) -> Lengths {
    let all = source.lengths;
    match (&f.condition, f.group) {
        (Some(_), _) => Lengths { min: 0, max: all.max },
        // Several elements may have one key.
        (None, true) => Lengths { min: all.min.min(1), max: all.max },
        (None, false) => all,
    }
}

fn entries(steps: Vec<Step>, group: bool) -> Result<BTreeMap<Arc<str>, Value>, Arc<str>> {
    let mut grouped: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for step in steps {
        let Step::Entry(key, value) = step else { continue };
        let values = grouped.entry(key.clone()).or_default();
        if !group && !values.is_empty() {
            return Err(key);
        }
        values.push(value);
    }
    let single = |mut values: Vec<Value>| values.pop().expect("every key has a value");
    Ok(grouped.into_iter().map(|(k, vs)| (k, if group { Value::tuple(vs) } else { single(vs) })).collect())
}
