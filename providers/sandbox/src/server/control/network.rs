//! A network to begin with: a VPC with a public subnet and private ones in three zones, behind a NAT gateway.

use serde_json::{Value, json};

use super::Refused;
use crate::aws::{ApiError, Call, Caller, Params, Service};
use crate::world::World;

/// The tag by which it is found again.
const NAME: &str = "sandbox";

/// Makes it where it is not there yet, and answers the ids of the VPC and of its private subnets.
///
/// # Errors
/// EC2's refusal, for example when somebody made VPCs up to the limit.
pub(super) fn ready(world: &mut World) -> Result<Value, Refused> {
    let refused =
        |error: ApiError| (409, format!("EC2 refuses the network of the sandbox: {} {}", error.code, error.message));
    find_or_make(world).map_err(refused)
}

fn find_or_make(world: &mut World) -> Result<Value, ApiError> {
    let named = [("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", NAME)];
    let found = ec2(world, "DescribeVpcs", &named)?;
    let vpc = match found["vpcSet"][0]["vpcId"].as_str() {
        Some(vpc) => vpc.to_owned(),
        None => make(world)?,
    };
    let private = [
        ("Filter.1.Name", "vpc-id"),
        ("Filter.1.Value.1", vpc.as_str()),
        ("Filter.2.Name", "tag:kubernetes.io/role/internal-elb"),
        ("Filter.2.Value.1", "1"),
    ];
    let found = ec2(world, "DescribeSubnets", &private)?;
    let mut subnets: Vec<(&str, &str)> = found["subnetSet"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|subnet| Some((subnet["availabilityZone"].as_str()?, subnet["subnetId"].as_str()?)))
        .collect();
    subnets.sort_unstable();
    let ids: Vec<&str> = subnets.iter().map(|(_, id)| *id).collect();
    Ok(json!({ "vpc_id": vpc, "subnet_ids": ids }))
}

fn make(world: &mut World) -> Result<String, ApiError> {
    let vpc = made(world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")], ("vpc", NAME), "/vpc/vpcId")?;
    for attribute in ["EnableDnsSupport.Value", "EnableDnsHostnames.Value"] {
        ec2(world, "ModifyVpcAttribute", &[("VpcId", &vpc), (attribute, "true")])?;
    }
    let gateway =
        made(world, "CreateInternetGateway", &[], ("internet-gateway", NAME), "/internetGateway/internetGatewayId")?;
    ec2(world, "AttachInternetGateway", &[("VpcId", &vpc), ("InternetGatewayId", &gateway)])?;
    let zones = crate::ec2::zones::names(&world.settings.region);
    let public = subnet(world, &vpc, "10.0.0.0/20", &zones[0], ("public", "kubernetes.io/role/elb"))?;
    let address =
        ec2(world, "AllocateAddress", &[("Domain", "vpc")])?["allocationId"].as_str().unwrap_or("").to_owned();
    let place = [("SubnetId", public.as_str()), ("AllocationId", address.as_str())];
    let nat = made(world, "CreateNatGateway", &place, ("natgateway", NAME), "/natGateway/natGatewayId")?;
    route(world, &vpc, "sandbox-public", ("GatewayId", &gateway), &[public])?;
    let mut private = Vec::new();
    for (number, zone) in (1..).zip(&zones) {
        let block = format!("10.0.{}.0/19", number * 32);
        private.push(subnet(world, &vpc, &block, zone, ("private", "kubernetes.io/role/internal-elb"))?);
    }
    route(world, &vpc, "sandbox-private", ("NatGatewayId", &nat), &private)?;
    Ok(vpc)
}

fn subnet(
    world: &mut World,
    vpc: &str,
    block: &str,
    zone: &str,
    (kind, role): (&str, &str),
) -> Result<String, ApiError> {
    let sent = [("VpcId", vpc), ("CidrBlock", block), ("AvailabilityZone", zone)];
    let name = format!("{NAME}-{kind}-{zone}");
    let id = made(world, "CreateSubnet", &sent, ("subnet", &name), "/subnet/subnetId")?;
    ec2(world, "CreateTags", &[("ResourceId.1", &id), ("Tag.1.Key", role), ("Tag.1.Value", "1")])?;
    Ok(id)
}

/// A route table with a way out, for these subnets.
fn route(world: &mut World, vpc: &str, name: &str, target: (&str, &str), subnets: &[String]) -> Result<(), ApiError> {
    let table = made(world, "CreateRouteTable", &[("VpcId", vpc)], ("route-table", name), "/routeTable/routeTableId")?;
    ec2(world, "CreateRoute", &[("RouteTableId", &table), ("DestinationCidrBlock", "0.0.0.0/0"), target])?;
    for subnet in subnets {
        ec2(world, "AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", subnet)])?;
    }
    Ok(())
}

/// Makes an object with a name, and answers the id that the answer has at `pointer`.
fn made(
    world: &mut World,
    operation: &str,
    sent: &[(&str, &str)],
    (kind, name): (&str, &str),
    pointer: &str,
) -> Result<String, ApiError> {
    let mut sent = sent.to_vec();
    sent.extend([
        ("TagSpecification.1.ResourceType", kind),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", name),
    ]);
    let answer = ec2(world, operation, &sent)?;
    Ok(answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// A call of the account's owner.
fn ec2(world: &mut World, operation: &str, sent: &[(&str, &str)]) -> Result<Value, ApiError> {
    let unknown = || ApiError::new("InvalidAction", format!("there is no {operation} yet"));
    let operation = Service::Ec2.operation(operation).ok_or_else(unknown)?;
    let account = world.settings.account.clone();
    let caller = Caller {
        arn: format!("arn:aws:iam::{account}:root"),
        user_id: account.clone(),
        account,
        access_key: String::new(),
    };
    let pairs = sent.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let call = Call {
        service: Service::Ec2,
        operation: operation.name,
        params: Params::from_query(Service::Ec2, pairs),
        caller,
        region: world.settings.region.clone(),
        request_id: world.ids.uuid(),
    };
    (operation.run)(world, &call)
}
