//! Label selectors, as Kubernetes converts and evaluates them.
//!
//! Source: kubernetes.io/docs/concepts/overview/working-with-objects/labels and the API reference of meta/v1 LabelSelector.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;

/// A selector: all of its requirements must hold. Without any it selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
    problem: Option<String>,
    is_open: bool,
}

/// Marks an object of a spec that has members which are known after apply and are left out.
pub(crate) const OPEN: &str = "(known after apply)";

/// Whether an object of a spec has members that are not known yet.
pub(crate) fn is_open(spec: &Value) -> bool {
    spec.get(OPEN).is_some()
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// What must be so.
    pub operator: Operator,
    /// The values that it is compared with.
    pub values: BTreeSet<String>,
}

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The label is there, with one of the values.
    In,
    /// The label is not there, or has another value.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

/// The longest name and the longest value of a label (labels page, "Syntax and character set").
const LONGEST: usize = 63;
/// The longest prefix of a label's key, a DNS subdomain.
const LONGEST_PREFIX: usize = 253;

impl Selector {
    /// Labels that must be there as they are.
    pub fn of_labels<'a>(labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        let mut selector = Self::default();
        for (key, value) in labels {
            selector.require(key, Operator::In, BTreeSet::from([value.clone()]));
        }
        selector
    }

    /// Reads `{ matchLabels, matchExpressions }`. What cannot be converted is remembered as [`problem`](Self::problem).
    pub fn read(spec: &Value) -> Self {
        let mut selector = Self { is_open: is_open(spec) || is_open(&spec["matchLabels"]), ..Self::default() };
        for (key, value) in spec["matchLabels"].as_object().into_iter().flatten().filter(|(key, _)| *key != OPEN) {
            let value = value.as_str().unwrap_or_default().to_owned();
            selector.require(key, Operator::In, BTreeSet::from([value]));
        }
        for expression in spec["matchExpressions"].as_array().into_iter().flatten() {
            let key = expression["key"].as_str().unwrap_or_default();
            let values = expression["values"].as_array().into_iter().flatten();
            if is_open(expression) || values.clone().any(Value::is_null) {
                selector.is_open = true;
                continue;
            }
            let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
            selector.express(key, expression["operator"].as_str().unwrap_or_default(), values);
        }
        selector
    }

    /// Adds an expression as `matchExpressions` has it.
    pub fn express(&mut self, key: &str, operator: &str, values: BTreeSet<String>) {
        let operator = match operator {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return self.fails(format!("{other:?} is no operator: In, NotIn, Exists and DoesNotExist are")),
        };
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                self.fails(format!("{operator} needs values (label {key})"));
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                self.fails(format!("{operator} takes no values (label {key})"));
            }
            _ => self.require(key, operator, values),
        }
    }

    fn require(&mut self, key: &str, operator: Operator, values: BTreeSet<String>) {
        if let Some(problem) = problem_of_key(key) {
            return self.fails(problem);
        }
        if let Some(problem) = values.iter().find_map(|value| problem_of_value(value)) {
            return self.fails(problem);
        }
        self.requirements.push(Requirement { key: key.to_owned(), operator, values });
    }

    fn fails(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    /// Why it cannot be converted, if so: such a selector selects nothing.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Whether it has no requirement and so selects everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty() && self.problem.is_none() && !self.is_open
    }

    /// Whether it has requirements that are known after apply.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Its requirements.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether it selects an object with these labels, as far as it is known.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.problem.is_none() && self.requirements.iter().all(|it| it.holds(labels))
    }

    /// The requirement that keeps labels from being selected.
    pub fn unmet(&self, labels: &BTreeMap<String, String>) -> Option<&Requirement> {
        self.requirements.iter().find(|it| !it.holds(labels))
    }
}

impl Requirement {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// Why a text is no key of a label.
pub fn problem_of_key(key: &str) -> Option<String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_name = !name.is_empty() && name.len() <= LONGEST && is_worded(name);
    let is_prefix = prefix.is_none_or(|it| {
        it.len() <= LONGEST_PREFIX && !it.is_empty() && it.split('.').all(|part| is_worded(part) && is_dns_label(part))
    });
    (!is_name || !is_prefix).then(|| format!("{key:?} is no label key"))
}

/// Why a text is no value of a label.
pub fn problem_of_value(value: &str) -> Option<String> {
    let is_value = value.is_empty() || value.len() <= LONGEST && is_worded(value);
    (!is_value).then(|| {
        format!("{value:?} is no label value: at most 63 letters, digits, -, _ and ., a letter or digit at both ends")
    })
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_worded(text: &str) -> bool {
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && is_end(text.chars().next())
        && is_end(text.chars().next_back())
}

fn is_dns_label(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
        })
    }
}

/// `app=backend`, `tier in (api, web)`, `!canary`: as kubectl writes selectors.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = || self.values.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        match self.operator {
            Operator::In if self.values.len() == 1 => write!(f, "{}={}", self.key, values()),
            Operator::In => write!(f, "{} in ({})", self.key, values()),
            Operator::NotIn => write!(f, "{} notin ({})", self.key, values()),
            Operator::Exists => f.write_str(&self.key),
            Operator::DoesNotExist => write!(f, "!{}", self.key),
        }
    }
}

/// Its requirements, or `everything`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Some(problem) => write!(f, "(nothing: {problem})"),
            None if self.requirements.is_empty() => f.write_str("everything"),
            None => {
                let parts: Vec<String> = self.requirements.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn selectors_select_as_kubernetes_does() {
        let backend = labels(&[("app", "backend"), ("tier", "api")]);
        for (selector, is_selected) in [
            (json!({}), true),
            (json!({ "matchLabels": { "app": "backend" } }), true),
            (json!({ "matchLabels": { "app": "backend", "tier": "web" } }), false),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["api", "web"] }] }), true),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "NotIn", "values": ["api"] }] }), false),
            // A label that is not there has no forbidden value.
            (json!({ "matchExpressions": [{ "key": "zone", "operator": "NotIn", "values": ["a"] }] }), true),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "Exists" }] }), true),
            (json!({ "matchExpressions": [{ "key": "zone", "operator": "DoesNotExist" }] }), true),
            // What cannot be converted selects nothing.
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "In", "values": [] }] }), false),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "Exists", "values": ["api"] }] }), false),
            (json!({ "matchExpressions": [{ "key": "tier", "operator": "Equals", "values": ["api"] }] }), false),
            (json!({ "matchLabels": { "app": "not a value" } }), false),
            (json!({ "matchExpressions": [{ "key": "-", "operator": "DoesNotExist" }] }), false),
        ] {
            assert_eq!(Selector::read(&selector).matches(&backend), is_selected, "{selector}");
        }
    }

    #[test]
    fn keys_and_values_have_a_syntax() {
        for (key, is_fine) in [
            ("app", true),
            ("app.kubernetes.io/name", true),
            ("eks.amazonaws.com/fargate-profile", true),
            ("App.Upper/name", false),
            ("/name", false),
            ("a/b/c", false),
            ("", false),
            ("ends-with-", false),
        ] {
            assert_eq!(problem_of_key(key).is_none(), is_fine, "{key:?}");
        }
        for (value, is_fine) in [("", true), ("v1.2_3-x", true), ("-x", false), ("a b", false)] {
            assert_eq!(problem_of_value(value).is_none(), is_fine, "{value:?}");
        }
        assert!(problem_of_value(&"a".repeat(64)).is_some());
    }

    #[test]
    fn they_read_as_kubectl_writes_them() {
        let selector = json!({ "matchLabels": { "app": "backend" }, "matchExpressions": [
            { "key": "tier", "operator": "In", "values": ["web", "api"] },
            { "key": "canary", "operator": "DoesNotExist" },
        ] });
        assert_eq!(Selector::read(&selector).to_string(), "app=backend,tier in (api,web),!canary");
        assert_eq!(Selector::read(&json!({})).to_string(), "everything");
    }
}
