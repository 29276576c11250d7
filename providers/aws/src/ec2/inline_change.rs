//! Changing the rules of a group that `aws_security_group` itself declares.

use aws_sdk_ec2::types::{IpPermission, SecurityGroup, SecurityGroupRuleRequest, SecurityGroupRuleUpdate};
use sgp_model::Value;

use crate::{
    attempts::Attempts,
    client::AwsClient,
    ec2::{
        self, filter,
        inline_rules::{self, AtomKey, Atoms, RuleChange, Source},
        rule_arguments::is_rule,
    },
    errors::{ApiError, Call},
    values,
};

/// The two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What comes in.
    Ingress,
    /// What goes out.
    Egress,
}

/// One answer for each direction, ingress first.
pub fn both<T>(f: impl Fn(Side) -> T) -> [T; 2] {
    Side::BOTH.map(f)
}

impl Side {
    /// Both, ingress first.
    pub const BOTH: [Self; 2] = [Self::Ingress, Self::Egress];

    /// The name of its block.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    /// The rules that a group has.
    pub fn permissions(self, group: &SecurityGroup) -> &[IpPermission] {
        match self {
            Self::Ingress => group.ip_permissions(),
            Self::Egress => group.ip_permissions_egress(),
        }
    }

    /// The rules that are planned; `None` when nothing is said about them.
    pub fn wanted(self, planned: &Value, id: &str) -> Option<Atoms> {
        values::is_set(planned, self.name()).then(|| inline_rules::of_blocks(&values::blocks(planned, self.name()), id))
    }

    async fn authorize(self, client: &AwsClient, id: &str, atoms: &Atoms) -> Result<(), ApiError> {
        let permissions = Some(inline_rules::to_permissions(atoms));
        let attempts = Attempts::default();
        let answer = match self {
            Self::Ingress => {
                let call = client.ec2.authorize_security_group_ingress().group_id(id).set_ip_permissions(permissions);
                call.customize()
                    .interceptor(attempts.clone())
                    .send()
                    .await
                    .call("ec2:AuthorizeSecurityGroupIngress")
                    .map(|_| ())
            }
            Self::Egress => {
                let call = client.ec2.authorize_security_group_egress().group_id(id).set_ip_permissions(permissions);
                call.customize()
                    .interceptor(attempts.clone())
                    .send()
                    .await
                    .call("ec2:AuthorizeSecurityGroupEgress")
                    .map(|_| ())
            }
        };
        // One call adds all of its rules or none: a repetition that is told "duplicate" follows a success.
        match answer {
            Err(error) if attempts.repeated() && error.is(&["InvalidPermission.Duplicate"]) => Ok(()),
            other => other,
        }
    }

    async fn revoke(self, client: &AwsClient, id: &str, atoms: &Atoms) -> Result<(), ApiError> {
        let permissions = Some(inline_rules::to_permissions(atoms));
        let answer = match self {
            Self::Ingress => {
                let call = client.ec2.revoke_security_group_ingress().group_id(id).set_ip_permissions(permissions);
                call.send().await.call("ec2:RevokeSecurityGroupIngress").map(|_| ())
            }
            Self::Egress => {
                let call = client.ec2.revoke_security_group_egress().group_id(id).set_ip_permissions(permissions);
                call.send().await.call("ec2:RevokeSecurityGroupEgress").map(|_| ())
            }
        };
        match answer {
            Err(error) if error.is(&["InvalidPermission.NotFound"]) => Ok(()),
            other => other,
        }
    }
}

/// Brings the rules of both directions from what exists to what is wanted: adds before it takes away, so that nothing that is
/// allowed before and after is refused in between; the other way round only where the quota leaves no room.
///
/// # Errors
/// What EC2 answers.
pub async fn change_rules(
    client: &AwsClient,
    id: &str,
    exist: &[Atoms; 2],
    wanted: &[Atoms; 2],
) -> Result<(), ApiError> {
    for side in Side::BOTH {
        let change = RuleChange::between(&exist[side as usize], &wanted[side as usize]);
        let mut added = change.add.is_empty();
        if !added {
            match side.authorize(client, id, &change.add).await {
                Ok(()) => added = true,
                Err(error) if error.is(&["RulesPerSecurityGroupLimitExceeded"]) && !change.remove.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        if !change.remove.is_empty() {
            side.revoke(client, id, &change.remove).await?;
        }
        if !added {
            side.authorize(client, id, &change.add).await?;
        }
        if !change.describe.is_empty() {
            redescribe(client, id, side, &change.describe).await?;
        }
    }
    Ok(())
}

/// Gives rules that stay another description, by their ids: revoking and adding them again would interrupt traffic.
async fn redescribe(client: &AwsClient, id: &str, side: Side, atoms: &Atoms) -> Result<(), ApiError> {
    let rules = ec2::security_group_rules(client, vec![filter("group-id", [id])]).await?;
    let updates = rules.iter().filter(|r| r.is_egress() == Some(side == Side::Egress)).filter_map(|rule| {
        let (key, description) = atoms.iter().find(|(key, _)| is_rule(rule, key))?;
        let request = request(key).description(description).build();
        Some(
            SecurityGroupRuleUpdate::builder()
                .set_security_group_rule_id(rule.security_group_rule_id.clone())
                .security_group_rule(request)
                .build(),
        )
    });
    let updates: Vec<_> = updates.collect();
    if updates.is_empty() {
        return Ok(());
    }
    let call = client.ec2.modify_security_group_rules().group_id(id).set_security_group_rules(Some(updates));
    call.send().await.call("ec2:ModifySecurityGroupRules").map(|_| ())
}

fn request(key: &AtomKey) -> aws_sdk_ec2::types::builders::SecurityGroupRuleRequestBuilder {
    let start = SecurityGroupRuleRequest::builder()
        .ip_protocol(&key.protocol)
        .from_port(key.ports.map_or(-1, |p| p.0))
        .to_port(key.ports.map_or(-1, |p| p.1));
    match &key.source {
        Source::Ipv4(cidr) => start.cidr_ipv4(cidr),
        Source::Ipv6(cidr) => start.cidr_ipv6(cidr),
        Source::PrefixList(id) => start.prefix_list_id(id),
        Source::Group(id) => start.referenced_group_id(id.rsplit('/').next().unwrap_or(id)),
    }
}

/// Takes every rule from a group, whoever made it.
///
/// # Errors
/// What EC2 answers.
pub async fn revoke_all(client: &AwsClient, id: &str) -> Result<(), ApiError> {
    let groups = ec2::security_groups_by_id(client, &[id.to_owned()]).await?;
    let Some(group) = groups.first() else { return Ok(()) };
    for side in Side::BOTH {
        let atoms = inline_rules::of_permissions(side.permissions(group), group.owner_id().unwrap_or_default());
        if !atoms.is_empty() {
            side.revoke(client, id, &atoms).await?;
        }
    }
    Ok(())
}
