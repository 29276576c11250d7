//! Configuration as text, made from values: the blocks of `-generate-config-out`.

use std::{collections::BTreeMap, fmt::Write as _};

use sgp_model::{
    Block, Kind, Value,
    address::quote,
    json,
    schema::{Nesting, Semantics},
};

/// Writes the `resource` block of a configuration: what is null is left out. `notes` are arguments that somebody has to look at,
/// with what stands in a comment behind them; their value is written as `null`.
pub fn resource(
    type_name: &str,
    name: &str,
    block: &Block,
    config: &Value,
    notes: &BTreeMap<&'static str, String>,
) -> String {
    let mut out = format!("resource {} {} {{\n", quote(type_name), quote(name));
    for (note, text) in notes {
        let _ = writeln!(out, "{note} = null # {text}");
    }
    body(&mut out, block, config);
    out.push_str("}\n");
    // The layout is the formatter's.
    crate::fmt::format(&out).unwrap_or(out)
}

fn body(out: &mut String, block: &Block, config: &Value) {
    for (name, attribute) in &block.attributes {
        let Some(value) = config.get(name).filter(|value| !value.is_null()) else { continue };
        let document = matches!(attribute.semantics, Semantics::Json | Semantics::IamPolicy);
        let document = document.then(|| value.as_str().and_then(|text| json::from_json_text(text).ok())).flatten();
        match document {
            Some(content) => {
                let _ = writeln!(out, "{name} = jsonencode({})", literal(&content));
            }
            None => {
                let _ = writeln!(out, "{name} = {}", literal(value));
            }
        }
    }
    for (name, nested) in &block.blocks {
        let Some(value) = config.get(name).filter(|value| !value.is_null()) else { continue };
        let mut one = |label: &str, content: &Value| {
            if !out.ends_with("{\n") {
                out.push('\n');
            }
            let _ = writeln!(out, "{name} {label}{{");
            body(out, &nested.block, content);
            out.push_str("}\n");
        };
        match (nested.nesting, value.kind()) {
            (Nesting::Map, _) => {
                value
                    .as_fields()
                    .into_iter()
                    .flatten()
                    .for_each(|(key, content)| one(&format!("{} ", quote(key)), content));
            }
            (Nesting::Single, _) => one("", value),
            (Nesting::List | Nesting::Set, _) => {
                value.elements().into_iter().flatten().for_each(|content| one("", content));
            }
        }
    }
}

/// A value as an expression of the language.
pub fn literal(value: &Value) -> String {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) => quote(s),
        Kind::List(_, vs) | Kind::Tuple(vs) => sequence(vs.iter()),
        Kind::Set(_, vs) => sequence(vs.iter()),
        Kind::Map(_, fields) | Kind::Object(fields) => {
            if fields.is_empty() {
                return "{}".to_owned();
            }
            let lines = fields.iter().fold(String::new(), |mut lines, (key, value)| {
                let _ = writeln!(lines, "{} = {}", key_text(key), literal(value));
                lines
            });
            format!("{{\n{lines}}}")
        }
    }
}

fn sequence<'v>(values: impl ExactSizeIterator<Item = &'v Value>) -> String {
    const SHORT: usize = 80;
    let texts: Vec<String> = values.map(literal).collect();
    let one_line = format!("[{}]", texts.join(", "));
    if one_line.len() <= SHORT && !one_line.contains('\n') {
        return one_line;
    }
    format!("[\n{},\n]", texts.join(",\n"))
}

fn key_text(key: &str) -> String {
    let is_name = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !["for", "null", "true", "false"].contains(&key);
    if is_name { key.to_owned() } else { quote(key) }
}

#[cfg(test)]
mod tests {
    use sgp_model::{Attribute, NestedBlock, Type};

    use super::*;

    #[test]
    fn a_block_reads_as_people_write_it() {
        let rule = Block::default().attr("port", Attribute::number()).attr("cidrs", Attribute::strings());
        let block = Block::default()
            .attr("name", Attribute::string())
            .attr("on", Attribute::bool())
            .attr("policy", Attribute::string().semantics(Semantics::IamPolicy))
            .attr("tags", Attribute::string_map())
            .attr("text", Attribute::string())
            .attr("unset", Attribute::string())
            .block("rule", NestedBlock::list(rule.clone()))
            .block("one", NestedBlock::single(Block::default().attr("x", Attribute::bool())));
        let cidrs = Value::list(Type::String, vec!["10.0.0.0/8".into()]);
        let rules = [53, 443].map(|port| Value::object([("port", Value::int(port)), ("cidrs", cidrs.clone())]));
        let config = Value::object([
            ("name", Value::from("a")),
            ("on", Value::from(true)),
            ("policy", Value::from(r#"{"Statement":[{"Effect":"Allow","Resource":"${aws:x}"}]}"#)),
            (
                "tags",
                Value::map(Type::String, [("Name", Value::from("a")), ("team/x", "b".into()), ("for", "c".into())]),
            ),
            ("text", Value::from("line\n\"${x}\" %{y}")),
            ("unset", Value::null(Type::String)),
            ("rule", Value::list(rule.ty(), rules.to_vec())),
            ("one", Value::object([("x", Value::null(Type::Bool))])),
        ]);
        let notes = BTreeMap::from([("password", "put it here".to_owned())]);
        insta::assert_snapshot!(resource("aws_x", "y", &block, &config, &notes), @r#"
        resource "aws_x" "y" {
          password = null # put it here
          name     = "a"
          on       = true
          policy = jsonencode({
            Statement = [
              {
                Effect   = "Allow"
                Resource = "$${aws:x}"
              },
            ]
          })
          tags = {
            Name     = "a"
            "for"    = "c"
            "team/x" = "b"
          }
          text = "line\n\"$${x}\" %%{y}"

          one {
          }

          rule {
            cidrs = ["10.0.0.0/8"]
            port  = 53
          }

          rule {
            cidrs = ["10.0.0.0/8"]
            port  = 443
          }
        }
        "#);
    }

    #[test]
    fn literals_come_back() {
        for text in ["a", "${a}", "%{a}", "$${a}", "a\"b\\c", "tab\there", "line\nline\r\n", "", "ünïcode"] {
            let expr = crate::syntax::parse_expression(&"t".into(), &literal(&Value::from(text))).expect(text);
            assert_eq!(crate::constant(&expr).expect(text), Value::from(text), "{text:?}");
        }
    }
}
