//! Configurations for tests: HCL text in, findings out.
//!
//! [`Stack::read`] knows blocks with literal values, references, `for_each` over a literal set, `jsonencode` and `toset`; a
//! `removed` block takes back what stood before, and `unknown()` is a value that is not known. A reference to an attribute that the text states is that value, any other is its symbol: as in a plan.
#![allow(clippy::unwrap_used)]

mod anything;
mod read;
mod rows;
mod stacks;

use std::collections::BTreeMap;

use sgp_analysis::{
    build::{Object, Sources, build},
    topology::Topology,
};
use sgp_model::{InstanceAddr, plan::Action};

pub(crate) use self::stacks::WORKING;
use crate::{Edges, Finding, Input, check};

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

    fn topology(&self) -> Topology {
        build(&Sources { objects: self.objects.clone(), ..Sources::default() })
    }
}

/// Findings for a change from one configuration to another. Without the first everything comes into being.
pub(crate) fn change(before: &[&str], after: &[&str]) -> Vec<Finding> {
    let (before, after) = (Stack::read(before), Stack::read(after));
    let actions = actions(&before.objects, &after.objects);
    check(&Input {
        objects: &after.objects,
        before: &before.objects,
        topology: &after.topology(),
        topology_before: &before.topology(),
        actions: &actions,
        edges: &after.edges,
        partition: Some("aws"),
        region: Some("eu-central-1"),
        is_live: false,
    })
}

/// Findings of one rule for a text on top of a stack that works.
pub(crate) fn found(rule: &str, text: &str) -> Vec<Finding> {
    change(&[], &[WORKING, text]).into_iter().filter(|it| it.rule == rule).collect()
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
        objects.iter().map(|it| (it.addr.clone().unwrap(), it.clone())).collect()
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
