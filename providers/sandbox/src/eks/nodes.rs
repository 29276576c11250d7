//! The instances of node groups, and what a group needs to have them: instance profile, launch template, groups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{LaunchTemplate, Node, Nodegroup, Status};
use super::outside;
use super::request::invalid;
use crate::aws::ApiError;
use crate::ec2::images;
use crate::ec2::instances::{self, Options, RunInstances};
use crate::ec2::launch_templates;
use crate::ec2::tags::Tags;
use crate::iam::rows::InstanceProfile;
use crate::world::World;

/// A version of a launch template, with what it says (`LaunchTemplateData`, by the names of calls).
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub id: String,
    pub name: String,
    pub version: String,
    pub data: Value,
}

/// Makes what a new group has outside: the instance profile of its role, the group for remote access.
pub(super) fn furnish(world: &mut World, row: &mut Nodegroup) -> Result<(), ApiError> {
    let name = row.instance_profile.clone();
    let profile = InstanceProfile {
        id: world.ids.base32("AIPA", 17),
        path: "/".to_owned(),
        arn: profile_arn(world, &name),
        created: world.now,
        role: row.node_role.rsplit('/').next().map(str::to_owned),
        tags: Tags::new(),
        name: name.clone(),
    };
    world.iam.instance_profiles.insert(name, profile);
    if row.remote_access.is_some() {
        row.remote_access_group = Some(outside::create_remote_access_group(world, row)?);
    }
    row.managed_template = Some(manage_template(world, row)?);
    Ok(())
}

/// Brings the launch template that EKS keeps for a group, `eks-UUID`, to what the group is to be: the user's template with EKS's own
/// values over it. Answers it with its newest version.
pub(super) fn manage_template(world: &mut World, row: &Nodegroup) -> Result<LaunchTemplate, ApiError> {
    let data = managed_data(world, row)?;
    let (name, created_by) = (row.instance_profile.clone(), service_role(world));
    let refused = |error: ApiError| invalid(error.message);
    let Some(known) = launch_templates::named(world, &name).cloned() else {
        let tags = own_tags(row);
        let new = launch_templates::New { name: name.clone(), description: None, data, tags, created_by };
        let id = launch_templates::create(world, new).map_err(refused)?;
        return Ok(LaunchTemplate { id, name, version: "1".to_owned() });
    };
    let newest = launch_templates::version(world, &known, Some("$Latest")).map_err(refused)?;
    let number = if newest.data == data {
        newest.number
    } else {
        launch_templates::add_version(world, &known.id, data, None, created_by).map_err(refused)?
    };
    Ok(LaunchTemplate { id: known.id, name, version: number.to_string() })
}

fn service_role(world: &World) -> String {
    format!("arn:aws:sts::{}:assumed-role/AWSServiceRoleForAmazonEKSNodegroup/EKS", world.settings.account)
}

fn managed_data(world: &World, row: &Nodegroup) -> Result<Value, ApiError> {
    let mut data = match &row.launch_template {
        Some(it) => template(world, Some(it.id.clone()), None, Some(it.version.clone()))?.data,
        None => json!({}),
    };
    data["IamInstanceProfile"] = json!({ "Name": row.instance_profile });
    if data["ImageId"].is_null() {
        data["ImageId"] = json!(image_of(row));
    }
    if data["SecurityGroupId"].is_null() && data["NetworkInterface"].is_null() {
        data["SecurityGroupId"] = json!(groups(world, row, &Value::Null));
    }
    if let Some(size) = row.disk_size {
        let disk = json!({ "DeleteOnTermination": true, "VolumeSize": size, "VolumeType": "gp3" });
        data["BlockDeviceMapping"] = json!([{ "DeviceName": "/dev/xvda", "Ebs": disk }]);
    }
    if data["MetadataOptions"].is_null() {
        data["MetadataOptions"] = json!({ "HttpPutResponseHopLimit": 2, "HttpTokens": "required" });
    }
    let all: Vec<Value> = ["instance", "volume", "network-interface"]
        .iter()
        .map(|kind| {
            let mut tags = own_tags(row);
            tags.extend(specified_tags(&data, kind));
            let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
            json!({ "ResourceType": kind, "Tag": tags })
        })
        .collect();
    data["TagSpecification"] = json!(all);
    Ok(data)
}

/// What everything that EKS makes for a group is tagged with.
fn own_tags(row: &Nodegroup) -> Tags {
    Tags::from([
        ("eks:cluster-name".to_owned(), row.cluster.clone()),
        ("eks:nodegroup-name".to_owned(), row.name.clone()),
    ])
}

/// Removes it again.
pub(super) fn withdraw(world: &mut World, row: &Nodegroup) {
    world.iam.instance_profiles.remove(&row.instance_profile);
    if let Some(group) = &row.remote_access_group {
        outside::remove_group(world, group);
    }
    if let Some(template) = &row.managed_template {
        launch_templates::remove(world, &template.id);
    }
}

fn profile_arn(world: &World, name: &str) -> String {
    format!("arn:aws:iam::{}:instance-profile/{name}", world.settings.account)
}

/// Brings a group to as many nodes as are wanted.
pub(super) fn scale(world: &mut World, id: &str) {
    forget_ended(world, id);
    let Some(row) = world.eks.nodegroups.get(id).cloned() else { return };
    let (has, wanted) = (row.nodes.len(), row.scaling.desired as usize);
    if has < wanted {
        launch(world, id, &row, wanted - has);
    } else if has > wanted {
        let surplus = surplus(world, &row, has - wanted);
        terminate(world, id, &surplus);
    }
}

/// Which nodes go first: of the zone that has most of them, the oldest ("Default termination policy" of EC2 Auto Scaling).
fn surplus(world: &World, row: &Nodegroup, count: usize) -> Vec<String> {
    let mut by_zone: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in &row.nodes {
        let zone = world.ec2.instances.get(&node.instance_id).map_or_else(String::new, |it| it.zone.clone());
        by_zone.entry(zone).or_default().push(&node.instance_id);
    }
    let mut going = Vec::new();
    for _ in 0..count {
        let most = by_zone.values_mut().max_by_key(|nodes| nodes.len());
        if let Some(nodes) = most.filter(|nodes| !nodes.is_empty()) {
            going.push(nodes.remove(0).to_owned());
        }
    }
    going
}

/// Forgets nodes that somebody else ended: the group gets others for them.
fn forget_ended(world: &mut World, id: &str) {
    let Some(row) = world.eks.nodegroups.get(id) else { return };
    let is_here = |node: &Node| world.ec2.instances.get(&node.instance_id).is_some_and(|it| it.state.is_here());
    let nodes: Vec<Node> = row.nodes.iter().filter(|node| is_here(node)).cloned().collect();
    if nodes.len() != row.nodes.len() {
        world.eks.nodegroups.update(id, |row| row.nodes = nodes);
    }
}

/// Launches nodes as `wanted` has them; what fails becomes an issue of the group.
pub(super) fn launch(world: &mut World, id: &str, wanted: &Nodegroup, count: usize) {
    for _ in 0..count {
        let launched = world.eks.nodegroups.get(id).map_or(0, |row| row.launched);
        let answer = launch_one(world, wanted, launched);
        world.eks.nodegroups.update(id, |row| {
            row.launched += 1;
            match answer {
                Ok(node) => {
                    row.nodes.push(node);
                    row.issues.clear();
                    if row.status == Status::Degraded {
                        row.status = Status::Active;
                    }
                }
                Err(error) => {
                    row.issues = vec![issue(&error, &row.auto_scaling_group)];
                    if row.status == Status::Active {
                        row.status = Status::Degraded;
                    }
                }
            }
        });
    }
}

fn issue(error: &ApiError, group: &str) -> Value {
    let code = match error.code.as_str() {
        "InsufficientFreeAddressesInSubnet" => "InsufficientFreeAddresses",
        "InvalidParameterException" => "Ec2SubnetInvalidConfiguration",
        _ => "AsgInstanceLaunchFailures",
    };
    json!({ "code": code, "message": format!("Could not launch On-Demand Instances. {} - {}", error.code, error.message), "resourceIds": [group] })
}

fn launch_one(world: &mut World, row: &Nodegroup, launched: u64) -> Result<Node, ApiError> {
    let subnet = &row.subnets[usize::try_from(launched).unwrap_or(0) % row.subnets.len()];
    outside::check_gives_addresses(world, subnet)?;
    let template = match &row.launch_template {
        Some(it) => Some(self::template(world, Some(it.id.clone()), None, Some(it.version.clone()))?),
        None => None,
    };
    let data = template.as_ref().map_or(Value::Null, |it| it.data.clone());
    let types: Vec<String> = match data["InstanceType"].as_str() {
        Some(kind) => vec![kind.to_owned()],
        None => row.instance_types.clone(),
    };
    // The first type is taken, as with on-demand capacity that never runs out.
    let instance_type = types.first().cloned().unwrap_or_else(|| "t3.medium".to_owned());
    let image_id = match data["ImageId"].as_str() {
        Some(image) => image.to_owned(),
        None => image_of(row),
    };
    let mut tags = tags(row);
    tags.extend(specified_tags(&data, "instance"));
    let run = RunInstances {
        image_id,
        instance_type,
        subnet_id: subnet.clone(),
        groups: groups(world, row, &data),
        tags,
        interface_tags: interface_tags(row, &data),
        profile_arn: Some(profile_arn(world, &row.instance_profile)),
        count: 1,
        options: options(row, &data),
        ..RunInstances::default()
    };
    let ids = instances::run(world, &run)?;
    let instance_id = ids.into_iter().next().ok_or_else(|| invalid("no instance was launched"))?;
    Ok(Node {
        instance_id,
        version: row.version.clone(),
        release_version: row.release_version.clone(),
        template_version: row.launch_template.as_ref().map(|it| it.version.clone()),
    })
}

fn image_of(row: &Nodegroup) -> String {
    let image = images::for_nodes(&row.version, &row.release_version, &row.ami_type);
    image.map_or_else(|| format!("ami-0{:0>16}", row.version.replace('.', "")), |image| image.id)
}

/// The groups of a template alone, where it has some; else the cluster security group and that of remote access.
fn groups(world: &World, row: &Nodegroup, data: &Value) -> Vec<String> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let of_template =
        [texts(&data["SecurityGroupId"]), texts(&data["NetworkInterface"][0]["SecurityGroupId"])].concat();
    if !of_template.is_empty() {
        return of_template;
    }
    let cluster = world.eks.clusters.get(&row.cluster).map(|it| it.network.cluster_security_group_id.clone());
    cluster.into_iter().chain(row.remote_access_group.clone()).collect()
}

/// What EKS and the Auto Scaling group tag instances with.
fn tags(row: &Nodegroup) -> Tags {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut tags = Tags::from([
        pair("aws:autoscaling:groupName", &row.auto_scaling_group),
        pair("eks:cluster-name", &row.cluster),
        pair("eks:nodegroup-name", &row.name),
        pair("aws:eks:cluster-name", &row.cluster),
        pair(&format!("kubernetes.io/cluster/{}", row.cluster), "owned"),
        pair("k8s.io/cluster-autoscaler/enabled", "true"),
        pair(&format!("k8s.io/cluster-autoscaler/{}", row.cluster), "owned"),
    ]);
    if let Some(template) = &row.managed_template {
        tags.extend([
            pair("aws:ec2launchtemplate:id", &template.id),
            pair("aws:ec2launchtemplate:version", &template.version),
        ]);
    }
    tags
}

fn interface_tags(row: &Nodegroup, data: &Value) -> Tags {
    let mut tags = own_tags(row);
    tags.extend(specified_tags(data, "network-interface"));
    tags
}

/// The tags of a template's tag specifications for a kind of resource.
fn specified_tags(data: &Value, kind: &str) -> Tags {
    let specifications = data["TagSpecification"].as_array().into_iter().flatten();
    let of_kind = specifications.filter(|it| it["ResourceType"] == kind);
    let tags = of_kind.flat_map(|it| it["Tag"].as_array().into_iter().flatten());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

fn options(row: &Nodegroup, data: &Value) -> Options {
    let metadata = &data["MetadataOptions"];
    let hops = metadata["HttpPutResponseHopLimit"].as_u64().and_then(|it| u8::try_from(it).ok());
    let key_name = data["KeyName"].as_str().or_else(|| row.remote_access.as_ref()?["ec2SshKey"].as_str());
    Options {
        key_name: key_name.map(str::to_owned),
        user_data: data["UserData"].as_str().map(str::to_owned),
        is_spot: row.capacity_type == "SPOT",
        http_tokens: metadata["HttpTokens"].as_str().unwrap_or("required").to_owned(),
        http_hop_limit: hops.unwrap_or(2),
        ..Options::default()
    }
}

/// Ends nodes.
pub(super) fn terminate(world: &mut World, id: &str, going: &[String]) {
    for instance in going {
        if let Err(error) = instances::terminate(world, instance) {
            tracing::debug!("{instance} of {id} is gone already: {}", error.message);
        }
    }
    world.eks.nodegroups.update(id, |row| row.nodes.retain(|node| !going.contains(&node.instance_id)));
}

/// The launch template that a node group names, by id or name, in the version asked for (`$Default` when none is).
pub(super) fn template(
    world: &World,
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
) -> Result<Template, ApiError> {
    // What EC2 refuses is told in EKS's own code.
    let refused = |error: ApiError| invalid(error.message);
    let template = match (id, name) {
        (Some(id), None) => launch_templates::find(world, &id).map_err(refused)?,
        (None, Some(name)) => launch_templates::named(world, &name).ok_or_else(|| {
            invalid(format!("The specified launch template, with template name {name}, does not exist."))
        })?,
        _ => return Err(invalid("Exactly one of the launch template's id and name must be given.")),
    };
    let found = launch_templates::version(world, template, version.as_deref()).map_err(refused)?;
    Ok(Template {
        id: template.id.clone(),
        name: template.name.clone(),
        version: found.number.to_string(),
        data: found.data.clone(),
    })
}
