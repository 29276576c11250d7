//! Writing: server-side apply, never with force unless the fields in question are ours already.

use kube::core::{
    Request,
    params::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy},
};
use serde_json::{Value as Json, json};

use crate::{
    connect::{Call, Cluster},
    errors::Failure,
    owned::{self, MANAGER},
    target::Target,
};

/// In whose name fields are owned.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    pub name: String,
    /// Takes fields from other managers.
    pub force: bool,
}

impl Default for Manager {
    fn default() -> Self {
        Self { name: MANAGER.to_owned(), force: false }
    }
}

impl Manager {
    /// Our name, and whatever is named is ours from now on.
    pub(crate) fn forcing() -> Self {
        Self { force: true, ..Self::default() }
    }
}

/// The whole body of an object: its type, name and namespace, and what `content` says beside.
pub(crate) fn body(target: &Target, content: Json) -> Json {
    let mut body = content;
    body["apiVersion"] = json!(target.kind.api_version);
    body["kind"] = json!(target.kind.kind);
    body["metadata"]["name"] = json!(target.name);
    if let Some(namespace) = &target.namespace {
        body["metadata"]["namespace"] = json!(namespace);
    }
    body
}

/// Server-side apply; creates the object when it is not there.
pub(crate) async fn apply(cluster: &Cluster, target: &Target, body: &Json, manager: &Manager) -> Result<Json, Failure> {
    let params = PatchParams { force: manager.force, ..PatchParams::apply(&manager.name) };
    cluster.call(&patch(target, &params, &Patch::Apply(body))?).await
}

/// Applies a change of an object that is there. Fields that `old` names are ours, whoever wrote them last: the person saw
/// that drift in the plan. What `new` does not name any more goes, even when another manager co-owns it.
pub(crate) async fn change(
    cluster: &Cluster,
    target: &Target,
    old: &Json,
    new: &Json,
    manager: &Manager,
) -> Result<Json, Failure> {
    let live = match apply(cluster, target, new, manager).await {
        Err(failure) if are_ours(&failure.conflicts(), old) => {
            apply(cluster, target, new, &Manager { force: true, ..manager.clone() }).await?
        }
        other => other?,
    };
    take_away(cluster, target, old, new, manager, live).await
}

/// Others may write in between: what they leave is looked at again.
async fn take_away(
    cluster: &Cluster,
    target: &Target,
    old: &Json,
    new: &Json,
    manager: &Manager,
    mut live: Json,
) -> Result<Json, Failure> {
    for last in [false, false, true] {
        let Some(rest) = owned::leftovers(old, new, &live) else { return Ok(live) };
        match merge(cluster, target, &rest, manager).await {
            Err(failure) if failure.is_conflict() && !last => match get(cluster, target).await? {
                Some(now) => live = now,
                None => return Err(failure),
            },
            other => return other,
        }
    }
    Ok(live)
}

fn are_ours(conflicts: &[(String, String)], old: &Json) -> bool {
    !conflicts.is_empty() && conflicts.iter().all(|(_, field)| owned::holds(old, field))
}

/// A JSON merge patch.
pub(crate) async fn merge(
    cluster: &Cluster,
    target: &Target,
    change: &Json,
    manager: &Manager,
) -> Result<Json, Failure> {
    let params = PatchParams { field_manager: Some(manager.name.clone()), ..PatchParams::default() };
    cluster.call(&patch(target, &params, &Patch::Merge(change))?).await
}

/// A strategic merge patch, which can take elements out of lists.
pub(crate) async fn strategic(cluster: &Cluster, target: &Target, change: &Json) -> Result<Json, Failure> {
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    cluster.call(&patch(target, &params, &Patch::Strategic(change))?).await
}

fn patch(target: &Target, params: &PatchParams, patch: &Patch<&Json>) -> Result<Call, Failure> {
    target.path()?;
    let request = Request::new(target.kind.collection(target.namespace.as_deref())?);
    Ok(call_of(request.patch(&target.name, params, patch).map_err(kube::Error::BuildRequest)?))
}

/// Asks for the deletion of exactly the object with this uid, and of what it owns.
pub(crate) async fn delete(cluster: &Cluster, target: &Target, uid: Option<&str>) -> Result<Json, Failure> {
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: uid.map(|uid| Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
        ..DeleteParams::default()
    };
    target.path()?;
    let request = Request::new(target.kind.collection(target.namespace.as_deref())?);
    cluster.call(&call_of(request.delete(&target.name, &params).map_err(kube::Error::BuildRequest)?)).await
}

/// The object as it is; `None` when it is not there.
pub(crate) async fn get(cluster: &Cluster, target: &Target) -> Result<Option<Json>, Failure> {
    match cluster.get(target.path()?).await {
        Ok(live) => Ok(Some(live)),
        Err(failure) if failure.is_not_found() => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn call_of(request: http::Request<Vec<u8>>) -> Call {
    let (parts, body) = request.into_parts();
    let content_type = match parts.headers.get(http::header::CONTENT_TYPE).map(http::HeaderValue::as_bytes) {
        Some(b"application/apply-patch+yaml") => "application/apply-patch+yaml",
        Some(b"application/merge-patch+json") => "application/merge-patch+json",
        Some(b"application/strategic-merge-patch+json") => "application/strategic-merge-patch+json",
        _ => "application/json",
    };
    Call { method: parts.method, path: parts.uri.to_string(), content_type, body }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::target::ApiKind;

    #[test]
    fn a_body_carries_type_and_name() {
        let target =
            Target::new(&ApiKind::fixed("v1", "ServiceAccount", "serviceaccounts", true), Some("app"), "backend");
        assert_eq!(
            body(&target, json!({"metadata": {"labels": {"a": "b"}}, "automountServiceAccountToken": true})),
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": true,
                "metadata": {"name": "backend", "namespace": "app", "labels": {"a": "b"}},
            })
        );
    }

    #[test]
    fn an_apply_names_its_manager() {
        let target = Target::new(&ApiKind::fixed("v1", "ConfigMap", "configmaps", true), Some("app"), "a");
        let body = json!({"data": {}});
        let call =
            |force| patch(&target, &PatchParams { force, ..PatchParams::apply("sgp") }, &Patch::Apply(&body)).unwrap();
        assert_eq!(call(false).path, "/api/v1/namespaces/app/configmaps/a?&fieldManager=sgp");
        assert_eq!(call(true).path, "/api/v1/namespaces/app/configmaps/a?&force=true&fieldManager=sgp");
        assert_eq!(
            (call(false).method, call(false).content_type),
            (http::Method::PATCH, "application/apply-patch+yaml")
        );
    }

    #[test]
    fn only_our_own_fields_are_taken_back() {
        let old = json!({"metadata": {"labels": {"a": "1"}}});
        let conflict = |field: &str| ("kubectl-edit".to_owned(), field.to_owned());
        assert!(are_ours(&[conflict(".metadata.labels.a")], &old));
        assert!(!are_ours(&[conflict(".metadata.labels.a"), conflict(".metadata.labels.b")], &old));
        assert!(!are_ours(&[], &old));
    }
}
