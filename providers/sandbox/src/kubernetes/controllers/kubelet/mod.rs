//! Kubelet: starts the pods of its node, ends them, and says how they are.
//!
//! Nothing runs. A pod takes [`START`] from its node to running, [`STOP`] to end. Two annotations say what its containers do:
//! `sandbox.sgp.dev/exit-after: 5s` ends them, `sandbox.sgp.dev/exit-code: "1"` says how. Pods of Jobs end well after a second by
//! themselves. Where a pod is comes from what is stored in its status, so a restart changes nothing.

mod status;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::context::{Context, controller_of, has_condition, is_going, meta, time_of};
use super::events::Told;
use super::queue::Item;
use super::scheduler::cache::list;
use super::workloads::pods::is_finished;
use super::{Controller, Name, vpc_cni};
use crate::kubernetes::objects::{Event, Kind};

pub(crate) const CONTROLLER: Controller = Controller { switches: &["kubelet"], observe, reconcile };

const COMPONENT: &str = "kubelet";
/// From the node that is given to containers that run.
const START: Duration = Duration::from_secs(1);
/// From the wish to end to the end, when the pod has that long.
const STOP: Duration = Duration::from_secs(1);
/// A sandbox that could not be made is tried again after this.
const RETRY: Duration = Duration::from_secs(10);
/// A container that ended is started again after this, then twice as long each time, at most five minutes.
const CRASH_BACKOFF_SECONDS: i64 = 10;
const CRASH_BACKOFF_SECONDS_MAX: i64 = 300;

/// What branch interfaces are asked for with.
const POD_ENI: &str = "vpc.amazonaws.com/pod-eni";

fn observe(ctx: &mut Context<'_>, change: &Event) {
    if change.key.resource == "pods"
        && change.kind != Kind::Deleted
        && change.object["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty())
    {
        ctx.enqueue(Name::Kubelet, &change.key.namespace, &change.key.name);
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let Some(pod) = ctx.get("pods", &item.namespace, &item.name) else { return };
    let Some(node) = pod["spec"]["nodeName"].as_str().and_then(|name| ctx.get("nodes", "", name)) else { return };
    if is_going(&pod) {
        return stop(ctx, item, &pod);
    }
    if is_finished(&pod) {
        return;
    }
    match pod["status"]["phase"].as_str() {
        Some("Running") => {
            debug(ctx, item, &pod);
            watch(ctx, item, &pod);
        }
        _ if pod["status"]["startTime"].is_null() => accept(ctx, item, &node),
        _ => start(ctx, item, &pod, &node),
    }
}

fn tell(ctx: &mut Context<'_>, pod: &Value, is_warning: bool, reason: &str, message: &str) {
    let host = pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned();
    ctx.tell(&Told { about: pod, is_warning, reason, message, component: COMPONENT, host: &host });
}

fn again(ctx: &mut Context<'_>, item: &Item, after: Duration) {
    ctx.enqueue_after(Name::Kubelet, &item.namespace, &item.name, after);
}

/// Looks again at a time.
fn again_at(ctx: &mut Context<'_>, item: &Item, at: Timestamp) {
    ctx.queue.add_at(item.clone(), at);
}

/// The pod is on the node: its containers are being created.
fn accept(ctx: &mut Context<'_>, item: &Item, node: &Value) {
    let now = ctx.time();
    let host = status::host_address(node);
    ctx.update("pods", &item.namespace, &item.name, |pod| status::accept(pod, &now, host.as_deref()));
    // Times are stored in whole seconds; the wait is measured from the stored one.
    let since = time_of(&json!(now)).unwrap_or(ctx.now());

    again_at(ctx, item, since.checked_add(START).unwrap_or(Timestamp::MAX));
}

/// Makes the sandbox, when its network is there, and starts the containers.
fn start(ctx: &mut Context<'_>, item: &Item, pod: &Value, node: &Value) {
    let due = time_of(&pod["status"]["startTime"]).and_then(|since| since.checked_add(START).ok());
    if let Some(due) = due
        && due > ctx.now()
    {
        return again_at(ctx, item, due);
    }
    let addresses = match network(ctx, pod, node) {
        Ok(addresses) => addresses,
        Err(why) => {
            let uid = meta(pod, "uid").to_owned();
            let message = format!(
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"{}\": plugin type=\"aws-cni\" name=\"aws-cni\" failed (add): {why}",
                status::container_id(&uid, "sandbox", 0).trim_start_matches("containerd://"),
            );
            tell(ctx, pod, true, "FailedCreatePodSandBox", &message);
            return again(ctx, item, RETRY);
        }
    };
    for kind in ["initContainers", "containers"] {
        for container in list(&pod["spec"][kind]) {
            begin(ctx, pod, container);
        }
    }
    let now = ctx.time();
    ctx.update("pods", &item.namespace, &item.name, |pod| status::run(pod, &now, &addresses));
}

/// Starts the debug containers that were added.
fn debug(ctx: &mut Context<'_>, item: &Item, pod: &Value) {
    let known = |container: &&Value| {
        list(&pod["status"]["ephemeralContainerStatuses"]).any(|status| status["name"] == container["name"])
    };
    let added: Vec<&Value> = list(&pod["spec"]["ephemeralContainers"]).filter(|it| !known(it)).collect();
    if added.is_empty() {
        return;
    }
    for container in &added {
        begin(ctx, pod, container);
    }
    let now = ctx.time();
    ctx.update("pods", &item.namespace, &item.name, |pod| status::debug(pod, &now, &added));
}

/// Tells what happens when a container starts.
fn begin(ctx: &mut Context<'_>, pod: &Value, container: &Value) {
    let (name, image) =
        (container["name"].as_str().unwrap_or_default(), container["image"].as_str().unwrap_or_default());
    if container["imagePullPolicy"] == "Always" {
        tell(ctx, pod, false, "Pulling", &format!("Pulling image {image:?}"));
        let message =
            format!("Successfully pulled image {image:?} in 120ms (120ms including waiting). Image size: 31337 bytes.");
        tell(ctx, pod, false, "Pulled", &message);
    } else {
        let message = format!("Container image {image:?} already present on machine");
        tell(ctx, pod, false, "Pulled", &message);
    }
    tell(ctx, pod, false, "Created", &format!("Created container: {name}"));
    tell(ctx, pod, false, "Started", &format!("Started container {name}"));
}

/// The pod's addresses: the host's, those of its branch interface, or one of the node's.
///
/// # Errors
/// The VPC CNI has none: `add cmd: failed to assign an IP address to container`.
fn network(ctx: &mut Context<'_>, pod: &Value, node: &Value) -> Result<Vec<String>, String> {
    let missing = || "add cmd: failed to assign an IP address to container".to_owned();
    if pod["spec"]["hostNetwork"] == true {
        return Ok(status::host_address(node).into_iter().collect());
    }
    // The CNI looks at the first container only.
    if !pod["spec"]["containers"][0]["resources"]["limits"][POD_ENI].is_null() {
        return branch_addresses(pod).ok_or_else(missing);
    }
    if let Some(address) = pod["status"]["podIP"].as_str() {
        return Ok(vec![address.to_owned()]);
    }
    vpc_cni::addresses::take(ctx, pod, node).map(|address| vec![address]).ok_or_else(missing)
}

/// The addresses that the controller wrote for the pod. The CNI refuses an interface without address, MAC or VLAN.
fn branch_addresses(pod: &Value) -> Option<Vec<String>> {
    let text = pod["metadata"]["annotations"][POD_ENI].as_str()?;
    let interfaces: Value = serde_json::from_str(text).ok()?;
    let first = &interfaces[0];
    let texts = ["privateIp", "ipv6Addr"].map(|name| first[name].as_str().unwrap_or_default().to_owned());
    let addresses: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let is_whole = !addresses.is_empty()
        && first["ifAddress"].as_str().is_some_and(|mac| !mac.is_empty())
        && first["vlanId"].as_i64().is_some_and(|vlan| vlan > 0);
    is_whole.then_some(addresses)
}

/// A running pod becomes ready, and ends if it is to.
fn watch(ctx: &mut Context<'_>, item: &Item, pod: &Value) {
    let now = ctx.now();
    if let Some(due) = restart_due(pod) {
        if due > now {
            return again_at(ctx, item, due);
        }
        let time = ctx.time();
        for container in list(&pod["spec"]["containers"]) {
            begin(ctx, pod, container);
        }
        ctx.update("pods", &item.namespace, &item.name, |pod| status::run_again(pod, &time));
        return;
    }
    let Some(since) = started_at(pod) else { return };
    let at = |after: Duration| since.checked_add(after).unwrap_or(Timestamp::MAX);
    if !has_condition(pod, "Ready") {
        let ready = at(readiness_delay(pod));
        if ready <= now {
            let time = ctx.time();
            ctx.update("pods", &item.namespace, &item.name, |pod| status::be_ready(pod, &time));
        } else {
            again_at(ctx, item, ready);
        }
    }
    let Some(end) = lifetime(pod).map(at) else { return };
    if end > now { again_at(ctx, item, end) } else { finish(ctx, item, pod) }
}

/// When the last of its containers started.
fn started_at(pod: &Value) -> Option<Timestamp> {
    list(&pod["status"]["containerStatuses"]).filter_map(|it| time_of(&it["state"]["running"]["startedAt"])).max()
}

/// When containers that ended start again.
fn restart_due(pod: &Value) -> Option<Timestamp> {
    let statuses: Vec<&Value> = list(&pod["status"]["containerStatuses"]).collect();
    let waiting = statuses.iter().find(|it| it["state"]["waiting"]["reason"] == "CrashLoopBackOff")?;
    let ended = time_of(&waiting["lastState"]["terminated"]["finishedAt"])?;
    let doublings = u32::try_from(waiting["restartCount"].as_i64().unwrap_or(0)).unwrap_or(0).min(5);
    let wait = (CRASH_BACKOFF_SECONDS << doublings).min(CRASH_BACKOFF_SECONDS_MAX);
    Timestamp::from_second(ended.as_second() + wait).ok()
}

/// How long readiness probes wait at first.
fn readiness_delay(pod: &Value) -> Duration {
    let delays = list(&pod["spec"]["containers"]).filter_map(|it| it["readinessProbe"]["initialDelaySeconds"].as_u64());
    Duration::from_secs(delays.max().unwrap_or(0))
}

/// How long its containers run; for ever when nothing says otherwise.
fn lifetime(pod: &Value) -> Option<Duration> {
    let annotation = pod["metadata"]["annotations"]["sandbox.sgp.dev/exit-after"].as_str();
    match annotation {
        Some(text) => parse_duration(text),
        None => controller_of(pod).filter(|owner| owner["kind"] == "Job").map(|_| Duration::from_secs(1)),
    }
}

/// `5s`, `2m`, `1h`, `500ms`, or seconds.
fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..split].parse().ok()?;
    match &text[split..] {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        "h" => Some(Duration::from_secs(number * 3600)),
        _ => None,
    }
}

/// The containers have ended: the pod too, unless they are to run again.
fn finish(ctx: &mut Context<'_>, item: &Item, pod: &Value) {
    let code = pod["metadata"]["annotations"]["sandbox.sgp.dev/exit-code"].as_str();
    let code: i64 = code.and_then(|text| text.parse().ok()).unwrap_or(0);
    let now = ctx.time();
    let runs_again = match pod["spec"]["restartPolicy"].as_str() {
        Some("Never") => false,
        Some("OnFailure") => code != 0,
        _ => true,
    };
    ctx.update("pods", &item.namespace, &item.name, |pod| {
        if runs_again { status::crash(pod, &now, code) } else { status::end(pod, &now, code) }
    });
    if runs_again && let Some(pod) = ctx.get("pods", &item.namespace, &item.name) {
        for container in list(&pod["spec"]["containers"]) {
            let name = container["name"].as_str().unwrap_or_default();
            let message = format!(
                "Back-off restarting failed container {name} in pod {}_{}({})",
                item.name,
                item.namespace,
                meta(&pod, "uid")
            );
            tell(ctx, &pod, true, "BackOff", &message);
        }
    }
}

/// Ends a pod that is being deleted.
fn stop(ctx: &mut Context<'_>, item: &Item, pod: &Value) {
    let Some(deadline) = time_of(&pod["metadata"]["deletionTimestamp"]) else { return };
    let grace = pod["metadata"]["deletionGracePeriodSeconds"].as_u64().unwrap_or(0);
    let asked = deadline.checked_sub(Duration::from_secs(grace)).unwrap_or(deadline);
    let end = asked.checked_add(STOP).unwrap_or(deadline).min(deadline);
    let is_running = pod["status"]["phase"] == "Running";
    if end > ctx.now() && is_running {
        for container in list(&pod["spec"]["containers"]) {
            let name = container["name"].as_str().unwrap_or_default();
            tell(ctx, pod, false, "Killing", &format!("Stopping container {name}"));
        }
        return again_at(ctx, item, end);
    }
    ctx.update("pods", &item.namespace, &item.name, |pod| pod["metadata"]["deletionGracePeriodSeconds"] = json!(0));
    ctx.delete_now("pods", &item.namespace, &item.name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("5s", Some(5_000)),
            ("7", Some(7_000)),
            ("2m", Some(120_000)),
            ("250ms", Some(250)),
            ("x", None),
            ("5d", None),
        ] {
            assert_eq!(parse_duration(text).map(|it| it.as_millis()), expected, "{text}");
        }
    }

    #[test]
    fn branch_interfaces_must_be_whole() {
        let pod = |text: &str| json!({ "metadata": { "annotations": { POD_ENI: text } } });
        for (text, expected) in [
            (r#"[{"privateIp":"10.0.0.5","ifAddress":"02:00","vlanId":1,"ipv6Addr":""}]"#, Some(1)),
            (r#"[{"privateIp":"10.0.0.5","ifAddress":"","vlanId":1}]"#, None),
            (r#"[{"privateIp":"10.0.0.5","ifAddress":"02:00","vlanId":0}]"#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(branch_addresses(&pod(text)).map(|it| it.len()), expected, "{text}");
        }
    }
}
