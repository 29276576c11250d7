//! One security group rule as an object: what ingress and egress rules have in common.

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType as Ec2Type, SecurityGroupRule as Ec2Rule,
    SecurityGroupRuleRequest, SecurityGroupRuleUpdate, UserIdGroupPair,
};
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
        filter,
        inline_rules::{AtomKey, Source},
        protocol, security_group_rules,
    },
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

/// The attributes that name the other side, one of which a rule has.
const SOURCES: [&str; 4] = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];

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
        let planned = keep_spelling(request.prior, tags::with_tags_all(request.proposed, request.provider_config));
        let requires_replace = if request.prior.is_null() { Vec::new() } else { changed_kind(request.prior, &planned) };
        PlanResponse { planned: Some(planned), requires_replace, ..PlanResponse::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validate(config)
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
            Some(foreign.map_or_else(|| group.to_owned(), |user| format!("{user}/{group}")))
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
            .set("description", described(rule.description(), prior));
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
        let arn = arn(client, rule).await?;
        let object = ObjectBuilder::carrying(self.schema(), planned)
            .set("id", id)
            .set("security_group_rule_id", id)
            .set("arn", arn);
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
            let call = client.ec2.authorize_security_group_egress().group_id(group).ip_permissions(permission(planned));
            let call = call.set_tag_specifications(tags).customize().interceptor(attempts.clone());
            call.send().await.call("ec2:AuthorizeSecurityGroupEgress")?.security_group_rules
        } else {
            let call =
                client.ec2.authorize_security_group_ingress().group_id(group).ip_permissions(permission(planned));
            let call = call.set_tag_specifications(tags).customize().interceptor(attempts.clone());
            call.send().await.call("ec2:AuthorizeSecurityGroupIngress")?.security_group_rules
        };
        Ok(rules.unwrap_or_default().into_iter().next())
    }

    /// The rule of the group that has protocol, ports and other side as planned.
    async fn lookup(&self, client: &AwsClient, planned: &Value) -> Result<Option<Ec2Rule>, ApiError> {
        let Some(key) = key(planned) else { return Ok(None) };
        let group = values::string(planned, "security_group_id");
        let rules = security_group_rules(client, vec![filter("group-id", [group])]).await?;
        Ok(rules.into_iter().find(|rule| rule.is_egress() == Some(self.egress) && is_rule(rule, &key)))
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
        let arguments = ["ip_protocol", "from_port", "to_port", "description"];
        if values::any_changed(prior, planned, &arguments) || values::any_changed(prior, planned, &SOURCES) {
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
    let update =
        SecurityGroupRuleUpdate::builder().security_group_rule_id(id).security_group_rule(rule_request(planned));
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

/// An absent description and an empty one are the same to EC2.
fn described(answered: Option<&str>, prior: &Value) -> Value {
    match answered.filter(|text| !text.is_empty()) {
        Some(text) => text.into(),
        None if values::str_opt(prior, "description") == Some("") => "".into(),
        None => values::opt_str(None),
    }
}

/// Keeps the recorded spelling of a protocol that means the same.
fn keep_spelling(prior: &Value, planned: Value) -> Value {
    match (values::str_opt(prior, "ip_protocol"), values::str_opt(&planned, "ip_protocol")) {
        (Some(before), Some(now)) if before != now && protocol::same(before, now) => {
            planned.with_attr("ip_protocol", before.into())
        }
        _ => planned,
    }
}

/// EC2 modifies a range into another range, but never a range into a group: the paths of such a change.
fn changed_kind(prior: &Value, planned: &Value) -> Vec<AttrPath> {
    let has = |object: &Value, name: &str| object.get(name).is_some_and(|v| !v.is_null() && v.as_str() != Some(""));
    SOURCES.into_iter().filter(|name| has(prior, name) != has(planned, name)).map(AttrPath::attr).collect()
}

fn validate(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut wrong = |argument: &'static str, summary: &str, detail: String| {
        found.push(Diagnostic::error(summary, detail).attribute(AttrPath::attr(argument)));
    };
    let open = |name: &str| config.get(name).is_some_and(|v| !v.is_known());
    let given: Vec<&str> = SOURCES.into_iter().filter(|name| values::is_set(config, name)).collect();
    if given.len() > 1 {
        wrong(
            SOURCES.into_iter().rfind(|name| given.contains(name)).unwrap_or("cidr_ipv4"),
            "Several other sides",
            format!("A rule has one other side; {} are set. Write a rule for each.", given.join(" and ")),
        );
    } else if given.is_empty() && !SOURCES.iter().any(|name| open(name)) {
        wrong("cidr_ipv4", "No other side", format!("One of {} is needed.", SOURCES.join(", ")));
    }
    if let Some(text) = values::str_opt(config, "ip_protocol") {
        if !protocol::is_valid(text) {
            wrong(
                "ip_protocol",
                "Invalid protocol",
                format!("{text:?} is not tcp, udp, icmp, icmpv6, -1 or a number up to 255."),
            );
        } else if protocol::has_ports(text) {
            check_ports(config, &mut wrong);
        }
    }
    for (name, v4) in [("cidr_ipv4", true), ("cidr_ipv6", false)] {
        if let Some(problem) = values::str_opt(config, name).and_then(|text| cidr_problem(text, v4)) {
            wrong(name, "Invalid range", problem);
        }
    }
    found
}

fn check_ports(config: &Value, wrong: &mut impl FnMut(&'static str, &str, String)) {
    let open = |name: &str| config.get(name).is_some_and(|v| !v.is_known());
    let (from, to) = (values::i64_opt(config, "from_port"), values::i64_opt(config, "to_port"));
    for (name, port) in [("from_port", from), ("to_port", to)] {
        match port {
            None if !open(name) => wrong(name, "Missing port", format!("{name} is needed with tcp and udp.")),
            Some(port) if !(0..=65535).contains(&port) => {
                wrong(name, "Invalid port", format!("{port} is not a port: 0 to 65535."));
            }
            _ => {}
        }
    }
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        wrong("to_port", "Invalid ports", format!("to_port ({to}) is less than from_port ({from})."));
    }
}

/// What is wrong with a range: EC2 stores the network's address, so that anything else would differ after every apply.
fn cidr_problem(text: &str, v4: bool) -> Option<String> {
    let family = if v4 { "IPv4" } else { "IPv6" };
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        let (address, bits) = (address.parse::<std::net::IpAddr>().ok()?, bits.parse::<u32>().ok()?);
        let width = if address.is_ipv4() { 32 } else { 128 };
        (address.is_ipv4() == v4 && bits <= width).then_some((address, bits))
    });
    let Some((address, bits)) = parsed else {
        return Some(format!(
            "{text:?} is not an {family} range such as {}.",
            if v4 { "10.0.0.0/16" } else { "2001:db8::/32" }
        ));
    };
    let network = match address {
        std::net::IpAddr::V4(a) => {
            std::net::IpAddr::V4((u32::from(a) & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into())
        }
        std::net::IpAddr::V6(a) => {
            std::net::IpAddr::V6((u128::from(a) & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into())
        }
    };
    let canonical = format!("{network}/{bits}");
    (canonical != text).then(|| format!("{text:?} is not written as EC2 keeps it: write {canonical:?}."))
}

/// What makes the planned rule unique within its group; `None` while something of it is unknown.
fn key(planned: &Value) -> Option<AtomKey> {
    let protocol = protocol::normalize(values::str_opt(planned, "ip_protocol")?);
    let port = |name| values::i32_opt(planned, name).unwrap_or(-1);
    let ports = (protocol != protocol::ALL).then(|| (port("from_port"), port("to_port")));
    let (attribute, text) = SOURCES.into_iter().find_map(|name| Some((name, values::text(planned, name)?)))?;
    let source = match attribute {
        "cidr_ipv4" => Source::Ipv4(text),
        "cidr_ipv6" => Source::Ipv6(text),
        "prefix_list_id" => Source::PrefixList(text),
        _ => Source::Group(text),
    };
    Some(AtomKey { protocol, ports, source })
}

/// Whether a rule of EC2 has this protocol, these ports and this other side.
pub fn is_rule(rule: &Ec2Rule, key: &AtomKey) -> bool {
    let protocol = protocol::normalize(rule.ip_protocol().unwrap_or_default());
    let ports = (protocol != protocol::ALL).then(|| (rule.from_port().unwrap_or(-1), rule.to_port().unwrap_or(-1)));
    let source = match &key.source {
        Source::Ipv4(cidr) => rule.cidr_ipv4() == Some(cidr),
        Source::Ipv6(cidr) => rule.cidr_ipv6() == Some(cidr),
        Source::PrefixList(id) => rule.prefix_list_id() == Some(id),
        Source::Group(id) => {
            let (_, bare) = id.rsplit_once('/').unwrap_or(("", id));
            rule.referenced_group_info().and_then(|i| i.group_id()) == Some(bare)
        }
    };
    protocol == key.protocol && ports == key.ports && source
}

/// The planned rule as Authorize takes it.
fn permission(planned: &Value) -> IpPermission {
    let protocol = protocol::normalize(&values::string(planned, "ip_protocol"));
    let ports = if protocol == protocol::ALL {
        [None, None]
    } else {
        ["from_port", "to_port"].map(|n| Some(values::i32_opt(planned, n).unwrap_or(-1)))
    };
    let description = values::text(planned, "description");
    let builder = IpPermission::builder().ip_protocol(protocol).set_from_port(ports[0]).set_to_port(ports[1]);
    if let Some(cidr) = values::text(planned, "cidr_ipv4") {
        return builder.ip_ranges(IpRange::builder().cidr_ip(cidr).set_description(description).build()).build();
    }
    if let Some(cidr) = values::text(planned, "cidr_ipv6") {
        return builder.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).set_description(description).build()).build();
    }
    if let Some(id) = values::text(planned, "prefix_list_id") {
        return builder
            .prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(description).build())
            .build();
    }
    let group = values::string(planned, "referenced_security_group_id");
    let (user, id) = group.rsplit_once('/').map_or((None, group.as_str()), |(user, id)| (Some(user.to_owned()), id));
    let pair = UserIdGroupPair::builder().group_id(id).set_user_id(user).set_description(description);
    builder.user_id_group_pairs(pair.build()).build()
}

/// The planned rule as Modify takes it: the whole of it.
fn rule_request(planned: &Value) -> SecurityGroupRuleRequest {
    let protocol = protocol::normalize(&values::string(planned, "ip_protocol"));
    let all = protocol == protocol::ALL;
    // Unlike Authorize, Modify wants ports to be said: -1 for all.
    let [from, to] = ["from_port", "to_port"].map(|n| values::i32_opt(planned, n).filter(|_| !all).unwrap_or(-1));
    let group = values::text(planned, "referenced_security_group_id");
    SecurityGroupRuleRequest::builder()
        .ip_protocol(protocol)
        .from_port(from)
        .to_port(to)
        .set_cidr_ipv4(values::text(planned, "cidr_ipv4"))
        .set_cidr_ipv6(values::text(planned, "cidr_ipv6"))
        .set_prefix_list_id(values::text(planned, "prefix_list_id"))
        .set_referenced_group_id(group.map(|g| g.rsplit('/').next().unwrap_or(&g).to_owned()))
        .description(values::string(planned, "description"))
        .build()
}

#[cfg(test)]
mod tests {
    use sgp_model::Type;

    use super::*;

    fn rule(fields: &[(&str, Value)]) -> Value {
        let schema = attributes(Schema::new("t", "A test."));
        fields.iter().fold(schema.block.empty(), |object, (name, value)| object.with_attr(name, value.clone()))
    }

    fn web(more: &[(&str, Value)]) -> Value {
        let mut fields: Vec<(&str, Value)> = vec![
            ("security_group_id", "sg-1".into()),
            ("ip_protocol", "tcp".into()),
            ("from_port", Value::int(443)),
            ("to_port", Value::int(443)),
        ];
        fields.extend_from_slice(more);
        rule(&fields)
    }

    #[test]
    fn mistakes_are_found_before_any_call() {
        let open = Value::unknown(Type::String);
        for (config, wrong) in [
            (web(&[("cidr_ipv4", "10.0.0.0/8".into())]), vec![]),
            (web(&[("referenced_security_group_id", open.clone())]), vec![]),
            (web(&[]), vec!["No other side"]),
            (
                web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("prefix_list_id", "pl-1".into())]),
                vec!["Several other sides"],
            ),
            (web(&[("cidr_ipv4", "10.0.0.1/8".into())]), vec!["Invalid range"]),
            (web(&[("cidr_ipv4", "0.0.0.0/0".into())]), vec![]),
            (web(&[("cidr_ipv6", "::/0".into())]), vec![]),
            (web(&[("cidr_ipv6", "10.0.0.0/8".into())]), vec!["Invalid range"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::int(80))]), vec!["Invalid ports"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::int(70000))]), vec!["Invalid port"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::null(Type::Number))]), vec!["Missing port"]),
            (web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("ip_protocol", "http".into())]), vec!["Invalid protocol"]),
        ] {
            let said: Vec<_> = validate(&config).into_iter().map(|d| d.summary).collect();
            assert_eq!(said, wrong, "{config:?}");
        }
    }

    #[test]
    fn another_kind_of_source_replaces_the_rule() {
        let prior = web(&[("cidr_ipv4", "10.0.0.0/8".into())]);
        assert!(changed_kind(&prior, &web(&[("cidr_ipv4", "10.1.0.0/16".into())])).is_empty());
        assert!(changed_kind(&prior, &web(&[("cidr_ipv4", Value::unknown(Type::String))])).is_empty());
        let paths: Vec<_> =
            changed_kind(&prior, &web(&[("prefix_list_id", "pl-1".into())])).iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["cidr_ipv4", "prefix_list_id"]);
    }

    #[test]
    fn the_spelling_of_a_protocol_is_no_change() {
        let prior = web(&[("ip_protocol", "6".into())]);
        assert_eq!(values::str_opt(&keep_spelling(&prior, web(&[])), "ip_protocol"), Some("6"));
        let changed = keep_spelling(&prior, web(&[("ip_protocol", "udp".into())]));
        assert_eq!(values::str_opt(&changed, "ip_protocol"), Some("udp"));
    }

    #[test]
    fn a_rule_is_known_by_protocol_ports_and_source() {
        let answered =
            Ec2Rule::builder().ip_protocol("tcp").from_port(443).to_port(443).cidr_ipv4("10.0.0.0/8").build();
        let is = |planned: &Value| key(planned).is_some_and(|key| is_rule(&answered, &key));
        assert!(is(&web(&[("cidr_ipv4", "10.0.0.0/8".into())])));
        assert!(is(&web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("ip_protocol", "6".into())])));
        assert!(!is(&web(&[("cidr_ipv4", "10.0.0.0/16".into())])));
        assert!(!is(&web(&[("cidr_ipv4", "10.0.0.0/8".into()), ("to_port", Value::int(444))])));
        let all = Ec2Rule::builder().ip_protocol("-1").from_port(-1).to_port(-1).prefix_list_id("pl-1").build();
        let planned = rule(&[("ip_protocol", "all".into()), ("prefix_list_id", "pl-1".into())]);
        assert!(key(&planned).is_some_and(|key| is_rule(&all, &key)));
    }

    #[test]
    fn all_protocols_are_sent_without_ports() {
        let sent =
            permission(&web(&[("ip_protocol", "-1".into()), ("referenced_security_group_id", "222/sg-9".into())]));
        assert_eq!((sent.from_port(), sent.to_port()), (None, None));
        assert_eq!(sent.user_id_group_pairs()[0].user_id(), Some("222"));
    }
}
