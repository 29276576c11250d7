//! `aws_vpc_peering_connection_accepter`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::VpcPeeringConnection;
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Schema, Value, state::Intent};

use crate::{
    client::AwsClient,
    ec2::{claims, describe, object, peering},
    errors::{Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder},
};

/// The type.
#[derive(Debug)]
pub struct AwsVpcPeeringConnectionAccepter;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let told = |doc| Attribute::string().computed().doc(doc);
    let schema = Schema::new(
        "aws_vpc_peering_connection_accepter",
        "The accepter's side of a peering connection that another account or region asked for. Deleting it leaves the connection.",
    )
    .attr("accept_status", told("`active`, or `pending-acceptance`.").follows(&["auto_accept"]))
    .attr("auto_accept", Attribute::bool().optional().doc("Whether to accept the connection."))
    .attr("id", told("The connection's id."))
    .attr("peer_owner_id", told("The account of the VPC that asks."))
    .attr("peer_region", told("The region of the VPC that asks."))
    .attr("peer_vpc_id", told("The VPC that asks."))
    .attr("vpc_id", told("The VPC that accepts."))
    .attr("vpc_peering_connection_id", Attribute::string().required().force_new().doc("The connection."));
    tags::attributes(peering::options(schema))
        .unsupported(&["region"])
        .timeouts(&[("create", 60), ("update", 60)])
        .iam_actions(&[
            "ec2:AcceptVpcPeeringConnection",
            "ec2:CreateTags",
            "ec2:DeleteTags",
            "ec2:DescribeVpcPeeringConnections",
            "ec2:ModifyVpcPeeringConnectionOptions",
        ])
        .example(
            "resource \"aws_vpc_peering_connection_accepter\" \"database\" {\n  provider                  = aws.database\n  \
             vpc_peering_connection_id = aws_vpc_peering_connection.database.id\n  auto_accept               = true\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsVpcPeeringConnectionAccepter {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        // Its sides are another provider's, or another account's: two managers of one side are what is looked for.
        claims::whole(claims::PEERING_OPTIONS, request, "vpc_peering_connection_id", &peering::SIDES)
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let fetch = |filters| describe::peerings(client, filters);
        let id_of = |it: &VpcPeeringConnection| it.vpc_peering_connection_id.clone();
        let object =
            |it: &VpcPeeringConnection, prior: &Value| peering::is_alive(it).then(|| object(client, it, prior));
        object::read(requests, "vpc-peering-connection-id", fetch, id_of, object).await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let none = ObjectBuilder::new(&SCHEMA).build();
        applied(bring(AwsClient::of(client), cx, &none, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(bring(AwsClient::of(client), cx, prior, planned).await.leaving(prior).map(Some))
    }

    /// The connection is whose it was.
    async fn delete(&self, _client: &dyn Client, _cx: &Context, _request: DeleteRequest<'_>) -> Applied {
        Applied::gone()
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("peering connection", "pcx-", request.id)?;
        Ok(values::identity([("id", request.id), ("vpc_peering_connection_id", request.id)]))
    }

    /// Nothing is made: the next run accepts what is not accepted.
    async fn find(&self, _client: &dyn Client, _intent: &Intent) -> Result<Found, Diagnostic> {
        Ok(Found::Nothing)
    }
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, connection: &VpcPeeringConnection, prior: &Value) -> Value {
    let (accepter, requester) = (connection.accepter_vpc_info(), connection.requester_vpc_info());
    let id = || values::opt_str(connection.vpc_peering_connection_id());
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("accept_status", values::word(peering::state(connection)))
        .set("id", id())
        .set("peer_owner_id", peering::of_side(requester, |it| it.owner_id()))
        .set("peer_region", peering::of_side(requester, |it| it.region()))
        .set("peer_vpc_id", peering::of_side(requester, |it| it.vpc_id()))
        .set("vpc_id", peering::of_side(accepter, |it| it.vpc_id()))
        .set("vpc_peering_connection_id", id());
    let object = peering::fill(object, &SCHEMA, connection);
    tags::fill(object, client, prior, &tags::from_ec2(connection.tags())).build()
}

/// Accepts, tags and sets options, as far as that is not so already.
async fn bring(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(planned, "vpc_peering_connection_id");
    let found = if values::flag(planned, "auto_accept") {
        peering::accept(client, cx, &id).await?
    } else {
        peering::settled(client, cx, &id).await?
    };
    let exists = object(client, &found, planned);
    tags::update_ec2(client, &id, prior, planned).await.leaving(&exists)?;
    peering::change(client, cx, &id, &exists, planned).await.leaving(&exists)?;
    let found = peering::settled(client, cx, &id).await.leaving(&exists)?;
    Ok(object(client, &found, planned))
}
