//! What an operation needs: actions on resources, with their condition keys.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys" for Amazon EC2, Amazon EKS, IAM and STS. An
//! operation without a row needs `service:Operation` on `*`.

mod ec2;
mod eks;
mod iam;

use std::collections::BTreeMap;

use super::enforce::context;
use crate::aws::{Call, Service};
use crate::world::World;

/// One thing that must be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// `ec2:CreateTags`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Condition keys of the request.
    pub context: BTreeMap<String, Vec<String>>,
}

/// All that a call needs.
pub fn needs(world: &World, call: &Call) -> Vec<Need> {
    match call.service {
        Service::Ec2 => ec2::needs(world, call),
        Service::Eks => eks::needs(world, call),
        Service::Iam => iam::needs(world, call),
        Service::Sts => vec![Need {
            action: format!("sts:{}", call.operation),
            resource: "*".to_owned(),
            context: context([("aws:RequestedRegion".to_owned(), region(world, call))]),
        }],
    }
}

/// The region that a call is for.
fn region(world: &World, call: &Call) -> String {
    if call.region.is_empty() { world.settings.region.clone() } else { call.region.clone() }
}

/// `aws:RequestTag/KEY` and `aws:TagKeys` of tags that are sent.
fn request_tags(tags: &[(String, String)]) -> Vec<(String, String)> {
    let pairs = tags.iter().flat_map(|(key, value)| {
        [(format!("aws:RequestTag/{key}"), value.clone()), ("aws:TagKeys".to_owned(), key.clone())]
    });
    pairs.collect()
}

/// The role that a call hands to a service: `iam:PassRole` on it.
fn pass_role(world: &World, role_arn: &str, service: &str) -> Need {
    let mut pairs = vec![("iam:PassedToService".to_owned(), service.to_owned())];
    if let Some(role) = world.iam.role_of_arn(role_arn) {
        pairs.extend(role.tags.iter().map(|(key, value)| (format!("iam:ResourceTag/{key}"), value.clone())));
        pairs.extend(role.tags.iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), value.clone())));
    }
    Need { action: "iam:PassRole".to_owned(), resource: role_arn.to_owned(), context: context(pairs) }
}
