//! Pods out of templates, and what their makers ask of them.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::kubernetes::admission::{self, Operation, Request, User};
use crate::kubernetes::controllers::context::{Context, has_condition, is_going, meta, owner_reference, time_of};

/// The letters that Kubernetes' generated names are made of.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Makes a pod of an owner from its template. `name` of `None` generates one; `change` has the last word before admission.
///
/// # Errors
/// Why admission refused it.
pub(crate) fn create(
    ctx: &mut Context<'_>,
    owner: &Value,
    template: &Value,
    name: Option<String>,
    maker: &str,
    change: impl FnOnce(&mut Value),
) -> Result<Arc<Value>, String> {
    let namespace = meta(owner, "namespace").to_owned();
    let prefix = format!("{}-", meta(owner, "name"));
    let mut metadata = json!({ "namespace": namespace, "ownerReferences": [owner_reference(owner)] });
    for part in ["labels", "annotations", "finalizers"] {
        if !template["metadata"][part].is_null() {
            metadata[part] = template["metadata"][part].clone();
        }
    }
    let name = name.unwrap_or_else(|| {
        metadata["generateName"] = json!(prefix);
        format!("{prefix}{}", suffix(ctx))
    });
    metadata["name"] = json!(name);
    let mut pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] });
    change(&mut pod);
    admit_and_create(ctx, "pods", pod, &format!("system:serviceaccount:kube-system:{maker}"))
}

/// Makes an object as a service account does: admission has its say.
///
/// # Errors
/// Why admission refused it.
pub(crate) fn admit_and_create(
    ctx: &mut Context<'_>,
    resource: &str,
    mut object: Value,
    user: &str,
) -> Result<Arc<Value>, String> {
    let (namespace, name) = (meta(&object, "namespace").to_owned(), meta(&object, "name").to_owned());
    let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];
    let user = User { name: user.to_owned(), groups: groups.map(str::to_owned).to_vec() };
    let request = Request {
        cluster: ctx.cluster,
        resource,
        subresource: "",
        namespace: &namespace,
        operation: Operation::Create,
        user: &user,
        old: None,
    };
    admission::admit(ctx.world, &request, &mut object).map_err(|denied| denied.message)?;
    if ctx.get(resource, &namespace, &name).is_some() {
        return Err(format!("{resource} {name:?} already exists"));
    }
    Ok(ctx.create(resource, &namespace, &name, object))
}

/// Five letters for the end of a name.
pub(crate) fn suffix(ctx: &mut Context<'_>) -> String {
    let bytes = ctx.world.ids.bytes();
    bytes[..5].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// A short text that follows from a template.
pub(crate) fn hash(template: &Value) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(template.to_string());
    hash[..10].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// Whether a pod has ended for good.
pub(crate) fn is_finished(pod: &Value) -> bool {
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// Whether a pod counts: it has not ended and is not being deleted.
pub(crate) fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !is_going(pod)
}

/// Whether a pod is ready.
pub(crate) fn is_ready(pod: &Value) -> bool {
    has_condition(pod, "Ready")
}

/// Since when a pod is ready.
pub(crate) fn ready_since(pod: &Value) -> Option<Timestamp> {
    let conditions = pod["status"]["conditions"].as_array()?;
    let ready = conditions.iter().find(|it| it["type"] == "Ready" && it["status"] == "True")?;
    time_of(&ready["lastTransitionTime"])
}

/// Whether a pod has been ready for so many seconds; otherwise how long it takes until then, if it is ready at all.
pub(crate) fn is_available(pod: &Value, min_ready_seconds: i64, now: Timestamp) -> Result<(), Option<Duration>> {
    if !is_ready(pod) {
        return Err(None);
    }
    let since = ready_since(pod).filter(|_| min_ready_seconds > 0);
    let left = since.map_or(0, |since| since.as_second() + min_ready_seconds - now.as_second());
    if left <= 0 { Ok(()) } else { Err(Some(Duration::from_secs(left.unsigned_abs()))) }
}

/// Pods in the order in which a ReplicaSet deletes them.
///
/// Source: `pkg/controller/controller_utils.go` (`ActivePodsWithRanks`): unassigned, pending, not ready, crowded nodes, younger.
pub(crate) fn by_dispensability(pods: &mut [Arc<Value>]) {
    let mut crowd = std::collections::HashMap::new();
    for pod in pods.iter() {
        *crowd.entry(pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned()).or_insert(0_usize) += 1;
    }
    pods.sort_by_cached_key(|pod| {
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        let phase = match pod["status"]["phase"].as_str() {
            Some("Running") => 2,
            Some("Unknown") => 1,
            _ => 0,
        };
        (
            !node.is_empty(),
            phase,
            is_ready(pod),
            Reverse(crowd.get(node).copied().unwrap_or(0)),
            Reverse(meta(pod, "creationTimestamp").to_owned()),
            Reverse(meta(pod, "name").to_owned()),
        )
    });
}
