//! The parts of a pod's spec that change through subresources: debug containers, and resources in place.

use serde_json::Value;

use super::status::Cause;
use super::write::set;

const LISTS: [&str; 2] = ["containers", "initContainers"];

/// The pod with that part of what was sent that the subresource takes.
pub(super) fn taken(subresource: &str, old: &Value, sent: &Value) -> Value {
    let mut object = grafted(subresource, old, sent);
    // What is recorded of managers comes with any part.
    if let Some(managed) = sent["metadata"].get("managedFields") {
        set(&mut object["metadata"], "managedFields", managed.clone());
    }
    object
}

/// What the pod is compared with, for the rule that a spec does not change: the old one with what the subresource may change.
pub(super) fn allowed(subresource: &str, old: &Value, new: &Value) -> Option<Value> {
    matches!(subresource, "ephemeralcontainers" | "resize").then(|| grafted(subresource, old, new))
}

fn grafted(subresource: &str, old: &Value, from: &Value) -> Value {
    let mut object = old.clone();
    if subresource == "ephemeralcontainers" {
        set(&mut object["spec"], "ephemeralContainers", from["spec"]["ephemeralContainers"].clone());
        return object;
    }
    for list in LISTS {
        let containers = object["spec"].get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let all = from["spec"][list].as_array().into_iter().flatten();
            if let Some(sent) = all.into_iter().find(|it| it["name"] == container["name"]) {
                set(container, "resources", sent["resources"].clone());
                set(container, "resizePolicy", sent["resizePolicy"].clone());
            }
        }
    }
    object
}

/// What the subresource does not allow. Source: `ValidatePodEphemeralContainersUpdate`, `ValidatePodResize`.
pub(super) fn check(subresource: &str, old: &Value, new: &Value) -> Vec<Cause> {
    match subresource {
        "ephemeralcontainers" => kept(old, new),
        "resize" if old["status"]["qosClass"] != class(&new["spec"]) && old["status"]["qosClass"].is_string() => {
            vec![Cause::invalid("spec", &class(&new["spec"]), "Pod QOS Class may not change as a result of resizing")]
        }
        _ => Vec::new(),
    }
}

/// Debug containers are added, and stay as they are.
fn kept(old: &Value, new: &Value) -> Vec<Cause> {
    let all = |pod: &Value| pod["spec"]["ephemeralContainers"].as_array().cloned().unwrap_or_default();
    let now = all(new);
    let mut causes = Vec::new();
    for was in all(old) {
        let name = &was["name"];
        match now.iter().find(|it| it["name"] == *name) {
            None => {
                let why = format!("existing ephemeral containers {name} may not be removed\n");
                causes.push(Cause::forbidden("spec.ephemeralContainers", &why));
            }
            Some(is) if *is != was => {
                let why = format!("existing ephemeral containers {name} may not be changed\n");
                causes.push(Cause::forbidden("spec.ephemeralContainers", &why));
            }
            Some(_) => {}
        }
    }
    causes
}

/// The class of service that follows from requests and limits.
fn class(spec: &Value) -> Value {
    crate::kubernetes::admission::pods::quality(spec).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(debuggers: &[&str], cpu: &str) -> Value {
        let ephemeral: Vec<Value> = debuggers.iter().map(|name| json!({ "name": name })).collect();
        json!({ "metadata": {}, "spec": {
            "nodeName": "n", "ephemeralContainers": ephemeral,
            "containers": [{ "name": "a", "image": "i", "resources": { "requests": { "cpu": cpu } } }],
        } })
    }

    #[test]
    fn a_subresource_takes_its_part_only() {
        let (old, mut sent) = (pod(&["one"], "1"), pod(&["one", "two"], "2"));
        sent["spec"]["nodeName"] = json!("other");
        assert_eq!(taken("ephemeralcontainers", &old, &sent), pod(&["one", "two"], "1"));
        assert_eq!(taken("resize", &old, &sent), pod(&["one"], "2"));
    }

    #[test]
    fn debug_containers_stay() {
        let messages = |new: &[&str]| -> Vec<String> {
            check("ephemeralcontainers", &pod(&["one"], "1"), &pod(new, "1")).into_iter().map(|it| it.message).collect()
        };
        assert!(messages(&["one", "two"]).is_empty());
        assert_eq!(messages(&[]), ["Forbidden: existing ephemeral containers \"one\" may not be removed\n"]);
    }
}
