//! `aws_network_acl_rule`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::NetworkAcl;
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
        acl::{self, Entry},
        addresses, claims, describe, filter, object,
    },
    errors::{ApiError, Failure, Leaving, applied},
    unsaid,
    values::{self, ObjectBuilder},
    wait::{self, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsNetworkAclRule;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_network_acl_rule", "One entry of a network ACL. Not for an ACL with `ingress` or `egress` blocks.")
        .attr(
            "cidr_block",
            Attribute::string().optional().force_new().semantics(Semantics::Cidr).doc("IPv4 addresses of the other end."),
        )
        .attr("egress", Attribute::bool().default(false).force_new().doc("Whether it is for what goes out of the subnets."))
        .attr("from_port", Attribute::number().optional().force_new().doc("The first port."))
        .attr("icmp_code", Attribute::number().optional().force_new().doc("The ICMP code; -1 is any."))
        .attr("icmp_type", Attribute::number().optional().force_new().doc("The ICMP type; -1 is any."))
        .attr("id", Attribute::string().computed().doc("Made of the ACL's id, the number, the side and the protocol."))
        .attr(
            "ipv6_cidr_block",
            Attribute::string().optional().force_new().semantics(Semantics::Cidr).doc("IPv6 addresses of the other end."),
        )
        .attr("network_acl_id", Attribute::string().required().force_new().doc("The network ACL."))
        .attr(
            "protocol",
            Attribute::string()
                .required()
                .force_new()
                .semantics(Semantics::CaseInsensitive)
                .doc("`tcp`, `udp`, `icmp`, a number, or `-1` for all."),
        )
        .attr("rule_action", Attribute::string().required().force_new().doc("`allow` or `deny`."))
        .attr(
            "rule_number",
            Attribute::number().required().force_new().doc("The number, 1 to 32766; the lowest entry that fits decides."),
        )
        .attr("to_port", Attribute::number().optional().force_new().doc("The last port."))
        .unsupported(&["region"])
        .iam_actions(&["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAclEntry", "ec2:DescribeNetworkAcls"])
        .example(
            "resource \"aws_network_acl_rule\" \"database\" {\n  network_acl_id = aws_network_acl.private.id\n  rule_number    = 200\n  \
             rule_action    = \"allow\"\n  protocol       = \"tcp\"\n  cidr_block     = \"10.1.0.0/16\"\n  from_port      = 5432\n  to_port        \
             = 5432\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsNetworkAclRule {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut planned = unsaid::keep(&SCHEMA, request, request.proposed.clone());
        // A protocol by its name and by its number is the same one.
        let (prior, said) = (values::text(request.prior, "protocol"), values::text(&planned, "protocol"));
        if let (Some(prior), Some(said)) = (prior, said)
            && acl::number_of(&prior) == acl::number_of(&said)
        {
            planned = planned.with_attr("protocol", prior.into());
        }
        PlanResponse { planned: Some(planned), ..PlanResponse::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let told = |detail| Diagnostic::error("Invalid entry", detail).attribute(AttrPath::attr("rule_number"));
        Diagnostics(acl::mistake(config, "rule_number", "rule_action").map(told).into_iter().collect())
    }

    fn shown_in(&self) -> &'static [(&'static str, &'static str)] {
        &[("aws_network_acl", "network_acl_id")]
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        claims::one(claims::ACL_ENTRIES, request, "network_acl_id")
    }

    /// A listing of the ACLs tells all of their entries.
    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let acls = requests.iter().filter_map(|r| values::text(&r.prior, "network_acl_id"));
        let fetch = |ids: Vec<String>| describe::network_acls(client, vec![filter("network-acl-id", ids)]);
        let found = bulk::read(acls, FILTER_VALUES, fetch, |it: &NetworkAcl| it.network_acl_id.clone()).await;
        let read = |r: &ReadRequest| {
            let acl = found.get(values::str_opt(&r.prior, "network_acl_id").unwrap_or_default())?;
            let entry = acl.and_then(|it| acl::of_acl(it).remove(&key_of(&r.prior)));
            Ok(entry.map(|entry| object(&entry, &r.prior)))
        };
        requests.iter().map(|r| bulk::outcome(r, read(r))).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    /// Every argument replaces it.
    async fn update(&self, _client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        Applied::done(ObjectBuilder::carrying(&SCHEMA, request.planned).build())
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let acl = values::string(request.prior, "network_acl_id");
        let gone = acl::remove(AwsClient::of(client), &acl, key_of(request.prior)).await;
        applied(gone.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let wrong = || {
            Diagnostic::error(
                "Invalid import id",
                format!(
                    "{:?} does not name an entry. Give ACL:NUMBER:PROTOCOL:EGRESS: acl-1234:100:tcp:false.",
                    request.id
                ),
            )
        };
        let parts: Vec<&str> = request.id.split(':').collect();
        let [acl, number, protocol, egress] = parts[..] else { return Err(wrong()) };
        let (Ok(number), Ok(egress)) = (number.parse::<i64>(), egress.parse::<bool>()) else { return Err(wrong()) };
        Ok(Value::object([
            ("id", Value::from(request.id)),
            ("network_acl_id", acl.into()),
            ("rule_number", Value::int(number)),
            ("protocol", protocol.into()),
            ("egress", egress.into()),
        ]))
    }

    /// An ACL has one entry of a number and side; the one that does what was asked for is as good as the one that was made.
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let planned = &intent.attributes;
        let Some(wanted) = entry_of(planned) else { return Ok(Found::Nothing) };
        let id = values::string(planned, "network_acl_id");
        let Some(found) = look(AwsClient::of(client), &id, planned).await? else { return Ok(Found::Nothing) };
        let what = format!("The entry {} of {id}", wanted.number);
        Ok(by_content(intent, &what, found.is(&wanted), object(&found, planned)))
    }
}

fn key_of(object: &Value) -> acl::Key {
    (values::flag(object, "egress"), values::i32_opt(object, "rule_number").unwrap_or_default())
}

fn entry_of(object: &Value) -> Option<Entry> {
    Entry::of(object, values::flag(object, "egress"), "rule_number", "rule_action")
}

/// The object out of what EC2 answered. Ports and ICMP types of a protocol that has none mean nothing, whatever is said.
fn object(entry: &Entry, prior: &Value) -> Value {
    let acl = values::string(prior, "network_acl_id");
    let said = values::text(prior, "protocol").filter(|it| acl::number_of(it) == entry.protocol);
    let protocol = said.unwrap_or_else(|| entry.protocol.clone());
    let is_ipv6 = entry.block.contains(':');
    let (v4, v6) = if is_ipv6 { (None, Some(entry.block.as_str())) } else { (Some(entry.block.as_str()), None) };
    let pair = |told: Option<(i32, i32)>, names: [&str; 2]| match told {
        Some((a, b)) => [a, b].map(|n| Value::int(n.into())),
        None => names.map(|name| values::opt_int(values::i32_opt(prior, name))),
    };
    let [from, to] = pair(entry.ports, ["from_port", "to_port"]);
    let [kind, code] = pair(entry.icmp, ["icmp_type", "icmp_code"]);
    let action = if entry.allows { "allow" } else { "deny" };
    let (egress, number) = (entry.egress, entry.number);
    ObjectBuilder::carrying(&SCHEMA, prior)
        .set("cidr_block", values::opt_str(addresses::spelled(v4, values::str_opt(prior, "cidr_block"))))
        .set("egress", egress)
        .set("from_port", from)
        .set("icmp_code", code)
        .set("icmp_type", kind)
        .set("id", format!("nacl-{acl}-{number}-{}-{egress}", entry.protocol))
        .set("ipv6_cidr_block", values::opt_str(addresses::spelled(v6, values::str_opt(prior, "ipv6_cidr_block"))))
        .set("network_acl_id", acl)
        .set("protocol", protocol)
        .set(
            "rule_action",
            values::text(prior, "rule_action")
                .filter(|it| it.eq_ignore_ascii_case(action))
                .unwrap_or(action.to_owned()),
        )
        .set("rule_number", Value::int(number.into()))
        .set("to_port", to)
        .build()
}

async fn look(client: &AwsClient, acl: &str, object: &Value) -> Result<Option<Entry>, ApiError> {
    Ok(acl::acl(client, acl).await?.and_then(|it| acl::of_acl(&it).remove(&key_of(object))))
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let unsaid = || Diagnostic::error("Invalid entry", "An entry needs an action, a protocol and addresses.");
    let entry = entry_of(planned).ok_or_else(unsaid)?;
    let id = values::string(planned, "network_acl_id");
    match object::with_new(cx, || acl::add(client, &id, &entry)).await {
        // An attempt before the one that was refused may have made it.
        Err(error) if error.is(&["NetworkAclEntryAlreadyExists"]) => {
            let exists = look(client, &id, planned).await?;
            if !exists.is_some_and(|it| it.is(&entry)) {
                return Err(taken(&id, &entry).into());
            }
        }
        other => other?,
    }
    let what = format!("entry {} of {id} to be visible", entry.number);
    let shown = wait::until(cx, &what, Pace::QUICK, async || {
        let found = look(client, &id, planned).await?.filter(|it| it.is(&entry));
        Ok(found.map_or_else(|| Poll::Pending("not visible yet".to_owned()), |it| Poll::Ready(object(&it, planned))))
    });
    shown.await.leaving(&object(&entry, planned))
}

fn taken(acl: &str, entry: &Entry) -> Diagnostic {
    let (number, side) = (entry.number, if entry.egress { "egress" } else { "ingress" });
    Diagnostic::error(
        "Entry already exists",
        format!(
            "{acl} has an {side} entry with the number {number} already, which does something else. Choose another number, or import it: \
             `sgp import ADDRESS {acl}:{number}:PROTOCOL:{}`.",
            entry.egress
        ),
    )
    .attribute(AttrPath::attr("rule_number"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_import_id_names_acl_number_protocol_and_side() {
        let import = |id| AwsNetworkAclRule.import(&ImportRequest { id, config: &Value::dynamic_null() });
        let object = import("acl-7aaabd18:100:tcp:true").unwrap();
        assert_eq!(key_of(&object), (true, 100));
        assert!(import("acl-1:100:tcp").is_err() && import("acl-1:x:tcp:true").is_err());
    }

    #[test]
    fn a_protocol_by_name_and_by_number_is_no_change() {
        let of = |protocol: &str| SCHEMA.block.empty().with_attr("protocol", protocol.into());
        let (prior, proposed, none) = (of("6"), of("tcp"), Value::object::<&str>([]));
        let request = PlanRequest { prior: &prior, config: &proposed, proposed: &proposed, provider_config: &none };
        assert_eq!(AwsNetworkAclRule.plan(&request).planned, Some(prior.clone()));
    }

    #[test]
    fn an_object_is_wholly_known() {
        let prior = [("network_acl_id", Value::from("acl-1")), ("protocol", "-1".into()), ("from_port", Value::int(0))];
        let prior = prior.iter().fold(SCHEMA.block.empty(), |object, (k, v)| object.with_attr(k, v.clone()));
        let entry = Entry {
            egress: true,
            number: 100,
            protocol: "-1".into(),
            allows: true,
            block: "::/0".into(),
            ports: None,
            icmp: None,
        };
        let object = object(&entry, &prior);
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!((values::i64_opt(&object, "from_port"), values::i64_opt(&object, "to_port")), (Some(0), None));
    }
}
