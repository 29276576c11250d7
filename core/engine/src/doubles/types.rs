//! The types of a registry as a test run sees them: each asks first whether something stands in for the object.

use async_trait::async_trait;
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, CommonGround, Context, CreateRequest, DataRequest, DataSource, DeleteRequest,
    EphemeralType, Found, ImportRequest, OpenRequest, Opened, PlanRequest, PlanResponse, ReadOutcome, ReadRequest,
    ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Diagnostic, Diagnostics, Schema, Value, state::Intent};

use super::{Double, StandIn};

/// Wraps a type. Registries hold types that live as long as the process; a wrapped one is made once for each of them.
pub(crate) fn resource_type(real: &'static dyn ResourceType) -> &'static dyn ResourceType {
    Box::leak(Box::new(DoubledType(real)))
}

/// Wraps a data source, likewise.
pub(crate) fn data_source(real: &'static dyn DataSource) -> &'static dyn DataSource {
    Box::leak(Box::new(DoubledData(real)))
}

/// Wraps an ephemeral resource, likewise.
pub(crate) fn ephemeral_type(real: &'static dyn EphemeralType) -> &'static dyn EphemeralType {
    Box::leak(Box::new(DoubledEphemeral(real)))
}

struct DoubledEphemeral(&'static dyn EphemeralType);

struct DoubledType(&'static dyn ResourceType);

struct DoubledData(&'static dyn DataSource);

fn double(client: &dyn Client) -> &Double {
    client.as_any().downcast_ref().expect("a registry with doubles makes doubles of all clients")
}

/// Whom an operation goes to.
enum Way<'c> {
    Real(&'c dyn Client),
    StandIn(StandIn),
}

fn way<'c>(double: &'c Double, addr: &sgp_model::InstanceAddr) -> Way<'c> {
    match (double.stand_in(addr), &double.real) {
        (Some(stand_in), _) => Way::StandIn(stand_in),
        (None, Some(real)) => Way::Real(&**real),
        (None, None) => unreachable!("something stands in for every object of a mocked provider"),
    }
}

#[async_trait]
impl ResourceType for DoubledType {
    fn schema(&self) -> &'static Schema {
        self.0.schema()
    }

    fn endpoint(&self) -> &'static str {
        self.0.endpoint()
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        self.0.plan(request)
    }

    fn wants_look_up(&self, prior: &Value, config: &Value) -> bool {
        self.0.wants_look_up(prior, config)
    }

    async fn look_up(
        &self,
        client: &dyn Client,
        scope: &ReadScope,
        configs: &[Value],
    ) -> Vec<Result<Option<Value>, Diagnostic>> {
        match &double(client).real {
            Some(real) => self.0.look_up(&**real, scope, configs).await,
            None => configs.iter().map(|_| Ok(None)).collect(),
        }
    }

    fn plan_with(&self, request: &PlanRequest<'_>, found: &Value) -> PlanResponse {
        self.0.plan_with(request, found)
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        self.0.claims(request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        self.0.validate(config)
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let double = double(client);
        let theirs: Vec<usize> =
            (0..requests.len()).filter(|i| double.stand_in(&requests[*i].addr).is_none()).collect();
        let mut outcomes: Vec<ReadOutcome> = requests.iter().map(|r| ReadOutcome::Present(r.prior.clone())).collect();
        if let Some(real) = double.real.as_ref().filter(|_| !theirs.is_empty()) {
            let asked: Vec<ReadRequest> = theirs.iter().map(|i| requests[*i].clone()).collect();
            let read = self.0.read(&**real, scope, &asked).await;
            theirs.into_iter().zip(read).for_each(|(i, outcome)| outcomes[i] = outcome);
        }
        outcomes
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let double = double(client);
        match way(double, &cx.addr) {
            Way::Real(real) => self.0.create(real, cx, request).await,
            Way::StandIn(stand_in) => Applied::done(double.doubles.filled(request.planned, &stand_in)),
        }
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let double = double(client);
        match way(double, &cx.addr) {
            Way::Real(real) => self.0.update(real, cx, request).await,
            Way::StandIn(stand_in) => Applied::done(double.doubles.filled(request.planned, &stand_in)),
        }
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        match way(double(client), &cx.addr) {
            Way::Real(real) => self.0.delete(real, cx, request).await,
            Way::StandIn(_) => Applied::gone(),
        }
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        self.0.import(request)
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        match way(double(client), &intent.key.addr) {
            Way::Real(real) => self.0.find(real, intent).await,
            Way::StandIn(_) => Ok(Found::Nothing),
        }
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        match way(double(client), &cx.addr) {
            Way::Real(real) => self.0.settle(real, cx, planned, object).await,
            Way::StandIn(_) => Applied::done(object),
        }
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        self.0.prepare(planned, token)
    }

    fn upgrade(&self, from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        self.0.upgrade(from, attributes)
    }

    fn takes_over(&self) -> &'static [&'static str] {
        self.0.takes_over()
    }

    fn take_over(&self, type_name: &str, attributes: &Value) -> Value {
        self.0.take_over(type_name, attributes)
    }

    fn created_after(&self) -> &'static [&'static str] {
        self.0.created_after()
    }

    fn shown_in(&self) -> &'static [(&'static str, &'static str)] {
        self.0.shown_in()
    }

    fn created_after_on(&self) -> &'static [CommonGround] {
        self.0.created_after_on()
    }

    fn waits_in_its_cluster(&self, object: &Value) -> bool {
        self.0.waits_in_its_cluster(object)
    }
}

#[async_trait]
impl DataSource for DoubledData {
    fn schema(&self) -> &'static Schema {
        self.0.schema()
    }

    fn is_pure(&self) -> bool {
        self.0.is_pure()
    }

    fn compute(&self, request: &DataRequest<'_>) -> Result<Value, Diagnostics> {
        self.0.compute(request)
    }

    async fn read(
        &self,
        client: &dyn Client,
        scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let double = double(client);
        let (mut answers, mut asked) = (Vec::new(), Vec::new());
        for (at, DataRequest { addr, config }) in requests.iter().enumerate() {
            match double.stand_in(addr) {
                Some(stand_in) => answers.push((at, Ok(double.doubles.read(&self.schema().block, config, &stand_in)))),
                None => asked.push((at, DataRequest { addr, config })),
            }
        }
        if let Some(real) = double.real.as_ref().filter(|_| !asked.is_empty()) {
            let (places, asked): (Vec<usize>, Vec<DataRequest<'_>>) = asked.into_iter().unzip();
            let read = self.0.read(&**real, scope, &asked).await;
            answers.extend(places.into_iter().zip(read));
        }
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

#[async_trait]
impl EphemeralType for DoubledEphemeral {
    fn schema(&self) -> &'static Schema {
        self.0.schema()
    }

    async fn open(&self, client: &dyn Client, request: &OpenRequest<'_>) -> Result<Opened, Diagnostics> {
        let double = double(client);
        match way(double, request.addr) {
            Way::Real(real) => self.0.open(real, request).await,
            Way::StandIn(stand_in) => {
                Ok(Opened::lasting(double.doubles.read(&self.schema().block, request.config, &stand_in)))
            }
        }
    }

    async fn renew(&self, client: &dyn Client, private: &mut String) -> Result<Option<i64>, Diagnostics> {
        match &double(client).real {
            Some(real) => self.0.renew(&**real, private).await,
            None => Ok(None),
        }
    }

    async fn close(&self, client: &dyn Client, private: &str) -> Diagnostics {
        match &double(client).real {
            Some(real) => self.0.close(&**real, private).await,
            None => Diagnostics::new(),
        }
    }
}
