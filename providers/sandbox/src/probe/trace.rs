//! What a walk found: hop by hop, with what decided each.

use serde::Serialize;

/// Whether a packet passes somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It goes on.
    Passes,
    /// It ends here.
    Stops,
    /// No source says what happens, or the sandbox has no such thing.
    Unknown,
}

/// One place on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// Where: `pod app/backend`, `eni-1 (branch)`, `rtb-1`, `acl-1`.
    pub at: String,
    /// What happens there, in a sentence.
    pub what: String,
    /// Whether the packet passes.
    pub outcome: Outcome,
    /// The rule, route or policy that decides, when one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The packet arrives, and the answer to it comes back.
    Reachable,
    /// It does not.
    Blocked,
    /// It cannot be said.
    Unknown,
}

/// A whole walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The answer.
    pub verdict: Verdict,
    /// What decided it: that of the hop that stops the packet, else that of the last rule that had to allow it.
    pub decided_by: Option<String>,
    /// The way there.
    pub hops: Vec<Hop>,
    /// The way of the answer, when the packet arrives.
    pub reply: Vec<Hop>,
}

/// A walk in the making: each step is recorded, the first that does not pass ends it.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) hops: Vec<Hop>,
}

/// The walk ended; the last hop says why.
#[derive(Debug)]
pub(super) struct Ended;

impl Steps {
    /// Goes on.
    pub(super) fn pass(&mut self, at: impl Into<String>, what: impl Into<String>, by: Option<String>) {
        self.hops.push(Hop { at: at.into(), what: what.into(), outcome: Outcome::Passes, by });
    }

    /// Ends with the packet dropped.
    pub(super) fn stop<T>(
        &mut self,
        at: impl Into<String>,
        what: impl Into<String>,
        by: Option<String>,
    ) -> Result<T, Ended> {
        self.hops.push(Hop { at: at.into(), what: what.into(), outcome: Outcome::Stops, by });
        Err(Ended)
    }

    /// The same with the packet dropped, as the last step.
    pub(super) fn stopped(mut self, at: impl Into<String>, what: impl Into<String>) -> Self {
        self.hops.push(Hop { at: at.into(), what: what.into(), outcome: Outcome::Stops, by: None });
        self
    }

    /// The same without knowing how it ends.
    pub(super) fn lost(mut self, at: impl Into<String>, what: impl Into<String>) -> Self {
        self.hops.push(Hop { at: at.into(), what: what.into(), outcome: Outcome::Unknown, by: None });
        self
    }

    /// Ends without knowing.
    pub(super) fn lose<T>(&mut self, at: impl Into<String>, what: impl Into<String>) -> Result<T, Ended> {
        self.hops.push(Hop { at: at.into(), what: what.into(), outcome: Outcome::Unknown, by: None });
        Err(Ended)
    }
}

impl Trace {
    /// Puts both ways together. `arrived` and `answered` say whether the packet and its answer went the whole way.
    pub(super) fn of(there: Steps, back: Steps, arrived: bool, answered: bool) -> Self {
        let (hops, reply) = (there.hops, back.hops);
        let last = if arrived { reply.last() } else { hops.last() };
        let verdict = match (arrived && answered, last.map(|hop| hop.outcome)) {
            (true, _) => Verdict::Reachable,
            (false, Some(Outcome::Unknown)) => Verdict::Unknown,
            (false, _) => Verdict::Blocked,
        };
        let decided_by = match verdict {
            Verdict::Reachable => hops.iter().rev().find_map(|hop| hop.by.clone()),
            _ => last.map(|hop| hop.by.clone().unwrap_or_else(|| hop.what.clone())),
        };
        Self { verdict, decided_by, hops, reply }
    }
}
