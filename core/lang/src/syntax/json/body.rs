//! Nodes as bodies: properties become arguments and blocks.

use std::{collections::HashSet, sync::Arc};

use sgp_model::{Diagnostic, Diagnostics, schema};

use super::{
    Kind, Node, Property,
    expr::{self, Mode},
    shape::{ANY, Rest, Shape},
};
use crate::syntax::ast::{Attr, Block, Body, Label};

/// What the properties of a body are.
trait Schema: Copy {
    /// The meaning of a property.
    fn member(self, property: &Property) -> Member<Self>;
}

enum Member<S> {
    Attr(Mode),
    /// So many labels, and what is inside.
    Blocks(usize, Content<S>),
    /// Not known yet.
    Undecided,
}

/// What is inside of a block.
#[derive(Clone, Copy)]
enum Content<S> {
    Of(S),
    /// `dynamic`: its label says whose content it is for.
    Dynamic(S),
}

impl Schema for &'static Shape {
    fn member(self, property: &Property) -> Member<Self> {
        let name = &*property.name.decoded;
        if let Some((_, mode)) = self.attrs.iter().find(|(attr, _)| *attr == name) {
            return Member::Attr(*mode);
        }
        if let Some((_, labels, inner)) = self.blocks.iter().find(|(ty, ..)| *ty == name) {
            return Member::Blocks(*labels, Content::Of(inner));
        }
        match self.rest {
            Rest::Attrs(mode) => Member::Attr(mode),
            Rest::Blocks => Member::Blocks(0, Content::Of(&ANY)),
            Rest::Schema => Member::Undecided,
        }
    }
}

impl Schema for &'static schema::Block {
    fn member(self, property: &Property) -> Member<Self> {
        let name = &*property.name.decoded;
        if self.attributes.contains_key(name) {
            return Member::Attr(Mode::Full);
        }
        match self.blocks.get(name) {
            // `name = [...]` is allowed in place of such blocks; what can only be that, is.
            Some(nested) if nested.computed && !is_blocks(&property.value) => Member::Attr(Mode::Full),
            Some(nested) => {
                let labels = usize::from(nested.nesting == schema::Nesting::Map);
                Member::Blocks(labels, Content::Of(&nested.block))
            }
            None if name == "dynamic" => Member::Blocks(1, Content::Dynamic(self)),
            None => Member::Attr(Mode::Full),
        }
    }
}

fn is_blocks(node: &Node) -> bool {
    match &node.kind {
        Kind::Object(_) => true,
        Kind::Array(elements) => !elements.is_empty() && elements.iter().all(|e| matches!(e.kind, Kind::Object(_))),
        _ => false,
    }
}

/// The body of a whole file.
pub(super) fn file(node: &Node, shape: &'static Shape) -> (Body, Diagnostics) {
    let mut builder = Builder { diagnostics: Diagnostics::new() };
    let mut body = Body::empty(node.span.clone());
    match flattened(node) {
        Ok(properties) => builder.properties(&properties, shape, &mut body),
        Err(at) => {
            let detail = format!(
                "The file holds a JSON object, or an array of objects, whose properties are blocks; this is {}.",
                at.kind.what()
            );
            builder.diagnostics.push(Diagnostic::error("Invalid configuration", detail).at(at.span.clone()));
        }
    }
    (body, builder.diagnostics)
}

/// The body with its undecided properties decided by the schema of its type.
pub(crate) fn decided(body: &Body, schema: &'static schema::Block) -> (Body, Diagnostics) {
    let mut builder = Builder { diagnostics: Diagnostics::new() };
    let mut out = Body { json: Vec::new(), ..body.clone() };
    let properties: Vec<&Arc<Property>> = body.json.iter().collect();
    builder.properties(&properties, schema, &mut out);
    (out, builder.diagnostics)
}

/// The properties of an object or of the objects of an array, or what is neither.
fn flattened(node: &Node) -> Result<Vec<&Arc<Property>>, &Node> {
    match &node.kind {
        Kind::Object(properties) => Ok(properties.iter().collect()),
        Kind::Array(elements) => {
            let mut all = Vec::new();
            for element in elements {
                let Kind::Object(properties) = &element.kind else { return Err(element) };
                all.extend(properties);
            }
            Ok(all)
        }
        _ => Err(node),
    }
}

/// An argument that is set twice.
pub(super) fn redefined(property: &Property) -> Diagnostic {
    let detail =
        format!("The argument {:?} was already set. Each argument may be set only once.", &*property.name.decoded);
    Diagnostic::error("Attribute redefined", detail).at(property.name.span.clone())
}

struct Builder {
    diagnostics: Diagnostics,
}

impl Builder {
    fn properties<S: Schema>(&mut self, properties: &[&Arc<Property>], schema: S, body: &mut Body) {
        let mut set: HashSet<Arc<str>> = body.attrs.iter().map(|a| a.name.clone()).collect();
        for property in properties.iter().filter(|p| &*p.name.decoded != "//") {
            match schema.member(property) {
                Member::Undecided => body.json.push((*property).clone()),
                Member::Blocks(labels, content) => {
                    self.blocks(property, &property.value, labels, &[], content, body);
                }
                Member::Attr(mode) => {
                    let name = expr::name(&property.name);
                    if !set.insert(name.clone()) {
                        self.diagnostics.push(redefined(property));
                        continue;
                    }
                    let expr = expr::of(&property.value, mode).unwrap_or_else(|error| {
                        self.diagnostics.push(error);
                        expr::unreadable(&property.value)
                    });
                    body.attrs.push(Attr { name, name_span: property.name.span.clone(), expr });
                }
            }
        }
    }

    /// The blocks that a value stands for, below the labels so far.
    fn blocks<S: Schema>(
        &mut self,
        property: &Property,
        node: &Node,
        missing: usize,
        labels: &[Label],
        content: Content<S>,
        body: &mut Body,
    ) {
        let ty = &*property.name.decoded;
        if missing > 0 {
            let inner = match flattened(node) {
                Ok(inner) => inner,
                Err(at) => {
                    let detail = format!(
                        "Below {ty:?} an object is expected here whose property names are labels of the blocks, or an array of such objects; this is {}.",
                        at.kind.what()
                    );
                    self.diagnostics.push(Diagnostic::error("Missing block label", detail).at(at.span.clone()));
                    return;
                }
            };
            for label in inner {
                let text = expr::name(&label.name);
                let labels: Vec<Label> =
                    labels.iter().cloned().chain([Label { text, span: label.name.span.clone() }]).collect();
                self.blocks(property, &label.value, missing - 1, &labels, content, body);
            }
            return;
        }
        let bodies: &[Node] = match &node.kind {
            // Nothing is said.
            Kind::Null => return,
            Kind::Array(elements) => elements,
            _ => std::slice::from_ref(node),
        };
        for node in bodies {
            let properties: Vec<&Arc<Property>> = match &node.kind {
                Kind::Object(properties) => properties.iter().collect(),
                Kind::Null => Vec::new(),
                _ => {
                    let detail = format!(
                        "{ty:?} is a block here: an object with its content is expected, or an array of objects for several blocks; this is {}.",
                        node.kind.what()
                    );
                    self.diagnostics.push(Diagnostic::error("Block expected", detail).at(node.span.clone()));
                    continue;
                }
            };
            let mut inner = Body::empty(node.span.clone());
            match content {
                Content::Of(schema) => self.properties(&properties, schema, &mut inner),
                Content::Dynamic(outer) => self.dynamic(&properties, labels, outer, &mut inner),
            }
            body.blocks.push(block(property, labels, inner));
        }
    }

    /// The body of a `dynamic` block.
    fn dynamic<S: Schema>(&mut self, properties: &[&Arc<Property>], labels: &[Label], outer: S, body: &mut Body) {
        for property in properties {
            let (mode, property) = match &*property.name.decoded {
                "content" => {
                    let target = labels.last().map(|label| Property {
                        name: super::Text { decoded: label.text.clone(), ..property.name.clone() },
                        value: property.value.clone(),
                    });
                    match target.map(|t| outer.member(&t)) {
                        Some(Member::Blocks(_, content)) => {
                            self.blocks(property, &property.value, 0, &[], content, body);
                        }
                        // There are no such blocks, which is told by whoever reads the body.
                        _ => body.blocks.push(block(property, &[], Body::empty(property.value.span.clone()))),
                    }
                    continue;
                }
                "iterator" => (Mode::Static, property),
                _ => (Mode::Full, property),
            };
            self.properties(&[property], Only(mode), body);
        }
    }
}

/// Every property is an argument.
#[derive(Clone, Copy)]
struct Only(Mode);

impl Schema for Only {
    fn member(self, _: &Property) -> Member<Self> {
        Member::Attr(self.0)
    }
}

/// A block at its innermost name, which is what messages about it underline: its type may stand far above.
fn block(property: &Property, labels: &[Label], body: Body) -> Block {
    let ty_span = labels.last().map_or(&property.name.span, |label| &label.span).clone();
    Block { ty: property.name.decoded.clone(), ty_span, labels: labels.to_vec(), body }
}
