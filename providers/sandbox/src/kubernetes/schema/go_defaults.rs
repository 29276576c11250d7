//! What Kubernetes' own types get where nothing is said: `SetDefaults_…` in `pkg/apis/*/v1/defaults.go` of Kubernetes 1.36. What
//! the OpenAPI documents say already is not repeated here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

type Members = Map<String, Value>;

/// The function for a type, by its full name.
pub(super) fn of(name: &str) -> Option<fn(&mut Members)> {
    let name = name.strip_prefix("io.k8s.api.")?;
    Some(match name {
        "core.v1.PodSpec" => pod_spec,
        "core.v1.Container" | "core.v1.EphemeralContainer" => container,
        "core.v1.Probe" => probe,
        "core.v1.HTTPGetAction" => http_get,
        "core.v1.GRPCAction" => |it| set(it, "service", json!("")),
        "core.v1.Volume" => volume,
        "core.v1.SecretVolumeSource"
        | "core.v1.ConfigMapVolumeSource"
        | "core.v1.DownwardAPIVolumeSource"
        | "core.v1.ProjectedVolumeSource" => |it| set(it, "defaultMode", json!(0o644)),
        "core.v1.ServiceAccountTokenProjection" => |it| set(it, "expirationSeconds", json!(3600)),
        "core.v1.HostPathVolumeSource" => |it| set(it, "type", json!("")),
        "core.v1.ObjectFieldSelector" => |it| set(it, "apiVersion", json!("v1")),
        "core.v1.Secret" => secret,
        "core.v1.PodStatus" => pod_status,
        "core.v1.PodCondition" => |it| unset(it, &["lastProbeTime", "lastTransitionTime"]),
        "core.v1.NodeCondition" => |it| unset(it, &["lastHeartbeatTime", "lastTransitionTime"]),
        "core.v1.ServiceSpec" => service_spec,
        "core.v1.EndpointPort" => |it| set(it, "protocol", json!("TCP")),
        "core.v1.NamespaceStatus" => |it| set(it, "phase", json!("Active")),
        "core.v1.NodeStatus" => |it| copy(it, "capacity", "allocatable"),
        "core.v1.PersistentVolumeStatus" | "core.v1.PersistentVolumeClaimStatus" => {
            |it| set(it, "phase", json!("Pending"))
        }
        "core.v1.PersistentVolumeSpec" => |it| {
            set(it, "persistentVolumeReclaimPolicy", json!("Retain"));
            set(it, "volumeMode", json!("Filesystem"));
        },
        "core.v1.PersistentVolumeClaimSpec" => |it| set(it, "volumeMode", json!("Filesystem")),
        "core.v1.LimitRangeItem" => limit_range_item,
        "apps.v1.DeploymentSpec" => deployment_spec,
        "apps.v1.DaemonSetSpec" => daemon_set_spec,
        "apps.v1.StatefulSetSpec" => stateful_set_spec,
        "apps.v1.ReplicaSetSpec" => |it| set(it, "replicas", json!(1)),
        "batch.v1.JobSpec" => |_| (),
        "batch.v1.CronJobSpec" => cron_job_spec,
        "batch.v1.PodFailurePolicyOnPodConditionsPattern" => |it| set(it, "status", json!("True")),
        "networking.v1.NetworkPolicyPort" => |it| set(it, "protocol", json!("TCP")),
        "networking.v1.NetworkPolicySpec" => network_policy_spec,
        "networking.v1.IngressClassParametersReference" => |it| set(it, "scope", json!("Cluster")),
        "rbac.v1.RoleRef" => |it| set(it, "apiGroup", json!("rbac.authorization.k8s.io")),
        "rbac.v1.Subject" => subject,
        "admissionregistration.v1.ValidatingWebhook" => webhook,
        "admissionregistration.v1.MutatingWebhook" => |it| {
            webhook(it);
            set(it, "reinvocationPolicy", json!("Never"));
        },
        "admissionregistration.v1.RuleWithOperations" | "admissionregistration.v1.NamedRuleWithOperations" => {
            |it| set(it, "scope", json!("*"))
        }
        "admissionregistration.v1.ServiceReference" => |it| set(it, "port", json!(443)),
        "admissionregistration.v1.ValidatingAdmissionPolicySpec"
        | "admissionregistration.v1.MutatingAdmissionPolicySpec" => |it| set(it, "failurePolicy", json!("Fail")),
        "admissionregistration.v1.MatchResources" => match_resources,
        "autoscaling.v2.HorizontalPodAutoscalerSpec" => autoscaler_spec,
        "autoscaling.v1.HorizontalPodAutoscalerSpec" => |it| set(it, "minReplicas", json!(1)),
        "storage.v1.StorageClass" => |it| {
            set(it, "reclaimPolicy", json!("Delete"));
            set(it, "volumeBindingMode", json!("Immediate"));
        },
        "storage.v1.CSIDriverSpec" => csi_driver_spec,
        "discovery.v1.EndpointPort" => |it| {
            // An empty name is a name here.
            it.entry("name").or_insert_with(|| json!(""));
            set(it, "protocol", json!("TCP"));
        },
        "scheduling.v1.PriorityClass" => |it| set(it, "preemptionPolicy", json!("PreemptLowerPriority")),
        "apiextensions.v1.ServiceReference" => |it| set(it, "port", json!(443)),
        _ => return None,
    })
}

/// What needs the whole object.
pub(super) fn whole(object: &mut Members) {
    match object.get("kind").and_then(Value::as_str) {
        Some("Pod") => pod(object),
        Some("Namespace") => namespace(object),
        Some("Job") => job(object),
        Some("ReplicationController") => replication_controller(object),
        Some("CustomResourceDefinition") => custom_resource_definition(object),
        _ => {}
    }
}

/// Sets a member that is missing or that Go takes for missing: empty, or zero where zero is not the default.
fn set(members: &mut Members, name: &str, value: Value) {
    let is_missing = match members.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    if is_missing {
        members.insert(name.to_owned(), value);
    }
}

/// The same where zero means missing.
fn set_number(members: &mut Members, name: &str, value: i64) {
    if members.get(name).is_none_or(|given| given.is_null() || *given == json!(0)) {
        members.insert(name.to_owned(), json!(value));
    }
}

fn copy(members: &mut Members, from: &str, to: &str) {
    if let Some(value) = members.get(from).filter(|value| !value.is_null()).cloned() {
        set(members, to, value);
    }
}

fn object<'a>(members: &'a mut Members, name: &str) -> Option<&'a mut Members> {
    members.get_mut(name)?.as_object_mut()
}

fn ensured<'a>(members: &'a mut Members, name: &str) -> Option<&'a mut Members> {
    set(members, name, json!({}));
    object(members, name)
}

fn each<'a>(members: &'a mut Members, name: &str) -> impl Iterator<Item = &'a mut Members> {
    members.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn is(members: &Members, name: &str, value: &str) -> bool {
    members.get(name).is_some_and(|given| given == value)
}

fn is_empty(members: &Members, name: &str) -> bool {
    match members.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        Some(_) => false,
    }
}

/// Times that Go writes also when nobody set them.
fn unset(it: &mut Members, names: &[&str]) {
    for name in names {
        it.entry(*name).or_insert(Value::Null);
    }
}

fn secret(it: &mut Members) {
    set(it, "type", json!("Opaque"));
    let Some(Value::Object(strings)) = it.remove("stringData") else { return };
    if let Some(data) = ensured(it, "data") {
        for (name, text) in strings {
            data.insert(name, json!(STANDARD.encode(text.as_str().unwrap_or(""))));
        }
    }
}

fn pod_status(it: &mut Members) {
    if let Some(address) = it.get("podIP").cloned().filter(|address| *address != "")
        && is_empty(it, "podIPs")
    {
        it.insert("podIPs".to_owned(), json!([{ "ip": address }]));
    }
}

fn pod_spec(it: &mut Members) {
    set(it, "dnsPolicy", json!("ClusterFirst"));
    set(it, "restartPolicy", json!("Always"));
    set(it, "securityContext", json!({}));
    set(it, "terminationGracePeriodSeconds", json!(30));
    set(it, "schedulerName", json!("default-scheduler"));
    // The older name is kept beside the newer one.
    copy(it, "serviceAccountName", "serviceAccount");
    copy(it, "serviceAccount", "serviceAccountName");
}

fn container(it: &mut Members) {
    let policy = pull_policy(it.get("image").and_then(Value::as_str).unwrap_or(""));
    set(it, "imagePullPolicy", json!(policy));
    set(it, "terminationMessagePath", json!("/dev/termination-log"));
    set(it, "terminationMessagePolicy", json!("File"));
}

/// An image with the tag `latest`, or without tag and digest, is pulled always.
fn pull_policy(image: &str) -> &'static str {
    let (name, has_digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        None if !has_digest => "Always",
        _ => "IfNotPresent",
    }
}

fn probe(it: &mut Members) {
    set_number(it, "timeoutSeconds", 1);
    set_number(it, "periodSeconds", 10);
    set_number(it, "successThreshold", 1);
    set_number(it, "failureThreshold", 3);
}

fn http_get(it: &mut Members) {
    set(it, "path", json!("/"));
    set(it, "scheme", json!("HTTP"));
}

fn volume(it: &mut Members) {
    let has_source = it.iter().any(|(name, value)| name != "name" && !value.is_null());
    if !has_source {
        it.insert("emptyDir".to_owned(), json!({}));
    }
    if let Some(image) = object(it, "image") {
        let policy = pull_policy(image.get("reference").and_then(Value::as_str).unwrap_or(""));
        set(image, "pullPolicy", json!(policy));
    }
}

fn service_spec(it: &mut Members) {
    set(it, "sessionAffinity", json!("None"));
    if is(it, "sessionAffinity", "None") {
        it.remove("sessionAffinityConfig");
    }
    if is(it, "sessionAffinity", "ClientIP")
        && let Some(client) = ensured(it, "sessionAffinityConfig").and_then(|config| ensured(config, "clientIP"))
    {
        set(client, "timeoutSeconds", json!(10800));
    }
    set(it, "type", json!("ClusterIP"));
    for port in each(it, "ports") {
        set(port, "protocol", json!("TCP"));
        if port.get("targetPort").is_none_or(|target| target.is_null() || *target == 0 || *target == "")
            && let Some(number) = port.get("port").cloned()
        {
            port.insert("targetPort".to_owned(), number);
        }
    }
    let is_balanced = is(it, "type", "LoadBalancer");
    let has_external = !is_empty(it, "externalIPs");
    if is_balanced || is(it, "type", "NodePort") || (is(it, "type", "ClusterIP") && has_external) {
        set(it, "externalTrafficPolicy", json!("Cluster"));
    }
    if !is(it, "type", "ExternalName") {
        set(it, "internalTrafficPolicy", json!("Cluster"));
    }
    if is_balanced {
        set(it, "allocateLoadBalancerNodePorts", json!(true));
    }
}

fn limit_range_item(it: &mut Members) {
    if !is(it, "type", "Container") {
        return;
    }
    for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
        let given = it.get(from).and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(target) = ensured(it, to) {
            for (name, amount) in given {
                target.entry(name).or_insert(amount);
            }
        }
    }
    for name in ["default", "defaultRequest"] {
        if is_empty(it, name) {
            it.remove(name);
        }
    }
}

fn deployment_spec(it: &mut Members) {
    set(it, "replicas", json!(1));
    if let Some(strategy) = ensured(it, "strategy") {
        set(strategy, "type", json!("RollingUpdate"));
        if is(strategy, "type", "RollingUpdate")
            && let Some(rolling) = ensured(strategy, "rollingUpdate")
        {
            set(rolling, "maxUnavailable", json!("25%"));
            set(rolling, "maxSurge", json!("25%"));
        }
    }
    set(it, "revisionHistoryLimit", json!(10));
    set(it, "progressDeadlineSeconds", json!(600));
}

fn daemon_set_spec(it: &mut Members) {
    if let Some(strategy) = ensured(it, "updateStrategy") {
        set(strategy, "type", json!("RollingUpdate"));
        if is(strategy, "type", "RollingUpdate")
            && let Some(rolling) = ensured(strategy, "rollingUpdate")
        {
            set(rolling, "maxUnavailable", json!(1));
            set(rolling, "maxSurge", json!(0));
        }
    }
    set(it, "revisionHistoryLimit", json!(10));
}

fn stateful_set_spec(it: &mut Members) {
    set(it, "podManagementPolicy", json!("OrderedReady"));
    if let Some(strategy) = ensured(it, "updateStrategy") {
        if is_empty(strategy, "type") || is(strategy, "type", "") {
            set(strategy, "type", json!("RollingUpdate"));
            set(strategy, "rollingUpdate", json!({}));
        }
        if is(strategy, "type", "RollingUpdate")
            && let Some(rolling) = object(strategy, "rollingUpdate")
        {
            set(rolling, "partition", json!(0));
        }
    }
    if let Some(policy) = ensured(it, "persistentVolumeClaimRetentionPolicy") {
        set(policy, "whenDeleted", json!("Retain"));
        set(policy, "whenScaled", json!("Retain"));
    }
    set(it, "replicas", json!(1));
    set(it, "revisionHistoryLimit", json!(10));
    for claim in each(it, "volumeClaimTemplates") {
        set(claim, "apiVersion", json!("v1"));
        set(claim, "kind", json!("PersistentVolumeClaim"));
    }
}

fn cron_job_spec(it: &mut Members) {
    set(it, "concurrencyPolicy", json!("Allow"));
    set(it, "suspend", json!(false));
    set(it, "successfulJobsHistoryLimit", json!(3));
    set(it, "failedJobsHistoryLimit", json!(1));
}

fn network_policy_spec(it: &mut Members) {
    if is_empty(it, "policyTypes") {
        let types = if is_empty(it, "egress") { json!(["Ingress"]) } else { json!(["Ingress", "Egress"]) };
        it.insert("policyTypes".to_owned(), types);
    }
}

fn subject(it: &mut Members) {
    if is(it, "kind", "User") || is(it, "kind", "Group") {
        set(it, "apiGroup", json!("rbac.authorization.k8s.io"));
    }
}

fn match_resources(it: &mut Members) {
    set(it, "matchPolicy", json!("Equivalent"));
    set(it, "namespaceSelector", json!({}));
    set(it, "objectSelector", json!({}));
}

fn webhook(it: &mut Members) {
    set(it, "failurePolicy", json!("Fail"));
    match_resources(it);
    set(it, "timeoutSeconds", json!(10));
}

fn autoscaler_spec(it: &mut Members) {
    set(it, "minReplicas", json!(1));
    if is_empty(it, "metrics") {
        let target = json!({ "type": "Utilization", "averageUtilization": 80 });
        let metric = json!({ "type": "Resource", "resource": { "name": "cpu", "target": target } });
        it.insert("metrics".to_owned(), json!([metric]));
    }
    let Some(behavior) = object(it, "behavior") else { return };
    let up = json!([{ "type": "Pods", "value": 4, "periodSeconds": 15 }, { "type": "Percent", "value": 100, "periodSeconds": 15 }]);
    if let Some(rules) = ensured(behavior, "scaleUp") {
        set(rules, "stabilizationWindowSeconds", json!(0));
        set(rules, "selectPolicy", json!("Max"));
        set(rules, "policies", up);
    }
    let down = json!([{ "type": "Percent", "value": 100, "periodSeconds": 15 }]);
    if let Some(rules) = ensured(behavior, "scaleDown") {
        set(rules, "selectPolicy", json!("Max"));
        set(rules, "policies", down);
    }
}

fn csi_driver_spec(it: &mut Members) {
    set(it, "attachRequired", json!(true));
    for name in ["podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"] {
        set(it, name, json!(false));
    }
    set(it, "fsGroupPolicy", json!("ReadWriteOnceWithFSType"));
    if is_empty(it, "volumeLifecycleModes") {
        it.insert("volumeLifecycleModes".to_owned(), json!(["Persistent"]));
    }
}

fn pod(it: &mut Members) {
    let Some(spec) = object(it, "spec") else { return };
    let is_on_host = spec.get("hostNetwork") == Some(&json!(true));
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            if let Some(resources) = object(container, "resources")
                && let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned()
                && let Some(requests) = ensured(resources, "requests")
            {
                for (name, amount) in limits {
                    requests.entry(name).or_insert(amount);
                }
            }
            if is_on_host {
                for port in each(container, "ports") {
                    if let Some(number) = port.get("containerPort").and_then(Value::as_i64) {
                        set_number(port, "hostPort", number);
                    }
                }
            }
        }
    }
    set(spec, "enableServiceLinks", json!(true));
}

fn namespace(it: &mut Members) {
    let Some(metadata) = object(it, "metadata") else { return };
    let name = metadata.get("name").cloned().filter(|name| *name != "");
    if let (Some(name), Some(labels)) = (name, ensured(metadata, "labels")) {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
    }
}

fn job(it: &mut Members) {
    let Some(spec) = object(it, "spec") else { return };
    if is_empty(spec, "completions") && is_empty(spec, "parallelism") {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
    let limit = if is_empty(spec, "backoffLimitPerIndex") { 6 } else { i32::MAX };
    set(spec, "backoffLimit", json!(limit));
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    set(spec, "manualSelector", json!(false));
    let replacement = if is_empty(spec, "podFailurePolicy") { "TerminatingOrFailed" } else { "Failed" };
    set(spec, "podReplacementPolicy", json!(replacement));
    let labels = spec.get("template").and_then(|template| template["metadata"].get("labels")).cloned();
    if let (Some(labels), Some(metadata)) = (labels, object(it, "metadata"))
        && is_empty(metadata, "labels")
    {
        metadata.insert("labels".to_owned(), labels);
    }
}

fn replication_controller(it: &mut Members) {
    let Some(spec) = object(it, "spec") else { return };
    let labels = spec.get("template").and_then(|template| template["metadata"].get("labels")).cloned();
    let Some(labels) = labels else { return };
    if is_empty(spec, "selector") {
        spec.insert("selector".to_owned(), labels.clone());
    }
    if let Some(metadata) = object(it, "metadata")
        && is_empty(metadata, "labels")
    {
        metadata.insert("labels".to_owned(), labels);
    }
}

/// Names that follow from the kind (`pkg/apis/apiextensions/v1/defaults.go` of apiextensions-apiserver).
fn custom_resource_definition(it: &mut Members) {
    let Some(spec) = object(it, "spec") else { return };
    if let Some(names) = object(spec, "names") {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or("").to_owned();
        set(names, "singular", json!(kind.to_lowercase()));
        if !kind.is_empty() {
            set(names, "listKind", json!(format!("{kind}List")));
        }
    }
    if let Some(conversion) = ensured(spec, "conversion") {
        set(conversion, "strategy", json!("None"));
    }
}
