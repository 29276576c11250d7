//! What is not known may be right: no rule makes an error of it.

use sgp_model::{AttrPath, Type, Value};

use super::{Edges, Stack, WORKING, between};
use crate::{Severity, rules};

/// Makes one leaf unknown after the other, of objects that `is_meant`, and collects the errors that come of it.
fn errors(texts: &[&str], is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let stack = Stack::read(texts);
    let mut found = Vec::new();
    for (at, object) in
        stack.objects.iter().enumerate().filter(|(_, it)| is_meant(&it.addr.as_ref().unwrap().to_string()))
    {
        let mut leaves: Vec<AttrPath> = Vec::new();
        object.attributes.walk(&mut |path, value| {
            if value.elements().is_none() && value.as_fields().is_none() {
                leaves.push(path.clone());
            }
        });
        for leaf in leaves {
            let mut objects = stack.objects.clone();
            let hide =
                |path: &AttrPath, value: Value| if *path == leaf { Value::unknown(Type::Dynamic) } else { value };
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

#[test]
fn what_is_not_known_is_no_error() {
    let stacks = [WORKING, include_str!("stacks/modules.tf"), include_str!("stacks/fargate.tf")];
    let mut all: Vec<String> = stacks.iter().flat_map(|it| errors(&[it], |_| true)).collect();
    for rule in rules() {
        let own = Stack::read(&[rule.examples.right]);
        let names: Vec<String> = own.objects.iter().map(|it| it.addr.as_ref().unwrap().to_string()).collect();
        all.extend(errors(&[WORKING, rule.examples.right], |it| names.iter().any(|name| name == it)));
    }
    // Nobody states it: it is known as soon as the cluster is there.
    all.retain(|it| !it.contains(".cluster_security_group_id: "));
    assert!(all.is_empty(), "{}", all.join("\n"));
}
