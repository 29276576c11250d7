//! What the IAM types have in common.

use std::time::Duration;

use aws_sdk_iam::types::Tag;
use futures::{StreamExt, stream};
use sgp_contract::{Context, ReadOutcome, ReadRequest};
use sgp_model::{AttrPath, Diagnostic, Diagnostics, Value};

use crate::{
    errors::{ApiError, Failure},
    tags::Tags,
    values, wait,
};

/// So many single calls of a bulk operation are under way at once.
pub const CALLS_AT_ONCE: usize = 8;

/// Calls `f` for each item, a few at a time; answers in the order of the items.
pub async fn each<I, O, F: Future<Output = O>>(items: Vec<I>, f: impl Fn(I) -> F) -> Vec<O> {
    stream::iter(items).map(f).buffered(CALLS_AT_ONCE).collect().await
}

/// IAM's list of tags as a map.
pub fn from_tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|t| (t.key().to_owned(), t.value().to_owned())).collect()
}

/// A map of tags as IAM's list; `None` without any.
pub fn to_tags(tags: &Tags) -> Option<Vec<Tag>> {
    let list =
        tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build().expect("key and value are set")).collect();
    (!tags.is_empty()).then_some(list)
}

/// Repeats a call that names a principal which IAM may not see yet: a role that was created moments ago is refused in a
/// policy as "Invalid principal".
///
/// # Errors
/// The call's.
pub async fn with_new_principals<T, F: Future<Output = Result<T, ApiError>>>(
    cx: &Context,
    call: impl FnMut() -> F,
) -> Result<T, ApiError> {
    let passes = |e: &ApiError| {
        e.is(&["ConcurrentModification", "ConcurrentModificationException"])
            || (e.is(&["MalformedPolicyDocument", "MalformedPolicyDocumentException"])
                && e.message.contains("Invalid principal"))
    };
    wait::settle(cx, wait::CONSISTENCY, passes, call).await
}

/// Repeats a call on an object that IAM may not see yet, or that someone else is changing right now.
///
/// # Errors
/// The call's.
pub async fn with_new_objects<T, F: Future<Output = Result<T, ApiError>>>(
    cx: &Context,
    call: impl FnMut() -> F,
) -> Result<T, ApiError> {
    let passes = |e: &ApiError| is_gone(e) || e.is(&["ConcurrentModification", "ConcurrentModificationException"]);
    wait::settle(cx, Duration::from_secs(30), passes, call).await
}

/// Whether the object is not there.
pub fn is_gone(error: &ApiError) -> bool {
    error.is(&["NoSuchEntity", "NoSuchEntityException"])
}

/// Whether an object of that name is there already.
pub fn is_taken(error: &ApiError) -> bool {
    error.is(&["EntityAlreadyExists", "EntityAlreadyExistsException"])
}

/// Whether something must go before.
pub fn is_in_use(error: &ApiError) -> bool {
    error.is(&["DeleteConflict", "DeleteConflictException"])
}

/// Success also when the object is gone.
///
/// # Errors
/// Every other error.
pub fn unless_gone<T>(result: Result<T, ApiError>) -> Result<(), ApiError> {
    match result {
        Err(error) if !is_gone(&error) => Err(error),
        _ => Ok(()),
    }
}

/// A text as AWS answers it. AWS does not tell an empty one from none: what was recorded says which it is.
pub fn text_like(actual: Option<&str>, prior: Option<&Value>) -> Value {
    match (actual.filter(|t| !t.is_empty()), prior.and_then(Value::as_str)) {
        (None, Some("")) => Value::from(""),
        (actual, _) => values::opt_str(actual),
    }
}

/// What reading one object answers.
pub fn outcome(request: &ReadRequest, result: Result<Option<Value>, ApiError>) -> ReadOutcome {
    match result {
        Ok(Some(object)) => ReadOutcome::Present(object),
        Ok(None) => ReadOutcome::Gone,
        Err(error) => ReadOutcome::Failed(Diagnostic::from(error).on(&request.addr)),
    }
}

/// Keeps what is known of a new object before anything else happens to it.
///
/// # Errors
/// When the store could not write; the object is left behind.
pub async fn checkpoint(cx: &Context, object: &Value) -> Result<(), Failure> {
    cx.checkpoint(object).await.map_err(|error| Failure {
        object: Some(object.clone()),
        diagnostics: Diagnostic::error("The state could not be written", error.to_string()).into(),
        in_doubt: false,
    })
}

/// Checks arguments and collects what is wrong with them; unknown and absent ones pass.
pub struct Checks<'a> {
    config: &'a Value,
    problems: Diagnostics,
}

impl<'a> Checks<'a> {
    /// Starts with nothing wrong.
    pub fn of(config: &'a Value) -> Self {
        Self { config, problems: Diagnostics::new() }
    }

    /// Adds a mistake in an argument.
    pub fn wrong(&mut self, attribute: &'static str, detail: impl Into<String>) {
        self.problems.push(Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr(attribute)));
    }

    /// Two arguments of which one may be set.
    #[must_use]
    pub fn conflict(mut self, one: &'static str, other: &'static str) -> Self {
        if values::is_set(self.config, one) && values::is_set(self.config, other) {
            self.wrong(other, format!("`{one}` and `{other}` exclude each other. Set one of them."));
        }
        self
    }

    /// A string must satisfy `rule`, which `words` describes: "it must ...".
    #[must_use]
    pub fn text(mut self, attribute: &'static str, rule: impl Fn(&str) -> bool, words: &str) -> Self {
        if let Some(text) = values::str_opt(self.config, attribute).filter(|t| !rule(t)) {
            self.wrong(attribute, format!("`{attribute}` is {text:?}; it must {words}."));
        }
        self
    }

    /// A number must lie between two others.
    #[must_use]
    pub fn range(mut self, attribute: &'static str, low: i64, high: i64) -> Self {
        if let Some(n) = values::i64_opt(self.config, attribute).filter(|n| !(low..=high).contains(n)) {
            self.wrong(attribute, format!("`{attribute}` is {n}; it must lie between {low} and {high}."));
        }
        self
    }

    /// A string must be a JSON object.
    #[must_use]
    pub fn json(mut self, attribute: &'static str) -> Self {
        if let Some(text) = values::str_opt(self.config, attribute) {
            match serde_json::from_str::<serde_json::Value>(text) {
                Ok(json) if json.is_object() => {}
                Ok(_) => self.wrong(attribute, format!("`{attribute}` is JSON, but no object.")),
                Err(error) => self.wrong(attribute, format!("`{attribute}` is not JSON: {error}.")),
            }
        }
        self
    }

    /// What is wrong.
    pub fn done(self) -> Diagnostics {
        self.problems
    }
}

/// Whether a text can be the name of an IAM object: letters, digits and `+=,.@_-`, up to `longest` of them.
pub fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
}

/// Whether a text can be the path of an IAM object.
pub fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.ends_with('/') && text.len() <= 512 && text.chars().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_and_paths() {
        for (name, good) in [("a", true), ("a_b.c@d-e+f=g,h", true), ("", false), ("a b", false), ("ä", false)] {
            assert_eq!(is_name(name, 64), good, "{name:?}");
        }
        assert!(is_name(&"x".repeat(64), 64) && !is_name(&"x".repeat(65), 64));
        for (path, good) in [("/", true), ("/a/b/", true), ("a/", false), ("/a", false), ("", false), ("/a b/", false)]
        {
            assert_eq!(is_path(path), good, "{path:?}");
        }
    }

    #[test]
    fn every_mistake_is_collected() {
        let config = Value::object([
            ("name", "a b".into()),
            ("name_prefix", "p".into()),
            ("n", Value::int(9)),
            ("doc", "[]".into()),
            ("open", Value::unknown(sgp_model::Type::String)),
        ]);
        let problems = Checks::of(&config)
            .conflict("name", "name_prefix")
            .text("name", |t| is_name(t, 64), "be a name")
            .text("open", |_| false, "never be looked at")
            .range("n", 1, 3)
            .json("doc")
            .json("absent")
            .done();
        let details: Vec<_> = problems.iter().map(|d| d.detail.as_str()).collect();
        assert_eq!(
            details,
            [
                "`name` and `name_prefix` exclude each other. Set one of them.",
                "`name` is \"a b\"; it must be a name.",
                "`n` is 9; it must lie between 1 and 3.",
                "`doc` is JSON, but no object.",
            ]
        );
    }

    #[test]
    fn an_empty_text_stays_what_it_was() {
        let (none, empty, full) = (Value::null(sgp_model::Type::String), Value::from(""), Value::from("x"));
        for (actual, prior, expected) in [
            (None, Some(&none), &none),
            (Some(""), Some(&empty), &empty),
            (None, Some(&full), &none),
            (Some("x"), Some(&empty), &full),
            (Some(""), None, &none),
        ] {
            assert_eq!(&text_like(actual, prior), expected);
        }
    }

    #[test]
    fn tags_go_there_and_back() {
        let tags: Tags = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())].into();
        assert_eq!(from_tags(&to_tags(&tags).unwrap()), tags);
        assert_eq!(to_tags(&Tags::new()), None);
    }
}
