//! Files of values: `*.tfvars` and `*.tfvars.json`.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use sgp_lang::{constant, syntax};
use sgp_model::{Diagnostic, Diagnostics, Span, Value};

/// Values by name, with their places.
pub type Values = BTreeMap<String, (Value, Option<Span>)>;

/// Reads the values of a file; those that are wrong are left out and told.
pub fn values(path: &str, text: &str) -> (Values, Diagnostics) {
    if Path::new(path).extension().is_some_and(|e| e == "json") { json(path, text) } else { hcl(path, text) }
}

fn json(path: &str, text: &str) -> (Values, Diagnostics) {
    let (values, diagnostics) = syntax::json::parse_values(&Arc::from(path), text);
    let values = values.into_iter().map(|(name, value, span)| (name.to_string(), (value, Some(span)))).collect();
    (values, diagnostics)
}

fn hcl(path: &str, text: &str) -> (Values, Diagnostics) {
    let (body, mut diagnostics) = syntax::parse_body(&Arc::from(path), text);
    for block in &body.blocks {
        let detail =
            format!("A file of values holds `name = value` and no blocks; {path} has a block {:?}.", &*block.ty);
        diagnostics.push(Diagnostic::error("Unexpected block", detail).at(block.header()));
    }
    let mut values = Values::new();
    for attr in &body.attrs {
        match constant(&attr.expr) {
            Ok(value) => {
                values.insert(attr.name.to_string(), (value, Some(attr.expr.span.clone())));
            }
            Err(problem) => diagnostics.push(problem),
        }
    }
    (values, diagnostics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_keep_their_place() {
        let text = "a = 1\nb = [\n  var.x,\n]\nc {}\nd = \"x\"\ne = upper(\"x\")\n";
        let (values, diagnostics) = values("x.tfvars", text);
        assert_eq!(values.keys().collect::<Vec<_>>(), ["a", "d"]);
        let places: Vec<_> =
            diagnostics.iter().filter_map(|d| d.span.as_ref()).map(|s| (&*s.file, &text[s.range.clone()])).collect();
        assert_eq!(places, [("x.tfvars", "c"), ("x.tfvars", "var"), ("x.tfvars", "upper")]);
        let summaries: Vec<&str> = diagnostics.iter().map(|d| d.summary.as_str()).collect();
        assert_eq!(summaries, ["Unexpected block", "Variables not allowed", "Function calls not allowed"]);
    }

    #[test]
    fn json_keeps_digits() {
        let (all, diagnostics) = values("x.tfvars.json", "{\"n\": 12345678901234567890, \"l\": [1]}");
        assert!(diagnostics.is_empty());
        assert_eq!(all["n"].0.as_number().map(ToString::to_string).as_deref(), Some("12345678901234567890"));
        let place = all["l"].1.as_ref().map(|s| s.range.clone());
        assert_eq!(place, Some(33..36), "a message about the value underlines it");
        for text in ["[]", "{", "1"] {
            assert!(values("x.tfvars.json", text).1.has_errors(), "{text}");
        }
    }
}
