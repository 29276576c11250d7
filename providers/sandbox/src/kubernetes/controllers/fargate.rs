//! Fargate: a node of its own for each pod of a profile, with the pod's interface in the profile's subnets.
//!
//! Source: EKS User Guide, "Simplify compute management with AWS Fargate" and "Assign security groups to individual Pods".

use std::time::Duration;

use serde_json::{Value, json};

use super::context::{Context, is_going, meta, set_condition};
use super::queue::Item;
use super::scheduler::cache::list;
use super::workloads::pods::is_finished;
use super::{Controller, Name};
use crate::ec2::interfaces::{self, NewInterface};
use crate::eks::model::key;
use crate::kubernetes::objects::{Event, Kind};
use crate::kubernetes::quantity;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["fargate"], observe, reconcile };

const COMPONENT: &str = "fargate-scheduler";
const PROFILE: &str = "eks.amazonaws.com/fargate-profile";
const GROUPS: &str = "fargate.amazonaws.com/pod-sg";
/// What is wrong may be put right: it is tried again after this.
const RETRY: Duration = Duration::from_secs(30);

fn observe(ctx: &mut Context<'_>, change: &Event) {
    if change.key.resource != "pods" || change.object["spec"]["schedulerName"] != COMPONENT {
        return;
    }
    if change.kind == Kind::Deleted || is_finished(&change.object) {
        if let Some(node) = change.object["spec"]["nodeName"].as_str() {
            end(ctx, node);
        }
    } else {
        ctx.enqueue(Name::Fargate, &change.key.namespace, &change.key.name);
    }
}

/// The pod has ended: so do its node and interface.
fn end(ctx: &mut Context<'_>, node: &str) {
    let Some(object) = ctx.get("nodes", "", node) else { return };
    if object["metadata"]["labels"]["eks.amazonaws.com/compute-type"] != "fargate" {
        return;
    }
    if let Some(interface) = object["metadata"]["annotations"]["sandbox.sgp.dev/interface"].as_str() {
        interfaces::remove(ctx.world, interface);
    }
    ctx.delete("nodes", "", node);
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(pod) = ctx.get("pods", &item.namespace, &item.name) else { return };
    let is_bound = pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
    if is_bound || is_going(&pod) || is_finished(&pod) {
        return;
    }
    if let Err(why) = place(ctx, &pod) {
        let now = ctx.time();
        let condition = json!({
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why, "lastProbeTime": null,
        });
        ctx.update("pods", &item.namespace, &item.name, |pod| {
            set_condition(&mut pod["status"]["conditions"], &now, condition);
        });
        ctx.warn(&pod, COMPONENT, "FailedScheduling", &why);
        ctx.enqueue_after(Name::Fargate, &item.namespace, &item.name, RETRY);
    }
}

/// Makes a node for a pod and gives it to it.
fn place(ctx: &mut Context<'_>, pod: &Value) -> Result<(), String> {
    let profile = pod["metadata"]["labels"][PROFILE].as_str().unwrap_or_default();
    let profile = ctx.world.eks.fargate_profiles.get(&key(ctx.cluster, profile)).cloned();
    let profile = profile.ok_or_else(|| "Misconfigured Fargate Profile: fargate profile not found".to_owned())?;
    let groups = groups(ctx, pod);
    let turn = usize::try_from(ctx.world.count("fargate")).unwrap_or(0);
    let subnet = profile.subnets.get(turn % profile.subnets.len().max(1)).cloned();
    let subnet = subnet.ok_or_else(|| "Misconfigured Fargate Profile: no subnets".to_owned())?;
    let new = NewInterface {
        subnet_id: subnet,
        groups,
        description: format!("Fargate pod {}/{}", meta(pod, "namespace"), meta(pod, "name")),
        is_requester_managed: true,
        held_by: Some("amazon-aws".to_owned()),
        ..NewInterface::default()
    };
    let interface = interfaces::create(ctx.world, new).map_err(|error| format!("{}: {}", error.code, error.message))?;
    let row = ctx.world.ec2.interfaces.get(&interface).cloned();
    let (address, zone) = row
        .and_then(|row| Some((row.primary_address()?.to_string(), row.zone)))
        .ok_or_else(|| "the interface has no address".to_owned())?;
    let node = register(ctx, pod, &interface, &address, &zone);
    let (namespace, name) = (meta(pod, "namespace").to_owned(), meta(pod, "name").to_owned());
    let now = ctx.time();
    let capacity = capacity(pod);
    let bound = ctx.update("pods", &namespace, &name, |pod| {
        pod["spec"]["nodeName"] = json!(node);
        pod["metadata"]["annotations"]["CapacityProvisioned"] = json!(capacity);
        pod["status"]["podIP"] = json!(address);
        pod["status"]["podIPs"] = json!([{ "ip": address }]);
        let condition = json!({ "type": "PodScheduled", "status": "True", "lastProbeTime": null });
        set_condition(&mut pod["status"]["conditions"], &now, condition);
    });
    if let Some(bound) = bound {
        let message = format!("Successfully assigned {namespace}/{name} to {node}");
        ctx.normal(&bound, COMPONENT, "Scheduled", &message);
    }
    Ok(())
}

/// The groups that policies gave the pod; the cluster's own group otherwise.
fn groups(ctx: &Context<'_>, pod: &Value) -> Vec<String> {
    if let Some(text) = pod["metadata"]["annotations"][GROUPS].as_str().filter(|text| !text.is_empty()) {
        return text.split(',').map(|id| id.trim().to_owned()).collect();
    }
    let row = ctx.world.eks.clusters.get(ctx.cluster);
    row.map(|row| row.network.cluster_security_group_id.clone()).into_iter().collect()
}

/// What Fargate gives a pod, rounded up to one of its sizes; shown as `0.25vCPU 0.5GB`.
fn capacity(pod: &Value) -> String {
    let sum = |name: &str| -> i64 {
        let amounts = list(&pod["spec"]["containers"]).map(|it| &it["resources"]["requests"][name]);
        amounts.filter_map(quantity::milli).sum()
    };
    let cpu =
        [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000].into_iter().find(|size| *size >= sum("cpu")).unwrap_or(16_000);
    // 256 MiB are for Fargate's own.
    let mib = sum("memory") / 1000 / (1 << 20) + 256;
    let least = cpu * 2;
    let memory = (mib.max(least.min(if cpu == 250 { 512 } else { least })) + 511) / 512 * 512;
    let write = |thousandths: i64| {
        let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    format!("{}vCPU {}GB", write(cpu), write(memory * 1000 / 1024))
}

fn register(ctx: &mut Context<'_>, pod: &Value, interface: &str, address: &str, zone: &str) -> String {
    let region = ctx.world.settings.region.clone();
    let domain = if region == "us-east-1" { "ec2.internal".to_owned() } else { format!("{region}.compute.internal") };
    let name = format!("fargate-ip-{}.{domain}", address.replace('.', "-"));
    let now = ctx.time();
    let version = ctx.world.eks.clusters.get(ctx.cluster).map(|row| row.version.clone()).unwrap_or_default();
    let amounts = json!({ "cpu": "2", "memory": "3901880Ki", "pods": "1", "ephemeral-storage": "30832548Ki" });
    let object = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "annotations": { "sandbox.sgp.dev/interface": interface },
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
                "eks.amazonaws.com/compute-type": "fargate",
                "failure-domain.beta.kubernetes.io/region": region, "failure-domain.beta.kubernetes.io/zone": zone,
                "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone,
            },
        },
        "spec": {
            "providerID": format!("aws:///{zone}/{}/{name}", meta(pod, "uid")),
            "taints": [{ "key": "eks.amazonaws.com/compute-type", "value": "fargate", "effect": "NoSchedule" }],
        },
        "status": {
            "addresses": [
                { "type": "InternalIP", "address": address },
                { "type": "InternalDNS", "address": name },
                { "type": "Hostname", "address": name },
            ],
            "allocatable": amounts, "capacity": amounts,
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status",
                "lastHeartbeatTime": now, "lastTransitionTime": now,
            }],
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "osImage": "Amazon Linux 2",
                "kernelVersion": "5.10.245-241.978.amzn2.x86_64", "containerRuntimeVersion": "containerd://1.7.29",
                "kubeletVersion": format!("v{version}.0-eks-sandbox"), "kubeProxyVersion": "",
                "machineID": "", "systemUUID": "", "bootID": "",
            },
        },
    });
    ctx.create("nodes", "", &name, object);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (cpu, memory, expected) in [
            ("0", "0", "0.25vCPU 0.5GB"),
            ("250m", "512Mi", "0.25vCPU 1GB"),
            ("500m", "1Gi", "0.5vCPU 1.5GB"),
            ("1", "1Gi", "1vCPU 2GB"),
        ] {
            let requests = json!({ "cpu": cpu, "memory": memory });
            let pod = json!({ "spec": { "containers": [{ "resources": { "requests": requests } }] } });
            assert_eq!(capacity(&pod), expected, "{cpu} {memory}");
        }
    }
}
