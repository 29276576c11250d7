//! `aws_vpc_endpoint`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::{
    operation::modify_vpc_endpoint::builders::ModifyVpcEndpointFluentBuilder,
    types::{IpAddressType, ResourceType as Ec2Type, VpcEndpoint, VpcEndpointType},
};
use futures::future::join_all;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Type, Value, schema::Semantics, state::Intent};

use crate::{
    bulk,
    client::AwsClient,
    ec2::{creation, describe, filter, object},
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::Checks,
    naming, tags,
    values::{self, ObjectBuilder, any_changed, changed},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsVpcEndpoint;

fn dns_entry() -> Type {
    Type::object([("dns_name", Type::String), ("hosted_zone_id", Type::String)])
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let told = |doc| Attribute::string().computed().doc(doc);
    let given = |doc| Attribute::string_set().optional_computed().doc(doc);
    let schema = Schema::new(
        "aws_vpc_endpoint",
        "A way from a VPC to a service of AWS without the internet: routes (`Gateway`, for S3 and DynamoDB) or interfaces (`Interface`).",
    )
    .attr("arn", told("The endpoint's ARN."))
    .attr("cidr_blocks", Attribute::strings().computed().doc("The addresses of the service, for a gateway."))
    .attr(
        "dns_entry",
        Attribute::of(Type::list(dns_entry()))
            .computed()
            .follows(&["subnet_ids", "private_dns_enabled"])
            .doc("`[n].dns_name` and `[n].hosted_zone_id` of an interface endpoint."),
    )
    .attr("id", told("The endpoint's id: `vpce-...`."))
    .attr(
        "ip_address_type",
        Attribute::string().optional_computed().doc("`ipv4`, `dualstack` or `ipv6`."),
    )
    .attr(
        "network_interface_ids",
        Attribute::string_set().computed().follows(&["subnet_ids"]).doc("The interfaces of an interface endpoint."),
    )
    .attr("owner_id", told("The account that owns the endpoint."))
    .attr(
        "policy",
        Attribute::string()
            .optional_computed()
            .semantics(Semantics::IamPolicy)
            .doc("What may be done through it (JSON); everything when absent."),
    )
    .attr("prefix_list_id", told("The prefix list of the service, for a gateway: what groups let out to."))
    .attr(
        "private_dns_enabled",
        Attribute::bool().optional_computed().doc("Whether the service's usual name leads to an interface endpoint; off when absent."),
    )
    .attr("requester_managed", Attribute::bool().computed().doc("Whether a service of AWS manages it."))
    .attr("route_table_ids", given("Route tables that get a route to a gateway."))
    .attr("security_group_ids", given("Groups of the interfaces; the VPC's default one when absent. They must let the clients in on 443."))
    .attr(
        "service_name",
        Attribute::string().required().force_new().doc("The service: `com.amazonaws.eu-central-1.s3`."),
    )
    .attr("state", told("`available`, or `pendingAcceptance` until the service's owner agrees."))
    .attr("subnet_ids", given("Subnets that get an interface, one a zone."))
    .attr("vpc_endpoint_type", Attribute::string().default("Gateway").force_new().doc("`Gateway` or `Interface`."))
    .attr("vpc_id", Attribute::string().required().force_new().doc("The VPC."));
    tags::attributes(schema)
        .unsupported(&[
            "auto_accept",
            "dns_options",
            "region",
            "resource_configuration_arn",
            "service_network_arn",
            "service_region",
            "subnet_configuration",
        ])
        .timeouts(&[("create", 600), ("update", 600), ("delete", 600)])
        .iam_actions(&[
            "ec2:CreateTags",
            "ec2:CreateVpcEndpoint",
            "ec2:DeleteTags",
            "ec2:DeleteVpcEndpoints",
            "ec2:DescribeManagedPrefixLists",
            "ec2:DescribeVpcEndpoints",
            "ec2:GetManagedPrefixListEntries",
            "ec2:ModifyVpcEndpoint",
        ])
        .example(
            "resource \"aws_vpc_endpoint\" \"s3\" {\n  vpc_id          = aws_vpc.main.id\n  service_name    = \"com.amazonaws.eu-central-1.s3\"\n  \
             route_table_ids = [aws_route_table.private.id]\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsVpcEndpoint {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config)
            .text("vpc_endpoint_type", |t| ["Gateway", "Interface"].contains(&t), "be Gateway or Interface")
            .text("ip_address_type", |t| ["ipv4", "dualstack", "ipv6"].contains(&t), "be ipv4, dualstack or ipv6")
            .json("policy")
            .done();
        let kind = values::str_opt(config, "vpc_endpoint_type");
        let open = config.get("vpc_endpoint_type").is_some_and(|it| !it.is_known());
        let others: &[&'static str] = match kind {
            _ if open => &[],
            Some("Interface") => &["route_table_ids"],
            _ => &["subnet_ids", "security_group_ids", "private_dns_enabled"],
        };
        for name in others.iter().filter(|name| values::is_set(config, name)) {
            let kind = kind.unwrap_or("Gateway");
            let detail =
                format!("An endpoint of type {kind} takes no `{name}`. Set `vpc_endpoint_type`, or leave it out.");
            found.push(Diagnostic::error("Invalid argument", detail).attribute(AttrPath::attr(*name)));
        }
        found
    }

    /// One listing of endpoints, and what is told of the prefix lists of their services.
    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let ids = requests.iter().filter_map(|r| values::text(&r.prior, "id"));
        let fetch = |ids: Vec<String>| describe::vpc_endpoints(client, vec![filter("vpc-endpoint-id", ids)]);
        let found = bulk::read(ids, bulk::FILTER_VALUES, fetch, |it: &VpcEndpoint| it.vpc_endpoint_id.clone()).await;
        let mut services: Vec<String> = Vec::new();
        for r in requests {
            if let Ok(Some(endpoint)) = found.get(values::str_opt(&r.prior, "id").unwrap_or_default())
                && is_gateway(endpoint)
            {
                services.extend(endpoint.service_name.clone());
            }
        }
        services.sort();
        services.dedup();
        let lists = join_all(services.iter().map(|service| service_list(client, service))).await;
        let read = |r: &ReadRequest| {
            let endpoint = found.get(values::str_opt(&r.prior, "id").unwrap_or_default())?;
            let Some(endpoint) = endpoint.filter(|it| !is_over(it)) else { return Ok(None) };
            let at = services.iter().position(|it| Some(it.as_str()) == endpoint.service_name());
            let list = at.filter(|_| is_gateway(endpoint)).map(|at| lists[at].clone()).transpose()?.flatten();
            Ok(Some(object(client, endpoint, list.as_ref(), &r.prior)))
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
        let id = values::string(request.prior, "id");
        applied(delete(AwsClient::of(client), cx, &id).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("VPC endpoint", "vpce-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let made = vec![creation::made_by(&intent.token)];
        let found = describe::vpc_endpoints(AwsClient::of(client), made).await?;
        let alive = found.into_iter().filter(|it| !is_over(it));
        let ids: Vec<String> = alive.filter_map(|it| it.vpc_endpoint_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

fn is_gateway(endpoint: &VpcEndpoint) -> bool {
    endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::Gateway)
}

/// EC2 writes states in one case here and in another there.
fn state_of(endpoint: &VpcEndpoint) -> Option<String> {
    let text = endpoint.state()?.as_str();
    let mut letters = text.chars();
    let first = letters.next()?.to_ascii_lowercase();
    Some(std::iter::once(first).chain(letters).collect())
}

fn is_over(endpoint: &VpcEndpoint) -> bool {
    matches!(state_of(endpoint).as_deref(), Some("deleted" | "deleting"))
}

/// The prefix list of a service, with its id and its blocks; `None` where there is none, or who asks may not know.
async fn service_list(client: &AwsClient, service: &str) -> Result<Option<(String, Vec<String>)>, ApiError> {
    let filters = vec![filter("prefix-list-name", [service])];
    let lists = match describe::prefix_lists(client, filters).await {
        Err(error) if error.is_denied() => return Ok(None),
        other => other?,
    };
    let Some(id) = lists.into_iter().next().and_then(|it| it.prefix_list_id) else { return Ok(None) };
    let entries = match describe::prefix_list_entries(client, &id).await {
        Err(error) if error.is_denied() => Vec::new(),
        other => other?,
    };
    Ok(Some((id, entries.into_iter().filter_map(|it| it.cidr).collect())))
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, endpoint: &VpcEndpoint, list: Option<&(String, Vec<String>)>, prior: &Value) -> Value {
    let id = endpoint.vpc_endpoint_id().unwrap_or_default();
    let set = |ids: &[String]| values::string_set(ids.iter().map(String::as_str));
    let names = endpoint.dns_entries().iter().map(|it| {
        Value::object([
            ("dns_name", values::opt_str(it.dns_name())),
            ("hosted_zone_id", values::opt_str(it.hosted_zone_id())),
        ])
    });
    let blocks = list.map(|(_, blocks)| blocks.clone()).unwrap_or_default();
    let groups = endpoint.groups().iter().filter_map(|it| it.group_id());
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", object::arn(client, endpoint.owner_id(), "vpc-endpoint", id))
        .set("cidr_blocks", Value::strings(blocks))
        .set("dns_entry", Value::list(dns_entry(), names.collect()))
        .set("id", id)
        .set("ip_address_type", values::word(endpoint.ip_address_type()))
        .set("network_interface_ids", set(endpoint.network_interface_ids()))
        .set("owner_id", values::opt_str(endpoint.owner_id()))
        .set("policy", values::opt_str(policy(endpoint, prior)))
        .set("prefix_list_id", values::opt_str(list.map(|(id, _)| id.as_str())))
        .set("private_dns_enabled", endpoint.private_dns_enabled().unwrap_or_default())
        .set("requester_managed", endpoint.requester_managed().unwrap_or_default())
        .set("route_table_ids", set(endpoint.route_table_ids()))
        .set("security_group_ids", values::string_set(groups))
        .set("service_name", values::opt_str(endpoint.service_name()))
        .set("state", values::opt_str(state_of(endpoint).as_deref()))
        .set("subnet_ids", set(endpoint.subnet_ids()))
        .set("vpc_endpoint_type", endpoint.vpc_endpoint_type().map_or("Gateway", VpcEndpointType::as_str))
        .set("vpc_id", values::opt_str(endpoint.vpc_id()));
    tags::fill(object, client, prior, &tags::from_ec2(endpoint.tags())).build()
}

/// The policy as it was written, where EC2 tells the same document.
fn policy<'a>(endpoint: &'a VpcEndpoint, prior: &'a Value) -> Option<&'a str> {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let told = endpoint.policy_document()?;
    let said = values::str_opt(prior, "policy").filter(|said| *said == told || parse(said) == parse(told));
    said.or(Some(told).filter(|it| !it.is_empty()))
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let is_interface = values::str_opt(planned, "vpc_endpoint_type") == Some("Interface");
    let call = || async {
        // The API's own default would switch private names on.
        let names = is_interface.then(|| values::flag(planned, "private_dns_enabled"));
        let call = client
            .ec2
            .create_vpc_endpoint()
            .client_token(&cx.token)
            .vpc_id(values::string(planned, "vpc_id"))
            .service_name(values::string(planned, "service_name"))
            .vpc_endpoint_type(VpcEndpointType::from(
                values::str_opt(planned, "vpc_endpoint_type").unwrap_or("Gateway"),
            ))
            .set_policy_document(values::text(planned, "policy"))
            .set_route_table_ids(values::strs_opt(planned, "route_table_ids"))
            .set_subnet_ids(values::strs_opt(planned, "subnet_ids"))
            .set_security_group_ids(values::strs_opt(planned, "security_group_ids"))
            .set_private_dns_enabled(names)
            .set_ip_address_type(values::str_opt(planned, "ip_address_type").map(IpAddressType::from))
            .tag_specifications(creation::specification(client, Ec2Type::VpcEndpoint, planned, &cx.token));
        call.send().await.call("ec2:CreateVpcEndpoint")
    };
    let made = wait::settle(cx, CONSISTENCY, ApiError::is_not_found, call).await?.vpc_endpoint;
    let id = made.and_then(|it| it.vpc_endpoint_id).ok_or_else(|| creation::unnamed("ec2:CreateVpcEndpoint"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Waits until an endpoint works.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    available(client, cx, id).await?;
    creation::unmark(client, id).await?;
    told(client, cx, planned, id).await
}

async fn available(client: &AwsClient, cx: &Context, id: &str) -> Result<VpcEndpoint, Diagnostic> {
    wait::until(cx, &format!("VPC endpoint {id} to become available"), Pace::QUICK, async || {
        let found = describe::vpc_endpoints(client, vec![filter("vpc-endpoint-id", [id])]).await?;
        let Some(endpoint) = found.into_iter().next() else { return Ok(Poll::Pending("not visible yet".to_owned())) };
        Ok(match state_of(&endpoint).as_deref() {
            // Whoever offers the service has to agree; that may take days.
            Some("available" | "pendingAcceptance") => Poll::Ready(endpoint),
            Some("pending") | None => Poll::Pending("pending".to_owned()),
            Some(state) => Poll::Broken(broken(id, state, &endpoint)),
        })
    })
    .await
}

fn broken(id: &str, state: &str, endpoint: &VpcEndpoint) -> Diagnostic {
    let why = endpoint.last_error().and_then(|it| it.message()).or(endpoint.failure_reason());
    let why = why.unwrap_or("EC2 gives no reason.");
    Diagnostic::error("VPC endpoint failed", format!("The VPC endpoint {id} is {state}: {why}"))
}

/// The object as soon as EC2 shows what is planned.
async fn told(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let endpoint = available(client, cx, id).await?;
    let service = endpoint.service_name().filter(|_| is_gateway(&endpoint)).map(str::to_owned);
    let list = match service {
        Some(service) => service_list(client, &service).await?,
        None => None,
    };
    let what = format!("the settings of {id} to be visible");
    let shown = wait::until(cx, &what, Pace::QUICK, async || {
        let found = describe::vpc_endpoints(client, vec![filter("vpc-endpoint-id", [id])]).await?;
        let object = found.first().map(|endpoint| object(client, endpoint, list.as_ref(), planned));
        let names = ["route_table_ids", "security_group_ids", "subnet_ids", "private_dns_enabled"];
        let differs = |object: &Value| {
            names.into_iter().find(|name| values::is_set(planned, name) && changed(object, planned, name))
        };
        Ok(match object {
            None => Poll::Pending("not visible yet".to_owned()),
            Some(object) => match differs(&object) {
                Some(name) => Poll::Pending(format!("{name} is not visible yet")),
                None => Poll::Ready(object),
            },
        })
    });
    Ok(shown.await?)
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    let settings =
        ["ip_address_type", "policy", "private_dns_enabled", "route_table_ids", "security_group_ids", "subnet_ids"];
    if any_changed(prior, planned, &settings) {
        let passes = |e: &ApiError| e.is_not_found() || e.is(&["IncorrectState"]);
        let call = || async { modification(client, &id, prior, planned).send().await.call("ec2:ModifyVpcEndpoint") };
        wait::settle(cx, CONSISTENCY, passes, call).await?;
    }
    tags::update_ec2(client, &id, prior, planned).await?;
    told(client, cx, planned, &id).await
}

/// What a call must say to get from one to the other: EC2 adds and removes.
fn modification(client: &AwsClient, id: &str, prior: &Value, planned: &Value) -> ModifyVpcEndpointFluentBuilder {
    let less = |name: &str| {
        let (had, has) = (values::strs(prior, name), values::strs(planned, name));
        Some(had.into_iter().filter(|it| !has.contains(it)).collect::<Vec<_>>()).filter(|it| !it.is_empty())
    };
    let more = |name: &str| {
        let (had, has) = (values::strs(prior, name), values::strs(planned, name));
        Some(has.into_iter().filter(|it| !had.contains(it)).collect::<Vec<_>>()).filter(|it| !it.is_empty())
    };
    let names = values::bool_opt(planned, "private_dns_enabled");
    let kind = values::str_opt(planned, "ip_address_type").map(IpAddressType::from);
    client
        .ec2
        .modify_vpc_endpoint()
        .vpc_endpoint_id(id)
        .set_add_route_table_ids(more("route_table_ids"))
        .set_remove_route_table_ids(less("route_table_ids"))
        .set_add_subnet_ids(more("subnet_ids"))
        .set_remove_subnet_ids(less("subnet_ids"))
        .set_add_security_group_ids(more("security_group_ids"))
        .set_remove_security_group_ids(less("security_group_ids"))
        .set_policy_document(values::text(planned, "policy").filter(|_| changed(prior, planned, "policy")))
        .set_private_dns_enabled(names.filter(|_| changed(prior, planned, "private_dns_enabled")))
        .set_ip_address_type(kind.filter(|_| changed(prior, planned, "ip_address_type")))
}

async fn delete(client: &AwsClient, cx: &Context, id: &str) -> Result<(), Failure> {
    let answer = client.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.call("ec2:DeleteVpcEndpoints");
    let answer = match answer {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    // This call tells of each id by itself what went wrong.
    if let Some(error) = answer.unsuccessful().iter().find_map(|it| it.error()) {
        let code = error.code().unwrap_or_default();
        if code.ends_with(".NotFound") {
            return Ok(());
        }
        let detail = format!("{code}: {}", error.message().unwrap_or("EC2 gives no reason."));
        return Err(Diagnostic::error("ec2:DeleteVpcEndpoints failed", detail).into());
    }
    let what = format!("VPC endpoint {id} to be deleted");
    let gone = wait::until(cx, &what, Pace::QUICK, async || {
        let found = describe::vpc_endpoints(client, vec![filter("vpc-endpoint-id", [id])]).await?;
        Ok(match found.first().map(state_of) {
            None => Poll::Ready(()),
            Some(Some(state)) if state == "deleted" => Poll::Ready(()),
            Some(state) => Poll::Pending(state.unwrap_or_else(|| "deleting".to_owned())),
        })
    });
    Ok(gone.await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_ec2::types::State;

    use super::*;
    use crate::client::tests::offline;

    #[tokio::test]
    async fn a_described_endpoint_is_wholly_known() {
        let client = offline(&[]).await;
        let endpoint = VpcEndpoint::builder()
            .vpc_endpoint_id("vpce-1")
            .vpc_endpoint_type(VpcEndpointType::Gateway)
            .policy_document(r#"{"a":1}"#)
            .state(State::PendingAcceptance);
        let planned = SCHEMA.block.empty().with_attr("policy", r#"{ "a": 1 }"#.into());
        let list = ("pl-1".to_owned(), vec!["10.0.0.0/8".to_owned()]);
        let object = object(&client, &endpoint.build(), Some(&list), &planned);
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(values::str_opt(&object, "policy"), Some(r#"{ "a": 1 }"#));
        assert_eq!(values::str_opt(&object, "state"), Some("pendingAcceptance"));
        assert_eq!(values::str_opt(&object, "prefix_list_id"), Some("pl-1"));
    }

    #[tokio::test]
    async fn a_change_adds_and_removes() {
        let client = offline(&[]).await;
        let of =
            |tables: &[&str]| SCHEMA.block.empty().with_attr("route_table_ids", values::string_set(tables.to_vec()));
        let sent = modification(&client, "vpce-1", &of(&["rtb-1", "rtb-2"]), &of(&["rtb-2", "rtb-3"]));
        assert_eq!(sent.get_add_route_table_ids().as_deref(), Some(&["rtb-3".to_owned()][..]));
        assert_eq!(sent.get_remove_route_table_ids().as_deref(), Some(&["rtb-1".to_owned()][..]));
        assert!(sent.get_policy_document().is_none() && sent.get_add_subnet_ids().is_none());
    }

    #[test]
    fn arguments_fit_the_type() {
        let said = |kind: &str, name: &str| {
            let config = SCHEMA.block.empty().with_attr("vpc_endpoint_type", kind.into());
            AwsVpcEndpoint.validate(&config.with_attr(name, values::string_set(["x"]))).has_errors()
        };
        assert!(said("Gateway", "subnet_ids") && said("Interface", "route_table_ids"));
        assert!(!said("Gateway", "route_table_ids") && !said("Interface", "security_group_ids"));
    }
}
