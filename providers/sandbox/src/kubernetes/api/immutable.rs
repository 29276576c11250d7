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
        causes.extend(wrong.map(|member| {
            let why = format!("field is immutable when `immutable` is set");
            Cause::forbidden(member, &why)
        }));
    }
    causes
}
