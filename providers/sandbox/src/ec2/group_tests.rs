//! Security groups and rules, as tables of calls and refusals.

use serde_json::{Value, json};

use crate::aws::{Answer, Service};
use crate::testing::{ec2, query, refusal, world};
use crate::world::World;

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}")).to_owned()
}

/// A world with a VPC of its own and a group in it.
fn group() -> (World, String, String) {
    let mut world = world();
    let vpc = text(&ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]), "/vpc/vpcId");
    let group = create(&mut world, &vpc, "web").unwrap();
    (world, vpc, text(&group, "/groupId"))
}

fn create(world: &mut World, vpc: &str, name: &str) -> Answer {
    let pairs = [("GroupName", name), ("GroupDescription", "for tests"), ("VpcId", vpc)];
    query(world, Service::Ec2, "CreateSecurityGroup", &pairs)
}

fn permit(world: &mut World, operation: &str, group: &str, rule: &[(&str, &str)]) -> Answer {
    let mut pairs = vec![("GroupId".to_owned(), group.to_owned())];
    for (name, value) in rule {
        let value = if *value == "SELF" { group } else { value };
        pairs.push((format!("IpPermissions.1.{name}"), value.to_owned()));
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    query(world, Service::Ec2, operation, &pairs)
}

const IN: &str = "AuthorizeSecurityGroupIngress";
const ANYWHERE: (&str, &str) = ("IpRanges.1.CidrIp", "0.0.0.0/0");

#[test]
fn names() {
    let long = "n".repeat(256);
    for (name, code) in [
        ("web", "InvalidGroup.Duplicate"),
        ("WEB", "InvalidGroup.Duplicate"),
        ("default", "InvalidParameterValue"),
        ("sg-web", "InvalidParameterValue"),
        ("wéb", "InvalidParameterValue"),
        ("web?", "InvalidParameterValue"),
        (long.as_str(), "InvalidParameterValue"),
        ("", "MissingParameter"),
    ] {
        let (mut world, vpc, _) = group();
        assert_eq!(refusal(create(&mut world, &vpc, name)), code, "{name}");
    }
    let (mut world, _, _) = group();
    create(&mut world, "vpc-0123456789abcdef0", "web").expect_err("no such VPC");
    create(&mut world, "", "web").expect("the default VPC has no group of that name");
}

/// What is sent, and protocol, ports and peer of the rule that comes of it.
#[test]
fn rules_are_brought_into_one_form() {
    let ports = |from, to| [("FromPort", from), ("ToPort", to)];
    for (protocol, range, peer, expected) in [
        ("tcp", ports("22", "22"), ("IpRanges.1.CidrIp", "10.1.2.3/8"), json!(["tcp", 22, 22, "10.0.0.0/8"])),
        ("6", ports("22", "23"), ANYWHERE, json!(["tcp", 22, 23, "0.0.0.0/0"])),
        (
            "UDP",
            ports("53", "53"),
            ("Ipv6Ranges.1.CidrIpv6", "2001:DB8::1/64"),
            json!(["udp", 53, 53, "2001:db8::/64"]),
        ),
        ("1", ports("-1", "-1"), ANYWHERE, json!(["icmp", -1, -1, "0.0.0.0/0"])),
        ("58", ports("128", "-1"), ("Ipv6Ranges.1.CidrIpv6", "::/0"), json!(["icmpv6", 128, -1, "::/0"])),
        ("-1", ports("80", "80"), ANYWHERE, json!(["-1", -1, -1, "0.0.0.0/0"])),
        ("50", ports("80", "80"), ANYWHERE, json!(["50", -1, -1, "0.0.0.0/0"])),
    ] {
        let (mut world, _, id) = group();
        let rule = [("IpProtocol", protocol), range[0], range[1], peer];
        let answer = permit(&mut world, IN, &id, &rule).unwrap();
        let made = &answer["securityGroupRuleSet"][0];
        let block = if made["cidrIpv4"].is_null() { &made["cidrIpv6"] } else { &made["cidrIpv4"] };
        assert_eq!(json!([made["ipProtocol"], made["fromPort"], made["toPort"], block]), expected);
    }
}

#[test]
fn what_is_no_rule() {
    let none = ("", "");
    for (protocol, from, to, peer, code) in [
        ("tcp", "443", "80", ANYWHERE, "InvalidParameterValue"),
        ("tcp", "-1", "80", ANYWHERE, "InvalidParameterValue"),
        ("tcp", "", "80", ANYWHERE, "InvalidParameterValue"),
        ("udp", "0", "65536", ANYWHERE, "InvalidParameterValue"),
        ("icmp", "-1", "3", ANYWHERE, "InvalidParameterValue"),
        ("icmp", "3", "", ANYWHERE, "InvalidParameterValue"),
        ("esp", "", "", ANYWHERE, "InvalidParameterValue"),
        ("300", "", "", ANYWHERE, "InvalidParameterValue"),
        ("", "80", "80", ANYWHERE, "MissingParameter"),
        ("tcp", "80", "80", none, "MissingParameter"),
        ("tcp", "80", "80", ("IpRanges.1.CidrIp", "10.0.0.0"), "InvalidParameterValue"),
        ("tcp", "80", "80", ("IpRanges.1.CidrIp", "::/0"), "InvalidParameterValue"),
        ("tcp", "80", "80", ("Groups.1.GroupId", "sg-0123456789abcdef0"), "InvalidGroup.NotFound"),
        ("tcp", "80", "80", ("Groups.1.GroupId", "web"), "InvalidGroupId.Malformed"),
        ("tcp", "80", "80", ("Groups.1.GroupName", "web"), "InvalidGroup.NotFound"),
        ("tcp", "80", "80", ("PrefixListIds.1.PrefixListId", "pl-0123456789abcdef0"), "InvalidPrefixListID.NotFound"),
    ] {
        let (mut world, _, id) = group();
        let rule: Vec<(&str, &str)> = [("IpProtocol", protocol), ("FromPort", from), ("ToPort", to), peer]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        assert_eq!(refusal(permit(&mut world, IN, &id, &rule)), code, "{protocol} {from} {to} {peer:?}");
        assert_eq!(world.ec2.rules.with(&format!("group-id/ingress={id}")).count(), 0);
    }
}

#[test]
fn limits_are_counted_by_family() {
    let (mut world, _, id) = group();
    let ranges = |world: &mut World, list: &str, member: &str, count: usize, block: fn(usize) -> String| {
        let mut pairs = vec![("IpProtocol".to_owned(), "tcp".to_owned())];
        pairs.extend([("FromPort".to_owned(), "1".to_owned()), ("ToPort".to_owned(), "1".to_owned())]);
        pairs.extend((1..=count).map(|n| (format!("{list}.{n}.{member}"), block(n))));
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        permit(world, IN, &id, &pairs).map(drop).map_err(|error| error.code)
    };
    let (four, six): (fn(usize) -> String, fn(usize) -> String) =
        (|n| format!("10.0.{n}.0/24"), |n| format!("2001:db8:{n}::/48"));
    let limit = Err("RulesPerSecurityGroupLimitExceeded".to_owned());
    assert_eq!(ranges(&mut world, "IpRanges", "CidrIp", 61, four), limit);
    assert_eq!(ranges(&mut world, "IpRanges", "CidrIp", 59, four), Ok(()));
    assert_eq!(ranges(&mut world, "Ipv6Ranges", "CidrIpv6", 59, six), Ok(()));
    permit(&mut world, IN, &id, &[("IpProtocol", "-1"), ("Groups.1.GroupId", "SELF")]).expect("the sixtieth of both");
    let more = permit(&mut world, IN, &id, &[("IpProtocol", "-1"), ANYWHERE]);
    assert_eq!(refusal(more), "RulesPerSecurityGroupLimitExceeded");
}

#[test]
fn a_group_lives_while_it_is_needed() {
    let (mut world, vpc, web) = group();
    let db = text(&create(&mut world, &vpc, "db").unwrap(), "/groupId");
    let named = [("IpProtocol", "tcp"), ("FromPort", "1"), ("ToPort", "1"), ("Groups.1.GroupId", web.as_str())];
    permit(&mut world, IN, &db, &named).unwrap();
    permit(&mut world, IN, &web, &[("IpProtocol", "-1"), ("Groups.1.GroupId", "SELF")]).unwrap();
    let delete = |world: &mut World, id: &str| query(world, Service::Ec2, "DeleteSecurityGroup", &[("GroupId", id)]);
    assert_eq!(refusal(delete(&mut world, &web)), "DependencyViolation");
    permit(&mut world, "RevokeSecurityGroupIngress", &db, &named).unwrap();
    let answer = delete(&mut world, &web).expect("its own rule does not hold it");
    assert_eq!(answer, json!({ "return": true, "groupId": web }));
    assert!(world.ec2.rules.with(&format!("group-id={web}")).next().is_none());
    let default = super::security_groups::default_of(&world, &vpc).unwrap().id.clone();
    assert_eq!(refusal(delete(&mut world, &default)), "CannotDelete");
    ec2(&mut world, "DeleteSecurityGroup", &[("GroupId", &db)]);
    ec2(&mut world, "DeleteVpc", &[("VpcId", &vpc)]);
    assert!(!world.ec2.security_groups.contains(&default), "the default group goes with its VPC");
}

#[test]
fn a_revocation_of_nothing_is_an_error_outside_the_default_vpc() {
    let rule = [("IpProtocol", "tcp"), ("FromPort", "1"), ("ToPort", "1"), ANYWHERE];
    let (mut world, _, id) = group();
    let answer = permit(&mut world, "RevokeSecurityGroupIngress", &id, &rule);
    assert_eq!(refusal(answer), "InvalidPermission.NotFound");
    let default = create(&mut world, "", "web").unwrap();
    let answer = permit(&mut world, "RevokeSecurityGroupIngress", &text(&default, "/groupId"), &rule).unwrap();
    assert_eq!(answer["unknownIpPermissionSet"][0]["fromPort"], 1);
    assert_eq!(answer["revokedSecurityGroupRuleSet"], json!([]));
}
