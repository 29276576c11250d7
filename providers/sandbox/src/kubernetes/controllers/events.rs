//! Events: made as client-go's recorders make them, counted when they repeat, gone after an hour.
//!
//! Source: client-go `tools/record` (names, counting), `tools/events` (the scheduler's), kube-apiserver `--event-ttl`.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::context::{Context, meta};
use super::queue::Item;
use super::{Controller, Name};
use crate::kubernetes::objects::{Event as Change, Kind};

/// So long an event is kept.
const LIFETIME: Duration = Duration::from_hours(1);

/// Which event says what of which object, so that the next one like it is counted there.
pub(crate) type Known = HashMap<(String, String, String), (String, String)>;

/// An event to be told.
pub(crate) struct Told<'a> {
    /// The object it is about.
    pub about: &'a Value,
    /// Whether it warns.
    pub is_warning: bool,
    /// In one word.
    pub reason: &'a str,
    /// In a sentence.
    pub message: &'a str,
    /// Who tells: `kubelet`, `vpc-resource-controller`.
    pub component: &'a str,
    /// The node it is told from.
    pub host: &'a str,
}

impl Context<'_> {
    /// Tells that something is as it should be.
    pub fn normal(&mut self, about: &Value, component: &str, reason: &str, message: &str) {
        self.tell(&Told { about, is_warning: false, reason, message, component, host: "" });
    }

    /// Tells that something is not.
    pub fn warn(&mut self, about: &Value, component: &str, reason: &str, message: &str) {
        self.tell(&Told { about, is_warning: true, reason, message, component, host: "" });
    }

    /// Tells an event.
    pub fn tell(&mut self, told: &Told<'_>) {
        let about = told.about;
        let namespace = Some(meta(about, "namespace")).filter(|it| !it.is_empty()).unwrap_or("default").to_owned();
        let uid = meta(about, "uid").to_owned();
        let known = (uid, format!("{}/{}", told.component, told.reason), told.message.to_owned());
        let now = self.time();
        if let Some((namespace, name)) = self.caches.events.get(&known).cloned()
            && self.count_event(&namespace, &name, &now)
        {
            return;
        }
        let nanos = u64::try_from(self.now().as_nanosecond()).unwrap_or(0).wrapping_add(self.world.count("event"));
        let name = format!("{}.{nanos:x}", meta(about, "name"));
        let mut event = event(told, &namespace);
        if told.component == "default-scheduler" {
            event["eventTime"] = json!(micros(self.now()));
            event["action"] = json!(if told.is_warning { "Scheduling" } else { "Binding" });
            event["reportingInstance"] = json!("default-scheduler-sandbox");
        } else {
            let mut source = json!({ "component": told.component });
            if !told.host.is_empty() {
                source["host"] = json!(told.host);
            }
            event["source"] = source;
            event["firstTimestamp"] = json!(now);
            event["lastTimestamp"] = json!(now);
            event["count"] = json!(1);
            event["reportingInstance"] = json!(told.host);
        }
        self.create("events", &namespace, &name, event);
        self.caches.events.insert(known, (namespace, name));
    }

    fn count_event(&mut self, namespace: &str, name: &str, now: &str) -> bool {
        let time = micros(self.now());
        let counted = self.update("events", namespace, name, |event| {
            if event["eventTime"].is_null() {
                event["count"] = json!(event["count"].as_u64().unwrap_or(1) + 1);
                event["lastTimestamp"] = json!(now);
            } else {
                let count = event["series"]["count"].as_u64().unwrap_or(1) + 1;
                event["series"] = json!({ "count": count, "lastObservedTime": time });
            }
        });
        counted.is_some()
    }
}

fn event(told: &Told<'_>, namespace: &str) -> Value {
    let about = told.about;
    let mut involved = json!({
        "kind": about["kind"], "name": about["metadata"]["name"], "uid": about["metadata"]["uid"],
        "apiVersion": about["apiVersion"], "resourceVersion": about["metadata"]["resourceVersion"],
    });
    if !meta(about, "namespace").is_empty() {
        involved["namespace"] = about["metadata"]["namespace"].clone();
    }
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": { "namespace": namespace },
        "involvedObject": involved,
        "reason": told.reason, "message": told.message,
        "type": if told.is_warning { "Warning" } else { "Normal" },
        "source": {}, "eventTime": null, "firstTimestamp": null, "lastTimestamp": null,
        "reportingComponent": told.component, "reportingInstance": "",
    })
}

/// A time in microseconds, as `MicroTime` is written.
fn micros(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Removes events in time.
pub(crate) const CONTROLLER: Controller = Controller { switches: &["events"], observe, reconcile };

fn observe(ctx: &mut Context<'_>, change: &Change) {
    if change.key.resource == "events" && change.kind != Kind::Deleted {
        ctx.enqueue_after(Name::Events, &change.key.namespace, &change.key.name, LIFETIME);
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(event) = ctx.get("events", &item.namespace, &item.name) else { return };
    let last = [&event["series"]["lastObservedTime"], &event["lastTimestamp"], &event["eventTime"]];
    let last = last.into_iter().find_map(super::context::time_of);
    let end = last.and_then(|last| last.checked_add(LIFETIME).ok());
    match end {
        Some(end) if end > ctx.now() => ctx.queue.add_at(item.clone(), end),
        _ => {
            ctx.delete_now("events", &item.namespace, &item.name);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let told = format!("{}/{}", text(&event["reportingComponent"]), text(&event["reason"]));
            ctx.caches.events.remove(&(text(&event["involvedObject"]["uid"]), told, text(&event["message"])));
        }
    }
}
