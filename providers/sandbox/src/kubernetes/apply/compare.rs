//! What changed between two objects, as sets of fields; and the set of all fields of one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::form::{Form, Shape};
use super::set::{Element, Node, Set};
use crate::kubernetes::schema::Schema;

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Only the second has it.
    pub(super) added: Set,
    /// Both have it, and it differs.
    pub(super) modified: Set,
    /// Only the first has it.
    pub(super) removed: Set,
}

impl Changes {
    /// Leaves out fields that the request cannot change.
    pub(super) fn without(self, fields: &Set) -> Self {
        Self {
            added: self.added.without(fields),
            modified: self.modified.without(fields),
            removed: self.removed.without(fields),
        }
    }

    /// What the second made or changed.
    pub(super) fn written(&self) -> Set {
        self.modified.clone().union(&self.added)
    }
}

/// [`Changes`] at one element.
#[derive(Default)]
struct Found {
    added: Node,
    modified: Node,
    removed: Node,
}

impl Found {
    fn put(&mut self, element: &Element, below: Self) {
        self.added.below.put(element.clone(), below.added);
        self.modified.below.put(element.clone(), below.modified);
        self.removed.below.put(element.clone(), below.removed);
    }
}

/// What changed from `old` to `new`, objects of this schema.
pub(super) fn compare(old: &Value, new: &Value, schema: &Schema) -> Changes {
    let found = at(Some(old), Some(new), Form(Some(schema)));
    Changes { added: found.added.below, modified: found.modified.below, removed: found.removed.below }
}

fn at(old: Option<&Value>, new: Option<&Value>, form: Form<'_>) -> Found {
    let mut found = Found::default();
    if let (Some(old), Some(new)) = (old, new)
        && old == new
    {
        return found;
    }
    let shape = match (form.shape(old), form.shape(new)) {
        _ if is_empty(old) && is_empty(new) => Shape::Leaf,
        (one, two) if one == two => one,
        // Nothing, and null, become what the other is.
        (one, _) if is_nothing(new) => one,
        (_, two) if is_nothing(old) => two,
        _ => Shape::Leaf,
    };
    match shape {
        Shape::Leaf if old.is_some() && new.is_some() => found.modified.is_member = true,
        Shape::Leaf => {}
        Shape::Map => maps(old, new, form, &mut found),
        Shape::List => lists(old, new, form, &mut found),
    }
    found.added.is_member |= old.is_none();
    found.removed.is_member |= new.is_none();
    found
}

fn is_nothing(value: Option<&Value>) -> bool {
    value.is_none_or(Value::is_null)
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        _ => false,
    }
}

fn maps(old: Option<&Value>, new: Option<&Value>, form: Form<'_>, found: &mut Found) {
    let empty = Map::new();
    let old = old.and_then(Value::as_object).unwrap_or(&empty);
    let new = new.and_then(Value::as_object).unwrap_or(&empty);
    for (name, value) in old {
        found.put(&Element::field(name), at(Some(value), new.get(name), form.member(name)));
    }
    for (name, value) in new {
        if !old.contains_key(name) {
            found.put(&Element::field(name), at(None, Some(value), form.member(name)));
        }
    }
}

fn lists(old: Option<&Value>, new: Option<&Value>, form: Form<'_>, found: &mut Found) {
    let group = |list: Option<&'_ Value>| -> BTreeMap<Element, Vec<Value>> {
        let mut groups: BTreeMap<Element, Vec<Value>> = BTreeMap::new();
        for (element, item) in form.elements(list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice)) {
            groups.entry(element).or_default().push(item.clone());
        }
        groups
    };
    let (old, mut new) = (group(old), group(new));
    for (element, old) in old {
        let new = new.remove(&element).unwrap_or_default();
        items(&element, &old, &new, form, found);
    }
    for (element, new) in new {
        items(&element, &[], &new, form, found);
    }
}

/// Compares the items that one element means: mostly one on each side. Repeated items are one value together.
fn items(element: &Element, old: &[Value], new: &[Value], form: Form<'_>, found: &mut Found) {
    let below = match (old, new) {
        (old, new) if old.len() <= 1 && new.len() <= 1 => at(old.first(), new.first(), form.items()),
        (old, new) if old.len() >= 2 && new.len() >= 2 => {
            let modified = Node { is_member: old != new, ..Node::default() };
            Found { modified, ..Found::default() }
        }
        (old, new) if old.len() >= 2 => {
            let mut below = new.first().map_or_else(Found::default, |new| at(None, Some(new), form.items()));
            below.removed.is_member = true;
            below
        }
        (old, _) => {
            let mut below = old.first().map_or_else(Found::default, |old| at(Some(old), None, form.items()));
            below.added.is_member = true;
            below
        }
    };
    found.put(element, below);
}

/// All fields of an object, as its applier owns them.
pub(super) fn fields(object: &Value, schema: &Schema) -> Set {
    fields_at(object, Form(Some(schema))).below
}

fn fields_at(value: &Value, form: Form<'_>) -> Node {
    match (form.shape(Some(value)), value) {
        (Shape::Map, Value::Object(members)) => {
            let mut node = Node::default();
            for (name, value) in members {
                let mut below = fields_at(value, form.member(name));
                let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                below.is_member |= is_empty || !form.names(name);
                node.below.put(Element::field(name), below);
            }
            node
        }
        (Shape::List, Value::Array(items)) => {
            let mut node = Node::default();
            for (element, item) in form.elements(items) {
                // Repeated items are owned together, not by their members.
                let below = if node.below.0.contains_key(&element) {
                    Node::member()
                } else {
                    Node { is_member: true, ..fields_at(item, form.items()) }
                };
                node.below.put(element, below);
            }
            node
        }
        _ => Node::member(),
    }
}
