//! Pods that workloads make, and the groups that they have.

use sgp_analysis::{
    matching::{Attachment, Membership, membership},
    topology::{Cluster, Fact, Id, PodTemplate},
};
use sgp_model::InstanceAddr;

use super::Facts;

/// Pods that are alike: of a workload, or one that nothing made.
pub(crate) struct Pods<'a> {
    pub(crate) cluster_name: &'a Id,
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) addr: Option<&'a InstanceAddr>,
    pub(crate) template: &'a PodTemplate,
    /// `None` is one on each node.
    pub(crate) replicas: Fact<Option<u32>>,
    pub(crate) surge: Fact<u32>,
    pub(crate) membership: Membership,
}

impl Pods<'_> {
    /// As people know them.
    pub(crate) fn who(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// Whether they have branch interfaces of their nodes.
    pub(crate) fn has_branch(&self) -> bool {
        matches!(self.membership.attachment, Attachment::Branch(_) | Attachment::BranchOfNode)
    }

    /// Their groups, where they have some of their own on a node and these are known.
    pub(crate) fn branch_groups(&self) -> Option<&[Id]> {
        match &self.membership.attachment {
            Attachment::Branch(Fact::Known(groups)) => Some(groups),
            _ => None,
        }
    }

    /// Their groups on Fargate, when policies give them.
    pub(crate) fn fargate_groups(&self) -> Option<&[Id]> {
        match &self.membership.attachment {
            Attachment::Fargate(Fact::Known(groups)) if self.membership.policies().next().is_some() => Some(groups),
            _ => None,
        }
    }
}

/// A set of groups that pods on nodes have.
pub(crate) struct Dressed<'a> {
    pub(crate) cluster_name: &'a Id,
    pub(crate) cluster: &'a Cluster,
    /// As people know the pods.
    pub(crate) who: String,
    /// The policy that gives the groups, or the workload.
    pub(crate) addr: Option<&'a InstanceAddr>,
    pub(crate) groups: Vec<Id>,
    /// Those of them that the pods surely have.
    pub(crate) own: Vec<Id>,
}

impl<'a> Facts<'a> {
    /// Workloads and pods that nothing made.
    pub(crate) fn pods(&self) -> &[Pods<'a>] {
        self.pods.get_or_init(|| {
            let all = self.clusters().flat_map(|(name, cluster)| in_cluster(name, cluster));
            let mut all: Vec<_> = all.filter(|it| self.is_placed_at(it.addr)).collect();
            // A policy that is not known well enough may match, or may not.
            for pods in all.iter_mut().filter(|it| self.unsettled().is_in(it.cluster_name, it.namespace)) {
                let attachment = Attachment::Unknown("a policy is not known well enough".to_owned());
                pods.membership = Membership { attachment, opinions: Vec::new() };
            }
            all
        })
    }

    /// The sets of groups that pods on nodes have: those of workloads, and for each policy the widest one that pods under it can
    /// have. What the widest one lacks, all of these pods lack.
    pub(crate) fn dressed(&self) -> &[Dressed<'a>] {
        self.dressed.get_or_init(|| {
            let mut all = Vec::new();
            // What is no id has a rule of its own.
            let are_ids = |ids: &[Id]| ids.iter().all(|id| id.is_symbolic() || id.as_str().starts_with("sg-"));
            for policy in self.policies().iter().filter(|it| it.is_for_nodes()) {
                let (Some(groups), Fact::Known(own)) =
                    (policy.widest().filter(|it| are_ids(it)), &policy.policy.groups)
                else {
                    continue;
                };
                let (cluster_name, cluster, own) = (policy.cluster_name, policy.cluster, own.clone());
                let who = format!("pods of {}", policy.who());
                all.push(Dressed { cluster_name, cluster, who, addr: policy.addr(), groups, own });
            }
            for pods in self.pods() {
                let Some(groups) = pods.branch_groups() else { continue };
                let is_told = all
                    .iter()
                    .any(|it: &Dressed<'_>| it.cluster_name == pods.cluster_name && is_same(&it.groups, groups));
                if !is_told {
                    let (cluster_name, cluster) = (pods.cluster_name, pods.cluster);
                    let (groups, own) = (groups.to_vec(), groups.to_vec());
                    all.push(Dressed { cluster_name, cluster, who: pods.who(), addr: pods.addr, groups, own });
                }
            }
            all
        })
    }
}

fn is_same(one: &[Id], other: &[Id]) -> bool {
    one.len() == other.len() && one.iter().all(|id| other.contains(id))
}

fn in_cluster<'a>(cluster_name: &'a Id, cluster: &'a Cluster) -> Vec<Pods<'a>> {
    // What a Deployment makes is told by the Deployment.
    let workloads =
        cluster.workloads.iter().filter(|((_, kind, _), it)| kind != "ReplicaSet" || it.managed_by.is_some());
    let mut all: Vec<Pods<'_>> = workloads
        .map(|((namespace, kind, name), workload)| Pods {
            cluster_name,
            cluster,
            namespace,
            kind,
            name,
            addr: workload.managed_by.as_ref(),
            template: &workload.template,
            replicas: workload.replicas,
            surge: workload.surge,
            membership: membership(cluster, namespace, &workload.template),
        })
        .collect();
    let is_over = |phase: &str| phase == "Succeeded" || phase == "Failed";
    let alone = cluster.pods.iter().filter(|(_, pod)| pod.owner.is_none() && !is_over(&pod.phase));
    all.extend(alone.map(|(key, pod)| Pods {
        cluster_name,
        cluster,
        namespace: &key.namespace,
        kind: "Pod",
        name: &key.name,
        addr: None,
        template: &pod.template,
        replicas: Fact::Known(Some(1)),
        surge: Fact::Known(0),
        membership: membership(cluster, &key.namespace, &pod.template),
    }));
    all
}
