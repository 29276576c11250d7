//! `aws_route_table_association`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::RouteTableAssociation;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    adoption::by_content,
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{creation, describe, filter, object},
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::Checks,
    unsaid,
    values::{self, ObjectBuilder, changed},
    wait::{self, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsRouteTableAssociation;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_route_table_association", "The route table of a subnet, or of a gateway.")
        .attr(
            "gateway_id",
            Attribute::string().optional().force_new().doc("The internet or virtual private gateway; excludes `subnet_id`."),
        )
        .attr("id", Attribute::string().computed().doc("The association's id: `rtbassoc-...`."))
        .attr("route_table_id", Attribute::string().required().doc("The route table."))
        .attr("subnet_id", Attribute::string().optional().force_new().doc("The subnet; excludes `gateway_id`."))
        .timeouts(&[("create", 300), ("update", 120), ("delete", 300)])
        .unsupported(&["region"])
        .iam_actions(&[
            "ec2:AssociateRouteTable",
            "ec2:DescribeRouteTables",
            "ec2:DisassociateRouteTable",
            "ec2:ReplaceRouteTableAssociation",
        ])
        .example(
            "resource \"aws_route_table_association\" \"private\" {\n  subnet_id      = aws_subnet.private.id\n  route_table_id = \
             aws_route_table.private.id\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsRouteTableAssociation {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let planned = unsaid::keep(&SCHEMA, request, request.proposed.clone());
        // Another table's association has another id.
        let moves = !request.prior.is_null() && changed(request.prior, &planned, "route_table_id");
        let open = || planned.with_attr("id", Value::unknown(sgp_model::Type::String));
        PlanResponse { planned: Some(if moves { open() } else { planned }), ..PlanResponse::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config).conflict("subnet_id", "gateway_id").done();
        let says = |name: &str| config.get(name).is_some_and(|it| !it.is_null());
        if !says("subnet_id") && !says("gateway_id") {
            let detail = "An association needs `subnet_id` or `gateway_id`.";
            found.push(Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr("subnet_id")));
        }
        found
    }

    /// Listings of subnets' and of gateways' tables; an association that was replaced by somebody has another id and the same end.
    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let ends = requests.iter().map(|r| end_of(&r.prior).1);
        let fetch = |ends: Vec<String>| of_ends(client, ends);
        let key = |it: &RouteTableAssociation| it.subnet_id.clone().or_else(|| it.gateway_id.clone());
        let found = bulk::read(ends, FILTER_VALUES, fetch, key).await;
        let read = |r: &ReadRequest| {
            let association = found.get(&end_of(&r.prior).1)?;
            // An import names the table; what is recorded may have got another one.
            let is_named = !values::str_opt(&r.prior, "id").is_some_and(|id| id.contains('/'));
            let is_it = |it: &&RouteTableAssociation| {
                is_named || it.route_table_id() == values::str_opt(&r.prior, "route_table_id")
            };
            Ok(association.filter(is_it).map(|association| object(association, &r.prior)))
        };
        requests.iter().map(|r| bulk::outcome(r, read(r))).collect()
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

    /// `subnet-1/rtb-1`, or `igw-1/rtb-1`: the id is looked up when it is read, by its ends.
    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let wrong = || {
            Diagnostic::error(
                "Invalid import id",
                format!("{:?} does not name an association. Give SUBNET_OR_GATEWAY/ROUTETABLE.", request.id),
            )
        };
        let (end, table) = request.id.split_once('/').filter(|(_, t)| t.starts_with("rtb-")).ok_or_else(wrong)?;
        let name = if end.starts_with("subnet-") { "subnet_id" } else { "gateway_id" };
        Ok(values::identity([("id", request.id), ("route_table_id", table), (name, end)]))
    }

    /// A subnet has one table; that it is the planned one is what was asked for.
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let planned = &intent.attributes;
        let Some(found) = of_end(AwsClient::of(client), planned).await? else { return Ok(Found::Nothing) };
        let what = format!("The route table of {}", end_of(planned).1);
        let as_planned = found.route_table_id() == values::str_opt(planned, "route_table_id");
        Ok(by_content(intent, &what, as_planned, object(&found, planned)))
    }
}

/// The argument that names the end, and its id.
fn end_of(object: &Value) -> (&'static str, String) {
    match values::text(object, "subnet_id") {
        Some(subnet) => ("subnet_id", subnet),
        None => ("gateway_id", values::string(object, "gateway_id")),
    }
}

fn is_alive(association: &RouteTableAssociation) -> bool {
    let state = association.association_state().and_then(|it| it.state()).map(AsRef::as_ref);
    !matches!(state, Some("disassociating" | "disassociated" | "failed"))
}

/// The associations of subnets and gateways, whatever their tables are.
async fn of_ends(client: &AwsClient, ends: Vec<String>) -> Result<Vec<RouteTableAssociation>, ApiError> {
    let (subnets, gateways): (Vec<String>, Vec<String>) = ends.into_iter().partition(|end| end.starts_with("subnet-"));
    let mut found = Vec::new();
    for (name, ends) in [("association.subnet-id", subnets), ("association.gateway-id", gateways)] {
        if ends.is_empty() {
            continue;
        }
        let tables = describe::route_tables(client, vec![filter(name, ends)]).await?;
        found.extend(tables.into_iter().flat_map(|t| t.associations.unwrap_or_default()).filter(is_alive));
    }
    Ok(found)
}

/// The association of a subnet or gateway, whatever its table is.
async fn of_end(client: &AwsClient, object: &Value) -> Result<Option<RouteTableAssociation>, ApiError> {
    let (_, end) = end_of(object);
    let mut found = of_ends(client, vec![end.clone()]).await?.into_iter();
    Ok(found.find(|it| it.subnet_id() == Some(&end) || it.gateway_id() == Some(&end)))
}

/// The object out of what EC2 answered.
fn object(association: &RouteTableAssociation, prior: &Value) -> Value {
    ObjectBuilder::carrying(&SCHEMA, prior)
        .set("gateway_id", values::non_empty(association.gateway_id()))
        .set("id", values::opt_str(association.route_table_association_id()))
        .set("route_table_id", values::opt_str(association.route_table_id()))
        .set("subnet_id", values::non_empty(association.subnet_id()))
        .build()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let table = values::string(planned, "route_table_id");
    let call = || async {
        let call = client
            .ec2
            .associate_route_table()
            .route_table_id(&table)
            .set_subnet_id(values::text(planned, "subnet_id"))
            .set_gateway_id(values::text(planned, "gateway_id"));
        Ok(call.send().await.call("ec2:AssociateRouteTable")?.association_id)
    };
    let id = match object::with_new(cx, call).await {
        Ok(id) => id.ok_or_else(|| creation::unnamed("ec2:AssociateRouteTable"))?,
        // An attempt before the one that was refused may have done it.
        Err(error) if error.is(&["Resource.AlreadyAssociated"]) => {
            let exists = of_end(client, planned).await?;
            let same = exists.as_ref().filter(|it| it.route_table_id() == Some(&table));
            match same.and_then(|it| it.route_table_association_id()) {
                Some(id) => id.to_owned(),
                None => return Err(taken(planned, exists.as_ref()).into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    told(client, cx, planned, &id).await.leaving(&begun)
}

fn taken(planned: &Value, exists: Option<&RouteTableAssociation>) -> Diagnostic {
    let (name, end) = end_of(planned);
    let table = exists.and_then(|it| it.route_table_id()).unwrap_or("another table");
    Diagnostic::error(
        "Route table already associated",
        format!(
            "{end} has a route table of its own already ({table}). Import the association (`sgp import ADDRESS {end}/{table}`), or remove it."
        ),
    )
    .attribute(AttrPath::attr(name))
}

/// The association as soon as EC2 shows it.
async fn told(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Diagnostic> {
    wait::until(cx, &format!("association {id} to be in force"), Pace::QUICK, async || {
        let found = of_end(client, planned).await?.filter(|it| it.route_table_association_id() == Some(id));
        let Some(found) = found else { return Ok(Poll::Pending("not visible yet".to_owned())) };
        Ok(match found.association_state().and_then(|it| it.state()).map(AsRef::as_ref) {
            None | Some("associated") => Poll::Ready(object(&found, planned)),
            Some(state) => Poll::Pending(state.to_owned()),
        })
    })
    .await
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let call = || async {
        let call = client.ec2.replace_route_table_association().association_id(values::string(prior, "id"));
        let call = call.route_table_id(values::string(planned, "route_table_id"));
        Ok(call.send().await.call("ec2:ReplaceRouteTableAssociation")?.new_association_id)
    };
    let unseen = |e: &ApiError| e.is(&["InvalidRouteTableID.NotFound"]);
    let id = wait::settle(cx, wait::CONSISTENCY, unseen, call).await?;
    let id = id.ok_or_else(|| creation::unnamed("ec2:ReplaceRouteTableAssociation"))?;
    let moved = ObjectBuilder::carrying(&SCHEMA, planned).set("id", id.as_str()).build();
    told(client, cx, planned, &id).await.leaving(&moved)
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let id = values::string(prior, "id");
    match client.ec2.disassociate_route_table().association_id(&id).send().await.call("ec2:DisassociateRouteTable") {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    let what = format!("association {id} to be gone");
    let gone = wait::until(cx, &what, Pace::QUICK, async || {
        let left = of_end(client, prior).await?.filter(|it| it.route_table_association_id() == Some(&id));
        Ok(if left.is_none() { Poll::Ready(()) } else { Poll::Pending("still visible".to_owned()) })
    });
    Ok(gone.await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_import_id_names_both_ends() {
        let import = |id| AwsRouteTableAssociation.import(&ImportRequest { id, config: &Value::dynamic_null() });
        assert_eq!(end_of(&import("subnet-1/rtb-1").unwrap()), ("subnet_id", "subnet-1".into()));
        assert_eq!(end_of(&import("igw-1/rtb-1").unwrap()), ("gateway_id", "igw-1".into()));
        assert!(import("rtbassoc-1").is_err() && import("subnet-1/x").is_err());
    }

    #[test]
    fn one_end_is_needed() {
        let wrong = |fields: &[&str]| {
            let config = fields.iter().fold(SCHEMA.block.empty(), |o, name| o.with_attr(name, "x".into()));
            AwsRouteTableAssociation.validate(&config).has_errors()
        };
        assert!(wrong(&[]) && wrong(&["subnet_id", "gateway_id"]) && !wrong(&["subnet_id"]));
    }
}
