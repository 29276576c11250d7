//! Faults: what happens to which call.

use super::call::Call;
use super::errors::Refusal;
use crate::world::http::Cut;
use std::fmt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Which calls a rule is about; what is not said matches everything.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// The service (`ec2`, `iam`, `sts`, `eks`, `kubernetes`).
    pub service: Option<String>,
    /// The operation; for Kubernetes the beginning of method and path is enough.
    pub operation: Option<String>,
    /// Only calls that change something.
    pub only_mutating: bool,
}

/// A rule: the effect on the matching calls number `nth` to `nth + times - 1`, counted from 1 since the rule was made.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The calls that count.
    pub matching: Match,
    /// The first of them that is hit, from 1.
    pub nth: usize,
    /// How many of them are hit.
    pub times: usize,
    /// What happens to them.
    pub effect: Effect,
}

/// What happens to a call.
#[derive(Clone)]
pub enum Effect {
    /// Refused as the service refuses when it is asked too often.
    Throttle,
    /// Refused as the service refuses when it is broken (5xx).
    ServerError,
    /// Refused in other words.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// AWS's error code.
        code: String,
        /// The sentence.
        message: String,
    },
    /// The connection is cut and nothing was done.
    CutBefore,
    /// The call is served, and the connection is cut in place of an answer.
    CutAfterServed,
    /// The call is served after this time.
    Slow(Duration),
    /// A process is killed before the call is served, and nothing was done.
    KillBefore(Victim),
    /// A process is killed after the call was served; it never sees the answer.
    KillAfter(Victim),
    /// Something else is done, before the call is served.
    Before(Arc<dyn Fn(&Call) + Send + Sync>),
    /// Something else is done, after the call was served and before it is answered.
    After(Arc<dyn Fn(&Call) + Send + Sync>),
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Throttle => "Throttle",
            Self::ServerError => "ServerError",
            Self::Refuse { .. } => "Refuse",
            Self::CutBefore => "CutBefore",
            Self::CutAfterServed => "CutAfterServed",
            Self::Slow(_) => "Slow",
            Self::KillBefore(_) => "KillBefore",
            Self::KillAfter(_) => "KillAfter",
            Self::Before(_) => "Before",
            Self::After(_) => "After",
        };
        f.write_str(name)
    }
}

/// A process that a rule kills; its id is set once the process has started.
#[derive(Clone, Debug, Default)]
pub struct Victim(Arc<AtomicU32>);

impl Victim {
    /// A victim that is running already.
    pub fn running(pid: u32) -> Self {
        let victim = Self::default();
        victim.set(pid);
        victim
    }

    /// Says which process it is.
    pub fn set(&self, pid: u32) {
        self.0.store(pid, Ordering::SeqCst);
    }

    /// Kills it, when it is known at last, so that it never runs another instruction.
    async fn kill(&self) {
        let mut pid = self.0.load(Ordering::SeqCst);
        while pid == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            pid = self.0.load(Ordering::SeqCst);
        }
        let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
}

/// The rules in force, each with the number of calls that it has counted.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<(Rule, usize)>>);

impl Faults {
    pub(crate) fn add(&self, rule: Rule) {
        self.0.lock().unwrap().push((rule, 0));
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Counts the call and answers what happens to it.
    pub(super) fn effects_of(&self, call: &Call) -> Vec<Effect> {
        let mut rules = self.0.lock().unwrap();
        rules.iter_mut().filter_map(|(rule, seen)| rule.count(seen, call)).collect()
    }
}

impl Rule {
    fn count(&self, seen: &mut usize, call: &Call) -> Option<Effect> {
        if !self.matching.holds(call) {
            return None;
        }
        *seen += 1;
        (self.nth..self.nth + self.times).contains(seen).then(|| self.effect.clone())
    }
}

impl Match {
    /// All calls that change something.
    pub fn mutating() -> Self {
        Self { only_mutating: true, ..Self::default() }
    }

    /// One operation of one service.
    pub fn operation(service: &str, operation: &str) -> Self {
        Self { service: Some(service.to_owned()), operation: Some(operation.to_owned()), only_mutating: false }
    }

    fn holds(&self, call: &Call) -> bool {
        let is_named = |operation: &String| {
            if call.service == "kubernetes" {
                call.operation.starts_with(operation)
            } else {
                call.operation == *operation
            }
        };
        (!self.only_mutating || call.is_mutating)
            && self.service.as_ref().is_none_or(|service| *service == call.service)
            && self.operation.as_ref().is_none_or(is_named)
    }
}

/// Lets happen what happens before a call is served; a refusal when one takes the place of the answer.
pub(super) async fn before(effects: &[Effect], call: &Call) -> Result<Option<Refusal>, Cut> {
    for effect in effects {
        match effect {
            Effect::Throttle => return Ok(Some(Refusal::throttled(&call.service))),
            Effect::ServerError => return Ok(Some(Refusal::broken(&call.service))),
            Effect::Refuse { status, code, message } => return Ok(Some(Refusal::new(*status, code, message.as_str()))),
            Effect::CutBefore => return Err(Cut),
            Effect::Slow(time) => tokio::time::sleep(*time).await,
            Effect::KillBefore(victim) => {
                victim.kill().await;
                return Err(Cut);
            }
            Effect::Before(hook) => hook(call),
            Effect::CutAfterServed | Effect::KillAfter(_) | Effect::After(_) => {}
        }
    }
    Ok(None)
}

/// Lets happen what happens between serving a call and answering it.
pub(super) async fn after(effects: &[Effect], call: &Call) -> Result<(), Cut> {
    for effect in effects {
        match effect {
            Effect::CutAfterServed => return Err(Cut),
            Effect::KillAfter(victim) => {
                victim.kill().await;
                return Err(Cut);
            }
            Effect::After(hook) => hook(call),
            _ => {}
        }
    }
    Ok(())
}
