//! Enforcement: before an operation runs, the caller's policies are asked for all that it needs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::actions::{Need, needs};
use super::authorize::{Decision, Principal, decide};
use super::evaluate::{Layer, Request};
use crate::aws::{ApiError, Call, Caller, Service};
use crate::world::World;

/// Operations that need no permission (API reference: GetCallerIdentity, GetSessionToken), and those for which the role's trust
/// policy is asked where they are done.
const FREE: [&str; 4] = ["GetCallerIdentity", "GetSessionToken", "AssumeRole", "AssumeRoleWithWebIdentity"];

/// Refuses what the caller's policies do not allow; everything is allowed unless `enforce_iam` is set.
///
/// # Errors
/// `UnauthorizedOperation` of EC2, `AccessDeniedException` of EKS, `AccessDenied` of IAM and STS, all with status 403.
pub fn check(world: &World, call: &Call) -> Result<(), ApiError> {
    if !world.settings.enforce_iam || (call.service == Service::Sts && FREE.contains(&call.operation)) {
        return Ok(());
    }
    let principal = Principal::calling(world, &call.caller);
    for need in needs(world, call) {
        let decision = principal.as_ref().map_or(Decision::ImplicitDeny(Layer::Identity), |principal| {
            let context = principal.context(world, &need.context);
            decide(principal, &Request { action: &need.action, resource: &need.resource, context: &context })
        });
        if decision != Decision::Allow {
            return Err(refusal(call, &need, &decision));
        }
    }
    Ok(())
}

/// Why, in AWS's words (IAM User Guide, "Troubleshoot access denied error messages").
pub(crate) fn because(action: &str, decision: &Decision) -> String {
    let layer = |layer: Layer| match layer {
        Layer::Identity => "identity-based policy",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
        Layer::Resource => "resource-based policy",
    };
    match decision {
        Decision::Allow => String::new(),
        Decision::ImplicitDeny(denying) => format!("because no {} allows the {action} action", layer(*denying)),
        Decision::ExplicitDeny(denial) => {
            let article = if denial.layer == Layer::Identity { "an" } else { "a" };
            format!("with an explicit deny in {article} {}", layer(denial.layer))
        }
    }
}

fn refusal(call: &Call, need: &Need, decision: &Decision) -> ApiError {
    let message = told(&call.caller, need, decision);
    match call.service {
        Service::Ec2 => return unauthorized(&call.caller, need, decision),
        Service::Eks => ApiError::new("AccessDeniedException", message),
        Service::Iam | Service::Sts => ApiError::new("AccessDenied", message),
    }
    .with_status(403)
}

/// Who may not do what, and why.
fn told(caller: &Caller, need: &Need, decision: &Decision) -> String {
    let on = if need.resource == "*" { String::new() } else { format!(" on resource: {}", need.resource) };
    let who = format!("User: {} is not authorized to perform: {}{on}", caller.arn, need.action);
    format!("{who} {}", because(&need.action, decision))
}

/// EC2's refusal.
pub(crate) fn unauthorized(caller: &Caller, need: &Need, decision: &Decision) -> ApiError {
    let (told, encoded) = (told(caller, need, decision), encode(&details(caller, need, decision)));
    let message = format!(
        "You are not authorized to perform this operation. {told}. Encoded authorization failure message: {encoded}"
    );
    ApiError::new("UnauthorizedOperation", message).with_status(403)
}

/// What DecodeAuthorizationMessage tells.
fn details(caller: &Caller, need: &Need, decision: &Decision) -> Value {
    let matched = match decision {
        Decision::ExplicitDeny(denial) => {
            json!([{ "statementId": denial.sid, "effect": "DENY", "policy": denial.policy }])
        }
        _ => json!([]),
    };
    let items: Vec<Value> = need
        .context
        .iter()
        .map(|(key, values)| {
            let values: Vec<Value> = values.iter().map(|value| json!({ "value": value })).collect();
            json!({ "key": key, "values": { "items": values } })
        })
        .collect();
    json!({
        "allowed": false,
        "explicitDeny": matches!(decision, Decision::ExplicitDeny(_)),
        "matchedStatements": { "items": matched },
        "failures": { "items": [] },
        "context": {
            "principal": { "id": caller.user_id, "arn": caller.arn },
            "action": need.action,
            "resource": need.resource,
            "conditions": { "items": items },
        },
    })
}

/// Encoded messages begin with this.
const MARK: &str = "sandbox";

fn encode(details: &Value) -> String {
    URL_SAFE_NO_PAD.encode(format!("{MARK}{details}"))
}

/// What [`encode`] encoded.
pub(crate) fn decode(message: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(message).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix(MARK).map(str::to_owned)
}

/// The context of a need, from pairs.
pub(super) fn context(pairs: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in pairs {
        context.entry(key).or_default().push(value);
    }
    context
}

#[cfg(test)]
#[path = "enforce_tests.rs"]
mod tests;
