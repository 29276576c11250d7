//! Endpoints, endpoint slices and ingresses (`pkg/apis/core/validation`, `discovery/validation`, `networking/validation`).

use std::net::IpAddr;

use serde_json::Value;

use super::{Causes, items, names, text};

const NO_ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

pub(super) fn endpoints(it: &Value, causes: &mut Causes) {
    for (path, subset) in items(&it["subsets"], "subsets") {
        for (path, address) in items(&subset["addresses"], &format!("{path}.addresses")) {
            if text(address, "ip").parse::<IpAddr>().is_err() {
                causes.invalid(format!("{path}.ip"), &address["ip"], NO_ADDRESS);
                causes.invalid(format!("{path}.ip"), &address["ip"], "must be a valid IP address");
            }
        }
        for (path, port) in items(&subset["ports"], &format!("{path}.ports")) {
            if !port["port"].as_i64().is_some_and(|port| (1..=65535).contains(&port)) {
                causes.invalid(format!("{path}.port"), &port["port"], "must be between 1 and 65535, inclusive");
            }
        }
    }
}

pub(super) fn endpoint_slice(it: &Value, causes: &mut Causes) {
    causes.one_of("addressType", &it["addressType"], &["FQDN", "IPv4", "IPv6"]);
    for (path, endpoint) in items(&it["endpoints"], "endpoints") {
        if endpoint["addresses"].as_array().is_none_or(Vec::is_empty) {
            causes.required(format!("{path}.addresses"), "must contain at least 1 address");
        }
    }
}

pub(super) fn ingress(it: &Value, causes: &mut Causes) {
    let spec = &it["spec"];
    if spec["defaultBackend"].is_null() && spec["rules"].as_array().is_none_or(Vec::is_empty) {
        causes.invalid("spec", &Value::Null, "either `defaultBackend` or `rules` must be specified");
    }
    if !spec["defaultBackend"].is_null() {
        backend(&spec["defaultBackend"], "spec.defaultBackend", causes);
    }
    for (path, rule) in items(&spec["rules"], "spec.rules") {
        let host = text(rule, "host");
        for wrong in names::subdomain(host.strip_prefix("*.").unwrap_or(host)).iter().filter(|_| !host.is_empty()) {
            causes.invalid(format!("{path}.host"), &rule["host"], wrong);
        }
        for (path, it) in items(&rule["http"]["paths"], &format!("{path}.http.paths")) {
            let kind = text(it, "pathType");
            if kind.is_empty() {
                causes.required(format!("{path}.pathType"), "pathType must be specified");
            }
            if !text(it, "path").starts_with('/') && (kind != "ImplementationSpecific" || !text(it, "path").is_empty())
            {
                causes.invalid(format!("{path}.path"), &it["path"], "must be an absolute path");
            }
            backend(&it["backend"], &format!("{path}.backend"), causes);
        }
    }
}

fn backend(it: &Value, path: &str, causes: &mut Causes) {
    if !it["resource"].is_null() {
        return;
    }
    let service = &it["service"];
    if text(service, "name").is_empty() {
        causes.required(format!("{path}.service.name"), "");
    }
    let port = &service["port"];
    if text(port, "name").is_empty() && port["number"].as_i64().unwrap_or(0) == 0 {
        causes.required(path, "port name or number is required");
    }
}
