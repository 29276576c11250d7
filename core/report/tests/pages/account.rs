//! A small account before and after a change: a cluster whose pods get a database, and whose database is opened too far.

use serde_json::{Value as Json, json};
use sgp_analysis::{
    build::{Object, Sources, build},
    reach::compared,
};
use sgp_model::json::from_serde;
use sgp_report::{
    Reach,
    picture::{Names, scene::World, ways::Ways},
};

/// An object: its type and attributes.
pub type Made = (&'static str, Json);

/// A rule of a group.
pub fn rule(is_egress: bool, group: &str, port: i64, peer: (&str, &str)) -> Made {
    let kind = if is_egress { "aws_vpc_security_group_egress_rule" } else { "aws_vpc_security_group_ingress_rule" };
    let mut rule = json!({
        "security_group_id": group, "ip_protocol": "tcp", "from_port": port, "to_port": port, "is_egress": is_egress,
    });
    rule[peer.0] = json!(peer.1);
    (kind, rule)
}

/// A subnet.
pub fn subnet(id: &str, name: &str, zone: &str, block: &str) -> Made {
    let zone = format!("eu-central-1{zone}");
    (
        "aws_subnet",
        json!({ "id": id, "vpc_id": "vpc-1", "cidr_block": block, "availability_zone": zone, "tags": { "Name": name } }),
    )
}

/// A group.
pub fn group(id: &str, name: &str) -> Made {
    ("aws_security_group", json!({ "id": id, "name": name, "vpc_id": "vpc-1" }))
}

/// A Deployment whose pods a policy gives a group.
pub fn workload(namespace: &str, name: &str, replicas: u32, group: &str) -> [Made; 2] {
    let labels = json!({ "app": name });
    let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "it" }] } });
    let deployment = json!({ "kind": "Deployment", "metadata": { "name": name, "namespace": namespace },
        "spec": { "replicas": replicas, "template": template } });
    let policy = json!({ "cluster_name": "main", "name": name, "namespace": namespace,
        "pod_selector": { "match_labels": labels }, "security_group_ids": [group] });
    [
        ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": deployment })),
        ("sgp_security_group_policy", policy),
    ]
}

/// A network with a cluster.
pub fn network() -> Vec<Made> {
    let local = json!({ "cidr_block": "10.0.0.0/16", "gateway_id": "local" });
    let out = |target: &str, id: &str| json!([local, { "cidr_block": "0.0.0.0/0", target: id }]);
    vec![
        ("aws_vpc", json!({ "id": "vpc-1", "cidr_block": "10.0.0.0/16", "tags": { "Name": "main" } })),
        subnet("subnet-a", "private-a", "a", "10.0.1.0/24"),
        subnet("subnet-b", "private-b", "b", "10.0.2.0/24"),
        subnet("subnet-p", "public-a", "a", "10.0.9.0/24"),
        ("aws_internet_gateway", json!({ "id": "igw-1", "vpc_id": "vpc-1" })),
        ("aws_nat_gateway", json!({ "id": "nat-1", "subnet_id": "subnet-p" })),
        (
            "aws_route_table",
            json!({ "id": "rtb-1", "vpc_id": "vpc-1", "route": out("nat_gateway_id", "nat-1"),
                "associations": [{ "subnet_id": "subnet-a" }, { "subnet_id": "subnet-b" }] }),
        ),
        (
            "aws_route_table",
            json!({ "id": "rtb-2", "vpc_id": "vpc-1", "route": out("gateway_id", "igw-1"),
                "associations": [{ "subnet_id": "subnet-p" }] }),
        ),
        group("sg-cluster", "eks-cluster-sg-main"),
        (
            "aws_eks_cluster",
            json!({ "name": "main", "vpc_config": [{ "vpc_id": "vpc-1", "cluster_security_group_id": "sg-cluster",
                "subnet_ids": ["subnet-a", "subnet-b"] }] }),
        ),
        (
            "aws_eks_node_group",
            json!({ "cluster_name": "main", "node_group_name": "default", "subnet_ids": ["subnet-a", "subnet-b"],
                "instance_types": ["m5.large"], "scaling_config": [{ "min_size": 1, "desired_size": 2, "max_size": 3 }] }),
        ),
        ("sgp_pod_eni", json!({ "cluster_name": "main", "enforcing_mode": "strict" })),
        rule(false, "sg-cluster", 10250, ("referenced_security_group_id", "sg-cluster")),
    ]
}

/// Objects as the analysis takes them.
pub fn sources(made: &[Made]) -> Sources {
    let object =
        |(kind, attributes): &Made| Object { kind: (*kind).to_owned(), addr: None, attributes: from_serde(attributes) };
    Sources { objects: made.iter().map(object).collect(), ..Sources::default() }
}

/// What a change does to who reaches whom.
pub fn change(before: &[Made], after: &[Made]) -> Reach {
    let (before, after) = (sources(before), sources(after));
    let (was, is) = (build(&before), build(&after));
    let names = Names::of(before.objects.iter().chain(&after.objects));
    let world = World { now: &is, before: Some(&was), names: &names };
    Reach::of(&world, Ways::of_change(&compared(&was, &is)))
}
