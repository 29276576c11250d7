//! Files of values: `*.tfvars` and `*.tfvars.json`.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use sgp_engine::Registry;
use sgp_lang::{
    Answer, Config, Configured, DepsView, Evaluator, Files, Inputs, World, config::Module, source::MemoryFiles, syntax,
};
use sgp_model::{Diagnostic, Diagnostics, ModulePath, SourceMap, Span, Value, json::from_json_text};

/// Values by name, with their places.
pub type Values = BTreeMap<String, (Value, Option<Span>)>;

/// Reads the values of a file; those that are wrong are left out and told.
pub fn values(path: &str, text: &str) -> (Values, Diagnostics) {
    if Path::new(path).extension().is_some_and(|e| e == "json") { json(path, text) } else { hcl(path, text) }
}

fn json(path: &str, text: &str) -> (Values, Diagnostics) {
    let invalid = |why: String| {
        let detail = format!("The file {path} is not a JSON object of values: {why}.");
        (Values::new(), Diagnostics::from(Diagnostic::error("Invalid variables file", detail)))
    };
    match from_json_text(text) {
        Ok(value) => match value.as_fields() {
            Some(fields) => {
                let values = fields.iter().map(|(k, v)| (k.to_string(), (v.clone(), None))).collect();
                (values, Diagnostics::new())
            }
            None => invalid("an object is needed at the top".to_owned()),
        },
        Err(e) => invalid(e.to_string()),
    }
}

fn hcl(path: &str, text: &str) -> (Values, Diagnostics) {
    let (body, mut diagnostics) = syntax::parse_body(&Arc::from(path), text);
    for block in &body.blocks {
        let detail =
            format!("A file of values holds `name = value` and no blocks; {path} has a block {:?}.", &*block.ty);
        diagnostics.push(Diagnostic::error("Unexpected block", detail).at(block.header()));
    }
    let mut evaluator = evaluator();
    let mut values = Values::new();
    for attr in &body.attrs {
        let span = attr.expr.span.clone();
        match evaluator.eval_text(&ModulePath::root(), &padded(text, &span)) {
            Ok(value) => {
                values.insert(attr.name.to_string(), (value, Some(span)));
            }
            Err(problems) => diagnostics.extend(problems.into_iter().map(|d| relocated(d, path))),
        }
    }
    (values, diagnostics)
}

/// The expression with as many spaces before it as there are bytes in the file, so that places stay right.
fn padded(text: &str, span: &Span) -> String {
    let expression = text.get(span.range.clone()).unwrap_or_default();
    format!("{}{expression}", " ".repeat(span.range.start))
}

fn relocated(mut diagnostic: Diagnostic, path: &str) -> Diagnostic {
    // There is nothing to declare: whatever a name means elsewhere, here it means nothing.
    if diagnostic.summary.contains("undeclared") || diagnostic.summary == "Invalid reference" {
        "Reference in a variables file".clone_into(&mut diagnostic.summary);
        diagnostic.detail = format!(
            "The values in {path} are fixed: they cannot refer to anything. If text is meant, put it between quotes."
        );
    }
    if let Some(span) = &mut diagnostic.span {
        span.file = path.into();
    }
    diagnostic
}

/// An evaluator without any configuration: values stand for themselves.
fn evaluator() -> Evaluator<Nothing> {
    let config = Config { root: Arc::new(Module::default()), sources: SourceMap::default(), digest: String::new() };
    let files: Arc<dyn Files + Send + Sync> = Arc::new(MemoryFiles::default());
    Evaluator::new(Arc::new(config), Inputs::default(), Arc::new(Registry::new(Vec::new())), files, Nothing)
}

struct Nothing;

impl World for Nothing {
    fn object(&mut self, _: Configured<'_>, _: &DepsView<'_>) -> Answer {
        Answer::Failed(Diagnostics::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_keep_their_place() {
        let text = "a = 1\nb = [\n  var.x,\n]\nc {}\nd = \"x\"\n";
        let (values, diagnostics) = values("x.tfvars", text);
        assert!(diagnostics.iter().any(|d| d.summary == "Reference in a variables file"), "{diagnostics:?}");
        assert_eq!(values.keys().collect::<Vec<_>>(), ["a", "d"]);
        let places: Vec<_> =
            diagnostics.iter().filter_map(|d| d.span.as_ref()).map(|s| (&*s.file, &text[s.range.clone()])).collect();
        assert_eq!(places.len(), 2, "{diagnostics:?}");
        assert!(
            places.iter().all(|(file, part)| *file == "x.tfvars" && (part.contains("var") || part.starts_with('c'))),
            "{places:?}"
        );
    }

    #[test]
    fn json_keeps_digits() {
        let (all, diagnostics) = values("x.tfvars.json", "{\"n\": 12345678901234567890, \"l\": [1]}");
        assert!(diagnostics.is_empty());
        assert_eq!(all["n"].0.as_number().map(ToString::to_string).as_deref(), Some("12345678901234567890"));
        for text in ["[]", "{", "1"] {
            assert!(values("x.tfvars.json", text).1.has_errors(), "{text}");
        }
    }
}
