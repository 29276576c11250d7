//! The VPC CNI's settings: environment variables of `aws-node`.
//!
//! Source: README of `aws/amazon-vpc-cni-k8s`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::context::{Context, time_of};
use super::super::scheduler::cache::list;
use crate::eks::model::{Addon, Status, key};

/// What the CNI was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    environment: BTreeMap<String, String>,
}

impl Settings {
    /// Those of a pod's or template's container `aws-node`.
    pub fn of(spec: &Value) -> Self {
        let containers = list(&spec["containers"]).filter(|container| container["name"] == "aws-node");
        let variables = containers.flat_map(|container| list(&container["env"]));
        let read = |it: &Value| Some((it["name"].as_str()?.to_owned(), it["value"].as_str()?.to_owned()));
        Self { environment: variables.filter_map(read).collect() }
    }

    fn text(&self, name: &str) -> &str {
        self.environment.get(name).map(String::as_str).unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "True" | "TRUE" | "1" | "t" | "T")
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.text(name).parse().ok()
    }

    /// Whether nodes are to have trunks.
    pub fn has_pod_eni(&self) -> bool {
        self.is("ENABLE_POD_ENI")
    }

    /// Whether addresses come in `/28` prefixes.
    pub fn has_prefixes(&self) -> bool {
        self.is("ENABLE_PREFIX_DELEGATION")
    }

    /// Whether pods are in the subnet of an ENIConfig.
    pub fn has_custom_networking(&self) -> bool {
        self.is("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG")
    }

    /// Whether each pod's addresses are written on it.
    pub fn annotates_addresses(&self) -> bool {
        self.is("ANNOTATE_POD_IP")
    }

    /// The node's label and annotation that name its ENIConfig.
    pub fn eni_config_label(&self) -> &str {
        match self.text("ENI_CONFIG_LABEL_DEF") {
            "" => "k8s.amazonaws.com/eniConfig",
            label => label,
        }
    }

    /// How many addresses are kept free; `None` keeps whole interfaces.
    pub fn warm_addresses(&self) -> Option<usize> {
        self.number("WARM_IP_TARGET").filter(|number| *number > 0)
    }

    /// How many addresses there are at least.
    pub fn minimum_addresses(&self) -> usize {
        self.number("MINIMUM_IP_TARGET").unwrap_or(0)
    }

    /// How many interfaces' worth of addresses is kept free.
    pub fn warm_interfaces(&self) -> usize {
        self.number("WARM_ENI_TARGET").unwrap_or(1)
    }

    /// How many prefixes are kept free.
    pub fn warm_prefixes(&self) -> usize {
        self.number("WARM_PREFIX_TARGET").unwrap_or(1).max(1)
    }

    /// The most interfaces, when it is less than the instance's.
    pub fn interfaces_max(&self) -> Option<usize> {
        self.number("MAX_ENI").filter(|number| *number > 0)
    }
}

/// What new nodes will have: the DaemonSet's settings.
pub(crate) fn of_cluster(ctx: &Context<'_>) -> Settings {
    let set = ctx.get("daemonsets.apps", "kube-system", "aws-node");
    set.map(|set| Settings::of(&set["spec"]["template"]["spec"])).unwrap_or_default()
}

/// Which state of the add-on the DaemonSet was last written from.
const WRITTEN: &str = "sandbox.sgp.dev/addon-modified-at";

/// Writes the add-on's configuration into the DaemonSet, once for each change of the add-on: in between others may change it too.
pub(super) fn write(ctx: &mut Context<'_>) {
    let Some(addon) = ctx.world.eks.addons.get(&key(ctx.cluster, "vpc-cni")).cloned() else { return };
    let Some(set) = ctx.get("daemonsets.apps", "kube-system", "aws-node") else { return };
    let written = time_of(&set["metadata"]["annotations"][WRITTEN]);
    if matches!(addon.status, Status::Deleting) || written.is_some_and(|written| written >= addon.modified_at) {
        return;
    }
    let configuration = addon.configuration();
    ctx.update("daemonsets.apps", "kube-system", "aws-node", |set| {
        set["metadata"]["annotations"][WRITTEN] = json!(addon.modified_at.to_string());
        let spec = &mut set["spec"]["template"]["spec"];
        merge(container(&mut spec["containers"], "aws-node"), DEFAULTS, &configuration["env"]);
        let init = [("DISABLE_TCP_EARLY_DEMUX", "false")];
        merge(container(&mut spec["initContainers"], "aws-vpc-cni-init"), &init, &configuration["init"]["env"]);
        set_version(spec, &addon);
        set_policy(spec, &configuration);
        for (field, value) in [("tolerations", &configuration["tolerations"]), ("affinity", &configuration["affinity"])]
        {
            if !value.is_null() {
                spec[field] = value.clone();
            }
        }
    });
    if !configuration["branchENICooldown"].is_null() {
        let seconds = &configuration["branchENICooldown"];
        let text = seconds.as_str().map_or_else(|| seconds.to_string(), str::to_owned);
        ctx.update("configmaps", "kube-system", "amazon-vpc-cni", |map| {
            map["data"]["branch-eni-cooldown"] = json!(text);
        });
    }
}

/// Settings that go back to these when the configuration does not name them any more.
const DEFAULTS: &[(&str, &str)] = &[
    ("ADDITIONAL_ENI_TAGS", "{}"),
    ("ANNOTATE_POD_IP", "false"),
    ("AWS_VPC_CNI_NODE_PORT_SUPPORT", "true"),
    ("AWS_VPC_ENI_MTU", "9001"),
    ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"),
    ("AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"),
    ("AWS_VPC_K8S_CNI_RANDOMIZESNAT", "prng"),
    ("AWS_VPC_K8S_CNI_VETHPREFIX", "eni"),
    ("ENABLE_POD_ENI", "false"),
    ("ENABLE_PREFIX_DELEGATION", "false"),
    ("ENABLE_SUBNET_DISCOVERY", "true"),
    ("WARM_ENI_TARGET", "1"),
    ("WARM_PREFIX_TARGET", "1"),
];

/// Settings without a default that the configuration may have set before.
const OPTIONAL: [&str; 6] = [
    "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS",
    "ENI_CONFIG_LABEL_DEF",
    "MAX_ENI",
    "MINIMUM_IP_TARGET",
    "POD_SECURITY_GROUP_ENFORCING_MODE",
    "WARM_IP_TARGET",
];

fn container<'a>(containers: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    containers.as_array_mut()?.iter_mut().find(|container| container["name"] == name)
}

fn merge(container: Option<&mut Value>, defaults: &[(&str, &str)], wanted: &Value) {
    let Some(variables) = container.and_then(|container| container["env"].as_array_mut()) else { return };
    variables.retain(|it| !OPTIONAL.iter().any(|name| it["name"] == *name));
    let mut set = |name: &str, value: &Value| match variables.iter_mut().find(|it| it["name"] == name) {
        Some(variable) => variable["value"] = value.clone(),
        None => variables.push(json!({ "name": name, "value": value })),
    };
    for (name, value) in defaults {
        set(name, &json!(value));
    }
    for (name, value) in wanted.as_object().into_iter().flatten() {
        set(name, value);
    }
}

/// The images are those of the add-on's version.
fn set_version(spec: &mut Value, addon: &Addon) {
    for kind in ["containers", "initContainers"] {
        for container in spec[kind].as_array_mut().into_iter().flatten() {
            if matches!(container["name"].as_str(), Some("aws-node" | "aws-vpc-cni-init"))
                && let Some((image, _)) = container["image"].as_str().and_then(|image| image.rsplit_once(':'))
            {
                container["image"] = json!(format!("{image}:{}", addon.version));
            }
        }
    }
    let short = addon.version.split('-').next().unwrap_or_default();
    merge_one(container(&mut spec["containers"], "aws-node"), "VPC_CNI_VERSION", short);
}

fn merge_one(container: Option<&mut Value>, name: &str, value: &str) {
    let variables = container.and_then(|container| container["env"].as_array_mut()).into_iter().flatten();
    for variable in variables.filter(|it| it["name"] == name) {
        variable["value"] = json!(value);
    }
}

/// Whether the node agent enforces NetworkPolicies.
fn set_policy(spec: &mut Value, configuration: &Value) {
    let is_on = configuration["enableNetworkPolicy"] == "true";
    let agent = container(&mut spec["containers"], "aws-eks-nodeagent");
    for argument in agent.and_then(|agent| agent["args"].as_array_mut()).into_iter().flatten() {
        if argument.as_str().is_some_and(|text| text.starts_with("--enable-network-policy=")) {
            *argument = json!(format!("--enable-network-policy={is_on}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_is_merged_over_defaults() {
        let mut container = json!({ "env": [
            { "name": "ENABLE_POD_ENI", "value": "true" }, { "name": "CLUSTER_NAME", "value": "c" },
            { "name": "WARM_IP_TARGET", "value": "5" },
        ] });
        merge(Some(&mut container), DEFAULTS, &json!({ "POD_SECURITY_GROUP_ENFORCING_MODE": "standard" }));
        let mut spec = json!({ "containers": [container] });
        spec["containers"][0]["name"] = json!("aws-node");
        let settings = Settings::of(&spec);
        assert_eq!(settings.text("POD_SECURITY_GROUP_ENFORCING_MODE"), "standard");
        assert_eq!(
            (settings.has_pod_eni(), settings.warm_addresses(), settings.text("CLUSTER_NAME")),
            (false, None, "c")
        );
    }
}
