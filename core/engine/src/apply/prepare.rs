//! What a step does, decided with what is known when its turn comes.

use std::{sync::Arc, time::Duration};

use sgp_contract::{DataRequest, ReadScope, ResourceType};
use sgp_lang::Stop;
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, ProviderAddr, Value,
    plan::{Action, Op, ResourceChange},
    state::{Intent, Operation as Mutation, RecordKey},
};
use sgp_plan::{broken_promises, ignore_changes, propose::without_write_only};

use super::{
    Shared, Walk, action_of,
    operation::{Call, Done, Operation},
};
use crate::{
    Session,
    blocks::resource_block,
    clients::{self, ClientState, Clients},
    let_go::skips_destroy,
    reading::read_data,
    settings,
    typed::{known_part, mark_schema},
    world::{WantedData, ignored, plan_object},
};

/// What a step does in a task of its own.
pub(super) enum Work {
    /// A change of one object.
    Mutate(Box<Operation>),
    /// A data source.
    Read(Box<Reading>),
}

/// A data source that is about to be read.
pub(super) struct Reading {
    session: Session,
    clients: Clients,
    addr: InstanceAddr,
    wanted: WantedData,
}

impl Reading {
    async fn run(self, step: u32) -> Done {
        let wanted = [(self.addr.clone(), self.wanted)].into();
        let mut answers = read_data(&self.session, &self.clients, &wanted).await;
        let (read, diagnostics) = match answers.remove(&self.addr).expect("what is read is answered") {
            Ok(value) => (Some((self.addr, value)), Diagnostics::new()),
            Err(problems) => {
                let named = problems.into_iter().map(|d| if d.address.is_none() { d.on(&self.addr) } else { d });
                (None, Diagnostics(named.collect()))
            }
        };
        Done { read, diagnostics, ..Done::of(step) }
    }
}

impl Work {
    /// Does it.
    pub(super) async fn run(self, step: u32, shared: Arc<Shared>) -> Done {
        match self {
            Self::Mutate(operation) => operation.run(step, shared).await,
            Self::Read(reading) => reading.run(step).await,
        }
    }
}

const NO_TIMEOUT: Duration = Duration::from_mins(20);

impl Walk<'_> {
    /// The calls of a step; `None` when there is nothing to call and it is done.
    pub(super) async fn prepare(
        &mut self,
        index: u32,
        op: Op,
        change: &ResourceChange,
    ) -> Result<Option<Work>, Diagnostics> {
        match op {
            Op::Join => Ok(None),
            Op::Read => Ok(self.read(change).await?.map(|r| Work::Read(Box::new(r)))),
            Op::Record => self.record(change).await.map(|()| None),
            Op::Forget => self.forget(change).await.map(|()| None),
            Op::Delete => Ok(Some(Work::Mutate(Box::new(self.delete(index, change).await?)))),
            Op::Create | Op::Update => Ok(self.make(op, change).await?.map(|o| Work::Mutate(Box::new(o)))),
        }
    }

    pub(super) async fn client(&mut self, addr: &ProviderAddr) -> Result<ClientState, Diagnostics> {
        if let Some(state @ ClientState::Ready { .. }) = self.clients.0.get(addr) {
            return Ok(state.clone());
        }
        let mut problems = Diagnostics::new();
        let registry = self.session().registry.clone();
        let behind = clients::behind(&self.session().config, &registry, [addr]);
        for through in behind.into_iter().filter(|b| !self.clients.0.contains_key(b)).collect::<Vec<_>>() {
            // One that is not known yet, or wrong, is told by those that it serves.
            if let Ok(config) = self.evaluated(|it| it.provider_config(&through)).await {
                self.clients.configure(&registry, vec![(through, config)], &mut Diagnostics::new()).await;
            }
        }
        let config = self.evaluated(|it| it.provider_config(addr)).await;
        let config = config.map_err(|_| self.evaluator.take_diagnostics())?;
        self.clients.configure(&registry, vec![(addr.clone(), config)], &mut problems).await;
        match self.clients.0.get(addr) {
            Some(state @ ClientState::Ready { .. }) => Ok(state.clone()),
            _ if problems.has_errors() => Err(problems),
            _ => Err(Diagnostic::error(
                "Provider configuration still unknown",
                format!("The configuration of {addr} depends on something that apply did not make known."),
            )
            .into()),
        }
    }

    fn type_of(&self, change: &ResourceChange) -> Result<&'static dyn ResourceType, Diagnostics> {
        let name = &change.addr.resource.type_name;
        self.session().registry.resource_type(name).ok_or_else(|| {
            Diagnostic::error("Unknown resource type", format!("There is no resource type {name}."))
                .on(&change.addr)
                .into()
        })
    }

    /// Evaluates the preconditions and the arguments again; everything is known by now.
    async fn config(&mut self, change: &ResourceChange) -> Result<Value, Diagnostics> {
        let config = self.evaluated(|it| it.checked_config(&change.addr)).await;
        let config = config.map_err(|stop| match stop {
            Stop::Failed => self.evaluator.take_diagnostics(),
            Stop::Blocked => Diagnostics::new(),
        })?;
        if config.is_wholly_known() {
            return Ok(config);
        }
        let mut unknown = Vec::new();
        config.walk(&mut |path, value| {
            if !value.is_known() {
                unknown.push(path.to_string());
            }
        });
        Err(Diagnostic::error(
            "Argument still unknown",
            format!(
                "{} needs {}, which what it refers to did not make known. This is a bug in sgp or in a resource type; \
                 please report it.",
                change.addr,
                unknown.join(", ")
            ),
        )
        .on(&change.addr)
        .into())
    }

    async fn make(&mut self, op: Op, change: &ResourceChange) -> Result<Option<Operation>, Diagnostics> {
        let ty = self.type_of(change)?;
        let block = &ty.schema().block;
        let client = self.client(&change.provider).await?;
        let key = RecordKey::current(change.addr.clone());
        let existing = self.records.get(&key).cloned();
        let none = Value::null(ty.schema().ty());
        let prior = match (&existing, op) {
            (Some(record), Op::Update) => crate::typed::marked(block, record),
            _ => none,
        };
        let mut config = self.config(change).await?;
        let block_of = resource_block(&self.session().config, &change.addr.resource);
        if let Some(ignore) = block_of.and_then(|b| ignored(&b.lifecycle)) {
            config = ignore_changes(block, &prior, &config, &ignore);
        }
        let (bare_config, _) = client.config().unmark_deep();
        let registry = self.session().registry.clone();
        let found = if registry.is_doubled(&change.addr, &change.provider) {
            None
        } else {
            look_up(ty, &client, &prior, &config).await?
        };
        let mut planned = plan_object(ty, &prior, &config, &bare_config, found.as_ref())?.object;
        if let Some(doubles) = registry.doubles() {
            planned = doubles.kept(&change.addr, &change.provider, planned, &change.after);
        }
        kept(change, block, &planned)?;
        if op == Op::Update && prior.same(&planned) {
            return Ok(None);
        }
        let token = self.session().store.fresh_id();
        let planned = match op {
            Op::Create => without_write_only(block, &ty.prepare(mark_schema(block, &planned), &token)),
            _ => mark_schema(block, &planned),
        };
        let mutation = if op == Op::Create { Mutation::Create } else { Mutation::Update };
        let intent = Intent {
            token,
            key: key.clone(),
            operation: mutation,
            provider: change.provider.clone(),
            attributes: known_part(&planned),
            at: self.session().clock.now(),
            dependencies: change.dependencies.clone(),
            create_before_destroy: change.create_before_destroy,
        };
        let (config, _) = config.unmark_deep();
        let sensitive_paths = planned.sensitive_paths();
        let (planned, _) = planned.unmark_deep();
        let call = match op {
            Op::Create => Call::Create { planned: planned.clone(), config, replaces: existing.clone() },
            _ => Call::Update { prior: prior.unmark_deep().0, planned: planned.clone(), config },
        };
        Ok(Some(Operation {
            timeout: settings::timeout(ty.schema(), &planned, mutation).unwrap_or(NO_TIMEOUT),
            ty,
            client: ready(&client),
            call,
            action: action_of(op),
            intent,
            sensitive_paths,
            private: existing.and_then(|r| r.private),
            skip_destroy: skips_destroy(&self.session().config, &change.addr.resource),
        }))
    }

    async fn delete(&mut self, index: u32, change: &ResourceChange) -> Result<Operation, Diagnostics> {
        let ty = self.type_of(change)?;
        let client = self.client(&change.provider).await?;
        let deposed = change.deposed.clone().or_else(|| self.deposed.get(&index).cloned());
        let key = RecordKey { addr: change.addr.clone(), deposed };
        let Some(record) = self.records.get(&key).cloned() else {
            return Err(Diagnostic::error(
                "Object to delete is not recorded",
                format!("{} is not in the state any more.", change.addr),
            )
            .on(&change.addr)
            .into());
        };
        let intent = Intent {
            token: self.session().store.fresh_id(),
            key,
            operation: Mutation::Delete,
            provider: change.provider.clone(),
            attributes: record.attributes.clone(),
            at: self.session().clock.now(),
            dependencies: record.dependencies.clone(),
            create_before_destroy: record.create_before_destroy,
        };
        Ok(Operation {
            timeout: settings::timeout(ty.schema(), &record.attributes, Mutation::Delete).unwrap_or(NO_TIMEOUT),
            ty,
            client: ready(&client),
            call: Call::Delete { record: Box::new(record) },
            action: action_of(Op::Delete),
            intent,
            sensitive_paths: Vec::new(),
            private: None,
            skip_destroy: false,
        })
    }

    /// The reading of a data source whose arguments are known only now; one that only computes is done at once.
    async fn read(&mut self, change: &ResourceChange) -> Result<Option<Reading>, Diagnostics> {
        let config = self.config(change).await?;
        let addr = &change.addr;
        let pure = self.session().registry.pure_data(addr, &change.provider);
        if let Some(ty) = pure {
            let (bare, marks) = config.unmark_deep();
            let value = ty.compute(&DataRequest { addr, config: &bare }).map(|v| v.mark(marks))?;
            self.evaluator.world_mut().settled.insert(addr.clone(), value);
            return Ok(None);
        }
        self.client(&change.provider).await?;
        let wanted = WantedData { config, provider: change.provider.clone() };
        Ok(Some(Reading { session: self.session().clone(), clients: self.clients.clone(), addr: addr.clone(), wanted }))
    }

    /// Records an object as it is: adopted by import, or with other parts that count as secrets. (A new address is recorded with what
    /// refresh found.)
    async fn record(&mut self, change: &ResourceChange) -> Result<(), Diagnostics> {
        let key = RecordKey::current(change.addr.clone());
        let Some(record) = self.records.get(&key).cloned() else { return Ok(()) };
        let record = InstanceRecord {
            dependencies: change.dependencies.clone(),
            create_before_destroy: change.create_before_destroy,
            skip_destroy: skips_destroy(&self.session().config, &change.addr.resource),
            sensitive_paths: change.after.sensitive_paths(),
            ..record
        };
        if !self.write(vec![sgp_contract::Write::Put(key.clone(), Box::new(record.clone()))]).await {
            return Err(Diagnostics::new());
        }
        self.records.insert(key, record);
        self.done.import += usize::from(change.importing.is_some());
        self.done.change += usize::from(change.action == Action::Update);
        self.settle(Op::Record, change);
        Ok(())
    }

    async fn forget(&mut self, change: &ResourceChange) -> Result<(), Diagnostics> {
        let key = RecordKey { addr: change.addr.clone(), deposed: change.deposed.clone() };
        if !self.write(vec![sgp_contract::Write::Remove(key.clone())]).await {
            return Err(Diagnostics::new());
        }
        self.records.remove(&key);
        self.forgotten.push(change.addr.clone());
        Ok(())
    }
}

/// What the type wants to know, as it is now.
async fn look_up(
    ty: &dyn ResourceType,
    client: &ClientState,
    prior: &Value,
    config: &Value,
) -> Result<Option<Value>, Diagnostics> {
    if !ty.wants_look_up(prior, config) {
        return Ok(None);
    }
    let (bare, _) = config.clone().unmark_deep();
    let mut found = ty.look_up(&*ready(client), &ReadScope::default(), &[bare]).await;
    Ok(found.pop().transpose()?.flatten())
}

fn ready(state: &ClientState) -> Arc<dyn sgp_contract::Client> {
    state.ready().expect("the client was made ready before").clone()
}

/// What was reviewed is what runs: an argument that turned out otherwise stops the step.
fn kept(change: &ResourceChange, block: &sgp_model::Block, planned: &Value) -> Result<(), Diagnostics> {
    let broken = broken_promises(block, &change.after, planned);
    if broken.is_empty() {
        return Ok(());
    }
    let names = broken.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Diagnostic::error(
        "Plan does not hold any more",
        format!(
            "With what is known now, {} would be made with other values than the plan showed: {names}. Nothing was done to \
             it. Run plan again and look at the new values.",
            change.addr
        ),
    )
    .on(&change.addr)
    .into())
}
