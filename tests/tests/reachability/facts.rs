//! What a reader of the account finds: the sandbox's answers in the shape of resources, as the analysis takes them.

use serde_json::{Map, Value as Json, json};
use sgp_analysis::build::Object;
use sgp_model::json::from_serde;
use sgp_sandbox::{kubernetes::objects::Key, world::World};

use crate::{account::call, mutation::Changed, skeleton::Skeleton};

/// Everything as it is before mutations, but for the rules of groups that they are for.
pub fn fixed(world: &mut World, all: &Skeleton) -> Vec<Object> {
    let mut objects = Vec::new();
    for vpc in set(&call(world, "DescribeVpcs", &[]), "vpcSet") {
        let more: Vec<Json> =
            set(&vpc, "cidrBlockAssociationSet").map(|it| json!({ "cidr_block": it["cidrBlock"] })).collect();
        let attributes = json!({ "id": vpc["vpcId"], "cidr_block": vpc["cidrBlock"], "cidr_block_associations": more,
            "ipv6_cidr_block": vpc["ipv6CidrBlockAssociationSet"][0]["ipv6CidrBlock"] });
        objects.push(object("aws_vpc", &attributes));
    }
    for subnet in set(&call(world, "DescribeSubnets", &[]), "subnetSet") {
        let attributes = json!({ "id": subnet["subnetId"], "vpc_id": subnet["vpcId"], "cidr_block": subnet["cidrBlock"],
            "ipv6_cidr_block": subnet["ipv6CidrBlockAssociationSet"][0]["ipv6CidrBlock"],
            "map_public_ip_on_launch": subnet["mapPublicIpOnLaunch"], "availability_zone": subnet["availabilityZone"] });
        objects.push(object("aws_subnet", &attributes));
    }
    gateways(world, &mut objects);
    for operation in ["DescribeNetworkAcls", "DescribeRouteTables", "DescribeNetworkInterfaces"] {
        networks(world, operation, &[], &mut objects);
    }
    for rule in set(&call(world, "DescribeSecurityGroupRules", &[]), "securityGroupRuleSet") {
        objects.push(rule_object(&rule));
    }
    for group in set(&call(world, "DescribeSecurityGroups", &[]), "securityGroupInfo") {
        let attributes = json!({ "id": group["groupId"], "name": group["groupName"], "vpc_id": group["vpcId"] });
        objects.push(object("aws_security_group", &attributes));
    }
    for cluster in all.clusters.iter().map(|it| &it.name) {
        let node = world.ec2.subnets.get(&all.subnets[0].id).map(|it| it.vpc_id.clone());
        let first = world.kubernetes.objects.list(cluster, "nodes", None).find_map(|node| {
            let instance = node["spec"]["providerID"].as_str()?.rsplit('/').next()?.to_owned();
            Some(world.ec2.interfaces.with(&format!("attachment.instance-id={instance}")).next()?.1.vpc_id.clone())
        });
        let attributes = json!({ "name": cluster, "vpc_config": [{ "vpc_id": first.or(node) }] });
        objects.push(object("aws_eks_cluster", &attributes));
        for resource in ["namespaces", "nodes", "pods"] {
            objects.extend(manifests(world, cluster, resource, |name| {
                resource != "namespaces" || !all.untold.iter().any(|it| (&it.0, it.1.as_str()) == (cluster, name))
            }));
        }
    }
    objects
}

fn gateways(world: &mut World, objects: &mut Vec<Object>) {
    for gateway in set(&call(world, "DescribeInternetGateways", &[]), "internetGatewaySet") {
        let vpc = &gateway["attachmentSet"][0]["vpcId"];
        objects.push(object("aws_internet_gateway", &json!({ "id": gateway["internetGatewayId"], "vpc_id": vpc })));
    }
    for gateway in set(&call(world, "DescribeEgressOnlyInternetGateways", &[]), "egressOnlyInternetGatewaySet") {
        let (id, vpc) = (&gateway["egressOnlyInternetGatewayId"], &gateway["attachmentSet"][0]["vpcId"]);
        objects.push(object("aws_egress_only_internet_gateway", &json!({ "id": id, "vpc_id": vpc })));
    }
    for gateway in set(&call(world, "DescribeNatGateways", &[]), "natGatewaySet") {
        let attributes = json!({ "id": gateway["natGatewayId"], "subnet_id": gateway["subnetId"], "state": gateway["state"],
            "private_ip": gateway["natGatewayAddressSet"][0]["privateIp"], "connectivity_type": gateway["connectivityType"] });
        objects.push(object("aws_nat_gateway", &attributes));
    }
    for peering in set(&call(world, "DescribeVpcPeeringConnections", &[]), "vpcPeeringConnectionSet") {
        let attributes = json!({ "id": peering["vpcPeeringConnectionId"], "vpc_id": peering["requesterVpcInfo"]["vpcId"],
            "peer_vpc_id": peering["accepterVpcInfo"]["vpcId"], "accept_status": peering["status"]["code"] });
        objects.push(object("aws_vpc_peering_connection", &attributes));
    }
    for list in set(&call(world, "DescribeManagedPrefixLists", &[]), "prefixListSet") {
        let id = list["prefixListId"].as_str().expect("a list has an id");
        let entries = call(world, "GetManagedPrefixListEntries", &[("PrefixListId", id)]);
        let entries: Vec<Json> = set(&entries, "entrySet").map(|it| json!({ "cidr": it["cidr"] })).collect();
        let attributes = json!({ "id": id, "name": list["prefixListName"], "entry": entries });
        objects.push(object("aws_ec2_managed_prefix_list", &attributes));
    }
}

/// What mutations changed, once more: what is told last of an id counts. Rules of groups are told here only.
pub fn changed(world: &mut World, all: &Skeleton, changed: &Changed) -> Vec<Object> {
    let mut objects = Vec::new();
    for (group, _) in &all.groups {
        let of_group = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", group.as_str())];
        let rules = call(world, "DescribeSecurityGroupRules", &of_group);
        objects.extend(set(&rules, "securityGroupRuleSet").map(|rule| rule_object(&rule)));
    }
    for id in &changed.acls {
        networks(world, "DescribeNetworkAcls", &[("NetworkAclId.1", id)], &mut objects);
    }
    for id in &changed.tables {
        networks(world, "DescribeRouteTables", &[("RouteTableId.1", id)], &mut objects);
    }
    for id in &changed.interfaces {
        networks(world, "DescribeNetworkInterfaces", &[("NetworkInterfaceId.1", id)], &mut objects);
    }
    for cluster in &all.clusters {
        for resource in ["daemonsets.apps", "networkpolicies.networking.k8s.io", "services"] {
            objects.extend(manifests(world, &cluster.name, resource, |_| true));
        }
    }
    for (cluster, namespace, name) in &changed.pods {
        let pod = world.kubernetes.objects.get(&Key::new(cluster, "pods", namespace, name));
        objects.extend(pod.map(|it| manifest(cluster, it)));
    }
    objects
}

/// Network ACLs, route tables or interfaces.
fn networks(world: &mut World, operation: &str, pairs: &[(&str, &str)], objects: &mut Vec<Object>) {
    let answer = call(world, operation, pairs);
    objects.extend(set(&answer, "networkAclSet").map(|it| acl_object(&it)));
    objects.extend(set(&answer, "routeTableSet").map(|it| table_object(&it)));
    objects.extend(set(&answer, "networkInterfaceSet").map(|it| interface_object(&it)));
}

fn object(kind: &str, attributes: &Json) -> Object {
    Object { kind: kind.to_owned(), addr: None, attributes: from_serde(attributes) }
}

fn set(answer: &Json, name: &str) -> impl Iterator<Item = Json> + use<> {
    answer[name].as_array().cloned().unwrap_or_default().into_iter()
}

fn manifests(world: &World, cluster: &str, resource: &str, is_told: impl Fn(&str) -> bool) -> Vec<Object> {
    let found = world.kubernetes.objects.list(cluster, resource, None);
    let told = found.filter(|it| it["metadata"]["name"].as_str().is_some_and(&is_told));
    told.map(|it| manifest(cluster, it)).collect()
}

fn manifest(cluster: &str, json: &Json) -> Object {
    object("kubernetes_manifest", &json!({ "cluster_name": cluster, "manifest": json }))
}

fn rule_object(rule: &Json) -> Object {
    let is_egress = rule["isEgress"] == true;
    let kind = if is_egress { "aws_vpc_security_group_egress_rule" } else { "aws_vpc_security_group_ingress_rule" };
    let attributes = json!({
        "id": rule["securityGroupRuleId"], "security_group_id": rule["groupId"], "is_egress": is_egress,
        "ip_protocol": rule["ipProtocol"], "from_port": rule["fromPort"], "to_port": rule["toPort"],
        "cidr_ipv4": rule["cidrIpv4"], "cidr_ipv6": rule["cidrIpv6"], "prefix_list_id": rule["prefixListId"],
        "referenced_security_group_id": rule["referencedGroupInfo"]["groupId"],
    });
    object(kind, &attributes)
}

fn acl_object(acl: &Json) -> Object {
    let entry = |it: Json| {
        json!({ "rule_no": it["ruleNumber"], "action": it["ruleAction"], "protocol": it["protocol"],
            "from_port": it["portRange"]["from"], "to_port": it["portRange"]["to"], "icmp_type": it["icmpTypeCode"]["type"],
            "icmp_code": it["icmpTypeCode"]["code"], "cidr_block": it["cidrBlock"], "ipv6_cidr_block": it["ipv6CidrBlock"] })
    };
    let of = |is_egress: bool| -> Vec<Json> {
        set(acl, "entrySet").filter(|it| it["egress"] == is_egress).map(entry).collect()
    };
    let subnets: Vec<Json> = set(acl, "associationSet").map(|it| it["subnetId"].clone()).collect();
    let attributes = json!({ "id": acl["networkAclId"], "vpc_id": acl["vpcId"], "subnet_ids": subnets,
        "ingress": of(false), "egress": of(true) });
    object("aws_network_acl", &attributes)
}

fn table_object(table: &Json) -> Object {
    let names = [
        ("destinationCidrBlock", "cidr_block"),
        ("destinationIpv6CidrBlock", "ipv6_cidr_block"),
        ("destinationPrefixListId", "destination_prefix_list_id"),
        ("gatewayId", "gateway_id"),
        ("egressOnlyInternetGatewayId", "egress_only_gateway_id"),
        ("natGatewayId", "nat_gateway_id"),
        ("vpcPeeringConnectionId", "vpc_peering_connection_id"),
        ("networkInterfaceId", "network_interface_id"),
        ("state", "state"),
    ];
    let route = |it: Json| -> Json {
        let pairs = names.iter().map(|(from, to)| ((*to).to_owned(), it[*from].clone()));
        Json::Object(pairs.collect::<Map<_, _>>())
    };
    let association = |it: Json| json!({ "subnet_id": it["subnetId"], "main": it["main"] });
    let attributes = json!({
        "id": table["routeTableId"], "vpc_id": table["vpcId"],
        "route": set(table, "routeSet").map(route).collect::<Vec<_>>(),
        "associations": set(table, "associationSet").map(association).collect::<Vec<_>>(),
    });
    object("aws_route_table", &attributes)
}

fn interface_object(it: &Json) -> Object {
    let addresses = || set(it, "privateIpAddressesSet");
    let public = addresses().filter(|own| !own["association"].is_null());
    let public =
        public.map(|own| json!({ "private_ip": own["privateIpAddress"], "public_ip": own["association"]["publicIp"] }));
    let mut attributes = json!({
        "id": it["networkInterfaceId"], "vpc_id": it["vpcId"], "subnet_id": it["subnetId"],
        "description": it["description"], "status": it["status"], "interface_type": it["interfaceType"],
        "private_ip": it["privateIpAddress"], "association": public.collect::<Vec<_>>(),
        "ipv6_addresses": set(it, "ipv6AddressesSet").map(|own| own["ipv6Address"].clone()).collect::<Vec<_>>(),
        "ipv6_prefixes": set(it, "ipv6PrefixSet").map(|own| own["ipv6Prefix"].clone()).collect::<Vec<_>>(),
        "private_ips": addresses().map(|own| own["privateIpAddress"].clone()).collect::<Vec<_>>(),
        "security_groups": set(it, "groupSet").map(|group| group["groupId"].clone()).collect::<Vec<_>>(),
    });
    let attachment = &it["attachment"];
    if !attachment.is_null() {
        attributes["attachment"] =
            json!([{ "instance_id": attachment["instanceId"], "device_index": attachment["deviceIndex"] }]);
    }
    object("aws_network_interface", &attributes)
}
