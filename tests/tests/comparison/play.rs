//! Plays the scripts of `tests/comparison` against the sandbox and the emulators.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sgp_sandbox::{Sandbox, Settings, iam};
use sgp_tests::world::{Emulators, Result, python};

/// A call and what was answered.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Step {
    /// `ec2:CreateVpc`.
    pub operation: String,
    /// What is special about it, unique for the operation.
    pub case: String,
    /// `done`, `400 CODE`, or `not reached` where an earlier answer lacks what the call needs.
    pub outcome: String,
    /// The paths of the answer, each with all the values that it has, without what is random in them.
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<String>>,
}

impl Step {
    /// Says whether the call succeeded.
    pub fn is_done(&self) -> bool {
        self.outcome.starts_with("done")
    }

    /// Says whether the call could not be made.
    pub fn is_not_reached(&self) -> bool {
        self.outcome == "not reached"
    }
}

/// What all endpoints answered, in the order of the calls.
pub struct Answers {
    pub sandbox: Vec<Step>,
    pub emulators: BTreeMap<&'static str, Vec<Step>>,
}

/// Starts the endpoints, plays everything against each of them at the same time, and ends them.
pub fn all() -> Result<Answers> {
    let emulators = Emulators::start_bare()?;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Time stands still but for what the scripts wait for, so that what lasts is seen lasting on the slowest machine.
    let settings = Settings { stopped_clock: true, ..Settings::default() };
    let sandbox = runtime.block_on(Sandbox::start(settings)).unwrap();
    let endpoint = format!("http://{}", sandbox.address());
    let clock = format!("{endpoint}/_sandbox/clock");
    let account = "123456789012";
    let answers = std::thread::scope(|scope| {
        let moto = scope.spawn(|| play(emulators.moto_endpoint(), account, "secret", None));
        let ministack = scope.spawn(|| play(emulators.ministack_endpoint(), account, "secret", None));
        let sandbox = play(&endpoint, iam::ADMINISTRATOR_KEY, iam::ADMINISTRATOR_SECRET, Some(&clock));
        (sandbox, moto.join().unwrap(), ministack.join().unwrap())
    });
    let (sandbox, moto, mut ministack) = (answers.0?, answers.1?, answers.2?);
    forget(&mut ministack, "eks:CreateCluster", "cluster.status");
    Ok(Answers { sandbox, emulators: BTreeMap::from([("moto", moto), ("ministack", ministack)]) })
}

/// Takes a value that an emulator answers now so, now so, as what it is.
fn forget(steps: &mut [Step], operation: &str, path: &str) {
    for step in steps.iter_mut().filter(|step| step.operation == operation) {
        step.fields.entry(path.to_owned()).and_modify(|values| *values = vec!["<varies>".to_owned()]);
    }
}

fn play(endpoint: &str, key: &str, secret: &str, clock: Option<&str>) -> Result<Vec<Step>> {
    let mut command = script("play.py")?;
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
    if let Some(clock) = clock {
        command.env("SANDBOX_CLOCK", clock);
    }
    Ok(run(&mut command))
}

/// The operations that `providers/aws` calls, from its sources.
pub fn operations_of_the_provider() -> Vec<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers/aws/src");
    let operations: Vec<String> = run(script("operations.py").unwrap().arg(sources));
    assert!(operations.len() > 60, "{operations:?}");
    operations
}

/// A script of ours, out of sight of the user's own AWS settings.
fn script(name: &str) -> Result<Command> {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("comparison").join(name);
    let mut command = Command::new(python()?);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.arg(file).env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

fn run<T: serde::de::DeserializeOwned>(command: &mut Command) -> T {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
