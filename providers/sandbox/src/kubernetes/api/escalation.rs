//! Nobody grants more than they hold: roles and bindings (`pkg/registry/rbac`). Kubernetes, "Using RBAC Authorization", "Privilege
//! escalation prevention and bootstrapping".

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rules::{self, Wish, grant};
use super::status::Status;
use super::write::Write;
use crate::world::World;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Refuses a role or binding that grants what its writer does not hold, unless the writer may `escalate` the role or `bind` it.
///
/// # Errors
/// `Forbidden`, with the rules that are not held; `NotFound` for a binding of a role that is not there.
pub(super) fn check(world: &World, write: &Write<'_>, old: Option<&Value>, object: &Value) -> Result<(), Status> {
    let resource = write.resource;
    if resource.group != GROUP || write.user.groups.iter().any(|group| group == "system:masters") {
        return Ok(());
    }
    if old.is_some_and(|old| changes_only_ties(old, object)) {
        return Ok(());
    }
    if resource.kind.ends_with("Binding") { binding(world, write, object) } else { role(world, write, old, object) }
}

/// Whether only what the garbage collector changes is different.
fn changes_only_ties(old: &Value, new: &Value) -> bool {
    let without = |object: &Value| {
        let mut object = object.clone();
        for member in ["ownerReferences", "finalizers", "managedFields"] {
            super::write::set(&mut object["metadata"], member, Value::Null);
        }
        object
    };
    without(old) == without(new)
}

fn may(world: &World, write: &Write<'_>, verb: &str, resource: &str, name: &str) -> bool {
    let wish = Wish {
        verb: verb.to_owned(),
        group: GROUP.to_owned(),
        resource: resource.to_owned(),
        namespace: write.namespace.to_owned(),
        name: name.to_owned(),
        path: String::new(),
    };
    grant(world, write.cluster, write.user, write.principal, &wish).is_some()
}

fn role(world: &World, write: &Write<'_>, old: Option<&Value>, role: &Value) -> Result<(), Status> {
    let name = role["metadata"]["name"].as_str().unwrap_or("");
    // A name that is not there yet is in no request's path.
    let asked = if old.is_some() { name } else { "" };
    if may(world, write, "escalate", &write.resource.plural, asked) {
        return Ok(());
    }
    let granted: Vec<Value> = role["rules"].as_array().cloned().unwrap_or_default();
    held(world, write, &granted).map_err(|why| Status::forbidden(write.resource, name, &why))?;
    let aggregates = |role: &Value| {
        role["aggregationRule"]["clusterRoleSelectors"].as_array().is_some_and(|selectors| !selectors.is_empty())
    };
    if aggregates(role) || old.is_some_and(aggregates) {
        let everything = [
            json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }),
            json!({ "verbs": ["*"], "nonResourceURLs": ["*"] }),
        ];
        let why = "must have cluster-admin privileges to use the aggregationRule";
        held(world, write, &everything).map_err(|_| Status::forbidden(write.resource, name, why))?;
    }
    Ok(())
}

fn binding(world: &World, write: &Write<'_>, binding: &Value) -> Result<(), Status> {
    let name = binding["metadata"]["name"].as_str().unwrap_or("");
    let (kind, role) =
        (binding["roleRef"]["kind"].as_str().unwrap_or(""), binding["roleRef"]["name"].as_str().unwrap_or(""));
    let plural = match kind {
        "Role" => "roles",
        "ClusterRole" => "clusterroles",
        // What refers to nothing is refused for that.
        _ => return Ok(()),
    };
    if may(world, write, "bind", plural, role) {
        return Ok(());
    }
    let Some(granted) = rules::of_role(world, write.cluster, kind, role, write.namespace) else {
        let resource = super::resources::builtin(GROUP, "v1", plural).expect("it is one of Kubernetes' own");
        return Err(Status::not_found(&resource, role));
    };
    held(world, write, &granted).map_err(|why| Status::forbidden(write.resource, name, &why))
}

/// Whether the writer holds all of these rules. Those of EKS's access policies do not count: they are another authorizer's.
///
/// # Errors
/// The words for those that are not held.
fn held(world: &World, write: &Write<'_>, wanted: &[Value]) -> Result<(), String> {
    let own: Vec<Value> =
        rules::all(world, write.cluster, write.user, "", write.namespace).into_iter().map(|(rule, _)| rule).collect();
    let missing: Vec<Single> =
        wanted.iter().flat_map(singles).filter(|single| !own.iter().any(|rule| single.is_in(rule))).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<String> =
        compact(missing).iter().map(Single::shown).collect::<BTreeSet<_>>().into_iter().collect();
    Err(format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        write.user.name,
        quoted(&write.user.groups),
        missing.join("\n")
    ))
}

/// A rule about one thing; several verbs where they were put together again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Single {
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    path: Option<String>,
    verbs: Vec<String>,
}

/// The rules about one thing and verb each that a rule consists of.
fn singles(rule: &Value) -> Vec<Single> {
    let all = |member: &str| -> Vec<String> {
        rule[member].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (verbs, names) = (all("verbs"), all("resourceNames"));
    let names: Vec<Option<String>> = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
    let mut singles = Vec::new();
    for group in all("apiGroups") {
        for resource in all("resources") {
            for verb in &verbs {
                singles.extend(names.iter().map(|name| Single {
                    group: Some(group.clone()),
                    resource: Some(resource.clone()),
                    name: name.clone(),
                    path: None,
                    verbs: vec![verb.clone()],
                }));
            }
        }
    }
    for path in all("nonResourceURLs") {
        singles.extend(verbs.iter().map(|verb| Single {
            path: Some(path.clone()),
            verbs: vec![verb.clone()],
            ..Single::default()
        }));
    }
    singles
}

impl Single {
    /// Whether a rule grants it.
    fn is_in(&self, rule: &Value) -> bool {
        let has = |member: &str, fits: &dyn Fn(&str) -> bool| {
            rule[member].as_array().into_iter().flatten().filter_map(Value::as_str).any(fits)
        };
        let has_verb = self.verbs.iter().all(|verb| has("verbs", &|it| it == "*" || it == verb));
        if let Some(path) = &self.path {
            let covers = |it: &str| {
                it == path || it.strip_suffix('*').is_some_and(|_| path.starts_with(it.trim_end_matches('*')))
            };
            return has_verb && has("nonResourceURLs", &covers);
        }
        let (Some(group), Some(resource)) = (&self.group, &self.resource) else { return false };
        let part = resource.split_once('/').map(|(_, part)| format!("*/{part}"));
        let has_all_names = rule["resourceNames"].as_array().is_none_or(Vec::is_empty);
        has_verb
            && has("apiGroups", &|it| it == "*" || it == group)
            && has("resources", &|it| it == "*" || it == resource || part.as_deref() == Some(it))
            && (has_all_names || self.name.as_ref().is_some_and(|name| has("resourceNames", &|it| it == name)))
    }

    /// As Go shows it: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`.
    fn shown(&self) -> String {
        let members = [
            ("APIGroups", &self.group),
            ("Resources", &self.resource),
            ("NonResourceURLs", &self.path),
            ("ResourceNames", &self.name),
        ];
        let mut parts: Vec<String> = members
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}:{}", quoted(std::slice::from_ref(value.as_ref()?)))))
            .collect();
        parts.push(format!("Verbs:{}", quoted(&self.verbs)));
        format!("{{{}}}", parts.join(", "))
    }
}

/// Puts the verbs for one resource together.
fn compact(singles: Vec<Single>) -> Vec<Single> {
    let mut compacted: Vec<Single> = Vec::new();
    for single in singles {
        let same = compacted.iter_mut().find(|it| {
            it.path.is_none()
                && (&it.group, &it.resource, &it.name, &it.path)
                    == (&single.group, &single.resource, &single.name, &single.path)
        });
        match same {
            Some(same) => same.verbs.extend(single.verbs),
            None => compacted.push(single),
        }
    }
    compacted
}

/// A list as Go's `%q` writes it.
fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kubernetes::admission::User;
    use crate::kubernetes::cluster::Cluster;
    use crate::kubernetes::{life, objects::Key};
    use crate::testing::world;

    /// A cluster in which `ann` edits pods and reads one secret in `ns`, `eve` may escalate and bind, and nobody else holds anything.
    fn clustered() -> World {
        let mut world = world();
        world.kubernetes.clusters.insert("c", Cluster::new("c").unwrap());
        let mut make = |stored: &str, namespace: &str, name: &str, mut object: Value| {
            object["metadata"] = json!({ "name": name });
            life::create(&mut world, &Key::new("c", stored, namespace, name), object);
        };
        let binding = |user: &str, kind: &str, role: &str| json!({ "roleRef": { "apiGroup": GROUP, "kind": kind, "name": role }, "subjects": [{ "kind": "User", "apiGroup": GROUP, "name": user }] });
        let pods = json!([
            { "verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "*/log"] },
            { "verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"] },
        ]);
        let roles =
            json!([{ "verbs": ["escalate", "bind"], "apiGroups": [GROUP], "resources": ["roles", "clusterroles"] }]);
        let nodes = json!([{ "verbs": ["*"], "apiGroups": [""], "resources": ["nodes"] }]);
        let (roles_of_group, bindings) = ("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io");
        make(roles_of_group, "ns", "pods", json!({ "rules": pods }));
        make(bindings, "ns", "ann", binding("ann", "Role", "pods"));
        make("clusterroles.rbac.authorization.k8s.io", "", "lift", json!({ "rules": roles }));
        make("clusterroles.rbac.authorization.k8s.io", "", "nodes", json!({ "rules": nodes }));
        make(bindings, "ns", "eve", binding("eve", "ClusterRole", "lift"));
        world
    }

    fn said(user: &str, groups: &[&str], plural: &str, old: Option<&Value>, object: &Value) -> String {
        let resource = Arc::new(super::super::resources::builtin(GROUP, "v1", plural).unwrap());
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let user = User { name: user.to_owned(), groups };
        let write = Write {
            cluster: "c",
            namespace: if resource.is_namespaced { "ns" } else { "" },
            resource: &resource,
            subresource: "",
            user: &user,
            principal: "",
            manager: "",
            is_applied: false,
        };
        check(&clustered(), &write, old, object).err().map(|status| status.message).unwrap_or_default()
    }

    #[test]
    fn nobody_grants_more_than_they_hold() {
        let role = |rules: Value| json!({ "metadata": { "name": "r" }, "rules": rules });
        let pods = |verbs: &[&str]| json!({ "verbs": verbs, "apiGroups": [""], "resources": ["pods"] });
        let held = "is attempting to grant RBAC permissions not currently held:\n";
        let ann = format!("roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"ann\" (groups=[\"g\"]) {held}");
        let rows = [
            ("ann", vec![pods(&["get"])], String::new()),
            (
                "ann",
                vec![pods(&["get", "list"]), json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["pods/log"] })],
                String::new(),
            ),
            (
                "ann",
                vec![pods(&["delete", "get", "create"]), pods(&["watch"])],
                format!("{ann}{{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"delete\" \"create\" \"watch\"]}}"),
            ),
            (
                "ann",
                vec![
                    json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"] }),
                ],
                format!("{ann}{{APIGroups:[\"\"], Resources:[\"secrets\"], ResourceNames:[\"b\"], Verbs:[\"get\"]}}"),
            ),
            (
                "ann",
                vec![json!({ "verbs": ["get"], "apiGroups": ["apps"], "resources": ["pods", "deployments"] })],
                format!(
                    "{ann}{{APIGroups:[\"apps\"], Resources:[\"deployments\"], Verbs:[\"get\"]}}\n{{APIGroups:[\"apps\"], Resources:[\"pods\"], Verbs:[\"get\"]}}"
                ),
            ),
            ("eve", vec![pods(&["*"])], String::new()),
        ];
        for (user, rules, expected) in rows {
            assert_eq!(said(user, &["g"], "roles", None, &role(json!(rules))), expected, "{user} {rules:?}");
        }
        assert_eq!(said("root", &["system:masters"], "roles", None, &role(json!([pods(&["*"])]))), "");
    }

    #[test]
    fn what_only_the_garbage_collector_changes_grants_nothing() {
        let role = json!({ "metadata": { "name": "r" }, "rules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }] });
        let mut tied = role.clone();
        tied["metadata"]["finalizers"] = json!(["f"]);
        assert_eq!(said("ann", &[], "roles", Some(&role), &tied), "");
        tied["metadata"]["labels"] = json!({ "a": "b" });
        assert!(said("ann", &[], "roles", Some(&role), &tied).contains("not currently held"));
    }

    #[test]
    fn bindings_grant_what_their_role_grants() {
        let binding = |kind: &str, role: &str| json!({ "metadata": { "name": "b" }, "roleRef": { "apiGroup": GROUP, "kind": kind, "name": role } });
        let forbidden = "rolebindings.rbac.authorization.k8s.io \"b\" is forbidden: user \"ann\" (groups=[]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"*\"]}";
        let rows = [
            ("ann", binding("Role", "pods"), ""),
            ("ann", binding("ClusterRole", "nodes"), forbidden),
            ("ann", binding("ClusterRole", "none"), "clusterroles.rbac.authorization.k8s.io \"none\" not found"),
            ("eve", binding("ClusterRole", "nodes"), ""),
            ("eve", binding("ClusterRole", "none"), ""),
        ];
        for (user, binding, expected) in rows {
            assert_eq!(said(user, &[], "rolebindings", None, &binding), expected, "{user} {binding}");
        }
    }

    #[test]
    fn only_administrators_aggregate() {
        let role = json!({ "metadata": { "name": "r" }, "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { "a": "b" } }] } });
        let expected = "clusterroles.rbac.authorization.k8s.io \"r\" is forbidden: must have cluster-admin privileges to use the aggregationRule";
        assert_eq!(said("ann", &[], "clusterroles", None, &role), expected);
    }
}
