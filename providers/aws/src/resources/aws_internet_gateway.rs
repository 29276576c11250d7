//! `aws_internet_gateway`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{InternetGateway, ResourceType as Ec2Type};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Schema, Value, state::Intent};

use crate::{
    client::AwsClient,
    ec2::{creation, describe, filter, network_interfaces, object, usage},
    errors::{ApiError, Call, Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder, changed},
};

/// The type.
#[derive(Debug)]
pub struct AwsInternetGateway;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_internet_gateway", "A way between a VPC and the internet, for public addresses.")
        .attr("arn", Attribute::string().computed().doc("The gateway's ARN."))
        .attr("id", Attribute::string().computed().doc("The gateway's id: `igw-...`."))
        .attr("owner_id", Attribute::string().computed().doc("The account that owns the gateway."))
        .attr(
            "vpc_id",
            Attribute::string().optional_computed().doc("The VPC that it is attached to; a VPC has one at most."),
        );
    tags::attributes(schema)
        .unsupported(&["region"])
        .timeouts(&[("create", 1200), ("update", 1200), ("delete", 1200)])
        .iam_actions(&[
            "ec2:AttachInternetGateway",
            "ec2:CreateInternetGateway",
            "ec2:CreateTags",
            "ec2:DeleteInternetGateway",
            "ec2:DeleteTags",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DetachInternetGateway",
        ])
        .example("resource \"aws_internet_gateway\" \"main\" {\n  vpc_id = aws_vpc.main.id\n}\n")
});

#[async_trait]
impl ResourceType for AwsInternetGateway {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        // Without a VPC in the configuration it is attached to none, or by somebody else.
        let planned = response.planned.take().unwrap_or_else(|| request.proposed.clone());
        let is_silent = request.prior.is_null() && request.config.get("vpc_id").is_some_and(Value::is_null);
        let alone = || planned.with_attr("vpc_id", values::opt_str(None));
        response.planned = Some(if is_silent { alone() } else { planned });
        response
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let fetch = |filters| describe::internet_gateways(client, filters);
        let id_of = |it: &InternetGateway| it.internet_gateway_id.clone();
        object::read(requests, "internet-gateway-id", fetch, id_of, |it, prior| Some(object(client, it, prior))).await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(update(AwsClient::of(client), cx, prior, planned).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        applied(delete(AwsClient::of(client), cx, request.prior).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("internet gateway", "igw-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let made = vec![creation::made_by(&intent.token)];
        let found = describe::internet_gateways(AwsClient::of(client), made).await?;
        let ids: Vec<String> = found.into_iter().filter_map(|it| it.internet_gateway_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

fn vpc_of(gateway: &InternetGateway) -> Option<&str> {
    gateway.attachments().iter().find_map(|it| it.vpc_id())
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, gateway: &InternetGateway, prior: &Value) -> Value {
    let id = gateway.internet_gateway_id().unwrap_or_default();
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", object::arn(client, gateway.owner_id(), "internet-gateway", id))
        .set("id", id)
        .set("owner_id", values::opt_str(gateway.owner_id()))
        .set("vpc_id", values::non_empty(vpc_of(gateway)));
    tags::fill(object, client, prior, &tags::from_ec2(gateway.tags())).build()
}

async fn one(client: &AwsClient, cx: &Context, id: &str) -> Result<InternetGateway, Diagnostic> {
    let look = || describe::internet_gateways(client, vec![filter("internet-gateway-id", [id])]);
    object::visible(cx, &format!("internet gateway {id}"), look).await
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let call = || async {
        let tags = creation::specification(client, Ec2Type::InternetGateway, planned, &cx.token);
        let call = client.ec2.create_internet_gateway().tag_specifications(tags).customize();
        let answer = call.config_override(creation::unrepeated()).send().await.call("ec2:CreateInternetGateway")?;
        Ok(answer.internet_gateway.and_then(|it| it.internet_gateway_id))
    };
    let look = || async {
        let found = describe::internet_gateways(client, vec![creation::made_by(&cx.token)]).await?;
        Ok(found.into_iter().next().map(|it| it.internet_gateway_id))
    };
    let id = creation::once(cx, call, look).await?.ok_or_else(|| creation::unnamed("ec2:CreateInternetGateway"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Brings a gateway that exists to what is planned.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let attached = vpc_of(&one(client, cx, id).await?).map(str::to_owned);
    let wanted = values::text(planned, "vpc_id");
    if wanted != attached
        && let Some(vpc) = wanted
    {
        attach(client, cx, id, &vpc).await?;
    }
    creation::unmark(client, id).await?;
    Ok(object(client, &one(client, cx, id).await?, planned))
}

async fn attach(client: &AwsClient, cx: &Context, id: &str, vpc: &str) -> Result<(), ApiError> {
    let call = || async {
        let call = client.ec2.attach_internet_gateway().internet_gateway_id(id).vpc_id(vpc);
        call.send().await.call("ec2:AttachInternetGateway")
    };
    match object::with_new(cx, call).await {
        // An attempt that nobody answered had done it.
        Err(error) if error.is(&["Resource.AlreadyAssociated"]) => {
            let filters = vec![filter("internet-gateway-id", [id]), filter("attachment.vpc-id", [vpc])];
            let attached = describe::internet_gateways(client, filters).await?;
            if attached.is_empty() { Err(error) } else { Ok(()) }
        }
        other => other.map(|_| ()),
    }
}

/// EC2 keeps a gateway attached while public addresses of the VPC go through it.
async fn detach(client: &AwsClient, cx: &Context, id: &str, vpc: &str) -> Result<(), Failure> {
    let call = || async {
        let call = client.ec2.detach_internet_gateway().internet_gateway_id(id).vpc_id(vpc);
        match call.send().await.call("ec2:DetachInternetGateway") {
            Err(error) if error.is(&["Gateway.NotAttached"]) => Ok(()),
            other => other.map(|_| ()),
        }
    };
    let holders = || async {
        let mapped = vec![filter("vpc-id", [vpc]), filter("association.ip-owner-id", ["*"])];
        let interfaces = network_interfaces(client, mapped).await.ok().filter(|it| !it.is_empty())?;
        Some(format!("public addresses of {vpc} are {}", usage::sentence(&interfaces, &[])))
    };
    object::delete(cx, &format!("internet gateway {id}"), call, holders).await
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    if changed(prior, planned, "vpc_id") {
        if let Some(vpc) = values::text(prior, "vpc_id") {
            detach(client, cx, &id, &vpc).await?;
        }
        if let Some(vpc) = values::text(planned, "vpc_id") {
            attach(client, cx, &id, &vpc).await?;
        }
    }
    tags::update_ec2(client, &id, prior, planned).await?;
    let all = tags::wanted(client, planned);
    Ok(tags::fill(ObjectBuilder::carrying(&SCHEMA, planned), client, planned, &all).build())
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let id = values::string(prior, "id");
    if let Some(vpc) = values::text(prior, "vpc_id") {
        detach(client, cx, &id, &vpc).await?;
    }
    let call = || async {
        let call = client.ec2.delete_internet_gateway().internet_gateway_id(&id);
        call.send().await.call("ec2:DeleteInternetGateway")
    };
    object::delete(cx, &format!("internet gateway {id}"), call, object::nobody).await
}
