//! The provider `fake`: things with a name, a size and a parent, in a map.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use sgp_contract::{
    Applied, Area, Claim, ClaimRequest, Client, Context, CreateRequest, DataRequest, DataSource, DeleteRequest,
    EphemeralType, Found, ImportRequest, OpenRequest, Opened, PlanRequest, PlanResponse, Provider, ReadOutcome,
    ReadRequest, ReadScope, ResourceType, Rollout, Sighting, UpdateRequest, Workload,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value, schema::Semantics, state::Intent};

/// What exists, and what was asked of it.
#[derive(Default)]
pub struct Cloud {
    pub things: Mutex<BTreeMap<String, Value>>,
    pub calls: Mutex<Vec<String>>,
    /// Names whose next creation, update or deletion fails: `create a`.
    pub failing: Mutex<Vec<String>>,
    /// Names whose creation fails after the thing came into being.
    pub half: Mutex<Vec<String>>,
    /// Names whose creation comes to pass although nobody answers.
    pub unanswered: Mutex<Vec<String>>,
    next: AtomicUsize,
    pub running: AtomicUsize,
    pub most_running: AtomicUsize,
    /// Called in the middle of every mutation.
    pub hook: Mutex<Option<Box<dyn Fn(&str) + Send>>>,
    /// What the next creations report while they wait.
    pub statuses: Mutex<Vec<String>>,
    /// What runs around what is managed, as a look at clusters finds it.
    pub running_around: Mutex<Vec<Value>>,
    /// What a look does not see.
    pub unseen: Mutex<Option<String>>,
    /// What was sent and is kept nowhere.
    pub secrets: Mutex<Vec<String>>,
    /// When tokens say that they are to be renewed.
    pub renew_at: Mutex<Option<i64>>,
    /// What the provider was configured with.
    pub endpoints: Mutex<Vec<String>>,
    /// Where the process may die.
    pub death: Arc<super::death::Death>,
}

impl Cloud {
    pub fn names(&self) -> Vec<String> {
        let things = self.things.lock().unwrap();
        let mut names: Vec<String> =
            things.values().map(|t| t.get("name").and_then(Value::as_str).unwrap().to_owned()).collect();
        names.sort();
        names
    }

    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub fn fail(&self, what: &str) {
        self.failing.lock().unwrap().push(what.into());
    }

    /// Takes note of what was sent for write-only attributes.
    fn keep_secret(&self, config: &Value) {
        let sent = config.get("secret_wo").and_then(Value::as_str);
        self.secrets.lock().unwrap().extend(sent.map(str::to_owned));
    }

    async fn call(&self, what: String) -> Result<(), Diagnostic> {
        self.death.point().await;
        self.calls.lock().unwrap().push(what.clone());
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(now, Ordering::SeqCst);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        if let Some(hook) = &*self.hook.lock().unwrap() {
            hook(&what);
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        let mut failing = self.failing.lock().unwrap();
        match failing.iter().position(|f| *f == what) {
            Some(at) => {
                failing.remove(at);
                Err(Diagnostic::error("Refused", format!("The cloud refused to {what}.")))
            }
            None => Ok(()),
        }
    }
}

pub struct FakeProvider {
    cloud: Arc<Cloud>,
}

impl FakeProvider {
    pub fn new(cloud: Arc<Cloud>) -> Self {
        Self { cloud }
    }
}

struct FakeClient(Arc<Cloud>);

impl Client for FakeClient {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn cloud(client: &dyn Client) -> &Cloud {
    &client.as_any().downcast_ref::<FakeClient>().unwrap().0
}

#[async_trait]
impl Provider for FakeProvider {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn source(&self) -> &'static str {
        "example.com/test/fake"
    }

    fn config_schema(&self) -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            let schema = Schema::new("fake", "A cloud in memory.");
            schema.attr("endpoint", Attribute::string()).attr("cluster_name", Attribute::string())
        });
        &SCHEMA
    }

    fn resource_types(&self) -> &'static [&'static dyn ResourceType] {
        &[&Thing(thing), &Thing(cluster), &Thing(tenant)]
    }

    fn data_sources(&self) -> &'static [&'static dyn DataSource] {
        &[&TextData, &ThingData]
    }

    fn ephemeral_types(&self) -> &'static [&'static dyn EphemeralType] {
        &[&Token]
    }

    fn calls_through(&self) -> &'static [&'static str] {
        &["way"]
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Client>, Diagnostics> {
        if let Some(endpoint) = config.get("endpoint").and_then(Value::as_str) {
            self.cloud.endpoints.lock().unwrap().push(endpoint.to_owned());
        }
        Ok(Arc::new(FakeClient(self.cloud.clone())))
    }

    async fn survey(&self, client: &dyn Client, area: &mut Area) -> (Vec<Sighting>, Diagnostics) {
        let cloud = cloud(client);
        cloud.calls.lock().unwrap().push(format!("look at {}", area.clusters.join(", ")));
        let found = cloud.running_around.lock().unwrap().clone();
        let kind = |it: &Value| {
            let is_object = it.get("manifest").is_some();
            if is_object { "kubernetes_manifest" } else { "aws_network_interface" }.to_owned()
        };
        let unseen = cloud.unseen.lock().unwrap().clone();
        if unseen.is_none() {
            area.whole_clusters.clone_from(&area.clusters);
        }
        let told = unseen.map(|what| Diagnostic::warning("Not seen", what));
        (
            found.into_iter().map(|it| Sighting { kind: kind(&it), attributes: it }).collect(),
            Diagnostics(told.into_iter().collect()),
        )
    }

    /// The pods that are made anew are not those that ran.
    async fn roll_out(
        &self,
        client: &dyn Client,
        _cx: &Context,
        workload: &Workload,
        rollout: Rollout,
    ) -> Result<(), Diagnostic> {
        let cloud = cloud(client);
        cloud.call(format!("{rollout:?} {workload}")).await?;
        let is_its_pod = |it: &Value| {
            let metadata = it.get("manifest").and_then(|it| it.get("metadata"));
            let name = metadata.and_then(|it| it.get("name")).and_then(Value::as_str);
            name.is_some_and(|name| name.starts_with(&format!("{}-", workload.name)))
        };
        cloud.running_around.lock().unwrap().retain(|it| !is_its_pod(it));
        Ok(())
    }
}

/// The provider that `fake` makes its calls through.
pub struct Way {
    cloud: Arc<Cloud>,
}

impl Way {
    pub fn new(cloud: Arc<Cloud>) -> Self {
        Self { cloud }
    }
}

#[async_trait]
impl Provider for Way {
    fn name(&self) -> &'static str {
        "way"
    }

    fn source(&self) -> &'static str {
        "example.com/test/way"
    }

    fn config_schema(&self) -> &'static Schema {
        static SCHEMA: LazyLock<Schema> =
            LazyLock::new(|| Schema::new("way", "A way.").attr("gate", Attribute::string()));
        &SCHEMA
    }

    fn resource_types(&self) -> &'static [&'static dyn ResourceType] {
        &[]
    }

    fn data_sources(&self) -> &'static [&'static dyn DataSource] {
        &[]
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Client>, Diagnostics> {
        let gate = config.get("gate").and_then(Value::as_str).unwrap_or_default();
        self.cloud.calls.lock().unwrap().push(format!("configure {gate}"));
        Ok(Arc::new(FakeClient(self.cloud.clone())))
    }
}

/// All types of this cloud are things with different schemas.
struct Thing(fn() -> &'static Schema);

fn thing() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| things("fake_thing"));
    &SCHEMA
}

/// A thing that others live in.
fn cluster() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> =
        LazyLock::new(|| things("aws_eks_cluster").attr("zone", Attribute::string().force_new()));
    &SCHEMA
}

/// A thing that lives in a cluster.
fn tenant() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        things("fake_tenant").attr("cluster_name", Attribute::string().force_new()).lives_in("cluster_name")
    });
    &SCHEMA
}

fn things(name: &'static str) -> Schema {
    Schema::new(name, "A thing.")
        .attr("id", Attribute::string().computed())
        .attr("name", Attribute::string().required().force_new())
        .attr("size", Attribute::number().default(Value::int(1)))
        .attr("parent", Attribute::string())
        .attr("secret", Attribute::string().sensitive())
        .attr("secret_wo", Attribute::string().write_only())
        .attr("secret_wo_version", Attribute::number())
        .attr("document", Attribute::string().semantics(Semantics::Json))
        .attr("tags", Attribute::string_map())
        .attr("etag", Attribute::string().computed().follows(&["*"]))
}

fn name(value: &Value) -> String {
    value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The name of the thing that a tag points to.
fn pointed_to(config: &Value, tag: &str) -> Option<String> {
    config.get("tags")?.as_fields()?.get(tag)?.as_str().map(str::to_owned)
}

fn id(value: &Value) -> String {
    value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[async_trait]
impl ResourceType for Thing {
    fn schema(&self) -> &'static Schema {
        (self.0)()
    }

    fn endpoint(&self) -> &'static str {
        "fake"
    }

    fn wants_look_up(&self, prior: &Value, config: &Value) -> bool {
        prior.is_null() && pointed_to(config, "look").is_some()
    }

    async fn look_up(
        &self,
        client: &dyn Client,
        _scope: &ReadScope,
        configs: &[Value],
    ) -> Vec<Result<Option<Value>, Diagnostic>> {
        let cloud = cloud(client);
        cloud.calls.lock().unwrap().push(format!("look up {}", configs.len()));
        let things = cloud.things.lock().unwrap();
        let find = |config| {
            let wanted = pointed_to(config, "look").unwrap();
            let found = things.values().find(|t| name(t) == wanted).map(|t| Some(t.get("id").unwrap().clone()));
            found.ok_or_else(|| Diagnostic::error("Nothing to point to", format!("There is no {wanted}.")))
        };
        configs.iter().map(find).collect()
    }

    fn plan_with(&self, request: &PlanRequest<'_>, found: &Value) -> PlanResponse {
        let etag = format!("of {}", found.as_str().unwrap());
        PlanResponse { planned: Some(request.proposed.with_attr("etag", etag.into())), ..PlanResponse::default() }
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        let object = request.object;
        let part = pointed_to(object, "claim_part");
        let is_part = part.is_some();
        Some(Claim { thing: pointed_to(object, "claim").or(part)?, advice: "Keep one.", is_part })
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let cloud = cloud(client);
        cloud.calls.lock().unwrap().push(format!("read {}", requests.len()));
        let things = cloud.things.lock().unwrap();
        let one = |r: &ReadRequest| things.get(&id(&r.prior)).cloned().map_or(ReadOutcome::Gone, ReadOutcome::Present);
        requests.iter().map(one).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let cloud = cloud(client);
        let name = name(request.planned);
        if let Err(problem) = cloud.call(format!("create {name}")).await {
            return Applied::failed(problem);
        }
        cloud.statuses.lock().unwrap().drain(..).for_each(|status| cx.progress(&status));
        cloud.keep_secret(request.config);
        let number = cloud.next.fetch_add(1, Ordering::SeqCst);
        let id = format!("{name}-{number}");
        let etag = request.planned.get("etag").filter(|e| e.is_known()).cloned();
        let etag = etag.unwrap_or_else(|| format!("e{number}").into());
        let made = request.planned.with_attr("id", id.as_str().into()).with_attr("etag", etag);
        cloud.things.lock().unwrap().insert(id, made.clone());
        cloud.death.point().await;
        if cloud.unanswered.lock().unwrap().contains(&name) {
            return Applied { in_doubt: true, ..Applied::failed(Diagnostic::error("No answer", "Nobody answered.")) };
        }
        // What cannot be noted is found by its name.
        let _ = cx.checkpoint(&made).await;
        if cloud.half.lock().unwrap().contains(&name) {
            return Applied::partly(made, Diagnostic::error("Half made", "It never became ready."));
        }
        Applied::done(made)
    }

    async fn update(&self, client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let cloud = cloud(client);
        if let Err(problem) = cloud.call(format!("update {}", name(request.prior))).await {
            return Applied::partly(request.prior.clone(), problem);
        }
        cloud.keep_secret(request.config);
        let number = cloud.next.fetch_add(1, Ordering::SeqCst);
        let made = request.planned.with_attr("etag", format!("e{number}").into());
        cloud.things.lock().unwrap().insert(id(&made), made.clone());
        cloud.death.point().await;
        Applied::done(made)
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let cloud = cloud(client);
        if let Err(problem) = cloud.call(format!("delete {}", name(request.prior))).await {
            return Applied::partly(request.prior.clone(), problem);
        }
        cloud.things.lock().unwrap().remove(&id(request.prior));
        cloud.death.point().await;
        Applied::gone()
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        Ok(Value::object([("id", Value::from(request.id))]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let things = cloud(client).things.lock().unwrap();
        let found = things.values().find(|t| name(t) == name(&intent.attributes)).cloned();
        Ok(found.map_or(Found::Nothing, Found::Ours))
    }
}

/// Computes, and asks nobody.
struct TextData;

static TEXT_DATA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("fake_text", "A text between brackets.")
        .attr("of", Attribute::string().required())
        .attr("text", Attribute::string().computed())
});

#[async_trait]
impl DataSource for TextData {
    fn schema(&self) -> &'static Schema {
        &TEXT_DATA
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn compute(&self, request: &DataRequest<'_>) -> Result<Value, Diagnostics> {
        let of = request.config.get("of").and_then(Value::as_str).unwrap_or_default();
        Ok(Value::object([("of", Value::from(of)), ("text", Value::from(format!("[{of}]")))]))
    }

    async fn read(
        &self,
        _client: &dyn Client,
        _scope: &ReadScope,
        _requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        unreachable!("it only computes")
    }
}

struct ThingData;

static THING_DATA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("fake_thing", "Finds a thing by its name.")
        .attr("name", Attribute::string().required())
        .attr("id", Attribute::string().computed())
        .attr("size", Attribute::number().computed())
});

#[async_trait]
impl DataSource for ThingData {
    fn schema(&self) -> &'static Schema {
        &THING_DATA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let cloud = cloud(client);
        cloud.calls.lock().unwrap().push(format!("read data {}", requests.len()));
        let things = cloud.things.lock().unwrap();
        requests
            .iter()
            .map(|r| {
                let wanted = name(r.config);
                let found = things.values().find(|t| name(t) == wanted);
                let found =
                    found.ok_or_else(|| Diagnostic::error("No such thing", format!("There is no {wanted}.")))?;
                Ok(Value::object([
                    ("name", wanted.as_str().into()),
                    ("id", found.get("id").unwrap().clone()),
                    ("size", found.get("size").unwrap().clone()),
                ]))
            })
            .collect()
    }
}

/// A token that is different each time.
struct Token;

static TOKEN: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("fake_token", "A token.")
        .attr("of", Attribute::string().required())
        .attr("token", Attribute::string().computed())
});

#[async_trait]
impl EphemeralType for Token {
    fn schema(&self) -> &'static Schema {
        &TOKEN
    }

    async fn open(&self, client: &dyn Client, request: &OpenRequest<'_>) -> Result<Opened, Diagnostics> {
        let cloud = cloud(client);
        let of = request.config.get("of").and_then(Value::as_str).unwrap();
        cloud.call(format!("open {of}")).await?;
        let number = cloud.next.fetch_add(1, Ordering::SeqCst);
        let token = format!("TOKEN-{of}-{number}");
        let result = Value::object([("of", of.into()), ("token", token.as_str().into())]);
        Ok(Opened { result, renew_at: *cloud.renew_at.lock().unwrap(), private: of.to_owned() })
    }

    async fn renew(&self, client: &dyn Client, private: &mut String) -> Result<Option<i64>, Diagnostics> {
        cloud(client).call(format!("renew {private}")).await?;
        Ok(None)
    }

    async fn close(&self, client: &dyn Client, private: &str) -> Diagnostics {
        let closed = cloud(client).call(format!("close {private}")).await;
        Diagnostics(closed.err().into_iter().collect())
    }
}
