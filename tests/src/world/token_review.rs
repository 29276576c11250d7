//! The API server's authentication webhook: EKS tokens, checked against STS.
//!
//! A token is `k8s-aws-v1.` and a presigned `GetCallerIdentity` in base64url. aws-iam-authenticator checks its form and makes the call with the name of its
//! cluster, and STS checks the signature. moto checks none, so it is checked here: whoever makes tokens is proven against code that it does not share.

use super::http::{Cut, Handled, full, json};
use super::proxy::{Shared, texts};
use super::sigv4;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpListener;
use url::Url;

/// The signed header that names the cluster; its value is in no readable place of the token.
const NAME_HEADER: &str = "x-k8s-aws-id";

/// Serves `TokenReviews` for as long as the runtime lives.
pub(crate) fn serve(listener: TcpListener, shared: Arc<Shared>) {
    super::http::serve(listener, move |request| answer(Arc::clone(&shared), request));
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Handled {
    let body = request.into_body().collect().await.map_err(|_| Cut)?.to_bytes();
    let review: Value = serde_json::from_slice(&body).map_err(|_| Cut)?;
    let token = review["spec"]["token"].as_str().unwrap_or_default();
    let status = match identity(&shared, token).await {
        Ok(arn) => json!({ "authenticated": true, "user": { "username": arn, "groups": ["system:masters"] } }),
        Err(reason) => json!({ "authenticated": false, "error": reason }),
    };
    let answer = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status });
    Ok(json(200, &answer).map(full))
}

/// The principal of a token, or why it is refused.
async fn identity(shared: &Shared, token: &str) -> Result<String, String> {
    let call = presigned_call(token)?;
    check_form(&call)?;
    let access_key = access_key(&call)?;
    let secret = shared.secret_of(&access_key).ok_or("the access key is unknown")?;
    let clusters = shared.cluster_names().await;
    let signs_for = |name: &&String| sigv4::is_signed(&call, &[(NAME_HEADER, name.as_str())], &secret);
    clusters.iter().find(signs_for).ok_or("the signature fits no cluster of this region")?;
    // moto knows a presigned call to STS from one to S3 by its host only, so the same question is asked with a header.
    let answer = shared.upstream.query_as(&access_key, "sts", "GetCallerIdentity", &[]).await;
    let answer = answer.map_err(|error| error.to_string())?;
    texts(&answer, "Arn").into_iter().next().ok_or_else(|| "STS names nobody".to_owned())
}

fn presigned_call(token: &str) -> Result<Url, String> {
    let encoded = token.strip_prefix("k8s-aws-v1.").ok_or("the token does not begin with k8s-aws-v1.")?;
    let decoded = URL_SAFE_NO_PAD.decode(encoded).map_err(|error| error.to_string())?;
    let text = String::from_utf8(decoded).map_err(|error| error.to_string())?;
    Url::parse(&text).map_err(|error| error.to_string())
}

/// What aws-iam-authenticator checks before it asks STS.
fn check_form(call: &Url) -> Result<(), String> {
    let host = call.host_str().unwrap_or_default();
    if call.scheme() != "https" || !host.starts_with("sts.") || !host.ends_with(".amazonaws.com") {
        return Err(format!("{host} is no STS endpoint"));
    }
    if param(call, "Action")? != "GetCallerIdentity" {
        return Err("the action is not GetCallerIdentity".to_owned());
    }
    let signed = param(call, "X-Amz-SignedHeaders")?;
    if !signed.split(';').any(|header| header == NAME_HEADER) {
        return Err(format!("{NAME_HEADER} is not signed"));
    }
    let expires: i64 = param(call, "X-Amz-Expires")?.parse().map_err(|_| "X-Amz-Expires is no number")?;
    if !(0..=60).contains(&expires) {
        return Err(format!("a token that asks for {expires} s"));
    }
    check_age(&param(call, "X-Amz-Date")?)
}

/// A token counts for 15 minutes, whatever the call in it asks for.
fn check_age(date: &str) -> Result<(), String> {
    let made =
        jiff::Timestamp::strptime("%Y%m%dT%H%M%SZ%z", format!("{date}+0000")).map_err(|error| error.to_string())?;
    let age = jiff::Timestamp::now().as_second() - made.as_second();
    if (-60..=900).contains(&age) { Ok(()) } else { Err(format!("the token is {age} s old")) }
}

fn param(call: &Url, name: &str) -> Result<String, String> {
    let found = call.query_pairs().find(|(found, _)| found == name);
    found.map(|(_, value)| value.into_owned()).ok_or_else(|| format!("{name} is missing"))
}

fn access_key(call: &Url) -> Result<String, String> {
    let credential = param(call, "X-Amz-Credential")?;
    Ok(credential.split('/').next().unwrap_or_default().to_owned())
}
