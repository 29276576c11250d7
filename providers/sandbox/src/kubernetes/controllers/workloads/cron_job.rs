//! CronJobs: a Job whenever the schedule says so.
//!
//! Source: `pkg/controller/cronjob` of Kubernetes 1.36.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::schedule::Schedule;
use super::{count, follow, follow_owned, pods, set_status};
use crate::kubernetes::controllers::context::{Context, has_condition, is_going, meta, owner_reference, time_of};
use crate::kubernetes::controllers::queue::Item;
use crate::kubernetes::controllers::{Controller, Name};
use crate::kubernetes::objects::Event;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["workloads", "cronjobs"], observe, reconcile };

const RESOURCE: &str = "cronjobs.batch";
const JOBS: &str = "jobs.batch";
const COMPONENT: &str = "cronjob-controller";

fn observe(ctx: &mut Context<'_>, change: &Event) {
    match change.key.resource.as_str() {
        RESOURCE => follow(ctx, change, Name::CronJobs),
        JOBS => follow_owned(ctx, change, "CronJob", Name::CronJobs),
        _ => {}
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(cron) = ctx.get(RESOURCE, &item.namespace, &item.name).filter(|cron| !is_going(cron)) else { return };
    let jobs = ctx.owned(JOBS, meta(&cron, "uid"));
    let active: Vec<Arc<Value>> = jobs.iter().filter(|job| !is_over(job)).cloned().collect();
    forget_old(ctx, &cron, &jobs);
    let mut last = time_of(&cron["status"]["lastScheduleTime"]);
    let mut active: Vec<Value> = active.iter().map(|job| reference(job)).collect();
    if cron["spec"]["suspend"] != true
        && let Some(schedule) = Schedule::read(cron["spec"]["schedule"].as_str().unwrap_or_default())
    {
        let zone = cron["spec"]["timeZone"].as_str().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let begin = last.or_else(|| time_of(&cron["metadata"]["creationTimestamp"])).unwrap_or(ctx.now());
        if let Some(due) = most_recent(&schedule, &zone, begin, ctx.now())
            && let Some(job) = start(ctx, &cron, due, &mut active)
        {
            active.push(reference(&job));
            last = Some(due);
        }
        if let Some(next) = schedule.next(ctx.now(), &zone) {
            ctx.queue.add_at(item.clone(), next);
        }
    }
    report(ctx, &cron, &jobs, &active, last);
}

fn is_over(job: &Value) -> bool {
    has_condition(job, "Complete") || has_condition(job, "Failed")
}

fn reference(job: &Value) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "name": meta(job, "name"), "namespace": meta(job, "namespace"),
        "uid": meta(job, "uid"), "resourceVersion": meta(job, "resourceVersion"),
    })
}

/// The last time that was due after `begin`, if any was. Of many that were missed only the last counts.
fn most_recent(schedule: &Schedule, zone: &TimeZone, begin: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let mut due = schedule.next(begin, zone).filter(|at| *at <= now)?;
    for _ in 0..10_000 {
        match schedule.next(due, zone) {
            Some(next) if next <= now => due = next,
            _ => break,
        }
    }
    Some(due)
}

/// Makes the Job of a time, unless one that still runs forbids it.
fn start(ctx: &mut Context<'_>, cron: &Value, due: Timestamp, active: &mut Vec<Value>) -> Option<Arc<Value>> {
    let deadline = cron["spec"]["startingDeadlineSeconds"].as_i64();
    if deadline.is_some_and(|deadline| due.as_second() + deadline < ctx.now().as_second()) {
        ctx.warn(cron, COMPONENT, "MissSchedule", &format!("Missed scheduled time to start a job: {due}"));
        return None;
    }
    let namespace = meta(cron, "namespace").to_owned();
    match cron["spec"]["concurrencyPolicy"].as_str() {
        Some("Forbid") if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            ctx.normal(cron, COMPONENT, "JobAlreadyActive", message);
            return None;
        }
        Some("Replace") => {
            for job in active.drain(..) {
                let name = job["name"].as_str().unwrap_or_default().to_owned();
                ctx.delete(JOBS, &namespace, &name);
                ctx.normal(cron, COMPONENT, "SuccessfulDelete", &format!("Deleted job {name}"));
            }
        }
        _ => {}
    }
    let name = format!("{}-{}", meta(cron, "name"), due.as_second() / 60);
    if ctx.get(JOBS, &namespace, &name).is_some() {
        return None;
    }
    let job = job(cron, &namespace, &name, due);
    let user = format!("system:serviceaccount:kube-system:{COMPONENT}");
    match pods::admit_and_create(ctx, JOBS, job, &user) {
        Ok(job) => {
            ctx.normal(cron, COMPONENT, "SuccessfulCreate", &format!("Created job {name}"));
            Some(job)
        }
        Err(why) => {
            ctx.warn(cron, COMPONENT, "FailedCreate", &format!("Error creating job: {why}"));
            None
        }
    }
}

fn job(cron: &Value, namespace: &str, name: &str, due: Timestamp) -> Value {
    let template = &cron["spec"]["jobTemplate"];
    let mut annotations = template["metadata"]["annotations"].clone();
    annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] = json!(due.to_string());
    let mut spec = template["spec"].clone();
    for (field, default) in [
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("podReplacementPolicy", json!("TerminatingOrFailed")),
    ] {
        if spec[field].is_null() {
            spec[field] = default;
        }
    }
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        spec["completions"] = json!(1);
    }
    if spec["parallelism"].is_null() {
        spec["parallelism"] = json!(1);
    }
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": name, "namespace": namespace, "labels": template["metadata"]["labels"],
            "annotations": annotations, "ownerReferences": [owner_reference(cron)],
        },
        "spec": spec,
    })
}

/// Deletes finished Jobs beyond those that are kept.
fn forget_old(ctx: &mut Context<'_>, cron: &Value, jobs: &[Arc<Value>]) {
    for (condition, limit, default) in
        [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)]
    {
        let mut over: Vec<&Arc<Value>> = jobs.iter().filter(|job| has_condition(job, condition)).collect();
        over.sort_by_key(|job| meta(job, "creationTimestamp").to_owned());
        let kept = usize::try_from(count(&cron["spec"][limit], default)).unwrap_or(0);
        for job in &over[..over.len().saturating_sub(kept)] {
            ctx.delete(JOBS, meta(job, "namespace"), meta(job, "name"));
        }
    }
}

fn report(ctx: &mut Context<'_>, cron: &Value, jobs: &[Arc<Value>], active: &[Value], last: Option<Timestamp>) {
    let mut status = json!({});
    if !active.is_empty() {
        status["active"] = json!(active);
    }
    if let Some(last) = last {
        status["lastScheduleTime"] = json!(last.to_string());
    }
    let ends = jobs.iter().filter_map(|job| time_of(&job["status"]["completionTime"]));
    if let Some(end) = ends.chain(time_of(&cron["status"]["lastSuccessfulTime"])).max() {
        status["lastSuccessfulTime"] = json!(end.to_string());
    }
    set_status(ctx, RESOURCE, cron, status);
}
