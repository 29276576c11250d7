//! What a new EKS cluster has: its certificates and port, namespaces, roles, custom resources, webhooks, and the add-ons that EKS
//! installs by itself.
//!
//! The objects are in `data/kubernetes/bootstrap` (its README names the sources); here they get the cluster's own values.

use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::objects::Key;
use super::{life, resources};
use crate::aws::ApiError;
use crate::world::World;

/// Kubernetes' own roles and bindings.
const RBAC: &str = include_str!("../../data/kubernetes/bootstrap/rbac.json");
/// The custom resources of EKS' controllers.
const CRDS: &str = include_str!("../../data/kubernetes/bootstrap/crds.json");
/// EKS's roles, webhooks and add-ons.
const EKS: &str = include_str!("../../data/kubernetes/bootstrap/eks.json");

/// The namespaces of a new cluster.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The Services' addresses where EKS's cluster does not say.
const SERVICE_CIDR: &str = "10.100.0.0/16";

/// Makes a cluster: its row with port and certificates, and its first objects.
///
/// # Errors
/// `ServerException` when no port or certificate can be had.
pub fn create(world: &mut World, cluster: &str) -> Result<(), ApiError> {
    let failed = |error: String| ApiError::new("ServerException", error).with_status(500);
    let row = Cluster::new(cluster).map_err(failed)?;
    let values = Values::of(world, &row);
    world.kubernetes.clusters.insert(cluster, row);
    for namespace in NAMESPACES {
        create_namespace(world, cluster, namespace);
    }
    for object in values.read(RBAC).into_iter().chain(values.read(CRDS)) {
        put(world, cluster, object);
    }
    for object in values.read(EKS) {
        if values.has_addons || !is_addon(&object) {
            put(world, cluster, object);
        }
    }
    put(world, cluster, kubernetes_service(&values));
    Ok(())
}

/// Removes a cluster with everything in it.
pub fn delete(world: &mut World, cluster: &str) {
    super::controllers::forget(world, cluster);
    world.kubernetes.objects.remove_cluster(cluster);
    world.kubernetes.clusters.remove(cluster);
}

/// Lets a node role's instances join a cluster that looks in `kube-system/aws-auth`, as EKS does for managed node groups and
/// Fargate profiles where there are no access entries. A role that is there already is left alone.
pub fn map_node_role(world: &mut World, cluster: &str, role_arn: &str, is_fargate: bool) {
    let key = Key::new(cluster, "configmaps", "kube-system", "aws-auth");
    if world.kubernetes.objects.get(&key).is_none() {
        life::create(world, &key, json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {} }));
    }
    let (groups, username) = if is_fargate {
        ("  - system:node-proxier\n", "system:node:{{SessionName}}")
    } else {
        ("", "system:node:{{EC2PrivateDNSName}}")
    };
    let entry = format!(
        "- groups:\n  - system:bootstrappers\n  - system:nodes\n{groups}  rolearn: {role_arn}\n  username: {username}\n"
    );
    life::update(world, &key, |object| {
        let roles = object["data"]["mapRoles"].as_str().unwrap_or("").to_owned();
        if !roles.contains(&format!("rolearn: {role_arn}\n")) {
            object["data"]["mapRoles"] = json!(roles + &entry);
        }
    });
}

/// Makes a namespace as the API server does, with what controllers put into each.
fn create_namespace(world: &mut World, cluster: &str, name: &str) {
    let object = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": name, "labels": { "kubernetes.io/metadata.name": name } },
        "spec": { "finalizers": ["kubernetes"] },
        "status": { "phase": "Active" },
    });
    put(world, cluster, object);
    furnish_namespace(world, cluster, name);
}

/// Makes what every namespace has: the default service account, and the ConfigMap with the cluster's authority.
pub(crate) fn furnish_namespace(world: &mut World, cluster: &str, name: &str) {
    let account = Key::new(cluster, "serviceaccounts", name, "default");
    if world.kubernetes.objects.get(&account).is_none() {
        life::create(world, &account, json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {} }));
    }
    let authority = Key::new(cluster, "configmaps", name, "kube-root-ca.crt");
    if world.kubernetes.objects.get(&authority).is_some() {
        return;
    }
    let Some(pem) = world.kubernetes.clusters.get(cluster).map(|row| row.authority_pem.clone()) else { return };
    let about = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "annotations": { "kubernetes.io/description": about } },
        "data": { "ca.crt": pem },
    });
    life::create(world, &authority, object);
}

/// Whether an object belongs to the add-ons that `bootstrapSelfManagedAddons: false` leaves out.
fn is_addon(object: &Value) -> bool {
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    ["aws-node", "kube-proxy", "kube-proxy-config", "coredns", "kube-dns", "amazon-vpc-cni", "system:coredns"]
        .contains(&name)
}

/// The objects of an add-on that EKS installs by itself: `vpc-cni`, `kube-proxy`, `coredns`; those that are missing are made.
pub fn install_addon(world: &mut World, cluster: &str, addon: &str) {
    let Some(row) = world.kubernetes.clusters.get(cluster).cloned() else { return };
    let names: &[&str] = match addon {
        "vpc-cni" => &["aws-node", "amazon-vpc-cni"],
        "kube-proxy" => &["kube-proxy", "kube-proxy-config"],
        "coredns" => &["coredns", "kube-dns", "system:coredns"],
        _ => return,
    };
    let values = Values::of(world, &row);
    for object in values.read(EKS) {
        if object["metadata"]["name"].as_str().is_some_and(|name| names.contains(&name)) {
            put(world, cluster, object);
        }
    }
}

fn kubernetes_service(values: &Values) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "kubernetes", "namespace": "default",
            "labels": { "component": "apiserver", "provider": "kubernetes" },
        },
        "spec": {
            "clusterIP": values.first_service, "clusterIPs": [values.first_service],
            "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": 443 }],
            "sessionAffinity": "None", "type": "ClusterIP",
        },
        "status": { "loadBalancer": {} },
    })
}

/// Puts an object where it belongs, unless something is there.
fn put(world: &mut World, cluster: &str, object: Value) {
    let kind = object["kind"].as_str().unwrap_or_default();
    let Some(resource) = resources::of_kind(object["apiVersion"].as_str().unwrap_or_default(), kind) else {
        tracing::error!("no resource of kind {kind}");
        return;
    };
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    let key = Key::new(cluster, resource, &text("namespace"), &text("name"));
    if world.kubernetes.objects.get(&key).is_none() {
        life::create(world, &key, object);
    }
}

/// A cluster's own values in the data: `${NAME}`.
struct Values {
    pairs: Vec<(&'static str, String)>,
    first_service: String,
    has_addons: bool,
}

impl Values {
    fn of(world: &World, row: &Cluster) -> Self {
        let eks = world.eks.clusters.get(&row.name);
        let cidr = eks.and_then(|it| it.service_ipv4_cidr.as_deref()).unwrap_or(SERVICE_CIDR);
        let base = cidr.split('/').next().and_then(|base| base.parse::<Ipv4Addr>().ok()).map_or(0, u32::from);
        let pairs = vec![
            ("${NOW}", life::seconds(world)),
            ("${CA}", STANDARD.encode(&row.authority_pem)),
            ("${REGION}", world.settings.region.clone()),
            ("${CLUSTER}", row.name.clone()),
            ("${ENDPOINT}", row.endpoint()),
            ("${VPC}", eks.map(|it| it.network.vpc_id.clone()).unwrap_or_default()),
            ("${MINOR}", eks.map_or_else(|| "1.36".to_owned(), |it| it.version.clone())),
            ("${DNS}", Ipv4Addr::from(base + 10).to_string()),
        ];
        let first_service = Ipv4Addr::from(base + 1).to_string();
        Self { pairs, first_service, has_addons: eks.is_none_or(|it| it.has_self_managed_addons) }
    }

    fn read(&self, data: &str) -> Vec<Value> {
        let filled = self.pairs.iter().fold(data.to_owned(), |text, (name, value)| text.replace(name, value));
        serde_json::from_str(&filled).expect("the data are JSON and the values need no escapes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_new_cluster_has_what_eks_puts_there() {
        let mut world = testing::world();
        create(&mut world, "c").unwrap();
        for (resource, namespace, name) in [
            ("namespaces", "", "kube-node-lease"),
            ("serviceaccounts", "kube-public", "default"),
            ("configmaps", "default", "kube-root-ca.crt"),
            ("services", "default", "kubernetes"),
            ("clusterroles.rbac.authorization.k8s.io", "", "cluster-admin"),
            ("roles.rbac.authorization.k8s.io", "kube-system", "eks-vpc-resource-controller-role"),
            ("customresourcedefinitions.apiextensions.k8s.io", "", "securitygrouppolicies.vpcresources.k8s.aws"),
            ("customresourcedefinitions.apiextensions.k8s.io", "", "eniconfigs.crd.k8s.amazonaws.com"),
            ("mutatingwebhookconfigurations.admissionregistration.k8s.io", "", "vpc-resource-mutating-webhook"),
            ("validatingwebhookconfigurations.admissionregistration.k8s.io", "", "vpc-resource-validating-webhook"),
            ("daemonsets.apps", "kube-system", "aws-node"),
            ("deployments.apps", "kube-system", "coredns"),
            ("priorityclasses.scheduling.k8s.io", "", "system-node-critical"),
        ] {
            let key = Key::new("c", resource, namespace, name);
            assert!(world.kubernetes.objects.get(&key).is_some(), "{key:?}");
        }
        let dns = Key::new("c", "services", "kube-system", "kube-dns");
        assert_eq!(world.kubernetes.objects.get(&dns).unwrap()["spec"]["clusterIP"], "10.100.0.10");
        delete(&mut world, "c");
        assert_eq!(world.kubernetes.objects.all("c").count(), 0);
    }

    #[test]
    fn a_node_role_is_mapped_once() {
        let mut world = testing::world();
        create(&mut world, "c").unwrap();
        for _ in 0..2 {
            map_node_role(&mut world, "c", "arn:aws:iam::1:role/node", false);
        }
        let object = world.kubernetes.objects.get(&Key::new("c", "configmaps", "kube-system", "aws-auth")).unwrap();
        let roles = object["data"]["mapRoles"].as_str().unwrap();
        assert_eq!(roles.matches("rolearn").count(), 1);
        assert!(roles.contains("system:node:{{EC2PrivateDNSName}}"));
    }
}
