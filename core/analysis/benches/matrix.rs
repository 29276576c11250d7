//! A large account: 2,500 groups with 30,000 rules, 5,000 pods of 500 workloads. How long the matrix of who reaches whom takes, and
//! what a change of one rule does to it, as a configuration tells it and as it runs: there with addresses, subnets, nodes, branch
//! interfaces, and rules for blocks and prefix lists beside those for groups. `cargo bench -p sgp-analysis`.

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

/// A policy and the Deployment that it is for.
fn team(workload: usize) -> [Object; 2] {
    let labels = json!({ "app": format!("app-{workload}") });
    let namespace = format!("team-{}", workload % 20);
    let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "it" }] } });
    let deployment = json!({ "kind": "Deployment", "metadata": { "name": format!("app-{workload}"), "namespace": namespace },
        "spec": { "replicas": 10, "template": template } });
    [
        object(
            "sgp_security_group_policy",
            &json!({ "cluster_name": "main", "name": format!("policy-{workload}"), "namespace": namespace,
                "pod_selector": { "match_labels": labels }, "security_group_ids": [format!("sg-{workload}")] }),
        ),
        object("kubernetes_manifest", &json!({ "cluster_name": "main", "manifest": deployment })),
    ]
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
        objects.extend(team(workload));
        let labels = json!({ "app": format!("app-{workload}") });
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

// --- as it runs --------------------------------------------------------------------------------------------------------

/// Pods of a node.
const OF_NODE: usize = 50;

/// `10.A.B.C`, counted through.
fn address(number: usize) -> String {
    format!("10.{}.{}.{}", number / 65_536, number / 256 % 256, number % 256)
}

fn subnet_of(number: usize) -> String {
    format!("subnet-{}", number / 16_384)
}

/// Three subnets of 16,384 addresses with their ways out.
fn networks() -> Vec<Object> {
    let mut objects = vec![
        object("aws_vpc", &json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16" })),
        object("aws_internet_gateway", &json!({ "id": "igw-1", "vpc_id": "vpc-1" })),
        object(
            "aws_ec2_managed_prefix_list",
            &json!({ "id": "pl-1", "name": "offices", "entry": [{ "cidr": "203.0.113.0/24" }, { "cidr": "198.51.100.0/24" }] }),
        ),
    ];
    for number in 0..3 {
        let block = format!("{}/18", address(number * 16_384));
        let id = format!("subnet-{number}");
        objects.push(object("aws_subnet", &json!({ "id": id, "vpc_id": "vpc-1", "cidr_block": block })));
        objects.push(object(
            "aws_route_table",
            &json!({ "id": format!("rtb-{number}"), "vpc_id": "vpc-1", "associations": [{ "subnet_id": id }],
                "route": [{ "cidr_block": "10.0.0.0/16", "gateway_id": "local" }, { "cidr_block": "0.0.0.0/0", "gateway_id": "igw-1" }] }),
        ));
    }
    objects
}

fn interface(id: &str, number: usize, kind: &str, group: &str, attachment: &Json) -> Object {
    object(
        "aws_network_interface",
        &json!({ "id": id, "vpc_id": "vpc-1", "subnet_id": subnet_of(number), "interface_type": kind, "status": "in-use",
            "private_ip": address(number), "private_ips": [address(number)], "security_groups": [group],
            "attachment": attachment }),
    )
}

/// The node's number is also its address's.
fn node(number: usize) -> [Object; 2] {
    let instance = format!("i-{number}");
    let manifest = json!({ "kind": "Node", "metadata": { "name": format!("node-{number}") },
        "spec": { "providerID": format!("aws:///eu-central-1a/{instance}") },
        "status": { "addresses": [{ "type": "InternalIP", "address": address(number + 10) }] } });
    let attachment = json!([{ "instance_id": instance, "device_index": 0 }]);
    [
        object("kubernetes_manifest", &json!({ "cluster_name": "main", "manifest": manifest })),
        interface(&format!("eni-node-{number}"), number + 10, "interface", "sg-cluster", &attachment),
    ]
}

/// A pod of a Deployment with its branch interface.
fn pod(workload: usize, number: usize) -> [Object; 2] {
    let id = format!("eni-pod-{number}");
    let annotations = json!({ "vpc.amazonaws.com/pod-eni": format!(r#"[{{"eniId":"{id}"}}]"#) });
    let owner = json!([{ "kind": "ReplicaSet", "name": format!("app-{workload}-5d4f8c7b9"), "controller": true }]);
    let manifest = json!({ "kind": "Pod", "metadata": { "name": format!("app-{workload}-5d4f8c7b9-{number}"),
            "namespace": format!("team-{}", workload % 20), "labels": { "app": format!("app-{workload}") },
            "annotations": annotations, "ownerReferences": owner },
        "spec": { "nodeName": format!("node-{}", number % (number / OF_NODE + 1)), "containers": [{ "name": "it" }] },
        "status": { "phase": "Running", "podIP": address(number + 1_000), "podIPs": [{ "ip": address(number + 1_000) }] } });
    [
        object("kubernetes_manifest", &json!({ "cluster_name": "main", "manifest": manifest })),
        interface(&id, number + 1_000, "branch", &format!("sg-{workload}"), &Json::Null),
    ]
}

/// The account as it runs: of the twelve rules of a group eight are for groups, the others for a block of 16 addresses, for all of the
/// VPC (in one of fifty groups it may come in), for a prefix list and for everywhere.
fn running(groups: usize, extra: Option<Object>) -> Topology {
    let mut objects = networks();
    let cluster =
        json!({ "name": "main", "vpc_config": [{ "vpc_id": "vpc-1", "cluster_security_group_id": "sg-cluster" }] });
    objects.push(object("aws_eks_cluster", &cluster));
    objects.push(object("sgp_pod_eni", &json!({ "cluster_name": "main", "enforcing_mode": "strict" })));
    for group in 0..groups {
        let id = format!("sg-{group}");
        let name = format!("group-{group}");
        objects.push(object("aws_security_group", &json!({ "id": id, "name": name, "vpc_id": "vpc-1" })));
        for n in 0..4 {
            let peer = (group * 7 + n * 131 + 1) % groups;
            objects.extend([rule(group, true, peer, 1000 + n), rule(peer, false, group, 1000 + n)]);
        }
        let block = format!("{}/28", address(1_000 / 16 * 16 + group * 16 % 5_000));
        let others = [
            (false, "cidr_ipv4", block.as_str(), 8443),
            (group % 50 != 0, "cidr_ipv4", "10.0.0.0/16", 9090),
            (false, "prefix_list_id", "pl-1", 22),
            (true, "cidr_ipv4", "0.0.0.0/0", 443),
        ];
        for (is_egress, name, peer, port) in others {
            let kind =
                if is_egress { "aws_vpc_security_group_egress_rule" } else { "aws_vpc_security_group_ingress_rule" };
            let mut rule = json!({ "security_group_id": id, "is_egress": is_egress, "ip_protocol": "tcp", "from_port": port,
                "to_port": port });
            rule[name] = json!(peer);
            objects.push(object(kind, &rule));
        }
    }
    objects.push(object("aws_security_group", &json!({ "id": "sg-cluster", "name": "cluster", "vpc_id": "vpc-1" })));
    let (workloads, pods) = (groups / 5, groups * 2);
    for group in workloads..groups {
        let number = 20_000 + group;
        objects.push(interface(
            &format!("eni-other-{group}"),
            number,
            "interface",
            &format!("sg-{group}"),
            &Json::Null,
        ));
    }
    objects.extend((0..=pods / OF_NODE).flat_map(node));
    for workload in 0..workloads {
        objects.extend(team(workload));
    }
    objects.extend((0..pods).flat_map(|number| pod(number % workloads, number)));
    objects.extend(extra);
    build(&Sources { objects, ..Sources::default() })
}

fn large_account(c: &mut Criterion) {
    let mut group = c.benchmark_group("matrix");
    group.sample_size(10);
    let shapes: [(&str, fn(usize, Option<Object>) -> Topology); 2] = [("planned", account), ("running", running)];
    for (shape, make) in shapes {
        for groups in [250, 2_500] {
            let topology = make(groups, None);
            group.bench_function(BenchmarkId::new(format!("{shape}/whole"), groups), |b| {
                b.iter(|| matrix(&topology).passages.len());
            });
            let changed = make(groups, Some(rule(0, false, 1, 443)));
            group.bench_function(BenchmarkId::new(format!("{shape}/change"), groups), |b| {
                b.iter(|| changes(&topology, &changed).lines.len());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, large_account);
criterion_main!(benches);
