//! HTTP on loopback: the AWS endpoint and the clusters' endpoints.

pub(crate) mod aws;
pub mod body;
pub(crate) mod calls;
pub(crate) mod clusters;
pub(crate) mod control;
pub(crate) mod observed;

use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::sandbox::Sandbox;
use body::Served;

/// Serves the AWS endpoint (and under `/_sandbox/` the sandbox's own) for as long as the runtime lives.
pub(crate) fn serve(listener: TcpListener, sandbox: Sandbox) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let sandbox = sandbox.clone();
            tokio::spawn(connection(stream, move |request| {
                let sandbox = sandbox.clone();
                async move {
                    match request.uri().path().strip_prefix("/_sandbox/") {
                        Some(_) => Ok(control::serve(sandbox, request).await),
                        None => {
                            let seen = aws::seen(&request);
                            observed::serve(sandbox.clone(), seen, aws::serve(sandbox, request)).await
                        }
                    }
                }
            }));
        }
    });
}

/// One connection to its end. A call that has arrived is served although its client goes away.
pub(crate) async fn connection<S, H, F>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<bytes::Bytes>) -> F + Clone + Send + 'static,
    F: Future<Output = Served> + Send + 'static,
{
    let served = move |request: Request<Incoming>| {
        let handler = handler.clone();
        let serving = tokio::spawn(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| body::Cut)?.to_bytes();
            handler(Request::from_parts(parts, body)).await
        });
        async move { serving.await.unwrap_or(Err(body::Cut)) }
    };
    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(stream), service_fn(served)).await;
}
