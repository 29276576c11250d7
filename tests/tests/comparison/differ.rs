//! Where the answers of two endpoints differ, as lines.
//!
//! - `[case] THEIRS -> OURS`: another outcome of this call.
//! - `[*] THEIRS`: none of the operation's calls is done by them, always with this outcome: they do not have it.
//! - `path: absent -> VALUES`, `path: VALUES -> absent`: a field that they or we never answer where the other one does.
//! - `[case] path: VALUES -> VALUES`: another value; without the case where several calls differ in the same way.

use std::collections::{BTreeMap, BTreeSet};

use crate::play::Step;

/// The differing lines of each operation.
pub type Differences = BTreeMap<String, Vec<String>>;

type Values = Option<Vec<String>>;

/// Compares the answers to the same calls.
pub fn differences(theirs: &[Step], ours: &[Step]) -> Differences {
    let mut operations: BTreeMap<&str, Vec<(&Step, &Step)>> = BTreeMap::new();
    assert_eq!(theirs.len(), ours.len());
    for (their, our) in theirs.iter().zip(ours) {
        assert_eq!((&their.operation, &their.case), (&our.operation, &our.case));
        if !their.is_not_reached() {
            operations.entry(&our.operation).or_default().push((their, our));
        }
    }
    let lines = operations.into_iter().map(|(operation, steps)| (operation.to_owned(), of_operation(&steps)));
    lines.filter(|(_, lines)| !lines.is_empty()).collect()
}

fn of_operation(steps: &[(&Step, &Step)]) -> Vec<String> {
    let outcomes: BTreeSet<&str> = steps.iter().map(|(their, _)| their.outcome.as_str()).collect();
    let is_lacking = !steps.iter().any(|(their, _)| their.is_done()) && steps.iter().any(|(_, our)| our.is_done());
    if outcomes.len() == 1 && is_lacking {
        return outcomes.into_iter().map(|outcome| format!("[*] {outcome}")).collect();
    }
    let other_outcomes = steps.iter().filter(|(their, our)| their.outcome != our.outcome);
    let mut lines: Vec<String> =
        other_outcomes.map(|(their, our)| format!("[{}] {} -> {}", our.case, their.outcome, our.outcome)).collect();
    lines.extend(of_fields(steps));
    lines
}

/// The fields that differ where the outcome is the same.
fn of_fields(steps: &[(&Step, &Step)]) -> Vec<String> {
    let mut paths: BTreeMap<&str, Vec<(&str, Values, Values)>> = BTreeMap::new();
    for (their, our) in steps.iter().filter(|(their, our)| their.outcome == our.outcome) {
        for path in differing(their, our) {
            let values = |step: &Step| step.fields.get(path).cloned();
            paths.entry(path).or_default().push((&our.case, values(their), values(our)));
        }
    }
    paths.into_iter().flat_map(|(path, found)| of_path(path, &found)).collect()
}

/// Where a list has another length, its elements differ for that reason alone.
fn differing<'a>(their: &'a Step, our: &'a Step) -> Vec<&'a str> {
    let all: BTreeSet<&str> = their.fields.keys().chain(our.fields.keys()).map(String::as_str).collect();
    let differing = all.into_iter().filter(|path| their.fields.get(*path) != our.fields.get(*path));
    let differing: Vec<&str> = differing.collect();
    let is_in_both = |path: &str| their.fields.contains_key(path) && our.fields.contains_key(path);
    let lists: Vec<&str> = differing.iter().copied().filter(|path| path.ends_with("[]") && is_in_both(path)).collect();
    let is_inside = |path: &str| lists.iter().any(|list| path != *list && path.starts_with(list));
    differing.into_iter().filter(|path| !is_inside(path)).collect()
}

fn of_path(path: &str, found: &[(&str, Values, Values)]) -> Vec<String> {
    let all = |values: &dyn Fn(&(&str, Values, Values)) -> Values| {
        let all: BTreeSet<String> = found.iter().flat_map(|row| values(row).unwrap_or_default()).collect();
        Some(all.into_iter().collect::<Vec<_>>())
    };
    if found.iter().all(|(_, theirs, _)| theirs.is_none()) {
        return vec![format!("{path}: absent -> {}", shown(&all(&|row| row.2.clone())))];
    }
    if found.iter().all(|(_, _, ours)| ours.is_none()) {
        return vec![format!("{path}: {} -> absent", shown(&all(&|row| row.1.clone())))];
    }
    let mut pairs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (case, theirs, ours) in found {
        pairs.entry(format!("{path}: {} -> {}", shown(theirs), shown(ours))).or_default().push(case);
    }
    let with_case = |(pair, cases): (String, Vec<&str>)| match cases[..] {
        [case] => format!("[{case}] {pair}"),
        _ => pair,
    };
    pairs.into_iter().map(with_case).collect()
}

fn shown(values: &Values) -> String {
    values.as_ref().map_or_else(|| "absent".to_owned(), |values| values.join(" | "))
}

fn step(outcome: &str, fields: &[(&str, &str)]) -> Step {
    let fields = fields.iter().map(|(path, value)| ((*path).to_owned(), vec![(*value).to_owned()])).collect();
    Step { operation: "ec2:X".to_owned(), case: "plain".to_owned(), outcome: outcome.to_owned(), fields }
}

#[test]
fn lines_say_what_differs() {
    let check = |theirs: Step, ours: Step, expected: &[&str]| {
        let found = differences(&[theirs], &[ours]);
        assert_eq!(found.get("ec2:X").cloned().unwrap_or_default(), expected);
    };
    check(step("done", &[]), step("400 Code", &[]), &["[plain] done -> 400 Code"]);
    check(step("400 Code", &[]), step("400 Code", &[]), &[]);
    check(step("501", &[]), step("done", &[]), &["[*] 501"]);
    check(step("not reached", &[]), step("done", &[]), &[]);
    check(step("done", &[("A", "1")]), step("done", &[("A", "2")]), &["[plain] A: 1 -> 2"]);
    check(step("done", &[]), step("done", &[("A", "2")]), &["A: absent -> 2"]);
    check(step("done", &[("A", "2")]), step("done", &[]), &["A: 2 -> absent"]);
    let two = step("done", &[("L[]", "2"), ("L[].B", "x")]);
    check(two, step("done", &[("L[]", "1"), ("L[].B", "y")]), &["[plain] L[]: 2 -> 1"]);
}
