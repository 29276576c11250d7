//! Versions of Kubernetes and of the add-ons, and the schema of the VPC CNI's configuration.

use super::super::errors::Refusal;
use super::invalid;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The versions of the world's EKS, oldest first.
pub(super) const VERSIONS: [&str; 4] = ["1.33", "1.34", "1.35", "1.36"];
/// What a cluster gets that asks for none.
pub(super) const DEFAULT_VERSION: &str = "1.36";

/// What `configurationValues` of the VPC CNI may say, in the shape of AWS's schema.
const VPC_CNI_SCHEMA: &str = include_str!("vpc_cni_schema.json");

/// Add-ons with their versions, newest first; the second is the default, as often at AWS.
const ADDONS: [(&str, &str, [&str; 3]); 4] = [
    ("vpc-cni", "networking", ["v1.23.1-eksbuild.1", "v1.22.2-eksbuild.1", "v1.21.1-eksbuild.3"]),
    ("coredns", "networking", ["v1.13.2-eksbuild.1", "v1.13.1-eksbuild.1", "v1.12.4-eksbuild.1"]),
    ("kube-proxy", "networking", ["v1.36.1-eksbuild.2", "v1.36.0-eksbuild.4", "v1.35.3-eksbuild.2"]),
    ("eks-pod-identity-agent", "security", ["v1.3.10-eksbuild.2", "v1.3.9-eksbuild.3", "v1.3.8-eksbuild.2"]),
];

/// The version that an add-on gets when none is asked for.
pub(super) fn default_version(addon: &str, cluster_version: &str) -> Option<String> {
    let known = ADDONS.iter().find(|(name, ..)| *name == addon)?;
    VERSIONS.contains(&cluster_version).then(|| known.2[1].to_owned())
}

pub(super) fn has_version(addon: &str, version: &str) -> bool {
    ADDONS.iter().any(|(name, _, versions)| *name == addon && versions.contains(&version))
}

/// Answers `DescribeAddonVersions`.
pub(super) fn versions(query: &BTreeMap<String, String>) -> Value {
    let (name, version) = (query.get("addonName"), query.get("kubernetesVersion"));
    let clusters: Vec<&str> = VERSIONS.into_iter().filter(|known| version.is_none_or(|asked| asked == known)).collect();
    let asked = ADDONS.iter().filter(|(known, ..)| name.is_none_or(|asked| asked == known));
    let addons: Vec<Value> = asked
        .map(|(name, kind, versions)| {
            let versions: Vec<Value> =
                versions.iter().map(|version| describe_version(version, &clusters, *version == versions[1])).collect();
            json!({ "addonName": name, "type": kind, "publisher": "eks", "owner": "aws", "addonVersions": versions })
        })
        .collect();
    json!({ "addons": if clusters.is_empty() { Vec::new() } else { addons } })
}

fn describe_version(version: &str, clusters: &[&str], is_default: bool) -> Value {
    let fits =
        |cluster: &&str| json!({ "clusterVersion": cluster, "platformVersions": ["*"], "defaultVersion": is_default });
    json!({
        "addonVersion": version, "architecture": ["amd64", "arm64"], "computeTypes": ["ec2", "auto"],
        "compatibilities": clusters.iter().map(fits).collect::<Vec<_>>(),
        "requiresConfiguration": false, "requiresIamPermissions": false,
    })
}

/// Answers `DescribeAddonConfiguration`.
pub(super) fn configuration(query: &BTreeMap<String, String>) -> Result<Value, Refusal> {
    let get = |name: &str| query.get(name).map_or("", String::as_str);
    let (addon, version) = (get("addonName"), get("addonVersion"));
    if !has_version(addon, version) {
        let message = format!("Addon version {version} of addon {addon} does not exist");
        return Err(Refusal::new(404, "ResourceNotFoundException", message));
    }
    let schema = if addon == "vpc-cni" { compact(VPC_CNI_SCHEMA) } else { "{}".to_owned() };
    Ok(json!({ "addonName": addon, "addonVersion": version, "configurationSchema": schema }))
}

fn compact(schema: &str) -> String {
    serde_json::from_str::<Value>(schema).unwrap().to_string()
}

/// Answers `DescribeClusterVersions`.
pub(super) fn cluster_versions() -> Value {
    let describe = |version: &&str| {
        json!({
            "clusterVersion": version, "clusterType": "eks", "defaultVersion": *version == DEFAULT_VERSION,
            "status": "STANDARD_SUPPORT", "versionStatus": "STANDARD_SUPPORT", "defaultPlatformVersion": "eks.1",
        })
    };
    json!({ "clusterVersions": VERSIONS.iter().rev().map(describe).collect::<Vec<_>>() })
}

/// Refuses configuration that the schema does not allow.
pub(super) fn check_configuration(addon: &str, values: &str) -> Result<(), Refusal> {
    let parsed: Value = serde_norway::from_str(values).map_err(|_| unsupported("is neither JSON nor YAML"))?;
    if addon != "vpc-cni" {
        return Ok(());
    }
    let schema: Value = serde_json::from_str(VPC_CNI_SCHEMA).unwrap();
    check(&schema, &schema, &parsed, "$").map_err(|problem| unsupported(&problem))
}

fn unsupported(problem: &str) -> Refusal {
    invalid(format!(
        "ConfigurationValue provided in request is not supported: Json schema validation failed with error: [{problem}]"
    ))
}

/// As much of JSON Schema as the schema uses: references, types, enums, known properties.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return check(root, &root["definitions"][name], value, at);
    }
    let is_of_type = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("integer") => value.is_i64(),
        _ => true,
    };
    if !is_of_type {
        return Err(format!("{at}: {} expected", schema["type"].as_str().unwrap_or_default()));
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        return Err(format!("{at}: does not have a value in the enumeration {}", Value::Array(allowed.clone())));
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match schema["properties"].get(name) {
            Some(property) => check(root, property, inner, &at)?,
            None if schema["additionalProperties"] == false => {
                return Err(format!(
                    "{at}: is not defined in the schema and the schema does not allow additional properties"
                ));
            }
            None => {}
        }
    }
    Ok(())
}
