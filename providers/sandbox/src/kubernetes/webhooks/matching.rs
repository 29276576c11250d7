//! Which security groups a pod gets: the rules of the VPC resource controller, one by one.
//!
//! Source: `pkg/utils/helper.go` of `aws/amazon-vpc-resource-controller-k8s` v1.8.2.

use serde_json::Value;

use crate::kubernetes::objects::Key;
use crate::kubernetes::selectors::Selector;
use crate::world::World;

const POLICIES: &str = "securitygrouppolicies.vpcresources.k8s.aws";

/// The groups of a pod: those of all policies of its namespace that match, each once, in the order of the policies' names.
///
/// The controller reads policies from a cache without an order; here they come by name.
///
/// # Errors
/// The service account is missing: `ServiceAccount "x" not found`, the controller's words.
pub(crate) fn groups(world: &World, cluster: &str, pod: &Value) -> Result<Vec<String>, String> {
    let definition = Key::new(cluster, "customresourcedefinitions.apiextensions.k8s.io", "", POLICIES);
    if world.kubernetes.objects.get(&definition).is_none() {
        return Ok(Vec::new());
    }
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
    let name = pod["spec"]["serviceAccountName"].as_str().unwrap_or_default();
    let account = world.kubernetes.objects.get(&Key::new(cluster, "serviceaccounts", namespace, name));
    let account = account.ok_or_else(|| format!("ServiceAccount {name:?} not found"))?;
    let mut groups: Vec<String> = Vec::new();
    for policy in world.kubernetes.objects.list(cluster, POLICIES, Some(namespace)) {
        if !matches(policy, &pod["metadata"]["labels"], &account["metadata"]["labels"]) {
            continue;
        }
        for group in groups_of(policy) {
            if !groups.iter().any(|it| it == group) {
                groups.push(group.to_owned());
            }
        }
    }
    Ok(groups)
}

/// The names of the policies that give a pod groups.
pub(crate) fn policies(world: &World, cluster: &str, pod: &Value) -> Vec<String> {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
    let name = pod["spec"]["serviceAccountName"].as_str().unwrap_or_default();
    let Some(account) = world.kubernetes.objects.get(&Key::new(cluster, "serviceaccounts", namespace, name)) else {
        return Vec::new();
    };
    let policies = world.kubernetes.objects.list(cluster, POLICIES, Some(namespace));
    policies
        .filter(|policy| matches(policy, &pod["metadata"]["labels"], &account["metadata"]["labels"]))
        .filter_map(|policy| policy["metadata"]["name"].as_str().map(str::to_owned))
        .collect()
}

fn groups_of(policy: &Value) -> impl Iterator<Item = &str> {
    policy["spec"]["securityGroups"]["groupIds"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a policy is for a pod with these labels, whose service account has those. One without selectors or without groups is for
/// none; a selector that cannot be read matches nothing.
fn matches(policy: &Value, pod: &Value, account: &Value) -> bool {
    let (pods, accounts) = (&policy["spec"]["podSelector"], &policy["spec"]["serviceAccountSelector"]);
    if pods.is_null() && accounts.is_null() || groups_of(policy).next().is_none() {
        return false;
    }
    let fits = |selector: &Value, labels: &Value| {
        selector.is_null() || Selector::read(selector).is_ok_and(|selector| selector.matches(labels))
    };
    fits(pods, pod) && fits(accounts, account)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_of_pods_and_service_accounts() {
        let (pod, account) = (json!({ "app": "web" }), json!({ "team": "a" }));
        let yes = json!({ "matchLabels": { "app": "web" } });
        let no = json!({ "matchLabels": { "app": "db" } });
        let team = json!({ "matchLabels": { "team": "a" } });
        let other = json!({ "matchLabels": { "team": "b" } });
        let bad = json!({ "matchExpressions": [{ "key": "app", "operator": "Is", "values": ["web"] }] });
        let groups = json!({ "groupIds": ["sg-1"] });
        for (pods, accounts, groups, expected) in [
            (json!(null), json!(null), groups.clone(), false),
            (yes.clone(), json!(null), groups.clone(), true),
            (no.clone(), json!(null), groups.clone(), false),
            (json!(null), team.clone(), groups.clone(), true),
            (json!(null), other.clone(), groups.clone(), false),
            (yes.clone(), team.clone(), groups.clone(), true),
            (yes.clone(), other.clone(), groups.clone(), false),
            (no.clone(), team.clone(), groups.clone(), false),
            (json!({}), json!(null), groups.clone(), true),
            (json!(null), json!({}), groups.clone(), true),
            (json!({}), team.clone(), groups.clone(), true),
            (json!({}), other.clone(), groups.clone(), false),
            (bad.clone(), json!(null), groups.clone(), false),
            (bad, team.clone(), groups.clone(), false),
            (yes.clone(), json!(null), json!({ "groupIds": [] }), false),
            (yes.clone(), json!(null), json!(null), false),
        ] {
            let policy = json!({ "spec": {
                "podSelector": pods, "serviceAccountSelector": accounts, "securityGroups": groups,
            } });
            assert_eq!(matches(&policy, &pod, &account), expected, "{policy}");
        }
    }
}
