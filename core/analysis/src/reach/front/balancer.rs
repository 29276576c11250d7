//! Load balancers that controllers make for Services and Ingresses: what their objects and the interfaces that are seen say of them.
//!
//! Sources: the guide of the AWS Load Balancer Controller (annotations of Services and of Ingresses, security groups) and the
//! Elastic Load Balancing user guide (groups and client IP preservation of Network Load Balancers).

use ipnet::IpNet;
use serde_json::Value as Json;

use super::super::end::{End, Public, Relay, Wire};
use crate::{
    build::parse_block,
    sets::{AddressSet, Protocol},
    topology::{Annotations, Cluster, Fact, Group, Id, Ingress, Interface, InterfaceKind, Service, Topology},
};

/// What kind of load balancer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It answers clients itself, and connects from its own addresses.
    Application,
    /// It passes packets on.
    Network,
    /// The oldest kind: own addresses, instances as targets.
    Classic,
}

/// What it sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// Pods, by their addresses.
    Pods,
    /// Ports of nodes.
    Nodes,
}

/// A load balancer.
#[derive(Clone, Debug)]
pub(crate) struct Balancer {
    /// For people: `the load balancer of ingress app/web`.
    pub(crate) name: String,
    pub(crate) kind: Fact<Kind>,
    /// Whether it has public addresses.
    pub(crate) is_public: Fact<bool>,
    /// Its groups; unknown when its controller makes them and nobody has seen them.
    pub(crate) groups: Fact<Vec<Id>>,
    /// Whether it has none, so that everything passes it.
    pub(crate) is_open: bool,
    /// Whether its controller adds rules for it to the groups of its targets, which are not seen.
    pub(crate) makes_rules: Fact<bool>,
    /// Whom its controller lets in, where that makes its group and says so. Empty: everybody, or nobody can say.
    pub(crate) client_blocks: Vec<IpNet>,
    pub(crate) targets: Fact<Targets>,
    /// Whether TCP arrives with the clients' addresses; UDP always does.
    pub(crate) keeps_clients: Fact<bool>,
    /// Its interfaces, where they are seen.
    seen: Vec<Interface>,
    vpc: Fact<Id>,
    /// Why nobody can say more.
    pub(crate) problem: Option<String>,
}

/// The controller's prefix for Services.
const OF_SERVICE: &str = "service.beta.kubernetes.io/";
/// The controller's prefix for Ingresses.
const OF_INGRESS: &str = "alb.ingress.kubernetes.io/";

impl Balancer {
    fn unknown(name: String, cluster: &Cluster) -> Self {
        Self {
            name,
            kind: Fact::Unknown,
            is_public: Fact::Unknown,
            groups: Fact::Unknown,
            is_open: false,
            makes_rules: Fact::Unknown,
            client_blocks: Vec::new(),
            targets: Fact::Unknown,
            keeps_clients: Fact::Unknown,
            seen: Vec::new(),
            vpc: cluster.vpc.clone(),
            problem: None,
        }
    }

    /// That of a Service of type `LoadBalancer`.
    pub(crate) fn of_service(topology: &Topology, cluster: &Cluster, name: &str, service: &Service) -> Self {
        let mut it = Self::unknown(format!("the load balancer of svc {name}"), cluster);
        let notes = Notes { all: &service.annotations, prefix: OF_SERVICE };
        let stated = notes.text("aws-load-balancer-type");
        it.is_public = scheme(&notes);
        it.targets = pods_or_nodes(notes.text("aws-load-balancer-nlb-target-type"));
        match (service.class.as_deref(), stated) {
            (Some("service.k8s.aws/nlb"), _) | (None, Fact::Known(Some("external" | "nlb-ip"))) => {
                it.by_controller(topology, cluster, service, &notes);
            }
            (Some("eks.amazonaws.com/nlb"), _) => {
                it.by_controller(topology, cluster, service, &notes);
                // EKS Auto Mode sends to pods without a word (user guide, "Use Service annotations to configure NLBs").
                it.targets = it.targets_or(&notes, Targets::Pods);
            }
            // The older controller: no groups of its own, nodes as targets, and rules for clients in the nodes' groups.
            (None, Fact::Known(Some("nlb"))) => {
                it.kind = Fact::Known(Kind::Network);
                it.is_public = notes.text("aws-load-balancer-internal").map(|it| it != Some("true"));
                (it.groups, it.is_open) = (Fact::Known(Vec::new()), true);
                (it.targets, it.makes_rules) = (Fact::Known(Targets::Nodes), Fact::Known(true));
                it.keeps_clients = Fact::Known(true);
            }
            (Some(class), _) => {
                it.problem = Some(format!("loadBalancerClass {class} is of a controller that is not known here"));
            }
            // Without a word it is the AWS Load Balancer Controller's where that is installed, otherwise the older one's.
            (None, _) => {}
        }
        it.see(topology, &service.host_names);
        it
    }

    fn by_controller(&mut self, topology: &Topology, cluster: &Cluster, service: &Service, notes: &Notes<'_>) {
        self.kind = Fact::Known(Kind::Network);
        // "If not specified, default is internal."
        self.is_public = match scheme(notes) {
            Fact::Unknown if !notes.all.may_have_more => Fact::Known(false),
            known => known,
        };
        let is_ip = notes.text("aws-load-balancer-type").known().is_some_and(|it| *it == Some("nlb-ip"));
        self.targets = if is_ip { Fact::Known(Targets::Pods) } else { self.targets_or(notes, Targets::Nodes) };
        self.keeps_clients =
            match attribute(notes, "aws-load-balancer-target-group-attributes", "preserve_client_ip.enabled") {
                Fact::Known(Some(value)) => Fact::Known(value == "true"),
                // Instances see clients without a word, pods do not.
                Fact::Known(None) => self.targets.map(|it| it == Targets::Nodes),
                Fact::Unknown => Fact::Unknown,
            };
        self.groups = groups(topology, cluster, notes.text("aws-load-balancer-security-groups"));
        self.makes_rules = makes_rules(
            notes,
            "aws-load-balancer-security-groups",
            "aws-load-balancer-manage-backend-security-group-rules",
        );
        let stated = notes.text("load-balancer-source-ranges").known().copied().flatten();
        let ranges = stated.map(blocks).unwrap_or_default();
        if !self.groups.is_known() {
            self.client_blocks = if service.source_ranges.is_empty() { ranges } else { service.source_ranges.clone() };
        }
    }

    fn targets_or(&self, notes: &Notes<'_>, default: Targets) -> Fact<Targets> {
        match notes.text("aws-load-balancer-nlb-target-type") {
            Fact::Known(None) => Fact::Known(default),
            _ => self.targets,
        }
    }

    /// That of an Ingress.
    pub(crate) fn of_ingress(topology: &Topology, cluster: &Cluster, name: &str, ingress: &Ingress) -> Self {
        let mut it = Self::unknown(format!("the load balancer of ingress {name}"), cluster);
        let notes = Notes { all: &ingress.annotations, prefix: OF_INGRESS };
        let class = ingress.class.as_deref().and_then(|class| cluster.ingress_classes.get(class));
        let is_ours = match (class.map(|it| it.controller.as_str()), ingress.class.as_deref()) {
            (Some("ingress.k8s.aws/alb" | "eks.amazonaws.com/alb"), _) | (None, Some("alb")) => true,
            (Some(controller), _) => {
                it.problem = Some(format!("its class is of {controller}, whose proxies are not followed"));
                return it;
            }
            // Annotations say who is meant where a class does not.
            (None, _) => ingress.annotations.known.keys().any(|key| key.starts_with(OF_INGRESS)),
        };
        if !is_ours {
            it.problem = Some("which controller serves its class is not known".to_owned());
            it.see(topology, &ingress.host_names);
            return it;
        }
        it.kind = Fact::Known(Kind::Application);
        (it.keeps_clients, it.is_open) = (Fact::Known(false), false);
        it.is_public = match notes.text("scheme") {
            Fact::Known(stated) => Fact::Known(stated == Some("internet-facing")),
            Fact::Unknown => Fact::Unknown,
        };
        it.targets = match notes.text("target-type") {
            Fact::Known(None) if class.is_some_and(|it| it.controller.starts_with("eks.")) => {
                Fact::Known(Targets::Pods)
            }
            Fact::Known(None) => Fact::Known(Targets::Nodes),
            stated => pods_or_nodes(stated),
        };
        it.groups = groups(topology, cluster, notes.text("security-groups"));
        it.makes_rules = makes_rules(&notes, "security-groups", "manage-backend-security-group-rules");
        it.client_blocks = clients_of(&notes, it.groups.is_known());
        if let Some(params) = class.and_then(|it| it.params.as_ref()) {
            it.by_params(cluster.ingress_class_params.get(params));
        }
        it.see(topology, &ingress.host_names);
        it
    }

    /// What an IngressClassParams says counts before annotations.
    fn by_params(&mut self, spec: Option<&Json>) {
        let Some(spec) = spec else {
            (self.is_public, self.client_blocks, self.targets) = (Fact::Unknown, Vec::new(), Fact::Unknown);
            return;
        };
        if let Some(scheme) = spec["scheme"].as_str() {
            self.is_public = Fact::Known(scheme == "internet-facing");
        }
        if let Some(stated) = spec["targetType"].as_str() {
            self.targets = pods_or_nodes(Fact::Known(Some(stated)));
        }
        let cidrs: Vec<&str> = spec["inboundCIDRs"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        if !cidrs.is_empty() && !self.groups.is_known() {
            self.client_blocks = cidrs.into_iter().filter_map(parse_block).collect();
        }
    }

    /// Looks for its interfaces, by the name in its host name. They say what nobody else does.
    fn see(&mut self, topology: &Topology, host_names: &[String]) {
        let Some(name) = host_names.iter().find_map(|it| name_of(it)) else { return };
        let mut kind = None;
        for interface in topology.interfaces.values().filter(|it| it.kind == InterfaceKind::LoadBalancer) {
            let Some((its, of)) = described(&interface.description) else { continue };
            if its == name && self.vpc.known().is_none_or(|vpc| *vpc == interface.vpc) {
                kind = Some(of);
                self.seen.push(interface.clone());
            }
        }
        let Some(kind) = kind else { return };
        self.kind = Fact::Known(kind);
        self.is_public = Fact::Known(self.seen.iter().any(|it| !it.public.is_empty()));
        let groups = self.seen.first().map(|it| it.groups.clone()).unwrap_or_default();
        self.is_open = groups.is_empty();
        self.groups = Fact::Known(groups);
        // With its groups known, the rules for them are there or not.
        self.makes_rules = Fact::Known(false);
        self.client_blocks = Vec::new();
        if kind != Kind::Network {
            self.keeps_clients = Fact::Known(false);
        }
        if kind == Kind::Classic {
            self.targets = Fact::Known(Targets::Nodes);
        }
    }

    /// Whether its controller's group may let somebody in. Those of Network Load Balancers that are older than their groups have none.
    pub(crate) fn lets_in(&self, from: &End) -> bool {
        let clients: AddressSet = self.client_blocks.iter().collect();
        let says = self.kind == Fact::Known(Kind::Application) && !clients.is_empty() && !from.addresses.is_empty();
        !says || clients.meets(&from.addresses)
    }

    /// As an interface.
    pub(crate) fn end(&self, topology: &Topology) -> End {
        let mut subnets: Vec<Id> = self.seen.iter().map(|it| it.subnet.clone()).collect();
        subnets.dedup();
        let seen: AddressSet = self.seen.iter().flat_map(|it| &it.addresses).map(|it| IpNet::from(*it)).collect();
        let of_vpc = || self.vpc.known().and_then(|vpc| topology.vpc_addresses(vpc)).unwrap_or_default();
        let addresses = if seen.is_empty() { of_vpc() } else { seen };
        let relay = Relay {
            is_open: self.is_open,
            has_hidden_groups: !self.groups.is_known(),
            makes_rules: self.makes_rules != Fact::Known(false),
            keeps_clients: false,
        };
        End {
            wire: Wire::Plain,
            vpc: self.vpc.clone(),
            subnets,
            groups: self.groups.clone(),
            public: match self.is_public {
                Fact::Known(true) => Public::Yes,
                Fact::Known(false) => Public::No,
                Fact::Unknown => Public::Unknown,
            },
            relay: Some(relay),
            ..End::outside(self.name.clone(), addresses)
        }
    }

    /// Whether traffic of a protocol arrives with the clients' addresses.
    pub(crate) fn keeps_clients_of(&self, protocol: Protocol) -> Fact<bool> {
        match self.kind {
            Fact::Known(Kind::Application | Kind::Classic) => Fact::Known(false),
            Fact::Known(Kind::Network) if protocol != Protocol::TCP => Fact::Known(true),
            _ => self.keeps_clients,
        }
    }
}

/// Annotations of one prefix.
struct Notes<'a> {
    all: &'a Annotations,
    prefix: &'static str,
}

impl Notes<'_> {
    fn text(&self, name: &str) -> Fact<Option<&str>> {
        self.all.fact(&format!("{}{name}", self.prefix))
    }
}

/// The listeners of an Ingress that lead to its Services; unknown while its annotations are. What redirects to TLS leads nowhere else.
pub(super) fn listeners(ingress: &Ingress) -> Fact<Vec<u16>> {
    let notes = Notes { all: &ingress.annotations, prefix: OF_INGRESS };
    let (ports, certificate, redirect) =
        (notes.text("listen-ports"), notes.text("certificate-arn"), notes.text("ssl-redirect"));
    let (Fact::Known(ports), Fact::Known(certificate), Fact::Known(redirect)) = (ports, certificate, redirect) else {
        return Fact::Unknown;
    };
    let Some(text) = ports else { return Fact::Known(vec![if certificate.is_some() { 443 } else { 80 }]) };
    let Ok(Json::Array(entries)) = serde_json::from_str::<Json>(text) else { return Fact::Unknown };
    let all = entries.iter().filter_map(Json::as_object).flatten();
    let kept = all.filter(|(protocol, _)| redirect.is_none() || protocol.as_str() != "HTTP");
    let number = |(_, port): (&String, &Json)| port.as_u64().and_then(|it| u16::try_from(it).ok());
    Fact::Known(kept.filter_map(number).collect())
}

fn scheme(notes: &Notes<'_>) -> Fact<bool> {
    match (notes.text("aws-load-balancer-scheme"), notes.text("aws-load-balancer-internal")) {
        (Fact::Known(Some(scheme)), _) => Fact::Known(scheme == "internet-facing"),
        (Fact::Known(None), Fact::Known(Some("true"))) => Fact::Known(false),
        _ => Fact::Unknown,
    }
}

fn pods_or_nodes(stated: Fact<Option<&str>>) -> Fact<Targets> {
    match stated {
        Fact::Known(Some("ip")) => Fact::Known(Targets::Pods),
        Fact::Known(Some("instance")) => Fact::Known(Targets::Nodes),
        _ => Fact::Unknown,
    }
}

/// Groups that an annotation names, by id or by tag `Name`. Without it the controller makes one.
fn groups(topology: &Topology, cluster: &Cluster, stated: Fact<Option<&str>>) -> Fact<Vec<Id>> {
    let Fact::Known(Some(text)) = stated else { return Fact::Unknown };
    let named = |text: &str| {
        if text.starts_with("sg-") || Id::from(text).is_symbolic() {
            return Some(Id::from(text));
        }
        let is_it = |group: &Group| {
            let is_here = cluster.vpc.known().is_none_or(|vpc| group.vpc.known().is_none_or(|its| its == vpc));
            is_here && group.tags.get("Name").is_some_and(|it| it == text)
        };
        topology.groups.iter().find(|(_, group)| is_it(group)).map(|(id, _)| id.clone())
    };
    let all = text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(named);
    all.collect::<Option<Vec<Id>>>().into()
}

/// Whether the controller adds rules to the targets' groups: where it makes the groups, or where it is told to.
fn makes_rules(notes: &Notes<'_>, groups: &str, manages: &str) -> Fact<bool> {
    match (notes.text(manages), notes.text(groups)) {
        (Fact::Known(Some(stated)), _) => Fact::Known(stated == "true"),
        (Fact::Known(None), Fact::Known(groups)) => Fact::Known(groups.is_none()),
        _ => Fact::Unknown,
    }
}

fn clients_of(notes: &Notes<'_>, has_groups: bool) -> Vec<IpNet> {
    match (notes.text("inbound-cidrs"), notes.text("security-group-prefix-lists")) {
        (Fact::Known(Some(text)), Fact::Known(None)) if !has_groups => blocks(text),
        _ => Vec::new(),
    }
}

fn blocks(text: &str) -> Vec<IpNet> {
    text.split(',').filter_map(parse_block).collect()
}

/// One of the attributes in an annotation: `a=1,b=2`.
fn attribute<'a>(notes: &'a Notes<'_>, name: &str, attribute: &str) -> Fact<Option<&'a str>> {
    let of = |text: &'a str| {
        let mut pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| key.trim() == attribute).map(|(_, value)| value.trim())
    };
    notes.text(name).map(|text| text.and_then(of))
}

/// The name of a load balancer in its host name: `internal-NAME-1234567890.us-east-1.elb.amazonaws.com`.
fn name_of(host: &str) -> Option<&str> {
    let first = host.split('.').next()?;
    let first = first.strip_prefix("internal-").unwrap_or(first);
    first.rsplit_once('-').map(|(name, _)| name)
}

/// The name and kind in what Elastic Load Balancing says of its interfaces: `ELB app/NAME/ID`, `ELB net/NAME/ID`, `ELB NAME`.
fn described(text: &str) -> Option<(&str, Kind)> {
    let rest = text.strip_prefix("ELB ")?;
    let mut parts = rest.split('/');
    match (parts.next()?, parts.next()) {
        ("app", Some(name)) => Some((name, Kind::Application)),
        ("net", Some(name)) => Some((name, Kind::Network)),
        (name, None) => Some((name, Kind::Classic)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_balancer_is_known_by_its_host_name() {
        for (host, name) in [
            ("internal-k8s-app-web-0a1b2c-123456789.us-east-1.elb.amazonaws.com", Some("k8s-app-web-0a1b2c")),
            ("k8s-app-web-0a1b2c-0123456789abcdef.elb.us-east-1.amazonaws.com", Some("k8s-app-web-0a1b2c")),
            ("", None),
        ] {
            assert_eq!(name_of(host), name, "{host}");
        }
        assert_eq!(described("ELB app/k8s-web/0a1b"), Some(("k8s-web", Kind::Application)));
        assert_eq!(described("ELB net/k8s-web/0a1b"), Some(("k8s-web", Kind::Network)));
        assert_eq!(described("ELB a0123"), Some(("a0123", Kind::Classic)));
        assert_eq!(described("RDSNetworkInterface"), None);
    }

    #[test]
    fn listeners_are_those_that_lead_to_services() {
        let ingress = |pairs: &[(&str, &str)]| Ingress {
            annotations: Annotations {
                known: pairs.iter().map(|(key, value)| (format!("{OF_INGRESS}{key}"), (*value).to_owned())).collect(),
                may_have_more: false,
            },
            ..Ingress::default()
        };
        let both = r#"[{"HTTP": 80}, {"HTTPS": 443}]"#;
        for (pairs, ports) in [
            (vec![], vec![80]),
            (vec![("certificate-arn", "arn:aws:acm:us-east-1:1:certificate/1")], vec![443]),
            (vec![("listen-ports", both)], vec![80, 443]),
            (vec![("listen-ports", both), ("ssl-redirect", "443")], vec![443]),
        ] {
            assert_eq!(listeners(&ingress(&pairs)), Fact::Known(ports), "{pairs:?}");
        }
        assert_eq!(listeners(&ingress(&[("listen-ports", "80")])), Fact::Unknown);
    }
}
