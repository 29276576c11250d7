//! UpdateClusterConfig, UpdateClusterVersion, AssociateEncryptionConfig: one change of a cluster at a time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::catalog;
use super::cluster_create::{
    authentication_mode, auto_mode, check_access, check_egress, cluster_subnets, encryption_key, everywhere, log_types,
    public_cidrs, remote_networks, scaling_tier, support_type,
};
use super::clusters::{logging, set_version};
use super::model::{AuthenticationMode, AutoMode, Cluster};
use super::outside;
use super::request::{cluster_of, invalid, refused, told};
use super::updates::{self, Effect, New, Target};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "UpdateClusterConfig", run: update_cluster_config },
    Operation { name: "UpdateClusterVersion", run: update_cluster_version },
    Operation { name: "AssociateEncryptionConfig", run: associate_encryption_config },
];

/// What becomes different.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Change {
    /// The log types that are on.
    Logging(BTreeSet<String>),
    /// Who reaches the endpoint.
    EndpointAccess {
        /// From the internet.
        public: bool,
        /// From the VPC.
        private: bool,
        /// From where on the internet.
        cidrs: Vec<String>,
    },
    /// Where the control plane's interfaces are.
    Network {
        /// The subnets.
        subnets: Vec<String>,
        /// The groups besides the cluster security group.
        groups: Vec<String>,
    },
    /// Where it looks up who calls.
    AuthenticationMode(AuthenticationMode),
    /// `STANDARD` or `EXTENDED`.
    SupportType(String),
    /// Whether zonal shift is on.
    ZonalShift(bool),
    /// Whether deletion is refused.
    DeletionProtection(bool),
    /// EKS Auto Mode.
    AutoMode(AutoMode),
    /// `remoteNetworkConfig`.
    RemoteNetworks(Value),
    /// The control plane's tier.
    Scaling(String),
    /// The key of secrets.
    Encryption(String),
    /// The Kubernetes version.
    Version(String),
    /// An identity provider appears.
    IdentityProvider(String),
    /// An identity provider goes.
    NoIdentityProvider(String),
}

/// The change is done.
pub(super) fn apply(world: &mut World, name: &str, change: Change) {
    match change {
        Change::IdentityProvider(provider) => return super::identity_providers::appear(world, name, &provider),
        Change::NoIdentityProvider(provider) => return super::identity_providers::disappear(world, name, &provider),
        Change::Network { subnets, groups } => {
            world.eks.clusters.update(name, |row| {
                (row.network.subnet_ids, row.network.security_group_ids) = (subnets, groups);
            });
            return outside::move_interfaces(world, name);
        }
        _ => {}
    }
    let mut becomes_readable = false;
    world.eks.clusters.update(name, |row| match change {
        Change::Logging(types) => row.log_types = types,
        Change::EndpointAccess { public, private, cidrs } => {
            (row.network.endpoint_public_access, row.network.endpoint_private_access) = (public, private);
            row.network.public_access_cidrs = cidrs;
        }
        Change::AuthenticationMode(mode) => {
            becomes_readable = row.authentication_mode == AuthenticationMode::ConfigMap;
            row.authentication_mode = mode;
        }
        Change::SupportType(support) => row.support_type = support,
        Change::ZonalShift(on) => row.zonal_shift = on,
        Change::DeletionProtection(on) => row.deletion_protection = on,
        Change::AutoMode(mode) => row.auto_mode = Some(mode),
        Change::RemoteNetworks(networks) => row.remote_networks = Some(networks),
        Change::Scaling(tier) => row.scaling_tier = tier,
        Change::Encryption(key) => row.encryption_key = Some(key),
        Change::Version(version) => set_version(row, &version),
        Change::Network { .. } | Change::IdentityProvider(_) | Change::NoIdentityProvider(_) => {}
    });
    if becomes_readable {
        super::access_entries::take_over(world, name);
    }
}

/// A change that was asked for: its kind and what its update tells.
struct Asked {
    kind: &'static str,
    params: Vec<(&'static str, String)>,
    change: Change,
}

fn update_cluster_config(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(update) = updates::started_before(world, call)? {
            return Ok(update);
        }
        let row = cluster_of(world, call)?.clone();
        let asked = one_change(world, call, &row)?;
        start(world, call, &row, asked)
    })
}

fn start(world: &mut World, call: &Call, row: &Cluster, asked: Asked) -> Answer {
    updates::check_none_runs(world, &row.name, asked.kind)?;
    check_active(row, asked.kind)?;
    let (target, effect) = (Target::Cluster(row.name.clone()), Effect::Cluster(Box::new(asked.change)));
    updates::start(world, call, New { target, kind: asked.kind, params: asked.params, effect })
}

/// Refuses a change of a cluster that is being made or removed.
pub(super) fn check_active(row: &Cluster, kind: &str) -> Result<(), ApiError> {
    let state = match row.status {
        super::model::Status::Active | super::model::Status::Updating => return Ok(()),
        other => json!(other),
    };
    let state = state.as_str().unwrap_or_default();
    Err(super::request::in_use(format!("Cannot {kind} because cluster {} is currently in {state} state", row.name)))
}

/// The members that UpdateClusterConfig knows, and their kinds; those of Auto Mode are one kind.
const KINDS: [(&str, &str); 10] = [
    ("logging", "LoggingUpdate"),
    ("accessConfig", "AccessConfigUpdate"),
    ("upgradePolicy", "UpgradePolicyUpdate"),
    ("zonalShiftConfig", "ZonalShiftConfigUpdate"),
    ("computeConfig", "AutoModeUpdate"),
    ("storageConfig", "AutoModeUpdate"),
    ("kubernetesNetworkConfig", "AutoModeUpdate"),
    ("remoteNetworkConfig", "RemoteNetworkConfigUpdate"),
    ("deletionProtection", "DeletionProtectionUpdate"),
    ("controlPlaneScalingConfig", "ControlPlaneScalingConfigUpdate"),
];

fn one_change(world: &World, call: &Call, row: &Cluster) -> Result<Asked, ApiError> {
    for absent in ["kubeApiServerConfig", "kubeSchedulerConfig", "kubeControllerManagerConfig"] {
        if call.has(absent) {
            return Err(invalid(format!("{absent} is not simulated by this sandbox")));
        }
    }
    let mut kinds: BTreeSet<&str> =
        KINDS.iter().filter(|(member, _)| call.has(member)).map(|(_, kind)| *kind).collect();
    let vpc = call.structure("resourcesVpcConfig");
    if let Some(vpc) = &vpc {
        check_egress(vpc)?;
        if ["endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs"].iter().any(|it| vpc.has(it)) {
            kinds.insert("EndpointAccessUpdate");
        }
        if ["subnetIds", "securityGroupIds"].iter().any(|it| vpc.has(it)) {
            kinds.insert("VpcConfigUpdate");
        }
    }
    let mut kinds = kinds.into_iter();
    match (kinds.next(), kinds.next(), vpc) {
        (None, ..) => Err(invalid("No changes needed for the cluster config provided")),
        (Some(_), Some(_), _) => Err(invalid("Only one type of update can be allowed.")),
        (Some("EndpointAccessUpdate"), None, Some(vpc)) => endpoint_access(&vpc, row),
        (Some("VpcConfigUpdate"), None, Some(vpc)) => vpc_config(world, &vpc, row),
        (Some(kind), None, _) => simple_change(call, row, kind),
    }
}

fn simple_change(call: &Call, row: &Cluster, kind: &'static str) -> Result<Asked, ApiError> {
    let missing = || invalid(format!("{kind}: the config provided is empty"));
    let same = |what: &str| invalid(format!("No changes needed for the {what} config provided"));
    let asked = |params: Vec<(&'static str, String)>, change| Ok(Asked { kind, params, change });
    match kind {
        "LoggingUpdate" => {
            let types = log_types(call, row.log_types.clone())?;
            if types == row.log_types {
                return Err(same("logging"));
            }
            let mut after = row.clone();
            after.log_types.clone_from(&types);
            let told = json!({ "clusterLogging": logging(&after) }).to_string();
            asked(vec![("ClusterLogging", told)], Change::Logging(types))
        }
        "AccessConfigUpdate" => access_config(call, row),
        "UpgradePolicyUpdate" => {
            let support = support_type(call)?.ok_or_else(missing)?;
            if support == row.support_type {
                return Err(invalid(format!(
                    "Cluster is already at the desired configuration with supportType: {support}"
                )));
            }
            let told = json!({ "supportType": support }).to_string();
            asked(vec![("UpgradePolicy", told)], Change::SupportType(support))
        }
        "ZonalShiftConfigUpdate" => {
            let on =
                call.structure("zonalShiftConfig").map_or(Ok(None), |it| it.boolean("enabled"))?.ok_or_else(missing)?;
            if on == row.zonal_shift {
                return Err(same("zonalShift"));
            }
            asked(vec![("ZonalShiftConfig", json!({ "enabled": on }).to_string())], Change::ZonalShift(on))
        }
        "DeletionProtectionUpdate" => {
            let on = call.boolean("deletionProtection")?.ok_or_else(missing)?;
            if on == row.deletion_protection {
                return Err(same("deletionProtection"));
            }
            asked(vec![("DeletionProtection", on.to_string())], Change::DeletionProtection(on))
        }
        "AutoModeUpdate" => {
            let mode = auto_mode(call, row.auto_mode.as_ref())?.ok_or_else(missing)?;
            if Some(&mode) == row.auto_mode.as_ref() {
                return Err(same("EKS Auto Mode"));
            }
            let raw = |member: &str| call.value(member).map(Value::to_string);
            let names = [
                ("ComputeConfig", "computeConfig"),
                ("StorageConfig", "storageConfig"),
                ("KubernetesNetworkConfig", "kubernetesNetworkConfig"),
            ];
            let params = names.into_iter().filter_map(|(name, member)| Some((name, raw(member)?))).collect();
            asked(params, Change::AutoMode(mode))
        }
        "RemoteNetworkConfigUpdate" => {
            let networks = remote_networks(call)?.ok_or_else(missing)?;
            if Some(&networks) == row.remote_networks.as_ref() {
                return Err(same("remoteNetwork"));
            }
            asked(vec![("RemoteNetworkConfig", networks.to_string())], Change::RemoteNetworks(networks))
        }
        _ => {
            let tier = scaling_tier(call)?.ok_or_else(missing)?;
            if tier == row.scaling_tier {
                return Err(same("controlPlaneScaling"));
            }
            asked(
                vec![("PreviousTier", row.scaling_tier.clone()), ("UpdatedTier", tier.clone())],
                Change::Scaling(tier),
            )
        }
    }
}

/// The mode moves forward by itself only: CONFIG_MAP, API_AND_CONFIG_MAP, API.
fn access_config(call: &Call, row: &Cluster) -> Result<Asked, ApiError> {
    let mode = call.structure("accessConfig").map_or(Ok(None), |config| authentication_mode(&config))?;
    let mode = mode.ok_or_else(|| invalid("authenticationMode is required."))?;
    let name = |mode: AuthenticationMode| json!(mode).as_str().unwrap_or_default().to_owned();
    let (old, new) = (name(row.authentication_mode), name(mode));
    if mode == row.authentication_mode {
        return Err(invalid(format!("Unsupported authentication mode update from {old} to {new}")));
    }
    let skips = row.authentication_mode == AuthenticationMode::ConfigMap && mode == AuthenticationMode::Api;
    if mode < row.authentication_mode || skips {
        return Err(invalid(format!("Unsupported authentication mode update from {old} to {new}")));
    }
    let params = vec![("AuthenticationMode", new)];
    Ok(Asked { kind: "AccessConfigUpdate", params, change: Change::AuthenticationMode(mode) })
}

fn endpoint_access(vpc: &Params, row: &Cluster) -> Result<Asked, ApiError> {
    let before = &row.network;
    let public = vpc.boolean("endpointPublicAccess")?.unwrap_or(before.endpoint_public_access);
    let private = vpc.boolean("endpointPrivateAccess")?.unwrap_or(before.endpoint_private_access);
    check_access(public, private)?;
    let kept = || match (public, before.endpoint_public_access) {
        (true, true) => before.public_access_cidrs.clone(),
        _ => everywhere(public),
    };
    let cidrs = public_cidrs(vpc, public)?.unwrap_or_else(kept);
    let is_same = (public, private) == (before.endpoint_public_access, before.endpoint_private_access)
        && cidrs.iter().collect::<BTreeSet<_>>() == before.public_access_cidrs.iter().collect();
    if is_same {
        return Err(invalid(format!(
            "Cluster is already at the desired configuration with endpointPrivateAccess: {private} , endpointPublicAccess: {public}, \
             and Public Endpoint Restrictions: [{}]",
            cidrs.join(", ")
        )));
    }
    let params = vec![
        ("EndpointPublicAccess", public.to_string()),
        ("EndpointPrivateAccess", private.to_string()),
        ("PublicAccessCidrs", json!(cidrs).to_string()),
    ];
    Ok(Asked { kind: "EndpointAccessUpdate", params, change: Change::EndpointAccess { public, private, cidrs } })
}

/// Subnets must be in the zones that the cluster was made in (EKS User Guide, "View Amazon EKS networking requirements").
fn vpc_config(world: &World, vpc: &Params, row: &Cluster) -> Result<Asked, ApiError> {
    let before = &row.network;
    let subnets = if vpc.has("subnetIds") { vpc.texts("subnetIds") } else { before.subnet_ids.clone() };
    let groups =
        if vpc.has("securityGroupIds") { vpc.texts("securityGroupIds") } else { before.security_group_ids.clone() };
    let found = cluster_subnets(world, &subnets)?;
    if found.iter().any(|subnet| subnet.vpc_id != before.vpc_id) {
        return Err(invalid("Provided subnets belong to different VPC"));
    }
    if vpc.has("subnetIds") {
        let zones: BTreeSet<String> = outside::zones(world, &before.subnet_ids);
        if let Some(other) = found.iter().find(|subnet| !zones.is_empty() && !zones.contains(&subnet.zone)) {
            return Err(invalid(format!(
                "Provided subnet {} is in availability zone {}, which the cluster does not use",
                other.id, other.zone
            )));
        }
    }
    outside::check_groups(world, &groups, &before.vpc_id)?;
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<String>>();
    if set(&subnets) == set(&before.subnet_ids) && set(&groups) == set(&before.security_group_ids) {
        return Err(invalid("No changes needed for the VPC config provided"));
    }
    let mut params = Vec::new();
    if vpc.has("subnetIds") {
        params.push(("Subnets", json!(subnets).to_string()));
    }
    if vpc.has("securityGroupIds") {
        params.push(("SecurityGroups", json!(groups).to_string()));
    }
    Ok(Asked { kind: "VpcConfigUpdate", params, change: Change::Network { subnets, groups } })
}

fn update_cluster_version(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(update) = updates::started_before(world, call)? {
            return Ok(update);
        }
        let row = cluster_of(world, call)?.clone();
        if call.has("rollbackConfig") {
            return Err(invalid("rollbackConfig is not simulated by this sandbox"));
        }
        let asked = call.required("version")?;
        let version = catalog::version(&asked).ok_or_else(|| invalid("unsupported Kubernetes version"))?;
        let now = catalog::minor(&row.version).unwrap_or(0);
        if version.minor() == now {
            return Err(invalid(format!("Cluster is already at version {asked}")));
        }
        if version.minor() != now + 1 {
            return Err(invalid(format!(
                "Unsupported Kubernetes minor version update from {} to {asked}",
                row.version
            )));
        }
        check_nodes_keep_up(world, &row, version.minor())?;
        let params = vec![("Version", asked.clone()), ("PlatformVersion", version.default_platform_version.clone())];
        start(world, call, &row, Asked { kind: "VersionUpdate", params, change: Change::Version(asked) })
    })
}

/// Nodes may be three minor versions behind the control plane (EKS User Guide, "Update existing cluster to new Kubernetes version").
fn check_nodes_keep_up(world: &World, row: &Cluster, minor: u32) -> Result<(), ApiError> {
    let groups = world.eks.nodegroups.starting_with(format!("{}/", row.name)).map(|(_, group)| group);
    let late: Vec<&str> = groups
        .filter(|group| catalog::minor(&group.version).is_some_and(|it| it + 3 < minor))
        .map(|group| group.name.as_str())
        .collect();
    if late.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "Nodegroups {} must be updated to match cluster version {} before updating cluster version",
        late.join(", "),
        row.version
    )))
}

fn associate_encryption_config(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(update) = updates::started_before(world, call)? {
            return Ok(update);
        }
        let row = cluster_of(world, call)?.clone();
        let key = encryption_key(call)?.ok_or_else(|| invalid("encryptionConfig is required."))?;
        if row.encryption_key.is_some() {
            return Err(invalid("Cluster already has an encryption configuration associated with it"));
        }
        let told = json!([{ "resources": ["secrets"], "provider": { "keyArn": key } }]).to_string();
        let params = vec![("EncryptionConfig", told)];
        start(world, call, &row, Asked { kind: "AssociateEncryptionConfig", params, change: Change::Encryption(key) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{over, role, with_cluster};
    use crate::testing::{eks, pass};

    fn config(world: &mut World, change: &Value) -> Answer {
        eks(world, "UpdateClusterConfig", over(&json!({ "name": "c" }), change))
    }

    fn described(world: &mut World) -> Value {
        eks(world, "DescribeCluster", json!({ "name": "c" })).unwrap()["cluster"].take()
    }

    #[test]
    fn each_change_is_an_update_that_ends() {
        let (mut world, subnets) = with_cluster();
        let key = "arn:aws:kms:us-east-1:123456789012:key/1";
        for (change, kind, place, expected) in [
            (
                json!({ "logging": { "clusterLogging": [{ "types": ["audit", "api"], "enabled": true }] } }),
                "LoggingUpdate",
                "/logging/clusterLogging/0/types",
                json!(["api", "audit"]),
            ),
            (
                json!({ "logging": { "clusterLogging": [{ "types": ["api"], "enabled": false }, { "types": ["scheduler"], "enabled": true }] } }),
                "LoggingUpdate",
                "/logging/clusterLogging/0/types",
                json!(["audit", "scheduler"]),
            ),
            (
                json!({ "resourcesVpcConfig": { "endpointPrivateAccess": true } }),
                "EndpointAccessUpdate",
                "/resourcesVpcConfig/endpointPrivateAccess",
                json!(true),
            ),
            (
                json!({ "resourcesVpcConfig": { "publicAccessCidrs": ["203.0.113.0/24"] } }),
                "EndpointAccessUpdate",
                "/resourcesVpcConfig/publicAccessCidrs",
                json!(["203.0.113.0/24"]),
            ),
            (
                json!({ "resourcesVpcConfig": { "subnetIds": [subnets[0], subnets[1]] } }),
                "VpcConfigUpdate",
                "/resourcesVpcConfig/subnetIds",
                json!([subnets[0], subnets[1]]),
            ),
            (
                json!({ "upgradePolicy": { "supportType": "STANDARD" } }),
                "UpgradePolicyUpdate",
                "/upgradePolicy/supportType",
                json!("STANDARD"),
            ),
            (
                json!({ "zonalShiftConfig": { "enabled": true } }),
                "ZonalShiftConfigUpdate",
                "/zonalShiftConfig/enabled",
                json!(true),
            ),
            (json!({ "deletionProtection": true }), "DeletionProtectionUpdate", "/deletionProtection", json!(true)),
            (
                json!({ "controlPlaneScalingConfig": { "tier": "tier-xl" } }),
                "ControlPlaneScalingConfigUpdate",
                "/controlPlaneScalingConfig/tier",
                json!("tier-xl"),
            ),
        ] {
            let answer = config(&mut world, &change).unwrap();
            let update = &answer["update"];
            assert_eq!((&update["type"], &update["status"]), (&json!(kind), &json!("InProgress")), "{change}");
            assert_eq!(described(&mut world)["status"], "UPDATING");
            let second = config(&mut world, &json!({ "deletionProtection": false }));
            assert!(second.is_err(), "{change}");
            pass(&mut world, 10);
            let asked = json!({ "name": "c", "updateId": update["id"] });
            assert_eq!(eks(&mut world, "DescribeUpdate", asked).unwrap()["update"]["status"], "Successful", "{change}");
            assert_eq!(described(&mut world).pointer(place), Some(&expected), "{change}");
            assert_eq!(config(&mut world, &change).unwrap_err().code, "InvalidParameterException", "again: {change}");
        }
        let encrypt = json!({ "clusterName": "c", "encryptionConfig": [{ "resources": ["secrets"], "provider": { "keyArn": key } }] });
        eks(&mut world, "AssociateEncryptionConfig", encrypt).unwrap();
        pass(&mut world, 10);
        assert_eq!(described(&mut world)["encryptionConfig"][0]["provider"]["keyArn"], key);
        let ids = eks(&mut world, "ListUpdates", json!({ "name": "c" })).unwrap();
        assert_eq!(ids["updateIds"].as_array().unwrap().len(), 10);
        assert_eq!(world.eks.clusters.get("c").unwrap().interfaces.len(), 2, "they moved");
        let protected = eks(&mut world, "DeleteCluster", json!({ "name": "c" })).unwrap_err();
        assert_eq!(protected.code, "InvalidRequestException");
    }

    #[test]
    fn what_cannot_change_is_refused() {
        let (mut world, subnets) = with_cluster();
        let default_subnet = world.ec2.subnets.values().find(|it| it.is_default).unwrap().subnet_id.clone();
        for (change, said) in [
            (json!({}), "No changes needed"),
            (
                json!({ "logging": { "clusterLogging": [{ "types": ["api"], "enabled": false }] } }),
                "No changes needed for the logging config provided",
            ),
            (
                json!({ "resourcesVpcConfig": { "endpointPublicAccess": true } }),
                "Cluster is already at the desired configuration with endpointPrivateAccess: false , endpointPublicAccess: true, and \
                 Public Endpoint Restrictions: [0.0.0.0/0]",
            ),
            (json!({ "resourcesVpcConfig": { "endpointPublicAccess": false } }), "cannot be false"),
            (
                json!({ "resourcesVpcConfig": { "endpointPrivateAccess": true, "subnetIds": subnets } }),
                "Only one type of update can be allowed.",
            ),
            (
                json!({ "deletionProtection": true, "zonalShiftConfig": { "enabled": true } }),
                "Only one type of update can be allowed.",
            ),
            (json!({ "resourcesVpcConfig": { "subnetIds": [subnets[0]] } }), "at least two different AZs"),
            (json!({ "resourcesVpcConfig": { "subnetIds": [subnets[0], default_subnet] } }), "same VPC"),
            (
                json!({ "accessConfig": { "authenticationMode": "CONFIG_MAP" } }),
                "Unsupported authentication mode update from API to CONFIG_MAP",
            ),
            (
                json!({ "accessConfig": { "authenticationMode": "API" } }),
                "Unsupported authentication mode update from API to API",
            ),
            (json!({ "kubeSchedulerConfig": {} }), "kubeSchedulerConfig is not simulated"),
        ] {
            let error = config(&mut world, &change).expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
            assert_eq!(error.members["clusterName"], "c");
        }
    }

    #[test]
    fn versions_rise_by_one() {
        let (mut world, _) = with_cluster();
        let mut to =
            |version: &str| eks(&mut world, "UpdateClusterVersion", json!({ "name": "c", "version": version }));
        for version in ["1.34", "1.35", "1.37", "2.0"] {
            assert_eq!(to(version).unwrap_err().code, "InvalidParameterException", "{version}");
        }
        let update = to("1.36").unwrap();
        assert_eq!(update["update"]["type"], "VersionUpdate");
        let busy = to("1.36").unwrap_err();
        assert_eq!(busy.code, "ResourceInUseException");
        assert!(
            busy.message.contains("Cannot VersionUpdate because cluster c currently has update"),
            "{}",
            busy.message
        );
        pass(&mut world, 10);
        let row = world.eks.clusters.get("c").unwrap();
        assert_eq!((row.version.as_str(), row.platform_version.as_str()), ("1.36", "eks.6"));
    }

    #[test]
    fn a_cluster_that_begins_to_use_entries_makes_those_it_needs() {
        let (mut world, subnets) = with_cluster();
        let asked = json!({ "name": "d", "roleArn": role("cluster"), "resourcesVpcConfig": { "subnetIds": subnets } });
        eks(&mut world, "CreateCluster", asked).unwrap();
        pass(&mut world, 10);
        let group = json!({ "clusterName": "d", "nodegroupName": "g", "nodeRole": role("node"), "subnets": subnets });
        eks(&mut world, "CreateNodegroup", group).unwrap();
        assert_eq!(
            eks(&mut world, "ListAccessEntries", json!({ "clusterName": "d" })).unwrap_err().code,
            "InvalidRequestException"
        );
        let straight = json!({ "name": "d", "accessConfig": { "authenticationMode": "API" } });
        assert!(eks(&mut world, "UpdateClusterConfig", straight).is_err());
        let both = json!({ "name": "d", "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" } });
        eks(&mut world, "UpdateClusterConfig", both).unwrap();
        pass(&mut world, 10);
        let entries = eks(&mut world, "ListAccessEntries", json!({ "clusterName": "d" })).unwrap();
        assert_eq!(entries["accessEntries"], json!([role("node"), "arn:aws:iam::123456789012:user/test"]));
    }
}
