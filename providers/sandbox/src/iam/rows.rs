//! IAM's objects as they are kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The policies that a role, user or group has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// ARNs of attached policies, in the order in which they were attached.
    pub attached: Vec<String>,
    /// Inline documents by name.
    pub inline: BTreeMap<String, String>,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
}

impl Grants {
    /// `policy=ARN` for each attached policy, `boundary=ARN`.
    fn keys(&self) -> impl Iterator<Item = String> {
        let boundary = self.boundary.iter().map(|arn| format!("boundary={arn}"));
        self.attached.iter().map(|arn| format!("policy={arn}")).chain(boundary)
    }
}

/// `name=` in lower case (names are unique in any case), `arn=`, `id=`.
fn identity_keys(name: &str, arn: &str, id: &str) -> Vec<String> {
    vec![format!("name={}", name.to_lowercase()), format!("arn={arn}"), format!("id={id}")]
}

/// A role. Its row's id is its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    /// 1 to 64 characters.
    pub name: String,
    /// `AROA...`.
    pub id: String,
    /// `/` or `/team/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:role/team/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// The trust policy, as sent.
    pub trust: String,
    /// For people.
    pub description: Option<String>,
    /// The longest session, in seconds: 3,600 to 43,200.
    pub max_session_secs: u32,
    /// Tags.
    pub tags: Tags,
    /// What it may do.
    pub grants: Grants,
    /// When a session of it last called, and in which region.
    pub last_used: Option<(Timestamp, String)>,
}

impl Role {
    /// Keys `name=`, `arn=`, `id=`, `policy=ARN`, `boundary=ARN`.
    pub fn keys(&self) -> Vec<String> {
        identity_keys(&self.name, &self.arn, &self.id).into_iter().chain(self.grants.keys()).collect()
    }

    /// Whether a service made it for itself; only that service changes it.
    pub fn is_service_linked(&self) -> bool {
        self.path.starts_with("/aws-service-role/")
    }
}

/// A user. Its row's id is its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// 1 to 64 characters.
    pub name: String,
    /// `AIDA...`.
    pub id: String,
    /// `/` or `/team/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:user/team/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// Tags.
    pub tags: Tags,
    /// What it may do by itself.
    pub grants: Grants,
    /// The names of its groups.
    pub groups: BTreeSet<String>,
}

impl User {
    /// Keys `name=`, `arn=`, `id=`, `policy=ARN`, `boundary=ARN`, `group=NAME`.
    pub fn keys(&self) -> Vec<String> {
        let groups = self.groups.iter().map(|group| format!("group={group}"));
        identity_keys(&self.name, &self.arn, &self.id).into_iter().chain(self.grants.keys()).chain(groups).collect()
    }
}

/// A group. Its row's id is its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// 1 to 128 characters.
    pub name: String,
    /// `AGPA...`.
    pub id: String,
    /// `/` or `/team/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:group/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// What its users may do.
    pub grants: Grants,
}

impl Group {
    /// Keys `name=`, `arn=`, `id=`, `policy=ARN`.
    pub fn keys(&self) -> Vec<String> {
        identity_keys(&self.name, &self.arn, &self.id).into_iter().chain(self.grants.keys()).collect()
    }
}

/// A managed policy, the account's own or AWS's. Its row's id is its ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// 1 to 128 characters.
    pub name: String,
    /// `ANPA...`.
    pub id: String,
    /// `/` or `/team/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:policy/name`, `arn:aws:iam::aws:policy/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// When its last version was made.
    pub updated: Timestamp,
    /// For people.
    pub description: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// Versions by number, at most five.
    pub versions: BTreeMap<u32, PolicyVersion>,
    /// The number of the version that counts.
    pub default_version: u32,
    /// The highest number that a version ever had.
    pub last_version: u32,
}

/// A version of a managed policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// The document, as sent.
    pub document: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Policy {
    /// Keys `name=` in lower case for the account's own, `id=`.
    pub fn keys(&self) -> Vec<String> {
        let name = (!self.is_aws()).then(|| format!("name={}", self.name.to_lowercase()));
        name.into_iter().chain([format!("id={}", self.id)]).collect()
    }

    /// Whether AWS manages it; nobody else changes it.
    pub fn is_aws(&self) -> bool {
        self.arn.starts_with("arn:aws:iam::aws:")
    }

    /// The document that counts.
    pub fn document(&self) -> &str {
        self.versions.get(&self.default_version).map_or("", |version| &version.document)
    }
}

/// An instance profile. Its row's id is its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// 1 to 128 characters.
    pub name: String,
    /// `AIPA...`.
    pub id: String,
    /// `/` or `/team/`.
    pub path: String,
    /// `arn:aws:iam::ACCOUNT:instance-profile/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// The name of its role; at most one.
    pub role: Option<String>,
    /// Tags.
    pub tags: Tags,
}

impl InstanceProfile {
    /// Keys `name=`, `arn=`, `id=`, `role=NAME`.
    pub fn keys(&self) -> Vec<String> {
        let role = self.role.iter().map(|role| format!("role={role}"));
        identity_keys(&self.name, &self.arn, &self.id).into_iter().chain(role).collect()
    }
}

/// An OpenID Connect provider. Its row's id is its ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OidcProvider {
    /// `arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH`.
    pub arn: String,
    /// The issuer without `https://`.
    pub url: String,
    /// Audiences, at most 100.
    pub client_ids: Vec<String>,
    /// Certificate thumbprints, 40 hexadecimal digits each, at most five.
    pub thumbprints: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Tags.
    pub tags: Tags,
}

/// A user's access key. Its row's id is the key's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA...`.
    pub id: String,
    /// What signs.
    pub secret: String,
    /// The user's name.
    pub user: String,
    /// `Active`, or not.
    pub is_active: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When, in which region and for which service it last signed.
    pub last_used: Option<(Timestamp, String, String)>,
}

impl AccessKey {
    /// Key `user=NAME`.
    pub fn keys(&self) -> Vec<String> {
        vec![format!("user={}", self.user)]
    }
}

/// Temporary credentials of STS. The row's id is the access key's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// `ASIA...`.
    pub access_key: String,
    /// What signs.
    pub secret: String,
    /// What goes along with each call.
    pub token: String,
    /// Who calls with it: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, or a user's ARN (GetSessionToken).
    pub arn: String,
    /// `AROA...:SESSION`, or the user's id.
    pub user_id: String,
    /// The role's name.
    pub role: Option<String>,
    /// Documents of session policies; without any, nothing limits the session.
    pub policies: Vec<String>,
    /// Session tags.
    pub tags: Tags,
    /// The keys of the tags that a role assumed with this session gets too.
    pub transitive: BTreeSet<String>,
    /// `sts:SourceIdentity`, which stays through chained roles.
    pub source_identity: Option<String>,
    /// The provider's ARN, for a session of a web identity.
    pub federated: Option<String>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

impl Session {
    /// Keys `arn=`, `role=NAME`.
    pub fn keys(&self) -> Vec<String> {
        let role = self.role.iter().map(|role| format!("role={role}"));
        std::iter::once(format!("arn={}", self.arn)).chain(role).collect()
    }
}
