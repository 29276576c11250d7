//! What a person should know of nodes.

use std::fmt;

use crate::limits;

/// Something about a type that decides what its nodes are for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// It can have no trunk.
    NoTrunk(String),
    /// The tables do not know it.
    NotKnown(String),
    /// The cluster's controller does not know it; releases that do.
    NewerController {
        /// The type.
        instance_type: String,
        /// The releases.
        since: Vec<&'static str>,
    },
    /// With the trunk it has no interface beside its first one.
    TwoInterfaces(String),
    /// It is EKS Auto Mode's: whether its pods have branch interfaces depends on the Kubernetes version.
    AutoMode(String),
    /// It offers no branch interfaces though it should: its trunk is missing.
    TrunkMissing(String),
}

/// A sentence.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTrunk(it) => write!(f, "{it} can have no trunk, and so no pod with security groups of its own"),
            Self::NotKnown(it) => write!(f, "{it} is not in the controller's table of {}", limits::SOURCE.version),
            Self::NewerController { instance_type, since } => {
                write!(f, "the cluster's controller does not know {instance_type}: {} do", since.join(" and "))
            }
            Self::TwoInterfaces(it) => {
                write!(
                    f,
                    "{it} has two interfaces: with the trunk, ordinary pods have those addresses only that are the first one's"
                )
            }
            Self::AutoMode(node) => {
                write!(
                    f,
                    "node {node} is EKS Auto Mode's, whose pods get branch interfaces in some versions of Kubernetes only"
                )
            }
            Self::TrunkMissing(node) => write!(f, "node {node} offers no vpc.amazonaws.com/pod-eni"),
        }
    }
}
