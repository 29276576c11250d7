//! Takes out of an answer what must differ from server to server: ids, times, versions, names and addresses that a server chooses.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};
use sgp_tests::world::Answer;

use super::rows::Row;

/// What is compared of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// `200`, `422 Invalid`.
    pub outcome: String,
    /// `content-type`, `warning` and the body.
    pub shown: Value,
    /// What only one side has is no difference.
    pub is_shared_only: bool,
}

/// What is compared of the answer to a request.
pub fn seen(row: &Row, answer: &Answer) -> Seen {
    let body = body(row, answer);
    let reason = body["reason"].as_str().filter(|_| body["kind"] == "Status" && answer.status >= 400);
    let outcome = reason.map_or_else(|| answer.status.to_string(), |reason| format!("{} {reason}", answer.status));
    let of = |name: &str| {
        let mut values: Vec<&str> =
            answer.headers.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str()).collect();
        values.sort_unstable();
        values.join(" | ")
    };
    let mut shown = json!({ "content-type": of("content-type"), "body": body });
    if answer.headers.iter().any(|(name, _)| name == "warning") {
        shown["warning"] = json!(text(&of("warning")));
    }
    Seen { outcome, shown, is_shared_only: row.names_resources }
}

fn body(row: &Row, answer: &Answer) -> Value {
    let sent = String::from_utf8_lossy(&answer.body);
    if row.lines > 0 || row.ask.contains("watch=") {
        return sent
            .lines()
            .map(|line| normal(serde_json::from_str(line).unwrap_or_else(|_| json!(text(line)))))
            .collect();
    }
    let is_yaml = answer.headers.iter().any(|(name, value)| name == "content-type" && value.contains("yaml"));
    let parsed = if is_yaml { serde_norway::from_str(&sent).ok() } else { serde_json::from_str::<Value>(&sent).ok() };
    let Some(body) = parsed else { return json!(text(&sent)) };
    if row.names_resources {
        return resources(&body);
    }
    if row.only.is_empty() {
        return normal(body);
    }
    let chosen = row.only.iter().map(|pointer| (pointer.clone(), chosen(&body, pointer)));
    normal(Value::Object(chosen.collect()))
}

/// What a pointer means, `*` being each member that there is.
fn chosen(body: &Value, pointer: &str) -> Value {
    let Some((before, after)) = pointer.split_once("/*") else {
        return body.pointer(pointer).cloned().unwrap_or(json!("<absent>"));
    };
    match body.pointer(before) {
        Some(Value::Array(list)) => list.iter().map(|it| chosen(it, after)).collect(),
        Some(Value::Object(members)) => {
            Value::Object(members.iter().map(|(name, it)| (name.clone(), chosen(it, after))).collect())
        }
        _ => json!("<absent>"),
    }
}

/// The members of each list by the names of their items, so that the order and what only one side has do not matter.
fn resources(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !matches!(name.as_str(), "storageVersionHash" | "metadata"));
            let mut named: Map<String, Value> = kept.map(|(name, value)| (name.clone(), resources(value))).collect();
            if let Some(name) = body["metadata"].get("name") {
                named.insert("name".to_owned(), name.clone());
            }
            Value::Object(named)
        }
        Value::Array(list) => {
            let name = |it: &Value| {
                let members = ["name", "resource", "subresource", "version", "kind"];
                let name = members.iter().find_map(|member| it[*member].as_str());
                name.or(it["metadata"]["name"].as_str()).map(str::to_owned)
            };
            let names: Vec<Option<String>> = list.iter().map(name).collect();
            if names.iter().any(Option::is_none) {
                return body.clone();
            }
            let named = names.into_iter().flatten().zip(list.iter().map(resources));
            Value::Object(named.collect())
        }
        other => other.clone(),
    }
}

/// A document without what a server chooses.
fn normal(mut value: Value) -> Value {
    generated(&mut value);
    unordered(&mut value);
    member("", &mut value);
    value
}

/// Causes come in no certain order, and are in the message once more.
fn unordered(value: &mut Value) {
    let Some(causes) = value["details"].get_mut("causes").and_then(Value::as_array_mut) else { return };
    causes.sort_by_key(|it| (it["field"].to_string(), it["message"].to_string()));
    let message = value["message"].as_str().unwrap_or("");
    if let Some((begin, _)) = message.split_once(" is invalid: ") {
        value["message"] = json!(format!("{begin} is invalid: <causes>"));
    }
}

/// A generated name, wherever it stands.
fn generated(value: &mut Value) {
    let prefix = value["metadata"]["generateName"].as_str().map(str::to_owned);
    let name = value["metadata"]["name"].as_str().map(str::to_owned);
    if let (Some(prefix), Some(name)) = (prefix, name)
        && name.starts_with(&prefix)
        && name.len() == prefix.len() + 5
    {
        value["metadata"]["name"] = json!(format!("{prefix}<generated>"));
    }
    for items in ["items", "rows"] {
        value.get_mut(items).and_then(Value::as_array_mut).into_iter().flatten().for_each(generated);
    }
}

fn member(name: &str, value: &mut Value) {
    // What was chosen is named by its pointer.
    let name = name.rsplit('/').next().unwrap_or(name);
    match value {
        Value::Object(members) => {
            // Owned fields have names with ids in them.
            let named = std::mem::take(members).into_iter().map(|(name, value)| (text(&name), value));
            *members = named.collect();
            members.iter_mut().for_each(|(name, value)| member(name, value));
        }
        Value::Array(list) if name == "managedFields" => {
            list.iter_mut().for_each(|value| member("", value));
            *value = owners(list);
        }
        Value::Array(list) => list.iter_mut().for_each(|value| member(name, value)),
        Value::String(it) => *it = string(name, it),
        Value::Number(_) if matches!(name, "nodePort" | "healthCheckNodePort") => *value = json!("<port>"),
        _ => {}
    }
}

/// Who owns what, by manager: those of the same second have no order of their own.
fn owners(list: &[Value]) -> Value {
    let name = |it: &Value| {
        let text = |member: &str| it[member].as_str().unwrap_or("").to_owned();
        format!("{} {} {}", text("manager"), text("operation"), text("subresource")).trim().to_owned()
    };
    Value::Object(list.iter().map(|it| (name(it), it.clone())).collect())
}

fn string(name: &str, value: &str) -> String {
    match name {
        "resourceVersion" if !value.is_empty() => "<version>".to_owned(),
        "uid" if !value.is_empty() => "<uid>".to_owned(),
        "continue" if !value.is_empty() => "<continue>".to_owned(),
        "clusterIP" | "clusterIPs" if value.starts_with("10.") || value.starts_with("172.") => "<address>".to_owned(),
        "token" if !value.is_empty() => "<token>".to_owned(),
        "serverAddress" | "serverAddressByClientCIDRs" => "<endpoint>".to_owned(),
        _ => text(value),
    }
}

/// What a server chooses, and how it is shown.
static CHOSEN: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let chosen = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "<micro time>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
        (r"resource version: \d+", "resource version: <version>"),
        (r"current: \d+", "current: <version>"),
        (r"\(\d+\)", "(<number>)"),
        (r"(the ResourceVersion in (?:the precondition|record)) \(\w+\)", "$1 (<version>)"),
        (r"^\d+[smh]$", "<age>"),
        (r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<generated>"),
        (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<token>"),
        (r"(?s)-----BEGIN CERTIFICATE-----.*", "<certificate>"),
        // An object that a patch made, in the order of its Go type.
        (r#"(?s)Invalid value: "\{.*\}": "#, "Invalid value: <object>: "),
        (r"127\.0\.0\.1:\d+", "<endpoint>"),
    ];
    chosen.map(|(pattern, shown)| (Regex::new(pattern).unwrap(), shown)).into()
});

fn text(value: &str) -> String {
    let value = sorted(value);
    CHOSEN.iter().fold(value, |text, (pattern, shown)| pattern.replace_all(&text, *shown).into_owned())
}

/// A value in a message has its members in the order of its Go type.
fn sorted(text: &str) -> String {
    const BEFORE: &str = " value: ";
    let Some(at) = text.find(BEFORE).map(|at| at + BEFORE.len()) else { return text.to_owned() };
    let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
    match values.next() {
        Some(Ok(value @ (Value::Object(_) | Value::Array(_)))) => {
            format!("{}{value}{}", &text[..at], &text[at + values.byte_offset()..])
        }
        _ => text.to_owned(),
    }
}
