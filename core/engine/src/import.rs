//! `sgp import`: adopting one object by its id, and the state as commands read it.

use std::collections::BTreeSet;

use sgp_contract::Write;
use sgp_lang::Evaluator;
use sgp_model::{Diagnostic, Diagnostics, InstanceAddr, InstanceKey, Mode, State, Value, state::RecordKey};

use crate::{
    Imported, Session,
    blocks::resource_block,
    clients::{self, ClientState, Clients},
    dependencies::Dependencies,
    ephemeral::OpenOnes,
    planner, reading, recover, typed,
    values::RecordedWorld,
};

/// The state, every record typed by its schema.
///
/// # Errors
/// When it cannot be read or holds something that this version does not know.
pub async fn load_state(session: &Session) -> Result<State, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    match planner::load(session, &mut diagnostics).await {
        Some(state) if !diagnostics.has_errors() => Ok(state),
        _ => Err(diagnostics),
    }
}

/// Reads the object and records it under the address, which must have a resource block and nothing recorded yet.
pub async fn import(session: &Session, addr: &InstanceAddr, id: &str) -> Imported {
    let mut ephemerals = OpenOnes::default();
    let adopted = adopt(session, addr, id, &mut ephemerals).await;
    let closed = ephemerals.close(session).await;
    let (object, mut diagnostics) = match adopted {
        Ok((object, diagnostics)) => (Some(object), diagnostics),
        Err(diagnostics) => (None, diagnostics),
    };
    diagnostics.extend(closed);
    Imported { object, diagnostics }
}

/// The error for an address that the configuration does not have, with what it has.
fn not_configured(addr: &InstanceAddr, instances: &BTreeSet<Option<InstanceKey>>) -> Diagnostic {
    let resource = &addr.resource;
    let detail = if instances.is_empty() {
        format!(
            "Before importing, write the block that {addr} belongs to, for example:\n\n  resource \"{}\" \"{}\" {{\n    # arguments\n  }}",
            resource.type_name, resource.name
        )
    } else {
        let all: Vec<String> = instances.iter().map(|key| resource.instance(key.clone()).to_string()).collect();
        format!("The block of {resource} makes no instance {addr}. It makes {}.", all.join(", "))
    };
    Diagnostic::error("Resource is not in the configuration", detail)
}

async fn adopt(
    session: &Session,
    addr: &InstanceAddr,
    id: &str,
    ephemerals: &mut OpenOnes,
) -> Result<(Value, Diagnostics), Diagnostics> {
    let mut diagnostics = recover::recover(session).await;
    let state = load_state(session).await?;
    if state.current(addr).is_some() {
        return Err(Diagnostic::error(
            "Resource already managed",
            format!(
                "{addr} is already in the state. To import another object, take it out first: sgp state rm '{addr}'."
            ),
        )
        .into());
    }
    if addr.resource.mode != Mode::Managed {
        return Err(Diagnostic::error("Data sources are not imported", "They are read in every run anyway.").into());
    }
    let mut evaluator = Evaluator::new(
        session.config.clone(),
        session.inputs.clone(),
        session.registry.clone(),
        session.files.clone(),
        RecordedWorld::new(session.registry.clone(), &state),
    );
    evaluator.variables();
    let instances: BTreeSet<_> = match resource_block(&session.config, &addr.resource) {
        Some(_) => evaluator.instances(&addr.resource).unwrap_or_default().into_iter().collect(),
        None => BTreeSet::new(),
    };
    if !instances.contains(&addr.key) {
        diagnostics.extend(evaluator.take_diagnostics());
        diagnostics.push(not_configured(addr, &instances));
        return Err(diagnostics);
    }
    let provider = evaluator.provider_of(addr);
    let config = evaluator.instance_config(addr).unwrap_or_else(|_| Value::dynamic_null());
    let mut clients = Clients::default();
    let mut wanted = clients::behind(&session.config, &session.registry, [&provider]);
    wanted.insert(provider.clone());
    clients::evaluate(session, &mut evaluator, wanted, &mut clients, ephemerals, &mut diagnostics).await;
    diagnostics.extend(evaluator.take_diagnostics());
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let client = clients.0.get(&provider).cloned().unwrap_or(ClientState::Failed);
    let mut interrupt = session.interrupt.clone();
    let mut record = tokio::select! {
        read = reading::read_one(session, &client, addr, &provider, id, &config) => read?,
        () = planner::interrupted(&mut interrupt) => {
            return Err(Diagnostic::error("Import interrupted", "Nothing was changed.").into());
        }
    };
    // A destroy that follows at once must know what goes first. What cannot be told yet is told by the next apply.
    let _ = evaluator.object(addr);
    evaluator.take_diagnostics();
    record.dependencies = Dependencies::of(&mut evaluator).resources(addr);
    let object = match session.registry.resource_type(&addr.resource.type_name) {
        Some(ty) => typed::marked(&ty.schema().block, &record),
        None => record.attributes.clone(),
    };
    let writes = vec![Write::Put(RecordKey::current(addr.clone()), Box::new(record)), Write::BumpSerial];
    session
        .store
        .write(writes)
        .await
        .map_err(|error| Diagnostic::error("State cannot be written", format!("{error}.")))?;
    Ok((object, diagnostics))
}
