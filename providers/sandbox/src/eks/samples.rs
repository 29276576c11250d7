//! Rows for unit tests.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{AuthenticationMode, Cluster, Network, Status};
use crate::world::World;

/// An active cluster in subnets that need not exist.
pub(crate) fn cluster(world: &World, name: &str) -> Cluster {
    Cluster {
        name: name.to_owned(),
        arn: format!("arn:aws:eks:us-east-1:123456789012:cluster/{name}"),
        created_at: world.now,
        version: "1.36".to_owned(),
        platform_version: "eks.1".to_owned(),
        role_arn: "arn:aws:iam::123456789012:role/cluster".to_owned(),
        network: Network {
            vpc_id: "vpc-1".to_owned(),
            subnet_ids: vec!["subnet-1".to_owned(), "subnet-2".to_owned()],
            security_group_ids: Vec::new(),
            cluster_security_group_id: "sg-1".to_owned(),
            endpoint_public_access: true,
            endpoint_private_access: false,
            public_access_cidrs: vec!["0.0.0.0/0".to_owned()],
        },
        service_ipv4_cidr: Some("10.100.0.0/16".to_owned()),
        service_ipv6_cidr: None,
        log_types: BTreeSet::new(),
        issuer: "https://oidc.eks.us-east-1.amazonaws.com/id/0".to_owned(),
        status: Status::Active,
        authentication_mode: AuthenticationMode::Api,
        creator_is_admin: true,
        creator_arn: "arn:aws:iam::123456789012:user/creator".to_owned(),
        client_request_token: None,
        tags: BTreeMap::new(),
        encryption_key: None,
        support_type: "EXTENDED".to_owned(),
        zonal_shift: false,
        deletion_protection: false,
        auto_mode: None,
        remote_networks: None,
        scaling_tier: "standard".to_owned(),
        has_self_managed_addons: true,
        interfaces: Vec::new(),
    }
}

/// The roles that clusters, nodes, Fargate and pods have in tests, by name: `cluster`, `node`, `fargate`, `pod`; `other` lets nobody in.
pub(crate) fn make_roles(world: &mut World) {
    for (name, service, actions) in [
        ("cluster", "eks.amazonaws.com", r#""sts:AssumeRole""#),
        ("node", "ec2.amazonaws.com", r#""sts:AssumeRole""#),
        ("fargate", "eks-fargate-pods.amazonaws.com", r#""sts:AssumeRole""#),
        ("pod", "pods.eks.amazonaws.com", r#"["sts:AssumeRole","sts:TagSession"]"#),
        ("other", "lambda.amazonaws.com", r#""sts:AssumeRole""#),
    ] {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":{actions}}}]}}"#
        );
        let role = crate::iam::rows::Role {
            name: name.to_owned(),
            id: world.ids.base32("AROA", 17),
            path: "/".to_owned(),
            arn: role(name),
            created: world.now,
            trust,
            description: None,
            max_session_secs: 3600,
            tags: BTreeMap::new(),
            grants: crate::iam::rows::Grants::default(),
            last_used: None,
        };
        world.iam.roles.insert(name, role);
    }
}

/// The ARN of one of [`make_roles`]' roles.
pub(crate) fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

/// A VPC 10.0.0.0/16 with a private subnet in each of three zones; answers the subnets.
pub(crate) fn make_network(world: &mut World) -> Vec<String> {
    let vpc = crate::testing::ec2(world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
    let vpc_id = vpc["vpc"]["vpcId"].as_str().unwrap().to_owned();
    ["a", "b", "c"]
        .iter()
        .enumerate()
        .map(|(number, letter)| {
            let (cidr, zone) = (format!("10.0.{number}.0/24"), format!("us-east-1{letter}"));
            let asked = [("VpcId", vpc_id.as_str()), ("CidrBlock", &cidr), ("AvailabilityZone", &zone)];
            let answer = crate::testing::ec2(world, "CreateSubnet", &asked);
            answer["subnet"]["subnetId"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// A world with an active cluster `c` of version 1.35 that uses access entries, and its subnets.
pub(crate) fn with_cluster() -> (World, Vec<String>) {
    let mut world = crate::testing::world();
    make_roles(&mut world);
    let subnets = make_network(&mut world);
    let asked = serde_json::json!({
        "name": "c", "roleArn": role("cluster"), "version": "1.35", "resourcesVpcConfig": { "subnetIds": subnets },
        "accessConfig": { "authenticationMode": "API" },
    });
    crate::testing::eks(&mut world, "CreateCluster", asked).unwrap();
    crate::testing::pass(&mut world, 10);
    (world, subnets)
}

/// `base` with the members of `more` over it.
pub(crate) fn over(base: &serde_json::Value, more: &serde_json::Value) -> serde_json::Value {
    let mut all = base.clone();
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}
