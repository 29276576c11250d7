//! Interfaces, attachments and trunks, as tables of calls and refusals.

use serde_json::Value;

use super::interfaces::{self, NewInterface};
use super::trunks;
use crate::aws::Service;
use crate::testing::{ec2, pass, query, refusal, world};
use crate::world::World;

/// A world with a VPC of one subnet, and the subnet's id.
fn network() -> (World, String) {
    let mut world = world();
    let vpc = ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
    let vpc = text(&vpc, "/vpc/vpcId");
    let pairs = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24"), ("AvailabilityZone", "us-east-1a")];
    let subnet = ec2(&mut world, "CreateSubnet", &pairs);
    let subnet = text(&subnet, "/subnet/subnetId");
    (world, subnet)
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}")).to_owned()
}

fn interface(world: &mut World, subnet: &str, kind: &str) -> String {
    let answer = ec2(world, "CreateNetworkInterface", &[("SubnetId", subnet), ("InterfaceType", kind)]);
    text(&answer, "/networkInterface/networkInterfaceId")
}

fn instance(world: &mut World, subnet: &str, kind: &str) -> String {
    let images = ec2(world, "DescribeImages", &[("Filter.1.Name", "architecture"), ("Filter.1.Value.1", "x86_64")]);
    let image = text(&images, "/imagesSet/0/imageId");
    let pairs = [
        ("ImageId", image.as_str()),
        ("InstanceType", kind),
        ("SubnetId", subnet),
        ("MinCount", "1"),
        ("MaxCount", "1"),
    ];
    let answer = ec2(world, "RunInstances", &pairs);
    pass(world, 10);
    text(&answer, "/instancesSet/0/instanceId")
}

fn free(world: &World, subnet: &str) -> u32 {
    world.ec2.subnets.get(subnet).unwrap().available
}

#[test]
fn what_an_interface_may_be() {
    let other = "subnet-0123456789abcdef0";
    for (pairs, code) in [
        (vec![("SubnetId", other)], "InvalidSubnetID.NotFound"),
        (
            vec![("SubnetId", "SUBNET"), ("SecurityGroupId.1", "sg-0123456789abcdef0")],
            "InvalidSecurityGroupID.NotFound",
        ),
        (vec![("SubnetId", "SUBNET"), ("SecurityGroupId.1", "default")], "InvalidGroupId.Malformed"),
        (vec![("SubnetId", "SUBNET"), ("InterfaceType", "bridge")], "InvalidParameterValue"),
        (vec![("SubnetId", "SUBNET"), ("PrivateIpAddress", "10.0.1.300")], "InvalidParameterValue"),
        (vec![("SubnetId", "SUBNET"), ("PrivateIpAddress", "10.0.2.5")], "InvalidParameterValue"),
        (vec![("SubnetId", "SUBNET"), ("PrivateIpAddress", "10.0.1.1")], "InvalidParameterValue"),
        (
            vec![("SubnetId", "SUBNET"), ("SecondaryPrivateIpAddressCount", "1"), ("Ipv4PrefixCount", "1")],
            "InvalidParameterCombination",
        ),
        (vec![("SubnetId", "SUBNET"), ("ConnectionTrackingSpecification.UdpTimeout", "5")], "InvalidParameterValue"),
        (vec![], "MissingParameter"),
    ] {
        let (mut world, subnet) = network();
        let before = free(&world, &subnet);
        let pairs: Vec<(&str, &str)> = pairs
            .into_iter()
            .map(|(name, value)| (name, if value == "SUBNET" { subnet.as_str() } else { value }))
            .collect();
        let answer = query(&mut world, Service::Ec2, "CreateNetworkInterface", &pairs);
        assert_eq!(refusal(answer), code, "{pairs:?}");
        assert_eq!(free(&world, &subnet), before, "a refused call takes no address");
    }
}

#[test]
fn a_refused_interface_takes_nothing_within_a_transaction_either() {
    let (mut world, subnet) = network();
    let before = free(&world, &subnet);
    let new = NewInterface { subnet_id: subnet.clone(), secondary_count: 300, ..NewInterface::default() };
    assert_eq!(interfaces::create(&mut world, new).unwrap_err().code, "InsufficientFreeAddressesInSubnet");
    assert_eq!(free(&world, &subnet), before);
}

#[test]
fn addresses_go_back_to_the_subnet() {
    let (mut world, subnet) = network();
    let before = free(&world, &subnet);
    let pairs = [("SubnetId", subnet.as_str()), ("SecondaryPrivateIpAddressCount", "3")];
    let answer = ec2(&mut world, "CreateNetworkInterface", &pairs);
    let id = text(&answer, "/networkInterface/networkInterfaceId");
    assert_eq!(free(&world, &subnet), before - 4);
    ec2(&mut world, "AssignPrivateIpAddresses", &[("NetworkInterfaceId", &id), ("Ipv4PrefixCount", "2")]);
    assert_eq!(free(&world, &subnet), before - 36);
    ec2(&mut world, "DeleteNetworkInterface", &[("NetworkInterfaceId", &id)]);
    assert_eq!(free(&world, &subnet), before);
}

#[test]
fn an_attachment_takes_a_moment() {
    let (mut world, subnet) = network();
    let (instance, eni) = (instance(&mut world, &subnet, "m5.large"), interface(&mut world, &subnet, ""));
    let pairs = [("NetworkInterfaceId", eni.as_str()), ("InstanceId", instance.as_str()), ("DeviceIndex", "1")];
    let attachment = text(&ec2(&mut world, "AttachNetworkInterface", &pairs), "/attachmentId");
    let state = |world: &World| {
        let row = world.ec2.interfaces.get(&eni).unwrap();
        (row.status(), row.attachment.as_ref().map(|one| one.status.as_str()))
    };
    assert_eq!(state(&world), ("in-use", Some("attaching")));
    pass(&mut world, 1);
    assert_eq!(state(&world), ("in-use", Some("attached")));
    ec2(&mut world, "DetachNetworkInterface", &[("AttachmentId", &attachment)]);
    assert_eq!(state(&world), ("in-use", Some("detaching")));
    let busy = query(&mut world, Service::Ec2, "DeleteNetworkInterface", &[("NetworkInterfaceId", &eni)]);
    assert_eq!(refusal(busy), "InvalidParameterValue");
    pass(&mut world, 1);
    assert_eq!(state(&world), ("available", None));
}

#[test]
fn the_type_says_how_many_interfaces() {
    // Type, kind of interface, device indexes and cards that are tried in turn, the last of which is refused with the code.
    for (kind, interface_kind, places, code) in [
        ("m5.large", "", vec![("1", "0"), ("2", "0"), ("2", "0")], "InvalidParameterValue"),
        ("m5.large", "", vec![("1", "0"), ("2", "0"), ("3", "0")], "AttachmentLimitExceeded"),
        ("m5.large", "", vec![("3", "0")], "InvalidParameterValue"),
        ("m5.large", "", vec![("1", "1")], "InvalidParameterValue"),
        ("t3.medium", "trunk", vec![("1", "0")], "OperationNotPermitted"),
        ("m5.xlarge", "trunk", vec![("1", "0"), ("2", "0")], "OperationNotPermitted"),
    ] {
        let (mut world, subnet) = network();
        let instance = instance(&mut world, &subnet, kind);
        for (at, (index, card)) in places.iter().enumerate() {
            let eni = interface(&mut world, &subnet, interface_kind);
            let pairs = [
                ("NetworkInterfaceId", eni.as_str()),
                ("InstanceId", instance.as_str()),
                ("DeviceIndex", *index),
                ("NetworkCardIndex", *card),
            ];
            let answer = query(&mut world, Service::Ec2, "AttachNetworkInterface", &pairs);
            if at + 1 == places.len() {
                assert_eq!(refusal(answer), code, "{kind} {places:?}");
            } else {
                answer.unwrap();
            }
        }
    }
}

#[test]
fn branches_live_as_long_as_their_trunk() {
    let (mut world, subnet) = network();
    let instance = instance(&mut world, &subnet, "m5.large");
    let (trunk, branch) = (interface(&mut world, &subnet, "trunk"), interface(&mut world, &subnet, ""));
    let pairs = [("NetworkInterfaceId", trunk.as_str()), ("InstanceId", instance.as_str()), ("DeviceIndex", "2")];
    let attachment = text(&ec2(&mut world, "AttachNetworkInterface", &pairs), "/attachmentId");
    let pairs = [
        ("NetworkInterfaceId", trunk.as_str()),
        ("Attachment.AttachmentId", attachment.as_str()),
        ("Attachment.DeleteOnTermination", "true"),
    ];
    ec2(&mut world, "ModifyNetworkInterfaceAttribute", &pairs);
    let pairs = [("BranchInterfaceId", branch.as_str()), ("TrunkInterfaceId", trunk.as_str()), ("VlanId", "7")];
    ec2(&mut world, "AssociateTrunkInterface", &pairs);
    assert_eq!(trunks::of(&world, &trunk).map(|one| one.id.as_str()).collect::<Vec<_>>(), [branch.as_str()]);
    let filter = [("Filter.1.Name", "interface-type"), ("Filter.1.Value.1", "branch")];
    let found = ec2(&mut world, "DescribeNetworkInterfaces", &filter);
    assert_eq!(found["networkInterfaceSet"][0]["status"], "in-use");
    ec2(&mut world, "TerminateInstances", &[("InstanceId.1", &instance)]);
    pass(&mut world, 10);
    assert!(!world.ec2.interfaces.contains(&trunk));
    assert_eq!(world.ec2.interfaces.get(&branch).unwrap().status(), "available");
    pass(&mut world, 3600);
    assert!(!world.ec2.instances.contains(&instance), "a terminated instance is forgotten after an hour");
}

#[test]
fn an_early_end_does_not_wait_for_an_earlier_timer() {
    let (mut world, subnet) = network();
    let images =
        ec2(&mut world, "DescribeImages", &[("Filter.1.Name", "architecture"), ("Filter.1.Value.1", "x86_64")]);
    let image = text(&images, "/imagesSet/0/imageId");
    let pairs = [
        ("ImageId", image.as_str()),
        ("InstanceType", "m5.large"),
        ("SubnetId", &subnet),
        ("MinCount", "1"),
        ("MaxCount", "1"),
    ];
    let id = text(&ec2(&mut world, "RunInstances", &pairs), "/instancesSet/0/instanceId");
    pass(&mut world, 5);
    ec2(&mut world, "TerminateInstances", &[("InstanceId.1", &id)]);
    pass(&mut world, 6);
    assert_eq!(world.ec2.instances.get(&id).unwrap().state.as_str(), "shutting-down");
    pass(&mut world, 5);
    assert_eq!(world.ec2.instances.get(&id).unwrap().state.as_str(), "terminated");
}

#[test]
fn public_addresses_come_and_go_with_the_instance() {
    let (mut world, subnet) = network();
    world.ec2.subnets.update(&subnet, |subnet| subnet.map_public_ip = true);
    let id = instance(&mut world, &subnet, "m5.large");
    let public = |world: &mut World| {
        let answer = ec2(world, "DescribeInstances", &[("InstanceId.1", &id)]);
        answer.pointer("/reservationSet/0/instancesSet/0/ipAddress").and_then(Value::as_str).map(str::to_owned)
    };
    assert!(public(&mut world).is_some());
    ec2(&mut world, "StopInstances", &[("InstanceId.1", &id)]);
    pass(&mut world, 10);
    assert_eq!(public(&mut world), None);
    ec2(&mut world, "StartInstances", &[("InstanceId.1", &id)]);
    assert!(public(&mut world).is_some());
}

/// Prints how long pages and changes take in a small and in a full region:
/// `cargo test -p sgp-sandbox --release --lib speed -- --ignored --nocapture`.
#[test]
#[ignore = "prints times; nothing to fail"]
#[expect(clippy::print_stdout, reason = "the times are what it is for")]
fn speed_in_a_full_region() {
    for (groups, count) in [(10, 100), (2_500, 10_000)] {
        let mut world = world();
        let vpc = text(&ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]), "/vpc/vpcId");
        let pairs = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.0.0/17"), ("AvailabilityZone", "us-east-1a")];
        let subnet = text(&ec2(&mut world, "CreateSubnet", &pairs), "/subnet/subnetId");
        let pairs = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.128.0/17"), ("AvailabilityZone", "us-east-1b")];
        let small = text(&ec2(&mut world, "CreateSubnet", &pairs), "/subnet/subnetId");
        let mut ids = Vec::new();
        for n in 0..groups {
            let name = format!("group-{n}");
            let pairs = [("VpcId", vpc.as_str()), ("GroupName", &name), ("GroupDescription", "for tests")];
            ids.push(text(&ec2(&mut world, "CreateSecurityGroup", &pairs), "/groupId"));
        }
        for n in 0..count {
            let subnet = if n < 50 { &small } else { &subnet };
            let role = (n % 100).to_string();
            let pairs = [
                ("SubnetId", subnet.as_str()),
                ("SecurityGroupId.1", &ids[n % ids.len()]),
                ("Description", "aws-k8s-branch-eni"),
                ("TagSpecification.1.ResourceType", "network-interface"),
                ("TagSpecification.1.Tag.1.Key", "role"),
                ("TagSpecification.1.Tag.1.Value", &role),
            ];
            ec2(&mut world, "CreateNetworkInterface", &pairs);
        }
        println!("{groups} groups, {count} interfaces");
        let subnet_filter = [("Filter.1.Name", "subnet-id"), ("Filter.1.Value.1", small.as_str())];
        let two = [
            ("Filter.1.Name", "status"),
            ("Filter.1.Value.1", "available"),
            ("Filter.2.Name", "subnet-id"),
            ("Filter.2.Value.1", small.as_str()),
        ];
        let group_filter = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", ids[0].as_str())];
        let create = [("SubnetId", subnet.as_str()), ("SecurityGroupId.1", ids[0].as_str())];
        let (page, token_page) =
            ([("MaxResults", "50")], ec2(&mut world, "DescribeNetworkInterfaces", &[("MaxResults", "50")]));
        let token = text(&token_page, "/nextToken");
        let next = [("MaxResults", "50"), ("NextToken", token.as_str())];
        for (operation, pairs) in [
            ("DescribeNetworkInterfaces", &page[..]),
            ("DescribeNetworkInterfaces", &next[..]),
            ("DescribeNetworkInterfaces", &subnet_filter[..]),
            ("DescribeNetworkInterfaces", &two[..]),
            ("DescribeNetworkInterfaces", &group_filter[..]),
            ("DescribeSecurityGroups", &[("MaxResults", "5")][..]),
            ("DescribeSecurityGroups", &[("GroupId.1", ids[0].as_str())][..]),
            ("DescribeSubnets", &[("SubnetId.1", subnet.as_str())][..]),
            ("CreateNetworkInterface", &create[..]),
        ] {
            let mut times: Vec<std::time::Duration> = (0..200)
                .map(|_| {
                    let start = std::time::Instant::now();
                    ec2(&mut world, operation, pairs);
                    start.elapsed()
                })
                .collect();
            times.sort_unstable();
            let filter = pairs.first().map_or("", |(_, value)| value);
            println!("  {operation} {filter}: p50 {:?}, p99 {:?}", times[100], times[198]);
        }
    }
}
