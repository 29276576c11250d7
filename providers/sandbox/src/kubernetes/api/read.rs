//! Reading: one object, and lists by page, selector and revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::{Content, List, Reply};
use super::status::{Cause, Status};
use super::{fields, labels};
use crate::kubernetes::objects::{Kind, Objects};
use crate::world::World;

/// Which objects of a resource a request means.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// The stored resource.
    pub stored: String,
    /// `None` is all namespaces.
    pub namespace: Option<String>,
    pub labels: labels::Selector,
    pub fields: fields::Selector,
}

impl Filter {
    /// Reads the selectors of a request.
    pub fn read(ask: &Ask<'_>) -> Result<Self, Status> {
        Ok(Self {
            stored: ask.resource.stored(),
            namespace: ask.namespace().map(str::to_owned),
            labels: labels::Selector::read(ask.query.get("labelSelector").unwrap_or(""))?,
            fields: fields::Selector::read(ask.query.get("fieldSelector").unwrap_or(""), &ask.resource)?,
        })
    }

    /// Whether the selectors choose an object that is in the right place.
    pub fn fits(&self, object: &Value) -> bool {
        self.labels.fits(object) && self.fields.fits(object)
    }

    fn has_selector(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    /// Whether a stored place is in the collection.
    pub fn holds(&self, resource: &str, namespace: &str) -> bool {
        resource == self.stored && self.namespace.as_deref().is_none_or(|it| it == namespace)
    }

    /// The objects that it chooses now, by namespace and name.
    pub fn objects<'a>(
        &'a self,
        objects: &'a Objects,
        cluster: &'a str,
    ) -> Box<dyn Iterator<Item = &'a Arc<Value>> + 'a> {
        let on_node = self.fields.exact("spec.nodeName").filter(|node| self.stored == "pods" && !node.is_empty());
        match on_node {
            Some(node) => {
                let found = objects.with(cluster, &format!("node={node}"));
                let found = found.filter(|(key, _)| self.holds(&key.resource, &key.namespace));
                Box::new(found.map(|(_, object)| object).filter(|object| self.fits(object)))
            }
            None => {
                let found = objects.list(cluster, &self.stored, self.namespace.as_deref());
                Box::new(found.filter(|object| self.fits(object)))
            }
        }
    }
}

/// Answers one object.
pub(super) fn get(world: &World, ask: &Ask<'_>) -> Result<Reply, Status> {
    if let Some(version) = ask.query.get("resourceVersion") {
        let asked = number(version).map_err(|why| Status::new(500, "", why))?;
        let current = world.kubernetes.objects.revision(ask.cluster);
        if asked > current {
            return Err(too_large(asked, current));
        }
    }
    let object = existing(world, ask)?;
    Ok(Reply::new(200, Content::Object(Arc::clone(&ask.resource), object, world.now)))
}

/// What Go says of a text that is no number.
pub(super) fn no_integer(text: &str, function: &str) -> String {
    format!("strconv.{function}: parsing \"{text}\": invalid syntax")
}

/// A resource version as a number, or what is wrong with it.
pub(super) fn number(version: &str) -> Result<u64, String> {
    let wrong = |_| format!("resourceVersion: Invalid value: \"{version}\": {}", no_integer(version, "ParseUint"));
    version.parse::<u64>().map_err(wrong)
}

/// The object that a request names.
pub(super) fn existing(world: &World, ask: &Ask<'_>) -> Result<Arc<Value>, Status> {
    let key = ask.resource.key(ask.cluster, &ask.place.namespace, &ask.place.name);
    let object = world.kubernetes.objects.get(&key);
    object.cloned().ok_or_else(|| Status::not_found(&ask.resource, &ask.place.name))
}

/// Answers a list.
pub(super) fn list(world: &World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let objects = &world.kubernetes.objects;
    let filter = Filter::read(ask)?;
    let limit = match ask.query.get("limit").map(|text| (text, text.parse::<i64>())) {
        None => 0,
        // A limit below zero is none.
        Some((_, Ok(limit))) => usize::try_from(limit).unwrap_or(0),
        Some((text, Err(_))) => return Err(Status::bad_request(no_integer(text, "ParseInt"))),
    };
    let from = Position::of_request(ask, objects.revision(ask.cluster))?;
    let current = objects.revision(ask.cluster);
    let items: Vec<Arc<Value>> = if from.revision == current {
        filter.objects(objects, ask.cluster).skip_while(|object| place(object) <= from.after).cloned().collect()
    } else {
        let items = past(objects, ask.cluster, &filter, from.revision).ok_or_else(|| from.expired(current))?;
        items.into_iter().skip_while(|object| place(object) <= from.after).collect()
    };
    let (mut items, mut next, mut remaining) = (items, None, None);
    if limit > 0 && items.len() > limit {
        remaining = (!filter.has_selector()).then(|| items.len() - limit);
        items.truncate(limit);
        next = items.last().map(|last| Position { revision: from.revision, after: place(last) }.token());
    }
    let revision = from.revision;
    let resource = Arc::clone(&ask.resource);
    Ok(Reply::new(200, Content::List(List { resource, items, revision, next, remaining, now: world.now })))
}

/// What contradicts itself in the options of a list. Source: `ValidateListOptions`.
fn check_options(ask: &Ask<'_>) -> Result<(), Status> {
    let given = |name: &str| ask.query.get(name).filter(|value| !value.is_empty());
    let (version, how) = (given("resourceVersion"), given("resourceVersionMatch"));
    let refused = |field: &str, why: &str| Err(Status::options(&[Cause::forbidden(field, why)]));
    if ask.query.get("sendInitialEvents").is_some() {
        return refused("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
    let Some(how) = how else { return Ok(()) };
    let field = "resourceVersionMatch";
    match how {
        _ if given("continue").is_some() => {
            refused(field, "resourceVersionMatch is forbidden when continue is provided")
        }
        _ if version.is_none() => {
            refused(field, "resourceVersionMatch is forbidden unless resourceVersion is provided")
        }
        "Exact" if version == Some("0") => {
            refused(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
        }
        "Exact" | "NotOlderThan" => Ok(()),
        other => {
            let why = format!("Unsupported value: \"{other}\": supported values: \"Exact\", \"NotOlderThan\", \"\"");
            Err(Status::options(&[Cause::new("FieldValueNotSupported", field, why)]))
        }
    }
}

/// Where an object stands in a list.
fn place(object: &Value) -> String {
    let metadata = &object["metadata"];
    format!("{}/{}", metadata["namespace"].as_str().unwrap_or(""), metadata["name"].as_str().unwrap_or(""))
}

/// Where a page begins: the revision that all pages show, and the last object before it.
struct Position {
    revision: u64,
    after: String,
}

impl Position {
    fn of_request(ask: &Ask<'_>, current: u64) -> Result<Self, Status> {
        check_options(ask)?;
        let (version, how) = (ask.query.get("resourceVersion"), ask.query.get("resourceVersionMatch"));
        if let Some(token) = ask.query.get("continue") {
            if version.is_some_and(|version| !matches!(version, "" | "0")) {
                return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
            }
            let invalid = || Status::bad_request("invalid continue token: continue key is not valid");
            return Self::read(token).ok_or_else(invalid);
        }
        let invalid = |why: String| Status::bad_request(format!("invalid resource version: {why}"));
        let number = version.map_or(Ok(0), number).map_err(invalid)?;
        if number > current {
            return Err(too_large(number, current));
        }
        let revision = if how == Some("Exact") { number } else { current };
        Ok(Self { revision, after: String::new() })
    }

    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!({ "v": "meta.k8s.io/v1", "rv": self.revision, "start": self.after }).to_string())
    }

    fn read(token: &str) -> Option<Self> {
        let text = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).ok()?;
        let token: Value = serde_json::from_slice(&text).ok()?;
        Some(Self { revision: token["rv"].as_u64()?, after: token["start"].as_str()?.to_owned() })
    }

    /// What is said when the revision is not kept any more; the token in it goes on with what is there now.
    fn expired(&self, current: u64) -> Status {
        if self.after.is_empty() {
            return Status::expired(format!(
                "The resourceVersion for the provided list is too old: {}.",
                self.revision
            ));
        }
        let mut status = Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        );
        status.next = Some(Self { revision: current, after: self.after.clone() }.token());
        status
    }
}

fn too_large(asked: u64, current: u64) -> Status {
    let mut status =
        Status::new(504, "Timeout", format!("Timeout: Too large resource version: {asked}, current: {current}"));
    let cause = json!({ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" });
    status.details = json!({ "causes": [cause], "retryAfterSeconds": 1 });
    status
}

/// The objects as they were: today's, with the changes since undone. `None` when these are not kept any more.
fn past(objects: &Objects, cluster: &str, filter: &Filter, revision: u64) -> Option<Vec<Arc<Value>>> {
    let mut before: BTreeMap<String, Option<Arc<Value>>> = BTreeMap::new();
    for event in objects.changes_after(cluster, revision).ok()? {
        if filter.holds(&event.key.resource, &event.key.namespace) {
            let was = if event.kind == Kind::Added { None } else { event.before.clone() };
            before.entry(format!("{}/{}", event.key.namespace, event.key.name)).or_insert(was);
        }
    }
    let today = objects.list(cluster, &filter.stored, filter.namespace.as_deref());
    let mut all: BTreeMap<String, Arc<Value>> = today.map(|object| (place(object), Arc::clone(object))).collect();
    for (place, was) in before {
        match was {
            Some(object) => drop(all.insert(place, object)),
            None => drop(all.remove(&place)),
        }
    }
    Some(all.into_values().filter(|object| filter.fits(object)).collect())
}
