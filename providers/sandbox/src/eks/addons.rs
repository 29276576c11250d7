//! Add-ons of clusters.
//!
//! Sources: CreateAddon, UpdateAddon, DeleteAddon; EKS User Guide, "Amazon EKS add-ons".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalog::{self, Offer, OfferVersion};
use super::configuration;
use super::model::{Addon, Cluster, Status, key};
use super::pod_identity;
use super::request::{
    active_cluster, addon, arn, choice, cluster_of, in_use, invalid, listing, made_before, not_found, refused,
    remember, status, tags, time, told, without_nulls,
};
use super::updates::{self, AddonChange, Effect, New, Target};
use super::{Due, outside};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::kubernetes::bootstrap;
use crate::kubernetes::life::{self, Deletion};
use crate::kubernetes::objects::Key;
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateAddon", run: create },
    Operation { name: "DescribeAddon", run: describe },
    Operation { name: "ListAddons", run: list },
    Operation { name: "UpdateAddon", run: update },
    Operation { name: "DeleteAddon", run: delete },
];

const CONFLICTS: [&str; 3] = ["OVERWRITE", "NONE", "PRESERVE"];

/// A new add-on is there.
pub(super) fn created(world: &mut World, id: &str) {
    let is_creating = world.eks.addons.get(id).is_some_and(|row| row.status == Status::Creating);
    if is_creating {
        world.eks.addons.update(id, |row| row.status = Status::Active);
    }
}

/// The objects that EKS installs for an add-on.
fn objects(addon: &str) -> &'static [(&'static str, &'static str)] {
    match addon {
        "vpc-cni" => &[("daemonsets.apps", "aws-node"), ("configmaps", "amazon-vpc-cni")],
        "kube-proxy" => &[("daemonsets.apps", "kube-proxy"), ("configmaps", "kube-proxy-config")],
        "coredns" => &[("deployments.apps", "coredns"), ("services", "kube-dns"), ("configmaps", "coredns")],
        _ => &[],
    }
}

/// An add-on is gone, with the associations that it owns and the updates of it.
pub(super) fn gone(world: &mut World, id: &str) {
    let Some(row) = world.eks.addons.remove(id) else { return };
    for association in &row.pod_identity_associations {
        world.eks.pod_identity_associations.remove(&key(&row.cluster, association));
    }
    updates::forget(world, &Target::Addon(row.cluster, row.name));
}

/// An update of an add-on is done.
pub(super) fn apply(world: &mut World, cluster: &str, name: &str, change: AddonChange) {
    let id = key(cluster, name);
    let Some(row) = world.eks.addons.get(&id).cloned() else { return };
    let associations = change.associations.as_ref().map(|wanted| {
        let owner = (row.arn.as_str(), row.namespace.as_str());
        pod_identity::own(world, cluster, owner, &row.pod_identity_associations, wanted)
    });
    world.eks.addons.update(&id, |row| {
        if let Some(version) = change.version {
            row.version = version;
        }
        if let Some(role) = change.service_account_role_arn {
            row.service_account_role_arn = Some(role).filter(|role| !role.is_empty());
        }
        if let Some(values) = change.configuration_values {
            row.configuration_values = Some(values).filter(|values| !values.is_empty());
        }
        match associations {
            Some(Ok(ids)) => row.pod_identity_associations = ids,
            Some(Err(error)) => {
                row.status = Status::UpdateFailed;
                row.issues =
                    vec![json!({ "code": "AddonPermissionFailure", "message": error.message, "resourceIds": [] })];
            }
            None => {}
        }
    });
}

fn create(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(row) = made_before(world, call, &world.eks.addons)? {
            return Ok(json!({ "addon": view(world, &row) }));
        }
        let cluster = cluster_of(world, call)?.clone();
        let offer = offer(call)?;
        active_cluster(world, call)?;
        let id = key(&cluster.name, &offer.name);
        if world.eks.addons.contains(&id) {
            return Err(in_use("Addon already exists."));
        }
        let (name, version) =
            version(call, offer, &cluster)?.ok_or_else(|| invalid("Addon version specified is not supported"))?;
        check_conflicts(call)?;
        let mut row = read(world, call, &cluster, offer, (name, version))?;
        if let Some(wanted) = associations(call)? {
            let owner = (row.arn.as_str(), row.namespace.as_str());
            row.pod_identity_associations = pod_identity::own(world, &cluster.name, owner, &[], &wanted)?;
        }
        let answer = json!({ "addon": view(world, &row) });
        world.eks.addons.insert(&id, row);
        bootstrap::install_addon(world, &cluster.name, &offer.name);
        remember(world, call, &id);
        let after = world.settings.pace.addon;
        world.schedule_in(after, Timer::Eks(Due::AddonCreated { id }));
        Ok(answer)
    })
}

fn offer(call: &Call) -> Result<&'static Offer, ApiError> {
    catalog::addon(&call.required("addonName")?).ok_or_else(|| invalid("Addon specified is not supported"))
}

/// The version asked for, which must fit the cluster, and what is known of it; on creation the cluster's default one.
fn version(
    call: &Call,
    offer: &'static Offer,
    cluster: &Cluster,
) -> Result<Option<(String, &'static OfferVersion)>, ApiError> {
    let Some(asked) = call.text("addonVersion") else {
        return Ok(offer.default_for(&cluster.version).map(|known| (known.version.clone(), known)));
    };
    let known = offer.version(&asked).ok_or_else(|| invalid("Addon version specified is not supported"))?;
    if !known.clusters.contains(&cluster.version) {
        return Err(invalid("Addon version specified is not supported"));
    }
    Ok(Some((asked, known)))
}

fn check_conflicts(call: &Call) -> Result<Option<String>, ApiError> {
    choice(call, "resolveConflicts", &CONFLICTS)
}

fn read(
    world: &mut World,
    call: &Call,
    cluster: &Cluster,
    offer: &Offer,
    (version, known): (String, &OfferVersion),
) -> Result<Addon, ApiError> {
    let role = call.text("serviceAccountRoleArn").filter(|role| !role.is_empty());
    if let Some(role) = &role {
        outside::check_exists(world, role)?;
    }
    let configuration_values = call.text("configurationValues").filter(|values| !values.is_empty());
    check_values(offer, known, configuration_values.as_deref())?;
    let namespace = call.structure("namespaceConfig").and_then(|config| config.text("namespace"));
    if let Some(other) = namespace.filter(|name| *name != offer.namespace) {
        return Err(invalid(format!("The addon {} can't be installed in the namespace {other}", offer.name)));
    }
    let tags = tags(call)?;
    let id = world.ids.uuid();
    let now = world.now;
    Ok(Addon {
        cluster: cluster.name.clone(),
        name: offer.name.clone(),
        arn: arn(world, &format!("addon/{}/{}/{id}", cluster.name, offer.name)),
        version,
        status: Status::Creating,
        created_at: now,
        modified_at: now,
        service_account_role_arn: role,
        configuration_values,
        pod_identity_associations: Vec::new(),
        namespace: offer.namespace.clone(),
        tags,
        issues: Vec::new(),
    })
}

fn check_values(offer: &Offer, version: &OfferVersion, values: Option<&str>) -> Result<(), ApiError> {
    let Some(values) = values else { return Ok(()) };
    let unsupported =
        |what: String| invalid(format!("ConfigurationValue provided in request is not supported: {what}"));
    let values =
        configuration::read(values).map_err(|_| unsupported("it is neither valid JSON nor valid YAML".to_owned()))?;
    let wrong = configuration::check(offer.schema(version), &values);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(unsupported(format!("Json schema validation failed with error: [{}]", wrong.join(", "))))
}

/// Roles by service account.
fn associations(call: &Call) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    if !call.has("podIdentityAssociations") {
        return Ok(None);
    }
    let associations = call.structures("podIdentityAssociations");
    let pairs = associations.iter().map(|it| Ok((it.required("serviceAccount")?, it.required("roleArn")?)));
    pairs.collect::<Result<_, ApiError>>().map(Some)
}

fn view(world: &World, row: &Addon) -> Value {
    let arns = row.pod_identity_associations.iter().filter_map(|id| {
        world.eks.pod_identity_associations.get(&key(&row.cluster, id)).map(|association| association.arn.clone())
    });
    let arns: Vec<String> = arns.collect();
    without_nulls(json!({
        "addonName": row.name, "clusterName": row.cluster, "status": status(row.status), "addonVersion": row.version,
        "health": { "issues": row.issues }, "addonArn": row.arn, "createdAt": time(row.created_at),
        "modifiedAt": time(row.modified_at), "serviceAccountRoleArn": row.service_account_role_arn, "tags": row.tags,
        "publisher": "eks", "owner": "aws", "configurationValues": row.configuration_values,
        "podIdentityAssociations": if arns.is_empty() { Value::Null } else { json!(arns) },
        "namespaceConfig": { "namespace": row.namespace },
    }))
}

fn of_call<'a>(world: &'a World, call: &Call) -> Result<&'a Addon, ApiError> {
    let cluster = cluster_of(world, call)?;
    let name = call.required("addonName")?;
    if catalog::addon(&name).is_none() {
        return Err(not_found(format!("No addon: {name} found in cluster: {}", cluster.name)));
    }
    addon(world, &cluster.name, &name)
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(json!({ "addon": view(world, of_call(world, call)?) })))
}

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let rows = world.eks.addons.starting_with(format!("{}/", cluster_of(world, call)?.name));
        listing(call, "addons", rows.map(|(id, row)| (id, json!(row.name))))
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(update) = updates::started_before(world, call)? {
            return Ok(update);
        }
        let cluster = cluster_of(world, call)?.clone();
        let row = of_call(world, call)?.clone();
        let offer = offer(call)?;
        let (change, params) = change(world, call, &cluster, &row, offer)?;
        check_idle(world, &row)?;
        let target = Target::Addon(row.cluster, row.name);
        updates::start(
            world,
            call,
            New { target, kind: "AddonUpdate", params, effect: Effect::Addon(Box::new(change)) },
        )
    })
}

fn check_idle(world: &World, row: &Addon) -> Result<(), ApiError> {
    let target = Target::Addon(row.cluster.clone(), row.name.clone());
    if let Some(id) = updates::running(world, &target) {
        return Err(in_use(format!("Addon {} has an update {id} in progress", row.name)));
    }
    match row.status {
        Status::Creating | Status::Deleting | Status::Updating => {
            let state = json!(row.status);
            let state = state.as_str().unwrap_or_default();
            Err(refused(format!("Addon cannot be updated as it is currently in {state} state")))
        }
        _ => Ok(()),
    }
}

/// What the update sets, and what it tells. Values that are not sent go back to the defaults, unless conflicts are preserved.
fn change(
    world: &World,
    call: &Call,
    cluster: &Cluster,
    row: &Addon,
    offer: &'static Offer,
) -> Result<(AddonChange, Vec<(&'static str, String)>), ApiError> {
    let mut change = AddonChange::default();
    let mut params = Vec::new();
    let asked = if call.has("addonVersion") { version(call, offer, cluster)? } else { None };
    if let Some((name, _)) = &asked {
        params.push(("AddonVersion", name.clone()));
        change.version = Some(name.clone());
    }
    let known = asked.map(|(_, known)| known).or_else(|| offer.version(&row.version));
    if let Some(role) = call.text("serviceAccountRoleArn") {
        if !role.is_empty() {
            outside::check_exists(world, &role)?;
        }
        params.push(("ServiceAccountRoleArn", role.clone()));
        change.service_account_role_arn = Some(role);
    }
    let conflicts = check_conflicts(call)?;
    if let Some(conflicts) = &conflicts {
        params.push(("ResolveConflicts", conflicts.clone()));
    }
    if let Some(values) = call.text("configurationValues") {
        if let Some(known) = known {
            check_values(offer, known, Some(&values).filter(|values| !values.is_empty()).map(String::as_str))?;
        }
        params.push(("ConfigurationValues", values.clone()));
        change.configuration_values = Some(values);
    } else if conflicts.as_deref() != Some("PRESERVE") && row.configuration_values.is_some() {
        change.configuration_values = Some(String::new());
    }
    if let Some(wanted) = associations(call)? {
        for role in wanted.values() {
            outside::check_pod_role(world, role)?;
        }
        params.push(("PodIdentityAssociations", json!(wanted).to_string()));
        change.associations = Some(wanted);
    }
    Ok((change, params))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let row = of_call(world, call)?.clone();
        if row.status == Status::Deleting {
            return Err(refused("Addon cannot be deleted as it is currently in DELETING state"));
        }
        let preserve = call.boolean("preserve")?.unwrap_or(false);
        let id = key(&row.cluster, &row.name);
        if !preserve {
            for (resource, name) in objects(&row.name) {
                let key = Key::new(&row.cluster, resource, &row.namespace, name);
                life::delete(world, &key, Deletion::default());
            }
        }
        let now = world.now;
        world.eks.addons.update(&id, |row| (row.status, row.modified_at) = (Status::Deleting, now));
        let after = world.settings.pace.deletion;
        world.schedule_in(after, Timer::Eks(Due::AddonGone { id }));
        let found = addon(world, &row.cluster, &row.name)?;
        Ok(json!({ "addon": view(world, found) }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{over, role, with_cluster};
    use crate::testing::{eks, pass, refusal};

    const VALUES: &str = r#"{"env":{"ENABLE_POD_ENI":"true"}}"#;

    fn of_cni(world: &mut World, operation: &str, more: &Value) -> Answer {
        eks(world, operation, over(&json!({ "clusterName": "c", "addonName": "vpc-cni" }), more))
    }

    #[test]
    fn an_addon_lives_from_creating_to_gone() {
        let (mut world, _) = with_cluster();
        let asked = json!({ "configurationValues": VALUES, "clientRequestToken": "t", "tags": { "a": "b" } });
        let made = of_cni(&mut world, "CreateAddon", &asked).unwrap();
        let made = &made["addon"];
        assert_eq!((&made["status"], &made["addonVersion"]), (&json!("CREATING"), &json!("v1.22.4-eksbuild.3")));
        assert_eq!(of_cni(&mut world, "CreateAddon", &asked).unwrap()["addon"]["addonArn"], made["addonArn"]);
        assert_eq!(refusal(of_cni(&mut world, "CreateAddon", &json!({}))), "ResourceInUseException");
        let early = of_cni(&mut world, "UpdateAddon", &json!({ "resolveConflicts": "OVERWRITE" })).unwrap_err();
        assert_eq!(early.message, "Addon cannot be updated as it is currently in CREATING state");
        pass(&mut world, 10);
        assert_eq!(world.eks.addons.get("c/vpc-cni").unwrap().configuration()["env"]["ENABLE_POD_ENI"], "true");

        let change = json!({ "addonVersion": "v1.23.1-eksbuild.1", "resolveConflicts": "PRESERVE" });
        let update = of_cni(&mut world, "UpdateAddon", &change).unwrap();
        assert_eq!(update["update"]["params"][0], json!({ "type": "AddonVersion", "value": "v1.23.1-eksbuild.1" }));
        assert_eq!(refusal(of_cni(&mut world, "UpdateAddon", &change)), "ResourceInUseException");
        pass(&mut world, 10);
        let row = world.eks.addons.get("c/vpc-cni").unwrap();
        assert_eq!((row.version.as_str(), row.status), ("v1.23.1-eksbuild.1", Status::Active));
        assert_eq!(row.configuration_values.as_deref(), Some(VALUES), "preserved");
        let by_addon = json!({ "name": "c", "addonName": "vpc-cni", "updateId": update["update"]["id"] });
        assert_eq!(eks(&mut world, "DescribeUpdate", by_addon).unwrap()["update"]["status"], "Successful");
        of_cni(&mut world, "UpdateAddon", &json!({ "resolveConflicts": "OVERWRITE" })).unwrap();
        pass(&mut world, 10);
        assert_eq!(world.eks.addons.get("c/vpc-cni").unwrap().configuration_values, None, "not carried over");

        assert_eq!(of_cni(&mut world, "DeleteAddon", &json!({})).unwrap()["addon"]["status"], "DELETING");
        let node_agent = Key::new("c", "daemonsets.apps", "kube-system", "aws-node");
        assert!(world.kubernetes.objects.get(&node_agent).is_none(), "its objects go with it");
        pass(&mut world, 10);
        let gone = of_cni(&mut world, "DescribeAddon", &json!({})).unwrap_err();
        assert_eq!(gone.message, "No addon: vpc-cni found in cluster: c");
        of_cni(&mut world, "CreateAddon", &json!({})).unwrap();
        assert!(world.kubernetes.objects.get(&node_agent).is_some(), "and come again");
    }

    #[test]
    fn pod_identity_associations_belong_to_the_addon() {
        let (mut world, _) = with_cluster();
        let with =
            |role: String| json!({ "podIdentityAssociations": [{ "serviceAccount": "aws-node", "roleArn": role }] });
        assert_eq!(refusal(of_cni(&mut world, "CreateAddon", &with(role("node")))), "InvalidParameterException");
        let made = of_cni(&mut world, "CreateAddon", &with(role("pod"))).unwrap();
        let arn = made["addon"]["podIdentityAssociations"][0].as_str().unwrap();
        let id = arn.rsplit('/').next().unwrap();
        let one = json!({ "clusterName": "c", "associationId": id });
        let found = eks(&mut world, "DescribePodIdentityAssociation", one.clone()).unwrap();
        assert_eq!(found["association"]["ownerArn"], made["addon"]["addonArn"]);
        assert_eq!(refusal(eks(&mut world, "DeletePodIdentityAssociation", one.clone())), "InvalidRequestException");
        pass(&mut world, 10);
        of_cni(&mut world, "UpdateAddon", &json!({ "podIdentityAssociations": [] })).unwrap();
        pass(&mut world, 10);
        assert_eq!(refusal(eks(&mut world, "DescribePodIdentityAssociation", one)), "ResourceNotFoundException");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (mut world, _) = with_cluster();
        for (change, said) in [
            (json!({ "addonName": "nope" }), "Addon specified is not supported"),
            (json!({ "addonVersion": "v0.0.1-eksbuild.1" }), "Addon version specified is not supported"),
            (json!({ "addonVersion": "v1.22.4" }), "Addon version specified is not supported"),
            (
                json!({ "addonName": "kube-proxy", "addonVersion": "v1.36.0-eksbuild.25" }),
                "Addon version specified is not supported",
            ),
            (
                json!({ "configurationValues": r#"{"InitEnv":{}}"# }),
                "ConfigurationValue provided in request is not supported: Json schema validation failed with error: [$.InitEnv: is not \
                 defined in the schema and the schema does not allow additional properties]",
            ),
            (json!({ "configurationValues": "{" }), "ConfigurationValue provided in request is not supported"),
            (json!({ "resolveConflicts": "MERGE" }), "resolveConflicts"),
            (json!({ "serviceAccountRoleArn": role("none") }), "does not exist"),
            (json!({ "namespaceConfig": { "namespace": "default" } }), "can't be installed in the namespace default"),
        ] {
            let error = of_cni(&mut world, "CreateAddon", &change).expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
            assert_eq!(error.members["clusterName"], "c");
        }
    }
}
