//! What a self-managed VPC CNI is set to that its managed successor would not be: creating the add-on takes `aws-node` over and
//! puts its variables to the add-on's.

use sgp_model::{Diagnostic, Value};

use super::{addon, daemonset, is_addon, values::Env};
use crate::{
    attrs,
    connect::{Access, KubeClient},
};

/// Variables that people set and that have no argument with a default here, with what the VPC CNI comes with.
const DEFAULTS: [(&str, &str); 13] = [
    ("ANNOTATE_POD_IP", "false"),
    ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"),
    ("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS", ""),
    ("AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"),
    ("ENABLE_PREFIX_DELEGATION", "false"),
    ("ENABLE_SUBNET_DISCOVERY", "true"),
    ("ENI_CONFIG_ANNOTATION_DEF", ""),
    ("ENI_CONFIG_LABEL_DEF", ""),
    ("MAX_ENI", ""),
    ("MINIMUM_IP_TARGET", ""),
    ("WARM_ENI_TARGET", "1"),
    ("WARM_IP_TARGET", ""),
    ("WARM_PREFIX_TARGET", "1"),
];

/// Variables that a creation would put back, as `NAME=value`; `None` when there are none, or when nobody can tell.
pub(super) async fn look(client: &KubeClient, config: &Value) -> Option<Value> {
    let cluster = client.cluster_of(config).filter(|_| is_addon(config))?;
    let Ok(Access::Ready(reached)) = client.reach(Some(cluster)).await else { return None };
    if client.eks.addon(cluster, addon::NAME).await.ok()?.is_some() {
        return None;
    }
    let lost = lost(&daemonset::read(&reached).await.ok()??, config);
    (!lost.is_empty()).then(|| Value::strings(lost))
}

fn lost(live: &Env, config: &Value) -> Vec<String> {
    let said = Env::wanted(config);
    let differs = |(name, default): &&(&str, &str)| {
        live.main.get(*name).is_some_and(|now| now != default) && !said.main.contains_key(*name)
    };
    DEFAULTS.iter().filter(differs).map(|(name, _)| format!("{name}={}", live.main[*name])).collect()
}

/// The warning for what [`look`] found.
pub(super) fn warning(found: &Value) -> Diagnostic {
    Diagnostic::warning(
        "A self-managed VPC CNI is taken over",
        format!(
            "The cluster runs a self-managed VPC CNI. Creating the managed add-on puts its settings back to the defaults, among \
             them {}. Name in `env` what must stay, or use `via = \"daemonset\"`.",
            found.str_elements().join(", ")
        ),
    )
}

/// Whether there is anything to look for.
pub(super) fn concerns(prior: &Value, config: &Value) -> bool {
    let known = |name: &str| config.get(name).is_none_or(Value::is_known);
    prior.is_null()
        && known("cluster_name")
        && known("via")
        && known("env")
        && attrs::text(config, "via") != Some("daemonset")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_otherwise_and_not_said_would_be_lost() {
        let vars = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let live = Env {
            main: vars(&[
                ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true"),
                ("WARM_ENI_TARGET", "1"),
                ("WARM_IP_TARGET", "5"),
                ("CLUSTER_NAME", "main"),
            ]),
            ..Env::default()
        };
        let none = Value::object::<&str>([]);
        assert_eq!(lost(&live, &none), ["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG=true", "WARM_IP_TARGET=5"]);
        let said = Value::object([("env", attrs::map_value([("WARM_IP_TARGET".to_owned(), "9".to_owned())]))]);
        assert_eq!(lost(&live, &said), ["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG=true"]);
    }
}
