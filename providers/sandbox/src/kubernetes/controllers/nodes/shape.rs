//! A node object as kubelet on an EKS image registers it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::capacity::{Addressing, max_pods, reserved_cpu, reserved_memory_mib};
use crate::ec2::instance_types::{self, InstanceType};
use crate::ec2::instances::Instance;
use crate::eks::model::Nodegroup;
use crate::kubernetes::controllers::context::Context;
use crate::kubernetes::controllers::vpc_cni;
use crate::world::World;

/// The name of an instance's node: its private DNS name.
pub(super) fn name(world: &World, instance: &Instance) -> Option<String> {
    Some(dns_name(&world.settings.region, instance.private_address?))
}

fn dns_name(region: &str, address: Ipv4Addr) -> String {
    let host = address.to_string().replace('.', "-");
    match region {
        "us-east-1" => format!("ip-{host}.ec2.internal"),
        _ => format!("ip-{host}.{region}.compute.internal"),
    }
}

/// The node of an instance, not yet ready.
pub(super) fn node(ctx: &mut Context<'_>, instance: &Instance, name: &str) -> Value {
    let group = nodegroup(ctx.world, ctx.cluster, instance);
    let version = group
        .as_ref()
        .map(|group| version(group, &instance.id))
        .or_else(|| ctx.world.eks.clusters.get(ctx.cluster).map(|row| row.version.clone()));
    let architecture = if instance.architecture == "arm64" { "arm64" } else { "amd64" };
    let kind = instance_types::find(&instance.instance_type);
    let addressing = Addressing { has_prefixes: vpc_cni::settings::of_cluster(ctx).has_prefixes() };
    let now = ctx.time();
    let mut spec = json!({ "providerID": format!("aws:///{}/{}", instance.zone, instance.id) });
    let mut taints: Vec<Value> = group.iter().flat_map(|group| &group.taints).map(taint).collect();
    for effect in ["NoSchedule", "NoExecute"] {
        taints.push(json!({ "key": "node.kubernetes.io/not-ready", "effect": effect }));
    }
    spec["taints"] = json!(taints);
    let (capacity, allocatable) = kind.map_or((json!({}), json!({})), |kind| amounts(kind, addressing));
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "labels": labels(ctx.world, instance, group.as_ref(), architecture, name),
            "annotations": {
                "alpha.kubernetes.io/provided-node-ip": instance.private_address,
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": spec,
        "status": {
            "addresses": addresses(ctx.world, instance, name),
            "allocatable": allocatable, "capacity": capacity,
            "conditions": conditions(&now),
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
            "nodeInfo": info(&version.unwrap_or_default(), architecture, instance),
        },
    })
}

/// The managed node group of an instance.
fn nodegroup(world: &World, cluster: &str, instance: &Instance) -> Option<Nodegroup> {
    let name = instance.tags.get("eks:nodegroup-name")?;
    world.eks.nodegroups.get(&crate::eks::model::key(cluster, name)).cloned()
}

fn version(group: &Nodegroup, instance: &str) -> String {
    let own = group.nodes.iter().find(|node| node.instance_id == instance);
    own.map_or_else(|| group.version.clone(), |node| node.version.clone())
}

fn taint(taint: &crate::eks::model::Taint) -> Value {
    let effect = match taint.effect.as_str() {
        "NO_SCHEDULE" => "NoSchedule",
        "NO_EXECUTE" => "NoExecute",
        _ => "PreferNoSchedule",
    };
    if taint.value.is_empty() {
        json!({ "key": taint.key, "effect": effect })
    } else {
        json!({ "key": taint.key, "value": taint.value, "effect": effect })
    }
}

fn labels(
    world: &World,
    instance: &Instance,
    group: Option<&Nodegroup>,
    architecture: &str,
    name: &str,
) -> BTreeMap<String, String> {
    let region = world.settings.region.as_str();
    let mut labels: BTreeMap<String, String> = [
        ("beta.kubernetes.io/arch", architecture),
        ("beta.kubernetes.io/instance-type", &instance.instance_type),
        ("beta.kubernetes.io/os", "linux"),
        ("failure-domain.beta.kubernetes.io/region", region),
        ("failure-domain.beta.kubernetes.io/zone", &instance.zone),
        ("kubernetes.io/arch", architecture),
        ("kubernetes.io/hostname", name),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", &instance.instance_type),
        ("topology.kubernetes.io/region", region),
        ("topology.kubernetes.io/zone", &instance.zone),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    if let Some(id) = crate::ec2::zones::id(&instance.zone) {
        labels.insert("topology.k8s.aws/zone-id".to_owned(), id);
    }
    let Some(group) = group else { return labels };
    labels.insert("eks.amazonaws.com/nodegroup".to_owned(), group.name.clone());
    labels.insert("eks.amazonaws.com/nodegroup-image".to_owned(), instance.image_id.clone());
    labels.insert("eks.amazonaws.com/capacityType".to_owned(), group.capacity_type.clone());
    if let Some(template) = &group.launch_template {
        labels.insert("eks.amazonaws.com/sourceLaunchTemplateId".to_owned(), template.id.clone());
        labels.insert("eks.amazonaws.com/sourceLaunchTemplateVersion".to_owned(), template.version.clone());
    }
    labels.extend(group.labels.clone());
    labels
}

fn addresses(world: &World, instance: &Instance, name: &str) -> Value {
    let mut list = vec![json!({ "type": "InternalIP", "address": instance.private_address })];
    let primary = world.ec2.interfaces.get(&instance.interface_id);
    if let Some(public) = primary.and_then(|it| it.addresses.first()).and_then(|it| it.public.as_ref()) {
        list.push(json!({ "type": "ExternalIP", "address": public.address }));
    }
    list.push(json!({ "type": "InternalDNS", "address": name }));
    list.push(json!({ "type": "Hostname", "address": name }));
    json!(list)
}

/// Capacity and what of it is for pods.
fn amounts(kind: &InstanceType, addressing: Addressing) -> (Value, Value) {
    let pods = max_pods(kind, addressing);
    // The kernel and the firmware keep some of the memory.
    let total_kib = kind.memory_mib * 1024 * 97 / 100;
    let pods_kib = total_kib.saturating_sub(reserved_memory_mib(pods) * 1024);
    let amounts = |cpu: String, memory: u64, disk: &str| {
        json!({
            "cpu": cpu, "memory": format!("{memory}Ki"), "pods": pods.to_string(), "ephemeral-storage": disk,
            "hugepages-1Gi": "0", "hugepages-2Mi": "0",
        })
    };
    let free_cpu = kind.vcpus * 1000 - reserved_cpu(kind.vcpus);
    (amounts(kind.vcpus.to_string(), total_kib, "20893676Ki"), amounts(format!("{free_cpu}m"), pods_kib, "18181869946"))
}

fn conditions(now: &str) -> Value {
    let fine = [
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ];
    let mut conditions: Vec<Value> = fine
        .iter()
        .map(|(kind, reason, message)| {
            json!({ "type": kind, "status": "False", "reason": reason, "message": message,
                "lastHeartbeatTime": now, "lastTransitionTime": now })
        })
        .collect();
    conditions.push(json!({
        "type": "Ready", "status": "False", "reason": "KubeletNotReady",
        "message": "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
        "lastHeartbeatTime": now, "lastTransitionTime": now,
    }));
    json!(conditions)
}

fn info(version: &str, architecture: &str, instance: &Instance) -> Value {
    let digits: String = instance.id.chars().filter(char::is_ascii_hexdigit).collect();
    json!({
        "architecture": architecture, "operatingSystem": "linux",
        "osImage": "Amazon Linux 2023.9.20251117", "kernelVersion": "6.12.55-74.119.amzn2023.x86_64",
        "containerRuntimeVersion": "containerd://2.1.4", "kubeletVersion": format!("v{version}.0-eks-sandbox"),
        "kubeProxyVersion": "",
        "machineID": format!("ec2{digits:0>29}"), "systemUUID": format!("ec2{digits:0>29}"), "bootID": format!("{digits:0>32}"),
    })
}
