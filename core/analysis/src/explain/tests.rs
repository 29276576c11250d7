//! Explanations of everything that has a name.
#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::{State, explain};
use crate::reach::tests::account;

fn event(about: (&str, &str), reason: &str, at: &str, message: &str) -> (&'static str, Json) {
    let namespace = if about.0 == "Pod" { "app" } else { "" };
    let about = json!({ "kind": about.0, "name": about.1, "namespace": namespace });
    let event = json!({ "kind": "Event", "metadata": { "name": format!("{reason}.{at}"), "namespace": "app" }, "type": "Warning",
        "involvedObject": about, "reason": reason, "lastTimestamp": at, "message": message });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": event }))
}

fn cni_node(name: &str, features: &Json) -> (&'static str, Json) {
    let object = json!({ "kind": "CNINode", "metadata": { "name": name }, "spec": { "features": features } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": object }))
}

fn policy(name: &str, selector: &Json, groups: &[&str]) -> (&'static str, Json) {
    let spec = json!({ "podSelector": selector, "securityGroups": { "groupIds": groups } });
    let object =
        json!({ "kind": "SecurityGroupPolicy", "metadata": { "name": name, "namespace": "app" }, "spec": spec });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": object }))
}

fn pod(name: &str, node: Option<&str>, app: &str, branch: Option<&str>, asks: bool) -> (&'static str, Json) {
    let mut metadata = json!({ "name": name, "namespace": "app", "labels": { "app": app } });
    if let Some(branch) = branch {
        metadata["annotations"] = json!({ "vpc.amazonaws.com/pod-eni": format!(r#"[{{"eniId":"{branch}"}}]"#) });
    }
    let resources = if asks { json!({ "limits": { "vpc.amazonaws.com/pod-eni": "1" } }) } else { json!({}) };
    let spec = json!({ "nodeName": node, "containers": [{ "name": "it", "resources": resources }] });
    let pod = json!({ "kind": "Pod", "metadata": metadata, "spec": spec, "status": { "phase": "Running" } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": pod }))
}

fn node(name: &str, kind: &str, offers: Option<&str>) -> (&'static str, Json) {
    let node = json!({ "kind": "Node", "metadata": { "name": name, "labels": { "node.kubernetes.io/instance-type": kind } },
        "status": { "allocatable": { "vpc.amazonaws.com/pod-eni": offers } } });
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": node }))
}

#[test]
fn the_step_that_failed_is_the_reason() {
    let api = json!({ "matchLabels": { "app": "own" } });
    let topology = account(
        "strict",
        &[
            policy("own", &api, &["sg-api"]),
            policy("nobody", &json!({ "matchLabels": { "app": "nobody" } }), &["sg-api"]),
            node("good", "m5.large", Some("9")),
            node("small", "t3.medium", None),
            node("late", "m5.large", None),
            pod("fine", Some("good"), "own", Some("eni-api"), true),
            pod("other-groups", Some("good"), "own", Some("eni-other"), true),
            pod("past-the-webhook", Some("good"), "own", None, false),
            pod("waits-for-a-node", None, "own", None, true),
            pod("waits-for-an-interface", Some("good"), "own", None, true),
            pod("on-the-wrong-node", Some("late"), "own", None, true),
            pod("without", Some("good"), "else", None, false),
        ],
    );
    for (name, verdict, has_failed) in [
        ("app/fine", "It has its groups.", false),
        ("app/other-groups", "It has other groups than its policies say now.", true),
        ("app/past-the-webhook", "It was made before the policy, or past the webhook: it has its node's groups.", true),
        ("app/waits-for-a-node", "It waits for a node.", true),
        ("app/waits-for-an-interface", "It waits for its branch interface.", true),
        ("app/on-the-wrong-node", "Its node has no trunk.", true),
        ("pod/app/without", "No policy is for it, so it has its node's groups.", false),
        ("policy/app/nobody", "It gives no pod its groups.", true),
        ("app/own", "6 workloads and pods match it.", false),
        ("node/small", "Pods with groups of their own cannot run there.", true),
        ("node/late", "It has no trunk.", true),
        ("node/good", "2 of 9 branch interfaces are in use there.", false),
    ] {
        let told = explain(&topology, name).unwrap();
        assert_eq!((told.verdict.as_str(), told.has_failed()), (verdict, has_failed), "{name}: {told:#?}");
    }
    assert_eq!(explain(&topology, "app/nothing"), None);
}

/// The failed step and what to do about it.
fn failure(told: &super::Explanation) -> (String, String) {
    let step = told.steps.iter().find(|step| step.state == State::Failed).unwrap();
    (step.what.clone(), step.remedy.clone().unwrap())
}

#[test]
fn events_say_why() {
    let api = json!({ "matchLabels": { "app": "own" } });
    let topology = account(
        "strict",
        &[
            policy("own", &api, &["sg-api"]),
            node("good", "m5.large", Some("9")),
            node("refused", "m5.large", None),
            pod("unplaced", None, "own", None, true),
            pod("full", Some("good"), "own", None, true),
            event(
                ("Pod", "unplaced"),
                "FailedScheduling",
                "2026-01-01T00:00:02Z",
                "0/1 nodes: Insufficient vpc.amazonaws.com/pod-eni.",
            ),
            event(("Pod", "unplaced"), "FailedScheduling", "2026-01-01T00:00:01Z", "an older one"),
            event(
                ("Pod", "full"),
                "BranchAllocationFailed",
                "2026-01-01T00:00:00Z",
                "InsufficientFreeAddressesInSubnet: subnet-1",
            ),
            event(("Node", "refused"), "TrunkENICreationFailed", "", "Error Code: UnauthorizedOperation"),
        ],
    );
    for (name, what, remedy) in [
        ("app/unplaced", "FailedScheduling at 2026-01-01T00:00:02Z \"0/1 nodes: Insufficient", "sgp capacity -live"),
        ("app/full", "BranchAllocationFailed at 2026-01-01T00:00:00Z", "no free address"),
        ("node/refused", "TrunkENICreationFailed \"Error Code: UnauthorizedOperation\"", "SGP001"),
    ] {
        let told = explain(&topology, name).unwrap();
        let (found, to_do) = failure(&told);
        assert!(found.contains(what) && to_do.contains(remedy), "{name}: {told:#?}");
    }
}

#[test]
fn a_cni_node_says_whether_a_trunk_is_wanted() {
    let wants = json!([{ "name": "SecurityGroupsForPods" }]);
    let api = json!({ "matchLabels": { "app": "own" } });
    let topology = account(
        "strict",
        &[
            policy("own", &api, &["sg-api"]),
            node("good", "m5.large", Some("9")),
            node("idle", "m5.large", None),
            node("forgotten", "m5.large", None),
            cni_node("good", &wants),
            cni_node("idle", &json!([])),
            pod("idle", Some("idle"), "own", None, true),
        ],
    );
    let steps = explain(&topology, "node/good").unwrap().steps;
    assert!(steps.iter().any(|it| it.what.contains("asks for a trunk")), "{steps:#?}");
    for (name, what) in [
        ("node/idle", "its CNINode does not ask for a trunk"),
        ("node/forgotten", "it has no CNINode"),
        ("app/idle", "node idle: its CNINode does not ask for a trunk"),
    ] {
        assert_eq!(failure(&explain(&topology, name).unwrap()).0, what);
    }
}

#[test]
fn objects_of_the_configuration_are_explained_by_what_they_make() {
    let deployment = json!({ "kind": "Deployment", "metadata": { "name": "own", "namespace": "app" }, "spec": { "replicas": 2,
        "template": { "metadata": { "labels": { "app": "own" } }, "spec": { "containers": [{ "name": "it" }] } } } });
    let mut past = pod("own-6d4f-x", Some("good"), "own", None, false);
    past.1["manifest"]["metadata"]["ownerReferences"] =
        json!([{ "kind": "ReplicaSet", "name": "own-6d4f", "controller": true }]);
    let other = json!({ "matchLabels": { "app": "other" } });
    let topology = account(
        "strict",
        &[
            policy("own-groups", &json!({ "matchLabels": { "app": "own" } }), &["sg-api"]),
            policy("others", &other, &["sg-api"]),
            node("good", "m5.large", Some("9")),
            ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": deployment })),
            past,
        ],
    );
    for (name, of, verdict, has_failed) in [
        ("deployment/app/own", "Deployment app/own", "Not all of its pods are as they should be.", true),
        ("app/own", "Deployment app/own", "Not all of its pods are as they should be.", true),
        ("policy/app/own-groups", "policy app/own-groups", "One workload or pod matches it.", false),
        ("sg-api", "group api (sg-api)", "It is in use.", false),
    ] {
        let told = explain(&topology, name).unwrap();
        assert_eq!(
            (told.of.as_str(), told.verdict.as_str(), told.has_failed()),
            (of, verdict, has_failed),
            "{name}: {told:#?}"
        );
    }
    let told = explain(&topology, "sg-api").unwrap();
    assert!(told.steps.iter().any(|it| it.what == "pods of Deployment app/own get it"), "{told:#?}");
    assert_eq!(explain(&topology, "statefulset/app/own"), None);
}

#[test]
fn a_name_that_several_groups_have_is_not_guessed() {
    let group = |id: &str, vpc: &str| ("aws_security_group", json!({ "id": id, "name": "same", "vpc_id": vpc }));
    let topology = account("strict", &[group("sg-one", "vpc-1"), group("sg-two", "vpc-2")]);
    let told = explain(&topology, "same").unwrap();
    let steps: Vec<&str> = told.steps.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(steps, ["sg-one of vpc-1", "sg-two of vpc-2"]);
    assert_eq!(told.verdict, "Several groups are called so: ask with the id of one.");
    assert_eq!(explain(&topology, "sg-two").unwrap().of, "group same (sg-two)");
}
