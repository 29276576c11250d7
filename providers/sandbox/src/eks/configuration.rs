//! `configurationValues` of add-ons: JSON or YAML, held against the add-on's schema.
//!
//! The schemas are draft-06. What is wrong is worded as networknt's json-schema-validator words it, which is what EKS tells.

use regex::Regex;
use serde_json::Value;

/// Reads JSON or YAML; nothing is an empty object.
///
/// # Errors
/// The parser's words.
pub(super) fn read(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) => serde_norway::from_str(text).map_err(|error| error.to_string()),
    }
}

/// What is wrong with values by a schema, each with its place: `$.env.X: boolean found, string expected`.
pub(super) fn check(schema: &Value, values: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    Check { root: schema, wrong: &mut wrong }.value(schema, values, "$");
    wrong
}

struct Check<'a> {
    root: &'a Value,
    wrong: &'a mut Vec<String>,
}

impl Check<'_> {
    fn say(&mut self, place: &str, what: impl std::fmt::Display) {
        self.wrong.push(format!("{place}: {what}"));
    }

    fn value(&mut self, schema: &Value, value: &Value, place: &str) {
        if let Some(target) = schema["$ref"].as_str() {
            let root = self.root;
            let found = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
            return found.into_iter().for_each(|schema| self.value(schema, value, place));
        }
        if !self.has_type(schema, value, place) {
            return;
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            let allowed: Vec<String> = allowed.iter().map(plain).collect();
            self.say(place, format!("does not have a value in the enumeration [{}]", allowed.join(", ")));
        }
        self.any_of(schema, value, place);
        match value {
            Value::Object(_) => self.object(schema, value, place),
            Value::Array(items) => {
                if schema["items"].is_object() {
                    for (number, item) in items.iter().enumerate() {
                        self.value(&schema["items"], item, &format!("{place}[{number}]"));
                    }
                }
            }
            Value::String(text) => self.text(schema, text, place),
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or(0.0), place),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn has_type(&mut self, schema: &Value, value: &Value, place: &str) -> bool {
        let allowed: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let found = kind(value);
        let fits = allowed.iter().any(|it| *it == found || (*it == "number" && found == "integer"));
        if !fits {
            let expected = if allowed.len() == 1 { allowed[0].to_owned() } else { format!("[{}]", allowed.join(", ")) };
            self.say(place, format!("{found} found, {expected} expected"));
        }
        fits
    }

    fn any_of(&mut self, schema: &Value, value: &Value, place: &str) {
        let Some(choices) = schema["anyOf"].as_array() else { return };
        let mut closest: Option<Vec<String>> = None;
        for choice in choices {
            let mut wrong = Vec::new();
            Check { root: self.root, wrong: &mut wrong }.value(choice, value, place);
            if wrong.is_empty() {
                return;
            }
            closest.get_or_insert_default().extend(wrong);
        }
        self.wrong.extend(closest.unwrap_or_default());
    }

    fn object(&mut self, schema: &Value, value: &Value, place: &str) {
        let members = value.as_object().into_iter().flatten();
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(required).is_none() {
                self.say(&format!("{place}.{required}"), "is missing but it is required");
            }
        }
        for (name, member) in members {
            let place = format!("{place}.{name}");
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(schema), _) | (None, schema @ Value::Object(_)) => self.value(schema, member, &place),
                (None, Value::Bool(false)) => {
                    self.say(
                        &place,
                        "is not defined in the schema and the schema does not allow additional properties",
                    );
                }
                _ => {}
            }
        }
        let least = schema["minProperties"].as_u64().unwrap_or(0);
        if value.as_object().is_some_and(|members| (members.len() as u64) < least) {
            self.say(place, format!("should have a minimum of {least} properties"));
        }
    }

    fn text(&mut self, schema: &Value, text: &str, place: &str) {
        if let Some(pattern) = schema["pattern"].as_str()
            && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        {
            self.say(place, format!("does not match the regex pattern {pattern}"));
        }
    }

    fn number(&mut self, schema: &Value, number: f64, place: &str) {
        if let Some(least) = schema["minimum"].as_f64().filter(|least| number < *least) {
            self.say(place, format!("must have a minimum value of {least}"));
        }
        if let Some(most) = schema["maximum"].as_f64().filter(|most| number > *most) {
            self.say(place, format!("must have a maximum value of {most}"));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::catalog;

    fn wrong(addon: &str, values: &str) -> Vec<String> {
        let offer = catalog::addon(addon).unwrap();
        check(offer.schema(&offer.versions[0]), &read(values).unwrap())
    }

    #[test]
    fn values_are_held_against_the_schema() {
        let unknown = |place: &str| {
            format!("{place}: is not defined in the schema and the schema does not allow additional properties")
        };
        for (addon, values, expected) in [
            ("vpc-cni", "", vec![]),
            (
                "vpc-cni",
                r#"{"env":{"ENABLE_POD_ENI":"true"},"init":{"env":{"DISABLE_TCP_EARLY_DEMUX":"true"}}}"#,
                vec![],
            ),
            ("vpc-cni", "env:\n  POD_SECURITY_GROUP_ENFORCING_MODE: standard\n", vec![]),
            ("vpc-cni", r#"{"InitEnv":{}}"#, vec![unknown("$.InitEnv")]),
            (
                "vpc-cni",
                r#"{"env":{"DISABLE_TCP_EARLY_DEMUX":"true"}}"#,
                vec![unknown("$.env.DISABLE_TCP_EARLY_DEMUX")],
            ),
            (
                "vpc-cni",
                r#"{"env":{"ENABLE_POD_ENI":true,"WARM_IP_TARGET":5}}"#,
                vec![
                    "$.env.ENABLE_POD_ENI: boolean found, string expected".to_owned(),
                    "$.env.WARM_IP_TARGET: integer found, string expected".to_owned(),
                ],
            ),
            ("vpc-cni", "null", vec!["$: null found, object expected".to_owned()]),
            ("vpc-cni", "[]", vec!["$: array found, object expected".to_owned()]),
            (
                "vpc-cni",
                r#"{"eniConfig":{"create":true,"subnets":{}}}"#,
                vec![
                    "$.eniConfig.region: is missing but it is required".to_owned(),
                    "$.eniConfig.subnets: should have a minimum of 1 properties".to_owned(),
                ],
            ),
            ("vpc-cni", r#"{"affinity":null,"tolerations":[{"operator":"Exists"}]}"#, vec![]),
            ("vpc-cni", r#"{"tolerations":["x"]}"#, vec!["$.tolerations[0]: string found, object expected".to_owned()]),
            (
                "coredns",
                r#"{"autoScaling":{"enabled":true,"minReplicas":1,"maxReplicas":1001}}"#,
                vec![
                    "$.autoScaling.maxReplicas: must have a maximum value of 1000".to_owned(),
                    "$.autoScaling.minReplicas: must have a minimum value of 2".to_owned(),
                ],
            ),
            ("coredns", r#"{"podDisruptionBudget":{"maxUnavailable":"50%"}}"#, vec![]),
            (
                "coredns",
                r#"{"podDisruptionBudget":{"maxUnavailable":"50"}}"#,
                vec![
                    "$.podDisruptionBudget.maxUnavailable: does not match the regex pattern .*%$".to_owned(),
                    "$.podDisruptionBudget.maxUnavailable: string found, integer expected".to_owned(),
                ],
            ),
            (
                "kube-proxy",
                r#"{"mode":"nftables"}"#,
                vec!["$.mode: does not have a value in the enumeration [iptables, ipvs]".to_owned()],
            ),
        ] {
            assert_eq!(wrong(addon, values), expected, "{addon} {values}");
        }
    }
}
