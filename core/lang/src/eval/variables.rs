//! Input variables: where their values come from, their types, their checks.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostic, Marks, ModulePath, Value, checks::Checkable, convert::convert};

use super::{CellKey, Env, Eval, Evaluator, Given, ModuleInfo, Outer, Repetition, World, conditions::Conditions};
use crate::{
    config::Variable,
    syntax::{self, Expr},
};

impl<W: World> Evaluator<W> {
    /// The variables of the root module: converted, validated and marked. What cannot be told is left out.
    pub fn variables(&mut self) -> BTreeMap<String, Value> {
        let root = self.modules[&ModulePath::root()].clone();
        let mut found = BTreeMap::new();
        for name in root.config.variables.keys() {
            let value = self.variable(&root, name);
            if let Ok(value) = self.settle(value) {
                found.insert(name.to_string(), value);
            }
        }
        found
    }

    pub(super) fn variable(&mut self, info: &Arc<ModuleInfo>, name: &Arc<str>) -> Eval {
        let key = CellKey::Variable(info.path.clone(), name.clone());
        let (info, name) = (info.clone(), name.clone());
        self.value_cell(key, move |this, _| {
            let config = info.config.clone();
            let variable = config.variables.get(&name).expect("the caller saw the variable");
            this.compute_variable(variable, &info)
        })
    }

    fn compute_variable(&mut self, variable: &Variable, info: &Arc<ModuleInfo>) -> Eval {
        let given = match &info.outer {
            Some(outer) => self.argument(variable, outer, info)?,
            // What is valid is so for whatever is given; a default is one value of many, and must only be of the type.
            None if self.inputs.validating => return Self::default_of(variable).map(|_| not_given(variable)),
            None => self.input(variable)?,
        };
        let given_null = given.as_ref().is_some_and(Value::is_null);
        let value = match given {
            Some(value) if !value.is_null() || variable.nullable => Some(value),
            _ => Self::default_of(variable)?,
        };
        let Some(mut value) = value else {
            if self.inputs.validating {
                return Ok(not_given(variable));
            }
            return Err(if given_null { not_nullable(variable, info) } else { missing(variable, info) }.into());
        };
        if value.is_null() && !variable.nullable {
            return Err(not_nullable(variable, info).into());
        }
        if !variable.ephemeral && value.deep_marks().contains(Marks::EPHEMERAL) {
            return Err(not_ephemeral(variable, info).into());
        }
        value = value.mark(marks(variable));
        self.validate(variable, &value, info)?;
        Ok(value)
    }

    fn validate(&mut self, variable: &Variable, value: &Value, info: &Arc<ModuleInfo>) -> Eval<()> {
        let env = Env { own: Some((&variable.name, value)), ..Env::new(info, &Repetition::None) };
        let of = Checkable::Var(info.path.clone(), variable.name.clone()).into();
        self.hold(&variable.validations, Conditions::Validation, &of, &env)
    }

    fn default_of(variable: &Variable) -> Eval<Option<Value>> {
        let Some(default) = &variable.default else { return Ok(None) };
        let value = super::constant(default)?;
        converted_default(variable, value, default).map(Some)
    }

    /// The value for a variable of a called module.
    fn argument(&mut self, variable: &Variable, outer: &Outer, info: &Arc<ModuleInfo>) -> Eval<Option<Value>> {
        self.touch_expansion(info);
        let Some(attr) = outer.call.args.get(&variable.name) else { return Ok(None) };
        let env = Env::new(&outer.module, &outer.repetition);
        let value = self.value(&attr.expr, &env)?;
        if let Some(known) = self.arguments.get(variable, &value) {
            return Ok(Some(known));
        }
        let applied = variable.constraint.defaults.apply(value.clone());
        let converted = convert(&applied, &variable.constraint.ty).map_err(|e| {
            let d = Diagnostic::error(
                "Invalid value for module argument",
                format!(
                    "The given value is not suitable for the variable {:?} of module.{}: {e}.",
                    &*variable.name, outer.call.name
                ),
            );
            self.error(d, attr.expr.part(&e.path.0), &env)
        })?;
        self.arguments.put(variable, &value, &converted);
        Ok(Some(converted))
    }

    /// The value for a variable of the root module.
    fn input(&mut self, variable: &Variable) -> Eval<Option<Value>> {
        let Some(input) = self.inputs.variables.get(&*variable.name).cloned() else { return Ok(None) };
        let place = |d: Diagnostic| match &input.span {
            Some(span) => d.at(span.clone()),
            None => d.at(variable.span.clone()),
        };
        let value = match input.given {
            Given::Value(value) => value,
            Given::Text(text) if variable.constraint.literal_text => Value::from(normalised(&text)),
            Given::Text(text) => parse_input(&text).map_err(|why| {
                place(Diagnostic::error(
                    "Invalid value for input variable",
                    format!(
                        "The value for {:?} from {} is not a valid expression: {why} A {} is needed.",
                        &*variable.name, input.from, variable.constraint.ty
                    ),
                ))
            })?,
        };
        let applied = variable.constraint.defaults.apply(value);
        let converted = convert(&applied, &variable.constraint.ty).map_err(|e| {
            place(Diagnostic::error(
                "Invalid value for input variable",
                format!(
                    "The value for {:?} from {} does not fit its type {}: {e}.",
                    &*variable.name, input.from, variable.constraint.ty
                ),
            ))
        })?;
        Ok(Some(converted))
    }
}

fn converted_default(variable: &Variable, value: Value, expr: &Expr) -> Eval {
    let applied = variable.constraint.defaults.apply(value);
    convert(&applied, &variable.constraint.ty).map_err(|e| {
        Diagnostic::error(
            "Invalid default value for variable",
            format!("The default of {:?} does not fit its type {}: {e}.", &*variable.name, variable.constraint.ty),
        )
        .at(expr.part(&e.path.0).span.clone())
        .into()
    })
}

fn marks(variable: &Variable) -> Marks {
    let sensitive = if variable.sensitive { Marks::SENSITIVE } else { Marks::NONE };
    sensitive.union(if variable.ephemeral { Marks::EPHEMERAL } else { Marks::NONE })
}

/// Null for a variable that takes none and has nothing to fall back to, at the place that gives it.
fn not_nullable(variable: &Variable, info: &ModuleInfo) -> Diagnostic {
    let argument = info.outer.as_ref().and_then(|outer| outer.call.args.get(&variable.name));
    Diagnostic::error(
        "Required variable not set",
        format!(
            "The variable {:?} must not be null (nullable = false), and it has no default to fall back to.",
            &*variable.name
        ),
    )
    .at(argument.map_or(&variable.span, |a| &a.expr.span).clone())
}

/// An ephemeral value for a variable that does not say that it takes one.
fn not_ephemeral(variable: &Variable, info: &ModuleInfo) -> Diagnostic {
    let argument = info.outer.as_ref().and_then(|outer| outer.call.args.get(&variable.name));
    Diagnostic::error(
        "Ephemeral value not allowed",
        format!(
            "This value is derived from something ephemeral, but the variable {:?} does not take such values. If it is to take them, mark it: ephemeral = true.",
            &*variable.name
        ),
    )
    .at(argument.map_or(&variable.span, |a| &a.expr.span).clone())
}

/// What a variable is while nobody has given a value.
fn not_given(variable: &Variable) -> Value {
    Value::unknown(sgp_model::convert::without_optional(&variable.constraint.ty)).mark(marks(variable))
}

fn missing(variable: &Variable, info: &ModuleInfo) -> Diagnostic {
    match &info.outer {
        Some(outer) => Diagnostic::error(
            "Missing required argument",
            format!("The argument {:?} is required by module.{}, but it is not set.", &*variable.name, outer.call.name),
        )
        .at(outer.call.span.clone()),
        None => Diagnostic::error(
            "No value for required variable",
            format!(
                "The variable {0:?} has no default and no value was given. Set it with -var '{0}=...', in a .tfvars file, or in the environment variable TF_VAR_{0}.",
                &*variable.name
            ),
        )
        .at(variable.span.clone()),
    }
}

fn normalised(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfc().collect()
}

fn parse_input(text: &str) -> Result<Value, String> {
    let expr = syntax::parse_expression(&Arc::from("<value>"), text).map_err(|d| d.detail)?;
    super::constant(&expr).map_err(|d| d.detail)
}
