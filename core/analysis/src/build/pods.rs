//! Objects of clusters that have resource types of their own.

use serde_json::{Map, Value as Json, json};

use super::{Builder, Item, View, selectors};
use crate::topology::{Fact, Namespace, SecurityGroupPolicy, ServiceAccount, unknown_namespace};

/// The namespace and name of an object with a `metadata` block.
fn named(item: &Item<'_>) -> Option<(String, String)> {
    let metadata = item.view.block("metadata")?;
    let name = metadata.text("name").map(str::to_owned);
    // A generated name is known after apply; until then the object's address is as good as any.
    let name = name.or_else(|| item.addr.map(ToString::to_string))?;
    Some((namespace_of(&metadata, &name), name))
}

/// The namespace that an object states; one of its own while that is not known.
fn namespace_of(view: &View<'_>, name: &str) -> String {
    match view.fact("namespace") {
        Fact::Known(stated) => stated.filter(|it| !it.is_empty()).unwrap_or("default").to_owned(),
        Fact::Unknown => unknown_namespace(name),
    }
}

/// `kubernetes_namespace_v1`.
pub(super) fn namespace(builder: &mut Builder, item: &Item<'_>) {
    let Some((_, name)) = named(item) else { return };
    let mut labels = item.view.block("metadata").map(|it| it.known_labels("labels")).unwrap_or_default();
    // The API server sets it (kubernetes.io/docs/reference/labels-annotations-taints).
    labels.insert("kubernetes.io/metadata.name".to_owned(), name.clone());
    builder.cluster_of(item).namespaces.insert(name, Namespace { labels });
}

/// `kubernetes_service_account_v1`.
pub(super) fn service_account(builder: &mut Builder, item: &Item<'_>) {
    let (Some(key), Some(metadata)) = (named(item), item.view.block("metadata")) else { return };
    let accounts = &mut builder.cluster_of(item).service_accounts;
    let account = ServiceAccount {
        managed_by: item.addr.cloned(),
        labels: metadata.labels("labels"),
        annotations: metadata.known_labels("annotations"),
    };
    accounts.insert(key, account);
}

/// `sgp_security_group_policy`.
pub(super) fn security_group_policy(builder: &mut Builder, item: &Item<'_>) {
    let view = &item.view;
    let Some(name) = view.text("name") else { return };
    let namespace = namespace_of(view, name);
    let stated = view.ids("security_group_ids");
    let by_name = view.elements("security_group_names");
    // Groups by name have ids once they were looked for; those by id are known before that.
    let groups = match view.ids("resolved_security_group_ids") {
        Fact::Known(ids) if !ids.is_empty() => Fact::Known(ids),
        _ if by_name.known().is_some_and(Vec::is_empty) => stated,
        _ => Fact::Unknown,
    };
    let policy = SecurityGroupPolicy {
        managed_by: item.addr.cloned(),
        pods: selectors::selector(view, "pod_selector"),
        service_accounts: selectors::selector(view, "service_account_selector"),
        groups,
    };
    let name = name.to_owned();
    builder.cluster_of(item).policies.insert((namespace, name), policy);
}

/// `kubernetes_network_policy_v1`.
pub(super) fn network_policy(builder: &mut Builder, item: &Item<'_>) {
    let (Some(key), Some(spec)) = (named(item), item.view.block("spec")) else { return };
    let mut json = Map::new();
    json.insert(
        "podSelector".to_owned(),
        spec.block("pod_selector").map_or_else(|| json!({}), |it| selectors::spec(&it)),
    );
    if let Fact::Known(types) = spec.texts("policy_types")
        && !types.is_empty()
    {
        json.insert("policyTypes".to_owned(), json!(types));
    }
    for (name, peers) in [("ingress", "from"), ("egress", "to")] {
        let rules: Vec<Json> = spec.blocks(name).iter().map(|rule| network_rule(rule, peers)).collect();
        if !rules.is_empty() {
            json.insert(name.to_owned(), Json::Array(rules));
        }
    }
    builder.cluster_of(item).network_policies.insert(key, Json::Object(json));
}

fn network_rule(rule: &View<'_>, peers: &str) -> Json {
    let ports: Vec<Json> = rule.blocks("ports").iter().map(port).collect();
    let others: Vec<Json> = rule.blocks(peers).iter().map(peer).collect();
    json!({ "ports": ports, peers: others })
}

fn port(view: &View<'_>) -> Json {
    let mut port = Map::new();
    port.insert("protocol".to_owned(), json!(view.text("protocol").unwrap_or("TCP")));
    match (view.number("port"), view.text("port")) {
        (Some(number), _) => port.insert("port".to_owned(), json!(number)),
        (None, Some(name)) => port.insert("port".to_owned(), json!(name)),
        (None, None) => None,
    };
    if let Some(last) = view.number("end_port") {
        port.insert("endPort".to_owned(), json!(last));
    }
    Json::Object(port)
}

fn peer(view: &View<'_>) -> Json {
    let mut peer = Map::new();
    if let Some(block) = view.block("ip_block") {
        let except = block.texts("except").known().cloned().unwrap_or_default();
        peer.insert("ipBlock".to_owned(), json!({ "cidr": block.text("cidr"), "except": except }));
    }
    for (name, key) in [("namespace_selector", "namespaceSelector"), ("pod_selector", "podSelector")] {
        if let Some(selector) = view.block(name) {
            peer.insert(key.to_owned(), selectors::spec(&selector));
        }
    }
    Json::Object(peer)
}
