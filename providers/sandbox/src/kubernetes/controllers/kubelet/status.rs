//! The status of a pod at each step of its life, as kubelet writes it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kubernetes::controllers::context::{meta, set_condition};
use crate::kubernetes::controllers::scheduler::cache::list;

/// A node's own address.
pub(super) fn host_address(node: &Value) -> Option<String> {
    let addresses = list(&node["status"]["addresses"]);
    addresses.filter(|it| it["type"] == "InternalIP").find_map(|it| it["address"].as_str().map(str::to_owned))
}

/// The id of a container, following from its pod, its name and how often it was started.
pub(super) fn container_id(uid: &str, name: &str, restarts: i64) -> String {
    let hash = Sha256::digest(format!("{uid}/{name}/{restarts}"));
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("containerd://{digits}")
}

/// Where an image would be.
fn image_id(image: &str) -> String {
    let hash = Sha256::digest(image);
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}@sha256:{digits}", image.split([':', '@']).next().unwrap_or(image))
}

fn condition(pod: &mut Value, now: &str, kind: &str, is_met: bool, reason: Option<&str>, message: Option<&str>) {
    let mut condition = json!({ "type": kind, "status": if is_met { "True" } else { "False" }, "lastProbeTime": null });
    if let Some(reason) = reason {
        condition["reason"] = json!(reason);
    }
    if let Some(message) = message {
        condition["message"] = json!(message);
    }
    condition["observedGeneration"] = pod["metadata"]["generation"].clone();
    set_condition(&mut pod["status"]["conditions"], now, condition);
}

fn names(pod: &Value) -> String {
    let names = list(&pod["spec"]["containers"]).map(|it| it["name"].as_str().unwrap_or_default());
    names.collect::<Vec<_>>().join(" ")
}

/// The containers are being created.
pub(super) fn accept(pod: &mut Value, now: &str, host: Option<&str>) {
    pod["status"]["phase"] = json!("Pending");
    pod["status"]["startTime"] = json!(now);
    if let Some(host) = host {
        pod["status"]["hostIP"] = json!(host);
        pod["status"]["hostIPs"] = json!([{ "ip": host }]);
    }
    condition(pod, now, "PodScheduled", true, None, None);
    condition(pod, now, "PodReadyToStartContainers", false, None, None);
    condition(pod, now, "Initialized", true, None, None);
    let message = format!("containers with unready status: [{}]", names(pod));
    for kind in ["Ready", "ContainersReady"] {
        condition(pod, now, kind, false, Some("ContainersNotReady"), Some(&message));
    }
    let waiting = |container: &Value| {
        json!({
            "name": container["name"], "image": container["image"], "imageID": "", "lastState": {}, "ready": false,
            "restartCount": 0, "started": false, "state": { "waiting": { "reason": "ContainerCreating" } },
        })
    };
    let statuses: Vec<Value> = list(&pod["spec"]["containers"]).map(waiting).collect();
    pod["status"]["containerStatuses"] = json!(statuses);
}

/// The containers run.
pub(super) fn run(pod: &mut Value, now: &str, addresses: &[String]) {
    let uid = meta(pod, "uid").to_owned();
    pod["status"]["phase"] = json!("Running");
    if let Some(first) = addresses.first() {
        pod["status"]["podIP"] = json!(first);
        pod["status"]["podIPs"] = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
    }
    condition(pod, now, "PodReadyToStartContainers", true, None, None);
    let running = |container: &Value| running(&uid, container, now, 0);
    let statuses: Vec<Value> = list(&pod["spec"]["containers"]).map(running).collect();
    pod["status"]["containerStatuses"] = json!(statuses);
    let init: Vec<Value> = list(&pod["spec"]["initContainers"])
        .map(|container| {
            if container["restartPolicy"] == "Always" {
                let mut status = running(container);
                status["ready"] = json!(true);
                return status;
            }
            let id = container_id(&uid, container["name"].as_str().unwrap_or_default(), 0);
            let ended = json!({ "terminated": { "containerID": id, "exitCode": 0, "reason": "Completed",
                "startedAt": now, "finishedAt": now } });
            let mut status = running(container);
            status["state"] = ended;
            status["ready"] = json!(true);
            status["started"] = json!(false);
            status
        })
        .collect();
    if !init.is_empty() {
        pod["status"]["initContainerStatuses"] = json!(init);
    }
    let delayed =
        list(&pod["spec"]["containers"]).any(|it| it["readinessProbe"]["initialDelaySeconds"].as_u64() > Some(0));
    if !delayed {
        be_ready(pod, now);
    }
}

fn running(uid: &str, container: &Value, now: &str, restarts: i64) -> Value {
    let image = container["image"].as_str().unwrap_or_default();
    let name = container["name"].as_str().unwrap_or_default();
    json!({
        "name": name, "image": image, "imageID": image_id(image), "containerID": container_id(uid, name, restarts),
        "lastState": {}, "ready": false, "restartCount": restarts, "started": true,
        "state": { "running": { "startedAt": now } },
    })
}

/// Debug containers run beside the others.
pub(super) fn debug(pod: &mut Value, now: &str, added: &[&Value]) {
    let uid = meta(pod, "uid").to_owned();
    let statuses = &mut pod["status"]["ephemeralContainerStatuses"];
    let mut all = statuses.as_array().cloned().unwrap_or_default();
    all.extend(added.iter().map(|container| running(&uid, container, now, 0)));
    *statuses = json!(all);
}

/// All containers are ready.
pub(super) fn be_ready(pod: &mut Value, now: &str) {
    for status in pod.pointer_mut("/status/containerStatuses").and_then(Value::as_array_mut).into_iter().flatten() {
        status["ready"] = json!(true);
    }
    condition(pod, now, "Ready", true, None, None);
    condition(pod, now, "ContainersReady", true, None, None);
}

/// What a container's end looks like.
fn terminated(status: &Value, now: &str, code: i64) -> Value {
    let started = status["state"]["running"]["startedAt"].as_str().unwrap_or(now);
    json!({ "terminated": {
        "containerID": status["containerID"], "exitCode": code, "finishedAt": now, "startedAt": started,
        "reason": if code == 0 { "Completed" } else { "Error" },
    } })
}

/// The containers have ended and stay so.
pub(super) fn end(pod: &mut Value, now: &str, code: i64) {
    pod["status"]["phase"] = json!(if code == 0 { "Succeeded" } else { "Failed" });
    for status in pod.pointer_mut("/status/containerStatuses").and_then(Value::as_array_mut).into_iter().flatten() {
        status["state"] = terminated(status, now, code);
        status["ready"] = json!(false);
        status["started"] = json!(false);
    }
    let reason = if code == 0 { "PodCompleted" } else { "PodFailed" };
    condition(pod, now, "PodReadyToStartContainers", false, None, None);
    condition(pod, now, "Ready", false, Some(reason), None);
    condition(pod, now, "ContainersReady", false, Some(reason), None);
}

/// The containers have ended and wait to be started again.
pub(super) fn crash(pod: &mut Value, now: &str, code: i64) {
    for status in pod.pointer_mut("/status/containerStatuses").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = status["name"].as_str().unwrap_or_default().to_owned();
        status["lastState"] = terminated(status, now, code);
        let message = format!("back-off restarting failed container {name}");
        status["state"] = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": message } });
        status["ready"] = json!(false);
        status["started"] = json!(false);
    }
    let message = format!("containers with unready status: [{}]", names(pod));
    condition(pod, now, "Ready", false, Some("ContainersNotReady"), Some(&message));
    condition(pod, now, "ContainersReady", false, Some("ContainersNotReady"), Some(&message));
}

/// The containers run again.
pub(super) fn run_again(pod: &mut Value, now: &str) {
    let uid = meta(pod, "uid").to_owned();
    for status in pod.pointer_mut("/status/containerStatuses").and_then(Value::as_array_mut).into_iter().flatten() {
        let restarts = status["restartCount"].as_i64().unwrap_or(0) + 1;
        let name = status["name"].as_str().unwrap_or_default().to_owned();
        status["restartCount"] = json!(restarts);
        status["containerID"] = json!(container_id(&uid, &name, restarts));
        status["state"] = json!({ "running": { "startedAt": now } });
        status["started"] = json!(true);
    }
    be_ready(pod, now);
}
