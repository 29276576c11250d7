//! What stands before pods: kube-proxy with the addresses and ports of Services, and load balancers.
//!
//! A connection through them has several legs, each of which is a question of its own: to the load balancer, from there to a node
//! or a pod, from the node to the pod. It passes when all of them do.

pub(crate) mod balancer;
mod behind;
mod kube_proxy;
mod legs;

use std::sync::Arc;

pub(crate) use balancer::Balancer;
use balancer::Targets;
pub use behind::Behind;
pub(crate) use behind::{Backing, Readiness, port_of};
pub(crate) use legs::{Judge, Told, through};

use super::end::End;
use crate::{
    sets::{AddressSet, Protocol, Traffic},
    topology::{BackendPort, Cluster, Fact, Id, Ingress, Labels, Service, ServicePort, TargetPort, Topology},
};

/// A Service or an Ingress, by its doors.
#[derive(Clone, Debug)]
pub struct Front {
    pub(crate) doors: Vec<Door>,
    /// Why it has none.
    pub(crate) problem: Option<String>,
}

/// One way in.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of the Service, each by itself")]
pub(crate) struct Door {
    pub(crate) cluster: Id,
    pub(crate) entry: Entry,
    pub(crate) protocol: Protocol,
    /// The port that clients ask for; `None` when it is not known yet.
    pub(crate) port: Option<u16>,
    /// The pods' port; unknown when nobody told the Service.
    pub(crate) target: Fact<TargetPort>,
    /// The nodes' port, where it is known.
    pub(crate) node_port: Option<u16>,
    /// Whether the Service has ports of nodes at all.
    pub(crate) has_node_ports: bool,
    pub(crate) is_local: bool,
    pub(crate) is_local_inside: bool,
    pub(crate) is_headless: bool,
    pub(crate) behind: Arc<Behind>,
    pub(crate) face: Arc<Face>,
}

/// What NetworkPolicies of clients see of a Service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Face {
    pub(crate) namespace: String,
    /// Its cluster addresses; empty while they are not known.
    pub(crate) addresses: AddressSet,
    /// Its selector; unknown when parts of it are.
    pub(crate) selector: Fact<Labels>,
}

impl Face {
    fn of(namespace: &str, service: &Service) -> Self {
        let selector = service.selector.clone().filter(|_| !service.is_selector_open);
        let addresses = service.addresses.iter().map(|it| ipnet::IpNet::from(*it)).collect();
        Self { namespace: namespace.to_owned(), addresses, selector: selector.into() }
    }
}

/// Where clients knock.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// At the Service's cluster address, which kube-proxy on the client's node translates.
    Cluster,
    /// At a port of any node.
    Node,
    /// At a load balancer.
    Balancer(Arc<Balancer>),
}

impl Door {
    /// What clients ask for.
    pub(crate) fn traffic(&self) -> Traffic {
        match (self.port, &self.entry) {
            (Some(port), _) => Traffic::port(self.protocol, port),
            (None, Entry::Node) => Traffic::of(self.protocol, NODE_PORTS),
            (None, _) => Traffic::protocol(self.protocol),
        }
    }

    /// What nodes are asked for.
    fn node_traffic(&self) -> Traffic {
        match self.node_port {
            Some(port) => Traffic::port(self.protocol, port),
            None => Traffic::of(self.protocol, NODE_PORTS),
        }
    }

    /// The load balancer that it is of.
    pub(crate) fn balancer(&self) -> Option<&Balancer> {
        match &self.entry {
            Entry::Balancer(balancer) => Some(balancer),
            Entry::Cluster | Entry::Node => None,
        }
    }

    /// Whether somebody may use it: cluster addresses mean something on nodes of the cluster only.
    fn is_for(&self, from: &End) -> bool {
        let is_inside = from.guest.as_ref().is_some_and(|guest| guest.cluster == self.cluster);
        is_inside || !matches!(self.entry, Entry::Cluster)
    }
}

/// The ports that nodes give to Services without a word (kubernetes.io/docs/concepts/services-networking/service).
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

impl Front {
    /// A Service's: its cluster address, its node ports, its load balancer.
    pub(crate) fn of_service(
        topology: &Topology,
        id: &Id,
        cluster: &Cluster,
        namespace: &str,
        name: &str,
    ) -> Option<Self> {
        let service = cluster.services.get(&(namespace.to_owned(), name.to_owned()))?;
        if service.kind == "ExternalName" {
            let problem = Some("it stands for a name outside of the cluster".to_owned());
            return Some(Self { doors: Vec::new(), problem });
        }
        let behind = Arc::new(Behind::of(topology, id, cluster, namespace, service));
        let face = Arc::new(Face::of(namespace, service));
        let full = format!("{namespace}/{name}");
        let balancer = Arc::new(Balancer::of_service(topology, cluster, &full, service));
        let has_node_ports = matches!(service.kind.as_str(), "NodePort" | "LoadBalancer");
        let mut doors = Vec::new();
        for port in &service.ports {
            let Some(protocol) = Protocol::named(&port.protocol) else { continue };
            let door =
                |entry, asked| Door { port: asked, ..of_port(id, service, port, protocol, entry, &behind, &face) };
            doors.push(door(Entry::Cluster, Some(port.port)));
            if has_node_ports {
                doors.push(door(Entry::Node, port.node_port));
            }
            if service.kind == "LoadBalancer" {
                doors.push(door(Entry::Balancer(Arc::clone(&balancer)), Some(port.port)));
            }
        }
        Some(Self { doors, problem: None })
    }

    /// An Ingress's: the listeners of its load balancer, for each Service that it sends to.
    pub(crate) fn of_ingress(
        topology: &Topology,
        id: &Id,
        cluster: &Cluster,
        namespace: &str,
        name: &str,
    ) -> Option<Self> {
        let ingress = cluster.ingresses.get(&(namespace.to_owned(), name.to_owned()))?;
        let balancer = Arc::new(Balancer::of_ingress(topology, cluster, &format!("{namespace}/{name}"), ingress));
        let ports = match balancer::listeners(ingress) {
            Fact::Known(ports) => ports.into_iter().map(Some).collect(),
            Fact::Unknown => vec![None],
        };
        let mut doors = Vec::new();
        for door in backends(topology, id, cluster, namespace, ingress, &balancer) {
            doors.extend(ports.iter().map(|port| Door { port: *port, ..door.clone() }));
        }
        let nothing = doors.is_empty().then(|| "it sends to no Service that is known".to_owned());
        Some(Self { doors, problem: balancer.problem.clone().or(nothing) })
    }
}

impl Front {
    /// The ways in that somebody may use. Where kube-proxy knows a Service's port the load balancer's is not asked.
    pub(crate) fn doors_for<'a>(&'a self, from: &'a End) -> impl Iterator<Item = &'a Door> {
        let has_inner = self.doors.iter().any(|door| matches!(door.entry, Entry::Cluster) && door.is_for(from));
        self.doors
            .iter()
            .filter(move |door| door.is_for(from) && !(has_inner && matches!(door.entry, Entry::Balancer(_))))
    }
}

fn of_port(
    id: &Id,
    service: &Service,
    port: &ServicePort,
    protocol: Protocol,
    entry: Entry,
    behind: &Arc<Behind>,
    face: &Arc<Face>,
) -> Door {
    Door {
        cluster: id.clone(),
        entry,
        protocol,
        port: Some(port.port),
        target: Fact::Known(port.target.clone()),
        node_port: port.node_port,
        has_node_ports: service.kind != "ClusterIP",
        is_local: service.is_local,
        is_local_inside: service.is_local_inside,
        is_headless: service.is_headless,
        behind: Arc::clone(behind),
        face: Arc::clone(face),
    }
}

/// A door for each Service behind an Ingress, without its port.
fn backends(
    topology: &Topology,
    id: &Id,
    cluster: &Cluster,
    namespace: &str,
    ingress: &Ingress,
    balancer: &Arc<Balancer>,
) -> Vec<Door> {
    let mut doors = Vec::new();
    for backend in &ingress.backends {
        // What an annotation says beside is not followed.
        if backend.port == BackendPort::Name("use-annotation".to_owned()) {
            continue;
        }
        let entry = Entry::Balancer(Arc::clone(balancer));
        let key = (namespace.to_owned(), backend.service.clone());
        let Some(service) = cluster.services.get(&key) else {
            if !cluster.is_complete {
                doors.push(unknown_service(id, entry));
            }
            continue;
        };
        let is_it = |port: &&ServicePort| match &backend.port {
            BackendPort::Number(number) => port.port == *number,
            BackendPort::Name(name) => port.name.as_ref() == Some(name),
        };
        let behind = Arc::new(Behind::of(topology, id, cluster, namespace, service));
        let port = service.ports.iter().find(is_it);
        let face = Arc::new(Face::of(namespace, service));
        doors.extend(port.map(|port| of_port(id, service, port, Protocol::TCP, entry, &behind, &face)));
    }
    doors
}

/// A door to a Service that nobody told of.
fn unknown_service(id: &Id, entry: Entry) -> Door {
    Door {
        cluster: id.clone(),
        entry,
        protocol: Protocol::TCP,
        port: None,
        target: Fact::Unknown,
        node_port: None,
        has_node_ports: true,
        is_local: false,
        is_local_inside: false,
        is_headless: false,
        behind: Arc::new(Behind::default()),
        face: Arc::new(Face::default()),
    }
}
