//! Refusals, shaped and worded as the API server does it (apimachinery's `api/errors`).

use serde_json::{Value, json};

use super::resources::Resource;

/// A refusal: `kind: Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// `NotFound`, `Invalid`, ...; may be empty.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// About what, with the causes; `null` when there is nothing to say.
    pub details: Value,
    /// The token with which a list that expired goes on.
    pub next: Option<String>,
    /// The message is all of the answer.
    pub is_plain: bool,
}

/// One of the mistakes in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldValueRequired`, ...
    pub reason: String,
    /// What is wrong, without the field's name.
    pub message: String,
    /// `spec.containers[0].name`.
    pub field: String,
}

impl Cause {
    /// A mistake of any kind.
    pub fn new(reason: &str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), message: message.into(), field: field.into() }
    }

    /// `Required value: why`.
    pub fn required(field: impl Into<String>, why: &str) -> Self {
        let colon = if why.is_empty() { "" } else { ": " };
        Self::new("FieldValueRequired", field, format!("Required value{colon}{why}"))
    }

    /// `Invalid value: "value": why`.
    pub fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self::new("FieldValueInvalid", field, format!("Invalid value: {value}: {why}"))
    }

    /// `Forbidden: why`.
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self::new("FieldValueForbidden", field, format!("Forbidden: {why}"))
    }
}

impl Status {
    /// A refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null, next: None, is_plain: false }
    }

    #[must_use]
    fn about(mut self, resource: &Resource, name: &str) -> Self {
        self.details = details(name, &resource.group, &resource.plural);
        self
    }

    /// The path leads nowhere.
    pub fn no_such_path() -> Self {
        let mut status = Self::new(404, "NotFound", "the server could not find the requested resource");
        status.details = json!({});
        status
    }

    /// The path leads nowhere: in a group of Kubernetes' own, or where nobody has heard of it.
    pub fn no_such_place(group: &str) -> Self {
        if super::resources::is_builtin_group(group) {
            return Self::no_such_path();
        }
        Self { is_plain: true, ..Self::new(404, "", "404 page not found") }
    }

    /// The object is not there.
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", resource.qualified())).about(resource, name)
    }

    /// Another object has the name.
    pub fn already_exists(resource: &Resource, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", resource.qualified()))
            .about(resource, name)
    }

    /// It changed meanwhile, or a precondition does not hold.
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::new(409, "Conflict", message).about(resource, name)
    }

    /// The usual reason of a conflict.
    pub fn modified(resource: &Resource, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// A plugin refuses it, or the caller may not.
    pub fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let message = match name {
            "" => format!("{} is forbidden: {why}", resource.qualified()),
            name => format!("{} \"{name}\" is forbidden: {why}", resource.qualified()),
        };
        Self::new(403, "Forbidden", message).about(resource, name)
    }

    /// The same with a plugin's own words.
    #[must_use]
    pub fn as_denied(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }

    /// The object has mistakes.
    pub fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for text in causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let told = match &texts[..] {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let kind = match resource.group.as_str() {
            "" => resource.kind.clone(),
            group => format!("{}.{group}", resource.kind),
        };
        let mut status = Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {told}"));
        status.details = details(name, &resource.group, &resource.kind);
        status.details["causes"] = causes
            .iter()
            .map(|cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field }))
            .collect();
        status
    }

    /// The options of a list or watch have mistakes.
    pub fn options(causes: &[Cause]) -> Self {
        Self::options_of("ListOptions", causes)
    }

    /// Options of this kind have mistakes.
    pub fn options_of(kind: &str, causes: &[Cause]) -> Self {
        let pods = super::resources::builtin("", "v1", "pods").expect("the core group has pods");
        let mut options = Resource::clone(&pods);
        (options.kind, options.group) = (kind.to_owned(), "meta.k8s.io".to_owned());
        Self::invalid(&options, "", causes)
    }

    /// The request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// The resource has no such verb.
    pub fn method_not_allowed() -> Self {
        let mut status =
            Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        status.details = json!({});
        status
    }

    /// Nobody is known by these credentials.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// The asked past is not kept any more.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// The body is in a form that is not read.
    pub fn unsupported_media_type(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// The same where it is looked at before anything else: the methods of Kubernetes' own resources.
    pub fn unsupported_patch() -> Self {
        let mut status = Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        status.details = json!({});
        status
    }

    /// What the sandbox does not have.
    pub fn not_simulated(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("the sandbox does not simulate {what}"))
    }

    /// The answer's body.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            body["reason"] = json!(self.reason);
        }
        if let Some(next) = &self.next {
            body["metadata"]["continue"] = json!(next);
        }
        if !self.details.is_null() {
            body["details"] = self.details.clone();
        }
        body
    }
}

/// `details` of an answer, without empty members.
pub(super) fn details(name: &str, group: &str, kind: &str) -> Value {
    let members = [("name", name), ("group", group), ("kind", kind)];
    let members = members.into_iter().filter(|(_, value)| !value.is_empty());
    Value::Object(members.map(|(member, value)| (member.to_owned(), json!(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::super::resources;
    use super::*;

    #[test]
    fn refusals_read_as_kubernetes_words_them() {
        let (pods, deployments) =
            (resources::builtin("", "v1", "pods").unwrap(), resources::builtin("apps", "v1", "deployments").unwrap());
        let two = [Cause::required("spec.a", ""), Cause::invalid("spec.b", &json!("x"), "no")];
        let rows = [
            (Status::not_found(&pods, "a"), "pods \"a\" not found"),
            (Status::already_exists(&deployments, "a"), "deployments.apps \"a\" already exists"),
            (Status::forbidden(&pods, "", "no"), "pods is forbidden: no"),
            (Status::invalid(&pods, "a", &two[..1]), "Pod \"a\" is invalid: spec.a: Required value"),
            (
                Status::invalid(&deployments, "a", &two),
                "Deployment.apps \"a\" is invalid: [spec.a: Required value, spec.b: Invalid value: \"x\": no]",
            ),
        ];
        for (status, message) in rows {
            assert_eq!(status.message, message);
        }
        let body = Status::not_found(&deployments, "a").body();
        assert_eq!(body["details"], json!({ "name": "a", "group": "apps", "kind": "deployments" }));
        assert_eq!(Status::no_such_path().body()["details"], json!({}));
    }
}
