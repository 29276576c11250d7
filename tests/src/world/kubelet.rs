//! What matters of a kubelet: a pod that is being deleted ends, so that its namespace and its branch interface can go.

use super::api_server::ApiServer;
use super::error::Result;
use serde_json::{Value, json};
use std::time::Duration;

/// Ends deleted pods of all nodes for as long as the runtime lives.
pub(crate) async fn run(server: ApiServer) {
    loop {
        // While the API server starts or ends there is nothing to do.
        let _ = end_deleted_pods(&server).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn end_deleted_pods(server: &ApiServer) -> Result<()> {
    let pods = server.request("GET", "/api/v1/pods", None).await?;
    for pod in pods["items"].as_array().into_iter().flatten() {
        if pod["metadata"]["deletionTimestamp"].is_string() {
            end(server, &pod["metadata"]).await?;
        }
    }
    Ok(())
}

async fn end(server: &ApiServer, metadata: &Value) -> Result<()> {
    let text = |name: &str| metadata[name].as_str().unwrap_or_default();
    let path = format!("/api/v1/namespaces/{}/pods/{}", text("namespace"), text("name"));
    let options = json!({ "gracePeriodSeconds": 0, "preconditions": { "uid": text("uid") } });
    server.request("DELETE", &path, Some(&options)).await.map(drop)
}
