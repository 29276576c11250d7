//! Tags of roles, users, policies, instance profiles and providers.

use serde_json::Value;

use super::common::{add_tags, listed, tags};
use super::rows::Tags;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "TagRole", run: |world, call| tag(world, call, Kind::Role) },
    Operation { name: "TagUser", run: |world, call| tag(world, call, Kind::User) },
    Operation { name: "TagPolicy", run: |world, call| tag(world, call, Kind::Policy) },
    Operation { name: "TagInstanceProfile", run: |world, call| tag(world, call, Kind::Profile) },
    Operation { name: "TagOpenIDConnectProvider", run: |world, call| tag(world, call, Kind::Oidc) },
    Operation { name: "UntagRole", run: |world, call| untag(world, call, Kind::Role) },
    Operation { name: "UntagUser", run: |world, call| untag(world, call, Kind::User) },
    Operation { name: "UntagPolicy", run: |world, call| untag(world, call, Kind::Policy) },
    Operation { name: "UntagInstanceProfile", run: |world, call| untag(world, call, Kind::Profile) },
    Operation { name: "UntagOpenIDConnectProvider", run: |world, call| untag(world, call, Kind::Oidc) },
    Operation { name: "ListRoleTags", run: |world, call| list(world, call, Kind::Role) },
    Operation { name: "ListUserTags", run: |world, call| list(world, call, Kind::User) },
    Operation { name: "ListPolicyTags", run: |world, call| list(world, call, Kind::Policy) },
    Operation { name: "ListInstanceProfileTags", run: |world, call| list(world, call, Kind::Profile) },
    Operation { name: "ListOpenIDConnectProviderTags", run: |world, call| list(world, call, Kind::Oidc) },
];

/// What has tags.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Role,
    User,
    Policy,
    Profile,
    Oidc,
}

/// The row's id of what a call names, and its tags.
fn named<'a>(world: &'a World, call: &Call, kind: Kind, to_change: bool) -> Result<(String, &'a Tags), ApiError> {
    Ok(match kind {
        Kind::Role if to_change => super::roles::changeable(world, call).map(|it| (it.name.clone(), &it.tags))?,
        Kind::Role => super::roles::named(world, call).map(|it| (it.name.clone(), &it.tags))?,
        Kind::User => super::users::named(world, call).map(|it| (it.name.clone(), &it.tags))?,
        Kind::Policy if to_change => super::policies::own(world, call).map(|it| (it.arn.clone(), &it.tags))?,
        Kind::Policy => super::policies::named(world, call).map(|it| (it.arn.clone(), &it.tags))?,
        Kind::Profile => super::profiles::named(world, call).map(|it| (it.name.clone(), &it.tags))?,
        Kind::Oidc => super::oidc::named(world, call).map(|it| (it.arn.clone(), &it.tags))?,
    })
}

fn set(world: &mut World, kind: Kind, id: &str, tags: Tags) {
    match kind {
        Kind::Role => world.iam.roles.update(id, |it| it.tags = tags),
        Kind::User => world.iam.users.update(id, |it| it.tags = tags),
        Kind::Policy => world.iam.policies.update(id, |it| it.tags = tags),
        Kind::Profile => world.iam.instance_profiles.update(id, |it| it.tags = tags),
        Kind::Oidc => world.iam.oidc_providers.update(id, |it| it.tags = tags),
    };
}

fn tag(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let more = tags(call)?;
    let (id, known) = named(world, call, kind, true)?;
    if more.is_empty() {
        return Err(ApiError::missing(call.service, "Tags"));
    }
    let mut tags = known.clone();
    add_tags(&mut tags, more)?;
    set(world, kind, &id, tags);
    Ok(Value::Null)
}

fn untag(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let (id, known) = named(world, call, kind, true)?;
    let keys: Vec<String> = call.texts("TagKeys").iter().map(|key| key.to_lowercase()).collect();
    if keys.is_empty() {
        return Err(ApiError::missing(call.service, "TagKeys"));
    }
    let mut tags = known.clone();
    tags.retain(|key, _| !keys.contains(&key.to_lowercase()));
    set(world, kind, &id, tags);
    Ok(Value::Null)
}

fn list(world: &mut World, call: &Call, kind: Kind) -> Answer {
    let (_, tags) = named(world, call, kind, false)?;
    let rows = tags.iter().map(|(key, value)| (key.as_str(), serde_json::json!({ "Key": key, "Value": value })));
    listed(call, "Tags", rows)
}
