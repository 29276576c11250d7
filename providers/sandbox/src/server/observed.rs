//! What happens around every call: it is named, faults are done to it, and it is kept in the list of calls.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame};
use serde_json::{Value, json};

use super::body::{Body, Cut, Served, full, json as json_body};
use super::{aws, calls};
use crate::aws::{ApiError, Service};
use crate::faults::{Age, Effect, Seen};
use crate::sandbox::{self, Sandbox};
use crate::store::past::Moment;

/// Serves a call, with what faults make of it.
pub(crate) async fn serve<F>(sandbox: Sandbox, seen: Seen, serving: F) -> Served
where
    F: Future<Output = Served>,
{
    let began = Instant::now();
    let number = sandbox.calls().next();
    let effects = sandbox.faults().strike(number, &seen);
    let answer = match before(&effects, &seen).await {
        Ok(None) if sandbox.failure().is_some() => Ok(unwritten(&sandbox, &seen)),
        Ok(Some(refusal)) => Ok(refusal),
        Ok(None) => {
            let served = match moment(&sandbox, &effects, number) {
                Some(moment) => sandbox::READING.scope(moment, serving).await,
                None => serving.await,
            };
            match served {
                Ok(_) if sandbox.failure().is_some() => Ok(unwritten(&sandbox, &seen)),
                Ok(answer) => after(&effects, answer).await,
                cut => cut,
            }
        }
        Err(cut) => Err(cut),
    };
    let (answer, error) = read_error(&seen, answer).await;
    let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
    let milliseconds = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    let at = sandbox.clock().now().to_string();
    sandbox.calls().add(calls::Served {
        number,
        seen: Seen { sent: String::new(), ..seen },
        status,
        error,
        milliseconds,
        at,
    });
    answer
}

/// What happens to a call before it is served; a refusal when one takes the place of its answer.
async fn before(effects: &[Effect], seen: &Seen) -> Result<Option<Response<Body>>, Cut> {
    for effect in effects {
        match effect {
            Effect::Slow { milliseconds } => tokio::time::sleep(Duration::from_millis(*milliseconds)).await,
            Effect::CutBefore => return Err(Cut),
            Effect::Throttle => return Ok(Some(throttled(seen))),
            Effect::Error { code, status, message } => {
                let message = message.as_deref().unwrap_or("An internal error has occurred");
                return Ok(Some(refusal(seen, code, status.unwrap_or(500), message)));
            }
            Effect::CutAfter | Effect::Stale(_) | Effect::Half => {}
        }
    }
    Ok(None)
}

/// The moment that a stale read reads.
fn moment(sandbox: &Sandbox, effects: &[Effect], number: u64) -> Option<Moment> {
    effects.iter().find_map(|effect| match effect {
        Effect::Stale(Age::Seconds(seconds)) => {
            let now = sandbox.clock().now();
            Some(Moment::Time(now.checked_sub(Duration::from_secs(u64::from(*seconds))).unwrap_or(now)))
        }
        Effect::Stale(Age::Calls(calls)) => Some(Moment::Call(number.saturating_sub(*calls))),
        _ => None,
    })
}

/// What happens to an answer.
async fn after(effects: &[Effect], answer: Response<Body>) -> Served {
    if effects.contains(&Effect::CutAfter) {
        return Err(Cut);
    }
    if effects.contains(&Effect::Half) {
        return Ok(half(answer).await);
    }
    Ok(answer)
}

/// What each service says when it fails: the disk is full or broken, and nothing more is acknowledged.
fn unwritten(sandbox: &Sandbox, seen: &Seen) -> Response<Body> {
    let code = match seen.service.as_str() {
        "eks" => "ServerException",
        "iam" => "ServiceFailure",
        _ => "InternalError",
    };
    refusal(seen, code, 500, sandbox.failure().unwrap_or_default())
}

/// What each service says when it is asked too often. Only Kubernetes says when to come back.
fn throttled(seen: &Seen) -> Response<Body> {
    // EC2: API Reference, "Error codes", RequestLimitExceeded; EKS: "Common Errors", ThrottlingException; IAM and STS: Throttling.
    let (status, code, message) = match seen.service.as_str() {
        "ec2" => (503, "RequestLimitExceeded", "Request limit exceeded."),
        "eks" => (429, "ThrottlingException", "Rate exceeded"),
        "ssm" => (400, "ThrottlingException", "Rate exceeded"),
        "kubernetes" => (429, "TooManyRequests", "Too many requests, please try again later."),
        _ => (400, "Throttling", "Rate exceeded"),
    };
    let mut response = refusal(seen, code, status, message);
    if seen.service == "kubernetes" {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A refusal in the service's wire format.
fn refusal(seen: &Seen, code: &str, status: u16, message: &str) -> Response<Body> {
    if seen.service == "kubernetes" {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": code, "code": status,
        });
        return json_body(status, &body);
    }
    let service = Service::named(&seen.service).unwrap_or(Service::Eks);
    aws::refusal(service, ApiError::new(code, message).with_status(status))
}

/// The error's code in an answer that refuses, and the answer.
async fn read_error(seen: &Seen, answer: Served) -> (Served, Option<String>) {
    let answer = match answer {
        Ok(answer) if answer.status().as_u16() >= 400 => answer,
        other => return (other, None),
    };
    if let Some(code) = answer.headers().get("x-amzn-errortype").and_then(|code| code.to_str().ok()) {
        let code = code.to_owned();
        return (Ok(answer), Some(code));
    }
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.map(|all| all.to_bytes()).unwrap_or_default();
    let code = if seen.service == "kubernetes" {
        let status: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        status["reason"].as_str().map(str::to_owned)
    } else {
        let text = String::from_utf8_lossy(&bytes);
        let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        code.map(|(code, _)| code.to_owned())
    };
    (Ok(Response::from_parts(parts, full(bytes))), code)
}

/// Half of an answer that promises all of it, so that the connection is cut after it; of a stream its first piece.
async fn half(answer: Response<Body>) -> Response<Body> {
    let (mut parts, mut body) = answer.into_parts();
    let is_stream = HttpBody::size_hint(&body).exact().is_none();
    let first = match body.frame().await {
        Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    };
    if is_stream {
        return Response::from_parts(parts, Part(Some(first)).boxed_unsync());
    }
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(first.len()));
    let part = first.slice(..first.len() / 2);
    Response::from_parts(parts, Part(Some(part)).boxed_unsync())
}

/// Bytes that do not say how many they are.
struct Part(Option<Bytes>);

impl HttpBody for Part {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// What a call to a cluster is: verb and resource (`create pods`, `update pods/status`), or method and path where there is none.
pub(crate) fn cluster_call(cluster: &str, request: &Request<Bytes>) -> Seen {
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or("");
    let reads = matches!(request.method().as_str(), "GET" | "HEAD");
    Seen {
        service: "kubernetes".to_owned(),
        operation: verb_and_resource(request.method().as_str(), path, query),
        cluster: Some(cluster.to_owned()),
        sent: format!("{path}?{query}\n{}", String::from_utf8_lossy(request.body())),
        reads,
    }
}

fn verb_and_resource(method: &str, path: &str, query: &str) -> String {
    let mut parts = path.trim_matches('/').split('/').filter(|part| !part.is_empty());
    let group = match parts.next() {
        Some("api") => parts.next().map(|_| ""),
        Some("apis") => parts.next().and_then(|group| parts.next().map(|_| group)),
        _ => None,
    };
    let mut rest: Vec<&str> = parts.collect();
    if rest.first() == Some(&"namespaces") && rest.len() > 2 && rest[2] != "status" && rest[2] != "finalize" {
        rest.drain(..2);
    }
    let (Some(group), Some(plural)) = (group, rest.first()) else {
        return format!("{} {path}", method.to_lowercase());
    };
    let has_name = rest.len() > 1;
    let is_watch = query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1" | "watch"));
    let verb = match (method, has_name) {
        ("GET" | "HEAD", _) if is_watch => "watch",
        ("GET" | "HEAD", true) => "get",
        ("GET" | "HEAD", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        (other, _) => other,
    };
    let group = if group.is_empty() { String::new() } else { format!(".{group}") };
    let sub = rest.get(2).map(|sub| format!("/{sub}")).unwrap_or_default();
    format!("{verb} {plural}{group}{sub}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_to_clusters_have_names() {
        for (method, path, query, expected) in [
            ("GET", "/api/v1/pods", "", "list pods"),
            ("GET", "/api/v1/namespaces/a/pods", "watch=true&x=1", "watch pods"),
            ("GET", "/api/v1/namespaces", "", "list namespaces"),
            ("GET", "/api/v1/namespaces/a", "", "get namespaces"),
            ("PUT", "/api/v1/namespaces/a/finalize", "", "update namespaces/finalize"),
            ("POST", "/api/v1/namespaces/a/pods/b/eviction", "", "create pods/eviction"),
            ("PATCH", "/apis/apps/v1/namespaces/a/deployments/b", "", "patch deployments.apps"),
            ("DELETE", "/apis/apps/v1/namespaces/a/deployments", "", "deletecollection deployments.apps"),
            ("PUT", "/api/v1/nodes/n/status", "", "update nodes/status"),
            ("GET", "/version", "", "get /version"),
            ("GET", "/apis/apps/v1", "", "get /apis/apps/v1"),
            ("GET", "/api/v1", "", "get /api/v1"),
        ] {
            assert_eq!(verb_and_resource(method, path, query), expected, "{method} {path}");
        }
    }
}
