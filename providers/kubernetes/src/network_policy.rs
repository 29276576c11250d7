//! `kubernetes_network_policy_v1`.

use std::sync::LazyLock;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use sgp_model::Schema;
use sgp_model::{AttrPath, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, PathStep, Type, Value};

use crate::{
    attrs,
    json::{from_json, string},
    metadata,
    object::{Kind, Object},
    selector,
    target::ApiKind,
};

/// The resource type.
pub(crate) static TYPE: Object<NetworkPolicy> = Object(NetworkPolicy);

static KIND: ApiKind = ApiKind::fixed("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true);

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("kubernetes_network_policy_v1", "Which connections pods of a namespace may make and take.")
        .attr("id", metadata::id())
        .attr("cluster_name", metadata::cluster_name())
        .block("metadata", metadata::block(true))
        .block("spec", NestedBlock::list_of_one(spec_block()).required().doc("The rules."))
        .lives_in("cluster_name")
        .example(
            r#"resource "kubernetes_network_policy_v1" "backend" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name      = "backend"
    namespace = kubernetes_namespace_v1.app.metadata[0].name
  }

  spec {
    policy_types = ["Ingress"]
    pod_selector {
      match_labels = { app = "backend" }
    }
    ingress {
      ports {
        port     = "8080"
        protocol = "TCP"
      }
      from {
        pod_selector {
          match_labels = { app = "frontend" }
        }
      }
    }
  }
}
"#,
        )
});

fn spec_block() -> Block {
    let pods =
        NestedBlock::list_of_one(selector::content()).required().doc("The pods that the rules are for; `{}` is all.");
    Block::default()
        .attr("policy_types", Attribute::strings().required().doc("`Ingress`, `Egress` or both."))
        .block("pod_selector", pods)
        .block("ingress", NestedBlock::list(rule_block("from")).doc("What may come in."))
        .block("egress", NestedBlock::list(rule_block("to")).doc("What may go out."))
}

/// A rule; `peers` is `from` or `to`.
fn rule_block(peers: &'static str) -> Block {
    Block::default()
        .block("ports", NestedBlock::list(port_block()).doc("The ports; none is all."))
        .block(peers, NestedBlock::list(peer_block()).doc("The other side; none is everybody."))
}

fn port_block() -> Block {
    Block::default()
        .attr("end_port", Attribute::number().doc("The last port of a range that `port` begins."))
        .attr("port", Attribute::string().doc("A number, or the name of a container's port."))
        .attr("protocol", Attribute::string().default("TCP").doc("`TCP`, `UDP` or `SCTP`."))
}

fn peer_block() -> Block {
    Block::default()
        .block("ip_block", NestedBlock::list_of_one(ip_block()).doc("Addresses."))
        .block("namespace_selector", NestedBlock::list_of_one(selector::content()).doc("Namespaces; `{}` is all."))
        .block("pod_selector", NestedBlock::list_of_one(selector::content()).doc("Pods; `{}` is all."))
}

fn ip_block() -> Block {
    Block::default()
        .attr("cidr", Attribute::string().doc("Such as `10.0.0.0/16`."))
        .attr("except", Attribute::strings().doc("Parts of it that are left out."))
}

pub(crate) struct NetworkPolicy;

#[async_trait]
impl Kind for NetworkPolicy {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn kind(&self) -> &'static ApiKind {
        &KIND
    }

    fn content(&self, object: &Value) -> Json {
        json!({"spec": attrs::block(object, "spec").map_or_else(|| json!({}), spec_json)})
    }

    fn fields(&self, live: &Json, _prior: &Value) -> Vec<(&'static str, Value)> {
        vec![("spec", one(&spec_block(), spec_value(&live["spec"])))]
    }

    fn mistakes(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        let Some(spec) = attrs::block(config, "spec") else { return found };
        let path = AttrPath::attr("spec").with(PathStep::Index(0));
        for kind in attrs::texts(spec, "policy_types") {
            if !matches!(kind.as_str(), "Ingress" | "Egress") {
                let text = format!("{kind:?} is no policy type: it is `Ingress`, `Egress` or both.");
                let at = path.with(PathStep::Attr("policy_types".into()));
                found.push(Diagnostic::error("Invalid policy type", text).attribute(at));
            }
        }
        if let Some(pods) = attrs::block(spec, "pod_selector") {
            let at = path.with(PathStep::Attr("pod_selector".into())).with(PathStep::Index(0));
            found.extend(selector::validate(pods, &at));
        }
        found
    }
}

fn spec_json(spec: &Value) -> Json {
    let mut json = Map::new();
    json.insert("policyTypes".into(), json!(attrs::texts(spec, "policy_types")));
    json.insert("podSelector".into(), attrs::block(spec, "pod_selector").map_or_else(|| json!({}), selector::to_json));
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let rules: Vec<Json> = attrs::blocks(spec, direction).into_iter().map(|rule| rule_json(rule, peers)).collect();
        if !rules.is_empty() {
            json.insert(direction.into(), rules.into());
        }
    }
    Json::Object(json)
}

fn rule_json(rule: &Value, peers: &str) -> Json {
    let mut json = Map::new();
    let ports: Vec<Json> = attrs::blocks(rule, "ports").into_iter().map(port_json).collect();
    let others: Vec<Json> = attrs::blocks(rule, peers).into_iter().map(peer_json).collect();
    for (name, list) in [("ports", ports), (peers, others)] {
        if !list.is_empty() {
            json.insert(name.to_owned(), list.into());
        }
    }
    Json::Object(json)
}

fn port_json(port: &Value) -> Json {
    let mut json = Map::new();
    if let Some(text) = attrs::text(port, "port").filter(|t| !t.is_empty()) {
        // A number in its own spelling; anything else the API server judges as a name.
        let number = text.parse::<u16>().ok().filter(|n| n.to_string() == text);
        json.insert("port".into(), number.map_or_else(|| text.into(), Json::from));
    }
    if let Some(end) = port.get("end_port").and_then(Value::as_i64) {
        json.insert("endPort".into(), end.into());
    }
    if let Some(protocol) = attrs::text(port, "protocol") {
        json.insert("protocol".into(), protocol.into());
    }
    Json::Object(json)
}

fn peer_json(peer: &Value) -> Json {
    let mut json = Map::new();
    if let Some(block) = attrs::block(peer, "ip_block") {
        let mut ip = json!({"cidr": attrs::text(block, "cidr")});
        let except = attrs::texts(block, "except");
        if !except.is_empty() {
            ip["except"] = json!(except);
        }
        json.insert("ipBlock".into(), ip);
    }
    for (name, field) in [("namespace_selector", "namespaceSelector"), ("pod_selector", "podSelector")] {
        if let Some(block) = attrs::block(peer, name) {
            json.insert(field.into(), selector::to_json(block));
        }
    }
    Json::Object(json)
}

fn one(block: &Block, value: Value) -> Value {
    Value::list(block.ty(), vec![value])
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(json: &Json) -> Value {
    Value::list(Type::String, items(json).iter().filter_map(Json::as_str).map(string).collect())
}

fn spec_value(spec: &Json) -> Value {
    let rules = |direction: &str, peers: &'static str| {
        let block = rule_block(peers);
        let rules = items(&spec[direction]).iter().map(|rule| rule_value(&block, rule, peers)).collect();
        Value::list(block.ty(), rules)
    };
    attrs::object(
        &spec_block(),
        [
            ("policy_types", strings(&spec["policyTypes"])),
            ("pod_selector", one(&selector::content(), selector::from_json(&spec["podSelector"]))),
            ("ingress", rules("ingress", "from")),
            ("egress", rules("egress", "to")),
        ],
    )
}

fn rule_value(block: &Block, rule: &Json, peers: &'static str) -> Value {
    let (port, peer) = (port_block(), peer_block());
    let ports = items(&rule["ports"]).iter().map(|p| port_value(&port, p)).collect();
    let others = items(&rule[peers]).iter().map(|p| peer_value(&peer, p)).collect();
    attrs::object(block, [("ports", Value::list(port.ty(), ports)), (peers, Value::list(peer.ty(), others))])
}

fn port_value(block: &Block, port: &Json) -> Value {
    let text = match &port["port"] {
        Json::String(name) => string(name),
        Json::Number(n) => Value::from(n.to_string()),
        _ => Value::null(Type::String),
    };
    let end = if port["endPort"].is_number() { from_json(&port["endPort"]) } else { Value::null(Type::Number) };
    let protocol = string(port["protocol"].as_str().unwrap_or("TCP"));
    attrs::object(block, [("port", text), ("end_port", end), ("protocol", protocol)])
}

fn peer_value(block: &Block, peer: &Json) -> Value {
    let mut fields = Vec::new();
    if let Some(ip) = peer.get("ipBlock").filter(|v| v.is_object()) {
        let cidr = ip["cidr"].as_str().map_or_else(|| Value::null(Type::String), string);
        let except =
            if ip["except"].is_array() { strings(&ip["except"]) } else { Value::null(Type::list(Type::String)) };
        fields.push(("ip_block", one(&ip_block(), attrs::object(&ip_block(), [("cidr", cidr), ("except", except)]))));
    }
    for (name, field) in [("namespace_selector", "namespaceSelector"), ("pod_selector", "podSelector")] {
        if let Some(json) = peer.get(field).filter(|v| v.is_object()) {
            fields.push((name, one(&selector::content(), selector::from_json(json))));
        }
    }
    attrs::object(block, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_go_there_and_back() {
        for spec in [
            json!({"policyTypes": ["Ingress"], "podSelector": {}}),
            json!({"policyTypes": ["Ingress", "Egress"], "podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{}], "egress": [
                {"ports": [{"port": 8080, "protocol": "TCP"}, {"port": "http", "protocol": "UDP"}, {"port": 1, "endPort": 9, "protocol": "TCP"}],
                 "to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                        {"namespaceSelector": {}, "podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}]}),
        ] {
            let value = Value::object([("spec", one(&spec_block(), spec_value(&spec)))]);
            assert_eq!(value.get("spec").map(Value::ty), SCHEMA.block.blocks.get("spec").map(NestedBlock::ty));
            assert_eq!(NetworkPolicy.content(&value), json!({"spec": spec}));
        }
    }

    #[test]
    fn policy_types_are_checked() {
        let spec = attrs::object(&spec_block(), [("policy_types", Value::strings(["ingress"]))]);
        let config = Value::object([("spec", one(&spec_block(), spec))]);
        assert_eq!(NetworkPolicy.mistakes(&config).0.len(), 1);
    }
}
