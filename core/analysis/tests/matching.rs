//! Which groups a pod gets: a table of the rules of AWS's controller, and a second implementation, written as its source reads
//! (github.com/aws/amazon-vpc-resource-controller-k8s, `webhooks/core/pod_webhook.go`, `pkg/utils/helper.go`), over random clusters.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sgp_analysis::{
    audit::audit,
    build::{Object, Sources, build},
    matching::{Attachment, NoBranch, membership},
    reach::{Wire, ends},
    topology::{Cluster, Fact, Id, Topology},
};
use sgp_model::{Type, Value, json::from_serde};

fn object(kind: &str, attributes: &Json) -> Object {
    Object { kind: kind.to_owned(), addr: None, attributes: from_serde(attributes) }
}

fn manifest(json: &Json) -> Object {
    object("kubernetes_manifest", &json!({ "cluster_name": "main", "manifest": json }))
}

/// A cluster all of whose objects are known.
fn topology(objects: &[Json], more: Vec<Object>) -> Topology {
    let network = json!([{ "vpc_id": "vpc-1", "cluster_security_group_id": "sg-cluster" }]);
    let mut all = vec![object("aws_eks_cluster", &json!({ "name": "main", "vpc_config": network }))];
    all.extend(more);
    all.extend(objects.iter().map(manifest));
    build(&Sources { objects: all, complete_clusters: vec!["main".to_owned()], ..Sources::default() })
}

fn policy(namespace: &str, name: &str, spec: Json) -> Json {
    json!({ "kind": "SecurityGroupPolicy", "metadata": { "namespace": namespace, "name": name }, "spec": spec })
}

/// A policy for pods by label `app`.
fn for_app(name: &str, app: &str, groups: &[&str]) -> Json {
    policy(
        "app",
        name,
        json!({ "podSelector": { "matchLabels": { "app": app } }, "securityGroups": { "groupIds": groups } }),
    )
}

fn deployment(labels: &Json, more: &Json) -> Json {
    let mut spec = json!({ "containers": [{ "name": "it" }] });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({ "kind": "Deployment", "metadata": { "namespace": "app", "name": "it" },
        "spec": { "template": { "metadata": { "labels": labels }, "spec": spec } } })
}

fn account(name: &str, labels: &Json) -> Json {
    json!({ "kind": "ServiceAccount", "metadata": { "namespace": "app", "name": name, "labels": labels } })
}

/// What is compared: how the pod is on the network, and its own groups as a set.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Net {
    Host,
    Shared,
    Windows,
    Branch(Vec<String>),
    BranchOfNode,
    Fargate(Vec<String>),
    Denied,
}

fn sorted(groups: &Fact<Vec<Id>>) -> Vec<String> {
    let mut all: Vec<String> = groups.known().unwrap().iter().map(ToString::to_string).collect();
    all.sort();
    all
}

/// What the Deployment's pods get.
fn computed(cluster: &Cluster) -> Net {
    let workload = cluster.workloads.get(&("app".to_owned(), "Deployment".to_owned(), "it".to_owned())).unwrap();
    match membership(cluster, "app", &workload.template).attachment {
        Attachment::Host => Net::Host,
        Attachment::Shared(NoBranch::NoPolicy) => Net::Shared,
        Attachment::Shared(NoBranch::Windows) => Net::Windows,
        Attachment::Branch(groups) => Net::Branch(sorted(&groups)),
        Attachment::BranchOfNode => Net::BranchOfNode,
        Attachment::Fargate(groups) => Net::Fargate(sorted(&groups)),
        Attachment::Denied(_) => Net::Denied,
        Attachment::Unknown(why) => panic!("everything is known: {why}"),
    }
}

fn branch(groups: &[&str]) -> Net {
    Net::Branch(groups.iter().map(|it| (*it).to_owned()).collect())
}

fn checked(rule: &str, objects: &[Json], wanted: &Net) {
    let topology = topology(objects, Vec::new());
    assert_eq!(computed(&topology.clusters["main"]), *wanted, "rule {rule}: {objects:#?}");
}

#[test]
fn rules_of_admission() {
    let api = json!({ "app": "api" });
    let plain = || deployment(&api, &json!({}));
    let groups = json!({ "groupIds": ["sg-1"] });
    let spec = |pods: Json, accounts: Json| {
        let mut spec = json!({ "securityGroups": groups });
        for (key, value) in [("podSelector", pods), ("serviceAccountSelector", accounts)] {
            if !value.is_null() {
                spec[key] = value;
            }
        }
        spec
    };
    let by_label = |value: &str| json!({ "matchLabels": { "app": value } });
    let by_team = |value: &str| json!({ "matchLabels": { "team": value } });
    let runner = || account("runner", &json!({ "team": "red" }));
    let with_account = || deployment(&api, &json!({ "serviceAccountName": "runner" }));
    // 1: a pod on its node's network, whatever matches and whatever its account.
    checked("1", &[deployment(&api, &json!({ "hostNetwork": true })), for_app("a", "api", &["sg-1"])], &Net::Host);
    checked("1", &[deployment(&api, &json!({ "hostNetwork": true, "serviceAccountName": "nobody" }))], &Net::Host);
    // 2: three ways.
    let on_fargate = json!({ "app": "api", "eks.amazonaws.com/fargate-profile": "p" });
    let fargate = |groups: &[&str]| Net::Fargate(groups.iter().map(|it| (*it).to_owned()).collect());
    checked("2", &[deployment(&on_fargate, &json!({})), for_app("a", "api", &["sg-1"])], &fargate(&["sg-1"]));
    checked("2", &[deployment(&on_fargate, &json!({}))], &fargate(&["sg-cluster"]));
    let windows = json!({ "nodeSelector": { "kubernetes.io/os": "windows" } });
    checked("2", &[deployment(&api, &windows), for_app("a", "api", &["sg-1"])], &Net::Windows);
    checked("2", &[plain(), for_app("a", "api", &["sg-1"])], &branch(&["sg-1"]));
    // 3: the pod's own namespace.
    checked("3", &[plain(), policy("data", "a", spec(json!({}), Json::Null))], &Net::Shared);
    // 4: ignored are policies without selectors, and without groups.
    checked("4", &[plain(), policy("app", "a", spec(Json::Null, Json::Null))], &Net::Shared);
    checked("4", &[plain(), policy("app", "a", json!({ "podSelector": {} }))], &Net::Shared);
    checked(
        "4",
        &[plain(), policy("app", "a", json!({ "podSelector": {}, "securityGroups": { "groupIds": [] } }))],
        &Net::Shared,
    );
    // 5: which selectors are set.
    for (pods, accounts, matches) in [
        (by_label("api"), Json::Null, true),
        (by_label("web"), Json::Null, false),
        (Json::Null, by_team("red"), true),
        (Json::Null, by_team("blue"), false),
        (by_label("api"), by_team("red"), true),
        (by_label("web"), by_team("red"), false),
        (by_label("api"), by_team("blue"), false),
        (json!({}), Json::Null, true),
        (Json::Null, json!({}), true),
        (json!({}), by_team("red"), true),
        (json!({}), by_team("blue"), false),
        (by_label("web"), json!({}), false),
    ] {
        let wanted = if matches { branch(&["sg-1"]) } else { Net::Shared };
        checked("5", &[with_account(), runner(), policy("app", "a", spec(pods, accounts))], &wanted);
    }
    // 6: what cannot be converted matches nothing.
    for broken in [
        json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": [] }] }),
        json!({ "matchExpressions": [{ "key": "app", "operator": "Exists", "values": ["api"] }] }),
        json!({ "matchExpressions": [{ "key": "app", "operator": "Is", "values": ["api"] }] }),
        json!({ "matchLabels": { "app": "not a value" } }),
        json!({ "matchExpressions": [{ "key": "not a key", "operator": "DoesNotExist" }] }),
    ] {
        checked("6", &[plain(), policy("app", "a", spec(broken, Json::Null))], &Net::Shared);
    }
    // 7: the union of all that match.
    let two = [
        plain(),
        for_app("a", "api", &["sg-2", "sg-1"]),
        for_app("b", "api", &["sg-1", "sg-3"]),
        for_app("c", "web", &["sg-4"]),
    ];
    checked("7", &two, &branch(&["sg-1", "sg-2", "sg-3"]));
    // 8: without its account a pod is denied, policy or not.
    checked("8", &[with_account()], &Net::Denied);
    checked("8", &[with_account(), for_app("a", "api", &["sg-1"])], &Net::Denied);
    // 11, 12: who asks for an interface oneself, in whichever container.
    let asks = json!({ "containers": [{ "name": "it" }, { "name": "other", "resources": { "limits": { "vpc.amazonaws.com/pod-eni": "1" } } }] });
    checked("11", &[deployment(&api, &asks)], &Net::BranchOfNode);
    checked("11", &[deployment(&api, &asks), for_app("a", "api", &["sg-1"])], &branch(&["sg-1"]));
}

/// A pod that runs. `branch` is its own interface.
fn pod(name: &str, phase: &str, branch: Option<&str>, address: &str) -> Json {
    let owner = json!([{ "kind": "ReplicaSet", "name": "it-5d4f9", "controller": true }]);
    let mut metadata =
        json!({ "namespace": "app", "name": name, "labels": { "app": "api" }, "ownerReferences": owner });
    if let Some(branch) = branch {
        metadata["annotations"] = json!({ "vpc.amazonaws.com/pod-eni": format!(r#"[{{"eniId":"{branch}"}}]"#) });
    }
    json!({ "kind": "Pod", "metadata": metadata, "spec": { "containers": [{ "name": "it" }] },
        "status": { "phase": phase, "podIP": address } })
}

fn interface(id: &str, address: &str, groups: &[&str]) -> Object {
    object(
        "aws_network_interface",
        &json!({ "id": id, "vpc_id": "vpc-1", "subnet_id": "subnet-1", "private_ip": address, "security_groups": groups,
            "interface_type": "branch", "status": "in-use" }),
    )
}

/// Rules 9, 10, 13 and 14 are about pods that run.
#[test]
fn rules_of_running_pods() {
    let api = json!({ "app": "api" });
    let objects = [
        deployment(&api, &json!({})),
        for_app("a", "api", &["sg-new"]),
        pod("it-5d4f9-a", "Running", Some("eni-a"), "10.0.0.1"),
        pod("it-5d4f9-b", "Running", None, "10.0.0.2"),
        pod("it-5d4f9-c", "Succeeded", Some("eni-c"), "10.0.0.3"),
    ];
    let interfaces = vec![interface("eni-a", "10.0.0.1", &["sg-old"]), interface("eni-c", "10.0.0.3", &["sg-old"])];
    let topology = topology(&objects, interfaces);
    // 9: the webhook was not there, and the pod has its node's groups.
    let open: Vec<String> = audit(&topology).open_pods.into_iter().map(|(_, key, _)| key.name).collect();
    assert_eq!(open, ["it-5d4f9-b"]);
    // 10, 14: pods have what their interfaces have, whatever policies say by now; new ones would have the new group.
    let found = ends::find(&topology, "deployment/app/it").unwrap().ends;
    let groups: Vec<(Wire, Option<&[Id]>)> =
        found.iter().map(|end| (end.wire, end.groups.known().map(Vec::as_slice))).collect();
    assert_eq!(groups, [(Wire::Branch, Some([Id::from("sg-old")].as_slice())), (Wire::Shared, None)]);
    assert_eq!(computed(&topology.clusters["main"]), branch(&["sg-new"]));
    // 13: what has ended gave its address back.
    let old = ends::find(&topology, "10.0.0.3").unwrap().ends;
    assert_eq!(old[0].policed_pod().map(|(_, namespace, _)| namespace), None);
}

/// What is not known is not guessed: a policy may be for the pods, and whether it is stays open.
#[test]
fn what_is_not_known_stays_open() {
    let unknown = || Value::unknown(Type::String);
    let labels = |value: Value| Value::object([("app", value)]);
    let policy = |namespace: Value, labels: Value| {
        let selector = Value::object([("matchLabels", labels)]);
        let groups = Value::object([("groupIds", from_serde(&json!(["sg-1"])))]);
        let manifest = Value::object([
            ("kind", Value::from("SecurityGroupPolicy")),
            ("metadata", Value::object([("name", Value::from("a")), ("namespace", namespace)])),
            ("spec", Value::object([("podSelector", selector), ("securityGroups", groups)])),
        ]);
        let attributes = Value::object([("cluster_name", Value::from("main")), ("manifest", manifest)]);
        Object { kind: "kubernetes_manifest".to_owned(), addr: None, attributes }
    };
    let block = |labels: Value| {
        let attributes = Value::object([
            ("cluster_name", Value::from("main")),
            ("name", Value::from("a")),
            ("namespace", Value::from("app")),
            ("pod_selector", Value::tuple(vec![Value::object([("match_labels", labels)])])),
            ("security_group_ids", from_serde(&json!(["sg-1"]))),
        ]);
        Object { kind: "sgp_security_group_policy".to_owned(), addr: None, attributes }
    };
    let app = || Value::from("app");
    for (what, object, is_open) in [
        ("all is known", policy(app(), labels(Value::from("api"))), Some(false)),
        ("its namespace", policy(unknown(), labels(Value::from("api"))), Some(true)),
        ("its namespace, for others", policy(unknown(), labels(Value::from("web"))), None),
        ("a label", policy(app(), labels(unknown())), Some(true)),
        ("all labels", policy(app(), Value::unknown(Type::Dynamic)), Some(true)),
        ("a label of a block", block(labels(unknown())), Some(true)),
    ] {
        let topology = topology(&[deployment(&json!({ "app": "api" }), &json!({}))], vec![object]);
        let cluster = &topology.clusters["main"];
        let workload = cluster.workloads.values().next().unwrap();
        let found = membership(cluster, "app", &workload.template).attachment;
        let wanted = match is_open {
            Some(true) => matches!(found, Attachment::Unknown(_)),
            Some(false) => matches!(found, Attachment::Branch(_)),
            None => matches!(found, Attachment::Shared(_)),
        };
        assert!(wanted, "{what}: {found:?}");
    }
}

// --- the second implementation ----------------------------------------------------------------------------------------

/// A part of a label's key, or a value: letters and digits, in between `-`, `_` and `.`, at most 63.
fn is_word(text: &str) -> bool {
    let is_plain = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let all = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    text.len() <= 63 && all && is_plain(text.chars().next()) && is_plain(text.chars().last())
}

fn is_key(text: &str) -> bool {
    let is_domain = |text: &str| {
        let is_part = |part: &str| is_word(part) && part == part.to_lowercase() && !part.contains(['_', '.']);
        text.len() <= 253 && text.split('.').all(is_part)
    };
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => is_word(name),
        [domain, name] => is_domain(domain) && is_word(name),
        _ => false,
    }
}

fn is_value(text: &str) -> bool {
    text.is_empty() || is_word(text)
}

/// What `metav1.LabelSelectorAsSelector` makes of a selector, applied to labels; an error is no match.
fn selects(selector: &Json, labels: &Json) -> bool {
    let mut all = true;
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        if !is_key(key) || !is_value(value.as_str().unwrap()) {
            return false;
        }
        all &= labels[key] == *value;
    }
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str().unwrap();
        let values: Vec<&str> =
            expression["values"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap()).collect();
        let has = labels.get(key);
        let among = has.is_some_and(|it| values.contains(&it.as_str().unwrap()));
        let operator = expression["operator"].as_str().unwrap();
        let is_fine = match operator {
            "In" | "NotIn" => !values.is_empty(),
            "Exists" | "DoesNotExist" => values.is_empty(),
            _ => false,
        };
        if !is_fine || !is_key(key) || !values.iter().all(|it| is_value(it)) {
            return false;
        }
        all &= match operator {
            "In" => among,
            "NotIn" => !among,
            "Exists" => has.is_some(),
            _ => has.is_none(),
        };
    }
    all
}

/// The webhook, step by step.
fn naive(deployment: &Json, policies: &[Json], accounts: &[Json], profiles: &[Json]) -> Net {
    let template = &deployment["spec"]["template"];
    let (labels, spec) = (&template["metadata"]["labels"], &template["spec"]);
    if spec["hostNetwork"] == true {
        return Net::Host;
    }
    let of_profile = |profile: &Json| {
        let same = profile["labels"].as_object().into_iter().flatten().all(|(key, value)| labels[key] == *value);
        profile["namespace"] == "app" && same
    };
    let on_fargate = !labels["eks.amazonaws.com/fargate-profile"].is_null() || profiles.iter().any(of_profile);
    if !on_fargate && spec["nodeSelector"]["kubernetes.io/os"] == "windows" {
        return Net::Windows;
    }
    let name = spec["serviceAccountName"].as_str().unwrap_or("default");
    let its = accounts.iter().find(|it| it["metadata"]["name"] == name);
    let none = json!({});
    let account = match its {
        Some(its) => &its["metadata"]["labels"],
        None if name == "default" => &none,
        None => return Net::Denied,
    };
    let mut groups: Vec<String> = Vec::new();
    for policy in policies.iter().filter(|it| it["metadata"]["namespace"] == "app") {
        let (pods, by_account) = (policy["spec"].get("podSelector"), policy["spec"].get("serviceAccountSelector"));
        let ids = policy["spec"]["securityGroups"]["groupIds"].as_array();
        let Some(ids) = ids.filter(|ids| !ids.is_empty()) else { continue };
        if pods.is_none() && by_account.is_none() {
            continue;
        }
        let is_for = pods.is_none_or(|it| selects(it, labels)) && by_account.is_none_or(|it| selects(it, account));
        if is_for {
            groups.extend(ids.iter().map(|it| it.as_str().unwrap().to_owned()));
        }
    }
    groups.sort();
    groups.dedup();
    let asks = !spec["containers"][0]["resources"]["limits"]["vpc.amazonaws.com/pod-eni"].is_null();
    match (groups.is_empty(), on_fargate) {
        (false, true) => Net::Fargate(groups),
        (false, false) => Net::Branch(groups),
        (true, true) => Net::Fargate(vec!["sg-cluster".to_owned()]),
        (true, false) if asks => Net::BranchOfNode,
        (true, false) => Net::Shared,
    }
}

fn of(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(all).prop_map(str::to_owned)
}

const KEYS: &[&str] = &["app", "tier", "team", "example.com/app", "app", "tier"];
const ODD_KEYS: &[&str] = &["app", "tier", "not a key", "-x", "a/b/c", "Upper.com/x", "under_score.com/x", "/x", ""];
const VALUES: &[&str] = &["x", "y", ""];
const ODD_VALUES: &[&str] = &["x", "y", "", "x", "y", "not a value", "-x", "x."];

/// Labels of an object, which the API server has checked.
fn labels() -> impl Strategy<Value = Json> {
    proptest::collection::btree_map(of(KEYS), of(VALUES), 0..3).prop_map(|it| json!(it))
}

/// Members of a selector, most of them fine.
fn selector() -> impl Strategy<Value = Json> {
    let keys = || prop_oneof![8 => of(KEYS), 1 => of(ODD_KEYS)];
    let values = || prop_oneof![8 => of(VALUES), 1 => of(ODD_VALUES)];
    let operators = of(&["In", "In", "NotIn", "NotIn", "Exists", "DoesNotExist", "Equals"]);
    let expression = (keys(), operators, proptest::collection::vec(values(), 0..3), 0..8_u8).prop_map(
        |(key, operator, values, odd)| {
            // Mostly with the values that the operator wants.
            let has_values = operator.ends_with("In") != (odd == 0);
            let values = if has_values { values } else { Vec::new() };
            json!({ "key": key, "operator": operator, "values": values })
        },
    );
    let expressions = proptest::collection::vec(expression, 0..3);
    (proptest::collection::btree_map(keys(), values(), 0..2), expressions).prop_map(|(labels, expressions)| {
        let mut selector = json!({});
        if !labels.is_empty() {
            selector["matchLabels"] = json!(labels);
        }
        if !expressions.is_empty() {
            selector["matchExpressions"] = json!(expressions);
        }
        selector
    })
}

fn policies() -> impl Strategy<Value = Vec<Json>> {
    let groups = prop_oneof![1 => Just(None), 12 => proptest::collection::vec(of(&["sg-1", "sg-2", "sg-3"]), 0..3).prop_map(Some)];
    let one = (
        of(&["app", "app", "app", "data"]),
        proptest::option::weighted(0.8, selector()),
        proptest::option::of(selector()),
        groups,
    );
    proptest::collection::vec(one, 0..5).prop_map(|all| {
        let spec = |(pods, accounts, groups): (Option<Json>, Option<Json>, Option<Vec<String>>)| {
            let mut spec = json!({});
            for (key, value) in [("podSelector", pods), ("serviceAccountSelector", accounts)] {
                if let Some(value) = value {
                    spec[key] = value;
                }
            }
            if let Some(groups) = groups {
                spec["securityGroups"] = json!({ "groupIds": groups });
            }
            spec
        };
        let named = all.into_iter().enumerate();
        named
            .map(|(at, (namespace, pods, accounts, groups))| {
                policy(&namespace, &format!("p{at}"), spec((pods, accounts, groups)))
            })
            .collect()
    })
}

fn deployments() -> impl Strategy<Value = Json> {
    let account = proptest::option::of(of(&["default", "runner", "runner", "runner", "nobody"]));
    (labels(), account, 0..12_u8, 0..12_u8).prop_map(|(mut labels, account, kind, asks)| {
        let mut spec = json!({ "containers": [{ "name": "it" }] });
        match kind {
            0 => spec["hostNetwork"] = json!(true),
            1 => spec["nodeSelector"] = json!({ "kubernetes.io/os": "windows" }),
            2 => labels["eks.amazonaws.com/fargate-profile"] = json!("p"),
            _ => {}
        }
        if let Some(account) = account {
            spec["serviceAccountName"] = json!(account);
        }
        if asks == 0 {
            spec["containers"][0]["resources"] = json!({ "limits": { "vpc.amazonaws.com/pod-eni": "1" } });
        }
        deployment(&labels, &spec)
    })
}

fn profiles() -> impl Strategy<Value = Vec<Json>> {
    let one = (of(&["app", "data"]), labels())
        .prop_map(|(namespace, labels)| json!({ "namespace": namespace, "labels": labels }));
    prop_oneof![6 => Just(Vec::new()), 1 => proptest::collection::vec(one, 1..3)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn both_implementations_agree(
        it in deployments(),
        policies in policies(),
        runner in proptest::option::weighted(0.9, labels()),
        default in proptest::option::weighted(0.3, labels()),
        profiles in profiles(),
    ) {
        let named = [("runner", runner), ("default", default)];
        let accounts: Vec<Json> = named.iter().filter_map(|(name, labels)| labels.as_ref().map(|it| account(name, it))).collect();
        let objects: Vec<Json> = policies.iter().chain(&accounts).chain([&it]).cloned().collect();
        let profile = object("aws_eks_fargate_profile", &json!({ "cluster_name": "main", "fargate_profile_name": "p", "selector": profiles }));
        let topology = topology(&objects, if profiles.is_empty() { Vec::new() } else { vec![profile] });
        prop_assert_eq!(computed(&topology.clusters["main"]), naive(&it, &policies, &accounts, &profiles));
    }
}
