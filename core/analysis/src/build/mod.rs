//! Makes a topology out of objects, whatever they come from: a state, a plan before and after, or what was gathered live.
//!
//! Objects have the shape of Terraform's resource types, so that a recorded `aws_security_group` and one that was just described
//! are the same thing here. One function a type reads it; the table in `kinds.rs` lists them.

mod cni;
mod eks;
mod groups;
mod interfaces;
mod kinds;
mod manifest;
mod network;
mod pods;
mod routes;
mod selectors;
mod services;
mod things;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use sgp_model::{InstanceAddr, Value, symbol::symbol};

pub use things::Things;
pub use view::View;
pub(crate) use view::parse_block;

use crate::topology::{AclEntry, Cluster, Destination, Direction, Fact, Id, Route, Rule, Topology};

/// One object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its type: `aws_security_group`.
    pub kind: String,
    /// Its address, when it is the configuration's.
    pub addr: Option<InstanceAddr>,
    /// Its attributes. Ids that AWS will give are symbols.
    pub attributes: Value,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Objects that are there.
    pub objects: Vec<Object>,
    /// Objects that were there before and are not any more: rules among them are taken out of what groups say of themselves.
    pub gone: Vec<Object>,
    /// Whether `objects` are as they will be: what was gathered live beside them and says otherwise is older.
    pub is_planned: bool,
    /// Clusters all of whose objects are among `objects`.
    pub complete_clusters: Vec<String>,
    /// VPCs all of whose network interfaces are among `objects`.
    pub complete_vpcs: Vec<String>,
}

/// Makes the topology.
pub fn build(sources: &Sources) -> Topology {
    let mut builder = Builder { is_planned: sources.is_planned, ..Builder::default() };
    for object in &sources.gone {
        if let Some((group, rule)) = groups::separate_rule(&Item::of(object)) {
            builder.gone.entry(group).or_default().push(rule);
        }
        routes::gone(&mut builder, object);
    }
    // Clusters first: what is in them finds them by name.
    for pass in kinds::PASSES {
        for object in &sources.objects {
            if let Some(read) = pass.iter().find(|(kind, _)| *kind == object.kind).map(|(_, read)| read) {
                read(&mut builder, &Item::of(object));
            }
        }
    }
    for id in &sources.complete_vpcs {
        builder.topology.vpcs.entry(Id::from(id.as_str())).or_default().is_complete = true;
    }
    for name in &sources.complete_clusters {
        builder.topology.clusters.entry(Id::from(name.as_str())).or_default().is_complete = true;
    }
    builder.finish()
}

/// An object as its reader sees it.
pub(crate) struct Item<'a> {
    pub(crate) addr: Option<&'a InstanceAddr>,
    pub(crate) view: View<'a>,
}

impl<'a> Item<'a> {
    fn of(object: &'a Object) -> Self {
        Self { addr: object.addr.as_ref(), view: View(&object.attributes) }
    }

    /// Its own id: what AWS gave, or what stands for it.
    pub(crate) fn id(&self) -> Option<Id> {
        self.id_at("id")
    }

    /// An id among its attributes that AWS gives, or what stands for it.
    pub(crate) fn id_at(&self, attribute: &str) -> Option<Id> {
        let stated = self.view.text(attribute).map(Id::from);
        stated.or_else(|| self.addr.map(|addr| Id::from(symbol(&format!("{addr}.{attribute}")))))
    }
}

/// A topology in the making.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) topology: Topology,
    /// Rules that are gone, by group.
    gone: BTreeMap<Id, Vec<Rule>>,
    /// Groups that were gathered live, with all of their rules.
    sighted: BTreeSet<Id>,
    is_planned: bool,
    /// Rules of their own, by group.
    separate: BTreeMap<Id, Vec<Rule>>,
    /// Groups of nodes by launch template, by id and by name.
    pub(crate) templates: BTreeMap<Id, Fact<Vec<Id>>>,
    /// Route tables by subnet.
    pub(crate) tables: BTreeMap<Id, Id>,
    /// Network ACLs by subnet.
    pub(crate) acls: BTreeMap<Id, Id>,
    /// The VPCs of route tables.
    pub(crate) table_vpcs: BTreeMap<Id, Id>,
    /// Tables of VPCs that do not exist yet which have two names: the default one is the main one.
    pub(crate) same_tables: BTreeMap<Id, Id>,
    /// The network ACLs that VPCs begin with.
    pub(crate) default_acls: BTreeMap<Id, Id>,
    /// Routes of their own, by table.
    pub(crate) routes: BTreeMap<Id, Vec<Route>>,
    /// Routes that are gone, with their tables.
    pub(crate) gone_routes: Vec<(Id, Destination)>,
    /// Entries of network ACLs that are objects of their own, by ACL.
    pub(crate) entries: BTreeMap<Id, Vec<AclEntry>>,
    /// Entries that are gone, with their ACLs.
    pub(crate) gone_entries: Vec<(Id, Direction, u32)>,
}

impl Builder {
    /// The cluster that an object of a cluster is in: the one it names, by name or ARN, or the only one there is.
    pub(crate) fn cluster_of(&mut self, item: &Item<'_>) -> &mut Cluster {
        let named = |text: &str| {
            let known = self.topology.cluster_named(text).cloned();
            known.unwrap_or_else(|| Id::from(text.rsplit_once(":cluster/").map_or(text, |(_, name)| name)))
        };
        let id = match (item.view.text("cluster_name"), self.topology.clusters.len()) {
            (Some(text), _) => named(text),
            (None, 1) => self.topology.clusters.keys().next().cloned().unwrap_or_else(|| Id::from("")),
            // Clusters that a provider block knows and nothing names.
            (None, _) => Id::from("(the provider's cluster)"),
        };
        self.topology.clusters.entry(id).or_default()
    }

    fn finish(mut self) -> Topology {
        groups::finish(&mut self);
        routes::finish(&mut self);
        network::finish(&mut self);
        eks::finish(&mut self);
        self.topology
    }
}
