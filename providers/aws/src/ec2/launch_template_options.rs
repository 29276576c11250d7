//! The options of a launch template that stand in small blocks of their own.

use aws_sdk_ec2::types::{
    CapacityReservationTarget, CreditSpecificationRequest, LaunchTemplateCapacityReservationSpecificationRequest,
    LaunchTemplateCpuOptionsRequest, LaunchTemplateEnclaveOptionsRequest, LaunchTemplateHibernationOptionsRequest,
    LaunchTemplateInstanceMaintenanceOptionsRequest, LaunchTemplateInstanceMarketOptionsRequest,
    LaunchTemplateLicenseConfigurationRequest, LaunchTemplateNetworkPerformanceOptionsRequest,
    LaunchTemplatePrivateDnsNameOptionsRequest, LaunchTemplateSpotMarketOptionsRequest, ResponseLaunchTemplateData,
    builders::RequestLaunchTemplateDataBuilder,
};
use aws_smithy_types::{DateTime, date_time::Format};
use sgp_model::{Attribute, Block, NestedBlock, Schema, Value};

use crate::{
    adoption::rfc3339,
    values::{self, ObjectBuilder},
};

fn text(doc: &'static str) -> Attribute {
    Attribute::string().optional().doc(doc)
}

fn number(doc: &'static str) -> Attribute {
    Attribute::number().optional().doc(doc)
}

fn flag(doc: &'static str) -> Attribute {
    Attribute::bool().optional().doc(doc)
}

/// Adds the blocks to a schema.
pub fn blocks(schema: Schema) -> Schema {
    let one = |doc, block| NestedBlock::list_of_one(block).doc(doc);
    let with = |name, attribute| Block::default().attr(name, attribute);
    schema
        .block("capacity_reservation_specification", one("Which capacity reservation is used.", capacity_reservation()))
        .block("cpu_options", one("The shape of the processors.", cpu()))
        .block(
            "credit_specification",
            one("CPU credits of a burstable type.", with("cpu_credits", text("`standard` or `unlimited`."))),
        )
        .block("enclave_options", one("Nitro Enclaves.", with("enabled", flag("Whether enclaves can be started."))))
        .block(
            "hibernation_options",
            one(
                "Hibernation.",
                with("configured", Attribute::bool().required().doc("Whether instances can hibernate.")),
            ),
        )
        .block("instance_market_options", one("Spot instances.", market()))
        .block(
            "license_specification",
            NestedBlock::set(with("license_configuration_arn", Attribute::string().required().doc("The ARN.")))
                .doc("A license configuration."),
        )
        .block(
            "maintenance_options",
            one("Maintenance.", with("auto_recovery", text("`default` or `disabled`: recovery from a broken host."))),
        )
        .block(
            "network_performance_options",
            one(
                "Bandwidth.",
                with("bandwidth_weighting", text("`default`, `vpc-1` or `ebs-1`: what more of the bandwidth is for.")),
            ),
        )
        .block("private_dns_name_options", one("Names of instances in the VPC.", names()))
}

fn capacity_reservation() -> Block {
    let target = Block::default()
        .attr("capacity_reservation_id", text("The reservation."))
        .attr("capacity_reservation_resource_group_arn", text("The resource group of reservations."));
    Block::default()
        .attr(
            "capacity_reservation_preference",
            text("`open`, `none` or `capacity-reservations-only`; not with a target."),
        )
        .block("capacity_reservation_target", NestedBlock::list_of_one(target).doc("A certain reservation."))
}

fn cpu() -> Block {
    Block::default()
        .attr("amd_sev_snp", text("`enabled` or `disabled`: encrypted memory."))
        .attr("core_count", number("How many cores."))
        .attr("nested_virtualization", text("`enabled` or `disabled`."))
        .attr("threads_per_core", number("1 or 2."))
}

fn market() -> Block {
    let spot = Block::default()
        .attr("block_duration_minutes", number("For how many minutes the instance is kept."))
        .attr("instance_interruption_behavior", text("`hibernate`, `stop` or `terminate`."))
        .attr("max_price", text("The most to be paid for an hour, in USD."))
        .attr("spot_instance_type", text("`one-time` or `persistent`."))
        .attr("valid_until", text("When the request ends, RFC 3339."));
    Block::default()
        .attr("market_type", text("`spot` or `capacity-block`; node groups have `capacity_type` instead of `spot`."))
        .block("spot_options", NestedBlock::list_of_one(spot).doc("Options of spot instances."))
}

fn names() -> Block {
    Block::default()
        .attr("enable_resource_name_dns_a_record", flag("Whether names have A records."))
        .attr("enable_resource_name_dns_aaaa_record", flag("Whether names have AAAA records."))
        .attr("hostname_type", text("`ip-name` or `resource-name`."))
}

/// Adds the options to what EC2 takes.
pub fn request(start: RequestLaunchTemplateDataBuilder, planned: &Value) -> RequestLaunchTemplateDataBuilder {
    let of = |name| values::block(planned, name);
    let cpu = of("cpu_options").map(|b| {
        LaunchTemplateCpuOptionsRequest::builder()
            .set_amd_sev_snp(values::text(b, "amd_sev_snp").map(|t| t.as_str().into()))
            .set_core_count(positive(b, "core_count"))
            .set_nested_virtualization(values::text(b, "nested_virtualization").map(|t| t.as_str().into()))
            .set_threads_per_core(positive(b, "threads_per_core"))
            .build()
    });
    let credits = of("credit_specification").and_then(|b| values::text(b, "cpu_credits"));
    let enclave = of("enclave_options").and_then(|b| values::bool_opt(b, "enabled"));
    let hibernation = of("hibernation_options").and_then(|b| values::bool_opt(b, "configured"));
    let recovery = of("maintenance_options").and_then(|b| values::text(b, "auto_recovery"));
    let weighting = of("network_performance_options").and_then(|b| values::text(b, "bandwidth_weighting"));
    let names = of("private_dns_name_options").map(|b| {
        LaunchTemplatePrivateDnsNameOptionsRequest::builder()
            .set_enable_resource_name_dns_a_record(values::bool_opt(b, "enable_resource_name_dns_a_record"))
            .set_enable_resource_name_dns_aaaa_record(values::bool_opt(b, "enable_resource_name_dns_aaaa_record"))
            .set_hostname_type(values::text(b, "hostname_type").map(|t| t.as_str().into()))
            .build()
    });
    let licenses: Vec<_> = values::blocks(planned, "license_specification")
        .into_iter()
        .map(|b| {
            LaunchTemplateLicenseConfigurationRequest::builder()
                .set_license_configuration_arn(values::text(b, "license_configuration_arn"))
                .build()
        })
        .collect();
    start
        .set_capacity_reservation_specification(of("capacity_reservation_specification").map(capacity_request))
        .set_cpu_options(cpu)
        .set_credit_specification(credits.map(|t| CreditSpecificationRequest::builder().cpu_credits(t).build()))
        .set_enclave_options(enclave.map(|on| LaunchTemplateEnclaveOptionsRequest::builder().enabled(on).build()))
        .set_hibernation_options(
            hibernation.map(|on| LaunchTemplateHibernationOptionsRequest::builder().configured(on).build()),
        )
        .set_instance_market_options(of("instance_market_options").map(market_request))
        .set_license_specifications((!licenses.is_empty()).then_some(licenses))
        .set_maintenance_options(recovery.map(|t| {
            LaunchTemplateInstanceMaintenanceOptionsRequest::builder().auto_recovery(t.as_str().into()).build()
        }))
        .set_network_performance_options(weighting.map(|t| {
            LaunchTemplateNetworkPerformanceOptionsRequest::builder().bandwidth_weighting(t.as_str().into()).build()
        }))
        .set_private_dns_name_options(names)
}

/// A number that is set; 0 stands for none, as Terraform records it.
fn positive(block: &Value, name: &str) -> Option<i32> {
    values::i32_opt(block, name).filter(|n| *n > 0)
}

fn capacity_request(block: &Value) -> LaunchTemplateCapacityReservationSpecificationRequest {
    let target = values::block(block, "capacity_reservation_target").map(|t| {
        CapacityReservationTarget::builder()
            .set_capacity_reservation_id(values::text(t, "capacity_reservation_id"))
            .set_capacity_reservation_resource_group_arn(values::text(t, "capacity_reservation_resource_group_arn"))
            .build()
    });
    LaunchTemplateCapacityReservationSpecificationRequest::builder()
        .set_capacity_reservation_preference(
            values::text(block, "capacity_reservation_preference").map(|t| t.as_str().into()),
        )
        .set_capacity_reservation_target(target)
        .build()
}

fn market_request(block: &Value) -> LaunchTemplateInstanceMarketOptionsRequest {
    let spot = values::block(block, "spot_options").map(|s| {
        let until = values::text(s, "valid_until").and_then(|t| DateTime::from_str(&t, Format::DateTime).ok());
        LaunchTemplateSpotMarketOptionsRequest::builder()
            .set_block_duration_minutes(positive(s, "block_duration_minutes"))
            .set_instance_interruption_behavior(
                values::text(s, "instance_interruption_behavior").map(|t| t.as_str().into()),
            )
            .set_max_price(values::text(s, "max_price"))
            .set_spot_instance_type(values::text(s, "spot_instance_type").map(|t| t.as_str().into()))
            .set_valid_until(until)
            .build()
    });
    LaunchTemplateInstanceMarketOptionsRequest::builder()
        .set_market_type(values::text(block, "market_type").map(|t| t.as_str().into()))
        .set_spot_options(spot)
        .build()
}

/// Sets the blocks from what EC2 answered.
#[must_use]
pub fn fill(object: ObjectBuilder, schema: &Schema, data: &ResponseLaunchTemplateData) -> ObjectBuilder {
    let block = |name: &str| &schema.block.blocks[name].block;
    let list = |name: &str, found: Option<ObjectBuilder>| {
        Value::list(block(name).ty(), found.into_iter().map(ObjectBuilder::build).collect())
    };
    // A block with one attribute.
    let single = |name: &str, attribute: &str, value: Option<Value>| {
        list(name, value.map(|value| ObjectBuilder::of_block(block(name)).set(attribute, value)))
    };
    let cpu = data.cpu_options().map(|c| {
        ObjectBuilder::of_block(block("cpu_options"))
            .set("amd_sev_snp", values::word(c.amd_sev_snp()))
            .set("core_count", values::opt_int(c.core_count()))
            .set("nested_virtualization", values::word(c.nested_virtualization()))
            .set("threads_per_core", values::opt_int(c.threads_per_core()))
    });
    let names = data.private_dns_name_options().map(|n| {
        ObjectBuilder::of_block(block("private_dns_name_options"))
            .set("enable_resource_name_dns_a_record", values::opt_bool(n.enable_resource_name_dns_a_record()))
            .set("enable_resource_name_dns_aaaa_record", values::opt_bool(n.enable_resource_name_dns_aaaa_record()))
            .set("hostname_type", values::word(n.hostname_type()))
    });
    let licenses = data.license_specifications().iter().map(|l| {
        ObjectBuilder::of_block(block("license_specification"))
            .set("license_configuration_arn", values::opt_str(l.license_configuration_arn()))
            .build()
    });
    let credits = data.credit_specification().and_then(|c| c.cpu_credits()).map(Value::from);
    let enclave = data.enclave_options().and_then(|e| e.enabled()).map(Value::from);
    let hibernation = data.hibernation_options().and_then(|h| h.configured()).map(Value::from);
    let recovery = data.maintenance_options().and_then(|m| m.auto_recovery()).map(|r| Value::from(r.as_str()));
    let weighting =
        data.network_performance_options().and_then(|n| n.bandwidth_weighting()).map(|w| Value::from(w.as_str()));
    object
        .set("capacity_reservation_specification", capacity(block("capacity_reservation_specification"), data))
        .set("cpu_options", list("cpu_options", cpu))
        .set("credit_specification", single("credit_specification", "cpu_credits", credits))
        .set("enclave_options", single("enclave_options", "enabled", enclave))
        .set("hibernation_options", single("hibernation_options", "configured", hibernation))
        .set("instance_market_options", show_market(block("instance_market_options"), data))
        .set("license_specification", Value::set(block("license_specification").ty(), licenses))
        .set("maintenance_options", single("maintenance_options", "auto_recovery", recovery))
        .set("network_performance_options", single("network_performance_options", "bandwidth_weighting", weighting))
        .set("private_dns_name_options", list("private_dns_name_options", names))
}

fn capacity(block: &Block, data: &ResponseLaunchTemplateData) -> Value {
    let inner = &block.blocks["capacity_reservation_target"].block;
    let shown = data.capacity_reservation_specification().map(|c| {
        let target = c.capacity_reservation_target().map(|t| {
            ObjectBuilder::of_block(inner)
                .set("capacity_reservation_id", values::opt_str(t.capacity_reservation_id()))
                .set(
                    "capacity_reservation_resource_group_arn",
                    values::opt_str(t.capacity_reservation_resource_group_arn()),
                )
                .build()
        });
        ObjectBuilder::of_block(block)
            .set("capacity_reservation_preference", values::word(c.capacity_reservation_preference()))
            .set("capacity_reservation_target", Value::list(inner.ty(), target.into_iter().collect()))
            .build()
    });
    Value::list(block.ty(), shown.into_iter().collect())
}

fn show_market(block: &Block, data: &ResponseLaunchTemplateData) -> Value {
    let inner = &block.blocks["spot_options"].block;
    let shown = data.instance_market_options().map(|m| {
        let spot = m.spot_options().map(|s| {
            ObjectBuilder::of_block(inner)
                .set("block_duration_minutes", values::opt_int(s.block_duration_minutes()))
                .set("instance_interruption_behavior", values::word(s.instance_interruption_behavior()))
                .set("max_price", values::opt_str(s.max_price()))
                .set("spot_instance_type", values::word(s.spot_instance_type()))
                .set("valid_until", values::opt_str(s.valid_until().map(rfc3339).as_deref()))
                .build()
        });
        ObjectBuilder::of_block(block)
            .set("market_type", values::word(m.market_type()))
            .set("spot_options", Value::list(inner.ty(), spot.into_iter().collect()))
            .build()
    });
    Value::list(block.ty(), shown.into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_ec2::types::{
        InstanceInterruptionBehavior, LaunchTemplateCpuOptions, LaunchTemplateEnclaveOptions,
        LaunchTemplateInstanceMarketOptions, LaunchTemplateSpotMarketOptions, MarketType, RequestLaunchTemplateData,
    };

    use super::*;

    #[test]
    fn options_go_there_and_back() {
        let schema = blocks(Schema::new("t", ""));
        let answered = ResponseLaunchTemplateData::builder()
            .cpu_options(LaunchTemplateCpuOptions::builder().core_count(4).threads_per_core(1).build())
            .enclave_options(LaunchTemplateEnclaveOptions::builder().enabled(true).build())
            .instance_market_options(
                LaunchTemplateInstanceMarketOptions::builder()
                    .market_type(MarketType::Spot)
                    .spot_options(
                        LaunchTemplateSpotMarketOptions::builder()
                            .max_price("0.5")
                            .instance_interruption_behavior(InstanceInterruptionBehavior::Stop)
                            .build(),
                    )
                    .build(),
            )
            .build();
        let object = fill(ObjectBuilder::new(&schema), &schema, &answered).build();
        assert_eq!(object.ty(), schema.ty());
        assert!(object.is_wholly_known());
        assert!(values::blocks(&object, "hibernation_options").is_empty());
        let sent = request(RequestLaunchTemplateData::builder(), &object).build();
        assert_eq!(sent.cpu_options().unwrap().core_count(), Some(4));
        assert_eq!(sent.enclave_options().unwrap().enabled(), Some(true));
        assert!(sent.credit_specification().is_none() && sent.capacity_reservation_specification().is_none());
        let market = sent.instance_market_options().unwrap();
        assert_eq!(market.market_type(), Some(&MarketType::Spot));
        assert_eq!(market.spot_options().unwrap().max_price(), Some("0.5"));
    }
}
