//! Walks to Services.

use super::*;

/// A Service of all pods of namespace `app` with label `app`.
fn service(pods: &mut Pods, app: &str, more: serde_json::Value) -> String {
    let mut spec = json!({ "selector": { "app": app }, "clusterIP": "10.100.0.7",
        "ports": [{ "port": 80, "targetPort": "web" }] });
    for (key, value) in more.as_object().unwrap() {
        spec[key.as_str()] = value.clone();
    }
    life::create(&mut pods.net.world, &Key::new("c", "services", "app", app), json!({ "spec": spec }));
    format!("svc/app/{app}")
}

fn change(pods: &mut Pods, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
    life::update(&mut pods.net.world, &Key::new("c", "pods", "app", name), change);
}

/// Pods with groups that let port 8080 pass between them.
fn open(pods: &mut Pods) -> String {
    let group = pods.net.group("pods");
    pods.net.allow("Egress", &group, "8080", "0.0.0.0/0");
    pods.net.allow("Ingress", &group, "8080", "0.0.0.0/0");
    group
}

#[test]
fn groups_see_the_pod_that_kube_proxy_chose() {
    for mode in ["strict", "standard"] {
        let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", mode)], true);
        let (front, back) = (pods.net.group("front"), pods.net.group("back"));
        let a = pods.pod("a", 0, Some(&front));
        pods.pod("b", 1, Some(&back));
        let web = service(&mut pods, "b", json!({}));
        pods.net.check(&a, &web, 80, Verdict::Blocked, &front);
        pods.net.allow("Egress", &front, "8080", &back);
        pods.net.allow("Ingress", &back, "8080", &front);
        pods.net.check(&a, &web, 80, Verdict::Reachable, &back);
        pods.net.check(&a, "10.100.0.7", 80, Verdict::Reachable, &back);
        pods.net.check(&a, &web, 8080, Verdict::Blocked, "no port 8080");
        // Outside of the cluster nothing knows the address.
        let outside = pods.net.private[1].clone();
        let instance = pods.net.instance(&outside, &front);
        pods.net.check(&instance, &web, 80, Verdict::Blocked, "its cluster only");
    }
}

#[test]
fn pods_that_are_not_ready_get_nothing() {
    let mut pods = Pods::new(&[], true);
    let group = open(&mut pods);
    let a = pods.pod("a", 0, Some(&group));
    pods.pod("b", 1, Some(&group));
    let web = service(&mut pods, "b", json!({}));
    pods.net.check(&a, &web, 80, Verdict::Reachable, "");
    let going = json!("2026-01-01T00:00:00Z");
    change(&mut pods, "b", |pod| {
        pod["metadata"]["finalizers"] = json!(["example.com/hold"]);
        pod["metadata"]["deletionTimestamp"] = going.clone();
    });
    // Nobody else is left, and it still serves.
    pods.net.check(&a, &web, 80, Verdict::Reachable, "");
    change(&mut pods, "b", |pod| pod["status"]["conditions"] = json!([{ "type": "Ready", "status": "False" }]));
    pods.net.check(&a, &web, 80, Verdict::Blocked, "no pod behind it is ready");
}

#[test]
fn a_name_without_an_address_leads_to_pods_themselves() {
    let mut pods = Pods::new(&[], true);
    let group = open(&mut pods);
    let a = pods.pod("a", 0, Some(&group));
    pods.pod("b", 1, Some(&group));
    let web = service(&mut pods, "b", json!({ "clusterIP": "None", "ports": [{ "port": 8080 }] }));
    pods.net.check(&a, &web, 8080, Verdict::Reachable, &group);
}

#[test]
fn ports_of_nodes_lead_on_with_the_nodes_address() {
    let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", "standard")], true);
    let (group, nodes, client) = (pods.net.group("pods"), pods.node_group.clone(), pods.net.group("client"));
    let outside = pods.net.private[1].clone();
    let instance = pods.net.instance(&outside, &client);
    pods.pod("b", 1, Some(&group));
    let ports = json!([{ "port": 80, "targetPort": "web", "nodePort": 30080 }]);
    let web = service(&mut pods, "b", json!({ "type": "NodePort", "ports": ports }));
    pods.net.allow("Egress", &client, "30080", &nodes);
    pods.net.check(&instance, &web, 30080, Verdict::Blocked, &nodes);
    pods.net.allow("Ingress", &nodes, "30080", &client);
    // One node has the pod, where it stays; from the other one groups of nodes and pods have to let it pass.
    pods.net.check(&instance, &web, 30080, Verdict::Unknown, "any of 2 nodes");
    pods.net.allow("Egress", &nodes, "8080", &group);
    pods.net.allow("Ingress", &group, "8080", &nodes);
    pods.net.check(&instance, &web, 30080, Verdict::Reachable, "");
}

#[test]
fn traffic_policies_keep_to_a_node() {
    for (mode, local) in [("strict", Verdict::Blocked), ("standard", Verdict::Unknown)] {
        let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", mode)], true);
        let (group, nodes) = (open(&mut pods), pods.node_group.clone());
        for direction in ["Ingress", "Egress"] {
            pods.net.allow(direction, &nodes, "30080", "0.0.0.0/0");
        }
        pods.net.allow("Egress", &group, "30080", "0.0.0.0/0");
        let a = pods.pod("a", 0, Some(&group));
        pods.pod("b", 1, Some(&group));
        let ports = json!([{ "port": 80, "targetPort": 8080, "nodePort": 30080 }]);
        let more = json!({ "type": "NodePort", "ports": ports, "externalTrafficPolicy": "Local",
            "internalTrafficPolicy": "Local" });
        let web = service(&mut pods, "b", more);
        pods.net.check(&a, &web, 80, Verdict::Blocked, "no pod of it is on the client's node");
        // In standard mode the one node hands it to its pod, the other one has none.
        pods.net.check(&a, &web, 30080, local, "");
    }
}

#[test]
fn policies_of_the_client_see_the_service() {
    let mut pods = Pods::new(&[], true);
    let group = open(&mut pods);
    let a = pods.pod("a", 0, Some(&group));
    pods.pod("b", 1, Some(&group));
    let web = service(&mut pods, "b", json!({}));
    let key = Key::new("c", "networkpolicies.networking.k8s.io", "app", "out");
    let policy = |to: serde_json::Value, port: u16| {
        json!({ "spec": { "podSelector": { "matchLabels": { "app": "a" } }, "policyTypes": ["Egress"],
            "egress": [{ "to": [to], "ports": [{ "port": port }] }] } })
    };
    let (pod, address) = (
        json!({ "podSelector": { "matchLabels": { "app": "b" } } }),
        |cidr: &str| json!({ "ipBlock": { "cidr": cidr } }),
    );
    let nobody = json!({ "podSelector": { "matchLabels": { "app": "b", "tier": "back" } } });
    for (to, port, verdict) in [
        (address("10.100.0.0/16"), 80, Verdict::Reachable),
        (address("10.100.0.0/16"), 8080, Verdict::Blocked),
        (address("10.0.0.0/16"), 8080, Verdict::Blocked),
        // Pods stand for Services that select them, at the port that leads to theirs.
        (pod.clone(), 8080, Verdict::Reachable),
        (pod, 80, Verdict::Blocked),
        (nobody, 8080, Verdict::Blocked),
    ] {
        life::create(&mut pods.net.world, &key, policy(to.clone(), port));
        assert_eq!(pods.net.ask(&a, &web, 80).verdict, verdict, "{to} {port}");
        pods.net.world.kubernetes.objects.remove(&key);
    }
}
