//! The content of a launch template version, from arguments to what EC2 takes and back.

use aws_sdk_ec2::types::{
    ConnectionTrackingSpecificationRequest, InstanceIpv6AddressRequest, InstanceType, Ipv4PrefixSpecificationRequest,
    Ipv6PrefixSpecificationRequest, LaunchTemplateBlockDeviceMapping, LaunchTemplateBlockDeviceMappingRequest,
    LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateHttpTokensState,
    LaunchTemplateIamInstanceProfileSpecificationRequest, LaunchTemplateInstanceMetadataEndpointState,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateInstanceMetadataProtocolIpv6,
    LaunchTemplateInstanceMetadataTagsState, LaunchTemplateInstanceNetworkInterfaceSpecification,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest, LaunchTemplatePlacementRequest,
    LaunchTemplateTagSpecificationRequest, LaunchTemplatesMonitoringRequest, PrivateIpAddressSpecification,
    RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData, ShutdownBehavior, Tag, Tenancy, VolumeType,
};
use sgp_model::{Block, Schema, Type, Value, schema::Nesting};

use crate::{
    ec2::launch_template_options,
    tags,
    values::{self, ObjectBuilder},
};

/// `"true"` and `"false"`, as Terraform's type writes bools that may be absent.
fn tristate(object: &Value, name: &str) -> Option<bool> {
    values::text(object, name).and_then(|t| t.parse().ok())
}

fn tristate_value(flag: Option<bool>) -> Value {
    values::opt_str(flag.map(|b| if b { "true" } else { "false" }))
}

fn all<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// What EC2 takes.
pub fn request(planned: &Value) -> RequestLaunchTemplateData {
    let start = launch_template_options::request(RequestLaunchTemplateData::builder(), planned);
    start
        .set_image_id(values::text(planned, "image_id"))
        .set_instance_type(values::text(planned, "instance_type").map(|t| InstanceType::from(t.as_str())))
        .set_key_name(values::text(planned, "key_name"))
        // EC2 refuses a template without any data (MissingParameter): one that says nothing says that it has no user data.
        .user_data(values::text(planned, "user_data").unwrap_or_default())
        .set_kernel_id(values::text(planned, "kernel_id"))
        .set_ram_disk_id(values::text(planned, "ram_disk_id"))
        .set_ebs_optimized(tristate(planned, "ebs_optimized"))
        .set_disable_api_stop(values::bool_opt(planned, "disable_api_stop"))
        .set_disable_api_termination(values::bool_opt(planned, "disable_api_termination"))
        .set_instance_initiated_shutdown_behavior(
            values::text(planned, "instance_initiated_shutdown_behavior").map(|t| ShutdownBehavior::from(t.as_str())),
        )
        .set_security_group_ids(values::strs_opt(planned, "vpc_security_group_ids"))
        .set_security_groups(values::strs_opt(planned, "security_group_names"))
        .set_block_device_mappings(all(values::blocks(planned, "block_device_mappings")
            .into_iter()
            .map(device)
            .collect()))
        .set_iam_instance_profile(values::block(planned, "iam_instance_profile").map(|b| {
            LaunchTemplateIamInstanceProfileSpecificationRequest::builder()
                .set_arn(values::text(b, "arn"))
                .set_name(values::text(b, "name"))
                .build()
        }))
        .set_metadata_options(values::block(planned, "metadata_options").map(metadata))
        .set_monitoring(
            values::block(planned, "monitoring").map(|b| {
                LaunchTemplatesMonitoringRequest::builder().set_enabled(values::bool_opt(b, "enabled")).build()
            }),
        )
        .set_network_interfaces(all(values::blocks(planned, "network_interfaces").into_iter().map(interface).collect()))
        .set_placement(values::block(planned, "placement").map(placement))
        .set_tag_specifications(all(values::blocks(planned, "tag_specifications")
            .into_iter()
            .map(tag_specification)
            .collect()))
        .build()
}

fn device(block: &Value) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = values::block(block, "ebs").map(|b| {
        LaunchTemplateEbsBlockDeviceRequest::builder()
            .set_delete_on_termination(tristate(b, "delete_on_termination"))
            .set_encrypted(tristate(b, "encrypted"))
            .set_iops(values::i32_opt(b, "iops").filter(|n| *n > 0))
            .set_kms_key_id(values::text(b, "kms_key_id"))
            .set_snapshot_id(values::text(b, "snapshot_id"))
            .set_throughput(values::i32_opt(b, "throughput").filter(|n| *n > 0))
            .set_volume_initialization_rate(values::i32_opt(b, "volume_initialization_rate").filter(|n| *n > 0))
            .set_volume_size(values::i32_opt(b, "volume_size").filter(|n| *n > 0))
            .set_volume_type(values::text(b, "volume_type").map(|t| VolumeType::from(t.as_str())))
            .build()
    });
    LaunchTemplateBlockDeviceMappingRequest::builder()
        .set_device_name(values::text(block, "device_name"))
        .set_no_device(values::str_opt(block, "no_device").map(str::to_owned))
        .set_virtual_name(values::text(block, "virtual_name"))
        .set_ebs(ebs)
        .build()
}

fn metadata(block: &Value) -> LaunchTemplateInstanceMetadataOptionsRequest {
    let text = |name| values::text(block, name);
    LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(text("http_endpoint").map(|t| LaunchTemplateInstanceMetadataEndpointState::from(t.as_str())))
        .set_http_tokens(text("http_tokens").map(|t| LaunchTemplateHttpTokensState::from(t.as_str())))
        .set_http_put_response_hop_limit(values::i32_opt(block, "http_put_response_hop_limit"))
        .set_http_protocol_ipv6(
            text("http_protocol_ipv6").map(|t| LaunchTemplateInstanceMetadataProtocolIpv6::from(t.as_str())),
        )
        .set_instance_metadata_tags(
            text("instance_metadata_tags").map(|t| LaunchTemplateInstanceMetadataTagsState::from(t.as_str())),
        )
        .build()
}

fn interface(block: &Value) -> LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    let listed = |name| Some(values::strs(block, name)).filter(|list| !list.is_empty());
    let tracking = values::block(block, "connection_tracking_specification").map(|c| {
        ConnectionTrackingSpecificationRequest::builder()
            .set_tcp_established_timeout(values::i32_opt(c, "tcp_established_timeout"))
            .set_udp_stream_timeout(values::i32_opt(c, "udp_stream_timeout"))
            .set_udp_timeout(values::i32_opt(c, "udp_timeout"))
            .build()
    });
    let ipv6 = |list: Vec<String>| {
        list.into_iter().map(|a| InstanceIpv6AddressRequest::builder().ipv6_address(a).build()).collect()
    };
    let ipv4 = |list: Vec<String>| {
        list.into_iter().map(|a| PrivateIpAddressSpecification::builder().private_ip_address(a).build()).collect()
    };
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .set_associate_carrier_ip_address(tristate(block, "associate_carrier_ip_address"))
        .set_connection_tracking_specification(tracking)
        .set_ipv6_addresses(listed("ipv6_addresses").map(ipv6))
        .set_private_ip_addresses(listed("ipv4_addresses").map(ipv4))
        .set_ipv4_prefixes(listed("ipv4_prefixes").map(|list| {
            list.into_iter().map(|p| Ipv4PrefixSpecificationRequest::builder().ipv4_prefix(p).build()).collect()
        }))
        .set_ipv6_prefixes(listed("ipv6_prefixes").map(|list| {
            list.into_iter().map(|p| Ipv6PrefixSpecificationRequest::builder().ipv6_prefix(p).build()).collect()
        }))
        .set_ipv4_prefix_count(values::i32_opt(block, "ipv4_prefix_count").filter(|n| *n > 0))
        .set_ipv6_prefix_count(values::i32_opt(block, "ipv6_prefix_count").filter(|n| *n > 0))
        .set_primary_ipv6(tristate(block, "primary_ipv6"))
        .set_associate_public_ip_address(tristate(block, "associate_public_ip_address"))
        .set_delete_on_termination(tristate(block, "delete_on_termination"))
        .set_description(values::text(block, "description"))
        .device_index(values::i32_opt(block, "device_index").unwrap_or_default())
        .set_interface_type(values::text(block, "interface_type"))
        .set_secondary_private_ip_address_count(values::i32_opt(block, "ipv4_address_count").filter(|n| *n > 0))
        .set_ipv6_address_count(values::i32_opt(block, "ipv6_address_count").filter(|n| *n > 0))
        .set_network_card_index(values::i32_opt(block, "network_card_index"))
        .set_network_interface_id(values::text(block, "network_interface_id"))
        .set_private_ip_address(values::text(block, "private_ip_address"))
        .set_groups(values::strs_opt(block, "security_groups"))
        .set_subnet_id(values::text(block, "subnet_id"))
        .build()
}

fn placement(block: &Value) -> LaunchTemplatePlacementRequest {
    LaunchTemplatePlacementRequest::builder()
        .set_affinity(values::text(block, "affinity"))
        .set_availability_zone(values::text(block, "availability_zone"))
        .set_group_name(values::text(block, "group_name"))
        .set_host_id(values::text(block, "host_id"))
        .set_host_resource_group_arn(values::text(block, "host_resource_group_arn"))
        .set_partition_number(values::i32_opt(block, "partition_number").filter(|n| *n > 0))
        .set_spread_domain(values::text(block, "spread_domain"))
        .set_tenancy(values::text(block, "tenancy").map(|t| Tenancy::from(t.as_str())))
        .build()
}

fn tag_specification(block: &Value) -> LaunchTemplateTagSpecificationRequest {
    let tags = values::str_map(block, "tags").into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build());
    LaunchTemplateTagSpecificationRequest::builder()
        .set_resource_type(values::text(block, "resource_type").map(|t| ResourceType::from(t.as_str())))
        .set_tags(Some(tags.collect()))
        .build()
}

/// Sets the versioned arguments from what EC2 answered.
#[must_use]
pub fn fill(object: ObjectBuilder, schema: &Schema, data: &ResponseLaunchTemplateData) -> ObjectBuilder {
    let list = |name: &str, elements: Vec<Value>| Value::list(nested(&schema.block, name).ty(), elements);
    let set = |texts: &[String]| {
        if texts.is_empty() {
            Value::null(Type::set(Type::String))
        } else {
            values::string_set(texts.iter().map(String::as_str))
        }
    };
    let devices =
        data.block_device_mappings().iter().map(|d| show_device(nested(&schema.block, "block_device_mappings"), d));
    let interfaces =
        data.network_interfaces().iter().map(|i| show_interface(nested(&schema.block, "network_interfaces"), i));
    let specifications = data.tag_specifications().iter().map(|t| {
        ObjectBuilder::of_block(nested(&schema.block, "tag_specifications"))
            .set("resource_type", values::word(t.resource_type()))
            .set("tags", values::string_map(tags::from_ec2(t.tags())))
            .build()
    });
    let profile = data.iam_instance_profile().map(|p| {
        ObjectBuilder::of_block(nested(&schema.block, "iam_instance_profile"))
            .set("arn", values::opt_str(p.arn()))
            .set("name", values::opt_str(p.name()))
            .build()
    });
    let metadata = data.metadata_options().map(|m| {
        ObjectBuilder::of_block(nested(&schema.block, "metadata_options"))
            .set("http_endpoint", values::word(m.http_endpoint()))
            .set("http_tokens", values::word(m.http_tokens()))
            .set("http_put_response_hop_limit", values::opt_int(m.http_put_response_hop_limit()))
            .set("http_protocol_ipv6", values::word(m.http_protocol_ipv6()))
            .set("instance_metadata_tags", values::word(m.instance_metadata_tags()))
            .build()
    });
    let monitoring = data.monitoring().map(|m| {
        ObjectBuilder::of_block(nested(&schema.block, "monitoring"))
            .set("enabled", values::opt_bool(m.enabled()))
            .build()
    });
    let placement = data.placement().map(|p| {
        ObjectBuilder::of_block(nested(&schema.block, "placement"))
            .set("affinity", values::opt_str(p.affinity()))
            .set("availability_zone", values::opt_str(p.availability_zone()))
            .set("group_name", values::opt_str(p.group_name()))
            .set("host_id", values::opt_str(p.host_id()))
            .set("host_resource_group_arn", values::opt_str(p.host_resource_group_arn()))
            .set("partition_number", values::opt_int(p.partition_number()))
            .set("spread_domain", values::opt_str(p.spread_domain()))
            .set("tenancy", values::word(p.tenancy()))
            .build()
    });
    launch_template_options::fill(object, schema, data)
        .set("image_id", values::opt_str(data.image_id()))
        .set("instance_type", values::word(data.instance_type()))
        .set("key_name", values::opt_str(data.key_name()))
        .set("user_data", values::opt_str(data.user_data()))
        .set("kernel_id", values::opt_str(data.kernel_id()))
        .set("ram_disk_id", values::opt_str(data.ram_disk_id()))
        .set("ebs_optimized", tristate_value(data.ebs_optimized()))
        .set("disable_api_stop", values::opt_bool(data.disable_api_stop()))
        .set("disable_api_termination", values::opt_bool(data.disable_api_termination()))
        .set("instance_initiated_shutdown_behavior", values::word(data.instance_initiated_shutdown_behavior()))
        .set("vpc_security_group_ids", set(data.security_group_ids()))
        .set("security_group_names", set(data.security_groups()))
        .set("block_device_mappings", list("block_device_mappings", devices.collect()))
        .set("iam_instance_profile", list("iam_instance_profile", profile.into_iter().collect()))
        .set("metadata_options", list("metadata_options", metadata.into_iter().collect()))
        .set("monitoring", list("monitoring", monitoring.into_iter().collect()))
        .set("network_interfaces", list("network_interfaces", interfaces.collect()))
        .set("placement", list("placement", placement.into_iter().collect()))
        .set("tag_specifications", list("tag_specifications", specifications.collect()))
}

/// The content of a nested list block that the schema is known to have.
fn nested<'a>(block: &'a Block, name: &str) -> &'a Block {
    let nested = block.blocks.get(name).expect("the schema of launch templates has this block");
    debug_assert_eq!(nested.nesting, Nesting::List);
    &nested.block
}

fn show_device(block: &Block, device: &LaunchTemplateBlockDeviceMapping) -> Value {
    let inner = nested(block, "ebs");
    let ebs = device.ebs().map(|e| {
        ObjectBuilder::of_block(inner)
            .set("delete_on_termination", tristate_value(e.delete_on_termination()))
            .set("encrypted", tristate_value(e.encrypted()))
            .set("iops", values::opt_int(e.iops()))
            .set("kms_key_id", values::opt_str(e.kms_key_id()))
            .set("snapshot_id", values::opt_str(e.snapshot_id()))
            .set("throughput", values::opt_int(e.throughput()))
            .set("volume_initialization_rate", values::opt_int(e.volume_initialization_rate()))
            .set("volume_size", values::opt_int(e.volume_size()))
            .set("volume_type", values::word(e.volume_type()))
            .build()
    });
    ObjectBuilder::of_block(block)
        .set("device_name", values::opt_str(device.device_name()))
        .set("no_device", values::opt_str(device.no_device()))
        .set("virtual_name", values::opt_str(device.virtual_name()))
        .set("ebs", Value::list(inner.ty(), ebs.into_iter().collect()))
        .build()
}

fn show_interface(block: &Block, i: &LaunchTemplateInstanceNetworkInterfaceSpecification) -> Value {
    let groups = if i.groups().is_empty() {
        Value::null(Type::set(Type::String))
    } else {
        values::string_set(i.groups().iter().map(String::as_str))
    };
    let set = |texts: Vec<&str>| {
        if texts.is_empty() { Value::null(Type::set(Type::String)) } else { values::string_set(texts) }
    };
    let inner = nested(block, "connection_tracking_specification");
    let tracking = i.connection_tracking_specification().map(|c| {
        ObjectBuilder::of_block(inner)
            .set("tcp_established_timeout", values::opt_int(c.tcp_established_timeout()))
            .set("udp_stream_timeout", values::opt_int(c.udp_stream_timeout()))
            .set("udp_timeout", values::opt_int(c.udp_timeout()))
            .build()
    });
    let ipv4 = i.private_ip_addresses().iter().filter(|a| a.primary() != Some(true));
    ObjectBuilder::of_block(block)
        .set("associate_carrier_ip_address", tristate_value(i.associate_carrier_ip_address()))
        .set("connection_tracking_specification", Value::list(inner.ty(), tracking.into_iter().collect()))
        .set("ipv4_addresses", set(ipv4.filter_map(|a| a.private_ip_address()).collect()))
        .set("ipv4_prefix_count", values::opt_int(i.ipv4_prefix_count()))
        .set("ipv4_prefixes", set(i.ipv4_prefixes().iter().filter_map(|p| p.ipv4_prefix()).collect()))
        .set("ipv6_addresses", set(i.ipv6_addresses().iter().filter_map(|a| a.ipv6_address()).collect()))
        .set("ipv6_prefix_count", values::opt_int(i.ipv6_prefix_count()))
        .set("ipv6_prefixes", set(i.ipv6_prefixes().iter().filter_map(|p| p.ipv6_prefix()).collect()))
        .set("primary_ipv6", tristate_value(i.primary_ipv6()))
        .set("associate_public_ip_address", tristate_value(i.associate_public_ip_address()))
        .set("delete_on_termination", tristate_value(i.delete_on_termination()))
        .set("description", values::opt_str(i.description()))
        .set("device_index", values::opt_int(i.device_index()))
        .set("interface_type", values::opt_str(i.interface_type()))
        .set("ipv4_address_count", values::opt_int(i.secondary_private_ip_address_count()))
        .set("ipv6_address_count", values::opt_int(i.ipv6_address_count()))
        .set("network_card_index", values::opt_int(i.network_card_index()))
        .set("network_interface_id", values::opt_str(i.network_interface_id()))
        .set("private_ip_address", values::opt_str(i.private_ip_address()))
        .set("security_groups", groups)
        .set("subnet_id", values::opt_str(i.subnet_id()))
        .build()
}
