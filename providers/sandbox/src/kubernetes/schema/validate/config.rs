//! ConfigMaps, Secrets and webhook configurations.

use std::collections::BTreeSet;

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Causes, items, metadata, names, text};

/// So many bytes fit into a ConfigMap or Secret (`MaxSecretSize`).
const SIZE: usize = 1024 * 1024;

pub(super) fn config_map(it: &Value, old: Option<&Value>, causes: &mut Causes) {
    let mut size = keys(it, "data", causes);
    for (key, value) in it["binaryData"].as_object().into_iter().flatten() {
        if !it["data"][key].is_null() {
            causes.invalid(format!("data[{key}]"), &json!(key), "duplicate of key present in binaryData");
        }
        size += decoded(value);
    }
    keys(it, "binaryData", causes);
    if size > SIZE {
        causes.too_long("[]", SIZE as u64);
    }
    if let Some(old) = old {
        fixed(it, old, &["data", "binaryData"], causes);
    }
}

pub(super) fn secret(it: &Value, old: Option<&Value>, causes: &mut Causes) {
    content(it, causes);
    keys(it, "data", causes);
    let size: usize = it["data"].as_object().into_iter().flatten().map(|(_, value)| decoded(value)).sum();
    if size > SIZE {
        causes.too_long("data", SIZE as u64);
    }
    let needed: &[&str] = match text(it, "type") {
        "kubernetes.io/service-account-token" => {
            let path = "metadata.annotations[kubernetes.io/service-account.name]";
            if text(&it["metadata"]["annotations"], "kubernetes.io/service-account.name").is_empty() {
                causes.required(path, "");
            }
            &[]
        }
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        _ => &[],
    };
    for key in needed {
        if it["data"][*key].is_null() {
            causes.required(format!("data[{key}]"), "");
        }
    }
    if let Some(old) = old {
        causes.immutable("type", &it["type"], &old["type"]);
        fixed(it, old, &["data"], causes);
    }
}

/// Checks the keys, and answers the size of what is not encoded.
fn keys(it: &Value, member: &str, causes: &mut Causes) -> usize {
    let mut size = 0;
    for (key, value) in it[member].as_object().into_iter().flatten() {
        for wrong in names::config_key(key) {
            causes.invalid(format!("{member}[{key}]"), &json!(key), &wrong);
        }
        size += value.as_str().map_or(0, str::len);
    }
    size
}

fn decoded(value: &Value) -> usize {
    let text = value.as_str().unwrap_or("");
    base64::engine::general_purpose::STANDARD.decode(text).map_or(text.len(), |bytes| bytes.len())
}

/// What some types of secrets hold besides having their keys.
fn content(it: &Value, causes: &mut Causes) {
    let data = &it["data"];
    match text(it, "type") {
        "kubernetes.io/basic-auth" if data["username"].is_null() && data["password"].is_null() => {
            causes.required("data[username]", "");
            causes.required("data[password]", "");
        }
        "kubernetes.io/dockerconfigjson" => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text(data, ".dockerconfigjson"));
            let bytes = bytes.unwrap_or_default();
            let is_json = bytes.is_empty() || serde_json::from_slice::<Value>(&bytes).is_ok();
            if let Some(first) = bytes.first().filter(|_| !is_json) {
                let why = format!("invalid character {:?} looking for beginning of value", char::from(*first));
                causes.invalid("data[.dockerconfigjson]", &Value::from("<secret contents redacted>"), &why);
            }
        }
        _ => {}
    }
}

/// What was made immutable stays.
fn fixed(it: &Value, old: &Value, members: &[&str], causes: &mut Causes) {
    if old["immutable"] != true {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if it["immutable"] != true {
        causes.forbidden("immutable", detail);
    }
    for member in members {
        if it[*member] != old[*member] {
            causes.forbidden(*member, detail);
        }
    }
}

/// Webhook configurations (`pkg/apis/admissionregistration/validation`).
pub(super) fn webhooks(it: &Value, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for (path, hook) in items(&it["webhooks"], "webhooks") {
        let name = text(hook, "name");
        if name.is_empty() {
            causes.required(format!("{path}.name"), "");
        } else {
            for wrong in names::subdomain(name) {
                causes.invalid(format!("{path}.name"), &hook["name"], &wrong);
            }
            if name.split('.').count() < 3 {
                causes.invalid(
                    format!("{path}.name"),
                    &hook["name"],
                    "should be a domain with at least three segments separated by dots",
                );
            }
        }
        if !seen.insert(name) {
            causes.duplicate(format!("{path}.name"), &hook["name"]);
        }
        webhook(hook, &path, causes);
    }
}

fn webhook(hook: &Value, path: &str, causes: &mut Causes) {
    for (path, rule) in items(&hook["rules"], &format!("{path}.rules")) {
        for member in ["operations", "apiGroups", "apiVersions", "resources"] {
            if rule[member].as_array().is_none_or(Vec::is_empty) {
                causes.required(format!("{path}.{member}"), "");
            }
        }
        for (path, operation) in items(&rule["operations"], &format!("{path}.operations")) {
            if !matches!(operation.as_str(), Some("*" | "CREATE" | "UPDATE" | "DELETE" | "CONNECT")) {
                causes.unsupported(path, operation, &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]);
            }
        }
    }
    let lists: [(&str, &[&str]); 2] =
        [("failurePolicy", &["Fail", "Ignore"]), ("matchPolicy", &["Equivalent", "Exact"])];
    for (member, supported) in lists {
        if !hook[member].is_null() && !supported.contains(&text(hook, member)) {
            causes.unsupported(format!("{path}.{member}"), &hook[member], supported);
        }
    }
    match text(hook, "sideEffects") {
        "" => causes.required(format!("{path}.sideEffects"), "must specify one of None, NoneOnDryRun"),
        "None" | "NoneOnDryRun" => {}
        _ => causes.unsupported(format!("{path}.sideEffects"), &hook["sideEffects"], &["None", "NoneOnDryRun"]),
    }
    if let Some(seconds) = hook["timeoutSeconds"].as_i64()
        && !(1..=30).contains(&seconds)
    {
        causes.invalid(
            format!("{path}.timeoutSeconds"),
            &json!(seconds),
            "the timeout value must be between 1 and 30 seconds",
        );
    }
    let client = &hook["clientConfig"];
    if client["url"].is_null() == client["service"].is_null() {
        causes.required(format!("{path}.clientConfig"), "exactly one of url or service is required");
    }
    for member in ["namespaceSelector", "objectSelector"] {
        metadata::selector(&hook[member], &format!("{path}.{member}"), causes);
    }
    let versions = items(&hook["admissionReviewVersions"], "");
    if versions.is_empty() {
        causes.required(format!("{path}.admissionReviewVersions"), "must specify one of v1, v1beta1");
    } else if !versions.iter().any(|(_, version)| matches!(version.as_str(), Some("v1" | "v1beta1"))) {
        causes.invalid(
            format!("{path}.admissionReviewVersions"),
            &hook["admissionReviewVersions"],
            "must include at least one of v1, v1beta1",
        );
    }
}
