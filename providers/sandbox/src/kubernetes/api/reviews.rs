//! Questions that are asked by creating an object: who am I, whose token is this, may I.

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::resources::Resource;
use super::rules::{self, Wish};
use super::status::{Cause, Status};
use super::{authenticate, decode, tokens};
use crate::kubernetes::admission::User;
use crate::world::World;

/// Answers a review; `None` when the resource is none.
pub(super) fn run(world: &mut World, ask: &Ask<'_>) -> Option<Result<Reply, Status>> {
    let answer = match ask.resource.plural.as_str() {
        "selfsubjectreviews"
        | "tokenreviews"
        | "selfsubjectaccessreviews"
        | "selfsubjectrulesreviews"
        | "subjectaccessreviews"
        | "localsubjectaccessreviews"
            if ask.resource.group.starts_with("auth") =>
        {
            review(world, ask)
        }
        _ => return None,
    };
    Some(answer)
}

fn review(world: &World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let mut object = decode::object(ask)?;
    let resource = &ask.resource;
    decode::identify(&mut object, &resource.api_version(), &resource.kind, resource)?;
    let told = check(ask, &object)?;
    let spec = &object["spec"];
    let own = |spec: &Value| access(world, ask.cluster, &ask.user, &ask.principal, spec);
    object["status"] = match resource.plural.as_str() {
        "selfsubjectreviews" => json!({ "userInfo": user_info(&ask.user) }),
        "tokenreviews" => token(world, ask.cluster, spec),
        "selfsubjectaccessreviews" => own(spec).map_err(|cause| invalid(resource, cause))?,
        "selfsubjectrulesreviews" => rules_of(world, ask, spec),
        _ => {
            let user = subject(spec).map_err(|cause| invalid(resource, cause))?;
            access(world, ask.cluster, &user, "", spec).map_err(|cause| invalid(resource, cause))?
        }
    };
    object["metadata"] = told;
    Ok(Reply::json(201, object))
}

/// The refusal of a review names no kind.
fn invalid(resource: &Resource, cause: Cause) -> Status {
    let mut nameless = Resource::clone(resource);
    nameless.kind = String::new();
    Status::invalid(&nameless, "", &[cause])
}

/// What a review must say; answers the metadata that it is given back with.
fn check(ask: &Ask<'_>, object: &Value) -> Result<Value, Status> {
    let spec = &object["spec"];
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    match ask.resource.plural.as_str() {
        "tokenreviews" if text(&spec["token"]).is_empty() => {
            Err(Status::bad_request("token is required for TokenReview in authentication"))
        }
        "selfsubjectrulesreviews" if text(&spec["namespace"]).is_empty() => {
            Err(Status::bad_request("no namespace on request"))
        }
        "localsubjectaccessreviews" if text(&spec["resourceAttributes"]["namespace"]) != ask.place.namespace => {
            let asked = &spec["resourceAttributes"]["namespace"];
            let cause = Cause::invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace");
            Err(invalid(&ask.resource, cause))
        }
        "localsubjectaccessreviews" => Ok(json!({ "namespace": ask.place.namespace })),
        _ => Ok(json!({})),
    }
}

fn user_info(user: &User) -> Value {
    json!({ "username": user.name, "groups": user.groups })
}

fn token(world: &World, cluster: &str, spec: &Value) -> Value {
    let asked: Vec<&str> = spec["audiences"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let audiences = if asked.is_empty() { vec![tokens::AUDIENCE] } else { asked };
    match authenticate::by_token(world, cluster, spec["token"].as_str().unwrap_or(""), &audiences) {
        Some(sender) => json!({ "authenticated": true, "user": user_info(&sender.user), "audiences": audiences }),
        None => json!({ "user": {}, "error": "invalid bearer token" }),
    }
}

fn subject(spec: &Value) -> Result<User, Cause> {
    let name = spec["user"].as_str().unwrap_or("").to_owned();
    let groups: Vec<String> =
        spec["groups"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if name.is_empty() && groups.is_empty() {
        let why = "at least one of user or group must be specified";
        return Err(Cause::invalid("spec.user", &json!(""), why));
    }
    Ok(User { name, groups })
}

fn access(world: &World, cluster: &str, user: &User, principal: &str, spec: &Value) -> Result<Value, Cause> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let (attributes, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let wish = match (attributes.is_null(), path.is_null()) {
        (false, true) => {
            let resource = match attributes["subresource"].as_str().unwrap_or("") {
                "" => text(&attributes["resource"]),
                part => format!("{}/{part}", text(&attributes["resource"])),
            };
            Wish {
                verb: text(&attributes["verb"]),
                group: text(&attributes["group"]),
                resource,
                namespace: text(&attributes["namespace"]),
                name: text(&attributes["name"]),
                path: String::new(),
            }
        }
        (true, false) => Wish { verb: text(&path["verb"]), path: text(&path["path"]), ..Wish::default() },
        (true, true) => {
            let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            return Err(Cause::invalid("spec.resourceAttributes", &Value::Null, why));
        }
        (false, false) => {
            let why = "cannot be specified in combination with resourceAttributes";
            let shown = json!({ "Path": path["path"], "Verb": path["verb"] });
            return Err(Cause::invalid("spec.nonResourceAttributes", &shown, why));
        }
    };
    let granted = rules::grant(world, cluster, user, principal, &wish);
    let mut status = json!({ "allowed": granted.is_some() });
    if let Some(why) = granted.filter(|why| !why.is_empty()) {
        status["reason"] = json!(why);
    }
    Ok(status)
}

fn rules_of(world: &World, ask: &Ask<'_>, spec: &Value) -> Value {
    let namespace = spec["namespace"].as_str().unwrap_or("");
    let all = rules::all(world, ask.cluster, &ask.user, &ask.principal, namespace);
    let (paths, resources): (Vec<Value>, Vec<Value>) =
        all.into_iter().map(|(rule, _)| rule).partition(|rule| !rule["nonResourceURLs"].is_null());
    json!({ "resourceRules": resources, "nonResourceRules": paths, "incomplete": false })
}
