//! EC2.

use super::{Need, context, pass_role, region, request_tags};
use crate::aws::{Call, Params};
use crate::ec2::kinds::Kind;
use crate::world::World;

/// The resources of an operation: resource type and the parameter with ids; a type alone is something new.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

const ROWS: &[Row] = &[
    ("AcceptVpcPeeringConnection", &[("vpc-peering-connection", "VpcPeeringConnectionId")]),
    ("AllocateAddress", &[("elastic-ip", "")]),
    ("AssignIpv6Addresses", &[("network-interface", "NetworkInterfaceId")]),
    ("AssignPrivateIpAddresses", &[("network-interface", "NetworkInterfaceId")]),
    (
        "AssociateAddress",
        &[("elastic-ip", "AllocationId"), ("instance", "InstanceId"), ("network-interface", "NetworkInterfaceId")],
    ),
    ("AssociateDhcpOptions", &[("dhcp-options", "DhcpOptionsId"), ("vpc", "VpcId")]),
    (
        "AssociateRouteTable",
        &[("route-table", "RouteTableId"), ("subnet", "SubnetId"), ("internet-gateway", "GatewayId")],
    ),
    ("AssociateSecurityGroupVpc", &[("security-group", "GroupId"), ("vpc", "VpcId")]),
    ("AssociateSubnetCidrBlock", &[("subnet", "SubnetId")]),
    ("AssociateVpcCidrBlock", &[("vpc", "VpcId")]),
    ("AttachInternetGateway", &[("internet-gateway", "InternetGatewayId"), ("vpc", "VpcId")]),
    ("AttachNetworkInterface", &[("instance", "InstanceId"), ("network-interface", "NetworkInterfaceId")]),
    ("AuthorizeSecurityGroupEgress", &[("security-group", "GroupId")]),
    ("AuthorizeSecurityGroupIngress", &[("security-group", "GroupId")]),
    ("CreateDhcpOptions", &[("dhcp-options", "")]),
    ("CreateInternetGateway", &[("internet-gateway", "")]),
    ("CreateLaunchTemplate", &[("launch-template", "")]),
    ("CreateLaunchTemplateVersion", &[("launch-template", "LaunchTemplateId")]),
    ("CreateManagedPrefixList", &[("prefix-list", "")]),
    ("CreateNatGateway", &[("natgateway", ""), ("subnet", "SubnetId"), ("elastic-ip", "AllocationId")]),
    ("CreateNetworkAcl", &[("network-acl", ""), ("vpc", "VpcId")]),
    ("CreateNetworkAclEntry", &[("network-acl", "NetworkAclId")]),
    (
        "CreateNetworkInterface",
        &[("network-interface", ""), ("subnet", "SubnetId"), ("security-group", "SecurityGroupId")],
    ),
    ("CreateNetworkInterfacePermission", &[("network-interface", "NetworkInterfaceId")]),
    ("CreateRoute", &[("route-table", "RouteTableId")]),
    ("CreateRouteTable", &[("route-table", ""), ("vpc", "VpcId")]),
    ("CreateSecurityGroup", &[("security-group", ""), ("vpc", "VpcId")]),
    ("CreateSubnet", &[("subnet", ""), ("vpc", "VpcId")]),
    ("CreateVpc", &[("vpc", "")]),
    (
        "CreateVpcEndpoint",
        &[("vpc-endpoint", ""), ("vpc", "VpcId"), ("subnet", "SubnetId"), ("security-group", "SecurityGroupId")],
    ),
    ("CreateVpcPeeringConnection", &[("vpc-peering-connection", ""), ("vpc", "VpcId")]),
    ("DeleteDhcpOptions", &[("dhcp-options", "DhcpOptionsId")]),
    ("DeleteInternetGateway", &[("internet-gateway", "InternetGatewayId")]),
    ("DeleteLaunchTemplate", &[("launch-template", "LaunchTemplateId")]),
    ("DeleteLaunchTemplateVersions", &[("launch-template", "LaunchTemplateId")]),
    ("DeleteManagedPrefixList", &[("prefix-list", "PrefixListId")]),
    ("DeleteNatGateway", &[("natgateway", "NatGatewayId")]),
    ("DeleteNetworkAcl", &[("network-acl", "NetworkAclId")]),
    ("DeleteNetworkAclEntry", &[("network-acl", "NetworkAclId")]),
    ("DeleteNetworkInterface", &[("network-interface", "NetworkInterfaceId")]),
    ("DeleteRoute", &[("route-table", "RouteTableId")]),
    ("DeleteRouteTable", &[("route-table", "RouteTableId")]),
    ("DeleteSecurityGroup", &[("security-group", "GroupId")]),
    ("DeleteSubnet", &[("subnet", "SubnetId")]),
    ("DeleteVpc", &[("vpc", "VpcId")]),
    ("DeleteVpcEndpoints", &[("vpc-endpoint", "VpcEndpointId")]),
    ("DeleteVpcPeeringConnection", &[("vpc-peering-connection", "VpcPeeringConnectionId")]),
    ("DetachInternetGateway", &[("internet-gateway", "InternetGatewayId"), ("vpc", "VpcId")]),
    ("DisassociateSecurityGroupVpc", &[("security-group", "GroupId"), ("vpc", "VpcId")]),
    ("ModifyInstanceAttribute", &[("instance", "InstanceId"), ("security-group", "GroupId")]),
    ("ModifyInstanceMetadataOptions", &[("instance", "InstanceId")]),
    ("ModifyLaunchTemplate", &[("launch-template", "LaunchTemplateId")]),
    ("ModifyManagedPrefixList", &[("prefix-list", "PrefixListId")]),
    (
        "ModifyNetworkInterfaceAttribute",
        &[("network-interface", "NetworkInterfaceId"), ("security-group", "SecurityGroupId")],
    ),
    (
        "ModifySecurityGroupRules",
        &[("security-group", "GroupId"), ("security-group-rule", "SecurityGroupRule.SecurityGroupRuleId")],
    ),
    ("ModifySubnetAttribute", &[("subnet", "SubnetId")]),
    ("ModifyVpcAttribute", &[("vpc", "VpcId")]),
    ("ModifyVpcEndpoint", &[("vpc-endpoint", "VpcEndpointId")]),
    ("ModifyVpcPeeringConnectionOptions", &[("vpc-peering-connection", "VpcPeeringConnectionId")]),
    ("RebootInstances", &[("instance", "InstanceId")]),
    ("RejectVpcPeeringConnection", &[("vpc-peering-connection", "VpcPeeringConnectionId")]),
    ("ReleaseAddress", &[("elastic-ip", "AllocationId")]),
    ("ReplaceNetworkAclEntry", &[("network-acl", "NetworkAclId")]),
    ("ReplaceRoute", &[("route-table", "RouteTableId")]),
    ("ReplaceRouteTableAssociation", &[("route-table", "RouteTableId")]),
    ("RestoreManagedPrefixListVersion", &[("prefix-list", "PrefixListId")]),
    ("RevokeSecurityGroupEgress", &[("security-group", "GroupId")]),
    ("RevokeSecurityGroupIngress", &[("security-group", "GroupId")]),
    (
        "RunInstances",
        &[
            ("instance", ""),
            ("volume", ""),
            ("network-interface", "NetworkInterface.NetworkInterfaceId"),
            ("image", "ImageId"),
            ("subnet", "SubnetId"),
            ("security-group", "SecurityGroupId"),
            ("launch-template", "LaunchTemplate.LaunchTemplateId"),
        ],
    ),
    ("StartInstances", &[("instance", "InstanceId")]),
    ("StopInstances", &[("instance", "InstanceId")]),
    ("TerminateInstances", &[("instance", "InstanceId")]),
    ("UnassignIpv6Addresses", &[("network-interface", "NetworkInterfaceId")]),
    ("UnassignPrivateIpAddresses", &[("network-interface", "NetworkInterfaceId")]),
    ("UpdateSecurityGroupRuleDescriptionsEgress", &[("security-group", "GroupId")]),
    ("UpdateSecurityGroupRuleDescriptionsIngress", &[("security-group", "GroupId")]),
];

pub(super) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = format!("ec2:{}", call.operation);
    let region = region(world, call);
    let base = vec![("aws:RequestedRegion".to_owned(), region.clone()), ("ec2:Region".to_owned(), region)];
    if matches!(call.operation, "CreateTags" | "DeleteTags") {
        return tagging(world, call, &base);
    }
    let row = ROWS.iter().find(|(operation, _)| *operation == call.operation).map(|(_, row)| *row);
    let Some(row) = row else {
        return vec![Need { action, resource: "*".to_owned(), context: context(base) }];
    };
    let specifications = call.structures("TagSpecification");
    let mut needs = Vec::new();
    for (kind, parameter) in row {
        let ids = if parameter.is_empty() { vec!["*".to_owned()] } else { ids(call, parameter) };
        for id in ids {
            let mut pairs = base.clone();
            pairs.extend(keys_of(world, call, kind, &id));
            pairs.extend(request_tags(&specified(&specifications, kind)));
            needs.push(Need { action: action.clone(), resource: arn(world, kind, &id), context: context(pairs) });
        }
    }
    if needs.is_empty() {
        needs.push(Need { action, resource: "*".to_owned(), context: context(base.clone()) });
    }
    for specification in &specifications {
        let kind = specification.text("ResourceType").unwrap_or_default();
        let mut pairs = base.clone();
        pairs.push(("ec2:CreateAction".to_owned(), call.operation.to_owned()));
        pairs.extend(request_tags(&specified(std::slice::from_ref(specification), &kind)));
        let resource = arn(world, &kind, "*");
        needs.push(Need { action: "ec2:CreateTags".to_owned(), resource, context: context(pairs) });
    }
    needs.extend(passed_role(world, call));
    needs
}

fn arn(world: &World, kind: &str, id: &str) -> String {
    // Images belong to nobody here.
    let account = if kind == "image" { "" } else { world.settings.account.as_str() };
    format!("arn:aws:ec2:{}:{account}:{kind}/{id}", world.settings.region)
}

/// The ids under a parameter; `Outer.Inner` reads every structure of a list.
fn ids(call: &Call, parameter: &str) -> Vec<String> {
    match parameter.split_once('.') {
        None => call.texts(parameter),
        Some((outer, inner)) => {
            let one = call.structure(outer).and_then(|it| it.text(inner));
            let several = call.structures(outer).into_iter().filter_map(|it| it.text(inner));
            one.into_iter().chain(several).collect()
        }
    }
}

/// Tags of the objects of a type that a call makes. A natgateway is a natgateway in both ARNs and tag specifications.
fn specified(specifications: &[Params], kind: &str) -> Vec<(String, String)> {
    let of_kind = specifications.iter().filter(|it| it.text("ResourceType").as_deref() == Some(kind));
    let tags = of_kind.flat_map(|it| it.structures("Tag"));
    tags.filter_map(|tag| Some((tag.text("Key")?, tag.text("Value").unwrap_or_default()))).collect()
}

/// The condition keys of an object: its tags, its VPC.
fn keys_of(world: &World, call: &Call, kind: &str, id: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if let Some(tags) = Kind::of(id).and_then(|kind| (kind.tags)(&world.ec2, id)) {
        for (key, value) in tags {
            pairs.push((format!("aws:ResourceTag/{key}"), value.clone()));
            pairs.push((format!("ec2:ResourceTag/{key}"), value.clone()));
        }
    }
    let vpc = match kind {
        "subnet" => world.ec2.subnets.get(id).map(|subnet| subnet.vpc_id.clone()),
        "security-group" => world.ec2.security_groups.get(id).map(|group| group.vpc_id.clone()),
        "network-interface" => world.ec2.interfaces.get(id).map(|interface| interface.vpc_id.clone()),
        _ => None,
    };
    let subnet = || call.text("SubnetId").and_then(|id| world.ec2.subnets.get(&id)).map(|subnet| subnet.vpc_id.clone());
    let vpc = vpc.or_else(|| call.text("VpcId").filter(|_| id == "*")).or_else(|| subnet().filter(|_| id == "*"));
    pairs.extend(vpc.map(|vpc| ("ec2:Vpc".to_owned(), arn(world, "vpc", &vpc))));
    pairs
        .extend(call.text("InstanceType").filter(|_| kind == "instance").map(|it| ("ec2:InstanceType".to_owned(), it)));
    pairs
}

/// CreateTags and DeleteTags: on each object.
fn tagging(world: &World, call: &Call, base: &[(String, String)]) -> Vec<Need> {
    let action = format!("ec2:{}", call.operation);
    let tags: Vec<(String, String)> = call
        .structures("Tag")
        .iter()
        .filter_map(|tag| Some((tag.text("Key")?, tag.text("Value").unwrap_or_default())))
        .collect();
    let needs = call.texts("ResourceId").into_iter().map(|id| {
        let kind = Kind::of(&id).map_or("*", |kind| kind.resource_type);
        let mut pairs = base.to_vec();
        pairs.extend(keys_of(world, call, kind, &id));
        if call.operation == "CreateTags" {
            pairs.extend(request_tags(&tags));
        } else {
            pairs.extend(tags.iter().map(|(key, _)| ("aws:TagKeys".to_owned(), key.clone())));
        }
        Need { action: action.clone(), resource: arn(world, kind, &id), context: context(pairs) }
    });
    needs.collect()
}

/// The role of an instance profile that goes to EC2.
fn passed_role(world: &World, call: &Call) -> Option<Need> {
    if !matches!(
        call.operation,
        "RunInstances" | "AssociateIamInstanceProfile" | "ReplaceIamInstanceProfileAssociation"
    ) {
        return None;
    }
    let profile = call.structure("IamInstanceProfile")?;
    let by_arn = profile.text("Arn").and_then(|arn| world.iam.instance_profile_of_arn(&arn));
    let row = by_arn.or_else(|| world.iam.instance_profiles.get(&profile.text("Name")?))?;
    let role = world.iam.roles.get(row.role.as_ref()?)?;
    Some(pass_role(world, &role.arn, "ec2.amazonaws.com"))
}
