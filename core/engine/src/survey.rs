//! Looking at what exists around what is managed.

use std::collections::BTreeSet;

use sgp_analysis::build::{Object, Sources};
use sgp_contract::{Area, Client};
use sgp_lang::Evaluator;
use sgp_model::{Diagnostic, Diagnostics, ProviderAddr, State, Value};

use crate::{
    Session,
    clients::{self, Clients},
    foresight,
    values::RecordedWorld,
};

/// What there is, recorded and around it, as the providers find it.
///
/// # Errors
/// When no provider could be asked.
pub async fn live(session: &Session, state: &State) -> Result<(Sources, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let clients = clients(session, state, &mut diagnostics).await?;
    let mut area =
        area(state.instances.iter().map(|(key, record)| (&*key.addr.resource.type_name, &record.attributes)));
    let mut sources = foresight::of_state(state);
    look(session, &clients, &mut area, &mut sources, &mut diagnostics).await;
    Ok((sources, diagnostics))
}

/// Clusters and VPCs that objects name.
fn area<'a>(objects: impl Iterator<Item = (&'a str, &'a Value)>) -> Area {
    let (mut vpcs, mut clusters) = (BTreeSet::new(), BTreeSet::new());
    for (kind, object) in objects {
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        vpcs.extend(text("vpc_id"));
        let name = if kind == "aws_eks_cluster" { text("name") } else { text("cluster_name") };
        clusters.extend(name.map(|it| it.rsplit_once(":cluster/").map_or(it.clone(), |(_, name)| name.to_owned())));
    }
    Area { vpc_ids: vpcs.into_iter().collect(), clusters: clusters.into_iter().collect() }
}

/// Asks providers in the order in which they call through each other: clusters are known before what is in them is looked at.
async fn look(
    session: &Session,
    clients: &Clients,
    area: &mut Area,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) {
    let mut ready: Vec<(&ProviderAddr, &dyn Client)> =
        clients.0.iter().filter_map(|(addr, state)| Some((addr, state.ready()?.as_ref()))).collect();
    ready.sort_by_key(|(addr, _)| session.registry.provider(&addr.name).map_or(0, |it| it.calls_through().len()));
    for (addr, client) in ready {
        let Some(provider) = session.registry.provider(&addr.name) else { continue };
        let (sightings, told) = provider.survey(client, area).await;
        let is_whole = told.0.is_empty();
        diagnostics.extend(told);
        let objects = sightings.into_iter().map(|it| Object { kind: it.kind, addr: None, attributes: it.attributes });
        let objects: Vec<Object> = objects.collect();
        // Nothing was left out: what is not here is not there.
        let vpcs = objects.iter().filter(|it| is_whole && it.kind == "aws_vpc");
        let ids = vpcs.filter_map(|it| it.attributes.get("id").and_then(Value::as_str));
        sources.complete_vpcs.extend(ids.map(str::to_owned));
        if is_whole && objects.iter().any(|it| it.kind == "kubernetes_manifest") {
            sources.complete_clusters.extend(area.clusters.iter().cloned());
        }
        sources.objects.extend(objects);
    }
}

/// The clients of what is recorded, and those that they call through.
async fn clients(session: &Session, state: &State, diagnostics: &mut Diagnostics) -> Result<Clients, Diagnostics> {
    let mut evaluator = Evaluator::new(
        session.config.clone(),
        session.inputs.clone(),
        session.registry.clone(),
        session.files.clone(),
        RecordedWorld::new(session.registry.clone(), state),
    );
    evaluator.variables();
    let mut wanted: BTreeSet<ProviderAddr> = state.instances.values().map(|record| record.provider.clone()).collect();
    wanted.extend(clients::behind(&session.config, &session.registry, &wanted));
    let evaluated = wanted.into_iter().filter_map(|addr| Some((addr.clone(), evaluator.provider_config(&addr).ok()?)));
    let evaluated = evaluated.collect();
    let mut clients = Clients::default();
    clients.configure(&session.registry, evaluated, diagnostics).await;
    diagnostics.extend(evaluator.take_diagnostics());
    if diagnostics.has_errors() {
        return Err(std::mem::take(diagnostics));
    }
    if clients.0.is_empty() {
        let detail = "Nothing is recorded here whose provider could be asked what exists.";
        return Err(Diagnostic::error("Nobody to ask", detail).into());
    }
    Ok(clients)
}
