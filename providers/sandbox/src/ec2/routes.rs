//! Routes: to the VPC's own blocks, and those that were made.
//!
//! Source: CreateRoute, ReplaceRoute, DeleteRoute; Amazon VPC User Guide, "Configure route tables".

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{done, invalid};
use super::route_tables::{self, RouteTable};
use super::{cidrs, gateways, interface_links, nat_gateways, peering, prefix_lists, quotas, vpc_endpoints};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateRoute", run: create_route },
    Operation { name: "ReplaceRoute", run: replace_route },
    Operation { name: "DeleteRoute", run: delete_route },
];

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    /// Where it leads.
    pub destination: Destination,
    /// By what.
    pub target: Target,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// A block of either family.
    Cidr(IpNet),
    /// All blocks of a prefix list.
    PrefixList(String),
}

/// By what a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The VPC itself.
    Local,
    /// An internet gateway.
    InternetGateway(String),
    /// An egress-only internet gateway.
    EgressOnlyGateway(String),
    /// A NAT gateway.
    NatGateway(String),
    /// A network interface.
    Interface(String),
    /// A peering connection.
    Peering(String),
    /// A gateway endpoint; its routes come and go with it.
    Endpoint(String),
}

impl Route {
    /// The gateway endpoint that it belongs to.
    pub fn endpoint(&self) -> Option<&str> {
        match &self.target {
            Target::Endpoint(id) => Some(id),
            _ => None,
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cidr(net) => write!(f, "{net}"),
            Self::PrefixList(id) => write!(f, "{id}"),
        }
    }
}

/// All routes of a table: local ones first, unless one was replaced, then the others.
pub fn of(world: &World, table: &RouteTable) -> Vec<Route> {
    let vpc = world.ec2.vpcs.get(&table.vpc_id);
    let blocks = vpc.into_iter().flat_map(|vpc| {
        let v4 = vpc.blocks.iter().map(|(_, net)| IpNet::V4(*net));
        v4.chain(vpc.ipv6_blocks.iter().map(|(_, net)| IpNet::V6(*net)))
    });
    let local = blocks.map(|net| Route { destination: Destination::Cidr(net), target: Target::Local });
    let is_own = |route: &Route| !table.routes.iter().any(|own| own.destination == route.destination);
    local.filter(is_own).chain(table.routes.iter().cloned()).collect()
}

/// Whether what the route leads by is there and works; a route that is not active is a black hole.
pub fn is_active(world: &World, vpc_id: &str, route: &Route) -> bool {
    let ec2 = &world.ec2;
    match &route.target {
        Target::Local => true,
        Target::InternetGateway(id) => {
            ec2.internet_gateways.get(id).is_some_and(|gateway| gateway.vpc_id.as_deref() == Some(vpc_id))
        }
        Target::EgressOnlyGateway(id) => ec2.egress_only_gateways.contains(id),
        Target::NatGateway(id) => ec2.nat_gateways.get(id).is_some_and(|it| it.state.is_usable()),
        Target::Interface(id) => interface_links::is_routable(world, id),
        Target::Peering(id) => ec2.peerings.get(id).is_some_and(|it| it.status == peering::Status::Active),
        Target::Endpoint(id) => ec2.vpc_endpoints.contains(id),
    }
}

/// A route in the answer.
pub(super) fn render(world: &World, vpc_id: &str, route: &Route) -> Value {
    let is_local = route.target == Target::Local;
    let mut value = json!({
        "state": if is_active(world, vpc_id, route) { "active" } else { "blackhole" },
        "origin": if is_local { "CreateRouteTable" } else { "CreateRoute" },
    });
    let (member, id) = match &route.target {
        Target::Local => ("gatewayId", "local"),
        Target::InternetGateway(id) | Target::Endpoint(id) => ("gatewayId", id.as_str()),
        Target::EgressOnlyGateway(id) => ("egressOnlyInternetGatewayId", id.as_str()),
        Target::NatGateway(id) => ("natGatewayId", id.as_str()),
        Target::Interface(id) => ("networkInterfaceId", id.as_str()),
        Target::Peering(id) => ("vpcPeeringConnectionId", id.as_str()),
    };
    value[member] = json!(id);
    if let Target::Interface(id) = &route.target
        && let Some(instance) = interface_links::instance_of(world, id)
    {
        value["instanceId"] = json!(instance);
        value["instanceOwnerId"] = json!(world.settings.account);
    }
    let member = match &route.destination {
        Destination::Cidr(IpNet::V4(_)) => "destinationCidrBlock",
        Destination::Cidr(IpNet::V6(_)) => "destinationIpv6CidrBlock",
        Destination::PrefixList(_) => "destinationPrefixListId",
    };
    value[member] = json!(route.destination.to_string());
    value
}

fn read_destination(world: &World, call: &Call) -> Result<Destination, ApiError> {
    let v4 = call.text("DestinationCidrBlock");
    let v6 = call.text("DestinationIpv6CidrBlock");
    let list = call.text("DestinationPrefixListId");
    match (v4, v6, list) {
        (Some(text), None, None) => Ok(Destination::Cidr(IpNet::V4(cidrs::v4("destinationCidrBlock", &text)?))),
        (None, Some(text), None) => Ok(Destination::Cidr(IpNet::V6(cidrs::v6("destinationIpv6CidrBlock", &text)?))),
        (None, None, Some(id)) => {
            prefix_lists::find(world, &id)?;
            Ok(Destination::PrefixList(id))
        }
        (None, None, None) => Err(ApiError::missing(call.service, "destinationCidrBlock")),
        _ => Err(ApiError::new("InvalidParameterCombination", "The request must contain exactly one destination.")),
    }
}

const TARGETS: [&str; 11] = [
    "GatewayId",
    "EgressOnlyInternetGatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "VpcPeeringConnectionId",
    "VpcEndpointId",
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
];

/// Reads the one target, and checks that it is there and belongs to the table's VPC.
fn read_target(world: &World, table: &RouteTable, call: &Call) -> Result<Target, ApiError> {
    let sent: Vec<(&str, String)> =
        TARGETS.into_iter().filter_map(|name| Some((name, call.text(name).filter(|id| !id.is_empty())?))).collect();
    let [(name, id)] = &sent[..] else {
        let message = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, \
                       vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, \
                       carrierGatewayId, vpcEndpointId, coreNetworkArn or instanceId";
        let code = if sent.is_empty() { "MissingParameter" } else { "InvalidParameterCombination" };
        return Err(ApiError::new(code, message));
    };
    let within = |vpc_id: &str, what: &str| {
        if vpc_id == table.vpc_id {
            return Ok(());
        }
        let message = format!("route table {} and {what} {id} belong to different networks", table.route_table_id);
        Err(ApiError::new("InvalidParameterValue", message))
    };
    let ec2 = &world.ec2;
    let absent = |noun: &str, code: &str| Err(ApiError::new(code, format!("The {noun} ID '{id}' does not exist")));
    match *name {
        "GatewayId" if id.starts_with("igw-") => {
            let gateway = gateways::KIND.found(id, ec2.internet_gateways.get(id))?;
            within(gateway.vpc_id.as_deref().unwrap_or(""), "network gateway")?;
            Ok(Target::InternetGateway(id.clone()))
        }
        "GatewayId" if id.starts_with("vpce-") => {
            let why = "Routes to gateway endpoints are made by ModifyVpcEndpoint.";
            Err(invalid("gatewayId", id, why))
        }
        "GatewayId" => absent("gateway", "InvalidGatewayID.NotFound"),
        "EgressOnlyInternetGatewayId" => {
            let gateway = gateways::EGRESS_ONLY_KIND.found(id, ec2.egress_only_gateways.get(id))?;
            within(&gateway.vpc_id, "egress only internet gateway")?;
            Ok(Target::EgressOnlyGateway(id.clone()))
        }
        "NatGatewayId" => match ec2.nat_gateways.get(id) {
            Some(gateway) if gateway.state != nat_gateways::State::Deleted => {
                within(&gateway.vpc_id, "NAT gateway")?;
                Ok(Target::NatGateway(id.clone()))
            }
            _ => absent("natGateway", "InvalidNatGatewayID.NotFound"),
        },
        "NetworkInterfaceId" => {
            within(&interface_links::vpc_of(world, id)?, "interface")?;
            Ok(Target::Interface(id.clone()))
        }
        "InstanceId" => {
            let interface = interface_links::only_interface_of(world, id)?;
            within(&interface_links::vpc_of(world, &interface)?, "instance")?;
            Ok(Target::Interface(interface))
        }
        "VpcPeeringConnectionId" => {
            let connection = peering::KIND.found(id, ec2.peerings.get(id))?;
            if !connection.sides().contains(&table.vpc_id.as_str()) {
                within("", "vpc peering connection")?;
            }
            Ok(Target::Peering(id.clone()))
        }
        "VpcEndpointId" => {
            let endpoint = vpc_endpoints::KIND.found(id, ec2.vpc_endpoints.get(id))?;
            within(&endpoint.vpc_id, "endpoint")?;
            Err(invalid("vpcEndpointId", id, "Only Gateway Load Balancer endpoints can be targets of routes."))
        }
        "TransitGatewayId" => absent("transitGateway", "InvalidTransitGatewayID.NotFound"),
        "LocalGatewayId" => absent("localGateway", "InvalidLocalGatewayID.NotFound"),
        "CarrierGatewayId" => absent("carrierGateway", "InvalidCarrierGatewayID.NotFound"),
        _ => absent("coreNetwork", "InvalidCoreNetworkArn.NotFound"),
    }
}

/// Whether this kind of target may have this destination.
fn check_fit(world: &World, table: &RouteTable, destination: &Destination, target: &Target) -> Result<(), ApiError> {
    let Destination::Cidr(net) = destination else { return Ok(()) };
    let name = if matches!(net, IpNet::V4(_)) { "destinationCidrBlock" } else { "destinationIpv6CidrBlock" };
    match target {
        Target::EgressOnlyGateway(_) if matches!(net, IpNet::V4(_)) => {
            return Err(invalid(name, &net.to_string(), "Egress-only internet gateways only carry IPv6."));
        }
        Target::NatGateway(_) if matches!(net, IpNet::V6(_)) && net.to_string() != "64:ff9b::/96" => {
            return Err(invalid(name, &net.to_string(), "NAT gateways only carry IPv6 to 64:ff9b::/96."));
        }
        Target::Local | Target::Interface(_) => return Ok(()),
        _ => {}
    }
    let Some(vpc) = world.ec2.vpcs.get(&table.vpc_id) else { return Ok(()) };
    let v4 = vpc.blocks.iter().map(|(_, block)| IpNet::V4(*block));
    let mut blocks = v4.chain(vpc.ipv6_blocks.iter().map(|(_, block)| IpNet::V6(*block)));
    if blocks.any(|block| block.contains(net)) {
        let message = format!(
            "The destination CIDR block {net} is equal to or more specific than one of this VPC's CIDR blocks. \
             This route can target only an interface or an instance."
        );
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok(())
}

fn create_route(world: &mut World, call: &Call) -> Answer {
    let id = call.required("RouteTableId")?;
    let table = route_tables::find(world, &id)?;
    let destination = read_destination(world, call)?;
    let target = read_target(world, table, call)?;
    check_fit(world, table, &destination, &target)?;
    if of(world, table).iter().any(|route| route.destination == destination) {
        let message = format!("The route identified by {destination} already exists.");
        return Err(ApiError::new("RouteAlreadyExists", message));
    }
    quotas::ROUTES.allow(table.routes.len())?;
    world.ec2.route_tables.update(&id, |table| table.routes.push(Route { destination, target }));
    Ok(done())
}

fn replace_route(world: &mut World, call: &Call) -> Answer {
    let id = call.required("RouteTableId")?;
    let table = route_tables::find(world, &id)?;
    let destination = read_destination(world, call)?;
    let to_local = call.boolean("LocalTarget")? == Some(true);
    let target = if to_local { Target::Local } else { read_target(world, table, call)? };
    if !of(world, table).iter().any(|route| route.destination == destination) {
        let message =
            format!("There is no route defined for '{destination}' in the route table. Use CreateRoute instead.");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let own = |route: &&Route| route.destination == destination;
    if let Some(Route { target: Target::Endpoint(endpoint), .. }) = table.routes.iter().find(own) {
        return Err(invalid("destinationPrefixListId", endpoint, "Routes of endpoints change by ModifyVpcEndpoint."));
    }
    check_fit(world, table, &destination, &target)?;
    world.ec2.route_tables.update(&id, |table| {
        table.routes.retain(|route| route.destination != destination);
        // The VPC's own blocks are local without a row.
        if target != Target::Local {
            table.routes.push(Route { destination, target });
        }
    });
    Ok(done())
}

fn delete_route(world: &mut World, call: &Call) -> Answer {
    let id = call.required("RouteTableId")?;
    let table = route_tables::find(world, &id)?;
    let destination = read_destination(world, call)?;
    let all = of(world, table);
    match all.iter().find(|route| route.destination == destination).map(|route| &route.target) {
        None => {
            let message = format!("no route with destination-cidr-block {destination} in route table {id}");
            return Err(ApiError::new("InvalidRoute.NotFound", message));
        }
        Some(Target::Local) => {
            let message = format!("cannot remove local route {destination} in route table {id}");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        Some(Target::Endpoint(endpoint)) => {
            let message = format!("cannot remove VPC endpoint route {endpoint} in route table {id}");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        Some(_) => {}
    }
    world.ec2.route_tables.update(&id, |table| table.routes.retain(|route| route.destination != destination));
    Ok(done())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, world};

    #[test]
    fn routes_come_and_go() {
        let mut world = world();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let vpc = text(&ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"]);
        let gateway = text(&ec2(&mut world, "CreateInternetGateway", &[])["internetGateway"]["internetGatewayId"]);
        let table = text(&ec2(&mut world, "CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"]);
        let route = |world: &mut World, operation: &str, cidr: &str, target: Option<(&str, &str)>| {
            let mut pairs = vec![("RouteTableId", table.as_str()), ("DestinationCidrBlock", cidr)];
            pairs.extend(target);
            query(world, Service::Ec2, operation, &pairs).err().map(|error| error.code)
        };
        let by = Some(("GatewayId", gateway.as_str()));
        assert_eq!(route(&mut world, "CreateRoute", "0.0.0.0/0", by).as_deref(), Some("InvalidParameterValue"));
        ec2(&mut world, "AttachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]);
        for (operation, cidr, target, expected) in [
            ("CreateRoute", "0.0.0.0/0", by, None),
            ("CreateRoute", "0.0.0.0/0", by, Some("RouteAlreadyExists")),
            ("CreateRoute", "10.0.0.0/16", by, Some("InvalidParameterValue")),
            ("CreateRoute", "10.0.1.0/24", by, Some("InvalidParameterValue")),
            ("CreateRoute", "1.2.3.4", by, Some("InvalidParameterValue")),
            ("CreateRoute", "192.168.0.0/16", None, Some("MissingParameter")),
            (
                "CreateRoute",
                "192.168.0.0/16",
                Some(("NatGatewayId", "nat-0123456789abcdef0")),
                Some("InvalidNatGatewayID.NotFound"),
            ),
            (
                "CreateRoute",
                "192.168.0.0/16",
                Some(("GatewayId", "vgw-0123456789abcdef0")),
                Some("InvalidGatewayID.NotFound"),
            ),
            ("ReplaceRoute", "192.168.0.0/16", by, Some("InvalidParameterValue")),
            ("ReplaceRoute", "0.0.0.0/0", by, None),
            ("DeleteRoute", "10.0.0.0/16", None, Some("InvalidParameterValue")),
            ("DeleteRoute", "192.168.0.0/16", None, Some("InvalidRoute.NotFound")),
        ] {
            assert_eq!(route(&mut world, operation, cidr, target).as_deref(), expected, "{operation} {cidr}");
        }
        let states = |world: &mut World| -> Vec<String> {
            let answer = ec2(world, "DescribeRouteTables", &[("RouteTableId.1", &table)]);
            answer["routeTableSet"][0]["routeSet"].as_array().unwrap().iter().map(|it| text(&it["state"])).collect()
        };
        assert_eq!(states(&mut world), ["active", "active"]);
        ec2(&mut world, "DetachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]);
        assert_eq!(states(&mut world), ["active", "blackhole"]);
        assert_eq!(route(&mut world, "DeleteRoute", "0.0.0.0/0", None), None);
        assert_eq!(states(&mut world), ["active"]);
    }
}
