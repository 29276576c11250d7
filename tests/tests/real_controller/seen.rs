//! What is seen of pods and nodes, told so that two sides can be compared.

use super::names::Names;
use super::nodes::POD_ENI;
use super::region::Region;
use regex::Regex;
use serde_json::{Map, Value, json};
use sgp_tests::world::{Result, texts};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What is seen, by row or node.
pub type Seen = BTreeMap<String, Value>;

/// Everything that is looked at, as it is at one moment.
pub struct Picture<'a> {
    names: &'a Names,
    events: Vec<Value>,
    /// Interfaces by id, as EC2 describes them.
    interfaces: BTreeMap<String, Value>,
    /// Trunk, VLAN and protocol by branch.
    associations: BTreeMap<String, Value>,
}

static GROUPS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"Security Groups \[([^\]]*)\]").unwrap());

impl<'a> Picture<'a> {
    /// Looks.
    pub fn take(region: &'a Region) -> Result<Self> {
        let side = &region.side;
        let events = side.kubernetes("GET", "/api/v1/events", None)?["items"].as_array().cloned().unwrap_or_default();
        let described = items(&side.aws("ec2", "DescribeNetworkInterfaces", &[])?, "networkInterfaceSet");
        let by = |member: &'static str| move |it: Value| (it[member].as_str().unwrap_or_default().to_owned(), it);
        let interfaces = described.into_iter().map(by("networkInterfaceId")).collect();
        let answer = side.aws("ec2", "DescribeTrunkInterfaceAssociations", &[])?;
        let associations = items(&answer, "interfaceAssociationSet").into_iter().map(by("branchInterfaceId")).collect();
        Ok(Self { names: &region.names, events, interfaces, associations })
    }

    /// The controller's events about an object, with how often each was told.
    pub fn events(&self, kind: &str, namespace: &str, name: &str, is_ordered: bool) -> Value {
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        for event in self.events.iter().filter(|it| is_about(it, kind, namespace, name)) {
            let text = |member: &Value| member.as_str().unwrap_or_default().to_owned();
            let mut message = self.names.tell(&text(&event["message"]));
            if !is_ordered {
                message = GROUPS
                    .replace(&message, |it: &regex::Captures<'_>| format!("Security Groups [{}]", sorted(&it[1], ' ')))
                    .into_owned();
            }
            let line = format!(
                "{} {} {}: {message}",
                text(&event["source"]["component"]),
                text(&event["type"]),
                text(&event["reason"])
            );
            *told.entry(line).or_default() += event["count"].as_u64().unwrap_or(1);
        }
        json!(told)
    }

    /// How often the controller told something of a pod.
    pub fn count(&self, namespace: &str, name: &str, reason: &str) -> u64 {
        count(self.events.iter(), namespace, name, reason)
    }

    /// A pod: what it asks for, its annotations, its branch interfaces and the events about it.
    pub fn pod(&self, pod: &Value, is_ordered: bool) -> Value {
        let (namespace, name) =
            (pod["metadata"]["namespace"].as_str().unwrap(), pod["metadata"]["name"].as_str().unwrap());
        let annotation = pod["metadata"]["annotations"][POD_ENI].as_str().unwrap_or("[]");
        let branches: Vec<Value> = ids(annotation).iter().map(|id| self.interface(id, is_ordered)).collect();
        let annotations = pod["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        let annotations: Map<String, Value> = annotations
            .into_iter()
            .filter(|(name, _)| name.contains("amazonaws.com/"))
            .map(|(name, text)| {
                let told = self.names.tell(text.as_str().unwrap_or_default());
                let told = if is_ordered || !name.starts_with("fargate") { told } else { sorted(&told, ',') };
                (name, json!(told))
            })
            .collect();
        json!({
            "asks": asks(pod), "annotations": annotations, "branches": branches,
            "events": self.events("Pod", namespace, name, is_ordered),
        })
    }

    /// An interface as EC2 describes it, with its place on the trunk.
    pub fn interface(&self, id: &str, is_ordered: bool) -> Value {
        let Some(found) = self.interfaces.get(id) else { return json!("gone") };
        let mut found = found.clone();
        found["association"] = self.associations.get(id).cloned().unwrap_or_default();
        let mut told = self.told(&found);
        for list in ["tagSet"].into_iter().chain((!is_ordered).then_some("groupSet")) {
            if let Some(list) = told[list].as_array_mut() {
                list.sort_by_key(Value::to_string);
            }
        }
        told
    }

    /// The trunk of an instance, as it is told.
    pub fn trunk(&self, instance: &str) -> Value {
        let mut own = self
            .interfaces
            .values()
            .filter(|it| it["attachment"]["instanceId"] == instance && it["interfaceType"] == "trunk");
        own.next().map_or(Value::Null, |it| self.interface(it["networkInterfaceId"].as_str().unwrap_or_default(), true))
    }

    /// The groups of a branch by name.
    pub fn groups(&self, id: &str) -> Vec<String> {
        let groups = self.interfaces.get(id).and_then(|it| it["groupSet"].as_array()).cloned().unwrap_or_default();
        groups.iter().map(|it| self.names.tell(it["groupId"].as_str().unwrap_or_default())).collect()
    }

    /// A value with names for ids.
    pub fn told(&self, value: &Value) -> Value {
        self.names.told(value)
    }
}

/// How often the controller told something of a pod, by events.
pub fn count<'a>(events: impl Iterator<Item = &'a Value>, namespace: &str, name: &str, reason: &str) -> u64 {
    let events = events.filter(|it| is_about(it, "Pod", namespace, name) && it["reason"] == reason);
    events.map(|it| it["count"].as_u64().unwrap_or(1)).sum()
}

/// The ids of the branch interfaces that there are.
pub fn branches(region: &Region) -> Result<Vec<String>> {
    let params = [("Filter.1.Name", "description"), ("Filter.1.Value.1", "aws-k8s-branch-eni")];
    Ok(texts(&region.side.aws("ec2", "DescribeNetworkInterfaces", &params)?, "networkInterfaceId"))
}

/// The interfaces that an annotation names.
pub fn ids(annotation: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(annotation).unwrap_or_default();
    let list = list.as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|it| it["eniId"].as_str().map(str::to_owned)).collect()
}

/// What the containers of a pod ask of AWS.
fn asks(pod: &Value) -> Value {
    let of = |amounts: &Value| -> Map<String, Value> {
        let amounts = amounts.as_object().cloned().unwrap_or_default();
        amounts.into_iter().filter(|(name, _)| name.contains("amazonaws.com/")).collect()
    };
    let mut asks = Map::new();
    for kind in ["initContainers", "containers"] {
        for container in pod["spec"][kind].as_array().into_iter().flatten() {
            let name = format!("{kind}/{}", container["name"].as_str().unwrap_or_default());
            let resources = &container["resources"];
            asks.insert(name, json!({ "limits": of(&resources["limits"]), "requests": of(&resources["requests"]) }));
        }
    }
    asks.into()
}

fn is_about(event: &Value, kind: &str, namespace: &str, name: &str) -> bool {
    let about = &event["involvedObject"];
    let component = event["source"]["component"].as_str().unwrap_or_default();
    component.contains("resource-controller")
        && about["kind"] == kind
        && about["name"] == name
        && (namespace.is_empty() || about["namespace"] == namespace)
}

fn sorted(text: &str, separator: char) -> String {
    let mut parts: Vec<&str> = text.split(separator).collect();
    parts.sort_unstable();
    parts.join(&separator.to_string())
}

/// The items of a set of an answer of EC2.
fn items(answer: &str, set: &str) -> Vec<Value> {
    let document = roxmltree::Document::parse(answer).unwrap();
    let set = document.root_element().children().find(|it| it.has_tag_name(set) || it.tag_name().name() == set);
    set.into_iter().flat_map(|set| set.children().filter(roxmltree::Node::is_element).map(value)).collect()
}

/// An element as a value: a list of items, members by name, or text.
fn value(element: roxmltree::Node<'_, '_>) -> Value {
    let children: Vec<_> = element.children().filter(roxmltree::Node::is_element).collect();
    if children.is_empty() {
        return json!(element.text().unwrap_or_default());
    }
    if children.iter().all(|it| it.tag_name().name() == "item") {
        return children.into_iter().map(value).collect();
    }
    children.into_iter().map(|it| (it.tag_name().name().to_owned(), value(it))).collect::<Map<_, _>>().into()
}
