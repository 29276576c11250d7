//! Rules stand whatever they are given.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{prelude::*, sample::select};
use sgp_analysis::build::{Object, Sources, build};
use sgp_model::{InstanceAddr, Type, Value, address::parse_instance, json::from_serde, plan::Action, symbol::symbol};

use crate::{Edges, Input, check, hide_secrets};

const KINDS: [&str; 24] = [
    "aws_ec2_managed_prefix_list",
    "aws_eks_addon",
    "aws_eks_cluster",
    "aws_eks_fargate_profile",
    "aws_eks_node_group",
    "aws_eks_pod_identity_association",
    "aws_iam_openid_connect_provider",
    "aws_iam_policy",
    "aws_iam_policy_attachment",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_launch_template",
    "aws_network_interface",
    "aws_security_group",
    "aws_subnet",
    "aws_vpc",
    "aws_vpc_endpoint",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
    "kubernetes_manifest",
    "kubernetes_service_account_v1",
    "sgp_pod_eni",
    "sgp_security_group_policy",
];

/// Names of attributes, fields and keys that something looks at.
const NAMES: [&str; 78] = [
    "addon_name",
    "addon_version",
    "annotations",
    "apiVersion",
    "assume_role_policy",
    "attachment",
    "branch_eni_cooldown",
    "cidr_block",
    "cidr_blocks",
    "cidr_ipv4",
    "client_id_list",
    "cluster_name",
    "cluster_security_group_id",
    "compute_config",
    "configuration_values",
    "containers",
    "description",
    "disable_tcp_early_demux",
    "egress",
    "enabled",
    "enforcing_mode",
    "env",
    "external_snat",
    "from_port",
    "groupIds",
    "hard",
    "id",
    "ingress",
    "init_env",
    "instance_types",
    "ip_protocol",
    "key",
    "kind",
    "labels",
    "launch_template",
    "limits",
    "managed_policy_arns",
    "manifest",
    "matchLabels",
    "match_expressions",
    "match_labels",
    "metadata",
    "min_size",
    "name",
    "namespace",
    "node_group_name",
    "operator",
    "podSelector",
    "pod_selector",
    "policy",
    "policy_arn",
    "ports",
    "private_dns_enabled",
    "protocol",
    "referenced_security_group_id",
    "replicas",
    "resolve_conflicts_on_update",
    "role",
    "role_arn",
    "rules",
    "scaling_config",
    "securityGroups",
    "security_group_id",
    "security_group_ids",
    "selector",
    "serviceAccountName",
    "service_account",
    "service_account_selector",
    "service_name",
    "spec",
    "status",
    "subnet_id",
    "subnet_ids",
    "template",
    "to_port",
    "url",
    "values",
    "vpc_config",
];

/// Texts that mean something somewhere.
const TEXTS: [&str; 40] = [
    "",
    "*",
    "-1",
    "0.0.0.0/0",
    "10.0.0.0/16",
    "::/0",
    "AmazonEKSVPCResourceController",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "ENIConfig",
    "Exists",
    "In",
    "Ingress",
    "Node",
    "Pod",
    "ResourceQuota",
    "SecurityGroupPolicy",
    "Service",
    "ServiceAccount",
    "app",
    "aws-node",
    "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController",
    "default",
    "env",
    "fooled",
    "kube-proxy",
    "kube-system",
    "m5.large",
    "orders",
    "sg-01234567",
    "standard",
    "strict",
    "t3.medium",
    "tcp",
    "true",
    "udp",
    "vpc-cni",
    "{",
    "\u{e4}\u{1f600}",
];

/// Something sensitive.
const SECRET: &str = "k3pt";

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => select(&TEXTS[..]).prop_map(Value::string),
        2 => select(&["a.b.id", "aws_iam_role.x.arn", "aws_security_group.x.id", "aws_eks_cluster.x.name"][..])
            .prop_map(|it| Value::string(symbol(it))),
        1 => ".{0,6}".prop_map(Value::string),
        // JSON in a text, as policies and configurations of add-ons are.
        2 => value(2).prop_map(|it| Value::string(sgp_model::json::known_part(&it).to_string().replace(SECRET, ""))),
    ]
    .boxed()
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::dynamic_null()),
        Just(Value::unknown(Type::Dynamic)),
        any::<bool>().prop_map(|it| from_serde(&it.into())),
        (-2_i64..70_000).prop_map(Value::int),
        any::<i64>().prop_map(Value::int),
        select(&TEXTS[..]).prop_map(Value::string),
        Just(Value::string(SECRET).sensitive()),
    ]
}

fn value(depth: u32) -> BoxedStrategy<Value> {
    leaf()
        .prop_recursive(depth, 24, 4, |inner| {
            let fields = prop::collection::btree_map(select(&NAMES[..]), inner.clone(), 0..5);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::tuple),
                prop::collection::vec(select(&TEXTS[..]), 0..3)
                    .prop_map(|it| Value::set(Type::String, it.into_iter().map(Value::string))),
                fields.prop_map(Value::object),
            ]
        })
        .boxed()
}

fn object() -> impl Strategy<Value = Object> {
    let attribute = prop_oneof![1 => text().boxed(), 2 => value(5)];
    let attributes = prop::collection::btree_map(select(&NAMES[..]), attribute, 0..12);
    (select(&KINDS[..]), attributes, prop::option::of(0_u8..3)).prop_map(|(kind, fields, name)| Object {
        kind: kind.to_owned(),
        addr: name.map(|n| parse_instance(&format!("{kind}.x{n}")).unwrap()),
        attributes: Value::object(fields.into_iter().map(|(name, value)| (Arc::from(name), value))),
    })
}

fn action() -> impl Strategy<Value = Action> {
    select(
        &[
            Action::NoOp,
            Action::Create,
            Action::Update,
            Action::DeleteThenCreate,
            Action::CreateThenDelete,
            Action::Delete,
        ][..],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn rules_do_not_fall_over(
        before in prop::collection::vec(object(), 0..12),
        after in prop::collection::vec(object(), 0..24),
        chosen in prop::collection::vec(action(), 36),
        is_live in any::<bool>(),
    ) {
        let topology = |objects: &[Object]| {
            build(&Sources { objects: hide_secrets(objects).into_owned(), complete_clusters: vec!["orders".to_owned()], ..Sources::default() })
        };
        let addrs = before.iter().chain(&after).filter_map(|it| it.addr.clone());
        let actions: BTreeMap<InstanceAddr, Action> = addrs.zip(chosen).collect();
        let configs = after.iter().filter_map(|it| Some((it.addr.clone()?, it.attributes.clone()))).collect();
        let input = Input {
            objects: &after,
            before: &before,
            topology: &topology(&after),
            topology_before: &topology(&before),
            configs: &configs,
            actions: &actions,
            edges: &Edges::new(),
            partition: None,
            region: Some("eu-central-1"),
            is_live,
        };
        for finding in check(&input) {
            prop_assert!(!finding.detail.contains('\u{f8f0}'), "a symbol is no text for people: {finding:?}");
            prop_assert!(!finding.detail.contains(SECRET), "a secret is told: {finding:?}");
        }
    }
}
