//! A large account: 2,500 groups with 30,000 rules, 5,000 pods of 500 workloads. How long the matrix of who reaches whom takes, and
//! what a change of one rule does to it. `cargo bench -p sgp-analysis`.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Value as Json, json};
use sgp_analysis::{
    build::{Object, Sources, build},
    reach::{changes, matrix},
    topology::Topology,
};
use sgp_model::json::from_serde;

/// Rules of each group: in from others, out to others.
const RULES: usize = 12;

fn object(kind: &str, attributes: &Json) -> Object {
    Object { kind: kind.to_owned(), addr: None, attributes: from_serde(attributes) }
}

fn rule(group: usize, is_egress: bool, peer: usize, port: usize) -> Object {
    let kind = if is_egress { "aws_vpc_security_group_egress_rule" } else { "aws_vpc_security_group_ingress_rule" };
    object(
        kind,
        &json!({ "security_group_id": format!("sg-{group}"), "is_egress": is_egress, "ip_protocol": "tcp", "from_port": port,
            "to_port": port, "referenced_security_group_id": format!("sg-{peer}") }),
    )
}

/// `groups` groups, of which a fifth are pods'; ten pods of each workload.
fn account(groups: usize, extra: Option<Object>) -> Topology {
    let workloads = groups / 5;
    let mut objects = vec![
        object(
            "aws_eks_cluster",
            &json!({ "name": "main", "vpc_config": [{ "vpc_id": "vpc-1", "cluster_security_group_id": "sg-cluster" }] }),
        ),
        object(
            "aws_eks_node_group",
            &json!({ "cluster_name": "main", "node_group_name": "default", "subnet_ids": ["subnet-1", "subnet-2", "subnet-3"] }),
        ),
        object("sgp_pod_eni", &json!({ "cluster_name": "main", "enforcing_mode": "strict" })),
    ];
    for group in 0..groups {
        objects.push(object(
            "aws_security_group",
            &json!({ "id": format!("sg-{group}"), "name": format!("group-{group}"), "vpc_id": "vpc-1" }),
        ));
        for n in 0..RULES / 2 {
            let peer = (group * 7 + n * 131 + 1) % groups;
            objects.push(rule(group, true, peer, 1000 + n));
            objects.push(rule(peer, false, group, 1000 + n));
        }
    }
    for workload in 0..workloads {
        let labels = json!({ "app": format!("app-{workload}") });
        objects.push(object(
            "sgp_security_group_policy",
            &json!({ "cluster_name": "main", "name": format!("policy-{workload}"), "namespace": format!("team-{}", workload % 20),
                "pod_selector": { "match_labels": labels }, "security_group_ids": [format!("sg-{workload}")] }),
        ));
        let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "it" }] } });
        objects.push(object(
            "kubernetes_manifest",
            &json!({ "cluster_name": "main", "manifest": { "kind": "Deployment", "metadata": { "name": format!("app-{workload}"),
                "namespace": format!("team-{}", workload % 20) }, "spec": { "replicas": 10, "template": template } } }),
        ));
        for pod in 0..10 {
            objects.push(object(
                "kubernetes_manifest",
                &json!({ "cluster_name": "main", "manifest": { "kind": "Pod", "metadata": { "name": format!("app-{workload}-{pod}"),
                    "namespace": format!("team-{}", workload % 20), "labels": labels }, "spec": { "containers": [{ "name": "it" }] } } }),
            ));
        }
    }
    objects.extend(extra);
    build(&Sources { objects, ..Sources::default() })
}

fn large_account(c: &mut Criterion) {
    let mut group = c.benchmark_group("matrix");
    group.sample_size(10);
    for groups in [250, 2_500] {
        let topology = account(groups, None);
        group.bench_function(BenchmarkId::new("whole", groups), |b| b.iter(|| matrix(&topology).passages.len()));
        let changed = account(groups, Some(rule(0, false, 1, 443)));
        group.bench_function(BenchmarkId::new("change", groups), |b| {
            b.iter(|| changes(&topology, &changed).lines.len());
        });
    }
    group.finish();
}

criterion_group!(benches, large_account);
criterion_main!(benches);
