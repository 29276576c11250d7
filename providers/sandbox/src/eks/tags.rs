//! TagResource, UntagResource, ListTagsForResource.

use serde_json::json;

use super::request::check_tags;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::ec2::tags::Tags;
use crate::store::table::{Row, Table};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "TagResource", run: tag },
    Operation { name: "UntagResource", run: untag },
    Operation { name: "ListTagsForResource", run: list },
];

/// Something with tags.
enum Place {
    Cluster(String),
    Nodegroup(String),
    FargateProfile(String),
    Addon(String),
    AccessEntry(String),
    PodIdentity(String),
    IdentityProvider(String),
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new("BadRequestException", message)
}

/// What the ARN means, by its kind and cluster; the ARN of what was found must be the one asked for.
fn place(world: &World, call: &Call) -> Result<Place, ApiError> {
    let arn = call.text("resourceArn").unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "eks", _, _, resource] = parts[..] else {
        return Err(bad(format!("Invalid ARN: {arn}")));
    };
    let mut path = resource.split('/');
    let (kind, cluster) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
    let eks = &world.eks;
    let found = match kind {
        "cluster" => eks.clusters.get(cluster).filter(|row| row.arn == arn).map(|_| Place::Cluster(cluster.to_owned())),
        "nodegroup" => of(&eks.nodegroups, cluster, |row| row.arn == arn).map(Place::Nodegroup),
        "fargateprofile" => of(&eks.fargate_profiles, cluster, |row| row.arn == arn).map(Place::FargateProfile),
        "addon" => of(&eks.addons, cluster, |row| row.arn == arn).map(Place::Addon),
        "access-entry" => of(&eks.access_entries, cluster, |row| row.arn == arn).map(Place::AccessEntry),
        "podidentityassociation" => {
            of(&eks.pod_identity_associations, cluster, |row| row.arn == arn).map(Place::PodIdentity)
        }
        "identityproviderconfig" => {
            of(&eks.identity_providers, cluster, |row| row.arn == arn).map(Place::IdentityProvider)
        }
        _ => return Err(bad(format!("Invalid ARN: {arn}"))),
    };
    found.ok_or_else(|| ApiError::new("NotFoundException", format!("Resource {arn} not found")).with_status(404))
}

fn of<T: Row>(table: &Table<T>, cluster: &str, is_it: impl Fn(&T) -> bool) -> Option<String> {
    table.starting_with(format!("{cluster}/")).find(|(_, row)| is_it(row)).map(|(id, _)| id.to_owned())
}

/// Changes the tags of a place, and answers them.
fn change(world: &mut World, place: &Place, change: impl FnOnce(&mut Tags)) -> Option<Tags> {
    let eks = &mut world.eks;
    let done = |tags: &mut Tags| {
        change(tags);
        tags.clone()
    };
    match place {
        Place::Cluster(id) => eks.clusters.update(id, |row| done(&mut row.tags)),
        Place::Nodegroup(id) => eks.nodegroups.update(id, |row| done(&mut row.tags)),
        Place::FargateProfile(id) => eks.fargate_profiles.update(id, |row| done(&mut row.tags)),
        Place::Addon(id) => eks.addons.update(id, |row| done(&mut row.tags)),
        Place::AccessEntry(id) => eks.access_entries.update(id, |row| done(&mut row.tags)),
        Place::PodIdentity(id) => eks.pod_identity_associations.update(id, |row| done(&mut row.tags)),
        Place::IdentityProvider(id) => eks.identity_providers.update(id, |row| done(&mut row.tags)),
    }
}

fn tag(world: &mut World, call: &Call) -> Answer {
    let place = place(world, call)?;
    let new: Tags = call.map("tags").into_iter().collect();
    if new.is_empty() {
        return Err(bad("tags is required."));
    }
    let all = change(world, &place, |tags| tags.extend(new));
    check_tags(&all.unwrap_or_default()).map_err(bad)?;
    Ok(json!({}))
}

fn untag(world: &mut World, call: &Call) -> Answer {
    let place = place(world, call)?;
    let keys = call.texts("tagKeys");
    if keys.is_empty() {
        return Err(bad("tagKeys is required."));
    }
    change(world, &place, |tags| tags.retain(|key, _| !keys.contains(key)));
    Ok(json!({}))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let place = place(world, call)?;
    Ok(json!({ "tags": change(world, &place, |_| {}) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::{role, with_cluster};
    use crate::testing::{eks, pass, refusal};

    #[test]
    fn everything_with_an_arn_has_tags() {
        let (mut world, subnets) = with_cluster();
        let group = json!({ "clusterName": "c", "nodegroupName": "g", "nodeRole": role("node"), "subnets": subnets });
        eks(&mut world, "CreateNodegroup", group).unwrap();
        eks(&mut world, "CreateAddon", json!({ "clusterName": "c", "addonName": "coredns" })).unwrap();
        let association =
            json!({ "clusterName": "c", "namespace": "a", "serviceAccount": "b", "roleArn": role("pod") });
        eks(&mut world, "CreatePodIdentityAssociation", association).unwrap();
        pass(&mut world, 10);
        let arns: Vec<String> = [
            world.eks.clusters.values().map(|row| row.arn.clone()).collect::<Vec<_>>(),
            world.eks.nodegroups.values().map(|row| row.arn.clone()).collect(),
            world.eks.addons.values().map(|row| row.arn.clone()).collect(),
            world.eks.access_entries.values().map(|row| row.arn.clone()).collect(),
            world.eks.pod_identity_associations.values().map(|row| row.arn.clone()).collect(),
        ]
        .concat();
        assert_eq!(arns.len(), 6);
        for arn in arns {
            let tags = json!({ "resourceArn": arn, "tags": { "a": "1", "b": "2" } });
            eks(&mut world, "TagResource", tags).unwrap();
            eks(&mut world, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a"] })).unwrap();
            let listed = eks(&mut world, "ListTagsForResource", json!({ "resourceArn": arn })).unwrap();
            assert_eq!(listed["tags"], json!({ "b": "2" }), "{arn}");
        }
        let other = world.eks.clusters.get("c").unwrap().arn.replace("cluster/c", "cluster/d");
        let gone = eks(&mut world, "ListTagsForResource", json!({ "resourceArn": other })).unwrap_err();
        assert_eq!((gone.code.as_str(), gone.status), ("NotFoundException", 404));
        for (arn, tags) in [
            ("arn:aws:s3:::x", json!({ "a": "b" })),
            (world.eks.clusters.get("c").unwrap().arn.clone().as_str(), json!({ "aws:a": "b" })),
        ] {
            let answer = eks(&mut world, "TagResource", json!({ "resourceArn": arn, "tags": tags }));
            assert_eq!(refusal(answer), "BadRequestException");
        }
    }
}
