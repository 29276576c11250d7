//! Cluster roles whose rules are those of others, by label.
//!
//! Source: kube-controller-manager's `clusterrole-aggregation-controller`.

use serde_json::{Value, json};

use super::context::{Context, meta};
use super::queue::Item;
use super::{Controller, Name};
use crate::kubernetes::objects::Event;
use crate::kubernetes::selectors::Selector;

pub(crate) const CONTROLLER: Controller = Controller { switches: &["clusterroles", "workloads"], observe, reconcile };

const ROLES: &str = "clusterroles.rbac.authorization.k8s.io";

/// A role that changes may be one of those that any other one gathers.
fn observe(ctx: &mut Context<'_>, change: &Event) {
    if change.key.resource == ROLES {
        ctx.enqueue(Name::ClusterRoles, "", "");
    }
}

fn reconcile(ctx: &mut Context<'_>, _: &Item) {
    let roles = ctx.list(ROLES, None);
    for role in roles.iter().filter(|role| role["aggregationRule"].is_object()) {
        let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array().into_iter().flatten();
        let selectors: Vec<Selector> = selectors.filter_map(|it| Selector::read(it).ok()).collect();
        let name = meta(role, "name").to_owned();
        let mut rules: Vec<Value> = Vec::new();
        for other in roles.iter().filter(|it| meta(it, "name") != name) {
            if selectors.iter().any(|selector| selector.matches(&other["metadata"]["labels"])) {
                for rule in other["rules"].as_array().into_iter().flatten() {
                    if !rules.contains(rule) {
                        rules.push(rule.clone());
                    }
                }
            }
        }
        let current = role["rules"].as_array().map_or(&[][..], Vec::as_slice);
        if current != rules {
            ctx.update(ROLES, "", &name, |role| role["rules"] = json!(rules));
        }
    }
}
