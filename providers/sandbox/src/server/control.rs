//! The sandbox's own endpoint, under `/_sandbox/`: what the `sgp sandbox` commands speak to.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;

use super::body::{Body, json as json_body};
use crate::sandbox::{Error, Sandbox};
use crate::world::World;

/// Serves one request.
pub(crate) async fn serve(sandbox: Sandbox, request: Request<Bytes>) -> Response<Body> {
    match (request.method().as_str(), request.uri().path()) {
        ("GET", "/_sandbox/status") => json_body(200, &json!({ "address": sandbox.address().to_string() })),
        ("POST", "/_sandbox/reset") => {
            let reset = |world: &mut World| {
                world.reset();
                Ok::<_, Error>(())
            };
            let _ = sandbox.with(reset).await;
            json_body(200, &json!({}))
        }
        _ => json_body(404, &json!({ "message": "no such command of the sandbox" })),
    }
}
