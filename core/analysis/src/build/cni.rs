//! The VPC CNI's settings: of the managed add-on, of `sgp_pod_eni`, of the DaemonSet.

use serde_json::Value as Json;

use super::{Builder, Item, view::truth};
use crate::topology::{Cni, EnforcingMode, Fact, Labels};

/// `aws_eks_addon`, when it is the VPC CNI.
pub(super) fn addon(builder: &mut Builder, item: &Item<'_>) {
    if item.view.text("addon_name") != Some("vpc-cni") {
        return;
    }
    let version = item.view.text("addon_version").map(str::to_owned);
    let values = match item.view.fact("configuration_values") {
        Fact::Unknown => None,
        Fact::Known(None) => Some(Json::Null),
        Fact::Known(Some(text)) => serde_json::from_str(text).ok(),
    };
    let cni = &mut builder.cluster_of(item).cni;
    cni.managed_by = item.addr.cloned().or(cni.managed_by.take());
    cni.version = version.into();
    let Some(values) = values else { return };
    let env = texts(&values["env"]);
    let init = texts(&values["init"]["env"]);
    set(cni, &env, &init);
    // The add-on's own default is off (docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html).
    cni.has_network_policies = Fact::Known(truth(&values["enableNetworkPolicy"]).unwrap_or(false));
}

/// `sgp_pod_eni`.
pub(super) fn pod_eni(builder: &mut Builder, item: &Item<'_>) {
    let view = &item.view;
    let all = view.labels("effective_env").known().cloned();
    let init = view.labels("effective_init_env").known().cloned();
    // Without a word it is strict; one that is known later may be either.
    let mode = view.fact("enforcing_mode").map(|it| mode_of(it.unwrap_or("strict")));
    let snat = view.flag("external_snat");
    let demux = view.flag("disable_tcp_early_demux");
    let stated = view.labels("env").known().cloned().unwrap_or_default();
    let version = view.text("addon_version").map(str::to_owned);
    let policies = view.get("network_policy").map(|_| view.flag("network_policy"));
    let was_there = view.flag("created_addon") == Fact::Known(false);
    let cni = &mut builder.cluster_of(item).cni;
    // What is effective says all; before that, what is configured on top of what is there, or of the defaults.
    match (all, init) {
        (Some(all), Some(init)) if !all.is_empty() => set(cni, &all, &init),
        _ if cni.external_snat.is_known() => overlay(cni, &stated),
        _ => set(cni, &stated, &Labels::new()),
    }
    cni.managed_by = item.addr.cloned().or(cni.managed_by.take());
    cni.pod_eni = Fact::Known(true);
    match mode {
        Fact::Known(Some(mode)) => cni.mode = Fact::Known(mode),
        Fact::Known(None) => {}
        Fact::Unknown => cni.mode = Fact::Unknown,
    }
    if snat.is_known() {
        cni.external_snat = snat;
    }
    if demux.is_known() {
        cni.is_early_demux_off = demux;
    } else if cni.mode == Fact::Known(EnforcingMode::Strict) {
        cni.is_early_demux_off = Fact::Known(true);
    }
    if version.is_some() {
        cni.version = version.into();
    }
    match policies {
        Some(stated) => cni.has_network_policies = stated,
        // Whoever made the add-on before may have set it; of a new one it is off.
        None if was_there || cni.has_network_policies.is_known() => {}
        None => cni.has_network_policies = Fact::Known(false),
    }
}

/// DaemonSet `aws-node`, as it really runs.
pub(super) fn daemon_set(cni: &mut Cni, spec: &Json) {
    let container = |group: &str, name: &str| {
        spec[group].as_array().into_iter().flatten().find(|it| it["name"] == name).cloned().unwrap_or_default()
    };
    let variables = |container: &Json| -> Labels {
        let variables = container["env"].as_array().into_iter().flatten();
        variables.filter_map(|it| Some((it["name"].as_str()?.to_owned(), it["value"].as_str()?.to_owned()))).collect()
    };
    let node = container("containers", "aws-node");
    set(cni, &variables(&node), &variables(&container("initContainers", "aws-vpc-cni-init")));
    let agent = container("containers", "aws-eks-nodeagent");
    let mut arguments = agent["args"].as_array().into_iter().flatten();
    cni.has_network_policies = Fact::Known(arguments.any(|it| it == "--enable-network-policy=true"));
    let image = node["image"].as_str().and_then(|image| image.rsplit_once(':')).map(|(_, tag)| tag.to_owned());
    if image.is_some() {
        cni.version = image.into();
    }
}

/// Settings from all variables: what is not among them has its default (README of the VPC CNI).
fn set(cni: &mut Cni, env: &Labels, init: &Labels) {
    let is_on = |env: &Labels, name: &str| Fact::Known(env.get(name).is_some_and(|it| it.eq_ignore_ascii_case("true")));
    cni.pod_eni = is_on(env, "ENABLE_POD_ENI");
    cni.mode = match env.get("POD_SECURITY_GROUP_ENFORCING_MODE") {
        None => Fact::Known(EnforcingMode::Strict),
        Some(text) => mode_of(text).into(),
    };
    cni.external_snat = is_on(env, "AWS_VPC_K8S_CNI_EXTERNALSNAT");
    cni.not_translated = Fact::Known(blocks(env));
    cni.prefix_delegation = is_on(env, "ENABLE_PREFIX_DELEGATION");
    cni.is_early_demux_off = is_on(init, "DISABLE_TCP_EARLY_DEMUX");
}

/// Settings from some variables more.
fn overlay(cni: &mut Cni, env: &Labels) {
    let is_on = |name: &str| env.get(name).map(|it| it.eq_ignore_ascii_case("true"));
    if let Some(on) = is_on("AWS_VPC_K8S_CNI_EXTERNALSNAT") {
        cni.external_snat = Fact::Known(on);
    }
    if let Some(on) = is_on("ENABLE_PREFIX_DELEGATION") {
        cni.prefix_delegation = Fact::Known(on);
    }
    if env.contains_key("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS") {
        cni.not_translated = Fact::Known(blocks(env));
    }
}

fn blocks(env: &Labels) -> Vec<ipnet::IpNet> {
    let text = env.get("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS").map(String::as_str).unwrap_or_default();
    text.split(',').filter_map(super::view::parse_block).collect()
}

fn mode_of(text: &str) -> Option<EnforcingMode> {
    match text {
        "strict" => Some(EnforcingMode::Strict),
        "standard" => Some(EnforcingMode::Standard),
        _ => None,
    }
}

/// A map of texts; numbers and bools as text.
fn texts(value: &Json) -> Labels {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;
    use sgp_model::json::from_serde;

    use super::*;
    use crate::build::{Object, Sources, build};

    /// Whether NetworkPolicies are enforced, of what is stated of `sgp_pod_eni`.
    fn policies(stated: &Json) -> Fact<bool> {
        let mut attributes = json!({ "cluster_name": "main", "enforcing_mode": "strict" });
        attributes.as_object_mut().unwrap().extend(stated.as_object().unwrap().clone());
        let object = |kind: &str, attributes: &Json| Object {
            kind: kind.to_owned(),
            addr: None,
            attributes: from_serde(attributes),
        };
        let objects = vec![object("aws_eks_cluster", &json!({ "name": "main" })), object("sgp_pod_eni", &attributes)];
        let topology = build(&Sources { objects, ..Sources::default() });
        topology.clusters.values().next().unwrap().cni.has_network_policies
    }

    #[test]
    fn network_policies_of_an_add_on_that_was_there_before_are_not_known() {
        for (stated, expected) in [
            (json!({}), Fact::Known(false)),
            (json!({ "created_addon": true }), Fact::Known(false)),
            (json!({ "created_addon": false }), Fact::Unknown),
            (json!({ "created_addon": false, "network_policy": false }), Fact::Known(false)),
            (json!({ "network_policy": true }), Fact::Known(true)),
        ] {
            assert_eq!(policies(&stated), expected, "{stated}");
        }
    }
}
