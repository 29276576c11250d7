//! NetworkPolicies, row by row, as Kubernetes documents them.
//!
//! Sources: kubernetes.io/docs/concepts/services-networking/network-policies ("the page") and the API reference of
//! networking.k8s.io/v1 NetworkPolicy and meta/v1 LabelSelector. Groups, routes and ACLs let everything pass here.

use Verdict::{Reachable as Passes, Unreachable as Stops};

use super::*;

/// The group that everything has.
const OPEN: &str = "sg-open";

fn pod(namespace: &str, name: &str, node: &str, address: &str, labels: &Json) -> (&'static str, Json) {
    let ports = json!([
        { "name": "redis", "containerPort": 6379 }, { "name": "dns", "containerPort": 53, "protocol": "UDP" },
    ]);
    let pod = json!({ "kind": "Pod", "metadata": { "name": name, "namespace": namespace, "labels": labels },
        "spec": { "nodeName": node, "hostNetwork": name == "host", "containers": [{ "name": "it", "ports": ports }] },
        "status": { "phase": "Running", "podIP": address } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": pod }))
}

fn namespace(name: &str, labels: &Json) -> (&'static str, Json) {
    let namespace = json!({ "kind": "Namespace", "metadata": { "name": name, "labels": labels } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": namespace }))
}

/// A database, clients in three namespaces, two nodes, two instances, the internet.
fn open_account(policies: &[(&str, Json)]) -> Topology {
    let all = json!([{ "rule_no": 100, "action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0" }]);
    let everything = |is_egress| rule(is_egress, OPEN, "-1", (-1, -1), ("cidr_ipv4", "0.0.0.0/0"));
    let of = |instance: &str, addresses: Json| json!({ "private_ips": addresses, "attachment": [{ "instance_id": instance, "device_index": 0 }] });
    let env = json!([{ "name": "AWS_VPC_K8S_CNI_EXTERNALSNAT", "value": "true" }]);
    let daemon = json!({ "kind": "DaemonSet", "metadata": { "name": "aws-node", "namespace": "kube-system" },
        "spec": { "template": { "spec": { "containers": [ { "name": "aws-node", "env": env },
            { "name": "aws-eks-nodeagent", "args": ["--enable-network-policy=true"] } ] } } } });
    let routes = json!([{ "cidr_block": "10.0.0.0/16", "gateway_id": "local" },
        { "cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1" }]);
    let outward = json!([{ "cidr_block": "10.0.0.0/16", "gateway_id": "local" },
        { "cidr_block": "0.0.0.0/0", "gateway_id": "igw-1" }]);
    let mut objects = vec![
        ("aws_vpc", json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16" })),
        ("aws_subnet", json!({ "id": "subnet-a", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24" })),
        ("aws_subnet", json!({ "id": "subnet-p", "vpc_id": "vpc-1", "cidr_block": "10.0.9.0/24" })),
        ("aws_internet_gateway", json!({ "id": "igw-1", "vpc_id": "vpc-1" })),
        ("aws_nat_gateway", json!({ "id": "nat-1", "subnet_id": "subnet-p", "private_ip": "10.0.9.5" })),
        ("aws_route_table", json!({ "id": "rtb-a", "route": routes, "associations": [{ "subnet_id": "subnet-a" }] })),
        ("aws_route_table", json!({ "id": "rtb-p", "route": outward, "associations": [{ "subnet_id": "subnet-p" }] })),
        (
            "aws_network_acl",
            json!({ "id": "acl-1", "subnet_ids": ["subnet-a", "subnet-p"], "ingress": all, "egress": all }),
        ),
        ("aws_security_group", json!({ "id": OPEN, "name": "open", "vpc_id": "vpc-1" })),
        everything(true),
        everything(false),
        interface("eni-1", "subnet-a", "10.0.1.10", &[OPEN], of("i-1", json!(["10.0.1.11", "10.0.1.12"]))),
        interface(
            "eni-2",
            "subnet-a",
            "10.0.1.20",
            &[OPEN],
            of("i-2", json!(["10.0.1.21", "10.0.1.22", "10.0.1.23", "10.0.1.24", "10.0.1.25"])),
        ),
        interface("eni-in", "subnet-a", "10.0.1.50", &[OPEN], json!({})),
        interface("eni-out", "subnet-a", "10.0.1.57", &[OPEN], json!({})),
        (
            "aws_eks_cluster",
            json!({ "name": "main", "vpc_config": [{ "vpc_id": "vpc-1", "subnet_ids": ["subnet-a"] }] }),
        ),
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": daemon })),
        node("n1", "i-1", "10.0.1.10"),
        node("n2", "i-2", "10.0.1.20"),
        namespace("default", &json!({})),
        namespace("my", &json!({ "project": "myproject", "env": "test" })),
        namespace("far", &json!({ "env": "prod" })),
        pod("default", "db", "n1", "10.0.1.11", &json!({ "role": "db" })),
        pod("default", "beside", "n1", "10.0.1.12", &json!({ "role": "other" })),
        pod("default", "frontend", "n2", "10.0.1.21", &json!({ "role": "frontend" })),
        pod("default", "other", "n2", "10.0.1.22", &json!({ "role": "other", "tier": "test" })),
        pod("my", "client", "n2", "10.0.1.23", &json!({ "role": "client" })),
        pod("my", "frontend", "n2", "10.0.1.24", &json!({ "role": "frontend" })),
        pod("far", "client", "n2", "10.0.1.25", &json!({ "role": "client" })),
        pod("default", "host", "n2", "10.0.1.20", &json!({ "role": "frontend" })),
    ];
    for (number, (namespace, spec)) in policies.iter().enumerate() {
        let metadata = json!({ "name": format!("p{number}"), "namespace": namespace });
        let policy = json!({ "kind": "NetworkPolicy", "metadata": metadata, "spec": spec });
        objects.push(("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": policy })));
    }
    topology(&objects)
}

/// Names of rows, policies, and what then passes between whom.
type Row = (&'static str, Vec<(&'static str, Json)>, Vec<(&'static str, &'static str, Traffic, Verdict)>);

#[track_caller]
fn check(rows: Vec<Row>) {
    for (name, policies, asked) in rows {
        let account = open_account(&policies);
        for (from, to, traffic, wanted) in asked {
            let (found, why) = verdict(&account, from, to, &traffic);
            assert_eq!(found, wanted, "{name}: {from} -> {to} {traffic}: {why}");
        }
    }
}

fn udp(port: u16) -> Traffic {
    Traffic::port(Protocol::UDP, port)
}

fn echo() -> Traffic {
    Traffic::icmp(Protocol::ICMP, Some(8), Some(0))
}

/// A policy of namespace `default` for the database, for what comes in.
fn lets_in(rules: Json) -> Vec<(&'static str, Json)> {
    vec![(
        "default",
        json!({ "podSelector": { "matchLabels": { "role": "db" } }, "policyTypes": ["Ingress"], "ingress": rules }),
    )]
}

/// The same for what goes out.
fn lets_out(rules: Json) -> Vec<(&'static str, Json)> {
    vec![(
        "default",
        json!({ "podSelector": { "matchLabels": { "role": "db" } }, "policyTypes": ["Egress"], "egress": rules }),
    )]
}

const DB: &str = "default/db";
const FRONTEND: &str = "default/frontend";
const OTHER: &str = "default/other";

#[test]
fn isolation() {
    let of = |spec: Json| vec![("default", spec)];
    check(vec![
        (
            "without policies pods are not isolated",
            vec![],
            vec![(FRONTEND, DB, tcp(6379), Passes), (DB, "203.0.113.9", tcp(443), Passes)],
        ),
        (
            "default deny of all ingress",
            of(json!({ "podSelector": {}, "policyTypes": ["Ingress"] })),
            vec![(FRONTEND, DB, tcp(6379), Stops), ("my/client", DB, tcp(1), Stops), (DB, "my/client", tcp(1), Passes)],
        ),
        (
            "allow of all ingress",
            of(json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] })),
            vec![("my/client", DB, tcp(6379), Passes), ("eni-in", DB, udp(9), Passes)],
        ),
        (
            "no further policy can close what one opens",
            vec![
                ("default", json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] })),
                ("default", json!({ "podSelector": {}, "policyTypes": ["Ingress"] })),
            ],
            vec![("my/client", DB, tcp(6379), Passes)],
        ),
        (
            "default deny of all egress",
            of(json!({ "podSelector": {}, "policyTypes": ["Egress"] })),
            vec![
                (DB, "my/client", tcp(1), Stops),
                (DB, "203.0.113.9", tcp(443), Stops),
                ("my/client", DB, tcp(1), Passes),
            ],
        ),
        (
            "allow of all egress",
            of(json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{}] })),
            vec![(DB, "my/client", tcp(1), Passes), (DB, "203.0.113.9", tcp(443), Passes)],
        ),
        (
            "default deny of all ingress and egress",
            of(json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] })),
            vec![(FRONTEND, OTHER, tcp(1), Stops), ("my/client", DB, tcp(1), Stops), (DB, "my/client", tcp(1), Stops)],
        ),
        (
            "a policy is for its own namespace only",
            vec![("my", json!({ "podSelector": {}, "policyTypes": ["Ingress"] }))],
            vec![(FRONTEND, DB, tcp(6379), Passes), (FRONTEND, "my/client", tcp(6379), Stops)],
        ),
        (
            "both the sender's egress and the receiver's ingress must let it pass",
            vec![
                ("default", json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] })),
                ("my", json!({ "podSelector": {}, "policyTypes": ["Egress"] })),
            ],
            vec![("my/client", DB, tcp(6379), Stops), ("far/client", DB, tcp(6379), Passes)],
        ),
        (
            "answers to what may go out need no rule",
            of(json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}] })),
            vec![(DB, "my/client", tcp(1), Passes), ("my/client", DB, tcp(1), Stops)],
        ),
    ]);
}

#[test]
fn policy_types() {
    let of = |spec: Json| vec![("default", spec)];
    check(vec![
        (
            "without policyTypes a policy is for ingress",
            of(json!({ "podSelector": {} })),
            vec![("my/client", DB, tcp(1), Stops), (DB, "my/client", tcp(1), Passes)],
        ),
        (
            "without policyTypes one with an egress rule is for both",
            of(json!({ "podSelector": {}, "egress": [{ "ports": [{ "port": 443 }] }] })),
            vec![
                ("my/client", DB, tcp(1), Stops),
                (DB, "my/client", tcp(1), Stops),
                (DB, "my/client", tcp(443), Passes),
            ],
        ),
        (
            "empty policyTypes are none",
            of(json!({ "podSelector": {}, "policyTypes": [] })),
            vec![("my/client", DB, tcp(1), Stops), (DB, "my/client", tcp(1), Passes)],
        ),
        (
            "rules of a direction that is not among the types do not count",
            of(json!({ "podSelector": {}, "policyTypes": ["Egress"], "ingress": [{ "ports": [{ "port": 1 }] }] })),
            vec![("my/client", DB, tcp(9), Passes), (DB, "my/client", tcp(1), Stops)],
        ),
        (
            "an egress policy without rules must say so by its type",
            of(json!({ "podSelector": {}, "egress": [] })),
            vec![(DB, "my/client", tcp(1), Passes)],
        ),
    ]);
}

#[test]
fn pod_selectors() {
    let select = |selector: Json| vec![("default", json!({ "podSelector": selector, "policyTypes": ["Ingress"] }))];
    let expression = |operator: &str, values: Json| json!({ "matchExpressions": [{ "key": "role", "operator": operator, "values": values }] });
    let (from, port) = ("my/client", || tcp(6379));
    check(vec![
        (
            "by label",
            select(json!({ "matchLabels": { "role": "db" } })),
            vec![(from, DB, port(), Stops), (from, OTHER, port(), Passes)],
        ),
        (
            "all labels must match",
            select(json!({ "matchLabels": { "role": "other", "tier": "test" } })),
            vec![(from, OTHER, port(), Stops), (from, "default/beside", port(), Passes)],
        ),
        (
            "In",
            select(expression("In", json!(["db", "frontend"]))),
            vec![(from, DB, port(), Stops), (from, FRONTEND, port(), Stops), (from, OTHER, port(), Passes)],
        ),
        (
            "NotIn",
            select(expression("NotIn", json!(["db"]))),
            vec![(from, DB, port(), Passes), (from, OTHER, port(), Stops)],
        ),
        (
            "NotIn selects what has no such label",
            select(json!({ "matchExpressions": [{ "key": "tier", "operator": "NotIn", "values": ["test"] }] })),
            vec![(from, DB, port(), Stops), (from, OTHER, port(), Passes)],
        ),
        (
            "Exists",
            select(json!({ "matchExpressions": [{ "key": "tier", "operator": "Exists" }] })),
            vec![(from, OTHER, port(), Stops), (from, DB, port(), Passes)],
        ),
        (
            "DoesNotExist",
            select(json!({ "matchExpressions": [{ "key": "tier", "operator": "DoesNotExist" }] })),
            vec![(from, OTHER, port(), Passes), (from, DB, port(), Stops)],
        ),
        (
            "labels and expressions together",
            select(json!({ "matchLabels": { "role": "other" },
                "matchExpressions": [{ "key": "tier", "operator": "DoesNotExist" }] })),
            vec![(from, OTHER, port(), Passes), (from, "default/beside", port(), Stops)],
        ),
    ]);
}

#[test]
fn peers() {
    let role = |role: &str| json!({ "matchLabels": { "role": role } });
    let project = || json!({ "matchLabels": { "project": "myproject" } });
    let by_name = |name: &str| json!({ "matchLabels": { "kubernetes.io/metadata.name": name } });
    let port = || tcp(6379);
    check(vec![
        (
            "pods of the policy's namespace",
            lets_in(json!([{ "from": [{ "podSelector": role("frontend") }] }])),
            vec![(FRONTEND, DB, port(), Passes), (OTHER, DB, port(), Stops), ("my/frontend", DB, port(), Stops)],
        ),
        (
            "an empty podSelector is every pod of the policy's namespace",
            lets_in(json!([{ "from": [{ "podSelector": {} }] }])),
            vec![(OTHER, DB, port(), Passes), ("my/client", DB, port(), Stops), ("eni-in", DB, port(), Stops)],
        ),
        (
            "pods of namespaces",
            lets_in(json!([{ "from": [{ "namespaceSelector": project() }] }])),
            vec![("my/client", DB, port(), Passes), ("far/client", DB, port(), Stops), (FRONTEND, DB, port(), Stops)],
        ),
        (
            "an empty namespaceSelector is all pods of the cluster, and nothing else",
            lets_in(json!([{ "from": [{ "namespaceSelector": {} }] }])),
            vec![("far/client", DB, port(), Passes), (OTHER, DB, port(), Passes), ("eni-in", DB, port(), Stops)],
        ),
        (
            "a namespace by the label that the API server sets",
            lets_in(json!([{ "from": [{ "namespaceSelector": by_name("far") }] }])),
            vec![("far/client", DB, port(), Passes), ("my/client", DB, port(), Stops)],
        ),
        (
            "several namespaces by name",
            lets_in(json!([{ "from": [{ "namespaceSelector": { "matchExpressions": [
                { "key": "kubernetes.io/metadata.name", "operator": "In", "values": ["far", "my"] }] } }] }])),
            vec![("far/client", DB, port(), Passes), ("my/client", DB, port(), Passes), (OTHER, DB, port(), Stops)],
        ),
        (
            "namespace and pod selectors in one element: both",
            lets_in(json!([{ "from": [{ "namespaceSelector": project(), "podSelector": role("frontend") }] }])),
            vec![("my/frontend", DB, port(), Passes), ("my/client", DB, port(), Stops), (FRONTEND, DB, port(), Stops)],
        ),
        (
            "namespace and pod selectors in two elements: either",
            lets_in(json!([{ "from": [{ "namespaceSelector": project() }, { "podSelector": role("frontend") }] }])),
            vec![("my/client", DB, port(), Passes), (FRONTEND, DB, port(), Passes), (OTHER, DB, port(), Stops)],
        ),
        (
            "an empty list of peers is everybody",
            lets_in(json!([{ "from": [] }])),
            vec![("far/client", DB, port(), Passes), ("eni-in", DB, port(), Passes)],
        ),
        (
            "no list of peers is everybody",
            lets_in(json!([{ "ports": [{ "port": 6379 }] }])),
            vec![("eni-in", DB, port(), Passes), ("eni-in", DB, tcp(1), Stops)],
        ),
        (
            "rules are additive",
            lets_in(
                json!([{ "from": [{ "podSelector": role("frontend") }] }, { "from": [{ "podSelector": role("other") }] }]),
            ),
            vec![(FRONTEND, DB, port(), Passes), (OTHER, DB, port(), Passes), ("my/client", DB, port(), Stops)],
        ),
        (
            "policies are additive",
            [
                lets_in(json!([{ "from": [{ "podSelector": role("frontend") }] }])),
                lets_in(json!([{ "from": [{ "namespaceSelector": project() }] }])),
            ]
            .concat(),
            vec![(FRONTEND, DB, port(), Passes), ("my/client", DB, port(), Passes), (OTHER, DB, port(), Stops)],
        ),
        (
            "egress to pods of namespaces",
            lets_out(json!([{ "to": [{ "namespaceSelector": project() }] }])),
            vec![
                (DB, "my/client", port(), Passes),
                (DB, "far/client", port(), Stops),
                (DB, "203.0.113.9", port(), Stops),
            ],
        ),
        (
            "egress to pods of the own namespace",
            lets_out(json!([{ "to": [{ "podSelector": role("other") }] }])),
            vec![(DB, OTHER, port(), Passes), (DB, FRONTEND, port(), Stops), (DB, "my/client", port(), Stops)],
        ),
        (
            "a selector that cannot be read selects nobody",
            lets_in(
                json!([{ "from": [{ "podSelector": { "matchExpressions": [{ "key": "role", "operator": "In" }] } }] }]),
            ),
            vec![(FRONTEND, DB, port(), Stops)],
        ),
    ]);
}

#[test]
fn blocks() {
    let block = |cidr: &str, except: Json| json!([{ "ipBlock": { "cidr": cidr, "except": except } }]);
    let port = || tcp(6379);
    check(vec![
        (
            "a block",
            lets_in(json!([{ "from": block("10.0.1.48/28", json!([])) }])),
            vec![("eni-in", DB, port(), Passes), ("eni-out", DB, port(), Passes), (FRONTEND, DB, port(), Stops)],
        ),
        (
            "a block with an exception",
            lets_in(json!([{ "from": block("10.0.1.48/28", json!(["10.0.1.56/29"])) }])),
            vec![("eni-in", DB, port(), Passes), ("eni-out", DB, port(), Stops)],
        ),
        (
            "what one element leaves out another may let in",
            lets_in(json!([
                { "from": block("10.0.1.48/28", json!(["10.0.1.56/29"])) }, { "from": block("10.0.1.57/32", json!([])) },
            ])),
            vec![("eni-in", DB, port(), Passes), ("eni-out", DB, port(), Passes)],
        ),
        (
            "a block of one address",
            lets_in(json!([{ "from": block("10.0.1.50/32", json!([])) }])),
            vec![("eni-in", DB, port(), Passes), ("eni-out", DB, port(), Stops)],
        ),
        (
            "a block of the other family",
            lets_in(json!([{ "from": block("2001:db8::/64", json!([])) }])),
            vec![("eni-in", DB, port(), Stops)],
        ),
        (
            "egress to a block",
            lets_out(json!([{ "to": block("203.0.113.0/24", json!([])) }])),
            vec![
                (DB, "203.0.113.9", tcp(443), Passes),
                (DB, "198.51.100.9", tcp(443), Stops),
                (DB, OTHER, port(), Stops),
            ],
        ),
        (
            "egress to everything but a block",
            lets_out(json!([{ "to": block("0.0.0.0/0", json!(["203.0.113.0/24"])) }])),
            vec![(DB, "203.0.113.9", tcp(443), Stops), (DB, "198.51.100.9", tcp(443), Passes)],
        ),
        (
            "egress to a block and a port",
            lets_out(
                json!([{ "to": block("10.0.1.48/28", json!([])), "ports": [{ "protocol": "TCP", "port": 5978 }] }]),
            ),
            vec![(DB, "eni-in", tcp(5978), Passes), (DB, "eni-in", tcp(5979), Stops), (DB, "eni-in", udp(5978), Stops)],
        ),
    ]);
}

#[test]
fn ports() {
    let lets = |ports: Json| lets_in(json!([{ "ports": ports }]));
    let from = "my/client";
    check(vec![
        (
            "a port, of TCP without a word",
            lets(json!([{ "port": 6379 }])),
            vec![(from, DB, tcp(6379), Passes), (from, DB, tcp(6380), Stops), (from, DB, udp(6379), Stops)],
        ),
        (
            "a port of UDP",
            lets(json!([{ "protocol": "UDP", "port": 53 }])),
            vec![(from, DB, udp(53), Passes), (from, DB, tcp(53), Stops)],
        ),
        (
            "a port of SCTP",
            lets(json!([{ "protocol": "SCTP", "port": 7777 }])),
            vec![(from, DB, Traffic::protocol(Protocol::SCTP), Passes), (from, DB, tcp(7777), Stops)],
        ),
        (
            "a protocol without a port is all of its ports",
            lets(json!([{ "protocol": "UDP" }])),
            vec![(from, DB, udp(1), Passes), (from, DB, udp(65_535), Passes), (from, DB, tcp(1), Stops)],
        ),
        ("an empty port is all of TCP", lets(json!([{}])), vec![(from, DB, tcp(1), Passes), (from, DB, udp(1), Stops)]),
        (
            "an empty list of ports is everything",
            lets(json!([])),
            vec![(from, DB, udp(1), Passes), (from, DB, echo(), Passes)],
        ),
        (
            "a list of ports leaves other protocols out",
            lets(json!([{ "port": 6379 }])),
            vec![(from, DB, echo(), Stops)],
        ),
        (
            "ports are additive",
            lets(json!([{ "port": 6379 }, { "protocol": "UDP", "port": 53 }])),
            vec![(from, DB, tcp(6379), Passes), (from, DB, udp(53), Passes), (from, DB, tcp(53), Stops)],
        ),
        (
            "a range of ports, both ends in it",
            lets(json!([{ "port": 32_000, "endPort": 32_768 }])),
            vec![
                (from, DB, tcp(31_999), Stops),
                (from, DB, tcp(32_000), Passes),
                (from, DB, tcp(32_400), Passes),
                (from, DB, tcp(32_768), Passes),
                (from, DB, tcp(32_769), Stops),
            ],
        ),
        (
            "a range of one port",
            lets(json!([{ "port": 80, "endPort": 80 }])),
            vec![(from, DB, tcp(80), Passes), (from, DB, tcp(81), Stops)],
        ),
        (
            "a named port of the receiver",
            lets(json!([{ "port": "redis" }])),
            vec![(from, DB, tcp(6379), Passes), (from, DB, tcp(6380), Stops)],
        ),
        ("a named port has its protocol", lets(json!([{ "port": "dns" }])), vec![(from, DB, udp(53), Stops)]),
        ("a named port of UDP", lets(json!([{ "protocol": "UDP", "port": "dns" }])), vec![(from, DB, udp(53), Passes)]),
        ("a name that no port has", lets(json!([{ "port": "web" }])), vec![(from, DB, tcp(6379), Stops)]),
        (
            "a named port in egress is the receiving pod's",
            lets_out(json!([{ "ports": [{ "port": "redis" }] }])),
            vec![
                (DB, "my/client", tcp(6379), Passes),
                (DB, "my/client", tcp(80), Stops),
                (DB, "eni-in", tcp(6379), Stops),
            ],
        ),
        (
            "peers and ports of one rule: both",
            lets_in(json!([{ "from": [{ "podSelector": {} }], "ports": [{ "port": 6379 }] }])),
            vec![(OTHER, DB, tcp(6379), Passes), (OTHER, DB, tcp(1), Stops), (from, DB, tcp(6379), Stops)],
        ),
        (
            "peers and ports of two rules: either",
            lets_in(json!([{ "from": [{ "podSelector": {} }] }, { "ports": [{ "port": 6379 }] }])),
            vec![(OTHER, DB, tcp(1), Passes), (from, DB, tcp(6379), Passes), (from, DB, tcp(1), Stops)],
        ),
        (
            "DNS is out of reach, too, where nothing lets it out",
            lets_out(json!([{ "to": [{ "podSelector": {} }] }])),
            vec![(DB, "10.0.0.2", udp(53), Stops), (DB, OTHER, udp(53), Passes)],
        ),
    ]);
}

#[test]
fn nodes_and_the_pod_itself() {
    let deny = || vec![("default", json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] }))];
    check(vec![
        ("traffic from the pod's own node passes", deny(), vec![("node/n1", DB, tcp(6379), Passes)]),
        ("traffic to the pod's own node passes", deny(), vec![(DB, "node/n1", tcp(10_250), Passes)]),
        (
            "another node is a peer like any other",
            deny(),
            vec![("node/n2", DB, tcp(6379), Stops), (DB, "node/n2", tcp(10_250), Stops)],
        ),
        (
            "a pod with its node's network on the same node is the node",
            deny(),
            vec![("default/host", FRONTEND, tcp(1), Passes)],
        ),
        ("a pod of the same node is a peer like any other", deny(), vec![("default/beside", DB, tcp(6379), Stops)]),
        ("a pod cannot block access to itself", deny(), vec![(DB, DB, tcp(6379), Passes)]),
        ("a pod with its node's network is not selected", deny(), vec![("my/client", "default/host", tcp(1), Passes)]),
        (
            "a pod with its node's network is no pod for selectors",
            lets_in(json!([{ "from": [{ "podSelector": { "matchLabels": { "role": "frontend" } } }] }])),
            vec![(FRONTEND, DB, tcp(6379), Passes), ("default/host", DB, tcp(6379), Stops)],
        ),
        (
            "a node is let in by its address",
            lets_in(json!([{ "from": [{ "ipBlock": { "cidr": "10.0.1.20/32" } }] }])),
            vec![("node/n2", DB, tcp(6379), Passes), ("default/host", DB, tcp(6379), Passes)],
        ),
        (
            "from outside by a block",
            lets_in(json!([{ "from": [{ "ipBlock": { "cidr": "0.0.0.0/0" } }] }])),
            vec![("eni-in", DB, tcp(6379), Passes), ("my/client", DB, tcp(6379), Passes)],
        ),
    ]);
}
