//! HTTP as the world speaks it: one client for the emulators and the API server, one accept loop for everything that it serves.

use super::error::{Attempt, Error, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// A body that is either at hand or still arriving.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// The connection is to be cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
pub(crate) struct Cut;

/// What a handler gives: an answer, or a cut connection.
pub(crate) type Handled = std::result::Result<Response<Body>, Cut>;

/// A client for loopback, that trusts the world's own authority.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    inner: hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    pub(crate) fn new(trust: rustls::ClientConfig) -> Self {
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(trust).https_or_http().enable_http1().build();
        Self { inner: hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// Sends a request; the answer's body is still arriving.
    pub(crate) async fn stream(&self, request: Request<Bytes>) -> Result<Response<Incoming>> {
        let uri = request.uri().to_string();
        self.inner.request(request.map(Full::new)).await.map_err(|error| Error::failed(uri, chain(&error)))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let uri = request.uri().to_string();
        let (parts, body) = self.stream(request).await?.into_parts();
        let body = body.collect().await.map_err(|error| Error::failed(uri, error))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A body that is at hand.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Response<Bytes> {
    typed(status, "application/json", body.to_string())
}

/// An answer with a body of the given media type.
pub(crate) fn typed(status: u16, media_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    response
}

/// Listens on a free loopback port.
pub(crate) async fn listen() -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.attempt(|| "listen on loopback".to_owned())?;
    let address = listener.local_addr().attempt(|| "read the address".to_owned())?;
    Ok((listener, address))
}

/// Serves plain HTTP for as long as the runtime lives.
pub(crate) fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Handled> + Send + 'static,
{
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(connection(stream, handler.clone()));
        }
    });
}

/// Serves HTTPS for as long as the runtime lives.
pub(crate) fn serve_tls<H, F>(listener: TcpListener, config: Arc<rustls::ServerConfig>, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Handled> + Send + 'static,
{
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (acceptor, handler) = (acceptor.clone(), handler.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    connection(stream, handler).await;
                }
            });
        }
    });
}

/// One connection to its end; a [`Cut`] ends it without an answer. A call that has arrived is served although its client goes away.
async fn connection<S, H, F>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Handled> + Send + 'static,
{
    let served = move |request: Request<Incoming>| {
        let serving = tokio::spawn(handler(request));
        async move { serving.await.unwrap_or(Err(Cut)) }
    };
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(served)).await;
}
