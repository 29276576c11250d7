//! Things that two objects of one configuration would both manage, each undoing what the other does.

use std::collections::BTreeMap;

use sgp_contract::Claim;
use sgp_model::{
    Diagnostic, Diagnostics, Value,
    plan::{Action, ResourceChange},
};

use crate::{
    Session,
    blocks::resource_block,
    clients::{ClientState, Clients},
};

/// An error for each thing that more than one object claims.
pub(crate) fn conflicts(session: &Session, clients: &Clients, changes: &[ResourceChange]) -> Diagnostics {
    let mut claims: BTreeMap<String, Vec<(&ResourceChange, &'static str)>> = BTreeMap::new();
    for change in changes.iter().filter(|c| c.deposed.is_none() && c.action != Action::Delete) {
        let Some(ty) = session.registry.resource_type(&change.addr.resource.type_name) else { continue };
        let config = clients.0.get(&change.provider).map_or_else(Value::dynamic_null, ClientState::config);
        if let Some(Claim { thing, advice }) = ty.claims(&change.after, &change.provider, &config) {
            claims.entry(thing).or_default().push((change, advice));
        }
    }
    let contested = claims.iter().filter(|(_, claimants)| claimants.len() > 1);
    Diagnostics(contested.map(|(thing, claimants)| conflict(session, thing, claimants)).collect())
}

fn conflict(session: &Session, thing: &str, claimants: &[(&ResourceChange, &str)]) -> Diagnostic {
    let names: Vec<String> = claimants.iter().map(|(change, _)| change.addr.to_string()).collect();
    let advice = claimants.iter().map(|(_, advice)| *advice).find(|advice| !advice.is_empty()).unwrap_or_default();
    let text = format!(
        "Only one object can manage {thing}, and {} do: each would undo the settings of the other. {advice}",
        names.join(" and ")
    );
    let (last, _) = claimants[claimants.len() - 1];
    let problem = Diagnostic::error("Managed twice", text.trim_end()).on(&last.addr);
    match resource_block(&session.config, &last.addr.resource) {
        Some(block) => problem.at(block.span.clone()),
        None => problem,
    }
}
