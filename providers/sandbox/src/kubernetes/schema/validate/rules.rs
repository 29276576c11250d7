//! Custom resources against the rules in CEL of their definition (`apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go`).

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::super::rules::Compiled;
use super::super::{Additional, Kind, List, Rule, Schema};
use super::correlated::Correlated;
use super::{Cause, Causes, join};
use crate::kubernetes::cel::Program;
use crate::kubernetes::cel::meter::{Meter, PER_OBJECT};
use crate::kubernetes::cel::value::{Failure, Value as Cel};

/// Adds what the rules say against an object.
pub(super) fn check(object: &Value, old: Option<&Value>, schema: &Schema, causes: &mut Causes) {
    if !schema.has_rules() {
        return;
    }
    if causes.0.iter().any(blocks) {
        let detail = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
        causes.invalid("<nil>", &Value::Null, detail);
        return;
    }
    let mut walk = Walk { left: PER_OBJECT, causes };
    let place = Place {
        schema,
        is_root: true,
        path: String::new(),
        old,
        same: Same { here: old.map(|old| Correlated::new(object, old, schema)), above: None },
    };
    // That there is nothing left was said where it ran out.
    let _ = walk.at(object, &place);
}

/// What is wrong with the form of an object keeps its rules from being checked.
fn blocks(cause: &Cause) -> bool {
    matches!(
        cause.reason,
        "FieldValueNotSupported"
            | "FieldValueRequired"
            | "FieldValueTooLong"
            | "FieldValueTooMany"
            | "FieldValueTypeInvalid"
    )
}

/// There is nothing left to spend.
struct Exhausted;

struct Walk<'c> {
    left: u64,
    causes: &'c mut Causes,
}

/// Where one is in an object.
struct Place<'a> {
    schema: &'a Schema,
    is_root: bool,
    path: String,
    old: Option<&'a Value>,
    same: Same<'a>,
}

/// The value before the change: what is unchanged and was wrong before may stay so.
#[derive(Clone)]
struct Same<'a> {
    here: Option<Rc<Correlated<'a>>>,
    /// The nearest value above that has one.
    above: Option<Rc<Correlated<'a>>>,
}

impl<'a> Same<'a> {
    fn is_unchanged(&self) -> bool {
        self.here.as_ref().or(self.above.as_ref()).is_some_and(|it| it.is_equal())
    }

    fn below(&self, find: impl FnOnce(&Correlated<'a>) -> Option<Rc<Correlated<'a>>>) -> Self {
        match &self.here {
            None => self.clone(),
            Some(here) => Self { here: find(here), above: Some(Rc::clone(here)) },
        }
    }
}

impl Walk<'_> {
    fn at<'a>(&mut self, value: &'a Value, place: &Place<'a>) -> Result<(), Exhausted> {
        if value.is_null() {
            return Ok(());
        }
        self.rules(value, place)?;
        match value {
            Value::Object(members) => self.members(members, place),
            Value::Array(items) => self.items(items, place),
            _ => Ok(()),
        }
    }

    fn members<'a>(&mut self, members: &'a Map<String, Value>, place: &Place<'a>) -> Result<(), Exhausted> {
        let old = place.old.and_then(Value::as_object);
        for (name, value) in members {
            let is_own = place.is_root && matches!(name.as_str(), "metadata" | "apiVersion" | "kind");
            let (schema, path) = match (place.schema.properties.get(name.as_str()), &place.schema.additional) {
                _ if is_own => continue,
                (Some(schema), _) => {
                    let dot = if place.path.is_empty() { "" } else { "." };
                    (&**schema, format!("{}{dot}{name}", place.path))
                }
                (None, Additional::Of(schema)) => (&**schema, format!("{}[{name}]", place.path)),
                _ => continue,
            };
            if !schema.has_rules() {
                continue;
            }
            let same = place.same.below(|it| it.member(name));
            let old = old.and_then(|old| old.get(name));
            self.at(value, &Place { schema, is_root: schema.is_embedded, path, old, same })?;
        }
        Ok(())
    }

    fn items<'a>(&mut self, items: &'a [Value], place: &Place<'a>) -> Result<(), Exhausted> {
        let Some(schema) = place.schema.items().filter(|schema| schema.has_rules()) else { return Ok(()) };
        for (index, item) in items.iter().enumerate() {
            let old = match (place.old, place.schema.list()) {
                (Some(old), List::Map(keys)) => super::correlated::with_keys(old, item, keys),
                _ => None,
            };
            let same = place.same.below(|it| it.item(index));
            let path = format!("{}[{index}]", place.path);
            self.at(item, &Place { schema, is_root: schema.is_embedded, path, old, same })?;
        }
        Ok(())
    }

    fn rules<'a>(&mut self, value: &'a Value, place: &Place<'a>) -> Result<(), Exhausted> {
        let rules = place.schema.limits.as_ref().map_or(&[][..], |limits| &limits.rules);
        if rules.is_empty() {
            return Ok(());
        }
        let it = Cel::held(value, place.schema, place.is_root);
        let old = place.old.filter(|old| !old.is_null()).map(|old| Cel::held(old, place.schema, place.is_root));
        for rule in rules {
            let result = match (&it, &old) {
                (Err(why), _) | (_, Some(Err(why))) => {
                    self.failed(why, rule, place);
                    Ok(())
                }
                (Ok(it), None) => self.rule(rule, value, it, None, place),
                (Ok(it), Some(Ok(old))) => self.rule(rule, value, it, Some(old), place),
            };
            result?;
        }
        Ok(())
    }

    fn rule<'a>(
        &mut self,
        rule: &Rule,
        value: &Value,
        it: &Cel<'a>,
        old: Option<&Cel<'a>>,
        place: &Place<'a>,
    ) -> Result<(), Exhausted> {
        if self.left == 0 {
            self.say(place, OUT_OF_BUDGET);
            return Err(Exhausted);
        }
        let compiled = rule.compiled(place.schema, place.is_root);
        let program = match &compiled.rule {
            Ok(program) => program,
            Err(why) => {
                self.say(place, &format!("rule compile error: {why}"));
                return Ok(());
            }
        };
        let is_optional = rule.optional_old_self == Some(true);
        if program.uses_old_self && old.is_none() && !is_optional {
            return Ok(());
        }
        let optional = Cel::Optional(old.cloned().map(std::sync::Arc::new));
        let old = if is_optional { Some(&optional) } else { old };
        let mut meter = Meter::default();
        let result = program.evaluate(it, old, &mut meter);
        self.pay(meter.spent(), place)?;
        match result {
            Ok(Cel::Bool(true)) => Ok(()),
            Err(why) => {
                self.failed(&why, rule, place);
                if why == Failure::Cost { Err(Exhausted) } else { Ok(()) }
            }
            Ok(_) => self.broken(rule, compiled, program, value, it, old, place),
        }
    }

    fn pay(&mut self, cost: u64, place: &Place<'_>) -> Result<(), Exhausted> {
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.say(place, OUT_OF_BUDGET);
                Err(Exhausted)
            }
        }
    }

    /// Says something of a place by the type of its values.
    fn say(&mut self, place: &Place<'_>, detail: &str) {
        self.causes.invalid(shown(&place.path), &json!(kind(place.schema)), detail);
    }

    fn failed(&mut self, why: &Failure, rule: &Rule, place: &Place<'_>) {
        let named = named(rule);
        let detail = match why {
            Failure::NoOverload => format!(
                "'{why}': call arguments did not match a supported operator, function or macro signature for rule: {named}"
            ),
            Failure::Cost => format!(
                "'{why}': no further validation rules will be run due to call cost exceeds limit for rule: {named}"
            ),
            Failure::Other(_) => format!("{why} evaluating rule: {named}"),
        };
        self.say(place, &detail);
    }

    /// The rule does not hold.
    #[expect(clippy::too_many_arguments, reason = "they are what a rule is about")]
    fn broken<'a>(
        &mut self,
        rule: &Rule,
        compiled: &Compiled,
        program: &Program,
        value: &Value,
        it: &Cel<'a>,
        old: Option<&Cel<'a>>,
        place: &Place<'a>,
    ) -> Result<(), Exhausted> {
        let mut detail = None;
        if let Some(Ok(message)) = &compiled.message {
            let mut meter = Meter::default();
            let text = message.evaluate(it, old, &mut meter);
            if meter.spent() > self.left || matches!(text, Err(Failure::Cost)) {
                let source = rule.message_expression.as_deref().unwrap_or("");
                let why = if meter.spent() > self.left {
                    "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run".to_owned()
                } else {
                    format!(
                        "no further validation rules will be run due to call cost exceeds limit for messageExpression: {source:?}"
                    )
                };
                self.say(place, &why);
                return Err(Exhausted);
            }
            self.left -= meter.spent();
            detail = text.ok().and_then(|text| said(&text));
        }
        // What did not change may stay as it was; a rule about the change is another matter.
        if !program.uses_old_self && place.same.is_unchanged() {
            return Ok(());
        }
        let detail = detail.unwrap_or_else(|| default_message(rule));
        let path = match (place.path.is_empty(), compiled.field.as_str()) {
            (_, "") => shown(&place.path),
            (true, field) => field.to_owned(),
            (false, field) => format!("{}.{field}", place.path),
        };
        self.add(rule, path, value, &detail);
        Ok(())
    }

    fn add(&mut self, rule: &Rule, path: String, value: &Value, detail: &str) {
        let (reason, message) = match rule.reason.as_deref() {
            Some("FieldValueForbidden") => ("FieldValueForbidden", "Forbidden".to_owned()),
            Some("FieldValueRequired") => ("FieldValueRequired", "Required value".to_owned()),
            // Of a duplicate only the value is said.
            Some("FieldValueDuplicate") => {
                let message = if value.is_object() || value.is_array() {
                    "Duplicate value".to_owned()
                } else {
                    format!("Duplicate value: {value}")
                };
                self.causes.add(path, "FieldValueDuplicate", message);
                return;
            }
            _ if value.is_object() || value.is_array() => ("FieldValueInvalid", "Invalid value".to_owned()),
            _ => ("FieldValueInvalid", format!("Invalid value: {value}")),
        };
        self.causes.add(path, reason, join(&message, detail));
    }
}

const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

/// The longest message that an expression may make, in bytes.
const MAX_MESSAGE: usize = 5 * 1024;

/// What an expression says, if it can be said.
fn said(text: &Cel<'_>) -> Option<String> {
    let Cel::Text(text) = text else { return None };
    let text = text.trim();
    let is_fit = !text.is_empty() && text.len() <= MAX_MESSAGE && !text.contains('\n');
    is_fit.then(|| text.to_owned())
}

/// Go calls the object itself so.
fn shown(path: &str) -> String {
    if path.is_empty() { "<nil>".to_owned() } else { path.to_owned() }
}

fn kind(schema: &Schema) -> &'static str {
    match schema.kind {
        Kind::Object => "object",
        Kind::Array => "array",
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::IntOrString | Kind::Any | Kind::Quantity => "",
    }
}

fn named(rule: &Rule) -> &str {
    let message = rule.message.as_deref().map(str::trim).filter(|it| !it.is_empty());
    message.unwrap_or_else(|| rule.rule.trim())
}

fn default_message(rule: &Rule) -> String {
    let message = rule.message.as_deref().map(str::trim).filter(|it| !it.is_empty());
    message.map_or_else(|| format!("failed rule: {}", rule.rule.trim()), str::to_owned)
}
