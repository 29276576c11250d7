//! Programs of a script: one after the other, or one beside the others.

use std::{
    io::Read,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a text is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs a command to its end: standard output, then errors, and the exit code (a signal counts from -1 down).
pub(super) fn execute(command: &mut Command) -> (String, i32) {
    let output = command.output().unwrap_or_else(|e| panic!("{}: {e}", command.get_program().display()));
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    finished(text, output.status)
}

fn finished(mut text: String, status: ExitStatus) -> (String, i32) {
    if let Some(signal) = status.signal() {
        text.push_str(&format!("[signal {signal}]\n"));
    }
    (text, status.code().unwrap_or(0))
}

/// A program that runs beside the script.
pub(super) struct Process {
    child: Child,
    written: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    pub(super) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", command.get_program().display()));
        let written = Arc::default();
        let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let readers = vec![read(stdout, &written), read(stderr, &written)];
        Self { child, written, readers }
    }

    /// Waits until it has written the text.
    pub(super) fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        while !self.text().contains(text) {
            let ended = self.child.try_wait().is_ok_and(|status| status.is_some());
            let late = start.elapsed() > PATIENCE;
            assert!(!late && (!ended || self.text().contains(text)), "{text:?} was not written, but:\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
        String::new()
    }

    /// Sends a signal; `INT` is Ctrl-C.
    pub(super) fn signal(&mut self, name: &str) -> String {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the process is gone:\n{}", self.text());
        String::new()
    }

    /// What it wrote and its exit code, once it has ended.
    pub(super) fn end(mut self) -> (String, i32) {
        let status = self.child.wait().expect("it was started");
        for reader in std::mem::take(&mut self.readers) {
            let _ = reader.join();
        }
        finished(self.text(), status)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }
}

impl Drop for Process {
    /// A script that stops early leaves nothing running.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut from: impl Read + Send + 'static, to: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let to = Arc::clone(to);
    thread::spawn(move || {
        let mut some = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut some) {
            to.lock().unwrap().extend_from_slice(&some[..count]);
        }
    })
}
