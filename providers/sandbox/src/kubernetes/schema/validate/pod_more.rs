//! Of a pod's spec what is rarely wrong: affinity, spread, security, names of hosts (`pkg/apis/core/validation`).

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{Causes, items, names, text};

const TERM: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// Fields of a pod that its containers may read, besides labels and annotations by key.
const FIELDS: [&str; 11] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.labels",
    "metadata.annotations",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

pub(super) fn spec(spec: &Value, path: &str, causes: &mut Causes) {
    affinity(&spec["affinity"], &format!("{path}.affinity"), causes);
    for (path, it) in items(&spec["topologySpreadConstraints"], &format!("{path}.topologySpreadConstraints")) {
        spread(it, &path, causes);
    }
    for (path, alias) in items(&spec["hostAliases"], &format!("{path}.hostAliases")) {
        if text(alias, "ip").parse::<IpAddr>().is_err() {
            let wrong = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            causes.invalid(format!("{path}.ip"), &alias["ip"], wrong);
        }
    }
    if text(spec, "dnsPolicy") == "None" && spec["dnsConfig"].is_null() {
        causes.required(format!("{path}.dnsConfig"), "must provide `dnsConfig` when `dnsPolicy` is None");
    }
    let context = &spec["securityContext"];
    ids(context, &["runAsUser", "runAsGroup", "fsGroup"], &format!("{path}.securityContext"), causes);
    for (path, sysctl) in items(&context["sysctls"], &format!("{path}.securityContext.sysctls")) {
        if !is_sysctl(text(sysctl, "name")) {
            let wrong = "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
            causes.invalid(format!("{path}.name"), &sysctl["name"], wrong);
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        is_edge(part.chars().next()) && is_edge(part.chars().last()) && part.chars().all(is_inner)
    };
    name.len() <= 253 && name.split(['.', '/']).all(is_part)
}

fn affinity(it: &Value, path: &str, causes: &mut Causes) {
    let node = &it["nodeAffinity"][TERM];
    if !node.is_null() && node["nodeSelectorTerms"].as_array().is_none_or(Vec::is_empty) {
        let path = format!("{path}.nodeAffinity.{TERM}.nodeSelectorTerms");
        causes.required(path, "must have at least one node selector term");
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        for (path, term) in items(&it[kind][TERM], &format!("{path}.{kind}.{TERM}")) {
            let key = text(term, "topologyKey");
            if key.is_empty() {
                causes.required(format!("{path}.topologyKey"), "can not be empty");
            }
            for wrong in names::qualified(key) {
                causes.invalid(format!("{path}.topologyKey"), &json!(key), &wrong);
            }
        }
    }
}

fn spread(it: &Value, path: &str, causes: &mut Causes) {
    if it["maxSkew"].as_i64().unwrap_or(0) <= 0 {
        causes.invalid(
            format!("{path}.maxSkew"),
            &json!(it["maxSkew"].as_i64().unwrap_or(0)),
            "must be greater than zero",
        );
    }
    if text(it, "topologyKey").is_empty() {
        causes.required(format!("{path}.topologyKey"), "can not be empty");
    }
    let supported = ["DoNotSchedule", "ScheduleAnyway"];
    if !supported.contains(&text(it, "whenUnsatisfiable")) {
        causes.unsupported(format!("{path}.whenUnsatisfiable"), &it["whenUnsatisfiable"], &supported);
    }
}

/// Of one container.
pub(super) fn container(it: &Value, path: &str, causes: &mut Causes) {
    let image = text(it, "image");
    if image != image.trim() {
        causes.invalid(format!("{path}.image"), &it["image"], "must not have leading or trailing whitespace");
    }
    for when in ["postStart", "preStop"] {
        let handler = &it["lifecycle"][when];
        if handler.as_object().is_some_and(serde_json::Map::is_empty) {
            causes.required(format!("{path}.lifecycle.{when}"), "must specify a handler type");
        }
    }
    security(&it["securityContext"], &format!("{path}.securityContext"), causes);
}

fn security(it: &Value, path: &str, causes: &mut Causes) {
    ids(it, &["runAsUser", "runAsGroup"], path, causes);
    if it["allowPrivilegeEscalation"] == false && it["privileged"] == true {
        let members = [
            "capabilities",
            "privileged",
            "seLinuxOptions",
            "windowsOptions",
            "runAsUser",
            "runAsGroup",
            "runAsNonRoot",
            "readOnlyRootFilesystem",
            "allowPrivilegeEscalation",
            "procMount",
            "seccompProfile",
            "appArmorProfile",
        ];
        let named = |name: &str| match name {
            "seLinuxOptions" => "SELinuxOptions".to_owned(),
            name => name[..1].to_uppercase() + &name[1..],
        };
        let shown: Value =
            members.iter().map(|name| (named(name), it[*name].clone())).collect::<serde_json::Map<_, _>>().into();
        causes.invalid(path, &shown, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    }
}

fn ids(it: &Value, members: &[&str], path: &str, causes: &mut Causes) {
    for member in members {
        if it[*member].as_i64().is_some_and(|id| !(0..=i64::from(i32::MAX)).contains(&id)) {
            let wrong = "must be between 0 and 2147483647, inclusive";
            causes.invalid(format!("{path}.{member}"), &it[*member], wrong);
        }
    }
}

/// A path by which a container reads a field of its pod.
pub(super) fn field(field: &Value, path: &str, causes: &mut Causes) {
    let name = text(field, "fieldPath");
    let is_keyed = ["metadata.labels['", "metadata.annotations['"].iter().any(|begin| name.starts_with(begin));
    if !name.is_empty() && !is_keyed && !FIELDS.contains(&name) {
        let wrong = format!("error converting fieldPath: field label not supported: {name}");
        causes.invalid(path, &field["fieldPath"], &wrong);
    }
}
