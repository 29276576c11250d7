//! `time_sleep`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::base;
use crate::{attrs, duration, in_state::Logical};

pub(crate) struct TimeSleep;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("time_sleep", "Waits when it is made, before it is gone, or both.")
        .attr("id", Attribute::string().computed().doc("The time of its creation."))
        .attr(
            "create_duration",
            Attribute::string().doc("How long its creation takes: a number and `ms`, `s`, `m` or `h`. A change waits for nothing."),
        )
        .attr(
            "destroy_duration",
            Attribute::string().doc("How long its destruction takes: as it was last applied."),
        )
        .attr(
            "triggers",
            Attribute::string_map().force_new().doc("Any texts under any names; a change waits again. What refers to them comes after."),
        )
        .example(
            "resource \"time_sleep\" \"roles\" {\n  create_duration = \"15s\"\n\n  triggers = {\n    role = aws_iam_role.node.arn\n  }\n}\n",
        )
});

const DURATIONS: [&str; 2] = ["create_duration", "destroy_duration"];

fn wrong_duration(name: &str, text: &str) -> Diagnostic {
    let form = "a number immediately followed by `ms`, `s`, `m` or `h`, such as 30s";
    attrs::wrong(name, format!("`{name}` must be {form}, not {text:?}."))
}

/// Waits as long as an attribute says, or until a person breaks off.
async fn sleep(cx: &Context, object: &Value, name: &str) -> Result<(), Diagnostic> {
    let Some(text) = attrs::text(object, name) else { return Ok(()) };
    let duration = duration::parse(text).ok_or_else(|| wrong_duration(name, text))?;
    cx.progress(&format!("sleeping for {text}"));
    let mut cancelled = cx.cancelled.clone();
    tokio::select! {
        // Without the sender nobody can break off.
        Ok(_) = cancelled.wait_for(|is| *is) => Err(Diagnostic::error("Interrupted", format!("It did not sleep for all of {text}."))),
        () = cx.clock.sleep(duration) => Ok(()),
    }
}

#[async_trait]
impl Logical for TimeSleep {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = Diagnostics::new();
        for name in DURATIONS {
            if let Some(text) = attrs::text(config, name).filter(|text| duration::parse(text).is_none()) {
                problems.push(wrong_duration(name, text));
            }
        }
        if DURATIONS.iter().all(|name| !attrs::is_set(config, name)) {
            let detail = "One of `create_duration` and `destroy_duration` must be set.";
            problems.push(Diagnostic::error("Missing argument", detail));
        }
        problems
    }

    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let id = base::moment_or_now(&planned.with_attr("now", Value::dynamic_null()), "now", cx)?;
        sleep(cx, planned, "create_duration").await?;
        Ok(planned.with_attr("id", id.to_string().into()))
    }

    async fn end(&self, cx: &Context, prior: &Value) -> Result<(), Diagnostic> {
        sleep(cx, prior, "destroy_duration").await
    }

    /// Both durations with a comma between; either may be missing.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let wrong = || {
            attrs::wrong_id("time_sleep", id, "two durations with a comma between, of which one may be missing: `30s,`")
        };
        let (create, destroy) = id.split_once(',').ok_or_else(wrong)?;
        let durations = [create, destroy].map(|text| (!text.is_empty()).then(|| text.to_owned()));
        let fits = |text: &String| duration::parse(text).is_some();
        if durations.iter().flatten().count() == 0 || !durations.iter().flatten().all(fits) {
            return Err(wrong());
        }
        let fields = DURATIONS.into_iter().zip(durations.map(Value::from)).chain([("id", id.into())]);
        Ok(attrs::object(&SCHEMA.block, fields))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::testing::{Jumping, context};

    #[tokio::test]
    async fn it_sleeps_as_it_comes_and_goes() {
        let clock = Arc::new(Jumping::default());
        let (cx, _cancel) = context(clock.clone());
        let fields = [("create_duration", "30s".into()), ("destroy_duration", "1.5m".into())];
        let made = TimeSleep.make(&cx, &attrs::object(&SCHEMA.block, fields)).await.expect("it is made");
        assert_eq!(clock.slept(), Duration::from_secs(30));
        assert_eq!(attrs::text(&made, "id"), Some("2023-11-14T22:13:20Z"));
        TimeSleep.end(&cx, &made).await.expect("it ends");
        assert_eq!(clock.slept(), Duration::from_secs(120));
    }

    #[tokio::test]
    async fn whoever_breaks_off_waits_no_longer() {
        struct Forever;
        #[async_trait]
        impl sgp_contract::Clock for Forever {
            fn now(&self) -> i64 {
                0
            }
            fn monotonic(&self) -> Duration {
                Duration::ZERO
            }
            async fn sleep(&self, _duration: Duration) {
                std::future::pending::<()>().await;
            }
        }
        let (cx, cancel) = context(Arc::new(Forever));
        cancel.send_replace(true);
        let planned = attrs::object(&SCHEMA.block, [("create_duration", "1h".into())]);
        let problem = TimeSleep.make(&cx, &planned).await.expect_err("it was broken off");
        assert_eq!(problem.summary, "Interrupted");
    }

    #[test]
    fn durations_are_judged() {
        for (fields, is_wrong) in [
            (vec![], true),
            (vec![("create_duration", Value::from("30s"))], false),
            (vec![("destroy_duration", Value::from("1h30m"))], true),
            (vec![("destroy_duration", Value::unknown(sgp_model::Type::String))], false),
        ] {
            assert_eq!(
                TimeSleep.validate(&attrs::object(&SCHEMA.block, fields.clone())).has_errors(),
                is_wrong,
                "{fields:?}"
            );
        }
    }

    #[test]
    fn imports() {
        for (id, expected) in
            [("30s,", (Some("30s"), None)), (",1m", (None, Some("1m"))), ("1s,2s", (Some("1s"), Some("2s")))]
        {
            let object = TimeSleep.import(id).expect(id);
            assert_eq!((attrs::text(&object, "create_duration"), attrs::text(&object, "destroy_duration")), expected);
        }
        for id in ["", ",", "30s", "x,"] {
            assert!(TimeSleep.import(id).is_err(), "{id}");
        }
    }
}
