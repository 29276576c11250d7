//! AssumeRole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::session::{New, assumed, denied, packed_size, policies, role, role_secs, session_name, start};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::iam::authorize::{Principal, decide};
use crate::iam::evaluate::Request;
use crate::iam::rows::{Role, Session, Tags};
use crate::iam::trust::{Trust, Who, trust};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[Operation { name: "AssumeRole", run: assume_role }];

/// A role that was assumed with a role's session lasts an hour at most.
const LONGEST_CHAINED_SECS: i64 = 3600;

/// What a call wants beside the role itself.
struct Wanted {
    tags: Tags,
    transitive: BTreeSet<String>,
    source_identity: Option<String>,
}

fn assume_role(world: &mut World, call: &Call) -> Answer {
    let (arn, role) = role(world, call)?;
    let name = session_name(call, "RoleSessionName")?;
    super::session::duration(call, 43_200)?;
    let chain = world.iam.sessions.get(&call.caller.access_key).filter(|session| session.role.is_some());
    let wanted = wanted(call, chain)?;
    let refused =
        || denied(format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", call.caller.arn));
    let role = role.ok_or_else(refused)?;
    check_trust(world, call, role, &name, &wanted)?;
    let secs = role_secs(call, role)?;
    if chain.is_some() && secs > LONGEST_CHAINED_SECS {
        let why = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(ApiError::new("ValidationError", why));
    }
    let policies = policies(world, call)?;
    let (user, session_arn, user_id) = assumed(world, role, &name);
    let mut answer = Map::from_iter([("AssumedRoleUser".to_owned(), user)]);
    packed_size(&mut answer, &policies, &wanted.tags);
    if let Some(source) = &wanted.source_identity {
        answer.insert("SourceIdentity".to_owned(), source.as_str().into());
    }
    let Wanted { tags, transitive, source_identity } = wanted;
    let (role, arn) = (Some(role.name.clone()), session_arn);
    let new = New { arn, user_id, role, policies, tags, transitive, source_identity, federated: None, secs };
    answer.insert("Credentials".to_owned(), start(world, new));
    Ok(Value::Object(answer))
}

/// Session tags (with the transitive ones of the session that calls) and source identity.
fn wanted(call: &Call, chain: Option<&Session>) -> Result<Wanted, ApiError> {
    let mut tags = crate::iam::sent_tags(call)?;
    let mut transitive: BTreeSet<String> = call.texts("TransitiveTagKeys").into_iter().collect();
    if let Some(key) = transitive.iter().find(|key| !tags.contains_key(*key)) {
        let why = format!("The specified transitive tag key must be included in the requested tags: {key}");
        return Err(ApiError::new("ValidationError", why));
    }
    for (key, value) in chain.iter().flat_map(|session| session.tags.iter()) {
        if chain.is_some_and(|session| session.transitive.contains(key)) {
            if tags.contains_key(key) {
                let why = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
                return Err(ApiError::new("InvalidParameterValue", why));
            }
            tags.insert(key.clone(), value.clone());
            transitive.insert(key.clone());
        }
    }
    let inherited = chain.and_then(|session| session.source_identity.clone());
    let source_identity =
        if call.has("SourceIdentity") { Some(session_name(call, "SourceIdentity")?) } else { inherited.clone() };
    if inherited.is_some() && source_identity != inherited {
        return Err(denied("The source identity of the calling session cannot be changed"));
    }
    Ok(Wanted { tags, transitive, source_identity })
}

/// Asks the role's trust policy for each action that the call means, and the caller's own policies where they count.
fn check_trust(world: &World, call: &Call, role: &Role, name: &str, wanted: &Wanted) -> Result<(), ApiError> {
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut put = |key: &str, value: String| sent.entry(key.to_owned()).or_default().push(value);
    put("sts:RoleSessionName", name.to_owned());
    call.text("ExternalId").into_iter().for_each(|id| put("sts:ExternalId", id));
    wanted.source_identity.iter().for_each(|source| put("sts:SourceIdentity", source.clone()));
    wanted.transitive.iter().for_each(|key| put("sts:TransitiveTagKeys", key.clone()));
    for (key, value) in &wanted.tags {
        put(&format!("aws:RequestTag/{key}"), value.clone());
        put("aws:TagKeys", key.clone());
    }
    for (key, value) in &role.tags {
        put(&format!("aws:ResourceTag/{key}"), value.clone());
        put(&format!("iam:ResourceTag/{key}"), value.clone());
    }
    put("aws:RequestedRegion", call.region.clone());
    let mut actions = vec!["sts:AssumeRole"];
    actions.extend((call.has("Tags")).then_some("sts:TagSession"));
    actions.extend(call.has("SourceIdentity").then_some("sts:SetSourceIdentity"));
    let principal = Principal::calling(world, &call.caller);
    let context = principal.as_ref().map(|it| it.context(world, &sent)).unwrap_or_default();
    let mut names = vec![call.caller.arn.clone(), call.caller.user_id.clone()];
    if let Some(principal) = &principal {
        names.push(principal.identity_arn.clone());
        names.extend(call.caller.user_id.split_once(':').map(|(id, _)| id.to_owned()));
    }
    let who = Who::Caller { names, account: &call.caller.account };
    for action in actions {
        let trust = trust(role, &who, action, &context);
        let own = || {
            let request = Request { action, resource: &role.arn, context: &context };
            !world.settings.enforce_iam || principal.as_ref().is_some_and(|it| decide(it, &request).is_allowed())
        };
        let denies = || {
            let request = Request { action, resource: &role.arn, context: &context };
            world.settings.enforce_iam && principal.as_ref().is_some_and(|it| it.denies(&request))
        };
        let is_allowed = match trust {
            Trust::Denied | Trust::Nothing => false,
            Trust::Account => own(),
            // The role's policy names the caller; only a deny of the caller's own policies still counts.
            Trust::Caller => !denies(),
        };
        if !is_allowed {
            return Err(denied(format!(
                "User: {} is not authorized to perform: {action} on resource: {}",
                call.caller.arn, role.arn
            )));
        }
    }
    Ok(())
}
