//! `aws_route_table`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType as Ec2Type, RouteTable};
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, NestedBlock, Schema, Value, state::Intent};

use crate::{
    client::AwsClient,
    ec2::{
        claims, creation, describe, filter, object,
        routes::{self, Routes},
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder, changed},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsRouteTable;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_route_table", "A route table of a VPC, with or without routes of its own.")
        .attr("arn", Attribute::string().computed().doc("The table's ARN."))
        .attr("id", Attribute::string().computed().doc("The table's id: `rtb-...`."))
        .attr("owner_id", Attribute::string().computed().doc("The account that owns the table."))
        .attr(
            "propagating_vgws",
            Attribute::string_set().computed().doc("Virtual private gateways that pass on their routes."),
        )
        .attr("vpc_id", Attribute::string().required().force_new().doc("The VPC."))
        .block(
            "route",
            NestedBlock::set(routes::block()).computed().doc(
                "Routes; all others are removed, and `route = []` removes all. The VPC's own (`local`) are not among them. Do not mix \
                 with `aws_route` for the same table.",
            ),
        );
    tags::attributes(schema)
        .unsupported(&["region"])
        .timeouts(&[("create", 300), ("update", 120), ("delete", 300)])
        .iam_actions(&[
            "ec2:CreateRoute",
            "ec2:CreateRouteTable",
            "ec2:CreateTags",
            "ec2:DeleteRoute",
            "ec2:DeleteRouteTable",
            "ec2:DeleteTags",
            "ec2:DescribeRouteTables",
            "ec2:DisassociateRouteTable",
            "ec2:ReplaceRoute",
        ])
        .example(
            "resource \"aws_route_table\" \"private\" {\n  vpc_id = aws_vpc.main.id\n\n  route {\n    cidr_block     = \"0.0.0.0/0\"\n    \
             nat_gateway_id = aws_nat_gateway.main.id\n  }\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsRouteTable {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mistakes =
            values::blocks(config, "route").into_iter().filter_map(|it| routes::mistake(it, routes::IN_BLOCK));
        let told = |detail| Diagnostic::error("Invalid route", detail).attribute(AttrPath::attr("route"));
        Diagnostics(mistakes.map(told).collect())
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        claims::whole(claims::ROUTES, request, "id", &["route"])
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let fetch = |filters| describe::route_tables(client, filters);
        let id_of = |it: &RouteTable| it.route_table_id.clone();
        object::read(requests, "route-table-id", fetch, id_of, |it, prior| Some(object(client, it, prior))).await
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
        naming::check_id("route table", "rtb-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let made = vec![creation::made_by(&intent.token)];
        let found = describe::route_tables(AwsClient::of(client), made).await?;
        let ids: Vec<String> = found.into_iter().filter_map(|it| it.route_table_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, table: &RouteTable, prior: &Value) -> Value {
    let id = table.route_table_id().unwrap_or_default();
    let passed_on = table.propagating_vgws().iter().filter_map(|it| it.gateway_id());
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", object::arn(client, table.owner_id(), "route-table", id))
        .set("id", id)
        .set("owner_id", values::opt_str(table.owner_id()))
        .set("propagating_vgws", values::string_set(passed_on))
        .set("route", routes::to_blocks(&routes::of_table(table), &values::blocks(prior, "route")))
        .set("vpc_id", values::opt_str(table.vpc_id()));
    tags::fill(object, client, prior, &tags::from_ec2(table.tags())).build()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let call = || async {
        let tags = creation::specification(client, Ec2Type::RouteTable, planned, &cx.token);
        let call = client.ec2.create_route_table().vpc_id(values::string(planned, "vpc_id"));
        call.client_token(&cx.token).tag_specifications(tags).send().await.call("ec2:CreateRouteTable")
    };
    let unseen = |e: &ApiError| e.is(&["InvalidVpcID.NotFound"]);
    let made = wait::settle(cx, CONSISTENCY, unseen, call).await?.route_table;
    let id = made.and_then(|it| it.route_table_id).ok_or_else(|| creation::unnamed("ec2:CreateRouteTable"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Brings a table that exists to what is planned.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let look = || describe::route_tables(client, vec![filter("route-table-id", [id])]);
    let table = object::visible(cx, &format!("route table {id}"), look).await?;
    let exist = routes::of_table(&table);
    let wanted = said(planned).unwrap_or_else(|| exist.clone());
    change(client, cx, id, &exist, &wanted).await?;
    creation::unmark(client, id).await?;
    told(client, cx, planned, id).await
}

/// The routes that are planned; `None` where they are not the configuration's.
fn said(object: &Value) -> Option<Routes> {
    values::is_set(object, "route").then(|| routes::of_blocks(&values::blocks(object, "route")))
}

/// Routes that lead elsewhere are replaced, so that no packet is lost between.
async fn change(client: &AwsClient, cx: &Context, id: &str, exist: &Routes, wanted: &Routes) -> Result<(), ApiError> {
    for destination in exist.keys().filter(|it| !wanted.keys().any(|other| other.is(it))) {
        routes::remove(client, id, destination).await?;
    }
    for (destination, target) in wanted {
        match exist.iter().find(|(it, _)| it.is(destination)) {
            Some((_, leads)) if leads == target => {}
            Some(_) => routes::replace(client, cx, id, destination, target).await?,
            None => match routes::add(client, cx, id, destination, target).await {
                // An attempt that nobody answered had made it, or it leads elsewhere: either way it is what is said now.
                Err(error) if error.is(&["RouteAlreadyExists"]) => {
                    routes::replace(client, cx, id, destination, target).await?;
                }
                other => other?,
            },
        }
    }
    Ok(())
}

/// The object as soon as EC2 shows the routes that are planned.
async fn told(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let what = format!("the routes of {id} to be visible");
    let shown = wait::until(cx, &what, Pace::QUICK, async || {
        let Some(table) = routes::table(client, id).await? else {
            return Ok(Poll::Pending("not visible yet".to_owned()));
        };
        let exist = routes::of_table(&table);
        let same = |wanted: &Routes| {
            wanted.len() == exist.len()
                && wanted.iter().all(|(d, t)| exist.iter().any(|(other, leads)| other.is(d) && leads == t))
        };
        let is_as_said = said(planned).is_none_or(|wanted| same(&wanted));
        Ok(if is_as_said {
            Poll::Ready(object(client, &table, planned))
        } else {
            Poll::Pending(format!("{} routes are visible", exist.len()))
        })
    });
    Ok(shown.await?)
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    if changed(prior, planned, "route") {
        let exist = said(prior).unwrap_or_default();
        let wanted = said(planned).unwrap_or_else(|| exist.clone());
        change(client, cx, &id, &exist, &wanted).await?;
    }
    tags::update_ec2(client, &id, prior, planned).await?;
    told(client, cx, planned, &id).await
}

/// Associations that nobody here manages go with it, as they do for whoever deletes a table in the console.
async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let id = values::string(prior, "id");
    let Some(table) = routes::table(client, &id).await? else { return Ok(()) };
    for association in table.associations().iter().filter(|it| it.main() != Some(true)) {
        let Some(association) = association.route_table_association_id() else { continue };
        let call = client.ec2.disassociate_route_table().association_id(association);
        match call.send().await.call("ec2:DisassociateRouteTable") {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
    }
    let call =
        || async { client.ec2.delete_route_table().route_table_id(&id).send().await.call("ec2:DeleteRouteTable") };
    object::delete(cx, &format!("route table {id}"), call, object::nobody).await
}
