//! What the API server's plugins do to a new pod: service account, priority, tolerations, first status.
//!
//! Source: `plugin/pkg/admission/{serviceaccount,priority,defaulttolerationseconds}` and `pkg/registry/core/pod/strategy.go` of
//! Kubernetes 1.36. LimitRanges and ResourceQuotas are not applied.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Denied, Request};
use crate::kubernetes::objects::Key;
use crate::kubernetes::quantity;
use crate::world::World;

/// Where containers find the service account's token.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Lets a new pod pass the plugins.
///
/// # Errors
/// The service account or the priority class is missing.
pub(super) fn admit(world: &World, request: &Request<'_>, pod: &mut Value) -> Result<(), Denied> {
    service_account(world, request, pod)?;
    priority(world, request, pod)?;
    tolerations(pod);
    if pod["spec"]["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
        pod["spec"]["terminationGracePeriodSeconds"] = json!(1);
    }
    pod["status"] = json!({ "phase": "Pending", "qosClass": quality(&pod["spec"]) });
    Ok(())
}

fn forbidden(pod: &Value, why: &str) -> Denied {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    Denied { message: format!("pods {name:?} is forbidden: {why}"), is_webhooks: false }
}

fn service_account(world: &World, request: &Request<'_>, pod: &mut Value) -> Result<(), Denied> {
    let name =
        pod["spec"]["serviceAccountName"].as_str().filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
    pod["spec"]["serviceAccountName"] = json!(name);
    pod["spec"]["serviceAccount"] = json!(name);
    let namespace = request.namespace;
    let account = world.kubernetes.objects.get(&Key::new(request.cluster, "serviceaccounts", namespace, &name));
    let Some(account) = account else {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount {name:?} not found");
        return Err(forbidden(pod, &why));
    };
    if pod["spec"]["imagePullSecrets"].is_null() && account["imagePullSecrets"].is_array() {
        pod["spec"]["imagePullSecrets"] = account["imagePullSecrets"].clone();
    }
    let mounts = pod["spec"]["automountServiceAccountToken"]
        .as_bool()
        .or_else(|| account["automountServiceAccountToken"].as_bool())
        .unwrap_or(true);
    if mounts {
        mount_token(request, pod);
    }
    Ok(())
}

fn mount_token(request: &Request<'_>, pod: &mut Value) {
    let volume = format!("kube-api-access-{}", letters(request, pod));
    let mut is_mounted = false;
    for kind in ["initContainers", "containers"] {
        let containers = pod["spec"].get_mut(kind).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let mounts = &mut container["volumeMounts"];
            if !mounts.is_array() {
                *mounts = json!([]);
            }
            let Some(mounts) = mounts.as_array_mut() else { continue };
            if !mounts.iter().any(|mount| mount["mountPath"] == TOKEN_PATH) {
                mounts.push(json!({ "name": volume, "readOnly": true, "mountPath": TOKEN_PATH }));
                is_mounted = true;
            }
        }
    }
    if !is_mounted {
        return;
    }
    let volumes = &mut pod["spec"]["volumes"];
    if !volumes.is_array() {
        *volumes = json!([]);
    }
    let namespace =
        json!({ "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } });
    let sources = json!([
        { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
        { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
        { "downwardAPI": { "items": [namespace] } },
    ]);
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(json!({ "name": volume, "projected": { "sources": sources, "defaultMode": 420 } }));
    }
}

/// Five letters for a name, as Kubernetes generates them; they follow from the pod.
fn letters(request: &Request<'_>, pod: &Value) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let hash = Sha256::digest(format!("{}/{}/{name}", request.cluster, request.namespace));
    hash[..5].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

fn priority(world: &World, request: &Request<'_>, pod: &mut Value) -> Result<(), Denied> {
    let resource = "priorityclasses.scheduling.k8s.io";
    let name = pod["spec"]["priorityClassName"].as_str().unwrap_or_default().to_owned();
    let class = if name.is_empty() {
        let mut all = world.kubernetes.objects.list(request.cluster, resource, None);
        all.find(|class| class["globalDefault"] == true)
    } else {
        world.kubernetes.objects.get(&Key::new(request.cluster, resource, "", &name))
    };
    if class.is_none() && !name.is_empty() {
        return Err(forbidden(pod, &format!("no PriorityClass with name {name} was found")));
    }
    let policy =
        class.and_then(|class| class["preemptionPolicy"].as_str()).unwrap_or("PreemptLowerPriority").to_owned();
    let value = class.map_or(json!(0), |class| class["value"].clone());
    if let Some(class) = class {
        pod["spec"]["priorityClassName"] = class["metadata"]["name"].clone();
    }
    if let Some(given) = pod["spec"]["priority"].as_i64().filter(|given| value != *given) {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
        );
        return Err(forbidden(pod, &why));
    }
    pod["spec"]["priority"] = value;
    pod["spec"]["preemptionPolicy"] = json!(policy);
    Ok(())
}

fn tolerations(pod: &mut Value) {
    let tolerations = &mut pod["spec"]["tolerations"];
    if !tolerations.is_array() {
        *tolerations = json!([]);
    }
    let Some(list) = tolerations.as_array_mut() else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let is_there = list.iter().any(|it| {
            let (own, effect) = (it["key"].as_str().unwrap_or_default(), it["effect"].as_str().unwrap_or_default());
            (own == key || own.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if !is_there {
            list.push(json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }));
        }
    }
}

/// `Guaranteed`, `Burstable` or `BestEffort`.
///
/// Source: `pkg/apis/core/v1/helper/qos`.
pub(crate) fn quality(spec: &Value) -> &'static str {
    let containers = ["containers", "initContainers"].into_iter().filter_map(|kind| spec[kind].as_array()).flatten();
    let (mut has_any, mut is_guaranteed) = (false, true);
    for container in containers {
        for name in ["cpu", "memory"] {
            let amount = |kind: &str| quantity::milli(&container["resources"][kind][name]).unwrap_or(0);
            let (request, limit) = (amount("requests"), amount("limits"));
            has_any |= request > 0 || limit > 0;
            is_guaranteed &= limit > 0 && (request == limit || request == 0);
        }
    }
    match (has_any, is_guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualities() {
        for (resources, expected) in [
            (json!({}), "BestEffort"),
            (json!({ "limits": { "vpc.amazonaws.com/pod-eni": "1" } }), "BestEffort"),
            (json!({ "requests": { "cpu": "1" } }), "Burstable"),
            (json!({ "limits": { "cpu": "1", "memory": "1Gi" } }), "Guaranteed"),
            (json!({ "limits": { "cpu": "1", "memory": "1Gi" }, "requests": { "cpu": "500m" } }), "Burstable"),
        ] {
            assert_eq!(quality(&json!({ "containers": [{ "resources": resources }] })), expected);
        }
    }
}
