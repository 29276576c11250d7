//! What the proxy keeps beside ministack's resources.

use super::super::errors::Refusal;
use super::super::shared::Shared;
use super::updates::Update;
use super::{invalid, text};
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Mutex;

/// The kinds of EKS resources that have a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cluster,
    Nodegroup,
    Addon,
}

impl Kind {
    /// The field of an answer that holds the resource.
    fn field(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Nodegroup => "nodegroup",
            Self::Addon => "addon",
        }
    }

    fn arn_field(self) -> &'static str {
        match self {
            Self::Cluster => "arn",
            Self::Nodegroup => "nodegroupArn",
            Self::Addon => "addonArn",
        }
    }
}

/// Everything that is kept, by the path of the resource (`clusters/NAME/addons/vpc-cni`).
#[derive(Debug, Default)]
pub(in crate::world::proxy) struct Overlay(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    resources: HashMap<String, Extra>,
    tokens: HashMap<String, String>,
    updates: Vec<Update>,
}

/// What is kept of one resource.
#[derive(Clone, Debug, Default)]
struct Extra {
    /// Fields in the place of ministack's.
    fields: Map<String, Value>,
    /// The state that the next describes see, and how many of them.
    pending: Option<(&'static str, u32)>,
    /// The last picture of a resource that ministack has deleted.
    gone: Option<Value>,
}

impl Overlay {
    pub(in crate::world::proxy) fn clear(&self) {
        *self.0.lock().unwrap() = Kept::default();
    }

    pub(super) fn with_updates<T>(&self, read: impl FnOnce(&mut Vec<Update>) -> T) -> T {
        read(&mut self.0.lock().unwrap().updates)
    }

    fn extra(&self, path: &str) -> Extra {
        self.0.lock().unwrap().resources.get(path).cloned().unwrap_or_default()
    }

    fn change<T>(&self, path: &str, change: impl FnOnce(&mut Extra) -> T) -> T {
        change(self.0.lock().unwrap().resources.entry(path.to_owned()).or_default())
    }

    /// Counts one describe: the state settles after the last of them.
    pub(super) fn count_describe(&self, path: &str) {
        let mut kept = self.0.lock().unwrap();
        let Some(extra) = kept.resources.get_mut(path) else { return };
        let Some((_, left)) = &mut extra.pending else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            extra.pending = None;
            if extra.gone.is_some() {
                kept.resources.remove(path);
            }
        }
    }

    /// Says whether a resource is on its way to another state.
    pub(super) fn is_pending(&self, path: &str) -> bool {
        self.extra(path).pending.is_some()
    }

    /// Says whether something below a path is still being deleted.
    pub(super) fn has_going_below(&self, prefix: &str) -> bool {
        let kept = self.0.lock().unwrap();
        kept.resources.iter().any(|(path, extra)| extra.gone.is_some() && path.starts_with(prefix))
    }

    fn known_token(&self, token: Option<&str>) -> Option<String> {
        self.0.lock().unwrap().tokens.get(token?).cloned()
    }
}

/// Answers a Describe, and counts it.
pub(super) async fn describe(shared: &Shared, kind: Kind, path: &str) -> Result<Value, Refusal> {
    let described = current(shared, kind, path).await?;
    shared.eks.count_describe(path);
    Ok(json!({ kind.field(): described }))
}

/// The resource as the next describe will show it.
pub(super) async fn current(shared: &Shared, kind: Kind, path: &str) -> Result<Value, Refusal> {
    let extra = shared.eks.extra(path);
    if let Some(gone) = extra.gone {
        return Ok(gone);
    }
    let (status, mut found) = shared.upstream.eks(Method::GET, path, None).await?;
    if status != 200 {
        return Err(refusal(status, &found));
    }
    let mut resource = found[kind.field()].take();
    let fields = resource.as_object_mut().ok_or_else(|| invalid("no such resource"))?;
    let tags = shared.upstream.eks(Method::GET, &tags_path(fields, kind), None).await?.1;
    fields.extend(extra.fields);
    fields.insert("tags".to_owned(), tags.get("tags").cloned().unwrap_or_else(|| json!({})));
    if let Some((state, _)) = extra.pending {
        fields.insert("status".to_owned(), json!(state));
        if state == "CREATING" {
            fields.remove("endpoint");
            fields.remove("certificateAuthority");
        }
    }
    Ok(resource)
}

/// Creates a resource at ministack, or answers the one that the same client token made before.
pub(super) async fn create(
    shared: &Shared,
    kind: Kind,
    path: &str,
    request: &Value,
    fields: Map<String, Value>,
) -> Result<Value, Refusal> {
    let token = text(request, "clientRequestToken");
    if shared.eks.known_token(token).as_deref() == Some(path) {
        return Ok(json!({ kind.field(): current(shared, kind, path).await? }));
    }
    if shared.eks.extra(path).gone.is_some() {
        return Err(Refusal::new(
            409,
            "ResourceInUseException",
            format!("{} already exists and is being deleted", kind.field()),
        ));
    }
    let parent = path.rsplit_once('/').map_or(path, |(parent, _)| parent);
    let (status, found) = shared.upstream.eks(Method::POST, parent, Some(request)).await?;
    if status != 200 {
        return Err(refusal(status, &found));
    }
    let pending = pending("CREATING", shared);
    shared.eks.change(path, |extra| *extra = Extra { fields, pending, gone: None });
    if let Some(token) = token {
        shared.eks.0.lock().unwrap().tokens.insert(token.to_owned(), path.to_owned());
    }
    Ok(json!({ kind.field(): current(shared, kind, path).await? }))
}

/// Deletes a resource at ministack and keeps its picture for the describes to come.
pub(super) async fn delete(shared: &Shared, kind: Kind, path: &str) -> Result<Value, Refusal> {
    let mut picture = current(shared, kind, path).await?;
    if shared.eks.extra(path).gone.is_none() {
        let (status, found) = shared.upstream.eks(Method::DELETE, path, None).await?;
        if status != 200 {
            return Err(refusal(status, &found));
        }
    }
    picture["status"] = json!("DELETING");
    let pending = pending("DELETING", shared);
    let mut kept = shared.eks.0.lock().unwrap();
    kept.resources.retain(|found, _| !found.starts_with(&format!("{path}/")));
    kept.tokens.retain(|_, found| found != path);
    kept.resources.remove(path);
    if pending.is_some() {
        let gone = Some(picture.clone());
        kept.resources.insert(path.to_owned(), Extra { fields: Map::new(), pending, gone });
    }
    Ok(json!({ kind.field(): picture }))
}

/// Refuses while another update of the resource, or its creation or deletion, goes on.
pub(super) fn refuse_if_pending(shared: &Shared, path: &str) -> Result<(), Refusal> {
    if shared.eks.is_pending(path) {
        let message = format!("Cannot change {path} because it currently has an update in progress");
        return Err(Refusal::new(409, "ResourceInUseException", message));
    }
    Ok(())
}

/// Puts fields in the place of ministack's and begins an update.
pub(super) fn begin_update(shared: &Shared, path: &str, fields: Map<String, Value>, update: Update) -> Value {
    shared.eks.change(path, |extra| {
        extra.fields.extend(fields);
        extra.pending = pending("UPDATING", shared);
    });
    let answer = json!({ "update": update.to_json(shared) });
    shared.eks.with_updates(|updates| updates.push(update));
    answer
}

fn pending(state: &'static str, shared: &Shared) -> Option<(&'static str, u32)> {
    (shared.pending_describes > 0).then_some((state, shared.pending_describes))
}

fn tags_path(fields: &Map<String, Value>, kind: Kind) -> String {
    let arn = fields.get(kind.arn_field()).and_then(Value::as_str).unwrap_or_default();
    format!("tags/{}", percent_encoding::utf8_percent_encode(arn, percent_encoding::NON_ALPHANUMERIC))
}

/// A refusal of ministack, passed on.
pub(super) fn refusal(status: u16, body: &Value) -> Refusal {
    let code = text(body, "__type").unwrap_or("ServerException");
    Refusal::new(status, code, text(body, "message").unwrap_or_default())
}
