//! Logs for whoever looks for a fault: on standard error, when `SGP_LOG` or `TF_LOG` asks for them.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

/// Starts logging. `SGP_LOG` takes a level or a filter such as `sgp_aws=debug,info`; `TF_LOG` a level; `JSON` is TRACE as
/// JSON lines.
pub fn start() {
    let wanted = ["SGP_LOG", "TF_LOG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let Some(wanted) = wanted else { return };
    let json = wanted.eq_ignore_ascii_case("json");
    let filter = match wanted.to_ascii_lowercase().as_str() {
        "json" => "trace".to_owned(),
        "off" => return,
        _ => wanted,
    };
    // What is wrong with a filter must not keep the command from running.
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A log is searched and mailed more often than it is watched.
    let coloured = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured).with_writer(stderr);
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
}
