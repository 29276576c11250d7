//! Providers: resource types and data sources over a client.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use sgp_model::{AttrPath, Diagnostic, Diagnostics, InstanceAddr, ProviderAddr, Schema, Value, state::Intent};

use crate::{Area, Context, Rollout, Sighting, Workload};

/// A configured client, made by [`Provider::configure`] out of one `provider` block. Each provider downcasts to its own.
pub trait Client: Any + Send + Sync {
    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
}

/// A provider: what the name before the first underscore of a resource type leads to.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name in `provider "name"`: `aws`.
    fn name(&self) -> &'static str;

    /// The source address in Terraform state: `registry.terraform.io/hashicorp/aws`.
    fn source(&self) -> &'static str;

    /// The arguments of the `provider` block.
    fn config_schema(&self) -> &'static Schema;

    /// Resource types, sorted by name.
    fn resource_types(&self) -> &'static [&'static dyn ResourceType];

    /// Data sources, sorted by name.
    fn data_sources(&self) -> &'static [&'static dyn DataSource];

    /// Ephemeral resources, sorted by name.
    fn ephemeral_types(&self) -> &'static [&'static dyn EphemeralType] {
        &[]
    }

    /// Makes a client. `config` follows [`Self::config_schema`] and is wholly known: with an unknown part the engine keeps
    /// the client *pending* and does not call this until apply.
    async fn configure(&self, config: &Value) -> Result<Arc<dyn Client>, Diagnostics>;

    /// Other providers whose clients this one makes calls with: their `provider` blocks are configured before its own is used.
    fn calls_through(&self) -> &'static [&'static str] {
        &[]
    }

    /// Describes everything in an area that has a part in who reaches whom, in as few calls as possible. What the caller may not
    /// read is left out, with a warning. Adds what it found on the way to the area.
    async fn survey(&self, _client: &dyn Client, _area: &mut Area) -> (Vec<Sighting>, Diagnostics) {
        (Vec::new(), Diagnostics::new())
    }

    /// Makes the pods of a workload anew, as `kubectl rollout restart` does, and waits until the new ones run. What it writes belongs
    /// to no object of the state and is nobody's drift. `cx` tells how long nothing may move, and takes reports; its address means nothing.
    ///
    /// # Errors
    /// When the workload is not there, cannot be restarted, or its pods do not come to run: says how to look.
    async fn roll_out(
        &self,
        _client: &dyn Client,
        _cx: &Context,
        workload: &Workload,
        _rollout: Rollout,
    ) -> Result<(), Diagnostic> {
        Err(Diagnostic::error("Nothing to restart", format!("{workload} is none of this provider's.")))
    }

    /// Told after [`Self::configure`] which block the client stands for, so that a provider can know its default client.
    fn configured(&self, _addr: &ProviderAddr, _client: &Arc<dyn Client>) {}
}

/// Shared by all reads of one refresh, so that one listing can serve several types. Dropped when the refresh ends.
#[derive(Default)]
pub struct ReadScope(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl ReadScope {
    /// The one `T` of this refresh; made by `T::default()` at first use. Put an async once-cell inside.
    pub fn get<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        let mut cells = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let cell = cells.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        cell.downcast().expect("cells are keyed by their type")
    }
}

/// One object to be read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// For messages only.
    pub addr: InstanceAddr,
    /// The recorded attributes; at least those that identify the object.
    pub prior: Value,
}

/// What reading found.
#[derive(Clone, Debug)]
pub enum ReadOutcome {
    /// The object as it is: every attribute of the schema, arguments that cannot be read carried over from `prior`.
    Present(Value),
    /// It is not there any more.
    Gone,
    /// It could not be read.
    Failed(Diagnostic),
}

/// What the planner asks a resource type to judge. Pure: no calls.
pub struct PlanRequest<'a> {
    /// The object as it is, or null for a creation.
    pub prior: &'a Value,
    /// The evaluated configuration: null where nothing is said, unknown where it is not known yet.
    pub config: &'a Value,
    /// What the schema alone makes of it: configured values, defaults, prior computed values (or unknown ones).
    pub proposed: &'a Value,
    /// The evaluated `provider` block (`default_tags` ...); may hold unknown values.
    pub provider_config: &'a Value,
}

/// The judgement.
#[derive(Clone, Debug, Default)]
pub struct PlanResponse {
    /// The object as it will be; `None` keeps what the schema alone made.
    pub planned: Option<Value>,
    /// Further attributes whose change forces a replacement.
    pub requires_replace: Vec<AttrPath>,
    /// Mistakes that only this type knows; an error stops the plan.
    pub diagnostics: Diagnostics,
}

/// Creates an object.
pub struct CreateRequest<'a> {
    /// The planned object; unknown in computed attributes only. Argument values are final.
    pub planned: &'a Value,
    /// The evaluated configuration, wholly known.
    pub config: &'a Value,
}

/// Changes an object.
pub struct UpdateRequest<'a> {
    /// The object as it is.
    pub prior: &'a Value,
    /// The planned object.
    pub planned: &'a Value,
    /// The evaluated configuration, wholly known.
    pub config: &'a Value,
}

/// Deletes an object.
pub struct DeleteRequest<'a> {
    /// The object as it is.
    pub prior: &'a Value,
}

/// Adopts an object by the id that a person gave.
pub struct ImportRequest<'a> {
    /// As in the documentation of Terraform's type of the same name.
    pub id: &'a str,
    /// The cluster that a Kubernetes object lives in comes from the configuration; null where there is none.
    pub config: &'a Value,
}

/// Something beside the object itself that only one object of a configuration may manage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is, as a sentence calls it: `the add-on vpc-cni of the cluster "main"`. Equal texts mean the same thing.
    pub thing: String,
    /// What to do when two objects claim it; empty where the type has nothing to say.
    pub advice: &'static str,
    /// Whether only a part of it is claimed: parts go together, and not with a claim of the whole.
    pub is_part: bool,
}

/// Asks what an object manages.
pub struct ClaimRequest<'a> {
    /// The object as it will be; ids that are not known yet are symbols ([`sgp_model::symbol`]).
    pub object: &'a Value,
    /// What the configuration says of it.
    pub config: &'a Value,
    /// The provider block that it is served by.
    pub provider: &'a ProviderAddr,
    /// That block, evaluated.
    pub provider_config: &'a Value,
}

/// An order between objects that build on one thing (see [`ResourceType::created_after_on`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommonGround {
    /// The type that comes first: `aws_internet_gateway`.
    pub first: &'static str,
    /// The type of an object that both depend on: `aws_vpc`.
    pub ground: &'static str,
}

/// How an operation ended. A failed one may still leave something behind.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object as it is now, or the last that is known; `None` when nothing exists.
    pub object: Option<Value>,
    /// Errors and warnings; with an error the operation failed.
    pub diagnostics: Diagnostics,
    /// Whether a failed creation of which no object is known may have taken effect all the same: nobody answered. The
    /// journal keeps its intent, and the next run looks for the object ([`ResourceType::find`]).
    pub in_doubt: bool,
}

impl Applied {
    /// Done.
    pub fn done(object: Value) -> Self {
        Self { object: Some(object), diagnostics: Diagnostics::new(), in_doubt: false }
    }

    /// Nothing is there any more: a deletion's success.
    pub fn gone() -> Self {
        Self { object: None, diagnostics: Diagnostics::new(), in_doubt: false }
    }

    /// Failed with nothing left behind.
    pub fn failed(diagnostic: Diagnostic) -> Self {
        Self { object: None, diagnostics: diagnostic.into(), in_doubt: false }
    }

    /// Failed with something left behind: a creation is tainted, an update keeps what is known.
    pub fn partly(object: Value, diagnostic: Diagnostic) -> Self {
        Self { object: Some(object), diagnostics: diagnostic.into(), in_doubt: false }
    }
}

/// What the search for a lost creation found (see [`ResourceType::find`]).
#[derive(Clone, Debug)]
pub enum Found {
    /// The object that the intent made; its attributes are enough for [`ResourceType::read`].
    Ours(Value),
    /// The call never took effect.
    Nothing,
    /// Something of that name is there, but it is not certain that the intent made it; says what and why.
    Doubtful(Diagnostic),
}

/// A type of managed object. One file implements it, one line lists it.
#[async_trait]
pub trait ResourceType: Send + Sync {
    /// What it accepts and answers.
    fn schema(&self) -> &'static Schema;

    /// The service endpoint that its mutations go to (`ec2`, `eks`, `iam`, `kubernetes`): steps of one endpoint share
    /// `-parallelism`. Empty for types that call nobody.
    fn endpoint(&self) -> &'static str;

    /// Judges a change beyond what the schema says. Pure.
    fn plan(&self, _request: &PlanRequest<'_>) -> PlanResponse {
        PlanResponse::default()
    }

    /// Whether the plan of this object needs an answer from outside beside the object itself, see [`Self::look_up`]. Pure.
    fn wants_look_up(&self, _prior: &Value, _config: &Value) -> bool {
        false
    }

    /// Asks what plans depend on (ids behind names), for many configurations at a time, in their order. `None` where it cannot
    /// be known before apply.
    async fn look_up(
        &self,
        _client: &dyn Client,
        _scope: &ReadScope,
        configs: &[Value],
    ) -> Vec<Result<Option<Value>, Diagnostic>> {
        configs.iter().map(|_| Ok(None)).collect()
    }

    /// [`Self::plan`] with what was looked up.
    fn plan_with(&self, request: &PlanRequest<'_>, _found: &Value) -> PlanResponse {
        self.plan(request)
    }

    /// What else an object manages.
    fn claims(&self, _request: &ClaimRequest<'_>) -> Option<Claim> {
        None
    }

    /// Judges the configuration beyond what the schema says (conflicting arguments, formats). Pure; unknown values pass.
    fn validate(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Reads many objects in as few calls as possible; answers in the order of the requests.
    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome>;

    /// Creates; on success the answer holds every attribute of the schema, known. Waits until the object is usable.
    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied;

    /// Changes in place. Waits until the change is in force.
    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied;

    /// Deletes and waits until it is gone; an object that is already gone is success. On success `object` is `None`;
    /// on failure it is the object as it still is.
    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied;

    /// Attributes that [`Self::read`] needs to find the object that a person named.
    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic>;

    /// Looks for the object of a creation whose outcome is not in the journal: by client token, tags or natural key.
    /// `checkpointed` attributes are not passed here: with them the engine calls [`Self::read`].
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic>;

    /// Brings an object that an interrupted creation made to what was `planned` and waits until it is usable; called with
    /// what [`Self::read`] answered. An error taints it.
    async fn settle(&self, _client: &dyn Client, _cx: &Context, _planned: &Value, object: Value) -> Applied {
        Applied::done(object)
    }

    /// Adds what must be fixed before the intent is journaled (a generated name), so that the object can be found again.
    /// `planned` and the answer follow the schema. Called once before [`Self::create`].
    fn prepare(&self, planned: Value, _token: &str) -> Value {
        planned
    }

    /// Brings attributes that an older schema version recorded to the current shape.
    fn upgrade(&self, _from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        Ok(attributes)
    }

    /// Other types whose objects a `moved` block may give to this one.
    fn takes_over(&self) -> &'static [&'static str] {
        &[]
    }

    /// An object of one of the types of [`Self::takes_over`] as an object of this one.
    fn take_over(&self, _type_name: &str, attributes: &Value) -> Value {
        attributes.clone()
    }

    /// Types whose instances must be there before this one is created although nothing refers to them, and outlive it,
    /// when they concern the same cluster (the value of [`Schema::lives_in`]): the order that the domain needs.
    fn created_after(&self) -> &'static [&'static str] {
        &[]
    }

    /// Types whose objects list the objects of this type in what is read of them, each with the attribute of this type that holds
    /// their `id`: a group's `ingress` holds its rules. What is recorded of them is read again at the end of a run.
    fn shown_in(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Types whose instances must be there before this one is created although nothing refers to them, and outlive it, when both
    /// depend on the same object: routes of a VPC and nodes in it.
    fn created_after_on(&self) -> &'static [CommonGround] {
        &[]
    }

    /// Whether [`Self::created_after`] speaks of this object: a type may have objects of many kinds.
    fn waits_in_its_cluster(&self, _object: &Value) -> bool {
        true
    }
}

/// Reads one data source.
pub struct DataRequest<'a> {
    /// For messages only.
    pub addr: &'a InstanceAddr,
    /// The arguments, wholly known.
    pub config: &'a Value,
}

/// A type of object that is only read. One file implements it, one line lists it.
#[async_trait]
pub trait DataSource: Send + Sync {
    /// What it accepts and answers.
    fn schema(&self) -> &'static Schema;

    /// Whether it calls anybody; one that only computes (`aws_iam_policy_document`) needs no client.
    fn is_pure(&self) -> bool {
        false
    }

    /// Computes the answer without a client; only called when [`Self::is_pure`].
    fn compute(&self, _request: &DataRequest<'_>) -> Result<Value, Diagnostics> {
        Err(Diagnostic::error("Not a pure data source", "This data source needs its provider.").into())
    }

    /// Reads many in as few calls as possible; answers in the order of the requests, each with every attribute known.
    async fn read(
        &self,
        client: &dyn Client,
        scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>>;
}

/// Opens one ephemeral resource.
pub struct OpenRequest<'a> {
    /// For messages only.
    pub addr: &'a InstanceAddr,
    /// The arguments, wholly known.
    pub config: &'a Value,
}

/// An ephemeral resource that is open. Neither part is ever written down.
#[derive(Clone)]
pub struct Opened {
    /// Every attribute of the schema, known.
    pub result: Value,
    /// When [`EphemeralType::renew`] is due, in seconds since the epoch; `None` when it lasts as long as the run.
    pub renew_at: Option<i64>,
    /// What renewing and closing need to know.
    pub private: String,
}

impl Opened {
    /// What needs neither renewing nor closing.
    pub fn lasting(result: Value) -> Self {
        Self { result, renew_at: None, private: String::new() }
    }
}

/// A type of object that is there for one run: a token, a password that is generated and handed on. What it answers goes into
/// provider configurations and write-only attributes, and nowhere else. One file implements it, one line lists it.
#[async_trait]
pub trait EphemeralType: Send + Sync {
    /// What it accepts and answers.
    fn schema(&self) -> &'static Schema;

    /// Opens it: in a plan and again in its apply, each time that something needs it.
    ///
    /// # Errors
    /// When it cannot be opened: says why.
    async fn open(&self, client: &dyn Client, request: &OpenRequest<'_>) -> Result<Opened, Diagnostics>;

    /// Makes it last longer; answers when that is due again.
    ///
    /// # Errors
    /// When it cannot be renewed: says why.
    async fn renew(&self, _client: &dyn Client, _private: &mut String) -> Result<Option<i64>, Diagnostics> {
        Ok(None)
    }

    /// Ends it, once nothing in the run needs it any more.
    async fn close(&self, _client: &dyn Client, _private: &str) -> Diagnostics {
        Diagnostics::new()
    }
}
