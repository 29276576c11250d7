//! Calls as the API server sees them: how many, how often again, with which token.

#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use sgp_contract::{Clock as _, Provider as _, ReadScope, eks::ClusterAccess};
use sgp_model::Value;

use crate::{
    KubernetesProvider, apply, attrs,
    connect::{Access, Cluster},
    errors::Failure,
    life::{self, Live},
    provider_config,
    target::{ApiKind, Target},
    testing::{self, FakeEks, StubServer, TestClock, refusal},
};

static PODS: ApiKind = ApiKind::fixed("v1", "Pod", "pods", true);

fn pod(name: &str) -> Json {
    json!({"metadata": {"name": name}})
}

fn target(name: &str) -> Target {
    Target::new(&PODS, Some("app"), name)
}

fn access(endpoint: &str) -> ClusterAccess {
    ClusterAccess {
        name: "main".into(),
        endpoint: endpoint.into(),
        ca_pem: Vec::new(),
        status: "ACTIVE".into(),
        version: "1.36".into(),
        vpc_id: "vpc-1".into(),
    }
}

/// A client by `host`, without any credential.
async fn client(server: &StubServer, clock: Arc<TestClock>) -> Arc<dyn sgp_contract::Client> {
    let config = attrs::object(&provider_config::SCHEMA.block, [("host", Value::from(server.url.as_str()))]);
    KubernetesProvider::new(Arc::new(FakeEks::default()), clock).configure(&config).await.unwrap()
}

async fn cluster(client: &Arc<dyn sgp_contract::Client>, name: Option<&str>) -> Arc<Cluster> {
    match life::client(&**client).reach(name).await.unwrap() {
        Access::Ready(cluster) => cluster,
        Access::Absent { .. } => panic!("the cluster is there"),
    }
}

async fn read(server: &StubServer, names: &[&str]) -> Vec<&'static str> {
    let client = client(server, testing::clock(false)).await;
    let wanted = names.iter().map(|name| (None, target(name))).collect();
    let live = life::read_many(life::client(&*client), &ReadScope::default(), wanted).await;
    live.iter()
        .map(|live| match live {
            Live::Present(..) => "present",
            Live::Gone => "gone",
            Live::Failed(_) => "failed",
        })
        .collect()
}

#[tokio::test]
async fn one_is_read_by_a_get_and_several_by_pages() {
    let answer = |_, asked: &str| match asked {
        "GET /api/v1/namespaces/app/pods/a" => (200, pod("a")),
        "GET /api/v1/namespaces/app/pods?&limit=500" => {
            (200, json!({"metadata": {"continue": "next"}, "items": [pod("a")]}))
        }
        "GET /api/v1/namespaces/app/pods?&limit=500&continue=next" => {
            (200, json!({"metadata": {}, "items": [pod("b")]}))
        }
        other => panic!("{other}"),
    };
    let server = StubServer::start(answer).await;
    assert_eq!(read(&server, &["a"]).await, ["present"]);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(read(&server, &["a", "b", "gone", "b"]).await, ["present", "present", "gone", "present"]);
    assert_eq!(server.asked().len(), 3, "two pages for four objects");
}

#[tokio::test]
async fn pages_that_are_too_old_are_read_at_once() {
    let answer = |_, asked: &str| match asked {
        "GET /api/v1/namespaces/app/pods?&limit=500" => {
            (200, json!({"metadata": {"continue": "next"}, "items": [pod("a")]}))
        }
        "GET /api/v1/namespaces/app/pods?&limit=500&continue=next" => refusal(410, "Expired"),
        _ => (200, json!({"metadata": {}, "items": [pod("a"), pod("b")]})),
    };
    let server = StubServer::start(answer).await;
    assert_eq!(read(&server, &["a", "b"]).await, ["present", "present"]);
}

#[tokio::test]
async fn who_may_not_list_gets() {
    let answer = |_, asked: &str| match asked {
        "GET /api/v1/namespaces/app/pods/a" => (200, pod("a")),
        "GET /api/v1/namespaces/app/pods/b" => refusal(404, "NotFound"),
        _ => refusal(403, "Forbidden"),
    };
    let server = StubServer::start(answer).await;
    assert_eq!(read(&server, &["a", "b"]).await, ["present", "gone"]);
}

#[tokio::test]
async fn calls_that_fail_in_passing_are_made_again() {
    for (failure, calls, succeeds) in
        [(503_u16, 3, true), (429, 3, true), (500, 3, true), (0, 3, true), (403, 1, false), (409, 1, false)]
    {
        let answer = move |count, _: &str| match failure {
            _ if count == 3 => (200, pod("a")),
            0 => (0, Json::Null),
            code => refusal(code, "X"),
        };
        let server = StubServer::start(answer).await;
        let cluster = cluster(&client(&server, testing::clock(false)).await, None).await;
        let result = apply::get(&cluster, &target("a")).await;
        assert_eq!((result.is_ok(), server.asked().len()), (succeeds, calls), "{failure}");
    }
}

#[tokio::test]
async fn a_busy_server_says_when_to_come_back() {
    let clock = testing::clock(false);
    let server =
        StubServer::start(|count, _| if count < 4 { (429, json!("Too many requests")) } else { (200, pod("a")) });
    let server = server.await;
    let cluster = cluster(&client(&server, clock.clone()).await, None).await;
    apply::get(&cluster, &target("a")).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_secs(21));

    let server = StubServer::start(|_, _| (429, json!("Too many requests"))).await;
    let cluster = self::cluster(&client(&server, clock.clone()).await, None).await;
    let failure = apply::get(&cluster, &target("a")).await.unwrap_err();
    assert_eq!(failure.to_string(), "Too many requests");
    assert!(clock.monotonic() < Duration::from_secs(21 + 70));
}

/// A status and a body.
type Answer = (u16, Json);

fn pod_of(manager: &str) -> Json {
    let fields = json!([{"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {}}}]);
    json!({"metadata": {"name": "a", "uid": "u", "managedFields": fields}})
}

#[tokio::test]
async fn a_creation_without_an_answer_is_looked_into() {
    // (what the first look finds, what the creation is answered, what the second look finds, whether it is made, whether perhaps)
    let gone = || refusal(404, "NotFound");
    let rows: [(Answer, Answer, Answer, bool, bool); 7] = [
        (refusal(503, "ServiceUnavailable"), gone(), gone(), false, false),
        (gone(), refusal(500, "InternalError"), gone(), false, false),
        (gone(), refusal(500, "InternalError"), (200, pod_of("sgp")), true, false),
        (gone(), refusal(500, "InternalError"), (200, pod_of("kubectl")), false, false),
        (gone(), (0, Json::Null), (200, pod_of("sgp")), true, false),
        (gone(), (0, Json::Null), gone(), false, true),
        (gone(), (0, Json::Null), refusal(503, "ServiceUnavailable"), false, true),
    ];
    for (first, made, second, is_made, perhaps) in rows {
        let patched = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen = patched.clone();
        let (f, m, s) = (first.clone(), made.clone(), second.clone());
        let answer = move |_, asked: &str| {
            use std::sync::atomic::Ordering::SeqCst;
            if asked.starts_with("PATCH") {
                seen.store(true, SeqCst);
                return m.clone();
            }
            if seen.load(SeqCst) { s.clone() } else { f.clone() }
        };
        let server = StubServer::start(answer).await;
        let cluster = cluster(&client(&server, testing::clock(false)).await, None).await;
        let (cx, _) = testing::context(Duration::from_mins(1));
        let body = apply::body(&target("a"), json!({"spec": {}}));
        let result = life::create(&cluster, &cx, &target("a"), &body, &apply::Manager::default()).await;
        let outcome = (result.is_ok(), result.err().is_some_and(|failed| failed.maybe_done));
        assert_eq!(outcome, (is_made, perhaps), "{first:?} {made:?} {second:?}");
    }
}

#[tokio::test]
async fn an_object_of_somebody_else_is_not_what_a_lost_creation_left() {
    for (manager, exists) in [("sgp", true), ("kubectl", false)] {
        let account = move || {
            let mut account = pod_of(manager);
            account["metadata"]["namespace"] = "app".into();
            account
        };
        let server = StubServer::start(move |_, _| (200, account())).await;
        let client = client(&server, testing::clock(false)).await;
        let block = crate::metadata::content(true);
        let metadata = attrs::object(&block, [("name", "a".into()), ("namespace", "app".into())]);
        let ty: &dyn sgp_contract::ResourceType = &crate::service_account::TYPE;
        let metadata = Value::list(block.ty(), vec![metadata]);
        let prior = attrs::object(&ty.schema().block, [("id", "app/a".into()), ("metadata", metadata)]);
        let request = sgp_contract::ReadRequest { addr: testing::address(), prior: prior.clone() };
        let read = ty.read(&*client, &ReadScope::default(), &[request]).await;
        assert_eq!(matches!(read[..], [sgp_contract::ReadOutcome::Present(_)]), exists);
        if !exists {
            let (cx, _) = testing::context(Duration::from_mins(1));
            let deleted = ty.delete(&*client, &cx, sgp_contract::DeleteRequest { prior: &prior }).await;
            assert!(deleted.object.is_none() && deleted.diagnostics.is_empty());
            assert!(!server.asked().iter().any(|asked| asked.starts_with("DELETE")));
        }
    }
}

#[tokio::test]
async fn a_deletion_that_conflicts_is_waited_for_while_the_object_is_the_same() {
    for (uid, looks) in [("u", 3), ("other", 1)] {
        let answer = move |count: usize, asked: &str| match asked {
            asked if asked.starts_with("DELETE") => refusal(409, "Conflict"),
            _ if count < 4 => (200, json!({"metadata": {"name": "a", "uid": uid, "deletionTimestamp": "now"}})),
            _ => refusal(404, "NotFound"),
        };
        let server = StubServer::start(answer).await;
        let cluster = cluster(&client(&server, testing::clock(false)).await, None).await;
        let (cx, _) = testing::context(Duration::from_mins(1));
        life::delete(&cluster, &cx, &target("a"), Some("u")).await.unwrap();
        assert_eq!(server.asked().len(), 1 + looks, "{uid}");
    }
}

#[tokio::test]
async fn an_object_outlives_the_version_that_it_was_written_in() {
    let kinds = |name: &str| (200, json!({"resources": [{"name": name, "kind": "Widget", "namespaced": true}]}));
    let answer = move |_, asked: &str| match asked {
        "GET /apis/example.com" => {
            let version = |v: &str| json!({"groupVersion": format!("example.com/{v}")});
            (200, json!({"preferredVersion": version("v2"), "versions": [version("v2"), version("v1")]}))
        }
        "GET /apis/example.com/v1" => kinds("others"),
        "GET /apis/example.com/v2" => kinds("widgets"),
        _ => refusal(404, "NotFound"),
    };
    let server = StubServer::start(answer).await;
    let cluster = cluster(&client(&server, testing::clock(false)).await, None).await;
    for (version, found) in [("example.com/v1", "v1"), ("example.com/v1beta1", "v2"), ("nobody.com/v1", ""), ("v9", "")]
    {
        let kind = cluster.kind_now(version, "Widget").await.unwrap();
        let expected = (!found.is_empty()).then(|| format!("example.com/{found}"));
        assert_eq!(kind.map(|k| k.api_version.into_owned()), expected, "{version}");
    }
    assert!(cluster.kind("example.com/v1beta1", "Widget").await.unwrap().is_none(), "nothing new is written in it");
}

#[tokio::test]
async fn nodes_keep_their_vpc_cni() {
    for (nodes, preserved, values) in [
        (json!([]), false, json!({"env": {"ENABLE_POD_ENI": "true", "KEPT": "x"}})),
        (json!([{"metadata": {"name": "n"}}]), true, json!({"env": {"KEPT": "x"}})),
    ] {
        let answer = move |_, asked: &str| match asked {
            "GET /api/v1/nodes?&limit=500" => (200, json!({"metadata": {}, "items": nodes})),
            _ => refusal(404, "NotFound"),
        };
        let server = StubServer::start(answer).await;
        let eks = Arc::new(FakeEks::default());
        eks.clusters.lock().unwrap().insert("main".into(), access(&server.url));
        let before = r#"{"env": {"ENABLE_POD_ENI": "true", "KEPT": "x"}}"#.to_owned();
        let addon = sgp_contract::eks::Addon { configuration_values: before, ..Default::default() };
        eks.addons.lock().unwrap().insert("main".into(), addon);
        let provider = KubernetesProvider::new(eks.clone(), testing::clock(false));
        let client = provider.configure(&provider_config::SCHEMA.block.empty()).await.unwrap();
        let ty: &dyn sgp_contract::ResourceType = &crate::pod_eni::TYPE;
        let fields = [("cluster_name", "main".into()), ("id", "main".into()), ("created_addon", true.into())];
        let prior = attrs::object(&ty.schema().block, fields);
        let (cx, _) = testing::context(Duration::from_mins(1));
        let deleted = ty.delete(&*client, &cx, sgp_contract::DeleteRequest { prior: &prior }).await;
        assert!(deleted.object.is_none() && !deleted.diagnostics.has_errors(), "{:?}", deleted.diagnostics);
        assert_eq!(deleted.diagnostics.0.len(), usize::from(preserved), "a warning says that it stays");
        assert_eq!((*eks.preserved.lock().unwrap(), eks.addons.lock().unwrap().len()), (preserved, 0));
        let last = eks.puts.lock().unwrap().last().map(|put| put.configuration_values.clone());
        assert_eq!(last.map_or(values.clone(), |text| serde_json::from_str(&text).unwrap()), values);
    }
}

#[tokio::test]
async fn unknown_credentials_are_not_waited_for_long() {
    let server = StubServer::start(|_, _| refusal(401, "Unauthorized")).await;
    let config = attrs::object(
        &provider_config::SCHEMA.block,
        [("host", Value::from(server.url.as_str())), ("cluster_name", "main".into())],
    );
    let clock = testing::clock(false);
    let eks = Arc::new(FakeEks::default());
    let client = KubernetesProvider::new(eks, clock.clone()).configure(&config).await.unwrap();
    let (cx, _) = testing::context_on(clock.clone(), Duration::from_mins(10));
    let refused = life::client(&*client).reach_for_write(&cx, Some("main")).await.err().unwrap();
    assert_eq!(refused.summary, "The Kubernetes API does not know these credentials");
    assert!(refused.detail.contains("access entry"), "{}", refused.detail);
    assert!(clock.monotonic() < Duration::from_secs(150));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = StubServer::start(|_, _| (0, Json::Null)).await;
    let cluster = cluster(&client(&server, testing::clock(false)).await, None).await;
    let failure = apply::get(&cluster, &target("a")).await.unwrap_err();
    assert!(matches!(failure, Failure::Transport(_)) && failure.is_ambiguous());
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn tokens_are_renewed_before_they_expire_and_endpoints_when_they_fall_silent() {
    let server = StubServer::start(|_, _| (200, pod("a"))).await;
    let eks = Arc::new(FakeEks { token_lasts: Some(900), ..FakeEks::default() });
    eks.clusters.lock().unwrap().insert("main".into(), access(&server.url));
    let clock = testing::clock(false);
    let provider = KubernetesProvider::new(eks.clone(), clock.clone());
    let client = provider.configure(&provider_config::SCHEMA.block.empty()).await.unwrap();
    let cluster = cluster(&client, Some("main")).await;
    for (after, tokens, described) in [(0, 1, 1), (600, 1, 1), (200, 2, 2)] {
        clock.sleep(Duration::from_secs(after)).await;
        apply::get(&cluster, &target("a")).await.unwrap();
        assert_eq!(
            (*eks.tokens.lock().unwrap(), *eks.described.lock().unwrap()),
            (tokens, described),
            "after {after} s more"
        );
    }
    let moved = StubServer::start(|_, _| (200, pod("a"))).await;
    eks.clusters.lock().unwrap().insert("main".into(), access("http://127.0.0.1:1"));
    clock.sleep(Duration::from_mins(15)).await;
    assert!(apply::get(&cluster, &target("a")).await.is_err());
    eks.clusters.lock().unwrap().insert("main".into(), access(&moved.url));
    apply::get(&cluster, &target("a")).await.unwrap();
    assert_eq!(moved.asked().len(), 1);
    assert!(eks.forgotten.lock().unwrap().contains(&"main".to_owned()), "what EKS said before is not believed");
}

#[tokio::test]
async fn a_cluster_that_has_just_started_is_waited_for() {
    let answer = |count, _: &str| if count < 12 { refusal(401, "Unauthorized") } else { (200, json!({})) };
    let server = StubServer::start(answer).await;
    let eks = Arc::new(FakeEks::default());
    let config = attrs::object(
        &provider_config::SCHEMA.block,
        [("host", Value::from(server.url.as_str())), ("cluster_name", "main".into())],
    );
    let clock = testing::clock(false);
    let client = KubernetesProvider::new(eks, clock.clone()).configure(&config).await.unwrap();
    let (cx, seen) = testing::context_on(clock, Duration::from_mins(10));
    life::client(&*client).reach_for_write(&cx, Some("main")).await.map(|_| ()).unwrap();
    assert!(!seen.progress().is_empty());
    assert!(server.asked().iter().all(|asked| asked == "GET /version"));
}
