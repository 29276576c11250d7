//! AWS's VPC resource controller, which gives pods their branch interfaces, with what it needs in the place of EC2 and EKS.

use super::api_server::ApiServer;
use super::error::{Attempt, Result};
use super::http::{Handled, full, json, listen, serve, typed};
use super::program::{Program, free_port};
use super::proxy::{ACCOUNT, REGION};
use super::setup;
use super::tls::Authority;
use bytes::Bytes;
use http::{Method, Request};
use hyper::body::Incoming;
use serde_json::{Value, json};
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
    /// With which it calls AWS.
    pub(crate) credentials: Credentials<'a>,
    /// A stub of the instance metadata service.
    pub(crate) metadata: &'a str,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) authority: &'a Authority,
    pub(crate) folder: &'a Path,
    pub(crate) logs: &'a Path,
}

/// An access key, of a session when there is a token.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) key: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) session_token: Option<&'a str>,
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
    let Credentials { key, secret, session_token } = settings.credentials;
    command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_REGION", REGION);
    match session_token {
        Some(token) => command.env("AWS_SESSION_TOKEN", token),
        None => command.env_remove("AWS_SESSION_TOKEN"),
    };
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_PROFILE");
    Ok(command)
}

/// Tells the API server to ask the controller about each new pod.
pub(crate) async fn register(server: &ApiServer) -> Result<()> {
    let hooks = [hook(server, "mpod.vpc.k8s.aws", "/mutate-v1-pod", "pods", &["CREATE"])];
    let kind = "MutatingWebhookConfiguration";
    put(server, kind, "mutatingwebhookconfigurations/vpc-resource-mutating-webhook", &hooks).await
}

/// Tells the API server to ask the controller who writes its annotations and updates nodes. Those are then the controller's alone:
/// it must be `eks:vpc-resource-controller` there.
pub(crate) async fn register_validating(server: &ApiServer) -> Result<()> {
    let hooks = [
        hook(server, "vnode.vpc.k8s.aws", "/validate-v1-node", "nodes", &["UPDATE"]),
        hook(server, "vpod.vpc.k8s.aws", "/validate-v1-pod", "pods", &["CREATE", "UPDATE"]),
    ];
    let kind = "ValidatingWebhookConfiguration";
    put(server, kind, "validatingwebhookconfigurations/vpc-resource-validating-webhook", &hooks).await
}

/// On EKS a failing webhook is ignored; here it is an error, so that nothing passes unseen.
fn hook(server: &ApiServer, name: &str, path: &str, resource: &str, operations: &[&str]) -> Value {
    use base64::Engine;
    let authority = base64::engine::general_purpose::STANDARD.encode(&server.authority_pem);
    json!({
        "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail", "matchPolicy": "Equivalent",
        "clientConfig": { "url": format!("https://127.0.0.1:{}{path}", PORTS[0]), "caBundle": authority },
        "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": operations, "resources": [resource] }],
    })
}

async fn put(server: &ApiServer, kind: &str, place: &str, hooks: &[Value]) -> Result<()> {
    let name = place.rsplit('/').next().unwrap_or_default();
    let object = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": name }, "webhooks": hooks,
    });
    server.apply("eks", &format!("/apis/admissionregistration.k8s.io/v1/{place}"), &object).await
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
