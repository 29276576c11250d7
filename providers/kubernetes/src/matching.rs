//! Which pods a `SecurityGroupPolicy` selects, by the rules of AWS's VPC resource controller.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

use crate::{json::at, selector::Selector};

/// A policy's selectors.
#[derive(Debug, PartialEq)]
pub(crate) struct Policy {
    pods: Part,
    accounts: Part,
    has_groups: bool,
}

/// One selector of a policy.
#[derive(Debug, PartialEq)]
enum Part {
    /// Not said: the other one decides alone.
    Absent,
    /// The controller cannot convert it: matches nothing.
    Broken,
    /// Said.
    Said(Selector),
}

impl Part {
    fn of(spec: &Json, name: &str) -> Self {
        match spec.get(name).filter(|v| !v.is_null()) {
            None => Self::Absent,
            Some(json) => Selector::parse(json).map_or(Self::Broken, Self::Said),
        }
    }

    fn holds(&self, labels: impl FnOnce() -> BTreeMap<String, String>) -> bool {
        match self {
            Self::Absent => true,
            Self::Broken => false,
            Self::Said(selector) => selector.matches(&labels()),
        }
    }
}

/// Labels of service accounts, by name.
pub(crate) type Accounts = HashMap<String, BTreeMap<String, String>>;

impl Policy {
    /// Reads a policy's `spec`.
    pub(crate) fn of(spec: &Json) -> Self {
        let groups = at(spec, &["securityGroups", "groupIds"]).and_then(Json::as_array);
        Self {
            pods: Part::of(spec, "podSelector"),
            accounts: Part::of(spec, "serviceAccountSelector"),
            has_groups: groups.is_some_and(|g| !g.is_empty()),
        }
    }

    /// Whether labels of service accounts are needed to tell.
    pub(crate) fn looks_at_accounts(&self) -> bool {
        self.accounts != Part::Absent
    }

    /// Names of the pods (of the policy's namespace) that it selects, sorted.
    pub(crate) fn matching(&self, pods: &[Json], accounts: &Accounts) -> Vec<String> {
        let mut names: Vec<String> = pods
            .iter()
            .filter(|pod| may_have_interface(pod) && self.selects(pod, accounts))
            .filter_map(|pod| at(pod, &["metadata", "name"])?.as_str().map(str::to_owned))
            .collect();
        names.sort_unstable();
        names
    }

    fn selects(&self, pod: &Json, accounts: &Accounts) -> bool {
        if !self.has_groups || (self.pods == Part::Absent && self.accounts == Part::Absent) {
            return false;
        }
        let account = at(pod, &["spec", "serviceAccountName"]).and_then(Json::as_str).unwrap_or("default");
        self.pods.holds(|| labels(pod)) && self.accounts.holds(|| accounts.get(account).cloned().unwrap_or_default())
    }
}

/// Pods of the host network, of Windows and finished ones have no branch interface.
fn may_have_interface(pod: &Json) -> bool {
    let windows = at(pod, &["spec", "nodeSelector"])
        .is_some_and(|s| s["kubernetes.io/os"] == "windows" || s["beta.kubernetes.io/os"] == "windows");
    let host = at(pod, &["spec", "hostNetwork"]).and_then(Json::as_bool).unwrap_or(false);
    let phase = at(pod, &["status", "phase"]).and_then(Json::as_str);
    !windows && !host && !matches!(phase, Some("Succeeded" | "Failed"))
}

fn labels(object: &Json) -> BTreeMap<String, String> {
    let labels = at(object, &["metadata", "labels"]).and_then(Json::as_object);
    labels
        .map(|m| m.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect())
        .unwrap_or_default()
}

/// Labels of listed service accounts, by name.
pub(crate) fn account_labels(accounts: &[Json]) -> Accounts {
    accounts
        .iter()
        .filter_map(|account| Some((at(account, &["metadata", "name"])?.as_str()?.to_owned(), labels(account))))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, app: &str, spec: &Json, phase: &str) -> Json {
        json!({"metadata": {"name": name, "labels": {"app": app}}, "spec": spec, "status": {"phase": phase}})
    }

    #[test]
    fn pods_are_selected_as_the_controller_does() {
        let pods = [
            pod("b", "backend", &json!({"serviceAccountName": "api"}), "Running"),
            pod("a", "backend", &json!({}), "Pending"),
            pod("other", "frontend", &json!({"serviceAccountName": "api"}), "Running"),
            pod("host", "backend", &json!({"hostNetwork": true}), "Running"),
            pod("windows", "backend", &json!({"nodeSelector": {"kubernetes.io/os": "windows"}}), "Running"),
            pod("done", "backend", &json!({}), "Succeeded"),
        ];
        let accounts = account_labels(&[
            json!({"metadata": {"name": "api", "labels": {"team": "orders"}}}),
            json!({"metadata": {"name": "default"}}),
        ]);
        let backend = json!({"matchLabels": {"app": "backend"}});
        let orders = json!({"matchLabels": {"team": "orders"}});
        let groups = json!({"groupIds": ["sg-1"]});
        for (spec, expected) in [
            (json!({"securityGroups": groups}), &[][..]),
            (json!({"podSelector": backend}), &[]),
            (json!({"podSelector": backend, "securityGroups": {"groupIds": []}}), &[]),
            (json!({"podSelector": backend, "securityGroups": groups}), &["a", "b"]),
            (json!({"serviceAccountSelector": orders, "securityGroups": groups}), &["b", "other"]),
            (json!({"podSelector": backend, "serviceAccountSelector": orders, "securityGroups": groups}), &["b"]),
            (json!({"podSelector": {}, "securityGroups": groups}), &["a", "b", "other"]),
            (json!({"serviceAccountSelector": {}, "securityGroups": groups}), &["a", "b", "other"]),
            (json!({"podSelector": {}, "serviceAccountSelector": orders, "securityGroups": groups}), &["b", "other"]),
            (
                json!({"podSelector": {"matchExpressions": [{"key": "app", "operator": "In"}]}, "securityGroups": groups}),
                &[],
            ),
        ] {
            assert_eq!(Policy::of(&spec).matching(&pods, &accounts), expected, "{spec}");
        }
    }
}
