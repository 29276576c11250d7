//! The row of a pod.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;

/// The cells of a pod.
pub(super) fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let state = State::of(pod);
    let or_none = |value: &Value| value.as_str().filter(|it| !it.is_empty()).unwrap_or("<none>").to_owned();
    let restarts = match &state.last_restart {
        Some(at) if state.restarts > 0 => format!("{} ({} ago)", state.restarts, age(&json!(at), now)),
        _ => state.restarts.to_string(),
    };
    vec![
        pod["metadata"]["name"].clone(),
        json!(format!("{}/{}", state.ready, state.total)),
        json!(state.reason),
        json!(restarts),
        json!(age(&pod["metadata"]["creationTimestamp"], now)),
        json!(or_none(&pod["status"]["podIPs"][0]["ip"])),
        json!(or_none(&pod["spec"]["nodeName"])),
        json!(or_none(&pod["status"]["nominatedNodeName"])),
        json!(gates(pod)),
    ]
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn has_condition(pod: &Value, kind: &Value) -> bool {
    list(&pod["status"]["conditions"]).iter().any(|it| it["type"] == *kind && it["status"] == "True")
}

fn gates(pod: &Value) -> String {
    let gates = list(&pod["spec"]["readinessGates"]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let passed = gates.iter().filter(|gate| has_condition(pod, &gate["conditionType"])).count();
    format!("{passed}/{}", gates.len())
}

/// What a pod's containers come to.
#[derive(Default)]
struct State {
    reason: String,
    ready: usize,
    total: usize,
    restarts: u64,
    last_restart: Option<String>,
}

impl State {
    fn of(pod: &Value) -> Self {
        let status = &pod["status"];
        let phase = status["phase"].as_str().unwrap_or("");
        let reason = status["reason"].as_str().filter(|it| !it.is_empty()).unwrap_or(phase).to_owned();
        let mut state = Self { reason, total: list(&pod["spec"]["containers"]).len(), ..Self::default() };
        let is_gated = |it: &Value| it["type"] == "PodScheduled" && it["reason"] == "SchedulingGated";
        if list(&status["conditions"]).iter().any(is_gated) {
            "SchedulingGated".clone_into(&mut state.reason);
        }
        if !state.initialize(pod) || has_condition(pod, &json!("Initialized")) {
            state.run(pod);
        }
        if !pod["metadata"]["deletionTimestamp"].is_null() {
            if status["reason"] == "NodeLost" {
                "Unknown".clone_into(&mut state.reason);
            } else if !matches!(phase, "Succeeded" | "Failed") {
                "Terminating".clone_into(&mut state.reason);
            }
        }
        state
    }

    fn count_restarts(&mut self, container: &Value) {
        self.restarts += container["restartCount"].as_u64().unwrap_or(0);
        let at = container["lastState"]["terminated"]["finishedAt"].as_str();
        if at > self.last_restart.as_deref() {
            self.last_restart = at.map(str::to_owned);
        }
    }

    /// Whether init containers are still at work (or failed).
    fn initialize(&mut self, pod: &Value) -> bool {
        let specs = list(&pod["spec"]["initContainers"]);
        let is_sidecar = |name: &Value| specs.iter().any(|it| it["name"] == *name && it["restartPolicy"] == "Always");
        self.total += specs.iter().filter(|it| it["restartPolicy"] == "Always").count();
        for (at, container) in list(&pod["status"]["initContainerStatuses"]).iter().enumerate() {
            let (terminated, waiting) = (&container["state"]["terminated"], &container["state"]["waiting"]);
            let is_sidecar = is_sidecar(&container["name"]);
            if is_sidecar {
                self.count_restarts(container);
            }
            if terminated["exitCode"] == 0 {
                continue;
            }
            if is_sidecar && container["started"] == true {
                self.ready += usize::from(container["ready"] == true);
                continue;
            }
            let waits = waiting["reason"].as_str().filter(|it| !matches!(*it, "" | "PodInitializing"));
            self.reason = match waits {
                _ if !terminated.is_null() => format!("Init:{}", ended(terminated)),
                Some(reason) => format!("Init:{reason}"),
                None => format!("Init:{at}/{}", specs.len()),
            };
            if !is_sidecar {
                self.count_restarts(container);
            }
            return true;
        }
        false
    }

    fn run(&mut self, pod: &Value) {
        let (mut is_running, mut error) = (false, None);
        for container in list(&pod["status"]["containerStatuses"]).iter().rev() {
            self.count_restarts(container);
            let state = &container["state"];
            if let Some(reason) = state["waiting"]["reason"].as_str().filter(|it| !it.is_empty()) {
                reason.clone_into(&mut self.reason);
            } else if !state["terminated"].is_null() {
                self.reason = ended(&state["terminated"]);
                if state["terminated"]["exitCode"] != 0 {
                    error = Some(self.reason.clone());
                }
            } else if container["ready"] == true && !state["running"].is_null() {
                is_running = true;
                self.ready += 1;
            }
        }
        // A pod goes on while one container does.
        if self.reason == "Completed" {
            match (is_running, error) {
                (true, _) if has_condition(pod, &json!("Ready")) => "Running".clone_into(&mut self.reason),
                (_, Some(error)) => self.reason = error,
                (true, None) => "NotReady".clone_into(&mut self.reason),
                (false, None) => {}
            }
        }
    }
}

fn ended(terminated: &Value) -> String {
    let number = |member: &str| terminated[member].as_i64().unwrap_or(0);
    match (terminated["reason"].as_str().unwrap_or(""), number("signal")) {
        ("", 0) => format!("ExitCode:{}", number("exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_state_is_one_word() {
        let waiting = json!({ "state": { "waiting": { "reason": "ContainerCreating" } } });
        let running = json!({ "ready": true, "state": { "running": {} }, "restartCount": 2 });
        let done = json!({ "state": { "terminated": { "exitCode": 0, "reason": "Completed" } } });
        let failed = json!({ "state": { "terminated": { "exitCode": 3 } } });
        let rows = [
            (json!({ "phase": "Pending" }), "0/1 Pending 0"),
            (json!({ "phase": "Pending", "containerStatuses": [waiting] }), "0/1 ContainerCreating 0"),
            (json!({ "phase": "Running", "containerStatuses": [running] }), "1/1 Running 2"),
            (json!({ "phase": "Succeeded", "containerStatuses": [done] }), "0/1 Completed 0"),
            (json!({ "phase": "Failed", "containerStatuses": [failed] }), "0/1 ExitCode:3 0"),
            (json!({ "phase": "Pending", "initContainerStatuses": [waiting] }), "0/1 Init:ContainerCreating 0"),
            (json!({ "phase": "Failed", "reason": "Evicted" }), "0/1 Evicted 0"),
        ];
        for (status, expected) in rows {
            let pod = json!({ "spec": { "containers": [{ "name": "c" }] }, "status": status });
            let state = State::of(&pod);
            assert_eq!(format!("{}/{} {} {}", state.ready, state.total, state.reason, state.restarts), expected);
        }
    }
}
