//! What EKS keeps of each kind of thing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ec2::tags::Tags;

/// Where something is between its creation and its end; written as AWS does, `CREATE_FAILED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It is being made.
    Creating,
    /// It works.
    Active,
    /// An update runs.
    Updating,
    /// It is being removed.
    Deleting,
    /// A cluster that could not be made.
    Failed,
    /// It could not be made.
    CreateFailed,
    /// It could not be removed.
    DeleteFailed,
    /// An update of it failed.
    UpdateFailed,
    /// It works in part.
    Degraded,
}

/// A cluster. Its endpoint and authority are [`crate::kubernetes::cluster::Cluster`]'s.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent settings of the API")]
pub struct Cluster {
    /// Its name, unique in the region.
    pub name: String,
    /// `arn:aws:eks:REGION:ACCOUNT:cluster/NAME`.
    pub arn: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// `1.36`.
    pub version: String,
    /// `eks.4`.
    pub platform_version: String,
    /// The role that the control plane assumes.
    pub role_arn: String,
    /// Where it is.
    pub network: Network,
    /// The Services' addresses in an IPv4 cluster.
    pub service_ipv4_cidr: Option<String>,
    /// The Services' addresses in an IPv6 cluster.
    pub service_ipv6_cidr: Option<String>,
    /// The log types that are on.
    pub log_types: BTreeSet<String>,
    /// `https://oidc.eks.REGION.amazonaws.com/id/...`.
    pub issuer: String,
    /// `CREATING`, `ACTIVE`, `UPDATING` or `DELETING`.
    pub status: Status,
    /// Where it looks up who calls.
    pub authentication_mode: AuthenticationMode,
    /// Whether its creator was made its administrator.
    pub creator_is_admin: bool,
    /// The IAM principal that made it: a user's or a role's ARN, not a session's.
    pub creator_arn: String,
    /// The token of the call that made it.
    pub client_request_token: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The key that secrets are encrypted with.
    pub encryption_key: Option<String>,
    /// `STANDARD` or `EXTENDED`.
    pub support_type: String,
    /// Whether zonal shift is on.
    pub zonal_shift: bool,
    /// Whether its deletion is refused.
    pub deletion_protection: bool,
    /// EKS Auto Mode; `None` when it was never spoken of.
    pub auto_mode: Option<AutoMode>,
    /// `remoteNetworkConfig` as it was sent.
    pub remote_networks: Option<Value>,
    /// `standard`, `tier-xl`, ...
    pub scaling_tier: String,
    /// Whether EKS installs VPC CNI, CoreDNS and kube-proxy without an add-on.
    pub has_self_managed_addons: bool,
    /// The control plane's interfaces, "Amazon EKS NAME".
    pub interfaces: Vec<String>,
}

/// The network part of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The VPC of its subnets.
    pub vpc_id: String,
    /// The subnets of the control plane's interfaces.
    pub subnet_ids: Vec<String>,
    /// The groups besides the cluster security group.
    pub security_group_ids: Vec<String>,
    /// The group that EKS made.
    pub cluster_security_group_id: String,
    /// Whether the endpoint is reachable from the internet.
    pub endpoint_public_access: bool,
    /// Whether the endpoint is reachable inside the VPC.
    pub endpoint_private_access: bool,
    /// From where the public endpoint is reachable.
    pub public_access_cidrs: Vec<String>,
}

/// EKS Auto Mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoMode {
    /// Whether it is on.
    pub enabled: bool,
    /// `general-purpose`, `system`.
    pub node_pools: Vec<String>,
    /// The role of its nodes.
    pub node_role_arn: Option<String>,
}

/// Where a cluster looks up who calls. It only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthenticationMode {
    /// In `kube-system/aws-auth` only.
    ConfigMap,
    /// In access entries, then in `aws-auth`.
    ApiAndConfigMap,
    /// In access entries only.
    Api,
}

/// A managed node group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nodegroup {
    /// The cluster's name.
    pub cluster: String,
    /// Its own name.
    pub name: String,
    /// `arn:aws:eks:REGION:ACCOUNT:nodegroup/CLUSTER/NAME/UUID`.
    pub arn: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// Where it is.
    pub status: Status,
    /// `1.36`.
    pub version: String,
    /// `1.36.2-20261105`; the image id with an image of the launch template's.
    pub release_version: String,
    /// `ON_DEMAND`, `SPOT`, `CAPACITY_BLOCK`.
    pub capacity_type: String,
    /// Fewest, most and wanted nodes.
    pub scaling: Scaling,
    /// The types asked for; empty when the launch template says it.
    pub instance_types: Vec<String>,
    /// Where its nodes are, in turn.
    pub subnets: Vec<String>,
    /// `AL2023_x86_64_STANDARD`, `CUSTOM`, ...
    pub ami_type: String,
    /// The role of its nodes.
    pub node_role: String,
    /// Labels of its nodes.
    pub labels: BTreeMap<String, String>,
    /// Taints of its nodes, in EKS's words (`NO_SCHEDULE`).
    pub taints: Vec<Taint>,
    /// GiB; `None` when the launch template says it.
    pub disk_size: Option<i64>,
    /// The launch template it was made with.
    pub launch_template: Option<LaunchTemplate>,
    /// `updateConfig`.
    pub update_config: Value,
    /// `nodeRepairConfig`.
    pub node_repair: Value,
    /// `remoteAccess` as it was sent.
    pub remote_access: Option<Value>,
    /// The group for `remoteAccess` that EKS made.
    pub remote_access_group: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// `eks-NAME-UUID`.
    pub auto_scaling_group: String,
    /// The launch template that EKS made for it, `eks-UUID`, with its version.
    pub managed_template: Option<LaunchTemplate>,
    /// The instance profile that EKS made for it, `eks-UUID`.
    pub instance_profile: String,
    /// What does not work: `code`, `message`, `resourceIds`.
    pub issues: Vec<Value>,
    /// Its instances.
    pub nodes: Vec<Node>,
    /// How many instances it has launched: the subnets take turns by it.
    pub launched: u64,
}

/// An instance of a node group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The instance.
    pub instance_id: String,
    /// Its Kubernetes version, `1.36`; during an upgrade not the group's.
    pub version: String,
    /// Its image's release.
    pub release_version: String,
    /// The version of the group's launch template that it was made from.
    pub template_version: Option<String>,
}

/// Fewest, most and wanted nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaling {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
    /// Wanted.
    pub desired: u32,
}

/// A taint, in EKS's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Taint {
    /// The key.
    pub key: String,
    /// The value; may be empty.
    #[serde(default)]
    pub value: String,
    /// `NO_SCHEDULE`, `NO_EXECUTE`, `PREFER_NO_SCHEDULE`.
    pub effect: String,
}

/// A version of a launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// `lt-...`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A number.
    pub version: String,
}

/// A Fargate profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FargateProfile {
    /// The cluster's name.
    pub cluster: String,
    /// Its own name.
    pub name: String,
    /// `arn:aws:eks:REGION:ACCOUNT:fargateprofile/CLUSTER/NAME/UUID`.
    pub arn: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// `CREATING`, `ACTIVE` or `DELETING`.
    pub status: Status,
    /// The role of its pods' nodes.
    pub pod_execution_role_arn: String,
    /// Private subnets of its pods.
    pub subnets: Vec<String>,
    /// Which pods it is for: any of them.
    pub selectors: Vec<Selector>,
    /// Its tags.
    pub tags: Tags,
}

/// Pods of a namespace with labels; `*` and `?` are wildcards in all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// The namespace.
    pub namespace: String,
    /// All of these labels.
    pub labels: BTreeMap<String, String>,
}

/// An add-on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addon {
    /// The cluster's name.
    pub cluster: String,
    /// `vpc-cni`.
    pub name: String,
    /// `arn:aws:eks:REGION:ACCOUNT:addon/CLUSTER/NAME/UUID`.
    pub arn: String,
    /// `v1.21.1-eksbuild.1`.
    pub version: String,
    /// Where it is.
    pub status: Status,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// The role of its service account.
    pub service_account_role_arn: Option<String>,
    /// JSON or YAML as it was sent; see [`Addon::configuration`].
    pub configuration_values: Option<String>,
    /// Ids of the pod identity associations that it owns.
    pub pod_identity_associations: Vec<String>,
    /// Where its objects are.
    pub namespace: String,
    /// Its tags.
    pub tags: Tags,
    /// What does not work: `code`, `message`, `resourceIds`.
    pub issues: Vec<Value>,
}

impl Addon {
    /// The configuration values as a tree; an empty object when there are none.
    pub fn configuration(&self) -> Value {
        let text = self.configuration_values.as_deref().unwrap_or("");
        super::configuration::read(text).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
    }
}

/// Who may do what in a cluster: an IAM principal and its Kubernetes name and groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessEntry {
    /// The cluster's name.
    pub cluster: String,
    /// `arn:aws:eks:REGION:ACCOUNT:access-entry/CLUSTER/KIND/ACCOUNT/NAME/UUID`.
    pub arn: String,
    /// A role's or user's ARN, with its path.
    pub principal_arn: String,
    /// The principal's unique id (`AROA...`) when it was in this account: one that is made again under the same ARN is another.
    pub principal_id: Option<String>,
    /// `STANDARD`, `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `HYBRID_LINUX`, `EC2`, `HYPERPOD_LINUX`.
    pub kind: String,
    /// The Kubernetes user name, with `{{SessionName}}` and its like.
    pub username: String,
    /// Kubernetes groups.
    pub groups: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
    /// Access policies by ARN.
    pub policies: BTreeMap<String, AssociatedPolicy>,
}

/// An access policy of an entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssociatedPolicy {
    /// Where it holds; empty is the whole cluster. A `*` at the end is a wildcard.
    pub namespaces: Vec<String>,
    /// When it was associated.
    pub associated_at: Timestamp,
    /// When its scope last changed.
    pub modified_at: Timestamp,
}

/// A service account's role by EKS Pod Identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PodIdentityAssociation {
    /// The cluster's name.
    pub cluster: String,
    /// `a-...`.
    pub id: String,
    /// `arn:aws:eks:REGION:ACCOUNT:podidentityassociation/CLUSTER/ID`.
    pub arn: String,
    /// The service account's namespace.
    pub namespace: String,
    /// The service account's name.
    pub service_account: String,
    /// The role.
    pub role_arn: String,
    /// A role of another account that the role assumes.
    pub target_role_arn: Option<String>,
    /// What the other account's trust policy may ask for.
    pub external_id: Option<String>,
    /// Whether sessions have no tags.
    pub has_no_session_tags: bool,
    /// A session policy.
    pub policy: Option<String>,
    /// The add-on that owns it.
    pub owner_arn: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// The id of a row that belongs to a cluster.
pub fn key(cluster: &str, name: &str) -> String {
    format!("{cluster}/{name}")
}
