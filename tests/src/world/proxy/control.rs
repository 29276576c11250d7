//! The proxy's own paths, for tests that are other processes: the log of calls, latency and faults.
//!
//! | request | effect |
//! |---|---|
//! | `GET /_sgp/calls`, `DELETE /_sgp/calls` | the log of calls as JSON; empties it |
//! | `PUT /_sgp/latency` `{"ms": 20}` | every call takes that long |
//! | `POST /_sgp/faults` | one rule, see [`Wish`]; `DELETE` removes all |

use super::errors::Refusal;
use super::fault::{Effect, Match, Rule, Victim};
use super::shared::Shared;
use crate::world::http::json;
use bytes::Bytes;
use http::{Method, Request, Response};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// A rule as JSON: `{"service": "ec2", "operation": "CreateSecurityGroup", "nth": 1, "effect": "cut-after-served"}`.
#[derive(Deserialize)]
struct Wish {
    service: Option<String>,
    operation: Option<String>,
    #[serde(default)]
    only_mutating: bool,
    #[serde(default = "one")]
    nth: usize,
    #[serde(default = "one")]
    times: usize,
    effect: EffectName,
    /// How slow.
    #[serde(default)]
    ms: u64,
    /// The process to kill.
    #[serde(default)]
    pid: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EffectName {
    Throttle,
    ServerError,
    CutBefore,
    CutAfterServed,
    Slow,
    KillBefore,
    KillAfter,
}

#[derive(Deserialize)]
struct Latency {
    ms: u64,
}

const fn one() -> usize {
    1
}

/// Answers a request to the proxy itself.
pub(super) fn answer(shared: &Shared, request: &Request<Bytes>) -> Response<Bytes> {
    let body = request.body();
    let done = match (request.method(), request.uri().path()) {
        (&Method::GET, "/_sgp/calls") => return json(200, &json!(shared.log.calls())),
        (&Method::DELETE, "/_sgp/calls") => {
            shared.log.clear();
            Ok(())
        }
        (&Method::PUT, "/_sgp/latency") => {
            read::<Latency>(body).map(|latency| shared.set_latency(Duration::from_millis(latency.ms)))
        }
        (&Method::POST, "/_sgp/faults") => read::<Wish>(body).map(|wish| shared.faults.add(wish.rule())),
        (&Method::DELETE, "/_sgp/faults") => {
            shared.faults.clear();
            Ok(())
        }
        _ => Err(Refusal::new(404, "NotFound", "no such path of the proxy")),
    };
    match done {
        Ok(()) => json(200, &json!({})),
        Err(refusal) => refusal.response("eks"),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new(400, "InvalidRule", error.to_string()))
}

impl Wish {
    fn rule(self) -> Rule {
        let effect = match self.effect {
            EffectName::Throttle => Effect::Throttle,
            EffectName::ServerError => Effect::ServerError,
            EffectName::CutBefore => Effect::CutBefore,
            EffectName::CutAfterServed => Effect::CutAfterServed,
            EffectName::Slow => Effect::Slow(Duration::from_millis(self.ms)),
            EffectName::KillBefore => Effect::KillBefore(Victim::running(self.pid)),
            EffectName::KillAfter => Effect::KillAfter(Victim::running(self.pid)),
        };
        let matching = Match { service: self.service, operation: self.operation, only_mutating: self.only_mutating };
        Rule { matching, nth: self.nth, times: self.times, effect }
    }
}
