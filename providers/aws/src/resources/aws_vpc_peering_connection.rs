//! `aws_vpc_peering_connection`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType as Ec2Type, VpcPeeringConnection, VpcPeeringConnectionStateReasonCode as State};
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    attempts::Attempts,
    client::AwsClient,
    ec2::{claims, creation, describe, filter, object, peering},
    errors::{ApiError, Call, Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder, changed},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsVpcPeeringConnection;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new(
        "aws_vpc_peering_connection",
        "A connection between two VPCs. Each side needs routes over it, and groups that let the other side in.",
    )
    .attr(
        "accept_status",
        Attribute::string()
            .computed()
            .follows(&["auto_accept"])
            .doc("`active`, or `pending-acceptance` until the other side agrees."),
    )
    .attr(
        "auto_accept",
        Attribute::bool().optional().doc("Whether to accept it too: both VPCs must be of this account and region."),
    )
    .attr("id", Attribute::string().computed().doc("The connection's id: `pcx-...`."))
    .attr(
        "peer_owner_id",
        Attribute::string().optional_computed().force_new().doc("The account of the other VPC; one's own when absent."),
    )
    .attr(
        "peer_region",
        Attribute::string()
            .optional_computed()
            .force_new()
            .doc("The region of the other VPC; the provider's when absent."),
    )
    .attr("peer_vpc_id", Attribute::string().required().force_new().doc("The VPC that is asked."))
    .attr("vpc_id", Attribute::string().required().force_new().doc("The VPC that asks."));
    tags::attributes(peering::options(schema))
        .unsupported(&["region"])
        .timeouts(&[("create", 60), ("update", 60), ("delete", 60)])
        .iam_actions(&[
            "ec2:AcceptVpcPeeringConnection",
            "ec2:CreateTags",
            "ec2:CreateVpcPeeringConnection",
            "ec2:DeleteTags",
            "ec2:DeleteVpcPeeringConnection",
            "ec2:DescribeVpcPeeringConnections",
            "ec2:ModifyVpcPeeringConnectionOptions",
        ])
        .example(
            "resource \"aws_vpc_peering_connection\" \"database\" {\n  vpc_id      = aws_vpc.cluster.id\n  peer_vpc_id = \
             aws_vpc.database.id\n  auto_accept = true\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsVpcPeeringConnection {
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
        let mut found = Diagnostics::new();
        if values::flag(config, "auto_accept") && values::is_set(config, "peer_region") {
            let detail = "A connection to another region is accepted there: leave `auto_accept` out, and accept it with \
                          `aws_vpc_peering_connection_accepter`.";
            found.push(Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr("auto_accept")));
        }
        found
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        claims::whole(claims::PEERING_OPTIONS, request, "id", &peering::SIDES)
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
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(update(AwsClient::of(client), cx, prior, planned).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let id = values::string(request.prior, "id");
        applied(delete(AwsClient::of(client), cx, &id).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("peering connection", "pcx-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    /// Two VPCs have one connection at a time.
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = AwsClient::of(client);
        let planned = &intent.attributes;
        let Some(found) = between(client, planned).await? else { return Ok(Found::Nothing) };
        let id = found.vpc_peering_connection_id().unwrap_or_default();
        if has_tags(client, &found, planned) {
            return Ok(creation::found(&SCHEMA, intent, &[id.to_owned()]));
        }
        let detail = format!(
            "The VPCs have a peering connection ({id}), but its tags are not those of the one that was being created. If it is this one, \
             import it; otherwise remove one of them."
        );
        Ok(Found::Doubtful(Diagnostic::error("Is this the peering connection that was being created?", detail)))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, connection: &VpcPeeringConnection, prior: &Value) -> Value {
    let (accepter, requester) = (connection.accepter_vpc_info(), connection.requester_vpc_info());
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("accept_status", values::word(peering::state(connection)))
        .set("id", values::opt_str(connection.vpc_peering_connection_id()))
        .set("peer_owner_id", peering::of_side(accepter, |it| it.owner_id()))
        .set("peer_region", peering::of_side(accepter, |it| it.region()))
        .set("peer_vpc_id", peering::of_side(accepter, |it| it.vpc_id()))
        .set("vpc_id", peering::of_side(requester, |it| it.vpc_id()));
    let object = peering::fill(object, &SCHEMA, connection);
    tags::fill(object, client, prior, &tags::from_ec2(connection.tags())).build()
}

/// The connection of the planned VPCs, in the planned direction.
async fn between(client: &AwsClient, planned: &Value) -> Result<Option<VpcPeeringConnection>, ApiError> {
    let filters = vec![
        filter("requester-vpc-info.vpc-id", [values::string(planned, "vpc_id")]),
        filter("accepter-vpc-info.vpc-id", [values::string(planned, "peer_vpc_id")]),
    ];
    Ok(describe::peerings(client, filters).await?.into_iter().find(peering::is_alive))
}

fn has_tags(client: &AwsClient, connection: &VpcPeeringConnection, planned: &Value) -> bool {
    let carried = tags::from_ec2(connection.tags()).into_iter().filter(|(k, _)| client.ignore_tags.shows(k));
    carried.collect::<tags::Tags>() == tags::wanted(client, planned)
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let attempts = Attempts::default();
    let before = between(client, planned).await?;
    if let Some(id) = before.as_ref().and_then(|it| it.vpc_peering_connection_id()) {
        return Err(taken(planned, id).into());
    }
    let call = || async {
        let tags = tags::ec2_specification(Ec2Type::VpcPeeringConnection, &tags::wanted(client, planned));
        let call = client
            .ec2
            .create_vpc_peering_connection()
            .vpc_id(values::string(planned, "vpc_id"))
            .peer_vpc_id(values::string(planned, "peer_vpc_id"))
            .set_peer_owner_id(values::text(planned, "peer_owner_id"))
            .set_peer_region(values::text(planned, "peer_region"))
            .set_tag_specifications(tags.map(|t| vec![t]));
        let answer = call.customize().interceptor(attempts.clone()).send().await;
        Ok(answer.call("ec2:CreateVpcPeeringConnection")?.vpc_peering_connection)
    };
    let unseen = |e: &ApiError| e.is(&["InvalidVpcID.NotFound"]);
    let made = match wait::settle(cx, CONSISTENCY, unseen, call).await {
        // An attempt before the one that was refused may have made it.
        Err(error) if error.is(&["VpcPeeringConnectionAlreadyExists"]) && attempts.repeated() => {
            between(client, planned).await?.filter(|it| has_tags(client, it, planned))
        }
        other => other?,
    };
    let id = made.and_then(|it| it.vpc_peering_connection_id);
    let id = id.ok_or_else(|| creation::unnamed("ec2:CreateVpcPeeringConnection"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

fn taken(planned: &Value, id: &str) -> Diagnostic {
    let (one, other) = (values::string(planned, "vpc_id"), values::string(planned, "peer_vpc_id"));
    Diagnostic::error(
        "Peering connection already exists",
        format!(
            "{one} and {other} are peered already ({id}), and two VPCs can be so once only. Import the connection (`sgp import ADDRESS {id}`), \
             or remove the block."
        ),
    )
}

/// Brings a connection that exists to what is planned.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let found = peering::settled(client, cx, id).await?;
    let found = if values::flag(planned, "auto_accept") { peering::accept(client, cx, id).await? } else { found };
    told(client, cx, planned, &found).await
}

/// The object with the options that are planned: EC2 changes them in a connection that works only.
async fn told(
    client: &AwsClient,
    cx: &Context,
    planned: &Value,
    found: &VpcPeeringConnection,
) -> Result<Value, Failure> {
    let exists = object(client, found, planned);
    let id = values::string(&exists, "id");
    let differs = |side: &&str| values::block(planned, side).is_some() && changed(&exists, planned, side);
    if !peering::SIDES.iter().any(differs) {
        return Ok(exists);
    }
    if peering::state(found) != Some(&State::Active) {
        return Err(Failure::from(not_active(&id, found))).leaving(&exists);
    }
    peering::change(client, cx, &id, &exists, planned).await.leaving(&exists)?;
    let what = format!("the options of {id} to be visible");
    let shown = wait::until(cx, &what, Pace::QUICK, async || {
        let found = peering::connection(client, &id).await?;
        let object = found.map(|found| object(client, &found, planned));
        let is_as_said = |object: &Value| {
            peering::SIDES.iter().all(|side| values::block(planned, side).is_none() || !changed(object, planned, side))
        };
        Ok(match object.filter(is_as_said) {
            Some(object) => Poll::Ready(object),
            None => Poll::Pending("not visible yet".to_owned()),
        })
    });
    shown.await.leaving(&exists)
}

fn not_active(id: &str, found: &VpcPeeringConnection) -> Diagnostic {
    let state = peering::state(found).map_or("not active", State::as_str);
    Diagnostic::error(
        "Peering connection does not work yet",
        format!(
            "{id} is {state}, and EC2 sets options of a connection that works only. Set `auto_accept` where both VPCs are of this account and \
             region; otherwise accept it on the other side (`aws_vpc_peering_connection_accepter`) and give the options to \
             `aws_vpc_peering_connection_options`, which waits for that."
        ),
    )
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    tags::update_ec2(client, &id, prior, planned).await?;
    let found = if values::flag(planned, "auto_accept") {
        peering::accept(client, cx, &id).await?
    } else {
        peering::settled(client, cx, &id).await?
    };
    told(client, cx, planned, &found).await
}

async fn delete(client: &AwsClient, cx: &Context, id: &str) -> Result<(), Failure> {
    let call = client.ec2.delete_vpc_peering_connection().vpc_peering_connection_id(id);
    match call.send().await.call("ec2:DeleteVpcPeeringConnection") {
        // It has ended in another way.
        Err(error) if error.is_not_found() || error.is(&["InvalidStateTransition"]) => {}
        other => drop(other?),
    }
    let what = format!("peering connection {id} to be deleted");
    let gone = wait::until(cx, &what, Pace::QUICK, async || {
        let left = peering::connection(client, id).await?;
        Ok(left.map_or(Poll::Ready(()), |_| Poll::Pending("still there".to_owned())))
    });
    Ok(gone.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_region_accepts_for_itself() {
        let config = SCHEMA.block.empty().with_attr("auto_accept", true.into());
        assert!(!AwsVpcPeeringConnection.validate(&config).has_errors());
        assert!(AwsVpcPeeringConnection.validate(&config.with_attr("peer_region", "eu-west-1".into())).has_errors());
    }
}
