//! Routes, inside a route table and as objects of their own.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Route, RouteOrigin, RouteTable};
use sgp_contract::Context;
use sgp_model::{Attribute, Block, Value, schema::Semantics};

use crate::{
    client::AwsClient,
    ec2::{addresses, describe, filter},
    errors::{ApiError, Call},
    values::{self, ObjectBuilder},
    wait::{self, CONSISTENCY},
};

/// The addresses that a route is for: exactly one is said. In a table's block the first two lack `destination_`.
pub const DESTINATIONS: [&str; 3] =
    ["destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id"];

/// Where a route may lead: exactly one is said.
pub const TARGETS: [&str; 10] = [
    "carrier_gateway_id",
    "core_network_arn",
    "egress_only_gateway_id",
    "gateway_id",
    "local_gateway_id",
    "nat_gateway_id",
    "network_interface_id",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_peering_connection_id",
];

/// What each target is.
fn doc_of(target: &str) -> &'static str {
    match target {
        "carrier_gateway_id" => "To a carrier gateway, in a Wavelength zone.",
        "core_network_arn" => "To a core network of Cloud WAN.",
        "egress_only_gateway_id" => "To an egress-only internet gateway (IPv6).",
        "gateway_id" => "To an internet gateway (`igw-...`), a virtual private gateway (`vgw-...`), or `local`.",
        "local_gateway_id" => "To a local gateway of an Outpost.",
        "nat_gateway_id" => "To a NAT gateway.",
        "network_interface_id" => "To a network interface.",
        "transit_gateway_id" => "To a transit gateway.",
        "vpc_endpoint_id" => "To a Gateway Load Balancer endpoint.",
        _ => "Over a peering connection.",
    }
}

/// The targets as attributes.
pub fn target_attributes() -> impl Iterator<Item = (&'static str, Attribute)> {
    TARGETS.into_iter().map(|name| (name, Attribute::string().optional().doc(doc_of(name))))
}

/// The block `route` of a route table.
pub fn block() -> Block {
    let block = Block::default()
        .attr("cidr_block", Attribute::string().optional().semantics(Semantics::Cidr).doc("For IPv4 addresses."))
        .attr("ipv6_cidr_block", Attribute::string().optional().semantics(Semantics::Cidr).doc("For IPv6 addresses."))
        .attr("destination_prefix_list_id", Attribute::string().optional().doc("For the addresses of a prefix list."));
    target_attributes().fold(block, |block, (name, attribute)| block.attr(name, attribute))
}

/// The addresses of a route: `10.0.0.0/8`, `::/0` or `pl-1`, in EC2's form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// IPv4 addresses.
    V4(String),
    /// IPv6 addresses.
    V6(String),
    /// The addresses of a prefix list.
    PrefixList(String),
}

/// A route: its destination, and its target by the argument that names it.
pub type Target = (&'static str, String);

/// Routes by destination.
pub type Routes = BTreeMap<Destination, Target>;

impl Destination {
    /// The one that a block or an object names. `names` are those of the three arguments.
    pub fn of(object: &Value, names: [&str; 3]) -> Option<Self> {
        let text = |name| values::text(object, name);
        text(names[0])
            .map(Self::V4)
            .or_else(|| text(names[1]).map(Self::V6))
            .or_else(|| text(names[2]).map(Self::PrefixList))
    }

    /// The one of a route that EC2 told.
    pub fn of_route(route: &Route) -> Option<Self> {
        let some = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        some(route.destination_cidr_block())
            .map(Self::V4)
            .or_else(|| some(route.destination_ipv6_cidr_block()).map(Self::V6))
            .or_else(|| some(route.destination_prefix_list_id()).map(Self::PrefixList))
    }

    /// Its text.
    pub fn text(&self) -> &str {
        match self {
            Self::V4(text) | Self::V6(text) | Self::PrefixList(text) => text,
        }
    }

    /// Whether both mean the same addresses.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(a), Self::V4(b)) | (Self::V6(a), Self::V6(b)) => addresses::same(a, b),
            _ => self == other,
        }
    }

    fn parts(&self) -> [Option<String>; 3] {
        match self {
            Self::V4(text) => [Some(text.clone()), None, None],
            Self::V6(text) => [None, Some(text.clone()), None],
            Self::PrefixList(text) => [None, None, Some(text.clone())],
        }
    }
}

/// The names of the arguments in a table's block.
pub const IN_BLOCK: [&str; 3] = ["cidr_block", "ipv6_cidr_block", "destination_prefix_list_id"];

/// The target that a block or an object names.
pub fn target(object: &Value) -> Option<Target> {
    TARGETS.into_iter().find_map(|name| Some((name, values::text(object, name)?)))
}

/// The target of a route that EC2 told.
pub fn target_of(route: &Route) -> Option<Target> {
    let gateway = route.gateway_id();
    let endpoint = gateway.filter(|id| id.starts_with("vpce-"));
    let known = [
        ("carrier_gateway_id", route.carrier_gateway_id()),
        ("core_network_arn", route.core_network_arn()),
        ("egress_only_gateway_id", route.egress_only_internet_gateway_id()),
        ("gateway_id", gateway.filter(|_| endpoint.is_none())),
        ("local_gateway_id", route.local_gateway_id()),
        ("nat_gateway_id", route.nat_gateway_id()),
        ("network_interface_id", route.network_interface_id()),
        ("transit_gateway_id", route.transit_gateway_id()),
        ("vpc_endpoint_id", endpoint),
        ("vpc_peering_connection_id", route.vpc_peering_connection_id()),
    ];
    known.into_iter().find_map(|(name, id)| Some((name, id.filter(|id| !id.is_empty())?.to_owned())))
}

/// Whether a route is one that people make: not the VPC's own, not a virtual private gateway's, not a gateway endpoint's.
pub fn is_made(route: &Route) -> bool {
    let is_endpoints =
        route.destination_prefix_list_id().is_some() && route.gateway_id().is_some_and(|id| id.starts_with("vpce-"));
    let is_own = route.gateway_id() == Some("local") && route.origin() != Some(&RouteOrigin::CreateRoute);
    let is_passed_on = route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation);
    !is_endpoints && !is_own && !is_passed_on
}

/// The routes of a table that people made.
pub fn of_table(table: &RouteTable) -> Routes {
    let made = table.routes().iter().filter(|route| is_made(route));
    made.filter_map(|route| Some((Destination::of_route(route)?, target_of(route)?))).collect()
}

/// The routes that blocks say.
pub fn of_blocks(blocks: &[&Value]) -> Routes {
    blocks.iter().filter_map(|block| Some((Destination::of(block, IN_BLOCK)?, target(block)?))).collect()
}

/// Routes as blocks, spelled as `said` spells them.
pub fn to_blocks(routes: &Routes, said: &[&Value]) -> Value {
    let block = block();
    let built = routes.iter().map(|(destination, (name, id))| {
        let same = |it: &&&Value| Destination::of(it, IN_BLOCK).is_some_and(|d| d.is(destination));
        let spelled = said.iter().find(same).and_then(|it| Destination::of(it, IN_BLOCK));
        let argument = match destination {
            Destination::V4(_) => IN_BLOCK[0],
            Destination::V6(_) => IN_BLOCK[1],
            Destination::PrefixList(_) => IN_BLOCK[2],
        };
        let text = spelled.unwrap_or_else(|| destination.clone());
        ObjectBuilder::of_block(&block).set(argument, text.text()).set(name, id.as_str()).build()
    });
    Value::set(block.ty(), built)
}

/// A table by its id.
///
/// # Errors
/// What EC2 answers.
pub async fn table(client: &AwsClient, id: &str) -> Result<Option<RouteTable>, ApiError> {
    Ok(describe::route_tables(client, vec![filter("route-table-id", [id])]).await?.into_iter().next())
}

/// The route of a table for a destination.
pub fn find<'a>(table: &'a RouteTable, destination: &Destination) -> Option<&'a Route> {
    table.routes().iter().find(|route| Destination::of_route(route).is_some_and(|it| it.is(destination)))
}

/// Codes that pass when the table or the target was made a moment ago.
const UNSEEN: &[&str] = &[
    "InvalidGatewayID.NotFound",
    "InvalidNatGatewayID.NotFound",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidPrefixListID.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidTransitGatewayID.NotFound",
    "InvalidVpcEndpointId.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound",
    "NatGatewayNotFound",
];

/// Adds a route.
///
/// # Errors
/// What EC2 answers.
pub async fn add(
    client: &AwsClient,
    cx: &Context,
    table: &str,
    destination: &Destination,
    target: &Target,
) -> Result<(), ApiError> {
    let [v4, v6, list] = destination.parts();
    let (name, id) = target;
    let when = |argument: &str| (*name == argument).then(|| id.clone());
    let call = || async {
        let call = client
            .ec2
            .create_route()
            .route_table_id(table)
            .set_destination_cidr_block(v4.clone())
            .set_destination_ipv6_cidr_block(v6.clone())
            .set_destination_prefix_list_id(list.clone())
            .set_carrier_gateway_id(when("carrier_gateway_id"))
            .set_core_network_arn(when("core_network_arn"))
            .set_egress_only_internet_gateway_id(when("egress_only_gateway_id"))
            .set_gateway_id(when("gateway_id"))
            .set_local_gateway_id(when("local_gateway_id"))
            .set_nat_gateway_id(when("nat_gateway_id"))
            .set_network_interface_id(when("network_interface_id"))
            .set_transit_gateway_id(when("transit_gateway_id"))
            .set_vpc_endpoint_id(when("vpc_endpoint_id"))
            .set_vpc_peering_connection_id(when("vpc_peering_connection_id"));
        call.send().await.call("ec2:CreateRoute")
    };
    wait::settle(cx, CONSISTENCY, |e| e.is(UNSEEN), call).await.map(|_| ())
}

/// Leads a route elsewhere. `local` brings back what a VPC's own route was.
///
/// # Errors
/// What EC2 answers.
pub async fn replace(
    client: &AwsClient,
    cx: &Context,
    table: &str,
    destination: &Destination,
    target: &Target,
) -> Result<(), ApiError> {
    let [v4, v6, list] = destination.parts();
    let (name, id) = target;
    let is_local = *name == "gateway_id" && id == "local";
    let when = |argument: &str| (*name == argument && !is_local).then(|| id.clone());
    let call = || async {
        let call = client
            .ec2
            .replace_route()
            .route_table_id(table)
            .set_destination_cidr_block(v4.clone())
            .set_destination_ipv6_cidr_block(v6.clone())
            .set_destination_prefix_list_id(list.clone())
            .set_local_target(is_local.then_some(true))
            .set_carrier_gateway_id(when("carrier_gateway_id"))
            .set_core_network_arn(when("core_network_arn"))
            .set_egress_only_internet_gateway_id(when("egress_only_gateway_id"))
            .set_gateway_id(when("gateway_id"))
            .set_local_gateway_id(when("local_gateway_id"))
            .set_nat_gateway_id(when("nat_gateway_id"))
            .set_network_interface_id(when("network_interface_id"))
            .set_transit_gateway_id(when("transit_gateway_id"))
            .set_vpc_endpoint_id(when("vpc_endpoint_id"))
            .set_vpc_peering_connection_id(when("vpc_peering_connection_id"));
        call.send().await.call("ec2:ReplaceRoute")
    };
    wait::settle(cx, CONSISTENCY, |e| e.is(UNSEEN), call).await.map(|_| ())
}

/// Removes a route; one that is gone is success.
///
/// # Errors
/// What EC2 answers.
pub async fn remove(client: &AwsClient, table: &str, destination: &Destination) -> Result<(), ApiError> {
    let [v4, v6, list] = destination.parts();
    let call = client
        .ec2
        .delete_route()
        .route_table_id(table)
        .set_destination_cidr_block(v4)
        .set_destination_ipv6_cidr_block(v6)
        .set_destination_prefix_list_id(list);
    match call.send().await.call("ec2:DeleteRoute") {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// What is wrong with what an object or a block says: one destination and one target are needed.
pub fn mistake(object: &Value, destinations: [&'static str; 3]) -> Option<String> {
    let said = |names: &[&'static str]| -> Vec<&'static str> {
        let says =
            |name: &&str| object.get(name).is_some_and(|v| !v.is_known() || v.as_str().is_some_and(|t| !t.is_empty()));
        names.iter().copied().filter(|name| says(name)).collect()
    };
    let told = |what: &str, said: &[&str], names: &[&str]| match said {
        [_] => None,
        [] => Some(format!("A route needs a {what}: one of {}.", names.join(", "))),
        many => Some(format!("A route has one {what}, and here are {}.", many.join(" and "))),
    };
    told("destination", &said(&destinations), &destinations).or_else(|| told("target", &said(&TARGETS), &TARGETS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn route(block: &str, gateway: &str, origin: RouteOrigin) -> Route {
        Route::builder().destination_cidr_block(block).gateway_id(gateway).origin(origin).build()
    }

    #[test]
    fn only_what_people_made_is_told() {
        let endpoint = Route::builder().destination_prefix_list_id("pl-1").gateway_id("vpce-1").build();
        let table = RouteTable::builder()
            .routes(route("10.0.0.0/16", "local", RouteOrigin::CreateRouteTable))
            .routes(route("10.8.0.0/16", "vgw-1", RouteOrigin::EnableVgwRoutePropagation))
            .routes(route("0.0.0.0/0", "igw-1", RouteOrigin::CreateRoute))
            .routes(endpoint)
            .build();
        let routes = of_table(&table);
        let expected = [(Destination::V4("0.0.0.0/0".into()), ("gateway_id", "igw-1".to_owned()))];
        assert_eq!(routes, expected.into());
        assert_eq!(of_blocks(&to_blocks(&routes, &[]).elements().unwrap()), routes);
    }

    #[test]
    fn a_block_is_spelled_as_it_was() {
        let routes: Routes = [(Destination::V6("2001:db8::/32".into()), ("nat_gateway_id", "nat-1".to_owned()))].into();
        let said = ObjectBuilder::of_block(&block()).set("ipv6_cidr_block", "2001:DB8::/32").build();
        let shown = to_blocks(&routes, &[&said]);
        assert_eq!(values::str_opt(shown.elements().unwrap()[0], "ipv6_cidr_block"), Some("2001:DB8::/32"));
    }

    #[test]
    fn one_destination_and_one_target_are_needed() {
        let of = |fields: &[(&str, &str)]| {
            let object = fields.iter().fold(block().empty(), |object, (k, v)| object.with_attr(k, (*v).into()));
            mistake(&object, IN_BLOCK)
        };
        assert_eq!(of(&[("cidr_block", "0.0.0.0/0"), ("gateway_id", "igw-1"), ("nat_gateway_id", "")]), None);
        assert!(of(&[("gateway_id", "igw-1")]).unwrap().starts_with("A route needs a destination"));
        assert_eq!(
            of(&[("cidr_block", "0.0.0.0/0"), ("gateway_id", "igw-1"), ("nat_gateway_id", "nat-1")]).unwrap(),
            "A route has one target, and here are gateway_id and nat_gateway_id."
        );
    }
}
