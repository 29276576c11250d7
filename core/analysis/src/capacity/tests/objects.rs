//! Clusters as their objects tell them: planned, and live.

use serde_json::{Value as Json, json};
use sgp_model::json::from_serde;

use crate::{
    build::{Object, Sources, build},
    capacity::{Facts, Nodes, Question, Report, Verdict, Who, report, what_if},
    topology::{Id, Topology},
};

fn topology(objects: &[(&str, Json)]) -> Topology {
    let object = |(kind, attributes): &(&str, Json)| Object {
        kind: (*kind).to_owned(),
        addr: None,
        attributes: from_serde(attributes),
    };
    let objects = objects.iter().map(object).collect();
    build(&Sources { objects, ..Sources::default() })
}

fn manifest(object: &Json) -> (&'static str, Json) {
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": object }))
}

/// A stack as its configuration states it: five nodes in two subnets, a policy, a Deployment.
fn stack(replicas: u32) -> Vec<(&'static str, Json)> {
    let deployment = json!({ "kind": "Deployment", "metadata": { "name": "backend", "namespace": "app" }, "spec": {
        "replicas": replicas,
        "template": { "metadata": { "labels": { "app": "backend" } }, "spec": { "containers": [{ "name": "it" }] } },
    } });
    vec![
        ("aws_vpc", json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16" })),
        ("aws_subnet", json!({ "id": "subnet-a", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24" })),
        ("aws_subnet", json!({ "id": "subnet-b", "vpc_id": "vpc-1", "cidr_block": "10.0.2.0/24" })),
        ("aws_eks_cluster", json!({ "name": "main", "vpc_config": [{ "subnet_ids": ["subnet-a", "subnet-b"] }] })),
        (
            "aws_eks_node_group",
            json!({ "cluster_name": "main", "node_group_name": "workers", "subnet_ids": ["subnet-a", "subnet-b"],
                "instance_types": ["m5.large"], "scaling_config": [{ "min_size": 2, "desired_size": 5, "max_size": 6 }] }),
        ),
        ("sgp_pod_eni", json!({ "cluster_name": "main", "enforcing_mode": "strict" })),
        (
            "sgp_security_group_policy",
            json!({ "cluster_name": "main", "namespace": "app", "name": "backend", "security_group_ids": ["sg-1"],
                "pod_selector": [{ "match_labels": { "app": "backend" } }] }),
        ),
        manifest(&deployment),
    ]
}

fn counted(objects: &[(&str, Json)]) -> Report {
    report(&topology(objects), &Id::from("main"), &Facts::default()).unwrap()
}

#[test]
fn a_plan_is_counted() {
    let report = counted(&stack(40));
    let [row] = &report.nodes[..] else { panic!("one group") };
    assert_eq!((row.nodes.to_string(), row.branches.capacity.to_string()), ("5".into(), "45".into()));
    assert_eq!((row.branches.wanted.to_string(), row.branches.updating_one.to_string()), ("40".into(), "50".into()));
    assert_eq!((report.branches.more.to_string(), report.branches.pending.to_string()), ("5".into(), "0".into()));
    assert_eq!(row.branches.capacity_most.as_ref().unwrap().to_string(), "54");
    assert_eq!(report.unknown, Vec::<String>::new());
    assert_eq!(report.subnets.len(), 2);
    // Three nodes here, and all pods perhaps.
    assert_eq!(
        (report.subnets[0].held.to_string(), report.subnets[0].wanted.to_string()),
        ("6 to 63".into(), "0 to 40".into())
    );
    let who = Who::Policy("app".to_owned(), "backend".to_owned());
    let question = Question { cluster: Id::from("main"), pods: 6, who, nodes: Nodes::Wanted };
    let ask = |question: &Question| what_if(&topology(&stack(40)), question, &Facts::default()).unwrap().verdict;
    assert_eq!(ask(&question), Verdict::DoesNotFit);
    assert_eq!(ask(&Question { nodes: Nodes::Most, ..question }), Verdict::Fits);
}

#[test]
fn what_runs_is_counted() {
    let node = json!({ "kind": "Node", "metadata": { "name": "n1", "labels": { "eks.amazonaws.com/nodegroup": "workers",
            "node.kubernetes.io/instance-type": "m5.large" } }, "spec": { "providerID": "aws:///a/i-1" },
        "status": { "allocatable": { "vpc.amazonaws.com/pod-eni": "9", "pods": "29" } } });
    let pod = json!({ "kind": "Pod", "metadata": { "name": "backend-5d-x", "namespace": "app", "labels": { "app": "backend" },
            "annotations": { "vpc.amazonaws.com/pod-eni": r#"[{"eniId":"eni-b1"}]"# },
            "ownerReferences": [{ "kind": "ReplicaSet", "name": "backend-5d", "controller": true }] },
        "spec": { "nodeName": "n1", "containers": [{ "name": "it" }] }, "status": { "phase": "Running", "podIP": "10.0.1.9" } });
    let interface = |id: &str, kind: &str, more: Json| {
        let mut interface = json!({ "id": id, "vpc_id": "vpc-1", "subnet_id": "subnet-a", "private_ip": "10.0.1.8",
            "description": kind, "status": "in-use" });
        interface.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("aws_network_interface", interface)
    };
    let tagged = json!({ "tags": { "node.k8s.amazonaws.com/instance_id": "i-1" } });
    let mut objects = stack(1);
    objects.extend([
        manifest(&node),
        manifest(&pod),
        interface("eni-1", "", json!({ "attachment": [{ "instance_id": "i-1", "device_index": 0 }] })),
        interface("eni-b1", "aws-k8s-branch-eni", tagged.clone()),
        // Its pod is gone.
        interface("eni-b2", "aws-k8s-branch-eni", tagged),
        interface("eni-x", "RDSNetworkInterface", json!({})),
    ]);
    let report = counted(&objects);
    let [row] = &report.nodes[..] else { panic!("one group") };
    // Four nodes are still to come.
    assert_eq!((row.nodes.to_string(), row.branches.capacity.to_string()), ("5".into(), "45".into()));
    assert_eq!((row.branches.used.to_string(), row.cooling.to_string()), ("2 or more".into(), "0 to 1".into()));
    assert_eq!((row.branches.wanted.to_string(), report.branches.more.to_string()), ("1".into(), "44".into()));
    // 251, one of them the database's.
    assert_eq!(report.subnets[0].available.to_string(), "250");
}
