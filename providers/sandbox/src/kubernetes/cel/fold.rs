//! Conversions of literals (`int('x')`) are made when an expression is compiled: those that fail are refused there.

use super::evaluate::of_literal;
use super::library;
use super::meter::Meter;
use super::syntax::{Expression, Form};
use super::value::Failure;

const CONVERSIONS: &[&str] = &["bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"];

/// Tries the conversions of literals.
pub fn constants(expression: &Expression) -> Result<(), Failure> {
    if let Form::Call { function, target: None, arguments } = &expression.form
        && let [Expression { form: Form::Literal(literal), .. }] = arguments.as_slice()
        && CONVERSIONS.contains(&&**function)
    {
        return library::call(function, false, &[of_literal(literal)], &mut Meter::default()).map(drop);
    }
    expression.parts().into_iter().try_for_each(constants)
}
