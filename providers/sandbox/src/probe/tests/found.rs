//! What comparing with the analysis over random accounts found (`tests/tests/reachability`), in small accounts.

use super::*;

/// A policy for all pods of namespace `app` that lets nothing pass.
fn deny(world: &mut World, cluster: &str, types: &[&str]) {
    let key = Key::new(cluster, "networkpolicies.networking.k8s.io", "app", "deny");
    life::create(world, &key, json!({ "spec": { "podSelector": {}, "policyTypes": types } }));
}

#[test]
fn policies_select_pods_of_their_own_cluster_only() {
    let mut pods = Pods::new(&[], true);
    let group = pods.net.group("pods");
    pods.net.allow("Egress", &group, "8080", "0.0.0.0/0");
    pods.net.allow("Ingress", &group, "8080", "0.0.0.0/0");
    let (a, b) = (pods.pod("a", 0, Some(&group)), pods.pod("b", 1, Some(&group)));
    let key = Key::new("c", "networkpolicies.networking.k8s.io", "app", "all-pods");
    let everyone = json!([{ "from": [{ "namespaceSelector": {} }] }]);
    life::create(&mut pods.net.world, &key, json!({ "spec": { "podSelector": {}, "ingress": everyone } }));
    assert_eq!(pods.net.ask(&format!("c:{a}"), &format!("c:{b}"), 8080).verdict, Verdict::Reachable);
    // The same pod, in another cluster of the VPC.
    let world = &mut pods.net.world;
    let pod = serde_json::Value::clone(world.kubernetes.objects.get(&Key::new("c", "pods", "app", "a")).unwrap());
    world.kubernetes.objects.remove(&Key::new("c", "pods", "app", "a"));
    world.kubernetes.clusters.insert("other", Cluster::new("other").unwrap());
    life::create(world, &Key::new("other", "namespaces", "", "app"), json!({}));
    life::create(world, &Key::new("other", "pods", "app", "a"), pod);
    assert_eq!(pods.net.ask("other:app/a", &format!("c:{b}"), 8080).verdict, Verdict::Blocked);
}

#[test]
fn a_policy_counts_where_it_is_not_specified_what_groups_do() {
    let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", "standard")], true);
    let (one, other) = (pods.net.group("one"), pods.net.group("other"));
    let (a, b) = (pods.pod("a", 0, Some(&one)), pods.pod("b", 0, Some(&other)));
    pods.net.check(&a, &b, 8080, Verdict::Unknown, "not specified");
    deny(&mut pods.net.world, "c", &["Ingress"]);
    pods.net.check(&a, &b, 8080, Verdict::Blocked, "NetworkPolicy app/deny");
}

#[test]
fn policies_keep_no_pod_from_its_own_node() {
    let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", "standard")], true);
    let (group, nodes) = (pods.net.group("pods"), pods.node_group.clone());
    pods.net.allow("Egress", &group, "8080", &nodes);
    pods.net.allow("Ingress", &nodes, "8080", &group);
    let pod = pods.pod("a", 0, Some(&group));
    deny(&mut pods.net.world, "c", &["Ingress", "Egress"]);
    pods.net.check("node/n0", &pod, 8080, Verdict::Reachable, "");
    pods.net.check(&pod, "node/n0", 8080, Verdict::Reachable, "");
    pods.net.check(&pod, "node/n1", 8080, Verdict::Blocked, "NetworkPolicy app/deny");
}

#[test]
fn what_one_sends_to_oneself_stays_there() {
    for mode in ["strict", "standard"] {
        let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", mode)], true);
        let group = pods.net.group("pods");
        let (branch, shared) = (pods.pod("a", 0, Some(&group)), pods.pod("b", 0, None));
        deny(&mut pods.net.world, "c", &["Ingress", "Egress"]);
        for name in [branch.as_str(), shared.as_str(), "node/n0"] {
            pods.net.check(name, name, 8080, Verdict::Reachable, "");
        }
    }
}

#[test]
fn nothing_sends_from_where_nothing_is() {
    let mut net = Net::new();
    let (app, subnet) = (net.group("app"), net.private[0].clone());
    net.allow("Egress", &app, "443", "0.0.0.0/0");
    let made = net.call("CreateNetworkInterface", &[("SubnetId", &subnet), ("SecurityGroupId.1", &app)]);
    let loose = text(&made["networkInterface"]["networkInterfaceId"]);
    net.check(&loose, "internet", 443, Verdict::Blocked, "attached to nothing");
    net.check("10.0.1.250", "internet", 443, Verdict::Blocked, "attached to nothing");
    net.check("internet", "10.0.1.250", 443, Verdict::Blocked, "nothing has this address");
    net.check("internet", "8.8.8.8", 443, Verdict::Unknown, "neither end");
}

#[test]
fn two_networks_may_have_the_same_addresses() {
    let mut net = Net::new();
    let (one, subnet) = (net.group("one"), net.private[0].clone());
    let (from, to) = (net.instance(&subnet, &one), net.instance(&subnet, &one));
    net.allow("Egress", &one, "443", &one);
    net.allow("Ingress", &one, "443", &one);
    let (twin, _, private) = network(&mut net.world, "10.0");
    net.vpc.clone_from(&twin);
    let other = net.group("other");
    let (here, there) = (net.instance(&private[0], &other), net.instance(&private[0], &other));
    // Their addresses are those of the first two.
    net.check(&from, &to, 443, Verdict::Reachable, &one);
    net.check(&here, &there, 443, Verdict::Blocked, &other);
    net.check(&from, &there, 443, Verdict::Blocked, "in a network with the same addresses");
}

#[test]
fn no_network_acl_sees_answers_of_the_resolver() {
    let mut net = Net::new();
    let (app, subnet, vpc) = (net.group("app"), net.private[0].clone(), net.vpc.clone());
    let from = net.instance(&subnet, &app);
    let acl = text(&net.call("CreateNetworkAcl", &[("VpcId", &vpc)])["networkAcl"]["networkAclId"]);
    let of = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
    let known = net.call("DescribeNetworkAcls", &of);
    let associations = known["networkAclSet"][0]["associationSet"].as_array().unwrap();
    let association = associations.iter().find(|it| it["subnetId"] == subnet.as_str()).unwrap();
    let association = text(&association["networkAclAssociationId"]);
    net.call("ReplaceNetworkAclAssociation", &[("AssociationId", &association), ("NetworkAclId", &acl)]);
    net.check(&from, "10.0.0.2", 53, Verdict::Reachable, "");
}

#[test]
fn the_internet_has_no_addresses_that_are_set_aside() {
    let mut net = Net::new();
    let (app, subnet) = (net.group("app"), net.private[0].clone());
    net.allow("Egress", &app, "443", "0.0.0.0/0");
    let from = net.instance(&subnet, &app);
    for (to, verdict) in [
        ("8.8.8.8", Verdict::Reachable),
        ("100.63.0.1", Verdict::Reachable),
        ("100.64.0.1", Verdict::Blocked),
        ("198.18.0.1", Verdict::Blocked),
        ("224.0.0.5", Verdict::Blocked),
        ("240.0.0.1", Verdict::Blocked),
    ] {
        assert_eq!(net.ask(&from, to, 443).verdict, verdict, "{to}");
    }
}
