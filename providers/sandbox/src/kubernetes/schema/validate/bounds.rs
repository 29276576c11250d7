//! What bounds others: disruption budgets, autoscalers, priorities, limits, taints (`pkg/apis/{policy,autoscaling,scheduling,core}/validation`).

use serde_json::{Value, json};

use super::super::quantity::Quantity;
use super::{Causes, items, names, text};

pub(super) fn budget(it: &Value, causes: &mut Causes) {
    let spec = &it["spec"];
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        let shown = json!({
            "MinAvailable": spec["minAvailable"], "Selector": spec["selector"], "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"],
        });
        causes.invalid("spec", &shown, "minAvailable and maxUnavailable cannot be both set");
    }
    for name in ["minAvailable", "maxUnavailable"] {
        share(&spec[name], &format!("spec.{name}"), causes);
    }
}

/// A number or a part in a hundred.
fn share(value: &Value, path: &str, causes: &mut Causes) {
    causes.not_negative(path, value);
    let Some(text) = value.as_str() else { return };
    match text.strip_suffix('%').and_then(|number| number.parse::<u64>().ok()) {
        Some(0..=100) => {}
        Some(_) => causes.invalid(path, value, "must not be greater than 100%"),
        None => causes.invalid(
            path,
            value,
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
    }
}

pub(super) fn autoscaler(it: &Value, causes: &mut Causes) {
    let spec = &it["spec"];
    let most = spec["maxReplicas"].as_i64().unwrap_or(0);
    if most < 1 {
        causes.required("spec.maxReplicas", "must be set and greater than 0");
    }
    if let Some(least) = spec["minReplicas"].as_i64() {
        if least < 1 {
            causes.invalid("spec.minReplicas", &spec["minReplicas"], "must be greater than or equal to 1");
        }
        if most < least {
            causes.invalid("spec.maxReplicas", &json!(most), "must be greater than or equal to `minReplicas`");
        }
    }
    let target = &spec["scaleTargetRef"];
    for name in ["kind", "name"] {
        if text(target, name).is_empty() {
            causes.required(format!("spec.scaleTargetRef.{name}"), "");
        }
    }
    if text(target, "apiVersion").is_empty() {
        causes.invalid("spec.scaleTargetRef.apiVersion", &json!(""), "apiVersion must specify API group");
    }
}

pub(super) fn priority(it: &Value, causes: &mut Causes) {
    let name = text(&it["metadata"], "name");
    if name.starts_with("system-") && !matches!(name, "system-node-critical" | "system-cluster-critical") {
        let detail = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known system priority class"
        );
        causes.forbidden("metadata.name", &detail);
    } else if !name.starts_with("system-") && it["value"].as_i64().unwrap_or(0) > 1_000_000_000 {
        let detail = "maximum allowed value of a user defined priority is 1000000000";
        causes.forbidden("value", detail);
    }
}

pub(super) fn limits(it: &Value, causes: &mut Causes) {
    let amount = |value: &Value| value.as_str().and_then(Quantity::parse);
    for (path, limit) in items(&it["spec"]["limits"], "spec.limits") {
        for (resource, least) in limit["min"].as_object().into_iter().flatten() {
            for (of, word, at) in [
                ("max", "max", "min"),
                ("defaultRequest", "default request", "defaultRequest"),
                ("default", "default", "default"),
            ] {
                let other = &limit[of][resource];
                if let (Some(min), Some(than)) = (amount(least), amount(other))
                    && min > than
                {
                    let shown = if at == "defaultRequest" { other } else { least };
                    let (least, other) = (least.as_str().unwrap_or(""), other.as_str().unwrap_or(""));
                    let detail = format!("min value {least} is greater than {word} value {other}");
                    causes.invalid(format!("{path}.{at}[{resource}]"), shown, &detail);
                }
            }
        }
    }
}

pub(super) fn node(it: &Value, causes: &mut Causes) {
    const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];
    // The API server says `metadata` here.
    for (path, taint) in items(&it["spec"]["taints"], "metadata.taints") {
        for wrong in names::qualified(text(taint, "key")) {
            causes.invalid(format!("{path}.key"), &taint["key"], &wrong);
        }
        causes.one_of(&format!("{path}.effect"), &taint["effect"], EFFECTS);
    }
}

pub(super) fn namespace(it: &Value, causes: &mut Causes) {
    for finalizer in it["spec"]["finalizers"].as_array().into_iter().flatten() {
        if let Some(wrong) = finalizer_name(finalizer.as_str().unwrap_or("")) {
            causes.invalid("spec.finalizers", finalizer, wrong);
        }
    }
}

/// Finalizers that are not Kubernetes' own have a domain before them.
pub(super) fn finalizer_name(name: &str) -> Option<&'static str> {
    let is_standard = matches!(name, "kubernetes" | "orphan" | "foregroundDeletion");
    (!is_standard && !name.contains('/'))
        .then_some("name is neither a standard finalizer name nor is it fully qualified")
}
