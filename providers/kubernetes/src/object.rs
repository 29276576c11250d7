//! Resource types that are one Kubernetes object with a `metadata` block: what they share.

use async_trait::async_trait;
use serde_json::Value as Json;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    apply::{self, Manager},
    attrs,
    connect::Cluster,
    life::{self, Failed, Identity},
    metadata,
    owned::MANAGER,
    target::{ApiKind, Target},
};

/// What is particular to one kind.
#[async_trait]
pub(crate) trait Kind: Send + Sync {
    /// What it accepts and answers; has `id`, `metadata` and `cluster_name`.
    fn schema(&self) -> &'static Schema;

    /// Its kind in the API.
    fn kind(&self) -> &'static ApiKind;

    /// What the body says beside type, name and metadata.
    fn content(&self, object: &Value) -> Json;

    /// The attributes that come out of the live object, beside `metadata`, `id` and those in [`Self::carried`].
    fn fields(&self, live: &Json, prior: &Value) -> Vec<(&'static str, Value)>;

    /// Arguments that steer the provider and are not part of the object.
    fn carried(&self) -> &'static [&'static str] {
        &["cluster_name", "timeouts"]
    }

    /// Mistakes in the configuration that only this kind knows.
    fn mistakes(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Whether a new object is usable only after [`Self::settle`].
    fn must_settle(&self, _planned: &Value) -> bool {
        false
    }

    /// Waits until a new object is usable.
    async fn settle(&self, _cluster: &Cluster, _cx: &Context, _planned: &Value) -> Result<(), Diagnostic> {
        Ok(())
    }
}

/// A record with an id and no uid is what a creation without an answer left; one without an id is being imported.
fn identity(object: &Value) -> Identity<'_> {
    let uid = metadata::uid(object);
    Identity { uid, is_unproven: uid.is_none() && attrs::is_set(object, "id"), manager: MANAGER }
}

/// A kind as a resource type.
pub(crate) struct Object<K>(pub K);

impl<K: Kind> Object<K> {
    fn target(&self, object: &Value) -> Target {
        metadata::target(self.0.kind(), object)
    }

    fn body(&self, object: &Value) -> Json {
        let mut content = self.0.content(object);
        content["metadata"] = metadata::body_content(object)["metadata"].take();
        apply::body(&self.target(object), content)
    }

    fn value(&self, live: &Json, prior: &Value) -> Value {
        let kind = self.0.kind();
        let block = &self.0.schema().block;
        let metadata = metadata::value(live, prior, kind.namespaced);
        let named = Value::object([("metadata", metadata.clone())]);
        let mut fields = metadata::carried(block, prior, self.0.carried());
        fields.extend(self.0.fields(live, prior));
        fields.push(("id", metadata::target(kind, &named).id().into()));
        fields.push(("metadata", metadata));
        attrs::align(attrs::object(block, fields), prior)
    }

    async fn make(
        &self,
        client: &dyn Client,
        cx: &Context,
        planned: &Value,
    ) -> Result<(Value, Option<Diagnostic>), Failed> {
        let client = life::client(client);
        let cluster = client.reach_for_write(cx, client.cluster_of(planned)).await?;
        let target = self.target(planned);
        let live = life::create(&cluster, cx, &target, &self.body(planned), &Manager::default()).await?;
        let object = self.value(&live, planned);
        if !self.0.must_settle(planned) {
            return Ok((object, None));
        }
        if let Err(diagnostic) = life::checkpoint(cx, &object).await {
            return Ok((object, Some(diagnostic)));
        }
        let unsettled = self.0.settle(&cluster, cx, planned).await.err();
        Ok((object, unsettled))
    }
}

#[async_trait]
impl<K: Kind> ResourceType for Object<K> {
    fn schema(&self) -> &'static Schema {
        self.0.schema()
    }

    fn endpoint(&self) -> &'static str {
        "kubernetes"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        metadata::plan(request, self.0.kind())
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut diagnostics = metadata::validate(config);
        diagnostics.extend(self.0.mistakes(config));
        diagnostics
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = life::client(client);
        life::read_as(client, scope, requests, |v| self.target(v), identity, |live, prior| self.value(live, prior))
            .await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        match self.make(client, cx, request.planned).await {
            Ok((object, None)) => Applied::done(object),
            Ok((object, Some(diagnostic))) => Applied::partly(object, diagnostic),
            Err(failed) => failed.creating(request.planned),
        }
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let client = life::client(client);
        let change = async {
            let cluster = client.reach_for_write(cx, client.cluster_of(request.prior)).await?;
            let (old, mut new) = (self.body(request.prior), self.body(request.planned));
            if let Some(uid) = metadata::uid(request.prior) {
                // Never brings an object back that is gone, or changes another one of its name.
                new["metadata"]["uid"] = uid.into();
            }
            life::update(&cluster, &self.target(request.prior), &old, &new, &Manager::default()).await
        };
        match change.await {
            Ok(live) => Applied::done(self.value(&live, request.planned)),
            Err(diagnostic) => Applied::partly(request.prior.clone(), diagnostic),
        }
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let target = self.target(request.prior);
        life::delete_recorded(life::client(client), cx, request.prior, &target, identity(request.prior)).await
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let block = &self.schema().block;
        let kind = self.0.kind();
        let (namespace, name) = if kind.namespaced {
            let (namespace, name) = metadata::parse_id(request.id, &kind.kind)?;
            (Some(namespace), name)
        } else {
            (None, request.id)
        };
        Ok(metadata::imported(block, namespace, name, request.config))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let target = self.target(&intent.attributes);
        life::find_as(life::client(client), intent, &target, |live, prior| self.value(live, prior)).await
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        metadata::prepare(planned, token)
    }
}
