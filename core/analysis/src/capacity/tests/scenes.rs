//! Clusters to count in.

use std::collections::BTreeMap;

use crate::{
    capacity::{Answer, Facts, Nodes, NodesRow, Question, Report, Who, report, what_if},
    selector::Selector,
    topology::{
        Cluster, Cni, Fact, Id, Interface, InterfaceKind, Labels, Node, NodeGroup, Pod, PodKey, PodTemplate,
        SecurityGroupPolicy, Subnet, Topology, Workload,
    },
};

/// A cluster `main` in the making: a VPC, a policy for pods with `app=backend`, no nodes.
pub(super) struct Scene {
    pub(super) topology: Topology,
    pub(super) facts: Facts,
}

pub(super) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Pods with a label `app`; those of `backend` have groups of their own.
pub(super) fn template(app: &str) -> PodTemplate {
    PodTemplate {
        labels: Fact::Known(labels(&[("app", app)])),
        service_account: Fact::Known("default".to_owned()),
        ..PodTemplate::default()
    }
}

impl Scene {
    pub(super) fn new() -> Self {
        let mut cluster = Cluster {
            vpc: Fact::Known(Id::from("vpc-1")),
            is_ipv6: Fact::Known(false),
            cni: Cni { pod_eni: Fact::Known(true), prefix_delegation: Fact::Known(false), ..Cni::default() },
            ..Cluster::default()
        };
        let policy = SecurityGroupPolicy {
            pods: Some(Selector::of_labels(&labels(&[("app", "backend")]))),
            groups: Fact::Known(vec![Id::from("sg-backend")]),
            ..SecurityGroupPolicy::default()
        };
        cluster.policies.insert(("app".to_owned(), "backend".to_owned()), policy);
        let clusters = BTreeMap::from([(Id::from("main"), cluster)]);
        let scene = Self { topology: Topology { clusters, ..Topology::default() }, facts: Facts::default() };
        scene.subnet("subnet-a", "10.0.0.0/20", None)
    }

    pub(super) fn cluster(&mut self) -> &mut Cluster {
        self.topology.clusters.get_mut("main").unwrap()
    }

    pub(super) fn subnet(mut self, id: &str, block: &str, free: Option<u64>) -> Self {
        let subnet = Subnet {
            vpc: Fact::Known(Id::from("vpc-1")),
            blocks: Fact::Known(vec![block.parse().unwrap()]),
            free_addresses: free.into(),
            ..Subnet::default()
        };
        self.topology.subnets.insert(Id::from(id), subnet);
        self
    }

    /// A node group of so many nodes, at most ten, in `subnet-a`.
    pub(super) fn group(self, name: &str, types: &[&str], nodes: u32) -> Self {
        self.group_in(name, types, nodes, &["subnet-a"])
    }

    pub(super) fn group_in(mut self, name: &str, types: &[&str], nodes: u32, subnets: &[&str]) -> Self {
        let group = NodeGroup {
            subnets: subnets.iter().map(|it| Id::from(*it)).collect(),
            instance_types: Fact::Known(types.iter().map(|it| (*it).to_owned()).collect()),
            size: Fact::Known((1, nodes, 10)),
            labels: labels(&[("pool", name)]),
            ..NodeGroup::default()
        };
        self.cluster().node_groups.insert(Id::from(name), group);
        self
    }

    /// A Deployment `app/NAME`, whose pods have the label `app=NAME`.
    pub(super) fn pods(self, app: &str, replicas: u32, surge: u32) -> Self {
        self.pods_on(app, replicas, surge, &[])
    }

    pub(super) fn pods_on(mut self, app: &str, replicas: u32, surge: u32, selector: &[(&str, &str)]) -> Self {
        let workload = Workload {
            replicas: Fact::Known(Some(replicas)),
            surge: Fact::Known(surge),
            template: PodTemplate { node_selector: labels(selector), ..template(app) },
            ..Workload::default()
        };
        self.cluster().workloads.insert(("app".to_owned(), "Deployment".to_owned(), app.to_owned()), workload);
        self
    }

    /// A DaemonSet `app/NAME`.
    pub(super) fn daemons(mut self, app: &str) -> Self {
        let workload = Workload { replicas: Fact::Known(None), template: template(app), ..Workload::default() };
        self.cluster().workloads.insert(("app".to_owned(), "DaemonSet".to_owned(), app.to_owned()), workload);
        self
    }

    /// A node that runs, of a group, in `subnet-a`, with its first interface and its trunk.
    pub(super) fn node(mut self, name: &str, group: &str, instance_type: &str, pod_eni: u32, max_pods: u32) -> Self {
        let instance = Id::from(format!("i-{name}"));
        let node = Node {
            instance: Some(instance.clone()),
            instance_type: Some(instance_type.to_owned()),
            labels: labels(&[("eks.amazonaws.com/nodegroup", group), ("kubernetes.io/hostname", name)]),
            pod_eni: Some(pod_eni),
            max_pods: Some(max_pods),
            ..Node::default()
        };
        self.cluster().nodes.insert(name.to_owned(), node);
        self.interface(&format!("eni-{name}-0"), InterfaceKind::Node, &instance, 0);
        self.interface(&format!("eni-{name}-1"), InterfaceKind::Trunk, &instance, 1);
        self
    }

    fn interface(&mut self, id: &str, kind: InterfaceKind, instance: &Id, index: u32) {
        let interface = Interface {
            kind,
            vpc: Id::from("vpc-1"),
            subnet: Id::from("subnet-a"),
            addresses: vec!["10.0.0.10".parse().unwrap()],
            prefixes: Vec::new(),
            public: Vec::new(),
            groups: Vec::new(),
            instance: Some(instance.clone()),
            device_index: (kind != InterfaceKind::Branch).then_some(index),
            is_in_use: true,
            description: String::new(),
        };
        self.topology.interfaces.insert(Id::from(id), interface);
    }

    /// A pod of Deployment `app/APP` that runs on a node, with a branch interface when it is of `backend`.
    pub(super) fn runs(mut self, app: &str, number: u32, node: &str) -> Self {
        let branch = (app == "backend").then(|| Id::from(format!("eni-{app}-{number}")));
        if let Some(branch) = &branch {
            self.interface(branch.as_str(), InterfaceKind::Branch, &Id::from(format!("i-{node}")), 0);
        }
        let pod = Pod {
            template: template(app),
            node: Some(node.to_owned()),
            branch,
            owner: Some(("ReplicaSet".to_owned(), format!("{app}-6d4cf56db6"))),
            phase: "Running".to_owned(),
            ..Pod::default()
        };
        let key = PodKey { namespace: "app".to_owned(), name: format!("{app}-6d4cf56db6-{number}") };
        self.cluster().pods.insert(key, pod);
        self
    }

    /// A branch interface whose pod is gone.
    pub(super) fn cools(mut self, number: u32, node: &str) -> Self {
        self.interface(&format!("eni-cool-{number}"), InterfaceKind::Branch, &Id::from(format!("i-{node}")), 0);
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn report(&self) -> Report {
        report(&self.topology, &Id::from("main"), &self.facts).unwrap()
    }

    pub(super) fn row(&self, group: &str) -> NodesRow {
        let name = format!("node group {group}");
        self.report().nodes.into_iter().find(|row| row.nodes_of.to_string() == name).unwrap()
    }

    /// So many pods more like those of `app/APP`.
    pub(super) fn what_if(&self, pods: u64, app: &str) -> Answer {
        self.ask(pods, Who::Like("app".to_owned(), Box::new(template(app))), Nodes::Wanted)
    }

    pub(super) fn ask(&self, pods: u64, who: Who, nodes: Nodes) -> Answer {
        what_if(&self.topology, &Question { cluster: Id::from("main"), pods, who, nodes }, &self.facts).unwrap()
    }
}

/// What runs out first, as text.
pub(super) fn names(resources: &[crate::capacity::Resource]) -> String {
    let names: Vec<String> = resources.iter().map(ToString::to_string).collect();
    names.join(", ")
}
