//! Who reaches whom: by `sgp trace`, and by the sandbox's probe for each pair of pods.

use std::net::IpAddr;

use serde_json::Value;
use sgp_sandbox::probe::{Question, Verdict};

use crate::{
    judged::{Judged, Line},
    life::Stage,
};

impl Stage {
    /// `sgp trace` says of all lines what is written.
    pub fn trace_all(&self, judged: &Judged, how: &[&str]) {
        for line in judged.lines() {
            // Where every pod has its place nothing depends on it any more.
            if line.verdict == "depends" && how == ["-live"] {
                continue;
            }
            let (verdict, shown) = self.traced(&line.from, &line.to, &line.port, how);
            assert_eq!(verdict, line.verdict, "{line} {how:?}: {shown:#}");
        }
    }

    fn traced(&self, from: &str, to: &str, port: &str, how: &[&str]) -> (String, Value) {
        let args = [&["trace", from, to, port, "-json"], how].concat();
        let ran = if how == ["-live"] { self.inside(&args) } else { self.sgp(&args) };
        let trace: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{args:?}: {ran}"));
        (trace["verdict"].as_str().unwrap().to_owned(), trace)
    }

    /// The probe says the same for every pair of what runs.
    pub fn walk_all(&self, judged: &Judged, instances: &[(String, String)]) {
        // The probe knows no load balancers.
        let is_walked = |it: &&Line| !["svc/", "ingress/"].iter().any(|kind| it.to.starts_with(kind));
        for line in judged.lines().iter().filter(is_walked) {
            let (senders, receivers) = (self.places(&line.from, instances), self.places(&line.to, instances));
            let pairs = senders.iter().flat_map(|from| receivers.iter().map(move |to| (from, to)));
            for (from, to) in pairs.filter(|(from, to)| from != to) {
                let expected = match line.verdict {
                    "depends" => self.traced(&from.traced, &to.traced, &line.port, &["-live"]).0,
                    verdict => verdict.to_owned(),
                };
                assert_eq!(self.walked(&from.probed, &to.probed, line), expected, "{line}: {from:?} -> {to:?}");
            }
        }
    }

    fn walked(&self, from: &str, to: &str, line: &Line) -> String {
        let (protocol, port) = line.port.split_once('/').unwrap();
        let (protocol, port) = (protocol.parse().unwrap(), port.parse().ok());
        let question = Question { from: from.to_owned(), to: to.to_owned(), protocol, port };
        let trace = self.region.probe(&question).unwrap_or_else(|error| panic!("{line}: {error}"));
        let verdict = match trace.verdict {
            Verdict::Reachable => "reachable",
            Verdict::Blocked => "unreachable",
            Verdict::Unknown => "unknown",
        };
        verdict.to_owned()
    }

    /// What runs under the name of an end; an end that is nowhere is not judged, and that is a mistake.
    fn places(&self, end: &str, instances: &[(String, String)]) -> Vec<Place> {
        if end == "internet" || end.parse::<IpAddr>().is_ok() {
            return vec![Place::called(end)];
        }
        if let Some((_, instance)) = instances.iter().find(|(group, _)| group == end) {
            return vec![Place::called(instance)];
        }
        if let Some(group) = end.strip_prefix("nodes/") {
            return self.region.nodes(group).iter().map(|name| Place::called(&format!("node/{name}"))).collect();
        }
        let (cluster, rest) = end.split_once(':').map_or((None, end), |(cluster, rest)| (Some(cluster), rest));
        let parts: Vec<&str> = rest.split('/').collect();
        let [.., namespace, name] = parts[..] else { panic!("{end} has no pods and no instance in judged.yaml") };
        let mut pods = self.region.pods();
        pods.retain(|pod| {
            // A pod of this name, or those of a Deployment: `name-5d4f9c7b8-x2x8p`.
            let rest = pod.name.strip_prefix(name);
            let is_of =
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-') && rest.matches('-').count() == 2);
            is_of && pod.namespace == namespace && cluster.is_none_or(|it| it == pod.cluster)
        });
        assert!(!pods.is_empty(), "no pod of {end} runs, so that the probe cannot judge it");
        let place = |pod: &sgp_tests::region::Running| {
            let (cluster, name) = (&pod.cluster, format!("{}/{}", pod.namespace, pod.name));
            Place { probed: format!("{cluster}:{name}"), traced: format!("{cluster}:pod/{name}") }
        };
        pods.iter().map(place).collect()
    }
}

/// An end that runs, as both judges name it.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    probed: String,
    traced: String,
}

impl Place {
    fn called(name: &str) -> Self {
        Self { probed: name.to_owned(), traced: name.to_owned() }
    }
}
