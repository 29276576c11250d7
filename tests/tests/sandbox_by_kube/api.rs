//! The client's verbs.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, EvictParams, ListParams, LogParams, Patch, PatchParams, PostParams,
    Preconditions, VersionMatch,
};
use kube::core::GroupVersionKind;
use kube::discovery::{Discovery, Scope, pinned_kind};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, ResourceExt};
use serde_json::json;
use sgp_tests::cluster::Cluster;

use crate::{client, config, config_map, object, pod, refusal, soon};

#[test]
fn objects() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let api: Api<ConfigMap> = Api::namespaced(client(&cluster, "objects").await, "objects");
        let post = PostParams::default();
        let made = api.create(&post, &config_map("one")).await.unwrap();
        assert!(made.uid().is_some() && made.resource_version().is_some() && made.creation_timestamp().is_some());
        assert_eq!(refusal(api.create(&post, &config_map("one")).await), (409, "AlreadyExists".to_owned()));
        assert_eq!(refusal(api.get("two").await), (404, "NotFound".to_owned()));
        assert!(api.get_opt("two").await.unwrap().is_none());
        let rehearsal = PostParams { dry_run: true, ..PostParams::default() };
        api.create(&rehearsal, &config_map("two")).await.unwrap();
        assert!(api.get_opt("two").await.unwrap().is_none());

        let mut changed = made.clone();
        changed.data.as_mut().unwrap().insert("b".to_owned(), "2".to_owned());
        let replaced = api.replace("one", &post, &changed).await.unwrap();
        assert_ne!(replaced.resource_version(), made.resource_version());
        assert_eq!(refusal(api.replace("one", &post, &changed).await), (409, "Conflict".to_owned()));
        let entry = api.get_metadata("one").await.unwrap();
        assert_eq!(
            (entry.uid(), entry.types.map(|it| it.kind)),
            (made.uid(), Some("PartialObjectMetadata".to_owned()))
        );

        patches(&api).await;
        pages(&api).await;
        let other = Preconditions { uid: Some("other".to_owned()), resource_version: None };
        let answer = api.delete("one", &DeleteParams::default().preconditions(other)).await;
        assert_eq!(refusal(answer), (409, "Conflict".to_owned()));
        api.delete("one", &DeleteParams::default()).await.unwrap();
        let all = ListParams::default().labels("set=all");
        api.delete_collection(&DeleteParams::default(), &all).await.unwrap();
        assert!(api.list(&all).await.unwrap().items.is_empty());
    });
}

async fn patches(api: &Api<ConfigMap>) {
    let params = PatchParams::default();
    let patched = api.patch("one", &params, &Patch::Merge(json!({ "data": { "a": null, "c": "3" } }))).await.unwrap();
    assert_eq!(patched.data.unwrap().into_keys().collect::<Vec<_>>(), ["b", "c"]);
    let strategic = Patch::Strategic(json!({ "metadata": { "annotations": { "x": "y" } } }));
    assert_eq!(api.patch("one", &params, &strategic).await.unwrap().annotations()["x"], "y");
    let applied =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "one" }, "data": { "d": "4" } });
    api.patch("one", &PatchParams::apply("a"), &Patch::Apply(&applied)).await.unwrap();
    let mut other = applied.clone();
    other["data"]["d"] = json!("5");
    let answer = api.patch("one", &PatchParams::apply("b"), &Patch::Apply(&other)).await;
    assert_eq!(refusal(answer), (409, "Conflict".to_owned()));
    let forced = api.patch("one", &PatchParams::apply("b").force(), &Patch::Apply(&other)).await.unwrap();
    assert_eq!(forced.data.unwrap()["d"], "5");
    let managers: BTreeSet<String> =
        forced.metadata.managed_fields.unwrap().into_iter().filter_map(|it| it.manager).collect();
    assert!(managers.contains("b") && !managers.contains("a"), "{managers:?}");
    let strict = PatchParams::apply("b").validation_strict();
    other["dta"] = json!({});
    let (code, _) = refusal(api.patch("one", &strict, &Patch::Apply(&other)).await);
    assert!(matches!(code, 400 | 500), "{code}");
}

async fn pages(api: &Api<ConfigMap>) {
    for number in 0..25 {
        api.create(&PostParams::default(), &config_map(&format!("n-{number:02}"))).await.unwrap();
    }
    let mut params = ListParams::default().labels("set=all").limit(10);
    let (mut names, mut pages) = (BTreeSet::new(), 0);
    loop {
        let page = api.list(&params).await.unwrap();
        pages += 1;
        names.extend(page.items.iter().map(ResourceExt::name_any));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!((pages, names.len()), (3, 26));
    let by_field = ListParams::default().fields("metadata.name=n-07");
    assert_eq!(api.list(&by_field).await.unwrap().items.len(), 1);
    let now = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    api.create(&PostParams::default(), &config_map("late")).await.unwrap();
    let past = ListParams::default().at(&now).matching(VersionMatch::Exact);
    assert!(api.list(&past).await.unwrap().items.iter().all(|it| it.name_any() != "late"));
    assert_eq!(api.list_metadata(&by_field).await.unwrap().items[0].name_any(), "n-07");
}

#[test]
fn subresources() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let client = client(&cluster, "parts").await;
        let pods: Api<Pod> = Api::namespaced(client.clone(), "parts");
        pods.create(&PostParams::default(), &pod("one")).await.unwrap();
        let running = await_condition(pods.clone(), "one", conditions::is_pod_running());
        let running = soon("the pod", running).await.unwrap().unwrap();
        assert!(running.status.unwrap().pod_ip.is_some());
        let debugger = json!({ "spec": { "ephemeralContainers": [{ "name": "debug", "image": "busybox" }] } });
        pods.patch_ephemeral_containers("one", &PatchParams::default(), &Patch::Strategic(debugger)).await.unwrap();
        let found = pods.get_ephemeral_containers("one").await.unwrap();
        assert_eq!(found.spec.unwrap().ephemeral_containers.unwrap()[0].name, "debug");
        assert_eq!(refusal(pods.logs("one", &LogParams::default()).await).0, 501);
        let uid = running.metadata.uid.unwrap();
        pods.evict("one", &EvictParams::default()).await.unwrap();
        soon("the pod's end", await_condition(pods, "one", conditions::is_deleted(&uid))).await.unwrap();

        let deployments: Api<Deployment> = Api::namespaced(client.clone(), "parts");
        let wanted = object(json!({ "metadata": { "name": "web" }, "spec": {
            "replicas": 1, "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": pod("web").spec },
        } }));
        deployments.create(&PostParams::default(), &wanted).await.unwrap();
        let two = Patch::Merge(json!({ "spec": { "replicas": 2 } }));
        let scale = deployments.patch_scale("web", &PatchParams::default(), &two).await.unwrap();
        assert_eq!(scale.spec.unwrap().replicas, Some(2));
        let done = await_condition(deployments.clone(), "web", conditions::is_deployment_completed());
        soon("the deployment", done).await.unwrap();
        let restarted = deployments.restart("web").await.unwrap();
        let template = restarted.spec.template.metadata.unwrap().annotations.unwrap();
        assert!(template.contains_key("kube.kubernetes.io/restartedAt"), "{template:?}");

        let nodes: Api<Node> = Api::all(client.clone());
        let name = nodes.list(&ListParams::default()).await.unwrap().items[0].name_any();
        assert_eq!(nodes.cordon(&name).await.unwrap().spec.unwrap().unschedulable, Some(true));
        assert_ne!(nodes.uncordon(&name).await.unwrap().spec.unwrap().unschedulable, Some(true));
    });
}

#[test]
fn identities() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let admin = client(&cluster, "who").await;
        let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), "who");
        let robot = object(json!({ "metadata": { "name": "robot" } }));
        accounts.create(&PostParams::default(), &robot).await.unwrap();
        let asked: TokenRequest = object(json!({ "metadata": {}, "spec": { "audiences": [] } }));
        let token = accounts.create_token_request("robot", &PostParams::default(), &asked).await.unwrap();
        let mut as_robot = config(&cluster).await;
        as_robot.auth_info.token = Some(token.status.unwrap().token.unwrap_or_default().into());
        let robot = Client::try_from(as_robot).unwrap();
        let secrets: Api<ConfigMap> = Api::namespaced(robot, "who");
        assert_eq!(refusal(secrets.list(&ListParams::default()).await), (403, "Forbidden".to_owned()));
        let mut as_nobody = config(&cluster).await;
        as_nobody.auth_info.token = Some("none".to_owned().into());
        let nobody: Api<ConfigMap> = Api::namespaced(Client::try_from(as_nobody).unwrap(), "who");
        assert_eq!(refusal(nobody.list(&ListParams::default()).await), (401, "Unauthorized".to_owned()));
        let mut as_eve = config(&cluster).await;
        as_eve.auth_info.impersonate = Some("eve".to_owned());
        let review: SelfSubjectAccessReview = object(
            json!({ "spec": { "resourceAttributes": { "verb": "get", "resource": "pods", "namespace": "who" } } }),
        );
        for (client, allowed) in [(admin, true), (Client::try_from(as_eve).unwrap(), false)] {
            let answer = Api::all(client).create(&PostParams::default(), &review).await.unwrap();
            assert_eq!(answer.status.unwrap().allowed, allowed);
        }
    });
}

#[test]
fn definitions_and_discovery() {
    let cluster = Cluster::start();
    cluster.block_on(async {
        let client = client(&cluster, "kinds").await;
        assert_eq!(client.apiserver_version().await.unwrap().major, "1");
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        let gadgets = object(json!({ "metadata": { "name": "gadgets.kube.example.com" }, "spec": {
            "group": "kube.example.com", "scope": "Namespaced",
            "names": { "plural": "gadgets", "singular": "gadget", "kind": "Gadget" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }],
        } }));
        definitions.create(&PostParams::default(), &gadgets).await.unwrap();
        let established = conditions::is_crd_established();
        let done = await_condition(definitions.clone(), "gadgets.kube.example.com", established);
        soon("the definition", done).await.unwrap();

        let kind = GroupVersionKind::gvk("kube.example.com", "v1", "Gadget");
        let (resource, capabilities) = pinned_kind(&client, &kind).await.unwrap();
        assert_eq!((resource.plural.as_str(), capabilities.scope), ("gadgets", Scope::Namespaced));
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), "kinds", &resource);
        let gadget = DynamicObject::new("one", &resource).data(json!({ "spec": { "size": 3 } }));
        let made = api.create(&PostParams::default(), &gadget).await.unwrap();
        assert_eq!((made.data["spec"]["size"].as_i64(), made.metadata.generation), (Some(3), Some(1)));
        let status = Patch::Merge(json!({ "status": { "phase": "Good" } }));
        let patched = api.patch_status("one", &PatchParams::default(), &status).await.unwrap();
        assert_eq!((patched.data["status"]["phase"].as_str(), patched.metadata.generation), (Some("Good"), Some(1)));

        let discovery = Discovery::new(client.clone()).run().await.unwrap();
        assert!(discovery.has_group("vpcresources.k8s.aws") && discovery.has_group("kube.example.com"));
        let (policies, _) =
            pinned_kind(&client, &GroupVersionKind::gvk("vpcresources.k8s.aws", "v1beta1", "SecurityGroupPolicy"))
                .await
                .unwrap();
        groups(&client, &policies).await;
        definitions.delete("gadgets.kube.example.com", &DeleteParams::default()).await.unwrap();
        soon("the resource's end", async {
            while api.list(&ListParams::default()).await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await;
    });
}

/// A pod that a policy chooses gets its interface.
async fn groups(client: &Client, resource: &ApiResource) {
    let policies: Api<DynamicObject> = Api::namespaced_with(client.clone(), "kinds", resource);
    let spec = json!({ "podSelector": {}, "securityGroups": { "groupIds": ["sg-0123456789abcdef0"] } });
    let policy = DynamicObject::new("all", resource).data(json!({ "spec": spec }));
    policies.create(&PostParams::default(), &policy).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client.clone(), "kinds");
    let made = pods.create(&PostParams::default(), &pod("grouped")).await.unwrap();
    let limits = made.spec.unwrap().containers[0].resources.clone().unwrap().limits.unwrap();
    assert_eq!(limits["vpc.amazonaws.com/pod-eni"].0, "1");
}
