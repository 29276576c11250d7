//! The TLS proxy before the API server: its address is what `DescribeCluster` tells, so writes to a cluster are counted and broken like those to AWS.

use super::call::Call;
use super::shared::Shared;
use crate::world::api_server::ApiServer;
use crate::world::http::{Body, Cut, Handled, full, serve_tls};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves the endpoint of the world's clusters.
pub(crate) fn serve(listener: TcpListener, config: Arc<rustls::ServerConfig>, shared: Arc<Shared>, server: ApiServer) {
    serve_tls(listener, config, move |request| handle(Arc::clone(&shared), server.clone(), request));
}

async fn handle(shared: Arc<Shared>, api: ApiServer, request: Request<Incoming>) -> Handled {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let request = Request::from_parts(parts, body);
    let call = call(&request);
    super::with_faults(&shared, call, forward(&api, request)).await
}

/// Passes a request on; the answer streams, because a watch never ends.
async fn forward(server: &ApiServer, mut request: Request<Bytes>) -> Response<Body> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("{}{path}", server.endpoint).parse().unwrap();
    request.headers_mut().remove(http::header::HOST);
    *request.version_mut() = http::Version::HTTP_11;
    match server.client.stream(request).await {
        Ok(response) => response.map(BodyExt::boxed),
        Err(error) => super::errors::Refusal::from(error).response("kubernetes").map(full),
    }
}

fn call(request: &Request<Bytes>) -> Call {
    let path = request.uri().path();
    Call {
        at_ms: 0,
        service: "kubernetes".to_owned(),
        operation: format!("{} {path}", request.method()),
        is_mutating: is_mutating(request.method(), path, request.uri().query().unwrap_or_default()),
        body: String::from_utf8_lossy(request.body()).into_owned(),
        status: 0,
        is_answered: false,
    }
}

/// Reviews are questions that are asked by POST; a dry run changes nothing.
fn is_mutating(method: &Method, path: &str, query: &str) -> bool {
    let is_review = path.ends_with("reviews") && path.starts_with("/apis/auth");
    *method != Method::GET && *method != Method::HEAD && !is_review && !query.contains("dryRun=All")
}
