//! A request to a resource, as everything that answers it sees it.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use super::path::{Place, Query};
use super::resources::Resource;
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
    pub fn is_rehearsal(&self) -> bool {
        !super::options::rehearsals(self).is_empty()
    }

    /// Who is recorded as the manager of what this request sets: `fieldManager`, or the program's name.
    pub fn manager(&self) -> String {
        let named = self.query.get("fieldManager").map(str::to_owned);
        let program = || self.header("user-agent").split('/').next().unwrap_or("").to_owned();
        named.unwrap_or_else(program).chars().take(128).collect()
    }
}
