//! Rules as pages for people.

use std::fmt::Write as _;

use crate::{Live, Rule, Severity, rules, unknowable};

/// The page of one number, as Markdown: its rule, or why there is none. `None` for a number that does not exist.
pub fn explain(id: &str) -> Option<String> {
    let id = id.to_ascii_uppercase();
    if let Some(rule) = rules().iter().find(|rule| rule.id == id) {
        return Some(format!("{}{}\n{}", section(rule, "#"), examples(rule), sources(rule)));
    }
    let (id, reason) = unknowable().iter().find(|(it, _)| *it == id)?;
    Some(format!("# {id}\n\nNo rule checks this. {reason}\n"))
}

/// All rules as one page: `docs/checks.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# Checks\n\n<!-- Made from core/checks; do not edit. -->\n\n\
         What AWS and Kubernetes accept and what then does not work. An error refuses a plan, a warning and a note do not.\n\
         A comment `# sgp:ignore SGP104 the reason` above a block says that somebody knows better; `-skip-check=SGP104` says it for \
         one run. `sgp explain SGP104` shows a wrong and a right configuration, too.\n\n\
         | id | severity | what is wrong |\n|---|---|---|\n",
    );
    for rule in rules() {
        let _ = writeln!(page, "| [{}](#{}) | {} | {} |", rule.id, anchor(rule), rule.severity, rule.title);
    }
    for rule in rules() {
        let _ = write!(page, "\n{}\n{}", section(rule, "##"), sources(rule));
    }
    page.push_str(
        "\n## Not checked\n\nNumbers that are kept for what no rule here looks at.\n\n| id | why |\n|---|---|\n",
    );
    for (id, reason) in unknowable() {
        let _ = writeln!(page, "| {id} | {reason} |");
    }
    page
}

/// As GitHub makes it out of a heading.
fn anchor(rule: &Rule) -> String {
    let heading = format!("{}: {}", rule.id, rule.title).to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn section(rule: &Rule, heading: &str) -> String {
    let mut text = format!("{heading} {}: {}\n\n", rule.id, rule.title);
    let worst = match rule.severity {
        Severity::Error => "An error.",
        Severity::Warning => "A warning.",
        Severity::Note => "A note.",
    };
    let live = match rule.live {
        Live::Nothing => "",
        Live::Aws => " What AWS answers makes it more exact.",
        Live::Kubernetes => " What is in the cluster makes it more exact.",
        Live::Both => " What AWS answers and what is in the cluster make it more exact.",
    };
    let _ = writeln!(text, "{worst}{live} {}\n\n{}", rule.consequence, rule.fix);
    text
}

/// The configurations, each in the stack that works.
fn examples(rule: &Rule) -> String {
    let mut text = String::new();
    let examples = [("Before", rule.examples.before), ("Wrong", rule.examples.wrong), ("Right", rule.examples.right)];
    for (label, example) in examples.into_iter().filter(|(_, it)| !it.is_empty()) {
        let _ = writeln!(text, "\n{label}:\n\n```hcl\n{}\n```", example.trim_matches('\n'));
    }
    text
}

fn sources(rule: &Rule) -> String {
    format!("Sources: {}.\n", rule.sources.join("; "))
}
