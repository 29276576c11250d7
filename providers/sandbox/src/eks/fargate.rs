//! Fargate profiles. One at a time is made or removed in a cluster.
//!
//! Sources: CreateFargateProfile; EKS User Guide, "Define which Pods use AWS Fargate when launched".

use serde_json::{Value, json};

use super::model::{FargateProfile, Selector, Status, key};
use super::request::{
    active_cluster, arn, check_name, cluster_of, fargate_profile, in_use, invalid, limit, listing, made_before,
    remember, status, tags, text_map, time, told,
};
use super::{Due, access_entries, outside};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateFargateProfile", run: create },
    Operation { name: "DescribeFargateProfile", run: describe },
    Operation { name: "ListFargateProfiles", run: list },
    Operation { name: "DeleteFargateProfile", run: delete },
];

/// Profiles of a cluster, selectors of a profile, label pairs of a selector (User Guide, quotas).
const MOST: (usize, usize, usize) = (10, 5, 100);

/// A new profile is there.
pub(super) fn created(world: &mut World, id: &str) {
    let is_creating = world.eks.fargate_profiles.get(id).is_some_and(|row| row.status == Status::Creating);
    if is_creating {
        world.eks.fargate_profiles.update(id, |row| row.status = Status::Active);
    }
}

/// A profile is gone, and its role's entry with the last profile that has it.
pub(super) fn gone(world: &mut World, id: &str) {
    let Some(row) = world.eks.fargate_profiles.remove(id) else { return };
    let has_role = |(_, other): (&str, &FargateProfile)| other.pod_execution_role_arn == row.pod_execution_role_arn;
    if !world.eks.fargate_profiles.starting_with(format!("{}/", row.cluster)).any(has_role) {
        access_entries::remove_for_nodes(world, &row.cluster, &row.pod_execution_role_arn, "FARGATE_LINUX");
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(row) = made_before(world, call, &world.eks.fargate_profiles)? {
            return Ok(json!({ "fargateProfile": view(&row) }));
        }
        let row = read(world, call)?;
        let id = key(&row.cluster, &row.name);
        outside::let_nodes_in(world, &row.cluster, &row.pod_execution_role_arn, "FARGATE_LINUX");
        let answer = json!({ "fargateProfile": view(&row) });
        world.eks.fargate_profiles.insert(&id, row);
        remember(world, call, &id);
        let after = world.settings.pace.nodegroup;
        world.schedule_in(after, Timer::Eks(Due::FargateCreated { id }));
        Ok(answer)
    })
}

fn read(world: &mut World, call: &Call) -> Result<FargateProfile, ApiError> {
    let cluster = active_cluster(world, call)?.clone();
    let name = call.required("fargateProfileName")?;
    check_name("fargateProfileName", &name, 100)?;
    if name.starts_with("eks-") {
        return Err(invalid("Fargate profile name cannot start with eks-"));
    }
    if world.eks.fargate_profiles.contains(&key(&cluster.name, &name)) {
        return Err(in_use("A Fargate Profile already exists with this name in this cluster."));
    }
    check_none_moves(world, &cluster.name, &format!("create Fargate Profile {name}"))?;
    if world.eks.fargate_profiles.starting_with(format!("{}/", cluster.name)).count() >= MOST.0 {
        return Err(limit(format!("Fargate Profile limit exceeded for cluster {}", cluster.name)));
    }
    let role = call.required("podExecutionRoleArn")?;
    outside::check_pod_execution_role(world, &role)?;
    let subnets = if call.has("subnets") { call.texts("subnets") } else { Vec::new() };
    let subnets = if subnets.is_empty() { private_of(world, &cluster.network.subnet_ids)? } else { subnets };
    check_subnets(world, &subnets, &cluster.network.vpc_id)?;
    let selectors = selectors(call)?;
    let tags = tags(call)?;
    let id = world.ids.uuid();
    Ok(FargateProfile {
        arn: arn(world, &format!("fargateprofile/{}/{name}/{id}", cluster.name)),
        cluster: cluster.name,
        created_at: world.now,
        status: Status::Creating,
        pod_execution_role_arn: role,
        subnets,
        selectors,
        tags,
        name,
    })
}

/// Refuses while another profile is made or removed.
fn check_none_moves(world: &World, cluster: &str, what: &str) -> Result<(), ApiError> {
    let mut profiles = world.eks.fargate_profiles.starting_with(format!("{cluster}/")).map(|(_, row)| row);
    let moving = profiles.find(|row| matches!(row.status, Status::Creating | Status::Deleting));
    let Some(row) = moving else { return Ok(()) };
    let state = json!(row.status);
    let state = state.as_str().unwrap_or_default();
    Err(in_use(format!(
        "Cannot {what} because cluster {cluster} currently has Fargate profile {} in status {state}",
        row.name
    )))
}

fn private_of(world: &World, ids: &[String]) -> Result<Vec<String>, ApiError> {
    let subnets = outside::subnets(world, ids)?;
    Ok(subnets.into_iter().filter(|subnet| !outside::is_public(world, &subnet.id)).map(|subnet| subnet.id).collect())
}

fn check_subnets(world: &World, ids: &[String], vpc_id: &str) -> Result<(), ApiError> {
    if ids.is_empty() {
        return Err(invalid("Subnets cannot be empty."));
    }
    for subnet in outside::subnets(world, ids)? {
        if subnet.vpc_id != vpc_id {
            return Err(invalid(format!("Subnet {} does not belong to the cluster's VPC", subnet.id)));
        }
        if outside::is_public(world, &subnet.id) {
            return Err(invalid(format!("Subnet {} provided in Fargate Profile is not a private subnet", subnet.id)));
        }
    }
    Ok(())
}

fn selectors(call: &Call) -> Result<Vec<Selector>, ApiError> {
    let selectors = call.structures("selectors");
    if selectors.is_empty() {
        return Err(invalid("Fargate Profile must have at least one selector."));
    }
    if selectors.len() > MOST.1 {
        return Err(invalid(format!("Fargate Profile can have at most {} selectors.", MOST.1)));
    }
    selectors
        .iter()
        .map(|selector| {
            let namespace = selector.text("namespace").filter(|name| !name.is_empty());
            let namespace = namespace.ok_or_else(|| invalid("Fargate Profile selector must have a namespace."))?;
            let labels = text_map(selector, "labels");
            if labels.len() > MOST.2 {
                return Err(invalid(format!("A Fargate Profile selector can have at most {} labels.", MOST.2)));
            }
            Ok(Selector { namespace, labels })
        })
        .collect()
}

fn view(row: &FargateProfile) -> Value {
    let selectors: Vec<Value> =
        row.selectors.iter().map(|it| json!({ "namespace": it.namespace, "labels": it.labels })).collect();
    json!({
        "fargateProfileName": row.name, "fargateProfileArn": row.arn, "clusterName": row.cluster,
        "createdAt": time(row.created_at), "podExecutionRoleArn": row.pod_execution_role_arn, "subnets": row.subnets,
        "selectors": selectors, "status": status(row.status), "tags": row.tags, "health": { "issues": [] },
    })
}

fn of_call<'a>(world: &'a World, call: &Call) -> Result<&'a FargateProfile, ApiError> {
    let cluster = cluster_of(world, call)?;
    fargate_profile(world, &cluster.name, &call.required("fargateProfileName")?)
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(json!({ "fargateProfile": view(of_call(world, call)?) })))
}

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let rows = world.eks.fargate_profiles.starting_with(format!("{}/", cluster_of(world, call)?.name));
        listing(call, "fargateProfileNames", rows.map(|(id, row)| (id, json!(row.name))))
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let row = of_call(world, call)?.clone();
        check_none_moves(world, &row.cluster, &format!("Delete Fargate Profile {}", row.name))?;
        let id = key(&row.cluster, &row.name);
        world.eks.fargate_profiles.update(&id, |row| row.status = Status::Deleting);
        let after = world.settings.pace.deletion;
        world.schedule_in(after, Timer::Eks(Due::FargateGone { id }));
        Ok(json!({ "fargateProfile": view(fargate_profile(world, &row.cluster, &row.name)?) }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{over, role, with_cluster};
    use crate::testing::{ec2, eks, pass, refusal};

    fn asked(name: &str, subnets: &[String]) -> Value {
        json!({
            "clusterName": "c", "fargateProfileName": name, "podExecutionRoleArn": role("fargate"), "subnets": subnets,
            "selectors": [{ "namespace": "default", "labels": { "a": "b" } }], "clientRequestToken": name,
        })
    }

    #[test]
    fn one_profile_moves_at_a_time() {
        let (mut world, subnets) = with_cluster();
        let made = eks(&mut world, "CreateFargateProfile", asked("one", &subnets)).unwrap();
        assert_eq!(made["fargateProfile"]["status"], "CREATING");
        let busy = eks(&mut world, "CreateFargateProfile", asked("two", &subnets)).unwrap_err();
        assert_eq!(
            (busy.code.as_str(), busy.message.as_str()),
            (
                "ResourceInUseException",
                "Cannot create Fargate Profile two because cluster c currently has Fargate profile one in status CREATING"
            )
        );
        pass(&mut world, 10);
        let entry = json!({ "clusterName": "c", "principalArn": role("fargate") });
        assert_eq!(
            eks(&mut world, "DescribeAccessEntry", entry.clone()).unwrap()["accessEntry"]["type"],
            "FARGATE_LINUX"
        );
        eks(&mut world, "CreateFargateProfile", asked("two", &subnets)).unwrap();
        pass(&mut world, 10);
        let other = over(&asked("two", &subnets), &json!({ "clientRequestToken": "x" }));
        assert_eq!(refusal(eks(&mut world, "CreateFargateProfile", other)), "ResourceInUseException");
        let in_use = eks(&mut world, "DeleteCluster", json!({ "name": "c" })).unwrap_err();
        assert_eq!(in_use.message, "Cluster has Fargate profiles attached");
        for (name, entry_stays) in [("one", true), ("two", false)] {
            eks(&mut world, "DeleteFargateProfile", json!({ "clusterName": "c", "fargateProfileName": name })).unwrap();
            pass(&mut world, 10);
            assert_eq!(eks(&mut world, "DescribeAccessEntry", entry.clone()).is_ok(), entry_stays, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (mut world, subnets) = with_cluster();
        let vpc = world.eks.clusters.get("c").unwrap().network.vpc_id.clone();
        let gateway = ec2(&mut world, "CreateInternetGateway", &[])["internetGateway"]["internetGatewayId"].clone();
        let gateway = gateway.as_str().unwrap();
        ec2(&mut world, "AttachInternetGateway", &[("InternetGatewayId", gateway), ("VpcId", &vpc)]);
        let table = ec2(&mut world, "CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"].clone();
        let table = table.as_str().unwrap();
        ec2(
            &mut world,
            "CreateRoute",
            &[("RouteTableId", table), ("DestinationCidrBlock", "0.0.0.0/0"), ("GatewayId", gateway)],
        );
        ec2(&mut world, "AssociateRouteTable", &[("RouteTableId", table), ("SubnetId", &subnets[2])]);
        let selectors = |count: usize| json!({ "selectors": vec![json!({ "namespace": "a" }); count] });
        for (change, said) in [
            (json!({ "fargateProfileName": "eks-x" }), "cannot start with eks-"),
            (json!({ "podExecutionRoleArn": role("none") }), "does not exist"),
            (json!({ "podExecutionRoleArn": role("node") }), "Misconfigured PodExecutionRole Trust Policy"),
            (json!({ "subnets": [subnets[2]] }), "is not a private subnet"),
            (selectors(0), "at least one selector"),
            (selectors(6), "at most 5 selectors"),
            (json!({ "selectors": [{ "labels": {} }] }), "must have a namespace"),
        ] {
            let error = eks(&mut world, "CreateFargateProfile", over(&asked("p", &subnets[..2]), &change))
                .expect_err(&change.to_string());
            assert_eq!(error.code, "InvalidParameterException", "{change}");
            assert!(error.message.contains(said), "{change}: {}", error.message);
        }
        let defaults = over(&asked("p", &subnets), &json!({ "subnets": null }));
        let made = eks(&mut world, "CreateFargateProfile", defaults).unwrap();
        assert_eq!(made["fargateProfile"]["subnets"], json!(subnets[..2]), "the cluster's private ones");
    }
}
