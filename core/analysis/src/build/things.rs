//! Which of the objects that were gathered live are somebody's already: the same thing told twice, or told as it was before a plan.

use std::collections::BTreeSet;

use super::{Object, View};
use crate::topology::Id;

/// Resource types of objects of clusters, with the kind that Kubernetes calls them.
const TYPED: [(&str, &str); 7] = [
    ("kubernetes_namespace", "Namespace"),
    ("kubernetes_namespace_v1", "Namespace"),
    ("kubernetes_network_policy", "NetworkPolicy"),
    ("kubernetes_network_policy_v1", "NetworkPolicy"),
    ("kubernetes_service_account", "ServiceAccount"),
    ("kubernetes_service_account_v1", "ServiceAccount"),
    ("sgp_security_group_policy", "SecurityGroupPolicy"),
];

/// What objects stand for: one thing in AWS or in a cluster each, some of them several.
#[derive(Clone, Debug, Default)]
pub struct Things {
    /// Names of things; those of a cluster that nobody names begin with a slash.
    names: BTreeSet<String>,
    /// Groups all of whose rules are told by the group.
    groups: BTreeSet<Id>,
    /// Clusters that go, with all that is in them.
    clusters: BTreeSet<String>,
    /// Namespaces that go: cluster (empty where nobody names it) and name.
    namespaces: BTreeSet<(String, String)>,
}

impl Things {
    /// Adds the thing that an object stands for.
    pub fn add(&mut self, object: &Object) {
        let view = View(&object.attributes);
        if object.kind == "aws_security_group" {
            self.groups.extend(view.text("id").map(Id::from));
        }
        if object.kind == "sgp_pod_eni" {
            self.names.insert(format!("{}/addon/vpc-cni", cluster(&view)));
        }
        self.names.extend(name(object));
    }

    /// Adds what an object that is changed has others do: settings of the VPC CNI end up in its DaemonSet.
    pub fn add_changed(&mut self, object: &Object) {
        self.add(object);
        let view = View(&object.attributes);
        let is_cni = object.kind == "aws_eks_addon" && view.text("addon_name") == Some("vpc-cni");
        if object.kind == "sgp_pod_eni" || is_cni {
            self.names.insert(format!("{}/DaemonSet/kube-system/aws-node", cluster(&view)));
        }
    }

    /// Adds an object that goes, with what is in it.
    pub fn add_gone(&mut self, object: &Object) {
        self.add_changed(object);
        let view = View(&object.attributes);
        match kind_of(object) {
            Some("Namespace") => {
                let name = metadata(&view).and_then(|it| it.text("name").map(str::to_owned));
                self.namespaces.extend(name.map(|name| (cluster(&view), name)));
            }
            _ if object.kind == "aws_eks_cluster" => self.clusters.extend(view.text("name").map(str::to_owned)),
            _ => {}
        }
    }

    /// Whether an object that was gathered is one of these, or goes along with one.
    pub fn have(&self, sighting: &Object) -> bool {
        let view = View(&sighting.attributes);
        if sighting.kind.starts_with("aws_vpc_security_group_")
            && view.text("security_group_id").is_some_and(|id| self.groups.contains(id))
        {
            return true;
        }
        let cluster = cluster(&view);
        if self.clusters.contains(&cluster) {
            return true;
        }
        let namespace = metadata(&view).and_then(|it| it.text("namespace").map(str::to_owned));
        if let Some(namespace) = namespace {
            let is_gone = |cluster: &str| self.namespaces.contains(&(cluster.to_owned(), namespace.clone()));
            if is_gone(&cluster) || is_gone("") {
                return true;
            }
        }
        name(sighting).is_some_and(|name| {
            let anywhere = name.strip_prefix(cluster.as_str()).unwrap_or_default();
            self.names.contains(&name) || !cluster.is_empty() && self.names.contains(anywhere)
        })
    }
}

/// The name of a thing: with its cluster, where it is in one.
fn name(object: &Object) -> Option<String> {
    let view = View(&object.attributes);
    let cluster = cluster(&view);
    if let Some(kind) = kind_of(object) {
        let metadata = metadata(&view)?;
        // The API server's own default, and nothing for what lives in no namespace.
        let namespace = metadata.text("namespace").unwrap_or("default");
        return Some(format!("{cluster}/{kind}/{namespace}/{}", metadata.text("name")?));
    }
    let part = |kind: &str, attribute: &str| Some(format!("{cluster}/{kind}/{}", view.text(attribute)?));
    match object.kind.as_str() {
        "sgp_pod_eni" => None,
        "aws_eks_cluster" => Some(format!("cluster {}", view.text("name")?)),
        "aws_eks_addon" => part("addon", "addon_name"),
        "aws_eks_node_group" => part("node group", "node_group_name"),
        "aws_eks_fargate_profile" => part("fargate profile", "fargate_profile_name"),
        "aws_iam_role" => Some(format!("role {}", view.text("name")?)),
        kind => {
            let own = view.text("security_group_rule_id").or_else(|| view.text("association_id"));
            Some(format!("{kind} {}", own.or_else(|| view.text("id"))?))
        }
    }
}

/// The kind of an object of a cluster.
fn kind_of(object: &Object) -> Option<&str> {
    if object.kind == "kubernetes_manifest" {
        return object.attributes.get("manifest")?.get("kind")?.as_str();
    }
    TYPED.iter().find(|(name, _)| *name == object.kind).map(|(_, kind)| *kind)
}

/// Where an object of a cluster says what it is called.
fn metadata<'a>(view: &View<'a>) -> Option<View<'a>> {
    let manifest = view.block("manifest").and_then(|it| it.block("metadata"));
    // `sgp_security_group_policy` says it at the top.
    manifest.or_else(|| view.block("metadata")).or_else(|| view.get("name").map(|_| view.clone()))
}

/// The cluster that an object names, by name or ARN; empty when it names none.
fn cluster(view: &View<'_>) -> String {
    let text = view.text("cluster_name").unwrap_or_default();
    text.rsplit_once(":cluster/").map_or(text, |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use sgp_model::json::from_serde;

    use super::*;

    fn object(kind: &str, attributes: &Json) -> Object {
        Object { kind: kind.to_owned(), addr: None, attributes: from_serde(attributes) }
    }

    fn seen(kind: &str, namespace: Option<&str>, name: &str) -> Object {
        let mut manifest = json!({ "kind": kind, "metadata": { "name": name } });
        if let Some(namespace) = namespace {
            manifest["metadata"]["namespace"] = json!(namespace);
        }
        object("kubernetes_manifest", &json!({ "cluster_name": "main", "manifest": manifest }))
    }

    #[test]
    fn a_thing_is_the_same_whatever_type_tells_of_it() {
        for (managed, sighting, is_same) in [
            (
                object(
                    "kubernetes_manifest",
                    &json!({ "cluster_name": "main", "manifest": { "kind": "Deployment", "metadata": { "name": "a", "namespace": "app" } } }),
                ),
                seen("Deployment", Some("app"), "a"),
                true,
            ),
            (
                object(
                    "kubernetes_manifest",
                    &json!({ "cluster_name": "other", "manifest": { "kind": "Deployment", "metadata": { "name": "a", "namespace": "app" } } }),
                ),
                seen("Deployment", Some("app"), "a"),
                false,
            ),
            // The provider's cluster, which nobody names.
            (
                object(
                    "kubernetes_manifest",
                    &json!({ "manifest": { "kind": "Deployment", "metadata": { "name": "a", "namespace": "app" } } }),
                ),
                seen("Deployment", Some("app"), "a"),
                true,
            ),
            (
                object(
                    "sgp_security_group_policy",
                    &json!({ "cluster_name": "arn:aws:eks:eu-central-1:1:cluster/main", "name": "a", "namespace": "app" }),
                ),
                seen("SecurityGroupPolicy", Some("app"), "a"),
                true,
            ),
            (
                object("kubernetes_namespace_v1", &json!({ "cluster_name": "main", "metadata": [{ "name": "app" }] })),
                seen("Namespace", None, "app"),
                true,
            ),
            (
                object(
                    "kubernetes_service_account_v1",
                    &json!({ "cluster_name": "main", "metadata": [{ "name": "a" }] }),
                ),
                seen("ServiceAccount", Some("default"), "a"),
                true,
            ),
            (
                object(
                    "aws_eks_addon",
                    &json!({ "cluster_name": "main", "addon_name": "vpc-cni", "id": "main:vpc-cni" }),
                ),
                object("aws_eks_addon", &json!({ "cluster_name": "main", "addon_name": "vpc-cni" })),
                true,
            ),
            (
                object("aws_eks_addon", &json!({ "cluster_name": "main", "addon_name": "vpc-cni" })),
                seen("DaemonSet", Some("kube-system"), "aws-node"),
                false,
            ),
            (
                object("aws_subnet", &json!({ "id": "subnet-1" })),
                object("aws_subnet", &json!({ "id": "subnet-1", "available_ip_address_count": 9 })),
                true,
            ),
            (object("aws_subnet", &json!({})), object("aws_subnet", &json!({ "id": "subnet-1" })), false),
            // The group tells all of its rules.
            (
                object("aws_security_group", &json!({ "id": "sg-1" })),
                object(
                    "aws_vpc_security_group_ingress_rule",
                    &json!({ "security_group_id": "sg-1", "security_group_rule_id": "sgr-9" }),
                ),
                true,
            ),
        ] {
            let mut things = Things::default();
            things.add(&managed);
            assert_eq!(things.have(&sighting), is_same, "{managed:?} {sighting:?}");
        }
    }

    #[test]
    fn settings_that_change_are_not_what_was_seen() {
        let mut things = Things::default();
        let pod_eni = object("sgp_pod_eni", &json!({ "cluster_name": "main" }));
        let daemon = seen("DaemonSet", Some("kube-system"), "aws-node");
        things.add(&pod_eni);
        // What it manages is told by itself; what the add-on makes of it is not.
        assert!(things.have(&object("aws_eks_addon", &json!({ "cluster_name": "main", "addon_name": "vpc-cni" }))));
        assert!(!things.have(&daemon));
        things.add_changed(&pod_eni);
        assert!(things.have(&daemon));
    }

    #[test]
    fn what_goes_takes_along_what_is_in_it() {
        let mut things = Things::default();
        let namespace =
            object("kubernetes_namespace_v1", &json!({ "cluster_name": "main", "metadata": [{ "name": "app" }] }));
        things.add_changed(&namespace);
        assert!(!things.have(&seen("Pod", Some("app"), "a")));
        things.add_gone(&namespace);
        assert!(things.have(&seen("Pod", Some("app"), "a")));
        assert!(!things.have(&seen("Pod", Some("web"), "a")));
        things.add_gone(&object("aws_eks_cluster", &json!({ "name": "main" })));
        assert!(things.have(&seen("Pod", Some("web"), "a")));
    }
}
