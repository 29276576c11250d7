//! Whether an expression makes sense: its names, fields, and the types that its functions get (cel-go's `checker`).

use std::collections::HashMap;
use std::sync::Arc;

use super::library::{durations, format_text, times};
use super::meter;
use super::signatures::{self, Signature};
use super::syntax::{Comprehension, Expression, Form, Issue, Literal, Select, Walk};
use super::types::{OPTIONAL, Type};
use super::unify::renamed;

/// What a check finds out.
#[derive(Debug)]
pub struct Checked<'s> {
    pub result: Type<'s>,
    pub uses_old_self: bool,
}

/// Checks an expression over these variables. Calls of functions with a namespace (`sets.contains`) become calls without a target.
pub fn check<'s>(expression: &mut Expression, variables: Vec<(Arc<str>, Type<'s>)>) -> Result<Checked<'s>, Vec<Issue>> {
    let mut checker = Checker {
        scope: variables,
        known: Vec::new(),
        trail: Vec::new(),
        issues: Vec::new(),
        literals: Vec::new(),
        uses_old_self: false,
        is_formatted: false,
        formatted_types: HashMap::new(),
    };
    let result = checker.of(expression);
    let result = checker.settled(&result);
    if checker.issues.is_empty() {
        checker.issues = checker.literals;
    }
    if checker.issues.is_empty() {
        return Ok(Checked { result, uses_old_self: checker.uses_old_self });
    }
    checker.issues.sort_by_key(|issue| issue.at);
    Err(checker.issues)
}

pub(super) struct Checker<'s> {
    scope: Vec<(Arc<str>, Type<'s>)>,
    /// What is known of the type variables.
    pub(super) known: Vec<Option<Type<'s>>>,
    /// The variables in the order in which they became known.
    pub(super) trail: Vec<usize>,
    issues: Vec<Issue>,
    /// Issues of literals, told of when there are no others.
    literals: Vec<Issue>,
    uses_old_self: bool,
    /// Within the arguments of `format`, which takes all kinds of values.
    is_formatted: bool,
    /// The types of what is formatted, by place.
    formatted_types: HashMap<usize, Type<'s>>,
}

/// The names of types, as rules compare with them (`type(self.x) == int`).
fn type_named(name: &str) -> Option<Type<'static>> {
    let list = || Type::list(Type::Dyn);
    let map = || Type::Map(Arc::new(Type::Dyn), Arc::new(Type::Dyn));
    Some(match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::Text,
        "bytes" => Type::Bytes,
        "list" => list(),
        "map" => map(),
        "null_type" => Type::Null,
        "type" => Type::Meta(Arc::new(Type::Dyn)),
        "google.protobuf.Timestamp" => Type::Timestamp,
        "google.protobuf.Duration" => Type::Duration,
        "kubernetes.URL" => Type::Named("kubernetes.URL", None),
        "kubernetes.Quantity" => Type::Named("kubernetes.Quantity", None),
        "kubernetes.Semver" => Type::Named("kubernetes.Semver", None),
        "kubernetes.NamedFormat" => Type::Named("kubernetes.NamedFormat", None),
        "net.IP" => Type::Named("net.IP", None),
        "net.CIDR" => Type::Named("net.CIDR", None),
        "optional_type" => Type::optional(Type::Dyn),
        _ => return None,
    })
}

impl<'s> Checker<'s> {
    fn issue(&mut self, at: usize, message: String) -> Type<'s> {
        self.issues.push(Issue { at, message });
        Type::Error
    }

    fn of(&mut self, expression: &mut Expression) -> Type<'s> {
        super::deeper(|| self.of_form(expression))
    }

    fn of_form(&mut self, expression: &mut Expression) -> Type<'s> {
        let at = expression.at;
        if let Some(name) = qualified(expression) {
            expression.form = Form::Name(name.into());
        }
        match &mut expression.form {
            Form::Literal(literal) => of_literal(literal),
            Form::Name(name) => {
                let name = Arc::clone(name);
                self.name(at, &name)
            }
            Form::Select { operand, field, kind } => {
                let operand = self.of(operand);
                self.select(at, &operand, field, *kind)
            }
            Form::Call { .. } => self.call(expression),
            Form::Logic { terms, .. } => {
                for term in terms {
                    let of = self.of(term);
                    self.is_bool(term.at, &of);
                }
                Type::Bool
            }
            Form::List(items) => {
                let mut of = Vec::new();
                for item in items {
                    let value = self.of(&mut item.value);
                    let value = self.present(item.value.at, value, item.is_optional);
                    if self.is_formatted {
                        self.formatted_types.insert(item.value.at, self.settled(&value));
                    }
                    of.push((item.value.at, value));
                }
                Type::list(self.joined(&of))
            }
            Form::Map(entries) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for entry in entries {
                    let key = self.of(&mut entry.key);
                    keys.push((entry.key.at, self.as_key(&key)));
                    let value = self.of(&mut entry.value);
                    values.push((entry.value.at, self.present(entry.value.at, value, entry.is_optional)));
                }
                Type::Map(Arc::new(self.joined(&keys)), Arc::new(self.joined(&values)))
            }
            Form::Comprehension(walk) => self.walk(walk),
        }
    }

    fn name(&mut self, at: usize, name: &str) -> Type<'s> {
        if let Some((_, of)) = self.scope.iter().rev().find(|(known, _)| **known == *name) {
            let of = of.clone();
            self.uses_old_self |= name == "oldSelf";
            return of;
        }
        match type_named(name) {
            Some(of) => Type::Meta(Arc::new(of)),
            None => self.issue(at, format!("undeclared reference to '{name}' (in container '')")),
        }
    }

    fn select(&mut self, at: usize, operand: &Type<'s>, field: &str, kind: Select) -> Type<'s> {
        let operand = self.settled(operand);
        let (operand, is_optional) = match &operand {
            Type::Named(OPTIONAL, Some(of)) => ((**of).clone(), true),
            _ => (operand, kind == Select::Optional),
        };
        let of = match &operand {
            Type::Dyn | Type::Variable(_) => Type::Dyn,
            Type::Error => Type::Error,
            Type::Map(_, value) => (**value).clone(),
            Type::Object(object) => match object.field(field) {
                Some(of) => of,
                None => self.issue(at, format!("undefined field '{field}'")),
            },
            other => {
                let message = format!("type '{other}' does not support field selection");
                self.issue(at, message)
            }
        };
        match kind {
            Select::Presence => Type::Bool,
            _ if is_optional => Type::optional(of),
            _ => of,
        }
    }

    fn call(&mut self, expression: &mut Expression) -> Type<'s> {
        let at = expression.at;
        let Form::Call { function, target, arguments } = &mut expression.form else { return Type::Error };
        // A name in front of a function may be that of its namespace.
        if let Some(name) = target.as_deref().and_then(dotted)
            && !self.scope.iter().any(|(known, _)| **known == *name)
            && signatures::of(&format!("{name}.{function}")).is_some_and(|found| !found[0].is_member)
        {
            *function = format!("{name}.{function}").into();
            *target = None;
        }
        let Some(found) = signatures::of(function) else {
            let message = format!("undeclared reference to '{function}' (in container '')");
            for argument in target.iter_mut().map(|it| &mut **it).chain(arguments) {
                self.of(argument);
            }
            return self.issue(at, message);
        };
        let is_member = target.is_some();
        let mut given = Vec::new();
        let was_formatted = self.is_formatted;
        self.is_formatted |= &**function == "format";
        for argument in target.iter_mut().map(|it| &mut **it).chain(arguments.iter_mut()) {
            given.push(self.of(argument));
        }
        self.is_formatted = was_formatted;
        if &**function == "format" {
            self.check_format(at, target.as_deref(), arguments);
        }
        if given.contains(&Type::Error) {
            return Type::Error;
        }
        if let Some(last) = arguments.last()
            && let Form::Literal(Literal::Text(text)) = &last.form
            && !is_sound(function, text)
        {
            self.literals.push(Issue { at: last.at, message: format!("invalid {function} argument") });
        }
        let function = Arc::clone(function);
        self.resolved(at, &function, found, is_member, &given)
    }

    /// The values that a literal template is filled in with.
    fn check_format(&mut self, at: usize, target: Option<&Expression>, arguments: &[Expression]) {
        let (Some(Form::Literal(Literal::Text(template))), [Expression { form: Form::List(items), .. }]) =
            (target.map(|it| &it.form), arguments)
        else {
            return;
        };
        let mut names = Vec::new();
        for item in items {
            names.push(self.formatted_types.get(&item.value.at).cloned());
        }
        let places: Vec<usize> = items.iter().map(|item| item.value.at).collect();
        if let Err((index, message)) = format_text::check(template, &names) {
            let at = index.and_then(|index| places.get(index).copied()).unwrap_or(at);
            self.literals.push(Issue { at, message });
        }
    }

    fn resolved(
        &mut self,
        at: usize,
        function: &str,
        found: &[Signature],
        is_member: bool,
        given: &[Type<'s>],
    ) -> Type<'s> {
        let mut result: Option<Type<'s>> = None;
        for signature in found {
            if signature.is_member != is_member || signature.parameters.len() != given.len() {
                continue;
            }
            let variables = [self.fresh(), self.fresh()];
            let before = self.trail.len();
            let fits = signature
                .parameters
                .iter()
                .zip(given)
                .all(|(parameter, given)| self.assignable(given, &renamed(parameter, &variables)));
            if !fits {
                self.forget(before);
                self.known.truncate(self.known.len() - variables.len());
                continue;
            }
            let of = self.settled(&renamed(&signature.result, &variables));
            match &result {
                None => result = Some(of),
                Some(other) if *other == of => {}
                Some(_) => result = Some(Type::Dyn),
            }
        }
        result.unwrap_or_else(|| {
            let given: Vec<String> = given.iter().map(|it| self.shown(it)).collect();
            let (target, arguments) = given.split_at(usize::from(is_member));
            let point = if is_member { "." } else { "" };
            let applied = format!("{}{point}({})", target.concat(), arguments.join(", "));
            self.issue(at, format!("found no matching overload for '{function}' applied to '{applied}'"))
        })
    }

    fn walk(&mut self, walk: &mut Comprehension) -> Type<'s> {
        let range = self.of(&mut walk.range);
        let range = self.settled(&range);
        if matches!(walk.kind, Walk::OptionalMap | Walk::OptionalFlatMap) {
            return self.optional_walk(walk, &range);
        }
        let (first, second) = match &range {
            Type::List(items) => (Type::Int, (**items).clone()),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            Type::Dyn | Type::Error | Type::Variable(_) => (Type::Dyn, Type::Dyn),
            other => {
                let message = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.issue(walk.range.at, message);
                (Type::Error, Type::Error)
            }
        };
        let outside = self.scope.len();
        match walk.variables.as_slice() {
            [index, value] => {
                self.scope.push((Arc::clone(index), first));
                self.scope.push((Arc::clone(value), second));
            }
            [item] => {
                let of = if matches!(range, Type::List(_)) { second } else { first };
                self.scope.push((Arc::clone(item), of));
            }
            _ => {}
        }
        if let Some(filter) = &mut walk.filter {
            let of = self.of(filter);
            self.is_bool(filter.at, &of);
        }
        let result = self.of(&mut walk.result);
        let of = match walk.kind {
            Walk::All | Walk::Exists | Walk::ExistsOne => {
                self.is_bool(walk.result.at, &result);
                Type::Bool
            }
            Walk::TransformMap => Type::Map(Arc::new(self.as_key(&self.scope[outside].1.clone())), Arc::new(result)),
            Walk::TransformEntry => result,
            Walk::SortBy => range,
            _ => Type::list(result),
        };
        self.scope.truncate(outside);
        of
    }

    fn optional_walk(&mut self, walk: &mut Comprehension, range: &Type<'s>) -> Type<'s> {
        let of = match range {
            Type::Named(OPTIONAL, Some(of)) => (**of).clone(),
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                let message = format!("found no matching overload for 'hasValue' applied to '{other}.()'");
                self.issue(walk.range.at, message);
                Type::Error
            }
        };
        self.scope.push((Arc::clone(&walk.variables[0]), of));
        let result = self.of(&mut walk.result);
        self.scope.pop();
        if walk.kind == Walk::OptionalMap { Type::optional(result) } else { result }
    }

    fn is_bool(&mut self, at: usize, of: &Type<'s>) {
        if !self.assignable(of, &Type::Bool) {
            let message = format!("expected type 'bool' but found '{}'", self.shown(of));
            self.issue(at, message);
        }
    }

    /// Only scalars are keys. What else stands there fails when the rule runs; its type would only make that of the map grow.
    fn as_key(&self, of: &Type<'s>) -> Type<'s> {
        match self.settled(of) {
            Type::List(_) | Type::Map(..) | Type::Named(..) | Type::Meta(_) => Type::Dyn,
            other => other,
        }
    }

    /// What an item has that is left out when it is none.
    fn present(&mut self, at: usize, of: Type<'s>, is_optional: bool) -> Type<'s> {
        if !is_optional {
            return of;
        }
        match self.settled(&of) {
            Type::Named(OPTIONAL, Some(of)) => (*of).clone(),
            Type::Dyn => Type::Dyn,
            other => {
                let message = format!("expected type 'optional_type({other})' but found '{other}'");
                self.issue(at, message)
            }
        }
    }

    /// The type of what a literal holds: anything where the values have no type in common, of which is told when nothing else is
    /// wrong.
    fn joined(&mut self, values: &[(usize, Type<'s>)]) -> Type<'s> {
        let Some(((_, first), rest)) = values.split_first() else { return self.fresh() };
        let mut joined = first.clone();
        for (_, of) in rest {
            if !self.assignable(of, &joined) {
                joined = Type::Dyn;
            }
        }
        let first = self.settled(first);
        let other = rest.iter().map(|(at, of)| (*at, self.settled(of)));
        let other = other
            .filter(|(_, of)| *of != first && ![of, &first].iter().any(|it| matches!(it, Type::Dyn | Type::Error)));
        if !self.is_formatted
            && let Some((at, of)) = other.into_iter().next()
        {
            self.literals.push(Issue { at, message: format!("expected type '{first}' but found '{of}'") });
        }
        joined
    }
}

fn of_literal(literal: &Literal) -> Type<'static> {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::Text(_) => Type::Text,
        Literal::Bytes(_) => Type::Bytes,
    }
}

/// The dotted name of a type that an expression spells.
fn qualified(expression: &Expression) -> Option<String> {
    let Form::Select { kind: Select::Value, .. } = &expression.form else { return None };
    let name = dotted(expression)?;
    type_named(&name).is_some().then_some(name)
}

/// Whether a literal that is given to a function is one that it can take.
fn is_sound(function: &str, text: &str) -> bool {
    match function {
        "matches" => meter::compile(text).is_ok(),
        "duration" => durations::parse(text).is_some(),
        "timestamp" => times::strict(text).is_some(),
        _ => true,
    }
}

/// `a.b.c`, if the expression is that.
fn dotted(expression: &Expression) -> Option<String> {
    match &expression.form {
        Form::Name(name) => Some(name.to_string()),
        Form::Select { operand, field, kind: Select::Value } => Some(format!("{}.{field}", dotted(operand)?)),
        _ => None,
    }
}
