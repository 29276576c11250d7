//! A real API server behind the clusters' endpoints, in place of the simulated one.
//!
//! A cluster keeps its own endpoint, certificate and EKS tokens; whom a token lets in is impersonated at the real server. The
//! simulated controllers see nothing of what is in it, so nodes, pods and branch interfaces are those of whoever runs there.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::admission::User;
use super::api::authenticate;
use super::objects::Key;
use crate::sandbox::{Error, Sandbox};
use crate::server::body::{Body, json as json_body};
use crate::settings::Backing;
use crate::world::World;

/// The way to the real API server.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Scheme, host and port, without a slash at the end.
    base: String,
    token: HeaderValue,
}

impl Proxy {
    /// # Errors
    /// The URL, the certificate or the token cannot be one.
    pub fn new(backing: &Backing) -> Result<Self, Error> {
        let wrong = |what: &str, why: String| Error::Backing(format!("{what}: {why}"));
        let base = backing.url.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|error| wrong("the URL of the API server", format!("{error}")))?;
        if uri.scheme_str() != Some("https") || uri.host().is_none() {
            return Err(wrong("the URL of the API server", format!("{base} does not begin with https://HOST")));
        }
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(backing.authority_pem.as_bytes()) {
            let certificate = certificate.map_err(|error| wrong("the API server's authority", format!("{error}")))?;
            roots.add(certificate).map_err(|error| wrong("the API server's authority", error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("the API server's authority", "there is no certificate in it".to_owned()));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("TLS", error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
        let mut token = HeaderValue::from_str(&format!("Bearer {}", backing.token.trim()))
            .map_err(|error| wrong("the API server's token", error.to_string()))?;
        token.set_sensitive(true);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(https), base, token })
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String> {
        self.client.request(request).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("the API server at {} does not answer: {error}{cause}", self.base)
        })
    }
}

/// Serves one request by passing it on, as the user whom its token names.
pub(crate) async fn serve(proxy: Proxy, sandbox: Sandbox, cluster: String, request: Request<Bytes>) -> Response<Body> {
    let sender = sandbox.with(|world| authenticate::sender(world, &cluster, &request)).await;
    let user = match sender {
        Ok(sender) => sender.user,
        Err(status) => return refusal(status.code, status.reason, &status.message),
    };
    if request.headers().contains_key(UPGRADE) {
        return refusal(
            501,
            "NotImplemented",
            "exec, attach and port-forward do not pass through the sandbox; ask the API server itself",
        );
    }
    if request.headers().keys().any(is_impersonation) {
        return refusal(
            501,
            "NotImplemented",
            "impersonation does not pass through the sandbox, which impersonates itself",
        );
    }
    let answer = match passed_on(&proxy, &user, request) {
        Ok(request) => proxy.send(request).await,
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok(answer) => {
            let (mut parts, body) = answer.into_parts();
            for name in [CONNECTION, TRANSFER_ENCODING] {
                parts.headers.remove(name);
            }
            Response::from_parts(parts, Passing(body).boxed_unsync())
        }
        Err(why) => refusal(502, "BadGateway", &why),
    }
}

fn is_impersonation(name: &HeaderName) -> bool {
    name.as_str().starts_with("impersonate-")
}

/// The request as it goes to the real server.
fn passed_on(proxy: &Proxy, user: &User, request: Request<Bytes>) -> http::Result<Request<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut passed =
        Request::builder().method(parts.method).uri(format!("{}{path}", proxy.base)).body(Full::new(body))?;
    let headers = passed.headers_mut();
    *headers = parts.headers;
    for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers.insert(AUTHORIZATION, proxy.token.clone());
    impersonate(headers, user)?;
    Ok(passed)
}

fn impersonate(headers: &mut HeaderMap, user: &User) -> http::Result<()> {
    headers.insert("impersonate-user", HeaderValue::from_str(&user.name)?);
    for group in &user.groups {
        headers.append("impersonate-group", HeaderValue::from_str(group)?);
    }
    Ok(())
}

fn refusal(code: u16, reason: &str, message: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    json_body(code, &status)
}

/// A body that passes through; when the real server breaks off it ends.
struct Passing(Incoming);

impl HttpBody for Passing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(context).map(|frame| frame.and_then(Result::ok).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// What EKS installs in a new cluster is made in the real server, too; what is there already stays as it is.
pub(crate) async fn install(proxy: Proxy, sandbox: Sandbox, cluster: String) {
    let objects = sandbox.with(|world| Ok::<_, Error>(installed(world, &cluster))).await.unwrap_or_default();
    for (path, object) in objects {
        let request = Request::post(format!("{}{path}", proxy.base))
            .header("content-type", "application/json")
            .header(AUTHORIZATION, proxy.token.clone())
            .body(Full::new(Bytes::from(object.to_string())));
        let Ok(request) = request else { continue };
        match proxy.send(request).await {
            Ok(answer) if answer.status().is_success() || answer.status() == 409 => {}
            Ok(answer) => {
                let status = answer.status();
                let body = answer.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                let said: Value = serde_json::from_slice(&body).unwrap_or_default();
                let message = said["message"].as_str().unwrap_or_default();
                tracing::warn!("cluster {cluster}: POST {path} at the API server: {status}: {message}");
            }
            Err(why) => return tracing::warn!("cluster {cluster}: {why}"),
        }
    }
}

/// The objects and where they are posted: definitions and namespaces first, nothing that points at a service of the simulation.
fn installed(world: &World, cluster: &str) -> Vec<(String, Value)> {
    let mut objects: Vec<(u8, String, Value)> = world
        .kubernetes
        .objects
        .all(cluster)
        .filter(|(key, _)| is_installed(&key.resource))
        .filter_map(|(key, object)| {
            let order = match key.resource.as_str() {
                "namespaces" => 0,
                "customresourcedefinitions.apiextensions.k8s.io" => 1,
                _ => 2,
            };
            Some((order, path(&key, object)?, bare(object)))
        })
        .collect();
    objects.sort_by_key(|(order, _, _)| *order);
    objects.into_iter().map(|(_, path, object)| (path, object)).collect()
}

fn is_installed(resource: &str) -> bool {
    let is_made_there = ["pods", "nodes", "events", "endpoints", "services"].contains(&resource);
    let is_of_simulation =
        ["webhookconfigurations.", "endpointslices.", "leases.", "replicasets.", "controllerrevisions.", "cninodes."]
            .iter()
            .any(|part| resource.contains(part));
    !is_made_there && !is_of_simulation
}

fn path(key: &Key, object: &Value) -> Option<String> {
    let version = object["apiVersion"].as_str()?;
    let root = if version.contains('/') { "apis" } else { "api" };
    let plural = key.resource.split('.').next()?;
    let namespace = if key.namespace.is_empty() { String::new() } else { format!("/namespaces/{}", key.namespace) };
    Some(format!("/{root}/{version}{namespace}/{plural}"))
}

/// An object as a client would send it.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for member in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences"]
        {
            metadata.remove(member);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backing(url: &str) -> Backing {
        let cluster = super::super::cluster::Cluster::new("a").unwrap();
        Backing { url: url.to_owned(), authority_pem: cluster.authority_pem, token: "t\n".to_owned() }
    }

    #[test]
    fn what_is_passed_on_is_another_ones_request() {
        let proxy = Proxy::new(&backing("https://127.0.0.1:6443/")).unwrap();
        let user = User { name: "alice".to_owned(), groups: vec!["a".to_owned(), "b".to_owned()] };
        let request =
            Request::get("/api/v1/pods?watch=true").header("authorization", "Bearer secret").header("host", "x");
        let passed = passed_on(&proxy, &user, request.body(Bytes::new()).unwrap()).unwrap();
        assert_eq!(passed.uri(), "https://127.0.0.1:6443/api/v1/pods?watch=true");
        let all = |name: &str| passed.headers().get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(all("authorization"), ["Bearer t"]);
        assert_eq!(
            (all("impersonate-user"), all("impersonate-group"), all("host")),
            (vec!["alice"], vec!["a", "b"], vec![])
        );
    }

    #[test]
    fn wrong_backings_are_refused() {
        for url in ["http://127.0.0.1:6443", "127.0.0.1:6443", "https://", ""] {
            assert!(Proxy::new(&backing(url)).is_err(), "{url}");
        }
        assert!(Proxy::new(&Backing { authority_pem: String::new(), ..backing("https://127.0.0.1") }).is_err());
    }

    #[test]
    fn objects_are_posted_where_they_belong() {
        let key = Key::new("c", "daemonsets.apps", "kube-system", "aws-node");
        let object = json!({ "apiVersion": "apps/v1", "metadata": { "name": "aws-node", "uid": "1" }, "status": {} });
        assert_eq!(path(&key, &object).as_deref(), Some("/apis/apps/v1/namespaces/kube-system/daemonsets"));
        assert_eq!(bare(&object), json!({ "apiVersion": "apps/v1", "metadata": { "name": "aws-node" } }));
        let namespace = json!({ "apiVersion": "v1" });
        assert_eq!(path(&Key::new("c", "namespaces", "", "a"), &namespace).as_deref(), Some("/api/v1/namespaces"));
        assert!(
            !is_installed("mutatingwebhookconfigurations.admissionregistration.k8s.io") && is_installed("configmaps")
        );
    }
}
