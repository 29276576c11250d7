//! How `kubectl apply --server-side` takes over from `kubectl apply`: by the annotation that the latter left.

use serde_json::Value;

use super::{Manager, Refused, compare};
use crate::kubernetes::schema::Schema;

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The conflicts that are not about what the client applied before and what still is so; `None` when there are none.
pub(super) fn left_over(live: &Value, refused: Refused, manager: &Manager<'_>, schema: &Schema) -> Option<Refused> {
    let annotation = live["metadata"]["annotations"][ANNOTATION].as_str().unwrap_or("");
    let Ok(applied) = serde_json::from_str::<Value>(annotation) else { return Some(refused) };
    if applied["apiVersion"] != manager.api_version {
        return Some(refused);
    }
    let changes = compare::compare(&applied, live, schema);
    let own = compare::fields(&applied, schema).difference(&changes.written()).difference(&changes.removed);
    let mut left = Vec::new();
    for (id, owned, mut paths) in refused.0 {
        paths.retain(|path| !own.has(path));
        if !paths.is_empty() {
            left.push((id, owned, paths));
        }
    }
    (!left.is_empty()).then_some(Refused(left))
}

/// Writes the configuration into the annotation, where there is one.
pub(super) fn follow(object: &mut Value, config: &Value) {
    let Some(annotation) = object.pointer_mut("/metadata/annotations").and_then(|it| it.get_mut(ANNOTATION)) else {
        return;
    };
    if annotation.as_str().is_none_or(str::is_empty) {
        return;
    }
    let mut config = config.clone();
    if let Some(annotations) = config.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(ANNOTATION);
    }
    // The encoder of unstructured objects ends with a line feed.
    *annotation = Value::String(format!("{config}\n"));
}
