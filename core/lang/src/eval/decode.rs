//! A body against a schema: the configuration of a resource, data source or provider as one value.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{
    AttrPath, Attribute, Block, Diagnostic, Kind, Marks, NestedBlock, PathStep, Schema, Span, Type, Value,
    convert::convert,
    schema::{Nesting, Presence},
    types::Field,
};

use super::{Env, Eval, Evaluator, Gather, Halt, Scope, World, ops};
use crate::{
    suggest::did_you_mean,
    syntax::{self, Attr, Body},
};

/// Where in a schema decoding is.
struct Place<'s> {
    block: &'static Block,
    /// Names that Terraform's type has beside, for messages.
    unsupported: &'s [&'static str],
    path: AttrPath,
    /// What messages about the whole block underline.
    header: Span,
}

/// The blocks of one type.
#[derive(Default)]
struct Found {
    items: Vec<(Option<Arc<str>>, Value)>,
    /// How many there are is not known yet.
    unknown: bool,
    marks: Marks,
    /// The place of the last one.
    at: Option<Span>,
}

impl<W: World> Evaluator<W> {
    /// The value of a body in the type of a schema: null where nothing is said.
    pub(super) fn decode(&mut self, body: &Body, schema: &'static Schema, header: &Span, env: &Env<'_>) -> Eval {
        let place = Place {
            block: &schema.block,
            unsupported: schema.unsupported,
            path: AttrPath::root(),
            header: header.clone(),
        };
        self.decode_body(body, &place, env)
    }

    /// Reports the arguments and blocks of a body that the schema does not have, whether or not anything evaluates it.
    pub(super) fn check_names(&mut self, body: &Body, schema: &'static Schema, header: &Span) {
        let place = Place {
            block: &schema.block,
            unsupported: schema.unsupported,
            path: AttrPath::root(),
            header: header.clone(),
        };
        self.names_in(body, &place);
    }

    fn names_in(&mut self, body: &Body, place: &Place<'_>) {
        for attr in &body.attrs {
            let nested = place.block.blocks.get(&*attr.name);
            if !place.block.attributes.contains_key(&*attr.name) && nested.is_none_or(|n| !n.computed) {
                self.record(unsupported_argument(attr, place));
            }
        }
        for block in &body.blocks {
            let dynamic = is_dynamic(block, place);
            let (name, at) = block_name(block, dynamic);
            let Some((name, nested)) = place.block.blocks.get_key_value(&**name) else {
                self.record(unsupported_block(name, at, place));
                continue;
            };
            let bodies = if dynamic { block.body.blocks.iter().map(|c| &c.body).collect() } else { vec![&block.body] };
            for body in bodies {
                let inner = inner_place(name, nested, place, &Found::default(), None, block.header());
                self.names_in(body, &inner);
            }
        }
    }

    /// The object with nothing in it; made once for each schema.
    fn empty(&mut self, block: &'static Block) -> Value {
        let address = std::ptr::from_ref(block) as usize;
        self.empties.entry(address).or_insert_with(|| block.empty()).clone()
    }

    fn decode_body(&mut self, body: &Body, place: &Place<'_>, env: &Env<'_>) -> Eval {
        let mut gather = Gather::default();
        let mut fields: BTreeMap<Arc<str>, Value> = self.empty(place.block).as_fields().cloned().unwrap_or_default();
        for attr in &body.attrs {
            if let Some(value) = gather.take(self.decode_attr(attr, place, env)) {
                fields.insert(attr.name.clone(), value);
            }
        }
        for (name, attribute) in &place.block.attributes {
            if attribute.presence == Presence::Required && body.attr(name).is_none() {
                gather.push(missing(name, place));
            }
        }
        let found = self.nested(&body.blocks, place, env, &mut gather);
        for (name, nested) in &place.block.blocks {
            if body.attr(name).is_some() {
                continue;
            }
            let blocks = found.get(name);
            if let Err(d) = count(name, nested, blocks, place) {
                gather.push(d);
                continue;
            }
            if let (Some(blocks), Some(field)) = (blocks, fields.get_mut(*name)) {
                *field = assemble(nested, blocks, field);
            }
        }
        gather.finish(Kind::Object(Arc::new(fields)).into())
    }

    fn decode_attr(&mut self, attr: &Attr, place: &Place<'_>, env: &Env<'_>) -> Eval {
        let path = place.path.with(PathStep::Attr(attr.name.clone()));
        if let Some(attribute) = place.block.attributes.get(&*attr.name) {
            return self.set(attr, attribute, &path, env);
        }
        match place.block.blocks.get(&*attr.name) {
            Some(nested) if nested.computed => self.blocks_as_value(attr, nested, &path, env),
            _ => Err(unsupported_argument(attr, place).attribute(path).into()),
        }
    }

    fn set(&mut self, attr: &Attr, attribute: &Attribute, path: &AttrPath, env: &Env<'_>) -> Eval {
        if !attribute.is_settable() {
            return Err(Diagnostic::error(
                "Value for unconfigurable attribute",
                format!("{:?} cannot be set: its value is decided when the object is created and is only read. Remove the argument.", &*attr.name),
            )
            .at(attr.name_span.clone())
            .attribute(path.clone())
            .into());
        }
        if let Some(why) = attribute.deprecated {
            self.record(
                Diagnostic::warning("Argument is deprecated", format!("{:?} is deprecated: {why}", &*attr.name))
                    .at(attr.name_span.clone())
                    .attribute(path.clone()),
            );
        }
        let given = self.value(&attr.expr, env)?;
        let value = convert(&given, &attribute.ty).map_err(|e| self.wrong_type(attr, path, &e, env))?;
        let value = with_elements(&given, value);
        if value.is_null() && attribute.presence == Presence::Required {
            let d = Diagnostic::error(
                "Missing required argument",
                format!("The argument {:?} is required, but its value is null.", &*attr.name),
            );
            return Err(self.error(d.attribute(path.clone()), &attr.expr, env));
        }
        Ok(if attribute.sensitive && !value.is_null() { value.sensitive() } else { value })
    }

    fn wrong_type(
        &mut self,
        attr: &Attr,
        path: &AttrPath,
        e: &sgp_model::convert::ConvertError,
        env: &Env<'_>,
    ) -> Halt {
        let d = Diagnostic::error(
            "Incorrect attribute value type",
            format!("Inappropriate value for attribute {:?}: {e}.", &*attr.name),
        );
        let path = AttrPath(path.0.iter().chain(&e.path.0).cloned().collect());
        self.error(d.attribute(path), attr.expr.part(&e.path.0), env)
    }

    /// `name = [...]` in place of blocks.
    fn blocks_as_value(&mut self, attr: &Attr, nested: &NestedBlock, path: &AttrPath, env: &Env<'_>) -> Eval {
        let element = lenient(&nested.block);
        let ty = match nested.nesting {
            Nesting::Single => element,
            Nesting::List => Type::list(element),
            Nesting::Set => Type::set(element),
            Nesting::Map => Type::map(element),
        };
        let value = self.value(&attr.expr, env)?;
        // A single object is what one block would be.
        let value = match (nested.nesting, value.kind()) {
            (Nesting::List | Nesting::Set, Kind::Object(_)) => Value::tuple(vec![value]),
            _ => value,
        };
        let converted = convert(&value, &ty).map_err(|e| self.wrong_type(attr, path, &e, env))?;
        let value = with_elements(&value, converted);
        Ok(if value.is_null() { nested.empty() } else { value })
    }

    /// All nested blocks by type, `dynamic` ones written out.
    fn nested(
        &mut self,
        blocks: &[syntax::Block],
        place: &Place<'_>,
        env: &Env<'_>,
        gather: &mut Gather,
    ) -> BTreeMap<&'static str, Found> {
        let mut found: BTreeMap<&'static str, Found> = BTreeMap::new();
        for block in blocks {
            let dynamic = is_dynamic(block, place);
            let (name, at) = block_name(block, dynamic);
            let Some((name, nested)) = place.block.blocks.get_key_value(&**name) else {
                gather.push(unsupported_block(name, at, place));
                continue;
            };
            let entry = found.entry(name).or_default();
            entry.at = Some(at.clone());
            let done = if dynamic {
                self.dynamic(block, name, nested, place, env, entry)
            } else {
                self.block_item(block, name, nested, place, env, entry)
            };
            gather.take(done);
        }
        found
    }

    fn block_item(
        &mut self,
        block: &syntax::Block,
        name: &'static str,
        nested: &'static NestedBlock,
        place: &Place<'_>,
        env: &Env<'_>,
        found: &mut Found,
    ) -> Eval<()> {
        let labels: Vec<Arc<str>> = block.labels.iter().map(|l| l.text.clone()).collect();
        let label = label(name, nested, &labels, &block.header())?;
        let inner = inner_place(name, nested, place, found, label.as_ref(), block.header());
        let value = self.decode_body(&block.body, &inner, env)?;
        found.items.push((label, value));
        Ok(())
    }

    fn dynamic(
        &mut self,
        block: &syntax::Block,
        name: &'static str,
        nested: &'static NestedBlock,
        place: &Place<'_>,
        env: &Env<'_>,
        found: &mut Found,
    ) -> Eval<()> {
        let invalid = |detail: String, at: Span| Halt::from(Diagnostic::error("Invalid dynamic block", detail).at(at));
        if let Some(attr) = block.body.attrs.iter().find(|a| !["for_each", "iterator", "labels"].contains(&&*a.name)) {
            return Err(invalid(
                format!(
                    "A dynamic block takes for_each, iterator and labels; {:?} belongs into its content block.",
                    &*attr.name
                ),
                attr.name_span.clone(),
            ));
        }
        let Some(for_each) = block.body.attr("for_each") else {
            return Err(invalid("The argument \"for_each\" is required in a dynamic block.".into(), block.header()));
        };
        let [content] = block.body.blocks.as_slice() else {
            return Err(invalid("A dynamic block has exactly one content block.".into(), block.header()));
        };
        if &*content.ty != "content" {
            return Err(invalid("A dynamic block has exactly one content block.".into(), content.ty_span.clone()));
        }
        let iterator: Arc<str> = match block.body.attr("iterator") {
            None => name.into(),
            Some(attr) => match attr.expr.as_name() {
                Some(name) => name.clone(),
                None => return Err(invalid("The iterator is a single name.".into(), attr.expr.span.clone())),
            },
        };
        let (collection, marks) = self.value(&for_each.expr, env)?.unmark();
        found.marks = found.marks.union(marks);
        self.check_iterable(&collection, &for_each.expr, "a dynamic block", env)?;
        let Some(pairs) = ops::pairs(&collection) else {
            found.unknown = true;
            // The content is still checked, with an element about which nothing is known.
            let item = Value::object([("key", Value::unknown(Type::Dynamic)), ("value", element_of(&collection))]);
            let scope = Scope { name: &iterator, value: item, outer: env.scope };
            let inner = inner_place(name, nested, place, found, None, content.header());
            return self.decode_body(&content.body, &inner, &env.with(&scope)).map(drop);
        };
        let mut gather = Gather::default();
        for (key, value) in pairs {
            let item = Value::object([("key", key), ("value", value)]);
            let scope = Scope { name: &iterator, value: item, outer: env.scope };
            let env = env.with(&scope);
            let label = gather.take(self.dynamic_label(block, name, nested, &env)).flatten();
            let inner = inner_place(name, nested, place, found, label.as_ref(), content.header());
            if let Some(value) = gather.take(self.decode_body(&content.body, &inner, &env)) {
                found.items.push((label, value));
            }
        }
        gather.finish(())
    }

    fn dynamic_label(
        &mut self,
        block: &syntax::Block,
        name: &'static str,
        nested: &NestedBlock,
        env: &Env<'_>,
    ) -> Eval<Option<Arc<str>>> {
        let Some(attr) = block.body.attr("labels") else { return label(name, nested, &[], &block.header()) };
        let value = self.value_as(&attr.expr, &Type::list(Type::String), "labels", env)?;
        let labels: Vec<Arc<str>> = value.str_elements().into_iter().map(Arc::from).collect();
        label(name, nested, &labels, &attr.expr.span)
    }
}

/// Whether a block stands for any number of others.
fn is_dynamic(block: &syntax::Block, place: &Place<'_>) -> bool {
    &*block.ty == "dynamic" && !place.block.blocks.contains_key("dynamic")
}

/// The type of a block, or of those that a dynamic one stands for, with its place.
fn block_name(block: &syntax::Block, dynamic: bool) -> (&Arc<str>, &Span) {
    match block.labels.first() {
        Some(label) if dynamic => (&label.text, &label.span),
        _ => (&block.ty, &block.ty_span),
    }
}

/// What is known of the elements of an unknown collection.
fn element_of(collection: &Value) -> Value {
    match collection.ty() {
        Type::List(t) | Type::Set(t) | Type::Map(t) => Value::unknown((*t).clone()),
        _ => Value::unknown(Type::Dynamic),
    }
}

fn inner_place<'s>(
    name: &'static str,
    nested: &'static NestedBlock,
    place: &Place<'s>,
    found: &Found,
    label: Option<&Arc<str>>,
    header: Span,
) -> Place<'s> {
    let path = place.path.with(PathStep::Attr(name.into()));
    let path = match (nested.nesting, label) {
        (Nesting::Single, _) => path,
        (Nesting::Map, Some(label)) => path.with(PathStep::Key(label.clone())),
        _ => path.with(PathStep::Index(found.items.len())),
    };
    Place { block: &nested.block, unsupported: &[], path, header }
}

fn label(name: &str, nested: &NestedBlock, labels: &[Arc<str>], at: &Span) -> Eval<Option<Arc<str>>> {
    match (nested.nesting, labels) {
        (Nesting::Map, [label]) => Ok(Some(label.clone())),
        (Nesting::Map, _) => {
            Err(Diagnostic::error("Missing name for block", format!("A {name} block takes one label, its key."))
                .at(at.clone())
                .into())
        }
        (_, []) => Ok(None),
        _ => Err(Diagnostic::error("Extraneous label for block", format!("No labels are expected for {name} blocks."))
            .at(at.clone())
            .into()),
    }
}

/// Whether there are as many blocks as there must and may be.
fn count(name: &str, nested: &NestedBlock, found: Option<&Found>, place: &Place<'_>) -> Result<(), Diagnostic> {
    if found.is_some_and(|f| f.unknown) {
        return Ok(());
    }
    let n = found.map_or(0, |f| f.items.len());
    let at = found.and_then(|f| f.at.clone()).unwrap_or_else(|| place.header.clone());
    let path = place.path.with(PathStep::Attr(name.into()));
    let max = if nested.nesting == Nesting::Single { 1 } else { nested.max };
    // A block that could not be decoded is not missing: it has its own error.
    if n < nested.min && found.is_none_or(|f| f.at.is_none() || !f.items.is_empty()) {
        let detail = match (nested.min, n) {
            (1, _) => format!("At least one block of type {name:?} is required."),
            (min, n) => format!(
                "At least {min} blocks of type {name:?} are required, but there {} {n}.",
                if n == 1 { "is" } else { "are" }
            ),
        };
        return Err(Diagnostic::error(format!("Insufficient {name} blocks"), detail)
            .at(place.header.clone())
            .attribute(path));
    }
    if max > 0 && n > max {
        let detail = format!(
            "No more than {max} block{} of type {name:?} {} allowed.",
            if max == 1 { "" } else { "s" },
            if max == 1 { "is" } else { "are" }
        );
        return Err(Diagnostic::error(format!("Too many {name} blocks"), detail).at(at).attribute(path));
    }
    Ok(())
}

/// The value of all blocks of one type; `empty` is what it is without any and carries the element type.
fn assemble(nested: &NestedBlock, found: &Found, empty: &Value) -> Value {
    if found.unknown {
        return Value::unknown(nested.ty()).mark(found.marks);
    }
    let items = || found.items.iter().map(|(_, v)| v.clone());
    let labelled = || found.items.iter().filter_map(|(label, v)| Some((label.clone()?, v.clone())));
    let value: Value = match (nested.nesting, empty.kind()) {
        (Nesting::List, Kind::List(ty, _)) => Value::list(ty.clone(), items().collect()),
        (Nesting::Set, Kind::Set(ty, _)) => Value::set(ty.clone(), items()),
        (Nesting::Map, Kind::Map(ty, _)) => Value::map(ty.clone(), labelled()),
        // Without any, a block that the provider decides is null, and tells no element type.
        (Nesting::List, _) => Value::list(nested.block.ty(), items().collect()),
        (Nesting::Set, _) => Value::set(nested.block.ty(), items()),
        (Nesting::Map, _) => Value::map(nested.block.ty(), labelled()),
        (Nesting::Single, _) => items().next().unwrap_or_else(|| empty.clone()),
    };
    value.mark(found.marks)
}

/// The object type of a block in which everything that may be left out is optional.
fn lenient(block: &Block) -> Type {
    let attributes = block
        .attributes
        .iter()
        .map(|(name, a)| (Arc::from(*name), Field { ty: a.ty.clone(), optional: a.presence != Presence::Required }));
    let blocks = block.blocks.iter().map(|(name, n)| {
        let element = lenient(&n.block);
        let ty = match n.nesting {
            Nesting::Single => element,
            Nesting::List => Type::list(element),
            Nesting::Set => Type::set(element),
            Nesting::Map => Type::map(element),
        };
        (Arc::from(*name), Field { ty, optional: true })
    });
    Type::Object(Arc::new(attributes.chain(blocks).collect()))
}

fn missing(name: &str, place: &Place<'_>) -> Diagnostic {
    Diagnostic::error(
        "Missing required argument",
        format!("The argument {name:?} is required, but no definition was found."),
    )
    .at(place.header.clone())
    .attribute(place.path.with(PathStep::Attr(name.into())))
}

fn unsupported_argument(attr: &Attr, place: &Place<'_>) -> Diagnostic {
    let name = &*attr.name;
    let hint = if place.unsupported.contains(&name) {
        return not_yet("argument", name, &attr.name_span);
    } else if place.block.blocks.contains_key(name) {
        format!(" Did you mean to define a block of type {name:?}? Write it without the equals sign.")
    } else {
        let settable = place.block.attributes.iter().filter(|(_, a)| a.is_settable()).map(|(n, _)| *n);
        did_you_mean(name, settable.chain(place.block.blocks.keys().copied()))
    };
    Diagnostic::error("Unsupported argument", format!("An argument named {name:?} is not expected here.{hint}"))
        .at(attr.name_span.clone())
}

fn unsupported_block(name: &str, at: &Span, place: &Place<'_>) -> Diagnostic {
    let hint = if place.unsupported.contains(&name) {
        return not_yet("block", name, at);
    } else if place.block.attributes.get(name).is_some_and(Attribute::is_settable) {
        format!(" Did you mean to set the argument {name:?}? Write it with an equals sign.")
    } else {
        did_you_mean(name, place.block.blocks.keys().copied())
    };
    Diagnostic::error("Unsupported block type", format!("Blocks of type {name:?} are not expected here.{hint}"))
        .at(at.clone())
}

fn not_yet(what: &str, name: &str, at: &Span) -> Diagnostic {
    Diagnostic::error(
        format!("Unsupported {what}{}", if what == "block" { " type" } else { "" }),
        format!("Terraform's type has {name:?}, but sgp does not support it yet."),
    )
    .at(at.clone())
}

/// A set that is not known because it is not clear how many of its unknown elements are one, with its elements all the same: a plan
/// shows those that are known.
fn with_elements(given: &Value, converted: Value) -> Value {
    let (Kind::Unknown(_), Type::Set(element), Some(_)) = (converted.kind(), converted.ty(), given.elements()) else {
        return converted;
    };
    let list = convert(given, &Type::list((*element).clone())).ok();
    let elements = list.as_ref().and_then(Value::elements).map(|all| all.into_iter().cloned().collect::<Vec<_>>());
    elements.map_or(converted.clone(), |all| Value::set((*element).clone(), all).mark(converted.marks()))
}
