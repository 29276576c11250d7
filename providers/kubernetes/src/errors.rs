//! What can go wrong with a call, and how a person is told.

use kube::core::{Status, response::StatusDetails};
use sgp_model::Diagnostic;

use crate::target::Target;

/// Why a call did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The API server refused.
    #[error("{}", .0.message)]
    Api(Box<Status>),
    /// No answer came: the call may have had its effect all the same.
    #[error("{0}")]
    Transport(String),
    /// The name cannot be part of a path.
    #[error("{0:?} is not a name that Kubernetes accepts")]
    Name(String),
    /// The cluster cannot be reached at all; already told in full.
    #[error("{}", .0.summary)]
    Access(Box<Diagnostic>),
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Api(status),
            other => Self::Transport(chain(&other)),
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Access(Box::new(diagnostic))
    }
}

/// An error and its sources on one line, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(e) = source {
        let next = e.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        source = e.source();
    }
    for prefix in ["ServiceError: ", "HyperError: "] {
        text = text.strip_prefix(prefix).map(str::to_owned).unwrap_or(text);
    }
    text
}

/// So much of an answer that is no Status is shown: it may be a whole page of a proxy.
const SHOWN: usize = 300;

impl Failure {
    /// An answer that is no success. Servers and proxies between answer with a Status, some other JSON, or text; how long to
    /// wait before the next try is told in a header.
    pub(crate) fn of_answer(code: u16, retry_after: Option<u32>, body: &[u8]) -> Self {
        let told = serde_json::from_slice::<Status>(body).ok().filter(|status| status.code != 0);
        let mut status = told.unwrap_or_else(|| {
            let text = String::from_utf8_lossy(body);
            let text: String = text.trim().chars().take(SHOWN).collect();
            let text = if text.is_empty() { format!("HTTP status {code}") } else { text };
            Status::failure(&text, "").with_code(code)
        });
        if let Some(seconds) = retry_after {
            let none = StatusDetails {
                name: String::new(),
                group: String::new(),
                kind: String::new(),
                uid: String::new(),
                causes: Vec::new(),
                retry_after_seconds: 0,
            };
            status.details.get_or_insert(none).retry_after_seconds = seconds;
        }
        Self::Api(status.boxed())
    }

    /// How long the server asks to wait before the next try, in seconds. It did nothing.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        let seconds = self.status()?.details.as_ref()?.retry_after_seconds;
        (seconds > 0 && matches!(self.code(), 429 | 503)).then_some(seconds)
    }

    pub(crate) fn status(&self) -> Option<&Status> {
        match self {
            Self::Api(status) => Some(status),
            _ => None,
        }
    }

    fn code(&self) -> u16 {
        self.status().map_or(0, |s| s.code)
    }

    /// The object or its type is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.code() == 404
    }

    /// The type itself is not served (yet): a 404 that names no object.
    pub(crate) fn is_type_missing(&self) -> bool {
        self.status().is_some_and(|s| {
            s.code == 404 && (s.reason != "NotFound" || s.details.as_ref().is_none_or(|d| d.name.is_empty()))
        })
    }

    pub(crate) fn is_unauthorized(&self) -> bool {
        self.code() == 401
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        self.code() == 403
    }

    /// Another manager owns fields, or a precondition does not hold.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code() == 409
    }

    /// A page token that the server does not keep any more.
    pub(crate) fn is_expired(&self) -> bool {
        self.code() == 410
    }

    /// The body does not fit its type, which server-side apply answers with status 500.
    fn is_about_fields(&self) -> bool {
        self.status().is_some_and(|s| s.code == 500 && s.message.starts_with("failed to create typed patch object"))
    }

    /// Nobody knows whether the call had its effect.
    pub(crate) fn is_ambiguous(&self) -> bool {
        if self.is_about_fields() {
            return false;
        }
        matches!(self, Self::Transport(_)) || matches!(self.code(), 500 | 502 | 503 | 504)
    }

    /// The call may still be on its way.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Transport(_)) || self.code() == 504
    }

    /// The server's certificate is not what it should be, which does not pass by itself.
    pub(crate) fn is_about_certificate(&self) -> bool {
        matches!(self, Self::Transport(why) if why.contains("certificate"))
    }

    /// Worth another try with the same call.
    pub(crate) fn is_passing(&self) -> bool {
        self.is_ambiguous() || self.code() == 429
    }

    /// What a person may look at when no answer comes.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            _ if self.is_about_certificate() => {
                "Does something between here and there answer in its place, or is `cluster_ca_certificate` that of another \
                 cluster?"
            }
            Self::Transport(_) => {
                "Can its endpoint be reached from here? A private one needs a way into the VPC, or `proxy_url` in `provider \
                 \"kubernetes\"`."
            }
            _ => "",
        }
    }

    /// Fields that other managers own, as `(manager, field)`.
    pub(crate) fn conflicts(&self) -> Vec<(String, String)> {
        let causes = self.status().and_then(|s| s.details.as_ref()).map(|d| d.causes.as_slice()).unwrap_or_default();
        causes
            .iter()
            .filter(|c| c.reason == "FieldManagerConflict")
            .map(|c| (manager_in(&c.message).unwrap_or("another manager").to_owned(), c.field.clone()))
            .collect()
    }

    /// What a person is told; `doing` is such as `create`.
    pub(crate) fn diagnostic(&self, doing: &str, target: &Target, cluster: &str) -> Diagnostic {
        match self {
            Self::Access(diagnostic) => (**diagnostic).clone(),
            Self::Name(_) => Diagnostic::error("Invalid Kubernetes name", format!("Cannot {doing} {target}: {self}.")),
            Self::Transport(why) => Diagnostic::error(
                "Cannot reach the Kubernetes API",
                format!("Cannot {doing} {target}: the API server of {cluster} did not answer ({why}). {}", self.hint()),
            ),
            Self::Api(status) => refused(self, status, doing, target, cluster),
        }
    }
}

/// `conflict with "kubectl-edit" using v1` names the manager in quotes.
fn manager_in(message: &str) -> Option<&str> {
    message.split('"').nth(1)
}

fn refused(failure: &Failure, status: &Status, doing: &str, target: &Target, cluster: &str) -> Diagnostic {
    let conflicts = failure.conflicts();
    if !conflicts.is_empty() {
        return conflict(&conflicts, doing, target);
    }
    let said = status.message.trim_end_matches('.');
    if ["uid mismatch", "UID in precondition"].iter().any(|sign| said.contains(sign)) {
        return Diagnostic::error(
            "The object is gone",
            format!(
                "Cannot {doing} {target}: the object that was planned for is not there any more; it was deleted, and perhaps made \
                 anew, in the meantime. Plan again."
            ),
        );
    }
    if failure.is_type_missing() {
        return Diagnostic::error(
            "The cluster does not serve this type",
            format!(
                "Cannot {doing} {target}: {cluster} serves no {} of {}. Its definition must be installed first (EKS installs \
                 SecurityGroupPolicy and CNINode itself).",
                target.kind.kind, target.kind.api_version
            ),
        );
    }
    match status.code {
        _ if failure.is_about_fields() => {
            Diagnostic::error("Kubernetes refuses the object", format!("Cannot {doing} {target}: {said}."))
        }
        401 => Diagnostic::error(
            "The Kubernetes API does not know these credentials",
            format!("Cannot {doing} {target}: {cluster} answers 401 Unauthorized. {NEEDS_ENTRY}"),
        ),
        403 if has_cause(status, "NamespaceTerminating") => Diagnostic::error(
            "The namespace is being deleted",
            format!(
                "Cannot {doing} {target}: its namespace is Terminating and takes nothing new. Apply again when it is gone; what \
                 holds it up is in its status and finalizers."
            ),
        ),
        403 if is_about_permission(said) => Diagnostic::error(
            "Kubernetes refuses permission",
            format!(
                "Cannot {doing} {target}: {said}. Bind a role that allows it to this user or one of its groups. On EKS an \
                 access policy of the principal's access entry does that as well (AmazonEKSClusterAdminPolicy allows everything)."
            ),
        ),
        404 => {
            Diagnostic::error("Kubernetes does not find what is needed", format!("Cannot {doing} {target}: {said}."))
        }
        400 | 403 | 422 => {
            Diagnostic::error("Kubernetes refuses the object", format!("Cannot {doing} {target}: {}.", causes(status)))
        }
        _ => Diagnostic::error("Kubernetes refuses the call", format!("Cannot {doing} {target}: {said}.")),
    }
}

fn causes(status: &Status) -> String {
    let causes = status.details.as_ref().map(|d| d.causes.as_slice()).unwrap_or_default();
    if causes.is_empty() {
        return status.message.trim_end_matches('.').to_owned();
    }
    let told = causes
        .iter()
        .map(|c| if c.field.is_empty() { c.message.clone() } else { format!("{}: {}", c.field, c.message) });
    told.collect::<Vec<_>>().join("; ").trim_end_matches('.').to_owned()
}

/// What an unknown principal lacks.
pub(crate) const NEEDS_ENTRY: &str = "On EKS the IAM principal of this run needs an access entry of the cluster (`aws eks \
                                      create-access-entry`, with an access policy or groups), or a line in aws-auth.";

fn has_cause(status: &Status, reason: &str) -> bool {
    status.details.as_ref().is_some_and(|d| d.causes.iter().any(|c| c.reason == reason))
}

/// RBAC's words; admission, quotas and protected objects are refused with 403 as well.
fn is_about_permission(said: &str) -> bool {
    said.contains("User \"") && said.contains(" cannot ")
}

/// Summary of a conflict between field managers.
pub(crate) const CONFLICT: &str = "Another manager owns these fields";

fn conflict(conflicts: &[(String, String)], doing: &str, target: &Target) -> Diagnostic {
    let mut managers: Vec<&str> = conflicts.iter().map(|(m, _)| m.as_str()).collect();
    managers.sort_unstable();
    managers.dedup();
    let owners: Vec<String> = managers
        .iter()
        .map(|manager| {
            let fields: Vec<&str> =
                conflicts.iter().filter(|(m, _)| m == manager).map(|(_, f)| f.trim_start_matches('.')).collect();
            format!("{manager:?} owns {}", fields.join(", "))
        })
        .collect();
    Diagnostic::error(
        CONFLICT,
        format!(
            "Cannot {doing} {target}: {}. Leave these fields out of the configuration, or take them away from the other \
             manager first.",
            owners.join("; ")
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::target::ApiKind;

    fn said(status: serde_json::Value) -> String {
        let target = Target::new(&ApiKind::fixed("v1", "Namespace", "namespaces", false), None, "app");
        let d = Failure::Api(serde_json::from_value(status).unwrap()).diagnostic("change", &target, "cluster main");
        format!("{}\n{}", d.summary, d.detail)
    }

    #[test]
    fn a_conflict_names_each_manager_with_its_fields() {
        let cause = |m: &str, f: &str| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {m:?} using v1"), "field": f});
        insta::assert_snapshot!(said(json!({"code": 409, "reason": "Conflict", "message": "Apply failed", "details": {"causes": [
            cause("kubectl-edit", ".metadata.labels.team"), cause("argocd", ".metadata.annotations.a"), cause("kubectl-edit", ".metadata.labels.tier"),
        ]}})), @r#"
        Another manager owns these fields
        Cannot change Namespace app: "argocd" owns metadata.annotations.a; "kubectl-edit" owns metadata.labels.team, metadata.labels.tier. Leave these fields out of the configuration, or take them away from the other manager first.
        "#);
    }

    #[test]
    fn refusals_are_told_by_what_to_do() {
        insta::assert_snapshot!(said(json!({"code": 401, "reason": "Unauthorized", "message": "Unauthorized"})), @r"
        The Kubernetes API does not know these credentials
        Cannot change Namespace app: cluster main answers 401 Unauthorized. On EKS the IAM principal of this run needs an access entry of the cluster (`aws eks create-access-entry`, with an access policy or groups), or a line in aws-auth.
        ");
        insta::assert_snapshot!(said(json!({"code": 403, "reason": "Forbidden", "message": "namespaces \"app\" is forbidden: User \"dev\" cannot patch resource \"namespaces\" in API group \"\" in the namespace \"app\""})), @r#"
        Kubernetes refuses permission
        Cannot change Namespace app: namespaces "app" is forbidden: User "dev" cannot patch resource "namespaces" in API group "" in the namespace "app". Bind a role that allows it to this user or one of its groups. On EKS an access policy of the principal's access entry does that as well (AmazonEKSClusterAdminPolicy allows everything).
        "#);
        insta::assert_snapshot!(said(json!({"code": 403, "reason": "Forbidden", "message": "admission webhook \"policy.example.com\" denied the request: no team label."})), @r#"
        Kubernetes refuses the object
        Cannot change Namespace app: admission webhook "policy.example.com" denied the request: no team label.
        "#);
        insta::assert_snapshot!(said(json!({"code": 403, "reason": "Forbidden", "message": "m", "details": {"causes": [
            {"reason": "NamespaceTerminating", "message": "namespace app is being terminated", "field": "metadata.namespace"}]}})), @r"
        The namespace is being deleted
        Cannot change Namespace app: its namespace is Terminating and takes nothing new. Apply again when it is gone; what holds it up is in its status and finalizers.
        ");
        insta::assert_snapshot!(said(json!({"code": 500, "message": "failed to create typed patch object (app/a; /v1, Kind=ConfigMap): .spec: field not declared in schema"})), @r"
        Kubernetes refuses the object
        Cannot change Namespace app: failed to create typed patch object (app/a; /v1, Kind=ConfigMap): .spec: field not declared in schema.
        ");
        insta::assert_snapshot!(said(json!({"code": 422, "reason": "Invalid", "message": "m", "details": {"causes": [
            {"field": "metadata.name", "message": "must be lower case", "reason": "FieldValueInvalid"}]}})), @r"
        Kubernetes refuses the object
        Cannot change Namespace app: metadata.name: must be lower case.
        ");
    }

    #[test]
    fn answers_of_others_are_understood_too() {
        for (code, retry, body, message, wait) in [
            (429, Some(3), "Too many requests.\n", "Too many requests.", Some(3)),
            (503, None, "", "HTTP status 503", None),
            (502, Some(9), r#"{"error": "bad gateway"}"#, r#"{"error": "bad gateway"}"#, None),
            (404, None, r#"{"kind": "Status", "code": 404, "message": "not here"}"#, "not here", None),
            (429, None, r#"{"code": 429, "message": "later", "details": {"retryAfterSeconds": 2}}"#, "later", Some(2)),
        ] {
            let failure = Failure::of_answer(code, retry, body.as_bytes());
            assert_eq!((failure.to_string().as_str(), failure.code()), (message, code));
            assert_eq!(failure.retry_after(), wait, "{body}");
        }
    }

    #[test]
    fn a_missing_type_is_not_a_missing_object() {
        let of = |status| Failure::Api(serde_json::from_value(status).unwrap());
        assert!(of(json!({"code": 404, "message": "404 page not found"})).is_type_missing());
        assert!(of(json!({"code": 404, "reason": "NotFound", "message": "the server could not find the requested resource"})).is_type_missing());
        assert!(
            !of(json!({"code": 404, "reason": "NotFound", "message": "x", "details": {"name": "a"}})).is_type_missing()
        );
    }
}
