//! `aws_eip`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType as Ec2Type};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Type, Value, state::Intent};

use crate::{
    bulk,
    client::AwsClient,
    ec2::{creation, describe, filter, object},
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::Checks,
    naming, tags,
    values::{self, ObjectBuilder, any_changed},
    wait::{self, CONSISTENCY},
};

/// The type.
#[derive(Debug)]
pub struct AwsEip;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let told = |doc| Attribute::string().computed().doc(doc);
    let placed = |doc| told(doc).follows(&["instance", "network_interface", "associate_with_private_ip"]);
    let schema = Schema::new(
        "aws_eip",
        "An Elastic IP address: a public IPv4 address that is the account's until it is released.",
    )
    .attr("allocation_id", told("The address's id: `eipalloc-...`."))
    .attr("arn", told("The address's ARN."))
    .attr(
        "associate_with_private_ip",
        Attribute::string()
            .optional()
            .doc("Which private address of the interface it stands for; the primary one when absent."),
    )
    .attr("association_id", placed("The association with an interface."))
    .attr("domain", Attribute::string().optional_computed().force_new().doc("`vpc`, the only one that is left."))
    .attr("id", told("The address's id: `eipalloc-...`."))
    .attr("instance", Attribute::string().optional_computed().doc("The instance that it is for."))
    .attr(
        "network_border_group",
        Attribute::string().optional_computed().force_new().doc("Where it is announced from; the region when absent."),
    )
    .attr("network_interface", Attribute::string().optional_computed().doc("The network interface that it is for."))
    .attr("private_dns", placed("The private DNS name of what it is for."))
    .attr("private_ip", placed("The private address that it stands for."))
    .attr("public_dns", told("The public DNS name."))
    .attr("public_ip", told("The address."))
    .attr(
        "public_ipv4_pool",
        Attribute::string()
            .optional_computed()
            .force_new()
            .doc("The pool that it is from: `amazon`, or one of the account's own."),
    );
    tags::attributes(schema)
        .unsupported(&["address", "customer_owned_ipv4_pool", "ipam_pool_id", "region", "vpc"])
        .timeouts(&[("update", 300), ("delete", 180)])
        .iam_actions(&[
            "ec2:AllocateAddress",
            "ec2:AssociateAddress",
            "ec2:CreateTags",
            "ec2:DeleteTags",
            "ec2:DescribeAddresses",
            "ec2:DisassociateAddress",
            "ec2:ReleaseAddress",
        ])
        .example("resource \"aws_eip\" \"nat\" {\n  domain = \"vpc\"\n}\n")
});

#[async_trait]
impl ResourceType for AwsEip {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        let mut planned = response.planned.take().unwrap_or_else(|| request.proposed.clone());
        // An interface that is said brings its instance along, and the other way round.
        if !request.prior.is_null() {
            for (said, other) in [("instance", "network_interface"), ("network_interface", "instance")] {
                let is_said = request.config.get(said).is_some_and(|it| !it.is_null());
                if is_said && values::changed(request.prior, &planned, said) {
                    planned = planned.with_attr(other, Value::unknown(Type::String));
                }
            }
        }
        response.planned = Some(planned);
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        Checks::of(config)
            .conflict("instance", "network_interface")
            .text("domain", |t| t == "vpc", "be vpc")
            .text("associate_with_private_ip", |t| t.parse::<std::net::Ipv4Addr>().is_ok(), "be an IPv4 address")
            .done()
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        // EC2 does not tell whose an address is; without the account its ARN is not known.
        if requests.iter().any(|r| !values::is_set(&r.prior, "arn"))
            && let Err(error) = client.identity().await
        {
            return requests.iter().map(|r| bulk::outcome(r, Err(error.clone()))).collect();
        }
        let fetch = |filters| describe::addresses(client, filters);
        let id_of = |it: &Address| it.allocation_id.clone();
        object::read(requests, "allocation-id", fetch, id_of, |it, prior| Some(object(client, it, prior))).await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(update(AwsClient::of(client), cx, prior, planned, request.config).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        applied(delete(AwsClient::of(client), cx, request.prior).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("Elastic IP address", "eipalloc-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let made = vec![creation::made_by(&intent.token)];
        let found = describe::addresses(AwsClient::of(client), made).await?;
        let ids: Vec<String> = found.into_iter().filter_map(|it| it.allocation_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, address: &Address, prior: &Value) -> Value {
    let id = address.allocation_id().unwrap_or_default();
    let public_dns = address.public_ip().map(|ip| public_name(client, ip));
    let private_dns = address.private_ip_address().map(|ip| private_name(client, ip));
    let arn = values::text(prior, "arn").unwrap_or_else(|| {
        let account = client.known_account();
        object::arn(client, account.as_deref(), "elastic-ip", id)
    });
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("allocation_id", id)
        .set("arn", arn)
        .set("association_id", values::non_empty(address.association_id()))
        .set("domain", values::word(address.domain()))
        .set("id", id)
        .set("instance", values::non_empty(address.instance_id()))
        .set("network_border_group", values::opt_str(address.network_border_group()))
        .set("network_interface", values::non_empty(address.network_interface_id()))
        .set("private_dns", values::opt_str(private_dns.as_deref()))
        .set("private_ip", values::non_empty(address.private_ip_address()))
        .set("public_dns", values::opt_str(public_dns.as_deref()))
        .set("public_ip", values::opt_str(address.public_ip()))
        .set("public_ipv4_pool", values::opt_str(address.public_ipv4_pool()));
    tags::fill(object, client, prior, &tags::from_ec2(address.tags())).build()
}

/// `ec2-203-0-113-5.eu-central-1.compute.amazonaws.com` (EC2 User Guide, "Amazon EC2 instance hostnames").
fn public_name(client: &AwsClient, ip: &str) -> String {
    let suffix = client.partition().dns_suffix;
    match client.region.as_str() {
        "us-east-1" => format!("ec2-{}.compute-1.{suffix}", ip.replace('.', "-")),
        region => format!("ec2-{}.{region}.compute.{suffix}", ip.replace('.', "-")),
    }
}

/// `ip-10-0-1-5.eu-central-1.compute.internal`.
fn private_name(client: &AwsClient, ip: &str) -> String {
    match client.region.as_str() {
        "us-east-1" => format!("ip-{}.ec2.internal", ip.replace('.', "-")),
        region => format!("ip-{}.{region}.compute.internal", ip.replace('.', "-")),
    }
}

async fn one(client: &AwsClient, cx: &Context, id: &str) -> Result<Address, Diagnostic> {
    let look = || describe::addresses(client, vec![filter("allocation-id", [id])]);
    object::visible(cx, &format!("Elastic IP address {id}"), look).await
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    client.identity().await?;
    let call = || async {
        let call = client
            .ec2
            .allocate_address()
            .domain(DomainType::Vpc)
            .set_network_border_group(values::text(planned, "network_border_group"))
            .set_public_ipv4_pool(values::text(planned, "public_ipv4_pool"))
            .tag_specifications(creation::specification(client, Ec2Type::ElasticIp, planned, &cx.token));
        let answer = call.customize().config_override(creation::unrepeated()).send().await;
        Ok(answer.call("ec2:AllocateAddress")?.allocation_id)
    };
    let look = || async {
        let found = describe::addresses(client, vec![creation::made_by(&cx.token)]).await?;
        Ok(found.into_iter().next().map(|it| it.allocation_id))
    };
    let id = creation::once(cx, call, look).await?.ok_or_else(|| creation::unnamed("ec2:AllocateAddress"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Brings an address that exists to what is planned.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    client.identity().await?;
    let address = one(client, cx, id).await?;
    if address.association_id().is_none() {
        associate(client, cx, planned, id).await?;
    }
    creation::unmark(client, id).await?;
    Ok(object(client, &one(client, cx, id).await?, planned))
}

/// Gives the address to what is named, if anything is.
async fn associate(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<(), ApiError> {
    let (instance, interface) = (values::text(planned, "instance"), values::text(planned, "network_interface"));
    if instance.is_none() && interface.is_none() {
        return Ok(());
    }
    // An instance that starts, or an interface that was just made, is not there for everybody yet.
    let passes = |e: &ApiError| e.is_not_found() || e.is(&["IncorrectInstanceState", "IncorrectState"]);
    let call = || async {
        let call = client
            .ec2
            .associate_address()
            .allocation_id(id)
            .set_instance_id(instance.clone())
            .set_network_interface_id(interface.clone())
            .set_private_ip_address(values::text(planned, "associate_with_private_ip"));
        call.send().await.call("ec2:AssociateAddress")
    };
    wait::settle(cx, CONSISTENCY, passes, call).await.map(|_| ())
}

async fn update(
    client: &AwsClient,
    cx: &Context,
    prior: &Value,
    planned: &Value,
    config: &Value,
) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    if any_changed(prior, planned, &["instance", "network_interface", "associate_with_private_ip"]) {
        if let Some(association) = values::text(prior, "association_id") {
            disassociate(client, &association).await?;
        }
        // Only what is said: the other one is what EC2 made of it before.
        associate(client, cx, config, &id).await?;
    }
    tags::update_ec2(client, &id, prior, planned).await?;
    Ok(object(client, &one(client, cx, &id).await?, planned))
}

async fn disassociate(client: &AwsClient, association: &str) -> Result<(), ApiError> {
    let call = client.ec2.disassociate_address().association_id(association);
    match call.send().await.call("ec2:DisassociateAddress") {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// What it is for gives it back first. The interface of a NAT gateway is not ours to take it from: that goes before.
async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let id = values::string(prior, "id");
    let look = async || describe::addresses(client, vec![filter("allocation-id", [id.as_str()])]).await;
    let recorded = values::str_opt(prior, "association_id");
    let exists = look().await?.into_iter().next();
    if let Some(association) = exists.as_ref().and_then(|it| it.association_id()).filter(|it| Some(*it) == recorded) {
        match disassociate(client, association).await {
            Err(error) if !error.is(&["AuthFailure", "OperationNotPermitted"]) => return Err(error.into()),
            _ => {}
        }
    }
    let call = || async { client.ec2.release_address().allocation_id(&id).send().await.call("ec2:ReleaseAddress") };
    let holders = || async {
        let found = look().await.ok()?;
        Some(format!("in use by {}", found.first()?.network_interface_id()?))
    };
    object::delete(cx, &format!("Elastic IP address {id}"), call, holders).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::client::tests::offline;

    #[tokio::test]
    async fn a_described_address_is_wholly_known() {
        let client = offline(&[]).await;
        let address = Address::builder()
            .allocation_id("eipalloc-1")
            .public_ip("203.0.113.5")
            .private_ip_address("10.0.1.5")
            .domain(DomainType::Vpc);
        let object = object(&client, &address.build(), &SCHEMA.block.empty());
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        let text = |name: &str| values::string(&object, name);
        assert_eq!(text("public_dns"), "ec2-203-0-113-5.eu-central-1.compute.amazonaws.com");
        assert_eq!(text("private_dns"), "ip-10-0-1-5.eu-central-1.compute.internal");
    }
}
