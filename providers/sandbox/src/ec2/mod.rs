//! EC2: networks, security groups, interfaces, launch templates, instances. One file a kind of object.
//!
//! Source: Amazon EC2 API Reference (docs.aws.amazon.com/AWSEC2/latest/APIReference), version 2016-11-15.

pub mod cidrs;
pub mod describe;
pub mod dhcp_options;
pub mod kinds;
pub mod pool;
pub mod quotas;
pub mod subnets;
pub mod tags;
mod vpc_blocks;
pub mod vpcs;
mod zones;

use serde::{Deserialize, Serialize};

use crate::aws::Operation;
use crate::store::table::{Durable, Table};
use crate::world::World;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] =
    &[dhcp_options::OPERATIONS, subnets::OPERATIONS, tags::OPERATIONS, vpcs::OPERATIONS, zones::OPERATIONS];

/// EC2's objects.
#[derive(Debug)]
pub struct Ec2 {
    /// Which IPv4 addresses of subnets are taken, by subnet and number.
    pub blocks: Table<pool::Block>,
    /// DHCP options sets.
    pub dhcp_options: Table<dhcp_options::DhcpOptions>,
    /// IPv6 addresses and prefixes that are taken, by subnet and address; the subnet.
    pub ipv6_taken: Table<String>,
    /// Subnets; index `vpc-id`.
    pub subnets: Table<subnets::Subnet>,
    /// VPCs.
    pub vpcs: Table<vpcs::Vpc>,
}

impl Default for Ec2 {
    fn default() -> Self {
        Self {
            blocks: Table::indexed("ec2.blocks", pool::Block::keys),
            dhcp_options: Table::new("ec2.dhcp-options"),
            ipv6_taken: Table::new("ec2.ipv6-taken"),
            subnets: Table::indexed("ec2.subnets", subnets::Subnet::keys),
            vpcs: Table::new("ec2.vpcs"),
        }
    }
}

/// What happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Due {}

impl Ec2 {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        vec![&mut self.blocks, &mut self.dhcp_options, &mut self.ipv6_taken, &mut self.subnets, &mut self.vpcs]
    }
}

/// Makes what a new account has.
pub(crate) fn furnish(world: &mut World) {
    vpcs::furnish(world).expect("the first VPC is within all limits");
}

/// What is due happens.
pub(crate) fn on_timer(_world: &mut World, due: Due) {
    match due {}
}

/// The ARN of an object: `arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1`.
pub fn arn(world: &World, resource_type: &str, id: &str) -> String {
    let (region, account) = (&world.settings.region, &world.settings.account);
    format!("arn:{}:ec2:{region}:{account}:{resource_type}/{id}", partition(region))
}

/// The partition of a region: `aws`, `aws-cn`, `aws-us-gov`.
pub fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
