//! The default service account and the authority's ConfigMap of every namespace.
//!
//! Source: kube-controller-manager's `serviceaccount-controller` and `root-ca-certificate-publisher-controller`.

use super::context::{Context, is_going};
use super::queue::Item;
use super::{Controller, Name};
use crate::kubernetes::bootstrap;
use crate::kubernetes::objects::{Event, Kind};

pub(crate) const CONTROLLER: Controller =
    Controller { switches: &["serviceaccounts", "workloads"], observe, reconcile };

fn observe(ctx: &mut Context<'_>, change: &Event) {
    let key = &change.key;
    match key.resource.as_str() {
        "namespaces" if change.kind != Kind::Deleted => ctx.enqueue(Name::ServiceAccounts, "", &key.name),
        "serviceaccounts" if change.kind == Kind::Deleted && key.name == "default" => {
            ctx.enqueue(Name::ServiceAccounts, "", &key.namespace);
        }
        "configmaps" if change.kind == Kind::Deleted && key.name == "kube-root-ca.crt" => {
            ctx.enqueue(Name::ServiceAccounts, "", &key.namespace);
        }
        _ => {}
    }
}

fn reconcile(ctx: &mut Context<'_>, item: &Item) {
    let is_active = ctx.get("namespaces", "", &item.name).is_some_and(|namespace| !is_going(&namespace));
    if is_active {
        bootstrap::furnish_namespace(ctx.world, ctx.cluster, &item.name);
    }
}
