//! Further blocks of VPCs, IPv4 and IPv6.
//!
//! Source: AssociateVpcCidrBlock, DisassociateVpcCidrBlock; Amazon VPC User Guide, "VPC CIDR blocks".

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::json;

use super::vpcs::{self, Vpc, render_block, render_ipv6_block};
use super::{cidrs, network_acl_entries, quotas};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AssociateVpcCidrBlock", run: associate_vpc_cidr_block },
    Operation { name: "DisassociateVpcCidrBlock", run: disassociate_vpc_cidr_block },
];

/// Gives a VPC an IPv6 block of AWS's, a /56, and answers it with its association id.
pub(super) fn add_ipv6(world: &mut World, vpc_id: &str) -> (String, Ipv6Net) {
    let bytes = world.ids.bytes();
    let drawn = u128::from(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]));
    // 2600:1f18::/32 is one of AWS's blocks in us-east-1; 24 bits after it number its /56.
    let net = Ipv6Net::new(((0x2600_1f18_u128 << 96) | (drawn << 72)).into(), 56).unwrap_or_default();
    let block = (world.ids.ec2("vpc-cidr-assoc"), net);
    world.ec2.vpcs.update(vpc_id, |vpc| vpc.ipv6_blocks.push(block.clone()));
    network_acl_entries::add_ipv6(world, vpc_id);
    block
}

fn associate_vpc_cidr_block(world: &mut World, call: &Call) -> Answer {
    for unsupported in ["Ipv6Pool", "Ipv6CidrBlock", "Ipv4IpamPoolId", "Ipv6IpamPoolId"] {
        if call.has(unsupported) {
            let message = format!("The sandbox has no {unsupported} in AssociateVpcCidrBlock.");
            return Err(ApiError::new("Unsupported", message));
        }
    }
    let vpc_id = call.required("VpcId")?;
    let vpc = vpcs::find(world, &vpc_id)?;
    let with_ipv6 = call.boolean("AmazonProvidedIpv6CidrBlock")? == Some(true);
    match call.text("CidrBlock") {
        Some(_) if with_ipv6 => {
            let message = "CidrBlock and AmazonProvidedIpv6CidrBlock cannot be used together.";
            Err(ApiError::new("InvalidParameterCombination", message))
        }
        Some(text) => {
            let net = check(vpc, &text)?;
            let id = world.ids.ec2("vpc-cidr-assoc");
            world.ec2.vpcs.update(&vpc_id, |vpc| vpc.blocks.push((id.clone(), net)));
            Ok(json!({ "vpcId": vpc_id, "cidrBlockAssociation": render_block(&id, net, "associating") }))
        }
        None if with_ipv6 => {
            quotas::VPC_BLOCKS.allow(vpc.ipv6_blocks.len())?;
            let (id, net) = add_ipv6(world, &vpc_id);
            let block = render_ipv6_block(world, &id, net, "associating");
            Ok(json!({ "vpcId": vpc_id, "ipv6CidrBlockAssociation": block }))
        }
        None => Err(ApiError::missing(call.service, "cidrBlock")),
    }
}

/// The private ranges, of which a VPC keeps to one; 198.19.0.0/16 may not be mixed with any of them either.
const RANGES: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.19.0.0/16"];

/// A block that a VPC may have besides its others.
fn check(vpc: &Vpc, text: &str) -> Result<Ipv4Net, ApiError> {
    let net = cidrs::v4("cidrBlock", text)?;
    let refuse = |message: String| Err(ApiError::new("InvalidVpc.Range", message));
    if !cidrs::is_network(net) {
        return refuse(format!("The CIDR '{text}' is invalid."));
    }
    if vpc.blocks.iter().any(|(_, block)| cidrs::overlap(*block, net)) {
        return refuse(format!("The CIDR '{net}' conflicts with an existing CIDR block of {}.", vpc.vpc_id));
    }
    let range = |net: &Ipv4Net| RANGES.iter().position(|it| it.parse::<Ipv4Net>().is_ok_and(|it| it.contains(net)));
    let of_docker = Ipv4Net::new([172, 17, 0, 0].into(), 16).is_ok_and(|docker| cidrs::overlap(docker, net));
    let is_mixed = range(&net).is_some_and(|its| range(&vpc.cidr).is_some_and(|first| first != its));
    if is_mixed || (of_docker && range(&vpc.cidr) != range(&net)) {
        return refuse(format!(
            "The CIDR '{net}' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a \
             publicly-routable CIDR. For additional restrictions, see \
             https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Subnets.html#VPC_Sizing"
        ));
    }
    if quotas::VPC_BLOCKS.allow(vpc.blocks.len()).is_err() {
        let message =
            format!("This network '{}' has met its maximum number of allowed CIDRs: {}", vpc.vpc_id, vpc.blocks.len());
        return Err(ApiError::new("CidrLimitExceeded", message));
    }
    Ok(net)
}

fn disassociate_vpc_cidr_block(world: &mut World, call: &Call) -> Answer {
    let id = call.required("AssociationId")?;
    let has =
        |vpc: &&Vpc| vpc.blocks.iter().any(|(it, _)| *it == id) || vpc.ipv6_blocks.iter().any(|(it, _)| *it == id);
    let missing = || {
        let message = format!("The vpc CIDR block association ID '{id}' does not exist");
        ApiError::new("InvalidVpcCidrBlockAssociationID.NotFound", message)
    };
    let vpc = world.ec2.vpcs.values().find(has).ok_or_else(missing)?;
    let vpc_id = vpc.vpc_id.clone();
    let subnets = || world.ec2.subnets.with(&format!("vpc-id={vpc_id}")).map(|(_, subnet)| subnet);
    let in_use = |net: String| {
        let message = format!("The CIDR block '{net}' of {vpc_id} is in use by a subnet.");
        Err(ApiError::new("DependencyViolation", message))
    };
    if let Some((_, net)) = vpc.ipv6_blocks.iter().find(|(it, _)| *it == id).cloned() {
        if subnets().any(|subnet| subnet.ipv6_cidr().is_some_and(|its| net.contains(&its))) {
            return in_use(net.to_string());
        }
        world.ec2.vpcs.update(&vpc_id, |vpc| vpc.ipv6_blocks.retain(|(it, _)| *it != id));
        let block = render_ipv6_block(world, &id, net, "disassociating");
        return Ok(json!({ "vpcId": vpc_id, "ipv6CidrBlockAssociation": block }));
    }
    let net = vpc.blocks.iter().find(|(it, _)| *it == id).map(|(_, net)| *net).unwrap_or_default();
    if net == vpc.cidr {
        let message = format!(
            "The vpc CIDR block with association ID {id} may not be disassociated. It is the primary IPv4 CIDR block of the VPC"
        );
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    if subnets().any(|subnet| net.contains(&subnet.cidr)) {
        return in_use(net.to_string());
    }
    world.ec2.vpcs.update(&vpc_id, |vpc| vpc.blocks.retain(|(it, _)| *it != id));
    Ok(json!({ "vpcId": vpc_id, "cidrBlockAssociation": render_block(&id, net, "disassociating") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn further_blocks_keep_the_rules() {
        let mut world = world();
        let vpc =
            ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"].as_str().unwrap().to_owned();
        let associate = |world: &mut World, cidr: &str| {
            query(world, Service::Ec2, "AssociateVpcCidrBlock", &[("VpcId", &vpc), ("CidrBlock", cidr)])
        };
        for (cidr, expected) in [
            ("10.1.0.0/16", None),
            ("10.0.128.0/20", Some("InvalidVpc.Range")),
            ("10.0.0.0/15", Some("InvalidVpc.Range")),
            ("192.168.0.0/16", Some("InvalidVpc.Range")),
            ("100.64.0.0/16", None),
            ("10.2.0.0/16", None),
            ("10.3.0.0/16", None),
            ("10.4.0.0/16", Some("CidrLimitExceeded")),
        ] {
            assert_eq!(associate(&mut world, cidr).err().map(|error| error.code).as_deref(), expected, "{cidr}");
        }
        let table = ec2(&mut world, "DescribeRouteTables", &[("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", &vpc)]);
        assert_eq!(table["routeTableSet"][0]["routeSet"].as_array().unwrap().len(), 5, "each block is local");
    }

    #[test]
    fn a_block_in_use_stays() {
        let mut world = world();
        let vpc =
            ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"].as_str().unwrap().to_owned();
        let primary = world.ec2.vpcs.get(&vpc).unwrap().blocks[0].0.clone();
        let made = ec2(&mut world, "AssociateVpcCidrBlock", &[("VpcId", &vpc), ("CidrBlock", "10.1.0.0/16")]);
        let id = made["cidrBlockAssociation"]["associationId"].as_str().unwrap();
        let subnet = ec2(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.1.0.0/24")]);
        let end = |world: &mut World, id: &str| {
            query(world, Service::Ec2, "DisassociateVpcCidrBlock", &[("AssociationId", id)])
        };
        assert_eq!(refusal(end(&mut world, &primary)), "OperationNotPermitted");
        assert_eq!(refusal(end(&mut world, id)), "DependencyViolation");
        ec2(&mut world, "DeleteSubnet", &[("SubnetId", subnet["subnet"]["subnetId"].as_str().unwrap())]);
        assert_eq!(end(&mut world, id).unwrap()["cidrBlockAssociation"]["cidrBlockState"]["state"], "disassociating");
        assert_eq!(refusal(end(&mut world, id)), "InvalidVpcCidrBlockAssociationID.NotFound");
    }
}
