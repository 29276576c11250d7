//! DescribeCluster, ListClusters, DeleteCluster; CreateCluster is in [`super::cluster_create`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::catalog;
use super::model::{AuthenticationMode, Cluster, Status};
use super::request::{cluster, cluster_of, in_use, listing, refused, status, time, told, without_nulls};
use super::updates;
use super::{Due, outside};
use crate::aws::{Answer, Call, Operation};
use crate::kubernetes::bootstrap;
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeCluster", run: describe_cluster },
    Operation { name: "ListClusters", run: list_clusters },
    Operation { name: "DeleteCluster", run: delete_cluster },
];

/// The control plane's log types, in the order in which AWS tells them.
pub(super) const LOG_TYPES: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// A cluster as answers have it. Endpoint, authority and issuer appear when it is there.
pub(super) fn view(world: &World, row: &Cluster) -> Value {
    let kubernetes = world.kubernetes.clusters.get(&row.name);
    let (version, network) = (&row.version, &row.network);
    let authority = kubernetes.map(|it| json!({ "data": STANDARD.encode(&it.authority_pem) }));
    let identity = kubernetes.map(|_| json!({ "oidc": { "issuer": row.issuer } }));
    let mut view = json!({
        "name": row.name, "arn": row.arn, "createdAt": time(row.created_at), "version": version, "roleArn": row.role_arn,
        "endpoint": kubernetes.map(crate::kubernetes::cluster::Cluster::endpoint),
        "certificateAuthority": authority.unwrap_or_else(|| json!({})), "identity": identity,
        "resourcesVpcConfig": {
            "subnetIds": network.subnet_ids, "securityGroupIds": network.security_group_ids,
            "clusterSecurityGroupId": network.cluster_security_group_id, "vpcId": network.vpc_id,
            "endpointPublicAccess": network.endpoint_public_access, "endpointPrivateAccess": network.endpoint_private_access,
            "publicAccessCidrs": network.public_access_cidrs,
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": row.service_ipv4_cidr, "serviceIpv6Cidr": row.service_ipv6_cidr,
            "ipFamily": if row.service_ipv6_cidr.is_some() { "ipv6" } else { "ipv4" },
            "elasticLoadBalancing": { "enabled": row.auto_mode.as_ref().is_some_and(|mode| mode.enabled) },
        },
        "logging": { "clusterLogging": logging(row) },
        "status": status(row.status), "clientRequestToken": row.client_request_token,
        "platformVersion": row.platform_version, "tags": row.tags, "health": { "issues": [] },
        // Whether the creator is an administrator is in the API's model and not in its answers (aws/containers-roadmap issue 185).
        "accessConfig": { "authenticationMode": row.authentication_mode },
        "upgradePolicy": { "supportType": row.support_type }, "zonalShiftConfig": { "enabled": row.zonal_shift },
        "deletionProtection": row.deletion_protection, "remoteNetworkConfig": row.remote_networks,
        "controlPlaneScalingConfig": { "tier": row.scaling_tier },
    });
    if let Some(key) = &row.encryption_key {
        view["encryptionConfig"] = json!([{ "resources": ["secrets"], "provider": { "keyArn": key } }]);
    }
    if let Some(mode) = &row.auto_mode {
        view["computeConfig"] =
            json!({ "enabled": mode.enabled, "nodePools": mode.node_pools, "nodeRoleArn": mode.node_role_arn });
        view["storageConfig"] = json!({ "blockStorage": { "enabled": mode.enabled } });
    }
    without_nulls(view)
}

/// `clusterLogging`: the types that are on, then those that are off.
pub(super) fn logging(row: &Cluster) -> Vec<Value> {
    let (on, off): (Vec<&str>, Vec<&str>) = LOG_TYPES.iter().partition(|name| row.log_types.contains(**name));
    let setups = [(on, true), (off, false)].into_iter().filter(|(types, _)| !types.is_empty());
    setups.map(|(types, enabled)| json!({ "types": types, "enabled": enabled })).collect()
}

fn describe_cluster(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(json!({ "cluster": view(world, cluster_of(world, call)?) })))
}

fn list_clusters(world: &mut World, call: &Call) -> Answer {
    listing(call, "clusters", world.eks.clusters.iter().map(|(name, _)| (name, json!(name))))
}

fn delete_cluster(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let row = cluster_of(world, call)?.clone();
        check_deletion(world, &row)?;
        world.eks.clusters.update(&row.name, |row| row.status = Status::Deleting);
        let after = world.settings.pace.deletion;
        world.schedule_in(after, Timer::Eks(Due::ClusterGone { name: row.name.clone() }));
        Ok(json!({ "cluster": view(world, cluster(world, &row.name)?) }))
    })
}

fn check_deletion(world: &World, row: &Cluster) -> Result<(), crate::aws::ApiError> {
    let name = &row.name;
    match row.status {
        Status::Creating => {
            return Err(in_use(format!("Cluster {name} cannot be deleted as it is currently in CREATING state")));
        }
        Status::Deleting => return Err(in_use(format!("Cluster {name} is already being deleted"))),
        _ => {}
    }
    if row.deletion_protection {
        return Err(refused(format!(
            "Cluster {name} has deletion protection enabled. Disable it before deleting the cluster"
        )));
    }
    if let Some((_, group)) = world.eks.nodegroups.starting_with(format!("{name}/")).next() {
        return Err(in_use("Cluster has nodegroups attached").with("nodegroupName", group.name.as_str()));
    }
    if world.eks.fargate_profiles.starting_with(format!("{name}/")).next().is_some() {
        return Err(in_use("Cluster has Fargate profiles attached"));
    }
    updates::check_none_runs(world, name, "delete")
}

/// A new cluster is there.
pub(super) fn created(world: &mut World, name: &str) {
    let is_creating = world.eks.clusters.get(name).is_some_and(|row| row.status == Status::Creating);
    if !is_creating {
        return;
    }
    let status = match bootstrap::create(world, name) {
        Ok(()) => Status::Active,
        Err(error) => {
            tracing::error!("cluster {name} cannot be made: {}", error.message);
            Status::Failed
        }
    };
    world.eks.clusters.update(name, |row| row.status = status);
}

/// A cluster is gone, with everything of it.
pub(super) fn gone(world: &mut World, name: &str) {
    let Some(row) = world.eks.clusters.remove(name) else { return };
    bootstrap::delete(world, name);
    let prefix = format!("{name}/");
    remove_all(&mut world.eks.addons, &prefix);
    remove_all(&mut world.eks.access_entries, &prefix);
    remove_all(&mut world.eks.pod_identity_associations, &prefix);
    remove_all(&mut world.eks.identity_providers, &prefix);
    remove_all(&mut world.eks.fargate_profiles, &prefix);
    remove_all(&mut world.eks.updates, &prefix);
    outside::remove_control_plane(world, &row);
}

fn remove_all<T: crate::store::table::Row>(table: &mut crate::store::table::Table<T>, prefix: &str) {
    let ids: Vec<String> = table.starting_with(prefix.to_owned()).map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        table.remove(&id);
    }
}

/// What a cluster is upgraded to: its version with the platform version that goes with it.
pub(super) fn set_version(row: &mut Cluster, version: &str) {
    version.clone_into(&mut row.version);
    if let Some(known) = catalog::version(version) {
        row.platform_version.clone_from(&known.default_platform_version);
    }
}

/// Whether access entries can be used.
pub(super) fn check_uses_entries(row: &Cluster) -> Result<(), crate::aws::ApiError> {
    if row.authentication_mode == AuthenticationMode::ConfigMap {
        return Err(refused(
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
        ));
    }
    Ok(())
}
