//! What makes the topologies of a family differ: rules, network ACLs, routes, NetworkPolicies, groups, settings of the CNI.
//!
//! All of it happens in one transaction that is undone afterwards.

mod services;

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use sgp_sandbox::{
    kubernetes::{life, objects::Key},
    world::World,
};

pub use services::{Front, conditions};

use crate::{
    account::attempt,
    random::Random,
    skeleton::{Cluster, NAMESPACES, Skeleton, TIERS, aws_node, put},
};

/// Blocks of rules, entries, routes and policies.
const BLOCKS: [&str; 20] = [
    "0.0.0.0/0",
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.1.0.0/16",
    "10.0.0.0/24",
    "10.0.1.0/24",
    "10.0.2.0/24",
    "10.0.1.0/28",
    "10.0.1.4/32",
    "10.0.1.16/28",
    "10.1.1.0/24",
    "203.0.113.0/24",
    "203.0.113.1/32",
    "8.0.0.0/7",
    "10.2.0.0/15",
    "100.64.0.0/10",
    "169.254.0.0/16",
];

/// IPv6 blocks; those of the family's own networks are drawn as often as these.
const BLOCKS_OF_IPV6: [&str; 9] =
    ["::/0", "::/0", "2001:db8::/32", "2001:db8::1/128", "2000::/3", "2600::/12", "::/1", "8000::/1", "fd00:ec2::/32"];

/// A block of either family.
fn block(all: &Skeleton, random: &mut Random) -> String {
    if random.percent(60) { (*random.pick(&BLOCKS)).to_owned() } else { block_of_ipv6(all, random) }
}

fn block_of_ipv6(all: &Skeleton, random: &mut Random) -> String {
    if random.percent(50) { random.pick(&all.blocks).clone() } else { (*random.pick(&BLOCKS_OF_IPV6)).to_owned() }
}

/// The name of a parameter that takes a block of this family.
fn named<'a>(block: &str, of_ipv4: &'a str, of_ipv6: &'a str) -> &'a str {
    if block.contains(':') { of_ipv6 } else { of_ipv4 }
}

/// Ports that are asked for, and around which rules are made.
pub const PORTS: [u16; 7] = [22, 53, 80, 443, 8080, 9090, 40_000];

/// What was changed, beside rules of groups and objects of clusters: to be described again.
#[derive(Debug, Default)]
pub struct Changed {
    /// Network ACLs.
    pub acls: BTreeSet<String>,
    /// Route tables.
    pub tables: BTreeSet<String>,
    /// Interfaces.
    pub interfaces: BTreeSet<String>,
    /// Pods, by cluster, namespace and name.
    pub pods: BTreeSet<(String, String, String)>,
    /// The Services that there are.
    pub fronts: Vec<Front>,
}

/// Changes a family's world into one topology.
pub fn mutate(world: &mut World, all: &Skeleton, random: &mut Random) -> Changed {
    let mut changed = Changed::default();
    for cluster in &all.clusters {
        settings(world, &cluster.name, random);
        policies(world, all, cluster, random);
    }
    services::services(world, all, random, &mut changed);
    services::readiness(world, all, random, &mut changed);
    rules(world, all, random);
    for _ in 0..random.below(4) {
        changed.acls.insert(acl(world, all, random));
    }
    for _ in 0..random.below(3) {
        changed.tables.insert(route(world, all, random));
    }
    for _ in 0..random.below(3) {
        changed.interfaces.insert(groups(world, all, random));
    }
    changed
}

/// Calls with texts that were made up; what the sandbox refuses changes nothing.
fn try_to(world: &mut World, operation: &str, pairs: &[(&str, String)]) {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    attempt(world, operation, &pairs).ok();
}

fn settings(world: &mut World, cluster: &str, random: &mut Random) {
    let mode = *random.pick(&["strict", "standard"]);
    let snat = if random.percent(40) { "true" } else { "false" };
    let excluded = *random.pick(&["", "", "10.1.0.0/16", "10.0.0.0/8, 203.0.113.0/24"]);
    let env = [
        ("ENABLE_POD_ENI", "true"),
        ("POD_SECURITY_GROUP_ENFORCING_MODE", mode),
        ("AWS_VPC_K8S_CNI_EXTERNALSNAT", snat),
        ("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS", excluded),
    ];
    let daemon = aws_node(&env, random.percent(50), random.percent(70));
    let key = Key::new(cluster, "daemonsets.apps", "kube-system", "aws-node");
    life::update(world, &key, |object| object["spec"] = daemon["spec"].clone());
}

// --- security groups --------------------------------------------------------------------------------------------------

fn rules(world: &mut World, all: &Skeleton, random: &mut Random) {
    for (group, vpc) in &all.groups {
        for operation in ["AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"] {
            // Half of them are open, so that what comes after the groups is reached.
            if random.percent(45) {
                let open = [
                    ("GroupId", group.clone()),
                    ("IpPermissions.1.IpProtocol", "-1".to_owned()),
                    ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0".to_owned()),
                    ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0".to_owned()),
                ];
                // Some are open for one family only.
                let count = if random.percent(80) { 4 } else { 3 };
                try_to(world, operation, &open[..count]);
                continue;
            }
            for _ in 0..random.below(4) {
                try_to(world, operation, &rule(all, group, *vpc, random));
            }
        }
    }
}

fn rule(all: &Skeleton, group: &str, vpc: usize, random: &mut Random) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("GroupId", group.to_owned())];
    let block = block(all, random);
    let (protocol, from, to) = match rule_traffic(random) {
        ("icmp", kind, code) if block.contains(':') => {
            (*random.pick(&["icmpv6", "58"]), if kind >= 0 { 128 + kind % 2 } else { kind }, code)
        }
        traffic => traffic,
    };
    pairs.push(("IpPermissions.1.IpProtocol", protocol.to_owned()));
    if protocol != "-1" && protocol != "47" {
        pairs.push(("IpPermissions.1.FromPort", from.to_string()));
        pairs.push(("IpPermissions.1.ToPort", to.to_string()));
    }
    match random.below(10) {
        0..5 => {
            let name = named(&block, "IpPermissions.1.IpRanges.1.CidrIp", "IpPermissions.1.Ipv6Ranges.1.CidrIpv6");
            pairs.push((name, block));
        }
        5 => pairs.push(("IpPermissions.1.PrefixListIds.1.PrefixListId", random.pick(&all.lists).clone())),
        _ => {
            // Mostly groups of the same VPC; of another one where they are peered.
            let same: Vec<&String> = all.groups.iter().filter(|(_, its)| *its == vpc).map(|(id, _)| id).collect();
            let other = &random.pick(&all.groups).0;
            let peer = if random.percent(70) { *random.pick(&same) } else { other };
            pairs.push(("IpPermissions.1.Groups.1.GroupId", peer.clone()));
        }
    }
    pairs
}

/// A protocol with two numbers: ports, or type and code.
fn rule_traffic(random: &mut Random) -> (&'static str, i32, i32) {
    let port = i32::from(*random.pick(&PORTS));
    match random.below(10) {
        0 => ("-1", -1, -1),
        1 => ("icmp", *random.pick(&[-1, 8, 0, 3]), *random.pick(&[-1, -1, 0, 1])),
        2 => ("47", -1, -1),
        3 => ("udp", *random.pick(&[0, port, 53]), *random.pick(&[65_535, port, 53])),
        4 => ("6", port, port),
        5 => ("tcp", 0, 65_535),
        6 => ("tcp", port, 65_535),
        7 => ("tcp", port - 10, port + 500),
        _ => ("tcp", port, port),
    }
}

fn groups(world: &mut World, all: &Skeleton, random: &mut Random) -> String {
    let (interface, vpc) = random.pick(&all.interfaces).clone();
    let groups = all.some_groups(random, vpc);
    let names = ["SecurityGroupId.1", "SecurityGroupId.2", "SecurityGroupId.3"];
    let mut pairs = vec![("NetworkInterfaceId", interface.clone())];
    pairs.extend(names.into_iter().zip(groups));
    try_to(world, "ModifyNetworkInterfaceAttribute", &pairs);
    interface
}

// --- networks ---------------------------------------------------------------------------------------------------------

fn acl(world: &mut World, all: &Skeleton, random: &mut Random) -> String {
    let acl = random.pick(&all.subnets).acl.clone();
    let way = |random: &mut Random| random.percent(50).to_string();
    if random.percent(30) {
        let number = (*random.pick(&["100", "101"])).to_owned();
        let pairs = [("NetworkAclId", acl.clone()), ("Egress", way(random)), ("RuleNumber", number)];
        try_to(world, "DeleteNetworkAclEntry", &pairs);
    }
    for _ in 0..random.between(1, 4) {
        let block = block(all, random);
        let is_ipv6 = block.contains(':');
        let mut pairs = vec![
            ("NetworkAclId", acl.clone()),
            ("Egress", way(random)),
            ("RuleNumber", random.between(1, 200).to_string()),
            ("RuleAction", (*random.pick(&["allow", "deny"])).to_owned()),
            (named(&block, "CidrBlock", "Ipv6CidrBlock"), block),
        ];
        let port = usize::from(*random.pick(&PORTS));
        match random.below(7) {
            0 => pairs.push(("Protocol", "-1".to_owned())),
            1 => {
                pairs.push(("Protocol", if is_ipv6 { "58" } else { "1" }.to_owned()));
                let kinds = if is_ipv6 { [-1, 129, 128] } else { [-1, 0, 8] };
                pairs.push(("Icmp.Type", random.pick(&kinds).to_string()));
                pairs.push(("Icmp.Code", random.pick(&[-1, 0, 1]).to_string()));
            }
            2 => pairs.push(("Protocol", "50".to_owned())),
            other => {
                let (from, to) = match random.below(5) {
                    0 => (1024, 65_535),
                    1 => (32_768, 60_999),
                    2 => (0, 65_535),
                    3 => (port.saturating_sub(5), port + 100),
                    _ => (port, port),
                };
                pairs.push(("Protocol", if other == 3 { "17" } else { "6" }.to_owned()));
                pairs.push(("PortRange.From", from.to_string()));
                pairs.push(("PortRange.To", to.to_string()));
            }
        }
        try_to(world, "CreateNetworkAclEntry", &pairs);
    }
    acl
}

fn route(world: &mut World, all: &Skeleton, random: &mut Random) -> String {
    let table = random.pick(&all.subnets).table.clone();
    let blocks =
        ["0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.1.1.0/24", "203.0.113.0/24"];
    let block = if random.percent(60) { (*random.pick(&blocks)).to_owned() } else { block_of_ipv6(all, random) };
    let destination = if random.percent(20) {
        ("DestinationPrefixListId", random.pick(&all.lists).clone())
    } else {
        (named(&block, "DestinationCidrBlock", "DestinationIpv6CidrBlock"), block)
    };
    let target = random.pick(&all.targets).clone();
    let what = random.below(3);
    if what < 2 {
        try_to(world, "DeleteRoute", &[("RouteTableId", table.clone()), destination.clone()]);
    }
    if what > 0 {
        try_to(world, "CreateRoute", &[("RouteTableId", table.clone()), destination, target]);
    }
    table
}

// --- NetworkPolicies --------------------------------------------------------------------------------------------------

fn policies(world: &mut World, all: &Skeleton, cluster: &Cluster, random: &mut Random) {
    for number in 0..random.below(4) {
        let name = format!("policy-{number}");
        let mut object = json!({ "kind": "NetworkPolicy", "spec": policy(all, random) });
        // Clients of Services need a rule for these.
        if random.percent(15) {
            let block = format!("{}0/{}", cluster.services, if cluster.is_ipv6 { 108 } else { 24 });
            object["spec"]["egress"] = json!([{ "to": [{ "ipBlock": { "cidr": block } }] }]);
        }
        let namespace: &str = random.pick::<&str>(&NAMESPACES);
        put(world, &cluster.name, "networkpolicies.networking.k8s.io", namespace, &name, object);
    }
}

fn policy(all: &Skeleton, random: &mut Random) -> Json {
    let mut spec = json!({});
    if random.percent(90) {
        spec["podSelector"] = selector(random, "tier");
    }
    match random.below(5) {
        0 => spec["policyTypes"] = json!(["Ingress"]),
        1 => spec["policyTypes"] = json!(["Egress"]),
        2 => spec["policyTypes"] = json!(["Ingress", "Egress"]),
        3 => spec["policyTypes"] = json!([]),
        _ => {}
    }
    for (member, peers) in [("ingress", "from"), ("egress", "to")] {
        if random.percent(60) {
            let rules: Vec<Json> = (0..random.below(3)).map(|_| policy_rule(all, random, peers)).collect();
            spec[member] = json!(rules);
        }
    }
    spec
}

fn selector(random: &mut Random, label: &str) -> Json {
    let tier = *random.pick(&TIERS);
    match random.below(7) {
        0 | 1 => json!({}),
        2 | 3 => json!({ "matchLabels": { label: tier } }),
        4 => json!({ "matchExpressions": [{ "key": label, "operator": "In", "values": [tier, "other"] }] }),
        5 => json!({ "matchExpressions": [{ "key": label, "operator": "NotIn", "values": [tier] }] }),
        _ => json!({ "matchExpressions": [{ "key": label, "operator": *random.pick(&["Exists", "DoesNotExist"]) }] }),
    }
}

fn policy_rule(all: &Skeleton, random: &mut Random, peers: &str) -> Json {
    let mut rule = json!({});
    if random.percent(70) {
        let some: Vec<Json> = (0..random.below(3)).map(|_| policy_peer(all, random)).collect();
        rule[peers] = json!(some);
    }
    if random.percent(60) {
        let some: Vec<Json> = (0..random.below(3)).map(|_| policy_port(random)).collect();
        rule["ports"] = json!(some);
    }
    rule
}

fn policy_peer(all: &Skeleton, random: &mut Random) -> Json {
    match random.below(6) {
        0 => json!({ "podSelector": selector(random, "tier") }),
        1 => json!({ "namespaceSelector": selector(random, "team") }),
        2 => json!({ "namespaceSelector": selector(random, "team"), "podSelector": selector(random, "tier") }),
        3 => json!({ "ipBlock": { "cidr": block(all, random) } }),
        4 => {
            let except = json!([block_of_ipv6(all, random)]);
            json!({ "ipBlock": { "cidr": *random.pick(&["::/0", "2000::/3", "::/1"]), "except": except } })
        }
        _ => {
            let except = json!([*random.pick(&["10.0.1.0/24", "10.1.0.0/16", "203.0.113.0/24", "10.0.1.8/29"])]);
            json!({ "ipBlock": { "cidr": *random.pick(&["0.0.0.0/0", "10.0.0.0/8", "128.0.0.0/1"]), "except": except } })
        }
    }
}

fn policy_port(random: &mut Random) -> Json {
    let port = *random.pick(&PORTS);
    match random.below(8) {
        0 => json!({ "protocol": "UDP" }),
        1 => json!({ "port": "web" }),
        2 => json!({ "protocol": "UDP", "port": "dns" }),
        3 => json!({ "protocol": "TCP", "port": port, "endPort": u32::from(port) + 1000 }),
        4 => json!({ "port": "dns" }),
        5 => json!({ "protocol": "SCTP", "port": port }),
        _ => json!({ "protocol": *random.pick(&["TCP", "TCP", "UDP"]), "port": port }),
    }
}
