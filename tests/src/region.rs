//! A sandbox in this process that `sgp ... -sandbox` finds in a working folder, as if it had been started there.

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use sgp_sandbox::{
    Pace, Sandbox, Settings,
    aws::{Call, Caller, Params, Service},
    probe::{self, Question, Trace},
};
use tokio::runtime::Runtime;

use crate::binary;

/// Things at EKS and EC2 take this long.
const PACE: Duration = Duration::from_millis(100);

/// A simulated region. It ends when this is dropped.
#[derive(Debug)]
pub struct Region {
    sandbox: Sandbox,
    runtime: Runtime,
}

/// A pod that has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its cluster.
    pub cluster: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Region {
    /// Starts an empty one.
    ///
    /// # Panics
    /// Loopback cannot be used.
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let settings = Settings { pace: Pace::uniform(PACE), ..Settings::default() };
        let sandbox = runtime.block_on(Sandbox::start(settings)).unwrap();
        Self { sandbox, runtime }
    }

    /// Makes it the sandbox of a working folder, by the note that a running sandbox leaves there.
    ///
    /// # Panics
    /// The folder cannot be written.
    pub fn join(&self, folder: &Path) {
        let place = folder.join(".sgp").join("sandbox");
        fs::create_dir_all(&place).unwrap();
        let note = json!({ "address": self.sandbox.address().to_string(), "pid": std::process::id() });
        fs::write(place.join("sandbox.json"), note.to_string()).unwrap();
    }

    /// `sgp` in a folder, with nothing of the user's own account and clusters.
    ///
    /// # Panics
    /// `sgp` does not compile.
    pub fn sgp(folder: &Path) -> Command {
        let mut command = Command::new(binary::sgp().unwrap());
        for (name, _) in std::env::vars_os() {
            let is_foreign = |name: &str| ["AWS_", "TF_", "SGP_", "KUBE"].iter().any(|prefix| name.starts_with(prefix));
            if name.to_str().is_some_and(is_foreign) {
                command.env_remove(name);
            }
        }
        command.current_dir(folder).env("NO_COLOR", "1").env("COLUMNS", "100");
        command
    }

    /// Calls AWS as the account's owner; the answer's members are those of the wire.
    ///
    /// # Panics
    /// The call is refused.
    pub fn aws(&self, service: Service, operation: &str, members: &Value) -> Value {
        call(&self.runtime, &self.sandbox, service, operation, members)
    }

    /// Walks a packet, see [`probe::probe`].
    ///
    /// # Errors
    /// An end that is not there.
    pub fn probe(&self, question: &Question) -> Result<Trace, String> {
        self.runtime.block_on(self.sandbox.with(|world| probe::probe(world, question)))
    }

    /// The pods of all clusters that have an address.
    pub fn pods(&self) -> Vec<Running> {
        let mut pods = Vec::new();
        self.listed("pods", |cluster, pod| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if pod["status"]["podIP"].is_string() {
                let (namespace, name) = (text(&pod["metadata"]["namespace"]), text(&pod["metadata"]["name"]));
                pods.push(Running { cluster: cluster.to_owned(), namespace, name });
            }
        });
        pods
    }

    /// The names of the nodes of a node group, in all clusters.
    pub fn nodes(&self, node_group: &str) -> Vec<String> {
        let mut nodes = Vec::new();
        self.listed("nodes", |_, node| {
            if node["metadata"]["labels"]["eks.amazonaws.com/nodegroup"] == node_group {
                nodes.extend(node["metadata"]["name"].as_str().map(str::to_owned));
            }
        });
        nodes
    }

    fn listed(&self, resource: &str, mut look: impl FnMut(&str, &Value)) {
        let listing = self.sandbox.with(|world| {
            for (cluster, _) in world.kubernetes.clusters.iter() {
                world.kubernetes.objects.list(cluster, resource, None).for_each(|object| look(cluster, object));
            }
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(()) = self.runtime.block_on(listing);
    }

    /// Moves the time.
    pub fn advance(&self, by: Duration) {
        self.runtime.block_on(self.sandbox.advance(by));
    }
}

/// Calls an operation of a sandbox as the account's owner.
///
/// # Panics
/// There is no such operation, or the call is refused.
pub(crate) fn call(runtime: &Runtime, sandbox: &Sandbox, service: Service, operation: &str, members: &Value) -> Value {
    let operation = service.operation(operation).unwrap_or_else(|| panic!("no operation {operation}"));
    let answer = runtime.block_on(sandbox.with(|world| {
        let account = world.settings.account.clone();
        let arn = format!("arn:aws:iam::{account}:root");
        let caller = Caller { arn, user_id: account.clone(), account, access_key: String::new() };
        let (region, request_id) = (world.settings.region.clone(), "test".to_owned());
        let params = params(service, members);
        let call = Call { service, operation: operation.name, params, caller, region, request_id };
        operation.answer(world, &call)
    }));
    answer.unwrap_or_else(|error| panic!("{}: {error:?}", operation.name))
}

/// Flat members for the query protocols, as JSON for EKS.
fn params(service: Service, members: &Value) -> Params {
    if service == Service::Eks {
        return Params::from_json(service, members.clone());
    }
    let pairs = members.as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Params::from_query(service, pairs.map(|(name, value)| (name.clone(), text(value))).collect::<Vec<_>>())
}
