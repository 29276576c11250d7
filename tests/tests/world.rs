//! The world itself, proven before anything is proven with it. The clients here are botocore's, so nothing of `sgp` vouches for what `sgp` is tested with.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops where it stands, and says when it was skipped"
)]

use serde_json::{Value, json};
use sgp_tests::world::{Call, Effect, Match, Options, Pod, Rule, Victim, World, texts};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Starts a world, or says that the test is skipped because something is not installed.
fn start(options: &Options) -> Option<World> {
    match World::start(options) {
        Ok(world) => Some(world),
        Err(error) if error.is_skippable() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}: {error:?}"),
    }
}

fn without_kubernetes() -> Options {
    Options { kubernetes: false, ..Options::default() }
}

/// A script of `tests/world`, on the emulators' Python with boto3.
fn script(world: &World, name: &str) -> Command {
    let mut command = world.command(world.python().unwrap());
    command.arg(format!("{}/tests/world/{name}", env!("CARGO_MANIFEST_DIR")));
    command
}

/// What a script prints, as JSON.
fn printed(command: &mut Command) -> Value {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&stdout)))
}

fn count(calls: &[Call], operation: &str) -> usize {
    calls.iter().filter(|call| call.operation == operation).count()
}

#[test]
fn security_groups_refuse_and_page_as_at_aws() {
    let Some(world) = start(&without_kubernetes()) else { return };
    let seen = printed(&mut script(&world, "groups.py"));
    assert_eq!(
        seen["refusals"],
        json!({
            "unknown vpc": "InvalidVpcID.NotFound",
            "a rule names the group": "DependencyViolation",
            "an interface carries the group": "DependencyViolation",
            "the default group": "CannotDelete",
            "ports the wrong way round": "InvalidParameterValue",
            "an unknown rule": "InvalidSecurityGroupRuleId.NotFound",
        })
    );
    assert_eq!(seen["pages"], json!([5, 5, 2]));
    assert_eq!(seen["description of a rule that names a group"], "from a");
    assert_eq!(seen["templates made with one token"], 1);
}

#[test]
fn eks_settles_slowly_and_keeps_updates() {
    let Some(world) = start(&without_kubernetes()) else { return };
    let seen = printed(&mut script(&world, "eks.py"));
    assert_eq!(
        seen["cluster"],
        json!([
            "CREATING",
            "CREATING",
            "ACTIVE",
            "UPDATING",
            "UPDATING",
            "ACTIVE",
            "DELETING",
            "DELETING",
            "ResourceNotFoundException"
        ])
    );
    assert_eq!(seen["cluster's vpc"], world.vpc().id.as_str());
    assert_eq!(seen["cluster group is in the vpc"], true);
    assert_eq!(seen["update"], json!(["InProgress", "InProgress", "Successful"]));
    assert_eq!(seen["node group"]["labels"], json!({ "c": "d" }));
    assert_eq!(seen["node group"]["launch template"], json!(["nodes", "1"]));
    assert_eq!(seen["tags"], json!({ "new": "1" }));
    assert_eq!(
        seen["refusals"],
        json!({
            "unknown role": "InvalidParameterException",
            "unknown subnet": "InvalidParameterException",
            "a node group of a cluster in creation": "InvalidRequestException",
            "an update during an update": "ResourceInUseException",
            "an update of nothing": "InvalidParameterException",
            "two versions at once": "InvalidParameterException",
            "a cluster with node groups": "ResourceInUseException",
            "a value outside of the schema": "InvalidParameterException",
        })
    );
}

#[test]
fn iam_tells_all_in_one_call_and_changes_client_ids() {
    let Some(world) = start(&without_kubernetes()) else { return };
    let seen = printed(&mut script(&world, "iam.py"));
    assert_eq!(seen["client ids"], json!(["second"]));
    assert_eq!(seen["attached"], json!(["AmazonEKSClusterPolicy"]));
    assert_eq!(seen["inline"], json!(["inline"]));
}

#[test]
fn calls_are_counted_and_broken() {
    let Some(world) = start(&without_kubernetes()) else { return };
    let create = Match::operation("ec2", "CreateSecurityGroup");
    let fault = |nth, effect| Rule { matching: create.clone(), nth, times: 1, effect };
    world.add_fault(fault(1, Effect::Throttle));
    world.add_fault(fault(2, Effect::ServerError));
    world.add_fault(fault(4, Effect::CutAfterServed));
    let seen = printed(script(&world, "create_group.py").arg("retried"));
    assert_eq!(seen["created"], true, "botocore asks again when it is throttled and when the service is broken");
    assert_eq!(count(&world.calls(), "CreateSecurityGroup"), 3);
    let seen = printed(script(&world, "create_group.py").args(["cut", "--once"]));
    assert_eq!(seen["error"], "ConnectionClosedError");
    assert!(group_exists(&world, "cut"), "the call was served and its answer lost");
    let cut = world.calls().pop().unwrap();
    assert_eq!((cut.status, cut.is_answered, cut.is_mutating), (200, false, true));
    world.set_latency(Duration::from_millis(300));
    let before = Instant::now();
    world.clear_calls();
    printed(script(&world, "create_group.py").arg("slow"));
    assert!(before.elapsed() > Duration::from_millis(300));
    assert_eq!(world.calls().len(), 1);
}

#[test]
fn a_process_dies_before_or_after_a_call() {
    let Some(mut world) = start(&without_kubernetes()) else { return };
    for (kill, exists) in [(Effect::KillBefore as fn(Victim) -> Effect, false), (Effect::KillAfter, true)] {
        world.reset().unwrap();
        let victim = Victim::default();
        world.add_fault(Rule { matching: Match::mutating(), nth: 1, times: 1, effect: kill(victim.clone()) });
        let mut child = script(&world, "create_group.py").arg("killed").spawn().unwrap();
        victim.set(child.id());
        assert_eq!(child.wait().unwrap().code(), None, "it was killed");
        assert_eq!(group_exists(&world, "killed"), exists);
    }
}

fn group_exists(world: &World, name: &str) -> bool {
    let filter = [("Filter.1.Name", "group-name"), ("Filter.1.Value.1", name)];
    !texts(&world.aws("ec2", "DescribeSecurityGroups", &filter).unwrap(), "groupId").is_empty()
}

#[test]
fn microburst_can_stand_before_moto() {
    let Some(world) = start(&Options { microburst: true, ..without_kubernetes() }) else { return };
    assert_eq!(printed(script(&world, "create_group.py").arg("through"))["created"], true);
}

#[test]
fn clusters_are_reached_with_tokens_and_writes_are_counted() {
    let Some(mut world) = start(&Options::default()) else { return };
    let seen = printed(&mut script(&world, "tokens.py"));
    assert_eq!(
        seen,
        json!({
            "own token": 200, "token of an assumed role": 200, "token for another cluster": 401, "token with another secret": 401,
            "token for ten minutes": 401, "no token": 403, "namespace": 201,
        })
    );
    let writes: Vec<Call> =
        world.calls().into_iter().filter(|call| call.service == "kubernetes" && call.is_mutating).collect();
    assert_eq!(writes.len(), 1);
    assert_eq!((writes[0].operation.as_str(), writes[0].status), ("POST /api/v1/namespaces", 201));
    assert!(world.kubectl(&["get", "namespace", "app"]).is_ok());
    let env = "jsonpath={.spec.template.spec.containers[0].env[?(@.name=='ENABLE_POD_ENI')].value}";
    assert_eq!(world.kubectl(&["-n", "kube-system", "get", "daemonset", "aws-node", "-o", env]).unwrap(), "false");
    world.reset().unwrap();
    assert!(world.kubectl(&["get", "namespace", "app"]).is_err(), "a reset empties the cluster");
    assert!(world.calls().is_empty());
    let matching = Match::operation("kubernetes", "POST /api/v1/namespaces");
    world.add_fault(Rule { matching, nth: 1, times: 1, effect: Effect::Throttle });
    assert_eq!(printed(&mut script(&world, "tokens.py"))["namespace"], 429);
}

#[test]
fn a_pod_gets_its_branch_interface() {
    let Some(world) = start(&Options { controller: Some("demo".to_owned()), ..Options::default() }) else { return };
    let groups = printed(&mut script(&world, "stack.py"));
    let group = groups["backend"].as_str().unwrap();
    let policy = json!({
        "apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy", "metadata": { "name": "backend" },
        "spec": { "podSelector": { "matchLabels": { "app": "backend" } }, "securityGroups": { "groupIds": [group] } },
    });
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "app" } });
    world.kubernetes("POST", "/api/v1/namespaces", Some(&namespace)).unwrap();
    world
        .kubernetes("POST", "/apis/vpcresources.k8s.aws/v1beta1/namespaces/app/securitygrouppolicies", Some(&policy))
        .unwrap();
    let node = world.add_node("m5.large").unwrap();
    for name in ["backend", "other"] {
        let pod = Pod { namespace: "app", name, labels: &[("app", name)], service_account: "default" };
        world.add_pod(&pod, &node).unwrap();
    }
    let branch = world.branch_interface("app", "backend").unwrap().expect("the policy selects the pod");
    assert_eq!(branch.security_group_ids, [group]);
    assert!(branch.private_ip.starts_with("10.0."));
    assert!(world.branch_interface("app", "other").unwrap().is_none());
    assert_eq!(count(&world.calls(), "AssociateTrunkInterface"), 0, "the controller's calls are not counted");
    world.kubectl(&["delete", "namespace", "app", "--timeout=60s"]).unwrap();
}
