//! What adds, changes and removes rules of security groups.

use serde_json::{Value, json};

use super::describe::{Describe, done};
use super::permissions::{self, Peers, Stated, is_same};
use super::rules::{self, KIND, Peer, Rule, Spec};
use super::security_groups::{self, SecurityGroup};
use super::tags;
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AuthorizeSecurityGroupIngress", run: |world, call| authorize(world, call, false) },
    Operation { name: "AuthorizeSecurityGroupEgress", run: |world, call| authorize(world, call, true) },
    Operation { name: "RevokeSecurityGroupIngress", run: |world, call| revoke(world, call, false) },
    Operation { name: "RevokeSecurityGroupEgress", run: |world, call| revoke(world, call, true) },
    Operation { name: "ModifySecurityGroupRules", run: modify_security_group_rules },
    Operation {
        name: "UpdateSecurityGroupRuleDescriptionsIngress",
        run: |world, call| describe_anew(world, call, false),
    },
    Operation {
        name: "UpdateSecurityGroupRuleDescriptionsEgress",
        run: |world, call| describe_anew(world, call, true),
    },
    Operation { name: "DescribeSecurityGroupRules", run: describe_security_group_rules },
];

/// Adds rules to a group.
///
/// # Errors
/// `InvalidPermission.Duplicate`, `RulesPerSecurityGroupLimitExceeded`.
fn add(
    world: &mut World,
    group_id: &str,
    is_egress: bool,
    stated: Vec<Stated>,
    tags: &tags::Tags,
) -> Result<Vec<Rule>, ApiError> {
    let has = |spec: &Spec| rules::of(world, group_id, is_egress).any(|rule| is_same(&rule.spec, spec));
    if let Some(twice) = stated.iter().find(|one| has(&one.spec)) {
        return Err(twice.spec.duplicate());
    }
    let there = rules::of(world, group_id, is_egress).map(|rule| &rule.spec);
    rules::check_count(world, there.chain(stated.iter().map(|one| &one.spec)))?;
    let add = |one: Stated| rules::insert(world, group_id, is_egress, one.spec, one.description, tags.clone());
    Ok(stated.into_iter().map(add).collect())
}

fn authorize(world: &mut World, call: &Call, is_egress: bool) -> Answer {
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    let group = security_groups::of_call(world, call)?;
    let stated = permissions::read(world, call, group, Peers::MustExist)?;
    let group_id = group.id.clone();
    let added = add(world, &group_id, is_egress, stated, &tags)?;
    let added: Vec<Value> = added.iter().map(|rule| rules::render(world, rule)).collect();
    Ok(json!({ "return": true, "securityGroupRuleSet": added }))
}

fn revoke(world: &mut World, call: &Call, is_egress: bool) -> Answer {
    let group = security_groups::of_call(world, call)?;
    let ids = call.texts("SecurityGroupRuleId");
    let (gone, unknown) = match (ids.is_empty(), call.has("IpPermissions")) {
        (false, true) => {
            let message = "Only one of 'ipPermissions' or 'securityGroupRuleIds' can be provided";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        (false, false) => (by_ids(world, group, is_egress, &ids)?, Vec::new()),
        (true, _) => by_statements(world, call, group, is_egress)?,
    };
    for rule in &gone {
        world.ec2.rules.remove(&rule.id);
    }
    let revoked: Vec<Value> = gone.iter().map(rules::revoked).collect();
    let unknown = rules::grouped(unknown.iter().map(|one| (&one.spec, one.description.as_deref())));
    Ok(json!({ "return": true, "revokedSecurityGroupRuleSet": revoked, "unknownIpPermissionSet": unknown }))
}

/// The rules of these ids, which must be the group's and of the direction.
fn by_ids(world: &World, group: &SecurityGroup, is_egress: bool, ids: &[String]) -> Result<Vec<Rule>, ApiError> {
    let found = ids.iter().map(|id| {
        let rule = KIND.found(id, world.ec2.rules.get(id))?;
        if rule.group_id != group.id || rule.is_egress != is_egress {
            return Err(KIND.missing(&[id]));
        }
        Ok(rule.clone())
    });
    found.collect()
}

/// The rules that the call states, and the statements that fit none. Those are an error unless the group is in the default VPC
/// (API reference, `RevokeSecurityGroupIngress`).
fn by_statements(
    world: &World,
    call: &Call,
    group: &SecurityGroup,
    is_egress: bool,
) -> Result<(Vec<Rule>, Vec<Stated>), ApiError> {
    let is_flat = call.has("CidrIp") || call.has("IpProtocol") || call.has("SourceSecurityGroupName");
    if !call.has("IpPermissions") && !is_flat {
        let message = "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided";
        return Err(ApiError::new("MissingParameter", message));
    }
    let (mut gone, mut unknown) = (Vec::new(), Vec::new());
    for one in permissions::read(world, call, group, Peers::MayBeGone)? {
        match rules::of(world, &group.id, is_egress).find(|rule| is_same(&rule.spec, &one.spec)) {
            Some(rule) => gone.push(rule.clone()),
            None => unknown.push(one),
        }
    }
    let is_lenient = world.ec2.vpcs.get(&group.vpc_id).is_some_and(|vpc| vpc.is_default);
    if !unknown.is_empty() && !is_lenient {
        return Err(not_there());
    }
    Ok((gone, unknown))
}

fn not_there() -> ApiError {
    let message = "The specified rule does not exist in this security group.";
    ApiError::new("InvalidPermission.NotFound", message)
}

fn modify_security_group_rules(world: &mut World, call: &Call) -> Answer {
    let id = call.required("GroupId")?;
    let group = security_groups::find(world, &id)?.clone();
    let updates = call.structures("SecurityGroupRule");
    if updates.is_empty() {
        return Err(ApiError::missing(call.service, "SecurityGroupRule"));
    }
    let mut changed = Vec::new();
    for update in &updates {
        let id = update.required("SecurityGroupRuleId")?;
        let rule = KIND.found(&id, world.ec2.rules.get(&id))?;
        if rule.group_id != group.id {
            return Err(KIND.missing(&[&id]));
        }
        let wanted = update
            .structure("SecurityGroupRule")
            .ok_or_else(|| ApiError::missing(call.service, "SecurityGroupRule.SecurityGroupRule"))?;
        changed.push(changed_rule(world, rule, &wanted, &group)?);
    }
    check_changed(world, &group, &changed)?;
    for rule in changed {
        world.ec2.rules.insert(rule.id.clone(), rule);
    }
    Ok(done())
}

/// The rule as the call wants it: all of it anew but id, direction and tags.
fn changed_rule(world: &World, rule: &Rule, wanted: &Params, group: &SecurityGroup) -> Result<Rule, ApiError> {
    let has_ports = |name: &str| wanted.text(name).is_some_and(|port| port != "-1");
    if wanted.text("IpProtocol").as_deref() == Some("-1") && (has_ports("FromPort") || has_ports("ToPort")) {
        let message = "You may not specify all protocols and specific ports. Please specify each protocol and port range \
                       combination individually, or all protocols and no port range.";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let (protocol, from_port, to_port) = permissions::read_traffic(wanted)?;
    let peer = read_peer(world, wanted, group)?;
    if std::mem::discriminant(&peer) != std::mem::discriminant(&rule.spec.peer) {
        let message = "You may not change the rule type of a security group rule: the source or destination must stay an \
                       IPv4 block, IPv6 block, prefix list or security group.";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let spec = Spec { protocol, from_port, to_port, peer };
    Ok(Rule { spec, description: permissions::read_description(wanted)?, ..rule.clone() })
}

fn read_peer(world: &World, wanted: &Params, group: &SecurityGroup) -> Result<Peer, ApiError> {
    let names = ["CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId"];
    let given: Vec<(&str, String)> = names.iter().filter_map(|name| Some((*name, wanted.text(name)?))).collect();
    let [(name, text)] = given.as_slice() else {
        let message = "Exactly one of CidrIpv4, CidrIpv6, PrefixListId or ReferencedGroupId must be specified";
        let code = if given.is_empty() { "MissingParameter" } else { "InvalidParameterCombination" };
        return Err(ApiError::new(code, message));
    };
    match *name {
        "CidrIpv4" => permissions::read_ipv4(text).map(Peer::Ipv4),
        "CidrIpv6" => permissions::read_ipv6(text).map(Peer::Ipv6),
        "PrefixListId" => permissions::find_list(world, text).map(|()| Peer::PrefixList(text.clone())),
        _ => permissions::peer_group(world, security_groups::find(world, text)?, group, None),
    }
}

/// Checks the group's rules as they will be.
fn check_changed(world: &World, group: &SecurityGroup, changed: &[Rule]) -> Result<(), ApiError> {
    for is_egress in [false, true] {
        let stay = rules::of(world, &group.id, is_egress).filter(|rule| !changed.iter().any(|new| new.id == rule.id));
        let new = changed.iter().filter(|rule| rule.is_egress == is_egress);
        let all: Vec<&Spec> = stay.chain(new).map(|rule| &rule.spec).collect();
        for (at, spec) in all.iter().enumerate() {
            if all[..at].iter().any(|other| is_same(other, spec)) {
                return Err(spec.duplicate());
            }
        }
        rules::check_count(world, all.into_iter())?;
    }
    Ok(())
}

/// Gives rules other descriptions, by their ids or by what they allow.
fn describe_anew(world: &mut World, call: &Call, is_egress: bool) -> Answer {
    let group = security_groups::of_call(world, call)?;
    let by_id = call.structures("SecurityGroupRuleDescription");
    let mut anew: Vec<(String, Option<String>)> = Vec::new();
    if by_id.is_empty() {
        for one in permissions::read(world, call, group, Peers::MayBeGone)? {
            let mut there = rules::of(world, &group.id, is_egress);
            let rule = there.find(|rule| is_same(&rule.spec, &one.spec)).ok_or_else(not_there)?;
            anew.push((rule.id.clone(), one.description));
        }
    } else if call.has("IpPermissions") {
        let message = "Only one of 'ipPermissions' or 'securityGroupRuleDescriptions' can be provided";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    for one in by_id {
        let id = one.required("SecurityGroupRuleId")?;
        by_ids(world, group, is_egress, std::slice::from_ref(&id))?;
        anew.push((id, permissions::read_description(&one)?));
    }
    for (id, description) in anew {
        world.ec2.rules.update(&id, |rule| rule.description = description);
    }
    Ok(done())
}

static DESCRIBE: Describe<Rule> = Describe {
    kind: &KIND,
    ids: "SecurityGroupRuleId",
    set: "securityGroupRuleSet",
    filters: &[
        ("group-id", |_, rule| vec![rule.group_id.clone()]),
        ("security-group-rule-id", |_, rule| vec![rule.id.clone()]),
    ],
    indexed: &["security-group-rule-id", "group-id", "tag"],
    limits: (5, 1000),
    tags: |rule| &rule.tags,
    render: rules::render,
};

fn describe_security_group_rules(world: &mut World, call: &Call) -> Answer {
    DESCRIBE.answer(world, &world.ec2.rules, call)
}
