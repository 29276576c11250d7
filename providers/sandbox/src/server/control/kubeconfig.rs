//! One kubeconfig for several clusters.

use serde_json::{Value, json};

use crate::kubernetes::cluster::Cluster;
use crate::world::World;

/// A kubeconfig with a context for each cluster, or for the one that is asked for; `None` when there is no such cluster. With one
/// cluster its context is the current one; with several that is the first by name.
pub(crate) fn of(world: &World, cluster: Option<&str>) -> Option<String> {
    let clusters: Vec<&Cluster> =
        world.kubernetes.clusters.values().filter(|it| cluster.is_none_or(|name| name == it.name)).collect();
    if cluster.is_some() && clusters.is_empty() {
        return None;
    }
    let configs = clusters.iter().map(|cluster| serde_json::from_str(&cluster.kubeconfig()).unwrap_or_default());
    Some(format!("{:#}\n", merged(&configs.collect::<Vec<Value>>())))
}

fn merged(configs: &[Value]) -> Value {
    let all = |list: &str| -> Vec<Value> {
        configs.iter().filter_map(|config| config[list].as_array()).flatten().cloned().collect()
    };
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": all("clusters"),
        "users": all("users"),
        "contexts": all("contexts"),
        "current-context": configs.first().map_or("", |config| config["current-context"].as_str().unwrap_or("")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    #[test]
    fn clusters_stand_side_by_side() {
        let mut world = world();
        let text = of(&world, None).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["current-context"], "");
        for name in ["b", "a"] {
            world.kubernetes.clusters.insert(name, Cluster::new(name).unwrap());
        }
        let config: Value = serde_json::from_str(&of(&world, None).unwrap()).unwrap();
        let count = |list: &str| config[list].as_array().unwrap().len();
        assert_eq!((count("clusters"), count("users"), count("contexts")), (2, 2, 2));
        assert_eq!(config["current-context"], "a");
        let config: Value = serde_json::from_str(&of(&world, Some("b")).unwrap()).unwrap();
        assert_eq!((config["current-context"].as_str(), config["users"][1].is_null()), (Some("b"), true));
        assert_eq!(of(&world, Some("c")), None);
    }
}
