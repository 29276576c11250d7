//! Who a request comes from.

use jiff::Timestamp;

use crate::aws::{ApiError, Call, Caller};
use crate::world::World;

/// The user of a new account, with AdministratorAccess. Every unknown key means it while signatures are not verified.
pub const ADMINISTRATOR: &str = "sandbox";

/// The administrator's access key, for calls whose signatures are verified.
pub const ADMINISTRATOR_KEY: &str = "AKIASANDBOX000000000";

/// The administrator's unique id.
pub(super) const ADMINISTRATOR_ID: &str = "AIDASANDBOX0000000000";

/// The secret of [`ADMINISTRATOR_KEY`]. It opens nothing but a sandbox on loopback.
pub const ADMINISTRATOR_SECRET: &str = "sandbox0administrator0secret0access0key0";

/// Who a request comes from, by its access key: a user's key, a session of STS, otherwise the administrator
/// `arn:aws:iam::ACCOUNT:user/sandbox`.
///
/// # Errors
/// `InvalidClientTokenId` when the key is inactive, or unknown while signatures are verified; `ExpiredToken` when its session is over.
pub fn identify(world: &World, access_key: &str) -> Result<Caller, ApiError> {
    let account = world.settings.account.clone();
    let access_key = access_key.to_owned();
    if let Some(key) = world.iam.access_keys.get(&access_key) {
        let user = world.iam.users.get(&key.user).filter(|_| key.is_active).ok_or_else(invalid)?;
        return Ok(Caller { arn: user.arn.clone(), user_id: user.id.clone(), account, access_key });
    }
    if let Some(session) = world.iam.sessions.get(&access_key) {
        if session.expires <= world.now {
            return Err(expired());
        }
        return Ok(Caller { arn: session.arn.clone(), user_id: session.user_id.clone(), account, access_key });
    }
    if world.settings.verify_signatures {
        return Err(invalid());
    }
    Ok(administrator(world, access_key))
}

/// The administrator, calling with a key.
fn administrator(world: &World, access_key: String) -> Caller {
    let account = world.settings.account.clone();
    let (arn, user_id) = match world.iam.users.get(ADMINISTRATOR) {
        Some(user) => (user.arn.clone(), user.id.clone()),
        None => (format!("arn:aws:iam::{account}:user/{ADMINISTRATOR}"), ADMINISTRATOR_ID.to_owned()),
    };
    Caller { arn, user_id, account, access_key }
}

/// Remembers that a key or a role was used. Within a minute that is one use: not every call is worth a write.
pub fn note_use(world: &mut World, call: &Call) {
    let (now, key) = (world.now, &call.caller.access_key);
    let is_news = |last: Option<Timestamp>| last.is_none_or(|last| now.as_second() - last.as_second() >= 60);
    let region = if call.region.is_empty() { world.settings.region.clone() } else { call.region.clone() };
    if let Some(row) = world.iam.access_keys.get(key)
        && is_news(row.last_used.as_ref().map(|(time, ..)| *time))
    {
        let used = (now, region, call.service.name().to_owned());
        world.iam.access_keys.update(key, |row| row.last_used = Some(used));
    } else if let Some(role) = world.iam.sessions.get(key).and_then(|session| session.role.clone())
        && let Some(row) = world.iam.roles.get(&role)
        && is_news(row.last_used.as_ref().map(|(time, _)| *time))
    {
        world.iam.roles.update(&role, |row| row.last_used = Some((now, region)));
    }
}

/// What STS and IAM say to an unknown key.
pub(super) fn invalid() -> ApiError {
    ApiError::new("InvalidClientTokenId", "The security token included in the request is invalid.").with_status(403)
}

/// What STS and IAM say to a session that is over.
pub(super) fn expired() -> ApiError {
    ApiError::new("ExpiredToken", "The security token included in the request is expired").with_status(403)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    #[test]
    fn unknown_keys_are_the_administrator() {
        let mut world = world();
        for key in ["", "x", "123456789012", "AKIAIOSFODNN7EXAMPLE"] {
            assert_eq!(identify(&world, key).unwrap().arn, "arn:aws:iam::123456789012:user/sandbox", "{key}");
        }
        world.settings.verify_signatures = true;
        assert_eq!(identify(&world, "x").unwrap_err().code, "InvalidClientTokenId");
    }
}
