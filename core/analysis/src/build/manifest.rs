//! Objects of clusters as Kubernetes has them: of `kubernetes_manifest`, and those that were gathered live.

use serde_json::Value as Json;
use sgp_model::{InstanceAddr, Value, json::known_part_marked};

use super::{Builder, Item, cni, services};
use crate::{
    selector::{OPEN, Selector},
    topology::{
        Annotations, Cluster, CniNode, ContainerPort, Event, Events, Fact, Id, Labels, Namespace, Node, Pod, PodKey,
        PodTemplate, Probe, ProbeKind, SecurityGroupPolicy, ServiceAccount, Update, Workload, unknown_namespace,
    },
};

/// `kubernetes_manifest`.
pub(super) fn manifest(builder: &mut Builder, item: &Item<'_>) {
    let Some(value) = item.view.get("manifest") else { return };
    let (json, is_planned) = (known_part_marked(value, OPEN), builder.is_planned);
    let object = Manifest { json, value: Some(value), addr: item.addr, is_planned };
    object.read_into(builder.cluster_of(item));
}

/// An object of a cluster.
struct Manifest<'a> {
    json: Json,
    /// The same with what is not known.
    value: Option<&'a Value>,
    addr: Option<&'a InstanceAddr>,
    /// Whether it is as it will be: what is not ready now may become so.
    is_planned: bool,
}

impl Manifest<'_> {
    fn name(&self) -> String {
        let name = self.json["metadata"]["name"].as_str().map(str::to_owned);
        name.or_else(|| self.addr.map(ToString::to_string)).unwrap_or_default()
    }

    fn namespace(&self) -> String {
        let metadata = self.value.and_then(|value| value.get("metadata"));
        let is_open = |it: &Value| !it.is_known();
        if metadata.is_some_and(|it| is_open(it) || it.get("namespace").is_some_and(is_open)) {
            return unknown_namespace(&self.name());
        }
        self.json["metadata"]["namespace"].as_str().unwrap_or("default").to_owned()
    }

    fn key(&self) -> (String, String) {
        (self.namespace(), self.name())
    }

    /// Labels at a path; unknown when one of them is.
    fn labels(&self, path: &[&str]) -> Fact<Labels> {
        let known = path.iter().fold(&self.json, |at, step| &at[*step]);
        let mut at = self.value;
        for step in path {
            let Some(value) = at else { break };
            if !value.is_known() {
                return Fact::Unknown;
            }
            at = value.get(step);
        }
        if at.is_some_and(|value| !value.is_wholly_known()) {
            return Fact::Unknown;
        }
        Fact::Known(labels_of(known))
    }

    /// Annotations, and whether one of them is known after apply.
    fn annotations(&self) -> Annotations {
        let at = self.value.and_then(|value| value.get("metadata"));
        let is_open = |value: &Value| !value.is_wholly_known();
        let may_have_more = match at.map(|metadata| (metadata.is_known(), metadata.get("annotations"))) {
            None | Some((true, None)) => false,
            Some((false, _)) => true,
            Some((true, Some(annotations))) => is_open(annotations),
        };
        Annotations { known: labels_of(&self.json["metadata"]["annotations"]), may_have_more }
    }

    fn read_into(&self, cluster: &mut Cluster) {
        let managed_by = |known: Option<InstanceAddr>| self.addr.cloned().or(known);
        match (self.json["kind"].as_str().unwrap_or_default(), &self.json["spec"]) {
            ("Namespace", _) => {
                let mut labels = labels_of(&self.json["metadata"]["labels"]);
                labels.insert("kubernetes.io/metadata.name".to_owned(), self.name());
                cluster.namespaces.insert(self.name(), Namespace { labels });
            }
            ("ServiceAccount", _) => {
                let known = cluster.service_accounts.get(&self.key()).and_then(|it| it.managed_by.clone());
                let account = ServiceAccount {
                    managed_by: managed_by(known),
                    labels: self.labels(&["metadata", "labels"]),
                    annotations: labels_of(&self.json["metadata"]["annotations"]),
                };
                cluster.service_accounts.insert(self.key(), account);
            }
            ("SecurityGroupPolicy", spec) => {
                let known = cluster.policies.get(&self.key()).and_then(|it| it.managed_by.clone());
                let policy = SecurityGroupPolicy {
                    managed_by: managed_by(known),
                    pods: spec.get("podSelector").map(Selector::read),
                    service_accounts: spec.get("serviceAccountSelector").map(Selector::read),
                    groups: self.policy_groups(),
                };
                cluster.policies.insert(self.key(), policy);
            }
            ("NetworkPolicy", spec) => {
                cluster.network_policies.insert(self.key(), spec.clone());
            }
            ("Service", _) => {
                let known = cluster.services.get(&self.key()).and_then(|it| it.managed_by.clone());
                let service = services::service(&self.json, self.annotations(), managed_by(known));
                cluster.services.insert(self.key(), service);
            }
            ("Ingress", _) => {
                let known = cluster.ingresses.get(&self.key()).and_then(|it| it.managed_by.clone());
                let ingress = services::ingress(&self.json, self.annotations(), managed_by(known));
                cluster.ingresses.insert(self.key(), ingress);
            }
            ("IngressClass", spec) => {
                cluster.ingress_classes.insert(self.name(), services::ingress_class(spec));
            }
            ("IngressClassParams", spec) => {
                cluster.ingress_class_params.insert(self.name(), spec.clone());
            }
            ("Node", _) => {
                cluster.nodes.insert(self.name(), node(&self.json));
            }
            ("CNINode", spec) => {
                let wants_trunk = list(&spec["features"]).any(|it| it["name"] == "SecurityGroupsForPods");
                cluster.cni_nodes.insert(self.name(), CniNode { wants_trunk });
            }
            ("Event", _) => event(&mut cluster.events, &self.json),
            ("DaemonSet", spec) if self.key() == ("kube-system".to_owned(), "aws-node".to_owned()) => {
                cni::daemon_set(&mut cluster.cni, &spec["template"]["spec"]);
                self.workload(cluster, "DaemonSet", &["spec", "template"]);
            }
            (kind @ ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job"), _) => {
                self.workload(cluster, kind, &["spec", "template"]);
            }
            ("CronJob", _) => self.workload(cluster, "CronJob", &["spec", "jobTemplate", "spec", "template"]),
            ("Pod", spec) => {
                let template = self.template(spec, &["metadata"], &self.json["metadata"]);
                let pod = self.pod(template);
                cluster.pods.insert(PodKey { namespace: self.namespace(), name: self.name() }, pod);
            }
            _ => {}
        }
    }

    fn policy_groups(&self) -> Fact<Vec<Id>> {
        let known: Vec<Id> = strings(&self.json["spec"]["securityGroups"]["groupIds"]).map(Id::from).collect();
        let all = self.value.and_then(|value| value.get("spec")).and_then(|it| it.get("securityGroups"));
        match all.and_then(|it| it.get("groupIds")) {
            Some(value) if !value.is_wholly_known() => Fact::Unknown,
            _ => Fact::Known(known),
        }
    }

    fn workload(&self, cluster: &mut Cluster, kind: &str, path: &[&str]) {
        let template = path.iter().fold(&self.json, |at, step| &at[*step]);
        let metadata: Vec<&str> = path.iter().copied().chain(["metadata"]).collect();
        let spec = &self.json["spec"];
        let key = (self.namespace(), kind.to_owned(), self.name());
        let known = cluster.workloads.get(&key).and_then(|it| it.managed_by.clone());
        let workload = Workload {
            managed_by: self.addr.cloned().or(known),
            replicas: replicas(kind, spec),
            surge: surge(kind, spec),
            template: self.template(&template["spec"], &metadata, &template["metadata"]),
            update: update(spec),
            owner: owner(&self.json["metadata"]),
        };
        cluster.workloads.insert(key, workload);
    }

    fn template(&self, spec: &Json, metadata_at: &[&str], metadata: &Json) -> PodTemplate {
        let labels_at: Vec<&str> = metadata_at.iter().copied().chain(["labels"]).collect();
        let account = spec["serviceAccountName"].as_str().or_else(|| spec["serviceAccount"].as_str());
        let ports = containers(spec).flat_map(|it| list(&it["ports"]).filter_map(container_port)).collect();
        let probes = containers(spec).flat_map(probes).collect();
        let selector = labels_of(&spec["nodeSelector"]);
        PodTemplate {
            labels: self.labels(&labels_at),
            service_account: Fact::Known(account.unwrap_or("default").to_owned()),
            is_host_network: spec["hostNetwork"].as_bool().unwrap_or(false),
            is_windows: selector.get("kubernetes.io/os").is_some_and(|it| it == "windows")
                || spec["os"]["name"] == "windows",
            asks_for_pod_eni: containers(spec)
                .any(|it| it["resources"]["limits"].get("vpc.amazonaws.com/pod-eni").is_some()),
            ports,
            probes,
            node_selector: selector,
            termination_grace: spec["terminationGracePeriodSeconds"].as_u64(),
            annotations: labels_of(&metadata["annotations"]),
        }
    }

    fn pod(&self, template: PodTemplate) -> Pod {
        let (metadata, status) = (&self.json["metadata"], &self.json["status"]);
        let first = status["podIP"].as_str().into_iter();
        let addresses = first.chain(list(&status["podIPs"]).filter_map(|it| it["ip"].as_str()));
        let mut addresses: Vec<_> = addresses.filter_map(|it| it.parse().ok()).collect();
        addresses.dedup();
        let annotation = template.annotations.get("vpc.amazonaws.com/pod-eni");
        let details: Option<Json> = annotation.and_then(|text| serde_json::from_str(text).ok());
        Pod {
            node: self.json["spec"]["nodeName"].as_str().map(str::to_owned),
            addresses,
            branch: details.and_then(|it| it[0]["eniId"].as_str().map(Id::from)),
            is_fargate: metadata["labels"].get("eks.amazonaws.com/fargate-profile").is_some(),
            owner: owner(metadata),
            phase: status["phase"].as_str().unwrap_or("Pending").to_owned(),
            is_leaving: metadata["deletionTimestamp"].is_string(),
            is_unready: !self.is_planned
                && list(&status["conditions"]).any(|it| it["type"] == "Ready" && it["status"] != "True"),
            template,
        }
    }
}

/// The kind and name of the controller that made an object.
fn owner(metadata: &Json) -> Option<(String, String)> {
    let owner = list(&metadata["ownerReferences"]).find(|it| it["controller"] == true)?;
    Some((owner["kind"].as_str()?.to_owned(), owner["name"].as_str()?.to_owned()))
}

/// How pods follow the template of a workload: a Deployment may be paused, the other kinds may wait until pods are deleted.
fn update(spec: &Json) -> Update {
    match (spec["paused"].as_bool(), spec["updateStrategy"]["type"].as_str()) {
        (Some(true), _) => Update::Paused,
        (_, Some("OnDelete")) => Update::OnDelete,
        _ => Update::Rolling,
    }
}

/// How many pods a workload wants. Without a word it is one.
fn replicas(kind: &str, spec: &Json) -> Fact<Option<u32>> {
    let number = |value: &Json| value.as_u64().and_then(|it| u32::try_from(it).ok());
    match kind {
        "DaemonSet" => Fact::Known(None),
        "Job" => Fact::Known(Some(number(&spec["parallelism"]).unwrap_or(1))),
        "CronJob" => Fact::Known(Some(number(&spec["jobTemplate"]["spec"]["parallelism"]).unwrap_or(1))),
        _ => Fact::Known(Some(number(&spec["replicas"]).unwrap_or(1))),
    }
}

/// How many pods more a rolling update may run: a Deployment's `maxSurge`, 25 % without a word, rounded up.
fn surge(kind: &str, spec: &Json) -> Fact<u32> {
    if kind != "Deployment" || spec["strategy"]["type"] == "Recreate" {
        return Fact::Known(0);
    }
    let wanted = spec["replicas"].as_u64().unwrap_or(1);
    let stated = &spec["strategy"]["rollingUpdate"]["maxSurge"];
    let percent = stated.as_str().and_then(|it| it.strip_suffix('%')).and_then(|it| it.parse::<u64>().ok());
    let surge = match (stated.as_u64(), percent) {
        (Some(number), _) => number,
        (None, Some(percent)) => (wanted * percent).div_ceil(100),
        (None, None) => (wanted * 25).div_ceil(100),
    };
    u32::try_from(surge).ok().into()
}

fn node(json: &Json) -> Node {
    let labels = labels_of(&json["metadata"]["labels"]);
    let amount = |name: &str| json["status"]["allocatable"][name].as_str().and_then(|it| it.parse().ok());
    let addresses = list(&json["status"]["addresses"]).filter(|it| it["type"] == "InternalIP");
    let instance = json["spec"]["providerID"].as_str().and_then(|it| it.rsplit_once('/')).map(|(_, id)| Id::from(id));
    Node {
        instance,
        instance_type: labels.get("node.kubernetes.io/instance-type").cloned(),
        addresses: addresses.filter_map(|it| it["address"].as_str()?.parse().ok()).collect(),
        pod_eni: amount("vpc.amazonaws.com/pod-eni"),
        max_pods: amount("pods"),
        labels,
    }
}

/// An event about a pod or a node (core/v1; events.k8s.io/v1 calls its parts `regarding` and `note`).
fn event(events: &mut Events, json: &Json) {
    let text = |names: [&str; 2]| names.iter().find_map(|name| json[*name].as_str().filter(|it| !it.is_empty()));
    let about = if json["involvedObject"].is_object() { &json["involvedObject"] } else { &json["regarding"] };
    let (Some(kind @ ("Pod" | "Node")), Some(name)) = (about["kind"].as_str(), about["name"].as_str()) else { return };
    let series = json["series"]["lastObservedTime"].as_str();
    let at = series.or_else(|| text(["lastTimestamp", "eventTime"])).unwrap_or_default();
    let event = Event {
        message: text(["message", "note"]).unwrap_or_default().to_owned(),
        at: at.to_owned(),
        is_warning: json["type"] == "Warning",
    };
    let namespace = if kind == "Node" { "" } else { about["namespace"].as_str().unwrap_or("default") };
    events.keep((kind, namespace, name), json["reason"].as_str().unwrap_or_default(), event);
}

fn containers(spec: &Json) -> impl Iterator<Item = &Json> {
    // A sidecar is an init container that goes on running.
    let sidecars = list(&spec["initContainers"]).filter(|it| it["restartPolicy"] == "Always");
    list(&spec["containers"]).chain(sidecars)
}

fn container_port(port: &Json) -> Option<ContainerPort> {
    Some(ContainerPort {
        name: port["name"].as_str().map(str::to_owned),
        protocol: port["protocol"].as_str().unwrap_or("TCP").to_ascii_lowercase(),
        port: u16::try_from(port["containerPort"].as_u64()?).ok()?,
    })
}

/// The probes of a container that kubelet makes over the network.
fn probes(container: &Json) -> impl Iterator<Item = Probe> + '_ {
    let kinds = [("tcpSocket", ProbeKind::Tcp), ("httpGet", ProbeKind::Http), ("grpc", ProbeKind::Grpc)];
    let all = ["livenessProbe", "readinessProbe", "startupProbe"].into_iter().map(|name| &container[name]);
    all.filter_map(move |probe| {
        let (action, kind) = kinds.iter().find_map(|(name, kind)| Some((probe.get(*name)?, *kind)))?;
        let number = |it: &Json| it.as_u64().and_then(|it| u16::try_from(it).ok());
        let port = match &action["port"] {
            Json::String(name) => {
                let mut ports = list(&container["ports"]);
                ports.find(|it| it["name"] == name.as_str()).and_then(|it| number(&it["containerPort"]))
            }
            port => number(port),
        };
        Some(Probe { kind, port })
    })
}

pub(super) fn labels_of(json: &Json) -> Labels {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    json.as_object().into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
}

pub(super) fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

pub(super) fn strings(json: &Json) -> impl Iterator<Item = &str> {
    list(json).filter_map(Json::as_str)
}
