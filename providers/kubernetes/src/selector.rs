//! Label selectors: their blocks, their mistakes, and what they match.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use sgp_model::{AttrPath, Attribute, Block, Diagnostic, Diagnostics, PathStep, Type, Value};

use crate::{attrs, json::string};

/// The content of a selector block: `match_labels` and `match_expressions`.
pub(crate) fn content() -> Block {
    let expression = expression_block();
    Block::default().attr("match_labels", Attribute::string_map().doc("Labels that must have these values.")).block(
        "match_expressions",
        sgp_model::NestedBlock::list(expression).doc("Conditions on labels; all must hold."),
    )
}

fn expression_block() -> Block {
    Block::default()
        .attr("key", Attribute::string().doc("The label."))
        .attr("operator", Attribute::string().doc("`In`, `NotIn`, `Exists` or `DoesNotExist`."))
        .attr("values", Attribute::string_set().doc("For `In` and `NotIn`."))
}

/// A selector block as the API takes it.
pub(crate) fn to_json(selector: &Value) -> Json {
    let mut json = Map::new();
    let labels = attrs::string_map(selector, "match_labels");
    if !labels.is_empty() {
        json.insert("matchLabels".into(), json!(labels));
    }
    let expressions: Vec<Json> =
        attrs::blocks(selector, "match_expressions").into_iter().map(expression_json).collect();
    if !expressions.is_empty() {
        json.insert("matchExpressions".into(), expressions.into());
    }
    Json::Object(json)
}

fn expression_json(expression: &Value) -> Json {
    let mut json = Map::new();
    for name in ["key", "operator"] {
        json.insert(name.to_owned(), attrs::text(expression, name).into());
    }
    let values = attrs::texts(expression, "values");
    if !values.is_empty() {
        json.insert("values".into(), json!(values));
    }
    Json::Object(json)
}

/// What the API answers, as the content of a selector block.
pub(crate) fn from_json(json: &Json) -> Value {
    let labels = json.get("matchLabels").and_then(Json::as_object).map_or_else(
        || Value::null(Type::map(Type::String)),
        |m| Value::map(Type::String, m.iter().map(|(k, v)| (k.as_str(), string(v.as_str().unwrap_or_default())))),
    );
    let block = expression_block();
    let expressions = json.get("matchExpressions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let expressions = expressions.iter().map(|e| {
        let text = |name| crate::json::string_at(e, &[name]);
        let values = e.get("values").and_then(Json::as_array).map_or_else(
            || Value::null(Type::set(Type::String)),
            |vs| Value::set(Type::String, vs.iter().filter_map(Json::as_str).map(string)),
        );
        attrs::object(&block, [("key", text("key")), ("operator", text("operator")), ("values", values)])
    });
    attrs::object(
        &content(),
        [("match_labels", labels), ("match_expressions", Value::list(block.ty(), expressions.collect()))],
    )
}

/// A selector that can be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: BTreeMap<String, String>,
    expressions: Vec<Expression>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Expression {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads what the API holds; `None` for a selector that the controller cannot convert, which matches nothing.
    pub(crate) fn parse(json: &Json) -> Option<Self> {
        let text = |v: &Json| v.as_str().map(str::to_owned);
        let labels: BTreeMap<String, String> = match json.get("matchLabels") {
            None | Some(Json::Null) => BTreeMap::new(),
            Some(labels) => {
                labels.as_object()?.iter().map(|(k, v)| Some((k.clone(), text(v)?))).collect::<Option<_>>()?
            }
        };
        let listed = json.get("matchExpressions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let expressions = listed
            .iter()
            .map(|e| {
                let values = e.get("values").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                Some(Expression {
                    key: text(e.get("key")?)?,
                    operator: Operator::parse(e.get("operator")?.as_str()?)?,
                    values: values.iter().map(text).collect::<Option<_>>()?,
                })
            })
            .collect::<Option<Vec<_>>>()?;
        let valid = labels.iter().all(|(k, v)| is_label_key(k) && is_label_value(v))
            && expressions.iter().all(Expression::is_valid);
        valid.then_some(Self { labels, expressions })
    }

    /// Whether labels satisfy it; an empty selector matches everything.
    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(k, v)| labels.get(k) == Some(v)) && self.expressions.iter().all(|e| e.matches(labels))
    }
}

impl Expression {
    fn is_valid(&self) -> bool {
        is_label_key(&self.key)
            && self.operator.wants_values() != self.values.is_empty()
            && self.values.iter().all(|v| is_label_value(v))
    }

    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|v| self.values.contains(v)),
            // As Kubernetes has it: a label that is not there is not in the list either.
            Operator::NotIn => value.is_none_or(|v| !self.values.contains(v)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "In" => Self::In,
            "NotIn" => Self::NotIn,
            "Exists" => Self::Exists,
            "DoesNotExist" => Self::DoesNotExist,
            _ => return None,
        })
    }

    fn wants_values(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }
}

/// `[prefix/]name`: the prefix a DNS name, the name at most 63 characters.
pub(crate) fn is_label_key(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(p, n)| (Some(p), n));
    let dns = |p: &str| {
        p.len() <= 253
            && p.split('.').all(|part| {
                let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                part.starts_with(edge) && part.ends_with(edge) && part.chars().all(|c| edge(c) || c == '-')
            })
    };
    prefix.is_none_or(dns) && !name.is_empty() && is_label_value(name)
}

/// Empty, or at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit.
pub(crate) fn is_label_value(value: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    value.is_empty()
        || (value.len() <= 63
            && value.starts_with(edge)
            && value.ends_with(edge)
            && value.chars().all(|c| edge(c) || matches!(c, '-' | '_' | '.')))
}

/// What is wrong with a selector block. Unknown parts pass.
pub(crate) fn validate(selector: &Value, path: &AttrPath) -> Diagnostics {
    let mut found = Diagnostics::new();
    let labels_path = path.with(PathStep::Attr("match_labels".into()));
    for (key, value) in selector.get("match_labels").and_then(Value::as_fields).into_iter().flatten() {
        let at = labels_path.with(PathStep::Key(key.clone()));
        found.extend(label_mistake(key, value.as_str().unwrap_or_default()).map(|d| d.attribute(at)));
    }
    for (i, expression) in attrs::blocks(selector, "match_expressions").into_iter().enumerate() {
        let at = path.with(PathStep::Attr("match_expressions".into())).with(PathStep::Index(i));
        found.extend(expression_mistakes(expression, &at));
    }
    found
}

fn label_mistake(key: &str, value: &str) -> Option<Diagnostic> {
    let (what, text) = match (is_label_key(key), is_label_value(value)) {
        (false, _) => ("key", key),
        (true, false) => ("value", value),
        (true, true) => return None,
    };
    Some(Diagnostic::error(
        "Invalid label",
        format!(
            "{text:?} is not a label {what} that Kubernetes accepts (at most 63 letters, digits, `-`, `_`, `.`, beginning and \
             ending with a letter or digit). The controller would take the whole selector as not matching, without an error."
        ),
    ))
}

fn expression_mistakes(expression: &Value, path: &AttrPath) -> Vec<Diagnostic> {
    let at = |name: &str| path.with(PathStep::Attr(name.into()));
    let mut found = Vec::new();
    for name in ["key", "operator"] {
        if !attrs::is_set(expression, name) {
            let text = format!("An expression needs a `{name}`.");
            found.push(Diagnostic::error("Missing argument", text).attribute(at(name)));
        }
    }
    if let Some(key) = attrs::text(expression, "key") {
        found.extend(label_mistake(key, "").map(|d| d.attribute(at("key"))));
    }
    for value in attrs::texts(expression, "values") {
        found.extend(label_mistake("a", &value).map(|d| d.attribute(at("values"))));
    }
    let Some(operator) = attrs::text(expression, "operator") else { return found };
    let values = expression.get("values");
    let has_values = values.is_some_and(|v| !v.is_known() || v.elements().is_some_and(|e| !e.is_empty()));
    let mistake = match Operator::parse(operator) {
        None => Some(("operator", format!("{operator:?} is none of In, NotIn, Exists, DoesNotExist."))),
        Some(o) if o.wants_values() && !has_values => Some(("values", format!("`{operator}` needs `values`."))),
        Some(o) if !o.wants_values() && has_values => Some(("values", format!("`{operator}` takes no `values`."))),
        Some(_) => None,
    };
    found.extend(mistake.map(|(name, text)| {
        let text = format!("{text} The controller would take the whole selector as not matching, without an error.");
        Diagnostic::error("Invalid selector expression", text).attribute(at(name))
    }));
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn matching() {
        let api = labels(&[("app", "backend"), ("tier", "api")]);
        let none = labels(&[]);
        let expr =
            |op: &str, values: Json| json!({"matchExpressions": [{"key": "tier", "operator": op, "values": values}]});
        for (selector, on_api, on_none) in [
            (json!({}), true, true),
            (json!({"matchLabels": {"app": "backend"}}), true, false),
            (json!({"matchLabels": {"app": "backend", "tier": "db"}}), false, false),
            (expr("In", json!(["db", "api"])), true, false),
            (expr("In", json!(["db"])), false, false),
            (expr("NotIn", json!(["db"])), true, true),
            (expr("NotIn", json!(["api"])), false, true),
            (expr("Exists", json!(null)), true, false),
            (expr("DoesNotExist", json!([])), false, true),
            (
                json!({"matchLabels": {"app": "backend"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]}),
                false,
                false,
            ),
        ] {
            let parsed = Selector::parse(&selector).unwrap();
            assert_eq!((parsed.matches(&api), parsed.matches(&none)), (on_api, on_none), "{selector}");
        }
    }

    #[test]
    fn what_the_controller_cannot_convert_matches_nothing() {
        for selector in [
            json!({"matchExpressions": [{"key": "a", "operator": "Equals", "values": ["b"]}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "In"}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}),
            json!({"matchLabels": {"app": "not a value"}}),
            json!({"matchLabels": {"-app": "x"}}),
        ] {
            assert_eq!(Selector::parse(&selector), None, "{selector}");
        }
    }

    #[test]
    fn label_grammar() {
        let long = "a".repeat(64);
        for (key, good) in [
            ("app", true),
            ("app.kubernetes.io/name", true),
            ("A_b.c-d", true),
            ("", false),
            ("a/", false),
            ("/a", false),
            ("a/b/c", false),
            ("Upper.io/a", false),
            (&long, false),
            ("a-", false),
        ] {
            assert_eq!(is_label_key(key), good, "{key:?}");
        }
        for (value, good) in [("", true), ("v1.2_3", true), ("-a", false), ("a b", false), (&long, false), ("é", false)]
        {
            assert_eq!(is_label_value(value), good, "{value:?}");
        }
    }

    #[test]
    fn mistakes_name_their_place() {
        let expression = |key: &str, operator: &str, values: &[&str]| {
            attrs::object(
                &expression_block(),
                [
                    ("key", key.into()),
                    ("operator", operator.into()),
                    ("values", Value::set(Type::String, values.iter().map(|v| (*v).into()))),
                ],
            )
        };
        let of = |expressions: Vec<Value>| {
            attrs::object(
                &content(),
                [
                    ("match_labels", attrs::map_value([("app".to_owned(), "a b".to_owned())])),
                    ("match_expressions", Value::list(expression_block().ty(), expressions)),
                ],
            )
        };
        let found = validate(
            &of(vec![
                expression("a", "In", &[]),
                expression("a", "Exists", &["x"]),
                expression("a", "Is", &["x"]),
                expression("a", "In", &["x"]),
            ]),
            &AttrPath::attr("pod_selector"),
        );
        let shown: Vec<String> = found.iter().map(|d| d.attribute.clone().unwrap().to_string()).collect();
        assert_eq!(
            shown,
            [
                r#"pod_selector.match_labels["app"]"#,
                "pod_selector.match_expressions[0].values",
                "pod_selector.match_expressions[1].values",
                "pod_selector.match_expressions[2].operator",
            ]
        );
    }

    #[test]
    fn selectors_go_there_and_back() {
        for json in [
            json!({}),
            json!({"matchLabels": {"a": "b"}}),
            json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "y"]}, {"key": "b", "operator": "Exists"}]}),
        ] {
            assert_eq!(to_json(&from_json(&json)), json);
        }
    }
}
