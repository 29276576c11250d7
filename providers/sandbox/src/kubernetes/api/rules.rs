//! RBAC: which rules hold for a user, out of roles and bindings, and EKS's access policies.

use serde_json::{Value, json};

use super::labels::Selector;
use crate::kubernetes::admission::User;
use crate::kubernetes::objects::Key;
use crate::world::World;

const CLUSTER_ROLES: &str = "clusterroles.rbac.authorization.k8s.io";
const CLUSTER_BINDINGS: &str = "clusterrolebindings.rbac.authorization.k8s.io";
const ROLES: &str = "roles.rbac.authorization.k8s.io";
const BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";

/// What somebody wants to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// `get`, `list`, `impersonate`, ...
    pub verb: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// `pods`, `pods/log`.
    pub resource: String,
    /// Empty for the whole cluster.
    pub namespace: String,
    /// Empty for a collection.
    pub name: String,
    /// A path that names no resource; the members before are then empty.
    pub path: String,
}

/// Rules of a user, each with the words that say where it comes from.
pub type Granted = Vec<(Value, String)>;

/// Why a wish is granted; `None` when it is not.
pub fn grant(world: &World, cluster: &str, user: &User, principal: &str, wish: &Wish) -> Option<String> {
    if user.groups.iter().any(|group| group == "system:masters") {
        return Some(String::new());
    }
    let mut found = None;
    visit(world, cluster, user, principal, &wish.namespace, &mut |rule, why| {
        let is_found = fits(rule, wish);
        if is_found {
            found = Some(why());
        }
        is_found
    });
    found
}

/// All rules that hold for a user in a namespace, and in the whole cluster.
pub fn all(world: &World, cluster: &str, user: &User, principal: &str, namespace: &str) -> Granted {
    let mut granted = Granted::new();
    if user.groups.iter().any(|group| group == "system:masters") {
        granted.push((everything(), String::new()));
        granted.push((json!({ "verbs": ["*"], "nonResourceURLs": ["*"] }), String::new()));
    }
    visit(world, cluster, user, principal, namespace, &mut |rule, why| {
        granted.push((rule.clone(), why()));
        false
    });
    granted
}

/// The rules of a role with those that it aggregates; `None` when it is not there.
pub fn of_role(world: &World, cluster: &str, kind: &str, name: &str, namespace: &str) -> Option<Vec<Value>> {
    let key = role_key(cluster, kind, name, namespace);
    world.kubernetes.objects.get(&key)?;
    let mut rules = Vec::new();
    visit_role(world, cluster, kind, name, namespace, &mut |rule| {
        rules.push(rule.clone());
        false
    });
    Some(rules)
}

fn role_key(cluster: &str, kind: &str, name: &str, namespace: &str) -> Key {
    match kind {
        "Role" => Key::new(cluster, ROLES, namespace, name),
        _ => Key::new(cluster, CLUSTER_ROLES, "", name),
    }
}

fn everything() -> Value {
    json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] })
}

/// Looks at a rule and where it comes from; true ends the visit.
type Look<'a> = dyn FnMut(&Value, &dyn Fn() -> String) -> bool + 'a;

fn visit(world: &World, cluster: &str, user: &User, principal: &str, namespace: &str, look: &mut Look<'_>) {
    let objects = &world.kubernetes.objects;
    for binding in objects.list(cluster, CLUSTER_BINDINGS, None) {
        if visit_binding(world, cluster, user, binding, "", "ClusterRoleBinding", look) {
            return;
        }
    }
    if !namespace.is_empty() {
        for binding in objects.list(cluster, BINDINGS, Some(namespace)) {
            if visit_binding(world, cluster, user, binding, namespace, "RoleBinding", look) {
                return;
            }
        }
    }
    if !principal.is_empty() {
        visit_policies(world, cluster, principal, namespace, look);
    }
}

fn visit_binding(
    world: &World,
    cluster: &str,
    user: &User,
    binding: &Value,
    namespace: &str,
    kind: &str,
    look: &mut Look<'_>,
) -> bool {
    let subjects = binding["subjects"].as_array().into_iter().flatten();
    let Some(subject) = subjects.into_iter().find_map(|subject| is_subject(subject, user, namespace)) else {
        return false;
    };
    let (role_kind, role) =
        (binding["roleRef"]["kind"].as_str().unwrap_or(""), binding["roleRef"]["name"].as_str().unwrap_or(""));
    let name = binding["metadata"]["name"].as_str().unwrap_or("");
    let place = if namespace.is_empty() { name.to_owned() } else { format!("{name}/{namespace}") };
    let why = || format!("RBAC: allowed by {kind} \"{place}\" of {role_kind} \"{role}\" to {subject}");
    visit_role(world, cluster, role_kind, role, namespace, &mut |rule| look(rule, &why))
}

/// How a subject of a binding names the user; `None` when it names somebody else.
fn is_subject(subject: &Value, user: &User, namespace: &str) -> Option<String> {
    let name = subject["name"].as_str().unwrap_or("");
    match subject["kind"].as_str().unwrap_or("") {
        "User" if name == user.name => Some(format!("User \"{name}\"")),
        "Group" if user.groups.iter().any(|group| group == name) => Some(format!("Group \"{name}\"")),
        "ServiceAccount" => {
            let namespace = subject["namespace"].as_str().unwrap_or(namespace);
            let account = user.name.strip_prefix("system:serviceaccount:")?;
            (account.split_once(':') == Some((namespace, name)))
                .then(|| format!("ServiceAccount \"{name}/{namespace}\""))
        }
        _ => None,
    }
}

/// Looks at the rules of a role, and of those that it aggregates.
fn visit_role(
    world: &World,
    cluster: &str,
    kind: &str,
    name: &str,
    namespace: &str,
    look: &mut dyn FnMut(&Value) -> bool,
) -> bool {
    let objects = &world.kubernetes.objects;
    let Some(role) = objects.get(&role_key(cluster, kind, name, namespace)) else { return false };
    let own = role["rules"].as_array().into_iter().flatten();
    if own.into_iter().any(&mut *look) {
        return true;
    }
    let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array().into_iter().flatten();
    for selector in selectors.filter_map(Selector::from_object) {
        for other in objects.list(cluster, CLUSTER_ROLES, None).filter(|it| selector.fits(it)) {
            // What is aggregated may aggregate itself: `edit` takes in `view`, `admin` takes in `edit`.
            let other_name = other["metadata"]["name"].as_str().unwrap_or("");
            if other_name != name && visit_role(world, cluster, "ClusterRole", other_name, "", look) {
                return true;
            }
        }
    }
    false
}

/// EKS's access policies. Source: EKS User Guide, "Review access policy permissions": they hold what the roles of these names hold.
fn visit_policies(world: &World, cluster: &str, principal: &str, namespace: &str, look: &mut Look<'_>) {
    for (policy, namespaces) in crate::eks::access::policies(world, cluster, principal) {
        let fits_name = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => namespace.starts_with(prefix),
            None => pattern == namespace,
        };
        if !namespaces.is_empty() && (namespace.is_empty() || !namespaces.iter().any(fits_name)) {
            continue;
        }
        let name = policy.rsplit('/').next().unwrap_or("").to_owned();
        let why = || format!("EKS Access Policy: allowed by {name}");
        let reads = json!({ "verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"] });
        let paths = json!({ "verbs": ["*"], "nonResourceURLs": ["*"] });
        let mut role = |role: &str| visit_role(world, cluster, "ClusterRole", role, "", &mut |rule| look(rule, &why));
        let is_found = match name.as_str() {
            "AmazonEKSClusterAdminPolicy" => look(&everything(), &why) || look(&paths, &why),
            "AmazonEKSAdminPolicy" => role("admin"),
            "AmazonEKSEditPolicy" => role("edit"),
            "AmazonEKSViewPolicy" => role("view"),
            "AmazonEKSAdminViewPolicy" => look(&reads, &why),
            _ => false,
        };
        if is_found {
            return;
        }
    }
}

/// Whether a rule grants a wish.
fn fits(rule: &Value, wish: &Wish) -> bool {
    let has = |member: &str, is: &dyn Fn(&str) -> bool| {
        rule[member].as_array().into_iter().flatten().filter_map(Value::as_str).any(|it| it == "*" || is(it))
    };
    if !has("verbs", &|it| it == wish.verb) {
        return false;
    }
    if !wish.path.is_empty() {
        return has("nonResourceURLs", &|it| match it.strip_suffix('*') {
            Some(prefix) => wish.path.starts_with(prefix),
            None => it == wish.path,
        });
    }
    let part = wish.resource.split_once('/').map(|(_, part)| format!("*/{part}"));
    let names = rule["resourceNames"].as_array().filter(|names| !names.is_empty());
    has("apiGroups", &|it| it == wish.group)
        && has("resources", &|it| it == wish.resource || part.as_deref() == Some(it))
        && names.is_none_or(|names| names.iter().any(|it| *it == wish.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_grant_wishes() {
        let wish = |verb: &str, group: &str, resource: &str, name: &str| Wish {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            name: name.to_owned(),
            ..Wish::default()
        };
        let rule = json!({ "verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["pods", "*/scale"] });
        let named = json!({ "verbs": ["*"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"] });
        let rows = [
            (&rule, wish("get", "", "pods", "x"), true),
            (&rule, wish("delete", "", "pods", "x"), false),
            (&rule, wish("get", "batch", "pods", "x"), false),
            (&rule, wish("get", "", "pods/log", "x"), false),
            (&rule, wish("get", "apps", "deployments/scale", "x"), true),
            (&named, wish("get", "", "secrets", "a"), true),
            (&named, wish("list", "", "secrets", ""), false),
            (&named, wish("get", "", "secrets", "b"), false),
        ];
        for (rule, wish, is_granted) in rows {
            assert_eq!(fits(rule, &wish), is_granted, "{wish:?}");
        }
        let paths = json!({ "verbs": ["get"], "nonResourceURLs": ["/healthz", "/openapi/*"] });
        for (path, is_granted) in [("/healthz", true), ("/openapi/v3", true), ("/metrics", false)] {
            let wish = Wish { verb: "get".to_owned(), path: path.to_owned(), ..Wish::default() };
            assert_eq!(fits(&paths, &wish), is_granted, "{path}");
        }
    }
}
