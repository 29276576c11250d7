//! The policy language: a document, parsed.
//!
//! Source: IAM User Guide, "IAM JSON policy element reference" and "Grammar of the IAM JSON policy language".

use serde_json::{Map, Value};

use super::condition::Condition;

/// A policy, parsed; see [`super::grammar`] for what makes one well-formed where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Whether the version is 2012-10-17, in which `${variables}` are variables.
    pub has_variables: bool,
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// What a statement says when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// `X` or `NotX` with its patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patterns {
    /// One of these.
    Any(Vec<String>),
    /// None of these.
    Not(Vec<String>),
}

impl Patterns {
    /// The patterns themselves.
    pub fn values(&self) -> &[String] {
        match self {
            Self::Any(values) | Self::Not(values) => values,
        }
    }

    /// Whether one of the patterns fits, or none for `NotX`.
    pub fn hold(&self, fits: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Any(values) => values.iter().any(|value| fits(value)),
            Self::Not(values) => !values.iter().any(|value| fits(value)),
        }
    }
}

/// `Principal` or `NotPrincipal`: pairs of kind (`AWS`, `Service`, `Federated`, `CanonicalUser`) and value; `*` alone is `AWS: *`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principals {
    /// Whether it is `NotPrincipal`.
    pub is_not: bool,
    /// Kind and value.
    pub values: Vec<(String, String)>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`.
    pub principals: Option<Principals>,
    /// `Action` or `NotAction`.
    pub actions: Option<Patterns>,
    /// `Resource` or `NotResource`.
    pub resources: Option<Patterns>,
    /// `Condition`, flattened: all of them must hold.
    pub conditions: Vec<Condition>,
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// No JSON.
    Json,
    /// A member is missing: its name.
    Missing(&'static str),
    /// A member that the grammar does not know: its name.
    Unknown(String),
    /// `Effect` is something else: its value.
    Effect(String),
    /// `Statement` is an empty list.
    NoStatement,
    /// A condition operator that is none: its name.
    Operator(String),
    /// Anything else that the grammar does not allow.
    Syntax,
}

impl Document {
    /// Parses a document by the grammar of all policies, trust policies included.
    ///
    /// # Errors
    /// [`Malformed`] with the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let Value::Object(members) = serde_json::from_str(text).map_err(|_| Malformed::Json)? else {
            return Err(Malformed::Syntax);
        };
        known(&members, &["Version", "Id", "Statement"])?;
        let has_variables = match members.get("Version") {
            None => false,
            Some(Value::String(version)) if version == "2012-10-17" => true,
            Some(Value::String(version)) if version == "2008-10-17" => false,
            Some(_) => return Err(Malformed::Syntax),
        };
        if members.get("Id").is_some_and(|id| !id.is_string()) {
            return Err(Malformed::Syntax);
        }
        let statements = match members.get("Statement") {
            None => return Err(Malformed::Missing("Statement")),
            Some(Value::Array(statements)) if statements.is_empty() => return Err(Malformed::NoStatement),
            Some(Value::Array(statements)) => statements.iter().map(Statement::parse).collect::<Result<_, _>>()?,
            Some(statement) => vec![Statement::parse(statement)?],
        };
        Ok(Self { has_variables, statements })
    }
}

impl Statement {
    fn parse(value: &Value) -> Result<Self, Malformed> {
        let members = value.as_object().ok_or(Malformed::Syntax)?;
        let names = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"];
        known(members, &[&names[..], &["Condition"]].concat())?;
        let sid = match members.get("Sid") {
            None => None,
            Some(Value::String(sid)) => Some(sid.clone()),
            Some(_) => return Err(Malformed::Syntax),
        };
        let effect = match members.get("Effect") {
            None => return Err(Malformed::Missing("Effect")),
            Some(Value::String(effect)) if effect == "Allow" => Effect::Allow,
            Some(Value::String(effect)) if effect == "Deny" => Effect::Deny,
            Some(Value::String(effect)) => return Err(Malformed::Effect(effect.clone())),
            Some(_) => return Err(Malformed::Syntax),
        };
        Ok(Self {
            sid,
            effect,
            principals: principals(members)?,
            actions: patterns(members, "Action", "NotAction")?,
            resources: patterns(members, "Resource", "NotResource")?,
            conditions: conditions(members.get("Condition"))?,
        })
    }
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), Malformed> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(Malformed::Unknown(name.clone())),
        None => Ok(()),
    }
}

/// A member, or its negation; both together are wrong.
fn either<'a>(members: &'a Map<String, Value>, yes: &str, no: &str) -> Result<Option<(bool, &'a Value)>, Malformed> {
    match (members.get(yes), members.get(no)) {
        (Some(_), Some(_)) => Err(Malformed::Syntax),
        (Some(value), None) => Ok(Some((false, value))),
        (None, Some(value)) => Ok(Some((true, value))),
        (None, None) => Ok(None),
    }
}

fn patterns(members: &Map<String, Value>, yes: &str, no: &str) -> Result<Option<Patterns>, Malformed> {
    let Some((is_not, value)) = either(members, yes, no)? else { return Ok(None) };
    let values = texts(value)?;
    Ok(Some(if is_not { Patterns::Not(values) } else { Patterns::Any(values) }))
}

/// One text or a list of texts.
fn texts(value: &Value) -> Result<Vec<String>, Malformed> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(Malformed::Syntax);
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn principals(members: &Map<String, Value>) -> Result<Option<Principals>, Malformed> {
    let Some((is_not, value)) = either(members, "Principal", "NotPrincipal")? else { return Ok(None) };
    let mut values = Vec::new();
    match value {
        Value::String(star) if star == "*" => values.push(("AWS".to_owned(), "*".to_owned())),
        Value::Object(kinds) => {
            known(kinds, &["AWS", "Service", "Federated", "CanonicalUser"])?;
            for (kind, value) in kinds {
                values.extend(texts(value)?.into_iter().map(|value| (kind.clone(), value)));
            }
        }
        _ => return Err(Malformed::Syntax),
    }
    Ok(Some(Principals { is_not, values }))
}

fn conditions(value: Option<&Value>) -> Result<Vec<Condition>, Malformed> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let mut conditions = Vec::new();
    for (operator, keys) in value.as_object().ok_or(Malformed::Syntax)? {
        for (key, values) in keys.as_object().ok_or(Malformed::Syntax)? {
            // Truth values and numbers may stand without quotes.
            let scalar = |value: &Value| match value {
                Value::String(text) => Ok(text.clone()),
                Value::Number(number) => Ok(number.to_string()),
                Value::Bool(truth) => Ok(truth.to_string()),
                _ => Err(Malformed::Syntax),
            };
            let values = match values {
                Value::Array(values) => values.iter().map(scalar).collect::<Result<_, _>>()?,
                one => vec![scalar(one)?],
            };
            let condition = Condition::new(operator, key, values);
            conditions.push(condition.ok_or_else(|| Malformed::Operator(operator.clone()))?);
        }
    }
    Ok(conditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_policy() {
        for (text, expected) in [
            ("", Malformed::Json),
            ("[]", Malformed::Syntax),
            ("{}", Malformed::Missing("Statement")),
            (r#"{"Statement":[]}"#, Malformed::NoStatement),
            (r#"{"Version":"2013-01-01","Statement":[]}"#, Malformed::Syntax),
            (r#"{"Statement":{},"More":1}"#, Malformed::Unknown("More".to_owned())),
            (r#"{"Statement":{}}"#, Malformed::Missing("Effect")),
            (r#"{"Statement":{"Effect":"allow"}}"#, Malformed::Effect("allow".to_owned())),
            (r#"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*"}}"#, Malformed::Syntax),
            (r#"{"Statement":{"Effect":"Allow","Action":1}}"#, Malformed::Syntax),
            (r#"{"Statement":{"Effect":"Allow","Principal":"a"}}"#, Malformed::Syntax),
            (r#"{"Statement":{"Effect":"Allow","Principal":{"Aws":"a"}}}"#, Malformed::Unknown("Aws".to_owned())),
            (r#"{"Statement":{"Effect":"Allow","Condition":{"Is":{"a":"b"}}}}"#, Malformed::Operator("Is".to_owned())),
        ] {
            assert_eq!(Document::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn one_and_several_read_alike() {
        let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*",
            "Condition":{"Bool":{"aws:SecureTransport":true}}}}"#;
        let several = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:b"],"Resource":["*"],
            "Condition":{"Bool":{"aws:SecureTransport":["true"]}}}]}"#;
        assert_eq!(Document::parse(one).unwrap(), Document::parse(several).unwrap());
    }
}
