//! Credentials beyond the SDK's default chain: assumed roles, and remembering what was answered.

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use sgp_model::Value;
use tokio::sync::Mutex;

use crate::{
    errors::{ApiError, Call},
    tags::Tags,
    values,
};

/// STS did not give the credentials of a role.
#[derive(Debug, thiserror::Error)]
#[error("the role {role_arn} cannot be assumed: {error}")]
pub struct NotAssumed {
    /// The role.
    pub role_arn: String,
    /// Why.
    pub error: ApiError,
}

impl NotAssumed {
    fn of(session: &Session) -> impl FnOnce(ApiError) -> CredentialsError {
        let role_arn = session.role_arn.clone();
        move |error| CredentialsError::provider_error(Self { role_arn, error })
    }
}

/// Remembers credentials until shortly before they expire, for every service client and the presigner alike.
pub struct Remembered {
    inner: SharedCredentialsProvider,
    last: Mutex<Option<Credentials>>,
}

/// Credentials are renewed this long before they expire.
const MARGIN: Duration = Duration::from_mins(2);

impl Remembered {
    /// Wraps a provider.
    pub fn new(inner: SharedCredentialsProvider) -> Self {
        Self { inner, last: Mutex::new(None) }
    }

    async fn answer(&self) -> provider::Result {
        let mut last = self.last.lock().await;
        if let Some(credentials) = last.as_ref().filter(|c| c.expiry().is_none_or(|at| at > SystemTime::now() + MARGIN))
        {
            return Ok(credentials.clone());
        }
        let fresh = self.inner.provide_credentials().await?;
        *last = Some(fresh.clone());
        Ok(fresh)
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}

impl ProvideCredentials for Remembered {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.answer())
    }
}

/// What both kinds of sessions take.
#[derive(Clone, Debug)]
struct Session {
    role_arn: String,
    name: String,
    seconds: Option<i32>,
    policy: Option<String>,
    policy_arns: Vec<String>,
}

impl Session {
    fn read(block: &Value) -> Result<Option<Self>, String> {
        let Some(role_arn) = values::text(block, "role_arn") else { return Ok(None) };
        let seconds = match values::text(block, "duration") {
            None => None,
            Some(text) => Some(
                seconds(&text)
                    .ok_or_else(|| format!("duration {text:?} is not a duration such as \"1h\" or \"45m\""))?,
            ),
        };
        Ok(Some(Self {
            role_arn,
            name: values::text(block, "session_name").unwrap_or_else(|| "sgp".to_owned()),
            seconds,
            policy: values::text(block, "policy"),
            policy_arns: values::strs(block, "policy_arns"),
        }))
    }

    fn policies(&self) -> Option<Vec<PolicyDescriptorType>> {
        let list: Vec<_> =
            self.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
        (!list.is_empty()).then_some(list)
    }
}

/// `1h30m`, `45m`, `3600s` as seconds.
fn seconds(text: &str) -> Option<i32> {
    let (mut total, mut digits) = (0_i32, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                digits.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let count: i32 = std::mem::take(&mut digits).parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
    }
    (digits.is_empty() && !text.is_empty()).then_some(total)
}

/// Credentials of a role that other credentials may assume.
#[derive(Debug)]
pub struct AssumedRole {
    sts: aws_sdk_sts::Client,
    session: Session,
    external_id: Option<String>,
    source_identity: Option<String>,
    tags: Tags,
    transitive: Vec<String>,
}

impl AssumedRole {
    /// Out of an `assume_role` block; `None` when it names no role. `sts` signs with the credentials that may assume it.
    ///
    /// # Errors
    /// What is wrong with the block.
    pub fn new(sts: aws_sdk_sts::Client, block: &Value) -> Result<Option<Self>, String> {
        let Some(session) = Session::read(block)? else { return Ok(None) };
        Ok(Some(Self {
            sts,
            session,
            external_id: values::text(block, "external_id"),
            source_identity: values::text(block, "source_identity"),
            tags: values::str_map(block, "tags"),
            transitive: values::strs(block, "transitive_tag_keys"),
        }))
    }

    async fn assume(&self) -> provider::Result {
        let tags: Vec<Tag> = self
            .tags
            .iter()
            .map(|(k, v)| Tag::builder().key(k).value(v).build())
            .collect::<Result<_, _>>()
            .map_err(CredentialsError::invalid_configuration)?;
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.session.role_arn)
            .role_session_name(&self.session.name)
            .set_duration_seconds(self.session.seconds)
            .set_policy(self.session.policy.clone())
            .set_policy_arns(self.session.policies())
            .set_external_id(self.external_id.clone())
            .set_source_identity(self.source_identity.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!self.transitive.is_empty()).then(|| self.transitive.clone()))
            .send()
            .await
            .call("sts:AssumeRole")
            .map_err(NotAssumed::of(&self.session))?;
        convert(answer.credentials)
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

/// Credentials of a role for the bearer of an OIDC token.
#[derive(Debug)]
pub struct WebIdentity {
    sts: aws_sdk_sts::Client,
    session: Session,
    token: Token,
}

enum Token {
    Text(String),
    File(PathBuf),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(...)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl WebIdentity {
    /// Out of an `assume_role_with_web_identity` block; `None` when it names no role.
    ///
    /// # Errors
    /// What is wrong with the block.
    pub fn new(sts: aws_sdk_sts::Client, block: &Value) -> Result<Option<Self>, String> {
        let Some(session) = Session::read(block)? else { return Ok(None) };
        let text = values::text(block, "web_identity_token").map(Token::Text);
        let file = values::text(block, "web_identity_token_file").map(|path| Token::File(path.into()));
        let token = text.or(file).ok_or("web_identity_token or web_identity_token_file is needed")?;
        Ok(Some(Self { sts, session, token }))
    }

    async fn assume(&self) -> provider::Result {
        let token = match &self.token {
            Token::Text(text) => text.clone(),
            Token::File(path) => tokio::fs::read_to_string(path).await.map_err(|error| {
                CredentialsError::invalid_configuration(format!("web_identity_token_file {}: {error}", path.display()))
            })?,
        };
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&self.session.role_arn)
            .role_session_name(&self.session.name)
            .web_identity_token(token.trim())
            .set_duration_seconds(self.session.seconds)
            .set_policy(self.session.policy.clone())
            .set_policy_arns(self.session.policies())
            .send()
            .await
            .call("sts:AssumeRoleWithWebIdentity")
            .map_err(NotAssumed::of(&self.session))?;
        convert(answer.credentials)
    }
}

impl ProvideCredentials for WebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

fn convert(answer: Option<aws_sdk_sts::types::Credentials>) -> provider::Result {
    let c = answer.ok_or_else(|| CredentialsError::unhandled("STS answered no credentials"))?;
    let expiry = SystemTime::try_from(c.expiration).map_err(CredentialsError::unhandled)?;
    Ok(Credentials::new(c.access_key_id, c.secret_access_key, Some(c.session_token), Some(expiry), "sgp-assumed-role"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_hours_minutes_and_seconds() {
        for (text, expected) in [
            ("1h", Some(3600)),
            ("1h30m", Some(5400)),
            ("900s", Some(900)),
            ("15", None),
            ("", None),
            ("1d", None),
            ("h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }
}
