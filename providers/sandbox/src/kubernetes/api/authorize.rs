//! Who may do what, and for whom.

use http::HeaderMap;

use super::authenticate::Sender;
use super::path::Place;
use super::rules::{Wish, grant};
use super::status::{Status, details};
use super::tokens;
use crate::kubernetes::admission::User;
use crate::world::World;

/// Whom a request acts for: its sender, or whom the sender impersonates by headers.
///
/// # Errors
/// `Forbidden` when it may not.
pub fn impersonated(world: &World, cluster: &str, sender: Sender, headers: &HeaderMap) -> Result<Sender, Status> {
    let texts = |name: &str| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
    };
    let (names, mut groups) = (texts("impersonate-user"), texts("impersonate-group"));
    let Some(name) = names.into_iter().next() else {
        if headers.keys().any(|name| name.as_str().starts_with("impersonate-")) {
            return Err(Status::new(
                500,
                "InternalError",
                "Internal error occurred: requested without impersonating a user",
            ));
        }
        return Ok(sender);
    };
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let (resource, namespace, short) = match account {
        Some((namespace, account)) => ("serviceaccounts", namespace, account),
        None => ("users", "", name.as_str()),
    };
    let wish = |resource: &str, namespace: &str, name: &str| Wish {
        verb: "impersonate".to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Wish::default()
    };
    check(world, cluster, &sender, &wish(resource, namespace, short))?;
    for group in &groups {
        check(world, cluster, &sender, &wish("groups", "", group))?;
    }
    if let Some((namespace, account)) = account
        && groups.is_empty()
    {
        return Ok(Sender { user: tokens::account_user(namespace, account), principal: String::new() });
    }
    let all = if name == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" };
    if !groups.iter().any(|group| group == all) {
        groups.push(all.to_owned());
    }
    Ok(Sender { user: User { name, groups }, principal: String::new() })
}

/// Whether a verb at a place is allowed.
///
/// # Errors
/// `Forbidden`, worded as RBAC does.
pub fn place(world: &World, cluster: &str, sender: &Sender, verb: &str, place: &Place) -> Result<(), Status> {
    check(world, cluster, sender, &wish(verb, place))
}

fn wish(verb: &str, place: &Place) -> Wish {
    let resource = match place.subresource.as_str() {
        "" => place.resource.clone(),
        part => format!("{}/{part}", place.resource),
    };
    Wish {
        verb: verb.to_owned(),
        group: place.group.clone(),
        resource,
        namespace: place.namespace.clone(),
        name: place.name.clone(),
        path: String::new(),
    }
}

fn check(world: &World, cluster: &str, sender: &Sender, wish: &Wish) -> Result<(), Status> {
    if grant(world, cluster, &sender.user, &sender.principal, wish).is_some() {
        return Ok(());
    }
    let plural = wish.resource.split('/').next().unwrap_or("");
    let qualified = if wish.group.is_empty() { plural.to_owned() } else { format!("{plural}.{}", wish.group) };
    let object = if wish.name.is_empty() { qualified } else { format!("{qualified} \"{}\"", wish.name) };
    let scope = match wish.namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let message = format!(
        "{object} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
        sender.user.name, wish.verb, wish.resource, wish.group
    );
    let mut status = Status::new(403, "Forbidden", message);
    status.details = details(&wish.name, &wish.group, plural);
    Err(status)
}

/// Whether a path that names no resource may be read.
///
/// # Errors
/// `Forbidden`, worded as RBAC does.
pub fn path(world: &World, cluster: &str, sender: &Sender, verb: &str, path: &str) -> Result<(), Status> {
    let wish = Wish { verb: verb.to_owned(), path: path.to_owned(), ..Wish::default() };
    if grant(world, cluster, &sender.user, &sender.principal, &wish).is_some() {
        return Ok(());
    }
    let user = &sender.user.name;
    let mut status = Status::new(403, "Forbidden", format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\""));
    status.details = serde_json::json!({});
    Err(status)
}
