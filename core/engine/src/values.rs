//! The world after planning: values as they are recorded, or as they have become during apply.

use std::{collections::BTreeMap, sync::Arc};

use sgp_lang::{Answer, Configured, DepsView, World};
use sgp_model::{Diagnostics, InstanceAddr, Mode, State, Value};
use sgp_plan::propose::unknown_object;

use crate::{
    Registry,
    ephemeral::{Desk, HasDesk},
    typed::{mark_schema, marked},
    world::WantedData,
};

/// Answers with what the state has recorded; everything else is unknown.
pub(crate) struct RecordedWorld {
    registry: Arc<Registry>,
    values: BTreeMap<InstanceAddr, Value>,
    desk: Desk,
}

impl HasDesk for RecordedWorld {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }
}

impl RecordedWorld {
    pub(crate) fn new(registry: Arc<Registry>, state: &State) -> Self {
        let values = state.instances.iter().filter(|(key, _)| key.deposed.is_none()).map(|(key, record)| {
            let ty = registry.resource_type(&key.addr.resource.type_name);
            let value = ty.map_or_else(|| record.attributes.clone(), |ty| marked(&ty.schema().block, record));
            (key.addr.clone(), value)
        });
        let values = values.collect();
        Self { registry, values, desk: Desk::default() }
    }
}

impl World for RecordedWorld {
    fn object(&mut self, configured: Configured<'_>, _deps: &DepsView<'_>) -> Answer {
        if configured.addr.resource.mode == Mode::Ephemeral {
            let answer = self.desk.answer(&configured, false);
            return answer.unwrap_or_else(|| Answer::Provisional(unknown(&self.registry, &configured)));
        }
        match self.values.get(configured.addr) {
            Some(value) => Answer::Value(value.clone()),
            None => Answer::Provisional(unknown(&self.registry, &configured)),
        }
    }
}

/// Answers with what exists now; what is still to come is as planned, and provisional.
pub(crate) struct ApplyWorld {
    pub(crate) registry: Arc<Registry>,
    /// Final: applied, read, or not part of the plan's changes.
    pub(crate) settled: BTreeMap<InstanceAddr, Value>,
    /// Planned, not applied yet.
    pub(crate) planned: BTreeMap<InstanceAddr, Value>,
    /// Whether data sources in check blocks are read now: after everything else.
    pub(crate) judging: bool,
    /// Those that wait to be read.
    pub(crate) wanted: BTreeMap<InstanceAddr, WantedData>,
    /// Those that were read.
    pub(crate) scoped: BTreeMap<InstanceAddr, Result<Value, Diagnostics>>,
    /// Ephemeral resources.
    pub(crate) desk: Desk,
}

impl HasDesk for ApplyWorld {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }
}

impl World for ApplyWorld {
    fn object(&mut self, configured: Configured<'_>, _deps: &DepsView<'_>) -> Answer {
        if let Some(value) = self.settled.get(configured.addr) {
            return Answer::Value(value.clone());
        }
        if let Some(data) = self.pure_data(&configured) {
            return data;
        }
        if configured.addr.resource.mode == Mode::Ephemeral {
            let answer = self.desk.answer(&configured, false);
            return answer.unwrap_or_else(|| Answer::Provisional(unknown(&self.registry, &configured)));
        }
        if configured.block.check.is_some() {
            return self.scoped_data(&configured);
        }
        match self.planned.get(configured.addr) {
            Some(value) => Answer::Provisional(value.clone()),
            None => Answer::Provisional(unknown(&self.registry, &configured)),
        }
    }
}

impl ApplyWorld {
    pub(crate) fn new(
        registry: Arc<Registry>,
        settled: BTreeMap<InstanceAddr, Value>,
        planned: BTreeMap<InstanceAddr, Value>,
    ) -> Self {
        let (wanted, scoped) = (BTreeMap::new(), BTreeMap::new());
        Self { registry, settled, planned, judging: false, wanted, scoped, desk: Desk::default() }
    }

    /// A data source in a check block.
    fn scoped_data(&mut self, configured: &Configured<'_>) -> Answer {
        match self.scoped.get(configured.addr) {
            Some(Ok(value)) => return Answer::Value(value.clone()),
            Some(Err(problems)) => return Answer::Failed(crate::world::located(problems.clone(), configured)),
            None => {}
        }
        if !self.judging || !configured.config.is_wholly_known() {
            return Answer::Provisional(unknown(&self.registry, configured));
        }
        let wanted = WantedData { config: configured.config.clone(), provider: configured.provider.clone() };
        self.wanted.insert(configured.addr.clone(), wanted);
        Answer::Blocked
    }

    /// A data source that only computes is computed whenever its arguments are known.
    fn pure_data(&self, configured: &Configured<'_>) -> Option<Answer> {
        let addr = configured.addr;
        let ty = self.registry.pure_data(addr, &configured.provider)?;
        if addr.resource.mode != Mode::Data || !configured.config.is_wholly_known() {
            return None;
        }
        let (config, marks) = configured.config.clone().unmark_deep();
        Some(match ty.compute(&sgp_contract::DataRequest { addr, config: &config }) {
            Ok(value) => Answer::Value(value.mark(marks)),
            Err(problems) => Answer::Failed(crate::world::located(problems, configured)),
        })
    }
}

fn unknown(registry: &Registry, configured: &Configured<'_>) -> Value {
    let name = &configured.addr.resource.type_name;
    let schema = match configured.addr.resource.mode {
        Mode::Managed => registry.resource_type(name).map(sgp_contract::ResourceType::schema),
        Mode::Data => registry.data_source(name).map(sgp_contract::DataSource::schema),
        Mode::Ephemeral => registry.ephemeral_type(name).map(sgp_contract::EphemeralType::schema),
    };
    match schema {
        Some(schema) => mark_schema(&schema.block, &unknown_object(&schema.block, &configured.config)),
        None => Value::unknown(sgp_model::Type::Dynamic),
    }
}
