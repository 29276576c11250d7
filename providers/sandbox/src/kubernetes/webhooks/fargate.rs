//! `0500-amazon-eks-fargate-mutation.amazonaws.com`: pods that a Fargate profile selects are Fargate's.
//!
//! Source: EKS User Guide, "Define which Pods use AWS Fargate when launched". With several profiles the first by name wins.

use serde_json::{Value, json};

use crate::aws::filter;
use crate::eks::model::{Selector, Status};
use crate::kubernetes::admission::Request;
use crate::world::World;

const PROFILE: &str = "eks.amazonaws.com/fargate-profile";

/// Gives a new pod its profile and scheduler.
pub(super) fn change(world: &World, request: &Request<'_>, pod: &mut Value) {
    if pod["spec"]["hostNetwork"] == true {
        return;
    }
    let profiles = world.eks.fargate_profiles.starting_with(format!("{}/", request.cluster)).map(|(_, row)| row);
    let asked = pod["metadata"]["labels"][PROFILE].as_str();
    let chosen = profiles
        .filter(|profile| profile.status == Status::Active && asked.is_none_or(|name| name == profile.name))
        .find(|profile| profile.selectors.iter().any(|it| selects(it, request.namespace, &pod["metadata"]["labels"])));
    let Some(name) = chosen.map(|profile| profile.name.clone()) else { return };
    pod["metadata"]["labels"][PROFILE] = json!(name);
    pod["spec"]["schedulerName"] = json!("fargate-scheduler");
    pod["spec"]["priority"] = json!(2_000_001_000);
    pod["spec"]["priorityClassName"] = json!("system-node-critical");
}

fn selects(selector: &Selector, namespace: &str, labels: &Value) -> bool {
    let has = |(key, value): (&String, &String)| {
        let mut own = labels.as_object().into_iter().flatten();
        own.any(|(name, text)| filter::matches(key, name) && filter::matches(value, text.as_str().unwrap_or_default()))
    };
    filter::matches(&selector.namespace, namespace) && selector.labels.iter().all(has)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn profiles_select_by_namespace_and_labels() {
        let selector = |namespace: &str, labels: &[(&str, &str)]| Selector {
            namespace: namespace.to_owned(),
            labels: labels
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        };
        let labels = json!({ "app": "web", "tier": "a" });
        for (it, expected) in [
            (selector("default", &[]), true),
            (selector("def*", &[]), true),
            (selector("other", &[]), false),
            (selector("*", &[("app", "web")]), true),
            (selector("*", &[("app", "w*"), ("tier", "a")]), true),
            (selector("*", &[("app", "db")]), false),
        ] {
            assert_eq!(selects(&it, "default", &labels), expected, "{it:?}");
        }
    }
}
