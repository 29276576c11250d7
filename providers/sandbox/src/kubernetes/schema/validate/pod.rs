//! Pods and pod templates (`pkg/apis/core/validation`).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::quantity::Quantity;
use super::{Causes, items, metadata, names, pod_more, text};

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

pub(super) fn check(pod: &Value, old: Option<&Value>, causes: &mut Causes) {
    match old {
        None => spec(&pod["spec"], "spec", causes),
        Some(old) => {
            spec(&pod["spec"], "spec", causes);
            unchanged(&pod["spec"], &old["spec"], causes);
        }
    }
}

/// What is wrong with a pod template.
pub(super) fn template(template: &Value, path: &str, causes: &mut Causes) {
    metadata::labels(&template["metadata"]["labels"], &format!("{path}.labels"), causes);
    metadata::annotations(&template["metadata"]["annotations"], &format!("{path}.annotations"), causes);
    spec(&template["spec"], &format!("{path}.spec"), causes);
}

/// What is wrong with a pod's spec.
fn spec(spec: &Value, path: &str, causes: &mut Causes) {
    let volumes = volumes(&spec["volumes"], &format!("{path}.volumes"), causes);
    containers(spec, path, &volumes, causes);
    causes.one_of(&format!("{path}.restartPolicy"), &spec["restartPolicy"], &["Always", "OnFailure", "Never"]);
    causes.one_of(
        &format!("{path}.dnsPolicy"),
        &spec["dnsPolicy"],
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    metadata::labels(&spec["nodeSelector"], &format!("{path}.nodeSelector"), causes);
    let named: [(&str, fn(&str) -> Vec<String>); 6] = [
        ("serviceAccountName", names::subdomain),
        ("nodeName", names::subdomain),
        ("hostname", names::label),
        ("subdomain", names::label),
        ("priorityClassName", names::subdomain),
        ("runtimeClassName", names::subdomain),
    ];
    for (name, check) in named {
        for wrong in check(text(spec, name)).into_iter().filter(|_| !text(spec, name).is_empty()) {
            causes.invalid(format!("{path}.{name}"), &spec[name], &wrong);
        }
    }
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64()
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        causes.invalid(
            format!("{path}.activeDeadlineSeconds"),
            &json!(seconds),
            "must be between 1 and 2147483647, inclusive",
        );
    }
    for (path, toleration) in items(&spec["tolerations"], &format!("{path}.tolerations")) {
        self::toleration(toleration, &path, causes);
    }
    pod_more::spec(spec, path, causes);
}

fn toleration(it: &Value, path: &str, causes: &mut Causes) {
    let key = text(it, "key");
    if !key.is_empty() {
        for wrong in names::qualified(key) {
            causes.invalid(format!("{path}.key"), &it["key"], &wrong);
        }
    }
    let operator = text(it, "operator");
    if key.is_empty() && operator != "Exists" {
        causes.invalid(
            format!("{path}.operator"),
            &json!(operator),
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
        );
    }
    match operator {
        "" | "Equal" => {
            for wrong in names::label_value(text(it, "value")) {
                causes.invalid(format!("{path}.operator"), &it["value"], &wrong);
            }
        }
        "Exists" if !text(it, "value").is_empty() => {
            causes.invalid(format!("{path}.operator"), &it["value"], "value must be empty when `operator` is 'Exists'");
        }
        "Exists" => {}
        _ => causes.unsupported(format!("{path}.operator"), &it["operator"], &["Equal", "Exists"]),
    }
    let effect = text(it, "effect");
    if !it["tolerationSeconds"].is_null() && effect != "NoExecute" {
        causes.invalid(
            format!("{path}.effect"),
            &json!(effect),
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
        );
    }
    if !matches!(effect, "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
        causes.unsupported(format!("{path}.effect"), &it["effect"], &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
    }
}

/// Checks the volumes, and answers their names.
fn volumes<'a>(list: &'a Value, path: &str, causes: &mut Causes) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for (path, volume) in items(list, path) {
        let name = text(volume, "name");
        if name.is_empty() {
            causes.required(format!("{path}.name"), "");
        } else {
            for wrong in names::label(name) {
                causes.invalid(format!("{path}.name"), &volume["name"], &wrong);
            }
            if !seen.insert(name) {
                causes.duplicate(format!("{path}.name"), &volume["name"]);
            }
        }
        let sources: Vec<&String> =
            volume.as_object().into_iter().flatten().map(|(name, _)| name).filter(|name| *name != "name").collect();
        for extra in sources.iter().skip(1) {
            causes.forbidden(format!("{path}.{extra}"), "may not specify more than 1 volume type");
        }
        for (source, member) in [
            ("configMap", "name"),
            ("secret", "secretName"),
            ("persistentVolumeClaim", "claimName"),
            ("hostPath", "path"),
        ] {
            if !volume[source].is_null() && text(&volume[source], member).is_empty() {
                causes.required(format!("{path}.{source}.{member}"), "");
            }
        }
    }
    seen
}

fn containers(spec: &Value, path: &str, volumes: &BTreeSet<&str>, causes: &mut Causes) {
    let mut names = BTreeSet::new();
    if spec["containers"].as_array().is_none_or(Vec::is_empty) {
        causes.required(format!("{path}.containers"), "");
    }
    let is_on_host = spec["hostNetwork"] == true;
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for (path, container) in items(&spec[list], &format!("{path}.{list}")) {
            let name = text(container, "name");
            self::container(container, &path, volumes, causes);
            if !name.is_empty() && !names.insert(name) {
                causes.duplicate(format!("{path}.name"), &container["name"]);
            }
            let may_be_probed =
                list == "containers" || (list == "initContainers" && container["restartPolicy"] == "Always");
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                let path = format!("{path}.{probe}");
                if container[probe].is_null() {
                    continue;
                }
                if !may_be_probed {
                    causes.forbidden(path, "may not be set for init containers without restartPolicy=Always");
                    continue;
                }
                self::probe(&container[probe], probe, &path, causes);
            }
            if is_on_host {
                on_host(container, &path, causes);
            }
        }
    }
}

/// A pod in its node's network has the node's ports.
fn on_host(container: &Value, path: &str, causes: &mut Causes) {
    for (path, port) in items(&container["ports"], &format!("{path}.ports")) {
        if !port["hostPort"].is_null() && port["hostPort"] != port["containerPort"] {
            causes.invalid(
                format!("{path}.hostPort"),
                &port["hostPort"],
                "must match `containerPort` when `hostNetwork` is true",
            );
        }
    }
}

fn container(it: &Value, path: &str, volumes: &BTreeSet<&str>, causes: &mut Causes) {
    let name = text(it, "name");
    if name.is_empty() {
        causes.required(format!("{path}.name"), "");
    } else {
        for wrong in names::label(name) {
            causes.invalid(format!("{path}.name"), &it["name"], &wrong);
        }
    }
    if text(it, "image").is_empty() {
        causes.required(format!("{path}.image"), "");
    }
    pod_more::container(it, path, causes);
    causes.one_of(
        &format!("{path}.terminationMessagePolicy"),
        &it["terminationMessagePolicy"],
        &["File", "FallbackToLogsOnError"],
    );
    ports(&it["ports"], &format!("{path}.ports"), causes);
    environment(&it["env"], &format!("{path}.env"), causes);
    mounts(&it["volumeMounts"], &format!("{path}.volumeMounts"), volumes, causes);
    causes.one_of(&format!("{path}.imagePullPolicy"), &it["imagePullPolicy"], &["Always", "IfNotPresent", "Never"]);
    resources(&it["resources"], &format!("{path}.resources"), causes);
}

fn ports(list: &Value, path: &str, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for (path, port) in items(list, path) {
        let name = text(port, "name");
        if !name.is_empty() {
            let wrong = names::port_name(name);
            let is_wrong = !wrong.is_empty();
            for wrong in wrong {
                causes.invalid(format!("{path}.name"), &port["name"], &wrong);
            }
            if !is_wrong && !seen.insert(name) {
                causes.duplicate(format!("{path}.name"), &port["name"]);
            }
        }
        match port["containerPort"].as_i64() {
            None | Some(0) => causes.required(format!("{path}.containerPort"), ""),
            Some(number) => port_number(number, &format!("{path}.containerPort"), causes),
        }
        if let Some(number) = port["hostPort"].as_i64().filter(|number| *number != 0) {
            port_number(number, &format!("{path}.hostPort"), causes);
        }
        causes.one_of(&format!("{path}.protocol"), &port["protocol"], PROTOCOLS);
    }
}

/// A port's number.
pub(super) fn port_number(number: i64, path: &str, causes: &mut Causes) {
    if let Some(wrong) = names::port_number(number) {
        causes.invalid(path, &json!(number), wrong);
    }
}

/// A port by number or name.
pub(super) fn port(port: &Value, path: &str, causes: &mut Causes) {
    match port {
        Value::Number(number) => port_number(number.as_i64().unwrap_or(0), path, causes),
        Value::String(name) => {
            for wrong in names::port_name(name) {
                causes.invalid(path, port, &wrong);
            }
        }
        _ => {}
    }
}

fn environment(list: &Value, path: &str, causes: &mut Causes) {
    for (path, variable) in items(list, path) {
        let name = text(variable, "name");
        if name.is_empty() {
            causes.required(format!("{path}.name"), "");
        }
        for wrong in names::variable(name) {
            causes.invalid(format!("{path}.name"), &variable["name"], &wrong);
        }
        let from = &variable["valueFrom"];
        let Some(sources) = from.as_object() else { continue };
        let path = format!("{path}.valueFrom");
        if sources.is_empty() {
            causes.invalid(path.clone(), &json!(""), "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
        } else if !text(variable, "value").is_empty() {
            causes.invalid(path.clone(), &json!(""), "may not be specified when `value` is not empty");
        } else if sources.len() > 1 {
            causes.invalid(path.clone(), &json!(""), "may not have more than one field specified at a time");
        }
        for source in ["configMapKeyRef", "secretKeyRef"] {
            let reference = &from[source];
            if reference.is_null() {
                continue;
            }
            if text(reference, "name").is_empty() {
                causes.required(format!("{path}.{source}.name"), "");
            }
            if text(reference, "key").is_empty() {
                causes.required(format!("{path}.{source}.key"), "");
            }
        }
        if !from["fieldRef"].is_null() && text(&from["fieldRef"], "fieldPath").is_empty() {
            causes.required(format!("{path}.fieldRef.fieldPath"), "");
        }
        pod_more::field(&from["fieldRef"], &format!("{path}.fieldRef.fieldPath"), causes);
    }
}

fn mounts(list: &Value, path: &str, volumes: &BTreeSet<&str>, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for (path, mount) in items(list, path) {
        let name = text(mount, "name");
        if name.is_empty() {
            causes.required(format!("{path}.name"), "");
        }
        if !volumes.contains(name) {
            causes.not_found(format!("{path}.name"), &mount["name"]);
        }
        let target = text(mount, "mountPath");
        if target.is_empty() {
            causes.required(format!("{path}.mountPath"), "");
        }
        if !seen.insert(target) {
            causes.invalid(format!("{path}.mountPath"), &mount["mountPath"], "must be unique");
        }
        if !text(mount, "subPath").is_empty() && !text(mount, "subPathExpr").is_empty() {
            causes.invalid(
                format!("{path}.subPathExpr"),
                &mount["subPathExpr"],
                "subPathExpr and subPath are mutually exclusive",
            );
        }
    }
}

fn amount(value: &Value) -> Option<Quantity> {
    Quantity::parse(value.as_str()?)
}

fn resources(it: &Value, path: &str, causes: &mut Causes) {
    for list in ["limits", "requests"] {
        for (name, value) in it[list].as_object().into_iter().flatten() {
            let path = format!("{path}.{list}[{name}]");
            if !name.contains('/') && !is_standard(name) {
                causes.invalid(path.clone(), &json!(name), "must be a standard resource type or fully qualified");
                causes.invalid(path.clone(), &json!(name), "must be a standard resource for containers");
            }
            match amount(value) {
                Some(amount) if amount.is_negative() => {
                    causes.invalid(path, value, "must be greater than or equal to 0");
                }
                Some(amount) if name.contains('/') && !amount.is_whole() => {
                    causes.invalid(path, value, "must be an integer");
                }
                Some(_) | None => {}
            }
        }
    }
    for (name, request) in it["requests"].as_object().into_iter().flatten() {
        let limit = &it["limits"][name];
        let path = format!("{path}.requests");
        match (amount(request), amount(limit)) {
            (Some(request), Some(limit)) if name.contains('/') && request.canonical() != limit.canonical() => {
                causes.invalid(
                    path,
                    &it["requests"][name],
                    &format!("must be equal to {name} limit of {}", limit.canonical()),
                );
            }
            (Some(wanted), Some(limit)) if wanted > limit => {
                causes.invalid(
                    path,
                    &it["requests"][name],
                    &format!("must be less than or equal to {name} limit of {}", limit.canonical()),
                );
            }
            (Some(_), None) if name.contains('/') => {
                causes.required(
                    format!("{}.limits", path.trim_end_matches(".requests")),
                    "Limit must be set for non overcommitable resources",
                );
            }
            _ => {}
        }
    }
}

fn is_standard(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage" | "storage") || name.starts_with("hugepages-")
}

fn probe(it: &Value, name: &str, path: &str, causes: &mut Causes) {
    let handlers: Vec<&str> =
        ["exec", "httpGet", "tcpSocket", "grpc"].into_iter().filter(|handler| !it[*handler].is_null()).collect();
    if handlers.is_empty() {
        causes.required(path, "must specify a handler type");
    }
    for extra in handlers.iter().skip(1) {
        causes.forbidden(format!("{path}.{extra}"), "may not specify more than 1 handler type");
    }
    match handlers.first() {
        Some(&"exec") if it["exec"]["command"].as_array().is_none_or(Vec::is_empty) => {
            causes.required(format!("{path}.exec.command"), "");
        }
        Some(&"httpGet") => {
            if text(&it["httpGet"], "path").is_empty() {
                causes.required(format!("{path}.httpGet.path"), "");
            }
            port(&it["httpGet"]["port"], &format!("{path}.httpGet.port"), causes);
            if !matches!(text(&it["httpGet"], "scheme"), "HTTP" | "HTTPS") {
                causes.unsupported(format!("{path}.httpGet.scheme"), &it["httpGet"]["scheme"], &["HTTP", "HTTPS"]);
            }
        }
        Some(&"tcpSocket") => port(&it["tcpSocket"]["port"], &format!("{path}.tcpSocket.port"), causes),
        Some(&"grpc") => port(&it["grpc"]["port"], &format!("{path}.grpc.port"), causes),
        _ => {}
    }
    for member in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        causes.not_negative(&format!("{path}.{member}"), &it[member]);
    }
    if name != "readinessProbe"
        && let Some(count) = it["successThreshold"].as_i64().filter(|count| *count != 1)
    {
        causes.invalid(format!("{path}.successThreshold"), &json!(count), "must be 1");
    }
}

/// Of a pod's spec only images, tolerations that are added, deadlines and scheduling gates may change.
fn unchanged(new: &Value, old: &Value, causes: &mut Causes) {
    let mut same = old.clone();
    for list in ["containers", "initContainers"] {
        let count = |spec: &Value| spec[list].as_array().map_or(0, Vec::len);
        if count(new) != count(old) {
            causes.forbidden(format!("spec.{list}"), "pod updates may not add or remove containers");
            return;
        }
    }
    for list in ["containers", "initContainers"] {
        let (Some(containers), Some(wanted)) = (same.get_mut(list).and_then(Value::as_array_mut), new[list].as_array())
        else {
            continue;
        };
        for (container, wanted) in containers.iter_mut().zip(wanted) {
            container["image"] = wanted["image"].clone();
        }
    }
    let members = ["activeDeadlineSeconds", "tolerations", "schedulingGates"];
    for member in members {
        let may_change = match member {
            "tolerations" => keeps(&new[member], &old[member]),
            "schedulingGates" => keeps(&old[member], &new[member]),
            "activeDeadlineSeconds" => match (new[member].as_i64(), old[member].as_i64()) {
                (Some(new), Some(old)) => new <= old && new >= 0,
                (_, old) => old.is_none(),
            },
            _ => true,
        };
        if may_change {
            match new.get(member) {
                Some(value) => same[member] = value.clone(),
                None => {
                    if let Some(members) = same.as_object_mut() {
                        members.remove(member);
                    }
                }
            }
        }
    }
    if *new != same {
        causes.forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        );
    }
}

/// Whether all items of the second are in the first.
fn keeps(all: &Value, some: &Value) -> bool {
    let all = all.as_array().map_or(&[][..], Vec::as_slice);
    some.as_array().is_none_or(|some| some.iter().all(|item| all.contains(item)))
}
