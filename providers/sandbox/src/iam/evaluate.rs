//! Policies over one request: which statements apply, and what follows.
//!
//! Source: IAM User Guide, "Policy evaluation logic".

use super::context::Context;
use super::document::{Document, Effect, Statement};
use super::pattern::Pattern;

/// A request as policies see it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `ec2:CreateVpc`.
    pub action: &'a str,
    /// An ARN, or `*` for an action without resources.
    pub resource: &'a str,
    /// What conditions ask about.
    pub context: &'a Context,
}

/// Where a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Attached to the caller or its groups.
    Identity,
    /// The caller's permissions boundary.
    Boundary,
    /// Passed to STS with the session.
    Session,
    /// Attached to the resource: a role's trust policy.
    Resource,
}

/// A policy with its name.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it stands.
    pub layer: Layer,
    /// Its ARN, or `NAME` of an inline policy.
    pub name: String,
    /// What it says.
    pub document: Document,
    /// What it says, as sent.
    pub text: String,
}

/// A statement that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Where its policy stands.
    pub layer: Layer,
    /// Its policy.
    pub policy: String,
    /// Its place in the policy, from 0.
    pub index: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// What it says.
    pub effect: Effect,
}

/// All statements of a policy that apply to a request.
pub fn applied(source: &Source, request: &Request) -> Vec<Applied> {
    let statements = source.document.statements.iter().enumerate();
    let applying = statements.filter(|(_, it)| applies(it, request, source.document.has_variables));
    applying
        .map(|(index, statement)| Applied {
            layer: source.layer,
            policy: source.name.clone(),
            index,
            sid: statement.sid.clone(),
            effect: statement.effect,
        })
        .collect()
}

/// Whether action, resource and conditions of a statement fit. Principals are looked at where there are any: in trust policies.
pub fn applies(statement: &Statement, request: &Request, has_variables: bool) -> bool {
    concerns(statement, request, has_variables)
        && statement.conditions.iter().all(|condition| condition.holds(request.context, has_variables))
}

/// Whether action and resource of a statement fit, whatever its conditions say.
pub fn concerns(statement: &Statement, request: &Request, has_variables: bool) -> bool {
    let variables = has_variables.then_some(request.context);
    let action = |pattern: &str| Pattern::new(pattern, None).is_some_and(|it| it.fits_in_any_case(request.action));
    let resource =
        |pattern: &str| Pattern::new(pattern, variables).is_some_and(|it| it.of_arn().fits(request.resource));
    statement.actions.as_ref().is_some_and(|actions| actions.hold(action))
        && statement.resources.as_ref().is_none_or(|resources| resources.hold(resource))
}
