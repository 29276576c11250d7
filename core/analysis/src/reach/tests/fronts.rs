//! Rows about Services and load balancers: kube-proxy and target groups between clients and pods.

use serde_json::{Value as Json, json};
use sgp_model::{Type, Value, json::from_serde};

use super::{account, interface, rule, tcp, verdict};
use crate::{
    build::{Object, Sources, build},
    reach::{Fix, Verdict, changes, ends, trace},
    topology::{Id, Topology},
};

fn object(json: &Json) -> (&'static str, Json) {
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": json }))
}

/// A Service of pods with label `app`. `more` are further members of its spec.
fn service(name: &str, app: &str, notes: &Json, more: Json) -> (&'static str, Json) {
    let mut spec = json!({ "selector": { "app": app }, "ports": [{ "port": 443, "targetPort": "web" }] });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    let metadata = json!({ "name": name, "namespace": "app", "annotations": notes });
    object(&json!({ "kind": "Service", "metadata": metadata, "spec": spec }))
}

fn node_port(name: &str, app: &str, port: u16, policy: &str) -> (&'static str, Json) {
    let ports = json!([{ "port": 443, "targetPort": "web", "nodePort": port }]);
    service(name, app, &json!({}), json!({ "type": "NodePort", "ports": ports, "externalTrafficPolicy": policy }))
}

/// A Network Load Balancer by AWS's controller, with annotations beside.
fn network(name: &str, notes: &[(&str, &str)], more: Json) -> (&'static str, Json) {
    let prefix = "service.beta.kubernetes.io/aws-load-balancer-";
    let notes: Json = notes
        .iter()
        .map(|(key, value)| (format!("{prefix}{key}"), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut spec = json!({ "type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb" });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    service(name, "api", &notes, spec)
}

fn ingress(name: &str, class: &str, notes: &[(&str, &str)], host: Option<&str>) -> (&'static str, Json) {
    let prefix = "alb.ingress.kubernetes.io/";
    let notes: serde_json::Map<String, Json> =
        notes.iter().map(|(key, value)| (format!("{prefix}{key}"), json!(value))).collect();
    let backend = json!({ "service": { "name": "ported", "port": { "number": 443 } } });
    object(&json!({ "kind": "Ingress", "metadata": { "name": name, "namespace": "app", "annotations": notes },
        "spec": { "ingressClassName": class, "rules": [{ "http": { "paths": [{ "path": "/", "backend": backend }] } }] },
        "status": { "loadBalancer": { "ingress": host.map(|it| vec![json!({ "hostname": it })]).unwrap_or_default() } } }))
}

fn front_account(mode: &str, more: &[(&'static str, Json)]) -> Topology {
    let mut objects = vec![
        interface("eni-client", "subnet-b", "10.0.2.7", &["sg-client"], json!({})),
        ("aws_security_group", json!({ "id": "sg-client", "name": "clients", "vpc_id": "vpc-1" })),
        ("aws_security_group", json!({ "id": "sg-lb", "name": "front", "vpc_id": "vpc-1" })),
        rule(true, "sg-client", "-1", (-1, -1), ("cidr_ipv4", "0.0.0.0/0")),
        rule(true, "sg-lb", "-1", (-1, -1), ("cidr_ipv4", "0.0.0.0/0")),
        rule(false, "sg-lb", "tcp", (443, 443), ("cidr_ipv4", "0.0.0.0/0")),
        rule(false, "sg-node", "tcp", (30_000, 30_100), ("referenced_security_group_id", "sg-client")),
        node_port("ported", "api", 30_080, "Cluster"),
        node_port("local", "api", 30_081, "Local"),
        node_port("plain-local", "plain", 30_082, "Local"),
        service("beside", "api", &json!({}), json!({ "internalTrafficPolicy": "Local" })),
        service("headless", "api", &json!({}), json!({ "clusterIP": "None", "ports": [{ "port": 8080 }] })),
    ];
    objects.extend(more.iter().cloned());
    account(mode, &objects)
}

/// Nodes that let the load balancer's group in on node ports.
fn node_rule() -> (&'static str, Json) {
    rule(false, "sg-node", "tcp", (30_000, 32_767), ("referenced_security_group_id", "sg-lb"))
}

/// Pods that let the load balancer's group in.
fn pod_rule() -> (&'static str, Json) {
    rule(false, "sg-api", "tcp", (8080, 8080), ("referenced_security_group_id", "sg-lb"))
}

#[test]
fn kube_proxy_is_a_hop() {
    use Verdict::{Depends, Reachable, Unreachable};
    let (strict, standard) = (front_account("strict", &[]), front_account("standard", &[]));
    for (from, to, port, in_strict, in_standard) in [
        // Cluster addresses mean something on the cluster's nodes only.
        ("app/plain", "svc/app/ported", 443, Reachable, Reachable),
        ("node/node2", "svc/app/ported", 443, Reachable, Reachable),
        ("eni-client", "svc/app/ported", 443, Unreachable, Unreachable),
        // Node ports: the node's group judges first, then the pod's with the node as its peer.
        ("eni-client", "svc/app/ported", 30_080, Reachable, Reachable),
        ("eni-db", "svc/app/ported", 30_080, Unreachable, Unreachable),
        ("app/api", "svc/app/ported", 30_080, Unreachable, Depends),
        // Only a node with a pod answers, and in strict mode it hands nothing to a branch interface.
        ("eni-client", "svc/app/local", 30_081, Unreachable, Depends),
        ("eni-client", "svc/app/plain-local", 30_082, Depends, Depends),
        ("node/node1", "svc/app/beside", 443, Unreachable, Reachable),
        ("app/plain", "svc/app/beside", 443, Reachable, Reachable),
        ("node/node2", "svc/app/beside", 443, Unreachable, Unreachable),
        ("app/plain", "svc/app/headless", 8080, Reachable, Reachable),
        ("eni-client", "svc/app/headless", 8080, Unreachable, Unreachable),
    ] {
        for (topology, wanted, mode) in [(&strict, in_strict, "strict"), (&standard, in_standard, "standard")] {
            let (found, why) = verdict(topology, from, to, &tcp(port));
            assert_eq!(found, wanted, "{from} -> {to} {port} in {mode} mode: {why}");
        }
    }
}

#[test]
fn what_comes_by_a_node_has_its_address() {
    // The client's addresses do not help: kube-proxy puts the node's in their place.
    let policy = |block: &str| {
        object(&json!({ "kind": "NetworkPolicy", "metadata": { "name": "some", "namespace": "app" }, "spec": {
            "podSelector": { "matchLabels": { "app": "api" } }, "ingress": [{ "from": [{ "ipBlock": { "cidr": block } }] }] } }))
    };
    for (block, wanted) in [
        ("10.0.2.0/24", Verdict::Depends), // the pod's own node passes, the others do not
        ("10.0.1.0/24", Verdict::Reachable),
    ] {
        let topology = front_account("strict", &[policy(block)]);
        let (found, why) = verdict(&topology, "eni-client", "svc/app/ported", &tcp(30_080));
        assert_eq!(found, wanted, "{block}: {why}");
    }
}

#[test]
fn load_balancers_of_services() {
    use Verdict::{Depends, Reachable, Unreachable};
    let public = ("scheme", "internet-facing");
    let (ip, groups) = (("nlb-target-type", "ip"), ("security-groups", "sg-lb"));
    let keeps = ("target-group-attributes", "deregistration_delay.timeout_seconds=5, preserve_client_ip.enabled=true");
    for (what, notes, more, rules, from, wanted) in [
        ("to pods", vec![public, ip, groups], json!({}), vec![pod_rule()], "internet", Reachable),
        ("pods let nobody in", vec![public, ip, groups], json!({}), vec![], "internet", Unreachable),
        ("internal", vec![ip, groups], json!({}), vec![pod_rule()], "internet", Unreachable),
        ("internal, from inside", vec![ip, groups], json!({}), vec![pod_rule()], "eni-client", Reachable),
        // A rule for the load balancer's group counts whatever address the packet has.
        (
            "with clients' addresses",
            vec![public, ip, groups, keeps],
            json!({}),
            vec![pod_rule()],
            "internet",
            Reachable,
        ),
        // Which port of the nodes it will be is not known, and all of them are open.
        ("to nodes", vec![public, groups], json!({}), vec![node_rule()], "internet", Reachable),
        ("nodes let nobody in", vec![public, groups], json!({}), vec![], "internet", Unreachable),
        (
            "to nodes, Local",
            vec![public, groups],
            json!({ "externalTrafficPolicy": "Local" }),
            vec![node_rule()],
            "internet",
            Unreachable,
        ),
        // Its controller makes groups and rules, and nobody has seen them.
        ("hidden groups", vec![public, ip], json!({}), vec![], "internet", Depends),
        (
            "rules by the controller",
            vec![public, ip, groups, ("manage-backend-security-group-rules", "true")],
            json!({}),
            vec![],
            "internet",
            Depends,
        ),
        (
            "another controller",
            vec![public, ip, groups],
            json!({ "loadBalancerClass": "example.com/it" }),
            vec![pod_rule()],
            "internet",
            Depends,
        ),
        (
            "nobody says which",
            vec![public, ip, groups],
            json!({ "loadBalancerClass": null }),
            vec![pod_rule()],
            "internet",
            Depends,
        ),
    ] {
        let mut objects = rules;
        objects.push(network("it", &notes, more));
        let topology = front_account("strict", &objects);
        let (found, why) = verdict(&topology, from, "svc/app/it", &tcp(443));
        assert_eq!(found, wanted, "{what}: {why}");
    }
}

#[test]
fn a_network_acl_sees_clients_whose_addresses_are_kept() {
    // Out of the pods' subnet only answers to the VPC are let.
    let entry = |block: &str| json!([{ "rule_no": 100, "action": "allow", "protocol": "-1", "cidr_block": block }]);
    let acl = json!({ "id": "acl-2", "subnet_ids": ["subnet-a"], "ingress": entry("0.0.0.0/0"), "egress": entry("10.0.0.0/16") });
    let seen = interface(
        "eni-lb",
        "subnet-public",
        "10.0.9.9",
        &["sg-lb"],
        json!({ "description": "ELB net/it/0a1b",
        "association": [{ "public_ip": "203.0.113.9" }] }),
    );
    for (keeps, wanted) in [("true", Verdict::Unreachable), ("false", Verdict::Reachable)] {
        let attributes = format!("preserve_client_ip.enabled={keeps}");
        let notes = [("nlb-target-type", "ip"), ("target-group-attributes", attributes.as_str())];
        let mut it = network("it", &notes, json!({}));
        it.1["manifest"]["status"] =
            json!({ "loadBalancer": { "ingress": [{ "hostname": "it-0a1b.elb.us-east-1.amazonaws.com" }] } });
        let topology = front_account("strict", &[("aws_network_acl", acl.clone()), pod_rule(), seen.clone(), it]);
        let (found, why) = verdict(&topology, "internet", "svc/app/it", &tcp(443));
        assert_eq!(found, wanted, "kept: {keeps}: {why}");
    }
}

#[test]
fn load_balancers_of_ingresses() {
    use Verdict::{Depends, Reachable, Unreachable};
    let (public, ip, groups) = (("scheme", "internet-facing"), ("target-type", "ip"), ("security-groups", "sg-lb"));
    let tls = ("listen-ports", r#"[{"HTTP": 80}, {"HTTPS": 443}]"#);
    let far = ("inbound-cidrs", "198.51.100.0/24");
    for (what, class, notes, rules, from, port, wanted) in [
        ("to pods", "alb", vec![public, ip, groups, tls], vec![pod_rule()], "internet", 443, Reachable),
        ("no listener", "alb", vec![public, ip, groups, tls], vec![pod_rule()], "internet", 8443, Unreachable),
        (
            "its group lets no http in",
            "alb",
            vec![public, ip, groups, tls],
            vec![pod_rule()],
            "internet",
            80,
            Unreachable,
        ),
        (
            "redirect",
            "alb",
            vec![public, ip, groups, tls, ("ssl-redirect", "443")],
            vec![pod_rule()],
            "internet",
            80,
            Unreachable,
        ),
        ("to nodes", "alb", vec![public, groups, tls], vec![node_rule()], "internet", 443, Reachable),
        ("nodes let nobody in", "alb", vec![public, groups, tls], vec![], "internet", 443, Unreachable),
        ("internal", "alb", vec![ip, groups, tls], vec![pod_rule()], "internet", 443, Unreachable),
        ("internal, from a pod", "alb", vec![ip, groups, tls], vec![pod_rule()], "app/plain", 443, Reachable),
        // To its public addresses the way leads out and in again.
        ("from a pod", "alb", vec![public, ip, groups, tls], vec![pod_rule()], "app/plain", 443, Reachable),
        ("hidden groups", "alb", vec![public, ip, tls], vec![], "internet", 443, Depends),
        ("only some are let in", "alb", vec![public, ip, tls, far], vec![], "198.51.100.7", 443, Depends),
        ("not the others", "alb", vec![public, ip, tls, far], vec![], "8.8.8.8", 443, Unreachable),
        ("another controller", "nginx", vec![], vec![], "internet", 80, Depends),
    ] {
        let mut objects = rules;
        objects.push(ingress("it", class, &notes, None));
        let topology = front_account("strict", &objects);
        let (found, why) = verdict(&topology, from, "ingress/app/it", &tcp(port));
        assert_eq!(found, wanted, "{what}: {why}");
    }
}

#[test]
fn interfaces_that_are_seen_say_which_groups_a_load_balancer_has() {
    let seen = interface(
        "eni-lb",
        "subnet-public",
        "10.0.9.9",
        &["sg-lb"],
        json!({ "description": "ELB app/k8s-app-it/0a1b",
        "association": [{ "public_ip": "203.0.113.9" }] }),
    );
    let it = ingress(
        "it",
        "alb",
        &[("target-type", "ip"), ("listen-ports", r#"[{"HTTPS": 443}]"#)],
        Some("k8s-app-it-123.us-east-1.elb.amazonaws.com"),
    );
    for (rules, wanted) in [(vec![pod_rule()], Verdict::Reachable), (vec![], Verdict::Unreachable)] {
        let objects: Vec<_> = rules.into_iter().chain([seen.clone(), it.clone()]).collect();
        let topology = front_account("strict", &objects);
        let (found, why) = verdict(&topology, "internet", "ingress/app/it", &tcp(443));
        assert_eq!(found, wanted, "{why}");
    }
}

#[test]
fn behind_a_load_balancer_a_fix_is_for_the_pods_port() {
    let notes = [("scheme", "internet-facing"), ("nlb-target-type", "ip"), ("security-groups", "sg-lb")];
    let topology = front_account("strict", &[network("it", &notes, json!({}))]);
    let (from, to) = (ends::find(&topology, "internet").unwrap(), ends::find(&topology, "svc/app/it").unwrap());
    let fixes = trace(&topology, &from, &to, &tcp(443)).fixes;
    let [Fix::Rule { group, peer, traffic, .. }] = fixes.as_slice() else { panic!("{fixes:?}") };
    assert_eq!((group, traffic), (&Id::from("sg-api"), &tcp(8080)));
    assert_eq!(peer, &crate::topology::Peer::Group(Id::from("sg-lb")));
}

/// Lines of a change that are about load balancers.
fn opened(before: &Topology, after: &Topology) -> Vec<String> {
    let line = |it: &crate::reach::Line| {
        let (sign, may) = (if it.opens { '+' } else { '-' }, if it.may { " (may)" } else { "" });
        let by = it.by.clone().unwrap_or_default();
        format!("{sign} {} -> {} {} by {by}{may} {:?}", it.from, it.to, it.traffic, it.interest)
    };
    changes(before, after).lines.iter().filter(|it| it.by.is_some()).map(line).collect()
}

#[test]
fn a_change_says_what_opens_by_a_load_balancer() {
    let (public, ip, groups) = (("scheme", "internet-facing"), ("target-type", "ip"), ("security-groups", "sg-lb"));
    let tls = ("listen-ports", r#"[{"HTTPS": 443}]"#);
    let far = ("inbound-cidrs", "198.51.100.0/24, 192.0.2.0/24");
    let before = front_account("strict", &[pod_rule()]);
    for (what, object, lines) in [
        (
            "public",
            ingress("it", "alb", &[public, ip, groups, tls], None),
            vec![
                "+ any -> app/api tcp/443 by ingress app/it FromAnywhere",
                "+ any -> app/api2 tcp/443 by ingress app/it FromAnywhere",
            ],
        ),
        (
            "internal",
            ingress("it", "alb", &[ip, groups, tls], None),
            vec![
                "+ any -> app/api tcp/443 by ingress app/it Usual",
                "+ any -> app/api2 tcp/443 by ingress app/it Usual",
            ],
        ),
        (
            "for some",
            ingress("it", "alb", &[public, ip, tls, far], None),
            vec![
                "+ 192.0.2.0/24 -> app/api tcp/443 by ingress app/it (may) Usual",
                "+ 192.0.2.0/24 -> app/api2 tcp/443 by ingress app/it (may) Usual",
                "+ 198.51.100.0/24 -> app/api tcp/443 by ingress app/it (may) Usual",
                "+ 198.51.100.0/24 -> app/api2 tcp/443 by ingress app/it (may) Usual",
            ],
        ),
        (
            "of a Service",
            network("it", &[public, ("nlb-target-type", "ip"), groups], json!({})),
            vec![
                "+ any -> app/api tcp/443 by svc app/it FromAnywhere",
                "+ any -> app/api2 tcp/443 by svc app/it FromAnywhere",
            ],
        ),
        ("another controller", ingress("it", "nginx", &[], None), vec![]),
    ] {
        let after = front_account("strict", &[pod_rule(), object]);
        assert_eq!(opened(&before, &after), lines, "{what}");
        let closed: Vec<String> = lines.iter().map(|it| it.replacen('+', "-", 1)).collect();
        assert_eq!(opened(&after, &before), closed, "{what}");
    }
    // The rule for the load balancer's group is what opens it.
    let it = ingress("it", "alb", &[public, ip, groups, tls], None);
    let (shut, open) = (front_account("strict", std::slice::from_ref(&it)), front_account("strict", &[it, pod_rule()]));
    assert_eq!(opened(&shut, &open).len(), 2);
}

#[test]
fn pods_whose_labels_are_not_known_may_be_behind() {
    let unknown = Value::unknown(Type::String);
    let container = || from_serde(&json!([{ "name": "it", "ports": [{ "name": "web", "containerPort": 8080 }] }]));
    let template = |labels: Value| {
        Value::object([
            ("metadata", Value::object([("labels", labels)])),
            ("spec", Value::object([("containers", container())])),
        ])
    };
    let named = |namespace: Value| Value::object([("name", Value::from("some")), ("namespace", namespace)]);
    let open = |namespace: Value, labels: Value| {
        let manifest = Value::object([
            ("kind", Value::from("Deployment")),
            ("metadata", named(namespace)),
            ("spec", Value::object([("template", template(labels))])),
        ]);
        Object {
            kind: "kubernetes_manifest".to_owned(),
            addr: None,
            attributes: Value::object([("cluster_name", Value::from("main")), ("manifest", manifest)]),
        }
    };
    let known = || from_serde(&json!({ "app": "some" }));
    for (what, object) in [
        ("a label", open(Value::from("app"), Value::object([("app", unknown.clone())]))),
        ("the namespace", open(unknown.clone(), known())),
    ] {
        let objects = [
            (
                "aws_eks_cluster",
                json!({ "name": "main", "vpc_config": [{ "vpc_id": "vpc-1", "cluster_security_group_id": "sg-1" }] }),
            ),
            service("it", "some", &json!({}), json!({})),
        ];
        let mut all: Vec<Object> = objects
            .iter()
            .map(|(kind, it)| Object { kind: (*kind).to_owned(), addr: None, attributes: from_serde(it) })
            .collect();
        all.push(object);
        let topology =
            build(&Sources { objects: all, complete_clusters: vec!["main".to_owned()], ..Sources::default() });
        let found = ends::find(&topology, "svc/app/it").unwrap();
        assert_eq!(found.ends.len(), 1, "{what}");
        let from = ends::find(&topology, "control-plane").unwrap();
        let verdict = trace(&topology, &from, &found, &tcp(443)).verdict;
        assert_eq!(verdict, Verdict::Unreachable, "the control plane has no cluster address: {what}");
        let behind = crate::reach::front::Front::of_service(
            &topology,
            &Id::from("main"),
            &topology.clusters["main"],
            "app",
            "it",
        );
        assert!(behind.unwrap().doors.iter().all(|door| door.behind.pods.iter().all(|it| !it.is_sure)), "{what}");
    }
}
