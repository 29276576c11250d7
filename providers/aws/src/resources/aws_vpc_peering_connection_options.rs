//! `aws_vpc_peering_connection_options`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{VpcPeeringConnection, VpcPeeringConnectionStateReasonCode as State};
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Schema, Value, state::Intent};

use crate::{
    client::AwsClient,
    ec2::{claims, describe, object, peering},
    errors::{Failure, Leaving, applied},
    naming, unsaid,
    values::{self, ObjectBuilder, changed},
    wait::{self, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsVpcPeeringConnectionOptions;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new(
        "aws_vpc_peering_connection_options",
        "Options of a peering connection, for the sides that this account sees. Deleting it leaves them as they are.",
    )
    .attr("id", Attribute::string().computed().doc("The connection's id."))
    .attr("vpc_peering_connection_id", Attribute::string().required().force_new().doc("The connection."));
    peering::options(schema)
        .unsupported(&["region"])
        .timeouts(&[("create", 300), ("update", 300)])
        .iam_actions(&["ec2:DescribeVpcPeeringConnections", "ec2:ModifyVpcPeeringConnectionOptions"])
        .example(
            "resource \"aws_vpc_peering_connection_options\" \"database\" {\n  vpc_peering_connection_id = \
             aws_vpc_peering_connection_accepter.database.id\n\n  requester {\n    allow_remote_vpc_dns_resolution = true\n  }\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsVpcPeeringConnectionOptions {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let planned = unsaid::keep(&SCHEMA, request, request.proposed.clone());
        PlanResponse { planned: Some(planned), ..PlanResponse::default() }
    }

    fn shown_in(&self) -> &'static [(&'static str, &'static str)] {
        &[("aws_vpc_peering_connection", "vpc_peering_connection_id")]
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        claims::one(claims::PEERING_OPTIONS, request, "vpc_peering_connection_id")
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let fetch = |filters| describe::peerings(client, filters);
        let id_of = |it: &VpcPeeringConnection| it.vpc_peering_connection_id.clone();
        let object = |it: &VpcPeeringConnection, prior: &Value| peering::is_alive(it).then(|| object(it, prior));
        object::read(requests, "vpc-peering-connection-id", fetch, id_of, object).await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(bring(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(bring(AwsClient::of(client), cx, request.planned).await.leaving(request.prior).map(Some))
    }

    async fn delete(&self, _client: &dyn Client, _cx: &Context, _request: DeleteRequest<'_>) -> Applied {
        Applied::gone()
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("peering connection", "pcx-", request.id)?;
        Ok(values::identity([("id", request.id), ("vpc_peering_connection_id", request.id)]))
    }

    /// Nothing is made: the next run sets what is not set.
    async fn find(&self, _client: &dyn Client, _intent: &Intent) -> Result<Found, Diagnostic> {
        Ok(Found::Nothing)
    }
}

/// The object out of what EC2 answered.
fn object(connection: &VpcPeeringConnection, prior: &Value) -> Value {
    let id = || values::opt_str(connection.vpc_peering_connection_id());
    let object = ObjectBuilder::carrying(&SCHEMA, prior).set("id", id()).set("vpc_peering_connection_id", id());
    peering::fill(object, &SCHEMA, connection).build()
}

/// Sets the options once the connection works: the other side may still have to accept it.
async fn bring(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(planned, "vpc_peering_connection_id");
    let says = |side: &&&str| values::block(planned, side).is_some();
    let what = format!("peering connection {id} to be active");
    let active = wait::until(cx, &what, Pace::QUICK, async || {
        let found = peering::settled(client, cx, &id).await;
        Ok(match found {
            Ok(found) if peering::state(&found) == Some(&State::Active) => Poll::Ready(found),
            Ok(_) => Poll::Pending("pending-acceptance".to_owned()),
            Err(broken) => Poll::Broken(broken),
        })
    });
    let exists = object(&active.await?, planned);
    peering::change(client, cx, &id, &exists, planned).await?;
    let what = format!("the options of {id} to be visible");
    let shown = wait::until(cx, &what, Pace::QUICK, async || {
        let object = peering::connection(client, &id).await?.map(|found| object(&found, planned));
        let is_as_said =
            |object: &Value| peering::SIDES.iter().filter(says).all(|side| !changed(object, planned, side));
        Ok(object.filter(is_as_said).map_or_else(|| Poll::Pending("not visible yet".to_owned()), Poll::Ready))
    });
    Ok(shown.await?)
}
