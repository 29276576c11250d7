//! Every type against a real API server: the one that the kubeconfig in `SGP_TEST_KUBECONFIG` leads to. Without that
//! variable these tests say that they are skipped.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, Provider as _,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest, eks::ClusterAccess,
};
use sgp_model::{Type, Value};

use crate::{
    KubernetesProvider,
    apply::{self, Manager},
    attrs,
    connect::{Access, Cluster},
    json::{from_json, to_json},
    life, manifest, namespace, network_policy, pod_eni, provider_config, security_group_policy, service_account,
    target::{ApiKind, Target},
    testing::{self, FakeEks, Seen, TestClock},
};

/// A provider in front of the real server, once by kubeconfig and once as the EKS cluster `main`.
struct World {
    eks: Arc<FakeEks>,
    client: Arc<dyn Client>,
    clock: Arc<TestClock>,
    namespace: String,
}

static NAMESPACE: ApiKind = ApiKind::fixed("v1", "Namespace", "namespaces", false);
static CONFIG_MAP: ApiKind = ApiKind::fixed("v1", "ConfigMap", "configmaps", true);
static CRD: ApiKind =
    ApiKind::fixed("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false);

impl World {
    async fn new(name: &str) -> Option<Self> {
        let Ok(path) = std::env::var("SGP_TEST_KUBECONFIG") else {
            eprintln!("skipped: SGP_TEST_KUBECONFIG does not name the kubeconfig of a real API server");
            return None;
        };
        let config = attrs::object(&provider_config::SCHEMA.block, [("config_path", Value::from(path))]);
        let entry = provider_config::Settings::new(&config, |_| None).unwrap().entry().unwrap();
        let ca = match (&entry.cluster["certificate-authority-data"], &entry.cluster["certificate-authority"]) {
            (Json::String(data), _) => STANDARD.decode(data).unwrap(),
            (_, Json::String(file)) => std::fs::read(file).unwrap(),
            _ => Vec::new(),
        };
        let mut groups = std::collections::BTreeMap::new();
        groups.insert("db".to_owned(), vec!["sg-0000000d".to_owned()]);
        let eks = Arc::new(FakeEks { groups, ..FakeEks::default() });
        *eks.token.lock().unwrap() = entry.user["token"].as_str().unwrap().to_owned();
        let access = ClusterAccess {
            name: "main".into(),
            endpoint: entry.server().unwrap().to_owned(),
            ca_pem: ca,
            status: "ACTIVE".into(),
            version: "1.36".into(),
            vpc_id: "vpc-1".into(),
        };
        eks.clusters.lock().unwrap().insert("main".into(), access);
        let clock = testing::clock(true);
        let client = KubernetesProvider::new(eks.clone(), clock.clone()).configure(&config).await.unwrap();
        let world = Self { eks, client, clock, namespace: format!("sgp-live-{name}-{}", std::process::id()) };
        let cluster = world.cluster().await;
        let target = Target::new(&NAMESPACE, None, &world.namespace);
        apply::apply(&cluster, &target, &apply::body(&target, json!({})), &Manager::default()).await.unwrap();
        Some(world)
    }

    fn context(&self) -> (Context, Arc<Seen>) {
        testing::context_on(self.clock.clone(), Duration::from_mins(1))
    }

    async fn cluster(&self) -> Arc<Cluster> {
        match life::client(&*self.client).reach(Some("main")).await.unwrap() {
            Access::Ready(cluster) => cluster,
            Access::Absent { .. } => panic!("the cluster main is there"),
        }
    }

    /// Writes as somebody else.
    async fn interfere(&self, target: &Target, change: Json) {
        let manager = Manager { name: "kubectl-edit".into(), force: true };
        apply::merge(&*self.cluster().await, target, &change, &manager).await.unwrap();
    }

    fn plan(ty: &dyn ResourceType, prior: &Value, config: &Value, changed: bool) -> Value {
        let errors: Vec<_> = ty.validate(config).0.into_iter().filter(sgp_model::Diagnostic::is_error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let proposed = testing::propose(&ty.schema().block, prior, config, changed);
        let provider_config = Value::dynamic_null();
        let request = PlanRequest { prior, config, proposed: &proposed, provider_config: &provider_config };
        let response = ty.plan(&request);
        assert!(response.diagnostics.is_empty());
        response.planned.unwrap_or(proposed)
    }

    fn made(ty: &dyn ResourceType, planned: &Value, applied: Applied) -> Value {
        let errors: Vec<_> = applied.diagnostics.iter().filter(|d| d.is_error()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let object = applied.object.unwrap();
        assert_eq!(testing::broken_promises(planned, &object), Vec::<String>::new());
        assert!(object.is_wholly_known());
        assert!(ty.schema().block.names().all(|name| object.get(name).is_some()));
        object
    }

    async fn create(&self, ty: &dyn ResourceType, config: &Value) -> Value {
        let planned = ty.prepare(Self::plan(ty, &Value::null(ty.schema().ty()), config, true), "token-1");
        let (cx, _) = self.context();
        let object =
            Self::made(ty, &planned, ty.create(&*self.client, &cx, CreateRequest { planned: &planned, config }).await);
        self.same_when_read(ty, &object, config).await;
        object
    }

    async fn update(&self, ty: &dyn ResourceType, prior: &Value, config: &Value) -> Value {
        let planned = Self::plan(ty, prior, config, true);
        let (cx, _) = self.context();
        let applied = ty.update(&*self.client, &cx, UpdateRequest { prior, planned: &planned, config }).await;
        let object = Self::made(ty, &planned, applied);
        self.same_when_read(ty, &object, config).await;
        object
    }

    /// Reading right after a write finds the same, and a second plan changes nothing.
    async fn same_when_read(&self, ty: &dyn ResourceType, object: &Value, config: &Value) {
        let read = self.read(ty, object).await.unwrap();
        let (object, now) = (without_moving_parts(object), without_moving_parts(&read));
        assert_eq!(testing::broken_promises(&object, &now), Vec::<String>::new());
        let again = Self::plan(ty, &read, config, false);
        assert_eq!(testing::broken_promises(&again, &read), Vec::<String>::new(), "the second plan is empty");
    }

    async fn read(&self, ty: &dyn ResourceType, prior: &Value) -> Option<Value> {
        let request = ReadRequest { addr: testing::address(), prior: prior.clone() };
        // Alone by a get, twice by a list: both must find the same.
        let one = ty.read(&*self.client, &ReadScope::default(), std::slice::from_ref(&request)).await;
        let two = ty.read(&*self.client, &ReadScope::default(), &[request.clone(), request]).await;
        let value = |outcome: &ReadOutcome| match outcome {
            ReadOutcome::Present(value) => Some(value.clone()),
            ReadOutcome::Gone => None,
            ReadOutcome::Failed(diagnostic) => panic!("{diagnostic:?}"),
        };
        let still = |outcome: &ReadOutcome| value(outcome).map(|v| without_moving_parts(&v));
        assert_eq!(still(&one[0]), still(&two[0]));
        assert_eq!(value(&two[0]), value(&two[1]));
        value(&one[0])
    }

    async fn delete(&self, ty: &dyn ResourceType, prior: &Value) {
        for _ in 0..2 {
            let (cx, _) = self.context();
            let applied = ty.delete(&*self.client, &cx, DeleteRequest { prior }).await;
            assert!(applied.object.is_none() && !applied.diagnostics.has_errors(), "{applied:?}");
        }
        assert_eq!(self.read(ty, prior).await, None);
    }

    /// Importing what was made leads to the same object.
    async fn import(&self, ty: &dyn ResourceType, id: &str, object: &Value, config: &Value) {
        let imported = ty.import(&ImportRequest { id, config }).unwrap();
        let read = self.read(ty, &imported).await.unwrap();
        let block = &ty.schema().block;
        for name in
            block.names().filter(|n| !matches!(*n, "timeouts" | "wait_for_default_service_account" | "created_addon"))
        {
            let made = object.get(name).unwrap();
            let found = attrs::align(read.get(name).unwrap().clone(), made);
            assert_eq!(testing::broken_promises(made, &found), Vec::<String>::new(), "{name}");
        }
    }

    async fn find(&self, ty: &dyn ResourceType, arguments: &Value, at: i64) -> Found {
        ty.find(&*self.client, &testing::intent(arguments, at)).await.unwrap()
    }

    fn metadata(&self, namespaced: bool, name: &str, labels: &[(&str, &str)]) -> Value {
        let block = crate::metadata::content(namespaced);
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let mut fields = vec![("name", Value::from(name)), ("labels", attrs::map_value(labels))];
        if namespaced {
            fields.push(("namespace", self.namespace.clone().into()));
        }
        Value::list(block.ty(), vec![attrs::object(&block, fields)])
    }

    async fn live(&self, target: &Target) -> Json {
        apply::get(&*self.cluster().await, target).await.unwrap().unwrap()
    }
}

/// What the server writes by itself (a status, a version) may move on between two looks.
fn without_moving_parts(object: &Value) -> Value {
    object.with_attr("object", Value::dynamic_null())
}

fn config_of(ty: &dyn ResourceType, fields: Vec<(&'static str, Value)>) -> Value {
    let mut all = vec![("cluster_name", Value::from("main"))];
    all.extend(fields);
    attrs::object(&ty.schema().block, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_lives_and_dies() {
    let Some(world) = World::new("namespace").await else { return };
    let ty: &dyn ResourceType = &namespace::TYPE;
    let name = "sgp-live-namespace-own";
    let target = Target::new(&NAMESPACE, None, name);
    let (cx, _) = world.context();
    life::delete(&*world.cluster().await, &cx, &target, None).await.unwrap();
    let config = |labels: &[(&str, &str)]| {
        config_of(
            ty,
            vec![("metadata", world.metadata(false, name, labels)), ("wait_for_default_service_account", true.into())],
        )
    };
    let first = config(&[("a", "1"), ("b", "2")]);
    let object = world.create(ty, &first).await;
    world.import(ty, name, &object, &first).await;
    assert!(matches!(world.find(ty, &object, 0).await, Found::Ours(_)));
    assert!(matches!(world.find(ty, &object, i64::MAX / 4).await, Found::Doubtful(_)));

    let planned = World::plan(ty, &Value::null(ty.schema().ty()), &first, true);
    let again = ty.create(&*world.client, &cx, CreateRequest { planned: &planned, config: &first }).await;
    assert_eq!(again.diagnostics.0[0].summary, "The object exists already");
    assert!(again.object.is_none());

    // Labels of others are left alone; a label of ours that somebody changed shows, and is taken back.
    world.interfere(&target, json!({"metadata": {"labels": {"a": "changed", "theirs": "x"}}})).await;
    let drifted = world.read(ty, &object).await.unwrap();
    let labels = |v: &Value| attrs::string_map(attrs::block(v, "metadata").unwrap(), "labels");
    assert_eq!(labels(&drifted)["a"], "changed");
    assert!(!labels(&drifted).contains_key("theirs"));
    let object = world.update(ty, &drifted, &config(&[("a", "1")])).await;
    let live = world.live(&target).await;
    assert_eq!((&live["metadata"]["labels"]["a"], &live["metadata"]["labels"]["theirs"]), (&json!("1"), &json!("x")));
    assert!(live["metadata"]["labels"].get("b").is_none());

    // A label that somebody else has set is not taken over without being asked.
    let planned = World::plan(ty, &object, &config(&[("a", "1"), ("theirs", "ours")]), true);
    let (prior, config) = (&object, &first);
    let conflict = ty.update(&*world.client, &cx, UpdateRequest { prior, planned: &planned, config }).await;
    insta::assert_snapshot!(conflict.diagnostics.0[0].detail, @r#"Cannot change Namespace sgp-live-namespace-own: "kubectl-edit" owns metadata.labels.theirs. Leave these fields out of the configuration, or take them away from the other manager first."#);
    world.delete(ty, &object).await;
    assert!(matches!(world.find(ty, &object, 0).await, Found::Nothing));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_object_of_others_is_taken_over_by_its_first_update() {
    let Some(world) = World::new("takeover").await else { return };
    let ty: &dyn ResourceType = &service_account::TYPE;
    let kind = ApiKind::fixed("v1", "ServiceAccount", "serviceaccounts", true);
    let target = Target::new(&kind, Some(&world.namespace), "a");
    let theirs = Manager { name: "helm".into(), force: false };
    let body = apply::body(&target, json!({"metadata": {"labels": {"keep": "1", "drop": "2", "change": "3"}}}));
    apply::apply(&*world.cluster().await, &target, &body, &theirs).await.unwrap();
    let config = config_of(ty, vec![("metadata", world.metadata(true, "a", &[("keep", "1"), ("change", "4")]))]);
    let id = format!("{}/a", world.namespace);
    let imported = ty.import(&ImportRequest { id: &id, config: &config }).unwrap();
    let read = world.read(ty, &imported).await.unwrap();
    let object = world.update(ty, &read, &config).await;
    assert_eq!(world.live(&target).await["metadata"]["labels"], json!({"keep": "1", "change": "4"}));
    world.delete(ty, &object).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_lives_and_dies() {
    let Some(world) = World::new("account").await else { return };
    let ty: &dyn ResourceType = &service_account::TYPE;
    let secrets = |names: &[&str]| {
        let block = &ty.schema().block.blocks["secret"].block;
        Value::set(block.ty(), names.iter().map(|n| attrs::object(block, [("name", (*n).into())])))
    };
    let config = |automount: bool, names: &[&str]| {
        config_of(
            ty,
            vec![
                ("metadata", world.metadata(true, "backend", &[("app", "backend")])),
                ("automount_service_account_token", automount.into()),
                ("secret", secrets(names)),
                ("image_pull_secret", secrets(&["pull"])),
            ],
        )
    };
    let first = config(false, &["one", "two"]);
    let object = world.create(ty, &first).await;
    assert_eq!(attrs::text(&object, "id"), Some(format!("{}/backend", world.namespace).as_str()));
    world.import(ty, &format!("{}/backend", world.namespace), &object, &first).await;
    let object = world.update(ty, &object, &config(true, &[])).await;
    world.delete(ty, &object).await;

    // A made-up name is found again by its token.
    let block = crate::metadata::content(true);
    let metadata =
        attrs::object(&block, [("generate_name", "made-".into()), ("namespace", world.namespace.clone().into())]);
    let generated = config_of(ty, vec![("metadata", Value::list(block.ty(), vec![metadata]))]);
    let object = world.create(ty, &generated).await;
    assert!(attrs::text(attrs::block(&object, "metadata").unwrap(), "name").unwrap().starts_with("made-"));
    world.delete(ty, &object).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_policy_lives_and_dies() {
    let Some(world) = World::new("policy").await else { return };
    let ty: &dyn ResourceType = &network_policy::TYPE;
    let spec_block = &ty.schema().block.blocks["spec"].block;
    let one = |block: &sgp_model::Block, fields: Vec<(&'static str, Value)>| {
        Value::list(block.ty(), vec![attrs::object(block, fields)])
    };
    let config = |port: &str, types: &[&str]| {
        let rule = &spec_block.blocks["ingress"].block;
        let ports = &rule.blocks["ports"].block;
        let from = &rule.blocks["from"].block;
        let selector = &from.blocks["pod_selector"].block;
        let labels = attrs::map_value([("app".to_owned(), "a".to_owned())]);
        let ingress = one(
            rule,
            vec![
                ("ports", one(ports, vec![("port", port.into())])),
                (
                    "from",
                    one(
                        from,
                        vec![
                            ("pod_selector", one(selector, vec![("match_labels", labels)])),
                            ("namespace_selector", one(selector, vec![])),
                        ],
                    ),
                ),
            ],
        );
        let spec = one(
            spec_block,
            vec![
                ("policy_types", Value::strings(types.iter().copied())),
                (
                    "pod_selector",
                    one(
                        &spec_block.blocks["pod_selector"].block,
                        vec![("match_labels", Value::map::<&str>(Type::String, []))],
                    ),
                ),
                ("ingress", ingress),
            ],
        );
        config_of(ty, vec![("metadata", world.metadata(true, "p", &[])), ("spec", spec)])
    };
    let first = config("8080", &["Ingress"]);
    let object = world.create(ty, &first).await;
    world.import(ty, &format!("{}/p", world.namespace), &object, &first).await;
    let kind = ApiKind::fixed("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true);
    let target = Target::new(&kind, Some(&world.namespace), "p");
    world.interfere(&target, json!({"spec": {"policyTypes": ["Egress"]}})).await;
    let drifted = world.read(ty, &object).await.unwrap();
    assert_ne!(drifted.get("spec"), object.get("spec"));
    let object = world.update(ty, &drifted, &config("http", &["Ingress", "Egress"])).await;
    world.delete(ty, &object).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_lives_and_dies() {
    let Some(world) = World::new("manifest").await else { return };
    let ty: &dyn ResourceType = &manifest::TYPE;
    let ns = world.namespace.clone();
    let config = |data: Json| {
        let manifest =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": ns}, "data": data});
        config_of(ty, vec![("manifest", from_json(&manifest))])
    };
    let first = config(json!({"a": "1", "b": null}));
    let object = world.create(ty, &first).await;
    let id = format!("apiVersion=v1,kind=ConfigMap,namespace={ns},name=c");
    let imported = ty.import(&ImportRequest { id: &id, config: &first }).unwrap();
    let read = world.read(ty, &imported).await.unwrap();
    assert_eq!(to_json(read.get("manifest").unwrap())["data"], json!({"a": "1"}));
    assert!(matches!(world.find(ty, &first, 0).await, Found::Ours(_)));

    let target = Target::new(&CONFIG_MAP, Some(&ns), "c");
    world.interfere(&target, json!({"data": {"a": "changed", "theirs": "x"}})).await;
    let drifted = world.read(ty, &object).await.unwrap();
    assert_eq!(to_json(drifted.get("manifest").unwrap())["data"], json!({"a": "changed", "b": null}));
    let object = world.update(ty, &drifted, &config(json!({"a": "2", "c": "3"}))).await;
    assert_eq!(world.live(&target).await["data"], json!({"a": "2", "c": "3", "theirs": "x"}));
    world.delete(ty, &object).await;

    // Values that the server spells in its own way, and fields that it never keeps, are no drift.
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": ns}, "spec": {"hard": {"requests.cpu": "1000m"}}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": ns}, "stringData": {"a": "b"}});
    for manifest in [quota, secret] {
        let config = config_of(ty, vec![("manifest", from_json(&manifest))]);
        let object = world.create(ty, &config).await;
        world.delete(ty, &object).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_waits_for_its_type_and_for_its_fields() {
    let Some(world) = World::new("types").await else { return };
    let ty: &dyn ResourceType = &manifest::TYPE;
    let ns = world.namespace.clone();
    let (cx, seen) = world.context();
    let crd = Target::new(&CRD, None, "widgets.sgp.example");
    life::delete(&*world.cluster().await, &cx, &crd, None).await.unwrap();
    let definition =
        config_of(ty, vec![("manifest", from_json(&definition("widgets.sgp.example", "Widget", "v1", true)))]);
    let widget = json!({"apiVersion": "sgp.example/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": ns}, "spec": {"size": 1}});
    let wait_block = &ty.schema().block.blocks["wait"].block;
    let fields = attrs::map_value([("spec.size".to_owned(), "^2$".to_owned())]);
    let wait = Value::list(wait_block.ty(), vec![attrs::object(wait_block, [("fields", fields)])]);
    let waiting = config_of(ty, vec![("manifest", from_json(&widget)), ("wait", wait)]);
    let planned = World::plan(ty, &Value::null(ty.schema().ty()), &waiting, true);
    let create = ty.create(&*world.client, &cx, CreateRequest { planned: &planned, config: &waiting });
    let kind = ApiKind::fixed("sgp.example/v1", "Widget", "widgets", true);
    let target = Target::new(&kind, Some(&ns), "w");
    let others = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let made = world.create(ty, &definition).await;
        while seen.checkpoints().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        world.interfere(&target, json!({"spec": {"size": 2}})).await;
        made
    };
    let (applied, definition) = tokio::join!(create, others);
    let object = applied.object.unwrap();
    assert_eq!(applied.diagnostics.0, []);
    assert_eq!(to_json(object.get("object").unwrap())["spec"]["size"], json!(2));
    assert!(
        seen.progress().contains(&"Widget is not served yet".to_owned())
            && seen.progress().contains(&"spec.size is 1".to_owned())
    );
    world.delete(ty, &object).await;
    world.delete(ty, &definition).await;
    assert_eq!(world.read(ty, &object).await, None, "a type that is gone has no objects");
}

fn definition(name: &str, kind: &str, version: &str, namespaced: bool) -> Json {
    let (plural, group) = name.split_once('.').unwrap();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {
            "group": group, "scope": if namespaced { "Namespaced" } else { "Cluster" },
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
            "versions": [{"name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    })
}

/// As EKS installs it.
async fn install(world: &World, definition: Json) {
    let cluster = world.cluster().await;
    let target = Target::new(&CRD, None, definition["metadata"]["name"].as_str().unwrap());
    if apply::get(&cluster, &target).await.unwrap().is_none() {
        let theirs = Manager { name: "eks".into(), force: true };
        apply::apply(&cluster, &target, &definition, &theirs).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_security_group_policy_lives_and_dies() {
    let Some(world) = World::new("sgp").await else { return };
    install(&world, definition("securitygrouppolicies.vpcresources.k8s.aws", "SecurityGroupPolicy", "v1beta1", true))
        .await;
    let ty: &dyn ResourceType = &security_group_policy::TYPE;
    let ns = world.namespace.clone();
    let pods = ApiKind::fixed("v1", "Pod", "pods", true);
    let accounts = ApiKind::fixed("v1", "ServiceAccount", "serviceaccounts", true);
    let account = Target::new(&accounts, Some(&ns), "default");
    let body = apply::body(&account, json!({}));
    apply::apply(&*world.cluster().await, &account, &body, &Manager::default()).await.unwrap();
    for (name, app) in [("b", "backend"), ("a", "backend"), ("other", "frontend")] {
        let target = Target::new(&pods, Some(&ns), name);
        let body = apply::body(
            &target,
            json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}),
        );
        apply::apply(&*world.cluster().await, &target, &body, &Manager::default()).await.unwrap();
    }
    let selector_block = &ty.schema().block.blocks["pod_selector"].block;
    let set = |items: &[&str]| Value::set(Type::String, items.iter().map(|i| (*i).into()));
    let config = |ids: &[&str], names: &[&str], app: &str| {
        let labels = attrs::map_value([("app".to_owned(), app.to_owned())]);
        config_of(
            ty,
            vec![
                ("name", "backend".into()),
                ("namespace", ns.clone().into()),
                ("security_group_ids", set(ids)),
                ("security_group_names", set(names)),
                ("pod_selector", attrs::object(selector_block, [("match_labels", labels)])),
            ],
        )
    };
    let first = config(&["sg-0000000a"], &[], "backend");
    let object = world.create(ty, &first).await;
    assert_eq!(attrs::texts(&object, "matching_pods"), ["a", "b"]);
    world.import(ty, &format!("{ns}/backend"), &object, &first).await;
    assert!(matches!(world.find(ty, &first, 0).await, Found::Ours(_)));

    let kind = ApiKind::fixed("vpcresources.k8s.aws/v1beta1", "SecurityGroupPolicy", "securitygrouppolicies", true);
    let target = Target::new(&kind, Some(&ns), "backend");
    world.interfere(&target, json!({"spec": {"securityGroups": {"groupIds": ["sg-0000000b"]}}})).await;
    let drifted = world.read(ty, &object).await.unwrap();
    assert_eq!(attrs::texts(&drifted, "security_group_ids"), ["sg-0000000b"]);
    let object = world.update(ty, &drifted, &config(&["sg-0000000a"], &["db"], "frontend")).await;
    assert_eq!(attrs::texts(&object, "resolved_security_group_ids"), ["sg-0000000a", "sg-0000000d"]);
    assert_eq!(attrs::texts(&object, "matching_pods"), ["other"]);
    let object = world.update(ty, &object, &config(&[], &["db"], "frontend")).await;
    assert_eq!(world.live(&target).await["spec"]["securityGroups"]["groupIds"], json!(["sg-0000000d"]));

    let planned = World::plan(ty, &object, &config(&[], &["db", "nobody"], "frontend"), true);
    let (cx, _) = world.context();
    let unknown =
        ty.update(&*world.client, &cx, UpdateRequest { prior: &object, planned: &planned, config: &first }).await;
    assert_eq!(unknown.diagnostics.0[0].summary, "No such security group");
    world.delete(ty, &object).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pod_eni_through_the_addon() {
    let Some(world) = World::new("addon").await else { return };
    install(&world, definition("cninodes.vpcresources.k8s.aws", "CNINode", "v1alpha1", false)).await;
    let ty: &dyn ResourceType = &pod_eni::TYPE;
    let with = |fields: Vec<(&'static str, Value)>| config_of(ty, fields);

    // Created here: destroying it deletes the add-on.
    world.eks.statuses.lock().unwrap().extend(["CREATING", "DEGRADED"].iter().rev());
    let plain = with(vec![]);
    let object = world.create(ty, &plain).await;
    let values =
        || serde_json::from_str::<Json>(&world.eks.addons.lock().unwrap()["main"].configuration_values).unwrap();
    let env = json!({"ENABLE_POD_ENI": "true", "POD_SECURITY_GROUP_ENFORCING_MODE": "strict"});
    assert_eq!(values(), json!({"env": env, "init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}}}));
    assert_eq!(object.get("created_addon"), Some(&true.into()));
    assert_eq!(object.get("trunk_nodes"), Some(&Value::int(0)));
    world.import(ty, "main", &object, &plain).await;
    world.delete(ty, &object).await;
    assert!(world.eks.addons.lock().unwrap().is_empty());

    // There before: settings of others stay, and it outlives this.
    let theirs = json!({"enableNetworkPolicy": "true", "env": {"WARM_ENI_TARGET": "1", "ENABLE_POD_ENI": "false"}});
    let addon = sgp_contract::eks::Addon {
        configuration_values: theirs.to_string(),
        version: "v1".into(),
        ..Default::default()
    };
    world.eks.addons.lock().unwrap().insert("main".into(), addon);
    let standard = with(vec![
        ("enforcing_mode", "standard".into()),
        ("external_snat", true.into()),
        ("env", attrs::map_value([("MINE".to_owned(), "1".to_owned())])),
    ]);
    let object = world.create(ty, &standard).await;
    assert_eq!(object.get("created_addon"), Some(&false.into()));
    assert!(matches!(world.find(ty, &object, 0).await, Found::Ours(_)));
    let object = world.update(ty, &object, &plain).await;
    assert_eq!(
        values(),
        json!({"enableNetworkPolicy": "true", "init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}},
               "env": {"WARM_ENI_TARGET": "1", "ENABLE_POD_ENI": "true", "POD_SECURITY_GROUP_ENFORCING_MODE": "strict"}})
    );
    // A variable whose value is only a default here is put back as well.
    let stripped = json!({"enableNetworkPolicy": "true", "env": values()["env"]});
    world.eks.addons.lock().unwrap().get_mut("main").unwrap().configuration_values = stripped.to_string();
    let drifted = world.read(ty, &object).await.unwrap();
    let planned = World::plan(ty, &drifted, &plain, false);
    assert_ne!(testing::broken_promises(&planned, &drifted), Vec::<String>::new());
    let (cx, _) = world.context();
    let update = UpdateRequest { prior: &drifted, planned: &planned, config: &plain };
    let object = World::made(ty, &planned, ty.update(&*world.client, &cx, update).await);
    assert_eq!(values()["init"], json!({"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}}));
    let calls = world.eks.puts.lock().unwrap().len();
    let object = world.update(ty, &object, &plain).await;
    assert_eq!(world.eks.puts.lock().unwrap().len(), calls, "nothing to change, nothing is sent");
    let (cx, _) = world.context();
    let gone = ty.delete(&*world.client, &cx, DeleteRequest { prior: &object }).await;
    assert!(gone.object.is_none());
    assert_eq!(values(), json!({"enableNetworkPolicy": "true", "env": {"WARM_ENI_TARGET": "1"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn pod_eni_through_the_daemonset() {
    let Some(world) = World::new("daemonset").await else { return };
    let ty: &dyn ResourceType = &pod_eni::TYPE;
    let cluster = world.cluster().await;
    let (cx, _) = world.context();
    let daemonsets = ApiKind::fixed("apps/v1", "DaemonSet", "daemonsets", true);
    let aws_node = Target::new(&daemonsets, Some("kube-system"), "aws-node");
    let config_map = Target::new(&CONFIG_MAP, Some("kube-system"), "amazon-vpc-cni");
    for target in [&aws_node, &config_map] {
        life::delete(&cluster, &cx, target, None).await.unwrap();
    }
    let config =
        |fields: Vec<(&'static str, Value)>| config_of(ty, [vec![("via", "daemonset".into())], fields].concat());
    let plain = config(vec![]);
    let planned = World::plan(ty, &Value::null(ty.schema().ty()), &plain, true);
    let missing = ty.create(&*world.client, &cx, CreateRequest { planned: &planned, config: &plain }).await;
    assert_eq!(missing.diagnostics.0[0].summary, "No VPC CNI to configure");

    let container = |name: &str, env: Json| json!([{"name": name, "image": "i", "env": env}]);
    let body = apply::body(
        &aws_node,
        json!({"spec": {
            "selector": {"matchLabels": {"k8s-app": "aws-node"}},
            "template": {"metadata": {"labels": {"k8s-app": "aws-node"}}, "spec": {
                "containers": container("aws-node", json!([{"name": "ENABLE_POD_ENI", "value": "false"}, {"name": "WARM_ENI_TARGET", "value": "1"}])),
                "initContainers": container("aws-vpc-cni-init", json!([{"name": "DISABLE_TCP_EARLY_DEMUX", "value": "false"}])),
            }},
        }}),
    );
    let theirs = Manager { name: "eks".into(), force: true };
    apply::apply(&cluster, &aws_node, &body, &theirs).await.unwrap();

    let object = world.create(ty, &config(vec![("branch_eni_cooldown", Value::int(60))])).await;
    let effective = attrs::string_map(&object, "effective_env");
    assert_eq!((effective["ENABLE_POD_ENI"].as_str(), effective["WARM_ENI_TARGET"].as_str()), ("true", "1"));
    assert_eq!(world.live(&config_map).await["data"], json!({"branch-eni-cooldown": "60"}));
    let strategic = |value: &str| {
        json!({"spec": {"template": {"spec": {"containers": [{"name": "aws-node", "image": "i", "env": [
            {"name": "ENABLE_POD_ENI", "value": value}, {"name": "OTHER", "value": "x"}, {"name": "POD_SECURITY_GROUP_ENFORCING_MODE", "value": "standard"}]}]}}}})
    };
    world.interfere(&aws_node, strategic("false")).await;
    let drifted = world.read(ty, &object).await.unwrap();
    assert_eq!(attrs::text(&drifted, "enforcing_mode"), Some("standard"));
    let object = world.update(ty, &drifted, &plain).await;
    assert_eq!(attrs::string_map(&object, "effective_env")["OTHER"], "x");
    assert_eq!(apply::get(&cluster, &config_map).await.unwrap(), None, "nobody else wrote to the map");

    let gone = ty.delete(&*world.client, &cx, DeleteRequest { prior: &object }).await;
    assert!(gone.object.is_none() && gone.diagnostics.is_empty(), "{gone:?}");
    let left = world.read(ty, &object).await.unwrap();
    assert_eq!(attrs::text(&left, "enforcing_mode"), None);
    life::delete(&cluster, &cx, &aws_node, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_that_are_not_there() {
    let Some(world) = World::new("absent").await else { return };
    let ty: &dyn ResourceType = &namespace::TYPE;
    let access = |name: &str, status: &str| ClusterAccess {
        name: name.into(),
        endpoint: String::new(),
        ca_pem: Vec::new(),
        status: status.into(),
        version: String::new(),
        vpc_id: String::new(),
    };
    world.eks.clusters.lock().unwrap().insert("young".into(), access("young", "CREATING"));
    for (cluster, said) in [
        ("none", "There is no EKS cluster \"none\" in this account and region, so nothing can be written to it."),
        (
            "young",
            "The cluster \"young\" is CREATING: nothing can be written to it. Wait until it is ACTIVE and apply again.",
        ),
    ] {
        let config = config_of(ty, vec![("metadata", world.metadata(false, "a", &[]))])
            .with_attr("cluster_name", cluster.into());
        assert_eq!(world.read(ty, &config).await, None);
        world.delete(ty, &config).await;
        let (cx, _) = world.context();
        let applied = ty.create(&*world.client, &cx, CreateRequest { planned: &config, config: &config }).await;
        assert_eq!(applied.diagnostics.0[0].detail, said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permission() {
    let Some(world) = World::new("denied").await else { return };
    "wrong".clone_into(&mut world.eks.token.lock().unwrap());
    let ty: &dyn ResourceType = &namespace::TYPE;
    let config = config_of(ty, vec![("metadata", world.metadata(false, "a", &[]))]);
    let request = ReadRequest { addr: testing::address(), prior: config };
    let provider = KubernetesProvider::new(world.eks.clone(), world.clock.clone());
    let client = provider.configure(&provider_config::SCHEMA.block.empty()).await.unwrap();
    match &ty.read(&*client, &ReadScope::default(), &[request]).await[..] {
        [ReadOutcome::Failed(diagnostic)] => {
            assert_eq!(diagnostic.summary, "The Kubernetes API does not know these credentials");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_command_is_run() {
    let Some(world) = World::new("exec").await else { return };
    let access = world.eks.clusters.lock().unwrap()["main"].clone();
    let token = world.eks.token.lock().unwrap().clone();
    let credential =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}});
    let block = &provider_config::SCHEMA.block.blocks["exec"].block;
    let exec = attrs::object(
        block,
        [
            ("api_version", "client.authentication.k8s.io/v1".into()),
            ("command", "sh".into()),
            ("args", Value::strings(["-c", "echo \"$CREDENTIAL\""])),
            ("env", attrs::map_value([("CREDENTIAL".to_owned(), credential.to_string())])),
        ],
    );
    let config = attrs::object(
        &provider_config::SCHEMA.block,
        [
            ("host", access.endpoint.into()),
            ("cluster_ca_certificate", String::from_utf8(access.ca_pem).unwrap().into()),
            ("exec", Value::list(block.ty(), vec![exec])),
        ],
    );
    // Without any EKS: this cluster is reached by host, and its objects carry no `cluster_name`.
    let provider = KubernetesProvider::new(Arc::new(FakeEks::default()), world.clock.clone());
    let client = provider.configure(&config).await.unwrap();
    let prior = attrs::object(&namespace::TYPE.schema().block, [("metadata", world.metadata(false, "default", &[]))]);
    let request = ReadRequest { addr: testing::address(), prior };
    let read = namespace::TYPE.read(&*client, &ReadScope::default(), &[request]).await;
    assert!(matches!(&read[..], [ReadOutcome::Present(_)]), "{read:?}");
}
