//! What runs beside what is managed: when a plan asks for it, and what the plan leaves as it is.

use std::{borrow::Cow, collections::BTreeSet};

use sgp_analysis::{
    build::{Object, Sources, Things},
    running::{self, Groups, Kept, WorkloadKey},
    topology::{Id, Topology},
};
use sgp_model::{
    Diagnostic, InstanceAddr, Plan, State, Value,
    plan::{Action, KeptPods, PlanMode, PodGroups, ResourceChange, Running},
    symbol,
};

use crate::{
    Event, PlanOptions, Session,
    clients::Clients,
    foresight,
    survey::{self, Around, cluster_of},
};

/// A plan that asks by itself does not wait longer than this.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

/// Types beside those of clusters that decide which groups pods and nodes have, and what passes.
const OF_GROUPS: [&str; 4] = [
    "aws_launch_template",
    "aws_security_group",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
];

/// Kinds whose pods follow their template.
const ROLLED: [&str; 3] = ["DaemonSet", "Deployment", "StatefulSet"];

/// Asks what runs around a plan, if it is worth asking.
pub(crate) async fn ask(session: &Session, options: &PlanOptions, plan: &Plan, clients: &Clients) -> Option<Around> {
    let there = clusters(&plan.refreshed);
    let is_asked = options.live == Some(true) && plan.mode != PlanMode::RefreshOnly;
    let meant = if is_asked {
        there
    } else if options.live.is_none() && options.refresh && plan.mode == PlanMode::Normal {
        concerned(plan, &there)
    } else {
        BTreeSet::new()
    };
    if meant.is_empty() && !is_asked {
        return None;
    }
    session.events.emit(Event::LookStart);
    let asking = survey::around(session, clients, &plan.refreshed, |name| meant.contains(name));
    let around = tokio::select! {
        around = asking => around,
        () = session.clock.sleep(PATIENCE), if !is_asked => {
            let text = "AWS and the clusters did not answer within a minute.";
            Around { sources: Sources::default(), diagnostics: Diagnostic::warning("Slow answer", text).into() }
        }
    };
    session.events.emit(Event::LookComplete);
    Some(around)
}

/// Clusters that are there, as far as objects tell.
fn clusters(state: &State) -> BTreeSet<String> {
    let named = state
        .instances
        .iter()
        .filter_map(|(key, record)| cluster_of(&key.addr.resource.type_name, &record.attributes).map(str::to_owned));
    named.collect()
}

/// Those of the clusters whose pods a plan may concern.
fn concerned(plan: &Plan, there: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for change in plan.changes.iter().filter(|it| changes(it)) {
        let kind = &*change.addr.resource.type_name;
        let sides = [&change.before, &change.after];
        if ["kubernetes_", "sgp_", "aws_eks_"].iter().any(|it| kind.starts_with(it)) {
            let named: Vec<&str> = sides.iter().filter_map(|side| cluster_of(kind, side)).collect();
            // One that names no cluster is in the provider's, which may be any.
            let is_anywhere = named.is_empty() && !kind.starts_with("aws_") && sides.iter().any(|it| is_silent(it));
            all.extend(there.iter().filter(|it| is_anywhere || named.contains(&it.as_str())).cloned());
        } else if OF_GROUPS.contains(&kind) && sides.iter().any(|side| is_of_a_group(kind, side)) {
            return there.clone();
        }
    }
    all
}

fn changes(change: &ResourceChange) -> bool {
    change.deposed.is_none() && !matches!(change.action, Action::NoOp | Action::Forget | Action::Read)
}

/// Whether an object of a cluster names none.
fn is_silent(object: &Value) -> bool {
    !object.is_null() && object.get("cluster_name").is_none_or(Value::is_null)
}

/// Whether an object is a group that is there, or a rule of one: nothing carries a group that is only being made.
fn is_of_a_group(kind: &str, object: &Value) -> bool {
    let attribute = if kind.ends_with("_rule") { "security_group_id" } else { "id" };
    object.get(attribute).and_then(Value::as_str).is_some_and(|id| !symbol::is_in(id))
}

/// What is there before a plan and after it, with what runs around it.
pub(crate) struct Sides {
    /// For the topology before.
    pub(crate) before: Sources,
    /// For the topology after: what was seen of things that the plan changes is older.
    pub(crate) after: Sources,
    /// What was seen of things that nobody manages.
    pub(crate) strange: Vec<Object>,
}

impl Sides {
    pub(crate) fn of(plan: &Plan, around: Option<&Sources>) -> Self {
        let (mut before, mut after) = (foresight::before(plan), foresight::after(plan));
        let Some(around) = around else { return Self { before, after, strange: Vec::new() } };
        let (mut managed, mut changed) = (Things::default(), Things::default());
        before.objects.iter().chain(&after.objects).for_each(|it| managed.add(it));
        for change in plan.changes.iter().filter(|it| changes(it)) {
            let side = |attributes: &Value| object(&change.addr, attributes);
            for things in [&mut managed, &mut changed] {
                things.add_changed(&side(&change.after));
                if change.action == Action::Delete || change.action.is_replace() {
                    things.add_gone(&side(&change.before));
                } else {
                    things.add_changed(&side(&change.before));
                }
            }
        }
        for side in [&mut before, &mut after] {
            tell_policies(&mut side.objects, &around.objects, plan);
        }
        let strange = around.objects.iter().filter(|it| !managed.have(it)).cloned().collect();
        before.objects.extend(around.objects.iter().cloned());
        after.objects.extend(around.objects.iter().filter(|it| !changed.have(it)).cloned());
        for side in [&mut before, &mut after] {
            side.complete_clusters.clone_from(&around.complete_clusters);
            side.complete_vpcs.clone_from(&around.complete_vpcs);
        }
        Self { before, after, strange }
    }

    /// The objects of a side with those that nobody manages, each thing once.
    pub(crate) fn told<'a>(&self, side: &'a Sources) -> Cow<'a, [Object]> {
        if side.objects.iter().all(|it| it.addr.is_some()) {
            return Cow::Borrowed(&side.objects);
        }
        let ours = side.objects.iter().filter(|it| it.addr.is_some());
        Cow::Owned(ours.chain(&self.strange).cloned().collect())
    }
}

/// Tells roles of the configuration what is attached to them beside, as far as it was seen: a role says nothing of attachments that are
/// objects of their own, or nobody's.
fn tell_policies(objects: &mut [Object], seen: &[Object], plan: &Plan) {
    let is_gone = |change: &&ResourceChange| change.action == Action::Delete || change.action.is_replace();
    let gone: Vec<&ResourceChange> = plan.changes.iter().filter(is_gone).collect();
    for object in objects.iter_mut().filter(|it| it.kind == "aws_iam_role" && it.addr.is_some()) {
        let name = |it: &Object| it.attributes.get("name").and_then(Value::as_str).map(str::to_owned);
        let is_new = |it: &&ResourceChange| Some(&it.addr) == object.addr.as_ref() && it.before.is_null();
        let Some(own) = name(object).filter(|_| !plan.changes.iter().any(|it| is_new(&it))) else { continue };
        let is_it = |it: &&Object| it.kind == "aws_iam_role" && name(it).as_ref() == Some(&own);
        let Some(role) = seen.iter().find(is_it) else { continue };
        let goes = |attribute: &str, text: &str| {
            let has =
                |it: &ResourceChange, name: &str, text: &str| it.before.get(name).and_then(Value::as_str) == Some(text);
            gone.iter().any(|it| has(it, "role", &own) && has(it, attribute, text))
        };
        for (name, key, by) in [("managed_policy_arns", "", "policy_arn"), ("inline_policy", "name", "name")] {
            let is_said = object.attributes.get(name).is_some_and(|it| it.elements().is_none_or(|all| !all.is_empty()));
            let Some(all) = role.attributes.get(name).and_then(Value::elements).filter(|_| !is_said) else { continue };
            let text = |it: &Value| if key.is_empty() { it.as_str() } else { it.get(key)?.as_str() }.map(str::to_owned);
            let stays = all.into_iter().filter(|it| text(it).is_none_or(|text| !goes(by, &text)));
            object.attributes = object.attributes.with_attr(name, Value::tuple(stays.cloned().collect()));
        }
    }
}

fn object(addr: &InstanceAddr, attributes: &Value) -> Object {
    let (attributes, _) = attributes.clone().unmark_deep();
    Object { kind: addr.resource.type_name.to_string(), addr: Some(addr.clone()), attributes }
}

/// What a plan records of what runs.
pub(crate) fn recorded(plan: &Plan, around: &Around, before: &Topology, after: &Topology) -> Running {
    let kept = running::kept(before, after, &remade(plan)).iter().map(|it| pods(it, before, after)).collect();
    let unseen = around.diagnostics.0.iter().map(|it| format!("{}: {}", it.summary, it.detail)).collect();
    Running { asked: true, unseen, kept }
}

/// Workloads whose template the plan changes, or which it makes anew.
fn remade(plan: &Plan) -> BTreeSet<WorkloadKey> {
    let changed = plan.changes.iter().filter(|it| changes(it) && &*it.addr.resource.type_name == "kubernetes_manifest");
    let one = |change: &ResourceChange| {
        let part = |side: &Value, path: &[&str]| {
            path.iter().try_fold(side.get("manifest")?.clone(), |at, step| at.get(step).cloned())
        };
        let text = |path: &[&str]| part(&change.before, path)?.as_str().map(str::to_owned);
        let kind = text(&["kind"]).filter(|kind| ROLLED.contains(&kind.as_str()))?;
        let template = |side: &Value| part(side, &["spec", "template"]).map(|it| it.unmark_deep().0);
        let is_new = change.action.is_replace() || template(&change.before) != template(&change.after);
        let namespace = text(&["metadata", "namespace"]).unwrap_or_else(|| "default".to_owned());
        let cluster = Id::from(cluster_of("kubernetes_manifest", &change.before)?);
        is_new.then_some((cluster, namespace, kind, text(&["metadata", "name"])?))
    };
    changed.filter_map(one).collect()
}

fn pods(kept: &Kept, before: &Topology, after: &Topology) -> KeptPods {
    let (cluster, namespace, kind, name) = kept.workload.clone();
    KeptPods {
        cluster: cluster.as_str().to_owned(),
        namespace,
        kind,
        name,
        pods: kept.pods.clone(),
        now: groups(&kept.now, before),
        then: groups(&kept.then, after),
        anew: kept.anew,
    }
}

fn groups(groups: &Groups, topology: &Topology) -> PodGroups {
    match groups {
        Groups::Own(ids) => {
            // Their order says nothing, and AWS has one of its own.
            let mut all: Vec<_> = ids.iter().map(|id| (shown(id), name_of(id, topology))).collect();
            all.sort_by(|one, other| one.1.cmp(&other.1));
            PodGroups::Own(all)
        }
        Groups::OfNodes => PodGroups::OfNodes,
        Groups::Unknown => PodGroups::Unknown,
    }
}

fn shown(id: &Id) -> String {
    symbol::readable(id.as_str()).into_owned()
}

/// As people know a group; one that is not there yet by its address.
fn name_of(id: &Id, topology: &Topology) -> String {
    let name = topology.groups.get(id).filter(|_| !id.is_symbolic()).map(|group| group.name.clone());
    name.unwrap_or_else(|| shown(id).trim_end_matches(".id").to_owned())
}

/// One warning about everything that could not be looked at: a plan goes on without it.
pub(crate) fn unseen(running: &Running) -> Option<Diagnostic> {
    if running.unseen.is_empty() {
        return None;
    }
    let told: Vec<String> = running.unseen.iter().map(|it| format!("\n - {it}")).collect();
    let detail = format!(
        "The plan stands. What it says of running pods, and what preflight rules find in what runs, is incomplete:{}\nWith \
         -live=false nobody is asked.",
        told.concat()
    );
    Some(Diagnostic::warning("Not all that runs could be looked at", detail))
}
