//! `aws_route`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Route, RouteTable};
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, schema::Semantics, state::Intent};

use crate::{
    adoption::by_content,
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{
        addresses, claims, describe, filter,
        routes::{self, DESTINATIONS, Destination, TARGETS, Target},
    },
    errors::{ApiError, Failure, Leaving, applied},
    unsaid,
    values::{self, ObjectBuilder, any_changed},
    wait::{self, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsRoute;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let told = |doc| Attribute::string().computed().follows(&TARGETS).doc(doc);
    let schema = Schema::new("aws_route", "One route of a route table. Not for a table with `route` blocks.")
        .attr(
            "destination_cidr_block",
            Attribute::string()
                .optional()
                .force_new()
                .semantics(Semantics::Cidr)
                .doc("The IPv4 addresses that it is for."),
        )
        .attr(
            "destination_ipv6_cidr_block",
            Attribute::string()
                .optional()
                .force_new()
                .semantics(Semantics::Cidr)
                .doc("The IPv6 addresses that it is for."),
        )
        .attr(
            "destination_prefix_list_id",
            Attribute::string().optional().force_new().doc("The prefix list with the addresses that it is for."),
        )
        .attr("id", Attribute::string().computed().doc("Made of the table's id and the destination: `r-rtb-...`."))
        .attr("instance_id", told("The instance of the network interface."))
        .attr("instance_owner_id", told("The account of that instance."))
        .attr("origin", Attribute::string().computed().doc("How it came to be: `CreateRoute`."))
        .attr("route_table_id", Attribute::string().required().force_new().doc("The route table."))
        .attr("state", told("`active`, or `blackhole` when the target is gone."));
    routes::target_attributes()
        .fold(schema, |schema, (name, attribute)| schema.attr(name, attribute))
        .timeouts(&[("create", 300), ("update", 120), ("delete", 300)])
        .unsupported(&["odb_network_arn", "region"])
        .iam_actions(&["ec2:CreateRoute", "ec2:DeleteRoute", "ec2:DescribeRouteTables", "ec2:ReplaceRoute"])
        .example(
            "resource \"aws_route\" \"internet\" {\n  route_table_id         = aws_route_table.private.id\n  \
             destination_cidr_block = \"0.0.0.0/0\"\n  nat_gateway_id         = aws_nat_gateway.main.id\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsRoute {
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

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        if let Some(detail) = routes::mistake(config, DESTINATIONS) {
            found.push(Diagnostic::error("Invalid route", detail).attribute(AttrPath::attr("route_table_id")));
        }
        let blocks = [
            ("destination_cidr_block", addresses::Family::V4, 0..=32),
            ("destination_ipv6_cidr_block", addresses::Family::V6, 0..=128),
        ];
        found.extend(addresses::mistakes(config, &blocks));
        found
    }

    fn shown_in(&self) -> &'static [(&'static str, &'static str)] {
        &[("aws_route_table", "route_table_id")]
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        claims::one(claims::ROUTES, request, "route_table_id")
    }

    /// A listing of the tables tells all of their routes.
    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let tables = requests.iter().filter_map(|r| values::text(&r.prior, "route_table_id"));
        let fetch = |ids: Vec<String>| describe::route_tables(client, vec![filter("route-table-id", ids)]);
        let found = bulk::read(tables, FILTER_VALUES, fetch, |t: &RouteTable| t.route_table_id.clone()).await;
        let read = |r: &ReadRequest| {
            let table = found.get(values::str_opt(&r.prior, "route_table_id").unwrap_or_default())?;
            let destination = Destination::of(&r.prior, DESTINATIONS);
            let route = table.zip(destination).and_then(|(table, destination)| routes::find(table, &destination));
            Ok(route.map(|route| object(route, &r.prior)))
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

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let wrong = || {
            Diagnostic::error(
                "Invalid import id",
                format!("{:?} does not name a route. Give ROUTETABLE_DESTINATION: rtb-1234_10.0.0.0/16.", request.id),
            )
        };
        let (table, destination) =
            request.id.split_once('_').filter(|(t, _)| t.starts_with("rtb-")).ok_or_else(wrong)?;
        let name = match addresses::parse(destination) {
            Some((addresses::Family::V4, ..)) => DESTINATIONS[0],
            Some((addresses::Family::V6, ..)) => DESTINATIONS[1],
            None if destination.starts_with("pl-") => DESTINATIONS[2],
            None => return Err(wrong()),
        };
        Ok(values::identity([
            ("id", id_of(table, destination).as_str()),
            ("route_table_id", table),
            (name, destination),
        ]))
    }

    /// A table has one route for a destination; the one that leads where it was asked to is as good as the one that was made.
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let Some((table, destination, wanted)) = parts(&intent.attributes) else { return Ok(Found::Nothing) };
        let found = routes::table(AwsClient::of(client), &table).await?;
        let Some(route) = found.as_ref().and_then(|t| routes::find(t, &destination)) else { return Ok(Found::Nothing) };
        let what = format!("The route for {} in {table}", destination.text());
        let as_planned = routes::target_of(route).as_ref() == Some(&wanted);
        Ok(by_content(intent, &what, as_planned, object(route, &intent.attributes)))
    }
}

/// Table, destination and target.
fn parts(object: &Value) -> Option<(String, Destination, Target)> {
    Some((values::text(object, "route_table_id")?, Destination::of(object, DESTINATIONS)?, routes::target(object)?))
}

/// As Terraform makes it: `r-`, the table's id, and the CRC-32 of the destination.
fn id_of(table: &str, destination: &str) -> String {
    format!("r-{table}{}", crc32(destination.as_bytes()))
}

/// CRC-32 as in IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// The object out of what EC2 answered.
fn object(route: &Route, prior: &Value) -> Value {
    let table = values::string(prior, "route_table_id");
    let said = Destination::of(prior, DESTINATIONS);
    let told = Destination::of_route(route);
    let destination = said.filter(|said| told.as_ref().is_some_and(|told| said.is(told))).or(told);
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("id", id_of(&table, destination.as_ref().map_or("", Destination::text)))
        .set("instance_id", values::non_empty(route.instance_id()))
        .set("instance_owner_id", values::non_empty(route.instance_owner_id()))
        .set("origin", values::word(route.origin()))
        .set("route_table_id", table)
        .set("state", values::word(route.state()));
    let target = routes::target_of(route);
    TARGETS
        .into_iter()
        .fold(object, |object, name| {
            let id = target.as_ref().filter(|(it, _)| *it == name).map(|(_, id)| id.as_str());
            object.set(name, values::opt_str(id))
        })
        .build()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let unsaid = || Diagnostic::error("Invalid route", "A route needs a destination and a target.");
    let (table, destination, target) = parts(planned).ok_or_else(unsaid)?;
    match routes::add(client, cx, &table, &destination, &target).await {
        // An attempt before the one that was refused may have made it.
        Err(error) if error.is(&["RouteAlreadyExists"]) => {
            let exists = look(client, &table, &destination).await?;
            let leads = exists.as_ref().and_then(routes::target_of);
            if leads.as_ref() != Some(&target) {
                return Err(taken(&table, &destination, leads.as_ref()).into());
            }
        }
        other => other?,
    }
    told(client, cx, planned).await.map_err(Failure::from).leaving(&ObjectBuilder::carrying(&SCHEMA, planned).build())
}

fn taken(table: &str, destination: &Destination, leads: Option<&Target>) -> Diagnostic {
    let to = leads.map_or("elsewhere", |(_, id)| id);
    let text = destination.text();
    Diagnostic::error(
        "Route already exists",
        format!(
            "{table} has a route for {text} already, to {to}. Perhaps another resource or a `route` block of the table makes it. Remove one \
             of them, or import the route: `sgp import ADDRESS {table}_{text}`."
        ),
    )
}

async fn look(client: &AwsClient, table: &str, destination: &Destination) -> Result<Option<Route>, ApiError> {
    let table = routes::table(client, table).await?;
    Ok(table.as_ref().and_then(|t| routes::find(t, destination)).cloned())
}

/// The route as soon as EC2 shows it with its target.
async fn told(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
    let Some((table, destination, target)) = parts(planned) else { return Ok(planned.clone()) };
    let what = format!("the route for {} in {table} to be visible", destination.text());
    wait::until(cx, &what, Pace::QUICK, async || {
        let route = look(client, &table, &destination).await?;
        let shown = route.filter(|it| routes::target_of(it).as_ref() == Some(&target));
        Ok(shown.map_or_else(|| Poll::Pending("not visible yet".to_owned()), |it| Poll::Ready(object(&it, planned))))
    })
    .await
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    if any_changed(prior, planned, &TARGETS)
        && let Some((table, destination, target)) = parts(planned)
    {
        routes::replace(client, cx, &table, &destination, &target).await?;
    }
    Ok(told(client, cx, planned).await?)
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let Some(destination) = Destination::of(prior, DESTINATIONS) else { return Ok(()) };
    let table = values::string(prior, "route_table_id");
    routes::remove(client, &table, &destination).await?;
    let what = format!("the route for {} in {table} to be gone", destination.text());
    let gone = wait::until(cx, &what, Pace::QUICK, async || {
        let left = look(client, &table, &destination).await?;
        Ok(if left.is_none() { Poll::Ready(()) } else { Poll::Pending("still visible".to_owned()) })
    });
    Ok(gone.await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_are_terraforms() {
        // The check value of CRC-32.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(id_of("rtb-4fbb3ac4", "0.0.0.0/0"), "r-rtb-4fbb3ac41080289494");
    }

    #[test]
    fn an_import_id_names_table_and_destination() {
        let import = |id| AwsRoute.import(&ImportRequest { id, config: &Value::dynamic_null() });
        for (id, name) in [
            ("rtb-1_10.42.0.0/16", "destination_cidr_block"),
            ("rtb-1_2620:0:2d0:200::8/125", "destination_ipv6_cidr_block"),
            ("rtb-1_pl-0570a1d2d725c16be", "destination_prefix_list_id"),
        ] {
            assert!(import(id).unwrap().get(name).is_some(), "{id}");
        }
        assert!(import("rtb-1").is_err() && import("rtb-1_x").is_err() && import("r-1_10.0.0.0/8").is_err());
    }

    #[test]
    fn an_object_is_wholly_known() {
        let route = Route::builder().destination_ipv6_cidr_block("2001:db8::/32").nat_gateway_id("nat-1").build();
        let prior = SCHEMA.block.empty().with_attr("route_table_id", "rtb-1".into());
        let prior = prior.with_attr("destination_ipv6_cidr_block", "2001:DB8::/32".into());
        let object = object(&route, &prior.with_attr("gateway_id", "igw-1".into()));
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "destination_ipv6_cidr_block"), Some("2001:DB8::/32"));
        assert_eq!(
            (values::text(&object, "nat_gateway_id"), values::text(&object, "gateway_id")),
            (Some("nat-1".into()), None)
        );
    }
}
