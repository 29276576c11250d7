//! A sandbox behind the proxy: requests pass as they are, and clusters are reached through the proxy, too, so that calls to them are
//! counted and broken like those to AWS.

use super::call::{AwsRequest, Service};
use super::errors::Refusal;
use super::shared::Shared;
use crate::world::api_server::ApiServer;
use crate::world::error::{Error, Result};
use crate::world::http::{Client, listen};
use crate::world::tls::Authority;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use sgp_sandbox::Sandbox;
use std::sync::{Arc, Mutex};

/// A sandbox and the proxies before its clusters.
pub(crate) struct Sandboxed {
    pub(crate) sandbox: Sandbox,
    authority: Authority,
    /// By name, the oldest first.
    fronts: Mutex<Vec<(String, ApiServer)>>,
}

impl Sandboxed {
    pub(crate) fn new(sandbox: Sandbox, authority: Authority) -> Self {
        Self { sandbox, authority, fronts: Mutex::default() }
    }

    /// Forgets the clusters.
    pub(crate) fn forget(&self) {
        self.fronts.lock().unwrap().clear();
    }

    /// The oldest cluster that is there.
    pub(crate) fn first(&self) -> Option<ApiServer> {
        self.fronts.lock().unwrap().first().map(|(_, server)| server.clone())
    }

    /// The cluster of this name.
    pub(crate) fn of(&self, cluster: &str) -> Option<ApiServer> {
        self.fronts.lock().unwrap().iter().find(|(name, _)| name == cluster).map(|(_, server)| server.clone())
    }

    /// An administrator's kubeconfig of the oldest cluster, past the proxy.
    pub(crate) async fn kubeconfig(&self) -> Option<String> {
        let name = self.fronts.lock().unwrap().first().map(|(name, _)| name.clone())?;
        let text = self.sandbox.with(|world| {
            let cluster = world.kubernetes.clusters.get(&name);
            Ok::<_, std::convert::Infallible>(cluster.map(sgp_sandbox::kubernetes::cluster::Cluster::kubeconfig))
        });
        text.await.ok().flatten()
    }

    /// Where a cluster is reached; the proxy before it is started when it is asked for the first time.
    async fn front(&self, shared: &Arc<Shared>, name: &str) -> Result<Option<ApiServer>> {
        if let Some((_, server)) = self.fronts.lock().unwrap().iter().find(|(known, _)| known == name) {
            return Ok(Some(server.clone()));
        }
        let found = self.sandbox.with(|world| {
            let cluster = world.kubernetes.clusters.get(name);
            Ok::<_, std::convert::Infallible>(
                cluster.map(|it| (it.endpoint(), it.authority_pem.clone(), it.admin_token.clone())),
            )
        });
        let Ok(Some((endpoint, authority_pem, admin_token))) = found.await else { return Ok(None) };
        let (listener, at) = listen().await?;
        let client = Client::new(crate::world::tls::trust(&authority_pem)?);
        let told_endpoint = format!("https://{at}");
        let server = ApiServer { told_endpoint, endpoint, authority_pem: self.authority.pem(), admin_token, client };
        super::serve_kubernetes(listener, self.authority.issue()?.server()?, Arc::clone(shared), server.clone());
        self.fronts.lock().unwrap().push((name.to_owned(), server.clone()));
        Ok(Some(server))
    }

    /// What is told of a cluster: that it is where its proxy is.
    async fn tell(
        &self,
        shared: &Arc<Shared>,
        request: &AwsRequest,
        response: Response<Bytes>,
    ) -> std::result::Result<Response<Bytes>, Refusal> {
        let Ok(mut body) = serde_json::from_slice::<Value>(response.body()) else { return Ok(response) };
        let name = body["cluster"]["name"].as_str().unwrap_or_default().to_owned();
        if request.operation() == "DeleteCluster" {
            self.fronts.lock().unwrap().retain(|(known, _)| *known != name);
            return Ok(response);
        }
        if body["cluster"]["endpoint"].is_null() {
            return Ok(response);
        }
        let Some(server) = self.front(shared, &name).await? else { return Ok(response) };
        body["cluster"]["endpoint"] = json!(server.told_endpoint);
        body["cluster"]["certificateAuthority"] = json!({ "data": STANDARD.encode(&server.authority_pem) });
        Ok(response.map(|_| Bytes::from(body.to_string())))
    }

    /// The names of the clusters.
    pub(crate) async fn cluster_names(&self) -> Vec<String> {
        let names = self
            .sandbox
            .with(|world| Ok::<_, Error>(world.eks.clusters.iter().map(|(name, _)| name.to_owned()).collect()));
        names.await.unwrap_or_default()
    }
}

/// Passes a request on, and reads in the answer where clusters are.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    request: &AwsRequest,
) -> std::result::Result<Response<Bytes>, Refusal> {
    let response = shared.upstream.forward(request).await?;
    match &shared.sandboxed {
        Some(sandboxed) if request.service == Service::Eks && response.status().is_success() => {
            sandboxed.tell(shared, request, response).await
        }
        _ => Ok(response),
    }
}
