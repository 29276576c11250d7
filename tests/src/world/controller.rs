//! AWS's VPC resource controller, which gives pods their branch interfaces, with what it needs in the place of EC2 and EKS.

use super::api_server::ApiServer;
use super::error::{Attempt, Result};
use super::http::{Handled, full, json, listen, serve, typed};
use super::program::{Program, free_port};
use super::proxy::{ACCOUNT, REGION, SECRET};
use super::setup;
use super::tls::Authority;
use bytes::Bytes;
use http::{Method, Request};
use hyper::body::Incoming;
use serde_json::json;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The ports of its webhooks and its health are fixed in its source.
const PORTS: [u16; 2] = [9443, 61779];
const START_LIMIT: Duration = Duration::from_secs(90);

/// The running controller. Dropping it ends it and lets another test have its ports.
pub(crate) struct Controller {
    _program: Program,
    _turn: File,
}

/// What the controller is started from.
pub(crate) struct Settings<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) vpc: &'a str,
    /// An AWS endpoint whose calls are not counted.
    pub(crate) aws: &'a str,
    /// A stub of the instance metadata service.
    pub(crate) metadata: &'a str,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) authority: &'a Authority,
    pub(crate) folder: &'a Path,
    pub(crate) logs: &'a Path,
}

/// Starts the controller; its webhook answers when this returns. Only one can run on a machine: this waits for its turn.
pub(crate) fn start(settings: &Settings<'_>) -> Result<Controller> {
    let program = setup::controller_program()?;
    let turn = take_turn()?;
    put_certificate(settings)?;
    let mut program = Program::start("vpc-resource-controller", &command(&program, settings)?, settings.logs)?;
    let is_open = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
    program.wait_until(START_LIMIT, || PORTS.iter().all(is_open))?;
    Ok(Controller { _program: program, _turn: turn })
}

fn take_turn() -> Result<File> {
    let file = std::env::temp_dir().join("sgp-vpc-resource-controller.lock");
    let turn = File::create(&file).attempt(|| format!("open {}", file.display()))?;
    turn.lock().attempt(|| format!("lock {}", file.display()))?;
    Ok(turn)
}

/// controller-runtime looks for the certificate of its webhooks in the temporary folder.
fn put_certificate(settings: &Settings<'_>) -> Result<()> {
    let folder = settings.folder.join("k8s-webhook-server").join("serving-certs");
    fs::create_dir_all(&folder).attempt(|| format!("make {}", folder.display()))?;
    let identity = settings.authority.issue()?;
    for (name, text) in [("tls.crt", identity.certificate_pem), ("tls.key", identity.key_pem)] {
        fs::write(folder.join(name), text).attempt(|| format!("write {name}"))?;
    }
    Ok(())
}

fn command(program: &Path, settings: &Settings<'_>) -> Result<Command> {
    let mut command = Command::new(program);
    command.args([
        format!("--cluster-name={}", settings.cluster),
        format!("--vpc-id={}", settings.vpc),
        format!("--aws-region={REGION}"),
        format!("--metrics-bind-address=127.0.0.1:{}", free_port()?),
        format!("--introspect-bind-addr=127.0.0.1:{}", free_port()?),
        "--log-level=debug".to_owned(),
    ]);
    command.env("KUBECONFIG", settings.kubeconfig).env("TMPDIR", settings.folder);
    command.env("AWS_ENDPOINT_URL", settings.aws).env("AWS_EC2_METADATA_SERVICE_ENDPOINT", settings.metadata);
    command.env("AWS_ACCESS_KEY_ID", ACCOUNT).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", REGION);
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_PROFILE");
    Ok(command)
}

/// Tells the API server to ask the controller about each new pod.
pub(crate) async fn register(server: &ApiServer) -> Result<()> {
    use base64::Engine;
    let authority = base64::engine::general_purpose::STANDARD.encode(&server.authority_pem);
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": "vpc-resource-mutating-webhook" },
        "webhooks": [{
            "name": "mpod.vpc.k8s.aws", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "clientConfig": { "url": format!("https://127.0.0.1:{}/mutate-v1-pod", PORTS[0]), "caBundle": authority },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] }],
        }],
    });
    let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/vpc-resource-mutating-webhook";
    server.apply("eks", path, &webhook).await
}

/// Starts a stub of the instance metadata service and answers its endpoint.
pub(crate) async fn metadata_stub() -> Result<String> {
    let (listener, address) = listen().await?;
    serve(listener, |request: Request<Incoming>| async move { metadata(&request) });
    Ok(format!("http://{address}"))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
fn metadata(request: &Request<Incoming>) -> Handled {
    let answer = match (request.method(), request.uri().path()) {
        (&Method::PUT, "/latest/api/token") => {
            let mut token = typed(200, "text/plain", Bytes::from_static(b"token"));
            token.headers_mut().insert("x-aws-ec2-metadata-token-ttl-seconds", http::HeaderValue::from_static("21600"));
            token
        }
        (_, "/latest/dynamic/instance-identity/document") => {
            json(200, &json!({ "accountId": ACCOUNT, "region": REGION }))
        }
        _ => typed(404, "text/plain", Bytes::new()),
    };
    Ok(answer.map(full))
}
