//! Label selectors, in all forms of `k8s.io/apimachinery/pkg/labels`.

use serde_json::Value;

use super::status::Status;

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// `a in (b, c)`, `a=b`.
    In(String, Vec<String>),
    /// `a notin (b, c)`, `a!=b`: also true without the label.
    NotIn(String, Vec<String>),
    /// `a`.
    Exists(String),
    /// `!a`.
    Absent(String),
    /// `a>1`.
    Greater(String, i64),
    /// `a<1`.
    Less(String, i64),
}

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

impl Selector {
    /// Reads the text form.
    ///
    /// # Errors
    /// `BadRequest` for what the grammar does not know.
    pub fn read(text: &str) -> Result<Self, Status> {
        let refuse = |what: String| match what.strip_prefix(WHOLE) {
            Some(what) => Status::bad_request(what),
            None => Status::bad_request(format!("unable to parse requirement: {what}")),
        };
        split(text).into_iter().map(|part| requirement(part.trim()).map_err(refuse)).collect::<Result<_, _>>().map(Self)
    }

    /// Reads `matchLabels` and `matchExpressions`; `None` for a missing one, which selects nothing.
    pub fn from_object(selector: &Value) -> Option<Self> {
        let members = selector.as_object()?;
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let labels = members.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
        let mut all: Vec<_> = labels.map(|(key, value)| Requirement::In(key.clone(), vec![text(value)])).collect();
        for it in members.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            let values = it["values"].as_array().into_iter().flatten().map(text).collect();
            let key = text(&it["key"]);
            all.push(match it["operator"].as_str().unwrap_or("") {
                "NotIn" => Requirement::NotIn(key, values),
                "Exists" => Requirement::Exists(key),
                "DoesNotExist" => Requirement::Absent(key),
                _ => Requirement::In(key, values),
            });
        }
        Some(Self(all))
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object's labels fit.
    pub fn fits(&self, object: &Value) -> bool {
        self.0.is_empty() || self.fits_labels(&object["metadata"]["labels"])
    }

    /// Whether labels fit.
    pub fn fits_labels(&self, labels: &Value) -> bool {
        self.0.iter().all(|requirement| {
            let value = |key: &str| labels.get(key).and_then(Value::as_str);
            let number = |key: &str| value(key).and_then(|value| value.parse::<i64>().ok());
            match requirement {
                Requirement::In(key, values) => value(key).is_some_and(|value| values.iter().any(|it| it == value)),
                Requirement::NotIn(key, values) => value(key).is_none_or(|value| values.iter().all(|it| it != value)),
                Requirement::Exists(key) => value(key).is_some(),
                Requirement::Absent(key) => value(key).is_none(),
                Requirement::Greater(key, than) => number(key).is_some_and(|number| number > *than),
                Requirement::Less(key, than) => number(key).is_some_and(|number| number < *than),
            }
        })
    }
}

/// Begins what is wrong between requirements and not in one.
const WHOLE: &str = "whole: ";

/// The parts between commas that are outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    if from > 0 || !text.trim().is_empty() {
        parts.push(&text[from..]);
    }
    parts
}

fn requirement(text: &str) -> Result<Requirement, String> {
    if let Some(key) = text.strip_prefix('!')
        && !key.starts_with('=')
    {
        return Ok(Requirement::Absent(key_of(key)?));
    }
    // The first operator decides; longer ones stand before their beginnings.
    for (operator, at) in ["!=", "==", "=", ">", "<"].map(|it| (it, text.find(it))) {
        let Some(at) = at.filter(|_| !text.contains('(')) else { continue };
        let (key, value) = (key_of(&text[..at])?, text[at + operator.len()..].trim());
        if let Some(sign) = value.chars().find(|it| matches!(it, '!' | '=' | '<' | '>')) {
            return Err(format!("{WHOLE}found '{sign}', expected: ',' or 'end of string'"));
        }
        let number = || {
            value.parse().map_err(|_| {
                format!("values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer")
            })
        };
        return match operator {
            "!=" => Ok(Requirement::NotIn(key, vec![value_of(value)?])),
            ">" => Ok(Requirement::Greater(key, number()?)),
            "<" => Ok(Requirement::Less(key, number()?)),
            _ => Ok(Requirement::In(key, vec![value_of(value)?])),
        };
    }
    let mut words = text.splitn(2, char::is_whitespace);
    let (key, rest) = (words.next().unwrap_or(""), words.next().unwrap_or("").trim());
    if rest.is_empty() {
        return Ok(Requirement::Exists(key_of(key)?));
    }
    let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if matches!(word, "in" | "notin") && !after.trim().starts_with('(') {
        return Err(format!("found '{}' expected: '('", after.split_whitespace().next().unwrap_or("")));
    }
    let unknown = || format!("found '{word}', expected: in, notin, =, ==, !=, gt, lt");
    let (operator, list) = rest.split_at(rest.find('(').ok_or_else(unknown)?);
    let list =
        list.strip_prefix('(').and_then(|list| list.strip_suffix(')')).ok_or("found '', expected: ',' or ')'")?;
    let values = list.split(',').map(|value| value_of(value.trim())).collect::<Result<_, _>>()?;
    match operator.trim() {
        "in" => Ok(Requirement::In(key_of(key)?, values)),
        "notin" => Ok(Requirement::NotIn(key_of(key)?, values)),
        _ => Err(unknown()),
    }
}

fn key_of(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (prefix, name) = text.rsplit_once('/').unwrap_or(("a", text));
    let is_label = |text: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        edge(text.chars().next()) && edge(text.chars().last()) && text.chars().all(inner)
    };
    if !is_label(name) || name.len() > 63 || !is_label(prefix) || prefix.len() > 253 {
        return Err(format!(
            "<nil>: Invalid value: \"{text}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        ));
    }
    Ok(text.to_owned())
}

fn value_of(text: &str) -> Result<String, String> {
    let is_value = text.is_empty() || key_of(text).is_ok() && !text.contains('/');
    if is_value {
        return Ok(text.to_owned());
    }
    Err(format!(
        "values[0][x]: Invalid value: \"{text}\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_choose_by_labels() {
        let object = json!({ "metadata": { "labels": { "a": "b", "n": "5", "x.io/y": "" } } });
        let rows = [
            ("", true),
            ("a=b", true),
            ("a==b", true),
            ("a = b", true),
            ("a=c", false),
            ("a!=b", false),
            ("z!=b", true),
            ("a in (b,c)", true),
            ("a in (c)", false),
            ("a notin (c, d)", true),
            ("z notin (c)", true),
            ("a", true),
            ("z", false),
            ("!a", false),
            ("!z", true),
            ("n>4", true),
            ("n<5", false),
            ("x.io/y=", true),
            ("a in (b, c),!z,n>1", true),
            ("a=b,z", false),
        ];
        for (text, fits) in rows {
            assert_eq!(Selector::read(text).unwrap().fits(&object), fits, "{text}");
        }
        for text in ["a=b c", "a in", "a in (b", "a within (b)", "=b", ",", "a=b,", "n>x", "-a"] {
            assert!(Selector::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_object_form_is_read_and_a_missing_one_selects_nothing() {
        let selector =
            json!({ "matchLabels": { "a": "b" }, "matchExpressions": [{ "key": "c", "operator": "DoesNotExist" }] });
        let selector = Selector::from_object(&selector).unwrap();
        assert!(selector.fits_labels(&json!({ "a": "b" })));
        assert!(!selector.fits_labels(&json!({ "a": "b", "c": "d" })));
        assert!(Selector::from_object(&json!({})).unwrap().is_empty());
        assert_eq!(Selector::from_object(&Value::Null), None);
    }
}
