//! VPCs and subnets.

use super::ec2;
use crate::case::{Case, add, edit, id, text};

pub fn vpc() -> Case {
    Case {
        name: "aws_vpc",
        around: "",
        body: r#"cidr_block = "10.40.0.0/16""#,
        updates: vec![
            add("enable_dns_hostnames", "enable_dns_hostnames = true"),
            edit("enable_dns_hostnames", "enable_dns_hostnames = true", "enable_dns_hostnames = false"),
            add("enable_dns_support", "enable_dns_support = false"),
            add("enable_network_address_usage_metrics", "enable_network_address_usage_metrics = true"),
            add("assign_generated_ipv6_cidr_block", "assign_generated_ipv6_cidr_block = true"),
            edit("assign_generated_ipv6_cidr_block", "assign_generated_ipv6_cidr_block = true", ""),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"a = "2", b = "3""#),
            edit("tags", r#"a = "2", "#, ""),
        ],
        replacements: vec![
            edit("cidr_block", "10.40.0.0/16", "10.41.0.0/16"),
            add("instance_tenancy", r#"instance_tenancy = "dedicated""#),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| ec2(world, "DeleteVpc", &[("VpcId", text(object, "id"))])),
        beside: &[],
    }
}

pub fn subnet() -> Case {
    Case {
        name: "aws_subnet",
        around: r#"
resource "aws_vpc" "one" {
  cidr_block                       = "10.42.0.0/16"
  assign_generated_ipv6_cidr_block = true
}

resource "aws_vpc" "two" {
  cidr_block                       = "10.42.0.0/16"
  assign_generated_ipv6_cidr_block = true
}
"#,
        body: r#"
vpc_id     = aws_vpc.one.id
cidr_block = "10.42.1.0/24"
"#,
        updates: vec![
            add("map_public_ip_on_launch", "map_public_ip_on_launch = true"),
            edit("map_public_ip_on_launch", "map_public_ip_on_launch = true", ""),
            add("ipv6_cidr_block", "ipv6_cidr_block = cidrsubnet(aws_vpc.one.ipv6_cidr_block, 8, 1)"),
            add("assign_ipv6_address_on_creation", "assign_ipv6_address_on_creation = true"),
            add("enable_dns64", "enable_dns64 = true"),
            add(
                "enable_resource_name_dns_aaaa_record_on_launch",
                "enable_resource_name_dns_aaaa_record_on_launch = true",
            ),
            edit("ipv6_cidr_block", ", 8, 1)", ", 8, 2)"),
            edit(
                "ipv6_cidr_block assign_ipv6_address_on_creation enable_dns64 enable_resource_name_dns_aaaa_record_on_launch",
                "ipv6_cidr_block = cidrsubnet(aws_vpc.one.ipv6_cidr_block, 8, 2)\nassign_ipv6_address_on_creation = true\nenable_dns64 = true\nenable_resource_name_dns_aaaa_record_on_launch = true",
                "",
            ),
            add("enable_resource_name_dns_a_record_on_launch", "enable_resource_name_dns_a_record_on_launch = true"),
            add("private_dns_hostname_type_on_launch", r#"private_dns_hostname_type_on_launch = "resource-name""#),
            add("tags", r#"tags = { a = "1" }"#),
            edit("tags", r#"a = "1""#, r#"b = "2""#),
        ],
        replacements: vec![
            edit("cidr_block", "10.42.1.0/24", "10.42.2.0/24"),
            edit("vpc_id", "aws_vpc.one.id", "aws_vpc.two.id"),
            add("availability_zone", r#"availability_zone = "us-east-1b""#),
            edit("availability_zone_id", r#"availability_zone = "us-east-1b""#, r#"availability_zone_id = "use1-az3""#),
        ],
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| ec2(world, "DeleteSubnet", &[("SubnetId", text(object, "id"))])),
        beside: &[("ipv6_native", "neither world has subnets without IPv4")],
    }
}
