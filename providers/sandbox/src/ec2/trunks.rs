//! Trunk and branch interfaces: what EKS's controller does with EC2's restricted operations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::interfaces::{self, NetworkInterface, TrunkAssociation, TrunkProtocol};
use super::{describe, instance_types, tokens};
use crate::aws::filter::Filters;
use crate::aws::page;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AssociateTrunkInterface", run: associate_trunk_interface },
    Operation { name: "DisassociateTrunkInterface", run: disassociate_trunk_interface },
    Operation { name: "DescribeTrunkInterfaceAssociations", run: describe_trunk_interface_associations },
];

/// Makes an interface a branch of a trunk and answers the association's id.
///
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`, `InvalidParameterValue` when the trunk is none or not attached, the branch is in use, or
/// the VLAN id or GRE key is taken or out of range, `OperationNotPermitted` past the branches of the instance's type.
pub fn associate(
    world: &mut World,
    branch_id: &str,
    trunk_id: &str,
    protocol: TrunkProtocol,
) -> Result<String, ApiError> {
    check(world, branch_id, trunk_id, protocol)?;
    let id = world.ids.ec2("trunk-assoc");
    let association = TrunkAssociation { id: id.clone(), trunk_id: trunk_id.to_owned(), protocol };
    world.ec2.interfaces.update(branch_id, |branch| {
        branch.trunk = Some(association);
        "branch".clone_into(&mut branch.interface_type);
    });
    Ok(id)
}

fn wrong(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

fn check(world: &World, branch_id: &str, trunk_id: &str, protocol: TrunkProtocol) -> Result<(), ApiError> {
    let branch = interfaces::find(world, branch_id)?;
    let trunk = interfaces::find(world, trunk_id)?;
    if trunk.interface_type != "trunk" {
        return Err(wrong(format!("Network interface '{trunk_id}' is not a trunk interface.")));
    }
    if !matches!(branch.interface_type.as_str(), "interface" | "branch") || branch_id == trunk_id {
        return Err(wrong(format!("Network interface '{branch_id}' cannot be a branch interface.")));
    }
    if branch.status() != "available" {
        return Err(wrong(format!("Network interface '{branch_id}' is currently in use.")));
    }
    if branch.zone != trunk.zone {
        return Err(wrong("The trunk and the branch interface must be in the same availability zone."));
    }
    let (text, range) = match protocol {
        TrunkProtocol::Vlan(id) => (format!("VLAN ID {id}"), (1..=4094).contains(&id)),
        TrunkProtocol::Gre(key) => (format!("GRE key {key}"), true),
    };
    if !range {
        return Err(wrong(format!("{text} is out of range.")));
    }
    let branches: Vec<&NetworkInterface> = of(world, trunk_id).collect();
    if branches.iter().any(|other| other.trunk.as_ref().is_some_and(|trunk| trunk.protocol == protocol)) {
        return Err(wrong(format!("{text} is already in use on trunk interface '{trunk_id}'.")));
    }
    let instance = trunk.instance_id().and_then(|id| world.ec2.instances.get(id));
    let most =
        instance.and_then(|instance| instance_types::find(&instance.instance_type)).map(|known| known.branches_max);
    if most.is_some_and(|most| branches.len() >= most) {
        let message =
            format!("The maximum number of branch interfaces of trunk interface '{trunk_id}' has been reached.");
        return Err(ApiError::new("AttachmentLimitExceeded", message));
    }
    Ok(())
}

/// The branches of a trunk.
pub fn of<'a>(world: &'a World, trunk_id: &str) -> impl Iterator<Item = &'a NetworkInterface> + use<'a> {
    world.ec2.interfaces.with(&format!("trunk-id={trunk_id}")).map(|(_, branch)| branch)
}

/// Ends an association; the branch is available again.
///
/// # Errors
/// `InvalidAssociationID.NotFound`.
pub fn disassociate(world: &mut World, association_id: &str) -> Result<(), ApiError> {
    let mut found = world.ec2.interfaces.with(&format!("trunk-association-id={association_id}"));
    let branch = found.next().map(|(id, _)| id.to_owned());
    drop(found);
    let branch = branch.ok_or_else(|| missing(association_id))?;
    world.ec2.interfaces.update(&branch, |branch| branch.trunk = None);
    Ok(())
}

fn missing(id: &str) -> ApiError {
    ApiError::new("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"))
}

/// The branches of a trunk that is gone are available.
pub(super) fn forget_branches(world: &mut World, trunk_id: &str) {
    let branches: Vec<String> = of(world, trunk_id).map(|branch| branch.id.clone()).collect();
    for branch in branches {
        world.ec2.interfaces.update(&branch, |branch| branch.trunk = None);
    }
}

fn render(branch: &NetworkInterface, association: &TrunkAssociation) -> Value {
    let (protocol, vlan, gre) = match association.protocol {
        TrunkProtocol::Vlan(id) => ("VLAN", Some(id), None),
        TrunkProtocol::Gre(key) => ("GRE", None, Some(key)),
    };
    json!({
        "associationId": association.id, "branchInterfaceId": branch.id, "trunkInterfaceId": association.trunk_id,
        "interfaceProtocol": protocol, "vlanId": vlan, "greKey": gre,
    })
}

fn associate_trunk_interface(world: &mut World, call: &Call) -> Answer {
    let (branch, trunk) = (call.required("BranchInterfaceId")?, call.required("TrunkInterfaceId")?);
    let vlan = call.parsed("VlanId", "Must be an integer")?.map(TrunkProtocol::Vlan);
    let gre = call.parsed("GreKey", "Must be an integer")?.map(TrunkProtocol::Gre);
    let protocol = match (vlan, gre) {
        (Some(protocol), None) | (None, Some(protocol)) => protocol,
        (None, None) => return Err(ApiError::missing(call.service, "VlanId")),
        (Some(_), Some(_)) => {
            let message = "Only one of VlanId and GreKey can be specified";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
    };
    let token = call.text("ClientToken");
    let known = tokens::recall(world, call)?;
    if known.is_none() {
        let id = associate(world, &branch, &trunk, protocol)?;
        tokens::remember(world, call, &id);
    }
    let branch = interfaces::find(world, &branch)?;
    let association = branch.trunk.as_ref().map(|association| render(branch, association));
    Ok(json!({ "interfaceAssociation": association, "clientToken": token }))
}

fn disassociate_trunk_interface(world: &mut World, call: &Call) -> Answer {
    disassociate(world, &call.required("AssociationId")?)?;
    Ok(json!({ "return": true, "clientToken": call.text("ClientToken") }))
}

fn describe_trunk_interface_associations(world: &mut World, call: &Call) -> Answer {
    const PREFIX: &str = "trunk-interface-association.";
    let filters = Filters::read(
        call,
        &[
            "gre-key",
            "interface-protocol",
            "trunk-interface-association.association-id",
            "trunk-interface-association.branch-interface-id",
            "trunk-interface-association.gre-key",
            "trunk-interface-association.interface-protocol",
            "trunk-interface-association.trunk-interface-id",
            "trunk-interface-association.vlan-id",
        ],
    )?;
    let (limit, after) = describe::paging(call, (5, 255))?;
    let asked = call.texts("AssociationId");
    let interfaces = &world.ec2.interfaces;
    let branches: Vec<&NetworkInterface> = match filters.exact("trunk-interface-association.trunk-interface-id") {
        Some(trunks) => trunks.iter().flat_map(|trunk| of(world, trunk)).collect(),
        None => interfaces.with("interface-type=branch").map(|(_, branch)| branch).collect(),
    };
    let found: BTreeMap<&str, (&NetworkInterface, &TrunkAssociation)> = branches
        .into_iter()
        .filter_map(|branch| branch.trunk.as_ref().map(|association| (association.id.as_str(), (branch, association))))
        .collect();
    if let Some(unknown) = asked.iter().find(|id| !found.contains_key(id.as_str())) {
        return Err(missing(unknown));
    }
    let accepted = found.into_iter().filter(|(id, (branch, association))| {
        let value = render(branch, association);
        let values_of = |filter: &str| {
            let member = match filter.strip_prefix(PREFIX).unwrap_or(filter) {
                "association-id" => "associationId",
                "branch-interface-id" => "branchInterfaceId",
                "trunk-interface-id" => "trunkInterfaceId",
                "vlan-id" => "vlanId",
                "gre-key" => "greKey",
                _ => "interfaceProtocol",
            };
            match &value[member] {
                Value::Null => Vec::new(),
                Value::String(text) => vec![text.clone()],
                other => vec![other.to_string()],
            }
        };
        (asked.is_empty() || asked.iter().any(|asked| asked == id)) && filters.accept(&BTreeMap::new(), values_of)
    });
    let rest = accepted.filter(|(id, _)| after.as_deref().is_none_or(|after| *id > after));
    let page = page::rest(rest.map(|(id, (branch, association))| (id, render(branch, association))), limit);
    Ok(describe::listing("interfaceAssociationSet", page))
}
