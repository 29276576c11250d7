//! Walks through small networks whose answers are known.

mod found;
mod ipv6;
mod services;

use serde_json::json;

use super::{Protocol, Question, Trace, Verdict, probe};
use crate::kubernetes::cluster::Cluster;
use crate::kubernetes::life;
use crate::kubernetes::objects::Key;
use crate::testing::{ec2, pass, world};
use crate::world::World;

/// A VPC with a public subnet, two private ones behind a NAT gateway, and a group for each kind of thing.
struct Net {
    world: World,
    vpc: String,
    public: String,
    private: [String; 2],
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl Net {
    fn new() -> Self {
        let mut world = world();
        let (vpc, public, private) = network(&mut world, "10.0");
        Self { world, vpc, public, private }
    }

    fn call(&mut self, operation: &str, pairs: &[(&str, &str)]) -> serde_json::Value {
        ec2(&mut self.world, operation, pairs)
    }

    /// A group without rules.
    fn group(&mut self, name: &str) -> String {
        let vpc = self.vpc.clone();
        let made = self.call("CreateSecurityGroup", &[("GroupName", name), ("GroupDescription", "d"), ("VpcId", &vpc)]);
        let id = text(&made["groupId"]);
        let all = [
            ("GroupId", id.as_str()),
            ("IpPermissions.1.IpProtocol", "-1"),
            ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
        ];
        self.call("RevokeSecurityGroupEgress", &all);
        id
    }

    /// TCP to a port, to or from a block or a group.
    fn allow(&mut self, direction: &str, group: &str, port: &str, peer: &str) {
        let member = if peer.starts_with("sg-") {
            "IpPermissions.1.Groups.1.GroupId"
        } else {
            "IpPermissions.1.IpRanges.1.CidrIp"
        };
        let pairs = [
            ("GroupId", group),
            ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", port),
            ("IpPermissions.1.ToPort", port),
            (member, peer),
        ];
        self.call(&format!("AuthorizeSecurityGroup{direction}"), &pairs);
    }

    /// An instance's id.
    fn instance(&mut self, subnet: &str, group: &str) -> String {
        let wanted = [("Owner.1", "amazon"), ("Filter.1.Name", "architecture"), ("Filter.1.Value.1", "x86_64")];
        let image = text(&self.call("DescribeImages", &wanted)["imagesSet"][0]["imageId"]);
        let pairs = [
            ("ImageId", image.as_str()),
            ("InstanceType", "m5.large"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
            ("SubnetId", subnet),
            ("SecurityGroupId.1", group),
        ];
        let id = text(&self.call("RunInstances", &pairs)["instancesSet"][0]["instanceId"]);
        pass(&mut self.world, 20);
        id
    }

    fn ask(&self, from: &str, to: &str, port: u16) -> Trace {
        let question = Question { from: from.to_owned(), to: to.to_owned(), protocol: Protocol::Tcp, port: Some(port) };
        probe(&self.world, &question).unwrap_or_else(|error| panic!("{from} -> {to}: {error}"))
    }

    fn check(&self, from: &str, to: &str, port: u16, verdict: Verdict, decided_by: &str) {
        let trace = self.ask(from, to, port);
        let by = trace.decided_by.clone().unwrap_or_default();
        assert!(trace.verdict == verdict && by.contains(decided_by), "{from} -> {to}: {trace:#?}");
    }
}

fn network(world: &mut World, prefix: &str) -> (String, String, [String; 2]) {
    let vpc = text(&ec2(world, "CreateVpc", &[("CidrBlock", &format!("{prefix}.0.0/16"))])["vpc"]["vpcId"]);
    let mut subnet = |number: u8, zone: &str| {
        let block = format!("{prefix}.{number}.0/24");
        let pairs = [("VpcId", vpc.as_str()), ("CidrBlock", block.as_str()), ("AvailabilityZone", zone)];
        text(&ec2(world, "CreateSubnet", &pairs)["subnet"]["subnetId"])
    };
    let public = subnet(0, "us-east-1a");
    let private = [subnet(1, "us-east-1a"), subnet(2, "us-east-1b")];
    let gateway = text(&ec2(world, "CreateInternetGateway", &[])["internetGateway"]["internetGatewayId"]);
    ec2(world, "AttachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]);
    let everywhere = ("DestinationCidrBlock", "0.0.0.0/0");
    let table = text(&ec2(world, "CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"]);
    ec2(world, "CreateRoute", &[("RouteTableId", &table), everywhere, ("GatewayId", &gateway)]);
    ec2(world, "AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &public)]);
    let address = text(&ec2(world, "AllocateAddress", &[("Domain", "vpc")])["allocationId"]);
    let nat = ec2(world, "CreateNatGateway", &[("SubnetId", &public), ("AllocationId", &address)]);
    let nat = text(&nat["natGateway"]["natGatewayId"]);
    pass(world, 20);
    let mains = ec2(
        world,
        "DescribeRouteTables",
        &[
            ("Filter.1.Name", "association.main"),
            ("Filter.1.Value.1", "true"),
            ("Filter.2.Name", "vpc-id"),
            ("Filter.2.Value.1", &vpc),
        ],
    );
    let main = text(&mains["routeTableSet"][0]["routeTableId"]);
    ec2(world, "CreateRoute", &[("RouteTableId", &main), everywhere, ("NatGatewayId", &nat)]);
    (vpc, public, private)
}

#[test]
fn groups_decide_between_instances() {
    let mut net = Net::new();
    let (app, database) = (net.group("app"), net.group("database"));
    let [a, b] = net.private.clone();
    let from = net.instance(&a, &app);
    let to = net.instance(&b, &database);
    net.check(&from, &to, 5432, Verdict::Blocked, &app);
    net.allow("Egress", &app, "5432", &database);
    net.check(&from, &to, 5432, Verdict::Blocked, &database);
    net.allow("Ingress", &database, "5432", &app);
    net.check(&from, &to, 5432, Verdict::Reachable, &format!("{database} ingress"));
    net.check(&from, &to, 5433, Verdict::Blocked, &app);
    // Groups remember the connection, not the other way round.
    net.check(&to, &from, 5432, Verdict::Blocked, &database);
}

#[test]
fn network_acls_judge_the_answer_too() {
    let mut net = Net::new();
    let (app, database) = (net.group("app"), net.group("database"));
    let [a, b] = net.private.clone();
    let (from, to) = (net.instance(&a, &app), net.instance(&b, &database));
    net.allow("Egress", &app, "5432", "10.0.0.0/16");
    net.allow("Ingress", &database, "5432", "10.0.0.0/16");
    net.check(&from, &to, 5432, Verdict::Reachable, &database);
    let vpc = net.vpc.clone();
    let acl = text(&net.call("CreateNetworkAcl", &[("VpcId", &vpc)])["networkAcl"]["networkAclId"]);
    let found =
        net.call("DescribeNetworkAcls", &[("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", &b)]);
    let associations = found["networkAclSet"][0]["associationSet"].as_array().unwrap().clone();
    let of_b = associations.iter().find(|it| it["subnetId"] == b.as_str()).unwrap();
    net.call(
        "ReplaceNetworkAclAssociation",
        &[("AssociationId", &text(&of_b["networkAclAssociationId"])), ("NetworkAclId", &acl)],
    );
    net.check(&from, &to, 5432, Verdict::Blocked, &format!("{acl} ingress *"));
    let entry = |egress: &'static str, first: &'static str, last: &'static str| {
        [
            ("Egress", egress),
            ("RuleNumber", "100"),
            ("Protocol", "6"),
            ("RuleAction", "allow"),
            ("CidrBlock", "10.0.0.0/16"),
            ("PortRange.From", first),
            ("PortRange.To", last),
        ]
    };
    let with_acl = |pairs: &[(&'static str, &'static str)]| pairs.to_vec();
    let mut ingress = with_acl(&entry("false", "5432", "5432"));
    ingress.push(("NetworkAclId", &acl));
    net.call("CreateNetworkAclEntry", &ingress);
    // The answer goes to the client's own port.
    net.check(&from, &to, 5432, Verdict::Blocked, &format!("{acl} egress *"));
    let mut egress = with_acl(&entry("true", "1024", "65535"));
    egress.push(("NetworkAclId", &acl));
    net.call("CreateNetworkAclEntry", &egress);
    net.check(&from, &to, 5432, Verdict::Reachable, &database);
}

#[test]
fn the_internet_is_reached_through_nat_or_with_a_public_address() {
    let mut net = Net::new();
    let app = net.group("app");
    net.allow("Egress", &app, "443", "0.0.0.0/0");
    net.allow("Ingress", &app, "443", "0.0.0.0/0");
    let (inner, outer) = (net.private[0].clone(), net.public.clone());
    let private = net.instance(&inner, &app);
    net.check(&private, "internet", 443, Verdict::Reachable, "0.0.0.0/0 -> igw-");
    let walked = net.ask(&private, "internet", 443);
    assert!(walked.hops.iter().any(|hop| hop.at.starts_with("nat-")), "{walked:#?}");
    assert!(walked.reply.iter().any(|hop| hop.what.contains("puts 10.0.1.")), "{walked:#?}");
    net.check("internet", &private, 443, Verdict::Blocked, "no public address");
    let public = net.instance(&outer, &app);
    net.check(&public, "internet", 443, Verdict::Blocked, "igw-");
}

#[test]
fn a_private_nat_gateway_leads_to_no_internet() {
    let mut net = Net::new();
    let app = net.group("app");
    net.allow("Egress", &app, "443", "0.0.0.0/0");
    let (subnet, outer, vpc) = (net.private[1].clone(), net.public.clone(), net.vpc.clone());
    let nat = net.call("CreateNatGateway", &[("SubnetId", &outer), ("ConnectivityType", "private")]);
    let nat = text(&nat["natGateway"]["natGatewayId"]);
    pass(&mut net.world, 20);
    let table = text(&net.call("CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"]);
    let route = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0"), ("NatGatewayId", &nat)];
    net.call("CreateRoute", &route);
    net.call("AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &subnet)]);
    let from = net.instance(&subnet, &app);
    net.check(&from, "internet", 443, Verdict::Blocked, "igw-");
}

#[test]
fn peered_networks_need_routes_on_both_sides() {
    let mut net = Net::new();
    let (app, here) = (net.group("app"), net.private[0].clone());
    net.allow("Egress", &app, "5432", "10.0.0.0/8");
    let from = net.instance(&here, &app);
    let vpc = net.vpc.clone();
    let (other, _, private) = network(&mut net.world, "10.1");
    net.vpc.clone_from(&other);
    let database = net.group("database");
    net.allow("Ingress", &database, "5432", "10.0.0.0/16");
    let to = net.instance(&private[0], &database);
    net.check(&from, &to, 5432, Verdict::Blocked, "0.0.0.0/0 -> igw-");
    let made = net.call("CreateVpcPeeringConnection", &[("VpcId", &vpc), ("PeerVpcId", &other)]);
    let peering = text(&made["vpcPeeringConnection"]["vpcPeeringConnectionId"]);
    net.call("AcceptVpcPeeringConnection", &[("VpcPeeringConnectionId", &peering)]);
    pass(&mut net.world, 20);
    let mut route = |vpc: &str, block: &str| {
        let found = net.call(
            "DescribeRouteTables",
            &[
                ("Filter.1.Name", "association.main"),
                ("Filter.1.Value.1", "true"),
                ("Filter.2.Name", "vpc-id"),
                ("Filter.2.Value.1", vpc),
            ],
        );
        let table = text(&found["routeTableSet"][0]["routeTableId"]);
        net.call(
            "CreateRoute",
            &[("RouteTableId", &table), ("DestinationCidrBlock", block), ("VpcPeeringConnectionId", &peering)],
        );
    };
    route(&vpc, "10.1.0.0/16");
    net.check(&from, &to, 5432, Verdict::Blocked, "0.0.0.0/0 -> nat-");
    let mut net = net;
    let found = net.call(
        "DescribeRouteTables",
        &[
            ("Filter.1.Name", "association.main"),
            ("Filter.1.Value.1", "true"),
            ("Filter.2.Name", "vpc-id"),
            ("Filter.2.Value.1", &other),
        ],
    );
    let table = text(&found["routeTableSet"][0]["routeTableId"]);
    net.call(
        "CreateRoute",
        &[("RouteTableId", &table), ("DestinationCidrBlock", "10.0.0.0/16"), ("VpcPeeringConnectionId", &peering)],
    );
    net.check(&from, &to, 5432, Verdict::Reachable, &database);
}

// --- pods -------------------------------------------------------------------------------------------------------------

/// A cluster with two nodes and pods of which some have branch interfaces; written as the controllers write them.
struct Pods {
    net: Net,
    nodes: [String; 2],
    node_group: String,
}

impl Pods {
    fn new(env: &[(&str, &str)], early_demux_is_off: bool) -> Self {
        let mut net = Net::new();
        let node_group = net.group("nodes");
        let [a, b] = net.private.clone();
        let nodes = [net.instance(&a, &node_group), net.instance(&b, &node_group)];
        let cluster = Cluster::new("c").unwrap();
        net.world.kubernetes.clusters.insert("c", cluster);
        for (number, instance) in nodes.iter().enumerate() {
            let node = json!({ "kind": "Node", "spec": { "providerID": format!("aws:///us-east-1a/{instance}") } });
            life::create(&mut net.world, &Key::new("c", "nodes", "", &format!("n{number}")), node);
        }
        let env: Vec<_> = env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let init = json!([{ "name": "DISABLE_TCP_EARLY_DEMUX", "value": early_demux_is_off.to_string() }]);
        let daemon = json!({ "spec": { "template": { "spec": {
            "initContainers": [{ "name": "aws-vpc-cni-init", "env": init }],
            "containers": [{ "name": "aws-node", "env": env }, { "name": "aws-eks-nodeagent", "args": ["--enable-network-policy=true"] }],
        } } } });
        life::create(&mut net.world, &Key::new("c", "daemonsets.apps", "kube-system", "aws-node"), daemon);
        life::create(
            &mut net.world,
            &Key::new("c", "namespaces", "", "app"),
            json!({ "metadata": { "labels": { "team": "app" } } }),
        );
        Self { net, nodes, node_group }
    }

    /// A pod with a branch interface of a group, or with an address of its node's interface.
    fn pod(&mut self, name: &str, node: usize, group: Option<&str>) -> String {
        let subnet = self.net.private[node].clone();
        let mut annotations = json!({});
        let address = if let Some(group) = group {
            let made = self.net.call(
                "CreateNetworkInterface",
                &[("SubnetId", &subnet), ("SecurityGroupId.1", group), ("Description", "aws-k8s-branch-eni")],
            );
            let (id, address) = (
                text(&made["networkInterface"]["networkInterfaceId"]),
                text(&made["networkInterface"]["privateIpAddress"]),
            );
            let trunk = self.trunk(node, &subnet);
            let vlan = (self.net.world.ec2.interfaces.len() % 100 + 1).to_string();
            self.net.call(
                "AssociateTrunkInterface",
                &[("BranchInterfaceId", &id), ("TrunkInterfaceId", &trunk), ("VlanId", &vlan)],
            );
            annotations["vpc.amazonaws.com/pod-eni"] = json!(format!("[{{\"eniId\":\"{id}\"}}]"));
            address
        } else {
            let primary = super::network::primary_interface(&self.net.world, &self.nodes[node]).unwrap().id.clone();
            let made = self.net.call(
                "AssignPrivateIpAddresses",
                &[("NetworkInterfaceId", &primary), ("SecondaryPrivateIpAddressCount", "1")],
            );
            text(&made["assignedPrivateIpAddressesSet"][0]["privateIpAddress"])
        };
        let pod = json!({
            "kind": "Pod", "metadata": { "labels": { "app": name }, "annotations": annotations },
            "spec": { "nodeName": format!("n{node}"), "containers": [
                { "name": "it", "ports": [{ "name": "web", "containerPort": 8080 }] }] },
            "status": { "podIP": address, "conditions": [{ "type": "Ready", "status": "True" }] },
        });
        life::create(&mut self.net.world, &Key::new("c", "pods", "app", name), pod);
        format!("app/{name}")
    }

    fn trunk(&mut self, node: usize, subnet: &str) -> String {
        let instance = &self.nodes[node];
        let found = self.net.world.ec2.interfaces.with(&format!("attachment.instance-id={instance}"));
        if let Some((id, _)) = found.into_iter().find(|(_, it)| it.interface_type == "trunk") {
            return id.to_owned();
        }
        let (instance, group) = (instance.clone(), self.node_group.clone());
        let made = self.net.call(
            "CreateNetworkInterface",
            &[("SubnetId", subnet), ("SecurityGroupId.1", &group), ("InterfaceType", "trunk")],
        );
        let id = text(&made["networkInterface"]["networkInterfaceId"]);
        self.net.call(
            "AttachNetworkInterface",
            &[("NetworkInterfaceId", &id), ("InstanceId", &instance), ("DeviceIndex", "1")],
        );
        pass(&mut self.net.world, 20);
        id
    }
}

#[test]
fn strict_mode_enforces_groups_on_one_node() {
    let mut pods = Pods::new(&[], true);
    let (front, back) = (pods.net.group("front"), pods.net.group("back"));
    let (a, b) = (pods.pod("front", 0, Some(&front)), pods.pod("back", 0, Some(&back)));
    pods.net.check(&a, &b, 8080, Verdict::Blocked, &front);
    pods.net.allow("Egress", &front, "8080", &back);
    pods.net.check(&a, &b, 8080, Verdict::Blocked, &back);
    pods.net.allow("Ingress", &back, "8080", &front);
    pods.net.check(&a, &b, 8080, Verdict::Reachable, &back);
}

#[test]
fn standard_mode_leaves_traffic_on_the_node() {
    let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", "standard")], false);
    let group = pods.net.group("pods");
    let (a, b) = (pods.pod("a", 0, Some(&group)), pods.pod("b", 0, Some(&group)));
    let (other, far) = (pods.pod("other", 0, None), pods.pod("far", 1, Some(&group)));
    let apart = pods.net.group("apart");
    let c = pods.pod("c", 0, Some(&apart));
    pods.net.check(&a, &b, 8080, Verdict::Reachable, "");
    pods.net.check(&other, &b, 8080, Verdict::Reachable, "");
    pods.net.check(&a, &c, 8080, Verdict::Unknown, "not specified");
    pods.net.check(&a, &far, 8080, Verdict::Blocked, &group);
    pods.net.check("node/n0", &b, 8080, Verdict::Reachable, "");
}

#[test]
fn kubelet_needs_a_rule_and_early_demultiplexing_off_in_strict_mode() {
    for (is_off, verdict, by) in
        [(false, Verdict::Blocked, "DISABLE_TCP_EARLY_DEMUX"), (true, Verdict::Reachable, "ingress")]
    {
        let mut pods = Pods::new(&[], is_off);
        let group = pods.net.group("pods");
        let nodes = pods.node_group.clone();
        pods.net.allow("Egress", &nodes, "8080", "0.0.0.0/0");
        pods.net.allow("Ingress", &group, "8080", &nodes);
        let pod = pods.pod("a", 0, Some(&group));
        pods.net.check("node/n0", &pod, 8080, verdict, by);
    }
}

#[test]
fn who_goes_out_depends_on_the_mode_and_on_snat() {
    // The pod's group lets nothing out, the nodes' group does.
    for (env, verdict) in [
        (vec![], Verdict::Blocked),
        (vec![("POD_SECURITY_GROUP_ENFORCING_MODE", "standard")], Verdict::Reachable),
        (
            vec![("POD_SECURITY_GROUP_ENFORCING_MODE", "standard"), ("AWS_VPC_K8S_CNI_EXTERNALSNAT", "true")],
            Verdict::Blocked,
        ),
        (
            vec![
                ("POD_SECURITY_GROUP_ENFORCING_MODE", "standard"),
                ("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS", "203.0.113.0/24"),
            ],
            Verdict::Blocked,
        ),
    ] {
        let mut pods = Pods::new(&env, true);
        let (group, nodes) = (pods.net.group("pods"), pods.node_group.clone());
        pods.net.allow("Egress", &nodes, "443", "0.0.0.0/0");
        let pod = pods.pod("a", 0, Some(&group));
        let trace = pods.net.ask(&pod, "internet", 443);
        assert_eq!(trace.verdict, verdict, "{env:?}: {trace:#?}");
    }
}

#[test]
fn network_policies_and_groups_must_both_agree() {
    let mut pods = Pods::new(&[], true);
    let group = pods.net.group("pods");
    pods.net.allow("Egress", &group, "8080", &group);
    pods.net.allow("Ingress", &group, "8080", &group);
    let (a, b) = (pods.pod("a", 0, Some(&group)), pods.pod("b", 1, Some(&group)));
    pods.net.check(&a, &b, 8080, Verdict::Reachable, &group);
    let policy = |from: serde_json::Value| json!({ "spec": { "podSelector": { "matchLabels": { "app": "b" } }, "ingress": from } });
    let key = Key::new("c", "networkpolicies.networking.k8s.io", "app", "b");
    life::create(&mut pods.net.world, &key, policy(json!([])));
    pods.net.check(&a, &b, 8080, Verdict::Blocked, "NetworkPolicy app/b");
    let allowed =
        json!([{ "from": [{ "podSelector": { "matchLabels": { "app": "a" } } }], "ports": [{ "port": 8080 }] }]);
    life::update(&mut pods.net.world, &key, |object| {
        *object = {
            let mut new = policy(allowed);
            new["metadata"] = object["metadata"].take();
            new
        }
    });
    pods.net.check(&a, &b, 8080, Verdict::Reachable, "NetworkPolicy app/b, ingress rule 1");
    assert_eq!(pods.net.ask("node/n1", &b, 8080).verdict, Verdict::Blocked, "the groups still count");
}

#[test]
fn link_local_services_are_out_of_reach_in_strict_mode() {
    for (mode, verdict) in [("strict", Verdict::Blocked), ("standard", Verdict::Reachable)] {
        let mut pods = Pods::new(&[("POD_SECURITY_GROUP_ENFORCING_MODE", mode)], true);
        let group = pods.net.group("pods");
        let pod = pods.pod("a", 0, Some(&group));
        assert_eq!(pods.net.ask(&pod, "169.254.170.23", 80).verdict, verdict, "{mode}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let net = Net::new();
    for (from, expected) in [
        ("eni-1", "there is no interface eni-1"),
        ("i-1", "there is no instance i-1"),
        ("app/a", "there is no cluster to look for app/a in"),
        ("c:app/a", "there is no cluster c"),
    ] {
        let question =
            Question { from: from.to_owned(), to: "internet".to_owned(), protocol: Protocol::Tcp, port: Some(1) };
        assert_eq!(probe(&net.world, &question).unwrap_err(), expected);
    }
}
