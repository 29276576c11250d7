//! What exists around what is managed, for whoever judges it.

use sgp_model::Value;

/// An object that exists, in the shape of a resource type: an `aws_subnet` that nobody manages looks like one that somebody does.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The resource type: `aws_network_interface`, `kubernetes_manifest`.
    pub kind: String,
    /// Its attributes, as far as they matter. Rules say `is_egress`, because their two types look alike.
    pub attributes: Value,
}

/// Where to look. Grows while providers look: clusters lead to VPCs, and VPCs to those that they are peered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Ids of VPCs.
    pub vpc_ids: Vec<String>,
    /// Names of clusters.
    pub clusters: Vec<String>,
}
