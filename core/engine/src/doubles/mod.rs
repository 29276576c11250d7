//! What stands in for providers and objects in tests: mocks and overrides.
//!
//! A test run has [`Doubles`] in its registry. Every client of such a run is a [`Double`], which knows what stands in for which
//! object; the types of the registry are wrapped ([`types`]) and ask it before they call the real type. A mocked provider is
//! never configured, so that nobody is called.

mod build;
mod made_up;
mod types;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use sgp_contract::{Client, Provider};
use sgp_lang::eval::Random;
use sgp_model::{Block, Diagnostics, InstanceAddr, Mode, ProviderAddr, Value, address::ParsedAddr};
use sgp_plan::propose::unknown_object;

pub(crate) use self::{
    build::build,
    types::{data_source, ephemeral_type, resource_type},
};
use crate::clients::ClientState;

/// Values that stand in for what a provider would compute.
#[derive(Clone, Debug)]
pub(crate) struct StandIn {
    /// An object with some of the computed attributes; the rest is made up.
    pub(crate) values: Value,
    /// Whether they are known while planning already.
    pub(crate) during_plan: bool,
}

impl StandIn {
    fn nothing(during_plan: bool) -> Self {
        Self { values: Value::dynamic_null(), during_plan }
    }
}

/// What stands in for the objects at an address.
#[derive(Clone, Debug)]
pub(crate) struct Overridden {
    pub(crate) target: ParsedAddr,
    pub(crate) stand_in: StandIn,
}

/// A provider that nobody stands behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mocked {
    pub(crate) types: BTreeMap<(Mode, Arc<str>), StandIn>,
    pub(crate) overrides: Vec<Overridden>,
    pub(crate) during_plan: bool,
}

/// Everything that stands in for something in one test run.
pub(crate) struct Doubles {
    /// By the provider's own name and the alias.
    pub(crate) mocks: BTreeMap<(Arc<str>, Option<Arc<str>>), Mocked>,
    /// The later ones win.
    pub(crate) overrides: Vec<Overridden>,
    pub(crate) random: Random8,
}

/// Makes up texts.
#[derive(Clone)]
pub(crate) struct Random8(Arc<Mutex<Vec<u8>>>, Option<Arc<Random>>);

impl Random8 {
    /// With randomness where there is some; without, texts are counted.
    pub(crate) fn new(random: Option<Arc<Random>>) -> Self {
        Self(Arc::default(), random)
    }

    /// Eight letters and digits.
    fn text(&self) -> String {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut bytes = [0_u8; 8];
        match &self.1 {
            Some(random) => random(&mut bytes),
            None => {
                let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                count.resize(8, 0);
                // Base 36, the last letter first to grow.
                for digit in count.iter_mut().rev() {
                    *digit = (*digit + 1) % 36;
                    if *digit != 0 {
                        break;
                    }
                }
                bytes.copy_from_slice(&count);
            }
        }
        bytes.iter().map(|b| char::from(LETTERS[usize::from(*b) % LETTERS.len()])).collect()
    }
}

impl Doubles {
    /// Whether anything at all is made up.
    pub(crate) fn makes_up(&self) -> bool {
        !self.mocks.is_empty() || !self.overrides.is_empty()
    }

    fn mocked(&self, provider: &ProviderAddr) -> Option<&Mocked> {
        self.mocks.get(&(provider.name.clone(), provider.alias_and_key().0.map(Into::into)))
    }

    /// What somebody wrote for this object: an override of it, or a mock of its type.
    pub(crate) fn written(&self, addr: &InstanceAddr, provider: &ProviderAddr) -> Option<StandIn> {
        let mocked = self.mocked(provider);
        let kind = (addr.resource.mode, addr.resource.type_name.clone());
        overridden(&self.overrides, addr)
            .or_else(|| overridden(&mocked?.overrides, addr))
            .or_else(|| mocked?.types.get(&kind))
            .cloned()
    }

    /// What stands in for this object; `None` when it is the provider's own.
    pub(crate) fn stand_in(&self, addr: &InstanceAddr, provider: &ProviderAddr) -> Option<StandIn> {
        self.written(addr, provider).or_else(|| Some(StandIn::nothing(self.mocked(provider)?.during_plan)))
    }

    /// A planned object with what is known of it while planning.
    pub(crate) fn planned(&self, addr: &InstanceAddr, provider: &ProviderAddr, object: Value) -> Value {
        match self.stand_in(addr, provider).filter(|s| s.during_plan) {
            Some(stand_in) => self.filled(&object, &stand_in),
            None => object,
        }
    }

    /// An object that is about to be made, with what the plan had made up.
    pub(crate) fn kept(&self, addr: &InstanceAddr, provider: &ProviderAddr, object: Value, plan: &Value) -> Value {
        match self.stand_in(addr, provider).filter(|s| s.during_plan) {
            Some(_) => made_up::filled(&object, Some(plan), &mut || self.random.text()),
            None => object,
        }
    }

    /// The object with nothing unknown in it.
    fn filled(&self, object: &Value, stand_in: &StandIn) -> Value {
        let given = Some(&stand_in.values).filter(|v| !v.is_null());
        made_up::filled(object, given, &mut || self.random.text())
    }

    /// What a data source answers that is not read.
    fn read(&self, block: &Block, config: &Value, stand_in: &StandIn) -> Value {
        self.filled(&unknown_object(block, config), stand_in)
    }

    /// The client of a provider configuration.
    pub(crate) async fn client(
        self: &Arc<Self>,
        provider: &dyn Provider,
        addr: &ProviderAddr,
        config: Value,
    ) -> Result<ClientState, Diagnostics> {
        let real = if self.mocked(addr).is_some() {
            None
        } else if config.is_wholly_known() {
            let (bare, _) = config.clone().unmark_deep();
            let client = provider.configure(&bare).await?;
            provider.configured(addr, &client);
            Some(client)
        } else {
            return Ok(ClientState::Pending { config });
        };
        let client = Arc::new(Double { doubles: self.clone(), provider: addr.clone(), real });
        Ok(ClientState::Ready { client, config })
    }
}

/// The stand-in for an object: one instance counts before the whole resource, later ones before earlier ones.
fn overridden<'o>(overrides: &'o [Overridden], addr: &InstanceAddr) -> Option<&'o StandIn> {
    let instance = |o: &&Overridden| matches!(&o.target, ParsedAddr::Instance(i) if i == addr);
    let resource = |o: &&Overridden| match &o.target {
        ParsedAddr::Resource(r) => *r == addr.resource || *r == addr.resource.without_keys(),
        ParsedAddr::Module(_) | ParsedAddr::Instance(_) => false,
    };
    let found = overrides.iter().rev().find(instance).or_else(|| overrides.iter().rev().find(resource));
    found.map(|o| &o.stand_in)
}

/// The client of a test run: the real one, or none, with what stands in for objects.
pub(crate) struct Double {
    pub(crate) doubles: Arc<Doubles>,
    pub(crate) provider: ProviderAddr,
    /// Absent for a mocked provider.
    pub(crate) real: Option<Arc<dyn Client>>,
}

impl Double {
    fn stand_in(&self, addr: &InstanceAddr) -> Option<StandIn> {
        self.doubles.stand_in(addr, &self.provider)
    }
}

impl Client for Double {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
