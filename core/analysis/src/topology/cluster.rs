//! Clusters and what is in them.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use serde_json::Value;
use sgp_model::InstanceAddr;

use super::{Events, Fact, Id, Ingress, IngressClass, Pods, Service};
use crate::selector::Selector;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// An EKS cluster.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// Its Kubernetes version.
    pub version: Fact<String>,
    /// Its VPC.
    pub vpc: Fact<Id>,
    /// The subnets of its control plane.
    pub subnets: Vec<Id>,
    /// The group that EKS makes for it: the control plane's interfaces carry it, and nodes without groups of their own.
    pub group: Fact<Id>,
    /// Further groups of the control plane's interfaces.
    pub further_groups: Vec<Id>,
    /// The ARN of its role.
    pub role: Fact<Id>,
    /// Whether EKS runs its nodes (Auto Mode).
    pub is_auto: Fact<bool>,
    /// Whether pods have IPv6 addresses.
    pub is_ipv6: Fact<bool>,
    /// The VPC CNI's settings.
    pub cni: Cni,
    /// Node groups by name.
    pub node_groups: BTreeMap<Id, NodeGroup>,
    /// Fargate profiles by name.
    pub fargate_profiles: BTreeMap<Id, FargateProfile>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, Node>,
    /// CNINodes (vpcresources.k8s.aws) by the name of their node; empty where nobody looked.
    pub cni_nodes: BTreeMap<String, CniNode>,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Service accounts by namespace and name.
    pub service_accounts: BTreeMap<(String, String), ServiceAccount>,
    /// SecurityGroupPolicies by namespace and name.
    pub policies: BTreeMap<(String, String), SecurityGroupPolicy>,
    /// NetworkPolicies by namespace and name: their `spec`, as networking.k8s.io/v1 has it.
    pub network_policies: BTreeMap<(String, String), Value>,
    /// What makes pods, by namespace, kind and name.
    pub workloads: BTreeMap<(String, String, String), Workload>,
    /// Services by namespace and name.
    pub services: BTreeMap<(String, String), Service>,
    /// Ingresses by namespace and name.
    pub ingresses: BTreeMap<(String, String), Ingress>,
    /// IngressClasses by name.
    pub ingress_classes: BTreeMap<String, IngressClass>,
    /// What IngressClassParams of the AWS Load Balancer Controller say, by name: their `spec`.
    pub ingress_class_params: BTreeMap<String, Value>,
    /// Pods that run.
    pub pods: Pods,
    /// What controllers said about pods and nodes.
    pub events: Events,
    /// Whether the objects above are all that the cluster has. Otherwise there may be others that nobody told.
    pub is_complete: bool,
}

impl Cluster {
    /// Whether there is a workload of this kind and name.
    pub(crate) fn has_workload(&self, namespace: &str, (kind, name): (&str, &str)) -> bool {
        self.workloads.contains_key(&(namespace.to_owned(), kind.to_owned(), name.to_owned()))
    }
}

/// Whose groups count where (`POD_SECURITY_GROUP_ENFORCING_MODE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnforcingMode {
    /// Traffic of a pod with groups leaves its node, and its groups count always.
    Strict,
    /// Traffic on one node stays there, and translated traffic has the node's groups.
    Standard,
}

/// The VPC CNI's settings (github.com/aws/amazon-vpc-cni-k8s, README).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cni {
    /// The `sgp_pod_eni` or the add-on that sets it.
    pub managed_by: Option<InstanceAddr>,
    /// `v1.20.0-eksbuild.1`.
    pub version: Fact<String>,
    /// `ENABLE_POD_ENI`.
    pub pod_eni: Fact<bool>,
    /// `POD_SECURITY_GROUP_ENFORCING_MODE`.
    pub mode: Fact<EnforcingMode>,
    /// `AWS_VPC_K8S_CNI_EXTERNALSNAT`.
    pub external_snat: Fact<bool>,
    /// `AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS`.
    pub not_translated: Fact<Vec<IpNet>>,
    /// `DISABLE_TCP_EARLY_DEMUX` of the init container.
    pub is_early_demux_off: Fact<bool>,
    /// Whether its agent enforces NetworkPolicies.
    pub has_network_policies: Fact<bool>,
    /// Whether nodes give pods addresses of a prefix (`ENABLE_PREFIX_DELEGATION`).
    pub prefix_delegation: Fact<bool>,
}

/// A managed node group.
#[derive(Clone, Debug, Default)]
pub struct NodeGroup {
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// Where its nodes are.
    pub subnets: Vec<Id>,
    /// The types that its nodes may have.
    pub instance_types: Fact<Vec<String>>,
    /// The groups of its nodes' first interfaces.
    pub groups: Fact<Vec<Id>>,
    /// How many nodes: at least, wanted, at most.
    pub size: Fact<(u32, u32, u32)>,
    /// The nodes' labels.
    pub labels: Labels,
    /// `AL2023_x86_64_STANDARD` and the like.
    pub ami_type: Fact<String>,
}

/// A Fargate profile.
#[derive(Clone, Debug, Default)]
pub struct FargateProfile {
    /// Where its pods are.
    pub subnets: Vec<Id>,
    /// Which pods it takes.
    pub selectors: Vec<FargateSelector>,
}

/// Which pods a Fargate profile takes: of a namespace (`*` and `?` stand for characters), with these labels.
#[derive(Clone, Debug, Default)]
pub struct FargateSelector {
    /// The namespace, or a pattern.
    pub namespace: String,
    /// All of these, with values that may be patterns.
    pub labels: Labels,
}

/// A node.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its instance.
    pub instance: Option<Id>,
    /// Its instance type.
    pub instance_type: Option<String>,
    /// Its labels.
    pub labels: Labels,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// `vpc.amazonaws.com/pod-eni` that it can hand out.
    pub pod_eni: Option<u32>,
    /// How many pods it takes.
    pub max_pods: Option<u32>,
}

/// What a node's CNI asks of AWS's controller (`CNINode`, vpcresources.k8s.aws/v1alpha1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CniNode {
    /// Whether `spec.features` has `SecurityGroupsForPods`, which asks for a trunk.
    pub wants_trunk: bool,
}

/// A namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its labels, `kubernetes.io/metadata.name` too.
    pub labels: Labels,
}

/// A service account.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccount {
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// Its labels, which `serviceAccountSelector` looks at.
    pub labels: Fact<Labels>,
    /// Its annotations.
    pub annotations: Labels,
}

/// A SecurityGroupPolicy.
#[derive(Clone, Debug, Default)]
pub struct SecurityGroupPolicy {
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// The pods it is for; `None` is absent, which is not the same as the empty selector.
    pub pods: Option<Selector>,
    /// The service accounts it is for.
    pub service_accounts: Option<Selector>,
    /// The groups, in the order stated.
    pub groups: Fact<Vec<Id>>,
}

/// How containers are asked whether they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// A TCP connection.
    Tcp,
    /// An HTTP request.
    Http,
    /// A gRPC call.
    Grpc,
}

/// A probe that kubelet makes over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How.
    pub kind: ProbeKind,
    /// The port; `None` when its name is no port of the container's.
    pub port: Option<u16>,
}

/// A port that a container declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// Its name.
    pub name: Option<String>,
    /// The protocol in lower case: `tcp`, `udp`, `sctp`.
    pub protocol: String,
    /// The number.
    pub port: u16,
}

/// What pods of one making have in common.
#[derive(Clone, Debug, Default)]
pub struct PodTemplate {
    /// Their labels.
    pub labels: Fact<Labels>,
    /// Their service account; `default` where they name none.
    pub service_account: Fact<String>,
    /// Whether they use their node's network.
    pub is_host_network: bool,
    /// Whether they are for Windows nodes.
    pub is_windows: bool,
    /// Whether a container asks for `vpc.amazonaws.com/pod-eni` itself.
    pub asks_for_pod_eni: bool,
    /// Ports of their containers.
    pub ports: Vec<ContainerPort>,
    /// Probes over the network.
    pub probes: Vec<Probe>,
    /// Labels that their node must have.
    pub node_selector: Labels,
    /// `terminationGracePeriodSeconds`.
    pub termination_grace: Option<u64>,
    /// Their annotations.
    pub annotations: Labels,
}

/// What makes pods: a Deployment, StatefulSet, DaemonSet, Job, CronJob, ReplicaSet.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// The object of the configuration that makes it.
    pub managed_by: Option<InstanceAddr>,
    /// How many pods it wants; `None` for a DaemonSet, which has one on each node.
    pub replicas: Fact<Option<u32>>,
    /// How many more may run during an update.
    pub surge: Fact<u32>,
    /// Its pods.
    pub template: PodTemplate,
    /// How its pods follow a changed template.
    pub update: Update,
    /// The kind and name of what made it: a ReplicaSet's Deployment, a Job's CronJob.
    pub owner: Option<(String, String)>,
}

/// How the pods of a workload follow its template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Update {
    /// They are made anew, some at a time.
    #[default]
    Rolling,
    /// They keep what they are until somebody deletes them (`OnDelete`).
    OnDelete,
    /// Not before the workload is resumed (`paused`).
    Paused,
}

/// The name of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

/// A pod that runs.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// What it was made from.
    pub template: PodTemplate,
    /// The node that it runs on.
    pub node: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The interface of its own: of annotation `vpc.amazonaws.com/pod-eni`.
    pub branch: Option<Id>,
    /// Whether it runs on Fargate.
    pub is_fargate: bool,
    /// The kind and name of what made it.
    pub owner: Option<(String, String)>,
    /// `Pending`, `Running`, `Succeeded`, `Failed`.
    pub phase: String,
    /// Whether it is being deleted.
    pub is_leaving: bool,
    /// Whether it says that it is not ready (`status.conditions`). Without a word it is.
    pub is_unready: bool,
}

/// What every namespace that is not known begins with.
const UNKNOWN_NAMESPACE: &str = "the unknown namespace of ";

/// A namespace that is known after apply, of an object of this name. It may be any of the others.
pub fn unknown_namespace(name: &str) -> String {
    sgp_model::symbol::symbol(&format!("{UNKNOWN_NAMESPACE}{name}"))
}

/// Whether a namespace is known after apply, and may be any of the others.
pub fn is_unknown_namespace(namespace: &str) -> bool {
    sgp_model::symbol::reference(namespace).is_some_and(|it| it.starts_with(UNKNOWN_NAMESPACE))
}

/// Whether objects of two namespaces are in the same one, as far as that is known.
pub fn is_same_namespace(one: &str, other: &str) -> Fact<bool> {
    if is_unknown_namespace(one) || is_unknown_namespace(other) { Fact::Unknown } else { Fact::Known(one == other) }
}

/// Objects that may be in a namespace, and whether they surely are, of those by namespace and name.
pub(crate) fn in_namespace<'a, T>(
    all: &'a BTreeMap<(String, String), T>,
    namespace: &'a str,
) -> impl Iterator<Item = (&'a str, &'a T, bool)> {
    let is_open = is_unknown_namespace(namespace);
    // Symbols come after all that people write; this is how those that are meant begin.
    let mut symbols = sgp_model::symbol::symbol(UNKNOWN_NAMESPACE);
    symbols.pop();
    let first = if is_open { String::new() } else { namespace.to_owned() };
    let own = all.range((first, String::new())..).take_while(move |((its, _), _)| is_open || its == namespace);
    let open = all.range((symbols, String::new())..).filter(move |_| !is_open);
    let open = open.filter(|((its, _), _)| is_unknown_namespace(its));
    let own = own.map(move |((_, name), it)| (name.as_str(), it, !is_open));
    own.chain(open.map(|((_, name), it)| (name.as_str(), it, false)))
}
