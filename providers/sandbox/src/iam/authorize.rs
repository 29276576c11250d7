//! Whether a principal may do something.
//!
//! Source: IAM User Guide, "Policy evaluation logic": an explicit deny anywhere wins; then identity policies, permissions boundary
//! and session policies must each allow.

use std::collections::BTreeMap;

use super::context::Context;
use super::document::{Document, Effect};
use super::evaluate::{Applied, Layer, Request, Source, applied};
use super::rows::{Grants, Group, Session, Tags};
use crate::world::World;

/// What policies say to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed.
    Allow,
    /// No policy of this layer allows it.
    ImplicitDeny(Layer),
    /// This statement denies it.
    ExplicitDeny(Applied),
}

impl Decision {
    /// Whether it is [`Decision::Allow`].
    pub fn is_allowed(&self) -> bool {
        *self == Self::Allow
    }
}

/// Whether `principal_arn` (a user, a role, a role's session, the account's root) may do `action` (`ec2:CreateVpc`) on
/// `resource_arn` (`*` for actions without resources). `context` has the condition keys of the request; those of the principal and
/// of the time are added.
pub fn is_allowed(
    world: &World,
    principal_arn: &str,
    action: &str,
    resource_arn: &str,
    context: &BTreeMap<String, Vec<String>>,
) -> Decision {
    let Some(principal) = Principal::of(world, principal_arn) else {
        return Decision::ImplicitDeny(Layer::Identity);
    };
    let context = principal.context(world, context);
    decide(&principal, &Request { action, resource: resource_arn, context: &context })
}

/// What a principal's policies say to a request.
pub(crate) fn decide(principal: &Principal, request: &Request) -> Decision {
    if principal.is_root {
        return Decision::Allow;
    }
    weigh(&principal.sources, &found(&principal.sources, request))
}

/// The statements of all policies that apply.
pub(crate) fn found(sources: &[Source], request: &Request) -> Vec<Applied> {
    sources.iter().flat_map(|source| applied(source, request)).collect()
}

/// The decision that follows from the statements that apply.
pub(crate) fn weigh(sources: &[Source], found: &[Applied]) -> Decision {
    if let Some(denial) = found.iter().find(|applied| applied.effect == Effect::Deny) {
        return Decision::ExplicitDeny(denial.clone());
    }
    let has = |layer: Layer| sources.iter().any(|source| source.layer == layer);
    let allows = |layer: Layer| found.iter().any(|applied| applied.layer == layer);
    // A principal without identity policies may do nothing; the other layers limit only where they are.
    for (layer, counts) in
        [(Layer::Identity, true), (Layer::Boundary, has(Layer::Boundary)), (Layer::Session, has(Layer::Session))]
    {
        if counts && !allows(layer) {
            return Decision::ImplicitDeny(layer);
        }
    }
    Decision::Allow
}

/// A principal with the policies that bind it.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// What `aws:PrincipalArn` says: the user's ARN, for a role's session the role's.
    pub identity_arn: String,
    pub is_root: bool,
    pub sources: Vec<Source>,
    keys: Vec<(&'static str, String)>,
    tags: Tags,
}

impl Principal {
    /// The principal of an ARN; `None` when there is no such user, role or session's role.
    pub fn of(world: &World, arn: &str) -> Option<Self> {
        if arn == format!("arn:aws:iam::{}:root", world.settings.account) {
            return Some(Self::root(arn));
        }
        let session = world.iam.sessions.with(&format!("arn={arn}")).last().map(|(_, session)| session);
        if let Some(user) = world.iam.user_of_arn(arn) {
            let mut sources = Vec::new();
            collect(world, &user.grants, &mut sources);
            for group in user.groups.iter().filter_map(|name| world.iam.groups.get(name)) {
                collect(world, &group.grants, &mut sources);
            }
            let keys = vec![
                ("aws:username", user.name.clone()),
                ("aws:userid", user.id.clone()),
                ("aws:PrincipalType", "User".to_owned()),
            ];
            let (identity_arn, tags) = (user.arn.clone(), user.tags.clone());
            return Some(Self { identity_arn, is_root: false, sources, keys, tags });
        }
        Self::of_role(world, arn, session)
    }

    /// The principal that calls with an access key's session, or the principal of its ARN.
    pub fn calling(world: &World, caller: &crate::aws::Caller) -> Option<Self> {
        match world.iam.sessions.get(&caller.access_key) {
            Some(session) if session.role.is_some() => Self::of_role(world, &caller.arn, Some(session)),
            _ => Self::of(world, &caller.arn),
        }
    }

    fn of_role(world: &World, arn: &str, session: Option<&Session>) -> Option<Self> {
        let assumed = arn.strip_prefix(&format!("arn:aws:sts::{}:assumed-role/", world.settings.account));
        let (role, session_name) = match assumed {
            Some(rest) => {
                rest.split_once('/').and_then(|(role, name)| Some((world.iam.roles.get(role)?, Some(name))))?
            }
            None => (world.iam.role_of_arn(arn)?, None),
        };
        let mut sources = Vec::new();
        collect(world, &role.grants, &mut sources);
        let session = session.filter(|_| session_name.is_some());
        for (number, document) in session.iter().flat_map(|session| session.policies.iter()).enumerate() {
            push(&mut sources, Layer::Session, &format!("session-policy-{}", number + 1), document);
        }
        let mut keys = vec![("aws:PrincipalType", "AssumedRole".to_owned())];
        keys.push(("aws:userid", format!("{}:{}", role.id, session_name.unwrap_or("role"))));
        let mut tags = role.tags.clone();
        if let Some(session) = session {
            tags.extend(session.tags.clone());
            keys.push(("aws:TokenIssueTime", session.issued.to_string()));
            keys.extend(session.source_identity.iter().map(|source| ("aws:SourceIdentity", source.clone())));
            keys.extend(session.federated.iter().map(|provider| ("aws:FederatedProvider", provider.clone())));
        }
        Some(Self { identity_arn: role.arn.clone(), is_root: false, sources, keys, tags })
    }

    /// A group, as the policy simulator takes it.
    pub fn of_group(world: &World, group: &Group) -> Self {
        let mut sources = Vec::new();
        collect(world, &group.grants, &mut sources);
        Self::with(&group.arn, sources)
    }

    /// Somebody with these policies.
    pub fn with(arn: &str, sources: Vec<Source>) -> Self {
        Self { identity_arn: arn.to_owned(), is_root: false, sources, keys: Vec::new(), tags: Tags::new() }
    }

    /// Whether a statement of the principal's own policies denies a request.
    pub fn denies(&self, request: &Request) -> bool {
        found(&self.sources, request).iter().any(|applied| applied.effect == Effect::Deny)
    }

    fn root(arn: &str) -> Self {
        let keys = vec![("aws:PrincipalType", "Account".to_owned())];
        Self { identity_arn: arn.to_owned(), is_root: true, sources: Vec::new(), keys, tags: Tags::new() }
    }

    /// The context of a request by this principal: what was sent, and the keys that AWS adds.
    pub fn context(&self, world: &World, sent: &BTreeMap<String, Vec<String>>) -> Context {
        let mut context = Context::default();
        context.extend(sent);
        for (key, value) in &self.keys {
            context.set_default(key, value.clone());
        }
        for (key, value) in &self.tags {
            context.set_default(&format!("aws:PrincipalTag/{key}"), value.clone());
        }
        let account = &world.settings.account;
        for (key, value) in [
            ("aws:PrincipalArn", self.identity_arn.clone()),
            ("aws:PrincipalAccount", account.clone()),
            ("aws:ResourceAccount", account.clone()),
            ("aws:CurrentTime", world.now.to_string()),
            ("aws:EpochTime", world.now.as_second().to_string()),
            ("aws:RequestedRegion", world.settings.region.clone()),
            ("aws:SourceIp", "127.0.0.1".to_owned()),
            ("aws:SecureTransport", "true".to_owned()),
            ("aws:PrincipalIsAWSService", "false".to_owned()),
            ("aws:ViaAWSService", "false".to_owned()),
        ] {
            context.set_default(key, value);
        }
        context
    }
}

/// Adds the policies of a role, user or group.
fn collect(world: &World, grants: &Grants, sources: &mut Vec<Source>) {
    for (name, document) in &grants.inline {
        push(sources, Layer::Identity, name, document);
    }
    for arn in &grants.attached {
        if let Some(policy) = world.iam.policies.get(arn) {
            push(sources, Layer::Identity, arn, policy.document());
        }
    }
    if let Some(arn) = &grants.boundary {
        // A boundary whose policy is gone allows nothing.
        push(sources, Layer::Boundary, arn, world.iam.policies.get(arn).map_or("", |policy| policy.document()));
    }
}

fn push(sources: &mut Vec<Source>, layer: Layer, name: &str, text: &str) {
    let nothing = Document { has_variables: true, statements: Vec::new() };
    let document = Document::parse(text).unwrap_or(nothing);
    sources.push(Source { layer, name: name.to_owned(), document, text: text.to_owned() });
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
