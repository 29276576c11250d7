//! Whether rules of groups let something pass, for rules that need no whole way.

use ipnet::IpNet;
use sgp_analysis::{
    matching::{Attachment, membership},
    sets::{AddressSet, Family, Traffic},
    topology::{Cluster, Direction, Fact, Id, Labels, Peer, PodTemplate},
};

use super::Facts;

/// How sure something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    /// It is not so.
    No,
    /// Nobody can say.
    Perhaps,
    /// It is so.
    Yes,
}

/// The other end, as rules name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Other {
    /// The groups that it may have.
    pub(crate) groups: Vec<Id>,
    /// Whether it may have others.
    pub(crate) may_have_more: bool,
    /// The blocks that its address is in; unknown ones may be any.
    pub(crate) blocks: Fact<Vec<IpNet>>,
}

impl Other {
    fn is(&self, peer: &Peer) -> Sure {
        match peer {
            Peer::Group(id) if self.groups.contains(id) => Sure::Yes,
            Peer::Group(_) if self.may_have_more => Sure::Perhaps,
            Peer::Group(_) => Sure::No,
            Peer::Block(block) => self.is_in(block),
            Peer::PrefixList(_) | Peer::Unknown => Sure::Perhaps,
        }
    }

    fn is_in(&self, block: &IpNet) -> Sure {
        let Fact::Known(blocks) = &self.blocks else {
            return if block.prefix_len() == 0 { Sure::Yes } else { Sure::Perhaps };
        };
        let (theirs, rule): (AddressSet, AddressSet) = (blocks.iter().collect(), [block].into_iter().collect());
        let theirs = theirs.of_family(Family::of_block(block));
        match () {
            () if theirs.is_empty() => Sure::Perhaps,
            () if rule.covers(&theirs) => Sure::Yes,
            () if rule.meets(&theirs) => Sure::Perhaps,
            () => Sure::No,
        }
    }
}

impl Facts<'_> {
    /// Whether groups let all of some traffic pass, to or from the other end. Rules of all groups of an interface add up.
    pub(crate) fn passes(&self, groups: &[Id], direction: Direction, wanted: &Traffic, other: &Other) -> Sure {
        let (mut surely, mut perhaps) = (Traffic::none(), Traffic::none());
        let is_open = other.groups.iter().any(|id| self.is_alias(id));
        if self.has_loose_rules(direction) {
            perhaps = Traffic::all();
        }
        for id in groups {
            let Some(group) = self.input.topology.groups.get(id) else { return Sure::Perhaps };
            if group.may_have_more_rules {
                perhaps = Traffic::all();
            }
            for rule in group.rules.iter().filter(|it| it.direction == direction) {
                let is_other = match &rule.peer {
                    Peer::Group(id) if is_open || self.is_alias(id) => other.is(&rule.peer).max(Sure::Perhaps),
                    peer => other.is(peer),
                };
                match &rule.traffic {
                    Fact::Known(traffic) if is_other == Sure::Yes => surely = surely.or(traffic),
                    Fact::Known(traffic) if is_other == Sure::Perhaps => perhaps = perhaps.or(traffic),
                    Fact::Unknown if is_other != Sure::No => perhaps = Traffic::all(),
                    _ => {}
                }
            }
        }
        if surely.covers(wanted) {
            Sure::Yes
        } else if surely.or(&perhaps).covers(wanted) {
            Sure::Perhaps
        } else {
            Sure::No
        }
    }

    /// Whether there are rules of which it is not known whose they are.
    fn has_loose_rules(&self, direction: Direction) -> bool {
        let loose = self.loose.get_or_init(|| {
            let kinds = ["aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"];
            kinds.map(|kind| {
                self.of_kind(kind).any(|(_, view)| match view.text("security_group_id") {
                    Some(id) => self.is_alias(&Id::from(id)),
                    None => true,
                })
            })
        });
        loose[usize::from(direction == Direction::Egress)]
    }

    /// Whether an id is a symbol for a group that another symbol may mean, too: one that a data source finds.
    fn is_alias(&self, id: &Id) -> bool {
        let is_ours = || {
            let group = self.input.topology.groups.get(id);
            group.is_some_and(|it| it.managed_by.is_some())
                || self.clusters().any(|(_, it)| it.managed_by.is_some() && it.group.known() == Some(id))
        };
        id.is_symbolic() && !is_ours()
    }

    /// The nodes of a cluster: the groups that they carry. Nodes that no node group makes may have others.
    pub(crate) fn nodes(&self, cluster: &Cluster) -> Other {
        let mut other = Other { blocks: self.blocks_of(cluster), ..Other::default() };
        other.may_have_more = cluster.node_groups.is_empty() || self.may_have_other_nodes(cluster);
        for group in cluster.node_groups.values() {
            match &group.groups {
                Fact::Known(groups) => other.groups.extend(groups.iter().cloned()),
                Fact::Unknown => other.may_have_more = true,
            }
        }
        if other.groups.is_empty() {
            other.groups.extend(cluster.group.known().cloned());
        }
        other.groups.sort();
        other.groups.dedup();
        other
    }

    /// The blocks of a cluster's VPC.
    fn blocks_of(&self, cluster: &Cluster) -> Fact<Vec<IpNet>> {
        let vpc = cluster.vpc.known().and_then(|id| self.input.topology.vpcs.get(id));
        vpc.and_then(|it| it.blocks.known()).cloned().into()
    }

    /// Whether a set of groups is the one that a policy gives CoreDNS, which does not ask itself.
    pub(crate) fn is_dns(&self, dressed: &super::Dressed<'_>) -> bool {
        let dns = self.dns(dressed.cluster);
        let is_of_nodes = dns.groups == self.nodes(dressed.cluster).groups;
        !is_of_nodes && !dns.may_have_more && dressed.own.iter().all(|id| dns.groups.contains(id))
    }

    /// CoreDNS of a cluster: its own groups when a policy gives them, else those of the nodes or of the cluster.
    pub(crate) fn dns(&self, cluster: &Cluster) -> Other {
        let labels = [("k8s-app", "kube-dns"), ("eks.amazonaws.com/component", "coredns")];
        let labels: Labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let told = cluster.workloads.get(&("kube-system".to_owned(), "Deployment".to_owned(), "coredns".to_owned()));
        let usual = PodTemplate { labels: Fact::Known(labels), ..PodTemplate::default() };
        let template = told.map_or(&usual, |it| &it.template);
        let blocks = self.blocks_of(cluster);
        match membership(cluster, "kube-system", template).attachment {
            Attachment::Branch(Fact::Known(groups)) | Attachment::Fargate(Fact::Known(groups)) => {
                Other { groups, may_have_more: false, blocks }
            }
            Attachment::Host | Attachment::Shared(_) | Attachment::BranchOfNode => self.nodes(cluster),
            _ => Other { may_have_more: true, ..self.nodes(cluster) },
        }
    }
}
