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
    let access = |endpoint: &str| ClusterAccess {
        name: "main".into(),
        endpoint: endpoint.into(),
        ca_pem: Vec::new(),
        status: "ACTIVE".into(),
        version: "1.36".into(),
        vpc_id: "vpc-1".into(),
    };
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
