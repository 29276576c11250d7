//! Answers of a real API server (Kubernetes 1.36.3), and what is made of the same requests here. `recorded/record.py` asked for
//! them; each step begins with the object that the real server had.

use serde_json::{Value, json};

use super::apply::{ApplyError, Manager, apply, record_update};
use super::patch::{self, PatchError};
use super::schema::{self, Schema, catalog, validate};

/// What registries and admission plugins set after defaulting: no business of this code.
const SET_LATER: &[&str] = &[
    "/metadata/namespace",
    "/metadata/uid",
    "/metadata/resourceVersion",
    "/metadata/creationTimestamp",
    "/metadata/generation",
    "/metadata/annotations/deprecated.daemonset.template.generation",
    "/metadata/selfLink",
    "/spec/priority",
    "/spec/preemptionPolicy",
    "/spec/tolerations",
    "/spec/taints",
    "/spec/clusterIPs",
    "/spec/ipFamilies",
    "/spec/ipFamilyPolicy",
    "/spec/finalizers",
    "/status/qosClass",
    "/status/phase",
    "/status/observedGeneration",
];

/// An answer: the object, or code, message and causes.
#[derive(Debug, PartialEq)]
enum Answer {
    Object(Value),
    Refused(u64, String, Vec<(String, String, String)>),
}

impl From<PatchError> for Answer {
    fn from(error: PatchError) -> Self {
        Self::Refused(error.code.into(), error.message, Vec::new())
    }
}

impl From<ApplyError> for Answer {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        match error {
            ApplyError::Conflicts { conflicts, .. } => {
                let reason = "FieldManagerConflict".to_owned();
                let causes = conflicts.into_iter().map(|it| (it.field, reason.clone(), it.message)).collect();
                Self::Refused(409, message, causes)
            }
            ApplyError::BadRequest(_) => Self::Refused(400, message, Vec::new()),
            ApplyError::Untyped(_) => Self::Refused(500, message, Vec::new()),
        }
    }
}

fn ours(step: &Value, live: Option<&Value>, schema: &Schema, api_version: &str) -> Answer {
    let (name, subresource) =
        step["manager"].as_str().unwrap().split_once('/').unwrap_or((step["manager"].as_str().unwrap(), ""));
    let manager = Manager { name, subresource, api_version, now: "2026-01-01T00:00:00Z", has_status: true };
    let (body, before) = (&step["body"], live.cloned().unwrap_or(Value::Null));
    let what = step["what"].as_str().unwrap();
    let made = match what {
        "create" | "update" => Ok(body.clone()),
        "json" => patch::json(before, body).map_err(Answer::from),
        "merge" => patch::merge(before, body).map_err(Answer::from),
        "strategic" => patch::strategic(before, body, schema).map_err(Answer::from),
        _ => apply(live, body, &manager, what == "force", schema).map_err(Answer::from),
    };
    let mut object = match made {
        Ok(object) => object,
        Err(refused) => return refused,
    };
    schema::prune(&mut object, schema);
    schema::default(&mut object, schema);
    if what == "update" {
        for name in ["uid", "creationTimestamp", "namespace"] {
            object["metadata"][name] = live.unwrap()["metadata"][name].clone();
        }
    }
    if !matches!(what, "apply" | "force") {
        record_update(live, &mut object, &manager, schema);
    }
    if subresource.is_empty() {
        let causes = validate(&object, live, schema);
        if !causes.is_empty() {
            let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
            let name = object["metadata"]["name"].as_str().unwrap_or("");
            let message = validate::message(object["kind"].as_str().unwrap_or(""), group, name, &causes);
            let causes = causes.into_iter().map(|it| (it.field, it.reason.to_owned(), it.message)).collect();
            return Answer::Refused(422, message, causes);
        }
    }
    Answer::Object(object)
}

fn theirs(step: &Value) -> Answer {
    let (code, answer) = (step["code"].as_u64().unwrap(), &step["answer"]);
    if code < 300 {
        return Answer::Object(answer.clone());
    }
    let text = |cause: &Value, name: &str| cause[name].as_str().unwrap_or("").to_owned();
    let causes = answer["details"]["causes"].as_array().into_iter().flatten();
    let causes = causes.map(|it| (text(it, "field"), text(it, "reason"), text(it, "message"))).collect();
    Answer::Refused(code, text(answer, "message"), causes)
}

/// Leaves out what differs by nature: times, nulls, what is set later.
fn comparable(answer: Answer) -> Answer {
    let Answer::Object(mut object) = answer else { return answer };
    for path in SET_LATER {
        let (parent, name) = path.rsplit_once('/').unwrap();
        if let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
            parent.remove(name);
        }
    }
    let entries = object["metadata"]["managedFields"].take();
    drop_nulls(&mut object);
    object["metadata"]["managedFields"] = entries;
    for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
        if !entry["time"].is_null() {
            entry["time"] = json!("some time");
        }
    }
    // Their order is that of their times.
    if let Some(entries) = object["metadata"]["managedFields"].as_array_mut() {
        entries.sort_by_key(|entry| entry.to_string());
    }
    Answer::Object(object)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(drop_nulls);
            members.retain(|name, value| !(matches!(name.as_str(), "status" | "annotations") && *value == json!({})));
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A refusal is the same where it is worded the same; the real server adds what changed in a pod, as its own types have it.
fn is_same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Refused(a, ours, one), Answer::Refused(b, theirs, two)) => {
            let begins = |(one, two): (&(String, String, String), &(String, String, String))| {
                one.0 == two.0 && one.1 == two.1 && two.2.starts_with(&one.2)
            };
            a == b && theirs.starts_with(ours.as_str()) && one.len() == two.len() && one.iter().zip(two).all(begins)
        }
        _ => false,
    }
}

/// Where two values differ.
fn differences(one: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                differences(&one[name], &other[name], &format!("{path}/{name}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}/{index}"), found);
            }
        }
        _ if one != other => found.push(format!("{path}: ours {one}, theirs {other}")),
        _ => {}
    }
}

/// Where we are known to differ from the real server: story's resource, number of the step, why.
const KNOWN: &[(&str, usize, &str)] = &[
    ("deployments", 6, "the registry keeps the status as it was"),
    ("daemonsets", 0, "an annotation tells of a field that v1 has not"),
    ("poddisruptionbudgets", 1, "what is wrong with it is not looked for"),
];

#[test]
fn answers_are_those_of_a_real_api_server() {
    let stories: Value = serde_json::from_str(include_str!("recorded/answers.json")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for story in stories.as_array().unwrap() {
        let steps = story["steps"].as_array().unwrap();
        let first = &steps[0]["body"];
        let (api_version, kind) = (first["apiVersion"].as_str().unwrap(), first["kind"].as_str().unwrap());
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let schema = catalog::schema(group, version, kind).unwrap();
        let resource = story["path"].as_str().unwrap().rsplit('/').next().unwrap();
        let mut live: Option<Value> = None;
        for (number, step) in steps.iter().enumerate() {
            count += 1;
            let (ours, theirs) =
                (comparable(ours(step, live.as_ref(), &schema, api_version)), comparable(theirs(step)));
            let known = KNOWN.iter().any(|(name, at, _)| *name == resource && *at == number);
            let mut found = Vec::new();
            match (&ours, &theirs) {
                (Answer::Object(ours), Answer::Object(theirs)) => differences(ours, theirs, "", &mut found),
                (ours, theirs) if !is_same(ours, theirs) => {
                    found.push(format!("\n  ours {ours:?}\n  theirs {theirs:?}"));
                }
                _ => {}
            }
            if !found.is_empty() && !known {
                wrong.push(format!(
                    "{resource} {number} {} {}: {}",
                    step["what"],
                    step["manager"],
                    found.join("\n    ")
                ));
            }
            if step["code"].as_u64().unwrap() < 300 {
                live = Some(step["answer"].clone());
            }
        }
    }
    assert!(count >= 60);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
