//! Clusters with their node groups, Fargate profiles, network add-ons, Pod Identity associations and roles.

use std::collections::BTreeSet;

use aws_sdk_eks::types::{FargateProfile, PodIdentityAssociationSummary};
use futures::{future::join_all, join};
use sgp_contract::{Area, ResourceType, Sighting};
use sgp_model::Value;

use super::{Found, objects, roles, sighting, texts};
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
    let mut roles = BTreeSet::new();
    for (vpc, parts) in answers {
        area.vpc_ids.extend(vpc);
        for part in parts {
            roles.extend(found.all(part).into_iter().filter_map(|it| roles_of(&it)));
        }
    }
    area.vpc_ids.sort();
    area.vpc_ids.dedup();
    roles::survey(client, roles, found).await;
}

/// What of a cluster is asked for at once: what may not be read leaves the rest.
type Part = Result<Vec<Sighting>, ApiError>;

/// One cluster, with its VPC; nothing when there is none of this name.
async fn one(client: &AwsClient, name: &str) -> (Option<String>, Vec<Part>) {
    let it = match cluster::describe(client, name).await {
        Ok(Some(it)) => it,
        Ok(None) => return (None, Vec::new()),
        Err(error) => return (None, vec![Err(error)]),
    };
    let vpc = it.resources_vpc_config().and_then(|vpc| vpc.vpc_id()).map(str::to_owned);
    let schema = EksCluster.schema();
    let object = cluster::object(schema, client, &Value::null(schema.ty()), &it);
    let cluster = vec![Sighting { kind: schema.name.to_owned(), attributes: object }];
    let (nodes, fargate, cni, proxy, identities) = join!(
        node_groups(client, name),
        fargate_profiles(client, name),
        add_on(client, name, "vpc-cni"),
        add_on(client, name, "kube-proxy"),
        pod_identities(client, name),
    );
    (vpc, vec![Ok(cluster), nodes, fargate, cni, proxy, identities])
}

/// The names of the roles that a cluster or its nodes have.
fn roles_of(sighting: &Sighting) -> Option<String> {
    let attribute = match sighting.kind.as_str() {
        "aws_eks_cluster" => "role_arn",
        "aws_eks_node_group" => "node_role_arn",
        _ => return None,
    };
    let arn = sighting.attributes.get(attribute)?.as_str()?;
    arn.rsplit_once('/').map(|(_, name)| name.to_owned())
}

async fn add_on(client: &AwsClient, cluster: &str, name: &str) -> Part {
    let schema = EksAddon.schema();
    let found = addon::describe(client, cluster, name).await?;
    let object = found.map(|it| addon::object(schema, client, &Value::null(schema.ty()), &it, &[]));
    Ok(object.into_iter().map(|attributes| Sighting { kind: schema.name.to_owned(), attributes }).collect())
}

/// Which service accounts have a role by EKS Pod Identity; which role only each answer of its own would tell.
async fn pod_identities(client: &AwsClient, name: &str) -> Part {
    let pages = client.eks.list_pod_identity_associations().cluster_name(name).into_paginator().items().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.call("eks:ListPodIdentityAssociations")?;
    let one = |it: &PodIdentityAssociationSummary| {
        sighting(
            "aws_eks_pod_identity_association",
            [
                ("cluster_name", Value::from(name)),
                ("association_id", values::opt_str(it.association_id())),
                ("namespace", values::opt_str(it.namespace())),
                ("service_account", values::opt_str(it.service_account())),
            ],
        )
    };
    Ok(all.iter().map(one).collect())
}

async fn node_groups(client: &AwsClient, name: &str) -> Part {
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

async fn fargate_profiles(client: &AwsClient, name: &str) -> Part {
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
