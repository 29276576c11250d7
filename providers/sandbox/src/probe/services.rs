//! Services: kube-proxy on a node sends a packet to one of the pods behind, before any security group sees it.
//!
//! Sources: kubernetes.io/docs/reference/networking/virtual-ips, kubernetes.io/docs/concepts/services-networking/service, the API
//! reference of Service (`externalTrafficPolicy`, `internalTrafficPolicy`, `publishNotReadyAddresses`).

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use super::host::Settings;
use super::network_policy::Named;
use super::packet::{Packet, Protocol};
use super::places::{self, Place};
use super::trace::{Hop, Outcome, Trace, Verdict};
use super::walk::{Manner, Walk};
use crate::kubernetes::objects::Key;
use crate::world::World;

/// A Service of a cluster.
pub(super) struct Service {
    cluster: String,
    object: Arc<Value>,
}

/// A pod behind a Service, with the port there.
struct Endpoint {
    pod: Arc<Value>,
    port: u16,
}

/// The Service that a text names: `[CLUSTER:]svc/NAMESPACE/NAME`, or a cluster address for whoever is in the cluster.
///
/// # Errors
/// A Service or a cluster that is not there, in a sentence.
pub(super) fn find(world: &World, from: &Place, text: &str) -> Result<Option<Service>, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        let Some(guest) = &from.guest else { return Ok(None) };
        let mut all = world.kubernetes.objects.list(&guest.cluster, "services", None);
        let found = all.find(|it| address_of(it) == Some(address));
        return Ok(found.map(|object| Service { cluster: guest.cluster.clone(), object: Arc::clone(object) }));
    }
    let name = text.rsplit_once(':').map_or(text, |(_, name)| name);
    let parts: Vec<&str> = name.split('/').collect();
    let ["svc" | "service", namespace, name] = parts[..] else { return Ok(None) };
    let (cluster, _) = places::cluster_of(world, text)?;
    let key = Key::new(&cluster, "services", namespace, name);
    let object = world.kubernetes.objects.get(&key);
    let object = object.ok_or_else(|| format!("cluster {cluster} has no Service {namespace}/{name}"))?;
    Ok(Some(Service { object: Arc::clone(object), cluster }))
}

fn address_of(service: &Value) -> Option<IpAddr> {
    service["spec"]["clusterIP"].as_str()?.parse().ok()
}

/// Walks to whatever kube-proxy may choose. What holds for each of them is the answer; where they differ there is none.
pub(super) fn walk(world: &World, from: &Place, service: &Service, protocol: Protocol, port: u16) -> Trace {
    let way = Way { world, from, service, protocol };
    let spec = &service.object["spec"];
    if spec["type"] == "ExternalName" {
        return way.stopped("it stands for a name outside of the cluster");
    }
    let has_node_ports = spec["type"] == "NodePort" || spec["type"] == "LoadBalancer";
    let is_inside = from.guest.as_ref().is_some_and(|guest| guest.cluster == service.cluster);
    match (way.entry("port", port), way.entry("nodePort", port)) {
        (Some(entry), _) if is_inside => way.by_cluster_address(&entry, port),
        (_, Some(entry)) if has_node_ports => way.over_nodes(&entry, port),
        (Some(_), _) => way.stopped("a Service's own address means something on nodes of its cluster only"),
        (None, _) => way.stopped(&format!("it has no port {port} for {}", protocol.name())),
    }
}

struct Way<'a> {
    world: &'a World,
    from: &'a Place,
    service: &'a Service,
    protocol: Protocol,
}

impl Way<'_> {
    fn spec(&self) -> &Value {
        &self.service.object["spec"]
    }

    fn name(&self) -> String {
        let metadata = &self.service.object["metadata"];
        let text = |member: &str| metadata[member].as_str().unwrap_or_default().to_owned();
        format!("svc {}/{}", text("namespace"), text("name"))
    }

    fn is_headless(&self) -> bool {
        self.spec()["clusterIP"] == "None"
    }

    /// The entry of `spec.ports` whose member is this port.
    fn entry(&self, member: &str, port: u16) -> Option<Value> {
        let is_it = |entry: &&Value| {
            let protocol = entry["protocol"].as_str().unwrap_or("TCP");
            protocol.eq_ignore_ascii_case(self.protocol.name()) && entry[member] == port
        };
        self.spec()["ports"].as_array()?.iter().find(is_it).cloned()
    }

    // --- pods behind ------------------------------------------------------------------------------------------------

    /// Pods that get connections, with their ports: those that are ready. Where only such are left as are being deleted and still
    /// serve, kube-proxy takes these; a name leads to none of them.
    fn endpoints(&self, entry: &Value) -> Vec<Endpoint> {
        let namespace = self.service.object["metadata"]["namespace"].as_str().unwrap_or("default");
        let all = self.world.kubernetes.objects.list(&self.service.cluster, "pods", Some(namespace));
        let behind: Vec<&Arc<Value>> = all.filter(|pod| self.selects(pod)).collect();
        let publishes_all = self.spec()["publishNotReadyAddresses"] == true;
        let serves = |pod: &Value| publishes_all || is_ready(pod);
        let is_going = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_string();
        let mut taken: Vec<&Arc<Value>> =
            behind.iter().copied().filter(|pod| serves(pod) && (publishes_all || !is_going(pod))).collect();
        if taken.is_empty() && !self.is_headless() {
            taken = behind.into_iter().filter(|pod| serves(pod) && is_going(pod)).collect();
        }
        let port = |pod: &Arc<Value>| Some(Endpoint { pod: Arc::clone(pod), port: self.port_on(pod, entry)? });
        taken.into_iter().filter_map(port).collect()
    }

    fn selects(&self, pod: &Value) -> bool {
        let Some(selector) = self.spec()["selector"].as_object() else { return false };
        let labels = &pod["metadata"]["labels"];
        let has_ended = pod["status"]["phase"] == "Succeeded" || pod["status"]["phase"] == "Failed";
        !has_ended
            && pod["status"]["podIP"].is_string()
            && selector.iter().all(|(key, value)| labels[key.as_str()] == *value)
    }

    /// The port on a pod: without an address of its own a Service translates none.
    fn port_on(&self, pod: &Value, entry: &Value) -> Option<u16> {
        let number = |value: &Value| value.as_u64().and_then(|it| u16::try_from(it).ok());
        if self.is_headless() {
            return number(&entry["port"]);
        }
        match &entry["targetPort"] {
            Value::String(name) => {
                let protocol = entry["protocol"].as_str().unwrap_or("TCP");
                let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
                let mut ports = containers.flat_map(|it| it["ports"].as_array().into_iter().flatten());
                let is_it = |it: &&Value| it["name"] == *name && it["protocol"].as_str().unwrap_or("TCP") == protocol;
                number(&ports.find(is_it)?["containerPort"])
            }
            Value::Null => number(&entry["port"]),
            target => number(target),
        }
    }

    // --- by the cluster address -------------------------------------------------------------------------------------

    fn by_cluster_address(&self, entry: &Value, port: u16) -> Trace {
        if self.spec()["selector"].as_object().is_none_or(serde_json::Map::is_empty) {
            return self.lost("it has no selector: the sandbox does not follow what is behind it");
        }
        let mut behind = self.endpoints(entry);
        if behind.is_empty() {
            return self.stopped("no pod behind it is ready");
        }
        if self.spec()["internalTrafficPolicy"] == "Local" {
            let here = self.from.guest.as_ref().and_then(|guest| guest.node.clone());
            behind.retain(|it| it.pod["spec"]["nodeName"].as_str() == here.as_deref());
        }
        if behind.is_empty() {
            return self.stopped("no pod of it is on the client's node (internalTrafficPolicy: Local)");
        }
        // That one of several may get its own packet says nothing of the others.
        let is_itself = |it: &Endpoint| {
            let itself = self.from.guest.as_ref().and_then(|guest| guest.pod.as_ref());
            itself.is_some_and(|pod| Arc::ptr_eq(pod, &it.pod))
        };
        if behind.iter().any(|it| !is_itself(it)) {
            behind.retain(|it| !is_itself(it));
        }
        let traces = behind.iter().map(|it| self.to_endpoint(it, port)).collect();
        self.whichever(traces, "pods")
    }

    fn to_endpoint(&self, endpoint: &Endpoint, port: u16) -> Trace {
        let pod = match self.place(&endpoint.pod) {
            Ok(pod) => pod,
            Err(why) => return self.stopped(&why),
        };
        let is_headless = self.is_headless();
        let what = if is_headless {
            format!("its name leads to {} itself", pod.name)
        } else {
            format!("kube-proxy puts {} port {} in place of the Service's address", pod.name, endpoint.port)
        };
        let families: &[bool] = match address_of(&self.service.object) {
            Some(address) => &[address.is_ipv6()],
            None => &[false, true],
        };
        let mut best: Option<Trace> = None;
        for is_ipv6 in families {
            let (Some(from), Some(to)) = (self.from.in_family(*is_ipv6), pod.in_family(*is_ipv6)) else { continue };
            let trace = if is_headless {
                super::walk_once(self.world, &from, &to, self.protocol, endpoint.port, Manner::Plain).0
            } else {
                self.translated(&from, &to, endpoint, port)
            };
            if best.as_ref().is_none_or(|known| super::rank(&trace.verdict) > super::rank(&known.verdict)) {
                best = Some(trace);
            }
        }
        let trace = best.unwrap_or_else(|| self.stopped("it and the client have no address of one family"));
        preceded(&self.name(), what, trace)
    }

    fn translated(&self, from: &Place, to: &Place, endpoint: &Endpoint, port: u16) -> Trace {
        let named = Named {
            service: &self.service.object,
            address: address_of(&self.service.object),
            port,
            receiver: &endpoint.pod,
            target: endpoint.port,
        };
        if from.policed_pod().is_none() || !is_same(from, to) {
            let manner = Manner::ByService(&named);
            return super::walk_once(self.world, from, to, self.protocol, endpoint.port, manner).0;
        }
        // To itself: kube-proxy puts the node's address in place of the sender's.
        let mut walk = Walk::new(self.world, from, to, Manner::ByService(&named));
        let is_let_out = walk.police_service(self.protocol, &named).is_ok();
        if is_let_out && from.is_branch() {
            let what =
                "its own packet comes with the node's address: what a branch interface makes of that is not specified";
            return Trace::of(walk.steps.lost(&to.name, what), super::trace::Steps::default(), false, false);
        }
        if is_let_out {
            walk.steps.pass(&to.name, "gets its own packet, with the node's address", None);
        }
        Trace::of(walk.steps, super::trace::Steps::default(), is_let_out, is_let_out)
    }

    // --- by ports of nodes ------------------------------------------------------------------------------------------

    /// By every node of the cluster that has such ports: Fargate's have none.
    fn over_nodes(&self, entry: &Value, port: u16) -> Trace {
        if self.spec()["selector"].as_object().is_none_or(serde_json::Map::is_empty) {
            return self.lost("it has no selector: the sandbox does not follow what is behind it");
        }
        let behind = self.endpoints(entry);
        if behind.is_empty() {
            return self.stopped("no pod behind it is ready");
        }
        let nodes = self.world.kubernetes.objects.list(&self.service.cluster, "nodes", None);
        let nodes = nodes.filter(|node| node["metadata"]["labels"]["eks.amazonaws.com/compute-type"] != "fargate");
        let names = nodes.filter_map(|node| node["metadata"]["name"].as_str());
        let traces: Vec<Trace> = names.map(|name| self.by_node(name, &behind, port)).collect();
        if traces.is_empty() {
            return self.stopped("the cluster has no node");
        }
        self.whichever(traces, "nodes")
    }

    fn by_node(&self, name: &str, behind: &[Endpoint], port: u16) -> Trace {
        let node = match places::node(self.world, &self.service.cluster, name) {
            Ok(node) => node,
            Err(why) => return self.stopped(&why),
        };
        let is_ipv6 = address_of(&self.service.object).is_some_and(|address| address.is_ipv6());
        let (Some(from), Some(node)) = (self.from.in_family(is_ipv6), node.in_family(is_ipv6)) else {
            return self.stopped("its nodes and the client have no address of one family");
        };
        let (first, arrived) = super::walk_once(self.world, &from, &node, self.protocol, port, Manner::Plain);
        let arrived = match (arrived, &first.verdict) {
            (Some(arrived), _) => arrived,
            // If it arrives at all, then as it was sent.
            (None, Verdict::Unknown) => super::sent(&from, &node, self.protocol, port),
            (None, _) => return first,
        };
        let is_local = self.spec()["externalTrafficPolicy"] == "Local";
        let here = |it: &&Endpoint| !is_local || it.pod["spec"]["nodeName"] == name;
        let further: Vec<Trace> = behind
            .iter()
            .filter(here)
            .map(|it| if is_local { self.handed_over(&from, &node, it, arrived) } else { self.forwarded(&node, it) })
            .collect();
        if further.is_empty() {
            let nothing = self.stopped("no pod of it is on this node (externalTrafficPolicy: Local)");
            return then(first, nothing);
        }
        then(first, self.whichever(further, "pods"))
    }

    /// With the node's address in place of the client's.
    fn forwarded(&self, node: &Place, endpoint: &Endpoint) -> Trace {
        let to = self.place(&endpoint.pod).and_then(|pod| in_family_of(&pod, node));
        let to = match to {
            Ok(to) => to,
            Err(why) => return self.stopped(&why),
        };
        let (trace, _) = super::walk_once(self.world, node, &to, self.protocol, endpoint.port, Manner::Forwarded);
        let what = format!(
            "kube-proxy puts {} port {} in place of its own, and its address in the client's",
            to.name, endpoint.port
        );
        preceded(&node.name, what, trace)
    }

    /// To a pod on the node that was asked, with the client's address.
    fn handed_over(&self, from: &Place, node: &Place, endpoint: &Endpoint, arrived: Packet) -> Trace {
        let to = self.place(&endpoint.pod).and_then(|pod| in_family_of(&pod, node));
        let to = match to {
            Ok(to) => to,
            Err(why) => return self.stopped(&why),
        };
        let mut walk = Walk::new(self.world, from, &to, Manner::Forwarded);
        if to.is_branch() && Settings::of(self.world, &self.service.cluster).is_strict {
            let what =
                "strict mode: a node hands nothing to pods with branch interfaces (externalTrafficPolicy: Local)";
            return Trace::of(walk.steps.stopped(&to.name, what), super::trace::Steps::default(), false, false);
        }
        walk.steps.pass(&node.name, format!("kube-proxy hands it to {} on this node", to.name), None);
        let packet = Packet { destination: to.address, destination_port: endpoint.port, ..arrived };
        // A pod's own packet comes back with its node's address, which policies let pass.
        let is_let_in = packet.source == to.address && is_same(from, &to) || walk.police_arrival(node, packet).is_ok();
        Trace::of(walk.steps, super::trace::Steps::default(), is_let_in, is_let_in)
    }

    // --- answers ----------------------------------------------------------------------------------------------------

    fn place(&self, pod: &Value) -> Result<Place, String> {
        let text = |member: &str| pod["metadata"][member].as_str().unwrap_or_default();
        places::pod(self.world, &self.service.cluster, text("namespace"), text("name"))
    }

    fn stopped(&self, what: &str) -> Trace {
        single(&self.name(), what, Outcome::Stops)
    }

    fn lost(&self, what: &str) -> Trace {
        single(&self.name(), what, Outcome::Unknown)
    }

    /// The answer of all of them; where they differ, that nobody can say.
    fn whichever(&self, traces: Vec<Trace>, what: &str) -> Trace {
        let count = traces.len();
        let is_one = traces.iter().all(|it| it.verdict == traces[0].verdict);
        let mut shown = traces.into_iter();
        if is_one {
            return shown.next().unwrap_or_else(|| self.stopped("nothing is behind it"));
        }
        let mut shown = shown.find(|it| it.verdict != Verdict::Reachable).unwrap_or_else(|| self.stopped(""));
        let why = format!("it may be any of {count} {what}, and not all of them answer");
        shown.hops.push(Hop { at: self.name(), what: why.clone(), outcome: Outcome::Unknown, by: None });
        Trace { verdict: Verdict::Unknown, decided_by: Some(why), ..shown }
    }
}

/// Whether a pod says of itself that it is ready.
fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

fn is_same(one: &Place, other: &Place) -> bool {
    let interface = |place: &Place| place.interface.as_ref().map(|it| it.id.clone());
    one.address == other.address && interface(one).is_some() && interface(one) == interface(other)
}

fn in_family_of(pod: &Place, node: &Place) -> Result<Place, String> {
    let found = pod.in_family(node.address.is_ipv6());
    found.ok_or_else(|| format!("{} has no address of {}'s family", pod.name, node.name))
}

fn single(at: &str, what: &str, outcome: Outcome) -> Trace {
    let verdict = if outcome == Outcome::Unknown { Verdict::Unknown } else { Verdict::Blocked };
    let hop = Hop { at: at.to_owned(), what: what.to_owned(), outcome, by: None };
    Trace { verdict, decided_by: Some(what.to_owned()), hops: vec![hop], reply: Vec::new() }
}

fn preceded(at: &str, what: String, mut trace: Trace) -> Trace {
    trace.hops.insert(0, Hop { at: at.to_owned(), what, outcome: Outcome::Passes, by: None });
    trace
}

/// One leg after the other; the answer takes them the other way round.
fn then(first: Trace, further: Trace) -> Trace {
    if first.verdict == Verdict::Blocked {
        return first;
    }
    let verdict = match (&first.verdict, &further.verdict) {
        (_, Verdict::Blocked) => Verdict::Blocked,
        (Verdict::Reachable, other) => other.clone(),
        _ => Verdict::Unknown,
    };
    let decided_by = if verdict == further.verdict { further.decided_by } else { first.decided_by };
    let hops = first.hops.into_iter().chain(further.hops).collect();
    let reply = further.reply.into_iter().chain(first.reply).collect();
    Trace { verdict, decided_by, hops, reply }
}
