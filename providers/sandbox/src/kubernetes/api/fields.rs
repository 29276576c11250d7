//! Field selectors: each kind knows a few fields.

use serde_json::Value;

use super::resources::Resource;
use super::status::Status;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    /// `spec.nodeName`.
    field: String,
    value: String,
    is_equal: bool,
}

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<Condition>);

/// Fields by stored resource, besides `metadata.name` and `metadata.namespace`. Source: `AddFieldLabelConversions` of each group.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    (
        "events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    ("nodes", &["spec.unschedulable"]),
    ("namespaces", &["status.phase"]),
    ("secrets", &["type"]),
    ("services", &["spec.clusterIP", "spec.type"]),
    ("replicationcontrollers", &["status.replicas"]),
    ("replicasets.apps", &["status.replicas"]),
    ("jobs.batch", &["status.successful"]),
    ("certificatesigningrequests.certificates.k8s.io", &["spec.signerName"]),
    ("resourceslices.resource.k8s.io", &["spec.nodeName", "spec.driver"]),
];

impl Selector {
    /// Reads `a=b,c!=d`.
    ///
    /// # Errors
    /// `BadRequest` for another form and for a field that the resource does not know.
    pub fn read(text: &str, resource: &Resource) -> Result<Self, Status> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| condition(part, resource)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object fits.
    pub fn fits(&self, object: &Value) -> bool {
        self.0.iter().all(|condition| (value(object, &condition.field) == condition.value) == condition.is_equal)
    }

    /// What a field must be equal to, when that is asked.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|it| it.field == field && it.is_equal).map(|it| it.value.as_str())
    }
}

fn condition(text: &str, resource: &Resource) -> Result<Condition, Status> {
    let (at, operator) = ["!=", "==", "="]
        .into_iter()
        .find_map(|operator| text.find(operator).map(|at| (at, operator)))
        .ok_or_else(|| Status::bad_request(format!("invalid selector: '{text}'; can't understand '{text}'")))?;
    let (field, value) = (text[..at].trim(), text[at + operator.len()..].trim());
    if !is_known(field, resource) {
        let message = match resource.stored().as_str() {
            stored if resource.definition.is_some() || FIELDS.iter().any(|(it, _)| *it == stored) => {
                format!("field label not supported: {field}")
            }
            _ => format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
        };
        return Err(Status::bad_request(message));
    }
    // Events of the newer group name the same fields otherwise.
    let field = match field.strip_prefix("regarding.") {
        Some(rest) => format!("involvedObject.{rest}"),
        None => field.to_owned(),
    };
    Ok(Condition { field, value: value.to_owned(), is_equal: operator != "!=" })
}

fn is_known(field: &str, resource: &Resource) -> bool {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return true;
    }
    if let Some(version) = resource.definition_version() {
        let selectable = version["selectableFields"].as_array().into_iter().flatten();
        let mut paths = selectable.filter_map(|it| it["jsonPath"].as_str());
        return paths.any(|path| path.trim_start_matches('.') == field);
    }
    let field = match (resource.group.as_str(), field.strip_prefix("regarding.")) {
        ("events.k8s.io", Some(rest)) => &format!("involvedObject.{rest}"),
        _ => field,
    };
    let stored = resource.stored();
    FIELDS.iter().any(|(name, fields)| *name == stored && fields.contains(&field))
}

fn value(object: &Value, field: &str) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let found = || text(field.split('.').fold(object, |value, member| &value[member]));
    match field {
        "spec.hostNetwork" | "spec.unschedulable" if found().is_empty() => "false".to_owned(),
        "status.podIPs" => text(&object["status"]["podIPs"][0]["ip"]),
        "status.replicas" | "status.successful" => {
            let field = if field == "status.successful" { "succeeded" } else { "replicas" };
            object["status"][field].as_u64().unwrap_or(0).to_string()
        }
        "source" => match text(&object["source"]["component"]) {
            empty if empty.is_empty() => text(&object["reportingComponent"]),
            component => component,
        },
        _ => found(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::resources::builtin;
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_knows_its_fields() {
        let pods = builtin("", "v1", "pods").unwrap();
        let pod = json!({
            "metadata": { "name": "a", "namespace": "d" }, "spec": { "nodeName": "n" }, "status": { "phase": "Running" },
        });
        let rows = [
            ("metadata.name=a", true),
            ("metadata.name!=a", false),
            ("spec.nodeName=n,status.phase==Running", true),
            ("spec.nodeName=", false),
            ("status.phase!=Succeeded,status.phase!=Failed", true),
            ("spec.hostNetwork=false", true),
        ];
        for (text, fits) in rows {
            assert_eq!(Selector::read(text, &pods).unwrap().fits(&pod), fits, "{text}");
        }
        let message = |text| Selector::read(text, &pods).unwrap_err().message;
        assert_eq!(message("spec.color=red"), "field label not supported: spec.color");
        assert_eq!(message("x"), "invalid selector: 'x'; can't understand 'x'");
        let maps = builtin("", "v1", "configmaps").unwrap();
        let refused = Selector::read("data.a=b", &maps).unwrap_err().message;
        assert_eq!(refused, "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
    }
}
