//! NetworkPolicies (`pkg/apis/networking/validation`).

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Causes, items, metadata, names, pod, text};

pub(super) fn check(policy: &Value, causes: &mut Causes) {
    let spec = &policy["spec"];
    metadata::selector(&spec["podSelector"], "spec.podSelector", causes);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (path, rule) in items(&spec[direction], &format!("spec.{direction}")) {
            for (path, port) in items(&rule["ports"], &format!("{path}.ports")) {
                self::port(port, &path, causes);
            }
            for (path, peer) in items(&rule[peers], &format!("{path}.{peers}")) {
                self::peer(peer, &path, causes);
            }
        }
    }
    let types = &spec["policyTypes"];
    if types.as_array().is_some_and(|types| types.len() > 2) {
        causes.invalid("spec.policyTypes", types, "may not specify more than two policyTypes");
        return;
    }
    for (path, kind) in items(types, "spec.policyTypes") {
        if !matches!(kind.as_str(), Some("Ingress" | "Egress")) {
            causes.unsupported(path, kind, &["Ingress", "Egress"]);
        }
    }
}

fn port(it: &Value, path: &str, causes: &mut Causes) {
    if !matches!(it["protocol"].as_str(), None | Some("TCP" | "UDP" | "SCTP")) {
        causes.unsupported(format!("{path}.protocol"), &it["protocol"], &["TCP", "UDP", "SCTP"]);
    }
    let end = it["endPort"].as_i64();
    match (&it["port"], end) {
        (Value::Number(number), end) => {
            let number = number.as_i64().unwrap_or(0);
            pod::port_number(number, &format!("{path}.port"), causes);
            if let Some(end) = end {
                if end < number {
                    causes.invalid(
                        format!("{path}.endPort"),
                        &json!(number),
                        "must be greater than or equal to `port`",
                    );
                }
                pod::port_number(end, &format!("{path}.endPort"), causes);
            }
        }
        (Value::String(name), end) => {
            if let Some(end) = end {
                causes.invalid(
                    format!("{path}.endPort"),
                    &json!(end),
                    "may not be specified when `port` is non-numeric",
                );
            }
            for wrong in names::port_name(name) {
                causes.invalid(format!("{path}.port"), &it["port"], &wrong);
            }
        }
        (_, Some(end)) => {
            causes.invalid(format!("{path}.endPort"), &json!(end), "may not be specified when `port` is not specified");
        }
        (_, None) => {}
    }
}

fn peer(it: &Value, path: &str, causes: &mut Causes) {
    let mut count = 0;
    for selector in ["podSelector", "namespaceSelector"] {
        if !it[selector].is_null() {
            count += 1;
            metadata::selector(&it[selector], &format!("{path}.{selector}"), causes);
        }
    }
    let block = &it["ipBlock"];
    if !block.is_null() {
        count += 1;
        self::block(block, &format!("{path}.ipBlock"), causes);
    }
    if count == 0 {
        causes.required(path, "must specify a peer");
    } else if count > 1 && !block.is_null() {
        causes.forbidden(path, "may not specify both ipBlock and another peer");
    }
}

const NO_BLOCK: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

fn block(it: &Value, path: &str, causes: &mut Causes) {
    let cidr = text(it, "cidr");
    if cidr.is_empty() {
        causes.required(format!("{path}.cidr"), "");
        return;
    }
    let Ok(outer) = cidr.parse::<IpNet>() else {
        causes.invalid(format!("{path}.cidr"), &it["cidr"], NO_BLOCK);
        return;
    };
    for (path, except) in items(&it["except"], &format!("{path}.except")) {
        match except.as_str().unwrap_or("").parse::<IpNet>() {
            Err(_) => causes.invalid(path, except, NO_BLOCK),
            Ok(inner) if !outer.contains(&inner) || outer.prefix_len() >= inner.prefix_len() => {
                causes.invalid(path, except, "must be a strict subset of `cidr`");
            }
            Ok(_) => {}
        }
    }
}
