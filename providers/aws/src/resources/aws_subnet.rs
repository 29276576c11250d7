//! `aws_subnet`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::{
    operation::modify_subnet_attribute::builders::ModifySubnetAttributeFluentBuilder,
    types::{AttributeBooleanValue, HostnameType, ResourceType as Ec2Type, Subnet, SubnetCidrBlockStateCode},
};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Type, Value, schema::Semantics, state::Intent};

use crate::{
    attempts::Attempts,
    client::AwsClient,
    ec2::{
        addresses::{self, Family},
        creation, filter, object, subnet,
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::Checks,
    naming, tags,
    values::{self, ObjectBuilder, changed},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsSubnet;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let flag = |doc| Attribute::bool().default(false).doc(doc);
    let schema = Schema::new("aws_subnet", "A subnet of a VPC.")
        .version(1)
        .attr("arn", Attribute::string().computed().doc("The subnet's ARN."))
        .attr("assign_ipv6_address_on_creation", flag("Whether interfaces in it get an IPv6 address."))
        .attr(
            "availability_zone",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The zone: `eu-central-1a`. AWS chooses when absent."),
        )
        .attr(
            "availability_zone_id",
            Attribute::string()
                .optional_computed()
                .force_new()
                .doc("The zone by its id, which means the same in every account: `euc1-az1`."),
        )
        .attr(
            "cidr_block",
            Attribute::string()
                .optional()
                .force_new()
                .semantics(Semantics::Cidr)
                .doc("The IPv4 addresses, a part of the VPC's: /16 to /28."),
        )
        .attr(
            "enable_dns64",
            flag("Whether the resolver answers made-up IPv6 addresses for names that have IPv4 ones only."),
        )
        .attr(
            "enable_resource_name_dns_a_record_on_launch",
            flag("Whether the names of instances resolve to IPv4 addresses."),
        )
        .attr(
            "enable_resource_name_dns_aaaa_record_on_launch",
            flag("Whether the names of instances resolve to IPv6 addresses."),
        )
        .attr("id", Attribute::string().computed().doc("The subnet's id: `subnet-...`."))
        .attr(
            "ipv6_cidr_block",
            Attribute::string()
                .optional()
                .semantics(Semantics::Cidr)
                .doc("The IPv6 addresses, a part of the VPC's: /44 to /64 in steps of 4."),
        )
        .attr(
            "ipv6_cidr_block_association_id",
            Attribute::string().computed().follows(&["ipv6_cidr_block"]).doc("The association of the IPv6 block."),
        )
        .attr("ipv6_native", Attribute::bool().default(false).force_new().doc("Whether it has IPv6 addresses only."))
        .attr(
            "map_public_ip_on_launch",
            flag("Whether instances in it get a public IPv4 address. Pods with groups of their own never do."),
        )
        .attr("owner_id", Attribute::string().computed().doc("The account that owns the subnet."))
        .attr(
            "private_dns_hostname_type_on_launch",
            Attribute::string().optional_computed().doc("How instances are named: `ip-name` or `resource-name`."),
        )
        .attr("vpc_id", Attribute::string().required().force_new().doc("The VPC."));
    tags::attributes(schema)
        .unsupported(&[
            "customer_owned_ipv4_pool",
            "enable_lni_at_device_index",
            "ipv4_ipam_pool_id",
            "ipv4_netmask_length",
            "ipv6_ipam_pool_id",
            "ipv6_netmask_length",
            "map_customer_owned_ip_on_launch",
            "outpost_arn",
            "region",
        ])
        .timeouts(&[("create", 600), ("delete", 1200)])
        .iam_actions(&[
            "ec2:AssociateSubnetCidrBlock",
            "ec2:CreateSubnet",
            "ec2:CreateTags",
            "ec2:DeleteSubnet",
            "ec2:DeleteTags",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DisassociateSubnetCidrBlock",
            "ec2:ModifySubnetAttribute",
        ])
        .example(
            "resource \"aws_subnet\" \"private\" {\n  vpc_id            = aws_vpc.main.id\n  cidr_block        = \"10.0.1.0/24\"\n  \
             availability_zone = \"eu-central-1a\"\n}\n",
        )
});

/// EC2 changes one of these in a call.
const FLAGS: [&str; 5] = [
    "assign_ipv6_address_on_creation",
    "enable_dns64",
    "enable_resource_name_dns_a_record_on_launch",
    "enable_resource_name_dns_aaaa_record_on_launch",
    "map_public_ip_on_launch",
];

#[async_trait]
impl ResourceType for AwsSubnet {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        let planned = response.planned.as_ref().unwrap_or(request.proposed);
        // Of the two ways to name the zone, the one that is not said follows the other.
        if !request.prior.is_null() {
            for (said, other) in
                [("availability_zone", "availability_zone_id"), ("availability_zone_id", "availability_zone")]
            {
                if values::is_set(request.config, said) && changed(request.prior, planned, said) {
                    let silent = request.config.get(other).is_none_or(Value::is_null);
                    let open = planned.with_attr(other, Value::unknown(Type::String));
                    response.planned = Some(if silent { open } else { planned.clone() });
                    break;
                }
            }
        }
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config)
            .conflict("availability_zone", "availability_zone_id")
            .text(
                "private_dns_hostname_type_on_launch",
                |t| ["ip-name", "resource-name"].contains(&t),
                "be ip-name or resource-name",
            )
            .done();
        found.extend(addresses::mistakes(
            config,
            &[("cidr_block", Family::V4, 16..=28), ("ipv6_cidr_block", Family::V6, 44..=64)],
        ));
        let says = |name: &str| config.get(name).is_some_and(|it| !it.is_null());
        if !says("cidr_block") && !says("ipv6_cidr_block") {
            let detail = "A subnet needs `cidr_block`, or `ipv6_cidr_block` with `ipv6_native`.";
            found.push(Diagnostic::error("Subnet without addresses", detail).attribute(AttrPath::attr("cidr_block")));
        }
        found
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let fetch = |filters| subnet::subnets(client, filters);
        object::read(requests, "subnet-id", fetch, |s| s.subnet_id.clone(), |s, prior| Some(object(client, s, prior)))
            .await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(update(AwsClient::of(client), cx, prior, planned).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let (client, id) = (AwsClient::of(client), values::string(request.prior, "id"));
        let call = || async { client.ec2.delete_subnet().subnet_id(&id).send().await.call("ec2:DeleteSubnet") };
        let holders = || object::interfaces_in(client, "subnet-id", &id);
        let gone = object::delete(cx, &format!("subnet {id}"), call, holders).await;
        applied(gone.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("subnet", "subnet-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    /// Subnets of a VPC do not overlap, so the addresses tell which one it is.
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = AwsClient::of(client);
        let planned = &intent.attributes;
        let Some(subnet) = same_addresses(client, planned).await? else { return Ok(Found::Nothing) };
        let id = subnet.subnet_id().unwrap_or_default();
        if has_tags(client, &subnet, planned) {
            return Ok(creation::found(&SCHEMA, intent, &[id.to_owned()]));
        }
        let detail = format!(
            "{} has a subnet with these addresses ({id}), but its tags are not those of the subnet that was being created. If it is this \
             one, import it; otherwise choose other addresses.",
            values::string(planned, "vpc_id")
        );
        Ok(Found::Doubtful(Diagnostic::error("Is this the subnet that was being created?", detail)))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, subnet: &Subnet, prior: &Value) -> Value {
    let id = subnet.subnet_id().unwrap_or_default();
    let ipv6 = subnet
        .ipv6_cidr_block_association_set()
        .iter()
        .find(|a| a.ipv6_cidr_block_state().and_then(|s| s.state()) == Some(&SubnetCidrBlockStateCode::Associated));
    let block = addresses::spelled(subnet.cidr_block(), values::str_opt(prior, "cidr_block"));
    let block6 = addresses::spelled(ipv6.and_then(|a| a.ipv6_cidr_block()), values::str_opt(prior, "ipv6_cidr_block"));
    let names = subnet.private_dns_name_options_on_launch();
    let made = || object::arn(client, subnet.owner_id(), "subnet", id);
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", subnet.subnet_arn().map_or_else(made, str::to_owned))
        .set("assign_ipv6_address_on_creation", subnet.assign_ipv6_address_on_creation().unwrap_or_default())
        .set("availability_zone", values::opt_str(subnet.availability_zone()))
        .set("availability_zone_id", values::opt_str(subnet.availability_zone_id()))
        .set("cidr_block", values::opt_str(block))
        .set("enable_dns64", subnet.enable_dns64().unwrap_or_default())
        .set(
            "enable_resource_name_dns_a_record_on_launch",
            names.and_then(|n| n.enable_resource_name_dns_a_record()).unwrap_or_default(),
        )
        .set(
            "enable_resource_name_dns_aaaa_record_on_launch",
            names.and_then(|n| n.enable_resource_name_dns_aaaa_record()).unwrap_or_default(),
        )
        .set("id", id)
        .set("ipv6_cidr_block", values::opt_str(block6))
        .set("ipv6_cidr_block_association_id", values::non_empty(ipv6.and_then(|a| a.association_id())))
        .set("ipv6_native", subnet.ipv6_native().unwrap_or_default())
        .set("map_public_ip_on_launch", subnet.map_public_ip_on_launch().unwrap_or_default())
        .set("owner_id", values::opt_str(subnet.owner_id()))
        .set("private_dns_hostname_type_on_launch", values::word(names.and_then(|n| n.hostname_type())))
        .set("vpc_id", values::opt_str(subnet.vpc_id()));
    tags::fill(object, client, prior, &tags::from_ec2(subnet.tags())).build()
}

/// The subnet of the planned VPC that has the planned addresses.
async fn same_addresses(client: &AwsClient, planned: &Value) -> Result<Option<Subnet>, ApiError> {
    let subnets = subnet::subnets(client, vec![filter("vpc-id", [values::string(planned, "vpc_id")])]).await?;
    let is = |answered: Option<&str>, name: &str| match (answered, values::str_opt(planned, name)) {
        (Some(answered), Some(said)) => addresses::same(answered, said),
        _ => false,
    };
    Ok(subnets.into_iter().find(|it| {
        let v6 = it.ipv6_cidr_block_association_set().iter().any(|a| is(a.ipv6_cidr_block(), "ipv6_cidr_block"));
        is(it.cidr_block(), "cidr_block") || (v6 && !values::is_set(planned, "cidr_block"))
    }))
}

fn has_tags(client: &AwsClient, subnet: &Subnet, planned: &Value) -> bool {
    let carried = tags::from_ec2(subnet.tags()).into_iter().filter(|(k, _)| client.ignore_tags.shows(k));
    carried.collect::<tags::Tags>() == tags::wanted(client, planned)
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let attempts = Attempts::default();
    let call = || async {
        let tags = tags::ec2_specification(Ec2Type::Subnet, &tags::wanted(client, planned));
        let call = client
            .ec2
            .create_subnet()
            .vpc_id(values::string(planned, "vpc_id"))
            .set_cidr_block(values::text(planned, "cidr_block"))
            .set_ipv6_cidr_block(values::text(planned, "ipv6_cidr_block"))
            .set_ipv6_native(values::flag(planned, "ipv6_native").then_some(true))
            .set_availability_zone(values::text(planned, "availability_zone"))
            .set_availability_zone_id(values::text(planned, "availability_zone_id"))
            .set_tag_specifications(tags.map(|t| vec![t]));
        call.customize().interceptor(attempts.clone()).send().await.call("ec2:CreateSubnet")
    };
    let unseen = |e: &ApiError| e.is(&["InvalidVpcID.NotFound"]);
    let made = match wait::settle(cx, CONSISTENCY, unseen, call).await {
        Ok(answer) => answer.subnet,
        // An attempt before the one that was refused may have made it.
        Err(error) if error.is(&["InvalidSubnet.Conflict"]) && attempts.repeated() => {
            let same = same_addresses(client, planned).await?.filter(|it| has_tags(client, it, planned));
            Some(same.ok_or(error)?)
        }
        Err(error) => return Err(error.into()),
    };
    let id = made.and_then(|s| s.subnet_id).ok_or_else(|| creation::unnamed("ec2:CreateSubnet"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Brings a subnet that exists to what is planned.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let exists = object(client, &available(client, cx, id).await?, planned);
    modify(client, cx, id, &exists, planned).await?;
    told(client, cx, planned, id).await
}

/// Waits until the subnet and its IPv6 block are there.
async fn available(client: &AwsClient, cx: &Context, id: &str) -> Result<Subnet, Diagnostic> {
    wait::until(cx, &format!("subnet {id} to become available"), Pace::QUICK, async || {
        let Some(subnet) = subnet::subnets(client, vec![filter("subnet-id", [id])]).await?.into_iter().next() else {
            return Ok(Poll::Pending("not visible yet".to_owned()));
        };
        let blocks = subnet.ipv6_cidr_block_association_set().iter().filter_map(|a| a.ipv6_cidr_block_state()?.state());
        let on_its_way = blocks.map(AsRef::as_ref).find(|state| ["associating", "disassociating"].contains(state));
        Ok(match (subnet.state().map(AsRef::as_ref), on_its_way) {
            (Some("available") | None, None) => Poll::Ready(subnet),
            (_, Some(state)) => Poll::Pending(format!("the IPv6 block is {state}")),
            (Some(state), None) => Poll::Pending(state.to_owned()),
        })
    })
    .await
}

/// The object once EC2 shows the attributes that were asked for.
async fn told(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let what = format!("the attributes of subnet {id} to be visible");
    let shown = wait::until(cx, &what, Pace::QUICK, async || {
        let subnets = subnet::subnets(client, vec![filter("subnet-id", [id])]).await?;
        let object = subnets.first().map(|subnet| object(client, subnet, planned));
        let differs = |object: &Value| {
            FLAGS.iter().find(|name| values::is_set(planned, name) && changed(object, planned, name)).copied()
        };
        Ok(match object {
            None => Poll::Pending("not visible yet".to_owned()),
            Some(object) => match differs(&object) {
                Some(name) => Poll::Pending(format!("{name} is not visible yet")),
                None => Poll::Ready(object),
            },
        })
    });
    Ok(shown.await?)
}

/// One call for each attribute that differs; IPv6 addresses on creation need an IPv6 block, and go before it goes.
async fn modify(client: &AwsClient, cx: &Context, id: &str, exists: &Value, planned: &Value) -> Result<(), ApiError> {
    let call = || client.ec2.modify_subnet_attribute().subnet_id(id);
    let mut calls: Vec<ModifySubnetAttributeFluentBuilder> = Vec::new();
    for name in FLAGS.into_iter().filter(|name| values::is_set(planned, name) && changed(exists, planned, name)) {
        let value = AttributeBooleanValue::builder().value(values::flag(planned, name)).build();
        calls.push(match name {
            "assign_ipv6_address_on_creation" => call().assign_ipv6_address_on_creation(value),
            "enable_dns64" => call().enable_dns64(value),
            "enable_resource_name_dns_a_record_on_launch" => call().enable_resource_name_dns_a_record_on_launch(value),
            "enable_resource_name_dns_aaaa_record_on_launch" => {
                call().enable_resource_name_dns_aaaa_record_on_launch(value)
            }
            _ => call().map_public_ip_on_launch(value),
        });
    }
    let names = "private_dns_hostname_type_on_launch";
    if values::is_set(planned, names) && changed(exists, planned, names) {
        let kind = HostnameType::from(values::str_opt(planned, names).unwrap_or_default());
        calls.push(call().private_dns_hostname_type_on_launch(kind));
    }
    for call in calls {
        object::with_new(cx, || async { call.clone().send().await.call("ec2:ModifySubnetAttribute") }).await?;
    }
    Ok(())
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    let moves = changed(prior, planned, "ipv6_cidr_block");
    if moves && let Some(association) = values::text(prior, "ipv6_cidr_block_association_id") {
        let without = prior.with_attr("assign_ipv6_address_on_creation", false.into());
        if values::flag(prior, "assign_ipv6_address_on_creation") {
            modify(client, cx, &id, prior, &without).await?;
        }
        let call = || async {
            let call = client.ec2.disassociate_subnet_cidr_block().association_id(&association);
            call.send().await.call("ec2:DisassociateSubnetCidrBlock")
        };
        let holders = || object::interfaces_in(client, "subnet-id", &id);
        object::delete(cx, &format!("the IPv6 block of {id}"), call, holders).await?;
        available(client, cx, &id).await?;
    }
    if moves && let Some(block) = values::text(planned, "ipv6_cidr_block") {
        let call = client.ec2.associate_subnet_cidr_block().subnet_id(&id).ipv6_cidr_block(block);
        call.send().await.call("ec2:AssociateSubnetCidrBlock")?;
    }
    let exists = object(client, &available(client, cx, &id).await?, prior);
    modify(client, cx, &id, &exists, planned).await?;
    tags::update_ec2(client, &id, prior, planned).await?;
    told(client, cx, planned, &id).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::client::tests::offline;

    #[tokio::test]
    async fn a_described_subnet_is_wholly_known() {
        let client = offline(&[]).await;
        let planned = SCHEMA.block.empty().with_attr("cidr_block", "10.0.1.0/24".into());
        let subnet = Subnet::builder().subnet_id("subnet-1").vpc_id("vpc-1").cidr_block("10.0.1.0/24").owner_id("1");
        let object = object(&client, &subnet.build(), &planned);
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "arn"), Some("arn:aws:ec2:eu-central-1:1:subnet/subnet-1"));
    }

    #[test]
    fn the_zone_that_is_not_said_follows_the_other() {
        let of = |zone: &str, id: &str| {
            let object = SCHEMA.block.empty().with_attr("availability_zone", zone.into());
            object.with_attr("availability_zone_id", id.into())
        };
        let (prior, proposed) = (of("a", "az1"), of("b", "az1"));
        let config = SCHEMA.block.empty().with_attr("availability_zone", "b".into());
        let none = Value::object::<&str>([]);
        let request = PlanRequest { prior: &prior, config: &config, proposed: &proposed, provider_config: &none };
        let planned = AwsSubnet.plan(&request).planned.unwrap();
        assert!(!planned.get("availability_zone_id").unwrap().is_known());
        assert_eq!(values::str_opt(&planned, "availability_zone"), Some("b"));
    }

    #[test]
    fn addresses_are_needed_and_checked() {
        let said = |fields: &[(&str, Value)]| {
            let config = fields.iter().fold(SCHEMA.block.empty(), |object, (k, v)| object.with_attr(k, v.clone()));
            AwsSubnet.validate(&config).into_iter().map(|d| d.summary).collect::<Vec<_>>()
        };
        assert_eq!(said(&[]), ["Subnet without addresses"]);
        assert_eq!(said(&[("cidr_block", "10.0.0.0/8".into())]), ["Invalid argument"]);
        assert!(said(&[("cidr_block", Value::unknown(Type::String))]).is_empty());
    }
}
