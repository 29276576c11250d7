//! What EKS does on the cluster for the VPC CNI: the `DaemonSet` `aws-node` and the `ConfigMap` `amazon-vpc-cni`, with an add-on's configuration in them.

use super::super::errors::Refusal;
use super::super::shared::Shared;
use crate::world::api_server::ApiServer;
use crate::world::error::Result;
use serde_json::{Map, Value, json};

const ENV: [(&str, &str); 9] = [
    ("AWS_VPC_CNI_NODE_PORT_SUPPORT", "true"),
    ("AWS_VPC_ENI_MTU", "9001"),
    ("AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"),
    ("AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"),
    ("AWS_VPC_K8S_CNI_VETHPREFIX", "eni"),
    ("ENABLE_POD_ENI", "false"),
    ("ENABLE_PREFIX_DELEGATION", "false"),
    ("WARM_ENI_TARGET", "1"),
    ("WARM_PREFIX_TARGET", "1"),
];
const INIT_ENV: [(&str, &str); 2] = [("DISABLE_TCP_EARLY_DEMUX", "false"), ("ENABLE_V6_EGRESS", "false")];

/// Brings the cluster's VPC CNI to an add-on's configuration; none means the defaults that every cluster starts with.
pub(super) async fn roll_out(shared: &Shared, addon: &str, values: Option<&str>) -> std::result::Result<(), Refusal> {
    match shared.api_server() {
        Some(server) if addon == "vpc-cni" => {
            let values = values.filter(|values| !values.is_empty()).unwrap_or("{}");
            let values: Value = serde_norway::from_str(values).unwrap_or(Value::Null);
            Ok(server.put_vpc_cni(&values).await?)
        }
        _ => Ok(()),
    }
}

/// Takes the VPC CNI's objects away, as deleting its add-on does.
pub(super) async fn remove(shared: &Shared, addon: &str) -> std::result::Result<(), Refusal> {
    if let (Some(server), "vpc-cni") = (shared.api_server(), addon) {
        server.delete("/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node").await?;
        server.delete("/api/v1/namespaces/kube-system/configmaps/amazon-vpc-cni").await?;
    }
    Ok(())
}

impl ApiServer {
    /// Writes the VPC CNI's objects as EKS does.
    pub(crate) async fn put_vpc_cni(&self, values: &Value) -> Result<()> {
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "aws-node", "namespace": "kube-system", "labels": labels() },
        });
        self.apply("eks", "/api/v1/namespaces/kube-system/serviceaccounts/aws-node", &account).await?;
        self.apply("eks", "/api/v1/namespaces/kube-system/configmaps/amazon-vpc-cni", &config_map(values)).await?;
        self.apply("eks", "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node", &daemon_set(values)).await
    }
}

fn labels() -> Value {
    json!({ "app.kubernetes.io/name": "aws-node", "k8s-app": "aws-node" })
}

fn config_map(values: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "amazon-vpc-cni", "namespace": "kube-system", "labels": labels() },
        "data": {
            "branch-eni-cooldown": values["branchENICooldown"].as_str().unwrap_or("60"),
            "enable-network-policy-controller": values["enableNetworkPolicy"].as_str().unwrap_or("false"),
            "enable-windows-ipam": values["enableWindowsIpam"].as_str().unwrap_or("false"),
        },
    })
}

fn daemon_set(values: &Value) -> Value {
    let image = "602401143452.dkr.ecr.us-east-1.amazonaws.com/amazon-k8s-cni";
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "aws-node", "namespace": "kube-system", "labels": labels() },
        "spec": {
            "selector": { "matchLabels": { "k8s-app": "aws-node" } },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "10%" } },
            "template": {
                "metadata": { "labels": labels() },
                "spec": {
                    "serviceAccountName": "aws-node", "hostNetwork": true, "priorityClassName": "system-node-critical",
                    "initContainers": [{ "name": "aws-vpc-cni-init", "image": format!("{image}-init:v1.22.2"), "env": env(&INIT_ENV, &values["init"]["env"]) }],
                    "containers": [{ "name": "aws-node", "image": format!("{image}:v1.22.2"), "env": env(&ENV, &values["env"]) }],
                },
            },
        },
    })
}

/// The defaults, with the given values over them.
fn env(defaults: &[(&str, &str)], values: &Value) -> Vec<Value> {
    let mut env: Map<String, Value> = defaults.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    env.extend(values.as_object().cloned().unwrap_or_default());
    env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}
