//! What evaluation may cost. Rules come from whoever may write a definition, and the world waits while one runs.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::value::{Failure, failure};

/// What one rule may cost (`k8s.io/apiserver/pkg/apis/cel`, `PerCallLimit`).
pub const PER_CALL: u64 = 1_000_000;
/// What all rules of an object may cost together (`RuntimeCELCostBudget`).
pub const PER_OBJECT: u64 = 10_000_000;
/// Steps that cel-go does not count (copies, comparisons within values), so that nothing runs on beside the count.
const STEPS: u64 = 5_000_000;
/// How large a regular expression may become, in bytes.
const REGEX_SIZE: usize = 1 << 20;

/// Counts the cost of one rule in cel-go's units (`interpreter/runtimecost.go`, `library/cost.go`).
#[derive(Debug, Default)]
pub struct Meter {
    pub cost: u64,
    steps: u64,
    regexes: HashMap<String, Regex>,
}

impl Meter {
    /// Adds to the cost.
    pub fn charge(&mut self, cost: u64) -> Result<(), Failure> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > PER_CALL { Err(Failure::Cost) } else { Ok(()) }
    }

    /// What the rule took of all that an object's rules may cost. Steps count for an eighth of a unit, so that they are bounded over
    /// many rules, too.
    pub fn spent(&self) -> u64 {
        self.cost.saturating_add(self.steps.min(STEPS) / 8)
    }

    /// The cost of going through so many letters, `times` over.
    pub fn charge_text(&mut self, letters: usize, times: u64) -> Result<(), Failure> {
        let letters = u64::try_from(letters).unwrap_or(u64::MAX);
        self.charge(letters.saturating_mul(times).div_ceil(10))
    }

    /// The cost of matching a text with an expression.
    pub fn charge_regex(&mut self, letters: usize, expression: usize) -> Result<(), Failure> {
        let text = u64::try_from(letters).unwrap_or(u64::MAX).saturating_add(1).div_ceil(10);
        self.charge(text.saturating_mul(u64::try_from(expression).unwrap_or(u64::MAX).div_ceil(4)))
    }

    /// Counts steps that have no cost of their own.
    pub fn step(&mut self, steps: usize) -> Result<(), Failure> {
        self.steps = self.steps.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        if self.steps > STEPS { Err(Failure::Cost) } else { Ok(()) }
    }

    /// A regular expression, kept for the next item.
    pub fn regex(&mut self, expression: &str) -> Result<&Regex, Failure> {
        if !self.regexes.contains_key(expression) {
            self.step(10_000)?;
            let regex = compile(expression).map_err(failure)?;
            self.regexes.insert(expression.to_owned(), regex);
        }
        Ok(&self.regexes[expression])
    }
}

/// Compiles a regular expression.
///
/// # Errors
/// In the words of Go's `regexp`, as far as they are known.
pub fn compile(expression: &str) -> Result<Regex, String> {
    RegexBuilder::new(expression).size_limit(REGEX_SIZE).build().map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or("").trim_start_matches("error: ");
        let reason = match reason {
            "unclosed character class" => "missing closing ]",
            "unclosed group" => "missing closing )",
            "unopened group" => "unexpected )",
            "repetition operator missing expression" => "missing argument to repetition operator",
            other => other,
        };
        let at = if reason == "missing closing ]" { expression.rfind('[').unwrap_or(0) } else { 0 };
        format!("error parsing regexp: {reason}: `{}`", &expression[at..])
    })
}
