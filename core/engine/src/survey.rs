//! Looking at what exists around what is managed.

use std::collections::BTreeSet;

use sgp_analysis::{
    build::{Object, Sources},
    limits,
};
use sgp_contract::{Area, Client, Provider};
use sgp_lang::Evaluator;
use sgp_model::{Diagnostic, Diagnostics, InstanceRecord, ProviderAddr, State, Value};

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
    let around = around(session, &clients, state, |_| true).await;
    diagnostics.extend(around.diagnostics);
    let mut sources = foresight::of_state(state);
    sources.objects.extend(around.sources.objects);
    sources.complete_clusters = around.sources.complete_clusters;
    sources.complete_vpcs = around.sources.complete_vpcs;
    Ok((sources, diagnostics))
}

/// What was found around what is managed.
pub(crate) struct Around {
    /// Objects without addresses, and what of them is whole.
    pub(crate) sources: Sources,
    /// What could not be looked at.
    pub(crate) diagnostics: Diagnostics,
}

/// Asks providers in the order in which they call through each other: clusters are known before what is in them is looked at. Only
/// clusters that are `meant` are, and each is asked by one client: one that serves objects in it, where there are any.
pub(crate) async fn around(
    session: &Session,
    clients: &Clients,
    state: &State,
    meant: impl Fn(&str) -> bool,
) -> Around {
    let mut area = area(state.instances.iter().map(|(key, it)| (&*key.addr.resource.type_name, &it.attributes)));
    area.clusters.retain(|name| meant(name));
    let mut around = Around { sources: Sources::default(), diagnostics: Diagnostics::new() };
    let mut left = area.clusters.clone();
    for (addr, provider, client) in in_order(session, clients) {
        // A provider that calls through others speaks to clusters themselves.
        let speaks = !provider.calls_through().is_empty();
        if speaks {
            area.clusters = left.iter().filter(|name| is_of(session, clients, state, addr, name)).cloned().collect();
            left.retain(|name| !area.clusters.contains(name));
        }
        let (sightings, told) = provider.survey(client, &mut area).await;
        around.diagnostics.extend(told);
        let objects = sightings.into_iter().map(|it| Object { kind: it.kind, addr: None, attributes: it.attributes });
        around.sources.objects.extend(objects);
    }
    around.sources.complete_clusters = area.whole_clusters;
    around.sources.complete_vpcs = area.whole_vpcs;
    around
}

/// The client that speaks to a cluster itself, with its provider.
pub(crate) fn speaker<'a>(
    session: &'a Session,
    clients: &'a Clients,
    state: &State,
    cluster: &str,
) -> Option<(&'a dyn Provider, &'a dyn Client)> {
    let speaks = in_order(session, clients).into_iter().filter(|(_, provider, _)| !provider.calls_through().is_empty());
    let found = speaks.into_iter().find(|(addr, ..)| is_of(session, clients, state, addr, cluster));
    found.map(|(_, provider, client)| (provider, client))
}

/// Clients that are ready, those first that others call through.
fn in_order<'a>(
    session: &'a Session,
    clients: &'a Clients,
) -> Vec<(&'a ProviderAddr, &'a dyn Provider, &'a dyn Client)> {
    let ready = clients.0.iter().filter_map(|(addr, state)| {
        let (provider, client) = (session.registry.provider(&addr.name)?, state.ready()?);
        Some((addr, provider.as_ref(), client.as_ref()))
    });
    let mut all: Vec<_> = ready.collect();
    all.sort_by_key(|(_, provider, _)| provider.calls_through().len());
    all
}

/// Whether a client is the one to speak to a cluster: it serves objects in it, or nobody does and it is the first of its provider.
fn is_of(session: &Session, clients: &Clients, state: &State, addr: &ProviderAddr, cluster: &str) -> bool {
    let serves = |record: &InstanceRecord| {
        record.provider.name == addr.name && record.attributes.get("cluster_name").is_some_and(|it| names(it, cluster))
    };
    let mut serving = state.instances.values().filter(|record| serves(record)).peekable();
    if serving.peek().is_some() {
        return serving.any(|record| record.provider == *addr);
    }
    in_order(session, clients).into_iter().find(|(it, ..)| it.name == addr.name).is_some_and(|(it, ..)| it == addr)
}

/// Whether a value names a cluster, by name or ARN.
fn names(value: &Value, cluster: &str) -> bool {
    value.as_str().is_some_and(|text| cluster_name(text) == cluster)
}

fn cluster_name(text: &str) -> &str {
    text.rsplit_once(":cluster/").map_or(text, |(_, name)| name)
}

/// Clusters and VPCs that objects name, and instance types that are in no table.
fn area<'a>(objects: impl Iterator<Item = (&'a str, &'a Value)>) -> Area {
    let (mut vpcs, mut clusters, mut types) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (kind, object) in objects {
        let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
        vpcs.extend(text("vpc_id").map(str::to_owned));
        clusters.extend(cluster_of(kind, object).map(str::to_owned));
        let listed = object.get("instance_types").and_then(Value::elements).unwrap_or_default();
        let named = listed.into_iter().filter_map(Value::as_str).chain(text("instance_type"));
        types.extend(named.filter(|it| limits::of(it).is_none()).map(str::to_owned));
    }
    Area {
        vpc_ids: vpcs.into_iter().collect(),
        clusters: clusters.into_iter().collect(),
        instance_types: types.into_iter().collect(),
        ..Area::default()
    }
}

/// The cluster that an object is, or that it is in or about.
pub(crate) fn cluster_of<'a>(kind: &str, object: &'a Value) -> Option<&'a str> {
    let name = if kind == "aws_eks_cluster" { "name" } else { "cluster_name" };
    object.get(name).and_then(Value::as_str).filter(|it| !it.is_empty()).map(cluster_name)
}

/// The clients of what is recorded, and those that they call through.
pub(crate) async fn clients(
    session: &Session,
    state: &State,
    diagnostics: &mut Diagnostics,
) -> Result<Clients, Diagnostics> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_looked_at_and_types_that_no_table_has_are_asked_about() {
        let group = Value::object([
            ("cluster_name", Value::from("arn:aws:eks:eu-central-1:123456789012:cluster/main")),
            ("instance_types", Value::strings(["m5.large", "m99.large"])),
        ]);
        let template = Value::object([("instance_type", Value::from("m98.large")), ("vpc_id", Value::from(""))]);
        let subnet = Value::object([("vpc_id", Value::from("vpc-1"))]);
        let objects = [("aws_eks_node_group", &group), ("aws_launch_template", &template), ("aws_subnet", &subnet)];
        let area = area(objects.into_iter());
        assert_eq!((area.clusters, area.vpc_ids), (vec!["main".to_owned()], vec!["vpc-1".to_owned()]));
        assert_eq!(area.instance_types, ["m98.large", "m99.large"]);
    }
}
