//! Making a trunk interface, or taking over the one that an instance has.
//!
//! Source: `pkg/provider/branch/trunk/trunk.go` (`InitTrunk`), `pkg/aws/ec2/instance.go`, `pkg/aws/ec2/api/helper.go`.

use serde_json::Value;

use super::super::context::{Context, meta};
use super::super::scheduler::cache::list;
use super::super::workloads::pods::is_finished;
use super::super::{Name, queue::Item};
use super::nodes::feature;
use super::{Branch, CNI_NODES, Details, POD_ENI, Place, Trunk, TrunkState, authorized, branches_of, tags, trunk_id};
use crate::aws::ApiError;
use crate::ec2::attachments::{self, Attach};
use crate::ec2::instance_types;
use crate::ec2::instances::Instance;
use crate::ec2::interfaces::{self, AttachmentStatus, NewInterface};
use crate::world::World;

/// Why it is not known where a node's interfaces go.
pub(super) enum NoNetwork {
    /// Custom networking without the name of an ENIConfig; the controller's words.
    NoName(String),
    /// The ENIConfig is not there: only a line in the controller's log.
    Missing,
}

/// Where a node's interfaces go by default: subnet and groups of its instance, or of its ENIConfig.
///
/// # Errors
/// The ENIConfig cannot be found.
pub(super) fn network(ctx: &Context<'_>, node: &Value) -> Result<(String, Vec<String>), NoNetwork> {
    let instance = super::super::nodes::instance_of(node).and_then(|id| ctx.world.ec2.instances.get(id));
    let instance = instance.ok_or(NoNetwork::Missing)?;
    let primary = ctx.world.ec2.interfaces.get(&instance.interface_id);
    let own = primary.map(|it| it.groups.clone()).unwrap_or_default();
    let label = node["metadata"]["labels"]["vpc.amazonaws.com/eniConfig"].as_str();
    let cni_node = ctx.get(CNI_NODES, "", meta(node, "name"));
    let value = cni_node.as_deref().and_then(|it| feature(it, "CustomNetworking"));
    let name = match (label, value) {
        (None, None) => return Ok((instance.subnet_id.clone(), own)),
        (None, Some("")) => {
            let name = meta(node, "name");
            return Err(NoNetwork::NoName(format!(
                "couldn't find custom networking eniconfig name for node {name}, error: resource was not found"
            )));
        }
        (Some(name), _) | (None, Some(name)) => name,
    };
    let config = ctx.get("eniconfigs.crd.k8s.amazonaws.com", "", name).ok_or(NoNetwork::Missing)?;
    let Some(subnet) = config["spec"]["subnet"].as_str().filter(|it| !it.is_empty()) else {
        return Ok((instance.subnet_id.clone(), own));
    };
    let groups: Vec<String> =
        list(&config["spec"]["securityGroups"]).filter_map(|it| it.as_str().map(str::to_owned)).collect();
    Ok((subnet.to_owned(), if groups.is_empty() { own } else { groups }))
}

/// Keeps what is known of a node's trunk.
pub(super) fn remember(
    ctx: &mut Context<'_>,
    node: &Value,
    instance: &Instance,
    network: (String, Vec<String>),
    state: TrunkState,
    trunk: Option<String>,
) {
    let row = Trunk {
        cluster: ctx.cluster.to_owned(),
        node: meta(node, "name").to_owned(),
        instance_id: instance.id.clone(),
        instance_type: instance.instance_type.clone(),
        state,
        trunk_id: trunk,
        subnet_id: network.0,
        groups: network.1,
        ready_at: None,
    };
    ctx.world.kubernetes.trunks.insert(trunk_id(ctx.cluster, meta(node, "name")), row);
}

/// The trunk of an instance: the one it has, or a new one, being attached.
///
/// # Errors
/// The code of EC2's refusal, or `None` when no slot is free.
pub(super) fn make(
    ctx: &mut Context<'_>,
    instance: &Instance,
    network: &(String, Vec<String>),
) -> Result<String, Option<String>> {
    let attached = format!("attachment.instance-id={}", instance.id);
    let own: Vec<(String, String, u32)> = ctx
        .world
        .ec2
        .interfaces
        .with(&attached)
        .filter_map(|(id, row)| {
            Some((id.to_owned(), row.interface_type.clone(), row.attachment.as_ref()?.device_index))
        })
        .collect();
    if let Some((id, ..)) = own.iter().find(|(_, kind, _)| kind == "trunk") {
        return Ok(id.clone());
    }
    let kind = instance_types::find(&instance.instance_type).ok_or(None)?;
    let most = kind.interfaces_max.min(kind.default_card_max());
    let is_free = |index: &u32| own.iter().all(|(_, _, used)| used != index);
    let most = u32::try_from(most).unwrap_or(0);
    let index = (0..most).rev().find(is_free).ok_or(None)?;
    create(ctx, instance, network, index).map_err(|error| Some(error.code))
}

fn create(
    ctx: &mut Context<'_>,
    instance: &Instance,
    network: &(String, Vec<String>),
    device_index: u32,
) -> Result<String, ApiError> {
    authorized(ctx, "ec2:CreateNetworkInterface")?;
    let new = NewInterface {
        subnet_id: network.0.clone(),
        groups: network.1.clone(),
        description: "aws-k8s-trunk-eni".to_owned(),
        tags: tags(ctx.cluster, &instance.id),
        interface_type: "trunk".to_owned(),
        ..NewInterface::default()
    };
    let id = interfaces::create(ctx.world, new)?;
    let attached =
        ["ec2:CreateNetworkInterfacePermission", "ec2:AttachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"]
            .into_iter()
            .try_for_each(|action| authorized(ctx, action))
            .and_then(|()| {
                let attach = Attach {
                    instance_id: instance.id.clone(),
                    interface_id: id.clone(),
                    device_index,
                    network_card_index: 0,
                    delete_on_termination: true,
                };
                attachments::attach(ctx.world, &attach)
            });
    if let Err(error) = attached {
        let _ = interfaces::delete(ctx.world, &id);
        return Err(error);
    }
    Ok(id)
}

/// Whether a trunk is attached; `None` when it is gone.
pub(super) fn is_attached(world: &World, trunk: Option<&str>) -> Option<bool> {
    let attachment = world.ec2.interfaces.get(trunk?)?.attachment.as_ref()?;
    Some(attachment.status == AttachmentStatus::Attached)
}

/// Learns which branches a trunk has already, as the controller does when it starts: those that pods name are theirs, the others
/// are deleted after the cool-down.
pub(super) fn take_over(ctx: &mut Context<'_>, node: &str) {
    let Some(row) = ctx.world.kubernetes.trunks.get(&trunk_id(ctx.cluster, node)).cloned() else { return };
    let Some(trunk) = &row.trunk_id else { return };
    let known: Vec<String> = branches_of(ctx.world, ctx.cluster, node).into_iter().map(|it| it.details.id).collect();
    let key = format!("tag:vpcresources.k8s.aws/trunk-eni-id={trunk}");
    let mut left: Vec<(String, u16)> = ctx
        .world
        .ec2
        .interfaces
        .with(&key)
        .filter(|(id, interface)| interface.subnet_id == row.subnet_id && !known.iter().any(|it| it == id))
        .filter_map(|(id, interface)| {
            Some((id.to_owned(), interface.tags.get("vpcresources.k8s.aws/vlan-id")?.parse().ok()?))
        })
        .collect();
    for pod in ctx.pods_on(node) {
        let text = pod["metadata"]["annotations"][POD_ENI].as_str().unwrap_or_default();
        let Ok(details) = serde_json::from_str::<Vec<Details>>(text) else { continue };
        for details in details.into_iter().filter(|_| !is_finished(&pod)) {
            if let Some(at) = left.iter().position(|(id, _)| *id == details.id) {
                left.remove(at);
                keep(ctx, node, meta(&pod, "uid"), details, Place::Used);
            }
        }
    }
    let now = ctx.now();
    for (id, vlan) in left {
        let details = Details {
            id,
            mac: String::new(),
            ipv4: String::new(),
            ipv6: String::new(),
            vlan,
            subnet_cidr: String::new(),
            subnet_ipv6_cidr: String::new(),
            association: String::new(),
        };
        keep(ctx, node, "", details, Place::Queued(Some(now)));
    }
    ctx.queue.add(Item::new(Name::PodEniQueue, "", node));
}

/// Keeps a branch.
pub(super) fn keep(ctx: &mut Context<'_>, node: &str, uid: &str, details: Details, place: Place) {
    let order = i64::try_from(ctx.world.count("branch")).unwrap_or(i64::MAX);
    let branch =
        Branch { cluster: ctx.cluster.to_owned(), node: node.to_owned(), uid: uid.to_owned(), details, place, order };
    ctx.world.kubernetes.branches.insert(branch.id(), branch);
}
