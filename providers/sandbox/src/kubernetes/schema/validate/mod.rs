//! What is wrong with an object, in Kubernetes' words: the causes of a 422.
//!
//! Custom resources are held against their schema ([`limits`]); Kubernetes' own types against what its Go code checks, of which
//! the part that people run into is here: [`metadata`], [`pod`], [`workload`], [`service`], [`policy`], [`rbac`], [`config`].
//! The rules of custom resources in CEL (`x-kubernetes-validations`) come last: [`rules`].

mod bounds;
mod config;
mod correlated;
pub mod definition;
mod definition_rules;
mod definition_versions;
mod limits;
mod metadata;
pub mod names;
mod network;
mod pod;
mod pod_more;
mod policy;
mod rbac;
mod rules;
mod service;
mod storage;
mod workload;

use serde_json::Value;

use super::Schema;

/// One thing that is wrong, as a `StatusCause` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `spec.containers[0].name`.
    pub field: String,
    /// `FieldValueRequired`, `FieldValueInvalid`, ...
    pub reason: &'static str,
    /// `Required value`, `Invalid value: "x": ...`.
    pub message: String,
}

impl Cause {
    /// `spec.x: Invalid value: ...`, as it stands in the message of the answer.
    pub fn text(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }
}

/// The message of an answer with these causes: `kind.group "name" is invalid: [...]` (`errors.NewInvalid`).
pub fn message(kind: &str, group: &str, name: &str, causes: &[Cause]) -> String {
    let kind = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    let mut texts: Vec<String> = Vec::new();
    for cause in causes {
        let text = cause.text();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [] => format!("{kind} {name:?} is invalid"),
        [one] => format!("{kind} {name:?} is invalid: {one}"),
        many => format!("{kind} {name:?} is invalid: [{}]", many.join(", ")),
    }
}

/// What is wrong with `object`, decoded and defaulted; `old` is what it replaces.
pub fn validate(object: &Value, old: Option<&Value>, schema: &Schema) -> Vec<Cause> {
    let mut causes = Causes::default();
    let kind = object["kind"].as_str().unwrap_or("");
    if !schema.is_builtin {
        metadata::check(object, old, metadata::Named::Subdomain, false, &mut causes);
        limits::check(object, old, schema, &mut causes);
        rules::check(object, old, schema, &mut causes);
        return causes.0;
    }
    metadata::check(object, old, metadata::named(kind), old.is_none(), &mut causes);
    match kind {
        "Pod" => pod::check(object, old, &mut causes),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job" | "CronJob" | "ReplicationController" => {
            workload::check(kind, object, old, &mut causes);
        }
        "Service" => service::check(object, old, &mut causes),
        "NetworkPolicy" => policy::check(object, &mut causes),
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => rbac::check(kind, object, old, &mut causes),
        "ConfigMap" => config::config_map(object, old, &mut causes),
        "Secret" => config::secret(object, old, &mut causes),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => config::webhooks(object, &mut causes),
        "PersistentVolume" => storage::volume(object, &mut causes),
        "PersistentVolumeClaim" => storage::claim(object, old, &mut causes),
        "StorageClass" => storage::class(object, &mut causes),
        "Endpoints" => network::endpoints(object, &mut causes),
        "EndpointSlice" => network::endpoint_slice(object, &mut causes),
        "Ingress" => network::ingress(object, &mut causes),
        "PodDisruptionBudget" => bounds::budget(object, &mut causes),
        "HorizontalPodAutoscaler" => bounds::autoscaler(object, &mut causes),
        "PriorityClass" => bounds::priority(object, &mut causes),
        "LimitRange" => bounds::limits(object, &mut causes),
        "Node" => bounds::node(object, &mut causes),
        "Namespace" => bounds::namespace(object, &mut causes),
        "CustomResourceDefinition" => causes.0.extend(definition::check(object, old)),
        _ => {}
    }
    causes.0
}

/// Collects causes.
#[derive(Debug, Default)]
pub(super) struct Causes(Vec<Cause>);

impl Causes {
    fn add(&mut self, field: impl Into<String>, reason: &'static str, message: String) {
        self.0.push(Cause { field: field.into(), reason, message });
    }

    pub(super) fn required(&mut self, field: impl Into<String>, detail: &str) {
        self.add(field, "FieldValueRequired", join("Required value", detail));
    }

    pub(super) fn invalid(&mut self, field: impl Into<String>, value: &Value, detail: &str) {
        self.add(field, "FieldValueInvalid", join(&format!("Invalid value: {}", shown(value)), detail));
    }

    fn mistyped(&mut self, field: impl Into<String>, value: &Value, detail: &str) {
        self.add(field, "FieldValueTypeInvalid", join(&format!("Invalid value: {}", shown(value)), detail));
    }

    pub(super) fn unsupported(&mut self, field: impl Into<String>, value: &Value, supported: &[&str]) {
        let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        let detail = format!("supported values: {}", supported.join(", "));
        self.add(field, "FieldValueNotSupported", join(&format!("Unsupported value: {}", shown(value)), &detail));
    }

    pub(super) fn duplicate(&mut self, field: impl Into<String>, value: &Value) {
        self.add(field, "FieldValueDuplicate", format!("Duplicate value: {}", shown(value)));
    }

    pub(super) fn forbidden(&mut self, field: impl Into<String>, detail: &str) {
        self.add(field, "FieldValueForbidden", join("Forbidden", detail));
    }

    fn not_found(&mut self, field: impl Into<String>, value: &Value) {
        self.add(field, "FieldValueNotFound", format!("Not found: {}", shown(value)));
    }

    pub(super) fn too_long(&mut self, field: impl Into<String>, most: u64) {
        let unit = if most == 1 { "byte" } else { "bytes" };
        self.add(field, "FieldValueTooLong", format!("Too long: may not be more than {most} {unit}"));
    }

    fn too_many(&mut self, field: impl Into<String>, count: usize, most: u64) {
        let unit = if most == 1 { "item" } else { "items" };
        self.add(field, "FieldValueTooMany", format!("Too many: {count}: must have at most {most} {unit}"));
    }

    /// A member that may only have one of these values; one that is missing is required.
    fn one_of(&mut self, field: &str, value: &Value, supported: &[&str]) {
        match value.as_str() {
            None | Some("") => self.required(field, ""),
            Some(text) if supported.contains(&text) => {}
            Some(_) => self.unsupported(field, value, supported),
        }
    }

    /// A number that may not be negative.
    fn not_negative(&mut self, field: &str, value: &Value) {
        if value.as_i64().is_some_and(|number| number < 0) {
            self.invalid(field, value, "must be greater than or equal to 0");
        }
    }

    /// Nothing may change here.
    fn immutable(&mut self, field: &str, new: &Value, old: &Value) {
        if new != old {
            self.invalid(field, new, "field is immutable");
        }
    }
}

fn join(message: &str, detail: &str) -> String {
    if detail.is_empty() { message.to_owned() } else { format!("{message}: {detail}") }
}

/// A value as Go shows it in messages.
fn shown(value: &Value) -> String {
    value.to_string()
}

/// The items of a list with their paths.
fn items<'a>(list: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    let items = list.as_array().into_iter().flatten().enumerate();
    items.map(|(index, item)| (format!("{path}[{index}]"), item)).collect()
}

/// A string member; empty when there is none.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

#[cfg(test)]
mod tests;
