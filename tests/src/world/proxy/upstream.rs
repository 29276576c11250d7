//! The emulators behind the proxy.

use super::call::{AwsRequest, Service};
use super::errors::Refusal;
use super::xml;
use crate::world::error::{Error, Result};
use crate::world::http::Client;
use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::Value;

/// The account of the world; both emulators take a numeric access key for the account.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The secret of the world's access key.
pub(crate) const SECRET: &str = "sgp-tests";
/// The region of the world.
pub(crate) const REGION: &str = "us-east-1";

/// Both emulators.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) client: Client,
    /// moto, or the fault maker before it.
    pub(crate) moto: String,
    pub(crate) ministack: String,
}

impl Upstream {
    /// Passes a request on as it came.
    pub(super) async fn forward(&self, request: &AwsRequest) -> std::result::Result<Response<Bytes>, Refusal> {
        let base = if request.service == Service::Eks { &self.ministack } else { &self.moto };
        let path = request.parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut builder = Request::builder().method(&request.parts.method).uri(format!("{base}{path}"));
        for (name, value) in &request.parts.headers {
            if name == http::header::AUTHORIZATION && request.service == Service::Eks {
                builder = builder.header(name, authorization(ACCOUNT, "eks"));
            } else if !is_of_the_connection(name.as_str()) {
                builder = builder.header(name, value);
            }
        }
        let response = self.client.send(builder.body(request.body.clone()).unwrap()).await?;
        Ok(without_framing(response))
    }

    /// Makes a call of the query protocol at moto and answers the XML.
    pub(crate) async fn query(&self, service: &str, action: &str, params: &[(&str, &str)]) -> Result<String> {
        self.query_as(ACCOUNT, service, action, params).await
    }

    /// The same with another access key: moto reads from it who is asking.
    pub(crate) async fn query_as(
        &self,
        access_key: &str,
        service: &str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<String> {
        let version = match service {
            "ec2" => "2016-11-15",
            "sts" => "2011-06-15",
            _ => "2010-05-08",
        };
        let request = Request::post(format!("{}/", self.moto))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", authorization(access_key, service))
            .body(Bytes::from(query_form(action, version, params)))
            .unwrap();
        let response = self.client.send(request).await?;
        let body = String::from_utf8_lossy(response.body()).into_owned();
        if response.status().is_success() {
            return Ok(body);
        }
        let what = xml::texts(&body, "Code").into_iter().next().unwrap_or_else(|| response.status().to_string());
        Err(Error::failed(format!("{service} {action}: {what}"), body))
    }

    /// Makes a call at ministack's EKS and answers status and JSON.
    pub(super) async fn eks(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        self.eks_as(ACCOUNT, method, path, body).await
    }

    /// The same with another access key.
    pub(crate) async fn eks_as(
        &self,
        access_key: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.ministack))
            .header("content-type", "application/json")
            .header("authorization", authorization(access_key, "eks"))
            .body(Bytes::from(body.map(Value::to_string).unwrap_or_default()))
            .unwrap();
        let response = self.client.send(request).await?;
        let value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Ok((response.status().as_u16(), value))
    }
}

fn query_form(action: &str, version: &str, params: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", version).extend_pairs(params).finish()
}

/// Neither emulator checks a signature; both read the scope, and ministack takes the access key for the account.
pub(super) fn authorization(access_key: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=00"
    )
}

fn is_of_the_connection(header: &str) -> bool {
    ["host", "connection", "content-length", "transfer-encoding", "expect"].contains(&header)
}

/// The body is at hand: its length is written anew.
fn without_framing(mut response: Response<Bytes>) -> Response<Bytes> {
    for name in ["content-length", "transfer-encoding", "connection"] {
        response.headers_mut().remove(name);
    }
    response
}
