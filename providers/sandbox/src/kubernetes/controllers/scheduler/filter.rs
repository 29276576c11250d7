//! Whether a pod may run on a node, in the words of kube-scheduler's plugins.
//!
//! Source: `pkg/scheduler/framework/plugins` of Kubernetes 1.36 (order and messages of the default plugins).

use serde_json::Value;

use super::cache::{Node, Request, list};
use crate::kubernetes::controllers::context::meta;

/// Why not. Those that another pod's going cannot help are `is_final`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// `node(s) had untolerated taint(s)`, `Insufficient cpu`.
    pub reasons: Vec<String>,
    /// Whether the node would not do even without pods.
    pub is_final: bool,
}

impl Refusal {
    fn for_good(reason: &str) -> Self {
        Self { reasons: vec![reason.to_owned()], is_final: true }
    }

    fn for_now(reason: &str) -> Self {
        Self { reasons: vec![reason.to_owned()], is_final: false }
    }
}

/// Whether the node's own marks let the pod in: cordon, name, taints, labels.
///
/// # Errors
/// The first reason against it.
pub(crate) fn admits(pod: &Value, node: &Value) -> Result<(), Refusal> {
    let unschedulable = serde_json::json!({ "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" });
    if node["spec"]["unschedulable"] == true && !is_tolerated(pod, &unschedulable) {
        return Err(Refusal::for_good("node(s) were unschedulable"));
    }
    if pod["spec"]["nodeName"].as_str().is_some_and(|name| !name.is_empty() && name != meta(node, "name")) {
        return Err(Refusal::for_good("node(s) didn't match the requested node name"));
    }
    let hard = list(&node["spec"]["taints"]).filter(|taint| taint["effect"] != "PreferNoSchedule");
    if hard.into_iter().any(|taint| !is_tolerated(pod, taint)) {
        return Err(Refusal::for_good("node(s) had untolerated taint(s)"));
    }
    if !fits_labels(pod, node) {
        return Err(Refusal::for_good("node(s) didn't match Pod's node affinity/selector"));
    }
    Ok(())
}

/// Whether the node has free ports and room.
///
/// # Errors
/// Everything that is missing.
pub(crate) fn fits(ports: &[String], request: &Request, node: &Node) -> Result<(), Refusal> {
    if ports.iter().any(|port| node.ports.contains_key(port)) {
        return Err(Refusal::for_now("node(s) didn't have free ports for the requested pod ports"));
    }
    let mut refusal = Refusal { reasons: Vec::new(), is_final: false };
    for (name, amount) in &request.amounts {
        let (has, used) = (node.allocatable.get(name), node.requested.get(name));
        if *amount > 0 && used + amount > has {
            let is_pods = name == "pods";
            refusal.reasons.push(if is_pods { "Too many pods".to_owned() } else { format!("Insufficient {name}") });
            refusal.is_final |= *amount > has;
        }
    }
    if refusal.reasons.is_empty() { Ok(()) } else { Err(refusal) }
}

/// Whether one of the pod's tolerations takes a taint.
pub(crate) fn is_tolerated(pod: &Value, taint: &Value) -> bool {
    list(&pod["spec"]["tolerations"]).any(|toleration| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (key, effect) = (text(&toleration["key"]), text(&toleration["effect"]));
        if !effect.is_empty() && taint["effect"] != effect {
            return false;
        }
        if !key.is_empty() && taint["key"] != key {
            return false;
        }
        match toleration["operator"].as_str().unwrap_or("Equal") {
            "Exists" => true,
            "Equal" | "" => !key.is_empty() && text(&toleration["value"]) == text(&taint["value"]),
            _ => false,
        }
    })
}

/// Whether the node's labels fit the pod's node selector and required node affinity.
pub(crate) fn fits_labels(pod: &Value, node: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let mut wanted = pod["spec"]["nodeSelector"].as_object().into_iter().flatten();
    if wanted.any(|(key, value)| &labels[key] != value) {
        return false;
    }
    let required = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    required.is_null() || list(&required["nodeSelectorTerms"]).any(|term| fits_term(term, node))
}

fn fits_term(term: &Value, node: &Value) -> bool {
    let (expressions, fields) = (&term["matchExpressions"], &term["matchFields"]);
    if list(expressions).next().is_none() && list(fields).next().is_none() {
        return false;
    }
    let label = |key: &str| node["metadata"]["labels"][key].as_str().map(str::to_owned);
    let field = |key: &str| (key == "metadata.name").then(|| meta(node, "name").to_owned());
    list(expressions).all(|it| fits_expression(it, label(it["key"].as_str().unwrap_or_default()).as_deref()))
        && list(fields).all(|it| fits_expression(it, field(it["key"].as_str().unwrap_or_default()).as_deref()))
}

fn fits_expression(expression: &Value, value: Option<&str>) -> bool {
    let listed = || value.is_some_and(|value| list(&expression["values"]).any(|it| it == value));
    let compared = |is: fn(i64, i64) -> bool| {
        let bound = list(&expression["values"]).next().and_then(Value::as_str).and_then(|text| text.parse().ok());
        value.and_then(|value| value.parse().ok()).zip(bound).is_some_and(|(value, bound)| is(value, bound))
    };
    match expression["operator"].as_str().unwrap_or_default() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compared(|value, bound| value > bound),
        "Lt" => compared(|value, bound| value < bound),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reason(pod: &Value, node: &Value) -> &'static str {
        match admits(pod, node).map_err(|refusal| refusal.reasons[0].clone()) {
            Ok(()) => "fits",
            Err(why) if why.contains("taint") => "taint",
            Err(why) if why.contains("affinity") => "affinity",
            Err(why) if why.contains("unschedulable") => "cordon",
            Err(_) => "other",
        }
    }

    #[test]
    fn marks_of_nodes() {
        let node = json!({
            "metadata": { "name": "n", "labels": { "zone": "a", "size": "8" } },
            "spec": { "taints": [{ "key": "dedicated", "value": "gpu", "effect": "NoSchedule" }] },
        });
        let tolerant = json!([{ "key": "dedicated", "operator": "Equal", "value": "gpu", "effect": "NoSchedule" }]);
        let affinity = |expression: Value| {
            json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution":
                { "nodeSelectorTerms": [{ "matchExpressions": [expression] }] } } })
        };
        for (spec, expected) in [
            (json!({}), "taint"),
            (json!({ "tolerations": [{ "operator": "Exists" }] }), "fits"),
            (json!({ "tolerations": [{ "key": "dedicated", "value": "x" }] }), "taint"),
            (json!({ "tolerations": tolerant }), "fits"),
            (json!({ "tolerations": tolerant, "nodeSelector": { "zone": "b" } }), "affinity"),
            (json!({ "tolerations": tolerant, "nodeSelector": { "zone": "a" } }), "fits"),
            (
                json!({ "tolerations": tolerant, "affinity": affinity(json!({ "key": "size", "operator": "Gt", "values": ["4"] })) }),
                "fits",
            ),
            (
                json!({ "tolerations": tolerant, "affinity": affinity(json!({ "key": "size", "operator": "Lt", "values": ["4"] })) }),
                "affinity",
            ),
            (
                json!({ "tolerations": tolerant, "affinity": affinity(json!({ "key": "none", "operator": "NotIn", "values": ["4"] })) }),
                "fits",
            ),
        ] {
            assert_eq!(reason(&json!({ "spec": spec }), &node), expected, "{spec}");
        }
        let cordoned = json!({ "metadata": { "name": "n" }, "spec": { "unschedulable": true } });
        assert_eq!(reason(&json!({}), &cordoned), "cordon");
    }
}
