//! Running pods that keep their groups, as a section of a plan.

use std::fmt::Write as _;

use sgp_model::{
    Plan,
    plan::{Anew, KeptPods, PodGroups, Running},
};

use super::{
    json::Json,
    paint::{Paint, plural},
};

/// At most a screen; all of it is in the JSON form.
const MOST_LINES: usize = 20;

/// The section of a plan; empty when no pod keeps anything.
pub fn section(plan: &Plan, paint: Paint) -> String {
    let kept = &plan.running.kept;
    if kept.is_empty() {
        return String::new();
    }
    let title = "Running pods that keep their old groups until they are made anew:";
    let mut out = format!("\n{}\n", paint.bold(title));
    for it in lines(plan).iter().take(MOST_LINES) {
        let _ = writeln!(out, "  {} {it}", paint.yellow("~"));
    }
    if let Some(more) = kept.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        let _ = writeln!(out, "  ... and {more} more (sgp show -json PLAN, \"running_pods\")");
    }
    if kept.iter().any(|it| it.anew == Anew::Restart) {
        let hint = "With -rollout an apply restarts what can be restarted, one workload at a time.";
        let _ = writeln!(out, "  {}", paint.dim(hint));
    }
    out
}

/// A line for each workload.
pub fn lines(plan: &Plan) -> Vec<String> {
    let kept = &plan.running.kept;
    let has_several = kept.iter().any(|it| it.cluster != kept[0].cluster);
    kept.iter().map(|it| line(it, has_several)).collect()
}

/// `app/backend (Deployment): 3 pods keep orders-backend; made anew: orders-backend, audit`.
fn line(kept: &KeptPods, has_several: bool) -> String {
    let cluster = if has_several { format!("{}: ", kept.cluster) } else { String::new() };
    let (pods, keep) = (plural(kept.pods.len(), "pod"), if kept.pods.len() == 1 { "keeps" } else { "keep" });
    let how = match kept.anew {
        Anew::Restart => "",
        Anew::Plan => ". The plan makes them anew",
        Anew::Deletion => ". They are made anew when you delete them",
        Anew::Resume => ". It is paused: resume it first",
        Anew::NextRun => ". They end by themselves; the next run is made anew",
        Anew::Maker => ". Restart what made them by its own means",
        Anew::Nothing => ". Nothing makes it anew: delete it and make it again",
    };
    let (now, then) = (groups(&kept.now, kept.pods.len()), groups(&kept.then, kept.pods.len()));
    format!("{cluster}{}/{} ({}): {pods} {keep} {now}; made anew: {then}{how}", kept.namespace, kept.name, kept.kind)
}

fn groups(groups: &PodGroups, pods: usize) -> String {
    match groups {
        PodGroups::Own(all) if all.is_empty() => "no groups".to_owned(),
        PodGroups::Own(all) => all.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "),
        PodGroups::OfNodes if pods == 1 => "the groups of its node".to_owned(),
        PodGroups::OfNodes => "the groups of their nodes".to_owned(),
        PodGroups::Unknown => "groups that nobody can say".to_owned(),
    }
}

/// The same for programs.
pub fn json(running: &Running) -> Json {
    Json::object([
        ("asked", Json::from(running.asked)),
        ("unseen", Json::array(running.unseen.iter().map(|it| Json::from(it.as_str())))),
        ("kept", Json::array(running.kept.iter().map(pods))),
    ])
}

/// One line for programs.
pub fn pods(kept: &KeptPods) -> Json {
    let anew = match kept.anew {
        Anew::Restart => "restart",
        Anew::Plan => "plan",
        Anew::Deletion => "deletion",
        Anew::Resume => "resume",
        Anew::NextRun => "next_run",
        Anew::Maker => "maker",
        Anew::Nothing => "nothing",
    };
    Json::object([
        ("cluster", Json::from(kept.cluster.as_str())),
        ("namespace", kept.namespace.as_str().into()),
        ("kind", kept.kind.as_str().into()),
        ("name", kept.name.as_str().into()),
        ("pods", Json::array(kept.pods.iter().map(|it| Json::from(it.as_str())))),
        ("now", groups_json(&kept.now)),
        ("then", groups_json(&kept.then)),
        ("made_anew_by", anew.into()),
    ])
}

/// A list of ids with names, `"nodes"`, or null where nobody can say.
fn groups_json(groups: &PodGroups) -> Json {
    match groups {
        PodGroups::Own(all) => Json::array(
            all.iter()
                .map(|(id, name)| Json::object([("id", Json::from(id.as_str())), ("name", name.as_str().into())])),
        ),
        PodGroups::OfNodes => "nodes".into(),
        PodGroups::Unknown => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::plan::tests::plan;

    fn kept(kind: &str, pods: usize, now: PodGroups, then: PodGroups, anew: Anew) -> KeptPods {
        let pods = (0..pods).map(|it| format!("it-{it}")).collect();
        let (cluster, namespace, name) = ("orders".to_owned(), "app".to_owned(), kind.to_lowercase());
        KeptPods { cluster, namespace, kind: kind.to_owned(), name, pods, now, then, anew }
    }

    fn own(names: &[&str]) -> PodGroups {
        PodGroups::Own(names.iter().map(|name| (format!("sg-{name}"), (*name).to_owned())).collect())
    }

    #[test]
    fn a_section_says_what_pods_keep_and_who_makes_them_anew() {
        let mut plan = plan(Vec::new());
        assert_eq!(section(&plan, Paint::plain()), "");
        plan.running.kept = vec![
            kept("Deployment", 3, own(&["a"]), own(&["a", "b"]), Anew::Restart),
            kept("StatefulSet", 2, PodGroups::OfNodes, own(&["a"]), Anew::Plan),
            kept("DaemonSet", 2, own(&["a"]), PodGroups::OfNodes, Anew::Deletion),
            kept("Job", 1, PodGroups::Unknown, own(&["a"]), Anew::NextRun),
            kept("Rollout", 1, own(&["a"]), PodGroups::Unknown, Anew::Maker),
            kept("Pod", 1, own(&[]), own(&["a"]), Anew::Nothing),
        ];
        insta::assert_snapshot!(section(&plan, Paint::plain()), @r"

        Running pods that keep their old groups until they are made anew:
          ~ app/deployment (Deployment): 3 pods keep a; made anew: a, b
          ~ app/statefulset (StatefulSet): 2 pods keep the groups of their nodes; made anew: a. The plan makes them anew
          ~ app/daemonset (DaemonSet): 2 pods keep a; made anew: the groups of their nodes. They are made anew when you delete them
          ~ app/job (Job): 1 pod keeps groups that nobody can say; made anew: a. They end by themselves; the next run is made anew
          ~ app/rollout (Rollout): 1 pod keeps a; made anew: groups that nobody can say. Restart what made them by its own means
          ~ app/pod (Pod): 1 pod keeps no groups; made anew: a. Nothing makes it anew: delete it and make it again
          With -rollout an apply restarts what can be restarted, one workload at a time.
        ");
        for it in 0..30 {
            plan.running.kept.push(kept(&format!("Deployment{it}"), 1, own(&["a"]), own(&["b"]), Anew::Resume));
        }
        plan.running.kept[0].cluster = "other".to_owned();
        let all = section(&plan, Paint::plain());
        assert_eq!(all.lines().count(), 24, "{all}");
        assert!(all.contains("orders: app/statefulset") && all.contains("... and 16 more"), "{all}");
        assert!(json(&plan.running).to_string().contains("deployment29"));
    }
}
