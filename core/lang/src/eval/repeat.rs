//! `count` and `for_each`.

use std::sync::Arc;

use sgp_model::{Diagnostic, Kind, Marks, Type, Value, convert::convert};

use super::{Env, Eval, Evaluator, Instances, ModuleInfo, Repetition, World};
use crate::syntax::Expr;

/// Far more than any account holds; a slip such as a missing point would otherwise take all memory.
const MAX_COUNT: u64 = 1_000_000;

const EPHEMERAL_ADVICE: &str =
    "How many instances there are depends on something ephemeral, but instances are written to the state.";

impl<W: World> Evaluator<W> {
    /// `count` and `for_each` of a resource or module.
    pub(super) fn repeats(
        &mut self,
        count: Option<&Expr>,
        for_each: Option<&Expr>,
        info: &Arc<ModuleInfo>,
    ) -> Eval<Instances> {
        let env = Env::new(info, &Repetition::None);
        match (count, for_each) {
            (Some(count), _) => self.count(count, &env),
            (None, Some(for_each)) => self.for_each(for_each, &env),
            (None, None) => Ok(Instances::Single),
        }
    }

    fn count(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<Instances> {
        let value = self.value(expr, env)?;
        let invalid = |detail: &str| Diagnostic::error("Invalid count argument", detail);
        if value.deep_marks().contains(Marks::EPHEMERAL) {
            return Err(self.error(invalid(EPHEMERAL_ADVICE), expr, env));
        }
        // As in Terraform, a secret may be counted by: it tells a number, where the keys of for_each would tell texts.
        let number = convert(&value.unmark().0, &Type::Number).map_err(|e| {
            let d = invalid(&format!("The count must be a whole number, zero or more: {e}."));
            self.error(d, expr, env)
        })?;
        if !number.is_known() {
            return Ok(Instances::any_count(self.inputs.validating));
        }
        let Some(n) = number.as_i64().and_then(|n| u64::try_from(n).ok()) else {
            let d = invalid(if number.is_null() {
                "The count is null. A whole number, zero or more, is needed."
            } else {
                "The count must be a whole number, zero or more."
            });
            return Err(self.error(d, expr, env));
        };
        if n > MAX_COUNT {
            let d = invalid(&format!("The count is {n}; more than {MAX_COUNT} instances are not planned."));
            return Err(self.error(d, expr, env));
        }
        Ok(if self.inputs.validating { Instances::any_count(true) } else { Instances::Count(n) })
    }

    pub(super) fn for_each(&mut self, expr: &Expr, env: &Env<'_>) -> Eval<Instances> {
        let value = self.value(expr, env)?;
        let validating = self.inputs.validating;
        let (bare, marks) = value.unmark();
        let problem = if marks.contains(Marks::EPHEMERAL) {
            Some(EPHEMERAL_ADVICE.to_owned())
        } else if marks.contains(Marks::SENSITIVE) {
            Some("The for_each argument depends on a sensitive value, which the keys of the instances would disclose. Use nonsensitive(...) if the keys are no secret.".to_owned())
        } else if bare.is_null() {
            Some("The for_each argument is null. A map, or a set of strings, is needed; use an empty one for no instances.".to_owned())
        } else if !bare.is_known() {
            match &bare.ty() {
                Type::Dynamic | Type::Map(_) | Type::Object(_) => {
                    let element = if let Type::Map(t) = bare.ty() { (*t).clone() } else { Type::Dynamic };
                    return Ok(Instances::any_of(Value::unknown(element), validating));
                }
                Type::Set(_) => return Ok(Instances::any_of(Value::unknown_not_null(Type::String), validating)),
                ty => Some(wrong_for_each(ty)),
            }
        } else {
            match bare.kind() {
                Kind::Map(..) | Kind::Object(_) => None,
                Kind::Set(Type::String, _) => match bare.elements() {
                    Some(elements) if elements.iter().any(|e| !e.is_known()) => {
                        return Ok(Instances::any_of(Value::unknown_not_null(Type::String), validating));
                    }
                    Some(elements) if elements.iter().any(|e| e.is_null()) => {
                        Some("The set in for_each holds a null value. Each element names an instance.".to_owned())
                    }
                    _ => None,
                },
                Kind::Set(_, elements) if elements.is_empty() => None,
                _ => Some(wrong_for_each(&bare.ty())),
            }
        };
        if let Some(detail) = problem {
            return Err(self.error(Diagnostic::error("Invalid for_each argument", detail), expr, env));
        }
        if self.inputs.validating {
            let value = match bare.as_fields() {
                Some(fields) => any_of(fields.values()),
                None => Value::unknown_not_null(Type::String),
            };
            return Ok(Instances::any_of(value, true));
        }
        let map = match bare.as_fields() {
            Some(fields) => fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            None => bare.str_elements().into_iter().map(|s| (Arc::from(s), Value::from(s))).collect(),
        };
        Ok(Instances::ForEach(map))
    }
}

fn wrong_for_each(ty: &Type) -> String {
    let hint = match ty {
        Type::List(_) | Type::Tuple(_) => " A list has no keys: use toset(...) when its elements are distinct strings.",
        _ => "",
    };
    format!("The for_each argument must be a map, or a set of strings, but this is a {}.{hint}", ty.friendly_name())
}

/// While validating, what `each.value` may be: of the type that all values share.
fn any_of<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    let types: Vec<Type> = values.map(Value::ty).collect();
    match types.split_first() {
        Some((first, rest)) if rest.iter().all(|t| t == first) => Value::unknown(first.clone()),
        _ => Value::unknown(Type::Dynamic),
    }
}
