//! Network interfaces.

use std::net::IpAddr;

use super::{Builder, Item};
use crate::topology::{Fact, Id, Interface, InterfaceKind};

/// The tag of a trunk and its branches, which say nothing of an instance themselves
/// (amazon-vpc-resource-controller-k8s, `pkg/config/type.go`).
const INSTANCE: &str = "node.k8s.amazonaws.com/instance_id";

/// `aws_network_interface`.
pub(super) fn interface(builder: &mut Builder, item: &Item<'_>) {
    let (Some(id), Fact::Known(vpc), Fact::Known(subnet)) =
        (item.id(), item.view.id("vpc_id"), item.view.id("subnet_id"))
    else {
        return;
    };
    let texts = |name: &str| item.view.texts(name).known().cloned().unwrap_or_default();
    let mut addresses: Vec<IpAddr> = Vec::new();
    let first = item.view.text("private_ip").into_iter();
    for text in first.chain(texts("private_ips")).chain(texts("ipv6_addresses")) {
        match text.parse() {
            Ok(address) if !addresses.contains(&address) => addresses.push(address),
            _ => {}
        }
    }
    let prefixes = [texts("ipv4_prefixes"), texts("ipv6_prefixes")].concat();
    let associations = item.view.blocks("association");
    let pair = |view: &super::View<'_>| {
        let own = view.text("private_ip").and_then(|text| text.parse().ok()).or_else(|| addresses.first().copied());
        Some((own?, view.text("public_ip")?.parse().ok()?))
    };
    let public = associations.iter().filter_map(pair).collect();
    let attachment = item.view.block("attachment");
    let attached = |name: &str| attachment.as_ref().and_then(|it| it.text(name)).map(Id::from);
    let tags = item.view.known_labels("tags");
    let description = item.view.text("description").unwrap_or_default().to_owned();
    let interface = Interface {
        kind: kind(
            item.view.text("interface_type").unwrap_or_default(),
            &description,
            attached("instance_id").is_some(),
        ),
        vpc,
        subnet,
        prefixes: prefixes.into_iter().filter_map(super::view::parse_block).collect(),
        public,
        groups: item.view.known_ids("security_groups"),
        instance: attached("instance_id").or_else(|| tags.get(INSTANCE).map(|id| Id::from(id.as_str()))),
        device_index: attachment
            .as_ref()
            .and_then(|it| it.number("device_index"))
            .and_then(|it| u32::try_from(it).ok()),
        is_in_use: item.view.text("status").map_or(attachment.is_some(), |status| status == "in-use"),
        addresses,
        description,
    };
    builder.topology.interfaces.insert(id, interface);
}

/// What an interface is for, by its type and by what its maker says of it.
fn kind(interface_type: &str, description: &str, is_of_instance: bool) -> InterfaceKind {
    let begins = |with: &str| description.starts_with(with);
    match interface_type {
        "trunk" => InterfaceKind::Trunk,
        "branch" => InterfaceKind::Branch,
        "nat_gateway" | "natGateway" => InterfaceKind::NatGateway,
        "network_load_balancer" | "load_balancer" | "gateway_load_balancer" => InterfaceKind::LoadBalancer,
        "vpc_endpoint" | "gateway_load_balancer_endpoint" => InterfaceKind::Endpoint,
        _ if begins("aws-k8s-branch-eni") => InterfaceKind::Branch,
        _ if begins("aws-k8s-trunk-eni") => InterfaceKind::Trunk,
        _ if begins("ELB ") => InterfaceKind::LoadBalancer,
        _ if begins("RDSNetworkInterface") || begins("ElastiCache") => InterfaceKind::Database,
        _ if begins("Amazon EKS ") => InterfaceKind::ControlPlane,
        _ if begins("aws-K8S-") || is_of_instance => InterfaceKind::Node,
        _ => InterfaceKind::Other,
    }
}
