//! One region, two ways to run its cluster: by the sandbox's own API server and controllers, or by a real API server and AWS's own
//! controller, which calls the sandbox's EC2.
//!
//! A test does the same on both sides and compares what became of it.

mod real;

use super::api_server::ApiServer;
use super::error::{Error, Result};
use super::http::Client;
use super::proxy::Upstream;
use super::{setup, tls};
use http::Method;
use real::Real;
use serde_json::Value;
use sgp_sandbox::{Pace, Sandbox, Settings, iam};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// What takes time in EC2 and EKS takes this long.
const PACE: Duration = Duration::from_millis(100);
/// How long something is waited for.
const LIMIT: Duration = Duration::from_mins(3);
/// So often the real side is looked at.
const POLL: Duration = Duration::from_millis(50);
/// In such steps the simulated side's time is moved.
const STEP: Duration = Duration::from_millis(500);

/// A sandbox with one cluster. IAM policies are enforced on both sides.
///
/// Its methods block; call them from a thread of their own in asynchronous code.
pub struct Side {
    real: Option<Real>,
    cluster: Option<ApiServer>,
    sandbox: Sandbox,
    upstream: Upstream,
    /// The sandbox's time then.
    start: jiff::Timestamp,
    logs: PathBuf,
    runtime: Option<Runtime>,
}

impl Side {
    /// Starts the side with the sandbox's own controllers. Its time stands still but in [`Side::pass`] and [`Side::wait_for`].
    ///
    /// # Errors
    /// Loopback cannot be used.
    pub fn simulated() -> Result<Self> {
        Self::start(setup::new_logs_folder()?, super::runtime()?, None)
    }

    /// Starts the side with a real API server behind its clusters. The first start on a machine builds it, which takes minutes.
    ///
    /// # Errors
    /// Go is missing, or a program does not start.
    pub fn real() -> Result<Self> {
        let (logs, runtime) = (setup::new_logs_folder()?, super::runtime()?);
        let real = Real::start(&logs, &runtime)?;
        Self::start(logs, runtime, Some(real))
    }

    fn start(logs: PathBuf, runtime: Runtime, real: Option<Real>) -> Result<Self> {
        let settings = Settings {
            enforce_iam: true,
            pace: Pace::uniform(PACE),
            stopped_clock: real.is_none(),
            backing: real.as_ref().map(Real::backing),
            ..Settings::default()
        };
        let sandbox =
            runtime.block_on(Sandbox::start(settings)).map_err(|error| Error::failed("start a sandbox", error))?;
        let at = format!("http://{}", sandbox.address());
        let client = Client::new(tls::Authority::new()?.trust()?);
        let upstream = Upstream { client, moto: at.clone(), ministack: at };
        let start = sandbox.clock().now();
        Ok(Self { real, cluster: None, start, sandbox, upstream, logs, runtime: Some(runtime) })
    }

    /// Whether a real API server and AWS's controller work here.
    pub fn is_real(&self) -> bool {
        self.real.is_some()
    }

    /// Makes a call of a query protocol (`ec2`, `iam`, `sts`) as the administrator, and answers the XML.
    ///
    /// # Errors
    /// The refusal.
    pub fn aws(&self, service: &str, action: &str, params: &[(&str, &str)]) -> Result<String> {
        self.block_on(self.upstream.query_as(iam::ADMINISTRATOR_KEY, service, action, params))
    }

    /// Makes a request to EKS (`GET`, `clusters`) as the administrator.
    ///
    /// # Errors
    /// The refusal.
    pub fn eks(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let verb = Method::from_bytes(method.as_bytes()).map_err(|error| Error::failed("read a method", error))?;
        let (status, answer) = self.block_on(self.upstream.eks_as(iam::ADMINISTRATOR_KEY, verb, path, body))?;
        if (200..300).contains(&status) {
            Ok(answer)
        } else {
            Err(Error::failed(format!("{method} {path}: {status}"), answer))
        }
    }

    /// Finds the way to a cluster that EKS has made.
    ///
    /// # Errors
    /// There is no such cluster.
    pub fn connect(&mut self, cluster: &str) -> Result<()> {
        let found = self.block_on(self.sandbox.with(|world| {
            let found = world.kubernetes.clusters.get(cluster);
            found.cloned().ok_or_else(|| Error::failed(format!("connect to {cluster}"), "there is no such cluster"))
        }))?;
        self.cluster = Some(ApiServer {
            told_endpoint: String::new(),
            endpoint: found.endpoint(),
            client: Client::new(tls::trust(&found.authority_pem)?),
            authority_pem: found.authority_pem,
            admin_token: found.admin_token,
        });
        Ok(())
    }

    /// Makes a request to the cluster's endpoint as its administrator. PATCH is a merge patch, or an apply when the path names a
    /// `fieldManager`.
    ///
    /// # Errors
    /// The refusal, with the status object.
    pub fn kubernetes(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let cluster = self.cluster.as_ref().ok_or_else(|| Error::failed(path, "connect to a cluster first"))?;
        self.block_on(cluster.request(method, path, body))
    }

    /// Starts AWS's controller for a cluster, as `role`, which the administrator may assume. Only for a real side; one at a time on a
    /// machine: this waits for its turn.
    ///
    /// # Errors
    /// The role cannot be assumed, or the controller does not start.
    pub fn start_controller(&mut self, cluster: &str, vpc: &str, role: &str) -> Result<()> {
        let session =
            self.aws("sts", "AssumeRole", &[("RoleArn", role), ("RoleSessionName", "aws-vpc-resource-controller")])?;
        let runtime = self.runtime.as_ref().expect("the runtime lives as long as the side");
        let real = self.real.as_mut().ok_or_else(|| Error::failed("start the controller", "this side is simulated"))?;
        real.start_controller(
            runtime,
            &real::Start { cluster, vpc, aws: &self.upstream.moto, session: &session, logs: &self.logs },
        )
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        if self.is_real() {
            std::thread::sleep(time);
        } else {
            self.block_on(self.sandbox.advance(time));
        }
    }

    /// Waits until something is there; the simulated side's time is moved for it.
    ///
    /// # Errors
    /// Those of `found`, and when it is not there in time.
    pub fn wait_for<T>(&self, what: &str, found: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        self.wait_up_to(LIMIT, what, found)
    }

    /// The same with a limit.
    ///
    /// # Errors
    /// Those of `found`, and when it is not there in time.
    pub fn wait_up_to<T>(
        &self,
        limit: Duration,
        what: &str,
        mut found: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let start = self.now();
        loop {
            if let Some(found) = found()? {
                return Ok(found);
            }
            if self.now() > start + limit {
                return Err(Error::not_ready(what, limit.as_secs(), self.logs()));
            }
            self.pass(if self.is_real() { POLL } else { STEP });
        }
    }

    /// The time of the side since its start.
    pub fn now(&self) -> Duration {
        let passed = self.sandbox.clock().now().duration_since(self.start);
        Duration::try_from(passed).unwrap_or_default()
    }

    /// Where the programs of this side write; kept when the test panics.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().expect("the runtime lives as long as the side").block_on(future)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.real.take();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.logs);
        }
    }
}

/// The custom resource definitions that the controller comes with.
///
/// # Errors
/// Go is missing.
pub fn controller_definitions() -> Result<Vec<Value>> {
    let read = |text: &String| serde_norway::from_str(text).map_err(|error| Error::failed("read a definition", error));
    setup::controller_crds()?.iter().map(read).collect()
}
