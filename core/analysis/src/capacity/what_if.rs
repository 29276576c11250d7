//! Whether so many pods more fit.

use std::collections::BTreeSet;

use super::{
    Amount, Facts, Needs, Nodes, Resource,
    demand::Places,
    fit::{Scene, everywhere},
    report::is_enough,
};
use crate::{
    matching::{Attachment, membership},
    topology::{Cluster, Fact, Id, InterfaceKind, PodTemplate, Topology},
};

/// Which pods.
#[derive(Clone, Debug)]
pub enum Who {
    /// Of a namespace, made from a template: what they get is decided as for any pod.
    Like(String, Box<PodTemplate>),
    /// More of a workload: its namespace, kind and name.
    Of(String, String, String),
    /// That a policy gives groups: its namespace and name. They may go to any node.
    Policy(String, String),
}

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// The cluster.
    pub cluster: Id,
    /// How many pods more, beside all that workloads want already.
    pub pods: u64,
    /// Which.
    pub who: Who,
    /// Which nodes count.
    pub nodes: Nodes,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They fit.
    Fits,
    /// They do not.
    DoesNotFit,
    /// It depends on what is not known.
    Depends,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether they fit.
    pub verdict: Verdict,
    /// What each of them takes; `None` when they are not admitted.
    pub needs: Option<Needs>,
    /// How many fit beside what is wanted already.
    pub room: Amount,
    /// How many of this kind there can be in all.
    pub takes: Amount,
    /// What runs out first, with more pods than there is room for.
    pub first: Vec<Resource>,
    /// Seconds that some of them may wait: branch interfaces in cool-down take their room until then. 0 when there are none.
    pub waits_secs: u64,
    /// What it depends on, or why they are not admitted.
    pub why: Vec<String>,
}

/// Answers; `None` when there is no such cluster, workload or policy.
pub fn what_if(topology: &Topology, question: &Question, facts: &Facts) -> Option<Answer> {
    let cluster = topology.clusters.get(&question.cluster)?;
    let scene = Scene::of(topology, cluster, facts, question.nodes);
    match asked(&scene, &question.who)? {
        Ok((needs, places)) => Some(answer(&scene, question.pods, needs, &places)),
        Err(why) => Some(Answer {
            verdict: Verdict::DoesNotFit,
            needs: None,
            room: 0_u64.into(),
            takes: 0_u64.into(),
            first: Vec::new(),
            waits_secs: 0,
            why: vec![why],
        }),
    }
}

/// What the pods take and where they may go, or why they are not admitted.
fn asked(scene: &Scene<'_>, who: &Who) -> Option<Result<(Needs, Places), String>> {
    let (namespace, template) = match who {
        Who::Like(namespace, template) => (namespace, &**template),
        Who::Of(namespace, kind, name) => {
            let key = (namespace.clone(), kind.clone(), name.clone());
            (namespace, &scene.cluster.workloads.get(&key)?.template)
        }
        Who::Policy(namespace, name) => {
            scene.cluster.policies.get(&(namespace.clone(), name.clone()))?;
            return Some(Ok((needs_of_policy(scene.cluster), everywhere(scene))));
        }
    };
    let attachment = membership(scene.cluster, namespace, template).attachment;
    if let Attachment::Denied(why) = attachment {
        return Some(Err(why));
    }
    let needs = Needs::of(&attachment)?;
    Some(Ok((needs, Places::of(template, &scene.pools))))
}

/// A cluster whose pods are all Fargate's has no nodes for branch interfaces.
fn needs_of_policy(cluster: &Cluster) -> Needs {
    let has_nodes = !cluster.node_groups.is_empty() || !cluster.nodes.is_empty();
    if has_nodes || cluster.fargate_profiles.is_empty() { Needs::Branch } else { Needs::Fargate }
}

fn answer(scene: &Scene<'_>, pods: u64, needs: Needs, places: &Places) -> Answer {
    let room = scene.room(needs, places);
    let verdict = match is_enough(&room.more, &pods.into()) {
        Fact::Known(true) => Verdict::Fits,
        Fact::Known(false) => Verdict::DoesNotFit,
        Fact::Unknown => Verdict::Depends,
    };
    let cooling = if needs == Needs::Branch { cooling(scene) } else { 0 };
    let waits = cooling > 0 && verdict != Verdict::DoesNotFit && pods > room.more.least().saturating_sub(cooling);
    Answer {
        needs: Some(needs),
        waits_secs: if waits { scene.facts.cooldown_secs } else { 0 },
        why: if verdict == Verdict::Depends { scene.why() } else { Vec::new() },
        verdict,
        room: room.more,
        takes: room.takes,
        first: room.first,
    }
}

/// Branch interfaces of the cluster without a pod.
fn cooling(scene: &Scene<'_>) -> u64 {
    let with_pod: BTreeSet<&Id> = scene.cluster.pods.values().filter_map(|pod| pod.branch.as_ref()).collect();
    let branches = scene.topology.interfaces.iter().filter(|(_, it)| it.kind == InterfaceKind::Branch);
    branches.filter(|(id, _)| scene.ours.contains(*id) && !with_pod.contains(id)).count() as u64
}
