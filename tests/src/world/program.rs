//! Programs that run beside a test and end with it.

use super::error::{Attempt, Error, Result};
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Waits at a pipe that only the test holds: when the test ends, however it ends, the pipe closes and the program is killed.
const GUARD: &str = r#"exec 3<&0; "$@" </dev/null 3<&- & program=$!; (cat <&3 >/dev/null; kill -9 $program) 2>/dev/null & wait $program"#;

/// A running program. Dropping it kills it and what it started.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    pipe: Option<ChildStdin>,
    log: PathBuf,
}

impl Program {
    /// Starts `command`; its output goes to `<logs>/<name>.log`.
    pub(crate) fn start(name: &str, command: &Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let output = File::create(&log).attempt(|| format!("make {}", log.display()))?;
        let errors = output.try_clone().attempt(|| format!("share {}", log.display()))?;
        let mut guarded = guarded(command);
        guarded.stdin(Stdio::piped()).stdout(output).stderr(errors).process_group(0);
        let mut child = guarded.spawn().attempt(|| format!("start {name}"))?;
        Ok(Self { name: name.to_owned(), pipe: child.stdin.take(), child, log })
    }

    /// Waits until `is_ready`; gives up when the program has ended or after `limit`.
    pub(crate) fn wait_until(&mut self, limit: Duration, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !is_ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error::failed(format!("{} ended with {status}", self.name), self.tail()));
            }
            if start.elapsed() > limit {
                return Err(Error::not_ready(&self.name, limit.as_secs(), &self.log));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The last lines that the program wrote.
    pub(crate) fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        self.pipe.take();
        let _ = self.child.wait();
    }
}

fn guarded(command: &Command) -> Command {
    let mut guarded = Command::new("sh");
    guarded.args(["-c", GUARD, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        guarded.current_dir(folder);
    }
    guarded
}

/// A loopback port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").attempt(|| "find a free port".to_owned())?;
    Ok(listener.local_addr().attempt(|| "read a port".to_owned())?.port())
}
