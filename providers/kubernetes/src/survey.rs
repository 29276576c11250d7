//! What is in clusters: lists of the kinds that have a part in which pods there are, with which groups, and who reaches them.
//!
//! A kind that the cluster does not know has no objects; one that may not be listed is told. Secrets are never asked for, and values
//! that pods have in their environment are dropped.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value as Json;
use sgp_contract::{Area, Sighting};
use sgp_model::{Diagnostic, Diagnostics, Value, json::from_serde};

use crate::{
    connect::{Access, Cluster, KubeClient},
    errors::Failure,
};

/// The lists that a topology is made of, with their kinds, which lists leave out of their items. Whoever saw them all knows what is
/// not there.
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

/// What single rules and explanations look at beside. Of the events those that say what is wrong, and those of the VPC resource
/// controller that tell its version.
const MORE: [(&str, &str); 11] = [
    ("/api/v1/events?fieldSelector=type%3DWarning", "Event"),
    ("/api/v1/events?fieldSelector=reason%3DControllerVersionNotice", "Event"),
    ("/api/v1/resourcequotas", "ResourceQuota"),
    ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
    ("/apis/apiregistration.k8s.io/v1/apiservices", "APIService"),
    ("/apis/elbv2.k8s.aws/v1beta1/targetgroupbindings", "TargetGroupBinding"),
    ("/apis/karpenter.k8s.aws/v1/ec2nodeclasses", "EC2NodeClass"),
    ("/apis/karpenter.sh/v1/nodepools", "NodePool"),
    ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "ClusterRoleBinding"),
    ("/apis/rbac.authorization.k8s.io/v1/rolebindings", "RoleBinding"),
];

/// Single objects of kinds whose lists are long, or hold what is nobody's business here.
const SINGLE: [(&str, &str); 4] = [
    ("/api/v1/namespaces/kube-system/configmaps/amazon-vpc-cni", "ConfigMap"),
    ("/api/v1/namespaces/kube-system/configmaps/kube-proxy-config", "ConfigMap"),
    (
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/securitygrouppolicies.vpcresources.k8s.aws",
        "CustomResourceDefinition",
    ),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/aws-node", "ClusterRole"),
];

/// How many objects a page has.
const PAGE: usize = 500;

/// Variables of containers that something reads; those of the VPC CNI are read whole.
const READ_VARIABLES: [&str; 2] = ["AWS_ENABLE_POD_ENI", "RESERVED_ENIS"];

/// Looks into the clusters of an area.
pub(crate) async fn survey(client: &KubeClient, area: &mut Area) -> (Vec<Sighting>, Diagnostics) {
    let (mut sightings, mut diagnostics) = (Vec::new(), Diagnostics::new());
    for name in area.clusters.clone() {
        match client.reach(Some(&name)).await {
            Ok(Access::Ready(cluster)) => {
                let seen = look_into(&name, &cluster).await;
                sightings.extend(seen.sightings);
                diagnostics.extend(seen.diagnostics);
                if seen.is_whole {
                    area.whole_clusters.push(name);
                }
            }
            // Nothing runs in a cluster that is not there yet.
            Ok(Access::Absent { .. }) => {}
            Err(problem) => diagnostics.push(as_warning(&problem)),
        }
    }
    (sightings, diagnostics)
}

/// What was seen in one cluster.
struct Seen {
    sightings: Vec<Sighting>,
    diagnostics: Diagnostics,
    is_whole: bool,
}

async fn look_into(name: &str, cluster: &Cluster) -> Seen {
    let lists = join_all(LISTS.iter().chain(&MORE).map(|(path, kind)| list(cluster, path, kind)));
    let single = join_all(SINGLE.iter().map(|(path, kind)| single(cluster, path, kind)));
    let (lists, single) = futures::join!(lists, single);
    let is_whole = lists.iter().take(LISTS.len()).all(Result::is_ok);
    let kinds = LISTS.iter().chain(&MORE).chain(&SINGLE).map(|(_, kind)| *kind);
    let (mut sightings, mut failed) = (Vec::new(), Vec::new());
    for (kind, answer) in kinds.zip(lists.into_iter().chain(single)) {
        match answer {
            Ok(items) => sightings.extend(items.into_iter().map(|item| sighting(name, item))),
            Err(failure) => failed.push((kind, failure)),
        }
    }
    Seen { sightings, diagnostics: unseen(cluster, &failed), is_whole }
}

/// One warning for each reason, with all kinds that it is about.
fn unseen(cluster: &Cluster, failed: &[(&str, Failure)]) -> Diagnostics {
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (kind, failure) in failed {
        // What RBAC says names the kind, and is the same for each.
        let reason = if failure.is_forbidden() { String::new() } else { failure.to_string() };
        reasons.entry(reason).or_default().push(kind);
    }
    let warning = |(reason, mut kinds): (String, Vec<&str>)| {
        kinds.dedup();
        let (kinds, label) = (kinds.join(", "), &cluster.label);
        let detail = if reason.is_empty() {
            format!(
                "This user may not list these in {label}: {kinds}. What depends on them stays unknown. The access policy \
                 AmazonEKSAdminViewPolicy allows it, or a role with get and list."
            )
        } else {
            format!("These could not be listed in {label}: {kinds} ({reason}). What depends on them stays unknown.")
        };
        Diagnostic::warning("Cluster could not be looked into", detail)
    };
    Diagnostics(reasons.into_iter().map(warning).collect())
}

async fn list(cluster: &Cluster, path: &str, kind: &str) -> Result<Vec<Json>, Failure> {
    let mut items = Vec::new();
    let mut more = String::new();
    let first = if path.contains('?') { '&' } else { '?' };
    loop {
        let mut page = match cluster.get(format!("{path}{first}limit={PAGE}{more}")).await {
            Ok(page) => page,
            // A cluster without the kind has none of it.
            Err(failure) if failure.is_not_found() => return Ok(items),
            // The pages are too old to go on with: from the beginning.
            Err(failure) if failure.is_expired() && !more.is_empty() => {
                items.clear();
                more.clear();
                continue;
            }
            Err(failure) => return Err(failure),
        };
        if let Some(page) = page["items"].as_array_mut() {
            items.extend(page.drain(..).map(|item| of_kind(item, kind)));
        }
        match page["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => more = format!("&continue={token}"),
            None => return Ok(items),
        }
    }
}

async fn single(cluster: &Cluster, path: &str, kind: &str) -> Result<Vec<Json>, Failure> {
    match cluster.get(path).await {
        Ok(item) => Ok(vec![of_kind(item, kind)]),
        Err(failure) if failure.is_not_found() => Ok(Vec::new()),
        Err(failure) => Err(failure),
    }
}

fn of_kind(mut item: Json, kind: &str) -> Json {
    item["kind"] = kind.into();
    if let Some(metadata) = item["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    if let Some(annotations) = item["metadata"]["annotations"].as_object_mut() {
        // The same object once more, values of its environment and all.
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    let is_cni = item["metadata"]["name"] == "aws-node";
    for at in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        for containers in ["containers", "initContainers"] {
            let found = item.pointer_mut(&format!("{at}/{containers}")).and_then(Json::as_array_mut);
            found.into_iter().flatten().filter(|_| !is_cni).for_each(forget_variables);
        }
    }
    item
}

/// What programs are told in their environment is theirs.
fn forget_variables(container: &mut Json) {
    if let Some(variables) = container["env"].as_array_mut() {
        variables.retain(|it| it["name"].as_str().is_some_and(|name| READ_VARIABLES.contains(&name)));
    }
}

fn sighting(cluster: &str, item: Json) -> Sighting {
    Sighting {
        kind: "kubernetes_manifest".to_owned(),
        attributes: Value::object([("cluster_name", Value::from(cluster)), ("manifest", from_serde(&item))]),
    }
}

fn as_warning(problem: &Diagnostic) -> Diagnostic {
    Diagnostic::warning(problem.summary.clone(), problem.detail.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_programs_are_told_is_not_gathered() {
        let container = json!({ "name": "it", "env": [{ "name": "PASSWORD", "value": "hunter2" }, { "name": "RESERVED_ENIS", "value": "1" }] });
        let spec = json!({ "containers": [container], "initContainers": [container] });
        let annotations = json!({ "kubectl.kubernetes.io/last-applied-configuration": "hunter2", "a": "b" });
        for shape in [
            json!({ "spec": spec }),
            json!({ "spec": { "template": { "spec": spec } } }),
            json!({ "spec": { "jobTemplate": { "spec": { "template": { "spec": spec } } } } }),
        ] {
            let mut object = shape;
            object["metadata"] = json!({ "name": "x", "annotations": annotations, "managedFields": [] });
            let seen = of_kind(object, "Pod").to_string();
            assert!(
                !seen.contains("hunter2") && seen.contains("RESERVED_ENIS") && seen.contains("\"a\":\"b\""),
                "{seen}"
            );
        }
        let cni = json!({ "metadata": { "name": "aws-node" }, "spec": { "template": { "spec": {
            "containers": [{ "env": [{ "name": "ENABLE_POD_ENI", "value": "true" }] }] } } } });
        assert!(of_kind(cni, "DaemonSet").to_string().contains("ENABLE_POD_ENI"));
    }
}
