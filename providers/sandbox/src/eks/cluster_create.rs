//! CreateCluster.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net};
use serde_json::{Value, json};

use super::access::Principal;
use super::catalog;
use super::clusters::{LOG_TYPES, view};
use super::model::{AssociatedPolicy, AuthenticationMode, AutoMode, Cluster, Network, Status};
use super::outside::{self, Subnet};
use super::request::{arn, check_name, choice, in_use, invalid, limit, made_before, remember, tags, told};
use super::{Due, access_entries};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[Operation { name: "CreateCluster", run: create_cluster }];

/// So many clusters a region has by default (EKS User Guide, "View and manage Amazon EKS and Fargate service quotas").
const CLUSTERS_MAX: usize = 100;

fn create_cluster(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(row) = made_before(world, call, &world.eks.clusters)? {
            return Ok(json!({ "cluster": view(world, &row) }));
        }
        let mut row = read(world, call)?;
        let name = row.name.clone();
        row.network.cluster_security_group_id = outside::create_cluster_group(world, &row)?;
        row.interfaces = outside::create_interfaces(world, &row)?;
        if row.creator_is_admin && row.authentication_mode != AuthenticationMode::ConfigMap {
            let admin = catalog::access_policy_arn("AmazonEKSClusterAdminPolicy");
            let everywhere =
                AssociatedPolicy { namespaces: Vec::new(), associated_at: world.now, modified_at: world.now };
            let policies = BTreeMap::from([(admin, everywhere)]);
            access_entries::insert(world, &name, &row.creator_arn, "STANDARD", policies);
        }
        let answer = json!({ "cluster": view(world, &row) });
        world.eks.clusters.insert(&name, row);
        remember(world, call, &name);
        let after = world.settings.pace.cluster;
        world.schedule_in(after, Timer::Eks(Due::ClusterCreated { name }));
        Ok(answer)
    })
}

/// Checks everything, and makes a row without group and interfaces.
fn read(world: &mut World, call: &Call) -> Result<Cluster, ApiError> {
    let name = call.required("name")?;
    check_name("name", &name, 100)?;
    if world.eks.clusters.contains(&name) {
        return Err(in_use(format!("Cluster already exists with name: {name}")));
    }
    if world.eks.clusters.len() >= CLUSTERS_MAX {
        return Err(limit("Cluster limit exceeded"));
    }
    check_absent(call)?;
    let version = version(call)?;
    let role_arn = call.required("roleArn")?;
    outside::check_cluster_role(world, &role_arn)?;
    let network = network(world, call)?;
    let (service_ipv4_cidr, service_ipv6_cidr) = service_cidrs(world, call, &network)?;
    let (authentication_mode, creator_is_admin) = access(call)?;
    let auto_mode = auto_mode(call, None)?;
    let has_self_managed_addons = call.boolean("bootstrapSelfManagedAddons")?.unwrap_or(true);
    if auto_mode.as_ref().is_some_and(|mode| mode.enabled) && has_self_managed_addons {
        return Err(invalid("When EKS Auto Mode is enabled, bootstrapSelfManagedAddons must be set to false"));
    }
    let issuer =
        format!("https://oidc.eks.{}.amazonaws.com/id/{}", world.settings.region, world.ids.hex(32).to_uppercase());
    Ok(Cluster {
        arn: arn(world, &format!("cluster/{name}")),
        created_at: world.now,
        version: version.cluster_version.clone(),
        platform_version: version.default_platform_version.clone(),
        role_arn,
        network,
        service_ipv4_cidr,
        service_ipv6_cidr,
        log_types: log_types(call, BTreeSet::new())?,
        issuer,
        status: Status::Creating,
        authentication_mode,
        creator_is_admin,
        creator_arn: creator(world, call),
        client_request_token: call.text("clientRequestToken"),
        tags: tags(call)?,
        encryption_key: encryption_key(call)?,
        support_type: support_type(call)?.unwrap_or_else(|| "EXTENDED".to_owned()),
        zonal_shift: call.structure("zonalShiftConfig").map_or(Ok(None), |it| it.boolean("enabled"))?.unwrap_or(false),
        deletion_protection: call.boolean("deletionProtection")?.unwrap_or(false),
        auto_mode,
        remote_networks: remote_networks(call)?,
        scaling_tier: scaling_tier(call)?.unwrap_or_else(|| "standard".to_owned()),
        has_self_managed_addons,
        interfaces: Vec::new(),
        name,
    })
}

/// What the sandbox does not simulate is refused by name.
fn check_absent(call: &Call) -> Result<(), ApiError> {
    for member in ["outpostConfig", "kubeApiServerConfig", "kubeSchedulerConfig", "kubeControllerManagerConfig"] {
        if call.has(member) {
            return Err(invalid(format!("{member} is not simulated by this sandbox")));
        }
    }
    Ok(())
}

fn version(call: &Call) -> Result<&'static catalog::Version, ApiError> {
    match call.text("version") {
        None => Ok(catalog::default_version()),
        Some(asked) => catalog::version(&asked).ok_or_else(|| invalid("unsupported Kubernetes version")),
    }
}

fn network(world: &World, call: &Call) -> Result<Network, ApiError> {
    let config = call.structure("resourcesVpcConfig").ok_or_else(|| invalid("resourcesVpcConfig is required."))?;
    check_egress(&config)?;
    let subnet_ids = config.texts("subnetIds");
    let subnets = cluster_subnets(world, &subnet_ids)?;
    let vpc_id = subnets[0].vpc_id.clone();
    let security_group_ids = config.texts("securityGroupIds");
    outside::check_groups(world, &security_group_ids, &vpc_id)?;
    let (public, private) = (config.boolean("endpointPublicAccess")?, config.boolean("endpointPrivateAccess")?);
    let (public, private) = (public.unwrap_or(true), private.unwrap_or(false));
    check_access(public, private)?;
    let public_access_cidrs = public_cidrs(&config, public)?.unwrap_or_else(|| everywhere(public));
    Ok(Network {
        vpc_id,
        subnet_ids,
        security_group_ids,
        cluster_security_group_id: String::new(),
        endpoint_public_access: public,
        endpoint_private_access: private,
        public_access_cidrs,
    })
}

pub(super) fn check_egress(config: &Params) -> Result<(), ApiError> {
    match config.text("controlPlaneEgressMode").as_deref() {
        None | Some("AWS_MANAGED") => Ok(()),
        Some(other) => Err(invalid(format!("controlPlaneEgressMode {other} is not simulated by this sandbox"))),
    }
}

/// At least two subnets in at least two zones of one VPC.
pub(super) fn cluster_subnets(world: &World, ids: &[String]) -> Result<Vec<Subnet>, ApiError> {
    if ids.is_empty() {
        return Err(invalid("Subnets cannot be empty."));
    }
    let subnets = outside::subnets(world, ids)?;
    let vpcs: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.vpc_id.as_str()).collect();
    if vpcs.len() > 1 {
        return Err(invalid("Subnets must belong to the same VPC."));
    }
    let zones: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    if zones.len() < 2 {
        return Err(invalid("Subnets specified must be in at least two different AZs"));
    }
    Ok(subnets)
}

pub(super) fn check_access(public: bool, private: bool) -> Result<(), ApiError> {
    if public || private {
        return Ok(());
    }
    Err(invalid("Private and public endpoint access cannot be false"))
}

pub(super) fn everywhere(public: bool) -> Vec<String> {
    if public { vec!["0.0.0.0/0".to_owned()] } else { Vec::new() }
}

/// `publicAccessCidrs`, at most 40 blocks with their host bits clear.
pub(super) fn public_cidrs(config: &Params, public: bool) -> Result<Option<Vec<String>>, ApiError> {
    let cidrs = config.texts("publicAccessCidrs");
    if cidrs.is_empty() {
        return Ok(None);
    }
    if !public {
        return Err(invalid("publicAccessCidrs cannot be specified when public endpoint access is disabled"));
    }
    if cidrs.len() > 40 {
        return Err(invalid("The maximum number of CIDR blocks in publicAccessCidrs is 40"));
    }
    for cidr in &cidrs {
        let block: Option<IpNet> = cidr.parse().ok();
        if block.is_none_or(|block| block.trunc() != block) {
            return Err(invalid(format!("The following CIDRs are invalid in publicAccessCidrs: [{cidr}]")));
        }
    }
    Ok(Some(cidrs))
}

/// The Services' block of the cluster's family: as asked for, or the one of AWS's two that is not near the VPC's.
fn service_cidrs(
    world: &mut World,
    call: &Call,
    network: &Network,
) -> Result<(Option<String>, Option<String>), ApiError> {
    let config = call.structure("kubernetesNetworkConfig");
    let family = match &config {
        Some(config) => choice(config, "ipFamily", &["ipv4", "ipv6"])?.unwrap_or_else(|| "ipv4".to_owned()),
        None => "ipv4".to_owned(),
    };
    let asked = config.and_then(|config| config.text("serviceIpv4Cidr"));
    if family == "ipv6" {
        if asked.is_some() {
            return Err(invalid("serviceIpv4Cidr cannot be specified for an IPv6 cluster"));
        }
        if outside::subnets(world, &network.subnet_ids)?.iter().any(|subnet| !subnet.has_ipv6) {
            return Err(invalid("Subnets of an IPv6 cluster must have an IPv6 CIDR block"));
        }
        let digits = world.ids.hex(10);
        return Ok((None, Some(format!("fd{}:{}:{}::/108", &digits[..2], &digits[2..6], &digits[6..]))));
    }
    let blocks = outside::vpc_blocks(world, &network.vpc_id);
    let Some(asked) = asked else {
        let in_ten: Ipv4Net = "10.0.0.0/8".parse().map_err(|_| invalid("10.0.0.0/8"))?;
        let is_near = blocks.iter().any(|block| in_ten.contains(block));
        return Ok((Some(if is_near { "172.20.0.0/16" } else { "10.100.0.0/16" }.to_owned()), None));
    };
    check_service_cidr(&asked, &blocks)?;
    Ok((Some(asked), None))
}

/// Private, between /24 and /12, and apart from the VPC (CreateCluster, `serviceIpv4Cidr`).
fn check_service_cidr(asked: &str, vpc: &[Ipv4Net]) -> Result<(), ApiError> {
    let block: Option<Ipv4Net> = asked.parse().ok().filter(|block: &Ipv4Net| block.trunc() == *block);
    let block = block.ok_or_else(|| invalid(format!("serviceIpv4Cidr {asked} is not a valid CIDR block")))?;
    if !(12..=24).contains(&block.prefix_len()) {
        return Err(invalid("The service IPv4 CIDR block must be between /24 and /12"));
    }
    if !block.network().is_private() || !block.broadcast().is_private() {
        return Err(invalid(
            "The service IPv4 CIDR block must be within one of 10.0.0.0/8, 172.16.0.0/12, or 192.168.0.0/16",
        ));
    }
    if vpc.iter().any(|other| block.contains(other) || other.contains(&block)) {
        return Err(invalid("The service IPv4 CIDR block must not overlap with the CIDR blocks of the VPC"));
    }
    Ok(())
}

fn access(call: &Call) -> Result<(AuthenticationMode, bool), ApiError> {
    let Some(config) = call.structure("accessConfig") else { return Ok((AuthenticationMode::ConfigMap, true)) };
    let mode = authentication_mode(&config)?.unwrap_or(AuthenticationMode::ConfigMap);
    let is_admin = config.boolean("bootstrapClusterCreatorAdminPermissions")?.unwrap_or(true);
    if mode == AuthenticationMode::ConfigMap && !is_admin {
        return Err(invalid(
            "bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is set to CONFIG_MAP",
        ));
    }
    Ok((mode, is_admin))
}

pub(super) fn authentication_mode(config: &Params) -> Result<Option<AuthenticationMode>, ApiError> {
    let mode = choice(config, "authenticationMode", &["API", "API_AND_CONFIG_MAP", "CONFIG_MAP"])?;
    Ok(mode.map(|mode| match mode.as_str() {
        "API" => AuthenticationMode::Api,
        "CONFIG_MAP" => AuthenticationMode::ConfigMap,
        _ => AuthenticationMode::ApiAndConfigMap,
    }))
}

/// A role's session makes the cluster as its role; the account's root as itself.
fn creator(world: &World, call: &Call) -> String {
    let caller = &call.caller.arn;
    match Principal::read(caller) {
        Some(Principal { account, kind: "role", name, .. }) => {
            outside::role_arn_named(world, &name).unwrap_or_else(|| format!("arn:aws:iam::{account}:role/{name}"))
        }
        _ => caller.clone(),
    }
}

/// The log types that are on after `logging` was taken in.
pub(super) fn log_types(call: &Call, before: BTreeSet<String>) -> Result<BTreeSet<String>, ApiError> {
    let (mut on, mut said) = (before, BTreeSet::new());
    for setup in call.structure("logging").map(|it| it.structures("clusterLogging")).unwrap_or_default() {
        let enabled = setup.boolean("enabled")?.unwrap_or(false);
        for name in setup.texts("types") {
            if !LOG_TYPES.contains(&name.as_str()) {
                return Err(invalid(format!("Unsupported log type: {name}")));
            }
            if !said.insert(name.clone()) {
                return Err(invalid(format!("The log type {name} is specified more than once")));
            }
            if enabled {
                on.insert(name)
            } else {
                on.remove(&name)
            };
        }
    }
    Ok(on)
}

pub(super) fn support_type(call: &Params) -> Result<Option<String>, ApiError> {
    call.structure("upgradePolicy").map_or(Ok(None), |policy| choice(&policy, "supportType", &["STANDARD", "EXTENDED"]))
}

pub(super) fn scaling_tier(call: &Params) -> Result<Option<String>, ApiError> {
    let tiers = ["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"];
    call.structure("controlPlaneScalingConfig").map_or(Ok(None), |config| choice(&config, "tier", &tiers))
}

/// The key of `encryptionConfig`; only `secrets` can be encrypted.
pub(super) fn encryption_key(call: &Params) -> Result<Option<String>, ApiError> {
    let configs = call.structures("encryptionConfig");
    let Some(config) = configs.first() else { return Ok(None) };
    if configs.len() > 1 {
        return Err(invalid("Only one encryptionConfig can be specified"));
    }
    if config.texts("resources") != ["secrets"] {
        return Err(invalid("Encryption config resources must be [secrets]"));
    }
    let key = config.structure("provider").map_or(Ok(None), |provider| provider.required("keyArn").map(Some))?;
    let key = key.ok_or_else(|| invalid("Encryption config provider is required"))?;
    if !key.starts_with("arn:aws:kms:") || !key.contains(":key/") {
        return Err(invalid(format!("Invalid KMS key ARN: {key}")));
    }
    Ok(Some(key))
}

/// `remoteNetworkConfig` with every block checked.
pub(super) fn remote_networks(call: &Params) -> Result<Option<Value>, ApiError> {
    let Some(config) = call.structure("remoteNetworkConfig") else { return Ok(None) };
    for member in ["remoteNodeNetworks", "remotePodNetworks"] {
        for cidr in config.structures(member).iter().flat_map(|network| network.texts("cidrs")) {
            cidr.parse::<Ipv4Net>().map_err(|_| invalid(format!("Invalid CIDR in {member}: {cidr}")))?;
        }
    }
    Ok(Some(config.raw().clone()))
}

/// Auto Mode is on or off as a whole; `before` is what the cluster has.
pub(super) fn auto_mode(call: &Params, before: Option<&AutoMode>) -> Result<Option<AutoMode>, ApiError> {
    let inside = |structure: Option<Params>| structure.map_or(Ok(None), |it| it.boolean("enabled"));
    let compute = call.structure("computeConfig");
    let storage = call.structure("storageConfig").and_then(|it| it.structure("blockStorage"));
    let balancing = call.structure("kubernetesNetworkConfig").and_then(|it| it.structure("elasticLoadBalancing"));
    let said = [inside(compute.clone())?, inside(storage)?, inside(balancing)?];
    if said.iter().all(Option::is_none) && compute.is_none() {
        return Ok(None);
    }
    let was_on = before.is_some_and(|mode| mode.enabled);
    let all: BTreeSet<bool> = said.iter().map(|it| it.unwrap_or(was_on)).collect();
    if all.len() > 1 {
        return Err(invalid(
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, kubernetesNetworkConfig, and \
             blockStorage are all either fully enabled or fully disabled.",
        ));
    }
    let enabled = all.contains(&true);
    let node_pools = compute.as_ref().filter(|it| it.has("nodePools")).map(|it| it.texts("nodePools"));
    let node_pools = node_pools.or_else(|| before.map(|mode| mode.node_pools.clone())).unwrap_or_default();
    if let Some(unknown) = node_pools.iter().find(|name| !["general-purpose", "system"].contains(&name.as_str())) {
        return Err(invalid(format!("Unknown node pool {unknown}: it must be one of general-purpose, system")));
    }
    let role =
        compute.and_then(|it| it.text("nodeRoleArn")).or_else(|| before.and_then(|mode| mode.node_role_arn.clone()));
    if enabled && !node_pools.is_empty() && role.is_none() {
        return Err(invalid("nodeRoleArn is required when nodePools are specified"));
    }
    Ok(Some(AutoMode {
        enabled,
        node_pools: if enabled { node_pools } else { Vec::new() },
        node_role_arn: role.filter(|_| enabled),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{make_network, make_roles, over, role};
    use crate::testing::{ec2, eks, pass, refusal, world};

    fn ready() -> (World, Vec<String>, Value) {
        let mut world = world();
        make_roles(&mut world);
        let subnets = make_network(&mut world);
        let asked = json!({
            "name": "c", "roleArn": role("cluster"), "resourcesVpcConfig": { "subnetIds": subnets },
            "accessConfig": { "authenticationMode": "API" }, "clientRequestToken": "t", "tags": { "a": "b" },
        });
        (world, subnets, asked)
    }

    #[test]
    fn a_cluster_comes_with_group_interfaces_and_endpoint() {
        let (mut world, subnets, asked) = ready();
        let made = eks(&mut world, "CreateCluster", asked.clone()).unwrap();
        let made = &made["cluster"];
        assert_eq!(made["status"], "CREATING");
        assert_eq!(made["endpoint"], Value::Null);
        assert_eq!(made["certificateAuthority"], json!({}));
        assert_eq!(made["kubernetesNetworkConfig"]["serviceIpv4Cidr"], "172.20.0.0/16");
        let again = eks(&mut world, "CreateCluster", asked.clone()).unwrap();
        assert_eq!(again["cluster"]["arn"], made["arn"], "the same token answers the same cluster");
        let other = over(&asked, &json!({ "clientRequestToken": "u" }));
        assert_eq!(refusal(eks(&mut world, "CreateCluster", other)), "ResourceInUseException");

        pass(&mut world, 10);
        let there = eks(&mut world, "DescribeCluster", json!({ "name": "c" })).unwrap();
        let there = &there["cluster"];
        assert_eq!(there["status"], "ACTIVE");
        assert!(there["endpoint"].as_str().unwrap().starts_with("https://127.0.0.1:"));
        assert!(
            there["identity"]["oidc"]["issuer"]
                .as_str()
                .unwrap()
                .starts_with("https://oidc.eks.us-east-1.amazonaws.com/id/")
        );
        let group = there["resourcesVpcConfig"]["clusterSecurityGroupId"].as_str().unwrap();
        let groups = ec2(&mut world, "DescribeSecurityGroups", &[("GroupId.1", group)]);
        let group_name = groups["securityGroupInfo"][0]["groupName"].as_str().unwrap();
        assert!(group_name.starts_with("eks-cluster-sg-c-"), "{group_name}");
        let filter = [("Filter.1.Name", "description"), ("Filter.1.Value.1", "Amazon EKS c")];
        let interfaces = ec2(&mut world, "DescribeNetworkInterfaces", &filter);
        let interfaces = interfaces["networkInterfaceSet"].as_array().unwrap();
        assert_eq!(interfaces.len(), subnets.len());
        assert_eq!(interfaces[0]["groupSet"][0]["groupId"], group);
        let entries = eks(&mut world, "ListAccessEntries", json!({ "clusterName": "c" })).unwrap();
        assert_eq!(entries["accessEntries"], json!(["arn:aws:iam::123456789012:user/test"]));
    }

    #[test]
    fn a_deletion_leaves_nothing() {
        let (mut world, _, asked) = ready();
        eks(&mut world, "CreateCluster", asked).unwrap();
        assert_eq!(refusal(eks(&mut world, "DeleteCluster", json!({ "name": "c" }))), "ResourceInUseException");
        pass(&mut world, 10);
        let (groups, interfaces) = (world.ec2.security_groups.len(), world.ec2.interfaces.len());
        let deleted = eks(&mut world, "DeleteCluster", json!({ "name": "c" })).unwrap();
        assert_eq!(deleted["cluster"]["status"], "DELETING");
        pass(&mut world, 10);
        assert_eq!(refusal(eks(&mut world, "DescribeCluster", json!({ "name": "c" }))), "ResourceNotFoundException");
        assert_eq!((world.ec2.security_groups.len(), world.ec2.interfaces.len()), (groups - 1, interfaces - 3));
        assert!(world.eks.access_entries.is_empty() && world.kubernetes.clusters.is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (mut world, subnets, asked) = ready();
        let vpc = |config: Value| json!({ "resourcesVpcConfig": over(&json!({ "subnetIds": subnets }), &config) });
        let network = |cidr: &str| json!({ "kubernetesNetworkConfig": { "serviceIpv4Cidr": cidr } });
        let default_subnet = world.ec2.subnets.values().find(|it| it.is_default).unwrap().subnet_id.clone();
        let default_group = world.ec2.security_groups.values().find(|it| it.is_default()).unwrap().id.clone();
        for (change, said) in [
            (json!({ "name": "-c" }), "contains invalid characters"),
            (json!({ "name": "a".repeat(101) }), "longer than 100"),
            (json!({ "version": "1.2" }), "unsupported Kubernetes version"),
            (json!({ "version": "abc" }), "unsupported Kubernetes version"),
            (json!({ "roleArn": role("none") }), "could not be assumed"),
            (json!({ "roleArn": role("other") }), "trusted entity is not correct"),
            (vpc(json!({ "subnetIds": [] })), "Subnets cannot be empty"),
            (
                vpc(json!({ "subnetIds": ["subnet-0123456789abcdef0"] })),
                "The subnet ID 'subnet-0123456789abcdef0' does not exist",
            ),
            (vpc(json!({ "subnetIds": [subnets[0]] })), "at least two different AZs"),
            (vpc(json!({ "subnetIds": [subnets[0], default_subnet] })), "same VPC"),
            (vpc(json!({ "securityGroupIds": ["sg-0123456789abcdef0"] })), "does not exist"),
            (vpc(json!({ "securityGroupIds": [default_group] })), "does not belong to the VPC"),
            (vpc(json!({ "endpointPublicAccess": false })), "cannot be false"),
            (vpc(json!({ "publicAccessCidrs": ["10.0.0.1/8"] })), "invalid in publicAccessCidrs"),
            (network("10.0.0.0/8"), "between /24 and /12"),
            (network("10.0.128.0/20"), "must not overlap"),
            (network("11.0.0.0/16"), "must be within one of"),
            (json!({ "accessConfig": { "authenticationMode": "MAP" } }), "authenticationMode"),
            (json!({ "accessConfig": { "bootstrapClusterCreatorAdminPermissions": false } }), "CONFIG_MAP"),
            (
                json!({ "logging": { "clusterLogging": [{ "types": ["apis"], "enabled": true }] } }),
                "Unsupported log type",
            ),
            (json!({ "encryptionConfig": [{ "resources": ["pods"], "provider": { "keyArn": "k" } }] }), "[secrets]"),
            (json!({ "upgradePolicy": { "supportType": "NONE" } }), "supportType"),
            (json!({ "tags": { "aws:x": "y" } }), "aws:"),
            (json!({ "computeConfig": { "enabled": true } }), "all either fully enabled or fully disabled"),
            (json!({ "outpostConfig": {} }), "outpostConfig is not simulated"),
        ] {
            let error = eks(&mut world, "CreateCluster", over(&asked, &change)).expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
        }
        assert!(world.eks.clusters.is_empty());
    }
}
