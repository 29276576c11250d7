//! Reading beside the refresh: data sources, what types want to know for their plans, and objects that an import names.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use sgp_contract::{DataRequest, ImportRequest, ReadScope};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, InstanceRecord, ProviderAddr, Value,
    state::{ObjectStatus, RecordKey},
};

use crate::{
    Event, Session,
    clients::{ClientState, Clients},
    refresh, typed,
    world::WantedData,
};

/// Reads data sources, grouped by configuration and type.
pub(crate) async fn read_data(
    session: &Session,
    clients: &Clients,
    wanted: &BTreeMap<InstanceAddr, WantedData>,
) -> BTreeMap<InstanceAddr, Result<Value, Diagnostics>> {
    let mut groups: BTreeMap<(&ProviderAddr, &str), Vec<(&InstanceAddr, &WantedData)>> = BTreeMap::new();
    for (addr, data) in wanted {
        groups.entry((&data.provider, &addr.resource.type_name)).or_default().push((addr, data));
    }
    let scope = ReadScope::default();
    let scope = &scope;
    let reads = groups.into_iter().map(|((provider, type_name), group)| async move {
        let client = clients.0.get(provider).and_then(ClientState::ready);
        let (Some(ty), Some(client)) = (session.registry.data_source(type_name), client) else {
            // The configuration failed and said so; what depends on it stays silent.
            return group.into_iter().map(|(addr, _)| (addr.clone(), Err(Diagnostics::new()))).collect::<Vec<_>>();
        };
        let bare: Vec<_> = group.iter().map(|(addr, d)| (*addr, d.config.clone().unmark_deep())).collect();
        let requests: Vec<_> = bare.iter().map(|(addr, (config, _))| DataRequest { addr, config }).collect();
        let start = session.clock.monotonic();
        group.iter().for_each(|(addr, _)| session.events.emit(Event::ReadStart { addr: (*addr).clone() }));
        let answers = ty.read(&**client, scope, &requests).await;
        let elapsed = session.clock.monotonic().saturating_sub(start);
        let finish = |(addr, (_, marks)): (&InstanceAddr, (Value, sgp_model::Marks)),
                      answer: Result<Value, Diagnostics>| {
            let answer = answer.and_then(|value| {
                typed::shaped(&ty.schema().block, &value)
                    .map(|v| typed::mark_schema(&ty.schema().block, &v).mark(marks))
                    .map_err(|problem| {
                        Diagnostic::error(
                            "Provider answered something else than its schema",
                            format!("{type_name}: {problem}. This is a bug in sgp; please report it."),
                        )
                        .into()
                    })
            });
            let id = answer.as_ref().ok().and_then(|v| v.get("id")?.as_str().map(str::to_owned));
            session.events.emit(Event::ReadComplete { addr: addr.clone(), id, elapsed });
            (addr.clone(), answer)
        };
        bare.into_iter().zip(answers).map(|(b, a)| finish(b, a)).collect()
    });
    join_all(reads).await.into_iter().flatten().collect()
}

/// Asks types what their plans want to know (see `ResourceType::look_up`), grouped as data sources are.
pub(crate) async fn look_up(
    session: &Session,
    clients: &Clients,
    wanted: BTreeMap<InstanceAddr, WantedData>,
) -> Vec<(InstanceAddr, Result<Option<Value>, Diagnostic>)> {
    let mut groups: BTreeMap<(ProviderAddr, Arc<str>), Vec<(InstanceAddr, Value)>> = BTreeMap::new();
    for (addr, data) in wanted {
        let group = groups.entry((data.provider, addr.resource.type_name.clone())).or_default();
        group.push((addr, data.config.unmark_deep().0));
    }
    let scope = ReadScope::default();
    let scope = &scope;
    let asked = groups.into_iter().map(|((provider, type_name), group)| async move {
        let (addrs, configs): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let client = clients.0.get(&provider).and_then(ClientState::ready);
        let found = match (session.registry.resource_type(&type_name), client) {
            (Some(ty), Some(client)) => ty.look_up(&**client, scope, &configs).await,
            _ => configs.iter().map(|_| Ok(None)).collect(),
        };
        addrs.into_iter().zip(found).collect::<Vec<_>>()
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Reads one object by the id that a person gave.
pub(crate) async fn read_one(
    session: &Session,
    client: &ClientState,
    addr: &InstanceAddr,
    provider: &ProviderAddr,
    id: &str,
    config: &Value,
) -> Result<InstanceRecord, Diagnostic> {
    let ty = session.registry.resource_type(&addr.resource.type_name).ok_or_else(|| {
        Diagnostic::error("Unknown resource type", format!("There is no resource type {}.", addr.resource.type_name))
    })?;
    let (config, _) = config.clone().unmark_deep();
    let prior = ty.import(&ImportRequest { id, config: &config }).map_err(|d| d.on(addr))?;
    let prior = typed::shaped(&ty.schema().block, &prior)
        .map_err(|problem| Diagnostic::error("Import failed", format!("{addr}: {problem}.")))?;
    let record = InstanceRecord {
        provider: provider.clone(),
        schema_version: ty.schema().version,
        attributes: prior,
        sensitive_paths: Vec::new(),
        status: ObjectStatus::Ready,
        dependencies: Vec::new(),
        create_before_destroy: false,
        skip_destroy: false,
        private: None,
    };
    let key = RecordKey::current(addr.clone());
    let records = BTreeMap::from([(key.clone(), record)]);
    if client.ready().is_none() {
        return Err(Diagnostic::error(
            "Import needs a configured provider",
            format!(
                "{addr} cannot be imported yet: the configuration of {provider} is known only after apply. Apply what it \
                 refers to first, then import."
            ),
        ));
    }
    let mut refreshed = refresh::refresh(session, client, &records).await;
    if let Some(problem) = refreshed.diagnostics.0.pop() {
        return Err(problem);
    }
    refreshed.present.remove(&key).ok_or_else(|| {
        Diagnostic::error(
            "Object to import does not exist",
            format!(
                "There is no {} with the id {id:?}. Check the id, the region and the account.",
                addr.resource.type_name
            ),
        )
        .on(addr)
    })
}
