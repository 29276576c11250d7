//! Nodes: the types that they may have, and how many branch interfaces there are.

use sgp_analysis::{
    build::View,
    capacity::{self, NodesOf},
    limits::{self, Limits},
    topology::{Cluster, Fact, Id, NodeGroup},
};

use super::{Facts, list, texts_or_one};

/// What EKS takes for a managed node group that names no type (API reference, CreateNodegroup).
const USUAL_TYPE: &str = "t3.medium";

/// Nodes of one making, with the types that they may have.
pub(crate) struct NodeTypes<'a> {
    /// As people know them.
    pub(crate) who: String,
    /// What makes them.
    pub(crate) addr: Option<&'a sgp_model::InstanceAddr>,
    /// The node group, if it is one.
    pub(crate) group: Option<&'a NodeGroup>,
    /// The types, when all are known.
    pub(crate) types: Option<Vec<String>>,
}

impl NodeTypes<'_> {
    /// Whether some, all or none of the types can have a trunk; `None` when a type is not known to the table.
    pub(crate) fn trunks(&self) -> Option<Trunks> {
        let limits: Vec<&Limits> = self.types.as_ref()?.iter().map(|it| limits::of(it)).collect::<Option<_>>()?;
        let with = limits.iter().filter(|it| it.trunk_compatible).count();
        Some(match with {
            0 => Trunks::None,
            all if all == limits.len() => Trunks::All,
            _ => Trunks::Some,
        })
    }

    /// The types that fulfil something.
    pub(crate) fn types_with(&self, is: impl Fn(&Limits) -> bool) -> Vec<&str> {
        let types = self.types.as_ref().into_iter().flatten();
        types.filter(|it| limits::of(it).is_some_and(&is)).map(String::as_str).collect()
    }
}

/// How many of the types can have a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trunks {
    None,
    Some,
    All,
}

impl<'a> Facts<'a> {
    /// The nodes of a cluster: its node groups, and Karpenter's node pools that name types.
    pub(crate) fn node_types(&self, name: &Id, cluster: &'a Cluster) -> Vec<NodeTypes<'a>> {
        let group = |(id, group): (&Id, &'a NodeGroup)| NodeTypes {
            who: format!("node group {id}"),
            addr: group.managed_by.as_ref(),
            group: Some(group),
            types: self.types_of(group),
        };
        let mut all: Vec<NodeTypes<'a>> = cluster.node_groups.iter().map(group).collect();
        for pool in self.manifests("NodePool").filter(|it| it.is_in(name)) {
            let requirements = list(&pool.json["spec"]["template"]["spec"]["requirements"]);
            let types =
                requirements.filter(|it| it["key"] == "node.kubernetes.io/instance-type" && it["operator"] == "In");
            let types = types.map(|it| texts_or_one(&it["values"]).into_iter().map(str::to_owned).collect()).next();
            all.push(NodeTypes { who: format!("node pool {}", pool.name()), addr: pool.addr(), group: None, types });
        }
        all
    }

    fn types_of(&self, group: &NodeGroup) -> Option<Vec<String>> {
        if let Some(stated) = group.instance_types.known().filter(|it| !it.is_empty()) {
            return Some(stated.clone());
        }
        let addr = group.managed_by.as_ref().filter(|it| self.is_unsaid(Some(it), "instance_types"))?;
        let view = View(&self.object(addr)?.attributes);
        let Some(template) = view.block("launch_template") else { return Some(vec![USUAL_TYPE.to_owned()]) };
        let id = template.text("id").or_else(|| template.text("name"))?;
        let (_, template) = self.meant_by(id, "aws_launch_template", &["id", "name"])?;
        match template.fact("instance_type") {
            Fact::Known(Some(own)) => Some(vec![own.to_owned()]),
            Fact::Known(None) if template.get("instance_requirements").is_none() => Some(vec![USUAL_TYPE.to_owned()]),
            _ => None,
        }
    }

    /// Whether something else than what is listed makes nodes: groups of instances, EKS itself, Karpenter.
    pub(crate) fn may_have_other_nodes(&self, cluster: &Cluster) -> bool {
        let other_kinds = ["aws_autoscaling_group", "aws_instance"];
        cluster.is_auto != Fact::Known(false)
            || other_kinds.iter().any(|kind| self.of_kind(kind).next().is_some())
            || self.has_karpenter()
    }

    /// Whether something speaks of Karpenter, which may be installed by other means.
    fn has_karpenter(&self) -> bool {
        *self.karpenter.get_or_init(|| {
            let tagged = ["aws_eks_cluster", "aws_security_group", "aws_subnet"];
            let is_tagged = tagged
                .iter()
                .flat_map(|kind| self.of_kind(kind))
                .any(|(_, it)| it.known_labels("tags").keys().any(|key| key.starts_with("karpenter.sh/")));
            let is_named = |text: Option<&str>| text.is_some_and(|it| it.to_ascii_lowercase().contains("karpenter"));
            let has_role = self.of_kind("aws_iam_role").any(|(object, it)| {
                let label = object.addr.as_ref().map(ToString::to_string);
                is_named(it.text("name")) || is_named(it.text("name_prefix")) || is_named(label.as_deref())
            });
            let has_account =
                self.clusters().flat_map(|(_, it)| it.service_accounts.keys()).any(|(_, it)| it == "karpenter");
            let kinds = ["NodePool", "Provisioner", "EC2NodeClass", "AWSNodeTemplate"];
            is_tagged || has_role || has_account || kinds.iter().any(|kind| self.manifests(kind).next().is_some())
        })
    }

    /// Whether all node groups of a cluster are surely known: it comes into being here, or was looked into.
    pub(crate) fn has_all_nodes(&self, cluster: &Cluster) -> bool {
        let is_told = cluster.is_complete || self.is_made(cluster.managed_by.as_ref());
        is_told && !self.may_have_other_nodes(cluster)
    }

    /// How many pods with branch interfaces nodes have room for.
    pub(crate) fn capacity(&self, name: &Id) -> Option<&capacity::Report> {
        let reports = self.capacity.get_or_init(|| {
            let wanting = self.clusters().filter(|(name, it)| self.wants_branches(name, it));
            let report = |name| capacity::report(self.input.topology, name, &capacity::Facts::default());
            wanting.filter_map(|(name, _)| Some((name, report(name)?))).collect()
        });
        reports.get(name)
    }

    /// How many branch interfaces pods of a cluster want: surely, and more during the largest rolling update.
    pub(crate) fn wanted_branches(&self, name: &Id) -> (u64, u64) {
        // A CronJob has pods now and then.
        let pods = self.pods().iter().filter(|it| it.cluster_name == name && it.kind != "CronJob" && it.has_branch());
        let count = |it: &super::Pods<'_>| it.replicas.known().copied().flatten().map_or(0, u64::from);
        let surge = pods.clone().map(|it| it.surge.known().copied().map_or(0, u64::from)).max().unwrap_or(0);
        (pods.map(count).sum(), surge)
    }
}

/// Branch interfaces of all nodes when node groups are as large as they may be; `None` when nobody can say.
pub(crate) fn most_branches(report: &capacity::Report) -> Option<u64> {
    let most = |row: &capacity::NodesRow| {
        let of_group = matches!(row.nodes_of, NodesOf::Group(_));
        let most = row.branches.capacity_most.as_ref().filter(|_| of_group);
        most.unwrap_or(&row.branches.capacity).most()
    };
    report.nodes.iter().map(most).sum()
}

impl Facts<'_> {
    /// A setting of `aws-node`, wherever it is stated.
    pub(crate) fn env(&self, name: &Id, variable: &str) -> Option<(&str, Option<&sgp_model::InstanceAddr>)> {
        let mut settings = self.cni().iter().rev().filter(|it| it.cluster.is_some_and(|(theirs, _)| theirs == name));
        settings.find_map(|it| Some((it.env.get(variable)?.as_str(), it.object.addr.as_ref())))
    }
}
