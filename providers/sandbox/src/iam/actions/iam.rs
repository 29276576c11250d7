//! IAM itself.

use super::{Need, context, pass_role, request_tags};
use crate::aws::Call;
use crate::iam::rows::Tags;
use crate::world::World;

/// Operations on nothing in particular.
fn is_on_all(operation: &str) -> bool {
    matches!(
        operation,
        "ListRoles"
            | "ListUsers"
            | "ListGroups"
            | "ListPolicies"
            | "ListInstanceProfiles"
            | "ListOpenIDConnectProviders"
            | "ListAccountAliases"
            | "CreateAccountAlias"
            | "DeleteAccountAlias"
            | "GetAccountSummary"
            | "GetAccountAuthorizationDetails"
            | "SimulateCustomPolicy"
            | "GetServiceLinkedRoleDeletionStatus"
            | "GetAccessKeyLastUsed"
    )
}

pub(super) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let (resource, tags) = if is_on_all(call.operation) { ("*".to_owned(), None) } else { resource(world, call) };
    // IAM is one for all regions, in us-east-1.
    let mut pairs = vec![("aws:RequestedRegion".to_owned(), "us-east-1".to_owned())];
    let sent: Vec<(String, String)> = call
        .structures("Tags")
        .iter()
        .filter_map(|tag| Some((tag.text("Key")?, tag.text("Value").unwrap_or_default())))
        .collect();
    pairs.extend(request_tags(&sent));
    pairs.extend(call.texts("TagKeys").into_iter().map(|key| ("aws:TagKeys".to_owned(), key)));
    for (key, value) in tags.into_iter().flatten() {
        pairs.push((format!("iam:ResourceTag/{key}"), value.clone()));
        pairs.push((format!("aws:ResourceTag/{key}"), value));
    }
    pairs.extend(call.text("PermissionsBoundary").map(|arn| ("iam:PermissionsBoundary".to_owned(), arn)));
    pairs.extend(call.text("AWSServiceName").map(|name| ("iam:AWSServiceName".to_owned(), name)));
    if call.operation.starts_with("Attach") || call.operation.starts_with("Detach") {
        pairs.extend(call.text("PolicyArn").map(|arn| ("iam:PolicyARN".to_owned(), arn)));
    }
    let context = context(pairs);
    let action = format!("iam:{}", call.operation);
    let mut needs = vec![Need { action, resource: resource.clone(), context: context.clone() }];
    if call.operation.starts_with("Create") && !sent.is_empty() {
        let kind = call.operation.trim_start_matches("Create");
        needs.push(Need { action: format!("iam:Tag{kind}"), resource, context });
    }
    if call.operation == "AddRoleToInstanceProfile"
        && let Some(role) = call.text("RoleName").and_then(|name| world.iam.roles.get(&name))
    {
        needs.push(pass_role(world, &role.arn, "ec2.amazonaws.com"));
    }
    needs
}

/// The ARN of what a call is about, and its tags when it is there.
fn resource(world: &World, call: &Call) -> (String, Option<Tags>) {
    let iam = &world.iam;
    let prefix = format!("arn:aws:iam::{}", world.settings.account);
    let path = call.text("Path").unwrap_or_else(|| "/".to_owned());
    let is_about = |word: &str| call.operation.contains(word);
    let new = |kind: &str, name: String| (format!("{prefix}:{kind}{path}{name}"), None);
    if let Some(service) = call.text("AWSServiceName") {
        let role = super::super::linked::role_name(&service).unwrap_or_else(|| "*".to_owned());
        return (format!("{prefix}:role/aws-service-role/{service}/{role}"), None);
    }
    if let Some(arn) = call.text("OpenIDConnectProviderArn") {
        let tags = iam.oidc_providers.get(&arn).map(|row| row.tags.clone());
        return (arn, tags);
    }
    if let Some(url) = call.text("Url").filter(|_| is_about("OpenIDConnectProvider")) {
        return (format!("{prefix}:oidc-provider/{}", url.trim_start_matches("https://")), None);
    }
    if let Some(name) = call.text("InstanceProfileName") {
        return match iam.instance_profiles.get(&name) {
            Some(row) => (row.arn.clone(), Some(row.tags.clone())),
            None => new("instance-profile", name),
        };
    }
    if let Some(name) = call.text("RoleName") {
        return match iam.roles.get(&name) {
            Some(row) => (row.arn.clone(), Some(row.tags.clone())),
            None => new("role", name),
        };
    }
    if let Some(name) = call.text("GroupName") {
        return iam.groups.get(&name).map_or_else(|| new("group", name.clone()), |row| (row.arn.clone(), None));
    }
    if let Some(name) = call.text("UserName") {
        return match iam.users.get(&name) {
            Some(row) => (row.arn.clone(), Some(row.tags.clone())),
            None => new("user", name),
        };
    }
    if let Some(arn) = call.text("PolicySourceArn") {
        return (arn, None);
    }
    if let Some(arn) = call.text("PolicyArn") {
        let tags = iam.policies.get(&arn).map(|row| row.tags.clone());
        return (arn, tags);
    }
    if let Some(name) = call.text("PolicyName").filter(|_| is_about("Policy")) {
        return new("policy", name);
    }
    // What is left is about the caller: GetUser, CreateAccessKey without a name.
    (call.caller.arn.clone(), None)
}
