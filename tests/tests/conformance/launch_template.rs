//! Launch templates.

use crate::case::{Case, Edit, add, edit, id, text};

pub fn launch_template() -> Case {
    Case {
        name: "aws_launch_template",
        around: "resource \"aws_security_group\" \"nodes\" {\n  name   = \"template-nodes\"\n  vpc_id = var.vpc_id\n}\n",
        body: r#"name = "template""#,
        updates: updates(),
        replacements: vec![
            edit("name", r#"name = "template""#, r#"name = "another-template""#),
            edit("name_prefix name", r#"name = "another-template""#, r#"name_prefix = "template-""#),
        ],
        import: Some(id),
        // moto keeps less of a version than EC2; `update_default_version` steers sgp.
        untold: &["update_default_version", "disable_api_stop"],
        vanish: Some(|world, object| {
            world.aws("ec2", "DeleteLaunchTemplate", &[("LaunchTemplateId", text(object, "id"))]).unwrap();
        }),
        beside: &[
            ("tags", "moto shows a template only the tags that it was made with"),
            ("block_device_mappings", "moto keeps other values of volumes than EC2; name and size are edited"),
            ("network_interfaces", "moto keeps few of the values; groups and public addresses are edited"),
            ("capacity_reservation_specification", "moto does not answer it"),
            ("cpu_options", "moto does not answer them"),
            ("credit_specification", "moto does not answer it"),
            ("enclave_options", "moto does not answer them"),
            ("hibernation_options", "moto does not answer them"),
            ("instance_market_options", "moto does not answer them"),
            ("license_specification", "moto does not answer it"),
            ("maintenance_options", "moto does not answer them"),
            ("network_performance_options", "moto does not answer them"),
            ("private_dns_name_options", "moto does not answer them"),
            ("placement", "the tenancy stands for the block"),
            ("iam_instance_profile.arn", "excludes the name, which is edited"),
            ("security_group_names", "excludes `vpc_security_group_ids`, which is edited"),
            ("metadata_options.http_protocol_ipv6", "moto does not keep it"),
        ],
    }
}

fn updates() -> Vec<Edit> {
    vec![
        add("description", r#"description = "second""#),
        add("image_id", r#"image_id = "ami-0123456789abcdef0""#),
        add("instance_type", r#"instance_type = "m5.large""#),
        edit("instance_type", "m5.large", "m5.xlarge"),
        add("key_name", r#"key_name = "key""#),
        add("user_data", r#"user_data = base64encode("one")"#),
        edit("user_data", "\"one\"", "\"two\""),
        add("kernel_id", r#"kernel_id = "aki-0123456789abcdef0""#),
        add("ram_disk_id", r#"ram_disk_id = "ari-0123456789abcdef0""#),
        add("ebs_optimized", r#"ebs_optimized = "true""#),
        add("disable_api_stop", "disable_api_stop = true"),
        add("disable_api_termination", "disable_api_termination = true"),
        add("instance_initiated_shutdown_behavior", r#"instance_initiated_shutdown_behavior = "terminate""#),
        add(
            "metadata_options.http_tokens metadata_options.http_put_response_hop_limit metadata_options.http_endpoint",
            "metadata_options {\n  http_endpoint = \"enabled\"\n  http_tokens = \"required\"\n  http_put_response_hop_limit = 1\n}",
        ),
        edit("metadata_options.http_put_response_hop_limit", "hop_limit = 1", "hop_limit = 2"),
        edit(
            "metadata_options.instance_metadata_tags",
            "hop_limit = 2",
            "hop_limit = 2\n  instance_metadata_tags = \"enabled\"",
        ),
        add("monitoring.enabled", "monitoring {\n  enabled = true\n}"),
        edit("monitoring.enabled", "monitoring {\n  enabled = true", "monitoring {\n  enabled = false"),
        add("iam_instance_profile.name", "iam_instance_profile {\n  name = \"nodes\"\n}"),
        add(
            "block_device_mappings",
            "block_device_mappings {\n  device_name = \"/dev/xvda\"\n  ebs {\n    volume_size = 20\n  }\n}",
        ),
        edit("block_device_mappings", "volume_size = 20", "volume_size = 30"),
        add("placement", "placement {\n  tenancy = \"default\"\n}"),
        add(
            "tag_specifications.resource_type tag_specifications.tags",
            "tag_specifications {\n  resource_type = \"instance\"\n  tags = { Name = \"node\" }\n}",
        ),
        edit("tag_specifications.tags", r#"Name = "node""#, r#"Name = "other""#),
        add("vpc_security_group_ids", "vpc_security_group_ids = [aws_security_group.nodes.id]"),
        edit(
            "network_interfaces vpc_security_group_ids",
            "vpc_security_group_ids = [aws_security_group.nodes.id]",
            "network_interfaces {\n  security_groups = [aws_security_group.nodes.id]\n}",
        ),
        edit(
            "network_interfaces",
            "network_interfaces {",
            "network_interfaces {\n  associate_public_ip_address = \"false\"",
        ),
        add("default_version", "default_version = 2"),
        edit("update_default_version default_version", "default_version = 2", "update_default_version = true"),
        edit("description", r#""second""#, r#""third""#),
    ]
}
