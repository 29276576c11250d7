//! Security groups: who carries them, and what they let pass.

use super::Explanation;
use crate::{
    matching::{self, Attachment},
    reach,
    topology::{Cluster, Fact, Group, Id, Topology},
};

/// The group with this id, name or address.
pub(super) fn named(topology: &Topology, text: &str) -> Option<Explanation> {
    let found: Vec<(&Id, &Group)> = topology.groups_named(text).collect();
    match found.as_slice() {
        [] => None,
        [(id, group)] => Some(explained(topology, id, group)),
        several => {
            let mut told = Explanation::of(format!("group {text}"));
            for (id, group) in several {
                let vpc = group.vpc.known().map_or_else(|| "a VPC that is not known".to_owned(), ToString::to_string);
                told.told(format!("{id} of {vpc}"));
            }
            Some(told.is("Several groups are called so: ask with the id of one."))
        }
    }
}

fn explained(topology: &Topology, id: &Id, group: &Group) -> Explanation {
    let mut told = Explanation::of(format!("group {} ({id})", group.name));
    for rule in &group.rules {
        told.told(reach::told(id, rule));
    }
    if group.rules.is_empty() && !group.may_have_more_rules {
        told.told("it has no rules, so that it lets nothing pass");
    }
    let carried = topology.interfaces.values().filter(|it| it.groups.contains(id)).count();
    if carried > 0 {
        told.fine(format!("{carried} network interfaces carry it"));
    }
    let givers: Vec<String> = topology.clusters.iter().flat_map(|(name, it)| givers(name, it, id)).collect();
    let is_given = !givers.is_empty();
    givers.into_iter().for_each(|it| told.fine(it));
    match (carried, is_given) {
        (0, false) => told.is("Nothing that is known here carries it."),
        (0, true) => told.is("No interface is known that carries it; what is made from now on will."),
        _ => told.is("It is in use."),
    }
}

/// What of a cluster gives the group to interfaces.
fn givers(name: &Id, cluster: &Cluster, id: &Id) -> Vec<String> {
    let has = |groups: &Fact<Vec<Id>>| groups.known().is_some_and(|it| it.contains(id));
    let mut found = Vec::new();
    if cluster.group.known() == Some(id) {
        found.push(format!(
            "cluster {name}: its control plane carries it, and nodes and pods without groups of their own"
        ));
    }
    if cluster.further_groups.contains(id) {
        found.push(format!("cluster {name}: its control plane carries it"));
    }
    for (group, _) in cluster.node_groups.iter().filter(|(_, it)| has(&it.groups)) {
        found.push(format!("the nodes of node group {group} carry it"));
    }
    for ((namespace, policy), _) in cluster.policies.iter().filter(|(_, it)| has(&it.groups)) {
        found.push(format!("policy {namespace}/{policy} gives it to pods"));
    }
    for ((namespace, kind, workload), it) in &cluster.workloads {
        let attachment = matching::membership(cluster, namespace, &it.template).attachment;
        if let Attachment::Branch(groups) | Attachment::Fargate(groups) = attachment
            && has(&groups)
        {
            found.push(format!("pods of {kind} {namespace}/{workload} get it"));
        }
    }
    found
}
