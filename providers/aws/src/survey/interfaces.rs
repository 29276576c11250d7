//! Network interfaces.

use aws_sdk_ec2::types::NetworkInterface;
use sgp_contract::Sighting;
use sgp_model::Value;

use super::{Found, objects, sighting, texts};
use crate::{
    client::AwsClient,
    ec2::{self, filter},
    tags, values,
};

/// Looks at the interfaces of VPCs.
pub(super) async fn survey(client: &AwsClient, vpcs: &[String]) -> Found {
    let mut found = Found::default();
    let interfaces = ec2::network_interfaces(client, vec![filter("vpc-id", vpcs)]).await;
    found.take(interfaces, |interface| shape(client, interface));
    found
}

fn shape(client: &AwsClient, interface: &NetworkInterface) -> Sighting {
    let addresses = interface.private_ip_addresses();
    let public = addresses.iter().filter_map(|it| {
        let public = it.association().and_then(|it| it.public_ip())?;
        Some(Value::object([
            ("private_ip", values::opt_str(it.private_ip_address())),
            ("public_ip", Value::from(public)),
        ]))
    });
    let attachment = interface.attachment().map(|it| {
        Value::object([
            ("instance_id", values::opt_str(it.instance_id())),
            ("device_index", values::opt_int(it.device_index())),
        ])
    });
    sighting(
        "aws_network_interface",
        [
            ("id", values::opt_str(interface.network_interface_id())),
            ("vpc_id", values::opt_str(interface.vpc_id())),
            ("subnet_id", values::opt_str(interface.subnet_id())),
            ("interface_type", values::word(interface.interface_type())),
            ("description", values::opt_str(interface.description())),
            ("status", values::word(interface.status())),
            ("private_ip", values::opt_str(interface.private_ip_address())),
            ("private_ips", texts(addresses.iter().filter_map(|it| it.private_ip_address()))),
            ("ipv6_addresses", texts(interface.ipv6_addresses().iter().filter_map(|it| it.ipv6_address()))),
            ("ipv4_prefixes", texts(interface.ipv4_prefixes().iter().filter_map(|it| it.ipv4_prefix()))),
            ("ipv6_prefixes", texts(interface.ipv6_prefixes().iter().filter_map(|it| it.ipv6_prefix()))),
            ("security_groups", texts(interface.groups().iter().filter_map(|it| it.group_id()))),
            ("association", objects(public.collect())),
            ("tags", tags::shown(client, &tags::from_ec2(interface.tag_set()))),
            ("attachment", objects(attachment.into_iter().collect())),
        ],
    )
}
