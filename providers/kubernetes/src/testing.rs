//! What tests of this crate share: a clock, an EKS and a context that are not real.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use sgp_contract::{
    Clock, Context, ContextEvents, Slot, StoreError,
    eks::{Addon, AddonChange, BearerToken, ClusterAccess, Eks},
};
use sgp_model::{
    Diagnostic, InstanceAddr, Value,
    state::{Intent, Operation, RecordKey},
};
use tokio::sync::watch;

/// A clock that sleeps in no time; with `real`, one that sleeps.
pub(crate) struct TestClock {
    passed: Mutex<Duration>,
    real: bool,
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> i64 {
        if self.real {
            jiff::Timestamp::now().as_second()
        } else {
            1_700_000_000 + i64::try_from(self.passed.lock().unwrap().as_secs()).unwrap()
        }
    }

    fn monotonic(&self) -> Duration {
        *self.passed.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        if self.real {
            tokio::time::sleep(duration).await;
        }
        *self.passed.lock().unwrap() += duration;
        tokio::task::yield_now().await;
    }
}

pub(crate) fn clock(real: bool) -> Arc<TestClock> {
    Arc::new(TestClock { passed: Mutex::default(), real })
}

/// What a context was told.
pub(crate) struct Seen {
    progress: Mutex<Vec<String>>,
    checkpoints: Mutex<Vec<Value>>,
    cancel: watch::Sender<bool>,
}

impl Seen {
    pub(crate) fn progress(&self) -> Vec<String> {
        self.progress.lock().unwrap().clone()
    }

    pub(crate) fn checkpoints(&self) -> Vec<Value> {
        self.checkpoints.lock().unwrap().clone()
    }

    pub(crate) fn cancel(&self) {
        self.cancel.send_replace(true);
    }
}

#[async_trait]
impl ContextEvents for Seen {
    async fn checkpoint(&self, _addr: &InstanceAddr, attributes: &Value) -> Result<(), StoreError> {
        self.checkpoints.lock().unwrap().push(attributes.clone());
        Ok(())
    }

    fn progress(&self, _addr: &InstanceAddr, status: &str) {
        self.progress.lock().unwrap().push(status.to_owned());
    }
}

pub(crate) fn address() -> InstanceAddr {
    sgp_model::address::parse_instance("kubernetes_manifest.test").unwrap()
}

pub(crate) fn context_on(clock: Arc<TestClock>, timeout: Duration) -> (Context, Arc<Seen>) {
    let (cancel, cancelled) = watch::channel(false);
    let seen = Arc::new(Seen { progress: Mutex::default(), checkpoints: Mutex::default(), cancel });
    let cx = Context {
        addr: address(),
        token: "token-1".into(),
        timeout,
        clock,
        events: seen.clone(),
        slot: Arc::new(Slot::default()),
        cancelled,
    };
    (cx, seen)
}

pub(crate) fn context(timeout: Duration) -> (Context, Arc<Seen>) {
    context_on(clock(false), timeout)
}

pub(crate) fn intent(attributes: &Value, at: i64) -> Intent {
    Intent {
        token: "token-1".into(),
        key: RecordKey::current(address()),
        operation: Operation::Create,
        provider: sgp_model::ProviderAddr::root("kubernetes"),
        attributes: attributes.clone(),
        at,
        dependencies: Vec::new(),
        create_before_destroy: false,
    }
}

/// An EKS of one region: clusters, add-ons and groups in maps. Add-ons pass through `statuses` before they are ACTIVE.
#[derive(Default)]
pub(crate) struct FakeEks {
    pub clusters: Mutex<BTreeMap<String, ClusterAccess>>,
    pub addons: Mutex<BTreeMap<String, Addon>>,
    pub statuses: Mutex<Vec<&'static str>>,
    pub groups: BTreeMap<String, Vec<String>>,
    pub puts: Mutex<Vec<AddonChange>>,
    pub token: Mutex<String>,
    /// How many tokens were made, and how many seconds each lasts from the start of the test clock.
    pub tokens: Mutex<i64>,
    pub token_lasts: Option<i64>,
    pub described: Mutex<usize>,
    pub forgotten: Mutex<Vec<String>>,
    /// Whether the last deletion of an add-on kept its objects in the cluster.
    pub preserved: Mutex<bool>,
}

#[async_trait]
impl Eks for FakeEks {
    async fn cluster(&self, name: &str) -> Result<Option<ClusterAccess>, Diagnostic> {
        *self.described.lock().unwrap() += 1;
        Ok(self.clusters.lock().unwrap().get(name).cloned())
    }

    async fn token(&self, _cluster: &str) -> Result<BearerToken, Diagnostic> {
        let mut made = self.tokens.lock().unwrap();
        *made += 1;
        let expires_at = self.token_lasts.map_or(i64::MAX / 2, |secs| 1_700_000_000 + *made * secs);
        Ok(BearerToken { token: self.token.lock().unwrap().clone(), expires_at })
    }

    async fn addon(&self, cluster: &str, _name: &str) -> Result<Option<Addon>, Diagnostic> {
        let mut addons = self.addons.lock().unwrap();
        let Some(addon) = addons.get_mut(cluster) else { return Ok(None) };
        let next = self.statuses.lock().unwrap().pop();
        addon.status = next.unwrap_or(if addon.status == "DELETING" { "DELETING" } else { "ACTIVE" }).to_owned();
        let answer = addon.clone();
        if addon.status == "DELETING" {
            addons.remove(cluster);
        }
        Ok(Some(answer))
    }

    async fn put_addon(&self, cluster: &str, name: &str, change: AddonChange) -> Result<Addon, Diagnostic> {
        let mut addons = self.addons.lock().unwrap();
        let addon = addons.entry(cluster.to_owned()).or_insert_with(|| Addon {
            arn: format!("arn:aws:eks:eu-west-1:123456789012:addon/{cluster}/{name}/1"),
            version: "v1.20.0-eksbuild.1".into(),
            created_at: Some(1_700_000_000),
            ..Addon::default()
        });
        addon.configuration_values.clone_from(&change.configuration_values);
        if let Some(role) = &change.service_account_role_arn {
            addon.service_account_role_arn = Some(role.clone()).filter(|role| !role.is_empty());
        }
        if let Some(version) = &change.version {
            addon.version.clone_from(version);
        }
        self.puts.lock().unwrap().push(change);
        Ok(addon.clone())
    }

    async fn delete_addon(&self, cluster: &str, _name: &str, preserve: bool) -> Result<(), Diagnostic> {
        *self.preserved.lock().unwrap() = preserve;
        if let Some(addon) = self.addons.lock().unwrap().get_mut(cluster) {
            addon.status = "DELETING".into();
        }
        Ok(())
    }

    fn forget(&self, cluster: &str) {
        self.forgotten.lock().unwrap().push(cluster.to_owned());
    }

    async fn security_group_ids(
        &self,
        _cluster: &str,
        _vpc: &str,
        names: &[String],
    ) -> Result<Vec<String>, Diagnostic> {
        names
            .iter()
            .map(|name| match self.groups.get(name).map(Vec::as_slice) {
                Some([id]) => Ok(id.clone()),
                _ => Err(Diagnostic::error("No such security group", name.clone())),
            })
            .collect()
    }
}

/// What the engine's planner makes of a configuration by the schema alone: defaults, prior computed values, else unknown.
/// With a change anywhere, attributes that follow something are unknown.
pub(crate) fn propose(block: &sgp_model::Block, prior: &Value, config: &Value, changed: bool) -> Value {
    let mut out = config.clone();
    for (name, attribute) in &block.attributes {
        let said = config.get(name).cloned().unwrap_or_else(|| Value::null(attribute.ty.clone()));
        let before = prior.get(name).filter(|v| !v.is_null());
        let value = match (&attribute.default, before) {
            _ if !said.is_null() => said,
            (Some(default), _) => default.clone(),
            (None, Some(before)) if attribute.is_computed() && (!changed || attribute.follows.is_empty()) => {
                before.clone()
            }
            (None, _) if attribute.is_computed() && (prior.is_null() || !attribute.follows.is_empty()) => {
                Value::unknown(attribute.ty.clone())
            }
            _ => said,
        };
        out = out.with_attr(name, value);
    }
    for (name, nested) in &block.blocks {
        let (Some(said), before) = (config.get(name), prior.get(name)) else {
            out = out.with_attr(name, nested.empty());
            continue;
        };
        let null = Value::dynamic_null();
        let value = match said.kind() {
            sgp_model::Kind::List(ty, items) => {
                let each = items.iter().enumerate().map(|(i, item)| {
                    let old = before.and_then(Value::elements).and_then(|e| e.get(i).copied()).unwrap_or(&null);
                    propose(&nested.block, old, item, false)
                });
                Value::list(ty.clone(), each.collect())
            }
            sgp_model::Kind::Object(_) => propose(&nested.block, before.unwrap_or(&null), said, false),
            _ => said.clone(),
        };
        out = out.with_attr(name, value);
    }
    out
}

/// Every known part of a plan must come true.
pub(crate) fn broken_promises(planned: &Value, made: &Value) -> Vec<String> {
    use sgp_model::Kind;
    match (planned.kind(), made.kind()) {
        (Kind::Unknown(_), _) => Vec::new(),
        (Kind::Object(p), Kind::Object(m)) => p
            .iter()
            .flat_map(|(k, v)| match m.get(k) {
                Some(m) => broken_promises(v, m).into_iter().map(|b| format!("{k}.{b}")).collect(),
                None => vec![format!("{k} is missing")],
            })
            .collect(),
        (Kind::List(_, p), Kind::List(_, m)) if p.len() == m.len() => {
            p.iter().zip(m.iter()).flat_map(|(p, m)| broken_promises(p, m)).collect()
        }
        _ if planned == made => Vec::new(),
        _ => vec![format!(" planned {planned:?}, made {made:?}")],
    }
}

/// An API server that answers by a function of method and path (with query), and remembers what it was asked.
pub(crate) struct StubServer {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StubServer {
    pub(crate) async fn start(
        answer: impl Fn(usize, &str) -> (u16, serde_json::Value) + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (asked.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, log.clone(), answer.clone()));
            }
        });
        Self { url, asked }
    }

    /// `GET /api/v1/pods`, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request a connection; an answer of status 0 closes it without a word.
async fn serve(
    mut stream: tokio::net::TcpStream,
    log: Arc<Mutex<Vec<String>>>,
    answer: Arc<impl Fn(usize, &str) -> (u16, serde_json::Value)>,
) {
    // A string is an answer that is no JSON; with 429 a header tells when to come back.
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap();
    let asked = line.strip_suffix(" HTTP/1.1").unwrap().to_owned();
    let count = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.len()
    };
    let (status, body) = answer(count, &asked);
    if status == 0 {
        return;
    }
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let retry = if status == 429 { "retry-after: 7\r\n" } else { "" };
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{retry}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.ok();
}

/// A status as the API server answers refusals.
pub(crate) fn refusal(code: u16, reason: &str) -> (u16, serde_json::Value) {
    let status = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason});
    (code, status)
}
