//! Users' access keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::common::{date, limit, listed, no_such, sized};
use super::policies::one_of;
use super::rows::AccessKey;
use super::users::named_or_caller;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::ids::Ids;
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateAccessKey", run: create_key },
    Operation { name: "ListAccessKeys", run: list_keys },
    Operation { name: "UpdateAccessKey", run: update_key },
    Operation { name: "DeleteAccessKey", run: delete_key },
    Operation { name: "GetAccessKeyLastUsed", run: get_last_used },
];

const MOST_KEYS: usize = 2;

/// A secret of 40 characters.
pub(crate) fn secret(ids: &mut Ids) -> String {
    let mut text = STANDARD.encode(ids.bytes());
    text.truncate(40);
    text
}

fn status(key: &AccessKey) -> &'static str {
    if key.is_active { "Active" } else { "Inactive" }
}

/// The user's key that a call names.
fn named<'a>(world: &'a World, call: &Call) -> Result<&'a AccessKey, ApiError> {
    let (user, id) = (named_or_caller(world, call)?, sized(call, "AccessKeyId", 128)?);
    let key = world.iam.access_keys.get(&id).filter(|key| key.user == user.name);
    key.ok_or_else(|| no_such(format!("The Access Key with id {id} cannot be found.")))
}

fn create_key(world: &mut World, call: &Call) -> Answer {
    let user = named_or_caller(world, call)?.name.clone();
    if world.iam.access_keys.with(&format!("user={user}")).count() >= MOST_KEYS {
        return Err(limit(format!("Cannot exceed quota for AccessKeysPerUser: {MOST_KEYS}")));
    }
    let (id, secret) = (world.ids.base32("AKIA", 16), secret(&mut world.ids));
    let key = AccessKey { id, secret, user, is_active: true, created: world.now, last_used: None };
    let answer = json!({
        "UserName": key.user,
        "AccessKeyId": key.id,
        "SecretAccessKey": key.secret,
        "Status": status(&key),
        "CreateDate": date(key.created),
    });
    world.iam.access_keys.insert(key.id.clone(), key);
    Ok(json!({ "AccessKey": answer }))
}

fn list_keys(world: &mut World, call: &Call) -> Answer {
    let key = format!("user={}", named_or_caller(world, call)?.name);
    let rows = world.iam.access_keys.with(&key).map(|(id, key)| {
        let created = date(key.created);
        (id, json!({ "UserName": key.user, "AccessKeyId": id, "Status": status(key), "CreateDate": created }))
    });
    listed(call, "AccessKeyMetadata", rows)
}

fn update_key(world: &mut World, call: &Call) -> Answer {
    let id = named(world, call)?.id.clone();
    let status = one_of(call, "Status", &["Active", "Inactive"])?;
    let status = status.ok_or_else(|| ApiError::missing(call.service, "Status"))?;
    world.iam.access_keys.update(&id, |key| key.is_active = status == "Active");
    Ok(Value::Null)
}

fn delete_key(world: &mut World, call: &Call) -> Answer {
    let id = named(world, call)?.id.clone();
    world.iam.access_keys.remove(&id);
    Ok(Value::Null)
}

fn get_last_used(world: &mut World, call: &Call) -> Answer {
    let id = sized(call, "AccessKeyId", 128)?;
    let key = world.iam.access_keys.get(&id).ok_or_else(|| {
        ApiError::new(
            "AccessDenied",
            format!(
                "User: {} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key {id}",
                call.caller.arn
            ),
        )
        .with_status(403)
    })?;
    let used = match &key.last_used {
        Some((time, region, service)) => {
            json!({ "LastUsedDate": date(*time), "Region": region, "ServiceName": service })
        }
        None => json!({ "Region": "N/A", "ServiceName": "N/A" }),
    };
    Ok(json!({ "UserName": key.user, "AccessKeyLastUsed": used }))
}
