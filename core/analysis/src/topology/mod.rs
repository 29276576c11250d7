//! One model of networks, security groups, clusters and pods, whatever it was made from.
//!
//! Objects have the ids that AWS gave them. One that does not exist yet has a symbolic [`Id`], so that the first plan of an empty
//! account can be judged like any other. What nobody told is [`Fact::Unknown`].

mod cluster;
mod events;
mod fact;
mod groups;
mod id;
mod indexed;
mod interfaces;
mod network;
mod services;

use std::collections::BTreeMap;

use sgp_model::symbol;

pub(crate) use cluster::in_namespace;
pub use cluster::{
    Cluster, Cni, CniNode, ContainerPort, EnforcingMode, FargateProfile, FargateSelector, Labels, Namespace, Node,
    NodeGroup, Pod, PodKey, PodTemplate, Probe, ProbeKind, SecurityGroupPolicy, ServiceAccount, Update, Workload,
    is_same_namespace, is_unknown_namespace, unknown_namespace,
};
pub use events::{Event, Events};
pub use fact::Fact;
pub use groups::{Direction, Group, Origin, Peer, Rule};
pub use id::Id;
pub(crate) use indexed::makers;
pub use indexed::{Interfaces, Pods};
pub use interfaces::{Interface, InterfaceKind};
pub use network::{
    Acl, AclEntry, Destination, InternetGateway, NatGateway, Peering, PrefixList, Route, RouteTable, Subnet, Target,
    Vpc,
};
pub use services::{Annotations, Backend, BackendPort, Ingress, IngressClass, Service, ServicePort, TargetPort};

use crate::limits::Described;

/// The model.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// VPCs.
    pub vpcs: BTreeMap<Id, Vpc>,
    /// Subnets.
    pub subnets: BTreeMap<Id, Subnet>,
    /// Route tables.
    pub route_tables: BTreeMap<Id, RouteTable>,
    /// Internet gateways, egress-only ones too.
    pub internet_gateways: BTreeMap<Id, InternetGateway>,
    /// NAT gateways.
    pub nat_gateways: BTreeMap<Id, NatGateway>,
    /// Peering connections.
    pub peerings: BTreeMap<Id, Peering>,
    /// Network ACLs.
    pub acls: BTreeMap<Id, Acl>,
    /// Prefix lists, AWS's own too.
    pub prefix_lists: BTreeMap<Id, PrefixList>,
    /// Security groups.
    pub groups: BTreeMap<Id, Group>,
    /// Network interfaces. Empty for what is only planned.
    pub interfaces: Interfaces,
    /// What EC2 says of instance types, of those that somebody asked about.
    pub instance_types: BTreeMap<String, Described>,
    /// Clusters by name.
    pub clusters: BTreeMap<Id, Cluster>,
}

impl Topology {
    /// The groups that a text names: by id, by name (which several VPCs may have), or by the address of their object.
    pub fn groups_named<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a Id, &'a Group)> {
        let is_it = move |(id, group): &(&Id, &Group)| {
            let address = group.managed_by.as_ref().map(ToString::to_string);
            id.as_str() == text || group.name == text || address.is_some_and(|it| it == text)
        };
        self.groups.iter().filter(is_it)
    }

    /// The cluster that a text names: by its name, by its ARN, or by what stands for its id (which is its name) or ARN before it exists.
    pub fn cluster_named(&self, text: &str) -> Option<&Id> {
        let name = text.rsplit_once(":cluster/").map_or(text, |(_, name)| name);
        if let Some((id, _)) = self.clusters.get_key_value(name) {
            return Some(id);
        }
        let (address, attribute) = symbol::reference(text)?.rsplit_once('.')?;
        let is_it = |it: &Cluster| it.managed_by.as_ref().is_some_and(|addr| addr.to_string() == address);
        let mut all = self.clusters.iter();
        all.find(|(_, it)| ["id", "arn"].contains(&attribute) && is_it(it)).map(|(id, _)| id)
    }

    /// Whether the blocks of a VPC hold this address; unknown when nobody told them.
    pub fn vpc_addresses(&self, vpc: &Id) -> Option<crate::sets::AddressSet> {
        let blocks = self.vpcs.get(vpc)?.blocks.known()?;
        Some(blocks.iter().collect())
    }

    /// The VPC at the other end of an active peering connection.
    pub fn other_end(&self, peering: &Id, vpc: &Id) -> Option<&Id> {
        let peering = self.peerings.get(peering).filter(|it| it.is_active)?;
        match &peering.ends {
            [one, other] | [other, one] if one == vpc => Some(other),
            _ => None,
        }
    }

    /// Whether everything but groups, interfaces and pods is the same: what packets travel over, and the clusters' settings.
    pub fn has_networks_of(&self, other: &Self) -> bool {
        let settings = |it: &Self| {
            let cluster = |(id, it): (&Id, &Cluster)| {
                (id.clone(), it.vpc.clone(), it.cni.clone(), it.network_policies.clone(), it.namespaces.clone())
            };
            it.clusters.iter().map(cluster).collect::<Vec<_>>()
        };
        self.vpcs == other.vpcs
            && self.subnets == other.subnets
            && self.route_tables == other.route_tables
            && self.internet_gateways == other.internet_gateways
            && self.nat_gateways == other.nat_gateways
            && self.peerings == other.peerings
            && self.acls == other.acls
            && self.prefix_lists == other.prefix_lists
            && settings(self) == settings(other)
    }

    /// Whether groups of the one VPC count in the other: the same one, or peered.
    pub fn are_near(&self, one: &Id, other: &Id) -> bool {
        one == other || self.peerings.keys().any(|peering| self.other_end(peering, one) == Some(other))
    }
}
