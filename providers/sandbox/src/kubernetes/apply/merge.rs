//! Merges what is applied into what is there, and takes away what is not applied any more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::form::{Form, Shape};
use super::set::{Element, Node, Set};
use crate::kubernetes::schema::Schema;

/// Merges `config` into `object`.
pub(super) fn merge(object: &mut Value, config: &Value, schema: &Schema) {
    merge_at(object, config, Form(Some(schema)));
}

fn merge_at(object: &mut Value, config: &Value, form: Form<'_>) {
    // What is null in the configuration of an object or list says nothing about it.
    if config.is_null() && form.shape(Some(object)) != Shape::Leaf {
        return;
    }
    match (form.shape(Some(config)), object, config) {
        (Shape::Map, Value::Object(members), Value::Object(new)) => {
            for (name, value) in new {
                match members.get_mut(name) {
                    Some(old) => merge_at(old, value, form.member(name)),
                    None => {
                        members.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Shape::List, Value::Array(items), Value::Array(new)) if !(items.is_empty() && new.is_empty()) => {
            *items = merge_lists(std::mem::take(items), new, form);
        }
        (_, object, config) => *object = config.clone(),
    }
}

/// Items that only one side has keep their place; those of both come in the order of the configuration.
fn merge_lists(old: Vec<Value>, new: &[Value], form: Form<'_>) -> Vec<Value> {
    let new = form.elements(new);
    let wanted: BTreeMap<&Element, &Value> = new.iter().map(|(element, item)| (element, *item)).collect();
    let old: Vec<(Element, Value)> =
        old.into_iter().filter_map(|item| form.element(&item).ok().map(|element| (element, item))).collect();
    let mut counts: BTreeMap<&Element, usize> = BTreeMap::new();
    for (element, _) in &old {
        *counts.entry(element).or_default() += 1;
    }
    let mut shared: VecDeque<&Element> =
        new.iter().map(|(element, _)| element).filter(|element| counts.contains_key(element)).collect();
    let mut next_shared = shared.pop_front();
    // Repeated items are replaced, not merged.
    let merged = |element: &Element| {
        let mut before = old.iter().filter(|(other, _)| other == element);
        let item = wanted.get(element).map(|item| (*item).clone()).unwrap_or_default();
        match (counts.get(element), before.next()) {
            (Some(1), Some((_, before))) => {
                let mut before = before.clone();
                merge_at(&mut before, &item, form.items());
                before
            }
            _ => item,
        }
    };
    let mut out = Vec::with_capacity(old.len() + new.len());
    let mut done: BTreeSet<&Element> = BTreeSet::new();
    let (mut left, mut right) = (0, 0);
    while left < old.len() || right < new.len() {
        if let (Some((one, _)), Some((two, _))) = (old.get(left), new.get(right)) {
            if one == two {
                done.insert(two);
                out.push(merged(two));
                left += 1;
                right += 1;
                next_shared = shared.pop_front();
                continue;
            }
            if wanted.contains_key(one) && next_shared.is_some_and(|next| next != one) {
                // It is one of both, and its turn comes later.
                left += 1;
                continue;
            }
        }
        if let Some((one, item)) = old.get(left) {
            if !wanted.contains_key(one) {
                out.push(item.clone());
                left += 1;
                continue;
            }
            if done.contains(one) {
                left += 1;
            }
        }
        if let Some((two, _)) = new.get(right) {
            done.insert(two);
            out.push(merged(two));
            right += 1;
            if next_shared == Some(two) {
                next_shared = shared.pop_front();
            }
        } else if left < old.len() && !done.contains(&old[left].0) {
            left += 1;
        }
    }
    out
}

/// Takes the fields of the set away. What is empty then becomes null: it is decoding that drops it.
pub(super) fn remove(object: &mut Value, set: &Set, schema: &Schema) {
    remove_at(object, set, Form(Some(schema)));
}

fn remove_at(value: &mut Value, set: &Set, form: Form<'_>) {
    let node = |element: &Element| set.0.get(element);
    let is_empty = match (form.shape(Some(value)), &mut *value) {
        (Shape::Map, Value::Object(members)) => {
            members.retain(|name, value| match node(&Element::field(name)) {
                Some(Node { is_member: true, .. }) => false,
                Some(node) if !node.below.is_empty() => {
                    remove_at(value, &node.below, form.member(name));
                    true
                }
                _ => true,
            });
            members.is_empty()
        }
        (Shape::List, Value::Array(items)) => {
            items.retain_mut(|item| match form.element(item).ok().as_ref().and_then(node) {
                Some(Node { is_member: true, .. }) => false,
                Some(node) if !node.below.is_empty() => {
                    remove_at(item, &node.below, form.items());
                    true
                }
                _ => true,
            });
            items.is_empty()
        }
        _ => false,
    };
    if is_empty {
        *value = Value::Null;
    }
}

/// The set with the named members on the way to its paths: who owns `spec.a.b` is asked whether `spec.a` may go.
pub(super) fn with_named(set: &Set, schema: &Schema) -> Set {
    named_at(set, Form(Some(schema)))
}

fn named_at(set: &Set, form: Form<'_>) -> Set {
    let node = |(element, node): (&Element, &Node)| {
        let (is_named, below) = match element {
            Element::Field(name) => (form.names(name), form.member(name)),
            Element::Key(_) => (false, form.items()),
            Element::Value(_) | Element::Index(_) => (false, Form(None)),
        };
        let is_member = node.is_member || (is_named && !node.below.is_empty());
        (element.clone(), Node { is_member, below: named_at(&node.below, below) })
    };
    Set(set.0.iter().map(node).collect())
}
