//! The client that a `provider "aws"` block becomes.

use std::{any::Any, collections::BTreeSet, env, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider},
};
use aws_runtime::env_config::{
    self,
    file::{EnvConfigFileKind, EnvConfigFiles},
    section::EnvConfigSections,
};
use aws_types::os_shim_internal::{Env, Fs};
use sgp_contract::Client;
use sgp_model::{AttrPath, Diagnostic, Diagnostics, Value};
use tokio::sync::OnceCell;

use crate::{
    credentials::{AssumedRole, NotAssumed, Remembered, WebIdentity},
    errors::{ApiError, Call, causes, find_source},
    partition::Partition,
    reconnect::Reconnects,
    retries::{self, Retries},
    tags::{IgnoreTags, Tags},
    values,
};

/// Where credentials are looked for, and what to do when there are none.
pub const CREDENTIALS_HINT: &str = "Looked for, in this order: `access_key` and `secret_key` of the provider; AWS_ACCESS_KEY_ID and \
AWS_SECRET_ACCESS_KEY; the profile (`profile`, AWS_PROFILE or `default`) in ~/.aws/config and ~/.aws/credentials, with SSO, assumed \
roles and credential_process; AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN; the container's credentials (ECS, EKS Pod Identity); the \
instance profile (EC2 metadata).\n\nSet one of them: for instance `aws sso login --profile NAME` and AWS_PROFILE=NAME.";

/// Clients of the services for one account and region.
#[derive(Debug)]
pub struct AwsClient {
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// EKS.
    pub eks: aws_sdk_eks::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
    /// The region: `eu-central-1`.
    pub region: String,
    /// Tags that every object gets.
    pub default_tags: Tags,
    /// Tags that are left alone.
    pub ignore_tags: IgnoreTags,
    /// Region, credentials and transport, for what the service clients do not do (presigning).
    pub sdk: SdkConfig,
    /// The STS endpoint that the provider block names.
    pub sts_endpoint: Option<String>,
    identity: OnceCell<Identity>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The caller's ARN.
    pub arn: String,
    /// The caller's unique id.
    pub user_id: String,
}

impl Client for AwsClient {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl AwsClient {
    /// The AWS client behind the contract's.
    pub fn of(client: &dyn Client) -> &Self {
        client.as_any().downcast_ref().expect("the engine gives a provider the clients that it configured")
    }

    /// Account and caller, asked once (`GetCallerIdentity`).
    ///
    /// # Errors
    /// What STS answers.
    pub async fn identity(&self) -> Result<&Identity, ApiError> {
        self.identity
            .get_or_try_init(async || {
                let answer = self.sts.get_caller_identity().send().await.call("sts:GetCallerIdentity")?;
                Ok(Identity {
                    account_id: answer.account.unwrap_or_default(),
                    arn: answer.arn.unwrap_or_default(),
                    user_id: answer.user_id.unwrap_or_default(),
                })
            })
            .await
    }

    /// The account, when it was asked for before.
    pub fn known_account(&self) -> Option<String> {
        self.identity.get().map(|identity| identity.account_id.clone())
    }

    /// The partition of the region: `aws`, `aws-cn`, ...
    pub fn partition(&self) -> Partition {
        Partition::of(&self.region)
    }

    /// Makes the clients out of a wholly known provider block. Finds credentials, which may call STS or SSO; calls
    /// `GetCallerIdentity` only when account ids are restricted.
    ///
    /// # Errors
    /// Without region or credentials, with half of a key pair, or on the wrong account.
    pub async fn configure(config: &Value) -> Result<Self, Diagnostics> {
        let sdk = load(config).await?;
        let region = sdk.region().map(ToString::to_string).filter(|r| !r.is_empty()).ok_or_else(no_region)?;
        let endpoints = Endpoints::read(config);
        let retries = Retries::read(config)?;
        let sdk = with_roles(sdk, config, &endpoints).await?;
        let client = Self {
            ec2: retries.ec2(&sdk, endpoints.ec2.as_deref(), None),
            eks: retries.eks(&sdk, endpoints.eks.as_deref(), None),
            iam: retries.iam(&sdk, endpoints.iam.as_deref(), None),
            sts: retries.sts(&sdk, endpoints.sts.as_deref(), values::text(config, "sts_region")),
            region,
            default_tags: values::block(config, "default_tags").map(|b| values::str_map(b, "tags")).unwrap_or_default(),
            ignore_tags: ignore_tags(config),
            sdk,
            sts_endpoint: endpoints.sts,
            identity: OnceCell::new(),
        };
        client.check_account(config).await?;
        Ok(client)
    }

    async fn check_account(&self, config: &Value) -> Result<(), Diagnostics> {
        let set = |name| values::strs(config, name).into_iter().collect::<BTreeSet<_>>();
        let (allowed, forbidden) = (set("allowed_account_ids"), set("forbidden_account_ids"));
        if allowed.is_empty() && forbidden.is_empty() {
            return Ok(());
        }
        let account = &self.identity().await?.account_id;
        let (argument, verdict) = if forbidden.contains(account) {
            ("forbidden_account_ids", "names it")
        } else if !allowed.is_empty() && !allowed.contains(account) {
            ("allowed_account_ids", "does not name it")
        } else {
            return Ok(());
        };
        let detail =
            format!("The credentials belong to account {account}; `{argument}` {verdict}. Nothing was changed.");
        Err(Diagnostic::error("Wrong AWS account", detail).attribute(AttrPath::attr(argument)).into())
    }
}

/// An endpoint that does not take a connection in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The slowest pages (IAM's account details) take some seconds.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// Region, credentials and transport as the SDK's default chain and the block's plain arguments give them.
async fn load(config: &Value) -> Result<SdkConfig, Diagnostics> {
    let patience = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(patience);
    if let Some(http) = retries::http_client() {
        loader = loader.http_client(http);
    }
    if let Some(region) = values::text(config, "region") {
        loader = loader.region(Region::new(region));
    }
    if let Some(profile) = values::text(config, "profile") {
        loader = loader.profile_name(profile);
    }
    let files = [
        (EnvConfigFileKind::Config, values::strs(config, "shared_config_files")),
        (EnvConfigFileKind::Credentials, values::strs(config, "shared_credentials_files")),
    ];
    let builder = EnvConfigFiles::builder()
        .include_default_config_file(files[0].1.is_empty())
        .include_default_credentials_file(files[1].1.is_empty());
    let named = files.into_iter().flat_map(|(kind, paths)| paths.into_iter().map(move |path| (kind, path)));
    let files = named.fold(builder, |b, (kind, path)| b.with_file(kind, home(&path))).build();
    loader = loader.profile_files(files.clone());
    let has_keys = values::text(config, "access_key").is_some();
    match (values::text(config, "access_key"), values::text(config, "secret_key")) {
        (Some(id), Some(secret)) => {
            loader = loader.credentials_provider(Credentials::new(
                id,
                secret,
                values::text(config, "token"),
                None,
                "provider-block",
            ));
        }
        (None, None) => {}
        (Some(_), None) => return Err(half_a_pair("access_key", "secret_key")),
        (None, Some(_)) => return Err(half_a_pair("secret_key", "access_key")),
    }
    if let Some(fips) = values::bool_opt(config, "use_fips_endpoint") {
        loader = loader.use_fips(fips);
    }
    if let Some(dualstack) = values::bool_opt(config, "use_dualstack_endpoint") {
        loader = loader.use_dual_stack(dualstack);
    }
    let sdk = loader.load().await;
    match values::text(config, "profile") {
        Some(profile) if !has_keys => of_profile(sdk, &profile, files).await,
        _ => Ok(sdk),
    }
}

/// The same with the credentials of a profile that the block names. The SDK would ask the environment first, and keys that happen
/// to be set there may belong to another account.
async fn of_profile(sdk: SdkConfig, profile: &str, files: EnvConfigFiles) -> Result<SdkConfig, Diagnostics> {
    let found = profiles(&files).await;
    if !found.iter().any(|name| name == profile) {
        let absent = no_such_profile(profile, &found).attribute(AttrPath::attr("profile"));
        return Err(absent.into());
    }
    let mut around = ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(sdk.region().cloned());
    if let Some(http) = sdk.http_client() {
        around = around.with_http_client(http);
    }
    let provider =
        ProfileFileCredentialsProvider::builder().configure(&around).profile_name(profile).profile_files(files).build();
    Ok(sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build())
}

/// The names of the profiles in the shared configuration files; none when they cannot be read.
async fn profiles(files: &EnvConfigFiles) -> Vec<String> {
    let source = env_config::source::load(&Env::real(), &Fs::real(), files).await.ok();
    let sections = source.and_then(|source| EnvConfigSections::parse(source).ok());
    sections.iter().flat_map(EnvConfigSections::profiles).map(str::to_owned).collect()
}

fn no_such_profile(profile: &str, found: &[String]) -> Diagnostic {
    let mut found = found.to_vec();
    found.sort();
    let there = if found.is_empty() { "there are none".to_owned() } else { format!("there are: {}", found.join(", ")) };
    Diagnostic::error(
        "No such AWS profile",
        format!(
            "The profile {profile:?} is not in the shared configuration files (~/.aws/config and ~/.aws/credentials, or what \
             AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE and the provider name); {there}."
        ),
    )
}

fn home(path: &str) -> String {
    match (path.strip_prefix("~/"), env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => path.to_owned(),
    }
}

fn half_a_pair(given: &str, missing: &str) -> Diagnostics {
    Diagnostic::error(
        "Incomplete AWS credentials",
        format!("`{given}` is set and `{missing}` is not. Set both or none."),
    )
    .attribute(AttrPath::attr(given))
    .into()
}

fn no_region() -> Diagnostics {
    let detail = "Looked for: `region` of the provider, AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile, and EC2 instance \
                  metadata. Set one of them, for instance `region = \"eu-central-1\"` in the provider block.";
    Diagnostic::error("No AWS region", detail).attribute(AttrPath::attr("region")).into()
}

/// The same with credentials that are remembered, after all roles of the block were assumed. Fails without credentials.
async fn with_roles(sdk: SdkConfig, config: &Value, endpoints: &Endpoints) -> Result<SdkConfig, Diagnostics> {
    let wrong = |argument: &str, what: String| {
        Diagnostics::from(
            Diagnostic::error("Invalid provider configuration", format!("{argument}: {what}."))
                .attribute(AttrPath::attr(argument)),
        )
    };
    let sts = |sdk: &SdkConfig| {
        let mut builder = aws_sdk_sts::config::Builder::from(sdk).interceptor(Reconnects);
        if let Some(url) = &endpoints.sts {
            builder = builder.endpoint_url(url);
        }
        if let Some(region) = values::text(config, "sts_region") {
            builder = builder.region(Region::new(region));
        }
        aws_sdk_sts::Client::from_conf(builder.build())
    };
    let mut sdk = sdk;
    if let Some(block) = values::block(config, "assume_role_with_web_identity") {
        let role = WebIdentity::new(sts(&sdk), block).map_err(|e| wrong("assume_role_with_web_identity", e))?;
        if let Some(role) = role {
            sdk = remembering(&sdk, SharedCredentialsProvider::new(role));
        }
    }
    for block in values::blocks(config, "assume_role") {
        if let Some(role) = AssumedRole::new(sts(&sdk), block).map_err(|e| wrong("assume_role", e))? {
            sdk = remembering(&sdk, SharedCredentialsProvider::new(role));
        }
    }
    let Some(provider) = sdk.credentials_provider() else {
        return Err(no_credentials("no provider of credentials").await);
    };
    let sdk = remembering(&sdk, provider);
    let provider = sdk.credentials_provider().expect("set by `remembering`");
    match provider.provide_credentials().await {
        Ok(_) => Ok(sdk),
        Err(error) => match find_source::<NotAssumed>(&error) {
            Some(refused) => Err(not_assumed(refused).into()),
            None => Err(no_credentials(&causes(&error)).await),
        },
    }
}

fn not_assumed(refused: &NotAssumed) -> Diagnostic {
    let said = Diagnostic::from(refused.error.clone()).detail;
    let hint = "The role's trust policy must let these credentials in (with the external id, where it asks for one), and they must be \
                allowed the action themselves.";
    Diagnostic::error("Role cannot be assumed", format!("{}: {said}\n\n{hint}", refused.role_arn))
        .attribute(AttrPath::attr("assume_role"))
}

fn remembering(sdk: &SdkConfig, provider: SharedCredentialsProvider) -> SdkConfig {
    let provider = SharedCredentialsProvider::new(Remembered::new(provider));
    sdk.clone().into_builder().credentials_provider(provider).build()
}

async fn no_credentials(said: &str) -> Diagnostics {
    if let Some(profile) = env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()) {
        let found = profiles(&EnvConfigFiles::default()).await;
        if !found.contains(&profile) {
            return no_such_profile(&profile, &found).into();
        }
    }
    // Each place that has nothing says so in a phrase of the SDK that helps nobody.
    let said = said.replace("the credential provider was not enabled: ", "");
    let said = said.replace("the credential provider was not enabled", "nothing there");
    Diagnostic::error("No AWS credentials", format!("{said}\n\n{CREDENTIALS_HINT}")).into()
}

/// URLs of the `endpoints` block.
#[derive(Default)]
struct Endpoints {
    ec2: Option<String>,
    eks: Option<String>,
    iam: Option<String>,
    sts: Option<String>,
}

impl Endpoints {
    fn read(config: &Value) -> Self {
        let of =
            |service| values::blocks(config, "endpoints").into_iter().find_map(|block| values::text(block, service));
        Self { ec2: of("ec2"), eks: of("eks"), iam: of("iam"), sts: of("sts") }
    }
}

fn ignore_tags(config: &Value) -> IgnoreTags {
    let Some(block) = values::block(config, "ignore_tags") else { return IgnoreTags::default() };
    IgnoreTags {
        keys: values::strs(block, "keys").into_iter().collect(),
        prefixes: values::strs(block, "key_prefixes"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config(fields: &[(&'static str, Value)]) -> Value {
        fields.iter().fold(crate::provider_config::schema().block.empty(), |object, (name, value)| {
            object.with_attr(name, value.clone())
        })
    }

    /// A client that has a region and credentials and calls nobody.
    pub(crate) async fn offline(more: &[(&'static str, Value)]) -> AwsClient {
        let mut fields =
            vec![("region", "eu-central-1".into()), ("access_key", "AKID".into()), ("secret_key", "secret".into())];
        fields.extend_from_slice(more);
        AwsClient::configure(&config(&fields)).await.unwrap()
    }

    #[tokio::test]
    async fn a_block_becomes_a_client() {
        let client = offline(&[(
            "default_tags",
            Value::list(
                sgp_model::Type::Dynamic,
                vec![Value::object([("tags", values::string_map([("env", "prod")]))])],
            ),
        )])
        .await;
        assert_eq!(client.region, "eu-central-1");
        assert_eq!(client.default_tags, [("env".to_owned(), "prod".to_owned())].into());
        let credentials = client.sdk.credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!(credentials.access_key_id(), "AKID");
    }

    #[tokio::test]
    async fn half_a_key_pair_is_refused() {
        let error = AwsClient::configure(&config(&[("region", "eu-west-1".into()), ("access_key", "A".into())]))
            .await
            .unwrap_err();
        assert_eq!(error.0[0].detail, "`access_key` is set and `secret_key` is not. Set both or none.");
    }

    #[tokio::test]
    async fn a_named_profile_is_the_one_that_counts() {
        let file = env::temp_dir().join(format!("sgp-profiles-{}", std::process::id()));
        std::fs::write(&file, "[prod]\naws_access_key_id = AKIAPROD\naws_secret_access_key = s\n").unwrap();
        let with = |profile: &str| {
            config(&[
                ("region", "eu-west-1".into()),
                ("profile", profile.into()),
                ("shared_config_files", Value::strings([file.to_str().unwrap()])),
                ("shared_credentials_files", Value::strings([file.to_str().unwrap()])),
            ])
        };
        let client = AwsClient::configure(&with("prod")).await.unwrap();
        let credentials = client.sdk.credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!(credentials.access_key_id(), "AKIAPROD");
        let error = AwsClient::configure(&with("test")).await.unwrap_err();
        assert_eq!(error.0[0].summary, "No such AWS profile");
        assert!(error.0[0].detail.ends_with("there are: prod."), "{}", error.0[0].detail);
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_role_that_is_refused_is_named() {
        let error = crate::errors::tests::service_error("sts:AssumeRole", "AccessDenied");
        let said = not_assumed(&NotAssumed { role_arn: "arn:aws:iam::1:role/x".into(), error });
        assert_eq!(said.summary, "Role cannot be assumed");
        assert!(said.detail.starts_with("arn:aws:iam::1:role/x: AccessDenied: said so"), "{}", said.detail);
    }

    #[tokio::test]
    async fn a_retry_mode_has_two_values() {
        let bad = config(&[
            ("region", "eu-west-1".into()),
            ("access_key", "A".into()),
            ("secret_key", "B".into()),
            ("retry_mode", "fast".into()),
        ]);
        let error = AwsClient::configure(&bad).await.unwrap_err();
        assert_eq!(error.0[0].summary, "Invalid retry mode");
    }
}
