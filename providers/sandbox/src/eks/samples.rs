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
