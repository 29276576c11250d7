//! EKS Pod Identity associations: which role the pods of a service account get.
//!
//! Sources: CreatePodIdentityAssociation; EKS User Guide, "Assign an IAM role to a Kubernetes service account".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{PodIdentityAssociation, key};
use super::outside;
use super::request::{
    arn, cluster_of, in_use, invalid, limit, listing, made_before, not_found, remember, tags, time, told, without_nulls,
};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::ec2::tags::Tags;
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreatePodIdentityAssociation", run: create },
    Operation { name: "DescribePodIdentityAssociation", run: describe },
    Operation { name: "ListPodIdentityAssociations", run: list },
    Operation { name: "UpdatePodIdentityAssociation", run: update },
    Operation { name: "DeletePodIdentityAssociation", run: delete },
];

/// So many a cluster has at most (User Guide, "Learn how EKS Pod Identity grants pods access", quotas).
const MOST: usize = 5_000;

/// What a new association is made from.
#[derive(Debug, Default)]
pub(super) struct New {
    pub namespace: String,
    pub service_account: String,
    pub role_arn: String,
    pub target_role_arn: Option<String>,
    pub has_no_session_tags: bool,
    pub policy: Option<String>,
    pub owner_arn: Option<String>,
    pub tags: Tags,
}

/// Makes an association, and answers its id.
///
/// # Errors
/// `ResourceInUseException` when the service account has one, `InvalidParameterException` for a role that pods cannot assume.
pub(super) fn insert(world: &mut World, cluster: &str, new: New) -> Result<String, ApiError> {
    outside::check_pod_role(world, &new.role_arn)?;
    if let Some(found) = of_account(world, cluster, &new.namespace, &new.service_account) {
        return Err(in_use(format!("Association already exists: {}", found.id)));
    }
    if world.eks.pod_identity_associations.starting_with(format!("{cluster}/")).nth(MOST - 1).is_some() {
        return Err(limit("Pod identity association limit exceeded"));
    }
    let id = format!("a-{}", &world.ids.base32("", 17).to_lowercase());
    let now = world.now;
    let account = world.settings.account.clone();
    let uuid = world.ids.uuid();
    let row = PodIdentityAssociation {
        cluster: cluster.to_owned(),
        arn: arn(world, &format!("podidentityassociation/{cluster}/{id}")),
        namespace: new.namespace,
        service_account: new.service_account,
        role_arn: new.role_arn,
        external_id: new
            .target_role_arn
            .as_ref()
            .map(|_| format!("{}/{account}/{cluster}/{uuid}", world.settings.region)),
        target_role_arn: new.target_role_arn,
        has_no_session_tags: new.has_no_session_tags,
        policy: new.policy,
        owner_arn: new.owner_arn,
        created_at: now,
        modified_at: now,
        tags: new.tags,
        id: id.clone(),
    };
    world.eks.pod_identity_associations.insert(key(cluster, &id), row);
    Ok(id)
}

fn of_account<'a>(world: &'a World, cluster: &str, namespace: &str, name: &str) -> Option<&'a PodIdentityAssociation> {
    let rows = &world.eks.pod_identity_associations;
    rows.with(&format!("account={cluster}/{namespace}/{name}")).next().map(|(_, row)| row)
}

/// Brings the associations that an add-on owns to these roles by service account, and answers their ids.
pub(super) fn own(
    world: &mut World,
    cluster: &str,
    (addon_arn, namespace): (&str, &str),
    owned: &[String],
    wanted: &BTreeMap<String, String>,
) -> Result<Vec<String>, ApiError> {
    let mut ids = Vec::new();
    for id in owned {
        let row = key(cluster, id);
        let account = world.eks.pod_identity_associations.get(&row).map(|it| it.service_account.clone());
        match account.and_then(|account| wanted.get(&account)) {
            None => drop(world.eks.pod_identity_associations.remove(&row)),
            Some(role) => {
                outside::check_pod_role(world, role)?;
                let now = world.now;
                world.eks.pod_identity_associations.update(&row, |it| {
                    if it.role_arn != *role {
                        (it.role_arn, it.modified_at) = (role.clone(), now);
                    }
                });
                ids.push(id.clone());
            }
        }
    }
    for (account, role) in wanted {
        let has = ids.iter().any(|id| {
            let row = world.eks.pod_identity_associations.get(&key(cluster, id));
            row.is_some_and(|it| it.service_account == *account)
        });
        if !has {
            let new = New {
                namespace: namespace.to_owned(),
                service_account: account.clone(),
                role_arn: role.clone(),
                owner_arn: Some(addon_arn.to_owned()),
                ..New::default()
            };
            ids.push(insert(world, cluster, new)?);
        }
    }
    Ok(ids)
}

fn find<'a>(world: &'a World, call: &Call) -> Result<(String, &'a PodIdentityAssociation), ApiError> {
    let cluster = cluster_of(world, call)?;
    let id = call.required("associationId")?;
    let row = key(&cluster.name, &id);
    let missing = || not_found(format!("No pod identity association found for id: {id} in cluster: {}", cluster.name));
    let found = world.eks.pod_identity_associations.get(&row).ok_or_else(missing)?;
    Ok((row, found))
}

fn view(row: &PodIdentityAssociation) -> Value {
    without_nulls(json!({
        "clusterName": row.cluster, "namespace": row.namespace, "serviceAccount": row.service_account, "roleArn": row.role_arn,
        "associationArn": row.arn, "associationId": row.id, "tags": row.tags, "createdAt": time(row.created_at),
        "modifiedAt": time(row.modified_at), "ownerArn": row.owner_arn, "disableSessionTags": row.has_no_session_tags,
        "targetRoleArn": row.target_role_arn, "externalId": row.external_id, "policy": row.policy,
    }))
}

fn create(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(row) = made_before(world, call, &world.eks.pod_identity_associations)? {
            return Ok(json!({ "association": view(&row) }));
        }
        let cluster = cluster_of(world, call)?.name.clone();
        let new = New {
            namespace: name(call, "namespace")?,
            service_account: name(call, "serviceAccount")?,
            role_arn: call.required("roleArn")?,
            target_role_arn: target(call)?,
            has_no_session_tags: call.boolean("disableSessionTags")?.unwrap_or(false),
            policy: policy(call)?,
            owner_arn: None,
            tags: tags(call)?,
        };
        if new.policy.is_some() && !new.has_no_session_tags {
            return Err(invalid("disableSessionTags must be true when a policy is specified"));
        }
        let id = insert(world, &cluster, new)?;
        let row = key(&cluster, &id);
        remember(world, call, &row);
        let found = world.eks.pod_identity_associations.get(&row);
        Ok(json!({ "association": found.map(view) }))
    })
}

/// A name that Kubernetes knows: lower-case letters, digits, `-` and `.`.
fn name(call: &Call, member: &str) -> Result<String, ApiError> {
    let name = call.required(member)?;
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if is_plain && name.len() <= 253 && ends(name.chars().next()) && ends(name.chars().last()) {
        return Ok(name);
    }
    Err(invalid(format!("The {member} {name} is not a valid Kubernetes name")))
}

fn target(call: &Call) -> Result<Option<String>, ApiError> {
    let target = call.text("targetRoleArn").filter(|arn| !arn.is_empty());
    match target {
        Some(arn) if !arn.starts_with("arn:aws:iam::") || !arn.contains(":role/") => {
            Err(invalid(format!("The targetRoleArn {arn} is not the ARN of a role")))
        }
        target => Ok(target),
    }
}

fn policy(call: &Call) -> Result<Option<String>, ApiError> {
    let policy = call.text("policy").filter(|text| !text.is_empty());
    match policy {
        Some(text) if serde_json::from_str::<Value>(&text).is_ok_and(|it| it["Statement"].is_array()) => Ok(Some(text)),
        Some(_) => Err(invalid("The policy is not a valid policy document")),
        None => Ok(None),
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(json!({ "association": view(find(world, call)?.1) })))
}

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let cluster = cluster_of(world, call)?.name.clone();
        let (namespace, account) = (call.text("namespace"), call.text("serviceAccount"));
        let fits = |row: &PodIdentityAssociation| {
            namespace.as_ref().is_none_or(|it| *it == row.namespace)
                && account.as_ref().is_none_or(|it| *it == row.service_account)
        };
        let summary = |row: &PodIdentityAssociation| {
            without_nulls(json!({
                "clusterName": row.cluster, "namespace": row.namespace, "serviceAccount": row.service_account,
                "associationArn": row.arn, "associationId": row.id, "ownerArn": row.owner_arn,
            }))
        };
        let rows = world.eks.pod_identity_associations.starting_with(format!("{cluster}/"));
        listing(call, "associations", rows.filter(|(_, row)| fits(row)).map(|(id, row)| (id, summary(row))))
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (id, before) = find(world, call)?;
        let mut row = before.clone();
        if let Some(role) = call.text("roleArn") {
            outside::check_pod_role(world, &role)?;
            row.role_arn = role;
        }
        if call.has("targetRoleArn") {
            row.target_role_arn = target(call)?;
        }
        if call.has("policy") {
            row.policy = policy(call)?;
        }
        row.has_no_session_tags = call.boolean("disableSessionTags")?.unwrap_or(row.has_no_session_tags);
        if row.target_role_arn.is_some() && row.external_id.is_none() {
            let uuid = world.ids.uuid();
            row.external_id =
                Some(format!("{}/{}/{}/{uuid}", world.settings.region, world.settings.account, row.cluster));
        }
        row.modified_at = world.now;
        let answer = json!({ "association": view(&row) });
        world.eks.pod_identity_associations.insert(id, row);
        Ok(answer)
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let (id, row) = find(world, call)?;
        if let Some(owner) = &row.owner_arn {
            return Err(super::request::refused(format!(
                "Association {} is owned by {owner} and can only be deleted by it",
                row.id
            )));
        }
        let answer = json!({ "association": view(row) });
        world.eks.pod_identity_associations.remove(&id);
        Ok(answer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{over, role, with_cluster};
    use crate::testing::{eks, refusal};

    #[test]
    fn a_service_account_has_one_role() {
        let (mut world, _) = with_cluster();
        let asked =
            json!({ "clusterName": "c", "namespace": "default", "serviceAccount": "app", "roleArn": role("pod") });
        let made = eks(&mut world, "CreatePodIdentityAssociation", asked.clone()).unwrap();
        let id = made["association"]["associationId"].as_str().unwrap().to_owned();
        let again = eks(&mut world, "CreatePodIdentityAssociation", asked.clone()).unwrap_err();
        assert_eq!(
            (again.code.as_str(), again.message),
            ("ResourceInUseException", format!("Association already exists: {id}"))
        );
        for (change, said) in [
            (json!({ "serviceAccount": "other", "roleArn": role("none") }), "does not exist"),
            (
                json!({ "serviceAccount": "other", "roleArn": role("node") }),
                "Trust policy of the role provided is invalid",
            ),
            (json!({ "serviceAccount": "Other" }), "not a valid Kubernetes name"),
            (json!({ "serviceAccount": "other", "targetRoleArn": "x" }), "not the ARN of a role"),
        ] {
            let error = eks(&mut world, "CreatePodIdentityAssociation", over(&asked, &change)).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
        }
        let listed = json!({ "clusterName": "c", "namespace": "default", "serviceAccount": "app" });
        assert_eq!(
            eks(&mut world, "ListPodIdentityAssociations", listed).unwrap()["associations"][0]["associationId"],
            id
        );
        let none = json!({ "clusterName": "c", "namespace": "kube-system" });
        assert_eq!(eks(&mut world, "ListPodIdentityAssociations", none).unwrap()["associations"], json!([]));
        let one = json!({ "clusterName": "c", "associationId": id });
        let target = over(&one, &json!({ "targetRoleArn": "arn:aws:iam::222222222222:role/t" }));
        let updated = eks(&mut world, "UpdatePodIdentityAssociation", target).unwrap();
        assert!(updated["association"]["externalId"].is_string());
        eks(&mut world, "DeletePodIdentityAssociation", one.clone()).unwrap();
        assert_eq!(refusal(eks(&mut world, "DescribePodIdentityAssociation", one)), "ResourceNotFoundException");
    }
}
