use serde_json::{Value, json};

use super::*;
use crate::aws::Service;
use crate::testing::{query, world};

const ACCOUNT: &str = "arn:aws:iam::123456789012";

/// A statement in short: effect, actions, resources, condition.
fn statement(effect: &str, actions: &str, resources: &str, condition: &Value) -> Value {
    let name = |name: &str, text: &str| {
        text.strip_prefix('!')
            .map_or((name.to_owned(), text.to_owned()), |text| (format!("Not{name}"), text.to_owned()))
    };
    let list = |text: String| text.split_whitespace().map(Value::from).collect::<Value>();
    let ((action, actions), (resource, resources)) = (name("Action", actions), name("Resource", resources));
    let mut statement = json!({ "Effect": effect });
    statement[action] = list(actions);
    statement[resource] = list(resources);
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

/// Statements of a user's policy; action, resource and context of the request; what follows: `A`llow, `I`mplicit or `E`xplicit deny.
type Row<'a> = (&'a [(&'a str, &'a str, &'a str, Value)], &'a str, &'a str, &'a [(&'a str, &'a str)], char);

fn check(rows: &[Row]) {
    for (statements, action, resource, sent, expected) in rows {
        let mut world = world();
        let list: Value = statements.iter().map(|(e, a, r, c)| statement(e, a, r, c)).collect();
        let document = json!({ "Version": "2012-10-17", "Statement": list }).to_string();
        let tags = [("UserName", "alice"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "net")];
        query(&mut world, Service::Iam, "CreateUser", &tags).unwrap();
        let put = [("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
        query(&mut world, Service::Iam, "PutUserPolicy", &put).unwrap();
        let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in *sent {
            context.entry((*key).to_owned()).or_default().push((*value).to_owned());
        }
        let decision = is_allowed(&world, &format!("{ACCOUNT}:user/alice"), action, resource, &context);
        let found = match decision {
            Decision::Allow => 'A',
            Decision::ImplicitDeny(_) => 'I',
            Decision::ExplicitDeny(_) => 'E',
        };
        assert_eq!(found, *expected, "{document} {action} {resource} {sent:?}");
    }
}

const N: Value = Value::Null;

#[test]
fn effects_actions_and_resources() {
    let vpc = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1";
    let cluster = "arn:aws:eks:us-east-1:123456789012:cluster/demo";
    check(&[
        (&[("Allow", "ec2:*", "*", N)], "ec2:CreateVpc", vpc, &[], 'A'),
        (&[("Allow", "*", "*", N)], "eks:DeleteCluster", cluster, &[], 'A'),
        (&[("Allow", "EC2:createvpc", "*", N)], "ec2:CreateVpc", vpc, &[], 'A'),
        (&[("Allow", "ec2:Create?pc", "*", N)], "ec2:CreateVpc", vpc, &[], 'A'),
        (&[("Allow", "ec2:Describe*", "*", N)], "ec2:CreateVpc", vpc, &[], 'I'),
        (&[("Allow", "ec2:Describe* ec2:*Vpc", "*", N)], "ec2:CreateVpc", vpc, &[], 'A'),
        (&[("Allow", "!iam:* sts:*", "*", N)], "ec2:CreateVpc", vpc, &[], 'A'),
        (&[("Allow", "!iam:* ec2:*", "*", N)], "ec2:CreateVpc", vpc, &[], 'I'),
        (&[("Deny", "!iam:*", "*", N), ("Allow", "*", "*", N)], "ec2:CreateVpc", vpc, &[], 'E'),
        (&[("Deny", "!ec2:*", "*", N), ("Allow", "*", "*", N)], "ec2:CreateVpc", vpc, &[], 'A'),
        (&[("Allow", "*", "*", N), ("Deny", "ec2:DeleteVpc", "*", N)], "ec2:DeleteVpc", vpc, &[], 'E'),
        (&[("Deny", "ec2:DeleteVpc", "*", N)], "ec2:CreateVpc", vpc, &[], 'I'),
        (&[("Deny", "ec2:DeleteVpc", "*", N)], "ec2:DeleteVpc", vpc, &[], 'E'),
        (&[("Allow", "ec2:*", "arn:aws:ec2:*:*:vpc/*", N)], "ec2:CreateVpc", vpc, &[], 'A'),
        (&[("Allow", "ec2:*", "arn:aws:ec2:us-*:123456789012:vpc/vpc-?", N)], "ec2:DeleteVpc", vpc, &[], 'A'),
        (&[("Allow", "ec2:*", "arn:aws:ec2:eu-*:*:vpc/*", N)], "ec2:DeleteVpc", vpc, &[], 'I'),
        (&[("Allow", "ec2:*", "arn:aws:ec2:*:*:subnet/*", N)], "ec2:DeleteVpc", vpc, &[], 'I'),
        (&[("Allow", "ec2:*", "!arn:aws:ec2:*:*:subnet/*", N)], "ec2:DeleteVpc", vpc, &[], 'A'),
        (&[("Allow", "ec2:*", "!arn:aws:ec2:*:*:vpc/*", N)], "ec2:DeleteVpc", vpc, &[], 'I'),
        (
            &[("Allow", "eks:*", "arn:aws:eks:us-east-1:123456789012:cluster/demo", N)],
            "eks:DescribeCluster",
            cluster,
            &[],
            'A',
        ),
        (
            &[("Allow", "eks:*", "arn:aws:eks:us-east-1:123456789012:cluster/dem", N)],
            "eks:DescribeCluster",
            cluster,
            &[],
            'I',
        ),
        (
            &[("Allow", "eks:*", "arn:aws:eks:*:*:cluster/${aws:PrincipalTag/team}*", N)],
            "eks:DescribeCluster",
            "arn:aws:eks:us-east-1:123456789012:cluster/net-1",
            &[],
            'A',
        ),
        (
            &[("Allow", "iam:*", "arn:aws:iam::123456789012:user/${aws:username}", N)],
            "iam:GetUser",
            "arn:aws:iam::123456789012:user/alice",
            &[],
            'A',
        ),
        (
            &[("Allow", "iam:*", "arn:aws:iam::123456789012:user/${aws:username}", N)],
            "iam:GetUser",
            "arn:aws:iam::123456789012:user/bob",
            &[],
            'I',
        ),
        (
            &[("Allow", "iam:*", "arn:aws:iam::123456789012:user/${aws:nothing}", N)],
            "iam:GetUser",
            "arn:aws:iam::123456789012:user/",
            &[],
            'I',
        ),
        (&[("Allow", "eks:ListClusters", cluster, N)], "eks:ListClusters", "*", &[], 'I'),
    ]);
}

#[test]
fn conditions() {
    let tag = |value: &str| json!({ "StringEquals": { "aws:RequestTag/team": value } });
    let both = json!({ "StringEquals": { "aws:RequestTag/team": "net", "aws:RequestedRegion": "us-east-1" } });
    let bool = |value: &str| json!({ "Bool": { "aws:SecureTransport": value } });
    let keys = json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "env"] } });
    let region = json!({ "StringNotEquals": { "aws:RequestedRegion": ["us-east-1", "eu-west-1"] } });
    let a = |condition: &Value| ("Allow", "ec2:*", "*", condition.clone());
    check(&[
        (&[a(&tag("net"))], "ec2:CreateVpc", "*", &[("aws:RequestTag/team", "net")], 'A'),
        (&[a(&tag("net"))], "ec2:CreateVpc", "*", &[("aws:RequestTag/team", "app")], 'I'),
        (&[a(&tag("net"))], "ec2:CreateVpc", "*", &[("AWS:requesttag/TEAM", "net")], 'A'),
        (&[a(&tag("net"))], "ec2:CreateVpc", "*", &[], 'I'),
        (&[a(&tag("${aws:PrincipalTag/team}"))], "ec2:CreateVpc", "*", &[("aws:RequestTag/team", "net")], 'A'),
        (&[a(&tag("${aws:PrincipalTag/team}"))], "ec2:CreateVpc", "*", &[("aws:RequestTag/team", "app")], 'I'),
        (&[a(&both)], "ec2:CreateVpc", "*", &[("aws:RequestTag/team", "net")], 'A'),
        (
            &[a(&both)],
            "ec2:CreateVpc",
            "*",
            &[("aws:RequestTag/team", "net"), ("aws:RequestedRegion", "eu-west-1")],
            'I',
        ),
        (&[a(&bool("true"))], "ec2:CreateVpc", "*", &[], 'A'),
        (&[a(&bool("false"))], "ec2:CreateVpc", "*", &[], 'I'),
        (&[a(&keys)], "ec2:CreateTags", "*", &[("aws:TagKeys", "team")], 'A'),
        (&[a(&keys)], "ec2:CreateTags", "*", &[("aws:TagKeys", "team"), ("aws:TagKeys", "cost")], 'I'),
        (&[a(&keys)], "ec2:CreateTags", "*", &[], 'A'),
        (
            &[a(&N), ("Deny", "*", "*", region.clone())],
            "ec2:CreateVpc",
            "*",
            &[("aws:RequestedRegion", "ap-south-1")],
            'E',
        ),
        (&[a(&N), ("Deny", "*", "*", region)], "ec2:CreateVpc", "*", &[("aws:RequestedRegion", "eu-west-1")], 'A'),
        (&[a(&json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } }))], "ec2:CreateVpc", "*", &[], 'A'),
        (&[a(&json!({ "NotIpAddress": { "aws:SourceIp": "127.0.0.0/8" } }))], "ec2:CreateVpc", "*", &[], 'I'),
        (
            &[a(&json!({ "DateLessThan": { "aws:CurrentTime": "2026-06-01T00:00:00Z" } }))],
            "ec2:CreateVpc",
            "*",
            &[],
            'A',
        ),
        (
            &[a(&json!({ "DateGreaterThan": { "aws:CurrentTime": "2026-06-01T00:00:00Z" } }))],
            "ec2:CreateVpc",
            "*",
            &[],
            'I',
        ),
        (
            &[a(&json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/al*" } }))],
            "ec2:CreateVpc",
            "*",
            &[],
            'A',
        ),
        (&[a(&json!({ "Null": { "aws:RequestTag/team": "false" } }))], "ec2:CreateVpc", "*", &[], 'I'),
        (&[a(&json!({ "Null": { "aws:MultiFactorAuthPresent": "true" } }))], "ec2:CreateVpc", "*", &[], 'A'),
        (
            &[a(&N), ("Deny", "*", "*", json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } }))],
            "ec2:CreateVpc",
            "*",
            &[],
            'E',
        ),
        (
            &[a(&N), ("Deny", "*", "*", json!({ "Bool": { "aws:MultiFactorAuthPresent": "false" } }))],
            "ec2:CreateVpc",
            "*",
            &[],
            'A',
        ),
        (
            &[a(&json!({ "StringLike": { "ec2:ResourceTag/Name": ["eks-*", "net-*"] } }))],
            "ec2:DeleteVpc",
            "*",
            &[("ec2:ResourceTag/Name", "net-1")],
            'A',
        ),
    ]);
}

#[test]
fn groups_managed_policies_and_strangers() {
    let mut world = world();
    let empty = BTreeMap::new();
    let read = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}}"#;
    let mut iam = |operation: &str, pairs: &[(&str, &str)]| query(&mut world, Service::Iam, operation, pairs).unwrap();
    iam("CreateUser", &[("UserName", "alice")]);
    iam("CreateGroup", &[("GroupName", "g")]);
    iam("AddUserToGroup", &[("GroupName", "g"), ("UserName", "alice")]);
    iam("PutGroupPolicy", &[("GroupName", "g"), ("PolicyName", "p"), ("PolicyDocument", read)]);
    iam("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")]);
    for (principal, action, expected) in [
        ("user/alice", "ec2:DescribeVpcs", true),
        ("user/alice", "iam:GetRole", true),
        ("user/alice", "iam:CreateRole", false),
        ("user/sandbox", "iam:CreateRole", true),
        ("root", "iam:CreateRole", true),
        ("user/nobody", "ec2:DescribeVpcs", false),
        ("role/nobody", "ec2:DescribeVpcs", false),
    ] {
        let decision = is_allowed(&world, &format!("{ACCOUNT}:{principal}"), action, "*", &empty);
        assert_eq!(decision.is_allowed(), expected, "{principal} {action}");
    }
}

/// What the cluster role needs for security groups of pods, and what each managed policy gives.
#[test]
fn policies_of_the_cluster_role() {
    let mut world = world();
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
    let (role, empty) = (format!("{ACCOUNT}:role/cluster"), BTreeMap::new());
    query(&mut world, Service::Iam, "CreateRole", &[("RoleName", "cluster"), ("AssumeRolePolicyDocument", trust)])
        .unwrap();
    assert!(crate::iam::trusts_service(&world, &role, "eks.amazonaws.com"));
    assert!(!crate::iam::trusts_service(&world, &role, "ec2.amazonaws.com"));
    let interface = "arn:aws:ec2:us-east-1:123456789012:network-interface/*";
    let may = |world: &World, action: &str| is_allowed(world, &role, action, interface, &empty).is_allowed();
    assert!(!may(&world, "ec2:CreateNetworkInterface"));
    let attach = |world: &mut World, name: &str| {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        query(world, Service::Iam, "AttachRolePolicy", &[("RoleName", "cluster"), ("PolicyArn", arn.as_str())])
            .unwrap();
    };
    attach(&mut world, "AmazonEKSVPCResourceController");
    assert!(may(&world, "ec2:CreateNetworkInterface") && may(&world, "ec2:AssignPrivateIpAddresses"));
    assert!(!may(&world, "ec2:DescribeSubnets"));
    attach(&mut world, "AmazonEKSClusterPolicy");
    assert!(is_allowed(&world, &role, "ec2:DescribeSubnets", "*", &empty).is_allowed());
}
