//! What the scheduler knows of nodes and of the pods on them, kept up with each change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::kubernetes::controllers::context::{controller_of, meta};
use crate::kubernetes::controllers::workloads::pods::is_finished;
use crate::kubernetes::quantity;

/// All nodes, and where pods are.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// The pods that take room, by uid.
    pods: HashMap<String, Placed>,
    /// Rises whenever a pod that did not fit might.
    pub epoch: u64,
    /// Pods that fit nowhere, as (namespace, name).
    pub waiting: BTreeSet<(String, String)>,
    /// What did not fit when, by what it asks for: pods alike need not be tried again before something changes.
    pub refused: HashMap<String, (u64, String)>,
    /// Where the next look at nodes begins.
    pub next: usize,
    /// How many pods have required anti-affinity.
    pub repelling: usize,
}

#[derive(Debug)]
struct Placed {
    node: String,
    request: Request,
    owner: String,
    ports: Vec<String>,
    repels: bool,
}

/// A node.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The object; `None` when pods name a node that is not there.
    pub object: Option<Arc<Value>>,
    /// What it has for pods.
    pub allocatable: Request,
    /// What pods on it ask for.
    pub requested: Request,
    /// How many pods of each owner it has.
    pub owners: HashMap<String, usize>,
    /// Host ports in use.
    pub ports: HashMap<String, usize>,
}

/// Room: by resource, `cpu` in thousandths, `pods` counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// By the resource's name.
    pub amounts: BTreeMap<String, i64>,
}

impl Request {
    /// What a pod asks for: the sum of its containers, or the largest init container when that is more, and its overhead.
    pub fn of(pod: &Value) -> Self {
        let mut sum = Self::default();
        let mut sidecars = Self::default();
        let mut most = Self::default();
        for container in list(&pod["spec"]["containers"]) {
            sum.add(&Self::read(&container["resources"]["requests"]));
        }
        for container in list(&pod["spec"]["initContainers"]) {
            let mut one = Self::read(&container["resources"]["requests"]);
            if container["restartPolicy"] == "Always" {
                sum.add(&one);
                sidecars.add(&one);
            } else {
                one.add(&sidecars);
                most.raise(&one);
            }
        }
        sum.raise(&most);
        sum.add(&Self::read(&pod["spec"]["overhead"]));
        sum.amounts.insert("pods".to_owned(), 1);
        sum
    }

    /// A `ResourceList`.
    pub fn read(list: &Value) -> Self {
        let amounts = list.as_object().into_iter().flatten();
        let read = |(name, quantity): (&String, &Value)| {
            let amount = if name == "cpu" { quantity::milli(quantity) } else { quantity::whole(quantity) };
            Some((name.clone(), amount?))
        };
        Self { amounts: amounts.filter_map(read).collect() }
    }

    /// How much of a resource.
    pub fn get(&self, name: &str) -> i64 {
        self.amounts.get(name).copied().unwrap_or(0)
    }

    fn add(&mut self, other: &Self) {
        for (name, amount) in &other.amounts {
            *self.amounts.entry(name.clone()).or_insert(0) += amount;
        }
    }

    fn raise(&mut self, other: &Self) {
        for (name, amount) in &other.amounts {
            let own = self.amounts.entry(name.clone()).or_insert(0);
            *own = (*own).max(*amount);
        }
    }

    fn subtract(&mut self, other: &Self) {
        for (name, amount) in &other.amounts {
            if let Some(own) = self.amounts.get_mut(name) {
                *own -= amount;
            }
        }
    }
}

/// The items of a list; none when it is none.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

impl Cache {
    /// Takes in a node; answers whether pods that did not fit might now.
    pub fn set_node(&mut self, object: &Arc<Value>) -> bool {
        let node = self.nodes.entry(meta(object, "name").to_owned()).or_default();
        let allocatable = Request::read(&object["status"]["allocatable"]);
        let is_news = node.object.as_ref().is_none_or(|old| {
            old["spec"] != object["spec"] || old["metadata"]["labels"] != object["metadata"]["labels"]
        }) || node.allocatable != allocatable;
        node.allocatable = allocatable;
        node.object = Some(Arc::clone(object));
        if is_news {
            self.epoch += 1;
        }
        is_news
    }

    /// Forgets a node; what pods take on it stays until they go.
    pub fn remove_node(&mut self, name: &str) {
        self.epoch += 1;
        if let Some(node) = self.nodes.get_mut(name) {
            node.object = None;
            if node.requested.get("pods") == 0 {
                self.nodes.remove(name);
            }
        }
    }

    /// Takes in a pod as it is now; answers whether room came free.
    pub fn set_pod(&mut self, pod: &Value) -> bool {
        match pod["spec"]["nodeName"].as_str() {
            Some(node) if !is_finished(pod) => {
                self.place(pod, node);
                false
            }
            _ => self.remove_pod(meta(pod, "uid")),
        }
    }

    fn place(&mut self, pod: &Value, node: &str) {
        let uid = meta(pod, "uid");
        if self.pods.contains_key(uid) {
            return;
        }
        let placed = Placed {
            node: node.to_owned(),
            request: Request::of(pod),
            owner: owner(pod),
            ports: host_ports(pod).collect(),
            repels: repels(pod),
        };
        let room = self.nodes.entry(node.to_owned()).or_default();
        room.requested.add(&placed.request);
        *room.owners.entry(placed.owner.clone()).or_insert(0) += 1;
        for port in &placed.ports {
            *room.ports.entry(port.clone()).or_insert(0) += 1;
        }
        self.repelling += usize::from(placed.repels);
        self.pods.insert(uid.to_owned(), placed);
    }

    /// Frees what a pod took; answers whether it took any.
    pub fn remove_pod(&mut self, uid: &str) -> bool {
        let Some(placed) = self.pods.remove(uid) else { return false };
        self.repelling -= usize::from(placed.repels);
        self.epoch += 1;
        let Some(node) = self.nodes.get_mut(&placed.node) else { return true };
        node.requested.subtract(&placed.request);
        release(&mut node.owners, &placed.owner);
        for port in &placed.ports {
            release(&mut node.ports, port);
        }
        if node.object.is_none() && node.requested.get("pods") == 0 {
            self.nodes.remove(&placed.node);
        }
        true
    }
}

fn release(counts: &mut HashMap<String, usize>, key: &str) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Who a pod belongs with when pods are spread: its owner, or its namespace.
pub(crate) fn owner(pod: &Value) -> String {
    let owner = controller_of(pod).and_then(|owner| owner["uid"].as_str());
    owner.unwrap_or_else(|| meta(pod, "namespace")).to_owned()
}

/// The host ports of a pod, as `PROTOCOL/PORT`.
pub(crate) fn host_ports(pod: &Value) -> impl Iterator<Item = String> {
    let is_host = pod["spec"]["hostNetwork"] == true;
    let ports = list(&pod["spec"]["containers"]).flat_map(|container| list(&container["ports"]));
    ports.filter_map(move |port| {
        let number = port["hostPort"].as_i64().or_else(|| port["containerPort"].as_i64().filter(|_| is_host))?;
        (number > 0).then(|| format!("{}/{number}", port["protocol"].as_str().unwrap_or("TCP")))
    })
}

fn repels(pod: &Value) -> bool {
    let required = &pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    list(required).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_are_summed_as_kubernetes_does() {
        let pod = json!({ "spec": {
            "containers": [
                { "resources": { "requests": { "cpu": "250m", "memory": "1Gi", "vpc.amazonaws.com/pod-eni": "1" } } },
                { "resources": { "requests": { "cpu": "1" } } },
            ],
            "initContainers": [{ "resources": { "requests": { "cpu": "2", "memory": "1Mi" } } }],
            "overhead": { "cpu": "10m" },
        } });
        let request = Request::of(&pod);
        assert_eq!((request.get("cpu"), request.get("memory"), request.get("pods")), (2_010, 1 << 30, 1));
        assert_eq!(request.get("vpc.amazonaws.com/pod-eni"), 1);
    }

    #[test]
    fn room_comes_and_goes_with_pods() {
        let mut cache = Cache::default();
        let node = Arc::new(json!({ "metadata": { "name": "n" }, "status": { "allocatable": { "pods": "3" } } }));
        assert!(cache.set_node(&node));
        assert!(!cache.set_node(&node));
        let pod = json!({ "metadata": { "uid": "u" }, "spec": { "nodeName": "n" }, "status": { "phase": "Running" } });
        cache.set_pod(&pod);
        cache.set_pod(&pod);
        assert_eq!(cache.nodes["n"].requested.get("pods"), 1);
        let mut ended = pod;
        ended["status"]["phase"] = json!("Succeeded");
        assert!(cache.set_pod(&ended));
        assert_eq!(cache.nodes["n"].requested.get("pods"), 0);
    }
}
