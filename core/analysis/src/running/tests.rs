//! Rows: what runs, what the plan makes of the policies, and what is told.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Groups, WorkloadKey, kept};
use crate::{
    reach::tests::{pod as running, topology},
    topology::{Id, Topology},
};

type Object = (&'static str, Json);

fn manifest(kind: &str, name: &str, mut rest: Json) -> Object {
    rest["kind"] = json!(kind);
    rest["metadata"]["name"] = json!(name);
    rest["metadata"]["namespace"] = json!("app");
    ("kubernetes_manifest", json!({ "cluster_name": "main", "manifest": rest }))
}

fn policy(name: &str, selector: &Json, groups: &[&str]) -> Object {
    let spec = json!({ "podSelector": selector, "securityGroups": { "groupIds": groups } });
    manifest("SecurityGroupPolicy", name, json!({ "spec": spec }))
}

/// A workload whose pods are labelled `app = name`.
fn workload(kind: &str, name: &str, spec: &Json) -> Object {
    let mut spec = spec.clone();
    spec["template"] = json!({ "metadata": { "labels": { "app": name } }, "spec": { "containers": [] } });
    manifest(kind, name, json!({ "spec": spec }))
}

fn owned(mut object: Object, kind: &str, name: &str) -> Object {
    object.1["manifest"]["metadata"]["ownerReferences"] = json!([{ "kind": kind, "name": name, "controller": true }]);
    object
}

/// A pod of a maker, labelled `app = app`; with a branch interface of its own name when it has groups.
fn pod(name: &str, app: &str, maker: Option<(&str, &str)>, groups: &[&str]) -> Vec<Object> {
    let branch = format!("eni-{name}");
    let pod = running(name, "node-1", "10.0.1.9", (!groups.is_empty()).then_some(&*branch), &json!({ "app": app }));
    let mut all = vec![match maker {
        Some((kind, owner)) => owned(pod, kind, owner),
        None => pod,
    }];
    if !groups.is_empty() {
        let interface = json!({ "id": branch, "vpc_id": "vpc-1", "subnet_id": "subnet-a", "security_groups": groups });
        all.push(("aws_network_interface", interface));
    }
    all
}

fn told(before: &Topology, after: &Topology, remade: &[(&str, &str)]) -> Vec<String> {
    let key = |(kind, name): &(&str, &str)| -> WorkloadKey {
        (Id::from("main"), "app".to_owned(), (*kind).to_owned(), (*name).to_owned())
    };
    let groups = |it: &Groups| match it {
        Groups::Own(ids) => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"),
        other => format!("{other:?}"),
    };
    let remade: BTreeSet<WorkloadKey> = remade.iter().map(key).collect();
    let line = |it: &super::Kept| {
        let (_, namespace, kind, name) = &it.workload;
        let (now, then) = (groups(&it.now), groups(&it.then));
        format!("{kind} {namespace}/{name}: {} {now} -> {then} ({:?})", it.pods.join(","), it.anew)
    };
    kept(before, after, &remade).iter().map(line).collect()
}

/// What there is; what the plan puts beside it; workloads that the plan changes; what is told.
fn check(shared: &[Object], before: &[Object], after: &[Object], remade: &[(&str, &str)], expected: &[&str]) {
    let side = |more: &[Object]| topology(&[shared, more].concat());
    assert_eq!(told(&side(before), &side(after), remade), expected, "{before:?} => {after:?}");
}

fn web(selector: &Json, groups: &[&str]) -> Vec<Object> {
    vec![policy("web", selector, groups)]
}

#[test]
fn a_policy_that_changes_leaves_running_pods_as_they_are() {
    let app = json!({ "matchLabels": { "app": "web" } });
    let mut there = vec![workload("Deployment", "web", &json!({ "replicas": 2 }))];
    there.push(owned(workload("ReplicaSet", "web-6d4", &json!({})), "Deployment", "web"));
    there.extend(pod("web-6d4-a", "web", Some(("ReplicaSet", "web-6d4")), &["sg-a"]));
    there.extend(pod("web-6d4-b", "web", Some(("ReplicaSet", "web-6d4")), &["sg-a"]));
    let one = web(&app, &["sg-a"]);
    check(&there, &one, &one, &[], &[]);
    // The order of groups is nobody's.
    let two = web(&app, &["sg-b", "sg-a"]);
    let both = ["Deployment app/web: web-6d4-a,web-6d4-b sg-a -> sg-b+sg-a (Restart)"];
    check(&there, &one, &two, &[], &both);
    // It was so before the plan, too.
    check(&there, &two, &two, &[], &both);
    check(&there, &one, &[], &[], &["Deployment app/web: web-6d4-a,web-6d4-b sg-a -> OfNodes (Restart)"]);
    check(
        &there,
        &one,
        &two,
        &[("Deployment", "web")],
        &["Deployment app/web: web-6d4-a,web-6d4-b sg-a -> sg-b+sg-a (Plan)"],
    );
}

#[test]
fn pods_of_one_workload_may_have_different_groups() {
    let app = json!({ "matchLabels": { "app": "web" } });
    let mut there = vec![workload("StatefulSet", "web", &json!({}))];
    there.extend(pod("web-0", "web", Some(("StatefulSet", "web")), &["sg-a"]));
    there.extend(pod("web-1", "web", Some(("StatefulSet", "web")), &[]));
    there.extend(pod("web-2", "web", Some(("StatefulSet", "web")), &["sg-b"]));
    check(
        &there,
        &web(&app, &["sg-a"]),
        &web(&app, &["sg-b"]),
        &[],
        &["StatefulSet app/web: web-0 sg-a -> sg-b (Restart)", "StatefulSet app/web: web-1 OfNodes -> sg-b (Restart)"],
    );
    // A label that the controller gives to one pod is the next one's, too.
    let mut there = vec![workload("StatefulSet", "web", &json!({}))];
    let mut first = pod("web-0", "web", Some(("StatefulSet", "web")), &[]);
    first[0].1["manifest"]["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = json!("web-0");
    there.extend(first);
    there.extend(pod("web-1", "web", Some(("StatefulSet", "web")), &[]));
    let only = web(&json!({ "matchLabels": { "statefulset.kubernetes.io/pod-name": "web-0" } }), &["sg-a"]);
    check(&there, &[], &only, &[], &["StatefulSet app/web: web-0 OfNodes -> sg-a (Restart)"]);
}

#[test]
fn who_makes_pods_anew() {
    let all = web(&json!({}), &["sg-a"]);
    for (kind, spec, expected) in [
        ("DaemonSet", json!({}), "Restart"),
        ("DaemonSet", json!({ "updateStrategy": { "type": "OnDelete" } }), "Deletion"),
        ("StatefulSet", json!({ "updateStrategy": { "type": "RollingUpdate" } }), "Restart"),
        ("Deployment", json!({ "paused": true }), "Resume"),
        ("ReplicaSet", json!({}), "Deletion"),
        ("Job", json!({}), "NextRun"),
    ] {
        let there = [vec![workload(kind, "x", &spec)], pod("x-1", "x", Some((kind, "x")), &[])].concat();
        check(&there, &[], &all, &[], &[&format!("{kind} app/x: x-1 OfNodes -> sg-a ({expected})")]);
    }
    check(&pod("x", "x", None, &[]), &[], &all, &[], &["Pod app/x: x OfNodes -> sg-a (Nothing)"]);
    check(
        &pod("x-1", "x", Some(("Rollout", "x")), &[]),
        &[],
        &all,
        &[],
        &["Rollout app/x: x-1 OfNodes -> sg-a (Maker)"],
    );
    // A CronJob's pod belongs to a Job of its.
    let job = owned(workload("Job", "x-1", &json!({})), "CronJob", "x");
    let there = [vec![job], pod("x-1-a", "x", Some(("Job", "x-1")), &[])].concat();
    check(&there, &[], &all, &[], &["CronJob app/x: x-1-a OfNodes -> sg-a (NextRun)"]);
    // Who may not list ReplicaSets and Deployments still knows the Deployment by the hash.
    let mut alone = pod("x-5f-a", "x", Some(("ReplicaSet", "x-5f")), &[]);
    alone[0].1["manifest"]["metadata"]["labels"]["pod-template-hash"] = json!("5f");
    check(&alone, &[], &all, &[], &["Deployment app/x: x-5f-a OfNodes -> sg-a (Restart)"]);
}

#[test]
fn what_has_no_groups_to_keep_is_not_told() {
    let all = web(&json!({}), &["sg-a"]);
    let changed = |change: fn(&mut Json)| {
        let mut there = pod("x", "x", None, &[]);
        change(&mut there[0].1["manifest"]);
        there
    };
    for there in [
        changed(|it| it["spec"]["hostNetwork"] = json!(true)),
        changed(|it| it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z")),
        changed(|it| it["status"]["phase"] = json!("Succeeded")),
        // Its groups are looked up again when its interface is made.
        changed(|it| it["status"]["phase"] = json!("Pending")),
        changed(|it| it["spec"]["serviceAccountName"] = json!("nobody")),
        changed(|it| it["spec"]["nodeSelector"] = json!({ "kubernetes.io/os": "windows" })),
    ] {
        check(&there, &[], &all, &[], &[]);
    }
    // What goes takes its pods along, and a pod that goes is not there.
    let set = [workload("StatefulSet", "x", &json!({}))];
    let there = pod("x-0", "x", Some(("StatefulSet", "x")), &[]);
    check(&there, &set, &all, &[], &[]);
    check(&[], &[there, all.clone()].concat(), &all, &[], &[]);
}

#[test]
fn what_nobody_can_say_is_told_when_policies_say_something_else() {
    let app = json!({ "matchLabels": { "app": "x" } });
    // The interface could not be looked at.
    let there = pod("x", "x", None, &["sg-a"])[..1].to_vec();
    check(&there, &web(&app, &["sg-a"]), &web(&app, &["sg-a"]), &[], &[]);
    let other = web(&app, &["sg-b"]);
    check(&there, &web(&app, &["sg-a"]), &other, &[], &["Pod app/x: x Unknown -> sg-b (Nothing)"]);
}

#[test]
fn a_label_put_on_a_running_pod_is_not_its_template_s() {
    let app = json!({ "matchLabels": { "app": "other" } });
    let there =
        [vec![workload("Deployment", "web", &json!({}))], pod("web-1", "other", Some(("Deployment", "web")), &[])]
            .concat();
    check(&there, &[], &web(&app, &["sg-a"]), &[], &[]);
}

#[test]
fn pods_of_fargate_have_what_their_annotation_says() {
    let profile = (
        "aws_eks_fargate_profile",
        json!({ "cluster_name": "main", "fargate_profile_name": "all", "selector": [{ "namespace": "app" }] }),
    );
    let mut there = pod("x", "x", None, &[]);
    there[0].1["manifest"]["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"] = json!("all");
    there[0].1["manifest"]["metadata"]["annotations"] = json!({ "fargate.amazonaws.com/pod-sg": "sg-a,sg-b" });
    let there = [vec![profile], there].concat();
    let app = json!({ "matchLabels": { "app": "x" } });
    check(&there, &[], &web(&app, &["sg-b", "sg-a"]), &[], &[]);
    check(&there, &[], &web(&app, &["sg-c"]), &[], &["Pod app/x: x sg-a+sg-b -> sg-c (Nothing)"]);
}

#[test]
fn the_request_that_the_webhook_put_into_a_pod_is_not_the_pod_s() {
    let mut there = pod("x", "x", None, &["sg-a"]);
    let limit = json!([{ "name": "it", "resources": { "limits": { "vpc.amazonaws.com/pod-eni": "1" } } }]);
    there[0].1["manifest"]["spec"]["containers"] = limit;
    let app = json!({ "matchLabels": { "app": "x" } });
    check(&there, &web(&app, &["sg-a"]), &[], &[], &["Pod app/x: x sg-a -> OfNodes (Nothing)"]);
}
