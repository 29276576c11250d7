//! What moto's EC2 lacks or gets wrong where a proof depends on it.

mod groups;
mod paging;
mod rules;
mod trunk;

pub(super) use rules::Descriptions;
pub(super) use trunk::Trunks;

use super::call::AwsRequest;
use super::errors::Refusal;
use super::shared::Shared;
use super::xml;
use crate::world::http::typed;
use bytes::Bytes;
use http::Response;

pub(super) async fn answer(shared: &Shared, request: &AwsRequest) -> Result<Response<Bytes>, Refusal> {
    match request.operation().as_str() {
        "CreateNetworkInterfacePermission" => Ok(trunk::permit(request)),
        "AssociateTrunkInterface" => trunk::associate(shared, request),
        "DisassociateTrunkInterface" => trunk::disassociate(shared, request),
        "DescribeTrunkInterfaceAssociations" => Ok(trunk::describe(shared, request)),
        "CreateNetworkInterface" => trunk::create_interface(shared, request).await,
        "DescribeNetworkInterfaces" => {
            let response = shared.upstream.forward(request).await?;
            Ok(paging::page(request, response.map(|body| trunk::with_interface_types(shared, body))))
        }
        "CreateSecurityGroup" => {
            groups::may_create(shared, request).await?;
            shared.upstream.forward(request).await
        }
        "DeleteSecurityGroup" => {
            groups::may_delete(shared, request).await?;
            shared.upstream.forward(request).await
        }
        "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => {
            groups::may_authorize(request)?;
            let response = shared.upstream.forward(request).await?;
            Ok(response.map(|body| rules::learn(shared, request, &body)))
        }
        "DescribeSecurityGroupRules" => {
            let response = shared.upstream.forward(request).await?;
            Ok(paging::page(request, response.map(|body| rules::complete(shared, &body))))
        }
        "ModifySecurityGroupRules" => {
            rules::forget(shared, request);
            shared.upstream.forward(request).await
        }
        "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => {
            let response = shared.upstream.forward(request).await?;
            Ok(groups::with_rule_not_found(request, response))
        }
        "CreateLaunchTemplate" | "CreateNatGateway" => once_per_token(shared, request).await,
        "CreateTags" => {
            groups::may_tag(request)?;
            shared.upstream.forward(request).await
        }
        operation if operation.starts_with("Describe") => {
            Ok(paging::page(request, shared.upstream.forward(request).await?))
        }
        _ => shared.upstream.forward(request).await,
    }
}

/// The first answer to a client token is the answer to each repetition.
async fn once_per_token(shared: &Shared, request: &AwsRequest) -> Result<Response<Bytes>, Refusal> {
    let Some(token) = request.param("ClientToken") else { return shared.upstream.forward(request).await };
    let known = shared.answers_by_token.lock().unwrap().get(token).cloned();
    if let Some(body) = known {
        return Ok(typed(200, "text/xml", body));
    }
    let response = shared.upstream.forward(request).await?;
    if response.status().is_success() {
        shared.answers_by_token.lock().unwrap().insert(token.to_owned(), response.body().clone());
    }
    Ok(response)
}

/// An answer of an operation: its name, and the XML inside.
fn answered(request: &AwsRequest, inside: &str) -> Response<Bytes> {
    let name = request.operation();
    let namespace = "http://ec2.amazonaws.com/doc/2016-11-15/";
    typed(
        200,
        "text/xml",
        format!("<{name}Response xmlns=\"{namespace}\"><requestId>sgp-proxy</requestId>{inside}</{name}Response>"),
    )
}

/// The parameters `NAME.1`, `NAME.2` ... of a list.
fn list<'a>(request: &'a AwsRequest, name: &str) -> Vec<&'a str> {
    (1..).map_while(|index| request.param(&format!("{name}.{index}"))).collect()
}

/// The values of one filter.
fn filter<'a>(request: &'a AwsRequest, name: &str) -> Option<Vec<&'a str>> {
    let index = (1..)
        .map_while(|index| request.param(&format!("Filter.{index}.Name")).map(|found| (index, found)))
        .find(|(_, found)| *found == name)?
        .0;
    Some(list(request, &format!("Filter.{index}.Value")))
}
