//! Trust policies: who may become a role.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and "How permissions for cross account access work".

use super::context::Context;
use super::document::{Document, Effect, Principals};
use super::evaluate::{Request, applies};
use super::rows::Role;
use crate::world::World;

/// Who asks a trust policy.
#[derive(Clone, Debug)]
pub(crate) enum Who<'a> {
    /// A user or a session, by all that a principal may name it: its ARN, its role's ARN, its unique id.
    Caller { names: Vec<String>, account: &'a str },
    /// A service, `eks.amazonaws.com`.
    Service(&'a str),
    /// A provider's ARN.
    Federated(&'a str),
}

/// What a trust policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// A statement denies it.
    Denied,
    /// No statement allows it.
    Nothing,
    /// It trusts the account; the caller's own policies decide.
    Account,
    /// It trusts the caller itself, which needs no policy of its own.
    Caller,
}

/// What a role's trust policy says to somebody's action (`sts:AssumeRole`).
pub(crate) fn trust(role: &Role, who: &Who, action: &str, context: &Context) -> Trust {
    let Ok(document) = Document::parse(&role.trust) else { return Trust::Nothing };
    let request = Request { action, resource: &role.arn, context };
    let mut best = Trust::Nothing;
    for statement in &document.statements {
        let Some(principals) = &statement.principals else { continue };
        let fit = fit(principals, who);
        if fit == Trust::Nothing || !applies(statement, &request, document.has_variables) {
            continue;
        }
        match statement.effect {
            Effect::Deny => return Trust::Denied,
            Effect::Allow if best != Trust::Caller => best = fit,
            Effect::Allow => {}
        }
    }
    best
}

fn fit(principals: &Principals, who: &Who) -> Trust {
    let fits = principals.values.iter().map(|(kind, value)| fit_one(kind, value, who));
    let best =
        fits.fold(Trust::Nothing, |best, fit| if best == Trust::Caller || fit == Trust::Nothing { best } else { fit });
    match (principals.is_not, best) {
        (false, best) => best,
        (true, Trust::Nothing) => Trust::Caller,
        (true, _) => Trust::Nothing,
    }
}

fn fit_one(kind: &str, value: &str, who: &Who) -> Trust {
    let when = |fits: bool| if fits { Trust::Caller } else { Trust::Nothing };
    match (kind, who) {
        ("AWS", _) if value == "*" => Trust::Caller,
        ("AWS", Who::Caller { names, account }) => {
            if value == *account || value == format!("arn:aws:iam::{account}:root") {
                return Trust::Account;
            }
            when(names.iter().any(|name| name == value))
        }
        ("Service", Who::Service(name)) => when(value == *name),
        ("Federated", Who::Federated(arn)) => when(value == *arn),
        _ => Trust::Nothing,
    }
}

/// Whether a service (`eks.amazonaws.com`) may assume a role, by its ARN; an unknown role trusts nobody.
pub fn trusts_service(world: &World, role_arn: &str, service: &str) -> bool {
    let Some(role) = world.iam.role_of_arn(role_arn) else { return false };
    let mut context = Context::default();
    context.set("aws:SourceAccount", world.settings.account.clone());
    context.set("aws:PrincipalIsAWSService", "true");
    trust(role, &Who::Service(service), "sts:AssumeRole", &context) == Trust::Caller
}
