//! A request, and its answer after redirections.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION, USER_AGENT, WWW_AUTHENTICATE},
};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use url::{Position, Url};

use super::{
    chain,
    connect::{self, Connected, Proxies},
};

/// How often a server may send us elsewhere.
const REDIRECTIONS: usize = 10;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET`, `HEAD` or `POST`.
    pub(crate) method: Method,
    /// Where.
    pub(crate) url: Url,
    /// With which headers.
    pub(crate) headers: HeaderMap,
    /// With which body.
    pub(crate) body: Bytes,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

/// How servers are reached.
pub(crate) struct Ways {
    /// Whom to trust.
    pub(crate) tls: Arc<ClientConfig>,
    /// Which proxy.
    pub(crate) proxies: Proxies,
}

/// Asks, and goes where the server sends us.
///
/// # Errors
/// Why there is no answer, as the end of a sentence.
pub(crate) async fn fetch(mut request: Request, ways: &Ways) -> Result<Answer, String> {
    for _ in 0..=REDIRECTIONS {
        let answer = exchange(&request, ways).await?;
        match redirected(&request, &answer)? {
            Some(next) => request = next,
            None => return Ok(answer),
        }
    }
    Err(format!("stopped after {REDIRECTIONS} redirects"))
}

async fn exchange(request: &Request, ways: &Ways) -> Result<Answer, String> {
    let connected = match request.url.scheme() {
        "https" => {
            let stream = connect::for_tls(&request.url, &ways.proxies, ways.tls.clone()).await?;
            Connected { io: Box::new(stream), by_proxy: false, authorization: None }
        }
        "http" => connect::for_http(&request.url, &ways.proxies).await?,
        other => return Err(format!("unsupported protocol scheme {other:?}")),
    };
    let sent = message(request, &connected)?;
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(connected.io))
        .await
        .map_err(|e| chain(&e))?;
    // The connection is driven beside; it ends with the answer.
    let driver = tokio::spawn(connection);
    let answer = async {
        let (parts, body) = sender.send_request(sent).await.map_err(|e| chain(&e))?.into_parts();
        let body = body.collect().await.map_err(|e| chain(&e))?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    };
    let answer = answer.await;
    driver.abort();
    answer
}

fn message(request: &Request, connected: &Connected) -> Result<http::Request<Full<Bytes>>, String> {
    let url = &request.url;
    let target = if connected.by_proxy {
        &url[..Position::AfterQuery]
    } else {
        &url[Position::BeforePath..Position::AfterQuery]
    };
    let mut message = http::Request::builder()
        .method(request.method.clone())
        .uri(target)
        .body(Full::new(request.body.clone()))
        .map_err(|e| e.to_string())?;
    let headers = message.headers_mut();
    headers.insert(HOST, header(&url[Position::BeforeHost..Position::AfterPort])?);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sgp/", env!("CARGO_PKG_VERSION"))));
    if let Some(credentials) = basic(url) {
        headers.insert(AUTHORIZATION, header(&credentials)?);
    }
    headers.extend(request.headers.clone().into_iter().filter_map(|(name, value)| Some((name?, value))));
    if let Some(authorization) = &connected.authorization {
        headers.insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    Ok(message)
}

fn header(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| format!("{text:?} cannot be sent in a header"))
}

/// Name and password of a URL.
fn basic(url: &Url) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let has_some = !url.username().is_empty() || url.password().is_some();
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    has_some.then(|| format!("Basic {}", STANDARD.encode(pair)))
}

/// The request that an answer leads to: as Go's client follows it.
fn redirected(request: &Request, answer: &Answer) -> Result<Option<Request>, String> {
    let keeps_method = match answer.status.as_u16() {
        301..=303 => false,
        307 | 308 => true,
        _ => return Ok(None),
    };
    let Some(location) = answer.headers.get(LOCATION).and_then(|v| v.to_str().ok()) else { return Ok(None) };
    let url = request.url.join(location).map_err(|e| format!("redirected to {location:?}, which is no URL ({e})"))?;
    let mut next = Request { url, ..request.clone() };
    if !keeps_method {
        next.body = Bytes::new();
        next.headers.remove(CONTENT_TYPE);
        if next.method != Method::HEAD {
            next.method = Method::GET;
        }
    }
    // Another server than the one that was meant is shown no secrets.
    let (from, to) = (request.url.host_str().unwrap_or_default(), next.url.host_str().unwrap_or_default());
    if from != to && !to.ends_with(&format!(".{from}")) {
        [AUTHORIZATION, COOKIE, WWW_AUTHENTICATE].iter().for_each(|name| drop(next.headers.remove(name)));
    }
    next.headers.remove(HOST);
    Ok(Some(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(method: Method, from: &str, status: u16, location: &str) -> Option<Request> {
        let headers = [(AUTHORIZATION, "x"), (CONTENT_TYPE, "y")];
        let headers = headers.into_iter().map(|(k, v)| (k, HeaderValue::from_static(v))).collect();
        let request = Request { method, url: from.parse().expect(from), headers, body: Bytes::from_static(b"body") };
        let headers = [(LOCATION, HeaderValue::from_str(location).expect(location))].into_iter().collect();
        let status = StatusCode::from_u16(status).expect("a status");
        redirected(&request, &Answer { status, headers, body: Bytes::new() }).expect("a URL")
    }

    #[test]
    fn redirections() {
        for (method, status, location, expected) in [
            (Method::POST, 301, "/b", Some((Method::GET, "http://a.example/b", true, false))),
            (Method::HEAD, 302, "b?c=d", Some((Method::HEAD, "http://a.example/x/b?c=d", true, false))),
            (Method::POST, 307, "/b", Some((Method::POST, "http://a.example/b", true, true))),
            (Method::POST, 308, "https://b.example/", Some((Method::POST, "https://b.example/", false, true))),
            (Method::GET, 303, "http://sub.a.example/", Some((Method::GET, "http://sub.a.example/", true, false))),
            (Method::GET, 303, "http://nota.example/", Some((Method::GET, "http://nota.example/", false, false))),
            (Method::GET, 200, "/b", None),
            (Method::GET, 304, "/b", None),
        ] {
            let found = next(method, "http://a.example/x/y", status, location);
            let found =
                found.map(|r| (r.method, r.url.to_string(), r.headers.contains_key(AUTHORIZATION), !r.body.is_empty()));
            let expected = expected.map(|(m, url, auth, body)| (m, url.to_owned(), auth, body));
            assert_eq!(found, expected, "{status} {location}");
        }
    }
}
