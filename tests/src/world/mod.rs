//! A world: real endpoints on loopback, started for a test and gone with it.

mod api_server;
mod asked;
mod controller;
mod emulators;
mod error;
mod http;
mod kubelet;
mod kubernetes;
mod pods;
mod program;
mod proxy;
mod setup;
pub mod side;
mod sigv4;
mod tls;
mod token_review;
mod vpc;

pub use asked::{Answer, Asked, Question};
pub use emulators::Emulators;
pub use error::{Error, Result};
pub use pods::{BranchInterface, Node, Pod};
pub use proxy::{Call, Effect, Match, Rule, Victim, texts};
pub use setup::{python, test_cluster_program};
pub use vpc::Vpc;

use api_server::ApiServer;
use controller::Controller;
use error::Attempt;
use kubernetes::ControlPlane;
use proxy::{Sandboxed, Shared, Upstream};
use serde_json::Value;
use sgp_sandbox::{Pace, Sandbox, Settings};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tls::Authority;
use tokio::runtime::Runtime;

/// What is behind the proxy of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backing {
    /// moto, ministack and a real Kubernetes API server.
    #[default]
    Emulators,
    /// The sandbox, which needs nothing installed.
    Sandbox,
}

/// What a world has.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is behind the proxy.
    pub backing: Backing,
    /// A Kubernetes API server behind the clusters that are created. Needs Go on first use.
    pub kubernetes: bool,
    /// AWS's VPC resource controller for the cluster of this name. Implies `kubernetes`; one at a time on a machine.
    pub controller: Option<String>,
    /// microburst between the proxy and moto.
    pub microburst: bool,
    /// What every call takes, from the start.
    pub latency: Duration,
    /// How many describes see CREATING, UPDATING and DELETING before an EKS resource settles. A sandbox has a clock instead: there it is
    /// so many tenths of a second.
    pub pending_describes: u32,
}

impl Backing {
    /// What the person who runs the tests chose: `SGP_TEST_WORLD=sandbox`; the emulators otherwise.
    fn chosen() -> Self {
        if std::env::var("SGP_TEST_WORLD").is_ok_and(|it| it == "sandbox") { Self::Sandbox } else { Self::Emulators }
    }
}

impl Default for Options {
    /// The emulators and the API server, unless the sandbox is chosen; no controller, no added latency, two describes on the way.
    fn default() -> Self {
        let backing = Backing::chosen();
        Self {
            backing,
            kubernetes: true,
            controller: None,
            microburst: false,
            latency: Duration::ZERO,
            pending_describes: 2,
        }
    }
}

/// Two AWS emulators behind one endpoint, a seeded VPC, and a Kubernetes control plane. Dropping it ends everything.
///
/// Its methods block; call them from a thread of their own in asynchronous code.
pub struct World {
    controller: Option<Controller>,
    control_plane: Option<ControlPlane>,
    emulators: Option<Emulators>,
    shared: Arc<Shared>,
    authority: Authority,
    endpoint: String,
    vpc: Vpc,
    logs: PathBuf,
    folder: TempDir,
    runtime: Option<Runtime>,
}

impl World {
    /// Starts a world; all of it answers when this returns. The first start on a machine builds what it needs, which takes minutes.
    pub fn start(options: &Options) -> Result<Self> {
        let logs = setup::new_logs_folder()?;
        let folder = tempfile::tempdir().attempt(|| "make a temporary folder".to_owned())?;
        let runtime = runtime()?;
        let authority = Authority::new()?;
        let (shared, emulators) = match options.backing {
            Backing::Emulators => {
                let emulators = emulators::start(options.microburst, &logs)?;
                (emulated(options, &emulators, &authority)?, Some(emulators))
            }
            Backing::Sandbox => (runtime.block_on(sandboxed(options))?, None),
        };
        let shared = Arc::new(shared);
        let endpoint = runtime.block_on(serve_aws(&shared))?;
        let vpc = runtime.block_on(vpc::seed(&shared.upstream))?;
        let mut world = Self {
            controller: None,
            control_plane: None,
            emulators,
            shared,
            authority,
            endpoint,
            vpc,
            logs,
            folder,
            runtime: Some(runtime),
        };
        if options.backing == Backing::Emulators {
            world.start_kubernetes(options)?;
        }
        Ok(world)
    }

    fn start_kubernetes(&mut self, options: &Options) -> Result<()> {
        if options.kubernetes || options.controller.is_some() {
            self.start_control_plane()?;
        }
        options.controller.as_ref().map_or(Ok(()), |cluster| self.start_controller(cluster))
    }

    fn start_control_plane(&mut self) -> Result<()> {
        let (reviews, reviews_at) = self.block_on(http::listen())?;
        let (proxy, proxy_at) = self.block_on(http::listen())?;
        let settings = kubernetes::Settings {
            authority: &self.authority,
            client: self.shared.upstream.client.clone(),
            token_review: format!("http://{reviews_at}"),
            told_endpoint: format!("https://{proxy_at}"),
            controllers: kubernetes::CONTROLLERS,
            folder: self.folder.path(),
            logs: &self.logs,
        };
        let (control_plane, server) = kubernetes::start(&settings, |server| self.block_on(server.is_ready()))?;
        let identity = self.authority.issue()?.server()?;
        self.block_on(async {
            token_review::serve(reviews, Arc::clone(&self.shared));
            proxy::serve_kubernetes(proxy, identity, Arc::clone(&self.shared), server.clone());
            tokio::spawn(kubelet::run(server.clone()));
            kubernetes::furnish(&server).await
        })?;
        self.shared.set_api_server(server);
        self.control_plane = Some(control_plane);
        Ok(())
    }

    /// Starts AWS's VPC resource controller for a cluster of this name, with its webhook. Waits while another test has it.
    /// A sandbox has its own.
    pub fn start_controller(&mut self, cluster: &str) -> Result<()> {
        if self.shared.sandboxed.is_some() {
            return Ok(());
        }
        let control_plane = self.control_plane.as_ref().ok_or_else(no_kubernetes)?;
        let (aws, aws_at) = self.block_on(http::listen())?;
        let metadata = self.block_on(async {
            proxy::serve_aws_quietly(aws, Arc::clone(&self.shared));
            controller::metadata_stub().await
        })?;
        let settings = controller::Settings {
            cluster,
            vpc: &self.vpc.id,
            aws: &format!("http://{aws_at}"),
            credentials: controller::Credentials { key: proxy::ACCOUNT, secret: proxy::SECRET, session_token: None },
            metadata: &metadata,
            kubeconfig: &control_plane.kubeconfig,
            authority: &self.authority,
            folder: self.folder.path(),
            logs: &self.logs,
        };
        let started = controller::start(&settings)?;
        self.block_on(controller::register(&self.api_server()?))?;
        self.controller = Some(started);
        Ok(())
    }

    /// Empties the world without a restart: the account, the clusters and what is on them, the log, the faults. The VPC is a new one.
    /// Cluster-wide objects besides namespaces, nodes and `CNINodes` stay, and a running controller does too: it keeps the old VPC.
    pub fn reset(&mut self) -> Result<()> {
        self.vpc = self.block_on(async {
            for url in self.resets() {
                let request = ::http::Request::post(&url).body(bytes::Bytes::new()).unwrap();
                self.shared.upstream.client.send(request).await?;
            }
            self.shared.forget();
            self.shared.log.clear();
            self.shared.faults.clear();
            if let Some(server) = self.shared.api_server() {
                kubernetes::clear(&server).await?;
            }
            vpc::seed(&self.shared.upstream).await
        })?;
        Ok(())
    }

    /// Where what is behind the proxy is told to forget everything.
    fn resets(&self) -> Vec<String> {
        match &self.emulators {
            Some(emulators) => vec![
                format!("{}/moto-api/reset", emulators.moto_itself),
                format!("{}/_ministack/reset", emulators.ministack),
            ],
            None => vec![format!("{}/_sandbox/reset", self.shared.upstream.moto)],
        }
    }

    /// Lets time pass: a sandbox's clock is moved, the emulators' is the machine's.
    pub fn pass(&self, time: Duration) {
        match &self.shared.sandboxed {
            Some(sandboxed) => self.block_on(sandboxed.sandbox.advance(time)),
            None => std::thread::sleep(time),
        }
    }

    /// What is behind the proxy.
    pub fn backing(&self) -> Backing {
        if self.shared.sandboxed.is_some() { Backing::Sandbox } else { Backing::Emulators }
    }

    /// The AWS endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The seeded VPC.
    pub fn vpc(&self) -> &Vpc {
        &self.vpc
    }

    /// Where the programs of this world write; kept when the test panics.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// A folder of this world, gone with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The environment that makes a process use this world and nothing of the user's own.
    pub fn env(&self) -> Vec<(String, String)> {
        let subnets = serde_json::json!(self.vpc.subnet_ids).to_string();
        let pairs = [
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", proxy::ACCOUNT),
            ("AWS_SECRET_ACCESS_KEY", proxy::SECRET),
            ("AWS_REGION", proxy::REGION),
            ("AWS_DEFAULT_REGION", proxy::REGION),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("SGP_VPC_ID", &self.vpc.id),
            ("TF_VAR_vpc_id", &self.vpc.id),
            ("TF_VAR_subnet_ids", &subnets),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// A command with this world's environment, and none of the user's AWS and Kubernetes settings.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let is_foreign = |name: &str| ["AWS_", "TF_", "SGP_", "KUBE"].iter().any(|prefix| name.starts_with(prefix));
            if name.to_str().is_some_and(is_foreign) {
                command.env_remove(name);
            }
        }
        command.envs(self.env());
        command
    }

    /// The calls that went through the proxy so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.log.calls()
    }

    /// Empties the log of calls.
    pub fn clear_calls(&self) {
        self.shared.log.clear();
    }

    /// Adds a fault.
    pub fn add_fault(&self, rule: Rule) {
        self.shared.faults.add(rule);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Lets every call take this long.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.set_latency(latency);
    }

    /// Makes a call of a query protocol (`ec2`, `iam`, `sts`) at moto, past the proxy, and answers the XML; see [`texts`].
    pub fn aws(&self, service: &str, action: &str, params: &[(&str, &str)]) -> Result<String> {
        self.block_on(self.shared.upstream.query(service, action, params))
    }

    /// Makes a request to EKS (`GET /clusters`), neither logged nor broken, and answers the JSON.
    pub fn eks(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.block_on(proxy::eks_quietly(&self.shared, method, path, body))
    }

    /// Makes a request to the API server as its administrator, past the proxy. PATCH is a merge patch, or an apply when the path names a `fieldManager`.
    pub fn kubernetes(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.block_on(self.api_server()?.request(method, path, body))
    }

    /// The same in a cluster of this name: clusters of a sandbox have API servers of their own, the others share one.
    pub fn kubernetes_in(&self, cluster: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let server = match &self.shared.sandboxed {
            Some(sandboxed) => sandboxed.of(cluster).ok_or_else(no_kubernetes)?,
            None => self.api_server()?,
        };
        self.block_on(server.request(method, path, body))
    }

    /// Runs kubectl as the administrator, past the proxy, and answers what it prints.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        let kubeconfig = self.kubeconfig().ok_or_else(no_kubernetes)?;
        let mut command = Command::new(setup::test_cluster_program()?);
        command.arg("kubectl").args(args).env("KUBECONFIG", kubeconfig);
        let output = command.output().attempt(|| "run kubectl".to_owned())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Error::failed(format!("kubectl {}", args.join(" ")), String::from_utf8_lossy(&output.stderr)))
    }

    /// An administrator's kubeconfig, when there is a cluster.
    pub fn kubeconfig(&self) -> Option<PathBuf> {
        match &self.shared.sandboxed {
            Some(sandboxed) => self.block_on(sandboxed.kubeconfig()).and_then(|text| {
                let file = self.folder.path().join("admin.kubeconfig");
                std::fs::write(&file, text).ok().map(|()| file)
            }),
            None => self.control_plane.as_ref().map(|control_plane| control_plane.kubeconfig.clone()),
        }
    }

    /// The names of the clusters that EKS has, past the proxy.
    pub fn cluster_names(&self) -> Vec<String> {
        self.block_on(self.shared.cluster_names())
    }

    /// The endpoint that `DescribeCluster` tells, when there is a cluster.
    pub fn kubernetes_endpoint(&self) -> Option<String> {
        self.shared.api_server().map(|server| server.told_endpoint)
    }

    /// The interpreter of the environment that the emulators run in; it has boto3.
    pub fn python(&self) -> Result<PathBuf> {
        setup::python()
    }

    /// The program that is Kubernetes and kubectl.
    pub fn test_cluster_program(&self) -> Result<PathBuf> {
        setup::test_cluster_program()
    }

    fn api_server(&self) -> Result<ApiServer> {
        self.shared.api_server().ok_or_else(no_kubernetes)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().expect("the runtime lives as long as the world").block_on(future)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.logs);
        }
    }
}

fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().attempt(|| "start a runtime".to_owned())
}

async fn serve_aws(shared: &Arc<Shared>) -> Result<String> {
    let (listener, address) = http::listen().await?;
    proxy::serve_aws(listener, Arc::clone(shared));
    Ok(format!("http://{address}"))
}

/// The emulators behind the proxy.
fn emulated(options: &Options, emulators: &Emulators, authority: &Authority) -> Result<Shared> {
    let upstream = Upstream {
        client: http::Client::new(authority.trust()?),
        moto: emulators.moto.clone(),
        ministack: emulators.ministack.clone(),
    };
    Ok(Shared::new(upstream, None, options.pending_describes, options.latency))
}

/// A sandbox behind the proxy, in this process.
async fn sandboxed(options: &Options) -> Result<Shared> {
    let pace = Pace::uniform(Duration::from_millis(100) * options.pending_describes);
    let settings =
        Settings { pace, account: proxy::ACCOUNT.to_owned(), region: proxy::REGION.to_owned(), ..Settings::default() };
    let sandbox = Sandbox::start(settings).await.map_err(|error| Error::failed("start a sandbox", error))?;
    let authority = Authority::new()?;
    let at = format!("http://{}", sandbox.address());
    let upstream = Upstream { client: http::Client::new(authority.trust()?), moto: at.clone(), ministack: at };
    let sandboxed = Sandboxed::new(sandbox, authority);
    Ok(Shared::new(upstream, Some(sandboxed), options.pending_describes, options.latency))
}

fn no_kubernetes() -> Error {
    Error::failed("reach the cluster", "this world was started without Kubernetes")
}
