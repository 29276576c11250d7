//! Things that two objects of one configuration would both manage, each undoing what the other does.

use std::collections::BTreeMap;

use sgp_contract::{Claim, ClaimRequest};
use sgp_model::{
    Diagnostic, Diagnostics, Value,
    plan::{Action, Plan, ResourceChange},
    symbol,
};

use crate::{
    Session,
    blocks::resource_block,
    clients::{ClientState, Clients},
};

/// An error for each thing that more than one object claims. What does not exist yet is known by its symbol.
pub(crate) fn conflicts(session: &Session, clients: &Clients, plan: &Plan) -> Diagnostics {
    let mut claims: BTreeMap<String, Vec<(&ResourceChange, Claim)>> = BTreeMap::new();
    for change in plan.changes.iter().filter(|c| c.deposed.is_none() && c.action != Action::Delete) {
        let Some(ty) = session.registry.resource_type(&change.addr.resource.type_name) else { continue };
        let provider_config = clients.0.get(&change.provider).map_or_else(Value::dynamic_null, ClientState::config);
        let request = ClaimRequest {
            object: plan.symbolic.get(&change.addr).unwrap_or(&change.after),
            config: &change.config,
            provider: &change.provider,
            provider_config: &provider_config,
        };
        if let Some(claim) = ty.claims(&request) {
            claims.entry(claim.thing.clone()).or_default().push((change, claim));
        }
    }
    let contested = claims.iter().filter(|(_, all)| all.len() > 1 && all.iter().any(|(_, claim)| !claim.is_part));
    Diagnostics(contested.map(|(thing, claimants)| conflict(session, thing, claimants)).collect())
}

/// So many claimants are named; the others are counted.
const NAMED: usize = 4;

fn conflict(session: &Session, thing: &str, claimants: &[(&ResourceChange, Claim)]) -> Diagnostic {
    let mut names: Vec<String> = claimants.iter().take(NAMED).map(|(change, _)| change.addr.to_string()).collect();
    if claimants.len() > NAMED {
        names.push(format!("{} more", claimants.len() - NAMED));
    }
    let advice = claimants.iter().map(|(_, claim)| claim.advice).find(|advice| !advice.is_empty()).unwrap_or_default();
    let thing = symbol::readable(thing);
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
