//! Rows of questions about a small account: two VPCs that are peered, a cluster with pods, a database, an instance with a public address.

mod blocks;
mod found;
mod frames;
mod fronts;
mod policies;

use serde_json::{Value as Json, json};
use sgp_model::json::from_serde;

use super::{Verdict, ends, trace};
use crate::{
    build::{Object, Sources, build},
    sets::{Protocol, Traffic},
    topology::Topology,
};

/// Makes a topology of objects: `[type, attributes]`.
pub(crate) fn topology(objects: &[(&str, Json)]) -> Topology {
    let object = |(kind, attributes): &(&str, Json)| Object {
        kind: (*kind).to_owned(),
        addr: None,
        attributes: from_serde(attributes),
    };
    let complete_clusters = vec!["main".to_owned()];
    build(&Sources { objects: objects.iter().map(object).collect(), complete_clusters, ..Sources::default() })
}

pub(crate) fn rule(
    is_egress: bool,
    group: &str,
    protocol: &str,
    ports: (i64, i64),
    peer: (&str, &str),
) -> (&'static str, Json) {
    let kind = if is_egress { "aws_vpc_security_group_egress_rule" } else { "aws_vpc_security_group_ingress_rule" };
    let mut rule = json!({
        "security_group_id": group, "ip_protocol": protocol, "from_port": ports.0, "to_port": ports.1, "is_egress": is_egress,
    });
    rule[peer.0] = json!(peer.1);
    (kind, rule)
}

pub(crate) fn pod(name: &str, node: &str, address: &str, branch: Option<&str>, labels: &Json) -> (&'static str, Json) {
    let mut metadata = json!({ "name": name, "namespace": "app", "labels": labels });
    if let Some(branch) = branch {
        metadata["annotations"] = json!({ "vpc.amazonaws.com/pod-eni": format!(r#"[{{"eniId":"{branch}"}}]"#) });
    }
    let pod = json!({ "kind": "Pod", "metadata": metadata, "spec": { "nodeName": node, "containers": [
        { "name": "it", "ports": [{ "name": "web", "containerPort": 8080 }] } ] },
        "status": { "phase": "Running", "podIP": address } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": pod }))
}

pub(crate) fn interface(id: &str, subnet: &str, address: &str, groups: &[&str], more: Json) -> (&'static str, Json) {
    let mut interface = json!({
        "id": id, "vpc_id": if subnet.starts_with("subnet-far") { "vpc-far" } else { "vpc-1" }, "subnet_id": subnet,
        "private_ip": address, "security_groups": groups, "status": "in-use",
    });
    for (key, value) in more.as_object().unwrap() {
        interface[key] = value.clone();
    }
    ("aws_network_interface", interface)
}

fn node(name: &str, instance: &str, address: &str) -> (&'static str, Json) {
    let node = json!({ "kind": "Node", "metadata": { "name": name }, "spec": { "providerID": format!("aws:///a/{instance}") },
        "status": { "addresses": [{ "type": "InternalIP", "address": address }] } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": node }))
}

fn open_acl(id: &str, subnets: &[&str]) -> (&'static str, Json) {
    let all = json!([{ "rule_no": 100, "action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0" }]);
    ("aws_network_acl", json!({ "id": id, "subnet_ids": subnets, "ingress": all, "egress": all }))
}

/// The account. `mode` is the enforcing mode; `more` are further objects.
pub(crate) fn account(mode: &str, more: &[(&'static str, Json)]) -> Topology {
    let attached =
        |instance: &str, index: u32| json!({ "attachment": [{ "instance_id": instance, "device_index": index }] });
    let daemon = json!({ "kind": "DaemonSet", "metadata": { "name": "aws-node", "namespace": "kube-system" }, "spec": { "template": { "spec": {
        "containers": [
            { "name": "aws-node", "env": [{ "name": "ENABLE_POD_ENI", "value": "true" },
                { "name": "POD_SECURITY_GROUP_ENFORCING_MODE", "value": mode }] },
            { "name": "aws-eks-nodeagent", "args": ["--enable-network-policy=true"] },
        ],
        "initContainers": [{ "name": "aws-vpc-cni-init", "env": [] }] } } } });
    let local = |block: &str| json!({ "cidr_block": block, "gateway_id": "local" });
    let mut objects = vec![
        ("aws_vpc", json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16" })),
        ("aws_vpc", json!({ "id": "vpc-far", "cidr_block": "10.9.0.0/16" })),
        ("aws_subnet", json!({ "id": "subnet-a", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24" })),
        ("aws_subnet", json!({ "id": "subnet-b", "vpc_id": "vpc-1", "cidr_block": "10.0.2.0/24" })),
        ("aws_subnet", json!({ "id": "subnet-public", "vpc_id": "vpc-1", "cidr_block": "10.0.9.0/24" })),
        ("aws_subnet", json!({ "id": "subnet-far", "vpc_id": "vpc-far", "cidr_block": "10.9.1.0/24" })),
        ("aws_internet_gateway", json!({ "id": "igw-1", "vpc_id": "vpc-1" })),
        ("aws_nat_gateway", json!({ "id": "nat-1", "subnet_id": "subnet-public", "private_ip": "10.0.9.5" })),
        (
            "aws_vpc_peering_connection",
            json!({ "id": "pcx-1", "vpc_id": "vpc-1", "peer_vpc_id": "vpc-far", "accept_status": "active" }),
        ),
        (
            "aws_route_table",
            json!({ "id": "rtb-private", "vpc_id": "vpc-1", "route": [local("10.0.0.0/16"),
            { "cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1" }, { "cidr_block": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1" }],
            "associations": [{ "subnet_id": "subnet-a" }, { "subnet_id": "subnet-b" }] }),
        ),
        (
            "aws_route_table",
            json!({ "id": "rtb-public", "vpc_id": "vpc-1", "route": [local("10.0.0.0/16"),
            { "cidr_block": "0.0.0.0/0", "gateway_id": "igw-1" }], "associations": [{ "subnet_id": "subnet-public" }] }),
        ),
        (
            "aws_route_table",
            json!({ "id": "rtb-far", "vpc_id": "vpc-far", "route": [local("10.9.0.0/16"),
            { "cidr_block": "10.0.0.0/16", "vpc_peering_connection_id": "pcx-1" }], "associations": [{ "subnet_id": "subnet-far" }] }),
        ),
        open_acl("acl-1", &["subnet-a", "subnet-public", "subnet-far"]),
        (
            "aws_network_acl",
            json!({ "id": "acl-b", "subnet_ids": ["subnet-b"],
            "ingress": [{ "rule_no": 90, "action": "deny", "protocol": "tcp", "from_port": 6000, "to_port": 6000, "cidr_block": "10.0.1.0/24" },
                { "rule_no": 100, "action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0" }],
            "egress": [{ "rule_no": 100, "action": "allow", "protocol": "tcp", "from_port": 1024, "to_port": 65535, "cidr_block": "10.0.0.0/16" },
                { "rule_no": 110, "action": "allow", "protocol": "tcp", "from_port": 1, "to_port": 1023, "cidr_block": "0.0.0.0/0" }] }),
        ),
        ("aws_security_group", json!({ "id": "sg-node", "name": "nodes", "vpc_id": "vpc-1" })),
        ("aws_security_group", json!({ "id": "sg-api", "name": "api", "vpc_id": "vpc-1" })),
        ("aws_security_group", json!({ "id": "sg-db", "name": "orders-db", "vpc_id": "vpc-1" })),
        ("aws_security_group", json!({ "id": "sg-far", "name": "far-db", "vpc_id": "vpc-far" })),
        rule(true, "sg-node", "-1", (-1, -1), ("cidr_ipv4", "0.0.0.0/0")),
        rule(false, "sg-node", "-1", (-1, -1), ("referenced_security_group_id", "sg-node")),
        rule(true, "sg-api", "tcp", (5432, 6000), ("referenced_security_group_id", "sg-db")),
        rule(true, "sg-api", "tcp", (443, 443), ("cidr_ipv4", "0.0.0.0/0")),
        rule(true, "sg-api", "tcp", (5432, 5432), ("referenced_security_group_id", "sg-far")),
        rule(false, "sg-api", "tcp", (8080, 8080), ("referenced_security_group_id", "sg-node")),
        rule(false, "sg-db", "tcp", (5432, 5432), ("referenced_security_group_id", "sg-api")),
        rule(false, "sg-db", "tcp", (6000, 6000), ("cidr_ipv4", "10.0.0.0/16")),
        rule(false, "sg-far", "tcp", (5432, 5432), ("referenced_security_group_id", "sg-api")),
        interface("eni-node1", "subnet-a", "10.0.1.10", &["sg-node"], attached("i-1", 0)),
        interface("eni-node2", "subnet-a", "10.0.1.20", &["sg-node"], attached("i-2", 0)),
        interface("eni-api", "subnet-a", "10.0.1.11", &["sg-api"], json!({ "interface_type": "branch" })),
        interface("eni-api2", "subnet-a", "10.0.1.12", &["sg-api"], json!({ "interface_type": "branch" })),
        interface("eni-other", "subnet-a", "10.0.1.13", &["sg-db"], json!({ "interface_type": "branch" })),
        interface("eni-pods1", "subnet-a", "10.0.1.30", &["sg-node"], attached("i-1", 1)),
        interface("eni-db", "subnet-b", "10.0.2.5", &["sg-db"], json!({ "description": "RDSNetworkInterface" })),
        interface("eni-far", "subnet-far", "10.9.1.5", &["sg-far"], json!({ "description": "RDSNetworkInterface" })),
        (
            "aws_eks_cluster",
            json!({ "name": "main", "vpc_config": [{ "vpc_id": "vpc-1", "subnet_ids": ["subnet-a"], "cluster_security_group_id": "sg-node" }] }),
        ),
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": daemon })),
        node("node1", "i-1", "10.0.1.10"),
        node("node2", "i-2", "10.0.1.20"),
        pod("api", "node1", "10.0.1.11", Some("eni-api"), &json!({ "app": "api" })),
        pod("api2", "node1", "10.0.1.12", Some("eni-api2"), &json!({ "app": "api" })),
        pod("other", "node1", "10.0.1.13", Some("eni-other"), &json!({ "app": "other" })),
        pod("plain", "node1", "10.0.1.30", None, &json!({ "app": "plain" })),
        (
            "kubernetes_manifest",
            json!({ "cluster_name": "main", "manifest": { "kind": "Service", "metadata": { "name": "web", "namespace": "app" },
            "spec": { "selector": { "app": "api" }, "ports": [{ "port": 80, "targetPort": "web" }] } } }),
        ),
    ];
    objects.extend(more.iter().cloned());
    topology(&objects)
}

fn verdict(topology: &Topology, from: &str, to: &str, port: &Traffic) -> (Verdict, String) {
    let from = ends::find(topology, from).unwrap();
    let to = ends::find(topology, to).unwrap();
    let trace = trace(topology, &from, &to, port);
    let by = trace.decided_by().map(|hop| format!("{}: {}", hop.at, hop.what)).unwrap_or_default();
    (trace.verdict, format!("{by}\n{:#?}", trace.hops))
}

fn tcp(port: u16) -> Traffic {
    Traffic::port(Protocol::TCP, port)
}

#[test]
fn who_reaches_whom() {
    use Verdict::{Depends, Reachable, Unreachable};
    let (strict, standard) = (account("strict", &[]), account("standard", &[]));
    for (from, to, port, in_strict, in_standard) in [
        // Group by group, to another subnet and through its network ACL.
        ("app/api", "eni-db", tcp(5432), Reachable, Reachable),
        ("app/api", "eni-db", tcp(5433), Unreachable, Unreachable),
        // The network ACL of the database's subnet denies it; in the pods' own subnet nothing does.
        ("app/api", "eni-db", tcp(6000), Unreachable, Unreachable),
        ("app/plain", "eni-db", tcp(5432), Unreachable, Unreachable),
        // On one node: strict mode lets groups judge, standard mode does not.
        ("app/plain", "app/api", tcp(9000), Unreachable, Reachable),
        ("app/plain", "app/api", tcp(8080), Reachable, Reachable),
        ("app/api", "app/api2", tcp(9000), Unreachable, Reachable),
        ("app/api", "app/other", tcp(5432), Reachable, Depends),
        // Kubelet on the pod's node: TCP needs early demultiplexing off in strict mode.
        ("node/node1", "app/api", tcp(8080), Unreachable, Reachable),
        ("node/node2", "app/api", tcp(8080), Reachable, Reachable),
        // To the internet by the NAT gateway; in standard mode the node's address and groups count.
        ("app/api", "internet", tcp(443), Reachable, Reachable),
        ("app/api", "internet", tcp(80), Unreachable, Reachable),
        ("internet", "app/api", tcp(443), Unreachable, Unreachable),
        // Over peering: a group of the other VPC counts; in standard mode the node's address stands for the pod's.
        ("app/api", "far-db", tcp(5432), Reachable, Unreachable),
        // Service ports.
        ("app/plain", "svc/app/web", tcp(80), Reachable, Reachable),
        ("app/plain", "svc/app/web", tcp(8080), Unreachable, Unreachable),
        // Link-local services of the node.
        ("app/api", "169.254.170.23", tcp(80), Unreachable, Reachable),
        ("app/plain", "169.254.170.23", tcp(80), Reachable, Reachable),
    ] {
        for (topology, wanted, mode) in [(&strict, in_strict, "strict"), (&standard, in_standard, "standard")] {
            let (found, why) = verdict(topology, from, to, &port);
            assert_eq!(found, wanted, "{from} -> {to} {port} in {mode} mode: {why}");
        }
    }
}

#[test]
fn what_is_closed_says_what_would_open_it() {
    let account = account("strict", &[]);
    let ask = |from: &str, to: &str, port: u16| {
        let (from, to) = (ends::find(&account, from).unwrap(), ends::find(&account, to).unwrap());
        trace(&account, &from, &to, &tcp(port)).fixes
    };
    let fixes = ask("app/api", "eni-db", 7000);
    // Out of the pod's group, into the database's; the ACL lets it pass.
    assert_eq!(fixes.len(), 2, "{fixes:?}");
    let fixes = ask("node/node1", "app/api", 8080);
    assert_eq!(fixes.len(), 1, "{fixes:?}");
}

#[test]
fn network_policies_and_groups_are_judged_together() {
    let policy = json!({ "kind": "NetworkPolicy", "metadata": { "name": "only-plain", "namespace": "app" }, "spec": {
        "podSelector": { "matchLabels": { "app": "api" } },
        "ingress": [{ "from": [{ "podSelector": { "matchLabels": { "app": "plain" } } }], "ports": [{ "port": "web" }] }] } });
    let with = account("strict", &[("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": policy }))]);
    assert_eq!(verdict(&with, "app/plain", "app/api", &tcp(8080)).0, Verdict::Reachable);
    // The node's group is let in, and the node is not the pod that the policy names; it is on another node.
    assert_eq!(verdict(&with, "node/node2", "app/api", &tcp(8080)).0, Verdict::Unreachable);
    // The policy is for what comes in.
    assert_eq!(verdict(&with, "app/api", "orders-db", &tcp(5432)).0, Verdict::Reachable);
}

/// A rule in a group that all pods share would open to all of them what one of them asks for.
#[test]
fn what_would_open_it_is_a_rule_of_the_pods_own_group() {
    let policy = |name: &str, own: &str| {
        let policy = json!({ "cluster_name": "main", "name": name, "namespace": "app",
            "pod_selector": [{ "match_labels": { "app": name } }], "security_group_ids": ["sg-shared", own] });
        ("sgp_security_group_policy", policy)
    };
    let group = |id: &str| ("aws_security_group", json!({ "id": id, "name": id, "vpc_id": "vpc-1" }));
    let topology = planned(&[
        group("sg-shared"),
        group("sg-one"),
        group("sg-two"),
        policy("one", "sg-one"),
        policy("two", "sg-two"),
    ]);
    let (from, to) = (ends::find(&topology, "app/one").unwrap(), ends::find(&topology, "app/two").unwrap());
    let fixes = format!("{:?}", trace(&topology, &from, &to, &tcp(80)).fixes);
    assert!(fixes.contains("sg-one") && fixes.contains("sg-two") && !fixes.contains("sg-shared"), "{fixes}");
}

/// Every line of a matrix, as people read it.
fn lines(topology: &Topology) -> Vec<String> {
    let matrix = super::matrix(topology);
    let name = |place: usize| matrix.parties[place].name.as_str();
    let line = |((from, to), passage): (&(usize, usize), &crate::sets::Passage)| {
        format!("{} -> {} {} ({})", name(*from), name(*to), passage.certain, passage.doubtful())
    };
    matrix.passages.iter().map(line).collect()
}

fn planned(more: &[(&'static str, Json)]) -> Topology {
    let mut objects = vec![
        ("aws_security_group", json!({ "id": "sg-api", "name": "api", "vpc_id": "vpc-1" })),
        ("aws_security_group", json!({ "id": "sg-db", "name": "orders-db", "vpc_id": "vpc-1" })),
        rule(true, "sg-api", "tcp", (5432, 5432), ("referenced_security_group_id", "sg-db")),
        rule(false, "sg-db", "tcp", (5432, 5432), ("referenced_security_group_id", "sg-api")),
        (
            "aws_eks_cluster",
            json!({ "name": "main", "vpc_config": [{ "vpc_id": "vpc-1", "cluster_security_group_id": "sg-cluster" }] }),
        ),
        (
            "aws_eks_node_group",
            json!({ "cluster_name": "main", "node_group_name": "default", "subnet_ids": ["subnet-1", "subnet-2"] }),
        ),
        ("sgp_pod_eni", json!({ "cluster_name": "main", "enforcing_mode": "strict" })),
        (
            "sgp_security_group_policy",
            json!({ "cluster_name": "main", "name": "backend", "namespace": "app",
            "pod_selector": [{ "match_labels": { "app": "backend" } }], "security_group_ids": ["sg-api"] }),
        ),
    ];
    objects.extend(more.iter().cloned());
    topology(&objects)
}

#[test]
fn a_matrix_of_what_is_only_planned() {
    assert_eq!(
        lines(&planned(&[])),
        [
            "app/backend -> orders-db tcp/5432 (nothing)",
            "nodes default -> any all traffic (nothing)",
            "nodes default -> nodes default all traffic (nothing)",
            "nodes default -> control plane of main all traffic (nothing)",
            "control plane of main -> any all traffic (nothing)",
            "control plane of main -> nodes default all traffic (nothing)",
            "control plane of main -> control plane of main all traffic (nothing)",
        ]
    );
}

#[test]
fn changes_say_what_opens_and_what_closes() {
    let before = planned(&[rule(false, "sg-api", "tcp", (80, 80), ("cidr_ipv4", "0.0.0.0/0"))]);
    let after = planned(&[
        rule(false, "sg-api", "tcp", (443, 443), ("cidr_ipv4", "0.0.0.0/0")),
        rule(true, "sg-api", "tcp", (443, 443), ("cidr_ipv4", "203.0.113.0/24")),
    ]);
    let change = super::changes(&before, &after);
    let line =
        |it: &super::Line| format!("{}{} -> {} {}", if it.opens { '+' } else { '-' }, it.from, it.to, it.traffic);
    let told: Vec<String> = change.lines.iter().map(line).collect();
    assert_eq!(
        told,
        ["+any -> app/backend tcp/443", "+app/backend -> 203.0.113.0/24 tcp/443", "-any -> app/backend tcp/80",]
    );
}

/// What both topologies have in common is left out of the walks, and nothing else.
#[test]
fn changes_are_those_of_the_whole_matrices() {
    let open = |group: &str, port: i64, block: &str| rule(false, group, "tcp", (port, port), ("cidr_ipv4", block));
    let out = |group: &str, port: i64, block: &str| rule(true, group, "tcp", (port, port), ("cidr_ipv4", block));
    let by_group = |group: &str, port: i64, peer: &str| {
        rule(false, group, "tcp", (port, port), ("referenced_security_group_id", peer))
    };
    let group = |id: &str| ("aws_security_group", json!({ "id": id, "name": id, "vpc_id": "vpc-1" }));
    let variants: Vec<Vec<(&'static str, Json)>> = vec![
        vec![],
        vec![open("sg-api", 80, "0.0.0.0/0")],
        vec![open("sg-api", 80, "10.0.0.0/8")],
        vec![open("sg-api", 443, "0.0.0.0/0"), out("sg-api", 443, "203.0.113.0/24")],
        vec![out("sg-api", 443, "203.0.113.0/25"), out("sg-db", 443, "203.0.113.0/24")],
        vec![out("sg-api", 443, "0.0.0.0/0"), open("sg-db", 22, "203.0.113.0/24")],
        vec![group("sg-other"), by_group("sg-db", 22, "sg-other"), by_group("sg-other", 22, "sg-api")],
        vec![group("sg-other"), by_group("sg-api", 5432, "sg-db"), by_group("sg-other", 22, "sg-other")],
    ];
    let planned: Vec<Topology> = variants.iter().map(|it| planned(it)).collect();
    let live: Vec<Topology> = variants.iter().map(|it| account("strict", it)).collect();
    for all in [planned, live] {
        for before in &all {
            for after in &all {
                assert_eq!(super::changes(before, after), super::compared(before, after).change);
            }
        }
        // Step by step it is the same, and so is the whole way.
        let mut succession = super::Succession::default();
        assert_eq!(succession.then(all[0].clone()), super::Change::default());
        for pair in all.windows(2) {
            assert_eq!(succession.then(pair[1].clone()), super::changes(&pair[0], &pair[1]));
            assert_eq!(succession.altogether(), super::changes(&all[0], &pair[1]));
        }
    }
}

/// That each pod reaches itself says nothing of whether pods of one kind reach each other.
#[test]
fn a_matrix_is_about_pods_and_not_about_each_ones_own_address() {
    let workload = |name: &str| {
        let template =
            json!({ "metadata": { "labels": { "app": name } }, "spec": { "containers": [{ "name": "it" }] } });
        let manifest = json!({ "kind": "Deployment", "metadata": { "name": name, "namespace": "app" },
            "spec": { "replicas": 2, "template": template } });
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": manifest }))
    };
    let of = |workload: &str, number: usize| {
        let name = format!("{workload}-5d4f8c7b9-{number}");
        let (id, address) = (format!("eni-{name}"), format!("10.0.1.{}", 100 + number));
        let mut pod = pod(&name, "node2", &address, Some(&id), &json!({ "app": workload }));
        pod.1["manifest"]["metadata"]["ownerReferences"] =
            json!([{ "kind": "ReplicaSet", "name": format!("{workload}-5d4f8c7b9"), "controller": true }]);
        [interface(&id, "subnet-a", &address, &["sg-web"], json!({ "interface_type": "branch" })), pod]
    };
    let mut more = vec![
        ("aws_security_group", json!({ "id": "sg-web", "name": "web", "vpc_id": "vpc-1" })),
        rule(true, "sg-web", "tcp", (80, 80), ("referenced_security_group_id", "sg-web")),
        rule(false, "sg-web", "tcp", (80, 80), ("referenced_security_group_id", "sg-web")),
        workload("one"),
        workload("two"),
    ];
    more.extend((0..2).flat_map(|number| of("one", number)));
    more.extend((2..4).flat_map(|number| of("two", number)));
    let all = lines(&account("strict", &more));
    for pair in ["app/one -> app/one", "app/one -> app/two", "app/two -> app/one", "app/two -> app/two"] {
        assert!(all.contains(&format!("{pair} tcp/80 (nothing)")), "{pair}: {all:#?}");
    }
}
