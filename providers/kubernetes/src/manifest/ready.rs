//! When an applied object counts as ready: `wait` and `wait_for`.

use regex::Regex;
use serde_json::Value as Json;
use sgp_model::{AttrPath, Diagnostic, PathStep, Value};

use crate::{attrs, json::at};

/// What to wait for; empty for nothing.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    rollout: bool,
    conditions: Vec<(String, String)>,
    fields: Vec<(String, Vec<Step>, Option<Regex>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl Ready {
    /// Reads the `wait` block, or the older `wait_for` attribute.
    pub(crate) fn new(object: &Value) -> Result<Self, Diagnostic> {
        let mut ready = Self::default();
        let wait = attrs::block(object, "wait");
        if let Some(wait) = wait {
            ready.rollout = attrs::flag(wait, "rollout").unwrap_or(false);
            ready.conditions = attrs::blocks(wait, "condition")
                .into_iter()
                .map(|c| {
                    let text = |name, default: &str| attrs::text(c, name).unwrap_or(default).to_owned();
                    (text("type", ""), text("status", "True"))
                })
                .collect();
        }
        // A definition is usable once its type is served: what comes after it may be of that type.
        let kind = object.get("manifest").and_then(|m| attrs::text(m, "kind"));
        if kind == Some("CustomResourceDefinition") {
            ready.conditions.push(("Established".to_owned(), "True".to_owned()));
        }
        let older = object.get("wait_for").filter(|v| !v.is_null());
        for holder in [wait, older].into_iter().flatten() {
            for (path, pattern) in attrs::string_map(holder, "fields") {
                ready.fields.push(field(path, &pattern)?);
            }
        }
        Ok(ready)
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.rollout && self.conditions.is_empty() && self.fields.is_empty()
    }

    /// What is still missing; `None` when the object is ready.
    pub(crate) fn missing(&self, live: &Json) -> Option<String> {
        if self.rollout
            && let Some(missing) = rollout_missing(live)
        {
            return Some(missing);
        }
        for (kind, status) in &self.conditions {
            let listed =
                at(live, &["status", "conditions"]).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            let now = listed.iter().find(|c| c["type"] == kind.as_str()).and_then(|c| c["status"].as_str());
            if now != Some(status) {
                return Some(format!("condition {kind} is {}, waiting for {status}", now.unwrap_or("not there")));
            }
        }
        self.fields.iter().find_map(|(path, steps, pattern)| {
            let now = value_at(live, steps);
            let good = now.as_deref().is_some_and(|v| pattern.as_ref().is_none_or(|p| p.is_match(v)));
            (!good).then(|| format!("{path} is {}", now.as_deref().unwrap_or("not there")))
        })
    }
}

/// `*` waits for any value.
fn field(path: String, pattern: &str) -> Result<(String, Vec<Step>, Option<Regex>), Diagnostic> {
    let mistake = |text: String| {
        let at = AttrPath::attr("wait").with(PathStep::Index(0)).with(PathStep::Attr("fields".into()));
        Diagnostic::error("Invalid wait condition", text).attribute(at.with(PathStep::Key(path.as_str().into())))
    };
    let steps = parse_path(&path)
        .ok_or_else(|| mistake(format!("{path:?} is not a path such as `status.conditions[0].type`.")))?;
    let regex = match pattern {
        "*" => None,
        text => Some(Regex::new(text).map_err(|e| mistake(format!("{text:?} is not a regular expression: {e}.")))?),
    };
    Ok((path, steps, regex))
}

/// `a.b[0]["c.d"]`.
fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (text, after) = match inner.strip_prefix('"') {
                Some(quoted) => quoted.split_once("\"]").map(|(t, a)| (Step::Name(t.to_owned()), a))?,
                None => inner.split_once(']').and_then(|(t, a)| Some((Step::Index(t.parse().ok()?), a)))?,
            };
            steps.push(text);
            rest = after;
            continue;
        }
        let named = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
        let end = named.find(['.', '[']).unwrap_or(named.len());
        if end == 0 {
            return None;
        }
        steps.push(Step::Name(named[..end].to_owned()));
        rest = &named[end..];
    }
    (!steps.is_empty()).then_some(steps)
}

fn value_at(live: &Json, steps: &[Step]) -> Option<String> {
    let found = steps.iter().try_fold(live, |json, step| match step {
        Step::Name(name) => json.get(name),
        Step::Index(index) => json.get(index),
    })?;
    match found {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What a Deployment, `StatefulSet` or `DaemonSet` still lacks. Other kinds have no rollout.
fn rollout_missing(live: &Json) -> Option<String> {
    let number = |path: &[&str]| at(live, path).and_then(Json::as_i64).unwrap_or(0);
    if number(&["status", "observedGeneration"]) < number(&["metadata", "generation"]) {
        return Some("the change has not been seen yet".to_owned());
    }
    let (updated, available, wanted) = match live["kind"].as_str()? {
        "Deployment" => ("updatedReplicas", "availableReplicas", replicas(live)),
        "StatefulSet" => ("updatedReplicas", "readyReplicas", replicas(live)),
        "DaemonSet" => ("updatedNumberScheduled", "numberAvailable", number(&["status", "desiredNumberScheduled"])),
        _ => return None,
    };
    let (updated, available) = (number(&["status", updated]), number(&["status", available]));
    (updated < wanted || available < wanted)
        .then(|| format!("{updated} of {wanted} updated, {available} of {wanted} available"))
}

fn replicas(live: &Json) -> i64 {
    at(live, &["spec", "replicas"]).and_then(Json::as_i64).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn paths() {
        let name = |n: &str| Step::Name(n.into());
        for (path, expected) in [
            ("status.phase", Some(vec![name("status"), name("phase")])),
            ("a[0].b", Some(vec![name("a"), Step::Index(0), name("b")])),
            (r#"metadata.annotations["x.y/z"]"#, Some(vec![name("metadata"), name("annotations"), name("x.y/z")])),
            ("", None),
            ("a..b", None),
            ("a[x]", None),
            ("a[0", None),
            ("a[0]b", None),
        ] {
            assert_eq!(parse_path(path), expected, "{path}");
        }
    }

    #[test]
    fn conditions_fields_and_rollouts() {
        let ready = Ready {
            rollout: true,
            conditions: vec![("Ready".into(), "True".into())],
            fields: vec![field("status.ip".into(), r"^10\.").unwrap(), field("status.any".into(), "*").unwrap()],
        };
        let mut live =
            json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {}});
        let mut said = vec![ready.missing(&live).unwrap()];
        for (name, value) in [
            ("observedGeneration", json!(2)),
            ("updatedReplicas", json!(2)),
            ("availableReplicas", json!(2)),
            ("conditions", json!([{"type": "Ready", "status": "True"}])),
            ("ip", json!("10.0.0.1")),
            ("any", json!(0)),
        ] {
            live["status"][name] = value;
            said.extend(ready.missing(&live));
        }
        insta::assert_snapshot!(said.join("\n"), @r"
        the change has not been seen yet
        0 of 2 updated, 0 of 2 available
        2 of 2 updated, 0 of 2 available
        condition Ready is not there, waiting for True
        status.ip is not there
        status.any is not there
        ");
        assert_eq!(rollout_missing(&json!({"kind": "ConfigMap"})), None);
    }
}
