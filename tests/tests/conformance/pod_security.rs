//! What gives pods their own security groups.

use sgp_tests::world::World;

use crate::case::{Case, add, edit, id, text};

fn delete(world: &World, namespace: &str, name: &str) {
    let path = format!("/apis/vpcresources.k8s.aws/v1beta1/namespaces/{namespace}/securitygrouppolicies/{name}");
    world.kubernetes("DELETE", &path, None).unwrap();
}

pub fn security_group_policy() -> Case {
    Case {
        name: "sgp_security_group_policy",
        around: r#"
resource "aws_security_group" "pods" {
  for_each = toset(["one", "two"])
  name     = "pods-${each.key}"
  vpc_id   = var.vpc_id

  # Pods that resolve no names are refused by a preflight rule.
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#,
        body: r#"
cluster_name       = "home"
name               = "backend"
namespace          = "elsewhere"
security_group_ids = [aws_security_group.pods["one"].id]
pod_selector {
  match_labels = { app = "backend" }
}
"#,
        updates: vec![
            add("labels", r#"labels = { a = "1" }"#),
            edit("labels", r#"{ a = "1" }"#, r#"{ b = "2" }"#),
            add("annotations", r#"annotations = { "example.com/a" = "1" }"#),
            edit("security_group_ids", "\"one\"", "\"two\""),
            add("security_group_names", r#"security_group_names = ["pods-one"]"#),
            edit("pod_selector.match_labels", "{ app = \"backend\" }", "{ app = \"backend\", tier = \"api\" }"),
            edit(
                "pod_selector.match_expressions.key pod_selector.match_expressions.operator pod_selector.match_expressions.values",
                "tier = \"api\" }",
                "tier = \"api\" }\n  match_expressions {\n    key = \"zone\"\n    operator = \"In\"\n    values = [\"a\", \"b\"]\n  }",
            ),
            edit("pod_selector.match_expressions.operator", "\"In\"", "\"NotIn\""),
            add(
                "service_account_selector.match_labels",
                "service_account_selector {\n  match_labels = { team = \"a\" }\n}",
            ),
            edit("service_account_selector.match_labels", "team = \"a\"", "team = \"b\""),
        ],
        replacements: vec![
            edit("name", "\"backend\"\nnamespace", "\"frontend\"\nnamespace"),
            edit("namespace", "\"elsewhere\"", "\"more\""),
            edit("cluster_name", "\"home\"", "\"away\""),
        ],
        import: Some(|object| {
            format!("{}/{}/{}", text(object, "cluster_name"), text(object, "namespace"), text(object, "name"))
        }),
        // The policy object holds ids only.
        untold: &["security_group_names"],
        vanish: Some(|world, object| delete(world, text(object, "namespace"), text(object, "name"))),
        beside: &[("service_account_selector.match_expressions", "selectors are one code, edited in `pod_selector`")],
    }
}

pub fn pod_eni() -> Case {
    Case {
        name: "sgp_pod_eni",
        around: r#"
resource "aws_iam_role" "aws_node" {
  for_each           = toset(["one", "two"])
  name               = "aws-node-${each.key}"
  assume_role_policy = local.trust
}
"#,
        body: r#"cluster_name = "home""#,
        updates: vec![
            add("enforcing_mode", r#"enforcing_mode = "standard""#),
            add("disable_tcp_early_demux", "disable_tcp_early_demux = true"),
            add("addon_version", r#"addon_version = "v1.23.1-eksbuild.1""#),
            add("external_snat", "external_snat = true"),
            edit("external_snat", "external_snat = true", "external_snat = false"),
            add("network_policy", "network_policy = true"),
            edit("network_policy", "network_policy = true", "network_policy = false"),
            add("branch_eni_cooldown", "branch_eni_cooldown = 60"),
            edit("branch_eni_cooldown", "= 60", "= 45"),
            add("env", r#"env = { AWS_VPC_K8S_CNI_LOGLEVEL = "INFO" }"#),
            edit("env", "\"INFO\"", "\"DEBUG\""),
            add("init_env", r#"init_env = { ENABLE_V6_EGRESS = "true" }"#),
            edit("env", r#"env = { AWS_VPC_K8S_CNI_LOGLEVEL = "DEBUG" }"#, ""),
            add("service_account_role_arn", r#"service_account_role_arn = aws_iam_role.aws_node["one"].arn"#),
            edit("service_account_role_arn", "\"one\"", "\"two\""),
        ],
        replacements: vec![edit("cluster_name", "\"home\"", "\"away\"")],
        import: Some(id),
        untold: &[
            "branch_eni_cooldown",
            "service_account_role_arn",
            "env",
            "disable_tcp_early_demux",
            "external_snat",
            "network_policy",
        ],
        vanish: Some(|world, object| {
            let path = format!("/clusters/{}/addons/vpc-cni", text(object, "cluster_name"));
            world.eks("DELETE", &path, None).unwrap();
            let _ = world.eks("GET", &path, None);
        }),
        beside: &[("via", "a self-managed VPC CNI is another installation of the cluster, not an edit of this one")],
    }
}
