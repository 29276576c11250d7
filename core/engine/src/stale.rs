//! Whether a saved plan still is about the world as it is.

use sgp_contract::StateStore;
use sgp_lang::Evaluator;
use sgp_model::{Diagnostic, Plan};

use crate::{Session, values::RecordedWorld};

/// Refuses a saved plan when the state, the configuration or the variables are not those that it was made from.
///
/// # Errors
/// A diagnostic that says what moved.
pub async fn check_saved(session: &Session, plan: &Plan) -> Result<(), Diagnostic> {
    let state =
        session.store.load().await.map_err(|error| Diagnostic::error("State cannot be read", format!("{error}.")))?;
    // A state that was never written has no lineage yet, and neither had the plan.
    if state.lineage != plan.lineage {
        return Err(stale(
            "it was made from another state",
            &format!("The plan's lineage is {:?}, the state's is {:?}.", plan.lineage, state.lineage),
        ));
    }
    if state.serial != plan.serial {
        return Err(stale(
            "the state has changed since",
            &format!("The plan was made from serial {}, the state is at serial {}.", plan.serial, state.serial),
        ));
    }
    if has_open_intents(&*session.store).await? {
        return Err(stale("a later run was interrupted", "Its outcome must be looked into first, which plan does."));
    }
    if session.config.digest != plan.config_digest {
        return Err(stale("the configuration has changed since", "A file was added, removed or edited."));
    }
    let given = &session.inputs.variables;
    let missing: Vec<&str> =
        plan.ephemeral_variables.iter().filter(|name| !given.contains_key(*name)).map(String::as_str).collect();
    if !missing.is_empty() {
        let detail = format!(
            "The plan was made with values for {}, which are ephemeral and so are not in it. Give them again, with -var or in the environment.",
            missing.join(", ")
        );
        return Err(Diagnostic::error("No value for ephemeral variable", detail));
    }
    let mut evaluator = Evaluator::new(
        session.config.clone(),
        session.inputs.clone(),
        session.registry.clone(),
        session.files.clone(),
        RecordedWorld::new(session.registry.clone(), &state),
    );
    let variables = evaluator.variables();
    let moved: Vec<&str> = plan
        .variables
        .iter()
        .filter(|(name, value)| variables.get(*name).is_none_or(|now| !now.same(value)))
        .map(|(name, _)| name.as_str())
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    Err(stale("variables have other values now", &format!("These differ: {}.", moved.join(", "))))
}

async fn has_open_intents(store: &dyn StateStore) -> Result<bool, Diagnostic> {
    let open = store.open_intents().await;
    open.map(|open| !open.is_empty()).map_err(|e| Diagnostic::error("State cannot be read", format!("{e}.")))
}

fn stale(why: &str, detail: &str) -> Diagnostic {
    Diagnostic::error(
        "Saved plan is stale",
        format!("The plan cannot be applied, because {why}. {detail} Make a new plan and look at it before applying."),
    )
}
