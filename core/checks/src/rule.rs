//! What a rule is.

use std::fmt;

use sgp_model::{InstanceAddr, symbol};

use crate::{Facts, Finding};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It works in part, or perhaps not.
    Warning,
    /// It cannot work: a plan should be refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What facts that were gathered live add to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Nothing: the configuration says it all.
    Nothing,
    /// AWS's answers.
    Aws,
    /// The clusters' objects.
    Kubernetes,
    /// Both.
    Both,
}

/// Rules that say something only of what was gathered: of pods, nodes, interfaces and objects that come with a cluster.
const ABOUT_NOW: [&str; 13] = [
    "SGP015", "SGP020", "SGP021", "SGP110", "SGP115", "SGP304", "SGP316", "SGP318", "SGP320", "SGP326", "SGP605",
    "SGP607", "SGP610",
];

/// Configurations that show a rule. They stand in a stack that works (a cluster, its roles, pod ENI, a node group).
#[derive(Clone, Copy, Debug)]
pub struct Examples {
    /// What was there before, for rules about changes; empty for the others.
    pub before: &'static str,
    /// Gives a finding.
    pub wrong: &'static str,
    /// The same thing done well.
    pub right: &'static str,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// `SGP301`.
    pub id: &'static str,
    /// The worst that it says.
    pub severity: Severity,
    /// What is wrong, in a few words that never vary: the summary of its findings.
    pub title: &'static str,
    /// What people see when nothing catches it.
    pub consequence: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Pages, files and issues that say so.
    pub sources: &'static [&'static str],
    /// What live facts add.
    pub live: Live,
    /// A configuration that is wrong, and one that is right.
    pub examples: Examples,
    /// Looks.
    pub check: fn(&Facts<'_>) -> Vec<Finding>,
}

impl Rule {
    /// Whether the rule is silent where nobody was asked what runs. Others may know more when somebody was ([`Rule::live`]).
    pub fn is_about_now(&self) -> bool {
        ABOUT_NOW.contains(&self.id)
    }

    /// A finding about an object: `what` says in one or two sentences what is wrong there.
    pub(crate) fn finding(&'static self, addr: Option<&InstanceAddr>, what: impl fmt::Display) -> Finding {
        let what = symbol::readable(&what.to_string()).into_owned();
        Finding {
            rule: self.id,
            severity: self.severity,
            addr: addr.cloned(),
            attribute: None,
            summary: self.title,
            detail: format!("{what} {} {}", self.consequence, self.fix),
            what,
        }
    }
}
