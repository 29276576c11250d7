//! What is not known may be right: no rule makes an error of it.

use sgp_model::{AttrPath, Type, Value, symbol};

use super::{Edges, Stack, WORKING, between, change};
use crate::{Severity, rules};

/// Makes one leaf unknown after the other, of objects that `is_meant`, and collects the errors that come of it.
fn errors(texts: &[&str], change: fn(&Value) -> Option<Value>, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let stack = Stack::read(texts);
    let mut found = Vec::new();
    for (at, object) in
        stack.objects.iter().enumerate().filter(|(_, it)| is_meant(&it.addr.as_ref().unwrap().to_string()))
    {
        let mut leaves: Vec<AttrPath> = Vec::new();
        object.attributes.walk(&mut |path, value| {
            if value.elements().is_none() && value.as_fields().is_none() && change(value).is_some() {
                leaves.push(path.clone());
            }
        });
        for leaf in leaves {
            let mut objects = stack.objects.clone();
            let hide = |path: &AttrPath, value: Value| {
                let other = if *path == leaf { change(&value) } else { None };
                other.unwrap_or(value)
            };
            objects[at].attributes = object.attributes.map_deep(&mut hide.clone());
            let after = Stack { objects, edges: stack.edges.clone() };
            let errors = between(Stack { objects: Vec::new(), edges: Edges::new() }, after);
            let errors = errors.into_iter().filter(|it| it.severity == Severity::Error);
            found.extend(
                errors.map(|it| format!("{}.{leaf}: {} {}", object.addr.as_ref().unwrap(), it.rule, it.detail)),
            );
        }
    }
    found
}

/// Errors of all right configurations in which one leaf was changed.
fn errors_of_all(change: fn(&Value) -> Option<Value>) -> Vec<String> {
    let stacks = [WORKING, include_str!("stacks/modules.tf"), include_str!("stacks/fargate.tf")];
    let mut all: Vec<String> = stacks.iter().flat_map(|it| errors(&[it], change, |_| true)).collect();
    for rule in rules() {
        let own = Stack::read(&[rule.examples.right]);
        let names: Vec<String> = own.objects.iter().map(|it| it.addr.as_ref().unwrap().to_string()).collect();
        all.extend(errors(&[WORKING, rule.examples.right], change, |it| names.iter().any(|name| name == it)));
    }
    // Nobody states it: it is known as soon as the cluster is there.
    all.retain(|it| !it.contains(".cluster_security_group_id: "));
    all
}

#[test]
fn what_is_not_known_is_no_error() {
    let found = errors_of_all(|_| Some(Value::unknown(Type::Dynamic)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_a_data_source_finds_may_be_the_same_thing() {
    let found = errors_of_all(|value| {
        let is_reference = value.as_str().and_then(symbol::reference).is_some();
        is_reference.then(|| Value::string(symbol::symbol("data.test_look.x.id")))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_another_configuration_has_is_not_missed() {
    let alone =
        rules().iter().flat_map(|rule| change(&[], &[rule.examples.right]).into_iter().map(move |it| (rule.id, it)));
    let found: Vec<String> = alone
        .filter(|(_, it)| it.severity == Severity::Error)
        .map(|(id, it)| format!("{id} alone: {} {}", it.rule, it.detail))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
