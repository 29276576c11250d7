//! A connection to the server of a URL, directly or through a proxy.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderValue, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::{
        legacy::connect::{
            HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower_service::Service;
use url::{Host, Url};

use super::{
    chain,
    trust::{self, Trust},
};

/// Bytes in both directions.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Which proxy is taken to a server.
#[derive(Debug)]
pub(crate) enum Proxies {
    /// As `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say; never to this machine itself.
    Environment(Box<Matcher>),
    /// This one, always.
    One(Box<Matcher>),
    /// None.
    Never,
}

impl Proxies {
    /// As the environment says now.
    pub(crate) fn from_env() -> Self {
        Self::Environment(Box::new(Matcher::from_env()))
    }

    fn to(&self, url: &Url) -> Option<Intercept> {
        let (matcher, spares_this_machine) = match self {
            Self::Environment(matcher) => (matcher, true),
            Self::One(matcher) => (matcher, false),
            Self::Never => return None,
        };
        if spares_this_machine && is_this_machine(url) {
            return None;
        }
        // A proxy is chosen by what a browser would ask for.
        let scheme = if url.scheme() == "http" { "http" } else { "https" };
        let uri: Uri = format!("{scheme}://{}", authority(url)?).parse().ok()?;
        matcher.intercept(&uri)
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

/// The port of a URL, or that of its scheme; any other scheme than `http` stands for TLS.
pub(crate) fn port(url: &Url) -> u16 {
    url.port().unwrap_or(if url.scheme() == "http" { 80 } else { 443 })
}

fn authority(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, port(url)))
}

/// What a request has to know of its way.
pub(crate) struct Connected {
    /// The bytes.
    pub(crate) io: Box<dyn Io>,
    /// Whether they go to a proxy that is to be told the whole URL.
    pub(crate) by_proxy: bool,
    /// What that proxy is shown.
    pub(crate) authorization: Option<HeaderValue>,
}

/// Connects for plain HTTP: a proxy is asked for the URL itself.
///
/// # Errors
/// Why not, as the end of a sentence; so below.
pub(crate) async fn for_http(url: &Url, proxies: &Proxies) -> Result<Connected, String> {
    match proxies
        .to(url)
        .filter(|proxy| proxy.uri().scheme_str() != Some("socks5") && proxy.uri().scheme_str() != Some("socks5h"))
    {
        Some(proxy) => {
            let io = to_proxy(proxy.uri()).await?;
            Ok(Connected { io, by_proxy: true, authorization: proxy.basic_auth().cloned() })
        }
        None => Ok(Connected { io: straight(url, proxies).await?, by_proxy: false, authorization: None }),
    }
}

/// Connects to the server itself, through a tunnel of a proxy where there is one, and makes a TLS session in it.
pub(crate) async fn for_tls(
    url: &Url,
    proxies: &Proxies,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<Box<dyn Io>>, String> {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare).map_err(|_| format!("{host:?} is no name of a server"))?;
    let io = straight(url, proxies).await?;
    TlsConnector::from(config).connect(name, io).await.map_err(|e| chain(&e))
}

async fn straight(url: &Url, proxies: &Proxies) -> Result<Box<dyn Io>, String> {
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the URL names no server")?;
    let Some(proxy) = proxies.to(url) else {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, port(url))).await.map_err(|e| e.to_string())?;
        return Ok(Box::new(stream));
    };
    let server: Uri =
        format!("https://{}", authority(url).unwrap_or_default()).parse().map_err(|_| "the URL names no server")?;
    tunnel(&proxy, server).await.map_err(|problem| format!("through the proxy {}: {problem}", proxy.uri()))
}

async fn tunnel(proxy: &Intercept, server: Uri) -> Result<Box<dyn Io>, String> {
    let uri = proxy.uri().clone();
    let scheme = uri.scheme_str().unwrap_or("http").to_owned();
    let boxed = |io: Box<dyn Io>| Ok(io);
    match scheme.as_str() {
        "http" => {
            let tunnel = Tunnel::new(uri, http_connector());
            let mut tunnel = proxy.basic_auth().into_iter().fold(tunnel, |t, auth| t.with_auth(auth.clone()));
            boxed(Box::new(TokioIo::new(tunnel.call(server).await.map_err(|e| chain(&e))?)))
        }
        "https" => {
            let tunnel = Tunnel::new(uri, https_connector()?);
            let mut tunnel = proxy.basic_auth().into_iter().fold(tunnel, |t, auth| t.with_auth(auth.clone()));
            boxed(Box::new(TokioIo::new(tunnel.call(server).await.map_err(|e| chain(&e))?)))
        }
        "socks5" | "socks5h" => {
            let socks = SocksV5::new(uri, http_connector());
            let auth = proxy.raw_auth().map(|(user, password)| (user.to_owned(), password.to_owned()));
            let mut socks = auth.into_iter().fold(socks, |s, (user, password)| s.with_auth(user, password));
            boxed(Box::new(TokioIo::new(socks.call(server).await.map_err(|e| chain(&e))?)))
        }
        other => Err(format!("proxies of the kind {other} are not known: it must be http, https or socks5")),
    }
}

async fn to_proxy(uri: &Uri) -> Result<Box<dyn Io>, String> {
    let problem = |e: &dyn std::error::Error| format!("to the proxy {uri}: {}", chain(e));
    if uri.scheme_str() == Some("https") {
        let stream = https_connector()?.call(uri.clone()).await.map_err(|e| problem(&*e))?;
        return Ok(Box::new(TokioIo::new(stream)));
    }
    let stream = http_connector().call(uri.clone()).await.map_err(|e| problem(&e))?;
    Ok(Box::new(TokioIo::new(stream)))
}

fn http_connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector
}

fn https_connector() -> Result<hyper_rustls::HttpsConnector<HttpConnector>, String> {
    let config = trust::client(&Trust::System, None)?;
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http_connector()))
}
