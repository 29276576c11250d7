//! Bodies of answers.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

/// A body that is at hand, or comes in pieces (a watch).
pub type Body = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// The connection is cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
pub struct Cut;

/// An answer, or a cut connection.
pub type Served = Result<Response<Body>, Cut>;

/// A body that is at hand.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// An answer with a body of a media type. A status that HTTP does not have becomes 500.
pub fn typed(status: u16, media_type: &'static str, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(bytes));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer in JSON.
pub fn json(status: u16, value: &Value) -> Response<Body> {
    typed(status, "application/json", value.to_string())
}
