//! One security group rule as an object: what ingress and egress rules have in common.

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType as Ec2Type, SecurityGroupRule as Ec2Rule, SecurityGroupRuleUpdate};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    attempts::Attempts,
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{filter, protocol, rule_arguments as arguments, security_group_rules},
    errors::{ApiError, Call, Failure, Leaving, applied},
    naming, tags,
    values::{self, ObjectBuilder},
    wait,
};

/// A direction of traffic as a resource type.
#[derive(Debug)]
pub struct RuleType {
    /// Whether the rules are for what goes out.
    pub egress: bool,
    /// The type's schema.
    pub schema: fn() -> &'static Schema,
}

/// A group that a rule names may take this long to be visible.
const GROUP_VISIBLE: std::time::Duration = std::time::Duration::from_secs(30);

/// The attributes of both types.
pub fn attributes(schema: Schema) -> Schema {
    let schema = schema
        .attr("security_group_id", Attribute::string().required().force_new().doc("The group that gets the rule."))
        .attr(
            "ip_protocol",
            Attribute::string()
                .required()
                .doc("`tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all protocols and ports."),
        )
        .attr(
            "from_port",
            Attribute::number().optional().doc("The first port, or the ICMP type (-1: all); not with protocol -1."),
        )
        .attr(
            "to_port",
            Attribute::number().optional().doc("The last port, or the ICMP code (-1: all); not with protocol -1."),
        )
        .attr("cidr_ipv4", Attribute::string().optional().doc("The other side: an IPv4 range, `10.0.0.0/16`."))
        .attr("cidr_ipv6", Attribute::string().optional().doc("The other side: an IPv6 range."))
        .attr("prefix_list_id", Attribute::string().optional().doc("The other side: a prefix list."))
        .attr(
            "referenced_security_group_id",
            Attribute::string()
                .optional()
                .doc("The other side: interfaces with this group (`account/id` for a peer's)."),
        )
        .attr("description", Attribute::string().optional().doc("What the rule is for."))
        .attr("id", Attribute::string().computed().doc("The rule's id: `sgr-...`."))
        .attr("security_group_rule_id", Attribute::string().computed().doc("The rule's id: `sgr-...`."))
        .attr("arn", Attribute::string().computed().doc("The rule's ARN."));
    tags::attributes(schema).unsupported(&["region"])
}

#[async_trait]
impl ResourceType for RuleType {
    fn schema(&self) -> &'static Schema {
        (self.schema)()
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let planned = tags::plan(self.schema(), request).planned.unwrap_or_else(|| request.proposed.clone());
        let planned = arguments::keep_spelling(request.prior, planned);
        let mut requires_replace = Vec::new();
        if !request.prior.is_null() {
            requires_replace = arguments::changed_kind(request.prior, &planned);
            requires_replace.extend(arguments::group_to_come(request.prior, &planned));
        }
        PlanResponse { planned: Some(planned), requires_replace, ..PlanResponse::default() }
    }

    fn shown_in(&self) -> &'static [(&'static str, &'static str)] {
        &[("aws_security_group", "security_group_id")]
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        arguments::validate(config)
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let found = self.read_rules(client, requests).await;
        let mut outcomes = Vec::with_capacity(requests.len());
        for r in requests {
            let rule = found.get(values::str_opt(&r.prior, "id").unwrap_or_default());
            let object = match rule.map(|rule| rule.filter(|rule| rule.is_egress() == Some(self.egress))) {
                Ok(Some(rule)) => self.object(client, rule, &r.prior).await.map(Some),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            outcomes.push(bulk::outcome(r, object));
        }
        outcomes
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(self.create_rule(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(self.update_rule(AwsClient::of(client), prior, planned).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        applied(self.delete_rule(AwsClient::of(client), request.prior).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("security group rule", "sgr-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    /// A rule is unique within its group, so the one that is as it was asked for is the one that was made (or as good).
    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = AwsClient::of(client);
        let planned = &intent.attributes;
        let Some(rule) = self.lookup(client, planned).await? else { return Ok(Found::Nothing) };
        let carried = tags::from_ec2(rule.tags())
            .into_iter()
            .filter(|(k, _)| client.ignore_tags.shows(k))
            .collect::<tags::Tags>();
        let same_text =
            values::text(planned, "description") == rule.description().filter(|d| !d.is_empty()).map(str::to_owned);
        if same_text && carried == tags::wanted(client, planned) {
            return Ok(Found::Ours(self.object(client, &rule, planned).await?));
        }
        let detail = format!(
            "{} has this rule already ({}), with another description or other tags than the rule that was being created. Import it, \
             or remove it.",
            values::string(planned, "security_group_id"),
            rule.security_group_rule_id().unwrap_or_default()
        );
        Ok(Found::Doubtful(Diagnostic::error("Is this the rule that was being created?", detail)))
    }
}

impl RuleType {
    /// By id while they are few; by group when that takes fewer calls. Every page holds up to a thousand rules.
    async fn read_rules(&self, client: &AwsClient, requests: &[ReadRequest]) -> bulk::Found<String, Ec2Rule> {
        let key = |rule: &Ec2Rule| rule.security_group_rule_id.clone();
        let ids: Vec<String> = requests.iter().filter_map(|r| values::text(&r.prior, "id")).collect();
        let within = requests
            .iter()
            .map(|r| Some((values::text(&r.prior, "id")?, values::text(&r.prior, "security_group_id")?)));
        match within.collect::<Option<Vec<_>>>() {
            Some(pairs) if ids.len() > FILTER_VALUES => {
                let fetch = |groups: Vec<String>| security_group_rules(client, vec![filter("group-id", groups)]);
                bulk::read_within(pairs, FILTER_VALUES, fetch, key).await
            }
            _ => {
                let fetch =
                    |ids: Vec<String>| security_group_rules(client, vec![filter("security-group-rule-id", ids)]);
                bulk::read(ids, FILTER_VALUES, fetch, key).await
            }
        }
    }

    /// The object out of what EC2 answered.
    async fn object(&self, client: &AwsClient, rule: &Ec2Rule, prior: &Value) -> Result<Value, ApiError> {
        let id = rule.security_group_rule_id().unwrap_or_default();
        let referenced = rule.referenced_group_info().and_then(|info| {
            let group = info.group_id()?;
            let foreign = info.user_id().filter(|user| rule.group_owner_id().is_some_and(|owner| owner != *user));
            let answered = foreign.map_or_else(|| group.to_owned(), |user| format!("{user}/{group}"));
            // With or without the account, it is the same group.
            let recorded = values::text(prior, "referenced_security_group_id");
            Some(recorded.filter(|r| r.rsplit('/').next() == Some(group)).unwrap_or(answered))
        });
        let said = rule.ip_protocol().unwrap_or_default();
        let ports = if protocol::same(said, protocol::ALL) {
            // EC2 answers -1 here whatever was asked for, and it means nothing.
            [values::i32_opt(prior, "from_port"), values::i32_opt(prior, "to_port")]
        } else {
            [rule.from_port(), rule.to_port()]
        };
        let spelled =
            values::text(prior, "ip_protocol").filter(|p| protocol::same(p, said)).unwrap_or_else(|| said.to_owned());
        let arn = match values::text(prior, "arn") {
            Some(arn) => arn,
            None => arn(client, rule).await?,
        };
        let object = ObjectBuilder::carrying(self.schema(), prior)
            .set("id", id)
            .set("security_group_rule_id", id)
            .set("arn", arn)
            .set("security_group_id", values::opt_str(rule.group_id()))
            .set("ip_protocol", spelled)
            .set("from_port", values::opt_int(ports[0]))
            .set("to_port", values::opt_int(ports[1]))
            .set("cidr_ipv4", values::non_empty(rule.cidr_ipv4()))
            .set("cidr_ipv6", values::non_empty(rule.cidr_ipv6()))
            .set("prefix_list_id", values::non_empty(rule.prefix_list_id()))
            .set("referenced_security_group_id", referenced)
            .set("description", arguments::described(rule.description(), prior));
        Ok(tags::fill(object, client, prior, &tags::from_ec2(rule.tags())).build())
    }

    async fn create_rule(&self, client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
        // Groups that were made a moment ago are not visible everywhere yet.
        let attempts = Attempts::default();
        let unseen = |e: &ApiError| e.is(&["InvalidGroup.NotFound", "InvalidGroupId.NotFound"]);
        let answer =
            wait::settle(cx, GROUP_VISIBLE, unseen, async || self.authorize(client, planned, &attempts).await).await;
        let rule = match answer {
            Ok(Some(rule)) => rule,
            Ok(None) => self.lookup(client, planned).await?.ok_or_else(unnamed)?,
            Err(error) if error.is(&["InvalidPermission.Duplicate"]) => match self.lookup(client, planned).await? {
                Some(rule) if attempts.repeated() => rule,
                existing => return Err(self.duplicate(planned, existing.as_ref()).into()),
            },
            Err(error) => return Err(error.into()),
        };
        self.settled(client, &rule, planned).await
    }

    /// The object that a call just made. EC2 answers less here than to Describe, so what was asked for counts.
    async fn settled(&self, client: &AwsClient, rule: &Ec2Rule, planned: &Value) -> Result<Value, Failure> {
        let id = rule.security_group_rule_id().unwrap_or_default();
        let object =
            ObjectBuilder::carrying(self.schema(), planned).set("id", id).set("security_group_rule_id", id).build();
        // The rule is there, whatever fails from here on.
        let arn = arn(client, rule).await.leaving(&object)?;
        let object = ObjectBuilder::carrying(self.schema(), &object).set("arn", arn);
        let object = tags::fill(object, client, planned, &tags::wanted(client, planned)).build();
        // Endpoints that imitate EC2 are known to drop the description of a rule that names a group or a list.
        if values::text(planned, "description").as_deref() != rule.description().filter(|d| !d.is_empty()) {
            modify(client, &object).await.leaving(&object)?;
        }
        Ok(object)
    }

    async fn authorize(
        &self,
        client: &AwsClient,
        planned: &Value,
        attempts: &Attempts,
    ) -> Result<Option<Ec2Rule>, ApiError> {
        let group = values::string(planned, "security_group_id");
        let tags = tags::ec2_specification(Ec2Type::SecurityGroupRule, &tags::wanted(client, planned)).map(|s| vec![s]);
        let rules = if self.egress {
            let call = client
                .ec2
                .authorize_security_group_egress()
                .group_id(group)
                .ip_permissions(arguments::permission(planned));
            let call = call.set_tag_specifications(tags).customize().interceptor(attempts.clone());
            call.send().await.call("ec2:AuthorizeSecurityGroupEgress")?.security_group_rules
        } else {
            let call = client
                .ec2
                .authorize_security_group_ingress()
                .group_id(group)
                .ip_permissions(arguments::permission(planned));
            let call = call.set_tag_specifications(tags).customize().interceptor(attempts.clone());
            call.send().await.call("ec2:AuthorizeSecurityGroupIngress")?.security_group_rules
        };
        Ok(rules.unwrap_or_default().into_iter().next())
    }

    /// The rule of the group that has protocol, ports and other side as planned.
    async fn lookup(&self, client: &AwsClient, planned: &Value) -> Result<Option<Ec2Rule>, ApiError> {
        let Some(key) = arguments::key(planned) else { return Ok(None) };
        let group = values::string(planned, "security_group_id");
        let rules = security_group_rules(client, vec![filter("group-id", [group])]).await?;
        Ok(rules.into_iter().find(|rule| rule.is_egress() == Some(self.egress) && arguments::is_rule(rule, &key)))
    }

    fn duplicate(&self, planned: &Value, existing: Option<&Ec2Rule>) -> Diagnostic {
        let group = values::string(planned, "security_group_id");
        let id = existing.and_then(Ec2Rule::security_group_rule_id).unwrap_or("sgr-...");
        Diagnostic::error(
            "Rule already exists",
            format!(
                "{group} has a rule with this protocol, these ports and this other side already ({id}). Perhaps another resource or an \
                 `{}` block of the group makes it. Remove one of them, or import the rule: `sgp import ADDRESS {id}`.",
                if self.egress { "egress" } else { "ingress" }
            ),
        )
    }

    async fn update_rule(&self, client: &AwsClient, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let id = values::string(planned, "id");
        let plain = ["ip_protocol", "from_port", "to_port", "description"];
        if values::any_changed(prior, planned, &plain) || values::any_changed(prior, planned, &arguments::SOURCES) {
            modify(client, planned).await?;
        }
        tags::update_ec2(client, &id, prior, planned).await?;
        Ok(tags::fill(ObjectBuilder::carrying(self.schema(), planned), client, planned, &tags::wanted(client, planned))
            .build())
    }

    async fn delete_rule(&self, client: &AwsClient, prior: &Value) -> Result<(), Failure> {
        let group = values::string(prior, "security_group_id");
        let id = values::string(prior, "id");
        let answer = if self.egress {
            let call = client.ec2.revoke_security_group_egress().group_id(group).security_group_rule_ids(id);
            call.send().await.call("ec2:RevokeSecurityGroupEgress").map(|_| ())
        } else {
            let call = client.ec2.revoke_security_group_ingress().group_id(group).security_group_rule_ids(id);
            call.send().await.call("ec2:RevokeSecurityGroupIngress").map(|_| ())
        };
        match answer {
            Err(error) if error.is_not_found() => Ok(()),
            other => Ok(other?),
        }
    }
}

/// Makes the rule what is planned.
async fn modify(client: &AwsClient, planned: &Value) -> Result<(), ApiError> {
    let id = values::string(planned, "id");
    let update = SecurityGroupRuleUpdate::builder()
        .security_group_rule_id(id)
        .security_group_rule(arguments::modification(planned));
    let group = values::string(planned, "security_group_id");
    let call = client.ec2.modify_security_group_rules().group_id(group).security_group_rules(update.build());
    call.send().await.call("ec2:ModifySecurityGroupRules").map(|_| ())
}

/// The rule's ARN; put together where EC2 does not answer it.
async fn arn(client: &AwsClient, rule: &Ec2Rule) -> Result<String, ApiError> {
    if let Some(arn) = rule.security_group_rule_arn() {
        return Ok(arn.to_owned());
    }
    let account = &client.identity().await?.account_id;
    let id = rule.security_group_rule_id().unwrap_or_default();
    Ok(format!("arn:{}:ec2:{}:{account}:security-group-rule/{id}", client.partition().id, client.region))
}

fn unnamed() -> Failure {
    Diagnostic::error(
        "Rule without an id",
        "EC2 confirmed the rule, but neither named it nor lists it. Run again: the next run looks for it.",
    )
    .into()
}
