//! Provider configurations on their way to clients.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::join_all;
use sgp_contract::Client;
use sgp_lang::{Evaluator, World, config::Config};
use sgp_model::{Diagnostic, Diagnostics, ProviderAddr, Value};

use crate::{
    Registry, Session,
    ephemeral::{HasDesk, OpenOnes, open_wanted},
};

/// What became of a provider configuration.
#[derive(Clone)]
pub(crate) enum ClientState {
    /// Ready for calls.
    Ready {
        /// The client.
        client: Arc<dyn Client>,
        /// The evaluated configuration.
        config: Value,
    },
    /// Some of its settings are known only during apply; nothing that it serves can be read before.
    Pending {
        /// The evaluated configuration, with unknown parts.
        config: Value,
    },
    /// It could not be configured; said once.
    Failed,
}

impl ClientState {
    /// The evaluated configuration; null when it failed.
    pub(crate) fn config(&self) -> Value {
        match self {
            Self::Ready { config, .. } | Self::Pending { config } => config.clone(),
            Self::Failed => Value::dynamic_null(),
        }
    }

    /// The client, when it is ready.
    pub(crate) fn ready(&self) -> Option<&Arc<dyn Client>> {
        match self {
            Self::Ready { client, .. } => Some(client),
            Self::Pending { .. } | Self::Failed => None,
        }
    }
}

/// All configurations that are evaluated so far.
#[derive(Clone, Default)]
pub(crate) struct Clients(pub(crate) BTreeMap<ProviderAddr, ClientState>);

impl Clients {
    /// Configures what is new, all at the same time.
    pub(crate) async fn configure(
        &mut self,
        registry: &Registry,
        evaluated: Vec<(ProviderAddr, Value)>,
        diagnostics: &mut Diagnostics,
    ) {
        let made = join_all(evaluated.into_iter().map(|(addr, config)| async move {
            let state = one(registry, &addr, config).await;
            (addr, state)
        }))
        .await;
        for (addr, state) in made {
            let state = state.unwrap_or_else(|problems| {
                diagnostics.extend(problems);
                ClientState::Failed
            });
            self.0.insert(addr, state);
        }
    }
}

/// Evaluates provider configurations and makes their clients; ephemeral resources that they need are opened. What cannot be told yet is
/// left out.
pub(crate) async fn evaluate<W: World + HasDesk>(
    session: &Session,
    evaluator: &mut Evaluator<W>,
    wanted: impl IntoIterator<Item = ProviderAddr>,
    clients: &mut Clients,
    open: &mut OpenOnes,
    diagnostics: &mut Diagnostics,
) {
    let mut wanted: BTreeSet<ProviderAddr> = wanted.into_iter().collect();
    loop {
        wanted.retain(|addr| !matches!(clients.0.get(addr), Some(ClientState::Ready { .. } | ClientState::Failed)));
        let mut evaluated = Vec::new();
        for addr in &wanted {
            if let Ok(config) = evaluator.provider_config(addr) {
                evaluated.push((addr.clone(), config));
            }
        }
        clients.configure(&session.registry, evaluated, diagnostics).await;
        if !open_wanted(session, evaluator, clients, open, diagnostics).await {
            return;
        }
    }
}

/// The blocks of the root module whose clients are called through by others (see `Provider::calls_through`).
pub(crate) fn behind<'a>(
    config: &Config,
    registry: &Registry,
    wanted: impl IntoIterator<Item = &'a ProviderAddr>,
) -> BTreeSet<ProviderAddr> {
    let through: BTreeSet<&str> = wanted
        .into_iter()
        .filter_map(|addr| registry.provider(&addr.name))
        .flat_map(|provider| provider.calls_through())
        .copied()
        .collect();
    let blocks =
        config.root.providers.iter().filter(|block| through.contains(&*block.name) && block.for_each.is_none());
    blocks.map(|block| ProviderAddr { alias: block.alias.clone(), ..ProviderAddr::root(block.name.clone()) }).collect()
}

async fn one(registry: &Registry, addr: &ProviderAddr, config: Value) -> Result<ClientState, Diagnostics> {
    let Some(provider) = registry.provider(&addr.name) else {
        return Err(Diagnostic::error(
            "Unknown provider",
            format!("There is no provider {:?} in this version of sgp.", &*addr.name),
        )
        .on(addr)
        .into());
    };
    if let Some(doubles) = registry.doubles() {
        return doubles.client(&**provider, addr, config).await;
    }
    if !config.is_wholly_known() {
        return Ok(ClientState::Pending { config });
    }
    let (bare, _) = config.clone().unmark_deep();
    let client = provider.configure(&bare).await?;
    provider.configured(addr, &client);
    Ok(ClientState::Ready { client, config })
}
