//! A plan of 1,000 resources, all of them new: how long every rule together takes. `cargo bench -p sgp-checks`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Value as Json, json};
use sgp_analysis::{
    build::{Object, Sources, build},
    topology::Topology,
};
use sgp_checks::{Edges, Input, check};
use sgp_model::{InstanceAddr, address::parse_instance, json::from_serde, plan::Action, symbol::symbol};

/// Resources of one team.
const OF_TEAM: usize = 10;

fn object(addr: &str, attributes: &Json) -> Object {
    let kind = addr.split('.').next().unwrap().to_owned();
    Object { kind, addr: Some(parse_instance(addr).unwrap()), attributes: from_serde(attributes) }
}

/// What all teams share.
fn shared() -> Vec<Object> {
    let subnets = json!(["subnet-1", "subnet-2", "subnet-3"]);
    vec![
        object("aws_vpc.this", &json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16" })),
        object("aws_iam_role.cluster", &json!({ "name": "cluster", "arn": "arn:aws:iam::123456789012:role/cluster" })),
        object(
            "aws_eks_cluster.this",
            &json!({ "name": "main", "version": "1.33", "role_arn": "arn:aws:iam::123456789012:role/cluster",
                "vpc_config": [{ "subnet_ids": subnets }] }),
        ),
        object(
            "aws_eks_node_group.default",
            &json!({ "cluster_name": "main", "node_group_name": "default", "subnet_ids": subnets, "instance_types": ["m5.4xlarge"],
                "scaling_config": [{ "min_size": 20, "desired_size": 20, "max_size": 40 }] }),
        ),
        object("sgp_pod_eni.this", &json!({ "cluster_name": "main", "enforcing_mode": "strict" })),
    ]
}

/// A namespace with a workload, its groups and rules, and who may reach it.
fn of_team(number: usize, teams: usize) -> Vec<Object> {
    let group = |of: usize| symbol(&format!("aws_security_group.team_{}.id", of % teams));
    let (name, namespace) = (format!("team_{number}"), format!("team-{number}"));
    let labels = json!({ "app": "api" });
    let rule = |n: usize, is_egress: bool, peer: (&str, String), port: u16| {
        let kind = if is_egress { "egress" } else { "ingress" };
        let mut rule =
            json!({ "security_group_id": group(number), "ip_protocol": "tcp", "from_port": port, "to_port": port });
        rule[peer.0] = json!(peer.1);
        object(&format!("aws_vpc_security_group_{kind}_rule.{name}_{n}"), &rule)
    };
    let by_group = |of: usize| ("referenced_security_group_id", group(of));
    let probe = json!({ "httpGet": { "port": 8080 } });
    let container =
        json!({ "name": "api", "ports": [{ "name": "web", "containerPort": 8080 }], "readinessProbe": probe });
    let spec = json!({ "serviceAccountName": "api", "containers": [container] });
    let template = json!({ "metadata": { "labels": labels }, "spec": spec });
    let manifest = |kind: &str, spec: Json| json!({ "cluster_name": "main", "manifest": { "kind": kind, "metadata": { "name": "api", "namespace": namespace }, "spec": spec } });
    vec![
        object(&format!("aws_security_group.{name}"), &json!({ "name": name, "vpc_id": "vpc-1" })),
        rule(0, true, by_group(number + 1), 8080),
        rule(1, false, by_group(number + teams - 1), 8080),
        rule(2, true, ("cidr_ipv4", "0.0.0.0/0".to_owned()), 443),
        rule(3, true, ("cidr_ipv4", "10.0.0.0/16".to_owned()), 53),
        object(
            &format!("kubernetes_namespace_v1.{name}"),
            &json!({ "cluster_name": "main", "metadata": [{ "name": namespace }] }),
        ),
        object(
            &format!("kubernetes_service_account_v1.{name}"),
            &json!({ "cluster_name": "main", "metadata": [{ "name": "api", "namespace": namespace }] }),
        ),
        object(
            &format!("sgp_security_group_policy.{name}"),
            &json!({ "cluster_name": "main", "name": "api", "namespace": namespace, "pod_selector": [{ "match_labels": labels }],
                "security_group_ids": [group(number)] }),
        ),
        object(
            &format!("kubernetes_manifest.{name}_workload"),
            &manifest("Deployment", json!({ "replicas": 3, "template": template })),
        ),
        object(
            &format!("kubernetes_manifest.{name}_service"),
            &manifest("Service", json!({ "selector": labels, "ports": [{ "port": 80, "targetPort": "web" }] })),
        ),
    ]
}

fn plan(resources: usize) -> Vec<Object> {
    let teams = resources / OF_TEAM;
    shared().into_iter().chain((0..teams).flat_map(|number| of_team(number, teams))).collect()
}

fn topology(objects: &[Object]) -> Topology {
    build(&Sources { objects: objects.to_vec(), is_planned: true, ..Sources::default() })
}

fn all_rules(c: &mut Criterion) {
    let mut group = c.benchmark_group("checks");
    group.sample_size(10);
    for resources in [100, 1_000, 2_000] {
        let objects = plan(resources);
        let (after, before) = (topology(&objects), Topology::default());
        let addrs = || objects.iter().filter_map(|it| it.addr.clone());
        let actions: BTreeMap<InstanceAddr, Action> = addrs().map(|addr| (addr, Action::Create)).collect();
        let configs = objects.iter().filter_map(|it| Some((it.addr.clone()?, it.attributes.clone()))).collect();
        let input = Input {
            objects: &objects,
            before: &[],
            topology: &after,
            topology_before: &before,
            configs: &configs,
            actions: &actions,
            edges: &Edges::new(),
            partition: Some("aws"),
            region: Some("eu-central-1"),
            is_live: false,
        };
        group.bench_function(BenchmarkId::new("plan", resources), |b| b.iter(|| check(&input).len()));
    }
    group.finish();
}

criterion_group!(benches, all_rules);
criterion_main!(benches);
