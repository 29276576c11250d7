//! Which types are read, and how.

use super::{Builder, Item, cni, eks, groups, interfaces, manifest, network, pods, routes};

type Read = fn(&mut Builder, &Item<'_>);

/// Types by pass: a pass finds what those before it made. One line a type.
pub(super) const PASSES: [&[(&str, Read)]; 3] = [
    &[
        ("aws_ec2_instance_type", eks::instance_type),
        ("aws_ec2_managed_prefix_list", network::prefix_list),
        ("aws_egress_only_internet_gateway", network::egress_only_gateway),
        ("aws_eks_cluster", eks::cluster),
        ("aws_internet_gateway", network::internet_gateway),
        ("aws_launch_template", eks::launch_template),
        ("aws_nat_gateway", network::nat_gateway),
        ("aws_network_acl", network::acl),
        ("aws_network_acl_rule", routes::acl_rule),
        ("aws_network_interface", interfaces::interface),
        ("aws_route", routes::route),
        ("aws_route_table", network::route_table),
        ("aws_route_table_association", routes::association),
        ("aws_security_group", groups::group),
        ("aws_subnet", network::subnet),
        ("aws_vpc", network::vpc),
        ("aws_vpc_endpoint", routes::endpoint),
        ("aws_vpc_peering_connection", network::peering),
        ("aws_vpc_security_group_egress_rule", groups::rule),
        ("aws_vpc_security_group_ingress_rule", groups::rule),
    ],
    &[
        ("aws_eks_addon", cni::addon),
        ("aws_eks_fargate_profile", eks::fargate_profile),
        ("aws_eks_node_group", eks::node_group),
        ("aws_vpc_peering_connection_accepter", routes::accepter),
        ("kubernetes_manifest", manifest::manifest),
        ("kubernetes_namespace_v1", pods::namespace),
        ("kubernetes_network_policy_v1", pods::network_policy),
        ("kubernetes_service_account_v1", pods::service_account),
        ("sgp_security_group_policy", pods::security_group_policy),
    ],
    // The last word: what it turns on counts whatever the add-on's own values say.
    &[("sgp_pod_eni", cni::pod_eni)],
];
