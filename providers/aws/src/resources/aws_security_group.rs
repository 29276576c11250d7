//! `aws_security_group`.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType as Ec2Type, SecurityGroup};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    attempts::Attempts,
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{
        self, filter,
        inline_change::{Side, both, change_rules, revoke_all},
        inline_rules::{self, Atoms, Source},
        usage,
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// A security group of a VPC, with or without rules of its own.
#[derive(Debug)]
pub struct AwsSecurityGroup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_security_group", "A security group of a VPC.")
        .version(1)
        .attr("name", Attribute::string().optional_computed().force_new().doc("The name, unique in the VPC; made up when absent."))
        .attr(
            "name_prefix",
            Attribute::string().optional_computed().force_new().doc("The beginning of a name that is made up; excludes `name`."),
        )
        .attr(
            "description",
            Attribute::string().default("Managed by Terraform").force_new().doc("What the group is for; EC2 cannot change it later."),
        )
        .attr("vpc_id", Attribute::string().optional_computed().force_new().doc("The VPC; the default VPC when absent."))
        .attr(
            "revoke_rules_on_delete",
            Attribute::bool()
                .default(false)
                .doc("Whether all rules are revoked before the group is deleted; needed when two groups refer to each other."),
        )
        .attr("id", Attribute::string().computed().doc("The group's id: `sg-...`."))
        .attr("arn", Attribute::string().computed().doc("The group's ARN."))
        .attr("owner_id", Attribute::string().computed().doc("The account that owns the group."))
        .block(
            "ingress",
            inline_rules::nested("Rules for what may come in. Do not mix with `aws_vpc_security_group_ingress_rule` for the same group."),
        )
        .block(
            "egress",
            inline_rules::nested(
                "Rules for what may go out; the rule that allows everything, which EC2 gives a new group, is taken away. Do not mix \
                 with `aws_vpc_security_group_egress_rule` for the same group.",
            ),
        );
    tags::attributes(schema)
        .unsupported(&["region"])
        .timeouts(&[("create", 600), ("delete", 900)])
        .iam_actions(&[
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ec2:CreateTags",
            "ec2:DeleteSecurityGroup",
            "ec2:DeleteTags",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroupRules",
            "ec2:DescribeSecurityGroups",
            "ec2:ModifySecurityGroupRules",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
        ])
        .example(
            "resource \"aws_security_group\" \"backend\" {\n  name        = \"backend\"\n  description = \"Pods of the backend\"\n  \
             vpc_id      = \"vpc-0123456789abcdef0\"\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsSecurityGroup {
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
        validate(config)
    }

    fn prepare(&self, planned: Value, token: &str) -> Value {
        naming::prepare(planned, token, "terraform-")
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let ids = requests.iter().filter_map(|r| values::text(&r.prior, "id"));
        let fetch = |ids: Vec<String>| async move { ec2::security_groups_by_id(client, &ids).await };
        let found = bulk::read(ids, FILTER_VALUES, fetch, |g| g.group_id.clone()).await;
        let read = |r: &ReadRequest| {
            let group = found.get(values::str_opt(&r.prior, "id").unwrap_or_default())?;
            Ok(group.map(|group| object(client, group, &r.prior)))
        };
        requests.iter().map(|r| bulk::outcome(r, read(r))).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(update(AwsClient::of(client), request.prior, request.planned).await.leaving(request.prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        applied(delete(AwsClient::of(client), cx, request.prior).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("security group", "sg-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        find(AwsClient::of(client), &intent.attributes).await
    }

    async fn settle(&self, client: &dyn Client, _cx: &Context, planned: &Value, object: Value) -> Applied {
        applied(finish_rules(AwsClient::of(client), planned, &object).await.leaving(&object).map(Some))
    }
}

/// EC2's rules for names and descriptions (`CreateSecurityGroup`).
fn validate(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut wrong = |argument: &'static str, detail: String| {
        found.push(Diagnostic::error(format!("Invalid {argument}"), detail).attribute(AttrPath::attr(argument)));
    };
    if values::is_set(config, "name") && values::is_set(config, "name_prefix") {
        wrong("name_prefix", "`name` and `name_prefix` exclude each other: give one of them.".to_owned());
    }
    if let Some(name) = values::str_opt(config, "name") {
        if name.starts_with("sg-") {
            wrong("name", format!("{name:?} begins with \"sg-\", which EC2 keeps for ids. Choose another name."));
        }
        if name.is_empty() || name.chars().count() > 255 {
            wrong("name", "A name has 1 to 255 characters.".to_owned());
        }
    }
    for side in Side::BOTH {
        for problem in inline_rules::problems(&values::blocks(config, side.name())) {
            wrong(side.name(), problem);
        }
    }
    if let Some(text) = values::str_opt(config, "description") {
        if text.is_empty() {
            wrong("description", "A description has 1 to 255 characters.".to_owned());
        } else if let Some(problem) = ec2::problem_of_description(text) {
            wrong("description", problem);
        }
    }
    found
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, group: &SecurityGroup, prior: &Value) -> Value {
    let id = group.group_id().unwrap_or_default();
    let owner = group.owner_id().unwrap_or_default();
    let rules = |permissions, name| {
        let exist = inline_rules::of_permissions(permissions, owner);
        inline_rules::to_blocks(&exist, &values::blocks(prior, name), id)
    };
    let arn = match group.security_group_arn() {
        Some(arn) => arn.to_owned(),
        None => format!("arn:{}:ec2:{}:{owner}:security-group/{id}", client.partition().id, client.region),
    };
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("id", id)
        .set("arn", arn)
        .set("owner_id", values::non_empty(group.owner_id()))
        .set("name", values::opt_str(group.group_name()))
        .set("description", values::opt_str(group.description()))
        .set("vpc_id", values::opt_str(group.vpc_id()))
        .set("revoke_rules_on_delete", values::flag(prior, "revoke_rules_on_delete"))
        .set("ingress", rules(group.ip_permissions(), "ingress"))
        .set("egress", rules(group.ip_permissions_egress(), "egress"));
    let object = naming::with_prefix(object, "name_prefix", prior, group.group_name());
    tags::fill(object, client, prior, &tags::from_ec2(group.tags())).build()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let id = create_group(client, planned).await?;
    let mut object = ObjectBuilder::carrying(&SCHEMA, planned).set("id", id.as_str()).build();
    cx.checkpoint(&object).await.map_err(|e| Diagnostic::error("State not written", e.to_string())).leaving(&object)?;
    let group = visible(client, cx, &id).await.leaving(&object)?;
    object = self::object(client, &group, planned);
    let exist =
        both(|side| inline_rules::of_permissions(side.permissions(&group), group.owner_id().unwrap_or_default()));
    let wanted = both(|side| side.wanted(planned, &id).unwrap_or_default());
    let settled = async || change_rules(client, &id, &exist, &wanted).await;
    wait::settle(cx, CONSISTENCY, |e| e.is(&["InvalidGroup.NotFound"]), settled).await.leaving(&object)?;
    for side in Side::BOTH {
        let blocks = inline_rules::to_blocks(&wanted[side as usize], &values::blocks(planned, side.name()), &id);
        object = object.with_attr(side.name(), blocks);
    }
    Ok(object)
}

/// Creates the group and answers its id. The group that a repeated call finds in its own way is ours.
async fn create_group(client: &AwsClient, planned: &Value) -> Result<String, Failure> {
    let attempts = Attempts::default();
    let answer = client
        .ec2
        .create_security_group()
        .group_name(values::string(planned, "name"))
        .description(values::string(planned, "description"))
        .set_vpc_id(values::text(planned, "vpc_id"))
        .set_tag_specifications(
            tags::ec2_specification(Ec2Type::SecurityGroup, &tags::wanted(client, planned)).map(|s| vec![s]),
        )
        .customize()
        .interceptor(attempts.clone())
        .send()
        .await
        .call("ec2:CreateSecurityGroup");
    match answer {
        Ok(answer) => Ok(answer.group_id.unwrap_or_default()),
        Err(error) if error.is(&["InvalidGroup.Duplicate"]) => {
            let same = named(client, planned).await?;
            match same.iter().find(|g| attempts.repeated() && is_as_planned(client, g, planned)) {
                Some(group) => Ok(group.group_id().unwrap_or_default().to_owned()),
                None => Err(duplicate(planned, same.first()).into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn duplicate(planned: &Value, group: Option<&SecurityGroup>) -> Diagnostic {
    let name = values::string(planned, "name");
    let (id, vpc) =
        group.map_or(("sg-...", "the VPC"), |g| (g.group_id().unwrap_or("sg-..."), g.vpc_id().unwrap_or("the VPC")));
    Diagnostic::error(
        "Security group already exists",
        format!(
            "{vpc} has a security group named {name:?} already ({id}), and names are unique in a VPC. Import it (`sgp import ADDRESS \
             {id}`), choose another name, or use `name_prefix`. With create_before_destroy, `name_prefix` is needed."
        ),
    )
    .attribute(AttrPath::attr("name"))
}

/// The new group as soon as EC2 shows it.
async fn visible(client: &AwsClient, cx: &Context, id: &str) -> Result<SecurityGroup, Diagnostic> {
    wait::until(cx, &format!("security group {id} to be visible"), Pace::QUICK, async || {
        let groups = ec2::security_groups_by_id(client, &[id.to_owned()]).await?;
        Ok(groups.into_iter().next().map_or_else(|| Poll::Pending("not visible yet".to_owned()), Poll::Ready))
    })
    .await
}

/// Groups of the planned name, in the planned VPC when it is known.
async fn named(client: &AwsClient, planned: &Value) -> Result<Vec<SecurityGroup>, ApiError> {
    let mut filters = vec![filter("group-name", [values::string(planned, "name")])];
    filters.extend(values::text(planned, "vpc_id").map(|vpc| filter("vpc-id", [vpc])));
    ec2::security_groups(client, filters).await
}

/// Whether a group has the description and the tags that were asked for; names are compared by EC2.
fn is_as_planned(client: &AwsClient, group: &SecurityGroup, planned: &Value) -> bool {
    let shown = tags::from_ec2(group.tags()).into_iter().filter(|(k, _)| client.ignore_tags.shows(k));
    group.description() == values::str_opt(planned, "description")
        && shown.collect::<tags::Tags>() == tags::wanted(client, planned)
}

async fn find(client: &AwsClient, planned: &Value) -> Result<Found, Diagnostic> {
    let groups = named(client, planned).await?;
    let Some(group) = groups.first() else { return Ok(Found::Nothing) };
    let id = group.group_id().unwrap_or_default();
    if groups.len() > 1 || !is_as_planned(client, group, planned) {
        let detail = format!(
            "A security group named {:?} exists ({id}), but its description or tags are not those of the group that was being \
             created. If it is this one, import it; otherwise rename one of them.",
            values::string(planned, "name")
        );
        return Ok(Found::Doubtful(Diagnostic::error("Is this the security group that was being created?", detail)));
    }
    Ok(Found::Ours(ObjectBuilder::carrying(&SCHEMA, planned).set("id", id).build()))
}

/// The creation may have died before the rule that EC2 adds was taken away, or between the rules of its own. Rules that it
/// cannot have made are somebody's, and then all are left as they are.
async fn finish_rules(client: &AwsClient, planned: &Value, object: &Value) -> Result<Value, ApiError> {
    let id = values::string(object, "id");
    let look = async || ec2::security_groups_by_id(client, std::slice::from_ref(&id)).await;
    let Some(group) = look().await?.into_iter().next() else { return Ok(object.clone()) };
    let exist =
        both(|side| inline_rules::of_permissions(side.permissions(&group), group.owner_id().unwrap_or_default()));
    let wanted = both(|side| side.wanted(planned, &id).unwrap_or_default());
    let given = [Atoms::new(), default_egress(&exist[1])];
    let is_made_here = (0..2).all(|i| exist[i].keys().all(|k| wanted[i].contains_key(k) || given[i].contains_key(k)));
    if !is_made_here || exist == wanted {
        return Ok(object.clone());
    }
    change_rules(client, &id, &exist, &wanted).await?;
    Ok(look().await?.first().map_or_else(|| object.clone(), |group| self::object(client, group, object)))
}

/// Those of the rules that EC2 gives every new group: all protocols to everywhere.
fn default_egress(exist: &Atoms) -> Atoms {
    let everywhere = |source: &Source| {
        matches!(source, Source::Ipv4(c) if c == "0.0.0.0/0") || matches!(source, Source::Ipv6(c) if c == "::/0")
    };
    exist
        .iter()
        .filter(|(k, _)| k.ports.is_none() && everywhere(&k.source))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

async fn update(client: &AwsClient, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(planned, "id");
    let exist = both(|side| side.wanted(prior, &id).unwrap_or_default());
    let wanted = both(|side| side.wanted(planned, &id).unwrap_or_else(|| exist[side as usize].clone()));
    change_rules(client, &id, &exist, &wanted).await?;
    tags::update_ec2(client, &id, prior, planned).await?;
    let all = tags::wanted(client, planned);
    Ok(tags::fill(ObjectBuilder::carrying(&SCHEMA, planned), client, planned, &all).build())
}

async fn delete(client: &AwsClient, cx: &Context, prior: &Value) -> Result<(), Failure> {
    let id = values::string(prior, "id");
    if values::flag(prior, "revoke_rules_on_delete") {
        revoke_all(client, &id).await?;
    }
    let what = format!("security group {id} to be free for deletion");
    let pace = Pace { first: Duration::from_secs(2), longest: Duration::from_secs(10) };
    wait::until(cx, &what, pace, async || {
        match client.ec2.delete_security_group().group_id(&id).send().await.call("ec2:DeleteSecurityGroup") {
            Ok(_) => Ok(Poll::Ready(())),
            Err(error) if error.is(&["InvalidGroup.NotFound", "InvalidGroupId.NotFound"]) => Ok(Poll::Ready(())),
            Err(error) if error.is(&["DependencyViolation", "InvalidGroup.InUse"]) => {
                // That it cannot be told who holds it does not end the wait.
                Ok(Poll::Pending(usage::holders(client, &id).await.unwrap_or_else(|_| error.to_string())))
            }
            Err(error) => Err(error),
        }
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_ec2::types::Tag;
    use sgp_model::Type;

    use super::*;
    use crate::{client::tests::offline, ec2::inline_rules::AtomKey};

    fn config(fields: &[(&str, Value)]) -> Value {
        fields.iter().fold(SCHEMA.block.empty(), |object, (name, value)| object.with_attr(name, value.clone()))
    }

    #[test]
    fn names_and_descriptions_follow_ec2() {
        for (fields, wrong) in [
            (vec![("name", Value::from("web"))], vec![]),
            (vec![("name", "sg-web".into())], vec!["Invalid name"]),
            (vec![("name", "web".into()), ("name_prefix", "w".into())], vec!["Invalid name_prefix"]),
            (vec![("description", "for <all>".into())], vec!["Invalid description"]),
            (vec![("description", "".into())], vec!["Invalid description"]),
            (vec![("description", Value::unknown(Type::String)), ("name", Value::unknown(Type::String))], vec![]),
        ] {
            let said: Vec<_> = validate(&config(&fields)).into_iter().map(|d| d.summary).collect();
            assert_eq!(said, wrong, "{fields:?}");
        }
    }

    #[tokio::test]
    async fn a_group_is_ours_by_description_and_tags() {
        let client = offline(&[]).await;
        let planned = config(&[("description", "d".into()), ("tags", values::string_map([("a", "1")]))]);
        let group = |description: &str, value: &str| {
            SecurityGroup::builder().description(description).tags(Tag::builder().key("a").value(value).build()).build()
        };
        assert!(is_as_planned(&client, &group("d", "1"), &planned));
        assert!(!is_as_planned(&client, &group("other", "1"), &planned));
        assert!(!is_as_planned(&client, &group("d", "2"), &planned));
    }

    #[test]
    fn the_default_rule_is_known_by_its_target() {
        let rule = |protocol: &str, ports, cidr: &str| {
            (AtomKey { protocol: protocol.into(), ports, source: Source::Ipv4(cidr.into()) }, String::new())
        };
        let exist: Atoms =
            [rule("-1", None, "0.0.0.0/0"), rule("tcp", Some((0, 1)), "0.0.0.0/0"), rule("-1", None, "10.0.0.0/8")]
                .into();
        assert_eq!(default_egress(&exist), [rule("-1", None, "0.0.0.0/0")].into());
    }
}
