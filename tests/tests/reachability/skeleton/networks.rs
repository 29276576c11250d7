//! VPCs with their subnets, gateways, peering connections and prefix lists.

use super::{Skeleton, Subnet};
use crate::{
    account::{attempt, call, pass, text},
    random::Random,
};
use sgp_sandbox::world::World;

impl Skeleton {
    pub(super) fn prefix_lists(&mut self, world: &mut World, random: &mut Random) {
        let blocks = ["10.0.0.0/16", "10.0.1.0/24", "10.1.0.0/16", "203.0.113.0/24", "8.8.8.8/32", "10.0.2.128/25"];
        let far = ["2001:db8::/32".to_owned(), "2606:4700::/32".to_owned(), "::/1".to_owned()];
        let of_ipv6: Vec<String> = self.blocks.iter().cloned().chain(far).collect();
        for number in 0..3 {
            self.prefix_list(world, random, &format!("list-{number}"), "IPv4", &blocks.map(str::to_owned));
        }
        for number in 3..5 {
            self.prefix_list(world, random, &format!("list-{number}"), "IPv6", &of_ipv6);
        }
        pass(world);
    }

    /// One of some of these blocks.
    fn prefix_list(&mut self, world: &mut World, random: &mut Random, name: &str, family: &str, blocks: &[String]) {
        let mut pairs = vec![
            ("PrefixListName".to_owned(), name),
            ("MaxEntries".to_owned(), "4"),
            ("AddressFamily".to_owned(), family),
        ];
        let first = random.below(blocks.len());
        for at in 0..random.below(4) {
            pairs.push((format!("Entry.{}.Cidr", at + 1), &blocks[(first + at) % blocks.len()]));
        }
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let made = call(world, "CreateManagedPrefixList", &pairs);
        self.lists.push(text(&made["prefixList"]["prefixListId"]));
    }

    pub(super) fn networks(&mut self, world: &mut World, random: &mut Random) {
        for vpc in 0..4 {
            let block = format!("10.{vpc}.0.0/16");
            let pairs = [("CidrBlock", block.as_str()), ("AmazonProvidedIpv6CidrBlock", "true")];
            let id = text(&call(world, "CreateVpc", &pairs)["vpc"]["vpcId"]);
            let row = world.ec2.vpcs.get(&id).expect("it was made");
            self.blocks.extend(row.ipv6_blocks.iter().map(|(_, block)| block.to_string()));
            if vpc == 0 && random.percent(50) {
                attempt(world, "AssociateVpcCidrBlock", &[("VpcId", &id), ("CidrBlock", "100.64.0.0/16")]).ok();
            }
            let gateway = call(world, "CreateInternetGateway", &[]);
            let gateway = text(&gateway["internetGateway"]["internetGatewayId"]);
            if vpc < 3 {
                call(world, "AttachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &id)]);
            }
            self.vpcs.push(id);
            self.targets.push(("GatewayId", gateway.clone()));
            let out_only = self.egress_only_gateway(world, vpc);
            // The first is public, the others lead to a NAT gateway there, the last of the main VPC nowhere.
            for number in 0..if vpc == 0 { 4 } else { 2 } {
                self.subnet(world, random, vpc, number, &format!("10.{vpc}.{number}.0/24"));
            }
            // It has no internet gateway, and a way out all the same.
            if vpc == 3 {
                for subnet in self.subnets.iter().filter(|it| it.vpc == vpc) {
                    Self::add_route(world, &subnet.table, "::/0", ("EgressOnlyInternetGatewayId", &out_only));
                }
                continue;
            }
            let public = self.subnets.iter().find(|subnet| subnet.vpc == vpc).expect("it has subnets").clone();
            Self::add_route(world, &public.table, "0.0.0.0/0", ("GatewayId", &gateway));
            Self::add_route(world, &public.table, "::/0", ("GatewayId", &gateway));
            let nat = self.nat_gateway(world, &public.id, true);
            for subnet in self.subnets.clone().iter().filter(|it| it.vpc == vpc && it.id != public.id) {
                if !subnet.block.starts_with("10.0.3.") {
                    Self::add_route(world, &subnet.table, "0.0.0.0/0", ("NatGatewayId", &nat));
                    Self::add_route(world, &subnet.table, "::/0", ("EgressOnlyInternetGatewayId", &out_only));
                }
            }
        }
    }

    fn egress_only_gateway(&mut self, world: &mut World, vpc: usize) -> String {
        let made = call(world, "CreateEgressOnlyInternetGateway", &[("VpcId", &self.vpcs[vpc])]);
        let id = text(&made["egressOnlyInternetGateway"]["egressOnlyInternetGatewayId"]);
        self.targets.push(("EgressOnlyInternetGatewayId", id.clone()));
        id
    }

    pub(super) fn subnet(&mut self, world: &mut World, random: &mut Random, vpc: usize, number: usize, block: &str) {
        let id = self.vpcs[vpc].clone();
        let of_ipv6 = world.ec2.vpcs.get(&id).and_then(|row| row.ipv6_blocks.first()).map(|(_, block)| {
            let first = u128::from(block.network()) + (u128::try_from(number).expect("it is small") << 64);
            format!("{}/64", std::net::Ipv6Addr::from(first))
        });
        let zone = if number.is_multiple_of(2) { "us-east-1a" } else { "us-east-1b" };
        let mut pairs = vec![("VpcId", id.as_str()), ("CidrBlock", block), ("AvailabilityZone", zone)];
        pairs.extend(of_ipv6.as_deref().map(|block| ("Ipv6CidrBlock", block)));
        let made = call(world, "CreateSubnet", &pairs);
        let subnet = text(&made["subnet"]["subnetId"]);
        if of_ipv6.is_some() && random.percent(75) {
            let gives = [("SubnetId", subnet.as_str()), ("AssignIpv6AddressOnCreation.Value", "true")];
            call(world, "ModifySubnetAttribute", &gives);
        }
        let table = text(&call(world, "CreateRouteTable", &[("VpcId", &id)])["routeTable"]["routeTableId"]);
        call(world, "AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &subnet)]);
        let acl = text(&call(world, "CreateNetworkAcl", &[("VpcId", &id)])["networkAcl"]["networkAclId"]);
        for way in ["true", "false"] {
            for (number, block) in [("100", ("CidrBlock", "0.0.0.0/0")), ("101", ("Ipv6CidrBlock", "::/0"))] {
                let open = [
                    ("NetworkAclId", acl.as_str()),
                    ("Egress", way),
                    ("RuleNumber", number),
                    ("Protocol", "-1"),
                    ("RuleAction", "allow"),
                    block,
                ];
                call(world, "CreateNetworkAclEntry", &open);
            }
        }
        let filter = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
        let known = call(world, "DescribeNetworkAcls", &filter);
        let of_subnet = known["networkAclSet"][0]["associationSet"].as_array().expect("a set").iter();
        let association = of_subnet.into_iter().find(|it| it["subnetId"] == subnet.as_str()).expect("it has one");
        let association = text(&association["networkAclAssociationId"]);
        call(world, "ReplaceNetworkAclAssociation", &[("AssociationId", &association), ("NetworkAclId", &acl)]);
        let has_ipv6 = of_ipv6.is_some();
        self.blocks.extend(of_ipv6);
        self.subnets.push(Subnet { id: subnet, vpc, table, acl, block: block.to_owned(), has_ipv6 });
    }

    fn add_route(world: &mut World, table: &str, block: &str, target: (&str, &str)) {
        let name = if block.contains(':') { "DestinationIpv6CidrBlock" } else { "DestinationCidrBlock" };
        call(world, "CreateRoute", &[("RouteTableId", table), (name, block), target]);
    }

    fn nat_gateway(&mut self, world: &mut World, subnet: &str, is_public: bool) -> String {
        let made = if is_public {
            let address = call(world, "AllocateAddress", &[("Domain", "vpc")]);
            let address = text(&address["allocationId"]);
            call(world, "CreateNatGateway", &[("SubnetId", subnet), ("AllocationId", &address)])
        } else {
            call(world, "CreateNatGateway", &[("SubnetId", subnet), ("ConnectivityType", "private")])
        };
        pass(world);
        let id = text(&made["natGateway"]["natGatewayId"]);
        self.targets.push(("NatGatewayId", id.clone()));
        id
    }

    /// The first three of these are asked for, and all but the second accepted.
    pub(super) fn peerings(&mut self, world: &mut World) {
        for (one, other, is_accepted) in [(0, 1, true), (0, 2, false), (1, 3, true)] {
            let pairs = [("VpcId", self.vpcs[one].as_str()), ("PeerVpcId", self.vpcs[other].as_str())];
            let made = call(world, "CreateVpcPeeringConnection", &pairs);
            let id = text(&made["vpcPeeringConnection"]["vpcPeeringConnectionId"]);
            pass(world);
            if is_accepted {
                call(world, "AcceptVpcPeeringConnection", &[("VpcPeeringConnectionId", &id)]);
                pass(world);
                for subnet in self.subnets.clone() {
                    let there = [(one, other), (other, one)].into_iter().find(|(here, _)| *here == subnet.vpc);
                    if let Some((_, there)) = there {
                        let block = format!("10.{there}.0.0/16");
                        Self::add_route(world, &subnet.table, &block, ("VpcPeeringConnectionId", &id));
                        let row = world.ec2.vpcs.get(&self.vpcs[there]).expect("it was made");
                        let of_ipv6 = row.ipv6_blocks.first().map(|(_, block)| block.to_string());
                        if let Some(block) = of_ipv6.filter(|_| subnet.has_ipv6) {
                            Self::add_route(world, &subnet.table, &block, ("VpcPeeringConnectionId", &id));
                        }
                    }
                }
            }
            self.targets.push(("VpcPeeringConnectionId", id));
        }
    }

    /// A private NAT gateway, one that is gone, an interface that routes may name, an endpoint of a service.
    pub(super) fn further_gateways(&mut self, world: &mut World) {
        let (private, public) = (self.subnets[2].clone(), self.subnets[0].clone());
        self.nat_gateway(world, &private.id, false);
        let gone = self.nat_gateway(world, &public.id, true);
        self.targets.pop();
        let isolated = self.subnets[3].clone();
        Self::add_route(world, &isolated.table, "198.51.100.0/24", ("NatGatewayId", &gone));
        call(world, "DeleteNatGateway", &[("NatGatewayId", &gone)]);
        pass(world);
    }
}
