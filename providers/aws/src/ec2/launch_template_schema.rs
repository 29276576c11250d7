//! The blocks of `aws_launch_template`.

use sgp_model::{Attribute, Block, NestedBlock, Schema};

/// The arguments that make up a version of a template: a change of any of them makes a new version.
pub const VERSIONED: &[&str] = &[
    "block_device_mappings",
    "capacity_reservation_specification",
    "cpu_options",
    "credit_specification",
    "description",
    "disable_api_stop",
    "disable_api_termination",
    "ebs_optimized",
    "enclave_options",
    "hibernation_options",
    "iam_instance_profile",
    "image_id",
    "instance_initiated_shutdown_behavior",
    "instance_market_options",
    "instance_type",
    "kernel_id",
    "key_name",
    "license_specification",
    "maintenance_options",
    "metadata_options",
    "monitoring",
    "network_interfaces",
    "network_performance_options",
    "placement",
    "private_dns_name_options",
    "ram_disk_id",
    "security_group_names",
    "tag_specifications",
    "user_data",
    "vpc_security_group_ids",
];

fn text(doc: &'static str) -> Attribute {
    Attribute::string().optional().doc(doc)
}

fn number(doc: &'static str) -> Attribute {
    Attribute::number().optional().doc(doc)
}

/// Adds the versioned arguments to a schema.
pub fn attributes(schema: Schema) -> Schema {
    schema
        .attr("description", text("What this version is for."))
        .attr("image_id", text("The AMI, or `resolve:ssm:...`."))
        .attr("instance_type", text("The instance type: `m5.large`."))
        .attr("key_name", text("The key pair for SSH."))
        .attr("user_data", text("User data, base64-encoded."))
        .attr("kernel_id", text("The kernel."))
        .attr("ram_disk_id", text("The RAM disk."))
        .attr("ebs_optimized", text("`true` or `false`: whether EBS traffic has bandwidth of its own."))
        .attr(
            "disable_api_stop",
            Attribute::bool().optional().doc("Whether instances are protected from being stopped."),
        )
        .attr(
            "disable_api_termination",
            Attribute::bool().optional().doc("Whether instances are protected from termination."),
        )
        .attr("instance_initiated_shutdown_behavior", text("`stop` or `terminate`."))
        .attr(
            "vpc_security_group_ids",
            Attribute::string_set().optional().doc("Ids of security groups; not with `network_interfaces`."),
        )
        .attr(
            "security_group_names",
            Attribute::string_set().optional().doc("Names of security groups of the default VPC."),
        )
        .block("block_device_mappings", NestedBlock::list(block_device()).doc("Volumes."))
        .block(
            "iam_instance_profile",
            NestedBlock::list_of_one(profile()).doc("The instance profile, by ARN or by name."),
        )
        .block("metadata_options", NestedBlock::list_of_one(metadata()).doc("How instances reach their metadata."))
        .block(
            "monitoring",
            NestedBlock::list_of_one(
                Block::default()
                    .attr("enabled", Attribute::bool().optional().doc("Whether metrics are taken every minute.")),
            )
            .doc("Detailed monitoring."),
        )
        .block("network_interfaces", NestedBlock::list(interface()).doc("Network interfaces."))
        .block("placement", NestedBlock::list_of_one(placement()).doc("Where instances are placed."))
        .block(
            "tag_specifications",
            NestedBlock::list(tag_specification()).doc("Tags of what an instance launch makes."),
        )
}

fn block_device() -> Block {
    let ebs = Block::default()
        .attr("delete_on_termination", text("`true` or `false`: whether the volume goes with the instance."))
        .attr("encrypted", text("`true` or `false`."))
        .attr("iops", number("I/O operations a second.").optional_computed())
        .attr("kms_key_id", text("The ARN of the KMS key."))
        .attr("snapshot_id", text("The snapshot that the volume begins with."))
        .attr("throughput", number("MiB a second, for gp3.").optional_computed())
        .attr("volume_initialization_rate", number("MiB a second at which the snapshot is loaded."))
        .attr("volume_size", number("GiB.").optional_computed())
        .attr("volume_type", text("`gp3`, `io2`, ...").optional_computed());
    Block::default()
        .attr("device_name", text("The device: `/dev/xvda`."))
        .attr("no_device", text("An empty text to leave out the image's device."))
        .attr("virtual_name", text("An instance store volume: `ephemeral0`."))
        .block("ebs", NestedBlock::list_of_one(ebs).doc("An EBS volume."))
}

fn profile() -> Block {
    Block::default().attr("arn", text("The profile's ARN.")).attr("name", text("The profile's name."))
}

fn metadata() -> Block {
    Block::default()
        .attr("http_endpoint", text("`enabled` or `disabled`.").optional_computed())
        .attr("http_tokens", text("`required` (IMDSv2 only) or `optional`.").optional_computed())
        .attr(
            "http_put_response_hop_limit",
            number("Hops that an answer may take, 1 to 64; pods need 2.").optional_computed(),
        )
        .attr("http_protocol_ipv6", text("`enabled` or `disabled`.").optional_computed())
        .attr("instance_metadata_tags", text("`enabled` or `disabled`.").optional_computed())
}

fn interface() -> Block {
    let set = |doc| Attribute::string_set().optional().doc(doc);
    let tracking = Block::default()
        .attr("tcp_established_timeout", number("Seconds until an idle TCP connection is forgotten."))
        .attr("udp_stream_timeout", number("Seconds for a UDP stream."))
        .attr("udp_timeout", number("Seconds for a UDP flow in one direction."));
    Block::default()
        .block(
            "connection_tracking_specification",
            NestedBlock::list_of_one(tracking).doc("How long security groups remember connections."),
        )
        .attr("associate_carrier_ip_address", text("`true` or `false`, in a Wavelength zone."))
        .attr("ipv4_addresses", set("Secondary IPv4 addresses."))
        .attr("ipv4_prefix_count", number("How many IPv4 prefixes."))
        .attr("ipv4_prefixes", set("IPv4 prefixes."))
        .attr("ipv6_addresses", set("IPv6 addresses."))
        .attr("ipv6_prefix_count", number("How many IPv6 prefixes."))
        .attr("ipv6_prefixes", set("IPv6 prefixes."))
        .attr("primary_ipv6", text("`true` or `false`: whether the first IPv6 address stays the first."))
        .attr("associate_public_ip_address", text("`true` or `false`."))
        .attr("delete_on_termination", text("`true` or `false`."))
        .attr("description", text("A description."))
        .attr("device_index", number("The interface's place on the instance."))
        .attr("interface_type", text("`interface`, `efa`, ..."))
        .attr("ipv4_address_count", number("How many secondary IPv4 addresses."))
        .attr("ipv6_address_count", number("How many IPv6 addresses."))
        .attr("network_card_index", number("The network card."))
        .attr("network_interface_id", text("An interface that exists."))
        .attr("private_ip_address", text("The primary IPv4 address."))
        .attr("security_groups", Attribute::string_set().optional().doc("Ids of security groups."))
        .attr("subnet_id", text("The subnet."))
}

fn placement() -> Block {
    Block::default()
        .attr("affinity", text("The affinity to a dedicated host."))
        .attr("availability_zone", text("The zone."))
        .attr("group_name", text("The placement group."))
        .attr("host_id", text("The dedicated host."))
        .attr("host_resource_group_arn", text("The host resource group."))
        .attr("partition_number", number("The partition of the group."))
        .attr("spread_domain", text("Kept by AWS for later."))
        .attr("tenancy", text("`default`, `dedicated` or `host`."))
}

fn tag_specification() -> Block {
    Block::default()
        .attr("resource_type", text("`instance`, `volume`, `network-interface`, ..."))
        .attr("tags", Attribute::string_map().optional().doc("The tags."))
}
