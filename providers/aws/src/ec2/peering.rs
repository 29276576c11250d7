//! Peering connections: the connection, its acceptance, and what each side lets the other resolve.

use aws_sdk_ec2::types::{
    PeeringConnectionOptionsRequest, VpcPeeringConnection, VpcPeeringConnectionStateReasonCode as State,
    VpcPeeringConnectionVpcInfo,
};
use sgp_contract::Context;
use sgp_model::{Attribute, Block, Diagnostic, NestedBlock, Schema, Value};

use crate::{
    client::AwsClient,
    ec2::{describe, filter},
    errors::{ApiError, Call},
    values::{self, ObjectBuilder},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The sides of a connection, as blocks.
pub const SIDES: [&str; 2] = ["accepter", "requester"];

/// The only option of a side.
const RESOLVES: &str = "allow_remote_vpc_dns_resolution";

/// Adds the blocks `accepter` and `requester`.
pub fn options(schema: Schema) -> Schema {
    let block = || {
        Block::default().attr(
            RESOLVES,
            Attribute::bool()
                .default(false)
                .doc("Whether public DNS names of this side resolve to private addresses for the other one; needs DNS host names in this VPC."),
        )
    };
    schema
        .block("accepter", NestedBlock::list_of_one(block()).computed().doc("Options of the VPC that accepts."))
        .block("requester", NestedBlock::list_of_one(block()).computed().doc("Options of the VPC that asks."))
}

/// A connection by its id; `None` when it has ended, which EC2 tells for hours.
///
/// # Errors
/// What EC2 answers.
pub async fn connection(client: &AwsClient, id: &str) -> Result<Option<VpcPeeringConnection>, ApiError> {
    let found = describe::peerings(client, vec![filter("vpc-peering-connection-id", [id])]).await?;
    Ok(found.into_iter().find(is_alive))
}

/// Whether a connection is there, working or waiting to be accepted.
pub fn is_alive(connection: &VpcPeeringConnection) -> bool {
    !matches!(
        state(connection),
        Some(State::Deleted | State::Deleting | State::Expired | State::Failed | State::Rejected)
    )
}

/// The connection's state.
pub fn state(connection: &VpcPeeringConnection) -> Option<&State> {
    connection.status().and_then(|it| it.code())
}

/// Sets the blocks from what EC2 tells; EC2 tells options of a side that this account sees, once the connection works.
pub fn fill(object: ObjectBuilder, schema: &Schema, connection: &VpcPeeringConnection) -> ObjectBuilder {
    let infos = [connection.accepter_vpc_info(), connection.requester_vpc_info()];
    SIDES.into_iter().zip(infos).fold(object, |object, (side, info)| {
        let block = &schema.block.blocks[side].block;
        let resolves = info.and_then(|it| it.peering_options()?.allow_dns_resolution_from_remote_vpc());
        let built = resolves.map(|it| ObjectBuilder::of_block(block).set(RESOLVES, it).build());
        object.set(side, Value::list(block.ty(), built.into_iter().collect()))
    })
}

/// What an object says of a side; `None` where it says nothing.
fn wanted(object: &Value, side: &str) -> Option<bool> {
    Some(values::flag(values::block(object, side)?, RESOLVES))
}

/// Brings the options to what is said. EC2 changes them in a connection that works only; it takes a moment until it sees that it does.
///
/// # Errors
/// What EC2 answers.
pub async fn change(client: &AwsClient, cx: &Context, id: &str, exist: &Value, said: &Value) -> Result<(), ApiError> {
    let differs = |side: &str| {
        let wanted = wanted(said, side)?;
        (self::wanted(exist, side).unwrap_or_default() != wanted).then_some(wanted)
    };
    let [accepter, requester] = SIDES.map(differs);
    if accepter.is_none() && requester.is_none() {
        return Ok(());
    }
    let request =
        |it: bool| PeeringConnectionOptionsRequest::builder().allow_dns_resolution_from_remote_vpc(it).build();
    let passes = |e: &ApiError| e.is_not_found() || e.is(&["OperationNotPermitted"]);
    let call = || async {
        let call = client
            .ec2
            .modify_vpc_peering_connection_options()
            .vpc_peering_connection_id(id)
            .set_accepter_peering_connection_options(accepter.map(request))
            .set_requester_peering_connection_options(requester.map(request));
        call.send().await.call("ec2:ModifyVpcPeeringConnectionOptions")
    };
    wait::settle(cx, CONSISTENCY, passes, call).await.map(|_| ())
}

/// Accepts a connection that waits for it, and waits until it works.
///
/// # Errors
/// What EC2 answers; a connection that has failed or was rejected.
pub async fn accept(client: &AwsClient, cx: &Context, id: &str) -> Result<VpcPeeringConnection, Diagnostic> {
    let found = settled(client, cx, id).await?;
    if state(&found) == Some(&State::PendingAcceptance) {
        let call = || async {
            let call = client.ec2.accept_vpc_peering_connection().vpc_peering_connection_id(id);
            call.send().await.call("ec2:AcceptVpcPeeringConnection")
        };
        wait::settle(cx, CONSISTENCY, ApiError::is_not_found, call).await?;
    }
    until(client, cx, id, &[State::Active]).await
}

/// Waits until a connection works or waits to be accepted.
///
/// # Errors
/// What EC2 answers; a connection that has failed.
pub async fn settled(client: &AwsClient, cx: &Context, id: &str) -> Result<VpcPeeringConnection, Diagnostic> {
    until(client, cx, id, &[State::Active, State::PendingAcceptance]).await
}

async fn until(
    client: &AwsClient,
    cx: &Context,
    id: &str,
    states: &[State],
) -> Result<VpcPeeringConnection, Diagnostic> {
    let what = format!("peering connection {id} to be {}", states[0].as_str());
    wait::until(cx, &what, Pace::QUICK, async || {
        let found = describe::peerings(client, vec![filter("vpc-peering-connection-id", [id])]).await?;
        let Some(found) = found.into_iter().next() else { return Ok(Poll::Pending("not visible yet".to_owned())) };
        Ok(match state(&found) {
            Some(state) if states.contains(state) => Poll::Ready(found),
            _ if !is_alive(&found) => Poll::Broken(broken(id, &found)),
            state => Poll::Pending(state.map_or("not known yet", State::as_str).to_owned()),
        })
    })
    .await
}

fn broken(id: &str, connection: &VpcPeeringConnection) -> Diagnostic {
    let why = connection.status().and_then(|it| it.message()).unwrap_or("EC2 gives no reason");
    let hint = match state(connection) {
        Some(State::Failed) => " VPCs whose addresses overlap cannot be peered.",
        _ => "",
    };
    let state = state(connection).map_or("", State::as_str);
    Diagnostic::error("Peering connection failed", format!("The peering connection {id} is {state}: {why}.{hint}"))
}

/// A text of a side.
pub fn of_side<'a>(
    side: Option<&'a VpcPeeringConnectionVpcInfo>,
    text: impl Fn(&'a VpcPeeringConnectionVpcInfo) -> Option<&'a str>,
) -> Value {
    values::non_empty(side.and_then(text))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{VpcPeeringConnectionOptionsDescription, VpcPeeringConnectionStateReason};

    use super::*;

    #[test]
    fn options_of_a_side_are_told_when_it_tells_them() {
        let schema = options(Schema::new("t", "A test."));
        let open = VpcPeeringConnectionOptionsDescription::builder().allow_dns_resolution_from_remote_vpc(true).build();
        let accepter = VpcPeeringConnectionVpcInfo::builder().peering_options(open).build();
        let connection = VpcPeeringConnection::builder().accepter_vpc_info(accepter).build();
        let object = fill(ObjectBuilder::new(&schema), &schema, &connection).build();
        assert_eq!((wanted(&object, "accepter"), wanted(&object, "requester")), (Some(true), None));
    }

    #[test]
    fn a_failed_connection_says_why() {
        let status = VpcPeeringConnectionStateReason::builder().code(State::Failed).message("Failed due to overlap");
        let connection = VpcPeeringConnection::builder().status(status.build()).build();
        assert!(!is_alive(&connection));
        assert_eq!(
            broken("pcx-1", &connection).detail,
            "The peering connection pcx-1 is failed: Failed due to overlap. VPCs whose addresses overlap cannot be peered."
        );
    }
}
