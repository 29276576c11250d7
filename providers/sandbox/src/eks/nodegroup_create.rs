//! CreateNodegroup.
//!
//! Sources: CreateNodegroup; EKS User Guide, "Create a managed node group", "Customize managed nodes with launch templates".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalog;
use super::model::{Cluster, LaunchTemplate, Nodegroup, Scaling, Status, Taint, key};
use super::nodegroups::view;
use super::nodes::{self, Template};
use super::request::{
    active_cluster, arn, check_name, choice, in_use, invalid, limit, made_before, refused, remember, tags, told,
};
use super::{Due, access_entries, outside};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::ec2::{instance_types, key_pairs};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[Operation { name: "CreateNodegroup", run: create_nodegroup }];

/// Node groups of a cluster, nodes of a group (User Guide, quotas).
const MOST: (usize, u32) = (30, 450);

/// Image types, and the architecture of each.
const AMI_TYPES: [(&str, &str); 23] = [
    ("AL2_x86_64", "x86_64"),
    ("AL2_x86_64_GPU", "x86_64"),
    ("AL2_ARM_64", "arm64"),
    ("CUSTOM", ""),
    ("BOTTLEROCKET_ARM_64", "arm64"),
    ("BOTTLEROCKET_x86_64", "x86_64"),
    ("BOTTLEROCKET_ARM_64_FIPS", "arm64"),
    ("BOTTLEROCKET_x86_64_FIPS", "x86_64"),
    ("BOTTLEROCKET_ARM_64_NVIDIA", "arm64"),
    ("BOTTLEROCKET_x86_64_NVIDIA", "x86_64"),
    ("BOTTLEROCKET_ARM_64_NVIDIA_FIPS", "arm64"),
    ("BOTTLEROCKET_x86_64_NVIDIA_FIPS", "x86_64"),
    ("WINDOWS_CORE_2019_x86_64", "x86_64"),
    ("WINDOWS_FULL_2019_x86_64", "x86_64"),
    ("WINDOWS_CORE_2022_x86_64", "x86_64"),
    ("WINDOWS_FULL_2022_x86_64", "x86_64"),
    ("WINDOWS_CORE_2025_x86_64", "x86_64"),
    ("WINDOWS_FULL_2025_x86_64", "x86_64"),
    ("AL2023_x86_64_STANDARD", "x86_64"),
    ("AL2023_ARM_64_STANDARD", "arm64"),
    ("AL2023_x86_64_NEURON", "x86_64"),
    ("AL2023_x86_64_NVIDIA", "x86_64"),
    ("AL2023_ARM_64_NVIDIA", "arm64"),
];

/// Amazon Linux 2 images end with this minor version.
const AL2_UNTIL: u32 = 32;

fn create_nodegroup(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(row) = made_before(world, call, &world.eks.nodegroups)? {
            return Ok(json!({ "nodegroup": view(&row) }));
        }
        let mut row = read(world, call)?;
        let id = key(&row.cluster, &row.name);
        nodes::furnish(world, &mut row)?;
        outside::let_nodes_in(world, &row.cluster, &row.node_role, access_entries::kind_of_nodes(&row.ami_type));
        world.eks.nodegroups.insert(&id, row.clone());
        nodes::scale(world, &id);
        remember(world, call, &id);
        let after = world.settings.pace.nodegroup;
        world.schedule_in(after, Timer::Eks(Due::NodegroupCreated { id }));
        Ok(json!({ "nodegroup": view(&row) }))
    })
}

/// Checks everything, and makes a row without what is made for it elsewhere.
fn read(world: &mut World, call: &Call) -> Result<Nodegroup, ApiError> {
    let name = call.required("nodegroupName")?;
    check_name("nodegroupName", &name, 63)?;
    let cluster = active_cluster(world, call)?.clone();
    if world.eks.nodegroups.contains(&key(&cluster.name, &name)) {
        return Err(in_use(format!("NodeGroup already exists with name {name} and cluster name {}", cluster.name)));
    }
    if world.eks.nodegroups.starting_with(format!("{}/", cluster.name)).count() >= MOST.0 {
        return Err(limit(format!("Nodegroup limit exceeded for cluster {}", cluster.name)));
    }
    if call.structure("warmPoolConfig").is_some_and(|config| config.boolean("enabled") != Ok(Some(false))) {
        return Err(invalid("warmPoolConfig is not simulated by this sandbox"));
    }
    let node_role = call.required("nodeRole")?;
    outside::check_node_role(world, &node_role)?;
    let subnets = subnets(world, call, &cluster)?;
    let scaling = scaling(call, None)?;
    let template = template(world, call)?;
    let kinds = Kinds::read(call, template.as_ref(), &cluster)?;
    let (version, release_version) = versions(call, template.as_ref(), &cluster, &kinds.ami_type)?;
    let labels = labels(call.map("labels").into_iter().collect())?;
    let taints = taints(&call.structures("taints"))?;
    let (update_config, node_repair) = (update_config(call, None)?, node_repair(call, None)?);
    let remote_access = remote_access(world, call, template.is_some(), &cluster)?;
    let tags = tags(call)?;
    let id = world.ids.uuid();
    let now = world.now;
    Ok(Nodegroup {
        arn: arn(world, &format!("nodegroup/{}/{name}/{id}", cluster.name)),
        cluster: cluster.name,
        created_at: now,
        modified_at: now,
        status: Status::Creating,
        version,
        release_version,
        capacity_type: kinds.capacity_type,
        scaling,
        instance_types: kinds.instance_types,
        subnets,
        ami_type: kinds.ami_type,
        node_role,
        labels,
        taints,
        disk_size: kinds.disk_size,
        launch_template: template.map(|it| LaunchTemplate { id: it.id, name: it.name, version: it.version }),
        update_config,
        node_repair,
        remote_access,
        remote_access_group: None,
        tags,
        auto_scaling_group: format!("eks-{name}-{id}"),
        managed_template: None,
        instance_profile: format!("eks-{id}"),
        issues: Vec::new(),
        nodes: Vec::new(),
        launched: 0,
        name,
    })
}

fn subnets(world: &World, call: &Call, cluster: &Cluster) -> Result<Vec<String>, ApiError> {
    let ids = call.texts("subnets");
    if ids.is_empty() {
        return Err(invalid("Subnets cannot be empty."));
    }
    let found = outside::subnets(world, &ids)?;
    let foreign: Vec<&str> = found
        .iter()
        .filter(|subnet| subnet.vpc_id != cluster.network.vpc_id)
        .map(|subnet| subnet.id.as_str())
        .collect();
    if !foreign.is_empty() {
        return Err(invalid(format!(
            "Subnets [{}] do not belong to the VPC {} of the cluster",
            foreign.join(", "),
            cluster.network.vpc_id
        )));
    }
    Ok(found.into_iter().map(|subnet| subnet.id).collect())
}

/// `scalingConfig`: what is not said stays as it was, or is 1, 2 and 2.
pub(super) fn scaling(call: &Params, before: Option<Scaling>) -> Result<Scaling, ApiError> {
    let Some(config) = call.structure("scalingConfig") else {
        return Ok(before.unwrap_or(Scaling { min: 1, max: 2, desired: 2 }));
    };
    let number = |member: &str| -> Result<Option<u32>, ApiError> {
        let Some(number) = config.integer(member)? else { return Ok(None) };
        u32::try_from(number).map(Some).map_err(|_| invalid(format!("{member} is not valid")))
    };
    let (min, max, desired) = (number("minSize")?, number("maxSize")?, number("desiredSize")?);
    let scaling = match before {
        Some(it) => {
            Scaling { min: min.unwrap_or(it.min), max: max.unwrap_or(it.max), desired: desired.unwrap_or(it.desired) }
        }
        None => {
            let min = min.unwrap_or_else(|| 1.min(desired.unwrap_or(1)).min(max.unwrap_or(1)));
            let max = max.unwrap_or_else(|| 2.max(min).max(desired.unwrap_or(2)));
            Scaling { min, max, desired: desired.unwrap_or_else(|| 2.clamp(min, max.max(min))) }
        }
    };
    if scaling.max == 0 {
        return Err(invalid("maxSize is not valid"));
    }
    if scaling.min > scaling.max {
        return Err(invalid("minSize can't be greater than maxSize"));
    }
    if scaling.min > scaling.desired {
        let (min, desired) = (scaling.min, scaling.desired);
        return Err(invalid(match before {
            Some(_) => format!("Minimum capacity {min} can't be greater than desired size {desired}"),
            None => "minSize can't be greater than desiredSize".to_owned(),
        }));
    }
    if scaling.desired > scaling.max {
        let (max, desired) = (scaling.max, scaling.desired);
        return Err(invalid(match before {
            Some(_) => format!("desired capacity {desired} can't be greater than max size {max}"),
            None => "desiredSize can't be greater than maxSize".to_owned(),
        }));
    }
    if scaling.max > MOST.1 {
        return Err(limit(format!("The maximum number of nodes in a node group is {}", MOST.1)));
    }
    Ok(scaling)
}

/// The launch template with its data, free of what EKS says itself.
fn template(world: &World, call: &Call) -> Result<Option<Template>, ApiError> {
    let Some(asked) = call.structure("launchTemplate") else { return Ok(None) };
    let template = nodes::template(world, asked.text("id"), asked.text("name"), asked.text("version"))?;
    check_template(&template)?;
    Ok(Some(template))
}

/// What a launch template for nodes must not say (User Guide, "Launch template configuration basics").
pub(super) fn check_template(template: &Template) -> Result<(), ApiError> {
    let data = &template.data;
    let has = |member: &str| data.get(member).is_some_and(|value| !value.is_null());
    if has("IamInstanceProfile") {
        return Err(invalid(
            "Launch template should not specify an instance profile. The noderole in your request will be used to construct an \
             instance profile.",
        ));
    }
    if data["NetworkInterface"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|it| it.get("SubnetId").is_some_and(|id| !id.is_null()))
    {
        return Err(invalid(
            "Launch template should not specify subnets. Subnets should be specified in the node group request.",
        ));
    }
    if has("InstanceMarketOptions") {
        return Err(invalid(
            "Launch template should not specify InstanceMarketOptions. Use capacityType of the node group.",
        ));
    }
    if has("HibernationOptions") {
        return Err(invalid("Launch template should not specify HibernationOptions."));
    }
    if has("InstanceInitiatedShutdownBehavior") {
        return Err(invalid("Launch template should not specify InstanceInitiatedShutdownBehavior."));
    }
    Ok(())
}

/// What kind of machines.
struct Kinds {
    ami_type: String,
    instance_types: Vec<String>,
    capacity_type: String,
    disk_size: Option<i64>,
}

impl Kinds {
    fn read(call: &Call, template: Option<&Template>, cluster: &Cluster) -> Result<Self, ApiError> {
        let types = call.texts("instanceTypes");
        let of_template = template.and_then(|it| it.data["InstanceType"].as_str());
        if !types.is_empty() && of_template.is_some() {
            return Err(refused("Cannot specify instance types in launch template and API request"));
        }
        check_types(types.iter().map(String::as_str).chain(of_template))?;
        let has_image = template.is_some_and(|it| it.data["ImageId"].is_string());
        let ami_type = ami_type(call, has_image, types.first().map(String::as_str).or(of_template), cluster)?;
        let architecture = AMI_TYPES.iter().find(|(name, _)| *name == ami_type).map_or("", |(_, it)| *it);
        let fits = |name: &str| {
            instance_types::find(name)
                .is_none_or(|it| architecture.is_empty() || it.architectures.contains(&architecture))
        };
        let wrong: Vec<&str> = types.iter().map(String::as_str).chain(of_template).filter(|name| !fits(name)).collect();
        if !wrong.is_empty() {
            return Err(invalid(format!(
                "[{}] is not a valid instance type for requested amiType {ami_type}",
                wrong.join(", ")
            )));
        }
        let default = if architecture == "arm64" { "t4g.medium" } else { "t3.medium" };
        let instance_types = if types.is_empty() && of_template.is_none() { vec![default.to_owned()] } else { types };
        let capacity = choice(call, "capacityType", &["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"])?;
        Ok(Self {
            disk_size: disk_size(call, template.is_some(), &ami_type)?,
            ami_type,
            instance_types,
            capacity_type: capacity.unwrap_or_else(|| "ON_DEMAND".to_owned()),
        })
    }
}

fn check_types<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ApiError> {
    let unknown: Vec<&str> = names.filter(|name| instance_types::find(name).is_none()).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(invalid(format!("The following supplied instance types do not exist: [{}]", unknown.join(", "))))
}

/// The image type: as asked for, `CUSTOM` with an image of the launch template's, else Amazon Linux 2023 for the machines' processor.
fn ami_type(call: &Call, has_image: bool, first_type: Option<&str>, cluster: &Cluster) -> Result<String, ApiError> {
    let asked = call.text("amiType");
    if has_image {
        return match asked.as_deref() {
            None | Some("CUSTOM") => Ok("CUSTOM".to_owned()),
            Some(_) => Err(invalid(
                "You cannot specify an AMI Type other than CUSTOM, when specifying an image id in your launch template.",
            )),
        };
    }
    let Some(asked) = asked else {
        let is_arm = first_type
            .and_then(instance_types::find)
            .is_some_and(|it| !it.architectures.contains(&"x86_64") && it.architectures.contains(&"arm64"));
        return Ok(if is_arm { "AL2023_ARM_64_STANDARD" } else { "AL2023_x86_64_STANDARD" }.to_owned());
    };
    if !AMI_TYPES.iter().any(|(name, _)| *name == asked) {
        return Err(invalid(format!("The AMI type {asked} is not valid")));
    }
    if asked == "CUSTOM" {
        return Err(invalid("You must specify an image id in your launch template when the AMI Type is CUSTOM"));
    }
    if asked.starts_with("AL2_") && catalog::minor(&cluster.version).is_some_and(|minor| minor > AL2_UNTIL) {
        return Err(invalid(format!("Requested AMI for this version {} is not supported", cluster.version)));
    }
    Ok(asked)
}

fn disk_size(call: &Call, has_template: bool, ami_type: &str) -> Result<Option<i64>, ApiError> {
    let asked = call.integer("diskSize")?;
    match (asked, has_template) {
        (Some(_), true) => Err(invalid("Disk size must be specified within the launch template.")),
        (None, true) => Ok(None),
        (Some(size), false) if size < 1 => Err(invalid("diskSize is not valid")),
        (size, false) => Ok(Some(size.unwrap_or(if ami_type.starts_with("WINDOWS") { 50 } else { 20 }))),
    }
}

/// A new group has the cluster's version ("this is the only accepted specified value", CreateNodegroup).
fn versions(
    call: &Call,
    template: Option<&Template>,
    cluster: &Cluster,
    ami_type: &str,
) -> Result<(String, String), ApiError> {
    let (version, release) = (call.text("version"), call.text("releaseVersion"));
    if let Some(image) = template.filter(|_| ami_type == "CUSTOM").and_then(|it| it.data["ImageId"].as_str()) {
        if version.is_some() || release.is_some() {
            return Err(invalid(
                "You cannot specify the field kubernetesVersion or releaseVersion when specifying an image id in your launch template.",
            ));
        }
        return Ok((cluster.version.clone(), image.to_owned()));
    }
    if let Some(version) = version.filter(|version| *version != cluster.version) {
        return Err(match catalog::version(&version) {
            None => invalid(format!("Requested Kubernetes version {version} is not supported")),
            Some(_) => invalid(format!(
                "Nodegroup Kubernetes version {version} should be equal to the Cluster Kubernetes version {}",
                cluster.version
            )),
        });
    }
    let release = release_of(&cluster.version, release)?;
    Ok((cluster.version.clone(), release))
}

/// The release asked for, which must be one of the version's, or the newest.
pub(super) fn release_of(version: &str, asked: Option<String>) -> Result<String, ApiError> {
    let known = catalog::version(version);
    match asked {
        None => Ok(known.map_or_else(String::new, |known| known.release().to_owned())),
        Some(asked) if known.is_some_and(|known| known.has_release(&asked)) => Ok(asked),
        Some(asked) => {
            Err(invalid(format!("Requested release version {asked} is not valid for kubernetes version {version}.")))
        }
    }
}

/// Labels that Kubernetes takes, without EKS's own.
pub(super) fn labels(labels: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ApiError> {
    for (name, value) in &labels {
        check_label_key(name)?;
        if !is_label(value) && !value.is_empty() {
            return Err(invalid(format!(
                "Invalid value: {value} : a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
                 '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
                 for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            )));
        }
    }
    Ok(labels)
}

fn check_label_key(key: &str) -> Result<(), ApiError> {
    let (prefix, name) = key.rsplit_once('/').unwrap_or(("", key));
    if !is_label(name) || prefix.len() > 253 {
        return Err(invalid(format!(
            "Invalid value: {key} : field must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
             alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
             '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        )));
    }
    let reserved = ["kubernetes.io", "k8s.io", "eks.amazonaws.com"];
    if reserved.contains(&prefix) {
        return Err(invalid("Label cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]"));
    }
    Ok(())
}

fn is_label(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    text.len() <= 63 && is_plain && ends(text.chars().next()) && ends(text.chars().last())
}

/// Taints of EKS's words, each key and effect once, at most 50.
pub(super) fn taints(sent: &[Params]) -> Result<Vec<Taint>, ApiError> {
    let mut taints: Vec<Taint> = Vec::new();
    for taint in sent {
        let key = taint.required("key")?;
        let value = taint.text("value").unwrap_or_default();
        let effects = ["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"];
        let effect = choice(taint, "effect", &effects)?.ok_or_else(|| invalid("Taint effect is required"))?;
        if !value.is_empty() && !is_label(&value) {
            return Err(invalid(format!("Invalid taint value: {value}")));
        }
        check_label_key(&key)?;
        if taints.iter().any(|other| (&other.key, &other.effect) == (&key, &effect)) {
            return Err(invalid(format!("Duplicate taint with key {key} and effect {effect}")));
        }
        taints.push(Taint { key, value, effect });
    }
    if taints.len() > 50 {
        return Err(invalid("A node group can have at most 50 taints"));
    }
    Ok(taints)
}

/// `updateConfig`: a number or a percentage of nodes; one node by default.
pub(super) fn update_config(call: &Params, before: Option<&Value>) -> Result<Value, ApiError> {
    let Some(config) = call.structure("updateConfig") else {
        return Ok(before.cloned().unwrap_or_else(|| json!({ "maxUnavailable": 1, "updateStrategy": "DEFAULT" })));
    };
    let (count, percentage) = (config.integer("maxUnavailable")?, config.integer("maxUnavailablePercentage")?);
    let strategy = choice(&config, "updateStrategy", &["DEFAULT", "MINIMAL"])?;
    let strategy = strategy.map(Value::from).or_else(|| before.map(|it| it["updateStrategy"].clone()));
    let strategy = strategy.unwrap_or_else(|| json!("DEFAULT"));
    match (count, percentage) {
        (Some(_), Some(_)) => Err(invalid("Only one of maxUnavailable and maxUnavailablePercentage can be specified")),
        (Some(count), None) if !(1..=100).contains(&count) => Err(invalid("maxUnavailable must be between 1 and 100")),
        (None, Some(share)) if !(1..=100).contains(&share) => {
            Err(invalid("maxUnavailablePercentage must be between 1 and 100"))
        }
        (Some(count), None) => Ok(json!({ "maxUnavailable": count, "updateStrategy": strategy })),
        (None, Some(share)) => Ok(json!({ "maxUnavailablePercentage": share, "updateStrategy": strategy })),
        (None, None) => {
            let mut config = before.cloned().unwrap_or_else(|| json!({ "maxUnavailable": 1 }));
            config["updateStrategy"] = strategy;
            Ok(config)
        }
    }
}

/// `nodeRepairConfig`, off by default.
pub(super) fn node_repair(call: &Params, before: Option<&Value>) -> Result<Value, ApiError> {
    let mut config = before.cloned().unwrap_or_else(|| json!({ "enabled": false }));
    if let Some(sent) = call.structure("nodeRepairConfig") {
        sent.boolean("enabled")?;
        for (name, value) in sent.raw().as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            config[name] = value.clone();
        }
    }
    Ok(config)
}

fn remote_access(world: &World, call: &Call, has_template: bool, cluster: &Cluster) -> Result<Option<Value>, ApiError> {
    let Some(config) = call.structure("remoteAccess") else { return Ok(None) };
    if has_template {
        return Err(invalid("Remote access configuration cannot be specified with a launch template."));
    }
    let groups = config.texts("sourceSecurityGroups");
    if !groups.is_empty() && config.text("ec2SshKey").is_none() {
        return Err(invalid("ec2SshKey must be specified when sourceSecurityGroups are specified"));
    }
    if let Some(name) = config.text("ec2SshKey") {
        key_pairs::named(world, &name).map_err(|error| invalid(error.message))?;
    }
    outside::check_groups(world, &groups, &cluster.network.vpc_id)?;
    Ok(Some(config.raw().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{over, role, with_cluster};
    use crate::testing::{ec2, eks, pass};

    fn asked(subnets: &[String]) -> Value {
        json!({
            "clusterName": "c", "nodegroupName": "g", "nodeRole": role("node"), "subnets": subnets, "instanceTypes": ["m5.large"],
            "scalingConfig": { "minSize": 1, "maxSize": 4, "desiredSize": 3 }, "labels": { "a": "b" }, "clientRequestToken": "t",
        })
    }

    #[test]
    fn a_group_has_nodes_in_its_subnets_in_turn() {
        let (mut world, subnets) = with_cluster();
        let made = eks(&mut world, "CreateNodegroup", asked(&subnets)).unwrap();
        let made = &made["nodegroup"];
        assert_eq!((&made["status"], &made["version"]), (&json!("CREATING"), &json!("1.35")));
        assert_eq!(made["amiType"], "AL2023_x86_64_STANDARD");
        assert_eq!(
            (&made["updateConfig"]["maxUnavailable"], &made["nodeRepairConfig"]["enabled"]),
            (&json!(1), &json!(false))
        );
        let again = eks(&mut world, "CreateNodegroup", asked(&subnets)).unwrap();
        assert_eq!(again["nodegroup"]["nodegroupArn"], made["nodegroupArn"]);
        pass(&mut world, 10);
        let row = world.eks.nodegroups.get("c/g").unwrap().clone();
        assert_eq!((row.status, row.nodes.len()), (Status::Active, 3));
        let group = world.eks.clusters.get("c").unwrap().network.cluster_security_group_id.clone();
        for (node, subnet) in row.nodes.iter().zip(&subnets) {
            let instance = world.ec2.instances.get(&node.instance_id).unwrap();
            assert_eq!(&instance.subnet_id, subnet);
            assert_eq!(instance.tags["kubernetes.io/cluster/c"], "owned");
            assert_eq!(instance.tags["eks:nodegroup-name"], "g");
            let interface = world.ec2.interfaces.get(&instance.interface_id).unwrap();
            assert_eq!(interface.groups, std::slice::from_ref(&group));
            assert!(world.iam.instance_profile_of_arn(instance.profile_arn.as_ref().unwrap()).is_some());
        }
        let entry = json!({ "clusterName": "c", "principalArn": role("node") });
        let entry = eks(&mut world, "DescribeAccessEntry", entry).unwrap();
        assert_eq!(entry["accessEntry"]["type"], "EC2_LINUX");
        assert_eq!(entry["accessEntry"]["kubernetesGroups"], json!(["system:nodes"]));
        assert_eq!(
            eks(&mut world, "DeleteCluster", json!({ "name": "c" })).unwrap_err().message,
            "Cluster has nodegroups attached"
        );

        let name = json!({ "clusterName": "c", "nodegroupName": "g" });
        assert_eq!(eks(&mut world, "DeleteNodegroup", name.clone()).unwrap()["nodegroup"]["status"], "DELETING");
        pass(&mut world, 10);
        let gone = eks(&mut world, "DescribeNodegroup", name).unwrap_err();
        assert_eq!((gone.code.as_str(), gone.status), ("ResourceNotFoundException", 404));
        assert!(
            row.nodes.iter().all(|node| !world
                .ec2
                .instances
                .get(&node.instance_id)
                .is_some_and(|it| it.state.is_here()))
        );
        assert!(!world.eks.access_entries.contains(&key("c", &role("node"))));
        assert!(!world.iam.instance_profiles.contains(&row.instance_profile));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (mut world, subnets) = with_cluster();
        let default_subnet = world.ec2.subnets.values().find(|it| it.is_default).unwrap().subnet_id.clone();
        let sizes = |min: i32, max: i32, desired: i32| json!({ "scalingConfig": { "minSize": min, "maxSize": max, "desiredSize": desired } });
        let asked = asked(&subnets);
        for (change, said) in [
            (json!({ "nodegroupName": "_g" }), "contains invalid characters"),
            (sizes(3, 2, 2), "minSize can't be greater than maxSize"),
            (sizes(2, 3, 1), "minSize can't be greater than desiredSize"),
            (sizes(1, 3, 4), "desiredSize can't be greater than maxSize"),
            (sizes(0, 0, 0), "maxSize is not valid"),
            (json!({ "nodeRole": role("none") }), "does not exist"),
            (json!({ "nodeRole": role("cluster") }), "Following required service principals [ec2.amazonaws.com]"),
            (json!({ "version": "1.34" }), "should be equal to the Cluster Kubernetes version 1.35"),
            (json!({ "version": "1.36" }), "should be equal to the Cluster Kubernetes version 1.35"),
            (json!({ "releaseVersion": "1.34.9-20261105" }), "is not valid for kubernetes version 1.35"),
            (json!({ "subnets": ["subnet-0123456789abcdef0"] }), "does not exist"),
            (json!({ "subnets": [default_subnet] }), "do not belong to the VPC"),
            (json!({ "instanceTypes": ["m5.huge"] }), "instance types do not exist: [m5.huge]"),
            (
                json!({ "instanceTypes": ["m6g.large"], "amiType": "AL2023_x86_64_STANDARD" }),
                "not a valid instance type for requested amiType",
            ),
            (json!({ "amiType": "AL2_x86_64" }), "is not supported"),
            (json!({ "amiType": "CUSTOM" }), "image id"),
            (json!({ "labels": { "kubernetes.io/x": "y" } }), "reserved prefixes"),
            (json!({ "labels": { "x": "-" } }), "valid label"),
            (json!({ "taints": [{ "key": "a", "effect": "NoSchedule" }] }), "effect"),
            (json!({ "updateConfig": { "maxUnavailable": 1, "maxUnavailablePercentage": 10 } }), "Only one of"),
            (json!({ "capacityType": "FREE" }), "capacityType"),
            (json!({ "launchTemplate": { "id": "lt-0123456789abcdef0" }, "diskSize": 20 }), "lt-0123456789abcdef0"),
        ] {
            let change = over(&change, &json!({ "clientRequestToken": change.to_string() }));
            let error = eks(&mut world, "CreateNodegroup", over(&asked, &change)).expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change} {}", error.message);
            assert!(error.message.contains(said), "{change}: {}", error.message);
            assert_eq!(error.members["nodegroupName"], over(&asked, &change)["nodegroupName"]);
        }
        assert!(world.eks.nodegroups.is_empty());
    }

    #[test]
    fn a_launch_template_is_merged() {
        let (mut world, subnets) = with_cluster();
        let vpc = world.eks.clusters.get("c").unwrap().network.vpc_id.clone();
        let group = [("GroupName", "own"), ("GroupDescription", "own"), ("VpcId", vpc.as_str())];
        let group = ec2(&mut world, "CreateSecurityGroup", &group)["groupId"].as_str().unwrap().to_owned();
        let data = [
            ("LaunchTemplateName", "nodes"),
            ("LaunchTemplateData.InstanceType", "m5.large"),
            ("LaunchTemplateData.SecurityGroupId.1", group.as_str()),
            ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
            ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "Name"),
            ("LaunchTemplateData.TagSpecification.1.Tag.1.Value", "node"),
        ];
        ec2(&mut world, "CreateLaunchTemplate", &data);
        let asked = json!({
            "clusterName": "c", "nodegroupName": "g", "nodeRole": role("node"), "subnets": subnets,
            "launchTemplate": { "name": "nodes", "version": "$Latest" }, "scalingConfig": { "desiredSize": 1 },
        });
        for (change, code, said) in [
            (
                json!({ "diskSize": 30 }),
                "InvalidParameterException",
                "Disk size must be specified within the launch template.",
            ),
            (
                json!({ "instanceTypes": ["m5.large"] }),
                "InvalidRequestException",
                "Cannot specify instance types in launch template and API request",
            ),
            (
                json!({ "remoteAccess": {} }),
                "InvalidParameterException",
                "Remote access configuration cannot be specified with a launch template.",
            ),
        ] {
            let error = eks(&mut world, "CreateNodegroup", over(&asked, &change)).unwrap_err();
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, said));
        }
        let made = eks(&mut world, "CreateNodegroup", asked).unwrap();
        assert_eq!(made["nodegroup"]["launchTemplate"]["version"], "1");
        assert_eq!((&made["nodegroup"]["instanceTypes"], &made["nodegroup"]["diskSize"]), (&Value::Null, &Value::Null));
        let row = world.eks.nodegroups.get("c/g").unwrap();
        let instance = world.ec2.instances.get(&row.nodes[0].instance_id).unwrap();
        assert_eq!((instance.instance_type.as_str(), instance.tags["Name"].as_str()), ("m5.large", "node"));
        assert_eq!(world.ec2.interfaces.get(&instance.interface_id).unwrap().groups, [group]);
        let managed = row.managed_template.clone().unwrap();
        assert!(managed.name.starts_with("eks-"));
        assert_eq!(instance.tags["aws:ec2launchtemplate:id"], managed.id);
    }

    #[test]
    fn a_cluster_that_is_made_has_no_groups_yet() {
        let (mut world, subnets) = with_cluster();
        let cluster =
            json!({ "name": "d", "roleArn": role("cluster"), "resourcesVpcConfig": { "subnetIds": subnets } });
        eks(&mut world, "CreateCluster", cluster).unwrap();
        let early = over(&asked(&subnets), &json!({ "clusterName": "d" }));
        let error = eks(&mut world, "CreateNodegroup", early).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("InvalidRequestException", "Cluster 'd' is not in ACTIVE status")
        );
    }
}
