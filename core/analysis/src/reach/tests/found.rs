//! What comparing with the sandbox's probe over random accounts found (`tests/tests/reachability`), in small accounts.

use super::*;

fn in_words(topology: &Topology, from: &str, to: &str, traffic: &Traffic) -> Verdict {
    verdict(topology, from, to, traffic).0
}

fn deny_all() -> (&'static str, Json) {
    let policy = json!({ "kind": "NetworkPolicy", "metadata": { "name": "deny", "namespace": "app" },
        "spec": { "podSelector": {}, "policyTypes": ["Ingress", "Egress"] } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": policy }))
}

#[test]
fn an_interface_of_a_node_is_the_node() {
    let more = interface(
        "eni-second",
        "subnet-a",
        "10.0.1.14",
        &["sg-db"],
        json!({ "attachment": [{ "instance_id": "i-1", "device_index": 2 }] }),
    );
    let (strict, standard) = (account("strict", &[]), account("standard", &[more]));
    // What is on the node stays there; kubelet's TCP to a branch interface does not arrive in strict mode.
    for from in ["eni-node1", "i-1", "10.0.1.10"] {
        assert_eq!(in_words(&strict, from, "app/plain", &tcp(9999)), Verdict::Reachable, "{from}");
        assert_eq!(in_words(&strict, from, "app/api", &tcp(8080)), Verdict::Unreachable, "{from}");
        assert_eq!(in_words(&standard, from, "app/api", &tcp(8080)), Verdict::Reachable, "{from}");
    }
    // A further interface has groups of its own, and is on the node all the same.
    assert_eq!(in_words(&standard, "eni-second", "app/plain", &tcp(9999)), Verdict::Reachable);
    assert_eq!(in_words(&standard, "eni-second", "eni-node2", &tcp(9999)), Verdict::Unreachable);
}

#[test]
fn an_address_of_a_shared_interface_is_the_pods() {
    let (strict, standard) = (account("strict", &[deny_all()]), account("standard", &[]));
    for name in ["10.0.1.30", "eni-pods1", "app/plain"] {
        assert_eq!(in_words(&standard, name, "app/api", &tcp(9000)), Verdict::Reachable, "{name}");
        // Policies are for the pod, whatever it is called by.
        assert_eq!(in_words(&strict, "eni-node2", name, &tcp(9000)), Verdict::Unreachable, "{name}");
    }
}

#[test]
fn what_one_sends_to_oneself_stays_there() {
    for mode in ["strict", "standard"] {
        let account = account(mode, &[deny_all()]);
        for name in ["app/api", "app/plain", "node/node1", "eni-db"] {
            assert_eq!(in_words(&account, name, name, &tcp(9999)), Verdict::Reachable, "{name} in {mode} mode");
        }
        assert_eq!(in_words(&account, "app/api", "app/api2", &tcp(9999)), Verdict::Unreachable, "{mode} mode");
    }
}

/// That one of several reaches itself says nothing of whether they reach each other.
#[test]
fn pods_of_one_name_are_asked_about_each_other() {
    let account = account("strict", &[]);
    assert_eq!(in_words(&account, "sg-api", "sg-api", &tcp(9999)), Verdict::Unreachable);
    assert_eq!(in_words(&account, "app/api", "sg-api", &tcp(9999)), Verdict::Unreachable);
    assert_eq!(in_words(&account, "sg-far", "sg-far", &tcp(9999)), Verdict::Reachable);
}

#[test]
fn nothing_sends_from_an_interface_that_is_attached_to_nothing() {
    let loose = interface("eni-loose", "subnet-a", "10.0.1.40", &["sg-node"], json!({ "status": "available" }));
    let account = account("strict", &[loose]);
    assert_eq!(in_words(&account, "eni-loose", "eni-node2", &tcp(443)), Verdict::Unreachable);
    assert_eq!(in_words(&account, "eni-node2", "eni-loose", &tcp(443)), Verdict::Unreachable);
}

#[test]
fn an_address_that_no_interface_has_is_nobodys_where_all_are_known() {
    let mut account = account("strict", &[]);
    let ask = |account: &Topology, from, to| in_words(account, from, to, &tcp(443));
    assert_eq!(ask(&account, "eni-node1", "10.0.1.250"), Verdict::Depends, "somebody may have it");
    assert_eq!(ask(&account, "10.0.1.250", "eni-node1"), Verdict::Depends, "somebody may have it");
    account.vpcs.get_mut("vpc-1").unwrap().is_complete = true;
    assert_eq!(ask(&account, "eni-node1", "10.0.1.250"), Verdict::Unreachable);
    assert_eq!(ask(&account, "10.0.1.250", "eni-node1"), Verdict::Unreachable);
}

#[test]
fn no_network_acl_sees_answers_of_the_resolver() {
    let closed = ("aws_network_acl", json!({ "id": "acl-closed", "subnet_ids": ["subnet-b"] }));
    let account = account("strict", &[closed]);
    let dns = Traffic::port(Protocol::UDP, 53);
    assert_eq!(in_words(&account, "eni-db", "10.0.0.2", &dns), Verdict::Reachable);
    assert_eq!(in_words(&account, "eni-db", "10.0.0.3", &dns), Verdict::Unreachable);
}

#[test]
fn of_the_way_to_a_public_address_here_nothing_more_is_said() {
    let public = |id: &str, address: &str, public: &str| {
        interface(id, "subnet-public", address, &["sg-node"], json!({ "association": [{ "public_ip": public }] }))
    };
    let all = json!([{ "rule_no": 100, "action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0" }]);
    // Answers do not come into the subnet; nobody says by which address they would come.
    let one_way = json!({ "id": "acl-out", "subnet_ids": ["subnet-public"], "egress": all });
    let more = [
        public("eni-one", "10.0.9.30", "3.0.0.1"),
        public("eni-two", "10.0.9.31", "3.0.0.2"),
        ("aws_network_acl", one_way),
    ];
    let account = account("strict", &more);
    assert_eq!(in_words(&account, "eni-one", "3.0.0.2", &tcp(443)), Verdict::Depends);
    assert_eq!(in_words(&account, "eni-one", "3.0.0.3", &tcp(443)), Verdict::Unreachable);
}

/// A subnet with IPv6, whose default route leads to `gateway`, and an interface in it that lets everything pass.
pub(super) fn with_ipv6(gateway: &Json) -> Vec<(&'static str, Json)> {
    let mut default = json!({ "ipv6_cidr_block": "::/0" });
    default.as_object_mut().unwrap().extend(gateway.as_object().unwrap().clone());
    let routes = json!([{ "cidr_block": "10.0.0.0/16", "gateway_id": "local" },
        { "ipv6_cidr_block": "2600:1f18::/56", "gateway_id": "local" }, default]);
    let all = json!([{ "rule_no": 100, "action": "allow", "protocol": "-1", "ipv6_cidr_block": "::/0" }]);
    let six = json!({ "ipv6_addresses": ["2600:1f18::7"] });
    vec![
        ("aws_vpc", json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16", "ipv6_cidr_block": "2600:1f18::/56" })),
        ("aws_subnet", json!({ "id": "subnet-six", "vpc_id": "vpc-1", "ipv6_cidr_block": "2600:1f18::/64" })),
        (
            "aws_route_table",
            json!({ "id": "rtb-six", "vpc_id": "vpc-1", "route": routes,
            "associations": [{ "subnet_id": "subnet-six" }] }),
        ),
        ("aws_network_acl", json!({ "id": "acl-six", "subnet_ids": ["subnet-six"], "ingress": all, "egress": all })),
        ("aws_egress_only_internet_gateway", json!({ "id": "eigw-1", "vpc_id": "vpc-1" })),
        ("aws_security_group", json!({ "id": "sg-six", "name": "six", "vpc_id": "vpc-1" })),
        rule(true, "sg-six", "-1", (-1, -1), ("cidr_ipv6", "::/0")),
        rule(false, "sg-six", "-1", (-1, -1), ("cidr_ipv6", "::/0")),
        interface("eni-six", "subnet-six", "10.0.6.7", &["sg-six"], six),
    ]
}

#[test]
fn an_egress_only_gateway_lets_nobody_in() {
    for (gateway, way_in) in [
        (json!({ "egress_only_gateway_id": "eigw-1" }), Verdict::Unreachable),
        (json!({ "gateway_id": "igw-1" }), Verdict::Reachable),
    ] {
        let mut account = account("strict", &with_ipv6(&gateway));
        assert_eq!(in_words(&account, "eni-six", "2001:db8::9", &tcp(443)), Verdict::Reachable, "{gateway}");
        assert_eq!(in_words(&account, "2001:db8::9", "eni-six", &tcp(443)), way_in, "{gateway}");
        // Without another one nothing comes in, whatever the routes say.
        account.internet_gateways.retain(|_, it| it.is_egress_only);
        assert_eq!(in_words(&account, "2001:db8::9", "eni-six", &tcp(443)), Verdict::Unreachable, "{gateway}");
    }
}

#[test]
fn of_the_way_to_another_network_here_nothing_more_is_said() {
    let mut objects = with_ipv6(&json!({ "gateway_id": "igw-1" }));
    objects.extend([
        ("aws_vpc", json!({ "id": "vpc-other", "cidr_block": "10.0.0.0/16", "ipv6_cidr_block": "2600:1f19::/56" })),
        (
            "aws_network_interface",
            json!({ "id": "eni-other", "vpc_id": "vpc-other", "subnet_id": "subnet-other",
            "status": "in-use", "ipv6_addresses": ["2600:1f19::7"], "security_groups": [] }),
        ),
    ]);
    let mut account = account("strict", &objects);
    account.vpcs.get_mut("vpc-other").unwrap().is_complete = true;
    assert_eq!(in_words(&account, "eni-six", "2600:1f19::7", &tcp(443)), Verdict::Depends);
    assert_eq!(in_words(&account, "eni-six", "2600:1f19::8", &tcp(443)), Verdict::Unreachable);
}

/// A Service of pods with label `app`, in front of their port 8080.
fn service(app: &str, more: Json) -> (&'static str, Json) {
    let mut spec = json!({ "selector": { "app": app }, "clusterIP": "10.100.0.7",
        "ports": [{ "port": 80, "targetPort": "web" }] });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let service = json!({ "kind": "Service", "metadata": { "name": "it", "namespace": "app" }, "spec": spec });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": service }))
}

#[test]
fn a_pod_may_be_the_one_behind_its_service_on_its_node() {
    let elsewhere = pod("plain2", "node2", "10.0.1.31", None, &json!({ "app": "plain" }));
    let account = account("strict", &[service("plain", json!({ "internalTrafficPolicy": "Local" })), elsewhere]);
    assert_eq!(in_words(&account, "app/plain", "svc/app/it", &tcp(80)), Verdict::Reachable);
}

#[test]
fn policies_of_the_client_see_the_service() {
    let policy = |to: &Json, port: u16| {
        let policy = json!({ "kind": "NetworkPolicy", "metadata": { "name": "out", "namespace": "app" }, "spec": {
            "podSelector": { "matchLabels": { "app": "plain" } }, "policyTypes": ["Egress"],
            "egress": [{ "to": [to], "ports": [{ "port": port }] }] } });
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": policy }))
    };
    let pods = |labels: Json| json!({ "podSelector": { "matchLabels": labels } });
    let block = |cidr: &str| json!({ "ipBlock": { "cidr": cidr } });
    for (to, port, wanted) in [
        (block("10.100.0.0/16"), 80, Verdict::Reachable),
        (block("10.100.0.0/16"), 8080, Verdict::Unreachable),
        (block("10.0.0.0/16"), 8080, Verdict::Unreachable),
        // Pods stand for Services that select them, at the port that leads to theirs.
        (pods(json!({ "app": "api" })), 8080, Verdict::Reachable),
        (pods(json!({ "app": "api" })), 80, Verdict::Unreachable),
        (pods(json!({ "app": "api", "tier": "back" })), 8080, Verdict::Unreachable),
    ] {
        let account = account("strict", &[service("api", json!({})), policy(&to, port)]);
        for name in ["svc/app/it", "10.100.0.7"] {
            assert_eq!(in_words(&account, "app/plain", name, &tcp(80)), wanted, "{to} {port}");
        }
    }
}

#[test]
fn pods_that_are_not_ready_get_nothing_from_kube_proxy() {
    let told = |is_ready: &str, more: Json| {
        let mut it = pod("plain", "node1", "10.0.1.30", None, &json!({ "app": "plain" }));
        it.1["manifest"]["status"]["conditions"] = json!([{ "type": "Ready", "status": is_ready }]);
        it.1["manifest"]["metadata"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        it
    };
    let going = || json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" });
    let headless = || json!({ "clusterIP": "None", "ports": [{ "port": 80 }] });
    for (pod, more, wanted) in [
        (told("True", json!({})), json!({}), Verdict::Reachable),
        (told("False", json!({})), json!({}), Verdict::Unreachable),
        (told("False", json!({})), json!({ "publishNotReadyAddresses": true }), Verdict::Reachable),
        // Nobody else is left, and it still serves; names lead to nobody who goes.
        (told("True", going()), json!({}), Verdict::Reachable),
        (told("True", going()), headless(), Verdict::Unreachable),
    ] {
        let account = account("strict", &[service("plain", more.clone()), pod]);
        assert_eq!(in_words(&account, "node/node2", "svc/app/it", &tcp(80)), wanted, "{more}");
    }
}

/// Another node is a client like any other, whichever node hands on what it sends.
#[test]
fn policies_let_the_pods_own_node_pass_and_no_other_one() {
    let ports = json!([{ "port": 80, "targetPort": "web", "nodePort": 30080 }]);
    let local = json!({ "type": "NodePort", "ports": ports, "externalTrafficPolicy": "Local" });
    for (policies, wanted) in [(vec![], Verdict::Depends), (vec![deny_all()], Verdict::Unreachable)] {
        let objects = [vec![service("plain", local.clone())], policies].concat();
        // One node has the pod, the other one has none.
        let account = account("strict", &objects);
        assert_eq!(in_words(&account, "node/node2", "svc/app/it", &tcp(30_080)), wanted);
    }
}
