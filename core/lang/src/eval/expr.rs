//! Expressions to values.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    Diagnostic, Kind, Marks, Type, Value,
    convert::{convert, convert_type, unify},
    value::Unknown,
};

use super::{Env, Eval, Evaluator, Gather, Halt, World, ops};
use crate::{
    config::reference,
    syntax::{BinaryOp, Expr, ExprKind, UnaryOp},
};

impl<W: World> Evaluator<W> {
    /// The value of an expression.
    pub(crate) fn value(&mut self, expr: &Expr, env: &Env<'_>) -> Eval {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.value_inner(expr, env))
    }

    fn value_inner(&mut self, expr: &Expr, env: &Env<'_>) -> Eval {
        match &*expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Template(parts) => self.template(parts, env),
            ExprKind::Paren(inner) => self.value(inner, env),
            ExprKind::Name(_) | ExprKind::Attr(..) | ExprKind::Index(..) => self.reference(expr, env),
            ExprKind::Item => Ok(env.item.cloned().unwrap_or_else(|| Value::unknown(Type::Dynamic))),
            ExprKind::Splat(source, each) => self.splat(source, each, env),
            ExprKind::Call { name, name_span, args, expand } => self.call(expr, name, name_span, args, *expand, env),
            ExprKind::Tuple(elements) => self.tuple(elements, env),
            ExprKind::Object(items) => self.object_value(items, env),
            ExprKind::For(f) => self.for_expression(f, env),
            ExprKind::Conditional(condition, then, otherwise) => {
                self.conditional(expr, condition, then, otherwise, env)
            }
            ExprKind::Unary(op, operand) => self.unary(*op, operand, env),
            ExprKind::Binary(op, left, right) => self.binary(expr, *op, left, right, env),
        }
    }

    /// An error at an expression, with the values that it refers to.
    pub(super) fn error(&mut self, diagnostic: Diagnostic, expr: &Expr, env: &Env<'_>) -> Halt {
        let mut diagnostic = diagnostic.at(expr.span.clone());
        diagnostic.values = self.explain(expr, env);
        diagnostic.into()
    }

    fn tuple(&mut self, elements: &[Expr], env: &Env<'_>) -> Eval {
        let mut gather = Gather::default();
        let values = elements.iter().filter_map(|e| gather.take(self.value(e, env))).collect();
        gather.finish(Value::tuple(values))
    }

    fn object_value(&mut self, items: &[(Expr, Expr)], env: &Env<'_>) -> Eval {
        let mut gather = Gather::default();
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let (mut marks, mut known) = (Marks::NONE, true);
        for (key_expr, value_expr) in items {
            let key = gather.take(self.object_key(key_expr, env));
            let value = gather.take(self.value(value_expr, env));
            let (Some((key, key_marks)), Some(value)) = (key, value) else { continue };
            marks = marks.union(key_marks);
            match key {
                Some(key) => drop(fields.insert(key, value)),
                None => known = false,
            }
        }
        let value = if known { Kind::Object(Arc::new(fields)).into() } else { Value::unknown(Type::Dynamic) };
        gather.finish(value.mark(marks))
    }

    fn object_key(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<(Option<Arc<str>>, Marks)> {
        if let ExprKind::Literal(value) = &*expr.kind
            && let Kind::String(text) = value.kind()
        {
            return Ok((Some(text.clone()), Marks::NONE));
        }
        if let Some(ambiguous) = ambiguous_key(expr) {
            return Err(ambiguous.into());
        }
        let (key, marks) = self.value(expr, env)?.unmark();
        if key.is_null() {
            let d = Diagnostic::error("Null value as key", "A null value cannot be the key of an object.");
            return Err(self.error(d, expr, env));
        }
        match convert(&key, &Type::String) {
            Ok(key) => Ok((key.as_str().map(Into::into), marks)),
            Err(e) => {
                let d = Diagnostic::error("Incorrect key type", format!("This value cannot be a key: {e}."));
                Err(self.error(d, expr, env))
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, env: &Env<'_>) -> Eval {
        let value = self.value(operand, env)?;
        ops::unary(op, &value).map_err(|d| self.error(d, operand, env))
    }

    fn binary(&mut self, expr: &Expr, op: BinaryOp, left: &Expr, right: &Expr, env: &Env<'_>) -> Eval {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return self.logical(expr, op, left, right, env);
        }
        let l = self.operand(op, "left", left, env);
        let r = self.operand(op, "right", right, env);
        self.both(expr, op, l, r, env)
    }

    /// `&&` and `||`: a side that decides is enough, and then what is wrong with the other one does not matter.
    fn logical(&mut self, expr: &Expr, op: BinaryOp, left: &Expr, right: &Expr, env: &Env<'_>) -> Eval {
        let decides = |v: &Value| v.as_bool() == Some(op == BinaryOp::Or);
        let l = self.value(left, env);
        // A value that is no bool is a mistake whatever the other side is.
        let (l, l_fits) = self.checked(op, "left", l, left, env);
        if let Ok(l) = &l
            && decides(l)
        {
            // The other side is not even looked at: `x != null && x.y`.
            return Ok(l.clone());
        }
        let r = self.value(right, env);
        let (r, r_fits) = self.checked(op, "right", r, right, env);
        if l_fits && r_fits {
            match (&l, &r) {
                (Err(Halt::Errors(_)), Ok(r)) if decides(r) => return Ok(r.clone()),
                (Ok(l), Err(Halt::Errors(_))) if !l.is_known() => {
                    return Ok(Value::unknown_not_null(Type::Bool).mark(l.marks()));
                }
                _ => {}
            }
        }
        self.both(expr, op, l, r, env)
    }

    /// An operand in the type of the operator, and whether it has one that fits, as far as it has a value at all.
    fn checked(&mut self, op: BinaryOp, side: &str, value: Eval, expr: &Expr, env: &Env<'_>) -> (Eval, bool) {
        match value {
            Ok(value) => {
                let converted = self.as_operand(op, side, value, expr, env);
                let fits = converted.is_ok();
                (converted, fits)
            }
            halted => (halted, true),
        }
    }

    fn both(&mut self, expr: &Expr, op: BinaryOp, l: Eval, r: Eval, env: &Env<'_>) -> Eval {
        let mut gather = Gather::default();
        let (l, r) = (gather.take(l), gather.take(r));
        let (Some(l), Some(r)) = (l, r) else { return gather.finish(Value::dynamic_null()) };
        ops::binary(op, &l, &r).map_err(|d| self.error(d, expr, env))
    }

    fn operand(&mut self, op: BinaryOp, side: &str, expr: &Expr, env: &Env<'_>) -> Eval {
        let value = self.value(expr, env)?;
        self.as_operand(op, side, value, expr, env)
    }

    fn as_operand(&mut self, op: BinaryOp, side: &str, value: Value, expr: &Expr, env: &Env<'_>) -> Eval {
        let Some(ty) = ops::operand_type(op) else { return Ok(value) };
        convert(&value, &ty).map_err(|e| {
            let d = Diagnostic::error("Invalid operand", format!("Unsuitable value for {side} operand: {e}."));
            self.error(d, expr, env)
        })
    }

    fn conditional(&mut self, expr: &Expr, condition: &Expr, then: &Expr, otherwise: &Expr, env: &Env<'_>) -> Eval {
        let decided = self.condition(condition, env)?;
        let marks = decided.marks();
        let Some(choice) = decided.as_bool() else {
            // Only one of the branches will be taken, so what is wrong with either may never matter.
            let (a, b) = (self.speculative(then, env)?, self.speculative(otherwise, env)?);
            return self.either(expr, &a, &b, env).map(|v| v.mark(marks.union(a.marks()).union(b.marks())));
        };
        let (chosen, other) = if choice { (then, otherwise) } else { (otherwise, then) };
        let value = self.value(chosen, env)?;
        // The branch that is not taken still has a say in the type.
        let other = self.speculative(other, env)?;
        let (bare, own) = value.unmark();
        let marks = marks.union(own).union(other.marks());
        let ty = self.branch_type(expr, choice, &bare, &other, env)?;
        let converted = convert(&bare, &ty).map_err(|e| {
            let d = Diagnostic::error(
                "Inconsistent conditional result types",
                format!("The result has the wrong type: {e}."),
            );
            self.error(d, chosen, env)
        })?;
        Ok(converted.mark(marks))
    }
    /// The value of a branch that may not be taken. With a mistake in it, it has none, but perhaps a type all the same.
    fn speculative(&mut self, expr: &Expr, env: &Env<'_>) -> Eval {
        match self.speculate(|this| this.value(expr, env)) {
            Err(Halt::Errors(_)) => Ok(result_with_mistake(expr)),
            done => done,
        }
    }

    fn branch_type(&mut self, expr: &Expr, choice: bool, chosen: &Value, other: &Value, env: &Env<'_>) -> Eval<Type> {
        let untyped_null = |v: &Value| matches!(v.kind(), Kind::Null(Type::Dynamic));
        let (a, b) = (chosen.ty(), other.ty());
        if untyped_null(other) || a == b {
            return Ok(a);
        }
        if untyped_null(chosen) {
            return Ok(b);
        }
        if a == Type::Dynamic || b == Type::Dynamic {
            return Ok(Type::Dynamic);
        }
        let unified = unify(&[a.clone(), b.clone()]);
        unified.ok_or_else(|| {
            let (then, otherwise) = if choice { (&a, &b) } else { (&b, &a) };
            self.error(mismatch(then, otherwise), expr, env)
        })
    }

    /// The result when the condition is not known: what is true of both.
    fn either(&mut self, expr: &Expr, a: &Value, b: &Value, env: &Env<'_>) -> Eval {
        let (a, b) = (a.clone().unmark().0, b.clone().unmark().0);
        let ty = self.branch_type(expr, true, &a, &b, env)?;
        if a.is_null() && b.is_null() {
            return Ok(Value::null(ty));
        }
        Ok(Unknown::about(&a).or(&Unknown::about(&b), ty).into_value())
    }

    /// A bool that decides something: not null, perhaps unknown.
    pub(super) fn condition(&mut self, expr: &Expr, env: &Env<'_>) -> Eval {
        let value = self.value(expr, env)?;
        if value.is_null() {
            let d = Diagnostic::error(
                "Null condition",
                "The condition value is null. Conditions must either be true or false.",
            );
            return Err(self.error(d, expr, env));
        }
        convert(&value, &Type::Bool).map_err(|e| {
            let d = Diagnostic::error("Incorrect condition type", format!("A condition must be true or false: {e}."));
            self.error(d, expr, env)
        })
    }

    /// The value of an expression as a type.
    pub(super) fn value_as(&mut self, expr: &Expr, ty: &Type, what: &str, env: &Env<'_>) -> Eval {
        let value = self.value(expr, env)?;
        convert(&value, ty).map_err(|e| {
            let d = Diagnostic::error("Unsuitable value type", format!("{what} cannot be set to this value: {e}."));
            self.error(d, expr, env)
        })
    }
}

/// A key such as `a.b`: not a name, and not clearly a reference either.
pub(super) fn ambiguous_key(key: &Expr) -> Option<Diagnostic> {
    reference::steps(key)?;
    Some(
        Diagnostic::error(
            "Ambiguous attribute key",
            "This may be meant as a reference or as a key with dots in it. Put a reference between parentheses, a key between quotes.",
        )
        .at(key.span.clone()),
    )
}

/// What is certain of an expression with a mistake in it.
fn result_with_mistake(expr: &Expr) -> Value {
    let ty = kind_of_result(expr);
    match &*expr.kind {
        ExprKind::Paren(inner) => result_with_mistake(inner),
        ExprKind::Template(_) | ExprKind::Tuple(_) | ExprKind::Object(_) => Value::unknown_not_null(ty),
        _ => Value::unknown(ty),
    }
}

/// The type that an expression has whatever its parts come to, as far as it has one.
fn kind_of_result(expr: &Expr) -> Type {
    use BinaryOp::{Add, Divide, Modulo, Multiply, Subtract};
    match &*expr.kind {
        ExprKind::Paren(inner) => kind_of_result(inner),
        ExprKind::Literal(value) => value.ty(),
        ExprKind::Template(_) => Type::String,
        ExprKind::Unary(UnaryOp::Negate, _) | ExprKind::Binary(Add | Subtract | Multiply | Divide | Modulo, ..) => {
            Type::Number
        }
        ExprKind::Unary(..) | ExprKind::Binary(..) => Type::Bool,
        ExprKind::Tuple(elements) => Type::tuple(elements.iter().map(kind_of_result)),
        ExprKind::Object(items) => {
            let field =
                |(key, item): &(Expr, Expr)| Some((Arc::<str>::from(key.as_literal_str()?), kind_of_result(item)));
            items.iter().map(field).collect::<Option<Vec<_>>>().map_or(Type::Dynamic, Type::object)
        }
        _ => Type::Dynamic,
    }
}

/// Why two branches have no type in common, as exactly as can be said.
fn mismatch(a: &Type, b: &Type) -> Diagnostic {
    let detail = match (a, b) {
        (Type::Object(x), Type::Object(y)) => {
            let only =
                |x: &BTreeMap<Arc<str>, _>, y: &BTreeMap<Arc<str>, _>| x.keys().find(|k| !y.contains_key(*k)).cloned();
            match (only(x, y), only(y, x)) {
                (Some(name), _) => format!("the attribute {:?} is in the true result only", &*name),
                (None, Some(name)) => format!("the attribute {:?} is in the false result only", &*name),
                (None, None) => {
                    let name = x.keys().find(|k| convert_type(&x[*k].ty, &y[*k].ty).is_err());
                    name.map_or_else(String::new, |n| {
                        format!("the attribute {:?} is {} or {}", &**n, x[n].ty.with_article(), y[n].ty.with_article())
                    })
                }
            }
        }
        (Type::Tuple(x), Type::Tuple(y)) if x.len() != y.len() => {
            format!("the true result has {} elements, the false result {}", x.len(), y.len())
        }
        (a, b) => format!("the true result is {}, the false result {}", a.with_article(), b.with_article()),
    };
    Diagnostic::error(
        "Inconsistent conditional result types",
        format!("The two results of a conditional must have consistent types, but {detail}."),
    )
}
