//! `kubernetes_manifest`: any object, written as a manifest.

mod identity;
mod ready;
mod reflect;

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Type, Value, state::Intent};

use self::ready::Ready;
use crate::{
    apply::{self, Manager},
    attrs,
    connect::{Access, Cluster, KubeClient},
    errors::CONFLICT,
    json::{from_json, to_json, without_nulls},
    life::{self, Failed, Identity, Live},
    metadata,
    owned::MANAGER,
    target::{ApiKind, Target},
    wait::Waiter,
};

/// The resource type.
pub(crate) static TYPE: Manifest = Manifest;

/// A custom type may come this much later than its definition.
const TYPE_SERVED: Duration = Duration::from_mins(1);

/// Kinds that are pods or make pods.
const WORKLOADS: [&str; 8] =
    ["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let manager = Block::default()
        .attr("name", Attribute::string().default(MANAGER).doc("The field manager."))
        .attr("force_conflicts", Attribute::bool().default(false).doc("Takes fields that other managers own."));
    let condition = Block::default()
        .attr("type", Attribute::string().doc("The condition."))
        .attr("status", Attribute::string().doc("Its status; `True` when left out."));
    let wait = Block::default()
        .attr(
            "fields",
            Attribute::string_map()
                .doc("Paths, and regular expressions that their values must match; `*` is any value."),
        )
        .attr("rollout", Attribute::bool().doc("Waits until a Deployment, StatefulSet or DaemonSet is rolled out."))
        .block("condition", NestedBlock::list(condition).doc("Conditions of the status."));
    let fields = Type::object([("fields", Type::map(Type::String))]);
    Schema::new("kubernetes_manifest", "Any object of a cluster, custom ones too. Planned without the cluster.")
        .version(1)
        .attr("cluster_name", metadata::cluster_name())
        .attr("manifest", Attribute::of(Type::Dynamic).required().doc("The object, without status."))
        .attr(
            "object",
            Attribute::of(Type::Dynamic).computed().follows(&["*"]).doc("The object as the API server answered it."),
        )
        .attr(
            "computed_fields",
            Attribute::strings().doc("Paths such as `metadata.labels` whose changes by others are no drift."),
        )
        .attr(
            "wait_for",
            Attribute::of(fields)
                .doc("What to wait for.")
                .deprecated("Use the block `wait`, which says the same and more."),
        )
        .block("field_manager", NestedBlock::list_of_one(manager).doc("In whose name fields are owned."))
        .block("wait", NestedBlock::list_of_one(wait).doc("What to wait for after the object is written."))
        .timeouts(&[("create", 600), ("update", 600), ("delete", 600)])
        .lives_in("cluster_name")
        .example(
            r#"resource "kubernetes_manifest" "settings" {
  cluster_name = aws_eks_cluster.this.name

  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "settings"
      namespace = "app"
    }
    data = { level = "debug" }
  }
}
"#,
        )
});

pub(crate) struct Manifest;

/// What identifies an object in a manifest.
struct Named {
    api_version: String,
    kind: String,
    namespace: Option<String>,
    name: String,
}

impl Named {
    fn of(object: &Value) -> Self {
        let manifest = object.get("manifest");
        let text = |value: Option<&Value>, name: &str| value.and_then(|v| attrs::text(v, name)).map(str::to_owned);
        let metadata = manifest.and_then(|m| m.get("metadata"));
        Self {
            api_version: text(manifest, "apiVersion").unwrap_or_default(),
            kind: text(manifest, "kind").unwrap_or_default(),
            namespace: text(metadata, "namespace"),
            name: text(metadata, "name").unwrap_or_default(),
        }
    }

    fn target(&self, kind: &ApiKind) -> Target {
        Target::new(kind, Some(self.namespace.as_deref().unwrap_or("default")), &self.name)
    }

    /// For messages about a kind that is not served.
    fn unserved(&self) -> Target {
        let kind = ApiKind {
            api_version: self.api_version.clone().into(),
            kind: self.kind.clone().into(),
            plural: String::new().into(),
            namespaced: self.namespace.is_some(),
        };
        Target::new(&kind, self.namespace.as_deref(), &self.name)
    }
}

fn manager(object: &Value) -> Manager {
    let block = attrs::block(object, "field_manager");
    Manager {
        name: block.and_then(|b| attrs::text(b, "name")).unwrap_or(MANAGER).to_owned(),
        force: block.and_then(|b| attrs::flag(b, "force_conflicts")).unwrap_or(false),
    }
}

/// A conflict has one more way out here.
fn hinted(mut diagnostic: Diagnostic) -> Diagnostic {
    if diagnostic.summary == CONFLICT {
        diagnostic.detail.push_str(" Or take them over with `field_manager { force_conflicts = true }`.");
    }
    diagnostic
}

fn uid(object: &Value) -> Option<&str> {
    attrs::text(object.get("object")?.get("metadata")?, "uid")
}

/// What a creation without an answer leaves has an `object` with nothing in it.
fn identity<'a>(object: &'a Value, manager: &'a Manager) -> Identity<'a> {
    let is_unproven = object.get("object").and_then(Value::as_fields).is_some_and(BTreeMap::is_empty);
    Identity { uid: uid(object), is_unproven, manager: &manager.name }
}

fn body(object: &Value, target: &Target) -> Json {
    let manifest = object.get("manifest").map_or_else(|| json!({}), |m| without_nulls(to_json(m)));
    apply::body(target, if manifest.is_object() { manifest } else { json!({}) })
}

/// The attributes of a live object. Without a prior `object` the manifest is made out of what is there.
fn value(live: &Json, prior: &Value) -> Value {
    let now = reflect::without_managed_fields(live);
    let before = prior.get("object").filter(|o| !o.is_null() && o.is_known());
    let manifest = match (before, prior.get("manifest")) {
        (Some(before), Some(manifest)) => {
            let said = to_json(manifest);
            let reflected = reflect::reflect(&said, &to_json(before), live, &attrs::texts(prior, "computed_fields"));
            if reflected == said { manifest.clone() } else { from_json(&reflected) }
        }
        _ => from_json(&reflect::adopt(live, &manager(prior).name)),
    };
    assemble(prior, manifest, &now)
}

/// The attributes after a write: the manifest holds, whatever the server made of it.
fn written(live: &Json, planned: &Value) -> Value {
    let manifest = planned.get("manifest").cloned().unwrap_or_else(Value::dynamic_null);
    assemble(planned, manifest, &reflect::without_managed_fields(live))
}

fn assemble(prior: &Value, manifest: Value, now: &Json) -> Value {
    let block = &SCHEMA.block;
    let carried = ["cluster_name", "computed_fields", "field_manager", "timeouts", "wait", "wait_for"];
    let mut fields = metadata::carried(block, prior, &carried);
    let object = match prior.get("object") {
        Some(same) if !same.is_null() && to_json(same) == *now => same.clone(),
        _ => from_json(now),
    };
    fields.extend([("manifest", manifest), ("object", object)]);
    attrs::object(block, fields)
}

/// The kind that the manifest names, waiting shortly for a definition that was only just written.
async fn discover(cluster: &Cluster, cx: &Context, named: &Named) -> Result<ApiKind, Diagnostic> {
    let what = format!("the type {} of {} to be served", named.kind, named.api_version);
    let mut waiter = Waiter::new(cx, TYPE_SERVED.min(cx.timeout), what);
    loop {
        match cluster.kind(&named.api_version, &named.kind).await {
            Ok(Some(kind)) => return Ok(kind),
            Ok(None) if waiter.left().is_zero() => {
                return Err(Diagnostic::error(
                    "The cluster does not serve this type",
                    format!(
                        "{} serves no {} of {}. Check the spelling, or install its definition first.",
                        cluster.label, named.kind, named.api_version
                    ),
                ));
            }
            Ok(None) => waiter.pause(&format!("{} is not served yet", named.kind)).await?,
            Err(failure) => return Err(failure.diagnostic("discover", &named.unserved(), &cluster.label)),
        }
    }
}

async fn wait(
    cluster: &Cluster,
    cx: &Context,
    target: &Target,
    ready: &Ready,
    live: Json,
) -> Result<Json, (Json, Diagnostic)> {
    let mut live = live;
    let mut waiter = Waiter::new(cx, cx.timeout, format!("{target} to be ready"));
    while let Some(missing) = ready.missing(&live) {
        if let Err(diagnostic) = waiter.pause(&missing).await {
            return Err((live, diagnostic));
        }
        live = match apply::get(cluster, target).await {
            Ok(Some(now)) => now,
            Ok(None) => {
                let text = format!("{target} was deleted by someone else while it was waited for.");
                return Err((live, Diagnostic::error("The object is gone", text)));
            }
            Err(failure) => return Err((live, failure.diagnostic("read", target, &cluster.label))),
        };
    }
    Ok(live)
}

async fn create(client: &KubeClient, cx: &Context, planned: &Value) -> Result<Applied, Failed> {
    let ready = Ready::new(planned)?;
    let cluster = client.reach_for_write(cx, client.cluster_of(planned)).await?;
    let named = Named::of(planned);
    let target = named.target(&discover(&cluster, cx, &named).await?);
    let live = life::create(&cluster, cx, &target, &body(planned, &target), &manager(planned)).await;
    let live = live.map_err(|failed| Failed { diagnostic: hinted(failed.diagnostic), ..failed })?;
    if !ready.is_empty() {
        life::checkpoint(cx, &written(&live, planned)).await?;
    }
    Ok(settle(&cluster, cx, &target, &ready, live, planned).await)
}

async fn settle(
    cluster: &Cluster,
    cx: &Context,
    target: &Target,
    ready: &Ready,
    live: Json,
    planned: &Value,
) -> Applied {
    match wait(cluster, cx, target, ready, live).await {
        Ok(live) => Applied::done(written(&live, planned)),
        Err((live, diagnostic)) => Applied::partly(written(&live, planned), diagnostic),
    }
}

async fn update(client: &KubeClient, cx: &Context, request: &UpdateRequest<'_>) -> Result<Applied, Diagnostic> {
    let ready = Ready::new(request.planned)?;
    let cluster = client.reach_for_write(cx, client.cluster_of(request.prior)).await?;
    let named = Named::of(request.planned);
    let target = named.target(&discover(&cluster, cx, &named).await?);
    let (old, mut new) = (body(request.prior, &target), body(request.planned, &target));
    if let Some(uid) = uid(request.prior) {
        // Never brings an object back that is gone, or changes another one of its name.
        new["metadata"]["uid"] = uid.into();
    }
    let live = life::update(&cluster, &target, &old, &new, &manager(request.planned)).await.map_err(hinted)?;
    Ok(settle(&cluster, cx, &target, &ready, live, request.planned).await)
}

/// Where an object would be: its cluster has a kind for it, or it cannot be there.
enum Place {
    At(Target),
    Nowhere,
    Unknown(Diagnostic),
}

async fn place(client: &KubeClient, object: &Value) -> Place {
    let named = Named::of(object);
    let cluster = match client.reach(client.cluster_of(object)).await {
        Ok(Access::Ready(cluster)) => cluster,
        Ok(Access::Absent { .. }) => return Place::Nowhere,
        Err(diagnostic) => return Place::Unknown(diagnostic),
    };
    match cluster.kind_now(&named.api_version, &named.kind).await {
        Ok(Some(kind)) => Place::At(named.target(&kind)),
        Ok(None) => Place::Nowhere,
        Err(failure) => Place::Unknown(failure.diagnostic("discover", &named.unserved(), &cluster.label)),
    }
}

#[async_trait]
impl ResourceType for Manifest {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "kubernetes"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let nothing = Value::dynamic_null();
        let Some(after) = request.proposed.get("manifest") else { return PlanResponse::default() };
        let before = request.prior.get("manifest").unwrap_or(&nothing);
        let requires_replace = identity::changes(before, after);
        // What the server answers repeats what the manifest says, in its own spelling.
        let open = request.proposed.get("object").is_some_and(|o| !o.is_known());
        let planned = (open && !after.sensitive_paths().is_empty())
            .then(|| request.proposed.with_attr("object", Value::unknown(Type::Dynamic).sensitive()));
        PlanResponse { planned, requires_replace, ..PlanResponse::default() }
    }

    /// Policies count when a pod is created, and so do Fargate profiles.
    fn created_after(&self) -> &'static [&'static str] {
        &["aws_eks_fargate_profile", "sgp_security_group_policy"]
    }

    fn waits_in_its_cluster(&self, object: &Value) -> bool {
        let kind = object.get("manifest").and_then(|m| attrs::text(m, "kind"));
        kind.is_some_and(|kind| WORKLOADS.contains(&kind))
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        if let Some(manifest) = config.get("manifest").filter(|m| m.is_known()) {
            found.extend(identity::mistakes(manifest));
        }
        found.extend(Ready::new(config).err());
        found
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = life::client(client);
        let places = life::in_order(requests.iter().map(|r| place(client, &r.prior)).collect()).await;
        let wanted = places.iter().zip(requests).filter_map(|(place, r)| match place {
            Place::At(target) => Some((client.cluster_of(&r.prior).map(str::to_owned), target.clone())),
            _ => None,
        });
        let mut live = life::read_many(client, scope, wanted.collect()).await.into_iter();
        let outcome = |(place, request): (Place, &ReadRequest)| match place {
            Place::Nowhere => ReadOutcome::Gone,
            Place::Unknown(diagnostic) => ReadOutcome::Failed(diagnostic),
            Place::At(target) => match live.next().map(|l| l.meant(identity(&request.prior, &manager(&request.prior))))
            {
                Some(Live::Present(_, json)) => ReadOutcome::Present(value(&typed(json, &target), &request.prior)),
                Some(Live::Failed(diagnostic)) => ReadOutcome::Failed(diagnostic),
                Some(Live::Gone) | None => ReadOutcome::Gone,
            },
        };
        places.into_iter().zip(requests).map(outcome).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        match create(life::client(client), cx, request.planned).await {
            Ok(applied) => applied,
            Err(failed) => {
                let nothing = Value::object::<&str>([]);
                failed.creating(&request.planned.with_attr("object", nothing))
            }
        }
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        match update(life::client(client), cx, &request).await {
            Ok(applied) => applied,
            Err(diagnostic) => Applied::partly(request.prior.clone(), diagnostic),
        }
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let client = life::client(client);
        let manager = manager(request.prior);
        match place(client, request.prior).await {
            Place::At(target) => {
                life::delete_recorded(client, cx, request.prior, &target, identity(request.prior, &manager)).await
            }
            Place::Nowhere => Applied::gone(),
            Place::Unknown(diagnostic) => Applied::partly(request.prior.clone(), diagnostic),
        }
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let manifest = identity::parse_id(request.id)?;
        let cluster = request.config.get("cluster_name").filter(|c| c.is_known()).cloned();
        let cluster = cluster.unwrap_or_else(|| Value::null(Type::String));
        Ok(attrs::object(&SCHEMA.block, [("manifest", manifest), ("cluster_name", cluster)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = life::client(client);
        let target = match place(client, &intent.attributes).await {
            Place::At(target) => target,
            Place::Nowhere => return Ok(Found::Nothing),
            Place::Unknown(diagnostic) => return Err(diagnostic),
        };
        Ok(match life::find(client, intent, &target, &manager(&intent.attributes).name).await? {
            None => Found::Nothing,
            Some(Ok(live)) => Found::Ours(written(&live, &intent.attributes)),
            Some(Err(diagnostic)) => Found::Doubtful(diagnostic),
        })
    }
}

/// Elements of a list do not carry their type themselves.
fn typed(mut live: Json, target: &Target) -> Json {
    live["apiVersion"] = json!(target.kind.api_version);
    live["kind"] = json!(target.kind.kind);
    live
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_unchanged_object_keeps_the_types_of_the_manifest() {
        let said = Value::object([
            ("apiVersion", Value::from("v1")),
            ("kind", "ConfigMap".into()),
            ("metadata", Value::object([("name", Value::from("a"))])),
            ("data", attrs::map_value([("k".to_owned(), "v".to_owned())])),
        ]);
        let live =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u"}, "data": {"k": "v"}});
        let first = written(&live, &attrs::object(&SCHEMA.block, [("manifest", said.clone())]));
        assert_eq!(value(&live, &first).get("manifest"), Some(&said));
        let mut edited = live.clone();
        edited["data"]["k"] = "w".into();
        assert_eq!(to_json(value(&edited, &first).get("manifest").unwrap())["data"], json!({"k": "w"}));
    }
}
