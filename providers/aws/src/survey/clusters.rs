//! Clusters with their node groups, Fargate profiles and VPC CNI.

use aws_sdk_eks::types::FargateProfile;
use futures::future::join_all;
use sgp_contract::{Area, ResourceType, Sighting};
use sgp_model::Value;

use super::{Found, objects, sighting, texts};
use crate::{
    client::AwsClient,
    eks::{addon, cluster, nodegroup},
    errors::{ApiError, Call},
    resources::{aws_eks_addon::EksAddon, aws_eks_cluster::EksCluster, aws_eks_node_group::EksNodeGroup},
    values,
};

/// Looks at the clusters of an area, and adds their VPCs to it.
pub(super) async fn survey(client: &AwsClient, area: &mut Area, found: &mut Found) {
    let answers = join_all(area.clusters.iter().map(|name| one(client, name))).await;
    for answer in answers {
        match answer {
            Ok((vpc, sightings)) => {
                area.vpc_ids.extend(vpc);
                found.sightings.extend(sightings);
            }
            Err(error) => found.fails(error),
        }
    }
    area.vpc_ids.sort();
    area.vpc_ids.dedup();
}

/// One cluster; nothing when there is none of this name.
async fn one(client: &AwsClient, name: &str) -> Result<(Option<String>, Vec<Sighting>), ApiError> {
    let Some(it) = cluster::describe(client, name).await? else { return Ok((None, Vec::new())) };
    let vpc = it.resources_vpc_config().and_then(|vpc| vpc.vpc_id()).map(str::to_owned);
    let schema = EksCluster.schema();
    let object = cluster::object(schema, client, &Value::null(schema.ty()), &it);
    let mut all = vec![Sighting { kind: schema.name.to_owned(), attributes: object }];
    all.extend(node_groups(client, name).await?);
    all.extend(fargate_profiles(client, name).await?);
    if let Some(cni) = addon::describe(client, name, "vpc-cni").await? {
        let schema = EksAddon.schema();
        let object = addon::object(schema, client, &Value::null(schema.ty()), &cni, &[]);
        all.push(Sighting { kind: schema.name.to_owned(), attributes: object });
    }
    Ok((vpc, all))
}

async fn node_groups(client: &AwsClient, name: &str) -> Result<Vec<Sighting>, ApiError> {
    let pages = client.eks.list_nodegroups().cluster_name(name).into_paginator().items().send();
    let names = pages.collect::<Result<Vec<_>, _>>().await.call("eks:ListNodegroups")?;
    let schema = EksNodeGroup.schema();
    let mut all = Vec::new();
    for answer in join_all(names.iter().map(|group| nodegroup::describe(client, name, group))).await {
        if let Some(group) = answer? {
            let object = nodegroup::object(schema, client, &Value::null(schema.ty()), &group);
            all.push(Sighting { kind: schema.name.to_owned(), attributes: object });
        }
    }
    Ok(all)
}

async fn fargate_profiles(client: &AwsClient, name: &str) -> Result<Vec<Sighting>, ApiError> {
    let pages = client.eks.list_fargate_profiles().cluster_name(name).into_paginator().items().send();
    let names = pages.collect::<Result<Vec<_>, _>>().await.call("eks:ListFargateProfiles")?;
    let mut all = Vec::new();
    for profile in names {
        let call = client.eks.describe_fargate_profile().cluster_name(name).fargate_profile_name(profile);
        let answer = call.send().await.call("eks:DescribeFargateProfile")?;
        all.extend(answer.fargate_profile.as_ref().map(|it| fargate_profile(name, it)));
    }
    Ok(all)
}

fn fargate_profile(cluster: &str, profile: &FargateProfile) -> Sighting {
    let selectors = profile.selectors().iter().map(|it| {
        let labels = it.labels().into_iter().flatten();
        Value::object([
            ("namespace", values::opt_str(it.namespace())),
            ("labels", values::string_map(labels.map(|(key, value)| (key.as_str(), value.as_str())))),
        ])
    });
    sighting(
        "aws_eks_fargate_profile",
        [
            ("cluster_name", Value::from(cluster)),
            ("fargate_profile_name", values::opt_str(profile.fargate_profile_name())),
            ("subnet_ids", texts(profile.subnets().iter().map(String::as_str))),
            ("selector", objects(selectors.collect())),
        ],
    )
}
