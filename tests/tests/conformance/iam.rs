//! Roles, policies and OpenID Connect providers.

use crate::case::{Case, add, edit, id, text};

const POLICY: &str = r#"
name   = "policy"
policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })
"#;

const INLINE: &str = r#"
inline_policy {
  name   = "read"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })
}
"#;

pub fn role() -> Case {
    Case {
        name: "aws_iam_role",
        around: "",
        body: r#"
name               = "role"
assume_role_policy = local.trust
"#,
        updates: vec![
            add("description", r#"description = "first""#),
            edit("description", r#""first""#, r#""second""#),
            edit("description", r#"description = "second""#, ""),
            add("max_session_duration", "max_session_duration = 7200"),
            add("permissions_boundary", r#"permissions_boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess""#),
            edit("permissions_boundary", "ReadOnlyAccess", "PowerUserAccess"),
            edit("permissions_boundary", r#"permissions_boundary = "arn:aws:iam::aws:policy/PowerUserAccess""#, ""),
            edit("assume_role_policy", "local.trust", r#"replace(local.trust, "eks.", "ec2.")"#),
            add("force_detach_policies", "force_detach_policies = true"),
            add("tags", r#"tags = { a = "1", b = "2" }"#),
            edit("tags", r#"a = "1", b = "2""#, r#"a = "3""#),
            add("managed_policy_arns", r#"managed_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]"#),
            edit("managed_policy_arns", "policy/ReadOnlyAccess", "policy/PowerUserAccess"),
            add("inline_policy.name inline_policy.policy", INLINE),
            edit("inline_policy.policy", "s3:GetObject", "s3:PutObject"),
            edit("inline_policy.name", r#""read""#, r#""write""#),
        ],
        replacements: vec![
            edit("name", r#"= "role""#, r#"= "another-role""#),
            add("path", r#"path = "/apps/""#),
            edit("name_prefix name", r#"name               = "another-role""#, r#"name_prefix = "role-""#),
        ],
        import: Some(id),
        untold: &["force_detach_policies", "inline_policy", "managed_policy_arns"],
        vanish: Some(|world, object| {
            let role = ("RoleName", text(object, "name"));
            for arn in object["managed_policy_arns"].as_array().into_iter().flatten() {
                world.aws("iam", "DetachRolePolicy", &[role, ("PolicyArn", arn.as_str().unwrap())]).unwrap();
            }
            for policy in object["inline_policy"].as_array().into_iter().flatten() {
                world.aws("iam", "DeleteRolePolicy", &[role, ("PolicyName", text(policy, "name"))]).unwrap();
            }
            world.aws("iam", "DeleteRole", &[role]).unwrap();
        }),
        beside: &[],
    }
}

pub fn policy() -> Case {
    Case {
        name: "aws_iam_policy",
        around: "",
        body: POLICY,
        updates: vec![
            edit("policy", "s3:GetObject", "s3:PutObject"),
            edit("policy", "\"s3:PutObject\"", "[\"s3:PutObject\", \"s3:GetObject\"]"),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "1""#),
            edit("policy", "s3:GetObject", "s3:ListBucket"),
            edit("policy", "s3:ListBucket", "s3:DeleteObject"),
            // Of five versions the oldest goes.
            edit("policy", "s3:DeleteObject", "s3:GetObjectAcl"),
            edit("policy", "s3:GetObjectAcl", "s3:GetBucketAcl"),
        ],
        replacements: vec![
            edit("name", r#"= "policy""#, r#"= "another-policy""#),
            add("description", r#"description = "first""#),
            edit("description", r#""first""#, r#""second""#),
            add("path", r#"path = "/apps/""#),
            edit("name_prefix name", r#"name   = "another-policy""#, r#"name_prefix = "policy-""#),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let arn = text(object, "arn");
            let versions = world.aws("iam", "ListPolicyVersions", &[("PolicyArn", arn)]).unwrap();
            for version in sgp_tests::world::texts(&versions, "VersionId") {
                // The default version goes with the policy.
                let _ = world.aws("iam", "DeletePolicyVersion", &[("PolicyArn", arn), ("VersionId", &version)]);
            }
            world.aws("iam", "DeletePolicy", &[("PolicyArn", arn)]).unwrap();
        }),
        beside: &[],
    }
}

pub fn role_policy() -> Case {
    Case {
        name: "aws_iam_role_policy",
        around: r#"
resource "aws_iam_role" "a" {
  name               = "inline-a"
  assume_role_policy = local.trust
}

resource "aws_iam_role" "b" {
  name               = "inline-b"
  assume_role_policy = local.trust
}
"#,
        body: r#"
name   = "inline"
role   = aws_iam_role.a.name
policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })
"#,
        updates: vec![edit("policy", "s3:GetObject", "s3:PutObject")],
        replacements: vec![
            edit("name", r#"= "inline""#, r#"= "another""#),
            edit("role", "aws_iam_role.a", "aws_iam_role.b"),
            edit("name_prefix name", r#"name   = "another""#, r#"name_prefix = "inline-""#),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let params = [("RoleName", text(object, "role")), ("PolicyName", text(object, "name"))];
            world.aws("iam", "DeleteRolePolicy", &params).unwrap();
        }),
        beside: &[],
    }
}

pub fn role_policy_attachment() -> Case {
    Case {
        name: "aws_iam_role_policy_attachment",
        around: r#"
resource "aws_iam_role" "a" {
  name               = "attached-a"
  assume_role_policy = local.trust
}

resource "aws_iam_role" "b" {
  name               = "attached-b"
  assume_role_policy = local.trust
}
"#,
        body: r#"
role       = aws_iam_role.a.name
policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
"#,
        updates: vec![],
        replacements: vec![
            edit("role", "aws_iam_role.a", "aws_iam_role.b"),
            edit("policy_arn", "AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"),
        ],
        import: Some(|object| format!("{}/{}", text(object, "role"), text(object, "policy_arn"))),
        untold: &[],
        vanish: Some(|world, object| {
            let params = [("RoleName", text(object, "role")), ("PolicyArn", text(object, "policy_arn"))];
            world.aws("iam", "DetachRolePolicy", &params).unwrap();
        }),
        beside: &[],
    }
}

pub fn openid_connect_provider() -> Case {
    Case {
        name: "aws_iam_openid_connect_provider",
        around: "",
        body: r#"
url            = "https://oidc.example.com/id/ONE"
client_id_list = ["sts.amazonaws.com"]
"#,
        updates: vec![
            edit("client_id_list", r#""sts.amazonaws.com""#, r#""sts.amazonaws.com", "another""#),
            edit("client_id_list", r#""sts.amazonaws.com", "#, ""),
            add("thumbprint_list", r#"thumbprint_list = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]"#),
            edit("thumbprint_list", "9e99a48a", "0e99a48a"),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "1""#),
        ],
        replacements: vec![edit("url", "/ONE", "/TWO")],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let params = [("OpenIDConnectProviderArn", text(object, "arn"))];
            world.aws("iam", "DeleteOpenIDConnectProvider", &params).unwrap();
        }),
        beside: &[],
    }
}
