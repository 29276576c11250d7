//! Configuration in JSON, as HCL's specification of its JSON syntax has it: the same trees as from the native syntax, with
//! places in the JSON text.
//!
//! Whether a property is an argument or a block depends on the schema of the body, and how a string is to be read on the
//! argument. What the language itself says is known when a file is read (`shape`); what the schema of a resource type or
//! provider says is decided later (`decided`), until then such properties wait in [`Body::json`](super::Body::json).

mod body;
mod expr;
mod read;
mod shape;

use std::{collections::HashSet, sync::Arc};

use sgp_model::{Diagnostic, Diagnostics, Span, Value};

pub(crate) use self::body::decided;
use self::expr::Mode;
use super::Body;

/// One value of a JSON document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    kind: Kind,
    span: Span,
}

#[derive(Clone, Debug)]
enum Kind {
    Null,
    Bool(bool),
    Number(sgp_model::Number),
    String(Text),
    Array(Vec<Node>),
    Object(Vec<Arc<Property>>),
}

impl Kind {
    /// With its article, for messages.
    fn what(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// A property of an object. A name may come several times.
#[derive(Clone, Debug)]
pub struct Property {
    pub(crate) name: Text,
    value: Node,
}

/// A string of a document.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// Without its quotes, escapes resolved.
    pub(crate) decoded: Arc<str>,
    /// With its quotes.
    pub(crate) span: Span,
    /// After each escape, the place in `decoded` and the place in the file.
    escapes: Vec<(usize, usize)>,
}

impl Text {
    /// The place in the file of a place in the text.
    fn place(&self, at: usize) -> usize {
        let before = self.escapes.partition_point(|(decoded, _)| *decoded <= at);
        let (decoded, source) = before.checked_sub(1).map_or((0, self.span.range.start + 1), |i| self.escapes[i]);
        source + (at - decoded)
    }
}

impl Property {
    /// The names that it sets in a body: its own, or of a `dynamic` one those of the blocks that it stands for.
    pub(crate) fn sets(&self) -> Vec<Arc<str>> {
        if &*self.name.decoded != "dynamic" {
            return vec![self.name.decoded.clone()];
        }
        self.dynamic().map(|label| label.name.decoded.clone()).collect()
    }

    fn dynamic(&self) -> impl Iterator<Item = &Arc<Property>> {
        let objects = match &self.value.kind {
            Kind::Array(elements) => elements.as_slice(),
            _ => std::slice::from_ref(&self.value),
        };
        let properties = objects.iter().map(|o| match &o.kind {
            Kind::Object(properties) => properties.as_slice(),
            _ => &[],
        });
        properties.flatten()
    }

    /// What is left of it when these names are set by something else.
    pub(crate) fn without(self: &Arc<Self>, names: &HashSet<Arc<str>>) -> Option<Arc<Self>> {
        if &*self.name.decoded != "dynamic" {
            return (!names.contains(&self.name.decoded)).then(|| self.clone());
        }
        let rest: Vec<Arc<Self>> =
            self.dynamic().filter(|label| !names.contains(&label.name.decoded)).cloned().collect();
        let value = Node { kind: Kind::Object(rest), span: self.value.span.clone() };
        Some(Arc::new(Self { name: self.name.clone(), value }))
    }
}

/// Parses a configuration file. With errors the body holds what could be read around them.
pub fn parse_body(file: &Arc<str>, text: &str) -> (Body, Diagnostics) {
    parse_as(file, text, &shape::FILE)
}

/// Parses a test file, likewise.
pub fn parse_test(file: &Arc<str>, text: &str) -> (Body, Diagnostics) {
    parse_as(file, text, &shape::TEST_FILE)
}

/// Parses a file of mocks, likewise.
pub fn parse_mocks(file: &Arc<str>, text: &str) -> (Body, Diagnostics) {
    parse_as(file, text, &shape::MOCK_FILE)
}

fn parse_as(file: &Arc<str>, text: &str, shape: &'static shape::Shape) -> (Body, Diagnostics) {
    match read::document(file, text) {
        Ok(node) => body::file(&node, shape),
        Err(error) => (Body::empty(Span::new(file.clone(), 0..0)), Diagnostics::from(error)),
    }
}

/// One value of a file of values: its name, what it is, and where.
pub type Named = (Arc<str>, Value, Span);

/// Parses a file of values for variables (`*.tfvars.json`): an object whose strings are taken as they are.
pub fn parse_values(file: &Arc<str>, text: &str) -> (Vec<Named>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let node = match read::document(file, text) {
        Ok(node) => node,
        Err(error) => return (Vec::new(), Diagnostics::from(error)),
    };
    let Kind::Object(properties) = &node.kind else {
        let detail = format!(
            "A file of values holds one JSON object, with a property for each variable; this is {}.",
            node.kind.what()
        );
        return (Vec::new(), Diagnostics::from(Diagnostic::error("Invalid variables file", detail).at(node.span)));
    };
    let mut values: Vec<Named> = Vec::new();
    let mut seen = HashSet::new();
    for property in properties.iter().filter(|p| &*p.name.decoded != "//") {
        if !seen.insert(property.name.decoded.clone()) {
            diagnostics.push(body::redefined(property));
            continue;
        }
        let value = expr::of(&property.value, Mode::Fixed).and_then(|expr| crate::eval::constant(&expr));
        match value {
            Ok(value) => values.push((property.name.decoded.clone(), value, property.value.span.clone())),
            Err(error) => diagnostics.push(error),
        }
    }
    (values, diagnostics)
}

#[cfg(test)]
mod tests;
