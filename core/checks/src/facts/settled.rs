//! What is known of where objects of clusters are, and of what they select. The rest of the model takes what is not known for
//! absent there: the namespace `default`, a selector without the label.

use std::collections::BTreeSet;

use sgp_analysis::{build::Object, topology::Id};
use sgp_model::{InstanceAddr, Value};

use super::Facts;

/// Places where a policy may be that is not known well enough.
#[derive(Default)]
pub(crate) struct Unsettled<'a> {
    /// Clusters where it may be in any namespace.
    anywhere: BTreeSet<&'a Id>,
    /// Namespaces of clusters.
    namespaces: BTreeSet<(&'a Id, &'a str)>,
}

impl Unsettled<'_> {
    /// Whether a policy that is not known well enough may be for pods of a namespace.
    pub(crate) fn is_in(&self, cluster: &Id, namespace: &str) -> bool {
        self.anywhere.contains(cluster) || self.namespaces.contains(&(cluster, namespace))
    }
}

/// Whether a value is there and not known.
fn is_open(value: Option<&Value>) -> bool {
    value.is_some_and(|it| !it.is_known())
}

/// Whether name and namespace of an object of a cluster are known.
pub(crate) fn is_placed(object: &Object) -> bool {
    let own = &object.attributes;
    let block = |it: &Value| it.elements().and_then(|it| it.first().copied().cloned()).unwrap_or_else(|| it.clone());
    let metadata = match object.kind.as_str() {
        "kubernetes_manifest" => own.get("manifest").and_then(|it| it.get("metadata")).cloned(),
        _ => own.get("metadata").map(block),
    };
    let is_whole = |it: &Value| it.is_known() && ["name", "namespace"].iter().all(|name| !is_open(it.get(name)));
    is_whole(own) && !is_open(own.get("manifest")) && metadata.is_none_or(|it| is_whole(&it))
}

/// Whether the selectors of a policy are known.
fn has_known_selectors(object: &Object) -> bool {
    let own = &object.attributes;
    let spec = own.get("manifest").and_then(|it| it.get("spec"));
    let ours = ["pod_selector", "service_account_selector"].iter().filter_map(|name| own.get(name));
    let theirs = ["podSelector", "serviceAccountSelector"].iter().filter_map(|name| spec?.get(name));
    !is_open(spec) && ours.chain(theirs).all(Value::is_wholly_known)
}

/// Whether a policy is known well enough to say which pods it is for.
pub(crate) fn is_settled(object: &Object) -> bool {
    is_placed(object) && has_known_selectors(object)
}

impl<'a> Facts<'a> {
    /// Where policies may be that are not known well enough.
    pub(crate) fn unsettled(&self) -> &Unsettled<'a> {
        self.unsettled.get_or_init(|| {
            let mut all = Unsettled::default();
            for (name, cluster) in self.clusters() {
                for ((namespace, _), policy) in &cluster.policies {
                    match policy.managed_by.as_ref().and_then(|addr| self.object(addr)) {
                        Some(object) if !is_placed(object) => {
                            all.anywhere.insert(name);
                        }
                        Some(object) if !has_known_selectors(object) => {
                            all.namespaces.insert((name, namespace));
                        }
                        _ => {}
                    }
                }
            }
            all
        })
    }

    /// Whether name and namespace of the object at an address are known.
    pub(crate) fn is_placed_at(&self, addr: Option<&InstanceAddr>) -> bool {
        addr.and_then(|addr| self.object(addr)).is_none_or(is_placed)
    }

    /// Whether a service account may be anywhere, by any name.
    pub(crate) fn has_loose_service_account(&self) -> bool {
        let mut all = self.clusters().flat_map(|(_, it)| it.service_accounts.values());
        all.any(|it| !self.is_placed_at(it.managed_by.as_ref()))
            || self.of_kind("kubernetes_service_account").next().is_some()
    }
}
