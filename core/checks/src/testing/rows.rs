//! Tests over the whole list of rules.

use std::collections::BTreeSet;

use super::{WORKING, again, change};
use crate::{Severity, explain, page, rules, unknowable};

fn after(rule: &crate::Rule, text: &str) -> Vec<crate::Finding> {
    let before: &[&str] = if rule.examples.before.is_empty() { &[] } else { &[WORKING, rule.examples.before] };
    change(before, &[WORKING, text])
}

#[test]
fn wrong_examples_are_found_and_right_ones_are_not() {
    for rule in rules() {
        let wrong = after(rule, rule.examples.wrong);
        let own: Vec<_> = wrong.iter().filter(|it| it.rule == rule.id).collect();
        assert!(!own.is_empty(), "{} says nothing of its wrong example", rule.id);
        assert!(own.iter().all(|it| it.severity <= rule.severity), "{} is worse than it says", rule.id);
        let right = after(rule, rule.examples.right);
        let bad: Vec<_> = right.iter().filter(|it| it.rule == rule.id || it.severity == Severity::Error).collect();
        assert!(bad.is_empty(), "{}: its right example is not right: {bad:#?}", rule.id);
    }
}

#[test]
fn right_examples_stay_right() {
    for rule in rules() {
        let found = again(&[WORKING, rule.examples.right]);
        let bad: Vec<_> = found.iter().filter(|it| it.rule == rule.id || it.severity == Severity::Error).collect();
        assert!(bad.is_empty(), "{}: in a second plan its right example is not right: {bad:#?}", rule.id);
    }
}

#[test]
fn every_number_has_a_rule_or_a_reason() {
    let blocks = [(1, 27), (101, 121), (201, 213), (301, 327), (401, 430), (501, 514), (601, 610)];
    let all: BTreeSet<String> = blocks.iter().flat_map(|(a, b)| *a..=*b).map(|n| format!("SGP{n:03}")).collect();
    let told = rules().iter().map(|it| it.id).chain(unknowable().iter().map(|(id, _)| *id));
    let ours: Vec<String> = told.map(str::to_owned).collect();
    let set: BTreeSet<String> = ours.iter().cloned().collect();
    assert_eq!(set.len(), ours.len(), "a number is there twice");
    let missing: Vec<_> = all.difference(&set).collect();
    assert!(missing.is_empty(), "no rule and no reason: {missing:?}");
    assert!(set.is_subset(&all));
}

#[test]
fn rules_and_reasons_are_sorted() {
    assert!(rules().is_sorted_by_key(|it| it.id));
    assert!(unknowable().is_sorted_by_key(|it| it.0));
}

#[test]
fn rules_about_what_runs_gather_something() {
    let about: Vec<&str> = rules().iter().filter(|it| it.is_about_now()).map(|it| it.id).collect();
    assert_eq!(about.len(), 13, "each number has a rule: {about:?}");
    let lazy = rules().iter().filter(|it| it.is_about_now() && it.live == crate::Live::Nothing).map(|it| it.id);
    assert_eq!(lazy.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn pages_tell_what_a_person_needs() {
    let page = page();
    for rule in rules() {
        let own = explain(&rule.id.to_lowercase()).unwrap();
        assert!(own.starts_with(&format!("# {}: {}\n", rule.id, rule.title)), "{own}");
        assert!(page.contains(rule.consequence) && page.contains(rule.fix), "{}", rule.id);
        assert!(
            !rule.title.ends_with('.') && rule.consequence.ends_with('.') && rule.fix.ends_with('.'),
            "{}",
            rule.id
        );
        assert!(!rule.sources.is_empty(), "{} has no source", rule.id);
    }
    for (id, reason) in unknowable() {
        assert!(explain(id).unwrap().contains(reason));
        assert!(reason.ends_with('.'), "{id}");
    }
    assert_eq!(explain("SGP999"), None);
}
