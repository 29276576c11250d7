//! `aws_nat_gateway`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ConnectivityType, NatGateway, NatGatewayState, ResourceType as Ec2Type};
use sgp_contract::{
    Applied, Client, CommonGround, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    client::AwsClient,
    ec2::{creation, describe, filter, object},
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::Checks,
    naming, tags,
    values::{self, ObjectBuilder},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsNatGateway;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let told = |doc| Attribute::string().computed().doc(doc);
    let schema = Schema::new(
        "aws_nat_gateway",
        "Lets what has private addresses only open connections to the internet: pods with groups of their own need one.",
    )
    .attr(
        "allocation_id",
        Attribute::string().optional().force_new().doc("The Elastic IP address (`eipalloc-...`) of a public gateway."),
    )
    .attr("association_id", told("The association of the address with the gateway."))
    .attr(
        "connectivity_type",
        Attribute::string().default("public").force_new().doc("`public`, or `private` for other networks of one's own only."),
    )
    .attr("id", told("The gateway's id: `nat-...`."))
    .attr("network_interface_id", told("The gateway's network interface."))
    .attr(
        "private_ip",
        Attribute::string().optional_computed().force_new().doc("Its private address; AWS chooses one of the subnet when absent."),
    )
    .attr("public_ip", told("Its public address."))
    .attr(
        "subnet_id",
        Attribute::string().required().force_new().doc("The subnet that it is in: for a public one, one with a route to an internet gateway."),
    );
    tags::attributes(schema)
        .unsupported(&[
            "availability_mode",
            "availability_zone_address",
            "region",
            "secondary_allocation_ids",
            "secondary_private_ip_address_count",
            "secondary_private_ip_addresses",
            "vpc_id",
        ])
        .timeouts(&[("create", 600), ("update", 600), ("delete", 1800)])
        .iam_actions(&[
            "ec2:CreateNatGateway",
            "ec2:CreateTags",
            "ec2:DeleteNatGateway",
            "ec2:DeleteTags",
            "ec2:DescribeNatGateways",
        ])
        .example(
            "resource \"aws_nat_gateway\" \"main\" {\n  allocation_id = aws_eip.nat.id\n  subnet_id     = aws_subnet.public.id\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsNatGateway {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    /// A public gateway fails in a VPC without an internet gateway, and an internet gateway stays while addresses are mapped.
    fn created_after_on(&self) -> &'static [CommonGround] {
        &[CommonGround { first: "aws_internet_gateway", ground: "aws_vpc" }]
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config)
            .text("connectivity_type", |t| ["public", "private"].contains(&t), "be public or private")
            .text("private_ip", |t| t.parse::<std::net::Ipv4Addr>().is_ok(), "be an IPv4 address")
            .done();
        let is_private = values::str_opt(config, "connectivity_type") == Some("private");
        let says = config.get("allocation_id").is_some_and(|it| !it.is_null());
        let wrong = match (is_private, says) {
            (true, true) => "A private gateway has no public address: leave `allocation_id` out.",
            (false, false) => "A public gateway needs a public address: set `allocation_id` to the id of an `aws_eip`.",
            _ => return found,
        };
        found.push(Diagnostic::error("Invalid argument", wrong).attribute(AttrPath::attr("allocation_id")));
        found
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let fetch = |filters| describe::nat_gateways(client, filters);
        let id_of = |it: &NatGateway| it.nat_gateway_id.clone();
        let object = |it: &NatGateway, prior: &Value| (!is_over(it)).then(|| object(client, it, prior));
        object::read(requests, "nat-gateway-id", fetch, id_of, object).await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    /// Only tags can change.
    async fn update(&self, client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (client, prior, planned) = (AwsClient::of(client), request.prior, request.planned);
        let changed = tags::update_ec2(client, &values::string(prior, "id"), prior, planned).await;
        let all = tags::wanted(client, planned);
        let filled = || tags::fill(ObjectBuilder::carrying(&SCHEMA, planned), client, planned, &all).build();
        applied(changed.map(|()| Some(filled())).leaving(prior))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        applied(delete(AwsClient::of(client), cx, request.prior).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("NAT gateway", "nat-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let made = vec![creation::made_by(&intent.token)];
        let found = describe::nat_gateways(AwsClient::of(client), made).await?;
        let alive = found.into_iter().filter(|it| !is_over(it));
        let ids: Vec<String> = alive.filter_map(|it| it.nat_gateway_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

/// EC2 tells gateways that are gone, or failed to be, for an hour.
fn is_over(gateway: &NatGateway) -> bool {
    matches!(gateway.state(), Some(NatGatewayState::Deleted | NatGatewayState::Deleting))
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, gateway: &NatGateway, prior: &Value) -> Value {
    let addresses = gateway.nat_gateway_addresses();
    let address = addresses.iter().find(|it| it.is_primary() == Some(true)).or_else(|| addresses.first());
    let text = |text: Option<&str>| values::non_empty(text);
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("allocation_id", text(address.and_then(|it| it.allocation_id())))
        .set("association_id", text(address.and_then(|it| it.association_id())))
        .set("connectivity_type", gateway.connectivity_type().map_or("public", ConnectivityType::as_str))
        .set("id", text(gateway.nat_gateway_id()))
        .set("network_interface_id", text(address.and_then(|it| it.network_interface_id())))
        .set("private_ip", text(address.and_then(|it| it.private_ip())))
        .set("public_ip", text(address.and_then(|it| it.public_ip())))
        .set("subnet_id", text(gateway.subnet_id()));
    tags::fill(object, client, prior, &tags::from_ec2(gateway.tags())).build()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let unseen = |e: &ApiError| e.is_not_found();
    let call = || async {
        let call = client
            .ec2
            .create_nat_gateway()
            .client_token(&cx.token)
            .subnet_id(values::string(planned, "subnet_id"))
            .set_allocation_id(values::text(planned, "allocation_id"))
            .set_connectivity_type(values::str_opt(planned, "connectivity_type").map(ConnectivityType::from))
            .set_private_ip_address(values::text(planned, "private_ip"))
            .tag_specifications(creation::specification(client, Ec2Type::Natgateway, planned, &cx.token));
        call.send().await.call("ec2:CreateNatGateway")
    };
    let made = wait::settle(cx, CONSISTENCY, unseen, call).await?.nat_gateway;
    let id = made.and_then(|it| it.nat_gateway_id).ok_or_else(|| creation::unnamed("ec2:CreateNatGateway"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Waits until a gateway works.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let what = format!("NAT gateway {id} to become available");
    let gateway = wait::until(cx, &what, Pace::SLOW, async || {
        let found = describe::nat_gateways(client, vec![filter("nat-gateway-id", [id])]).await?;
        let Some(gateway) = found.into_iter().next() else { return Ok(Poll::Pending("not visible yet".to_owned())) };
        Ok(match gateway.state() {
            Some(NatGatewayState::Available) => Poll::Ready(gateway),
            Some(NatGatewayState::Pending) | None => Poll::Pending("pending".to_owned()),
            Some(_) => Poll::Broken(broken(id, &gateway)),
        })
    });
    let gateway = gateway.await?;
    creation::unmark(client, id).await?;
    Ok(object(client, &gateway, planned))
}

fn broken(id: &str, gateway: &NatGateway) -> Diagnostic {
    let state = gateway.state().map_or("", NatGatewayState::as_str);
    let why = gateway.failure_message().unwrap_or("EC2 gives no reason.");
    let what = match gateway.failure_code() {
        Some("Gateway.NotAttached") => {
            " Attach an internet gateway to the VPC (`aws_internet_gateway`), or make the gateway private."
        }
        Some("InsufficientFreeAddressesInSubnet") => " The subnet has no free address.",
        _ => "",
    };
    Diagnostic::error("NAT gateway failed", format!("The NAT gateway {id} is {state}: {why}{what}"))
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let id = values::string(prior, "id");
    match client.ec2.delete_nat_gateway().nat_gateway_id(&id).send().await.call("ec2:DeleteNatGateway") {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    // Its interface holds the subnet, its address and the internet gateway until it is gone.
    let what = format!("NAT gateway {id} to be deleted");
    let gone = wait::until(cx, &what, Pace::SLOW, async || {
        let found = describe::nat_gateways(client, vec![filter("nat-gateway-id", [id.as_str()])]).await?;
        Ok(match found.first().map(NatGateway::state) {
            None | Some(Some(NatGatewayState::Deleted)) => Poll::Ready(()),
            Some(state) => Poll::Pending(state.map_or("deleting", NatGatewayState::as_str).to_owned()),
        })
    });
    Ok(gone.await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_ec2::types::NatGatewayAddress;

    use super::*;
    use crate::client::tests::offline;

    #[tokio::test]
    async fn the_primary_address_counts() {
        let client = offline(&[]).await;
        let address = |ip: &str, is_primary| NatGatewayAddress::builder().private_ip(ip).is_primary(is_primary).build();
        let gateway = NatGateway::builder()
            .nat_gateway_id("nat-1")
            .subnet_id("subnet-1")
            .nat_gateway_addresses(address("10.0.0.9", false))
            .nat_gateway_addresses(address("10.0.0.5", true));
        let object = object(&client, &gateway.build(), &SCHEMA.block.empty());
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "private_ip"), Some("10.0.0.5"));
    }

    #[test]
    fn a_public_gateway_needs_an_address_and_a_private_one_has_none() {
        let wrong = |kind: &str, allocation: Value| {
            let config = SCHEMA.block.empty().with_attr("connectivity_type", kind.into());
            AwsNatGateway.validate(&config.with_attr("allocation_id", allocation)).has_errors()
        };
        let (none, open) = (values::opt_str(None), Value::unknown(sgp_model::Type::String));
        assert!(wrong("public", none.clone()) && !wrong("public", open.clone()));
        assert!(wrong("private", open) && !wrong("private", none));
    }

    #[test]
    fn a_failed_gateway_says_why() {
        let gateway = NatGateway::builder()
            .state(NatGatewayState::Failed)
            .failure_code("Gateway.NotAttached")
            .failure_message("Network vpc-1 has no Internet gateway attached");
        assert_eq!(
            broken("nat-1", &gateway.build()).detail,
            "The NAT gateway nat-1 is failed: Network vpc-1 has no Internet gateway attached Attach an internet gateway to the VPC \
             (`aws_internet_gateway`), or make the gateway private."
        );
    }
}
