//! What an example is held to: its `judged.yaml`.
//!
//! ```yaml
//! variables:                # beside vpc_id and subnet_ids, which the sandbox gives
//!   backend_replicas: 2
//! warnings:                 # of the rules, in the first plan; every one of them, and no other
//!   - rule: SGP312
//!     at: sgp_security_group_policy.all
//!     why: every pod of a tenant shall have the tenant's group
//! instances: [orders-database]  # an instance each that carries a group of this name, for what the example does not make
//! reachable:
//!   - app/backend -> orders-database tcp/5432
//! unreachable:
//!   - app/backend -> orders-database tcp/5433
//! depends:                  # on where the pods are placed: of each pair of pods, trace and probe must say the same
//!   - app/a -> app/b tcp/80
//! audit:                    # lines that `sgp audit` must have, after the apply
//!   - payment/api -> payments-database tcp/5432
//! ```

use std::{collections::BTreeMap, fmt, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    #[serde(default)]
    variables: BTreeMap<String, Value>,
    #[serde(default)]
    pub warnings: Vec<Warning>,
    #[serde(default)]
    pub instances: Vec<String>,
    reachable: Vec<String>,
    unreachable: Vec<String>,
    #[serde(default)]
    depends: Vec<String>,
    #[serde(default)]
    pub audit: Vec<String>,
}

/// A warning that is deserved.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    pub rule: String,
    pub at: Option<String>,
    pub why: String,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub from: String,
    pub to: String,
    /// As `sgp trace` takes it.
    pub port: String,
    /// As `sgp trace -json` says it.
    pub verdict: &'static str,
}

impl Judged {
    /// Reads that of an example.
    pub fn of(folder: &Path) -> Self {
        let file = folder.join("judged.yaml");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let judged: Self = serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(!judged.reachable.is_empty() && !judged.unreachable.is_empty(), "{}: a yes and a no", file.display());
        judged
    }

    /// `-var` for each variable.
    pub fn variables(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.variables.iter().flat_map(|(name, value)| ["-var".to_owned(), format!("{name}={}", text(value))]).collect()
    }

    /// All questions.
    pub fn lines(&self) -> Vec<Line> {
        let sides = [(&self.reachable, "reachable"), (&self.unreachable, "unreachable"), (&self.depends, "depends")];
        sides.iter().flat_map(|(lines, verdict)| lines.iter().map(|it| Line::read(it, verdict))).collect()
    }
}

impl Line {
    fn read(text: &str, verdict: &'static str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [from, "->", to, port] = words[..] else { panic!("{text:?} is not FROM -> TO PROTOCOL/PORT") };
        assert!(port.contains('/'), "{text:?} is not FROM -> TO PROTOCOL/PORT");
        Self { from: from.to_owned(), to: to.to_owned(), port: port.to_owned(), verdict }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} {}", self.from, self.to, self.port)
    }
}
