//! Label selectors as objects have them (`matchLabels`, `matchExpressions`).
//!
//! Source: apimachinery `pkg/apis/meta/v1/helpers.go` (`LabelSelectorAsSelector`) and `pkg/labels/selector.go`.

use serde_json::Value;

/// A selector that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// No selector at all: matches nothing.
    Nothing,
    /// All of these; none of them matches everything.
    All(Vec<Requirement>),
}

/// One condition on a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
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
    /// Reads a `LabelSelector`; `null` is [`Selector::Nothing`], `{}` everything.
    ///
    /// # Errors
    /// What is wrong with it: an unknown operator, values where there must be none or none where there must be some, or a key or value
    /// that no label can have.
    pub fn read(selector: &Value) -> Result<Self, String> {
        if selector.is_null() {
            return Ok(Self::Nothing);
        }
        let mut requirements = Vec::new();
        for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
            let values = vec![value.as_str().unwrap_or_default().to_owned()];
            requirements.push(Requirement::new(key, Operator::In, values)?);
        }
        for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
            let operator = match expression["operator"].as_str().unwrap_or_default() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => return Err(format!("{other:?} is not a valid label selector operator")),
            };
            let values = expression["values"].as_array().into_iter().flatten();
            let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
            let key = expression["key"].as_str().unwrap_or_default();
            requirements.push(Requirement::new(key, operator, values)?);
        }
        Ok(Self::All(requirements))
    }

    /// Whether `labels` (an object, or `null` for none) fit.
    pub fn matches(&self, labels: &Value) -> bool {
        match self {
            Self::Nothing => false,
            Self::All(requirements) => requirements.iter().all(|it| it.matches(labels[it.key.as_str()].as_str())),
        }
    }
}

impl Requirement {
    fn new(key: &str, operator: Operator, values: Vec<String>) -> Result<Self, String> {
        if !is_qualified_name(key) {
            return Err(format!("key: Invalid value: {key:?}: name part must consist of alphanumeric characters"));
        }
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                return Err(
                    "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty".to_owned()
                );
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                return Err("values: Invalid value: values set must be empty for exists and does not exist".to_owned());
            }
            _ => {}
        }
        if let Some(value) = values.iter().find(|value| !is_label_value(value)) {
            return Err(format!(
                "values[0][{key}]: Invalid value: {value:?}: a valid label must be an empty string or consist of alphanumeric characters"
            ));
        }
        Ok(Self { key: key.to_owned(), operator, values })
    }

    fn matches(&self, value: Option<&str>) -> bool {
        let is_listed = || value.is_some_and(|value| self.values.iter().any(|it| it == value));
        match self.operator {
            Operator::In => is_listed(),
            Operator::NotIn => !is_listed(),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// At most 63 letters, digits, `-`, `_`, `.`, with a letter or digit at both ends; may be empty.
fn is_label_value(value: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric();
    value.len() <= 63
        && value.chars().all(|letter| is_word(letter) || matches!(letter, '-' | '_' | '.'))
        && value.chars().next().is_none_or(is_word)
        && value.chars().next_back().is_none_or(is_word)
}

/// A name, after a DNS subdomain and a slash where there is one.
fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_subdomain = |prefix: &str| {
        let is_part = |part: &str| {
            let mut letters = part.chars();
            !part.is_empty()
                && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        prefix.len() <= 253 && prefix.split('.').all(is_part)
    };
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_subdomain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_match() {
        let labels = json!({ "app": "web", "tier": "front" });
        for (selector, expected) in [
            (Value::Null, Ok(false)),
            (json!({}), Ok(true)),
            (json!({ "matchLabels": { "app": "web" } }), Ok(true)),
            (json!({ "matchLabels": { "app": "db" } }), Ok(false)),
            (json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": ["a", "web"] }] }), Ok(true)),
            (json!({ "matchExpressions": [{ "key": "app", "operator": "NotIn", "values": ["web"] }] }), Ok(false)),
            (json!({ "matchExpressions": [{ "key": "none", "operator": "NotIn", "values": ["web"] }] }), Ok(true)),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "Exists" }] }), Ok(true)),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "DoesNotExist" }] }), Ok(false)),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "Exists", "values": ["x"] }] }), Err(())),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "In" }] }), Err(())),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "Is", "values": ["x"] }] }), Err(())),
            (json!({ "matchLabels": { "app": "not valid" } }), Err(())),
            (json!({ "matchLabels": { "-app": "x" } }), Err(())),
        ] {
            let actual = Selector::read(&selector).map(|it| it.matches(&labels)).map_err(|_| ());
            assert_eq!(actual, expected, "{selector}");
        }
    }
}
