//! Talking to the world's API server as its administrator.

use super::error::{Error, Result};
use super::http::Client;
use bytes::Bytes;
use http::Request;
use serde_json::Value;

/// How the world's API server is reached.
#[derive(Clone, Debug)]
pub(crate) struct ApiServer {
    /// The endpoint that `DescribeCluster` tells: the proxy before the API server.
    pub(crate) told_endpoint: String,
    /// The API server itself.
    pub(crate) endpoint: String,
    pub(crate) authority_pem: String,
    pub(crate) admin_token: String,
    pub(crate) client: Client,
}

impl ApiServer {
    /// Makes a request; a refusal is an error that carries the status object.
    pub(crate) async fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint))
            .header("authorization", format!("Bearer {}", self.admin_token))
            .header("content-type", media_type(method, path))
            .body(Bytes::from(body.map(Value::to_string).unwrap_or_default()))
            .unwrap();
        let response = self.client.send(request).await?;
        let answered = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        if response.status().is_success() {
            return Ok(answered);
        }
        Err(Error::failed(format!("{method} {path}: {}", response.status()), answered))
    }

    /// Makes an object be as given, by server-side apply.
    pub(crate) async fn apply(&self, manager: &str, path: &str, object: &Value) -> Result<()> {
        let path = format!("{path}?fieldManager={manager}&force=true");
        self.request("PATCH", &path, Some(object)).await.map(drop)
    }

    /// Deletes an object, if it is there.
    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        match self.request("DELETE", path, None).await {
            Err(Error::Failed { what, .. }) if what.contains("404") => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    pub(crate) async fn is_ready(&self) -> bool {
        let request = Request::get(format!("{}/readyz", self.endpoint))
            .header("authorization", format!("Bearer {}", self.admin_token))
            .body(Bytes::new())
            .unwrap();
        self.client.send(request).await.is_ok_and(|response| response.status().is_success())
    }
}

/// A patch with a field manager is an apply.
fn media_type(method: &str, path: &str) -> &'static str {
    match method {
        "PATCH" if path.contains("fieldManager=") => "application/apply-patch+yaml",
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    }
}
