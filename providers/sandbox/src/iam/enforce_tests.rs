use serde_json::json;

use super::*;
use crate::aws::{Caller, Params};
use crate::iam::rows::Session;
use crate::testing::{query, world};

/// A world that enforces, with a user `alice` whose inline policy is this.
fn enforcing(policy: &Value) -> World {
    let mut world = world();
    let document = json!({ "Version": "2012-10-17", "Statement": policy }).to_string();
    let mut iam = |operation: &str, pairs: &[(&str, &str)]| query(&mut world, Service::Iam, operation, pairs).unwrap();
    iam("CreateUser", &[("UserName", "alice")]);
    iam("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &document)]);
    world.settings.enforce_iam = true;
    world
}

fn call(world: &World, service: Service, operation: &'static str, params: Params) -> Call {
    let account = world.settings.account.clone();
    let arn = format!("arn:aws:iam::{account}:user/alice");
    let caller = Caller { arn, user_id: "AIDA".to_owned(), account, access_key: "x".to_owned() };
    Call { service, operation, params, caller, region: "us-east-1".to_owned(), request_id: String::new() }
}

fn asked(world: &World, service: Service, operation: &'static str, pairs: &[(&str, &str)]) -> Result<(), ApiError> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    check(world, &call(world, service, operation, Params::from_query(service, pairs)))
}

fn eks(world: &World, operation: &'static str, members: Value) -> Result<(), ApiError> {
    check(world, &call(world, Service::Eks, operation, Params::from_json(Service::Eks, members)))
}

#[test]
fn nothing_is_refused_unless_asked() {
    let mut world = enforcing(&json!({ "Effect": "Deny", "Action": "*", "Resource": "*" }));
    assert!(asked(&world, Service::Ec2, "DescribeVpcs", &[]).is_err());
    world.settings.enforce_iam = false;
    assert!(asked(&world, Service::Ec2, "DescribeVpcs", &[]).is_ok());
}

#[test]
fn each_service_has_its_words() {
    let world = enforcing(&json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }));
    let user = "User: arn:aws:iam::123456789012:user/alice is not authorized to perform:";
    let ec2 = asked(&world, Service::Ec2, "DescribeVpcs", &[]).unwrap_err();
    assert_eq!((ec2.code.as_str(), ec2.status), ("UnauthorizedOperation", 403));
    let why = "ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action";
    assert!(ec2.message.contains(&format!("{user} {why}. Encoded authorization failure message: ")), "{}", ec2.message);
    let decoded = decode(ec2.message.rsplit(' ').next().unwrap()).unwrap();
    assert!(decoded.contains("\"action\":\"ec2:DescribeVpcs\""), "{decoded}");
    let eks = eks(&world, "DescribeCluster", json!({ "name": "demo" })).unwrap_err();
    let on = "on resource: arn:aws:eks:us-east-1:123456789012:cluster/demo";
    assert_eq!(
        (eks.code.as_str(), eks.message.as_str()),
        (
            "AccessDeniedException",
            format!(
                "{user} eks:DescribeCluster {on} because no identity-based policy allows the eks:DescribeCluster action"
            )
            .as_str()
        )
    );
    let iam = asked(&world, Service::Iam, "GetRole", &[("RoleName", "a")]).unwrap_err();
    assert_eq!(iam.code, "AccessDenied");
    assert!(iam.message.contains("on resource: arn:aws:iam::123456789012:role/a because"), "{}", iam.message);
    assert!(asked(&world, Service::Sts, "GetCallerIdentity", &[]).is_ok());
}

#[test]
fn an_explicit_deny_is_said() {
    let world = enforcing(&json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "iam:Delete*", "Resource": "*" },
    ]));
    let error = asked(&world, Service::Iam, "DeleteRole", &[("RoleName", "a")]).unwrap_err();
    assert!(error.message.ends_with("with an explicit deny in an identity-based policy"), "{}", error.message);
}

#[test]
fn creating_with_tags_needs_create_tags() {
    let tagged = [
        ("VpcId", "vpc-1"),
        ("TagSpecification.1.ResourceType", "security-group"),
        ("TagSpecification.1.Tag.1.Key", "team"),
        ("TagSpecification.1.Tag.1.Value", "net"),
    ];
    let create = json!({ "Effect": "Allow", "Action": "ec2:CreateSecurityGroup", "Resource": "*" });
    let tag = |action: &str| {
        json!({ "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:*:*:security-group/*",
            "Condition": { "StringEquals": { "ec2:CreateAction": action, "aws:RequestTag/team": "net" } } })
    };
    for (policy, pairs, expected) in [
        (json!([create]), &tagged[..1], true),
        (json!([create]), &tagged[..], false),
        (json!([create, tag("CreateSecurityGroup")]), &tagged[..], true),
        (json!([create, tag("CreateVpc")]), &tagged[..], false),
    ] {
        let world = enforcing(&policy);
        assert_eq!(asked(&world, Service::Ec2, "CreateSecurityGroup", pairs).is_ok(), expected, "{policy}");
    }
}

#[test]
fn all_resources_of_a_call_must_be_allowed() {
    let allow =
        |resources: Value| json!({ "Effect": "Allow", "Action": "ec2:CreateNetworkInterface", "Resource": resources });
    let pairs = [("SubnetId", "subnet-1"), ("SecurityGroupId.1", "sg-1"), ("SecurityGroupId.2", "sg-2")];
    let (new, subnet) = ("arn:aws:ec2:*:*:network-interface/*", "arn:aws:ec2:*:*:subnet/subnet-1");
    for (resources, expected) in [
        (json!([new, subnet, "arn:aws:ec2:*:*:security-group/*"]), true),
        (json!([new, subnet, "arn:aws:ec2:*:*:security-group/sg-1"]), false),
        (json!([subnet, "arn:aws:ec2:*:*:security-group/*"]), false),
    ] {
        let world = enforcing(&allow(resources.clone()));
        let asked = asked(&world, Service::Ec2, "CreateNetworkInterface", &pairs);
        assert_eq!(asked.is_ok(), expected, "{resources}");
    }
}

#[test]
fn roles_are_passed() {
    let create = json!({ "Effect": "Allow", "Action": "eks:*", "Resource": "*" });
    let pass = |role: &str, service: &str| {
        json!({ "Effect": "Allow", "Action": "iam:PassRole", "Resource": format!("arn:aws:iam::123456789012:role/{role}"),
            "Condition": { "StringEquals": { "iam:PassedToService": service } } })
    };
    let role = "arn:aws:iam::123456789012:role/cluster";
    for (policy, expected) in [
        (json!([create]), false),
        (json!([create, pass("cluster", "eks.amazonaws.com")]), true),
        (json!([create, pass("other", "eks.amazonaws.com")]), false),
        (json!([create, pass("cluster", "ec2.amazonaws.com")]), false),
    ] {
        let world = enforcing(&policy);
        let asked = eks(&world, "CreateCluster", json!({ "name": "demo", "roleArn": role }));
        assert_eq!(asked.is_ok(), expected, "{policy}");
    }
}

#[test]
fn session_policies_and_boundaries_limit() {
    let mut world = enforcing(&json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }));
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}"#;
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let mut iam = |operation: &str, pairs: &[(&str, &str)]| query(&mut world, Service::Iam, operation, pairs).unwrap();
    iam("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", trust)]);
    iam("AttachRolePolicy", &[("RoleName", "r"), ("PolicyArn", admin)]);
    let limit = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:DescribeVpcs","Resource":"*"}}"#;
    let session = |policies: Vec<String>| Session {
        access_key: "ASIA1".to_owned(),
        secret: String::new(),
        token: String::new(),
        arn: "arn:aws:sts::123456789012:assumed-role/r/s".to_owned(),
        user_id: "AROA:s".to_owned(),
        role: Some("r".to_owned()),
        policies,
        tags: Default::default(),
        transitive: Default::default(),
        source_identity: None,
        federated: None,
        issued: jiff::Timestamp::UNIX_EPOCH,
        expires: jiff::Timestamp::MAX,
    };
    let asked = |world: &World, operation: &'static str| {
        let mut call = call(world, Service::Ec2, operation, Params::from_json(Service::Ec2, json!({})));
        call.caller.arn = "arn:aws:sts::123456789012:assumed-role/r/s".to_owned();
        call.caller.access_key = "ASIA1".to_owned();
        check(world, &call).map_err(|error| error.message)
    };
    world.iam.sessions.insert("ASIA1", session(Vec::new()));
    assert_eq!((asked(&world, "DescribeVpcs"), asked(&world, "DescribeSubnets")), (Ok(()), Ok(())));
    world.iam.sessions.insert("ASIA1", session(vec![limit.to_owned()]));
    assert_eq!(asked(&world, "DescribeVpcs"), Ok(()));
    assert!(asked(&world, "DescribeSubnets").unwrap_err().contains("because no session policy allows"));
    world.iam.sessions.insert("ASIA1", session(Vec::new()));
    let boundary = [("RoleName", "r"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")];
    query(&mut world, Service::Iam, "PutRolePermissionsBoundary", &boundary).unwrap();
    assert!(asked(&world, "DeleteVpc").unwrap_err().contains("because no permissions boundary allows"));
    assert_eq!(asked(&world, "DescribeSubnets"), Ok(()));
}
