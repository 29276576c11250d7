//! Add-ons.

use super::super::errors::Refusal;
use super::super::shared::Shared;
use super::overlay::{self, Kind, begin_update, refusal, refuse_if_pending};
use super::updates::Update;
use super::{catalog, invalid, text, vpc_cni};
use http::Method;
use serde_json::{Map, Value, json};

/// Answers `CreateAddon`.
pub(super) async fn create(shared: &Shared, cluster: &str, mut body: Value) -> Result<Value, Refusal> {
    let name = text(&body, "addonName").ok_or_else(|| invalid("Addon name is required."))?.to_owned();
    let owner = overlay::current(shared, Kind::Cluster, &format!("clusters/{cluster}")).await?;
    if matches!(text(&owner, "status"), Some("CREATING" | "DELETING")) {
        return Err(Refusal::new(
            400,
            "InvalidRequestException",
            format!("Cluster '{cluster}' is not in ACTIVE status"),
        ));
    }
    let default = catalog::default_version(&name, text(&owner, "version").unwrap_or_default());
    let default = default.ok_or_else(|| invalid(format!("Addon {name} specified is not supported")))?;
    let version = text(&body, "addonVersion").map_or(default, str::to_owned);
    check(&name, &version, &body)?;
    body["addonVersion"] = json!(version);
    let path = format!("clusters/{cluster}/addons/{name}");
    let created = overlay::create(shared, Kind::Addon, &path, &body, absent_fields(&body)).await?;
    vpc_cni::roll_out(shared, &name, text(&body, "configurationValues")).await?;
    Ok(created)
}

/// ministack says "" for what was not given, AWS leaves it out.
fn absent_fields(body: &Value) -> Map<String, Value> {
    let names = ["serviceAccountRoleArn", "configurationValues"];
    let absent = names.into_iter().filter(|name| body[*name].as_str().is_none_or(str::is_empty));
    absent.map(|name| (name.to_owned(), Value::Null)).collect()
}

fn check(name: &str, version: &str, body: &Value) -> Result<(), Refusal> {
    if !catalog::has_version(name, version) {
        return Err(invalid(format!(
            "Addon version specified is not supported, AddonName: \"{name}\", AddonVersion: \"{version}\""
        )));
    }
    match text(body, "configurationValues") {
        Some(values) if !values.is_empty() => catalog::check_configuration(name, values),
        _ => Ok(()),
    }
}

/// Answers `UpdateAddon`.
pub(super) async fn update(shared: &Shared, path: &str, body: &Value) -> Result<Value, Refusal> {
    let addon = overlay::current(shared, Kind::Addon, path).await?;
    refuse_if_pending(shared, path)?;
    let name = text(&addon, "addonName").unwrap_or_default();
    let version = text(body, "addonVersion").or(text(&addon, "addonVersion")).unwrap_or_default();
    check(name, version, body)?;
    let (status, found) = shared.upstream.eks(Method::POST, &format!("{path}/update"), Some(body)).await?;
    if status != 200 {
        return Err(refusal(status, &found));
    }
    let given = ["addonVersion", "serviceAccountRoleArn", "configurationValues"]
        .into_iter()
        .filter(|name| !body[*name].is_null());
    let fields = given.map(|name| (name.to_owned(), body[name].clone())).collect();
    if body["configurationValues"].is_string() {
        vpc_cni::roll_out(shared, name, text(body, "configurationValues")).await?;
    }
    let params: Vec<(&str, &Value)> = [
        ("AddonVersion", "addonVersion"),
        ("ServiceAccountRoleArn", "serviceAccountRoleArn"),
        ("ResolveConflicts", "resolveConflicts"),
        ("ConfigurationValues", "configurationValues"),
    ]
    .into_iter()
    .map(|(name, field)| (name, &body[field]))
    .filter(|(_, value)| !value.is_null())
    .collect();
    Ok(begin_update(shared, path, fields, Update::new(path, "AddonUpdate", &params)))
}

/// Answers `DeleteAddon`; its objects leave the cluster unless they are to be preserved.
pub(super) async fn delete(shared: &Shared, path: &str, is_preserved: bool) -> Result<Value, Refusal> {
    let deleted = overlay::delete(shared, Kind::Addon, path).await?;
    let name = path.rsplit('/').next().unwrap_or_default();
    if !is_preserved {
        vpc_cni::remove(shared, name).await?;
    }
    Ok(deleted)
}
