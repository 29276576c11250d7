//! What stands before pods: Services and Ingresses.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use sgp_model::InstanceAddr;

use super::{Fact, Labels};

/// A Service.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of its spec, each by itself")]
pub struct Service {
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: String,
    /// Its cluster addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it has no address, so that its name leads to the pods' own (`clusterIP: None`).
    pub is_headless: bool,
    /// The pods behind it; `None` when it has no selector.
    pub selector: Option<Labels>,
    /// Whether its selector asks for more than that, which is not known yet.
    pub is_selector_open: bool,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Whether only pods of the node that was asked answer (`externalTrafficPolicy: Local`).
    pub is_local: bool,
    /// Whether only pods of the client's own node answer (`internalTrafficPolicy: Local`).
    pub is_local_inside: bool,
    /// Whether pods that are not ready get connections, too (`publishNotReadyAddresses`).
    pub publishes_not_ready: bool,
    /// Which controller makes its load balancer (`loadBalancerClass`).
    pub class: Option<String>,
    /// Whom its load balancer lets in (`loadBalancerSourceRanges`).
    pub source_ranges: Vec<IpNet>,
    /// The host names of its load balancer, once there is one.
    pub host_names: Vec<String>,
    /// Its annotations.
    pub annotations: Annotations,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name.
    pub name: Option<String>,
    /// The protocol in lower case.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// The pods' port.
    pub target: TargetPort,
    /// The nodes' port.
    pub node_port: Option<u16>,
}

/// The pods' port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    /// By number.
    Number(u16),
    /// By the name of a container's port.
    Name(String),
}

/// An Ingress.
#[derive(Clone, Debug, Default)]
pub struct Ingress {
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// Its class; `None` where it names none.
    pub class: Option<String>,
    /// The Services of its rules and of its default, each once.
    pub backends: Vec<Backend>,
    /// The host names of its load balancer, once there is one.
    pub host_names: Vec<String>,
    /// Its annotations.
    pub annotations: Annotations,
}

/// A Service that an Ingress sends to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its name, in the Ingress's namespace.
    pub service: String,
    /// Its port.
    pub port: BackendPort,
}

/// A port of a Service, as an Ingress names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendPort {
    /// By number.
    Number(u16),
    /// By name. `use-annotation` leads to what an annotation says.
    Name(String),
}

/// An IngressClass.
#[derive(Clone, Debug, Default)]
pub struct IngressClass {
    /// The controller: `ingress.k8s.aws/alb`.
    pub controller: String,
    /// The IngressClassParams that it names.
    pub params: Option<String>,
}

/// Annotations, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    /// Those that are known.
    pub known: BTreeMap<String, String>,
    /// Whether there may be others, or others' values, that are known after apply.
    pub may_have_more: bool,
}

impl Annotations {
    /// The value of one that is known.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.known.get(name).map(String::as_str)
    }

    /// The value of one, or that there is none.
    pub fn fact(&self, name: &str) -> Fact<Option<&str>> {
        match self.get(name) {
            None if self.may_have_more => Fact::Unknown,
            value => Fact::Known(value),
        }
    }
}
