//! What recorded objects say about others that the run changed: a group lists its rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sgp_contract::Write;
use sgp_model::{InstanceRecord, Kind, Value, plan::Op, state::RecordKey};

use super::{Progress, Walk};
use crate::{Session, refresh};

impl Walk<'_> {
    /// Reads objects again that list what was changed beside them ([`sgp_contract::ResourceType::shown_in`]), so that the state
    /// of this serial tells what is. What cannot be read stays as it was: the next refresh finds it.
    pub(super) async fn record_what_lists_changes(&mut self) {
        if self.shared.is_halted() || self.store_failed.is_some() {
            return;
        }
        let wanted = self.listing_changes();
        if wanted.is_empty() {
            return;
        }
        // The run is about the changes: reading once more is no news.
        let session = Session { events: Arc::new(|_| {}), ..self.session().clone() };
        let mut writes = Vec::new();
        for (provider, records) in refresh::by_provider(&wanted) {
            let Some(client) = self.clients.0.get(&provider) else { continue };
            let found = refresh::refresh(&session, client, &records).await.present;
            writes.extend(found.into_iter().filter(|(key, record)| records.get(key) != Some(record)));
        }
        if writes.is_empty() {
            return;
        }
        let puts = writes.iter().map(|(key, record)| Write::Put(key.clone(), Box::new(record.clone())));
        if self.write(puts.collect()).await {
            self.records.extend(writes);
        }
    }

    /// Recorded objects that list one that was changed.
    fn listing_changes(&self) -> BTreeMap<RecordKey, InstanceRecord> {
        let mut ids: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for (step, _) in self.plan.steps.iter().zip(&self.progress).filter(|(_, it)| **it == Progress::Done) {
            let Some(change) = step.change.map(|it| &self.plan.changes[it as usize]) else { continue };
            let kind = &*change.addr.resource.type_name;
            let Some(ty) = self.session().registry.resource_type(kind) else { continue };
            if !matches!(step.op, Op::Create | Op::Update | Op::Delete) {
                continue;
            }
            let now = self.records.get(&RecordKey::current(change.addr.clone())).map(|it| &it.attributes);
            for (listing, attribute) in ty.shown_in() {
                let named = [Some(&change.before), now].into_iter().flatten().filter_map(|it| it.get(attribute));
                let named = named.filter_map(Value::as_str).map(str::to_owned);
                ids.entry(listing).or_default().extend(named);
            }
        }
        let lists = |key: &RecordKey, record: &InstanceRecord| {
            let id = record.attributes.get("id").filter(|it| matches!(it.kind(), Kind::String(_)));
            let ids = ids.get(&*key.addr.resource.type_name);
            id.and_then(Value::as_str).is_some_and(|id| ids.is_some_and(|it| it.contains(id)))
        };
        let listing = self.records.iter().filter(|(key, record)| key.deposed.is_none() && lists(key, record));
        listing.map(|(key, record)| (key.clone(), record.clone())).collect()
    }
}
