//! Which names objects may have.

use serde_json::{Value, json};

use super::resources::Resource;
use super::status::Cause;

/// What a kind's names must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// RFC 1123 subdomain: most kinds.
    Subdomain,
    /// RFC 1123 label: namespaces.
    Label,
    /// RFC 1035 label: services.
    Label1035,
    /// Anything that is one segment of a path: RBAC.
    Segment,
}

fn rule(resource: &Resource) -> Rule {
    match resource.stored().as_str() {
        "namespaces" => Rule::Label,
        "services" => Rule::Label1035,
        "statefulsets.apps" => Rule::Label,
        "apiservices.apiregistration.k8s.io" | "certificatesigningrequests.certificates.k8s.io" => Rule::Segment,
        _ if resource.group == "rbac.authorization.k8s.io" => Rule::Segment,
        _ => Rule::Subdomain,
    }
}

/// What is wrong with an object's name.
pub(super) fn check(resource: &Resource, object: &Value) -> Vec<Cause> {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or("");
    if name.is_empty() {
        return vec![Cause::required("metadata.name", "name or generateName is required")];
    }
    wrong(rule(resource), name).into_iter().map(|why| Cause::invalid("metadata.name", &json!(name), &why)).collect()
}

fn wrong(rule: Rule, name: &str) -> Vec<String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label =
        |text: &str| text.starts_with(letter) && text.ends_with(letter) && text.chars().all(|c| letter(c) || c == '-');
    let mut wrong = Vec::new();
    let max = match rule {
        Rule::Subdomain => 253,
        Rule::Label | Rule::Label1035 => 63,
        Rule::Segment => usize::MAX,
    };
    if name.len() > max {
        wrong.push(format!("must be no more than {max} characters"));
    }
    match rule {
        Rule::Subdomain if !name.split('.').all(is_label) => wrong.push("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".to_owned()),
        Rule::Label if !is_label(name) => wrong.push("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')".to_owned()),
        Rule::Label1035 if !is_label(name) || name.starts_with(|c: char| c.is_ascii_digit()) => wrong.push("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')".to_owned()),
        Rule::Segment if matches!(name, "." | "..") => wrong.push(format!("may not be '{name}'")),
        Rule::Segment => wrong.extend(["/", "%"].into_iter().filter(|it| name.contains(it)).map(|it| format!("may not contain '{it}'"))),
        _ => {}
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_kind() {
        let rows = [
            (Rule::Subdomain, "a.b-c", true),
            (Rule::Subdomain, "A", false),
            (Rule::Subdomain, "a..b", false),
            (Rule::Subdomain, "-a", false),
            (Rule::Label, "1a", true),
            (Rule::Label, "a.b", false),
            (Rule::Label1035, "1a", false),
            (Rule::Label1035, "a1", true),
            (Rule::Segment, "system:node", true),
            (Rule::Segment, "a/b", false),
        ];
        for (rule, name, is_right) in rows {
            assert_eq!(wrong(rule, name).is_empty(), is_right, "{name}");
        }
        assert_eq!(wrong(Rule::Label, &"a".repeat(64)), ["must be no more than 63 characters"]);
    }
}
