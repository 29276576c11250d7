//! Reading what really exists, in bulk: one request per provider configuration and type, all at the same time.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use sgp_contract::{ReadOutcome, ReadRequest, ReadScope};
use sgp_model::{Diagnostics, InstanceRecord, ProviderAddr, Value, state::RecordKey};

use crate::{Event, Session, clients::ClientState, typed};

/// What reading the recorded objects found.
#[derive(Default)]
pub(crate) struct Refreshed {
    /// What exists, in the shape of the schema.
    pub(crate) present: BTreeMap<RecordKey, InstanceRecord>,
    /// What does not exist any more.
    pub(crate) gone: Vec<RecordKey>,
    /// What could not be read.
    pub(crate) diagnostics: Diagnostics,
}

/// Reads the recorded objects of one provider configuration.
pub(crate) async fn refresh(
    session: &Session,
    client: &ClientState,
    records: &BTreeMap<RecordKey, InstanceRecord>,
) -> Refreshed {
    let mut groups: BTreeMap<&str, Vec<(&RecordKey, &InstanceRecord)>> = BTreeMap::new();
    for (key, record) in records {
        groups.entry(&key.addr.resource.type_name).or_default().push((key, record));
    }
    let scope = ReadScope::default();
    let scope = &scope;
    let read = join_all(groups.into_iter().map(|(name, group)| read_group(session, client, scope, name, group))).await;
    let mut refreshed = Refreshed::default();
    for part in read {
        refreshed.present.extend(part.present);
        refreshed.gone.extend(part.gone);
        refreshed.diagnostics.extend(part.diagnostics);
    }
    refreshed
}

async fn read_group(
    session: &Session,
    client: &ClientState,
    scope: &ReadScope,
    type_name: &str,
    group: Vec<(&RecordKey, &InstanceRecord)>,
) -> Refreshed {
    let mut refreshed = Refreshed::default();
    let keep = |refreshed: &mut Refreshed, key: &RecordKey, record: &InstanceRecord| {
        refreshed.present.insert(key.clone(), record.clone());
    };
    let (Some(ty), Some(client)) = (session.registry.resource_type(type_name), client.ready()) else {
        group.iter().for_each(|(key, record)| keep(&mut refreshed, key, record));
        return refreshed;
    };
    let requests: Vec<_> = group
        .iter()
        .map(|(key, record)| ReadRequest { addr: key.addr.clone(), prior: record.attributes.clone() })
        .collect();
    let name: Arc<str> = type_name.into();
    let start = session.clock.monotonic();
    session.events.emit(Event::RefreshStart { type_name: name.clone(), count: requests.len() });
    let outcomes = ty.read(&**client, scope, &requests).await;
    let elapsed = session.clock.monotonic().saturating_sub(start);
    session.events.emit(Event::RefreshComplete { type_name: name, count: requests.len(), elapsed });
    for ((key, record), outcome) in group.into_iter().zip(outcomes) {
        match outcome {
            ReadOutcome::Present(object) => match shaped_like(ty.schema(), &object, record) {
                Ok(record) => {
                    refreshed.present.insert(key.clone(), record);
                }
                Err(diagnostic) => refreshed.diagnostics.push(diagnostic.on(&key.addr)),
            },
            ReadOutcome::Gone => refreshed.gone.push(key.clone()),
            ReadOutcome::Failed(diagnostic) => {
                refreshed.diagnostics.push(if diagnostic.address.is_none() {
                    diagnostic.on(&key.addr)
                } else {
                    diagnostic
                });
                keep(&mut refreshed, key, record);
            }
        }
    }
    refreshed
}

/// The record with what was read, in the shape of the schema. A text that means the same as the recorded one stays as it
/// was written, so that neither the drift report nor the next diff speaks of spelling.
fn shaped_like(
    schema: &sgp_model::Schema,
    object: &Value,
    record: &InstanceRecord,
) -> Result<InstanceRecord, sgp_model::Diagnostic> {
    let read = typed::shaped(&schema.block, object).map_err(|problem| {
        sgp_model::Diagnostic::error(
            "Provider answered something else than its schema",
            format!("{}: {problem}. This is a bug in sgp; please report it.", schema.name),
        )
    })?;
    let attributes = schema.block.attributes.iter().fold(read, |read, (name, attribute)| {
        match (record.attributes.get(name), read.get(name)) {
            (Some(old), Some(new)) if old != new && sgp_plan::means_the_same(attribute.semantics, old, new) => {
                let old = old.clone();
                read.with_attr(name, old)
            }
            _ => read,
        }
    });
    Ok(InstanceRecord { attributes, ..record.clone() })
}

/// Records by the provider configuration that serves them.
pub(crate) fn by_provider(
    records: &BTreeMap<RecordKey, InstanceRecord>,
) -> BTreeMap<ProviderAddr, BTreeMap<RecordKey, InstanceRecord>> {
    let mut groups: BTreeMap<ProviderAddr, BTreeMap<RecordKey, InstanceRecord>> = BTreeMap::new();
    for (key, record) in records {
        groups.entry(record.provider.clone()).or_default().insert(key.clone(), record.clone());
    }
    groups
}
