//! Pod ENI through the managed add-on `vpc-cni`.

use sgp_contract::{
    Context,
    eks::{Addon, AddonChange},
};
use sgp_model::{Diagnostic, Value};

use super::{
    nodes,
    values::{self, Env},
};
use crate::{attrs, connect::KubeClient, wait::Waiter};

/// The add-on's name.
pub(super) const NAME: &str = "vpc-cni";

/// The add-on and its variables; `None` when it is not installed.
pub(super) async fn read(client: &KubeClient, cluster: &str) -> Result<Option<(Addon, Env)>, Diagnostic> {
    let Some(addon) = client.eks.addon(cluster, NAME).await? else { return Ok(None) };
    let values = values::parse(&addon.configuration_values).map_err(|why| unreadable(cluster, &why))?;
    Ok(Some((addon, Env::of_configuration(&values))))
}

fn unreadable(cluster: &str, why: &str) -> Diagnostic {
    Diagnostic::error(
        "Unreadable add-on configuration",
        format!(
            "The configuration values of the add-on {NAME} of {cluster} cannot be read: {why}. Nothing was changed."
        ),
    )
}

/// The role that a change asks for: none keeps what is set, an empty text takes away what was ours.
pub(super) fn role_asked(prior: &Value, planned: &Value) -> Option<String> {
    let role = |object| attrs::text(object, "service_account_role_arn").map(str::to_owned);
    role(planned).or_else(|| role(prior).map(|_| String::new()))
}

/// Sets wanted variables and takes dropped ones away, creating the add-on when it is not there. Answers whether it was
/// created. Does not wait.
pub(super) async fn put(
    client: &KubeClient,
    cx: &Context,
    cluster: &str,
    planned: &Value,
    role: Option<String>,
    wanted: &Env,
    dropped: &Env,
) -> Result<bool, Diagnostic> {
    let existing = client.eks.addon(cluster, NAME).await?;
    let before = existing.as_ref().map_or("", |a| a.configuration_values.as_str());
    let values = values::parse(before).map_err(|why| unreadable(cluster, &why))?;
    let merged = values::merge(&values, wanted, dropped);
    let version = attrs::text(planned, "addon_version").map(str::to_owned);
    if let Some(addon) = &existing {
        let same_version = version.as_ref().is_none_or(|v| *v == addon.version);
        let held = addon.service_account_role_arn.as_deref().unwrap_or_default();
        let same_role = role.as_ref().is_none_or(|role| role == held);
        if merged == values && same_version && same_role {
            return Ok(false);
        }
    }
    let change = AddonChange {
        version,
        configuration_values: merged.to_string(),
        service_account_role_arn: role.or_else(|| existing.as_ref()?.service_account_role_arn.clone()),
        token: cx.token.clone(),
    };
    client.eks.put_addon(cluster, NAME, change).await?;
    Ok(existing.is_none())
}

/// Waits until the add-on is in force. One that is DEGRADED because the cluster has no nodes yet is as good as it can be.
pub(super) async fn settle(client: &KubeClient, cx: &Context, cluster: &str) -> Result<(), Diagnostic> {
    let mut waiter = Waiter::new(cx, cx.timeout, format!("the add-on {NAME} of {cluster} to be ACTIVE"));
    loop {
        let Some(addon) = client.eks.addon(cluster, NAME).await? else {
            let text = format!("The add-on {NAME} of {cluster} was deleted by someone else while it was waited for.");
            return Err(Diagnostic::error("The add-on is gone", text));
        };
        match addon.status.as_str() {
            "ACTIVE" => return Ok(()),
            status if status.ends_with("_FAILED") => {
                let text = format!("The add-on {NAME} of {cluster} is {}.", with_issues(status, &addon.issues));
                return Err(Diagnostic::error("The add-on failed", text));
            }
            "DEGRADED" if nodes::count(client, Some(cluster)).await.unwrap_or(0) == 0 => {
                cx.progress("DEGRADED until nodes join: accepted");
                return Ok(());
            }
            status => waiter.pause(&with_issues(status, &addon.issues)).await?,
        }
    }
}

fn with_issues(status: &str, issues: &[String]) -> String {
    if issues.is_empty() { status.to_owned() } else { format!("{status}: {}", issues.join("; ").trim_end_matches('.')) }
}

/// Deletes the add-on and waits until it is gone. With `preserve` the VPC CNI stays in the cluster, unmanaged.
pub(super) async fn delete(client: &KubeClient, cx: &Context, cluster: &str, preserve: bool) -> Result<(), Diagnostic> {
    client.eks.delete_addon(cluster, NAME, preserve).await?;
    let mut waiter = Waiter::new(cx, cx.timeout, format!("the add-on {NAME} of {cluster} to go"));
    while let Some(addon) = client.eks.addon(cluster, NAME).await? {
        if addon.status == "DELETE_FAILED" {
            let why = with_issues(&addon.status, &addon.issues);
            let text = format!("The add-on {NAME} of {cluster} could not be deleted. It is {why}.");
            return Err(Diagnostic::error("The add-on failed", text));
        }
        waiter.pause(&addon.status).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_is_left_out_is_taken_away_where_it_was_ours() {
        let of =
            |role: Option<&str>| Value::object([("service_account_role_arn", Value::from(role.map(str::to_owned)))]);
        for (prior, planned, expected) in [
            (None, None, None),
            (None, Some("new"), Some("new")),
            (Some("old"), Some("new"), Some("new")),
            (Some("old"), None, Some("")),
        ] {
            assert_eq!(role_asked(&of(prior), &of(planned)).as_deref(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(with_issues("ACTIVE", &[]), "ACTIVE");
        let issues = ["InsufficientNumberOfReplicas: The add-on is unhealthy.".to_owned()];
        assert_eq!(with_issues("DEGRADED", &issues), "DEGRADED: InsufficientNumberOfReplicas: The add-on is unhealthy");
    }
}
