//! Service-linked roles: roles that a service makes for itself.
//!
//! Source: IAM User Guide, "AWS services that work with IAM", and the services' own pages on their roles.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::common::{description, input, no_such, sized};
use super::rows::{Grants, Role, Tags};
use crate::aws::{Answer, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateServiceLinkedRole", run: create },
    Operation { name: "DeleteServiceLinkedRole", run: delete },
    Operation { name: "GetServiceLinkedRoleDeletionStatus", run: get_deletion_status },
];

/// The deletion of a service-linked role. Its row's id is the task's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deletion {
    /// Why the role stays; `None` when it is gone.
    pub reason: Option<String>,
    /// The ARNs of what uses it.
    pub used_by: Vec<String>,
}

/// A service that has such a role.
struct Service {
    /// `eks.amazonaws.com`.
    name: &'static str,
    /// What comes after `AWSServiceRoleFor`.
    role: &'static str,
    /// The name of its managed policy under `/aws-service-role/`.
    policy: &'static str,
    /// Whether it takes several roles told apart by a suffix.
    takes_suffix: bool,
}

const fn service(name: &'static str, role: &'static str, policy: &'static str, takes_suffix: bool) -> Service {
    Service { name, role, policy, takes_suffix }
}

const SERVICES: &[Service] = &[
    service("eks.amazonaws.com", "AmazonEKS", "AmazonEKSServiceRolePolicy", false),
    service("eks-nodegroup.amazonaws.com", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup", false),
    service("eks-fargate.amazonaws.com", "AmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy", false),
    service("eks-connector.amazonaws.com", "AmazonEKSConnector", "AmazonEKSConnectorServiceRolePolicy", false),
    service("dashboard.eks.amazonaws.com", "AmazonEKSDashboard", "AmazonEKSDashboardServiceRolePolicy", false),
    service("autoscaling.amazonaws.com", "AutoScaling", "AutoScalingServiceRolePolicy", true),
    service(
        "elasticloadbalancing.amazonaws.com",
        "ElasticLoadBalancing",
        "AWSElasticLoadBalancingServiceRolePolicy",
        false,
    ),
    service("spot.amazonaws.com", "EC2Spot", "AWSEC2SpotServiceRolePolicy", false),
    service("rds.amazonaws.com", "RDS", "AmazonRDSServiceRolePolicy", false),
];

fn of(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

/// The name of a service's role.
pub(super) fn role_name(service: &str) -> Option<String> {
    of(service).map(|service| format!("AWSServiceRoleFor{}", service.role))
}

/// Makes the role of a service (`eks-nodegroup.amazonaws.com`) when it is not there, as services do on first use; answers its ARN.
/// `None` for a service without such a role.
pub fn ensure(world: &mut World, service: &str) -> Option<String> {
    let (name, service) = (role_name(service)?, of(service)?);
    if let Some(role) = world.iam.roles.get(&name) {
        return Some(role.arn.clone());
    }
    Some(make(world, service, name, None).arn)
}

fn make(world: &mut World, service: &Service, name: String, description: Option<String>) -> Role {
    let path = format!("/aws-service-role/{}/", service.name);
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": service.name }, "Action": "sts:AssumeRole" }],
    });
    let policy = format!("arn:aws:iam::aws:policy/aws-service-role/{}", service.policy);
    let attached = if world.iam.policies.contains(&policy) { vec![policy] } else { Vec::new() };
    let role = Role {
        id: world.ids.base32("AROA", 17),
        arn: format!("arn:aws:iam::{}:role{path}{name}", world.settings.account),
        name: name.clone(),
        path,
        created: world.now,
        trust: trust.to_string(),
        description,
        max_session_secs: 3600,
        tags: Tags::new(),
        grants: Grants { attached, ..Grants::default() },
        last_used: None,
    };
    world.iam.roles.insert(name, role.clone());
    role
}

fn create(world: &mut World, call: &Call) -> Answer {
    let (name, description) = (sized(call, "AWSServiceName", 128)?, description(call)?);
    let service = of(&name)
        .ok_or_else(|| input(format!("{name} is not a service with a service-linked role in this sandbox.")))?;
    let suffix = call.text("CustomSuffix").filter(|suffix| !suffix.is_empty());
    if suffix.is_some() && !service.takes_suffix {
        return Err(input(format!("Custom suffix is not allowed for {name}")));
    }
    let suffix = suffix.map(|suffix| format!("_{suffix}")).unwrap_or_default();
    let role = format!("AWSServiceRoleFor{}{suffix}", service.role);
    if world.iam.roles.contains(&role) {
        let why = "has been taken in this account, please try a different suffix.";
        return Err(input(format!("Service role name {role} {why}")));
    }
    let role = make(world, service, role, description);
    Ok(json!({ "Role": super::roles::shown(&role, false) }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let role = super::roles::named(world, call)?;
    if !role.is_service_linked() {
        return Err(no_such(format!("The role with name {} is not a service-linked role.", role.name)));
    }
    let (name, path) = (role.name.clone(), role.path.clone());
    let used_by = users_of(world, &path);
    let task = format!("task{path}{name}/{}", world.ids.uuid());
    let reason = (!used_by.is_empty()).then(|| "The role is in use by the following resources.".to_owned());
    if reason.is_none() {
        super::roles::remove(world, &name);
    }
    world.iam.deletions.insert(task.clone(), Deletion { reason, used_by });
    Ok(json!({ "DeletionTaskId": task }))
}

fn get_deletion_status(world: &mut World, call: &Call) -> Answer {
    let task = sized(call, "DeletionTaskId", 1000)?;
    let unknown = || no_such(format!("Deletion task {task} cannot be found."));
    let deletion = world.iam.deletions.get(&task).ok_or_else(unknown)?;
    let Some(reason) = &deletion.reason else { return Ok(json!({ "Status": "SUCCEEDED" })) };
    let usage = json!({ "Region": world.settings.region, "Resources": deletion.used_by });
    Ok(json!({ "Status": "FAILED", "Reason": { "Reason": reason, "RoleUsageList": [usage] } }))
}

/// The ARNs of what a service's role is needed for.
fn users_of(world: &World, path: &str) -> Vec<String> {
    let eks = &world.eks;
    match path {
        "/aws-service-role/eks.amazonaws.com/" => eks.clusters.values().map(|row| row.arn.clone()).collect(),
        "/aws-service-role/eks-nodegroup.amazonaws.com/" => {
            eks.nodegroups.values().map(|row| row.arn.clone()).collect()
        }
        "/aws-service-role/eks-fargate.amazonaws.com/" => {
            eks.fargate_profiles.values().map(|row| row.arn.clone()).collect()
        }
        _ => Vec::new(),
    }
}
