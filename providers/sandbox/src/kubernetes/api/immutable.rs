//! What does not change once an object is there.

use serde_json::Value;

use super::resources::Resource;
use super::status::Cause;

/// What a change must not change. Source: `ValidateUpdate` of each kind.
pub(super) fn check(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    let immutable = "field is immutable";
    let differs = |path: &[&str]| {
        let at = |object: &Value| path.iter().fold(object.clone(), |value, member| value[*member].clone());
        at(old) != at(new)
    };
    let fixed: &[&[&str]] = match resource.stored().as_str() {
        "deployments.apps" | "replicasets.apps" | "daemonsets.apps" => &[&["spec", "selector"]],
        "jobs.batch" => &[&["spec", "selector"], &["spec", "template"], &["spec", "completionMode"]],
        "secrets" => &[&["type"]],
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => &[&["roleRef"]],
        "storageclasses.storage.k8s.io" => {
            &[&["parameters"], &["provisioner"], &["reclaimPolicy"], &["volumeBindingMode"]]
        }
        "priorityclasses.scheduling.k8s.io" => &[&["value"], &["preemptionPolicy"]],
        _ => &[],
    };
    let wrong = fixed.iter().filter(|path| differs(path));
    let mut causes: Vec<Cause> = wrong
        .map(|path| {
            let value = path.iter().fold(new.clone(), |value, member| value[*member].clone());
            let why = if path == &["roleRef"] { "cannot change roleRef" } else { immutable };
            Cause::invalid(path.join("."), &value, why)
        })
        .collect();
    if matches!(resource.stored().as_str(), "secrets" | "configmaps") && old["immutable"] == true {
        let wrong = ["data", "binaryData", "immutable"].into_iter().filter(|member| differs(&[member]));
        causes.extend(wrong.map(|member| Cause::forbidden(member, "field is immutable when `immutable` is set")));
    }
    match resource.stored().as_str() {
        "pods" if pod_shape(old) != pod_shape(new) => causes.push(Cause::forbidden("spec", POD)),
        "statefulsets.apps" if set_shape(old) != set_shape(new) => causes.push(Cause::forbidden("spec", STATEFUL_SET)),
        _ => {}
    }
    causes
}

const POD: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

const STATEFUL_SET: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/// A pod's specification without what may change. Scheduling gates may be taken away, and a pod without a node may be sent to others.
fn pod_shape(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    for member in ["containers", "initContainers"] {
        for container in spec[member].as_array_mut().into_iter().flatten() {
            if let Some(members) = container.as_object_mut() {
                members.remove("image");
            }
        }
    }
    without(spec, &["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"])
}

fn set_shape(set: &Value) -> Value {
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    without(set["spec"].clone(), &free)
}

fn without(mut value: Value, members: &[&str]) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|name, value| !members.contains(&name.as_str()) && !value.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::resources::builtin;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_fixed_is_named() {
        let pods = builtin("", "v1", "pods").unwrap();
        let pod = |image: &str, name: &str| json!({ "spec": { "containers": [{ "name": name, "image": image }] } });
        assert!(check(&pods, &pod("a", "c"), &pod("b", "c")).is_empty());
        assert_eq!(check(&pods, &pod("a", "c"), &pod("a", "d"))[0].field, "spec");
        let deployments = builtin("apps", "v1", "deployments").unwrap();
        let deployment = |label: &str| json!({ "spec": { "selector": { "matchLabels": { "a": label } } } });
        let causes = check(&deployments, &deployment("b"), &deployment("c"));
        assert_eq!(causes[0].message, "Invalid value: {\"matchLabels\":{\"a\":\"c\"}}: field is immutable");
    }
}
