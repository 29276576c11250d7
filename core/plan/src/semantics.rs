//! When two values mean the same although they are written differently.

use std::net::IpAddr;

use serde_json::Value as Json;
use sgp_model::{Value, schema::Semantics};

/// Whether two values of one attribute mean the same. Unknown values mean the same as nothing else.
pub fn means_the_same(semantics: Semantics, a: &Value, b: &Value) -> bool {
    if a.same(b) {
        return a.is_wholly_known();
    }
    let (Some(a), Some(b)) = (a.as_str(), b.as_str()) else { return false };
    match semantics {
        Semantics::Exact => false,
        Semantics::CaseInsensitive => a.to_lowercase() == b.to_lowercase(),
        Semantics::Cidr => matches!((network(a), network(b)), (Some(a), Some(b)) if a == b),
        Semantics::Json => both(a, b, |text| serde_json::from_str::<Json>(text).ok()),
        Semantics::Yaml => both(a, b, |text| serde_norway::from_str::<Json>(text).ok()),
        Semantics::IamPolicy => both(a, b, |text| serde_json::from_str(text).ok().map(canonical_policy)),
    }
}

/// A block of addresses: whether it is IPv6, its first address, its length.
fn network(text: &str) -> Option<(bool, u128, u32)> {
    let (address, length) = text.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    let (is_v6, bits, width) = match address.parse().ok()? {
        IpAddr::V4(v4) => (false, u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (true, v6.to_bits(), 128),
    };
    let host = u32::checked_sub(width, length)?;
    Some((is_v6, bits.checked_shr(host).unwrap_or(0).checked_shl(host).unwrap_or(0), length))
}

fn both(a: &str, b: &str, parse: impl Fn(&str) -> Option<Json>) -> bool {
    matches!((parse(a), parse(b)), (Some(a), Some(b)) if a == b)
}

/// Keys whose single string means the same as a list of it, in every statement.
/// Source: IAM User Guide, "IAM JSON policy elements reference".
const LISTS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

/// A policy document in one form: statements, actions, resources, principals and condition values as sorted lists.
fn canonical_policy(policy: Json) -> Json {
    let Json::Object(mut document) = policy else { return policy };
    if let Some(statements) = document.remove("Statement") {
        let canonical = as_list(statements).into_iter().map(canonical_statement).collect();
        document.insert("Statement".into(), sorted(canonical));
    }
    Json::Object(document)
}

fn canonical_statement(statement: Json) -> Json {
    let Json::Object(mut statement) = statement else { return statement };
    for (key, value) in &mut statement {
        let old = value.take();
        *value = match key.as_str() {
            k if LISTS.contains(&k) => sorted(as_list(old)),
            "Principal" | "NotPrincipal" => canonical_principal(old),
            "Condition" => canonical_condition(old),
            _ => old,
        };
    }
    Json::Object(statement)
}

/// `"*"` and `{"AWS": "*"}` name the same principals in resource policies; an account id is its root user.
fn canonical_principal(principal: Json) -> Json {
    let Json::Object(kinds) = principal else { return principal };
    let canonical = kinds.into_iter().map(|(kind, who)| {
        let who = as_list(who).into_iter().map(|name| match name.as_str() {
            Some(account) if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) => {
                Json::String(format!("arn:aws:iam::{account}:root"))
            }
            _ => name,
        });
        (kind, sorted(who.collect()))
    });
    Json::Object(canonical.collect())
}

fn canonical_condition(condition: Json) -> Json {
    let Json::Object(operators) = condition else { return condition };
    let canonical = operators.into_iter().map(|(operator, keys)| {
        let Json::Object(keys) = keys else { return (operator, keys) };
        let keys = keys.into_iter().map(|(key, values)| {
            let texts = as_list(values).into_iter().map(|v| match v {
                Json::Bool(_) | Json::Number(_) => Json::String(v.to_string()),
                other => other,
            });
            (key, sorted(texts.collect()))
        });
        (operator, Json::Object(keys.collect()))
    });
    Json::Object(canonical.collect())
}

fn as_list(value: Json) -> Vec<Json> {
    match value {
        Json::Array(values) => values,
        other => vec![other],
    }
}

fn sorted(mut values: Vec<Json>) -> Json {
    values.sort_by_cached_key(Json::to_string);
    values.dedup();
    Json::Array(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_mean_the_same() {
        let rows = [
            (Semantics::Exact, "a", "a", true),
            (Semantics::Exact, "a", "A", false),
            (Semantics::CaseInsensitive, "TCP", "tcp", true),
            (Semantics::Cidr, "10.0.0.0/16", "10.0.7.3/16", true),
            (Semantics::Cidr, "10.0.0.0/16", "10.0.0.0/17", false),
            (Semantics::Cidr, "2001:db8::/32", "2001:0DB8::1/32", true),
            (Semantics::Cidr, "::/0", "0::/0", true),
            (Semantics::Cidr, "0.0.0.0/0", "::/0", false),
            (Semantics::Cidr, "10.0.0.0/33", "10.0.0.1/33", false),
            (Semantics::Json, r#"{"a":1,"b":2}"#, "{\"b\": 2,\n\"a\": 1}", true),
            (Semantics::Json, "[1,2]", "[2,1]", false),
            (Semantics::Json, "not json", "not  json", false),
            (Semantics::Yaml, "a: 1\n", r#"{"a": 1}"#, true),
            (
                Semantics::IamPolicy,
                r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":["b","a"]}}"#,
                r#"{"Statement":[{"Action":["s3:*"],"Resource":["a","b"],"Effect":"Allow"}]}"#,
                true,
            ),
            (
                Semantics::IamPolicy,
                r#"{"Statement":[{"Principal":{"AWS":"123456789012"}}]}"#,
                r#"{"Statement":[{"Principal":{"AWS":["arn:aws:iam::123456789012:root"]}}]}"#,
                true,
            ),
            (
                Semantics::IamPolicy,
                r#"{"Statement":[{"Condition":{"Bool":{"a":true}}}]}"#,
                r#"{"Statement":[{"Condition":{"Bool":{"a":["true"]}}}]}"#,
                true,
            ),
            (
                Semantics::IamPolicy,
                r#"{"Statement":[{"Effect":"Allow"}]}"#,
                r#"{"Statement":[{"Effect":"Deny"}]}"#,
                false,
            ),
        ];
        for (semantics, a, b, expected) in rows {
            assert_eq!(means_the_same(semantics, &a.into(), &b.into()), expected, "{semantics:?} {a} {b}");
        }
    }

    #[test]
    fn the_unknown_means_the_same_as_nothing() {
        let unknown = Value::unknown(sgp_model::Type::String);
        assert!(!means_the_same(Semantics::Exact, &unknown, &unknown));
    }
}
