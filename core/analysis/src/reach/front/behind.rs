//! Pods behind a Service.

use super::super::{
    end::End,
    ends::{is_over, of_pod, of_template},
};
use crate::{
    selector::Selector,
    topology::{Cluster, Fact, Id, Pod, PodTemplate, Service, TargetPort, Topology, is_same_namespace, makers},
};

/// Pods behind a Service: of each kind one end or more.
#[derive(Clone, Debug, Default)]
pub struct Behind {
    /// The pods that run, or those that workloads will have.
    pub(crate) pods: Vec<Backing>,
    /// Whether nobody can say which they are: the Service has no selector, or is not known.
    pub(crate) is_unknown: bool,
}

/// A pod behind a Service, or the pods of a workload.
#[derive(Clone, Debug)]
pub(crate) struct Backing {
    /// The workload, or the pod where nothing makes it.
    pub(crate) name: String,
    pub(crate) end: End,
    /// Whether its labels are known, so that it is surely behind the Service.
    pub(crate) is_sure: bool,
    /// Whether it gets connections now.
    pub(crate) readiness: Readiness,
}

/// Whether a pod gets connections of its Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It does, as will those of a workload that has none yet.
    Ready,
    /// While no other one is ready: it is being deleted, and still serves.
    Leaving,
    /// It does not.
    Unready,
}

impl Readiness {
    fn of(pod: &Pod, service: &Service) -> Self {
        match (service.publishes_not_ready, pod.is_unready, pod.is_leaving) {
            (true, ..) | (_, false, false) => Self::Ready,
            (false, false, true) => Self::Leaving,
            (false, true, _) => Self::Unready,
        }
    }
}

impl Behind {
    /// Those of a Service.
    pub(crate) fn of(topology: &Topology, id: &Id, cluster: &Cluster, namespace: &str, service: &Service) -> Self {
        let Some(labels) = &service.selector else { return Self { is_unknown: true, ..Self::default() } };
        let selector = Selector::of_labels(labels);
        let fits = |theirs: &str, template: &PodTemplate| {
            let is_here = is_same_namespace(theirs, namespace);
            match (&template.labels, is_here) {
                (_, Fact::Known(false)) => None,
                (Fact::Known(labels), _) if !selector.matches(labels) => None,
                (Fact::Known(_), Fact::Known(true)) => Some(!service.is_selector_open),
                _ => Some(false),
            }
        };
        let mut pods = Vec::new();
        for (key, pod) in cluster.pods.iter().filter(|(_, pod)| !is_over(&pod.phase)) {
            let Some(is_sure) = fits(&key.namespace, &pod.template) else { continue };
            let name = workload_of(cluster, &key.namespace, pod).unwrap_or(&key.name);
            let name = format!("{}/{name}", key.namespace);
            let readiness = Readiness::of(pod, service);
            pods.extend(of_pod(topology, id, key).map(|end| Backing { name, end, is_sure, readiness }));
        }
        let runs = |namespace: &str, kind: &str, name: &str| {
            cluster.pods.made_by(namespace, kind, name).any(|(_, pod)| !is_over(&pod.phase))
        };
        for ((theirs, kind, name), workload) in &cluster.workloads {
            let Some(is_sure) = fits(theirs, &workload.template) else { continue };
            let has_none = runs(theirs, kind, name) || is_of_deployment(cluster, theirs, kind, name);
            if has_none || workload.replicas == Fact::Known(Some(0)) {
                continue;
            }
            let ends = of_template(topology, id, theirs, name, &workload.template);
            let backing = |end| {
                let name = format!("{theirs}/{name}");
                Backing { name, end, is_sure, readiness: Readiness::Ready }
            };
            pods.extend(ends.into_iter().map(backing));
        }
        Self { pods, is_unknown: false }
    }
}

/// Whether a Deployment made it, whose pods are the same.
fn is_of_deployment(cluster: &Cluster, namespace: &str, kind: &str, name: &str) -> bool {
    kind == "ReplicaSet" && makers(kind, name).any(|it| it.0 != kind && cluster.has_workload(namespace, it))
}

/// The workload that a pod is of, and none that another one makes.
fn workload_of<'a>(cluster: &Cluster, namespace: &str, pod: &'a Pod) -> Option<&'a str> {
    let (owner, of) = pod.owner.as_ref()?;
    let is_first = |(kind, name): &(&str, &str)| {
        cluster.has_workload(namespace, (kind, name)) && !is_of_deployment(cluster, namespace, kind, name)
    };
    makers(owner, of).find(is_first).map(|(_, name)| name)
}

/// The port of a pod behind a Service's; `None` when it has none of that name, so that it is not behind that port.
pub(crate) fn port_of(end: &End, target: &TargetPort, protocol: &str) -> Option<u16> {
    match target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let (_, template) = end.guest.as_ref()?.pod.as_ref()?;
            let mut ports = template.ports.iter();
            ports.find(|it| it.name.as_ref() == Some(name) && it.protocol == protocol).map(|it| it.port)
        }
    }
}
