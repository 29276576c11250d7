//! EKS tokens: a presigned URL of STS' GetCallerIdentity that a cluster takes as proof of who calls.
//!
//! Source: kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a Cluster" and its token format.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::signature::{Parts, Signed};
use crate::aws::{ApiError, Caller};
use crate::world::World;

const PREFIX: &str = "k8s-aws-v1.";

/// The header in which the cluster's name is signed.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";

/// Longer tokens are not looked at.
const LONGEST_TOKEN: usize = 4096;

/// So many seconds after it was signed a token is good for, whatever `X-Amz-Expires` says.
const VALID_SECS: i64 = 900;

const PARAMETERS: [&str; 10] = [
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-user-agent",
];

/// Who a bearer token of `aws eks get-token` belongs to: `k8s-aws-v1.` and a presigned URL in base64.
///
/// # Errors
/// As [`verify`]; also when it is no such token.
pub fn verify_token(world: &World, token: &str, cluster: &str) -> Result<Caller, ApiError> {
    if token.len() > LONGEST_TOKEN {
        return Err(refused("token is too large"));
    }
    let encoded =
        token.strip_prefix(PREFIX).ok_or_else(|| refused("token is missing expected \"k8s-aws-v1.\" prefix"))?;
    let encoded = encoded.trim_end_matches('=');
    let bytes = URL_SAFE_NO_PAD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded));
    let url = bytes
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| refused("token is not base64 of a URL"))?;
    verify(world, &url, cluster)
}

/// Who signed a URL of GetCallerIdentity for a cluster. The URL does not have the cluster's name, only that such a header was signed:
/// that it was this cluster's name shows when signatures are verified.
///
/// # Errors
/// Status 401, with the authenticator's words: a wrong form, no cluster signed, expired; an unknown key or a wrong signature when
/// those are checked.
pub fn verify(world: &World, url: &str, cluster: &str) -> Result<Caller, ApiError> {
    let parts = read(url, cluster)?;
    check_parameters(&parts)?;
    let signed = Signed::read(&parts).map_err(|fault| refused(format!("the signature cannot be read: {fault:?}")))?;
    if signed.service != "sts" {
        return Err(refused("the URL is not signed for sts"));
    }
    if !signed.headers.iter().any(|name| name == CLUSTER_HEADER) {
        return Err(refused("client did not sign the x-k8s-aws-id header in the pre-signed URL"));
    }
    check_age(world, &signed)?;
    super::verify::authenticate(world, &signed, &parts).map_err(|error| refused(error.message))
}

/// The request that the URL means, with the cluster's name in its header.
fn read(url: &str, cluster: &str) -> Result<Parts, ApiError> {
    let uri: http::Uri = url.parse().map_err(|_| refused("the token is not a URL"))?;
    let host = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let name = uri.host().unwrap_or_default();
    // The sandbox's own endpoint is STS too.
    let is_loopback = matches!(name, "127.0.0.1" | "localhost");
    let is_sts = name == "sts.amazonaws.com"
        || (name.starts_with("sts.") || name.starts_with("sts-fips."))
            && (name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn") || name.ends_with(".api.aws"));
    if uri.scheme_str() != Some("https") && !is_loopback {
        let scheme = uri.scheme_str().unwrap_or_default();
        return Err(refused(format!("unexpected scheme \"{scheme}\" in pre-signed URL")));
    }
    if !is_loopback && !is_sts {
        return Err(refused(format!("unexpected hostname \"{name}\" in pre-signed URL")));
    }
    if uri.path() != "/" {
        return Err(refused("unexpected path in pre-signed URL"));
    }
    Ok(Parts {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: vec![("host".to_owned(), host.to_owned()), (CLUSTER_HEADER.to_owned(), cluster.to_owned())],
        body: bytes::Bytes::new(),
    })
}

fn check_parameters(parts: &Parts) -> Result<(), ApiError> {
    let pairs = parts.query_pairs();
    let mut seen = Vec::new();
    for (name, _) in &pairs {
        let name = name.to_lowercase();
        if !PARAMETERS.contains(&name.as_str()) {
            return Err(refused(format!("non-whitelisted query parameter \"{name}\"")));
        }
        if seen.contains(&name) {
            return Err(refused("query parameter with multiple values not supported"));
        }
        seen.push(name);
    }
    let action = pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case("action"));
    match action {
        Some((_, action)) if action == "GetCallerIdentity" => Ok(()),
        _ => Err(refused("unexpected action parameter in pre-signed URL")),
    }
}

fn check_age(world: &World, signed: &Signed) -> Result<(), ApiError> {
    if signed.expires_secs.is_some_and(|secs| secs > VALID_SECS) {
        let secs = signed.expires_secs.unwrap_or_default();
        return Err(refused(format!("invalid X-Amz-Expires parameter in pre-signed URL: {secs}")));
    }
    let time = signed.time().map_err(|_| refused("error parsing X-Amz-Date parameter"))?;
    let age = world.now.as_second() - time.as_second();
    if age > VALID_SECS {
        return Err(refused(format!("X-Amz-Date parameter is expired ({} minute expiration) {time}", VALID_SECS / 60)));
    }
    if age < -300 {
        return Err(refused(format!("X-Amz-Date parameter lies in the future: {time}")));
    }
    Ok(())
}

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidIdentityToken", message).with_status(401)
}

#[cfg(test)]
#[path = "presigned_tests.rs"]
mod tests;
