//! Evaluates a checked expression (cel-go's `interpreter`).

use std::sync::Arc;

use super::compare;
use super::library;
use super::meter::Meter;
use super::syntax::{Entry, Expression, Form, Item, Literal, Select};
use super::value::{Evaluated, Failure, Key, Value, failure};

/// One evaluation: what names mean, and what it cost.
#[derive(Debug)]
pub struct Run<'p, 'a, 'm> {
    pub(super) scope: Vec<(&'p str, Value<'a>)>,
    pub(super) meter: &'m mut Meter,
}

impl<'p, 'a, 'm> Run<'p, 'a, 'm> {
    pub fn new(variables: Vec<(&'p str, Value<'a>)>, meter: &'m mut Meter) -> Self {
        Self { scope: variables, meter }
    }

    /// The value of an expression.
    pub fn of(&mut self, expression: &'p Expression) -> Evaluated<'a> {
        super::deeper(|| self.of_form(expression))
    }

    fn of_form(&mut self, expression: &'p Expression) -> Evaluated<'a> {
        match &expression.form {
            Form::Literal(literal) => Ok(of_literal(literal)),
            Form::Name(name) => self.name(name),
            Form::Select { operand, field, kind } => self.select(operand, field, *kind),
            Form::Call { function, target, arguments } => self.call(function, target.as_deref(), arguments),
            Form::Logic { is_and, terms } => self.logic(*is_and, terms),
            Form::List(items) => self.list(items),
            Form::Map(entries) => self.map(entries),
            Form::Comprehension(walk) => self.walk(walk),
        }
    }

    fn name(&mut self, name: &str) -> Evaluated<'a> {
        self.meter.charge(1)?;
        match self.scope.iter().rev().find(|(known, _)| *known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => Ok(Value::Type(name.into())),
        }
    }

    fn select(&mut self, operand: &'p Expression, field: &Arc<str>, kind: Select) -> Evaluated<'a> {
        let operand = self.of(operand)?;
        if kind != Select::Presence {
            self.meter.charge(1)?;
        }
        let (operand, is_optional) = match operand {
            Value::Optional(None) if kind == Select::Presence => return Ok(Value::Bool(false)),
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(value)) => ((*value).clone(), true),
            other => (other, kind == Select::Optional),
        };
        let found = match &operand {
            Value::Map(_) | Value::Object(_) => compare::entry(&operand, &Value::Text(Arc::clone(field))),
            Value::List(_) => return Err(failure("unsupported index type 'string' in list")),
            _ => None,
        };
        match (found, kind) {
            (found, Select::Presence) => Ok(Value::Bool(found.is_some())),
            (None, _) if is_optional => Ok(Value::Optional(None)),
            (Some(value), _) if is_optional => value.map(Value::some),
            (Some(value), _) => value,
            (None, _) => Err(failure(format!("no such key: {field}"))),
        }
    }

    /// `&&` and `||` take a term that decides, whichever side it stands on, over one that fails.
    fn logic(&mut self, is_and: bool, terms: &'p [Expression]) -> Evaluated<'a> {
        let mut failed = None;
        for term in terms {
            match self.of(term) {
                Ok(Value::Bool(value)) if value != is_and => return Ok(Value::Bool(value)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => failed = failed.or(Some(Failure::NoOverload)),
                Err(Failure::Cost) => return Err(Failure::Cost),
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        failed.map_or(Ok(Value::Bool(is_and)), Err)
    }

    fn list(&mut self, items: &'p [Item]) -> Evaluated<'a> {
        if !items.iter().all(|item| is_constant(&item.value)) {
            self.meter.charge(10)?;
        }
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match (self.of(&item.value)?, item.is_optional) {
                (Value::Optional(None), true) => {}
                (Value::Optional(Some(value)), true) => values.push((*value).clone()),
                (_, true) => return Err(Failure::NoOverload),
                (value, false) => values.push(value),
            }
        }
        self.meter.step(values.len())?;
        Ok(Value::list(values))
    }

    fn map(&mut self, entries: &'p [Entry]) -> Evaluated<'a> {
        if !entries.iter().all(|entry| is_constant(&entry.key) && is_constant(&entry.value)) {
            self.meter.charge(30)?;
        }
        let mut map = std::collections::BTreeMap::new();
        for entry in entries {
            let key = self.of(&entry.key)?;
            let value = match (self.of(&entry.value)?, entry.is_optional) {
                (Value::Optional(None), true) => continue,
                (Value::Optional(Some(value)), true) => (*value).clone(),
                (_, true) => return Err(Failure::NoOverload),
                (value, false) => value,
            };
            let place = Key::of(&key).ok_or_else(|| failure(format!("unsupported key type: {}", key.type_name())))?;
            map.insert(place, (key, value));
        }
        self.meter.step(map.len())?;
        Ok(Value::Map(Arc::new(map)))
    }

    fn call(&mut self, function: &str, target: Option<&'p Expression>, arguments: &'p [Expression]) -> Evaluated<'a> {
        match function {
            "_?_:_" => return self.conditional(arguments),
            "or" | "orValue" if target.is_some() => return self.or(function, target, arguments),
            // What a name means is charged with the name.
            "_[_]" | "_[?_]" if matches!(arguments[1].form, Form::Literal(_)) => self.meter.charge(1)?,
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in target.into_iter().chain(arguments) {
            values.push(self.of(argument)?);
        }
        library::call(function, target.is_some(), &values, self.meter)
    }

    fn conditional(&mut self, arguments: &'p [Expression]) -> Evaluated<'a> {
        let [condition, holds, otherwise] = arguments else { return Err(Failure::NoOverload) };
        match self.of(condition)? {
            Value::Bool(true) => self.of(holds),
            Value::Bool(false) => self.of(otherwise),
            _ => Err(Failure::NoOverload),
        }
    }

    /// The other side of an optional is evaluated only when it is needed.
    fn or(&mut self, function: &str, target: Option<&'p Expression>, arguments: &'p [Expression]) -> Evaluated<'a> {
        let (Some(target), [other]) = (target, arguments) else { return Err(Failure::NoOverload) };
        match self.of(target)? {
            Value::Optional(None) => self.of(other),
            Value::Optional(Some(value)) if function == "orValue" => Ok((*value).clone()),
            value @ Value::Optional(_) => Ok(value),
            _ => Err(Failure::NoOverload),
        }
    }
}

pub(super) fn of_literal<'a>(literal: &Literal) -> Value<'a> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Uint(value) => Value::Uint(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::Text(text) => Value::Text(Arc::clone(text)),
        Literal::Bytes(bytes) => Value::Bytes(Arc::clone(bytes)),
    }
}

/// Lists and maps of literals are made when the rule is compiled, and cost nothing.
fn is_constant(expression: &Expression) -> bool {
    match &expression.form {
        Form::Literal(_) => true,
        Form::List(items) => items.iter().all(|item| is_constant(&item.value)),
        Form::Map(entries) => entries.iter().all(|entry| is_constant(&entry.key) && is_constant(&entry.value)),
        _ => false,
    }
}
