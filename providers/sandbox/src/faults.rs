//! Faults: which calls fail, and how. From a file or set while the sandbox runs; a seed makes them the same in every run.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::aws::filter::matches;

/// The rules of a file: `{"seed": 7, "rules": [{"service": "ec2", "operation": "CreateTags", "nth": 2, "effect": "throttle"}]}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Decides for each rule with a probability which calls it hits.
    #[serde(default)]
    pub seed: u64,
    /// The rules. Each counts the calls that it matches by itself; all that hit a call have their effect on it.
    pub rules: Vec<Rule>,
}

/// Which calls are hit, and what happens to them. What is not said matches everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How it is called in the list of what fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `ec2`, `eks`, `iam`, `sts`, ... or `kubernetes`; `*` and `?` are wildcards.
    #[serde(default = "anything")]
    pub service: String,
    /// `DescribeSubnets`, `Describe*`; for Kubernetes verb and resource: `create pods`, `watch *`, `patch deployments.apps`.
    #[serde(default = "anything")]
    pub operation: String,
    /// Text that occurs in what the call was sent: an id, a name, a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The first matching call that can be hit, counted from 1.
    #[serde(default = "first")]
    pub nth: u64,
    /// How many calls are hit; one, or with a probability any number, when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// How likely each call is hit, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What happens.
    pub effect: Effect,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Times {
    /// So many times.
    Number(u64),
    /// `"always"`.
    Always(Always),
}

/// Without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Always {
    /// Every time.
    Always,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// It is refused, and nothing is done.
    Error {
        /// AWS's code, or the reason of a Kubernetes `Status`.
        code: String,
        /// The HTTP status; 500 when it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// For people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// It is refused as the service refuses when it is asked too often.
    Throttle,
    /// The connection is cut, and nothing is done.
    CutBefore,
    /// It is done, and the connection is cut in place of the answer.
    CutAfter,
    /// It waits before it is served.
    Slow {
        /// How long.
        milliseconds: u64,
    },
    /// A read is answered from an older state. Calls that change something are not concerned.
    Stale(Age),
    /// It is done, half of the answer is sent, and the connection is cut. A watch ends after its first piece.
    Half,
}

/// How old what is read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Age {
    /// As it was so many seconds ago, in the sandbox's time.
    Seconds(u32),
    /// As it was so many calls ago, of any service; 1 is before the last one.
    Calls(u64),
}

/// What a rule sees of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// `ec2`, `kubernetes`, ...
    pub service: String,
    /// `DescribeSubnets`, `create pods`.
    pub operation: String,
    /// The cluster of a Kubernetes call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Path, query and body as they were sent.
    #[serde(skip)]
    pub sent: String,
    /// Whether it only reads.
    #[serde(skip)]
    pub reads: bool,
}

/// A rule that hit a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fired {
    /// The rule's name, or its number from 1.
    pub rule: String,
    /// The number of the call.
    pub call: u64,
    /// What was called.
    #[serde(flatten)]
    pub seen: Seen,
    /// What happened to it.
    pub effect: Effect,
}

fn anything() -> String {
    "*".to_owned()
}

fn first() -> u64 {
    1
}

/// So many of what fired are kept.
const KEPT: usize = 1_000;

impl Faults {
    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(text: &str) -> Result<Self, String> {
        let faults: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        faults.check()?;
        Ok(faults)
    }

    /// Says what can never be meant.
    ///
    /// # Errors
    /// The first rule that makes no sense, and why.
    pub fn check(&self) -> Result<(), String> {
        for (at, rule) in self.rules.iter().enumerate() {
            rule.check().map_err(|why| format!("rule {}: {why}", rule.name(at)))?;
        }
        Ok(())
    }

    /// Whether some rule reads an older state.
    pub fn need_the_past(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.effect, Effect::Stale(_)))
    }
}

impl Rule {
    fn name(&self, at: usize) -> String {
        self.name.clone().unwrap_or_else(|| (at + 1).to_string())
    }

    fn check(&self) -> Result<(), String> {
        if self.nth == 0 {
            return Err("nth counts from 1".to_owned());
        }
        if self.times == Some(Times::Number(0)) {
            return Err("times is 0, so it would never hit; leave the rule out, or write \"always\"".to_owned());
        }
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err("probability lies between 0 and 1".to_owned());
        }
        match &self.effect {
            Effect::Error { status: Some(status), .. } if !(400..=599).contains(status) => {
                Err("the status of an error lies between 400 and 599".to_owned())
            }
            Effect::Stale(Age::Seconds(0) | Age::Calls(0)) => Err("a stale read is at least 1 old".to_owned()),
            _ => Ok(()),
        }
    }

    fn holds(&self, seen: &Seen) -> bool {
        (seen.reads || !matches!(self.effect, Effect::Stale(_)))
            && matches(&self.service, &seen.service)
            && matches(&self.operation, &seen.operation)
            && self.resource.as_ref().is_none_or(|text| seen.sent.contains(text))
    }

    fn is_spent(&self, hits: u64) -> bool {
        match (self.times, self.probability) {
            (Some(Times::Number(times)), _) => hits >= times,
            (Some(Times::Always(_)), _) | (None, Some(_)) => false,
            (None, None) => hits >= 1,
        }
    }
}

/// The rules in force, and what they did.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    /// For each rule how many calls it matched and how many it hit.
    counts: Vec<(u64, u64)>,
    fired: VecDeque<Fired>,
}

impl Engine {
    /// Replaces the rules and forgets what fired.
    pub fn set(&self, faults: Faults) {
        let counts = vec![(0, 0); faults.rules.len()];
        *self.lock() = State { faults, counts, fired: VecDeque::new() };
    }

    /// The rules.
    pub fn rules(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// What hit which call, oldest first.
    pub fn fired(&self) -> Vec<Fired> {
        self.lock().fired.iter().cloned().collect()
    }

    /// Counts a call and answers what happens to it.
    pub fn strike(&self, call: u64, seen: &Seen) -> Vec<Effect> {
        let state = &mut *self.lock();
        let mut effects = Vec::new();
        for (at, rule) in state.faults.rules.iter().enumerate() {
            if !rule.holds(seen) {
                continue;
            }
            let (matched, hits) = &mut state.counts[at];
            *matched += 1;
            let is_hit = *matched >= rule.nth
                && !rule.is_spent(*hits)
                && rule.probability.is_none_or(|p| draw(state.faults.seed, at, *matched) < p);
            if is_hit {
                *hits += 1;
                effects.push(rule.effect.clone());
                let fired = Fired { rule: rule.name(at), call, seen: seen.clone(), effect: rule.effect.clone() };
                state.fired.push_back(fired);
                if state.fired.len() > KEPT {
                    state.fired.pop_front();
                }
            }
        }
        effects
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number from 0 to below 1 that follows from the seed, the rule and how many calls it matched.
fn draw(seed: u64, rule: usize, matched: u64) -> f64 {
    let digest = Sha256::digest(format!("{seed}/{rule}/{matched}"));
    let number = digest[..4].iter().fold(0, |number: u32, byte| (number << 8) | u32::from(*byte));
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(service: &str, operation: &str, sent: &str) -> Seen {
        let reads = operation.starts_with("Describe");
        Seen {
            service: service.to_owned(),
            operation: operation.to_owned(),
            sent: sent.to_owned(),
            reads,
            cluster: None,
        }
    }

    fn engine(rule: &str) -> Engine {
        let engine = Engine::default();
        engine.set(Faults::read(&format!(r#"{{"seed": 3, "rules": [{rule}]}}"#)).unwrap());
        engine
    }

    /// Which of ten equal calls are hit.
    fn hits(rule: &str) -> Vec<u64> {
        let engine = engine(rule);
        let call = seen("ec2", "DescribeVpcs", "vpc-1");
        (1..=10).filter(|call_number| !engine.strike(*call_number, &call).is_empty()).collect()
    }

    #[test]
    fn schedules() {
        for (rule, expected) in [
            (r#"{"effect": "throttle"}"#, vec![1]),
            (r#"{"nth": 3, "effect": "throttle"}"#, vec![3]),
            (r#"{"nth": 3, "times": 2, "effect": "half"}"#, vec![3, 4]),
            (r#"{"nth": 9, "times": "always", "effect": "cut-before"}"#, vec![9, 10]),
            (r#"{"probability": 1, "nth": 8, "effect": "cut-after"}"#, vec![8, 9, 10]),
            (r#"{"probability": 1, "times": 2, "effect": {"slow": {"milliseconds": 1}}}"#, vec![1, 2]),
            (r#"{"probability": 0, "effect": "throttle"}"#, vec![]),
            (r#"{"service": "iam", "effect": "throttle"}"#, vec![]),
        ] {
            assert_eq!(hits(rule), expected, "{rule}");
        }
        let rule = r#"{"probability": 0.5, "effect": "throttle"}"#;
        let some = hits(rule);
        assert_eq!(some, hits(rule), "the same seed hits the same calls");
        assert!((1..10).contains(&some.len()), "{some:?}");
    }

    #[test]
    fn what_a_rule_matches() {
        let call = seen("ec2", "DescribeSubnets", "Action=DescribeSubnets&SubnetId.1=subnet-7");
        let change = seen("ec2", "CreateTags", "");
        for (rule, call, expected) in [
            (r#"{"service": "ec2", "operation": "Describe*", "effect": "throttle"}"#, &call, true),
            (r#"{"operation": "DescribeVpcs", "effect": "throttle"}"#, &call, false),
            (r#"{"resource": "subnet-7", "effect": "throttle"}"#, &call, true),
            (r#"{"resource": "subnet-8", "effect": "throttle"}"#, &call, false),
            (r#"{"effect": {"stale": {"calls": 2}}}"#, &call, true),
            (r#"{"effect": {"stale": {"seconds": 2}}}"#, &change, false),
        ] {
            assert_eq!(!engine(rule).strike(1, call).is_empty(), expected, "{rule}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (rule, expected) in [
            (r#"{"effect": "explode"}"#, "unknown variant `explode`"),
            (r#"{"efect": "half", "effect": "half"}"#, "unknown field `efect`"),
            (r#"{"nth": 0, "effect": "half"}"#, "rule 1: nth counts from 1"),
            (r#"{"name": "x", "times": 0, "effect": "half"}"#, "rule x: times is 0"),
            (r#"{"probability": 2, "effect": "half"}"#, "between 0 and 1"),
            (r#"{"effect": {"error": {"code": "A", "status": 200}}}"#, "between 400 and 599"),
            (r#"{"effect": {"stale": {"calls": 0}}}"#, "at least 1"),
        ] {
            let error = Faults::read(&format!(r#"{{"rules": [{rule}]}}"#)).unwrap_err();
            assert!(error.contains(expected), "{rule}: {error}");
        }
    }

    #[test]
    fn what_fired_is_told() {
        let engine = engine(r#"{"name": "busy", "effect": "throttle"}"#);
        engine.strike(41, &seen("ec2", "DescribeVpcs", ""));
        let fired = engine.fired();
        let told: Vec<_> = fired.iter().map(|it| (it.rule.as_str(), it.call, it.seen.operation.as_str())).collect();
        assert_eq!(told, [("busy", 41, "DescribeVpcs")]);
    }
}
