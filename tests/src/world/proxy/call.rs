//! Reading a request: which service and operation it is, and whether it changes anything.

use bytes::Bytes;
use http::{Method, Request, request::Parts};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use std::collections::BTreeMap;

/// One call that went through the proxy.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Milliseconds since the world started.
    pub at_ms: u128,
    /// `ec2`, `iam`, `sts`, `eks`, `kubernetes` ...
    pub service: String,
    /// The operation's name at AWS (`CreateSecurityGroup`); method and path for Kubernetes (`PATCH /api/v1/namespaces/app`).
    pub operation: String,
    /// Whether the operation changes anything.
    pub is_mutating: bool,
    /// What was sent: the query of EC2, IAM and STS, the JSON of EKS and Kubernetes.
    pub body: String,
    /// The status answered; 0 while there is none.
    pub status: u16,
    /// Whether the client was given the answer.
    pub is_answered: bool,
}

/// Where a request belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Ec2,
    Iam,
    Eks,
    Other,
}

/// A request to AWS, read.
pub(super) struct AwsRequest {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) service: Service,
    pub(super) service_name: String,
    /// The parameters of a query protocol; empty for EKS.
    pub(super) params: BTreeMap<String, String>,
}

impl AwsRequest {
    pub(super) fn read(request: Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        let mut params = form(parts.uri.query().unwrap_or_default().as_bytes());
        let service_name = scope(&parts, &params).unwrap_or_else(|| "sts".to_owned());
        let service = match service_name.as_str() {
            "ec2" => Service::Ec2,
            "iam" => Service::Iam,
            "eks" => Service::Eks,
            _ => Service::Other,
        };
        if service != Service::Eks {
            params.extend(form(&body));
        }
        Self { parts, body, service, service_name, params }
    }

    /// The operation's name at AWS.
    pub(super) fn operation(&self) -> String {
        if self.service == Service::Eks {
            return super::eks::operation(&self.parts.method, &self.segments()).to_owned();
        }
        self.param("Action").unwrap_or("unknown").to_owned()
    }

    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// The path's segments, decoded.
    pub(super) fn segments(&self) -> Vec<String> {
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        self.parts.uri.path().trim_matches('/').split('/').map(decode).collect()
    }

    pub(super) fn call(&self) -> Call {
        let operation = self.operation();
        let is_mutating = match self.service {
            Service::Eks => self.parts.method != Method::GET,
            _ => self.service_name != "sts" && !is_read(&operation),
        };
        let body = String::from_utf8_lossy(&self.body).into_owned();
        Call {
            at_ms: 0,
            service: self.service_name.clone(),
            operation,
            is_mutating,
            body,
            status: 0,
            is_answered: false,
        }
    }
}

fn is_read(operation: &str) -> bool {
    ["Describe", "Get", "List", "Search", "Simulate"].iter().any(|verb| operation.starts_with(verb))
}

/// The service in the scope of a signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope(parts: &Parts, query: &BTreeMap<String, String>) -> Option<String> {
    let header = parts.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = match header {
        Some(header) => header.split_once("Credential=")?.1.split([',', ' ']).next()?,
        None => query.get("X-Amz-Credential")?,
    };
    credential.split('/').nth(3).map(str::to_owned)
}

/// The pairs of a form or a query.
pub(super) fn form(text: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
