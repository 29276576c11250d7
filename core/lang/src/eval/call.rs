//! Function calls.

use std::sync::Arc;

use sgp_model::{Diagnostic, Kind, Marks, Span, Type, Value, convert::convert};

use super::{Env, Eval, Evaluator, Gather, Halt, World};
use crate::{
    config::constraint,
    functions::{self, FunctionContext},
    syntax::{Expr, ExprKind},
};

impl<W: World> Evaluator<W> {
    pub(super) fn call(
        &mut self,
        expr: &Expr,
        name: &Arc<str>,
        name_span: &Span,
        args: &[Expr],
        expand: bool,
        env: &Env<'_>,
    ) -> Eval {
        match name.strip_prefix("core::").unwrap_or(name) {
            special @ ("try" | "can") => {
                let expanded = if expand { Some(self.expanded_expressions(args, env)?) } else { None };
                let args = expanded.as_deref().unwrap_or(args);
                return if special == "try" { self.try_each(expr, args, env) } else { self.can(expr, args, env) };
            }
            "convert" => return self.convert_to(expr, args, expand, env),
            "type" => return Err(type_inside(expr)),
            _ => {}
        }
        let mut gather = Gather::default();
        let mut values: Vec<Value> = args.iter().filter_map(|a| gather.take(self.value(a, env))).collect();
        if !functions::exists(name) {
            gather.push(unknown_function(name, name_span));
        }
        gather.finish(())?;
        let mut marks = Marks::NONE;
        if expand {
            let last = values.pop().expect("the parser expands only an argument");
            let at = args.last().expect("the parser expands only an argument");
            let (bare, own) = last.unmark();
            marks = own;
            match self.spread(&bare, at, env)? {
                Some(elements) => values.extend(elements),
                None => return Ok(Value::unknown(Type::Dynamic).mark(marks)),
            }
        }
        let result = self.call_function(name, values);
        result.map(|v| v.mark(marks)).map_err(|error| {
            let at = error.argument.and_then(|i| args.get(i)).unwrap_or(expr);
            self.error(Diagnostic::error(error.summary, error.message), at, env)
        })
    }

    /// The elements that stand for the argument before an ellipsis; `None` when they are not known yet.
    fn spread(&mut self, value: &Value, at: &Expr, env: &Env<'_>) -> Eval<Option<Vec<Value>>> {
        match value.kind() {
            Kind::List(..) | Kind::Tuple(_) | Kind::Set(..) => {
                Ok(Some(value.elements().unwrap_or_default().into_iter().cloned().collect()))
            }
            Kind::Unknown(u) if matches!(u.ty, Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                Ok(None)
            }
            _ => {
                let d = Diagnostic::error(
                    "Invalid expanding argument value",
                    "The argument before the ellipsis (...) must be a list, tuple or set, and not null.",
                );
                Err(self.error(d, at, env))
            }
        }
    }

    /// Arguments of a function that takes expressions, with the last one spread out. What is spread has a value already.
    fn expanded_expressions(&mut self, args: &[Expr], env: &Env<'_>) -> Eval<Vec<Expr>> {
        let (last, first) = args.split_last().expect("the parser expands only an argument");
        let (bare, marks) = self.value(last, env)?.unmark();
        let elements = self.spread(&bare, last, env)?.unwrap_or_else(|| vec![Value::unknown(Type::Dynamic)]);
        let literal = |v: Value| Expr::new(ExprKind::Literal(v.mark(marks)), last.span.clone());
        Ok(first.iter().cloned().chain(elements.into_iter().map(literal)).collect())
    }

    /// `convert(value, type)`: the type is written as in a variable's declaration.
    fn convert_to(&mut self, expr: &Expr, args: &[Expr], expand: bool, env: &Env<'_>) -> Eval {
        let [value, ty] = args else {
            let d = Diagnostic::error(
                "Wrong number of function arguments",
                "The function convert takes a value and a type: convert(var.ports, list(number)).",
            );
            return Err(self.error(d, expr, env));
        };
        if expand {
            let d = Diagnostic::error("Invalid type specification", "The type cannot come out of an ellipsis (...).");
            return Err(self.error(d, ty, env));
        }
        let wanted = constraint::parse(ty, &super::constant)?;
        let found = wanted.defaults.apply(self.value(value, env)?);
        convert(&found, &wanted.ty).map_err(|e| {
            let why = format!("Invalid value for \"value\" parameter: {e}.");
            self.error(Diagnostic::error("Invalid function argument", why), value, env)
        })
    }

    fn call_function(&mut self, name: &str, values: Vec<Value>) -> Result<Value, functions::FunctionError> {
        let files = self.files.clone();
        let depth = self.template_depth + 1;
        let render = |name: &str, text: &str, vars: &_| {
            super::render_template(name, text, vars, files.clone(), &self.inputs, depth)
        };
        let impure = self.inputs.impure.as_ref().zip(self.made_at.as_deref());
        let cx = FunctionContext {
            files: &*files,
            plan_timestamp: Some(&self.planned_at),
            impure: impure.map(|(i, now)| functions::Impure { timestamp: now, random: &*i.random }),
            render_template: &render,
        };
        functions::call(name, values, &cx)
    }

    /// The first argument that evaluates without an error.
    fn try_each(&mut self, expr: &Expr, args: &[Expr], env: &Env<'_>) -> Eval {
        let mut errors: Vec<Diagnostic> = Vec::new();
        for arg in args {
            match self.value(arg, env) {
                // What is not known yet may still fail, and then another argument would be the result.
                Ok(value) if !value.is_wholly_known() && !is_sure(arg) => {
                    return Ok(Value::unknown(Type::Dynamic).mark(value.deep_marks()));
                }
                Ok(value) => return Ok(value),
                Err(Halt::Errors(found)) => errors.extend(found),
                Err(halt) => return Err(halt),
            }
        }
        if args.is_empty() {
            return Err(self.error(
                Diagnostic::error("Not enough function arguments", "The function try needs at least one argument."),
                expr,
                env,
            ));
        }
        let why: Vec<String> = errors.iter().map(|d| format!("- {}", d.detail)).collect();
        let d = Diagnostic::error(
            "Error in function call",
            format!("None of the arguments of try has a value without errors:\n{}", why.join("\n")),
        );
        Err(self.error(d, expr, env))
    }

    fn can(&mut self, expr: &Expr, args: &[Expr], env: &Env<'_>) -> Eval {
        let [arg] = args else {
            let d = Diagnostic::error("Wrong number of function arguments", "The function can takes one argument.");
            return Err(self.error(d, expr, env));
        };
        match self.value(arg, env) {
            Ok(value) if !value.is_wholly_known() && !is_sure(arg) => Ok(Value::unknown_not_null(Type::Bool)),
            Ok(_) => Ok(true.into()),
            Err(Halt::Errors(_)) => Ok(false.into()),
            Err(halt) => Err(halt),
        }
    }
}

/// Whether an expression that has a value now, though not a known one, cannot fail later: one step from something known.
fn is_sure(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Name(_) | ExprKind::Literal(_) => true,
        ExprKind::Paren(inner) => is_sure(inner),
        ExprKind::Attr(base, _) => matches!(&*base.kind, ExprKind::Name(n) if ["var", "local", "each"].contains(&&**n)),
        _ => false,
    }
}

/// The console takes `type(...)` off before it evaluates; anywhere else there is nothing that it could give.
fn type_inside(expr: &Expr) -> Halt {
    let detail = "The function type shows the type of a value in the console. It cannot be part of an expression.";
    Diagnostic::error("Invalid use of type function", detail).at(expr.span.clone()).into()
}

fn unknown_function(name: &str, span: &Span) -> Diagnostic {
    let hint = crate::suggest::did_you_mean(name, functions::names().into_iter().chain(["try", "can", "convert"]));
    Diagnostic::error("Call to unknown function", format!("There is no function named {name:?}.{hint}"))
        .at(span.clone())
}

/// Seconds since the epoch as RFC 3339 in UTC.
pub(super) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
