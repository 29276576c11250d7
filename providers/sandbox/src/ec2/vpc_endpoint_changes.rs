//! Changes of VPC endpoints.
//!
//! Source: ModifyVpcEndpoint.

use super::describe::done;
use super::{interfaces, vpc_endpoints as endpoints, vpcs};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[Operation { name: "ModifyVpcEndpoint", run: modify_vpc_endpoint }];

fn modify_vpc_endpoint(world: &mut World, call: &Call) -> Answer {
    let id = call.required("VpcEndpointId")?;
    let endpoint = endpoints::find(world, &id)?;
    if endpoint.state == "deleting" {
        return Err(ApiError::new("IncorrectState", format!("The endpoint {id} is being deleted.")));
    }
    let is_gateway = endpoint.is_gateway;
    change_policy(world, call, &id)?;
    if is_gateway {
        let of_interfaces = ["AddSubnetId", "RemoveSubnetId", "AddSecurityGroupId", "RemoveSecurityGroupId"];
        endpoints::refuse(call, &of_interfaces, "Gateway")?;
        change_tables(world, call, &id)?;
    } else {
        endpoints::refuse(call, &["AddRouteTableId", "RemoveRouteTableId"], "Interface")?;
        change_interfaces(world, call, &id)?;
    }
    Ok(done())
}

fn change_policy(world: &mut World, call: &Call, id: &str) -> Result<(), ApiError> {
    let policy = call.text("PolicyDocument").filter(|text| !text.is_empty());
    endpoints::check_policy(policy.as_deref())?;
    if call.boolean("ResetPolicy")? == Some(true) {
        world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.policy = None);
    } else if policy.is_some() {
        world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.policy = policy);
    }
    Ok(())
}

fn change_tables(world: &mut World, call: &Call, id: &str) -> Result<(), ApiError> {
    for table in call.texts("RemoveRouteTableId") {
        if !endpoints::find(world, id)?.route_table_ids.contains(&table) {
            let message = format!("The route table {table} is not associated with endpoint {id}.");
            return Err(ApiError::new("InvalidParameter", message));
        }
        endpoints::remove_route_table(world, id, &table);
    }
    call.texts("AddRouteTableId").iter().try_for_each(|table| endpoints::add_route_table(world, id, table))
}

fn change_interfaces(world: &mut World, call: &Call, id: &str) -> Result<(), ApiError> {
    let endpoint = endpoints::find(world, id)?.clone();
    let (added, removed) = (call.texts("AddSecurityGroupId"), call.texts("RemoveSecurityGroupId"));
    let kept = endpoint.group_ids.iter().filter(|group| !removed.contains(group)).cloned();
    let groups = kept.chain(added.iter().filter(|group| !endpoint.group_ids.contains(group)).cloned()).collect();
    let groups = interfaces::groups_for(world, &endpoint.vpc_id, groups)?;
    for (_, interface) in &endpoint.interfaces {
        world.ec2.interfaces.update(interface, |interface| interface.groups.clone_from(&groups));
    }
    world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.group_ids = groups);
    for subnet in call.texts("RemoveSubnetId") {
        endpoints::remove_subnet(world, id, &subnet);
    }
    call.texts("AddSubnetId").iter().try_for_each(|subnet| endpoints::add_subnet(world, id, subnet))?;
    if let Some(is_enabled) = call.boolean("PrivateDnsEnabled")? {
        if is_enabled {
            endpoints::check_dns(vpcs::find(world, &endpoint.vpc_id)?)?;
        }
        world.ec2.vpc_endpoints.update(id, |endpoint| endpoint.private_dns_enabled = is_enabled);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, pass, query, refusal, world};

    fn text(value: &Value) -> String {
        value.as_str().unwrap().to_owned()
    }

    #[test]
    fn a_gateway_endpoint_is_a_route() {
        let mut world = world();
        let vpc = vpcs::default_vpc(&world).unwrap().vpc_id.clone();
        let table = super::super::route_tables::main_of(&world, &vpc).unwrap().route_table_id.clone();
        let pairs =
            [("VpcId", vpc.as_str()), ("ServiceName", "com.amazonaws.us-east-1.s3"), ("RouteTableId.1", &table)];
        let made = ec2(&mut world, "CreateVpcEndpoint", &pairs);
        let id = text(&made["vpcEndpoint"]["vpcEndpointId"]);
        assert_eq!(made["vpcEndpoint"]["state"], "available");
        let routes = |world: &mut World| {
            let answer = ec2(world, "DescribeRouteTables", &[("RouteTableId.1", &table)]);
            answer["routeTableSet"][0]["routeSet"].as_array().unwrap().clone()
        };
        let all = routes(&mut world);
        let route = all.iter().find(|route| route["gatewayId"] == id.as_str()).unwrap();
        let list = text(&route["destinationPrefixListId"]);
        let pairs = [("RouteTableId", table.as_str()), ("DestinationPrefixListId", list.as_str())];
        assert_eq!(refusal(query(&mut world, Service::Ec2, "DeleteRoute", &pairs)), "InvalidParameterValue");
        ec2(&mut world, "ModifyVpcEndpoint", &[("VpcEndpointId", &id), ("RemoveRouteTableId.1", &table)]);
        assert_eq!(routes(&mut world).len(), all.len() - 1);
        let none =
            ec2(&mut world, "DeleteVpcEndpoints", &[("VpcEndpointId.1", &id), ("VpcEndpointId.2", "vpce-12345678")]);
        assert_eq!(none["unsuccessful"].as_array().unwrap().len(), 1);
        pass(&mut world, 10);
        assert!(world.ec2.vpc_endpoints.is_empty());
    }

    #[test]
    fn an_interface_endpoint_takes_addresses() {
        let mut world = world();
        let vpc = vpcs::default_vpc(&world).unwrap().vpc_id.clone();
        let subnet = world.ec2.subnets.iter().next().unwrap().0.to_owned();
        let free = |world: &World| world.ec2.subnets.get(&subnet).unwrap().available;
        let before = free(&world);
        let pairs = [("VpcId", vpc.as_str()), ("ServiceName", "com.amazonaws.us-east-1.sts"), ("SubnetId.1", &subnet)];
        let pairs = [&pairs[..], &[("VpcEndpointType", "Interface")]].concat();
        let made = ec2(&mut world, "CreateVpcEndpoint", &pairs);
        let id = text(&made["vpcEndpoint"]["vpcEndpointId"]);
        assert_eq!((free(&world), &made["vpcEndpoint"]["state"]), (before - 1, &Value::from("pending")));
        pass(&mut world, 10);
        assert_eq!(world.ec2.vpc_endpoints.get(&id).unwrap().state, "available");
        assert_eq!(
            refusal(query(&mut world, Service::Ec2, "DeleteSubnet", &[("SubnetId", &subnet)])),
            "DependencyViolation"
        );
        ec2(&mut world, "DeleteVpcEndpoints", &[("VpcEndpointId.1", &id)]);
        pass(&mut world, 10);
        assert_eq!(free(&world), before);
        let unknown = [("VpcId", vpc.as_str()), ("ServiceName", "com.amazonaws.us-east-1.nothing")];
        assert_eq!(refusal(query(&mut world, Service::Ec2, "CreateVpcEndpoint", &unknown)), "InvalidServiceName");
    }
}
