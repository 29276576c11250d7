//! The rules of custom resources in CEL (`x-kubernetes-validations`): what they are once they are compiled, and what is wrong with
//! those that cannot be (`apiextensions-apiserver/pkg/apiserver/schema/cel`, `pkg/apis/apiextensions/validation`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Additional, Rule, Schema};
use crate::kubernetes::cel::Program;
use crate::kubernetes::cel::types::Type;

/// A rule, compiled.
#[derive(Debug)]
pub struct Compiled {
    /// The rule itself, or why there is none.
    pub rule: Result<Program, String>,
    /// What says what is wrong.
    pub message: Option<Result<Program, String>>,
    /// Below the value (`.a['b']`).
    pub field: String,
}

impl Rule {
    /// The rule over the values of a schema. `is_root` is said of the object itself.
    pub fn compiled(&self, schema: &Schema, is_root: bool) -> &Compiled {
        self.compiled.get_or_init(|| Arc::new(self.compile(schema, is_root)))
    }

    fn compile(&self, schema: &Schema, is_root: bool) -> Compiled {
        let field = self.field_path.as_deref().and_then(|path| normalized(path, schema).ok()).unwrap_or_default();
        let Some(of) = Type::of(schema, is_root) else {
            let why = "failed to convert to declType for CEL validation rules".to_owned();
            return Compiled { rule: Err(why), message: None, field };
        };
        let is_optional = self.optional_old_self == Some(true);
        let rule = match Program::compile(&self.rule, &of, is_optional) {
            Ok((program, Type::Bool)) => Ok(program),
            Ok(_) => Err("cel expression must evaluate to a bool".to_owned()),
            Err(why) => Err(why),
        };
        let message = self.message_expression.as_deref().filter(|it| !it.is_empty() && rule.is_ok()).map(|source| {
            match Program::compile(source, &of, is_optional) {
                Ok((program, Type::Text)) => Ok(program),
                Ok(_) => Err("messageExpression must evaluate to a string".to_owned()),
                Err(why) => Err(format!("messageExpression {why}")),
            }
        });
        Compiled { rule, message, field }
    }

    /// As Go shows it in a message, with what HTML would take for its own escaped.
    fn shown(&self) -> String {
        let text = |text: Option<&str>| Value::from(text.unwrap_or("")).to_string();
        let reason = self.reason.as_deref().map_or_else(|| "null".to_owned(), |reason| text(Some(reason)));
        let is_optional = self.optional_old_self.map_or_else(|| "null".to_owned(), |it| it.to_string());
        let shown = format!(
            r#"{{"Rule":{},"Message":{},"MessageExpression":{},"Reason":{reason},"FieldPath":{},"OptionalOldSelf":{is_optional}}}"#,
            text(Some(&self.rule)),
            text(self.message.as_deref()),
            text(self.message_expression.as_deref()),
            text(self.field_path.as_deref()),
        );
        shown.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}

/// Something wrong with a rule: the path of its member below the schema, what stands there, and what is wrong with it.
pub type Wrong = (String, Shown, String);

/// A value in a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// As JSON.
    Value(Value),
    /// The whole rule, as Go shows it.
    Rule(String),
}

/// What is wrong with the rules of a structural schema.
pub fn check(schema: &Schema) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    at(schema, true, "", None, &mut wrong);
    wrong
}

/// Below a list whose items cannot be told apart there are no old values; `uncorrelatable` is its path.
fn at(schema: &Schema, is_root: bool, path: &str, uncorrelatable: Option<&str>, wrong: &mut Vec<Wrong>) {
    for (name, member) in &schema.properties {
        if !(is_root && matches!(&**name, "metadata" | "apiVersion" | "kind")) {
            at(member, member.is_embedded, &format!("{path}.properties[{name}]"), uncorrelatable, wrong);
        }
    }
    if let Additional::Of(values) = &schema.additional {
        at(values, values.is_embedded, &format!("{path}.additionalProperties"), uncorrelatable, wrong);
    }
    if let Some(items) = &schema.items {
        let is_keyed = matches!(schema.list(), super::List::Map(_));
        let below = if is_keyed { uncorrelatable } else { uncorrelatable.or(Some(path)) };
        at(items, items.is_embedded, &format!("{path}.items"), below, wrong);
    }
    for (index, rule) in schema.limits.iter().flat_map(|limits| &limits.rules).enumerate() {
        one(rule, schema, is_root, &format!("{path}.x-kubernetes-validations[{index}]"), uncorrelatable, wrong);
    }
}

fn one(rule: &Rule, schema: &Schema, is_root: bool, path: &str, uncorrelatable: Option<&str>, wrong: &mut Vec<Wrong>) {
    let compiled = rule.compiled(schema, is_root);
    let shown = || Shown::Rule(rule.shown());
    if let Err(why) = &compiled.rule {
        wrong.push((format!("{path}.rule"), shown(), why.clone()));
    }
    let uses_old_self = compiled.rule.as_ref().is_ok_and(|program| program.uses_old_self);
    match (uses_old_self, uncorrelatable, rule.optional_old_self) {
        (true, Some(list), _) => {
            let why = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {LIST}{list}");
            wrong.push((format!("{path}.rule"), Shown::Value(json!(rule.rule)), why));
        }
        (false, _, Some(is_optional)) => {
            let why = "may not be set if oldSelf is not used in rule".to_owned();
            wrong.push((format!("{path}.optionalOldSelf"), Shown::Value(json!(is_optional)), why));
        }
        _ => {}
    }
    if let Some(Err(why)) = &compiled.message {
        wrong.push((format!("{path}.messageExpression"), shown(), why.clone()));
    }
}

/// Stands for the path of the schema in messages that name a place in it.
pub const LIST: &str = "\u{1}";

/// A path below a value (`.a.b`, `['c']`), as messages have it.
///
/// # Errors
/// What is wrong with it.
pub fn normalized(path: &str, schema: &Schema) -> Result<String, String> {
    let (mut rest, mut schema, mut normalized) = (path, schema, String::new());
    while !rest.is_empty() {
        let (name, after) = step(rest)?;
        rest = after;
        if let Some(member) = schema.properties.get(name.as_str()) {
            if !normalized.is_empty() {
                normalized.push('.');
            }
            normalized.push_str(&name);
            schema = member;
        } else if let Some(values) = schema.values().filter(|_| schema.properties.is_empty()) {
            normalized.push_str(&format!("[{name}]"));
            schema = values;
        } else {
            return Err("does not refer to a valid field".to_owned());
        }
    }
    Ok(normalized)
}

/// The first step of a path, and what follows it.
fn step(path: &str) -> Result<(String, &str), String> {
    if let Some(rest) = path.strip_prefix('.') {
        let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
        if end == 0 {
            return Err("unexpected end of JSON path".to_owned());
        }
        return Ok((rest[..end].to_owned(), &rest[end..]));
    }
    let Some(rest) = path.strip_prefix("['") else {
        return Err(format!("expected [ or . but got: {path}"));
    };
    let mut name = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' => {
                let rest = rest[at + 1..].strip_prefix(']').ok_or("expected ] but got the end")?;
                return Ok((name, rest));
            }
            '\\' => name.extend(letters.next().map(|(_, letter)| letter)),
            other => name.push(other),
        }
    }
    Err("unexpected end of JSON path".to_owned())
}
