//! VPCs and their attributes; their blocks are in [`super::vpc_blocks`].
//!
//! Source: CreateVpc, DescribeVpcs, DeleteVpc, ModifyVpcAttribute, DescribeVpcAttribute, CreateDefaultVpc.

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done, invalid, truth};
use super::kinds::{Kind, kind};
use super::routes::{Destination, Route, Target};
use super::tags::{self, Tags, tag_set};
use super::{
    cidrs, dhcp_options, gateways, network_acls, quotas, route_tables, security_groups, subnets, vpc_blocks, zones,
};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateVpc", run: create_vpc },
    Operation { name: "CreateDefaultVpc", run: create_default_vpc },
    Operation { name: "DescribeVpcs", run: |world, call| VPCS.answer(world, &world.ec2.vpcs, call) },
    Operation { name: "DeleteVpc", run: delete_vpc },
    Operation { name: "ModifyVpcAttribute", run: modify_vpc_attribute },
    Operation { name: "DescribeVpcAttribute", run: describe_vpc_attribute },
    Operation { name: "ModifyVpcTenancy", run: modify_vpc_tenancy },
];

/// What VPCs are called.
pub static KIND: Kind = kind!(vpcs, "vpc", "vpc", "vpc", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed");

/// A VPC.
#[expect(clippy::struct_excessive_bools, reason = "EC2's attributes are truth values")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vpc {
    /// `vpc-...`
    pub vpc_id: String,
    /// The block it was made with.
    pub cidr: Ipv4Net,
    /// All its IPv4 blocks with their association ids, the first one included.
    pub blocks: Vec<(String, Ipv4Net)>,
    /// Its IPv6 blocks with their association ids.
    pub ipv6_blocks: Vec<(String, Ipv6Net)>,
    /// `dopt-...`, or `default` for none.
    pub dhcp_options_id: String,
    /// `default` or `dedicated`.
    pub tenancy: String,
    /// Whether it is the region's default VPC.
    pub is_default: bool,
    /// Whether the resolver at the base address plus two answers.
    pub enable_dns_support: bool,
    /// Whether instances with public addresses have names.
    pub enable_dns_hostnames: bool,
    /// Whether address usage is measured.
    pub enable_usage_metrics: bool,
    /// Its tags.
    pub tags: Tags,
}

impl Vpc {
    /// Whether an IPv4 block lies in one of the VPC's.
    pub fn contains(&self, net: &Ipv4Net) -> bool {
        self.blocks.iter().any(|(_, block)| block.contains(net))
    }
}

static VPCS: Describe<Vpc> = Describe {
    kind: &KIND,
    ids: "VpcId",
    set: "vpcSet",
    filters: FILTERS,
    indexed: &[],
    limits: (5, 1000),
    tags: |vpc| &vpc.tags,
    render: |world, vpc| render(world, vpc, "available"),
};

const FILTERS: &[Field<Vpc>] = &[
    ("cidr", |_, vpc| vec![vpc.cidr.to_string()]),
    ("cidrBlock", |_, vpc| vec![vpc.cidr.to_string()]),
    ("cidr-block", |_, vpc| vec![vpc.cidr.to_string()]),
    ("cidr-block-association.association-id", |_, vpc| vpc.blocks.iter().map(|(id, _)| id.clone()).collect()),
    ("cidr-block-association.cidr-block", |_, vpc| vpc.blocks.iter().map(|(_, net)| net.to_string()).collect()),
    ("cidr-block-association.state", |_, vpc| vpc.blocks.iter().map(|_| "associated".to_owned()).collect()),
    ("dhcp-options-id", |_, vpc| vec![vpc.dhcp_options_id.clone()]),
    ("dhcpOptionsId", |_, vpc| vec![vpc.dhcp_options_id.clone()]),
    ("ipv6-cidr-block-association.association-id", |_, vpc| vpc.ipv6_blocks.iter().map(|(id, _)| id.clone()).collect()),
    ("ipv6-cidr-block-association.ipv6-cidr-block", |_, vpc| {
        vpc.ipv6_blocks.iter().map(|(_, net)| net.to_string()).collect()
    }),
    ("ipv6-cidr-block-association.ipv6-pool", |_, vpc| vpc.ipv6_blocks.iter().map(|_| "Amazon".to_owned()).collect()),
    ("ipv6-cidr-block-association.state", |_, vpc| vpc.ipv6_blocks.iter().map(|_| "associated".to_owned()).collect()),
    ("is-default", |_, vpc| truth(vpc.is_default)),
    ("isDefault", |_, vpc| truth(vpc.is_default)),
    ("owner-id", |world, _| vec![world.settings.account.clone()]),
    ("state", |_, _| vec!["available".to_owned()]),
    ("vpc-id", |_, vpc| vec![vpc.vpc_id.clone()]),
];

/// The VPC of this id.
///
/// # Errors
/// `InvalidVpcID.NotFound`, `InvalidVpcID.Malformed`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a Vpc, ApiError> {
    KIND.found(id, world.ec2.vpcs.get(id))
}

/// The region's default VPC.
pub fn default_vpc(world: &World) -> Option<&Vpc> {
    world.ec2.vpcs.values().find(|vpc| vpc.is_default)
}

fn render(world: &World, vpc: &Vpc, state: &str) -> Value {
    let blocks: Vec<Value> = vpc.blocks.iter().map(|(id, net)| render_block(id, *net, "associated")).collect();
    let ipv6: Vec<Value> =
        vpc.ipv6_blocks.iter().map(|(id, net)| render_ipv6_block(world, id, *net, "associated")).collect();
    json!({
        "vpcId": vpc.vpc_id, "ownerId": world.settings.account, "state": state, "cidrBlock": vpc.cidr.to_string(),
        "cidrBlockAssociationSet": blocks, "ipv6CidrBlockAssociationSet": ipv6, "dhcpOptionsId": vpc.dhcp_options_id,
        "instanceTenancy": vpc.tenancy, "isDefault": vpc.is_default, "tagSet": tag_set(&vpc.tags),
        "blockPublicAccessStates": { "internetGatewayBlockMode": "off" },
    })
}

pub(super) fn render_block(id: &str, net: Ipv4Net, state: &str) -> Value {
    json!({ "associationId": id, "cidrBlock": net.to_string(), "cidrBlockState": { "state": state } })
}

pub(super) fn render_ipv6_block(world: &World, id: &str, net: Ipv6Net, state: &str) -> Value {
    json!({
        "associationId": id, "ipv6CidrBlock": net.to_string(), "ipv6CidrBlockState": { "state": state }, "ipv6Pool": "Amazon",
        "networkBorderGroup": world.settings.region, "ipSource": "amazon", "ipv6AddressAttribute": "public",
    })
}

fn create_vpc(world: &mut World, call: &Call) -> Answer {
    for unsupported in ["Ipv4IpamPoolId", "Ipv6IpamPoolId", "Ipv6Pool", "Ipv6CidrBlock", "VpcEncryptionControl"] {
        if call.has(unsupported) {
            return Err(ApiError::new("Unsupported", format!("The sandbox has no {unsupported} in CreateVpc.")));
        }
    }
    let text = call.required("CidrBlock")?;
    let cidr = cidrs::v4("cidrBlock", &text)?;
    if !cidrs::is_network(cidr) {
        return Err(ApiError::new("InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")));
    }
    let tenancy = tenancy(call, &["default", "dedicated", "host"])?.unwrap_or_else(|| "default".to_owned());
    let with_ipv6 = call.boolean("AmazonProvidedIpv6CidrBlock")? == Some(true);
    let tags = tags::from_specifications(call, "vpc")?;
    quotas::VPCS.allow(world.ec2.vpcs.len())?;
    let id = create(world, New { cidr, tenancy, is_default: false, tags })?;
    if with_ipv6 {
        vpc_blocks::add_ipv6(world, &id);
    }
    Ok(json!({ "vpc": render(world, find(world, &id)?, "pending") }))
}

fn tenancy(call: &Call, known: &[&str]) -> Result<Option<String>, ApiError> {
    match call.text("InstanceTenancy") {
        Some(tenancy) if !known.contains(&tenancy.as_str()) => {
            Err(invalid("instanceTenancy", &tenancy, &format!("Valid values: {}", known.join(", "))))
        }
        tenancy => Ok(tenancy),
    }
}

/// What a new VPC is made of.
#[derive(Debug)]
pub struct New {
    /// Its block.
    pub cidr: Ipv4Net,
    /// `default` or `dedicated`.
    pub tenancy: String,
    /// Whether it is the default VPC; names are then on.
    pub is_default: bool,
    /// Its tags.
    pub tags: Tags,
}

/// Makes a VPC with what each has: main route table, default network ACL, default security group. Answers its id.
///
/// # Errors
/// None today; what is made with it may refuse.
pub fn create(world: &mut World, new: New) -> Result<String, ApiError> {
    let vpc_id = world.ids.ec2(KIND.prefix);
    let vpc = Vpc {
        vpc_id: vpc_id.clone(),
        cidr: new.cidr,
        blocks: vec![(world.ids.ec2("vpc-cidr-assoc"), new.cidr)],
        ipv6_blocks: Vec::new(),
        dhcp_options_id: dhcp_options::default_id(world),
        tenancy: new.tenancy,
        is_default: new.is_default,
        enable_dns_support: true,
        enable_dns_hostnames: new.is_default,
        enable_usage_metrics: false,
        tags: new.tags,
    };
    world.ec2.vpcs.insert(vpc_id.clone(), vpc);
    route_tables::create(world, &vpc_id, true, Tags::new());
    network_acls::create(world, &vpc_id, true, Tags::new());
    security_groups::create_default(world, &vpc_id);
    Ok(vpc_id)
}

/// Makes the default VPC: a /16, a public /20 in each zone, a way to the internet.
///
/// Source: Amazon VPC User Guide, "Default VPCs", Default VPC components.
pub(super) fn furnish(world: &mut World) -> Result<String, ApiError> {
    let cidr = Ipv4Net::new([172, 31, 0, 0].into(), 16).unwrap_or_default();
    let new = New { cidr, tenancy: "default".to_owned(), is_default: true, tags: Tags::new() };
    let vpc_id = create(world, new)?;
    for zone in zones::names(&world.settings.region) {
        subnets::create_default(world, &zone)?;
    }
    let gateway = gateways::create(world, Some(vpc_id.clone()), Tags::new());
    let everywhere = Destination::Cidr(Ipv4Net::default().into());
    if let Some(main) = route_tables::main_of(world, &vpc_id).map(|table| table.route_table_id.clone()) {
        let route = Route { destination: everywhere, target: Target::InternetGateway(gateway) };
        world.ec2.route_tables.update(&main, |table| table.routes.push(route));
    }
    Ok(vpc_id)
}

fn create_default_vpc(world: &mut World, _call: &Call) -> Answer {
    if let Some(vpc) = default_vpc(world) {
        let message = format!("A Default VPC already exists for this account in this region: {}.", vpc.vpc_id);
        return Err(ApiError::new("DefaultVpcAlreadyExists", message));
    }
    let id = furnish(world)?;
    Ok(json!({ "vpc": render(world, find(world, &id)?, "pending") }))
}

fn delete_vpc(world: &mut World, call: &Call) -> Answer {
    let id = call.required("VpcId")?;
    find(world, &id)?;
    if has_dependents(world, &id) {
        return Err(KIND.in_use(&id));
    }
    if let Some(main) = route_tables::main_of(world, &id).map(|table| table.route_table_id.clone()) {
        world.ec2.route_tables.remove(&main);
    }
    if let Some(acl) = network_acls::default_of(world, &id).map(|acl| acl.network_acl_id.clone()) {
        world.ec2.network_acls.remove(&acl);
    }
    security_groups::delete_default(world, &id);
    world.ec2.vpcs.remove(&id);
    Ok(done())
}

/// Whether something is in the VPC that does not go with it.
fn has_dependents(world: &World, id: &str) -> bool {
    let (key, ec2) = (format!("vpc-id={id}"), &world.ec2);
    ec2.subnets.with(&key).next().is_some()
        || gateways::of_vpc(world, id).is_some()
        || ec2.egress_only_gateways.with(&key).next().is_some()
        || ec2.route_tables.with(&key).any(|(_, table)| !table.is_main())
        || ec2.network_acls.with(&key).any(|(_, acl)| !acl.is_default)
        || ec2.peerings.with(&key).any(|(_, peering)| peering.status.is_alive())
        || ec2.vpc_endpoints.with(&key).next().is_some()
        || security_groups::any_besides_default(world, id)
}

fn modify_vpc_attribute(world: &mut World, call: &Call) -> Answer {
    const ATTRIBUTES: [&str; 3] = ["EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"];
    let id = call.required("VpcId")?;
    let mut vpc = find(world, &id)?.clone();
    let sent: Vec<&str> = ATTRIBUTES.into_iter().filter(|name| call.has(name)).collect();
    let [name] = sent[..] else {
        let message =
            if sent.is_empty() { "No attributes specified." } else { "Only one attribute can be modified at a time." };
        return Err(ApiError::new("InvalidParameterCombination", message));
    };
    let value = call.structure(name).map(|it| it.boolean("Value")).transpose()?.flatten();
    let value = value.ok_or_else(|| ApiError::missing(call.service, &format!("{name}.Value")))?;
    match name {
        "EnableDnsSupport" => vpc.enable_dns_support = value,
        "EnableDnsHostnames" if value && !vpc.enable_dns_support => {
            let why = "DNS hostnames need DNS support, which is off in this VPC.";
            return Err(invalid("enableDnsHostnames", "true", why));
        }
        "EnableDnsHostnames" => vpc.enable_dns_hostnames = value,
        _ => vpc.enable_usage_metrics = value,
    }
    world.ec2.vpcs.insert(id, vpc);
    Ok(done())
}

fn describe_vpc_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.required("VpcId")?;
    let vpc = find(world, &id)?;
    let attribute = call.required("Attribute")?;
    let value = match attribute.as_str() {
        "enableDnsSupport" => vpc.enable_dns_support,
        "enableDnsHostnames" => vpc.enable_dns_hostnames,
        "enableNetworkAddressUsageMetrics" => vpc.enable_usage_metrics,
        _ => return Err(invalid("attribute", &attribute, "Unknown attribute.")),
    };
    Ok(json!({ "vpcId": id, attribute: { "value": value } }))
}

/// Dedicated can become default, and nothing else changes.
fn modify_vpc_tenancy(world: &mut World, call: &Call) -> Answer {
    let id = call.required("VpcId")?;
    find(world, &id)?;
    call.required("InstanceTenancy")?;
    if tenancy(call, &["default"]).is_err() {
        let message = "You can change the tenancy of a VPC to default only.";
        return Err(ApiError::new("UnsupportedTenancy", message));
    }
    world.ec2.vpcs.update(&id, |vpc| "default".clone_into(&mut vpc.tenancy));
    Ok(json!({ "returnValue": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn a_vpc_has_a_block_from_16_to_28() {
        for (cidr, expected) in [
            ("10.0.0.0/16", Ok("10.0.0.0/16")),
            ("10.0.0.17/28", Ok("10.0.0.16/28")),
            ("10.0.0.0/8", Err("InvalidVpc.Range")),
            ("10.0.0.0/29", Err("InvalidVpc.Range")),
            ("169.254.0.0/20", Err("InvalidVpc.Range")),
            ("10.0.0.0", Err("InvalidParameterValue")),
            ("", Err("MissingParameter")),
        ] {
            let mut world = world();
            let answer = query(&mut world, Service::Ec2, "CreateVpc", &[("CidrBlock", cidr)]);
            let made = answer.as_ref().map(|answer| answer["vpc"]["cidrBlock"].as_str().unwrap());
            assert_eq!(made.map_err(|error| error.code.as_str()), expected, "{cidr}");
        }
    }

    #[test]
    fn dry_run_makes_nothing() {
        let mut world = world();
        let before = world.ec2.vpcs.len();
        for (cidr, code) in [("10.0.0.0/16", "DryRunOperation"), ("10.0.0.0/8", "InvalidVpc.Range")] {
            let pairs = [("CidrBlock", cidr), ("DryRun", "true")];
            let error = query(&mut world, Service::Ec2, "CreateVpc", &pairs).unwrap_err();
            assert_eq!((error.code.as_str(), error.status), (code, if code == "DryRunOperation" { 412 } else { 400 }));
            assert_eq!(world.ec2.vpcs.len(), before);
        }
    }

    #[test]
    fn attributes_are_changed_one_at_a_time() {
        let mut world = world();
        let id =
            ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"].as_str().unwrap().to_owned();
        let read = |world: &mut World, attribute| {
            let answer = ec2(world, "DescribeVpcAttribute", &[("VpcId", &id), ("Attribute", attribute)]);
            answer[attribute]["value"].clone()
        };
        assert_eq!(
            (read(&mut world, "enableDnsSupport"), read(&mut world, "enableDnsHostnames")),
            (true.into(), false.into())
        );
        ec2(&mut world, "ModifyVpcAttribute", &[("VpcId", &id), ("EnableDnsHostnames.Value", "true")]);
        assert_eq!(read(&mut world, "enableDnsHostnames"), true);
        let both = [("VpcId", id.as_str()), ("EnableDnsHostnames.Value", "true"), ("EnableDnsSupport.Value", "true")];
        let answer = query(&mut world, Service::Ec2, "ModifyVpcAttribute", &both);
        assert_eq!(refusal(answer), "InvalidParameterCombination");
    }

    #[test]
    fn an_account_begins_with_a_default_vpc() {
        let mut world = world();
        let answer = ec2(&mut world, "DescribeVpcs", &[("Filter.1.Name", "is-default"), ("Filter.1.Value.1", "true")]);
        assert_eq!(answer["vpcSet"][0]["cidrBlock"], "172.31.0.0/16");
        assert_eq!(answer["vpcSet"].as_array().unwrap().len(), 1);
        let again = query(&mut world, Service::Ec2, "CreateDefaultVpc", &[]);
        assert_eq!(refusal(again), "DefaultVpcAlreadyExists");
    }
}
