//! ControllerRevisions: the templates that StatefulSets and DaemonSets had.

use serde_json::{Value, json};

use super::pods;
use crate::kubernetes::controllers::context::{Context, meta, owner_reference};

const RESOURCE: &str = "controllerrevisions.apps";

/// The hash of an owner's present template, with a ControllerRevision that keeps it.
pub(super) fn keep(ctx: &mut Context<'_>, owner: &Value) -> String {
    let template = &owner["spec"]["template"];
    let hash = pods::hash(template);
    let namespace = meta(owner, "namespace").to_owned();
    let name = format!("{}-{hash}", meta(owner, "name"));
    let mut all = ctx.owned(RESOURCE, meta(owner, "uid"));
    all.sort_by_key(|revision| revision["revision"].as_i64().unwrap_or(0));
    let highest = all.last().map_or(0, |revision| revision["revision"].as_i64().unwrap_or(0));
    match all.iter().find(|revision| meta(revision, "name") == name) {
        Some(revision) if revision["revision"] == highest => {}
        Some(_) => {
            ctx.update(RESOURCE, &namespace, &name, |revision| revision["revision"] = json!(highest + 1));
        }
        None => {
            let mut kept = template.clone();
            kept["$patch"] = json!("replace");
            let object = json!({
                "apiVersion": "apps/v1", "kind": "ControllerRevision",
                "metadata": {
                    "labels": labels(template, &hash), "ownerReferences": [owner_reference(owner)],
                    "annotations": owner["metadata"]["annotations"],
                },
                "data": { "spec": { "template": kept } },
                "revision": highest + 1,
            });
            ctx.create(RESOURCE, &namespace, &name, object);
        }
    }
    let limit = usize::try_from(owner["spec"]["revisionHistoryLimit"].as_i64().unwrap_or(10)).unwrap_or(usize::MAX);
    let old: Vec<_> = all.iter().filter(|revision| meta(revision, "name") != name).collect();
    for revision in &old[..old.len().saturating_sub(limit)] {
        ctx.delete(RESOURCE, &namespace, meta(revision, "name"));
    }
    hash
}

fn labels(template: &Value, hash: &str) -> Value {
    let mut labels = template["metadata"]["labels"].clone();
    labels["controller-revision-hash"] = json!(hash);
    labels
}
