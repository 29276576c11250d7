//! The labels by which a job finds its pods.

use serde_json::{Value, json};

use super::write::metadata;
use crate::world::World;

/// Gives a new job the selector and the labels that are its own, unless it brings a selector (`jobStrategy.PrepareForCreate`).
pub(super) fn select(world: &mut World, job: &mut Value) {
    let uid = world.ids.uuid();
    let name = job["metadata"]["name"].clone();
    metadata(job).insert("uid".to_owned(), json!(uid));
    if job["spec"]["manualSelector"] == true {
        return;
    }
    // A new job has its template's labels, with those that say whose pods they are.
    let labels = [
        ("job-name", &name),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &json!(uid)),
        ("batch.kubernetes.io/controller-uid", &json!(uid)),
    ];
    let template = metadata(&mut job["spec"]["template"]).entry("labels").or_insert_with(|| json!({}));
    for (label, value) in labels {
        template[label] = value.clone();
    }
    // A job without labels has its template's.
    if job["metadata"]["labels"].as_object().is_none_or(|labels| labels.is_empty()) {
        job["metadata"]["labels"] = job["spec"]["template"]["metadata"]["labels"].clone();
    }
    if job["spec"]["selector"].is_null() {
        job["spec"]["selector"] = json!({});
    }
    job["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = json!(uid);
}
