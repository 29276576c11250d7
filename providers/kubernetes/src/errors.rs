//! What can go wrong with a call, and how a person is told.

use kube::core::Status;
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

impl Failure {
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

    /// Nobody knows whether the call had its effect.
    pub(crate) fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Transport(_)) || matches!(self.code(), 500 | 502 | 503 | 504)
    }

    /// Worth another try with the same call.
    pub(crate) fn is_passing(&self) -> bool {
        self.is_ambiguous() || self.code() == 429
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
                format!(
                    "Cannot {doing} {target}: the API server of {cluster} did not answer ({why}). \
                     Check that its endpoint can be reached from here."
                ),
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
        401 => Diagnostic::error(
            "The Kubernetes API does not know these credentials",
            format!(
                "Cannot {doing} {target}: {cluster} answers 401 Unauthorized. On EKS the IAM principal of this run needs \
                 an access entry (or a line in aws-auth)."
            ),
        ),
        403 => Diagnostic::error(
            "Kubernetes refuses permission",
            format!(
                "Cannot {doing} {target}: {said}. Give the principal of this run the permission, or use another one."
            ),
        ),
        404 => {
            Diagnostic::error("Kubernetes does not find what is needed", format!("Cannot {doing} {target}: {said}."))
        }
        422 => {
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
    causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect::<Vec<_>>().join("; ")
}

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
        "Another manager owns these fields",
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
        Cannot change Namespace app: cluster main answers 401 Unauthorized. On EKS the IAM principal of this run needs an access entry (or a line in aws-auth).
        ");
        insta::assert_snapshot!(said(json!({"code": 422, "reason": "Invalid", "message": "m", "details": {"causes": [
            {"field": "metadata.name", "message": "must be lower case", "reason": "FieldValueInvalid"}]}})), @r"
        Kubernetes refuses the object
        Cannot change Namespace app: metadata.name: must be lower case.
        ");
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
