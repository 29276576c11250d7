//! What makes pods (`pkg/apis/apps/validation`, `pkg/apis/batch/validation`).

use serde_json::{Value, json};

use super::{Causes, metadata, pod, text};

pub(super) fn check(kind: &str, object: &Value, old: Option<&Value>, causes: &mut Causes) {
    let spec = &object["spec"];
    match kind {
        "Job" => job(spec, old.map(|old| &old["spec"]), causes),
        "CronJob" => cron_job(object, causes),
        _ => replicated(kind, spec, old.map(|old| &old["spec"]), causes),
    }
}

fn replicated(kind: &str, spec: &Value, old: Option<&Value>, causes: &mut Causes) {
    for member in ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
        causes.not_negative(&format!("spec.{member}"), &spec[member]);
    }
    let template = &spec["template"];
    let labels = &template["metadata"]["labels"];
    if kind == "ReplicationController" {
        let selector = json!({ "matchLabels": spec["selector"] });
        if metadata::is_empty(&selector) {
            causes.required("spec.selector", "");
        } else if !metadata::selects(&selector, labels) {
            causes.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
        }
    } else {
        selector(kind, &spec["selector"], labels, causes);
    }
    pod::template(template, "spec.template", causes);
    let restarts = &template["spec"]["restartPolicy"];
    if !matches!(restarts.as_str(), None | Some("Always")) {
        causes.unsupported("spec.template.spec.restartPolicy", restarts, &["Always"]);
    }
    if !template["spec"]["activeDeadlineSeconds"].is_null() {
        let detail = if kind == "DaemonSet" {
            "activeDeadlineSeconds in DaemonSet is not Supported"
        } else {
            "activeDeadlineSeconds in ReplicaSet is not Supported"
        };
        causes.forbidden("spec.template.spec.activeDeadlineSeconds", detail);
    }
    match kind {
        "Deployment" => deployment(spec, causes),
        "DaemonSet" => daemon_set(spec, causes),
        "StatefulSet" => stateful_set(spec, old, causes),
        _ => {}
    }
    if let Some(old) = old
        && matches!(kind, "Deployment" | "ReplicaSet" | "DaemonSet")
    {
        causes.immutable("spec.selector", &spec["selector"], &old["selector"]);
    }
}

fn selector(kind: &str, selector: &Value, labels: &Value, causes: &mut Causes) {
    if selector.is_null() {
        if kind != "DaemonSet" {
            causes.required("spec.selector", "");
        }
        // A selector that is not there selects nothing.
        causes.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
        return;
    }
    let wrong = causes.0.len();
    metadata::selector(selector, "spec.selector", causes);
    if causes.0.len() > wrong {
        causes.invalid("spec.selector", selector, "invalid label selector");
        return;
    }
    if metadata::is_empty(selector) {
        let name = match kind {
            "DaemonSet" => "daemonset",
            "StatefulSet" => "statefulset",
            _ => "deployment",
        };
        causes.invalid("spec.selector", selector, &format!("empty selector is invalid for {name}"));
    } else if !metadata::selects(selector, labels) {
        causes.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
    }
}

fn deployment(spec: &Value, causes: &mut Causes) {
    let strategy = &spec["strategy"];
    match text(strategy, "type") {
        "Recreate" if !strategy["rollingUpdate"].is_null() => {
            causes.forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
        }
        "Recreate" => {}
        "RollingUpdate" => rolling(&strategy["rollingUpdate"], "spec.strategy.rollingUpdate", causes),
        // The whole strategy is named, as Go's own type has it.
        kind => causes.add(
            "spec.strategy",
            "FieldValueNotSupported",
            format!(
                "Unsupported value: {{\"Type\":{kind:?},\"RollingUpdate\":{}}}: supported values: \"Recreate\", \"RollingUpdate\"",
                strategy["rollingUpdate"]
            ),
        ),
    }
    if let (Some(deadline), ready) =
        (spec["progressDeadlineSeconds"].as_i64(), spec["minReadySeconds"].as_i64().unwrap_or(0))
        && deadline <= ready
    {
        causes.invalid("spec.progressDeadlineSeconds", &json!(deadline), "must be greater than minReadySeconds");
    }
}

/// A number or a percentage.
fn share(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.strip_suffix('%')?.parse().ok(),
        other => other.as_i64(),
    }
}

fn rolling(it: &Value, path: &str, causes: &mut Causes) {
    for member in ["maxUnavailable", "maxSurge"] {
        let path = format!("{path}.{member}");
        match &it[member] {
            Value::Null => {}
            value if share(value).is_none() => {
                causes.invalid(path, value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
            }
            value => causes.not_negative(&path, value),
        }
    }
    let unavailable = &it["maxUnavailable"];
    if share(unavailable) == Some(0) && share(&it["maxSurge"]) == Some(0) {
        causes.invalid(format!("{path}.maxUnavailable"), unavailable, "may not be 0 when `maxSurge` is 0");
    }
    if unavailable.is_string() && share(unavailable).is_some_and(|share| share > 100) {
        causes.invalid(format!("{path}.maxUnavailable"), unavailable, "must not be greater than 100%");
    }
}

fn daemon_set(spec: &Value, causes: &mut Causes) {
    let strategy = &spec["updateStrategy"];
    match text(strategy, "type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling = &strategy["rollingUpdate"];
            match (share(&rolling["maxUnavailable"]), share(&rolling["maxSurge"])) {
                (Some(0), Some(0) | None) => causes.invalid(
                    "spec.updateStrategy.rollingUpdate.maxUnavailable",
                    &rolling["maxUnavailable"],
                    "cannot be 0 when maxSurge is 0",
                ),
                (Some(one), Some(two)) if one > 0 && two > 0 => {
                    causes.invalid(
                        "spec.updateStrategy.rollingUpdate.maxSurge",
                        &rolling["maxSurge"],
                        "may not be set when maxUnavailable is non-zero",
                    );
                }
                _ => {}
            }
        }
        _ => causes.unsupported("spec.updateStrategy.type", &strategy["type"], &["RollingUpdate", "OnDelete"]),
    }
}

fn stateful_set(spec: &Value, old: Option<&Value>, causes: &mut Causes) {
    let policy = &spec["podManagementPolicy"];
    if !matches!(policy.as_str(), Some("OrderedReady" | "Parallel")) {
        causes.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
    }
    let Some(old) = old else { return };
    let may_change = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let is_changed = |name: &&str| spec[*name] != old[*name];
    let fixed = ["serviceName", "selector", "podManagementPolicy", "volumeClaimTemplates"];
    if fixed.iter().any(is_changed) {
        let list: Vec<String> = may_change.iter().map(|name| format!("'{name}'")).collect();
        let (last, rest) = list.split_last().expect("the list has members");
        causes.forbidden(
            "spec",
            &format!("updates to statefulset spec for fields other than {} and {last} are forbidden", rest.join(", ")),
        );
    }
}

fn job(spec: &Value, old: Option<&Value>, causes: &mut Causes) {
    for member in ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"] {
        causes.not_negative(&format!("spec.{member}"), &spec[member]);
    }
    job_template(&spec["template"], "spec.template", causes);
    let Some(old) = old else { return };
    for member in [
        "selector",
        "template",
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        // A suspended job that did not start yet may still be moved to other nodes.
        let is_waiting = member == "template" && old["suspend"] == true;
        if !is_waiting {
            causes.immutable(&format!("spec.{member}"), &spec[member], &old[member]);
        }
    }
    if text(spec, "completionMode") != "Indexed" {
        causes.immutable("spec.completions", &spec["completions"], &old["completions"]);
    }
}

fn job_template(template: &Value, path: &str, causes: &mut Causes) {
    pod::template(template, path, causes);
    let restarts = &template["spec"]["restartPolicy"];
    if restarts == "Always" {
        let path = format!("{path}.spec.restartPolicy");
        causes.add(path, "FieldValueRequired", "Required value: valid values: \"OnFailure\", \"Never\"".to_owned());
    } else if !matches!(restarts.as_str(), Some("OnFailure" | "Never")) {
        causes.unsupported(format!("{path}.spec.restartPolicy"), restarts, &["OnFailure", "Never"]);
    }
}

fn cron_job(object: &Value, causes: &mut Causes) {
    let spec = &object["spec"];
    let schedule = text(spec, "schedule");
    if schedule.is_empty() {
        causes.required("spec.schedule", "");
    } else if !schedule.starts_with('@') && schedule.split_whitespace().count() != 5 {
        let count = schedule.split_whitespace().count();
        causes.invalid(
            "spec.schedule",
            &spec["schedule"],
            &format!(
                "expected exactly 5 fields, found {count}: [{}]",
                schedule.split_whitespace().collect::<Vec<_>>().join(" ")
            ),
        );
    }
    if !matches!(text(spec, "concurrencyPolicy"), "Allow" | "Forbid" | "Replace") {
        causes.unsupported("spec.concurrencyPolicy", &spec["concurrencyPolicy"], &["Allow", "Forbid", "Replace"]);
    }
    for member in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        causes.not_negative(&format!("spec.{member}"), &spec[member]);
    }
    // Jobs are named after it, with eleven characters more.
    if text(&object["metadata"], "name").len() > 52 {
        causes.invalid("metadata.name", &object["metadata"]["name"], "must be no more than 52 characters");
    }
    job_template(&spec["jobTemplate"]["spec"]["template"], "spec.jobTemplate.spec.template", causes);
}
