//! `sgp sandbox env`, and the variables that lead a program into a sandbox.

use std::ffi::OsString;

use clap::ArgMatches;
use serde_json::Value;
use sgp_model::Diagnostic;

use super::{
    client,
    place::{self, Place, Runner},
};
use crate::{commands::Exit, session::Room};

/// Says that a command runs with a sandbox already.
pub const INSIDE: &str = "SGP_IN_SANDBOX";

/// Writes the variables for a shell.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let place = Place::meant(matches)?;
    let runner = place.needed().await?;
    let mut lines: Vec<String> = strangers().into_iter().map(|name| format!("unset {name}")).collect();
    lines.extend(
        variables(&place, &runner).await?.iter().map(|(name, value)| format!("export {name}={}", quoted(value))),
    );
    room.ui.output.line(&lines.join("\n"));
    Ok(0)
}

/// The variables; away from the user's own account, profiles and clusters.
///
/// # Errors
/// The sandbox does not answer.
pub async fn variables(place: &Place, runner: &Runner) -> Result<Vec<(String, String)>, Diagnostic> {
    let access = client::get(runner.address, "access").await?;
    let text = |name: &str| access[name].as_str().unwrap_or("").to_owned();
    let mut all = vec![
        ("AWS_ENDPOINT_URL", format!("http://{}", runner.address)),
        ("AWS_ACCESS_KEY_ID", text("access_key_id")),
        ("AWS_SECRET_ACCESS_KEY", text("secret_access_key")),
        ("AWS_REGION", text("region")),
        ("AWS_DEFAULT_REGION", text("region")),
        ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("KUBECONFIG", place.kubeconfig().display().to_string()),
        // `sgp sandbox pods` in there means this one, too.
        (place::VARIABLE, place.folder().display().to_string()),
    ];
    for name in ["NO_PROXY", "no_proxy"] {
        all.push((name, past_proxies(std::env::var(name).ok())));
    }
    // Whoever brings a network of his own does not need ours.
    if std::env::var_os("TF_VAR_vpc_id").is_none() && std::env::var_os("TF_VAR_subnet_ids").is_none() {
        let network = client::post(runner.address, "network", &Value::Null).await?;
        all.push(("TF_VAR_vpc_id", network["vpc_id"].as_str().unwrap_or("").to_owned()));
        all.push(("TF_VAR_subnet_ids", network["subnet_ids"].to_string()));
    }
    Ok(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The variables of the AWS SDKs that lead elsewhere.
pub fn strangers() -> Vec<String> {
    let is_stranger = |name: &OsString| {
        name.to_str().filter(|name| name.starts_with("AWS_") && *name != "AWS_PAGER").map(str::to_owned)
    };
    let mut names: Vec<String> = std::env::vars_os().filter_map(|(name, _)| is_stranger(&name)).collect();
    names.sort();
    names
}

fn past_proxies(set: Option<String>) -> String {
    let ours = "127.0.0.1,localhost";
    match set.filter(|set| !set.is_empty()) {
        Some(set) if set.split(',').any(|host| host.trim() == "127.0.0.1") => set,
        Some(set) => format!("{set},{ours}"),
        None => ours.to_owned(),
    }
}

/// A value as a POSIX shell reads it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_passed_by() {
        for (set, expected) in [
            (None, "127.0.0.1,localhost"),
            (Some(""), "127.0.0.1,localhost"),
            (Some("a,127.0.0.1"), "a,127.0.0.1"),
            (Some(".corp"), ".corp,127.0.0.1,localhost"),
        ] {
            assert_eq!(past_proxies(set.map(str::to_owned)), expected);
        }
        assert_eq!(quoted("a'b"), r"'a'\''b'");
    }
}
