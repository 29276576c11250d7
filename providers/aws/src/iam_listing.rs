//! Reading IAM in bulk.
//!
//! IAM has no call that answers ten named roles, but one that answers the whole account: GetAccountAuthorizationDetails,
//! roles with their trust policies, tags, inline policies and attachments, or customer managed policies with their documents.
//! A refresh that wants more than a few objects asks that once, for all IAM types together. What it does not hold is asked
//! beside it: descriptions and session durations of roles (ListRoles, in pages of 1,000), and tags of policies (one
//! ListPolicyTags for each policy that has recorded tags; tags put by others on a policy that had none stay unseen).
//!
//! The listing lags behind by seconds. It never proves absence: what is not in it is asked by name.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_iam::types::{EntityType, ManagedPolicyDetail, Policy, Role, RoleDetail};
use sgp_contract::ReadScope;
use tokio::sync::OnceCell;

use crate::{
    client::AwsClient,
    errors::{ApiError, Call},
    iam::{each, is_gone},
    policy_document::decode_document,
};

/// Up to so many objects of a kind are asked one by one.
pub const SINGLY: usize = 4;

/// The largest page that IAM answers.
const PAGE: i32 = 1000;

/// A listing is given up after so many pages when fewer objects are wanted: single calls cost less then.
const PAGES_MIN: usize = 10;

/// A managed policy and its document.
#[derive(Clone, Debug)]
pub struct PolicyRead {
    /// The policy; a listing leaves `description` and `tags` out.
    pub policy: Policy,
    /// The default version's document, decoded.
    pub document: String,
    /// Whether `description` and `tags` of the policy count.
    pub complete: bool,
}

/// What a role carries: attachments and inline policies.
#[derive(Clone, Debug, Default)]
struct Carried {
    /// ARNs of attached managed policies.
    attached: BTreeSet<String>,
    /// Documents of inline policies by name, decoded.
    inline: BTreeMap<String, String>,
}

/// The listings of one refresh, for each client.
#[derive(Default)]
pub struct IamListings(Mutex<HashMap<usize, Arc<Listings>>>);

#[derive(Default)]
struct Listings {
    details: OnceCell<Option<HashMap<String, RoleDetail>>>,
    roles: OnceCell<Option<HashMap<String, Role>>>,
    policies: OnceCell<Option<HashMap<String, ManagedPolicyDetail>>>,
}

fn listings(client: &AwsClient, scope: &ReadScope) -> Arc<Listings> {
    // The engine holds its clients for as long as the scope lives, so the address names the client.
    let key = std::ptr::from_ref(client).addr();
    let all = scope.get::<IamListings>();
    let mut by_client = all.0.lock().unwrap_or_else(PoisonError::into_inner);
    by_client.entry(key).or_default().clone()
}

/// Roles by name; in the answer `None` says that there is no such role.
pub async fn roles(
    client: &AwsClient,
    scope: &ReadScope,
    names: &BTreeSet<String>,
) -> HashMap<String, Result<Option<Role>, ApiError>> {
    let mut found = HashMap::new();
    if names.len() > SINGLY {
        let listings = listings(client, scope);
        let (details, facts) = tokio::join!(listings.details(client, names.len()), listings.roles(client, names.len()));
        if let (Some(details), Some(facts)) = (details, facts) {
            let listed =
                names.iter().filter_map(|n| Some((n.clone(), Ok(Some(joined(facts.get(n)?, details.get(n)?))))));
            found.extend(listed);
        }
    }
    let rest: Vec<_> = names.iter().filter(|n| !found.contains_key(*n)).cloned().collect();
    found.extend(each(rest, |name| async move { (name.clone(), role(client, &name).await) }).await);
    found
}

/// One role with everything that IAM knows of it.
///
/// # Errors
/// What GetRole answers.
pub async fn role(client: &AwsClient, name: &str) -> Result<Option<Role>, ApiError> {
    match client.iam.get_role().role_name(name).send().await.call("iam:GetRole") {
        Ok(answer) => Ok(answer.role),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A role as GetRole answers it: ListRoles has description and session duration, the details have the rest.
fn joined(facts: &Role, details: &RoleDetail) -> Role {
    let mut role = facts.clone();
    role.assume_role_policy_document.clone_from(&details.assume_role_policy_document);
    role.permissions_boundary.clone_from(&details.permissions_boundary);
    role.tags.clone_from(&details.tags);
    role
}

/// ARNs of the managed policies that are attached to each role; `None` says that there is no such role.
pub async fn attached_policies(
    client: &AwsClient,
    scope: &ReadScope,
    attachments: &[(String, String)],
) -> HashMap<String, Result<Option<BTreeSet<String>>, ApiError>> {
    let roles: BTreeSet<&String> = attachments.iter().map(|(role, _)| role).collect();
    let mut found = HashMap::new();
    if roles.len() > SINGLY
        && let Some(details) = listings(client, scope).details(client, roles.len()).await
    {
        for role in &roles {
            let carried = details.get(*role).map(carried).unwrap_or_default();
            // Only a role whose wanted attachments are all there needs no second look.
            if attachments.iter().filter(|(r, _)| r == *role).all(|(_, arn)| carried.attached.contains(arn)) {
                found.insert((*role).clone(), Ok(Some(carried.attached)));
            }
        }
    }
    let rest: Vec<_> = roles.into_iter().filter(|r| !found.contains_key(*r)).cloned().collect();
    found.extend(each(rest, |role| async move { (role.clone(), attached_to(client, &role).await) }).await);
    found
}

/// ARNs of the managed policies that are attached to a role; `None` when there is no such role.
///
/// # Errors
/// What ListAttachedRolePolicies answers.
pub async fn attached_to(client: &AwsClient, role: &str) -> Result<Option<BTreeSet<String>>, ApiError> {
    let mut pages =
        client.iam.list_attached_role_policies().role_name(role).max_items(PAGE).into_paginator().items().send();
    let mut arns = BTreeSet::new();
    while let Some(policy) = pages.next().await {
        match policy.call("iam:ListAttachedRolePolicies") {
            Ok(policy) => arns.extend(policy.policy_arn),
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(arns))
}

/// Documents of inline policies by (role, name), decoded; `None` says that there is no such policy.
pub async fn inline_policies(
    client: &AwsClient,
    scope: &ReadScope,
    wanted: &BTreeSet<(String, String)>,
) -> HashMap<(String, String), Result<Option<String>, ApiError>> {
    let mut found = HashMap::new();
    if wanted.len() > SINGLY
        && let Some(details) = listings(client, scope).details(client, wanted.len()).await
    {
        for (role, name) in wanted {
            let document = details.get(role).map(carried).and_then(|mut carried| carried.inline.remove(name));
            if let Some(document) = document {
                found.insert((role.clone(), name.clone()), Ok(Some(document)));
            }
        }
    }
    let rest: Vec<_> = wanted.iter().filter(|key| !found.contains_key(*key)).cloned().collect();
    found.extend(
        each(
            rest,
            |(role, name)| async move { ((role.clone(), name.clone()), inline_policy(client, &role, &name).await) },
        )
        .await,
    );
    found
}

/// The names of a role's inline policies; none when there is no such role.
///
/// # Errors
/// What ListRolePolicies answers.
pub async fn inline_names(client: &AwsClient, role: &str) -> Result<Vec<String>, ApiError> {
    let mut found = Vec::new();
    let mut names = client.iam.list_role_policies().role_name(role).into_paginator().items().send();
    while let Some(name) = names.next().await {
        match name.call("iam:ListRolePolicies") {
            Err(error) if is_gone(&error) => break,
            name => found.push(name?),
        }
    }
    Ok(found)
}

/// The document of one inline policy, decoded.
///
/// # Errors
/// What GetRolePolicy answers.
pub async fn inline_policy(client: &AwsClient, role: &str, name: &str) -> Result<Option<String>, ApiError> {
    match client.iam.get_role_policy().role_name(role).policy_name(name).send().await.call("iam:GetRolePolicy") {
        Ok(answer) => Ok(Some(decode_document(answer.policy_document()))),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn carried(details: &RoleDetail) -> Carried {
    let inline = details
        .role_policy_list()
        .iter()
        .filter_map(|p| Some((p.policy_name()?.to_owned(), decode_document(p.policy_document()?))));
    Carried {
        attached: details
            .attached_managed_policies()
            .iter()
            .filter_map(|p| p.policy_arn().map(str::to_owned))
            .collect(),
        inline: inline.collect(),
    }
}

/// Managed policies by ARN; `None` says that there is no such policy.
pub async fn policies(
    client: &AwsClient,
    scope: &ReadScope,
    arns: &BTreeSet<String>,
) -> HashMap<String, Result<Option<PolicyRead>, ApiError>> {
    let mut found = HashMap::new();
    if arns.len() > SINGLY
        && let Some(details) = listings(client, scope).policies(client, arns.len()).await
    {
        found.extend(arns.iter().filter_map(|arn| Some((arn.clone(), Ok(Some(listed_policy(details.get(arn)?)?))))));
    }
    let rest: Vec<_> = arns.iter().filter(|arn| !found.contains_key(*arn)).cloned().collect();
    found.extend(each(rest, |arn| async move { (arn.clone(), policy(client, &arn).await) }).await);
    found
}

/// One managed policy with everything that IAM knows of it.
///
/// # Errors
/// What GetPolicy or GetPolicyVersion answers.
pub async fn policy(client: &AwsClient, arn: &str) -> Result<Option<PolicyRead>, ApiError> {
    let read = || async {
        let answer = client.iam.get_policy().policy_arn(arn).send().await.call("iam:GetPolicy")?;
        let Some(policy) = answer.policy else { return Ok(None) };
        let version = policy.default_version_id().unwrap_or("v1");
        let answer = client
            .iam
            .get_policy_version()
            .policy_arn(arn)
            .version_id(version)
            .send()
            .await
            .call("iam:GetPolicyVersion")?;
        let document = answer.policy_version().and_then(|v| v.document()).map(decode_document).unwrap_or_default();
        Ok(Some(PolicyRead { policy, document, complete: true }))
    };
    match read().await {
        Err(error) if is_gone(&error) => Ok(None),
        other => other,
    }
}

fn listed_policy(details: &ManagedPolicyDetail) -> Option<PolicyRead> {
    let version = details.policy_version_list().iter().find(|v| v.is_default_version())?;
    let policy = Policy::builder()
        .set_policy_name(details.policy_name.clone())
        .set_policy_id(details.policy_id.clone())
        .set_arn(details.arn.clone())
        .set_path(details.path.clone())
        .set_default_version_id(details.default_version_id.clone())
        .set_attachment_count(details.attachment_count)
        .set_description(details.description.clone())
        .set_create_date(details.create_date)
        .build();
    Some(PolicyRead { policy, document: decode_document(version.document()?), complete: false })
}

/// Each listing is made once; `None` when it cannot be had (denied, or the account is much larger than what is wanted).
impl Listings {
    async fn details(&self, client: &AwsClient, wanted: usize) -> Option<&HashMap<String, RoleDetail>> {
        let make = || async {
            let mut request = client.iam.get_account_authorization_details().filter(EntityType::Role).max_items(PAGE);
            let mut found = HashMap::new();
            for _ in 0..wanted.max(PAGES_MIN) {
                let page = request.clone().send().await.call("iam:GetAccountAuthorizationDetails");
                let page = page.inspect_err(denied).ok()?;
                found.extend(
                    page.role_detail_list
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(|r| Some((r.role_name.clone()?, r))),
                );
                match page.marker.filter(|_| page.is_truncated) {
                    Some(marker) => request = request.marker(marker),
                    None => return Some(found),
                }
            }
            None
        };
        self.details.get_or_init(make).await.as_ref()
    }

    async fn roles(&self, client: &AwsClient, wanted: usize) -> Option<&HashMap<String, Role>> {
        let make = || async {
            let mut request = client.iam.list_roles().max_items(PAGE);
            let mut found = HashMap::new();
            for _ in 0..wanted.max(PAGES_MIN) {
                let page = request.clone().send().await.call("iam:ListRoles").inspect_err(denied).ok()?;
                found.extend(page.roles.into_iter().map(|r| (r.role_name.clone(), r)));
                match page.marker.filter(|_| page.is_truncated) {
                    Some(marker) => request = request.marker(marker),
                    None => return Some(found),
                }
            }
            None
        };
        self.roles.get_or_init(make).await.as_ref()
    }

    async fn policies(&self, client: &AwsClient, wanted: usize) -> Option<&HashMap<String, ManagedPolicyDetail>> {
        let make = || async {
            let mut request =
                client.iam.get_account_authorization_details().filter(EntityType::LocalManagedPolicy).max_items(PAGE);
            let mut found = HashMap::new();
            for _ in 0..wanted.max(PAGES_MIN) {
                let page = request.clone().send().await.call("iam:GetAccountAuthorizationDetails");
                let page = page.inspect_err(denied).ok()?;
                found.extend(page.policies.unwrap_or_default().into_iter().filter_map(|p| Some((p.arn.clone()?, p))));
                match page.marker.filter(|_| page.is_truncated) {
                    Some(marker) => request = request.marker(marker),
                    None => return Some(found),
                }
            }
            None
        };
        self.policies.get_or_init(make).await.as_ref()
    }
}

fn denied(error: &ApiError) {
    tracing::debug!(%error, "IAM cannot be listed; objects are read one by one");
}
