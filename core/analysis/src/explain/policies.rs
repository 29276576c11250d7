//! SecurityGroupPolicies.

use super::Explanation;
use crate::{
    matching::{self, Says},
    topology::{Cluster, Fact},
};

/// Which workloads a policy is for, and why not for others.
pub(super) fn policy(cluster: &Cluster, namespace: &str, name: &str) -> Option<Explanation> {
    let policy = cluster.policies.get(&(namespace.to_owned(), name.to_owned()))?;
    let mut told = Explanation::of(format!("policy {namespace}/{name}"));
    let nobody = Fact::Unknown;
    if let says @ (Says::NoSelector | Says::NoGroups | Says::Broken { .. }) = matching::says(policy, &nobody, &nobody) {
        return Some(told.fails(
            says.to_string(),
            "Say which pods it is for, and which groups they get.",
            "The controller ignores it.",
        ));
    }
    let workloads =
        cluster.workloads.iter().map(|((theirs, kind, its), it)| (theirs, format!("{kind} {its}"), &it.template));
    let pods = cluster.pods.iter().filter(|(_, it)| it.owner.is_none());
    let pods = pods.map(|(key, it)| (&key.namespace, format!("pod {}", key.name), &it.template));
    let mut matched = 0_usize;
    for (_, who, template) in workloads.chain(pods).filter(|(theirs, ..)| *theirs == namespace) {
        let opinions = matching::membership(cluster, namespace, template).opinions;
        let Some(opinion) = opinions.iter().find(|it| it.policy == name) else {
            told.told(format!("{who}: its pods use their node's network, so no policy counts"));
            continue;
        };
        match opinion.says {
            Says::Matches => {
                matched += 1;
                told.fine(format!("{who}: matches"));
            }
            ref says => told.told(format!("{who}: {says}")),
        }
    }
    Some(match matched {
        0 if cluster.is_complete => told.fails(
            "nothing in its namespace matches",
            "Compare its selector with the labels of the pod template (not of the Deployment) or of the service account.",
            "It gives no pod its groups.",
        ),
        0 => told.is("No workload that is known here matches it."),
        1 => told.is("One workload or pod matches it."),
        many => told.is(format!("{many} workloads and pods match it.")),
    })
}
