//! Network ACLs and the subnets that they guard; their entries are in [`super::network_acl_entries`].
//!
//! Source: CreateNetworkAcl, ReplaceNetworkAclAssociation, DeleteNetworkAcl; Amazon VPC User Guide, "Network ACLs".

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done, truth};
use super::kinds::{Kind, kind};
use super::network_acl_entries::{self as entries, Entry};
use super::tags::{self, Tags, tag_set};
use super::{quotas, tokens, vpcs};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateNetworkAcl", run: create_network_acl },
    Operation { name: "DescribeNetworkAcls", run: |world, call| ACLS.answer(world, &world.ec2.network_acls, call) },
    Operation { name: "DeleteNetworkAcl", run: delete_network_acl },
    Operation { name: "ReplaceNetworkAclAssociation", run: replace_network_acl_association },
];

/// What network ACLs are called.
pub static KIND: Kind = kind!(
    network_acls,
    "acl",
    "network-acl",
    "networkAcl",
    "InvalidNetworkAclID.NotFound",
    "InvalidNetworkAclId.Malformed"
);

/// A network ACL.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkAcl {
    /// `acl-...`
    pub network_acl_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Whether new subnets of the VPC get it.
    pub is_default: bool,
    /// Its entries, those that deny the rest included, by direction and number.
    pub entries: Vec<Entry>,
    /// Association ids with the subnets.
    pub associations: Vec<(String, String)>,
    /// Its tags.
    pub tags: Tags,
}

impl NetworkAcl {
    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = vec![format!("vpc-id={}", self.vpc_id)];
        keys.extend(self.associations.iter().map(|(id, _)| format!("association.association-id={id}")));
        keys.extend(self.associations.iter().map(|(_, subnet)| format!("association.subnet-id={subnet}")));
        keys
    }
}

static ACLS: Describe<NetworkAcl> = Describe {
    kind: &KIND,
    ids: "NetworkAclId",
    set: "networkAclSet",
    filters: FILTERS,
    indexed: &["vpc-id", "association.association-id", "association.subnet-id"],
    limits: (5, 1000),
    tags: |acl| &acl.tags,
    render,
};

fn of_entries(acl: &NetworkAcl, value: impl Fn(&Entry) -> Option<String>) -> Vec<String> {
    acl.entries.iter().filter_map(value).collect()
}

const FILTERS: &[Field<NetworkAcl>] = &[
    ("association.association-id", |_, acl| acl.associations.iter().map(|(id, _)| id.clone()).collect()),
    ("association.network-acl-id", |_, acl| acl.associations.iter().map(|_| acl.network_acl_id.clone()).collect()),
    ("association.subnet-id", |_, acl| acl.associations.iter().map(|(_, subnet)| subnet.clone()).collect()),
    ("default", |_, acl| truth(acl.is_default)),
    ("entry.cidr", |_, acl| of_entries(acl, |it| it.v4().map(|net| net.to_string()))),
    ("entry.egress", |_, acl| of_entries(acl, |it| Some(it.egress.to_string()))),
    ("entry.icmp.code", |_, acl| of_entries(acl, |it| it.icmp.map(|(_, code)| code.to_string()))),
    ("entry.icmp.type", |_, acl| of_entries(acl, |it| it.icmp.map(|(kind, _)| kind.to_string()))),
    ("entry.ipv6-cidr", |_, acl| of_entries(acl, |it| it.v6().map(|net| net.to_string()))),
    ("entry.port-range.from", |_, acl| of_entries(acl, |it| it.ports.map(|(from, _)| from.to_string()))),
    ("entry.port-range.to", |_, acl| of_entries(acl, |it| it.ports.map(|(_, to)| to.to_string()))),
    ("entry.protocol", |_, acl| of_entries(acl, |it| Some(it.protocol.to_string()))),
    ("entry.rule-action", |_, acl| of_entries(acl, |it| Some(it.action().to_owned()))),
    ("entry.rule-number", |_, acl| of_entries(acl, |it| Some(it.number.to_string()))),
    ("network-acl-id", |_, acl| vec![acl.network_acl_id.clone()]),
    ("owner-id", |world, _| vec![world.settings.account.clone()]),
    ("vpc-id", |_, acl| vec![acl.vpc_id.clone()]),
];

/// The network ACL of this id.
///
/// # Errors
/// `InvalidNetworkAclID.NotFound`, `InvalidNetworkAclId.Malformed`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a NetworkAcl, ApiError> {
    KIND.found(id, world.ec2.network_acls.get(id))
}

/// The network ACL that guards a subnet.
pub fn of_subnet<'a>(world: &'a World, subnet_id: &str) -> Option<&'a NetworkAcl> {
    world.ec2.network_acls.with(&format!("association.subnet-id={subnet_id}")).next().map(|(_, acl)| acl)
}

fn render(world: &World, acl: &NetworkAcl) -> Value {
    let id = &acl.network_acl_id;
    let associations: Vec<Value> = acl
        .associations
        .iter()
        .map(|(association, subnet)| {
            json!({ "networkAclAssociationId": association, "networkAclId": id, "subnetId": subnet })
        })
        .collect();
    json!({
        "networkAclId": id, "vpcId": acl.vpc_id, "ownerId": world.settings.account, "default": acl.is_default,
        "entrySet": acl.entries.iter().map(Entry::render).collect::<Vec<_>>(), "associationSet": associations,
        "tagSet": tag_set(&acl.tags),
    })
}

/// Makes a network ACL and answers its id. The default one of a VPC lets everything through.
pub(super) fn create(world: &mut World, vpc_id: &str, is_default: bool, tags: Tags) -> String {
    let network_acl_id = world.ids.ec2(KIND.prefix);
    let has_ipv6 = world.ec2.vpcs.get(vpc_id).is_some_and(|vpc| !vpc.ipv6_blocks.is_empty());
    let acl = NetworkAcl {
        network_acl_id: network_acl_id.clone(),
        vpc_id: vpc_id.to_owned(),
        is_default,
        entries: entries::initial(is_default, has_ipv6),
        associations: Vec::new(),
        tags,
    };
    world.ec2.network_acls.insert(network_acl_id.clone(), acl);
    network_acl_id
}

fn create_network_acl(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.required("VpcId")?;
    let id = match tokens::recall(world, call)? {
        Some(id) => id,
        None => {
            vpcs::find(world, &vpc_id)?;
            let tags = tags::from_specifications(call, KIND.resource_type)?;
            quotas::NETWORK_ACLS.allow(world.ec2.network_acls.with(&format!("vpc-id={vpc_id}")).count())?;
            let id = create(world, &vpc_id, false, tags);
            tokens::remember(world, call, &id);
            id
        }
    };
    Ok(json!({ "networkAcl": render(world, find(world, &id)?), "clientToken": call.text("ClientToken") }))
}

fn delete_network_acl(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkAclId")?;
    let acl = find(world, &id)?;
    if acl.is_default {
        let message = format!("cannot delete default network ACL {id}");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    if !acl.associations.is_empty() {
        return Err(KIND.in_use(&id));
    }
    world.ec2.network_acls.remove(&id);
    Ok(done())
}

fn replace_network_acl_association(world: &mut World, call: &Call) -> Answer {
    let (id, new_id) = (call.required("AssociationId")?, call.required("NetworkAclId")?);
    let found = world.ec2.network_acls.with(&format!("association.association-id={id}")).next();
    let old = found.map(|(_, acl)| acl).ok_or_else(|| {
        ApiError::new("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"))
    })?;
    let subnet = old.associations.iter().find(|(it, _)| *it == id).map(|(_, subnet)| subnet.clone());
    if find(world, &new_id)?.vpc_id != old.vpc_id {
        let message = format!("Network ACL {new_id} and association {id} belong to different networks");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let new = associate(world, &new_id, &subnet.unwrap_or_default());
    Ok(json!({ "newAssociationId": new }))
}

/// Puts a subnet under a network ACL, and takes it from the one before. Answers the association's id.
fn associate(world: &mut World, acl_id: &str, subnet_id: &str) -> String {
    forget_subnet(world, subnet_id);
    let association = world.ids.ec2("aclassoc");
    let row = (association.clone(), subnet_id.to_owned());
    world.ec2.network_acls.update(acl_id, |acl| acl.associations.push(row));
    association
}

/// Puts a new subnet under its VPC's default network ACL.
pub(super) fn guard_subnet(world: &mut World, vpc_id: &str, subnet_id: &str) {
    if let Some(id) = default_of(world, vpc_id).map(|acl| acl.network_acl_id.clone()) {
        associate(world, &id, subnet_id);
    }
}

/// A VPC's default network ACL.
pub fn default_of<'a>(world: &'a World, vpc_id: &str) -> Option<&'a NetworkAcl> {
    world.ec2.network_acls.with(&format!("vpc-id={vpc_id}")).map(|(_, acl)| acl).find(|acl| acl.is_default)
}

/// Takes a subnet out of its network ACL, when it is deleted.
pub(super) fn forget_subnet(world: &mut World, subnet_id: &str) {
    if let Some(id) = of_subnet(world, subnet_id).map(|acl| acl.network_acl_id.clone()) {
        world.ec2.network_acls.update(&id, |acl| acl.associations.retain(|(_, subnet)| subnet != subnet_id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn a_subnet_moves_to_another_acl() {
        let mut world = world();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let vpc = text(&ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"]);
        let subnet = ec2(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.0.0/24")]);
        let subnet = text(&subnet["subnet"]["subnetId"]);
        let filter = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
        let first = ec2(&mut world, "DescribeNetworkAcls", &filter);
        assert_eq!(first["networkAclSet"][0]["default"], true);
        let association = text(&first["networkAclSet"][0]["associationSet"][0]["networkAclAssociationId"]);
        let new = text(&ec2(&mut world, "CreateNetworkAcl", &[("VpcId", &vpc)])["networkAcl"]["networkAclId"]);
        let pairs = [("AssociationId", association.as_str()), ("NetworkAclId", new.as_str())];
        ec2(&mut world, "ReplaceNetworkAclAssociation", &pairs);
        assert_eq!(of_subnet(&world, &subnet).unwrap().network_acl_id, new);
        let again = query(&mut world, Service::Ec2, "ReplaceNetworkAclAssociation", &pairs);
        assert_eq!(refusal(again), "InvalidAssociationID.NotFound");
        let kept = query(&mut world, Service::Ec2, "DeleteNetworkAcl", &[("NetworkAclId", &new)]);
        assert_eq!(refusal(kept), "DependencyViolation");
        ec2(&mut world, "DeleteSubnet", &[("SubnetId", &subnet)]);
        ec2(&mut world, "DeleteNetworkAcl", &[("NetworkAclId", &new)]);
        let default = text(&first["networkAclSet"][0]["networkAclId"]);
        let kept = query(&mut world, Service::Ec2, "DeleteNetworkAcl", &[("NetworkAclId", &default)]);
        assert_eq!(refusal(kept), "InvalidParameterValue");
    }
}
