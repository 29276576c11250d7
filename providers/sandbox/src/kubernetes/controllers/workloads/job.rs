//! Jobs: pods until enough of them succeeded.
//!
//! Source: `pkg/controller/job` of Kubernetes 1.36. Pods carry no `job-tracking` finalizer: counts follow from the pods and from what
//! the status has counted before.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{count, follow, follow_owned, pods, set_status};
use crate::kubernetes::controllers::context::{Context, has_condition, is_going, meta, set_condition, time_of};
use crate::kubernetes::controllers::queue::Item;
use crate::kubernetes::controllers::{Controller, Name};
use crate::kubernetes::objects::Event;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["workloads", "jobs"], observe, reconcile };

const RESOURCE: &str = "jobs.batch";
const COMPONENT: &str = "job-controller";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Failed pods are replaced after this, then twice as long each time.
const BACKOFF_SECONDS: u64 = 10;

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        RESOURCE => follow(ctx, change, Name::Jobs),
        "pods" => follow_owned(ctx, change, "Job", Name::Jobs),
        _ => {}
    }
}

/// A Job's pods.
struct Pods {
    active: Vec<Arc<Value>>,
    ready: usize,
    succeeded: Vec<Arc<Value>>,
    failed: Vec<Arc<Value>>,
}

impl Pods {
    fn of(ctx: &Context<'_>, job: &Value) -> Self {
        let all = ctx.owned("pods", meta(job, "uid"));
        let phase = |name: &'static str| move |pod: &&Arc<Value>| pod["status"]["phase"] == name;
        Self {
            active: all.iter().filter(|pod| pods::is_active(pod)).cloned().collect(),
            ready: all.iter().filter(|pod| pods::is_active(pod) && pods::is_ready(pod)).count(),
            succeeded: all.iter().filter(phase("Succeeded")).cloned().collect(),
            failed: all.iter().filter(phase("Failed")).cloned().collect(),
        }
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(job) = ctx.get(RESOURCE, &item.namespace, &item.name).filter(|job| !is_going(job)) else { return };
    if has_condition(&job, "Complete") || has_condition(&job, "Failed") {
        return expire(ctx, item, &job);
    }
    let pods = Pods::of(ctx, &job);
    let started = time_of(&job["status"]["startTime"]);
    let deadline = job["spec"]["activeDeadlineSeconds"].as_i64();
    let left = deadline.zip(started).map(|(deadline, since)| since.as_second() + deadline - ctx.now().as_second());
    let failed = i64::try_from(pods.failed.len()).unwrap_or(i64::MAX);
    if job["spec"]["suspend"] == true {
        return suspend(ctx, &job, &pods);
    }
    if failed > count(&job["spec"]["backoffLimit"], 6) {
        return end(ctx, &job, &pods, Some(("BackoffLimitExceeded", "Job has reached the specified backoff limit")));
    }
    if left.is_some_and(|left| left <= 0) {
        return end(ctx, &job, &pods, Some(("DeadlineExceeded", "Job was active longer than specified deadline")));
    }
    let succeeded = i64::try_from(done(&job, &pods).len()).unwrap_or(i64::MAX);
    let completions = job["spec"]["completions"].as_i64();
    let is_done = match completions {
        Some(wanted) => succeeded >= wanted,
        None => succeeded > 0 && pods.active.is_empty(),
    };
    if is_done {
        return end(ctx, &job, &pods, None);
    }
    if let Some(left) = left {
        ctx.enqueue_after(Name::Jobs, &item.namespace, &item.name, Duration::from_secs(left.unsigned_abs()));
    }
    fill(ctx, item, &job, &pods, succeeded);
    report(ctx, &job, &Pods::of(ctx, &job), None);
}

/// What succeeded: indexes of an indexed Job, pods of any other.
fn done(job: &Value, pods: &Pods) -> BTreeSet<String> {
    let is_indexed = job["spec"]["completionMode"] == "Indexed";
    let name = |pod: &Arc<Value>| {
        let index = pod["metadata"]["annotations"][INDEX].as_str();
        index.filter(|_| is_indexed).unwrap_or_else(|| meta(pod, "name")).to_owned()
    };
    pods.succeeded.iter().map(name).collect()
}

/// Makes as many pods as may run.
fn fill(ctx: &mut Context<'_>, item: &Item, job: &Value, pods: &Pods, succeeded: i64) {
    let parallelism = count(&job["spec"]["parallelism"], 1);
    let active = i64::try_from(pods.active.len()).unwrap_or(i64::MAX);
    let wanted = match job["spec"]["completions"].as_i64() {
        Some(completions) => parallelism.min(completions - succeeded),
        // A work queue: once a pod succeeded no new ones are made.
        None if succeeded > 0 => active,
        None => parallelism,
    };
    for pod in pods.active.iter().take(usize::try_from(active - wanted).unwrap_or(0)) {
        ctx.delete("pods", meta(pod, "namespace"), meta(pod, "name"));
        ctx.normal(job, COMPONENT, "SuccessfulDelete", &format!("Deleted pod: {}", meta(pod, "name")));
    }
    if wanted <= active {
        return;
    }
    if let Some(wait) = backoff(ctx, pods) {
        return ctx.enqueue_after(Name::Jobs, &item.namespace, &item.name, wait);
    }
    let mut free = free_indexes(job, pods).into_iter();
    for _ in 0..(wanted - active).min(200) {
        let index = free.next();
        if let Err(why) = create(ctx, job, index) {
            ctx.warn(job, COMPONENT, "FailedCreate", &format!("Error creating: {why}"));
            return ctx.queue.add_after_failure(item.clone(), ctx.world.now);
        }
    }
    ctx.queue.succeeded(item);
}

/// How long to wait after failures.
fn backoff(ctx: &Context<'_>, pods: &Pods) -> Option<Duration> {
    let last = pods.failed.iter().filter_map(|pod| finished_at(pod)).max()?;
    let doublings = u32::try_from(pods.failed.len()).unwrap_or(1).clamp(1, 6) - 1;
    let wait = Duration::from_secs(BACKOFF_SECONDS << doublings);
    let until = last.checked_add(wait).ok()?;
    (until > ctx.now())
        .then(|| Duration::from_millis(u64::try_from(until.as_millisecond() - ctx.now().as_millisecond()).unwrap_or(0)))
}

fn finished_at(pod: &Value) -> Option<jiff::Timestamp> {
    let statuses = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    statuses.filter_map(|it| time_of(&it["state"]["terminated"]["finishedAt"])).max()
}

fn free_indexes(job: &Value, pods: &Pods) -> Vec<i64> {
    if job["spec"]["completionMode"] != "Indexed" {
        return Vec::new();
    }
    let taken: BTreeSet<&str> = pods
        .active
        .iter()
        .chain(&pods.succeeded)
        .filter_map(|pod| pod["metadata"]["annotations"][INDEX].as_str())
        .collect();
    (0..count(&job["spec"]["completions"], 0)).filter(|index| !taken.contains(index.to_string().as_str())).collect()
}

fn create(ctx: &mut Context<'_>, job: &Value, index: Option<i64>) -> Result<(), String> {
    let (name, uid) = (meta(job, "name").to_owned(), meta(job, "uid").to_owned());
    let pod_name = index.map(|index| format!("{name}-{index}-{}", pods::suffix(ctx)));
    let pod = pods::create(ctx, job, &job["spec"]["template"], pod_name, COMPONENT, |pod| {
        let labels = &mut pod["metadata"]["labels"];
        for (key, value) in [
            ("batch.kubernetes.io/controller-uid", &uid),
            ("batch.kubernetes.io/job-name", &name),
            ("controller-uid", &uid),
            ("job-name", &name),
        ] {
            labels[key] = json!(value);
        }
        if let Some(index) = index {
            labels[INDEX] = json!(index.to_string());
            pod["metadata"]["annotations"][INDEX] = json!(index.to_string());
            pod["spec"]["hostname"] = json!(format!("{name}-{index}"));
        }
    })?;
    ctx.normal(job, COMPONENT, "SuccessfulCreate", &format!("Created pod: {}", meta(&pod, "name")));
    Ok(())
}

fn suspend(ctx: &mut Context<'_>, job: &Value, pods: &Pods) {
    for pod in &pods.active {
        ctx.delete("pods", meta(pod, "namespace"), meta(pod, "name"));
    }
    let condition =
        json!({ "type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended" });
    report(ctx, job, &Pods::of(ctx, job), Some(vec![condition]));
}

/// The Job is over: complete, or failed with a reason.
fn end(ctx: &mut Context<'_>, job: &Value, pods: &Pods, failure: Option<(&str, &str)>) {
    for pod in &pods.active {
        ctx.delete("pods", meta(pod, "namespace"), meta(pod, "name"));
    }
    let now = ctx.time();
    let conditions = match failure {
        None => {
            ctx.normal(job, COMPONENT, "Completed", "Job completed");
            let (reason, message) = ("CompletionsReached", "Reached expected number of succeeded pods");
            ["SuccessCriteriaMet", "Complete"]
                .map(|kind| json!({ "type": kind, "status": "True", "reason": reason, "message": message, "lastProbeTime": now }))
        }
        Some((reason, message)) => {
            ctx.warn(job, COMPONENT, reason, message);
            ["FailureTarget", "Failed"]
                .map(|kind| json!({ "type": kind, "status": "True", "reason": reason, "message": message, "lastProbeTime": now }))
        }
    };
    report(ctx, job, &Pods::of(ctx, job), Some(conditions.to_vec()));
}

fn report(ctx: &mut Context<'_>, job: &Value, pods: &Pods, conditions: Option<Vec<Value>>) {
    let now = ctx.time();
    let mut status = json!({ "uncountedTerminatedPods": {}, "ready": pods.ready });
    status["startTime"] = if job["status"]["startTime"].is_null() && job["spec"]["suspend"] != true {
        json!(now)
    } else {
        job["status"]["startTime"].clone()
    };
    for (name, number) in
        [("active", pods.active.len()), ("succeeded", done(job, pods).len()), ("failed", pods.failed.len())]
    {
        if number > 0 {
            status[name] = json!(number);
        }
    }
    if job["spec"]["completionMode"] == "Indexed" {
        status["completedIndexes"] = json!(ranges(&done(job, pods)));
    }
    status["conditions"] = job["status"]["conditions"].clone();
    for condition in conditions.into_iter().flatten() {
        if condition["type"] == "Complete" {
            status["completionTime"] = json!(now);
        }
        set_condition(&mut status["conditions"], &now, condition);
    }
    if let Some(members) = status.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    set_status(ctx, RESOURCE, job, status);
}

/// Indexes as Kubernetes writes them, `0-2,5`.
fn ranges(indexes: &BTreeSet<String>) -> String {
    let numbers: BTreeSet<i64> = indexes.iter().filter_map(|text| text.parse().ok()).collect();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let write = |(first, last): &(i64, i64)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    ranges.iter().map(write).collect::<Vec<_>>().join(",")
}

/// A finished Job with a lifetime goes when it is over.
fn expire(ctx: &mut Context<'_>, item: &Item, job: &Value) {
    let Some(lifetime) = job["spec"]["ttlSecondsAfterFinished"].as_i64() else { return };
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    let is_end = |it: &&Value| (it["type"] == "Complete" || it["type"] == "Failed") && it["status"] == "True";
    let Some(since) = conditions.into_iter().find(is_end).and_then(|it| time_of(&it["lastTransitionTime"])) else {
        return;
    };
    let left = since.as_second() + lifetime - ctx.now().as_second();
    if left <= 0 {
        ctx.delete(RESOURCE, &item.namespace, &item.name);
    } else {
        ctx.enqueue_after(Name::Jobs, &item.namespace, &item.name, Duration::from_secs(left.unsigned_abs()));
    }
}
