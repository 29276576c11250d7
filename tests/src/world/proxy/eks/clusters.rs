//! Clusters: what `CreateCluster` derives from VPC and role, and what changes one.

use super::super::errors::Refusal;
use super::super::shared::Shared;
use super::super::upstream::REGION;
use super::overlay::{self, Kind, begin_update, refuse_if_pending};
use super::updates::Update;
use super::{catalog, invalid, role_exists, text, vpc_of, xml};
use crate::world::{kubernetes, sigv4};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The parts of EKS Auto Mode.
const AUTO_MODE: [&str; 3] = ["computeConfig", "kubernetesNetworkConfig", "storageConfig"];

const LOG_TYPES: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// Answers `CreateCluster`.
pub(super) async fn create(shared: &Shared, mut body: Value) -> Result<Value, Refusal> {
    let name = text(&body, "name").ok_or_else(|| invalid("Cluster name is required."))?.to_owned();
    role_exists(shared, text(&body, "roleArn").unwrap_or_default()).await?;
    let vpc = vpc_of(shared, &body["resourcesVpcConfig"]["subnetIds"]).await?;
    let version = text(&body, "version").unwrap_or(catalog::DEFAULT_VERSION).to_owned();
    if !catalog::VERSIONS.contains(&version.as_str()) {
        return Err(invalid("unsupported Kubernetes version"));
    }
    body["version"] = json!(version);
    let path = format!("clusters/{name}");
    let group = cluster_group(shared, &name, &vpc).await?;
    let fields = derived(shared, &name, &body, &vpc, &group);
    overlay::create(shared, Kind::Cluster, &path, &body, fields).await
}

/// The fields that ministack leaves out or invents.
fn derived(shared: &Shared, name: &str, body: &Value, vpc: &str, group: &str) -> Map<String, Value> {
    let network = &body["resourcesVpcConfig"];
    let or = |value: &Value, default: Value| if value.is_null() { default } else { value.clone() };
    let fields = json!({
        "resourcesVpcConfig": {
            "vpcId": vpc,
            "clusterSecurityGroupId": group,
            "subnetIds": network["subnetIds"],
            "securityGroupIds": or(&network["securityGroupIds"], json!([])),
            "endpointPublicAccess": or(&network["endpointPublicAccess"], json!(true)),
            "endpointPrivateAccess": or(&network["endpointPrivateAccess"], json!(false)),
            "publicAccessCidrs": or(&network["publicAccessCidrs"], json!(["0.0.0.0/0"])),
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": or(&body["kubernetesNetworkConfig"]["serviceIpv4Cidr"], json!("10.100.0.0/16")),
            "ipFamily": or(&body["kubernetesNetworkConfig"]["ipFamily"], json!("ipv4")),
            "elasticLoadBalancing": or(
                &body["kubernetesNetworkConfig"]["elasticLoadBalancing"],
                json!({ "enabled": false }),
            ),
        },
        "computeConfig": or(&body["computeConfig"], json!({ "enabled": false })),
        "storageConfig": or(&body["storageConfig"], json!({ "blockStorage": { "enabled": false } })),
        "controlPlaneScalingConfig": or(&body["controlPlaneScalingConfig"], json!({ "tier": "standard" })),
        "remoteNetworkConfig": body["remoteNetworkConfig"],
        "identity": { "oidc": { "issuer": issuer(name) } },
        "logging": logging(&body["logging"]),
        "accessConfig": { "authenticationMode": or(&body["accessConfig"]["authenticationMode"], json!("CONFIG_MAP")) },
        "upgradePolicy": { "supportType": or(&body["upgradePolicy"]["supportType"], json!("EXTENDED")) },
        "deletionProtection": or(&body["deletionProtection"], json!(false)),
        "platformVersion": "eks.1",
        "health": { "issues": [] },
    });
    let Value::Object(mut fields) = fields else { return Map::new() };
    if let Some(server) = shared.api_server() {
        fields.insert("endpoint".to_owned(), json!(server.told_endpoint));
        let authority = STANDARD.encode(&server.authority_pem);
        fields.insert("certificateAuthority".to_owned(), json!({ "data": authority }));
    }
    fields
}

/// AWS's issuers are https and of the cluster alone.
fn issuer(name: &str) -> String {
    let id = sigv4::hex(&Sha256::digest(name)).to_uppercase();
    format!("https://oidc.eks.{REGION}.amazonaws.com/id/{}", &id[..32])
}

/// All log types, in two groups.
fn logging(asked: &Value) -> Value {
    let is_on = |kind: &str| {
        let setups = asked["clusterLogging"].as_array().into_iter().flatten();
        setups
            .filter(|setup| setup["enabled"] == true)
            .any(|setup| setup["types"].as_array().is_some_and(|types| types.contains(&json!(kind))))
    };
    let (on, off): (Vec<&str>, Vec<&str>) = LOG_TYPES.iter().partition(|kind| is_on(kind));
    let groups = [(on, true), (off, false)];
    let groups = groups.iter().filter(|(types, _)| !types.is_empty());
    json!({ "clusterLogging": groups.map(|(types, enabled)| json!({ "types": types, "enabled": enabled })).collect::<Vec<_>>() })
}

/// The cluster security group, which EKS makes in the VPC; found again when the creation is repeated.
async fn cluster_group(shared: &Shared, name: &str, vpc: &str) -> Result<String, Refusal> {
    let group_name = group_name(name);
    let known = find_group(shared, &group_name).await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let description = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.";
    let owned = format!("kubernetes.io/cluster/{name}");
    let params = [
        ("GroupName", group_name.as_str()),
        ("GroupDescription", description),
        ("VpcId", vpc),
        ("TagSpecification.1.ResourceType", "security-group"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", &group_name),
        ("TagSpecification.1.Tag.2.Key", &owned),
        ("TagSpecification.1.Tag.2.Value", "owned"),
        ("TagSpecification.1.Tag.3.Key", "aws:eks:cluster-name"),
        ("TagSpecification.1.Tag.3.Value", name),
    ];
    let made = shared.upstream.query("ec2", "CreateSecurityGroup", &params).await?;
    let id = xml::text(&made, "groupId").unwrap_or_default();
    let from_itself = [
        ("GroupId", id.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.Groups.1.GroupId", id.as_str()),
    ];
    shared.upstream.query("ec2", "AuthorizeSecurityGroupIngress", &from_itself).await?;
    Ok(id)
}

fn group_name(cluster: &str) -> String {
    format!("eks-cluster-sg-{cluster}-1000000001")
}

async fn find_group(shared: &Shared, name: &str) -> Result<Option<String>, Refusal> {
    let filter = [("Filter.1.Name", "group-name"), ("Filter.1.Value.1", name)];
    let found = shared.upstream.query("ec2", "DescribeSecurityGroups", &filter).await?;
    Ok(xml::text(&found, "groupId"))
}

/// Answers `DeleteCluster`: refused while it has node groups, and it takes along the add-ons, the cluster security group and what is on the cluster.
pub(super) async fn delete(shared: &Shared, path: &str) -> Result<Value, Refusal> {
    let cluster = overlay::current(shared, Kind::Cluster, path).await?;
    if cluster["deletionProtection"] == true {
        return Err(Refusal::new(400, "InvalidRequestException", "Cluster has deletion protection enabled"));
    }
    let (_, groups) = shared.upstream.eks(Method::GET, &format!("{path}/node-groups"), None).await?;
    let has_groups = groups["nodegroups"].as_array().is_some_and(|groups| !groups.is_empty());
    if has_groups || shared.eks.has_going_below(&format!("{path}/node-groups/")) {
        return Err(Refusal::new(409, "ResourceInUseException", "Cluster has nodegroups attached"));
    }
    let (_, addons) = shared.upstream.eks(Method::GET, &format!("{path}/addons"), None).await?;
    let deleted = overlay::delete(shared, Kind::Cluster, path).await?;
    for addon in addons["addons"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        shared.upstream.eks(Method::DELETE, &format!("{path}/addons/{addon}"), None).await?;
    }
    remove_group(shared, text(&cluster, "name").unwrap_or_default()).await?;
    empty_api_server(shared).await?;
    Ok(deleted)
}

/// AWS leaves the cluster security group behind when something else uses it.
async fn remove_group(shared: &Shared, cluster: &str) -> Result<(), Refusal> {
    if let Some(group) = find_group(shared, &group_name(cluster)).await? {
        let _ = shared.upstream.query("ec2", "DeleteSecurityGroup", &[("GroupId", &group)]).await;
    }
    Ok(())
}

/// What is on a cluster goes with it. The clusters of a world share an API server, so it goes with the last of them.
async fn empty_api_server(shared: &Shared) -> Result<(), Refusal> {
    match shared.api_server() {
        Some(server) if super::cluster_names(shared).await.is_empty() => Ok(kubernetes::clear(&server).await?),
        _ => Ok(()),
    }
}

/// Answers `UpdateClusterConfig`: one kind of change at a time.
pub(super) async fn update_config(shared: &Shared, path: &str, body: &Value) -> Result<Value, Refusal> {
    let cluster = overlay::current(shared, Kind::Cluster, path).await?;
    refuse_if_pending(shared, path)?;
    let asked: Vec<(&String, &Value)> = body
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| *name != "clientRequestToken" && !value.is_null())
        .collect();
    // Auto Mode is one kind of update in three parts.
    if !asked.is_empty() && asked.iter().all(|(name, _)| AUTO_MODE.contains(&name.as_str())) {
        if asked.len() != AUTO_MODE.len() {
            return Err(invalid(
                "The type for cluster update was not provided, or Auto Mode is not changed as a whole.",
            ));
        }
        let fields = asked.iter().map(|(name, value)| Ok(((*name).clone(), changed(&cluster, name, value)?.1)));
        let fields = fields.collect::<Result<Map<String, Value>, Refusal>>()?;
        let update = Update::new(path, "AutoModeUpdate", &[("ComputeConfig", &body["computeConfig"])]);
        return Ok(begin_update(shared, path, fields, update));
    }
    let [(name, value)] = asked.as_slice() else {
        return Err(invalid("Only one type of update can be allowed."));
    };
    let (kind, changed) = changed(&cluster, name, value)?;
    if changed == cluster[name.as_str()] {
        return Err(invalid(format!("No changes needed for the {name} provided")));
    }
    let update = Update::new(path, kind, &[(param_name(name), value)]);
    Ok(begin_update(shared, path, Map::from_iter([((*name).clone(), changed)]), update))
}

/// The kind of update and the field's new value.
fn changed(cluster: &Value, name: &str, value: &Value) -> Result<(&'static str, Value), Refusal> {
    let mut merged = cluster[name].clone();
    match (name, &mut merged, value) {
        ("logging", _, asked) => return Ok(("LoggingUpdate", merged_logging(&cluster["logging"], asked))),
        ("deletionProtection", _, _) => return Ok(("DeletionProtectionUpdate", value.clone())),
        (_, Value::Object(fields), Value::Object(asked)) => {
            fields.extend(
                asked.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        _ => merged = value.clone(),
    }
    let kind = match name {
        "resourcesVpcConfig" if value.get("subnetIds").is_some() || value.get("securityGroupIds").is_some() => {
            "VpcConfigUpdate"
        }
        "resourcesVpcConfig" => "EndpointAccessUpdate",
        "accessConfig" => access_update(cluster, value)?,
        "upgradePolicy" => "UpgradePolicyUpdate",
        "zonalShiftConfig" => "ZonalShiftConfigUpdate",
        name if AUTO_MODE.contains(&name) => "AutoModeUpdate",
        "controlPlaneScalingConfig" => "ControlPlaneScalingConfigUpdate",
        "remoteNetworkConfig" => "RemoteNetworkConfigUpdate",
        _ => return Err(invalid("The type for cluster update was not provided.")),
    };
    Ok((kind, merged))
}

/// A cluster never goes back to the config map.
fn access_update(cluster: &Value, asked: &Value) -> Result<&'static str, Refusal> {
    let rank = |config: &Value| match text(config, "authenticationMode") {
        Some("API") => 2,
        Some("API_AND_CONFIG_MAP") => 1,
        _ => 0,
    };
    if rank(asked) < rank(&cluster["accessConfig"]) {
        return Err(invalid("Unsupported authentication mode update"));
    }
    Ok("AccessConfigUpdate")
}

/// Types that the request does not name stay as they are.
fn merged_logging(current: &Value, asked: &Value) -> Value {
    let mut setups = asked["clusterLogging"].as_array().cloned().unwrap_or_default();
    let named: Vec<Value> =
        setups.iter().flat_map(|setup| setup["types"].as_array().cloned().unwrap_or_default()).collect();
    for setup in current["clusterLogging"].as_array().into_iter().flatten() {
        let kept: Vec<&Value> =
            setup["types"].as_array().into_iter().flatten().filter(|kind| !named.contains(kind)).collect();
        setups.push(json!({ "types": kept, "enabled": setup["enabled"] }));
    }
    logging(&json!({ "clusterLogging": setups }))
}

fn param_name(field: &str) -> &'static str {
    match field {
        "logging" => "ClusterLogging",
        "accessConfig" => "AuthenticationMode",
        "upgradePolicy" => "UpgradePolicy",
        "deletionProtection" => "DeletionProtection",
        _ => "ResourcesVpcConfig",
    }
}

/// Answers `UpdateClusterVersion`: one minor version at a time, never back.
pub(super) async fn update_version(shared: &Shared, path: &str, body: &Value) -> Result<Value, Refusal> {
    let cluster = overlay::current(shared, Kind::Cluster, path).await?;
    refuse_if_pending(shared, path)?;
    let (from, to) = (text(&cluster, "version").unwrap_or_default(), text(body, "version").unwrap_or_default());
    let place = |version: &str| catalog::VERSIONS.iter().position(|known| *known == version);
    match (place(from), place(to)) {
        (Some(from_place), Some(to_place)) if to_place == from_place + 1 => {}
        _ => return Err(invalid(format!("Unsupported Kubernetes minor version update from {from} to {to}"))),
    }
    let update = Update::new(path, "VersionUpdate", &[("Version", &body["version"])]);
    Ok(begin_update(shared, path, Map::from_iter([("version".to_owned(), json!(to))]), update))
}
