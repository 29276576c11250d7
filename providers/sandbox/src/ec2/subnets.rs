//! Subnets; which of their addresses are taken is in [`super::pool`].
//!
//! Source: CreateSubnet, CreateDefaultSubnet, DescribeSubnets, DeleteSubnet; Amazon VPC User Guide, "Subnet CIDR blocks".

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done, invalid, truth};
use super::kinds::{Kind, kind};
pub use super::pool::{
    release_address, release_ipv6, release_ipv6_prefix, release_prefix, take_address, take_ipv6, take_ipv6_prefix,
    take_prefix,
};
use super::tags::{self, Tags, tag_set};
use super::vpcs::{self, Vpc};
use super::{arn, cidrs, network_acls, pool, quotas, route_tables, zones};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateSubnet", run: create_subnet },
    Operation { name: "CreateDefaultSubnet", run: create_default_subnet },
    Operation { name: "DescribeSubnets", run: |world, call| SUBNETS.answer(world, &world.ec2.subnets, call) },
    Operation { name: "DeleteSubnet", run: delete_subnet },
];

/// What subnets are called.
pub static KIND: Kind =
    kind!(subnets, "subnet", "subnet", "subnet", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed");

/// A subnet.
#[expect(clippy::struct_excessive_bools, reason = "EC2's attributes are truth values")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subnet {
    /// `subnet-...`
    pub subnet_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its IPv4 block.
    pub cidr: Ipv4Net,
    /// Its IPv6 blocks with their association ids; at most one.
    pub ipv6_blocks: Vec<(String, Ipv6Net)>,
    /// The name of its zone.
    pub zone: String,
    /// Whether it is the zone's default subnet.
    pub is_default: bool,
    /// Whether instances get public addresses.
    pub map_public_ip: bool,
    /// Whether interfaces get IPv6 addresses.
    pub assign_ipv6: bool,
    /// Whether the resolver makes IPv6 addresses of IPv4 names.
    pub enable_dns64: bool,
    /// `ip-name` or `resource-name`.
    pub hostname_type: String,
    /// Whether resource names resolve to IPv4 addresses.
    pub resource_name_a: bool,
    /// Whether resource names resolve to IPv6 addresses.
    pub resource_name_aaaa: bool,
    /// How many addresses are free; kept by [`super::pool`].
    pub available: u32,
    /// How many blocks of [`super::pool`] were begun.
    pub(super) blocks_used: u32,
    /// Its tags.
    pub tags: Tags,
}

impl Subnet {
    /// Its IPv6 block.
    pub fn ipv6_cidr(&self) -> Option<Ipv6Net> {
        self.ipv6_blocks.first().map(|(_, net)| *net)
    }

    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        vec![format!("vpc-id={}", self.vpc_id)]
    }
}

static SUBNETS: Describe<Subnet> = Describe {
    kind: &KIND,
    ids: "SubnetId",
    set: "subnetSet",
    filters: FILTERS,
    indexed: &["vpc-id"],
    limits: (5, 1000),
    tags: |subnet| &subnet.tags,
    render,
};

const FILTERS: &[Field<Subnet>] = &[
    ("availability-zone", |_, subnet| vec![subnet.zone.clone()]),
    ("availabilityZone", |_, subnet| vec![subnet.zone.clone()]),
    ("availability-zone-id", |_, subnet| zones::id(&subnet.zone).into_iter().collect()),
    ("availabilityZoneId", |_, subnet| zones::id(&subnet.zone).into_iter().collect()),
    ("available-ip-address-count", |_, subnet| vec![subnet.available.to_string()]),
    ("cidr-block", |_, subnet| vec![subnet.cidr.to_string()]),
    ("cidr", |_, subnet| vec![subnet.cidr.to_string()]),
    ("cidrBlock", |_, subnet| vec![subnet.cidr.to_string()]),
    ("customer-owned-ipv4-pool", |_, _| Vec::new()),
    ("default-for-az", |_, subnet| truth(subnet.is_default)),
    ("defaultForAz", |_, subnet| truth(subnet.is_default)),
    ("enable-dns64", |_, subnet| truth(subnet.enable_dns64)),
    ("enable-lni-at-device-index", |_, _| Vec::new()),
    ("ipv6-cidr-block-association.association-id", |_, subnet| {
        subnet.ipv6_blocks.iter().map(|(id, _)| id.clone()).collect()
    }),
    ("ipv6-cidr-block-association.ipv6-cidr-block", |_, subnet| {
        subnet.ipv6_blocks.iter().map(|(_, net)| net.to_string()).collect()
    }),
    ("ipv6-cidr-block-association.state", |_, subnet| {
        subnet.ipv6_blocks.iter().map(|_| "associated".to_owned()).collect()
    }),
    ("ipv6-native", |_, _| truth(false)),
    ("map-customer-owned-ip-on-launch", |_, _| truth(false)),
    ("map-public-ip-on-launch", |_, subnet| truth(subnet.map_public_ip)),
    ("outpost-arn", |_, _| Vec::new()),
    ("owner-id", |world, _| vec![world.settings.account.clone()]),
    ("private-dns-name-options-on-launch.hostname-type", |_, subnet| vec![subnet.hostname_type.clone()]),
    ("private-dns-name-options-on-launch.enable-resource-name-dns-a-record", |_, subnet| truth(subnet.resource_name_a)),
    ("private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", |_, subnet| {
        truth(subnet.resource_name_aaaa)
    }),
    ("state", |_, _| vec!["available".to_owned()]),
    ("subnet-arn", |world, subnet| vec![arn(world, "subnet", &subnet.subnet_id)]),
    ("subnet-id", |_, subnet| vec![subnet.subnet_id.clone()]),
    ("vpc-id", |_, subnet| vec![subnet.vpc_id.clone()]),
];

/// The subnet of this id.
///
/// # Errors
/// `InvalidSubnetID.NotFound`, `InvalidSubnetID.Malformed`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a Subnet, ApiError> {
    KIND.found(id, world.ec2.subnets.get(id))
}

pub(super) fn render(world: &World, subnet: &Subnet) -> Value {
    let ipv6: Vec<Value> = subnet.ipv6_blocks.iter().map(|(id, net)| render_ipv6(id, *net, "associated")).collect();
    json!({
        "subnetId": subnet.subnet_id, "subnetArn": arn(world, "subnet", &subnet.subnet_id), "vpcId": subnet.vpc_id,
        "ownerId": world.settings.account, "state": "available", "cidrBlock": subnet.cidr.to_string(),
        "availableIpAddressCount": subnet.available, "availabilityZone": subnet.zone,
        "availabilityZoneId": zones::id(&subnet.zone), "defaultForAz": subnet.is_default,
        "mapPublicIpOnLaunch": subnet.map_public_ip, "mapCustomerOwnedIpOnLaunch": false,
        "assignIpv6AddressOnCreation": subnet.assign_ipv6, "ipv6CidrBlockAssociationSet": ipv6, "ipv6Native": false,
        "enableDns64": subnet.enable_dns64,
        "privateDnsNameOptionsOnLaunch": {
            "hostnameType": subnet.hostname_type, "enableResourceNameDnsARecord": subnet.resource_name_a,
            "enableResourceNameDnsAAAARecord": subnet.resource_name_aaaa,
        },
        "blockPublicAccessStates": { "internetGatewayBlockMode": "off" }, "tagSet": tag_set(&subnet.tags),
    })
}

pub(super) fn render_ipv6(id: &str, net: Ipv6Net, state: &str) -> Value {
    json!({
        "associationId": id, "ipv6CidrBlock": net.to_string(), "ipv6CidrBlockState": { "state": state },
        "ipSource": "amazon", "ipv6AddressAttribute": "public",
    })
}

fn create_subnet(world: &mut World, call: &Call) -> Answer {
    for unsupported in ["OutpostArn", "Ipv4IpamPoolId", "Ipv6IpamPoolId"] {
        if call.has(unsupported) {
            return Err(ApiError::new("Unsupported", format!("The sandbox has no {unsupported} in CreateSubnet.")));
        }
    }
    if call.boolean("Ipv6Native")? == Some(true) {
        return Err(ApiError::new("Unsupported", "The sandbox has no subnets without IPv4."));
    }
    let vpc = vpcs::find(world, &call.required("VpcId")?)?.clone();
    let cidr = read_cidr(&vpc, &call.required("CidrBlock")?)?;
    let zone = read_zone(world, call)?;
    let ipv6 = call.text("Ipv6CidrBlock").map(|text| check_ipv6(world, &vpc, &text)).transpose()?;
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    check_conflict(world, &vpc.vpc_id, cidr)?;
    quotas::SUBNETS.allow(world.ec2.subnets.with(&format!("vpc-id={}", vpc.vpc_id)).count())?;
    let id = insert(world, &vpc.vpc_id, cidr, zone, tags);
    if let Some(net) = ipv6 {
        let association = world.ids.ec2("subnet-cidr-assoc");
        world.ec2.subnets.update(&id, |subnet| subnet.ipv6_blocks.push((association, net)));
    }
    Ok(json!({ "subnet": render(world, find(world, &id)?) }))
}

fn insert(world: &mut World, vpc_id: &str, cidr: Ipv4Net, zone: String, tags: Tags) -> String {
    let subnet_id = world.ids.ec2(KIND.prefix);
    let subnet = Subnet {
        subnet_id: subnet_id.clone(),
        vpc_id: vpc_id.to_owned(),
        cidr,
        ipv6_blocks: Vec::new(),
        zone,
        is_default: false,
        map_public_ip: false,
        assign_ipv6: false,
        enable_dns64: false,
        hostname_type: "ip-name".to_owned(),
        resource_name_a: false,
        resource_name_aaaa: false,
        available: pool::capacity(cidr),
        blocks_used: 0,
        tags,
    };
    world.ec2.subnets.insert(subnet_id.clone(), subnet);
    network_acls::guard_subnet(world, vpc_id, &subnet_id);
    subnet_id
}

fn read_cidr(vpc: &Vpc, text: &str) -> Result<Ipv4Net, ApiError> {
    let cidr = cidrs::v4("cidrBlock", text)?;
    if !cidrs::is_network(cidr) || !vpc.contains(&cidr) {
        return Err(ApiError::new("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid.")));
    }
    Ok(cidr)
}

fn check_conflict(world: &World, vpc_id: &str, cidr: Ipv4Net) -> Result<(), ApiError> {
    let mut others = world.ec2.subnets.with(&format!("vpc-id={vpc_id}"));
    if others.any(|(_, other)| cidrs::overlap(other.cidr, cidr)) {
        return Err(ApiError::new(
            "InvalidSubnet.Conflict",
            format!("The CIDR '{cidr}' conflicts with another subnet"),
        ));
    }
    Ok(())
}

/// An IPv6 block that a subnet may have: a part of the VPC's that no other subnet has.
pub(super) fn check_ipv6(world: &World, vpc: &Vpc, text: &str) -> Result<Ipv6Net, ApiError> {
    let net = cidrs::v6("ipv6CidrBlock", text)?;
    if !cidrs::is_subnet_v6(net) || !vpc.ipv6_blocks.iter().any(|(_, block)| block.contains(&net)) {
        return Err(ApiError::new("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid.")));
    }
    let mut others = world.ec2.subnets.with(&format!("vpc-id={}", vpc.vpc_id));
    if others.any(|(_, other)| other.ipv6_cidr().is_some_and(|its| cidrs::overlap(its, net))) {
        return Err(ApiError::new("InvalidSubnet.Conflict", format!("The CIDR '{net}' conflicts with another subnet")));
    }
    Ok(net)
}

/// The zone by name or id; the region's first one when the call names none.
fn read_zone(world: &World, call: &Call) -> Result<String, ApiError> {
    let known = zones::names(&world.settings.region);
    let (name, id) = (call.text("AvailabilityZone"), call.text("AvailabilityZoneId"));
    if name.is_some() && id.is_some() {
        let message = "AvailabilityZone and AvailabilityZoneId cannot be used together.";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let why =
        || format!("Subnets can currently only be created in the following availability zones: {}.", known.join(", "));
    match (name, id) {
        (Some(name), _) => {
            known.iter().find(|zone| **zone == name).cloned().ok_or_else(|| invalid("availabilityZone", &name, &why()))
        }
        (None, Some(id)) => known
            .iter()
            .find(|zone| zones::id(zone).as_deref() == Some(&id))
            .cloned()
            .ok_or_else(|| invalid("availabilityZoneId", &id, &why())),
        (None, None) => Ok(known.into_iter().next().unwrap_or_default()),
    }
}

/// Makes a zone's default subnet, the next free /20 of the default VPC.
pub(super) fn create_default(world: &mut World, zone: &str) -> Result<String, ApiError> {
    let Some(vpc) = vpcs::default_vpc(world) else {
        return Err(ApiError::new("DefaultVpcDoesNotExist", "There is no default VPC in this region."));
    };
    let (vpc_id, vpc_cidr) = (vpc.vpc_id.clone(), vpc.cidr);
    let has_one = world.ec2.subnets.with(&format!("vpc-id={vpc_id}")).any(|(_, it)| it.is_default && it.zone == zone);
    if has_one {
        let message = format!("'{zone}' already has a default subnet.");
        return Err(ApiError::new("DefaultSubnetAlreadyExistsInAvailabilityZone", message));
    }
    let mut blocks = vpc_cidr.subnets(20).into_iter().flatten();
    let Some(cidr) = blocks.find(|cidr| check_conflict(world, &vpc_id, *cidr).is_ok()) else {
        let message = "There is not enough free space in the default VPC for a default subnet.";
        return Err(ApiError::new("InvalidSubnet.Conflict", message));
    };
    let id = insert(world, &vpc_id, cidr, zone.to_owned(), Tags::new());
    world.ec2.subnets.update(&id, |subnet| {
        subnet.is_default = true;
        subnet.map_public_ip = true;
    });
    Ok(id)
}

fn create_default_subnet(world: &mut World, call: &Call) -> Answer {
    let zone = read_zone(world, call)?;
    let id = create_default(world, &zone)?;
    Ok(json!({ "subnet": render(world, find(world, &id)?) }))
}

fn delete_subnet(world: &mut World, call: &Call) -> Answer {
    let id = call.required("SubnetId")?;
    if pool::is_used(world, find(world, &id)?) {
        return Err(KIND.in_use(&id));
    }
    route_tables::forget_subnet(world, &id);
    network_acls::forget_subnet(world, &id);
    pool::remove(world, &id);
    world.ec2.subnets.remove(&id);
    Ok(done())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{commit, ec2, query, refusal, world};

    fn vpc(world: &mut World) -> String {
        let vpc = ec2(world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
        vpc["vpc"]["vpcId"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_subnet_lies_in_its_vpc_alone() {
        let mut world = world();
        let vpc = vpc(&mut world);
        for (cidr, zone, expected) in [
            ("10.0.1.0/24", "us-east-1a", Ok(251)),
            ("10.0.1.0/24", "us-east-1b", Err("InvalidSubnet.Conflict")),
            ("10.0.0.0/23", "us-east-1b", Err("InvalidSubnet.Conflict")),
            ("10.0.2.0/28", "us-east-1b", Ok(11)),
            ("10.0.3.0/29", "us-east-1b", Err("InvalidSubnet.Range")),
            ("10.1.0.0/24", "us-east-1b", Err("InvalidSubnet.Range")),
            ("10.0.4.0/24", "us-east-1z", Err("InvalidParameterValue")),
            ("10.0.4.0", "us-east-1a", Err("InvalidParameterValue")),
        ] {
            let pairs = [("VpcId", vpc.as_str()), ("CidrBlock", cidr), ("AvailabilityZone", zone)];
            let answer = query(&mut world, Service::Ec2, "CreateSubnet", &pairs);
            let free = answer.as_ref().map(|answer| answer["subnet"]["availableIpAddressCount"].as_i64().unwrap());
            assert_eq!(free.map_err(|error| error.code.as_str()), expected, "{cidr} {zone}");
        }
    }

    #[test]
    fn a_subnet_in_use_stays() {
        let mut world = world();
        let vpc = vpc(&mut world);
        let subnet = ec2(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.1.0/24")]);
        let id = subnet["subnet"]["subnetId"].as_str().unwrap();
        let address = take_address(&mut world, id, None).unwrap();
        commit(&mut world);
        let refused = query(&mut world, Service::Ec2, "DeleteSubnet", &[("SubnetId", id)]);
        assert_eq!(refusal(refused), "DependencyViolation");
        assert_eq!(refusal(query(&mut world, Service::Ec2, "DeleteVpc", &[("VpcId", &vpc)])), "DependencyViolation");
        release_address(&mut world, id, address);
        commit(&mut world);
        ec2(&mut world, "DeleteSubnet", &[("SubnetId", id)]);
        assert!(world.ec2.blocks.is_empty());
        ec2(&mut world, "DeleteVpc", &[("VpcId", &vpc)]);
    }

    #[test]
    fn pages_and_filters() {
        let mut world = world();
        let vpc = vpc(&mut world);
        for n in 0..7 {
            let cidr = format!("10.0.{n}.0/24");
            ec2(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", &cidr)]);
        }
        let filter = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc.as_str()), ("MaxResults", "5")];
        let first = ec2(&mut world, "DescribeSubnets", &filter);
        let token = first["nextToken"].as_str().unwrap();
        let rest = ec2(&mut world, "DescribeSubnets", &[filter[0], filter[1], filter[2], ("NextToken", token)]);
        let count = |answer: &Value| answer["subnetSet"].as_array().unwrap().len();
        assert_eq!((count(&first), count(&rest), rest["nextToken"].is_null()), (5, 2, true));
        for (name, value, code) in [
            ("MaxResults", "4", "InvalidParameterValue"),
            ("MaxResults", "1001", "InvalidParameterValue"),
            ("NextToken", "x", "InvalidPaginationToken"),
            ("SubnetId.1", "subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"),
            ("SubnetId.1", "sub", "InvalidSubnetID.Malformed"),
        ] {
            assert_eq!(refusal(query(&mut world, Service::Ec2, "DescribeSubnets", &[(name, value)])), code, "{name}");
        }
    }
}
