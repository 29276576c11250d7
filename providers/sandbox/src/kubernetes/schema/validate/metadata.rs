//! `metadata`, labels and selectors (`apimachinery/pkg/api/validation/objectmeta.go`, `meta/v1/validation`).

use serde_json::{Value, json};

use super::{Causes, items, names, text};

/// What a kind's names look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Label,
    Subdomain,
    PathSegment,
}

/// What a kind's names look like; most are subdomains.
pub(super) fn named(kind: &str) -> Named {
    match kind {
        "Namespace" | "Service" => Named::Label,
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => Named::PathSegment,
        _ => Named::Subdomain,
    }
}

/// So many bytes may all annotations have.
const ANNOTATIONS: usize = 256 * 1024;

pub(super) fn check(object: &Value, old: Option<&Value>, named: Named, is_strict: bool, causes: &mut Causes) {
    let metadata = &object["metadata"];
    names_of(metadata, named, causes);
    labels(&metadata["labels"], "metadata.labels", causes);
    annotations(&metadata["annotations"], "metadata.annotations", causes);
    owners(metadata, causes);
    for (path, finalizer) in items(&metadata["finalizers"], "metadata.finalizers") {
        let name = finalizer.as_str().unwrap_or("");
        for wrong in names::qualified(name) {
            causes.invalid("metadata.finalizers", finalizer, &wrong);
        }
        // Those of custom resources have been what they liked for too long.
        if let Some(wrong) = super::bounds::finalizer_name(name).filter(|_| is_strict) {
            causes.invalid(path, finalizer, wrong);
        }
    }
    if let Some(old) = old {
        for name in ["name", "namespace", "uid", "creationTimestamp"] {
            let (new, old) = (&metadata[name], &old["metadata"][name]);
            causes.immutable(&format!("metadata.{name}"), new, old);
        }
    }
}

fn names_of(metadata: &Value, named: Named, causes: &mut Causes) {
    let wrong = |name: &str| match named {
        Named::Label => names::label(name),
        Named::Subdomain => names::subdomain(name),
        Named::PathSegment => names::path_segment(name),
    };
    let prefix = text(metadata, "generateName");
    if !prefix.is_empty() {
        // What is made of it ends with letters and digits.
        for wrong in wrong(prefix.strip_suffix('-').map_or(prefix, |_| "a")) {
            causes.invalid("metadata.generateName", &metadata["generateName"], &wrong);
        }
        if let Some(stem) = prefix.strip_suffix('-').filter(|stem| !stem.is_empty()) {
            for wrong in wrong(stem) {
                causes.invalid("metadata.generateName", &metadata["generateName"], &wrong);
            }
        }
    }
    let name = text(metadata, "name");
    if name.is_empty() {
        if prefix.is_empty() {
            causes.required("metadata.name", "name or generateName is required");
        }
        return;
    }
    for wrong in wrong(name) {
        causes.invalid("metadata.name", &metadata["name"], &wrong);
    }
}

/// Keys and values of labels.
pub(super) fn labels(labels: &Value, path: &str, causes: &mut Causes) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        for wrong in names::qualified(key) {
            causes.invalid(path, &json!(key), &wrong);
        }
        for wrong in names::label_value(value.as_str().unwrap_or("")) {
            causes.invalid(path, value, &wrong);
        }
    }
}

/// Keys and the size of annotations.
pub(super) fn annotations(annotations: &Value, path: &str, causes: &mut Causes) {
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        // Capitals are taken, for keys that were made before this was checked.
        for wrong in names::qualified(&key.to_lowercase()) {
            causes.invalid(path, &json!(key), &wrong);
        }
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS {
        causes.too_long(path, ANNOTATIONS as u64);
    }
}

fn owners(metadata: &Value, causes: &mut Causes) {
    let path = "metadata.ownerReferences";
    let mut controller: Option<&Value> = None;
    for (_, owner) in items(&metadata["ownerReferences"], path) {
        for (name, detail) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if text(owner, name).is_empty() {
                causes.invalid(format!("{path}.{name}"), &owner[name], detail);
            }
        }
        if owner["controller"] == true {
            if let Some(first) = controller {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
                    text(first, "kind"),
                    text(first, "name"),
                    text(owner, "kind"),
                    text(owner, "name"),
                );
                causes.invalid(path, &metadata["ownerReferences"], &detail);
            }
            controller = Some(owner);
        }
    }
}

/// A label selector.
pub(super) fn selector(selector: &Value, path: &str, causes: &mut Causes) {
    labels(&selector["matchLabels"], &format!("{path}.matchLabels"), causes);
    for (path, expression) in items(&selector["matchExpressions"], &format!("{path}.matchExpressions")) {
        let count = expression["values"].as_array().map_or(0, Vec::len);
        match text(expression, "operator") {
            "In" | "NotIn" if count == 0 => {
                causes.required(format!("{path}.values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if count > 0 => {
                causes.forbidden(
                    format!("{path}.values"),
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => causes.invalid(format!("{path}.operator"), &expression["operator"], "not a valid selector operator"),
        }
        for wrong in names::qualified(text(expression, "key")) {
            causes.invalid(format!("{path}.key"), &expression["key"], &wrong);
        }
        for (path, value) in items(&expression["values"], &format!("{path}.values")) {
            for wrong in names::label_value(value.as_str().unwrap_or("")) {
                causes.invalid(path.clone(), value, &wrong);
            }
        }
    }
}

/// Whether a selector selects nothing in particular.
pub(super) fn is_empty(selector: &Value) -> bool {
    let count = |name: &str| match &selector[name] {
        Value::Object(members) => members.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    };
    count("matchLabels") + count("matchExpressions") == 0
}

/// Whether a selector selects these labels.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let exact = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    exact.into_iter().all(|(key, value)| labels[key] == *value)
        && expressions.into_iter().all(|expression| {
            let label = labels.get(text(expression, "key"));
            let values = expression["values"].as_array().map_or(&[][..], Vec::as_slice);
            match text(expression, "operator") {
                "In" => label.is_some_and(|label| values.contains(label)),
                "NotIn" => label.is_none_or(|label| !values.contains(label)),
                "Exists" => label.is_some(),
                "DoesNotExist" => label.is_none(),
                _ => false,
            }
        })
}
