//! Configurations for tests: HCL text in, findings out.
//!
//! [`Stack::read`] knows blocks with literal values, references, `for_each` over a literal set, `jsonencode`, `merge` and `toset`; a
//! `removed` block takes back what stood before, and `unknown()` is a value that is not known. A reference to an attribute that the text states is that value, any other is its symbol: as in a plan.
#![allow(clippy::unwrap_used)]

mod anything;
mod applied;
mod read;
mod rows;
mod stacks;
mod unknown;

use std::collections::BTreeMap;

use sgp_analysis::{
    build::{Object, Sources, build},
    topology::Topology,
};
use sgp_model::{InstanceAddr, Type, Value, plan::Action};

pub(crate) use self::stacks::WORKING;
use crate::{Edges, Finding, Input, check};

/// Attributes that AWS fills in where nothing is said.
const FILLED_IN: [(&str, &str); 5] = [
    ("aws_eks_addon", "configuration_values"),
    ("aws_eks_node_group", "instance_types"),
    ("aws_iam_role", "managed_policy_arns"),
    ("aws_security_group", "egress"),
    ("aws_security_group", "ingress"),
];

/// What a text says.
pub(crate) struct Stack {
    pub(crate) objects: Vec<Object>,
    pub(crate) edges: Edges,
}

impl Stack {
    /// The objects of a text. Later blocks replace earlier ones of the same address.
    pub(crate) fn read(texts: &[&str]) -> Self {
        read::read(texts)
    }

    /// Makes unknown what AWS fills in as an object comes into being.
    fn fill_in(&mut self, actions: &BTreeMap<InstanceAddr, Action>) {
        for object in &mut self.objects {
            let is_made = object.addr.as_ref().and_then(|it| actions.get(it)) == Some(&Action::Create);
            let is_there = object.attributes.get("id").is_some();
            for (kind, name) in FILLED_IN {
                if is_made && !is_there && object.kind == kind && object.attributes.get(name).is_none() {
                    object.attributes = object.attributes.with_attr(name, Value::unknown(Type::Dynamic));
                }
            }
        }
    }

    fn topology(&self) -> Topology {
        // Who gathered one object gathered all.
        let is_live = self.objects.iter().any(|it| it.addr.is_none());
        let complete_clusters = if is_live { vec!["orders".to_owned()] } else { Vec::new() };
        build(&Sources { objects: self.objects.clone(), complete_clusters, ..Sources::default() })
    }
}

/// Findings for a plan of what exists already, in which nothing changes.
pub(crate) fn again(texts: &[&str]) -> Vec<Finding> {
    let stack = Stack::read(texts);
    let recorded = Stack { objects: applied::applied(&stack), edges: stack.edges };
    between(Stack { objects: recorded.objects.clone(), edges: Edges::new() }, recorded)
}

/// Findings for a change from one configuration to another. Without the first everything comes into being.
pub(crate) fn change(before: &[&str], after: &[&str]) -> Vec<Finding> {
    between(Stack::read(before), Stack::read(after))
}

fn between(before: Stack, mut after: Stack) -> Vec<Finding> {
    let actions = actions(&before.objects, &after.objects);
    let config = |it: &Object| Some((it.addr.clone()?, it.attributes.clone()));
    let configs = after.objects.iter().filter_map(config).collect();
    after.fill_in(&actions);
    check(&Input {
        objects: &after.objects,
        before: &before.objects,
        topology: &after.topology(),
        topology_before: &before.topology(),
        configs: &configs,
        actions: &actions,
        edges: &after.edges,
        partition: Some("aws"),
        region: Some("eu-central-1"),
        is_live: after.objects.iter().any(|it| it.addr.is_none()),
    })
}

/// Findings of one rule for a text on top of a stack that works.
pub(crate) fn found(rule: &str, text: &str) -> Vec<Finding> {
    change(&[], &[WORKING, text]).into_iter().filter(|it| it.rule == rule).collect()
}

/// The same in a second plan, with objects that were gathered: those whose names begin with `live_`.
pub(crate) fn live_rows(rule: &str, rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        let found: Vec<Finding> = again(&[WORKING, text]).into_iter().filter(|it| it.rule == rule).collect();
        assert_eq!(told(&found), *expected, "{rule}: {text}");
    }
}

/// Rows of text and of what a rule says: for each finding its severity and address.
pub(crate) fn rows(rule: &str, rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        assert_eq!(told(&found(rule, text)), *expected, "{rule}: {text}");
    }
}

/// Findings as rows have them.
pub(crate) fn told(found: &[Finding]) -> Vec<String> {
    let addr = |it: &Finding| it.addr.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    found.iter().map(|it| format!("{} {}", it.severity, addr(it))).collect()
}

fn actions(before: &[Object], after: &[Object]) -> BTreeMap<InstanceAddr, Action> {
    let by_addr = |objects: &'_ [Object]| -> BTreeMap<InstanceAddr, Object> {
        objects.iter().filter_map(|it| Some((it.addr.clone()?, it.clone()))).collect()
    };
    let (before, after) = (by_addr(before), by_addr(after));
    let mut actions = BTreeMap::new();
    for (addr, object) in &after {
        let action = match before.get(addr) {
            None => Action::Create,
            Some(was) if was.attributes == object.attributes => Action::NoOp,
            Some(was) => replaced(was, object),
        };
        actions.insert(addr.clone(), action);
    }
    let gone = before.keys().filter(|addr| !after.contains_key(addr));
    actions.extend(gone.map(|addr| (addr.clone(), Action::Delete)));
    actions
}

/// Names and descriptions of groups cannot change.
fn replaced(was: &Object, now: &Object) -> Action {
    let is_fixed = |name: &str| was.attributes.get(name) == now.attributes.get(name);
    match was.kind.as_str() {
        "aws_security_group" if !is_fixed("name") || !is_fixed("description") => Action::DeleteThenCreate,
        _ => Action::Update,
    }
}
