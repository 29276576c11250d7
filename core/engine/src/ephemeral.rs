//! Ephemeral resources: opened where something needs them, renewed while the run goes on, closed as soon as nothing needs them any
//! more, and never written down.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use sgp_contract::{Client, EphemeralType, OpenRequest, Opened};
use sgp_lang::{Answer, Configured, Evaluator, World};
use sgp_model::{Diagnostic, Diagnostics, InstanceAddr, ProviderAddr, Value};
use sgp_plan::propose::unknown_object;

use crate::{
    Event, Registry, Session,
    clients::{self, ClientState, Clients},
    event::EphemeralOp,
    typed,
    world::{WantedData, located},
};

/// What a world knows of ephemeral resources.
#[derive(Default)]
pub(crate) struct Desk {
    /// Those that were opened, or could not be.
    pub(crate) answers: BTreeMap<InstanceAddr, Result<Value, Diagnostics>>,
    /// Those that wait to be opened.
    pub(crate) wanted: BTreeMap<InstanceAddr, WantedData>,
}

impl Desk {
    /// What an ephemeral resource is; `None` while its arguments are not known, or while it has to wait for something else.
    pub(crate) fn answer(&mut self, configured: &Configured<'_>, waits: bool) -> Option<Answer> {
        match self.answers.get(configured.addr) {
            Some(Ok(value)) => return Some(Answer::Value(value.clone())),
            Some(Err(problems)) => return Some(Answer::Failed(located(problems.clone(), configured))),
            None => {}
        }
        if waits || configured.addr.is_open() || !configured.config.is_wholly_known() {
            return None;
        }
        let wanted = WantedData { config: configured.config.clone(), provider: configured.provider.clone() };
        self.wanted.insert(configured.addr.clone(), wanted);
        Some(Answer::Blocked)
    }
}

/// A world in which ephemeral resources are opened.
pub(crate) trait HasDesk {
    fn desk(&mut self) -> &mut Desk;
}

/// The object as far as its arguments tell.
pub(crate) fn unknown(registry: &Registry, configured: &Configured<'_>) -> Value {
    let ty = registry.ephemeral_type(&configured.addr.resource.type_name);
    ty.map_or_else(Value::dynamic_null, |ty| unknown_object(&ty.schema().block, &configured.config))
}

/// One that is open.
struct OpenOne {
    addr: InstanceAddr,
    ty: &'static dyn EphemeralType,
    client: Arc<dyn Client>,
    renew_at: Option<i64>,
    private: String,
}

/// Those that are open, in the order of opening.
#[derive(Default)]
pub(crate) struct OpenOnes(Vec<OpenOne>);

impl OpenOnes {
    /// Opens what was asked for and whose client is ready; what is left out is asked for again.
    pub(crate) async fn open(
        &mut self,
        session: &Session,
        clients: &Clients,
        wanted: BTreeMap<InstanceAddr, WantedData>,
    ) -> Vec<(InstanceAddr, Result<Value, Diagnostics>)> {
        let opening = wanted.into_iter().filter_map(|(addr, data)| {
            let state = clients.0.get(&data.provider)?.clone();
            Some(async move {
                let opened = open_one(session, &state, &addr, &data).await;
                (addr, opened)
            })
        });
        let mut answers = Vec::new();
        for (addr, opened) in join_all(opening.collect::<Vec<_>>()).await {
            let answer = opened.map(|(value, one)| {
                self.0.push(one);
                value
            });
            answers.push((addr, answer));
        }
        answers
    }

    /// How long until the next one has to be renewed; `None` when none has to.
    pub(crate) fn next_renewal(&self, now: i64) -> Option<Duration> {
        let next = self.0.iter().filter_map(|one| one.renew_at).min()?;
        Some(Duration::from_secs(u64::try_from(next - now).unwrap_or(0)))
    }

    /// Renews those whose time has come.
    pub(crate) async fn renew(&mut self, session: &Session) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let now = session.clock.now();
        for one in self.0.iter_mut().filter(|one| one.renew_at.is_some_and(|at| at <= now)) {
            let (ty, client) = (one.ty, one.client.clone());
            let renewed = told(session, &one.addr, EphemeralOp::Renew, ty.renew(&*client, &mut one.private)).await;
            match renewed {
                // One that says that it is due already would be renewed for ever.
                Ok(next) => one.renew_at = next.map(|at| at.max(now + 1)),
                Err(problems) => {
                    one.renew_at = None;
                    diagnostics.extend(on(problems, &one.addr));
                }
            }
        }
        diagnostics
    }

    /// Closes all, the last one first.
    pub(crate) async fn close(&mut self, session: &Session) -> Diagnostics {
        self.close_where(session, |_| true).await
    }

    /// Closes those, the last one first.
    pub(crate) async fn close_where(
        &mut self,
        session: &Session,
        is_meant: impl Fn(&InstanceAddr) -> bool,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let (mut meant, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|it| is_meant(&it.addr));
        self.0 = rest;
        while let Some(one) = meant.pop() {
            let closing = one.ty.close(&*one.client, &one.private);
            let problems = told(session, &one.addr, EphemeralOp::Close, closing).await;
            diagnostics.extend(on(problems, &one.addr));
        }
        diagnostics
    }
}

async fn open_one(
    session: &Session,
    client: &ClientState,
    addr: &InstanceAddr,
    data: &WantedData,
) -> Result<(Value, OpenOne), Diagnostics> {
    let ty = session.registry.ephemeral_type(&addr.resource.type_name).ok_or_else(Diagnostics::new)?;
    let client = match client {
        ClientState::Ready { client, .. } => client.clone(),
        ClientState::Pending { .. } => {
            let detail = format!(
                "{addr} cannot be opened: the configuration of {} is known only after apply. Apply what it refers to first.",
                data.provider
            );
            return Err(Diagnostic::error("Provider configuration still unknown", detail).into());
        }
        // Told where it failed.
        ClientState::Failed => return Err(Diagnostics::new()),
    };
    let (config, marks) = data.config.clone().unmark_deep();
    let request = OpenRequest { addr, config: &config };
    let Opened { result, renew_at, private } =
        told(session, addr, EphemeralOp::Open, ty.open(&*client, &request)).await?;
    let block = &ty.schema().block;
    let value = typed::shaped(block, &result).map_err(|problem| {
        Diagnostic::error(
            "Provider answered something else than its schema",
            format!("{}: {problem}. This is a bug in sgp; please report it.", ty.schema().name),
        )
    })?;
    let value = typed::mark_schema(block, &value).mark(marks);
    Ok((value, OpenOne { addr: addr.clone(), ty, client, renew_at, private }))
}

/// Does something and tells that it is being done.
async fn told<T>(session: &Session, addr: &InstanceAddr, op: EphemeralOp, doing: impl Future<Output = T>) -> T {
    let start = session.clock.monotonic();
    session.events.emit(Event::EphemeralStart { addr: addr.clone(), op });
    let done = doing.await;
    let elapsed = session.clock.monotonic().saturating_sub(start);
    session.events.emit(Event::EphemeralComplete { addr: addr.clone(), op, elapsed });
    done
}

fn on(diagnostics: Diagnostics, addr: &InstanceAddr) -> Diagnostics {
    let named = diagnostics.into_iter().map(|d| if d.address.is_none() { d.on(addr) } else { d });
    Diagnostics(named.collect())
}

/// Opens what an evaluation asked for, and what the provider configurations for that need. Answers whether anything was opened, so that
/// the evaluation can go on.
pub(crate) async fn open_wanted<W: World + HasDesk>(
    session: &Session,
    evaluator: &mut Evaluator<W>,
    clients: &mut Clients,
    open: &mut OpenOnes,
    diagnostics: &mut Diagnostics,
) -> bool {
    let mut any = false;
    loop {
        let wanted = std::mem::take(&mut evaluator.world_mut().desk().wanted);
        if wanted.is_empty() {
            return any;
        }
        let mut needed: BTreeSet<ProviderAddr> = wanted.values().map(|data| data.provider.clone()).collect();
        needed.extend(clients::behind(&session.config, &session.registry, &needed));
        needed.retain(|addr| !matches!(clients.0.get(addr), Some(ClientState::Ready { .. } | ClientState::Failed)));
        let mut evaluated = Vec::new();
        for addr in needed {
            // One that needs another ephemeral resource asks for it, and is tried again after that.
            if let Ok(config) = evaluator.provider_config(&addr) {
                evaluated.push((addr, config));
            }
        }
        clients.configure(&session.registry, evaluated, diagnostics).await;
        let answers = open.open(session, clients, wanted).await;
        let asked_more = !evaluator.world_mut().desk().wanted.is_empty();
        if answers.is_empty() && !asked_more {
            return any;
        }
        any |= !answers.is_empty();
        evaluator.world_mut().desk().answers.extend(answers);
    }
}
