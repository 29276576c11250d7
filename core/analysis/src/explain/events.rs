//! What controllers said, with what to do about it
//! (amazon-vpc-resource-controller-k8s, `pkg/utils/events.go` and `pkg/provider/branch/provider.go`).

use crate::topology::{Cluster, Event, PodKey};

/// Reasons that say why a pod has no branch interface.
pub(super) const ALLOCATION: [&str; 3] =
    ["BranchAllocationFailed", "BranchENIAnnotationFailed", "SecurityGroupRequested"];
/// Reasons that say why containers do not start.
pub(super) const START: [&str; 4] = ["FailedCreatePodSandBox", "FailedMount", "Failed", "BackOff"];
/// Reasons that say why a node has no trunk.
const TRUNK: [&str; 5] =
    ["TrunkENICreationFailed", "Unsupported", "NodeTrunkFailedInit", "EniConfigNameNotFound", "CNINodeCreationFailed"];

/// Where no event is known.
pub(super) const UNTOLD: &str = "Look at its events (kubectl describe pod): BranchAllocationFailed says why. Addresses of the subnet, an unknown \
                                 group, more groups than an interface may have, or a cool-down are the usual reasons.";

/// What an event says.
pub(super) struct Said {
    /// `FailedScheduling "0/2 nodes are available"`.
    pub(super) told: String,
    /// What to do.
    pub(super) remedy: &'static str,
    /// Whether something is wrong.
    pub(super) is_warning: bool,
}

/// The newest event about a pod with one of these reasons.
pub(super) fn of_pod(cluster: &Cluster, key: &PodKey, reasons: &[&str]) -> Option<Said> {
    let (reason, event) = cluster.events.newest(("Pod", &key.namespace, &key.name), reasons)?;
    Some(said(reason, event))
}

/// Why a node has no trunk, as its events say.
pub(super) fn of_trunk(cluster: &Cluster, node: &str) -> Option<Said> {
    let (reason, event) = cluster.events.newest(("Node", "", node), &TRUNK)?;
    Some(said(reason, event)).filter(|it| it.is_warning)
}

fn said(reason: &str, event: &Event) -> Said {
    let at = if event.at.is_empty() { String::new() } else { format!(" at {}", event.at) };
    Said {
        told: format!("{reason}{at} \"{}\"", event.message.trim()),
        remedy: remedy(reason, &event.message),
        is_warning: event.is_warning,
    }
}

/// By reason and by what stands in the message; the first row that fits.
const REMEDIES: [(&str, &str, &str); 16] = [
    (
        "",
        "UnauthorizedOperation",
        "Give the cluster's role (not the nodes') AmazonEKSVPCResourceController: sgp explain SGP001.",
    ),
    (
        "",
        "InvalidSecurityGroupID",
        "A group of its policies does not exist any more: name one that does, then make the pod anew.",
    ),
    (
        "",
        "InvalidGroup",
        "A group of its policies does not exist in this VPC: name one that does, then make the pod anew.",
    ),
    (
        "",
        "security group memberships",
        "Its policies together give it more groups than an interface may have: merge groups, or raise quota L-2AFB9258.",
    ),
    (
        "",
        "InsufficientFreeAddresses",
        "The node's subnet has no free address: add a subnet, or look at sgp capacity -live.",
    ),
    (
        "",
        "Client.PrivateIpAddressLimitExceeded",
        "The interface has no room for another address: look at sgp capacity -live.",
    ),
    (
        "BranchAllocationFailed",
        "cool",
        "Deleted branch interfaces cool down for a minute before their place is free: wait, or lower branch_eni_cooldown.",
    ),
    ("BranchAllocationFailed", "", "Look at what AWS said in that event; the pod is tried again by itself."),
    (
        "BranchENIAnnotationFailed",
        "",
        "The interface is there and could not be written on the pod: look whether the API server was out of reach; it is tried again.",
    ),
    (
        "SecurityGroupRequested",
        "",
        "The controller is at it. When it stays so, look at BranchAllocationFailed (kubectl describe pod).",
    ),
    (
        "FailedScheduling",
        "vpc.amazonaws.com/pod-eni",
        "All branch interfaces are in use: add nodes or take a larger type (sgp capacity -live).",
    ),
    ("FailedScheduling", "", "The scheduler names its reasons there: taints, selectors, processors or memory."),
    (
        "FailedCreatePodSandBox",
        "",
        "The CNI on the node could not give it its network: look at aws-node on that node (kubectl -n kube-system logs).",
    ),
    ("Unsupported", "", "Take an instance type that carries a trunk: sgp explain SGP101."),
    (
        "EniConfigNameNotFound",
        "",
        "Custom networking is on and the node names no ENIConfig: set its label or annotation, then make the node anew.",
    ),
    ("", "", "Look at it with kubectl describe."),
];

fn remedy(reason: &str, message: &str) -> &'static str {
    let fits = |(of, part, _): &&(&str, &str, &str)| (of.is_empty() || *of == reason) && message.contains(part);
    REMEDIES.iter().find(fits).map_or("", |(_, _, remedy)| remedy)
}
