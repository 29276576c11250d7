//! Mistakes in the configuration of `sgp_security_group_policy`, told before any call.

use sgp_model::{AttrPath, Diagnostic, Diagnostics, Value};

use crate::{attrs, metadata, selector};

/// EC2 never takes more groups on an interface than this, whatever the quota (VPC quotas, L-2AFB9258).
const MOST_GROUPS: usize = 16;
/// The quota of an account that nobody raised.
const USUAL_GROUPS: usize = 5;

/// Mistakes that the API server takes and the controller passes over in silence, and limits of EC2.
pub(super) fn of(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    for name in ["name", "namespace"] {
        if let Some(mistake) = attrs::text(config, name).and_then(metadata::name_mistake) {
            found.push(mistake.attribute(AttrPath::attr(name)));
        }
    }
    let selectors = ["pod_selector", "service_account_selector"];
    if selectors.iter().all(|name| !attrs::is_set(config, name)) {
        found.push(
            Diagnostic::error(
                "A policy needs a selector",
                "Without `pod_selector` and `service_account_selector` the controller ignores the policy without an error. \
                 For every pod of the namespace write `pod_selector {}`.",
            )
            .attribute(AttrPath::attr("pod_selector")),
        );
    }
    for name in selectors {
        if let Some(selector) = attrs::block(config, name) {
            found.extend(selector::validate(selector, &AttrPath::attr(name)));
        }
    }
    found.extend(group_mistakes(config));
    found
}

fn group_mistakes(config: &Value) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let sets: Vec<Option<usize>> = ["security_group_ids", "security_group_names"]
        .iter()
        .map(|name| match config.get(name) {
            Some(value) if !value.is_known() => None,
            Some(value) => Some(value.elements().map_or(0, |e| e.len())),
            None => Some(0),
        })
        .collect();
    let at_least: usize = sets.iter().flatten().sum();
    let ids = AttrPath::attr("security_group_ids");
    if at_least == 0 && sets.iter().all(Option::is_some) {
        found.push(
            Diagnostic::error(
                "A policy needs a security group",
                "Without a group in `security_group_ids` or `security_group_names` the controller ignores the policy without \
                 an error.",
            )
            .attribute(ids.clone()),
        );
    }
    if at_least > MOST_GROUPS {
        let text = format!("The policy names {at_least} groups; EC2 takes {MOST_GROUPS} on an interface at most.");
        found.push(Diagnostic::error("Too many security groups", text).attribute(ids.clone()));
    } else if at_least > USUAL_GROUPS {
        let text = format!(
            "The policy names {at_least} groups; EC2 takes {USUAL_GROUPS} on an interface unless the account's quota \
             \"Security groups per network interface\" (L-2AFB9258) was raised. Pods would hang in creation."
        );
        found.push(Diagnostic::warning("More security groups than the usual quota", text).attribute(ids.clone()));
    }
    for id in attrs::texts(config, "security_group_ids") {
        if !is_group_id(&id) {
            let text = format!("{id:?} is not the id of a security group. Use `security_group_names` for names.");
            found.push(Diagnostic::error("Invalid security group id", text).attribute(ids.clone()));
        }
    }
    found
}

fn is_group_id(id: &str) -> bool {
    id.strip_prefix("sg-").is_some_and(|hex| hex.len() >= 8 && hex.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use sgp_model::Type;

    use super::{super::SCHEMA, *};

    fn config(fields: &[(&'static str, Value)]) -> Value {
        let selector = attrs::object(&selector::content(), [("match_labels", labels())]);
        let base = [
            ("name", Value::from("backend")),
            ("namespace", "app".into()),
            ("pod_selector", selector),
            ("security_group_ids", ids(&["sg-0123456789abcdef0"])),
        ];
        attrs::object(&SCHEMA.block, base.into_iter().chain(fields.iter().cloned()))
    }

    fn labels() -> Value {
        attrs::map_value([("app".to_owned(), "backend".to_owned())])
    }

    fn ids(items: &[&str]) -> Value {
        Value::set(Type::String, items.iter().map(|i| (*i).into()))
    }

    #[test]
    fn silent_mistakes_are_errors_of_the_plan() {
        let many: Vec<String> = (0..17).map(|i| format!("sg-0123456789abcd{i:03}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let no_selector = Value::null(selector::content().ty());
        for (fields, expected) in [
            (vec![], &[][..]),
            (vec![("pod_selector", no_selector)], &["A policy needs a selector"]),
            (vec![("pod_selector", selector::content().empty())], &[]),
            (vec![("security_group_ids", ids(&[]))], &["A policy needs a security group"]),
            (vec![("security_group_ids", Value::unknown(Type::set(Type::String)))], &[]),
            (vec![("security_group_ids", ids(&["backend"]))], &["Invalid security group id"]),
            (vec![("security_group_ids", ids(&many[..6]))], &["More security groups than the usual quota"]),
            (vec![("security_group_ids", ids(&many))], &["Too many security groups"]),
            (vec![("name", "Backend".into())], &["Invalid Kubernetes name"]),
        ] {
            let found: Vec<String> = of(&config(&fields)).0.into_iter().map(|d| d.summary).collect();
            assert_eq!(found, expected, "{fields:?}");
        }
    }
}
