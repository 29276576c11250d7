//! What EKS asks of IAM and EC2, and what it makes there: the cluster security group and the control plane's interfaces.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use super::access::Principal;
use super::access_entries;
use super::model::{AuthenticationMode, Cluster};
use super::request::invalid;
use crate::aws::ApiError;
use crate::ec2::interfaces::{self, NewInterface};
use crate::ec2::route_tables;
use crate::ec2::routes::Target;
use crate::ec2::rules::{self, Peer, Spec};
use crate::ec2::security_groups;
use crate::ec2::tags::Tags;
use crate::iam::document::{Document, Effect, Statement};
use crate::iam::rows::Role;
use crate::kubernetes::bootstrap;
use crate::world::World;

/// The account that holds the control planes' interfaces.
const EKS_ACCOUNT: &str = "602401143452";
/// So many interfaces a control plane has at most.
const INTERFACES_MAX: usize = 4;

/// A role by its ARN, with its path.
fn role<'a>(world: &'a World, arn: &str) -> Option<&'a Role> {
    world.iam.role_of_arn(arn)
}

/// The ARN, with its path, of the role of this name.
pub(super) fn role_arn_named(world: &World, name: &str) -> Option<String> {
    world.iam.roles.get(name).map(|role| role.arn.clone())
}

/// The unique id of a user or role of this account.
pub(super) fn principal_id(world: &World, arn: &str) -> Option<String> {
    match Principal::read(arn)?.kind {
        "role" => role(world, arn).map(|role| role.id.clone()),
        "user" => world.iam.user_of_arn(arn).map(|user| user.id.clone()),
        _ => None,
    }
}

/// Whether a role's trust policy lets a service do all of these. Conditions are not looked at: they speak of who makes the service
/// call, which is this account.
fn trusts(role: &Role, service: &str, actions: &[&str]) -> bool {
    let Ok(document) = Document::parse(&role.trust) else { return false };
    let names = |statement: &Statement| {
        let principals = statement.principals.as_ref();
        principals.is_some_and(|principals| {
            let has =
                principals.values.iter().any(|(kind, value)| (kind == "Service" && value == service) || value == "*");
            has != principals.is_not
        })
    };
    let fits = |statement: &Statement, action: &str| {
        let matches = |pattern: &str| crate::aws::filter::matches(&pattern.to_lowercase(), &action.to_lowercase());
        names(statement) && statement.actions.as_ref().is_some_and(|actions| actions.hold(matches))
    };
    actions.iter().all(|action| {
        let has = |effect| document.statements.iter().any(|it| it.effect == effect && fits(it, action));
        has(Effect::Allow) && !has(Effect::Deny)
    })
}

/// A cluster's role exists and lets EKS in.
pub(super) fn check_cluster_role(world: &World, arn: &str) -> Result<(), ApiError> {
    if role(world, arn).is_some_and(|role| trusts(role, "eks.amazonaws.com", &["sts:AssumeRole"])) {
        return Ok(());
    }
    Err(invalid(format!(
        "Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
    )))
}

/// A node role exists and lets EC2 in.
pub(super) fn check_node_role(world: &World, arn: &str) -> Result<(), ApiError> {
    check_exists(world, arn)?;
    if role(world, arn).is_some_and(|role| trusts(role, "ec2.amazonaws.com", &["sts:AssumeRole"])) {
        return Ok(());
    }
    Err(invalid(format!(
        "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole {arn}"
    )))
}

/// A pod execution role exists and lets Fargate in.
pub(super) fn check_pod_execution_role(world: &World, arn: &str) -> Result<(), ApiError> {
    check_exists(world, arn)?;
    if role(world, arn).is_some_and(|role| trusts(role, "eks-fargate-pods.amazonaws.com", &["sts:AssumeRole"])) {
        return Ok(());
    }
    Err(invalid(
        "Misconfigured PodExecutionRole Trust Policy; Please add the eks-fargate-pods.amazonaws.com Service Principal",
    ))
}

/// A role for pods exists and lets EKS Pod Identity in.
pub(super) fn check_pod_role(world: &World, arn: &str) -> Result<(), ApiError> {
    check_exists(world, arn)?;
    if role(world, arn)
        .is_some_and(|role| trusts(role, "pods.eks.amazonaws.com", &["sts:AssumeRole", "sts:TagSession"]))
    {
        return Ok(());
    }
    Err(invalid(
        "Trust policy of the role provided is invalid. Follow the official documentation to resolve the issue.",
    ))
}

/// A role exists.
pub(super) fn check_exists(world: &World, arn: &str) -> Result<(), ApiError> {
    if role(world, arn).is_some() {
        return Ok(());
    }
    Err(invalid(format!("roleArn, {arn}, does not exist")))
}

/// A subnet as EKS sees it.
#[derive(Clone, Debug)]
pub(super) struct Subnet {
    pub id: String,
    pub vpc_id: String,
    pub zone: String,
    pub has_ipv6: bool,
}

/// Subnets, all of which must exist.
pub(super) fn subnets(world: &World, ids: &[String]) -> Result<Vec<Subnet>, ApiError> {
    let mut seen = BTreeSet::new();
    let distinct = ids.iter().filter(|id| seen.insert(id.as_str()));
    distinct
        .map(|id| {
            let row = world.ec2.subnets.get(id);
            let row = row.ok_or_else(|| invalid(format!("The subnet ID '{id}' does not exist")))?;
            let has_ipv6 = row.ipv6_cidr().is_some();
            Ok(Subnet { id: id.clone(), vpc_id: row.vpc_id.clone(), zone: row.zone.clone(), has_ipv6 })
        })
        .collect()
}

/// The zones of subnets, in so far as they are there.
pub(super) fn zones(world: &World, ids: &[String]) -> BTreeSet<String> {
    ids.iter().filter_map(|id| world.ec2.subnets.get(id)).map(|row| row.zone.clone()).collect()
}

/// The IPv4 blocks of a VPC.
pub(super) fn vpc_blocks(world: &World, vpc_id: &str) -> Vec<Ipv4Net> {
    let Some(vpc) = world.ec2.vpcs.get(vpc_id) else { return Vec::new() };
    std::iter::once(vpc.cidr).chain(vpc.blocks.iter().map(|(_, block)| *block)).collect()
}

/// Groups exist and belong to the VPC.
pub(super) fn check_groups(world: &World, ids: &[String], vpc_id: &str) -> Result<(), ApiError> {
    if ids.len() > interfaces::GROUPS_MAX {
        return Err(invalid(format!("At most {} security groups can be specified", interfaces::GROUPS_MAX)));
    }
    for id in ids {
        let row = world.ec2.security_groups.get(id);
        let row = row.ok_or_else(|| invalid(format!("The security group ID '{id}' does not exist")))?;
        if row.vpc_id != vpc_id {
            return Err(invalid(format!("Security group {id} does not belong to the VPC {vpc_id} of the subnets")));
        }
    }
    Ok(())
}

/// Makes the cluster security group: everything from itself, everything out (EKS User Guide, "View Amazon EKS security group
/// requirements for clusters").
pub(super) fn create_cluster_group(world: &mut World, cluster: &Cluster) -> Result<String, ApiError> {
    let number: u32 = world.ids.bytes()[..4].iter().fold(0, |number, byte| (number << 8) | u32::from(*byte));
    let name = format!("eks-cluster-sg-{}-{number}", cluster.name);
    let tags = Tags::from([
        ("Name".to_owned(), name.clone()),
        (format!("kubernetes.io/cluster/{}", cluster.name), "owned".to_owned()),
        ("aws:eks:cluster-name".to_owned(), cluster.name.clone()),
    ]);
    let description =
        "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any \
                       managed workloads."
            .to_owned();
    let new = security_groups::New { name, description, vpc_id: cluster.network.vpc_id.clone(), tags };
    let id = security_groups::create(world, new).map_err(|error| invalid(error.message))?;
    let user_id = world.settings.account.clone();
    let itself =
        Peer::Group { group_id: id.clone(), user_id, vpc_id: cluster.network.vpc_id.clone(), peering_id: None };
    rules::insert(world, &id, false, Spec::everything(itself), None, Tags::new());
    Ok(id)
}

/// Makes the control plane's interfaces: one in each zone, at most four, "Amazon EKS NAME".
pub(super) fn create_interfaces(world: &mut World, cluster: &Cluster) -> Result<Vec<String>, ApiError> {
    let subnets = subnets(world, &cluster.network.subnet_ids)?;
    let mut zones = BTreeSet::new();
    let one_a_zone: Vec<&Subnet> = subnets.iter().filter(|subnet| zones.insert(subnet.zone.as_str())).collect();
    let groups: Vec<String> = std::iter::once(&cluster.network.cluster_security_group_id)
        .chain(&cluster.network.security_group_ids)
        .take(interfaces::GROUPS_MAX)
        .cloned()
        .collect();
    let requester = role(world, &cluster.role_arn).map(|role| format!("{}:AmazonEKS", role.id));
    let mut ids = Vec::new();
    for subnet in one_a_zone.into_iter().take(INTERFACES_MAX) {
        let new = NewInterface {
            subnet_id: subnet.id.clone(),
            groups: groups.clone(),
            description: format!("Amazon EKS {}", cluster.name),
            requester_id: requester.clone(),
            held_by: Some(EKS_ACCOUNT.to_owned()),
            ..NewInterface::default()
        };
        ids.push(interfaces::create(world, new).map_err(|error| invalid(error.message))?);
    }
    Ok(ids)
}

/// Puts the control plane's interfaces into the cluster's subnets and groups as they are now.
pub(super) fn move_interfaces(world: &mut World, name: &str) {
    let Some(cluster) = world.eks.clusters.get(name).cloned() else { return };
    match create_interfaces(world, &cluster) {
        Ok(ids) => {
            for old in &cluster.interfaces {
                interfaces::remove(world, old);
            }
            world.eks.clusters.update(name, |row| row.interfaces = ids);
        }
        Err(error) => tracing::warn!("cluster {name} keeps its interfaces: {}", error.message),
    }
}

/// Removes the control plane's interfaces, and its group in so far as nothing else uses it.
pub(super) fn remove_control_plane(world: &mut World, cluster: &Cluster) {
    for id in &cluster.interfaces {
        interfaces::remove(world, id);
    }
    if let Err(error) = security_groups::delete(world, &cluster.network.cluster_security_group_id) {
        tracing::debug!("the group of cluster {} stays: {}", cluster.name, error.message);
    }
}

/// Makes the group that lets SSH into a node group's nodes: from the groups named, or from everywhere.
pub(super) fn create_remote_access_group(world: &mut World, row: &super::model::Nodegroup) -> Result<String, ApiError> {
    let vpc_id = world.eks.clusters.get(&row.cluster).map(|it| it.network.vpc_id.clone()).unwrap_or_default();
    let name = format!("eks-remoteAccess-{}", row.instance_profile.trim_start_matches("eks-"));
    let description =
        format!("Security group for all nodes in the nodeGroup to allow SSH access to the nodes, {}", row.name);
    let tags = Tags::from([
        ("eks".to_owned(), row.name.clone()),
        ("eks:nodegroup-name".to_owned(), row.name.clone()),
        ("Name".to_owned(), name.clone()),
    ]);
    let new = security_groups::New { name, description, vpc_id: vpc_id.clone(), tags };
    let id = security_groups::create(world, new).map_err(|error| invalid(error.message))?;
    let sources = row.remote_access.as_ref().map(|it| it["sourceSecurityGroups"].clone()).unwrap_or_default();
    let sources: Vec<String> = serde_json::from_value(sources).unwrap_or_default();
    let user_id = world.settings.account.clone();
    let from_group =
        |group_id: String| Peer::Group { group_id, user_id: user_id.clone(), vpc_id: vpc_id.clone(), peering_id: None };
    let peers: Vec<Peer> = if sources.is_empty() {
        vec![Peer::anywhere_ipv4(), Peer::anywhere_ipv6()]
    } else {
        sources.into_iter().map(from_group).collect()
    };
    for peer in peers {
        let spec = Spec { protocol: "tcp".to_owned(), from_port: Some(22), to_port: Some(22), peer };
        rules::insert(world, &id, false, spec, None, Tags::new());
    }
    Ok(id)
}

/// Removes a group in so far as nothing else uses it.
pub(super) fn remove_group(world: &mut World, id: &str) {
    if let Err(error) = security_groups::delete(world, id) {
        tracing::debug!("the group {id} stays: {}", error.message);
    }
}

/// Whether a subnet has a way to the internet of its own: a route to an internet gateway.
pub(super) fn is_public(world: &World, subnet: &str) -> bool {
    let Some(table) = route_tables::of_subnet(world, subnet) else { return false };
    table.routes.iter().any(|route| matches!(route.target, Target::InternetGateway(_)))
}

/// Nodes in a public subnet need public addresses (User Guide, "Create a managed node group").
pub(super) fn check_gives_addresses(world: &World, subnet: &str) -> Result<(), ApiError> {
    let maps = world.ec2.subnets.get(subnet).is_some_and(|row| row.map_public_ip);
    if maps || !is_public(world, subnet) {
        return Ok(());
    }
    Err(invalid(format!(
        "One or more Amazon EC2 Subnets of [{subnet}] for node group does not automatically assign public IP addresses to instances \
         launched into it. If you want your instances to be assigned a public IP address, then you need to enable auto-assign public \
         IP address for the subnet."
    )))
}

/// Lets the nodes of a role join a cluster: by an access entry, or by `aws-auth` where there are none.
pub(super) fn let_nodes_in(world: &mut World, cluster: &str, role: &str, kind: &str) {
    let mode = world.eks.clusters.get(cluster).map(|row| row.authentication_mode);
    if mode == Some(AuthenticationMode::ConfigMap) {
        bootstrap::map_node_role(world, cluster, role, kind == "FARGATE_LINUX");
    } else {
        access_entries::insert(world, cluster, role, kind, BTreeMap::new());
    }
}
