//! Objects of clusters as Kubernetes has them.

use serde_json::Value as Json;
use sgp_analysis::{
    build::{Object, View},
    topology::{Cluster, Id},
};
use sgp_model::{InstanceAddr, json::known_part};

use super::Facts;

/// A `kubernetes_manifest`, or an object that was gathered live.
pub(crate) struct Manifest<'a> {
    pub(crate) object: &'a Object,
    pub(crate) cluster: Option<(&'a Id, &'a Cluster)>,
    /// What of it is known.
    pub(crate) json: Json,
}

impl<'a> Manifest<'a> {
    pub(crate) fn addr(&self) -> Option<&'a InstanceAddr> {
        self.object.addr.as_ref()
    }

    /// Whether everything of it is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.object.attributes.get("manifest").is_some_and(|it| it.is_wholly_known())
    }

    pub(crate) fn kind(&self) -> &str {
        self.json["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.json["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.json["metadata"]["namespace"].as_str().unwrap_or("default")
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.json["metadata"]["annotations"][name].as_str()
    }

    /// As people know it.
    pub(crate) fn who(&self) -> String {
        format!("{} {}/{}", self.kind(), self.namespace(), self.name())
    }

    pub(crate) fn is_in(&self, cluster: &Id) -> bool {
        self.cluster.is_some_and(|(name, _)| name == cluster)
    }
}

impl<'a> Facts<'a> {
    /// Objects of a kind.
    pub(crate) fn manifests<'f>(&'f self, kind: &'f str) -> impl Iterator<Item = &'f Manifest<'a>> + use<'f, 'a> {
        self.all_manifests().iter().filter(move |it| it.kind() == kind)
    }

    fn all_manifests(&self) -> &[Manifest<'a>] {
        self.manifests.get_or_init(|| {
            let all = self.of_kind("kubernetes_manifest");
            let manifest = |(object, view): (&'a Object, View<'a>)| {
                let json = known_part(view.get("manifest")?);
                Some(Manifest { object, cluster: self.cluster_of(&view), json })
            };
            all.filter_map(manifest).collect()
        })
    }
}
