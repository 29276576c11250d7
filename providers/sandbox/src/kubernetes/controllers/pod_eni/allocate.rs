//! Branch interfaces for one pod.
//!
//! Source: `pkg/provider/branch/trunk/trunk.go` (`CreateAndAssociateBranchENIs`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::context::{Context, meta};
use super::{
    Details, Place, Trunk, TrunkState, authorized, branches_of, cool_down, pods, tags, trunk, trunk_id, worded,
};
use crate::aws::ApiError;
use crate::ec2::interfaces::{self, NewInterface, TrunkProtocol};
use crate::ec2::{instance_types, subnets, trunks};

/// The highest VLAN id that is given.
const VLAN_MAX: u16 = 120;

/// Why a pod gets no interfaces.
pub(super) enum Refused {
    /// Those in use and those that cool down are as many as there can be.
    Full,
    /// The node has no trunk.
    NoTrunk,
    /// What the controller says.
    Failed(String),
}

/// Makes as many branches as a pod wants, with these groups or the instance's.
///
/// # Errors
/// [`Refused`]; what was made by then is deleted at the next look at the queue.
pub(super) fn branches(
    ctx: &mut Context<'_>,
    pod: &Value,
    groups: Vec<String>,
    count: usize,
) -> Result<Vec<Details>, Refused> {
    let (node, uid) = (pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned(), meta(pod, "uid").to_owned());
    let row = ctx.world.kubernetes.trunks.get(&trunk_id(ctx.cluster, &node)).cloned();
    let row = row.filter(|row| row.state == TrunkState::Ready).ok_or(Refused::NoTrunk)?;
    if pods::used(ctx, &uid) {
        return Err(Refused::Failed("cannot create new eni entry already exist, older entry : []".to_owned()));
    }
    let there = branches_of(ctx.world, ctx.cluster, &node);
    let taken = there.iter().filter(|branch| branch.place != Place::Forgotten).count();
    let most = instance_types::find(&row.instance_type).map_or(0, |kind| kind.branches_max);
    if taken >= most {
        return Err(Refused::Full);
    }
    let groups = if groups.is_empty() { row.groups.clone() } else { groups };
    let mut vlans: BTreeSet<u16> = there.iter().map(|branch| branch.details.vlan).collect();
    let mut made = Vec::new();
    for _ in 0..count {
        match one(ctx, &row, &uid, &groups, &mut vlans) {
            Ok(details) => made.push(details),
            Err(why) => {
                cool_down::push_front(ctx, &uid);
                return Err(Refused::Failed(why));
            }
        }
    }
    Ok(made)
}

/// Makes one branch and puts it on the trunk.
fn one(
    ctx: &mut Context<'_>,
    row: &Trunk,
    uid: &str,
    groups: &[String],
    vlans: &mut BTreeSet<u16>,
) -> Result<Details, String> {
    let vlan = (1..=VLAN_MAX).find(|vlan| !vlans.contains(vlan));
    let vlan =
        vlan.ok_or_else(|| "assigning vlad id, failed to find free vlan id in the available 121 ids".to_owned())?;
    let trunk_id = row.trunk_id.clone().unwrap_or_default();
    let id = create(ctx, row, &trunk_id, groups, vlan).map_err(|error| {
        let words = worded(ctx, "CreateNetworkInterface", &error);
        format!("creating network interface, {words}")
    })?;
    vlans.insert(vlan);
    let mut details = details(ctx, row, &id, vlan);
    trunk::keep(ctx, &row.node, uid, details.clone(), Place::Used);
    authorized(ctx, "ec2:CreateNetworkInterfacePermission").map_err(|error| {
        let words = worded(ctx, "CreateNetworkInterfacePermission", &error);
        format!("associating branch to trunk, failed to get attach network interface permissions for branch {words}")
    })?;
    let association = trunks::associate(ctx.world, &id, &trunk_id, TrunkProtocol::Vlan(vlan.into()));
    let association = association.map_err(|error| {
        let words = worded(ctx, "AssociateTrunkInterface", &error);
        format!("associating branch to trunk, {words}")
    })?;
    details.association = association;
    let kept = format!("{}/{}/{id}", ctx.cluster, row.node);
    ctx.world.kubernetes.branches.update(&kept, |branch| branch.details = details.clone());
    Ok(details)
}

fn create(
    ctx: &mut Context<'_>,
    row: &Trunk,
    trunk_id: &str,
    groups: &[String],
    vlan: u16,
) -> Result<String, ApiError> {
    authorized(ctx, "ec2:CreateNetworkInterface")?;
    let mut tags = tags(ctx.cluster, &row.instance_id);
    tags.insert("vpcresources.k8s.aws/vlan-id".to_owned(), vlan.to_string());
    tags.insert("vpcresources.k8s.aws/trunk-eni-id".to_owned(), trunk_id.to_owned());
    let instance = ctx.world.ec2.instances.get(&row.instance_id);
    let primary = instance.and_then(|instance| ctx.world.ec2.interfaces.get(&instance.interface_id));
    let connection_tracking = primary.map(|primary| primary.connection_tracking).unwrap_or_default();
    let new = NewInterface {
        subnet_id: row.subnet_id.clone(),
        groups: groups.to_vec(),
        description: "aws-k8s-branch-eni".to_owned(),
        tags,
        connection_tracking,
        ..NewInterface::default()
    };
    interfaces::create(ctx.world, new)
}

/// What the annotation says of an interface that was just made.
fn details(ctx: &Context<'_>, row: &Trunk, id: &str, vlan: u16) -> Details {
    let subnet = subnets::find(ctx.world, &row.subnet_id).ok();
    let interface = ctx.world.ec2.interfaces.get(id);
    let ipv4 = interface.and_then(interfaces::NetworkInterface::primary_address);
    let ipv6 = interface.and_then(|it| it.ipv6_addresses.first().copied());
    Details {
        id: id.to_owned(),
        mac: interface.map(|it| it.mac.clone()).unwrap_or_default(),
        ipv4: ipv4.map(|it| it.to_string()).unwrap_or_default(),
        ipv6: ipv6.map(|it| it.to_string()).unwrap_or_default(),
        vlan,
        subnet_cidr: subnet.map(|it| it.cidr.to_string()).unwrap_or_default(),
        subnet_ipv6_cidr: subnet.and_then(subnets::Subnet::ipv6_cidr).map(|it| it.to_string()).unwrap_or_default(),
        association: String::new(),
    }
}
