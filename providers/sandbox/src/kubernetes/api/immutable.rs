//! What does not change once an object is there, of kinds whose rules the schema's validation does not have.

use serde_json::Value;

use super::resources::Resource;
use super::status::Cause;

/// What a change must not change. Source: `ValidateUpdate` of each kind.
pub(super) fn check(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    let (fixed, why): (&[&str], &str) = match resource.stored().as_str() {
        "storageclasses.storage.k8s.io" => {
            (&["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"], "field is immutable")
        }
        "priorityclasses.scheduling.k8s.io" => (&["value", "preemptionPolicy"], "may not be changed in an update."),
        _ => return Vec::new(),
    };
    let changed = fixed.iter().filter(|member| old[**member] != new[**member]);
    changed.map(|member| Cause::forbidden(*member, why)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::resources::builtin;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_fixed_is_named() {
        let classes = builtin("scheduling.k8s.io", "v1", "priorityclasses").unwrap();
        let causes = check(&classes, &json!({ "value": 1 }), &json!({ "value": 2, "description": "x" }));
        assert_eq!(causes.len(), 1);
        assert_eq!(
            (causes[0].field.as_str(), causes[0].message.as_str()),
            ("value", "Forbidden: may not be changed in an update.")
        );
    }
}
