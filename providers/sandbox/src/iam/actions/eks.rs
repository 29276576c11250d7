//! EKS.

use std::collections::BTreeMap;

use super::{Need, context, pass_role, region, request_tags};
use crate::aws::Call;
use crate::world::World;

/// Operations without a resource.
const ON_ALL: [&str; 9] = [
    "DescribeAddonConfiguration",
    "DescribeAddonVersions",
    "DescribeClusterVersions",
    "ListAccessPolicies",
    "ListClusters",
    "RegisterCluster",
    "CreateEksAnywhereSubscription",
    "ListEksAnywhereSubscriptions",
    "ListCapabilities",
];

/// Where an operation's resource is named: the resource type, and the parameters after the cluster. All others are on the cluster.
fn below_cluster(operation: &str) -> Option<(&'static str, &'static str)> {
    Some(match operation {
        "DescribeNodegroup" | "DeleteNodegroup" | "UpdateNodegroupConfig" | "UpdateNodegroupVersion" => {
            ("nodegroup", "nodegroupName")
        }
        "DescribeAddon" | "DeleteAddon" | "UpdateAddon" => ("addon", "addonName"),
        "DescribeFargateProfile" | "DeleteFargateProfile" => ("fargateprofile", "fargateProfileName"),
        "DescribeAccessEntry"
        | "DeleteAccessEntry"
        | "UpdateAccessEntry"
        | "ListAssociatedAccessPolicies"
        | "AssociateAccessPolicy"
        | "DisassociateAccessPolicy" => ("access-entry", "principalArn"),
        "DescribePodIdentityAssociation" | "DeletePodIdentityAssociation" | "UpdatePodIdentityAssociation" => {
            ("podidentityassociation", "associationId")
        }
        "DescribeIdentityProviderConfig" | "DisassociateIdentityProviderConfig" => ("identityproviderconfig", "name"),
        _ => return None,
    })
}

/// The parameters that hand a role over, and to which service.
const PASSED: [(&str, &str, &str); 8] = [
    ("CreateCluster", "roleArn", "eks.amazonaws.com"),
    ("CreateNodegroup", "nodeRole", "eks.amazonaws.com"),
    ("CreateFargateProfile", "podExecutionRoleArn", "eks.amazonaws.com"),
    ("CreateAddon", "serviceAccountRoleArn", "eks.amazonaws.com"),
    ("UpdateAddon", "serviceAccountRoleArn", "eks.amazonaws.com"),
    ("CreatePodIdentityAssociation", "roleArn", "pods.eks.amazonaws.com"),
    ("UpdatePodIdentityAssociation", "roleArn", "pods.eks.amazonaws.com"),
    ("CreatePodIdentityAssociation", "targetRoleArn", "pods.eks.amazonaws.com"),
];

pub(super) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let cluster = call.text("clusterName").or_else(|| call.text("name"));
    let resource = resource(world, call, cluster.as_deref());
    let tags = call.map("tags");
    let mut pairs = vec![("aws:RequestedRegion".to_owned(), region(world, call))];
    pairs.extend(request_tags(&tags));
    pairs.extend(call.texts("tagKeys").into_iter().map(|key| ("aws:TagKeys".to_owned(), key)));
    pairs.extend(
        resource_tags(world, &resource).into_iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), value)),
    );
    pairs.extend(own_keys(call, cluster));
    let context = context(pairs);
    let action = format!("eks:{}", call.operation);
    let mut needs = vec![Need { action, resource: resource.clone(), context: context.clone() }];
    if call.operation.starts_with("Create") && !tags.is_empty() {
        needs.push(Need { action: "eks:TagResource".to_owned(), resource, context });
    }
    for (operation, parameter, service) in PASSED {
        if operation == call.operation
            && let Some(role) = call.text(parameter)
        {
            needs.push(pass_role(world, &role, service));
        }
    }
    if matches!(call.operation, "CreateAddon" | "UpdateAddon") {
        let associations = call.structures("podIdentityAssociations");
        let roles = associations.iter().filter_map(|association| association.text("roleArn"));
        needs.extend(roles.map(|role| pass_role(world, &role, "pods.eks.amazonaws.com")));
    }
    needs
}

/// The condition keys that EKS adds of its own.
fn own_keys(call: &Call, cluster: Option<String>) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> =
        cluster.map(|name| ("eks:clusterName".to_owned(), name)).into_iter().collect();
    for (parameter, key) in [
        ("principalArn", "eks:principalArn"),
        ("policyArn", "eks:policyArn"),
        ("username", "eks:username"),
        ("type", "eks:accessEntryType"),
    ] {
        pairs.extend(call.text(parameter).map(|value| (key.to_owned(), value)));
    }
    pairs.extend(call.texts("kubernetesGroups").into_iter().map(|group| ("eks:kubernetesGroups".to_owned(), group)));
    if let Some(scope) = call.structure("accessScope") {
        pairs.extend(scope.text("type").map(|value| ("eks:accessScope".to_owned(), value)));
        pairs.extend(scope.texts("namespaces").into_iter().map(|name| ("eks:namespaces".to_owned(), name)));
    }
    if let Some(access) = call.structure("accessConfig") {
        pairs.extend(access.text("authenticationMode").map(|mode| ("eks:authenticationMode".to_owned(), mode)));
        let admin = access.text("bootstrapClusterCreatorAdminPermissions");
        pairs.extend(admin.map(|value| ("eks:bootstrapClusterCreatorAdminPermissions".to_owned(), value)));
    }
    pairs
}

fn resource(world: &World, call: &Call, cluster: Option<&str>) -> String {
    if ON_ALL.contains(&call.operation) {
        return "*".to_owned();
    }
    if let Some(arn) = call.text("resourceArn") {
        return arn;
    }
    let prefix = format!("arn:aws:eks:{}:{}", world.settings.region, world.settings.account);
    let Some(cluster) = cluster else { return "*".to_owned() };
    let Some((kind, parameter)) = below_cluster(call.operation) else { return format!("{prefix}:cluster/{cluster}") };
    let name = call.text(parameter).or_else(|| call.structure("identityProviderConfig")?.text("name"));
    let name = name.unwrap_or_default();
    known_arn(world, cluster, kind, &name).unwrap_or_else(|| {
        // EKS puts an id behind the name; what is not there has none.
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        format!("{prefix}:{kind}/{cluster}/{name}/*")
    })
}

/// The ARN of what is there, with the id in it.
fn known_arn(world: &World, cluster: &str, kind: &str, name: &str) -> Option<String> {
    let eks = &world.eks;
    match kind {
        "nodegroup" => {
            eks.nodegroups.values().find(|row| row.cluster == cluster && row.name == name).map(|row| row.arn.clone())
        }
        "addon" => {
            eks.addons.values().find(|row| row.cluster == cluster && row.name == name).map(|row| row.arn.clone())
        }
        "fargateprofile" => eks
            .fargate_profiles
            .values()
            .find(|row| row.cluster == cluster && row.name == name)
            .map(|row| row.arn.clone()),
        _ => None,
    }
}

/// The tags of what an ARN names.
fn resource_tags(world: &World, arn: &str) -> BTreeMap<String, String> {
    let eks = &world.eks;
    let kind = arn.splitn(6, ':').nth(5).and_then(|rest| rest.split_once('/'));
    let tags = match kind {
        Some(("cluster", name)) => eks.clusters.get(name).map(|row| row.tags.clone()),
        Some(("nodegroup", _)) => eks.nodegroups.values().find(|row| row.arn == arn).map(|row| row.tags.clone()),
        Some(("addon", _)) => eks.addons.values().find(|row| row.arn == arn).map(|row| row.tags.clone()),
        Some(("fargateprofile", _)) => {
            eks.fargate_profiles.values().find(|row| row.arn == arn).map(|row| row.tags.clone())
        }
        _ => None,
    };
    tags.unwrap_or_default()
}
