//! IAM: roles, policies, instance profiles, identity providers, users and keys; and who may do what.
//!
//! [`rows`] are the objects; [`identify()`] says who calls, [`authorize`] whether they may.
//!
//! Source: IAM API Reference (docs.aws.amazon.com/IAM/latest/APIReference), version 2010-05-08.

mod account;
pub mod actions;
mod attach;
pub mod authorize;
mod common;
pub mod condition;
pub mod context;
pub mod document;
pub mod enforce;
pub mod evaluate;
pub mod grammar;
mod groups;
mod identify;
mod keys;
pub mod linked;
pub mod managed;
mod oidc;
pub mod pattern;
mod policies;
pub mod presigned;
mod profiles;
mod roles;
pub mod rows;
pub mod signature;
mod simulate;
mod tagging;
pub mod trust;
mod users;
pub mod verify;

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Operation;
use crate::store::table::{Durable, Table};
use crate::world::World;
use rows::{AccessKey, Grants, Group, InstanceProfile, OidcProvider, Policy, Role, Session, Tags, User};

pub(crate) use common::{date, tags as sent_tags};
pub use identify::{ADMINISTRATOR, ADMINISTRATOR_KEY, ADMINISTRATOR_SECRET, identify, note_use};
pub(crate) use keys::secret as new_secret;
pub use trust::trusts_service;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[
    account::OPERATIONS,
    attach::OPERATIONS,
    groups::OPERATIONS,
    keys::OPERATIONS,
    linked::OPERATIONS,
    oidc::OPERATIONS,
    policies::OPERATIONS,
    profiles::OPERATIONS,
    roles::OPERATIONS,
    simulate::OPERATIONS,
    tagging::OPERATIONS,
    users::OPERATIONS,
];

/// IAM's and STS's objects.
#[derive(Debug)]
pub struct Iam {
    /// Roles by name.
    pub roles: Table<Role>,
    /// Users by name.
    pub users: Table<User>,
    /// Groups by name.
    pub groups: Table<Group>,
    /// Managed policies by ARN.
    pub policies: Table<Policy>,
    /// Instance profiles by name.
    pub instance_profiles: Table<InstanceProfile>,
    /// OpenID Connect providers by ARN.
    pub oidc_providers: Table<OidcProvider>,
    /// Users' access keys by id.
    pub access_keys: Table<AccessKey>,
    /// Temporary credentials by access key.
    pub sessions: Table<Session>,
    /// Deletions of service-linked roles by task.
    pub deletions: Table<linked::Deletion>,
    /// The account's alias, with the time at which it was made; at most one.
    pub aliases: Table<jiff::Timestamp>,
}

impl Default for Iam {
    fn default() -> Self {
        Self {
            roles: Table::indexed("iam-roles", Role::keys),
            users: Table::indexed("iam-users", User::keys),
            groups: Table::indexed("iam-groups", Group::keys),
            policies: Table::indexed("iam-policies", Policy::keys),
            instance_profiles: Table::indexed("iam-instance-profiles", InstanceProfile::keys),
            oidc_providers: Table::new("iam-oidc-providers"),
            access_keys: Table::indexed("iam-access-keys", AccessKey::keys),
            sessions: Table::indexed("sts-sessions", Session::keys),
            deletions: Table::new("iam-deletions"),
            aliases: Table::new("iam-aliases"),
        }
    }
}

impl Iam {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        vec![
            &mut self.roles,
            &mut self.users,
            &mut self.groups,
            &mut self.policies,
            &mut self.instance_profiles,
            &mut self.oidc_providers,
            &mut self.access_keys,
            &mut self.sessions,
            &mut self.deletions,
            &mut self.aliases,
        ]
    }

    /// Whether not even AWS's own policies are there: the world was never furnished.
    pub(crate) fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// The role of this ARN.
    pub fn role_of_arn(&self, arn: &str) -> Option<&Role> {
        self.roles.with(&format!("arn={arn}")).next().map(|(_, role)| role)
    }

    /// The user of this ARN.
    pub fn user_of_arn(&self, arn: &str) -> Option<&User> {
        self.users.with(&format!("arn={arn}")).next().map(|(_, user)| user)
    }

    /// The instance profile of this ARN.
    pub fn instance_profile_of_arn(&self, arn: &str) -> Option<&InstanceProfile> {
        self.instance_profiles.with(&format!("arn={arn}")).next().map(|(_, profile)| profile)
    }

    /// The provider of an issuer, with or without `https://`.
    pub fn oidc_provider_of_issuer(&self, account: &str, issuer: &str) -> Option<&OidcProvider> {
        let url = issuer.strip_prefix("https://").unwrap_or(issuer);
        self.oidc_providers.get(&format!("arn:aws:iam::{account}:oidc-provider/{url}"))
    }
}

/// Makes what a new account has: AWS's managed policies, and the administrator with its key.
pub(crate) fn furnish(world: &mut World) {
    for policy in managed::policies() {
        world.iam.policies.insert(policy.arn.clone(), policy.clone());
    }
    let user = User {
        name: ADMINISTRATOR.to_owned(),
        id: identify::ADMINISTRATOR_ID.to_owned(),
        path: "/".to_owned(),
        arn: format!("arn:aws:iam::{}:user/{ADMINISTRATOR}", world.settings.account),
        created: world.now,
        tags: Tags::new(),
        grants: Grants {
            attached: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
            inline: BTreeMap::new(),
            boundary: None,
        },
        groups: BTreeSet::new(),
    };
    world.iam.users.insert(ADMINISTRATOR, user);
    let key = AccessKey {
        id: ADMINISTRATOR_KEY.to_owned(),
        secret: ADMINISTRATOR_SECRET.to_owned(),
        user: ADMINISTRATOR.to_owned(),
        is_active: true,
        created: world.now,
        last_used: None,
    };
    world.iam.access_keys.insert(ADMINISTRATOR_KEY, key);
}
