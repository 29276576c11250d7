//! Route tables and what they are associated with; their routes are in [`super::routes`].
//!
//! Source: CreateRouteTable, AssociateRouteTable, ReplaceRouteTableAssociation, DisassociateRouteTable, DescribeRouteTables.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, done};
use super::kinds::{Kind, kind};
use super::routes::{self, Route};
use super::tags::{self, Tags, tag_set};
use super::{gateways, quotas, subnets, tokens, vpc_endpoints, vpcs};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateRouteTable", run: create_route_table },
    Operation { name: "DescribeRouteTables", run: |world, call| TABLES.answer(world, &world.ec2.route_tables, call) },
    Operation { name: "DeleteRouteTable", run: delete_route_table },
    Operation { name: "AssociateRouteTable", run: associate_route_table },
    Operation { name: "DisassociateRouteTable", run: disassociate_route_table },
    Operation { name: "ReplaceRouteTableAssociation", run: replace_route_table_association },
];

/// What route tables are called.
pub static KIND: Kind = kind!(
    route_tables,
    "rtb",
    "route-table",
    "routeTable",
    "InvalidRouteTableID.NotFound",
    "InvalidRouteTableId.Malformed"
);

/// A route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteTable {
    /// `rtb-...`
    pub route_table_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// The routes that were made; [`routes::of`] adds those to the VPC's own blocks.
    pub routes: Vec<Route>,
    /// What uses it.
    pub associations: Vec<Association>,
    /// Its tags.
    pub tags: Tags,
}

/// A use of a route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Association {
    /// `rtbassoc-...`
    pub id: String,
    /// What uses it.
    pub of: User,
}

/// What uses a route table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum User {
    /// All subnets of the VPC that have no table of their own.
    Main,
    /// A subnet.
    Subnet(String),
    /// Traffic that comes in by an internet gateway.
    Gateway(String),
}

impl RouteTable {
    /// Whether it is its VPC's main route table.
    pub fn is_main(&self) -> bool {
        self.associations.iter().any(|association| association.of == User::Main)
    }

    fn subnets(&self) -> impl Iterator<Item = &String> {
        self.associations.iter().filter_map(|association| match &association.of {
            User::Subnet(id) => Some(id),
            _ => None,
        })
    }

    fn gateways(&self) -> impl Iterator<Item = &String> {
        self.associations.iter().filter_map(|association| match &association.of {
            User::Gateway(id) => Some(id),
            _ => None,
        })
    }

    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = vec![format!("vpc-id={}", self.vpc_id)];
        keys.extend(self.associations.iter().map(|it| format!("association.route-table-association-id={}", it.id)));
        keys.extend(self.subnets().map(|id| format!("association.subnet-id={id}")));
        keys.extend(self.gateways().map(|id| format!("association.gateway-id={id}")));
        keys
    }
}

static TABLES: Describe<RouteTable> = Describe {
    kind: &KIND,
    ids: "RouteTableId",
    set: "routeTableSet",
    filters: FILTERS,
    indexed: &["vpc-id", "association.subnet-id", "association.gateway-id", "association.route-table-association-id"],
    limits: (5, 100),
    tags: |table| &table.tags,
    render,
};

const FILTERS: &[Field<RouteTable>] = &[
    ("association.gateway-id", |_, table| table.gateways().cloned().collect()),
    ("association.main", |_, table| table.associations.iter().map(|it| (it.of == User::Main).to_string()).collect()),
    ("association.route-table-association-id", |_, table| table.associations.iter().map(|it| it.id.clone()).collect()),
    ("association.route-table-id", |_, table| {
        table.associations.iter().map(|_| table.route_table_id.clone()).collect()
    }),
    ("association.subnet-id", |_, table| table.subnets().cloned().collect()),
    ("owner-id", |world, _| vec![world.settings.account.clone()]),
    ("route-table-id", |_, table| vec![table.route_table_id.clone()]),
    ("route.carrier-gateway-id", |_, _| Vec::new()),
    ("route.destination-cidr-block", |world, table| of_routes(world, table, "destinationCidrBlock")),
    ("route.destination-ipv6-cidr-block", |world, table| of_routes(world, table, "destinationIpv6CidrBlock")),
    ("route.destination-prefix-list-id", |world, table| of_routes(world, table, "destinationPrefixListId")),
    ("route.egress-only-internet-gateway-id", |world, table| of_routes(world, table, "egressOnlyInternetGatewayId")),
    ("route.gateway-id", |world, table| of_routes(world, table, "gatewayId")),
    ("route.instance-id", |world, table| of_routes(world, table, "instanceId")),
    ("route.local-gateway-id", |_, _| Vec::new()),
    ("route.nat-gateway-id", |world, table| of_routes(world, table, "natGatewayId")),
    ("route.origin", |world, table| of_routes(world, table, "origin")),
    ("route.state", |world, table| of_routes(world, table, "state")),
    ("route.transit-gateway-id", |_, _| Vec::new()),
    ("route.vpc-peering-connection-id", |world, table| of_routes(world, table, "vpcPeeringConnectionId")),
    ("vpc-id", |_, table| vec![table.vpc_id.clone()]),
];

/// What the routes have under a member of the answer.
fn of_routes(world: &World, table: &RouteTable, member: &str) -> Vec<String> {
    let routes = routes::of(world, table).into_iter().map(|route| routes::render(world, &table.vpc_id, &route));
    routes.filter_map(|route| route[member].as_str().map(str::to_owned)).collect()
}

/// The route table of this id.
///
/// # Errors
/// `InvalidRouteTableID.NotFound`, `InvalidRouteTableId.Malformed`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a RouteTable, ApiError> {
    KIND.found(id, world.ec2.route_tables.get(id))
}

/// A VPC's main route table.
pub fn main_of<'a>(world: &'a World, vpc_id: &str) -> Option<&'a RouteTable> {
    world.ec2.route_tables.with(&format!("vpc-id={vpc_id}")).map(|(_, table)| table).find(|table| table.is_main())
}

/// The route table that decides for a subnet: its own, or the VPC's main one.
pub fn of_subnet<'a>(world: &'a World, subnet_id: &str) -> Option<&'a RouteTable> {
    let own = world.ec2.route_tables.with(&format!("association.subnet-id={subnet_id}")).next();
    own.map(|(_, table)| table).or_else(|| main_of(world, &world.ec2.subnets.get(subnet_id)?.vpc_id))
}

fn render(world: &World, table: &RouteTable) -> Value {
    let id = &table.route_table_id;
    let associations: Vec<Value> = table
        .associations
        .iter()
        .map(|association| {
            let (subnet, gateway) = match &association.of {
                User::Main => (None, None),
                User::Subnet(id) => (Some(id), None),
                User::Gateway(id) => (None, Some(id)),
            };
            json!({
                "routeTableAssociationId": association.id, "routeTableId": id, "main": association.of == User::Main,
                "subnetId": subnet, "gatewayId": gateway, "associationState": { "state": "associated" },
            })
        })
        .collect();
    let routes: Vec<Value> =
        routes::of(world, table).iter().map(|route| routes::render(world, &table.vpc_id, route)).collect();
    json!({
        "routeTableId": id, "vpcId": table.vpc_id, "ownerId": world.settings.account, "routeSet": routes,
        "associationSet": associations, "propagatingVgwSet": [], "tagSet": tag_set(&table.tags),
    })
}

/// Makes a route table and answers its id.
pub(super) fn create(world: &mut World, vpc_id: &str, is_main: bool, tags: Tags) -> String {
    let route_table_id = world.ids.ec2(KIND.prefix);
    let main = is_main.then(|| Association { id: world.ids.ec2("rtbassoc"), of: User::Main });
    let table = RouteTable {
        route_table_id: route_table_id.clone(),
        vpc_id: vpc_id.to_owned(),
        routes: Vec::new(),
        associations: main.into_iter().collect(),
        tags,
    };
    world.ec2.route_tables.insert(route_table_id.clone(), table);
    route_table_id
}

fn create_route_table(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.required("VpcId")?;
    let id = match tokens::recall(world, call)? {
        Some(id) => id,
        None => {
            vpcs::find(world, &vpc_id)?;
            let tags = tags::from_specifications(call, KIND.resource_type)?;
            quotas::ROUTE_TABLES.allow(world.ec2.route_tables.with(&format!("vpc-id={vpc_id}")).count())?;
            let id = create(world, &vpc_id, false, tags);
            tokens::remember(world, call, &id);
            id
        }
    };
    Ok(json!({ "routeTable": render(world, find(world, &id)?), "clientToken": call.text("ClientToken") }))
}

fn delete_route_table(world: &mut World, call: &Call) -> Answer {
    let id = call.required("RouteTableId")?;
    let table = find(world, &id)?;
    if !table.associations.is_empty() {
        return Err(KIND.in_use(&id));
    }
    // Gateway endpoints lose the table with it.
    let endpoints: Vec<String> = table.routes.iter().filter_map(Route::endpoint).map(str::to_owned).collect();
    for endpoint in endpoints {
        vpc_endpoints::remove_route_table(world, &endpoint, &id);
    }
    world.ec2.route_tables.remove(&id);
    Ok(done())
}

fn associate_route_table(world: &mut World, call: &Call) -> Answer {
    let id = call.required("RouteTableId")?;
    let table = find(world, &id)?;
    let of = match (call.text("SubnetId"), call.text("GatewayId")) {
        (Some(_), Some(_)) => {
            let message = "SubnetId and GatewayId cannot be used together.";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        (Some(subnet_id), None) => {
            let subnet = subnets::find(world, &subnet_id)?;
            same_network(table, &subnet.vpc_id, &format!("subnet {subnet_id}"))?;
            User::Subnet(subnet_id)
        }
        (None, Some(gateway_id)) => {
            let gateway = gateways::KIND.found(&gateway_id, world.ec2.internet_gateways.get(&gateway_id))?;
            same_network(table, gateway.vpc_id.as_deref().unwrap_or(""), &format!("network gateway {gateway_id}"))?;
            User::Gateway(gateway_id)
        }
        (None, None) => return Err(ApiError::missing(call.service, "subnetId")),
    };
    let key = match &of {
        User::Subnet(id) => format!("association.subnet-id={id}"),
        User::Gateway(id) => format!("association.gateway-id={id}"),
        User::Main => String::new(),
    };
    if let Some((other, _)) = world.ec2.route_tables.with(&key).next()
        && other != id
    {
        let message = format!("the specified association for route table {id} conflicts with an existing association");
        return Err(ApiError::new("Resource.AlreadyAssociated", message));
    }
    let existing = table.associations.iter().find(|it| it.of == of).map(|it| it.id.clone());
    let association_id = existing.unwrap_or_else(|| add(world, &id, of));
    Ok(json!({ "associationId": association_id, "associationState": { "state": "associated" } }))
}

fn same_network(table: &RouteTable, vpc_id: &str, what: &str) -> Result<(), ApiError> {
    if table.vpc_id == vpc_id {
        return Ok(());
    }
    let message = format!("route table {} and {what} belong to different networks", table.route_table_id);
    Err(ApiError::new("InvalidParameterValue", message))
}

fn add(world: &mut World, table_id: &str, of: User) -> String {
    let id = world.ids.ec2("rtbassoc");
    let association = Association { id: id.clone(), of };
    world.ec2.route_tables.update(table_id, |table| table.associations.push(association));
    id
}

/// The table and association of an association id.
fn associated(world: &World, id: &str) -> Result<(String, Association), ApiError> {
    let key = format!("association.route-table-association-id={id}");
    let found = world.ec2.route_tables.with(&key).next().and_then(|(table_id, table)| {
        let association = table.associations.iter().find(|it| it.id == id)?;
        Some((table_id.to_owned(), association.clone()))
    });
    found.ok_or_else(|| {
        ApiError::new("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"))
    })
}

fn disassociate_route_table(world: &mut World, call: &Call) -> Answer {
    let id = call.required("AssociationId")?;
    let (table_id, association) = associated(world, &id)?;
    if association.of == User::Main {
        let message = format!("cannot disassociate the main route table association {id}");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    world.ec2.route_tables.update(&table_id, |table| table.associations.retain(|it| it.id != id));
    Ok(done())
}

/// Moves an association, the main one too, to another table of the VPC.
fn replace_route_table_association(world: &mut World, call: &Call) -> Answer {
    let (id, new_id) = (call.required("AssociationId")?, call.required("RouteTableId")?);
    let (table_id, association) = associated(world, &id)?;
    let vpc_id = find(world, &table_id)?.vpc_id.clone();
    same_network(find(world, &new_id)?, &vpc_id, &format!("association {id}"))?;
    world.ec2.route_tables.update(&table_id, |table| table.associations.retain(|it| it.id != id));
    let new = add(world, &new_id, association.of);
    Ok(json!({ "newAssociationId": new, "associationState": { "state": "associated" } }))
}

/// Takes a subnet out of the tables, when it is deleted.
pub(super) fn forget_subnet(world: &mut World, subnet_id: &str) {
    let key = format!("association.subnet-id={subnet_id}");
    let own = world.ec2.route_tables.with(&key).next().map(|(id, _)| id.to_owned());
    if let Some(id) = own {
        let of = User::Subnet(subnet_id.to_owned());
        world.ec2.route_tables.update(&id, |table| table.associations.retain(|it| it.of != of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    fn text(value: &Value) -> String {
        value.as_str().unwrap().to_owned()
    }

    #[test]
    fn the_main_table_can_be_another() {
        let mut world = world();
        let vpc = text(&ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"]);
        let subnet = ec2(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.0.0/24")]);
        let subnet = text(&subnet["subnet"]["subnetId"]);
        let main = main_of(&world, &vpc).unwrap().clone();
        assert_eq!(of_subnet(&world, &subnet).unwrap().route_table_id, main.route_table_id);
        let new = text(&ec2(&mut world, "CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"]);
        let main_association = main.associations[0].id.clone();
        let refused =
            query(&mut world, Service::Ec2, "DisassociateRouteTable", &[("AssociationId", &main_association)]);
        assert_eq!(refusal(refused), "InvalidParameterValue");
        let pairs = [("AssociationId", main_association.as_str()), ("RouteTableId", new.as_str())];
        ec2(&mut world, "ReplaceRouteTableAssociation", &pairs);
        assert_eq!(main_of(&world, &vpc).unwrap().route_table_id, new);
        let gone = query(&mut world, Service::Ec2, "ReplaceRouteTableAssociation", &pairs);
        assert_eq!(refusal(gone), "InvalidAssociationID.NotFound");
        let kept = query(&mut world, Service::Ec2, "DeleteRouteTable", &[("RouteTableId", &new)]);
        assert_eq!(refusal(kept), "DependencyViolation");
        ec2(&mut world, "DeleteRouteTable", &[("RouteTableId", &main.route_table_id)]);
    }

    #[test]
    fn a_subnet_has_one_table() {
        let mut world = world();
        let vpc = text(&ec2(&mut world, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"]);
        let subnet = ec2(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.0.0/24")]);
        let subnet = text(&subnet["subnet"]["subnetId"]);
        let make =
            |world: &mut World| text(&ec2(world, "CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"]);
        let (one, two) = (make(&mut world), make(&mut world));
        let associate = |world: &mut World, table: &str| {
            query(world, Service::Ec2, "AssociateRouteTable", &[("RouteTableId", table), ("SubnetId", &subnet)])
        };
        let first = associate(&mut world, &one).unwrap();
        assert_eq!(first["associationState"]["state"], "associated");
        assert_eq!(associate(&mut world, &one).unwrap()["associationId"], first["associationId"]);
        assert_eq!(refusal(associate(&mut world, &two)), "Resource.AlreadyAssociated");
        let filter = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
        let found = ec2(&mut world, "DescribeRouteTables", &filter);
        assert_eq!(found["routeTableSet"].as_array().unwrap().len(), 1);
        assert_eq!(text(&found["routeTableSet"][0]["routeTableId"]), one);
        ec2(&mut world, "DeleteSubnet", &[("SubnetId", &subnet)]);
        ec2(&mut world, "DeleteRouteTable", &[("RouteTableId", &one)]);
    }
}
