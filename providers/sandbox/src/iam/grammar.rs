//! Which documents IAM takes: `MalformedPolicyDocument` otherwise.
//!
//! Source: IAM User Guide, "Grammar of the IAM JSON policy language", and the messages that IAM answers.

use std::collections::BTreeSet;

use super::common::validation;
use super::document::{Document, Malformed, Patterns, Principals, Statement};
use crate::aws::ApiError;
use crate::world::World;

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new("MalformedPolicyDocument", message)
}

/// Checks a policy of an identity: managed, inline, boundary or session policy.
///
/// # Errors
/// `MalformedPolicyDocument`; `ValidationError` for characters beyond Latin-1.
pub fn check_identity_policy(text: &str) -> Result<Document, ApiError> {
    check_letters(text, "policyDocument")?;
    let document = Document::parse(text).map_err(|_| malformed("Syntax errors in policy."))?;
    if !document.has_variables {
        return Err(malformed("Policy document must be version 2012-10-17 or greater."));
    }
    if document.statements.iter().any(|statement| statement.principals.is_some()) {
        return Err(malformed("Policy document should not specify a principal."));
    }
    check_sids(&document.statements)?;
    for statement in &document.statements {
        let actions = statement.actions.as_ref().map(Patterns::values).unwrap_or_default();
        if actions.is_empty() {
            return Err(malformed("Policy statement must contain actions."));
        }
        actions.iter().try_for_each(|action| check_action(action))?;
        let resources = statement.resources.as_ref().map(Patterns::values).unwrap_or_default();
        if resources.is_empty() {
            return Err(malformed("Policy statement must contain resources."));
        }
        resources.iter().try_for_each(|resource| check_resource(resource))?;
    }
    Ok(document)
}

fn check_letters(text: &str, parameter: &str) -> Result<(), ApiError> {
    let allowed = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if text.is_empty() {
        let why = "failed to satisfy constraint: Member must have length greater than or equal to 1";
        return Err(validation(format!("1 validation error detected: Value '' at '{parameter}' {why}")));
    }
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(validation(format!(
        "The specified value for {parameter} is invalid. It must contain only printable ASCII characters."
    )))
}

fn check_sids(statements: &[Statement]) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for sid in statements.iter().filter_map(|statement| statement.sid.as_deref()).filter(|sid| !sid.is_empty()) {
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let why = "Check that your input satisfies the regular expression [0-9A-Za-z]*";
            return Err(malformed(format!("Statement IDs (SID) must be alpha-numeric. {why}")));
        }
        if !seen.insert(sid) {
            return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
        }
    }
    Ok(())
}

fn check_action(action: &str) -> Result<(), ApiError> {
    if action == "*" {
        return Ok(());
    }
    let Some((vendor, name)) = action.split_once(':') else {
        return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
    };
    if name.contains(':') {
        return Err(malformed("Actions/Condition can contain only one colon."));
    }
    if vendor.is_empty() || !vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(malformed(format!("Vendor {vendor} is not valid")));
    }
    if name.is_empty() { Err(malformed("The policy failed legacy parsing")) } else { Ok(()) }
}

fn check_resource(resource: &str) -> Result<(), ApiError> {
    if resource == "*" {
        return Ok(());
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    if parts[0] != "arn" || parts.len() < 2 {
        return Err(malformed(format!("Resource {resource} must be in ARN format or \"*\".")));
    }
    if !matches!(parts[1], "aws" | "aws-cn" | "aws-us-gov" | "*") && !parts[1].starts_with("${") {
        return Err(malformed(format!("Partition \"{}\" is not valid for resource \"{resource}\".", parts[1])));
    }
    if parts.len() < 6 && !resource.ends_with('*') {
        return Err(malformed("The policy failed legacy parsing"));
    }
    let vendor = parts.get(2).copied().unwrap_or("*");
    if vendor.len() > 1 && vendor.contains(['*', '?']) {
        return Err(malformed("Resource vendor must be fully qualified and cannot contain regexes."));
    }
    if vendor == "iam" && parts.get(3).is_some_and(|region| !region.is_empty() && *region != "*") {
        return Err(malformed(format!("IAM resource {resource} cannot contain region information.")));
    }
    check_iam_path(vendor, parts.get(5).copied())
}

/// The kinds of IAM's resources.
const IAM_PATHS: [&str; 12] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
];

fn check_iam_path(vendor: &str, path: Option<&str>) -> Result<(), ApiError> {
    let Some(path) = path.filter(|_| vendor == "iam") else { return Ok(()) };
    let is_known =
        path == "root" || path.starts_with("access-report/") || IAM_PATHS.iter().any(|kind| path.starts_with(kind));
    if is_known || path.starts_with(['*', '$']) || path.contains('*') {
        return Ok(());
    }
    Err(malformed(format!(
        "IAM resource path must either be \"*\" or start with {}, access-report/.",
        IAM_PATHS.join(", ")
    )))
}

/// Checks a role's trust policy, and that the account's principals in it exist.
///
/// # Errors
/// `MalformedPolicyDocument`.
pub fn check_trust_policy(world: &World, text: &str) -> Result<Document, ApiError> {
    check_letters(text, "assumeRolePolicyDocument")?;
    let document = Document::parse(text).map_err(|why| malformed(trust_syntax(&why)))?;
    check_sids(&document.statements)?;
    for statement in &document.statements {
        if statement.resources.is_some() {
            return Err(malformed("Has prohibited field Resource"));
        }
        let Some(principals) = &statement.principals else {
            return Err(malformed("Missing required field Principal"));
        };
        let actions = statement.actions.as_ref().map(Patterns::values).unwrap_or_default();
        if actions.is_empty() {
            return Err(malformed("Missing required field Action"));
        }
        if actions.iter().any(|action| !action.to_lowercase().starts_with("sts:")) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
        }
        check_principals(world, principals)?;
    }
    Ok(document)
}

fn trust_syntax(why: &Malformed) -> String {
    match why {
        Malformed::Json => "This policy contains invalid Json".to_owned(),
        Malformed::Missing(name) => format!("Missing required field {name}"),
        Malformed::Unknown(name) => format!("Unknown field {name}"),
        Malformed::Effect(effect) => format!("Invalid effect: {effect}"),
        Malformed::NoStatement => "Could not parse the policy: Statement is empty!".to_owned(),
        Malformed::Operator(name) => format!("Invalid Condition type : {name}"),
        Malformed::Syntax => "Syntax errors in policy.".to_owned(),
    }
}

fn check_principals(world: &World, principals: &Principals) -> Result<(), ApiError> {
    if principals.values.is_empty() {
        return Err(malformed("Missing required field Principal cannot be empty!"));
    }
    for (kind, value) in &principals.values {
        let is_good = match kind.as_str() {
            "AWS" => is_aws_principal(world, value),
            "Service" => is_service(value),
            "Federated" => is_federated(value),
            _ => value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
        };
        if !is_good {
            let kind = kind.to_uppercase();
            return Err(malformed(format!("Invalid principal in policy: \"{kind}\":\"{value}\"")));
        }
    }
    Ok(())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_aws_principal(world: &World, value: &str) -> bool {
    if value == "*" || is_account(value) {
        return true;
    }
    if let Some(id) = value.strip_prefix("AIDA").or_else(|| value.strip_prefix("AROA")) {
        let key = format!("id={value}");
        return !id.is_empty()
            && (world.iam.users.with(&key).next().is_some() || world.iam.roles.with(&key).next().is_some());
    }
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let ["arn", "aws" | "aws-cn" | "aws-us-gov", service, "", account, resource] = parts[..] else { return false };
    if !is_account(account) || resource.contains('*') {
        return false;
    }
    // Other accounts' principals cannot be looked up here.
    let is_other = account != world.settings.account;
    match (service, resource.split_once('/')) {
        ("iam", None) => resource == "root",
        ("iam", Some(("user", _))) => is_other || world.iam.user_of_arn(value).is_some(),
        ("iam", Some(("role", _))) => is_other || world.iam.role_of_arn(value).is_some(),
        ("sts", Some(("assumed-role", rest))) => {
            rest.split_once('/').is_some_and(|(role, _)| is_other || world.iam.roles.contains(role))
        }
        ("sts", Some(("federated-user", _))) => true,
        _ => false,
    }
}

fn is_service(value: &str) -> bool {
    let name = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal", ".aws.com"]
        .iter()
        .find_map(|suffix| value.strip_suffix(suffix));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    })
}

fn is_federated(value: &str) -> bool {
    let known = ["cognito-identity.amazonaws.com", "accounts.google.com", "www.amazon.com", "graph.facebook.com"];
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let is_arn = matches!(parts[..], ["arn", "aws" | "aws-cn" | "aws-us-gov", "iam", "", account, resource]
        if is_account(account) && (resource.starts_with("oidc-provider/") || resource.starts_with("saml-provider/")));
    known.contains(&value) || is_arn
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
