//! What runs beside what is managed: when it is asked, what a plan says of it, and what `-rollout` does.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value as Json, json};
use sgp_engine::{ApplyOptions, Interrupt, Outcome, PlanOptions};
use sgp_model::{
    Plan,
    json::from_serde,
    plan::{Anew, PlanMode},
};
use support::World;

const CLUSTER: &str = "resource \"aws_eks_cluster\" \"c\" { name = \"c\" }";
const LARGER: &str = "resource \"aws_eks_cluster\" \"c\" {\n  name = \"c\"\n  size = 2\n}";

/// Whether the world was looked at since the last time.
fn looks(world: &World) -> Vec<String> {
    world.cloud.calls().into_iter().filter(|call| call.starts_with("look at")).collect()
}

#[tokio::test]
async fn what_runs_is_asked_where_a_plan_concerns_it() {
    let mut world = World::new(CLUSTER);
    let none: [&str; 0] = [];
    // Nothing is there yet.
    world.apply().await;
    assert_eq!(looks(&world), none);
    let with = |live: Option<bool>| PlanOptions { live, ..PlanOptions::default() };
    for (hcl, options, expected) in [
        (CLUSTER, with(None), &none[..]),
        (CLUSTER, with(Some(true)), &["look at c"]),
        (LARGER, with(None), &["look at c"]),
        (LARGER, with(Some(false)), &none),
        (LARGER, PlanOptions { refresh: false, ..with(None) }, &none),
        (LARGER, PlanOptions { mode: PlanMode::Destroy, ..with(None) }, &none),
        (LARGER, PlanOptions { mode: PlanMode::RefreshOnly, ..with(Some(true)) }, &none),
        // Another cluster is no concern of what is there.
        (&format!("{CLUSTER}\nresource \"aws_eks_cluster\" \"d\" {{ name = \"d\" }}"), with(None), &none),
    ] {
        world.write(hcl);
        let planned = world.plan_with(&options).await;
        assert!(!planned.diagnostics.has_errors(), "{:#?}", planned.diagnostics);
        assert_eq!(looks(&world), expected, "{hcl} {options:?}");
        assert_eq!(planned.plan.unwrap().running.asked, !expected.is_empty());
    }
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_told_and_the_plan_stands() {
    let mut world = World::new(CLUSTER);
    world.apply().await;
    world.write(LARGER);
    *world.cloud.unseen.lock().unwrap() = Some("Pods may not be listed.".to_owned());
    let planned = world.plan_with(&PlanOptions::default()).await;
    let told: Vec<_> = planned.diagnostics.iter().map(|it| (it.is_error(), it.summary.as_str())).collect();
    assert_eq!(told, [(false, "Not all that runs could be looked at")]);
    assert_eq!(planned.plan.unwrap().running.unseen, ["Not seen: Pods may not be listed."]);
}

/// Pods of Deployments, each with a group that its policy does not name any more.
fn with_pods(world: &World, deployments: &[&str]) {
    let manifest = |kind: &str, name: &str, mut rest: Json| {
        rest["kind"] = json!(kind);
        rest["metadata"]["name"] = json!(name);
        rest["metadata"]["namespace"] = json!("app");
        from_serde(&json!({ "cluster_name": "c", "manifest": rest }))
    };
    let policy = json!({ "spec": { "podSelector": {}, "securityGroups": { "groupIds": ["sg-b"] } } });
    let mut all = vec![manifest("SecurityGroupPolicy", "all", policy)];
    for name in deployments {
        let template = json!({ "metadata": { "labels": {} }, "spec": { "containers": [] } });
        all.push(manifest("Deployment", name, json!({ "spec": { "template": template } })));
        let owner = json!([{ "kind": "Deployment", "name": name, "controller": true }]);
        let annotation = json!({ "vpc.amazonaws.com/pod-eni": format!("[{{\"eniId\":\"eni-{name}\"}}]") });
        let metadata = json!({ "ownerReferences": owner, "annotations": annotation });
        let pod = json!({ "metadata": metadata, "spec": {}, "status": { "phase": "Running" } });
        all.push(manifest("Pod", &format!("{name}-1"), pod));
        let interface = json!({ "id": format!("eni-{name}"), "vpc_id": "vpc-1", "subnet_id": "subnet-1", "security_groups": ["sg-a"] });
        all.push(from_serde(&interface));
    }
    *world.cloud.running_around.lock().unwrap() = all;
}

async fn planned(world: &World) -> Plan {
    let options = PlanOptions { live: Some(true), ..PlanOptions::default() };
    world.plan_with(&options).await.plan.unwrap()
}

async fn rolled_out(world: &World, plan: &Plan) -> Outcome {
    world.cloud.calls();
    let options = ApplyOptions { rollout: true, ..ApplyOptions::default() };
    sgp_engine::apply(&world.session(), plan, &options).await
}

fn told(outcome: &Outcome) -> Vec<String> {
    outcome.diagnostics.iter().map(|it| it.summary.clone()).collect()
}

/// A world with a cluster in which pods run.
async fn running() -> World {
    let world = World::new(CLUSTER);
    world.apply().await;
    with_pods(&world, &["b", "a"]);
    world
}

#[tokio::test]
async fn workloads_are_restarted_one_after_the_other() {
    let world = running().await;
    let plan = planned(&world).await;
    let kept: Vec<_> = plan.running.kept.iter().map(|it| (it.name.as_str(), it.anew)).collect();
    assert_eq!(kept, [("a", Anew::Restart), ("b", Anew::Restart)]);
    assert!(plan.is_empty());
    // Without the flag nothing of it is done.
    world.cloud.calls();
    world.apply_plan(&plan).await;
    assert_eq!(looks(&world), Vec::<String>::new());
    let outcome = rolled_out(&world, &plan).await;
    assert_eq!((outcome.restarted, told(&outcome)), (2, Vec::new()));
    let all = ["look at c", "Restart Deployment app/a", "Restart Deployment app/b", "look at c"];
    assert_eq!(world.cloud.calls(), all);
    // An older plan restarts nothing that is made anew by now.
    let outcome = rolled_out(&world, &plan).await;
    assert_eq!((outcome.restarted, world.cloud.calls()), (0, vec!["look at c".to_owned()]));
}

#[tokio::test]
async fn the_first_that_fails_is_the_last() {
    let world = running().await;
    let plan = planned(&world).await;
    world.cloud.fail("Restart Deployment app/a");
    let outcome = rolled_out(&world, &plan).await;
    assert_eq!(
        (outcome.restarted, told(&outcome)),
        (0, vec!["Refused".to_owned(), "Workloads not restarted".to_owned()])
    );
    assert!(outcome.diagnostics.has_errors() && outcome.diagnostics.0[1].detail.contains("Deployment app/b"));
    assert_eq!(world.cloud.calls(), ["look at c", "Restart Deployment app/a"]);
}

#[tokio::test]
async fn an_interrupt_starts_no_further_restart() {
    let world = running().await;
    let plan = planned(&world).await;
    let interrupt = world.interrupt.clone();
    *world.cloud.hook.lock().unwrap() = Some(Box::new(move |_| {
        let _ = interrupt.send(Interrupt::Finish);
    }));
    let outcome = rolled_out(&world, &plan).await;
    assert_eq!((outcome.restarted, outcome.interrupted), (1, true));
    assert_eq!(world.cloud.calls(), ["look at c", "Restart Deployment app/a"]);
    assert_eq!(told(&outcome), ["Workloads not restarted"]);
}

#[tokio::test]
async fn nothing_is_restarted_after_an_apply_that_failed() {
    let mut world = running().await;
    world.write(LARGER);
    let plan = planned(&world).await;
    world.cloud.fail("update c");
    let outcome = rolled_out(&world, &plan).await;
    assert_eq!(outcome.restarted, 0);
    assert!(!world.cloud.calls().iter().any(|call| call.starts_with("Restart")));
}
