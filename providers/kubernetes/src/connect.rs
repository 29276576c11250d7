//! Clients: one for each cluster that objects name, made when it is first needed and renewed before its token expires.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Request;
use kube::{client::Body, config::KubeConfigOptions};
use serde_json::Value as Json;
use sgp_contract::{
    Client, Clock, Context,
    eks::{ClusterAccess, Eks},
};
use sgp_model::{Diagnostic, Value};

use crate::{
    attrs,
    errors::{Failure, NEEDS_ENTRY},
    provider_config::{Entry, Settings},
    target::ApiKind,
    wait::Waiter,
};

/// A token is renewed this long before it expires: the longest call must end within.
const RENEW_BEFORE_SECS: i64 = 120;
/// The API server of a cluster that has just become ACTIVE may take this long to answer.
const FIRST_ANSWER: Duration = Duration::from_mins(5);
/// An answer proves for this long that the API server is there.
const PROOF_LASTS: Duration = Duration::from_mins(1);
/// An access entry that was only just made may take this long to count.
const ENTRY_COUNTS: Duration = Duration::from_mins(2);
/// A call that takes this long without an answer is not made again.
const PATIENCE: Duration = Duration::from_secs(10);
/// A server that asks to come back later is asked again for this long.
const BUSY: Duration = Duration::from_mins(1);
/// Pauses between attempts of one call.
const ATTEMPTS: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(800), Duration::from_millis(1600)];

/// The provider's client: settings, and the clusters that were reached so far.
pub(crate) struct KubeClient {
    pub(crate) eks: Arc<dyn Eks>,
    pub(crate) clock: Arc<dyn Clock>,
    settings: Settings,
    clusters: Mutex<HashMap<Option<String>, Held>>,
}

/// A cluster once it was reached; locked while it is being asked for, so that it is asked for once.
type Held = Arc<tokio::sync::Mutex<Option<Arc<Cluster>>>>;

impl Client for KubeClient {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A cluster, or why there is none.
pub(crate) enum Access {
    /// It can be spoken to.
    Ready(Arc<Cluster>),
    /// EKS has no such cluster, or one whose API does not exist (status).
    Absent {
        /// The cluster.
        name: String,
        /// `CREATING`, `DELETING` ...; none when there is no such cluster.
        status: Option<String>,
    },
}

impl KubeClient {
    pub(crate) fn new(eks: Arc<dyn Eks>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        Self { eks, clock, settings, clusters: Mutex::default() }
    }

    /// The EKS cluster that an object lives in, by its own `cluster_name` or the provider's.
    pub(crate) fn cluster_of<'a>(&'a self, object: &'a Value) -> Option<&'a str> {
        attrs::text(object, "cluster_name").or(self.settings.cluster_name.as_deref())
    }

    /// The cluster for reading: one that is gone is no error.
    pub(crate) async fn reach(&self, cluster: Option<&str>) -> Result<Access, Diagnostic> {
        let slot = {
            let mut clusters = self.clusters.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            clusters.entry(cluster.map(str::to_owned)).or_default().clone()
        };
        let mut slot = slot.lock().await;
        if let Some(cluster) = &*slot {
            return Ok(Access::Ready(cluster.clone()));
        }
        let access = self.connect(cluster).await?;
        if let Access::Ready(cluster) = &access {
            *slot = Some(cluster.clone());
        }
        Ok(access)
    }

    /// The cluster for writing: it must be there, and its API server must answer. Waits for one that is just starting.
    pub(crate) async fn reach_for_write(
        &self,
        cx: &Context,
        cluster: Option<&str>,
    ) -> Result<Arc<Cluster>, Diagnostic> {
        let cluster = match self.reach(cluster).await? {
            Access::Ready(cluster) => cluster,
            Access::Absent { name, status } => return Err(absent(&name, status.as_deref())),
        };
        if cluster.answered_lately() {
            return Ok(cluster);
        }
        let limit = FIRST_ANSWER.min(cx.timeout);
        let mut waiter = Waiter::new(cx, limit, format!("the API server of {} to answer", cluster.label));
        let started = self.clock.monotonic();
        loop {
            let failure = match cluster.get("/version").await {
                Ok(_) => return Ok(cluster),
                // The version may be hidden from us; the answer itself says that the server is up and knows us.
                Err(failure) if failure.is_forbidden() => return Ok(cluster),
                Err(Failure::Access(diagnostic)) => return Err(*diagnostic),
                Err(failure) => failure,
            };
            let waited = self.clock.monotonic().saturating_sub(started);
            let may_pass = if failure.is_unauthorized() {
                waited < ENTRY_COUNTS
            } else {
                failure.is_passing() && !failure.is_about_certificate() && !waiter.left().is_zero()
            };
            if !(cluster.is_eks() && may_pass) {
                return Err(unreachable(&cluster.label, &failure, waited));
            }
            cluster.renew().await;
            waiter.pause(&format!("{failure}")).await?;
        }
    }

    async fn connect(&self, cluster: Option<&str>) -> Result<Access, Diagnostic> {
        let is_own = cluster == self.settings.cluster_name.as_deref();
        let by_settings = is_own && self.settings.names_a_server();
        match cluster {
            Some(name) if !by_settings => match self.eks.cluster(name).await? {
                Some(access) if has_api(&access.status, &access.endpoint) => {
                    let source = Source::Eks {
                        name: name.to_owned(),
                        described: Mutex::new(Some(access)),
                        settings: Box::new(if is_own { self.settings.clone() } else { self.settings.way() }),
                    };
                    Ok(Access::Ready(Arc::new(self.cluster(format!("cluster {name}"), source))))
                }
                other => Ok(Access::Absent { name: name.to_owned(), status: other.map(|a| a.status) }),
            },
            _ if by_settings || self.settings.names_a_server() => {
                let entry = self.settings.entry()?;
                let Some(server) = entry.server().map(str::to_owned) else {
                    return Err(nowhere());
                };
                let token_of =
                    if entry.has_credentials() { entry.eks_token_of() } else { self.settings.cluster_name.clone() };
                Ok(Access::Ready(Arc::new(self.cluster(server, Source::Entry { entry, token_of }))))
            }
            _ if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() => {
                Ok(Access::Ready(Arc::new(self.cluster("the cluster around this pod".to_owned(), Source::InCluster))))
            }
            _ => Err(nowhere()),
        }
    }

    fn cluster(&self, label: String, source: Source) -> Cluster {
        Cluster {
            label,
            source,
            eks: self.eks.clone(),
            clock: self.clock.clone(),
            session: tokio::sync::Mutex::default(),
            answered: Mutex::default(),
            kinds: Mutex::default(),
        }
    }
}

/// Whether a cluster of this status has an API server.
fn has_api(status: &str, endpoint: &str) -> bool {
    !endpoint.is_empty() && !matches!(status, "CREATING" | "PENDING" | "DELETING" | "FAILED")
}

fn absent(name: &str, status: Option<&str>) -> Diagnostic {
    match status {
        None => Diagnostic::error(
            "No such EKS cluster",
            format!("There is no EKS cluster {name:?} in this account and region, so nothing can be written to it."),
        ),
        Some(status) => Diagnostic::error(
            "The EKS cluster is not ready",
            format!(
                "The cluster {name:?} is {status}: nothing can be written to it. Wait until it is ACTIVE and apply again."
            ),
        ),
    }
}

fn nowhere() -> Diagnostic {
    Diagnostic::error(
        "No Kubernetes cluster is named",
        "Set `cluster_name` on the resource, or `cluster_name`, `host` or `config_path` in `provider \"kubernetes\"`.",
    )
}

fn unreachable(label: &str, failure: &Failure, waited: Duration) -> Diagnostic {
    if failure.is_unauthorized() {
        return Diagnostic::error(
            "The Kubernetes API does not know these credentials",
            format!(
                "{label} answers 401 Unauthorized. {NEEDS_ENTRY} Elsewhere check the credentials of `provider \"kubernetes\"`."
            ),
        );
    }
    let within = if waited.is_zero() { String::new() } else { format!(" within {} s", waited.as_secs()) };
    let text = format!("The API server of {label} did not answer{within}: {failure}. {}", failure.hint());
    Diagnostic::error("Cannot reach the Kubernetes API", text.trim_end())
}

/// Where a cluster's endpoint and credentials come from.
enum Source {
    /// `DescribeCluster` (the first answer is used once) and a presigned token, where the settings say nothing else.
    Eks { name: String, described: Mutex<Option<ClusterAccess>>, settings: Box<Settings> },
    /// The provider block; with an EKS token for `token_of`.
    Entry { entry: Entry, token_of: Option<String> },
    /// The service account of the pod that this runs in.
    InCluster,
}

/// A cluster that can be spoken to.
pub(crate) struct Cluster {
    /// What messages call it: `cluster main`, `https://10.0.0.1:6443`.
    pub(crate) label: String,
    source: Source,
    eks: Arc<dyn Eks>,
    clock: Arc<dyn Clock>,
    session: tokio::sync::Mutex<Option<Session>>,
    /// When it last answered, by the monotonic clock.
    answered: Mutex<Option<Duration>>,
    /// What each group and version serves, as far as it was asked.
    kinds: Mutex<HashMap<String, Arc<Vec<ApiKind>>>>,
}

#[derive(Clone)]
struct Session {
    client: kube::Client,
    /// Seconds since the epoch; none when the credentials do not expire or renew themselves.
    expires_at: Option<i64>,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub method: http::Method,
    /// Path and query.
    pub path: String,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: http::Method::GET, path: path.into(), content_type: "application/json", body: Vec::new() }
    }

    fn request(&self) -> Result<Request<Vec<u8>>, Failure> {
        Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(http::header::CONTENT_TYPE, self.content_type)
            .header(http::header::ACCEPT, "application/json")
            .body(self.body.clone())
            .map_err(|_| Failure::Name(self.path.clone()))
    }
}

impl Cluster {
    fn is_eks(&self) -> bool {
        matches!(self.source, Source::Eks { .. } | Source::Entry { token_of: Some(_), .. })
    }

    /// Whether it needs no proof that it is there: a cluster may be replaced under its name during a long run.
    fn answered_lately(&self) -> bool {
        let at = *self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        at.is_some_and(|at| self.clock.monotonic().saturating_sub(at) < PROOF_LASTS)
    }

    /// Makes a call; all calls here may be repeated, so one that did not get an answer is.
    pub(crate) async fn call(&self, call: &Call) -> Result<Json, Failure> {
        let started = self.clock.monotonic();
        let mut pauses = ATTEMPTS.iter();
        let mut renewed = false;
        loop {
            let failure = match self.once(call).await {
                Ok(json) => return Ok(json),
                Err(failure) => failure,
            };
            // An endpoint that does not answer may have moved: the cluster was replaced under the same name.
            if matches!(failure, Failure::Transport(_)) {
                self.renew().await;
            }
            if failure.is_unauthorized() && self.is_eks() && !renewed {
                renewed = true;
                self.renew().await;
                continue;
            }
            let passed = self.clock.monotonic().saturating_sub(started);
            let told = failure.retry_after().map(|secs| Duration::from_secs(secs.into()));
            let pause = match told.filter(|told| passed + *told <= BUSY) {
                Some(told) => Some(told),
                None => pauses.next().copied().filter(|_| failure.is_passing() && passed < PATIENCE),
            };
            match pause {
                Some(pause) => self.clock.sleep(pause).await,
                None => return Err(failure),
            }
        }
    }

    /// GET.
    pub(crate) async fn get(&self, path: impl Into<String>) -> Result<Json, Failure> {
        self.call(&Call::get(path)).await
    }

    async fn once(&self, call: &Call) -> Result<Json, Failure> {
        let client = self.client().await?;
        let answer = client.send(call.request()?.map(Body::from)).await?;
        let (head, body) = answer.into_parts();
        let body = body.collect_bytes().await?;
        if head.status.is_client_error() || head.status.is_server_error() {
            let retry_after = head.headers.get(http::header::RETRY_AFTER);
            let retry_after = retry_after.and_then(|v| v.to_str().ok()?.trim().parse().ok());
            return Err(Failure::of_answer(head.status.as_u16(), retry_after, &body));
        }
        let answer = serde_json::from_slice(&body).map_err(kube::Error::SerdeError)?;
        *self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(self.clock.monotonic());
        Ok(answer)
    }

    /// Forgets endpoint and token, so that the next call asks for them again.
    async fn renew(&self) {
        self.session.lock().await.take();
        if let Source::Eks { name, .. } = &self.source {
            self.eks.forget(name);
        }
    }

    async fn client(&self) -> Result<kube::Client, Failure> {
        let mut session = self.session.lock().await;
        let now = self.clock.now();
        if let Some(held) = &*session
            && held.expires_at.is_none_or(|at| now < at - RENEW_BEFORE_SECS)
        {
            return Ok(held.client.clone());
        }
        let fresh = self.open().await?;
        *session = Some(fresh.clone());
        Ok(fresh.client)
    }

    async fn open(&self) -> Result<Session, Failure> {
        match &self.source {
            Source::Eks { name, described, settings } => {
                let first = described.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
                let access = match first {
                    Some(access) => Some(access),
                    None => self.eks.cluster(name).await?,
                };
                let access = access.filter(|a| !a.endpoint.is_empty()).ok_or_else(|| absent(name, None))?;
                let entry = settings.laid_over(Entry::of_eks(&access.endpoint, &access.ca_pem));
                let token_of = if entry.has_credentials() { entry.eks_token_of() } else { Some(name.clone()) };
                self.enter(entry, token_of.as_deref()).await
            }
            Source::Entry { entry, token_of } => self.enter(entry.clone(), token_of.as_deref()).await,
            Source::InCluster => {
                let config = kube::Config::incluster().map_err(|e| unusable(&e))?;
                Ok(Session { client: kube::Client::try_from(config).map_err(|e| unusable(&e))?, expires_at: None })
            }
        }
    }

    async fn enter(&self, entry: Entry, token_of: Option<&str>) -> Result<Session, Failure> {
        let Some(name) = token_of else {
            return Ok(Session { client: client_of(entry).await?, expires_at: None });
        };
        let token = self.eks.token(name).await?;
        let client = client_of(entry.with_token(&token.token)).await?;
        Ok(Session { client, expires_at: Some(token.expires_at) })
    }

    /// The kind that a group version serves under this name; `None` when it serves none (yet). A miss asks again.
    pub(crate) async fn kind(&self, api_version: &str, kind: &str) -> Result<Option<ApiKind>, Failure> {
        let find = |kinds: &[ApiKind]| kinds.iter().find(|k| k.kind == kind).cloned();
        let held = {
            let kinds = self.kinds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            kinds.get(api_version).and_then(|kinds| find(kinds))
        };
        if held.is_some() {
            return Ok(held);
        }
        let list = match self.get(crate::target::group_path(api_version)).await {
            Ok(list) => list,
            Err(failure) if failure.is_not_found() => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let served = served_kinds(api_version, &list);
        let found = find(&served);
        let mut kinds = self.kinds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kinds.insert(api_version.to_owned(), Arc::new(served));
        Ok(found)
    }

    /// The same for an object that exists: a version that is not served any more has left it to another one of its group.
    pub(crate) async fn kind_now(&self, api_version: &str, kind: &str) -> Result<Option<ApiKind>, Failure> {
        let found = self.kind(api_version, kind).await?;
        let Some((group, _)) = api_version.split_once('/').filter(|_| found.is_none()) else { return Ok(found) };
        let versions = match self.get(format!("/apis/{group}")).await {
            Ok(group) => served_versions(&group),
            Err(failure) if failure.is_not_found() => return Ok(None),
            Err(failure) => return Err(failure),
        };
        for version in versions.iter().filter(|v| *v != api_version) {
            if let Some(kind) = self.kind(version, kind).await? {
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }
}

/// Versions in an `APIGroup`, the preferred one first.
fn served_versions(group: &Json) -> Vec<String> {
    let text = |v: &Json| v.get("groupVersion").and_then(Json::as_str).map(str::to_owned);
    let all = group.get("versions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut versions: Vec<String> = group.get("preferredVersion").and_then(text).into_iter().collect();
    for version in all.iter().filter_map(text) {
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    versions
}

/// Kinds in an `APIResourceList`, subresources left out.
fn served_kinds(api_version: &str, list: &Json) -> Vec<ApiKind> {
    let resources = list.get("resources").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    resources
        .iter()
        .filter_map(|r| {
            let plural = r.get("name")?.as_str().filter(|n| !n.contains('/'))?;
            Some(ApiKind {
                api_version: api_version.to_owned().into(),
                kind: r.get("kind")?.as_str()?.to_owned().into(),
                plural: plural.to_owned().into(),
                namespaced: r.get("namespaced")?.as_bool()?,
            })
        })
        .collect()
}

async fn client_of(entry: Entry) -> Result<kube::Client, Failure> {
    let kubeconfig = entry.kubeconfig().map_err(|e| unusable(&e))?;
    let options = KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|e| unusable(&e))?;
    config.connect_timeout = Some(Duration::from_secs(10));
    config.read_timeout = Some(Duration::from_mins(1));
    config.reset_reader_on_write = true;
    // Attempts are counted here, where the clock is the engine's.
    config.default_retry = false;
    // Building the client runs an `exec` command to its end.
    let runtime = tokio::runtime::Handle::current();
    let build = move || {
        let _guard = runtime.enter();
        kube::Client::try_from(config)
    };
    match tokio::task::spawn_blocking(build).await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(e)) => Err(unusable(&e).into()),
        Err(e) => Err(unusable(&e).into()),
    }
}

fn unusable(error: &dyn std::error::Error) -> Diagnostic {
    let text = error.to_string();
    let why = complaint(&text).map_or(text.clone(), |said| format!("the `exec` command failed: {said}"));
    Diagnostic::error(
        "Unusable access to the cluster",
        format!(
            "The endpoint, certificates or credentials of the cluster cannot be used: {}.",
            why.trim_end_matches('.')
        ),
    )
}

/// What a failed command wrote to its standard error, out of the client library's account of it.
fn complaint(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("auth exec command ")?;
    let (_, said) = rest.split_once("stderr: \"")?;
    let (said, _) = said.rsplit_once('"')?;
    let said = said.replace("\\n", " ").replace("\\\"", "\"");
    Some(said.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|said| !said.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_speaks_for_itself() {
        let text = r#"auth error: auth exec command '"aws" "eks"' failed with status exit status: 255: Output { status: ExitStatus(unix_wait_status(65280)), stdout: "", stderr: "\nThe config profile (\"x\") could not be found\n" }"#;
        assert_eq!(complaint(text).as_deref(), Some("The config profile (\"x\") could not be found"));
        assert_eq!(complaint("auth error: no such file"), None);
    }
}
