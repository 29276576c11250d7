//! What one node is for.

use std::collections::BTreeMap;

use super::{Amount, Note};
use crate::{
    limits::{self, Described, Hypervisor, Limits, Table},
    topology::{Cluster, Fact, Node},
};

/// Addresses of a delegated prefix, a /28 (docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html).
const PREFIX: u64 = 16;
/// Pods that kubelet is told for the VPC CNI and kube-proxy, which use the node's own address ("How maxPods is determined",
/// docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html).
const HOST_PODS: u64 = 2;
/// Managed node groups go no higher, with fewer processors than `MANY_PROCESSORS` and with as many or more (same page).
const MOST_PODS: (u64, u64) = (110, 250);
const MANY_PROCESSORS: u32 = 30;
/// The label of nodes that EKS Auto Mode runs; the controller leaves them alone (amazon-vpc-resource-controller-k8s,
/// `controllers/core/node_controller.go`).
const COMPUTE: &str = "eks.amazonaws.com/compute-type";

/// What counts for all nodes of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The version of the VPC resource controller, as event `ControllerVersionNotice` of a node announces it.
    pub controller: Fact<String>,
    /// Whether nodes get trunks (`ENABLE_POD_ENI`).
    pub pod_eni: Fact<bool>,
    /// Whether ordinary pods get addresses of the trunk, too: the VPC CNI before v1.16.4 (amazon-vpc-cni-k8s #2801).
    pub trunk_has_pods: bool,
    /// Whether ordinary pods get addresses of prefixes (`ENABLE_PREFIX_DELEGATION`).
    pub prefixes: Fact<bool>,
    /// Whether pods have IPv6 addresses.
    pub is_ipv6: Fact<bool>,
    /// What EC2 says of instance types that no table has.
    pub described: BTreeMap<String, Described>,
    /// Whether pods are in subnets of their own (`AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG`), and the first interface is for none.
    pub is_custom: bool,
}

impl Setting {
    /// What a cluster's objects say.
    pub fn of(cluster: &Cluster, controller: &Fact<String>, is_custom: bool) -> Self {
        Self {
            controller: controller.clone(),
            pod_eni: cluster.cni.pod_eni,
            trunk_has_pods: cluster
                .cni
                .version
                .known()
                .and_then(|it| limits::numbers(it))
                .is_some_and(|it| it < (1, 16, 4)),
            prefixes: cluster.cni.prefix_delegation,
            // EKS takes IPv4 unless a configuration asks for the other, and a new cluster says so after it was made.
            is_ipv6: Fact::Known(cluster.is_ipv6 == Fact::Known(true)),
            described: BTreeMap::new(),
            is_custom,
        }
    }

    /// The same with what EC2 says of types.
    #[must_use]
    pub fn with_types(self, described: &BTreeMap<String, Described>) -> Self {
        Self { described: described.clone(), ..self }
    }

    /// What is not told.
    fn why(&self) -> Option<&'static str> {
        let facts = [
            (self.pod_eni, "whether the VPC CNI gives nodes trunks (ENABLE_POD_ENI) is not known"),
            (self.prefixes, "whether the VPC CNI delegates prefixes is not known"),
            (self.is_ipv6, "whether pods have IPv6 addresses is not known"),
        ];
        facts.into_iter().find(|(fact, _)| !fact.is_known()).map(|(_, why)| why)
    }
}

/// What one node of some type is for. All amounts are per node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeShape {
    /// Interfaces that it can have on its default card, its first one and the trunk among them.
    pub interfaces: Amount,
    /// Trunks: one or none.
    pub trunks: Amount,
    /// Branch interfaces: pods with groups of their own, those in cool-down among them.
    pub branches: Amount,
    /// Pods that share its interfaces: addresses that these have for pods. A trunk takes an interface, and with it its addresses.
    pub addresses: Amount,
    /// Pods that kubelet takes, those with branch interfaces and those on the host's network among them.
    pub max_pods: Amount,
    /// Addresses of the node's own subnet that it holds, whatever runs on it.
    pub held: Amount,
    /// Addresses of its pods' subnet that it holds beside those of branch interfaces; at most when its interfaces are full.
    pub held_for_pods: Amount,
    /// What a person should know of it.
    pub notes: Vec<Note>,
}

impl NodeShape {
    /// A node of a type, as EKS starts it.
    pub fn of(instance_type: &str, setting: &Setting) -> Self {
        match (limits::of(instance_type), setting.described.get(instance_type)) {
            (Some(limits), _) => {
                let mut notes = Vec::new();
                let branches = branches(instance_type, limits, setting, &mut notes);
                Self::with(instance_type, limits, branches, notes, setting)
            }
            (None, Some(described)) => {
                let limits = described.limits();
                let unknown = Self::of_nobody_knows(instance_type);
                // Its interfaces and addresses are told; the controller alone knows how many branches.
                let branches = if limits.trunk_compatible { unknown.branches } else { 0_u64.into() };
                Self::with(instance_type, &limits, branches, unknown.notes, setting)
            }
            (None, None) => Self::of_nobody_knows(instance_type),
        }
    }

    fn with(instance_type: &str, limits: &Limits, branches: Amount, mut notes: Vec<Note>, setting: &Setting) -> Self {
        if branches.most() != Some(0) && limits.usable_enis() == 2 {
            notes.push(Note::TwoInterfaces(instance_type.to_owned()));
        }
        let cases = Case::all(setting, &branches);
        let shapes = cases.iter().map(|case| case.shape(instance_type, limits, setting));
        let hull = shapes.reduce(|one, other| one.or(&other));
        let hull = hull.unwrap_or_else(|| Self::of_nobody_knows(instance_type));
        if setting.pod_eni == Fact::Known(false) {
            notes.clear();
        }
        // A type that only EC2 told of has no figure of its own.
        let branches = match hull.trunks.most() {
            Some(0) => 0_u64.into(),
            _ if limits.branch_enis == 0 => branches,
            _ => branches.min(&hull.branches),
        };
        Self { branches, notes, ..hull }.because(setting.why())
    }

    /// A type that is in no table. It has no more than any other has.
    fn of_nobody_knows(instance_type: &str) -> Self {
        let note = Note::NotKnown(instance_type.to_owned());
        Self { notes: vec![note.clone()], ..Self::unknown(&note.to_string()) }
    }

    /// A node whose type was not told.
    pub(super) fn unknown(why: &str) -> Self {
        let unknown = || Amount::unknown(why);
        let up_to = |most: u32| unknown().min(&most.into());
        let most = |of: fn(&Limits) -> u32| limits::types().map(|(_, it)| of(it)).max().unwrap_or(0);
        Self {
            interfaces: up_to(most(Limits::usable_enis)).max(&1_u64.into()),
            trunks: up_to(1),
            branches: up_to(most(|it| it.branch_enis)),
            addresses: unknown(),
            max_pods: unknown(),
            held: 1_u64.into(),
            held_for_pods: up_to(most(|it| it.usable_enis() * it.ipv4_per_eni)),
            notes: Vec::new(),
        }
    }

    /// One of two types, and nobody knows which.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut notes = [self.notes.clone(), other.notes.clone()].concat();
        notes.sort();
        notes.dedup();
        Self {
            interfaces: self.interfaces.or(&other.interfaces),
            trunks: self.trunks.or(&other.trunks),
            branches: self.branches.or(&other.branches),
            addresses: self.addresses.or(&other.addresses),
            max_pods: self.max_pods.or(&other.max_pods),
            held: self.held.or(&other.held),
            held_for_pods: self.held_for_pods.or(&other.held_for_pods),
            notes,
        }
    }

    /// The same with what a node that runs says of itself.
    pub(super) fn running(mut self, name: &str, node: &Node) -> Self {
        if node.labels.get(COMPUTE).is_some_and(|it| it == "auto") {
            // The two pages on it differ: docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html, auto-sgp.html.
            let note = Note::AutoMode(name.to_owned());
            self.branches = Amount::unknown(note.to_string()).min(&self.branches);
            self.notes = vec![note];
            self.max_pods = node.max_pods.map_or(self.max_pods, Amount::from);
            return self;
        }
        if node.pod_eni.is_none() && self.branches.least() > 0 {
            self.notes.push(Note::TrunkMissing(name.to_owned()));
        }
        self.branches = node.pod_eni.unwrap_or(0).into();
        if let Some(pods) = node.max_pods {
            self.max_pods = pods.into();
        }
        self
    }

    fn because(self, why: Option<&str>) -> Self {
        Self {
            interfaces: self.interfaces.because(why),
            trunks: self.trunks.because(why),
            branches: self.branches.because(why),
            addresses: self.addresses.because(why),
            max_pods: self.max_pods.because(why),
            held: self.held.because(why),
            held_for_pods: self.held_for_pods.because(why),
            ..self
        }
    }
}

/// The branch interfaces that the cluster's controller gives a type, were pod ENI on.
fn branches(instance_type: &str, newest: &Limits, setting: &Setting, notes: &mut Vec<Note>) -> Amount {
    let found = match &setting.controller {
        Fact::Known(version) => {
            Table::of_controller(version).map(|table| (table.of(instance_type), table.is_of(version)))
        }
        Fact::Unknown => None,
    };
    match found {
        None => note_trunk(instance_type, newest, notes),
        Some((Some(limits), _)) => note_trunk(instance_type, limits, notes),
        Some((None, is_exact)) => {
            let since = limits::since(instance_type).map(|table| table.controllers.clone()).unwrap_or_default();
            let note = Note::NewerController { instance_type: instance_type.to_owned(), since };
            let most = Amount::unknown(note.to_string()).min(&newest.branch_enis.into());
            notes.push(note);
            // A release that nobody looked into may know more than the one before it.
            if is_exact { 0_u64.into() } else { most }
        }
    }
}

fn note_trunk(instance_type: &str, limits: &Limits, notes: &mut Vec<Note>) -> Amount {
    if !limits.trunk_compatible {
        notes.push(Note::NoTrunk(instance_type.to_owned()));
    }
    limits.branch_enis.into()
}

/// One of the ways that what is not told may be.
#[derive(Clone, Copy)]
struct Case {
    has_trunk: bool,
    prefixes: bool,
    is_ipv6: bool,
}

impl Case {
    fn all(setting: &Setting, branches: &Amount) -> Vec<Self> {
        let either = |fact: Fact<bool>| fact.known().map_or(vec![false, true], |it| vec![*it]);
        let trunks = match (branches.least(), branches.most()) {
            (_, Some(0)) => vec![false],
            (0, _) => either(Fact::Unknown),
            _ => vec![true],
        };
        let mut cases = Vec::new();
        for is_on in either(setting.pod_eni) {
            for is_able in &trunks {
                for prefixes in either(setting.prefixes) {
                    let more = either(setting.is_ipv6).into_iter();
                    cases.extend(more.map(|is_ipv6| Self { has_trunk: is_on && *is_able, prefixes, is_ipv6 }));
                }
            }
        }
        cases
    }

    fn shape(self, instance_type: &str, limits: &Limits, setting: &Setting) -> NodeShape {
        let has_prefixes = (self.prefixes || self.is_ipv6) && limits.hypervisor != Some(Hypervisor::Xen);
        let enis = u64::from(limits.usable_enis());
        // No slot is left for a trunk beside the first interface of a type that has one interface only.
        let trunks = u64::from(self.has_trunk && enis > 1);
        let branches = trunks * u64::from(limits.branch_enis);
        let first = u64::from(setting.is_custom);
        let slots = |enis: u64| enis.saturating_sub(first) * u64::from(limits.ipv4_per_eni).saturating_sub(1);
        let each = if has_prefixes { PREFIX } else { 1 };
        let for_pods = if setting.trunk_has_pods { enis } else { enis - trunks };
        let addresses = slots(for_pods) * each;
        let max_pods = Amount::exactly(slots(enis) * each + HOST_PODS).min(&most_pods(instance_type));
        NodeShape {
            interfaces: enis.into(),
            trunks: trunks.into(),
            branches: branches.into(),
            addresses: if self.is_ipv6 { max_pods.clone() } else { addresses.into() },
            held: 1_u64.into(),
            held_for_pods: self.held(enis, trunks, addresses, has_prefixes, &max_pods),
            max_pods,
            notes: Vec::new(),
        }
    }

    /// Addresses of the pods' subnet: the trunk's surely. Then the other interfaces with all of their addresses, which the CNI keeps
    /// warm; or of prefixes those that the pods fill, and one to spare (`WARM_PREFIX_TARGET`).
    fn held(self, enis: u64, trunks: u64, addresses: u64, has_prefixes: bool, max_pods: &Amount) -> Amount {
        let others = enis - trunks - 1;
        let warm = match (self.is_ipv6, has_prefixes) {
            (true, _) => 0,
            (false, true) => {
                let pods = max_pods.most().unwrap_or(MOST_PODS.1);
                addresses.min((pods.div_ceil(PREFIX) + 1) * PREFIX)
            }
            (false, false) => addresses,
        };
        Amount::exactly(trunks).or(&Amount::exactly(trunks + others + warm))
    }
}

/// What a managed node group caps the number of pods at.
fn most_pods(instance_type: &str) -> Amount {
    let (few, many) = MOST_PODS;
    match processors(instance_type) {
        Some(processors) if processors < MANY_PROCESSORS => few.into(),
        Some(_) => many.into(),
        None => Amount::exactly(few).or(&many.into()),
    }
}

/// Virtual processors by the name of the size, exact enough to tell fewer than 30: 4 for each `xlarge`. Whole machines without a
/// number have more, except the smallest (docs.aws.amazon.com/ec2/latest/instancetypes, "Specifications").
fn processors(instance_type: &str) -> Option<u32> {
    match instance_type {
        "a1.metal" => return Some(16),
        "hpc7a.12xlarge" => return Some(24),
        _ => {}
    }
    let (_, size) = instance_type.split_once('.')?;
    let number = |text: &str| if text.is_empty() { Some(1) } else { text.parse::<u32>().ok() };
    match size {
        "nano" | "micro" | "small" | "medium" | "large" => Some(2),
        "metal" => Some(48),
        _ => {
            let size = size.strip_prefix("metal-").unwrap_or(size);
            number(size.strip_suffix("xlarge").or_else(|| size.strip_suffix("xl"))?).map(|it| 4 * it)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on() -> Setting {
        let no = Fact::Known(false);
        Setting { pod_eni: Fact::Known(true), prefixes: no, is_ipv6: no, ..Setting::default() }
    }

    /// Branches, pods, addresses for ordinary pods.
    fn figures(instance_type: &str, setting: &Setting) -> String {
        let shape = NodeShape::of(instance_type, setting);
        format!("{} / {} / {}", shape.branches, shape.max_pods, shape.addresses)
    }

    #[test]
    fn figures_of_types() {
        let with = |change: fn(&mut Setting)| {
            let mut setting = on();
            change(&mut setting);
            setting
        };
        let prefixes = with(|it| it.prefixes = Fact::Known(true));
        let off = with(|it| it.pod_eni = Fact::Known(false));
        for (instance_type, setting, expected) in [
            // Three interfaces of ten addresses: one is the trunk.
            ("m5.large", on(), "9 / 29 / 18"),
            ("m5.large", off.clone(), "0 / 29 / 27"),
            ("m5.large", with(|it| it.trunk_has_pods = true), "9 / 29 / 27"),
            ("m5.xlarge", on(), "18 / 58 / 42"),
            ("c5.xlarge", on(), "18 / 58 / 42"),
            // 8 * 29 + 2 is 234, and 16 processors are fewer than 30.
            ("c5.4xlarge", on(), "54 / 110 / 203"),
            ("m5.24xlarge", on(), "107 / 250 / 686"),
            ("t3.medium", on(), "0 / 17 / 15"),
            // Prefixes give more pods and no more branches.
            ("m5.large", prefixes.clone(), "9 / 110 / 288"),
            ("m5.24xlarge", prefixes.clone(), "107 / 250 / 10976"),
            ("a1.medium", prefixes.clone(), "10 / 98 / 48"),
            ("c4.large", prefixes, "0 / 29 / 27"),
            // Two interfaces.
            ("a1.medium", on(), "10 / 8 / 3"),
            // The first interface is for no pod with custom networking.
            ("m5.large", with(|it| it.is_custom = true), "9 / 20 / 9"),
            ("a1.medium", with(|it| it.is_custom = true), "10 / 5 / 0"),
            // Cards beside the default one count for nothing here.
            ("p4d.24xlarge", off, "0 / 250 / 735"),
            ("m5.large", with(|it| it.is_ipv6 = Fact::Known(true)), "9 / 110 / 110"),
            ("m5.enormous", on(), "0 to 120 / unknown / unknown"),
        ] {
            assert_eq!(figures(instance_type, &setting), expected, "{instance_type} {setting:?}");
        }
    }

    #[test]
    fn ec2_fills_what_the_table_lacks() {
        let described = |max_enis, hypervisor| Described { max_enis, ipv4_per_eni: 10, hypervisor };
        let nitro = described(3, Some(Hypervisor::Nitro));
        let types = [
            ("m9.large", nitro.clone()),
            ("m9.small", described(1, Some(Hypervisor::Nitro))),
            ("m0.large", described(3, Some(Hypervisor::Xen))),
        ];
        let types: BTreeMap<String, Described> = types.into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
        let off = Setting { pod_eni: Fact::Known(false), ..on() };
        for (instance_type, setting, expected) in [
            ("m9.large", on(), "0 to 120 / 29 / 18 to 27"),
            ("m9.large", off, "0 / 29 / 27"),
            ("m9.small", on(), "0 / 11 / 9"),
            ("m0.large", on(), "0 / 29 / 27"),
            ("m9.unheard", on(), "0 to 120 / unknown / unknown"),
            // The table knows better.
            ("m5.large", on(), "9 / 29 / 18"),
        ] {
            let setting = setting.with_types(&types);
            assert_eq!(figures(instance_type, &setting), expected, "{instance_type}");
        }
        let wrong = BTreeMap::from([("m5.large".to_owned(), nitro)]);
        assert_eq!(figures("m5.large", &on().with_types(&wrong)), figures("m5.large", &on()));
    }

    #[test]
    fn what_is_not_told_stays_open() {
        let shape = NodeShape::of("m5.large", &Setting { pod_eni: Fact::Unknown, ..on() });
        assert_eq!((shape.branches.to_string(), shape.addresses.to_string()), ("0 to 9".into(), "18 to 27".into()));
        assert_eq!(shape.max_pods, 29_u64.into());
        assert_eq!(shape.branches.why(), Some("whether the VPC CNI gives nodes trunks (ENABLE_POD_ENI) is not known"));
    }

    #[test]
    fn a_controller_gives_what_its_table_has() {
        for (controller, instance_type, branches, notes) in [
            ("v1.8.2", "r8a.xlarge", "18", 0),
            ("v1.7.15", "r8a.xlarge", "0", 1),
            ("v1.7.15", "m5.large", "9", 0),
            ("v1.8.0", "i4i.large", "0", 1),
            ("v1.8.2", "i4i.large", "9", 0),
            // Nobody looked into v1.7.19, and v1.7.18 does not have it.
            ("v1.7.19", "c8ib.2xlarge", "0 to 38", 1),
            // Older than what is known: the newest table is all there is to go by.
            ("v1.6.0", "r8a.xlarge", "18", 0),
        ] {
            let setting = Setting { controller: Fact::Known(controller.to_owned()), ..on() };
            let shape = NodeShape::of(instance_type, &setting);
            assert_eq!((shape.branches.to_string().as_str(), shape.notes.len()), (branches, notes), "{instance_type}");
        }
    }

    #[test]
    fn one_of_several_types_has_between_least_and_most() {
        let shape = NodeShape::of("m5.large", &on()).or(&NodeShape::of("m5.xlarge", &on()));
        assert_eq!((shape.branches.to_string(), shape.max_pods.to_string()), ("9 to 18".into(), "29 to 58".into()));
        assert_eq!(shape.branches.why(), None);
    }

    #[test]
    fn notes_say_what_decides() {
        let notes = |instance_type: &str| NodeShape::of(instance_type, &on()).notes;
        assert_eq!(notes("t3.medium"), [Note::NoTrunk("t3.medium".to_owned())]);
        assert_eq!(notes("a1.medium"), [Note::TwoInterfaces("a1.medium".to_owned())]);
        assert_eq!(notes("m5.enormous"), [Note::NotKnown("m5.enormous".to_owned())]);
        assert_eq!(notes("m5.large"), []);
        let auto = Node { labels: [(COMPUTE.to_owned(), "auto".to_owned())].into(), ..Node::default() };
        let shape = NodeShape::of("m5.large", &on()).running("n1", &auto);
        assert_eq!((shape.branches.to_string(), shape.notes), ("0 to 9".into(), vec![Note::AutoMode("n1".to_owned())]));
        let shape = NodeShape::of("m5.large", &on()).running("n1", &Node { max_pods: Some(20), ..Node::default() });
        assert_eq!(shape.notes, [Note::TrunkMissing("n1".to_owned())]);
        assert_eq!((shape.branches, shape.max_pods), (0_u64.into(), 20_u64.into()));
    }

    #[test]
    fn processors_by_size() {
        for (instance_type, processors) in [
            ("m5.large", Some(2)),
            ("m5.xlarge", Some(4)),
            ("c5.4xlarge", Some(16)),
            ("m5.8xlarge", Some(32)),
            ("m7i.metal-24xl", Some(96)),
            ("a1.metal", Some(16)),
            ("c5.metal", Some(48)),
            ("m5.enormous", None),
        ] {
            assert_eq!(super::processors(instance_type), processors, "{instance_type}");
        }
    }
}
