//! EKS as the Kubernetes provider sees it: cluster endpoints, bearer tokens and managed add-ons.
//!
//! A token is a presigned URL of STS GetCallerIdentity with the cluster's name in a signed header; EKS sends the request to
//! STS to learn who calls (aws-iam-authenticator). It is made here, without `aws eks get-token`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_ec2::types::Filter;
use aws_sdk_eks::types::{Cluster, ResolveConflicts};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use base64::{Engine, engine::general_purpose};
use sgp_contract::{
    Client,
    eks::{Addon, AddonChange, BearerToken, ClusterAccess, Eks},
};
use sgp_model::Diagnostic;
use tokio::sync::OnceCell;

use crate::{
    client::AwsClient,
    eks::{addon, cluster, is_busy, is_gone, is_role_lagging},
    errors::{ApiError, Call, causes},
    provider_config,
};

/// How long the presigned URL is good for STS, in seconds. EKS takes the token for longer, see [`TOKEN_SECS`].
const URL_SECS: u64 = 60;

/// How long EKS takes a token, in seconds, less a minute for the way and for clocks.
const TOKEN_SECS: i64 = 14 * 60;

/// EKS through the default (unaliased) AWS client, and for clusters that it does not know through the others.
#[derive(Default)]
pub struct AwsEks {
    /// The client of the unaliased `provider "aws"` block, once it was configured.
    configured: Mutex<Option<Arc<dyn Client>>>,
    /// The clients of the other blocks, by their addresses.
    others: Mutex<BTreeMap<String, Arc<dyn Client>>>,
    /// The client that the environment gives when there is no such block.
    of_environment: OnceCell<Arc<dyn Client>>,
    /// Clusters that were ACTIVE: their endpoint and certificate do not change.
    known: Mutex<HashMap<String, ClusterAccess>>,
    /// Clusters that another client than the default one knows.
    elsewhere: Mutex<HashMap<String, Arc<dyn Client>>>,
}

impl AwsEks {
    /// Remembers the client of the unaliased provider block, in place of an earlier one.
    pub fn use_client(&self, client: Arc<dyn Client>) {
        *self.configured.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        self.forget_all();
    }

    /// Remembers the client of another provider block: an aliased one.
    pub fn use_also(&self, block: &str, client: Arc<dyn Client>) {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).insert(block.to_owned(), client);
        self.forget_all();
    }

    /// With another client a name may stand for another cluster.
    fn forget_all(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a client was remembered.
    pub fn has_client(&self) -> bool {
        self.configured.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn others(&self) -> Vec<(String, Arc<dyn Client>)> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.iter().map(|(block, client)| (block.clone(), client.clone())).collect()
    }

    /// The cluster with the client that knows it: the default one, else the only one of the others.
    async fn find(&self, cluster: &Named<'_>) -> Result<Option<(Arc<dyn Client>, Cluster)>, Diagnostic> {
        let others: Vec<_> =
            self.others().into_iter().filter(|(_, c)| cluster.may_be_in(&AwsClient::of(&**c).region)).collect();
        // Where every block has an alias, what the environment gives may be nothing or something else: it comes last.
        let default_first = self.has_client() || others.is_empty();
        let default = if default_first { Some(self.client().await?) } else { None };
        if let Some(client) = default.filter(|c| cluster.may_be_in(&AwsClient::of(&**c).region))
            && let Some(found) = cluster::describe(AwsClient::of(&*client), cluster.name).await?
            && cluster.is(&found)
        {
            return Ok(Some((client, found)));
        }
        let mut found = Vec::new();
        for (block, client) in others {
            match cluster::describe(AwsClient::of(&*client), cluster.name).await? {
                Some(there) if cluster.is(&there) => found.push((block, client, there)),
                Some(_) | None => {}
            }
        }
        let found = the_one(cluster.name, found)?;
        if found.is_some() || default_first {
            return Ok(found);
        }
        let Ok(client) = self.client().await else { return Ok(None) };
        let there = cluster::describe(AwsClient::of(&*client), cluster.name).await?;
        Ok(there.filter(|there| cluster.is(there)).map(|there| (client, there)))
    }

    /// The client for what belongs to a cluster, and the cluster's bare name.
    async fn client_for<'a>(&self, cluster: &'a str) -> Result<(Arc<dyn Client>, &'a str), Diagnostic> {
        let named = Named::parse(cluster);
        let held = |eks: &Self| eks.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).cloned();
        if let Some(client) = held(self) {
            return Ok((client, named.name));
        }
        if !self.others().is_empty() && !self.is_known(cluster) {
            self.cluster(cluster).await?;
        }
        match held(self) {
            Some(client) => Ok((client, named.name)),
            None => Ok((self.client().await?, named.name)),
        }
    }

    fn is_known(&self, cluster: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains_key(cluster)
    }

    async fn client(&self) -> Result<Arc<dyn Client>, Diagnostic> {
        let configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(client) = configured {
            return Ok(client);
        }
        let made = self.of_environment.get_or_try_init(|| async {
            let client = AwsClient::configure(&provider_config::schema().block.empty()).await;
            client.map(|client| Arc::new(client) as Arc<dyn Client>)
        });
        made.await.cloned().map_err(|problems| {
            problems
                .into_iter()
                .next()
                .unwrap_or_else(|| Diagnostic::error("No AWS client", "AWS could not be configured."))
        })
    }
}

#[async_trait]
impl Eks for AwsEks {
    async fn cluster(&self, name: &str) -> Result<Option<ClusterAccess>, Diagnostic> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(name) {
            return Ok(Some(known.clone()));
        }
        let named = Named::parse(name);
        let Some((client, found)) = self.find(&named).await? else { return Ok(None) };
        let is_default = self
            .configured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|c| Arc::ptr_eq(c, &client));
        if !is_default {
            self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), client);
        }
        let access = access(named.name, &found)?;
        if access.status == "ACTIVE" && !access.endpoint.is_empty() {
            known().insert(name.to_owned(), access.clone());
        }
        Ok(Some(access))
    }

    fn forget(&self, cluster: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
    }

    async fn token(&self, cluster: &str) -> Result<BearerToken, Diagnostic> {
        let (client, cluster) = self.client_for(cluster).await?;
        let client = AwsClient::of(&*client);
        presign(client, cluster, SystemTime::now()).await
    }

    async fn addon(&self, cluster: &str, name: &str) -> Result<Option<Addon>, Diagnostic> {
        let (client, cluster) = self.client_for(cluster).await?;
        Ok(addon::describe(AwsClient::of(&*client), cluster, name).await?.map(|found| addon_of(&found)))
    }

    async fn put_addon(&self, cluster: &str, name: &str, change: AddonChange) -> Result<Addon, Diagnostic> {
        let (client, cluster) = self.client_for(cluster).await?;
        let client = AwsClient::of(&*client);
        if addon::describe(client, cluster, name).await?.is_some() {
            return update_addon(client, cluster, name, change).await;
        }
        let request = client
            .eks
            .create_addon()
            .cluster_name(cluster)
            .addon_name(name)
            .set_addon_version(change.version)
            .configuration_values(change.configuration_values)
            .set_service_account_role_arn(change.service_account_role_arn.filter(|arn| !arn.is_empty()))
            .resolve_conflicts(ResolveConflicts::Overwrite)
            .client_request_token(change.token);
        let answer = in_turn(|| async { request.clone().send().await.call("eks:CreateAddon") }).await?;
        answer
            .addon()
            .map(addon_of)
            .ok_or_else(|| Diagnostic::error("eks:CreateAddon failed", "AWS answered no add-on."))
    }

    async fn delete_addon(&self, cluster: &str, name: &str, preserve: bool) -> Result<(), Diagnostic> {
        let (client, cluster) = self.client_for(cluster).await?;
        let client = AwsClient::of(&*client);
        let request = client.eks.delete_addon().cluster_name(cluster).addon_name(name).preserve(preserve);
        match in_turn(|| async { request.clone().send().await.call("eks:DeleteAddon") }).await {
            Err(error) if !is_gone(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn security_group_ids(
        &self,
        cluster: &str,
        vpc_id: &str,
        names: &[String],
    ) -> Result<Vec<String>, Diagnostic> {
        let (client, _) = self.client_for(cluster).await?;
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // A filter takes 200 values at most.
        for some in names.chunks(200) {
            let request = AwsClient::of(&*client)
                .ec2
                .describe_security_groups()
                .filters(Filter::builder().name("vpc-id").values(vpc_id).build())
                .filters(Filter::builder().name("group-name").set_values(Some(some.to_vec())).build());
            let mut groups = request.into_paginator().items().send();
            while let Some(group) = groups.next().await {
                let group = group.call("ec2:DescribeSecurityGroups")?;
                found.entry(group.group_name.unwrap_or_default()).or_default().extend(group.group_id);
            }
        }
        resolved(vpc_id, names, &found)
    }
}

/// What the blocks found, which must be one cluster.
fn the_one(
    name: &str,
    found: Vec<(String, Arc<dyn Client>, Cluster)>,
) -> Result<Option<(Arc<dyn Client>, Cluster)>, Diagnostic> {
    if found.iter().any(|(_, _, there)| there.arn() != found[0].2.arn()) {
        let blocks: Vec<&str> = found.iter().map(|(block, ..)| block.as_str()).collect();
        let detail = format!(
            "The name {name:?} stands for different clusters in {}. Name the cluster by its ARN.",
            blocks.join(" and ")
        );
        return Err(Diagnostic::error("Several clusters of this name", detail));
    }
    Ok(found.into_iter().next().map(|(_, client, there)| (client, there)))
}

/// A cluster as a configuration names it.
struct Named<'a> {
    /// Its bare name.
    name: &'a str,
    /// Its ARN, where that was given.
    arn: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// Reads `main` or `arn:aws:eks:eu-west-1:123456789012:cluster/main`.
    fn parse(text: &'a str) -> Self {
        match text.rsplit_once(":cluster/").filter(|_| text.starts_with("arn:")) {
            Some((_, name)) => Self { name, arn: Some(text) },
            None => Self { name: text, arn: None },
        }
    }

    fn may_be_in(&self, region: &str) -> bool {
        self.arn.is_none_or(|arn| arn.split(':').nth(3) == Some(region))
    }

    /// Clusters of the same name may be in several accounts.
    fn is(&self, found: &Cluster) -> bool {
        self.arn.is_none_or(|arn| found.arn() == Some(arn))
    }
}

/// One id for each name, in the order of the names.
fn resolved(vpc_id: &str, names: &[String], found: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, Diagnostic> {
    let id = |name: &String| match found.get(name).map(Vec::as_slice).unwrap_or_default() {
        [id] => Ok(id.clone()),
        [] => Err(format!("no security group is named {name:?}")),
        several => Err(format!("{} security groups are named {name:?}: {}", several.len(), several.join(", "))),
    };
    let (ids, wrong): (Vec<_>, Vec<_>) = names.iter().map(id).partition(Result::is_ok);
    if wrong.is_empty() {
        return Ok(ids.into_iter().flatten().collect());
    }
    let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
    let detail =
        format!("In {vpc_id} {}. A name must stand for one group; name groups by id otherwise.", wrong.join(", and "));
    Err(Diagnostic::error("Security group name does not resolve", detail))
}

async fn update_addon(client: &AwsClient, cluster: &str, name: &str, change: AddonChange) -> Result<Addon, Diagnostic> {
    let request = client
        .eks
        .update_addon()
        .cluster_name(cluster)
        .addon_name(name)
        .set_addon_version(change.version)
        .configuration_values(change.configuration_values)
        .set_service_account_role_arn(change.service_account_role_arn)
        .resolve_conflicts(ResolveConflicts::Overwrite)
        .client_request_token(change.token);
    in_turn(|| async { request.clone().send().await.call("eks:UpdateAddon") }).await?;
    let found = addon::describe(client, cluster, name).await?;
    let gone = || {
        Diagnostic::error(
            "EKS add-on is gone",
            format!("The add-on \"{cluster}:{name}\" went away while it was updated."),
        )
    };
    found.map(|found| addon_of(&found)).ok_or_else(gone)
}

/// How often, and after which pause, a change that met another one is tried again: ten minutes.
const TURNS: u32 = 60;
/// The same for a role that EKS does not know yet: a role is visible within two minutes.
const TURNS_OF_ROLES: u32 = 12;
const TURN: Duration = Duration::from_secs(10);

/// A running update is short, and so is the time until a new role can be used; the caller, who waits for the add-on anyhow,
/// need not know of them.
async fn in_turn<T, F: Future<Output = Result<T, ApiError>>>(mut call: impl FnMut() -> F) -> Result<T, ApiError> {
    let mut turns = 0;
    loop {
        match call().await {
            Err(error) if (is_busy(&error) && turns < TURNS) || (is_role_lagging(&error) && turns < TURNS_OF_ROLES) => {
                turns += 1;
                tokio::time::sleep(TURN).await;
            }
            answer => return answer,
        }
    }
}

fn addon_of(found: &aws_sdk_eks::types::Addon) -> Addon {
    Addon {
        arn: found.addon_arn().unwrap_or_default().to_owned(),
        version: found.addon_version().unwrap_or_default().to_owned(),
        status: found.status().map_or("", |s| s.as_str()).to_owned(),
        configuration_values: found.configuration_values().unwrap_or_default().to_owned(),
        service_account_role_arn: found.service_account_role_arn().filter(|arn| !arn.is_empty()).map(str::to_owned),
        issues: addon::issues(found).map(|issue| issue.to_string()).collect(),
        created_at: found.created_at().map(aws_smithy_types::DateTime::secs),
    }
}

fn access(name: &str, found: &Cluster) -> Result<ClusterAccess, Diagnostic> {
    let data = found.certificate_authority().and_then(|c| c.data()).unwrap_or_default();
    let ca_pem = general_purpose::STANDARD.decode(data).map_err(|error| {
        let detail = format!("The certificate authority of cluster {name:?} is not base64: {error}.");
        Diagnostic::error("Cluster certificate cannot be read", detail)
    })?;
    Ok(ClusterAccess {
        name: name.to_owned(),
        endpoint: found.endpoint().unwrap_or_default().to_owned(),
        ca_pem,
        status: found.status().map_or("", |s| s.as_str()).to_owned(),
        version: found.version().unwrap_or_default().to_owned(),
        vpc_id: found.resources_vpc_config().and_then(|v| v.vpc_id()).unwrap_or_default().to_owned(),
    })
}

/// Presigns GetCallerIdentity for the cluster. Calls nobody, unless credentials must be renewed.
pub(crate) async fn presign(client: &AwsClient, cluster: &str, now: SystemTime) -> Result<BearerToken, Diagnostic> {
    let cannot = |what: &str, said: String| {
        Diagnostic::error(
            "Cluster token cannot be made",
            format!("The token for cluster {cluster:?} needs {what}: {said}."),
        )
    };
    let provider = client.sdk.credentials_provider().ok_or_else(|| cannot("credentials", "there are none".into()))?;
    let credentials = provider.provide_credentials().await.map_err(|e| cannot("credentials", causes(&e)))?;
    let ends = credentials.expiry().and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok());
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(URL_SECS));
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&client.region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|e| cannot("signing parameters", e.to_string()))?;
    let url = format!("{}/?Action=GetCallerIdentity&Version=2011-06-15", sts_endpoint(client).trim_end_matches('/'));
    let headers = [("x-k8s-aws-id", cluster)];
    let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(&[]))
        .map_err(|e| cannot("a request", e.to_string()))?;
    let (instructions, _) =
        sign(request, &params.into()).map_err(|e| cannot("a signature", e.to_string()))?.into_parts();
    let mut url = url::Url::parse(&url).map_err(|e| cannot("an STS endpoint", e.to_string()))?;
    // The signer encodes by RFC 3986; `Url` would write a space as `+`, so the pairs are joined by hand.
    let pairs = instructions.params().iter().map(|(k, v)| format!("{k}={}", encoded(v))).collect::<Vec<_>>().join("&");
    let query = format!("{}&{pairs}", url.query().unwrap_or_default());
    url.set_query(Some(&query));
    let token = format!("k8s-aws-v1.{}", general_purpose::URL_SAFE_NO_PAD.encode(url.as_str()));
    let seconds = |since: Duration| i64::try_from(since.as_secs()).unwrap_or(i64::MAX - TOKEN_SECS);
    let lasts = seconds(now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()) + TOKEN_SECS;
    // STS knows the signature no longer than the credentials behind it.
    Ok(BearerToken { token, expires_at: ends.map_or(lasts, |ends| lasts.min(seconds(ends))) })
}

/// A query value by RFC 3986: everything but unreserved characters is escaped.
fn encoded(value: &str) -> String {
    const RESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(value, RESERVED).to_string()
}

/// The STS endpoint that the token names: the provider's, AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL where that is an endpoint of
/// AWS (FIPS, another region), else the region's. The cluster makes the call, not this process, and EKS refuses every other host:
/// an emulator or a proxy that is configured here is not where the cluster finds STS.
fn sts_endpoint(client: &AwsClient) -> String {
    let ignored = std::env::var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_ok_and(|v| v.eq_ignore_ascii_case("true"));
    let configured = || client.sdk.endpoint_url().map(str::to_owned);
    let of_environment = |name| std::env::var(name).ok().filter(|url| !url.is_empty() && !ignored);
    let dns_suffix = client.partition().dns_suffix;
    client
        .sts_endpoint
        .clone()
        .or_else(|| of_environment("AWS_ENDPOINT_URL_STS"))
        .or_else(|| of_environment("AWS_ENDPOINT_URL"))
        .or_else(configured)
        .filter(|endpoint| is_sts(endpoint, dns_suffix))
        .unwrap_or_else(|| format!("https://sts.{}.{dns_suffix}", client.region))
}

/// Whether EKS takes a token that names this endpoint.
fn is_sts(endpoint: &str, dns_suffix: &str) -> bool {
    let Ok(url) = url::Url::parse(endpoint) else { return false };
    let Some(before) = url.host_str().and_then(|host| host.strip_suffix(dns_suffix)) else { return false };
    url.scheme() == "https" && (before.starts_with("sts.") || before.starts_with("sts-fips."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_eks::types::{Certificate, ClusterStatus};
    use sgp_model::Value;

    use super::*;

    fn endpoints(url: &str) -> (&'static str, Value) {
        let block = &provider_config::schema().block.blocks["endpoints"].block;
        ("endpoints", Value::set(block.ty(), [block.empty().with_attr("sts", url.into())]))
    }

    fn decoded(token: &BearerToken) -> url::Url {
        let bytes = general_purpose::URL_SAFE_NO_PAD.decode(token.token.strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
        url::Url::parse(std::str::from_utf8(&bytes).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_token_is_a_presigned_url_for_the_cluster() {
        let client = crate::client::tests::offline(&[endpoints("https://sts-fips.us-east-1.amazonaws.com")]).await;
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_788_000_000);
        let token = presign(&client, "demo", now).await.unwrap();
        let url = decoded(&token);
        assert_eq!((url.host_str(), url.path()), (Some("sts-fips.us-east-1.amazonaws.com"), "/"));
        let query: BTreeMap<_, _> = url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        assert_eq!(query["Action"], "GetCallerIdentity");
        assert_eq!(query["Version"], "2011-06-15");
        assert_eq!(query["X-Amz-Expires"], "60");
        assert_eq!(query["X-Amz-Date"], "20260829T104000Z");
        assert_eq!(query["X-Amz-SignedHeaders"], "host;x-k8s-aws-id");
        assert_eq!(query["X-Amz-Credential"], "AKID/20260829/eu-central-1/sts/aws4_request");
        assert_eq!(query["X-Amz-Signature"].len(), 64);
        assert_eq!(token.expires_at, 1_788_000_000 + 14 * 60);
        let other = decoded(&presign(&client, "other", now).await.unwrap());
        assert_ne!(url.query(), other.query(), "the cluster's name is signed");
    }

    #[test]
    fn names_stand_for_one_group_each() {
        let found = BTreeMap::from([
            ("a".to_owned(), vec!["sg-1".to_owned()]),
            ("b".to_owned(), vec!["sg-2".to_owned()]),
            ("c".to_owned(), vec!["sg-3".to_owned(), "sg-4".to_owned()]),
        ]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(resolved("vpc-1", &names(&["b", "a"]), &found).unwrap(), ["sg-2", "sg-1"]);
        assert_eq!(
            resolved("vpc-1", &names(&["a", "c", "d"]), &found).unwrap_err().detail,
            "In vpc-1 2 security groups are named \"c\": sg-3, sg-4, and no security group is named \"d\". A name must stand \
             for one group; name groups by id otherwise."
        );
    }

    #[test]
    fn a_cluster_tells_how_to_reach_it() {
        let data = general_purpose::STANDARD.encode("-----BEGIN CERTIFICATE-----");
        let found = Cluster::builder()
            .endpoint("https://x")
            .status(ClusterStatus::Creating)
            .certificate_authority(Certificate::builder().data(data).build())
            .build();
        let reached = access("a", &found).unwrap();
        assert_eq!((reached.endpoint.as_str(), reached.status.as_str()), ("https://x", "CREATING"));
        assert_eq!(reached.ca_pem, b"-----BEGIN CERTIFICATE-----");
        let bad = Cluster::builder().certificate_authority(Certificate::builder().data("%").build()).build();
        assert_eq!(access("a", &bad).unwrap_err().summary, "Cluster certificate cannot be read");
    }

    #[test]
    fn clusters_are_named_by_name_or_by_arn() {
        let arn = "arn:aws-cn:eks:cn-north-1:123456789012:cluster/main";
        for (text, name, region, may_be) in
            [("main", "main", "eu-west-1", true), (arn, "main", "cn-north-1", true), (arn, "main", "eu-west-1", false)]
        {
            let named = Named::parse(text);
            assert_eq!((named.name, named.may_be_in(region)), (name, may_be), "{text}");
        }
        let of = |arn: &str| Cluster::builder().arn(arn).build();
        assert!(Named::parse(arn).is(&of(arn)) && Named::parse("main").is(&of("arn:of:another")));
        assert!(!Named::parse(arn).is(&of("arn:aws-cn:eks:cn-north-1:210987654321:cluster/main")));
    }

    #[tokio::test]
    async fn a_name_that_stands_for_two_clusters_is_refused() {
        let client: Arc<dyn Client> = Arc::new(crate::client::tests::offline(&[]).await);
        let found = |arns: &[(&str, &str)]| {
            let one = |(block, arn): &(&str, &str)| {
                ((*block).to_owned(), client.clone(), Cluster::builder().arn(*arn).build())
            };
            the_one("main", arns.iter().map(one).collect())
        };
        assert!(found(&[]).unwrap().is_none());
        assert!(found(&[("aws.west", "a"), ("aws.again", "a")]).unwrap().is_some());
        assert_eq!(
            found(&[("aws.west", "a"), ("aws.east", "b")]).err().unwrap().detail,
            "The name \"main\" stands for different clusters in aws.west and aws.east. Name the cluster by its ARN."
        );
    }

    #[tokio::test]
    async fn the_configured_client_counts() {
        let access = AwsEks::default();
        assert!(!access.has_client());
        access.use_client(Arc::new(
            crate::client::tests::offline(&[endpoints("https://sts.eu-west-1.amazonaws.com")]).await,
        ));
        assert!(access.has_client());
        let token = access.token("demo").await.unwrap();
        assert_eq!(decoded(&token).host_str(), Some("sts.eu-west-1.amazonaws.com"));
    }

    #[tokio::test]
    async fn a_token_names_an_endpoint_that_eks_asks() {
        for endpoint in ["http://127.0.0.1:5000", "https://sts.example.com", "http://sts.us-east-1.amazonaws.com"] {
            let client = crate::client::tests::offline(&[endpoints(endpoint)]).await;
            let token = presign(&client, "demo", SystemTime::UNIX_EPOCH).await.unwrap();
            assert_eq!(decoded(&token).host_str(), Some("sts.eu-central-1.amazonaws.com"), "{endpoint}");
        }
    }
}
