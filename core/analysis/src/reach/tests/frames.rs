//! A matrix walks each kind of way once and asks the groups of each pair. In random accounts it says what walks between every two ends
//! say.

use proptest::prelude::*;

use super::{super::sketch::Sketch, *};
use crate::{
    reach::{Party, Wire, ask, cases::as_destination, changes, classes::Passages, compared, frame, matrix},
    sets::Passage,
};

const GROUPS: [&str; 6] = ["sg-node", "sg-api", "sg-db", "sg-far", "sg-one", "sg-two"];

/// Of one VPC and the other one, with ranges that split what is in them.
const PEERS: [(&str, &str); 18] = [
    ("referenced_security_group_id", "sg-node"),
    ("referenced_security_group_id", "sg-api"),
    ("referenced_security_group_id", "sg-db"),
    ("referenced_security_group_id", "sg-far"),
    ("referenced_security_group_id", "sg-one"),
    ("referenced_security_group_id", "sg-two"),
    ("referenced_security_group_id", "sg-nobody"),
    ("cidr_ipv4", "0.0.0.0/0"),
    ("cidr_ipv4", "10.0.0.0/8"),
    ("cidr_ipv4", "10.0.0.0/16"),
    ("cidr_ipv4", "10.0.1.0/25"),
    ("cidr_ipv4", "10.0.1.128/25"),
    ("cidr_ipv4", "10.0.2.60/32"),
    ("cidr_ipv4", "203.0.113.0/24"),
    ("cidr_ipv6", "::/0"),
    ("cidr_ipv6", "2600:1f18::/56"),
    ("prefix_list_id", "pl-known"),
    ("prefix_list_id", "pl-unknown"),
];

/// Subnets with the first three numbers of their addresses. Of the last one nobody tells routes and ACL.
const SUBNETS: [(&str, &str); 6] = [
    ("subnet-a", "10.0.1"),
    ("subnet-b", "10.0.2"),
    ("subnet-public", "10.0.9"),
    ("subnet-far", "10.9.1"),
    ("subnet-odd", "10.0.4"),
    ("subnet-untold", "10.0.5"),
];

#[derive(Clone, Debug)]
struct Rule {
    group: &'static str,
    is_egress: bool,
    protocol: &'static str,
    ports: (i64, i64),
    peer: (&'static str, &'static str),
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let ports = prop::sample::select(&[(80, 80), (443, 443), (0, 65_535), (8000, 9000), (8500, 8600)][..]);
    let group = prop::sample::select(&GROUPS[..]);
    let protocol = prop::sample::select(&["tcp", "tcp", "udp", "-1"][..]);
    let rule = (group, any::<bool>(), protocol, ports, prop::sample::select(&PEERS[..]));
    let rule = rule.prop_map(|(group, is_egress, protocol, ports, peer)| Rule {
        group,
        is_egress,
        protocol,
        ports: if protocol == "-1" { (-1, -1) } else { ports },
        peer,
    });
    prop::collection::vec(rule, 0..24)
}

/// Something with an address.
#[derive(Clone, Debug)]
struct Thing {
    subnet: (&'static str, &'static str),
    is_high: bool,
    groups: Vec<&'static str>,
    /// An interface that is nobody's, or a pod: with a branch interface, with an address of its node, with its node's network.
    kind: u8,
    workload: Option<&'static str>,
    node: &'static str,
    is_public: bool,
    is_loose: bool,
}

fn things() -> impl Strategy<Value = Vec<Thing>> {
    let groups = prop::collection::vec(prop::sample::select(&GROUPS[..]), 1..3);
    let workload = prop::sample::select(&[None, Some("first"), Some("second")][..]);
    let node = prop::sample::select(&["node1", "node2"][..]);
    let flags = (any::<bool>(), any::<bool>(), 0_u8..8);
    let thing = (prop::sample::select(&SUBNETS[..]), groups, 0_u8..4, workload, node, flags);
    let thing = thing.prop_map(|(subnet, groups, kind, workload, node, (is_high, is_public, loose))| Thing {
        subnet,
        is_high,
        groups,
        kind,
        workload,
        node,
        is_public,
        is_loose: loose == 0,
    });
    prop::collection::vec(thing, 0..9)
}

fn objects_of(number: usize, thing: &Thing) -> Vec<(&'static str, Json)> {
    let (subnet, prefix) = thing.subnet;
    let address = format!("{prefix}.{}", number + if thing.is_high { 200 } else { 60 });
    let id = format!("eni-thing{number}");
    let mut more = json!({ "interface_type": if thing.kind == 1 { "branch" } else { "interface" } });
    if thing.is_public {
        more["association"] = json!([{ "public_ip": format!("3.0.0.{number}") }]);
    }
    if thing.is_loose {
        more["status"] = json!("available");
    }
    if thing.kind == 2 {
        let instance = thing.node.replace("node", "i-");
        more["attachment"] = json!([{ "instance_id": instance, "device_index": number + 2 }]);
    }
    let own = interface(&id, subnet, &address, &thing.groups, more);
    let labels = json!({ "app": thing.workload.unwrap_or("none") });
    let name = format!("{}-5d4f8c7b9-{number}", thing.workload.unwrap_or("thing"));
    let branch = (thing.kind == 1).then_some(id.as_str());
    let mut pod = pod(&name, thing.node, &address, branch, &labels);
    if thing.kind == 3 {
        pod.1["manifest"]["spec"]["hostNetwork"] = json!(true);
    }
    if let Some(workload) = thing.workload {
        pod.1["manifest"]["metadata"]["ownerReferences"] =
            json!([{ "kind": "ReplicaSet", "name": format!("{workload}-5d4f8c7b9"), "controller": true }]);
    }
    match thing.kind {
        0 => vec![own],
        1 | 2 => vec![own, pod],
        _ => vec![pod],
    }
}

/// What there is beside rules and things.
#[derive(Clone, Debug)]
struct Surroundings {
    mode: &'static str,
    policies: usize,
    has_ipv6: bool,
    plans: bool,
    acl: (bool, &'static str),
}

fn surroundings() -> impl Strategy<Value = Surroundings> {
    let mode = prop::sample::select(&["strict", "standard", "unheard of"][..]);
    let block = prop::sample::select(&["10.0.1.0/24", "10.0.1.128/25", "0.0.0.0/0", "10.0.2.60/32"][..]);
    let all = (mode, 0_usize..3, any::<bool>(), any::<bool>(), (any::<bool>(), block));
    all.prop_map(|(mode, policies, has_ipv6, plans, acl)| Surroundings { mode, policies, has_ipv6, plans, acl })
}

fn manifest(manifest: Json) -> (&'static str, Json) {
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": manifest }))
}

fn networks(around: &Surroundings) -> Vec<(&'static str, Json)> {
    let action = if around.acl.0 { "allow" } else { "deny" };
    let open = json!({ "rule_no": 200, "action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0" });
    let chosen = json!({ "rule_no": 100, "action": action, "protocol": "tcp", "from_port": 0, "to_port": 8500,
        "cidr_block": around.acl.1 });
    let routes = json!([{ "cidr_block": "10.0.0.0/16", "gateway_id": "local" },
        { "cidr_block": "10.9.0.0/25", "vpc_peering_connection_id": "pcx-1" },
        { "cidr_block": "203.0.113.0/25", "gateway_id": "igw-1" }]);
    vec![
        ("aws_subnet", json!({ "id": "subnet-odd", "vpc_id": "vpc-1", "cidr_block": "10.0.4.0/24" })),
        (
            "aws_route_table",
            json!({ "id": "rtb-odd", "vpc_id": "vpc-1", "route": routes, "associations": [{ "subnet_id": "subnet-odd" }] }),
        ),
        (
            "aws_network_acl",
            json!({ "id": "acl-odd", "subnet_ids": ["subnet-odd"], "ingress": [chosen, open], "egress": [open, chosen] }),
        ),
        (
            "aws_ec2_managed_prefix_list",
            json!({ "id": "pl-known", "name": "known", "entry": [{ "cidr": "10.0.1.0/26" }, { "cidr": "10.0.2.0/24" }] }),
        ),
    ]
}

/// NetworkPolicies, of which the first `count` are there.
fn policies(count: usize) -> impl Iterator<Item = (&'static str, Json)> {
    let block = json!({ "ipBlock": { "cidr": "10.0.0.0/16", "except": ["10.0.1.128/25"] } });
    let first = json!({ "kind": "NetworkPolicy", "metadata": { "name": "in", "namespace": "app" }, "spec": {
        "podSelector": { "matchLabels": { "app": "first" } },
        "ingress": [{ "from": [block, { "podSelector": { "matchLabels": { "app": "second" } } }] }] } });
    let second = json!({ "kind": "NetworkPolicy", "metadata": { "name": "out", "namespace": "app" }, "spec": {
        "podSelector": { "matchLabels": { "app": "second" } }, "policyTypes": ["Egress"],
        "egress": [{ "to": [{ "podSelector": {} }], "ports": [{ "port": "web" }] }] } });
    [first, second].into_iter().take(count).map(manifest)
}

/// What will run: nodes, and a workload with groups of its own.
fn plans() -> Vec<(&'static str, Json)> {
    let template =
        json!({ "metadata": { "labels": { "app": "third" } }, "spec": { "containers": [{ "name": "it" }] } });
    vec![
        (
            "aws_eks_node_group",
            json!({ "cluster_name": "main", "node_group_name": "new", "subnet_ids": ["subnet-a", "subnet-b", "subnet-odd"] }),
        ),
        manifest(json!({ "kind": "Deployment", "metadata": { "name": "third", "namespace": "app" },
            "spec": { "replicas": 2, "template": template } })),
        (
            "sgp_security_group_policy",
            json!({ "cluster_name": "main", "name": "third", "namespace": "app",
                "pod_selector": [{ "match_labels": { "app": "third" } }], "security_group_ids": ["sg-two"] }),
        ),
    ]
}

fn random(around: &Surroundings, things: &[Thing], rules: &[Rule]) -> Topology {
    let mut more = networks(around);
    if around.has_ipv6 {
        more.extend(found::with_ipv6(&json!({ "gateway_id": "igw-1" })));
    }
    if around.plans {
        more.extend(plans());
    }
    for group in ["sg-one", "sg-two"] {
        more.push(("aws_security_group", json!({ "id": group, "name": group, "vpc_id": "vpc-1" })));
    }
    for name in ["first", "second"] {
        let template =
            json!({ "metadata": { "labels": { "app": name } }, "spec": { "containers": [{ "name": "it" }] } });
        more.push(manifest(json!({ "kind": "Deployment", "metadata": { "name": name, "namespace": "app" },
            "spec": { "replicas": 2, "template": template } })));
    }
    more.extend(policies(around.policies));
    more.extend(rules.iter().map(|it| rule(it.is_egress, it.group, it.protocol, it.ports, it.peer)));
    more.extend(things.iter().enumerate().flat_map(|(number, it)| objects_of(number, it)));
    account(around.mode, &more)
}

/// What every end of the one and every end of the other say together.
fn walked(topology: &Topology, from: &Party, to: &Party) -> Passage {
    let (mut others, mut itself) = (Vec::new(), Vec::new());
    for sender in &from.ends {
        for receiver in &to.ends {
            let there = as_destination(topology, receiver);
            let receiver = if receiver.wire == Wire::Anywhere { &there } else { receiver };
            let passage = ask(topology, &frame::question(sender, receiver)).passage;
            if sender.has_address_of(receiver) { itself.push(passage) } else { others.push(passage) }
        }
    }
    let all = if others.is_empty() { itself } else { others };
    all.into_iter().reduce(|one, other| one.either(&other)).unwrap_or_else(Passage::none)
}

/// What passes from addresses that only one side names is compared with what passes from all others that hold them, changed or not.
#[test]
fn addresses_that_are_named_no_more_are_like_those_that_hold_them() {
    let around =
        Surroundings { mode: "strict", policies: 0, has_ipv6: false, plans: false, acl: (false, "10.0.1.0/24") };
    // Of the second one nobody knows the groups.
    let pod = |kind| Thing {
        subnet: SUBNETS[0],
        is_high: false,
        groups: vec!["sg-node"],
        kind,
        workload: Some("first"),
        node: "node1",
        is_public: false,
        is_loose: true,
    };
    let rule = |peer| Rule { group: "sg-api", is_egress: false, protocol: "tcp", ports: (80, 80), peer };
    let [named, other] = [("cidr_ipv4", "10.0.1.0/25"), ("referenced_security_group_id", "sg-node")]
        .map(|peer| random(&around, &[pod(1), pod(3)], &[rule(peer)]));
    assert_eq!(changes(&named, &other), compared(&named, &other).change);
    assert_eq!(changes(&other, &named), compared(&other, &named).change);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_matrix_says_what_all_walks_say(around in surroundings(), things in things(), rules in rules()) {
        let topology = random(&around, &things, &rules);
        let matrix = matrix(&topology);
        let sketch = Sketch::of(&topology, &mut Passages::default());
        for (from, to) in sketch.pairs() {
            let wanted = walked(&topology, &matrix.parties[from], &matrix.parties[to]);
            let found = matrix.passages.get(&(from, to)).cloned().unwrap_or_else(Passage::none);
            let (from, to) = (&matrix.parties[from].name, &matrix.parties[to].name);
            prop_assert_eq!(found, wanted, "{} -> {}", from, to);
        }
    }

    #[test]
    fn a_change_says_what_whole_matrices_say(
        around in surroundings(), things in things(), before in rules(), more in rules(), left in 0_usize..24
    ) {
        let after: Vec<Rule> = before.iter().skip(left).chain(more.iter().take(3)).cloned().collect();
        let (before, after) = (random(&around, &things, &before), random(&around, &things, &after));
        prop_assert_eq!(changes(&before, &after), compared(&before, &after).change);
    }
}
