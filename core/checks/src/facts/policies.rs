//! SecurityGroupPolicies with what states them.

use std::collections::BTreeSet;

use sgp_analysis::{
    build::{Object, View},
    matching::is_like,
    topology::{Cluster, Fact, FargateSelector, Id, SecurityGroupPolicy},
};
use sgp_model::{AttrPath, InstanceAddr, PathStep, Value, plan::Action};

use super::{Facts, Sure, settled::is_settled};

/// A policy.
pub(crate) struct PolicyOf<'a> {
    pub(crate) cluster_name: &'a Id,
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) policy: &'a SecurityGroupPolicy,
    object: Option<&'a Object>,
    /// Whether there may be a policy beside it that is not known well enough.
    has_loose_beside: bool,
}

impl<'a> PolicyOf<'a> {
    /// As people know it.
    pub(crate) fn who(&self) -> String {
        format!("policy {}/{}", self.namespace, self.name)
    }

    pub(crate) fn addr(&self) -> Option<&'a InstanceAddr> {
        self.policy.managed_by.as_ref()
    }

    /// Whether it is a `kubernetes_manifest`.
    pub(crate) fn is_manifest(&self) -> bool {
        self.object.is_some_and(|it| it.kind == "kubernetes_manifest")
    }

    /// Its `spec`, of a manifest.
    pub(crate) fn spec(&self) -> Option<&'a Value> {
        self.object.filter(|_| self.is_manifest())?.attributes.get("manifest")?.get("spec")
    }

    /// Attributes, of our own type.
    pub(crate) fn view(&self) -> Option<View<'a>> {
        self.object.filter(|it| it.kind == "sgp_security_group_policy").map(|it| View(&it.attributes))
    }

    /// The place of a part: by its name in our own type and its path in a manifest's `spec`.
    pub(crate) fn path(&self, ours: &str, theirs: &[&str]) -> AttrPath {
        if !self.is_manifest() {
            return AttrPath::attr(ours);
        }
        let steps = ["spec"].iter().chain(theirs);
        steps.fold(AttrPath::attr("manifest"), |path, step| path.with(PathStep::Attr((*step).into())))
    }

    pub(crate) fn groups_path(&self) -> AttrPath {
        self.path("security_group_ids", &["securityGroups", "groupIds"])
    }

    /// The ids that it states, as far as they are known.
    pub(crate) fn stated_ids(&self) -> Vec<&'a str> {
        if let Some(view) = self.view() {
            let elements = view.elements("security_group_ids").known().cloned().unwrap_or_default();
            return elements.into_iter().filter_map(Value::as_str).collect();
        }
        let ids = self.spec().and_then(|it| it.get("securityGroups")).and_then(|it| it.get("groupIds"));
        ids.map(Value::str_elements).unwrap_or_default()
    }

    /// Whether it selects everything of its namespace.
    pub(crate) fn is_for_everything(&self) -> bool {
        let selectors = [&self.policy.pods, &self.policy.service_accounts];
        selectors.iter().any(|it| it.is_some()) && selectors.into_iter().flatten().all(|it| it.is_everything())
    }

    /// Whether the controller looks at it: it has a selector that can be read, and groups.
    pub(crate) fn counts(&self) -> bool {
        counts(self.policy)
    }

    /// Whether it is for pods on nodes: where Fargate takes pods of the namespace, that is not known.
    pub(crate) fn is_for_nodes(&self) -> bool {
        self.counts() && self.is_on_fargate() == Sure::No
    }

    /// Whether it is for pods on Fargate alone.
    pub(crate) fn is_for_fargate(&self) -> bool {
        self.counts() && self.is_on_fargate() == Sure::Yes
    }

    /// Whether Fargate takes its pods: all of the namespace, or perhaps those with some labels.
    fn is_on_fargate(&self) -> Sure {
        let profiles = self.cluster.fargate_profiles.values();
        let judge = |it: &FargateSelector| match () {
            // A namespace that is not known reads as none.
            () if it.namespace.is_empty() => Sure::Perhaps,
            () if !is_like(&it.namespace, self.namespace) => Sure::No,
            () if it.labels.is_empty() => Sure::Yes,
            () => Sure::Perhaps,
        };
        profiles.flat_map(|it| &it.selectors).map(judge).max().unwrap_or(Sure::No)
    }

    /// The union of the groups that a pod under the policy can have: with those of all others of the namespace. `None` when
    /// some are not known.
    pub(crate) fn widest(&self) -> Option<Vec<Id>> {
        if self.has_loose_beside {
            return None;
        }
        let first = (self.namespace.to_owned(), String::new());
        let here = self.cluster.policies.range(first..).take_while(|((namespace, _), _)| namespace == self.namespace);
        let beside = here.filter(|((_, name), it)| name != self.name && counts(it)).map(|(_, it)| it);
        let mut all = self.policy.groups.known()?.clone();
        for other in beside {
            match &other.groups {
                Fact::Known(groups) => {
                    all.extend(groups.iter().filter(|id| !all.contains(id)).cloned().collect::<Vec<_>>());
                }
                Fact::Unknown => return None,
            }
        }
        Some(all)
    }
}

fn counts(policy: &SecurityGroupPolicy) -> bool {
    let selectors = [&policy.pods, &policy.service_accounts];
    selectors.iter().any(|it| it.is_some())
        && selectors.into_iter().flatten().all(|it| it.problem().is_none())
        && !policy.groups.known().is_some_and(Vec::is_empty)
}

impl<'a> Facts<'a> {
    /// Whether the plan changes what a policy selects or gives. Its labels are nobody's business.
    pub(crate) fn changes(&self, policy: &PolicyOf<'a>) -> bool {
        if matches!(self.action(policy.addr()), Action::NoOp | Action::Read | Action::Forget) {
            return false;
        }
        let before = self.input.topology_before.clusters.get(policy.cluster_name);
        let key = (policy.namespace.to_owned(), policy.name.to_owned());
        let parts = |it: &SecurityGroupPolicy| {
            let groups: Fact<BTreeSet<Id>> = it.groups.clone().map(|it| it.into_iter().collect());
            (it.pods.clone(), it.service_accounts.clone(), groups)
        };
        let before = before.and_then(|it| it.policies.get(&key));
        before.is_none_or(|it| parts(it) != parts(policy.policy))
    }

    /// All policies, by cluster, namespace and name.
    pub(crate) fn policies(&self) -> &[PolicyOf<'a>] {
        self.policies.get_or_init(|| {
            let mut all = Vec::new();
            let unsettled = self.unsettled();
            for (cluster_name, cluster) in self.clusters() {
                let settled = cluster.policies.iter().filter(|(_, policy)| {
                    policy.managed_by.as_ref().and_then(|addr| self.object(addr)).is_none_or(is_settled)
                });
                all.extend(settled.map(|((namespace, name), policy)| PolicyOf {
                    cluster_name,
                    cluster,
                    namespace,
                    name,
                    policy,
                    object: policy.managed_by.as_ref().and_then(|addr| self.object(addr)),
                    has_loose_beside: unsettled.is_in(cluster_name, namespace),
                }));
            }
            all
        })
    }
}
