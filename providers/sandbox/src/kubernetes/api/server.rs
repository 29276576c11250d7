//! One request from its arrival to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};

use super::ask::Ask;
use super::authenticate::Sender;
use super::path::{self, Place, Query};
use super::reply::{Content, Reply, Shape, render};
use super::resources::{self, Resource};
use super::status::Status;
use super::{authenticate, authorize, delete, discovery, patches, read, watch, write};
use crate::sandbox::Sandbox;
use crate::server::body::Body;
use crate::world::World;

/// Why a transaction is undone.
enum Stop {
    /// The request is refused.
    Refused(Status),
    /// It was a rehearsal; this would have been the answer.
    Rehearsed(Reply),
}

impl From<Status> for Stop {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// Serves one request to a cluster.
pub async fn serve(sandbox: Sandbox, cluster: String, request: Request<Bytes>) -> Response<Body> {
    let query = Query::read(request.uri().query().unwrap_or(""));
    let is_swagger = request.uri().path() == "/openapi/v2";
    if is_swagger {
        super::swagger::prepare();
    }
    let is_health = discovery::is_health(request.uri().path());
    let shape = match Shape::read(request.headers(), request.uri().path(), &query) {
        Ok(shape) => shape,
        Err(_) if is_swagger || is_health => Shape::Plain,
        Err(status) => return render(Reply::refusal(&status), &Shape::Plain),
    };
    let answer = sandbox
        .with(|world| {
            let sender = authenticate::sender(world, &cluster, &request);
            match path::read(request.uri().path()) {
                Some(place) => resource_request(world, &cluster, &request, sender?, place, query),
                None => other_request(world, &cluster, &request, sender),
            }
        })
        .await;
    let reply = match answer {
        Ok(reply) | Err(Stop::Rehearsed(reply)) => reply,
        Err(Stop::Refused(status)) => Reply::refusal(&status),
    };
    match reply.content {
        Content::Watch(plan) => watch::stream(sandbox, cluster, *plan, shape),
        _ => render(reply, &shape),
    }
}

/// Discovery, health, documents.
fn other_request(
    world: &mut World,
    cluster: &str,
    request: &Request<Bytes>,
    sender: Result<Sender, Status>,
) -> Result<Reply, Stop> {
    let path = request.uri().path();
    if !discovery::is_public(path) {
        let sender = authorize::impersonated(world, cluster, sender?, request.headers())?;
        authorize::path(world, cluster, &sender, &request.method().as_str().to_lowercase(), path)?;
    }
    let takes_any = path.trim_matches('/') == "apis";
    if !takes_any && request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Status::method_not_allowed().into());
    }
    Ok(discovery::answer(world, cluster, request)?)
}

fn resource_request(
    world: &mut World,
    cluster: &str,
    request: &Request<Bytes>,
    sender: Sender,
    place: Place,
    query: Query,
) -> Result<Reply, Stop> {
    let objects = &world.kubernetes.objects;
    let resource = resources::find(objects, cluster, &place.group, &place.version, &place.resource);
    let sender = authorize::impersonated(world, cluster, sender, request.headers())?;
    let verb = verb(request.method(), &place, &query)?;
    // Who may not even ask is not told what exists.
    authorize::place(world, cluster, &sender, verb, &place)?;
    let resource = resource.ok_or_else(|| Status::no_such_place(&place.group))?;
    if request.method() == Method::HEAD && resource.definition.is_none() {
        return Err(Status::method_not_allowed().into());
    }
    check_place(&resource, &place, verb)?;
    let (headers, body) = (request.headers(), request.body());
    let Sender { user, principal } = sender;
    let ask = Ask { cluster, verb, place, query, headers, body, user, principal, resource };
    super::options::check(&ask)?;
    let mut reply = run(world, &ask)?;
    reply.warnings.extend(deprecated(&ask.resource));
    if ask.is_rehearsal() { Err(Stop::Rehearsed(rehearsed(reply))) } else { Ok(reply) }
}

/// What is said to who still asks for it.
fn deprecated(resource: &Resource) -> Option<String> {
    if let Some(version) = resource.definition_version() {
        let usual = || format!("{}/{} {} is deprecated", resource.group, resource.version, resource.kind);
        return (version["deprecated"] == true)
            .then(|| version["deprecationWarning"].as_str().map_or_else(usual, str::to_owned));
    }
    let text = match resource.stored().as_str() {
        "endpoints" => "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
        "componentstatuses" => "v1 ComponentStatus is deprecated in v1.19+",
        _ => return None,
    };
    Some(text.to_owned())
}

/// What was not made has no version.
fn rehearsed(mut reply: Reply) -> Reply {
    if let Content::Object(_, object, _) = &mut reply.content
        && reply.code == 201
        && let Some(metadata) = Arc::make_mut(object)["metadata"].as_object_mut()
    {
        metadata.remove("resourceVersion");
    }
    reply
}

/// The verb of a request, as in `rules` of a Role.
fn verb(method: &Method, place: &Place, query: &Query) -> Result<&'static str, Status> {
    let is_watch = place.is_watch || query.is_on("watch");
    Ok(match (method.as_str(), place.name.is_empty()) {
        ("GET" | "HEAD", true) if is_watch => "watch",
        ("GET" | "HEAD", false) if place.is_watch => "watch",
        ("GET" | "HEAD", true) => "list",
        ("GET" | "HEAD", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        _ => return Err(Status::method_not_allowed()),
    })
}

/// Whether the resource has the verb there.
fn check_place(resource: &Arc<Resource>, place: &Place, verb: &str) -> Result<(), Status> {
    let is_scoped = !place.namespace.is_empty() && place.resource != "namespaces";
    if is_scoped && !resource.is_namespaced {
        return Err(Status::no_such_path());
    }
    if !place.subresource.is_empty() {
        let custom = || Status::not_found(resource, &place.name);
        let none = || if resource.definition.is_some() { custom() } else { Status::no_such_path() };
        let part = resource.subresource(&place.subresource).ok_or_else(none)?;
        return if part.verbs.iter().any(|it| it == verb) { Ok(()) } else { Err(Status::method_not_allowed()) };
    }
    let misses_namespace = resource.is_namespaced && place.namespace.is_empty();
    if misses_namespace && !place.name.is_empty() {
        return Err(Status::no_such_path());
    }
    let needs_name = matches!(verb, "update" | "patch" | "delete") && place.name.is_empty();
    let has_name = verb == "create" && !place.name.is_empty();
    let needs_namespace = misses_namespace && !matches!(verb, "list" | "watch");
    if !resource.can(verb) || needs_name || has_name || needs_namespace {
        // A namespaced object that is made without a namespace on the path is refused by its absence.
        return Err(Status::method_not_allowed());
    }
    Ok(())
}

fn run(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Status> {
    if !ask.place.subresource.is_empty() {
        return super::parts::run(world, ask);
    }
    if let Some(answer) = super::reviews::run(world, ask) {
        return answer;
    }
    if ask.resource.kind == "Binding" {
        return super::parts::bind_named(world, ask);
    }
    match ask.verb {
        "get" => read::get(world, ask),
        "list" => read::list(world, ask),
        "watch" => watch::plan(world, ask),
        "create" => write::create_request(world, ask),
        "update" => write::update_request(world, ask),
        "patch" => patches::request(world, ask),
        "delete" => delete::one(world, ask),
        _ => delete::collection(world, ask),
    }
}
