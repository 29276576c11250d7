//! Custom resource definitions themselves: names, versions and structural schemas
//! (`apiextensions-apiserver/pkg/apis/apiextensions/validation`, `pkg/apiserver/schema`).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Cause, Causes, definition_versions, items, names, text};

/// What is wrong with a definition, decoded and defaulted; `old` is what it replaces.
pub fn check(definition: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Causes::default();
    let spec = &definition["spec"];
    let group = text(spec, "group");
    let wanted = format!("{}.{group}", text(&spec["names"], "plural"));
    if let Some(old) = old {
        definition_versions::fixed(spec, &old["spec"], &mut causes);
    } else if text(&definition["metadata"], "name") != wanted {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        causes.invalid("metadata.name", &definition["metadata"]["name"], detail);
    }
    if group.is_empty() {
        causes.required("spec.group", "");
    } else if let wrong = names::subdomain(group)
        && !wrong.is_empty()
    {
        causes.invalid("spec.group", &spec["group"], &wrong.join(","));
    } else if !group.contains('.') {
        causes.invalid("spec.group", &spec["group"], "should be a domain with at least one dot");
    }
    definition_versions::approved(definition, &mut causes);
    causes.one_of("spec.scope", &spec["scope"], &["Cluster", "Namespaced"]);
    if spec["preserveUnknownFields"] == true {
        let detail =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        causes.invalid("spec.preserveUnknownFields", &json!(true), detail);
    }
    names_of(&spec["names"], &mut causes);
    conversion(&spec["conversion"], &mut causes);
    definition_versions::check(definition, &mut causes);
    causes.0
}

fn names_of(it: &Value, causes: &mut Causes) {
    for name in ["plural", "singular", "kind", "listKind"] {
        let path = format!("spec.names.{name}");
        let value = text(it, name);
        if value.is_empty() {
            causes.required(path, "");
            continue;
        }
        let wrong = names::label_1035(&value.to_lowercase()).join(",");
        let is_kind = name.ends_with("ind");
        if !wrong.is_empty() {
            let detail =
                if is_kind { format!("may have mixed case, but should otherwise match: {wrong}") } else { wrong };
            causes.invalid(path, &it[name], &detail);
        } else if !is_kind && value.chars().any(char::is_uppercase) {
            causes.invalid(path, &it[name], &names::label_1035(value).join(","));
        }
    }
    for list in ["shortNames", "categories"] {
        for (path, name) in items(&it[list], &format!("spec.names.{list}")) {
            let wrong = names::label_1035(name.as_str().unwrap_or(""));
            if !wrong.is_empty() {
                causes.invalid(path, name, &wrong.join(","));
            }
        }
    }
    if !text(it, "kind").is_empty() && it["kind"] == it["listKind"] {
        causes.invalid("spec.names.listKind", &it["listKind"], "kind and listKind may not be the same");
    }
}

fn conversion(it: &Value, causes: &mut Causes) {
    match text(it, "strategy") {
        "" | "None" => {}
        "Webhook" => {
            let client = &it["webhook"]["clientConfig"];
            if client.is_null() {
                causes.required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook");
            } else if client["url"].is_null() == client["service"].is_null() {
                causes.required("spec.conversion.webhookClientConfig", "exactly one of url or service is required");
            }
        }
        _ => causes.unsupported("spec.conversion.strategy", &it["strategy"], &["None", "Webhook"]),
    }
}

/// Where in a schema one looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Member,
    Item,
}

pub(super) fn root(schema: &Value, version: &Value, path: &str, causes: &mut Causes) {
    if schema["nullable"] == true {
        causes.forbidden(format!("{path}.nullable"), "nullable cannot be true at the root");
    }
    if !schema["additionalProperties"].is_null() {
        causes.forbidden(format!("{path}.additionalProperties"), "must not be used at the root");
    }
    let has_status = !version["subresources"]["status"].is_null();
    if has_status && !text(schema, "type").is_empty() && text(schema, "type") != "object" {
        let detail =
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        causes.invalid(format!("{path}.type"), &schema["type"], detail);
    }
    let before = causes.0.len();
    structure(schema, path, Place::Root, causes);
    // What has no form has no types, and rules are checked against those.
    if causes.0.len() == before {
        super::definition_rules::compile(schema, path, causes);
    }
}

const KINDS: &[&str] = &["string", "number", "integer", "boolean", "array", "object"];

fn structure(it: &Value, path: &str, place: Place, causes: &mut Causes) {
    kind(it, path, place, causes);
    unsupported(it, path, causes);
    lists(it, path, causes);
    let is_embedded = it["x-kubernetes-embedded-resource"] == true;
    if is_embedded
        && it["x-kubernetes-preserve-unknown-fields"] != true
        && it["properties"].as_object().is_none_or(|it| it.is_empty())
    {
        causes.required(
            format!("{path}.properties"),
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        );
    }
    if place == Place::Root || is_embedded {
        let metadata = &it["properties"]["metadata"];
        if !metadata.is_null() && text(metadata, "type") != "object" {
            causes.invalid(
                format!("{path}.properties[metadata].type"),
                &json!(text(metadata, "type")),
                "must be object",
            );
        }
        let members = metadata["properties"].as_object().into_iter().flatten();
        if members.map(|(name, _)| name.as_str()).any(|name| !matches!(name, "name" | "generateName")) {
            causes.forbidden(
                format!("{path}.properties[metadata]"),
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            );
        }
        for name in ["kind", "apiVersion"] {
            let member = &it["properties"][name];
            if !member.is_null() && text(member, "type") != "string" {
                causes.invalid(
                    format!("{path}.properties[{name}].type"),
                    &json!(text(member, "type")),
                    "must be string",
                );
            }
        }
    }
    for (name, member) in it["properties"].as_object().into_iter().flatten() {
        structure(member, &format!("{path}.properties[{name}]"), Place::Member, causes);
    }
    if it["additionalProperties"].is_object() {
        structure(&it["additionalProperties"], &format!("{path}.additionalProperties"), Place::Member, causes);
    }
    if it["items"].is_object() {
        structure(&it["items"], &format!("{path}.items"), Place::Item, causes);
    }
    composed(it, path, causes);
}

fn kind(it: &Value, path: &str, place: Place, causes: &mut Causes) {
    let kind = text(it, "type");
    let path_of_type = format!("{path}.type");
    let takes_any = it["x-kubernetes-int-or-string"] == true || it["x-kubernetes-preserve-unknown-fields"] == true;
    match (kind, place) {
        ("", Place::Root) => causes.required(path_of_type, "must not be empty at the root"),
        ("", _) if takes_any => {}
        ("", Place::Item) => causes.required(path_of_type, "must not be empty for specified array items"),
        ("", Place::Member) => causes.required(path_of_type, "must not be empty for specified object fields"),
        ("object", _) => {}
        (_, Place::Root) => causes.invalid(path_of_type, &it["type"], "must be object at the root"),
        ("null", _) => causes.forbidden(path_of_type, "type cannot be set to null, use nullable as an alternative"),
        (kind, _) if !KINDS.contains(&kind) => {
            let mut kinds = KINDS.to_vec();
            kinds.sort_unstable();
            causes.unsupported(path_of_type, &it["type"], &kinds);
        }
        _ => {}
    }
    if kind == "array" && it["items"].is_null() {
        causes.required(format!("{path}.items"), "must be specified");
    }
    if it["items"].is_array() {
        causes.forbidden(format!("{path}.items"), "items must be a schema object and not an array");
    }
}

fn unsupported(it: &Value, path: &str, causes: &mut Causes) {
    for name in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
        let is_there = it[name].as_str().is_none_or(|text| !text.is_empty()) && !it[name].is_null();
        if is_there {
            causes.forbidden(format!("{path}.{name}"), &format!("{name} is not supported"));
        }
    }
    if it["uniqueItems"] == true {
        causes.forbidden(
            format!("{path}.uniqueItems"),
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        );
    }
    if it["properties"].as_object().is_some_and(|it| !it.is_empty())
        && !matches!(it["additionalProperties"], Value::Null | Value::Bool(true))
    {
        causes.forbidden(
            format!("{path}.additionalProperties"),
            "additionalProperties and properties are mutual exclusive",
        );
    }
    if it["x-kubernetes-preserve-unknown-fields"] == false {
        causes.invalid(
            format!("{path}.x-kubernetes-preserve-unknown-fields"),
            &json!(false),
            "must be true or undefined",
        );
    }
    if let Some(pattern) = it["pattern"].as_str()
        && let Err(error) = regex::Regex::new(pattern)
    {
        causes.invalid(
            format!("{path}.pattern"),
            &it["pattern"],
            &format!("must be a valid regular expression, but isn't: {}", go_regexp(pattern, &error)),
        );
    }
    for (path, rule) in items(&it["x-kubernetes-validations"], &format!("{path}.x-kubernetes-validations")) {
        super::definition_rules::form(rule, it, &path, causes);
    }
}

/// Go's words for the mistakes that are made.
fn go_regexp(pattern: &str, error: &regex::Error) -> String {
    match error.to_string() {
        said if said.contains("unclosed group") => format!("error parsing regexp: missing closing ): `{pattern}`"),
        said if said.contains("unopened group") => format!("error parsing regexp: unexpected ): `{pattern}`"),
        said if said.contains("unclosed character class") => {
            let at = pattern.rfind('[').unwrap_or(0);
            format!("error parsing regexp: missing closing ]: `{}`", &pattern[at..])
        }
        said => said,
    }
}

fn lists(it: &Value, path: &str, causes: &mut Causes) {
    let kind = text(it, "type");
    let map_type = text(it, "x-kubernetes-map-type");
    if !map_type.is_empty() && kind != "object" {
        causes.invalid(format!("{path}.type"), &it["type"], "must be object if x-kubernetes-map-type is specified");
    }
    if !matches!(map_type, "" | "atomic" | "granular") {
        causes.unsupported(
            format!("{path}.x-kubernetes-map-type"),
            &it["x-kubernetes-map-type"],
            &["atomic", "granular"],
        );
    }
    let list_type = text(it, "x-kubernetes-list-type");
    if !list_type.is_empty() && kind != "array" {
        causes.invalid(format!("{path}.type"), &it["type"], "must be array if x-kubernetes-list-type is specified");
    }
    let keys = items(&it["x-kubernetes-list-map-keys"], "");
    let path_of_keys = format!("{path}.x-kubernetes-list-map-keys");
    match list_type {
        "" if !keys.is_empty() => causes.required(
            format!("{path}.x-kubernetes-list-type"),
            "must be map if x-kubernetes-list-map-keys is non-empty",
        ),
        "atomic" | "set" if !keys.is_empty() => causes.invalid(
            format!("{path}.x-kubernetes-list-type"),
            &it["x-kubernetes-list-type"],
            "must be map if x-kubernetes-list-map-keys is non-empty",
        ),
        "" | "atomic" => {}
        "set" => {
            if text(&it["items"], "type") == "object" && text(&it["items"], "x-kubernetes-map-type") != "atomic" {
                causes.invalid(
                    format!("{path}.items.x-kubernetes-map-type"),
                    &Value::Null,
                    "must be atomic as item of a list with x-kubernetes-list-type=set",
                );
            }
            if text(&it["items"], "type") == "array" && text(&it["items"], "x-kubernetes-list-type") != "atomic" {
                causes.invalid(
                    format!("{path}.items.x-kubernetes-list-type"),
                    &Value::Null,
                    "must be atomic as item of a list with x-kubernetes-list-type=set",
                );
            }
        }
        "map" if keys.is_empty() => causes.required(path_of_keys, "must not be empty if x-kubernetes-list-type is map"),
        "map" => keyed(it, &keys, path, causes),
        _ => causes.unsupported(
            format!("{path}.x-kubernetes-list-type"),
            &it["x-kubernetes-list-type"],
            &["atomic", "set", "map"],
        ),
    }
    if matches!(list_type, "map" | "set") && it["items"]["nullable"] == true {
        causes.forbidden(
            format!("{path}.items.nullable"),
            &format!("cannot be nullable when x-kubernetes-list-type is {list_type}"),
        );
    }
}

fn keyed(it: &Value, keys: &[(String, &Value)], path: &str, causes: &mut Causes) {
    let items = &it["items"];
    if text(items, "type") != "object" {
        causes.invalid(
            format!("{path}.items.type"),
            &items["type"],
            "must be object if parent array's x-kubernetes-list-type is map",
        );
    }
    let all = &it["x-kubernetes-list-map-keys"];
    let mut seen = BTreeSet::new();
    for (_, key) in keys {
        let name = key.as_str().unwrap_or("");
        let member = &items["properties"][name];
        if member.is_null() {
            causes.invalid(
                format!("{path}.x-kubernetes-list-map-keys"),
                all,
                "entries must all be names of item properties",
            );
            continue;
        }
        if !seen.insert(name) {
            causes.invalid(format!("{path}.x-kubernetes-list-map-keys"), all, "must not contain duplicate entries");
        }
        if matches!(text(member, "type"), "array" | "object") {
            causes.invalid(
                format!("{path}.items.properties[{name}].type"),
                &items["type"],
                "must be a scalar type if parent array's x-kubernetes-list-type is map",
            );
        }
        let is_required = items["required"].as_array().is_some_and(|list| list.contains(key));
        if member["default"].is_null() && !is_required {
            causes.required(
                format!("{path}.items.properties[{name}].default"),
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            );
        }
        if member["nullable"] == true {
            causes.forbidden(
                format!("{path}.items.properties[{name}].nullable"),
                "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
            );
        }
    }
}

/// Below `allOf`, `anyOf`, `oneOf` and `not` there are only limits on values.
fn composed(it: &Value, path: &str, causes: &mut Causes) {
    for list in ["allOf", "anyOf", "oneOf"] {
        let is_number_or_string = it["x-kubernetes-int-or-string"] == true && list != "oneOf";
        for (path, part) in items(&it[list], &format!("{path}.{list}")) {
            limits_only(part, &path, is_number_or_string, causes);
        }
    }
    if it["not"].is_object() {
        limits_only(&it["not"], &format!("{path}.not"), false, causes);
    }
}

fn limits_only(it: &Value, path: &str, may_have_type: bool, causes: &mut Causes) {
    let is_set = |name: &str| match &it[name] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    let rows = [
        ("type", "must be empty to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"),
        ("nullable", "must be false to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
        ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"),
        ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"),
        ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
    ];
    for (name, detail) in rows {
        if is_set(name) && !(name == "type" && may_have_type) {
            causes.forbidden(format!("{path}.{name}"), detail);
        }
    }
    for (name, member) in it["properties"].as_object().into_iter().flatten() {
        limits_only(member, &format!("{path}.properties[{name}]"), false, causes);
    }
    if it["items"].is_object() {
        limits_only(&it["items"], &format!("{path}.items"), false, causes);
    }
    for list in ["allOf", "anyOf", "oneOf"] {
        for (path, part) in items(&it[list], &format!("{path}.{list}")) {
            limits_only(part, &path, may_have_type, causes);
        }
    }
}
