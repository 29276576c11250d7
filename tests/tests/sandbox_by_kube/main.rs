//! The sandbox, asked by `kube`: its client, and its runtime of watchers, reflectors and controllers.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]

mod api;
mod runtime;

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ServiceAccount};
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, Config};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sgp_tests::cluster::Cluster;

/// So long is waited for what comes by and by.
const PATIENCE: Duration = Duration::from_secs(60);

/// The administrator's configuration.
async fn config(cluster: &Cluster) -> Config {
    let kubeconfig = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap()
}

/// A client, with a namespace of its own.
async fn client(cluster: &Cluster, namespace: &str) -> Client {
    let client = Client::try_from(config(cluster).await).unwrap();
    let made = object::<Namespace>(json!({ "metadata": { "name": namespace } }));
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &made).await.unwrap();
    // Pods are let in once the namespace has its service account.
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    soon("the account", await_condition(accounts, "default", conditions::is_created())).await.unwrap();
    client
}

/// An object out of its JSON.
fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

fn config_map(name: &str) -> ConfigMap {
    object(json!({ "metadata": { "name": name, "labels": { "set": "all" } }, "data": { "a": "1" } }))
}

fn pod(name: &str) -> Pod {
    object(json!({
        "metadata": { "name": name, "labels": { "app": name } },
        "spec": { "containers": [{ "name": "main", "image": "nginx:1.27" }] },
    }))
}

/// The code and reason of a refusal.
fn refusal<T>(answer: Result<T, kube::Error>) -> (u16, String) {
    match answer {
        Err(kube::Error::Api(status)) => (status.code, status.reason.clone()),
        Err(other) => panic!("refused otherwise: {other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

/// Ends work that does not end by itself.
fn soon<F: Future>(what: &str, work: F) -> impl Future<Output = F::Output> {
    // What kube waits with is large.
    let work = Box::pin(work);
    async move {
        let answer = tokio::time::timeout(PATIENCE, work).await;
        answer.unwrap_or_else(|_| panic!("gave up waiting for {what}"))
    }
}
