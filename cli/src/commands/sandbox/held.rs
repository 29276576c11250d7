//! A sandbox that this process runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ArgMatches;
use serde_json::Value;
use sgp_model::Diagnostic;
use sgp_sandbox::{Backing, Error, Pace, Sandbox, Settings, faults::Faults};
use tokio::task::AbortHandle;

use super::{
    client,
    place::{Place, Runner},
};
use crate::args::{flag, text, texts};

/// So often the kubeconfig is brought up to date.
const LOOK: Duration = Duration::from_millis(100);

/// A running sandbox with its note in its folder; the note goes with it.
#[derive(Debug)]
pub struct Held {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// Its folder.
    pub place: Place,
    writer: AbortHandle,
}

impl Held {
    /// Starts one on a folder.
    ///
    /// # Errors
    /// Somebody else has the folder or the port; says who. Or the folder cannot be used.
    pub async fn start(place: Place, mut settings: Settings) -> Result<Self, Diagnostic> {
        if let Some(runner) = place.runner().await {
            return Err(taken(&place, &runner));
        }
        fs::create_dir_all(place.folder()).map_err(|error| unusable(&place, &error.to_string()))?;
        settings.folder = Some(place.world());
        let is_port_given = settings.port != 0;
        if !is_port_given {
            settings.port = place.last_port().unwrap_or(0);
        }
        let sandbox = match Sandbox::start(settings.clone()).await {
            Err(Error::Listen { .. }) if !is_port_given => Sandbox::start(Settings { port: 0, ..settings }).await,
            other => other,
        };
        let sandbox = sandbox.map_err(|error| failed(&place, &error))?;
        let runner = Runner { address: sandbox.address(), pid: std::process::id() };
        place.write(&runner).map_err(|error| unusable(&place, &error.to_string()))?;
        write_kubeconfig(&sandbox, &place, &mut String::new()).await;
        let writer = tokio::spawn(keep_kubeconfig(sandbox.clone(), place.clone())).abort_handle();
        Ok(Self { sandbox, place, writer })
    }

    /// Who runs it: this process.
    pub fn runner(&self) -> Runner {
        Runner { address: self.sandbox.address(), pid: std::process::id() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.writer.abort();
        self.place.clear();
    }
}

/// Asks the sandbox that runs on a folder, or looks at what one has left there.
///
/// # Errors
/// There is neither, or the sandbox refuses.
pub async fn look(place: Place, command: &str) -> Result<Value, Diagnostic> {
    if place.runner().await.is_none() && place.world().is_dir() {
        let held = Held::start(place, Settings::default()).await?;
        return client::get(held.sandbox.address(), command).await;
    }
    client::get(place.needed().await?.address, command).await
}

/// What the flags say.
///
/// # Errors
/// A value that cannot be.
pub fn settings(matches: &ArgMatches) -> Result<Settings, Diagnostic> {
    let mut settings = Settings::default();
    if let Some(port) = matches.get_one::<u16>("port") {
        settings.port = *port;
    }
    if let Some(region) = text(matches, "region") {
        settings.region = region;
    }
    if let Some(account) = text(matches, "account") {
        if account.len() != 12 || !account.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(Diagnostic::error("Wrong account", format!("An account has 12 digits; {account:?} is none.")));
        }
        settings.account = account;
    }
    settings.seed = matches.get_one::<u64>("seed").copied();
    if let Some(time) = matches.get_one::<Duration>("settle") {
        settings.pace = Pace::uniform(*time);
    }
    settings.verify_signatures = flag(matches, "verify-signatures");
    settings.enforce_iam = flag(matches, "enforce-iam");
    settings.without = texts(matches, "without").into_iter().map(|name| name.trim().to_owned()).collect();
    let known = sgp_sandbox::kubernetes::controllers::switches();
    if let Some(name) = settings.without.iter().find(|name| !known.contains(name.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        let detail = format!("{name} is none. These can be left off: {}.", known.join(", "));
        return Err(Diagnostic::error("No such controller", detail));
    }
    if let Some(path) = matches.get_one::<PathBuf>("faults") {
        let wrong = |why: String| {
            Diagnostic::error(
                "The faults cannot be read",
                format!("{}: {why}. docs/sandbox.md shows their form.", path.display()),
            )
        };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        settings.faults = Faults::read(&text).map_err(wrong)?;
    }
    settings.backing = backing(matches)?;
    Ok(settings)
}

/// The real API server that the flags name; all three of them do.
fn backing(matches: &ArgMatches) -> Result<Option<Backing>, Diagnostic> {
    let ca = matches.get_one::<PathBuf>("kubernetes-ca");
    let (url, token) = (text(matches, "kubernetes-api"), text(matches, "kubernetes-token"));
    let read = |path: &Path| {
        let why = |error| Diagnostic::error("The file cannot be read", format!("{}: {error}.", path.display()));
        fs::read_to_string(path).map_err(why)
    };
    match (url, ca, token) {
        (None, None, None) => Ok(None),
        (Some(url), Some(ca), Some(token)) => {
            let token = token.strip_prefix('@').map(|file| read(Path::new(file))).unwrap_or(Ok(token.clone()))?;
            Ok(Some(Backing { url, authority_pem: read(ca)?, token }))
        }
        _ => Err(Diagnostic::error(
            "An API server takes three flags",
            "Give -kubernetes-api=URL, -kubernetes-ca=FILE and -kubernetes-token=TOKEN together.",
        )),
    }
}

/// What is said when somebody else runs a sandbox on the folder.
pub fn taken(place: &Place, runner: &Runner) -> Diagnostic {
    let (folder, pid, address) = (place.folder().display(), runner.pid, runner.address);
    Diagnostic::error(
        "A sandbox runs already",
        format!(
            "Process {pid} runs a sandbox on {folder}, at http://{address}. Use it, stop it with sgp sandbox stop, or take another folder with -dir=DIR."
        ),
    )
}

fn failed(place: &Place, error: &Error) -> Diagnostic {
    match error {
        Error::Listen { port, source } if source.kind() == io::ErrorKind::AddrInUse => Diagnostic::error(
            "The port is taken",
            format!(
                "Another program listens on 127.0.0.1:{port}. Take another one with -port=PORT, or leave -port away to have a free one."
            ),
        ),
        // sled says it with these words when another process has the file's lock.
        Error::Disk(disk) if disk.to_string().contains("could not acquire lock") => match place.noted() {
            Some(runner) => taken(place, &runner),
            None => unusable(place, "another process has it open"),
        },
        other => unusable(place, &other.to_string()),
    }
}

fn unusable(place: &Place, why: &str) -> Diagnostic {
    Diagnostic::error("The sandbox cannot start", format!("In the folder {}: {why}.", place.folder().display()))
}

/// Keeps the kubeconfig of the folder up to date as clusters come and go.
async fn keep_kubeconfig(sandbox: Sandbox, place: Place) {
    let mut written = String::new();
    loop {
        write_kubeconfig(&sandbox, &place, &mut written).await;
        tokio::time::sleep(LOOK).await;
    }
}

async fn write_kubeconfig(sandbox: &Sandbox, place: &Place, written: &mut String) {
    let text = sandbox.kubeconfig(None).await.unwrap_or_default();
    if text != *written && write_private(&place.kubeconfig(), &text).is_ok() {
        *written = text;
    }
}

/// Others on this machine need not read tokens.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(&new)?, text.as_bytes())?;
    fs::rename(new, path)
}
