//! Who may run pods, enter clusters and take roles: Fargate profiles, access entries and their policies, pod identity.

use serde_json::Value;
use sgp_tests::world::World;

use crate::case::{Case, add, edit, id, text};

/// Deletes something of EKS; the second look no longer sees it.
fn delete(world: &World, path: &str) {
    world.eks("DELETE", path, None).unwrap();
    let _ = world.eks("GET", path, None);
}

/// An ARN as a part of a path.
fn encoded(object: &Value, name: &str) -> String {
    text(object, name).replace(':', "%3A").replace('/', "%2F")
}

pub fn fargate_profile() -> Case {
    Case {
        name: "aws_eks_fargate_profile",
        around: r#"
resource "aws_iam_role" "fargate" {
  for_each = toset(["one", "two"])
  name     = "fargate-${each.key}"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "eks-fargate-pods.amazonaws.com" } }]
  })
}
"#,
        body: r#"
cluster_name           = "home"
fargate_profile_name   = "payments"
pod_execution_role_arn = aws_iam_role.fargate["one"].arn
subnet_ids             = slice(var.subnet_ids, 0, 2)

selector {
  namespace = "payments"
}
"#,
        updates: vec![
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"a = "2", b = "3""#),
            edit("tags", r#"a = "2", "#, ""),
        ],
        replacements: vec![
            edit("fargate_profile_name", "\"payments\"", "\"others\""),
            edit("selector.labels", "namespace = \"payments\"", "namespace = \"payments\"\n  labels = { app = \"x\" }"),
            edit("selector.namespace", "  namespace = \"payments\"", "  namespace = \"others\""),
            edit("pod_execution_role_arn", "\"one\"", "\"two\""),
            edit("subnet_ids", "slice(var.subnet_ids, 0, 2)", "var.subnet_ids"),
            edit("cluster_name", "\"home\"", "\"away\""),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let (cluster, name) = (text(object, "cluster_name"), text(object, "fargate_profile_name"));
            delete(world, &format!("/clusters/{cluster}/fargate-profiles/{name}"));
        }),
        beside: &[],
    }
}

/// Clusters with access entries, and roles to be let in.
const LET_IN: &str = r#"
resource "aws_eks_cluster" "api" {
  for_each = toset(["one", "two"])
  name     = "CASE-${each.key}"
  role_arn = local.role
  version  = "1.35"

  access_config {
    authentication_mode = "API"
  }

  vpc_config {
    subnet_ids = slice(var.subnet_ids, 0, 2)
  }
}

resource "aws_iam_role" "people" {
  for_each           = toset(["one", "two"])
  name               = "CASE-${each.key}"
  assume_role_policy = local.trust
}
"#;

fn let_in(name: &str, more: &str) -> &'static str {
    Box::leak(format!("{}{more}", LET_IN.replace("CASE", name)).into_boxed_str())
}

pub fn access_entry() -> Case {
    Case {
        name: "aws_eks_access_entry",
        around: let_in("entry", ""),
        body: r#"
cluster_name  = aws_eks_cluster.api["one"].name
principal_arn = aws_iam_role.people["one"].arn
"#,
        updates: vec![
            add("kubernetes_groups", r#"kubernetes_groups = ["developers"]"#),
            edit("kubernetes_groups", r#"["developers"]"#, r#"["operators", "viewers"]"#),
            add("user_name", r#"user_name = "people:{{SessionName}}""#),
            add("tags", r#"tags = { a = "1" }"#).beyond_emulators("ministack forgets tags of an entry that is there"),
            edit("tags", r#"a = "1""#, r#"b = "2""#)
                .beyond_emulators("ministack forgets tags of an entry that is there"),
        ],
        replacements: vec![
            edit("principal_arn", "people[\"one\"]", "people[\"two\"]"),
            edit("cluster_name", "api[\"one\"]", "api[\"two\"]"),
            edit(
                "type",
                "kubernetes_groups = [\"operators\", \"viewers\"]\nuser_name = \"people:{{SessionName}}\"",
                "type = \"EC2_LINUX\"",
            ),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let (cluster, principal) = (text(object, "cluster_name"), encoded(object, "principal_arn"));
            delete(world, &format!("/clusters/{cluster}/access-entries/{principal}"));
        }),
        beside: &[],
    }
}

pub fn access_policy_association() -> Case {
    Case {
        name: "aws_eks_access_policy_association",
        around: let_in(
            "policy",
            r#"
resource "aws_eks_access_entry" "people" {
  for_each      = { for pair in setproduct(["one", "two"], ["one", "two"]) : join("-", pair) => pair }
  cluster_name  = aws_eks_cluster.api[each.value[0]].name
  principal_arn = aws_iam_role.people[each.value[1]].arn
}
"#,
        ),
        body: r#"
cluster_name  = aws_eks_cluster.api["one"].name
principal_arn = aws_eks_access_entry.people["one-one"].principal_arn
policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"

access_scope {
  type = "cluster"
}
"#,
        updates: vec![],
        replacements: vec![
            edit("policy_arn", "AmazonEKSViewPolicy", "AmazonEKSEditPolicy"),
            edit(
                "access_scope.type access_scope.namespaces",
                "type = \"cluster\"",
                "type = \"namespace\"\n  namespaces = [\"app\", \"web\"]",
            ),
            edit("access_scope.namespaces", "\"app\", \"web\"", "\"app\""),
            edit("principal_arn", "\"one-one\"", "\"one-two\""),
            edit(
                "cluster_name",
                "api[\"one\"].name\nprincipal_arn = aws_eks_access_entry.people[\"one-two\"]",
                "api[\"two\"].name\nprincipal_arn = aws_eks_access_entry.people[\"two-two\"]",
            ),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            let (cluster, principal) = (text(object, "cluster_name"), encoded(object, "principal_arn"));
            let policy = encoded(object, "policy_arn");
            let path = format!("/clusters/{cluster}/access-entries/{principal}/access-policies/{policy}");
            world.eks("DELETE", &path, None).unwrap();
        }),
        beside: &[],
    }
}

pub fn pod_identity_association() -> Case {
    Case {
        name: "aws_eks_pod_identity_association",
        around: r#"
resource "aws_iam_role" "pod" {
  for_each = toset(["one", "two"])
  name     = "pod-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
    }]
  })
}
"#,
        body: r#"
cluster_name    = "home"
namespace       = "app"
service_account = "backend"
role_arn        = aws_iam_role.pod["one"].arn
"#,
        updates: vec![
            edit("role_arn", "\"one\"", "\"two\""),
            add("disable_session_tags", "disable_session_tags = true"),
            add("target_role_arn", r#"target_role_arn = aws_iam_role.pod["one"].arn"#),
            edit("target_role_arn", "target_role_arn = aws_iam_role.pod[\"one\"].arn", "")
                .beyond_emulators("ministack keeps the role that was taken away"),
            add("policy", "policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"s3:*\", Resource = \"*\" }] })")
                .beyond_emulators("ministack keeps no session policy"),
            add("tags", r#"tags = { a = "1" }"#).beyond_emulators("ministack tags no associations that are there"),
            edit("tags", r#"a = "1""#, r#"b = "2""#).beyond_emulators("ministack tags no associations that are there"),
        ],
        replacements: vec![
            edit("namespace", "\"app\"", "\"web\""),
            edit("service_account", "\"backend\"", "\"frontend\""),
            edit("cluster_name", "\"home\"", "\"away\""),
        ],
        import: Some(|object| format!("{},{}", text(object, "cluster_name"), text(object, "association_id"))),
        untold: &[],
        vanish: Some(|world, object| {
            let (cluster, association) = (text(object, "cluster_name"), text(object, "association_id"));
            delete(world, &format!("/clusters/{cluster}/pod-identity-associations/{association}"));
        }),
        beside: &[],
    }
}
