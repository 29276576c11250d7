//! One mutation of one object: the intent into the journal, the call, the outcome into the state.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sgp_contract::{
    Applied, Client, Context, ContextEvents, CreateRequest, DeleteRequest, ResourceType, Slot, StoreError,
    UpdateRequest, Write,
};
use sgp_model::{
    AttrPath, DeposedKey, Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, Value,
    plan::Action,
    state::{Intent, ObjectStatus, RecordKey},
};
use sgp_plan::{broken_promises, propose::without_write_only};

use super::{Shared, fresh_deposed};
use crate::{Event, Session, typed};

/// How often a person hears that something still goes on.
const STILL_GOING: Duration = Duration::from_secs(10);

/// A mutation with everything it needs.
pub(super) struct Operation {
    pub(super) ty: &'static dyn ResourceType,
    pub(super) client: Arc<dyn Client>,
    pub(super) call: Call,
    pub(super) action: Action,
    pub(super) intent: Intent,
    pub(super) timeout: Duration,
    pub(super) sensitive_paths: Vec<AttrPath>,
    pub(super) private: Option<String>,
    pub(super) skip_destroy: bool,
}

/// Which call, with its arguments free of marks.
pub(super) enum Call {
    /// Creates; an existing object that it replaces becomes deposed.
    Create { planned: Value, config: Value, replaces: Option<InstanceRecord> },
    /// Changes in place.
    Update { prior: Value, planned: Value, config: Value },
    /// Deletes.
    Delete { record: Box<InstanceRecord> },
}

/// How it ended, for the coordinator.
pub(super) struct Done {
    pub(super) step: u32,
    /// Whether it was begun at all.
    pub(super) begun: bool,
    /// A data source and what it answered.
    pub(super) read: Option<(InstanceAddr, Value)>,
    /// Records as they are now; `None` for those that are gone.
    pub(super) record: Vec<(RecordKey, Option<InstanceRecord>)>,
    /// Where the object that was replaced went.
    pub(super) deposed: Option<DeposedKey>,
    /// Why the state could not be written, when it could not.
    pub(super) unrecorded: Option<Unrecorded>,
    pub(super) diagnostics: Diagnostics,
}

/// The state refused a write.
pub(super) struct Unrecorded {
    pub(super) cause: String,
    /// Whether the call was made; otherwise its intent could not be journaled.
    pub(super) called: bool,
}

impl Done {
    /// Nothing changed.
    pub(super) fn of(step: u32) -> Self {
        Self {
            step,
            begun: true,
            read: None,
            record: Vec::new(),
            deposed: None,
            unrecorded: None,
            diagnostics: Diagnostics::new(),
        }
    }

    pub(super) fn failed(&self) -> bool {
        self.unrecorded.is_some() || self.diagnostics.has_errors()
    }
}

impl Operation {
    /// Runs in a task of its own.
    pub(super) async fn run(self, step: u32, shared: Arc<Shared>) -> Done {
        let session = shared.session.clone();
        let slot = Arc::new(self.slot(&shared).await);
        // Whoever waited for a place may find that nothing more is to be started.
        if shared.is_halted() {
            return Done { begun: false, ..Done::of(step) };
        }
        let start = session.clock.monotonic();
        if let Err(error) = self.journal(&shared).await {
            // Nothing is called when the journal cannot be written.
            shared.halt();
            let unrecorded = Some(Unrecorded { cause: error.to_string(), called: false });
            return Done { unrecorded, ..Done::of(step) };
        }
        session.events.emit(Event::ApplyStart {
            addr: self.intent.key.addr.clone(),
            action: self.action,
            deposed: self.intent.key.deposed.as_ref().map(ToString::to_string),
            id: self.id_before(),
        });
        let cx = Context {
            addr: self.intent.key.addr.clone(),
            token: self.intent.token.clone(),
            timeout: self.timeout,
            clock: session.clock.clone(),
            events: Arc::new(Reports {
                session: session.clone(),
                action: self.action,
                token: self.intent.token.clone(),
                block: &self.ty.schema().block,
                start,
                last: Mutex::default(),
            }),
            slot,
            cancelled: shared.cancelled.clone(),
        };
        let applied = self.call_with_progress(&cx).await;
        drop(cx);
        let elapsed = session.clock.monotonic().saturating_sub(start);
        let (made, addr, action) = (self.intent.key.clone(), self.intent.key.addr.clone(), self.action);
        let done = self.outcome(step, applied, &shared).await;
        session.events.emit(if done.failed() {
            Event::ApplyErrored { addr, action, elapsed }
        } else {
            let current = done.record.iter().find(|(key, _)| *key == made);
            let id = current.and_then(|(_, record)| id_of(&record.as_ref()?.attributes));
            Event::ApplyComplete { addr, action, id, elapsed }
        });
        done
    }

    /// Waits for a place at the endpoint; types that call nobody need none.
    async fn slot(&self, shared: &Shared) -> Slot {
        let endpoint = self.ty.endpoint();
        if endpoint.is_empty() {
            return Slot::default();
        }
        let slots = shared.slots(endpoint);
        let permit = slots.acquire_owned().await.expect("the slots are never closed");
        Slot::holding(permit)
    }

    /// Writes the intent. What calls nobody cannot leave anything behind, so it has none.
    async fn journal(&self, shared: &Shared) -> Result<(), StoreError> {
        if self.ty.endpoint().is_empty() {
            return Ok(());
        }
        let begin = Write::Begin(Box::new(self.intent.clone()));
        shared.session.store.write(shared.with_serial(vec![begin])).await
    }

    fn id_before(&self) -> Option<String> {
        match &self.call {
            Call::Create { .. } => None,
            Call::Update { prior, .. } => id_of(prior),
            Call::Delete { record } => id_of(&record.attributes),
        }
    }

    async fn call_with_progress(&self, cx: &Context) -> Applied {
        let call = self.call(cx);
        tokio::pin!(call);
        loop {
            tokio::select! {
                applied = &mut call => return applied,
                () = cx.clock.sleep(STILL_GOING) => cx.progress(""),
            }
        }
    }

    async fn call(&self, cx: &Context) -> Applied {
        let client = &*self.client;
        match &self.call {
            Call::Create { planned, config, .. } => self.ty.create(client, cx, CreateRequest { planned, config }).await,
            Call::Update { prior, planned, config } => {
                self.ty.update(client, cx, UpdateRequest { prior, planned, config }).await
            }
            Call::Delete { record } => self.ty.delete(client, cx, DeleteRequest { prior: &record.attributes }).await,
        }
    }

    /// Records how it ended: the object and the end of the intent in one write.
    async fn outcome(self, step: u32, applied: Applied, shared: &Shared) -> Done {
        let session = &shared.session;
        let mut diagnostics = self.on_this(applied.diagnostics);
        let failed = diagnostics.has_errors();
        let in_doubt = applied.in_doubt && failed && applied.object.is_none();
        let mut deposed = None;
        let mut changed: Vec<(RecordKey, Option<InstanceRecord>)> = Vec::new();
        match &self.call {
            Call::Create { planned, replaces, .. } => {
                if let Some(object) = &applied.object {
                    if let Some(old) = replaces {
                        let key = fresh_deposed(session);
                        let at = RecordKey { addr: self.intent.key.addr.clone(), deposed: Some(key.clone()) };
                        changed.push((at, Some(old.clone())));
                        deposed = Some(key);
                    }
                    diagnostics.extend(self.promises(planned, object, failed));
                    let status = if failed { ObjectStatus::Tainted } else { ObjectStatus::Ready };
                    changed.push((self.intent.key.clone(), Some(self.record(object, status))));
                }
            }
            Call::Update { planned, .. } => {
                if let Some(object) = &applied.object {
                    diagnostics.extend(self.promises(planned, object, failed));
                    changed.push((self.intent.key.clone(), Some(self.record(object, ObjectStatus::Ready))));
                }
            }
            Call::Delete { record } => {
                let left = applied.object.filter(|_| failed).map(|object| InstanceRecord {
                    attributes: typed::shaped(&self.ty.schema().block, &typed::known_part(&object))
                        .unwrap_or_else(|_| record.attributes.clone()),
                    ..(**record).clone()
                });
                if !failed || left.is_some() {
                    changed.push((self.intent.key.clone(), left));
                }
            }
        }
        let mut writes: Vec<Write> = changed.iter().map(|(key, record)| to_write(key, record.as_ref())).collect();
        // Nobody answered a creation: its intent stays open, so that the next run looks for the object.
        let stays_open = in_doubt && matches!(self.call, Call::Create { .. });
        if !self.ty.endpoint().is_empty() && !stays_open {
            writes.push(Write::End { token: self.intent.token.clone() });
        }
        let mut unrecorded = None;
        if !writes.is_empty()
            && let Err(error) = session.store.write(shared.with_serial(writes)).await
        {
            shared.halt();
            unrecorded = Some(Unrecorded { cause: error.to_string(), called: true });
        }
        Done { record: changed, deposed, unrecorded, diagnostics, ..Done::of(step) }
    }

    fn record(&self, object: &Value, status: ObjectStatus) -> InstanceRecord {
        let (bare, _) = object.clone().unmark_deep();
        let known = typed::known_part(&bare);
        InstanceRecord {
            provider: self.intent.provider.clone(),
            schema_version: self.ty.schema().version,
            attributes: typed::shaped(&self.ty.schema().block, &known).unwrap_or(known),
            sensitive_paths: self.sensitive_paths.clone(),
            status,
            dependencies: self.intent.dependencies.clone(),
            create_before_destroy: self.intent.create_before_destroy,
            skip_destroy: self.skip_destroy,
            private: self.private.clone(),
        }
    }

    /// Compares what the provider answered with what was planned, attribute by attribute.
    fn promises(&self, planned: &Value, object: &Value, failed: bool) -> Diagnostics {
        let broken = broken_promises(&self.ty.schema().block, planned, object);
        if broken.is_empty() || failed {
            return Diagnostics::new();
        }
        let names = broken.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Diagnostic::warning(
            "Result differs from the plan",
            format!(
                "After the call, these attributes of {} are not what was planned: {names}. What is recorded is what exists; \
                 the next plan shows the difference.",
                self.intent.key.addr
            ),
        )
        .on(&self.intent.key.addr)
        .into()
    }

    fn on_this(&self, diagnostics: Diagnostics) -> Diagnostics {
        let address = self.intent.key.addr.to_string();
        Diagnostics(
            diagnostics
                .into_iter()
                .map(|mut d| {
                    d.address.get_or_insert_with(|| address.clone());
                    d
                })
                .collect(),
        )
    }
}

fn to_write(key: &RecordKey, record: Option<&InstanceRecord>) -> Write {
    match record {
        Some(record) => Write::Put(key.clone(), Box::new(record.clone())),
        None => Write::Remove(key.clone()),
    }
}

fn id_of(object: &Value) -> Option<String> {
    object.get("id").and_then(Value::as_str).map(str::to_owned)
}

/// Takes a provider's reports about one object.
struct Reports {
    session: Session,
    action: Action,
    token: String,
    block: &'static sgp_model::Block,
    start: Duration,
    /// The last status that was told, and when.
    last: Mutex<(Option<String>, Duration)>,
}

#[async_trait::async_trait]
impl ContextEvents for Reports {
    async fn checkpoint(&self, _addr: &InstanceAddr, attributes: &Value) -> Result<(), StoreError> {
        let (bare, _) = attributes.clone().unmark_deep();
        let attributes = Box::new(without_write_only(self.block, &typed::known_part(&bare)));
        self.session.store.write(vec![Write::Checkpoint { token: self.token.clone(), attributes }]).await
    }

    /// Tells a status when it is new, and any status again after a while: waiters ask more often than people read.
    fn progress(&self, addr: &InstanceAddr, status: &str) {
        let elapsed = self.session.clock.monotonic().saturating_sub(self.start);
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_new = !status.is_empty() && last.0.as_deref() != Some(status);
        if !is_new && elapsed.saturating_sub(last.1) < STILL_GOING {
            return;
        }
        if is_new {
            last.0 = Some(status.to_owned());
        }
        last.1 = elapsed;
        let status = last.0.clone();
        drop(last);
        self.session.events.emit(Event::ApplyProgress { addr: addr.clone(), action: self.action, status, elapsed });
    }
}
