//! `data.aws_subnet`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{PrivateDnsNameOptionsOnLaunch, Subnet, SubnetCidrBlockStateCode};
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use crate::{
    client::AwsClient,
    ec2::{self, filter, lookup, subnet},
    tags,
    values::{self, ObjectBuilder},
};

/// One subnet.
#[derive(Debug)]
pub struct AwsSubnet;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = |doc| Attribute::string().computed().doc(doc);
    let flag = |doc| Attribute::bool().computed().doc(doc);
    let number = |doc| Attribute::number().computed().doc(doc);
    Schema::new("aws_subnet", "One subnet that exists.")
        .attr("id", text("The subnet's id.").optional())
        .attr("vpc_id", text("The VPC of the subnet.").optional())
        .attr("cidr_block", text("The IPv4 range.").optional())
        .attr("ipv6_cidr_block", text("The IPv6 range.").optional())
        .attr("availability_zone", text("The zone's name in this account: `eu-central-1a`.").optional())
        .attr("availability_zone_id", text("The zone's id in every account: `euc1-az2`.").optional())
        .attr("default_for_az", flag("Whether it is the zone's default subnet.").optional())
        .attr("state", text("`available` or `pending`.").optional())
        .attr(
            "tags",
            Attribute::string_map()
                .optional_computed()
                .doc("Tags that the subnet has (as an argument: at least these)."),
        )
        .attr("arn", text("The subnet's ARN."))
        .attr("owner_id", text("The account that owns the subnet."))
        .attr("outpost_arn", text("The Outpost it lies on."))
        .attr("available_ip_address_count", number("How many IPv4 addresses are free."))
        .attr("assign_ipv6_address_on_creation", flag("Whether new interfaces get an IPv6 address."))
        .attr("map_public_ip_on_launch", flag("Whether new instances get a public IPv4 address."))
        .attr("map_customer_owned_ip_on_launch", flag("Whether new interfaces get a customer-owned address."))
        .attr("customer_owned_ipv4_pool", text("The pool of customer-owned addresses."))
        .attr("enable_dns64", flag("Whether the resolver synthesises IPv6 answers for IPv4 names."))
        .attr("enable_lni_at_device_index", number("The device index of local network interfaces."))
        .attr("enable_resource_name_dns_a_record_on_launch", flag("Whether instance names have A records."))
        .attr("enable_resource_name_dns_aaaa_record_on_launch", flag("Whether instance names have AAAA records."))
        .attr("private_dns_hostname_type_on_launch", text("`ip-name` or `resource-name`."))
        .attr("ipv6_native", flag("Whether it has IPv6 only."))
        .attr("ipv6_cidr_block_association_id", text("The association of the IPv6 range."))
        .block("filter", ec2::filter_block())
        .unsupported(&["region"])
        .timeouts(&[("read", 1200)])
        .iam_actions(&["ec2:DescribeSubnets"])
        .example("data \"aws_subnet\" \"a\" {\n  id = \"subnet-0123456789abcdef0\"\n}\n")
});

/// Arguments that stand for filters of `DescribeSubnets`.
const ARGUMENTS: [(&str, &str); 8] = [
    ("id", "subnet-id"),
    ("vpc_id", "vpc-id"),
    ("cidr_block", "cidr-block"),
    ("ipv6_cidr_block", "ipv6-cidr-block-association.ipv6-cidr-block"),
    ("availability_zone", "availability-zone"),
    ("availability_zone_id", "availability-zone-id"),
    ("default_for_az", "default-for-az"),
    ("state", "state"),
];

#[async_trait]
impl DataSource for AwsSubnet {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let client = AwsClient::of(client);
        let more: Vec<&str> =
            ARGUMENTS.iter().map(|(name, _)| *name).filter(|n| *n != "id").chain(["tags", "filter"]).collect();
        let found = lookup::each_one(
            requests,
            "subnet",
            &more,
            |ids: Vec<String>| async move { subnet::subnets(client, vec![filter("subnet-id", ids)]).await },
            |subnet| subnet.subnet_id.clone(),
            |config| subnet::subnets(client, ec2::filters(config, &ARGUMENTS)),
        )
        .await;
        found.into_iter().zip(requests).map(|(subnet, r)| Ok(object(client, &subnet?, r.config))).collect()
    }
}

fn object(client: &AwsClient, subnet: &Subnet, config: &Value) -> Value {
    let associated = |a: &&aws_sdk_ec2::types::SubnetIpv6CidrBlockAssociation| {
        a.ipv6_cidr_block_state().and_then(|s| s.state()) == Some(&SubnetCidrBlockStateCode::Associated)
    };
    let ipv6 = subnet.ipv6_cidr_block_association_set().iter().find(associated);
    let names = subnet.private_dns_name_options_on_launch();
    ObjectBuilder::carrying(&SCHEMA, config)
        .set("id", values::opt_str(subnet.subnet_id()))
        .set("vpc_id", values::opt_str(subnet.vpc_id()))
        .set("cidr_block", values::opt_str(subnet.cidr_block()))
        .set("ipv6_cidr_block", values::opt_str(ipv6.and_then(|a| a.ipv6_cidr_block())))
        .set("ipv6_cidr_block_association_id", values::opt_str(ipv6.and_then(|a| a.association_id())))
        .set("availability_zone", values::opt_str(subnet.availability_zone()))
        .set("availability_zone_id", values::opt_str(subnet.availability_zone_id()))
        .set("default_for_az", values::opt_bool(subnet.default_for_az()))
        .set("state", values::word(subnet.state()))
        .set("tags", tags::shown(client, &tags::from_ec2(subnet.tags())))
        .set("arn", values::opt_str(subnet.subnet_arn()))
        .set("owner_id", values::opt_str(subnet.owner_id()))
        .set("outpost_arn", values::opt_str(subnet.outpost_arn()))
        .set("available_ip_address_count", values::opt_int(subnet.available_ip_address_count()))
        .set("assign_ipv6_address_on_creation", values::opt_bool(subnet.assign_ipv6_address_on_creation()))
        .set("map_public_ip_on_launch", values::opt_bool(subnet.map_public_ip_on_launch()))
        .set("map_customer_owned_ip_on_launch", values::opt_bool(subnet.map_customer_owned_ip_on_launch()))
        .set("customer_owned_ipv4_pool", values::opt_str(subnet.customer_owned_ipv4_pool()))
        .set("enable_dns64", values::opt_bool(subnet.enable_dns64()))
        .set("enable_lni_at_device_index", values::opt_int(subnet.enable_lni_at_device_index()))
        .set(
            "enable_resource_name_dns_a_record_on_launch",
            values::opt_bool(names.and_then(PrivateDnsNameOptionsOnLaunch::enable_resource_name_dns_a_record)),
        )
        .set(
            "enable_resource_name_dns_aaaa_record_on_launch",
            values::opt_bool(names.and_then(PrivateDnsNameOptionsOnLaunch::enable_resource_name_dns_aaaa_record)),
        )
        .set("private_dns_hostname_type_on_launch", values::word(names.and_then(|n| n.hostname_type())))
        .set("ipv6_native", values::opt_bool(subnet.ipv6_native()))
        .build()
}
