//! Security groups: the refusals of AWS that moto does not make.

use super::{AwsRequest, Refusal, Shared, list, xml};
use bytes::Bytes;
use http::Response;

/// Refuses a VPC that does not exist and a name that AWS keeps for itself.
pub(super) async fn may_create(shared: &Shared, request: &AwsRequest) -> Result<(), Refusal> {
    if request.param("GroupName").is_some_and(|name| name.starts_with("sg-")) {
        let message = "Invalid value for parameter groupName: may not begin with sg-";
        return Err(Refusal::new(400, "InvalidParameterValue", message));
    }
    let Some(vpc) = request.param("VpcId") else { return Ok(()) };
    let found = shared.upstream.query("ec2", "DescribeVpcs", &[("VpcId.1", vpc)]).await;
    found.map(drop).map_err(|_| not_found("InvalidVpcID.NotFound", "vpc ID", vpc))
}

/// Refuses a group that a rule of another group names or that an interface carries, and the default group.
pub(super) async fn may_delete(shared: &Shared, request: &AwsRequest) -> Result<(), Refusal> {
    let Some(group) = request.param("GroupId") else { return Ok(()) };
    let Ok(described) = shared.upstream.query("ec2", "DescribeSecurityGroups", &[("GroupId.1", group)]).await else {
        return Ok(());
    };
    if xml::text(&described, "groupName").as_deref() == Some("default") {
        let message = format!("the specified group: \"{group}\" name: \"default\" cannot be deleted by a user");
        return Err(Refusal::new(400, "CannotDelete", message));
    }
    if is_named_by_a_rule(shared, group).await? || is_carried(shared, group).await? {
        let message = format!("resource {group} has a dependent object");
        return Err(Refusal::new(400, "DependencyViolation", message));
    }
    Ok(())
}

async fn is_carried(shared: &Shared, group: &str) -> Result<bool, Refusal> {
    let filter = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", group)];
    let interfaces = shared.upstream.query("ec2", "DescribeNetworkInterfaces", &filter).await?;
    Ok(!xml::texts(&interfaces, "networkInterfaceId").is_empty())
}

async fn is_named_by_a_rule(shared: &Shared, group: &str) -> Result<bool, Refusal> {
    let rules = shared.upstream.query("ec2", "DescribeSecurityGroupRules", &[]).await?;
    let document =
        roxmltree::Document::parse(&rules).map_err(|error| Refusal::new(502, "ProxyFailure", error.to_string()))?;
    let child = |rule: roxmltree::Node<'_, '_>, name: &str| {
        let found = rule.children().find(|node| node.tag_name().name() == name);
        found.and_then(|node| node.text()).map(str::to_owned)
    };
    Ok(document.descendants().filter(|node| node.tag_name().name() == "referencedGroupInfo").any(|reference| {
        let owner = reference.parent_element().and_then(|rule| child(rule, "groupId"));
        child(reference, "groupId").as_deref() == Some(group) && owner.as_deref() != Some(group)
    }))
}

/// Refuses a range of ports that ends before it begins.
pub(super) fn may_authorize(request: &AwsRequest) -> Result<(), Refusal> {
    for index in 1.. {
        let number = |name: &str| request.param(&format!("IpPermissions.{index}.{name}"));
        let Some(protocol) = number("IpProtocol") else { break };
        let port = |name| number(name).and_then(|port| port.parse::<i64>().ok());
        if let (true, Some(from), Some(to)) =
            (["tcp", "udp", "6", "17"].contains(&protocol), port("FromPort"), port("ToPort"))
            && from > to
        {
            let message = format!("Invalid TCP/UDP port range ({from}:{to})");
            return Err(Refusal::new(400, "InvalidParameterValue", message));
        }
    }
    Ok(())
}

/// Refuses tag keys that only AWS may write.
pub(super) fn may_tag(request: &AwsRequest) -> Result<(), Refusal> {
    let keys = (1..).map_while(|index| request.param(&format!("Tag.{index}.Key")));
    if keys.into_iter().any(|key| key.starts_with("aws:")) {
        let message = "Tag keys starting with 'aws:' are reserved for internal use";
        return Err(Refusal::new(400, "InvalidParameterValue", message));
    }
    Ok(())
}

/// AWS has a code of its own for a rule id that is gone.
pub(super) fn with_rule_not_found(request: &AwsRequest, response: Response<Bytes>) -> Response<Bytes> {
    let ids = list(request, "SecurityGroupRuleId");
    if response.status().is_success() || ids.is_empty() {
        return response;
    }
    let body = String::from_utf8_lossy(response.body()).into_owned();
    if xml::text(&body, "Code").as_deref() != Some("InvalidPermission.NotFound") {
        return response;
    }
    not_found("InvalidSecurityGroupRuleId.NotFound", "security group rule ID", ids[0]).response("ec2")
}

fn not_found(code: &str, kind: &str, id: &str) -> Refusal {
    Refusal::new(400, code, format!("The {kind} '{id}' does not exist"))
}
