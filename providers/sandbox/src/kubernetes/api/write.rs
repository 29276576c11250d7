//! Creating and replacing objects: what stands between a body and the store.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::decode;
use super::prepare;
use super::reply::{Content, Reply};
use super::resources::Resource;
use super::status::{Cause, Status};
use crate::kubernetes::admission::{self, Operation, User};
use crate::kubernetes::{life, objects::Key};
use crate::world::World;

/// A change on its way to the store. Controllers that act as clients make one too.
#[derive(Debug)]
pub struct Write<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// The resource, in the version of the body.
    pub resource: &'a Arc<Resource>,
    /// Empty for objects of the whole cluster.
    pub namespace: &'a str,
    /// `status`, `scale`; empty for the object itself.
    pub subresource: &'a str,
    /// By whom.
    pub user: &'a User,
    /// The ARN of an IAM principal, or empty.
    pub principal: &'a str,
    /// Who is recorded in `managedFields`.
    pub manager: &'a str,
    /// Whether the body has its `managedFields` already, as server-side apply made them.
    pub is_applied: bool,
}

impl<'a> Write<'a> {
    pub(super) fn of(ask: &'a Ask<'_>, manager: &'a str) -> Self {
        Self {
            cluster: ask.cluster,
            resource: &ask.resource,
            namespace: ask.namespace().unwrap_or(""),
            subresource: &ask.place.subresource,
            user: &ask.user,
            principal: &ask.principal,
            manager,
            is_applied: false,
        }
    }

    pub(super) fn key(&self, name: &str) -> Key {
        self.resource.key(self.cluster, self.namespace, name)
    }

    /// The webhooks' and plugins' word.
    pub(super) fn admit(
        &self,
        world: &World,
        operation: Operation,
        name: &str,
        old: Option<&Value>,
        object: &mut Value,
    ) -> Result<(), Status> {
        let request = admission::Request {
            cluster: self.cluster,
            resource: &self.resource.stored(),
            subresource: self.subresource,
            namespace: self.namespace,
            operation,
            user: self.user,
            old,
        };
        admission::admit(world, &request, object).map_err(|denied| {
            if denied.is_webhooks {
                return Status::new(403, "Forbidden", denied.message);
            }
            Status::forbidden(self.resource, name, &denied.message).as_denied(&denied.message)
        })
    }
}

/// Answers a POST to a collection.
pub(super) fn create_request(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let (object, warnings) = super::strict::read(ask)?;
    let manager = ask.manager();
    let created = create(world, &Write::of(ask, &manager), object)?;
    let mut reply = Reply::new(201, Content::Object(Arc::clone(&ask.resource), created, world.now));
    reply.warnings = warnings;
    Ok(reply)
}

/// Answers a PUT.
pub(super) fn update_request(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let (object, warnings) = super::strict::read(ask)?;
    let manager = ask.manager();
    let write = Write::of(ask, &manager);
    let name = &ask.place.name;
    if world.kubernetes.objects.get(&write.key(name)).is_none() && is_made_by_update(&ask.resource) {
        check_names(&object, &write, name)?;
        let created = create(world, &write, object)?;
        return Ok(Reply::new(201, Content::Object(Arc::clone(&ask.resource), created, world.now)));
    }
    let updated = replace(world, &write, name, object)?;
    let mut reply = Reply::new(200, Content::Object(Arc::clone(&ask.resource), updated, world.now));
    reply.warnings = warnings;
    Ok(reply)
}

/// Kinds whose PUT makes what is not there (`AllowCreateOnUpdate`).
fn is_made_by_update(resource: &Resource) -> bool {
    let stored = resource.stored();
    matches!(stored.as_str(), "endpoints" | "events" | "limitranges" | "leases.coordination.k8s.io")
        || resource.group == "rbac.authorization.k8s.io"
}

/// Makes an object.
///
/// # Errors
/// `BadRequest`, `NotFound` for its namespace, `Forbidden`, `Invalid`, `AlreadyExists`.
pub fn create(world: &mut World, write: &Write<'_>, mut object: Value) -> Result<Arc<Value>, Status> {
    let resource = write.resource;
    decode::identify(&mut object, &resource.api_version(), &resource.kind, resource)?;
    let mut object = super::versions::to_stored(object, resource);
    if object["metadata"]["resourceVersion"].as_str().is_some_and(|version| !matches!(version, "" | "0")) {
        return Err(Status::new(500, "", "resourceVersion should not be set on objects to be created"));
    }
    forget_system_metadata(&mut object);
    set_namespace(&mut object, write)?;
    check_namespace(world, write, &object)?;
    let name = name(world, write, &mut object);
    super::strict::default(&mut object, resource);
    prepare::decoded(write, &name, &mut object);
    // What the server itself sets from here on belongs to nobody.
    if !write.is_applied {
        super::strict::record(world, write, None, &mut object);
    }
    prepare::create(world, write, &mut object)?;
    write.admit(world, Operation::Create, &name, None, &mut object)?;
    super::escalation::check(world, write, None, &object)?;
    let mut causes = super::strict::validate(resource, &object, None);
    causes.extend(super::event_rules::check(resource, &object));
    if !causes.is_empty() {
        return Err(Status::invalid(&as_refused(resource), &name, &causes));
    }
    let key = write.key(&name);
    if world.kubernetes.objects.get(&key).is_some() {
        return Err(Status::already_exists(resource, &name));
    }
    prepare::allocate(world, write, None, &mut object)?;
    Ok(life::create(world, &key, object))
}

/// Mistakes in an event are those of the older group's.
fn as_refused(resource: &Arc<Resource>) -> Arc<Resource> {
    match resource.group.as_str() {
        "events.k8s.io" => super::resources::builtin("", "v1", "events").expect("the core group has events"),
        _ => Arc::clone(resource),
    }
}

/// Replaces an object, or the part of it that a subresource is.
///
/// # Errors
/// `NotFound`, `BadRequest`, `Conflict`, `Forbidden`, `Invalid`.
pub fn replace(world: &mut World, write: &Write<'_>, name: &str, mut object: Value) -> Result<Arc<Value>, Status> {
    let resource = write.resource;
    let key = write.key(name);
    let old = world.kubernetes.objects.get(&key).cloned().ok_or_else(|| Status::not_found(resource, name))?;
    decode::identify(&mut object, &resource.api_version(), &resource.kind, resource)?;
    let mut object = super::versions::to_stored(object, resource);
    check_names(&object, write, name)?;
    check_version(&object, &old, write, name)?;
    keep_system_metadata(&mut object, &old, write);
    keep_other_parts(&mut object, &old, write);
    super::strict::default(&mut object, resource);
    prepare::decoded(write, name, &mut object);
    if !write.is_applied {
        super::strict::record(world, write, Some(&old), &mut object);
    }
    prepare::update(world, write, &old, &mut object)?;
    write.admit(world, Operation::Update, name, Some(&old), &mut object)?;
    super::escalation::check(world, write, Some(&old), &object)?;
    let seen = super::pod_parts::allowed(write.subresource, &old, &object);
    let mut causes = super::strict::validate(resource, &object, Some(seen.as_ref().unwrap_or(&old)));
    causes.extend(super::pod_parts::check(write.subresource, &old, &object));
    causes.extend(super::immutable::check(resource, &old, &object));
    causes.extend(new_finalizers(&old, &object));
    if !causes.is_empty() {
        return Err(Status::invalid(resource, name, &causes));
    }
    prepare::allocate(world, write, Some(&old), &mut object)?;
    life::update(world, &key, |it| *it = object).ok_or_else(|| Status::not_found(resource, name))
}

/// What is being deleted gets no new finalizers.
fn new_finalizers(old: &Value, object: &Value) -> Vec<Cause> {
    if old["metadata"].get("deletionTimestamp").is_none() {
        return Vec::new();
    }
    let names = |of: &Value| of["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let before = names(old);
    let new: Vec<String> =
        names(object).iter().filter(|name| !before.contains(name)).map(ToString::to_string).collect();
    let why = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        new.join(", ")
    );
    let cause = || Cause::forbidden("metadata.finalizers", &why);
    // Metadata is looked at for all kinds, and by the kind's own rules once more.
    if new.is_empty() { Vec::new() } else { vec![cause(), cause()] }
}

/// A request without a name in its body means that of its path.
fn check_names(object: &Value, write: &Write<'_>, name: &str) -> Result<(), Status> {
    let metadata = &object["metadata"];
    let sent = metadata["name"].as_str().unwrap_or("");
    if sent.is_empty() && write.subresource.is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )));
    }
    if !sent.is_empty() && sent != name {
        return Err(Status::bad_request(format!(
            "the name of the object ({sent}) does not match the name on the URL ({name})"
        )));
    }
    check_namespace_name(metadata, write)
}

fn check_namespace_name(metadata: &Value, write: &Write<'_>) -> Result<(), Status> {
    let sent = metadata["namespace"].as_str().unwrap_or("");
    if write.resource.is_namespaced && !sent.is_empty() && sent != write.namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

fn check_version(object: &Value, old: &Value, write: &Write<'_>, name: &str) -> Result<(), Status> {
    let (new, old) = (&object["metadata"], &old["metadata"]);
    let sent = new["resourceVersion"].as_str().filter(|version| !matches!(*version, "" | "0"));
    if let Some(sent) = sent.filter(|sent| sent.parse::<u64>().is_err()) {
        return Err(Status::new(500, "", format!("strconv.ParseUint: parsing \"{sent}\": invalid syntax")));
    }
    match sent {
        None if needs_version(write.resource) => {
            let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
            // Here the API server names the resource and not the kind.
            let mut named = Resource::clone(write.resource);
            named.kind.clone_from(&named.plural);
            return Err(Status::invalid(&named, name, &[cause]));
        }
        Some(sent) if old["resourceVersion"] != sent => return Err(Status::modified(write.resource, name)),
        _ => {}
    }
    match new["uid"].as_str().filter(|uid| !uid.is_empty()) {
        Some(uid) if old["uid"] != uid => {
            let is = old["uid"].as_str().unwrap_or("");
            let place = [write.namespace, name].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("/");
            let key = format!("/registry/{}/{place}", write.resource.plural);
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {is}"
            );
            Err(Status::conflict(write.resource, name, &why))
        }
        _ => Ok(()),
    }
}

/// Kinds that are only replaced by who has seen them (`AllowUnconditionalUpdate` is false).
fn needs_version(resource: &Resource) -> bool {
    resource.definition.is_some()
        || matches!(
            resource.stored().as_str(),
            "leases.coordination.k8s.io"
                | "customresourcedefinitions.apiextensions.k8s.io"
                | "poddisruptionbudgets.policy"
                | "apiservices.apiregistration.k8s.io"
                | "csidrivers.storage.k8s.io"
                | "csinodes.storage.k8s.io"
                | "volumeattachments.storage.k8s.io"
                | "runtimeclasses.node.k8s.io"
                | "flowschemas.flowcontrol.apiserver.k8s.io"
                | "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"
        )
}

fn forget_system_metadata(object: &mut Value) {
    let metadata = metadata(object);
    for member in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "selfLink",
    ] {
        metadata.remove(member);
    }
}

/// What only the server sets stays as it was.
fn keep_system_metadata(object: &mut Value, old: &Value, write: &Write<'_>) {
    let metadata = metadata(object);
    metadata.remove("selfLink");
    for member in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "generateName",
    ] {
        match old["metadata"].get(member) {
            Some(value) => drop(metadata.insert(member.to_owned(), value.clone())),
            None => drop(metadata.remove(member)),
        }
    }
    if !metadata.contains_key("managedFields")
        && let Some(managed) = old["metadata"].get("managedFields")
    {
        metadata.insert("managedFields".to_owned(), managed.clone());
    }
    if !write.resource.is_namespaced {
        metadata.remove("namespace");
    }
}

/// Of a subresource only its part is taken, and of the object itself everything but the parts that are apart.
fn keep_other_parts(object: &mut Value, old: &Value, write: &Write<'_>) {
    let resource = write.resource;
    match write.subresource {
        "status" => {
            let (status, sent) = (object["status"].take(), object["metadata"].clone());
            *object = old.clone();
            set(object, "status", status);
            // Kubelet writes labels and annotations with the status; what is recorded of managers comes with any.
            let more: &[&str] = match resource.stored().as_str() {
                "pods" | "nodes" => &["labels", "annotations", "finalizers", "managedFields"],
                _ => &["managedFields"],
            };
            for member in more {
                set(&mut object["metadata"], member, sent.get(*member).cloned().unwrap_or(Value::Null));
            }
        }
        "ephemeralcontainers" | "resize" => {
            let sent = object.take();
            *object = super::pod_parts::taken(write.subresource, old, &sent);
        }
        "" if resource.subresource("status").is_some() => {
            set(object, "status", old.get("status").cloned().unwrap_or(Value::Null));
        }
        _ => {}
    }
}

/// Sets a member; `null` removes it.
pub(super) fn set(object: &mut Value, member: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        match value {
            Value::Null => drop(members.remove(member)),
            value => drop(members.insert(member.to_owned(), value)),
        }
    }
}

/// The metadata, made where it is missing.
pub(super) fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata.as_object_mut().expect("it is an object since the line before")
}

fn set_namespace(object: &mut Value, write: &Write<'_>) -> Result<(), Status> {
    check_namespace_name(&object["metadata"], write)?;
    if write.resource.is_namespaced {
        metadata(object).insert("namespace".to_owned(), json!(write.namespace));
    } else {
        metadata(object).remove("namespace");
    }
    Ok(())
}

/// Nothing is made in a namespace that is not there or goes (admission plugin `NamespaceLifecycle`).
fn check_namespace(world: &World, write: &Write<'_>, object: &Value) -> Result<(), Status> {
    if !write.resource.is_namespaced {
        return Ok(());
    }
    let namespaces = super::resources::builtin("", "v1", "namespaces").expect("the core group has namespaces");
    let found = world.kubernetes.objects.get(&namespaces.key(write.cluster, "", write.namespace));
    let found = found.ok_or_else(|| Status::not_found(&namespaces, write.namespace))?;
    if found["metadata"]["deletionTimestamp"].is_null() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    let namespace = write.namespace;
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut status = Status::forbidden(write.resource, name, &why);
    status.details["causes"] = json!([{
        "reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace",
    }]);
    Err(status)
}

/// The name, made out of `generateName` where it is missing.
fn name(world: &mut World, write: &Write<'_>, object: &mut Value) -> String {
    let metadata = metadata(object);
    if let Some(name) = metadata.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    let Some(prefix) = metadata.get("generateName").and_then(Value::as_str).filter(|it| !it.is_empty()) else {
        return String::new();
    };
    // A name has room for 63 letters, of which five are random.
    let prefix: String = prefix.chars().take(58).collect();
    let name = loop {
        let name = format!("{prefix}{}", suffix(world));
        if world.kubernetes.objects.get(&write.key(&name)).is_none() {
            break name;
        }
    };
    metadata.insert("name".to_owned(), json!(name));
    name
}

/// Five letters and digits that make no words.
pub(super) fn suffix(world: &mut World) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    world.ids.bytes()[..5].iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}
