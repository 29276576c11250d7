//! The AWS emulators: moto for EC2, IAM and STS, ministack for EKS, microburst before moto when asked for.

use super::error::Result;
use super::program::{Program, free_port};
use super::proxy::ACCOUNT;
use super::setup;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const START_LIMIT: Duration = Duration::from_mins(1);

/// The running emulators. Dropping it ends them.
pub struct Emulators {
    /// The endpoint for everything but EKS: moto, or microburst before it.
    pub(crate) moto: String,
    /// moto itself.
    pub(crate) moto_itself: String,
    pub(crate) ministack: String,
    _programs: Vec<Program>,
}

impl Emulators {
    /// Starts moto and ministack alone, with nothing before them.
    pub fn start_bare() -> Result<Self> {
        start(false, &setup::new_logs_folder()?)
    }

    /// The endpoint of moto itself.
    pub fn moto_endpoint(&self) -> &str {
        &self.moto_itself
    }

    /// The endpoint of ministack.
    pub fn ministack_endpoint(&self) -> &str {
        &self.ministack
    }
}

/// Starts the emulators; they answer when this returns.
pub(crate) fn start(with_microburst: bool, logs: &Path) -> Result<Emulators> {
    let python = setup::python()?;
    let (moto_port, ministack_port, microburst_port) = (free_port()?, free_port()?, free_port()?);
    let mut programs = vec![
        Program::start("moto", &moto(&python, moto_port), logs)?,
        Program::start("ministack", &ministack(&python, ministack_port), logs)?,
    ];
    let mut ports = vec![moto_port, ministack_port];
    if with_microburst {
        programs.push(Program::start("microburst", &microburst(&python, moto_port, microburst_port), logs)?);
        ports.push(microburst_port);
    }
    for (program, port) in programs.iter_mut().zip(ports) {
        program.wait_until(START_LIMIT, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
    }
    let moto = if with_microburst { microburst_port } else { moto_port };
    Ok(Emulators { moto: url(moto), moto_itself: url(moto_port), ministack: url(ministack_port), _programs: programs })
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Without the managed policies loaded, `AmazonEKSClusterPolicy` does not exist.
fn moto(python: &Path, port: u16) -> Command {
    let mut command = script(python, "moto_server");
    command.env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true").env("MOTO_ACCOUNT_ID", ACCOUNT);
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    command
}

/// A Docker that cannot be reached keeps it from starting clusters of its own.
fn ministack(python: &Path, port: u16) -> Command {
    let mut command = script(python, "ministack");
    command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1").env("MINISTACK_HOST", "127.0.0.1");
    command.env("MINISTACK_ACCOUNT_ID", ACCOUNT).env("DOCKER_HOST", "tcp://127.0.0.1:1");
    command
}

fn microburst(python: &Path, moto_port: u16, port: u16) -> Command {
    let mut command = script(python, "microburst");
    command.args(["--upstream", &url(moto_port), "--port", &port.to_string()]);
    command
}

/// A script of the environment, without the user's own AWS settings.
fn script(python: &Path, name: &str) -> Command {
    let script: PathBuf = python.with_file_name(name);
    let mut command = Command::new(python);
    command.arg(script).env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("PYTHONUNBUFFERED", "1").env_remove("AWS_ENDPOINT_URL").env_remove("AWS_PROFILE");
    command
}
