//! Pods behind Services.

use sgp_analysis::{
    selector::Operator,
    topology::{Cluster, Fact, Id, Labels, Service, ServicePort, TargetPort},
};

use super::{Facts, Pods, PolicyOf};

impl<'a> Facts<'a> {
    /// Pods that a Service of a cluster sends to.
    pub(crate) fn behind<'f>(
        &'f self,
        cluster: &'f Id,
        namespace: &'f str,
        service: &'f Service,
    ) -> impl Iterator<Item = &'f Pods<'a>> + use<'f, 'a> {
        let here = self.pods().iter().filter(move |it| it.cluster_name == cluster && it.namespace == namespace);
        here.filter(move |it| is_behind(service, &it.template.labels))
    }

    /// A policy that surely matches pods behind a Service, whatever else they are labelled with.
    pub(crate) fn policy_behind(&self, cluster: &Id, namespace: &str, service: &Service) -> Option<&PolicyOf<'a>> {
        let labels = service.selector.as_ref()?;
        let here = self.policies().iter().filter(|it| it.cluster_name == cluster && it.namespace == namespace);
        here.filter(|it| it.is_for_nodes() && it.policy.service_accounts.is_none()).find(|it| {
            let Some(pods) = &it.policy.pods else { return false };
            let is_positive = |it: &Operator| matches!(it, Operator::In | Operator::Exists);
            pods.requirements().iter().all(|it| is_positive(&it.operator)) && pods.matches(labels)
        })
    }

    /// The interfaces of a cluster's control plane.
    pub(crate) fn control_plane(&self, cluster: &Cluster) -> super::Other {
        let groups = cluster.group.known().into_iter().chain(&cluster.further_groups).cloned().collect();
        super::Other { groups, may_have_more: !cluster.group.is_known(), ..self.nodes(cluster) }
    }
}

fn is_behind(service: &Service, labels: &Fact<Labels>) -> bool {
    let (Some(wanted), Fact::Known(labels)) = (&service.selector, labels) else { return false };
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Whether a load balancer made for the Service sends to the pods themselves.
pub(crate) fn sends_to_pods(service: &Service) -> bool {
    let annotation =
        |name: &str| service.annotations.get(&format!("service.beta.kubernetes.io/aws-load-balancer-{name}"));
    annotation("nlb-target-type").is_some_and(|it| it == "ip") || annotation("type").is_some_and(|it| it == "nlb-ip")
}

/// The pods' port, where it is known by number.
pub(crate) fn target(port: &ServicePort, pods: &Pods<'_>) -> Option<u16> {
    match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let named = pods.template.ports.iter().find(|it| it.name.as_ref() == Some(name));
            named.map(|it| it.port)
        }
    }
}
