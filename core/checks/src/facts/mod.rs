//! What several rules look at, worked out once.

mod cni;
mod ends;
mod gone;
mod json;
mod manifests;
mod nodes;
mod pods;
mod policies;
mod roles;
mod services;
mod settled;
mod trust;
mod version;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

pub(crate) use cni::{CniSettings, Stated};
pub(crate) use ends::{Other, Sure};
pub(crate) use gone::id_of;
pub(crate) use json::{list, strings, texts_or_one};
pub(crate) use manifests::Manifest;
pub(crate) use nodes::{NodeTypes, Trunks, most_branches};
pub(crate) use pods::{Dressed, Pods};
pub(crate) use policies::PolicyOf;
use roles::Roles;
pub(crate) use roles::{Role, document_allows, statements};
pub(crate) use services::{Targets, sends_to_pods, target};
use settled::Unsettled;
use sgp_analysis::{
    build::{Object, View},
    capacity,
    topology::{Cluster, EnforcingMode, Fact, Id},
};
use sgp_model::{InstanceAddr, plan::Action, symbol};
pub(crate) use trust::{Bound, Condition, ROLE, WebIdentity, web_identities};
pub(crate) use version::{cni_version, version};

use crate::Input;

/// The input, and what follows from it.
pub struct Facts<'a> {
    pub(crate) input: &'a Input<'a>,
    by_kind: BTreeMap<&'a str, Vec<&'a Object>>,
    by_addr: BTreeMap<&'a InstanceAddr, &'a Object>,
    /// Objects by address as people write it.
    by_name: OnceCell<BTreeMap<String, &'a Object>>,
    before: BTreeMap<&'a InstanceAddr, &'a Object>,
    roles: OnceCell<Roles<'a>>,
    policies: OnceCell<Vec<PolicyOf<'a>>>,
    pods: OnceCell<Vec<Pods<'a>>>,
    dressed: OnceCell<Vec<Dressed<'a>>>,
    cni: OnceCell<Vec<CniSettings<'a>>>,
    unsettled: OnceCell<Unsettled<'a>>,
    loose: OnceCell<[bool; 2]>,
    karpenter: OnceCell<bool>,
    manifests: OnceCell<Vec<Manifest<'a>>>,
    capacity: OnceCell<BTreeMap<&'a Id, capacity::Report>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(input: &'a Input<'a>) -> Self {
        let mut by_kind: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
        for object in input.objects {
            by_kind.entry(&object.kind).or_default().push(object);
        }
        let addressed = |objects: &'a [Object]| objects.iter().filter_map(|it| Some((it.addr.as_ref()?, it))).collect();
        Self {
            input,
            by_kind,
            by_addr: addressed(input.objects),
            by_name: OnceCell::new(),
            before: addressed(input.before),
            roles: OnceCell::new(),
            policies: OnceCell::new(),
            pods: OnceCell::new(),
            dressed: OnceCell::new(),
            cni: OnceCell::new(),
            unsettled: OnceCell::new(),
            loose: OnceCell::new(),
            karpenter: OnceCell::new(),
            manifests: OnceCell::new(),
            capacity: OnceCell::new(),
        }
    }

    /// Objects of a type, as they will be.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&'a Object, View<'a>)> + use<'a> {
        let objects = self.by_kind.get(kind).cloned().unwrap_or_default();
        objects.into_iter().map(|object| (object, View(&object.attributes)))
    }

    /// An object, as it will be.
    pub(crate) fn object(&self, addr: &InstanceAddr) -> Option<&'a Object> {
        self.by_addr.get(addr).copied()
    }

    /// An object as it is.
    pub(crate) fn was(&self, addr: &InstanceAddr) -> Option<View<'a>> {
        self.before.get(addr).map(|object| View(&object.attributes))
    }

    /// The object of a type that a text means: it is the value of one of the attributes, or the symbol for it.
    pub(crate) fn meant_by(&self, text: &str, kind: &str, attributes: &[&str]) -> Option<(&'a Object, View<'a>)> {
        let Some(reference) = symbol::reference(text) else {
            return self.of_kind(kind).find(|(_, view)| attributes.iter().any(|name| view.text(name) == Some(text)));
        };
        let by_name =
            self.by_name.get_or_init(|| self.by_addr.iter().map(|(addr, it)| (addr.to_string(), *it)).collect());
        let names = attributes.iter().filter_map(|name| reference.strip_suffix(name)?.strip_suffix('.'));
        let object = names.filter_map(|name| by_name.get(name)).find(|it| it.kind == kind)?;
        Some((object, View(&object.attributes)))
    }

    /// Whether the configuration says nothing of an attribute, so that AWS fills it in.
    pub(crate) fn is_unsaid(&self, addr: Option<&InstanceAddr>, attribute: &str) -> bool {
        let config = addr.and_then(|addr| self.input.configs.get(addr));
        config.is_some_and(|it| it.get(attribute).is_none_or(|it| it.is_null()))
    }

    /// What happens to an instance.
    pub(crate) fn action(&self, addr: Option<&InstanceAddr>) -> Action {
        addr.and_then(|addr| self.input.actions.get(addr)).copied().unwrap_or(Action::NoOp)
    }

    /// Whether the object comes into being, again or for the first time.
    pub(crate) fn is_made(&self, addr: Option<&InstanceAddr>) -> bool {
        let action = self.action(addr);
        action == Action::Create || action.is_replace()
    }

    /// Whether one instance waits for another, directly or not.
    pub(crate) fn waits_for(&self, one: &InstanceAddr, other: &InstanceAddr) -> bool {
        let mut seen = BTreeSet::new();
        let mut left = vec![one];
        while let Some(at) = left.pop() {
            for next in self.input.edges.get(at).into_iter().flatten() {
                if next == other {
                    return true;
                }
                if seen.insert(next) {
                    left.push(next);
                }
            }
        }
        false
    }

    /// Clusters with their names.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = (&'a Id, &'a Cluster)> + use<'a> {
        self.input.topology.clusters.iter()
    }

    /// The cluster that an object of a cluster is in: the one it names, or the only one.
    pub(crate) fn cluster_of(&self, view: &View<'_>) -> Option<(&'a Id, &'a Cluster)> {
        let clusters = &self.input.topology.clusters;
        match view.text("cluster_name") {
            Some(text) => self.input.topology.cluster_named(text).and_then(|name| clusters.get_key_value(name)),
            None if clusters.len() == 1 => clusters.first_key_value(),
            None => None,
        }
    }

    /// Clusters whose pods on nodes have branch interfaces in strict mode.
    pub(crate) fn strict_clusters(&self) -> impl Iterator<Item = (&'a Id, &'a Cluster)> {
        self.clusters().filter(|(name, it)| is_strict(it) && self.wants_branches(name, it))
    }

    /// Whether a policy is for pods on the cluster's nodes; others may be made by somebody else.
    pub(crate) fn has_policy_for_nodes(&self, name: &Id) -> bool {
        self.policies().iter().any(|it| it.cluster_name == name && it.is_for_nodes())
    }

    /// Whether pods on the cluster's nodes are meant to have branch interfaces.
    pub(crate) fn wants_branches(&self, name: &Id, cluster: &Cluster) -> bool {
        cluster.cni.pod_eni == Fact::Known(true) || self.has_policy_for_nodes(name)
    }
}

/// Whether a text is the value of one of an object's attributes, or the symbol for it.
pub(crate) fn is_meant(text: &str, object: &Object, view: &View<'_>, attributes: &[&str]) -> bool {
    if attributes.iter().any(|name| view.text(name) == Some(text)) {
        return true;
    }
    let (Some(reference), Some(addr)) = (symbol::reference(text), &object.addr) else { return false };
    let attribute = reference.strip_prefix(&addr.to_string()).and_then(|rest| rest.strip_prefix('.'));
    attribute.is_some_and(|name| attributes.contains(&name))
}

/// Whether a cluster is known to be in strict mode.
pub(crate) fn is_strict(cluster: &Cluster) -> bool {
    cluster.cni.mode == Fact::Known(EnforcingMode::Strict)
}
