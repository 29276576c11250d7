//! Temporary credentials, and what all calls that make them have in common.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::aws::{Answer, ApiError, Call, Operation, Service};
use crate::iam::grammar::check_identity_policy;
use crate::iam::rows::{Role, Session, Tags};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[Operation { name: "GetSessionToken", run: get_session_token }];

/// What a new session has; see [`Session`] for the members.
#[derive(Debug, Default)]
pub(super) struct New {
    pub arn: String,
    pub user_id: String,
    pub role: Option<String>,
    pub policies: Vec<String>,
    pub tags: Tags,
    pub transitive: BTreeSet<String>,
    pub source_identity: Option<String>,
    pub federated: Option<String>,
    pub secs: i64,
}

/// Makes the session and answers its `Credentials`.
pub(super) fn start(world: &mut World, new: New) -> Value {
    // Real tokens are some hundred characters long; clients must take them as they are.
    let token = (0..6).map(|_| STANDARD.encode(world.ids.bytes()).replace('=', "")).collect::<String>();
    let expires = world.now.checked_add(jiff::SignedDuration::from_secs(new.secs)).unwrap_or(world.now);
    let session = Session {
        access_key: world.ids.base32("ASIA", 16),
        secret: crate::iam::new_secret(&mut world.ids),
        token: format!("IQoJb3JpZ2luX2VjE{token}=="),
        arn: new.arn,
        user_id: new.user_id,
        role: new.role,
        policies: new.policies,
        tags: new.tags,
        transitive: new.transitive,
        source_identity: new.source_identity,
        federated: new.federated,
        issued: world.now,
        expires,
    };
    let answer = json!({
        "AccessKeyId": session.access_key,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": crate::iam::date(expires),
    });
    world.iam.sessions.insert(session.access_key.clone(), session);
    answer
}

pub(super) fn denied(message: impl Into<String>) -> ApiError {
    ApiError::new("AccessDenied", message).with_status(403)
}

/// `DurationSeconds` between 900 and `most`.
pub(super) fn duration(call: &Call, most: i64) -> Result<Option<i64>, ApiError> {
    let Some(secs) = call.integer("DurationSeconds")? else { return Ok(None) };
    let why = match secs {
        ..900 => "Member must have value greater than or equal to 900".to_owned(),
        _ if secs > most => format!("Member must have value less than or equal to {most}"),
        _ => return Ok(Some(secs)),
    };
    Err(ApiError::invalid(Service::Sts, "DurationSeconds", &secs.to_string(), &why))
}

/// How long a session of a role lasts: an hour, or what was asked for within the role's limit.
pub(super) fn role_secs(call: &Call, role: &Role) -> Result<i64, ApiError> {
    let secs = duration(call, 43_200)?.unwrap_or(3600);
    if secs > i64::from(role.max_session_secs) {
        let why = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(ApiError::new("ValidationError", why));
    }
    Ok(secs)
}

/// The name of a role's session: 2 to 64 of letters, digits and `_+=,.@-`.
pub(super) fn session_name(call: &Call, parameter: &str) -> Result<String, ApiError> {
    let name = call.required(parameter)?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    let why = match name.chars().count() {
        0..2 => "Member must have length greater than or equal to 2",
        65.. => "Member must have length less than or equal to 64",
        _ if !name.chars().all(allowed) => "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        _ => return Ok(name),
    };
    Err(ApiError::invalid(Service::Sts, parameter, &name, why))
}

/// The session policies that a call brings, inline and managed.
pub(super) fn policies(world: &World, call: &Call) -> Result<Vec<String>, ApiError> {
    let mut documents = Vec::new();
    if let Some(text) = call.text("Policy") {
        check_identity_policy(&text)?;
        if text.chars().count() > 2048 {
            let why = "Member must have length less than or equal to 2048";
            return Err(ApiError::invalid(Service::Sts, "Policy", &text, why));
        }
        documents.push(text);
    }
    let arns = call.structures("PolicyArns");
    if arns.len() > 10 {
        return Err(ApiError::new("LimitExceeded", "Cannot exceed quota for PolicyArns: 10"));
    }
    for arn in arns {
        let arn = arn.required("arn")?;
        let policy = world.iam.policies.get(&arn);
        let missing =
            || ApiError::new("MalformedPolicyDocument", format!("Policy {arn} does not exist or is not attachable."));
        documents.push(policy.ok_or_else(missing)?.document().to_owned());
    }
    Ok(documents)
}

/// A role by the ARN that a call sends; `None` when there is none, which a caller may not learn.
pub(super) fn role<'a>(world: &'a World, call: &Call) -> Result<(String, Option<&'a Role>), ApiError> {
    let arn = call.required("RoleArn")?;
    if arn.len() < 20 {
        let why = "Member must have length greater than or equal to 20";
        return Err(ApiError::invalid(Service::Sts, "RoleArn", &arn, why));
    }
    if !arn.starts_with("arn:") || arn.splitn(6, ':').count() != 6 {
        return Err(ApiError::new("ValidationError", format!("{arn} is invalid")));
    }
    let role = world.iam.role_of_arn(&arn);
    Ok((arn, role))
}

/// `AssumedRoleUser` of a role's session, and the ARN and unique id in it.
pub(super) fn assumed(world: &World, role: &Role, name: &str) -> (Value, String, String) {
    let arn = format!("arn:aws:sts::{}:assumed-role/{}/{name}", world.settings.account, role.name);
    let id = format!("{}:{name}", role.id);
    (json!({ "AssumedRoleId": id, "Arn": arn }), arn, id)
}

/// How full the packed policies and tags are, in percent; told only when there are any.
pub(super) fn packed_size(answer: &mut Map<String, Value>, policies: &[String], tags: &Tags) {
    let size =
        policies.iter().map(String::len).sum::<usize>() + tags.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
    if size > 0 {
        answer.insert("PackedPolicySize".to_owned(), (size * 100 / 8192 + 1).min(100).into());
    }
}

fn get_session_token(world: &mut World, call: &Call) -> Answer {
    let secs = duration(call, 129_600)?.unwrap_or(43_200);
    if world.iam.sessions.contains(&call.caller.access_key) {
        return Err(denied("Cannot call GetSessionToken with session credentials"));
    }
    let new = New { arn: call.caller.arn.clone(), user_id: call.caller.user_id.clone(), secs, ..New::default() };
    Ok(json!({ "Credentials": start(world, new) }))
}
