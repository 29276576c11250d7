//! AWS's VPC resource controller: trunk interfaces for nodes, branch interfaces for pods.
//!
//! Source: `aws/amazon-vpc-resource-controller-k8s` v1.8.2 (Apache License 2.0), read for behaviour: what it does in which order, its
//! messages, its numbers. It works with the cluster's IAM role; where that lacks a permission, EC2 says no as it would.

mod allocate;
pub(crate) mod cool_down;
pub(crate) mod nodes;
pub(crate) mod pods;
mod trunk;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::context::Context;
use crate::aws::{ApiError, Caller};
use crate::ec2::interfaces;
use crate::ec2::tags::Tags;
use crate::iam::actions::Need;
use crate::iam::{authorize, enforce};
use crate::store::table::Table;
use crate::world::World;

/// Who tells the controller's events.
const COMPONENT: &str = "vpc-resource-controller";
/// Its session with the cluster's role.
const SESSION: &str = "aws-vpc-resource-controller";
/// What is told to be its version.
const VERSION: &str = "v1.8.2";
/// The extended resource of which a branch interface is one, and the annotation that says which.
pub(crate) const POD_ENI: &str = "vpc.amazonaws.com/pod-eni";
/// CNINodes.
const CNI_NODES: &str = "cninodes.vpcresources.k8s.aws";

/// A node's trunk, as the controller knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trunk {
    /// The cluster.
    pub cluster: String,
    /// The node's name.
    pub node: String,
    /// The node's instance.
    pub instance_id: String,
    /// The instance's type.
    pub instance_type: String,
    /// Where the controller is with it.
    pub state: TrunkState,
    /// The trunk interface, once there is one.
    pub trunk_id: Option<String>,
    /// The subnet of its branches: the instance's, or that of its ENIConfig.
    pub subnet_id: String,
    /// The groups of branches of pods that no policy matches: the instance's, or those of its ENIConfig.
    pub groups: Vec<String>,
    /// Since when it works; the queue of freed branches is looked at every 30 s from then.
    pub ready_at: Option<Timestamp>,
}

/// Where the controller is with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrunkState {
    /// The trunk is being attached.
    Attaching,
    /// It works.
    Ready,
    /// It could not be made; the next change of the node tries again.
    Failed,
    /// The instance's type has none: its pods get no branches.
    Unsupported,
    /// The node is gone; soon this is too.
    Leaving,
}

/// A branch interface of a pod, or one that waits for its deletion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Branch {
    /// The cluster.
    pub cluster: String,
    /// The node's name.
    pub node: String,
    /// The pod's uid.
    pub uid: String,
    /// What the pod's annotation says of it.
    pub details: Details,
    /// Where it is in its life.
    pub place: Place,
    /// Its place in the queue: lower comes first.
    pub order: i64,
}

/// Where a branch interface is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// A pod has it.
    Used,
    /// It waits since then; `None` is not made to wait.
    Queued(Option<Timestamp>),
    /// It could not be deleted three times, and the controller has forgotten it, but not its VLAN.
    Forgotten,
}

/// A branch interface as the annotation `vpc.amazonaws.com/pod-eni` has it. The order of the members is the controller's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// `eni-...`.
    #[serde(rename = "eniId")]
    pub id: String,
    /// Its MAC address.
    #[serde(rename = "ifAddress")]
    pub mac: String,
    /// Its IPv4 address.
    #[serde(rename = "privateIp")]
    pub ipv4: String,
    /// Its IPv6 address; empty without.
    #[serde(rename = "ipv6Addr")]
    pub ipv6: String,
    /// 1 to 120.
    #[serde(rename = "vlanId")]
    pub vlan: u16,
    /// The IPv4 block of its subnet.
    #[serde(rename = "subnetCidr")]
    pub subnet_cidr: String,
    /// The IPv6 block of its subnet; empty without.
    #[serde(rename = "subnetV6Cidr")]
    pub subnet_ipv6_cidr: String,
    /// Its association with the trunk.
    #[serde(rename = "associationID")]
    pub association: String,
}

/// Trunks by cluster and node.
pub(crate) fn trunks() -> Table<Trunk> {
    Table::new("kubernetes-trunks")
}

/// Branches by cluster, node and interface; found by `node=CLUSTER/NODE` and `uid=CLUSTER/UID` too.
pub(crate) fn branches() -> Table<Branch> {
    Table::indexed("kubernetes-branches", |branch| {
        vec![format!("node={}/{}", branch.cluster, branch.node), format!("uid={}/{}", branch.cluster, branch.uid)]
    })
}

impl Branch {
    fn id(&self) -> String {
        format!("{}/{}/{}", self.cluster, self.node, self.details.id)
    }
}

fn trunk_id(cluster: &str, node: &str) -> String {
    format!("{cluster}/{node}")
}

/// The branches of a node, those that wait among them.
fn branches_of(world: &World, cluster: &str, node: &str) -> Vec<Branch> {
    let key = format!("node={cluster}/{node}");
    world.kubernetes.branches.with(&key).map(|(_, branch)| branch.clone()).collect()
}

/// Forgets all of a cluster. Its interfaces that something has stay in EC2, as when an EKS cluster is deleted; those that ended nodes
/// left go, because the deletion of a real cluster lasts minutes in which the cleaner gets to them.
pub(super) fn forget(world: &mut World, cluster: &str) {
    let owned = world.ec2.interfaces.with(&format!("tag:kubernetes.io/cluster/{cluster}=owned"));
    let left: Vec<String> = owned
        .filter(|(_, row)| row.status() == "available" && row.tags.contains_key("eks:eni:owner"))
        .map(|(id, _)| id.to_owned())
        .collect();
    for id in left {
        interfaces::remove(world, &id);
    }
    let prefix = format!("{cluster}/");
    let trunks: Vec<String> =
        world.kubernetes.trunks.starting_with(prefix.clone()).map(|(id, _)| id.to_owned()).collect();
    for id in trunks {
        world.kubernetes.trunks.remove(&id);
    }
    let branches: Vec<String> = world.kubernetes.branches.starting_with(prefix).map(|(id, _)| id.to_owned()).collect();
    for id in branches {
        world.kubernetes.branches.remove(&id);
    }
}

/// The tags that all of the controller's interfaces have.
fn tags(cluster: &str, instance_id: &str) -> Tags {
    [
        ("eks:eni:owner".to_owned(), "eks-vpc-resource-controller".to_owned()),
        (format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned()),
        ("node.k8s.amazonaws.com/instance_id".to_owned(), instance_id.to_owned()),
    ]
    .into()
}

/// An event about a node under the uid by which kubelet's own events are found: its name.
fn tell_node(ctx: &mut Context<'_>, node: &Value, is_warning: bool, reason: &str, message: &str) {
    let mut about = node.clone();
    about["metadata"]["uid"] = about["metadata"]["name"].clone();
    if is_warning {
        ctx.warn(&about, COMPONENT, reason, message);
    } else {
        ctx.normal(&about, COMPONENT, reason, message);
    }
}

/// Asks IAM whether the cluster's role may do something to an interface of the controller.
///
/// # Errors
/// `UnauthorizedOperation`.
fn authorized(ctx: &Context<'_>, action: &str) -> Result<(), ApiError> {
    let Some(role) = ctx.world.eks.clusters.get(ctx.cluster).map(|row| row.role_arn.clone()) else { return Ok(()) };
    let owner = vec!["eks-vpc-resource-controller".to_owned()];
    let context: BTreeMap<String, Vec<String>> = [
        ("ec2:ResourceTag/eks:eni:owner".to_owned(), owner.clone()),
        ("aws:ResourceTag/eks:eni:owner".to_owned(), owner),
        ("aws:RequestedRegion".to_owned(), vec![ctx.world.settings.region.clone()]),
    ]
    .into();
    let (region, account) = (&ctx.world.settings.region, &ctx.world.settings.account);
    let resource = format!("arn:aws:ec2:{region}:{account}:network-interface/*");
    let decision = authorize::is_allowed(ctx.world, &role, action, &resource, &context);
    if decision.is_allowed() {
        return Ok(());
    }
    let name = role.rsplit('/').next().unwrap_or_default();
    let id = ctx.world.iam.roles.get(name).map(|row| row.id.clone()).unwrap_or_default();
    let caller = Caller {
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{SESSION}"),
        user_id: format!("{id}:{SESSION}"),
        account: account.clone(),
        access_key: String::new(),
    };
    Err(enforce::unauthorized(&caller, &Need { action: action.to_owned(), resource, context }, &decision))
}

/// An error of EC2 as the AWS SDK for Go words it.
fn worded(ctx: &mut Context<'_>, operation: &str, error: &ApiError) -> String {
    let request = ctx.world.ids.uuid();
    format!(
        "operation error EC2: {operation}, https response error StatusCode: {}, RequestID: {request}, api error {}: {}",
        error.status, error.code, error.message
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ec2, world};

    #[test]
    fn what_ended_nodes_left_goes_with_the_cluster() {
        let mut world = world();
        let subnet = ec2(&mut world, "DescribeSubnets", &[])["subnetSet"][0]["subnetId"].as_str().unwrap().to_owned();
        let mut made = |cluster: &str| {
            let key = format!("kubernetes.io/cluster/{cluster}");
            let sent = [
                ("SubnetId", subnet.as_str()),
                ("TagSpecification.1.ResourceType", "network-interface"),
                ("TagSpecification.1.Tag.1.Key", key.as_str()),
                ("TagSpecification.1.Tag.1.Value", "owned"),
                ("TagSpecification.1.Tag.2.Key", "eks:eni:owner"),
                ("TagSpecification.1.Tag.2.Value", "eks-vpc-resource-controller"),
            ];
            let answer = ec2(&mut world, "CreateNetworkInterface", &sent);
            answer["networkInterface"]["networkInterfaceId"].as_str().unwrap().to_owned()
        };
        let (ours, others) = (made("c"), made("other"));
        forget(&mut world, "c");
        assert!(!world.ec2.interfaces.contains(&ours) && world.ec2.interfaces.contains(&others));
    }
}
