//! The pods of the clusters with their branch interfaces.

use serde_json::{Value, json};

use super::Refused;
use crate::kubernetes::webhooks;
use crate::world::World;

/// Where the VPC resource controller writes which branch interfaces a pod has.
const ANNOTATION: &str = "vpc.amazonaws.com/pod-eni";

/// All pods, or those of one cluster, by cluster, namespace and name.
///
/// # Errors
/// 404 when there is no such cluster.
pub(super) fn all(world: &World, cluster: Option<&str>) -> Result<Value, Refused> {
    let clusters: Vec<String> = match cluster {
        Some(name) if !world.kubernetes.clusters.contains(name) => {
            return Err((404, format!("there is no cluster {name}")));
        }
        Some(name) => vec![name.to_owned()],
        None => world.kubernetes.clusters.iter().map(|(name, _)| name.to_owned()).collect(),
    };
    let pods: Vec<Value> = clusters.iter().flat_map(|cluster| of_cluster(world, cluster)).collect();
    Ok(json!({ "pods": pods }))
}

fn of_cluster(world: &World, cluster: &str) -> Vec<Value> {
    world.kubernetes.objects.list(cluster, "pods", None).map(|pod| show(world, cluster, pod)).collect()
}

fn show(world: &World, cluster: &str, pod: &Value) -> Value {
    let text = pod["metadata"]["annotations"][ANNOTATION].as_str().unwrap_or("[]");
    let branches: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let branch = branches.first().and_then(|branch| branch["eniId"].as_str());
    json!({
        "cluster": cluster,
        "namespace": pod["metadata"]["namespace"],
        "name": pod["metadata"]["name"],
        "node": pod["spec"]["nodeName"],
        "phase": pod["status"]["phase"],
        "address": pod["status"]["podIP"],
        "branch_interface": branch,
        "policies": webhooks::matching::policies(world, cluster, pod),
        "groups": branch.map(|branch| groups(world, branch)).unwrap_or_default(),
    })
}

/// The groups of an interface, as EC2 has them.
fn groups(world: &World, interface: &str) -> Vec<Value> {
    let ids = world.ec2.interfaces.get(interface).map(|interface| interface.groups.clone()).unwrap_or_default();
    let name = |id: &str| world.ec2.security_groups.get(id).map(|group| group.name.clone());
    ids.iter().map(|id| json!({ "id": id, "name": name(id) })).collect()
}
