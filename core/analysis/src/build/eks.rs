//! Clusters, node groups, Fargate profiles.

use super::{Builder, Item, View, groups::cluster_group_symbol};
use crate::{
    limits::{Described, Hypervisor},
    topology::{Cluster, Fact, FargateProfile, FargateSelector, Id, NodeGroup},
};

/// `aws_eks_cluster`.
pub(super) fn cluster(builder: &mut Builder, item: &Item<'_>) {
    let Some(name) = item.id_at("name") else { return };
    let network = item.view.block("vpc_config");
    let group = network.as_ref().and_then(|it| it.text("cluster_security_group_id")).map(Id::from);
    let group = group.or_else(|| item.addr.map(cluster_group_symbol));
    let family = item.view.block("kubernetes_network_config").map_or(Fact::Unknown, |it| it.fact("ip_family"));
    let cluster = builder.topology.clusters.entry(name).or_default();
    *cluster = Cluster {
        managed_by: item.addr.cloned().or(cluster.managed_by.take()),
        version: item.view.text("version").map(str::to_owned).into(),
        vpc: network.as_ref().map_or(Fact::Unknown, |it| it.id("vpc_id")),
        subnets: network.as_ref().map(|it| it.known_ids("subnet_ids")).unwrap_or_default(),
        group: group.into(),
        further_groups: network.as_ref().map(|it| it.known_ids("security_group_ids")).unwrap_or_default(),
        role: item.view.id("role_arn"),
        is_auto: item.view.block("compute_config").map_or(Fact::Known(false), |it| it.flag("enabled")),
        // Without a word EKS takes IPv4 (API reference of KubernetesNetworkConfigRequest).
        is_ipv6: family.map(|family| family == Some("ipv6")),
        ..std::mem::take(cluster)
    };
}

/// `aws_launch_template`: the groups of nodes made from it.
pub(super) fn launch_template(builder: &mut Builder, item: &Item<'_>) {
    let own = item.view.ids("vpc_security_group_ids");
    let interfaces = item.view.blocks("network_interfaces");
    let of_interface = interfaces.first().map(|it| it.ids("security_groups"));
    let groups = match (own, of_interface) {
        (Fact::Known(own), Some(more)) if own.is_empty() => more,
        (own, _) => own,
    };
    for name in ["id", "name"] {
        if let Some(id) = item.id_at(name) {
            builder.templates.insert(id, groups.clone());
        }
    }
}

/// `aws_eks_node_group`.
pub(super) fn node_group(builder: &mut Builder, item: &Item<'_>) {
    let Some(name) = item.id_at("node_group_name") else { return };
    let groups = match item.view.block("launch_template") {
        None => Fact::Known(Vec::new()),
        Some(template) => {
            let id = ["id", "name"].into_iter().find_map(|it| template.text(it));
            id.and_then(|id| builder.templates.get(id)).cloned().unwrap_or_default()
        }
    };
    let size = item.view.block("scaling_config").and_then(|it| size(&it));
    let types = item.view.texts("instance_types").map(|types| types.into_iter().map(str::to_owned).collect());
    let nodes = &mut builder.cluster_of(item).node_groups;
    let known = nodes.get(&name).and_then(|it| it.managed_by.clone());
    let group = NodeGroup {
        managed_by: item.addr.cloned().or(known),
        subnets: item.view.known_ids("subnet_ids"),
        instance_types: types,
        groups,
        size: size.into(),
        labels: item.view.known_labels("labels"),
        ami_type: item.view.text("ami_type").map(str::to_owned).into(),
    };
    nodes.insert(name, group);
}

fn size(view: &View<'_>) -> Option<(u32, u32, u32)> {
    let part = |name| view.number(name).and_then(|it| u32::try_from(it).ok());
    Some((part("min_size")?, part("desired_size")?, part("max_size")?))
}

/// `aws_eks_fargate_profile`.
pub(super) fn fargate_profile(builder: &mut Builder, item: &Item<'_>) {
    let Some(name) = item.id_at("fargate_profile_name") else { return };
    let selector = |view: View<'_>| FargateSelector {
        namespace: view.text("namespace").unwrap_or_default().to_owned(),
        labels: view.known_labels("labels"),
    };
    let profile = FargateProfile {
        subnets: item.view.known_ids("subnet_ids"),
        selectors: item.view.blocks("selector").into_iter().map(selector).collect(),
    };
    builder.cluster_of(item).fargate_profiles.insert(name, profile);
}

/// Clusters know their VPC by their subnets, and nodes without groups of their own have the cluster's.
pub(super) fn finish(builder: &mut Builder) {
    let (subnets, known) = (&builder.topology.subnets, &builder.topology.groups);
    for cluster in builder.topology.clusters.values_mut() {
        if !cluster.vpc.is_known() {
            let by_subnet = cluster.subnets.iter().find_map(|id| subnets.get(id)?.vpc.known());
            // Groups of pods are of the cluster's VPC, or shared into it, in which case they say so.
            let groups = cluster.policies.values().filter_map(|policy| policy.groups.known()).flatten();
            let by_group = || {
                groups.filter_map(|id| known.get(id)).find_map(|it| it.vpc.known().filter(|_| it.also_in.is_empty()))
            };
            cluster.vpc = by_subnet.or_else(by_group).cloned().into();
        }
        let group = cluster.group.clone().map(|group| vec![group]);
        for nodes in cluster.node_groups.values_mut() {
            if nodes.groups.known().is_some_and(Vec::is_empty) {
                nodes.groups.clone_from(&group);
            }
        }
    }
    let clusters = &builder.topology.clusters;
    for cluster in clusters.values() {
        if let (Fact::Known(id), Fact::Known(vpc)) = (&cluster.group, &cluster.vpc)
            && let Some(group) = builder.topology.groups.get_mut(id)
            && !group.vpc.is_known()
        {
            group.vpc = Fact::Known(vpc.clone());
        }
    }
}

/// `aws_ec2_instance_type`.
pub(super) fn instance_type(builder: &mut Builder, item: &Item<'_>) {
    let number = |name: &str| item.view.number(name).and_then(|it| u32::try_from(it).ok());
    let (Some(name), Some(max_enis), Some(ipv4_per_eni)) = (
        item.view.text("instance_type"),
        number("maximum_network_interfaces"),
        number("maximum_ipv4_addresses_per_interface"),
    ) else {
        return;
    };
    let hypervisor = match item.view.text("hypervisor") {
        Some("xen") => Some(Hypervisor::Xen),
        Some("nitro") => Some(Hypervisor::Nitro),
        _ => None,
    };
    builder.topology.instance_types.insert(name.to_owned(), Described { max_enis, ipv4_per_eni, hypervisor });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value as Json, json};
    use sgp_model::{address::parse_instance, json::from_serde, symbol::symbol};

    use crate::build::{Object, Sources, build};

    fn object(address: &str, attributes: &Json) -> Object {
        let addr = parse_instance(address).unwrap();
        Object { kind: addr.resource.type_name.to_string(), addr: Some(addr), attributes: from_serde(attributes) }
    }

    #[test]
    fn a_cluster_is_named_by_its_id_and_its_arn_too() {
        let arn = "arn:aws:eks:eu-central-1:123456789012:cluster/main";
        let (id, later) = (symbol("aws_eks_cluster.this[0].id"), symbol("aws_eks_cluster.this[0].arn"));
        for (named, clusters) in [("main", 1), (arn, 1), (&*id, 1), (&*later, 1), ("other", 2)] {
            let objects = vec![
                object("aws_eks_cluster.this[0]", &json!({ "name": "main" })),
                object("aws_eks_node_group.this", &json!({ "cluster_name": named, "node_group_name": "default" })),
            ];
            let topology = build(&Sources { objects, ..Sources::default() });
            assert_eq!(topology.clusters.len(), clusters, "{named}");
            assert_eq!(topology.clusters["main"].node_groups.len(), 2 - clusters, "{named}");
        }
    }
}
