//! Findings that somebody decided to live with.

use sgp_model::InstanceAddr;

use crate::Finding;

/// A decision: `# sgp:ignore SGP104 the nodes scale` above a block, or `-skip-check=SGP104` for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The rule.
    pub rule: String,
    /// The object it counts for; without one it counts for all. Without a key it counts for every instance of the block.
    pub addr: Option<InstanceAddr>,
    /// Why.
    pub reason: String,
}

impl Suppression {
    /// Reads what stands behind `sgp:ignore`: a rule and a reason. `None` when it begins with no rule.
    pub fn read(text: &str, addr: Option<InstanceAddr>) -> Option<Self> {
        let text = text.trim();
        let (rule, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let number = rule.strip_prefix("SGP")?;
        let is_rule = number.len() == 3 && number.chars().all(|c| c.is_ascii_digit());
        is_rule.then(|| Self { rule: rule.to_owned(), addr, reason: reason.trim().to_owned() })
    }

    fn covers(&self, finding: &Finding) -> bool {
        let is_there = |addr: &InstanceAddr| match &finding.addr {
            None => false,
            Some(theirs) if addr.key.is_some() => addr == theirs,
            Some(theirs) => addr.resource.without_keys() == theirs.resource.without_keys(),
        };
        self.rule == finding.rule && self.addr.as_ref().is_none_or(is_there)
    }
}

/// A finding with the reason why it does not count.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// What would be told.
    pub finding: Finding,
    /// Why it is not.
    pub reason: String,
}

/// Decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions(pub Vec<Suppression>);

impl Suppressions {
    /// Parts findings in those that count and those that do not.
    pub fn apply(&self, found: Vec<Finding>) -> (Vec<Finding>, Vec<Suppressed>) {
        let mut counting = Vec::new();
        let mut suppressed = Vec::new();
        for finding in found {
            match self.0.iter().find(|it| it.covers(&finding)) {
                Some(decision) => suppressed.push(Suppressed { finding, reason: decision.reason.clone() }),
                None => counting.push(finding),
            }
        }
        (counting, suppressed)
    }

    /// Decisions that no finding asked for, so that people can take them out again.
    pub fn idle<'a>(&'a self, found: &'a [Finding]) -> impl Iterator<Item = &'a Suppression> {
        self.0.iter().filter(|it| !found.iter().any(|finding| it.covers(finding)))
    }
}

#[cfg(test)]
mod tests {
    use sgp_model::address::parse_instance;

    use super::*;
    use crate::Severity;

    fn finding(addr: Option<&str>) -> Finding {
        Finding {
            rule: "SGP104",
            severity: Severity::Error,
            addr: addr.map(|it| parse_instance(it).unwrap()),
            attribute: None,
            summary: "",
            what: String::new(),
            detail: String::new(),
        }
    }

    #[test]
    fn decisions_count_where_they_were_made() {
        for (rule, decided, found, is_suppressed) in [
            ("SGP104", None, Some("a.b"), true),
            ("SGP104", None, None, true),
            ("SGP105", None, Some("a.b"), false),
            ("SGP104", Some("a.b"), Some("a.b[\"x\"]"), true),
            ("SGP104", Some("a.b[\"y\"]"), Some("a.b[\"x\"]"), false),
            ("SGP104", Some("a.c"), Some("a.b"), false),
            ("SGP104", Some("module.m.a.b"), Some("module.m[0].a.b"), true),
            ("SGP104", Some("a.b"), None, false),
        ] {
            let addr = decided.map(|it| parse_instance(it).unwrap());
            let decision = Suppression::read(&format!(" {rule}  the nodes scale "), addr).unwrap();
            let all = Suppressions(vec![decision]);
            let idle = all.idle(&[finding(found)]).count();
            let (counting, suppressed) = all.apply(vec![finding(found)]);
            assert_eq!(counting.is_empty(), is_suppressed, "{rule} {decided:?} {found:?}");
            assert_eq!(idle == 0, is_suppressed);
            assert!(suppressed.iter().all(|it| it.reason == "the nodes scale"));
        }
    }

    #[test]
    fn a_decision_begins_with_a_rule() {
        for text in ["", "SGP", "SGP1", "sgp104 x", "104", "SGP104x because"] {
            assert_eq!(Suppression::read(text, None), None, "{text}");
        }
        assert_eq!(Suppression::read("SGP104", None).unwrap().reason, "");
    }
}
