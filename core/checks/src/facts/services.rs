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

/// Groups of pods that a load balancer sends to by their addresses.
pub(crate) struct Targets<'a> {
    pub(crate) cluster_name: &'a Id,
    pub(crate) cluster: &'a Cluster,
    /// The Service or Ingress, as people know it.
    pub(crate) who: String,
    /// What makes it.
    pub(crate) addr: Option<&'a sgp_model::InstanceAddr>,
    /// The groups of its pods.
    pub(crate) groups: Vec<Id>,
    /// The pods' ports, as far as they are known.
    pub(crate) ports: Vec<u16>,
    /// Whether the controller writes rules into the pods' groups, and has to find the one that is meant for that.
    pub(crate) is_opened: bool,
}

impl<'a> Facts<'a> {
    /// What load balancers send to by address, where the groups of the pods are known.
    pub(crate) fn targets(&self) -> Vec<Targets<'a>> {
        let mut all = Vec::new();
        for manifest in self.manifests("Service") {
            let Some(service) = service_of(manifest, manifest.name()) else { continue };
            if service.kind == "LoadBalancer" && sends_to_pods(service) {
                all.extend(self.targets_of(manifest, manifest.name()));
            }
        }
        for manifest in self.manifests("Ingress") {
            if manifest.annotation("alb.ingress.kubernetes.io/target-type") == Some("ip") {
                all.extend(backends(&manifest.json["spec"]).into_iter().filter_map(|it| self.targets_of(manifest, it)));
            }
        }
        for manifest in self.manifests("TargetGroupBinding").filter(|it| it.json["spec"]["targetType"] == "ip") {
            let service = manifest.json["spec"]["serviceRef"]["name"].as_str();
            all.extend(service.and_then(|it| self.targets_of(manifest, it)));
        }
        all
    }

    fn targets_of(&self, manifest: &super::Manifest<'a>, name: &str) -> Option<Targets<'a>> {
        let (cluster_name, cluster) = manifest.cluster?;
        let service = service_of(manifest, name)?;
        let mut stated = self.manifests("Service").filter(|it| it.is_in(cluster_name) && it.name() == name);
        let is_whole = manifest.is_whole() && stated.all(|it| it.namespace() != manifest.namespace() || it.is_whole());
        if !is_whole {
            return None;
        }
        let pods = self.behind(cluster_name, manifest.namespace(), service).find(|it| it.branch_groups().is_some());
        let groups = match pods.and_then(|it| it.branch_groups()) {
            Some(groups) => groups.to_vec(),
            None => {
                let policy = self.policy_behind(cluster_name, manifest.namespace(), service)?;
                // With other policies beside, the pods may have more.
                let own = policy.policy.groups.known()?;
                policy.widest().filter(|it| it.len() == own.len())?
            }
        };
        let number = |port: &ServicePort| match (pods, &port.target) {
            (Some(pods), _) => target(port, pods),
            (None, TargetPort::Number(number)) => Some(*number),
            (None, TargetPort::Name(_)) => None,
        };
        let ports = service.ports.iter().filter_map(number).collect();
        let is_opened = is_opened(manifest);
        Some(Targets { cluster_name, cluster, who: manifest.who(), addr: manifest.addr(), groups, ports, is_opened })
    }
}

/// Whether AWS Load Balancer Controller lets the load balancer into the pods' groups. It does not where an Ingress brings groups of its
/// own and does not ask for it (`buildTargetGroupBindingNetworking` in its pkg/ingress/model_build_target_group.go), nor for a
/// TargetGroupBinding that says nothing of networking.
fn is_opened(manifest: &super::Manifest<'_>) -> bool {
    let annotation = |name: &str| manifest.annotation(&format!("alb.ingress.kubernetes.io/{name}"));
    match manifest.kind() {
        "Ingress" => {
            annotation("security-groups").is_none() || annotation("manage-backend-security-group-rules") == Some("true")
        }
        "TargetGroupBinding" => !manifest.json["spec"]["networking"].is_null(),
        _ => true,
    }
}

fn service_of<'a>(manifest: &super::Manifest<'a>, name: &str) -> Option<&'a Service> {
    manifest.cluster?.1.services.get(&(manifest.namespace().to_owned(), name.to_owned()))
}

/// The Services that an Ingress sends to.
fn backends(spec: &serde_json::Value) -> Vec<&str> {
    let of_rules = super::list(&spec["rules"]).flat_map(|it| super::list(&it["http"]["paths"]));
    let all = of_rules.map(|it| &it["backend"]).chain([&spec["defaultBackend"]]);
    let mut names: Vec<&str> = all.filter_map(|it| it["service"]["name"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
