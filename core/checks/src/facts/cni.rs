//! What the configuration says of the VPC CNI.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sgp_analysis::{
    build::{Object, View},
    topology::{Cluster, Id, Labels},
};
use sgp_model::{AttrPath, Value, json};

use super::Facts;

/// How the settings are stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stated {
    /// `aws_eks_addon`, in `configuration_values`.
    Addon,
    /// `sgp_pod_eni`.
    PodEni,
    /// A manifest of DaemonSet `aws-node`.
    DaemonSet,
}

/// Settings of one object.
pub(crate) struct CniSettings<'a> {
    pub(crate) cluster: Option<(&'a Id, &'a Cluster)>,
    pub(crate) object: &'a Object,
    pub(crate) view: View<'a>,
    pub(crate) stated: Stated,
    /// The whole of `configuration_values`, when it is known and can be read; of an add-on.
    pub(crate) values: Option<Json>,
    /// Variables of `aws-node`.
    pub(crate) env: Labels,
    /// Variables of its init container.
    pub(crate) init: Labels,
}

impl CniSettings<'_> {
    /// The place where variables are stated.
    pub(crate) fn path(&self) -> AttrPath {
        AttrPath::attr(match self.stated {
            Stated::Addon => "configuration_values",
            Stated::PodEni => "env",
            Stated::DaemonSet => "manifest",
        })
    }

    /// The enforcing mode as it is written.
    pub(crate) fn mode(&self) -> Option<&str> {
        let variable = self.env.get("POD_SECURITY_GROUP_ENFORCING_MODE").map(String::as_str);
        if self.stated == Stated::PodEni { self.view.text("enforcing_mode").or(variable) } else { variable }
    }
}

impl<'a> Facts<'a> {
    /// All statements about the VPC CNI.
    pub(crate) fn cni(&self) -> &[CniSettings<'a>] {
        self.cni.get_or_init(|| {
            let addons = self.of_kind("aws_eks_addon").filter(|(_, view)| view.text("addon_name") == Some("vpc-cni"));
            let mut all: Vec<CniSettings<'a>> = addons.map(|it| self.addon(it)).collect();
            all.extend(self.of_kind("sgp_pod_eni").map(|it| self.pod_eni(it)));
            all.extend(self.of_kind("kubernetes_manifest").filter_map(|it| self.daemon_set(it)));
            all
        })
    }

    fn addon(&self, (object, view): (&'a Object, View<'a>)) -> CniSettings<'a> {
        let values: Option<Json> = view.text("configuration_values").and_then(|text| serde_json::from_str(text).ok());
        let part = |path: &str| values.as_ref().and_then(|it| it.pointer(path)).map(texts).unwrap_or_default();
        let (env, init) = (part("/env"), part("/init/env"));
        CniSettings { cluster: self.cluster_of(&view), object, view, stated: Stated::Addon, values, env, init }
    }

    fn pod_eni(&self, (object, view): (&'a Object, View<'a>)) -> CniSettings<'a> {
        let stated = Stated::PodEni;
        let (env, init) = (view.known_labels("env"), view.known_labels("init_env"));
        CniSettings { cluster: self.cluster_of(&view), object, view, stated, values: None, env, init }
    }

    fn daemon_set(&self, (object, view): (&'a Object, View<'a>)) -> Option<CniSettings<'a>> {
        let manifest = view.get("manifest")?;
        let text = |path: &[&str]| path.iter().try_fold(manifest, |at, step| at.get(step)).and_then(Value::as_str);
        let is_it = text(&["kind"]) == Some("DaemonSet")
            && text(&["metadata", "name"]) == Some("aws-node")
            && text(&["metadata", "namespace"]) == Some("kube-system");
        if !is_it {
            return None;
        }
        let whole = json::known_part(manifest);
        let variables = |group: &str, name: &str| {
            let containers = super::list(&whole["spec"]["template"]["spec"][group]);
            let env = containers.filter(|it| it["name"] == name).flat_map(|it| super::list(&it["env"]));
            env.filter_map(|it| Some((it["name"].as_str()?.to_owned(), it["value"].as_str()?.to_owned())))
                .collect::<BTreeMap<_, _>>()
        };
        let env = variables("containers", "aws-node");
        let init = variables("initContainers", "aws-vpc-cni-init");
        let stated = Stated::DaemonSet;
        Some(CniSettings { cluster: self.cluster_of(&view), object, view, stated, values: None, env, init })
    }
}

/// A map of texts; what is no text is written as JSON.
fn texts(json: &Json) -> Labels {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    json.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

impl<'a> Facts<'a> {
    /// The object that decides the settings of a cluster's VPC CNI: the last of `aws_eks_addon` and `sgp_pod_eni`, before what was
    /// only seen.
    pub(crate) fn cni_of(&self, name: &Id) -> Option<&CniSettings<'a>> {
        let all = || self.cni().iter().filter(|it| it.cluster.is_some_and(|(theirs, _)| theirs == name));
        all().rfind(|it| it.object.addr.is_some()).or_else(|| all().next_back())
    }
}
