//! Node groups.

use super::super::errors::Refusal;
use super::super::shared::Shared;
use super::overlay::{self, Kind, begin_update, refuse_if_pending};
use super::updates::Update;
use super::{catalog, invalid, role_exists, text, vpc_of, xml};
use serde_json::{Map, Value, json};

/// Answers `CreateNodegroup`.
pub(super) async fn create(shared: &Shared, cluster: &str, mut body: Value) -> Result<Value, Refusal> {
    let name = text(&body, "nodegroupName").ok_or_else(|| invalid("Nodegroup name is required."))?.to_owned();
    let cluster_path = format!("clusters/{cluster}");
    let owner = overlay::current(shared, Kind::Cluster, &cluster_path).await?;
    if text(&owner, "status") == Some("CREATING") || text(&owner, "status") == Some("DELETING") {
        return Err(Refusal::new(
            400,
            "InvalidRequestException",
            format!("Cluster '{cluster}' is not in ACTIVE status"),
        ));
    }
    role_exists(shared, text(&body, "nodeRole").unwrap_or_default()).await?;
    vpc_of(shared, &body["subnets"]).await?;
    check_scaling(&body["scalingConfig"])?;
    let fields = derived(shared, &owner, &mut body).await?;
    overlay::create(shared, Kind::Nodegroup, &format!("{cluster_path}/node-groups/{name}"), &body, fields).await
}

fn check_scaling(scaling: &Value) -> Result<(), Refusal> {
    let number = |name: &str, default: i64| scaling[name].as_i64().unwrap_or(default);
    let (min, max) = (number("minSize", 1), number("maxSize", 2));
    let desired = number("desiredSize", min);
    if min > max {
        return Err(invalid("minimum capacity can't be greater than maximum size"));
    }
    if !(min..=max).contains(&desired) {
        return Err(invalid("desired capacity must be between minimum and maximum size"));
    }
    Ok(())
}

async fn derived(shared: &Shared, cluster: &Value, body: &mut Value) -> Result<Map<String, Value>, Refusal> {
    let version = text(body, "version").or(text(cluster, "version")).unwrap_or(catalog::DEFAULT_VERSION).to_owned();
    let mut fields = Map::new();
    fields.insert(
        "releaseVersion".to_owned(),
        json!(text(body, "releaseVersion").map_or_else(|| release(&version), str::to_owned)),
    );
    fields.insert("version".to_owned(), json!(version));
    fields.insert("updateConfig".to_owned(), or(&body["updateConfig"], json!({ "maxUnavailable": 1 })));
    fields.insert("amiType".to_owned(), or(&body["amiType"], json!("AL2023_x86_64_STANDARD")));
    if body["launchTemplate"].is_object() {
        if !body["diskSize"].is_null() {
            return Err(invalid("Disk size must be specified within the launch template."));
        }
        fields.insert("launchTemplate".to_owned(), launch_template(shared, &body["launchTemplate"]).await?);
        fields.insert("diskSize".to_owned(), Value::Null);
        fields.insert("instanceTypes".to_owned(), body["instanceTypes"].clone());
    }
    Ok(fields)
}

fn or(value: &Value, default: Value) -> Value {
    if value.is_null() { default } else { value.clone() }
}

fn release(version: &str) -> String {
    format!("{version}.0-20260801")
}

/// The launch template by id or name, with both of them and a version in the answer.
async fn launch_template(shared: &Shared, asked: &Value) -> Result<Value, Refusal> {
    let param = match (text(asked, "id"), text(asked, "name")) {
        (Some(id), _) => ("LaunchTemplateId.1", id),
        (_, Some(name)) => ("LaunchTemplateName.1", name),
        _ => return Err(invalid("Launch template must have an id or a name")),
    };
    let found = shared.upstream.query("ec2", "DescribeLaunchTemplates", &[param]).await.unwrap_or_default();
    let (Some(id), Some(name)) = (xml::text(&found, "launchTemplateId"), xml::text(&found, "launchTemplateName"))
    else {
        return Err(invalid(format!("Launch template {} does not exist", param.1)));
    };
    let version = match text(asked, "version") {
        Some("$Latest") => xml::text(&found, "latestVersionNumber"),
        Some("$Default") | None => xml::text(&found, "defaultVersionNumber"),
        Some(version) => Some(version.to_owned()),
    };
    Ok(json!({ "id": id, "name": name, "version": version }))
}

/// Answers `UpdateNodegroupConfig`.
pub(super) async fn update_config(shared: &Shared, path: &str, body: &Value) -> Result<Value, Refusal> {
    let group = overlay::current(shared, Kind::Nodegroup, path).await?;
    refuse_if_pending(shared, path)?;
    let mut fields = Map::new();
    for name in ["scalingConfig", "updateConfig"] {
        if let (Value::Object(asked), Value::Object(mut merged)) = (&body[name], group[name].clone()) {
            if name == "updateConfig" {
                merged.clear();
            }
            merged.extend(asked.clone());
            fields.insert(name.to_owned(), Value::Object(merged));
        }
    }
    check_scaling(fields.get("scalingConfig").unwrap_or(&group["scalingConfig"]))?;
    if body["labels"].is_object() {
        fields.insert("labels".to_owned(), labels(&group["labels"], &body["labels"]));
    }
    if body["taints"].is_object() {
        fields.insert("taints".to_owned(), taints(&group["taints"], &body["taints"]));
    }
    let params: Vec<(&str, &Value)> = ["scalingConfig", "updateConfig", "labels", "taints"]
        .into_iter()
        .map(|name| (name, &body[name]))
        .filter(|(_, value)| !value.is_null())
        .collect();
    Ok(begin_update(shared, path, fields, Update::new(path, "ConfigUpdate", &params)))
}

fn labels(current: &Value, change: &Value) -> Value {
    let mut labels = current.as_object().cloned().unwrap_or_default();
    for name in change["removeLabels"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        labels.remove(name);
    }
    labels.extend(change["addOrUpdateLabels"].as_object().cloned().unwrap_or_default());
    Value::Object(labels)
}

/// A taint is known by key and effect.
fn taints(current: &Value, change: &Value) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let is_same = |a: &Value, b: &Value| a["key"] == b["key"] && a["effect"] == b["effect"];
    let (added, removed) = (list(&change["addOrUpdateTaints"]), list(&change["removeTaints"]));
    let mut taints = list(current);
    taints.retain(|taint| !added.iter().chain(&removed).any(|other| is_same(taint, other)));
    taints.extend(added);
    Value::Array(taints)
}

/// Answers `UpdateNodegroupVersion`: Kubernetes version, release or launch template.
pub(super) async fn update_version(shared: &Shared, path: &str, body: &Value) -> Result<Value, Refusal> {
    let group = overlay::current(shared, Kind::Nodegroup, path).await?;
    refuse_if_pending(shared, path)?;
    let mut fields = Map::new();
    let cluster = path.split("/node-groups/").next().unwrap_or_default();
    let owner = overlay::current(shared, Kind::Cluster, cluster).await?;
    let version = text(body, "version").or(text(&group, "version")).unwrap_or_default();
    let place = |version: &str| catalog::VERSIONS.iter().position(|known| *known == version);
    if place(version).is_none() || place(version) > place(text(&owner, "version").unwrap_or_default()) {
        return Err(invalid(format!("Requested Kubernetes version {version} is not supported by the cluster")));
    }
    fields.insert("version".to_owned(), json!(version));
    fields.insert(
        "releaseVersion".to_owned(),
        json!(text(body, "releaseVersion").map_or_else(|| release(version), str::to_owned)),
    );
    if body["launchTemplate"].is_object() {
        fields.insert("launchTemplate".to_owned(), launch_template(shared, &body["launchTemplate"]).await?);
    }
    let params: Vec<(&str, &Value)> =
        [("Version", "version"), ("ReleaseVersion", "releaseVersion"), ("LaunchTemplateVersion", "launchTemplate")]
            .into_iter()
            .map(|(name, field)| (name, &body[field]))
            .filter(|(_, value)| !value.is_null())
            .collect();
    Ok(begin_update(shared, path, fields, Update::new(path, "VersionUpdate", &params)))
}
