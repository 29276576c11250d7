//! What the Kubernetes side needs from EKS, so that `providers/kubernetes` does not know the AWS SDK.

use async_trait::async_trait;
use sgp_model::Diagnostic;

/// How to reach a cluster.
#[derive(Clone, Debug)]
pub struct ClusterAccess {
    /// The cluster's name.
    pub name: String,
    /// `https://...`.
    pub endpoint: String,
    /// PEM, as `DescribeCluster` answers it after base64 decoding.
    pub ca_pem: Vec<u8>,
    /// `CREATING`, `ACTIVE`, ...
    pub status: String,
    /// The Kubernetes version: `1.36`.
    pub version: String,
    /// The VPC.
    pub vpc_id: String,
}

/// A bearer token.
#[derive(Clone, Debug)]
pub struct BearerToken {
    /// `k8s-aws-v1.` and a presigned `GetCallerIdentity` URL.
    pub token: String,
    /// Seconds since the epoch; EKS takes such a token for 15 minutes at most.
    pub expires_at: i64,
}

/// A managed add-on as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Addon {
    /// Its ARN.
    pub arn: String,
    /// `v1.23.1-eksbuild.1`.
    pub version: String,
    /// `ACTIVE`, `UPDATING`, `DEGRADED` ...
    pub status: String,
    /// The configuration values, JSON or YAML; empty for none.
    pub configuration_values: String,
    /// The IRSA role.
    pub service_account_role_arn: Option<String>,
    /// What EKS says is wrong with it, a sentence each.
    pub issues: Vec<String>,
    /// When it was created, in seconds since the epoch.
    pub created_at: Option<i64>,
}

/// A wanted state of a managed add-on.
#[derive(Clone, Debug, Default)]
pub struct AddonChange {
    /// A version, or `None` to keep what runs (on creation: the default for the cluster's version).
    pub version: Option<String>,
    /// The whole of the configuration values, JSON.
    pub configuration_values: String,
    /// The IRSA role; `None` keeps what is set, an empty text takes it away.
    pub service_account_role_arn: Option<String>,
    /// Idempotency token.
    pub token: String,
}

/// EKS as the Kubernetes provider sees it; implemented by the AWS provider.
///
/// A cluster is named by its name, which is looked for with the default (unaliased) configuration first and then with the
/// others, or by its ARN, which says region and account.
#[async_trait]
pub trait Eks: Send + Sync {
    /// `DescribeCluster`; `None` when there is no such cluster. An answer may be remembered, see [`Self::forget`].
    async fn cluster(&self, name: &str) -> Result<Option<ClusterAccess>, Diagnostic>;

    /// The cluster does not answer where it was: asks EKS anew next time, because it may have been replaced under its name.
    fn forget(&self, _cluster: &str) {}

    /// Presigns a token for the cluster. No call.
    async fn token(&self, cluster: &str) -> Result<BearerToken, Diagnostic>;

    /// `DescribeAddon`; `None` when the cluster or the add-on is not there.
    async fn addon(&self, cluster: &str, name: &str) -> Result<Option<Addon>, Diagnostic>;

    /// `CreateAddon` or `UpdateAddon` (with `resolveConflicts=OVERWRITE`), whichever fits; returns without waiting.
    async fn put_addon(&self, cluster: &str, name: &str, change: AddonChange) -> Result<Addon, Diagnostic>;

    /// `DeleteAddon`; success when it is not there. With `preserve` what it installed stays in the cluster, for the cluster's
    /// own keeping.
    async fn delete_addon(&self, cluster: &str, name: &str, preserve: bool) -> Result<(), Diagnostic>;

    /// Ids of the security groups of these names in a cluster's VPC, in the order of the names; a name that no group or
    /// several groups have is an error.
    async fn security_group_ids(
        &self,
        cluster: &str,
        vpc_id: &str,
        names: &[String],
    ) -> Result<Vec<String>, Diagnostic>;
}
