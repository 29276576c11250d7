//! What the topologies of one family have in common: networks, clusters, nodes, pods, instances.

use serde_json::{Value as Json, json};
use sgp_sandbox::{
    ec2::interfaces::{self, NewInterface},
    kubernetes::{cluster::Cluster, life, objects::Key},
    world::World,
};

use crate::{
    account::{attempt, call, pass, text},
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
}

/// A Service, and the pods behind it with their port.
#[derive(Clone, Debug)]
pub struct Service {
    /// `CLUSTER:svc/NAMESPACE/NAME`.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// The pods, by name, with the port that stands behind the Service's.
    pub pods: Vec<(String, u16)>,
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
    /// Names of ends.
    pub ends: Vec<String>,
    /// Services.
    pub services: Vec<Service>,
    /// Clusters.
    pub clusters: Vec<String>,
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
        all.prefix_lists(world, random);
        all.networks(world, random);
        all.peerings(world);
        all.further_gateways(world);
        all.make_groups(world);
        all.instances(world, random);
        for (number, vpc) in [(0, 0), (1, random.below(2))] {
            all.cluster(world, random, number, vpc);
        }
        all.twin(world);
        all.loose_ends(world);
        all
    }

    fn prefix_lists(&mut self, world: &mut World, random: &mut Random) {
        let blocks = ["10.0.0.0/16", "10.0.1.0/24", "10.1.0.0/16", "203.0.113.0/24", "8.8.8.8/32", "10.0.2.128/25"];
        for number in 0..3 {
            let name = format!("list-{number}");
            let mut pairs = vec![
                ("PrefixListName".to_owned(), name),
                ("MaxEntries".to_owned(), "4".to_owned()),
                ("AddressFamily".to_owned(), "IPv4".to_owned()),
            ];
            let first = random.below(blocks.len());
            for at in 0..random.below(4) {
                pairs.push((format!("Entry.{}.Cidr", at + 1), blocks[(first + at) % blocks.len()].to_owned()));
            }
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let made = call(world, "CreateManagedPrefixList", &pairs);
            self.lists.push(text(&made["prefixList"]["prefixListId"]));
        }
        pass(world);
    }

    fn networks(&mut self, world: &mut World, random: &mut Random) {
        for vpc in 0..4 {
            let block = format!("10.{vpc}.0.0/16");
            let made = call(world, "CreateVpc", &[("CidrBlock", &block)]);
            let id = text(&made["vpc"]["vpcId"]);
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
            // The first is public, the others lead to a NAT gateway there, the last of the main VPC nowhere.
            for number in 0..if vpc == 0 { 4 } else { 2 } {
                self.subnet(world, vpc, number, &format!("10.{vpc}.{number}.0/24"));
            }
            if vpc == 3 {
                continue;
            }
            let public = self.subnets.iter().find(|subnet| subnet.vpc == vpc).expect("it has subnets").clone();
            Self::add_route(world, &public.table, "0.0.0.0/0", ("GatewayId", &gateway));
            let nat = self.nat_gateway(world, &public.id, true);
            for subnet in self.subnets.clone().iter().filter(|it| it.vpc == vpc && it.id != public.id) {
                if !subnet.block.starts_with("10.0.3.") {
                    Self::add_route(world, &subnet.table, "0.0.0.0/0", ("NatGatewayId", &nat));
                }
            }
        }
    }

    fn subnet(&mut self, world: &mut World, vpc: usize, number: usize, block: &str) {
        let id = self.vpcs[vpc].clone();
        let zone = if number.is_multiple_of(2) { "us-east-1a" } else { "us-east-1b" };
        let made = call(world, "CreateSubnet", &[("VpcId", &id), ("CidrBlock", block), ("AvailabilityZone", zone)]);
        let subnet = text(&made["subnet"]["subnetId"]);
        let table = text(&call(world, "CreateRouteTable", &[("VpcId", &id)])["routeTable"]["routeTableId"]);
        call(world, "AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &subnet)]);
        let acl = text(&call(world, "CreateNetworkAcl", &[("VpcId", &id)])["networkAcl"]["networkAclId"]);
        for way in ["true", "false"] {
            let open = [
                ("NetworkAclId", acl.as_str()),
                ("Egress", way),
                ("RuleNumber", "100"),
                ("Protocol", "-1"),
                ("RuleAction", "allow"),
                ("CidrBlock", "0.0.0.0/0"),
            ];
            call(world, "CreateNetworkAclEntry", &open);
        }
        let filter = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
        let known = call(world, "DescribeNetworkAcls", &filter);
        let of_subnet = known["networkAclSet"][0]["associationSet"].as_array().expect("a set").iter();
        let association = of_subnet.into_iter().find(|it| it["subnetId"] == subnet.as_str()).expect("it has one");
        let association = text(&association["networkAclAssociationId"]);
        call(world, "ReplaceNetworkAclAssociation", &[("AssociationId", &association), ("NetworkAclId", &acl)]);
        self.subnets.push(Subnet { id: subnet, vpc, table, acl, block: block.to_owned() });
    }

    fn add_route(world: &mut World, table: &str, block: &str, target: (&str, &str)) {
        call(world, "CreateRoute", &[("RouteTableId", table), ("DestinationCidrBlock", block), target]);
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
    fn peerings(&mut self, world: &mut World) {
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
                    }
                }
            }
            self.targets.push(("VpcPeeringConnectionId", id));
        }
    }

    /// A private NAT gateway, one that is gone, an interface that routes may name, an endpoint of a service.
    fn further_gateways(&mut self, world: &mut World) {
        let (private, public) = (self.subnets[2].clone(), self.subnets[0].clone());
        self.nat_gateway(world, &private.id, false);
        let gone = self.nat_gateway(world, &public.id, true);
        self.targets.pop();
        let isolated = self.subnets[3].clone();
        Self::add_route(world, &isolated.table, "198.51.100.0/24", ("NatGatewayId", &gone));
        call(world, "DeleteNatGateway", &[("NatGatewayId", &gone)]);
        pass(world);
    }

    fn make_groups(&mut self, world: &mut World) {
        for (name, vpc) in
            [("nodes", 0), ("a", 0), ("b", 0), ("c", 0), ("d", 0), ("far", 1), ("far-b", 1), ("third", 2)]
        {
            let pairs = [("GroupName", name), ("GroupDescription", "d"), ("VpcId", self.vpcs[vpc].as_str())];
            let id = text(&call(world, "CreateSecurityGroup", &pairs)["groupId"]);
            let all = [
                ("GroupId", id.as_str()),
                ("IpPermissions.1.IpProtocol", "-1"),
                ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ];
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
            let groups = self.some_groups(random, if subnet.vpc == 3 { 0 } else { subnet.vpc });
            // The last VPC has no groups but its default one, which lets in what has it, and everything out.
            if subnet.vpc == 3 {
                continue;
            }
            let is_public = subnet.block.ends_with(".0.0/24") && random.percent(60) || random.percent(10);
            let instance = self.instance(world, &subnet, &groups, is_public);
            let interface = self.interfaces.last().expect("it has one").0.clone();
            self.ends.extend([instance, interface]);
        }
    }

    // --- clusters ---------------------------------------------------------------------------------------------------

    fn cluster(&mut self, world: &mut World, random: &mut Random, number: usize, vpc: usize) {
        let name = format!("c{number}");
        world.kubernetes.clusters.insert(name.as_str(), Cluster::new(&name).expect("a certificate can be made"));
        self.clusters.push(name.clone());
        for namespace in NAMESPACES {
            let team = random.pick(&TIERS);
            let labels = json!({ "kubernetes.io/metadata.name": namespace, "team": team });
            put(
                world,
                &name,
                "namespaces",
                "",
                namespace,
                json!({ "kind": "Namespace", "metadata": { "labels": labels } }),
            );
        }
        put(world, &name, "daemonsets.apps", "kube-system", "aws-node", aws_node(&[], true, true));
        let subnets: Vec<Subnet> = self.subnets.iter().filter(|subnet| subnet.vpc == vpc).cloned().collect();
        for node in 0..if number == 0 { 3 } else { 2 } {
            // Two in one private subnet, the third anywhere.
            let subnet = if node < 2 { &subnets[1] } else { random.pick(&subnets) }.clone();
            self.node(world, random, &name, node, &subnet);
        }
        self.fargate_pod(world, random, &name, &subnets[1]);
        self.services(world, &name);
    }

    fn node(&mut self, world: &mut World, random: &mut Random, cluster: &str, number: usize, subnet: &Subnet) {
        let groups = self.some_groups(random, subnet.vpc);
        let is_public = random.percent(30);
        let instance = self.instance(world, subnet, &groups, is_public);
        let primary = self.interfaces.last().expect("it has one").0.clone();
        let name = format!("n{number}");
        let address = address_of(world, &primary);
        let node = json!({ "kind": "Node", "spec": { "providerID": format!("aws:///us-east-1a/{instance}") },
            "status": { "addresses": [{ "type": "InternalIP", "address": address }] } });
        put(world, cluster, "nodes", "", &name, node);
        self.ends.extend([format!("{cluster}:node/{name}"), instance.clone(), primary.clone()]);
        let trunk = self.attached(world, subnet, &groups, &instance, "1", "trunk");
        let second = self.attached(world, subnet, &groups, &instance, "2", "interface");
        for branch in 0..random.between(1, 3) {
            let groups = self.some_groups(random, subnet.vpc);
            let (id, address) = self.branch(world, subnet, &groups, &trunk, branch + 1);
            let pod =
                Pod { cluster, node: &name, address: &address, branch: Some(&id), is_host: false, is_fargate: false };
            self.pod(world, random, &pod);
        }
        for shared in 0..random.between(1, 2) {
            // The first interface's addresses and the second one's are both handed out to pods.
            let of = if shared == 0 { &second } else { &primary };
            let pairs = [("NetworkInterfaceId", of.as_str()), ("SecondaryPrivateIpAddressCount", "1")];
            let made = call(world, "AssignPrivateIpAddresses", &pairs);
            let address = text(&made["assignedPrivateIpAddressesSet"][0]["privateIpAddress"]);
            let pod = Pod { cluster, node: &name, address: &address, branch: None, is_host: false, is_fargate: false };
            self.pod(world, random, &pod);
        }
        if random.percent(50) {
            let pod = Pod { cluster, node: &name, address: &address, branch: None, is_host: true, is_fargate: false };
            self.pod(world, random, &pod);
        }
    }

    fn attached(
        &mut self,
        world: &mut World,
        subnet: &Subnet,
        groups: &[String],
        instance: &str,
        index: &str,
        kind: &str,
    ) -> String {
        let new = NewInterface {
            subnet_id: subnet.id.clone(),
            groups: groups.to_vec(),
            interface_type: kind.to_owned(),
            description: if kind == "trunk" { "aws-k8s-trunk-eni" } else { "aws-K8S-node" }.to_owned(),
            ..NewInterface::default()
        };
        let id = interfaces::create(world, new).expect("an interface");
        let pairs = [("NetworkInterfaceId", id.as_str()), ("InstanceId", instance), ("DeviceIndex", index)];
        call(world, "AttachNetworkInterface", &pairs);
        pass(world);
        self.interfaces.push((id.clone(), subnet.vpc));
        self.ends.push(id.clone());
        id
    }

    fn branch(
        &mut self,
        world: &mut World,
        subnet: &Subnet,
        groups: &[String],
        trunk: &str,
        vlan: usize,
    ) -> (String, String) {
        let new = NewInterface {
            subnet_id: subnet.id.clone(),
            groups: groups.to_vec(),
            description: "aws-k8s-branch-eni".to_owned(),
            ..NewInterface::default()
        };
        let id = interfaces::create(world, new).expect("an interface");
        let vlan = vlan.to_string();
        let pairs = [("BranchInterfaceId", id.as_str()), ("TrunkInterfaceId", trunk), ("VlanId", vlan.as_str())];
        call(world, "AssociateTrunkInterface", &pairs);
        self.interfaces.push((id.clone(), subnet.vpc));
        self.ends.push(id.clone());
        let address = address_of(world, &id);
        (id, address)
    }

    fn fargate_pod(&mut self, world: &mut World, random: &mut Random, cluster: &str, subnet: &Subnet) {
        let new = NewInterface {
            subnet_id: subnet.id.clone(),
            groups: self.some_groups(random, subnet.vpc),
            is_requester_managed: true,
            held_by: Some("amazon-aws".to_owned()),
            ..NewInterface::default()
        };
        let id = interfaces::create(world, new).expect("an interface");
        let address = address_of(world, &id);
        let node = json!({ "kind": "Node", "spec": { "providerID": format!("aws:///us-east-1b/uid/{address}") },
            "status": { "addresses": [{ "type": "InternalIP", "address": address }] } });
        put(world, cluster, "nodes", "", "fargate", node);
        let pod = Pod { cluster, node: "fargate", address: &address, branch: None, is_host: false, is_fargate: true };
        self.pod(world, random, &pod);
        self.ends.push(id);
    }

    fn pod(&mut self, world: &mut World, random: &mut Random, pod: &Pod<'_>) {
        let namespace = *random.pick(&NAMESPACES);
        let name = format!("p{}", self.ends.len());
        let tier = *random.pick(&TIERS);
        let mut metadata = json!({ "labels": { "app": name, "tier": tier } });
        if let Some(branch) = pod.branch {
            metadata["annotations"]["vpc.amazonaws.com/pod-eni"] = json!(format!(r#"[{{"eniId":"{branch}"}}]"#));
        }
        if pod.is_fargate {
            metadata["labels"]["eks.amazonaws.com/fargate-profile"] = json!("profile");
        }
        let web = *random.pick(&[8080, 9090]);
        let ports = json!([
            { "name": "web", "containerPort": web }, { "name": "dns", "containerPort": 53, "protocol": "UDP" },
        ]);
        let object = json!({ "kind": "Pod", "metadata": metadata,
            "spec": { "nodeName": pod.node, "hostNetwork": pod.is_host, "containers": [{ "name": "it", "ports": ports }] },
            "status": { "phase": "Running", "podIP": pod.address } });
        put(world, pod.cluster, "pods", namespace, &name, object);
        self.ends.extend([format!("{}:{namespace}/{name}", pod.cluster), pod.address.to_owned()]);
    }

    /// One Service a namespace and tier, to the port that each pod calls `web`: where they differ, the first one's.
    fn services(&mut self, world: &mut World, cluster: &str) {
        for namespace in NAMESPACES {
            for tier in TIERS {
                let name = format!("{tier}-web");
                let object = json!({ "kind": "Service", "spec": { "selector": { "tier": tier },
                    "ports": [{ "port": 80, "targetPort": 8080 }] } });
                put(world, cluster, "services", namespace, &name, object);
                let pods = world.kubernetes.objects.list(cluster, "pods", Some(namespace));
                let behind = pods.filter(|pod| pod["metadata"]["labels"]["tier"] == tier);
                let pods =
                    behind.map(|pod| (format!("{cluster}:{namespace}/{}", text(&pod["metadata"]["name"])), 8080));
                let pods: Vec<(String, u16)> = pods.collect();
                if !pods.is_empty() {
                    self.services.push(Service { name: format!("{cluster}:svc/{namespace}/{name}"), port: 80, pods });
                }
            }
        }
    }

    /// A VPC with the blocks of the main one, to which nothing leads: ids tell its interfaces from those there, addresses do not.
    fn twin(&mut self, world: &mut World) {
        let vpc = self.vpcs.len();
        let made = call(world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
        self.vpcs.push(text(&made["vpc"]["vpcId"]));
        self.subnet(world, vpc, 1, "10.0.1.0/24");
        let pairs = [("GroupName", "twin"), ("GroupDescription", "d"), ("VpcId", self.vpcs[vpc].as_str())];
        let group = text(&call(world, "CreateSecurityGroup", &pairs)["groupId"]);
        self.groups.push((group.clone(), vpc));
        let subnet = self.subnets.last().expect("it was made").clone();
        for _ in 0..2 {
            let instance = self.instance(world, &subnet, std::slice::from_ref(&group), false);
            self.ends.push(instance);
        }
        let count = |text: &str| {
            let address = text.parse::<std::net::Ipv4Addr>().ok();
            address
                .map_or(0, |it| world.ec2.interfaces.values().filter(|row| row.primary_address() == Some(it)).count())
        };
        self.ends.retain(|end| count(end) < 2);
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
        self.ends.push(id);
        // Those of NAT gateways have no groups.
        let of_gateways = world.ec2.interfaces.values().filter(|it| it.interface_type == "nat_gateway");
        self.ends.extend(of_gateways.take(2).map(|it| it.id.clone()));
        let publics: Vec<String> = world
            .ec2
            .interfaces
            .values()
            .flat_map(|it| it.addresses.iter().filter_map(|address| Some(address.public.as_ref()?.address.to_string())))
            .collect();
        self.ends.extend(publics.into_iter().take(3));
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
        self.ends.extend(addresses.map(str::to_owned));
    }
}

/// A pod to be.
struct Pod<'a> {
    cluster: &'a str,
    node: &'a str,
    address: &'a str,
    branch: Option<&'a str>,
    is_host: bool,
    is_fargate: bool,
}

/// The VPC CNI's DaemonSet with these variables.
pub fn aws_node(env: &[(&str, &str)], is_early_demux_off: bool, has_network_policies: bool) -> Json {
    let env: Vec<Json> = env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let init = json!([{ "name": "DISABLE_TCP_EARLY_DEMUX", "value": is_early_demux_off.to_string() }]);
    let agent = format!("--enable-network-policy={has_network_policies}");
    json!({ "kind": "DaemonSet", "spec": { "template": { "spec": {
        "initContainers": [{ "name": "aws-vpc-cni-init", "env": init }],
        "containers": [{ "name": "aws-node", "env": env }, { "name": "aws-eks-nodeagent", "args": [agent] }],
    } } } })
}

/// Writes an object as a controller would.
pub fn put(world: &mut World, cluster: &str, resource: &str, namespace: &str, name: &str, object: Json) {
    let key = Key::new(cluster, resource, namespace, name);
    life::create(world, &key, object);
}

fn address_of(world: &World, interface: &str) -> String {
    let row = world.ec2.interfaces.get(interface).expect("it was made");
    row.primary_address().expect("it has an address").to_string()
}
