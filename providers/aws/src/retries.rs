//! How calls are sent and repeated: one HTTP client for all services, and for each service endpoint its own limiter.

use std::{env, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_ec2::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime_api::client::{
    http::SharedHttpClient, runtime_components::RuntimeComponentsBuilder, runtime_plugin::RuntimePlugin,
};
use sgp_model::{AttrPath, Diagnostic, Diagnostics, Value};

use crate::{limiter::Limiter, reconnect::Reconnects, values};

/// As in Terraform's provider.
const MAX_RETRIES: u32 = 25;
const MAX_BACKOFF: Duration = Duration::from_secs(20);

/// How calls are repeated, out of a provider block. The SDK's quota of retries is lifted: it would end a large apply at the first
/// rough patch.
pub struct Retries {
    config: RetryConfig,
    capacity: Option<usize>,
    adaptive: bool,
}

macro_rules! service {
    ($name:ident, $sdk:ident) => {
        /// A client of this service.
        pub fn $name(&self, sdk: &SdkConfig, endpoint: Option<&str>, region: Option<String>) -> $sdk::Client {
            let limiter = Limiter::default();
            let mut builder = $sdk::config::Builder::from(sdk)
                .retry_config(self.config.clone())
                .retry_partition(self.partition(stringify!($name)))
                .interceptor(Reconnects);
            if self.adaptive {
                if let Some(http) = sdk.http_client() {
                    builder = builder.http_client(limiter.http_client(http));
                }
                builder = builder.interceptor(limiter);
            }
            if let Some(url) = endpoint {
                builder = builder.endpoint_url(url);
            }
            if let Some(region) = region {
                builder = builder.region(Region::new(region));
            }
            $sdk::Client::from_conf(builder.build())
        }
    };
}

impl Retries {
    /// Reads `retry_mode`, `max_retries` and the capacity, and their environment variables.
    ///
    /// # Errors
    /// A mode that is neither `adaptive` nor `standard`.
    pub fn read(config: &Value) -> Result<Self, Diagnostics> {
        let mode = values::text(config, "retry_mode").or_else(|| env::var("AWS_RETRY_MODE").ok());
        let adaptive = match mode.as_deref() {
            None | Some("adaptive") => true,
            Some("standard" | "legacy") => false,
            Some(other) => {
                let detail = format!("retry_mode is {other:?}; it can be \"adaptive\" or \"standard\".");
                let wrong = Diagnostic::error("Invalid retry mode", detail);
                return Err(wrong.attribute(AttrPath::attr("retry_mode")).into());
            }
        };
        let attempts = values::i64_opt(config, "max_retries")
            .and_then(|n| u32::try_from(n).ok())
            .map(|n| n.saturating_add(1))
            .or_else(|| env::var("AWS_MAX_ATTEMPTS").ok()?.parse().ok())
            .unwrap_or(MAX_RETRIES + 1);
        let capacity = values::i64_opt(config, "token_bucket_rate_limiter_capacity");
        Ok(Self {
            config: RetryConfig::standard().with_max_attempts(attempts.max(1)).with_max_backoff(MAX_BACKOFF),
            capacity: capacity.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
            adaptive,
        })
    }

    fn partition(&self, service: &'static str) -> RetryPartition {
        let bucket = self.capacity.map_or_else(TokenBucket::unlimited, TokenBucket::new);
        RetryPartition::custom(service).token_bucket(bucket).build()
    }

    service!(ec2, aws_sdk_ec2);
    service!(eks, aws_sdk_eks);
    service!(iam, aws_sdk_iam);
    service!(sts, aws_sdk_sts);
}

/// The SDK's default HTTP client, made once so that certificates are loaded and connections kept once.
pub fn http_client() -> Option<SharedHttpClient> {
    let plugin = default_http_client_plugin_v2(BehaviorVersion::latest())?;
    let components = plugin.runtime_components(&RuntimeComponentsBuilder::new("sgp")).into_owned();
    components.http_client()
}
