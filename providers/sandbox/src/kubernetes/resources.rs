//! Which resource a kind is kept under, for those that the sandbox itself makes.

/// The resource (`pods`, `deployments.apps`) of a kind in an API version.
pub fn of_kind(api_version: &str, kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(version, name, _)| *version == api_version && *name == kind).map(|(_, _, resource)| *resource)
}

/// API version and kind of a resource.
pub fn kind_of(resource: &str) -> Option<(&'static str, &'static str)> {
    KINDS.iter().find(|(_, _, name)| *name == resource).map(|(version, kind, _)| (*version, *kind))
}

const KINDS: &[(&str, &str, &str)] = &[
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
    ),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions.apiextensions.k8s.io"),
    ("apps/v1", "ControllerRevision", "controllerrevisions.apps"),
    ("apps/v1", "DaemonSet", "daemonsets.apps"),
    ("apps/v1", "Deployment", "deployments.apps"),
    ("apps/v1", "ReplicaSet", "replicasets.apps"),
    ("apps/v1", "StatefulSet", "statefulsets.apps"),
    ("batch/v1", "CronJob", "cronjobs.batch"),
    ("batch/v1", "Job", "jobs.batch"),
    ("coordination.k8s.io/v1", "Lease", "leases.coordination.k8s.io"),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices.discovery.k8s.io"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets.policy"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles.rbac.authorization.k8s.io"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings.rbac.authorization.k8s.io"),
    ("rbac.authorization.k8s.io/v1", "Role", "roles.rbac.authorization.k8s.io"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings.rbac.authorization.k8s.io"),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses.scheduling.k8s.io"),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses.storage.k8s.io"),
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "Endpoints", "endpoints"),
    ("v1", "Event", "events"),
    ("v1", "Namespace", "namespaces"),
    ("v1", "Node", "nodes"),
    ("v1", "Pod", "pods"),
    ("v1", "Service", "services"),
    ("v1", "ServiceAccount", "serviceaccounts"),
    ("vpcresources.k8s.aws/v1alpha1", "CNINode", "cninodes.vpcresources.k8s.aws"),
    ("vpcresources.k8s.aws/v1beta1", "SecurityGroupPolicy", "securitygrouppolicies.vpcresources.k8s.aws"),
];
