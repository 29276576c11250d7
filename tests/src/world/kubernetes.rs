//! The control plane: the real API server with etcd, the controller manager, and what EKS puts on a new cluster.

use super::api_server::ApiServer;
use super::error::{Attempt, Error, Result};
use super::http::Client;
use super::program::{Program, free_port};
use super::setup;
use super::tls::{Authority, Identity};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const ADMIN_TOKEN: &str = "sgp-tests-admin";
/// The administrator has the name that the sandbox's has.
const ADMIN: &str = "kubernetes-admin";
const START_LIMIT: Duration = Duration::from_secs(90);
/// The controllers that matter to what a pod-security stack writes; nothing is scheduled, because nothing runs pods.
pub(crate) const CONTROLLERS: &str = "namespace-controller,serviceaccount-controller,serviceaccount-token-controller,garbage-collector-controller,\
                           daemonset-controller,deployment-controller,replicaset-controller,endpointslice-controller";

/// The running programs. Dropping it ends them.
pub(crate) struct ControlPlane {
    /// An administrator's kubeconfig for the API server itself.
    pub(crate) kubeconfig: PathBuf,
    _controllers: Program,
    _api_server: Program,
}

/// What the control plane is started from.
pub(crate) struct Settings<'a> {
    pub(crate) authority: &'a Authority,
    pub(crate) client: Client,
    /// Where `TokenReviews` go.
    pub(crate) token_review: String,
    /// What `DescribeCluster` tells.
    pub(crate) told_endpoint: String,
    /// Which controllers work in it, as `--controllers` has them.
    pub(crate) controllers: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) logs: &'a Path,
}

/// Starts the programs; the API server answers when this returns.
pub(crate) fn start(
    settings: &Settings<'_>,
    is_ready: impl Fn(&ApiServer) -> bool,
) -> Result<(ControlPlane, ApiServer)> {
    let program = setup::test_cluster_program()?;
    let port = free_port()?;
    let server = ApiServer {
        told_endpoint: settings.told_endpoint.clone(),
        endpoint: format!("https://127.0.0.1:{port}"),
        authority_pem: settings.authority.pem(),
        admin_token: ADMIN_TOKEN.to_owned(),
        client: settings.client.clone(),
    };
    let files = Files::write(settings, &server)?;
    let mut api_server = Program::start("kube-apiserver", &files.api_server(&program, port), settings.logs)?;
    api_server.wait_until(START_LIMIT, || is_ready(&server))?;
    let controllers =
        Program::start("kube-controller-manager", &files.controllers(&program, settings.controllers), settings.logs)?;
    let kubeconfig = files.at("admin.kubeconfig");
    Ok((ControlPlane { kubeconfig, _controllers: controllers, _api_server: api_server }, server))
}

/// The files that the programs are started with.
struct Files<'a>(&'a Path);

impl<'a> Files<'a> {
    fn write(settings: &Settings<'a>, server: &ApiServer) -> Result<Self> {
        let files = Self(settings.folder);
        let Identity { certificate_pem, key_pem } = settings.authority.issue()?;
        // The API server reads no other kind of key from PKCS#8.
        let signer = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)
            .map_err(|error| Error::failed("make a key", error))?;
        let webhook = kubeconfig(&settings.token_review, None, None);
        let admin = kubeconfig(&server.endpoint, Some(&server.authority_pem), Some(&server.admin_token));
        files.put("tls.crt", &certificate_pem)?;
        files.put("tls.key", &key_pem)?;
        files.put("ca.crt", &server.authority_pem)?;
        files.put("tokens.csv", &format!("{ADMIN_TOKEN},{ADMIN},{ADMIN},system:masters\n"))?;
        files.put("service-account.key", &signer.serialize_pem())?;
        files.put("token-review.kubeconfig", &webhook.to_string())?;
        files.put("admin.kubeconfig", &admin.to_string())?;
        Ok(files)
    }

    fn put(&self, name: &str, text: &str) -> Result<()> {
        let file = self.at(name);
        fs::write(&file, text).attempt(|| format!("write {}", file.display()))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn api_server(&self, program: &Path, port: u16) -> Command {
        let flag = |name: &str, file: &str| format!("--{name}={}", self.at(file).display());
        let mut command = Command::new(program);
        command.arg("kube-apiserver").args([
            flag("etcd-dir", "etcd"),
            flag("cert-dir", "certificates"),
            flag("tls-cert-file", "tls.crt"),
            flag("tls-private-key-file", "tls.key"),
            flag("token-auth-file", "tokens.csv"),
            flag("service-account-key-file", "service-account.key"),
            flag("service-account-signing-key-file", "service-account.key"),
            flag("authentication-token-webhook-config-file", "token-review.kubeconfig"),
            "--authentication-token-webhook-version=v1".to_owned(),
            "--authentication-token-webhook-cache-ttl=1s".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            // aws-node is privileged.
            "--allow-privileged=true".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            "--service-cluster-ip-range=10.100.0.0/16".to_owned(),
            format!("--secure-port={port}"),
        ]);
        command
    }

    fn controllers(&self, program: &Path, controllers: &str) -> Command {
        let flag = |name: &str, file: &str| format!("--{name}={}", self.at(file).display());
        let mut command = Command::new(program);
        command.arg("kube-controller-manager").args([
            flag("kubeconfig", "admin.kubeconfig"),
            flag("service-account-private-key-file", "service-account.key"),
            flag("root-ca-file", "ca.crt"),
            format!("--controllers={controllers}"),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            "--use-service-account-credentials=false".to_owned(),
        ]);
        command
    }
}

/// A kubeconfig with one context.
fn kubeconfig(server: &str, authority_pem: Option<&str>, token: Option<&str>) -> Value {
    use base64::Engine;
    let encode = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
    let mut cluster = json!({ "server": server });
    if let Some(pem) = authority_pem {
        cluster["certificate-authority-data"] = json!(encode(pem));
    }
    let user = token.map_or_else(|| json!({}), |token| json!({ "token": token }));
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "sgp-tests",
        "clusters": [{ "name": "sgp-tests", "cluster": cluster }],
        "users": [{ "name": "sgp-tests", "user": user }],
        "contexts": [{ "name": "sgp-tests", "context": { "cluster": "sgp-tests", "user": "sgp-tests" } }],
    })
}

/// Puts on the cluster what EKS puts on each: the definitions of its custom resources and the VPC CNI.
pub(crate) async fn furnish(server: &ApiServer) -> Result<()> {
    define(server).await?;
    server.put_vpc_cni(&json!({})).await
}

/// Puts the definitions of EKS's custom resources on the cluster.
pub(crate) async fn define(server: &ApiServer) -> Result<()> {
    for text in setup::controller_crds()? {
        let object: Value = serde_norway::from_str(&text).map_err(|error| Error::failed("read a CRD", error))?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        server.apply("eks", &path, &object).await?;
        wait_until_served(server, &object).await?;
    }
    Ok(())
}

/// An established definition answers 429 for another moment.
async fn wait_until_served(server: &ApiServer, definition: &Value) -> Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &definition["spec"];
    let (group, version) = (text(&spec["group"]), text(&spec["versions"][0]["name"]));
    let path = format!("/apis/{group}/{version}/{}", text(&spec["names"]["plural"]));
    for _ in 0..200 {
        if server.request("GET", &path, None).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Error::failed(path, "not served after 10 s"))
}

/// Kinds that are removed with a namespace; whatever is left in one would come back with it.
const NAMESPACED: [&str; 14] = [
    "/api/v1|pods",
    "/api/v1|serviceaccounts",
    "/api/v1|configmaps",
    "/api/v1|secrets",
    "/api/v1|services",
    "/api/v1|limitranges",
    "/api/v1|resourcequotas",
    "/apis/apps/v1|deployments",
    "/apis/apps/v1|replicasets",
    "/apis/apps/v1|daemonsets",
    "/apis/rbac.authorization.k8s.io/v1|roles",
    "/apis/rbac.authorization.k8s.io/v1|rolebindings",
    "/apis/networking.k8s.io/v1|networkpolicies",
    "/apis/vpcresources.k8s.aws/v1beta1|securitygrouppolicies",
];

/// Removes everything that tests put on the cluster, at once and without waiting for controllers.
pub(crate) async fn clear(server: &ApiServer) -> Result<()> {
    let namespaces = server.request("GET", "/api/v1/namespaces", None).await?;
    for namespace in namespaces["items"].as_array().into_iter().flatten() {
        let name = namespace["metadata"]["name"].as_str().unwrap_or_default();
        if name == "kube-system" {
            let policies = "/apis/vpcresources.k8s.aws/v1beta1/namespaces/kube-system/securitygrouppolicies";
            server.request("DELETE", policies, None).await?;
        } else if !name.starts_with("kube-") {
            empty(server, name).await?;
            if name != "default" {
                remove_namespace(server, name).await?;
            }
        }
    }
    remove_nodes(server).await?;
    server.delete("/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node").await?;
    server.delete("/api/v1/namespaces/kube-system/configmaps/amazon-vpc-cni").await?;
    server.put_vpc_cni(&json!({})).await
}

/// Removes the nodes, and the `CNINodes` whose finalizer waits for a controller that may not run.
async fn remove_nodes(server: &ApiServer) -> Result<()> {
    const CNI_NODES: &str = "/apis/vpcresources.k8s.aws/v1alpha1/cninodes";
    server.request("DELETE", "/api/v1/nodes", None).await?;
    let found = server.request("GET", CNI_NODES, None).await?;
    for node in found["items"].as_array().into_iter().flatten() {
        let path = format!("{CNI_NODES}/{}", node["metadata"]["name"].as_str().unwrap_or_default());
        let _ = server.request("PATCH", &path, Some(&json!({ "metadata": { "finalizers": null } }))).await;
        server.delete(&path).await?;
    }
    Ok(())
}

async fn empty(server: &ApiServer, namespace: &str) -> Result<()> {
    for kind in NAMESPACED {
        let (group, kind) = kind.split_once('|').unwrap_or_default();
        let path = format!("{group}/namespaces/{namespace}/{kind}?gracePeriodSeconds=0&propagationPolicy=Background");
        server.request("DELETE", &path, None).await?;
    }
    Ok(())
}

/// Deletes a namespace and says in the namespace controller's place that it is empty.
async fn remove_namespace(server: &ApiServer, name: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/{name}");
    server.delete(&path).await?;
    let Ok(mut namespace) = server.request("GET", &path, None).await else { return Ok(()) };
    namespace["spec"]["finalizers"] = json!([]);
    match server.request("PUT", &format!("{path}/finalize"), Some(&namespace)).await {
        Err(Error::Failed { what, .. }) if what.contains("404") || what.contains("409") => Ok(()),
        finalized => finalized.map(drop),
    }
}
