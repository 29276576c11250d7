//! A request to a resource, as everything that answers it sees it.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::path::{Place, Query};
use super::resources::Resource;
use super::status::{Cause, Status};
use crate::kubernetes::admission::User;

/// A request that is allowed.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub cluster: &'a str,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: &'static str,
    pub place: Place,
    pub query: Query,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
    pub user: User,
    /// The ARN of an IAM principal, or empty.
    pub principal: String,
    pub resource: Arc<Resource>,
}

impl Ask<'_> {
    /// The namespace of the collection; `None` is all of them.
    pub fn namespace(&self) -> Option<&str> {
        let namespace = self.place.namespace.as_str();
        (self.resource.is_namespaced && !namespace.is_empty()).then_some(namespace)
    }

    /// A header's text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The media type of the body, without parameters.
    pub fn content_type(&self) -> &str {
        self.header("content-type").split(';').next().unwrap_or("").trim()
    }

    /// Whether nothing is to be kept (`dryRun=All`).
    pub fn is_rehearsal(&self) -> Result<bool, Status> {
        let mut values: Vec<String> =
            self.query.all("dryRun").filter(|value| !value.is_empty()).map(str::to_owned).collect();
        if matches!(self.verb, "delete" | "deletecollection") {
            let options: Value = serde_json::from_slice(self.body).unwrap_or_default();
            values.extend(
                options["dryRun"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
            );
        }
        if let Some(other) = values.iter().find(|value| *value != "All") {
            let why = format!("Unsupported value: \"{other}\": supported values: \"All\"");
            let mut status = Status::new(422, "Invalid", format!(" \"\" is invalid: dryRun: {why}"));
            let cause = Cause::new("FieldValueNotSupported", "dryRun", why);
            status.details =
                json!({ "causes": [{ "reason": cause.reason, "message": cause.message, "field": cause.field }] });
            return Err(status);
        }
        Ok(!values.is_empty())
    }

    /// Who is recorded as the manager of what this request sets: `fieldManager`, or the program's name.
    pub fn manager(&self) -> String {
        let named = self.query.get("fieldManager").map(str::to_owned);
        let program = || self.header("user-agent").split('/').next().unwrap_or("").to_owned();
        named.unwrap_or_else(program).chars().take(128).collect()
    }
}
