//! Deleting one object or a collection of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ask::Ask;
use super::read::{Filter, existing};
use super::reply::{Content, List, Reply};
use super::resources::Resource;
use super::status::{Cause, Status, details};
use super::write::Write;
use crate::kubernetes::admission::Operation;
use crate::kubernetes::life::{self, Deletion, Propagation};
use crate::world::World;

/// Answers a DELETE of one object.
pub(super) fn one(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let old = existing(world, ask)?;
    let mut options = Options::read(ask)?;
    let warnings = options.keep_pods(&ask.resource);
    let manager = ask.manager();
    let deleted = delete(world, &Write::of(ask, &manager), &old, &options)?;
    let is_gone = world.kubernetes.objects.get(&Write::of(ask, &manager).key(&ask.place.name)).is_none();
    if is_gone && !answers_object(&ask.resource) {
        return Ok(Reply::json(200, success(&ask.resource, &old)));
    }
    let mut reply = Reply::new(200, Content::Object(Arc::clone(&ask.resource), deleted, world.now));
    reply.warnings = warnings;
    Ok(reply)
}

/// Answers a DELETE of a collection: what its selectors choose.
pub(super) fn collection(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let filter = Filter::read(ask)?;
    let options = Options::read(ask)?;
    let chosen: Vec<Arc<Value>> = filter.objects(&world.kubernetes.objects, ask.cluster).cloned().collect();
    let mut items = Vec::new();
    let manager = ask.manager();
    for object in chosen {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("");
        let write = Write { namespace, ..Write::of(ask, &manager) };
        items.push(delete(world, &write, &object, &options)?);
    }
    let resource = Arc::clone(&ask.resource);
    let revision = world.kubernetes.objects.revision(ask.cluster);
    Ok(Reply::new(200, Content::List(List { resource, items, revision, next: None, remaining: None, now: world.now })))
}

/// `DeleteOptions`, from the body or the query.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub how: Deletion,
    pub uid: Option<String>,
    pub version: Option<String>,
    /// Whether the request says what becomes of dependents.
    pub has_policy: bool,
}

impl Options {
    fn read(ask: &Ask<'_>) -> Result<Self, Status> {
        let body = Self::body(ask)?;
        let mut options = Self::of(&body)?;
        let (policy, orphan) = ("propagationPolicy", "orphanDependents");
        let given = |name: &str| ask.query.get(name).is_some() || !body[name].is_null();
        if given(policy) && given(orphan) {
            let sent = ask.query.get(policy).map_or_else(|| body[policy].clone(), Value::from);
            return Err(contradictory(&sent));
        }
        if let Some(text) = ask.query.get("gracePeriodSeconds").filter(|_| body["gracePeriodSeconds"].is_null()) {
            let refuse = |_| Status::bad_request(super::read::no_integer(text, "ParseInt"));
            // Less than nothing is the least.
            options.how.grace = Some(u64::try_from(text.parse::<i64>().map_err(refuse)?).unwrap_or(1));
        }
        if let Some(policy) = ask.query.get("propagationPolicy") {
            options.how.propagation = propagation(policy)?;
        }
        if ask.query.is_on("orphanDependents") {
            options.how.propagation = Propagation::Orphan;
        }
        options.has_policy = given(policy) || given(orphan);
        Ok(options)
    }

    /// The pods of a job outlive it unless somebody says otherwise, which people do not expect (`jobStrategy`).
    fn keep_pods(&mut self, resource: &Resource) -> Vec<String> {
        if resource.stored() != "jobs.batch" || self.has_policy {
            return Vec::new();
        }
        self.how.propagation = Propagation::Orphan;
        let warning = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";
        vec![warning.to_owned()]
    }

    fn body(ask: &Ask<'_>) -> Result<Value, Status> {
        if ask.body.is_empty() {
            return Ok(Value::Null);
        }
        if matches!(ask.content_type(), "" | "application/json") {
            let refuse = |why: String| Status::bad_request(super::decode::parse_error(&why));
            super::decode::json(ask.body).map_err(refuse)?;
        }
        let body = super::decode::object(ask)?;
        let text = |member: &str| body[member].as_str().unwrap_or("");
        if !matches!(text("kind"), "" | "DeleteOptions") {
            return Err(Status::bad_request(format!(
                "no kind \"{}\" is registered for version \"{}\" in scheme \"pkg/runtime/scheme.go:111\"",
                text("kind"),
                text("apiVersion")
            )));
        }
        Ok(body)
    }

    /// Reads a `DeleteOptions` object.
    pub fn of(body: &Value) -> Result<Self, Status> {
        let mut options = Self::default();
        options.how.grace = body["gracePeriodSeconds"].as_u64();
        if let Some(policy) = body["propagationPolicy"].as_str() {
            options.how.propagation = propagation(policy)?;
        } else if body["orphanDependents"] == true {
            options.how.propagation = Propagation::Orphan;
        }
        let precondition = |name: &str| body["preconditions"][name].as_str().map(str::to_owned);
        (options.uid, options.version) = (precondition("uid"), precondition("resourceVersion"));
        Ok(options)
    }
}

fn contradictory(policy: &Value) -> Status {
    let pods = super::resources::builtin("", "v1", "pods").expect("the core group has pods");
    let mut options = Resource::clone(&pods);
    (options.kind, options.group) = ("DeleteOptions".to_owned(), "meta.k8s.io".to_owned());
    let why = "orphanDependents and deletionPropagation cannot be both set";
    Status::invalid(&options, "", &[Cause::invalid("propagationPolicy", policy, why)])
}

fn propagation(policy: &str) -> Result<Propagation, Status> {
    match policy {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let why = format!(
                "Unsupported value: \"{other}\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            Err(Status::options_of("DeleteOptions", &[Cause::new("FieldValueNotSupported", "propagationPolicy", why)]))
        }
    }
}

/// Deletes one object, after preconditions and admission.
pub(super) fn delete(
    world: &mut World,
    write: &Write<'_>,
    old: &Arc<Value>,
    options: &Options,
) -> Result<Arc<Value>, Status> {
    let metadata = &old["metadata"];
    let name = metadata["name"].as_str().unwrap_or("").to_owned();
    for (what, asked, is, story) in [
        ("UID", &options.uid, &metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", &options.version, &metadata["resourceVersion"], "modified"),
    ] {
        if let Some(asked) = asked
            && is != asked.as_str()
        {
            let is = is.as_str().unwrap_or("");
            let why = format!(
                "the {what} in the precondition ({asked}) does not match the {what} in record ({is}). The object might have been {story}"
            );
            // Here the API server names the kind and not the resource.
            let mut kind = Resource::clone(write.resource);
            kind.plural.clone_from(&write.resource.kind);
            return Err(Status::conflict(&kind, &name, &why));
        }
    }
    if write.resource.stored() == "namespaces" && matches!(name.as_str(), "default" | "kube-system" | "kube-public") {
        return Err(Status::forbidden(write.resource, &name, "this namespace may not be deleted"));
    }
    let mut object = Value::clone(old);
    write.admit(world, Operation::Delete, &name, Some(old), &mut object)?;
    let key = write.key(&name);
    life::delete(world, &key, options.how).ok_or_else(|| Status::not_found(write.resource, &name))
}

/// Kinds whose deletion answers the object even when it is gone at once (`ReturnDeletedObject`).
fn answers_object(resource: &Resource) -> bool {
    matches!(
        resource.stored().as_str(),
        "pods"
            | "services"
            | "serviceaccounts"
            | "persistentvolumes"
            | "persistentvolumeclaims"
            | "podtemplates"
            | "resourcequotas"
            | "storageclasses.storage.k8s.io"
            | "csinodes.storage.k8s.io"
            | "volumeattachments.storage.k8s.io"
    )
}

fn success(resource: &Resource, old: &Value) -> Value {
    let mut details = details(old["metadata"]["name"].as_str().unwrap_or(""), &resource.group, &resource.plural);
    details["uid"] = old["metadata"]["uid"].clone();
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
