//! What all connections of a world share.

use super::call::Call;
use super::ec2::{Descriptions, Trunks};
use super::eks::Overlay;
use super::fault::Faults;
use super::iam::ClientIds;
use super::sandboxed::Sandboxed;
use super::upstream::{ACCOUNT, SECRET, Upstream};
use super::xml;
use crate::world::api_server::ApiServer;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The state of the proxy.
pub(crate) struct Shared {
    pub(crate) upstream: Upstream,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    /// The API server that every cluster of an emulated world shares.
    api_server: OnceLock<ApiServer>,
    /// The sandbox, when that is what is behind the proxy.
    pub(crate) sandboxed: Option<Sandboxed>,
    /// How many describes see CREATING, UPDATING and DELETING before the state settles.
    pub(crate) pending_describes: u32,
    pub(super) eks: Overlay,
    pub(super) trunks: Trunks,
    pub(super) descriptions: Descriptions,
    pub(super) client_ids: ClientIds,
    /// What was answered to a create with a client token: the token makes it idempotent.
    pub(super) answers_by_token: Mutex<HashMap<String, bytes::Bytes>>,
    /// Secrets by access key, for checking signatures.
    secrets: Mutex<HashMap<String, String>>,
    latency_ms: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        upstream: Upstream,
        sandboxed: Option<Sandboxed>,
        pending_describes: u32,
        latency: Duration,
    ) -> Self {
        let shared = Self {
            upstream,
            log: Log::new(),
            faults: Faults::default(),
            api_server: OnceLock::new(),
            sandboxed,
            pending_describes,
            eks: Overlay::default(),
            trunks: Trunks::default(),
            descriptions: Descriptions::default(),
            client_ids: ClientIds::default(),
            answers_by_token: Mutex::default(),
            secrets: Mutex::new(HashMap::from([(ACCOUNT.to_owned(), SECRET.to_owned())])),
            latency_ms: AtomicU64::new(0),
        };
        shared.set_latency(latency);
        shared
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        self.latency_ms.store(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Waits for the fixed time that every call takes.
    pub(super) async fn delay(&self) {
        let ms = self.latency_ms.load(Ordering::Relaxed);
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    /// The names of the clusters that EKS has.
    pub(crate) async fn cluster_names(&self) -> Vec<String> {
        match &self.sandboxed {
            Some(sandboxed) => sandboxed.cluster_names().await,
            None => super::eks::cluster_names(self).await,
        }
    }

    /// The API server that all clusters share; of a sandbox that of its oldest cluster.
    pub(crate) fn api_server(&self) -> Option<ApiServer> {
        match &self.sandboxed {
            Some(sandboxed) => sandboxed.first(),
            None => self.api_server.get().cloned(),
        }
    }

    /// Says which API server all clusters share.
    pub(crate) fn set_api_server(&self, server: ApiServer) {
        let _ = self.api_server.set(server);
    }

    /// The secret of an access key: the world's own, or one that STS gave out.
    pub(crate) fn secret_of(&self, access_key: &str) -> Option<String> {
        self.secrets.lock().unwrap().get(access_key).cloned()
    }

    /// Remembers the credentials in an answer of STS.
    pub(super) fn learn_secrets(&self, answer: &[u8]) {
        let answer = String::from_utf8_lossy(answer);
        let pair = (xml::text(&answer, "AccessKeyId"), xml::text(&answer, "SecretAccessKey"));
        if let (Some(access_key), Some(secret)) = pair {
            self.secrets.lock().unwrap().insert(access_key, secret);
        }
    }

    /// Forgets everything about the resources that the emulators held.
    pub(crate) fn forget(&self) {
        self.sandboxed.iter().for_each(Sandboxed::forget);
        self.eks.clear();
        self.trunks.clear();
        self.descriptions.clear();
        self.client_ids.clear();
        self.answers_by_token.lock().unwrap().clear();
    }
}

/// The calls that went through, oldest first.
#[derive(Debug)]
pub(crate) struct Log {
    start: Instant,
    calls: Mutex<Vec<Call>>,
}

impl Log {
    fn new() -> Self {
        Self { start: Instant::now(), calls: Mutex::default() }
    }

    pub(super) fn push(&self, mut call: Call) {
        call.at_ms = self.start.elapsed().as_millis();
        self.calls.lock().unwrap().push(call);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn clear(&self) {
        self.calls.lock().unwrap().clear();
    }
}
