//! The one AWS endpoint that `sgp` talks to, before the emulators.
//!
//! A request goes by the service in its signature's scope: EKS to ministack, everything else to moto. On the way the proxy answers what both emulators
//! lack, corrects what matters for a proof, keeps a log of calls and makes faults. It is deliberately thin: no state of AWS lives here that an emulator has.

mod call;
mod control;
mod ec2;
mod eks;
mod errors;
mod fault;
mod iam;
mod kubernetes;
mod sandboxed;
mod shared;
mod upstream;
mod xml;

pub use call::Call;
pub use fault::{Effect, Match, Rule, Victim};
pub(crate) use kubernetes::serve as serve_kubernetes;
pub(crate) use sandboxed::Sandboxed;
pub(crate) use shared::Shared;
pub(crate) use upstream::{ACCOUNT, REGION, SECRET, Upstream};
pub use xml::texts;

use super::error::{Error, Result};
use super::http::{Body, Cut, Handled, full, serve};
use bytes::Bytes;
use call::{AwsRequest, Service};
use errors::Refusal;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves the AWS endpoint.
pub(crate) fn serve_aws(listener: TcpListener, shared: Arc<Shared>) {
    serve(listener, move |request| handle(Arc::clone(&shared), request));
}

/// Serves the same endpoint to a part of the world itself: its calls are neither logged nor broken.
pub(crate) fn serve_aws_quietly(listener: TcpListener, shared: Arc<Shared>) {
    serve(listener, move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
            let request = AwsRequest::read(Request::from_parts(parts, body));
            Ok(answer(&shared, &request).await.map(full))
        }
    });
}

/// A request of the world's owner to EKS: neither logged nor broken.
pub(crate) async fn eks_quietly(shared: &Arc<Shared>, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", upstream::authorization(ACCOUNT, "eks"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.map(Value::to_string).unwrap_or_default()))
        .unwrap();
    let answer = answer(shared, &AwsRequest::read(request)).await;
    let value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    if answer.status().is_success() {
        return Ok(value);
    }
    Err(Error::failed(format!("eks {method} {path}: {}", answer.status()), value))
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Handled {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let request = Request::from_parts(parts, body);
    if request.uri().path().starts_with("/_sgp/") {
        return Ok(control::answer(&shared, &request).map(full));
    }
    let request = AwsRequest::read(request);
    let call = request.call();
    with_faults(&shared, call, async { answer(&shared, &request).await.map(full) }).await
}

/// Serves one call as the rules say, and writes it down.
async fn with_faults(
    shared: &Shared,
    mut call: Call,
    serving: impl Future<Output = Response<Body>>,
) -> std::result::Result<Response<Body>, Cut> {
    shared.delay().await;
    let effects = shared.faults.effects_of(&call);
    let served = match fault::before(&effects, &call).await? {
        Some(refusal) => refusal.response(&call.service).map(full),
        None => serving.await,
    };
    call.status = served.status().as_u16();
    let answered = fault::after(&effects, &call).await;
    call.is_answered = answered.is_ok();
    shared.log.push(call);
    answered.map(|()| served)
}

async fn answer(shared: &Arc<Shared>, request: &AwsRequest) -> Response<Bytes> {
    let answered = match request.service {
        _ if shared.sandboxed.is_some() => sandboxed::answer(shared, request).await,
        Service::Eks => eks::answer(shared, request).await,
        Service::Ec2 => ec2::answer(shared, request).await,
        Service::Iam => iam::answer(shared, request).await,
        Service::Other => sts(shared, request).await,
    };
    answered.unwrap_or_else(|refusal: Refusal| refusal.response(&request.service_name))
}

/// STS and the rest are moto's; the proxy only remembers which credentials were given out.
async fn sts(shared: &Shared, request: &AwsRequest) -> std::result::Result<Response<Bytes>, Refusal> {
    let response = shared.upstream.forward(request).await?;
    shared.learn_secrets(response.body());
    Ok(response)
}
