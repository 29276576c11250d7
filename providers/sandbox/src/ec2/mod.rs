//! EC2: networks, security groups, interfaces, launch templates, instances. One file a kind of object.
//!
//! Source: Amazon EC2 API Reference (docs.aws.amazon.com/AWSEC2/latest/APIReference), version 2016-11-15.

pub mod addresses;
pub mod attachments;
mod authorize;
pub mod cidrs;
pub mod describe;
pub mod dhcp_options;
pub mod gateways;
pub mod group_associations;
#[cfg(test)]
mod group_tests;
pub mod images;
mod instance_calls;
mod instance_describe;
pub mod instance_types;
pub mod instances;
mod interface_addresses;
mod interface_calls;
pub(crate) mod interface_describe;
mod interface_links;
pub mod interface_permissions;
mod interface_takings;
#[cfg(test)]
mod interface_tests;
pub mod interfaces;
mod key_material;
pub mod key_pairs;
pub mod kinds;
mod launch_template_calls;
pub mod launch_template_data;
pub mod launch_templates;
pub mod nat_gateways;
pub mod network_acl_entries;
pub mod network_acls;
pub mod peering;
mod permissions;
pub mod pool;
pub mod prefix_list_entries;
pub mod prefix_lists;
pub mod quotas;
mod regions;
pub mod route_tables;
pub mod routes;
pub mod rules;
mod run_instances;
pub mod security_groups;
mod subnet_attributes;
pub mod subnets;
pub mod tags;
mod tokens;
pub mod trunks;
mod vpc_blocks;
mod vpc_endpoint_changes;
mod vpc_endpoint_services;
pub mod vpc_endpoints;
pub mod vpcs;
pub(crate) mod zones;

use serde::{Deserialize, Serialize};

use crate::aws::Operation;
use crate::store::table::{Durable, Table};
use crate::world::World;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[
    addresses::OPERATIONS,
    authorize::OPERATIONS,
    dhcp_options::OPERATIONS,
    gateways::OPERATIONS,
    group_associations::OPERATIONS,
    images::OPERATIONS,
    instance_calls::OPERATIONS,
    instance_describe::OPERATIONS,
    instance_types::OPERATIONS,
    interface_addresses::OPERATIONS,
    interface_calls::OPERATIONS,
    interface_describe::OPERATIONS,
    interface_permissions::OPERATIONS,
    key_pairs::OPERATIONS,
    nat_gateways::OPERATIONS,
    network_acl_entries::OPERATIONS,
    network_acls::OPERATIONS,
    peering::OPERATIONS,
    prefix_list_entries::OPERATIONS,
    prefix_lists::OPERATIONS,
    regions::OPERATIONS,
    route_tables::OPERATIONS,
    routes::OPERATIONS,
    launch_template_calls::OPERATIONS,
    run_instances::OPERATIONS,
    security_groups::OPERATIONS,
    subnet_attributes::OPERATIONS,
    subnets::OPERATIONS,
    tags::OPERATIONS,
    trunks::OPERATIONS,
    vpc_blocks::OPERATIONS,
    vpc_endpoint_changes::OPERATIONS,
    vpc_endpoint_services::OPERATIONS,
    vpc_endpoints::OPERATIONS,
    vpcs::OPERATIONS,
    zones::OPERATIONS,
];

/// EC2's objects.
#[derive(Debug)]
pub struct Ec2 {
    /// Which IPv4 addresses of subnets are taken, by subnet and number.
    pub blocks: Table<pool::Block>,
    /// DHCP options sets.
    pub dhcp_options: Table<dhcp_options::DhcpOptions>,
    /// Uses of security groups in VPCs that are not theirs.
    pub group_associations: Table<group_associations::GroupAssociation>,
    /// Instances; see [`instances::table`] for the index.
    pub instances: Table<instances::Instance>,
    /// Permissions to attach interfaces.
    pub interface_permissions: Table<interface_permissions::InterfacePermission>,
    /// Network interfaces; see [`interfaces::table`] for the index.
    pub interfaces: Table<interfaces::NetworkInterface>,
    /// IPv6 addresses and prefixes that are taken, by subnet and address; the subnet.
    pub ipv6_taken: Table<String>,
    /// Key pairs.
    pub key_pairs: Table<key_pairs::KeyPair>,
    /// Launch templates; see [`launch_templates::table`] for the index.
    pub launch_templates: Table<launch_templates::LaunchTemplate>,
    /// Versions of launch templates; index `template`.
    pub launch_template_versions: Table<launch_templates::LaunchTemplateVersion>,
    /// Rules of security groups; see [`rules::table`] for the index.
    pub rules: Table<rules::Rule>,
    /// Security groups; see [`security_groups::table`] for the index.
    pub security_groups: Table<security_groups::SecurityGroup>,
    /// Subnets; index `vpc-id`.
    pub subnets: Table<subnets::Subnet>,
    /// VPCs.
    pub vpcs: Table<vpcs::Vpc>,
    /// Elastic IP addresses; index `public-ip`, `association-id`, `network-interface-id`.
    pub addresses: Table<addresses::Address>,
    /// Egress-only internet gateways; index `vpc-id`.
    pub egress_only_gateways: Table<gateways::EgressOnlyGateway>,
    /// Internet gateways; index `attachment.vpc-id`.
    pub internet_gateways: Table<gateways::InternetGateway>,
    /// NAT gateways; index `vpc-id`, `subnet-id`.
    pub nat_gateways: Table<nat_gateways::NatGateway>,
    /// Network ACLs; index `vpc-id`, `association.subnet-id`, `association.association-id`.
    pub network_acls: Table<network_acls::NetworkAcl>,
    /// Peering connections; index `vpc-id` of either side.
    pub peerings: Table<peering::Peering>,
    /// Managed prefix lists.
    pub prefix_lists: Table<prefix_lists::PrefixList>,
    /// Route tables; index `vpc-id`, `association.subnet-id`, `association.gateway-id`.
    pub route_tables: Table<route_tables::RouteTable>,
    /// VPC endpoints; index `vpc-id`.
    pub vpc_endpoints: Table<vpc_endpoints::VpcEndpoint>,
}

impl Default for Ec2 {
    fn default() -> Self {
        Self {
            blocks: Table::indexed("ec2.blocks", pool::Block::keys),
            dhcp_options: Table::new("ec2.dhcp-options"),
            group_associations: group_associations::table(),
            instances: instances::table(),
            interface_permissions: interface_permissions::table(),
            interfaces: interfaces::table(),
            ipv6_taken: Table::new("ec2.ipv6-taken"),
            key_pairs: Table::new("ec2.key-pairs"),
            launch_templates: launch_templates::table(),
            launch_template_versions: launch_templates::versions_table(),
            rules: rules::table(),
            security_groups: security_groups::table(),
            subnets: Table::indexed("ec2.subnets", subnets::Subnet::keys),
            vpcs: Table::new("ec2.vpcs"),
            addresses: Table::indexed("ec2.addresses", addresses::Address::keys),
            egress_only_gateways: Table::indexed("ec2.egress-only-gateways", gateways::EgressOnlyGateway::keys),
            internet_gateways: Table::indexed("ec2.internet-gateways", gateways::InternetGateway::keys),
            nat_gateways: Table::indexed("ec2.nat-gateways", nat_gateways::NatGateway::keys),
            network_acls: Table::indexed("ec2.network-acls", network_acls::NetworkAcl::keys),
            peerings: Table::indexed("ec2.peerings", peering::Peering::keys),
            prefix_lists: Table::new("ec2.prefix-lists"),
            route_tables: Table::indexed("ec2.route-tables", route_tables::RouteTable::keys),
            vpc_endpoints: Table::indexed("ec2.vpc-endpoints", vpc_endpoints::VpcEndpoint::keys),
        }
    }
}

/// What happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Due {
    /// A NAT gateway goes on, by its id.
    NatGateway(String),
    /// A peering connection goes on, by its id.
    Peering(String),
    /// A prefix list's change is complete, by its id.
    PrefixList(String),
    /// A VPC endpoint goes on, by its id.
    VpcEndpoint(String),
    /// An attachment of an interface, by its id.
    Attachment(String),
    /// A security group's use in another VPC, by its id.
    GroupAssociation(String),
    /// An instance goes on from a state.
    Instance {
        /// Its id.
        id: String,
        /// The state it must still be in.
        from: instances::State,
    },
}

impl Ec2 {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        vec![
            &mut self.blocks,
            &mut self.dhcp_options,
            &mut self.group_associations,
            &mut self.instances,
            &mut self.interface_permissions,
            &mut self.interfaces,
            &mut self.ipv6_taken,
            &mut self.key_pairs,
            &mut self.launch_templates,
            &mut self.launch_template_versions,
            &mut self.rules,
            &mut self.security_groups,
            &mut self.subnets,
            &mut self.vpcs,
            &mut self.addresses,
            &mut self.egress_only_gateways,
            &mut self.internet_gateways,
            &mut self.nat_gateways,
            &mut self.network_acls,
            &mut self.peerings,
            &mut self.prefix_lists,
            &mut self.route_tables,
            &mut self.vpc_endpoints,
        ]
    }
}

/// Makes what a new account has.
pub(crate) fn furnish(world: &mut World) {
    prefix_lists::furnish(world);
    vpcs::furnish(world).expect("the first VPC is within all limits");
}

/// What is due happens.
pub(crate) fn on_timer(world: &mut World, due: Due) {
    match due {
        Due::NatGateway(id) => nat_gateways::on_timer(world, &id),
        Due::Peering(id) => peering::on_timer(world, &id),
        Due::PrefixList(id) => prefix_lists::on_timer(world, &id),
        Due::VpcEndpoint(id) => vpc_endpoints::on_timer(world, &id),
        Due::Attachment(id) => attachments::settle(world, &id),
        Due::GroupAssociation(id) => group_associations::settle(world, &id),
        Due::Instance { id, from } => instances::settle(world, &id, from),
    }
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
