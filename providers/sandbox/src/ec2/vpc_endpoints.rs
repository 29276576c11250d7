//! VPC endpoints: gateways that are routes, and interfaces in subnets.
//!
//! Source: CreateVpcEndpoint, DescribeVpcEndpoints, DeleteVpcEndpoints, DescribeVpcEndpointServices; changes are in
//! [`super::vpc_endpoint_changes`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Field, invalid};
use super::interfaces::{self, NewInterface};
use super::kinds::{Kind, kind};
use super::routes::{Destination, Route, Target};
use super::tags::{self, Tags, tag_set};
use super::vpcs::Vpc;
use super::{Due, quotas, route_tables, subnets, tokens, vpcs};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::{Timer, World};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateVpcEndpoint", run: create_vpc_endpoint },
    Operation {
        name: "DescribeVpcEndpoints",
        run: |world, call| ENDPOINTS.answer(world, &world.ec2.vpc_endpoints, call),
    },
    Operation { name: "DeleteVpcEndpoints", run: delete_vpc_endpoints },
];

/// What VPC endpoints are called.
pub static KIND: Kind = kind!(
    vpc_endpoints,
    "vpce",
    "vpc-endpoint",
    "Vpc Endpoint",
    "InvalidVpcEndpointId.NotFound",
    "InvalidVpcEndpointId.Malformed"
);

/// A VPC endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VpcEndpoint {
    /// `vpce-...`
    pub vpc_endpoint_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// `com.amazonaws.us-east-1.s3`
    pub service_name: String,
    /// Whether it is a gateway, which is a route, or has interfaces.
    pub is_gateway: bool,
    /// `pending`, `available`, `deleting`.
    pub state: String,
    /// Who may use it for what; `None` is AWS's policy that allows everything.
    pub policy: Option<String>,
    /// The tables that lead to a gateway.
    pub route_table_ids: Vec<String>,
    /// The subnets and interfaces of an interface endpoint.
    pub interfaces: Vec<(String, String)>,
    /// The groups of its interfaces.
    pub group_ids: Vec<String>,
    /// Whether the service's own names resolve to it.
    pub private_dns_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

impl VpcEndpoint {
    /// Keys of the index.
    pub(super) fn keys(&self) -> Vec<String> {
        vec![format!("vpc-id={}", self.vpc_id)]
    }

    fn type_name(&self) -> &'static str {
        if self.is_gateway { "Gateway" } else { "Interface" }
    }
}

static ENDPOINTS: Describe<VpcEndpoint> = Describe {
    kind: &KIND,
    ids: "VpcEndpointId",
    set: "vpcEndpointSet",
    filters: FILTERS,
    indexed: &["vpc-id"],
    limits: (1, 1000),
    tags: |endpoint| &endpoint.tags,
    render,
};

const FILTERS: &[Field<VpcEndpoint>] = &[
    ("ip-address-type", |_, _| vec!["ipv4".to_owned()]),
    ("service-name", |_, endpoint| vec![endpoint.service_name.clone()]),
    ("service-region", |world, _| vec![world.settings.region.clone()]),
    ("vpc-endpoint-id", |_, endpoint| vec![endpoint.vpc_endpoint_id.clone()]),
    ("vpc-endpoint-state", |_, endpoint| vec![endpoint.state.clone()]),
    ("vpc-endpoint-type", |_, endpoint| vec![endpoint.type_name().to_owned()]),
    ("vpc-id", |_, endpoint| vec![endpoint.vpc_id.clone()]),
];

/// AWS's policy for endpoints that were given none.
const FULL_ACCESS: &str = "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}";

/// The endpoint of this id.
///
/// # Errors
/// `InvalidVpcEndpointId.NotFound`, `InvalidVpcEndpointId.Malformed`.
pub(super) fn find<'a>(world: &'a World, id: &str) -> Result<&'a VpcEndpoint, ApiError> {
    KIND.well_formed(id)?;
    let missing = || ApiError::new(KIND.not_found, format!("The Vpc Endpoint Id '{id}' does not exist"));
    world.ec2.vpc_endpoints.get(id).ok_or_else(missing)
}

fn render(world: &World, endpoint: &VpcEndpoint) -> Value {
    let groups: Vec<Value> = endpoint
        .group_ids
        .iter()
        .map(|id| json!({ "groupId": id, "groupName": world.ec2.security_groups.get(id).map(|group| &group.name) }))
        .collect();
    let region = &world.settings.region;
    let id = &endpoint.vpc_endpoint_id;
    let short = endpoint.service_name.rsplit('.').next().unwrap_or_default();
    let names: Vec<Value> = if endpoint.is_gateway {
        Vec::new()
    } else {
        let own = json!({ "dnsName": format!("{id}-{}.{short}.{region}.vpce.amazonaws.com", &id[id.len() - 8..]) });
        let private = json!({ "dnsName": format!("{short}.{region}.amazonaws.com") });
        [own].into_iter().chain(endpoint.private_dns_enabled.then_some(private)).collect()
    };
    let subnets: Vec<&String> = endpoint.interfaces.iter().map(|(subnet, _)| subnet).collect();
    let interfaces: Vec<&String> = endpoint.interfaces.iter().map(|(_, interface)| interface).collect();
    json!({
        "vpcEndpointId": id, "vpcEndpointType": endpoint.type_name(), "vpcId": endpoint.vpc_id,
        "serviceName": endpoint.service_name, "serviceRegion": region, "state": endpoint.state,
        "policyDocument": endpoint.policy.as_deref().unwrap_or(FULL_ACCESS), "routeTableIdSet": endpoint.route_table_ids,
        "subnetIdSet": subnets, "groupSet": groups, "networkInterfaceIdSet": interfaces, "dnsEntrySet": names,
        "privateDnsEnabled": endpoint.private_dns_enabled, "requesterManaged": false, "ipAddressType": "ipv4",
        "dnsOptions": { "dnsRecordIpType": "ipv4" }, "ownerId": world.settings.account,
        "creationTimestamp": endpoint.created_at.to_string(), "tagSet": tag_set(&endpoint.tags),
    })
}

fn create_vpc_endpoint(world: &mut World, call: &Call) -> Answer {
    let id = match tokens::recall(world, call)? {
        Some(id) => id,
        None => {
            let id = create(world, call)?;
            tokens::remember(world, call, &id);
            id
        }
    };
    Ok(json!({ "vpcEndpoint": render(world, find(world, &id)?), "clientToken": call.text("ClientToken") }))
}

fn create(world: &mut World, call: &Call) -> Result<String, ApiError> {
    let vpc = vpcs::find(world, &call.required("VpcId")?)?.clone();
    let service_name = call.required("ServiceName")?;
    let is_gateway = match call.text("VpcEndpointType").as_deref() {
        None | Some("Gateway") => true,
        Some("Interface") => false,
        Some(other) => {
            return Err(ApiError::new("Unsupported", format!("The sandbox has no endpoints of type {other}.")));
        }
    };
    check_service(world, &service_name, is_gateway)?;
    for unsupported in ["SubnetConfiguration", "DnsOptions", "ServiceRegion"] {
        if call.has(unsupported) {
            return Err(ApiError::new(
                "Unsupported",
                format!("The sandbox has no {unsupported} in CreateVpcEndpoint."),
            ));
        }
    }
    let policy = call.text("PolicyDocument").filter(|text| !text.is_empty());
    check_policy(policy.as_deref())?;
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    quotas::VPC_ENDPOINTS.allow(world.ec2.vpc_endpoints.with(&format!("vpc-id={}", vpc.vpc_id)).count())?;
    let private_dns_enabled = !is_gateway && call.boolean("PrivateDnsEnabled")?.unwrap_or(true);
    if private_dns_enabled {
        check_dns(&vpc)?;
    }
    let id = world.ids.ec2(KIND.prefix);
    let endpoint = VpcEndpoint {
        vpc_endpoint_id: id.clone(),
        vpc_id: vpc.vpc_id.clone(),
        service_name,
        is_gateway,
        state: if is_gateway { "available" } else { "pending" }.to_owned(),
        policy,
        route_table_ids: Vec::new(),
        interfaces: Vec::new(),
        group_ids: Vec::new(),
        private_dns_enabled,
        created_at: world.now,
        tags,
    };
    world.ec2.vpc_endpoints.insert(id.clone(), endpoint);
    if is_gateway {
        refuse(call, &["SubnetId", "SecurityGroupId"], "Gateway")?;
        call.texts("RouteTableId").iter().try_for_each(|table| add_route_table(world, &id, table))?;
    } else {
        refuse(call, &["RouteTableId"], "Interface")?;
        let groups = interfaces::groups_for(world, &vpc.vpc_id, call.texts("SecurityGroupId"))?;
        world.ec2.vpc_endpoints.update(&id, |endpoint| endpoint.group_ids = groups);
        call.texts("SubnetId").iter().try_for_each(|subnet| add_subnet(world, &id, subnet))?;
        settle(world, &id);
    }
    Ok(id)
}

/// Refuses parameters that are for the other type.
pub(super) fn refuse(call: &Call, names: &[&str], type_name: &str) -> Result<(), ApiError> {
    match names.iter().find(|name| call.has(name)) {
        Some(name) => {
            let message = format!("{name} cannot be used with endpoints of type {type_name}.");
            Err(ApiError::new("InvalidParameter", message))
        }
        None => Ok(()),
    }
}

fn check_service(world: &World, name: &str, is_gateway: bool) -> Result<(), ApiError> {
    let prefix = format!("com.amazonaws.{}.", world.settings.region);
    let known = name.strip_prefix(&prefix).and_then(super::vpc_endpoint_services::types);
    let Some(types) = known else {
        let message = format!("The Vpc Endpoint Service '{name}' does not exist");
        return Err(ApiError::new("InvalidServiceName", message));
    };
    let wanted = if is_gateway { "Gateway" } else { "Interface" };
    if types.contains(&wanted) {
        return Ok(());
    }
    let message = format!("The Vpc Endpoint Service '{name}' does not support endpoints of type {wanted}.");
    Err(ApiError::new("InvalidParameter", message))
}

pub(super) fn check_policy(policy: Option<&str>) -> Result<(), ApiError> {
    match policy.map(serde_json::from_str::<Value>) {
        None | Some(Ok(Value::Object(_))) => Ok(()),
        _ => Err(ApiError::new("InvalidPolicyDocument", "The policy document is not a valid JSON policy document.")),
    }
}

pub(super) fn check_dns(vpc: &Vpc) -> Result<(), ApiError> {
    if vpc.enable_dns_support && vpc.enable_dns_hostnames {
        return Ok(());
    }
    let message = format!(
        "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {}",
        vpc.vpc_id
    );
    Err(ApiError::new("InvalidParameter", message))
}

/// Makes a gateway endpoint a route of a table.
pub(super) fn add_route_table(world: &mut World, id: &str, table_id: &str) -> Result<(), ApiError> {
    let endpoint = find(world, id)?;
    let table = route_tables::find(world, table_id)?;
    if table.vpc_id != endpoint.vpc_id {
        let message = format!("Route table {table_id} and endpoint {id} belong to different networks");
        return Err(ApiError::new("InvalidParameter", message));
    }
    if endpoint.route_table_ids.iter().any(|it| it == table_id) {
        return Ok(());
    }
    let list = world.ec2.prefix_lists.values().find(|list| list.is_aws && list.name == endpoint.service_name);
    let missing = || invalid("serviceName", &endpoint.service_name, "The service has no prefix list.");
    let destination = Destination::PrefixList(list.ok_or_else(missing)?.prefix_list_id.clone());
    if table.routes.iter().any(|route| route.destination == destination) {
        let message =
            format!("route table {table_id} already has a route with destination-prefix-list-id {destination}");
        return Err(ApiError::new("RouteAlreadyExists", message));
    }
    let route = Route { destination, target: Target::Endpoint(id.to_owned()) };
    world.ec2.route_tables.update(table_id, |table| table.routes.push(route));
    world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.route_table_ids.push(table_id.to_owned()));
    Ok(())
}

/// Takes a gateway endpoint out of a table.
pub(super) fn remove_route_table(world: &mut World, id: &str, table_id: &str) {
    let target = Target::Endpoint(id.to_owned());
    world.ec2.route_tables.update(table_id, |table| table.routes.retain(|route| route.target != target));
    world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.route_table_ids.retain(|it| it != table_id));
}

/// Makes an interface of an endpoint in a subnet; there is one in a zone at most.
pub(super) fn add_subnet(world: &mut World, id: &str, subnet_id: &str) -> Result<(), ApiError> {
    let endpoint = find(world, id)?;
    let subnet = subnets::find(world, subnet_id)?;
    if subnet.vpc_id != endpoint.vpc_id {
        let message = format!("Subnet {subnet_id} and endpoint {id} belong to different networks");
        return Err(ApiError::new("InvalidParameter", message));
    }
    if endpoint.interfaces.iter().any(|(it, _)| it == subnet_id) {
        return Ok(());
    }
    let zone_of = |id: &String| world.ec2.subnets.get(id).map(|subnet| subnet.zone.clone());
    if endpoint.interfaces.iter().any(|(it, _)| zone_of(it).as_ref() == Some(&subnet.zone)) {
        let message = format!(
            "Found another VPC endpoint subnet in the availability zone of {subnet_id}. VPC endpoint subnets should be in \
             different availability zones supported by the VPC endpoint service."
        );
        return Err(ApiError::new("DuplicateSubnetsInSameZone", message));
    }
    let new = NewInterface {
        subnet_id: subnet_id.to_owned(),
        groups: endpoint.group_ids.clone(),
        description: format!("VPC Endpoint Interface {id}"),
        requester_id: Some(world.settings.account.clone()),
        is_requester_managed: true,
        held_by: Some("amazon-aws".to_owned()),
        interface_type: "vpc_endpoint".to_owned(),
        ..NewInterface::default()
    };
    let interface = interfaces::create(world, new)?;
    world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.interfaces.push((subnet_id.to_owned(), interface)));
    Ok(())
}

/// Takes an endpoint's interface out of a subnet.
pub(super) fn remove_subnet(world: &mut World, id: &str, subnet_id: &str) {
    let Some(endpoint) = world.ec2.vpc_endpoints.get(id).cloned() else { return };
    for (_, interface) in endpoint.interfaces.iter().filter(|(it, _)| it == subnet_id) {
        interfaces::remove(world, interface);
    }
    world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.interfaces.retain(|(it, _)| it != subnet_id));
}

fn settle(world: &mut World, id: &str) {
    world.schedule_in(world.settings.pace.network, Timer::Ec2(Due::VpcEndpoint(id.to_owned())));
}

/// Deletes those that are there, and tells which are not.
fn delete_vpc_endpoints(world: &mut World, call: &Call) -> Answer {
    let ids = call.texts("VpcEndpointId");
    if ids.is_empty() {
        return Err(ApiError::missing(call.service, "VpcEndpointId"));
    }
    let mut unsuccessful = Vec::new();
    for id in ids {
        let Ok(endpoint) = find(world, &id).cloned() else {
            let message = format!("The Vpc Endpoint Id '{id}' does not exist");
            let error = json!({ "code": "InvalidVpcEndpoint.NotFound", "message": message });
            unsuccessful.push(json!({ "resourceId": id, "error": error }));
            continue;
        };
        for table in &endpoint.route_table_ids {
            remove_route_table(world, &id, table);
        }
        if endpoint.state != "deleting" {
            world.ec2.vpc_endpoints.update(&id, |endpoint| "deleting".clone_into(&mut endpoint.state));
            settle(world, &id);
        }
    }
    Ok(json!({ "unsuccessful": unsuccessful }))
}

/// What is due happens: it works, or is gone with its interfaces.
pub(super) fn on_timer(world: &mut World, id: &str) {
    let Some(endpoint) = world.ec2.vpc_endpoints.get(id).cloned() else { return };
    match endpoint.state.as_str() {
        "pending" => {
            world.ec2.vpc_endpoints.update(id, |endpoint| "available".clone_into(&mut endpoint.state));
        }
        "deleting" => {
            for (subnet, _) in &endpoint.interfaces {
                remove_subnet(world, id, subnet);
            }
            world.ec2.vpc_endpoints.remove(id);
        }
        _ => {}
    }
}
