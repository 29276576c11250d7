//! What clients of a cluster speak to.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;

use crate::sandbox::Sandbox;
use crate::server::body::{Body, json as json_body};

/// Serves one request to a cluster.
pub async fn serve(_sandbox: Sandbox, _cluster: String, request: Request<Bytes>) -> Response<Body> {
    match request.uri().path() {
        "/version" => json_body(200, &json!({ "major": "1", "minor": "36", "gitVersion": "v1.36.3" })),
        _ => json_body(
            404,
            &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404, "message": "the server could not find the requested resource" }),
        ),
    }
}
