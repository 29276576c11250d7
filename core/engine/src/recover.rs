//! Finding out what became of operations that an interrupted run had begun.
//!
//! The journal has an intent for each mutation and its outcome. An intent without outcome is looked into: a creation is
//! found by what was checkpointed or by its natural key and adopted; a change is left to the next refresh, which reads what
//! really is; an object whose deletion had begun is tainted, so that the next plan finishes the deletion.

use std::{sync::Arc, time::Duration};

use sgp_contract::{
    Client, Context, ContextEvents, Found, ReadOutcome, ReadRequest, ReadScope, ResourceType, Slot, StoreError, Write,
    store::OpenIntent,
};
use sgp_lang::Evaluator;
use sgp_model::{
    AttrPath, DeposedKey, Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, State, Value,
    state::{Intent, ObjectStatus, Operation, RecordKey},
};
use tokio::sync::watch;

use crate::{
    Event, Interrupt, Session,
    clients::{self, ClientState, Clients},
    ephemeral::OpenOnes,
    settings, typed,
    values::RecordedWorld,
};

/// Closes every open intent, or says why it cannot.
pub async fn recover(session: &Session) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let open = match session.store.open_intents().await {
        Ok(open) => open,
        Err(error) => return Diagnostic::error("State cannot be read", format!("{error}.")).into(),
    };
    if open.is_empty() {
        return diagnostics;
    }
    let state = match session.store.load().await {
        Ok(state) => typed::typed(state, &session.registry).0,
        Err(error) => return Diagnostic::error("State cannot be read", format!("{error}.")).into(),
    };
    let mut ephemerals = OpenOnes::default();
    let clients = clients(session, &open, &state, &mut ephemerals, &mut diagnostics).await;
    for intent in open {
        match one(session, &clients, &state, &intent).await {
            Ok(doubt) => diagnostics.extend(doubt),
            Err(problem) => diagnostics.push(problem.on(&intent.intent.key.addr)),
        }
    }
    diagnostics.extend(ephemerals.close(session).await);
    diagnostics
}

/// Clients for the provider configurations that the intents name, evaluated against the recorded state.
async fn clients(
    session: &Session,
    open: &[OpenIntent],
    state: &State,
    ephemerals: &mut OpenOnes,
    diagnostics: &mut Diagnostics,
) -> Clients {
    let world = RecordedWorld::new(session.registry.clone(), state);
    let mut evaluator = Evaluator::new(
        session.config.clone(),
        session.inputs.clone(),
        session.registry.clone(),
        session.files.clone(),
        world,
    );
    evaluator.variables();
    let mut wanted: Vec<_> = open.iter().map(|o| o.intent.provider.clone()).collect();
    wanted.extend(clients::behind(&session.config, &session.registry, &wanted));
    wanted.sort();
    wanted.dedup();
    let mut clients = Clients::default();
    clients::evaluate(session, &mut evaluator, wanted, &mut clients, ephemerals, diagnostics).await;
    diagnostics.extend(evaluator.take_diagnostics());
    clients
}

/// Looks into one intent; answers a warning where something is there that cannot be shown to be ours.
async fn one(
    session: &Session,
    clients: &Clients,
    state: &State,
    open: &OpenIntent,
) -> Result<Option<Diagnostic>, Diagnostic> {
    // What the configuration called sensitive is marked in the journal; types see bare values.
    let (bare, _) = open.intent.attributes.clone().unmark_deep();
    let intent = &Intent { attributes: bare, ..open.intent.clone() };
    let sensitive = open.intent.attributes.sensitive_paths();
    match intent.operation {
        // The refresh reads what is there now.
        Operation::Update => close(session, intent, Vec::new()).await.map(|()| None),
        Operation::Delete => {
            let tainted = state.instances.get(&intent.key).map(|record| {
                let record = InstanceRecord { status: ObjectStatus::Tainted, ..record.clone() };
                Write::Put(intent.key.clone(), Box::new(record))
            });
            told(session, intent, "its deletion was interrupted and will be finished");
            close(session, intent, tainted.into_iter().collect()).await.map(|()| None)
        }
        Operation::Create => {
            let client = clients.0.get(&intent.provider).and_then(ClientState::ready);
            let ty = session.registry.resource_type(&intent.key.addr.resource.type_name);
            let (Some(client), Some(ty)) = (client, ty) else { return Err(not_reachable(intent)) };
            let open = OpenIntent { intent: intent.clone(), checkpoint: open.checkpoint.clone() };
            created(session, &**client, ty, state, &open, sensitive).await
        }
    }
}

fn not_reachable(intent: &Intent) -> Diagnostic {
    Diagnostic::error(
        "Interrupted creation cannot be looked into",
        format!(
            "An earlier run was interrupted while it created {}, and {} cannot be used now to find out whether it came \
             into being. Make the provider configuration work again and run the command once more.",
            intent.key.addr, intent.provider
        ),
    )
}

async fn created(
    session: &Session,
    client: &dyn Client,
    ty: &dyn ResourceType,
    state: &State,
    open: &OpenIntent,
    sensitive_paths: Vec<AttrPath>,
) -> Result<Option<Diagnostic>, Diagnostic> {
    let intent = &open.intent;
    let known = match &open.checkpoint {
        Some(attributes) => Some(attributes.clone()),
        None => match ty.find(client, intent).await? {
            Found::Ours(attributes) => Some(attributes),
            Found::Nothing => None,
            // Reported and left alone: whoever made it, this run does not own it.
            Found::Doubtful(problem) => {
                close(session, intent, Vec::new()).await?;
                let severity = sgp_model::Severity::Warning;
                return Ok(Some(Diagnostic { severity, ..problem }.on(&intent.key.addr)));
            }
        },
    };
    let object = match known {
        Some(attributes) => read(ty, client, intent, attributes).await?,
        None => None,
    };
    let Some(object) = object else {
        told(session, intent, "its creation was interrupted before it took effect");
        return close(session, intent, Vec::new()).await.map(|()| None);
    };
    let settled = ty.settle(client, &context(session, ty, intent, &object), &intent.attributes, object.clone()).await;
    let failed = settled.diagnostics.has_errors();
    if failed && *session.interrupt.borrow() >= Interrupt::Finish {
        // The person ended the wait: nothing is wrong with the object, and the next run goes on waiting.
        return Err(settled.diagnostics.0.into_iter().next().unwrap_or_else(|| not_reachable(intent)));
    }
    let attributes = settled.object.unwrap_or(object);
    let record = InstanceRecord {
        provider: intent.provider.clone(),
        schema_version: ty.schema().version,
        attributes: shaped(ty, &attributes)?,
        sensitive_paths,
        status: if failed { ObjectStatus::Tainted } else { ObjectStatus::Ready },
        dependencies: intent.dependencies.clone(),
        create_before_destroy: intent.create_before_destroy,
        skip_destroy: false,
        private: None,
    };
    let mut writes = Vec::new();
    // A replacement that is made first: what is recorded as current is the old object.
    if let Some(old) = state.instances.get(&intent.key) {
        let deposed = RecordKey { deposed: Some(deposed_key(session)), ..intent.key.clone() };
        writes.push(Write::Put(deposed, Box::new(old.clone())));
    }
    writes.push(Write::Put(intent.key.clone(), Box::new(record)));
    told(session, intent, if failed { "found, but not usable: it will be replaced" } else { "found and adopted" });
    close(session, intent, writes).await.map(|()| None)
}

async fn read(
    ty: &dyn ResourceType,
    client: &dyn Client,
    intent: &Intent,
    attributes: Value,
) -> Result<Option<Value>, Diagnostic> {
    let prior = shaped(ty, &attributes)?;
    let request = ReadRequest { addr: intent.key.addr.clone(), prior };
    match ty.read(client, &ReadScope::default(), &[request]).await.pop() {
        Some(ReadOutcome::Present(object)) => Ok(Some(object)),
        Some(ReadOutcome::Failed(problem)) => Err(problem),
        Some(ReadOutcome::Gone) | None => Ok(None),
    }
}

fn shaped(ty: &dyn ResourceType, value: &Value) -> Result<Value, Diagnostic> {
    let (bare, _) = value.clone().unmark_deep();
    typed::shaped(&ty.schema().block, &typed::known_part(&bare)).map_err(|problem| {
        Diagnostic::error("Journal entry cannot be read", format!("{}: {problem}.", ty.schema().name))
    })
}

async fn close(session: &Session, intent: &Intent, mut writes: Vec<Write>) -> Result<(), Diagnostic> {
    if !writes.is_empty() {
        writes.push(Write::BumpSerial);
    }
    writes.push(Write::End { token: intent.token.clone() });
    session.store.write(writes).await.map_err(|error| Diagnostic::error("State cannot be written", format!("{error}.")))
}

fn told(session: &Session, intent: &Intent, what: &str) {
    session.events.emit(Event::Recovered { addr: intent.key.addr.clone(), what: what.to_owned() });
}

/// A fresh key for a deposed object: eight hexadecimal digits.
pub(crate) fn deposed_key(session: &Session) -> DeposedKey {
    let digits: String = session.store.fresh_id().chars().filter(char::is_ascii_hexdigit).take(8).collect();
    DeposedKey(digits.to_ascii_lowercase().into())
}

/// Recovery waits as a creation does, but records nothing before it is done.
struct Telling(Session);

#[async_trait::async_trait]
impl ContextEvents for Telling {
    async fn checkpoint(&self, _addr: &InstanceAddr, _attributes: &Value) -> Result<(), StoreError> {
        Ok(())
    }

    fn progress(&self, addr: &InstanceAddr, status: &str) {
        self.0.events.emit(Event::Recovered { addr: addr.clone(), what: format!("waiting: {status}") });
    }
}

fn context(session: &Session, ty: &dyn ResourceType, intent: &Intent, object: &Value) -> Context {
    let (cancel, cancelled) = watch::channel(*session.interrupt.borrow() >= Interrupt::Now);
    let mut interrupt = session.interrupt.clone();
    tokio::spawn(async move {
        while interrupt.changed().await.is_ok() {
            if *interrupt.borrow() >= Interrupt::Finish {
                // Nothing is in flight that could be lost: the intent stays open for the next run.
                let _ = cancel.send(true);
            }
        }
    });
    Context {
        addr: intent.key.addr.clone(),
        token: intent.token.clone(),
        timeout: settings::timeout(ty.schema(), object, Operation::Create).unwrap_or(Duration::from_mins(30)),
        clock: session.clock.clone(),
        events: Arc::new(Telling(session.clone())),
        slot: Arc::new(Slot::default()),
        cancelled,
    }
}
