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
