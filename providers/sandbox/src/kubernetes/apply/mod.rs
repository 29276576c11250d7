//! Server-side apply and field management, as `structured-merge-diff` and `apimachinery/pkg/util/managedfields` do them.
//!
//! [`apply`] merges a configuration and answers conflicts; [`record_update`] notes what any other request changed. Both keep
//! `metadata.managedFields`. All managers are taken to mean the object's present version: nothing here converts between versions.

mod check;
mod compare;
mod fields;
mod form;
mod last_applied;
mod managers;
mod merge;
mod set;

use serde_json::{Map, Value};

use self::managers::{Id, Managers, Owned};
use self::set::Set;
use super::schema::{Schema, prune};

pub use self::fields::{decode, encode};
pub use self::set::{Element, Set as FieldSet};

/// Who asks, how, and when.
#[derive(Clone, Copy, Debug)]
pub struct Manager<'a> {
    /// The `fieldManager` of the request; empty is `unknown`.
    pub name: &'a str,
    /// `status`, `scale`; empty for the object itself.
    pub subresource: &'a str,
    /// The version of the request: `apps/v1`.
    pub api_version: &'a str,
    /// RFC 3339 in whole seconds.
    pub now: &'a str,
    /// Whether the kind has a `status` subresource, so that requests to the object leave its status alone.
    pub has_status: bool,
}

/// A field that another manager owns, with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// `conflict with "kubectl" using apps/v1`.
    pub message: String,
    /// `.spec.replicas`.
    pub field: String,
}

/// Why a configuration is not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// 409 `Conflict`; the causes' reason is `FieldManagerConflict`.
    #[error("{message}")]
    Conflicts {
        /// The message of the answer.
        message: String,
        /// Its causes.
        conflicts: Vec<Conflict>,
    },
    /// 400 `BadRequest`.
    #[error("{0}")]
    BadRequest(String),
    /// 500, as the API server answers configurations that do not fit their type.
    #[error("{0}")]
    Untyped(String),
}

impl Manager<'_> {
    fn id(&self, is_apply: bool) -> Id {
        Id {
            is_apply,
            manager: if self.name.is_empty() { "unknown" } else { self.name }.to_owned(),
            api_version: if is_apply { String::new() } else { self.api_version.to_owned() },
            subresource: self.subresource.to_owned(),
        }
    }

    /// When it wrote. What is set through a scale has no time.
    fn time(&self) -> Option<String> {
        (self.subresource != "scale").then(|| self.now.to_owned())
    }

    fn reset(&self, object: &Value, schema: &Schema) -> Set {
        let kind = object["kind"].as_str().unwrap_or("");
        managers::reset(kind, self.subresource, schema.is_builtin, self.has_status)
    }
}

/// Applies `config` to `live`; the result has its `managedFields`, is decoded, and is not defaulted: what became
/// empty is null in custom resources, which [`super::schema::default`] drops. The configuration must come as it was sent: what
/// has no place in its type is refused here.
///
/// When nothing changes, the result equals `live` (with the manager's entry, if that is new).
///
/// # Errors
/// [`ApplyError::Conflicts`] unless `force`, when another manager owns a field with another value; the others when the
/// configuration has `managedFields`, fields that its type has not, or a list item twice.
pub fn apply(
    live: Option<&Value>,
    config: &Value,
    manager: &Manager<'_>,
    force: bool,
    schema: &Schema,
) -> Result<Value, ApplyError> {
    accept(config, schema)?;
    let applied = match (attempt(live, config, manager, force, schema), live) {
        // kubectl takes over what it applied from the client before.
        (Err(refused), Some(object)) if manager.name == "kubectl" => {
            match last_applied::left_over(object, refused, manager, schema) {
                None => attempt(live, config, manager, true, schema),
                Some(refused) => Err(refused),
            }
        }
        (applied, _) => applied,
    };
    let mut applied = applied.map_err(Refused::into_error)?;
    prune(&mut applied, schema);
    if manager.name == "kubectl" {
        last_applied::follow(&mut applied, config);
    }
    Ok(applied)
}

fn accept(config: &Value, schema: &Schema) -> Result<(), ApplyError> {
    if !config["metadata"]["managedFields"].is_null() {
        return Err(ApplyError::BadRequest("metadata.managedFields must be nil".to_owned()));
    }
    let wrong = check::check(config, schema);
    let wrong = match wrong.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let (namespace, name) = (text(&config["metadata"]["namespace"]), text(&config["metadata"]["name"]));
    let (version, kind) = (text(&config["apiVersion"]), text(&config["kind"]));
    // A core version is written with the empty name of its group.
    let version = if version.contains('/') { version } else { format!("/{version}") };
    Err(ApplyError::Untyped(format!(
        "failed to create typed patch object ({namespace}/{name}; {version}, Kind={kind}): {wrong}"
    )))
}

/// Fields that others own, by manager.
struct Refused(Vec<(Id, Owned, Vec<Vec<Element>>)>);

fn attempt(
    live: Option<&Value>,
    config: &Value,
    manager: &Manager<'_>,
    force: bool,
    schema: &Schema,
) -> Result<Value, Refused> {
    let id = manager.id(true);
    let reset = manager.reset(config, schema);
    let mut owners = live.and_then(Managers::read).unwrap_or_default();
    let mut object = live.cloned().unwrap_or_else(|| Value::Object(Map::new()));
    managers::remove(&mut object);
    if let Some(live) = live
        && owners.0.is_empty()
    {
        let before = Manager { name: "before-first-apply", ..*manager };
        note(None, live, &before, &mut owners, schema);
    }
    let before = if live.is_some() { object.clone() } else { schema.zero().clone() };
    merge::merge(&mut object, config, schema);
    let set = compare::fields(config, schema).without(&reset);
    let last = owners.0.remove(&id);
    let owned =
        Owned { set, api_version: manager.api_version.to_owned(), time: last.as_ref().and_then(|it| it.time.clone()) };
    owners.0.insert(id.clone(), owned);
    if let Some(last) = last {
        withdraw(&mut object, &last.set, &owners, schema);
    }
    let changes = compare::compare(&before, &object, schema).without(&reset);
    let conflicts = take(&mut owners, Some(&id), &changes);
    if !force && !conflicts.is_empty() {
        return Err(Refused(conflicts));
    }
    if let Some(own) = owners.0.get_mut(&id) {
        own.set = own.set.difference(&managers::never_owned());
        if live.is_none() || object != before {
            own.time = manager.time();
        }
    }
    owners.drop_empty();
    owners.write(&mut object);
    Ok(object)
}

/// Takes what changed away from all managers but one, and answers what was taken that was changed and not removed.
fn take(owners: &mut Managers, except: Option<&Id>, changes: &compare::Changes) -> Vec<(Id, Owned, Vec<Vec<Element>>)> {
    let written = changes.written();
    let mut taken = Vec::new();
    for (id, owned) in owners.0.iter_mut().filter(|(id, _)| Some(*id) != except) {
        let conflicts = owned.set.intersection(&written);
        if !conflicts.is_empty() {
            taken.push((id.clone(), owned.clone(), conflicts.paths()));
            owned.set = owned.set.difference(&conflicts);
        }
        if !changes.removed.is_empty() {
            owned.set = owned.set.difference(&changes.removed);
        }
    }
    owners.0.retain(|id, owned| Some(id) == except || !owned.set.is_empty());
    taken
}

/// Removes what the manager applied last time, does not apply now, and nobody else owns.
fn withdraw(object: &mut Value, last: &Set, owners: &Managers, schema: &Schema) {
    let last = merge::with_named(last, schema);
    if last.is_empty() {
        return;
    }
    let all = merge::with_named(&compare::fields(object, schema), schema);
    let mut pruned = object.clone();
    merge::remove(&mut pruned, &last, schema);
    let kept = merge::with_named(&compare::fields(&pruned, schema), schema);
    let owned = owners.0.values().fold(Set::default(), |all, owned| all.union(&owned.set));
    let owned = merge::with_named(&owned, schema);
    let mut pruned = object.clone();
    merge::remove(&mut pruned, &all.difference(&kept.union(&owned)), schema);
    // What hung below a removed item and was not the manager's own stays.
    let kept = merge::with_named(&compare::fields(&pruned, schema), schema);
    merge::remove(object, &all.difference(&kept).intersection(&last), schema);
}

/// Notes that a request other than an apply made `after` out of `before`, in `after.metadata.managedFields`.
///
/// `after` is as it will be stored: decoded and defaulted. An object whose managers were forgotten is not tracked until it is
/// applied.
pub fn record_update(before: Option<&Value>, after: &mut Value, manager: &Manager<'_>, schema: &Schema) {
    let known = before.and_then(Managers::read).unwrap_or_default();
    let mut owners = if !manager.subresource.is_empty() {
        known
    } else if Managers::is_reset(after) {
        Managers::default()
    } else {
        Managers::read(after).filter(|given| !given.0.is_empty()).unwrap_or(known)
    };
    managers::remove(after);
    if owners.0.is_empty() && before.is_some() {
        return;
    }
    note(before, after, manager, &mut owners, schema);
    owners.write(after);
}

fn note(before: Option<&Value>, after: &Value, manager: &Manager<'_>, owners: &mut Managers, schema: &Schema) {
    let reset = manager.reset(after, schema);
    let changes = compare::compare(before.unwrap_or_else(|| schema.zero()), after, schema).without(&reset);
    let id = manager.id(false);
    take(owners, None, &changes);
    let set = changes.written().difference(&managers::never_owned());
    if !set.is_empty() {
        let kept = owners.0.remove(&id).map_or_else(Set::default, |owned| owned.set);
        let api_version = manager.api_version.to_owned();
        let owned = Owned { set: kept.union(&set), api_version, time: manager.time() };
        owners.0.insert(id, owned);
    }
    owners.cap();
}

impl Refused {
    fn into_error(self) -> ApplyError {
        let count: usize = self.0.iter().map(|(.., paths)| paths.len()).sum();
        let mut conflicts = Vec::with_capacity(count);
        let mut lines = Vec::new();
        for (id, owned, paths) in &self.0 {
            let manager = describe(id, owned);
            lines.push(format!("conflicts with {manager}:"));
            for path in paths {
                let field = set::display(path);
                lines.push(format!("- {field}"));
                conflicts.push(Conflict { message: format!("conflict with {manager}"), field });
            }
        }
        let message = match conflicts.as_slice() {
            [one] => format!("Apply failed with 1 conflict: {}: {}", one.message, one.field),
            _ => format!("Apply failed with {count} conflicts: {}", lines.join("\n")),
        };
        ApplyError::Conflicts { message, conflicts }
    }
}

/// A manager as conflicts name it. The time is not part of its name.
fn describe(id: &Id, owned: &Owned) -> String {
    let mut text = format!("{:?}", id.manager);
    if !id.subresource.is_empty() {
        text.push_str(&format!(" with subresource {:?}", id.subresource));
    }
    if !id.is_apply {
        text.push_str(&format!(" using {}", owned.api_version));
    }
    text
}

#[cfg(test)]
mod tests;
