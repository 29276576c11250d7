//! EKS before ministack: states that last, updates, and the fields and refusals that a proof depends on.
//!
//! ministack keeps the resources. The proxy keeps beside each of them (by its path) the fields that ministack lacks or gets wrong, and how many describes
//! still see it on its way to the next state.

mod addons;
mod catalog;
mod clusters;
mod nodegroups;
mod overlay;
mod updates;
mod vpc_cni;

pub(super) use overlay::Overlay;

use super::call::{AwsRequest, form};
use super::errors::Refusal;
use super::shared::Shared;
use super::xml;
use crate::world::http::json;
use bytes::Bytes;
use http::{Method, Response};
use overlay::Kind;
use serde_json::Value;

/// The name of the operation that a method and a path mean.
pub(super) fn operation(method: &Method, segments: &[String]) -> &'static str {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (method.as_str(), segments.as_slice()) {
        ("POST", ["clusters"]) => "CreateCluster",
        ("GET", ["clusters"]) => "ListClusters",
        ("GET", ["clusters", _]) => "DescribeCluster",
        ("DELETE", ["clusters", _]) => "DeleteCluster",
        ("POST", ["clusters", _, "update-config"]) => "UpdateClusterConfig",
        ("POST", ["clusters", _, "updates"]) => "UpdateClusterVersion",
        ("GET", ["clusters", _, "updates"]) => "ListUpdates",
        ("GET", ["clusters", _, "updates", _]) => "DescribeUpdate",
        ("POST", ["clusters", _, "node-groups"]) => "CreateNodegroup",
        ("GET", ["clusters", _, "node-groups"]) => "ListNodegroups",
        ("GET", ["clusters", _, "node-groups", _]) => "DescribeNodegroup",
        ("DELETE", ["clusters", _, "node-groups", _]) => "DeleteNodegroup",
        ("POST", ["clusters", _, "node-groups", _, "update-config"]) => "UpdateNodegroupConfig",
        ("POST", ["clusters", _, "node-groups", _, "update-version"]) => "UpdateNodegroupVersion",
        ("POST", ["clusters", _, "addons"]) => "CreateAddon",
        ("GET", ["clusters", _, "addons"]) => "ListAddons",
        ("GET", ["clusters", _, "addons", _]) => "DescribeAddon",
        ("DELETE", ["clusters", _, "addons", _]) => "DeleteAddon",
        ("POST", ["clusters", _, "addons", _, "update"]) => "UpdateAddon",
        ("GET", ["addons", "supported-versions"]) => "DescribeAddonVersions",
        ("GET", ["addons", "configuration-schemas"]) => "DescribeAddonConfiguration",
        ("GET", ["cluster-versions"]) => "DescribeClusterVersions",
        ("GET", ["tags", ..]) => "ListTagsForResource",
        ("POST", ["tags", ..]) => "TagResource",
        ("DELETE", ["tags", ..]) => "UntagResource",
        ("POST", ["clusters", _, "encryption-config", "associate"]) => "AssociateEncryptionConfig",
        ("POST", ["clusters", _, "access-entries"]) => "CreateAccessEntry",
        ("GET", ["clusters", _, "access-entries"]) => "ListAccessEntries",
        ("POST", ["clusters", _, "access-entries", .., "access-policies"]) => "AssociateAccessPolicy",
        ("GET", ["clusters", _, "access-entries", .., "access-policies"]) => "ListAssociatedAccessPolicies",
        ("DELETE", ["clusters", _, "access-entries", _, "access-policies", _]) => "DisassociateAccessPolicy",
        ("GET", ["clusters", _, "access-entries", ..]) => "DescribeAccessEntry",
        ("POST", ["clusters", _, "access-entries", ..]) => "UpdateAccessEntry",
        ("DELETE", ["clusters", _, "access-entries", ..]) => "DeleteAccessEntry",
        ("POST", ["clusters", _, "pod-identity-associations"]) => "CreatePodIdentityAssociation",
        ("GET", ["clusters", _, "pod-identity-associations"]) => "ListPodIdentityAssociations",
        ("GET", ["clusters", _, "pod-identity-associations", _]) => "DescribePodIdentityAssociation",
        ("POST", ["clusters", _, "pod-identity-associations", _]) => "UpdatePodIdentityAssociation",
        ("DELETE", ["clusters", _, "pod-identity-associations", _]) => "DeletePodIdentityAssociation",
        _ => "unknown",
    }
}

pub(super) async fn answer(shared: &Shared, request: &AwsRequest) -> Result<Response<Bytes>, Refusal> {
    let segments = request.segments();
    let part = |index: usize| segments.get(index).map_or("", String::as_str);
    let path = segments.join("/");
    let parent = segments[..segments.len() - 1].join("/");
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let query = form(request.parts.uri.query().unwrap_or_default().as_bytes());
    let answered = match request.operation().as_str() {
        "CreateCluster" => clusters::create(shared, body).await,
        "DescribeCluster" => overlay::describe(shared, Kind::Cluster, &path).await,
        "DeleteCluster" => clusters::delete(shared, &path).await,
        "UpdateClusterConfig" => clusters::update_config(shared, &parent, &body).await,
        "UpdateClusterVersion" => clusters::update_version(shared, &parent, &body).await,
        "ListUpdates" => Ok(updates::list(shared, part(1), &query)),
        "DescribeUpdate" => updates::describe(shared, part(1), part(3)),
        "CreateNodegroup" => nodegroups::create(shared, part(1), body).await,
        "DescribeNodegroup" => overlay::describe(shared, Kind::Nodegroup, &path).await,
        "DeleteNodegroup" => overlay::delete(shared, Kind::Nodegroup, &path).await,
        "UpdateNodegroupConfig" => nodegroups::update_config(shared, &parent, &body).await,
        "UpdateNodegroupVersion" => nodegroups::update_version(shared, &parent, &body).await,
        "CreateAddon" => addons::create(shared, part(1), body).await,
        "DescribeAddon" => overlay::describe(shared, Kind::Addon, &path).await,
        "DeleteAddon" => {
            addons::delete(shared, &path, query.get("preserve").is_some_and(|preserve| preserve == "true")).await
        }
        "UpdateAddon" => addons::update(shared, &parent, &body).await,
        "DescribeAddonVersions" => Ok(catalog::versions(&query)),
        "DescribeAddonConfiguration" => catalog::configuration(&query),
        "DescribeClusterVersions" => Ok(catalog::cluster_versions()),
        _ => return shared.upstream.forward(request).await,
    };
    answered.map(|body| json(200, &body))
}

/// The names of all clusters.
pub(super) async fn cluster_names(shared: &Shared) -> Vec<String> {
    let found = shared.upstream.eks(Method::GET, "clusters", None).await;
    let names = found.map(|(_, body)| body["clusters"].clone()).unwrap_or_default();
    serde_json::from_value(names).unwrap_or_default()
}

/// A string field of a request or a resource.
fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}

/// Refuses a role that IAM does not know.
async fn role_exists(shared: &Shared, arn: &str) -> Result<(), Refusal> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = shared.upstream.query("iam", "GetRole", &[("RoleName", name)]).await;
    found
        .map(drop)
        .map_err(|_| invalid(format!("Role with arn: {arn}, could not be assumed because it does not exist")))
}

/// The VPC of the subnets; refused when one does not exist or they are of several VPCs.
async fn vpc_of(shared: &Shared, subnets: &Value) -> Result<String, Refusal> {
    let ids: Vec<&str> = subnets.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if ids.is_empty() {
        return Err(invalid("subnetIds can't be blank"));
    }
    let names: Vec<String> = (1..=ids.len()).map(|index| format!("SubnetId.{index}")).collect();
    let params: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(ids.iter().copied()).collect();
    let found = shared.upstream.query("ec2", "DescribeSubnets", &params).await;
    let found = found.map_err(|_| invalid(format!("The subnet ID '{}' does not exist", ids.join(","))))?;
    let mut vpcs = xml::texts(&found, "vpcId");
    vpcs.dedup();
    match vpcs.as_slice() {
        [vpc] => Ok(vpc.clone()),
        _ => Err(invalid("Subnets specified must be in the same VPC")),
    }
}
