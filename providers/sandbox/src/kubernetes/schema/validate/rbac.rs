//! Roles and bindings (`pkg/apis/rbac/validation`).

use serde_json::{Value, json};

use super::{Causes, items, metadata, names, text};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn check(kind: &str, object: &Value, old: Option<&Value>, causes: &mut Causes) {
    match kind {
        "Role" | "ClusterRole" => role(object, kind == "Role", causes),
        _ => binding(object, old, kind == "RoleBinding", causes),
    }
}

fn role(role: &Value, is_namespaced: bool, causes: &mut Causes) {
    for (path, rule) in items(&role["rules"], "rules") {
        let is_empty = |name: &str| rule[name].as_array().is_none_or(Vec::is_empty);
        if is_empty("verbs") {
            causes.required(format!("{path}.verbs"), "verbs must contain at least one value");
        }
        if !is_empty("nonResourceURLs") {
            let urls = &rule["nonResourceURLs"];
            let path = format!("{path}.nonResourceURLs");
            if is_namespaced {
                causes.invalid(path.clone(), urls, "namespaced rules cannot apply to non-resource URLs");
            }
            if !is_empty("apiGroups") || !is_empty("resources") || !is_empty("resourceNames") {
                causes.invalid(path, urls, "rules cannot apply to both regular resources and non-resource URLs");
            }
            continue;
        }
        if is_empty("apiGroups") {
            causes.required(format!("{path}.apiGroups"), "resource rules must supply at least one api group");
        }
        if is_empty("resources") {
            causes.required(format!("{path}.resources"), "resource rules must supply at least one resource");
        }
    }
    if !role["aggregationRule"].is_null() {
        let path = "aggregationRule.clusterRoleSelectors";
        let selectors = items(&role["aggregationRule"]["clusterRoleSelectors"], path);
        if selectors.is_empty() {
            causes.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
        }
        for (path, selector) in selectors {
            metadata::selector(selector, &path, causes);
        }
    }
}

fn binding(binding: &Value, old: Option<&Value>, is_namespaced: bool, causes: &mut Causes) {
    let role = &binding["roleRef"];
    if role["apiGroup"] != GROUP {
        causes.unsupported("roleRef.apiGroup", &role["apiGroup"], &[GROUP]);
    }
    let kinds: &[&str] = if is_namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&text(role, "kind")) {
        causes.unsupported("roleRef.kind", &role["kind"], kinds);
    }
    if text(role, "name").is_empty() {
        causes.required("roleRef.name", "");
    }
    for wrong in names::path_segment(text(role, "name")) {
        causes.invalid("roleRef.name", &role["name"], &wrong);
    }
    for (path, subject) in items(&binding["subjects"], "subjects") {
        self::subject(subject, &path, is_namespaced, causes);
    }
    if let Some(old) = old
        && old["roleRef"] != *role
    {
        // Named as Go's own type has it.
        let shown = json!({ "APIGroup": role["apiGroup"], "Kind": role["kind"], "Name": role["name"] });
        causes.invalid("roleRef", &shown, "cannot change roleRef");
    }
}

fn subject(it: &Value, path: &str, is_namespaced: bool, causes: &mut Causes) {
    let name = text(it, "name");
    if name.is_empty() {
        causes.required(format!("{path}.name"), "");
    }
    let group = text(it, "apiGroup");
    match text(it, "kind") {
        "ServiceAccount" => {
            for wrong in names::subdomain(name).into_iter().filter(|_| !name.is_empty()) {
                causes.invalid(format!("{path}.name"), &it["name"], &wrong);
            }
            if !group.is_empty() {
                causes.unsupported(format!("{path}.apiGroup"), &it["apiGroup"], &[""]);
            }
            if !is_namespaced && text(it, "namespace").is_empty() {
                causes.required(format!("{path}.namespace"), "");
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                causes.unsupported(format!("{path}.apiGroup"), &it["apiGroup"], &[GROUP]);
            }
        }
        _ => causes.unsupported(format!("{path}.kind"), &it["kind"], &["ServiceAccount", "User", "Group"]),
    }
}
