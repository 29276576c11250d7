//! The Common Expression Language, as far as Kubernetes' rules in definitions speak it (`cel-spec/doc/langdef.md`; the libraries of
//! `k8s.io/apiserver/pkg/cel`).
//!
//! An expression is read ([`parse`]), checked against the types of its variables ([`check`]), and evaluated over an object
//! ([`evaluate`]) while a [`meter`] counts what that costs. It knows schemas, and nothing of rules or definitions: see
//! [`super::schema::rules`] for those.
//!
//! It is our own because the crates that there are end the process on deeply nested expressions, cannot be stopped while they run,
//! and do not check types.

mod check;
mod compare;
mod evaluate;
mod fold;
mod library;
mod macros;
pub mod meter;
mod parse;
mod signatures;
mod syntax;
#[cfg(test)]
mod tests;
mod tokens;
pub mod types;
mod unify;
pub mod value;
mod walk;

use std::sync::Arc;

use meter::Meter;
use syntax::{Expression, Issue, written};
use types::Type;
use value::{Evaluated, Value};

/// Goes on with more stack if there is little left: expressions may be nested 250 deep.
fn deeper<T>(go_on: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(128 << 10, 1 << 20, go_on)
}

/// A compiled expression over `self` and `oldSelf`.
#[derive(Debug)]
pub struct Program {
    expression: Expression,
    /// Whether `oldSelf` is in it.
    pub uses_old_self: bool,
}

impl Program {
    /// Compiles an expression, and answers its type. An `oldSelf` that is optional is there even without an old value.
    ///
    /// # Errors
    /// What is wrong with it, in the words of the API server: of cel-go there is line, column, and the line with a mark below.
    pub fn compile<'s>(source: &str, of: &Type<'s>, has_optional_old: bool) -> Result<(Self, Type<'s>), String> {
        let mut expression = parse::parse(source).map_err(|issues| failed(source, &issues))?;
        let old = if has_optional_old { Type::optional(of.clone()) } else { of.clone() };
        let variables: Vec<(Arc<str>, Type<'s>)> = vec![("self".into(), of.clone()), ("oldSelf".into(), old)];
        let checked = check::check(&mut expression, variables).map_err(|issues| failed(source, &issues))?;
        fold::constants(&expression).map_err(|why| format!("program instantiation failed: {why}"))?;
        Ok((Self { expression, uses_old_self: checked.uses_old_self }, checked.result))
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// Why there is none.
    pub fn evaluate<'a>(&self, it: &Value<'a>, old: Option<&Value<'a>>, meter: &mut Meter) -> Evaluated<'a> {
        let variables = [("self", Some(it)), ("oldSelf", old)];
        let variables = variables.into_iter().filter_map(|(name, value)| Some((name, value?.clone()))).collect();
        evaluate::Run::new(variables, meter).of(&self.expression)
    }
}

fn failed(source: &str, issues: &[Issue]) -> String {
    format!("compilation failed: {}", written(source, issues))
}
