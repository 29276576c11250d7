//! Security groups that are used in more than their own VPC: associations, and who sees what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{self, Describe};
use super::kinds::Kind;
use super::peering::Status;
use super::rules::{self, Peer, Rule};
use super::security_groups::{self, SecurityGroup};
use super::tags::{Tags, tag_set};
use super::{Due, vpcs};
use crate::aws::filter::Filters;
use crate::aws::page;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::store::table::Table;
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AssociateSecurityGroupVpc", run: associate_security_group_vpc },
    Operation { name: "DisassociateSecurityGroupVpc", run: disassociate_security_group_vpc },
    Operation { name: "DescribeSecurityGroupVpcAssociations", run: describe_security_group_vpc_associations },
    Operation { name: "GetSecurityGroupsForVpc", run: get_security_groups_for_vpc },
    Operation { name: "DescribeSecurityGroupReferences", run: describe_security_group_references },
    Operation { name: "DescribeStaleSecurityGroups", run: describe_stale_security_groups },
];

/// A group's use in another VPC. Its id is `GROUP/VPC`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupAssociation {
    /// The group.
    pub group_id: String,
    /// The other VPC.
    pub vpc_id: String,
    /// How far it is.
    pub state: AssociationState,
    /// Always empty.
    pub tags: Tags,
}

/// How far an association is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssociationState {
    /// Until a timer.
    Associating,
    /// Usable.
    Associated,
    /// Until a timer.
    Disassociating,
}

impl AssociationState {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Associating => "associating",
            Self::Associated => "associated",
            Self::Disassociating => "disassociating",
        }
    }
}

/// A table of associations, by `group-id=` and `vpc-id=`.
pub fn table() -> Table<GroupAssociation> {
    Table::indexed("ec2.security-group-associations", |row| {
        vec![format!("group-id={}", row.group_id), format!("vpc-id={}", row.vpc_id)]
    })
}

fn key(group_id: &str, vpc_id: &str) -> String {
    format!("{group_id}/{vpc_id}")
}

/// Whether interfaces of the VPC may have the group, which is another VPC's.
pub fn is_usable(world: &World, group_id: &str, vpc_id: &str) -> bool {
    let association = world.ec2.group_associations.get(&key(group_id, vpc_id));
    association.is_some_and(|association| association.state == AssociationState::Associated)
}

/// What was associating is associated, what was disassociating is gone.
pub(super) fn settle(world: &mut World, id: &str) {
    let state = world.ec2.group_associations.get(id).map(|association| association.state);
    match state {
        Some(AssociationState::Associating) => {
            world.ec2.group_associations.update(id, |one| one.state = AssociationState::Associated);
        }
        Some(AssociationState::Disassociating) => drop(world.ec2.group_associations.remove(id)),
        Some(AssociationState::Associated) | None => {}
    }
}

fn settle_later(world: &mut World, id: &str) {
    world.schedule_in(world.settings.pace.network, Timer::Ec2(Due::GroupAssociation(id.to_owned())));
}

fn associate_security_group_vpc(world: &mut World, call: &Call) -> Answer {
    let (group_id, vpc_id) = (call.required("GroupId")?, call.required("VpcId")?);
    let group = security_groups::find(world, &group_id)?;
    vpcs::find(world, &vpc_id)?;
    let wrong = |message: String| Err(ApiError::new("InvalidParameterValue", message));
    if group.is_default() {
        return wrong(format!("The default security group '{group_id}' cannot be associated with another VPC"));
    }
    if group.vpc_id == vpc_id {
        return wrong(format!("The security group '{group_id}' was created in VPC '{vpc_id}'"));
    }
    let id = key(&group_id, &vpc_id);
    if world.ec2.group_associations.contains(&id) {
        let message = format!("The security group '{group_id}' is already associated with VPC '{vpc_id}'");
        return Err(ApiError::new("Resource.AlreadyAssociated", message));
    }
    let state = AssociationState::Associating;
    world.ec2.group_associations.insert(&id, GroupAssociation { group_id, vpc_id, state, tags: Tags::new() });
    settle_later(world, &id);
    Ok(json!({ "state": state.as_str() }))
}

fn disassociate_security_group_vpc(world: &mut World, call: &Call) -> Answer {
    let (group_id, vpc_id) = (call.required("GroupId")?, call.required("VpcId")?);
    security_groups::find(world, &group_id)?;
    vpcs::find(world, &vpc_id)?;
    let id = key(&group_id, &vpc_id);
    if !world.ec2.group_associations.contains(&id) {
        let message = format!("The security group '{group_id}' is not associated with VPC '{vpc_id}'");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let mut carriers = world.ec2.interfaces.with(&format!("group-id={group_id}"));
    if carriers.any(|(_, interface)| interface.vpc_id == vpc_id) {
        let message = format!("resource {group_id} has a dependent object in VPC '{vpc_id}'");
        return Err(ApiError::new("DependencyViolation", message));
    }
    drop(carriers);
    let state = AssociationState::Disassociating;
    world.ec2.group_associations.update(&id, |one| one.state = state);
    settle_later(world, &id);
    Ok(json!({ "state": state.as_str() }))
}

/// Associations are described by filters only; their ids are the sandbox's own.
static KIND: Kind = Kind {
    prefix: "sg",
    resource_type: "security-group",
    noun: "security group association",
    not_found: "InvalidAssociationID.NotFound",
    malformed: "InvalidAssociationID.Malformed",
    tags: |_, _| None,
    set_tags: |_, _, _| {},
    all_from: |_, _| Box::new(std::iter::empty()),
};

static DESCRIBE: Describe<GroupAssociation> = Describe {
    kind: &KIND,
    ids: "",
    set: "securityGroupVpcAssociationSet",
    filters: &[
        ("group-id", |_, row| vec![row.group_id.clone()]),
        ("group-owner-id", |world, _| vec![world.settings.account.clone()]),
        ("state", |_, row| vec![row.state.as_str().to_owned()]),
        ("vpc-id", |_, row| vec![row.vpc_id.clone()]),
        ("vpc-owner-id", |world, _| vec![world.settings.account.clone()]),
    ],
    indexed: &["group-id", "vpc-id"],
    limits: (5, 1000),
    tags: |row| &row.tags,
    render: |world, row| {
        let account = &world.settings.account;
        json!({
            "groupId": row.group_id, "vpcId": row.vpc_id, "vpcOwnerId": account, "groupOwnerId": account,
            "state": row.state.as_str(),
        })
    },
};

fn describe_security_group_vpc_associations(world: &mut World, call: &Call) -> Answer {
    DESCRIBE.answer(world, &world.ec2.group_associations, call)
}

/// The groups that interfaces of a VPC can have: its own, and those associated with it.
fn get_security_groups_for_vpc(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.required("VpcId")?;
    vpcs::find(world, &vpc_id)?;
    let filters = Filters::read(call, &["description", "group-id", "group-name", "owner-id", "primary-vpc-id"])?;
    let (limit, after) = describe::paging(call, (5, 1000))?;
    let account = &world.settings.account;
    let own = world.ec2.security_groups.with(&format!("vpc-id={vpc_id}"));
    let associated = world.ec2.group_associations.with(&format!("vpc-id={vpc_id}"));
    let associated = associated.filter(|(_, row)| row.state == AssociationState::Associated);
    let associated = associated.filter_map(|(_, row)| {
        let group = world.ec2.security_groups.get(&row.group_id)?;
        Some((group.id.as_str(), group))
    });
    let groups: BTreeMap<&str, &SecurityGroup> = own.chain(associated).collect();
    let rows = groups.into_iter().filter(|(id, group)| {
        let values_of = |name: &str| match name {
            "description" => vec![group.description.clone()],
            "group-id" => vec![group.id.clone()],
            "group-name" => vec![group.name.clone()],
            "owner-id" => vec![account.clone()],
            _ => vec![group.vpc_id.clone()],
        };
        after.as_deref().is_none_or(|after| *id > after) && filters.accept(&group.tags, values_of)
    });
    let render = |group: &SecurityGroup| {
        json!({
            "groupId": group.id, "groupName": group.name, "description": group.description, "ownerId": account,
            "primaryVpcId": group.vpc_id, "tagSet": tag_set(&group.tags),
        })
    };
    let page = page::rest(rows.map(|(id, group)| (id, render(group))), limit);
    Ok(describe::listing("securityGroupForVpcSet", page))
}

/// The VPCs on the other side of a peering connection whose groups name these.
fn describe_security_group_references(world: &mut World, call: &Call) -> Answer {
    let mut found: Vec<Value> = Vec::new();
    for id in call.texts("GroupId") {
        security_groups::find(world, &id)?;
        for (_, rule) in world.ec2.rules.with(&format!("referenced-group-id={id}")) {
            let Peer::Group { peering_id: Some(peering), .. } = &rule.spec.peer else { continue };
            let Some(vpc_id) = world.ec2.security_groups.get(&rule.group_id).map(|group| &group.vpc_id) else {
                continue;
            };
            let reference = json!({ "groupId": id, "referencingVpcId": vpc_id, "vpcPeeringConnectionId": peering });
            if !found.contains(&reference) {
                found.push(reference);
            }
        }
    }
    Ok(json!({ "securityGroupReferenceSet": found }))
}

/// Whether a rule names a group over a peering connection, and one of the two is no more.
fn is_stale(world: &World, rule: &Rule) -> bool {
    let Peer::Group { group_id, peering_id: Some(peering_id), .. } = &rule.spec.peer else { return false };
    let is_active = world.ec2.peerings.get(peering_id).is_some_and(|peering| peering.status == Status::Active);
    !is_active || !world.ec2.security_groups.contains(group_id)
}

fn describe_stale_security_groups(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.required("VpcId")?;
    vpcs::find(world, &vpc_id)?;
    let (limit, after) = describe::paging(call, (5, 255))?;
    let groups = world.ec2.security_groups.with(&format!("vpc-id={vpc_id}"));
    let rows = groups.filter(|(id, _)| after.as_deref().is_none_or(|after| *id > after)).filter_map(|(id, group)| {
        let stale = |is_egress| -> Vec<&Rule> {
            rules::of(world, &group.id, is_egress).filter(|rule| is_stale(world, rule)).collect()
        };
        let (ingress, egress) = (stale(false), stale(true));
        let value = json!({
            "groupId": group.id, "groupName": group.name, "description": group.description, "vpcId": group.vpc_id,
            "staleIpPermissions": rules::permissions(ingress.iter().copied()),
            "staleIpPermissionsEgress": rules::permissions(egress.iter().copied()),
        });
        (!ingress.is_empty() || !egress.is_empty()).then_some((id, value))
    });
    Ok(describe::listing("staleSecurityGroupSet", page::rest(rows, limit)))
}
