//! Calling the provider as the engine does, with as little of an engine as that takes.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod proxy;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sgp_aws::AwsProvider;
use sgp_contract::{
    Applied, Client, Clock, Context, ContextEvents, CreateRequest, DataRequest, DataSource, DeleteRequest, Found,
    ImportRequest, PlanRequest, Provider, ReadOutcome, ReadRequest, ReadScope, ResourceType, Slot, StoreError,
    UpdateRequest,
};
use sgp_model::{
    Diagnostics, InstanceAddr, ProviderAddr, Type, Value,
    address::parse_instance,
    state::{Intent, Operation, RecordKey},
};

pub fn find_type(name: &str) -> &'static dyn ResourceType {
    *AwsProvider::default().resource_types().iter().find(|t| t.schema().name == name).unwrap()
}

pub fn find_data(name: &str) -> &'static dyn DataSource {
    *AwsProvider::default().data_sources().iter().find(|t| t.schema().name == name).unwrap()
}

pub fn object(start: Value, fields: &[(&str, Value)]) -> Value {
    fields.iter().fold(start, |object, (name, value)| object.with_attr(name, value.clone()))
}

pub fn tags(pairs: &[(&str, &str)]) -> Value {
    Value::map(Type::String, pairs.iter().map(|(k, v)| (*k, Value::from(*v))))
}

pub fn strings(texts: &[&str]) -> Value {
    Value::strings(texts.iter().copied())
}

pub fn endpoints(url: &str) -> Value {
    let block = Value::object(["ec2", "eks", "iam", "sts"].map(|s| (s, Value::from(url))));
    Value::set(block.ty(), [block])
}

fn config(fields: &[(&str, Value)]) -> Value {
    let defaults = Value::object([("tags", tags(&[("env", "test")]))]);
    let start = object(
        AwsProvider::default().config_schema().block.empty(),
        &[
            ("region", "eu-central-1".into()),
            ("access_key", "123456789012".into()),
            ("secret_key", "test".into()),
            ("default_tags", Value::list(defaults.ty(), vec![defaults])),
        ],
    );
    object(start, fields)
}

pub async fn client(fields: &[(&str, Value)]) -> Result<Arc<dyn Client>, Diagnostics> {
    AwsProvider::default().configure(&config(fields)).await
}

pub async fn data(
    client: &dyn Client,
    source: &dyn DataSource,
    arguments: &[(&str, Value)],
) -> Result<Value, Diagnostics> {
    let config = object(source.schema().block.empty(), arguments);
    let addr = parse_instance(&format!("data.{}.test", source.schema().name)).unwrap();
    let requests = [DataRequest { addr: &addr, config: &config }];
    let answer = source.read(client, &ReadScope::default(), &requests).await.remove(0)?;
    assert!(answer.is_wholly_known());
    Ok(answer)
}

struct Now(Instant);

#[async_trait]
impl Clock for Now {
    fn now(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_secs()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

struct Quiet;

#[async_trait]
impl ContextEvents for Quiet {
    async fn checkpoint(&self, _: &InstanceAddr, _: &Value) -> Result<(), StoreError> {
        Ok(())
    }

    fn progress(&self, _: &InstanceAddr, _: &str) {}
}

/// An emulator and a client of it.
pub struct World {
    client: Arc<dyn Client>,
    provider: Value,
    unique: String,
    clock: Arc<Now>,
    _never: tokio::sync::watch::Sender<bool>,
    cancelled: tokio::sync::watch::Receiver<bool>,
}

impl World {
    /// `None` when no emulator is named.
    pub async fn open() -> Option<Self> {
        Some(Self::at(&std::env::var("SGP_TEST_AWS_ENDPOINT").ok()?, "eu-central-1").await)
    }

    /// The same in another region.
    pub async fn open_in(region: &str) -> Option<Self> {
        Some(Self::at(&std::env::var("SGP_TEST_AWS_ENDPOINT").ok()?, region).await)
    }

    /// The same with a proxy in front of the emulator.
    pub async fn behind_proxy() -> Option<(Self, proxy::Proxy)> {
        let proxy = proxy::Proxy::start(&std::env::var("SGP_TEST_AWS_ENDPOINT").ok()?).await;
        Some((Self::at(&proxy.url, "eu-central-1").await, proxy))
    }

    async fn at(url: &str, region: &str) -> Self {
        let fields = [("endpoints", endpoints(url)), ("region", region.into())];
        let (never, cancelled) = tokio::sync::watch::channel(false);
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Self {
            client: client(&fields).await.unwrap(),
            provider: config(&fields),
            unique: format!("{:x}", since.as_nanos()),
            clock: Arc::new(Now(Instant::now())),
            _never: never,
            cancelled,
        }
    }

    /// A name that no other run uses.
    pub fn name(&self, base: &str) -> String {
        format!("{base}-{}", self.unique)
    }

    /// The default VPC.
    pub async fn vpc(&self) -> String {
        let vpc = data(&*self.client, find_data("aws_vpc"), &[("default", true.into())]).await.unwrap();
        vpc.get("id").unwrap().as_str().unwrap().to_owned()
    }

    pub async fn data(&self, source: &dyn DataSource, arguments: &[(&str, Value)]) -> Result<Value, Diagnostics> {
        data(&*self.client, source, arguments).await
    }

    fn addr(kind: &dyn ResourceType) -> InstanceAddr {
        parse_instance(&format!("{}.test", kind.schema().name)).unwrap()
    }

    fn context(&self, kind: &dyn ResourceType) -> Context {
        Context {
            addr: Self::addr(kind),
            token: format!("{:?}-{}", self.clock.0.elapsed(), self.unique),
            timeout: Duration::from_secs(20),
            clock: self.clock.clone(),
            events: Arc::new(Quiet),
            slot: Arc::new(Slot::default()),
            cancelled: self.cancelled.clone(),
        }
    }

    /// What a planner makes of arguments: defaults, and unknown where the provider decides.
    pub fn planned(&self, kind: &dyn ResourceType, arguments: &[(&str, Value)]) -> Value {
        let schema = kind.schema();
        let mut planned = schema.block.empty();
        for (name, attribute) in &schema.block.attributes {
            let value = attribute.default.clone();
            let open = attribute.is_computed().then(|| Value::unknown(attribute.ty.clone()));
            if let Some(value) = value.or(open) {
                planned = planned.with_attr(name, value);
            }
        }
        for (name, block) in schema.block.blocks.iter().filter(|(_, b)| b.computed) {
            planned = planned.with_attr(name, Value::unknown(block.ty()));
        }
        let proposed = object(planned, arguments);
        let nothing = Value::null(schema.ty());
        let request =
            PlanRequest { prior: &nothing, config: &proposed, proposed: &proposed, provider_config: &self.provider };
        kind.plan(&request).planned.unwrap_or(proposed)
    }

    pub async fn try_create(&self, kind: &dyn ResourceType, arguments: &[(&str, Value)]) -> Applied {
        let cx = self.context(kind);
        let planned = kind.prepare(self.planned(kind, arguments), &cx.token);
        kind.create(&*self.client, &cx, CreateRequest { planned: &planned, config: &planned }).await
    }

    pub async fn create(&self, kind: &dyn ResourceType, arguments: &[(&str, Value)]) -> Value {
        let made = done(kind, self.try_create(kind, arguments).await);
        for (name, value) in arguments {
            assert_eq!(made.get(name), Some(value), "{name} is as planned");
        }
        made
    }

    pub async fn update(&self, kind: &dyn ResourceType, prior: &Value, planned: &Value) -> Value {
        let request = UpdateRequest { prior, planned, config: planned };
        done(kind, kind.update(&*self.client, &self.context(kind), request).await)
    }

    pub async fn delete(&self, kind: &dyn ResourceType, prior: &Value) {
        let applied = kind.delete(&*self.client, &self.context(kind), DeleteRequest { prior }).await;
        assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
        assert!(applied.object.is_none());
    }

    pub async fn try_delete(&self, kind: &dyn ResourceType, prior: &Value) -> Applied {
        kind.delete(&*self.client, &self.context(kind), DeleteRequest { prior }).await
    }

    /// Reads objects of several types in one refresh.
    pub async fn read_many(&self, wanted: &[(&dyn ResourceType, &Vec<Value>)]) -> Vec<Vec<Value>> {
        let scope = ReadScope::default();
        let mut found = Vec::new();
        for (kind, priors) in wanted {
            let request = |prior: &Value| ReadRequest { addr: Self::addr(*kind), prior: prior.clone() };
            let requests: Vec<_> = priors.iter().map(request).collect();
            let outcomes = kind.read(&*self.client, &scope, &requests).await;
            let present = |outcome| match outcome {
                ReadOutcome::Present(object) => object,
                other => panic!("{other:?}"),
            };
            found.push(outcomes.into_iter().map(present).collect());
        }
        found
    }

    pub async fn read_all(&self, kind: &dyn ResourceType, priors: &[Value]) -> Vec<ReadOutcome> {
        let requests: Vec<_> =
            priors.iter().map(|prior| ReadRequest { addr: Self::addr(kind), prior: prior.clone() }).collect();
        kind.read(&*self.client, &ReadScope::default(), &requests).await
    }

    pub async fn outcome(&self, kind: &dyn ResourceType, prior: &Value) -> ReadOutcome {
        self.read_all(kind, std::slice::from_ref(prior)).await.remove(0)
    }

    pub async fn read(&self, kind: &dyn ResourceType, prior: &Value) -> Option<Value> {
        match self.outcome(kind, prior).await {
            ReadOutcome::Present(object) => Some(object),
            ReadOutcome::Gone => None,
            ReadOutcome::Failed(diagnostic) => panic!("{diagnostic:?}"),
        }
    }

    pub async fn import(&self, kind: &dyn ResourceType, id: &str) -> Option<Value> {
        let nothing = Value::null(kind.schema().ty());
        let start = kind.import(&ImportRequest { id, config: &nothing }).unwrap();
        self.read(kind, &start).await
    }

    pub async fn find(&self, kind: &dyn ResourceType, attributes: Value, operation: Operation) -> Found {
        let intent = Intent {
            token: "token".into(),
            key: RecordKey::current(Self::addr(kind)),
            operation,
            provider: ProviderAddr::root("aws"),
            attributes,
            at: self.clock.now(),
            dependencies: Vec::new(),
            create_before_destroy: false,
        };
        kind.find(&*self.client, &intent).await.unwrap()
    }
}

fn done(kind: &dyn ResourceType, applied: Applied) -> Value {
    assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
    let object = applied.object.unwrap();
    assert!(object.is_wholly_known(), "{object:?}");
    assert_eq!(object.as_fields().unwrap().len(), kind.schema().block.names().count());
    object
}
