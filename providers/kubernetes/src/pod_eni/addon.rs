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

/// Sets wanted variables and takes dropped ones away, creating the add-on when it is not there. Answers whether it was
/// created. Does not wait.
pub(super) async fn put(
    client: &KubeClient,
    cx: &Context,
    cluster: &str,
    planned: &Value,
    wanted: &Env,
    dropped: &Env,
) -> Result<bool, Diagnostic> {
    let existing = client.eks.addon(cluster, NAME).await?;
    let before = existing.as_ref().map_or("", |a| a.configuration_values.as_str());
    let values = values::parse(before).map_err(|why| unreadable(cluster, &why))?;
    let merged = values::merge(&values, wanted, dropped);
    let version = attrs::text(planned, "addon_version").map(str::to_owned);
    let role = attrs::text(planned, "service_account_role_arn").map(str::to_owned);
    if let Some(addon) = &existing {
        let same_version = version.as_ref().is_none_or(|v| *v == addon.version);
        let same_role = role.is_none() || role == addon.service_account_role_arn;
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
                let text = format!(
                    "The add-on {NAME} of {cluster} is {status}. `aws eks describe-addon` shows why (health.issues)."
                );
                return Err(Diagnostic::error("The add-on failed", text));
            }
            "DEGRADED" if nodes::count(client, Some(cluster)).await.unwrap_or(0) == 0 => {
                cx.progress("DEGRADED until nodes join: accepted");
                return Ok(());
            }
            status => waiter.pause(status).await?,
        }
    }
}

/// Deletes the add-on and waits until it is gone.
pub(super) async fn delete(client: &KubeClient, cx: &Context, cluster: &str) -> Result<(), Diagnostic> {
    client.eks.delete_addon(cluster, NAME).await?;
    let mut waiter = Waiter::new(cx, cx.timeout, format!("the add-on {NAME} of {cluster} to go"));
    while let Some(addon) = client.eks.addon(cluster, NAME).await? {
        if addon.status == "DELETE_FAILED" {
            let text =
                format!("The add-on {NAME} of {cluster} could not be deleted. `aws eks describe-addon` shows why.");
            return Err(Diagnostic::error("The add-on failed", text));
        }
        waiter.pause(&addon.status).await?;
    }
    Ok(())
}
