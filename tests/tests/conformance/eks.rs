//! Clusters, node groups and add-ons.

use serde_json::Value;
use sgp_tests::world::World;

use crate::case::{Case, Edit, add, edit, id, text};

/// Deletes something of EKS; the second look no longer sees it.
fn delete(world: &World, path: &str) {
    world.eks("DELETE", path, None).unwrap();
    let _ = world.eks("GET", path, None);
    assert!(world.eks("GET", path, None).is_err(), "{path} is still there");
}

pub fn cluster() -> Case {
    Case {
        name: "aws_eks_cluster",
        around: r#"
resource "aws_iam_role" "other" {
  name               = "cluster-other"
  assume_role_policy = local.trust
}

resource "aws_security_group" "control" {
  name   = "cluster-control"
  vpc_id = var.vpc_id
}
"#,
        body: r#"
name     = "cluster"
role_arn = local.role
version  = "1.34"

vpc_config {
  subnet_ids = slice(var.subnet_ids, 0, 2)
}
"#,
        updates: cluster_updates(),
        replacements: vec![
            edit("name", r#""cluster""#, r#""another-cluster""#),
            edit("role_arn", "local.role", "aws_iam_role.other.arn"),
            add("bootstrap_self_managed_addons", "bootstrap_self_managed_addons = false"),
            edit(
                "kubernetes_network_config.service_ipv4_cidr",
                "kubernetes_network_config {",
                "kubernetes_network_config {\n  service_ipv4_cidr = \"172.21.0.0/16\"",
            ),
            edit(
                "kubernetes_network_config.ip_family",
                "service_ipv4_cidr = \"172.21.0.0/16\"",
                "ip_family = \"ipv6\"",
            ),
            edit(
                "access_config.bootstrap_cluster_creator_admin_permissions",
                "bootstrap_cluster_creator_admin_permissions = true",
                "bootstrap_cluster_creator_admin_permissions = false",
            ),
            edit("encryption_config.provider.key_arn", "key/one", "key/two"),
        ],
        import: Some(id),
        untold: &[
            "bootstrap_cluster_creator_admin_permissions",
            "bootstrap_self_managed_addons",
            "force_update_version",
        ],
        vanish: Some(|world, object| delete(world, &format!("/clusters/{}", text(object, "name")))),
        beside: &[
            ("encryption_config.resources", "EKS encrypts `secrets` and nothing else"),
            ("outpost_config", "there is no Outpost in this world"),
        ],
    }
}

/// EKS Auto Mode, which is on as a whole.
const AUTO_MODE: &str = r#"
compute_config {
  enabled       = true
  node_pools    = ["system"]
  node_role_arn = aws_iam_role.other.arn
}
storage_config {
  block_storage {
    enabled = true
  }
}
kubernetes_network_config {
  elastic_load_balancing {
    enabled = true
  }
}
"#;

/// The same after its pools were changed, and switched off: a cluster is not made anew in Auto Mode with add-ons of its own.
const AUTO_MODE_WIDER: &str = r#"
compute_config {
  enabled       = true
  node_pools    = ["general-purpose", "system"]
  node_role_arn = aws_iam_role.other.arn
}
storage_config {
  block_storage {
    enabled = true
  }
}
kubernetes_network_config {
  elastic_load_balancing {
    enabled = true
  }
}
"#;
const AUTO_MODE_OFF: &str = r"
compute_config {
  enabled       = false
  node_role_arn = aws_iam_role.other.arn
}
storage_config {
  block_storage {
    enabled = false
  }
}
kubernetes_network_config {
  elastic_load_balancing {
    enabled = false
  }
}
";

fn cluster_updates() -> Vec<Edit> {
    vec![
        edit("version", "1.34", "1.35"),
        add("deletion_protection", "deletion_protection = true"),
        edit("deletion_protection", "deletion_protection = true", "deletion_protection = false"),
        add("enabled_cluster_log_types", r#"enabled_cluster_log_types = ["api", "audit"]"#),
        edit("enabled_cluster_log_types", r#""api", "audit""#, r#""audit", "scheduler""#),
        edit("vpc_config.subnet_ids", "slice(var.subnet_ids, 0, 2)", "[var.subnet_ids[0], local.other_subnet]"),
        edit("vpc_config.endpoint_private_access", "subnet_ids = ", "endpoint_private_access = true\n  subnet_ids = "),
        edit(
            "vpc_config.public_access_cidrs",
            "subnet_ids = ",
            "public_access_cidrs = [\"192.0.2.0/24\"]\n  subnet_ids = ",
        ),
        edit(
            "vpc_config.security_group_ids",
            "subnet_ids = ",
            "security_group_ids = [aws_security_group.control.id]\n  subnet_ids = ",
        ),
        edit("vpc_config.endpoint_public_access", "subnet_ids = ", "endpoint_public_access = false\n  subnet_ids = "),
        add("access_config.authentication_mode", "access_config {\n  authentication_mode = \"API_AND_CONFIG_MAP\"\n}"),
        edit("access_config.authentication_mode", "API_AND_CONFIG_MAP", "API"),
        edit(
            "access_config.bootstrap_cluster_creator_admin_permissions",
            "\"API\"",
            "\"API\"\n  bootstrap_cluster_creator_admin_permissions = true",
        ),
        add("upgrade_policy.support_type", "upgrade_policy {\n  support_type = \"STANDARD\"\n}"),
        add("zonal_shift_config.enabled", "zonal_shift_config {\n  enabled = true\n}"),
        add(
            "compute_config.enabled compute_config.node_pools compute_config.node_role_arn storage_config.block_storage.enabled \
             kubernetes_network_config.elastic_load_balancing.enabled",
            AUTO_MODE,
        ),
        edit("compute_config.node_pools", r#"["system"]"#, r#"["general-purpose", "system"]"#),
        edit("compute_config.enabled", AUTO_MODE_WIDER, AUTO_MODE_OFF),
        add("control_plane_scaling_config.tier", "control_plane_scaling_config {\n  tier = \"tier-xl\"\n}"),
        edit("control_plane_scaling_config.tier", "tier-xl", "tier-2xl"),
        add(
            "remote_network_config.remote_node_networks.cidrs",
            "remote_network_config {\n  remote_node_networks {\n    cidrs = [\"10.80.0.0/16\"]\n  }\n}",
        ),
        edit(
            "remote_network_config.remote_node_networks.cidrs remote_network_config.remote_pod_networks.cidrs",
            "  remote_node_networks {\n    cidrs = [\"10.80.0.0/16\"]\n  }",
            "  remote_node_networks {\n    cidrs = [\"10.81.0.0/16\"]\n  }\n  remote_pod_networks {\n    cidrs = [\"10.85.0.0/16\"]\n  }",
        ),
        add("force_update_version", "force_update_version = true"),
        add("tags", r#"tags = { a = "1" }"#),
        edit("tags", r#"a = "1""#, r#"b = "2""#),
        add(
            "encryption_config.provider.key_arn encryption_config.resources",
            "encryption_config {\n  resources = [\"secrets\"]\n  provider {\n    key_arn = \"arn:aws:kms:us-east-1:123456789012:key/one\"\n  }\n}",
        ),
    ]
}

pub fn node_group() -> Case {
    Case {
        name: "aws_eks_node_group",
        around: r#"
resource "aws_iam_role" "node" {
  for_each           = toset(["one", "two"])
  name               = "node-${each.key}"
  assume_role_policy = local.trust
}

resource "aws_launch_template" "one" {
  name        = "nodes-one"
  description = "with two versions"
}
"#,
        body: r#"
cluster_name    = "home"
node_group_name = "group"
node_role_arn   = aws_iam_role.node["one"].arn
subnet_ids      = slice(var.subnet_ids, 0, 2)

scaling_config {
  min_size     = 1
  desired_size = 2
  max_size     = 3
}
"#,
        updates: vec![
            edit("scaling_config.desired_size", "desired_size = 2", "desired_size = 3"),
            edit("scaling_config.max_size", "max_size     = 3", "max_size     = 4"),
            edit("scaling_config.min_size", "min_size     = 1", "min_size     = 0"),
            add("labels", r#"labels = { a = "1", b = "2" }"#),
            edit("labels", r#"a = "1", b = "2""#, r#"b = "3""#),
            add(
                "taint.key taint.value taint.effect",
                "taint {\n  key    = \"only\"\n  value  = \"pods\"\n  effect = \"NO_SCHEDULE\"\n}",
            ),
            edit("taint.effect", "NO_SCHEDULE", "NO_EXECUTE"),
            edit("taint.value", "\"pods\"", "\"others\""),
            add("update_config.max_unavailable", "update_config {\n  max_unavailable = 2\n}"),
            edit("update_config.max_unavailable_percentage", "max_unavailable = 2", "max_unavailable_percentage = 50"),
            add("node_repair_config.enabled", "node_repair_config {\n  enabled = true\n}"),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
            add("force_update_version", "force_update_version = true"),
            add("release_version", r#"release_version = "1.35.0-20260901""#),
        ],
        replacements: vec![
            edit("node_group_name", r#""group""#, r#""another""#),
            edit("subnet_ids", "slice(var.subnet_ids, 0, 2)", "var.subnet_ids"),
            edit("node_role_arn", "\"one\"", "\"two\""),
            add("instance_types", r#"instance_types = ["m5.large"]"#),
            add("ami_type", r#"ami_type = "BOTTLEROCKET_x86_64""#),
            add("capacity_type", r#"capacity_type = "SPOT""#),
            add("disk_size", "disk_size = 30"),
            add("remote_access.ec2_ssh_key", "remote_access {\n  ec2_ssh_key = \"key\"\n}"),
            edit(
                "launch_template.id launch_template.version disk_size",
                "disk_size = 30\nremote_access {\n  ec2_ssh_key = \"key\"\n}",
                "launch_template {\n  id      = aws_launch_template.one.id\n  version = \"1\"\n}",
            ),
            edit(
                "node_group_name_prefix node_group_name",
                r#"node_group_name = "another""#,
                r#"node_group_name_prefix = "made-""#,
            ),
            edit("cluster_name", "\"home\"", "\"away\""),
        ],
        import: Some(id),
        untold: &["force_update_version"],
        vanish: Some(|world, object| {
            let (cluster, name) = (text(object, "cluster_name"), text(object, "node_group_name"));
            delete(world, &format!("/clusters/{cluster}/node-groups/{name}"));
        }),
        beside: &[
            ("version", "the clusters of this world stay at one version; the release stands for it"),
            ("launch_template.name", "excludes the id, which is edited"),
            ("remote_access.source_security_group_ids", "the key stands for the block"),
            ("node_repair_config", "moto and ministack keep no repair configuration beyond the switch"),
            ("update_config.update_strategy", "neither emulator keeps it"),
        ],
    }
}

pub fn addon() -> Case {
    Case {
        name: "aws_eks_addon",
        around: r#"
resource "aws_iam_role" "addon" {
  for_each           = toset(["one", "two"])
  name               = "addon-${each.key}"
  assume_role_policy = local.trust
}
"#,
        body: r#"
cluster_name  = "home"
addon_name    = "coredns"
addon_version = "v1.13.1-eksbuild.1"
"#,
        updates: vec![
            edit("addon_version", "v1.13.1-eksbuild.1", "v1.13.2-eksbuild.1"),
            add("configuration_values", "configuration_values = jsonencode({ podLabels = { a = \"1\" } })"),
            edit("configuration_values", "podLabels = { a = \"1\" }", "podLabels = { a = \"2\" }"),
            add("service_account_role_arn", r#"service_account_role_arn = aws_iam_role.addon["one"].arn"#),
            edit("service_account_role_arn", "\"one\"", "\"two\""),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
            add("resolve_conflicts_on_create", r#"resolve_conflicts_on_create = "OVERWRITE""#),
            add("resolve_conflicts_on_update", r#"resolve_conflicts_on_update = "PRESERVE""#),
            add("preserve", "preserve = true"),
        ],
        replacements: vec![
            edit(
                "addon_name",
                "\"coredns\"\naddon_version = \"v1.13.2-eksbuild.1\"",
                "\"kube-proxy\"\naddon_version = \"v1.35.3-eksbuild.2\"",
            ),
            edit("cluster_name", "\"home\"", "\"away\""),
        ],
        import: Some(id),
        untold: &["preserve", "resolve_conflicts"],
        vanish: Some(|world: &World, object: &Value| {
            let (cluster, name) = (text(object, "cluster_name"), text(object, "addon_name"));
            delete(world, &format!("/clusters/{cluster}/addons/{name}"));
        }),
        beside: &[
            ("namespace_config", "neither emulator keeps the namespace of an add-on"),
            ("pod_identity_association", "neither emulator binds associations to add-ons"),
        ],
    }
}
