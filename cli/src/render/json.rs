//! JSON as it is written: members keep their order and numbers all their digits.

use std::fmt;

use sgp_model::{Kind, Value};

/// A JSON document to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, by its digits.
    Number(String),
    /// Text, not escaped yet.
    String(String),
    /// Elements in order.
    Array(Vec<Json>),
    /// Members in the order of writing.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object with these members.
    pub fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Json)>) -> Self {
        Self::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// An array of these elements.
    pub fn array(elements: impl IntoIterator<Item = Json>) -> Self {
        Self::Array(elements.into_iter().collect())
    }

    /// Adds a member at the end of an object; does nothing to anything else.
    pub fn push(&mut self, name: &str, value: impl Into<Json>) {
        if let Self::Object(members) = self {
            members.push((name.to_owned(), value.into()));
        }
    }

    /// The same object with one member more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.push(name, value);
        self
    }

    /// A value that may hold unknown parts: unknown members of objects and maps are left out, unknown elements of
    /// sequences are `null`, as in Terraform's plan JSON. Sensitive parts are in clear.
    pub fn of_value(value: &Value) -> Self {
        match value.kind() {
            Kind::Null(_) | Kind::Unknown(_) => Self::Null,
            Kind::Bool(b) => Self::Bool(*b),
            Kind::Number(n) => Self::Number(n.to_string()),
            Kind::String(s) => Self::String(s.to_string()),
            Kind::List(_, vs) | Kind::Tuple(vs) => Self::array(vs.iter().map(Self::of_value)),
            Kind::Set(_, vs) => Self::array(vs.iter().map(Self::of_value)),
            Kind::Map(_, fs) | Kind::Object(fs) => {
                Self::object(fs.iter().filter(|(_, v)| v.is_known()).map(|(k, v)| (&**k, Self::of_value(v))))
            }
        }
    }

    /// Several lines, indented by two spaces.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.write_pretty(&mut out, 0);
        out
    }

    fn write_pretty(&self, out: &mut String, depth: usize) {
        match self {
            Self::Array(elements) if !elements.is_empty() => {
                out.push('[');
                for (i, element) in elements.iter().enumerate() {
                    out.push_str(if i > 0 { ",\n" } else { "\n" });
                    push_indent(out, depth + 1);
                    element.write_pretty(out, depth + 1);
                }
                out.push('\n');
                push_indent(out, depth);
                out.push(']');
            }
            Self::Object(members) if !members.is_empty() => {
                out.push('{');
                for (i, (name, value)) in members.iter().enumerate() {
                    out.push_str(if i > 0 { ",\n" } else { "\n" });
                    push_indent(out, depth + 1);
                    out.push_str(&quoted(name));
                    out.push_str(": ");
                    value.write_pretty(out, depth + 1);
                }
                out.push('\n');
                push_indent(out, depth);
                out.push('}');
            }
            other => out.push_str(&other.to_string()),
        }
    }
}

fn push_indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(digits) => f.write_str(digits),
            Self::String(text) => f.write_str(&quoted(text)),
            Self::Array(elements) => {
                f.write_str("[")?;
                for (i, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if i > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (i, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{}:{value}", if i > 0 { "," } else { "" }, quoted(name))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Json {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<usize> for Json {
    fn from(n: usize) -> Self {
        Self::Number(n.to_string())
    }
}

impl From<u64> for Json {
    fn from(n: u64) -> Self {
        Self::Number(n.to_string())
    }
}

impl From<Vec<Json>> for Json {
    fn from(elements: Vec<Json>) -> Self {
        Self::Array(elements)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Terraform's form of a type, such as `["list","string"]`; objects come out sorted by name.
impl From<&serde_json::Value> for Json {
    fn from(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(b) => Self::Bool(*b),
            serde_json::Value::Number(n) => Self::Number(n.to_string()),
            serde_json::Value::String(s) => Self::String(s.clone()),
            serde_json::Value::Array(elements) => Self::array(elements.iter().map(Self::from)),
            serde_json::Value::Object(members) => Self::object(members.iter().map(|(k, v)| (k.clone(), Self::from(v)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use sgp_model::Type;

    use super::*;

    #[test]
    fn unknown_members_are_left_out_and_unknown_elements_are_null() {
        let value = Value::object([
            ("a", Value::unknown(Type::String)),
            ("b", Value::tuple(vec![Value::unknown(Type::String), Value::int(9_007_199_254_740_993)])),
            ("c", Value::from("x\"\n").sensitive()),
        ]);
        assert_eq!(Json::of_value(&value).to_string(), r#"{"b":[null,9007199254740993],"c":"x\"\n"}"#);
    }

    #[test]
    fn pretty_indents_by_two() {
        let json =
            Json::object([("a", Json::array([Json::from(1_usize), Json::object::<&str>([])])), ("b", Json::Null)]);
        insta::assert_snapshot!(json.pretty(), @r#"
        {
          "a": [
            1,
            {}
          ],
          "b": null
        }
        "#);
    }
}
