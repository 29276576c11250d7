//! Services (`ValidateService`).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Causes, items, metadata, names, pod, text};

const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

pub(super) fn check(service: &Value, old: Option<&Value>, causes: &mut Causes) {
    let spec = &service["spec"];
    let kind = text(spec, "type");
    let is_external = kind == "ExternalName";
    let is_headless = spec["clusterIP"] == "None";
    let count = spec["ports"].as_array().map_or(0, Vec::len);
    if count == 0 && !is_headless && !is_external {
        causes.required("spec.ports", "");
    }
    if is_external {
        let name = text(spec, "externalName").trim_end_matches('.');
        if name.is_empty() {
            causes.required("spec.externalName", "");
        } else {
            for wrong in names::subdomain(name) {
                causes.invalid("spec.externalName", &spec["externalName"], &wrong);
            }
        }
    }
    ports(spec, count > 1, causes);
    metadata::labels(&spec["selector"], "spec.selector", causes);
    causes.one_of("spec.sessionAffinity", &spec["sessionAffinity"], &["ClientIP", "None"]);
    causes.one_of("spec.type", &spec["type"], TYPES);
    let address = text(spec, "clusterIP");
    if !address.is_empty() && !is_headless && address.parse::<std::net::IpAddr>().is_err() {
        causes.invalid(
            "spec.clusterIPs[0]",
            &spec["clusterIP"],
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        );
    }
    for (path, block) in items(&spec["loadBalancerSourceRanges"], "spec.loadBalancerSourceRanges") {
        if block.as_str().is_none_or(|block| block.trim().parse::<ipnet::IpNet>().is_err()) {
            causes.invalid(path, block, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
        }
    }
    if let Some(old) = old {
        let (new, before) = (&spec["clusterIP"], &old["spec"]["clusterIP"]);
        let was_external = old["spec"]["type"] == "ExternalName";
        let is_asked = !text(spec, "clusterIP").is_empty();
        if !is_external && !was_external && is_asked && !text(&old["spec"], "clusterIP").is_empty() && new != before {
            causes.invalid("spec.clusterIPs[0]", &json!([new]), "may not change once set");
        }
    }
}

fn ports(spec: &Value, must_be_named: bool, causes: &mut Causes) {
    let (mut seen, mut numbers, mut node_ports) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (path, port) in items(&spec["ports"], "spec.ports") {
        let name = text(port, "name");
        if name.is_empty() && must_be_named {
            causes.required(format!("{path}.name"), "");
        } else if !name.is_empty() {
            for wrong in names::label(name) {
                causes.invalid(format!("{path}.name"), &port["name"], &wrong);
            }
            if !seen.insert(name) {
                causes.duplicate(format!("{path}.name"), &port["name"]);
            }
        }
        let number = port["port"].as_i64().unwrap_or(0);
        pod::port_number(number, &format!("{path}.port"), causes);
        causes.one_of(&format!("{path}.protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]);
        pod::port(&port["targetPort"], &format!("{path}.targetPort"), causes);
        if !numbers.insert((text(port, "protocol"), number)) {
            causes.duplicate(path.clone(), &json!({
                "Name": "", "Protocol": port["protocol"], "AppProtocol": null, "Port": number, "TargetPort": 0, "NodePort": 0,
            }));
        }
        if let Some(node_port) = port["nodePort"].as_i64().filter(|number| *number != 0) {
            if text(spec, "type") == "ClusterIP" {
                causes.forbidden(format!("{path}.nodePort"), "may not be used when `type` is 'ClusterIP'");
            }
            if !node_ports.insert((text(port, "protocol"), node_port)) {
                causes.duplicate(format!("{path}.nodePort"), &json!(node_port));
            }
        }
    }
}
