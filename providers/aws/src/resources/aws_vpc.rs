//! `aws_vpc`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, ResourceType as Ec2Type, Tenancy, Vpc};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Type, Value, schema::Semantics, state::Intent};

use crate::{
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{
        addresses::{self, Family},
        creation, describe, filter, object,
        vpc::{self, Attributes, Defaults},
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam, naming, tags,
    values::{self, ObjectBuilder, changed},
    wait::{self, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsVpc;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let made = |doc| Attribute::string().computed().doc(doc);
    let schema = Schema::new("aws_vpc", "A virtual private cloud.")
        .version(1)
        .attr(
            "assign_generated_ipv6_cidr_block",
            Attribute::bool().default(false).doc("Whether AWS gives the VPC a /56 of IPv6 addresses."),
        )
        .attr(
            "cidr_block",
            Attribute::string()
                .required()
                .force_new()
                .semantics(Semantics::Cidr)
                .doc("The IPv4 addresses: /16 to /28."),
        )
        .attr(
            "enable_dns_hostnames",
            Attribute::bool()
                .optional_computed()
                .doc("Whether instances get DNS names; needed for peers to resolve them. Off when absent."),
        )
        .attr("enable_dns_support", Attribute::bool().default(true).doc("Whether the VPC's resolver answers."))
        .attr(
            "enable_network_address_usage_metrics",
            Attribute::bool().optional_computed().doc("Whether address usage is measured."),
        )
        .attr(
            "instance_tenancy",
            Attribute::string()
                .default("default")
                .doc("`default` or `dedicated`; only the way back to `default` changes a VPC in place."),
        )
        .attr("arn", made("The VPC's ARN."))
        .attr("default_network_acl_id", made("The network ACL of subnets that have none of their own."))
        .attr("default_route_table_id", made("The route table that was made with the VPC."))
        .attr("default_security_group_id", made("The group of interfaces that name none."))
        .attr("dhcp_options_id", made("The DHCP option set."))
        .attr("id", made("The VPC's id: `vpc-...`."))
        .attr(
            "ipv6_association_id",
            made("The association of the IPv6 block.").follows(&["assign_generated_ipv6_cidr_block"]),
        )
        .attr("ipv6_cidr_block", made("The IPv6 block.").follows(&["assign_generated_ipv6_cidr_block"]))
        .attr("main_route_table_id", made("The route table of subnets that have none of their own."))
        .attr("owner_id", made("The account that owns the VPC."));
    tags::attributes(schema)
        .unsupported(&[
            "ipv4_ipam_pool_id",
            "ipv4_netmask_length",
            "ipv6_cidr_block_network_border_group",
            "ipv6_ipam_pool_id",
            "ipv6_netmask_length",
            "region",
        ])
        .timeouts(&[("create", 600), ("update", 600), ("delete", 900)])
        .iam_actions(&[
            "ec2:AssociateVpcCidrBlock",
            "ec2:CreateTags",
            "ec2:CreateVpc",
            "ec2:DeleteTags",
            "ec2:DeleteVpc",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcs",
            "ec2:DisassociateVpcCidrBlock",
            "ec2:ModifyVpcAttribute",
            "ec2:ModifyVpcTenancy",
        ])
        .example(
            "resource \"aws_vpc\" \"main\" {\n  cidr_block           = \"10.0.0.0/16\"\n  enable_dns_hostnames = true\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsVpc {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        let planned = response.planned.as_ref().unwrap_or(request.proposed);
        let to_default = values::str_opt(planned, "instance_tenancy") == Some("default");
        if !request.prior.is_null() && changed(request.prior, planned, "instance_tenancy") && !to_default {
            response.requires_replace.push(sgp_model::AttrPath::attr("instance_tenancy"));
        }
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = iam::Checks::of(config)
            .text("instance_tenancy", |t| ["default", "dedicated"].contains(&t), "be default or dedicated")
            .done();
        found.extend(addresses::mistakes(config, &[("cidr_block", Family::V4, 16..=28)]));
        found
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let ids: Vec<String> = requests.iter().filter_map(|r| values::text(&r.prior, "id")).collect();
        let fetch = |ids: Vec<String>| describe::vpcs(client, vec![filter("vpc-id", ids)]);
        let found = bulk::read(ids.clone(), FILTER_VALUES, fetch, |v: &Vpc| v.vpc_id.clone()).await;
        let defaults = vpc::defaults(client, &ids).await;
        let items = requests.iter().map(|r| {
            let id = values::string(&r.prior, "id");
            let made = defaults.as_ref().map(|all| all.get(&id).cloned().unwrap_or_default()).map_err(Clone::clone);
            (r.prior.clone(), found.get(&id).map(|vpc| vpc.cloned()), made)
        });
        let objects = iam::each(items.collect(), |(prior, vpc, made)| async move {
            let Some(vpc) = vpc? else { return Ok(None) };
            match vpc::attributes(client, vpc.vpc_id().unwrap_or_default()).await {
                Ok(attributes) => Ok(Some(object(client, &vpc, attributes, &made?, &prior))),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        });
        requests.iter().zip(objects.await).map(|(r, object)| bulk::outcome(r, object)).collect()
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
        let call = || async { client.ec2.delete_vpc().vpc_id(&id).send().await.call("ec2:DeleteVpc") };
        let holders = || object::interfaces_in(client, "vpc-id", &id);
        let gone = object::delete(cx, &format!("VPC {id}"), call, holders).await;
        applied(gone.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("VPC", "vpc-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let vpcs = describe::vpcs(AwsClient::of(client), vec![creation::made_by(&intent.token)]).await?;
        let ids: Vec<String> = vpcs.into_iter().filter_map(|v| v.vpc_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, vpc: &Vpc, attributes: Attributes, made: &Defaults, prior: &Value) -> Value {
    let id = vpc.vpc_id().unwrap_or_default();
    let ipv6 = vpc::ipv6_block(vpc);
    let block = addresses::spelled(vpc.cidr_block(), values::str_opt(prior, "cidr_block"));
    // The one that was made with the VPC stays the default when another one becomes the main one.
    let first = values::text(prior, "default_route_table_id").or_else(|| made.main_route_table.clone());
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", object::arn(client, vpc.owner_id(), "vpc", id))
        .set("assign_generated_ipv6_cidr_block", ipv6.is_some())
        .set("cidr_block", values::opt_str(block))
        .set("default_network_acl_id", values::opt_str(made.network_acl.as_deref()))
        .set("default_route_table_id", values::opt_str(first.as_deref()))
        .set("default_security_group_id", values::opt_str(made.security_group.as_deref()))
        .set("dhcp_options_id", values::opt_str(vpc.dhcp_options_id()))
        .set("enable_dns_hostnames", attributes.dns_hostnames)
        .set("enable_dns_support", attributes.dns_support)
        .set("enable_network_address_usage_metrics", attributes.usage_metrics)
        .set("id", id)
        .set("instance_tenancy", values::word(vpc.instance_tenancy()))
        .set("ipv6_association_id", values::non_empty(ipv6.and_then(|a| a.association_id())))
        .set("ipv6_cidr_block", values::non_empty(ipv6.and_then(|a| a.ipv6_cidr_block())))
        .set("main_route_table_id", values::opt_str(made.main_route_table.as_deref()))
        .set("owner_id", values::opt_str(vpc.owner_id()));
    tags::fill(object, client, prior, &tags::from_ec2(vpc.tags())).build()
}

async fn one(client: &AwsClient, filter: Filter) -> Result<Option<Vpc>, ApiError> {
    Ok(describe::vpcs(client, vec![filter]).await?.into_iter().next())
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let call = || async {
        let call = client
            .ec2
            .create_vpc()
            .cidr_block(values::string(planned, "cidr_block"))
            .set_instance_tenancy(values::str_opt(planned, "instance_tenancy").map(Tenancy::from))
            .amazon_provided_ipv6_cidr_block(values::flag(planned, "assign_generated_ipv6_cidr_block"))
            .tag_specifications(creation::specification(client, Ec2Type::Vpc, planned, &cx.token));
        let answer = call.customize().config_override(creation::unrepeated()).send().await.call("ec2:CreateVpc")?;
        Ok(answer.vpc.and_then(|v| v.vpc_id))
    };
    let look = || async { Ok(one(client, creation::made_by(&cx.token)).await?.map(|vpc| vpc.vpc_id)) };
    let id = creation::once(cx, call, look).await?.ok_or_else(|| creation::unnamed("ec2:CreateVpc"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Brings a VPC that exists to what is planned.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    available(client, cx, id).await?;
    let exist = object::with_new(cx, || vpc::attributes(client, id)).await?;
    let wanted = Attributes {
        dns_hostnames: values::bool_opt(planned, "enable_dns_hostnames").unwrap_or(exist.dns_hostnames),
        dns_support: values::bool_opt(planned, "enable_dns_support").unwrap_or(exist.dns_support),
        usage_metrics: values::bool_opt(planned, "enable_network_address_usage_metrics").unwrap_or(exist.usage_metrics),
    };
    modify(client, cx, id, exist, wanted).await?;
    creation::unmark(client, id).await?;
    Ok(told(client, cx, planned, id).await?)
}

/// Waits until the VPC and its IPv6 block, when it gets one, are there.
async fn available(client: &AwsClient, cx: &Context, id: &str) -> Result<Vpc, Diagnostic> {
    wait::until(cx, &format!("VPC {id} to become available"), Pace::QUICK, async || {
        let Some(vpc) = one(client, filter("vpc-id", [id])).await? else {
            return Ok(Poll::Pending("not visible yet".to_owned()));
        };
        let blocks = vpc.ipv6_cidr_block_association_set().iter().filter_map(|a| a.ipv6_cidr_block_state()?.state());
        let on_its_way = blocks.map(AsRef::as_ref).find(|state| ["associating", "disassociating"].contains(state));
        Ok(match (vpc.state().map(AsRef::as_ref), on_its_way) {
            (Some("available") | None, None) => Poll::Ready(vpc),
            (_, Some(state)) => Poll::Pending(format!("the IPv6 block is {state}")),
            (Some(state), None) => Poll::Pending(state.to_owned()),
        })
    })
    .await
}

/// One call for each attribute that differs. DNS names need the resolver: it is switched on before and off after them.
async fn modify(
    client: &AwsClient,
    cx: &Context,
    id: &str,
    exist: Attributes,
    wanted: Attributes,
) -> Result<(), ApiError> {
    let value = |flag: bool| AttributeBooleanValue::builder().value(flag).build();
    let support = || client.ec2.modify_vpc_attribute().vpc_id(id).enable_dns_support(value(wanted.dns_support));
    let names = || client.ec2.modify_vpc_attribute().vpc_id(id).enable_dns_hostnames(value(wanted.dns_hostnames));
    let usage =
        client.ec2.modify_vpc_attribute().vpc_id(id).enable_network_address_usage_metrics(value(wanted.usage_metrics));
    let (support, names) = (
        (exist.dns_support != wanted.dns_support).then(support),
        (exist.dns_hostnames != wanted.dns_hostnames).then(names),
    );
    let calls = if wanted.dns_support { [support, names] } else { [names, support] };
    let usage = (exist.usage_metrics != wanted.usage_metrics).then_some(usage);
    for call in calls.into_iter().flatten().chain(usage) {
        object::with_new(cx, || async { call.clone().send().await.call("ec2:ModifyVpcAttribute") }).await?;
    }
    Ok(())
}

/// The object as it is now, once the attributes are what was asked for.
async fn told(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Diagnostic> {
    let vpc = available(client, cx, id).await?;
    let attributes = vpc::attributes(client, id).await?;
    let made = vpc::defaults(client, &[id.to_owned()]).await?.remove(id).unwrap_or_default();
    Ok(object(client, &vpc, attributes, &made, planned))
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    let flags = |object: &Value| Attributes {
        dns_hostnames: values::flag(object, "enable_dns_hostnames"),
        dns_support: values::flag(object, "enable_dns_support"),
        usage_metrics: values::flag(object, "enable_network_address_usage_metrics"),
    };
    modify(client, cx, &id, flags(prior), flags(planned)).await?;
    if changed(prior, planned, "instance_tenancy") {
        let call = client.ec2.modify_vpc_tenancy().vpc_id(&id);
        let call = call.instance_tenancy(aws_sdk_ec2::types::VpcTenancy::Default);
        call.send().await.call("ec2:ModifyVpcTenancy")?;
    }
    if changed(prior, planned, "assign_generated_ipv6_cidr_block") {
        change_ipv6(client, cx, &id, prior, planned).await?;
    }
    tags::update_ec2(client, &id, prior, planned).await?;
    let open = planned.with_attr("ipv6_cidr_block", Value::null(Type::String));
    Ok(told(client, cx, &open, &id).await?)
}

async fn change_ipv6(
    client: &AwsClient,
    cx: &Context,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    if values::flag(planned, "assign_generated_ipv6_cidr_block") {
        let call = client.ec2.associate_vpc_cidr_block().vpc_id(id).amazon_provided_ipv6_cidr_block(true);
        call.send().await.call("ec2:AssociateVpcCidrBlock")?;
    } else if let Some(association) = values::text(prior, "ipv6_association_id") {
        let call = || async {
            let call = client.ec2.disassociate_vpc_cidr_block().association_id(&association);
            call.send().await.call("ec2:DisassociateVpcCidrBlock")
        };
        object::delete(cx, &format!("the IPv6 block of {id}"), call, object::nobody).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_ec2::types::{Tag, VpcCidrBlockState, VpcCidrBlockStateCode, VpcIpv6CidrBlockAssociation};

    use super::*;
    use crate::client::tests::offline;

    #[tokio::test]
    async fn a_described_vpc_is_wholly_known_and_spelled_as_it_was_said() {
        let client = offline(&[]).await;
        let planned = SCHEMA.block.empty().with_attr("cidr_block", "10.0.7.0/16".into());
        let state = VpcCidrBlockState::builder().state(VpcCidrBlockStateCode::Associated).build();
        let block = VpcIpv6CidrBlockAssociation::builder().association_id("a").ipv6_cidr_block("2600::/56");
        let vpc = Vpc::builder()
            .vpc_id("vpc-1")
            .owner_id("123456789012")
            .cidr_block("10.0.0.0/16")
            .ipv6_cidr_block_association_set(block.ipv6_cidr_block_state(state).build())
            .tags(Tag::builder().key(creation::KEY).value("t").build());
        let flags = Attributes { dns_hostnames: false, dns_support: true, usage_metrics: false };
        let made = Defaults { main_route_table: Some("rtb-1".into()), ..Defaults::default() };
        let object = object(&client, &vpc.build(), flags, &made, &planned);
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "cidr_block"), Some("10.0.7.0/16"));
        assert_eq!(values::str_opt(&object, "ipv6_cidr_block"), Some("2600::/56"));
        assert_eq!(values::str_opt(&object, "default_route_table_id"), Some("rtb-1"));
        assert!(values::str_map(&object, "tags_all").is_empty());
    }

    #[test]
    fn only_the_way_back_to_shared_hardware_is_in_place() {
        let of = |tenancy: &str| SCHEMA.block.empty().with_attr("instance_tenancy", tenancy.into());
        let none = Value::object::<&str>([]);
        let replaces = |from: &str, to: &str| {
            let (prior, proposed) = (of(from), of(to));
            let request = PlanRequest { prior: &prior, config: &proposed, proposed: &proposed, provider_config: &none };
            !AwsVpc.plan(&request).requires_replace.is_empty()
        };
        assert!(replaces("default", "dedicated") && !replaces("dedicated", "default"));
    }
}
