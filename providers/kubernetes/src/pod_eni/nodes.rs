//! What the nodes say about trunk interfaces.

use serde_json::Value as Json;

use crate::{
    connect::{Access, KubeClient},
    errors::Failure,
    json::at,
    life,
};

/// Nodes that have joined; `None` when the API does not tell.
pub(super) async fn count(client: &KubeClient, cluster: Option<&str>) -> Option<usize> {
    list(client, cluster, "/api/v1/nodes").await.ok().flatten().map(|nodes| nodes.len())
}

/// Nodes with a trunk interface asked for (the `CNINode` feature); where `CNINode` is not served, nodes that advertise branch
/// interfaces. `None` when the API does not tell.
pub(super) async fn trunks(client: &KubeClient, cluster: Option<&str>) -> Option<usize> {
    match list(client, cluster, "/apis/vpcresources.k8s.aws/v1alpha1/cninodes").await {
        Ok(found) => found.map(|nodes| nodes.iter().filter(|n| wants_trunk(n)).count()),
        Err(failure) if failure.is_not_found() => {
            let nodes = list(client, cluster, "/api/v1/nodes").await.ok()??;
            Some(nodes.iter().filter(|n| advertises(n)).count())
        }
        Err(_) => None,
    }
}

async fn list(client: &KubeClient, cluster: Option<&str>, path: &str) -> Result<Option<Vec<Json>>, Failure> {
    match client.reach(cluster).await? {
        Access::Ready(cluster) => life::list(&cluster, path).await.map(Some),
        Access::Absent { .. } => Ok(None),
    }
}

fn wants_trunk(cni_node: &Json) -> bool {
    let features = at(cni_node, &["spec", "features"]).and_then(Json::as_array);
    features.is_some_and(|f| f.iter().any(|f| f["name"] == "SecurityGroupsForPods"))
}

fn advertises(node: &Json) -> bool {
    at(node, &["status", "capacity", "vpc.amazonaws.com/pod-eni"]).is_some_and(|n| n != "0" && n != 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn trunks_are_seen() {
        for (node, expected) in [
            (
                json!({"spec": {"features": [{"name": "CustomNetworking", "value": "a"}, {"name": "SecurityGroupsForPods"}]}}),
                true,
            ),
            (json!({"spec": {"features": [{"name": "CustomNetworking"}]}}), false),
            (json!({"spec": {}}), false),
        ] {
            assert_eq!(wants_trunk(&node), expected);
        }
        for (capacity, expected) in [
            (json!({"vpc.amazonaws.com/pod-eni": "9"}), true),
            (json!({"vpc.amazonaws.com/pod-eni": "0"}), false),
            (json!({}), false),
        ] {
            assert_eq!(advertises(&json!({"status": {"capacity": capacity}})), expected);
        }
    }
}
