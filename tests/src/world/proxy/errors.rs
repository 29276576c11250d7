//! Refusals in the words and the shape of each service.

use crate::world::error::Error;
use crate::world::http::{json, typed};
use bytes::Bytes;
use http::Response;
use serde_json::json;

/// A refusal: a status, AWS's error code and a sentence.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// What each service says when it is asked too often.
    pub(super) fn throttled(service: &str) -> Self {
        let (status, code) = match service {
            "ec2" => (503, "RequestLimitExceeded"),
            "eks" => (429, "ThrottlingException"),
            "kubernetes" => (429, "TooManyRequests"),
            _ => (400, "Throttling"),
        };
        Self::new(status, code, "Rate exceeded")
    }

    /// What each service says when it is broken.
    pub(super) fn broken(service: &str) -> Self {
        let code = match service {
            "iam" => "ServiceFailure",
            "eks" => "ServerException",
            _ => "InternalError",
        };
        Self::new(500, code, "An internal error has occurred")
    }

    /// The refusal in the service's protocol.
    pub(super) fn response(&self, service: &str) -> Response<Bytes> {
        let Self { status, code, message } = self;
        let text = quote(message);
        match service {
            "eks" => {
                let mut response = json(*status, &json!({ "__type": code, "message": message }));
                response.headers_mut().insert("x-amzn-errortype", code.parse().unwrap());
                response
            }
            "kubernetes" => json(*status, &kubernetes_status(self)),
            "ec2" => xml(
                *status,
                format!(
                    "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors><RequestID>sgp-proxy</RequestID></Response>"
                ),
            ),
            _ => xml(
                *status,
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error><RequestId>sgp-proxy</RequestId></ErrorResponse>"
                ),
            ),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(502, "ProxyFailure", error.to_string())
    }
}

fn xml(status: u16, body: String) -> Response<Bytes> {
    typed(status, "text/xml", body)
}

fn quote(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn kubernetes_status(refusal: &Refusal) -> serde_json::Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": refusal.message, "reason": refusal.code, "code": refusal.status,
    })
}
