//! The pods of the clusters with their branch interfaces.

use serde_json::{Value, json};

use super::Refused;
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
    world.kubernetes.objects.list(cluster, "pods", None).map(|pod| show(cluster, pod)).collect()
}

fn show(cluster: &str, pod: &Value) -> Value {
    let text = pod["metadata"]["annotations"][ANNOTATION].as_str().unwrap_or("[]");
    let branches: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let branch = branches.first();
    json!({
        "cluster": cluster,
        "namespace": pod["metadata"]["namespace"],
        "name": pod["metadata"]["name"],
        "node": pod["spec"]["nodeName"],
        "phase": pod["status"]["phase"],
        "address": pod["status"]["podIP"],
        "branch_interface": branch.map(|branch| &branch["eniId"]),
    })
}
