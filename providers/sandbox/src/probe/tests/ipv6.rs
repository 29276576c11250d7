//! Walks over IPv6.

use std::net::Ipv6Addr;

use super::*;
use crate::probe::network;

impl Net {
    /// IPv6 blocks for the VPC and its subnets, whose interfaces get addresses from then on.
    fn add_ipv6(&mut self) {
        let vpc = self.vpc.clone();
        self.call("AssociateVpcCidrBlock", &[("VpcId", &vpc), ("AmazonProvidedIpv6CidrBlock", "true")]);
        let first = u128::from(self.world.ec2.vpcs.get(&vpc).unwrap().ipv6_blocks[0].1.network());
        let subnets = [self.public.clone(), self.private[0].clone(), self.private[1].clone()];
        for (number, subnet) in (0_u128..).zip(&subnets) {
            let block = format!("{}/64", Ipv6Addr::from(first + (number << 64)));
            self.call("AssociateSubnetCidrBlock", &[("SubnetId", subnet), ("Ipv6CidrBlock", &block)]);
            let gives = [("SubnetId", subnet.as_str()), ("AssignIpv6AddressOnCreation.Value", "true")];
            self.call("ModifySubnetAttribute", &gives);
        }
    }

    /// A table for a subnet that has none, in which `::/0` leads to a gateway.
    fn route_all(&mut self, subnet: &str, target: (&str, &str)) {
        let vpc = self.vpc.clone();
        let table = text(&self.call("CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"]);
        self.call("CreateRoute", &[("RouteTableId", &table), ("DestinationIpv6CidrBlock", "::/0"), target]);
        self.call("AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", subnet)]);
    }

    fn allow_ipv6(&mut self, group: &str, protocol: &str, number: &str, block: &str) {
        for direction in ["Ingress", "Egress"] {
            let pairs = [
                ("GroupId", group),
                ("IpPermissions.1.IpProtocol", protocol),
                ("IpPermissions.1.FromPort", number),
                ("IpPermissions.1.ToPort", if protocol == "icmpv6" { "-1" } else { number }),
                ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", block),
            ];
            self.call(&format!("AuthorizeSecurityGroup{direction}"), &pairs);
        }
    }

    fn ipv6_of(&self, instance: &str) -> String {
        network::primary_interface(&self.world, instance).unwrap().ipv6_addresses[0].to_string()
    }
}

#[test]
fn an_egress_only_gateway_lets_nobody_in() {
    let mut net = Net::new();
    net.add_ipv6();
    let (app, vpc, [one, other]) = (net.group("app"), net.vpc.clone(), net.private.clone());
    net.allow_ipv6(&app, "tcp", "443", "::/0");
    let made = net.call("CreateEgressOnlyInternetGateway", &[("VpcId", &vpc)]);
    let out_only = text(&made["egressOnlyInternetGateway"]["egressOnlyInternetGatewayId"]);
    let gateway = network::internet_gateway(&net.world, &vpc).unwrap();
    net.route_all(&one, ("EgressOnlyInternetGatewayId", &out_only));
    net.route_all(&other, ("GatewayId", &gateway));
    for (subnet, way_in, by) in
        [(&one, Verdict::Blocked, format!("::/0 -> {out_only}")), (&other, Verdict::Reachable, app.clone())]
    {
        let instance = net.instance(subnet, &app);
        let address = net.ipv6_of(&instance);
        net.check(&instance, "2001:db8::7", 443, Verdict::Reachable, "::/0 -> ");
        net.check("internet", &address, 443, way_in, &by);
    }
}

#[test]
fn groups_and_network_acls_judge_each_family_by_its_own_blocks() {
    let mut net = Net::new();
    net.add_ipv6();
    let (app, [a, b]) = (net.group("app"), net.private.clone());
    let (from, to) = (net.instance(&a, &app), net.instance(&b, &app));
    let (one, other) = (net.ipv6_of(&from), net.ipv6_of(&to));
    net.allow("Egress", &app, "443", "0.0.0.0/0");
    net.allow("Ingress", &app, "443", "0.0.0.0/0");
    net.check(&one, &other, 443, Verdict::Blocked, &app);
    // By their names either family will do.
    net.check(&from, &to, 443, Verdict::Reachable, &app);
    net.allow_ipv6(&app, "tcp", "443", "2600::/16");
    net.check(&one, &other, 443, Verdict::Reachable, "from 2600::/16");
    let vpc = net.vpc.clone();
    let found = net.call("DescribeNetworkAcls", &[("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", &vpc)]);
    let acl = text(&found["networkAclSet"][0]["networkAclId"]);
    let deny = [
        ("NetworkAclId", acl.as_str()),
        ("Egress", "false"),
        ("RuleNumber", "50"),
        ("Protocol", "6"),
        ("RuleAction", "deny"),
        ("Ipv6CidrBlock", "::/0"),
        ("PortRange.From", "443"),
        ("PortRange.To", "443"),
    ];
    net.call("CreateNetworkAclEntry", &deny);
    net.check(&one, &other, 443, Verdict::Blocked, "rule 50: deny ::/0");
}

#[test]
fn an_echo_over_ipv6_is_icmpv6() {
    let mut net = Net::new();
    net.add_ipv6();
    let (app, [a, b]) = (net.group("app"), net.private.clone());
    let (from, to) = (net.instance(&a, &app), net.instance(&b, &app));
    let (one, other) = (net.ipv6_of(&from), net.ipv6_of(&to));
    let ask = |net: &Net| {
        let question = Question { from: one.clone(), to: other.clone(), protocol: Protocol::Icmp, port: None };
        probe(&net.world, &question).unwrap().verdict
    };
    assert_eq!(ask(&net), Verdict::Blocked);
    net.allow_ipv6(&app, "icmpv6", "128", "::/0");
    assert_eq!(ask(&net), Verdict::Reachable);
}

#[test]
fn of_the_way_to_another_network_here_nothing_more_is_said() {
    let mut net = Net::new();
    net.add_ipv6();
    let (app, vpc, here) = (net.group("app"), net.vpc.clone(), net.private[0].clone());
    net.allow_ipv6(&app, "tcp", "443", "::/0");
    let gateway = network::internet_gateway(&net.world, &vpc).unwrap();
    net.route_all(&here, ("GatewayId", &gateway));
    let from = net.instance(&here, &app);
    let from = net.ipv6_of(&from);
    let (vpc, public, private) = network(&mut net.world, "10.1");
    let mut far = Net { world: net.world, vpc, public, private };
    far.add_ipv6();
    let (group, there) = (far.group("far"), far.private[0].clone());
    let to = far.instance(&there, &group);
    let to = far.ipv6_of(&to);
    far.check(&from, &to, 443, Verdict::Unknown, "FROM internet");
    let nobodys = to.parse::<Ipv6Addr>().map(|it| Ipv6Addr::from(u128::from(it) ^ 1)).unwrap().to_string();
    far.check(&from, &nobodys, 443, Verdict::Blocked, "nothing has this address");
}
