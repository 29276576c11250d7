//! What the topologies of one family have in common: networks, clusters, nodes, pods, instances.

mod clusters;
mod networks;

pub use clusters::aws_node;
use serde_json::Value as Json;
use sgp_sandbox::{
    ec2::interfaces::{self, NewInterface},
    kubernetes::{life, objects::Key},
    world::World,
};

use crate::{
    account::{call, pass, text},
    random::Random,
};

/// A subnet with a route table and a network ACL of its own.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// `subnet-...`.
    pub id: String,
    /// The number of its VPC.
    pub vpc: usize,
    /// `rtb-...`.
    pub table: String,
    /// `acl-...`.
    pub acl: String,
    /// Its block.
    pub block: String,
    /// Whether it has an IPv6 block, too.
    pub has_ipv6: bool,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Whether its pods and Services have IPv6 addresses.
    pub is_ipv6: bool,
    /// What addresses of its Services begin with.
    pub services: &'static str,
}

/// A family's objects.
#[derive(Clone, Debug, Default)]
pub struct Skeleton {
    /// VPCs: the main one, a peered one, one whose peering nobody accepted, one that is peered to the second.
    pub vpcs: Vec<String>,
    /// Subnets.
    pub subnets: Vec<Subnet>,
    /// Groups with the numbers of their VPCs.
    pub groups: Vec<(String, usize)>,
    /// Prefix lists.
    pub lists: Vec<String>,
    /// What routes may lead to, with the parameter that names it.
    pub targets: Vec<(&'static str, String)>,
    /// Interfaces whose groups can be changed, with the numbers of their VPCs.
    pub interfaces: Vec<(String, usize)>,
    /// Names of ends that have IPv4 addresses, and of those that have IPv6 addresses; some have both.
    pub ends: [Vec<String>; 2],
    /// IPv6 blocks of VPCs, subnets and interfaces, which are drawn.
    pub blocks: Vec<String>,
    /// Clusters.
    pub clusters: Vec<Cluster>,
    /// Pods, by cluster, namespace and name.
    pub pods: Vec<(String, String, String)>,
    /// Namespaces whose labels nobody tells the analysis, with their clusters.
    pub untold: Vec<(String, String)>,
    /// `us-east-1`'s image.
    image: String,
}

/// Namespaces of each cluster.
pub const NAMESPACES: [&str; 3] = ["app", "data", "ops"];
/// Values of label `tier`.
pub const TIERS: [&str; 3] = ["front", "back", "base"];

impl Skeleton {
    /// Makes a family.
    pub fn make(world: &mut World, random: &mut Random) -> Self {
        let mut all = Self::default();
        let images = call(
            world,
            "DescribeImages",
            &[("Owner.1", "amazon"), ("Filter.1.Name", "architecture"), ("Filter.1.Value.1", "x86_64")],
        );
        all.image = text(&images["imagesSet"][0]["imageId"]);
        all.networks(world, random);
        all.prefix_lists(world, random);
        all.peerings(world);
        all.further_gateways(world);
        all.make_groups(world);
        all.instances(world, random);
        all.cluster(world, random, (0, 0), false);
        let (vpc, is_ipv6) = (random.below(2), random.percent(70));
        all.cluster(world, random, (1, vpc), is_ipv6);
        all.twin(world, random);
        all.loose_ends(world);
        for _ in 0..random.below(4) {
            let cluster = random.pick(&all.clusters).name.clone();
            all.untold.push((cluster, (*random.pick(&NAMESPACES)).to_owned()));
        }
        all
    }

    fn make_groups(&mut self, world: &mut World) {
        for (name, vpc) in [
            ("nodes", 0),
            ("a", 0),
            ("b", 0),
            ("c", 0),
            ("d", 0),
            ("far", 1),
            ("far-b", 1),
            ("third", 2),
            ("fourth", 3),
        ] {
            let pairs = [("GroupName", name), ("GroupDescription", "d"), ("VpcId", self.vpcs[vpc].as_str())];
            let id = text(&call(world, "CreateSecurityGroup", &pairs)["groupId"]);
            let all = [
                ("GroupId", id.as_str()),
                ("IpPermissions.1.IpProtocol", "-1"),
                ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ];
            call(world, "RevokeSecurityGroupEgress", &all);
            let all = [all[0], all[1], ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0")];
            call(world, "RevokeSecurityGroupEgress", &all);
            self.groups.push((id, vpc));
        }
    }

    /// One to three groups of a VPC.
    pub fn some_groups(&self, random: &mut Random, vpc: usize) -> Vec<String> {
        let of_vpc: Vec<&String> = self.groups.iter().filter(|(_, its)| *its == vpc).map(|(id, _)| id).collect();
        let first = random.below(of_vpc.len());
        let count = random.between(1, of_vpc.len().min(3));
        (0..count).map(|at| of_vpc[(first + at) % of_vpc.len()].clone()).collect()
    }

    fn instance(&mut self, world: &mut World, subnet: &Subnet, groups: &[String], is_public: bool) -> String {
        let mut pairs = vec![
            ("ImageId".to_owned(), self.image.clone()),
            ("InstanceType".to_owned(), "m5.xlarge".to_owned()),
            ("MinCount".to_owned(), "1".to_owned()),
            ("MaxCount".to_owned(), "1".to_owned()),
            ("NetworkInterface.1.DeviceIndex".to_owned(), "0".to_owned()),
            ("NetworkInterface.1.SubnetId".to_owned(), subnet.id.clone()),
            ("NetworkInterface.1.AssociatePublicIpAddress".to_owned(), is_public.to_string()),
        ];
        let named = |(at, id): (usize, &String)| (format!("NetworkInterface.1.SecurityGroupId.{}", at + 1), id.clone());
        pairs.extend(groups.iter().enumerate().map(named));
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let made = call(world, "RunInstances", &pairs);
        pass(world);
        let instance = &made["instancesSet"][0];
        self.interfaces.push((text(&instance["networkInterfaceSet"][0]["networkInterfaceId"]), subnet.vpc));
        text(&instance["instanceId"])
    }

    fn instances(&mut self, world: &mut World, random: &mut Random) {
        for subnet in self.subnets.clone() {
            let groups = self.some_groups(random, subnet.vpc);
            let is_public = subnet.block.ends_with(".0.0/24") && random.percent(60) || random.percent(10);
            let is_public = is_public && subnet.vpc != 3;
            let instance = self.instance(world, &subnet, &groups, is_public);
            let interface = self.interfaces.last().expect("it has one").0.clone();
            self.ends_of(world, &interface, &[instance, interface.clone()]);
        }
    }

    /// Names of what has an interface's own addresses, and its IPv6 addresses themselves.
    fn ends_of(&mut self, world: &World, interface: &str, names: &[String]) {
        let row = world.ec2.interfaces.get(interface).expect("it was made");
        self.ends[0].extend_from_slice(names);
        if !row.ipv6_addresses.is_empty() {
            self.ends[1].extend_from_slice(names);
            for address in &row.ipv6_addresses {
                self.ends[1].push(address.to_string());
                self.blocks.push(format!("{address}/128"));
            }
        }
    }

    /// Something with addresses of one family.
    fn ends_with(&mut self, address: &str, names: &[String]) {
        self.ends[usize::from(address.contains(':'))].extend_from_slice(names);
    }

    /// A VPC with the blocks of the main one, to which nothing leads: ids tell its interfaces from those there, addresses do not.
    fn twin(&mut self, world: &mut World, random: &mut Random) {
        let vpc = self.vpcs.len();
        let made = call(world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
        self.vpcs.push(text(&made["vpc"]["vpcId"]));
        self.subnet(world, random, vpc, 1, "10.0.1.0/24");
        let pairs = [("GroupName", "twin"), ("GroupDescription", "d"), ("VpcId", self.vpcs[vpc].as_str())];
        let group = text(&call(world, "CreateSecurityGroup", &pairs)["groupId"]);
        self.groups.push((group.clone(), vpc));
        let subnet = self.subnets.last().expect("it was made").clone();
        for _ in 0..2 {
            let instance = self.instance(world, &subnet, std::slice::from_ref(&group), false);
            self.ends[0].push(instance);
        }
        let count = |text: &str| {
            let address = text.parse::<std::net::Ipv4Addr>().ok();
            address
                .map_or(0, |it| world.ec2.interfaces.values().filter(|row| row.primary_address() == Some(it)).count())
        };
        self.ends[0].retain(|end| count(end) < 2);
    }

    /// An interface that nothing has, and addresses that are nobody's here.
    fn loose_ends(&mut self, world: &mut World) {
        let new = NewInterface {
            subnet_id: self.subnets[1].id.clone(),
            groups: vec![self.groups[1].0.clone()],
            ..NewInterface::default()
        };
        let id = interfaces::create(world, new).expect("an interface");
        self.interfaces.push((id.clone(), 0));
        self.ends_of(world, &id, std::slice::from_ref(&id));
        // Those of NAT gateways have no groups.
        let of_gateways = world.ec2.interfaces.values().filter(|it| it.interface_type == "nat_gateway");
        self.ends[0].extend(of_gateways.take(2).map(|it| it.id.clone()));
        let publics: Vec<String> = world
            .ec2
            .interfaces
            .values()
            .flat_map(|it| it.addresses.iter().filter_map(|address| Some(address.public.as_ref()?.address.to_string())))
            .collect();
        self.ends[0].extend(publics.into_iter().take(3));
        let nobodys = self.blocks[..2].iter().map(|block| block.split("::").next().unwrap_or_default());
        let nobodys: Vec<String> = nobodys.flat_map(|it| [format!("{it}::fa:1"), format!("{it}:ff00::1")]).collect();
        self.ends[1].extend(nobodys);
        let addresses = [
            "internet",
            "internet",
            "internet",
            "2001:db8::77",
            "2606:4700::1111",
            "fd12:3456::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "64:ff9b::808:808",
        ];
        self.ends[1].extend(addresses.map(str::to_owned));
        let addresses = [
            "internet",
            "internet",
            "internet",
            "203.0.113.77",
            "8.8.8.8",
            "198.18.0.1",
            "240.0.0.1",
            "198.51.100.9",
            "192.168.7.7",
            "100.64.1.1",
            "10.200.0.1",
            "10.0.0.2",
            "10.1.0.2",
            "10.0.1.250",
            "10.0.3.251",
            "10.1.1.250",
            "169.254.169.254",
            "169.254.170.23",
            "169.254.169.253",
        ];
        self.ends[0].extend(addresses.map(str::to_owned));
    }
}

/// Writes an object as a controller would.
pub fn put(world: &mut World, cluster: &str, resource: &str, namespace: &str, name: &str, object: Json) {
    let key = Key::new(cluster, resource, namespace, name);
    life::create(world, &key, object);
}

fn address_of(world: &World, interface: &str, is_ipv6: bool) -> String {
    let row = world.ec2.interfaces.get(interface).expect("it was made");
    if is_ipv6 {
        return row.ipv6_addresses.first().expect("it has an address").to_string();
    }
    row.primary_address().expect("it has an address").to_string()
}
