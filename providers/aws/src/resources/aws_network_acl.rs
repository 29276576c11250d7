//! `aws_network_acl`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_ec2::types::{NetworkAcl, ResourceType as Ec2Type};
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, NestedBlock, Schema, Value, state::Intent};

use crate::{
    client::AwsClient,
    ec2::{
        acl::{self, Entries, SIDES},
        claims, creation, describe, filter, object,
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder, any_changed},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsNetworkAcl;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let entries = |doc| NestedBlock::set(acl::block()).computed().doc(doc);
    let schema = Schema::new(
        "aws_network_acl",
        "Entries that judge each packet into and out of subnets, answers too. Without entries nothing passes.",
    )
    .attr("arn", Attribute::string().computed().doc("The ACL's ARN."))
    .attr("id", Attribute::string().computed().doc("The ACL's id: `acl-...`."))
    .attr("owner_id", Attribute::string().computed().doc("The account that owns the ACL."))
    .attr(
        "subnet_ids",
        Attribute::string_set()
            .optional_computed()
            .doc("The subnets; one that is left out gets the VPC's default ACL."),
    )
    .attr("vpc_id", Attribute::string().required().force_new().doc("The VPC."))
    .block("egress", entries("Entries for what goes out. Do not mix with `aws_network_acl_rule` for the same ACL."))
    .block("ingress", entries("Entries for what comes in. Do not mix with `aws_network_acl_rule` for the same ACL."));
    tags::attributes(schema)
        .unsupported(&["region"])
        .iam_actions(&[
            "ec2:CreateNetworkAcl",
            "ec2:CreateNetworkAclEntry",
            "ec2:CreateTags",
            "ec2:DeleteNetworkAcl",
            "ec2:DeleteNetworkAclEntry",
            "ec2:DeleteTags",
            "ec2:DescribeNetworkAcls",
            "ec2:ReplaceNetworkAclAssociation",
            "ec2:ReplaceNetworkAclEntry",
        ])
        .example(
            "resource \"aws_network_acl\" \"private\" {\n  vpc_id     = aws_vpc.main.id\n  subnet_ids = [aws_subnet.private.id]\n\n  ingress {\n    \
             rule_no    = 100\n    action     = \"allow\"\n    protocol   = \"-1\"\n    cidr_block = \"10.0.0.0/16\"\n    from_port  = 0\n    \
             to_port    = 0\n  }\n\n  egress {\n    rule_no    = 100\n    action     = \"allow\"\n    protocol   = \"-1\"\n    cidr_block = \
             \"0.0.0.0/0\"\n    from_port  = 0\n    to_port    = 0\n  }\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsNetworkAcl {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        response.planned = response.planned.map(|planned| acl::keep_spelling(request.prior, planned));
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        for (side, _) in SIDES {
            let blocks = values::blocks(config, side);
            let mut wrong = |detail: String| {
                found.push(Diagnostic::error("Invalid entry", detail).attribute(AttrPath::attr(side)));
            };
            blocks.iter().filter_map(|it| acl::mistake(it, "rule_no", "action")).for_each(&mut wrong);
            let mut numbers: Vec<i64> = blocks.iter().filter_map(|it| values::i64_opt(it, "rule_no")).collect();
            numbers.sort_unstable();
            let twice = numbers.iter().zip(numbers.iter().skip(1)).find(|(one, next)| one == next);
            if let Some((number, _)) = twice {
                wrong(format!("Two `{side}` entries have the number {number}: each needs its own."));
            }
        }
        found
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        claims::whole(claims::ACL_ENTRIES, request, "id", &["egress", "ingress"])
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let fetch = |filters| describe::network_acls(client, filters);
        let id_of = |it: &NetworkAcl| it.network_acl_id.clone();
        object::read(requests, "network-acl-id", fetch, id_of, |it, prior| Some(object(client, it, prior))).await
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
        naming::check_id("network ACL", "acl-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let made = vec![creation::made_by(&intent.token)];
        let found = describe::network_acls(AwsClient::of(client), made).await?;
        let ids: Vec<String> = found.into_iter().filter_map(|it| it.network_acl_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, found: &NetworkAcl, prior: &Value) -> Value {
    let id = found.network_acl_id().unwrap_or_default();
    let entries = acl::of_acl(found);
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", object::arn(client, found.owner_id(), "network-acl", id))
        .set("id", id)
        .set("owner_id", values::opt_str(found.owner_id()))
        .set("subnet_ids", values::string_set(found.associations().iter().filter_map(|it| it.subnet_id())))
        .set("vpc_id", values::opt_str(found.vpc_id()));
    let object =
        SIDES.into_iter().fold(object, |object, side| object.set(side.0, acl::to_blocks(&entries, prior, side)));
    tags::fill(object, client, prior, &tags::from_ec2(found.tags())).build()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let call = || async {
        let tags = creation::specification(client, Ec2Type::NetworkAcl, planned, &cx.token);
        let call = client.ec2.create_network_acl().vpc_id(values::string(planned, "vpc_id"));
        call.client_token(&cx.token).tag_specifications(tags).send().await.call("ec2:CreateNetworkAcl")
    };
    let unseen = |e: &ApiError| e.is(&["InvalidVpcID.NotFound"]);
    let made = wait::settle(cx, CONSISTENCY, unseen, call).await?.network_acl;
    let id = made.and_then(|it| it.network_acl_id).ok_or_else(|| creation::unnamed("ec2:CreateNetworkAcl"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Brings an ACL that exists to what is planned: its entries before its subnets, which would be cut off otherwise.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let look = || describe::network_acls(client, vec![filter("network-acl-id", [id])]);
    let found = object::visible(cx, &format!("network ACL {id}"), look).await?;
    let exist = acl::of_acl(&found);
    acl::change(client, id, &exist, &wanted(planned, &exist)).await?;
    give(client, cx, id, &values::strs(planned, "subnet_ids")).await?;
    creation::unmark(client, id).await?;
    told(client, cx, planned, id).await
}

/// The entries that are planned; those of a side that is not the configuration's stay.
fn wanted(planned: &Value, exist: &Entries) -> Entries {
    let of_side = |side: (&str, bool)| {
        let stay = || exist.iter().filter(|(key, _)| key.0 == side.1).map(|(k, v)| (*k, v.clone())).collect();
        acl::of_side(planned, side).unwrap_or_else(stay)
    };
    SIDES.into_iter().flat_map(of_side).collect()
}

/// Gives the ACL to subnets, which always have one.
async fn give(client: &AwsClient, cx: &Context, id: &str, subnets: &[String]) -> Result<(), ApiError> {
    for subnet in subnets {
        // Each time anew: a replaced association has another id.
        let call = || async {
            let found =
                describe::network_acls(client, vec![filter("association.subnet-id", [subnet.as_str()])]).await?;
            let mut all = found.iter().flat_map(NetworkAcl::associations);
            let Some(has) = all.find(|it| it.subnet_id() == Some(subnet)) else { return Ok(()) };
            if has.network_acl_id() == Some(id) {
                return Ok(());
            }
            let association = has.network_acl_association_id().unwrap_or_default();
            let call = client.ec2.replace_network_acl_association().association_id(association).network_acl_id(id);
            call.send().await.call("ec2:ReplaceNetworkAclAssociation").map(|_| ())
        };
        object::with_new(cx, call).await?;
    }
    Ok(())
}

/// Gives subnets back to the default ACL of the VPC.
async fn give_back(client: &AwsClient, cx: &Context, vpc: &str, subnets: &[String]) -> Result<(), ApiError> {
    if subnets.is_empty() {
        return Ok(());
    }
    let filters = vec![filter("vpc-id", [vpc]), filter("default", ["true"])];
    let default = describe::network_acls(client, filters).await?.into_iter().next();
    match default.and_then(|it| it.network_acl_id) {
        Some(id) => give(client, cx, &id, subnets).await,
        None => Ok(()),
    }
}

/// The object as soon as EC2 shows what is planned.
async fn told(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let what = format!("the entries and subnets of {id} to be visible");
    let shown = wait::until(cx, &what, Pace::QUICK, async || {
        let Some(found) = acl::acl(client, id).await? else { return Ok(Poll::Pending("not visible yet".to_owned())) };
        let object = object(client, &found, planned);
        let is_as_said = |name: &str| !values::is_set(planned, name) || !values::changed(&object, planned, name);
        Ok(match ["egress", "ingress", "subnet_ids"].into_iter().find(|name| !is_as_said(name)) {
            Some(name) => Poll::Pending(format!("{name} is not visible yet")),
            None => Poll::Ready(object),
        })
    });
    Ok(shown.await?)
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    if any_changed(prior, planned, &["egress", "ingress"]) {
        let exist: Entries = SIDES.into_iter().filter_map(|side| acl::of_side(prior, side)).flatten().collect();
        acl::change(client, &id, &exist, &wanted(planned, &exist)).await?;
    }
    let (had, has) = (values::strs(prior, "subnet_ids"), values::strs(planned, "subnet_ids"));
    let left: Vec<String> = had.into_iter().filter(|it| !has.contains(it)).collect();
    give_back(client, cx, &values::string(prior, "vpc_id"), &left).await?;
    give(client, cx, &id, &has).await?;
    tags::update_ec2(client, &id, prior, planned).await?;
    told(client, cx, planned, &id).await
}

/// Its subnets get the default ACL of the VPC: an ACL with subnets cannot be deleted.
async fn delete(client: &AwsClient, cx: &Context, id: &str) -> Result<(), Failure> {
    let Some(found) = acl::acl(client, id).await? else { return Ok(()) };
    let subnets: Vec<String> = found.associations().iter().filter_map(|it| it.subnet_id.clone()).collect();
    give_back(client, cx, found.vpc_id().unwrap_or_default(), &subnets).await?;
    let call =
        || async { client.ec2.delete_network_acl().network_acl_id(id).send().await.call("ec2:DeleteNetworkAcl") };
    object::delete(cx, &format!("network ACL {id}"), call, object::nobody).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_used_once() {
        let entry = |port: i64| {
            let base = acl::block().empty().with_attr("rule_no", Value::int(100)).with_attr("action", "allow".into());
            base.with_attr("protocol", "tcp".into())
                .with_attr("cidr_block", "10.0.0.0/8".into())
                .with_attr("from_port", Value::int(port))
                .with_attr("to_port", Value::int(port))
        };
        let config = |entries: &[Value]| {
            SCHEMA.block.empty().with_attr("ingress", Value::set(acl::block().ty(), entries.iter().cloned()))
        };
        assert!(AwsNetworkAcl.validate(&config(&[entry(80)])).0.is_empty());
        let said = AwsNetworkAcl.validate(&config(&[entry(80), entry(443)]));
        assert_eq!(said.0[0].detail, "Two `ingress` entries have the number 100: each needs its own.");
    }

    #[tokio::test]
    async fn a_described_acl_is_wholly_known() {
        let client = crate::client::tests::offline(&[]).await;
        let found = NetworkAcl::builder().network_acl_id("acl-1").vpc_id("vpc-1").owner_id("1").build();
        let object = object(&client, &found, &SCHEMA.block.empty());
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
    }
}
