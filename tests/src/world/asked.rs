//! A Kubernetes API that is asked as is, with nothing between: the real API server's, or that of a cluster in a sandbox.

use super::api_server::ApiServer;
use super::error::{Attempt, Error, Result};
use super::http::Client;
use super::kubernetes::{self, ControlPlane};
use super::{setup, tls};
use crate::cluster::{self, Cluster};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use sgp_sandbox::kubernetes::controllers::switches;
use sgp_sandbox::{Pace, Settings};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What would change objects behind a request is off on both sides; namespaces and dependents still go.
const CONTROLLERS: &str = "namespace-controller,serviceaccount-controller,garbage-collector-controller,\
                           root-ca-certificate-publisher-controller";
const WITH: [&str; 2] = ["serviceaccounts", "workloads"];
const PACE: Duration = Duration::from_millis(10);
/// No answer takes longer; a watch that goes on is cut.
const LIMIT: Duration = Duration::from_secs(15);

/// A request as it is sent. Who asks is the administrator, unless a header says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// As it is sent.
    pub body: String,
    /// The answer is over after so many lines; 0 reads it to its end.
    pub lines: usize,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
}

/// An API server. Dropping it ends it.
pub struct Asked {
    server: ApiServer,
    _kept: Kept,
    logs: PathBuf,
    runtime: Runtime,
}

/// What has to live as long.
#[expect(dead_code, reason = "it is only kept")]
enum Kept {
    Real(ControlPlane, TempDir),
    Sandbox(Cluster),
}

impl Asked {
    /// Starts the real API server, with the definitions of EKS's custom resources.
    ///
    /// # Errors
    /// Go is missing, or a program does not start.
    pub fn real() -> Result<Self> {
        let (logs, runtime) = (setup::new_logs_folder()?, super::runtime()?);
        let folder = tempfile::tempdir().attempt(|| "make a temporary folder".to_owned())?;
        let authority = tls::Authority::new()?;
        let settings = kubernetes::Settings {
            authority: &authority,
            client: Client::new(authority.trust()?),
            token_review: "http://127.0.0.1:1".to_owned(),
            told_endpoint: String::new(),
            controllers: CONTROLLERS,
            folder: folder.path(),
            logs: &logs,
        };
        let (control_plane, server) = kubernetes::start(&settings, |server| runtime.block_on(server.is_ready()))?;
        runtime.block_on(kubernetes::define(&server))?;
        Ok(Self { server, _kept: Kept::Real(control_plane, folder), logs, runtime })
    }

    /// Starts a sandbox with a cluster that has no nodes.
    ///
    /// # Errors
    /// Loopback cannot be used.
    pub fn sandbox() -> Result<Self> {
        let (logs, runtime) = (setup::new_logs_folder()?, super::runtime()?);
        let without = switches().into_iter().filter(|name| !WITH.contains(name)).map(str::to_owned).collect();
        let cluster = Cluster::start_bare(Settings { pace: Pace::uniform(PACE), without, ..Settings::default() });
        let found = cluster.block_on(cluster.sandbox().with(|world| {
            let found = world.kubernetes.clusters.get(cluster::NAME).cloned();
            found.ok_or_else(|| Error::failed("find the cluster", "it is not there"))
        }))?;
        let server = ApiServer {
            told_endpoint: String::new(),
            endpoint: found.endpoint(),
            client: Client::new(tls::trust(&found.authority_pem)?),
            authority_pem: found.authority_pem,
            admin_token: found.admin_token,
        };
        Ok(Self { server, _kept: Kept::Sandbox(cluster), logs, runtime })
    }

    /// Sends a request and reads the answer, as far as it is wanted.
    ///
    /// # Errors
    /// There is no answer.
    pub fn ask(&self, question: &Question) -> Result<Answer> {
        self.runtime.block_on(self.answer(question))
    }

    async fn answer(&self, question: &Question) -> Result<Answer> {
        let response = self.server.client.stream(self.request(question)?).await?;
        let (parts, mut body) = response.into_parts();
        let mut read = Vec::new();
        let is_over = |read: &[u8]| question.lines > 0 && lines(read) >= question.lines;
        while !is_over(&read) {
            match tokio::time::timeout(LIMIT, body.frame()).await {
                Ok(Some(Ok(frame))) => read.extend(frame.into_data().unwrap_or_default()),
                Ok(Some(Err(error))) => return Err(Error::failed(&question.path, error)),
                Ok(None) | Err(_) => break,
            }
        }
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = parts.headers.iter().map(header).collect();
        Ok(Answer { status: parts.status.as_u16(), headers, body: read })
    }

    fn request(&self, question: &Question) -> Result<Request<Bytes>> {
        let uri = format!("{}{}", self.server.endpoint, question.path);
        let mut request = Request::builder().method(question.method.as_str()).uri(uri);
        let is_given = |name: &str| question.headers.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
        if !is_given("authorization") {
            request = request.header("authorization", format!("Bearer {}", self.server.admin_token));
        }
        if !is_given("user-agent") {
            request = request.header("user-agent", "comparison/1.0");
        }
        for (name, value) in question.headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        let body = Bytes::from(question.body.clone());
        request.body(body).map_err(|error| Error::failed(&question.path, error))
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.logs);
        }
    }
}
