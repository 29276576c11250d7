//! What is in clusters: lists of the kinds that have a part in which pods there are, with which groups, and who reaches them.

use futures::future::join_all;
use serde_json::Value as Json;
use sgp_contract::{Area, Sighting};
use sgp_model::{Diagnostic, Diagnostics, Value, json::from_serde};

use crate::connect::{Access, Cluster, KubeClient};

/// The lists, with their kinds, which lists leave out of their items.
const LISTS: [(&str, &str); 18] = [
    ("/api/v1/nodes", "Node"),
    ("/api/v1/namespaces", "Namespace"),
    ("/api/v1/serviceaccounts", "ServiceAccount"),
    ("/api/v1/pods", "Pod"),
    ("/api/v1/services", "Service"),
    ("/apis/apps/v1/deployments", "Deployment"),
    ("/apis/apps/v1/replicasets", "ReplicaSet"),
    ("/apis/apps/v1/statefulsets", "StatefulSet"),
    ("/apis/apps/v1/daemonsets", "DaemonSet"),
    ("/apis/batch/v1/jobs", "Job"),
    ("/apis/batch/v1/cronjobs", "CronJob"),
    ("/apis/networking.k8s.io/v1/networkpolicies", "NetworkPolicy"),
    ("/apis/networking.k8s.io/v1/ingresses", "Ingress"),
    ("/apis/networking.k8s.io/v1/ingressclasses", "IngressClass"),
    ("/apis/elbv2.k8s.aws/v1beta1/ingressclassparams", "IngressClassParams"),
    ("/apis/vpcresources.k8s.aws/v1beta1/securitygrouppolicies", "SecurityGroupPolicy"),
    ("/apis/vpcresources.k8s.aws/v1alpha1/cninodes", "CNINode"),
    ("/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs", "ENIConfig"),
];

/// How many objects a page has.
const PAGE: usize = 500;

/// Looks into the clusters of an area.
pub(crate) async fn survey(client: &KubeClient, area: &Area) -> (Vec<Sighting>, Diagnostics) {
    let (mut sightings, mut diagnostics) = (Vec::new(), Diagnostics::new());
    for name in &area.clusters {
        match client.reach(Some(name)).await {
            Ok(Access::Ready(cluster)) => {
                let lists = join_all(LISTS.iter().map(|(path, kind)| list(&cluster, path, kind))).await;
                for answer in lists {
                    match answer {
                        Ok(items) => sightings.extend(items.into_iter().map(|item| sighting(name, &item))),
                        Err(problem) => diagnostics.push(problem),
                    }
                }
            }
            // Nothing runs in a cluster that is not there yet.
            Ok(Access::Absent { .. }) => {}
            Err(problem) => diagnostics.push(as_warning(&problem)),
        }
    }
    (sightings, diagnostics)
}

async fn list(cluster: &Cluster, path: &str, kind: &str) -> Result<Vec<Json>, Diagnostic> {
    let mut items = Vec::new();
    let mut more = String::new();
    loop {
        let page = match cluster.get(format!("{path}?limit={PAGE}{more}")).await {
            Ok(page) => page,
            // A cluster without the kind has none of it.
            Err(failure) if failure.is_not_found() => return Ok(items),
            Err(failure) => {
                let detail = format!(
                    "{kind} objects of {} could not be listed: {failure}. What depends on them stays unknown.",
                    cluster.label
                );
                return Err(Diagnostic::warning("Cluster could not be looked into", detail));
            }
        };
        for mut item in page["items"].as_array().cloned().unwrap_or_default() {
            item["kind"] = kind.into();
            items.push(item);
        }
        match page["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => more = format!("&continue={token}"),
            None => return Ok(items),
        }
    }
}

fn sighting(cluster: &str, item: &Json) -> Sighting {
    Sighting {
        kind: "kubernetes_manifest".to_owned(),
        attributes: Value::object([("cluster_name", Value::from(cluster)), ("manifest", from_serde(item))]),
    }
}

fn as_warning(problem: &Diagnostic) -> Diagnostic {
    Diagnostic::warning(problem.summary.clone(), problem.detail.clone())
}
