//! What the preflight rules found.

use maud::{Markup, html};

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `SGP104`.
    pub rule: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// What is wrong, in words that never vary.
    pub summary: String,
    /// What is wrong here, and what happens.
    pub text: String,
    /// What to do; empty when the text says it.
    pub fix: String,
    /// The object.
    pub address: Option<String>,
    /// The attribute.
    pub attribute: Option<String>,
    /// Why it does not count, when somebody decided so; empty when no reason was given.
    pub skipped: Option<String>,
}

impl Check {
    /// Whether it counts, and is as bad as this.
    pub fn counts_as(&self, severity: &str) -> bool {
        self.skipped.is_none() && self.severity == severity
    }
}

/// The section's content.
pub fn list(checks: &[Check]) -> Markup {
    html! {
        @if checks.is_empty() { p { "The rules find nothing." } }
        @else {
            ul class="checks" { @for check in checks { (one(check)) } }
            p class="hint" { "sgp explain RULE says more about a rule." }
        }
    }
}

fn one(check: &Check) -> Markup {
    let word = if check.skipped.is_some() { "skipped" } else { check.severity.as_str() };
    let class = match word {
        "error" | "warning" | "note" => format!("check {word}"),
        _ => "check skipped".to_owned(),
    };
    html! {
        li class=(class) data-item {
            h3 { span class="badge" { (word) } " " (check.summary) " " span class="rule" { (check.rule) } }
            @if let Some(address) = &check.address {
                p class="where" { code { (address) @if let Some(attribute) = &check.attribute { "." (attribute) } } }
            }
            p { (check.text) }
            @if !check.fix.is_empty() { p { b { "What to do: " } (check.fix) } }
            @if let Some(reason) = &check.skipped {
                p { b { "Skipped: " } @if reason.is_empty() { "no reason given." } @else { (reason) } }
            }
        }
    }
}
