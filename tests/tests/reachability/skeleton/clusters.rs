//! Clusters with their nodes and pods.

use serde_json::{Value as Json, json};
use sgp_sandbox::{
    ec2::interfaces::{self, NewInterface},
    kubernetes::cluster::Cluster as Row,
    world::World,
};

use super::{Cluster, NAMESPACES, Skeleton, Subnet, TIERS, address_of, put};
use crate::{
    account::{call, pass, text},
    mutation::conditions,
    random::Random,
};

impl Skeleton {
    /// A cluster of a number in a VPC of a number. In one with IPv6 pods have IPv6 addresses only.
    pub(super) fn cluster(
        &mut self,
        world: &mut World,
        random: &mut Random,
        (number, vpc): (usize, usize),
        is_ipv6: bool,
    ) {
        let name = format!("c{number}");
        world.kubernetes.clusters.insert(name.as_str(), Row::new(&name).expect("a certificate can be made"));
        let services = if is_ipv6 { "fd12:3456::" } else { ["10.100.0.", "10.101.0."][number] };
        self.clusters.push(Cluster { name: name.clone(), is_ipv6, services });
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
            self.node(world, random, (&name, is_ipv6), node, &subnet);
        }
        self.fargate_pod(world, random, (&name, is_ipv6), &subnets[1]);
    }

    fn node(
        &mut self,
        world: &mut World,
        random: &mut Random,
        (cluster, is_ipv6): (&str, bool),
        number: usize,
        subnet: &Subnet,
    ) {
        let groups = self.some_groups(random, subnet.vpc);
        let is_public = random.percent(30);
        let instance = self.instance(world, subnet, &groups, is_public);
        let primary = self.interfaces.last().expect("it has one").0.clone();
        let name = format!("n{number}");
        if is_ipv6 {
            let row = world.ec2.interfaces.get(&primary).expect("it was made");
            let count = if row.ipv6_addresses.is_empty() { "1" } else { "0" };
            let pairs = [("NetworkInterfaceId", primary.as_str()), ("Ipv6AddressCount", count)];
            if count == "1" {
                call(world, "AssignIpv6Addresses", &pairs);
            }
            call(world, "AssignIpv6Addresses", &[pairs[0], ("Ipv6PrefixCount", "1")]);
        }
        let address = address_of(world, &primary, is_ipv6);
        let node = json!({ "kind": "Node", "spec": { "providerID": format!("aws:///us-east-1a/{instance}") },
            "status": { "addresses": [{ "type": "InternalIP", "address": address }] } });
        put(world, cluster, "nodes", "", &name, node);
        self.ends_of(world, &primary, &[format!("{cluster}:node/{name}"), instance.clone(), primary.clone()]);
        let trunk = self.attached(world, subnet, &groups, &instance, "1", "trunk");
        let second = self.attached(world, subnet, &groups, &instance, "2", "interface");
        for branch in 0..random.between(1, 3) {
            let groups = self.some_groups(random, subnet.vpc);
            let (id, address) = self.branch(world, subnet, &groups, (&trunk, branch + 1), is_ipv6);
            let pod =
                Pod { cluster, node: &name, address: &address, branch: Some(&id), is_host: false, is_fargate: false };
            self.pod(world, random, &pod);
        }
        for shared in 0..random.between(1, 2) {
            let address = if is_ipv6 {
                // Out of the first interface's prefix.
                let row = world.ec2.interfaces.get(&primary).expect("it was made");
                let first = u128::from(row.ipv6_prefixes[0].network()) + 2;
                std::net::Ipv6Addr::from(first + u128::try_from(shared).expect("it is small")).to_string()
            } else {
                // The first interface's addresses and the second one's are both handed out to pods.
                let of = if shared == 0 { &second } else { &primary };
                let pairs = [("NetworkInterfaceId", of.as_str()), ("SecondaryPrivateIpAddressCount", "1")];
                let made = call(world, "AssignPrivateIpAddresses", &pairs);
                text(&made["assignedPrivateIpAddressesSet"][0]["privateIpAddress"])
            };
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
            ipv6_count: Some(0),
            ..NewInterface::default()
        };
        let id = interfaces::create(world, new).expect("an interface");
        let pairs = [("NetworkInterfaceId", id.as_str()), ("InstanceId", instance), ("DeviceIndex", index)];
        call(world, "AttachNetworkInterface", &pairs);
        pass(world);
        self.interfaces.push((id.clone(), subnet.vpc));
        self.ends_of(world, &id, std::slice::from_ref(&id));
        id
    }

    fn branch(
        &mut self,
        world: &mut World,
        subnet: &Subnet,
        groups: &[String],
        (trunk, vlan): (&str, usize),
        is_ipv6: bool,
    ) -> (String, String) {
        let new = NewInterface {
            subnet_id: subnet.id.clone(),
            groups: groups.to_vec(),
            description: "aws-k8s-branch-eni".to_owned(),
            ipv6_count: Some(usize::from(is_ipv6)),
            ..NewInterface::default()
        };
        let id = interfaces::create(world, new).expect("an interface");
        let vlan = vlan.to_string();
        let pairs = [("BranchInterfaceId", id.as_str()), ("TrunkInterfaceId", trunk), ("VlanId", vlan.as_str())];
        call(world, "AssociateTrunkInterface", &pairs);
        self.interfaces.push((id.clone(), subnet.vpc));
        let address = address_of(world, &id, is_ipv6);
        self.ends_with(&address, std::slice::from_ref(&id));
        (id, address)
    }

    fn fargate_pod(
        &mut self,
        world: &mut World,
        random: &mut Random,
        (cluster, is_ipv6): (&str, bool),
        subnet: &Subnet,
    ) {
        let new = NewInterface {
            subnet_id: subnet.id.clone(),
            groups: self.some_groups(random, subnet.vpc),
            is_requester_managed: true,
            held_by: Some("amazon-aws".to_owned()),
            ipv6_count: Some(usize::from(is_ipv6)),
            ..NewInterface::default()
        };
        let id = interfaces::create(world, new).expect("an interface");
        let address = address_of(world, &id, is_ipv6);
        let node = json!({ "kind": "Node", "metadata": { "labels": { "eks.amazonaws.com/compute-type": "fargate" } },
            "spec": { "providerID": format!("aws:///us-east-1b/uid/{address}") },
            "status": { "addresses": [{ "type": "InternalIP", "address": address }] } });
        put(world, cluster, "nodes", "", "fargate", node);
        let pod = Pod { cluster, node: "fargate", address: &address, branch: None, is_host: false, is_fargate: true };
        self.pod(world, random, &pod);
        self.ends_with(&address, &[id]);
    }

    fn pod(&mut self, world: &mut World, random: &mut Random, pod: &Pod<'_>) {
        let namespace = *random.pick(&NAMESPACES);
        let name = format!("p{}", self.ends[0].len() + self.ends[1].len());
        let tier = *random.pick(&TIERS);
        // What holds it keeps a pod that is being deleted.
        let mut metadata = json!({ "labels": { "app": name, "tier": tier }, "finalizers": ["example.com/hold"] });
        if random.percent(50) {
            metadata["labels"]["color"] = json!("blue");
        }
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
            "status": { "phase": "Running", "podIP": pod.address, "conditions": conditions(true) } });
        put(world, pod.cluster, "pods", namespace, &name, object);
        self.pods.push((pod.cluster.to_owned(), namespace.to_owned(), name.clone()));
        self.ends_with(pod.address, &[format!("{}:{namespace}/{name}", pod.cluster), pod.address.to_owned()]);
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
