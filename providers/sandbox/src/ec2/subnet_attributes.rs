//! Attributes and IPv6 blocks of subnets.
//!
//! Source: ModifySubnetAttribute, AssociateSubnetCidrBlock, DisassociateSubnetCidrBlock.

use serde_json::json;

use super::describe::{done, invalid};
use super::subnets::{Subnet, check_ipv6, find, render_ipv6};
use super::vpcs;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "ModifySubnetAttribute", run: modify_subnet_attribute },
    Operation { name: "AssociateSubnetCidrBlock", run: associate_subnet_cidr_block },
    Operation { name: "DisassociateSubnetCidrBlock", run: disassociate_subnet_cidr_block },
];

const ATTRIBUTES: [&str; 10] = [
    "AssignIpv6AddressOnCreation",
    "MapPublicIpOnLaunch",
    "MapCustomerOwnedIpOnLaunch",
    "CustomerOwnedIpv4Pool",
    "EnableDns64",
    "PrivateDnsHostnameTypeOnLaunch",
    "EnableResourceNameDnsARecordOnLaunch",
    "EnableResourceNameDnsAAAARecordOnLaunch",
    "EnableLniAtDeviceIndex",
    "DisableLniAtDeviceIndex",
];

fn modify_subnet_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.required("SubnetId")?;
    let mut subnet = find(world, &id)?.clone();
    let sent: Vec<&str> = ATTRIBUTES.into_iter().filter(|name| call.has(name)).collect();
    let [name] = sent[..] else {
        let message =
            if sent.is_empty() { "No attributes specified." } else { "Only one attribute can be modified at a time." };
        return Err(ApiError::new("InvalidParameterCombination", message));
    };
    let value = || {
        let value = call.structure(name).map(|it| it.boolean("Value")).transpose()?.flatten();
        value.ok_or_else(|| ApiError::missing(call.service, &format!("{name}.Value")))
    };
    let has_ipv6 = !subnet.ipv6_blocks.is_empty();
    match name {
        "MapPublicIpOnLaunch" => subnet.map_public_ip = value()?,
        "AssignIpv6AddressOnCreation" | "EnableDns64" if value()? && !has_ipv6 => {
            let why = "The subnet has no IPv6 CIDR block associated with it.";
            return Err(invalid(name, "true", why));
        }
        "AssignIpv6AddressOnCreation" => subnet.assign_ipv6 = value()?,
        "EnableDns64" => subnet.enable_dns64 = value()?,
        "EnableResourceNameDnsARecordOnLaunch" => subnet.resource_name_a = value()?,
        "EnableResourceNameDnsAAAARecordOnLaunch" => subnet.resource_name_aaaa = value()?,
        "PrivateDnsHostnameTypeOnLaunch" => {
            let text = call.required(name)?;
            if !matches!(text.as_str(), "ip-name" | "resource-name") {
                return Err(invalid(name, &text, "Must be ip-name or resource-name."));
            }
            subnet.hostname_type = text;
        }
        _ => return Err(ApiError::new("Unsupported", format!("The sandbox has no Outposts, and so no {name}."))),
    }
    world.ec2.subnets.insert(id, subnet);
    Ok(done())
}

fn associate_subnet_cidr_block(world: &mut World, call: &Call) -> Answer {
    let id = call.required("SubnetId")?;
    let subnet = find(world, &id)?;
    let text = call.required("Ipv6CidrBlock")?;
    if !subnet.ipv6_blocks.is_empty() {
        let message = format!("The subnet '{id}' has met its maximum number of allowed IPv6 CIDR blocks: 1");
        return Err(ApiError::new("CidrLimitExceeded", message));
    }
    let net = check_ipv6(world, vpcs::find(world, &subnet.vpc_id)?, &text)?;
    let association = world.ids.ec2("subnet-cidr-assoc");
    world.ec2.subnets.update(&id, |subnet| subnet.ipv6_blocks.push((association.clone(), net)));
    Ok(json!({ "subnetId": id, "ipv6CidrBlockAssociation": render_ipv6(&association, net, "associating") }))
}

fn disassociate_subnet_cidr_block(world: &mut World, call: &Call) -> Answer {
    let association = call.required("AssociationId")?;
    let has = |subnet: &&Subnet| subnet.ipv6_blocks.iter().any(|(id, _)| *id == association);
    let found = world.ec2.subnets.values().find(has).cloned();
    let Some(subnet) = found else {
        let message = format!("The subnet CIDR block association ID '{association}' does not exist");
        return Err(ApiError::new("InvalidSubnetCidrBlockAssociationID.NotFound", message));
    };
    let id = subnet.subnet_id;
    if world.ec2.ipv6_taken.starting_with(format!("{id}/")).next().is_some() {
        let message = format!("The IPv6 CIDR block of subnet '{id}' is in use by network interfaces.");
        return Err(ApiError::new("DependencyViolation", message));
    }
    world.ec2.subnets.update(&id, |subnet| {
        subnet.ipv6_blocks.clear();
        subnet.assign_ipv6 = false;
        subnet.enable_dns64 = false;
    });
    let net = subnet.ipv6_blocks.first().map(|(_, net)| *net).unwrap_or_default();
    Ok(json!({ "subnetId": id, "ipv6CidrBlockAssociation": render_ipv6(&association, net, "disassociating") }))
}

#[cfg(test)]
mod tests {
    use crate::aws::Service;
    use crate::ec2::subnets::{release_ipv6, take_ipv6};
    use crate::testing::{commit, ec2, query, refusal, world};

    #[test]
    fn attributes_change_one_at_a_time() {
        let mut world = world();
        let id = world.ec2.subnets.iter().next().unwrap().0.to_owned();
        for (pairs, expected) in [
            (vec![("MapPublicIpOnLaunch.Value", "false")], None),
            (vec![("PrivateDnsHostnameTypeOnLaunch", "resource-name")], None),
            (vec![("PrivateDnsHostnameTypeOnLaunch", "other")], Some("InvalidParameterValue")),
            (vec![("AssignIpv6AddressOnCreation.Value", "true")], Some("InvalidParameterValue")),
            (vec![], Some("InvalidParameterCombination")),
            (
                vec![("MapPublicIpOnLaunch.Value", "true"), ("EnableDns64.Value", "false")],
                Some("InvalidParameterCombination"),
            ),
        ] {
            let pairs = [&[("SubnetId", id.as_str())], &pairs[..]].concat();
            let answer = query(&mut world, Service::Ec2, "ModifySubnetAttribute", &pairs);
            assert_eq!(answer.err().map(|error| error.code).as_deref(), expected, "{pairs:?}");
        }
        let subnet = world.ec2.subnets.get(&id).unwrap();
        assert_eq!((subnet.map_public_ip, subnet.hostname_type.as_str()), (false, "resource-name"));
    }

    #[test]
    fn ipv6_blocks_come_from_the_vpc() {
        let mut world = world();
        let vpc =
            ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16"), ("AmazonProvidedIpv6CidrBlock", "true")]);
        let vpc = vpc["vpc"]["vpcId"].as_str().unwrap();
        let block = world.ec2.vpcs.get(vpc).unwrap().ipv6_blocks[0].1;
        let net = super::super::cidrs::nth(block, 64, 1).unwrap().to_string();
        let subnet =
            ec2(&mut world, "CreateSubnet", &[("VpcId", vpc), ("CidrBlock", "10.0.0.0/24"), ("Ipv6CidrBlock", &net)]);
        let id = subnet["subnet"]["subnetId"].as_str().unwrap();
        let association = subnet["subnet"]["ipv6CidrBlockAssociationSet"][0]["associationId"].as_str().unwrap();
        let other = ec2(&mut world, "CreateSubnet", &[("VpcId", vpc), ("CidrBlock", "10.0.1.0/24")]);
        let pairs = [("SubnetId", other["subnet"]["subnetId"].as_str().unwrap()), ("Ipv6CidrBlock", &net)];
        assert_eq!(
            refusal(query(&mut world, Service::Ec2, "AssociateSubnetCidrBlock", &pairs)),
            "InvalidSubnet.Conflict"
        );
        let address = take_ipv6(&mut world, id, None).unwrap();
        commit(&mut world);
        let end = [("AssociationId", association)];
        assert_eq!(
            refusal(query(&mut world, Service::Ec2, "DisassociateSubnetCidrBlock", &end)),
            "DependencyViolation"
        );
        release_ipv6(&mut world, id, address);
        commit(&mut world);
        ec2(&mut world, "DisassociateSubnetCidrBlock", &end);
    }
}
