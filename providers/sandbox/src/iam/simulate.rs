//! The policy simulator, on the same evaluation that enforcement uses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::authorize::{Decision, Principal, found, weigh};
use super::common::{input, listed, no_such, sized};
use super::document::Document;
use super::evaluate::{Applied, Layer, Request, Source, concerns};
use super::grammar::check_identity_policy;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "SimulatePrincipalPolicy", run: simulate_principal },
    Operation { name: "SimulateCustomPolicy", run: simulate_custom },
    Operation { name: "GetContextKeysForPrincipalPolicy", run: context_keys_of_principal },
    Operation { name: "GetContextKeysForCustomPolicy", run: context_keys_of_custom },
];

/// The user, role or group whose policies are simulated.
fn source(world: &World, call: &Call) -> Result<Principal, ApiError> {
    let arn = sized(call, "PolicySourceArn", 2048)?;
    if let Some((_, group)) = world.iam.groups.with(&format!("arn={arn}")).next() {
        return Ok(Principal::of_group(world, group));
    }
    let principal = Principal::of(world, &arn);
    principal.ok_or_else(|| no_such(format!("The entity with ARN {arn} cannot be found.")))
}

/// The documents of a list parameter, as policies.
fn inputs(call: &Call, parameter: &str, layer: Layer) -> Result<Vec<Source>, ApiError> {
    let documents = call.texts(parameter).into_iter().enumerate();
    let sources = documents.map(|(number, text)| {
        let document =
            check_identity_policy(&text).map_err(|error| input(format!("{parameter}: {}", error.message)))?;
        Ok(Source { layer, name: format!("{parameter}.{}", number + 1), document, text })
    });
    sources.collect()
}

fn simulate_principal(world: &mut World, call: &Call) -> Answer {
    let mut principal = source(world, call)?;
    principal.sources.extend(inputs(call, "PolicyInputList", Layer::Identity)?);
    let boundaries = inputs(call, "PermissionsBoundaryPolicyInputList", Layer::Boundary)?;
    if !boundaries.is_empty() {
        principal.sources.retain(|source| source.layer != Layer::Boundary);
        principal.sources.extend(boundaries);
    }
    simulate(world, call, &principal)
}

fn simulate_custom(world: &mut World, call: &Call) -> Answer {
    let mut sources = inputs(call, "PolicyInputList", Layer::Identity)?;
    if sources.is_empty() {
        return Err(ApiError::missing(call.service, "PolicyInputList"));
    }
    sources.extend(inputs(call, "PermissionsBoundaryPolicyInputList", Layer::Boundary)?);
    let arn = call.text("CallerArn").unwrap_or_else(|| call.caller.arn.clone());
    simulate(world, call, &Principal::with(&arn, sources))
}

fn simulate(world: &World, call: &Call, principal: &Principal) -> Answer {
    for unknown in ["ResourcePolicy", "ResourceOwner", "ResourceHandlingOption"] {
        if call.has(unknown) {
            return Err(input(format!("{unknown} is not simulated by this sandbox.")));
        }
    }
    let actions = call.texts("ActionNames");
    if actions.is_empty() {
        return Err(ApiError::missing(call.service, "ActionNames"));
    }
    for action in &actions {
        let is_good = action.split_once(':').is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty());
        if !is_good || action.contains(['*', '?']) {
            return Err(input(format!("Invalid Entity Action: {action}")));
        }
    }
    let mut resources = call.texts("ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    let context = principal.context(world, &entries(call)?);
    let mut rows = Vec::new();
    for action in &actions {
        for resource in &resources {
            let request = Request { action, resource, context: &context };
            rows.push((format!("{:06}", rows.len()), result(principal, &request)));
        }
    }
    listed(call, "EvaluationResults", rows.iter().map(|(id, row)| (id.as_str(), row.clone())))
}

/// The context that a call gives.
fn entries(call: &Call) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
    let mut context = BTreeMap::new();
    for entry in call.structures("ContextEntries") {
        let values = entry.texts("ContextKeyValues");
        context.insert(entry.required("ContextKeyName")?, values);
    }
    Ok(context)
}

fn result(principal: &Principal, request: &Request) -> Value {
    let found = found(&principal.sources, request);
    let decision = if principal.is_root { Decision::Allow } else { weigh(&principal.sources, &found) };
    let word = match decision {
        Decision::Allow => "allowed",
        Decision::ImplicitDeny(_) => "implicitDeny",
        Decision::ExplicitDeny(_) => "explicitDeny",
    };
    let mut result = Map::new();
    result.insert("EvalActionName".to_owned(), request.action.into());
    result.insert("EvalResourceName".to_owned(), request.resource.into());
    result.insert("EvalDecision".to_owned(), word.into());
    let matched = found.iter().filter(|applied| applied.layer != Layer::Boundary);
    let matched: Vec<Value> = matched.map(|applied| statement(principal, applied)).collect();
    result.insert("MatchedStatements".to_owned(), matched.into());
    result.insert("MissingContextValues".to_owned(), missing(principal, request).into_iter().collect());
    if principal.sources.iter().any(|source| source.layer == Layer::Boundary) {
        let allows =
            |applied: &Applied| applied.layer == Layer::Boundary && applied.effect == super::document::Effect::Allow;
        let detail = json!({ "AllowedByPermissionsBoundary": found.iter().any(allows) });
        result.insert("PermissionsBoundaryDecisionDetail".to_owned(), detail);
    }
    Value::Object(result)
}

/// The keys that statements on this action and resource ask for and that the context does not have.
fn missing(principal: &Principal, request: &Request) -> BTreeSet<String> {
    let statements = principal.sources.iter().flat_map(|source| {
        source.document.statements.iter().filter(|it| concerns(it, request, source.document.has_variables))
    });
    let keys = statements.flat_map(|statement| statement.conditions.iter().map(|condition| condition.key.clone()));
    keys.filter(|key| !request.context.has(key)).collect()
}

fn statement(principal: &Principal, applied: &Applied) -> Value {
    let source = principal.sources.iter().find(|source| source.name == applied.policy && source.layer == applied.layer);
    let kind = match applied.policy.as_str() {
        arn if arn.starts_with("arn:aws:iam::aws:") => "aws-managed",
        arn if arn.starts_with("arn:") => "user-managed",
        name if name.contains("PolicyInputList.") => "IAM Policy",
        _ if principal.identity_arn.contains(":role/") => "role",
        _ if principal.identity_arn.contains(":group/") => "group",
        _ => "user",
    };
    let name = applied.policy.rsplit('/').next().unwrap_or_default();
    let place = |(line, column): (usize, usize)| json!({ "Line": line, "Column": column });
    let span = source.and_then(|source| span(&source.text, applied.index));
    json!({
        "SourcePolicyId": name,
        "SourcePolicyType": kind,
        "StartPosition": span.map(|(start, _)| place(start)),
        "EndPosition": span.map(|(_, end)| place(end)),
    })
}

/// Where a statement of a document begins and ends: lines and columns from 1.
fn span(text: &str, index: usize) -> Option<((usize, usize), (usize, usize))> {
    let (mut line, mut column, mut depth, mut objects) = (1, 0, 0_usize, 0);
    let (mut quoted, mut escaped, mut word, mut in_statement, mut start) = (false, false, String::new(), false, None);
    // A list of statements lies one level deeper than a single one.
    let mut list = 0;
    for letter in text.chars() {
        (line, column) = if letter == '\n' { (line + 1, 0) } else { (line, column + 1) };
        if quoted {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = false,
                letter => word.push(letter),
            }
            continue;
        }
        match letter {
            '"' => {
                quoted = true;
                word.clear();
            }
            ':' if depth == 1 => in_statement = word == "Statement",
            '[' if depth == 1 && in_statement => list = 1,
            '[' => depth += 1,
            ']' if depth == 1 && list == 1 => list = 0,
            ']' => depth = depth.saturating_sub(1),
            '{' => {
                depth += 1;
                if depth == 2 && in_statement {
                    start = (objects == index).then_some((line, column)).or(start);
                    objects += 1;
                }
            }
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 1 && in_statement && objects == index + 1 {
                    return start.map(|start| (start, (line, column + 1)));
                }
            }
            _ => {}
        }
    }
    None
}

/// The keys of conditions and variables of policies.
fn context_keys<'a>(documents: impl Iterator<Item = (&'a Document, &'a str)>) -> Value {
    let mut keys = BTreeSet::new();
    for (document, text) in documents {
        let conditions = document.statements.iter().flat_map(|statement| statement.conditions.iter());
        keys.extend(conditions.map(|condition| condition.key.clone()));
        if document.has_variables {
            let variables = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
            let names = variables.map(|(name, _)| name.split(',').next().unwrap_or_default().trim().to_owned());
            keys.extend(names.filter(|name| name.contains(':')));
        }
    }
    json!({ "ContextKeyNames": keys })
}

fn context_keys_of_principal(world: &mut World, call: &Call) -> Answer {
    let mut principal = source(world, call)?;
    principal.sources.extend(inputs(call, "PolicyInputList", Layer::Identity)?);
    Ok(context_keys(principal.sources.iter().map(|source| (&source.document, source.text.as_str()))))
}

fn context_keys_of_custom(_world: &mut World, call: &Call) -> Answer {
    let sources = inputs(call, "PolicyInputList", Layer::Identity)?;
    if sources.is_empty() {
        return Err(ApiError::missing(call.service, "PolicyInputList"));
    }
    Ok(context_keys(sources.iter().map(|source| (&source.document, source.text.as_str()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_places() {
        let list =
            "{\n \"Statement\": [\n  {\"Sid\": \"}\"},\n  {\"Sid\": \"b\", \"Condition\": {\"Bool\": {}}}\n ]\n}";
        assert_eq!(span(list, 0), Some(((3, 3), (3, 15))));
        assert_eq!(span(list, 1), Some(((4, 3), (4, 42))));
        assert_eq!(span(list, 2), None);
        assert_eq!(span("{\"Statement\":{\"Sid\":\"a\"}}", 0), Some(((1, 14), (1, 25))));
    }
}
