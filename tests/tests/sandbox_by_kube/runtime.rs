//! The runtime: watchers, reflectors, finalizers, controllers, events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::controller::Action;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::finalizer::{Event as Finalizer, finalizer};
use kube::runtime::wait::delete::delete_and_finalize;
use kube::runtime::{Controller, WatchStreamExt, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use serde_json::json;
use sgp_tests::cluster::Cluster;

use crate::{client, config_map, object, pod, refusal, soon};

#[test]
fn a_watch_goes_on_from_its_revision() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let api: Api<ConfigMap> = Api::namespaced(client(&cluster, "watch").await, "watch");
        let from = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
        let params = WatchParams::default().labels("set=all");
        api.create(&PostParams::default(), &config_map("one")).await.unwrap();
        let label = Patch::Merge(json!({ "metadata": { "labels": { "set": "none" } } }));
        api.patch("one", &PatchParams::default(), &label).await.unwrap();
        for _ in 0..2 {
            let events = api.watch(&params, &from).await.unwrap().take(2).try_collect::<Vec<_>>();
            let events = soon("two events", events).await.unwrap();
            assert!(matches!(&events[..], [WatchEvent::Added(_), WatchEvent::Deleted(_)]), "{events:?}");
        }
    });
}

#[test]
fn reflectors_mirror_the_cluster() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let api: Api<ConfigMap> = Api::namespaced(client(&cluster, "mirror").await, "mirror");
        for number in 0..7 {
            api.create(&PostParams::default(), &config_map(&format!("before-{number}"))).await.unwrap();
        }
        let by_pages = watcher::Config::default().page_size(3);
        for config in [watcher::Config::default(), by_pages, watcher::Config::default().streaming_lists()] {
            let (store, writer) = reflector::store();
            let stream = watcher(api.clone(), config).default_backoff().reflect(writer).touched_objects();
            let reflecting = tokio::spawn(stream.for_each(|_| async {}));
            soon("the store", store.wait_until_ready()).await.unwrap();
            for number in 0..10 {
                api.create(&PostParams::default(), &config_map(&format!("n-{number}"))).await.unwrap();
            }
            api.delete("n-3", &DeleteParams::default()).await.unwrap();
            soon("the same", async {
                loop {
                    let known: BTreeMap<_, _> =
                        store.state().iter().map(|it| (it.name_any(), it.resource_version())).collect();
                    let there = api.list(&ListParams::default()).await.unwrap();
                    let there: BTreeMap<_, _> = there.iter().map(|it| (it.name_any(), it.resource_version())).collect();
                    if known == there {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
            reflecting.abort();
            let all = ListParams::default().labels("set=all").fields("metadata.name!=before-0");
            api.delete_collection(&DeleteParams::default(), &all).await.unwrap();
        }
    });
}

struct Work {
    client: Client,
    done: AtomicUsize,
}

type Failed = kube::runtime::finalizer::Error<kube::Error>;

/// Keeps a Secret for each ConfigMap, and takes it away before the ConfigMap goes.
async fn reconcile(map: Arc<ConfigMap>, work: Arc<Work>) -> Result<Action, Failed> {
    let maps: Api<ConfigMap> = Api::namespaced(work.client.clone(), "work");
    let secrets: Api<Secret> = Api::namespaced(work.client.clone(), "work");
    finalizer(&maps, "kube.example.com/secret", map, |event| async move {
        match event {
            Finalizer::Apply(map) => {
                let owner = map.controller_owner_ref(&()).unwrap();
                let secret = json!({
                    "apiVersion": "v1", "kind": "Secret", "stringData": map.data,
                    "metadata": { "name": map.name_any(), "ownerReferences": [owner] },
                });
                let applied = PatchParams::apply("kube.example.com").force();
                secrets.patch(&map.name_any(), &applied, &Patch::Apply(secret)).await?;
                work.done.fetch_add(1, Ordering::Relaxed);
            }
            Finalizer::Cleanup(map) => {
                secrets.delete(&map.name_any(), &DeleteParams::default()).await?;
            }
        }
        Ok(Action::requeue(Duration::from_secs(300)))
    })
    .await
}

#[test]
fn a_controller_brings_about_what_is_wanted() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let client = client(&cluster, "work").await;
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "work");
        let secrets: Api<Secret> = Api::namespaced(client.clone(), "work");
        let work = Arc::new(Work { client: client.clone(), done: AtomicUsize::new(0) });
        let chosen = watcher::Config::default().labels("set=all");
        let controller = Controller::new(maps.clone(), chosen).owns(secrets.clone(), watcher::Config::default()).run(
            reconcile,
            |_, _, _| Action::requeue(Duration::from_millis(100)),
            Arc::clone(&work),
        );
        let running = tokio::spawn(controller.for_each(|_| async {}));
        for name in ["a", "b", "c"] {
            maps.create(&PostParams::default(), &config_map(name)).await.unwrap();
        }
        let has = async |name: &str, wanted: bool| {
            soon("a secret", async {
                while secrets.get_opt(name).await.unwrap().is_some() != wanted {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
        };
        for name in ["a", "b", "c"] {
            has(name, true).await;
        }
        // What is owned and goes comes back.
        secrets.delete("a", &DeleteParams::default()).await.unwrap();
        has("a", true).await;
        // What is wanted goes with what was made for it.
        maps.delete("b", &DeleteParams::default()).await.unwrap();
        has("b", false).await;
        soon("the map's end", async {
            while maps.get_opt("b").await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        assert!(work.done.load(Ordering::Relaxed) >= 4);
        running.abort();
    });
}

#[test]
fn deletions_in_the_foreground_wait_for_dependents() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let client = client(&cluster, "going").await;
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), "going");
        let pods: Api<Pod> = Api::namespaced(client.clone(), "going");
        let wanted = object(json!({ "metadata": { "name": "web" }, "spec": {
            "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": pod("web").spec },
        } }));
        deployments.create(&PostParams::default(), &wanted).await.unwrap();
        soon("pods", async {
            while pods.list(&ListParams::default()).await.unwrap().items.len() < 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let foreground = DeleteParams::foreground();
        let gone = delete_and_finalize(deployments.clone(), "web", &foreground);
        soon("the deployment's end", gone).await.unwrap();
        assert!(pods.list(&ListParams::default()).await.unwrap().items.is_empty());
        assert_eq!(refusal(deployments.get("web").await).0, 404);
    });
}

#[test]
fn events_are_recorded_once_and_counted() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let client = client(&cluster, "told").await;
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "told");
        let map = maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
        let reporter = Reporter { controller: "kube.example.com/lab".to_owned(), instance: Some("lab-1".to_owned()) };
        let recorder = Recorder::new(client.clone(), reporter);
        let event = Event {
            type_: EventType::Warning,
            reason: "Odd".to_owned(),
            note: Some("something is odd".to_owned()),
            action: "Looking".to_owned(),
            secondary: None,
        };
        for _ in 0..3 {
            recorder.publish(&event, &map.object_ref(&())).await.unwrap();
        }
        let events: Api<k8s_openapi::api::core::v1::Event> = Api::namespaced(client.clone(), "told");
        let mine = ListParams::default().fields("involvedObject.name=one,reason=Odd");
        let found = events.list(&mine).await.unwrap().items;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message.as_deref(), Some("something is odd"));
        assert_eq!(found[0].series.as_ref().unwrap().count, Some(3));
    });
}
