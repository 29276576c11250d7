//! Whether an object that carries the right name is the one that a lost creation made.
//!
//! Names are the only handle that IAM and EKS give for an object whose creation was never answered. A name alone proves
//! nothing: another run, or a person, may have made the object long ago. Its age does.

use aws_smithy_types::{DateTime, date_time::Format};
use sgp_contract::Found;
use sgp_model::{Diagnostic, Value, state::Intent};

/// How far the clock of this machine may be ahead of AWS's, in seconds.
pub const CLOCK_SKEW_SECS: i64 = 60;

/// Judges an object by its age: made at or after the intent (less the clock's skew), it is ours.
///
/// `what` names it for people: `The IAM role "backend"`. `object` holds what is needed to read it.
pub fn by_age(intent: &Intent, what: &str, created: Option<&DateTime>, object: Value) -> Found {
    match created {
        Some(created) if created.secs() >= intent.at - CLOCK_SKEW_SECS => Found::Ours(object),
        Some(created) => Found::Doubtful(doubt(
            intent,
            &format!("{what} exists since {}, before this creation was started.", rfc3339(created)),
        )),
        None => Found::Doubtful(doubt(intent, &format!("{what} exists, and AWS does not say since when."))),
    }
}

/// Judges an object without an age by its content.
pub fn by_content(intent: &Intent, what: &str, as_planned: bool, object: Value) -> Found {
    if as_planned {
        return Found::Ours(object);
    }
    Found::Doubtful(doubt(intent, &format!("{what} exists, but it is not what was about to be created.")))
}

fn doubt(intent: &Intent, detail: &str) -> Diagnostic {
    let addr = &intent.key.addr;
    Diagnostic::error(
        "Object of an interrupted creation is in doubt",
        format!(
            "{detail} An earlier run was interrupted while it created {addr}, so it is not certain whose it is.\n\nIf it \
             belongs to this configuration, run `sgp import {addr} ID`; otherwise choose another name or delete it."
        ),
    )
    .on(addr)
}

/// A time as Terraform records it: `2026-08-31T12:00:00Z`.
pub fn rfc3339(time: &DateTime) -> String {
    DateTime::from_secs(time.secs()).fmt(Format::DateTime).unwrap_or_else(|_| time.secs().to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::{
        ProviderAddr,
        address::parse_instance,
        state::{Operation, RecordKey},
    };

    use super::*;

    /// A creation that was about to be made at a time.
    pub(crate) fn intent(addr: &str, attributes: Value, at: i64) -> Intent {
        Intent {
            token: "0f7c2a9e-6d0e-4d2b-8a52-5d1f3c9b7e11".into(),
            key: RecordKey::current(parse_instance(addr).unwrap()),
            operation: Operation::Create,
            provider: provider(),
            attributes,
            at,
            dependencies: Vec::new(),
            create_before_destroy: false,
        }
    }

    fn provider() -> ProviderAddr {
        ProviderAddr::root("aws")
    }

    #[test]
    fn age_decides() {
        let intent = intent("aws_iam_role.a", Value::null(sgp_model::Type::Dynamic), 1_000_000);
        let judge = |created: Option<i64>| {
            by_age(&intent, "The IAM role \"a\"", created.map(DateTime::from_secs).as_ref(), Value::from("x"))
        };
        for created in [1_000_000 - 60, 1_000_000, 2_000_000] {
            assert!(matches!(judge(Some(created)), Found::Ours(_)), "{created}");
        }
        let Found::Doubtful(doubt) = judge(Some(1_000_000 - 61)) else { panic!("an older object is in doubt") };
        assert!(
            doubt.detail.starts_with("The IAM role \"a\" exists since 1970-01-12T13:45:39Z, before"),
            "{}",
            doubt.detail
        );
        assert!(matches!(judge(None), Found::Doubtful(_)));
    }

    #[test]
    fn content_decides_where_there_is_no_age() {
        let intent = intent("aws_iam_role_policy.a", Value::null(sgp_model::Type::Dynamic), 0);
        assert!(matches!(by_content(&intent, "It", true, "x".into()), Found::Ours(_)));
        assert!(matches!(by_content(&intent, "It", false, "x".into()), Found::Doubtful(_)));
    }

    #[test]
    fn times_are_written_in_seconds() {
        assert_eq!(rfc3339(&DateTime::from_millis(1_500)), "1970-01-01T00:00:01Z");
    }
}
